/* SPDX-License-Identifier: MIT
 * filter_run.c -- the truth of a filter for all items, column by column
 *
 * Blocks of KI_BLOCK items go through the tree together: a node writes one byte (or one double) per item of the block,
 * so that every loop is over plain arrays and the compiler vectorises it, and a block stays in the first-level cache.
 * Truths are 0, 1, 2, which makes `and` a minimum.  Scratch is one allocation per run, a level per depth of the tree.
 *
 * Sets        the codes of many rows lie in one piece.  A rare word is searched for in it, and only where it occurs the
 *             row is looked for; for others a running count of hits tells by its ends which rows have one.
 * Order       Of an `and` the terms that read text columns come last, and only for items that are still in.
 */
#include "engine/filter_tree.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

struct block {
    ki_run *r;
    int32_t first;
    int n;
    const uint8_t *need; /* [n]; NULL: all */
};

static double *numbers_at(const struct block *k, int level)
{
    return k->r->numbers + (size_t)level * KI_BLOCK;
}

static uint8_t *truths_at(const struct block *k, int level)
{
    return k->r->truths + (size_t)level * KI_BLOCK;
}

static int32_t *scratch(const struct block *k, int level)
{
    return (int32_t *)(void *)numbers_at(k, level);
}

static void fill(uint8_t *truth, int n, int value)
{
    memset(truth, value, (size_t)n);
}

/* ---- numbers ---- */

static const double *times_to_numbers(const int64_t *time, int n, double *out)
{
    for (int j = 0; j < n; j++) out[j] = time[j] == INT64_MIN ? NAN : (double)time[j];
    return out;
}

static const double *spread(double x, int n, double *out)
{
    for (int j = 0; j < n; j++) out[j] = x;
    return out;
}

static void calculate(ki_op op, const double *a, const double *b, int n, double *out)
{
    switch (op) {
    case KI_OP_ADD:
        for (int j = 0; j < n; j++) out[j] = a[j] + b[j];
        break;
    case KI_OP_SUB:
        for (int j = 0; j < n; j++) out[j] = a[j] - b[j];
        break;
    case KI_OP_MUL:
        for (int j = 0; j < n; j++) out[j] = a[j] * b[j];
        break;
    default:
        for (int j = 0; j < n; j++) out[j] = b[j] == 0 ? NAN : a[j] / b[j];
    }
}

/* The values of a numeric node: in the column itself, or at the level. */
static const double *numbers(const struct block *k, const ki_node *n, int level)
{
    const ki_filter *f = k->r->f;
    double *out = numbers_at(k, level);
    if (!n->varies) return spread(ki_number_of(f, &k->r->bound, n, 0), k->n, out);
    if (n->op == KI_OP_POPULARITY) return f->schema.popularity + k->first;
    if (n->op == KI_OP_COLUMN) {
        const ki_column *c = ki_node_column(f, n);
        return c->kind == KI_COL_NUMBER ? c->number + k->first
                                        : times_to_numbers(c->time + k->first, k->n, out);
    }
    const double *a = numbers(k, ki_kid(f, n, 0), level);
    if (n->op == KI_OP_NEG)
        for (int j = 0; j < k->n; j++) out[j] = -a[j];
    else
        calculate(n->op, a, numbers(k, ki_kid(f, n, 1), level + 1), k->n, out);
    return out;
}

/* 2 where it holds, 1 where one side is missing. */
static void compare(ki_op op, const double *a, const double *b, int n, uint8_t *truth)
{
    switch (op) {
    case KI_OP_LT:
        for (int j = 0; j < n; j++)
            truth[j] = (uint8_t)((a[j] < b[j]) << 1 | (a[j] != a[j]) | (b[j] != b[j]));
        break;
    case KI_OP_LE:
        for (int j = 0; j < n; j++)
            truth[j] = (uint8_t)((a[j] <= b[j]) << 1 | (a[j] != a[j]) | (b[j] != b[j]));
        break;
    case KI_OP_EQ:
        for (int j = 0; j < n; j++)
            truth[j] = (uint8_t)((a[j] == b[j]) << 1 | (a[j] != a[j]) | (b[j] != b[j]));
        break;
    case KI_OP_GT: compare(KI_OP_LT, b, a, n, truth); break;
    case KI_OP_GE: compare(KI_OP_LE, b, a, n, truth); break;
    default:
        compare(KI_OP_EQ, a, b, n, truth);
        for (int j = 0; j < n; j++) truth[j] = (uint8_t)(KI_TRUE - truth[j]);
    }
}

