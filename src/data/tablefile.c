/* SPDX-License-Identifier: MIT
 * tablefile.c -- ids and attribute tables as arrays of a file
 *
 * One function per kind of thing says which arrays it has; writing and reading both run over that
 * list.
 */
#include "data/tablefile.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* ---- ids ---- */

struct id_sizes {
    int64_t n, bytes;
};

static int id_fields(ki_idmap *m, struct id_sizes *s, ki_field *out)
{
    out[0] = (ki_field){ "text", KI_U8, 1, { &s->bytes }, 0, (void **)&m->text, 0 };
    out[1] = (ki_field){ "start", KI_I64, 1, { &s->n }, 1, (void **)&m->start, 0 };
    return 2;
}

kith_err ki_idmap_put(const ki_idmap *m, const char *name, ki_bundle *b)
{
    static int64_t zero;
    static char nothing;
    ki_field fields[2];
    ki_idmap lent = *m;
    struct id_sizes s = { .n = m->n, .bytes = m->n == 0 ? 0 : m->start[m->n] };
    if (m->n == 0) {
        lent.start = &zero;
        lent.text = &nothing;
    }
    return ki_bundle_fields(b, fields, id_fields(&lent, &s, fields), name);
}

kith_err ki_idmap_get(ki_idmap *out, const char *name, const ki_mapping *m)
{
    ki_field fields[2];
    ki_idmap lent = { 0 };
    struct id_sizes s;
    const kith_err err = ki_bundle_learn(fields, id_fields(&lent, &s, fields), name, m);
    if (err != KITH_OK) return err;
    if (s.n > KI_IDS_MAX)
        return ki_fail(KITH_EFORMAT, "%s: more than 2^30 %s", ki_tensors_path(m), name);
    return ki_idmap_borrow(out, (int32_t)s.n, lent.text, s.bytes, lent.start, name);
}

/* ---- columns ---- */

static const char *const kind_names[] = { "number", "time", "category", "set", "text", "vector" };

struct column_sizes {
    int64_t rows, codes, bytes, dim;
};

static int column_fields(ki_column *c, struct column_sizes *s, ki_field *out)
{
    switch (c->kind) {
    case KI_COL_NUMBER:
        out[0] = (ki_field){ "number", KI_F64, 1, { &s->rows }, 0, (void **)&c->number, 0 };
        return 1;
    case KI_COL_TIME:
        out[0] = (ki_field){ "time", KI_I64, 1, { &s->rows }, 0, (void **)&c->time, 0 };
        return 1;
    case KI_COL_CATEGORY:
        out[0] = (ki_field){ "code", KI_I32, 1, { &s->rows }, 0, (void **)&c->code, 0 };
        return 1;
    case KI_COL_SET:
        out[0] = (ki_field){ "set_ptr", KI_I64, 1, { &s->rows }, 1, (void **)&c->set_ptr, 0 };
        out[1] = (ki_field){ "code", KI_I32, 1, { &s->codes }, 0, (void **)&c->code, 0 };
        return 2;
    case KI_COL_TEXT:
        out[0] = (ki_field){ "text_ptr", KI_I64, 1, { &s->rows }, 1, (void **)&c->text_ptr, 0 };
        out[1] = (ki_field){ "text", KI_U8, 1, { &s->bytes }, 0, (void **)&c->text, 0 };
        return 2;
    case KI_COL_VECTOR:
        out[0] =
            (ki_field){ "vector", KI_F32, 2, { &s->rows, &s->dim }, 0, (void **)&c->vector, 0 };
        return 1;
    }
    return 0;
}

static int has_words(const ki_column *c)
{
    return c->kind == KI_COL_CATEGORY || c->kind == KI_COL_SET;
}

static kith_err put_column(const ki_column *c, int32_t n_rows, const char *prefix, ki_bundle *b)
{
    char words[48];
    ki_field fields[2];
    ki_column lent = *c;
    struct column_sizes s = { .rows = n_rows, .dim = c->dim };
    if (c->kind == KI_COL_SET) s.codes = c->set_ptr[n_rows];
    if (c->kind == KI_COL_TEXT) s.bytes = c->text_ptr[n_rows];
    const kith_err err = ki_bundle_fields(b, fields, column_fields(&lent, &s, fields), prefix);
    if (err != KITH_OK || !has_words(c)) return err;
    snprintf(words, sizeof words, "%s.words", prefix);
    return ki_idmap_put(&c->words, words, b);
}

