/* SPDX-License-Identifier: MIT
 * best.h -- the k best of a stream of scored indexes
 *
 * A candidate is one 64-bit key: the score's bits made to order as integers in the upper half, the
 * index turned upside down in the lower.  So one comparison orders by score and then by lower
 * index, no two candidates are equal, and the k best do not depend on the order of pushing.
 */
#ifndef KI_BEST_H
#define KI_BEST_H

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef struct ki_best {
    uint64_t *key; /* [ki_best_room(k)], borrowed; the first n are candidates */
    int32_t n, k;
    uint64_t floor; /* a key below it is not among the k best */
} ki_best;

/* Keys that the buffer of a selection must have room for: it is cut when full, so wide is quick. */
static inline size_t ki_best_room(int32_t k)
{
    return 2 * (size_t)k + 128;
}

static inline uint64_t ki_best_key(float score, int32_t index)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    bits = bits >> 31 ? ~bits : bits | 0x80000000u;
    return (uint64_t)bits << 32 | (uint32_t) ~(uint32_t)index;
}

static inline int32_t ki_best_index(uint64_t key)
{
    return (int32_t) ~(uint32_t)key;
}

static inline float ki_best_score(uint64_t key)
{
    uint32_t bits = (uint32_t)(key >> 32);
    float score;
    bits = bits >> 31 ? bits & 0x7fffffffu : ~bits;
    memcpy(&score, &bits, sizeof score);
    return score;
}

/* An empty selection of the k best (k > 0) in that buffer. */
static inline ki_best ki_best_into(uint64_t *key, int32_t k)
{
    return (ki_best){ .key = key, .k = k, .floor = ki_best_key(-INFINITY, INT32_MAX) };
}

/* Keep the k largest of the n keys and raise the floor to the least of them; n >= k. */
void ki_best_cut(ki_best *b);

static inline void ki_best_push(ki_best *b, uint64_t key)
{
    if (key < b->floor) return;
    b->key[b->n++] = key;
    if ((size_t)b->n == ki_best_room(b->k)) ki_best_cut(b);
}

/* After the last push: the first b->n <= k keys are the best, in no order; the floor is the least
 * of them when there are k. */
void ki_best_finish(ki_best *b);

/* Leave the k best (0: all) of n candidates, index at[j] and score[j], in the order in which they
 * stand; returns how many.  keys is [ki_best_room(k)]. */
int32_t ki_best_select(uint64_t *keys, int32_t k, int32_t *at, float *score, int32_t n);

/* Order n keys by falling score. */
void ki_best_sort(uint64_t *key, int32_t n);

#endif
