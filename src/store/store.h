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
 * (a deleted one keeps its number and loses its id; who comes again under that id gets a new number), and
 * ki_store_each tells them in that order, so that a dense index means the same before and after a restart.
 *
 * SQLite is the embedded implementation (sqlite.h); another one fills in the same table (backend.h).
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
    KI_PUT_ITEM, /* id, attributes, hidden, time (creation; 0: as it was, new items: now) */
    KI_DROP_USER, /* id: the user, its events, the journal rows whose `user` it is; the number stays */
    KI_DROP_ITEM, /* id: likewise with `item` */
    KI_ADD_EVENT, /* user, item, kind, value, time, rec_id, attributes (context), id (see below); users
                     and items that are new are made */
    KI_DROP_EVENTS, /* user, item, kind (NULL: of any kind): taken back */
    KI_PUT_DOCUMENT, /* kind, id, json: a scenario, key, experiment, model, setting, ...; user: whom it speaks for,
                         which the document says itself and whoever checks changes may ask; NULL: nobody */
    KI_DROP_DOCUMENT, /* kind, id */
    KI_ADD_JOURNAL, /* kind ("exposure", "audit", ...), json, time; id (what it is about), user, item (whom
                         it tells of: the row goes with them; they need not be known): NULL: none */
} ki_change_kind;

/* Most bytes of each: ids of anything; kinds; JSON. */
enum { KI_STORE_ID_MAX = 512, KI_STORE_KIND_MAX = 64, KI_STORE_JSON_MAX = 16 << 20 };

/* An event with an id is written once: when an event of that id is there already, the change is marked as
 * repeated, has the seq and numbers of the first, and nothing is written, so that a client may send again
 * what it is not sure of.  KITH_EINVAL when the first one was of another user, item or kind. */
typedef struct ki_change { /* strings are borrowed for the call */
    ki_change_kind change;
    const char *kind;        /* of documents, journals and events ("view", "purchase", "rating") */
    const char *id;          /* of a user, item, document, event, or what a journal row is about */
    const char *user, *item; /* of events and journals */
    const char *json;        /* attributes or document, one JSON object; NULL: see above */
    const char *rec_id;      /* of events: the list that it answers to; NULL: none */
    double value;            /* of events; NaN: none was given */
    int64_t time_ms;         /* since 1970; 0: now (filled in); years 1 to 9999 */
    int hidden;              /* of items: 1, 0; -1: as it was, new items: 0 */

    /* filled in by the store before `applied` sees it */
    int64_t
        seq; /* number of an event or journal row, version of a document: rising, never used twice */
    int32_t user_index, item_index; /* -1 where none is meant or nothing was there to drop */
    int was_new;                    /* bit 0: the user (or document) is new; bit 1: the item is */
    int repeated;                   /* 1: an event that was there before: nothing was written */
    int64_t n_dropped; /* users, items, events, documents and journal rows that a drop took away */
} ki_change;

/* All of changes[n], durably, or none.  Blocks for the group commit (a few milliseconds at most when the
 * disk is well).  KITH_EINVAL for a change that makes no sense (which one is said), KITH_EIO when the disk
 * refuses: nothing of the batch is kept then, later batches are tried afresh.  From any thread.
 * When a user, item or document was dropped, its bytes are gone from the files on return (or, when a backup runs or the
 * disk refuses just then, soon after that is over). */
kith_err ki_store_write(ki_store *s, ki_change *changes, int n);

/* ---- life ---- */

typedef struct ki_store_options {
    /* Called by the writer after a batch is durable and before its ki_store_write returns.  Must not call
     * the store.  NULL: nobody listens. */
    void (*applied)(void *udata, const ki_change *changes, int n);
    void *udata;
    int max_wait_us; /* how long the writer gathers batches before it commits; 0: not at all */
    int read_only;   /* writes are KITH_EINVAL; may be beside a process that writes */
    int check;       /* 1: read through all pages first; 0: only when the file is small (16 MiB) */
} ki_store_options;

