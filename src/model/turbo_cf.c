/* SPDX-License-Identifier: MIT
 * turbo_cf.c -- a polynomial filter on the graph of items, made once: no training, no factors
 *
 * Paper      Park, Shin, Shin, Turbo-CF: Matrix Decomposition-Free Graph Filtering for Fast
 *            Recommendation, SIGIR 2024
 * Graph      R~ = D_u^-a R D_i^(a-1),   Q = (R~'R~) with every entry to the power `power`
 * Filter     linear: S = Q;   second: S = 2 Q - Q Q;   s_i = sum over the history's items j of S_ji
 * Cost       top_product.h: sum over users of n_u^2 additions, and for `second` n_items n_neighbors^2
 *            more; memory n_items n_neighbors
 * Departs    Q and S keep the n_neighbors largest entries of a row (S without its diagonal, which
 *            ranks nothing), so that no n_items x n_items matrix is needed; the third polynomial of
 *            the paper is left out, since it would fill one
 * Checked    test_turbo_cf.c: three items by hand, the plain loops; numpy (test/golden)
 */
#include "model/form_items.h"

#include "base/mem.h"
#include "model/top_product.h"

#include <math.h>
#include <string.h>

enum filter { LINEAR, SECOND };
static const char *const filters[] = { "linear", "second", NULL };

struct turbo {
    int32_t filter, n_neighbors;
    float user_power, power;
};

static const ki_param params[] = {
    { .name = "filter",
      .kind = KI_CHOICE,
      .offset = offsetof(struct turbo, filter),
      .init = LINEAR,
      .choices = filters,
      .meaning = "polynomial of the item graph: linear, or of second order" },
    { .name = "user_power",
      .kind = KI_FLOAT,
      .offset = offsetof(struct turbo, user_power),
      .init = 0.65,
      .min = 0,
      .max = 1,
      .meaning = "power of a user's degree that divides a rating; an item's has what is left to 1",
      .scale = KI_LINEAR,
      .tune_min = 0.3,
      .tune_max = 0.9 },
    { .name = "power",
      .kind = KI_FLOAT,
      .offset = offsetof(struct turbo, power),
      .init = 0.7,
      .min = 0.1,
      .max = 4,
      .meaning = "power of each entry of the item graph; above 1 strong links win",
      .scale = KI_LINEAR,
      .tune_min = 0.5,
      .tune_max = 1.5 },
    { .name = "n_neighbors",
      .kind = KI_INT,
      .offset = offsetof(struct turbo, n_neighbors),
      .init = 400,
      .min = 0,
      .max = 100000,
      .meaning = "items kept per item, the largest; 0: all of them",
      .scale = KI_LOG,
      .tune_min = 50,
      .tune_max = 1000 },
};

/* val = d_row^-row_power d_col^-col_power for each entry of a; degrees count interactions. */
static kith_err normalise(const ki_csr *a, const ki_csr *by_col, double row_power, double col_power,
                          ki_csr *out)
{
    float *column = NULL;
    kith_err err;
    *out = ki_csr_lend(a);
    out->val = NULL;
    if ((err = ki_alloc(&out->val, (size_t)ki_csr_nnz(a), sizeof *out->val)) != KITH_OK) return err;
    if ((err = ki_alloc(&column, (size_t)a->n_cols, sizeof *column)) != KITH_OK) return err;
    for (int32_t c = 0; c < a->n_cols; c++)
        column[c] = (float)pow((double)KI_MAX(ki_csr_len(by_col, c), (int64_t)1), -col_power);
    for (int32_t r = 0; r < a->n_rows; r++) {
        const float row = (float)pow((double)KI_MAX(ki_csr_len(a, r), (int64_t)1), -row_power);
        for (int64_t t = a->ptr[r]; t < a->ptr[r + 1]; t++) out->val[t] = row * column[a->idx[t]];
    }
    ki_free(column);
    return KITH_OK;
}

