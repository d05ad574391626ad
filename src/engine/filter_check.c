/* SPDX-License-Identifier: MIT
 * filter_check.c -- do names exist and types fit, and what to say when they do not
 *
 * Types       number, time, duration: ordered, with arithmetic.  Text (text and category columns, the item id): equality,
 *             parts, lists.  Set: has.  Vector: present or missing.  Boolean: values of the context and tests.
 */
#include "engine/filter_parse.h"

#include "base/mem.h"
#include "base/scan.h"

#include <stdio.h>
#include <string.h>

const char *ki_type_name(ki_type t)
{
    static const char *const names[] = { "a boolean",       "a number",
                                         "a time",          "a duration",
                                         "a text",          "a set",
                                         "a vector",        "a list of numbers",
                                         "a list of times", "a list of durations",
                                         "a list of texts" };
    return names[t];
}

/* ---- names ---- */

static int32_t column_leaf(ki_parser *p, int column, int32_t at, int32_t length)
{
    static const ki_type types[] = {
        [KI_COL_NUMBER] = KI_TYPE_NUMBER, [KI_COL_TIME] = KI_TYPE_TIME,
        [KI_COL_CATEGORY] = KI_TYPE_TEXT, [KI_COL_SET] = KI_TYPE_SET,
        [KI_COL_TEXT] = KI_TYPE_TEXT,     [KI_COL_VECTOR] = KI_TYPE_VECTOR
    };
    const int32_t node =
        ki_node_add(p, KI_OP_COLUMN, types[p->f->schema.table->columns[column].kind], at, length);
    if (node < 0) return -1;
    p->f->nodes[node].ref = column;
    p->f->nodes[node].varies = 1;
    p->f->nodes[node].costly = p->f->schema.table->columns[column].kind == KI_COL_TEXT;
    return node;
}

static int32_t pseudo_leaf(ki_parser *p, ki_op op, ki_type type, int32_t at, int32_t length)
{
    const int32_t node = ki_node_add(p, op, type, at, length);
    if (node >= 0) p->f->nodes[node].varies = 1;
    return node;
}

static int find_column(const ki_table *t, const char *name)
{
    for (int c = 0; t != NULL && c < t->n_columns; c++)
        if (strcmp(t->columns[c].name, name) == 0) return c;
    return -1;
}

enum { NAMES_SHOWN = 12 };

/* "category, price, 3 more, item, popularity" */
static void list_names(const ki_schema *s, ki_words *out)
{
    const int n = s->table == NULL ? 0 : s->table->n_columns;
    for (int c = 0; c < n && c < NAMES_SHOWN; c++)
        ki_words_add(out, "%.40s, ", s->table->columns[c].name);
    if (n > NAMES_SHOWN) ki_words_add(out, "%d more, ", n - NAMES_SHOWN);
    ki_words_add(out, s->popularity == NULL ? "item" : "item, popularity");
}

/* The name that there is and that is most like this one, or NULL. */
static kith_err nearest_name(const ki_schema *s, const char *name, const char **out)
{
    const int n = s->table == NULL ? 0 : s->table->n_columns;
    const char **names = NULL;
    int count = 0;
    const kith_err err = ki_alloc(&names, (size_t)n + 2, sizeof *names);
    if (err != KITH_OK) return err;
    for (int c = 0; c < n; c++) names[count++] = s->table->columns[c].name;
    names[count++] = "item";
    if (s->popularity != NULL) names[count++] = "popularity";
    const int32_t near = ki_nearest(name, names, count);
    *out = near < 0 ? NULL : names[near];
    ki_free((void *)names);
    return KITH_OK;
}

static int32_t unknown_name(ki_parser *p, const char *name, int32_t at, int32_t length)
{
    ki_words all = { 0 };
    const char *like = NULL;
    kith_err err = nearest_name(&p->f->schema, name, &like);
    list_names(&p->f->schema, &all);
    if (err == KITH_OK) err = all.err;
    if (err != KITH_OK)
        ki_refuse_memory(p, err);
    else if (like != NULL)
        ki_refuse(p, at, length, "there is no column %.64s; did you mean %.64s? There are %s", name,
                  like, all.text);
    else
        ki_refuse(p, at, length, "there is no column %.64s; there are %s; a text stands in quotes",
                  name, all.text);
    ki_words_clear(&all);
    return -1;
}

