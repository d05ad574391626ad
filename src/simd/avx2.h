/* SPDX-License-Identifier: MIT
 * avx2.h -- pieces that the files of AVX2 kernels share; only they may include it
 *
 * Loops over arrays of vectors are unrolled early by a pragma, so that the arrays become registers.
 */
#ifndef KI_AVX2_H
#define KI_AVX2_H

#include "simd/kernels.h"

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    LANES = 8,
    PANEL = 2 * LANES,
};

/* Each sets the kernels of its file. */
void ki_avx2_gathered(ki_kernels *k);
void ki_avx2_matrix(ki_kernels *k);
void ki_avx2_sgd(ki_kernels *k);

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

#endif
