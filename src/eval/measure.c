/* SPDX-License-Identifier: MIT
 * measure.c -- rank each test user once, then all metrics and all cut-offs from the places of the
 * hits
 *
 * Users are cut into chunks; a chunk is ranked block by block, as kith_recommend_batch does, and
 * each user's list becomes hits by looking up its k places in the user's few relevant items.  So
 * beyond the top-k pass a user costs k log |R|.  Everything is written per user, and exposure is
 * counted in whole numbers, so no sum depends on who ran what.
 * Cold users  (no history) are not asked: their list is empty and all pairs tie for auc.
 * Cost        memory 16 bytes per user and metric, 4 per item and cut-off (exposure only)
 */
#include "eval/measure.h"

#include "base/mem.h"
#include "model/rank.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 64, /* users that are handed out at once: at least so many, in whole blocks */
    SPAN = 64,  /* chunks between two steps that are told */
};

struct worker {
    ki_ranker *ranker;
    ki_query *query;      /* [block] */
    int32_t *slot;        /* [block] row of the ranker's output, or -1: not asked */
    int32_t *items;       /* [block, depth] */
    float *scores;        /* [block, depth] */
    int32_t *counts;      /* [block] */
    int32_t *relevant;    /* [longest] items of the user being measured, rising */
    float *value, *ideal; /* [longest] their test values; the same, falling */
    int32_t *at;          /* [depth] places of hits */
    float *hit_value;     /* [depth] */
    float *estimate;      /* [longest] */
    uint8_t *supported;   /* [longest] */
    float *whole;         /* [n_items] scores, for auc */
    int64_t n_empty, n_fallbacks;
};

