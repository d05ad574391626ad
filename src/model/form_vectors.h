/* SPDX-License-Identifier: MIT
 * form_vectors.h -- the form of models that give users and items a point each
 *
 *      score(u, i) = mean + bu[u] + bi[i] + X[u] . Y[i]
 *
 * A part that a model does not have is NULL, or dim is 0 (biases alone).  A history that is not a
 * training user's is folded in: by the descriptor's fold_in, else by the ridge solve of
 * form_vectors.c.
 */
#ifndef KI_FORM_VECTORS_H
#define KI_FORM_VECTORS_H

#include "model/model.h"

typedef struct ki_vectors {
    int64_t n_users, n_items, dim, one; /* one is 1: the size of scalars that are saved as arrays */
    float *mean;                        /* [one] */
    float *X, *Y;       /* [n_users, dim], [n_items, dim], row-major; NULL when dim is 0 */
    float *bu, *bi;     /* [n_users], [n_items]; NULL: none */
    float *gram;        /* [dim, dim] Y'Y where fold-in needs it; NULL: none */
    float *item_weight; /* [n_items] of an event with the item beside its value, for a descriptor's
                           own fold-in; NULL: 1 */
    float *l2; /* [one] ridge of the form's own fold-in, or a number that the descriptor's needs */
} ki_vectors;

/* Set the sizes and allocate the parts: with_biases for bu and bi, with_gram for gram. */
kith_err ki_vectors_alloc(ki_vectors *v, const ki_ratings *r, int32_t dim, int with_biases,
                          int with_gram);

/* A descriptor's fold_in and explain have scratch of dim * dim + dim + n_items floats. */
/* A descriptor's check: KITH_EFORMAT when factors or gram, which its own fold_in reads, are NULL. */
kith_err ki_vectors_check_gram(const ki_model *m);

/* The form's forget, for those that keep these vectors and more. */
kith_err ki_vectors_forget(const ki_model *m, int32_t u, int64_t from, int64_t n);

extern const ki_form ki_form_vectors;

#endif
