/* SPDX-License-Identifier: MIT
 * stages.c -- running a pipeline: sources, ranker, rules, choice, lot
 *
 * What may be served at all is one byte per item (`open`), made once from the query; every source
 * and the ranker obey it, so a quota of 50 is 50 servable items.
 */
#include "engine/pipeline.h"

#include "base/mem.h"
#include "base/rng.h"
#include "data/labels.h"
#include "engine/diversity.h"
#include "engine/wished.h"
#include "model/form_blend.h"
#include "model/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_DEPTH = 100, DEPTH_PER_ITEM = 10, LATEST = 10 };

struct run {
    const ki_pipeline *p;
    const kith_model *m;
    const ki_query *q;
    const ki_task *task;
    int n, depth;
    uint8_t *open;    /* [n_items] 1: may be served */
    uint8_t *brought; /* [n_items] bit s: source s brought it */
    int32_t *only;    /* [n_only] what the sources brought, rising */
    int32_t n_only;
    int32_t *items; /* [depth] candidates, best first */
    float *scores;
    int32_t n_found;
    int *order; /* [n + explore] places among the candidates */
    int n_chosen;
};

static kith_err find_part(const kith_model *m, const char *name, const ki_model **out)
{
    *out = name[0] == '\0' ? &m->core : ki_blend_part(&m->core, name);
    if (*out != NULL) return KITH_OK;
    return ki_fail(KITH_ENOTFOUND, "%s has no part \"%s\" for the pipeline", m->core.desc->name,
                   name);
}

/* Popularity is a ranker that every model has; who is unknown gets it. */
static int by_popularity(const struct run *r)
{
    return r->task->by_popularity || strcmp(r->p->ranker, "popularity") == 0;
}

static kith_err find_open(struct run *r)
{
    const ki_query *q = r->q;
    const int32_t n_items = r->m->core.n_items;
    const kith_err err = ki_alloc(&r->open, (size_t)n_items, 1);
    if (err != KITH_OK) return err;
    if (q->only == NULL) memset(r->open, 1, (size_t)n_items);
    for (int32_t j = 0; q->only != NULL && j < q->n_only; j++) r->open[q->only[j]] = 1;
    for (int32_t j = 0; j < q->n_skip; j++) r->open[q->skip[j]] = 0;
    for (int32_t i = 0; r->m->barred != NULL && i < n_items; i++) r->open[i] &= !r->m->barred[i];
    return KITH_OK;
}

/* ---- sources: each marks what it brings ---- */

static void bring(struct run *r, int s, int32_t item, int *n)
{
    if (!r->open[item] || (r->brought[item] >> s & 1)) return;
    r->brought[item] |= (uint8_t)(1u << s);
    ++*n;
}

/* The k best of a model for this query, best first. */
static kith_err rank(const ki_model *m, const ki_query *q, int k, int32_t *items, float *scores,
                     int32_t *n)
{
    ki_ranker *ranker = NULL;
    kith_err err = ki_ranker_new(m, k, 1, &ranker);
    if (err == KITH_OK) err = ki_ranker_run(ranker, q, 1, items, scores, n);
    ki_ranker_free(ranker);
    return err;
}

static kith_err from_model(struct run *r, int s, int32_t *items, float *scores, int *n)
{
    const ki_pipe_source *source = &r->p->sources[s];
    const ki_model *part;
    int32_t found = 0;
    kith_err err = find_part(r->m, source->part, &part);
    if (err != KITH_OK) return err;
    if ((err = rank(part, r->q, source->quota, items, scores, &found)) != KITH_OK) return err;
    for (int32_t j = 0; j < found; j++) bring(r, s, items[j], n);
    return KITH_OK;
}

static void from_popular(struct run *r, int s, int *n)
{
    const int quota = r->p->sources[s].quota;
    for (int32_t j = 0; j < r->m->core.n_items && *n < quota; j++) {
        const int32_t item = r->m->popular[j];
        if (r->m->reach[item] == 0) return;
        bring(r, s, item, n);
    }
}

static void from_new(struct run *r, int s, int *n)
{
    const ki_model *m = &r->m->core;
    for (int32_t j = m->n_cold - 1; j >= 0 && *n < r->p->sources[s].quota; j--)
        bring(r, s, m->cold[j], n);
}

