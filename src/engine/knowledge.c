/* SPDX-License-Identifier: MIT
 * knowledge.c -- constraints that must hold, wishes that are met by degrees
 *
 * Paper      Burke, Knowledge-based recommender systems, Encyclopedia of Library and Information Systems 2000 (similarity
 *            to a wish, metric by metric); Felfernig, Friedrich, Jannach, Zanker, Constraint-based recommender systems,
 *            Recommender Systems Handbook 2011 (hard requirements, multi-attribute utility)
 * Objective  utility(i) = sum_w weight_w match_w(i) / sum_w weight_w  over the items for which every requirement is true
 * Update     match of   x <= c          1 up to c, then falling in a straight line to 0 at a distance d; others alike:
 *                       x >= c, x = c, x between a and b: 1 inside, falling to 0 at a distance d outside, where
 *                       d = |c|, or b - a between two (|a| if they are equal), or for times |now - c|; 1 where that is 0
 *                       has all (...)   the share of the words that the set has
 *                       and             least;  or  greatest;  not  1 - match
 *                       any other test  1 when true, else 0
 *            What is missing matches nothing, and neither does its `not`.
 * Cost       one run of the requirements, and per item that is left a walk over the wishes
 * Departs    < and > fall off as <= and >= do: at the limit itself they match 1
 * Checked    test_knowledge.c: every kind of wish by hand
 */
#include "engine/knowledge.h"

#include "base/mem.h"
#include "engine/filter_tree.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- degrees; NaN: nothing is known ---- */

/* 1 within [low, high], falling to 0 at a distance d. */
static double falling(double x, double low, double high, double d)
{
    const double beyond = KI_MAX(KI_MAX(low - x, x - high), 0);
    if (isnan(x) || isnan(low) || isnan(high)) return NAN;
    return KI_MAX(0, 1 - beyond / d);
}

/* How far from a limit a wish is not met at all. */
static double reach(const ki_bound *b, ki_type type, double limit)
{
    const double d = fabs(type == KI_TYPE_TIME ? limit - (double)b->now : limit);
    return d > 0 ? d : 1;
}

static double match_compared(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item)
{
    const ki_node *left = ki_kid(f, n, 0);
    const double x = ki_number_of(f, b, left, item), c = ki_number_of(f, b, ki_kid(f, n, 1), item);
    const double d = reach(b, left->type, c);
    if (n->op == KI_OP_LT || n->op == KI_OP_LE) return falling(x, -INFINITY, c, d);
    if (n->op == KI_OP_GT || n->op == KI_OP_GE) return falling(x, c, INFINITY, d);
    return falling(x, c, c, d);
}

static double match_between(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item)
{
    const ki_node *left = ki_kid(f, n, 0);
    const double x = ki_number_of(f, b, left, item),
                 low = ki_number_of(f, b, ki_kid(f, n, 1), item),
                 high = ki_number_of(f, b, ki_kid(f, n, 2), item);
    return falling(x, low, high, high > low ? high - low : reach(b, left->type, low));
}

/* The share of the words that the set has. */
static double match_all(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item)
{
    const ki_column *c = ki_node_column(f, ki_kid(f, n, 0));
    int has = 0, words = 0;
    for (ki_walk w = ki_walk_begin(f, b, ki_kid(f, n, 1)); w.left > 0; ki_walk_next(&w)) {
        if (w.text == NULL) continue;
        words++;
        has += ki_set_has(c, item, w.text);
    }
    return words == 0 ? NAN : (double)has / words;
}

static double match_truth(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item)
{
    const ki_truth t = ki_truth_of(f, b, n, item);
    return t == KI_UNKNOWN ? NAN : t == KI_TRUE;
}

static double match(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item);

/* The least or the greatest of the kids; one that is not known counts 0. */
static double match_chain(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item)
{
    double best = n->op == KI_OP_AND ? 1 : 0;
    for (int32_t k = n->kid; k >= 0; k = f->nodes[k].next) {
        const double one = match(f, b, &f->nodes[k], item), m = isnan(one) ? 0 : one;
        best = n->op == KI_OP_AND ? KI_MIN(best, m) : KI_MAX(best, m);
    }
    return best;
}

static double match(const ki_filter *f, const ki_bound *b, const ki_node *n, int32_t item)
{
    switch (n->op) {
    case KI_OP_AND:
    case KI_OP_OR: return match_chain(f, b, n, item);
    case KI_OP_NOT: return 1 - match(f, b, ki_kid(f, n, 0), item);
    case KI_OP_BETWEEN: return match_between(f, b, n, item);
    case KI_OP_HAS_ALL: return match_all(f, b, n, item);
    case KI_OP_EQ:
    case KI_OP_LT:
    case KI_OP_LE:
    case KI_OP_GT:
    case KI_OP_GE:
        if (ki_is_numeric(ki_kid(f, n, 0)->type)) return match_compared(f, b, n, item);
        return match_truth(f, b, n, item);
    default: return match_truth(f, b, n, item);
    }
}

