/* SPDX-License-Identifier: MIT
 * logdraft.h -- the log while its rows are read: columns that grow, filled by all threads
 */
#ifndef KI_LOGDRAFT_H
#define KI_LOGDRAFT_H

#include "data/dataset.h"

typedef struct ki_log_draft {
    ki_log log;        /* log.n rows; time and test are NULL until a row has them */
    int64_t room;      /* of each column */
    int64_t n_timed;   /* rows that have a time */
    int64_t n_in_view; /* rows that are likely to come in all; 0: not known */
} ki_log_draft;

/* n more rows from *first on: the caller fills in what is not `test`, and times when `timed`.  Pointers into the
 * columns are good until the next call. */
kith_err ki_log_draft_add(ki_log_draft *draft, int64_t n, int timed, int test, int64_t *first);

/* Hand the columns over to d->log.  KITH_EDATA when some rows have times and others none. */
kith_err ki_log_draft_finish(ki_log_draft *draft, kith_data *d);
void ki_log_draft_clear(ki_log_draft *draft);

#endif