/* Q, with its diagonal when a further product is to be made of it. */
static kith_err make_graph(const struct turbo *o, const ki_fit *in, ki_csr *Q)
{
    const ki_ratings *r = in->ratings;
    const double a = (double)o->user_power;
    ki_csr to_users = { 0 }, to_items = { 0 };
    kith_err err;
    if ((err = normalise(&r->by_item, &r->by_user, 1 - a, a, &to_users)) != KITH_OK) goto done;
    if ((err = normalise(&r->by_user, &r->by_item, a, 1 - a, &to_items)) != KITH_OK) goto done;
    const ki_top_product product = { .a = &to_users,
                                     .b = &to_items,
                                     .n_keep = o->n_neighbors,
                                     .diagonal = o->filter == SECOND,
                                     .what = "fit turbo-cf" };
    if ((err = ki_top_product_run(&product, in->job, Q)) != KITH_OK) goto done;
    for (int64_t t = 0; t < ki_csr_nnz(Q) && o->power != 1; t++)
        Q->val[t] = powf(Q->val[t], o->power);
done:
    ki_free(to_users.val);
    ki_free(to_items.val);
    return err;
}

/* out = 2 I - Q.  Every item that somebody has is its own neighbour in Q unless others are nearer. */
static kith_err turn(const ki_csr *Q, ki_csr *out)
{
    const int32_t n = Q->n_rows;
    int64_t to = 0;
    const kith_err err = ki_csr_alloc(out, n, n, ki_csr_nnz(Q) + n);
    if (err != KITH_OK) return err;
    for (int32_t r = 0; r < n; r++) {
        int placed = 0;
        for (int64_t t = Q->ptr[r]; t < Q->ptr[r + 1]; t++) {
            const int32_t c = Q->idx[t];
            if (!placed && c >= r) {
                out->idx[to] = r;
                out->val[to++] = c == r ? 2 - Q->val[t] : 2;
                placed = 1;
                if (c == r) continue;
            }
            out->idx[to] = c;
            out->val[to++] = -Q->val[t];
        }
        if (!placed) {
            out->idx[to] = r;
            out->val[to++] = 2;
        }
        out->ptr[r + 1] = to;
    }
    return KITH_OK;
}

static kith_err second_order(const struct turbo *o, ki_csr *Q, ki_job *job)
{
    ki_csr rest = { 0 }, S = { 0 };
    kith_err err = turn(Q, &rest);
    const ki_top_product product = {
        .a = Q, .b = &rest, .n_keep = o->n_neighbors, .what = "fit turbo-cf"
    };
    if (err == KITH_OK) err = ki_top_product_run(&product, job, &S);
    ki_csr_clear(&rest);
    if (err != KITH_OK) return err;
    ki_csr_clear(Q);
    *Q = S;
    return KITH_OK;
}

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    const struct turbo *o = p;
    ki_items *s = state;
    ki_csr Q = { 0 };
    kith_err err;
    if ((err = ki_items_begin(s, in->ratings->by_item.n_rows, 1)) != KITH_OK) return err;
    if ((err = make_graph(o, in, &Q)) == KITH_OK && o->filter == SECOND)
        err = second_order(o, &Q, in->job);
    if (err == KITH_OK) ki_items_take(s, &Q);
    ki_csr_clear(&Q);
    return err;
}

static size_t memory(const void *p, const ki_ratings *r)
{
    const struct turbo *o = p;
    const size_t one = ki_top_product_memory(o->n_neighbors, &r->by_item, &r->by_user);
    return (o->filter == SECOND ? 3 * one : one) +
           2 * sizeof(float) * (size_t)ki_csr_nnz(&r->by_user);
}

const ki_model_desc ki_turbo_cf = {
    .name = "turbo-cf",
    .family = "graph_based",
    .summary = "a polynomial filter on the graph of items, made once without training",
    .paper = "Park, Shin, Shin, Turbo-CF: Matrix Decomposition-Free Graph Filtering for Fast "
             "Recommendation, SIGIR 2024",
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(struct turbo),
    .form = &ki_form_items,
    .memory = memory,
    .fit = fit,
};
