/* SPDX-License-Identifier: MIT
 * similarity.c -- weighing rows, summing over common columns, and what the sums amount to
 *
 * A cell holds the sums of one pair of rows, interleaved so that one pair is one place in memory:
 *
 *      lanes 1   sum ab                                 whole-row measures
 *      lanes 2   sum ab, n                              the same with shrinkage or min_support
 *      lanes 4   sum ab, n, sum aa, sum bb              co-rated measures
 *      lanes 6   sum ab, n, sum aa, sum bb, sum a, sum b    pearson
 */
#include "model/similarity.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum { AB, N, AA, BB, A, B };

static int sees_whole_rows(const ki_similarity *how)
{
    return how->measure <= KI_JACCARD;
}

int ki_similarity_lanes(const ki_similarity *how)
{
    if (how->measure == KI_PEARSON) return 6;
    if (!sees_whole_rows(how)) return 4;
    return how->shrinkage > 0 || how->min_support > 1 ? 2 : 1;
}

/* ---- weighing ---- */

static kith_err refuse_negative(const ki_similarity *how, const ki_csr *by_row)
{
    if (how->measure != KI_TFIDF && how->measure != KI_BM25 && how->measure != KI_DEGREE)
        return KITH_OK;
    for (int64_t j = 0; j < ki_csr_nnz(by_row); j++)
        if (by_row->val[j] < 0)
            return ki_fail(
                KITH_EDATA,
                "similarity tfidf, bm25 and degree need values of at least 0, and the data has "
                "%g; use cosine or pearson",
                (double)by_row->val[j]);
    return KITH_OK;
}

static double sum_of(const float *x, int64_t n)
{
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += x[j];
    return sum;
}

static double inverse_root(double x)
{
    return x > 0 ? 1 / sqrt(x) : 0;
}

static float column_part(const ki_similarity *how, const ki_csr *by_col, int32_t c, int32_t n_rows)
{
    const int64_t n = ki_csr_len(by_col, c);
    const double sum = sum_of(by_col->val + by_col->ptr[c], n);
    if (how->measure == KI_DEGREE) return (float)inverse_root(sum);
    if (how->measure == KI_ADJUSTED_COSINE) return n > 0 ? (float)(sum / (double)n) : 0;
    return (float)(log((double)n_rows) - log1p((double)n)); /* idf */
}

kith_err ki_weights_make(ki_weights *out, const ki_similarity *how, const ki_csr *by_row,
                         const ki_csr *by_col, double mean, const float *column_base)
{
    ki_weights w = { 0 };
    kith_err err = refuse_negative(how, by_row);
    if (err != KITH_OK) return err;
    if (how->measure == KI_PEARSON) w.shift = (float)rint(mean);
    if (how->measure == KI_PEARSON_BASELINE) w.shift = (float)mean;
    if (how->measure == KI_BM25)
        w.length = (float)(sum_of(by_row->val, ki_csr_nnz(by_row)) / KI_MAX(by_row->n_rows, 1));
    if (how->measure == KI_TFIDF || how->measure == KI_BM25 || how->measure == KI_DEGREE ||
        how->measure == KI_ADJUSTED_COSINE || how->measure == KI_PEARSON_BASELINE) {
        err = ki_alloc(&w.column, (size_t)by_row->n_cols, sizeof *w.column);
        if (err != KITH_OK) return err;
        for (int32_t c = 0; c < by_row->n_cols; c++)
            w.column[c] = how->measure == KI_PEARSON_BASELINE
                              ? column_base[c]
                              : column_part(how, by_col, c, by_row->n_rows);
    }
    *out = w;
    return KITH_OK;
}

void ki_weights_clear(ki_weights *w)
{
    ki_free(w->column);
    *w = (ki_weights){ 0 };
}

static void divide_by_norm(float *x, int64_t n)
{
    double squares = 0;
    for (int64_t j = 0; j < n; j++) squares += (double)x[j] * x[j];
    const float scale = (float)inverse_root(squares);
    for (int64_t j = 0; j < n; j++) x[j] *= scale;
}

