/* SPDX-License-Identifier: MIT
 * avx512.c -- kernels for x86-64 with AVX-512F: avx2.c made twice as wide, tails by mask registers
 *
 * Files       avx512_sgd.c: steps of gradient descent
 *
 * The small Cholesky stays avx2's: its panels are eight rows, and the vectors short.
 */
#include "simd/avx512.h"

#include <math.h>

enum {
    PANEL = 2 * LANES,
    BLOCK = 6,   /* rows of a register block: 12 sums in flight */
    DEPTH = 256, /* terms of a packed panel: 32 KB */
    GATHER = 64, /* rows of Y that gram_rows adds at a time */
};

/* The first n lanes on: none for n <= 0, all for n >= 16. */
INLINE __mmask16 first_lanes(int64_t n)
{
    return n >= LANES ? (__mmask16)0xffff : n <= 0 ? (__mmask16)0 : (__mmask16)((1u << n) - 1);
}

/* ---- vectors ---- */

static float dot(const float *a, const float *b, int64_t n)
{
    __m512 s[4] = { _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                    _mm512_setzero_ps() };
    int64_t j = 0;
    for (; j + 4 * LANES <= n; j += 4 * LANES)
        for (int v = 0; v < 4; v++)
            s[v] = _mm512_fmadd_ps(_mm512_loadu_ps(a + j + v * LANES),
                                   _mm512_loadu_ps(b + j + v * LANES), s[v]);
    for (; j < n; j += LANES) {
        const __mmask16 on = first_lanes(n - j);
        s[0] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(on, a + j), _mm512_maskz_loadu_ps(on, b + j),
                               s[0]);
    }
    return _mm512_reduce_add_ps(
        _mm512_add_ps(_mm512_add_ps(s[0], s[1]), _mm512_add_ps(s[2], s[3])));
}

static void axpy(float *y, float a, const float *x, int64_t n)
{
    const __m512 aa = _mm512_set1_ps(a);
    for (int64_t j = 0; j < n; j += LANES) {
        const __mmask16 on = first_lanes(n - j);
        const __m512 xj = _mm512_maskz_loadu_ps(on, x + j), yj = _mm512_maskz_loadu_ps(on, y + j);
        _mm512_mask_storeu_ps(y + j, on, _mm512_fmadd_ps(aa, xj, yj));
    }
}

/* Sums of `rows` rows with x; the same order for any `rows`. */
INLINE void dot_block(int rows, float *out, const float *Y, const float *x, int64_t dim)
{
    __m512 s[4];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) s[r] = _mm512_setzero_ps();
    for (int64_t j = 0; j < dim; j += LANES) {
        const __mmask16 on = first_lanes(dim - j);
        const __m512 xj = _mm512_maskz_loadu_ps(on, x + j);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++)
            s[r] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(on, Y + r * dim + j), xj, s[r]);
    }
    for (int r = 0; r < rows; r++) out[r] = _mm512_reduce_add_ps(s[r]);
}

static void dot_rows(float *out, const float *Y, const float *x, int64_t n_rows, int64_t dim)
{
    int64_t r = 0;
    for (; r + 4 <= n_rows; r += 4) dot_block(4, out + r, Y + r * dim, x, dim);
    for (; r < n_rows; r++) dot_block(1, out + r, Y + r * dim, x, dim);
}

static int64_t scan_above(int32_t *at, const float *x, int64_t n, float threshold)
{
    const __m512 t = _mm512_set1_ps(threshold);
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    int64_t found = 0;
    for (int64_t j = 0; j < n; j += LANES) {
        const __mmask16 on = first_lanes(n - j);
        const __mmask16 above =
            _mm512_mask_cmp_ps_mask(on, _mm512_maskz_loadu_ps(on, x + j), t, _CMP_GT_OQ);
        if (above == 0) continue;
        const int count = __builtin_popcount(above);
        const __m512i place = _mm512_add_epi32(lane, _mm512_set1_epi32((int)j));
        _mm512_mask_storeu_epi32(at + found, first_lanes(count),
                                 _mm512_maskz_compress_epi32(above, place));
        found += count;
    }
    return found;
}

/* ---- many dots: out = X Y' ---- */

/* v[r][j] = v[j][r]: rounds of exchanges of 1 and 2 lanes, then of 4 and 8. */
INLINE void transpose(__m512 v[LANES])
{
    __m512 a[LANES], b[LANES];
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r += 2) {
        a[r] = _mm512_unpacklo_ps(v[r], v[r + 1]);
        a[r + 1] = _mm512_unpackhi_ps(v[r], v[r + 1]);
    }
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r += 4) { /* b[r + c]: column c of four rows, in each quarter */
        b[r] = _mm512_shuffle_ps(a[r], a[r + 2], 0x44);
        b[r + 1] = _mm512_shuffle_ps(a[r], a[r + 2], 0xee);
        b[r + 2] = _mm512_shuffle_ps(a[r + 1], a[r + 3], 0x44);
        b[r + 3] = _mm512_shuffle_ps(a[r + 1], a[r + 3], 0xee);
    }
