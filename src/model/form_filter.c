/* SPDX-License-Identifier: MIT
 * form_filter.c -- scores as products of a history with sparse and low-rank matrices
 *
 * Scoring    LANES queries stand side by side, [rows, LANES], so that each rating is read once for
 *            all of them.  Each lane is one fixed sum, whatever stands in the others.
 *            A query that comes alone has lanes of one.
 * Explaining score_i = sum_j w_j K_ji with K = (L + ideal N V V' N^-1) (I - sharpen P): the column
 *            K e_i is made from e_i by the same products in turned order, and its entries at the
 *            history are the exact shares.
 */
#include "model/form_filter.h"

#include "base/mem.h"
#include "simd/kernels.h"

#include <math.h>
#include <string.h>

enum { LANES = 8, TILE = 256 }; /* queries at a time; items of a low-rank step */

/* ---- making ---- */

kith_err ki_filter_begin(ki_filter *s, int32_t n_users, int32_t n_items)
{
    const size_t m = (size_t)n_users, n = (size_t)n_items;
    kith_err err;
    s->n_users = n_users;
    s->n_items = n_items;
    s->three = KI_FILTER_SCALARS;
    if ((err = ki_alloc(&s->scalar, KI_FILTER_SCALARS, sizeof *s->scalar)) != KITH_OK ||
        (err = ki_alloc(&s->item_scale, n, sizeof *s->item_scale)) != KITH_OK ||
        (err = ki_alloc(&s->item_norm, n, sizeof *s->item_norm)) != KITH_OK ||
        (err = ki_alloc(&s->user_scale, m, sizeof *s->user_scale)) != KITH_OK)
        return err;
    return ki_alloc(&s->user_norm, m, sizeof *s->user_norm);
}

/* ---- saving, loading ---- */

static int fields(void *state, ki_field *out)
{
    ki_filter *s = state;
    int n = 0;
    out[n++] = (ki_field){ "scalar", KI_F32, 1, { &s->three }, 0, (void **)&s->scalar, 0 };
    out[n++] =
        (ki_field){ "item_scale", KI_F32, 1, { &s->n_items }, 0, (void **)&s->item_scale, 0 };
    out[n++] = (ki_field){ "item_norm", KI_F32, 1, { &s->n_items }, 0, (void **)&s->item_norm, 0 };
    out[n++] =
        (ki_field){ "user_scale", KI_F32, 1, { &s->n_users }, 0, (void **)&s->user_scale, 0 };
    out[n++] = (ki_field){ "user_norm", KI_F32, 1, { &s->n_users }, 0, (void **)&s->user_norm, 0 };
    out[n++] = (ki_field){ "vectors", KI_F32, 2, { &s->n_items, &s->dim }, 0, (void **)&s->V, 1 };
    return n;
}

static kith_err check_finite(const float *x, int64_t n, const char *what)
{
    for (int64_t j = 0; j < n; j++)
        if (!isfinite(x[j]))
            return ki_fail(KITH_EFORMAT, "%s %lld is not finite", what, (long long)j);
    return KITH_OK;
}

static kith_err check(const ki_model *m)
{
    const ki_filter *s = m->state;
    kith_err err;
    if (s->n_items != m->n_items || s->n_users != m->n_users || s->three != KI_FILTER_SCALARS)
        return ki_fail(KITH_EFORMAT,
                       "a filter of %lld users and %lld items, but there are %d and %d",
                       (long long)s->n_users, (long long)s->n_items, m->n_users, m->n_items);
    if ((err = check_finite(s->scalar, s->three, "scalar")) != KITH_OK ||
        (err = check_finite(s->item_scale, s->n_items, "scale of item")) != KITH_OK ||
        (err = check_finite(s->item_norm, s->n_items, "norm of item")) != KITH_OK ||
        (err = check_finite(s->user_scale, s->n_users, "scale of user")) != KITH_OK ||
        (err = check_finite(s->user_norm, s->n_users, "norm of user")) != KITH_OK)
        return err;
    return s->V == NULL ? KITH_OK : check_finite(s->V, s->n_items * s->dim, "vector entry");
}

