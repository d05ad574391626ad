/* SPDX-License-Identifier: MIT
 * sqlite.c -- the store in one SQLite file: opening and closing, connections, failures
 *
 * A file from elsewhere is not trusted: no function or trigger of its schema runs (trusted_schema off, defensive), cells
 * are checked as pages are read, lengths are limited, and what a row holds is checked where it is read.
 */
#include "store/sqlite.h"

#include "base/mem.h"
#include "store/lockfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SMALL_FILE = 16 << 20, LONGEST_VALUE = KI_STORE_JSON_MAX + (1 << 20) };

/* ---- failures and small statements ---- */

static kith_err fail_disk(const ki_sqlite *s, sqlite3 *db, int code, const char *doing)
{
    const int why = db == NULL ? 0 : sqlite3_system_errno(db);
    if ((code & 0xff) == SQLITE_BUSY)
        return ki_fail(KITH_EIO, "%s: another program holds the file while %s", s->path, doing);
    if ((code & 0xff) == SQLITE_FULL)
        return ki_fail(KITH_EIO, "%s: the disk is full while %s; make room and try again", s->path,
                       doing);
    return ki_fail(KITH_EIO, "%s: %s while %s%s%s", s->path, sqlite3_errstr(code), doing,
                   why != 0 ? ": " : "", why != 0 ? strerror(why) : "");
}

kith_err ki_sqlite_fail(const ki_sqlite *s, sqlite3 *db, int code, const char *doing)
{
    const char *said = db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(db);
    switch (code & 0xff) {
    case SQLITE_NOMEM: return ki_fail_memory(0);
    case SQLITE_NOTADB:
        return ki_fail(KITH_EFORMAT, "%s: no store of kith (it is not an SQLite database)",
                       s->path);
    case SQLITE_BUSY:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
    case SQLITE_NOLFS: return fail_disk(s, db, code, doing);
    default:
        return ki_fail(
            KITH_EFORMAT,
            "%s: the store is damaged (%s, while %s); restore a backup, or rescue what is "
            "readable with the .recover command of sqlite3",
            s->path, said, doing);
    }
}

kith_err ki_sqlite_run(const ki_sqlite *s, sqlite3 *db, const char *sql, const char *doing)
{
    const int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? KITH_OK : ki_sqlite_fail(s, db, rc, doing);
}

kith_err ki_sqlite_number(const ki_sqlite *s, sqlite3 *db, const char *sql, int64_t otherwise,
                          int64_t *out)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
    const int found = rc == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL;
    const int64_t got = found ? sqlite3_column_int64(stmt, 0) : otherwise;
    sqlite3_finalize(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return ki_sqlite_fail(s, db, rc, "it is read");
    *out = got;
    return KITH_OK;
}

/* ---- connections ---- */

static kith_err settle(const ki_sqlite *s, sqlite3 *db)
{
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, KI_SQLITE_WAIT_MS);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    return ki_sqlite_run(
        s, db, "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0",
        "it is opened");
}

kith_err ki_sqlite_connect(const ki_sqlite *s, const char *path, int flags, sqlite3 **out)
{
    sqlite3 *db = NULL;
    const int rc = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    kith_err err = rc == SQLITE_OK ? KITH_OK : ki_sqlite_fail(s, db, rc, "it is opened");
    if (err == KITH_OK) err = settle(s, db);
    if (err != KITH_OK) {
        sqlite3_close(db);
        return err;
    }
    *out = db;
    return KITH_OK;
}

/* Where nothing can be made beside the file (a read-only disk) and no log waits there, it cannot change and needs no
 * locks: SQLite is told so by a URI, in which three characters are special. */
static kith_err immutable_uri(const char *path, char **out)
{
    const kith_err err = ki_alloc(out, 3 * strlen(path) + 32, 1);
    if (err != KITH_OK) return err;
    char *to = *out + sprintf(*out, "file:");
    for (const char *p = path; *p != '\0'; p++)
        to += sprintf(to, strchr("?#%", *p) != NULL ? "%%%02x" : "%c", (unsigned char)*p);
    sprintf(to, "?immutable=1");
    return KITH_OK;
}

static kith_err connect_main(ki_sqlite *s)
{
    if (s->memory)
        return ki_sqlite_connect(s, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &s->db);
    if (!s->read_only)
        return ki_sqlite_connect(s, s->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &s->db);
    kith_err err = ki_sqlite_connect(s, s->path, SQLITE_OPEN_READONLY, &s->db);
    if (err != KITH_OK) return err;
    if (sqlite3_exec(s->db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL) != SQLITE_CANTOPEN)
        return KITH_OK;
    if ((err = immutable_uri(s->path, &s->uri)) != KITH_OK) return err;
    sqlite3_close(s->db);
    s->db = NULL;
    return ki_sqlite_connect(s, s->uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, &s->db);
}

/* ---- opening ---- */

static int64_t file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static kith_err lock_file(ki_sqlite *s)
{
    char *real = realpath(s->path, NULL);
    kith_err err = ki_strdup(&s->lock_path, real != NULL ? real : s->path);
    free(real); /* the C library's */
    if (err == KITH_OK) err = ki_lockfile_take(s->lock_path, &s->lock_fd);
    return err;
}