static void weigh_bm25(const ki_similarity *how, const ki_weights *w, const int32_t *idx,
                       const float *val, int64_t n, float *x)
{
    const float length = (float)sum_of(val, n) / w->length;
    const float k = how->k1 * (1 - how->b + how->b * length);
    for (int64_t j = 0; j < n; j++)
        x[j] = val[j] > 0 ? val[j] * (how->k1 + 1) / (k + val[j]) * w->column[idx[j]] : 0;
}

static void weigh_degree(const ki_weights *w, const int32_t *idx, const float *val, int64_t n,
                         float *x)
{
    const float scale = (float)inverse_root(sum_of(val, n));
    for (int64_t j = 0; j < n; j++) x[j] = val[j] * scale * w->column[idx[j]];
}

void ki_similarity_weigh(const ki_similarity *how, const ki_weights *w, float row_base,
                         const int32_t *idx, const float *val, int64_t n, float *x)
{
    switch ((enum ki_measure)how->measure) {
    case KI_COSINE:
        memcpy(x, val, (size_t)n * sizeof *x);
        divide_by_norm(x, n);
        break;
    case KI_TFIDF:
        for (int64_t j = 0; j < n; j++) x[j] = sqrtf(fmaxf(val[j], 0)) * w->column[idx[j]];
        divide_by_norm(x, n);
        break;
    case KI_BM25: weigh_bm25(how, w, idx, val, n, x); break;
    case KI_DEGREE: weigh_degree(w, idx, val, n, x); break;
    case KI_JACCARD:
        for (int64_t j = 0; j < n; j++) x[j] = 1;
        break;
    case KI_ADJUSTED_COSINE:
        for (int64_t j = 0; j < n; j++) x[j] = val[j] - w->column[idx[j]];
        break;
    case KI_PEARSON_BASELINE:
        for (int64_t j = 0; j < n; j++) x[j] = val[j] - w->shift - row_base - w->column[idx[j]];
        break;
    case KI_PEARSON:
        for (int64_t j = 0; j < n; j++) x[j] = val[j] - w->shift;
        break;
    case KI_COSINE_CORATED:
    case KI_MSD: memcpy(x, val, (size_t)n * sizeof *x); break;
    }
}

struct weigh_rows {
    const ki_similarity *how;
    const ki_weights *weights;
    const float *row_base;
    const ki_csr *by_row;
    float *x;
};

static kith_err weigh_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct weigh_rows *t = arg;
    const ki_csr *m = t->by_row;
    (void)worker;
    for (int64_t row = begin; row < end; row++) {
        const int64_t at = m->ptr[row];
        ki_similarity_weigh(t->how, t->weights, t->row_base == NULL ? 0 : t->row_base[row],
                            m->idx + at, m->val + at, m->ptr[row + 1] - at, t->x + at);
    }
    return KITH_OK;
}

kith_err ki_similarity_weigh_all(const ki_similarity *how, const ki_weights *w,
                                 const float *row_base, const ki_csr *by_row, ki_pool *pool,
                                 float *x)
{
    struct weigh_rows t = { how, w, row_base, by_row, x };
    return ki_parallel_for(pool, by_row->n_rows, 256, weigh_rows, &t);
}

/* ---- summing ---- */

static void add_products(float *restrict cells, const int32_t *restrict idx,
                         const float *restrict val, int64_t n, float a)
{
    int64_t j = 0;
    for (; j + 4 <= n; j += 4) { /* four at a time: a seventh less time on ML-1M */
        const float p0 = a * val[j], p1 = a * val[j + 1], p2 = a * val[j + 2], p3 = a * val[j + 3];
        cells[idx[j]] += p0;
        cells[idx[j + 1]] += p1;
        cells[idx[j + 2]] += p2;
        cells[idx[j + 3]] += p3;
    }
    for (; j < n; j++) cells[idx[j]] += a * val[j];
}

