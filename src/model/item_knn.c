/* SPDX-License-Identifier: MIT
 * item_knn.c -- goes well with what you have: lists and rating estimates from similar items
 *
 * Paper      Sarwar, Karypis, Konstan, Riedl, Item-Based Collaborative Filtering, WWW 2001; Deshpande,
 *            Karypis, Item-Based Top-N, TOIS 2004 (lists); Koren, TKDD 2010 (baselines, shrinkage)
 * Lists      s_i = sum over the history's items j of w_j sim(j, i), sim(j, i) kept for the
 *            n_neighbors items nearest to j; w_j = r_uj for ratings, 1 for events
 * Estimate   r_ui = sum_j sim(i, j) r_uj / sum_j |sim(i, j)| over the k rated items most similar to
 *            i, or with means, z-scores or baselines taken out first (knn.h)
 * Cost       fit: all_pairs.h, sum over users of n_u^2 additions; memory n_items * n_neighbors
 * Departs    from Surprise: no n x n matrix; items of equal similarity are taken by index
 * Checked    test_knn.c: hand-computed cases of every variant; test_knn_golden.c: Surprise, implicit;
 *            ML-100K, 5 random folds: RMSE .917, MAE .720; gowalla: recall@20 .176, ndcg@20 .141
 */
#include "model/form_items.h"

#include "base/mem.h"
#include "model/all_pairs.h"
#include "model/baseline.h"
#include "model/knn.h"

#include <string.h>

/* ---- fit ---- */

static kith_err fit_means(ki_items *s, const ki_ratings *r)
{
    kith_err err;
    const size_t n = (size_t)s->n_items;
    if ((err = ki_alloc(&s->mean, n, sizeof *s->mean)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->sd, n, sizeof *s->sd)) != KITH_OK) return err;
    ki_knn_describe(&r->by_item, r->mean, s->mean, s->sd);
    return KITH_OK;
}

/* s->base = the items' baselines; *user_base, owned by the caller, those of the users. */
static kith_err fit_baselines(ki_items *s, const ki_ratings *r, ki_job *job, float **user_base)
{
    const ki_baseline_als o = { KI_KNN_EPOCHS, KI_KNN_REG_USER, KI_KNN_REG_ITEM };
    kith_err err;
    if ((err = ki_alloc(user_base, (size_t)r->by_user.n_rows, sizeof **user_base)) != KITH_OK ||
        (err = ki_alloc(&s->base, (size_t)s->n_items, sizeof *s->base)) != KITH_OK)
        return err;
    return ki_baseline_by_als(r, &o, job, *user_base, s->base);
}

enum { NEIGHBORS = 500 }; /* what n_neighbors = -1 means */

static kith_err compare(const ki_items *s, const ki_knn *o, const ki_similarity *how,
                        const ki_fit *in, const float *user_base, ki_csr *out)
{
    const ki_ratings *r = in->ratings;
    const ki_all_pairs task = { .how = *how,
                                .n_neighbors = o->n_neighbors < 0 ? NEIGHBORS : o->n_neighbors,
                                .by_row = &r->by_item,
                                .by_col = &r->by_user,
                                .mean = r->mean,
                                .row_base = s->base,
                                .col_base = user_base };
    return ki_all_pairs_run(&task, in->job, out);
}

static kith_err fit_similarities(ki_items *s, const ki_knn *o, const ki_fit *in,
                                 const float *user_base)
{
    const ki_similarity lists = ki_knn_for_lists(o, in->ratings->min);
    const ki_similarity votes = ki_knn_for_votes(o);
    ki_csr S;
    kith_err err = compare(s, o, &lists, in, user_base, &S);
    if (err != KITH_OK) return err;
    ki_items_take(s, &S);
    if (!ki_knn_votes_apart(o, in->ratings->has_values)) return KITH_OK;
    if ((err = compare(s, o, &votes, in, user_base, &S)) == KITH_OK) ki_items_take_votes(s, &S);
    return err;
}