/* Open or make a store.  path NULL or ":memory:": in memory, gone with the process.  KITH_EFORMAT when the
 * file is no store, is damaged, or of a later version (and says which), KITH_EIO when another process has it
 * open or it cannot be read, KITH_EINVAL when kith was built without SQLite.  options NULL: {0}. */
kith_err ki_store_open(const char *path, const ki_store_options *options, ki_store **out);
void ki_store_close(ki_store *s); /* what was accepted is committed first; accepts NULL */

/* ---- reading: from any thread, sees all that was acknowledged ---- */

typedef struct ki_row { /* of a user, item, event, document or journal; strings live for the call */
    int64_t seq;        /* events, journals; of documents a version that rises with every put */
    int32_t index, user_index, item_index; /* -1: none */
    const char *kind, *id, *user, *item, *json,
        *rec_id; /* NULL: none; of a dropped user or item id is NULL */
    double value;
    int64_t time_ms; /* of users: when they came */
    int hidden;
} ki_row;

/* Told row by row; anything but KITH_OK ends the telling and is returned.  May call the store. */
typedef kith_err (*ki_row_fn)(void *udata, const ki_row *row);

typedef enum ki_table_name {
    KI_USERS,
    KI_ITEMS,
    KI_EVENTS,
    KI_DOCUMENTS,
    KI_JOURNALS
} ki_table_name;

typedef struct ki_select { /* {0}: everything, in order: by index of users and items, else by seq */
    const char *kind;      /* events, documents, journals */
    const char *id;        /* this user, item, document, event; journals about it */
    const char *user, *item; /* events and journals of */
    int64_t
        after; /* only beyond this seq, or index of users and items plus 1, in the order of telling */
    int64_t from_ms, to_ms; /* time in [from, to); 0: open */
    int newest_first;
    int64_t limit;  /* 0: all */
    int no_ids;     /* events: user and item are told by index alone, which is twice as fast */
    int no_dropped; /* users, items: those that were dropped are left out */
} ki_select;

/* Rows are read in pages, so that a long telling never holds the writer up; each page is of one moment, and
 * what is written meanwhile may be told or not. */
kith_err ki_store_each(ki_store *s, ki_table_name table, const ki_select *which, ki_row_fn fn,
                       void *udata);

/* One document as it was put (kind, id), or one user, item or event (kind NULL) as the JSON object that
 * ki_row_json makes; it is the caller's.  KITH_ENOTFOUND. */
kith_err ki_store_get(ki_store *s, ki_table_name table, const char *kind, const char *id,
                      json_t **out);

/* A row as an object of what it has: user: id, index, attributes, time_ms; item: and hidden; event: seq, id,
 * kind, user, item, value, time_ms, rec_id, attributes; document: kind, id, seq, time_ms, document; journal:
 * seq, kind, id, user, item, time_ms, entry.  KITH_EFORMAT when its JSON is damaged. */
kith_err ki_row_json(ki_table_name table, const ki_row *row, json_t **out);

typedef struct ki_store_counts {
    int64_t users, items, events, documents,
        journals;                      /* what is there now, dropped ones not counted */
    int64_t bytes;                     /* on the disk */
    int64_t commits, batches, changes; /* since it was opened */
    int64_t last_commit_us;            /* how long the last one took */
    int64_t queued;                    /* batches that wait */
} ki_store_counts;
kith_err ki_store_count(ki_store *s, ki_store_counts *out);

/* A copy of the whole store at one moment, while it is in use; `path` is replaced when the copy is whole and
 * on the disk.  KITH_EIO when that is impossible or `path` is a store in use. */
kith_err ki_store_backup(ki_store *s, const char *path);

/* Are the file and the invariants of its tables sound?  Reads everything.  KITH_EFORMAT says what is not. */
kith_err ki_store_check(ki_store *s);

#endif
