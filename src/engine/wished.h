/* SPDX-License-Identifier: MIT
 * wished.h -- the best items by what somebody wishes, ties broken by a model or both weighed together
 */
#ifndef KI_WISHED_H
#define KI_WISHED_H

#include "engine/knowledge.h"

/* The k best of only[n_only] (rising) by the ranker, best first; *n of them, as it may know fewer. */
typedef kith_err ki_rank_fn(void *arg, const int32_t *only, int32_t n_only, int k, int32_t *items,
                            float *scores, int32_t *n);

typedef struct ki_wished {
    const ki_knowledge *wishes;
    const ki_env *env;
    double share;        /* of the wishes in a score, in (0, 1]; 1: the ranker breaks ties alone */
    const uint8_t *open; /* [n_items] 1: may be served */
    ki_rank_fn *rank;
    void *arg;
} ki_wished;

/* score = share * utility + (1 - share) * s, where s is the ranker's score from 0, of the least of the candidates (and
 * of what it does not rank), to 1, of the greatest.  Candidates are the k best by utility and, with share < 1, the k
 * best by the ranker.  Equal scores stand as the ranker has them, then as in the catalogue.
 * items[k], scores[k], *n; fits[n_wishes] are over all that is open. */
kith_err ki_wished_rank(const ki_wished *w, int k, int32_t *items, float *scores, int32_t *n,
                        ki_met *fits);

#endif
