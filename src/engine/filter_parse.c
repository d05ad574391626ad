/* SPDX-License-Identifier: MIT
 * filter_parse.c -- from text to a checked tree: recursive descent, one function per rule of the grammar
 *
 * Grammar     doc/filters.md.  Names and types are checked as soon as a node is complete, so that a message can point at
 *             the place.  Depth, nodes and bytes are bounded, which bounds the stack of every walk over a tree.
 */
#include "engine/filter_parse.h"

#include "base/mem.h"
#include "base/scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- refusing ---- */

static int columns_of(const char *s, int32_t n) /* code points */
{
    int count = 0;
    for (int32_t j = 0; j < n; j++) count += (s[j] & 0xc0) != 0x80;
    return count;
}

enum { BEFORE = 50, AFTER = 28 }; /* bytes of the line that a picture shows around the place */

/* The line of the text around [at, at + length), and carets under it. */
static void draw(ki_complaint *why, const char *text, int32_t at, int32_t length)
{
    const int32_t n = (int32_t)strlen(text);
    int32_t begin = at, end = at, used = 0;
    while (begin > 0 && text[begin - 1] != '\n' && at - begin < BEFORE) begin--;
    while (begin < at && (text[begin] & 0xc0) == 0x80) begin++;
    while (end < n && text[end] != '\n' && end - at < AFTER) end++;
    while (end > at && end < n && (text[end] & 0xc0) == 0x80) end--;
    for (int32_t j = begin; j < end; j++)
        why->picture[used++] = (unsigned char)text[j] < ' ' ? ' ' : text[j];
    why->picture[used++] = '\n';
    for (int j = columns_of(text + begin, at - begin); j > 0; j--) why->picture[used++] = ' ';
    const int carets = columns_of(text + at, KI_MAX(0, KI_MIN(at + length, end) - at));
    for (int j = KI_MAX(1, carets); j > 0; j--) why->picture[used++] = '^';
    why->picture[used] = '\0';
    why->at = at;
    why->length = length;
}

int32_t ki_refuse(ki_parser *p, int32_t at, int32_t length, const char *format, ...)
{
    char sentence[KI_MESSAGE_SIZE];
    va_list args;
    if (p->err != KITH_OK) return -1;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    p->err =
        ki_fail(KITH_EINVAL, "filter, character %d: %s", 1 + columns_of(p->text, at), sentence);
    if (p->why != NULL) draw(p->why, p->text, at, length);
    return -1;
}

int32_t ki_refuse_memory(ki_parser *p, kith_err err)
{
    if (p->err == KITH_OK) p->err = err;
    return -1;
}

const char *ki_node_shown(const ki_parser *p, int32_t node, char *out)
{
    const ki_node *n = &p->f->nodes[node];
    int32_t cut = KI_MIN(n->length, KI_SHOW - 5);
    while (cut > 0 && cut < n->length && (p->text[n->at + cut] & 0xc0) == 0x80) cut--;
    snprintf(out, KI_SHOW, "%.*s%s", cut, p->text + n->at, cut < n->length ? "..." : "");
    return out;
}

/* ---- nodes ---- */

int32_t ki_node_add(ki_parser *p, ki_op op, ki_type type, int32_t at, int32_t length)
{
    ki_filter *f = p->f;
    if (p->err != KITH_OK) return -1;
    if (f->n_nodes == KI_FILTER_NODES)
        return ki_refuse(p, at, length,
                         "more than %d names, values and operators; give long lists as $name",
                         KI_FILTER_NODES);
    if (f->n_nodes == f->nodes_room) {
        const int32_t room = KI_MAX(32, 2 * f->nodes_room);
        const kith_err err =
            ki_grow(&f->nodes, (size_t)f->nodes_room, (size_t)room, sizeof *f->nodes);
        if (err != KITH_OK) return ki_refuse_memory(p, err);
        f->nodes_room = room;
    }
    f->nodes[f->n_nodes] = (ki_node){
        .op = op, .type = type, .depth = 1, .at = at, .length = length, .kid = -1, .next = -1
    };
    return f->n_nodes++;
}

