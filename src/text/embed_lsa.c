/* SPDX-License-Identifier: MIT
 * embed_lsa.c -- the built-in embedder: truncated SVD of the catalogue's tf-idf
 *
 * Cost      math/svd.c over the entries of X; a text then costs its terms times dim
 * Checked   test_text.c: two topics by hand, a document embeds like its own text, words that never
 *           meet in a document but share neighbours are alike
 */
#include "text/embed.h"

#include "base/mem.h"
#include "math/svd.h"
#include "simd/kernels.h"

#include <math.h>
#include <string.h>

enum { OVERSAMPLE = 16, ITERATIONS = 3 };

/* ---- embedding ---- */

static int unit(float *x, int64_t n)
{
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += (double)x[j] * (double)x[j];
    if (!(sum > 1e-20)) {
        memset(x, 0, (size_t)n * sizeof *x);
        return 0;
    }
    const double scale = 1 / sqrt(sum);
    for (int64_t j = 0; j < n; j++) x[j] = (float)((double)x[j] * scale);
    return 1;
}

int ki_lsa_embed_row(const ki_lsa *lsa, const int32_t *idx, const float *val, int64_t n, float *out)
{
    const ki_kernels *k = ki_kernels_get();
    memset(out, 0, (size_t)lsa->dim * sizeof *out);
    k->axpy_at(out, val, lsa->V, idx, n, lsa->dim);
    if (!unit(out, lsa->dim)) return 0;
    k->axpy(out, -k->dot(out, lsa->common, lsa->dim), lsa->common, lsa->dim);
    return unit(out, lsa->dim);
}

kith_err ki_lsa_embed_text(const ki_lsa *lsa, const char *text, float *out)
{
    ki_text_row row;
    const kith_err err = ki_text_space_vector(&lsa->space, text, &row);
    if (err != KITH_OK) return err;
    ki_lsa_embed_row(lsa, row.idx, row.val, row.n, out);
    ki_text_row_clear(&row);
    return KITH_OK;
}

static kith_err embed(const void *self, const char *const *texts, int32_t n, float *out)
{
    const ki_lsa *lsa = self;
    kith_err err = KITH_OK;
    for (int32_t j = 0; err == KITH_OK && j < n; j++)
        err = ki_lsa_embed_text(lsa, texts[j], out + j * lsa->dim);
    return err;
}

ki_embedder ki_lsa_embedder(const ki_lsa *lsa)
{
    return (ki_embedder){ "lsa", (int32_t)lsa->dim, lsa, embed };
}

/* ---- fit ---- */

/* V S^-alpha; directions beyond the rank stay 0. */
static void scale_directions(ki_lsa *lsa, const double *sigma, const double *V, float alpha)
{
    for (int64_t d = 0; d < lsa->dim; d++) {
        const double s = sigma[d] > 1e-6 * sigma[0] ? pow(sigma[d], -(double)alpha) : 0;
        for (int64_t t = 0; t < lsa->space.n_terms; t++)
            lsa->V[t * lsa->dim + d] = (float)(V[t * lsa->dim + d] * s);
    }
}

static kith_err decompose(ki_lsa *lsa, const ki_lsa_options *o, const ki_csr *X, ki_job *job,
                          const char *what)
{
    const size_t n_terms = (size_t)lsa->space.n_terms;
    const int32_t k = KI_MIN(o->dim, KI_MIN(X->n_rows, X->n_cols));
    const ki_svd_options options = { k, ITERATIONS, OVERSAMPLE, what };
    ki_csr Xt = { 0 };
    double *sigma = NULL, *V = NULL;
    kith_err err;
    lsa->dim = k;
    if ((err = ki_alloc(&lsa->V, n_terms, (size_t)k * sizeof *lsa->V)) != KITH_OK) return err;
    if ((err = ki_alloc(&lsa->common, (size_t)k, sizeof *lsa->common)) != KITH_OK) return err;
    if ((err = ki_csr_transpose(&Xt, X)) != KITH_OK) goto done;
    if ((err = ki_alloc(&sigma, (size_t)k, sizeof *sigma)) != KITH_OK) goto done;
    if ((err = ki_alloc(&V, n_terms, (size_t)k * sizeof *V)) != KITH_OK) goto done;
    const ki_sparse a = { X->n_rows, X->n_cols, X->ptr, X->idx, X->val };
    const ki_sparse at = { Xt.n_rows, Xt.n_cols, Xt.ptr, Xt.idx, Xt.val };
    if ((err = ki_svd_truncated(&a, &at, &options, job, sigma, V)) != KITH_OK) goto done;
    scale_directions(lsa, sigma, V, o->alpha);
done:
    ki_csr_clear(&Xt);
    ki_free(sigma);
    ki_free(V);
    return err;
}

