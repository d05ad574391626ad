/* SPDX-License-Identifier: MIT
 * filter_counts.c -- what each clause of a filter removes, and which one to relax first
 *
 * One pass over the items in blocks: an item that fails exactly one clause would come back without it, one that fails
 * exactly two without that pair.  A second pass, only when too few pass, gathers the numbers of the items that a single
 * numeric clause keeps out: the nearest of them are the suggestion.
 */
#include "engine/filter_counts.h"

#include "base/mem.h"
#include "base/scan.h"
#include "engine/filter_tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FOR_PAIRS = 64 };

struct work {
    ki_run run;
    const ki_filter *f;
    const uint8_t *base;
    ki_counts *out;
    const ki_phrasebook *language; /* of the sentences */
    int64_t *
        pairs; /* [n_clauses, n_clauses]: items that fail exactly these two; NULL: too many clauses */
    int first, n;               /* the block */
    uint8_t truth[KI_BLOCK];    /* of the clause at hand */
    uint8_t in[KI_BLOCK];       /* a candidate */
    int32_t failed[KI_BLOCK];   /* how many clauses are not true */
    int32_t which[KI_BLOCK][2]; /* the first two of them */
};

static int is_in(const struct work *w, int32_t item)
{
    return w->base == NULL || w->base[item] != 0;
}

static void fail(struct work *w, int j, int clause)
{
    if (w->failed[j] < 2) w->which[j][w->failed[j]] = clause;
    w->failed[j]++;
}

static void begin_block(struct work *w, int32_t first)
{
    w->first = first;
    w->n = KI_MIN(KI_BLOCK, w->f->n_items - first);
    for (int j = 0; j < w->n; j++) {
        w->in[j] = (uint8_t)is_in(w, first + j);
        w->failed[j] = 0;
    }
}

/* Which clauses the items of the block fail; the counts of each clause too. */
static void look(struct work *w, int counting)
{
    for (int c = 0; c < w->f->n_clauses; c++) {
        int64_t removes = 0, remain = 0;
        ki_run_block(&w->run, &w->f->nodes[w->f->clauses[c]], w->first, w->n, NULL, w->truth);
        for (int j = 0; j < w->n; j++) {
            if (w->truth[j] != KI_TRUE) {
                removes += w->in[j];
                fail(w, j, c);
            }
            remain += w->in[j] && w->failed[j] == 0;
        }
        if (!counting) continue;
        w->out->clauses[c].removes += removes;
        w->out->clauses[c].remain += remain;
    }
}

static void tally(struct work *w)
{
    ki_counts *out = w->out;
    for (int j = 0; j < w->n; j++) {
        if (!w->in[j]) continue;
        out->candidates++;
        if (w->failed[j] == 0) out->passed++;
        if (w->failed[j] == 1) out->clauses[w->which[j][0]].back++;
        if (w->failed[j] == 2 && w->pairs != NULL)
            w->pairs[w->which[j][0] * out->n_clauses + w->which[j][1]]++;
    }
}

/* ---- which to relax ---- */

static void choose_one(ki_counts *c)
{
    int best = 0;
    for (int j = 1; j < c->n_clauses; j++)
        if (c->clauses[j].back > c->clauses[best].back) best = j;
    if (c->clauses[best].back == 0) return;
    c->n_relax = 1;
    c->relax[0] = best;
    c->relaxed = c->passed + c->clauses[best].back;
}

static void choose_pair(ki_counts *c, const int64_t *pairs)
{
    for (int a = 0; a < c->n_clauses; a++)
        for (int b = a + 1; b < c->n_clauses; b++) {
            const int64_t pass =
                c->passed + c->clauses[a].back + c->clauses[b].back + pairs[a * c->n_clauses + b];
            if (pass <= KI_MAX(c->relaxed, c->passed)) continue;
            c->n_relax = 2;
            c->relax[0] = a;
            c->relax[1] = b;
            c->relaxed = pass;
        }
}

/* ---- sentences ---- */

enum { NUMBER_BYTES = 40 };

static const char *number(const struct work *w, int64_t n, char *out)
{
    return ki_phrasebook_count(w->language, n, out, NUMBER_BYTES);
}

static void say(const struct work *w, ki_words *s, ki_phrase phrase, int64_t n,
                const char *const *fillings)
{
    ki_phrase_say(s, ki_phrasebook_say(w->language, phrase, n), fillings, 3);
}

/* ---- suggestions: the nearest number that would let enough through ---- */

struct range { /* a clause that keeps one number within limits */
    const ki_node *what;
    ki_op op;
    double low, high;
};

/* Can the number be written in a filter? */
static int is_writable(ki_type type, double x)
{
    if (type != KI_TYPE_TIME) return isfinite(x);
    return x >= (double)(ki_days_of(1, 1, 1) * 86400) &&
           x < (double)(ki_days_of(10000, 1, 1) * 86400);
}

