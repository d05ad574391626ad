/* SPDX-License-Identifier: MIT
 * form_vectors.c -- a point per user, a point per item, and a bias for each
 *
 * Score      s(u, i) = mean + bu[u] + bi[i] + X[u] . Y[i]
 * Fold-in    for a history h that is not a training user's, with e_j = r_j - mean - bi_j:
 *                bu = sum_j e_j / (n + l2),   A = Y_h' Y_h + l2 I,   x = A^-1 Y_h' (e - bu)
 * Explain    x.y_i = sum_j (e_j - bu) y_j' A^-1 y_i: one term for each j of the history, exact for
 *            the folded-in x.  A training user's own X[u] differs from it by what the fit did
 *            otherwise; a descriptor whose rows are not ridge solves of this kind says its own.
 * Prepared   [dim + 1]: x, then mean + bu
 * Reach      |x.y_i| <= |x| |y_i|; with item biases there is no order that serves all queries
 * Unknown    a query without history has x = 0, bu = 0: it gets mean + bi
 */
#include "model/form_vectors.h"

#include "base/mem.h"
#include "simd/kernels.h"

#include <math.h>
#include <string.h>

enum {
    GROUP = 192, /* queries whose vectors are packed side by side for one score_tile */
    TILE = 256,  /* items of a tile */
};

kith_err ki_vectors_alloc(ki_vectors *v, const ki_ratings *r, int32_t dim, int with_biases,
                          int with_gram)
{
    kith_err err;
    v->n_users = r->by_user.n_rows;
    v->n_items = r->by_user.n_cols;
    v->dim = dim;
    v->one = 1;
    const size_t d = (size_t)dim, m = (size_t)v->n_users, n = (size_t)v->n_items;
    if ((err = ki_alloc(&v->mean, 1, sizeof *v->mean)) != KITH_OK) return err;
    if ((err = ki_alloc(&v->l2, 1, sizeof *v->l2)) != KITH_OK) return err;
    if (dim > 0 && (err = ki_alloc(&v->X, m, d * sizeof *v->X)) != KITH_OK) return err;
    if (dim > 0 && (err = ki_alloc(&v->Y, n, d * sizeof *v->Y)) != KITH_OK) return err;
    if (with_biases && (err = ki_alloc(&v->bu, m, sizeof *v->bu)) != KITH_OK) return err;
    if (with_biases && (err = ki_alloc(&v->bi, n, sizeof *v->bi)) != KITH_OK) return err;
    return with_gram ? ki_alloc(&v->gram, d, d * sizeof *v->gram) : KITH_OK;
}

/* ---- saving, loading ---- */

static int fields(void *state, ki_field *out)
{
    ki_vectors *v = state;
    const ki_field all[] = {
        { "mean", KI_F32, 1, { &v->one }, 0, (void **)&v->mean, 0 },
        { "l2", KI_F32, 1, { &v->one }, 0, (void **)&v->l2, 0 },
        { "user_factors", KI_F32, 2, { &v->n_users, &v->dim }, 0, (void **)&v->X, 1 },
        { "item_factors", KI_F32, 2, { &v->n_items, &v->dim }, 0, (void **)&v->Y, 1 },
        { "user_bias", KI_F32, 1, { &v->n_users }, 0, (void **)&v->bu, 1 },
        { "item_bias", KI_F32, 1, { &v->n_items }, 0, (void **)&v->bi, 1 },
        { "gram", KI_F32, 2, { &v->dim, &v->dim }, 0, (void **)&v->gram, 1 },
        { "item_weight", KI_F32, 1, { &v->n_items }, 0, (void **)&v->item_weight, 1 },
    };
    memcpy(out, all, sizeof all);
    return (int)KI_COUNT(all);
}

static kith_err check_finite(const float *a, int64_t n, const char *what)
{
    for (int64_t j = 0; a != NULL && j < n; j++)
        if (!isfinite(a[j]))
            return ki_fail(KITH_EFORMAT, "%s: value %lld is not a finite number", what,
                           (long long)j);
    return KITH_OK;
}

