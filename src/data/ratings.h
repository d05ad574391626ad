/* SPDX-License-Identifier: MIT
 * ratings.h -- the training part of a log as a matrix, both ways: what every model is fitted on
 */
#ifndef KI_RATINGS_H
#define KI_RATINGS_H

#include "data/csr.h"
#include "data/dataset.h"

typedef struct ki_ratings {
    ki_csr by_user;    /* [n_users, n_items] */
    ki_csr by_item;    /* [n_items, n_users], its transpose */
    int64_t *time;     /* [nnz] in by_user order; NULL when the log has none */
    int64_t time_last; /* latest time of the part */
    int has_values;    /* values differ: ratings; else events */
    double mean;       /* of all values; 0 when empty */
    float min, max;    /* the rating scale of this part */
} ki_ratings;

/* From the rows of `log` whose keep[row] is 1 (NULL: all rows). */
kith_err ki_ratings_build(ki_ratings *out, const kith_data *d, const uint8_t *keep);
void ki_ratings_clear(ki_ratings *r);

#endif
