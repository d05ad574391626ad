/* SPDX-License-Identifier: MIT
 * form_items.h -- the form of models that score an item by how it goes with the items of a history
 *
 *      score(history, i) = sum over j in history of weight(value_j) * S[j, i]
 *
 * S is kept by row of the history item j, so that scoring is a sum of rows: sparse (ptr, idx, sim)
 * or dense.
 */
#ifndef KI_FORM_ITEMS_H
#define KI_FORM_ITEMS_H

#include "model/model.h"

typedef struct ki_items {
    int64_t n_items, nnz, one;
    int64_t *ptr; /* [n_items + 1] rows of S; NULL when S is dense */
    int32_t *idx; /* [nnz] rising within a row */
    float *sim;   /* [nnz] */
    float *dense; /* [n_items, n_items]; NULL when S is sparse */
    int32_t
        *binary; /* [one] 1: a history item counts 1 whatever its value; 0: it counts its value */

    /* Parts that rating estimates need; NULL: none.  Votes are a second sparse matrix, [n_items,
     * n_items], where estimates go by other similarities than lists; row i: the items like i. */
    float *mean, *sd, *base; /* [n_items] */
    int64_t n_votes;
    int64_t *vote_ptr; /* [n_items + 1] */
    int32_t *vote_idx; /* [n_votes] */
    float *vote;       /* [n_votes] */
} ki_items;

/* Set the sizes and `binary`. */
kith_err ki_items_begin(ki_items *s, int32_t n_items, int binary);

/* Take the arrays of a square matrix, which is left {0}, as S or as votes. */
void ki_items_take(ki_items *s, ki_csr *S);
void ki_items_take_votes(ki_items *s, ki_csr *votes);

/* S[j, i]: 0 where a sparse S has no entry. */
float ki_items_at(const ki_items *s, int32_t j, int32_t i);

/* The sparse matrix that estimates go by, borrowed: the votes, or S when there are none apart. */
ki_csr ki_items_votes(const ki_items *s);

/* Scratch floats of this form: it needs none, they are for a descriptor's own functions. */
#define KI_ITEMS_SCRATCH(n_items) (5 * (int64_t)(n_items) + 256)

extern const ki_form ki_form_items;

#endif