static kith_err check(const ki_model *m)
{
    ki_vectors *v = m->state;
    kith_err err;
    if ((v->X == NULL) != (v->Y == NULL) || (v->bu == NULL) != (v->bi == NULL))
        return ki_fail(KITH_EFORMAT, "factors or biases are there for users but not for items");
    if (v->X == NULL) v->dim = 0; /* no array has told the size */
    if (v->X == NULL && v->bi == NULL)
        return ki_fail(KITH_EFORMAT, "neither factors nor biases are there");
    if (v->one != 1 || v->n_users != m->n_users || v->n_items != m->n_items)
        return ki_fail(KITH_EFORMAT, "factors are of %lld users and %lld items, want %d and %d",
                       (long long)v->n_users, (long long)v->n_items, m->n_users, m->n_items);
    if ((err = check_finite(v->mean, 1, "mean")) != KITH_OK) return err;
    if ((err = check_finite(v->l2, 1, "l2")) != KITH_OK) return err;
    if ((err = check_finite(v->X, v->n_users * v->dim, "user factors")) != KITH_OK) return err;
    if ((err = check_finite(v->Y, v->n_items * v->dim, "item factors")) != KITH_OK) return err;
    if ((err = check_finite(v->bu, v->n_users, "user biases")) != KITH_OK) return err;
    if ((err = check_finite(v->bi, v->n_items, "item biases")) != KITH_OK) return err;
    if ((err = check_finite(v->item_weight, v->n_items, "item weights")) != KITH_OK) return err;
    return check_finite(v->gram, v->dim * v->dim, "gram");
}

kith_err ki_vectors_check_gram(const ki_model *m)
{
    const ki_vectors *v = m->state;
    if (v->X != NULL && v->gram != NULL) return KITH_OK;
    return ki_fail(KITH_EFORMAT, "the factors or the gram are missing that %s reads",
                   m->desc->name);
}

/* ---- the ridge solve of one history ---- */

static float centred(const ki_vectors *v, const ki_query *q, int32_t j)
{
    return q->values[j] - *v->mean - (v->bi != NULL ? v->bi[q->items[j]] : 0);
}

static float user_bias(const ki_vectors *v, const ki_query *q)
{
    double sum = 0;
    if (v->bu == NULL || q->n == 0) return 0;
    for (int32_t j = 0; j < q->n; j++) sum += centred(v, q, j);
    return (float)(sum / ((double)q->n + *v->l2));
}

/* A = L'L of Y_h' Y_h + l2 I; ones is room for [n].  Where rounding spoils it (l2 near 0) the ridge
 * grows until it does not; 0 when that did not help either. */
static int factor_history(const ki_vectors *v, const ki_query *q, float *A, float *ones)
{
    const ki_kernels *k = ki_kernels_get();
    const int64_t d = v->dim;
    float l2 = *v->l2;
    for (int32_t j = 0; j < q->n; j++) ones[j] = 1;
    for (int tries = 0; tries < 8; tries++) {
        memset(A, 0, (size_t)(d * d) * sizeof *A);
        for (int64_t c = 0; c < d; c++) A[c * d + c] = l2;
        k->gram_rows(A, v->Y, q->items, ones, q->n, d);
        const float corner = A[0];
        if (k->chol(A, d) == 0) return 1;
        l2 = KI_MAX(10 * l2, 1e-6f * corner + 1e-12f);
    }
    return 0;
}

static void fold_in(const ki_vectors *v, const ki_query *q, float *x, float *bias, float *scratch)
{
    const ki_kernels *k = ki_kernels_get();
    const int64_t d = v->dim;
    *bias = user_bias(v, q);
    if (d == 0) return;
    memset(x, 0, (size_t)d * sizeof *x);
    if (!factor_history(v, q, scratch, scratch + d * d)) return;
    for (int32_t j = 0; j < q->n; j++)
        k->axpy(x, centred(v, q, j) - *bias, v->Y + q->items[j] * d, d);
    k->chol_solve(scratch, x, d);
}

