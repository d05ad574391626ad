/* SPDX-License-Identifier: MIT
 * transfer.c -- a whole store as lines of JSON, and back
 *
 * One table says the members of each type of line and where they go in a change; what it does not name is refused, so
 * that a misspelt member is not lost in silence.
 */
#include "store/transfer.h"

#include "base/mem.h"
#include "base/scan.h"
#include "store/changes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a line has ---- */

enum shape { TEXT, OBJECT, NUMBER, WHOLE, FLAG, TOLD }; /* TOLD: written, not read */

struct member {
    const char *name;
    enum shape shape;
    size_t offset; /* in ki_change */
};

#define AT(field) offsetof(ki_change, field)
enum { MOST_MEMBERS = 10 };

static const struct type {
    const char *name;
    ki_change_kind change;
    struct member members[MOST_MEMBERS];
} types[] = {
    /* by ki_table_name */
    { "user",
      KI_PUT_USER,
      { { "id", TEXT, AT(id) },
        { "attributes", OBJECT, AT(json) },
        { "time_ms", WHOLE, AT(time_ms) },
        { "index", TOLD, 0 } } },
    { "item",
      KI_PUT_ITEM,
      { { "id", TEXT, AT(id) },
        { "attributes", OBJECT, AT(json) },
        { "time_ms", WHOLE, AT(time_ms) },
        { "hidden", FLAG, AT(hidden) },
        { "index", TOLD, 0 } } },
    { "event",
      KI_ADD_EVENT,
      { { "user", TEXT, AT(user) },
        { "item", TEXT, AT(item) },
        { "kind", TEXT, AT(kind) },
        { "value", NUMBER, AT(value) },
        { "time_ms", WHOLE, AT(time_ms) },
        { "rec_id", TEXT, AT(rec_id) },
        { "id", TEXT, AT(id) },
        { "attributes", OBJECT, AT(json) },
        { "seq", TOLD, 0 } } },
    { "document",
      KI_PUT_DOCUMENT,
      { { "kind", TEXT, AT(kind) },
        { "id", TEXT, AT(id) },
        { "document", OBJECT, AT(json) },
        { "time_ms", WHOLE, AT(time_ms) },
        { "seq", TOLD, 0 } } },
    { "journal",
      KI_ADD_JOURNAL,
      { { "kind", TEXT, AT(kind) },
        { "id", TEXT, AT(id) },
        { "user", TEXT, AT(user) },
        { "item", TEXT, AT(item) },
        { "entry", OBJECT, AT(json) },
        { "time_ms", WHOLE, AT(time_ms) },
        { "seq", TOLD, 0 } } },
};

/* ---- export ---- */

struct telling {
    ki_table_name table;
    const ki_export_options *o;
    ki_line_fn fn;
    void *udata;
};

static kith_err tell_row(void *udata, const ki_row *row)
{
    const struct telling *t = udata;
    json_t *made = NULL;
    if (row->kind != NULL && t->o->without_kind != NULL && t->table >= KI_DOCUMENTS &&
        strcmp(row->kind, t->o->without_kind) == 0)
        return KITH_OK;
    kith_err err = ki_row_json(t->table, row, &made);
    if (err != KITH_OK) return err;
    json_t *whole = json_pack("{s:s}", "type", types[t->table].name); /* which is to stand first */
    char *line = NULL;
    if (whole != NULL && json_object_update(whole, made) == 0)
        line = json_dumps(whole, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(whole);
    json_decref(made);
    if (line == NULL) return ki_fail_memory(1);
    err = t->fn(t->udata, line, strlen(line));
    free(line); /* jansson's */
    return err;
}

kith_err ki_store_export(ki_store *s, const ki_export_options *options, ki_line_fn fn, void *udata)
{
    static const ki_export_options all = { 0 };
    struct telling t = { .o = options == NULL ? &all : options, .fn = fn, .udata = udata };
    kith_err err = KITH_OK;
    for (int table = KI_USERS; err == KITH_OK && table <= KI_JOURNALS; table++) {
        ki_select which = { .no_dropped = 1 };
        if (t.o->tables != 0 && !(t.o->tables & 1u << table)) continue;
        if (t.o->user != NULL && (table == KI_ITEMS || table == KI_DOCUMENTS)) continue;
        if (table == KI_USERS)
            which.id = t.o->user;
        else
            which.user = t.o->user;
        t.table = (ki_table_name)table;
        err = ki_store_each(s, t.table, &which, tell_row, &t);
    }
    return err;
}

/* ---- import ---- */

enum { BATCH = 500 };

struct ki_import {
    ki_write_fn write;
    void *udata;
    int n;
    json_t *roots[BATCH]; /* strings of changes[j] lie in roots[j] and */
    char *texts[BATCH];   /* in what was printed again (jansson's) */
    ki_change changes[BATCH];
    int64_t first_line, last_line; /* of the batch */
    ki_import_counts counts;
};

kith_err ki_import_new(ki_write_fn write, void *udata, ki_import **out)
{
    ki_import *im = NULL;
    const kith_err err = ki_alloc(&im, 1, sizeof *im);
    if (err != KITH_OK) return err;
    im->write = write;
    im->udata = udata;
    *out = im;
    return KITH_OK;
}

static void drop_batch(ki_import *im)
{
    for (int j = 0; j < im->n; j++) {
        json_decref(im->roots[j]);
        free(im->texts[j]); /* jansson's */
    }
    im->n = 0;
}

static int is_of(enum shape shape, const json_t *value)
{
    switch (shape) {
    case TEXT:
        return json_is_string(value) &&
               strlen(json_string_value(value)) == json_string_length(value);
    case OBJECT: return json_is_object(value);
    case NUMBER: return json_is_number(value);
    case WHOLE: return json_is_integer(value);
    case FLAG: return json_is_boolean(value);
    case TOLD: return 1;
    }
    return 0;
}

/* Put one member where it goes.  *text is set for what is printed again. */
static kith_err take_member(const struct member *m, const json_t *value, ki_change *c, char **text)
{
    static const char *const wants[] = { "a string without \\u0000", "an object", "a number",
                                         "a whole number", "true or false" };
    char *to = (char *)c + m->offset;
    const char *string = json_string_value(value);
    if (!is_of(m->shape, value))
        return ki_fail(KITH_EINVAL, "\"%s\" is not %s", m->name, wants[m->shape]);
    if (m->shape == OBJECT) {
        string = *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(17));
        if (string == NULL) return ki_fail_memory(1);
    }
    if (m->shape == TEXT || m->shape == OBJECT) memcpy(to, &string, sizeof string);
    if (m->shape == NUMBER) *(double *)(void *)to = json_number_value(value);
    if (m->shape == WHOLE) *(int64_t *)(void *)to = json_integer_value(value);
    if (m->shape == FLAG) *(int *)(void *)to = json_is_true(value);
    return KITH_OK;
}

