/* SPDX-License-Identifier: MIT
 * whynot.c -- why an item is not in a list, as a verdict and a sentence
 *
 * The first reason that applies is the verdict, in the order in which a pipeline would meet them.
 */
#include "engine/whynot.h"

#include "base/mem.h"
#include "engine/filter_tree.h"

#include <math.h>
#include <string.h>

static const char *const names[] = { "unknown",  "hidden",    "blocked", "excluded", "seen",
                                     "filtered", "no_source", "capped",  "below",    "shown" };

struct work {
    const ki_schema *s;
    const ki_item_facts *facts;
    int32_t item;
    ki_verdict *v;
    ki_words words;
};

/* ---- single items ---- */

static int listed(const int32_t *list, int32_t n, int32_t item)
{
    for (int32_t j = 0; j < n; j++)
        if (list[j] == item) return 1;
    return 0;
}

static void say_unknown(struct work *w)
{
    const int32_t near = ki_nearest_word(w->facts->item_id, w->s->items);
    ki_words_add(&w->words, "the catalogue of %d items has no \"%s\"", w->s->items->n,
                 w->facts->item_id);
    if (near >= 0) ki_words_add(&w->words, "; nearest: \"%s\"", ki_idmap_name(w->s->items, near));
}

/* ---- clauses ---- */

enum { VALUE_BYTES = 128 };

static void say_value(struct work *w, const ki_filter *f, const ki_node *n, int *said)
{
    char value[VALUE_BYTES] = "";
    const char *name = n->op == KI_OP_POPULARITY ? "popularity" : "";
    if (n->op == KI_OP_COLUMN) {
        ki_column_print(ki_node_column(f, n), w->item, value, sizeof value);
        name = ki_node_column(f, n)->name;
    } else {
        ki_number_print(value, f->schema.popularity[w->item]);
    }
    ki_words_add(&w->words, "%s%s is %s", (*said)++ > 0 ? ", " : ": ", name,
                 value[0] == '\0' ? "missing" : value);
}

/* The item's values in the columns of a clause. */
static void say_values(struct work *w, const ki_filter *f, const ki_node *n, int *said)
{
    if (n->op == KI_OP_COLUMN || n->op == KI_OP_POPULARITY) say_value(w, f, n, said);
    for (int32_t k = n->kid; k >= 0; k = f->nodes[k].next) say_values(w, f, &f->nodes[k], said);
}

static void say_clause(struct work *w, const ki_filter *f, int clause, ki_truth truth)
{
    const ki_node *n = &f->nodes[f->clauses[clause]];
    int said = 0;
    if (w->v->n_clauses == 0)
        ki_words_add(&w->words, "%s", w->v->by_rules ? "the rules want `" : "the filter wants `");
    else
        ki_words_add(&w->words, "; and `");
    ki_node_print(f, n, &w->words);
    ki_words_add(&w->words, truth == KI_UNKNOWN ? "`, which is unknown for this item" : "`");
    say_values(w, f, n, &said);
}

/* 1 when a clause of the filter is not true for the item. */
static int filtered(struct work *w, const ki_filter *f, int by_rules)
{
    if (f == NULL) return 0;
    w->v->by_rules = by_rules;
    for (int c = 0; c < ki_filter_n_clauses(f); c++) {
        const ki_truth truth = ki_filter_clause_one(f, c, w->facts->env, w->item);
        if (truth == KI_TRUE) continue;
        say_clause(w, f, c, truth);
        if (w->v->n_clauses++ == 0) w->v->clause = c;
    }
    if (w->v->n_clauses == 0) w->v->by_rules = 0;
    return w->v->n_clauses > 0;
}

/* ---- ranks ---- */

static void say_blocked(struct work *w)
{
    if (w->facts->blocked_by != NULL)
        ki_words_add(&w->words, "the block list has it, by the entry `%s`", w->facts->blocked_by);
    else
        ki_words_add(&w->words, "the rules block it");
}

static void say_capped(struct work *w)
{
    char value[VALUE_BYTES];
    const ki_cap *cap = &w->facts->rules->cap[w->facts->capped_by];
    const ki_column *c = &w->s->table->columns[cap->column];
    ki_column_print(c, w->item, value, sizeof value);
    ki_words_add(
        &w->words,
        "the rules allow %d items of one %s in a list, and better ones with %s come before it",
        cap->at_most, c->name, value);
}

static void say_below(struct work *w)
{
    const ki_item_facts *f = w->facts;
    w->v->needs = f->score < f->last_score ? f->last_score - f->score : 0;
    ki_words_add(&w->words, "it is ranked at %lld with score %.6g", (long long)f->rank, f->score);
    if (w->v->needs > 0)
        ki_words_add(&w->words, "; to enter the first %lld it needs %.6g more", (long long)f->k,
                     w->v->needs);
    else
        ki_words_add(
            &w->words,
            "; its score would do for the first %lld, but what comes after ranking left it out",
            (long long)f->k);
}

