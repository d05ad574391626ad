/* SPDX-License-Identifier: MIT
 * measure.h -- one model in one fold: a single pass over the test users for all metrics
 */
#ifndef KI_MEASURE_H
#define KI_MEASURE_H

#include "eval/fold.h"
#include "eval/negatives.h" /* ki_sampling */
#include "model/model.h"

typedef struct ki_measuring {
    const ki_plan *plan;
    const int32_t *users; /* [n] dense indexes; those without test rows get no say */
    int64_t n;
    int average_ties; /* 1: metrics of what was found are means over the orders of tied scores */
    int known_only;   /* 1: users and items without training rows are left out */
    int keep_lists;   /* 1: also when no metric of exposure asks for them */
    ki_sampling sampling;
} ki_measuring;

/* What the pass leaves behind.  Row j of `sum` and `weight` belongs to plan->asked[j]; a user
 * without a say has weight 0 there, and so do all users for metrics of the exposure. */
typedef struct ki_measured {
    int64_t n_users;      /* users measured: the columns */
    double *sum, *weight; /* [plan->n, n_users] */
    int depth;
    int32_t *lists;      /* [n_users, depth], -1 beyond a list's end; NULL: not kept */
    int64_t n_empty;     /* users with a relevant row whose list is empty */
    int64_t n_fallbacks; /* estimates that nothing but a mean stands behind */
} ki_measured;

/* Metrics of ratings are left at weight 0 when the model does not rate.  The bits do not depend on
 * the number of threads.  `what` is told to progress.  On failure *out is {0}. */
kith_err ki_measure(ki_measured *out, const ki_model *m, const ki_fold *f, const ki_measuring *how,
                    ki_job *job, const char *what);

/* The value of plan->asked[j] over all users; NaN when nobody has a say. */
double ki_measured_value(const ki_measured *r, const ki_plan *plan, int j);

void ki_measured_drop_lists(ki_measured *r);
void ki_measured_clear(ki_measured *r);

#endif
