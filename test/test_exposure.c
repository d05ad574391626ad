/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "eval/exposure.h"

enum { N_USERS = 30, N_ITEMS = 12, DEPTH = 3, N_RESAMPLES = 20 };

/* Lists of up to three items; the last user has none, nobody is served the last item. */
struct made {
    int32_t lists[N_USERS * DEPTH], count[N_ITEMS];
    ki_catalogue catalogue;
    ki_measured r;
    ki_plan plan;
};

static void make(struct made *m)
{
    ki_rng rng = ki_rng_make(2, 0, 0);
    for (int i = 0; i < N_ITEMS; i++) m->count[i] = 1;
    for (int u = 0; u < N_USERS; u++)
        for (int j = 0; j < DEPTH; j++)
            m->lists[u * DEPTH + j] =
                u == N_USERS - 1 || j > u % 4 ? -1 : j * 4 + (int)ki_rng_below(&rng, j == 2 ? 3 : 4);
    m->catalogue = (ki_catalogue){ .n_items = N_ITEMS, .n_servable = N_ITEMS, .count = m->count };
    m->r = (ki_measured){ .n_users = N_USERS, .depth = DEPTH, .lists = m->lists };
    CHECK_OK(ki_plan_parse(&m->plan, "catalog_coverage@1,gini@3,recall@2,entropy@2", NULL));
}

/* The definitions, from a count of every item. */
static void by_hand(const struct made *m, const int32_t *times, double *coverage, double *gini, double *entropy)
{
    double served[DEPTH + 1][N_ITEMS] = { { 0 } }, places[DEPTH + 1] = { 0 }, differences = 0;
    int covered = 0;
    for (int u = 0; u < N_USERS; u++)
        for (int k = 1; k <= DEPTH; k++)
            for (int j = 0; j < k && m->lists[u * DEPTH + j] >= 0; j++) {
                served[k][m->lists[u * DEPTH + j]] += times[u];
                places[k] += times[u];
            }
    *entropy = 0;
    for (int i = 0; i < N_ITEMS; i++) {
        covered += served[1][i] > 0;
        if (served[2][i] > 0) *entropy -= served[2][i] / places[2] * log2(served[2][i] / places[2]);
        for (int j = 0; j < N_ITEMS; j++) differences += fabs(served[3][i] - served[3][j]);
    }
    *coverage = covered / (double)N_ITEMS;
    *gini = differences / (2.0 * N_ITEMS * places[3]); /* mean difference of all pairs over twice the mean */
}

TEST(exposure_is_counted_to_each_cut_off)
{
    static struct made m;
    int32_t once[N_USERS];
    double whole[KI_MAX_METRICS], coverage, gini, entropy;
    make(&m);
    for (int u = 0; u < N_USERS; u++) once[u] = 1;
    whole[2] = -7; /* recall: not of exposure, left alone */
    CHECK_OK(ki_exposure_weigh(&m.r, &m.catalogue, &m.plan, whole));
    by_hand(&m, once, &coverage, &gini, &entropy);
    CHECK_NEAR(whole[0], coverage, 1e-12); /* a dozen doubles */
    CHECK_NEAR(whole[1], gini, 1e-12);
    CHECK_NEAR(whole[2], -7, 0);
    CHECK_NEAR(whole[3], entropy, 1e-12);
}

TEST(a_resample_counts_each_list_as_often_as_its_user_was_drawn)
{
    static struct made m;
    double drawn[4 * N_RESAMPLES] = { 0 };
    ki_pool *pool;
    make(&m);
    CHECK_OK(ki_pool_new(3, &pool));
    const ki_chance how = { pool, 9, N_RESAMPLES, NULL };
    CHECK_OK(ki_exposure_resample(&m.r, &m.catalogue, &m.plan, &how, 0.5, drawn));
    CHECK_OK(ki_exposure_resample(&m.r, &m.catalogue, &m.plan, &how, 0.5, drawn)); /* two folds of the same */
    for (int b = 0; b < N_RESAMPLES; b++) {
        int32_t times[N_USERS];
        double coverage, gini, entropy;
        ki_resample_users(times, N_USERS, 9, b);
        by_hand(&m, times, &coverage, &gini, &entropy);
        CHECK_NEAR(drawn[0 * N_RESAMPLES + b], coverage, 1e-12);
        CHECK_NEAR(drawn[1 * N_RESAMPLES + b], gini, 1e-12);
        CHECK_NEAR(drawn[2 * N_RESAMPLES + b], 0, 0);
        CHECK_NEAR(drawn[3 * N_RESAMPLES + b], entropy, 1e-12);
    }
    ki_pool_free(pool);
}