#pragma GCC unroll 16
    for (int c = 0; c < 4;
         c++) { /* quarters 0 and 2, 1 and 3, of the upper and the lower eight rows */
        const __m512 even0 = _mm512_shuffle_f32x4(b[c], b[c + 4], 0x88),
                     odd0 = _mm512_shuffle_f32x4(b[c], b[c + 4], 0xdd),
                     even1 = _mm512_shuffle_f32x4(b[c + 8], b[c + 12], 0x88),
                     odd1 = _mm512_shuffle_f32x4(b[c + 8], b[c + 12], 0xdd);
        v[c] = _mm512_shuffle_f32x4(even0, even1, 0x88);
        v[c + 4] = _mm512_shuffle_f32x4(odd0, odd1, 0x88);
        v[c + 8] = _mm512_shuffle_f32x4(even0, even1, 0xdd);
        v[c + 12] = _mm512_shuffle_f32x4(odd0, odd1, 0xdd);
    }
}

/* panel[j, r] = Y[r, j] for 32 rows; rows past the last repeat it, columns past `depth` are 0. */
static void pack_rows(float *panel, const float *Y, int64_t dim, int64_t n_rows, int64_t depth)
{
    for (int64_t half = 0; half < PANEL; half += LANES)
        for (int64_t j = 0; j < depth; j += LANES) {
            const __mmask16 on = first_lanes(depth - j);
            __m512 v[LANES];
#pragma GCC unroll 16
            for (int64_t r = 0; r < LANES; r++) {
                const int64_t row = half + r < n_rows ? half + r : n_rows - 1;
                v[r] = _mm512_maskz_loadu_ps(on, Y + row * dim + j);
            }
            for (int64_t r = 0; r < LANES; r++) /* the next panel, while this one is multiplied */
                _mm_prefetch(ki_ahead(Y, (half + r + PANEL) * dim + j), _MM_HINT_T0);
            transpose(v);
#pragma GCC unroll 16
            for (int64_t r = 0; r < LANES; r++)
                _mm512_store_ps(panel + (j + r) * PANEL + half, v[r]);
        }
}

/* out[nq, n_rows <= 32] (+)= X[nq, depth] panel[depth, 32]; `more`: what stands in out are the
 * terms before. */
INLINE void score_block(int nq, float *out, int64_t ld, int64_t n_rows, const float *X, int64_t dim,
                        const float *panel, int64_t depth, int more)
{
    const __mmask16 on0 = first_lanes(n_rows), on1 = first_lanes(n_rows - LANES);
    __m512 s[BLOCK], t[BLOCK]; /* left and right half of the panel */
#pragma GCC unroll 8
    for (int q = 0; q < nq; q++) {
        s[q] = _mm512_maskz_loadu_ps(more ? on0 : 0, out + q * ld);
        t[q] = _mm512_maskz_loadu_ps(more ? on1 : 0, out + q * ld + LANES);
    }
    for (int64_t j = 0; j < depth; j++) {
        const __m512 y0 = _mm512_load_ps(panel + j * PANEL);
        const __m512 y1 = _mm512_load_ps(panel + j * PANEL + LANES);
#pragma GCC unroll 8
        for (int q = 0; q < nq; q++) {
            const __m512 x = _mm512_set1_ps(X[q * dim + j]);
            s[q] = _mm512_fmadd_ps(x, y0, s[q]);
            t[q] = _mm512_fmadd_ps(x, y1, t[q]);
        }
    }
#pragma GCC unroll 8
    for (int q = 0; q < nq; q++) {
        _mm512_mask_storeu_ps(out + q * ld, on0, s[q]);
        _mm512_mask_storeu_ps(out + q * ld + LANES, on1, t[q]);
    }
}

static void score_some(int64_t nq, float *out, int64_t ld, int64_t n_rows, const float *X,
                       int64_t dim, const float *panel, int64_t depth, int more)
{
    switch (nq) {
    case 1: score_block(1, out, ld, n_rows, X, dim, panel, depth, more); break;
    case 2: score_block(2, out, ld, n_rows, X, dim, panel, depth, more); break;
    case 3: score_block(3, out, ld, n_rows, X, dim, panel, depth, more); break;
    case 4: score_block(4, out, ld, n_rows, X, dim, panel, depth, more); break;
    case 5: score_block(5, out, ld, n_rows, X, dim, panel, depth, more); break;
    default: score_block(BLOCK, out, ld, n_rows, X, dim, panel, depth, more); break;
    }
}

