/* SPDX-License-Identifier: MIT
 * cells.h -- an attribute table that grows row by row and whose rows are replaced, from JSON objects
 *
 * The table stays an ordinary ki_table at all times: filters and titles read it as they read any other.
 * Its arrays have room behind them.  Numbers, times, categories and vectors are replaced in place; sets and
 * texts lie packed, so a row in the middle moves what lies behind it: time of the rows behind, none for
 * the last one.  Rows are best described in the order in which they are added.
 */
#ifndef KI_CELLS_H
#define KI_CELLS_H

#include "data/table.h"

#include <jansson.h>

#define KI_CELLS_COLUMNS 256 /* most columns */

typedef struct ki_cells_room { /* allocated elements of one column */
    size_t rows, codes, bytes;
} ki_cells_room;

typedef struct ki_cells {
    ki_table *table;     /* borrowed; owns its columns as ever */
    ki_cells_room *room; /* [n_columns] */
} ki_cells;

kith_err ki_cells_room_for_row(ki_cells *c);
kith_err ki_cells_add_row(ki_cells *c); /* with nothing in it; cannot fail when there is room */

/* Replace the row: numbers, strings, booleans, lists of strings (a set) or of numbers (a vector), null (missing).
 * A new name makes a column, whose kind the value and the name decide: strings are texts when the name says so
 * (title, ...) or when they are long, times when they are ISO 8601, else categories, as booleans are.  KITH_EINVAL
 * for what does not fit its column: nothing has changed then. */
kith_err ki_cells_set_row(ki_cells *c, int32_t row, const json_t *attributes);

/* Would these, set one after the other, fit?  attributes[n], NULL: nothing.  Fails as ki_cells_set_row would for the first
 * that does not; nothing changes. */
kith_err ki_cells_check_rows(const ki_cells *c, const json_t *const *attributes, int n);

void ki_cells_clear(ki_cells *c); /* the rooms; the table is its owner's */

/* Of any table whose arrays may be written: the row becomes missing in every column, and words that no
 * other row has get stand-ins. */
kith_err ki_table_forget_row(ki_table *t, int32_t row);

#endif