/* ---- products ---- */

/* What one of the products L and P is made of. */
struct pass {
    const ki_csr *by_user, *by_item;
    const float *item, *user; /* scales */
    int binary;
};

static struct pass pass_of(const ki_model *m, const float *item, const float *user)
{
    const ki_filter *s = m->state;
    return (struct pass){ &m->history, &m->raters, item, user, s->scalar[KI_FILTER_BINARY] != 0 };
}

/* out[row] = scale_row sum over the row's entries of value * column_scale * x[column]; column_scale
 * NULL: 1.  One query: rows of one float. */
static void multiply_one(const ki_csr *a, int binary, const float *row_scale,
                         const float *column_scale, const float *x, float *out)
{
    for (int32_t r = 0; r < a->n_rows; r++) {
        float sum = 0;
        for (int64_t t = a->ptr[r]; t < a->ptr[r + 1]; t++) {
            const float v = binary ? 1 : a->val[t];
            sum += (column_scale == NULL ? v : v * column_scale[a->idx[t]]) * x[a->idx[t]];
        }
        out[r] = row_scale[r] * sum;
    }
}

/* The same, the same bits, for LANES queries side by side. */
static void multiply_lanes(const ki_csr *a, int binary, const float *row_scale,
                           const float *column_scale, const float *x, float *out)
{
    for (int32_t r = 0; r < a->n_rows; r++) {
        float sum[LANES] = { 0 };
        for (int64_t t = a->ptr[r]; t < a->ptr[r + 1]; t++) {
            const float v = binary ? 1 : a->val[t];
            const float w = column_scale == NULL ? v : v * column_scale[a->idx[t]];
            const float *from = x + (size_t)a->idx[t] * LANES;
            for (int c = 0; c < LANES; c++) sum[c] += w * from[c];
        }
        for (int c = 0; c < LANES; c++) out[(size_t)r * LANES + (size_t)c] = row_scale[r] * sum[c];
    }
}

static void multiply(int lanes, const ki_csr *a, int binary, const float *row_scale,
                     const float *column_scale, const float *x, float *out)
{
    (lanes == 1 ? multiply_one : multiply_lanes)(a, binary, row_scale, column_scale, x, out);
}

/* y = L x or P x; z is [n_users, lanes]; y may be x. */
static void spread(int lanes, const struct pass *p, const float *x, float *z, float *y)
{
    multiply(lanes, p->by_user, p->binary, p->user, p->item, x, z);
    multiply(lanes, p->by_item, p->binary, p->item, NULL, z, y);
}

static double length(const float *x, size_t n)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++) sum += (double)x[j] * (double)x[j];
    return sqrt(sum);
}

kith_err ki_filter_largest(const ki_filter *s, const ki_csr *by_user, const ki_csr *by_item,
                           double *out)
{
    enum { MOST = 50 };
    const struct pass p = { by_user, by_item, s->item_scale, s->user_scale,
                            s->scalar[KI_FILTER_BINARY] != 0 };
    const size_t n = (size_t)s->n_items;
    float *x = NULL, *z = NULL;
    kith_err err;
    *out = 0;
    if ((err = ki_alloc(&x, n, sizeof *x)) != KITH_OK) goto done;
    if ((err = ki_alloc(&z, (size_t)s->n_users, sizeof *z)) != KITH_OK) goto done;
    for (size_t j = 0; j < n; j++) /* near the first eigenvector */
        x[j] = s->item_norm[j] > 0 ? 1 / s->item_norm[j] : 0;
    for (int round = 0; round < MOST; round++) {
        const double was = *out, size = length(x, n);
        if (!(size > 0)) break;
        for (size_t j = 0; j < n; j++) x[j] = (float)(x[j] / size);
        spread(1, &p, x, z, x);
        *out = length(x, n);
        if (fabs(*out - was) <= 1e-5 * *out) break;
    }
done:
    ki_free(x);
    ki_free(z);
    return err;
}

/* ---- scoring ---- */

