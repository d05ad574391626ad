/* SPDX-License-Identifier: MIT
 * avx2.c -- kernels for x86-64 with AVX2 and FMA
 *
 * Design      Two FMA units with a latency of 4 want 8 sums in flight.  The matrix kernels keep 12:
 *             a block of 6 rows by a panel of 16 columns, fed by 6 broadcasts and 2 loads per step,
 *             so the FMA units and not the loads are the limit.  Panels are packed on the stack.
 * Order       One accumulator per value that runs through its terms in order (score_tile,
 *             gram_rows), so that neither the position in a block nor the block's size shows.
 * Limit       16 FLOP * 2 per cycle: 32 times the clock.
 */
#include "simd/kernels.h"

#include <immintrin.h>
#include <math.h>
#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))

/* Loops over arrays of vectors are unrolled early by a pragma, so that the arrays become registers.
 */

enum {
    LANES = 8,
    PANEL = 2 * LANES,
    BLOCK = 6,   /* rows of a register block */
    DEPTH = 256, /* terms of a packed panel: 16 KB, half of L1 */
    GATHER = 64, /* rows of Y that gram_rows adds at a time */
};

/* ---- pieces ---- */

/* The first n lanes on: none for n <= 0, all for n >= 8. */
INLINE __m256i first_lanes(int64_t n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n < LANES ? (int)n : LANES), lane);
}

INLINE float sum_lanes(__m256 v)
{
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/* v[r][j] = v[j][r]: three rounds of 1-, 2- and 4-lane exchanges. */
INLINE void transpose(__m256 v[LANES])
{
    __m256 a[LANES], b[LANES];
    for (int r = 0; r < LANES; r += 2) {
        a[r] = _mm256_unpacklo_ps(v[r], v[r + 1]);
        a[r + 1] = _mm256_unpackhi_ps(v[r], v[r + 1]);
    }
    for (int r = 0; r < LANES; r += 4) {
        b[r] = _mm256_shuffle_ps(a[r], a[r + 2], 0x44);
        b[r + 1] = _mm256_shuffle_ps(a[r], a[r + 2], 0xee);
        b[r + 2] = _mm256_shuffle_ps(a[r + 1], a[r + 3], 0x44);
        b[r + 3] = _mm256_shuffle_ps(a[r + 1], a[r + 3], 0xee);
    }
    for (int r = 0; r < LANES / 2; r++) {
        v[r] = _mm256_permute2f128_ps(b[r], b[r + 4], 0x20);
        v[r + 4] = _mm256_permute2f128_ps(b[r], b[r + 4], 0x31);
    }
}

/* ---- vectors ---- */

static float dot(const float *a, const float *b, int64_t n)
{
    __m256 s[4] = { _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                    _mm256_setzero_ps() };
    int64_t j = 0;
    for (; j + 4 * LANES <= n; j += 4 * LANES)
        for (int v = 0; v < 4; v++)
            s[v] = _mm256_fmadd_ps(_mm256_loadu_ps(a + j + v * LANES),
                                   _mm256_loadu_ps(b + j + v * LANES), s[v]);
    for (; j < n; j += LANES) {
        const __m256i on = first_lanes(n - j);
        s[0] = _mm256_fmadd_ps(_mm256_maskload_ps(a + j, on), _mm256_maskload_ps(b + j, on), s[0]);
    }
    return sum_lanes(_mm256_add_ps(_mm256_add_ps(s[0], s[1]), _mm256_add_ps(s[2], s[3])));
}

static void axpy(float *y, float a, const float *x, int64_t n)
{
    const __m256 aa = _mm256_set1_ps(a);
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES)
        _mm256_storeu_ps(y + j,
                         _mm256_fmadd_ps(aa, _mm256_loadu_ps(x + j), _mm256_loadu_ps(y + j)));
    for (; j < n; j++) y[j] = fmaf(a, x[j], y[j]);
}

