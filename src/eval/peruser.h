/* SPDX-License-Identifier: MIT
 * peruser.h -- the values of each user as a CSV file
 */
#ifndef KI_PERUSER_H
#define KI_PERUSER_H

#include "eval/measure.h"

typedef struct ki_peruser {
    const ki_plan *plan;
    const ki_idmap *names;      /* of users */
    const int32_t *users;       /* [n_users] dense indexes */
    const char *const *models;  /* [n_models] */
    const ki_measured *results; /* [n_models, n_folds] */
    int n_models, n_folds;
} ki_peruser;

/* Columns model, fold (from 1), user, then every metric that users have one by one; a cell is empty
 * where the user has no say.  The file is either whole or as it was before.  KITH_EIO names it. */
kith_err ki_peruser_write(const ki_peruser *t, const char *path);

#endif
