/* SPDX-License-Identifier: MIT
 * avx2_gathered.c -- AVX2 kernels over rows of a matrix that a list names
 *
 * Design      Eight rows at a time: eight sums in flight, turned into one vector of eight products.
 *             No hardware foresees a gather, so rows are asked for ahead.
 */
#include "simd/avx2.h"

#include <math.h>
#include <stddef.h>

/* The products of up to 8 rows with x, in the first lanes; the other lanes repeat row 0. */
INLINE __m256 dot_some(int rows, const float *const *y, const float *x, int64_t dim)
{
    __m256 s[LANES];
    int64_t j = 0;
    for (int r = 0; r < LANES; r++) s[r] = _mm256_setzero_ps();
    for (; j + LANES <= dim; j += LANES) {
        const __m256 xj = _mm256_loadu_ps(x + j);
        for (int r = 0; r < rows; r++) s[r] = _mm256_fmadd_ps(_mm256_loadu_ps(y[r] + j), xj, s[r]);
    }
    if (j < dim) {
        const __m256i on = first_lanes(dim - j);
        const __m256 xj = _mm256_maskload_ps(x + j, on);
        for (int r = 0; r < rows; r++)
            s[r] = _mm256_fmadd_ps(_mm256_maskload_ps(y[r] + j, on), xj, s[r]);
    }
    transpose(s); /* lane r of each is a part of row r's sum */
    return _mm256_add_ps(_mm256_add_ps(_mm256_add_ps(s[0], s[1]), _mm256_add_ps(s[2], s[3])),
                         _mm256_add_ps(_mm256_add_ps(s[4], s[5]), _mm256_add_ps(s[6], s[7])));
}

/* Where rows[t..t + 8) begin, the last of n repeated. */
INLINE void find_rows(const float **y, const float *Y, const int32_t *rows, int64_t t, int64_t n,
                      int64_t dim)
{
    for (int64_t r = 0; r < LANES; r++) y[r] = Y + rows[t + r < n ? t + r : n - 1] * dim;
}

static void dot_at(float *out, const float *Y, const int32_t *rows, const float *x, int64_t n,
                   int64_t dim)
{
    const float *y[LANES];
    for (int64_t t = 0; t < n; t += LANES) {
        find_rows(y, Y, rows, t, n, dim);
        const __m256 s = n - t > 4 ? dot_some(8, y, x, dim) : dot_some(4, y, x, dim);
        _mm256_maskstore_ps(out + t, first_lanes(n - t), s);
    }
}

/* y[0, 8 v) += sum_r a[r] row_r[c..): for v registers of y. */
INLINE void add_some(int v, int rows, float *y, const float *a, const float *const *row, int64_t c)
{
    __m256 s[LANES];
    for (int k = 0; k < v; k++) s[k] = _mm256_loadu_ps(y + c + k * LANES);
    for (int r = 0; r < rows; r++) {
        const __m256 ar = _mm256_broadcast_ss(a + r);
        for (int k = 0; k < v; k++)
            s[k] = _mm256_fmadd_ps(ar, _mm256_loadu_ps(row[r] + c + k * LANES), s[k]);
    }
    for (int k = 0; k < v; k++) _mm256_storeu_ps(y + c + k * LANES, s[k]);
}

INLINE void add_all(int rows, float *y, const float *a, const float *const *row, int64_t dim)
{
    int64_t c = 0;
    for (; c + 8 * LANES <= dim; c += 8 * LANES) add_some(8, rows, y, a, row, c);
    for (; c + LANES <= dim; c += LANES) add_some(1, rows, y, a, row, c);
    for (int r = 0; r < rows; r++)
        for (int64_t j = c; j < dim; j++) y[j] = fmaf(a[r], row[r][j], y[j]);
}

/* Ask for a row that is needed soon: no hardware foresees a gather. */
INLINE void fetch_row(const float *row, int64_t dim)
{
    for (int64_t j = 0; j < dim; j += 2 * LANES) _mm_prefetch((const char *)(row + j), _MM_HINT_T0);
}

static void normal_at(float *y, const float *a, const float *w, const float *Y, const int32_t *rows,
                      const float *x, int64_t n, int64_t dim)
{
    const float *row[LANES];
    float by[LANES];
    for (int64_t t = 0; t < n; t += LANES) {
        const __m256i on = first_lanes(n - t);
        find_rows(row, Y, rows, t, n, dim);
        for (int64_t r = t + LANES; r < n && r < t + 2 * LANES; r++)
            fetch_row(Y + rows[r] * dim, dim);
        const __m256 s = n - t > 4 ? dot_some(8, row, x, dim) : dot_some(4, row, x, dim);
        const __m256 at = a != NULL ? _mm256_maskload_ps(a + t, on) : _mm256_setzero_ps();
        _mm256_storeu_ps(by, _mm256_fmadd_ps(_mm256_maskload_ps(w + t, on), s, at));
        if (n - t > 4)
            add_all(8, y, by, row, dim);
        else
            add_all(4, y, by, row, dim);
    }
}

/* y[c, c + 8 v) += sum_t a[t] Y[rows[t], c..): v sums stay in registers over all rows. */
INLINE void axpy_columns(int v, float *y, const float *a, const float *Y, const int32_t *rows,
                         int64_t n, int64_t dim, int64_t c)
{
    __m256 s[8];
    for (int k = 0; k < v; k++) s[k] = _mm256_loadu_ps(y + c + k * LANES);
    for (int64_t t = 0; t < n; t++) {
        const float *row = Y + rows[t] * dim + c;
        const __m256 at = _mm256_broadcast_ss(a + t);
        for (int k = 0; k < v; k++)
            s[k] = _mm256_fmadd_ps(at, _mm256_loadu_ps(row + k * LANES), s[k]);
    }
    for (int k = 0; k < v; k++) _mm256_storeu_ps(y + c + k * LANES, s[k]);
}

static void axpy_at(float *y, const float *a, const float *Y, const int32_t *rows, int64_t n,
                    int64_t dim)
{
    int64_t c = 0;
    for (; c + 8 * LANES <= dim; c += 8 * LANES) axpy_columns(8, y, a, Y, rows, n, dim, c);
    for (; c + LANES <= dim; c += LANES) axpy_columns(1, y, a, Y, rows, n, dim, c);
    for (int64_t t = 0; c < dim && t < n; t++)
        for (int64_t j = c; j < dim; j++) y[j] = fmaf(a[t], Y[rows[t] * dim + j], y[j]);
}

void ki_avx2_gathered(ki_kernels *k)
{
    k->dot_at = dot_at;
    k->axpy_at = axpy_at;
    k->normal_at = normal_at;
}