int32_t ki_node_adopt(ki_parser *p, int32_t parent, int32_t kid)
{
    if (p->err != KITH_OK || parent < 0 || kid < 0) return -1;
    ki_node *up = &p->f->nodes[parent], *down = &p->f->nodes[kid];
    int32_t *link = &up->kid;
    if (up->op == KI_OP_LIST || up->op == KI_OP_AND || up->op == KI_OP_OR) {
        /* long chains: their last kid is kept in ref while they grow */
        if (up->n_kids > 0) link = &p->f->nodes[up->ref].next;
        up->ref = kid;
    } else {
        while (*link >= 0) link = &p->f->nodes[*link].next;
    }
    *link = kid;
    up->n_kids++;
    up->varies |= down->varies;
    up->asks |= down->asks;
    up->costly |= down->costly;
    up->depth = KI_MAX(up->depth, down->depth + 1);
    const int32_t end = KI_MAX(up->at + up->length, down->at + down->length);
    up->at = KI_MIN(up->at, down->at);
    up->length = end - up->at;
    if (up->depth > KI_FILTER_DEPTH)
        return ki_refuse(p, up->at, up->length, "nested deeper than %d levels", KI_FILTER_DEPTH);
    return parent;
}

static int32_t keep_text(ki_parser *p)
{
    ki_filter *f = p->f;
    const size_t n = p->content.n + 1;
    if (f->strings_n + n > f->strings_room) {
        const size_t room = KI_MAX(2 * f->strings_room, f->strings_n + n + 256);
        const kith_err err = ki_grow(&f->strings, f->strings_room, room, 1);
        if (err != KITH_OK) return ki_refuse_memory(p, err);
        f->strings_room = room;
    }
    const int32_t at = (int32_t)f->strings_n;
    if (n > 1) memcpy(f->strings + at, p->content.text, n - 1);
    f->strings[f->strings_n + n - 1] = '\0';
    f->strings_n += n;
    return at;
}

/* ---- tokens ---- */

static void advance(ki_parser *p)
{
    p->content.n = 0;
    p->t = ki_token_next(p->text, p->t.at + p->t.length, &p->content);
    if (p->content.err != KITH_OK) ki_refuse_memory(p, p->content.err);
    if (p->t.kind == KI_T_BAD) ki_refuse(p, p->t.at, p->t.length, "%s", p->t.trouble);
}

static int is(const ki_parser *p, ki_token_kind kind, const char *word)
{
    return p->err == KITH_OK && p->t.kind == kind && strcmp(p->t.word, word) == 0;
}

static int accept(ki_parser *p, ki_token_kind kind, const char *word)
{
    if (!is(p, kind, word)) return 0;
    advance(p);
    return 1;
}

static int32_t unexpected(ki_parser *p, const char *want)
{
    char shown[KI_SHOW];
    if (p->err != KITH_OK) return -1;
    if (p->t.kind == KI_T_END)
        return ki_refuse(p, p->t.at, 1, "the filter ends where %s should be", want);
    return ki_refuse(p, p->t.at, p->t.length, "%s where %s should be",
                     ki_show(shown, p->text + p->t.at, (size_t)p->t.length), want);
}

static int enter(ki_parser *p)
{
    if (p->err == KITH_OK && ++p->nest <= KI_FILTER_DEPTH) return 1;
    ki_refuse(p, p->t.at, p->t.length, "nested deeper than %d levels", KI_FILTER_DEPTH);
    return 0;
}

static int32_t parse_or(ki_parser *p);

/* ---- values ---- */

static int32_t leaf(ki_parser *p, ki_op op, ki_type type)
{
    const int32_t node = ki_node_add(p, op, type, p->t.at, p->t.length);
    if (node < 0) return -1;
    p->f->nodes[node].number = p->t.number;
    if (op == KI_OP_TEXT) {
        const int32_t ref = keep_text(p);
        p->f->nodes[node].ref = ref;
    }
    advance(p);
    return p->err == KITH_OK ? node : -1;
}

