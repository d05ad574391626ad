/* SPDX-License-Identifier: MIT
 * filter.h -- which items may be recommended: typed expressions over attributes, the request's context and time
 *
 *      category = "laptop" and price <= 1200 and not tags has "refurbished" and published >= now - 7d
 *
 * doc/filters.md tells the language.  A filter is parsed once against a schema (names, types, word codes), never
 * changes, and may be run from many threads at once.  It borrows everything in the schema, which must outlive it.
 */
#ifndef KI_FILTER_H
#define KI_FILTER_H

#include "data/table.h"
#include "engine/filter_context.h" /* what $names stand for */

#define KI_FILTER_BYTES 65536 /* longest text */
#define KI_FILTER_NODES 4096  /* most operators, names and values in one filter */
#define KI_FILTER_DEPTH 64    /* deepest nesting */

typedef struct ki_schema {
    const ki_idmap *items; /* the pseudo column `item`; its number is the number of items */
    const ki_table *table; /* attributes; no columns, or as many rows as items; NULL: none */
    const double *
        popularity; /* [n_items] training events, the pseudo column `popularity`; NULL: there is none */
    const ki_context *context; /* which $names there are, and of which kind; NULL: none */
} ki_schema;

/* What a request brings. */
typedef struct ki_env {
    int64_t now;               /* seconds since 1970 */
    const ki_context *context; /* values of $names, found by name; NULL: none is given */
} ki_env;

typedef enum ki_truth {
    KI_FALSE = 0,
    KI_UNKNOWN = 1,
    KI_TRUE = 2
} ki_truth; /* and = min, or = max, not = 2 - x */

#define KI_PICTURE_SIZE 512

typedef struct ki_complaint { /* why a filter was refused; the sentence is in kith_last_error() */
    int32_t at, length;       /* bytes of the text that it is about */
    char picture[KI_PICTURE_SIZE]; /* two lines: the text around the place, and a caret under it */
} ki_complaint;

typedef struct ki_filter ki_filter;

/* KITH_EINVAL for what is no filter, or does not fit the schema; `why` (NULL: not wanted) then shows where.  A text of
 * blanks is `true`. */
kith_err ki_filter_parse(const ki_schema *schema, const char *text, ki_filter **out,
                         ki_complaint *why);

/* Sentences about what is allowed but probably not meant, such as a category that no item has. */
int ki_filter_n_notes(const ki_filter *f);
const char *ki_filter_note(const ki_filter *f, int note);

int32_t ki_filter_n_items(const ki_filter *f);

/* mask[n_items] = 1 where the filter is true, else 0.  KITH_EINVAL when a value of the context is not of the declared
 * kind, KITH_ENOMEM; allocates once, not per item. */
kith_err ki_filter_run(const ki_filter *f, const ki_env *env, uint8_t *mask);

/* One item, by plain interpretation: the oracle of ki_filter_run.  Cannot fail: a value of the wrong kind is absent. */
ki_truth ki_filter_one(const ki_filter *f, const ki_env *env, int32_t item);

/* ---- clauses: the terms of the outermost `and`, or the whole filter when it is no `and` ---- */

int ki_filter_n_clauses(const ki_filter *f);
ki_truth ki_filter_clause_one(const ki_filter *f, int clause, const ki_env *env, int32_t item);

/* pass[n_clauses, n_items]: 1 where clause c is true. */
kith_err ki_filter_run_clauses(const ki_filter *f, const ki_env *env, uint8_t *pass);

/* ---- printing: strings to be freed with ki_free ---- */

/* Canonical text: parsing it gives the same filter again. */
kith_err ki_filter_print(const ki_filter *f, char **out);
kith_err ki_filter_print_clause(const ki_filter *f, int clause, char **out);

/* The tree as {"op": "and", "of": [...]}; *out is a new reference. */
kith_err ki_filter_json(const ki_filter *f, json_t **out);

/* Are both the same tree over the same columns? */
int ki_filter_equal(const ki_filter *a, const ki_filter *b);

void ki_filter_free(ki_filter *f); /* accepts NULL */

#endif
