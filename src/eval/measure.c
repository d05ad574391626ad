/* SPDX-License-Identifier: MIT
 * measure.c -- rank each test user once, then all metrics and all cut-offs from the places of the
 * hits
 *
 * Users are cut into chunks; a chunk is ranked block by block, as kith_recommend_batch does, and
 * each user's list becomes hits by looking up its k places in the user's few relevant items.  So
 * beyond the top-k pass a user costs k log |R|.  Everything is written per user, so no sum depends on
 * who ran what.
 * Cold users  (no history) are not asked: their list is empty and all pairs tie for auc.
 * Ties        One place more is ranked than is served: when its score equals the last one's, the tie
 *             runs on beyond the list, and the scores of the whole catalogue say how far.
 * Cost        memory 16 bytes per user and metric, 4 per user and place where lists are kept
 */
#include "eval/measure.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 64, /* users that are handed out at once: at least so many, in whole blocks */
    SPAN = 64,  /* chunks between two steps that are told */
};

enum { STREAM_NEGATIVES = 0x6e656761 };

struct candidate {
    float score;
    int32_t item;
};

struct worker {
    ki_ranker *ranker;
    ki_query *query;      /* [block] */
    int32_t *slot;        /* [block] row of the ranker's output, or -1: not asked */
    int32_t *items;       /* [block, ranked] */
    float *scores;        /* [block, ranked] */
    int32_t *counts;      /* [block] */
    int32_t *relevant;    /* [longest] items of the user being measured, rising */
    float *value, *ideal; /* [longest] their test values; the same, falling */
    int32_t *at, *tied;   /* [depth + longest] places of hits */
    int32_t *hit;         /* [depth + longest] the items */
    float *hit_value;     /* [depth + longest] */
    int32_t *rated_item;  /* [longest] */
    float *truth, *estimate;
    uint8_t *supported;           /* [longest] */
    ki_rated *rated;              /* [2 longest] */
    double *room;                 /* of metrics; zeroes */
    float *whole;                 /* [n_items] scores, for auc, ties and samples */
    int32_t *drawn;               /* [negatives] */
    struct candidate *candidates; /* [negatives + longest] */
    ki_negatives_room negatives;
    int64_t n_empty, n_fallbacks;
};

struct pass {
    const ki_model *m;
    const ki_fold *f;
    const ki_measuring *how;
    const ki_plan *plan;
    const int32_t *users;
    int64_t n, offset; /* offset: where the running span begins */
    ki_job *job;
    int depth, ranked, rates; /* places served; places ranked: one more where ties are averaged */
    int block, chunk; /* users ranked at once, as the ranker likes it; users handed out at once */
    int64_t longest;  /* test rows of one user */
    ki_negatives negatives;
    struct worker *workers;
    int n_workers;
    ki_measured *out;
};

/* ---- one user
 * ----------------------------------------------------------------------------------------------------
 */

