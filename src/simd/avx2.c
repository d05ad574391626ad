/* SPDX-License-Identifier: MIT
 * avx2.c -- kernels of vectors for x86-64 with AVX2 and FMA
 *
 * Design      Two FMA units with a latency of 4 want 8 sums in flight where a vector is that long.
 * Files       avx2_gathered.c: rows of a matrix from a list;  avx2_matrix.c: matrix products;
 *             avx2_sgd.c: steps of gradient descent
 */
#include "simd/avx2.h"

#include <math.h>
#include <stddef.h>

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
/* The same, for few bits out of 32: eight are written without asking how many there are. */
INLINE int64_t put_few_bits(int32_t *at, int64_t found, uint32_t bits, int64_t base)
{
    const int64_t n = __builtin_popcount(bits);
    for (int j = 0; j < LANES; j++, bits &= bits - 1)
        at[found + j] = (int32_t)(base + (int64_t)_tzcnt_u32(bits));
    if (bits != 0) put_bits(at, found + LANES, bits, base);
    return found + n;
}

static int64_t scan_bytes(int32_t *at, const char *text, int64_t n, char a, char b)
{
    const __m256i aa = _mm256_set1_epi8(a), bb = _mm256_set1_epi8(b);
    int64_t found = 0, j = 0;
    for (; j + 4 * LANES <= n; j += 4 * LANES) {
        const __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(text + j));
        const __m256i is =
            _mm256_or_si256(_mm256_cmpeq_epi8(bytes, aa), _mm256_cmpeq_epi8(bytes, bb));
        found = put_few_bits(at, found, (uint32_t)_mm256_movemask_epi8(is), j);
    }
    for (; j < n; j++)
        if (text[j] == a || text[j] == b) at[found++] = (int32_t)j;
    return found;
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
    k->bound_bytes = bound_bytes;
    k->scan_above = scan_above;
    k->scan_bytes = scan_bytes;
    ki_avx2_gathered(k);
    ki_avx2_matrix(k);
    ki_avx2_sgd(k);
}