struct room {         /* of the scratch */
    int lanes;        /* LANES, or 1 for a query that comes alone */
    float *y, *other; /* [n_items, lanes] */
    float *z;         /* [n_users, lanes] */
    float *t;         /* [lanes, dim] */
    float *tile;      /* [lanes, TILE] */
};

static struct room lay_out(const ki_filter *s, int nq, float *scratch)
{
    const int lanes = nq == 1 ? 1 : LANES;
    struct room r = { .lanes = lanes, .y = scratch };
    r.other = r.y + s->n_items * lanes;
    r.z = r.other + s->n_items * lanes;
    r.t = r.z + s->n_users * lanes;
    r.tile = r.t + s->dim * lanes;
    return r;
}

static void sizes(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats)
{
    const ki_filter *s = m->state;
    *query_floats = 0;
    *scratch_floats = LANES * (2 * s->n_items + s->n_users + s->dim + TILE);
}

static kith_err prepare(const ki_model *m, const ki_query *q, float *prepared, float *scratch)
{
    (void)m, (void)q, (void)prepared, (void)scratch;
    return KITH_OK;
}

static float weight(const ki_filter *s, const ki_query *q, int32_t t)
{
    return s->scalar[KI_FILTER_BINARY] != 0 || q->values == NULL ? 1 : q->values[t];
}

/* z = B R A r': the histories are short, so they go out to their users. */
static void reach_users(const ki_model *m, const ki_query *q, int nq, int lanes, float *z)
{
    const ki_filter *s = m->state;
    const int binary = s->scalar[KI_FILTER_BINARY] != 0;
    memset(z, 0, (size_t)s->n_users * (size_t)lanes * sizeof *z);
    for (int c = 0; c < nq; c++)
        for (int32_t t = 0; t < q[c].n; t++) {
            const int32_t i = q[c].items[t];
            const float w = weight(s, &q[c], t) * s->item_scale[i];
            for (int64_t e = m->raters.ptr[i]; e < m->raters.ptr[i + 1]; e++)
                z[(int64_t)m->raters.idx[e] * lanes + c] += binary ? w : w * m->raters.val[e];
        }
    for (int64_t u = 0; u < s->n_users; u++)
        for (int c = 0; c < lanes; c++) z[u * lanes + c] *= s->user_scale[u];
}

/* y += ideal t V' scaled by item, or by 1 / item when `inverse`; t is r->t. */
static void add_low_rank(const ki_filter *s, const struct room *r, int nq, int inverse, float *y)
{
    const ki_kernels *k = ki_kernels_get();
    for (int64_t begin = 0; begin < s->n_items; begin += TILE) {
        const int64_t n = KI_MIN((int64_t)TILE, s->n_items - begin);
        k->score_tile(r->tile, TILE, r->t, nq, s->V + begin * s->dim, n, s->dim);
        for (int64_t j = 0; j < n; j++) {
            const float norm = s->item_norm[begin + j];
            const float each = s->scalar[KI_FILTER_IDEAL] * (!inverse   ? norm
                                                             : norm > 0 ? 1 / norm
                                                                        : 0);
            for (int c = 0; c < nq; c++)
                y[(begin + j) * r->lanes + c] += each * r->tile[c * TILE + j];
        }
    }
}

/* y += ideal r N V V' N^-1 */
static void add_ideal(const ki_filter *s, const ki_query *q, int nq, const struct room *r)
{
    const ki_kernels *k = ki_kernels_get();
    if (s->V == NULL || s->scalar[KI_FILTER_IDEAL] == 0) return;
    memset(r->t, 0, (size_t)s->dim * (size_t)r->lanes * sizeof *r->t);
    for (int c = 0; c < nq; c++)
        for (int32_t t = 0; t < q[c].n; t++) {
            const int64_t i = q[c].items[t];
            k->axpy(r->t + c * s->dim, weight(s, &q[c], t) * s->item_norm[i], s->V + i * s->dim,
                    s->dim);
        }
    add_low_rank(s, r, nq, 1, r->y);
}

