/* SPDX-License-Identifier: MIT
 * filter_one.c -- the truth of a filter for one item, by walking its tree: the meaning of the language
 *
 * Kleene's three values: what compares something missing is unknown; `and` is the least, `or` the greatest of its terms,
 * `not` turns round.  filter_run.c must give the same for all items at once, and a test holds it to that.
 */
#include "engine/filter_tree.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

/* ---- what the request brings ---- */

/* An empty list has no kind. */
static int same_kind(const ki_value *declared, const ki_value *given)
{
    const int lists = declared->kind >= KI_VALUE_NUMBERS && given->kind >= KI_VALUE_NUMBERS;
    return declared->kind == given->kind || (lists && given->n == 0);
}

kith_err ki_bind(const ki_filter *f, const ki_env *env, ki_bound *out)
{
    const ki_context *declared = f->schema.context;
    kith_err err = KITH_OK;
    out->now = env->now;
    for (int j = 0; declared != NULL && j < declared->n; j++) {
        const ki_value *want = &declared->values[j], *v = ki_context_find(env->context, want->name);
        out->values[j] = v != NULL && v->given && same_kind(want, v) ? v : NULL;
        if (v != NULL && v->given && !same_kind(want, v))
            err = ki_fail(KITH_EINVAL, "context: $%.64s is of kind %s, declared is %s", want->name,
                          ki_value_kind_name(v->kind), ki_value_kind_name(want->kind));
    }
    return err;
}

/* ---- lists ---- */

static double missing_number(void)
{
    return NAN;
}

/* One value that is no list, into w. */
static void take_leaf(ki_walk *w, const ki_node *n)
{
    const ki_value *v = n->op == KI_OP_CONTEXT ? w->b->values[n->ref] : NULL;
    w->text = n->op == KI_OP_TEXT ? ki_node_text(w->f, n) : v != NULL ? v->text : NULL;
    w->number = n->op != KI_OP_CONTEXT ? n->number : v != NULL ? v->number : missing_number();
}

static void take_element(ki_walk *w)
{
    const int32_t j = w->list->n - w->left;
    w->text = w->list->texts != NULL ? w->list->texts[j] : NULL;
    w->number = w->list->numbers != NULL ? w->list->numbers[j] : missing_number();
}

ki_walk ki_walk_begin(const ki_filter *f, const ki_bound *b, const ki_node *list)
{
    ki_walk w = { .f = f, .b = b, .node = -1, .left = 1, .number = NAN };
    if (list->op == KI_OP_LIST) {
        w.left = list->n_kids;
        w.node = list->kid;
        take_leaf(&w, &f->nodes[w.node]);
    } else if (!ki_is_list(list->type)) {
        take_leaf(&w, list);
    } else if ((w.list = b->values[list->ref]) != NULL) {
        w.left = w.list->n;
        if (w.left > 0) take_element(&w);
    }
    return w;
}

void ki_walk_next(ki_walk *w)
{
    if (--w->left <= 0) return;
    if (w->list != NULL) {
        take_element(w);
    } else {
        w->node = w->f->nodes[w->node].next;
        take_leaf(w, &w->f->nodes[w->node]);
    }
}

/* ---- numbers, times, durations: NaN where missing ---- */

static double column_number(const ki_column *c, int32_t item)
{
    if (c->kind == KI_COL_NUMBER) return c->number[item];
    return c->time[item] == INT64_MIN ? missing_number() : (double)c->time[item];
}

/* Division by zero has no value. */
static double calculate(ki_op op, double a, double b)
{
    switch (op) {
    case KI_OP_ADD: return a + b;
    case KI_OP_SUB: return a - b;
    case KI_OP_MUL: return a * b;
    default: return b == 0 ? missing_number() : a / b;
    }
}

