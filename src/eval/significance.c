/* SPDX-License-Identifier: MIT
 * significance.c -- bootstrap over users, sign-flip tests, Holm's correction
 *
 * Paper    Efron, Tibshirani, An Introduction to the Bootstrap, 1993 (percentile intervals);
 *          Smucker, Allan, Carterette, A Comparison of Statistical Significance Tests for
 *          Information Retrieval Evaluation, CIKM 2007 (the randomisation test);
 *          Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979
 * Cost     bootstrap: resamples * users * (one draw + metrics * folds multiply-adds)
 * Draws    resample b and flip b have generators of their own, so threads do not matter
 * Checked  test_significance.c: known intervals and p values, coverage, 1 = 5 threads
 */
#include "eval/significance.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_RESAMPLE = 0x626f6f74, STREAM_FLIP };

static double sum_of(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += x[j];
    return sum;
}

double ki_values_mean(const ki_values *v)
{
    double total = 0;
    for (int f = 0; f < v->n_folds; f++)
        total += v->metric->pool != NULL
                     ? v->metric->pool(v->sum[f], v->weight[f], NULL, v->n_users)
                     : ki_metric_value(v->metric, sum_of(v->sum[f], v->n_users),
                                       sum_of(v->weight[f], v->n_users));
    return total / v->n_folds;
}

/* ---- bootstrap
 * ---------------------------------------------------------------------------------------------------
 */

struct bootstrap {
    const ki_values *v;
    int n_values;
    const ki_chance *how;
    int32_t *times; /* [n_workers, n_users] how often a user was drawn */
    double *out;
};

