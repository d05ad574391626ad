/* SPDX-License-Identifier: MIT
 * popularity.c -- the same list for everybody: most events, best damped mean, or most events lately
 *
 * count    s_i = number of users who have i
 * mean     s_i = (sum_u r_ui + damping * mu) / (n_i + damping)
 * decayed  s_i = sum over events of 2^(-(T - t) / half_life), T the latest time of the training
 * part Estimate of a rating (evaluation of rmse): the damped mean, whatever the order is by. Paper
 * none; the damped mean is the shrinkage estimate of the Netflix prize literature (Koren, TKDD
 * 2010, 2.1) Checked  test_popularity.c: hand-computed counts, means, halves
 */
#include "model/form_static.h"

#include "base/mem.h"

#include <math.h>

enum order { BY_COUNT, BY_MEAN, BY_DECAY };
static const char *const orders[] = { "count", "mean", "decayed", NULL };

struct popularity {
    int32_t by;
    float damping, half_life_days;
};

static const ki_param params[] = {
    { .name = "by",
      .kind = KI_CHOICE,
      .offset = offsetof(struct popularity, by),
      .init = BY_COUNT,
      .choices = orders,
      .meaning = "what the list is ordered by" },
    { .name = "damping",
      .kind = KI_FLOAT,
      .offset = offsetof(struct popularity, damping),
      .init = 5,
      .min = 0,
      .max = 1e6,
      .meaning = "imagined ratings of the global mean that every item starts with",
      .scale = KI_LINEAR,
      .tune_min = 0,
      .tune_max = 50 },
    { .name = "half_life_days",
      .kind = KI_FLOAT,
      .offset = offsetof(struct popularity, half_life_days),
      .init = 30,
      .min = 1e-3,
      .max = 1e6,
      .meaning = "after which an event counts half (by = decayed)",
      .scale = KI_LOG,
      .tune_min = 1,
      .tune_max = 365 },
};

static float damped_mean(const ki_ratings *r, int32_t i, float damping)
{
    const int64_t n = ki_csr_len(&r->by_item, i);
    double sum = damping * r->mean;
    for (int64_t j = r->by_item.ptr[i]; j < r->by_item.ptr[i + 1]; j++) sum += r->by_item.val[j];
    return n + damping > 0 ? (float)(sum / ((double)n + damping)) : (float)r->mean;
}

static void add_decayed(const ki_ratings *r, float half_life_days, float *score)
{
    const double half_life = half_life_days * 86400.0;
    for (int64_t j = 0; j < ki_csr_nnz(&r->by_user); j++)
        score[r->by_user.idx[j]] += (float)exp2(-(double)(r->time_last - r->time[j]) / half_life);
}

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    const struct popularity *o = p;
    const ki_ratings *r = in->ratings;
    ki_static *s = state;
    kith_err err;
    if (o->by == BY_DECAY && r->time == NULL)
        return ki_fail(KITH_EDATA, "popularity by=decayed needs times, and the data has none");
    s->n_items = r->by_item.n_rows;
    if ((err = ki_alloc(&s->score, (size_t)s->n_items, sizeof *s->score)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->estimate, (size_t)s->n_items, sizeof *s->estimate)) != KITH_OK)
        return err;
    for (int32_t i = 0; i < s->n_items; i++) {
        s->estimate[i] = damped_mean(r, i, o->damping);
        s->score[i] = o->by == BY_MEAN    ? s->estimate[i]
                      : o->by == BY_COUNT ? (float)ki_csr_len(&r->by_item, i)
                                          : 0;
    }
    if (o->by == BY_DECAY) add_decayed(r, o->half_life_days, s->score);
    return KITH_OK;
}

const ki_model_desc ki_popularity = {
    .name = "popularity",
    .family = "collaborative_filtering",
    .summary = "the same list for everybody: by count, damped mean, or recent count",
    .paper = "Koren, Factor in the Neighbors, TKDD 2010 (damped means, section 2.1)",
    .rates = 1,
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(struct popularity),
    .form = &ki_form_static,
    .fit = fit,
};
