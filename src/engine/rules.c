/* SPDX-License-Identifier: MIT
 * rules.c -- rules applied to a ranked list
 */
#include "engine/rules.h"

#include "base/mem.h"
#include "engine/wording.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct place {        /* a candidate on its way */
    int32_t item, at; /* at: its number among the candidates as given */
    float score;
};

struct work {
    const ki_rules *r;
    const ki_env *env;
    const int32_t *items;
    int32_t n, k;
    struct place *order; /* [n]: what is still in, best first */
    int32_t n_order;
    uint8_t *truth;                /* [n] of a filter at the candidates */
    uint8_t *mask;                 /* [n_items] scratch, made when it pays */
    int32_t *counts[KI_RULES_MAX]; /* [n_words] items taken so far with each value, per cap */
    int32_t *slots;                /* [k]: item or -1; */
    ki_ruled *out;
};

static int contains(const int32_t *list, int32_t n, int32_t item)
{
    int32_t low = 0, high = n;
    while (low < high) {
        const int32_t mid = low + (high - low) / 2;
        if (list[mid] < item)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && list[low] == item;
}

enum {
    MASK_PAYS = 16
}; /* a run over all items costs less than an interpreter per candidate from n_items / 16 on */

/* Is the filter true for each candidate?  truth[n]. */
static kith_err ask(struct work *w, const ki_filter *f)
{
    const int32_t n_items = ki_filter_n_items(f);
    if (w->n < n_items / MASK_PAYS) {
        for (int32_t j = 0; j < w->n; j++)
            w->truth[j] = ki_filter_one(f, w->env, w->items[j]) == KI_TRUE;
        return KITH_OK;
    }
    kith_err err = w->mask == NULL ? ki_alloc(&w->mask, (size_t)n_items, 1) : KITH_OK;
    if (err == KITH_OK) err = ki_filter_run(f, w->env, w->mask);
    for (int32_t j = 0; err == KITH_OK && j < w->n; j++) w->truth[j] = w->mask[w->items[j]];
    return err;
}

/* ---- hard constraints ---- */

static kith_err constrain(struct work *w)
{
    const ki_rules *r = w->r;
    memset(w->truth, 1, (size_t)w->n);
    const kith_err err = r->filter == NULL ? KITH_OK : ask(w, r->filter);
    for (int32_t j = 0; err == KITH_OK && j < w->n; j++) {
        ki_fate fate = w->truth[j] ? KI_CUT : KI_FILTERED;
        if (contains(r->exclude, r->n_exclude, w->items[j])) fate = KI_EXCLUDED;
        if (contains(r->block, r->n_block, w->items[j])) fate = KI_BLOCKED;
        w->out->fate[j] = (uint8_t)fate;
    }
    return err;
}

static int may_stand(const struct work *w, int32_t item)
{
    return item >= 0 && !contains(w->r->block, w->r->n_block, item) &&
           !contains(w->r->exclude, w->r->n_exclude, item) &&
           (w->r->filter == NULL || ki_filter_one(w->r->filter, w->env, item) == KI_TRUE);
}

/* ---- preferences ---- */

static float lift(const ki_preference *p, float score)
{
    if (!p->multiplies) return (float)(score + p->by);
    return (float)(score >= 0 ? score * p->by : score / p->by);
}

static kith_err prefer(struct work *w, float *scores)
{
    for (int p = 0; p < w->r->n_prefer; p++) {
        const kith_err err = ask(w, w->r->prefer[p].when);
        if (err != KITH_OK) return err;
        for (int32_t j = 0; j < w->n; j++) {
            if (!w->truth[j] || w->out->fate[j] != KI_CUT) continue;
            scores[j] = lift(&w->r->prefer[p], scores[j]);
            w->out->lifted[p]++;
        }
    }
    return KITH_OK;
}

/* Best first, ties by the order given; what is no number comes last. */
static int by_score(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    const float sx = isnan(x->score) ? -INFINITY : x->score,
                sy = isnan(y->score) ? -INFINITY : y->score;
    if (sx != sy) return sx > sy ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

static void sort(struct work *w, const float *scores)
{
    for (int32_t j = 0; j < w->n; j++)
        if (w->out->fate[j] == KI_CUT)
            w->order[w->n_order++] = (struct place){ w->items[j], j, scores[j] };
    if (w->n_order > 1) qsort(w->order, (size_t)w->n_order, sizeof *w->order, by_score);
}

/* ---- caps ---- */

/* The codes of an item in a category or set column; *n of them. */
static const int32_t *codes_of(const ki_column *c, int32_t item, int64_t *n)
{
    if (c->kind == KI_COL_SET) {
        *n = c->set_ptr[item + 1] - c->set_ptr[item];
        return c->code + c->set_ptr[item];
    }
    *n = c->code[item] >= 0;
    return c->code + item;
}

static const ki_column *cap_column(const struct work *w, int cap)
{
    return &w->r->schema.table->columns[w->r->cap[cap].column];
}

/* The first cap that a value of the item has reached, or -1. */
static int reached(const struct work *w, int32_t item)
{
    int64_t n;
    for (int c = 0; c < w->r->n_cap; c++) {
        const int32_t *codes = codes_of(cap_column(w, c), item, &n);
        for (int64_t j = 0; j < n; j++)
            if (w->counts[c][codes[j]] >= w->r->cap[c].at_most) return c;
    }
    return -1;
}

static void take(struct work *w, int32_t item)
{
    int64_t n;
    for (int c = 0; c < w->r->n_cap; c++) {
        const int32_t *codes = codes_of(cap_column(w, c), item, &n);
        for (int64_t j = 0; j < n; j++) w->counts[c][codes[j]]++;
    }
}

/* ---- the list ---- */

static void place_pins(struct work *w)
{
    for (int p = 0; p < w->r->n_pin; p++) {
        const ki_pin *pin = &w->r->pin[p];
        if (pin->at > w->k || !may_stand(w, pin->item)) continue;
        w->slots[pin->at - 1] = pin->item;
        w->out->placed_at[p] = pin->at; /* until the list closes up */
        take(w, pin->item);
    }
}

static int pin_of(const struct work *w, int32_t item)
{
    for (int p = 0; p < w->r->n_pin; p++)
        if (w->r->pin[p].item == item && w->out->placed_at[p] > 0) return p;
    return -1;
}

static void append(struct work *w, int32_t item, float score, int pinned)
{
    ki_ruled *out = w->out;
    out->items[out->n] = item;
    out->scores[out->n] = score;
    out->pinned[out->n++] = (uint8_t)pinned;
}

/* A pin's score is its own, when it is a candidate. */
static float score_of(const struct work *w, int32_t item)
{
    for (int32_t j = 0; j < w->n_order; j++)
        if (w->order[j].item == item) return w->order[j].score;
    return -INFINITY;
}

/* The next candidate that no cap keeps out, or NULL at the end. */
static const struct place *next(struct work *w, int32_t *at)
{
    while (*at < w->n_order) {
        const struct place *p = &w->order[(*at)++];
        if (pin_of(w, p->item) >= 0) {
            w->out->fate[p->at] = KI_KEPT;
            continue;
        }
        const int cap = reached(w, p->item);
        if (cap < 0) return p;
        w->out->fate[p->at] = KI_CAPPED;
        w->out->capped_by[p->at] = (int8_t)cap;
        w->out->capped[cap]++;
    }
    return NULL;
}

static void fill(struct work *w)
{
    int32_t at = 0;
    for (int32_t s = 0; s < w->k; s++) {
        if (w->slots[s] >= 0) {
            const int pin = pin_of(w, w->slots[s]);
            append(w, w->slots[s], score_of(w, w->slots[s]), 1);
            w->out->placed_at[pin] = w->out->n;
            continue;
        }
        const struct place *p = next(w, &at);
        if (p == NULL) continue; /* the list is short: what is pinned further down closes up */
        take(w, p->item);
        append(w, p->item, p->score, 0);
        w->out->fate[p->at] = KI_KEPT;
    }
    for (; at < w->n_order; at++) /* pins that were candidates too */
        if (pin_of(w, w->order[at].item) >= 0) w->out->fate[w->order[at].at] = KI_KEPT;
}

static kith_err prepare(struct work *w)
{
    ki_ruled *out = w->out;
    const size_t n = (size_t)w->n, k = (size_t)w->k;
    kith_err err;
    if ((err = ki_alloc(&out->items, k, sizeof *out->items)) != KITH_OK) return err;
    if ((err = ki_alloc(&out->scores, k, sizeof *out->scores)) != KITH_OK) return err;
    if ((err = ki_alloc(&out->pinned, k, 1)) != KITH_OK) return err;
    if ((err = ki_alloc(&out->fate, n, 1)) != KITH_OK) return err;
    if ((err = ki_alloc(&out->capped_by, n, 1)) != KITH_OK) return err;
    if ((err = ki_alloc(&w->order, n, sizeof *w->order)) != KITH_OK) return err;
    if ((err = ki_alloc(&w->truth, n, 1)) != KITH_OK) return err;
    if ((err = ki_alloc(&w->slots, k, sizeof *w->slots)) != KITH_OK) return err;
    for (int c = 0; c < w->r->n_cap; c++) {
        const size_t n_words = (size_t)cap_column(w, c)->words.n;
        if ((err = ki_alloc(&w->counts[c], n_words, sizeof *w->counts[c])) != KITH_OK) return err;
    }
    memset(out->capped_by, -1, n);
    memset(w->slots, -1, k * sizeof *w->slots);
    return KITH_OK;
}

static kith_err check(const ki_rules *r, const int32_t *items, int32_t n, int32_t k)
{
    if (n < 0 || k < 0) return ki_fail(KITH_EINVAL, "rules: %d candidates for %d places", n, k);
    for (int32_t j = 0; j < n; j++)
        if (items[j] < 0 || items[j] >= r->schema.items->n)
            return ki_fail(KITH_EINVAL, "rules: candidate %d is item %d of %d", j, items[j],
                           r->schema.items->n);
    return KITH_OK;
}

static kith_err apply(struct work *w, const float *scores)
{
    float *lifted = NULL;
    kith_err err = prepare(w);
    if (err == KITH_OK) err = ki_alloc(&lifted, (size_t)w->n, sizeof *lifted);
    if (err == KITH_OK && w->n > 0) memcpy(lifted, scores, (size_t)w->n * sizeof *lifted);
    if (err == KITH_OK) err = constrain(w);
    if (err == KITH_OK) err = prefer(w, lifted);
    if (err == KITH_OK) {
        sort(w, lifted);
        place_pins(w);
        fill(w);
        for (int32_t j = 0; j < w->n; j++) w->out->n_fate[w->out->fate[j]]++;
    }
    ki_free(lifted);
    return err;
}

kith_err ki_rules_apply(const ki_rules *r, const ki_env *env, const int32_t *items,
                        const float *scores, int32_t n, int32_t k, ki_ruled *out)
{
    ki_ruled ruled = { .n_candidates = n };
    struct work w = { .r = r, .env = env, .items = items, .n = n, .k = k, .out = &ruled };
    kith_err err = check(r, items, n, k);
    if (err != KITH_OK) return err;
    err = apply(&w, scores);
    for (int c = 0; c < r->n_cap; c++) ki_free(w.counts[c]);
    ki_free(w.slots);
    ki_free(w.truth);
    ki_free(w.mask);
    ki_free(w.order);
    if (err != KITH_OK)
        ki_ruled_clear(&ruled);
    else
        *out = ruled;
    return err;
}

/* ---- what they did; NULL when memory ran out ---- */

/* Append to a list that may be NULL already; takes both. */
static json_t *append_json(json_t *list, json_t *entry)
{
    if (json_array_append_new(list, entry) == 0) return list;
    json_decref(list);
    return NULL;
}

static json_t *preferences_json(const ki_rules *r, const ki_ruled *ruled)
{
    json_t *list = json_array();
    for (int p = 0; p < r->n_prefer; p++) {
        char *when = NULL;
        ki_filter_print(r->prefer[p].when, &when); /* NULL if it fails, which fails the entry */
        list = append_json(
            list, json_pack("{s:s,s:I}", "when", when, "changed", (json_int_t)ruled->lifted[p]));
        ki_free(when);
    }
    return list;
}

static json_t *caps_json(const ki_rules *r, const ki_ruled *ruled)
{
    json_t *list = json_array();
    for (int c = 0; c < r->n_cap; c++) {
        const char *column = r->schema.table->columns[r->cap[c].column].name;
        list = append_json(list,
                           json_pack("{s:s,s:i,s:I}", "column", column, "at_most",
                                     r->cap[c].at_most, "removed", (json_int_t)ruled->capped[c]));
    }
    return list;
}

static json_t *pins_json(const ki_rules *r, const ki_ruled *ruled)
{
    json_t *list = json_array();
    for (int p = 0; p < r->n_pin; p++) {
        const char *id = r->pin[p].item < 0 ? NULL : ki_idmap_name(r->schema.items, r->pin[p].item);
        list = append_json(list, json_pack("{s:s?,s:i,s:i}", "item", id, "at", r->pin[p].at,
                                           "placed_at", ruled->placed_at[p]));
    }
    return list;
}

kith_err ki_ruled_json(const ki_rules *r, const ki_ruled *ruled, json_t **out)
{
    const int64_t *n = ruled->n_fate;
    json_t *json =
        json_pack("{s:i,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "kept", ruled->n, "blocked",
                  (json_int_t)n[KI_BLOCKED], "excluded", (json_int_t)n[KI_EXCLUDED], "filtered",
                  (json_int_t)n[KI_FILTERED], "capped", (json_int_t)n[KI_CAPPED], "cut",
                  (json_int_t)n[KI_CUT], "prefer", preferences_json(r, ruled), "cap",
                  caps_json(r, ruled), "pin", pins_json(r, ruled));
    if (json == NULL) return ki_fail(KITH_ENOMEM, "out of memory for what the rules did");
    *out = json;
    return KITH_OK;
}

void ki_ruled_clear(ki_ruled *r)
{
    ki_free(r->items);
    ki_free(r->scores);
    ki_free(r->pinned);
    ki_free(r->fate);
    ki_free(r->capped_by);
    *r = (ki_ruled){ 0 };
}
