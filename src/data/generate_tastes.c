/* SPDX-License-Identifier: MIT
 * generate_tastes.c -- power-law popularity and planted low-rank tastes
 *
 * Model   y_i of unit length in `rank` dimensions (random, or from the attributes of a catalogue), x_u normal, so the
 *         taste t = x_u.y_i is standard normal over users for every item.  A user draws items with probability
 *         ~ popularity_i * s(t), s(t) = 1 / (1 + exp(-4 (t - 1.5))), popularity of the item of rank j: (j + 1)^-power.
 *         As the mean of s(t) over users is one number, the same for every item, the expected counts follow popularity
 *         exactly while users take few items of many; users who take many bend the head of the curve down, as nobody
 *         takes an item twice.
 *         Rating: round(2.7 + b_u + b_i + 0.7 t + noise), b_u and b_i normal with deviation 0.35, cut to 1..5.
 * Cost    about twelve draws of rank multiplications per interaction; memory n_items (rank + 4) floats and 16 bytes an
 *         item per worker.
 */
#include "data/generate.h"

#include "base/alias.h"
#include "base/mem.h"

#include <math.h>

static const double base_rating = 2.7, taste_weight = 0.7, bias_sd = 0.35;

enum { BATCH = 32, DRAWS_PER_ITEM = 12, N_BARS = 4096 };

struct ki_tastes {
    const ki_world *w;
    const ki_table *catalogue; /* or NULL */
    float *Y;                  /* [n_items, rank] */
    float *bias;               /* [n_items] */
    float *popular;            /* [n_items] */
    float bar[N_BARS];         /* the taste that a draw must reach, by its mood */
    ki_alias draw;             /* over popularity */
    uint32_t *taken;           /* [n_workers, n_items] u + 1 of the last user who took it */
    ki_key *keys;              /* [n_workers, n_items] */
    float *weight;             /* [n_workers, n_items] */
    float *X;                  /* [n_workers, rank] the user at hand */
};

/* Biases, and for a world without a catalogue the directions too. */
static kith_err fill_items(void *self, int64_t begin, int64_t end, int worker)
{
    ki_tastes *m = self;
    const int32_t rank = m->w->rank;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        ki_rng r = ki_rng_make(m->w->seed, KI_STREAM_ITEM, (uint64_t)i);
        m->bias[i] = (float)(bias_sd * ki_rng_normal(&r));
        if (m->catalogue == NULL) ki_rng_fill_normal(&r, 1, m->Y + i * rank, rank);
    }
    return KITH_OK;
}

static void to_unit_length(float *y, int32_t rank)
{
    double norm = 0;
    for (int32_t k = 0; k < rank; k++) norm += (double)y[k] * (double)y[k];
    const float scale = (float)(1 / sqrt(KI_MAX(norm, 1e-20)));
    for (int32_t k = 0; k < rank; k++) y[k] *= scale;
}

/* Item i has popularity rank i; but a catalogue is in some order (of years, of letters), so its ranks are shuffled. */
static kith_err fill_popularity(ki_tastes *m)
{
    int64_t *order = NULL;
    const int32_t n = m->w->n_items;
    const kith_err err = ki_alloc(&order, (size_t)n, sizeof *order);
    if (err != KITH_OK) return err;
    for (int32_t i = 0; i < n; i++) order[i] = i;
    ki_rng r = ki_rng_make(m->w->seed, KI_STREAM_CATALOGUE, 0);
    if (m->catalogue != NULL) ki_rng_shuffle(&r, order, n);
    for (int32_t i = 0; i < n; i++) m->popular[order[i]] = (float)pow((double)i + 1, -m->w->power);
    ki_free(order);
    return KITH_OK;
}

static double appeal(double t)
{
    return 1 / (1 + exp(-4 * (t - 1.5)));
}

/* A draw is accepted with probability s(t), to 1/4096, when t reaches a random one of these bars. */
static void fill_bars(ki_tastes *m)
{
    for (int b = 0; b < N_BARS; b++) {
        const double mood = (b + 0.5) / N_BARS;
        m->bar[b] = (float)(1.5 + log(mood / (1 - mood)) / 4);
    }
}

static kith_err make_draw(ki_tastes *m)
{
    double *weights = NULL;
    kith_err err = ki_alloc(&weights, (size_t)m->w->n_items, sizeof *weights);
    if (err != KITH_OK) return err;
    for (int32_t i = 0; i < m->w->n_items; i++) weights[i] = (double)m->popular[i];
    err = ki_alias_make(&m->draw, weights, m->w->n_items);
    ki_free(weights);
    return err;
}

static kith_err make_room(ki_tastes *m)
{
    const size_t n = (size_t)m->w->n_items, workers = (size_t)m->w->n_workers,
                 rank = (size_t)m->w->rank;
    kith_err err;
    if ((err = ki_alloc(&m->Y, n * rank, sizeof *m->Y)) != KITH_OK) return err;
    if ((err = ki_alloc(&m->bias, n, sizeof *m->bias)) != KITH_OK) return err;
    if ((err = ki_alloc(&m->popular, n, sizeof *m->popular)) != KITH_OK) return err;
    if ((err = ki_alloc(&m->taken, workers * n, sizeof *m->taken)) != KITH_OK) return err;
    if ((err = ki_alloc(&m->keys, workers * n, sizeof *m->keys)) != KITH_OK) return err;
    if ((err = ki_alloc(&m->weight, workers * n, sizeof *m->weight)) != KITH_OK) return err;
    return ki_alloc(&m->X, workers * rank, sizeof *m->X);
}