/* Four sums side by side, so that one addition need not wait for the last. */
static double counted_sum(const int32_t *times, const double *x, int64_t n)
{
    double sum[4] = { 0 };
    int64_t j = 0;
    for (; j + 4 <= n; j += 4)
        for (int k = 0; k < 4; k++) sum[k] += times[j + k] * x[j + k];
    for (; j < n; j++) sum[0] += times[j] * x[j];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void ki_resample_users(int32_t *times, int64_t n, uint64_t seed, int64_t resample)
{
    ki_rng rng = ki_rng_make(seed, STREAM_RESAMPLE, (uint64_t)resample);
    memset(times, 0, (size_t)n * sizeof *times);
    for (int64_t j = 0; j < n; j++) times[ki_rng_below(&rng, (uint32_t)n)]++;
}

/* Neighbours in v that share a weight array (the same pointer) have it summed once. */
struct weights {
    const double *of[KI_MAX_FOLDS];
    double sum[KI_MAX_FOLDS];
};

static double resampled_mean(const ki_values *v, const int32_t *times, struct weights *last)
{
    double total = 0;
    for (int f = 0; f < v->n_folds; f++) {
        if (v->metric->pool != NULL) {
            total += v->metric->pool(v->sum[f], v->weight[f], times, v->n_users);
            continue;
        }
        if (last->of[f] != v->weight[f])
            last->sum[f] = counted_sum(times, v->weight[f], v->n_users);
        last->of[f] = v->weight[f];
        total +=
            ki_metric_value(v->metric, counted_sum(times, v->sum[f], v->n_users), last->sum[f]);
    }
    return total / v->n_folds;
}

static int cancelled(const ki_chance *how)
{
    return how->job != NULL && ki_job_cancelled(how->job);
}

static kith_err resample(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct bootstrap *s = arg;
    const int64_t n_users = s->v[0].n_users;
    int32_t *times = s->times + worker * n_users;
    if (cancelled(s->how)) return ki_fail(KITH_ECANCELED, "the intervals were cancelled");
    for (int64_t b = begin; b < end; b++) {
        struct weights last = { 0 };
        ki_resample_users(times, n_users, s->how->seed, b);
        for (int j = 0; j < s->n_values; j++)
            s->out[(int64_t)j * s->how->n + b] = resampled_mean(&s->v[j], times, &last);
    }
    return KITH_OK;
}

kith_err ki_bootstrap(const ki_values *v, int n_values, const ki_chance *how, double *out)
{
    struct bootstrap s = { .v = v, .n_values = n_values, .how = how, .out = out };
    if (n_values == 0) return KITH_OK;
    const size_t n = (size_t)ki_pool_size(how->pool) * (size_t)v[0].n_users;
    kith_err err = ki_alloc(&s.times, n, sizeof *s.times);
    if (err == KITH_OK) err = ki_parallel_for(how->pool, how->n, 8, resample, &s);
    ki_free(s.times);
    return err;
}

static int rising(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *x, int n, double q)
{
    const double at = q * (n - 1);
    const int below = (int)at, above = KI_MIN(below + 1, n - 1);
    return x[below] + (at - below) * (x[above] - x[below]);
}

void ki_interval(double *x, int n, double confidence, double *lo, double *hi)
{
    int kept = 0;
    for (int j = 0; j < n; j++)
        if (!isnan(x[j])) x[kept++] = x[j];
    *lo = *hi = NAN;
    if (kept == 0) return;
    qsort(x, (size_t)kept, sizeof *x, rising);
    *lo = quantile(x, kept, (1 - confidence) / 2);
    *hi = quantile(x, kept, (1 + confidence) / 2);
}

/* ---- sign flips
 * --------------------------------------------------------------------------------------------------
 *
 * Swapping the results of a set S of users moves sum_S d from a's sum to b's, d = sum_a - sum_b,
 * and as much of the weights where these differ (metrics of served places, and one of the lists is
 * short).  Users with d = 0 in all folds drop out. */

struct flips {
    const ki_values *a;
    const ki_chance *how;
    double *d, *dw; /* [n_folds, n] of the users that differ: sums, weights */
    int64_t n;
    double *total;   /* [n_folds, 4]: sum of a, sum of b, weight of a, weight of b */
    double seen;     /* |difference| of the means as they are */
    uint8_t *same;   /* [n_folds] 1: all weights are the same, dw is not looked at */
    uint8_t *beyond; /* [how->n] 1: at least as large */
};

struct moved { /* from a to b, in one fold */
    double sum, weight;
};

static double difference(const struct flips *s, const struct moved *moved)
{
    double diff = 0;
    for (int f = 0; f < s->a->n_folds; f++) {
        const double *t = s->total + 4 * f;
        const struct moved *m = &moved[f];
        diff += ki_metric_value(s->a->metric, KI_MAX(t[0] - m->sum, 0), t[2] - m->weight) -
                ki_metric_value(s->a->metric, KI_MAX(t[1] + m->sum, 0), t[3] + m->weight);
    }
    return diff / s->a->n_folds;
}

static double sum_of_set(const double *d, int64_t n, ki_rng rng) /* each in with chance 1/2 */
{
    double sum[4] = { 0 };
    for (int64_t at = 0; at < n; at += 64) {
        const uint64_t bits = ki_rng_next(&rng);
        const int64_t len = KI_MIN(n - at, (int64_t)64);
        for (int64_t j = 0; j < len; j++) sum[j & 3] += (double)((bits >> j) & 1) * d[at + j];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static kith_err flip(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct flips *s = arg;
    (void)worker;
    if (cancelled(s->how)) return ki_fail(KITH_ECANCELED, "the comparison was cancelled");
    for (int64_t b = begin; b < end; b++) {
        const ki_rng rng = ki_rng_make(s->how->seed, STREAM_FLIP, (uint64_t)b);
        struct moved moved[KI_MAX_FOLDS];
        for (int f = 0; f < s->a->n_folds; f++) {
            moved[f].sum = sum_of_set(s->d + f * s->n, s->n, rng);
            moved[f].weight = s->same[f] ? 0 : sum_of_set(s->dw + f * s->n, s->n, rng);
        }
        /* Rounding must not make a flip that changes nothing look smaller than what was seen; and
         * one that leaves a model without any weight (NaN) is no evidence, so it counts. */
        s->beyond[b] = !(fabs(difference(s, moved)) < s->seen * (1 - 1e-12));
    }
    return KITH_OK;
}

static int differ(const ki_values *a, const ki_values *b, int64_t u)
{
    for (int f = 0; f < a->n_folds; f++)
        if (a->sum[f][u] != b->sum[f][u] || a->weight[f][u] != b->weight[f][u]) return 1;
    return 0;
}

static void pack_fold(struct flips *s, const ki_values *b, int f)
{
    const ki_values *a = s->a;
    double *d = s->d + f * s->n, *dw = s->dw + f * s->n, *total = s->total + 4 * f;
    int64_t to = 0;
    s->same[f] = 1;
    for (int64_t u = 0; u < a->n_users; u++) {
        if (!differ(a, b, u)) continue;
        d[to] = a->sum[f][u] - b->sum[f][u];
        dw[to] = a->weight[f][u] - b->weight[f][u];
        s->same[f] &= dw[to++] == 0;
    }
    total[0] = sum_of(a->sum[f], a->n_users);
    total[1] = sum_of(b->sum[f], a->n_users);
    total[2] = sum_of(a->weight[f], a->n_users);
    total[3] = sum_of(b->weight[f], a->n_users);
}

static kith_err pack_differences(struct flips *s, const ki_values *b)
{
    const size_t n_folds = (size_t)s->a->n_folds;
    kith_err err;
    for (int64_t u = 0; u < s->a->n_users; u++) s->n += differ(s->a, b, u);
    if ((err = ki_alloc(&s->total, 4 * n_folds, sizeof *s->total)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->same, n_folds, 1)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->d, (size_t)s->n * n_folds, sizeof *s->d)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->dw, (size_t)s->n * n_folds, sizeof *s->dw)) != KITH_OK) return err;
    for (int f = 0; f < s->a->n_folds; f++) pack_fold(s, b, f);
    return KITH_OK;
}

