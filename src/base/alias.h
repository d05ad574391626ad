/* SPDX-License-Identifier: MIT
 * alias.h -- draws from fixed weights in constant time
 */
#ifndef KI_ALIAS_H
#define KI_ALIAS_H

#include "base/err.h"
#include "base/rng.h"

typedef struct ki_alias_place {
    float cut;     /* a draw that lands here stays with this probability, */
    int32_t other; /* and goes there otherwise */
} ki_alias_place;

typedef struct ki_alias {
    int32_t n;
    ki_alias_place *places; /* [n] */
} ki_alias;

/* For weights[n] >= 0 with a sum above zero; n > 0.  *out is overwritten; on failure it is {0}. */
kith_err ki_alias_make(ki_alias *out, const double *weights, int32_t n);
void ki_alias_clear(ki_alias *a);

/* An index with probability weights[j] / sum, within 2^-24 of it. */
static inline int32_t ki_alias_draw(const ki_alias *a, ki_rng *r)
{
    const uint64_t bits = ki_rng_next(r);
    const int32_t j = (int32_t)(((bits >> 32) * (uint64_t)(uint32_t)a->n) >> 32);
    const ki_alias_place place = a->places[j];
    return (float)(bits & 0xffffff) * 0x1p-24f < place.cut ? j : place.other;
}

#endif
