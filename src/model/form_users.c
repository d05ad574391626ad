/* SPDX-License-Identifier: MIT
 * form_users.c -- scores as sums over the neighbours of a history, found on the fly
 *
 * prepare    weighs the history, adds up what it shares with every user, and leaves [n_users]
 *            similarities; a training user is no neighbour of their own.
 * score      takes the n_neighbors best of them (ties: lower user) and adds their histories in the
 *            order of users, so the bits depend on the query alone.
 * explain    a neighbour's similarity is split over the items that both have, in proportion to what
 *            each adds to the sum of products (equal shares where the measure is no such sum); the
 *            parts of one item then are sums over neighbours, and add up to the score.
 */
#include "model/form_users.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

/* ---- making ---- */

static kith_err copy_weights(ki_users *s, ki_weights *w)
{
    kith_err err;
    if ((err = ki_alloc(&s->shift, 1, sizeof *s->shift)) != KITH_OK ||
        (err = ki_alloc(&s->length, 1, sizeof *s->length)) != KITH_OK)
        return err;
    *s->shift = w->shift;
    *s->length = w->length;
    s->column = w->column;
    *w = (ki_weights){ 0 };
    return KITH_OK;
}

static ki_weights weights(const ki_users *s)
{
    return (ki_weights){ .shift = *s->shift, .length = *s->length, .column = s->column };
}

kith_err ki_users_weigh(ki_users *s, const ki_similarity *how, const ki_ratings *r, ki_pool *pool)
{
    ki_csr by_user = r->by_user, by_item = { 0 };
    ki_weights w = { 0 };
    float *x = NULL;
    kith_err err;
    s->n_users = r->by_user.n_rows;
    s->n_items = r->by_user.n_cols;
    s->nnz = ki_csr_nnz(&r->by_user);
    s->one = 1;
    if ((err = ki_weights_make(&w, how, &r->by_user, &r->by_item, r->mean, s->item_base)) !=
        KITH_OK)
        return err;
    if ((err = ki_alloc(&x, (size_t)s->nnz, sizeof *x)) != KITH_OK) goto done;
    if ((err = ki_similarity_weigh_all(how, &w, s->base, &r->by_user, pool, x)) != KITH_OK)
        goto done;
    by_user.val = x;
    if ((err = ki_csr_transpose(&by_item, &by_user)) != KITH_OK) goto done;
    s->weighed = by_item.val;
    by_item.val = NULL;
    err = copy_weights(s, &w);
done:
    ki_weights_clear(&w);
    ki_csr_clear(&by_item);
    ki_free(x);
    return err;
}

/* ---- saving, loading ---- */

static int fields(void *state, ki_field *out)
{
    ki_users *s = state;
    int n = 0;
    out[n++] = (ki_field){ "weighed", KI_F32, 1, { &s->nnz }, 0, (void **)&s->weighed, 0 };
    out[n++] = (ki_field){ "shift", KI_F32, 1, { &s->one }, 0, (void **)&s->shift, 0 };
    out[n++] = (ki_field){ "length", KI_F32, 1, { &s->one }, 0, (void **)&s->length, 0 };
    out[n++] = (ki_field){ "column", KI_F32, 1, { &s->n_items }, 0, (void **)&s->column, 1 };
    out[n++] = (ki_field){ "user_mean", KI_F32, 1, { &s->n_users }, 0, (void **)&s->mean, 1 };
    out[n++] = (ki_field){ "user_sd", KI_F32, 1, { &s->n_users }, 0, (void **)&s->sd, 1 };
    out[n++] = (ki_field){ "user_base", KI_F32, 1, { &s->n_users }, 0, (void **)&s->base, 1 };
    out[n++] = (ki_field){ "item_base", KI_F32, 1, { &s->n_items }, 0, (void **)&s->item_base, 1 };
    return n;
}

static kith_err check_finite(const float *x, int64_t n, const char *what)
{
    for (int64_t j = 0; x != NULL && j < n; j++)
        if (!isfinite(x[j]))
            return ki_fail(KITH_EFORMAT, "%s %lld is not finite", what, (long long)j);
    return KITH_OK;
}

