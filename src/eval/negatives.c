/* SPDX-License-Identifier: MIT
 * negatives.c -- weighted samples without replacement
 *
 * Drawing again what is taken, and giving every item a random key and keeping the smallest, are the
 * same distribution (Efraimidis, Spirakis, Weighted Random Sampling with a Reservoir, 2006).  The
 * first is quick for a small part of the items, the second for a large one.
 * Checked  test_negatives.c: what may be drawn, shares of draws, both ways alike
 */
#include "eval/negatives.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

kith_err ki_sampling_parse(ki_sampling *out, const char *text)
{
    char *end;
    *out = (ki_sampling){ 0 };
    if (text == NULL) return KITH_OK;
    const long n = strtol(text, &end, 10);
    const int popular = strcmp(end, ":popular") == 0;
    if (end == text || n < 1 || n > 1000000 ||
        (*end != '\0' && !popular && strcmp(end, ":uniform") != 0))
        return ki_fail(
            KITH_EINVAL,
            "negatives \"%.64s\": want a number from 1 to 1000000, alone or with :popular", text);
    *out = (ki_sampling){ (int32_t)n, popular };
    return KITH_OK;
}

kith_err ki_negatives_make(ki_negatives *out, ki_sampling how, const ki_catalogue *catalogue)
{
    ki_negatives s = { .how = how, .catalogue = catalogue };
    double *weights = NULL;
    kith_err err = KITH_OK;
    *out = (ki_negatives){ 0 };
    if (how.popular) {
        err = ki_alloc(&weights, (size_t)catalogue->n_items, sizeof *weights);
        for (int32_t i = 0; err == KITH_OK && i < catalogue->n_items; i++)
            weights[i] = catalogue->count[i];
        if (err == KITH_OK) err = ki_alias_make(&s.by_count, weights, catalogue->n_items);
        ki_free(weights);
    }
    if (err == KITH_OK) *out = s;
    return err;
}

void ki_negatives_clear(ki_negatives *n)
{
    ki_alias_clear(&n->by_count);
    *n = (ki_negatives){ 0 };
}

kith_err ki_negatives_room_make(ki_negatives_room *out, int32_t n_items)
{
    const size_t n = (size_t)n_items;
    kith_err err = ki_alloc(&out->taken, n, 1);
    if (err == KITH_OK) err = ki_alloc(&out->key, n, sizeof *out->key);
    if (err == KITH_OK) err = ki_alloc(&out->order, n, sizeof *out->order);
    return err;
}

void ki_negatives_room_clear(ki_negatives_room *r)
{
    ki_free(r->taken);
    ki_free(r->key);
    ki_free(r->order);
    *r = (ki_negatives_room){ 0 };
}

static int32_t mark(const ki_catalogue *c, uint8_t *taken, const int32_t *items, int64_t n)
{
    int32_t marked = 0;
    for (int64_t j = 0; j < n; j++) {
        marked += !taken[items[j]] && c->count[items[j]] > 0;
        taken[items[j]] = 1;
    }
    return marked;
}

static void unmark(uint8_t *taken, const int32_t *items, int64_t n)
{
    for (int64_t j = 0; j < n; j++) taken[items[j]] = 0;
}

static void draw_again(const ki_negatives *s, uint8_t *taken, ki_rng *rng, int32_t n, int32_t *out)
{
    const ki_catalogue *c = s->catalogue;
    for (int32_t to = 0; to < n;) {
        const int32_t i = s->how.popular ? ki_alias_draw(&s->by_count, rng)
                                         : (int32_t)ki_rng_below(rng, (uint32_t)c->n_items);
        if (taken[i] || c->count[i] == 0) continue;
        taken[i] = 1;
        out[to++] = i;
    }
}

/* heap[n] with the largest key at its root, but for the item at `at`, which may stand too high. */
static void sift(int32_t *heap, int32_t n, int32_t at, const double *key)
{
    for (;;) {
        int32_t most = at;
        for (int32_t child = 2 * at + 1; child < n && child <= 2 * at + 2; child++)
            if (key[heap[child]] > key[heap[most]]) most = child;
        if (most == at) return;
        const int32_t item = heap[at];
        heap[at] = heap[most];
        heap[most] = item;
        at = most;
    }
}

static void draw_keys(const ki_negatives *s, ki_negatives_room *room, ki_rng *rng, int32_t n,
                      int32_t *out)
{
    const ki_catalogue *c = s->catalogue;
    int32_t kept = 0;
    for (int32_t i = 0; i < c->n_items; i++) {
        if (room->taken[i] || c->count[i] == 0) continue;
        room->key[i] = -log1p(-ki_rng_unit(rng)) / (s->how.popular ? c->count[i] : 1);
        if (kept < n) {
            room->order[kept++] = i;
            for (int32_t at = n / 2; kept == n && at-- > 0;) sift(room->order, n, at, room->key);
        } else if (room->key[i] < room->key[room->order[0]]) {
            room->order[0] = i;
            sift(room->order, n, 0, room->key);
        }
    }
    memcpy(out, room->order, (size_t)n * sizeof *out);
}

int32_t ki_negatives_draw(const ki_negatives *s, ki_negatives_room *room, ki_rng rng,
                          const int32_t *history, int32_t n_history, const int32_t *relevant,
                          int n_relevant, int32_t *out)
{
    const ki_catalogue *c = s->catalogue;
    int32_t taken = mark(c, room->taken, history, n_history);
    taken += mark(c, room->taken, relevant, n_relevant);
    const int32_t left = c->n_servable - taken, n = KI_MIN(s->how.n, left);
    if (n > 0 && n <= left / 4)
        draw_again(s, room->taken, &rng, n, out);
    else if (n > 0)
        draw_keys(s, room, &rng, n, out);
    unmark(room->taken, history, n_history);
    unmark(room->taken, relevant, n_relevant);
    unmark(room->taken, out, n);
    return n;
}
