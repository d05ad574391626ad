/* SPDX-License-Identifier: MIT
 * rng.h -- random numbers that depend on (seed, stream, position) and on nothing else
 *
 * A loop over rows makes one generator per row from (seed, epoch, row), so the numbers do not
 * depend on which thread runs the row or on how many there are.
 */
#ifndef KI_RNG_H
#define KI_RNG_H

#include <stdint.h>

typedef struct ki_rng {
    uint64_t s[4]; /* xoshiro256++, Blackman and Vigna 2019 */
} ki_rng;

ki_rng ki_rng_make(uint64_t seed, uint64_t stream, uint64_t position);
uint64_t ki_rng_next(ki_rng *r);              /* 64 random bits */
uint32_t ki_rng_below(ki_rng *r, uint32_t n); /* uniform in [0, n), without bias; n > 0 */
double ki_rng_unit(ki_rng *r);                /* uniform in [0, 1), 53 bits */
double ki_rng_normal(ki_rng *r);              /* standard normal */

/* One well-mixed hash of two numbers (splitmix64 finaliser): for a random choice that needs no
 * sequence. */
uint64_t ki_hash2(uint64_t a, uint64_t b);

/* out[n] = normal(0, sd), the same for any number of threads when called per block with its own
 * generator. */
void ki_rng_fill_normal(ki_rng *r, float sd, float *out, int64_t n);

/* Fisher-Yates shuffle of x[n]. */
void ki_rng_shuffle(ki_rng *r, int64_t *x, int64_t n);

#endif