static int32_t named(ki_parser *p)
{
    const int32_t at = p->t.at, length = p->t.length;
    char *name = NULL;
    const kith_err err = ki_strndup(&name, p->content.text, p->content.n);
    if (err != KITH_OK) return ki_refuse_memory(p, err);
    const int32_t node = p->t.kind == KI_T_CONTEXT
                             ? ki_check_context(p, name, at, length)
                             : ki_check_name(p, name, p->t.kind == KI_T_QUOTED_NAME, at, length);
    ki_free(name);
    if (node >= 0) advance(p);
    return p->err == KITH_OK ? node : -1;
}

static int32_t parenthesis(ki_parser *p)
{
    const int32_t at = p->t.at;
    if (!enter(p)) return -1;
    advance(p);
    const int32_t node = parse_or(p);
    p->nest--;
    if (node < 0) return -1;
    if (!is(p, KI_T_SIGN, ")")) return unexpected(p, "a closing parenthesis");
    ki_node *n = &p->f->nodes[node];
    n->at = at;
    n->length = p->t.at + p->t.length - at;
    advance(p);
    return node;
}

static int32_t parse_primary(ki_parser *p)
{
    if (p->err != KITH_OK) return -1;
    switch (p->t.kind) {
    case KI_T_NAME:
    case KI_T_QUOTED_NAME:
    case KI_T_CONTEXT: return named(p);
    case KI_T_TEXT: return leaf(p, KI_OP_TEXT, KI_TYPE_TEXT);
    case KI_T_NUMBER: return leaf(p, KI_OP_NUMBER, KI_TYPE_NUMBER);
    case KI_T_DURATION: return leaf(p, KI_OP_DURATION, KI_TYPE_DURATION);
    case KI_T_TIME: return leaf(p, KI_OP_TIME, KI_TYPE_TIME);
    default: break;
    }
    if (is(p, KI_T_WORD, "true")) return leaf(p, KI_OP_TRUE, KI_TYPE_BOOL);
    if (is(p, KI_T_WORD, "false")) return leaf(p, KI_OP_FALSE, KI_TYPE_BOOL);
    if (is(p, KI_T_WORD, "now")) return leaf(p, KI_OP_NOW, KI_TYPE_TIME);
    if (is(p, KI_T_SIGN, "(")) return parenthesis(p);
    if (p->t.kind == KI_T_WORD)
        return unexpected(p, "a column or a value (a column called like a word of the language "
                             "stands in `backquotes`)");
    return unexpected(p, "a column or a value");
}

/* An operator over kids that are there already. */
static int32_t join(ki_parser *p, ki_op op, int32_t a, int32_t b)
{
    if (a < 0 || b < 0 || p->err != KITH_OK) return -1;
    const int32_t node = ki_node_add(p, op, KI_TYPE_BOOL, p->f->nodes[a].at, p->f->nodes[a].length);
    if (ki_node_adopt(p, node, a) < 0 || ki_node_adopt(p, node, b) < 0) return -1;
    return ki_check_node(p, node);
}

static int32_t parse_unary(ki_parser *p)
{
    const int32_t at = p->t.at;
    if (!is(p, KI_T_SIGN, "-")) return parse_primary(p);
    if (!enter(p)) return -1;
    advance(p);
    const int32_t kid = parse_unary(p);
    p->nest--;
    if (kid < 0) return -1;
    ki_node *k = &p->f->nodes[kid];
    if (k->op == KI_OP_NUMBER || k->op == KI_OP_DURATION) { /* a negative constant is a constant */
        k->number = -k->number;
        k->length += k->at - at;
        k->at = at;
        return kid;
    }
    const int32_t node = ki_node_add(p, KI_OP_NEG, KI_TYPE_NUMBER, at, 1);
    return ki_node_adopt(p, node, kid) < 0 ? -1 : ki_check_node(p, node);
}

static int32_t parse_product(ki_parser *p)
{
    int32_t left = parse_unary(p);
    while (left >= 0 && (is(p, KI_T_SIGN, "*") || is(p, KI_T_SIGN, "/"))) {
        const ki_op op = p->t.word[0] == '*' ? KI_OP_MUL : KI_OP_DIV;
        advance(p);
        left = join(p, op, left, parse_unary(p));
    }
    return left;
}

