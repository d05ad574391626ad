/* SPDX-License-Identifier: MIT
 * rank.c -- fused scoring and top-k
 *
 * For a block of queries and a tile of items the form fills a [block, tile] matrix of scores that
 * stays in L2.  Each query then strikes out its skipped items (two rising lists, a cursor each) and
 * pushes what beats its k-th best so far into a heap.  Most tiles of a long catalogue beat nothing,
 * so the scan for values above the threshold is the hot loop.
 *
 * Reach       Where the form knows how high each item can score, tiles go by falling reach instead,
 *             and a query whose k-th best is beyond what a tile can score leaves the block: with the
 *             factors of ials on gowalla after a tenth of the catalogue.  The lists are the same.
 *
 * Order       by score, then by lower index; the heap's root is the worst kept.  The result does
 * not depend on block or tile.
 */
#include "model/rank.h"

#include "base/mem.h"
#include "simd/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_BLOCK =
        192, /* a tile of items is packed once per block: 32 queries cost a quarter more */
    QUERY_BUDGET = 1 << 18, /* most floats of the prepared queries of a block */
    SCORE_BUDGET =
        1 << 20, /* and of its scores, for forms that score the whole catalogue at once */
};

struct heap {
    float *score; /* [k]; root at 0 is the worst */
    int32_t *item;
    int n, k;
};

struct cursor { /* into the lists of a query */
    int32_t skip, only;
};

struct live { /* a query that is still at work, its prepared form in the same place */
    int query;
    double base, size; /* no item scores above base + size * its reach */
};

struct ki_ranker {
    const ki_model *m;
    const ki_kernels *kernels;
    int k, block;
    int32_t tile;
    int64_t query_floats;
    float *prepared; /* [block, query_floats] */
    float *scratch;
    float *scores;          /* [block, tile] */
    int32_t *at;            /* [tile] positions above the threshold */
    struct heap *heaps;     /* [block] */
    struct cursor *cursors; /* [block] */
    struct live *live;      /* [block], for models that have a reach */
    float *whole;           /* [n_items], made at the first ki_ranker_similar */
};

/* ---- heap ---- */

static int worse(const struct heap *h, int a, int b)
{
    return h->score[a] < h->score[b] || (h->score[a] == h->score[b] && h->item[a] > h->item[b]);
}

static void swap(struct heap *h, int a, int b)
{
    const float s = h->score[a];
    const int32_t i = h->item[a];
    h->score[a] = h->score[b];
    h->item[a] = h->item[b];
    h->score[b] = s;
    h->item[b] = i;
}

static void sift_down(struct heap *h, int at)
{
    for (;;) {
        int worst = at;
        const int left = 2 * at + 1;
        if (left < h->n && worse(h, left, worst)) worst = left;
        if (left + 1 < h->n && worse(h, left + 1, worst)) worst = left + 1;
        if (worst == at) return;
        swap(h, at, worst);
        at = worst;
    }
}

static void push(struct heap *h, float score, int32_t item)
{
    if (h->n == h->k) { /* the caller saw that score beats the root; items come in rising order, so
                           ties lose */
        h->score[0] = score;
        h->item[0] = item;
        sift_down(h, 0);
        return;
    }
    int at = h->n++;
    h->score[at] = score;
    h->item[at] = item;
    for (; at > 0 && worse(h, at, (at - 1) / 2); at = (at - 1) / 2) swap(h, at, (at - 1) / 2);
}

static float threshold(const struct heap *h)
{
    return h->n == h->k ? h->score[0] : -INFINITY;
}

/* Best first, in place. */
static int drain(struct heap *h)
{
    const int n = h->n;
    while (h->n > 1) {
        swap(h, 0, h->n - 1);
        h->n--;
        sift_down(h, 0);
    }
    return n;
}

/* ---- one tile ---- */

/* Strike items[*cursor..n) that fall in [begin, end) and move the cursor past them. */
static void strike(float *scores, int32_t begin, int32_t end, const int32_t *items, int32_t n,
                   int32_t *cursor)
{
    while (*cursor < n && items[*cursor] < end) {
        if (items[*cursor] >= begin) scores[items[*cursor] - begin] = -INFINITY;
        ++*cursor;
    }
}

/* Strike what lies between the items [*cursor..n) of [begin, end), and move the cursor past them. */
static void strike_others(float *scores, int32_t begin, int32_t end, const int32_t *items,
                          int32_t n, int32_t *cursor)
{
    for (int32_t i = begin; i < end; i++) {
        const int32_t next = *cursor < n && items[*cursor] < end ? items[*cursor] : end;
        for (; i < next; i++) scores[i - begin] = -INFINITY;
        if (next < end) ++*cursor;
    }
}