int32_t ki_check_name(ki_parser *p, const char *name, int quoted, int32_t at, int32_t length)
{
    const ki_schema *s = &p->f->schema;
    if (!quoted && strcmp(name, "item") == 0)
        return pseudo_leaf(p, KI_OP_ITEM, KI_TYPE_TEXT, at, length);
    if (!quoted && strcmp(name, "popularity") == 0 && s->popularity != NULL)
        return pseudo_leaf(p, KI_OP_POPULARITY, KI_TYPE_NUMBER, at, length);
    int column = find_column(s->table, name);
    if (column < 0 && !quoted && strcmp(name, "title") == 0) column = find_column(s->table, "name");
    return column >= 0 ? column_leaf(p, column, at, length) : unknown_name(p, name, at, length);
}

int32_t ki_check_context(ki_parser *p, const char *name, int32_t at, int32_t length)
{
    static const ki_type types[] = {
        [KI_VALUE_BOOL] = KI_TYPE_BOOL,       [KI_VALUE_NUMBER] = KI_TYPE_NUMBER,
        [KI_VALUE_TIME] = KI_TYPE_TIME,       [KI_VALUE_TEXT] = KI_TYPE_TEXT,
        [KI_VALUE_NUMBERS] = KI_TYPE_NUMBERS, [KI_VALUE_TEXTS] = KI_TYPE_TEXTS
    };
    const ki_context *c = p->f->schema.context;
    const ki_value *v = ki_context_find(c, name);
    if (v == NULL && (c == NULL || c->n == 0))
        return ki_refuse(p, at, length, "there is no $%.64s: the request brings no context", name);
    if (v == NULL)
        return ki_refuse(p, at, length, "there is no $%.64s in the context; it begins with $%.64s",
                         name, c->values[0].name);
    const int32_t node = ki_node_add(p, KI_OP_CONTEXT, types[v->kind], at, length);
    if (node < 0) return -1;
    p->f->nodes[node].ref = (int32_t)(v - c->values);
    p->f->nodes[node].asks = 1;
    return node;
}

/* ---- what to say ---- */

static ki_node *kid_of(ki_parser *p, int32_t node, int which)
{
    return (ki_node *)ki_kid(p->f, &p->f->nodes[node], which);
}

static int32_t index_of(const ki_parser *p, const ki_node *n)
{
    return (int32_t)(n - p->f->nodes);
}

/* What can be done with a value of the type: the advice at the end of a message. */
static const char *advice(ki_type t)
{
    switch (t) {
    case KI_TYPE_BOOL: return "a boolean stands alone or after `not`";
    case KI_TYPE_NUMBER: return "compare it with a number, such as 1200";
    case KI_TYPE_TIME: return "compare it with a time, such as 2020-01-31 or now - 7d";
    case KI_TYPE_DURATION: return "compare it with a duration, such as 12h or 7d";
    case KI_TYPE_TEXT:
        return "compare it with a text in quotes, by = != ~ in, contains or starts with";
    case KI_TYPE_SET:
        return "ask a set with has \"word\", has any (...), has all (...) or is empty";
    case KI_TYPE_VECTOR: return "a vector can only be asked whether it is missing or is present";
    default: return "a list follows in, has any or has all";
    }
}

/* The two do not go together: say what each is, and what to do with the first. */
static int32_t mismatch(ki_parser *p, const ki_node *a, const ki_node *b)
{
    char first[KI_SHOW], second[KI_SHOW];
    const ki_node *odd = a->varies || !b->varies ? b : a;
    return ki_refuse(p, odd->at, odd->length, "%s is %s and %s is %s: %s",
                     ki_node_shown(p, index_of(p, a), first), ki_type_name(a->type),
                     ki_node_shown(p, index_of(p, b), second), ki_type_name(b->type),
                     advice(a->varies || !b->varies ? a->type : b->type));
}

static int32_t misused(ki_parser *p, const ki_node *a)
{
    char shown[KI_SHOW];
    return ki_refuse(p, a->at, a->length, "%s is %s: %s", ki_node_shown(p, index_of(p, a), shown),
                     ki_type_name(a->type), advice(a->type));
}