/* 0 when the clause is nothing of the sort, or its limits are not given. */
static int find_range(const struct work *w, const ki_node *n, struct range *out)
{
    const int limits = n->op == KI_OP_BETWEEN ? 2 : 1;
    const int ordered = n->op >= KI_OP_LT && n->op <= KI_OP_GE;
    if (!ordered && n->op != KI_OP_EQ && n->op != KI_OP_BETWEEN) return 0;
    const ki_node *what = ki_kid(w->f, n, 0);
    if (!ki_is_numeric(what->type) || !what->varies) return 0;
    double limit[2];
    for (int j = 0; j < limits; j++) {
        const ki_node *end = ki_kid(w->f, n, 1 + j);
        if (end->varies) return 0;
        limit[j] = ki_number_of(w->f, &w->run.bound, end, 0);
        if (!is_writable(what->type, limit[j])) return 0;
    }
    const int below = n->op == KI_OP_LT || n->op == KI_OP_LE,
              above = n->op == KI_OP_GT || n->op == KI_OP_GE;
    *out = (struct range){ what, n->op, below ? -INFINITY : limit[0],
                           above ? INFINITY : limit[limits - 1] };
    return 1;
}

static double outside(const struct range *r, double x)
{
    return KI_MAX(KI_MAX(r->low - x, x - r->high), 0);
}

/* The numbers of the items that fail only this clause: back of them at most, the count returned. */
static int64_t gather(struct work *w, int clause, const struct range *r, double *x)
{
    int64_t n = 0;
    for (int32_t first = 0; first < w->f->n_items; first += KI_BLOCK) {
        begin_block(w, first);
        look(w, 0);
        for (int j = 0; j < w->n; j++) {
            if (!w->in[j] || w->failed[j] != 1 || w->which[j][0] != clause) continue;
            x[n] = ki_number_of(w->f, &w->run.bound, r->what, first + j);
            n += is_writable(r->what->type, x[n]);
        }
    }
    return n;
}

