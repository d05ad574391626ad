/* SPDX-License-Identifier: MIT
 * generate_sample.c -- how often users act, when, and how they pick without picking twice
 */
#include "data/generate.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

static const double activity_power =
    0.6; /* activity ~ rank^-0.6: the busiest 10% of users hold about 40% */

static const int64_t first_second = 1672531200; /* 2023-01-01T00:00:00Z */
static const double n_seconds = 2 * 365 * 86400.0;

float ki_rating(double x)
{
    return (float)KI_MAX(1, KI_MIN(5, floor(x + 0.5)));
}

/* ---- choosing */

static int by_key(const void *a, const void *b)
{
    const ki_key *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* Item i arrives at an exponential time with rate weight[i]; the order of arrival is that of
 * drawing without replacement (Efraimidis and Spirakis, IPL 2006). */
void ki_sample_without_replacement(ki_rng *r, const float *weight, int32_t n_items, int64_t n,
                                   ki_key *keys, int32_t *out)
{
    for (int32_t i = 0; i < n_items; i++)
        keys[i] = (ki_key){ (float)(-log(1.0 - ki_rng_unit(r)) / (double)weight[i]), i };
    qsort(keys, (size_t)n_items, sizeof *keys, by_key);
    for (int64_t j = 0; j < n; j++) out[j] = keys[j].item;
}

/* ---- activity */

static int64_t rows_of(double weight, double scale, int64_t cap)
{
    return KI_MAX(1, (int64_t)KI_MIN(scale * weight, (double)cap));
}

static int64_t total_rows(const double *weight, int32_t n_users, double scale, int64_t cap)
{
    int64_t sum = 0;
    for (int32_t u = 0; u < n_users; u++) sum += rows_of(weight[u], scale, cap);
    return sum;
}

/* The largest scale (all but) that stays within n rows; weights are at least 1, so `cap` is too
 * large or just right. */
static double find_scale(const double *weight, int32_t n_users, int64_t cap, int64_t n)
{
    double low = 0, high = (double)cap;
    for (int step = 0; step < 48; step++) {
        const double mid = 0.5 * (low + high);
        if (total_rows(weight, n_users, mid, cap) <= n)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* Nobody takes more than a quarter of the catalogue unless the asked density leaves no choice: a
 * user who has seen all of it tells an evaluation nothing. */
static int64_t most_rows(const ki_world *w)
{
    const int64_t mean = (w->n + w->n_users - 1) / w->n_users;
    return KI_MIN(w->n_items, KI_MAX(2 * mean, w->n_items / 4));
}

kith_err ki_plan_activity(const ki_world *w, int64_t **begin)
{
    double *weight = NULL;
    int64_t *rows = NULL;
    const int64_t cap = most_rows(w);
    kith_err err;
    if ((err = ki_alloc(&weight, (size_t)w->n_users, sizeof *weight)) != KITH_OK) goto done;
    if ((err = ki_alloc(&rows, (size_t)w->n_users + 1, sizeof *rows)) != KITH_OK) goto done;
    for (int32_t u = 0; u < w->n_users; u++) {
        ki_rng r = ki_rng_make(w->seed, KI_STREAM_ACTIVITY, (uint64_t)u);
        weight[u] =
            pow(1.0 - ki_rng_unit(&r), -activity_power); /* unit^-a is rank^-a in random order */
    }
    const double scale = find_scale(weight, w->n_users, cap, w->n);
    int64_t left = w->n;
    for (int32_t u = 0; u < w->n_users; u++) left -= rows[u + 1] = rows_of(weight[u], scale, cap);
    while (left > 0) /* what rounding down left over: one each */
        for (int32_t u = 0; u < w->n_users && left > 0; u++) {
            if (rows[u + 1] == cap) continue;
            rows[u + 1]++;
            left--;
        }
    for (int32_t u = 0; u < w->n_users; u++) rows[u + 1] += rows[u];
    *begin = rows;
    rows = NULL;
done:
    ki_free(weight);
    ki_free(rows);
    return err;
}

/* ---- times */

/* From even time to calendar time, both in [0, 1]; its slope is 1 - 0.6 cos(4 pi s), so the density
 * of what is mapped peaks at the turns of the two years. */
static double season(double s)
{
    return s - 0.6 / (4 * M_PI) * sin(4 * M_PI * s);
}

/* Each user is there for a part of the two years.  Sums of n + 1 exponential steps, over their
 * total, are n sorted uniform points; they wait in out as multiples of 2^-30 until the total is
 * known. */
void ki_spread_times(ki_rng *r, int64_t n, int64_t *out)
{
    const double joins = 0.9 * ki_rng_unit(r), stays = (1 - joins) * (0.1 + 0.9 * ki_rng_unit(r));
    double sum = 0;
    for (int64_t j = 0; j < n; j++) {
        sum -= log(1.0 - ki_rng_unit(r));
        out[j] = (int64_t)(sum * 0x1p30);
    }
    sum -= log(1.0 - ki_rng_unit(r));
    for (int64_t j = 0; j < n; j++) {
        const double even = joins + stays * (double)out[j] * 0x1p-30 / sum;
        const int64_t time = first_second + (int64_t)(n_seconds * season(even));
        out[j] = j > 0 && time <= out[j - 1] ? out[j - 1] + 1 : time; /* one thing per second */
    }
}