static void least(uint8_t *truth, const uint8_t *with, int n)
{
    for (int j = 0; j < n; j++) truth[j] = KI_MIN(truth[j], with[j]);
}

static void greatest(uint8_t *truth, const uint8_t *with, int n)
{
    for (int j = 0; j < n; j++) truth[j] = KI_MAX(truth[j], with[j]);
}

static void turn_round(uint8_t *truth, int n)
{
    for (int j = 0; j < n; j++) truth[j] = (uint8_t)(KI_TRUE - truth[j]);
}

static void number_between(const struct block *k, const ki_node *n, int level, uint8_t *truth)
{
    const ki_filter *f = k->r->f;
    uint8_t *high = truths_at(k, level);
    const double *x = numbers(k, ki_kid(f, n, 0), level);
    compare(KI_OP_GE, x, numbers(k, ki_kid(f, n, 1), level + 1), k->n, truth);
    compare(KI_OP_LE, x, numbers(k, ki_kid(f, n, 2), level + 1), k->n, high);
    least(truth, high, k->n);
}

static void number_in(const struct block *k, const ki_node *n, int level, uint8_t *truth)
{
    const ki_filter *f = k->r->f;
    uint8_t *one = truths_at(k, level);
    const double *x = numbers(k, ki_kid(f, n, 0), level);
    fill(truth, k->n, KI_FALSE);
    for (ki_walk w = ki_walk_begin(f, &k->r->bound, ki_kid(f, n, 1)); w.left > 0;
         ki_walk_next(&w)) {
        compare(KI_OP_EQ, x, spread(w.number, k->n, numbers_at(k, level + 1)), k->n, one);
        greatest(truth, one, k->n);
    }
}

/* ---- words by code ---- */

static void category(const ki_lookup *l, const int32_t *code, int n, uint8_t *truth)
{
    if (l->code == KI_BY_TABLE)
        for (int j = 0; j < n; j++) truth[j] = l->hit[code[j] + 1];
    else
        for (int j = 0; j < n; j++)
            truth[j] = code[j] == l->code ? KI_TRUE : code[j] < 0 ? KI_UNKNOWN : l->miss;
}

/* The code of an item is its number. */
static void items(const struct block *k, const ki_lookup *l, uint8_t *truth)
{
    if (l->code == KI_BY_TABLE) {
        memcpy(truth, l->hit + 1 + k->first, (size_t)k->n);
        return;
    }
    fill(truth, k->n, l->miss);
    if (l->code >= k->first && l->code - k->first < k->n) truth[l->code - k->first] = KI_TRUE;
}

/* Rows whose codes lie in one piece of at most PIECE. */
struct piece {
    const int64_t *ptr;  /* [n_rows + 1] */
    const int32_t *code; /* [n] */
    int n_rows, n;
    uint8_t *truth; /* [n_rows] */
};

enum {
    PIECE = 2 * KI_BLOCK - 1,
    STRIDE = 16,
    RARE = 32
}; /* PIECE counts fit into a level of doubles */

static int count(const int32_t *code, int n, int32_t wanted)
{
    int found = 0;
    for (int j = 0; j < n; j++) found += code[j] == wanted;
    return found;
}

/* Few hits: look for the row of each. */
static void mark_few(const struct piece *p, int32_t wanted)
{
    int row = 0;
    for (int j = 0; j < p->n;) {
        const int stop = KI_MIN(j + STRIDE, p->n);
        if (count(p->code + j, stop - j, wanted) == 0) {
            j = stop;
            continue;
        }
        for (; j < stop; j++) {
            if (p->code[j] != wanted) continue;
            while (p->ptr[row + 1] - p->ptr[0] <= j) row++;
            p->truth[row] = KI_TRUE;
        }
    }
}

/* Many hits: a row has one when the running count of hits grows over it.  No branch depends on the data.
 * before[n + 1]: 1 for each hit, and then how many there are before each code. */
