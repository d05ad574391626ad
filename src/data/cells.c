/* SPDX-License-Identifier: MIT
 * cells.c -- rows of an attribute table that come and change
 *
 * A row is set in three passes: does everything fit (nothing is touched), is there room for everything
 * (columns, words, bytes: may run out of memory), write (cannot fail).
 */
#include "data/cells.h"

#include "base/mem.h"
#include "base/scan.h"

#include <math.h>
#include <string.h>

enum { LONGEST_WORD = 64, NONE = -1, LEAST_ROOM = 16 };

/* ---- what fits ---- */

static int is_plain(const json_t *v) /* a string that a C string can hold */
{
    return json_is_string(v) && strlen(json_string_value(v)) == json_string_length(v);
}

static int is_list_of(const json_t *v, int (*is)(const json_t *))
{
    for (size_t j = 0; j < json_array_size(v); j++)
        if (!is(json_array_get(v, j))) return 0;
    return json_is_array(v);
}

static int is_float(const json_t *v)
{
    return json_is_number(v) && isfinite((float)json_number_value(v));
}

static int read_time(const json_t *v, int64_t *out)
{
    if (json_is_number(v)) {
        const double x = json_number_value(v);
        *out = fabs(x) < 1e15 ? (int64_t)x : 0;
        return fabs(x) < 1e15;
    }
    return is_plain(v) && ki_scan_time(json_string_value(v), json_string_length(v), out);
}

static int kind_of_text(const char *name, const json_t *v)
{
    const char *s = json_string_value(v);
    const size_t n = json_string_length(v);
    int64_t time;
    if (ki_column_is_prose(name, strlen(name))) return KI_COL_TEXT;
    if (n >= 10 && s[4] == '-' && ki_scan_time(s, n, &time)) return KI_COL_TIME;
    return n > LONGEST_WORD ? KI_COL_TEXT : KI_COL_CATEGORY;
}

/* Is there anything to keep? */
static int is_missing(const json_t *v)
{
    return json_is_null(v) || (json_is_array(v) && json_array_size(v) == 0) ||
           (json_is_string(v) && json_string_length(v) == 0);
}

/* The kind of a new column; NONE when no kind has such values. */
static int kind_of(const char *name, const json_t *v)
{
    if (json_is_boolean(v)) return KI_COL_CATEGORY;
    if (json_is_number(v)) return KI_COL_NUMBER;
    if (is_plain(v)) return kind_of_text(name, v);
    if (is_list_of(v, is_plain)) return KI_COL_SET;
    return is_list_of(v, is_float) ? KI_COL_VECTOR : NONE;
}

static int fits(const ki_column *c, const json_t *v)
{
    int64_t time;
    switch (c->kind) {
    case KI_COL_NUMBER: return json_is_number(v);
    case KI_COL_TIME: return read_time(v, &time);
    case KI_COL_CATEGORY: return is_plain(v) || json_is_boolean(v);
    case KI_COL_SET: return is_plain(v) || is_list_of(v, is_plain);
    case KI_COL_TEXT: return is_plain(v);
    case KI_COL_VECTOR: return is_list_of(v, is_float) && json_array_size(v) == (size_t)c->dim;
    }
    return 0;
}

static kith_err refuse(const char *name, const ki_column *c)
{
    static const char *const want[] = { "a number",
                                        "seconds since 1970 or a time as ISO 8601",
                                        "a string or a boolean",
                                        "a list of strings",
                                        "a string",
                                        "a list of as many numbers as its first value has" };
    char shown[KI_SHOW];
    ki_show(shown, name, strlen(name));
    if (c == NULL)
        return ki_fail(KITH_EINVAL,
                       "attribute %s: want a number, a string, a boolean, or a list of strings or "
                       "of numbers",
                       shown);
    return ki_fail(KITH_EINVAL, "attribute %s: want %s, as its first value was", shown,
                   want[c->kind]);
}

static kith_err check(const ki_cells *c, const json_t *attributes)
{
    const char *name;
    json_t *v;
    int n_new = 0;
    if (!json_is_object(attributes))
        return ki_fail(KITH_EINVAL, "attributes: want a JSON object of names and values");
    json_object_foreach ((json_t *)attributes, name, v) {
        const ki_column *column = ki_table_find(c->table, name);
        if (is_missing(v)) continue;
        if (column != NULL ? !fits(column, v) : kind_of(name, v) == NONE)
            return refuse(name, column);
        n_new += column == NULL;
    }
    if (c->table->n_columns + n_new > KI_CELLS_COLUMNS)
        return ki_fail(KITH_EINVAL, "attributes: more than %d different names", KI_CELLS_COLUMNS);
    return KITH_OK;
}

