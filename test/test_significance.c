/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "eval/significance.h"

enum { MOST = 400 };

struct sample { /* one metric of one model, one or two folds */
    double sum[2][MOST], weight[2][MOST];
    const double *sums[2], *weights[2];
};

static const ki_metric *metric(const char *name)
{
    static ki_plan plan; /* the table is constant, so its entry outlives the plan */
    CHECK_OK(ki_plan_parse(&plan, name, NULL));
    return plan.asked[0].metric;
}

static ki_values values_of(struct sample *s, const char *name, int n_folds, int64_t n)
{
    for (int f = 0; f < 2; f++) {
        s->sums[f] = s->sum[f];
        s->weights[f] = s->weight[f];
    }
    return (ki_values){ metric(name), s->sums, s->weights, n_folds, n };
}

static void fill(struct sample *s, const double *x, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        s->sum[0][j] = x[j];
        s->weight[0][j] = 1;
    }
}

TEST(the_mean_is_over_folds_of_fractions)
{
    struct sample s = { .sum = { { 1, 2 }, { 9, 0 } }, .weight = { { 1, 1 }, { 1, 0 } } };
    const ki_values v = values_of(&s, "recall@5", 2, 2);
    CHECK_NEAR(ki_values_mean(&v), (1.5 + 9) / 2, 1e-12);
    const ki_values root = values_of(&s, "rmse", 2, 2);
    CHECK_NEAR(ki_values_mean(&root), (sqrt(1.5) + 3) / 2, 1e-12);
}

TEST(an_interval_lies_between_order_statistics)
{
    double x[] = { 4, NAN, 0, 3, 1, 2 }, lo, hi;
    ki_interval(x, 6, 0.5, &lo, &hi); /* of 0 1 2 3 4: at 0.25 * 4 and 0.75 * 4 */
    CHECK_NEAR(lo, 1, 1e-12);
    CHECK_NEAR(hi, 3, 1e-12);
    double y[] = { 4, 0, 3, 1, 2 };
    ki_interval(y, 5, 0.95, &lo, &hi);
    CHECK_NEAR(lo, 0.1, 1e-12);
    CHECK_NEAR(hi, 3.9, 1e-12);
    double none[] = { NAN };
    ki_interval(none, 1, 0.95, &lo, &hi);
    CHECK(isnan(lo) && isnan(hi));
}

TEST(bootstrap_of_equal_users_has_no_width)
{
    struct sample s;
    double x[MOST], drawn[100], lo, hi;
    for (int j = 0; j < MOST; j++) x[j] = 0.25;
    fill(&s, x, MOST);
    const ki_values v = values_of(&s, "recall@5", 1, MOST);
    const ki_chance how = { NULL, 1, 100, NULL };
    CHECK_OK(ki_bootstrap(&v, 1, &how, drawn));
    ki_interval(drawn, 100, 0.95, &lo, &hi);
    CHECK_NEAR(lo, 0.25, 1e-12);
    CHECK_NEAR(hi, 0.25, 1e-12);
}

TEST(bootstrap_agrees_with_the_normal_interval)
{
    struct sample s;
    double x[MOST], drawn[4000], lo, hi, mean = 0, squares = 0;
    ki_rng rng = ki_rng_make(3, 0, 0);
    for (int j = 0; j < MOST; j++) mean += x[j] = 5 + 2 * ki_rng_normal(&rng);
    mean /= MOST;
    for (int j = 0; j < MOST; j++) squares += (x[j] - mean) * (x[j] - mean);
    const double error = sqrt(squares / MOST / MOST); /* standard error of the mean: about 0.1 */
    fill(&s, x, MOST);
    const ki_values v = values_of(&s, "recall@5", 1, MOST);
    const ki_chance how = { NULL, 1, 4000, NULL };
    CHECK_OK(ki_bootstrap(&v, 1, &how, drawn));
    ki_interval(drawn, 4000, 0.95, &lo, &hi);
    /* a 2.5% quantile of 4000 draws has a standard error of 0.042 of the spread; three of these */
    CHECK_NEAR(lo, mean - 1.96 * error, 0.13 * error);
    CHECK_NEAR(hi, mean + 1.96 * error, 0.13 * error);
}

TEST(bootstrap_does_not_depend_on_threads)
{
    struct sample s;
    double x[MOST], one[64], five[64];
    ki_rng rng = ki_rng_make(4, 0, 0);
    for (int j = 0; j < MOST; j++) x[j] = ki_rng_unit(&rng);
    fill(&s, x, MOST);
    const ki_values v = values_of(&s, "recall@5", 1, MOST);
    ki_pool *pool;
    CHECK_OK(ki_pool_new(5, &pool));
    CHECK_OK(ki_bootstrap(&v, 1, &(ki_chance){ NULL, 9, 64, NULL }, one));
    CHECK_OK(ki_bootstrap(&v, 1, &(ki_chance){ pool, 9, 64, NULL }, five));
    CHECK(memcmp(one, five, sizeof one) == 0);
    ki_pool_free(pool);
}

TEST(models_see_the_same_resamples)
{
    struct sample a, b;
    double x[MOST], y[MOST], drawn[2 * 50];
    ki_rng rng = ki_rng_make(5, 0, 0);
    for (int j = 0; j < MOST; j++) y[j] = 1 + (x[j] = ki_rng_unit(&rng));
    fill(&a, x, MOST);
    fill(&b, y, MOST);
    const ki_values v[] = { values_of(&a, "recall@5", 1, MOST), values_of(&b, "recall@5", 1, MOST) };
    CHECK_OK(ki_bootstrap(v, 2, &(ki_chance){ NULL, 1, 50, NULL }, drawn));
    for (int t = 0; t < 50; t++) CHECK_NEAR(drawn[50 + t] - drawn[t], 1, 1e-12);
}

