/* SPDX-License-Identifier: MIT
 * user_knn.c -- people like you: lists and rating estimates from the most similar users
 *
 * Paper      Resnick, Iacovou, Suchak, Bergstrom, Riedl, GroupLens, CSCW 1994; baselines: Koren,
 *            Factor in the Neighbors, TKDD 2010
 * Lists      s_i = sum over the n_neighbors most similar users v of sim(u, v) r_vi
 * Estimate   r_ui = sum_v sim(u, v) r_vi / sum_v |sim(u, v)| over the k most similar who rated i, or
 *            with means, z-scores or baselines taken out first (knn.h)
 * Cost       fit: nnz; a query: the raters of its items; an estimate: the raters of its item
 * Departs    from Surprise: users of equal similarity are taken by index, not by file order; an
 *            item that nobody rated gets the user's mean (means, zscore), not that of all; nothing
 *            quadratic is kept
 * Checked    test_knn.c: hand-computed cases of every variant; test_knn_golden.c: Surprise; ML-100K, 5
 *            random folds: RMSE .922, MAE .722; gowalla: recall@20 .177, ndcg@20 .146
 */
#include "model/form_users.h"

#include "base/mem.h"
#include "model/baseline.h"

/* ---- fit ---- */

static kith_err fit_means(ki_users *s, const ki_ratings *r)
{
    kith_err err;
    const size_t n = (size_t)r->by_user.n_rows;
    if ((err = ki_alloc(&s->mean, n, sizeof *s->mean)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->sd, n, sizeof *s->sd)) != KITH_OK) return err;
    ki_knn_describe(&r->by_user, r->mean, s->mean, s->sd);
    return KITH_OK;
}

static kith_err fit_baselines(ki_users *s, const ki_ratings *r, ki_job *job)
{
    const ki_baseline_als o = { KI_KNN_EPOCHS, KI_KNN_REG_USER, KI_KNN_REG_ITEM };
    kith_err err;
    if ((err = ki_alloc(&s->base, (size_t)r->by_user.n_rows, sizeof *s->base)) != KITH_OK ||
        (err = ki_alloc(&s->item_base, (size_t)r->by_item.n_rows, sizeof *s->item_base)) != KITH_OK)
        return err;
    return ki_baseline_by_als(r, &o, job, s->base, s->item_base);
}

static kith_err fit(const void *params, const ki_fit *in, void *state)
{
    const ki_knn *o = params;
    const ki_ratings *r = in->ratings;
    ki_users *s = state;
    kith_err err;
    if ((o->variant == KI_KNN_MEANS || o->variant == KI_KNN_ZSCORE) && r->has_values &&
        (err = fit_means(s, r)) != KITH_OK)
        return err;
    if (ki_knn_needs_base(o, r->has_values) && (err = fit_baselines(s, r, in->job)) != KITH_OK)
        return err;
    return ki_users_weigh(s, o, r, in->job->pool);
}

static kith_err check(const ki_model *m)
{
    const ki_users *s = m->state;
    if (ki_knn_votes_apart(m->params, m->has_values) && s->votes.value == NULL)
        return ki_fail(KITH_EFORMAT, "user-knn: the weights are missing that its estimates need");
    if ((s->base == NULL) != (s->item_base == NULL))
        return ki_fail(KITH_EFORMAT, "user-knn: baselines of users or of items are missing");
    return ki_knn_check(m, s->mean, s->sd, s->base);
}

/* ---- estimates ---- */

static ki_knn_own own_of(const ki_model *m, const ki_query *q)
{
    const ki_users *s = m->state;
    ki_knn_own own = { .all_mean = m->mean };
    ki_knn_describe_row(q->values, q->n, m->mean, &own.mean, &own.sd);
    if (s->item_base != NULL) own.base = ki_knn_user_base(q, m->mean, s->item_base);
    return own;
}

/* The k most similar of the raters of an item; positions are those in its list. */
static ki_best choose(const ki_model *m, const float *sims, int32_t item, float *scratch)
{
    const ki_knn *o = m->params;
    const int32_t *who = m->raters.idx + m->raters.ptr[item];
    const int32_t n = (int32_t)ki_csr_len(&m->raters, item);
    ki_best best = ki_best_into(ki_users_keys(m, scratch), KI_MIN(o->k, m->n_users));
    for (int32_t j = 0; j < n; j++)
        if (sims[who[j]] > 0) ki_best_push(&best, ki_best_key(sims[who[j]], j));
    ki_best_finish(&best);
    return best;
}

static void predict(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    const ki_users *s = m->state;
    if (!ki_model_rates(m)) {
        ki_form_users.predict(m, q, prepared, items, n, out, supported, scratch);
        return;
    }
    const float *sims = ki_users_for_votes(m, q, prepared, scratch);
    const ki_knn_own user = own_of(m, q);
    for (int j = 0; j < n; j++) {
        const int64_t at = m->raters.ptr[items[j]];
        const float rest = s->item_base == NULL ? 0 : (float)m->mean + s->item_base[items[j]];
        const ki_knn_voters voters = { .who = m->raters.idx + at,
                                       .value = m->raters.val + at,
                                       .mean = s->mean,
                                       .sd = s->sd,
                                       .base = s->base,
                                       .rest = rest };
        ki_knn_own own = user;
        own.base += rest;
        const ki_best chosen = choose(m, sims, items[j], scratch);
        out[j] = ki_knn_vote(m->params, &chosen, &voters, &own, &supported[j]);
    }
}

const ki_model_desc ki_user_knn = {
    .name = "user-knn",
    .family = "collaborative_filtering",
    .summary = "what people with a similar history liked",
    .paper = "Resnick et al., GroupLens, CSCW 1994; Koren, Factor in the Neighbors, TKDD 2010",
    .rates = 1,
    .params = ki_knn_params,
    .n_params = KI_KNN_PARAMS,
    .size = sizeof(ki_knn),
    .form = &ki_form_users,
    .check = check,
    .fit = fit,
    .predict = predict,
};
