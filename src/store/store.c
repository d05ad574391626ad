/* SPDX-License-Identifier: MIT
 * store.c -- what must survive, behind one small interface: checks, paging and dispatch over a backend's table
 */
#include "store/store.h"

#include "base/mem.h"
#include "store/changes.h"
#include "store/writer.h"

#include <math.h>

struct ki_store {
    const ki_backend *backend;
    void *state;
    ki_writer *writer; /* NULL: opened read-only */
};

/* ---- life ---- */

kith_err ki_store_open(const char *path, const ki_store_options *options, ki_store **out)
{
    static const ki_store_options usual = { 0 };
    if (out == NULL) return ki_fail(KITH_EINVAL, "ki_store_open: out is NULL");
    if (options == NULL) options = &usual;
    ki_store *s = NULL;
    const ki_backend *backend = &ki_sqlite_backend; /* the one there is */
    kith_err err = ki_alloc(&s, 1, sizeof *s);
    if (err != KITH_OK) return err;
    s->backend = backend;
    err = backend->open(path, options, &s->state);
    if (err == KITH_OK && !options->read_only)
        err = ki_writer_new(backend, s->state, options, &s->writer);
    if (err != KITH_OK) {
        ki_store_close(s);
        return err;
    }
    *out = s;
    return KITH_OK;
}

void ki_store_close(ki_store *s)
{
    if (s == NULL) return;
    ki_writer_free(s->writer);
    if (s->state != NULL) s->backend->close(s->state);
    ki_free(s);
}

kith_err ki_store_write(ki_store *s, ki_change *changes, int n)
{
    if (s->writer == NULL) return ki_fail(KITH_EINVAL, "the store was opened for reading only");
    const kith_err err = ki_changes_check(changes, n);
    return err != KITH_OK || n == 0 ? err : ki_writer_write(s->writer, changes, n);
}

/* ---- reading ---- */

static kith_err check_select(ki_table_name table, const ki_select *w)
{
    if ((int)table < KI_USERS || table > KI_JOURNALS)
        return ki_fail(KITH_EINVAL, "the store has no table %d", (int)table);
    if (w->limit < 0 || w->after < 0)
        return ki_fail(KITH_EINVAL, "limit and after must not be negative");
    if (table <= KI_ITEMS && (w->kind != NULL || w->user != NULL || w->item != NULL))
        return ki_fail(KITH_EINVAL,
                       "users and items are selected by id and time, not by kind, user or item");
    if (table == KI_DOCUMENTS && (w->user != NULL || w->item != NULL))
        return ki_fail(KITH_EINVAL, "documents are of no user or item");
    return KITH_OK;
}

static int64_t place_of(ki_table_name table, const ki_row *row)
{
    return table <= KI_ITEMS ? (int64_t)row->index + 1 : row->seq;
}

/* Numbers are identity: where all are told none may be missing. */
static kith_err check_place(ki_table_name table, const ki_select *which, const ki_row *row,
                            int64_t before)
{
    const int all = table <= KI_ITEMS && !which->newest_first && !which->no_dropped &&
                    which->id == NULL && which->from_ms == 0 && which->to_ms == 0;
    if (all && row->index != before)
        return ki_fail(KITH_EFORMAT, "the store is damaged: %s %lld is missing",
                       table == KI_USERS ? "user" : "item", (long long)before);
    return KITH_OK;
}

static kith_err tell_page(ki_table_name table, const ki_select *which, ki_select *rest,
                          const ki_rowpage *page, ki_row_fn fn, void *udata)
{
    for (int j = 0; j < page->n; j++) {
        const ki_row *row = &page->rows[j];
        kith_err err = check_place(table, which, row, rest->after);
        if (err == KITH_OK) err = fn(udata, row);
        if (err != KITH_OK) return err;
        rest->after = place_of(table, row);
    }
    return KITH_OK;
}

kith_err ki_store_each(ki_store *s, ki_table_name table, const ki_select *which, ki_row_fn fn,
                       void *udata)
{
    static const ki_select all = { 0 };
    if (which == NULL) which = &all;
    ki_rowpage page = { 0 };
    ki_select rest = *which;
    kith_err err = check_select(table, which);
    int64_t left = which->limit > 0 ? which->limit : INT64_MAX;
    page.more = 1;
    while (err == KITH_OK && left > 0 && page.more) {
        ki_rowpage_reset(&page);
        rest.limit = KI_MIN(left, KI_ROWPAGE_ROWS);
        err = s->backend->read(s->state, table, &rest, &page);
        left -= page.n;
        if (err == KITH_OK) err = tell_page(table, which, &rest, &page, fn, udata);
    }
    ki_rowpage_clear(&page);
    return err;
}