/* ---- asking ---- */

static void sizes(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats)
{
    const ki_vectors *v = m->state;
    *query_floats = v->dim + 1;
    *scratch_floats = KI_MAX(v->dim * v->dim + v->dim + v->n_items, (GROUP + TILE) * v->dim);
}

static kith_err prepare(const ki_model *m, const ki_query *q, float *prepared, float *scratch)
{
    const ki_vectors *v = m->state;
    const int64_t d = v->dim;
    float bias = 0;
    if (q->n == 0)
        memset(prepared, 0, (size_t)d * sizeof *prepared);
    else if (q->user >= 0) {
        if (d > 0) memcpy(prepared, v->X + q->user * d, (size_t)d * sizeof *prepared);
        if (v->bu != NULL) bias = v->bu[q->user];
    } else if (m->desc->fold_in != NULL) {
        const kith_err err = m->desc->fold_in(m, q, prepared, &bias, scratch);
        if (err != KITH_OK) return err;
    } else
        fold_in(v, q, prepared, &bias, scratch);
    prepared[d] = *v->mean + bias;
    return KITH_OK;
}

/* The rows of `out` without biases: X Y' for nq <= GROUP queries and n rows of Y. */
static void multiply(int64_t d, const float *prepared, int nq, const float *Y, int64_t n,
                     float *out, int64_t ld, float *scratch)
{
    for (int j = 0; j < nq; j++)
        memcpy(scratch + j * d, prepared + j * (d + 1), (size_t)d * sizeof *scratch);
    ki_kernels_get()->score_tile(out, ld, scratch, nq, Y, n, d);
}

static void add_biases(const ki_vectors *v, float base, int32_t begin, int32_t end, float *out)
{
    if (v->bi == NULL && base == 0)
        return; /* ials, svd: nothing to add, and no pass over the tile */
    if (v->bi == NULL)
        for (int32_t i = begin; i < end; i++) out[i - begin] += base;
    else
        for (int32_t i = begin; i < end; i++) out[i - begin] += base + v->bi[i];
}

static void score(const ki_model *m, const ki_query *q, const float *prepared, int nq,
                  int32_t begin, int32_t end, float *out, int64_t ld, float *scratch)
{
    const ki_vectors *v = m->state;
    const int64_t stride = v->dim + 1;
    (void)q;
    for (int j = 0; j < nq; j += GROUP) {
        const int n = KI_MIN(GROUP, nq - j);
        if (v->dim > 0)
            multiply(v->dim, prepared + j * stride, n, v->Y + begin * v->dim, end - begin,
                     out + j * ld, ld, scratch);
        for (int g = j; g < j + n; g++) {
            if (v->dim == 0) memset(out + g * ld, 0, (size_t)(end - begin) * sizeof *out);
            add_biases(v, prepared[g * stride + v->dim], begin, end, out + g * ld);
        }
    }
}

static int reach(const ki_model *m, float *out)
{
    const ki_vectors *v = m->state;
    if (v->dim == 0 || v->bi != NULL) return 0;
    for (int64_t i = 0; i < v->n_items; i++) {
        double sum = 0;
        for (int64_t c = 0; c < v->dim; c++)
            sum += (double)v->Y[i * v->dim + c] * v->Y[i * v->dim + c];
        out[i] = (float)sqrt(sum);
    }
    return 1;
}

/* A product of d terms is above the exact one by at most d 2^-24 |x| |y|; twice that covers the
 * norms and the second order, and base takes the rounding of its own sum. */
static void limit(const ki_model *m, const float *prepared, double *base, double *size)
{
    const int64_t d = ((const ki_vectors *)m->state)->dim;
    const double bit = 0x1p-24;
    double sum = 0;
    for (int64_t c = 0; c < d; c++) sum += (double)prepared[c] * prepared[c];
    *size = sqrt(sum) * (1 + 2 * (double)(d + 4) * bit);
    *base = prepared[d] + 2 * bit * fabs((double)prepared[d]);
}

