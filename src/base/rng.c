/* SPDX-License-Identifier: MIT
 * rng.c -- xoshiro256++ seeded through splitmix64 (Blackman and Vigna, TOMS 2021)
 */
#include "base/rng.h"

#include <math.h>

static uint64_t mix(uint64_t z) /* splitmix64 */
{
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t ki_hash2(uint64_t a, uint64_t b)
{
    return mix(mix(a) ^ b);
}

ki_rng ki_rng_make(uint64_t seed, uint64_t stream, uint64_t position)
{
    uint64_t z = ki_hash2(ki_hash2(seed, stream), position);
    ki_rng r;
    for (int j = 0; j < 4; j++) r.s[j] = z = mix(z + (uint64_t)j);
    return r;
}

uint64_t ki_rng_next(ki_rng *r)
{
    uint64_t *s = r->s;
    const uint64_t out = rotl(s[0] + s[3], 23) + s[0];
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return out;
}

uint32_t ki_rng_below(ki_rng *r, uint32_t n) /* Lemire 2019 */
{
    uint64_t m = (ki_rng_next(r) >> 32) * n;
    if ((uint32_t)m < n) {
        const uint32_t floor = -n % n;
        while ((uint32_t)m < floor) m = (ki_rng_next(r) >> 32) * n;
    }
    return (uint32_t)(m >> 32);
}

double ki_rng_unit(ki_rng *r)
{
    return (double)(ki_rng_next(r) >> 11) * 0x1p-53;
}

double ki_rng_normal(
    ki_rng *r) /* Box-Muller; its second half is not kept, so the state stays four words */
{
    const double u = 1.0 - ki_rng_unit(r);
    const double v = ki_rng_unit(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void ki_rng_fill_normal(ki_rng *r, float sd, float *out, int64_t n)
{
    for (int64_t j = 0; j < n; j++) out[j] = sd * (float)ki_rng_normal(r);
}

void ki_rng_shuffle(ki_rng *r, int64_t *x, int64_t n)
{
    for (int64_t j = n - 1; j > 0; j--) {
        const int64_t k = (int64_t)(ki_rng_next(r) % (uint64_t)(j + 1));
        const int64_t t = x[j];
        x[j] = x[k];
        x[k] = t;
    }
}
