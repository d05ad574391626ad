/* SPDX-License-Identifier: MIT
 * Models against the numbers of independent implementations: Surprise, implicit and numpy (test/golden/README.md).
 */
#include "test.h"

#include "data/dataset.h"
#include "model/als_rows.h"

#include <jansson.h>
#include <stdlib.h>

enum { MOST_ITEMS = 64 };

static kith *k;

static json_t *golden(const char *name) /* tests run in the build folder, or by hand beside it */
{
    char path[96];
    snprintf(path, sizeof path, "../test/golden/%s", name);
    json_t *o = json_load_file(path, 0, NULL);
    if (o == NULL) o = json_load_file(path + 3, 0, NULL);
    ck_assert_msg(o != NULL, "%s cannot be read", path);
    return o;
}

static kith_model *train(const char *csv, const char *model, const kith_param *params, int n)
{
    char path[96];
    kith_data *d = NULL;
    kith_model *m = NULL;
    if (k == NULL) CHECK_OK(kith_new(NULL, &k));
    snprintf(path, sizeof path, "../test/golden/%s", csv);
    if (kith_data_read(k, path, NULL, &d) != KITH_OK) CHECK_OK(kith_data_read(k, path + 3, NULL, &d));
    CHECK_OK(kith_train(k, d, model, params, n, &m));
    kith_data_free(d);
    return m;
}

static const char *text(const json_t *list, size_t at)
{
    return json_string_value(json_array_get(list, at));
}

static int holds(const json_t *list, size_t value)
{
    const json_t *x;
    size_t j;
    json_array_foreach (list, j, x)
        if ((size_t)json_integer_value(x) == value) return 1;
    return 0;
}

/* ---- neighbours ---- */

static const char *const algorithms[][2] = {
    { "KNNBasic", "basic" }, { "KNNWithMeans", "means" }, { "KNNWithZScore", "zscore" }, { "KNNBaseline", "baseline" }
};

static const char *variant_of(const char *algorithm)
{
    for (int j = 0; j < 4; j++)
        if (strcmp(algorithms[j][0], algorithm) == 0) return algorithms[j][1];
    ck_abort_msg("no variant for %s", algorithm);
    return NULL;
}

/* Float sums of up to 40 terms on a scale of 5 err by 1e-5; a similarity near 0 in the divisor magnifies that. */
static const double close = 2e-4;

static void check_case(const json_t *all, const json_t *c)
{
    char votes[16];
    const char *sim = json_string_value(json_object_get(c, "sim"));
    const char *variant = variant_of(json_string_value(json_object_get(c, "algo")));
    snprintf(votes, sizeof votes, "%lld", (long long)json_integer_value(json_object_get(c, "k")));
    const kith_param params[] = { { "similarity", strcmp(sim, "cosine") == 0 ? "cosine_corated" : sim },
                                  { "variant", variant },
                                  { "k", votes },
                                  { "n_neighbors", "0" } };
    const char *name = json_is_true(json_object_get(c, "user_based")) ? "user-knn" : "item-knn";
    kith_model *m = train("ratings.csv", name, params, 4);
    const json_t *pairs = json_object_get(all, "pairs"), *pair;
    size_t j;
    json_array_foreach (pairs, j, pair) {
        kith_prediction p;
        const double want = json_number_value(json_array_get(json_object_get(c, "est"), j));
        if (holds(json_object_get(c, "tie_at_k"), j)) continue; /* file order decides there */
        if (j + 3 >= json_array_size(pairs)) continue;          /* unknown ids: test_ask */
        CHECK_OK(kith_predict(k, m, text(pair, 0), text(pair, 1), &p));
        ck_assert_msg(fabs(p.raw - want) <= close, "%s %s %s k=%s: %s on %s is %.7f, want %.7f", name, sim, variant,
                      votes, text(pair, 0), text(pair, 1), p.raw, want);
    }
    kith_model_free(m);
}

TEST(neighbours_estimate_what_surprise_estimates)
{
    json_t *all = golden("knn.json");
    const json_t *c;
    size_t j;
    json_array_foreach (json_object_get(all, "cases"), j, c) check_case(all, c);
    CHECK(j >= 64);
    json_decref(all);
}

