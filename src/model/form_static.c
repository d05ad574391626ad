/* SPDX-License-Identifier: MIT
 * form_static.c -- scores that do not depend on who asks
 */
#include "model/form_static.h"

#include <math.h>
#include <string.h>

static int fields(void *state, ki_field *out)
{
    ki_static *s = state;
    out[0] = (ki_field){ "score", KI_F32, 1, { &s->n_items }, 0, (void **)&s->score, 0 };
    out[1] = (ki_field){ "estimate", KI_F32, 1, { &s->n_items }, 0, (void **)&s->estimate, 1 };
    return 2;
}

static kith_err check(const ki_model *m)
{
    const ki_static *s = m->state;
    if (s->n_items != m->n_items)
        return ki_fail(KITH_EFORMAT, "scores of %lld items, want %d", (long long)s->n_items,
                       m->n_items);
    for (int64_t i = 0; i < s->n_items; i++)
        if (!isfinite(s->score[i]) || (s->estimate != NULL && !isfinite(s->estimate[i])))
            return ki_fail(KITH_EFORMAT, "score of item %lld is not finite", (long long)i);
    return KITH_OK;
}

static void sizes(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats)
{
    (void)m;
    *query_floats = *scratch_floats = 0;
}

static kith_err prepare(const ki_model *m, const ki_query *q, float *prepared, float *scratch)
{
    (void)m, (void)q, (void)prepared, (void)scratch;
    return KITH_OK;
}

static void score(const ki_model *m, const ki_query *q, const float *prepared, int nq,
                  int32_t begin, int32_t end, float *out, int64_t ld, float *scratch)
{
    const ki_static *s = m->state;
    (void)q, (void)prepared, (void)scratch;
    for (int j = 0; j < nq; j++)
        memcpy(out + j * ld, s->score + begin, (size_t)(end - begin) * sizeof *out);
}

static void predict(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    const ki_static *s = m->state;
    const float *from = s->estimate != NULL ? s->estimate : s->score;
    (void)q, (void)prepared, (void)scratch;
    for (int j = 0; j < n; j++) {
        out[j] = from[items[j]];
        supported[j] = 1;
    }
}

const ki_form ki_form_static = {
    .name = "static",
    .size = sizeof(ki_static),
    .fields = fields,
    .check = check,
    .sizes = sizes,
    .prepare = prepare,
    .score = score,
    .tile = 4096,
    .predict = predict,
};