struct pass {
    const ki_model *m;
    const ki_fold *f;
    const ki_plan *plan;
    const int32_t *users;
    int64_t n, offset; /* offset: where the running span begins */
    ki_job *job;
    int depth, rates;
    int block, chunk; /* users ranked at once, as the ranker likes it; users handed out at once */
    int64_t longest;  /* test rows of one user */
    struct worker *workers;
    int n_workers;
    atomic_int *served; /* [n_cutoffs, n_items]: places in band b of the list; NULL: not wanted */
    uint8_t *band;      /* [depth] the band of a place */
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

static int take_relevant(const struct pass *p, struct worker *w, int32_t u)
{
    const ki_csr *test = &p->f->test;
    int n = 0;
    for (int64_t j = test->ptr[u]; j < test->ptr[u + 1]; j++) {
        if (test->val[j] < p->f->relevant_from) continue;
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

static void find_hits(struct worker *w, ki_case *c)
{
    for (int j = 0; j < c->n_list; j++) {
        const int r = find(w->relevant, c->n_relevant, c->list[j]);
        if (r == c->n_relevant || w->relevant[r] != c->list[j]) continue;
        w->at[c->n_hits] = j;
        w->hit_value[c->n_hits++] = w->value[r];
    }
    c->at = w->at;
    c->value = w->hit_value;
}

static kith_err add_order(const struct pass *p, struct worker *w, const ki_query *q, ki_case *c)
{
    if (q->n == 0) return c->auc = 0.5, KITH_OK;
    const kith_err err = ki_ranker_scores(w->ranker, q, w->whole);
    if (err == KITH_OK)
        c->auc = ki_auc(w->whole, p->m->n_items, w->relevant, c->n_relevant, w->estimate);
    return err;
}

static kith_err add_estimates(const struct pass *p, struct worker *w, const ki_query *q, int32_t u,
                              ki_case *c)
{
    const ki_csr *test = &p->f->test;
    const int64_t from = test->ptr[u];
    const int n = (int)ki_csr_len(test, u);
    const kith_err err =
        ki_ranker_predict(w->ranker, q, test->idx + from, n, w->estimate, w->supported);
    if (err != KITH_OK) return err;
    for (int j = 0; j < n; j++) w->n_fallbacks += !w->supported[j];
    c->truth = test->val + from;
    c->estimate = w->estimate;
    c->n_rated = n;
    return KITH_OK;
}

static void expose(const struct pass *p, const ki_case *c)
{
    for (int j = 0; p->served != NULL && j < c->n_list; j++)
        atomic_fetch_add_explicit(&p->served[(int64_t)p->band[j] * p->m->n_items + c->list[j]], 1,
                                  memory_order_relaxed);
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
                  .ideal = w->ideal,
                  .auc = NAN,
                  .min = p->m->min,
                  .max = p->m->max };
    kith_err err = KITH_OK;
    c.n_relevant = take_relevant(p, w, u);
    if (slot >= 0) {
        c.list = w->items + (int64_t)slot * p->depth;
        c.n_list = w->counts[slot];
        find_hits(w, &c);
        expose(p, &c);
    }
    w->n_empty += p->depth > 0 && c.n_relevant > 0 && c.n_list == 0;
    if (ki_plan_wants(p->plan, KI_OF_SCORES) && c.n_relevant > 0) err = add_order(p, w, q, &c);
    if (err == KITH_OK && p->rates) err = add_estimates(p, w, q, u, &c);
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
    const ki_csr *test = &p->f->test;
    for (int64_t j = test->ptr[u]; j < test->ptr[u + 1]; j++)
        if (test->val[j] >= p->f->relevant_from) return 1;
    return 0;
}

static kith_err measure_block(const struct pass *p, struct worker *w, int64_t begin, int64_t end)
{
    int n = 0; /* queries to rank, moved to the front of `asked` */
    ki_query *asked = w->query + p->block;
    for (int64_t column = begin; column < end; column++) {
        const int32_t u = p->users[column];
        const ki_query q = ask(p, u);
        const int wanted = p->depth > 0 && q.n > 0 && is_relevant(p, u);
        w->query[column - begin] = q;
        w->slot[column - begin] = wanted ? n : -1;
        if (wanted) asked[n++] = q;
    }
    kith_err err =
        n == 0 ? KITH_OK : ki_ranker_run(w->ranker, asked, n, w->items, w->scores, w->counts);
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

/* ---- exposure
 * ----------------------------------------------------------------------------------------------------
 */

static void find_bands(struct pass *p)
{
    for (int place = 0, b = 0; place < p->depth; place++) {
        while (place >= p->plan->cutoffs[b]) b++;
        p->band[place] = (uint8_t)b;
    }
}

/* Turn counts per band into counts up to each cut-off, and these into metrics. */
static kith_err weigh_exposure(struct pass *p)
{
    const int32_t n = p->m->n_items;
    int32_t *served = NULL, *sorted = NULL;
    kith_err err = ki_alloc(&served, (size_t)n, sizeof *served);
    if (err == KITH_OK) err = ki_alloc(&sorted, (size_t)n, sizeof *sorted);
    for (int b = 0; err == KITH_OK && b < p->plan->n_cutoffs; b++) {
        int64_t places = 0;
        for (int32_t i = 0; i < n; i++)
            places += served[i] +=
                atomic_load_explicit(&p->served[(int64_t)b * n + i], memory_order_relaxed);
        const ki_exposure e = { &p->f->catalogue, served, sorted };
        for (int j = 0; j < p->plan->n; j++) {
            const ki_asked *asked = &p->plan->asked[j];
            if (asked->metric->kind == KI_OF_EXPOSURE && asked->band == b)
                p->out->whole[j] = places > 0 ? asked->metric->exposure(&e, places) : 0;
        }
    }
    ki_free(served);
    ki_free(sorted);
    return err;
}

/* ---- making and clearing
 * -----------------------------------------------------------------------------------------
 */

static kith_err make_worker(struct pass *p, struct worker *w)
{
    const size_t depth = (size_t)KI_MAX(p->depth, 1);
    const size_t longest = (size_t)p->longest;
    const size_t whole = ki_plan_wants(p->plan, KI_OF_SCORES) ? (size_t)p->m->n_items : 0;
    kith_err err;
    if ((err = ki_ranker_new(p->m, (int)depth, 0, &w->ranker)) != KITH_OK) return err;
    p->block = ki_ranker_block(w->ranker); /* of the model: the same for all workers */
    p->chunk = p->block * ((CHUNK + p->block - 1) / p->block);
    const size_t block = (size_t)p->block;
    if ((err = ki_alloc(&w->query, 2 * block, sizeof *w->query)) != KITH_OK) return err;
    if ((err = ki_alloc(&w->slot, block, sizeof *w->slot)) != KITH_OK) return err;
    if ((err = ki_alloc(&w->items, block * depth, sizeof *w->items)) != KITH_OK) return err;
    if ((err = ki_alloc(&w->scores, block * depth, sizeof *w->scores)) != KITH_OK) return err;
    if ((err = ki_alloc(&w->counts, block, sizeof *w->counts)) != KITH_OK) return err;
    if ((err = ki_alloc(&w->relevant, longest, sizeof *w->relevant)) != KITH_OK) return err;
    if ((err = ki_alloc(&w->value, longest, sizeof *w->value)) != KITH_OK) return err;
    if ((err = ki_alloc(&w->ideal, longest, sizeof *w->ideal)) != KITH_OK) return err;
    if ((err = ki_alloc(&w->at, depth, sizeof *w->at)) != KITH_OK) return err;
    if ((err = ki_alloc(&w->hit_value, depth, sizeof *w->hit_value)) != KITH_OK) return err;
    if ((err = ki_alloc(&w->estimate, longest, sizeof *w->estimate)) != KITH_OK) return err;
    if ((err = ki_alloc(&w->supported, longest, 1)) != KITH_OK) return err;
    return ki_alloc(&w->whole, whole, sizeof *w->whole);
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
    ki_free(w->hit_value);
    ki_free(w->estimate);
    ki_free(w->supported);
    ki_free(w->whole);
}

static kith_err prepare(struct pass *p)
{
    const size_t halves = (size_t)p->plan->n * (size_t)p->n;
    const size_t exposure = ki_plan_wants(p->plan, KI_OF_EXPOSURE)
                                ? (size_t)p->plan->n_cutoffs * (size_t)p->m->n_items
                                : 0;
    kith_err err;
    if ((err = ki_job_memory(p->job, "evaluating", 16 * halves + 4 * exposure)) != KITH_OK)
        return err;
    if ((err = ki_alloc(&p->out->sum, halves, sizeof(double))) != KITH_OK) return err;
    if ((err = ki_alloc(&p->out->weight, halves, sizeof(double))) != KITH_OK) return err;
    if (exposure > 0 && (err = ki_alloc(&p->served, exposure, sizeof *p->served)) != KITH_OK)
        return err;
    if ((err = ki_alloc(&p->band, (size_t)p->depth, 1)) != KITH_OK) return err;
    find_bands(p);
    for (int64_t j = 0; j < p->n; j++)
        p->longest = KI_MAX(p->longest, ki_csr_len(&p->f->test, p->users[j]));
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

kith_err ki_measure(ki_measured *out, const ki_model *m, const ki_fold *f, const ki_plan *plan,
                    const int32_t *users, int64_t n, ki_job *job, const char *what)
{
    ki_measured result = { .n_users = n };
    struct pass p = { .m = m,
                      .f = f,
                      .plan = plan,
                      .users = users,
                      .n = n,
                      .job = job,
                      .depth = ki_plan_depth(plan),
                      .rates = ki_model_rates(m) && ki_plan_wants(plan, KI_OF_RATINGS),
                      .n_workers = ki_pool_size(job->pool),
                      .out = &result };
    *out = (ki_measured){ 0 };
    for (int j = 0; j < KI_MAX_METRICS; j++) result.whole[j] = NAN;
    kith_err err = prepare(&p);
    if (err == KITH_OK) err = run(&p, what);
    if (err == KITH_OK && p.served != NULL) err = weigh_exposure(&p);
    for (int w = 0; p.workers != NULL && w < p.n_workers; w++) clear_worker(&p.workers[w]);
    ki_free(p.workers);
    ki_free(p.served);
    ki_free(p.band);
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
    if (metric->kind == KI_OF_EXPOSURE) return r->whole[j];
    for (int64_t column = 0; column < r->n_users; column++) {
        sum += r->sum[j * r->n_users + column];
        weight += r->weight[j * r->n_users + column];
    }
    return ki_metric_value(metric, sum, weight);
}

void ki_measured_clear(ki_measured *r)
{
    ki_free(r->sum);
    ki_free(r->weight);
    *r = (ki_measured){ 0 };
}
