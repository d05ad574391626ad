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

/* A model of this form has a ki_knn as its parameters (their first member). */
typedef struct ki_users {
    int64_t n_users, n_items, nnz, one;
    float *weighed; /* [nnz] what similarity.h compares, in the order of model.raters */
    float *shift;  /* [one] ki_weights of the measure: shift, mean length of a row, and by column */
    float *length; /* [one] */
    float *column; /* [n_items]; NULL: the measure has none */
    float *mean, *sd, *base; /* [n_users] parts that rating estimates need; NULL: none */
    float *item_base;        /* [n_items]; NULL: none */
} ki_users;

/* Fill in what similarities need; base and item_base must be there for pearson_baseline. */
kith_err ki_users_weigh(ki_users *s, const ki_similarity *how, const ki_ratings *r, ki_pool *pool);

/* The similarities to all users that prepare left in `prepared`: [n_users], 0 for the user who asks
 * and where nothing is shared. */
const float *ki_users_similarities(const float *prepared);

extern const ki_form ki_form_users;

#endif
