/* SPDX-License-Identifier: MIT
 * form_items.c -- scores as sums of rows of an item-item matrix
 *
 * Scoring    a query's scores start at zero and its history's rows are added one after the other,
 *            so the bits of a score are those of one fixed sum whatever is asked for with it.
 *            Dense rows are added strip by strip: the strip of scores stays in L1.
 * Explaining the terms of that sum are the exact shares of the history's items.
 */
#include "model/form_items.h"

#include "base/mem.h"
#include "simd/kernels.h"

#include <math.h>
#include <string.h>

enum { STRIP = 2048 }; /* floats of dense scores that are summed together */

/* ---- making ---- */

kith_err ki_items_begin(ki_items *s, int32_t n_items, int binary)
{
    s->n_items = n_items;
    s->one = 1;
    const kith_err err = ki_alloc(&s->binary, 1, sizeof *s->binary);
    if (err == KITH_OK) *s->binary = binary;
    return err;
}

void ki_items_take(ki_items *s, ki_csr *S)
{
    s->nnz = ki_csr_nnz(S);
    s->ptr = S->ptr;
    s->idx = S->idx;
    s->sim = S->val;
    *S = (ki_csr){ 0 };
}

void ki_items_take_votes(ki_items *s, ki_csr *votes)
{
    s->n_votes = ki_csr_nnz(votes);
    s->vote_ptr = votes->ptr;
    s->vote_idx = votes->idx;
    s->vote = votes->val;
    *votes = (ki_csr){ 0 };
}

/* ---- saving, loading ---- */

static int fields(void *state, ki_field *out)
{
    ki_items *s = state;
    int n = 0;
    out[n++] = (ki_field){ "binary", KI_I32, 1, { &s->one }, 0, (void **)&s->binary, 0 };
    out[n++] = (ki_field){ "row_start", KI_I64, 1, { &s->n_items }, 1, (void **)&s->ptr, 1 };
    out[n++] = (ki_field){ "similar_item", KI_I32, 1, { &s->nnz }, 0, (void **)&s->idx, 1 };
    out[n++] = (ki_field){ "similarity", KI_F32, 1, { &s->nnz }, 0, (void **)&s->sim, 1 };
    out[n++] =
        (ki_field){ "weights", KI_F32, 2, { &s->n_items, &s->n_items }, 0, (void **)&s->dense, 1 };
    out[n++] = (ki_field){ "item_mean", KI_F32, 1, { &s->n_items }, 0, (void **)&s->mean, 1 };
    out[n++] = (ki_field){ "item_sd", KI_F32, 1, { &s->n_items }, 0, (void **)&s->sd, 1 };
    out[n++] = (ki_field){ "item_base", KI_F32, 1, { &s->n_items }, 0, (void **)&s->base, 1 };
    out[n++] = (ki_field){ "vote_start", KI_I64, 1, { &s->n_items }, 1, (void **)&s->vote_ptr, 1 };
    out[n++] = (ki_field){ "vote_item", KI_I32, 1, { &s->n_votes }, 0, (void **)&s->vote_idx, 1 };
    out[n++] = (ki_field){ "vote", KI_F32, 1, { &s->n_votes }, 0, (void **)&s->vote, 1 };
    return n;
}

static ki_csr square(const ki_items *s, int64_t *ptr, int32_t *idx, float *val)
{
    const int32_t n = (int32_t)s->n_items;
    return (ki_csr){ .n_rows = n, .n_cols = n, .ptr = ptr, .idx = idx, .val = val };
}

static kith_err check_finite(const float *x, int64_t n, const char *what)
{
    for (int64_t j = 0; x != NULL && j < n; j++)
        if (!isfinite(x[j]))
            return ki_fail(KITH_EFORMAT, "%s %lld is not finite", what, (long long)j);
    return KITH_OK;
}

static kith_err check_square(const ki_csr *a, int64_t n, const char *name)
{
    if (a->ptr == NULL) return KITH_OK;
    if (a->idx == NULL || a->val == NULL)
        return ki_fail(KITH_EFORMAT, "%s: rows without entries", name);
    if (a->ptr[a->n_rows] != n)
        return ki_fail(KITH_EFORMAT, "%s: rows end at %lld of %lld entries", name,
                       (long long)a->ptr[a->n_rows], (long long)n);
    return ki_csr_check(a, name);
}

static kith_err check(const ki_model *m)
{
    const ki_items *s = m->state;
    kith_err err;
    if (s->one != 1 || s->n_items != m->n_items)
        return ki_fail(KITH_EFORMAT, "similarities of %lld items, but there are %d",
                       (long long)s->n_items, m->n_items);
    if ((s->dense == NULL) == (s->ptr == NULL))
        return ki_fail(KITH_EFORMAT, "item similarities are neither sparse nor dense");
    const ki_csr S = square(s, s->ptr, s->idx, s->sim);
    const ki_csr votes = square(s, s->vote_ptr, s->vote_idx, s->vote);
    if ((err = check_square(&S, s->nnz, "item similarities")) != KITH_OK ||
        (err = check_square(&votes, s->n_votes, "votes of items")) != KITH_OK)
        return err;
    if ((err = check_finite(s->dense, s->n_items * s->n_items, "item weight")) != KITH_OK ||
        (err = check_finite(s->mean, s->n_items, "mean of item")) != KITH_OK ||
        (err = check_finite(s->sd, s->n_items, "spread of item")) != KITH_OK)
        return err;
    return check_finite(s->base, s->n_items, "baseline of item");
}

