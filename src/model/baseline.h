/* SPDX-License-Identifier: MIT
 * baseline.h -- how far each user and each item lies from the mean: r_ui = mean + bu[u] + bi[i]
 *
 * Shared by the model `bias` and by the neighbour models that centre or weigh by baselines.
 */
#ifndef KI_BASELINE_H
#define KI_BASELINE_H

#include "base/job.h"
#include "data/ratings.h"

typedef struct ki_baseline_als {
    int32_t n_epochs;   /* 10 is usual */
    float reg_u, reg_i; /* imagined ratings of deviation 0 that each begins with; 15 and 10 */
} ki_baseline_als;

typedef struct ki_baseline_sgd {
    int32_t n_epochs;         /* 20 is usual */
    float reg, learning_rate; /* .02 and .005 */
} ki_baseline_sgd;

/* bu is [n_users], bi [n_items], both overwritten; rows without ratings get 0.  ALS runs on the
 * job's threads, SGD on one, in the order user by user, item by item; either gives the same bits
 * for any number of threads.  KITH_ECANCELED as any long work; nothing else can fail. */
kith_err ki_baseline_by_als(const ki_ratings *r, const ki_baseline_als *o, ki_job *job, float *bu,
                            float *bi);
kith_err ki_baseline_by_sgd(const ki_ratings *r, const ki_baseline_sgd *o, ki_job *job, float *bu,
                            float *bi);

#endif