static kith_err bring_similar(struct run *r, int s, ki_ranker *ranker, int32_t item, int32_t *items,
                              float *scores, int *n)
{
    int32_t found = 0;
    const kith_err err = ki_ranker_similar(ranker, item, items, scores, &found);
    for (int32_t j = 0; err == KITH_OK && j < found && *n < r->p->sources[s].quota; j++)
        bring(r, s, items[j], n);
    return err;
}

/* Like one item; or like the items of the history with the highest values, the later in the
 * catalogue first among equals, in turn until the quota is full. */
static kith_err from_similar(struct run *r, int s, int32_t *items, float *scores, int *n)
{
    const ki_pipe_source *source = &r->p->sources[s];
    ki_ranker *ranker = NULL;
    kith_err err = ki_ranker_new(&r->m->core, source->quota, 1, &ranker);
    if (err != KITH_OK) return err;
    if (source->item[0] != '\0') {
        const int32_t item = ki_idmap_find(&r->m->items, source->item, strlen(source->item));
        err = item >= 0 ? bring_similar(r, s, ranker, item, items, scores, n)
                        : ki_fail(KITH_ENOTFOUND, "no item \"%s\" for the pipeline to start from",
                                  source->item);
    }
    for (int32_t j = KI_MAX(0, r->q->n - LATEST); source->item[0] == '\0' && j < r->q->n; j++)
        if ((err = bring_similar(r, s, ranker, r->q->items[j], items, scores, n)) != KITH_OK) break;
    ki_ranker_free(ranker);
    return err;
}

static kith_err ask_source(struct run *r, int s, int32_t *items, float *scores, int *n)
{
    switch (r->p->sources[s].kind) {
    case KI_FROM_MODEL: return from_model(r, s, items, scores, n);
    case KI_FROM_POPULAR: from_popular(r, s, n); break;
    case KI_FROM_NEW: from_new(r, s, n); break;
    case KI_FROM_SIMILAR: return from_similar(r, s, items, scores, n);
    }
    return KITH_OK;
}

static kith_err retrieve(struct run *r, ki_served *out)
{
    const int32_t n_items = r->m->core.n_items;
    int32_t *items = NULL;
    float *scores = NULL;
    int most = 1;
    kith_err err;
    for (int s = 0; s < r->p->n_sources; s++) most = KI_MAX(most, r->p->sources[s].quota);
    if ((err = ki_alloc(&items, (size_t)most, sizeof *items)) != KITH_OK) goto done;
    if ((err = ki_alloc(&scores, (size_t)most, sizeof *scores)) != KITH_OK) goto done;
    for (int s = 0; s < r->p->n_sources; s++)
        if ((err = ask_source(r, s, items, scores, &out->n_retrieved[s])) != KITH_OK) goto done;
    if ((err = ki_alloc(&r->only, (size_t)n_items, sizeof *r->only)) != KITH_OK) goto done;
    for (int32_t i = 0; i < n_items; i++)
        if (r->brought[i] != 0) r->only[r->n_only++] = i;
done:
    ki_free(items);
    ki_free(scores);
    return err;
}

/* ---- ranking ---- */

/* By how many training users have an item; those that nobody has are not ranked. */
static void rank_by_reach(struct run *r)
{
    const kith_model *m = r->m;
    for (int32_t j = 0; j < m->core.n_items && r->n_found < r->depth; j++) {
        const int32_t item = m->popular[j];
        if (m->reach[item] == 0) return;
        if (!r->open[item] || (r->p->n_sources > 0 && r->brought[item] == 0)) continue;
        r->items[r->n_found] = item;
        r->scores[r->n_found++] = (float)m->reach[item];
    }
}

/* Bits of the sources that bring new items. */
static unsigned new_sources(const struct run *r)
{
    unsigned bits = 0;
    for (int s = 0; s < r->p->n_sources; s++)
        bits |= r->p->sources[s].kind == KI_FROM_NEW ? 1u << s : 0;
    return bits;
}

/* How many candidates new items may be beyond the depth. */
static int room_for_new(const struct run *r)
{
    int64_t room = 0;
    for (int s = 0; s < r->p->n_sources; s++)
        room += r->p->sources[s].kind == KI_FROM_NEW ? r->p->sources[s].quota : 0;
    return (int)KI_MIN(room, (int64_t)r->m->core.n_items);
}