static void mark_grown(const struct piece *p, int32_t *before)
{
    int32_t n = 0;
    for (int j = 0; j <= p->n; j++) {
        const int32_t hit = before[j];
        before[j] = n;
        n += hit;
    }
    for (int r = 0; r < p->n_rows; r++) {
        const int64_t begin = p->ptr[r] - p->ptr[0], end = p->ptr[r + 1] - p->ptr[0];
        const uint8_t hit = (uint8_t)((before[begin] != before[end]) << 1);
        p->truth[r] = KI_MAX(p->truth[r], hit);
    }
}

static void mark_many(const struct piece *p, int32_t wanted, int32_t *before)
{
    for (int j = 0; j < p->n; j++) before[j] = p->code[j] == wanted;
    before[p->n] = 0;
    mark_grown(p, before);
}

static void mark_table(const struct piece *p, const uint8_t *hit, int32_t *before)
{
    for (int j = 0; j < p->n; j++) before[j] = hit[p->code[j]] >> 1;
    before[p->n] = 0;
    mark_grown(p, before);
}

static int row_hits(const struct piece *p, const ki_lookup *l)
{
    int found = 0;
    for (int64_t j = 0; j < p->ptr[1] - p->ptr[0]; j++)
        found |= l->code == KI_BY_TABLE ? l->hit[1 + p->code[j]] == KI_TRUE : p->code[j] == l->code;
    return found;
}

static void mark(const struct piece *p, const ki_lookup *l, int32_t *before)
{
    if (p->n > PIECE)
        p->truth[0] =
            row_hits(p, l) ? KI_TRUE : p->truth[0]; /* one row that is longer than a piece */
    else if (l->code == KI_BY_TABLE)
        mark_table(p, l->hit + 1, before);
    else if (count(p->code, p->n, l->code) * RARE < p->n)
        mark_few(p, l->code);
    else
        mark_many(p, l->code, before);
}

/* KI_TRUE for the rows of the block that hit; others stay.  before: PIECE + 1 numbers of scratch. */
static void mark_rows(const ki_column *c, const struct block *k, const ki_lookup *l,
                      int32_t *before, uint8_t *truth)
{
    const int64_t *ptr = c->set_ptr + k->first;
    for (int r = 0; r < k->n;) {
        int end = r + 1;
        while (end < k->n && ptr[end + 1] - ptr[r] <= PIECE) end++;
        const int64_t n = KI_MIN(ptr[end] - ptr[r], PIECE + 1);
        const struct piece p = { ptr + r, c->code + ptr[r], end - r, (int)n, truth + r };
        mark(&p, l, before);
        r = end;
    }
}

static void has_all(const struct block *k, const ki_node *n, int level, uint8_t *truth)
{
    const ki_filter *f = k->r->f;
    const ki_column *c = ki_node_column(f, ki_kid(f, n, 0));
    uint8_t *one = truths_at(k, level);
    fill(truth, k->n, KI_TRUE);
    for (ki_walk w = ki_walk_begin(f, &k->r->bound, ki_kid(f, n, 1)); w.left > 0;
         ki_walk_next(&w)) {
        const int32_t code = w.text == NULL ? -1 : ki_idmap_find(&c->words, w.text, strlen(w.text));
        fill(one, k->n, w.text == NULL ? KI_UNKNOWN : KI_FALSE);
        const ki_lookup l = { .code = code };
        if (code >= 0) mark_rows(c, k, &l, scratch(k, level), one);
        least(truth, one, k->n);
    }
}

static void sets(const struct block *k, const ki_node *n, const ki_lookup *l, int level,
                 uint8_t *truth)
{
    const ki_column *c = ki_node_column(k->r->f, ki_kid(k->r->f, n, 0));
    fill(truth, k->n, l->miss);
    if (l->code != KI_NO_CODE) mark_rows(c, k, l, scratch(k, level), truth);
}

static void coded(const struct block *k, const ki_node *n, int level, uint8_t *truth)
{
    const ki_filter *f = k->r->f;
    const ki_node *left = ki_kid(f, n, 0);
    const ki_lookup *l = &(n->asks ? k->r->asked : f->lookups)[n - f->nodes];
    if (n->op == KI_OP_HAS_ALL)
        has_all(k, n, level, truth);
    else if (left->op == KI_OP_ITEM)
        items(k, l, truth);
    else if (left->type == KI_TYPE_SET)
        sets(k, n, l, level, truth);
    else
        category(l, ki_node_column(f, left)->code + k->first, k->n, truth);
    if (n->op == KI_OP_NE) turn_round(truth, k->n); /* its lookup is that of = */
}

