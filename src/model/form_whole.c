/* SPDX-License-Identifier: MIT
 * form_whole.c -- scores that were all made in `prepare`
 */
#include "model/form_whole.h"

#include <math.h>
#include <string.h>

void ki_whole_score(const ki_model *m, const ki_query *q, const float *prepared, int nq,
                    int32_t begin, int32_t end, float *out, int64_t ld, float *scratch)
{
    (void)q, (void)scratch;
    for (int j = 0; j < nq; j++)
        memcpy(out + j * ld, prepared + (int64_t)j * m->n_items + begin,
               (size_t)(end - begin) * sizeof *out);
}

void ki_whole_predict(const ki_model *m, const ki_query *q, const float *prepared,
                      const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    (void)m, (void)q, (void)scratch;
    for (int j = 0; j < n; j++) {
        const float score = prepared[items[j]];
        out[j] = isfinite(score) ? score : 0;
        supported[j] = out[j] > 0;
    }
}