struct rows {
    const ki_lsa *lsa;
    const ki_csr *X;
    float *docs;
};

static kith_err embed_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct rows *r = arg;
    (void)worker;
    for (int64_t d = begin; d < end; d++) {
        const int64_t at = r->X->ptr[d];
        ki_lsa_embed_row(r->lsa, r->X->idx + at, r->X->val + at, ki_csr_len(r->X, (int32_t)d),
                         r->docs + d * r->lsa->dim);
    }
    return KITH_OK;
}

/* The direction of the mean document. */
static void find_common(ki_lsa *lsa, const float *docs, int32_t n)
{
    for (int32_t d = 0; d < n; d++)
        for (int64_t j = 0; j < lsa->dim; j++) lsa->common[j] += docs[d * lsa->dim + j];
    unit(lsa->common, lsa->dim);
}

kith_err ki_lsa_fit(ki_lsa *lsa, const ki_lsa_options *o, const ki_text_field *fields, int n_fields,
                    int32_t n_rows, ki_job *job, const char *what, float **docs)
{
    ki_text_options text = o->text;
    ki_csr X = { 0 };
    kith_err err;
    text.weighting = KI_TFIDF;
    text.normalise = 1;
    *lsa = (ki_lsa){ 0 };
    err = ki_text_space_fit(&lsa->space, &text, fields, n_fields, n_rows, job, "read items", &X);
    if (err != KITH_OK) goto done;
    if (ki_csr_nnz(&X) == 0) {
        err = ki_fail(KITH_EDATA,
                      "%s: no term is in enough items and in few enough; see min_df "
                      "and max_df",
                      what);
        goto done;
    }
    if ((err = decompose(lsa, o, &X, job, what)) != KITH_OK) goto done;
    if ((err = ki_alloc(docs, (size_t)n_rows, (size_t)lsa->dim * sizeof **docs)) != KITH_OK)
        goto done;
    struct rows rows = { lsa, &X, *docs };
    err = ki_parallel_for(job->pool, n_rows, 256, embed_rows, &rows);
    if (err != KITH_OK || !o->remove_common) goto done;
    find_common(lsa, *docs, n_rows);
    err = ki_parallel_for(job->pool, n_rows, 256, embed_rows, &rows);
done:
    ki_csr_clear(&X);
    return err;
}

/* ---- saving, loading ---- */

int ki_lsa_fields(ki_lsa *lsa, ki_field *out)
{
    int n = ki_text_space_fields(&lsa->space, out);
    int64_t *n_terms = &lsa->space.n_terms;
    out[n++] =
        (ki_field){ "term_factors", KI_F32, 2, { n_terms, &lsa->dim }, 0, (void **)&lsa->V, 0 };
    out[n++] = (ki_field){ "common", KI_F32, 1, { &lsa->dim }, 0, (void **)&lsa->common, 0 };
    return n;
}

static kith_err check_finite(const float *a, int64_t n, const char *what)
{
    for (int64_t j = 0; j < n; j++)
        if (!(fabsf(a[j]) <= 1e9f))
            return ki_fail(KITH_EFORMAT, "%s: value %lld is not sound", what, (long long)j);
    return KITH_OK;
}

kith_err ki_lsa_check(const ki_lsa *lsa)
{
    kith_err err;
    if ((err = ki_text_space_check(&lsa->space)) != KITH_OK) return err;
    if ((err = check_finite(lsa->common, lsa->dim, "common direction")) != KITH_OK) return err;
    return check_finite(lsa->V, lsa->space.n_terms * lsa->dim, "term factors");
}

void ki_lsa_clear(ki_lsa *lsa)
{
    ki_field fields[KI_LSA_FIELDS];
    ki_fields_free(fields, ki_lsa_fields(lsa, fields));
    *lsa = (ki_lsa){ 0 };
}