/* ---- text columns, item by item ---- */

static void texts(const struct block *k, const ki_node *n, uint8_t *truth)
{
    const ki_filter *f = k->r->f;
    const ki_column *c = ki_node_column(f, ki_kid(f, n, 0));
    for (int j = 0; j < k->n; j++) {
        if (k->need != NULL && !k->need[j]) continue;
        const char *s = c->text + c->text_ptr[k->first + j];
        truth[j] = (uint8_t)ki_text_truth(f, &k->r->bound, n, *s == '\0' ? NULL : s);
    }
}

/* ---- presence ---- */

static int vector_missing(const ki_column *c, int32_t item)
{
    for (int32_t j = 0; j < c->dim; j++)
        if (c->vector[(size_t)item * (size_t)c->dim + (size_t)j] != 0) return 0;
    return 1;
}

static void column_missing(const struct block *k, const ki_column *c, uint8_t *truth)
{
    const int32_t first = k->first;
    for (int j = 0; j < k->n; j++) {
        int missing;
        switch (c->kind) {
        case KI_COL_CATEGORY: missing = c->code[first + j] < 0; break;
        case KI_COL_SET: missing = c->set_ptr[first + j] == c->set_ptr[first + j + 1]; break;
        case KI_COL_TEXT: missing = c->text[c->text_ptr[first + j]] == '\0'; break;
        default: missing = vector_missing(c, first + j);
        }
        truth[j] = missing ? KI_TRUE : KI_FALSE;
    }
}

static void missing(const struct block *k, const ki_node *n, int level, uint8_t *truth)
{
    const ki_node *what = ki_kid(k->r->f, n, 0);
    if (ki_is_numeric(what->type)) {
        const double *x = numbers(k, what, level);
        for (int j = 0; j < k->n; j++) truth[j] = (uint8_t)((x[j] != x[j]) << 1);
    } else if (what->op == KI_OP_ITEM) {
        fill(truth, k->n, KI_FALSE);
    } else {
        column_missing(k, ki_node_column(k->r->f, what), truth);
    }
    if (n->op == KI_OP_PRESENT) turn_round(truth, k->n);
}

/* ---- truths ---- */

static void truths(const struct block *k, const ki_node *n, int level, uint8_t *truth);

static void conjunction(const struct block *k, const ki_node *n, int level, uint8_t *truth)
{
    const ki_filter *f = k->r->f;
    uint8_t *one = truths_at(k, level);
    struct block in = *k;
    fill(truth, k->n, KI_TRUE);
    for (int costly = 0; costly <= 1; costly++) {
        if (costly) in.need = truth; /* what is false already need not be asked */
        for (int32_t kid = n->kid; kid >= 0; kid = f->nodes[kid].next) {
            if (f->nodes[kid].costly != costly) continue;
            truths(&in, &f->nodes[kid], level + 1, one);
            least(truth, one, k->n);
        }
    }
}

static void disjunction(const struct block *k, const ki_node *n, int level, uint8_t *truth)
{
    const ki_filter *f = k->r->f;
    uint8_t *one = truths_at(k, level);
    fill(truth, k->n, KI_FALSE);
    for (int32_t kid = n->kid; kid >= 0; kid = f->nodes[kid].next) {
        truths(k, &f->nodes[kid], level + 1, one);
        greatest(truth, one, k->n);
    }
}

/* Two booleans are equal, or not; unknown when one is. */
static void booleans(const struct block *k, const ki_node *n, int level, uint8_t *truth)
{
    const ki_filter *f = k->r->f;
    uint8_t *other = truths_at(k, level);
    struct block all = *k;
    all.need = NULL;
    truths(&all, ki_kid(f, n, 0), level + 1, truth);
    truths(&all, ki_kid(f, n, 1), level + 1, other);
    for (int j = 0; j < k->n; j++) {
        const int known = truth[j] != KI_UNKNOWN && other[j] != KI_UNKNOWN;
        truth[j] = !known                                          ? KI_UNKNOWN
                   : (truth[j] == other[j]) == (n->op == KI_OP_EQ) ? KI_TRUE
                                                                   : KI_FALSE;
    }
}

