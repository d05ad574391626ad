/* SPDX-License-Identifier: MIT
 * ials.c -- matrix factorisation for implicit feedback by alternating least squares
 *
 * Papers     Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008
 *            Rendle, Krichene, Zhang, Koren, Revisiting the Performance of iALS on Item
 *            Recommendation Benchmarks, RecSys 2022 (alpha0, nu);  solvers: als_rows.c
 * Objective  min over X, Y:  sum_{(u,i) seen} (alpha0 + w_ui) (1 - x_u.y_i)^2
 *                          + sum_{(u,i) not seen} alpha0 (x_u.y_i)^2
 *                          + sum_u l_u |x_u|^2 + sum_i l_i |y_i|^2
 *            w_ui = alpha, alpha r_ui or alpha log(1 + r_ui)  (weights = binary, value, log)
 *                   times (n_i / mean n)^-item_power, n_i the events of item i: beside it what was not
 *                   seen of a popular item weighs more, as in He et al., Fast Matrix Factorization
 *                   for Online Recommendation with Implicit Feedback, SIGIR 2016
 *            l_u = reg (alpha0 n_items + sum_i w_ui)^nu, l_i likewise
 *            Hu et al.: alpha0 = 1, weights = value, nu = 0.  Rendle et al.: alpha = 1, weights =
 *            binary, nu = 1; their seen pairs aim at 1 with weight 1 and at 0 with weight alpha0,
 *            which is the same minimum for reg (1 + alpha0) in place of reg.
 * Update     x_u = A^-1 b,  A = alpha0 Y'Y + sum_seen w_ui y_i y_i' + l_u I,
 *                           b = sum_seen (alpha0 + w_ui) y_i;     Y likewise, before X
 *            exactly (cholesky), by cg_steps conjugate gradients from the last x_u (cg), or in
 *            block_size coordinates after the other (block)
 * Cost       per epoch of N events, m users and items, d = n_factors:
 *            cholesky  2 N d^2 + m d^3 / 3 flops;  cg  (8 cg_steps + 4) N d + 4 m d^2 + 20 d^3;
 *            block     2 N d (b + 8) + m (2 d^2 + d b^2 / 3), b = block_size
 *            Memory m d floats, twice for block.
 * Departs    Cholesky instead of an explicit inverse; frequency scaling sums weights, not events,
 *            so that scaling alpha0 and alpha together changes nothing when nu = 1; alpha0 follows
 *            the density of the data unless it is given
 * Checked    test_ials.c: closed form, objective never rises, fold-in is the row solve, explanation
 *            sums to the score, 1 = 5 threads
 */
#include "model/als_basis.h"
#include "model/als_rows.h"
#include "model/form_vectors.h"

#include "base/mem.h"
#include "base/rng.h"
#include "simd/kernels.h"

#include <math.h>
#include <string.h>

enum {
    PIECE = 256, /* rows per call of gram_rows */
    PARTS = 32,  /* of the sum Y'Y */
};

enum weights { BINARY, VALUE, LOG };
static const char *const weight_names[] = { "binary", "value", "log", NULL };

enum solver { AUTO, CHOLESKY, CG, BLOCK };
static const char *const solvers[] = { "auto", "cholesky", "cg", "block", NULL };

struct ials {
    int32_t n_factors, n_epochs, weights, solver, cg_steps, block_size;
    float alpha0, alpha, item_power, reg, nu, init_std_dev;
};

