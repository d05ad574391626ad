/* SPDX-License-Identifier: MIT
 * rank.h -- the best k items for a block of queries, over the whole catalogue, in tiles
 *
 * One ranker per worker.  It prepares the queries of a block, scores tile after tile of items, and
 * keeps for each query the k best that are not skipped.  Ties go to the lower item index.
 */
#ifndef KI_RANK_H
#define KI_RANK_H

#include "model/model.h"

typedef struct ki_ranker ki_ranker;

/* For up to `block` queries at a time (0: what suits the model) and k results each. */
kith_err ki_ranker_new(const ki_model *m, int k, int block, ki_ranker **out);
int ki_ranker_block(const ki_ranker *r);

/* Rank n <= block queries: items and scores are [n, k], counts[n] of each row are valid. */
kith_err ki_ranker_run(ki_ranker *r, const ki_query *queries, int n, int32_t *items, float *scores,
                       int32_t *counts);

/* Scores of the whole catalogue for one query: out is [n_items], NaN for what is never ranked (items
 * without a training event, skipped ones). */
kith_err ki_ranker_scores(ki_ranker *r, const ki_query *q, float *out);

/* Estimates of `n` items for one query (prepares it): the descriptor's predict, or the form's. */
kith_err ki_ranker_predict(ki_ranker *r, const ki_query *q, const int32_t *items, int n, float *out,
                           uint8_t *supported);

/* Terms of the score of `item` for one query, largest first; *n_terms is 0 when the model cannot
 * say.  out is [q->n]. */
kith_err ki_ranker_explain(ki_ranker *r, const ki_query *q, int32_t item, ki_term *out,
                           int *n_terms);

/* The model that speaks for the item: itself, or one of those that it is made of. */
kith_err ki_ranker_speaker(ki_ranker *r, const ki_query *q, int32_t item, const ki_model **out);

/* The k items most similar to `item`.  KITH_EDATA when the form has no such notion. */
kith_err ki_ranker_similar(ki_ranker *r, int32_t item, int32_t *items, float *scores,
                           int32_t *count);

void ki_ranker_free(ki_ranker *r);

#endif