static void sgd_step(float *p, float *q, float e, float lr_p, float reg_p, float lr_q, float reg_q,
                     int64_t n)
{
    const float keep_p = 1 - lr_p * reg_p, keep_q = 1 - lr_q * reg_q;
    const float step_p = lr_p * e, step_q = lr_q * e;
    const __m256 kp = _mm256_set1_ps(keep_p), kq = _mm256_set1_ps(keep_q);
    const __m256 sp = _mm256_set1_ps(step_p), sq = _mm256_set1_ps(step_q);
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES) {
        const __m256 pj = _mm256_loadu_ps(p + j), qj = _mm256_loadu_ps(q + j);
        _mm256_storeu_ps(p + j, _mm256_fmadd_ps(sp, qj, _mm256_mul_ps(kp, pj)));
        _mm256_storeu_ps(q + j, _mm256_fmadd_ps(sq, pj, _mm256_mul_ps(kq, qj)));
    }
    for (; j < n; j++) {
        const float pj = p[j], qj = q[j];
        p[j] = fmaf(step_p, qj, keep_p * pj);
        q[j] = fmaf(step_q, pj, keep_q * qj);
    }
}

static void dot_three(float out[3], const float *p, const float *a, const float *b, int64_t n)
{
    __m256 pa0 = _mm256_setzero_ps(), pb0 = pa0, ab0 = pa0, pa1 = pa0, pb1 = pa0, ab1 = pa0;
    int64_t j = 0;
    for (; j + 2 * LANES <= n; j += 2 * LANES) {
        const __m256 p0 = _mm256_loadu_ps(p + j), p1 = _mm256_loadu_ps(p + j + LANES);
        const __m256 a0 = _mm256_loadu_ps(a + j), a1 = _mm256_loadu_ps(a + j + LANES);
        const __m256 b0 = _mm256_loadu_ps(b + j), b1 = _mm256_loadu_ps(b + j + LANES);
        pa0 = _mm256_fmadd_ps(p0, a0, pa0), pa1 = _mm256_fmadd_ps(p1, a1, pa1);
        pb0 = _mm256_fmadd_ps(p0, b0, pb0), pb1 = _mm256_fmadd_ps(p1, b1, pb1);
        ab0 = _mm256_fmadd_ps(a0, b0, ab0), ab1 = _mm256_fmadd_ps(a1, b1, ab1);
    }
    for (; j < n; j += LANES) {
        const __m256i on = first_lanes(n - j);
        const __m256 pj = _mm256_maskload_ps(p + j, on);
        const __m256 aj = _mm256_maskload_ps(a + j, on), bj = _mm256_maskload_ps(b + j, on);
        pa0 = _mm256_fmadd_ps(pj, aj, pa0);
        pb0 = _mm256_fmadd_ps(pj, bj, pb0);
        ab0 = _mm256_fmadd_ps(aj, bj, ab0);
    }
    const __m256 pa = _mm256_add_ps(pa0, pa1), pb = _mm256_add_ps(pb0, pb1);
    const __m256 ab = _mm256_add_ps(ab0, ab1);
    const __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(pa, pb), _mm256_hadd_ps(ab, ab));
    const __m128 sums = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
    _mm_storel_pi((__m64 *)out, sums);
    _mm_store_ss(out + 2, _mm_movehl_ps(sums, sums));
}

static void sgd_two(float *p, float *a, float *b, const float e[2], float lr_p, float reg_p,
                    float lr_q, float reg_q, int64_t n)
{
    const __m256 kp = _mm256_set1_ps(1 - lr_p * reg_p), kq = _mm256_set1_ps(1 - lr_q * reg_q);
    const __m256 pa = _mm256_set1_ps(lr_p * e[0]), qa = _mm256_set1_ps(lr_q * e[0]);
    const __m256 pb = _mm256_set1_ps(lr_p * e[1]), qb = _mm256_set1_ps(lr_q * e[1]);
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES) {
        const __m256 pj = _mm256_loadu_ps(p + j), aj = _mm256_loadu_ps(a + j),
                     bj = _mm256_loadu_ps(b + j);
        const __m256 between = _mm256_fmadd_ps(pa, aj, _mm256_mul_ps(kp, pj));
        _mm256_storeu_ps(a + j, _mm256_fmadd_ps(qa, pj, _mm256_mul_ps(kq, aj)));
        _mm256_storeu_ps(p + j, _mm256_fmadd_ps(pb, bj, _mm256_mul_ps(kp, between)));
        _mm256_storeu_ps(b + j, _mm256_fmadd_ps(qb, between, _mm256_mul_ps(kq, bj)));
    }
    if (j == n) return;
    sgd_step(p + j, a + j, e[0], lr_p, reg_p, lr_q, reg_q, n - j);
    sgd_step(p + j, b + j, e[1], lr_p, reg_p, lr_q, reg_q, n - j);
}

