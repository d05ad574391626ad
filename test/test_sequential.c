/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/rng.h"
#include "eval/sequential.h"

static ki_arm arm(int64_t n, double mean, double variance)
{
    return (ki_arm){ .n = n, .mean = mean, .m2 = variance * (double)(n - 1) };
}

TEST(an_arm_keeps_mean_and_variance)
{
    ki_arm a = { 0 };
    const double x[] = { 2, 4, 4, 4, 5, 5, 7, 9 };
    for (int j = 0; j < 8; j++) ki_arm_add(&a, x[j]);
    CHECK_NEAR(a.mean, 5, 1e-12);
    CHECK_NEAR(ki_arm_variance(&a), 32.0 / 7, 1e-12);
}

/* Worked out apart from this code: rho^2 = (5.99146 + log 5.99146 + 1) / 1000, t = 1000, s^2 = .16/.5 + .09/.5. */
TEST(an_interval_computed_by_hand)
{
    const ki_arm control = arm(500, .1, .09), treatment = arm(500, .2, .16);
    const ki_compared c = ki_compare(&control, &treatment, .5, .05, 1000);
    const double l = 5.991464547107982, rho2 = (l + 1.790336195882 + 1) / 1000, r = 1000 * rho2 + 1;
    const double half = sqrt(2 * r / (1e6 * rho2) * log(sqrt(r) / .05) * .5);
    CHECK_NEAR(c.difference, .1, 1e-12);
    CHECK_NEAR(c.hi - c.difference, half, 1e-9);
    CHECK_NEAR(c.difference - c.lo, half, 1e-9);
    CHECK_NEAR(c.p, sqrt(r) * exp(-.01 / .5 * 1e6 * rho2 / (2 * r)), 1e-9);
    CHECK_NEAR(c.lift, 1, 1e-12);
    CHECK(c.lift_lo > 0 && c.lift_lo < 1 && c.lift_hi > 1); /* the interval of the difference leaves out 0 */
}

/* The ends of the lift are where the interval of mean_1 - c mean_0 touches 0. */
TEST(the_lift_inverts_the_interval)
{
    const ki_arm control = arm(4000, .3, .21), treatment = arm(2000, .36, .2304);
    const ki_compared c = ki_compare(&control, &treatment, 1.0 / 3, .05, 0);
    const double ends[] = { c.lift_lo, c.lift_hi };
    for (int j = 0; j < 2; j++) {
        ki_arm scaled = control;
        scaled.mean *= 1 + ends[j];
        scaled.m2 *= (1 + ends[j]) * (1 + ends[j]);
        const ki_compared at = ki_compare(&scaled, &treatment, 1.0 / 3, .05, 0);
        CHECK_NEAR(j == 0 ? at.lo : at.hi, 0, 1e-9);
    }
}

TEST(nothing_is_claimed_without_units_or_variation)
{
    const ki_arm none = { 0 }, one = arm(1, 1, 0), same = arm(100, 1, 0), zero = arm(100, 0, 0);
    CHECK(isinf(ki_compare(&none, &same, .5, .05, 0).hi));
    CHECK_NEAR(ki_compare(&one, &same, .5, .05, 0).p, 1, 0);
    CHECK(isinf(ki_compare(&same, &same, .5, .05, 0).lo));
    CHECK(isinf(ki_compare(&same, &same, .5, .05, 0).lift_hi)); /* nor is anything known of a ratio */
    CHECK(isnan(ki_compare(&zero, &same, .5, .05, 0).lift));
}

/* Look after every user of a null experiment: how often does one ever claim a difference?  `naive` is the usual
 * two-sided z test at the same level. */
static int ever_refused(uint64_t seed, int users, int *naive)
{
    ki_arm arms[2] = { { 0 } };
    ki_rng r = ki_rng_make(seed, 7, 0);
    int refused = 0;
    *naive = 0;
    for (int u = 0; u < users; u++) {
        ki_arm_add(&arms[ki_rng_below(&r, 2)], ki_rng_unit(&r) < .2);
        if (u < 100) continue;
        const ki_compared c = ki_compare(&arms[0], &arms[1], .5, .05, 0);
        const double z = fabs(c.difference) / sqrt(ki_arm_variance(&arms[0]) / (double)arms[0].n +
                                                   ki_arm_variance(&arms[1]) / (double)arms[1].n);
        refused |= c.lo > 0 || c.hi < 0;
        *naive |= z > 1.96;
    }
    return refused;
}

TEST(looking_all_the_time_does_not_make_false_claims)
{
    enum { RUNS = 400 };
    int refused = 0, naive = 0;
    for (int j = 0; j < RUNS; j++) {
        int n;
        refused += ever_refused(1000 + (uint64_t)j, 4000, &n);
        naive += n;
    }
    CHECK(refused <= .05 * RUNS); /* the guarantee; in expectation it is well below: 4000 users are not for ever */
    CHECK(naive > .25 * RUNS);    /* what it saves from */
}

TEST(a_real_difference_is_found_and_covered)
{
    enum { RUNS = 200 };
    int found = 0, covered = 0, lift_covered = 0;
    for (int j = 0; j < RUNS; j++) {
        ki_arm arms[2] = { { 0 } };
        ki_rng r = ki_rng_make((uint64_t)j, 8, 0);
        ki_compared c = { 0 };
        int all = 1, all_lifts = 1;
        for (int u = 0; u < 6000; u++) {
            const int treated = ki_rng_unit(&r) < .25; /* an uneven design */
            ki_arm_add(&arms[treated], ki_rng_unit(&r) < (treated ? .27 : .2));
            if (u < 400) continue; /* the guarantee is of large numbers: 100 treated users are few */
            c = ki_compare(&arms[0], &arms[1], .25, .05, 0);
            all &= c.lo <= .07 && .07 <= c.hi;
            all_lifts &= c.lift_lo <= .35 && .35 <= c.lift_hi;
        }
        found += c.lo > 0 && c.p < .05;
        covered += all;
        lift_covered += all_lifts;
    }
    CHECK(covered >= .92 * RUNS); /* .95 at all of 5600 looks at once, less two standard errors of 200 runs */
    CHECK(lift_covered >= .92 * RUNS);
    CHECK(found >= .9 * RUNS); /* .98 in 1500 runs of another program */
}

TEST(a_broken_split_is_told_from_an_even_one)
{
    const double even[] = { 1, 1 }, uneven[] = { 8, 1, 1 };
    const int64_t fine[] = { 5050, 4950 }, broken[] = { 5200, 4800 }, three[] = { 8000, 1000, 1000 };
    CHECK_NEAR(ki_sample_ratio_p(fine, even, 2), 1, 0);
    CHECK_NEAR(ki_sample_ratio_p(broken, even, 2), .003647864278633264, 1e-9); /* by lgamma in another program */
    CHECK_NEAR(ki_sample_ratio_p(three, uneven, 3), 1, 0);
    const int64_t none[] = { 0, 0 };
    CHECK_NEAR(ki_sample_ratio_p(none, even, 2), 1, 0);
}