#define FIELD(name) offsetof(struct ials, name)
static const ki_param params[] = {
    { "n_factors", KI_INT, FIELD(n_factors), 64, 1, 8192, "factors per user and per item", NULL,
      KI_LOG, 16, 512 },
    { "n_epochs", KI_INT, FIELD(n_epochs), 15, 1, 10000, "sweeps over items and users", NULL,
      KI_LINEAR, 5, 30 },
    { "alpha0", KI_FLOAT, FIELD(alpha0), -1, -1, 1e6,
      "weight of what was not seen; -1: all that together is 12 times the seen", NULL, KI_LOG, .003,
      1 },
    { "alpha", KI_FLOAT, FIELD(alpha), 1, 0, 1e6, "weight of what was seen", NULL, KI_FIXED, 0, 0 },
    { .name = "weights",
      .kind = KI_CHOICE,
      .offset = FIELD(weights),
      .init = BINARY,
      .choices = weight_names,
      .meaning = "what alpha is multiplied by: 1, the value, or log(1 + value)" },
    { "item_power", KI_FLOAT, FIELD(item_power), 0, 0, 4,
      "an event weighs less the more its item has: by their number to minus this power", NULL,
      KI_LINEAR, 0, .75 },
    { "reg", KI_FLOAT, FIELD(reg), .007, 0, 1e6, "ridge penalty", NULL, KI_LOG, 1e-4, .1 },
    { "nu", KI_FLOAT, FIELD(nu), 1, 0, 4,
      "the penalty of a row grows with its weight to this power", NULL, KI_LINEAR, 0, 1 },
    { .name = "solver",
      .kind = KI_CHOICE,
      .offset = FIELD(solver),
      .init = AUTO,
      .choices = solvers,
      .meaning = "of one row; auto: cholesky up to 32 factors, cg beyond" },
    { "cg_steps", KI_INT, FIELD(cg_steps), 3, 1, 1000, "steps per row (solver = cg)", NULL,
      KI_FIXED, 0, 0 },
    { "block_size", KI_INT, FIELD(block_size), 64, 1, 1024, "factors at a time (solver = block)",
      NULL, KI_FIXED, 0, 0 },
    { "init_std_dev", KI_FLOAT, FIELD(init_std_dev), .1, 0, 100,
      "of the first factors, divided by the root of n_factors", NULL, KI_FIXED, 0, 0 },
};

static float weigh(const struct ials *o, float value)
{
    return o->weights == BINARY  ? o->alpha
           : o->weights == VALUE ? o->alpha * value
                                 : o->alpha * log1pf(value);
}

static float ridge(const struct ials *o, float alpha0, const float *w, int64_t n, int64_t n_cols)
{
    double sum = alpha0 * (double)n_cols;
    for (int64_t t = 0; t < n; t++) sum += w[t];
    return (float)(o->reg * pow(sum, o->nu));
}

/* ---- G = Y'Y: a fixed number of parts, added in their order ---- */

struct gram {
    const ki_kernels *k;
    const float *Y; /* [n, d] */
    int64_t n, d, per_part;
    float *parts; /* [PARTS, d, d] */
    float *G;     /* [d, d] */
};

static kith_err gram_part(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct gram *g = arg;
    int32_t rows[PIECE];
    float ones[PIECE];
    float *A = g->parts + begin / g->per_part * g->d * g->d;
    (void)worker;
    memset(A, 0, (size_t)(g->d * g->d) * sizeof *A);
    for (int t = 0; t < PIECE; t++) ones[t] = 1;
    for (int64_t at = begin; at < end; at += PIECE) {
        const int64_t n = KI_MIN(PIECE, end - at);
        for (int64_t t = 0; t < n; t++) rows[t] = (int32_t)(at + t);
        g->k->gram_rows(A, g->Y, rows, ones, n, g->d);
    }
    return KITH_OK;
}

static kith_err gram_sum(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct gram *g = arg;
    const int64_t d = g->d, n_parts = (g->n + g->per_part - 1) / g->per_part;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        float *to = g->G + i * d;
        memset(to, 0, (size_t)(i + 1) * sizeof *to);
        for (int64_t p = 0; p < n_parts; p++)
            g->k->axpy(to, 1, g->parts + p * d * d + i * d, i + 1);
        for (int64_t j = 0; j < i; j++) g->G[j * d + i] = to[j];
    }
    return KITH_OK;
}

static kith_err make_gram(struct gram *g, ki_pool *pool)
{
    g->per_part = KI_MAX(PIECE, (g->n + PARTS - 1) / PARTS);
    const kith_err err = ki_parallel_for(pool, g->n, g->per_part, gram_part, g);
    return err != KITH_OK ? err : ki_parallel_for(pool, g->d, 8, gram_sum, g);
}

/* ---- fit ---- */

