/* SPDX-License-Identifier: MIT
 * diversity.h -- choosing a list out of candidates so that its items differ, or mirror a history
 *
 * Both are greedy, on the candidates' scores brought to [0, 1] (1: the best of them), and both take
 * `labels`: a pattern [n, n_words] of the words that belong to each candidate, rows rising.
 */
#ifndef KI_DIVERSITY_H
#define KI_DIVERSITY_H

#include "data/csr.h"

typedef struct ki_candidates { /* best first */
    const float *scores;       /* [n] */
    const ki_csr *labels;
    int n;
} ki_candidates;

/* Cosine of the words of two rows; 0 when one of them has none. */
double ki_likeness(const ki_csr *labels, int32_t a, int32_t b);

/* Maximal marginal relevance: each next item maximises
 *      trade_off * score - (1 - trade_off) * likeness to the most like item chosen so far.
 * order[k] = places among the candidates; returns how many, at most k.  Ties go to the better
 * candidate.  trade_off in [0, 1]; at 1 the order stays.  KITH_ENOMEM.
 * Carbonell, Goldstein, The Use of MMR, SIGIR 1998.  Cost n k likenesses. */
kith_err ki_mmr(const ki_candidates *c, double trade_off, int k, int *order, int *n_chosen);

/* Calibrated list: each next item maximises
 *      trade_off * sum of scores - (1 - trade_off) * KL(p || q~),  q~ = .99 q + .01 p
 * p is the mix of words in the history (a pattern as labels, one row per item; an item's weight is shared
 * evenly by its words), q that of the list so far.  Without words in the history the order stays.
 * Steck, Calibrated Recommendations, RecSys 2018.  Cost n k words. */
kith_err ki_calibrate(const ki_candidates *c, const ki_csr *history, double trade_off, int k,
                      int *order, int *n_chosen);

#endif
