/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "eval/metrics.h"

/* All by hand: doubles of a handful of terms. */
static const double tiny = 1e-12;

/* A list of five of which places 1, 3 and 5 are hits (values 5, 3, 1); four items are relevant, so
 * one was missed (value 4). */
static const int32_t list[] = { 10, 11, 12, 13, 14 };
static const int32_t at[] = { 0, 2, 4 };
static const float value[] = { 5, 3, 1 };
static const float ideal[] = { 5, 4, 3, 1 };
static const ki_case five = {
    .list = list, .n_list = 5, .at = at, .value = value, .n_hits = 3, .ideal = ideal, .n_relevant = 4
};

static ki_half half_of(const char *name, const ki_case *c)
{
    ki_plan plan;
    CHECK_OK(ki_plan_parse(&plan, name, NULL));
    return plan.asked[0].metric->user(c, plan.asked[0].k);
}

static double value_of(const char *name, const ki_case *c)
{
    ki_plan plan;
    CHECK_OK(ki_plan_parse(&plan, name, NULL));
    const ki_half h = plan.asked[0].metric->user(c, plan.asked[0].k);
    return ki_metric_value(plan.asked[0].metric, h.sum, h.weight);
}

TEST(precision_divides_by_k_and_recall_by_the_relevant)
{
    CHECK_NEAR(value_of("precision@1", &five), 1, 0);
    CHECK_NEAR(value_of("precision@2", &five), 0.5, 0);
    CHECK_NEAR(value_of("precision@5", &five), 3 / 5.0, tiny);
    CHECK_NEAR(value_of("recall@5", &five), 3 / 4.0, tiny);
    CHECK_NEAR(value_of("recall@2", &five), 1 / 4.0, tiny);
    CHECK_NEAR(value_of("recall_capped@2", &five), 1 / 2.0, tiny);
    CHECK_NEAR(value_of("recall_capped@5", &five), 3 / 4.0, tiny);
    CHECK_NEAR(value_of("f1@5", &five), 2 * 0.6 * 0.75 / (0.6 + 0.75), tiny);
    CHECK_NEAR(value_of("hit_rate@1", &five), 1, 0);
}

TEST(a_short_list_is_not_rewarded)
{
    CHECK_NEAR(value_of("precision@10", &five), 3 / 10.0, tiny);
    CHECK_NEAR(value_of("map@10", &five), (1 + 2 / 3.0 + 3 / 5.0) / 4, tiny);
    CHECK_NEAR(value_of("recall@10", &five), 3 / 4.0, tiny);
}

TEST(map_divides_by_the_smaller_of_k_and_the_relevant)
{
    CHECK_NEAR(value_of("map@5", &five), (1 + 2 / 3.0 + 3 / 5.0) / 4, tiny);
    CHECK_NEAR(value_of("map@3", &five), (1 + 2 / 3.0) / 3, tiny);
    CHECK_NEAR(value_of("ap@3", &five), (1 + 2 / 3.0) / 3, tiny);
    CHECK_NEAR(value_of("map@1", &five), 1, tiny);
}

TEST(dcg_discounts_by_the_binary_logarithm_of_place_plus_one)
{
    const double got = 1 + 1 / log2(4) + 1 / log2(6);
    CHECK_NEAR(value_of("dcg@5", &five), got, tiny);
    CHECK_NEAR(value_of("ndcg@5", &five), got / (1 + 1 / log2(3) + 1 / log2(4) + 1 / log2(5)), tiny);
    /* more relevant items than places: the ideal is a full list of three, not of four */
    CHECK_NEAR(value_of("ndcg@3", &five), (1 + 0.5) / (1 + 1 / log2(3) + 0.5), tiny);
}

TEST(graded_ndcg_gains_two_to_the_value_minus_one)
{
    const double got = 31 + 7 / log2(4);
    const double best = 31 + 15 / log2(3) + 7 / log2(4);
    CHECK_NEAR(value_of("ndcg_graded@3", &five), got / best, tiny);
    CHECK_NEAR(value_of("ndcg_graded@5", &five), (got + 1 / log2(6)) / (best + 1 / log2(5)), tiny);
}

TEST(mrr_is_the_inverse_place_of_the_first_hit_within_k)
{
    const int32_t third[] = { 2 };
    ki_case late = five;
    late.at = third;
    late.n_hits = 1;
    CHECK_NEAR(value_of("mrr@5", &five), 1, 0);
    CHECK_NEAR(value_of("mrr@5", &late), 1 / 3.0, tiny);
    CHECK_NEAR(value_of("mrr@2", &late), 0, 0);
    CHECK_NEAR(value_of("hit_rate@2", &late), 0, 0);
}