/* ---- similar items ---- */

static void check_similar(const char *similarity)
{
    const kith_param params[] = { { "similarity", similarity }, { "n_neighbors", "0" }, { "shrinkage", "0" } };
    json_t *all = golden("item_similarity.json");
    kith_model *m = train("implicit.csv", "item-knn", params, 3);
    const char *item;
    json_t *want;
    json_object_foreach (json_object_get(all, similarity), item, want) {
        const json_t *values = json_object_get(want, "values");
        kith_list *list;
        CHECK_OK(kith_similar(k, m, item, 10, &list));
        for (size_t j = 0; j < json_array_size(values); j++) { /* values and not names: equal ones may change places */
            const double x = json_number_value(json_array_get(values, j));
            ck_assert_msg(fabs(list->items[j].score - x) <= 1e-5 * (1 + fabs(x)),
                          "%s of %s, place %zu: %.8f, want %.8f", similarity, item, j, list->items[j].score,
                          x); /* float dots of 80 terms */
        }
        kith_list_free(list);
    }
    kith_model_free(m);
    json_decref(all);
}

TEST(cosine_of_items_is_implicits)
{
    check_similar("cosine");
}

TEST(tfidf_of_items_is_implicits)
{
    check_similar("tfidf");
}

TEST(bm25_of_items_is_implicits)
{
    check_similar("bm25");
}

/* ---- matrices ---- */

TEST(svd_rebuilds_the_matrix_as_numpy_does)
{
    const kith_param params[] = { { "n_factors", "5" } };
    json_t *all = golden("svd.json");
    kith_model *m = train("ratings.csv", "svd", params, 1);
    const json_t *users = json_object_get(all, "users"), *items = json_object_get(all, "items");
    for (size_t u = 0; u < json_array_size(users); u++) {
        const json_t *row = json_array_get(json_object_get(all, "reconstruction"), u);
        for (size_t i = 0; i < json_array_size(items); i++) {
            kith_prediction p;
            CHECK_OK(kith_predict(k, m, text(users, u), text(items, i), &p));
            CHECK_NEAR(p.raw, json_number_value(json_array_get(row, i)), 2e-5); /* floats of about 5, five terms */
        }
    }
    kith_model_free(m);
    json_decref(all);
}

TEST(ease_scores_are_the_closed_form)
{
    const kith_param params[] = { { "l2", "10" } };
    json_t *all = golden("ease.json");
    kith_model *m = train("implicit.csv", "ease", params, 1);
    const char *user;
    json_t *want;
    json_object_foreach (json_object_get(all, "scores"), user, want) {
        kith_list *list;
        CHECK_OK(kith_recommend(k, m, &(kith_query){ .user = user, .n = MOST_ITEMS, .include_seen = 1 }, &list));
        CHECK_INT(list->n, (int)json_array_size(want));
        for (int j = 0; j < list->n; j++) { /* the golden row is in id order: i000, i001, ... */
            const size_t i = (size_t)atoi(list->items[j].item_id + 1);
            CHECK_NEAR(list->items[j].score, json_number_value(json_array_get(want, i)), 2e-5); /* float inverse */
        }
        kith_list_free(list);
    }
    kith_model_free(m);
    json_decref(all);
}

/* ---- alternating least squares ---- */

enum { ALS_USERS = 80, ALS_ITEMS = 60, ALS_DIM = 8 };

struct half { /* rows of X from the rows of Y */
    ki_csr by;
    float *w; /* [nnz] */
    float X[ALS_USERS * ALS_DIM];
};

/* The counts of implicit.csv by user and by item; rows are in the order of the ids: u00, u01, ... */
static void read_counts(ki_csr *by_user, ki_csr *by_item)
{
    int32_t users[2000], items[2000];
    kith_data *d = NULL;
    if (k == NULL) CHECK_OK(kith_new(NULL, &k));
    if (kith_data_read(k, "../test/golden/implicit.csv", NULL, &d) != KITH_OK)
        CHECK_OK(kith_data_read(k, "test/golden/implicit.csv", NULL, &d));
    for (int64_t j = 0; j < d->log.n; j++) {
        users[j] = atoi(kith_data_user_id(d, d->log.user[j]) + 1);
        items[j] = atoi(kith_data_item_id(d, d->log.item[j]) + 1);
    }
    CHECK_OK(ki_csr_from_triplets(by_user, ALS_USERS, ALS_ITEMS, d->log.n, users, items, d->log.value, NULL));
    CHECK_OK(ki_csr_transpose(by_item, by_user));
    kith_data_free(d);
}