/* The writer's own settings: durable commits, deleted bytes overwritten, checkpoints when tidy() says. */
static kith_err settle_writer(const ki_sqlite *s)
{
    return ki_sqlite_run(s, s->db,
                         "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; "
                         "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -65536",
                         "it is opened");
}

static kith_err open_readers(ki_sqlite *s)
{
    const char *path = s->uri != NULL ? s->uri : s->path;
    const int flags = (s->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                      (s->uri != NULL ? SQLITE_OPEN_URI : 0);
    kith_err err = KITH_OK;
    while (err == KITH_OK && s->n_readers < KI_SQLITE_READERS) {
        ki_reader *r = &s->readers[s->n_readers];
        err = ki_sqlite_connect(s, path, flags, &r->db);
        if (err == KITH_OK) s->n_readers++;
        if (err == KITH_OK) err = ki_sqlite_run(s, r->db, "PRAGMA query_only = ON", "it is opened");
    }
    return err;
}

/* In memory the writer's connection is the one reader's too. */
static kith_err make_readers(ki_sqlite *s)
{
    if (!s->memory) return open_readers(s);
    s->readers[0].db = s->db;
    s->n_readers = 1;
    return KITH_OK;
}

/* What a crash has left in the log may have been taken away since. */
static int has_old_log(const ki_sqlite *s)
{
    char log[4200];
    snprintf(log, sizeof log, "%s-wal", s->path);
    return !s->memory && file_size(log) > 0;
}

static kith_err open_file(ki_sqlite *s, const ki_store_options *o)
{
    s->replaced = has_old_log(s);
    const int check = !s->memory && (o->check || file_size(s->path) <= SMALL_FILE);
    kith_err err = s->memory || s->read_only ? KITH_OK : lock_file(s);
    if (err == KITH_OK) err = connect_main(s);
    if (err == KITH_OK && !s->read_only) err = settle_writer(s);
    if (err == KITH_OK) err = ki_sqlite_schema(s);
    if (err == KITH_OK && check) err = ki_sqlite_quick_check(s, s->db);
    if (err == KITH_OK) err = ki_sqlite_load_tally(s);
    if (err == KITH_OK && !s->read_only) err = ki_sqlite_prepare_writes(s);
    if (err == KITH_OK && !s->read_only && !s->memory) err = ki_sqlite_start_sweeper(s);
    return err == KITH_OK ? make_readers(s) : err;
}

static void close_sqlite(void *state)
{
    ki_sqlite *s = state;
    ki_sqlite_stop_sweeper(s);
    ki_sqlite_finish_writes(s);
    for (int r = 0; r < s->n_readers; r++) {
        const int shared = s->readers[r].db == s->db;
        ki_sqlite_close_reader(&s->readers[r]);
        if (!shared) sqlite3_close(s->readers[r].db);
    }
    sqlite3_close(s->db); /* the last one: empties the log into the file */
    if (s->lock_path != NULL) ki_lockfile_release(s->lock_path, s->lock_fd);
    pthread_mutex_destroy(&s->turn);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->idle);
    pthread_cond_destroy(&s->sweep_wanted);
    ki_free(s->lock_path);
    ki_free(s->uri);
    ki_free(s->path);
    ki_free(s);
}

static kith_err open_sqlite(const char *path, const ki_store_options *o, void **state)
{
    ki_sqlite *s = NULL;
    if (path != NULL && path[0] == '\0')
        return ki_fail(KITH_EINVAL, "the path of the store is empty");
    kith_err err = ki_alloc(&s, 1, sizeof *s);
    if (err != KITH_OK) return err;
    s->lock_fd = -1;
    s->memory = path == NULL || strcmp(path, ":memory:") == 0;
    s->read_only = o->read_only;
    pthread_mutex_init(&s->turn, NULL);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->idle, NULL);
    pthread_cond_init(&s->sweep_wanted, NULL);
    err = ki_strdup(&s->path, s->memory ? "the store in memory" : path);
    if (err == KITH_OK && s->read_only && !s->memory && access(path, F_OK) != 0)
        err = ki_fail(KITH_EIO, "%s: cannot be read: %s", path, strerror(errno));
    if (err == KITH_OK) err = open_file(s, o);
    if (err != KITH_OK) {
        close_sqlite(s);
        return err;
    }
    *state = s;
    return KITH_OK;
}

const ki_backend ki_sqlite_backend = {
    .name = "sqlite",
    .open = open_sqlite,
    .close = close_sqlite,
    .begin = ki_sqlite_begin,
    .write = ki_sqlite_write,
    .commit = ki_sqlite_commit,
    .rollback = ki_sqlite_rollback,
    .scrub = ki_sqlite_scrub,
    .tidy = ki_sqlite_tidy,
    .read = ki_sqlite_read,
    .count = ki_sqlite_count,
    .backup = ki_sqlite_backup,
    .check = ki_sqlite_check,
};
