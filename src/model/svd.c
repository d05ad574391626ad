/* SPDX-License-Identifier: MIT
 * svd.c -- truncated singular value decomposition of the rating matrix, missing entries zero
 *
 * Paper      Cremonesi, Koren, Turrin, Performance of Recommender Algorithms on Top-N Recommendation
 *            Tasks, RecSys 2010 (PureSVD); math/svd.h for the decomposition
 * Model      R ~ U S V' with n_factors terms;  Y = V, X = U S, so R ~ X Y'.  With a centre R holds
 *            r - mean_u or r - mean_i where there is a rating, and the means are added back.
 * Fold-in    U S = R V gives x = Y'r for any row r: for a training user that is X[u], bit for bit,
 *            because X is made so.
 * Explain    x.y_i = sum_j r_j (y_j.y_i), exact
 * Cost       math/svd.c, then nnz n_factors for X
 * Checked    test_svd_model.c: the 3 x 4 example of numpy to 3 decimals, folding in a training row,
 *            sums of explanations
 */
#include "model/form_vectors.h"

#include "base/mem.h"
#include "math/svd.h"
#include "simd/kernels.h"

#include <string.h>

enum centre { AT_ZERO, AT_USER, AT_ITEM };
static const char *const centres[] = { "none", "user", "item", NULL };

struct svd {
    int32_t n_factors, n_iter, n_oversample, centre;
};

static const ki_param params[] = {
    { .name = "n_factors",
      .kind = KI_INT,
      .offset = offsetof(struct svd, n_factors),
      .init = 50,
      .min = 1,
      .max = 1024,
      .meaning = "singular values that are kept",
      .scale = KI_LOG,
      .tune_min = 8,
      .tune_max = 256 },
    { .name = "n_iter",
      .kind = KI_INT,
      .offset = offsetof(struct svd, n_iter),
      .init = 6,
      .min = 0,
      .max = 50,
      .meaning = "further products with R'R; more are more exact" },
    { .name = "n_oversamples",
      .kind = KI_INT,
      .offset = offsetof(struct svd, n_oversample),
      .init = 10,
      .min = 0,
      .max = 256,
      .meaning = "random directions beyond n_factors" },
    { .name = "center",
      .kind = KI_CHOICE,
      .offset = offsetof(struct svd, centre),
      .init = AT_ZERO,
      .choices = centres,
      .meaning = "mean that is taken from ratings first, so that a missing one counts as average" },
};

static ki_svd_options options(const struct svd *o, const ki_csr *by_user)
{
    return (ki_svd_options){ .k = KI_MIN(o->n_factors, KI_MIN(by_user->n_rows, by_user->n_cols)),
                             .n_iter = o->n_iter,
                             .n_oversample = o->n_oversample,
                             .what = "fit svd" };
}

/* ---- centring ---- */

static float mean_of(const float *values, int64_t n, float otherwise)
{
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += values[j];
    return n > 0 ? (float)(sum / (double)n) : otherwise;
}

static float bias_of(const ki_vectors *v, const struct svd *o, const float *values, int64_t n)
{
    return o->centre == AT_USER ? mean_of(values, n, *v->mean) - *v->mean : 0;
}

static float centred(const ki_vectors *v, float value, float user_bias, int32_t item)
{
    return value - *v->mean - user_bias - (v->bi != NULL ? v->bi[item] : 0);
}

static void fit_means(ki_vectors *v, const struct svd *o, const ki_ratings *r)
{
    if (o->centre == AT_ZERO) return;
    *v->mean = (float)r->mean;
    for (int32_t u = 0; u < r->by_user.n_rows; u++)
        v->bu[u] = bias_of(v, o, r->by_user.val + r->by_user.ptr[u], ki_csr_len(&r->by_user, u));
    for (int32_t i = 0; i < r->by_item.n_rows && o->centre == AT_ITEM; i++) {
        const float *values = r->by_item.val + r->by_item.ptr[i];
        v->bi[i] = mean_of(values, ki_csr_len(&r->by_item, i), *v->mean) - *v->mean;
    }
}

/* The two ways of R with centred values in *val; row r of `a` is a user unless `of_items`. */
static kith_err centre_values(const ki_vectors *v, const ki_csr *a, int of_items, float **val,
                              ki_sparse *out)
{
    const kith_err err = ki_alloc(val, (size_t)ki_csr_nnz(a), sizeof **val);
    if (err != KITH_OK) return err;
    for (int32_t r = 0; r < a->n_rows; r++)
        for (int64_t t = a->ptr[r]; t < a->ptr[r + 1]; t++) {
            const int32_t u = of_items ? a->idx[t] : r, i = of_items ? r : a->idx[t];
            (*val)[t] = centred(v, a->val[t], v->bu != NULL ? v->bu[u] : 0, i);
        }
    *out = (ki_sparse){ a->n_rows, a->n_cols, a->ptr, a->idx, *val };
    return KITH_OK;
}