static void solve(struct half *h, const float *Y, float reg)
{
    float gram[ALS_DIM * ALS_DIM], l[ALS_USERS];
    const int32_t n = h->by.n_cols;
    for (int a = 0; a < ALS_DIM * ALS_DIM; a++) {
        double sum = 0;
        for (int32_t j = 0; j < n; j++) sum += (double)Y[j * ALS_DIM + a / ALS_DIM] * Y[j * ALS_DIM + a % ALS_DIM];
        gram[a] = (float)sum;
    }
    for (int32_t r = 0; r < h->by.n_rows; r++) l[r] = reg;
    ki_als_side side = { .given = { ki_kernels_get(), Y, gram, n, ALS_DIM, 1 },
                         .solver = KI_ALS_CHOLESKY,
                         .by = &h->by,
                         .X = h->X,
                         .w = h->w,
                         .l = l };
    CHECK_OK(ki_als_side_prepare(&side, ki_context_job(k)));
    CHECK_OK(ki_als_side_solve(&side, ki_context_job(k)));
    ki_als_side_clear(&side);
}

static void check_rows(const char *what, const json_t *want, const float *X, double tolerance)
{
    CHECK(json_array_size(want) > 0);
    for (size_t r = 0; r < json_array_size(want); r++)
        for (size_t c = 0; c < ALS_DIM; c++) {
            const double x = json_number_value(json_array_get(json_array_get(want, r), c));
            ck_assert_msg(fabs(X[r * ALS_DIM + c] - x) <= tolerance, "%s, row %zu column %zu: %.7f, want %.7f", what, r,
                          c, X[r * ALS_DIM + c], x);
        }
}

/* `taken` is what the weight of a seen cell has beyond alpha times its count: nothing as the paper has it, and with
 * implicit the 1 of what was not seen is not added. */
static void check_als(const char *name, float taken)
{
    static struct half users, items;
    json_t *all = golden("als.json");
    const json_t *want = json_object_get(all, name);
    const float alpha = (float)json_number_value(json_object_get(all, "alpha"));
    const float reg = (float)json_number_value(json_object_get(all, "regularization"));
    const int sweeps = (int)json_integer_value(json_object_get(all, "sweeps"));
    read_counts(&users.by, &items.by);
    users.w = calloc(2000, sizeof(float));
    items.w = calloc(2000, sizeof(float));
    for (int64_t j = 0; j < ki_csr_nnz(&users.by); j++) {
        users.w[j] = alpha * users.by.val[j] - taken;
        items.w[j] = alpha * items.by.val[j] - taken;
    }
    for (size_t j = 0; j < ALS_ITEMS * ALS_DIM; j++)
        items.X[j] = (float)json_number_value(
            json_array_get(json_array_get(json_object_get(all, "Y"), j / ALS_DIM), j % ALS_DIM));
    for (int s = 0; s < sweeps; s++) {
        solve(&users, items.X, reg);
        /* one float solve of eight unknowns; later sweeps start from rounded factors, well conditioned by reg */
        if (s == 0) check_rows("users from given items", json_object_get(want, "X_for_given_Y"), users.X, 2e-5);
        solve(&items, users.X, reg);
    }
    check_rows("users", json_object_get(want, "X_after_all_sweeps"), users.X, 1e-4);
    check_rows("items", json_object_get(want, "Y_after_all_sweeps"), items.X, 1e-4);
    free(users.w);
    free(items.w);
    ki_csr_clear(&users.by);
    ki_csr_clear(&items.by);
    json_decref(all);
}

TEST(als_sweeps_are_those_of_the_paper)
{
    check_als("paper", 0);
}

TEST(als_sweeps_with_implicits_weights_are_implicits)
{
    check_als("implicit", 1);
}
