/* SPDX-License-Identifier: MIT
 * filter_print.c -- a tree back to text, and to JSON
 *
 * The text is canonical: one way to write each operator, parentheses only where precedence wants them, durations in their
 * largest whole unit.  Parsing it gives the same tree.
 */
#include "engine/filter_scan.h"
#include "engine/filter_tree.h"

#include "base/mem.h"
#include "base/scan.h"

#include <math.h>
#include <string.h>

static const char *const signs[] = {
    [KI_OP_ADD] = "+",
    [KI_OP_SUB] = "-",
    [KI_OP_MUL] = "*",
    [KI_OP_DIV] = "/",
    [KI_OP_EQ] = "=",
    [KI_OP_NE] = "!=",
    [KI_OP_LT] = "<",
    [KI_OP_LE] = "<=",
    [KI_OP_GT] = ">",
    [KI_OP_GE] = ">=",
    [KI_OP_SAME] = "~",
    [KI_OP_IN] = "in",
    [KI_OP_NEG] = "-",
    [KI_OP_BETWEEN] = "between",
    [KI_OP_CONTAINS] = "contains",
    [KI_OP_STARTS] = "starts with",
    [KI_OP_HAS] = "has",
    [KI_OP_HAS_ANY] = "has any",
    [KI_OP_HAS_ALL] = "has all",
    [KI_OP_MISSING] = "is missing",
    [KI_OP_PRESENT] = "is present",
    [KI_OP_EMPTY] = "is empty",
    [KI_OP_NOT] = "not",
    [KI_OP_AND] = "and",
    [KI_OP_OR] = "or",
};

/* ---- leaves ---- */

static void put_quoted(const char *s, char quote, ki_words *out)
{
    ki_words_put(out, &quote, 1);
    for (; *s != '\0'; s++) {
        if (*s == quote || *s == '\\')
            ki_words_add(out, "\\%c", *s);
        else if ((unsigned char)*s < ' ')
            ki_words_add(out, "\\u%04x", (unsigned)*s);
        else
            ki_words_put(out, s, 1);
    }
    ki_words_put(out, &quote, 1);
}

