/* SPDX-License-Identifier: MIT
 * exposure.c -- how often each item is served, over all users or over a resample of them
 *
 * Counts grow band by band: the places up to the first cut-off, then those up to the second, and so
 * on, so every place is counted once.
 * Cost     resamples * (places served + items)
 */
#include "eval/exposure.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

struct counts {
    int32_t *served; /* [n_items] */
    int32_t *sorted; /* [n_items] scratch */
    int32_t *times;  /* [n_users] how often a user was drawn */
};

static kith_err make_counts(struct counts *c, size_t n_items, size_t n_users)
{
    kith_err err = ki_alloc(&c->served, n_items, sizeof *c->served);
    if (err == KITH_OK) err = ki_alloc(&c->sorted, n_items, sizeof *c->sorted);
    if (err == KITH_OK) err = ki_alloc(&c->times, n_users, sizeof *c->times);
    return err;
}

static void clear_counts(struct counts *c)
{
    ki_free(c->served);
    ki_free(c->sorted);
    ki_free(c->times);
}

/* Count places [from, to) of every list, as often as its user was drawn; how many there were. */
static int64_t count_places(const ki_measured *r, struct counts *c, int from, int to)
{
    int64_t places = 0;
    for (int64_t u = 0; u < r->n_users; u++) {
        const int32_t *list = r->lists + u * r->depth;
        for (int j = from; c->times[u] > 0 && j < to && list[j] >= 0; j++) {
            c->served[list[j]] += c->times[u];
            places += c->times[u];
        }
    }
    return places;
}

static void weigh(const ki_measured *r, const ki_catalogue *catalogue, const ki_plan *plan,
                  struct counts *c, double *whole)
{
    const ki_exposure e = { catalogue, c->served, c->sorted };
    int64_t places = 0;
    memset(c->served, 0, (size_t)catalogue->n_items * sizeof *c->served);
    for (int b = 0; b < plan->n_cutoffs; b++) {
        places += count_places(r, c, b == 0 ? 0 : plan->cutoffs[b - 1], plan->cutoffs[b]);
        for (int j = 0; j < plan->n; j++)
            if (plan->asked[j].metric->kind == KI_OF_EXPOSURE && plan->asked[j].band == b)
                whole[j] = plan->asked[j].metric->exposure(&e, places);
    }
}

kith_err ki_exposure_weigh(const ki_measured *r, const ki_catalogue *c, const ki_plan *plan,
                           double *whole)
{
    struct counts counts = { 0 };
    const kith_err err = make_counts(&counts, (size_t)c->n_items, (size_t)r->n_users);
    for (int64_t u = 0; err == KITH_OK && u < r->n_users; u++) counts.times[u] = 1;
    if (err == KITH_OK) weigh(r, c, plan, &counts, whole);
    clear_counts(&counts);
    return err;
}

/* ---- resamples ---- */

struct resampling {
    const ki_measured *r;
    const ki_catalogue *catalogue;
    const ki_plan *plan;
    const ki_chance *how;
    struct counts *counts; /* [workers] */
    double share, *out;
};

static kith_err resample(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct resampling *s = arg;
    double whole[KI_MAX_METRICS];
    if (s->how->job != NULL && ki_job_cancelled(s->how->job))
        return ki_fail(KITH_ECANCELED, "the intervals were cancelled");
    for (int64_t b = begin; b < end; b++) {
        struct counts *c = &s->counts[worker];
        ki_resample_users(c->times, s->r->n_users, s->how->seed, b);
        weigh(s->r, s->catalogue, s->plan, c, whole);
        for (int j = 0; j < s->plan->n; j++)
            if (s->plan->asked[j].metric->kind == KI_OF_EXPOSURE)
                s->out[(int64_t)j * s->how->n + b] += s->share * whole[j];
    }
    return KITH_OK;
}

kith_err ki_exposure_resample(const ki_measured *r, const ki_catalogue *c, const ki_plan *plan,
                              const ki_chance *how, double share, double *out)
{
    struct resampling s = { r, c, plan, how, NULL, share, out };
    const int n_workers = ki_pool_size(how->pool);
    kith_err err = ki_alloc(&s.counts, (size_t)n_workers, sizeof *s.counts);
    for (int w = 0; err == KITH_OK && w < n_workers; w++)
        err = make_counts(&s.counts[w], (size_t)c->n_items, (size_t)r->n_users);
    if (err == KITH_OK) err = ki_parallel_for(how->pool, how->n, 4, resample, &s);
    for (int w = 0; s.counts != NULL && w < n_workers; w++) clear_counts(&s.counts[w]);
    ki_free(s.counts);
    return err;
}
