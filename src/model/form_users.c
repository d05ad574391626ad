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
#include "simd/kernels.h"

#include <math.h>
#include <string.h>

enum { NEIGHBORS = 100 }; /* what n_neighbors = -1 means */

/* ---- making ---- */

static kith_err copy_scalars(ki_user_weights *out, ki_weights *w)
{
    const kith_err err = ki_alloc(&out->scalar, 2, sizeof *out->scalar);
    if (err != KITH_OK) return err;
    out->scalar[0] = w->shift;
    out->scalar[1] = w->length;
    out->column = w->column;
    *w = (ki_weights){ 0 };
    return KITH_OK;
}

static kith_err weigh(ki_user_weights *out, const ki_users *s, const ki_similarity *how,
                      const ki_ratings *r, ki_pool *pool)
{
    ki_csr by_user = r->by_user, by_item = { 0 };
    ki_weights w = { 0 };
    float *x = NULL;
    kith_err err;
    if ((err = ki_weights_make(&w, how, &r->by_user, &r->by_item, r->mean, s->item_base)) !=
        KITH_OK)
        return err;
    if ((err = ki_alloc(&x, (size_t)s->nnz, sizeof *x)) != KITH_OK) goto done;
    if ((err = ki_similarity_weigh_all(how, &w, s->base, &r->by_user, pool, x)) != KITH_OK)
        goto done;
    by_user.val = x;
    if ((err = ki_csr_transpose(&by_item, &by_user)) != KITH_OK) goto done;
    out->value = by_item.val;
    by_item.val = NULL;
    err = copy_scalars(out, &w);
done:
    ki_weights_clear(&w);
    ki_free(by_item.val);
    by_item.val = NULL;
    ki_csr_clear(&by_item);
    ki_free(x);
    return err;
}

kith_err ki_users_weigh(ki_users *s, const ki_knn *o, const ki_ratings *r, ki_pool *pool)
{
    const ki_similarity lists = ki_knn_for_lists(o, r->min), votes = ki_knn_for_votes(o);
    s->n_users = r->by_user.n_rows;
    s->n_items = r->by_user.n_cols;
    s->nnz = ki_csr_nnz(&r->by_user);
    s->two = 2;
    const kith_err err = weigh(&s->lists, s, &lists, r, pool);
    if (err != KITH_OK || !ki_knn_votes_apart(o, r->has_values)) return err;
    return weigh(&s->votes, s, &votes, r, pool);
}

/* ---- saving, loading ---- */