/* ---- utilities ---- */

static double degree(const ki_wish *w, const ki_bound *b, int32_t item)
{
    const double m = match(w->want, b, &w->want->nodes[w->want->root], item);
    return isnan(m) ? 0 : m;
}

/* All filters share one schema, so one binding serves them all. */
static double utility_of(const ki_knowledge *k, const ki_bound *b, int32_t item)
{
    double sum = 0, weights = 0;
    for (int w = 0; w < k->n_wishes; w++) {
        sum += k->wishes[w].weight * degree(&k->wishes[w], b, item);
        weights += k->wishes[w].weight;
    }
    return k->n_wishes == 0 ? 1 : sum / weights;
}

static kith_err bind(const ki_knowledge *k, const ki_env *env, ki_bound *b)
{
    const ki_filter any = { .schema = k->schema };
    return ki_bind(&any, env, b);
}

kith_err ki_knowledge_score(const ki_knowledge *k, const ki_env *env, float *utility)
{
    const int32_t n = k->schema.items->n;
    uint8_t *mask = NULL;
    ki_bound b;
    kith_err err = bind(k, env, &b);
    if (err == KITH_OK && k->require != NULL) err = ki_alloc(&mask, (size_t)n, 1);
    if (err == KITH_OK && k->require != NULL) err = ki_filter_run(k->require, env, mask);
    for (int32_t i = 0; err == KITH_OK && i < n; i++)
        utility[i] = mask == NULL || mask[i] ? (float)utility_of(k, &b, i) : -INFINITY;
    ki_free(mask);
    return err;
}

kith_err ki_knowledge_match(const ki_knowledge *k, const ki_env *env, int32_t item, double *out)
{
    ki_bound b;
    const kith_err err = bind(k, env, &b);
    if (err != KITH_OK) return err;
    if (item < 0 || item >= k->schema.items->n)
        return ki_fail(KITH_EINVAL, "knowledge: item %d of %d", item, k->schema.items->n);
    for (int w = 0; w < k->n_wishes; w++) out[w] = degree(&k->wishes[w], &b, item);
    return KITH_OK;
}

/* ---- reading ---- */

static kith_err read_wish(ki_knowledge *k, const json_t *json, const char *at, ki_violations *v)
{
    static const char *const keys[] = { "want", "weight" };
    ki_wish w = { 0 };
    if (!ki_check_keys(v, at, json, keys, KI_COUNT(keys))) return KITH_OK;
    w.weight = ki_read_number(v, at, json, "weight", 1e-6, 1e6, 1);
    const kith_err err = ki_read_filter(v, at, json, "want", 1, &k->schema, &w.want);
    if (w.want != NULL) k->wishes[k->n_wishes++] = w;
    return err;
}

static kith_err read_all(ki_knowledge *k, const json_t *json, ki_violations *v)
{
    static const char *const keys[] = { "require", "wish" };
    char at[32];
    if (!ki_check_keys(v, "", json, keys, KI_COUNT(keys))) return KITH_OK;
    kith_err err = ki_read_filter(v, "", json, "require", 0, &k->schema, &k->require);
    const json_t *list = ki_read_list(v, "", json, "wish");
    const size_t n = list == NULL ? 0 : json_array_size(list);
    if (n > KI_WISHES_MAX) ki_violate(v, "/wish", "%zu wishes, want at most %d", n, KI_WISHES_MAX);
    for (size_t j = 0; err == KITH_OK && j < KI_MIN(n, (size_t)KI_WISHES_MAX); j++) {
        snprintf(at, sizeof at, "/wish/%zu", j);
        err = read_wish(k, json_array_get(list, j), at, v);
    }
    return err;
}

kith_err ki_knowledge_read(const ki_schema *schema, const json_t *json, ki_knowledge *out,
                           ki_violations *found)
{
    ki_violations *v = NULL;
    ki_knowledge k = { .schema = *schema };
    kith_err err = ki_alloc(&v, 1, sizeof *v);
    if (err != KITH_OK) return err;
    err = read_all(&k, json, v);
    if (found != NULL) *found = *v;
    if (err == KITH_OK) err = ki_violations_result(v, "knowledge");
    ki_free(v);
    if (err != KITH_OK)
        ki_knowledge_clear(&k);
    else
        *out = k;
    return err;
}

void ki_knowledge_clear(ki_knowledge *k)
{
    for (int w = 0; w < k->n_wishes; w++) ki_filter_free(k->wishes[w].want);
    ki_filter_free(k->require);
    *k = (ki_knowledge){ 0 };
}