static kith_err fit(const void *params, const ki_fit *in, void *state)
{
    const ki_knn *o = params;
    const ki_ratings *r = in->ratings;
    ki_items *s = state;
    float *user_base = NULL;
    kith_err err;
    if ((err = ki_items_begin(s, r->by_item.n_rows, !r->has_values)) != KITH_OK) return err;
    if ((o->variant == KI_KNN_MEANS || o->variant == KI_KNN_ZSCORE) && r->has_values &&
        (err = fit_means(s, r)) != KITH_OK)
        return err;
    if (ki_knn_needs_base(o, r->has_values)) err = fit_baselines(s, r, in->job, &user_base);
    if (err == KITH_OK) err = fit_similarities(s, o, in, user_base);
    ki_free(user_base);
    return err;
}

static size_t memory(const void *params, const ki_ratings *r)
{
    const ki_knn *o = params;
    const int32_t kept = o->n_neighbors < 0 ? NEIGHBORS : o->n_neighbors;
    const size_t one = ki_all_pairs_memory(kept, &r->by_item, &r->by_user);
    return ki_knn_votes_apart(o, r->has_values) ? 2 * one : one;
}

static kith_err check(const ki_model *m)
{
    const ki_items *s = m->state;
    if (s->ptr == NULL) return ki_fail(KITH_EFORMAT, "item-knn: its similarities are not sparse");
    if (ki_knn_votes_apart(m->params, m->has_values) && s->vote_ptr == NULL)
        return ki_fail(KITH_EFORMAT, "item-knn: the votes are missing that its estimates need");
    return ki_knn_check(m, s->mean, s->sd, s->base);
}

/* ---- estimates ---- */

/* The k items of the history most similar to `item`, whose row of votes is looked through; where[i]
 * is 1 + the position of item i in the history, 0 when it is not there. */
static ki_best choose(const ki_model *m, const ki_csr *votes, int32_t item, const int32_t *where,
                      uint64_t *keys)
{
    const ki_knn *o = m->params;
    ki_best best = ki_best_into(keys, KI_MIN(o->k, m->n_items));
    for (int64_t t = votes->ptr[item]; t < votes->ptr[item + 1]; t++) {
        const int32_t at = where[votes->idx[t]];
        if (at > 0) ki_best_push(&best, ki_best_key(votes->val[t], at - 1));
    }
    ki_best_finish(&best);
    return best;
}

static void predict(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    const ki_items *s = m->state;
    if (!ki_model_rates(m)) {
        ki_form_items.predict(m, q, prepared, items, n, out, supported, scratch);
        return;
    }
    const ki_csr votes = ki_items_votes(s);
    uint64_t *keys = (uint64_t *)scratch;
    int32_t *where = (int32_t *)(keys + ki_best_room(m->n_items));
    memset(where, 0, (size_t)m->n_items * sizeof *where);
    for (int32_t t = 0; t < q->n; t++) where[q->items[t]] = t + 1;
    const float user_base = s->base == NULL ? 0 : ki_knn_user_base(q, m->mean, s->base);
    const ki_knn_voters voters = { .who = q->items,
                                   .value = q->values,
                                   .mean = s->mean,
                                   .sd = s->sd,
                                   .base = s->base,
                                   .rest = (float)m->mean + user_base };
    for (int j = 0; j < n; j++) {
        const int32_t i = items[j];
        const ki_knn_own own = { .mean = s->mean == NULL ? 0 : s->mean[i],
                                 .sd = s->sd == NULL ? 0 : s->sd[i],
                                 .base = s->base == NULL ? 0 : voters.rest + s->base[i],
                                 .all_mean = m->mean };
        const ki_best chosen = choose(m, &votes, i, where, keys);
        out[j] = ki_knn_vote(m->params, &chosen, &voters, &own, &supported[j]);
    }
}

const ki_model_desc ki_item_knn = {
    .name = "item-knn",
    .family = "collaborative_filtering",
    .summary = "items that go with those in your history",
    .paper = "Sarwar et al., Item-Based Collaborative Filtering, WWW 2001; Koren, TKDD 2010",
    .rates = 1,
    .params = ki_knn_params,
    .n_params = KI_KNN_PARAMS,
    .size = sizeof(ki_knn),
    .form = &ki_form_items,
    .memory = memory,
    .check = check,
    .fit = fit,
    .predict = predict,
};