/* Sums of `rows` rows with x, two accumulators each; the same order for any `rows`. */
INLINE void dot_block(int rows, float *out, const float *Y, const float *x, int64_t dim)
{
    __m256 even[4], odd[4];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) even[r] = odd[r] = _mm256_setzero_ps();
    int64_t j = 0;
    for (; j + 2 * LANES <= dim; j += 2 * LANES) {
        const __m256 x0 = _mm256_loadu_ps(x + j), x1 = _mm256_loadu_ps(x + j + LANES);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            even[r] = _mm256_fmadd_ps(_mm256_loadu_ps(Y + r * dim + j), x0, even[r]);
            odd[r] = _mm256_fmadd_ps(_mm256_loadu_ps(Y + r * dim + j + LANES), x1, odd[r]);
        }
    }
    for (; j < dim; j += LANES) {
        const __m256i on = first_lanes(dim - j);
        const __m256 xj = _mm256_maskload_ps(x + j, on);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++)
            even[r] = _mm256_fmadd_ps(_mm256_maskload_ps(Y + r * dim + j, on), xj, even[r]);
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) out[r] = sum_lanes(_mm256_add_ps(even[r], odd[r]));
}

static void dot_rows(float *out, const float *Y, const float *x, int64_t n_rows, int64_t dim)
{
    int64_t r = 0;
    for (; r + 4 <= n_rows; r += 4) dot_block(4, out + r, Y + r * dim, x, dim);
    for (; r < n_rows; r++) dot_block(1, out + r, Y + r * dim, x, dim);
}

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

/* Append base + the positions of the bits that are on. */
INLINE int64_t put_bits(int32_t *at, int64_t found, uint32_t bits, int64_t base)
{
    for (; bits != 0; bits &= bits - 1) at[found++] = (int32_t)(base + __builtin_ctz(bits));
    return found;
}

static int64_t scan_above(int32_t *at, const float *x, int64_t n, float threshold)
{
    const __m256 t = _mm256_set1_ps(threshold);
    int64_t found = 0, j = 0;
    for (; j + 4 * LANES <= n; j += 4 * LANES) {
        uint32_t bits = 0;
        for (int v = 0; v < 4; v++) {
            const __m256 above = _mm256_cmp_ps(_mm256_loadu_ps(x + j + v * LANES), t, _CMP_GT_OQ);
            bits |= (uint32_t)_mm256_movemask_ps(above) << (v * LANES);
        }
        found = put_bits(at, found, bits, j);
    }
    for (; j < n; j += LANES) {
        const __m256i on = first_lanes(n - j);
        const __m256 above = _mm256_cmp_ps(_mm256_maskload_ps(x + j, on), t, _CMP_GT_OQ);
        const __m256 both = _mm256_and_ps(above, _mm256_castsi256_ps(on));
        found = put_bits(at, found, (uint32_t)_mm256_movemask_ps(both), j);
    }
    return found;
}

/* ---- many dots: out = X Y' ---- */