TEST(an_empty_list_scores_zero_and_counts)
{
    static const char *const names[] = { "precision@5", "recall@5", "recall_capped@5", "f1@5", "hit_rate@5",
                                         "map@5",       "ndcg@5",   "ndcg_graded@5",   "mrr@5" };
    ki_case empty = five;
    empty.n_list = empty.n_hits = 0;
    for (size_t j = 0; j < KI_COUNT(names); j++) {
        const ki_half h = half_of(names[j], &empty);
        CHECK_NEAR(h.sum, 0, 0);
        CHECK_NEAR(h.weight, 1, 0);
    }
}

TEST(gauc_weighs_users_by_their_relevant_items)
{
    ki_case c = five;
    c.auc = 0.75;
    CHECK_NEAR(half_of("auc", &c).weight, 1, 0);
    CHECK_NEAR(half_of("gauc", &c).sum, 3, 0);
    CHECK_NEAR(half_of("gauc", &c).weight, 4, 0);
    c.auc = NAN;
    CHECK_NEAR(half_of("auc", &c).weight, 0, 0);
}

/* Estimates 6, 3, 0, 3 of ratings 5, 3, 2, 4 on a scale of 1 to 5. */
static const float truth[] = { 5, 3, 2, 4 };
static const float estimate[] = { 6, 3, 0, 3 };
static ki_rated room[8];
static const ki_case rated = { .truth = truth, .estimate = estimate, .n_rated = 4, .min = 1, .max = 5, .rated = room };

TEST(errors_are_of_clipped_estimates_unless_raw)
{
    CHECK_NEAR(value_of("rmse", &rated), sqrt((0 + 0 + 1 + 1) / 4.0), tiny);
    CHECK_NEAR(value_of("rmse_raw", &rated), sqrt((1 + 0 + 4 + 1) / 4.0), tiny);
    CHECK_NEAR(value_of("mae", &rated), 2 / 4.0, tiny);
    CHECK_NEAR(value_of("mae_raw", &rated), 4 / 4.0, tiny);
}

TEST(fcp_counts_pairs_in_the_right_order_and_ties_half)
{
    /* six pairs of different ratings; 3 and 4 are estimated alike; none is the wrong way round */
    CHECK_NEAR(half_of("fcp", &rated).weight, 6, 0);
    CHECK_NEAR(value_of("fcp", &rated), 5.5 / 6, tiny);
    const float same[] = { 3, 3, 3, 3 };
    ki_case flat = rated;
    flat.truth = same;
    CHECK_NEAR(half_of("fcp", &flat).weight, 0, 0);
}

/* Every pair asked one by one. */
static ki_half fcp_of_pairs(const float *t, const float *e, int n)
{
    ki_half h = { 0, 0 };
    for (int a = 0; a < n; a++) {
        for (int b = 0; b < n; b++) {
            if (!(t[a] > t[b])) continue;
            h.weight += 1;
            h.sum += e[a] > e[b] ? 1 : e[a] == e[b] ? 0.5 : 0;
        }
    }
    return h;
}

TEST(fcp_by_merging_is_fcp_by_pairs)
{
    enum { MOST = 40 };
    ki_rng rng = ki_rng_make(4, 0, 0);
    for (int round = 0; round < 300; round++) {
        const int n = (int)ki_rng_below(&rng, MOST + 1);
        float t[MOST], e[MOST];
        ki_rated two[2 * MOST];
        for (int j = 0; j < n; j++) { /* coarse, so that all kinds of ties occur */
            t[j] = (float)ki_rng_below(&rng, 5);
            e[j] = (float)ki_rng_below(&rng, 1 + (uint32_t)round);
        }
        const ki_case c = { .truth = t, .estimate = e, .n_rated = n, .rated = two };
        const ki_half got = half_of("fcp", &c), want = fcp_of_pairs(t, e, n);
        CHECK_NEAR(got.sum, want.sum, 0);
        CHECK_NEAR(got.weight, want.weight, 0);
    }
}

/* Items 0 to 3 with 8, 4, 3 and 1 training events, item 4 with none. */
static const int32_t count[] = { 8, 4, 3, 1, 0 };
static const uint8_t tail[] = { 0, 0, 0, 1, 0 };
static const ki_catalogue catalogue = { .n_items = 5, .n_servable = 4, .n_events = 16, .count = count, .tail = tail };

