/* SPDX-License-Identifier: MIT
 * form_function.c -- ranking by a function that sees one query and some items at a time
 */
#include "model/form_function.h"

#include <math.h>

enum { TILE = 1024 }; /* items per call of score: their indexes are the form's scratch */

static int fields(void *state, ki_field *out)
{
    ki_function *s = state;
    out[0] = (ki_field){ "floats", KI_F32, 1, { &s->n_floats }, 0, (void **)&s->floats, 1 };
    return 1;
}

static kith_err check(const ki_model *m)
{
    const ki_function *s = m->state;
    for (int64_t j = 0; s->floats != NULL && j < s->n_floats; j++)
        if (!isfinite(s->floats[j]))
            return ki_fail(KITH_EFORMAT, "number %lld of the function is not finite", (long long)j);
    return KITH_OK;
}

static void sizes(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats)
{
    (void)m;
    *query_floats = 0;
    *scratch_floats = TILE;
}

static kith_err prepare(const ki_model *m, const ki_query *q, float *prepared, float *scratch)
{
    (void)m, (void)q, (void)prepared, (void)scratch;
    return KITH_OK;
}

static void score(const ki_model *m, const ki_query *q, const float *prepared, int nq,
                  int32_t begin, int32_t end, float *out, int64_t ld, float *scratch)
{
    int32_t *items = (int32_t *)scratch;
    (void)prepared;
    for (int32_t i = begin; i < end; i += TILE) {
        const int32_t n = end - i < TILE ? end - i : TILE;
        for (int32_t j = 0; j < n; j++) items[j] = i + j;
        for (int j = 0; j < nq; j++)
            m->desc->score_items(m, &q[j], items, n, out + j * ld + (i - begin));
    }
}

static void predict(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    (void)prepared, (void)scratch;
    m->desc->score_items(m, q, items, n, out);
    for (int j = 0; j < n; j++) supported[j] = 1;
}

const ki_form ki_form_function = {
    .name = "function",
    .size = sizeof(ki_function),
    .is_function = 1,
    .fields = fields,
    .check = check,
    .sizes = sizes,
    .prepare = prepare,
    .score = score,
    .tile = TILE,
    .predict = predict,
};
