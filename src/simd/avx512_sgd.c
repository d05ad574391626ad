/* SPDX-License-Identifier: MIT
 * avx512_sgd.c -- steps of gradient descent over ratings, with AVX-512: the vectors that sgd_body.h works with
 */
#include "simd/avx512.h"

typedef __m512 vec;

INLINE vec v_zero(void)
{
    return _mm512_setzero_ps();
}

INLINE vec v_all(float x)
{
    return _mm512_set1_ps(x);
}

INLINE vec v_add(vec a, vec b)
{
    return _mm512_add_ps(a, b);
}

INLINE vec v_mul(vec a, vec b)
{
    return _mm512_mul_ps(a, b);
}

INLINE vec v_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

INLINE vec v_load(const float *x, int n)
{
    return n == LANES ? _mm512_loadu_ps(x) : _mm512_zextps256_ps512(_mm256_loadu_ps(x));
}

INLINE void v_store(float *x, vec v, int n)
{
    if (n == LANES)
        _mm512_storeu_ps(x, v);
    else
        _mm256_storeu_ps(x, _mm512_castps512_ps256(v));
}

INLINE float v_sum(vec v)
{
    return _mm512_reduce_add_ps(v);
}

/* Upper and lower halves added. */
INLINE __m256 fold(vec v)
{
    const __m512d d = _mm512_castps_pd(v);
    return _mm256_add_ps(_mm512_castps512_ps256(v), _mm256_castpd_ps(_mm512_extractf64x4_pd(d, 1)));
}

/* Sums of four vectors' lanes. */
INLINE __m128 four_sums(vec a, vec b, vec c, vec d)
{
    const __m256 s =
        _mm256_hadd_ps(_mm256_hadd_ps(fold(a), fold(b)), _mm256_hadd_ps(fold(c), fold(d)));
    return _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
}

#include "simd/sgd_body.h"

void ki_avx512_sgd(ki_kernels *k)
{
    k->sgd_run = sgd_run;
}
