/* SPDX-License-Identifier: MIT
 * asked.h -- from a public query to what a model can rank: who is meant, with which history,
 * without which items
 */
#ifndef KI_ASKED_H
#define KI_ASKED_H

#include "engine/phrases.h"
#include "model/package.h"

typedef enum ki_basis {
    KI_BASIS_USER,
    KI_BASIS_LIKED,
    KI_BASIS_TEXT,
    KI_BASIS_WISHES, /* nothing but these is known of who asks */
    KI_BASIS_POPULAR,
    KI_BASIS_ITEM,
    KI_BASIS_TRENDING, /* charts: */
    KI_BASIS_LATEST
} ki_basis;

/* What is known of a user beside the model: the history of now (live.h). */
typedef struct ki_known {
    ki_query
        query; /* what the model is asked with: its own user, or -1 and a history that is folded in */
    const int32_t
        *seen; /* [n_seen] all items of the history, rising, those too that the model lacks */
    int32_t n_seen;
} ki_known;

typedef struct ki_asked {
    ki_query query;
    ki_basis basis;
    const ki_phrasebook *language; /* of what end users read */
    int by_wishes;                 /* 1: the query has wishes that count */
    int n;                         /* how many are wanted, at most the number of items */
    char note[512]; /* why the basis is not what was asked for, or what was left out; or "" */
    const int32_t
        *seen; /* [n_seen] the history, rising; left out unless the query wants it; borrowed */
    int32_t n_seen;
    int32_t *items, *skip; /* owned; query points into them */
    float *values;
} ki_asked;

/* KITH_EINVAL for a query that makes no sense, KITH_ENOTFOUND for an unknown user when the query
 * wants that refused.  `known` tells of the user that the query names, when the model's users have that id; NULL: the
 * training part does. */
kith_err ki_asked_make(const kith_model *m, const kith_query *q, const ki_known *known,
                       ki_asked *out);
void ki_asked_clear(ki_asked *a);

/* 1: of who asks no model can say anything; popular items stand in, or break ties between wishes. */
int ki_asked_is_unknown(const ki_asked *a);

/* n as given by a caller: 0 is 10, at most what there is.  KITH_EINVAL when it is no number of
 * results. */
kith_err ki_asked_count(const kith_model *m, int n, int *out);

/* Dense index of an id that must be there; KITH_ENOTFOUND says how many there are, and what they
 * look like. */
kith_err ki_asked_id(const ki_idmap *ids, const char *what, const char *id, int32_t *out);

#endif