/* ---- asking ---- */

float ki_items_at(const ki_items *s, int32_t j, int32_t i)
{
    if (s->dense != NULL) return s->dense[j * s->n_items + i];
    const ki_csr S = square(s, s->ptr, s->idx, s->sim);
    const int64_t at = ki_csr_find(&S, j, i);
    return at < 0 ? 0 : s->sim[at];
}

ki_csr ki_items_votes(const ki_items *s)
{
    return s->vote_ptr != NULL ? square(s, s->vote_ptr, s->vote_idx, s->vote)
                               : square(s, s->ptr, s->idx, s->sim);
}

static float weight(const ki_items *s, const ki_query *q, int32_t t)
{
    return *s->binary || q->values == NULL ? 1 : q->values[t];
}

static void sizes(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats)
{
    *query_floats = 0;
    *scratch_floats = KI_ITEMS_SCRATCH(m->n_items);
}

static kith_err prepare(const ki_model *m, const ki_query *q, float *prepared, float *scratch)
{
    (void)m, (void)q, (void)prepared, (void)scratch;
    return KITH_OK;
}

/* out += w times the entries of row j in columns [begin, end). */
static void add_row(const ki_items *s, int32_t j, float w, int32_t begin, int32_t end, float *out)
{
    int64_t t = s->ptr[j], last = s->ptr[j + 1];
    if (begin > 0)
        while (t < last && s->idx[t] < begin) t++;
    if (end < s->n_items)
        while (t < last && s->idx[last - 1] >= end) last--;
    for (; t < last; t++) out[s->idx[t] - begin] += w * s->sim[t];
}

static void score_dense(const ki_items *s, const ki_query *q, int nq, int32_t begin, int32_t end,
                        float *out, int64_t ld)
{
    const ki_kernels *kernels = ki_kernels_get();
    for (int32_t strip = begin; strip < end; strip += STRIP) {
        const int32_t n = KI_MIN(STRIP, end - strip);
        for (int j = 0; j < nq; j++)
            for (int32_t t = 0; t < q[j].n; t++)
                kernels->axpy(out + j * ld + (strip - begin), weight(s, &q[j], t),
                              s->dense + q[j].items[t] * s->n_items + strip, n);
    }
}

static void score(const ki_model *m, const ki_query *q, const float *prepared, int nq,
                  int32_t begin, int32_t end, float *out, int64_t ld, float *scratch)
{
    const ki_items *s = m->state;
    (void)prepared, (void)scratch;
    for (int j = 0; j < nq; j++) memset(out + j * ld, 0, (size_t)(end - begin) * sizeof *out);
    if (s->dense != NULL) {
        score_dense(s, q, nq, begin, end, out, ld);
        return;
    }
    for (int j = 0; j < nq; j++)
        for (int32_t t = 0; t < q[j].n; t++)
            add_row(s, q[j].items[t], weight(s, &q[j], t), begin, end, out + j * ld);
}

/* The same sums for some items; 1 when any term is there. */
static int score_one(const ki_items *s, const ki_query *q, int32_t item, float *out)
{
    int found = 0;
    *out = 0;
    for (int32_t t = 0; t < q->n; t++) {
        const float sim = ki_items_at(s, q->items[t], item);
        *out += weight(s, q, t) * sim;
        found |= sim != 0;
    }
    return found;
}

static void predict(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    (void)prepared, (void)scratch;
    for (int j = 0; j < n; j++) supported[j] = (uint8_t)score_one(m->state, q, items[j], &out[j]);
}

static int explain(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                   ki_term *out, float *scratch)
{
    const ki_items *s = m->state;
    int n = 0;
    (void)prepared, (void)scratch;
    for (int32_t t = 0; t < q->n; t++) {
        const float part = weight(s, q, t) * ki_items_at(s, q->items[t], item);
        if (part != 0) out[n++] = (ki_term){ .item = q->items[t], .part = part };
    }
    return n;
}

static void similar(const ki_model *m, int32_t item, float *out, float *scratch)
{
    const ki_items *s = m->state;
    (void)scratch;
    if (s->dense != NULL) {
        memcpy(out, s->dense + item * s->n_items, (size_t)s->n_items * sizeof *out);
        return;
    }
    memset(out, 0, (size_t)s->n_items * sizeof *out);
    add_row(s, item, 1, 0, (int32_t)s->n_items, out);
}

const ki_form ki_form_items = {
    .name = "item-item",
    .size = sizeof(ki_items),
    .fields = fields,
    .check = check,
    .sizes = sizes,
    .prepare = prepare,
    .score = score,
    .predict = predict,
    .explain = explain,
    .similar = similar,
};