static int32_t parse_sum(ki_parser *p)
{
    int32_t left = parse_product(p);
    while (left >= 0 && (is(p, KI_T_SIGN, "+") || is(p, KI_T_SIGN, "-"))) {
        const ki_op op = p->t.word[0] == '+' ? KI_OP_ADD : KI_OP_SUB;
        advance(p);
        left = join(p, op, left, parse_product(p));
    }
    return left;
}

/* ---- tests ---- */

static int32_t parse_list(ki_parser *p)
{
    if (p->err == KITH_OK && p->t.kind == KI_T_CONTEXT) return named(p);
    if (!is(p, KI_T_SIGN, "(")) return unexpected(p, "a list, as in (\"a\", \"b\"),");
    const int32_t list = ki_node_add(p, KI_OP_LIST, KI_TYPE_TEXTS, p->t.at, 1);
    do {
        advance(p);
        if (ki_node_adopt(p, list, parse_unary(p)) < 0) return -1;
    } while (is(p, KI_T_SIGN, ","));
    if (!is(p, KI_T_SIGN, ")"))
        return unexpected(p, "a comma or the closing parenthesis of the list");
    ki_node *n = &p->f->nodes[list];
    n->length = p->t.at + p->t.length - n->at;
    advance(p);
    return p->err == KITH_OK ? ki_check_node(p, list) : -1;
}

/* 1 when the token is a comparison, which goes to *op. */
static int is_comparison(const ki_parser *p, ki_op *op)
{
    static const struct {
        const char *sign;
        ki_op op;
    } all[] = { { "=", KI_OP_EQ }, { "!=", KI_OP_NE }, { "<", KI_OP_LT },  { "<=", KI_OP_LE },
                { ">", KI_OP_GT }, { ">=", KI_OP_GE }, { "~", KI_OP_SAME } };
    for (size_t j = 0; j < KI_COUNT(all); j++) {
        if (!is(p, KI_T_SIGN, all[j].sign)) continue;
        *op = all[j].op;
        return 1;
    }
    return 0;
}

static int32_t parse_comparison(ki_parser *p, int32_t left, ki_op op)
{
    advance(p);
    const int32_t node = join(p, op, left, parse_sum(p));
    if (node >= 0 && is_comparison(p, &op))
        return ki_refuse(
            p, p->t.at, p->t.length,
            "comparisons do not follow each other: write `between`, or two joined by `and`");
    return node;
}

static int32_t parse_between(ki_parser *p, int32_t left)
{
    const int32_t node = ki_node_add(p, KI_OP_BETWEEN, KI_TYPE_BOOL, p->t.at, p->t.length);
    advance(p);
    if (ki_node_adopt(p, node, left) < 0 || ki_node_adopt(p, node, parse_sum(p)) < 0) return -1;
    if (!accept(p, KI_T_WORD, "and")) return unexpected(p, "the `and` of `between ... and ...`");
    return ki_node_adopt(p, node, parse_sum(p)) < 0 ? -1 : ki_check_node(p, node);
}

static int32_t parse_is(ki_parser *p, int32_t left)
{
    ki_op op = KI_OP_MISSING;
    advance(p);
    const int negated = accept(p, KI_T_WORD, "not");
    if (is(p, KI_T_WORD, "missing"))
        op = negated ? KI_OP_PRESENT : KI_OP_MISSING;
    else if (is(p, KI_T_WORD, "present"))
        op = negated ? KI_OP_MISSING : KI_OP_PRESENT;
    else if (is(p, KI_T_WORD, "empty"))
        op = KI_OP_EMPTY;
    else
        return unexpected(p, "missing, present or empty");
    int32_t node = ki_node_add(p, op, KI_TYPE_BOOL, p->t.at, p->t.length);
    if (ki_node_adopt(p, node, left) < 0 || ki_check_node(p, node) < 0) return -1;
    if (op == KI_OP_EMPTY && negated) {
        const int32_t no = ki_node_add(p, KI_OP_NOT, KI_TYPE_BOOL, p->t.at, p->t.length);
        node = ki_node_adopt(p, no, node);
    }
    advance(p);
    return node;
}

