/* SPDX-License-Identifier: MIT
 * ref.c -- the kernels as plain loops: fallback for any CPU and oracle for the tests
 *
 * Built without vectorising or contraction, so its bits stay where they are.
 */
#include "simd/kernels.h"

#include <stddef.h>

#include <math.h>

static float dot(const float *a, const float *b, int64_t n)
{
    float sum = 0;
    for (int64_t j = 0; j < n; j++) sum += a[j] * b[j];
    return sum;
}

static void axpy(float *y, float a, const float *x, int64_t n)
{
    for (int64_t j = 0; j < n; j++) y[j] += a * x[j];
}

static void dot_rows(float *out, const float *Y, const float *x, int64_t n_rows, int64_t dim)
{
    for (int64_t r = 0; r < n_rows; r++) out[r] = dot(Y + r * dim, x, dim);
}

static void score_tile(float *out, int64_t ld, const float *X, int64_t nq, const float *Y,
                       int64_t n_rows, int64_t dim)
{
    for (int64_t q = 0; q < nq; q++) dot_rows(out + q * ld, Y, X + q * dim, n_rows, dim);
}

static void gram_rows(float *A, const float *Y, const int32_t *rows, const float *w, int64_t n,
                      int64_t dim)
{
    for (int64_t t = 0; t < n; t++) {
        const float *y = Y + (int64_t)rows[t] * dim;
        for (int64_t a = 0; a < dim; a++) axpy(A + a * dim, w[t] * y[a], y, a + 1);
    }
}

static void dot_at(float *out, const float *Y, const int32_t *rows, const float *x, int64_t n,
                   int64_t dim)
{
    for (int64_t t = 0; t < n; t++) out[t] = dot(Y + rows[t] * dim, x, dim);
}

static void axpy_at(float *y, const float *a, const float *Y, const int32_t *rows, int64_t n,
                    int64_t dim)
{
    for (int64_t t = 0; t < n; t++) axpy(y, a[t], Y + rows[t] * dim, dim);
}

/* y += sum_t (base + w[t] (one + sign y_t.x)) y_t */
static void add_rows(float *y, const ki_cg_row *q, const float *x, float base, float one,
                     float sign)
{
    for (int64_t t = 0; t < q->n; t++) {
        const float *row = q->Y + q->rows[t] * q->dim;
        axpy(y, base + q->w[t] * (one + sign * dot(row, x, q->dim)), row, q->dim);
    }
}

static void cg(float *x, const ki_cg_row *q, int32_t steps, float *scratch)
{
    const int64_t d = q->dim;
    float *D = scratch, *inverse = D + d, *r = inverse + d, *p = r + d, *Ap = p + d;
    float rz = 0, share = 0;
    for (int64_t t = 0; t < q->n; t++) share += q->share * q->w[t];
    for (int64_t j = 0; j < d; j++) {
        const float M = (D[j] = q->a * q->S[j] + q->l) + share * q->S[j];
        inverse[j] = M > 0 ? 1 / M : 0;
        r[j] = -D[j] * x[j];
    }
    add_rows(r, q, x, q->a, 1, -1); /* b - Ax */
    for (int64_t j = 0; j < d; j++) rz += (p[j] = inverse[j] * r[j]) * r[j];
    for (int32_t step = 0; step < steps; step++) {
        for (int64_t j = 0; j < d; j++) Ap[j] = D[j] * p[j];
        add_rows(Ap, q, p, 0, 0, 1);
        const float pAp = dot(p, Ap, d), before = rz;
        if (!(pAp > 0) || !(rz > 0)) return; /* solved already */
        axpy(x, rz / pAp, p, d);
        axpy(r, -rz / pAp, Ap, d);
        rz = 0;
        for (int64_t j = 0; j < d; j++) rz += inverse[j] * r[j] * r[j];
        for (int64_t j = 0; j < d; j++) p[j] = inverse[j] * r[j] + rz / before * p[j];
    }
}

static int64_t scan_above(int32_t *at, const float *x, int64_t n, float threshold)
{
    int64_t found = 0;
    for (int64_t j = 0; j < n; j++)
        if (x[j] > threshold) at[found++] = (int32_t)j;
    return found;
}

static int64_t scan_bytes(int32_t *at, const char *text, int64_t n, char a, char b)
{
    int64_t found = 0;
    for (int64_t j = 0; j < n; j++)
        if (text[j] == a || text[j] == b) at[found++] = (int32_t)j;
    return found;
}

static int bound_bytes(float *lower, float *upper, const ki_bytes_query *q, const uint8_t *rows,
                       float least)
{
    const float *scale = (const float *)(const void *)(rows + q->quads * 32);
    const float *size = scale + 8, *lost = size + 8, *bias = lost + 8;
    int hits = 0;
    for (int r = 0; r < 8; r++) {
        int32_t sum = 0;
        for (int64_t j = 0; j < 4 * q->quads; j++)
            sum += q->x[j] * rows[(j / 4 * 8 + r) * 4 + j % 4];
        const float middle = q->scale * scale[r] * (float)(sum - q->shift) + bias[r];
        const float width = q->lost * size[r] + (q->norm * lost[r] + q->loose);
        lower[r] = middle - width;
        upper[r] = middle + width;
        hits |= (upper[r] >= least) << r;
    }
    return hits;
}

static double sgd_run(const ki_sgd *s, const ki_sgd_rating *x, int64_t n)
{
    double sum = 0;
    for (const ki_sgd_rating *stop = x + n; x < stop; x++) {
        float *p = s->P + x->u * s->stride, *q = s->Q + x->i * s->stride;
        float *bu = p + s->stride - 1, *bi = q + s->stride - 1;
        const float e = x->r - s->mean - (*bu + *bi) - dot(p, q, s->width);
        *bu += s->lr_bu * (e - s->reg_bu * *bu);
        *bi += s->lr_bi * (e - s->reg_bi * *bi);
        for (int64_t j = 0; j < s->width; j++) {
            const float pj = p[j];
            p[j] += s->lr_p * (e * q[j] - s->reg_p * pj);
            q[j] += s->lr_q * (e * pj - s->reg_q * q[j]);
        }
        sum += (double)e * e;
    }
    return sum;
}

static int64_t chol(float *A, int64_t d)
{
    for (int64_t k = d - 1; k >= 0; k--) {
        float *row = A + k * d;
        if (!(row[k] > 0)) return 1 + k;
        row[k] = 1 / sqrtf(row[k]);
        for (int64_t j = 0; j < k; j++) row[j] *= row[k];
        for (int64_t i = 0; i < k; i++) axpy(A + i * d, -row[i], row, i + 1);
    }
    return 0;
}

static void chol_solve(const float *L, float *b, int64_t d)
{
    for (int64_t k = d - 1; k >= 0; k--) { /* L'z = b */
        b[k] *= L[k * d + k];
        axpy(b, -b[k], L + k * d, k);
    }
    for (int64_t k = 0; k < d; k++) /* L x = z */
        b[k] = (b[k] - dot(L + k * d, b, k)) * L[k * d + k];
}

void ki_kernels_ref(ki_kernels *k)
{
    *k = (ki_kernels){
        .name = "ref",
        .dot = dot,
        .axpy = axpy,
        .dot_rows = dot_rows,
        .score_tile = score_tile,
        .gram_rows = gram_rows,
        .dot_at = dot_at,
        .axpy_at = axpy_at,
        .cg = cg,
        .scan_above = scan_above,
        .scan_bytes = scan_bytes,
        .bound_bytes = bound_bytes,
        .sgd_run = sgd_run,
        .chol = chol,
        .chol_solve = chol_solve,
    };
}
