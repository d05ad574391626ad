/* SPDX-License-Identifier: MIT
 * form_blend.c -- asking several models and making one score of their answers
 *
 * Everything happens when a query is prepared: the rules need the order of a whole list, not one
 * score at a time.  What is kept per query is therefore a score for every item, and, for
 * explanations, which part spoke for it.
 *
 * Prepared    [n_items] the blended score, NaN where no part ranks the item
 *             [n_items] number of the part that speaks for the item (the largest share of a weighted
 *                       sum, the part whose list or order placed it)
 *             [n_parts] factor from a part's score to its share: exact explanation of a weighted sum
 * Scratch     [n_parts, n_items] the parts' own scores, then what the parts need, one after another
 */
#include "model/form_blend.h"

#include "base/mem.h"
#include "model/best.h"
#include "model/grown.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RRF = 60, CHUNK = 64 };

static int64_t room_of_order(const ki_blend *s)
{
    return 2 * (int64_t)ki_best_room(s->depth); /* keys of 8 bytes, told in floats */
}

/* ---- fields ---- */

static int fields(void *state, ki_field *out)
{
    ki_blend *s = state;
    int n = 0;
    for (int p = 0; p < s->n_parts; p++) {
        const int from = n;
        n += s->part[p].desc->form->fields(s->part[p].state, out + n);
        for (int j = from; j < n; j++) {
            snprintf(s->names[j], sizeof s->names[j], "%d.%s", p, out[j].name);
            out[j].name = s->names[j];
        }
    }
    return n;
}

static void end(void *state, int borrowed)
{
    ki_blend *s = state;
    for (int p = 0; p < s->n_parts; p++) {
        s->part[p].state_borrowed = borrowed;
        ki_model_clear(&s->part[p]);
    }
}

/* What a part shares with the whole. */
static void join(const ki_model *m, ki_model *part)
{
    const ki_model own = *part;
    *part = *m;
    part->desc = own.desc;
    part->params = own.params;
    part->state = own.state;
    part->cold = NULL;
    part->n_cold = 0;
}

static kith_err check(const ki_model *m)
{
    ki_blend *s = m->state;
    for (int p = 0; p < s->n_parts; p++) {
        ki_model *part = &s->part[p];
        kith_err err;
        join(m, part);
        if ((err = part->desc->form->check(part)) != KITH_OK) return err;
        if (part->desc->check != NULL && (err = part->desc->check(part)) != KITH_OK) return err;
        if ((err = ki_model_find_cold(part)) != KITH_OK) return err;
    }
    return KITH_OK;
}

kith_err ki_blend_fit(ki_blend *s, const ki_fit *in)
{
    for (int p = 0; p < s->n_parts; p++) {
        ki_model *part = &s->part[p];
        if (part->desc->form->end != NULL) part->desc->form->end(part->state, 0);
        ki_free(part->state); /* empty so far: the fit makes its own */
        const kith_err err =
            ki_model_fit(part, part->desc, part->params, in->data, in->ratings, in->job);
        if (err == KITH_OK) continue;
        for (int rest = p + 1; rest < s->n_parts; rest++) ki_model_clear(&s->part[rest]);
        s->n_parts = p;
        return err;
    }
    return KITH_OK;
}

/* ---- asking the parts ---- */

static int64_t part_floats(const ki_model *part)
{
    int64_t query, scratch;
    part->desc->form->sizes(part, &query, &scratch);
    return query + scratch;
}

static void sizes(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats)
{
    const ki_blend *s = m->state;
    int64_t most = 0;
    for (int p = 0; p < s->n_parts; p++) most = KI_MAX(most, part_floats(&s->part[p]));
    *query_floats = 2 * (int64_t)m->n_items + KI_MAX_PARTS;
    *scratch_floats = (int64_t)s->n_parts * m->n_items + KI_MAX(most, room_of_order(s) + 2);
}

/* out[n_items] = scores of one part, NaN where it does not rank the item. */
static kith_err ask_part(const ki_model *part, const ki_query *q, float *out, float *scratch)
{
    const ki_form *form = part->desc->form;
    int64_t query, rest;
    form->sizes(part, &query, &rest);
    const kith_err err = form->prepare(part, q, scratch, scratch + query);
    if (err != KITH_OK) return err;
    const int32_t tile = form->tile > 0 ? form->tile : part->n_items;
    for (int32_t begin = 0; begin < part->n_items; begin += tile)
        form->score(part, q, scratch, 1, begin, KI_MIN(begin + tile, part->n_items), out + begin,
                    tile, scratch + query);
    for (int32_t j = 0; j < part->n_cold; j++) out[part->cold[j]] = NAN;
    return KITH_OK;
}