static int falling(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

static int is_wanted(const struct pass *p, int64_t row)
{
    const ki_csr *test = &p->f->test;
    return test->val[row] >= p->f->relevant_from &&
           !(p->how->known_only && p->f->count[test->idx[row]] == 0);
}

static int take_relevant(const struct pass *p, struct worker *w, int32_t u)
{
    const ki_csr *test = &p->f->test;
    int n = 0;
    for (int64_t j = test->ptr[u]; j < test->ptr[u + 1]; j++) {
        if (!is_wanted(p, j)) continue;
        w->relevant[n] = test->idx[j];
        w->value[n] = w->ideal[n] = test->val[j];
        n++;
    }
    qsort(w->ideal, (size_t)n, sizeof *w->ideal, falling);
    return n;
}

static int find(const int32_t *items, int n, int32_t item)
{
    int low = 0;
    while (n > 0) {
        const int half = n / 2;
        if (items[low + half] < item) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return low;
}

static void add_hit(struct worker *w, ki_case *c, int place, int tied, int r)
{
    w->at[c->n_hits] = place;
    w->tied[c->n_hits] = tied;
    w->hit[c->n_hits] = w->relevant[r];
    w->hit_value[c->n_hits++] = w->value[r];
}

static void find_hits(struct worker *w, ki_case *c)
{
    for (int j = 0; j < c->n_list; j++) {
        const int r = find(w->relevant, c->n_relevant, c->list[j]);
        if (r < c->n_relevant && w->relevant[r] == c->list[j]) add_hit(w, c, j, 1, r);
    }
}

/* ---- ties ---- */

/* Relevant items of the score `s` that stand behind the list, and how many items have that score. */
static int add_hidden(struct worker *w, ki_case *c, int32_t n_items, float s, int from)
{
    int size = 0;
    for (int32_t i = 0; i < n_items; i++) size += w->whole[i] == s;
    for (int r = 0; r < c->n_relevant; r++) {
        if (w->whole[w->relevant[r]] != s) continue;
        int listed = 0;
        for (int j = from; j < c->n_list; j++) listed |= c->list[j] == w->relevant[r];
        if (!listed) add_hit(w, c, from, 1, r);
    }
    return size;
}

/* Give every hit the first place of its tie and the tie's size.  `scores` are of the n ranked items;
 * when the last of them stands behind the list and ties with its end, w->whole must be filled. */
static void spread_ties(const struct pass *p, struct worker *w, ki_case *c, const float *scores,
                        int n)
{
    int h = 0;
    for (int from = 0, end; from < c->n_list; from = end) {
        for (end = from + 1; end < n && scores[end] == scores[from];) end++;
        int size = end - from;
        if (end > c->n_list) size = add_hidden(w, c, p->m->n_items, scores[from], from);
        for (; h < c->n_hits && w->at[h] < end; h++) {
            w->at[h] = from;
            w->tied[h] = size;
        }
    }
}

/* ---- samples ---- */

static int better(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* Only the candidates keep their scores in w->whole; the best of them become the list. */
static void rank_sample(const struct pass *p, struct worker *w, const ki_query *q, int32_t u,
                        ki_case *c, int32_t *items, float *scores, int32_t *count)
{
    const ki_rng rng = ki_rng_make(p->job->seed, STREAM_NEGATIVES, (uint64_t)u);
    const int32_t drawn = ki_negatives_draw(&p->negatives, &w->negatives, rng, q->items, q->n,
                                            w->relevant, c->n_relevant, w->drawn);
    int n = 0;
    for (int32_t j = 0; j < drawn + c->n_relevant; j++) {
        const int32_t i = j < drawn ? w->drawn[j] : w->relevant[j - drawn];
        if (!isnan(w->whole[i])) w->candidates[n++] = (struct candidate){ w->whole[i], i };
    }
    for (int32_t i = 0; i < p->m->n_items; i++) w->whole[i] = NAN;
    qsort(w->candidates, (size_t)n, sizeof *w->candidates, better);
    *count = KI_MIN(n, p->ranked);
    for (int j = 0; j < n; j++) {
        w->whole[w->candidates[j].item] = w->candidates[j].score;
        if (j >= *count) continue;
        items[j] = w->candidates[j].item;
        scores[j] = w->candidates[j].score;
    }
}

/* ---- what metrics see of a user ---- */

static int wants_whole(const struct pass *p, const float *scores, int n)
{
    return ki_plan_wants(p->plan, KI_OF_SCORES) || p->how->sampling.n > 0 ||
           (n > p->depth && scores[n - 1] == scores[n - 2]);
}

static kith_err add_list(const struct pass *p, struct worker *w, const ki_query *q, int32_t u,
                         int slot, ki_case *c)
{
    int32_t *items = w->items + (int64_t)slot * p->ranked;
    float *scores = w->scores + (int64_t)slot * p->ranked;
    int32_t *count = &w->counts[slot];
    if (wants_whole(p, scores, p->how->sampling.n > 0 ? 0 : *count)) {
        const kith_err err = ki_ranker_scores(w->ranker, q, w->whole);
        if (err != KITH_OK) return err;
    }
    if (p->how->sampling.n > 0) rank_sample(p, w, q, u, c, items, scores, count);
    c->list = items;
    c->n_list = KI_MIN(*count, p->depth);
    find_hits(w, c);
    if (p->how->average_ties) spread_ties(p, w, c, scores, *count);
    return KITH_OK;
}

static void add_order(const struct pass *p, struct worker *w, const ki_query *q, ki_case *c)
{
    c->auc = c->auc_strict = 0.5;
    if (q->n > 0)
        c->auc = ki_auc(w->whole, p->m->n_items, w->relevant, c->n_relevant, w->estimate,
                        &c->auc_strict);
}

static kith_err add_estimates(const struct pass *p, struct worker *w, const ki_query *q, int32_t u,
                              ki_case *c)
{
    const ki_csr *test = &p->f->test;
    int n = 0;
    for (int64_t j = test->ptr[u]; j < test->ptr[u + 1]; j++) {
        if (p->how->known_only && p->f->count[test->idx[j]] == 0) continue;
        w->rated_item[n] = test->idx[j];
        w->truth[n++] = test->val[j];
    }
    if (n == 0) return KITH_OK;
    const kith_err err =
        ki_ranker_predict(w->ranker, q, w->rated_item, n, w->estimate, w->supported);
    if (err != KITH_OK) return err;
    for (int j = 0; j < n; j++) w->n_fallbacks += !w->supported[j];
    c->truth = w->truth;
    c->estimate = w->estimate;
    c->n_rated = n;
    return KITH_OK;
}

static void keep_list(const struct pass *p, const ki_case *c, int64_t column)
{
    int32_t *to = p->out->lists + column * p->depth;
    for (int j = 0; j < p->depth; j++) to[j] = j < c->n_list ? c->list[j] : -1;
}

static int has_say(const ki_case *c, ki_metric_kind kind)
{
    switch (kind) {
    case KI_OF_LISTS:
    case KI_OF_SCORES: return c->n_relevant > 0;
    case KI_OF_RATINGS: return c->n_rated > 0;
    case KI_OF_EXPOSURE: break;
    }
    return 0;
}

static void write_halves(const struct pass *p, const ki_case *c, int64_t column)
{
    for (int j = 0; j < p->plan->n; j++) {
        const ki_asked *asked = &p->plan->asked[j];
        if (!has_say(c, asked->metric->kind)) continue;
        const ki_half h = asked->metric->user(c, asked->k);
        p->out->sum[j * p->n + column] = h.sum;
        p->out->weight[j * p->n + column] = h.weight;
    }
}

static kith_err measure_user(const struct pass *p, struct worker *w, int64_t column, int in_block)
{
    const int32_t u = p->users[column];
    const ki_query *q = &w->query[in_block];
    const int32_t slot = w->slot[in_block];
    ki_case c = { .catalogue = &p->f->catalogue,
                  .history = q->items,
                  .n_history = q->n,
                  .at = w->at,
                  .tied = w->tied,
                  .hit = w->hit,
                  .value = w->hit_value,
                  .ideal = w->ideal,
                  .auc = NAN,
                  .auc_strict = NAN,
                  .min = p->m->min,
                  .max = p->m->max,
                  .rated = w->rated,
                  .room = w->room };
    kith_err err = KITH_OK;
    if (p->how->known_only && q->n == 0) return KITH_OK;
    c.n_relevant = take_relevant(p, w, u);
    if (slot >= 0) err = add_list(p, w, q, u, slot, &c);
    if (err != KITH_OK) return err;
    if (p->out->lists != NULL) keep_list(p, &c, column);
    w->n_empty += p->depth > 0 && c.n_relevant > 0 && c.n_list == 0;
    if (ki_plan_wants(p->plan, KI_OF_SCORES) && c.n_relevant > 0) add_order(p, w, q, &c);
    if (p->rates) err = add_estimates(p, w, q, u, &c);
    if (err == KITH_OK) write_halves(p, &c, column);
    return err;
}

/* ---- a block, a chunk, a span
 * ------------------------------------------------------------------------------------
 */

static ki_query ask(const struct pass *p, int32_t u)
{
    const ki_csr *history = ki_fold_history(p->f, u);
    const int64_t from = history->ptr[u];
    const int32_t n = (int32_t)ki_csr_len(history, u);
    return (ki_query){ .user = n > 0 && history == &p->f->ratings.by_user ? u : -1,
                       .items = history->idx + from,
                       .values = history->val + from,
                       .n = n,
                       .skip = history->idx + from,
                       .n_skip = n };
}

static int is_relevant(const struct pass *p, int32_t u)
{
    for (int64_t j = p->f->test.ptr[u]; j < p->f->test.ptr[u + 1]; j++)
        if (is_wanted(p, j)) return 1;
    return 0;
}

static kith_err measure_block(const struct pass *p, struct worker *w, int64_t begin, int64_t end)
{
    int n = 0; /* queries to rank, moved to the front of `asked` */
    ki_query *asked = w->query + p->block;
    for (int64_t column = begin; column < end; column++) {
        const int32_t u = p->users[column];
        const ki_query q = ask(p, u);
        const int wanted =
            (p->depth > 0 || ki_plan_wants(p->plan, KI_OF_SCORES)) && q.n > 0 && is_relevant(p, u);
        w->query[column - begin] = q;
        w->slot[column - begin] = wanted ? n : -1;
        if (wanted) asked[n++] = q;
    }
    kith_err err = KITH_OK;
    if (n > 0 && p->depth > 0 && p->how->sampling.n == 0)
        err = ki_ranker_run(w->ranker, asked, n, w->items, w->scores, w->counts);
    for (int64_t column = begin; err == KITH_OK && column < end; column++)
        if (ki_csr_len(&p->f->test, p->users[column]) > 0)
            err = measure_user(p, w, column, (int)(column - begin));
    return err;
}

static kith_err measure_chunk(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct pass *p = arg;
    if (ki_job_cancelled(p->job)) return ki_fail(KITH_ECANCELED, "the evaluation was cancelled");
    for (int64_t at = begin; at < end; at += p->block) {
        const kith_err err = measure_block(p, &p->workers[worker], p->offset + at,
                                           p->offset + KI_MIN(at + p->block, end));
        if (err != KITH_OK) return err;
    }
    return KITH_OK;
}

/* ---- making and clearing
 * -----------------------------------------------------------------------------------------
 */

static int needs_whole(const struct pass *p)
{
    return ki_plan_wants(p->plan, KI_OF_SCORES) || p->how->average_ties || p->how->sampling.n > 0;
}

static size_t room_of(const struct pass *p)
{
    const ki_catalogue *c = &p->f->catalogue;
    const size_t features = c->space == NULL ? 0 : (size_t)c->space->n_cols;
    const size_t categories = c->mix == NULL ? 0 : (size_t)c->mix->n_cols;
    return KI_MAX(features, 2 * categories);
}

static kith_err make_sample_room(const struct pass *p, struct worker *w)
{
    const size_t n = (size_t)p->how->sampling.n;
    kith_err err = ki_alloc(&w->drawn, n, sizeof *w->drawn);
    if (err == KITH_OK)
        err = ki_alloc(&w->candidates, n + (size_t)p->longest, sizeof *w->candidates);
    return err == KITH_OK ? ki_negatives_room_make(&w->negatives, p->m->n_items) : err;
}

static kith_err make_worker(struct pass *p, struct worker *w)
{
    const size_t ranked = (size_t)KI_MAX(p->ranked, 1), longest = (size_t)p->longest;
    const size_t whole = needs_whole(p) ? (size_t)p->m->n_items : 0;
    kith_err err;
    if ((err = ki_ranker_new(p->m, (int)ranked, 0, &w->ranker)) != KITH_OK) return err;
    p->block = ki_ranker_block(w->ranker); /* of the model: the same for all workers */
    p->chunk = p->block * ((CHUNK + p->block - 1) / p->block);
    const size_t block = (size_t)p->block, hits = ranked + longest;
    if ((err = ki_alloc(&w->query, 2 * block, sizeof *w->query)) != KITH_OK ||
        (err = ki_alloc(&w->slot, block, sizeof *w->slot)) != KITH_OK ||
        (err = ki_alloc(&w->items, block * ranked, sizeof *w->items)) != KITH_OK ||
        (err = ki_alloc(&w->scores, block * ranked, sizeof *w->scores)) != KITH_OK ||
        (err = ki_alloc(&w->counts, block, sizeof *w->counts)) != KITH_OK ||
        (err = ki_alloc(&w->relevant, longest, sizeof *w->relevant)) != KITH_OK ||
        (err = ki_alloc(&w->value, longest, sizeof *w->value)) != KITH_OK ||
        (err = ki_alloc(&w->ideal, longest, sizeof *w->ideal)) != KITH_OK ||
        (err = ki_alloc(&w->at, hits, sizeof *w->at)) != KITH_OK ||
        (err = ki_alloc(&w->tied, hits, sizeof *w->tied)) != KITH_OK ||
        (err = ki_alloc(&w->hit, hits, sizeof *w->hit)) != KITH_OK ||
        (err = ki_alloc(&w->hit_value, hits, sizeof *w->hit_value)) != KITH_OK ||
        (err = ki_alloc(&w->rated_item, longest, sizeof *w->rated_item)) != KITH_OK ||
        (err = ki_alloc(&w->truth, longest, sizeof *w->truth)) != KITH_OK ||
        (err = ki_alloc(&w->estimate, longest, sizeof *w->estimate)) != KITH_OK ||
        (err = ki_alloc(&w->supported, longest, 1)) != KITH_OK ||
        (err = ki_alloc(&w->rated, 2 * longest, sizeof *w->rated)) != KITH_OK ||
        (err = ki_alloc(&w->room, room_of(p), sizeof *w->room)) != KITH_OK ||
        (err = ki_alloc(&w->whole, whole, sizeof *w->whole)) != KITH_OK)
        return err;
    return p->how->sampling.n > 0 ? make_sample_room(p, w) : KITH_OK;
}

static void clear_worker(struct worker *w)
{
    ki_ranker_free(w->ranker);
    ki_free(w->query);
    ki_free(w->slot);
    ki_free(w->items);
    ki_free(w->scores);
    ki_free(w->counts);
    ki_free(w->relevant);
    ki_free(w->value);
    ki_free(w->ideal);
    ki_free(w->at);
    ki_free(w->tied);
    ki_free(w->hit);
    ki_free(w->hit_value);
    ki_free(w->rated_item);
    ki_free(w->truth);
    ki_free(w->estimate);
    ki_free(w->supported);
    ki_free(w->rated);
    ki_free(w->room);
    ki_free(w->whole);
    ki_free(w->drawn);
    ki_free(w->candidates);
    ki_negatives_room_clear(&w->negatives);
}

static kith_err prepare(struct pass *p)
{
    const size_t halves = (size_t)p->plan->n * (size_t)p->n;
    const int keeps = ki_plan_wants(p->plan, KI_OF_EXPOSURE) || p->how->keep_lists;
    const size_t places = keeps ? (size_t)p->n * (size_t)p->depth : 0;
    kith_err err;
    if ((err = ki_job_memory(p->job, "evaluating", 16 * halves + 4 * places)) != KITH_OK)
        return err;
    if ((err = ki_alloc(&p->out->sum, halves, sizeof(double))) != KITH_OK) return err;
    if ((err = ki_alloc(&p->out->weight, halves, sizeof(double))) != KITH_OK) return err;
    if (places > 0 && (err = ki_alloc(&p->out->lists, places, sizeof(int32_t))) != KITH_OK)
        return err;
    for (size_t j = 0; j < places; j++) p->out->lists[j] = -1;
    for (int64_t j = 0; j < p->n; j++)
        p->longest = KI_MAX(p->longest, ki_csr_len(&p->f->test, p->users[j]));
    if (p->how->sampling.n > 0 &&
        (err = ki_negatives_make(&p->negatives, p->how->sampling, &p->f->catalogue)) != KITH_OK)
        return err;
    if ((err = ki_alloc(&p->workers, (size_t)p->n_workers, sizeof *p->workers)) != KITH_OK)
        return err;
    for (int w = 0; err == KITH_OK && w < p->n_workers; w++) err = make_worker(p, &p->workers[w]);
    return err;
}

static kith_err run(struct pass *p, const char *what)
{
    kith_err err = ki_job_step(p->job, what, 0, p->n);
    const int64_t span = (int64_t)SPAN * p->chunk;
    for (; err == KITH_OK && p->offset < p->n; p->offset += span) {
        const int64_t end = KI_MIN(p->offset + span, p->n);
        err = ki_parallel_for(p->job->pool, end - p->offset, p->chunk, measure_chunk, p);
        if (err == KITH_OK) err = ki_job_step(p->job, what, end, p->n);
    }
    for (int w = 0; w < p->n_workers; w++) {
        p->out->n_empty += p->workers[w].n_empty;
        p->out->n_fallbacks += p->workers[w].n_fallbacks;
    }
    return err;
}

kith_err ki_measure(ki_measured *out, const ki_model *m, const ki_fold *f, const ki_measuring *how,
                    ki_job *job, const char *what)
{
    const int depth = ki_plan_depth(how->plan);
    ki_measured result = { .n_users = how->n, .depth = depth };
    struct pass p = { .m = m,
                      .f = f,
                      .how = how,
                      .plan = how->plan,
                      .users = how->users,
                      .n = how->n,
                      .job = job,
                      .depth = depth,
                      .ranked = depth > 0 ? depth + how->average_ties : 0,
                      .rates = ki_model_rates(m) && ki_plan_wants(how->plan, KI_OF_RATINGS),
                      .n_workers = ki_pool_size(job->pool),
                      .out = &result };
    *out = (ki_measured){ 0 };
    kith_err err = prepare(&p);
    if (err == KITH_OK) err = run(&p, what);
    for (int w = 0; p.workers != NULL && w < p.n_workers; w++) clear_worker(&p.workers[w]);
    ki_free(p.workers);
    ki_negatives_clear(&p.negatives);
    if (err != KITH_OK)
        ki_measured_clear(&result);
    else
        *out = result;
    return err;
}

double ki_measured_value(const ki_measured *r, const ki_plan *plan, int j)
{
    const ki_metric *metric = plan->asked[j].metric;
    double sum = 0, weight = 0;
    if (metric->pool != NULL)
        return metric->pool(r->sum + j * r->n_users, r->weight + j * r->n_users, NULL, r->n_users);
    for (int64_t column = 0; column < r->n_users; column++) {
        sum += r->sum[j * r->n_users + column];
        weight += r->weight[j * r->n_users + column];
    }
    return ki_metric_value(metric, sum, weight);
}

void ki_measured_drop_lists(ki_measured *r)
{
    ki_free(r->lists);
    r->lists = NULL;
}

void ki_measured_clear(ki_measured *r)
{
    ki_free(r->sum);
    ki_free(r->weight);
    ki_free(r->lists);
    *r = (ki_measured){ 0 };
}
