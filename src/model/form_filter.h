/* SPDX-License-Identifier: MIT
 * form_filter.h -- the form of models that filter a history on the graph of users and items
 *
 * With R the training matrix (1 or r_ui), and r = [w_j] the row of a history:
 *
 *      L = A R' B R A          A = diag(item_scale), B = diag(user_scale)
 *      P = N R' M R N          N = diag(item_norm),  M = diag(user_norm)
 *      y = r (L + ideal N V V' N^-1)
 *      s = y - sharpen y P
 *
 * L and P are never made: a product with them is two passes over the ratings, for LANES queries at a
 * time.  V [n_items, dim] has orthonormal columns.
 */
#ifndef KI_FORM_FILTER_H
#define KI_FORM_FILTER_H

#include "model/model.h"

typedef struct ki_filter {
    int64_t n_items, n_users, dim, three;
    float *scalar; /* [three] ideal, sharpen, binary (1: R is 1 where there is a value) */
    float *item_scale, *item_norm; /* [n_items]; 0 where nobody has the item */
    float *user_scale, *user_norm; /* [n_users] */
    float *V;                      /* [n_items, dim]; NULL: none, ideal counts for nothing */
} ki_filter;

enum { KI_FILTER_IDEAL, KI_FILTER_SHARPEN, KI_FILTER_BINARY, KI_FILTER_SCALARS };

/* Set the sizes and allocate all but V. */
kith_err ki_filter_begin(ki_filter *s, int32_t n_users, int32_t n_items);

/* The largest eigenvalue of L by power iteration, within some 1e-4 of it; 0 when L is 0. */
kith_err ki_filter_largest(const ki_filter *s, const ki_csr *by_user, const ki_csr *by_item,
                           double *out);

extern const ki_form ki_form_filter;

#endif
