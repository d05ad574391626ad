/* SPDX-License-Identifier: MIT
 * backend.h -- the seam between what every store does and how one database does it
 *
 * Above it (store.c, changes.c, writer.c): checks of changes, the queue, group commit, paging, JSON.  Below it:
 * a transaction that takes batches, a reader that fills pages.  A backend is one table of functions.
 *
 * begin, write, commit, rollback, scrub and tidy are called by one thread at a time (the writer); read, count,
 * backup and check by any.
 */
#ifndef KI_BACKEND_H
#define KI_BACKEND_H

#include "store/rowpage.h"
#include "store/store.h"

typedef struct ki_backend {
    const char *name;
    kith_err (*open)(const char *path, const ki_store_options *options, void **state);
    void (*close)(void *state);

    /* apart: what is refused alone is to leave the other batches alone, which costs a fifth of a write. */
    kith_err (*begin)(void *state, int apart);
    /* One checked batch inside the transaction.  KITH_EINVAL, KITH_EDATA: this batch is refused for what it says;
     * when they are apart it has left no trace in the transaction, which goes on.  Anything else, or when they are not:
     * the transaction is lost and is to be rolled back.  Then the same batches may be written again. */
    kith_err (*write)(void *state, ki_change *changes, int n);
    kith_err (*commit)(void *state); /* durable on KITH_OK; else it is to be rolled back */
    void (*rollback)(void *state);   /* nothing since begin has happened */

    void (*scrub)(
        void *
            state); /* what was deleted is wiped from all files now; if not possible, later by tidy */
    void (*tidy)(void *state, int idle); /* after commits; idle: nobody has written for a while */

    /* The next rows of `which` into an empty page, at most which->limit (which is set), in order.  page->more is 0
     * when there is none beyond. */
    kith_err (*read)(void *state, ki_table_name table, const ki_select *which, ki_rowpage *page);
    kith_err (*count)(void *state,
                      ki_store_counts *out); /* users to bytes; the rest is the writer's */
    kith_err (*backup)(void *state, const char *path);
    kith_err (*check)(void *state);
} ki_backend;

extern const ki_backend ki_sqlite_backend; /* sqlite.c, or sqlite_missing.c, which only refuses */

#endif
