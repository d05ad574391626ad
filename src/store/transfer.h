/* SPDX-License-Identifier: MIT
 * transfer.h -- a whole store as lines of JSON, and back
 *
 * A line is one row: {"type": "user" | "item" | "event" | "document" | "journal", ...} with the members of ki_row_json.
 * Users and items come first, in the order of their numbers without those that were dropped, then events in the order in
 * which they were written: reading the lines into an empty store gives the same store with the gaps closed.  Numbers
 * (index, seq) are told and not read.
 */
#ifndef KI_TRANSFER_H
#define KI_TRANSFER_H

#include "store/store.h"

typedef struct ki_export_options { /* {0}: everything */
    unsigned tables;               /* 1u << KI_USERS | ...; 0: all */
    const char *without_kind; /* documents and journals of this kind stay (keys); NULL: none do */
    const char *user; /* only what is of this user: its row, events, journals; NULL: of all */
} ki_export_options;

/* Called with each line, without a line break.  Anything but KITH_OK ends the telling and is returned. */
typedef kith_err (*ki_line_fn)(void *udata, const char *line, size_t n);

kith_err ki_store_export(ki_store *s, const ki_export_options *options, ki_line_fn fn, void *udata);

/* ---- and back ---- */

typedef struct ki_import ki_import;

typedef struct
    ki_import_counts { /* rows that were written, by table; events that were there are `repeated` */
    int64_t rows[KI_JOURNALS + 1], repeated;
} ki_import_counts;

/* Lines are gathered and written in batches by `write`, which is handed udata and what ki_store_write takes. */
typedef kith_err (*ki_write_fn)(void *udata, ki_change *changes, int n);
kith_err ki_import_new(ki_write_fn write, void *udata, ki_import **out);

/* One line; blank ones are skipped.  KITH_EINVAL with the line's number and what is wrong with it: it is left out, and
 * the caller may go on or end.  A batch that cannot be written is its failure. */
kith_err ki_import_line(ki_import *im, const char *line, size_t n, int64_t number);

/* Write what is gathered; counts so far (may be NULL). */
kith_err ki_import_flush(ki_import *im, ki_import_counts *counts);
void ki_import_free(ki_import *im); /* what was not flushed is not written; accepts NULL */

#endif
