/* SPDX-License-Identifier: MIT
 * significance.h -- how sure a mean is, and whether one model is better than another
 *
 * The unit that is resampled is the user, with all that belongs to the user in all folds: ratings
 * of one user are not independent of each other.  Models are compared on the same users.
 */
#ifndef KI_SIGNIFICANCE_H
#define KI_SIGNIFICANCE_H

#include "base/job.h"
#include "eval/metrics.h"
#include "eval/protocol.h" /* KI_MAX_FOLDS */

/* One metric of one model as the pass left it.  Its value is the mean over folds of
 * ki_metric_value of the sums over users. */
typedef struct ki_values {
    const ki_metric *metric;
    const double *const *sum, *const *weight; /* [n_folds] of [n_users] */
    int n_folds;
    int64_t n_users;
} ki_values;

typedef struct ki_chance { /* how chance is drawn */
    ki_pool *pool;
    uint64_t seed;
    int n;             /* resamples, or flips */
    const ki_job *job; /* asked for a cancel; NULL: none */
} ki_chance;

/* The mean over folds; NaN when a fold has nobody with a say. */
double ki_values_mean(const ki_values *v);

/* times[n] = how often resample number `resample` draws each user. */
void ki_resample_users(int32_t *times, int64_t n, uint64_t seed, int64_t resample);

/* out[j, b] = the mean of v[j] over resample b of the users, drawn with replacement; out is
 * [n_values, how->n].  All values see the same resamples, so out[j] - out[i] are resampled
 * differences.  All v have the same n_users. */
kith_err ki_bootstrap(const ki_values *v, int n_values, const ki_chance *how, double *out);

/* The ends of the middle `confidence` of x[n] (sorted in place; NaNs are left out): linear between
 * order statistics.  NaN when nothing is left. */
void ki_interval(double *x, int n, double confidence, double *lo, double *hi);

/* Two-sided sign-flip test of a against b: if neither were better, each user's results could as
 * well be swapped, sums and weights.  *p = (1 + flips with a difference at least as large) / (1 +
 * flips). */
kith_err ki_flip_test(const ki_values *a, const ki_values *b, const ki_chance *how, double *p);

/* Holm's step-down correction of p[n], in place: n comparisons, error of any at most alpha. */
kith_err ki_holm(double *p, int n);

#endif