static int fields(void *state, ki_field *out)
{
    ki_users *s = state;
    ki_user_weights *a = &s->lists, *b = &s->votes;
    int n = 0;
    out[n++] = (ki_field){ "list_weights", KI_F32, 1, { &s->nnz }, 0, (void **)&a->value, 0 };
    out[n++] = (ki_field){ "list_scalars", KI_F32, 1, { &s->two }, 0, (void **)&a->scalar, 0 };
    out[n++] = (ki_field){ "list_columns", KI_F32, 1, { &s->n_items }, 0, (void **)&a->column, 1 };
    out[n++] = (ki_field){ "vote_weights", KI_F32, 1, { &s->nnz }, 0, (void **)&b->value, 1 };
    out[n++] = (ki_field){ "vote_scalars", KI_F32, 1, { &s->two }, 0, (void **)&b->scalar, 1 };
    out[n++] = (ki_field){ "vote_columns", KI_F32, 1, { &s->n_items }, 0, (void **)&b->column, 1 };
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

static int has_column(const ki_similarity *how)
{
    return how->measure == KI_TFIDF || how->measure == KI_BM25 || how->measure == KI_DEGREE ||
           how->measure == KI_ADJUSTED_COSINE || how->measure == KI_PEARSON_BASELINE;
}

static kith_err check_weights(const ki_users *s, const ki_user_weights *w, const ki_similarity *how)
{
    kith_err err;
    if (w->value == NULL || w->scalar == NULL || (has_column(how) && w->column == NULL) ||
        (how->measure == KI_PEARSON_BASELINE && s->item_base == NULL))
        return ki_fail(KITH_EFORMAT, "parts are missing that its similarity needs");
    if ((err = check_finite(w->value, s->nnz, "weighed value")) != KITH_OK ||
        (err = check_finite(w->scalar, s->two, "scalar")) != KITH_OK)
        return err;
    return check_finite(w->column, s->n_items, "figure of item");
}

static kith_err check_sizes(const ki_model *m)
{
    const ki_users *s = m->state;
    if (s->nnz != ki_csr_nnz(&m->history))
        return ki_fail(KITH_EFORMAT, "%lld weighed values, but %lld interactions",
                       (long long)s->nnz, (long long)ki_csr_nnz(&m->history));
    if ((s->mean != NULL || s->sd != NULL || s->base != NULL) && s->n_users != m->n_users)
        return ki_fail(KITH_EFORMAT, "figures of %lld users, but there are %d",
                       (long long)s->n_users, m->n_users);
    if ((s->lists.column != NULL || s->votes.column != NULL || s->item_base != NULL) &&
        s->n_items != m->n_items)
        return ki_fail(KITH_EFORMAT, "figures of %lld items, but there are %d",
                       (long long)s->n_items, m->n_items);
    return s->two == 2 ? KITH_OK : ki_fail(KITH_EFORMAT, "%lld scalars, want 2", (long long)s->two);
}

static kith_err check(const ki_model *m)
{
    const ki_users *s = m->state;
    const ki_similarity lists = ki_knn_for_lists(m->params, m->min);
    const ki_similarity votes = ki_knn_for_votes(m->params);
    kith_err err;
    if ((err = check_sizes(m)) != KITH_OK) return err;
    if ((err = check_weights(s, &s->lists, &lists)) != KITH_OK) return err;
    if (s->votes.value != NULL && (err = check_weights(s, &s->votes, &votes)) != KITH_OK)
        return err;
    if ((err = check_finite(s->item_base, s->n_items, "baseline of item")) != KITH_OK ||
        (err = check_finite(s->mean, s->n_users, "mean of user")) != KITH_OK ||
        (err = check_finite(s->sd, s->n_users, "spread of user")) != KITH_OK)
        return err;
    return check_finite(s->base, s->n_users, "baseline of user");
}

/* ---- similarities of a history to all users ---- */

/* model.raters with weighed values. */
static ki_csr weighed_raters(const ki_model *m, const ki_user_weights *w)
{
    ki_csr a = m->raters;
    a.val = w->value;
    return a;
}

/* x[q->n] = the weighed history. */
static void weigh_query(const ki_model *m, const ki_user_weights *w, const ki_similarity *how,
                        const ki_query *q, float *x)
{
    const ki_users *s = m->state;
    const ki_weights weights = { w->scalar[0], w->scalar[1], w->column };
    const float base =
        how->measure == KI_PEARSON_BASELINE ? ki_knn_user_base(q, m->mean, s->item_base) : 0;
    ki_similarity_weigh(how, &weights, base, q->items, q->values, q->n, x);
}

/* sims[n_users]; scratch has room for the cells of all users and a weighed history. */
static void compare(const ki_model *m, const ki_user_weights *w, const ki_similarity *how,
                    const ki_query *q, float *sims, float *scratch)
{
    const ki_csr raters = weighed_raters(m, w);
    const size_t lanes = (size_t)ki_similarity_lanes(how);
    const size_t in_use = lanes > 1; /* lane that is 0 where nothing is shared */
    float *cells = scratch, *x = scratch + (size_t)m->n_users * lanes;
    weigh_query(m, w, how, q, x);
    memset(cells, 0, (size_t)m->n_users * lanes * sizeof *cells);
    ki_similarity_add((int)lanes, q->items, x, q->n, &raters, cells);
    for (int32_t v = 0; v < m->n_users; v++) {
        const float *cell = cells + (size_t)v * lanes;
        sims[v] =
            cell[in_use] == 0 ? 0 : ki_similarity_of(how, cell, q->n, ki_csr_len(&m->history, v));
    }
    if (q->user >= 0) sims[q->user] = 0;
}

/* ---- asking ---- */

/* Neighbours of a score: all users when n_neighbors is 0. */
static int32_t n_neighbors(const ki_model *m)
{
    const int32_t n = ((const ki_knn *)m->params)->n_neighbors;
    return n == 0 ? m->n_users : KI_MIN(n < 0 ? NEIGHBORS : n, m->n_users);
}

/* The scratch begins with n_users similarities for votes, made even so that keys are aligned. */
static int64_t votes_room(const ki_model *m)
{
    return (int64_t)m->n_users + (m->n_users & 1);
}

static void sizes(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats)
{
    const ki_similarity lists = ki_knn_for_lists(m->params, m->min);
    const ki_similarity votes = ki_knn_for_votes(m->params);
    const int64_t lanes = KI_MAX(ki_similarity_lanes(&lists), ki_similarity_lanes(&votes));
    const int64_t cells = m->n_users * lanes + m->n_items;
    const int64_t keys = 2 * (int64_t)ki_best_room(m->n_users) + 2 * (int64_t)m->n_users +
                         2 * (int64_t)m->n_items; /* and neighbours, and what explain keeps */
    *query_floats = m->n_users;
    *scratch_floats = votes_room(m) + KI_MAX(cells, keys);
}

static kith_err prepare(const ki_model *m, const ki_query *q, float *prepared, float *scratch)
{
    const ki_users *s = m->state;
    const ki_similarity how = ki_knn_for_lists(m->params, m->min);
    compare(m, &s->lists, &how, q, prepared, scratch + votes_room(m));
    return KITH_OK;
}

uint64_t *ki_users_keys(const ki_model *m, float *scratch)
{
    return (uint64_t *)(scratch + votes_room(m));
}

const float *ki_users_for_votes(const ki_model *m, const ki_query *q, const float *prepared,
                                float *scratch)
{
    const ki_users *s = m->state;
    const ki_similarity how = ki_knn_for_votes(m->params);
    if (s->votes.value == NULL) return prepared;
    compare(m, &s->votes, &how, q, scratch, scratch + votes_room(m));
    return scratch;
}

/* Neighbours of a query: who[n], rising, and their similarities. */
struct neighbors {
    int32_t *who;
    float *sim;
    int32_t n;
};

static struct neighbors find_neighbors(const ki_model *m, const float *sims, float *scratch)
{
    const int32_t k = n_neighbors(m);
    uint64_t *keys = ki_users_keys(m, scratch);
    float *rest = (float *)(keys + ki_best_room(m->n_users));
    struct neighbors found = { .who = (int32_t *)rest, .sim = rest + m->n_users };
    found.n = (int32_t)ki_kernels_get()->scan_above(found.who, sims, m->n_users, 0);
    for (int32_t j = 0; j < found.n; j++) found.sim[j] = sims[found.who[j]];
    found.n = ki_best_select(keys, k, found.who, found.sim, found.n);
    return found;
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
        const struct neighbors N = find_neighbors(m, prepared + (int64_t)j * m->n_users, scratch);
        memset(out + j * ld, 0, (size_t)(end - begin) * sizeof *out);
        for (int32_t t = 0; t < N.n; t++)
            add_history(m, N.who[t], N.sim[t], begin, end, out + j * ld);
    }
}

