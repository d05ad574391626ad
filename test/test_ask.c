/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "model/package.h"

/* Counts of training users: x 4, z 3, y 2, w 1.  Titles for x and z only. */
static const char *const users[] = { "ann", "ann", "bob", "bob", "bob", "cleo", "cleo", "dan", "dan", "eve" };
static const char *const items[] = { "x", "z", "x", "y", "z", "x", "z", "x", "y", "w" };
static const float values[] = { 5, 3, 4, 1, 2, 5, 4, 3, 2, 4 };

struct world {
    kith *k;
    kith_data *d;
    kith_model *m;
};

static void add_titles(kith_data *d)
{
    static const char text[] = "Ex (1990)\0Zed\0\0";
    static const int64_t ptr[] = { 0, 10, 14, 15, 16 };
    ki_column c = { .kind = KI_COL_TEXT };
    CHECK_OK(ki_strdup(&c.name, "title"));
    CHECK_OK(ki_alloc(&c.text, sizeof text, 1));
    CHECK_OK(ki_alloc(&c.text_ptr, 5, sizeof *c.text_ptr));
    memcpy(c.text, text, sizeof text);
    memcpy(c.text_ptr, ptr, sizeof ptr);
    d->item_attrs.n_rows = 4;
    CHECK_OK(ki_table_append(&d->item_attrs, &c));
}

static struct world open_world(void)
{
    struct world w = { 0 };
    CHECK_OK(kith_new(NULL, &w.k));
    CHECK_OK(kith_data_new(w.k, 10, users, items, values, NULL, &w.d));
    add_titles(w.d);
    CHECK_OK(kith_train(w.k, w.d, "popularity", NULL, 0, &w.m));
    return w;
}

