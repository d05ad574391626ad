/* SPDX-License-Identifier: MIT
 * statistics.h -- means, intervals and comparisons of a whole evaluation
 */
#ifndef KI_STATISTICS_H
#define KI_STATISTICS_H

#include "eval/measure.h"
#include "eval/report.h"

enum { KI_EXPOSURE_RESAMPLES = 200 }; /* each counts all lists anew */

typedef struct ki_results {
    kith_report *report; /* outcomes of metrics of exposure have their folds; all else is filled */
    ki_measured *measured; /* [n_models, n_folds] */
    double *exposure; /* [n_models, plan.n, KI_EXPOSURE_RESAMPLES] means over folds; NULL: none */
    int64_t n_users;
    int has_values; /* of the data */
    ki_job *job;
} ki_results;

kith_err ki_statistics_find(const ki_results *r);

/* What the values of all users in all folds take, and what is made of them. */
size_t ki_statistics_bytes(const kith_report *report, int64_t n_users);

#endif
