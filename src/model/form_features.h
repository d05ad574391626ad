/* SPDX-License-Identifier: MIT
 * form_features.h -- the form of models that know items by sparse features: words, attribute values
 *
 *      profile p = history_weight (sum_j w_j x_j) + the user's own features + those of a given text
 *      score(i)  = sim(p, x_i)
 *
 * x_i are rows of X [n_items, n_terms], sparse; its transpose says which items a term is in, so that
 * a query costs the lists of its terms.
 */
#ifndef KI_FORM_FEATURES_H
#define KI_FORM_FEATURES_H

#include "model/history_weights.h"
#include "text/space.h"

typedef enum ki_similarity_metric { KI_BY_COSINE, KI_BY_DOT, KI_BY_JACCARD } ki_similarity_metric;

typedef struct ki_features {
    ki_text_space space;
    int64_t n_items, n_users, nnz, user_nnz, one;
    int32_t *metric, *values; /* [one] of ki_similarity_metric, ki_history_values */
    float *history_weight;    /* [one] */
    int64_t *item_ptr;        /* X: [n_items + 1] */
    int32_t *item_idx;        /* [nnz] terms */
    float *item_val;          /* [nnz] */
    int64_t *term_ptr;        /* X': [n_terms + 1] */
    int32_t *term_idx;        /* [nnz] items */
    float *term_val;          /* [nnz] */
    int64_t *user_ptr;        /* features of users: [n_users + 1] */
    int32_t *user_idx;        /* [user_nnz] terms */
    float *user_val;          /* [user_nnz] */
} ki_features;

/* Take the arrays of a fitted space's X [n_items, n_terms] and U [n_users, n_terms]; both are left
 * {0}.  KITH_ENOMEM for the transpose. */
kith_err ki_features_take(ki_features *f, ki_csr *X, ki_csr *U);

/* A descriptor's knows_cold and answers: whoever has features. */
int ki_features_knows_cold(const ki_model *m, int32_t item);
int ki_features_answers(const ki_model *m, const ki_query *q);

extern const ki_form ki_form_features;

#endif