static kith_err check(const ki_model *m)
{
    const ki_users *s = m->state;
    const ki_similarity how = ki_knn_similarity(m->params, m->has_values);
    kith_err err;
    if (s->one != 1 || s->nnz != ki_csr_nnz(&m->history))
        return ki_fail(KITH_EFORMAT, "%lld weighed values, but %lld interactions",
                       (long long)s->nnz, (long long)ki_csr_nnz(&m->history));
    if ((s->mean != NULL || s->sd != NULL || s->base != NULL) && s->n_users != m->n_users)
        return ki_fail(KITH_EFORMAT, "figures of %lld users, but there are %d",
                       (long long)s->n_users, m->n_users);
    if ((s->column != NULL || s->item_base != NULL) && s->n_items != m->n_items)
        return ki_fail(KITH_EFORMAT, "figures of %lld items, but there are %d",
                       (long long)s->n_items, m->n_items);
    if (ki_similarity_has_columns(&how) && s->column == NULL)
        return ki_fail(KITH_EFORMAT, "the figures of items are missing that the similarity reads");
    if ((err = check_finite(s->weighed, s->nnz, "weighed value")) != KITH_OK ||
        (err = check_finite(s->shift, s->one, "shift")) != KITH_OK ||
        (err = check_finite(s->length, s->one, "mean length")) != KITH_OK ||
        (err = check_finite(s->column, s->n_items, "figure of item")) != KITH_OK ||
        (err = check_finite(s->item_base, s->n_items, "baseline of item")) != KITH_OK ||
        (err = check_finite(s->mean, s->n_users, "mean of user")) != KITH_OK ||
        (err = check_finite(s->sd, s->n_users, "spread of user")) != KITH_OK)
        return err;
    return check_finite(s->base, s->n_users, "baseline of user");
}

/* ---- asking ---- */

static ki_similarity how_of(const ki_model *m)
{
    return ki_knn_similarity(m->params, m->has_values);
}

/* Neighbours of a score: all users when n_neighbors is 0. */
static int32_t n_neighbors(const ki_model *m)
{
    const ki_knn *o = m->params;
    return o->n_neighbors > 0 ? KI_MIN(o->n_neighbors, m->n_users) : m->n_users;
}

static void sizes(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats)
{
    const ki_similarity how = how_of(m);
    const int32_t k = KI_MAX(n_neighbors(m), ((const ki_knn *)m->params)->k);
    const int64_t cells = (int64_t)m->n_users * ki_similarity_lanes(&how) + m->n_items;
    const int64_t keys = 2 * (int64_t)ki_best_room(k) + 2 * (int64_t)m->n_items;
    *query_floats = m->n_users;
    *scratch_floats = KI_MAX(cells, keys);
}

const float *ki_users_similarities(const float *prepared)
{
    return prepared;
}

static float base_of(const ki_users *s, const ki_model *m, const ki_query *q)
{
    return s->item_base == NULL ? 0 : ki_knn_user_base(q, m->mean, s->item_base);
}

/* model.raters with weighed values. */
static ki_csr weighed_raters(const ki_model *m)
{
    ki_csr a = m->raters;
    a.val = ((const ki_users *)m->state)->weighed;
    return a;
}

static kith_err prepare(const ki_model *m, const ki_query *q, float *prepared, float *scratch)
{
    const ki_users *s = m->state;
    const ki_similarity how = how_of(m);
    const ki_weights w = weights(s);
    const ki_csr raters = weighed_raters(m);
    const int lanes = ki_similarity_lanes(&how);
    float *cells = scratch, *x = scratch + (size_t)m->n_users * (size_t)lanes;
    ki_similarity_weigh(&how, &w, base_of(s, m, q), q->items, q->values, q->n, x);
    memset(cells, 0, (size_t)m->n_users * (size_t)lanes * sizeof *cells);
    ki_similarity_add(lanes, q->items, x, q->n, &raters, cells);
    for (int32_t v = 0; v < m->n_users; v++)
        prepared[v] = ki_similarity_of(&how, cells + (size_t)v * (size_t)lanes, q->n,
                                       ki_csr_len(&m->history, v));
    if (q->user >= 0) prepared[q->user] = 0;
    return KITH_OK;
}

/* The neighbours of a prepared query into `least`: v is one when its key is at least that. */
static uint64_t least_neighbor(const ki_model *m, const float *sims, float *scratch)
{
    const int32_t k = n_neighbors(m);
    ki_best best = ki_best_into((uint64_t *)scratch, k);
    if (k == m->n_users) return 0;
    for (int32_t v = 0; v < m->n_users; v++)
        if (sims[v] > 0) ki_best_push(&best, ki_best_key(sims[v], v));
    ki_best_finish(&best);
    return best.n < k ? 0 : best.floor;
}