/* ---- one scale for all ---- */

struct scale {
    double mean, factor; /* a share is weight * factor * (score - mean) */
};

static struct scale standard(const float *score, int32_t n)
{
    double sum = 0, squares = 0;
    int64_t there = 0;
    for (int32_t i = 0; i < n; i++) {
        if (isnan(score[i])) continue;
        sum += (double)score[i];
        there++;
    }
    const double mean = there > 0 ? sum / (double)there : 0;
    for (int32_t i = 0; i < n; i++)
        if (!isnan(score[i])) squares += ((double)score[i] - mean) * ((double)score[i] - mean);
    const double sd = there > 0 ? sqrt(squares / (double)there) : 0;
    return (struct scale){ mean, sd > 0 ? 1 / sd : 0 };
}

/* The best `depth` items of a list, best first, into keys; how many. */
static int32_t order(const ki_blend *s, const float *score, int32_t n, uint64_t *keys)
{
    ki_best best = ki_best_into(keys, KI_MIN(s->depth, KI_MAX(n, 1)));
    for (int32_t i = 0; i < n; i++)
        if (!isnan(score[i])) ki_best_push(&best, ki_best_key(score[i], i));
    ki_best_finish(&best);
    ki_best_sort(keys, best.n);
    return best.n;
}

/* Scores become shares of reciprocal rank fusion: what is beyond the depth gets nothing. */
static void fuse_ranks(const ki_blend *s, float *score, int32_t n, uint64_t *keys)
{
    const int32_t found = order(s, score, n, keys);
    for (int32_t i = 0; i < n; i++)
        if (!isnan(score[i])) score[i] = 0;
    for (int32_t r = 0; r < found; r++) score[ki_best_index(keys[r])] = 1.0f / (float)(RRF + 1 + r);
}

/* ---- the rules ---- */

/* blended = weighted mean of the shares of those parts that rank the item. */
static void weigh(const ki_blend *s, const float *shares, int32_t n, float *blended, float *speaker)
{
    for (int32_t i = 0; i < n; i++) {
        double sum = 0, weights = 0, most = -INFINITY;
        for (int p = 0; p < s->n_parts; p++) {
            const float share = shares[(int64_t)p * n + i];
            if (isnan(share)) continue;
            const double part = (double)s->weight[p] * (double)share;
            sum += part;
            weights += (double)s->weight[p];
            if (part > most) {
                most = part;
                speaker[i] = (float)p;
            }
        }
        blended[i] = weights > 0 ? (float)(sum / weights) : NAN;
    }
}

static void weighted(const ki_blend *s, float *shares, int32_t n, float *blended, float *speaker,
                     float *factors, uint64_t *keys)
{
    for (int p = 0; p < s->n_parts; p++) {
        float *row = shares + (int64_t)p * n;
        struct scale scale = { 0, 1 };
        if (s->normal == KI_NORMAL_RANK) {
            fuse_ranks(s, row, n, keys);
            scale.factor = 0; /* a rank has no terms */
        } else if (s->normal == KI_NORMAL_Z) {
            scale = standard(row, n);
            for (int32_t i = 0; i < n; i++)
                row[i] = (float)(scale.factor * ((double)row[i] - scale.mean));
        }
        factors[p] = (float)scale.factor;
    }
    weigh(s, shares, n, blended, speaker);
}

/* The items that no list placed, below all that one placed: in the order of the first part that
 * ranks them. */
static void place_rest(const ki_blend *s, const float *scores, int32_t n, float *blended,
                       float *speaker)
{
    for (int p = 0; p < s->n_parts; p++) {
        const float *row = scores + (int64_t)p * n;
        float most = -INFINITY;
        for (int32_t i = 0; i < n; i++)
            if (isnan(blended[i]) && row[i] > most) most = row[i];
        for (int32_t i = 0; i < n; i++) {
            if (!isnan(blended[i]) || isnan(row[i])) continue;
            blended[i] = row[i] - most - (float)(1 + p);
            speaker[i] = (float)p;
        }
    }
}

