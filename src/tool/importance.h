/* SPDX-License-Identifier: MIT
 * importance.h -- what a feature is worth: the metric with it, and with it in disorder
 */
#ifndef KI_IMPORTANCE_H
#define KI_IMPORTANCE_H

#include "tool/appraisal.h"

/* *out = {user_features, item_features, interaction_features}, each only where it applies (the
 * reasons of the others go to `f`); NULL when nothing does.
 *
 * Permute and train again: one column of the training rows is shuffled, the model is trained as
 * before and measured on the same held-out rows; importance is how much worse the metric is. */
kith_err ki_importance_measure(const ki_appraisal_options *o, ki_job *job, json_t **out,
                               ki_findings *f);

/* A copy of `c` in which row r has the cell of row order[r]. */
kith_err ki_column_reorder(ki_column *out, const ki_column *c, int32_t n_rows,
                           const int64_t *order);

#endif
