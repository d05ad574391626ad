/* SPDX-License-Identifier: MIT
 * negatives.h -- a sample of items that a user has nothing to do with
 *
 * Ranking a few relevant items among a sample is cheap and gives numbers that cannot be compared with
 * those over the whole catalogue, not even in order (Krichene, Rendle, On Sampled Metrics for Item
 * Recommendation, KDD 2020).  It is there to repeat tables that were made so.
 */
#ifndef KI_NEGATIVES_H
#define KI_NEGATIVES_H

#include "base/alias.h"
#include "eval/metrics.h"

typedef struct ki_sampling {
    int32_t n;   /* negatives per user; 0: no sampling */
    int popular; /* 1: by training events, 0: all alike */
} ki_sampling;

/* "100", "100:uniform" or "100:popular"; NULL: none.  KITH_EINVAL otherwise. */
kith_err ki_sampling_parse(ki_sampling *out, const char *text);

typedef struct ki_negatives {
    ki_sampling how;
    const ki_catalogue *catalogue;
    ki_alias by_count; /* of all items; {0} when all are alike */
} ki_negatives;

kith_err ki_negatives_make(ki_negatives *out, ki_sampling how, const ki_catalogue *catalogue);
void ki_negatives_clear(ki_negatives *n);

/* Scratch of one worker. */
typedef struct ki_negatives_room {
    uint8_t *taken; /* [n_items] zeroes, and left so */
    double *key;    /* [n_items] */
    int32_t *order; /* [n_items] */
} ki_negatives_room;

kith_err ki_negatives_room_make(ki_negatives_room *out, int32_t n_items);
void ki_negatives_room_clear(ki_negatives_room *r);

/* out[how.n] = distinct servable items outside history[n_history] and relevant[n_relevant], as many as
 * there are at most; returns how many.  Depends on the generator alone. */
int32_t ki_negatives_draw(const ki_negatives *s, ki_negatives_room *room, ki_rng rng,
                          const int32_t *history, int32_t n_history, const int32_t *relevant,
                          int n_relevant, int32_t *out);

#endif
