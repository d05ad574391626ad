/* SPDX-License-Identifier: MIT
 * sqlite.h -- the store in one SQLite file: what its parts share
 *
 *      sqlite.c         the table of functions, opening and closing, connections, failures
 *      sqlite_schema.c  tables, versions, migration
 *      sqlite_write.c   a transaction of batches
 *      sqlite_read.c    selects into pages, on connections of their own
 *      sqlite_log.c     the write-ahead log: swept, emptied, wiped
 *      sqlite_keep.c    counts, backup, checks
 *
 * The journal is a write-ahead log with synchronous=FULL: a commit is one append and one fsync, readers and the writer
 * do not wait for each other, and after a crash SQLite takes from the log what was committed whole.  An in-memory store
 * has one connection, used in turns.
 */
#ifndef KI_SQLITE_H
#define KI_SQLITE_H

#include "store/backend.h"

#include <pthread.h>
#include <sqlite3.h>

enum {
    KI_SQLITE_READERS = 4,
    KI_SQLITE_SELECTS = 24, /* prepared selects that a reader keeps */
    KI_SQLITE_WAIT_MS = 10000,
    KI_SQLITE_WRITES = 64,        /* room for the writer's statements */
    KI_SQLITE_KEPT_LOG = 8 << 20, /* bytes of the log's file that stay when nobody writes */
};

typedef struct ki_tally { /* the one row of table `state` and what follows from the numbers */
    int64_t seq;          /* the last one that was given out */
    int64_t next_user, next_item;
    int64_t users, items, events, documents, journals; /* that are there */
} ki_tally;

typedef struct ki_reader {
    sqlite3 *db;
    int busy;
    struct {
        char *sql;
        sqlite3_stmt *stmt;
        uint64_t used; /* by the clock of the reader: the oldest makes room */
    } selects[KI_SQLITE_SELECTS];
    uint64_t clock;
} ki_reader;

typedef struct ki_sqlite {
    char *path;      /* for messages too; of an in-memory store a word */
    char *uri;       /* what readers open in its stead; NULL: the path */
    char *lock_path; /* what is locked: the path without links; NULL: nothing */
    int memory, read_only, lock_fd;

    sqlite3 *db; /* the writer's; in memory everybody's, under `turn` */
    sqlite3_stmt *writes[KI_SQLITE_WRITES];
    ki_tally tally; /* with the transaction that runs */
    int apart;      /* 1: each batch of the transaction has a savepoint */
    int64_t now_ms; /* when the transaction began, by the clock */
    int frames;     /* in the write-ahead log */
    int unwiped;    /* 1: a scrub did not succeed and is to be tried again */
    int replaced;   /* 1: the log has copies of rows that were changed or taken away since */

    pthread_mutex_t turn; /* in memory: held while db is used */

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t idle;
    ki_tally kept; /* as of the last commit */
    ki_reader readers[KI_SQLITE_READERS];
    int n_readers;
    int sweep, sweeps,
        swept; /* sqlite_log.c: where it stands, how often in a row, frames in the file */
    int sweep_stop;
    pthread_cond_t sweep_wanted;

    sqlite3 *sweep_db; /* the sweeper's */
    pthread_t sweeper;
    int has_sweeper;
} ki_sqlite;

/* A failure of SQLite as one of ours: `doing` says what was tried.  */
kith_err ki_sqlite_fail(const ki_sqlite *s, sqlite3 *db, int code, const char *doing);
kith_err ki_sqlite_run(const ki_sqlite *s, sqlite3 *db, const char *sql, const char *doing);

/* One integer that a statement gives; `otherwise` for none or NULL. */
kith_err ki_sqlite_number(const ki_sqlite *s, sqlite3 *db, const char *sql, int64_t otherwise,
                          int64_t *out);

/* A further connection to the file, with the settings that all have. */
kith_err ki_sqlite_connect(const ki_sqlite *s, const char *path, int flags, sqlite3 **out);

/* ---- schema ---- */
kith_err ki_sqlite_schema(ki_sqlite *s); /* make it, or check and migrate it */
kith_err ki_sqlite_load_tally(ki_sqlite *s);
/* A log of which all is swept is begun anew with one page that says nothing new, on the disk on return. */
void ki_sqlite_begin_log(const ki_sqlite *s);

/* ---- write ---- */
kith_err ki_sqlite_prepare_writes(ki_sqlite *s);
void ki_sqlite_finish_writes(ki_sqlite *s);
kith_err ki_sqlite_begin(void *state, int apart);
kith_err ki_sqlite_write(void *state, ki_change *changes, int n);
kith_err ki_sqlite_commit(void *state);
void ki_sqlite_rollback(void *state);

/* ---- read ---- */
ki_reader *ki_sqlite_take_reader(ki_sqlite *s); /* waits for a free one */
void ki_sqlite_give_reader(ki_sqlite *s, ki_reader *r);
void ki_sqlite_close_reader(ki_reader *r);
kith_err ki_sqlite_read(void *state, ki_table_name table, const ki_select *which, ki_rowpage *page);

/* ---- log ---- */
kith_err ki_sqlite_start_sweeper(ki_sqlite *s);
void ki_sqlite_stop_sweeper(ki_sqlite *s);
void ki_sqlite_scrub(void *state);
void ki_sqlite_tidy(void *state, int idle);

/* ---- keep ---- */
kith_err ki_sqlite_count(void *state, ki_store_counts *out);
kith_err ki_sqlite_backup(void *state, const char *path);
kith_err ki_sqlite_quick_check(ki_sqlite *s, sqlite3 *db);
kith_err ki_sqlite_check(void *state);

#endif