TEST(novelty_is_the_mean_self_information_of_served_places)
{
    const int32_t served[] = { 0, 3, 1 };
    const ki_case c = { .catalogue = &catalogue, .list = served, .n_list = 3 };
    CHECK_NEAR(value_of("novelty@2", &c), (1 + 4) / 2.0, tiny);
    CHECK_NEAR(value_of("novelty@10", &c), (1 + 4 + 2) / 3.0, tiny);
    CHECK_NEAR(half_of("novelty@10", &c).weight, 3, 0);
    CHECK_NEAR(value_of("long_tail_coverage@10", &c), 1 / 3.0, tiny);
    CHECK_NEAR(value_of("long_tail_coverage@1", &c), 0, 0);
}

TEST(popularity_bias_compares_the_list_with_the_history)
{
    const int32_t served[] = { 0, 1 }, history[] = { 2, 3 };
    const ki_case c = { .catalogue = &catalogue, .list = served, .n_list = 2, .history = history, .n_history = 2 };
    CHECK_NEAR(value_of("popularity_bias@2", &c), 6 / 2.0, tiny);
    CHECK_NEAR(value_of("popularity_bias@1", &c), 8 / 2.0, tiny);
}

static double exposure_of(const char *name, const int32_t *served, int64_t places)
{
    ki_plan plan;
    int32_t sorted[4];
    const ki_exposure e = { &catalogue, served, sorted };
    CHECK_OK(ki_plan_parse(&plan, name, NULL));
    return plan.asked[0].metric->exposure(&e, places);
}

TEST(exposure_is_over_items_that_could_be_served)
{
    const int32_t even[] = { 2, 2, 2, 2, 0 }, one[] = { 8, 0, 0, 0, 0 }, some[] = { 4, 2, 2, 0, 0 };
    CHECK_NEAR(exposure_of("catalog_coverage@5", even, 8), 1, 0);
    CHECK_NEAR(exposure_of("catalog_coverage@5", one, 8), 1 / 4.0, 0);
    CHECK_NEAR(exposure_of("gini@5", even, 8), 0, 0);
    CHECK_NEAR(exposure_of("gini@5", one, 8), 3 / 4.0, tiny); /* (n - 1) / n is the most */
    /* rising 0 2 2 4: (-3 * 0 - 1 * 2 + 1 * 2 + 3 * 4) / (4 * 8) */
    CHECK_NEAR(exposure_of("gini@5", some, 8), 12 / 32.0, tiny);
    CHECK_NEAR(exposure_of("entropy@5", even, 8), 2, tiny);
    CHECK_NEAR(exposure_of("entropy@5", one, 8), 0, 0);
    CHECK_NEAR(exposure_of("entropy@5", some, 8), 1.5, tiny);
}

TEST(a_plan_collects_cutoffs_once_and_rising)
{
    ki_plan p;
    CHECK_OK(ki_plan_parse(&p, "ndcg@20, recall@5,rmse,ndcg@20,gini@20,map@7", NULL));
    CHECK_INT(p.n, 5);
    CHECK_INT(p.n_cutoffs, 3);
    CHECK_INT(p.cutoffs[0], 5);
    CHECK_INT(p.cutoffs[2], 20);
    CHECK_INT(ki_plan_depth(&p), 20);
    CHECK_INT(p.asked[ki_plan_find(&p, "map@7")].band, 1);
    CHECK(ki_plan_wants(&p, KI_OF_RATINGS) && !ki_plan_wants(&p, KI_OF_SCORES));
    CHECK_INT(ki_plan_find(&p, "map@8"), -1);
}

TEST(a_plan_refuses_what_it_does_not_understand)
{
    ki_plan p;
    CHECK_FAILS(ki_plan_parse(&p, "recal@10", NULL), KITH_ENOTFOUND, "recall@k");
    CHECK_FAILS(ki_plan_parse(&p, "recall", NULL), KITH_EINVAL, "recall@10");
    CHECK_FAILS(ki_plan_parse(&p, "rmse@10", NULL), KITH_EINVAL, "no cut-off");
    CHECK_FAILS(ki_plan_parse(&p, "recall@0", NULL), KITH_EINVAL, "from 1 to");
    CHECK_FAILS(ki_plan_parse(&p, "recall@ten", NULL), KITH_EINVAL, "whole number");
    CHECK_FAILS(ki_plan_parse(&p, "recall@99999", NULL), KITH_EINVAL, "from 1 to");
    CHECK_FAILS(ki_plan_parse(&p, " , ", NULL), KITH_EINVAL, "no metric");
}