static void close_world(struct world *w)
{
    kith_model_free(w->m);
    kith_data_free(w->d);
    kith_free(w->k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* "x z y": the ids of a list in order. */
static const char *ids(const kith_list *l)
{
    static char out[256];
    out[0] = '\0';
    for (int j = 0; j < l->n; j++) {
        if (j > 0) strcat(out, " ");
        strcat(out, l->items[j].item_id);
    }
    return out;
}

static kith_list *ask(const struct world *w, kith_query q)
{
    kith_list *l;
    CHECK_OK(kith_recommend(w->k, w->m, &q, &l));
    return l;
}

TEST(a_known_user_gets_what_was_not_seen)
{
    struct world w = open_world();
    kith_list *l = ask(&w, (kith_query){ .user = "ann" });
    CHECK_STR(ids(l), "y w");
    CHECK_STR(l->basis, "user");
    CHECK_STR(l->note, "");
    CHECK(l->items[0].title == NULL && l->items[0].reason == NULL);
    kith_list_free(l);
    l = ask(&w, (kith_query){ .user = "ann", .include_seen = 1, .n = 3 });
    CHECK_STR(ids(l), "x z y");
    CHECK_STR(l->items[0].title, "Ex (1990)");
    CHECK_NEAR(l->items[0].score, 4, 0); /* a count is exact */
    kith_list_free(l);
    l = ask(&w, (kith_query){ .user = "ann", .exclude = (const char *[]){ "y", "nonsense" }, .n_exclude = 2 });
    CHECK_STR(ids(l), "w");
    kith_list_free(l);
    close_world(&w);
}

TEST(the_list_outlives_the_model)
{
    struct world w = open_world();
    kith_list *l = ask(&w, (kith_query){ .user = "eve", .n = 1, .n_reasons = 3 });
    kith_model_free(w.m);
    w.m = NULL;
    CHECK_STR(ids(l), "x");
    CHECK_STR(l->items[0].reason, "rated by 4 people");
    kith_list_free(l);
    close_world(&w);
}

TEST(liked_items_are_a_history_and_unknown_ones_are_named)
{
    struct world w = open_world();
    const char *const liked[] = { "z", "nope", "x", "z", "n\xc3\xa4" };
    kith_list *l = ask(&w, (kith_query){ .liked = liked, .n_liked = 5 });
    CHECK_STR(l->basis, "liked");
    CHECK_STR(ids(l), "y w");
    CHECK(strstr(l->note, "\"nope\", \"n\xc3\xa4\"") != NULL);
    kith_list_free(l);
    l = ask(&w, (kith_query){ .liked = liked + 1, .n_liked = 1 });
    CHECK_STR(l->basis, "popular");
    CHECK(strstr(l->note, "none of the liked items (\"nope\")") != NULL);
    CHECK_STR(ids(l), "x z y w");
    kith_list_free(l);
    close_world(&w);
}

TEST(an_unknown_user_gets_popular_items_or_an_error)
{
    struct world w = open_world();
    kith_list *l = ask(&w, (kith_query){ .user = "zoe", .n = 2, .n_reasons = 1 });
    CHECK_STR(l->basis, "popular");
    CHECK_STR(ids(l), "x z");
    CHECK_STR(l->items[0].reason, "rated by 4 people");
    CHECK(strstr(l->note, "\"zoe\" is not known") != NULL);
    kith_list_free(l);
    l = ask(&w, (kith_query){ .n = 0, .n_reasons = 1 });
    CHECK_STR(l->basis, "popular");
    CHECK_STR(l->items[3].reason, "rated by 1 person");
    kith_list_free(l);
    const kith_query strict = { .user = "zoe", .on_unknown = KITH_UNKNOWN_ERROR };
    CHECK_FAILS(kith_recommend(w.k, w.m, &strict, &l), KITH_ENOTFOUND, "no user \"zoe\" among the 5");
    const kith_query nobody = { .on_unknown = KITH_UNKNOWN_ERROR };
    CHECK_FAILS(kith_recommend(w.k, w.m, &nobody, &l), KITH_ENOTFOUND, "neither a user");
    close_world(&w);
}

static const char *basis_of(const struct world *w, kith_query q)
{
    static char basis[16];
    kith_list *l = ask(w, q);
    snprintf(basis, sizeof basis, "%s", l->basis);
    kith_list_free(l);
    return basis;
}

TEST(an_empty_list_of_wishes_and_one_without_weight_are_no_wishes)
{
    static const char wishes[] = "[{\"want\": \"popularity > 1\"}]";
    struct world w = open_world();
    CHECK_STR(basis_of(&w, (kith_query){ .wishes = wishes }), "wishes");
    CHECK_STR(basis_of(&w, (kith_query){ .wishes = "[]" }), "popular");
    CHECK_STR(basis_of(&w, (kith_query){ .wishes = " [ ] " }), "popular");
    CHECK_STR(basis_of(&w, (kith_query){ .wishes = wishes, .pipeline = "{\"rank\": {\"wishes\": 0}}" }), "popular");
    kith_list *l = ask(&w, (kith_query){ .wishes = wishes, .pipeline = "{\"rank\": {\"wishes\": 0}}", .n_reasons = 1 });
    CHECK_INT(l->items[0].n_wishes, 0);
    kith_list_free(l);
    close_world(&w);
}

TEST(queries_that_make_no_sense_are_refused)
{
    struct world w = open_world();
    kith_list *l = NULL;
    const char *const liked[] = { "x", NULL };
    const float nan_value[] = { NAN };
    const struct {
        kith_query q;
        const char *words;
    } bad[] = {
        { { .user = "ann", .n = -1 }, "n is -1" },
        { { .user = "ann", .n = 2000000000 }, "want 1 to 1000000" },
        { { .user = "ann", .liked = liked, .n_liked = 1 }, "want one of them" },
        { { .liked = liked, .n_liked = 2 }, "id 1 is NULL" },
        { { .liked = NULL, .n_liked = 2 }, "the list is NULL" },
        { { .liked = liked, .n_liked = -2 }, "count of -2" },
        { { .liked = liked, .n_liked = 1, .liked_values = nan_value }, "not finite" },
        { { .user = "ann", .exclude = liked, .n_exclude = 2 }, "exclude: id 1 is NULL" },
        { { .user = "ann", .n_reasons = -1 }, "n_reasons is -1" },
    };
    for (size_t j = 0; j < KI_COUNT(bad); j++)
        CHECK_FAILS(kith_recommend(w.k, w.m, &bad[j].q, &l), KITH_EINVAL, bad[j].words);
    CHECK_FAILS(kith_recommend(NULL, w.m, &bad[0].q, &l), KITH_EINVAL, "must not be NULL");
    CHECK_FAILS(kith_similar(w.k, w.m, "q", 3, &l), KITH_ENOTFOUND, "no item \"q\" among the 4");
    CHECK_FAILS(kith_similar(w.k, w.m, "x", -3, &l), KITH_EINVAL, "n is -3");
    CHECK_FAILS(kith_similar(w.k, w.m, "x", 3, &l), KITH_EDATA, "no notion of similar");
    CHECK(l == NULL);
    close_world(&w);
}

TEST(predictions_are_clipped_and_fall_back_to_the_mean)
{
    struct world w = open_world();
    kith_prediction p;
    CHECK_OK(kith_predict(w.k, w.m, "ann", "y", &p));
    CHECK(p.is_rating && !p.is_fallback && !p.unknown_user && !p.unknown_item);
    CHECK_NEAR(p.value, (3 + 5 * 3.3) / 7, 1e-6); /* damped mean of 1 and 2; float of a double sum */
    CHECK_OK(kith_predict(w.k, w.m, "zoe", "y", &p));
    CHECK(p.is_fallback && p.unknown_user && !p.unknown_item);
    CHECK_NEAR(p.value, (3 + 5 * 3.3) / 7, 1e-6); /* nobody is known: the item's own damped mean */
    CHECK_OK(kith_predict(w.k, w.m, "ann", "nope", &p));
    CHECK(p.is_fallback && !p.unknown_user && p.unknown_item);
    CHECK_NEAR(p.value, 3.3, 1e-6); /* the mean of ten floats, summed in double */
    CHECK_OK(kith_predict(w.k, w.m, "zoe", "nope", &p));
    CHECK(p.is_fallback && p.unknown_user && p.unknown_item);
    CHECK_FAILS(kith_predict(w.k, w.m, NULL, "y", &p), KITH_EINVAL, "must not be NULL");
    close_world(&w);
}

TEST(a_batch_gives_the_same_lists_as_single_questions)
{
    struct world w = open_world();
    int32_t got[5 * 3], counts[5];
    float scores[5 * 3];
    CHECK_OK(kith_recommend_batch(w.k, w.m, NULL, 0, 3, got, scores, counts));
    for (int u = 0; u < 5; u++) {
        kith_list *l = ask(&w, (kith_query){ .user = kith_model_user_id(w.m, u), .n = 3 });
        CHECK_INT(counts[u], l->n);
        for (int j = 0; j < l->n; j++) {
            CHECK_STR(kith_model_item_id(w.m, got[u * 3 + j]), l->items[j].item_id);
            CHECK_NEAR(scores[u * 3 + j], l->items[j].score, 0); /* the same bits */
        }
        for (int j = l->n; j < 3; j++) CHECK(got[u * 3 + j] == -1 && isinf(scores[u * 3 + j]));
        kith_list_free(l);
    }
    const int32_t bad[] = { 1, 5 };
    CHECK_FAILS(kith_recommend_batch(w.k, w.m, bad, 2, 3, got, scores, counts), KITH_ENOTFOUND, "users[1] is 5");
    CHECK_FAILS(kith_recommend_batch(w.k, w.m, NULL, -1, 3, got, scores, counts), KITH_EINVAL, "-1 users");
    CHECK_FAILS(kith_recommend_batch(w.k, w.m, bad, 1, 0, got, scores, counts), KITH_EINVAL, "n is 0");
    close_world(&w);
}

TEST(test_rows_are_not_trained_on)
{
    struct world w = { 0 };
    uint8_t *test;
    CHECK_OK(kith_new(NULL, &w.k));
    CHECK_OK(kith_data_new(w.k, 10, users, items, values, NULL, &w.d));
    CHECK_OK(ki_alloc(&test, 10, 1));
    test[9] = 1; /* eve's only row, and w's */
    w.d->log.test = test;
    CHECK_OK(kith_train(w.k, w.d, "popularity", NULL, 0, &w.m));
    kith_list *l = ask(&w, (kith_query){ .user = "eve" });
    CHECK_STR(ids(l), "x z y"); /* w has no training user */
    CHECK_STR(l->basis, "popular");
    CHECK(strstr(l->note, "nothing in the training data") != NULL);
    kith_list_free(l);
    close_world(&w);
}

TEST(training_refuses_unknown_models_and_parameters)
{
    struct world w = open_world();
    kith_model *m = NULL;
    const kith_param unknown[] = { { "speed", "9" } }, range[] = { { "damping", "-1" } },
                     null[] = { { "damping", NULL } }, other[] = { { "bias.reg", "1" } };
    CHECK_FAILS(kith_train(w.k, w.d, "magic", NULL, 0, &m), KITH_ENOTFOUND, "popularity");
    CHECK_FAILS(kith_train(w.k, w.d, "popularity", unknown, 1, &m), KITH_EINVAL, "no parameter \"speed\"");
    CHECK_FAILS(kith_train(w.k, w.d, "popularity", other, 1, &m), KITH_EINVAL, "another model");
    CHECK_FAILS(kith_train(w.k, w.d, "popularity", range, 1, &m), KITH_EINVAL, "damping is -1");
    CHECK_FAILS(kith_train(w.k, w.d, "popularity", null, 1, &m), KITH_EINVAL, "parameter 0");
    CHECK_FAILS(kith_train(w.k, NULL, "popularity", NULL, 0, &m), KITH_EINVAL, "must not be NULL");
    CHECK(m == NULL);
    close_world(&w);
}

TEST(descriptions_are_json)
{
    char *text;
    CHECK_OK(kith_models_json("popularity", &text));
    CHECK(strstr(text, "\"half_life_days\"") != NULL);
    kith_string_free(text);
    CHECK_OK(kith_models_json(NULL, &text));
    CHECK(text[0] == '[');
    kith_string_free(text);
    CHECK_FAILS(kith_models_json("magic", &text), KITH_ENOTFOUND, "no model is called \"magic\"");
    CHECK_FAILS(kith_models_json("poplarity", &text), KITH_ENOTFOUND, "did you mean \"popularity\"?");
    CHECK_OK(kith_build_info(&text));
    CHECK(strstr(text, "\"kernels\"") != NULL && strstr(text, kith_version()) != NULL);
    kith_string_free(text);
    CHECK_INT(ki_alloc_live(), 0);
}
