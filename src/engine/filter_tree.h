/* SPDX-License-Identifier: MIT
 * filter_tree.h -- the inside of a filter: a tree of typed nodes in one array
 *
 * Shared by the files filter_*.c and by knowledge.c, which reads preferences as degrees instead of truths.
 */
#ifndef KI_FILTER_TREE_H
#define KI_FILTER_TREE_H

#include "engine/filter.h"
#include "engine/wording.h"

typedef enum ki_op {
    /* leaves */
    KI_OP_TRUE,
    KI_OP_FALSE,
    KI_OP_NUMBER,   /* number */
    KI_OP_DURATION, /* number: seconds */
    KI_OP_TIME,     /* number: seconds since 1970 */
    KI_OP_TEXT,     /* ref: where it begins in strings */
    KI_OP_NOW,
    KI_OP_CONTEXT, /* ref: which value of the schema's context */
    KI_OP_COLUMN,  /* ref: which column of the table */
    KI_OP_ITEM,
    KI_OP_POPULARITY,
    KI_OP_LIST, /* kids: TEXT, NUMBER, TIME, DURATION or CONTEXT, all of one type */
    /* numbers, times, durations */
    KI_OP_NEG,
    KI_OP_ADD,
    KI_OP_SUB,
    KI_OP_MUL,
    KI_OP_DIV,
    /* tests */
    KI_OP_EQ,
    KI_OP_NE,
    KI_OP_LT,
    KI_OP_LE,
    KI_OP_GT,
    KI_OP_GE,
    KI_OP_SAME,    /* equal but for case */
    KI_OP_BETWEEN, /* kids: what, least, most; both inclusive */
    KI_OP_IN,      /* kids: what, LIST or CONTEXT */
    KI_OP_CONTAINS,
    KI_OP_STARTS,
    KI_OP_HAS,
    KI_OP_HAS_ANY,
    KI_OP_HAS_ALL,
    KI_OP_MISSING,
    KI_OP_PRESENT,
    KI_OP_EMPTY,
    /* truths */
    KI_OP_NOT,
    KI_OP_AND,
    KI_OP_OR,
} ki_op;

typedef enum ki_type {
    KI_TYPE_BOOL,
    KI_TYPE_NUMBER,
    KI_TYPE_TIME,
    KI_TYPE_DURATION,
    KI_TYPE_TEXT,
    KI_TYPE_SET,
    KI_TYPE_VECTOR,
    KI_TYPE_NUMBERS, /* lists */
    KI_TYPE_TIMES,
    KI_TYPE_DURATIONS,
    KI_TYPE_TEXTS,
} ki_type;

typedef struct ki_node {
    ki_op op;
    ki_type type;
    int depth;          /* 1 for a leaf */
    int varies;         /* 1: depends on the item */
    int asks;           /* 1: depends on the request's context */
    int costly;         /* 1: reads a text column, so it is better asked last */
    int32_t at, length; /* bytes of the text */
    int32_t kid, next;  /* first of its kids, and what follows it among its parent's; -1: none */
    int32_t n_kids;
    int32_t ref;
    double number;
} ki_node;

/* How a test of a column of words, or of item ids, is decided by code.  Made once for constants, once per run for what
 * the context says. */
typedef struct ki_lookup {
    int32_t code; /* the one code that hits, KI_NO_CODE or KI_BY_TABLE */
    uint8_t miss; /* ki_truth of what does not hit: unknown when a value of the list is not given */
    uint8_t *
        hit; /* [1 + n_words] ki_truth by code + 1, [0] being for what is missing; owned; NULL: none */
} ki_lookup;

#define KI_BY_TABLE (-2)
#define KI_NO_CODE  (-3)

struct ki_filter {
    ki_schema schema;
    int32_t n_items;
    ki_node *nodes; /* [n_nodes] */
    int32_t n_nodes, nodes_room;
    char *strings;
    size_t strings_n, strings_room;
    int32_t root;
    int32_t *clauses; /* [n_clauses] nodes */
    int n_clauses;
    ki_lookup *lookups; /* [n_nodes] */
    char **notes;
    int n_notes;
};