static void comparison(const struct block *k, const ki_node *n, int level, uint8_t *truth)
{
    const ki_filter *f = k->r->f;
    const ki_node *left = ki_kid(f, n, 0);
    if (ki_is_coded(f, n)) {
        coded(k, n, level, truth);
    } else if (left->type == KI_TYPE_BOOL) {
        booleans(k, n, level, truth);
    } else if (left->type == KI_TYPE_TEXT) {
        texts(k, n, truth);
    } else if (n->op == KI_OP_IN) {
        number_in(k, n, level, truth);
    } else {
        const double *a = numbers(k, left, level);
        compare(n->op, a, numbers(k, ki_kid(f, n, 1), level + 1), k->n, truth);
    }
}

static void truths(const struct block *k, const ki_node *n, int level, uint8_t *truth)
{
    if (!n->varies) {
        fill(truth, k->n, (int)ki_truth_of(k->r->f, &k->r->bound, n, 0));
        return;
    }
    switch (n->op) {
    case KI_OP_NOT:
        truths(k, ki_kid(k->r->f, n, 0), level, truth);
        turn_round(truth, k->n);
        break;
    case KI_OP_AND: conjunction(k, n, level, truth); break;
    case KI_OP_OR: disjunction(k, n, level, truth); break;
    case KI_OP_BETWEEN: number_between(k, n, level, truth); break;
    case KI_OP_MISSING:
    case KI_OP_PRESENT:
    case KI_OP_EMPTY: missing(k, n, level, truth); break;
    default: comparison(k, n, level, truth);
    }
}

/* ---- runs ---- */

static int asks(const ki_filter *f)
{
    return f->nodes[f->root].asks;
}

kith_err ki_run_begin(ki_run *r, const ki_filter *f, const ki_env *env)
{
    const size_t n_levels =
        (size_t)f->nodes[f->root].depth + 2; /* a node uses its own level and the next two */
    *r = (ki_run){ .f = f };
    kith_err err = ki_bind(f, env, &r->bound);
    if (err == KITH_OK) err = ki_alloc(&r->numbers, n_levels * KI_BLOCK, sizeof *r->numbers);
    if (err == KITH_OK) err = ki_alloc(&r->truths, n_levels * KI_BLOCK, sizeof *r->truths);
    if (err == KITH_OK && asks(f)) err = ki_alloc(&r->asked, (size_t)f->n_nodes, sizeof *r->asked);
    if (err == KITH_OK && asks(f)) err = ki_lookups_make(f, &r->bound, 1, r->asked);
    if (err != KITH_OK) ki_run_end(r);
    return err;
}

void ki_run_block(ki_run *r, const ki_node *n, int32_t first, int count, const uint8_t *need,
                  uint8_t *truth)
{
    const struct block k = { .r = r, .first = first, .n = count, .need = need };
    truths(&k, n, 0, truth);
}

void ki_run_end(ki_run *r)
{
    if (r->asked != NULL) ki_lookups_clear(r->asked, r->f->n_nodes);
    ki_free(r->asked);
    ki_free(r->numbers);
    ki_free(r->truths);
    *r = (ki_run){ 0 };
}

static void run_into(ki_run *r, const ki_node *n, uint8_t *mask)
{
    const int32_t n_items = r->f->n_items;
    for (int32_t first = 0; first < n_items; first += KI_BLOCK) {
        const int count = KI_MIN(KI_BLOCK, n_items - first);
        uint8_t *truth = mask + first;
        ki_run_block(r, n, first, count, NULL, truth);
        for (int j = 0; j < count; j++) truth[j] = truth[j] == KI_TRUE;
    }
}

kith_err ki_filter_run(const ki_filter *f, const ki_env *env, uint8_t *mask)
{
    ki_run r;
    const kith_err err = ki_run_begin(&r, f, env);
    if (err != KITH_OK) return err;
    run_into(&r, &f->nodes[f->root], mask);
    ki_run_end(&r);
    return KITH_OK;
}

kith_err ki_filter_run_clauses(const ki_filter *f, const ki_env *env, uint8_t *pass)
{
    ki_run r;
    const kith_err err = ki_run_begin(&r, f, env);
    if (err != KITH_OK) return err;
    for (int c = 0; c < f->n_clauses; c++)
        run_into(&r, &f->nodes[f->clauses[c]], pass + (size_t)c * (size_t)f->n_items);
    ki_run_end(&r);
    return KITH_OK;
}
