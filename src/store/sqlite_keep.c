/* SPDX-License-Identifier: MIT
 * sqlite_keep.c -- counts, backup, checks
 */
#include "store/sqlite.h"

#include "base/mem.h"
#include "store/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4200 };

/* ---- counts ---- */

static int64_t size_of(const char *path, const char *suffix)
{
    char name[PATH_SIZE];
    struct stat st;
    snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &st) == 0 ? (int64_t)st.st_size : 0;
}

static kith_err memory_size(ki_sqlite *s, int64_t *bytes)
{
    int64_t pages, size;
    ki_reader *r = ki_sqlite_take_reader(s);
    kith_err err = ki_sqlite_number(s, r->db, "PRAGMA page_count", 0, &pages);
    if (err == KITH_OK) err = ki_sqlite_number(s, r->db, "PRAGMA page_size", 0, &size);
    ki_sqlite_give_reader(s, r);
    if (err == KITH_OK) *bytes = pages * size;
    return err;
}

kith_err ki_sqlite_count(void *state, ki_store_counts *out)
{
    ki_sqlite *s = state;
    pthread_mutex_lock(&s->lock);
    const ki_tally t = s->kept;
    pthread_mutex_unlock(&s->lock);
    out->users = t.users;
    out->items = t.items;
    out->events = t.events;
    out->documents = t.documents;
    out->journals = t.journals;
    out->bytes = size_of(s->path, "") + size_of(s->path, "-wal");
    return s->memory ? memory_size(s, &out->bytes) : KITH_OK;
}

/* ---- backup ---- */

/* All pages of one moment, into a database of its own. */
static kith_err copy_pages(ki_sqlite *s, sqlite3 *from, const char *path)
{
    sqlite3 *to = NULL;
    int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
        if (b != NULL) sqlite3_backup_step(b, -1);
        rc = b != NULL ? sqlite3_backup_finish(b) : sqlite3_errcode(to);
    }
    const kith_err err = rc == SQLITE_OK ? KITH_OK : ki_sqlite_fail(s, to, rc, "it is copied");
    sqlite3_close(to);
    return err;
}

/* SQLite has made the bytes durable; the name is to be so too. */
static kith_err put_in_place(const char *temporary, const char *path)
{
    char folder[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    if (rename(temporary, path) != 0)
        return ki_fail(KITH_EIO, "%s: the backup cannot be put in place: %s", path,
                       strerror(errno));
    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path + 1),
             slash == NULL ? "." : path);
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!fsync(fd);
        close(fd);
    }
    return KITH_OK;
}

/* A log that waits beside `path` would be taken for that of the copy. */
static kith_err check_target(const ki_sqlite *s, const char *path)
{
    struct stat a, b;
    if (size_of(path, "-wal") > 0)
        return ki_fail(KITH_EIO,
                       "%s: a write-ahead log lies beside it, so it is a store in use or one to be "
                       "opened once; name another file",
                       path);
    if (stat(path, &a) == 0 && stat(s->path, &b) == 0 && a.st_ino == b.st_ino &&
        a.st_dev == b.st_dev)
        return ki_fail(KITH_EIO, "%s: is the store itself; name another file", path);
    if (stat(path, &a) == 0 && !S_ISREG(a.st_mode))
        return ki_fail(KITH_EIO, "%s: not a regular file; name another file", path);
    return KITH_OK;
}

static kith_err copy_to(ki_sqlite *s, const char *path)
{
    char temporary[PATH_SIZE];
    const int n = snprintf(temporary, sizeof temporary, "%s.tmp-%ld", path, (long)getpid());
    if (n >= (int)sizeof temporary)
        return ki_fail(KITH_EINVAL, "the path is too long: %.64s...", path);
    unlink(temporary); /* of a process of that number, long ago; the lock is ours */
    ki_reader *r = ki_sqlite_take_reader(s);
    kith_err err = copy_pages(s, r->db, temporary);
    ki_sqlite_give_reader(s, r);
    if (err == KITH_OK) err = put_in_place(temporary, path);
    if (err != KITH_OK) unlink(temporary);
    return err;
}

kith_err ki_sqlite_backup(void *state, const char *path)
{
    ki_sqlite *s = state;
    int lock = -1;
    kith_err err = check_target(s, path);
    if (err == KITH_OK) err = ki_lockfile_take(path, &lock);
    if (err != KITH_OK) return err;
    err = copy_to(s, path);
    ki_lockfile_release(path, lock);
    return err;
}

/* ---- checks ---- */

