/* SPDX-License-Identifier: MIT
 * ease.c -- every item predicted from all the others by one ridge regression, in closed form
 *
 * Paper      Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019
 * Objective  min over B:  |X - XB|^2 + l2 |B|^2  with diag(B) = 0
 * Solution   P = (X'X + l2 I)^-1;   B_ji = -P_ji / P_ii for j != i
 * Cost       time sum over users of n_u^2 for X'X, then n^3 FLOP for P (math/cholesky.h); memory
 *            4 n^2 bytes, in place: X'X, P and B are the same matrix one after the other
 * Departs    n_neighbors > 0 keeps the largest |B_ji| of every row j only, which makes the model small
 * Checked    test_ease.c: two items by hand, ridge regression column by column, zero diagonal,
 *            1 = 5 threads
 */
#include "model/form_items.h"

#include "base/mem.h"
#include "math/cholesky.h"
#include "model/best.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct ease {
    float l2;
    int32_t binary, n_neighbors;
};

static const ki_param params[] = {
    { .name = "l2",
      .kind = KI_FLOAT,
      .offset = offsetof(struct ease, l2),
      .init = 100,
      .min = 1e-3,
      .max = 1e6,
      .meaning = "ridge penalty on the weights",
      .scale = KI_LOG,
      .tune_min = 10,
      .tune_max = 2000 },
    { .name = "binary",
      .kind = KI_BOOL,
      .offset = offsetof(struct ease, binary),
      .init = 1,
      .meaning = "an interaction counts 1 whatever its value" },
    { .name = "n_neighbors",
      .kind = KI_INT,
      .offset = offsetof(struct ease, n_neighbors),
      .init = 0,
      .min = 0,
      .max = 100000,
      .meaning = "weights kept per item, the largest; 0: all of them" },
};

/* ---- X'X + l2 I, lower triangle ---- */

struct square {
    const struct ease *o;
    const ki_ratings *r;
    float *A; /* [n, n] */
    int64_t n;
};

static void gram_row(const struct square *s, int64_t i)
{
    const ki_csr *users = &s->r->by_item, *items = &s->r->by_user;
    float *row = s->A + i * s->n;
    for (int64_t t = users->ptr[i]; t < users->ptr[i + 1]; t++) {
        const int32_t u = users->idx[t];
        const float v = s->o->binary ? 1 : users->val[t];
        for (int64_t e = items->ptr[u]; e < items->ptr[u + 1] && items->idx[e] <= i; e++)
            row[items->idx[e]] += s->o->binary ? 1 : v * items->val[e];
    }
    row[i] += s->o->l2;
}

static kith_err gram_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    (void)worker;
    for (int64_t i = begin; i < end; i++) gram_row(arg, i);
    return KITH_OK;
}

/* ---- from P to B ---- */

struct weights {
    float *P;             /* [n, n], becomes B */
    const float *inverse; /* [n] -1 / P_ii */
    int64_t n;
};

static kith_err scale_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct weights *w = arg;
    (void)worker;
    for (int64_t j = begin; j < end; j++) {
        float *row = w->P + j * w->n;
        for (int64_t i = 0; i < w->n; i++) row[i] *= w->inverse[i];
        row[j] = 0;
    }
    return KITH_OK;
}

static kith_err make_weights(float *P, int64_t n, ki_pool *pool)
{
    float *inverse = NULL;
    kith_err err = ki_alloc(&inverse, (size_t)n, sizeof *inverse);
    if (err != KITH_OK) return err;
    for (int64_t i = 0; i < n; i++) inverse[i] = -1 / P[i * n + i];
    struct weights w = { .P = P, .inverse = inverse, .n = n };
    err = ki_parallel_for(pool, n, 16, scale_rows, &w);
    ki_free(inverse);
    return err;
}

/* ---- the largest weights alone ---- */

struct thin {
    const float *B; /* [n, n] */
    int64_t n;
    int32_t k;
    int32_t *idx; /* [n, k] rising, the first len of each row */
    float *val;   /* [n, k] */
    int32_t *len; /* [n] */
    uint64_t *keys;
};

static kith_err thin_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct thin *s = arg;
    uint64_t *keys = s->keys + (size_t)worker * ki_best_room(s->k);
    for (int64_t j = begin; j < end; j++) {
        const float *row = s->B + j * s->n;
        ki_best best = ki_best_into(keys, s->k);
        for (int32_t i = 0; i < s->n; i++)
            if (row[i] != 0) ki_best_push(&best, ki_best_key(fabsf(row[i]), i));
        ki_best_finish(&best);
        const uint64_t least = best.n == s->k ? best.floor : 0;
        int32_t kept = 0;
        for (int32_t i = 0; i < s->n; i++)
            if (row[i] != 0 && ki_best_key(fabsf(row[i]), i) >= least) {
                s->idx[j * s->k + kept] = i;
                s->val[j * s->k + kept++] = row[i];
            }
        s->len[j] = kept;
    }
    return KITH_OK;
}