/* A test of words wants a value, not another column. */
static int32_t want_value(ki_parser *p, const ki_node *b)
{
    char shown[KI_SHOW];
    return ki_refuse(p, b->at, b->length,
                     "%s is a column: on this side a value in quotes or a $name is wanted",
                     ki_node_shown(p, index_of(p, b), shown));
}

/* ---- one check per family of operators; each returns the node or -1 ---- */

/* A text constant beside a time is one, if it can be read so. */
static void make_time(ki_parser *p, const ki_node *like, ki_node *text)
{
    int64_t t;
    if (like->type != KI_TYPE_TIME || text->op != KI_OP_TEXT) return;
    const char *s = ki_node_text(p->f, text);
    if (strlen(s) < 10 || s[4] != '-' || !ki_scan_time(s, strlen(s), &t)) return;
    if (t < ki_days_of(1, 1, 1) * 86400 || t >= ki_days_of(10000, 1, 1) * 86400) return;
    text->op = KI_OP_TIME;
    text->type = KI_TYPE_TIME;
    text->number = (double)t;
}

static void turn_round(ki_node *n, ki_node *nodes)
{
    static const ki_op mirror[] = {
        [KI_OP_EQ] = KI_OP_EQ,    [KI_OP_NE] = KI_OP_NE, [KI_OP_LT] = KI_OP_GT,
        [KI_OP_LE] = KI_OP_GE,    [KI_OP_GT] = KI_OP_LT, [KI_OP_GE] = KI_OP_LE,
        [KI_OP_SAME] = KI_OP_SAME
    };
    const int32_t a = n->kid, b = nodes[a].next;
    n->op = mirror[n->op];
    n->kid = b;
    nodes[b].next = a;
    nodes[a].next = -1;
}

static int32_t check_comparison(ki_parser *p, int32_t node)
{
    ki_node *n = &p->f->nodes[node], *a = kid_of(p, node, 0), *b = kid_of(p, node, 1);
    make_time(p, a, b);
    make_time(p, b, a);
    const int ordered =
        n->op == KI_OP_LT || n->op == KI_OP_LE || n->op == KI_OP_GT || n->op == KI_OP_GE;
    const ki_type t = a->type;
    if (t == KI_TYPE_SET || t == KI_TYPE_VECTOR) return misused(p, a);
    if (t != b->type) return mismatch(p, a, b);
    if (ki_is_list(t)) return misused(p, b);
    if (ordered && !ki_is_numeric(t))
        return ki_refuse(p, n->at, n->length, "%s has no order: %s", ki_type_name(t), advice(t));
    if (n->op == KI_OP_SAME && t != KI_TYPE_TEXT) return misused(p, a);
    if (t == KI_TYPE_TEXT && a->varies && b->varies) return want_value(p, b);
    if (!a->varies && b->varies) turn_round(n, p->f->nodes);
    return node;
}

static int32_t check_between(ki_parser *p, int32_t node)
{
    ki_node *a = kid_of(p, node, 0);
    if (!ki_is_numeric(a->type)) return misused(p, a);
    for (int j = 1; j <= 2; j++) {
        ki_node *end = kid_of(p, node, j);
        make_time(p, a, end);
        if (end->type != a->type) return mismatch(p, a, end);
    }
    return node;
}

static ki_type list_of(ki_type t)
{
    return t == KI_TYPE_NUMBER     ? KI_TYPE_NUMBERS
           : t == KI_TYPE_TIME     ? KI_TYPE_TIMES
           : t == KI_TYPE_DURATION ? KI_TYPE_DURATIONS
                                   : KI_TYPE_TEXTS;
}

static int32_t check_list(ki_parser *p, int32_t node)
{
    ki_node *list = &p->f->nodes[node];
    const ki_node *first = kid_of(p, node, 0);
    for (int32_t k = list->kid; k >= 0; k = p->f->nodes[k].next) {
        const ki_node *n = &p->f->nodes[k];
        char shown[KI_SHOW];
        if (n->op > KI_OP_CONTEXT || n->op == KI_OP_NOW ||
            !(ki_is_numeric(n->type) || n->type == KI_TYPE_TEXT))
            return ki_refuse(p, n->at, n->length,
                             "%s: a list holds texts, numbers, times, durations or single $names",
                             ki_node_shown(p, k, shown));
        if (n->type != first->type) return mismatch(p, first, n);
    }
    list->type = list_of(first->type);
    return node;
}

