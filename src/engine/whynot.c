/* SPDX-License-Identifier: MIT
 * whynot.c -- why an item is not in a list, as a verdict and a sentence
 *
 * The first reason that applies is the verdict, in the order in which a pipeline would meet them.
 */
#include "engine/whynot.h"

#include "base/mem.h"
#include "engine/filter_tree.h"

#include <math.h>
#include <stdio.h>
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

/* ---- sentences ---- */

enum { NUMBER_BYTES = 40, VALUE_BYTES = 128, QUOTED_BYTES = 1200 };

/* A phrase for n things, its slots filled in order. */
static void say_filled(struct work *w, ki_phrase phrase, int64_t n, const char *const *fillings,
                       int n_fillings)
{
    ki_phrase_say(&w->words, ki_phrasebook_say(w->facts->language, phrase, n), fillings,
                  n_fillings);
}

static void say_plain(struct work *w, ki_phrase phrase)
{
    say_filled(w, phrase, 1, NULL, 0);
}

static void say_one(struct work *w, ki_phrase phrase, const char *filling)
{
    say_filled(w, phrase, 1, &filling, 1);
}

static const char *count(const struct work *w, int64_t n, char *out)
{
    return ki_phrasebook_count(w->facts->language, n, out, NUMBER_BYTES);
}

static const char *score(double x, char *out)
{
    snprintf(out, NUMBER_BYTES, "%.6g", x);
    return out;
}

static const char *quoted(const struct work *w, const char *name, char *out)
{
    out[0] = '\0';
    ki_phrasebook_quote(w->facts->language, name, strlen(name), out, 0, QUOTED_BYTES);
    return out[0] != '\0' ? out : name;
}

static void say_unknown(struct work *w)
{
    char number[NUMBER_BYTES], name[QUOTED_BYTES];
    const int32_t near = ki_nearest_word(w->facts->item_id, w->s->items), n = w->s->items->n;
    const char *const fillings[] = { count(w, n, number), quoted(w, w->facts->item_id, name) };
    say_filled(w, KI_PHRASE_WHY_UNKNOWN, n, fillings, 2);
    if (near >= 0)
        say_one(w, KI_PHRASE_WHY_NEAREST, quoted(w, ki_idmap_name(w->s->items, near), name));
}

/* ---- clauses ---- */

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
    const char *const fillings[] = { name, value };
    ki_words_add(&w->words, "%s", (*said)++ > 0 ? ", " : ": ");
    say_filled(w, value[0] == '\0' ? KI_PHRASE_WHY_MISSING : KI_PHRASE_WHY_VALUE, 1, fillings, 2);
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
    const ki_phrase phrase = w->v->n_clauses > 0 ? KI_PHRASE_WHY_AND
                             : w->v->by_rules    ? KI_PHRASE_WHY_RULES_FILTER
                                                 : KI_PHRASE_WHY_FILTER;
    int said = 0;
    ki_words printed = { 0 };
    ki_node_print(f, n, &printed);
    if (printed.err != KITH_OK && w->words.err == KITH_OK) w->words.err = printed.err;
    say_one(w, phrase, printed.text == NULL ? "" : printed.text);
    ki_words_clear(&printed);
    if (truth == KI_UNKNOWN) say_plain(w, KI_PHRASE_WHY_UNCLEAR);
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
        say_one(w, KI_PHRASE_WHY_BLOCKED, w->facts->blocked_by);
    else
        say_plain(w, KI_PHRASE_WHY_RULED_OUT);
}

static void say_capped(struct work *w)
{
    char number[NUMBER_BYTES], value[VALUE_BYTES];
    const ki_cap *cap = &w->facts->rules->cap[w->facts->capped_by];
    const ki_column *c = &w->s->table->columns[cap->column];
    ki_column_print(c, w->item, value, sizeof value);
    const char *const fillings[] = { count(w, cap->at_most, number), c->name, value };
    say_filled(w, KI_PHRASE_WHY_CAPPED, cap->at_most, fillings, 3);
}

static void say_below(struct work *w)
{
    char place[NUMBER_BYTES], value[NUMBER_BYTES];
    const ki_item_facts *f = w->facts;
    w->v->needs = f->score < f->last_score ? f->last_score - f->score : 0;
    const char *const ranked[] = { count(w, f->rank, place), score(f->score, value) };
    say_filled(w, KI_PHRASE_WHY_RANKED, 1, ranked, 2);
    const char *const needs[] = { count(w, f->k, place), score(w->v->needs, value) };
    if (w->v->needs > 0)
        say_filled(w, KI_PHRASE_WHY_NEEDS, f->k, needs, 2);
    else
        say_filled(w, KI_PHRASE_WHY_LEFT_OUT, f->k, needs, 1);
}

static void say_shown(struct work *w)
{
    char place[NUMBER_BYTES], value[NUMBER_BYTES];
    const ki_item_facts *f = w->facts;
    say_one(w, KI_PHRASE_WHY_SHOWN, count(w, f->position, place));
    const char *const fillings[] = { score(f->score, value), count(w, f->rank, place) };
    if (f->rank > 0) say_filled(w, KI_PHRASE_WHY_SHOWN_SCORE, 1, fillings, 2);
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
    case KI_WHY_HIDDEN: say_plain(w, KI_PHRASE_WHY_HIDDEN); break;
    case KI_WHY_BLOCKED: say_blocked(w); break;
    case KI_WHY_EXCLUDED:
        say_plain(w, w->facts->excluded ? KI_PHRASE_WHY_EXCLUDED : KI_PHRASE_WHY_RULES_EXCLUDE);
        break;
    case KI_WHY_SEEN: say_plain(w, KI_PHRASE_WHY_SEEN); break;
    case KI_WHY_FILTERED: break; /* said while the clauses were asked */
    case KI_WHY_NO_SOURCE:
        say_plain(w, w->facts->unlearnt ? KI_PHRASE_WHY_UNLEARNT : KI_PHRASE_WHY_NO_SOURCE);
        break;
    case KI_WHY_CAPPED: say_capped(w); break;
    case KI_WHY_BELOW: say_below(w); break;
    case KI_WHY_SHOWN: say_shown(w); break;
    }
}

kith_err ki_why_not(const ki_schema *schema, const ki_item_facts *facts, ki_verdict *out)
{
    ki_verdict v = { .clause = -1 };
    ki_item_facts known = *facts;
    struct work w = { .s = schema, .facts = &known, .v = &v };
    if (known.language == NULL) {
        const kith_err err = ki_phrasebook_find(NULL, &known.language);
        if (err != KITH_OK) return err;
    }
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
