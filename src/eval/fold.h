/* SPDX-License-Identifier: MIT
 * fold.h -- one fold as matrices: what is trained on, asked with and tested on
 */
#ifndef KI_FOLD_H
#define KI_FOLD_H

#include "data/ratings.h"
#include "eval/metrics.h" /* ki_catalogue */
#include "eval/protocol.h"

typedef struct ki_fold_counts {
    int64_t n_train, n_history; /* rows trained on; rows only asked with (`strong`) */
    int64_t n_test, n_relevant; /* rows tested; those of at least relevant_from */
    int64_t n_repeats;    /* tested pairs that are in the user's history too: they stay relevant
                                   and cannot be served */
    int32_t n_users;      /* with a relevant row: means over users are over these */
    int32_t n_cold_users; /* of n_users, those without any history: their lists are empty */
    int32_t n_cold_items; /* distinct tested items without a training row: never served */
} ki_fold_counts;

typedef struct ki_fold {
    ki_ratings ratings;  /* the training part */
    ki_csr history;      /* of users who are not in training; {0} but for `strong` */
    ki_csr test;         /* [n_users, n_items] */
    float relevant_from; /* -inf: all test rows are relevant */
    ki_catalogue catalogue;
    int32_t *count; /* what catalogue borrows */
    uint8_t *tail;
    int32_t *place;
    ki_fold_counts n;
} ki_fold;

/* relevant_from 0: all.  KITH_EDATA when no test row is relevant.  On failure *out is {0}. */
kith_err ki_fold_make(ki_fold *out, const kith_data *d, const ki_splits *s, int fold,
                      double relevant_from);

/* What user u is asked with: the training row, or the history of a user held out. */
static inline const ki_csr *ki_fold_history(const ki_fold *f, int32_t u)
{
    return f->history.ptr != NULL && ki_csr_len(&f->history, u) > 0 ? &f->history
                                                                    : &f->ratings.by_user;
}

void ki_fold_clear(ki_fold *f);

#endif
