/* SPDX-License-Identifier: MIT
 * inner.h -- the rows of a fixed matrix with the largest inner products with a vector, exactly and without reading most
 * of them
 *
 *      score(r) = x . Y[r] + (base + bias[r])
 *
 * Rows lie in blocks of 64 by falling norm, each kept a second time in bytes.  A scan goes down the blocks: no row of a
 * block scores more than |x| |Y[r]| (Cauchy, Schwarz), so that it ends where this is less than the k-th best so far;
 * before that the bytes give every row a lower and an upper bound, and only rows whose upper bound reaches the k-th best
 * lower bound are scored in floats, by the kernel that the models use (score_tile): same scores, same bits, same order
 * of ties as scoring everything.  Shrivastava, Li (2014) call the problem MIPS; bounds by norms and then by coarser
 * numbers are those of LEMP (Teflioudi, Gemulla, Mykytiuk, SIGMOD 2015).
 *
 * Which rows may be found is a set of bits, by the place of a row in the index, so that a filter that is asked often is
 * brought into this order once.  Bytes come in groups of 8 rows, of which a set of a fifth of all rows leaves out only a
 * sixth: for a set that is asked often and is less than half there is a part, an index of its rows alone.
 *
 * Memory      dim bytes (rounded up to 4) and 24 more a row; of a part 12 more for 64 rows of the whole; Y stays the
 *             caller's
 */
#ifndef KI_INNER_H
#define KI_INNER_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

typedef struct ki_inner ki_inner;

/* Y is [n_rows, dim], dim > 0, finite; bias is [n_rows] or NULL.  Both are borrowed. */
kith_err ki_inner_new(const float *Y, const float *bias, int32_t n_rows, int64_t dim,
                      ki_inner **out);
void ki_inner_free(ki_inner *x);

/* An index of the rows of a set of `whole` (borrowed, and no part itself) alone: it finds the same rows with the same
 * scores as `whole` with that set. */
kith_err ki_inner_part(const ki_inner *whole, const uint64_t *set, ki_inner **out);
size_t ki_inner_bytes(const ki_inner *x);

/* ---- sets of rows ---- */

int64_t ki_inner_words(const ki_inner *x);              /* of 64 bits in a set */
int32_t ki_inner_place(const ki_inner *x, int32_t row); /* -1: a part does not have it */
void ki_inner_all(const ki_inner *x, uint64_t *set);    /* the set of all rows */

static inline void ki_inner_put(uint64_t *set, int32_t place)
{
    set[place >> 6] |= (uint64_t)1 << (place & 63);
}

static inline void ki_inner_take(uint64_t *set, int32_t place)
{
    set[place >> 6] &= ~((uint64_t)1 << (place & 63));
}

/* ---- asking ---- */

typedef struct ki_inner_room ki_inner_room; /* scratch of one thread, for any number of questions */
kith_err ki_inner_room_new(const ki_inner *x, ki_inner_room **out);
void ki_inner_room_free(ki_inner_room *room);

/* The k best rows of the set, best first, ties by the lower row; *n of them: k, or as many as the set has.  `scanned`
 * (NULL: not wanted): how many rows were looked at in bytes.  KITH_EINVAL when x is too large for bounds (its norm is
 * no finite float): score all then. */
kith_err ki_inner_top(const ki_inner *x, ki_inner_room *room, const float *query, float base,
                      const uint64_t *set, int k, int32_t *rows, float *scores, int32_t *n,
                      int64_t *scanned);

#endif