static void score_tile(float *out, int64_t ld, const float *X, int64_t nq, const float *Y,
                       int64_t n_rows, int64_t dim)
{
    _Alignas(64) float panel[DEPTH * PANEL];
    for (int64_t r = 0; r < n_rows; r += PANEL) {
        const int64_t rows = r + PANEL <= n_rows ? PANEL : n_rows - r;
        int64_t j = 0;
        do { /* once for dim == 0 too: it stores zeroes */
            const int64_t depth = j + DEPTH <= dim ? DEPTH : dim - j;
            pack_rows(panel, Y + r * dim + j, dim, rows, depth);
            for (int64_t q = 0; q < nq; q += BLOCK)
                score_some(q + BLOCK <= nq ? BLOCK : nq - q, out + q * ld + r, ld, rows,
                           X + q * dim + j, dim, panel, depth, j > 0);
            j += DEPTH;
        } while (j < dim);
    }
}

/* ---- sums of outer products: A += Y'WY ---- */

/* panel[t, c] = w[t] y_t[c] for up to 32 columns, 0 beyond. */
INLINE void pack_columns(float *panel, const float *const *y, const float *w, int64_t n,
                         int64_t col, int64_t n_cols)
{
    for (int64_t t = 0; t < n; t++)
        for (int v = 0; v < 2; v++) {
            const __mmask16 on = first_lanes(n_cols - v * LANES);
            const __m512 yt = _mm512_maskz_loadu_ps(on, y[t] + col + v * LANES);
            _mm512_store_ps(panel + t * PANEL + v * LANES, _mm512_mul_ps(_mm512_set1_ps(w[t]), yt));
        }
}

/* to[c] += sum[c] for the first `keep` columns; the others are not touched. */
INLINE void add_row(float *to, __m512 sum, int64_t keep)
{
    const __mmask16 on = first_lanes(keep);
    _mm512_mask_storeu_ps(to, on, _mm512_add_ps(_mm512_maskz_loadu_ps(on, to), sum));
}

/* A[row + i, col + c] += sum_t y_t[row + i] panel[t, c] for i < nr and col + c <= row + i. */
INLINE void outer_block(int nr, float *A, int64_t ld, int64_t row, int64_t col,
                        const float *const *y, const float *panel, int64_t n)
{
    __m512 s[BLOCK], t[BLOCK];
#pragma GCC unroll 8
    for (int i = 0; i < nr; i++) s[i] = t[i] = _mm512_setzero_ps();
    for (int64_t j = 0; j < n; j++) {
        const __m512 y0 = _mm512_load_ps(panel + j * PANEL);
        const __m512 y1 = _mm512_load_ps(panel + j * PANEL + LANES);
        const float *yj = y[j] + row;
#pragma GCC unroll 8
        for (int i = 0; i < nr; i++) {
            const __m512 x = _mm512_set1_ps(yj[i]);
            s[i] = _mm512_fmadd_ps(x, y0, s[i]);
            t[i] = _mm512_fmadd_ps(x, y1, t[i]);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < nr; i++) {
        float *to = A + (row + i) * ld + col;
        add_row(to, s[i], row + i - col + 1);
        add_row(to + LANES, t[i], row + i - col + 1 - LANES);
    }
}

static void outer_some(int64_t nr, float *A, int64_t ld, int64_t row, int64_t col,
                       const float *const *y, const float *panel, int64_t n)
{
    switch (nr) {
    case 1: outer_block(1, A, ld, row, col, y, panel, n); break;
    case 2: outer_block(2, A, ld, row, col, y, panel, n); break;
    case 3: outer_block(3, A, ld, row, col, y, panel, n); break;
    case 4: outer_block(4, A, ld, row, col, y, panel, n); break;
    case 5: outer_block(5, A, ld, row, col, y, panel, n); break;
    default: outer_block(BLOCK, A, ld, row, col, y, panel, n); break;
    }
}

static void gram_rows(float *A, const float *Y, const int32_t *rows, const float *w, int64_t n,
                      int64_t dim)
{
    _Alignas(64) float panel[GATHER * PANEL];
    const float *y[GATHER];
    for (int64_t t = 0; t < n; t += GATHER) {
        const int64_t some = t + GATHER <= n ? GATHER : n - t;
        for (int64_t s = 0; s < some; s++) y[s] = Y + rows[t + s] * dim;
        for (int64_t col = 0; col < dim; col += PANEL) {
            pack_columns(panel, y, w + t, some, col, dim - col);
            for (int64_t row = col; row < dim; row += BLOCK)
                outer_some(row + BLOCK <= dim ? BLOCK : dim - row, A, dim, row, col, y, panel,
                           some);
        }
    }
}

void ki_kernels_avx512(ki_kernels *k)
{
    k->dot = dot;
    k->axpy = axpy;
    k->dot_rows = dot_rows;
    k->score_tile = score_tile;
    k->gram_rows = gram_rows;
    k->scan_above = scan_above;
    ki_avx512_sgd(k);
}