/* Columns that the rows before would have made: their first values, by name. */
static kith_err check_fresh(const ki_cells *c, json_t *fresh, const json_t *attributes)
{
    const char *name;
    json_t *v;
    json_object_foreach ((json_t *)attributes, name, v) {
        if (is_missing(v) || ki_table_find(c->table, name) != NULL) continue;
        const json_t *first = json_object_get(fresh, name);
        if (first == NULL) {
            json_object_set(fresh, name, v);
            continue;
        }
        const ki_column column = { .kind = (ki_column_kind)kind_of(name, first),
                                   .dim = (int32_t)json_array_size(first) };
        if (!fits(&column, v)) return refuse(name, &column);
    }
    if ((size_t)c->table->n_columns + json_object_size(fresh) > KI_CELLS_COLUMNS)
        return ki_fail(KITH_EINVAL, "attributes: more than %d different names", KI_CELLS_COLUMNS);
    return KITH_OK;
}

kith_err ki_cells_check_rows(const ki_cells *c, const json_t *const *attributes, int n)
{
    json_t *fresh = json_object();
    kith_err err = fresh == NULL ? ki_fail_memory(64) : KITH_OK;
    for (int j = 0; err == KITH_OK && j < n; j++) {
        if (attributes[j] == NULL) continue;
        err = check(c, attributes[j]);
        if (err == KITH_OK) err = check_fresh(c, fresh, attributes[j]);
    }
    json_decref(fresh);
    return err;
}

/* ---- room ---- */

static kith_err widen(void *p, size_t *room, size_t want, size_t size)
{
    if (want <= *room) return KITH_OK;
    const size_t wide = KI_MAX(want, KI_MAX(*room + *room / 2, (size_t)LEAST_ROOM));
    const kith_err err = ki_grow(p, *room, wide, size);
    if (err == KITH_OK) *room = wide;
    return err;
}

/* Room for n rows.  Pointers have one element more than rows. */
static kith_err widen_rows(ki_column *c, ki_cells_room *room, size_t n)
{
    size_t rows = room->rows;
    kith_err err = KITH_OK;
    switch (c->kind) {
    case KI_COL_NUMBER: err = widen(&c->number, &rows, n, sizeof *c->number); break;
    case KI_COL_TIME: err = widen(&c->time, &rows, n, sizeof *c->time); break;
    case KI_COL_CATEGORY: err = widen(&c->code, &rows, n, sizeof *c->code); break;
    case KI_COL_SET: err = widen(&c->set_ptr, &rows, n + 1, sizeof *c->set_ptr); break;
    case KI_COL_TEXT: err = widen(&c->text_ptr, &rows, n + 1, sizeof *c->text_ptr); break;
    case KI_COL_VECTOR:
        err = widen(&c->vector, &rows, n, (size_t)c->dim * sizeof *c->vector);
        break;
    }
    room->rows = rows;
    return err;
}

/* The row behind the last one of a column gets nothing; there is room for it. */
static void append_missing(ki_column *c, int32_t row)
{
    switch (c->kind) {
    case KI_COL_NUMBER: c->number[row] = NAN; break;
    case KI_COL_TIME: c->time[row] = INT64_MIN; break;
    case KI_COL_CATEGORY: c->code[row] = -1; break;
    case KI_COL_SET: c->set_ptr[row + 1] = c->set_ptr[row]; break;
    case KI_COL_TEXT:
        c->text[c->text_ptr[row]] = '\0';
        c->text_ptr[row + 1] = c->text_ptr[row] + 1;
        break;
    case KI_COL_VECTOR:
        memset(c->vector + (size_t)row * (size_t)c->dim, 0, (size_t)c->dim * sizeof *c->vector);
        break;
    }
}

static kith_err room_for_row(ki_column *c, ki_cells_room *room, int32_t row)
{
    const kith_err err = widen_rows(c, room, (size_t)row + 1);
    if (err != KITH_OK || c->kind != KI_COL_TEXT) return err;
    return widen(&c->text, &room->bytes, (size_t)c->text_ptr[row] + 1, 1);
}

kith_err ki_cells_room_for_row(ki_cells *c)
{
    ki_table *t = c->table;
    kith_err err = KITH_OK;
    if (t->n_rows == INT32_MAX) return ki_fail(KITH_EDATA, "more than %d rows", INT32_MAX);
    for (int j = 0; err == KITH_OK && j < t->n_columns; j++)
        err = room_for_row(&t->columns[j], &c->room[j], t->n_rows);
    return err;
}