/* panel[j, r] = Y[r, j] for 16 rows; rows past the last repeat it, columns past `depth` are 0. */
static void pack_rows(float *panel, const float *Y, int64_t dim, int64_t n_rows, int64_t depth)
{
    for (int64_t half = 0; half < PANEL; half += LANES)
        for (int64_t j = 0; j < depth; j += LANES) {
            const __m256i on = first_lanes(depth - j);
            __m256 v[LANES];
            for (int r = 0; r < LANES; r++) {
                const int64_t row = half + r < n_rows ? half + r : n_rows - 1;
                v[r] = j + LANES <= depth ? _mm256_loadu_ps(Y + row * dim + j)
                                          : _mm256_maskload_ps(Y + row * dim + j, on);
            }
            for (int r = 0; r < LANES; r++) /* the next panel, while this one is multiplied */
                _mm_prefetch((const char *)(Y + (half + r + PANEL) * dim + j), _MM_HINT_T0);
            transpose(v);
            for (int r = 0; r < LANES; r++) _mm256_store_ps(panel + (j + r) * PANEL + half, v[r]);
        }
}

/* out[nq, 16] (+)= X[nq, depth] panel[depth, 16]; `more`: what stands in out are the terms before.
 */
INLINE void score_block(int nq, float *out, int64_t ld, const float *X, int64_t dim,
                        const float *panel, int64_t depth, int more)
{
    __m256 s[BLOCK], t[BLOCK]; /* left and right half of the panel */
#pragma GCC unroll 8
    for (int q = 0; q < nq; q++) {
        s[q] = more ? _mm256_loadu_ps(out + q * ld) : _mm256_setzero_ps();
        t[q] = more ? _mm256_loadu_ps(out + q * ld + LANES) : _mm256_setzero_ps();
    }
    for (int64_t j = 0; j < depth; j++) {
        const __m256 y0 = _mm256_load_ps(panel + j * PANEL);
        const __m256 y1 = _mm256_load_ps(panel + j * PANEL + LANES);
#pragma GCC unroll 8
        for (int q = 0; q < nq; q++) {
            const __m256 x = _mm256_broadcast_ss(X + q * dim + j);
            s[q] = _mm256_fmadd_ps(x, y0, s[q]);
            t[q] = _mm256_fmadd_ps(x, y1, t[q]);
        }
    }
#pragma GCC unroll 8
    for (int q = 0; q < nq; q++) {
        _mm256_storeu_ps(out + q * ld, s[q]);
        _mm256_storeu_ps(out + q * ld + LANES, t[q]);
    }
}

static void score_some(int64_t nq, float *out, int64_t ld, const float *X, int64_t dim,
                       const float *panel, int64_t depth, int more)
{
    switch (nq) {
    case 1: score_block(1, out, ld, X, dim, panel, depth, more); break;
    case 2: score_block(2, out, ld, X, dim, panel, depth, more); break;
    case 3: score_block(3, out, ld, X, dim, panel, depth, more); break;
    case 4: score_block(4, out, ld, X, dim, panel, depth, more); break;
    case 5: score_block(5, out, ld, X, dim, panel, depth, more); break;
    default: score_block(BLOCK, out, ld, X, dim, panel, depth, more); break;
    }
}

/* The last panel of rows: through a full-width block on the stack. */
static void score_edge(int64_t nq, int64_t n_rows, float *out, int64_t ld, const float *X,
                       int64_t dim, const float *panel, int64_t depth, int more)
{
    float block[BLOCK * PANEL] = { 0 };
    for (int64_t q = 0; more && q < nq; q++)
        for (int64_t r = 0; r < n_rows; r++) block[q * PANEL + r] = out[q * ld + r];
    score_some(nq, block, PANEL, X, dim, panel, depth, more);
    for (int64_t q = 0; q < nq; q++)
        for (int64_t r = 0; r < n_rows; r++) out[q * ld + r] = block[q * PANEL + r];
}

static void score_tile(float *out, int64_t ld, const float *X, int64_t nq, const float *Y,
                       int64_t n_rows, int64_t dim)
{
    _Alignas(32) float panel[DEPTH * PANEL];
    for (int64_t r = 0; r < n_rows; r += PANEL) {
        const int64_t rows = r + PANEL <= n_rows ? PANEL : n_rows - r;
        int64_t j = 0;
        do { /* once for dim == 0 too: it stores zeroes */
            const int64_t depth = j + DEPTH <= dim ? DEPTH : dim - j;
            pack_rows(panel, Y + r * dim + j, dim, rows, depth);
            for (int64_t q = 0; q < nq; q += BLOCK) {
                const int64_t some = q + BLOCK <= nq ? BLOCK : nq - q;
                float *to = out + q * ld + r;
                if (rows == PANEL)
                    score_some(some, to, ld, X + q * dim + j, dim, panel, depth, j > 0);
                else
                    score_edge(some, rows, to, ld, X + q * dim + j, dim, panel, depth, j > 0);
            }
            j += DEPTH;
        } while (j < dim);
    }
}