/* ---- rows as JSON ---- */

static int put(json_t *to, const char *name, json_t *value)
{
    return value != NULL && json_object_set_new(to, name, value) == 0;
}

static int put_text(json_t *to, const char *name, const char *text)
{
    return text == NULL || put(to, name, json_string(text));
}

static int put_event(json_t *to, const ki_row *row)
{
    return put_text(to, "user", row->user) && put_text(to, "item", row->item) &&
           (isnan(row->value) || put(to, "value", json_real(row->value))) &&
           put_text(to, "rec_id", row->rec_id);
}

/* What the row itself says, without the JSON that it carries. */
static int put_plain(ki_table_name table, const ki_row *row, json_t *to)
{
    int ok = put_text(to, "kind", row->kind) && put_text(to, "id", row->id);
    if (table <= KI_ITEMS)
        ok = ok && put(to, "index", json_integer(row->index));
    else
        ok = ok && put(to, "seq", json_integer(row->seq)) && put_event(to, row);
    if (table == KI_ITEMS) ok = ok && put(to, "hidden", json_boolean(row->hidden));
    return ok && put(to, "time_ms", json_integer(row->time_ms));
}

kith_err ki_row_json(ki_table_name table, const ki_row *row, json_t **out)
{
    static const char *const names[] = { "attributes", "attributes", "attributes", "document",
                                         "entry" };
    json_t *made = json_object(), *carried = NULL;
    if (made != NULL && row->json != NULL) {
        json_error_t error;
        carried = json_loads(row->json, 0, &error);
        if (carried == NULL) {
            json_decref(made);
            return ki_fail(KITH_EFORMAT, "the store is damaged: the JSON of a row is not sound: %s",
                           error.text);
        }
    }
    if (made == NULL || !put_plain(table, row, made) ||
        (carried != NULL && json_object_set(made, names[table], carried) != 0)) {
        json_decref(carried);
        json_decref(made);
        return ki_fail_memory(sizeof *row);
    }
    json_decref(carried);
    *out = made;
    return KITH_OK;
}

struct one {
    ki_table_name table;
    json_t *row;
};

static kith_err keep_one(void *udata, const ki_row *row)
{
    struct one *one = udata;
    json_t *made = NULL;
    const kith_err err = ki_row_json(one->table, row, &made);
    if (err != KITH_OK) return err;
    one->row = made;
    return KITH_OK;
}

kith_err ki_store_get(ki_store *s, ki_table_name table, const char *kind, const char *id,
                      json_t **out)
{
    struct one one = { .table = table };
    if (id == NULL || (table == KI_DOCUMENTS && kind == NULL))
        return ki_fail(KITH_EINVAL, "what is looked for in the store has no id or kind");
    const kith_err err = ki_store_each(
        s, table, &(ki_select){ .kind = kind, .id = id, .limit = 1, .newest_first = 1 }, keep_one,
        &one);
    if (err != KITH_OK) return err;
    if (one.row == NULL)
        return ki_fail(KITH_ENOTFOUND, "there is no %s \"%s\"",
                       kind != NULL         ? kind
                       : table == KI_USERS  ? "user"
                       : table == KI_ITEMS  ? "item"
                       : table == KI_EVENTS ? "event"
                                            : "journal row about",
                       id);
    *out = one.row;
    if (table == KI_DOCUMENTS) {
        *out = json_incref(json_object_get(one.row, "document"));
        json_decref(one.row);
    }
    return KITH_OK;
}

/* ---- looking after it ---- */

kith_err ki_store_count(ki_store *s, ki_store_counts *out)
{
    ki_store_counts counts = { 0 };
    const kith_err err = s->backend->count(s->state, &counts);
    if (err != KITH_OK) return err;
    if (s->writer != NULL) ki_writer_count(s->writer, &counts);
    *out = counts;
    return KITH_OK;
}

kith_err ki_store_backup(ki_store *s, const char *path)
{
    if (path == NULL || path[0] == '\0') return ki_fail(KITH_EINVAL, "a backup wants a path");
    return s->backend->backup(s->state, path);
}

kith_err ki_store_check(ki_store *s)
{
    return s->backend->check(s->state);
}