static kith_err join_rows(const struct thin *s, ki_csr *out)
{
    int64_t nnz = 0;
    for (int64_t j = 0; j < s->n; j++) nnz += s->len[j];
    const kith_err err = ki_csr_alloc(out, (int32_t)s->n, (int32_t)s->n, nnz);
    if (err != KITH_OK) return err;
    for (int64_t j = 0; j < s->n; j++) {
        const size_t len = (size_t)s->len[j];
        memcpy(out->idx + out->ptr[j], s->idx + j * s->k, len * sizeof *s->idx);
        memcpy(out->val + out->ptr[j], s->val + j * s->k, len * sizeof *s->val);
        out->ptr[j + 1] = out->ptr[j] + s->len[j];
    }
    return KITH_OK;
}

static kith_err keep_largest(ki_items *s, int32_t k, ki_pool *pool)
{
    struct thin t = { .B = s->dense, .n = s->n_items, .k = (int32_t)KI_MIN(k, s->n_items) };
    const size_t cells = (size_t)t.n * (size_t)t.k;
    ki_csr B = { 0 };
    kith_err err;
    if ((err = ki_alloc(&t.idx, cells, sizeof *t.idx)) != KITH_OK) goto done;
    if ((err = ki_alloc(&t.val, cells, sizeof *t.val)) != KITH_OK) goto done;
    if ((err = ki_alloc(&t.len, (size_t)t.n, sizeof *t.len)) != KITH_OK) goto done;
    err = ki_alloc(&t.keys, (size_t)ki_pool_size(pool) * ki_best_room(t.k), sizeof *t.keys);
    if (err != KITH_OK) goto done;
    if ((err = ki_parallel_for(pool, t.n, 16, thin_rows, &t)) != KITH_OK) goto done;
    ki_free(s->dense);
    s->dense = NULL;
    if ((err = join_rows(&t, &B)) == KITH_OK) ki_items_take(s, &B);
done:
    ki_free(t.idx);
    ki_free(t.val);
    ki_free(t.len);
    ki_free(t.keys);
    return err;
}

/* ---- fit ---- */

static size_t memory(const void *p, const ki_ratings *r)
{
    const struct ease *o = p;
    const size_t n = (size_t)r->by_item.n_rows, k = KI_MIN((size_t)o->n_neighbors, n);
    return 4 * n * n + 16 * n * k;
}

static kith_err invert(float *A, int64_t n, size_t bytes, const struct ease *o, ki_job *job)
{
    char why[KI_MESSAGE_SIZE], what[48], size[KI_BYTES_ROOM];
    /* the progress line says what it takes beside the time: the figure that --memory is held against */
    snprintf(what, sizeof what, "fit ease in %s", ki_bytes_say(bytes, size));
    const kith_err err = ki_spd_inverse(A, n, what, job);
    if (err != KITH_EDATA) return err;
    ki_message_get(why);
    return ki_fail(err, "ease: l2 = %g is too small for this data (%.200s); raise it", o->l2, why);
}

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    const struct ease *o = p;
    ki_pool *pool = in->job->pool;
    ki_items *s = state;
    kith_err err;
    const int32_t n = in->ratings->by_item.n_rows;
    if ((err = ki_items_begin(s, n, o->binary)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->dense, (size_t)n, (size_t)n * sizeof *s->dense)) != KITH_OK) return err;
    struct square square = { .o = o, .r = in->ratings, .A = s->dense, .n = n };
    if ((err = ki_parallel_for(pool, n, 16, gram_rows, &square)) != KITH_OK) return err;
    if ((err = invert(s->dense, n, memory(o, in->ratings), o, in->job)) != KITH_OK) return err;
    if ((err = make_weights(s->dense, n, pool)) != KITH_OK) return err;
    return o->n_neighbors > 0 ? keep_largest(s, o->n_neighbors, pool) : KITH_OK;
}

const ki_model_desc ki_ease = {
    .name = "ease",
    .family = "collaborative_filtering",
    .summary = "every item predicted from all the others by one ridge regression, in closed form",
    .paper = "Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019",
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(struct ease),
    .form = &ki_form_items,
    .memory = memory,
    .fit = fit,
};
