/* SPDX-License-Identifier: MIT
 * store.h -- what must survive: users, items, events, documents and journals, behind one small interface
 *
 * A store keeps; it does not recommend and holds no history in memory.  There is one writer: whatever is
 * to be kept goes through ki_store_write as a batch of changes, which is durable as a whole or not at
 * all.  Batches of many callers are committed together (group commit): a call returns when its batch is
 * on the disk, and `applied` has been called for it, in the order of commit, one batch at a time, so that
 * what lives in memory follows the log exactly.
 *
 *      callers --ki_store_write--> queue --one transaction, one fsync--> applied(batch) --> callers return
 *
 * Order is identity: users and items are numbered from 0 in the order in which they were first written
 * (a deleted one keeps its number and loses its id), and ki_store_load tells them in that order, so that
 * a dense index means the same before and after a restart.
 *
 * SQLite is the embedded implementation (sqlite.c); another one fills in the same table of functions.
 */
#ifndef KI_STORE_H
#define KI_STORE_H

#include "base/err.h"

#include <jansson.h>
#include <stdint.h>

typedef struct ki_store ki_store;

/* ---- changes ---- */

typedef enum ki_change_kind {
    KI_PUT_USER, /* id, attributes (NULL: as they were; new users: none) */
    KI_PUT_ITEM, /* id, attributes, hidden, time (creation; 0: now) */
    KI_DROP_USER, /* id: the user, all events, journals rows by and about the user; the number stays */
    KI_DROP_ITEM, /* id: likewise */
    KI_ADD_EVENT, /* user, item, event, value, time, rec_id; users and items that are new are made */
    KI_DROP_EVENTS,   /* user, item, event ("": of any kind): taken back */
    KI_PUT_DOCUMENT,  /* kind, id, json: a scenario, key, experiment, model, setting, ... */
    KI_DROP_DOCUMENT, /* kind, id */
    KI_ADD_JOURNAL, /* kind ("exposure", "audit", ...), id (who or what it is about), json, time */
} ki_change_kind;

typedef struct ki_change { /* strings are borrowed for the call */
    ki_change_kind change;
    const char *kind;        /* of documents, journals and events ("view", "purchase", "rating") */
    const char *id;          /* of a user, item, document, or what a journal row is about */
    const char *user, *item; /* of events */
    const char *json;        /* attributes or document, one JSON object; NULL: see above */
    const char *rec_id;      /* of events: the list that it answers to; NULL: none */
    double value;            /* of events; NaN: none was given */
    int64_t time_ms;         /* since 1970; 0: now */
    int hidden;              /* of items */

    /* filled in by the store before `applied` sees it */
    int64_t seq; /* number of an event or journal row, rising, never used twice */
    int32_t user_index, item_index; /* -1 where none is meant or nothing was there to drop */
    int was_new;                    /* bit 0: the user (or document) is new; bit 1: the item is */
} ki_change;

/* All of changes[n], durably, or none.  Blocks for the group commit (a few milliseconds at most when the
 * disk is well).  KITH_EINVAL for a change that makes no sense (which one is said), KITH_EIO when the disk
 * refuses: nothing of the batch is kept then, later batches are tried afresh.  From any thread. */
kith_err ki_store_write(ki_store *s, ki_change *changes, int n);

/* ---- life ---- */

typedef struct ki_store_options {
    /* Called by the writer after a batch is durable and before its ki_store_write returns.  Must not call
     * the store.  NULL: nobody listens. */
    void (*applied)(void *udata, const ki_change *changes, int n);
    void *udata;
    int max_wait_us; /* how long the writer gathers batches before it commits; 0: not at all */
    int read_only;
} ki_store_options;

/* Open or make a store.  path NULL or ":memory:": in memory, gone with the process.  KITH_EFORMAT when the
 * file is no store or of a later version (and says which), KITH_EIO when another process has it open. */
kith_err ki_store_open(const char *path, const ki_store_options *options, ki_store **out);
void ki_store_close(ki_store *s); /* what was accepted is committed first; accepts NULL */

/* ---- reading: from any thread, sees all that was acknowledged ---- */

typedef struct ki_row { /* of a user, item, event, document or journal; strings live for the call */
    int64_t seq;        /* events, journals; of documents a version that rises with every put */
    int32_t index, user_index, item_index; /* -1: none */
    const char *kind, *id, *user, *item, *json,
        *rec_id; /* NULL: none; of a dropped user or item id is NULL */
    double value;
    int64_t time_ms;
    int hidden;
} ki_row;

/* Told row by row; anything but KITH_OK ends the telling and is returned. */
typedef kith_err (*ki_row_fn)(void *udata, const ki_row *row);

typedef enum ki_table_name {
    KI_USERS,
    KI_ITEMS,
    KI_EVENTS,
    KI_DOCUMENTS,
    KI_JOURNALS
} ki_table_name;

typedef struct ki_select {   /* {0}: everything, in order */
    const char *kind;        /* events, documents, journals */
    const char *id;          /* this user, item, document; journals about it */
    const char *user, *item; /* events of */
    int64_t after;           /* only beyond this seq, or index of users and items plus 1 */
    int64_t from_ms, to_ms;  /* time in [from, to); 0: open */
    int newest_first;
    int64_t limit; /* 0: all */
} ki_select;

kith_err ki_store_each(ki_store *s, ki_table_name table, const ki_select *which, ki_row_fn fn,
                       void *udata);

/* One row as a JSON object that is the caller's; KITH_ENOTFOUND. */
kith_err ki_store_get(ki_store *s, ki_table_name table, const char *kind, const char *id,
                      json_t **out);

typedef struct ki_store_counts {
    int64_t users, items, events, documents,
        journals;                      /* what is there now, dropped ones not counted */
    int64_t bytes;                     /* on the disk */
    int64_t commits, batches, changes; /* since it was opened */
    int64_t last_commit_us;            /* how long the last one took */
    int64_t queued;                    /* batches that wait */
} ki_store_counts;
kith_err ki_store_count(ki_store *s, ki_store_counts *out);

/* A copy of the whole store at one moment, while it is in use (the online backup of SQLite). */
kith_err ki_store_backup(ki_store *s, const char *path);

#endif