static void mixed(const ki_blend *s, const float *scores, int32_t n, float *blended, float *speaker,
                  uint64_t *keys)
{
    for (int32_t i = 0; i < n; i++) blended[i] = -1;
    for (int p = 0; p < s->n_parts; p++) { /* an item stands where its best place is */
        const int32_t found = order(s, scores + (int64_t)p * n, n, keys);
        for (int32_t r = 0; r < found; r++) {
            const int32_t i = ki_best_index(keys[r]);
            const float place = (float)(s->n_parts * (s->depth - r) - p);
            if (place <= blended[i]) continue;
            blended[i] = place;
            speaker[i] = (float)p;
        }
    }
    for (int32_t i = 0; i < n; i++)
        if (blended[i] < 0) blended[i] = NAN;
    place_rest(s, scores, n, blended, speaker);
}

static void cascade(const ki_blend *s, const float *scores, int32_t n, float *blended,
                    float *speaker, uint64_t *keys)
{
    const int last = s->n_parts - 1;
    const float *finer = scores + (int64_t)last * n;
    const int32_t found = order(s, scores, n, keys);
    float least = INFINITY;
    for (int32_t i = 0; i < n; i++) blended[i] = NAN;
    for (int32_t r = 0; r < found; r++)
        if (finer[ki_best_index(keys[r])] < least) least = finer[ki_best_index(keys[r])];
    for (int32_t r = 0; r < found; r++) {
        const int32_t i = ki_best_index(keys[r]);
        if (isnan(finer[i])) continue;
        blended[i] = finer[i] - least;
        speaker[i] = (float)last;
    }
    place_rest(s, scores, n, blended, speaker);
}

static int switched(const ki_blend *s, const ki_query *q)
{
    return q->n >= s->switch_at ? 0 : 1;
}

static void switching(const ki_blend *s, const ki_query *q, const float *scores, int32_t n,
                      float *blended, float *speaker, float *factors)
{
    const int p = switched(s, q);
    memcpy(blended, scores + (int64_t)p * n, (size_t)n * sizeof *blended);
    for (int32_t i = 0; i < n; i++) speaker[i] = (float)p;
    factors[p] = 1;
    place_rest(s, scores, n, blended, speaker);
}

/* ---- form ---- */

/* The part's scores; none where somebody is only described, and others than this part read that. */
static kith_err hear_part(const ki_model *m, int p, const ki_query *q, float *out, float *scratch)
{
    const ki_model *part = &((const ki_blend *)m->state)->part[p];
    const int reads = part->desc->answers != NULL && part->desc->answers(part, q);
    if (q->n > 0 || reads || !ki_blend_answers(m, q)) return ask_part(part, q, out, scratch);
    for (int32_t i = 0; i < m->n_items; i++) out[i] = NAN;
    return KITH_OK;
}

static kith_err prepare(const ki_model *m, const ki_query *q, float *prepared, float *scratch)
{
    const ki_blend *s = m->state;
    const int32_t n = m->n_items;
    float *blended = prepared, *speaker = prepared + n, *factors = speaker + n;
    float *rest = scratch + (int64_t)s->n_parts * n;
    uint64_t *keys = (uint64_t *)(((uintptr_t)rest + 7) & ~(uintptr_t)7);
    memset(speaker, 0, ((size_t)n + KI_MAX_PARTS) * sizeof *speaker);
    for (int p = 0; p < s->n_parts; p++) {
        const kith_err err = hear_part(m, p, q, scratch + (int64_t)p * n, rest);
        if (err != KITH_OK) return err;
    }
    switch (s->rule) {
    case KI_WEIGHTED: weighted(s, scratch, n, blended, speaker, factors, keys); break;
    case KI_SWITCHING: switching(s, q, scratch, n, blended, speaker, factors); break;
    case KI_MIXED: mixed(s, scratch, n, blended, speaker, keys); break;
    case KI_CASCADE: cascade(s, scratch, n, blended, speaker, keys); break;
    }
    return KITH_OK;
}

static void score(const ki_model *m, const ki_query *q, const float *prepared, int nq,
                  int32_t begin, int32_t end, float *out, int64_t ld, float *scratch)
{
    const int64_t row = 2 * (int64_t)m->n_items + KI_MAX_PARTS;
    (void)q, (void)scratch;
    for (int j = 0; j < nq; j++)
        memcpy(out + j * ld, prepared + j * row + begin, (size_t)(end - begin) * sizeof *out);
}