/* Texts in a list beside a time become times, all or none. */
static void make_times(ki_parser *p, const ki_node *like, ki_node *list)
{
    int all = list->op == KI_OP_LIST && list->type == KI_TYPE_TEXTS && like->type == KI_TYPE_TIME;
    for (int32_t k = all ? list->kid : -1; k >= 0; k = p->f->nodes[k].next) {
        make_time(p, like, &p->f->nodes[k]);
        all = all && p->f->nodes[k].type == KI_TYPE_TIME;
    }
    if (all) list->type = KI_TYPE_TIMES;
}

static int32_t check_in(ki_parser *p, int32_t node)
{
    ki_node *a = kid_of(p, node, 0), *list = kid_of(p, node, 1);
    if (!ki_is_numeric(a->type) && a->type != KI_TYPE_TEXT) return misused(p, a);
    make_times(p, a, list);
    if (list->type != list_of(a->type)) return mismatch(p, a, list);
    return node;
}

static int32_t check_part(ki_parser *p, int32_t node)
{
    ki_node *a = kid_of(p, node, 0), *b = kid_of(p, node, 1);
    if (a->type != KI_TYPE_TEXT) return misused(p, a);
    if (b->type != KI_TYPE_TEXT) return mismatch(p, a, b);
    return b->varies ? want_value(p, b) : node;
}

static int32_t check_has(ki_parser *p, int32_t node)
{
    const ki_op op = p->f->nodes[node].op;
    ki_node *a = kid_of(p, node, 0), *b = kid_of(p, node, 1);
    if (a->type != KI_TYPE_SET) {
        char shown[KI_SHOW];
        return ki_refuse(p, a->at, a->length, "%s is %s, and only a set `has`: %s",
                         ki_node_shown(p, index_of(p, a), shown), ki_type_name(a->type),
                         advice(a->type));
    }
    if (b->type != (op == KI_OP_HAS ? KI_TYPE_TEXT : KI_TYPE_TEXTS)) return mismatch(p, a, b);
    return b->varies ? want_value(p, b) : node;
}

static int32_t check_presence(ki_parser *p, int32_t node)
{
    const ki_node *a = kid_of(p, node, 0);
    if (p->f->nodes[node].op == KI_OP_EMPTY && a->type != KI_TYPE_SET) return misused(p, a);
    if (a->op == KI_OP_COLUMN || a->op == KI_OP_CONTEXT || ki_is_numeric(a->type) ||
        a->op == KI_OP_ITEM)
        return node;
    return ki_refuse(p, a->at, a->length,
                     "only a column, a $name or a sum of them can be missing or present");
}

/* The type of a op b, or -1. */
static int arithmetic(ki_op op, ki_type a, ki_type b)
{
    const int both = a == b, same_number = both && a == KI_TYPE_NUMBER;
    const int plain = same_number || (both && a == KI_TYPE_DURATION);
    switch (op) {
    case KI_OP_ADD:
        if (a == KI_TYPE_DURATION && b == KI_TYPE_TIME) return KI_TYPE_TIME;
        return plain || (a == KI_TYPE_TIME && b == KI_TYPE_DURATION) ? (int)a : -1;
    case KI_OP_SUB:
        if (both && a == KI_TYPE_TIME) return KI_TYPE_DURATION;
        return plain || (a == KI_TYPE_TIME && b == KI_TYPE_DURATION) ? (int)a : -1;
    case KI_OP_MUL:
        if (a == KI_TYPE_NUMBER && b == KI_TYPE_DURATION) return KI_TYPE_DURATION;
        return same_number || (a == KI_TYPE_DURATION && b == KI_TYPE_NUMBER) ? (int)a : -1;
    default:
        if (plain) return KI_TYPE_NUMBER;
        return a == KI_TYPE_DURATION && b == KI_TYPE_NUMBER ? (int)a : -1;
    }
}

