/* SPDX-License-Identifier: MIT
 * test_hybrid.c -- blended scores against the parts' own scores, put together by hand
 */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/package.h"
#include "model/rank.h"

#include <stdlib.h>
#include <unistd.h>

enum { N = 900, USERS = 40, ITEMS = 30 };

static kith *k;
static kith_data *d;

static void begin(void)
{
    static char names[N][2][8];
    static const char *u[N], *i[N];
    ki_rng r = ki_rng_make(5, 0, 0);
    for (int t = 0; t < N; t++) {
        snprintf(names[t][0], 8, "u%d", t < USERS ? t : (int)(USERS * ki_rng_unit(&r) * ki_rng_unit(&r)));
        snprintf(names[t][1], 8, "i%d", t < ITEMS ? t : (int)(ITEMS * ki_rng_unit(&r) * ki_rng_unit(&r)));
        u[t] = names[t][0];
        i[t] = names[t][1];
    }
    CHECK_OK(kith_new(&(kith_options){ .seed = 3 }, &k));
    CHECK_OK(kith_data_new(k, N, u, i, NULL, NULL, &d));
}

static void finish(void)
{
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

static kith_model *train(const char *name, const char *strategy, const char *more, const char *value)
{
    const kith_param params[] = { { "parts", "popularity,item-knn" }, { "strategy", strategy }, { more, value } };
    kith_model *m;
    if (strcmp(name, "hybrid") == 0)
        CHECK_OK(kith_train(k, d, name, params, more != NULL ? 3 : 2, &m));
    else
        CHECK_OK(kith_train(k, d, name, NULL, 0, &m));
    return m;
}

/* Scores of the whole catalogue, nothing skipped. */
static void scores(const kith_model *m, int32_t u, float *out)
{
    ki_ranker *r;
    ki_query q = ki_query_user(&m->core, u);
    q.n_skip = 0;
    CHECK_OK(ki_ranker_new(&m->core, 1, 1, &r));
    CHECK_OK(ki_ranker_scores(r, &q, out));
    ki_ranker_free(r);
}

static void parts(int32_t u, float *popular, float *knn)
{
    kith_model *p = train("popularity", NULL, NULL, NULL), *i = train("item-knn", NULL, NULL, NULL);
    scores(p, u, popular);
    scores(i, u, knn);
    kith_model_free(p);
    kith_model_free(i);
}

static void standardise(float *x)
{
    double mean = 0, var = 0;
    for (int i = 0; i < ITEMS; i++) mean += (double)x[i] / ITEMS;
    for (int i = 0; i < ITEMS; i++) var += ((double)x[i] - mean) * ((double)x[i] - mean) / ITEMS;
    for (int i = 0; i < ITEMS; i++) x[i] = (float)(((double)x[i] - mean) / sqrt(var));
}

/* How many of x are above x[i], ties before it counted. */
static int place(const float *x, int i)
{
    int n = 0;
    for (int j = 0; j < ITEMS; j++) n += x[j] > x[i] || (x[j] == x[i] && j < i);
    return n;
}

TEST(weighted_adds_standard_scores_by_their_weights)
{
    begin();
    float popular[ITEMS], knn[ITEMS], got[ITEMS];
    kith_model *m = train("hybrid", "weighted", "weight", "0.25");
    parts(1, popular, knn);
    standardise(popular);
    standardise(knn);
    scores(m, 1, got);
    for (int i = 0; i < ITEMS; i++)
        CHECK_NEAR(got[i], .25 * (double)popular[i] + .75 * (double)knn[i],
                   1e-5); /* float roundings of scores near 1 */
    kith_model_free(m);
    finish();
}

TEST(rank_fusion_adds_reciprocal_ranks)
{
    begin();
    float popular[ITEMS], knn[ITEMS], got[ITEMS];
    kith_model *m = train("hybrid", "weighted", "normalize", "rank");
    parts(2, popular, knn);
    scores(m, 2, got);
    for (int i = 0; i < ITEMS; i++)
        CHECK_NEAR(got[i], .5 / (61 + place(popular, i)) + .5 / (61 + place(knn, i)), 1e-7); /* two roundings of 1/60 */
    kith_model_free(m);
    finish();
}

TEST(switching_serves_long_histories_by_the_first_part_and_short_ones_by_the_second)
{
    begin();
    float popular[ITEMS], knn[ITEMS], got[ITEMS];
    kith_model *m = train("hybrid", "switching", "min_history", "10");
    int seen[2] = { 0, 0 };
    for (int u = 0; u < USERS; u++) {
        const int long_enough = ki_query_user(&m->core, u).n >= 10;
        parts(u, popular, knn);
        scores(m, u, got);
        for (int i = 0; i < ITEMS; i++) CHECK(got[i] == (long_enough ? popular : knn)[i]);
        seen[long_enough]++;
    }
    CHECK(seen[0] > 0 && seen[1] > 0);
    kith_model_free(m);
    finish();
}

TEST(mixed_deals_the_lists_out_in_turn)
{
    begin();
    float popular[ITEMS], knn[ITEMS], got[ITEMS];
    kith_model *m = train("hybrid", "mixed", NULL, NULL);
    parts(3, popular, knn);
    scores(m, 3, got);
    /* the best of the first part leads; then the second's best, unless that is the same item */
    int first = -1, second = -1;
    for (int i = 0; i < ITEMS; i++) {
        if (place(popular, i) == 0) first = i;
        if (place(knn, i) == 0) second = i;
    }
    CHECK_INT(place(got, first), 0);
    CHECK_INT(place(got, second), first == second ? 0 : 1);
    for (int a = 0; a < ITEMS; a++) /* nobody stands behind an item that both parts like less */
        for (int b = 0; b < ITEMS; b++)
            if (place(popular, a) < place(popular, b) && place(knn, a) < place(knn, b))
                CHECK(place(got, a) < place(got, b));
    kith_model_free(m);
    finish();
}

TEST(cascade_orders_the_first_parts_best_by_the_last)
{
    begin();
    float popular[ITEMS], knn[ITEMS], got[ITEMS];
    kith_model *m = train("hybrid", "cascade", "depth", "8");
    parts(4, popular, knn);
    scores(m, 4, got);
    for (int a = 0; a < ITEMS; a++)
        for (int b = 0; b < ITEMS; b++) {
            const int a_in = place(popular, a) < 8, b_in = place(popular, b) < 8;
            if (a_in && !b_in) CHECK(got[a] > got[b]);
            if (a_in && b_in && knn[a] > knn[b]) CHECK(got[a] > got[b]);
            if (!a_in && !b_in && popular[a] > popular[b]) CHECK(got[a] > got[b]);
        }
    kith_model_free(m);
    finish();
}

TEST(terms_of_a_weighted_sum_add_up_to_it)
{
    begin();
    const kith_param params[] = { { "parts", "ials,item-knn" },
                                  { "options", "ials.n_factors=4 item-knn.k=5" },
                                  { "weight", "0.7" },
                                  { "normalize", "none" } };
    kith_model *m;
    float got[ITEMS];
    ki_ranker *r;
    CHECK_OK(kith_train(k, d, "hybrid", params, 4, &m));
    const ki_query q = ki_query_user(&m->core, 0);
    ki_term *terms = calloc((size_t)q.n, sizeof *terms);
    scores(m, 0, got);
    CHECK_OK(ki_ranker_new(&m->core, 1, 1, &r));
    for (int i = 0; i < ITEMS; i++) {
        int n;
        double sum = 0;
        CHECK_OK(ki_ranker_explain(r, &q, i, terms, &n));
        for (int t = 0; t < n; t++) sum += (double)terms[t].part;
        CHECK_NEAR(sum, got[i], 2e-3); /* ials explains by the exact solve, its user vector is three CG steps away */
    }
    free(terms);
    ki_ranker_free(r);
    kith_model_free(m);
    finish();
}

/* ---- who is only described, and what nobody has ---- */

/* Titles: i0 is about robots; the last item, which nobody has, too. */
static void add_titles(void)
{
    static char titles[ITEMS + 1][24];
    const char *cells[ITEMS + 1];
    int32_t at;
    ki_column c;
    for (int j = 0; j < ITEMS; j++) {
        snprintf(titles[j], sizeof titles[j], j == 0 ? "robots of old" : "garden number%d", j);
        cells[j] = titles[j];
    }
    cells[ITEMS] = "robots again";
    CHECK_OK(ki_idmap_add(&d->items, "new", 3, &at));
    d->item_attrs.n_rows = ITEMS + 1;
    CHECK_OK(ki_column_from_strings(&c, "title", ITEMS + 1, cells, KI_COL_TEXT, 0));
    CHECK_OK(ki_table_append(&d->item_attrs, &c));
}

static const char *const strategies[] = { "weighted", "switching", "mixed", "cascade" };

static int n_strategies(void)
{
    return (int)KI_COUNT(strategies);
}

/* The part that knows the user's history alone is silent, whatever its place among the parts. */
TEST_EACH(somebody_described_is_served_by_the_part_that_reads, n_strategies)
{
    begin();
    add_titles();
    const char *const orders[] = { "ials,content", "content,ials", "popularity,content,ials" };
    for (size_t o = 0; o < KI_COUNT(orders); o++) {
        const kith_param params[] = { { "parts", orders[o] }, { "strategy", strategies[loop_index] } };
        kith_model *m;
        kith_list *l;
        CHECK_OK(kith_train(k, d, "hybrid", params, 2, &m));
        CHECK_OK(kith_recommend(k, m, &(kith_query){ .text = "robots", .n = 2, .n_reasons = 3 }, &l));
        CHECK_STR(l->basis, "text");
        CHECK_INT(l->n, 2);
        for (int j = 0; j < 2; j++) {
            const int is_new = strcmp(l->items[j].item_id, "new") == 0;
            CHECK(is_new || strcmp(l->items[j].item_id, "i0") == 0);
            CHECK_STR(l->items[j].reason, is_new ? "because of robots (new: nobody has it yet)" : "because of robots");
        }
        kith_list_free(l);
        kith_model_free(m);
    }
    finish();
}

TEST(a_hybrid_without_a_part_that_reads_refuses_texts)
{
    begin();
    kith_model *m = train("hybrid", "weighted", NULL, NULL);
    kith_list *l = NULL;
    CHECK_FAILS(kith_recommend(k, m, &(kith_query){ .text = "robots" }, &l), KITH_EINVAL, "reads no texts");
    kith_model_free(m);
    finish();
}

TEST(a_saved_hybrid_comes_back_with_its_parts)
{
    begin();
    char path[64];
    kith_model *m = train("hybrid", "mixed", "options", "item-knn.k=3"), *again;
    float before[ITEMS], after[ITEMS];
    snprintf(path, sizeof path, "/tmp/kith-test-hybrid-%d", (int)getpid());
    CHECK_OK(kith_model_save(k, m, path));
    CHECK_OK(kith_model_load(k, path, &again));
    for (int u = 0; u < USERS; u++) {
        scores(m, u, before);
        scores(again, u, after);
        CHECK(memcmp(before, after, sizeof before) == 0);
    }
    remove(path);
    kith_model_free(m);
    kith_model_free(again);
    finish();
}

static void refused(const char *parts_named, const char *options, kith_err err, const char *words)
{
    const kith_param params[] = { { "parts", parts_named }, { "options", options } };
    kith_model *m = NULL;
    CHECK_FAILS(kith_train(k, d, "hybrid", params, 2, &m), err, words);
    CHECK(m == NULL);
}

TEST(parts_that_make_no_sense_are_refused)
{
    begin();
    refused("ials", "", KITH_EINVAL, "names one model");
    refused("ials,ials", "", KITH_EINVAL, "named twice");
    refused("ials,hybrid", "", KITH_EINVAL, "cannot be a hybrid");
    refused("ials,nonsense", "", KITH_ENOTFOUND, "nonsense");
    refused("ials,item-knn,svd,bias,popularity", "", KITH_EINVAL, "more than 4");
    refused("ials,item-knn", "svd.n_factors=3", KITH_EINVAL, "speaks to none");
    refused("ials,item-knn", "n_factors=3", KITH_EINVAL, "want model.parameter=value");
    refused("ials,item-knn", "ials.n_factors=0", KITH_EINVAL, "n_factors is 0");
    refused("ials,item-knn", "ials.speed=1", KITH_EINVAL, "no parameter \"speed\"");
    finish();
}
