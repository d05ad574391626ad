/* SPDX-License-Identifier: MIT
 * table.c -- typed attribute columns
 */
#include "data/table.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

const ki_column *ki_table_find(const ki_table *t, const char *name)
{
    for (int c = 0; c < t->n_columns; c++)
        if (strcmp(t->columns[c].name, name) == 0) return &t->columns[c];
    return NULL;
}

kith_err ki_table_append(ki_table *t, ki_column *c)
{
    const kith_err err =
        ki_grow(&t->columns, (size_t)t->n_columns, (size_t)t->n_columns + 1, sizeof *t->columns);
    if (err != KITH_OK) {
        ki_column_clear(c);
        return err;
    }
    t->columns[t->n_columns++] = *c;
    *c = (ki_column){ 0 };
    return KITH_OK;
}

/* ---- checking ---- */

static kith_err unsound(const ki_column *c, int32_t row, const char *why)
{
    return ki_fail(KITH_EFORMAT, "column %.64s, row %d: %s", c->name, row, why);
}

static kith_err check_codes(const ki_column *c, int32_t row, int64_t begin, int64_t end,
                            int32_t lowest)
{
    for (int64_t j = begin; j < end; j++)
        if (c->code[j] < lowest || c->code[j] >= c->words.n)
            return unsound(c, row, "a code outside the words");
    return KITH_OK;
}

/* Row by row, so that no pointer is followed before it is known to rise. */
static kith_err check_row(const ki_column *c, int32_t row)
{
    switch (c->kind) {
    case KI_COL_NUMBER:
        return isinf(c->number[row]) ? unsound(c, row, "an infinite number") : KITH_OK;
    case KI_COL_TIME: return KITH_OK;
    case KI_COL_CATEGORY: return check_codes(c, row, row, row + 1, -1);
    case KI_COL_SET: return check_codes(c, row, c->set_ptr[row], c->set_ptr[row + 1], 0);
    case KI_COL_TEXT:
        return c->text[c->text_ptr[row + 1] - 1] != '\0' ? unsound(c, row, "a text without an end")
                                                         : KITH_OK;
    case KI_COL_VECTOR:
        for (int32_t d = 0; d < c->dim; d++)
            if (!isfinite(c->vector[(size_t)row * (size_t)c->dim + (size_t)d]))
                return unsound(c, row, "a vector that is not finite");
        return KITH_OK;
    }
    return unsound(c, row, "an unknown kind");
}

/* ptr[n_rows] is known to fit; so do the others when they rise from 0, by at least `step` a row. */
static kith_err check_rising(const ki_column *c, const int64_t *ptr, int32_t n_rows, int64_t step)
{
    if (ptr[0] != 0) return unsound(c, 0, "row pointers do not start at 0");
    for (int32_t row = 0; row < n_rows; row++)
        if (ptr[row + 1] < ptr[row] || ptr[row + 1] - ptr[row] < step || ptr[row + 1] > ptr[n_rows])
            return unsound(c, row, "row pointers do not rise");
    return KITH_OK;
}

static kith_err check_column(const ki_column *c, int32_t n_rows)
{
    kith_err err = KITH_OK;
    if (c->kind == KI_COL_SET) err = check_rising(c, c->set_ptr, n_rows, 0);
    if (c->kind == KI_COL_TEXT) err = check_rising(c, c->text_ptr, n_rows, 1);
    for (int32_t row = 0; err == KITH_OK && row < n_rows; row++) err = check_row(c, row);
    return err;
}

kith_err ki_table_check(const ki_table *t)
{
    for (int c = 0; c < t->n_columns; c++) {
        const kith_err err = check_column(&t->columns[c], t->n_rows);
        if (err != KITH_OK) return err;
    }
    return KITH_OK;
}

/* ---- copying ---- */

/* *(void **)out = a copy of from[n]; nothing when `from` is NULL. */
static kith_err copy_array(void *out, const void *from, int64_t n, size_t size)
{
    void *copy = NULL;
    if (from == NULL) return KITH_OK;
    const kith_err err = ki_alloc(&copy, (size_t)n, size);
    if (err != KITH_OK) return err;
    memcpy(copy, from, (size_t)n * size);
    memcpy(out, &copy, sizeof copy);
    return KITH_OK;
}

static kith_err copy_column(ki_column *out, const ki_column *c, int32_t n_rows)
{
    const int64_t n = n_rows;
    kith_err err;
    *out = (ki_column){ .kind = c->kind, .dim = c->dim };
    if ((err = ki_strdup(&out->name, c->name)) != KITH_OK) return err;
    switch (c->kind) {
    case KI_COL_NUMBER: return copy_array(&out->number, c->number, n, sizeof *c->number);
    case KI_COL_TIME: return copy_array(&out->time, c->time, n, sizeof *c->time);
    case KI_COL_VECTOR: return copy_array(&out->vector, c->vector, n * c->dim, sizeof *c->vector);
    case KI_COL_TEXT:
        if ((err = copy_array(&out->text_ptr, c->text_ptr, n + 1, sizeof *c->text_ptr)) != KITH_OK)
            return err;
        return copy_array(&out->text, c->text, c->text_ptr[n], 1);
    case KI_COL_SET:
        if ((err = copy_array(&out->set_ptr, c->set_ptr, n + 1, sizeof *c->set_ptr)) != KITH_OK)
            return err;
        if ((err = copy_array(&out->code, c->code, c->set_ptr[n], sizeof *c->code)) != KITH_OK)
            return err;
        return ki_idmap_copy(&out->words, &c->words);
    case KI_COL_CATEGORY:
        if ((err = copy_array(&out->code, c->code, n, sizeof *c->code)) != KITH_OK) return err;
        return ki_idmap_copy(&out->words, &c->words);
    }
    return KITH_OK;
}

kith_err ki_table_copy(ki_table *out, const ki_table *from)
{
    ki_table t = { .n_rows = from->n_rows };
    for (int c = 0; c < from->n_columns; c++) {
        ki_column column;
        kith_err err = copy_column(&column, &from->columns[c], from->n_rows);
        if (err == KITH_OK)
            err = ki_table_append(&t, &column);
        else
            ki_column_clear(&column);
        if (err != KITH_OK) return ki_table_clear(&t), err;
    }
    *out = t;
    return KITH_OK;
}

void ki_column_clear(ki_column *c)
{
    ki_free(c->name);
    if (!c->borrowed) {
        ki_free(c->number);
        ki_free(c->time);
        ki_free(c->code);
        ki_free(c->set_ptr);
        ki_free(c->text);
        ki_free(c->text_ptr);
        ki_free(c->vector);
    }
    ki_idmap_clear(&c->words);
    *c = (ki_column){ 0 };
}

void ki_table_clear(ki_table *t)
{
    for (int c = 0; c < t->n_columns; c++) ki_column_clear(&t->columns[c]);
    ki_free(t->columns);
    *t = (ki_table){ 0 };
}