kith_err ki_table_put(const ki_table *t, const char *name, ki_bundle *b)
{
    char prefix[40];
    json_t *told = json_array();
    for (int c = 0; c < t->n_columns; c++) {
        const ki_column *column = &t->columns[c];
        snprintf(prefix, sizeof prefix, "%s.%d", name, c);
        const kith_err err = put_column(column, t->n_rows, prefix, b);
        if (err != KITH_OK) return json_decref(told), err;
        json_array_append_new(
            told, json_pack("{s:s, s:s}", "name", column->name, "kind", kind_names[column->kind]));
    }
    if (json_array_size(told) != (size_t)t->n_columns) {
        json_decref(told);
        return ki_fail(KITH_EINVAL, "%s: a column name is not UTF-8 and cannot be saved", name);
    }
    return ki_bundle_json(b, name, told);
}

/* ---- and back ---- */

static kith_err get_kind(ki_column *c, const json_t *told, const char *prefix, const ki_mapping *m)
{
    const char *name = json_string_value(json_object_get(told, "name"));
    const char *kind = json_string_value(json_object_get(told, "kind"));
    for (size_t k = 0; name != NULL && kind != NULL && k < KI_COUNT(kind_names); k++) {
        if (strcmp(kind_names[k], kind) != 0) continue;
        c->kind = (ki_column_kind)k;
        return ki_strdup(&c->name, name);
    }
    return ki_fail(KITH_EFORMAT, "%s: column %s has no name or no known kind", ki_tensors_path(m),
                   prefix);
}

/* The ends of the pointer arrays against the arrays that they point into; ki_table_check sees what
 * is between. */
static kith_err check_ends(const ki_column *c, const struct column_sizes *s, int32_t n_rows,
                           const char *prefix, const ki_mapping *m)
{
    int good = s->rows == n_rows && s->dim <= INT32_MAX;
    if (good && c->kind == KI_COL_SET) good = c->set_ptr[n_rows] == s->codes;
    if (good && c->kind == KI_COL_TEXT) good = c->text_ptr[n_rows] == s->bytes;
    if (good) return KITH_OK;
    return ki_fail(KITH_EFORMAT, "%s: column %s does not have the size of its table",
                   ki_tensors_path(m), prefix);
}

static kith_err get_column(ki_column *c, const json_t *told, const char *prefix, int32_t n_rows,
                           const ki_mapping *m)
{
    char words[48];
    ki_field fields[2];
    struct column_sizes s = { 0 };
    kith_err err;
    c->borrowed = 1;
    if ((err = get_kind(c, told, prefix, m)) != KITH_OK) return err;
    if ((err = ki_bundle_learn(fields, column_fields(c, &s, fields), prefix, m)) != KITH_OK)
        return err;
    if ((err = check_ends(c, &s, n_rows, prefix, m)) != KITH_OK) return err;
    c->dim = (int32_t)s.dim;
    if (!has_words(c)) return KITH_OK;
    snprintf(words, sizeof words, "%s.words", prefix);
    return ki_idmap_get(&c->words, words, m);
}

kith_err ki_table_get(ki_table *out, const char *name, int32_t n_rows, const ki_mapping *m)
{
    char prefix[40];
    json_t *told = NULL;
    ki_table t = { .n_rows = n_rows };
    kith_err err = ki_bundle_find_json(m, name, JSON_ARRAY, &told);
    for (size_t c = 0; err == KITH_OK && c < json_array_size(told); c++) {
        ki_column column = { 0 };
        snprintf(prefix, sizeof prefix, "%s.%zu", name, c);
        err = get_column(&column, json_array_get(told, c), prefix, n_rows, m);
        if (err == KITH_OK)
            err = ki_table_append(&t, &column);
        else
            ki_column_clear(&column);
    }
    json_decref(told);
    if (err == KITH_OK) err = ki_table_check(&t);
    if (err != KITH_OK)
        ki_table_clear(&t);
    else
        *out = t;
    return err;
}