static void say_shown(struct work *w)
{
    ki_words_add(&w->words, "it is in the list, at place %lld", (long long)w->facts->position);
    if (w->facts->rank > 0)
        ki_words_add(&w->words, " with score %.6g (ranked at %lld)", w->facts->score,
                     (long long)w->facts->rank);
}

/* ---- the first reason that applies ---- */

static ki_why judge(struct work *w)
{
    const ki_item_facts *f = w->facts;
    const ki_rules *r = f->rules;
    if (w->item < 0) return KI_WHY_UNKNOWN;
    if (f->position > 0) return KI_WHY_SHOWN;
    if (f->hidden) return KI_WHY_HIDDEN;
    if (f->blocked_by != NULL) return KI_WHY_BLOCKED;
    if (r != NULL && listed(r->block, r->n_block, w->item)) return KI_WHY_BLOCKED;
    if (f->excluded || (r != NULL && listed(r->exclude, r->n_exclude, w->item)))
        return KI_WHY_EXCLUDED;
    if (f->seen) return KI_WHY_SEEN;
    if (filtered(w, f->filter, 0) || (r != NULL && filtered(w, r->filter, 1)))
        return KI_WHY_FILTERED;
    if (f->rank == 0) return KI_WHY_NO_SOURCE;
    return r != NULL && f->capped_by >= 0 && f->capped_by < r->n_cap ? KI_WHY_CAPPED : KI_WHY_BELOW;
}

static void say(struct work *w)
{
    switch (w->v->why) {
    case KI_WHY_UNKNOWN: say_unknown(w); break;
    case KI_WHY_HIDDEN: ki_words_add(&w->words, "it is hidden from everybody"); break;
    case KI_WHY_BLOCKED: say_blocked(w); break;
    case KI_WHY_EXCLUDED:
        ki_words_add(&w->words,
                     w->facts->excluded ? "the request excludes it" : "the rules exclude it");
        break;
    case KI_WHY_SEEN:
        ki_words_add(&w->words,
                     "the user has it already, and the request leaves out what was seen");
        break;
    case KI_WHY_FILTERED: break; /* said while the clauses were asked */
    case KI_WHY_NO_SOURCE:
        ki_words_add(&w->words, "nothing that finds candidates brought it");
        break;
    case KI_WHY_CAPPED: say_capped(w); break;
    case KI_WHY_BELOW: say_below(w); break;
    case KI_WHY_SHOWN: say_shown(w); break;
    }
}

kith_err ki_why_not(const ki_schema *schema, const ki_item_facts *facts, ki_verdict *out)
{
    ki_verdict v = { .clause = -1 };
    struct work w = { .s = schema, .facts = facts, .v = &v };
    w.item = ki_idmap_find(schema->items, facts->item_id, strlen(facts->item_id));
    v.why = judge(&w);
    v.name = names[v.why];
    say(&w);
    const kith_err err = ki_words_take(&w.words, &v.sentence);
    if (err == KITH_OK) *out = v;
    return err;
}

kith_err ki_verdict_json(const ki_verdict *v, const ki_item_facts *facts, json_t **out)
{
    json_t *json =
        json_pack("{s:s,s:s,s:s}", "item", facts->item_id, "why", v->name, "sentence", v->sentence);
    int bad = json == NULL;
    if (v->why == KI_WHY_BLOCKED && facts->blocked_by != NULL)
        bad |= json_object_set_new(json, "entry", json_string(facts->blocked_by)) != 0;
    if (v->why == KI_WHY_FILTERED)
        bad |= json_object_set_new(json, "clauses", json_integer(v->n_clauses));
    if (v->why >= KI_WHY_CAPPED && facts->rank > 0) {
        bad |= json_object_set_new(json, "rank", json_integer(facts->rank));
        bad |= json_object_set_new(json, "score", json_real(facts->score));
    }
    if (v->why == KI_WHY_SHOWN)
        bad |= json_object_set_new(json, "position", json_integer(facts->position));
    if (v->needs > 0) bad |= json_object_set_new(json, "needs", json_real(v->needs));
    if (bad) {
        json_decref(json);
        return ki_fail(KITH_ENOMEM, "out of memory for a verdict");
    }
    *out = json;
    return KITH_OK;
}

void ki_verdict_clear(ki_verdict *v)
{
    ki_free(v->sentence);
    *v = (ki_verdict){ 0 };
}