double ki_number_of(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item)
{
    switch (n->op) {
    case KI_OP_NUMBER:
    case KI_OP_DURATION:
    case KI_OP_TIME: return n->number;
    case KI_OP_NOW: return (double)b->now;
    case KI_OP_CONTEXT:
        return b->values[n->ref] == NULL ? missing_number() : b->values[n->ref]->number;
    case KI_OP_COLUMN: return column_number(ki_node_column(f, n), item);
    case KI_OP_POPULARITY: return f->schema.popularity[item];
    case KI_OP_NEG: return -ki_number_of(f, b, ki_kid(f, n, 0), item);
    default: break;
    }
    return calculate(n->op, ki_number_of(f, b, ki_kid(f, n, 0), item),
                     ki_number_of(f, b, ki_kid(f, n, 1), item));
}

static ki_truth truth(int yes)
{
    return yes ? KI_TRUE : KI_FALSE;
}

static ki_truth compare(ki_op op, double a, double b)
{
    if (isnan(a) || isnan(b)) return KI_UNKNOWN;
    switch (op) {
    case KI_OP_EQ: return truth(a == b);
    case KI_OP_NE: return truth(a != b);
    case KI_OP_LT: return truth(a < b);
    case KI_OP_LE: return truth(a <= b);
    case KI_OP_GT: return truth(a > b);
    default: return truth(a >= b);
    }
}

static ki_truth number_in(const ki_filter *f, const ki_bound *b, const ki_node *list, double x)
{
    ki_truth best = KI_FALSE;
    for (ki_walk w = ki_walk_begin(f, b, list); w.left > 0; ki_walk_next(&w))
        best = KI_MAX(best, compare(KI_OP_EQ, x, w.number));
    return best;
}

/* ---- texts: NULL where missing ---- */

static const char *text_of(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item)
{
    if (n->op == KI_OP_TEXT) return ki_node_text(f, n);
    if (n->op == KI_OP_ITEM) return ki_idmap_name(f->schema.items, item);
    if (n->op == KI_OP_CONTEXT) return b->values[n->ref] == NULL ? NULL : b->values[n->ref]->text;
    const ki_column *c = ki_node_column(f, n);
    if (c->kind == KI_COL_CATEGORY)
        return c->code[item] < 0 ? NULL : ki_idmap_name(&c->words, c->code[item]);
    const char *s = c->text + c->text_ptr[item];
    return *s == '\0' ? NULL : s;
}

static int text_test(ki_op op, const char *s, const char *value)
{
    switch (op) {
    case KI_OP_SAME: return ki_fold_equal(s, value);
    case KI_OP_CONTAINS: return ki_fold_contains(s, value);
    case KI_OP_STARTS: return ki_fold_starts(s, value);
    default: return strcmp(s, value) == 0;
    }
}

ki_truth ki_text_truth(const ki_filter *f, const ki_bound *b, const ki_node *test, const char *s)
{
    ki_truth best = KI_FALSE;
    for (ki_walk w = ki_walk_begin(f, b, ki_kid(f, test, 1)); w.left > 0 && best != KI_TRUE;
         ki_walk_next(&w))
        best = KI_MAX(best, s == NULL || w.text == NULL ? KI_UNKNOWN
                                                        : truth(text_test(test->op, s, w.text)));
    return test->op == KI_OP_NE ? KI_TRUE - best : best;
}

/* ---- sets ---- */

int ki_set_has(const ki_column *c, int32_t item, const char *word)
{
    for (int64_t j = c->set_ptr[item]; j < c->set_ptr[item + 1]; j++)
        if (strcmp(ki_idmap_name(&c->words, c->code[j]), word) == 0) return 1;
    return 0;
}

static ki_truth set_truth(const ki_filter *f, const ki_bound *b, const ki_node *test, int32_t item)
{
    const ki_column *c = ki_node_column(f, ki_kid(f, test, 0));
    const int all = test->op == KI_OP_HAS_ALL;
    ki_truth t = all ? KI_TRUE : KI_FALSE;
    for (ki_walk w = ki_walk_begin(f, b, ki_kid(f, test, 1)); w.left > 0; ki_walk_next(&w)) {
        const ki_truth one = w.text == NULL ? KI_UNKNOWN : truth(ki_set_has(c, item, w.text));
        t = all ? KI_MIN(t, one) : KI_MAX(t, one);
    }
    return t;
}

/* ---- presence ---- */