/* y -= sharpen P y */
static void sharpen(const ki_model *m, const struct room *r)
{
    const ki_filter *s = m->state;
    const struct pass p = pass_of(m, s->item_norm, s->user_norm);
    const float much = s->scalar[KI_FILTER_SHARPEN];
    if (much == 0) return;
    spread(r->lanes, &p, r->y, r->z, r->other);
    for (int64_t j = 0; j < s->n_items * r->lanes; j++) r->y[j] -= much * r->other[j];
}

/* y = scores of all items for up to LANES queries. */
static void filter(const ki_model *m, const ki_query *q, int nq, const struct room *r)
{
    const ki_filter *s = m->state;
    reach_users(m, q, nq, r->lanes, r->z);
    multiply(r->lanes, &m->raters, s->scalar[KI_FILTER_BINARY] != 0, s->item_scale, NULL, r->z,
             r->y);
    add_ideal(s, q, nq, r);
    sharpen(m, r);
}

static void score(const ki_model *m, const ki_query *q, const float *prepared, int nq,
                  int32_t begin, int32_t end, float *out, int64_t ld, float *scratch)
{
    (void)prepared;
    for (int first = 0; first < nq; first += LANES) {
        const int n = KI_MIN(LANES, nq - first);
        const struct room r = lay_out(m->state, n, scratch);
        filter(m, q + first, n, &r);
        for (int c = 0; c < n; c++)
            for (int32_t i = begin; i < end; i++)
                out[(first + c) * ld + (i - begin)] = r.y[(int64_t)i * r.lanes + c];
    }
}

static void predict(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    const struct room r = lay_out(m->state, 1, scratch);
    (void)prepared;
    filter(m, q, 1, &r);
    for (int j = 0; j < n; j++) {
        out[j] = r.y[items[j]];
        supported[j] = out[j] != 0;
    }
}

/* ---- explaining ---- */

/* y += ideal N V V' N^-1 x */
static void add_ideal_of(const ki_filter *s, const float *x, const struct room *r, float *y)
{
    const ki_kernels *k = ki_kernels_get();
    if (s->V == NULL || s->scalar[KI_FILTER_IDEAL] == 0) return;
    memset(r->t, 0, (size_t)s->dim * sizeof *r->t);
    for (int64_t i = 0; i < s->n_items; i++)
        if (x[i] != 0 && s->item_norm[i] > 0)
            k->axpy(r->t, x[i] / s->item_norm[i], s->V + i * s->dim, s->dim);
    add_low_rank(s, r, 1, 0, y);
}

static int explain(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                   ki_term *out, float *scratch)
{
    const ki_filter *s = m->state;
    const struct room r = lay_out(s, 1, scratch);
    const struct pass L = pass_of(m, s->item_scale, s->user_scale);
    int n = 0;
    (void)prepared;
    memset(r.y, 0, (size_t)s->n_items * sizeof *r.y);
    r.y[item] = 1;
    sharpen(m, &r);
    spread(1, &L, r.y, r.z, r.other);
    add_ideal_of(s, r.y, &r, r.other);
    for (int32_t t = 0; t < q->n; t++) {
        const float part = weight(s, q, t) * r.other[q->items[t]];
        if (part != 0) out[n++] = (ki_term){ .item = q->items[t], .part = part };
    }
    return n;
}

/* The scores of a history of that item alone. */
static void similar(const ki_model *m, int32_t item, float *out, float *scratch)
{
    const ki_query q = { .user = -1, .items = &item, .n = 1 };
    score(m, &q, NULL, 1, 0, m->n_items, out, m->n_items, scratch);
}

static kith_err forget(const ki_model *m, int32_t u, int64_t from, int64_t n)
{
    const ki_filter *s = m->state;
    (void)from, (void)n;
    s->user_scale[u] = 0;
    s->user_norm[u] = 0;
    return KITH_OK;
}

const ki_form ki_form_filter = {
    .name = "filter",
    .size = sizeof(ki_filter),
    .needs_raters = 1,
    .fields = fields,
    .check = check,
    .sizes = sizes,
    .prepare = prepare,
    .score = score,
    .predict = predict,
    .explain = explain,
    .similar = similar,
    .forget = forget,
};
