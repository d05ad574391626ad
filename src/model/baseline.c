/* SPDX-License-Identifier: MIT
 * baseline.c -- user and item biases by alternating least squares or by stochastic gradient
 *
 * Paper      Koren, Factor in the Neighbors, TKDD 2010, section 2.1; the updates and defaults are
 *            those of BaselineOnly in Surprise (Hug, JOSS 2020), so that its figures can be checked
 * Objective  sum over ratings of (r_ui - mean - bu_u - bi_i)^2 + reg_u |bu|^2 + reg_i |bi|^2
 * ALS        bi_i = sum_u (r_ui - mean - bu_u) / (reg_i + n_i), then bu likewise
 * SGD        e = r_ui - mean - bu_u - bi_i;  bu_u += lr (e - reg bu_u);  bi_i += lr (e - reg bi_i)
 * Cost       per epoch nnz additions; ALS reads the ratings once by item and once by user
 * Departs    SGD visits a user's items by rising index, Surprise in file order
 * Checked    test_bias.c: hand-computed steps, Surprise's values, normal equations, 1 = 5 threads
 */
#include "model/baseline.h"

#include <string.h>

enum { ROWS = 512 }; /* per chunk */

struct half { /* one half of an ALS epoch: solves `own` given `other` */
    const ki_csr *by;
    double mean;
    float reg;
    const float *other;
    float *own;
};

static kith_err solve_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct half *h = arg;
    (void)worker;
    for (int64_t row = begin; row < end; row++) {
        const int64_t from = h->by->ptr[row], to = h->by->ptr[row + 1];
        double sum = 0;
        for (int64_t j = from; j < to; j++)
            sum += h->by->val[j] - h->mean - h->other[h->by->idx[j]];
        h->own[row] = to > from ? (float)(sum / (h->reg + (double)(to - from))) : 0;
    }
    return KITH_OK;
}

kith_err ki_baseline_by_als(const ki_ratings *r, const ki_baseline_als *o, ki_job *job, float *bu,
                            float *bi)
{
    struct half items = { &r->by_item, r->mean, o->reg_i, bu, bi };
    struct half users = { &r->by_user, r->mean, o->reg_u, bi, bu };
    kith_err err;
    memset(bu, 0, (size_t)r->by_user.n_rows * sizeof *bu);
    memset(bi, 0, (size_t)r->by_item.n_rows * sizeof *bi);
    for (int32_t e = 0; e < o->n_epochs; e++) {
        if ((err = ki_job_step(job, "fit baselines", e, o->n_epochs)) != KITH_OK) return err;
        err = ki_parallel_for(job->pool, r->by_item.n_rows, ROWS, solve_rows, &items);
        if (err != KITH_OK) return err;
        err = ki_parallel_for(job->pool, r->by_user.n_rows, ROWS, solve_rows, &users);
        if (err != KITH_OK) return err;
    }
    return ki_job_step(job, "fit baselines", o->n_epochs, o->n_epochs);
}

kith_err ki_baseline_by_sgd(const ki_ratings *r, const ki_baseline_sgd *o, ki_job *job, float *bu,
                            float *bi)
{
    const ki_csr *by = &r->by_user;
    const float mean = (float)r->mean, lr = o->learning_rate, reg = o->reg;
    memset(bu, 0, (size_t)r->by_user.n_rows * sizeof *bu);
    memset(bi, 0, (size_t)r->by_item.n_rows * sizeof *bi);
    for (int32_t epoch = 0; epoch < o->n_epochs; epoch++) {
        const kith_err err = ki_job_step(job, "fit baselines", epoch, o->n_epochs);
        if (err != KITH_OK) return err;
        for (int32_t u = 0; u < by->n_rows; u++)
            for (int64_t j = by->ptr[u]; j < by->ptr[u + 1]; j++) {
                float *b = &bi[by->idx[j]];
                const float e = by->val[j] - mean - bu[u] - *b;
                bu[u] += lr * (e - reg * bu[u]);
                *b += lr * (e - reg * *b);
            }
    }
    return ki_job_step(job, "fit baselines", o->n_epochs, o->n_epochs);
}
