/* SPDX-License-Identifier: MIT
 * Against golden/knn.json, made by Surprise, and golden/item_similarity.json, made by implicit (golden/make_golden.py).
 */
#include "test.h"

#include "base/mem.h"
#include "model/form_items.h"
#include "model/rank.h"

#include <jansson.h>
#include <stdlib.h>

struct world {
    kith *k;
    kith_data *d;
    ki_ratings r;
};

static void find(char *path, size_t size, const char *name) /* tests run in the build folder, or by hand beside it */
{
    snprintf(path, size, "../test/golden/%s", name);
    FILE *f = fopen(path, "r");
    if (f == NULL) snprintf(path, size, "test/golden/%s", name);
    if (f != NULL) fclose(f);
}

static json_t *golden(const char *name)
{
    char path[128];
    find(path, sizeof path, name);
    json_t *o = json_load_file(path, 0, NULL);
    ck_assert_msg(o != NULL, "%s cannot be read", path);
    return o;
}

static void open_world(struct world *w, const char *name)
{
    char path[128];
    find(path, sizeof path, name);
    memset(w, 0, sizeof *w);
    CHECK_OK(kith_new(NULL, &w->k));
    CHECK_OK(kith_data_read(w->k, path, NULL, &w->d));
    CHECK_OK(ki_ratings_build(&w->r, w->d, NULL));
}

static void close_world(struct world *w)
{
    ki_ratings_clear(&w->r);
    kith_data_free(w->d);
    kith_free(w->k);
}

static void fit(const struct world *w, const char *name, const kith_param *given, int n, ki_model *m)
{
    const ki_model_desc *desc = ki_model_find(name);
    void *params;
    CHECK_OK(ki_model_params(desc, given, n, 0, &params));
    CHECK_OK(ki_model_fit(m, desc, params, w->d, &w->r, ki_context_job(w->k)));
}

static const char *text(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static int holds(const json_t *list, size_t position)
{
    for (size_t j = 0; j < json_array_size(list); j++)
        if ((size_t)json_integer_value(json_array_get(list, j)) == position) return 1;
    return 0;
}

static const char *variant_of(const char *algo)
{
    return strcmp(algo, "KNNBasic") == 0       ? "basic"
           : strcmp(algo, "KNNWithMeans") == 0 ? "means"
           : strcmp(algo, "KNNBaseline") == 0  ? "baseline"
                                               : "zscore";
}

/* One case; returns how many estimates were compared. */
static int compare(const struct world *w, const json_t *pairs, const json_t *c)
{
    char k[16];
    const char *sim = text(c, "sim");
    snprintf(k, sizeof k, "%d", (int)json_integer_value(json_object_get(c, "k")));
    const kith_param given[] = { { "similarity", strcmp(sim, "cosine") == 0 ? "cosine_corated" : sim },
                                 { "variant", variant_of(text(c, "algo")) },
                                 { "k", k },
                                 { "n_neighbors", "0" } };
    ki_ranker *ranker;
    ki_model m;
    int compared = 0;
    fit(w, json_is_true(json_object_get(c, "user_based")) ? "user-knn" : "item-knn", given, 4, &m);
    CHECK_OK(ki_ranker_new(&m, 1, 0, &ranker));
    for (size_t j = 0; j < json_array_size(pairs); j++) {
        const json_t *pair = json_array_get(pairs, j);
        const int32_t u = kith_data_find_user(w->d, json_string_value(json_array_get(pair, 0)));
        const int32_t i = kith_data_find_item(w->d, json_string_value(json_array_get(pair, 1)));
        if (u < 0 || i < 0 || holds(json_object_get(c, "tie_at_k"), j)) continue;
        const ki_query q = ki_query_user(&m, u);
        uint8_t supported;
        float got;
        CHECK_OK(ki_ranker_predict(ranker, &q, &i, 1, &got, &supported));
        /* float32 sums of at most 40 products against double */
        CHECK_NEAR(got, json_number_value(json_array_get(json_object_get(c, "est"), j)), 1e-5);
        compared++;
    }
    ki_ranker_free(ranker);
    ki_model_clear(&m);
    return compared;
}

TEST(rating_estimates_equal_those_of_surprise)
{
    struct world w;
    json_t *o = golden("knn.json");
    const json_t *cases = json_object_get(o, "cases");
    int compared = 0;
    open_world(&w, "ratings.csv");
    for (size_t j = 0; j < json_array_size(cases); j++)
        compared += compare(&w, json_object_get(o, "pairs"), json_array_get(cases, j));
    CHECK(compared > 64 * 30);
    close_world(&w);
    json_decref(o);
}

static void compare_items(const struct world *w, const char *measure, const json_t *rows)
{
    const kith_param given[] = { { "similarity", measure }, { "n_neighbors", "10" } };
    const char *name;
    const json_t *row;
    ki_model m;
    fit(w, "item-knn", given, 2, &m);
    const ki_items *s = m.state;
    CHECK(json_object_size(rows) > 50);
    json_object_foreach ((json_t *)rows, name, row) {
        const json_t *items = json_object_get(row, "items"), *values = json_object_get(row, "values");
        const int32_t i = kith_data_find_item(w->d, name);
        CHECK_INT(s->ptr[i + 1] - s->ptr[i], json_array_size(items));
        for (size_t j = 0; j < json_array_size(items); j++) {
            const double want = json_number_value(json_array_get(values, j));
            const int32_t other = kith_data_find_item(w->d, json_string_value(json_array_get(items, j)));
            CHECK_NEAR(ki_items_at(s, i, other), want, 1e-6 * fmax(1, want)); /* float32 sums of 80 terms */
        }
    }
    ki_model_clear(&m);
}

TEST(nearest_items_equal_those_of_implicit)
{
    static const char *const measures[] = { "cosine", "tfidf", "bm25" };
    struct world w;
    json_t *o = golden("item_similarity.json");
    open_world(&w, "implicit.csv");
    for (int j = 0; j < 3; j++) compare_items(&w, measures[j], json_object_get(o, measures[j]));
    close_world(&w);
    json_decref(o);
}
