/* SPDX-License-Identifier: MIT
 * form_whole.h -- what forms share that score the whole catalogue once per query
 *
 * Their `prepare` leaves the scores of all items, [n_items]; to score a tile is then to copy, to
 * estimate is to look up.
 */
#ifndef KI_FORM_WHOLE_H
#define KI_FORM_WHOLE_H

#include "model/model.h"

/* `score` and `predict` of such a form; an estimate is supported where the score is above 0, and 0
 * stands for -INFINITY. */
void ki_whole_score(const ki_model *m, const ki_query *q, const float *prepared, int nq,
                    int32_t begin, int32_t end, float *out, int64_t ld, float *scratch);
void ki_whole_predict(const ki_model *m, const ki_query *q, const float *prepared,
                      const int32_t *items, int n, float *out, uint8_t *supported, float *scratch);

#endif