static void keep_best(ki_ranker *r, struct heap *h, const float *scores, int32_t begin, int32_t n)
{
    enum { STRIP = 512 }; /* the threshold rises strip by strip */
    for (int32_t s = 0; s < n; s += STRIP) {
        const int32_t len = KI_MIN(STRIP, n - s);
        const int64_t hits = r->kernels->scan_above(r->at, scores + s, len, threshold(h));
        for (int64_t j = 0; j < hits; j++) {
            const int32_t p = s + r->at[j];
            if (scores[p] > threshold(h)) push(h, scores[p], begin + p);
        }
    }
}

/* ---- by falling reach ---- */

/* Is it in the list, which rises? */
static int holds(const int32_t *items, int32_t n, int32_t item)
{
    int32_t low = 0, high = n;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (items[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && items[low] == item;
}

/* Items come in any order here, so that one of equal score may displace another. */
static int beats_worst(const struct heap *h, float score, int32_t item)
{
    return h->n < h->k || score > h->score[0] || (score == h->score[0] && item < h->item[0]);
}

static void keep_reaching(ki_ranker *r, const ki_query *q, struct heap *h, const float *scores,
                          const int32_t *items, int32_t n)
{
    enum { STRIP = 64 };
    for (int32_t s = 0; s < n; s += STRIP) {
        const float below = nextafterf(threshold(h), -INFINITY); /* equal scores count too */
        const int64_t hits = r->kernels->scan_above(r->at, scores + s, KI_MIN(STRIP, n - s), below);
        for (int64_t j = 0; j < hits; j++) {
            const int32_t t = s + r->at[j];
            if (beats_worst(h, scores[t], items[t]) && !holds(q->skip, q->n_skip, items[t]))
                push(h, scores[t], items[t]);
        }
    }
}

/* Those whose k-th best items of this reach cannot beat leave; returns how many stay. */
static int drop_settled(ki_ranker *r, int n, float most)
{
    int stay = 0;
    for (int j = 0; j < n; j++) {
        const struct live *l = &r->live[j];
        if (l->base + l->size * most < threshold(&r->heaps[l->query])) continue;
        if (stay < j) {
            r->live[stay] = *l;
            memcpy(r->prepared + stay * r->query_floats, r->prepared + j * r->query_floats,
                   (size_t)r->query_floats * sizeof *r->prepared);
        }
        stay++;
    }
    return stay;
}

static void rank_by_reach(ki_ranker *r, const ki_query *queries, int n)
{
    const ki_form *form = r->m->desc->form;
    const ki_reach *reach = &r->m->reach;
    for (int j = 0; j < n; j++) {
        struct live *l = &r->live[j];
        l->query = j;
        form->limit(r->m, r->prepared + j * r->query_floats, &l->base, &l->size);
    }
    for (int32_t at = 0; at < reach->n; at += r->tile) {
        const int32_t len = KI_MIN(r->tile, reach->n - at);
        if ((n = drop_settled(r, n, reach->most[at])) == 0) return;
        form->score_at(r->m, r->prepared, n, reach->item + at, len, r->scores, r->tile, r->scratch);
        for (int j = 0; j < n; j++) {
            const int q = r->live[j].query;
            keep_reaching(r, &queries[q], &r->heaps[q], r->scores + (int64_t)j * r->tile,
                          reach->item + at, len);
        }
    }
}

/* ---- tile after tile ---- */

struct stretch {       /* of the catalogue, one after the other */
    const ki_query *q; /* says which items may be returned; NULL: all are scored */
    int32_t at;        /* in q->only */
    int32_t begin, end;
};

enum { GAP = 16 }; /* scoring so many items for nothing costs about what another call does */

/* The first query, when all of them allow the same items; else NULL. */
static const ki_query *same_only(const ki_query *queries, int n)
{
    for (int j = 0; j < n; j++)
        if (queries[j].only != queries[0].only || queries[j].n_only != queries[0].n_only)
            return NULL;
    return n > 0 && queries[0].only != NULL ? queries : NULL;
}

/* Tiles of the catalogue; where few items are allowed, what lies around these alone, at most a tile.
 * A form without tiles scores all items at once whatever is asked. */
static int next_stretch(const ki_ranker *r, struct stretch *s)
{
    const ki_query *q = s->q;
    if (q == NULL || r->m->desc->form->tile == 0) {
        s->begin = s->end;
        s->end = KI_MIN(s->begin + r->tile, r->m->n_items);
        return s->begin < r->m->n_items;
    }
    if (s->at == q->n_only) return 0;
    s->begin = q->only[s->at];
    do {
        s->end = q->only[s->at++] + 1;
    } while (s->at < q->n_only && q->only[s->at] - s->end < GAP &&
             q->only[s->at] - s->begin < r->tile);
    return 1;
}

static void rank_by_index(ki_ranker *r, const ki_query *queries, int n)
{
    const ki_form *form = r->m->desc->form;
    struct stretch s = { .q = same_only(queries, n) };
    int32_t cold = 0;
    while (next_stretch(r, &s)) {
        const int32_t begin = s.begin, end = s.end;
        form->score(r->m, queries, r->prepared, n, begin, end, r->scores, r->tile, r->scratch);
        int32_t cold_after = cold;
        for (int j = 0; j < n; j++) {
            float *row = r->scores + (int64_t)j * r->tile;
            cold_after = cold;
            strike(row, begin, end, r->m->cold, r->m->n_cold, &cold_after);
            strike(row, begin, end, queries[j].skip, queries[j].n_skip, &r->cursors[j].skip);
            if (queries[j].only != NULL)
                strike_others(row, begin, end, queries[j].only, queries[j].n_only,
                              &r->cursors[j].only);
            keep_best(r, &r->heaps[j], row, begin, end - begin);
        }
        cold = cold_after;
    }
}

/* A list of allowed items may leave so few that no list is ever settled. */
static int goes_by_reach(const ki_ranker *r, const ki_query *queries, int n)
{
    for (int j = 0; j < n; j++)
        if (queries[j].only != NULL) return 0;
    return r->m->reach.n > 0;
}

/* ---- public ---- */

static int fitting_block(int64_t query_floats, int32_t tile)
{
    const int64_t queries = QUERY_BUDGET / KI_MAX(query_floats, (int64_t)1);
    const int64_t fits = KI_MIN(queries, (int64_t)SCORE_BUDGET / tile);
    return (int)KI_MAX((int64_t)1, KI_MIN(fits, (int64_t)DEFAULT_BLOCK));
}

kith_err ki_ranker_new(const ki_model *m, int k, int block, ki_ranker **out)
{
    ki_ranker *r = NULL;
    int64_t scratch_floats = 0;
    kith_err err = ki_alloc(&r, 1, sizeof *r);
    if (err != KITH_OK) return err;
    const ki_form *form = m->desc->form;
    *r = (ki_ranker){ .m = m, .kernels = ki_kernels_get(), .k = KI_MAX(1, k) };
    form->sizes(m, &r->query_floats, &scratch_floats);
    r->tile = form->tile > 0 ? KI_MIN(form->tile, KI_MAX(m->n_items, 1)) : KI_MAX(m->n_items, 1);
    r->block = block > 0 ? block : fitting_block(r->query_floats, r->tile);
    if ((err = ki_alloc(&r->prepared, (size_t)r->block * (size_t)r->query_floats, sizeof(float))) !=
            KITH_OK ||
        (err = ki_alloc(&r->scratch, (size_t)scratch_floats, sizeof(float))) != KITH_OK ||
        (err = ki_alloc(&r->scores, (size_t)r->block * (size_t)r->tile, sizeof(float))) !=
            KITH_OK ||
        (err = ki_alloc(&r->at, (size_t)r->tile, sizeof *r->at)) != KITH_OK ||
        (err = ki_alloc(&r->heaps, (size_t)r->block, sizeof *r->heaps)) != KITH_OK ||
        (err = ki_alloc(&r->cursors, (size_t)r->block, sizeof *r->cursors)) != KITH_OK ||
        (err = ki_alloc(&r->live, (size_t)r->block, sizeof *r->live)) != KITH_OK) {
        ki_ranker_free(r);
        return err;
    }
    *out = r;
    return KITH_OK;
}

int ki_ranker_block(const ki_ranker *r)
{
    return r->block;
}

kith_err ki_ranker_run(ki_ranker *r, const ki_query *queries, int n, int32_t *items, float *scores,
                       int32_t *counts)
{
    const ki_form *form = r->m->desc->form;
    for (int j = 0; j < n; j++) {
        r->heaps[j] = (struct heap){ .score = scores + (int64_t)j * r->k,
                                     .item = items + (int64_t)j * r->k,
                                     .k = r->k };
        r->cursors[j] = (struct cursor){ 0 };
        const kith_err err =
            form->prepare(r->m, &queries[j], r->prepared + j * r->query_floats, r->scratch);
        if (err != KITH_OK) return err;
    }
    if (goes_by_reach(r, queries, n))
        rank_by_reach(r, queries, n);
    else
        rank_by_index(r, queries, n);
    for (int j = 0; j < n; j++) counts[j] = drain(&r->heaps[j]);
    return KITH_OK;
}

kith_err ki_ranker_scores(ki_ranker *r, const ki_query *q, float *out)
{
    const ki_model *m = r->m;
    const ki_form *form = m->desc->form;
    const kith_err err = form->prepare(m, q, r->prepared, r->scratch);
    if (err != KITH_OK) return err;
    for (int32_t begin = 0; begin < m->n_items; begin += r->tile) {
        const int32_t end = KI_MIN(begin + r->tile, m->n_items);
        form->score(m, q, r->prepared, 1, begin, end, out + begin, r->tile, r->scratch);
    }
    for (int32_t j = 0; j < m->n_cold; j++) out[m->cold[j]] = NAN;
    for (int32_t j = 0; j < q->n_skip; j++) out[q->skip[j]] = NAN;
    for (int32_t i = 0, at = 0; q->only != NULL && i < m->n_items; i++) {
        if (at < q->n_only && q->only[at] == i)
            at++;
        else
            out[i] = NAN;
    }
    return KITH_OK;
}

kith_err ki_ranker_predict(ki_ranker *r, const ki_query *q, const int32_t *items, int n, float *out,
                           uint8_t *supported)
{
    const ki_model_desc *desc = r->m->desc;
    const kith_err err = desc->form->prepare(r->m, q, r->prepared, r->scratch);
    if (err != KITH_OK) return err;
    (desc->predict != NULL ? desc->predict : desc->form->predict)(r->m, q, r->prepared, items, n,
                                                                  out, supported, r->scratch);
    return KITH_OK;
}

/* Largest first, ties by index. */
static int by_part(const void *a, const void *b)
{
    const ki_term *x = a, *y = b;
    if (x->part != y->part) return x->part < y->part ? 1 : -1;
    return (x->item > y->item) - (x->item < y->item);
}

kith_err ki_ranker_explain(ki_ranker *r, const ki_query *q, int32_t item, ki_term *out,
                           int *n_terms)
{
    const ki_model_desc *desc = r->m->desc;
    int (*explain)(const ki_model *, const ki_query *, const float *, int32_t, ki_term *, float *) =
        desc->explain != NULL ? desc->explain : desc->form->explain;
    *n_terms = 0;
    if (explain == NULL) return KITH_OK;
    const kith_err err = desc->form->prepare(r->m, q, r->prepared, r->scratch);
    if (err != KITH_OK) return err;
    *n_terms = explain(r->m, q, r->prepared, item, out, r->scratch);
    if (*n_terms > 1) qsort(out, (size_t)*n_terms, sizeof *out, by_part);
    return KITH_OK;
}

static kith_err no_similar(const ki_model *m)
{
    return ki_fail(KITH_EDATA,
                   "%s has no notion of similar items; train item-knn, ials or another model",
                   m->desc->name);
}

kith_err ki_ranker_similar(ki_ranker *r, int32_t item, int32_t *items, float *scores,
                           int32_t *count)
{
    const ki_form *form = r->m->desc->form;
    if (form->similar == NULL) return no_similar(r->m);
    if (r->whole == NULL) {
        const kith_err err = ki_alloc(&r->whole, (size_t)r->m->n_items, sizeof *r->whole);
        if (err != KITH_OK) return err;
    }
    struct heap heap = { .score = scores, .item = items, .k = r->k };
    form->similar(r->m, item, r->whole, r->scratch);
    r->whole[item] = -INFINITY;
    for (int32_t j = 0; j < r->m->n_cold; j++) r->whole[r->m->cold[j]] = -INFINITY;
    for (int32_t i = 0; i < r->m->n_items; i += r->tile)
        keep_best(r, &heap, r->whole + i, i, KI_MIN(r->tile, r->m->n_items - i));
    *count = drain(&heap);
    return *count == 0 && r->m->n_items - r->m->n_cold > 1 ? no_similar(r->m) : KITH_OK;
}

kith_err ki_ranker_speaker(ki_ranker *r, const ki_query *q, int32_t item, const ki_model **out)
{
    const ki_form *form = r->m->desc->form;
    *out = r->m;
    if (form->speaker == NULL) return KITH_OK;
    const kith_err err = form->prepare(r->m, q, r->prepared, r->scratch);
    if (err == KITH_OK) *out = form->speaker(r->m, r->prepared, item);
    return err;
}

void ki_ranker_free(ki_ranker *r)
{
    if (r == NULL) return;
    ki_free(r->prepared);
    ki_free(r->scratch);
    ki_free(r->scores);
    ki_free(r->at);
    ki_free(r->heaps);
    ki_free(r->cursors);
    ki_free(r->live);
    ki_free(r->whole);
    ki_free(r);
}
