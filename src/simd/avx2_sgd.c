/* SPDX-License-Identifier: MIT
 * avx2_sgd.c -- steps of gradient descent over ratings, with AVX2: the vectors that sgd_body.h works with
 */
#include "simd/avx2.h"

typedef __m256 vec;

INLINE vec v_zero(void)
{
    return _mm256_setzero_ps();
}

INLINE vec v_all(float x)
{
    return _mm256_set1_ps(x);
}

INLINE vec v_add(vec a, vec b)
{
    return _mm256_add_ps(a, b);
}

INLINE vec v_mul(vec a, vec b)
{
    return _mm256_mul_ps(a, b);
}

INLINE vec v_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

INLINE vec v_load(const float *x, int n)
{
    (void)n; /* half of 16 lanes are all of 8 */
    return _mm256_loadu_ps(x);
}

INLINE void v_store(float *x, vec v, int n)
{
    (void)n;
    _mm256_storeu_ps(x, v);
}

INLINE float v_sum(vec v)
{
    return sum_lanes(v);
}

/* Sums of four vectors' lanes. */
INLINE __m128 four_sums(vec a, vec b, vec c, vec d)
{
    const vec s = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    return _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
}

#include "simd/sgd_body.h"

void ki_avx2_sgd(ki_kernels *k)
{
    k->sgd_run = sgd_run;
}