struct fit {
    const struct ials *o;
    float alpha0; /* settled */
    struct gram gram;
    ki_als_basis basis; /* solver = cg */
    ki_als_side items, users;
    float *w, *l; /* weights and ridges of both sides: [2, nnz], [n_items + n_users] */
};

static kith_err weigh_all(const struct ials *o, const ki_csr *by, float *w)
{
    for (int64_t j = 0; j < ki_csr_nnz(by); j++) {
        w[j] = weigh(o, by->val[j]);
        if (!(w[j] >= 0))
            return ki_fail(KITH_EDATA,
                           "ials: the value %g is negative and so no weight; set weights=binary, "
                           "or leave such events out",
                           (double)by->val[j]);
    }
    return KITH_OK;
}

/* What an event of each item weighs: (n_i / mean n)^-item_power. */
static kith_err weigh_items(const struct ials *o, const ki_csr *by_item, ki_vectors *v)
{
    int64_t n_warm = 0;
    if (o->item_power == 0) return KITH_OK;
    const kith_err err = ki_alloc(&v->item_weight, (size_t)v->n_items, sizeof *v->item_weight);
    if (err != KITH_OK) return err;
    for (int32_t i = 0; i < by_item->n_rows; i++) n_warm += ki_csr_len(by_item, i) > 0;
    const double mean = (double)ki_csr_nnz(by_item) / (double)KI_MAX(n_warm, (int64_t)1);
    for (int32_t i = 0; i < by_item->n_rows; i++) {
        const int64_t n = ki_csr_len(by_item, i);
        v->item_weight[i] = n > 0 ? (float)pow((double)n / mean, -(double)o->item_power) : 1;
    }
    return KITH_OK;
}

/* Both orders of the weights times those of the items. */
static void apply_item_weights(const ki_ratings *r, const float *weight, float *by_item,
                               float *by_user)
{
    for (int32_t i = 0; i < r->by_item.n_rows; i++)
        for (int64_t j = r->by_item.ptr[i]; j < r->by_item.ptr[i + 1]; j++) by_item[j] *= weight[i];
    for (int64_t j = 0; j < ki_csr_nnz(&r->by_user); j++) by_user[j] *= weight[r->by_user.idx[j]];
}

/* What alpha0 = -1 stands for.  Of the shares 6, 12, 24 the middle one was best or next to it in
 * ndcg@20 of held-out events on MovieLens 100K, 1M and gowalla, whose densities differ by 100. */
static float settle_alpha0(const struct ials *o, const ki_csr *by, const float *w)
{
    double sum = 0;
    if (o->alpha0 >= 0) return o->alpha0;
    for (int64_t j = 0; j < ki_csr_nnz(by); j++) sum += w[j];
    return (float)(12 * sum / ((double)by->n_rows * by->n_cols));
}

static ki_als_solver solver_of(const struct ials *o)
{
    switch (o->solver) {
    case CHOLESKY: return KI_ALS_CHOLESKY;
    case CG: return KI_ALS_CG;
    case BLOCK: return KI_ALS_BLOCK;
    default: return o->n_factors <= 32 ? KI_ALS_CHOLESKY : KI_ALS_CG;
    }
}

static kith_err make_side(ki_als_side *side, const struct fit *f, const ki_job *job,
                          const ki_csr *by, float *X, const float *Y, const float *w, float *l)
{
    for (int32_t r = 0; r < by->n_rows; r++)
        l[r] = ridge(f->o, f->alpha0, w + by->ptr[r], ki_csr_len(by, r), by->n_cols);
    *side = (ki_als_side){ .given = { ki_kernels_get(), Y, f->gram.G, by->n_cols, f->o->n_factors,
                                      f->alpha0, f->basis.diagonal },
                           .solver = solver_of(f->o),
                           .cg_steps = f->o->cg_steps,
                           .block_size = KI_MIN(f->o->block_size, f->o->n_factors),
                           .by = by,
                           .X = X,
                           .w = w,
                           .l = l };
    return ki_als_side_prepare(side, job);
}