static int32_t parse_has(ki_parser *p, int32_t left)
{
    advance(p);
    if (accept(p, KI_T_WORD, "any")) return join(p, KI_OP_HAS_ANY, left, parse_list(p));
    if (accept(p, KI_T_WORD, "all")) return join(p, KI_OP_HAS_ALL, left, parse_list(p));
    return join(p, KI_OP_HAS, left, parse_sum(p));
}

/* What may also stand as `x not in ...`; *found = 0 when the token is none of these. */
static int32_t parse_word_test(ki_parser *p, int32_t left, int *found)
{
    *found = 1;
    if (is(p, KI_T_WORD, "between")) return parse_between(p, left);
    if (is(p, KI_T_WORD, "has")) return parse_has(p, left);
    if (accept(p, KI_T_WORD, "in")) return join(p, KI_OP_IN, left, parse_list(p));
    if (accept(p, KI_T_WORD, "contains")) return join(p, KI_OP_CONTAINS, left, parse_sum(p));
    if (accept(p, KI_T_WORD, "starts")) {
        if (!accept(p, KI_T_WORD, "with")) return unexpected(p, "the `with` of `starts with`");
        return join(p, KI_OP_STARTS, left, parse_sum(p));
    }
    *found = 0;
    return left;
}

static int32_t negate(ki_parser *p, int32_t at, int32_t kid)
{
    if (kid < 0) return -1;
    const int32_t node = ki_node_add(p, KI_OP_NOT, KI_TYPE_BOOL, at, 0);
    return ki_node_adopt(p, node, kid);
}

static int32_t parse_test(ki_parser *p)
{
    ki_op op;
    int found;
    const int32_t left = parse_sum(p);
    if (left < 0) return -1;
    if (is_comparison(p, &op)) return parse_comparison(p, left, op);
    if (is(p, KI_T_WORD, "is")) return parse_is(p, left);
    if (!is(p, KI_T_WORD, "not")) return parse_word_test(p, left, &found);
    const int32_t at = p->t.at;
    advance(p);
    const int32_t test = parse_word_test(p, left, &found);
    if (!found && p->err == KITH_OK)
        return unexpected(p, "in, has, contains, starts with or between");
    return negate(p, at, test);
}

/* ---- truths ---- */

static int32_t parse_not(ki_parser *p)
{
    const int32_t at = p->t.at;
    if (!is(p, KI_T_WORD, "not")) return parse_test(p);
    if (!enter(p)) return -1;
    advance(p);
    const int32_t kid = ki_check_bool(p, parse_not(p));
    p->nest--;
    return negate(p, at, kid);
}

/* a and b and c: one node with three kids; a kid of the same operator (from parentheses) brings its own. */
static int32_t chain(ki_parser *p, ki_op op, int32_t node, int32_t kid)
{
    if (ki_check_bool(p, kid) < 0 || node < 0) return -1;
    if (p->f->nodes[kid].op != op) return ki_node_adopt(p, node, kid);
    for (int32_t k = p->f->nodes[kid].kid; k >= 0;) {
        const int32_t next = p->f->nodes[k].next;
        p->f->nodes[k].next = -1;
        if (ki_node_adopt(p, node, k) < 0) return -1;
        k = next;
    }
    return node;
}

static int32_t parse_chain(ki_parser *p, ki_op op, const char *word, int32_t (*part)(ki_parser *p))
{
    const int32_t first = part(p);
    if (first < 0 || !is(p, KI_T_WORD, word)) return first;
    const int32_t node =
        ki_node_add(p, op, KI_TYPE_BOOL, p->f->nodes[first].at, p->f->nodes[first].length);
    if (chain(p, op, node, first) < 0) return -1;
    while (accept(p, KI_T_WORD, word))
        if (chain(p, op, node, part(p)) < 0) return -1;
    return p->err == KITH_OK ? node : -1;
}

static int32_t parse_and(ki_parser *p)
{
    return parse_chain(p, KI_OP_AND, "and", parse_not);
}

static int32_t parse_or(ki_parser *p)
{
    return parse_chain(p, KI_OP_OR, "or", parse_and);
}

/* ---- whole filters ---- */