static const struct member *find_member(const struct type *t, const char *name)
{
    for (int m = 0; m < MOST_MEMBERS && t->members[m].name != NULL; m++)
        if (strcmp(t->members[m].name, name) == 0) return &t->members[m];
    return NULL;
}

static kith_err take_members(const struct type *t, json_t *root, ki_change *c, char **text)
{
    char show[KI_SHOW];
    for (void *at = json_object_iter(root); at != NULL; at = json_object_iter_next(root, at)) {
        const char *name = json_object_iter_key(at);
        if (strcmp(name, "type") == 0) continue;
        const struct member *m = find_member(t, name);
        if (m == NULL)
            return ki_fail(KITH_EINVAL, "a line of type \"%s\" has no member %s", t->name,
                           ki_show(show, name, strlen(name)));
        const kith_err err = take_member(m, json_object_iter_value(at), c, text);
        if (err != KITH_OK) return err;
    }
    return KITH_OK;
}

static kith_err take_object(json_t *root, ki_change *c, char **text)
{
    const char *name = json_string_value(json_object_get(root, "type"));
    if (!json_is_object(root)) return ki_fail(KITH_EINVAL, "it is not an object");
    for (size_t t = 0; name != NULL && t < KI_COUNT(types); t++) {
        if (strcmp(types[t].name, name) != 0) continue;
        *c = (ki_change){ .change = types[t].change, .value = NAN };
        const kith_err err = take_members(&types[t], root, c, text);
        return err == KITH_OK ? ki_changes_check(c, 1) : err;
    }
    return ki_fail(KITH_EINVAL, "its \"type\" is not user, item, event, document or journal");
}

/* The failure of this thread, said of a line. */
static kith_err of_line(kith_err err, int64_t first, int64_t last)
{
    char said[KI_MESSAGE_SIZE];
    ki_message_get(said);
    if (first == last) return ki_fail(err, "line %lld: %s", (long long)first, said);
    return ki_fail(err, "lines %lld to %lld: %s", (long long)first, (long long)last, said);
}

static int is_blank(const char *line, size_t n)
{
    for (size_t j = 0; j < n; j++)
        if (strchr(" \t\r\n", line[j]) == NULL || line[j] == '\0') return 0;
    return 1;
}

kith_err ki_import_line(ki_import *im, const char *line, size_t n, int64_t number)
{
    json_error_t error;
    char *text = NULL;
    if (is_blank(line, n)) return KITH_OK;
    json_t *root = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return ki_fail(KITH_EINVAL, "line %lld: column %d: %s", (long long)number, error.column,
                       error.text);
    const kith_err err = take_object(root, &im->changes[im->n], &text);
    if (err != KITH_OK) {
        json_decref(root);
        free(text); /* jansson's */
        return of_line(err, number, number);
    }
    im->roots[im->n] = root;
    im->texts[im->n] = text;
    if (im->n++ == 0) im->first_line = number;
    im->last_line = number;
    return im->n < BATCH ? KITH_OK : ki_import_flush(im, NULL);
}

static void count_batch(ki_import *im)
{
    for (int j = 0; j < im->n; j++)
        for (size_t t = 0; t < KI_COUNT(types); t++)
            if (types[t].change == im->changes[j].change) {
                im->counts.rows[t] += !im->changes[j].repeated;
                im->counts.repeated += im->changes[j].repeated;
            }
}

kith_err ki_import_flush(ki_import *im, ki_import_counts *counts)
{
    kith_err err = im->n == 0 ? KITH_OK : im->write(im->udata, im->changes, im->n);
    if (err == KITH_OK)
        count_batch(im);
    else
        err = of_line(err, im->first_line, im->last_line);
    drop_batch(im);
    if (counts != NULL) *counts = im->counts;
    return err;
}

void ki_import_free(ki_import *im)
{
    if (im == NULL) return;
    drop_batch(im);
    ki_free(im);
}
