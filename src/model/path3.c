/* SPDX-License-Identifier: MIT
 * path3.c -- the item-item matrix of a walk of three steps
 */
#include "model/path3.h"

#include "base/mem.h"
#include "model/top_product.h"

#include <math.h>

/* out = a with each row's values divided by their sum and raised to alpha; the rest is a's. */
static kith_err step(const ki_path3 *o, const ki_csr *a, const char *what, ki_csr *out)
{
    *out = ki_csr_lend(a);
    out->val = NULL;
    const kith_err err = ki_alloc(&out->val, (size_t)ki_csr_nnz(a), sizeof *out->val);
    if (err != KITH_OK) return err;
    for (int32_t r = 0; r < a->n_rows; r++) {
        double sum = 0;
        for (int64_t t = a->ptr[r]; t < a->ptr[r + 1]; t++) {
            if (a->val[t] < 0 && !o->binary)
                return ki_fail(KITH_EDATA,
                               "%s: a walk cannot take a step of negative value (%g); take "
                               "binary=true",
                               what, (double)a->val[t]);
            sum += o->binary ? 1 : (double)a->val[t];
        }
        for (int64_t t = a->ptr[r]; t < a->ptr[r + 1]; t++)
            out->val[t] = (float)pow((o->binary ? 1 : (double)a->val[t]) / (sum > 0 ? sum : 1),
                                     (double)o->alpha);
    }
    return KITH_OK;
}

static void make_discount(const ki_csr *by_item, float beta, float *discount)
{
    for (int32_t i = 0; i < by_item->n_rows; i++) {
        const double n = (double)KI_MAX(ki_csr_len(by_item, i), (int64_t)1);
        discount[i] = (float)pow(n, -(double)beta);
    }
}

static void normalize_rows(ki_csr *S)
{
    for (int32_t r = 0; r < S->n_rows; r++) {
        double sum = 0;
        for (int64_t t = S->ptr[r]; t < S->ptr[r + 1]; t++) sum += S->val[t];
        for (int64_t t = S->ptr[r]; t < S->ptr[r + 1]; t++)
            S->val[t] = (float)(S->val[t] / sum); /* entries that are kept are above 0 */
    }
}

kith_err ki_path3_fit(const ki_path3 *o, const char *what, const ki_fit *in, ki_items *s)
{
    const ki_ratings *r = in->ratings;
    ki_csr to_users = { 0 }, to_items = { 0 }, S = { 0 };
    float *discount = NULL;
    kith_err err;
    if ((err = ki_items_begin(s, r->by_item.n_rows, o->binary || !r->has_values)) != KITH_OK)
        return err;
    if ((err = step(o, &r->by_item, what, &to_users)) != KITH_OK) goto done;
    if ((err = step(o, &r->by_user, what, &to_items)) != KITH_OK) goto done;
    if ((err = ki_alloc(&discount, (size_t)s->n_items, sizeof *discount)) != KITH_OK) goto done;
    make_discount(&r->by_item, o->beta, discount);
    const ki_top_product product = {
        .a = &to_users, .b = &to_items, .column = discount, .n_keep = o->n_neighbors, .what = what
    };
    if ((err = ki_top_product_run(&product, in->job, &S)) != KITH_OK) goto done;
    if (o->normalize) normalize_rows(&S);
    ki_items_take(s, &S);
done:
    ki_free(to_users.val);
    ki_free(to_items.val);
    ki_free(discount);
    return err;
}

size_t ki_path3_memory(const ki_path3 *o, const ki_ratings *r)
{
    return ki_top_product_memory(o->n_neighbors, &r->by_item, &r->by_user) +
           2 * sizeof(float) * (size_t)ki_csr_nnz(&r->by_user);
}