/* New items that the ranker could not place stand behind those that it did, the newest first, with the score of
 * the last one: preferences, pins and lots bring them forward. */
static void append_new(struct run *r)
{
    const ki_model *m = &r->m->core;
    const unsigned bits = new_sources(r);
    const int32_t ranked = r->n_found;
    const float last = ranked > 0 ? r->scores[ranked - 1] : 0;
    for (int32_t j = m->n_cold - 1; bits != 0 && j >= 0; j--) {
        int is_ranked = 0;
        if (!(r->brought[m->cold[j]] & bits)) continue;
        for (int32_t at = 0; at < ranked && !is_ranked; at++)
            is_ranked = r->items[at] == m->cold[j];
        if (is_ranked) continue;
        r->items[r->n_found] = m->cold[j];
        r->scores[r->n_found++] = last;
    }
}

static kith_err rank_some(struct run *r)
{
    const ki_model *ranker;
    ki_query q = *r->q;
    kith_err err;
    if (by_popularity(r)) return rank_by_reach(r), KITH_OK;
    if ((err = find_part(r->m, r->p->ranker, &ranker)) != KITH_OK) return err;
    if (r->p->n_sources > 0) {
        q.only = r->only;
        q.n_only = r->n_only;
    }
    return rank(ranker, &q, r->depth, r->items, r->scores, &r->n_found);
}

/* ---- ranking by wishes ---- */