/* ---- sums of outer products: A += Y'WY ---- */

/* panel[t, c] = w[t] y_t[c] for up to 16 columns, 0 beyond. */
INLINE void pack_columns(float *panel, const float *const *y, const float *w, int64_t n,
                         int64_t col, int64_t n_cols)
{
    const __m256i on0 = first_lanes(n_cols), on1 = first_lanes(n_cols - LANES);
    for (int64_t t = 0; t < n; t++) {
        const __m256 wt = _mm256_broadcast_ss(w + t);
        const __m256 y0 =
            n_cols >= PANEL ? _mm256_loadu_ps(y[t] + col) : _mm256_maskload_ps(y[t] + col, on0);
        const __m256 y1 = n_cols >= PANEL ? _mm256_loadu_ps(y[t] + col + LANES)
                                          : _mm256_maskload_ps(y[t] + col + LANES, on1);
        _mm256_store_ps(panel + t * PANEL, _mm256_mul_ps(wt, y0));
        _mm256_store_ps(panel + t * PANEL + LANES, _mm256_mul_ps(wt, y1));
    }
}

/* to[c] += (s, t)[c] for the first `keep` of n_cols columns; the others keep their bits. */
INLINE void add_row(float *to, __m256 s, __m256 t, int64_t keep, int64_t n_cols)
{
    if (n_cols >= PANEL) { /* the whole panel lies in A: add zeroes above the diagonal */
        const __m256 on0 = _mm256_castsi256_ps(first_lanes(keep));
        const __m256 on1 = _mm256_castsi256_ps(first_lanes(keep - LANES));
        const __m256 a0 = _mm256_loadu_ps(to), a1 = _mm256_loadu_ps(to + LANES);
        _mm256_storeu_ps(to, _mm256_blendv_ps(a0, _mm256_add_ps(a0, s), on0));
        _mm256_storeu_ps(to + LANES, _mm256_blendv_ps(a1, _mm256_add_ps(a1, t), on1));
    } else {
        float edge[PANEL];
        _mm256_storeu_ps(edge, s);
        _mm256_storeu_ps(edge + LANES, t);
        for (int64_t c = 0; c < (keep < n_cols ? keep : n_cols); c++) to[c] += edge[c];
    }
}