kith_err ki_cells_add_row(ki_cells *c)
{
    ki_table *t = c->table;
    const kith_err err = ki_cells_room_for_row(c);
    if (err != KITH_OK) return err;
    for (int j = 0; j < t->n_columns; j++) append_missing(&t->columns[j], t->n_rows);
    t->n_rows++;
    return KITH_OK;
}

static kith_err add_column(ki_cells *c, const char *name, const json_t *v)
{
    ki_table *t = c->table;
    ki_column made = { .kind = (ki_column_kind)kind_of(name, v) };
    ki_cells_room room = { 0 };
    if (made.kind == KI_COL_VECTOR) made.dim = (int32_t)json_array_size(v);
    kith_err err = ki_strdup(&made.name, name);
    for (int32_t row = 0; err == KITH_OK && row < t->n_rows; row++) {
        err = room_for_row(&made, &room, row);
        if (err == KITH_OK) append_missing(&made, row);
    }
    if (err == KITH_OK && made.kind == KI_COL_SET) err = widen(&made.code, &room.codes, 1, 4);
    if (err == KITH_OK)
        err = ki_grow(&c->room, (size_t)t->n_columns, (size_t)t->n_columns + 1, sizeof *c->room);
    if (err != KITH_OK) return ki_column_clear(&made), err;
    c->room[t->n_columns] = room;
    return ki_table_append(t, &made);
}

static const char *word_of(const json_t *v)
{
    return json_is_boolean(v) ? (json_is_true(v) ? "true" : "false") : json_string_value(v);
}

/* Element j of a set that is a list, or the one string that it is. */
static const char *element(const json_t *v, size_t j)
{
    return json_string_value(json_is_array(v) ? json_array_get(v, j) : v);
}

static size_t n_elements(const json_t *v)
{
    return json_is_array(v) ? json_array_size(v) : 1;
}

/* Words, codes and bytes that the value wants; the column and its row are there. */
static kith_err room_for_value(ki_column *c, ki_cells_room *room, int32_t n_rows, const json_t *v)
{
    kith_err err = KITH_OK;
    int32_t code;
    if (c->kind == KI_COL_CATEGORY)
        return ki_idmap_add(&c->words, word_of(v), strlen(word_of(v)), &code);
    if (c->kind == KI_COL_TEXT)
        return widen(&c->text, &room->bytes, (size_t)c->text_ptr[n_rows] + json_string_length(v),
                     1);
    if (c->kind != KI_COL_SET) return KITH_OK;
    for (size_t j = 0; err == KITH_OK && j < n_elements(v); j++)
        err = ki_idmap_add(&c->words, element(v, j), strlen(element(v, j)), &code);
    if (err != KITH_OK) return err;
    return widen(&c->code, &room->codes, (size_t)c->set_ptr[n_rows] + n_elements(v),
                 sizeof *c->code);
}

static kith_err make_room(ki_cells *c, const json_t *attributes)
{
    ki_table *t = c->table;
    const char *name;
    json_t *v;
    kith_err err = KITH_OK;
    json_object_foreach ((json_t *)attributes, name, v) {
        if (is_missing(v)) continue;
        if (ki_table_find(t, name) == NULL && (err = add_column(c, name, v)) != KITH_OK) return err;
        const int at = (int)(ki_table_find(t, name) - t->columns);
        if ((err = room_for_value(&t->columns[at], &c->room[at], t->n_rows, v)) != KITH_OK)
            return err;
    }
    return err;
}

/* ---- writing ---- */

/* Row `row` of a packed column becomes `length` elements long: what lies behind moves. */
static void resize(void *items, size_t size, int64_t *ptr, int32_t n_rows, int32_t row,
                   int64_t length)
{
    char *base = items;
    const int64_t by = length - (ptr[row + 1] - ptr[row]);
    if (by == 0) return;
    memmove(base + (size_t)(ptr[row + 1] + by) * size, base + (size_t)ptr[row + 1] * size,
            (size_t)(ptr[n_rows] - ptr[row + 1]) * size);
    for (int32_t r = row + 1; r <= n_rows; r++) ptr[r] += by;
}

static void put_text(ki_column *c, int32_t n_rows, int32_t row, const char *text)
{
    const size_t n = strlen(text) + 1;
    resize(c->text, 1, c->text_ptr, n_rows, row, (int64_t)n);
    memcpy(c->text + c->text_ptr[row], text, n);
}

static int32_t code_of(const ki_column *c, const char *word)
{
    return ki_idmap_find(&c->words, word, strlen(word));
}

static int comes_before(const json_t *v, size_t j) /* the same element as j, earlier in the list */
{
    for (size_t k = 0; k < j; k++)
        if (strcmp(element(v, k), element(v, j)) == 0) return 1;
    return 0;
}