static void score_at(const ki_model *m, const float *prepared, int nq, const int32_t *items,
                     int32_t n, float *out, int64_t ld, float *scratch)
{
    const ki_vectors *v = m->state;
    const int64_t d = v->dim, stride = d + 1;
    float *rows = scratch + GROUP * d;
    for (int32_t t = 0; t < n; t++)
        memcpy(rows + t * d, v->Y + items[t] * d, (size_t)d * sizeof *rows);
    for (int j = 0; j < nq; j += GROUP)
        multiply(d, prepared + j * stride, KI_MIN(GROUP, nq - j), rows, n, out + j * ld, ld,
                 scratch);
    for (int j = 0; j < nq; j++) {
        const float base = prepared[j * stride + d];
        for (int32_t t = 0; base != 0 && t < n; t++) out[j * ld + t] += base;
    }
}

static int is_cold(const ki_model *m, int32_t item)
{
    int32_t low = 0, high = m->n_cold;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (m->cold[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    return low < m->n_cold && m->cold[low] == item;
}

static void predict(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    for (int j = 0; j < n; j++) { /* one-item tiles, so that the bits are those of a list */
        score(m, q, prepared, 1, items[j], items[j] + 1, out + j, 1, scratch);
        supported[j] = q->n > 0 && !is_cold(m, items[j]);
    }
}

static int explain(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                   ki_term *out, float *scratch)
{
    const ki_kernels *k = ki_kernels_get();
    const ki_vectors *v = m->state;
    const int64_t d = v->dim;
    float *z = scratch + d * d, *ones = z + d;
    const float bias = user_bias(v, q);
    (void)prepared;
    if (d == 0 || q->n == 0 || !factor_history(v, q, scratch, ones)) return 0;
    memcpy(z, v->Y + item * d, (size_t)d * sizeof *z);
    k->chol_solve(scratch, z, d);
    for (int32_t j = 0; j < q->n; j++) {
        const float along = k->dot(z, v->Y + q->items[j] * d, d);
        out[j] = (ki_term){ q->items[j], (centred(v, q, j) - bias) * along };
    }
    return q->n;
}

/* Cosine; without factors no item is like another, which -inf says. */
static void similar(const ki_model *m, int32_t item, float *out, float *scratch)
{
    const ki_kernels *k = ki_kernels_get();
    const ki_vectors *v = m->state;
    const int64_t d = v->dim;
    (void)scratch;
    if (d == 0) {
        for (int64_t i = 0; i < v->n_items; i++) out[i] = -INFINITY;
        return;
    }
    const float *y = v->Y + item * d;
    const float norm = sqrtf(k->dot(y, y, d));
    k->dot_rows(out, v->Y, y, v->n_items, d);
    for (int64_t i = 0; i < v->n_items; i++) {
        const float *z = v->Y + i * d;
        const float both = norm * sqrtf(k->dot(z, z, d));
        out[i] = both > 0 ? out[i] / both : 0;
    }
}

kith_err ki_vectors_forget(const ki_model *m, int32_t u, int64_t from, int64_t n)
{
    const ki_vectors *v = m->state;
    (void)from, (void)n;
    if (v->X != NULL) memset(v->X + u * v->dim, 0, (size_t)v->dim * sizeof *v->X);
    if (v->bu != NULL) v->bu[u] = 0;
    return KITH_OK;
}

const ki_form ki_form_vectors = {
    .name = "vectors",
    .size = sizeof(ki_vectors),
    .fields = fields,
    .check = check,
    .sizes = sizes,
    .prepare = prepare,
    .score = score,
    .tile = TILE,
    .reach = reach,
    .limit = limit,
    .score_at = score_at,
    .predict = predict,
    .explain = explain,
    .similar = similar,
    .forget = ki_vectors_forget,
};