/* A[row + i, col + c] += sum_t y_t[row + i] panel[t, c] for i < nr and col + c <= row + i. */
INLINE void outer_block(int nr, float *A, int64_t ld, int64_t row, int64_t col, int64_t n_cols,
                        const float *const *y, const float *panel, int64_t n)
{
    __m256 s[BLOCK], t[BLOCK];
#pragma GCC unroll 8
    for (int i = 0; i < nr; i++) s[i] = t[i] = _mm256_setzero_ps();
    for (int64_t j = 0; j < n; j++) {
        const __m256 y0 = _mm256_load_ps(panel + j * PANEL);
        const __m256 y1 = _mm256_load_ps(panel + j * PANEL + LANES);
        const float *yj = y[j] + row;
#pragma GCC unroll 8
        for (int i = 0; i < nr; i++) {
            const __m256 x = _mm256_broadcast_ss(yj + i);
            s[i] = _mm256_fmadd_ps(x, y0, s[i]);
            t[i] = _mm256_fmadd_ps(x, y1, t[i]);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < nr; i++)
        add_row(A + (row + i) * ld + col, s[i], t[i], row + i - col + 1, n_cols);
}

static void outer_some(int64_t nr, float *A, int64_t ld, int64_t row, int64_t col, int64_t n_cols,
                       const float *const *y, const float *panel, int64_t n)
{
    switch (nr) {
    case 1: outer_block(1, A, ld, row, col, n_cols, y, panel, n); break;
    case 2: outer_block(2, A, ld, row, col, n_cols, y, panel, n); break;
    case 3: outer_block(3, A, ld, row, col, n_cols, y, panel, n); break;
    case 4: outer_block(4, A, ld, row, col, n_cols, y, panel, n); break;
    case 5: outer_block(5, A, ld, row, col, n_cols, y, panel, n); break;
    default: outer_block(BLOCK, A, ld, row, col, n_cols, y, panel, n); break;
    }
}

/* Rows [first, dim) of A += sum_t w[t] y_t' y_t, lower triangle; n <= GATHER, ld between rows. */
static void add_outer(float *A, int64_t ld, const float *const *y, const float *w, int64_t n,
                      int64_t first, int64_t dim)
{
    _Alignas(32) float panel[GATHER * PANEL];
    for (int64_t col = 0; col < dim; col += PANEL) {
        const int64_t n_cols = dim - col;
        pack_columns(panel, y, w, n, col, n_cols);
        for (int64_t row = col > first ? col : first; row < dim;) {
            const int64_t left = dim - row;
            const int64_t even = left == BLOCK + 1 || left == BLOCK + 2 ? 4 : BLOCK; /* not 6 + 1 */
            const int64_t nr = left < even ? left : even;
            outer_some(nr, A, ld, row, col, n_cols, y, panel, n);
            row += nr;
        }
    }
}

static void gram_rows(float *A, const float *Y, const int32_t *rows, const float *w, int64_t n,
                      int64_t dim)
{
    const float *y[GATHER];
    for (int64_t t = 0; t < n; t += GATHER) {
        const int64_t some = t + GATHER <= n ? GATHER : n - t;
        for (int64_t s = 0; s < some; s++) y[s] = Y + rows[t + s] * dim;
        add_outer(A, dim, y, w + t, some, 0, dim);
    }
}

/* ---- Cholesky: A = L'L, eight rows at a time from the last, sixty-four at a time far from it ----
 */

/* Factor the lower triangle of nb rows at A[p, p] in T; its diagonal becomes 1 / L[k, k].  The
 * division by the pivot comes before the root, which keeps the root off the path between steps. */
static int64_t factor_corner(float T[LANES][LANES], int nb)
{
#pragma GCC unroll 8
    for (int k = nb - 1; k >= 0; k--) {
        const float pivot = T[k][k], inverse = 1 / pivot, root = 1 / sqrtf(pivot);
        if (!(pivot > 0)) return 1 + k;
#pragma GCC unroll 8
        for (int i = 0; i < k; i++) {
            const float x = -T[k][i] * inverse;
#pragma GCC unroll 8
            for (int j = 0; j <= i; j++) T[i][j] = fmaf(x, T[k][j], T[i][j]);
        }
#pragma GCC unroll 8
        for (int j = 0; j < k; j++) T[k][j] *= root;
        T[k][k] = root;
    }
    return 0;
}

/* Rows [0, nb) of `left` (columns before the corner) become (T')^-1 left. */
INLINE void solve_left(int nb, float *left, int64_t ld, const float T[LANES][LANES], int64_t n_cols)
{
    for (int64_t c = 0; c < n_cols; c += LANES) { /* n_cols is a multiple of 8 */
        __m256 v[LANES];
#pragma GCC unroll 8
        for (int k = 0; k < nb; k++) v[k] = _mm256_loadu_ps(left + k * ld + c);
#pragma GCC unroll 8
        for (int k = nb - 1; k >= 0; k--) {
            v[k] = _mm256_mul_ps(v[k], _mm256_broadcast_ss(&T[k][k]));
#pragma GCC unroll 8
            for (int i = 0; i < k; i++)
                v[i] = _mm256_fnmadd_ps(v[k], _mm256_broadcast_ss(&T[k][i]), v[i]);
        }
#pragma GCC unroll 8
        for (int k = 0; k < nb; k++) _mm256_storeu_ps(left + k * ld + c, v[k]);
    }
}

static void copy_corner(float *to, int64_t ld_to, const float *from, int64_t ld_from, int nb)
{
    for (int i = 0; i < nb; i++)
        for (int j = 0; j <= i; j++) to[i * ld_to + j] = from[i * ld_from + j];
}

/* Factor rows [p, p + nb), whose columns from p + nb on are done with. */
static int64_t factor_rows(float *A, int64_t d, int64_t p, int nb)
{
    float T[LANES][LANES] = { { 0 } };
    copy_corner(&T[0][0], LANES, A + p * d + p, d, nb);
    const int64_t bad = factor_corner(T, nb);
    if (bad != 0) return p + bad;
    copy_corner(A + p * d + p, d, &T[0][0], LANES, nb);
    if (nb == LANES)
        solve_left(LANES, A + p * d, d, (const float(*)[LANES])T, p);
    else
        solve_left(nb, A + p * d, d, (const float(*)[LANES])T, p);
    return 0;
}

/* Rows [first, last) of A -= the outer products of rows [last, end) of L. */
static void strike_outer(float *A, int64_t d, int64_t first, int64_t last, int64_t end)
{
    const float *y[GATHER];
    float minus[GATHER];
    for (int64_t k = last; k < end; k++) {
        y[k - last] = A + k * d;
        minus[k - last] = -1;
    }
    add_outer(A, d, y, minus, end - last, first, last);
}

static int64_t chol(float *A, int64_t d)
{
    for (int64_t end = d, top; end > 0;
         end = top) { /* deep panels: A passes the caches once each */
        top = (end - 1) / GATHER * GATHER;
        for (int64_t low = end, p; low > top; low = p) {
            p = (low - 1) / LANES * LANES; /* the ragged panel comes first: the rest is aligned */
            const int64_t bad = factor_rows(A, d, p, (int)(low - p));
            if (bad != 0) return bad;
            strike_outer(A, d, top, p, low);
        }
        strike_outer(A, d, 0, top, end);
    }
    return 0;
}

/* b[0, p) -= sum_k z[k] L[p + k, 0..p); p is a multiple of 8. */
INLINE void strike_rows(int nb, float *b, const float *rows, int64_t ld, const float *z, int64_t p)
{
    __m256 minus[LANES]; /* rows that there are not: 0 times the first */
#pragma GCC unroll 8
    for (int k = 0; k < LANES; k++) minus[k] = _mm256_set1_ps(k < nb ? -z[k] : 0);
    for (int64_t c = 0; c < p; c += LANES) {
        __m256 v = _mm256_loadu_ps(b + c);
#pragma GCC unroll 8
        for (int k = 0; k < LANES; k++)
            v = _mm256_fmadd_ps(minus[k], _mm256_loadu_ps(rows + (k < nb ? k : 0) * ld + c), v);
        _mm256_storeu_ps(b + c, v);
    }
}

static void solve_up(const float *L, float *b, int64_t d) /* L'z = b, from the last row */
{
    for (int64_t end = d, p; end > 0; end = p) {
        p = (end - 1) / LANES * LANES;
        const int nb = (int)(end - p);
        const float *rows = L + p * d;
        for (int k = nb - 1; k >= 0; k--) {
            b[p + k] *= rows[k * d + p + k];
            for (int i = 0; i < k; i++) b[p + i] = fmaf(-b[p + k], rows[k * d + p + i], b[p + i]);
        }
        strike_rows(nb, b, rows, d, b + p, p);
    }
}

static void solve_down(const float *L, float *b, int64_t d) /* L x = z, from the first row */
{
    for (int64_t p = 0; p < d; p += LANES) {
        const int nb = (int)(p + LANES <= d ? LANES : d - p);
        const float *rows = L + p * d;
        __m256 s[LANES];
        float sum[LANES];
#pragma GCC unroll 8
        for (int k = 0; k < LANES; k++) s[k] = _mm256_setzero_ps();
        for (int64_t c = 0; c < p; c += LANES) {
            const __m256 x = _mm256_loadu_ps(b + c);
#pragma GCC unroll 8
            for (int k = 0; k < LANES; k++)
                s[k] = _mm256_fmadd_ps(_mm256_loadu_ps(rows + (k < nb ? k : 0) * d + c), x, s[k]);
        }
        transpose(s);
        s[0] = _mm256_add_ps(_mm256_add_ps(_mm256_add_ps(s[0], s[1]), _mm256_add_ps(s[2], s[3])),
                             _mm256_add_ps(_mm256_add_ps(s[4], s[5]), _mm256_add_ps(s[6], s[7])));
        _mm256_storeu_ps(sum, s[0]);
#pragma GCC unroll 8
        for (int k = 0; k < nb; k++) {
            float x = b[p + k] - sum[k];
#pragma GCC unroll 8
            for (int i = 0; i < k; i++) x = fmaf(-b[p + i], rows[k * d + p + i], x);
            b[p + k] = x * rows[k * d + p + k];
        }
    }
}

static void chol_solve(const float *L, float *b, int64_t d)
{
    solve_up(L, b, d);
    solve_down(L, b, d);
}

/* ---- bounds from bytes: 8 rows side by side, four of their bytes in each 32-bit lane ---- */

static int32_t quad_of(const int8_t *x, int64_t j)
{
    int32_t quad;
    __builtin_memcpy(&quad, x + 4 * j, 4);
    return quad;
}

/* x_j b_j + ... over the quad, per row; two products of bytes fit in 16 bits as |x| <= 63. */
INLINE __m256i quad_products(const ki_bytes_query *q, const uint8_t *rows, int64_t j)
{
    const __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(rows + 32 * j));
    const __m256i pairs = _mm256_maddubs_epi16(b, _mm256_set1_epi32(quad_of(q->x, j)));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

static int bound_bytes(float *lower, float *upper, const ki_bytes_query *q, const uint8_t *rows,
                       float least)
{
    const float *figure = (const float *)(const void *)(rows + q->quads * 32);
    __m256i s = _mm256_setzero_si256(), t = s;
    int64_t j = 0;
    for (; j + 2 <= q->quads; j += 2) {
        s = _mm256_add_epi32(s, quad_products(q, rows, j));
        t = _mm256_add_epi32(t, quad_products(q, rows, j + 1));
    }
    if (j < q->quads) s = _mm256_add_epi32(s, quad_products(q, rows, j));
    const __m256i apart = _mm256_sub_epi32(_mm256_add_epi32(s, t), _mm256_set1_epi32(q->shift));
    const __m256 scale = _mm256_mul_ps(_mm256_set1_ps(q->scale), _mm256_loadu_ps(figure));
    const __m256 middle =
        _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(apart), _mm256_loadu_ps(figure + 24));
    const __m256 own = _mm256_fmadd_ps(_mm256_set1_ps(q->norm), _mm256_loadu_ps(figure + 16),
                                       _mm256_set1_ps(q->loose));
    const __m256 width = _mm256_fmadd_ps(_mm256_set1_ps(q->lost), _mm256_loadu_ps(figure + 8), own);
    const __m256 most = _mm256_add_ps(middle, width);
    _mm256_storeu_ps(lower, _mm256_sub_ps(middle, width));
    _mm256_storeu_ps(upper, most);
    return _mm256_movemask_ps(_mm256_cmp_ps(most, _mm256_set1_ps(least), _CMP_GE_OQ));
}

void ki_kernels_avx2(ki_kernels *k)
{
    k->dot = dot;
    k->axpy = axpy;
    k->dot_rows = dot_rows;
    k->score_tile = score_tile;
    k->bound_bytes = bound_bytes;
    k->gram_rows = gram_rows;
    k->dot_at = dot_at;
    k->axpy_at = axpy_at;
    k->normal_at = normal_at;
    k->scan_above = scan_above;
    k->sgd_step = sgd_step;
    k->dot_three = dot_three;
    k->sgd_two = sgd_two;
    k->chol = chol;
    k->chol_solve = chol_solve;
}