static kith_err make_sides(struct fit *f, const ki_ratings *r, const ki_job *job, ki_vectors *v)
{
    const size_t nnz = (size_t)ki_csr_nnz(&r->by_user), n = (size_t)v->n_items;
    const size_t d = (size_t)v->dim;
    kith_err err;
    if ((err = ki_alloc(&f->w, nnz, 2 * sizeof *f->w)) != KITH_OK) return err;
    if ((err = ki_alloc(&f->l, n + (size_t)v->n_users, sizeof *f->l)) != KITH_OK) return err;
    if ((err = ki_alloc(&f->gram.parts, PARTS, d * d * sizeof(float))) != KITH_OK) return err;
    if ((err = weigh_all(f->o, &r->by_item, f->w)) != KITH_OK) return err;
    if ((err = weigh_all(f->o, &r->by_user, f->w + nnz)) != KITH_OK) return err;
    if ((err = weigh_items(f->o, &r->by_item, v)) != KITH_OK) return err;
    if (v->item_weight != NULL) apply_item_weights(r, v->item_weight, f->w, f->w + nnz);
    f->alpha0 = settle_alpha0(f->o, &r->by_user, f->w + nnz);
    if (solver_of(f->o) == KI_ALS_CG &&
        (err = ki_als_basis_alloc(&f->basis, (int64_t)d, job)) != KITH_OK)
        return err;
    err = make_side(&f->items, f, job, &r->by_item, v->Y, v->X, f->w, f->l);
    if (err != KITH_OK) return err;
    return make_side(&f->users, f, job, &r->by_user, v->X, v->Y, f->w + nnz, f->l + n);
}

struct start { /* of the rows of one side */
    uint64_t seed, stream;
    float sd, *X;
    int64_t d;
};

static kith_err start_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct start *s = arg;
    (void)worker;
    for (int64_t row = begin; row < end; row++) {
        ki_rng rng = ki_rng_make(s->seed, s->stream, (uint64_t)row);
        ki_rng_fill_normal(&rng, s->sd, s->X + row * s->d, s->d);
    }
    return KITH_OK;
}

static kith_err init_rows(const struct ials *o, const ki_job *job, uint64_t stream, float *X,
                          int64_t n)
{
    const float sd = o->init_std_dev / sqrtf((float)o->n_factors);
    struct start s = { job->seed, stream, sd, X, o->n_factors };
    return ki_parallel_for(job->pool, n, 256, start_rows, &s);
}

/* Solve the rows of one side, X[n_x], given the other's, Y. */
static kith_err check_gram(const struct gram *g)
{
    for (int64_t j = 0; j < g->d; j++)
        if (!isfinite(g->G[j * g->d + j]))
            return ki_fail(KITH_EDATA, "ials: the weights are too large: the factors are no finite "
                                       "numbers any more; lower alpha or the values");
    return KITH_OK;
}

static kith_err run_half(struct fit *f, ki_als_side *side, float *Y, ki_job *job)
{
    const int64_t n_x = side->by->n_rows, n_y = side->given.n;
    kith_err err;
    f->gram.Y = Y;
    f->gram.n = n_y;
    if ((err = make_gram(&f->gram, job->pool)) != KITH_OK) return err;
    if ((err = check_gram(&f->gram)) != KITH_OK) return err;
    if (side->solver == KI_ALS_CG) {
        err = ki_als_basis_turn(&f->basis, side->X, n_x, Y, n_y, f->gram.G, job);
        if (err != KITH_OK) return err;
    }
    return ki_als_side_solve(side, job);
}

