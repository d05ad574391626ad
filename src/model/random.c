/* SPDX-License-Identifier: MIT
 * random.c -- a list by lot for everybody: the floor that every other model has to clear
 *
 * Lists      s_ui = a hash of (seed, user, item) as a number in [0, 1): each user has an order of
 *            their own, the same whenever it is asked for; a history is hashed in place of a user
 * Estimate   a draw from the normal distribution with mean and standard deviation of the training
 *            ratings, seeded by (seed, user, item): NormalPredictor of Surprise (Hug, JOSS 2020)
 * Checked    test_random.c: uniform, different by user and by seed, reproducible; mean and spread
 */
#include "model/form_function.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>

struct nothing {
    int32_t none; /* no parameters */
};

static kith_err fit(const void *params, const ki_fit *in, void *state)
{
    const ki_csr *by_user = &in->ratings->by_user;
    const int64_t n = ki_csr_nnz(by_user);
    ki_function *s = state;
    double squares = 0;
    (void)params;
    for (int64_t j = 0; j < n; j++) {
        const double d = by_user->val[j] - in->ratings->mean;
        squares += d * d;
    }
    s->n_floats = 1;
    const kith_err err = ki_alloc(&s->floats, 1, sizeof *s->floats);
    if (err == KITH_OK) s->floats[0] = (float)sqrt(squares / (double)n);
    return err;
}

static kith_err check(const ki_model *m)
{
    const ki_function *s = m->state;
    if (s->floats != NULL && s->n_floats == 1) return KITH_OK;
    return ki_fail(KITH_EFORMAT, "the spread of the ratings is missing that random reads");
}

static uint64_t who(const ki_model *m, const ki_query *q)
{
    uint64_t h = ki_hash2(m->seed, (uint64_t)(q->user + 1)); /* 0 for a history */
    if (q->user < 0)
        for (int32_t j = 0; j < q->n; j++) h = ki_hash2(h, (uint64_t)q->items[j]);
    return h;
}

static void score_items(const ki_model *m, const ki_query *q, const int32_t *items, int n,
                        float *out)
{
    const uint64_t h = who(m, q);
    for (int j = 0; j < n; j++) out[j] = (float)(ki_hash2(h, (uint64_t)items[j]) >> 40) * 0x1p-24f;
}

static void predict(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    const ki_function *s = m->state;
    const uint64_t h = who(m, q);
    if (!ki_model_rates(m)) {
        ki_form_function.predict(m, q, prepared, items, n, out, supported, scratch);
        return;
    }
    for (int j = 0; j < n; j++) {
        ki_rng rng = ki_rng_make(m->seed, h, (uint64_t)items[j]);
        out[j] = (float)(m->mean + s->floats[0] * ki_rng_normal(&rng));
        supported[j] = 1;
    }
}

const ki_model_desc ki_random = {
    .name = "random",
    .family = "collaborative_filtering",
    .summary =
        "a list by lot, different for everybody and always the same: a floor to compare with",
    .paper = "none; rating estimates as NormalPredictor of Surprise, Hug, JOSS 2020",
    .rates = 1,
    .size = sizeof(struct nothing),
    .form = &ki_form_function,
    .check = check,
    .fit = fit,
    .score_items = score_items,
    .predict = predict,
};