static const ki_model *speaker(const ki_model *m, const float *prepared, int32_t item)
{
    const ki_blend *s = m->state;
    return &s->part[(int)prepared[m->n_items + item]];
}

/* ---- estimates ---- */

struct estimates {                    /* of up to CHUNK items */
    double sum[CHUNK], weight[CHUNK]; /* of parts that stand on more than a mean */
    double weak[CHUNK];               /* of all that rate */
    int n_parts;
};

static void add_estimates(const ki_model *part, double weight, const ki_query *q,
                          const int32_t *items, int n, struct estimates *e, float *scratch)
{
    const ki_form *form = part->desc->form;
    int64_t query, rest;
    float value[CHUNK];
    uint8_t stands[CHUNK];
    form->sizes(part, &query, &rest);
    if (form->prepare(part, q, scratch, scratch + query) != KITH_OK) return;
    (part->desc->predict != NULL ? part->desc->predict : form->predict)(
        part, q, scratch, items, n, value, stands, scratch + query);
    for (int j = 0; j < n; j++) {
        e->weak[j] += (double)value[j];
        if (!stands[j]) continue;
        e->sum[j] += weight * (double)value[j];
        e->weight[j] += weight;
    }
    e->n_parts++;
}

/* The weighted mean of what the parts estimate that stand on more than a mean. */
static void estimate(const ki_model *m, const ki_query *q, const int32_t *items, int n, float *out,
                     uint8_t *supported, float *scratch)
{
    const ki_blend *s = m->state;
    struct estimates e = { 0 };
    for (int p = 0; p < s->n_parts; p++)
        if (s->part[p].desc->rates)
            add_estimates(&s->part[p], (double)s->weight[p], q, items, n, &e, scratch);
    for (int j = 0; j < n; j++) {
        supported[j] = e.weight[j] > 0;
        out[j] = (float)(supported[j]    ? e.sum[j] / e.weight[j]
                         : e.n_parts > 0 ? e.weak[j] / e.n_parts
                                         : m->mean);
    }
}

static void predict(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    for (int at = 0; ki_model_rates(m) && at < n; at += CHUNK)
        estimate(m, q, items + at, KI_MIN(CHUNK, n - at), out + at, supported + at, scratch);
    for (int j = 0; !ki_model_rates(m) && j < n; j++) {
        supported[j] = !isnan(prepared[items[j]]);
        out[j] = supported[j] ? prepared[items[j]] : 0;
    }
}

/* ---- reasons ---- */

static int terms_of(const ki_model *part, const ki_query *q, int32_t item, ki_term *out,
                    float *scratch)
{
    const ki_form *form = part->desc->form;
    int (*explain)(const ki_model *, const ki_query *, const float *, int32_t, ki_term *, float *) =
        part->desc->explain != NULL ? part->desc->explain : form->explain;
    int64_t query, rest;
    if (explain == NULL) return 0;
    form->sizes(part, &query, &rest);
    if (form->prepare(part, q, scratch, scratch + query) != KITH_OK) return 0;
    return explain(part, q, scratch, item, out, scratch + query);
}

static int by_item(const void *key, const void *term)
{
    const int32_t item = *(const int32_t *)key, other = ((const ki_term *)term)->item;
    return (item > other) - (item < other);
}

/* Does this part have a say about the item? */
static int ranks(const ki_model *part, int32_t item)
{
    for (int32_t low = 0, high = part->n_cold; low < high;) {
        const int32_t mid = low + (high - low) / 2;
        if (part->cold[mid] == item) return 0;
        if (part->cold[mid] < item)
            low = mid + 1;
        else
            high = mid;
    }
    return 1;
}