/* ---- fit ---- */

/* x = Y'r of one row. */
static void project(const ki_vectors *v, const struct svd *o, const int32_t *items,
                    const float *values, int64_t n, float *x, float *bias)
{
    const ki_kernels *k = ki_kernels_get();
    const int64_t d = v->dim;
    *bias = bias_of(v, o, values, n);
    memset(x, 0, (size_t)d * sizeof *x);
    for (int64_t j = 0; j < n; j++)
        k->axpy(x, centred(v, values[j], *bias, items[j]), v->Y + items[j] * d, d);
}

struct users {
    ki_vectors *v;
    const struct svd *o;
    const ki_csr *by_user;
};

static kith_err project_users(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct users *s = arg;
    (void)worker;
    for (int64_t u = begin; u < end; u++) {
        const int64_t at = s->by_user->ptr[u];
        float bias;
        project(s->v, s->o, s->by_user->idx + at, s->by_user->val + at,
                ki_csr_len(s->by_user, (int32_t)u), s->v->X + u * s->v->dim, &bias);
    }
    return KITH_OK;
}

static kith_err decompose(ki_vectors *v, const struct svd *o, const ki_fit *in)
{
    const ki_ratings *r = in->ratings;
    const ki_svd_options options_ = options(o, &r->by_user);
    const size_t d = (size_t)options_.k;
    float *val = NULL, *val_t = NULL;
    double *sigma = NULL, *V = NULL;
    ki_sparse a, at;
    kith_err err;
    if ((err = centre_values(v, &r->by_user, 0, &val, &a)) != KITH_OK) goto done;
    if ((err = centre_values(v, &r->by_item, 1, &val_t, &at)) != KITH_OK) goto done;
    if ((err = ki_alloc(&sigma, d, sizeof *sigma)) != KITH_OK) goto done;
    if ((err = ki_alloc(&V, (size_t)v->n_items, d * sizeof *V)) != KITH_OK) goto done;
    if ((err = ki_svd_truncated(&a, &at, &options_, in->job, sigma, V)) != KITH_OK) goto done;
    for (size_t j = 0; j < (size_t)v->n_items * d; j++) v->Y[j] = (float)V[j];
done:
    ki_free(val);
    ki_free(val_t);
    ki_free(sigma);
    ki_free(V);
    return err;
}

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    const struct svd *o = p;
    const ki_ratings *r = in->ratings;
    ki_vectors *v = state;
    kith_err err;
    if (o->centre != AT_ZERO && !r->has_values)
        return ki_fail(KITH_EDATA,
                       "svd center=%s needs ratings, but all values are the same; take "
                       "center=none",
                       centres[o->centre]);
    err = ki_vectors_alloc(v, r, options(o, &r->by_user).k, o->centre != AT_ZERO, 0);
    if (err != KITH_OK) return err;
    fit_means(v, o, r);
    if ((err = decompose(v, o, in)) != KITH_OK) return err;
    struct users s = { .v = v, .o = o, .by_user = &r->by_user };
    return ki_parallel_for(in->job->pool, v->n_users, 256, project_users, &s);
}

static size_t memory(const void *p, const ki_ratings *r)
{
    const struct svd *o = p;
    const ki_svd_options s = options(o, &r->by_user);
    const size_t m = (size_t)r->by_user.n_rows, n = (size_t)r->by_user.n_cols, d = (size_t)s.k;
    return ki_svd_memory((int32_t)m, (int32_t)n, &s) + 4 * d * (m + 3 * n) +
           8 * (size_t)ki_csr_nnz(&r->by_user);
}

/* ---- serving ---- */

static kith_err fold_in(const ki_model *m, const ki_query *q, float *x, float *bias, float *scratch)
{
    (void)scratch;
    project(m->state, m->params, q->items, q->values, q->n, x, bias);
    return KITH_OK;
}

static int explain(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                   ki_term *out, float *scratch)
{
    const ki_kernels *k = ki_kernels_get();
    const ki_vectors *v = m->state;
    const int64_t d = v->dim;
    const float bias = bias_of(v, m->params, q->values, q->n);
    (void)prepared, (void)scratch;
    for (int32_t j = 0; j < q->n; j++) {
        const float along = k->dot(v->Y + item * d, v->Y + q->items[j] * d, d);
        out[j] = (ki_term){ q->items[j], centred(v, q->values[j], bias, q->items[j]) * along };
    }
    return q->n;
}

const ki_model_desc ki_svd = {
    .name = "svd",
    .family = "collaborative_filtering",
    .summary = "truncated singular value decomposition of the matrix with missing entries zero",
    .paper = "Cremonesi, Koren, Turrin, Performance of Recommender Algorithms on Top-N "
             "Recommendation Tasks, RecSys 2010",
    .rates = 1,
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(struct svd),
    .form = &ki_form_vectors,
    .memory = memory,
    .fit = fit,
    .fold_in = fold_in,
    .explain = explain,
};
