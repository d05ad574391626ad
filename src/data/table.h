/* SPDX-License-Identifier: MIT
 * table.h -- typed attribute columns of users or of items
 */
#ifndef KI_TABLE_H
#define KI_TABLE_H

#include "data/idmap.h"

typedef enum ki_column_kind {
    KI_COL_NUMBER,   /* number[n]; NaN where missing */
    KI_COL_TIME,     /* time[n], seconds since 1970; INT64_MIN where missing */
    KI_COL_CATEGORY, /* code[n] into words; -1 where missing */
    KI_COL_SET,    /* set_ptr[n + 1] and code[set_ptr[n]] into words; an empty set where missing */
    KI_COL_TEXT,   /* text + text_ptr[n + 1], each ended by NUL; "" where missing */
    KI_COL_VECTOR, /* vector[n, dim]; zeroes where missing */
} ki_column_kind;

typedef struct ki_column {
    char *name;
    ki_column_kind kind;
    int32_t dim; /* vector only */
    double *number;
    int64_t *time;
    int32_t *code;
    int64_t *set_ptr;
    ki_idmap words; /* the values of a category or set */
    char *text;
    int64_t *text_ptr;
    float *vector;
    int borrowed; /* 1: the arrays belong to a file mapping */
} ki_column;

typedef struct ki_table {
    int32_t n_rows; /* of users or items, by dense index */
    int n_columns;
    ki_column *columns;
} ki_table; /* {0}: no attributes */

const ki_column *ki_table_find(const ki_table *t, const char *name); /* NULL when there is none */

/* The text of a cell for people: a title, "Drama|Crime", "1994"; "" where missing.  Written to
 * out[size], cut if long. */
void ki_column_print(const ki_column *c, int32_t row, char *out, size_t size);

/* Append a column (takes what *c owns; on failure too). */
kith_err ki_table_append(ki_table *t, ki_column *c);

/* A column from n_rows strings (NULL: missing), its kind found from the cells: number, time,
 * category, set (cells with `set_separator` inside; 0: none) or text.  `kind` < 0: found; else
 * forced.  KITH_EFORMAT for a cell that does not fit a forced kind. */
kith_err ki_column_from_strings(ki_column *out, const char *name, int32_t n_rows,
                                const char *const *cells, int kind, char set_separator);

/* Does the name say that the cells are words for people ("title", "description", "movie_title")? */
int ki_column_is_prose(const char *name, size_t n);

kith_err ki_table_check(const ki_table *t);
/* A copy of its first n_rows rows. */
kith_err ki_column_copy(ki_column *out, const ki_column *from, int32_t n_rows);
kith_err ki_table_copy(ki_table *out, const ki_table *from);
void ki_column_clear(ki_column *c);
void ki_table_clear(ki_table *t);

#endif
