/* SPDX-License-Identifier: MIT
 * sqlite_schema.c -- the tables of a store in SQLite, and how an older file becomes a newer one
 *
 * doc/store.md says what each column means.  Format n is made from format n - 1 by steps[n - 1]; a new file runs
 * through all of them.  application_id marks the file as a store of kith, user_version is its format.  The steps and
 * both marks are one transaction, so that a crash leaves the old format or the new one.
 */
#include "store/sqlite.h"

#include "base/mem.h"
#include "data/idmap.h" /* KI_IDS_MAX */

#include <stdio.h>

enum { APPLICATION = 0x6b697468 }; /* "kith" */

static const char *const steps[] = {
    "CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, users "
    "INTEGER NOT NULL,"
    "  items INTEGER NOT NULL, events INTEGER NOT NULL, documents INTEGER NOT NULL, journals "
    "INTEGER NOT NULL) STRICT;"
    "INSERT INTO state VALUES (1, 0, 0, 0, 0, 0, 0);"
    "CREATE TABLE users (number INTEGER PRIMARY KEY, id TEXT UNIQUE, json TEXT, time INTEGER NOT "
    "NULL) STRICT;"
    "CREATE TABLE items (number INTEGER PRIMARY KEY, id TEXT UNIQUE, json TEXT, time INTEGER NOT "
    "NULL,"
    "  hidden INTEGER NOT NULL) STRICT;"
    "CREATE TABLE events (seq INTEGER PRIMARY KEY, user INTEGER NOT NULL, item INTEGER NOT NULL, "
    "kind TEXT NOT NULL,"
    "  value REAL, time INTEGER NOT NULL, rec_id TEXT, id TEXT, json TEXT) STRICT;"
    "CREATE INDEX events_user ON events (user);"
    "CREATE INDEX events_item ON events (item);"
    "CREATE UNIQUE INDEX events_id ON events (id) WHERE id IS NOT NULL;"
    "CREATE TABLE documents (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, json "
    "TEXT NOT NULL,"
    "  time INTEGER NOT NULL, UNIQUE (kind, id)) STRICT;"
    "CREATE TABLE journals (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT, user TEXT, item "
    "TEXT,"
    "  json TEXT NOT NULL, time INTEGER NOT NULL) STRICT;"
    "CREATE INDEX journals_kind ON journals (kind);"
    "CREATE INDEX journals_id ON journals (id) WHERE id IS NOT NULL;"
    "CREATE INDEX journals_user ON journals (user) WHERE user IS NOT NULL;"
    "CREATE INDEX journals_item ON journals (item) WHERE item IS NOT NULL;",
};

static const int newest = (int)KI_COUNT(steps);

static kith_err number(const ki_sqlite *s, const char *sql, int64_t *out)
{
    return ki_sqlite_number(s, s->db, sql, 0, out);
}

/* Format 0 is a file with nothing in it. */
static kith_err find_format(const ki_sqlite *s, int64_t *format)
{
    int64_t application, version, objects;
    kith_err err = number(s, "PRAGMA application_id", &application);
    if (err == KITH_OK) err = number(s, "PRAGMA user_version", &version);
    if (err == KITH_OK) err = number(s, "SELECT count(*) FROM sqlite_schema", &objects);
    if (err != KITH_OK) return err;
    const int empty = application == 0 && version == 0 && objects == 0;
    if (!empty && application != APPLICATION)
        return ki_fail(KITH_EFORMAT,
                       "%s: an SQLite database, but no store of kith; name another file", s->path);
    if (version > newest)
        return ki_fail(
            KITH_EFORMAT,
            "%s: a store of format %lld, written by a later kith; this one knows formats up "
            "to %d",
            s->path, (long long)version, newest);
    if (!empty && version < 1)
        return ki_fail(KITH_EFORMAT, "%s: the store is damaged: it has format %lld", s->path,
                       (long long)version);
    *format = version;
    return KITH_OK;
}

static kith_err migrate(const ki_sqlite *s, int64_t from)
{
    static const char doing[] = "its tables are made";
    char marks[96];
    kith_err err = ki_sqlite_run(s, s->db, "BEGIN IMMEDIATE", doing);
    if (err != KITH_OK) return err;
    for (int64_t f = from; err == KITH_OK && f < newest; f++)
        err = ki_sqlite_run(s, s->db, steps[f], doing);
    snprintf(marks, sizeof marks, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
             APPLICATION, newest);
    if (err == KITH_OK) err = ki_sqlite_run(s, s->db, marks, doing);
    if (err != KITH_OK) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return err;
}

