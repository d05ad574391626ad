/* SPDX-License-Identifier: MIT
 * top.h -- the best k items for one question at a time, from an index where the form has one
 *
 * A ranker scores the whole catalogue, which is right for many questions at once and slow for one.  Models whose
 * scores are inner products (form vectors) are searched through an index instead (index/inner.h), with the same
 * items, scores and order.  What may be served is a set of bits in the order of the index.
 */
#ifndef KI_TOP_H
#define KI_TOP_H

#include "index/inner.h"
#include "model/model.h"

typedef struct ki_top ki_top; /* shared by all threads; never changes */

/* *out NULL when the form has no index, or the catalogue is so small that scoring all of it is as quick.  The model is
 * borrowed. */
kith_err ki_top_new(const ki_model *m, ki_top **out);
void ki_top_free(ki_top *t);
const ki_inner *ki_top_index(const ki_top *t); /* for its sets and parts */

typedef struct ki_top_room ki_top_room; /* scratch of one question */
kith_err ki_top_room_new(const ki_top *t, ki_top_room **out);
void ki_top_room_free(ki_top_room *r);

/* Find what all scores of the query share; it stays in the room, [ki_top_floats], to be kept and put back by the caller. */
kith_err ki_top_prepare(const ki_top *t, ki_top_room *r, const ki_query *q);
int64_t ki_top_floats(const ki_top *t);
float *ki_top_prepared(ki_top_room *r);

/* What may be found: a set in the order of the index, or all of a part of it (inner.h). */
typedef struct ki_top_among {
    const uint64_t *set;
    const ki_inner *part; /* NULL: the index itself */
} ki_top_among;

/* The k best of these without skip[n_skip] (rising) for what is prepared.  KITH_EINVAL when that is too large for
 * bounds: rank it then. */
kith_err ki_top_find(const ki_top *t, ki_top_room *r, const int32_t *skip, int32_t n_skip,
                     ki_top_among among, int k, int32_t *items, float *scores, int32_t *n);

#endif
