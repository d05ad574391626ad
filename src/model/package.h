/* SPDX-License-Identifier: MIT
 * package.h -- a fitted model with all that asking needs: what kith_train makes and a file holds
 */
#ifndef KI_PACKAGE_H
#define KI_PACKAGE_H

#include "model/model.h"

struct kith_model {
    ki_model core;
    ki_ratings ratings; /* what core borrows; by_user may lie in the mapping; by_item only where the
                           form needs it */
    ki_idmap users, items;
    ki_table user_attrs, item_attrs;
    int32_t *reach;        /* [n_items] how many training users have each item */
    double *popularity;    /* [n_items] the same number, as filters read it */
    int32_t *popular;      /* [n_items] by falling reach, then by index */
    const uint8_t *barred; /* [n_items] 1: never served, whoever asks; NULL: none (live.h) */
    char *source;          /* where the training data came from: a path, "generated", "memory" */
    char trained_at[32];   /* RFC 3339, UTC */
    char fingerprint[24];  /* of the training data, 16 hexadecimal digits */
    ki_mapping *mapping;   /* NULL when fresh from training */
};

/* From a fitted or loaded core: reach, popularity and popular.  Part of training and of loading. */
kith_err ki_package_count(kith_model *m);

/* Make the model forget what user u did and who it was: id, history, attributes, and what the state keeps of it; what
 * was learnt from all users together stays.  The number stays too, with a name that stands in for the id. */
kith_err ki_package_forget_user(kith_model *m, int32_t u);

/* JSON has no unsigned 64-bit numbers: a seed beyond 2^63 - 1 is told as a string. */
json_t *ki_seed_json(uint64_t seed);

#endif