/* Of all that can be written without a change the mark of the format is the one that SQLite does not leave out. */
void ki_sqlite_begin_log(const ki_sqlite *s)
{
    char cut[160];
    snprintf(cut, sizeof cut,
             "PRAGMA journal_size_limit = %d; PRAGMA user_version = %d; "
             "PRAGMA journal_size_limit = -1",
             KI_SQLITE_KEPT_LOG, newest);
    sqlite3_exec(s->db, cut, NULL, NULL, NULL);
}

/* What is no part of a store could run when rows change: a file from elsewhere gets no such chance. */
static kith_err refuse_strangers(const ki_sqlite *s)
{
    int64_t strangers;
    const kith_err err = number(
        s, "SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index')", &strangers);
    if (err != KITH_OK || strangers == 0) return err;
    return ki_fail(KITH_EFORMAT, "%s: it has triggers or views, which no store of kith has",
                   s->path);
}

/* Only once the file is known to be ours: this writes to it. */
static kith_err use_wal(const ki_sqlite *s)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(s->db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
    const char *mode = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    const int wal = mode != NULL && sqlite3_stricmp(mode, "wal") == 0;
    sqlite3_finalize(stmt);
    if (rc != SQLITE_ROW) return ki_sqlite_fail(s, s->db, rc, "its write-ahead log is made");
    return wal ? KITH_OK
               : ki_fail(KITH_EIO,
                         "%s: this file system cannot hold a write-ahead log; put the store "
                         "on a local disk",
                         s->path);
}

kith_err ki_sqlite_schema(ki_sqlite *s)
{
    int64_t format = 0;
    kith_err err = find_format(s, &format);
    if (err != KITH_OK) return err;
    if (format < newest && s->read_only)
        return format == 0
                   ? ki_fail(KITH_EFORMAT, "%s: there is no store in it", s->path)
                   : ki_fail(KITH_EFORMAT,
                             "%s: a store of format %lld is to be opened for writing once, so that "
                             "it becomes format %d",
                             s->path, (long long)format, newest);
    if (!s->read_only && !s->memory) err = use_wal(s);
    if (err == KITH_OK && format < newest) err = migrate(s, format);
    return err == KITH_OK ? refuse_strangers(s) : err;
}

/* ---- the tally ---- */

static kith_err load_state(ki_sqlite *s, ki_tally *t)
{
    int64_t *const to[] = {
        &t->seq, &t->users, &t->items, &t->events, &t->documents, &t->journals
    };
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(
        s->db, "SELECT seq, users, items, events, documents, journals FROM state WHERE one = 1", -1,
        &stmt, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
    int sound = rc == SQLITE_ROW;
    for (int c = 0; sound && c < (int)KI_COUNT(to); c++) {
        *to[c] = sqlite3_column_int64(stmt, c);
        sound = sqlite3_column_type(stmt, c) == SQLITE_INTEGER && *to[c] >= 0;
    }
    sqlite3_finalize(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return ki_sqlite_fail(s, s->db, rc, "its state is read");
    return sound ? KITH_OK
                 : ki_fail(KITH_EFORMAT,
                           "%s: the store is damaged: its table state has no sound row", s->path);
}

kith_err ki_sqlite_load_tally(ki_sqlite *s)
{
    ki_tally t = { 0 };
    int64_t highest = 0;
    kith_err err = load_state(s, &t);
    if (err == KITH_OK) err = number(s, "SELECT max(number) + 1 FROM users", &t.next_user);
    if (err == KITH_OK) err = number(s, "SELECT max(number) + 1 FROM items", &t.next_item);
    if (err == KITH_OK)
        err = number(
            s,
            "SELECT max((SELECT ifnull(max(seq), 0) FROM events), (SELECT ifnull(max(seq), 0) "
            "FROM documents), (SELECT ifnull(max(seq), 0) FROM journals))",
            &highest);
    if (err != KITH_OK) return err;
    const int64_t most = (int64_t)KI_IDS_MAX + 1;
    if (t.next_user < t.users || t.next_item < t.items || t.next_user > most ||
        t.next_item > most || highest > t.seq)
        return ki_fail(KITH_EFORMAT,
                       "%s: the store is damaged: its table state does not fit its rows", s->path);
    s->tally = s->kept = t;
    return KITH_OK;
}