static void put_set(ki_column *c, int32_t n_rows, int32_t row, const json_t *v)
{
    int64_t n = 0;
    for (size_t j = 0; j < n_elements(v); j++) n += !comes_before(v, j);
    resize(c->code, sizeof *c->code, c->set_ptr, n_rows, row, n);
    int32_t *to = c->code + c->set_ptr[row];
    for (size_t j = 0; j < n_elements(v); j++)
        if (!comes_before(v, j)) *to++ = code_of(c, element(v, j));
}

static void put(ki_column *c, int32_t n_rows, int32_t row, const json_t *v)
{
    switch (c->kind) {
    case KI_COL_NUMBER: c->number[row] = json_number_value(v); break;
    case KI_COL_TIME: read_time(v, &c->time[row]); break;
    case KI_COL_CATEGORY: c->code[row] = code_of(c, word_of(v)); break;
    case KI_COL_SET: put_set(c, n_rows, row, v); break;
    case KI_COL_TEXT: put_text(c, n_rows, row, json_string_value(v)); break;
    case KI_COL_VECTOR:
        for (int32_t j = 0; j < c->dim; j++)
            c->vector[(size_t)row * (size_t)c->dim + (size_t)j] =
                (float)json_number_value(json_array_get(v, (size_t)j));
        break;
    }
}

static void remove_value(ki_column *c, int32_t n_rows, int32_t row)
{
    switch (c->kind) {
    case KI_COL_SET: resize(c->code, sizeof *c->code, c->set_ptr, n_rows, row, 0); break;
    case KI_COL_TEXT:
        memset(c->text + c->text_ptr[row], 0, (size_t)(c->text_ptr[row + 1] - c->text_ptr[row]));
        resize(c->text, 1, c->text_ptr, n_rows, row, 1);
        break;
    default: append_missing(c, row); /* in place */
    }
}

kith_err ki_cells_set_row(ki_cells *c, int32_t row, const json_t *attributes)
{
    ki_table *t = c->table;
    kith_err err;
    if ((err = check(c, attributes)) != KITH_OK) return err;
    if ((err = make_room(c, attributes)) != KITH_OK) return err;
    for (int j = 0; j < t->n_columns; j++) {
        const json_t *v = json_object_get(attributes, t->columns[j].name);
        if (v == NULL || is_missing(v))
            remove_value(&t->columns[j], t->n_rows, row);
        else
            put(&t->columns[j], t->n_rows, row, v);
    }
    return KITH_OK;
}

/* ---- forgetting ---- */

static int is_used(const ki_column *c, int32_t n_rows, int32_t code)
{
    const int64_t n = c->kind == KI_COL_SET ? c->set_ptr[n_rows] : n_rows;
    for (int64_t j = 0; j < n; j++)
        if (c->code[j] == code) return 1;
    return 0;
}

/* The codes of one row, copied: what they stand for may be known of nobody else. */
static kith_err codes_of(const ki_column *c, int32_t row, int32_t **out, int64_t *n)
{
    const int is_set = c->kind == KI_COL_SET;
    const int64_t from = is_set ? c->set_ptr[row] : row,
                  to = is_set ? c->set_ptr[row + 1] : row + 1;
    const kith_err err = ki_alloc(out, (size_t)(to - from), sizeof **out);
    for (int64_t j = from; err == KITH_OK && j < to; j++)
        if (c->code[j] >= 0) (*out)[(*n)++] = c->code[j];
    return err;
}

static kith_err forget_coded(ki_column *c, int32_t n_rows, int32_t row)
{
    char stand_in[KI_IDMAP_STAND_IN];
    int32_t *codes = NULL;
    int64_t n = 0;
    kith_err err = codes_of(c, row, &codes, &n);
    if (err == KITH_OK) remove_value(c, n_rows, row);
    for (int64_t j = 0; err == KITH_OK && j < n; j++) {
        if (is_used(c, n_rows, codes[j])) continue;
        ki_idmap_stand_in(stand_in, 'w', codes[j]);
        err = ki_idmap_rename(&c->words, codes[j], stand_in, strlen(stand_in));
    }
    ki_free(codes);
    return err;
}

kith_err ki_table_forget_row(ki_table *t, int32_t row)
{
    kith_err err = KITH_OK;
    for (int j = 0; err == KITH_OK && j < t->n_columns; j++) {
        ki_column *c = &t->columns[j];
        if (c->kind == KI_COL_CATEGORY || c->kind == KI_COL_SET)
            err = forget_coded(c, t->n_rows, row);
        else
            remove_value(c, t->n_rows, row);
    }
    return err;
}

void ki_cells_clear(ki_cells *c)
{
    ki_free(c->room);
    *c = (ki_cells){ 0 };
}
