/* SPDX-License-Identifier: MIT
 * friends: six people worked by hand, both ways of reading a list, and who is never suggested.
 */
#include "fitted.h"

#include "model/package.h"

/* ann - bob, ann - cat, bob - dan, cat - dan, cat - eve, dan - fay.  Each friendship once; fay is never a user. */
static const char *const users[] = { "ann", "ann", "bob", "dan", "eve", "dan" };
static const char *const items[] = { "bob", "cat", "dan", "cat", "cat", "fay" };
static const struct fitted_rows once = { 6, users, items, NULL };

/* Each in both directions. */
static const char *const users_2[] = { "ann", "ann", "bob", "cat", "cat", "dan",
                                       "bob", "cat", "dan", "dan", "eve", "fay" };
static const char *const items_2[] = { "bob", "cat", "dan", "dan", "eve", "fay",
                                       "ann", "ann", "bob", "cat", "cat", "dan" };
static const struct fitted_rows twice = { 12, users_2, items_2, NULL };

static void fit_by(struct fitted *f, const struct fitted_rows *rows, const char *method, const char *directed)
{
    const kith_param given[] = { { "method", method }, { "directed", directed }, { "epsilon", "1e-9" } };
    CHECK_OK(fit_rows(f, "friends", 1, rows, given, 3));
}

static double score_of(const struct fitted *f, const char *user, const char *item)
{
    float score[8];
    const ki_query q = ki_query_user(&f->m, user_of(f, user));
    score_query(&f->m, &q, score);
    return (double)score[item_of(f, item)];
}

static const double close = 1e-6; /* a few float roundings */

TEST(common_friends_count_by_each_measure)
{
    /* ann and dan share bob (of 2 friends) and cat (of 3); ann and eve share cat; degrees of dan 3, of eve 1 */
    struct fitted f;
    fit_by(&f, &twice, "common-neighbors", "0");
    CHECK_NEAR(score_of(&f, "ann", "dan"), 2, close);
    CHECK_NEAR(score_of(&f, "ann", "eve"), 1, close);
    CHECK(score_of(&f, "ann", "fay") == 0);
    clear_fitted(&f);
    fit_by(&f, &twice, "adamic-adar", "0");
    CHECK_NEAR(score_of(&f, "ann", "dan"), 1 / log(2) + 1 / log(3), close);
    clear_fitted(&f);
    fit_by(&f, &twice, "resource-allocation", "0");
    CHECK_NEAR(score_of(&f, "ann", "dan"), 1.0 / 2 + 1.0 / 3, close);
    clear_fitted(&f);
    fit_by(&f, &twice, "jaccard", "0");
    CHECK_NEAR(score_of(&f, "ann", "dan"), 2.0 / 3, close); /* {bob, cat} of {bob, cat, fay} */
    CHECK_NEAR(score_of(&f, "ann", "eve"), 1.0 / 2, close);
    clear_fitted(&f);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_friendship_listed_once_counts_as_one_listed_twice)
{
    const char *const methods[] = { "common-neighbors", "adamic-adar", "jaccard", "pagerank" };
    struct fitted f, g;
    for (int j = 0; j < 4; j++) {
        fit_by(&f, &once, methods[j], "0");
        fit_by(&g, &twice, methods[j], "0");
        CHECK_NEAR(score_of(&f, "ann", "dan"), score_of(&g, "ann", "dan"), close);
        CHECK_NEAR(score_of(&f, "bob", "cat"), score_of(&g, "bob", "cat"), close);
        clear_fitted(&f);
        clear_fitted(&g);
    }
}

TEST(directed_links_lead_from_user_to_item_only)
{
    /* bob follows dan, who follows cat and fay.  dan has 1 + 2 links */
    struct fitted f;
    fit_by(&f, &once, "adamic-adar", "1");
    CHECK_NEAR(score_of(&f, "bob", "cat"), 1 / log(3), close);
    CHECK_NEAR(score_of(&f, "bob", "fay"), 1 / log(3), close);
    CHECK(score_of(&f, "eve", "dan") == 0); /* cat follows nobody */
    clear_fitted(&f);
    fit_by(&f, &once, "jaccard", "1");
    CHECK_NEAR(score_of(&f, "bob", "cat"), 1.0 / 3, close); /* {dan} of {dan} and cat's {ann, dan, eve} */
    clear_fitted(&f);
}