static kith_err pragma_check(ki_sqlite *s, sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
    kith_err err = KITH_OK;
    if (rc != SQLITE_ROW) {
        err = ki_sqlite_fail(s, db, rc, "it is checked");
    } else {
        const char *said = (const char *)sqlite3_column_text(stmt, 0);
        if (said == NULL || strcmp(said, "ok") != 0)
            err = ki_fail(
                KITH_EFORMAT,
                "%s: the store is damaged (%s); restore a backup, or rescue what is readable "
                "with the .recover command of sqlite3",
                s->path, said == NULL ? "no more is known" : said);
    }
    sqlite3_finalize(stmt);
    return err;
}

kith_err ki_sqlite_quick_check(ki_sqlite *s, sqlite3 *db)
{
    return pragma_check(s, db, "PRAGMA quick_check(1)");
}

#define SOUND_JSON(table)                                                                          \
    "SELECT count(*) FROM " table " WHERE json IS NOT NULL AND"                                    \
    " CASE WHEN json_valid(json) THEN json_type(json) <> 'object' ELSE 1 END"

/* Each counts the rows that break an invariant. */
static const struct {
    const char *sql, *what;
} invariants[] = {
    { "SELECT abs(users - (SELECT count(id) FROM users)) FROM state",
      "the count of users is wrong" },
    { "SELECT abs(items - (SELECT count(id) FROM items)) FROM state",
      "the count of items is wrong" },
    { "SELECT abs(events - (SELECT count(*) FROM events)) FROM state",
      "the count of events is wrong" },
    { "SELECT abs(documents - (SELECT count(*) FROM documents)) FROM state",
      "the count of documents is wrong" },
    { "SELECT abs(journals - (SELECT count(*) FROM journals)) FROM state",
      "the count of journal rows is wrong" },
    { "SELECT ifnull(max(number) + 1, 0) - count(*) + abs(ifnull(min(number), 0)) FROM users",
      "numbers of users are missing" },
    { "SELECT ifnull(max(number) + 1, 0) - count(*) + abs(ifnull(min(number), 0)) FROM items",
      "numbers of items are missing" },
    { "SELECT count(*) FROM events e WHERE NOT EXISTS (SELECT 1 FROM users WHERE number = e.user "
      "AND id IS NOT NULL)",
      "events are of users that are not there" },
    { "SELECT count(*) FROM events e WHERE NOT EXISTS (SELECT 1 FROM items WHERE number = e.item "
      "AND id IS NOT NULL)",
      "events are of items that are not there" },
    { "SELECT count(*) FROM users WHERE id IS NULL AND json IS NOT NULL",
      "dropped users have attributes" },
    { "SELECT count(*) FROM items WHERE id IS NULL AND json IS NOT NULL",
      "dropped items have attributes" },
    { "SELECT (SELECT ifnull(max(seq), 0) FROM events) > seq OR (SELECT ifnull(max(seq), 0) FROM "
      "documents) > seq"
      " OR (SELECT ifnull(max(seq), 0) FROM journals) > seq FROM state",
      "numbers of rows lie beyond the last one given" },
    { SOUND_JSON("users"), "attributes of users are no JSON objects" },
    { SOUND_JSON("items"), "attributes of items are no JSON objects" },
    { SOUND_JSON("events"), "attributes of events are no JSON objects" },
    { SOUND_JSON("documents"), "documents are no JSON objects" },
    { SOUND_JSON("journals"), "journal rows are no JSON objects" },
};

static kith_err check_invariants(ki_sqlite *s, sqlite3 *db)
{
    int64_t n = 0;
    for (size_t j = 0; j < KI_COUNT(invariants); j++) {
        const kith_err err = ki_sqlite_number(s, db, invariants[j].sql, 0, &n);
        if (err != KITH_OK) return err;
        if (n != 0)
            return ki_fail(KITH_EFORMAT, "%s: the store is damaged: %s", s->path,
                           invariants[j].what);
    }
    return KITH_OK;
}

kith_err ki_sqlite_check(void *state)
{
    ki_sqlite *s = state;
    ki_reader *r = ki_sqlite_take_reader(s);
    kith_err err = ki_sqlite_run(s, r->db, "BEGIN", "it is checked"); /* all of one moment */
    if (err == KITH_OK) err = pragma_check(s, r->db, "PRAGMA integrity_check(1)");
    if (err == KITH_OK) err = check_invariants(s, r->db);
    if (!sqlite3_get_autocommit(r->db)) sqlite3_exec(r->db, "COMMIT", NULL, NULL, NULL);
    ki_sqlite_give_reader(s, r);
    return err;
}
