/* SPDX-License-Identifier: MIT
 * table.c -- typed attribute columns
 */
#include "data/table.h"

#include "base/mem.h"

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

kith_err ki_table_check(const ki_table *t)
{
    (void)t;
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