static int32_t parse_all(ki_parser *p)
{
    advance(p);
    if (p->err == KITH_OK && p->t.kind == KI_T_END)
        return ki_node_add(p, KI_OP_TRUE, KI_TYPE_BOOL, 0, 0);
    const int32_t root = ki_check_bool(p, parse_or(p));
    if (root >= 0 && p->t.kind != KI_T_END) return unexpected(p, "`and`, `or`, or the end");
    return root;
}

static kith_err split_clauses(ki_filter *f)
{
    const ki_node *root = &f->nodes[f->root];
    const int n = root->op == KI_OP_AND ? root->n_kids : 1;
    const kith_err err = ki_alloc(&f->clauses, (size_t)n, sizeof *f->clauses);
    if (err != KITH_OK) return err;
    f->n_clauses = n;
    int32_t at = root->op == KI_OP_AND ? root->kid : f->root;
    for (int c = 0; c < n; c++, at = f->nodes[at].next) f->clauses[c] = at;
    return KITH_OK;
}

static kith_err check_schema(const ki_schema *s)
{
    if (s->table != NULL && s->table->n_columns > 0 && s->table->n_rows != s->items->n)
        return ki_fail(KITH_EINVAL, "filter: the table has %d rows, but there are %d items",
                       s->table->n_rows, s->items->n);
    if (s->context != NULL && s->context->n > KI_CONTEXT_MAX)
        return ki_fail(KITH_EINVAL, "filter: the context has %d names, want at most %d",
                       s->context->n, KI_CONTEXT_MAX);
    return KITH_OK;
}

static kith_err check_text(const char *text)
{
    const size_t n = strlen(text);
    if (n > KI_FILTER_BYTES)
        return ki_fail(KITH_EINVAL, "filter: %zu bytes, want at most %d", n, KI_FILTER_BYTES);
    if (!ki_utf8_valid(text, n)) return ki_fail(KITH_EINVAL, "filter: the text is not valid UTF-8");
    return KITH_OK;
}

static kith_err build(ki_filter *f, const char *text, ki_complaint *why)
{
    ki_parser p = { .f = f, .text = text, .why = why };
    f->root = parse_all(&p);
    ki_words_clear(&p.content);
    kith_err err = p.err;
    if (err == KITH_OK) err = split_clauses(f);
    if (err == KITH_OK) err = ki_alloc(&f->lookups, (size_t)f->n_nodes, sizeof *f->lookups);
    if (err == KITH_OK) err = ki_lookups_make(f, NULL, 0, f->lookups);
    if (err == KITH_OK) err = ki_check_words(f);
    return err;
}

kith_err ki_filter_parse(const ki_schema *schema, const char *text, ki_filter **out,
                         ki_complaint *why)
{
    ki_filter *f = NULL;
    kith_err err;
    if (why != NULL) *why = (ki_complaint){ 0 };
    if ((err = check_schema(schema)) != KITH_OK) return err;
    if ((err = check_text(text)) != KITH_OK) return err;
    if ((err = ki_alloc(&f, 1, sizeof *f)) != KITH_OK) return err;
    f->schema = *schema;
    f->n_items = schema->items->n;
    if ((err = build(f, text, why)) != KITH_OK)
        ki_filter_free(f);
    else
        *out = f;
    return err;
}

/* ---- accessors ---- */

int ki_filter_n_notes(const ki_filter *f)
{
    return f->n_notes;
}

const char *ki_filter_note(const ki_filter *f, int note)
{
    return f->notes[note];
}

int32_t ki_filter_n_items(const ki_filter *f)
{
    return f->n_items;
}

int ki_filter_n_clauses(const ki_filter *f)
{
    return f->n_clauses;
}

void ki_filter_free(ki_filter *f)
{
    if (f == NULL) return;
    for (int j = 0; j < f->n_notes; j++) ki_free(f->notes[j]);
    ki_free(f->notes);
    if (f->lookups != NULL) ki_lookups_clear(f->lookups, f->n_nodes);
    ki_free(f->lookups);
    ki_free(f->clauses);
    ki_free(f->strings);
    ki_free(f->nodes);
    ki_free(f);
}