static inline const ki_node *ki_kid(const ki_filter *f, const ki_node *n, int which)
{
    int32_t at = n->kid;
    while (which-- > 0) at = f->nodes[at].next;
    return &f->nodes[at];
}

static inline const ki_column *ki_node_column(const ki_filter *f, const ki_node *n)
{
    return &f->schema.table->columns[n->ref];
}

static inline const char *ki_node_text(const ki_filter *f, const ki_node *n)
{
    return f->strings + n->ref;
}

static inline int ki_is_numeric(ki_type t)
{
    return t == KI_TYPE_NUMBER || t == KI_TYPE_TIME || t == KI_TYPE_DURATION;
}

static inline int ki_is_list(ki_type t)
{
    return t >= KI_TYPE_NUMBERS;
}

/* Is it decided by codes (a category, a set, the item) against values? */
int ki_is_coded(const ki_filter *f, const ki_node *test);

const char *ki_type_name(ki_type t); /* "a number" */

/* ---- values of the request, one per name of the schema ---- */

typedef struct ki_bound {
    int64_t now;
    const ki_value *values[KI_CONTEXT_MAX]; /* NULL: not given */
} ki_bound;

/* KITH_EINVAL for a value of another kind than declared, which counts as not given. */
kith_err ki_bind(const ki_filter *f, const ki_env *env, ki_bound *out);

/* ---- evaluation ---- */

/* Lookups of all coded tests whose values are constant (`asking` 0) or come from the context (1, b set). */
kith_err ki_lookups_make(const ki_filter *f, const ki_bound *b, int asking, ki_lookup *out);
void ki_lookups_clear(ki_lookup *lookups, int32_t n);

/* Truth and value for one item, by plain interpretation; NaN: missing. */
ki_truth ki_truth_of(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item);
double ki_number_of(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item);

/* Does that text stand in the item's set column? */
int ki_set_has(const ki_column *c, int32_t item, const char *word);

/* A walk over the values of a list, a $list or one value:
 *      for (ki_walk w = ki_walk_begin(f, b, list); w.left > 0; ki_walk_next(&w)) ... w.text or w.number
 * A text is NULL and a number NaN when it is not given; a $list that is not given is one such value. */
typedef struct ki_walk {
    const ki_filter *f;
    const ki_bound *b;
    const ki_value *list; /* NULL: nodes */
    int32_t node, left;
    const char *text;
    double number;
} ki_walk;

ki_walk ki_walk_begin(const ki_filter *f, const ki_bound *b, const ki_node *list);
void ki_walk_next(ki_walk *w);

/* Truth of a test of one text against values: = != ~ in contains, starts with; s == NULL: missing. */
ki_truth ki_text_truth(const ki_filter *f, const ki_bound *b, const ki_node *test, const char *s);

/* Truth of a whole filter in blocks: clause masks.  Run once, use for all clauses. */
enum { KI_BLOCK = 1024 };
typedef struct ki_run {
    const ki_filter *f;
    ki_bound bound;
    ki_lookup *asked; /* [n_nodes], owned; NULL when nothing asks */
    double *numbers;  /* [n_levels, KI_BLOCK], owned */
    uint8_t *truths;  /* [n_levels, KI_BLOCK], owned */
} ki_run;

kith_err ki_run_begin(ki_run *r, const ki_filter *f, const ki_env *env);

/* truth[count] of the node over the items [first, first + count), count <= KI_BLOCK.  need[count] (NULL: all): where it
 * is 0 any truth may be written. */
void ki_run_block(ki_run *r, const ki_node *n, int32_t first, int count, const uint8_t *need,
                  uint8_t *truth);
void ki_run_end(ki_run *r);

/* ---- printing ---- */

void ki_node_print(const ki_filter *f, const ki_node *n, ki_words *out);
void ki_number_literal(ki_type type, double x, ki_words *out); /* 5, 7d or 2020-01-01 */

#endif