static int rising(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Widen the range to the `need` nearest of x[n] (and what is as near): how many it lets in. */
static int64_t widen(struct range *r, const double *x, int64_t n, int64_t need, double *distance)
{
    int64_t let_in = 0;
    for (int64_t j = 0; j < n; j++) distance[j] = outside(r, x[j]);
    qsort(distance, (size_t)n, sizeof *distance, rising);
    const double reach = distance[KI_MIN(n, need) - 1];
    const struct range was = *r;
    for (int64_t j = 0; j < n; j++) {
        if (outside(&was, x[j]) > reach) continue;
        r->low = KI_MIN(r->low, x[j]);
        r->high = KI_MAX(r->high, x[j]);
        let_in++;
    }
    return let_in;
}

static void print_range(const struct work *w, const struct range *r, ki_words *s)
{
    ki_node_print(w->f, r->what, s);
    if (isinf(r->low)) {
        ki_words_add(s, " <= ");
        ki_number_literal(r->what->type, r->high, s);
    } else {
        ki_words_add(s, isinf(r->high) ? " >= " : " between ");
        ki_number_literal(r->what->type, r->low, s);
    }
    if (isfinite(r->low) && isfinite(r->high)) {
        ki_words_add(s, " and ");
        ki_number_literal(r->what->type, r->high, s);
    }
}

static kith_err say_range(const struct work *w, const struct range *r, ki_clause_count *c)
{
    char leaves[NUMBER_BYTES], *clause = NULL;
    ki_words printed = { 0 }, s = { 0 };
    print_range(w, r, &printed);
    const kith_err err = ki_words_take(&printed, &clause);
    if (err != KITH_OK) return err;
    const char *const fillings[] = { clause, number(w, c->leaves, leaves), "" };
    say(w, &s, KI_PHRASE_FILTER_LEAVES, c->leaves, fillings);
    ki_free(clause);
    return ki_words_take(&s, &c->suggestion);
}

static kith_err suggest(struct work *w, int clause, int64_t wanted)
{
    ki_clause_count *c = &w->out->clauses[clause];
    struct range r;
    double *x = NULL;
    if (c->back == 0 || !find_range(w, &w->f->nodes[w->f->clauses[clause]], &r)) return KITH_OK;
    kith_err err = ki_alloc(&x, 2 * (size_t)c->back, sizeof *x);
    if (err != KITH_OK) return err;
    const int64_t n = gather(w, clause, &r, x);
    if (n > 0) {
        c->leaves = w->out->passed + widen(&r, x, n, wanted - w->out->passed, x + c->back);
        err = say_range(w, &r, c);
    }
    ki_free(x);
    return err;
}

/* ---- all of it ---- */

static void say_relaxed(const struct work *w, ki_words *s)
{
    const ki_counts *c = w->out;
    char relaxed[NUMBER_BYTES];
    number(w, c->relaxed, relaxed);
    const char *first = c->clauses[c->relax[0]].text;
    const char *const one[] = { first, relaxed, "" }, *const two[] = { first,
                                                                       c->clauses[c->relax[1]].text,
                                                                       relaxed };
    if (c->n_relax > 1)
        say(w, s, KI_PHRASE_FILTER_WITHOUT_TWO, c->relaxed, two);
    else
        say(w, s, KI_PHRASE_FILTER_WITHOUT, c->relaxed, one);
}

static kith_err say_all(const struct work *w, int64_t wanted)
{
    ki_counts *c = w->out;
    ki_words s = { 0 };
    char passed[NUMBER_BYTES], candidates[NUMBER_BYTES], asked[NUMBER_BYTES];
    const char *const fillings[] = { number(w, c->passed, passed),
                                     number(w, c->candidates, candidates),
                                     number(w, wanted, asked) };
    if (c->passed < wanted) {
        say(w, &s, KI_PHRASE_FILTER_PASS, c->passed, fillings);
        if (c->n_relax > 0) say_relaxed(w, &s);
        if (c->n_relax == 1 && c->clauses[c->relax[0]].suggestion != NULL)
            ki_words_add(&s, "; %s", c->clauses[c->relax[0]].suggestion);
    }
    return ki_words_take(&s, &c->sentence);
}

static kith_err count(struct work *w, int64_t wanted)
{
    ki_counts *c = w->out;
    kith_err err = KITH_OK;
    for (int32_t first = 0; first < w->f->n_items; first += KI_BLOCK) {
        begin_block(w, first);
        look(w, 1);
        tally(w);
    }
    if (c->passed < wanted) choose_one(c);
    if (c->passed < wanted && KI_MAX(c->relaxed, c->passed) < wanted && w->pairs != NULL)
        choose_pair(c, w->pairs);
    for (int j = 0; err == KITH_OK && j < c->n_clauses; j++)
        err = ki_filter_print_clause(w->f, j, &c->clauses[j].text);
    for (int j = 0; err == KITH_OK && c->passed < wanted && j < c->n_clauses; j++)
        err = suggest(w, j, wanted);
    return err == KITH_OK ? say_all(w, wanted) : err;
}

static kith_err prepare(struct work *w, const ki_filter *f, const ki_env *env, ki_counts *out)
{
    const size_t n = (size_t)f->n_clauses;
    w->f = f;
    w->out = out;
    kith_err err = ki_alloc(&out->clauses, n, sizeof *out->clauses);
    if (err != KITH_OK) return err;
    out->n_clauses = f->n_clauses;
    if (n <= MOST_FOR_PAIRS && (err = ki_alloc(&w->pairs, n * n, sizeof *w->pairs)) != KITH_OK)
        return err;
    return ki_run_begin(&w->run, f, env);
}

kith_err ki_filter_count(const ki_filter *f, const ki_env *env, const uint8_t *base, int64_t wanted,
                         const ki_phrasebook *language, ki_counts *out)
{
    ki_counts c = { 0 };
    struct work *w = NULL;
    kith_err err = ki_alloc(&w, 1, sizeof *w);
    if (err != KITH_OK) return err;
    w->base = base;
    w->language = language;
    err = prepare(w, f, env, &c);
    if (err == KITH_OK) err = count(w, wanted);
    ki_run_end(&w->run);
    ki_free(w->pairs);
    ki_free(w);
    if (err != KITH_OK)
        ki_counts_clear(&c);
    else
        *out = c;
    return err;
}

static json_t *clause_json(const ki_clause_count *c)
{
    return json_pack("{s:s,s:I,s:I,s:I,s:s?}", "text", c->text, "removes", (json_int_t)c->removes,
                     "remain", (json_int_t)c->remain, "back", (json_int_t)c->back, "suggestion",
                     c->suggestion);
}

kith_err ki_counts_json(const ki_counts *c, json_t **out)
{
    json_t *clauses = json_array(), *relax = json_array();
    int bad = 0;
    for (int j = 0; j < c->n_clauses; j++)
        bad |= json_array_append_new(clauses, clause_json(&c->clauses[j]));
    for (int j = 0; j < c->n_relax; j++)
        bad |= json_array_append_new(relax, json_string(c->clauses[c->relax[j]].text));
    json_t *json = json_pack("{s:I,s:I,s:o,s:o,s:I,s:s}", "candidates", (json_int_t)c->candidates,
                             "passed", (json_int_t)c->passed, "clauses", clauses, "relax", relax,
                             "relaxed", (json_int_t)c->relaxed, "sentence", c->sentence);
    if (json == NULL || bad) {
        json_decref(json);
        return ki_fail(KITH_ENOMEM, "out of memory for the counts of a filter");
    }
    *out = json;
    return KITH_OK;
}

void ki_counts_clear(ki_counts *c)
{
    for (int j = 0; j < c->n_clauses; j++) {
        ki_free(c->clauses[j].text);
        ki_free(c->clauses[j].suggestion);
    }
    ki_free(c->clauses);
    ki_free(c->sentence);
    *c = (ki_counts){ 0 };
}