static float value_of(const ki_model *m, int64_t at)
{
    return m->has_values ? m->history.val[at] : 1;
}

static void add_history(const ki_model *m, int32_t v, float sim, int32_t begin, int32_t end,
                        float *out)
{
    const ki_csr *h = &m->history;
    for (int64_t t = h->ptr[v]; t < h->ptr[v + 1]; t++)
        if (h->idx[t] >= begin && h->idx[t] < end) out[h->idx[t] - begin] += sim * value_of(m, t);
}

static void score(const ki_model *m, const ki_query *q, const float *prepared, int nq,
                  int32_t begin, int32_t end, float *out, int64_t ld, float *scratch)
{
    (void)q;
    for (int j = 0; j < nq; j++) {
        const float *sims = prepared + (int64_t)j * m->n_users;
        const uint64_t least = least_neighbor(m, sims, scratch);
        memset(out + j * ld, 0, (size_t)(end - begin) * sizeof *out);
        for (int32_t v = 0; v < m->n_users; v++)
            if (sims[v] > 0 && ki_best_key(sims[v], v) >= least)
                add_history(m, v, sims[v], begin, end, out + j * ld);
    }
}

static void predict(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    const uint64_t least = least_neighbor(m, prepared, scratch);
    const ki_csr *r = &m->raters;
    (void)q;
    for (int j = 0; j < n; j++) {
        out[j] = 0;
        supported[j] = 0;
        for (int64_t t = r->ptr[items[j]]; t < r->ptr[items[j] + 1]; t++) {
            const float sim = prepared[r->idx[t]];
            if (!(sim > 0) || ki_best_key(sim, r->idx[t]) < least) continue;
            out[j] += sim * (m->has_values ? r->val[t] : 1);
            supported[j] = 1;
        }
    }
}

/* ---- explaining ---- */

/* share[t] = what history item t adds to the sum of products with user v, or 1; 0 where v lacks it.
 * Returns the sum of the shares. */
static double find_shares(const ki_model *m, const ki_query *q, const float *x, int32_t v,
                          int by_product, float *share)
{
    const ki_csr raters = weighed_raters(m);
    double sum = 0;
    for (int32_t t = 0; t < q->n; t++) {
        const int64_t at = ki_csr_find(&raters, q->items[t], v);
        share[t] = at < 0 ? 0 : by_product ? x[t] * raters.val[at] : 1;
        sum += share[t];
    }
    return sum;
}

/* Add to out what user v says, split over the history's items. */
static void share_out(const ki_model *m, const ki_query *q, const float *x, int32_t v, double said,
                      float *share, ki_term *out)
{
    const ki_similarity how = how_of(m);
    const int by_product =
        how.measure != KI_JACCARD && how.measure != KI_MSD && how.measure != KI_PEARSON;
    double sum = find_shares(m, q, x, v, by_product, share);
    if (!(sum > 0)) sum = find_shares(m, q, x, v, 0, share);
    for (int32_t t = 0; t < q->n; t++) out[t].part += (float)(said * share[t] / sum);
}

static int explain(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                   ki_term *out, float *scratch)
{
    const ki_users *s = m->state;
    const ki_similarity how = how_of(m);
    const ki_weights w = weights(s);
    const ki_csr *r = &m->raters;
    const uint64_t least = least_neighbor(m, prepared, scratch);
    float *x = scratch, *share = scratch + m->n_items; /* the keys are no longer needed */
    int n = 0;
    ki_similarity_weigh(&how, &w, base_of(s, m, q), q->items, q->values, q->n, x);
    for (int32_t t = 0; t < q->n; t++) out[t] = (ki_term){ .item = q->items[t] };
    for (int64_t t = r->ptr[item]; t < r->ptr[item + 1]; t++) {
        const int32_t v = r->idx[t];
        if (!(prepared[v] > 0) || ki_best_key(prepared[v], v) < least) continue;
        share_out(m, q, x, v, (double)prepared[v] * (m->has_values ? r->val[t] : 1), share, out);
    }
    for (int32_t t = 0; t < q->n; t++)
        if (out[t].part != 0) out[n++] = out[t];
    return n;
}

const ki_form ki_form_users = {
    .name = "user-user",
    .size = sizeof(ki_users),
    .needs_raters = 1,
    .fields = fields,
    .check = check,
    .sizes = sizes,
    .prepare = prepare,
    .score = score,
    .predict = predict,
    .explain = explain,
};