static double flip_p(const double *x, const double *y, int64_t n, int flips)
{
    struct sample a, b;
    double p;
    fill(&a, x, n);
    fill(&b, y, n);
    const ki_values va = values_of(&a, "recall@5", 1, n), vb = values_of(&b, "recall@5", 1, n);
    CHECK_OK(ki_flip_test(&va, &vb, &(ki_chance){ NULL, 2, flips, NULL }, &p));
    return p;
}

TEST(flips_of_three_equal_gains_reach_one_in_four)
{
    /* All of 1 1 1 against 0 0 0: of the 8 ways to swap, none and all are as far apart: p = 1/4.
     * 9999 draws estimate it with standard error 0.0043; four of these. */
    const double x[] = { 1, 1, 1 }, y[] = { 0, 0, 0 };
    CHECK_NEAR(flip_p(x, y, 3, 9999), 0.25, 0.018);
}

TEST(flips_agree_with_the_exact_test_on_unequal_gains)
{
    /* Differences 1, 2, 3, -4 sum to 2.  Of the 16 sign patterns only 1 - 2 - 3 + 4 and its
     * mirror come to less (0). */
    const double x[] = { 1, 2, 3, 0 }, y[] = { 0, 0, 0, 4 };
    CHECK_NEAR(flip_p(x, y, 4, 9999), 14 / 16.0, 0.014);
}

TEST(flips_swap_weights_with_the_sums)
{
    /* Two users; a serves 2 and 2 places, b 2 and 0: a = 4/4 = 1 and b = 3/2, 0.5 apart.  Swapping
     * the first user gives 5/4 - 2/2 = 0.25, the second 2/2 - 5/4 = -0.25, both 0.5: of four ways
     * two are as far apart.  9999 draws: standard error 0.005; four of these. */
    struct sample a = { .sum = { { 2, 2 } }, .weight = { { 2, 2 } } };
    struct sample b = { .sum = { { 3, 0 } }, .weight = { { 2, 0 } } };
    const ki_values va = values_of(&a, "novelty@5", 1, 2), vb = values_of(&b, "novelty@5", 1, 2);
    double p;
    CHECK_OK(ki_flip_test(&va, &vb, &(ki_chance){ NULL, 2, 9999, NULL }, &p));
    CHECK_NEAR(p, 0.5, 0.02);
}

TEST(a_model_against_itself_has_p_of_one)
{
    const double x[] = { 0.5, 0.1, 0.9 };
    CHECK_NEAR(flip_p(x, x, 3, 99), 1, 0);
}

TEST(a_sure_gain_has_the_smallest_p_that_flips_can_show)
{
    double x[MOST], y[MOST];
    ki_rng rng = ki_rng_make(6, 0, 0);
    for (int j = 0; j < MOST; j++) x[j] = 0.5 + (y[j] = 0.01 * ki_rng_unit(&rng));
    CHECK_NEAR(flip_p(x, y, MOST, 999), 1 / 1000.0, 1e-12);
}

TEST(no_difference_is_found_in_noise_more_often_than_it_should)
{
    /* 200 comparisons of two equal models: p below 0.05 in 10 of them, standard deviation 3.1. */
    double x[60], y[60];
    int found = 0;
    ki_rng rng = ki_rng_make(8, 0, 0);
    for (int t = 0; t < 200; t++) {
        for (int j = 0; j < 60; j++) {
            x[j] = ki_rng_normal(&rng);
            y[j] = ki_rng_normal(&rng);
        }
        found += flip_p(x, y, 60, 199) <= 0.05;
    }
    CHECK(found >= 1 && found <= 22);
}

TEST(holm_multiplies_step_by_step_and_never_falls)
{
    double p[] = { 0.04, 0.01, 0.03, 0.005 }, big[] = { 0.9, 0.8 };
    CHECK_OK(ki_holm(p, 4));
    CHECK_NEAR(p[3], 0.02, 1e-12); /* 4 * 0.005 */
    CHECK_NEAR(p[1], 0.03, 1e-12); /* 3 * 0.01 */
    CHECK_NEAR(p[2], 0.06, 1e-12); /* 2 * 0.03 */
    CHECK_NEAR(p[0], 0.06, 1e-12); /* 0.04, lifted to the one before */
    CHECK_OK(ki_holm(big, 2));
    CHECK_NEAR(big[0], 1, 0);
    CHECK_NEAR(big[1], 1, 0);
}

TEST(a_cancel_stops_resamples_and_flips)
{
    struct sample a, b;
    double x[MOST], y[MOST], drawn[64], p;
    for (int j = 0; j < MOST; j++) y[j] = 1 + (x[j] = j);
    fill(&a, x, MOST);
    fill(&b, y, MOST);
    const ki_values u = values_of(&a, "recall@5", 1, MOST), v = values_of(&b, "recall@5", 1, MOST);
    ki_job job = { .pool = NULL };
    atomic_store(&job.cancel, 1);
    const ki_chance how = { NULL, 9, 64, &job };
    CHECK_FAILS(ki_bootstrap(&u, 1, &how, drawn), KITH_ECANCELED, "cancelled");
    CHECK_FAILS(ki_flip_test(&u, &v, &how, &p), KITH_ECANCELED, "cancelled");
}