/* A weighted sum's terms are the weighted sums of terms. */
static int explain_sum(const ki_model *m, const ki_query *q, const float *factors, int32_t item,
                       ki_term *out, float *scratch)
{
    const ki_blend *s = m->state;
    ki_term *terms = (ki_term *)(void *)scratch; /* [q->n]: two floats each, in the parts' rows */
    float *rest = scratch + (int64_t)s->n_parts * m->n_items;
    double weights = 0;
    for (int p = 0; p < s->n_parts; p++)
        weights += ranks(&s->part[p], item) ? (double)s->weight[p] : 0;
    for (int32_t j = 0; j < q->n; j++) out[j] = (ki_term){ q->items[j], 0 };
    for (int p = 0; p < s->n_parts && weights > 0; p++) {
        if (!ranks(&s->part[p], item)) continue;
        const int n = terms_of(&s->part[p], q, item, terms, rest);
        const double factor = (double)s->weight[p] * (double)factors[p] / weights;
        for (int t = 0; t < n; t++) {
            ki_term *to = bsearch(&terms[t].item, out, (size_t)q->n, sizeof *out, by_item);
            if (to != NULL) to->part += (float)(factor * (double)terms[t].part);
        }
    }
    return q->n;
}

/* The words of the first part that has any to say: a sum's and a list's parts alike. */
static int words(const ki_model *m, const ki_query *q, int32_t item, ki_word *out, int room)
{
    const ki_blend *s = m->state;
    int n = 0;
    for (int p = 0; n == 0 && p < s->n_parts; p++) {
        const ki_form *form = s->part[p].desc->form;
        if (form->words != NULL && ranks(&s->part[p], item))
            n = form->words(&s->part[p], q, item, out, room);
    }
    return n;
}

/* Terms of the blended score where it is a sum of the parts' (weighted by z or as they are, and
 * switching); elsewhere those of the part that speaks for the item, in its own unit. */
static int explain(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                   ki_term *out, float *scratch)
{
    const ki_blend *s = m->state;
    const float *factors = prepared + 2 * (int64_t)m->n_items;
    if (s->rule == KI_WEIGHTED && s->normal != KI_NORMAL_RANK)
        return explain_sum(m, q, factors, item, out, scratch);
    return terms_of(speaker(m, prepared, item), q, item, out, scratch);
}

/* As the first part sees it that knows the item and has a notion of likeness. */
static void similar(const ki_model *m, int32_t item, float *out, float *scratch)
{
    const ki_blend *s = m->state;
    memset(out, 0, (size_t)m->n_items * sizeof *out);
    for (int p = 0; p < s->n_parts; p++) {
        const ki_model *part = &s->part[p];
        if (part->desc->form->similar == NULL || !ranks(part, item)) continue;
        part->desc->form->similar(part, item, out, scratch);
        return;
    }
}

int ki_blend_knows_cold(const ki_model *m, int32_t item)
{
    const ki_blend *s = m->state;
    for (int p = 0; p < s->n_parts; p++)
        if (ranks(&s->part[p], item)) return 1;
    return 0;
}

int ki_blend_reads(const ki_model *m)
{
    const ki_blend *s = m->state;
    int n = 0;
    if (m->desc->form != &ki_form_blend) return m->desc->answers != NULL;
    for (int p = 0; p < s->n_parts; p++) n += s->part[p].desc->answers != NULL;
    return n > 0;
}

int ki_blend_answers(const ki_model *m, const ki_query *q)
{
    const ki_blend *s = m->state;
    for (int p = 0; p < s->n_parts; p++)
        if (s->part[p].desc->answers != NULL && s->part[p].desc->answers(&s->part[p], q)) return 1;
    return 0;
}

const ki_model *ki_blend_part(const ki_model *m, const char *name)
{
    if (strcmp(m->desc->name, name) == 0) return m;
    m = ki_grown_inner(m);
    if (m == NULL || m->desc->form != &ki_form_blend) return NULL;
    const ki_blend *s = m->state;
    for (int p = 0; p < s->n_parts; p++)
        if (strcmp(s->part[p].desc->name, name) == 0) return &s->part[p];
    return NULL;
}

static kith_err forget(const ki_model *m, int32_t u, int64_t from, int64_t n)
{
    const ki_blend *s = m->state;
    kith_err err = KITH_OK;
    for (int p = 0; err == KITH_OK && p < s->n_parts; p++)
        if (s->part[p].desc->form->forget != NULL)
            err = s->part[p].desc->form->forget(&s->part[p], u, from, n);
    return err;
}

const ki_form ki_form_blend = {
    .name = "blend",
    .size = sizeof(ki_blend),
    .needs_raters = 1,
    .fields = fields,
    .end = end,
    .check = check,
    .sizes = sizes,
    .prepare = prepare,
    .score = score,
    .predict = predict,
    .explain = explain,
    .words = words,
    .similar = similar,
    .speaker = speaker,
    .forget = forget,
};