static void predict(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    const struct neighbors N = find_neighbors(m, prepared, scratch);
    (void)q;
    for (int j = 0; j < n; j++) {
        out[j] = 0;
        supported[j] = 0;
        for (int32_t t = 0; t < N.n; t++) {
            const int64_t at = ki_csr_find(&m->history, N.who[t], items[j]);
            if (at < 0) continue;
            out[j] += N.sim[t] * value_of(m, at);
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
    const ki_csr raters = weighed_raters(m, &((const ki_users *)m->state)->lists);
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
    const ki_similarity how = ki_knn_for_lists(m->params, m->min);
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
    const ki_similarity how = ki_knn_for_lists(m->params, m->min);
    const struct neighbors N = find_neighbors(m, prepared, scratch);
    float *x = N.sim + m->n_users, *share = x + m->n_items;
    int n = 0;
    weigh_query(m, &s->lists, &how, q, x);
    for (int32_t t = 0; t < q->n; t++) out[t] = (ki_term){ .item = q->items[t] };
    for (int32_t t = 0; t < N.n; t++) {
        const int64_t at = ki_csr_find(&m->history, N.who[t], item);
        if (at < 0) continue;
        share_out(m, q, x, N.who[t], (double)N.sim[t] * value_of(m, at), share, out);
    }
    for (int32_t t = 0; t < q->n; t++)
        if (out[t].part != 0) out[n++] = out[t];
    return n;
}

static void close_gap(float *value, int64_t from, int64_t n, int64_t nnz)
{
    if (value != NULL)
        memmove(value + from, value + from + n, (size_t)(nnz - from - n) * sizeof *value);
}

static kith_err forget(const ki_model *m, int32_t u, int64_t from, int64_t n)
{
    ki_users *s = m->state;
    close_gap(s->lists.value, from, n, s->nnz);
    close_gap(s->votes.value, from, n, s->nnz);
    s->nnz -= n;
    if (s->mean != NULL) s->mean[u] = 0;
    if (s->sd != NULL) s->sd[u] = 0;
    if (s->base != NULL) s->base[u] = 0;
    return KITH_OK;
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
    .forget = forget,
};