static int by_number(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* The ranker of the pipeline over some items: a model, or how many users have them. */
static kith_err rank_only(void *arg, const int32_t *only, int32_t n_only, int k, int32_t *items,
                          float *scores, int32_t *n)
{
    const struct run *r = arg;
    const ki_model *ranker;
    ki_query q = *r->q;
    q.only = only;
    q.n_only = n_only;
    if (!by_popularity(r)) {
        const kith_err err = find_part(r->m, r->p->ranker, &ranker);
        return err != KITH_OK ? err : rank(ranker, &q, k, items, scores, n);
    }
    *n = 0;
    for (int32_t j = 0; j < r->m->core.n_items && *n < k; j++) {
        const int32_t item = r->m->popular[j];
        if (r->m->reach[item] == 0) break;
        if (bsearch(&item, only, (size_t)n_only, sizeof item, by_number) == NULL) continue;
        items[*n] = item;
        scores[(*n)++] = (float)r->m->reach[item];
    }
    return KITH_OK;
}

/* Items that nobody has are open too: wishes know them by their attributes. */
static kith_err rank_by_wishes(struct run *r, ki_served *out)
{
    ki_met fits[KI_WISHES_MAX];
    for (int32_t i = 0; r->p->n_sources > 0 && i < r->m->core.n_items; i++)
        r->open[i] = r->open[i] && r->brought[i] != 0;
    const ki_wished w = { .wishes = r->task->wishes,
                          .env = r->task->env,
                          .share = r->p->wishes,
                          .open = r->open,
                          .rank = rank_only,
                          .arg = r };
    const kith_err err = ki_wished_rank(&w, r->depth, r->items, r->scores, &r->n_found, fits);
    if (err != KITH_OK) return err;
    out->wished = ki_knowledge_json(w.wishes, fits);
    return out->wished == NULL ? ki_fail_memory(64) : KITH_OK;
}

static int has_wishes(const struct run *r)
{
    return r->task->wishes != NULL && r->task->wishes->n_wishes > 0 && r->p->wishes > 0;
}

static kith_err rank_candidates(struct run *r, ki_served *out)
{
    const size_t room = (size_t)r->depth + (size_t)room_for_new(r);
    kith_err err;
    if ((err = ki_alloc(&r->items, room, sizeof *r->items)) != KITH_OK) return err;
    if ((err = ki_alloc(&r->scores, room, sizeof *r->scores)) != KITH_OK) return err;
    if (has_wishes(r)) return rank_by_wishes(r, out);
    if ((err = rank_some(r)) == KITH_OK) append_new(r);
    return err;
}

/* ---- rules: preferences before the choice, pins and caps after it ---- */

/* Without pins of what must not be served. */
static ki_rules open_rules(const struct run *r)
{
    ki_rules some = *r->p->rules;
    some.n_pin = 0;
    for (int j = 0; j < r->p->rules->n_pin; j++) {
        const ki_pin pin = r->p->rules->pin[j];
        if (pin.item >= 0 && r->open[pin.item]) some.pin[some.n_pin++] = pin;
    }
    return some;
}

static void take_ruled(struct run *r, ki_ruled *ruled)
{
    memcpy(r->items, ruled->items, (size_t)ruled->n * sizeof *r->items);
    memcpy(r->scores, ruled->scores, (size_t)ruled->n * sizeof *r->scores);
    r->n_found = ruled->n;
}

/* What preferences make of the candidates, all of them kept. */
static kith_err prefer(struct run *r)
{
    ki_rules some = *r->p->rules;
    ki_ruled ruled;
    some.n_pin = some.n_cap = 0;
    const kith_err err =
        ki_rules_apply(&some, r->task->env, r->items, r->scores, r->n_found, r->n_found, &ruled);
    if (err != KITH_OK) return err;
    take_ruled(r, &ruled);
    ki_ruled_clear(&ruled);
    return KITH_OK;
}

/* Apply rules to all candidates: what stands beyond n is what lots are drawn from. */
static kith_err rule(struct run *r, const ki_rules *rules, const float *scores, ki_ruled *ruled,
                     ki_served *out)
{
    kith_err err = ki_rules_apply(rules, r->task->env, r->items, scores, r->n_found,
                                  KI_MAX(r->n, r->n_found), ruled);
    if (err != KITH_OK) return err;
    if ((err = ki_ruled_json(rules, ruled, &out->ruled)) != KITH_OK) ki_ruled_clear(ruled);
    return err;
}

/* ---- choice ---- */

/* The words of some items, in the order of `items`. */
static kith_err read_labels(const struct run *r, const int32_t *items, int32_t n, ki_labels *labels)
{
    const ki_table *t = &r->m->item_attrs;
    const char *column = r->p->column[0] != '\0' ? r->p->column : ki_labels_usual(t);
    if (column == NULL)
        return ki_fail(KITH_EDATA,
                       "diversity needs a column of categories or sets of the items, and the data "
                       "has none");
    return ki_labels_some(labels, t, column, "item", items, n);
}

static kith_err spread(struct run *r)
{
    ki_labels labels = { 0 }, history = { 0 };
    const ki_candidates c = { r->scores, &labels.rows, r->n_found };
    kith_err err = read_labels(r, r->items, r->n_found, &labels);
    if (err == KITH_OK && r->p->spread == KI_SPREAD_MMR)
        err = ki_mmr(&c, r->p->trade_off, r->n, r->order, &r->n_chosen);
    else if (err == KITH_OK && (err = read_labels(r, r->q->items, r->q->n, &history)) == KITH_OK)
        err = ki_calibrate(&c, &history.rows, r->p->trade_off, r->n, r->order, &r->n_chosen);
    ki_labels_clear(&labels);
    ki_labels_clear(&history);
    return err;
}

static void keep_order(struct run *r, int n)
{
    for (r->n_chosen = 0; r->n_chosen < KI_MIN(n, r->n_found); r->n_chosen++)
        r->order[r->n_chosen] = r->n_chosen;
}

static kith_err choose(struct run *r)
{
    if (r->p->spread != KI_SPREAD_NONE) return spread(r);
    keep_order(r, r->n);
    return KITH_OK;
}

/* Put the candidates into the order that was chosen, those beyond it behind, as they stood. */
static kith_err reorder(struct run *r)
{
    int32_t *items = NULL;
    float *scores = NULL;
    uint8_t *taken = NULL;
    int to = 0;
    kith_err err;
    if ((err = ki_alloc(&items, (size_t)r->n_found, sizeof *items)) != KITH_OK) goto done;
    if ((err = ki_alloc(&scores, (size_t)r->n_found, sizeof *scores)) != KITH_OK) goto done;
    if ((err = ki_alloc(&taken, (size_t)r->n_found, 1)) != KITH_OK) goto done;
    memcpy(items, r->items, (size_t)r->n_found * sizeof *items);
    memcpy(scores, r->scores, (size_t)r->n_found * sizeof *scores);
    for (; to < r->n_chosen; to++) {
        taken[r->order[to]] = 1;
        r->items[to] = items[r->order[to]];
        r->scores[to] = scores[r->order[to]];
    }
    for (int j = 0; j < r->n_found; j++) {
        if (taken[j]) continue;
        r->items[to] = items[j];
        r->scores[to++] = scores[j];
    }
done:
    ki_free(items);
    ki_free(scores);
    ki_free(taken);
    return err;
}

/* Caps and pins over an order that is not that of the scores: places stand in for them, and the
 * scores come back by item; a pin that was no candidate has none. */
static kith_err pin_and_cap(struct run *r, ki_served *out)
{
    ki_rules some = open_rules(r);
    ki_ruled ruled;
    float *places = NULL, *scores = NULL;
    kith_err err;
    some.n_prefer = 0;
    if ((err = ki_alloc(&places, (size_t)r->n_found, sizeof *places)) != KITH_OK) return err;
    for (int j = 0; j < r->n_found; j++) places[j] = (float)-j;
    if ((err = rule(r, &some, places, &ruled, out)) != KITH_OK) goto done;
    if ((err = ki_alloc(&scores, (size_t)ruled.n, sizeof *scores)) == KITH_OK) {
        for (int j = 0; j < ruled.n; j++)
            scores[j] = isinf(ruled.scores[j]) ? ruled.scores[j] : r->scores[-(int)ruled.scores[j]];
        memcpy(ruled.scores, scores, (size_t)ruled.n * sizeof *scores);
        take_ruled(r, &ruled);
        keep_order(r, r->n);
    }
    ki_ruled_clear(&ruled);
done:
    ki_free(places);
    ki_free(scores);
    return err;
}

static kith_err score_by_wishes(const struct run *r, int32_t item, float *score)
{
    double matches[KI_WISHES_MAX];
    const kith_err err = ki_knowledge_match(r->task->wishes, r->task->env, item, matches);
    if (err == KITH_OK) *score = (float)ki_knowledge_utility(r->task->wishes, matches);
    return err;
}

/* The score of a pin that was no candidate: how far it meets the wishes, else the ranker's, or 0 where it has none. */
static kith_err score_pins(struct run *r)
{
    kith_err err = KITH_OK;
    for (int j = 0; err == KITH_OK && j < r->n_found; j++) {
        const ki_model *ranker;
        ki_query q = *r->q;
        int32_t item, n = 0;
        if (!isinf(r->scores[j])) continue;
        q.only = &r->items[j];
        q.n_only = 1;
        r->scores[j] = 0;
        if (has_wishes(r))
            err = score_by_wishes(r, r->items[j], &r->scores[j]);
        else if (by_popularity(r))
            r->scores[j] = (float)r->m->reach[r->items[j]];
        else if ((err = find_part(r->m, r->p->ranker, &ranker)) == KITH_OK)
            err = rank(ranker, &q, 1, &item, &r->scores[j], &n);
    }
    return err;
}

static kith_err choose_by_rules(struct run *r, ki_served *out)
{
    const ki_rules rules = open_rules(r);
    ki_ruled ruled;
    kith_err err;
    if (r->p->spread == KI_SPREAD_NONE) {
        if ((err = rule(r, &rules, r->scores, &ruled, out)) != KITH_OK) return err;
        take_ruled(r, &ruled);
        ki_ruled_clear(&ruled);
        keep_order(r, r->n);
        return KITH_OK;
    }
    if ((err = prefer(r)) != KITH_OK) return err;
    if ((err = spread(r)) != KITH_OK) return err;
    if ((err = reorder(r)) != KITH_OK) return err;
    return pin_and_cap(r, out);
}

/* The last places go to candidates drawn by lot from those that were not chosen, without
 * replacement: each of the rest has the same chance of a place, slots / rest. */
static kith_err explore(struct run *r, double *chance)
{
    const int slots = KI_MIN(r->p->explore, r->n_chosen), first = r->n_chosen - slots;
    int *rest = NULL, n_rest = 0;
    uint8_t *taken = NULL;
    kith_err err = KITH_OK;
    *chance = 1;
    if (slots == 0 || r->n_found <= r->n_chosen) return KITH_OK; /* nothing to draw from */
    ki_rng rng = ki_rng_make(r->task->seed, (uint64_t)r->q->user, (uint64_t)r->q->n);
    if ((err = ki_alloc(&taken, (size_t)r->n_found, 1)) != KITH_OK) goto done;
    if ((err = ki_alloc(&rest, (size_t)r->n_found, sizeof *rest)) != KITH_OK) goto done;
    for (int j = 0; j < first; j++) taken[r->order[j]] = 1;
    for (int j = 0; j < r->n_found; j++)
        if (!taken[j]) rest[n_rest++] = j;
    *chance = (double)slots / n_rest;
    for (int j = 0; j < slots; j++) {
        const int drawn = j + (int)ki_rng_below(&rng, (uint64_t)(n_rest - j));
        r->order[first + j] = rest[drawn];
        rest[drawn] = rest[j];
    }
done:
    ki_free(rest);
    ki_free(taken);
    return err;
}

static kith_err write_out(const struct run *r, double chance, ki_served *out)
{
    const size_t n = (size_t)r->n_chosen;
    const int drawn = chance < 1 ? r->n_chosen - KI_MIN(r->p->explore, r->n_chosen) : r->n_chosen;
    kith_err err;
    if ((err = ki_alloc(&out->items, n, sizeof *out->items)) != KITH_OK) return err;
    if ((err = ki_alloc(&out->scores, n, sizeof *out->scores)) != KITH_OK) return err;
    if ((err = ki_alloc(&out->sources, n, 1)) != KITH_OK) return err;
    if ((err = ki_alloc(&out->propensity, n, sizeof *out->propensity)) != KITH_OK) return err;
    for (int j = 0; j < r->n_chosen; j++) {
        const int32_t item = r->items[r->order[j]];
        out->items[j] = item;
        out->scores[j] = r->scores[r->order[j]];
        out->sources[j] = r->brought[item];
        out->propensity[j] = j < drawn ? 1 : chance;
    }
    out->n = r->n_chosen;
    return KITH_OK;
}

/* ---- all of it ---- */

/* What comes after ranking may need more than n candidates; pins may lengthen a list. */
static int depth_of(const struct run *r)
{
    const ki_pipeline *p = r->p;
    const int wide = p->spread != KI_SPREAD_NONE || p->rules != NULL || p->explore > 0;
    const int wanted = p->depth > 0 ? p->depth : KI_MAX(LEAST_DEPTH, DEPTH_PER_ITEM * r->n);
    return KI_MIN(KI_MAX(wide ? wanted : 0, r->n), KI_MAX(r->m->core.n_items, 1));
}

static kith_err run_stages(struct run *r, ki_served *out)
{
    double chance;
    kith_err err;
    r->depth = depth_of(r);
    const int asks_open =
        r->p->n_sources > 0 || r->p->rules != NULL || by_popularity(r) || has_wishes(r);
    if ((err = ki_alloc(&r->brought, (size_t)r->m->core.n_items, 1)) != KITH_OK) return err;
    if (asks_open && (err = find_open(r)) != KITH_OK) return err;
    if (r->p->n_sources > 0 && (err = retrieve(r, out)) != KITH_OK) return err;
    if ((err = rank_candidates(r, out)) != KITH_OK) return err;
    out->n_candidates = r->n_found;
    const size_t most = (size_t)KI_MAX(r->n, r->depth);
    if ((err = ki_alloc(&r->order, most, sizeof *r->order)) != KITH_OK) return err;
    err = r->p->rules != NULL ? choose_by_rules(r, out) : choose(r);
    if (err == KITH_OK && r->p->rules != NULL) err = score_pins(r);
    if (err != KITH_OK) return err;
    if ((err = explore(r, &chance)) != KITH_OK) return err;
    return write_out(r, chance, out);
}

kith_err ki_pipeline_run(const ki_pipeline *p, const kith_model *m, const ki_task *task,
                         ki_served *out)
{
    struct run r = { .p = p, .m = m, .q = task->query, .task = task };
    ki_served served = { 0 };
    r.n = KI_MIN(task->n, KI_MAX(m->core.n_items, 1));
    const kith_err err = run_stages(&r, &served);
    ki_free(r.open);
    ki_free(r.brought);
    ki_free(r.only);
    ki_free(r.items);
    ki_free(r.scores);
    ki_free(r.order);
    if (err != KITH_OK)
        ki_served_clear(&served);
    else
        *out = served;
    return err;
}

void ki_served_clear(ki_served *s)
{
    ki_free(s->items);
    ki_free(s->scores);
    ki_free(s->sources);
    ki_free(s->propensity);
    json_decref(s->ruled);
    json_decref(s->wished);
    *s = (ki_served){ 0 };
}