kith_err ki_tastes_new(ki_tastes **out, const ki_world *w, const ki_table *catalogue, ki_job *job)
{
    ki_tastes *m = NULL;
    kith_err err = ki_alloc(&m, 1, sizeof *m);
    if (err != KITH_OK) return err;
    m->w = w;
    m->catalogue = catalogue;
    if ((err = make_room(m)) != KITH_OK) goto fail;
    if ((err = ki_parallel_for(job->pool, w->n_items, 1024, fill_items, m)) != KITH_OK) goto fail;
    if (catalogue != NULL && (err = ki_catalogue_factors(catalogue, w, m->Y)) != KITH_OK) goto fail;
    for (int32_t i = 0; i < w->n_items; i++)
        to_unit_length(m->Y + (size_t)i * (size_t)w->rank, w->rank);
    fill_bars(m);
    if ((err = fill_popularity(m)) != KITH_OK) goto fail;
    if ((err = make_draw(m)) != KITH_OK) goto fail;
    *out = m;
    return KITH_OK;
fail:
    ki_tastes_free(m);
    return err;
}

void ki_tastes_free(ki_tastes *m)
{
    if (m == NULL) return;
    ki_free(m->Y);
    ki_free(m->bias);
    ki_free(m->popular);
    ki_free(m->taken);
    ki_free(m->keys);
    ki_free(m->weight);
    ki_free(m->X);
    ki_alias_clear(&m->draw);
    ki_free(m);
}

/* ---- one user */

/* x.y_i in four sums, so that additions need not wait for each other; always the same order, hence the same bits. */
static double taste(const ki_tastes *m, const float *x, int32_t i)
{
    const int32_t rank = m->w->rank, whole = rank / 4 * 4;
    const float *y = m->Y + (size_t)i * (size_t)rank;
    float sum[4] = { 0 };
    for (int32_t k = 0; k < whole; k += 4)
        for (int32_t s = 0; s < 4; s++) sum[s] += x[k + s] * y[k + s];
    for (int32_t k = whole; k < rank; k++) sum[0] += x[k] * y[k];
    return (double)((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

/* Draw by popularity, accept by taste, drop what is taken already.  Draws are made a few at a time, so that their
 * cache misses overlap.  0 when all this takes longer than looking at every item would. */
static int choose_by_rejection(const ki_tastes *m, const float *x, int32_t u, ki_rng *r, int64_t n,
                               int32_t *items, uint32_t *taken)
{
    const uint32_t mark = (uint32_t)u + 1;
    int64_t patience = 64 + 4 * (int64_t)m->w->n_items;
    int32_t drawn[BATCH];
    for (int64_t j = 0; j < n;) {
        const int batch = (int)KI_MIN(BATCH, DRAWS_PER_ITEM * (n - j));
        if ((patience -= batch) < 0) return 0;
        for (int b = 0; b < batch; b++) {
            drawn[b] = ki_alias_draw(&m->draw, r);
            __builtin_prefetch(m->Y + (size_t)drawn[b] * (size_t)m->w->rank);
        }
        for (int b = 0; b < batch && j < n; b++) {
            const int32_t i = drawn[b];
            if (taste(m, x, i) < (double)m->bar[ki_rng_next(r) >> 52] || taken[i] == mark) continue;
            taken[i] = mark;
            items[j++] = i;
        }
    }
    return 1;
}

/* The same choice by looking at every item. */
static void choose_exactly(const ki_tastes *m, const float *x, ki_rng *r, int64_t n, int32_t *items,
                           int worker)
{
    const int32_t n_items = m->w->n_items;
    float *weight = m->weight + (size_t)worker * (size_t)n_items;
    for (int32_t i = 0; i < n_items; i++) weight[i] = m->popular[i] * (float)appeal(taste(m, x, i));
    ki_sample_without_replacement(r, weight, n_items, n, m->keys + (size_t)worker * (size_t)n_items,
                                  items);
}

void ki_tastes_choose(ki_tastes *m, int32_t u, ki_rng *r, int64_t n, int32_t *items, float *values,
                      int worker)
{
    const int32_t n_items = m->w->n_items;
    float *x = m->X + (size_t)worker * (size_t)m->w->rank;
    ki_rng_fill_normal(r, 1, x, m->w->rank);
    const double bias = bias_sd * ki_rng_normal(r);
    const int many = 8 * n > n_items;
    if (many ||
        !choose_by_rejection(m, x, u, r, n, items, m->taken + (size_t)worker * (size_t)n_items))
        choose_exactly(m, x, r, n, items, worker);
    for (int64_t j = 0; j < n; j++) {
        const int32_t i = items[j];
        const double planted =
            base_rating + bias + (double)m->bias[i] + taste_weight * taste(m, x, i);
        values[j] = m->w->implicit ? 1 : ki_rating(planted + m->w->noise * ki_rng_normal(r));
    }
}