TEST(neither_oneself_nor_a_friend_is_ever_suggested)
{
    const char *const methods[] = { "common-neighbors", "pagerank" };
    for (int j = 0; j < 2; j++) {
        struct fitted f;
        ki_ranker *r;
        int32_t got[8], n;
        float scores[8];
        fit_by(&f, &once, methods[j], "0");
        CHECK_OK(ki_ranker_new(&f.m, 8, 1, &r));
        ki_query q = ki_query_user(&f.m, user_of(&f, "dan")); /* cat and fay listed; bob lists dan */
        q.n_skip = 0;                                         /* not even when nobody says so */
        CHECK_OK(ki_ranker_run(r, &q, 1, got, scores, &n));
        CHECK_INT(n, 0); /* all whom rows name: bob, cat, fay are friends, dan is dan */
        ki_ranker_free(r);
        clear_fitted(&f);
    }
}

TEST(reasons_are_the_common_friends)
{
    struct fitted f;
    ki_ranker *r;
    ki_term terms[8];
    int n;
    fit_by(&f, &twice, "resource-allocation", "0");
    CHECK_OK(ki_ranker_new(&f.m, 1, 1, &r));
    const ki_query q = ki_query_user(&f.m, user_of(&f, "ann"));
    CHECK_OK(ki_ranker_explain(r, &q, item_of(&f, "dan"), terms, &n));
    CHECK_INT(n, 2);
    CHECK_INT(terms[0].item, item_of(&f, "bob"));
    CHECK_NEAR((double)terms[0].part, 1.0 / 2, close);
    CHECK_INT(terms[1].item, item_of(&f, "cat"));
    CHECK_NEAR((double)terms[1].part, 1.0 / 3, close);
    CHECK_OK(ki_ranker_explain(r, &q, item_of(&f, "eve"), terms, &n));
    CHECK_INT(n, 1); /* cat alone */
    ki_ranker_free(r);
    clear_fitted(&f);
}

TEST(shares_of_every_method_add_up_to_the_score)
{
    const char *const methods[] = { "common-neighbors", "adamic-adar", "resource-allocation", "jaccard", "pagerank" };
    for (int j = 0; j < 5; j++) {
        struct fitted f;
        ki_ranker *r;
        ki_term terms[8];
        fit_by(&f, &twice, methods[j], "0");
        CHECK_OK(ki_ranker_new(&f.m, 1, 1, &r));
        const ki_query q = ki_query_user(&f.m, user_of(&f, "ann"));
        for (int who = 0; who < 2; who++) {
            const char *const suggested = who == 0 ? "dan" : "eve";
            double sum = 0;
            int n;
            CHECK_OK(ki_ranker_explain(r, &q, item_of(&f, suggested), terms, &n));
            for (int t = 0; t < n; t++) sum += (double)terms[t].part;
            CHECK_NEAR(sum, score_of(&f, "ann", suggested), close);
        }
        ki_ranker_free(r);
        clear_fitted(&f);
    }
}

TEST(somebody_who_is_linked_to_themselves_gains_nothing)
{
    const char *const u[] = { "ann", "ann", "bob" }, *const i[] = { "ann", "bob", "cat" };
    struct fitted f;
    fit_by(&f, &(struct fitted_rows){ 3, u, i, NULL }, "common-neighbors", "0");
    CHECK_NEAR(score_of(&f, "ann", "cat"), 1, close);
    CHECK(isinf(score_of(&f, "ann", "ann")));
    clear_fitted(&f);
}

