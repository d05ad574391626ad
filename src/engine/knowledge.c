/* SPDX-License-Identifier: MIT
 * knowledge.c -- wishes that are met by degrees
 *
 * Paper      Burke, Knowledge-based recommender systems, Encyclopedia of Library and Information Systems 2000 (similarity
 *            to a wish, metric by metric); Felfernig, Friedrich, Jannach, Zanker, Constraint-based recommender systems,
 *            Recommender Systems Handbook 2011 (hard requirements, multi-attribute utility)
 * Objective  utility(i) = sum_w weight_w match_w(i) / sum_w weight_w  over the items that the filter lets through
 * Update     match of   x <= c          1 up to c, then falling in a straight line to 0 at a distance d; others alike:
 *                       x >= c, x = c, x between a and b: 1 inside, falling to 0 at a distance d outside, where
 *                       d = |c|, or b - a between two (|a| if they are equal), or for times |now - c|; 1 where that is 0
 *                       has all (...)   the share of the words that the set has
 *                       and             least;  or  greatest;  not  1 - match
 *                       any other test  1 when true, else 0
 *            What is missing matches nothing, and neither does its `not`.
 * Cost       a walk over the wishes per item that is left
 * Departs    < and > fall off as <= and >= do: at the limit itself they match 1
 * Checked    test_knowledge.c: every kind of wish by hand
 */
#include "engine/knowledge.h"

#include "base/mem.h"
#include "base/scan.h"
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

static double degree(const ki_want *w, const ki_bound *b, int32_t item)
{
    const double m = match(w->want, b, &w->want->nodes[w->want->root], item);
    return isnan(m) ? 0 : m;
}

double ki_knowledge_utility(const ki_knowledge *k, const double *matches)
{
    double sum = 0, weights = 0;
    for (int w = 0; w < k->n_wishes; w++) {
        sum += k->wishes[w].weight * matches[w];
        weights += k->wishes[w].weight;
    }
    return k->n_wishes == 0 ? 1 : sum / weights;
}

/* All filters share one schema, so one binding serves them all. */
static kith_err bind(const ki_knowledge *k, const ki_env *env, ki_bound *b)
{
    const ki_filter any = { .schema = k->schema };
    return ki_bind(&any, env, b);
}

static void add_met(ki_met *f, double m)
{
    f->met += m >= 1;
    f->best = KI_MAX(f->best, m);
}

kith_err ki_knowledge_score(const ki_knowledge *k, const ki_env *env, const uint8_t *open,
                            float *utility, ki_met *fits)
{
    double matches[KI_WISHES_MAX];
    ki_bound b;
    const kith_err err = bind(k, env, &b);
    if (err != KITH_OK) return err;
    for (int w = 0; fits != NULL && w < k->n_wishes; w++) fits[w] = (ki_met){ 0 };
    for (int32_t i = 0; i < k->schema.items->n; i++) {
        utility[i] = -INFINITY;
        if (open != NULL && !open[i]) continue;
        for (int w = 0; w < k->n_wishes; w++) {
            matches[w] = degree(&k->wishes[w], &b, i);
            if (fits != NULL) add_met(&fits[w], matches[w]);
        }
        utility[i] = (float)ki_knowledge_utility(k, matches);
    }
    return KITH_OK;
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

json_t *ki_knowledge_json(const ki_knowledge *k, const ki_met *fits)
{
    json_t *list = json_array();
    int bad = list == NULL;
    for (int w = 0; w < k->n_wishes; w++)
        bad |= json_array_append_new(list,
                                     json_pack("{s:s, s:f, s:I, s:f}", "want", k->wishes[w].text,
                                               "weight", k->wishes[w].weight, "met",
                                               (json_int_t)fits[w].met, "best", fits[w].best)) != 0;
    if (!bad) return list;
    json_decref(list);
    return NULL;
}

/* ---- reading ---- */

static const double lightest = 1e-6, heaviest = 1e6;

/* Past "3:" and the blanks behind it; no filter begins with a number and a colon. */
static const char *read_weight(ki_violations *v, const char *at, const char *text, double *weight)
{
    const size_t digits = strspn(text += strspn(text, " \t\n"), "+-0123456789.eE");
    const char *colon = text + digits + strspn(text + digits, " ");
    double x;
    if (digits == 0 || *colon != ':') return text;
    if (!ki_scan_number(text, digits, &x) || !(x >= lightest && x <= heaviest))
        ki_violate(v, at, "got the weight %.40s, want a number from %g to %g", text, lightest,
                   heaviest);
    else
        *weight = x;
    return colon + 1 + strspn(colon + 1, " \t\n");
}

/* `want` holds the text of what was read into w->want; without one there is nothing to keep. */
static kith_err keep_wish(ki_knowledge *k, ki_want w, const char *want)
{
    if (w.want == NULL) return KITH_OK;
    const kith_err err = ki_strdup(&w.text, want);
    if (err == KITH_OK)
        k->wishes[k->n_wishes++] = w;
    else
        ki_filter_free(w.want);
    return err;
}

static kith_err take_text(ki_knowledge *k, const json_t *json, const char *at, ki_violations *v)
{
    ki_complaint why;
    ki_want w = { .weight = 1 };
    const char *text = read_weight(v, at, json_string_value(json), &w.weight);
    const kith_err err = ki_filter_parse(&k->schema, text, &w.want, &why);
    if (err != KITH_EINVAL) return err == KITH_OK ? keep_wish(k, w, text) : err;
    ki_violate(v, at, "%s", kith_last_error());
    if (v->n <= KI_VIOLATIONS_MAX) v->list[v->n - 1].why = why;
    return KITH_OK;
}

static kith_err take_object(ki_knowledge *k, const json_t *json, const char *at, ki_violations *v)
{
    static const char *const keys[] = { "want", "weight" };
    ki_want w = { 0 };
    if (!ki_check_keys(v, at, json, keys, KI_COUNT(keys))) return KITH_OK;
    w.weight = ki_read_number(v, at, json, "weight", lightest, heaviest, 1);
    const kith_err err = ki_read_filter(v, at, json, "want", 1, &k->schema, &w.want);
    if (err != KITH_OK) return err;
    return keep_wish(k, w, json_string_value(json_object_get(json, "want")));
}

static kith_err read_all(ki_knowledge *k, const json_t *json, ki_violations *v)
{
    const size_t n = json_array_size(json);
    char at[32];
    kith_err err = KITH_OK;
    if (!json_is_array(json)) ki_violate(v, "", "want a list of wishes");
    if (n > KI_WISHES_MAX) ki_violate(v, "", "%zu wishes, want at most %d", n, KI_WISHES_MAX);
    for (size_t j = 0; err == KITH_OK && j < KI_MIN(n, (size_t)KI_WISHES_MAX); j++) {
        snprintf(at, sizeof at, "/%zu", j);
        const json_t *one = json_array_get(json, j);
        err = json_is_string(one) ? take_text(k, one, at, v) : take_object(k, one, at, v);
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
    if (err == KITH_OK) err = ki_violations_result(v, "wishes");
    ki_free(v);
    if (err != KITH_OK)
        ki_knowledge_clear(&k);
    else
        *out = k;
    return err;
}

void ki_knowledge_clear(ki_knowledge *k)
{
    for (int w = 0; w < k->n_wishes; w++) {
        ki_filter_free(k->wishes[w].want);
        ki_free(k->wishes[w].text);
    }
    *k = (ki_knowledge){ 0 };
}