kith_err ki_flip_test(const ki_values *a, const ki_values *b, const ki_chance *how, double *p)
{
    static const struct moved nothing_moved[KI_MAX_FOLDS];
    struct flips s = { .a = a, .how = how };
    int64_t beyond = 0;
    kith_err err = ki_alloc(&s.beyond, (size_t)how->n, 1);
    if (err == KITH_OK) err = pack_differences(&s, b);
    if (err != KITH_OK) goto done;
    s.seen = fabs(difference(&s, nothing_moved));
    if ((err = ki_parallel_for(how->pool, how->n, 16, flip, &s)) != KITH_OK) goto done;
    for (int j = 0; j < how->n; j++) beyond += s.beyond[j];
    *p = (1.0 + (double)beyond) / (1.0 + how->n);
done:
    ki_free(s.total);
    ki_free(s.same);
    ki_free(s.beyond);
    ki_free(s.d);
    ki_free(s.dw);
    return err;
}

/* ---- many comparisons
 * --------------------------------------------------------------------------------------------
 */

struct ranked {
    double p;
    int at;
};

static int smaller(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->p != y->p) return x->p < y->p ? -1 : 1;
    return x->at - y->at;
}

kith_err ki_holm(double *p, int n)
{
    struct ranked *order = NULL;
    const kith_err err = ki_alloc(&order, (size_t)n, sizeof *order);
    if (err != KITH_OK) return err;
    for (int j = 0; j < n; j++) order[j] = (struct ranked){ p[j], j };
    qsort(order, (size_t)n, sizeof *order, smaller);
    double floor = 0; /* a larger p never gets a smaller corrected one */
    for (int j = 0; j < n; j++) {
        floor = KI_MAX(floor, KI_MIN(1.0, order[j].p * (n - j)));
        p[order[j].at] = floor;
    }
    ki_free(order);
    return KITH_OK;
}
