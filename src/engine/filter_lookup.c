/* SPDX-License-Identifier: MIT
 * filter_lookup.c -- tests of words become tests of codes, once
 *
 * A column of words has far fewer words than items, so `brand contains "nov"` is asked once per word and then looked up
 * by code.  For = and has it is one code.  What depends on the request's context is made at the start of each run.
 */
#include "engine/filter_tree.h"

#include "base/mem.h"

#include <string.h>

static int tests_words(ki_op op)
{
    return op == KI_OP_EQ || op == KI_OP_NE || op == KI_OP_SAME ||
           (op >= KI_OP_IN && op <= KI_OP_HAS_ALL);
}

int ki_is_coded(const ki_filter *f, const ki_node *test)
{
    if (!tests_words(test->op)) return 0;
    const ki_node *left = ki_kid(f, test, 0);
    if (left->op == KI_OP_ITEM) return 1;
    if (left->op != KI_OP_COLUMN) return 0;
    const ki_column_kind kind = ki_node_column(f, left)->kind;
    return kind == KI_COL_CATEGORY || kind == KI_COL_SET;
}

static const ki_idmap *words_of(const ki_filter *f, const ki_node *test)
{
    const ki_node *left = ki_kid(f, test, 0);
    return left->op == KI_OP_ITEM ? f->schema.items : &ki_node_column(f, left)->words;
}

/* One value: at most one code.  A value that is not given leaves everything unknown. */
static ki_lookup one_code(const ki_idmap *words, const char *value)
{
    const int32_t code = value == NULL ? -1 : ki_idmap_find(words, value, strlen(value));
    return (ki_lookup){ .code = code < 0 ? KI_NO_CODE : code,
                        .miss = value == NULL ? KI_UNKNOWN : KI_FALSE };
}

static kith_err make_table(ki_lookup *l, const ki_idmap *words, uint8_t miss)
{
    const kith_err err = ki_alloc(&l->hit, (size_t)words->n + 1, 1);
    if (err != KITH_OK) return err;
    l->code = KI_BY_TABLE;
    l->miss = miss;
    l->hit[0] = KI_UNKNOWN; /* an item whose category is missing */
    memset(l->hit + 1, miss, (size_t)words->n);
    return KITH_OK;
}

/* A list: a table of its codes. */
static kith_err many_codes(const ki_filter *f, const ki_bound *b, const ki_node *test, ki_lookup *l)
{
    const ki_idmap *words = words_of(f, test);
    const ki_node *list = ki_kid(f, test, 1);
    uint8_t miss = KI_FALSE;
    int empty = 1;
    for (ki_walk w = ki_walk_begin(f, b, list); w.left > 0; ki_walk_next(&w)) {
        empty = 0;
        if (w.text == NULL) miss = KI_UNKNOWN;
    }
    const kith_err err = make_table(l, words, miss);
    if (err != KITH_OK) return err;
    if (empty) l->hit[0] = KI_FALSE; /* nothing is in no list */
    for (ki_walk w = ki_walk_begin(f, b, list); w.left > 0; ki_walk_next(&w)) {
        const int32_t code = w.text == NULL ? -1 : ki_idmap_find(words, w.text, strlen(w.text));
        if (code >= 0) l->hit[1 + code] = KI_TRUE;
    }
    return KITH_OK;
}

/* A test of the words themselves: asked for each of them. */
static kith_err each_word(const ki_filter *f, const ki_bound *b, const ki_node *test, ki_lookup *l)
{
    const ki_idmap *words = words_of(f, test);
    const kith_err err = make_table(l, words, KI_FALSE);
    for (int32_t w = 0; err == KITH_OK && w < words->n; w++)
        l->hit[1 + w] = (uint8_t)ki_text_truth(f, b, test, ki_idmap_name(words, w));
    return err;
}

static kith_err make_one(const ki_filter *f, const ki_bound *b, const ki_node *test, ki_lookup *l)
{
    switch (test->op) {
    case KI_OP_EQ:
    case KI_OP_NE:
    case KI_OP_HAS:
        *l = one_code(words_of(f, test), ki_walk_begin(f, b, ki_kid(f, test, 1)).text);
        return KITH_OK;
    case KI_OP_IN:
    case KI_OP_HAS_ANY: return many_codes(f, b, test, l);
    case KI_OP_HAS_ALL: return KITH_OK; /* asked value by value */
    default: return each_word(f, b, test, l);
    }
}

kith_err ki_lookups_make(const ki_filter *f, const ki_bound *b, int asking, ki_lookup *out)
{
    kith_err err = KITH_OK;
    for (int32_t j = 0; err == KITH_OK && j < f->n_nodes; j++)
        if (f->nodes[j].asks == asking && ki_is_coded(f, &f->nodes[j]))
            err = make_one(f, b, &f->nodes[j], &out[j]);
    return err;
}

void ki_lookups_clear(ki_lookup *lookups, int32_t n)
{
    for (int32_t j = 0; j < n; j++) {
        ki_free(lookups[j].hit);
        lookups[j] = (ki_lookup){ 0 };
    }
}