static void add_counted(float *restrict cells, const int32_t *restrict idx,
                        const float *restrict val, int64_t n, float a)
{
    for (int64_t j = 0; j < n; j++) {
        float *cell = cells + 2 * (size_t)idx[j];
        cell[AB] += a * val[j];
        cell[N] += 1;
    }
}

static void add_squares(float *restrict cells, const int32_t *restrict idx,
                        const float *restrict val, int64_t n, float a)
{
    const float aa = a * a;
    for (int64_t j = 0; j < n; j++) {
        float *cell = cells + 4 * (size_t)idx[j];
        cell[AB] += a * val[j];
        cell[N] += 1;
        cell[AA] += aa;
        cell[BB] += val[j] * val[j];
    }
}

static void add_moments(float *restrict cells, const int32_t *restrict idx,
                        const float *restrict val, int64_t n, float a)
{
    const float aa = a * a;
    for (int64_t j = 0; j < n; j++) {
        float *cell = cells + 6 * (size_t)idx[j];
        cell[AB] += a * val[j];
        cell[N] += 1;
        cell[AA] += aa;
        cell[BB] += val[j] * val[j];
        cell[A] += a;
        cell[B] += val[j];
    }
}

void ki_similarity_add(int lanes, const int32_t *idx, const float *x, int64_t n,
                       const ki_csr *by_col, float *cells)
{
    void (*const add)(float *, const int32_t *, const float *, int64_t, float) =
        lanes == 1   ? add_products
        : lanes == 2 ? add_counted
        : lanes == 4 ? add_squares
                     : add_moments;
    for (int64_t j = 0; j < n; j++) {
        const int64_t at = by_col->ptr[idx[j]];
        add(cells, by_col->idx + at, by_col->val + at, by_col->ptr[idx[j] + 1] - at, x[j]);
    }
}

/* ---- what the sums amount to ---- */

/* Variance times n^2 of a co-rated part, 0 where rounding alone could have made it. */
static double spread(double n, double squares, double sum)
{
    const double s = n * squares - sum * sum;
    return s > 1e-6 * n * squares ? s : 0;
}

static double correlation(const float *cell)
{
    const double n = cell[N];
    const double spreads = spread(n, cell[AA], cell[A]) * spread(n, cell[BB], cell[B]);
    return spreads > 0 ? (n * cell[AB] - (double)cell[A] * cell[B]) / sqrt(spreads) : 0;
}

static double raw_similarity(const ki_similarity *how, const float *cell, int64_t n_a, int64_t n_b)
{
    const double ab = cell[AB];
    switch ((enum ki_measure)how->measure) {
    case KI_COSINE:
    case KI_TFIDF:
    case KI_BM25:
    case KI_DEGREE: return ab;
    case KI_JACCARD: return ab > 0 ? ab / ((double)(n_a + n_b) - ab) : 0;
    case KI_PEARSON: return correlation(cell);
    case KI_MSD: {
        const double squares = (double)cell[AA] + cell[BB] - 2 * ab;
        return 1 / (1 + fmax(squares, 0) / cell[N]);
    }
    case KI_COSINE_CORATED:
    case KI_ADJUSTED_COSINE:
    case KI_PEARSON_BASELINE: break;
    }
    const double squares = (double)cell[AA] * cell[BB];
    return squares > 0 ? ab / sqrt(squares) : 0;
}

float ki_similarity_of(const ki_similarity *how, const float *cell, int64_t n_a, int64_t n_b)
{
    if (ki_similarity_lanes(how) == 1) return (float)raw_similarity(how, cell, n_a, n_b);
    const int free = how->measure == KI_PEARSON_BASELINE; /* one common column says nothing */
    const double n = cell[N] - (double)free;
    if (n < 1 || cell[N] < how->min_support) return 0;
    const double raw = raw_similarity(how, cell, n_a, n_b);
    return how->shrinkage > 0 ? (float)(raw * (n / (n + how->shrinkage))) : (float)raw;
}