TEST(users_and_items_that_are_not_the_same_people_are_refused)
{
    const char *const u[] = { "ann", "bob" }, *const i[] = { "milk", "bread" };
    struct fitted f;
    CHECK_FAILS(fit_rows(&f, "friends", 1, &(struct fitted_rows){ 2, u, i, NULL }, NULL, 0), KITH_EDATA,
                "rows of two people");
    clear_fitted(&f);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_suggestion_names_the_common_friends)
{
    kith *k;
    kith_data *d;
    kith_model *m;
    kith_list *l;
    const kith_param method = { "method", "resource-allocation" };
    CHECK_OK(kith_new(NULL, &k));
    CHECK_OK(kith_data_new(k, twice.n, users_2, items_2, NULL, NULL, &d));
    CHECK_OK(kith_train(k, d, "friends", &method, 1, &m));
    CHECK_OK(kith_recommend(k, m, &(kith_query){ .user = "ann", .n = 1, .n_reasons = 3 }, &l));
    CHECK_INT(l->n, 1);
    CHECK_STR(l->items[0].item_id, "dan");
    CHECK_STR(l->items[0].reason, "because you know bob and cat");
    kith_list_free(l);
    kith_model_free(m);
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- forgetting ---- */

static kith_model *trained(kith *k, const struct fitted_rows *rows, const char *without, const char *method,
                           const char *directed)
{
    const kith_param given[] = { { "method", method }, { "directed", directed }, { "epsilon", "1e-9" } };
    const char *u[12], *i[12];
    kith_data *d;
    kith_model *m;
    int n = 0;
    for (int j = 0; j < (int)rows->n; j++) {
        if (without != NULL && strcmp(rows->users[j], without) == 0) continue;
        u[n] = rows->users[j];
        i[n++] = rows->items[j];
    }
    CHECK_OK(kith_data_new(k, (size_t)n, u, i, NULL, NULL, &d));
    CHECK_OK(kith_train(k, d, "friends", given, 3, &m));
    kith_data_free(d);
    return m;
}

static void same_lists(kith *k, const kith_model *a, const kith_model *b, const char *user)
{
    kith_list *x, *y;
    CHECK_OK(kith_recommend(k, a, &(kith_query){ .user = user, .n = 8 }, &x));
    CHECK_OK(kith_recommend(k, b, &(kith_query){ .user = user, .n = 8 }, &y));
    int both = 0; /* an item that only the forgotten one has named is there still; ties may stand in another order */
    for (int j = 0; j < x->n; j++)
        for (int l = 0; l < y->n; l++) {
            if (strcmp(x->items[j].item_id, y->items[l].item_id) != 0) continue;
            CHECK_NEAR(x->items[j].score, y->items[l].score, close);
            both++;
        }
    CHECK_INT(both, y->n);
    kith_list_free(x);
    kith_list_free(y);
}

/* As if the person had never said anything: what others say of them stays. */
TEST(who_is_forgotten_leaves_what_others_have_said)
{
    static const char *const methods[] = { "adamic-adar", "jaccard", "pagerank" };
    static const char *const gone[] = { "bob", "dan", "eve" };
    kith *k;
    CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &k));
    for (int j = 0; j < 3 * 3 * 4; j++) {
        const struct fitted_rows *rows = j / 9 % 2 ? &once : &twice;
        const char *method = methods[j % 3], *who = gone[j / 3 % 3], *directed = j / 18 ? "1" : "0";
        if (rows == &once && strcmp(who, "bob") == 0) continue; /* without his rows no user is an item */
        kith_model *m = trained(k, rows, NULL, method, directed), *want = trained(k, rows, who, method, directed);
        CHECK_OK(ki_package_forget_user(m, kith_model_find_user(m, who)));
        CHECK_OK(m->core.desc->form->check(&m->core)); /* as after loading */
        for (int u = 0; u < (int)rows->n; u++)
            if (strcmp(rows->users[u], who) != 0) same_lists(k, m, want, rows->users[u]);
        kith_model_free(m);
        kith_model_free(want);
    }
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}