static kith_err sweep(struct fit *f, ki_job *job)
{
    const int32_t n = f->o->n_epochs;
    kith_err err;
    for (int32_t e = 0; e < n; e++) {
        if ((err = ki_job_step(job, "fit ials", e, n)) != KITH_OK) return err;
        if ((err = run_half(f, &f->items, f->users.X, job)) != KITH_OK) return err;
        if ((err = run_half(f, &f->users, f->items.X, job)) != KITH_OK) return err;
    }
    return ki_job_step(job, "fit ials", n, n);
}

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    const struct ials *o = p;
    const int32_t d = o->n_factors;
    ki_vectors *v = state;
    kith_err err = ki_vectors_alloc(v, in->ratings, d, 0, 1);
    if (err != KITH_OK) return err;
    /* users are solved last, so the gram ends as Y'Y, which a fold-in needs */
    struct fit f = { .o = o, .gram = { .k = ki_kernels_get(), .d = d, .G = v->gram } };
    if ((err = make_sides(&f, in->ratings, in->job, v)) != KITH_OK) goto done;
    if ((err = init_rows(o, in->job, 0, v->X, v->n_users)) != KITH_OK) goto done;
    if ((err = init_rows(o, in->job, 1, v->Y, v->n_items)) != KITH_OK) goto done;
    *v->l2 = f.alpha0;
    err = sweep(&f, in->job);
done:
    ki_als_side_clear(&f.items);
    ki_als_side_clear(&f.users);
    ki_als_basis_clear(&f.basis);
    ki_free(f.gram.parts);
    ki_free(f.w);
    ki_free(f.l);
    return err;
}

static size_t memory(const void *p, const ki_ratings *r)
{
    const struct ials *o = p;
    const size_t rows = (size_t)r->by_user.n_rows + (size_t)r->by_user.n_cols;
    const size_t d = (size_t)o->n_factors, nnz = (size_t)ki_csr_nnz(&r->by_user);
    const size_t copies = solver_of(o) == KI_ALS_BLOCK ? 2 : 1;
    const size_t basis = solver_of(o) == KI_ALS_CG ? ki_als_basis_memory(o->n_factors) : 0;
    return sizeof(float) * (rows * d * copies + (PARTS + 2) * d * d + 2 * nnz) + basis;
}

/* ---- serving: a history is one more row; l2 of the form holds the settled alpha0 ---- */

static ki_als_given given_of(const ki_model *m)
{
    const ki_vectors *v = m->state;
    return (ki_als_given){ ki_kernels_get(), v->Y, v->gram, v->n_items, v->dim, *v->l2, NULL };
}

static ki_als_row row_of_query(const ki_model *m, const ki_query *q, float *w)
{
    const ki_vectors *v = m->state;
    for (int32_t j = 0; j < q->n; j++) {
        w[j] = KI_MAX(0, weigh(m->params, q->values[j]));
        if (v->item_weight != NULL) w[j] *= v->item_weight[q->items[j]];
    }
    return (ki_als_row){ q->items, w, q->n, ridge(m->params, *v->l2, w, q->n, v->n_items) };
}

static kith_err fold_in(const ki_model *m, const ki_query *q, float *x, float *bias, float *scratch)
{
    const ki_als_given g = given_of(m);
    const ki_als_row row = row_of_query(m, q, scratch + g.d * g.d);
    *bias = 0;
    ki_als_solve(&g, &row, scratch, x);
    return KITH_OK;
}

/* x.y_i = sum_t (alpha0 + w_t) y_t' A^-1 y_i, exact where x is the exact solution. */
static int explain(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                   ki_term *out, float *scratch)
{
    const ki_als_given g = given_of(m);
    float *z = scratch + g.d * g.d;
    const ki_als_row row = row_of_query(m, q, z + g.d);
    (void)prepared;
    if (q->n == 0 || !ki_als_factor(&g, &row, scratch)) return 0;
    memcpy(z, g.Y + item * g.d, (size_t)g.d * sizeof *z);
    g.k->chol_solve(scratch, z, g.d);
    for (int32_t j = 0; j < q->n; j++) {
        const float along = g.k->dot(z, g.Y + q->items[j] * g.d, g.d);
        out[j] = (ki_term){ q->items[j], (g.alpha0 + row.w[j]) * along };
    }
    return q->n;
}

const ki_model_desc ki_ials = {
    .name = "ials",
    .family = "collaborative_filtering",
    .summary = "matrix factorisation for implicit feedback by alternating least squares",
    .paper =
        "Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008",
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(struct ials),
    .form = &ki_form_vectors,
    .memory = memory,
    .check = ki_vectors_check_gram,
    .fit = fit,
    .fold_in = fold_in,
    .explain = explain,
};
