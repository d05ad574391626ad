/* SPDX-License-Identifier: MIT
 * stats.h -- what the figures of a dataset and the search for suspicious things both start from
 */
#ifndef KI_STATS_H
#define KI_STATS_H

#include "data/csr.h"
#include "data/dataset.h"

#include <jansson.h> /* findings are collected as JSON */

typedef struct ki_census {
    const kith_data *d;
    ki_csr
        by_user;  /* [n_users, n_items]; a pair in both the train and the test part stands twice */
    int64_t *row; /* [nnz] which row of the log each entry of by_user came from */
    int64_t *per_user;                      /* [n_users] interactions */
    int64_t *per_item;                      /* [n_items] interactions */
    int32_t n_active_users, n_active_items; /* with at least one interaction */
} ki_census;

kith_err ki_census_make(ki_census *out, const kith_data *d);
void ki_census_clear(ki_census *c);

int ki_cell_missing(const ki_column *c, int32_t row);

/* A JSON string of text that came from outside: where it is not UTF-8 (or was cut within a letter),
 * bytes above 127 become '?'.  New reference. */
json_t *ki_json_text(const char *text);

/* Append to `list` one {code, text} for each thing that a careful person would ask about before
 * training. The codes are listed in suspicious.c. */
kith_err ki_suspicious(const ki_census *c, json_t *list);

#endif