static void put_duration(double seconds, ki_words *out)
{
    static const struct {
        double seconds;
        char name;
    } units[] = { { 604800, 'w' }, { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
    char number[32];
    size_t u = 0;
    while (u + 1 < KI_COUNT(units) && (seconds == 0 || fmod(seconds, units[u].seconds) != 0)) u++;
    ki_words_add(out, "%s%c", ki_number_print(number, seconds / units[u].seconds), units[u].name);
}

void ki_number_literal(ki_type type, double x, ki_words *out)
{
    char text[KI_TIME_TEXT];
    if (type == KI_TYPE_DURATION) {
        put_duration(x, out);
    } else if (type == KI_TYPE_TIME) {
        ki_time_print((int64_t)x, text);
        ki_words_add(out, "%s", text);
    } else {
        ki_words_add(out, "%s", ki_number_print(text, x));
    }
}

static void put_column(const char *name, ki_words *out)
{
    const int pseudo = strcmp(name, "item") == 0 || strcmp(name, "popularity") == 0;
    if (ki_is_bare_name(name) && !pseudo)
        ki_words_add(out, "%s", name);
    else
        put_quoted(name, '`', out);
}

/* ---- operators ---- */

/* How tightly an operator holds its kids together: or, and, not, tests, sums, products, minus, leaves. */
enum { P_OR = 1, P_AND, P_NOT, P_TEST, P_SUM, P_PRODUCT, P_MINUS, P_LEAF };

static int precedence(const ki_node *n)
{
    switch (n->op) {
    case KI_OP_OR: return P_OR;
    case KI_OP_AND: return P_AND;
    case KI_OP_NOT: return P_NOT;
    case KI_OP_ADD:
    case KI_OP_SUB: return P_SUM;
    case KI_OP_MUL:
    case KI_OP_DIV: return P_PRODUCT;
    case KI_OP_NEG: return P_MINUS;
    default: return n->op <= KI_OP_LIST ? P_LEAF : P_TEST;
    }
}

static void put(const ki_filter *f, const ki_node *n, int least, ki_words *out);

/* All kids, a word between them. */
static void put_kids(const ki_filter *f, const ki_node *n, int least, const char *between,
                     ki_words *out)
{
    for (int32_t k = n->kid; k >= 0; k = f->nodes[k].next) {
        if (k != n->kid) ki_words_add(out, "%s", between);
        put(f, &f->nodes[k], least, out);
    }
}

static void put_binary(const ki_filter *f, const ki_node *n, int left, int right, ki_words *out)
{
    put(f, ki_kid(f, n, 0), left, out);
    ki_words_add(out, " %s ", signs[n->op]);
    put(f, ki_kid(f, n, 1), right, out);
}

static void put_leaf(const ki_filter *f, const ki_node *n, ki_words *out)
{
    switch (n->op) {
    case KI_OP_TRUE: ki_words_add(out, "true"); break;
    case KI_OP_FALSE: ki_words_add(out, "false"); break;
    case KI_OP_NOW: ki_words_add(out, "now"); break;
    case KI_OP_ITEM: ki_words_add(out, "item"); break;
    case KI_OP_POPULARITY: ki_words_add(out, "popularity"); break;
    case KI_OP_TEXT: put_quoted(ki_node_text(f, n), '"', out); break;
    case KI_OP_CONTEXT: ki_words_add(out, "$%s", f->schema.context->values[n->ref].name); break;
    case KI_OP_COLUMN: put_column(ki_node_column(f, n)->name, out); break;
    default: ki_number_literal(n->type, n->number, out);
    }
}

static void put_bare(const ki_filter *f, const ki_node *n, ki_words *out)
{
    switch (n->op) {
    case KI_OP_LIST:
        ki_words_add(out, "(");
        put_kids(f, n, P_MINUS, ", ", out);
        ki_words_add(out, ")");
        break;
    case KI_OP_OR: put_kids(f, n, P_AND, " or ", out); break;
    case KI_OP_AND: put_kids(f, n, P_NOT, " and ", out); break;
    case KI_OP_NOT:
        ki_words_add(out, "not ");
        put_kids(f, n, P_NOT, "", out);
        break;
    case KI_OP_NEG:
        ki_words_add(out, "-");
        put_kids(f, n, P_MINUS, "", out);
        break;
    case KI_OP_ADD:
    case KI_OP_SUB: put_binary(f, n, P_SUM, P_PRODUCT, out); break;
    case KI_OP_MUL:
    case KI_OP_DIV: put_binary(f, n, P_PRODUCT, P_MINUS, out); break;
    case KI_OP_BETWEEN:
        put_binary(f, n, P_SUM, P_SUM, out);
        ki_words_add(out, " and ");
        put(f, ki_kid(f, n, 2), P_SUM, out);
        break;
    case KI_OP_MISSING:
    case KI_OP_PRESENT:
    case KI_OP_EMPTY:
        put_kids(f, n, P_SUM, "", out);
        ki_words_add(out, " %s", signs[n->op]);
        break;
    default:
        if (n->op < KI_OP_LIST)
            put_leaf(f, n, out);
        else
            put_binary(f, n, P_SUM, P_SUM, out);
    }
}

/* In parentheses when the place wants something that holds together more tightly. */
static void put(const ki_filter *f, const ki_node *n, int least, ki_words *out)
{
    const int loose = precedence(n) < least;
    if (loose) ki_words_add(out, "(");
    put_bare(f, n, out);
    if (loose) ki_words_add(out, ")");
}

void ki_node_print(const ki_filter *f, const ki_node *n, ki_words *out)
{
    put(f, n, P_OR, out);
}

kith_err ki_filter_print(const ki_filter *f, char **out)
{
    ki_words w = { 0 };
    ki_node_print(f, &f->nodes[f->root], &w);
    return ki_words_take(&w, out);
}

kith_err ki_filter_print_clause(const ki_filter *f, int clause, char **out)
{
    ki_words w = { 0 };
    ki_node_print(f, &f->nodes[f->clauses[clause]], &w);
    return ki_words_take(&w, out);
}

/* ---- JSON ---- */

static json_t *node_json(const ki_filter *f, const ki_node *n);

static json_t *kids_json(const ki_filter *f, const ki_node *n)
{
    json_t *list = json_array();
    for (int32_t k = n->kid; k >= 0; k = f->nodes[k].next)
        if (json_array_append_new(list, node_json(f, &f->nodes[k])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *time_json(double seconds)
{
    char text[KI_TIME_TEXT];
    ki_time_print((int64_t)seconds, text);
    return json_pack("{s:s}", "time", text);
}

static json_t *node_json(const ki_filter *f, const ki_node *n)
{
    switch (n->op) {
    case KI_OP_TRUE:
    case KI_OP_FALSE: return json_pack("{s:b}", "boolean", n->op == KI_OP_TRUE);
    case KI_OP_NUMBER: return json_pack("{s:f}", "number", n->number);
    case KI_OP_DURATION: return json_pack("{s:f}", "seconds", n->number);
    case KI_OP_TIME: return time_json(n->number);
    case KI_OP_TEXT: return json_pack("{s:s}", "text", ki_node_text(f, n));
    case KI_OP_NOW: return json_pack("{s:s}", "time", "now");
    case KI_OP_CONTEXT:
        return json_pack("{s:s}", "context", f->schema.context->values[n->ref].name);
    case KI_OP_COLUMN: return json_pack("{s:s}", "column", ki_node_column(f, n)->name);
    case KI_OP_ITEM: return json_pack("{s:s}", "pseudo", "item");
    case KI_OP_POPULARITY: return json_pack("{s:s}", "pseudo", "popularity");
    case KI_OP_LIST: return json_pack("{s:o}", "list", kids_json(f, n));
    default: return json_pack("{s:s,s:o}", "op", signs[n->op], "of", kids_json(f, n));
    }
}

kith_err ki_filter_json(const ki_filter *f, json_t **out)
{
    json_t *json = node_json(f, &f->nodes[f->root]);
    if (json == NULL) return ki_fail(KITH_ENOMEM, "out of memory for the JSON form of a filter");
    *out = json;
    return KITH_OK;
}

/* ---- equality ---- */

static int same_leaf(const ki_filter *f, const ki_node *a, const ki_filter *g, const ki_node *b)
{
    switch (a->op) {
    case KI_OP_NUMBER:
    case KI_OP_DURATION:
    case KI_OP_TIME: return a->number == b->number;
    case KI_OP_TEXT: return strcmp(ki_node_text(f, a), ki_node_text(g, b)) == 0;
    case KI_OP_CONTEXT:
    case KI_OP_COLUMN: return a->ref == b->ref;
    default: return 1;
    }
}

static int same_node(const ki_filter *f, const ki_node *a, const ki_filter *g, const ki_node *b)
{
    if (a->op != b->op || a->type != b->type || a->n_kids != b->n_kids || !same_leaf(f, a, g, b))
        return 0;
    int32_t k = a->kid, l = b->kid;
    for (; k >= 0; k = f->nodes[k].next, l = g->nodes[l].next)
        if (!same_node(f, &f->nodes[k], g, &g->nodes[l])) return 0;
    return 1;
}

int ki_filter_equal(const ki_filter *a, const ki_filter *b)
{
    return same_node(a, &a->nodes[a->root], b, &b->nodes[b->root]);
}
