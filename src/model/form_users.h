/* SPDX-License-Identifier: MIT
 * form_users.h -- the form of models that score an item by the people like the one who asks
 *
 *      score(history, i) = sum over v in N of sim(history, v) * r_vi
 *
 * N are the n_neighbors users most similar to the history.  Nothing is kept between pairs of users:
 * the similarities of a history to all users are sums over the raters of its items (model.raters),
 * made once per query, so a history that training never saw is served like any other, and memory is
 * linear in the ratings.  Time per query: the lists of raters of its items, then the histories of N.
 */
#ifndef KI_FORM_USERS_H
#define KI_FORM_USERS_H

#include "model/knn.h"
#include "model/model.h"

/* What comparing a history with all users takes: the weighed values of similarity.h in the order of
 * model.raters, and the ki_weights they were made with. */
typedef struct ki_user_weights {
    float *value;  /* [nnz]; NULL: none */
    float *scalar; /* [two] shift, length */
    float *column; /* [n_items]; NULL: the measure has none */
} ki_user_weights;

/* A model of this form has a ki_knn as its parameters (their first member). */
typedef struct ki_users {
    int64_t n_users, n_items, nnz, two;
    ki_user_weights lists;
    ki_user_weights votes;   /* of rating estimates, where these go by another measure; else none */
    float *mean, *sd, *base; /* [n_users] parts that rating estimates need; NULL: none */
    float *item_base;        /* [n_items]; NULL: none */
} ki_users;

/* Fill in the sizes and what similarities need; base and item_base must be there if a measure needs
 * them. */
kith_err ki_users_weigh(ki_users *s, const ki_knn *o, const ki_ratings *r, ki_pool *pool);

/* Room in the form's scratch for a selection of up to n_users keys, beside what
 * ki_users_for_votes returns: for a descriptor's own functions. */
uint64_t *ki_users_keys(const ki_model *m, float *scratch);

/* The similarities that rating estimates go by: [n_users], 0 for the user who asks and where
 * nothing is shared.  Either what prepare left, or made in the scratch. */
const float *ki_users_for_votes(const ki_model *m, const ki_query *q, const float *prepared,
                                float *scratch);

extern const ki_form ki_form_users;

#endif
