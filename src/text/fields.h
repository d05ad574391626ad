/* SPDX-License-Identifier: MIT
 * fields.h -- attribute columns as the fields of a document
 *
 * A text gives the terms of its words.  A category or each value of a set gives one term of its own,
 * "genres=science fiction", and the terms of its words.  Numbers, times and vectors give none: which
 * cells of a number are near each other is not for words to say.
 */
#ifndef KI_FIELDS_H
#define KI_FIELDS_H

#include "data/table.h"
#include "text/grams.h"

typedef struct ki_text_field {
    const ki_column *column;
    float weight; /* what one occurrence counts */
} ki_text_field;

typedef struct ki_field_choice { /* as parameters say it */
    const char *owner;           /* "content": stands in sentences */
    const char *param;           /* "content_features" */
    const char *names;           /* "title,tags"; "": all that have terms */
    const char *weights_param;   /* "field_weights" */
    const char *weights;         /* "title=2,tags=1.5"; others count 1 */
    const ki_table *other;       /* whose columns may be named in weights too */
    int leave_categories;        /* 1: "" does not mean categories */
} ki_field_choice;

/* The columns that are meant, in the order of the table.  KITH_EINVAL for a name that `t` lacks, a
 * column without terms, a weight that is none.  *out is from ki_alloc; *n may be 0. */
kith_err ki_text_fields(const ki_table *t, const ki_field_choice *c, ki_text_field **out, int *n);

/* The terms of row `row`, field by field. */
kith_err ki_text_fields_row(const ki_text_field *fields, int n, int32_t row, ki_grams *g,
                            ki_gram_fn fn, void *arg);

/* Votes of the first rows for languages. */
kith_err ki_text_fields_vote(const ki_text_field *fields, int n, int32_t n_rows,
                             ki_language_votes *votes);

#endif