static int is_missing(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item)
{
    if (ki_is_numeric(n->type)) return isnan(ki_number_of(f, b, n, item));
    if (n->op == KI_OP_CONTEXT) return b->values[n->ref] == NULL;
    if (n->type == KI_TYPE_TEXT) return text_of(f, b, n, item) == NULL;
    const ki_column *c = ki_node_column(f, n);
    if (n->type == KI_TYPE_SET) return c->set_ptr[item] == c->set_ptr[item + 1];
    for (int32_t j = 0; j < c->dim; j++)
        if (c->vector[(size_t)item * (size_t)c->dim + (size_t)j] != 0) return 0;
    return 1;
}

/* ---- truths ---- */

static ki_truth comparison(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item)
{
    const ki_node *left = ki_kid(f, n, 0), *right = ki_kid(f, n, 1);
    if (left->type == KI_TYPE_TEXT) return ki_text_truth(f, b, n, text_of(f, b, left, item));
    if (ki_is_numeric(left->type))
        return compare(n->op, ki_number_of(f, b, left, item), ki_number_of(f, b, right, item));
    const ki_truth x = ki_truth_of(f, b, left, item), y = ki_truth_of(f, b, right, item);
    return x == KI_UNKNOWN || y == KI_UNKNOWN ? KI_UNKNOWN : truth((x == y) == (n->op == KI_OP_EQ));
}

static ki_truth between(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item)
{
    const double x = ki_number_of(f, b, ki_kid(f, n, 0), item);
    const ki_truth low = compare(KI_OP_GE, x, ki_number_of(f, b, ki_kid(f, n, 1), item)),
                   high = compare(KI_OP_LE, x, ki_number_of(f, b, ki_kid(f, n, 2), item));
    return KI_MIN(low, high);
}

static ki_truth chain(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item)
{
    ki_truth t = n->op == KI_OP_AND ? KI_TRUE : KI_FALSE;
    for (int32_t k = n->kid; k >= 0; k = f->nodes[k].next) {
        const ki_truth one = ki_truth_of(f, b, &f->nodes[k], item);
        t = n->op == KI_OP_AND ? KI_MIN(t, one) : KI_MAX(t, one);
    }
    return t;
}

ki_truth ki_truth_of(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item)
{
    const ki_node *first = n->kid < 0 ? NULL : ki_kid(f, n, 0);
    switch (n->op) {
    case KI_OP_TRUE: return KI_TRUE;
    case KI_OP_FALSE: return KI_FALSE;
    case KI_OP_CONTEXT:
        return b->values[n->ref] == NULL ? KI_UNKNOWN : truth(b->values[n->ref]->number != 0);
    case KI_OP_NOT: return KI_TRUE - ki_truth_of(f, b, first, item);
    case KI_OP_AND:
    case KI_OP_OR: return chain(f, b, n, item);
    case KI_OP_BETWEEN: return between(f, b, n, item);
    case KI_OP_HAS:
    case KI_OP_HAS_ANY:
    case KI_OP_HAS_ALL: return set_truth(f, b, n, item);
    case KI_OP_MISSING:
    case KI_OP_EMPTY: return truth(is_missing(f, b, first, item));
    case KI_OP_PRESENT: return truth(!is_missing(f, b, first, item));
    case KI_OP_IN:
        if (ki_is_numeric(first->type))
            return number_in(f, b, ki_kid(f, n, 1), ki_number_of(f, b, first, item));
        return ki_text_truth(f, b, n, text_of(f, b, first, item));
    default: return comparison(f, b, n, item);
    }
}

/* ---- from outside ---- */

ki_truth ki_filter_one(const ki_filter *f, const ki_env *env, int32_t item)
{
    ki_bound b;
    ki_bind(f, env, &b); /* its only failure leaves the value out, as promised */
    return ki_truth_of(f, &b, &f->nodes[f->root], item);
}

ki_truth ki_filter_clause_one(const ki_filter *f, int clause, const ki_env *env, int32_t item)
{
    ki_bound b;
    ki_bind(f, env, &b);
    return ki_truth_of(f, &b, &f->nodes[f->clauses[clause]], item);
}
