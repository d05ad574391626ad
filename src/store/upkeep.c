/* SPDX-License-Identifier: MIT
 * upkeep.c -- a store file by itself, without a service: check, copy, write out, read in
 */
#include "base/jsontext.h"
#include "base/lines.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "store/transfer.h"

#include <string.h>
#include <sys/stat.h>

static kith_err check_paths(const char *function, const char *db, const char *path)
{
    struct stat a, b;
    if (db == NULL || path == NULL) return ki_fail(KITH_EINVAL, "%s: a path is NULL", function);
    if (stat(db, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return ki_fail(KITH_EINVAL, "%s: is the store itself; name another file", path);
    return KITH_OK;
}

static kith_err open_to_read(const char *db, ki_store **out)
{
    return ki_store_open(db, &(ki_store_options){ .read_only = 1 }, out);
}

static json_t *counts_json(const ki_store_counts *n)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "users", (json_int_t)n->users, "items",
                     (json_int_t)n->items, "events", (json_int_t)n->events, "documents",
                     (json_int_t)n->documents, "journal_rows", (json_int_t)n->journals, "bytes",
                     (json_int_t)n->bytes);
}

kith_err kith_store_check(const char *db, char **json)
{
    ki_store *s = NULL;
    ki_store_counts n;
    if (db == NULL) return ki_fail(KITH_EINVAL, "kith_store_check: db is NULL");
    kith_err err = open_to_read(db, &s);
    if (err == KITH_OK) err = ki_store_check(s);
    if (err == KITH_OK) err = ki_store_count(s, &n);
    if (err == KITH_OK && json != NULL) err = ki_json_print(counts_json(&n), json);
    ki_store_close(s);
    return err;
}

kith_err kith_store_backup(const char *db, const char *path)
{
    ki_store *s = NULL;
    kith_err err = check_paths("kith_store_backup", db, path);
    if (err == KITH_OK) err = open_to_read(db, &s);
    if (err == KITH_OK) err = ki_store_backup(s, path);
    ki_store_close(s);
    return err;
}

/* ---- out ---- */

static kith_err put_line(void *udata, const char *line, size_t n)
{
    ki_outfile *f = udata;
    ki_outfile_put(f, line, n);
    ki_outfile_put(f, "\n", 1);
    return ki_outfile_failed(f) ? KITH_EIO : KITH_OK; /* the commit says why */
}

kith_err kith_store_export(const char *db, const char *path)
{
    ki_store *s = NULL;
    ki_outfile *f = NULL;
    kith_err err = check_paths("kith_store_export", db, path);
    if (err == KITH_OK) err = open_to_read(db, &s);
    if (err == KITH_OK) err = ki_outfile_open(path, &f);
    if (err == KITH_OK) err = ki_store_export(s, NULL, put_line, f);
    if (f != NULL && (err == KITH_OK || ki_outfile_failed(f)))
        err = ki_outfile_commit(f);
    else
        ki_outfile_discard(f);
    ki_store_close(s);
    return err;
}

/* ---- in ---- */

enum { LONGEST_LINE = KI_STORE_JSON_MAX + (1 << 20) };

static kith_err read_lines(ki_lines *lines, ki_import *im)
{
    char *line, said[KI_MESSAGE_SIZE];
    size_t n;
    kith_err err = KITH_OK;
    while (err == KITH_OK) {
        if ((err = ki_lines_next(lines, &line, &n)) != KITH_OK || line == NULL) return err;
        err = ki_import_line(im, line, n, lines->number);
    }
    ki_message_get(said);
    return ki_fail(err == KITH_EINVAL ? KITH_EFORMAT : err, "%s: %s", ki_source_name(lines->source),
                   said);
}

static json_t *import_json(const ki_import_counts *n)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "users", (json_int_t)n->rows[KI_USERS],
                     "items", (json_int_t)n->rows[KI_ITEMS], "events",
                     (json_int_t)n->rows[KI_EVENTS], "documents", (json_int_t)n->rows[KI_DOCUMENTS],
                     "journal_rows", (json_int_t)n->rows[KI_JOURNALS], "repeated_events",
                     (json_int_t)n->repeated);
}

static kith_err write_changes(void *udata, ki_change *changes, int n)
{
    return ki_store_write(udata, changes, n);
}

kith_err kith_store_import(const char *db, const char *path, char **json)
{
    ki_store *s = NULL;
    ki_import *im = NULL;
    ki_lines lines = { .most = LONGEST_LINE };
    ki_import_counts counts;
    kith_err err = check_paths("kith_store_import", db, path);
    if (err == KITH_OK) err = ki_source_open(path, &lines.source);
    if (err == KITH_OK) err = ki_store_open(db, NULL, &s);
    if (err == KITH_OK) err = ki_import_new(write_changes, s, &im);
    if (err == KITH_OK) err = read_lines(&lines, im);
    if (err == KITH_OK) err = ki_import_flush(im, &counts);
    if (err == KITH_OK && json != NULL) err = ki_json_print(import_json(&counts), json);
    ki_import_free(im);
    ki_store_close(s);
    ki_source_close(lines.source);
    ki_lines_clear(&lines);
    return err;
}