static int32_t check_arithmetic(ki_parser *p, int32_t node)
{
    ki_node *n = &p->f->nodes[node];
    const ki_node *a = kid_of(p, node, 0), *b = kid_of(p, node, 1);
    const int type = arithmetic(n->op, a->type, b->type);
    char first[KI_SHOW], second[KI_SHOW];
    if (type < 0)
        return ki_refuse(p, n->at, n->length,
                         "%s is %s and %s is %s: numbers go with + - * /, times with + and - of "
                         "durations (now - 7d)",
                         ki_node_shown(p, index_of(p, a), first), ki_type_name(a->type),
                         ki_node_shown(p, index_of(p, b), second), ki_type_name(b->type));
    n->type = (ki_type)type;
    return node;
}

static int32_t check_minus(ki_parser *p, int32_t node)
{
    const ki_node *a = kid_of(p, node, 0);
    if (a->type != KI_TYPE_NUMBER && a->type != KI_TYPE_DURATION) return misused(p, a);
    p->f->nodes[node].type = a->type;
    return node;
}

int32_t ki_check_node(ki_parser *p, int32_t node)
{
    if (node < 0 || p->err != KITH_OK) return -1;
    switch (p->f->nodes[node].op) {
    case KI_OP_LIST: return check_list(p, node);
    case KI_OP_NEG: return check_minus(p, node);
    case KI_OP_ADD:
    case KI_OP_SUB:
    case KI_OP_MUL:
    case KI_OP_DIV: return check_arithmetic(p, node);
    case KI_OP_BETWEEN: return check_between(p, node);
    case KI_OP_IN: return check_in(p, node);
    case KI_OP_CONTAINS:
    case KI_OP_STARTS: return check_part(p, node);
    case KI_OP_HAS:
    case KI_OP_HAS_ANY:
    case KI_OP_HAS_ALL: return check_has(p, node);
    case KI_OP_MISSING:
    case KI_OP_PRESENT:
    case KI_OP_EMPTY: return check_presence(p, node);
    default: return check_comparison(p, node);
    }
}

int32_t ki_check_bool(ki_parser *p, int32_t node)
{
    if (node < 0 || p->err != KITH_OK) return -1;
    const ki_node *n = &p->f->nodes[node];
    return n->type == KI_TYPE_BOOL ? node : misused(p, n);
}

/* ---- words that no item has ---- */

enum { MOST_NOTES = 8 };

static const ki_idmap *words_of(const ki_filter *f, const ki_node *n)
{
    return n->op == KI_OP_ITEM ? f->schema.items : &ki_node_column(f, n)->words;
}

static kith_err note_word(ki_filter *f, const ki_node *column, const char *word)
{
    const ki_idmap *words = words_of(f, column);
    const int is_item = column->op == KI_OP_ITEM;
    ki_words w = { 0 };
    if (f->n_notes == MOST_NOTES || ki_idmap_find(words, word, strlen(word)) >= 0) return KITH_OK;
    const int32_t near = ki_nearest_word(word, words);
    if (is_item)
        ki_words_add(&w, "there is no item \"%s\"", word);
    else
        ki_words_add(&w, "no item has %s \"%s\"", ki_node_column(f, column)->name, word);
    if (near >= 0) ki_words_add(&w, "; nearest: \"%s\"", ki_idmap_name(words, near));
    kith_err err = ki_words_take(&w, &f->notes[f->n_notes]);
    if (err == KITH_OK) f->n_notes++;
    return err;
}

static kith_err note_test(ki_filter *f, const ki_node *test)
{
    const ki_node *column = ki_kid(f, test, 0), *values = ki_kid(f, test, 1);
    kith_err err = KITH_OK;
    if (values->op == KI_OP_TEXT) return note_word(f, column, ki_node_text(f, values));
    for (int32_t k = values->op == KI_OP_LIST ? values->kid : -1; err == KITH_OK && k >= 0;
         k = f->nodes[k].next)
        if (f->nodes[k].op == KI_OP_TEXT) err = note_word(f, column, ki_node_text(f, &f->nodes[k]));
    return err;
}

kith_err ki_check_words(ki_filter *f)
{
    kith_err err = ki_alloc(&f->notes, MOST_NOTES, sizeof *f->notes);
    for (int32_t j = 0; err == KITH_OK && j < f->n_nodes; j++) {
        const ki_node *n = &f->nodes[j];
        if (!ki_is_coded(f, n) || n->op == KI_OP_SAME || n->op == KI_OP_CONTAINS ||
            n->op == KI_OP_STARTS)
            continue;
        err = note_test(f, n);
    }
    return err;
}
