/* SPDX-License-Identifier: MIT
 * form_text_vectors.c -- points of texts beside those of users and items
 *
 * Prepare    a training user without a text in the query has X[u], into which the fit has put their
 *            own words; anybody else is folded in by the descriptor, from the history and the words
 * The rest   is that of form_vectors.c, called with the same state
 */
#include "model/form_text_vectors.h"

#include "base/mem.h"
#include "simd/kernels.h"

#include <math.h>
#include <string.h>

static int is_zero(const float *x, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        if (x[j] != 0) return 0;
    return 1;
}

/* ---- texts ---- */

void ki_text_vectors_map(const ki_text_vectors *s, const float *embedding, float *out)
{
    if (s->map == NULL) {
        memcpy(out, embedding, (size_t)s->v.dim * sizeof *out);
        return;
    }
    memset(out, 0, (size_t)s->v.dim * sizeof *out);
    for (int64_t j = 0; j < s->lsa.dim; j++)
        ki_kernels_get()->axpy(out, embedding[j], s->map + j * s->v.dim, s->v.dim);
}

kith_err ki_text_vectors_words(const ki_model *m, const ki_query *q, float *words)
{
    const ki_text_vectors *s = m->state;
    const int64_t d = s->v.dim;
    float *embedding = NULL;
    memset(words, 0, 2 * (size_t)d * sizeof *words);
    if (q->user >= 0) memcpy(words, s->user_text + q->user * d, (size_t)d * sizeof *words);
    if (q->text == NULL) return KITH_OK;
    kith_err err = ki_alloc(&embedding, (size_t)s->lsa.dim, sizeof *embedding);
    if (err == KITH_OK) err = ki_lsa_embed_text(&s->lsa, q->text, embedding);
    if (err == KITH_OK) ki_text_vectors_map(s, embedding, words + d);
    ki_free(embedding);
    return err;
}

kith_err ki_text_vectors_read_users(ki_text_vectors *s, const ki_text_field *fields, int n_fields,
                                    ki_job *job)
{
    const int64_t n = s->v.n_users, d = s->v.dim;
    float *embedding = NULL;
    ki_csr U = { 0 };
    kith_err err;
    if ((err = ki_alloc(&s->user_text, (size_t)n, (size_t)d * sizeof(float))) != KITH_OK)
        return err;
    if ((err = ki_alloc(&embedding, (size_t)s->lsa.dim, sizeof *embedding)) != KITH_OK) goto done;
    err = ki_text_space_rows(&s->lsa.space, fields, n_fields, (int32_t)n, job, "read users", &U);
    for (int32_t u = 0; err == KITH_OK && u < n; u++) {
        const int64_t at = U.ptr[u];
        if (ki_lsa_embed_row(&s->lsa, U.idx + at, U.val + at, ki_csr_len(&U, u), embedding))
            ki_text_vectors_map(s, embedding, s->user_text + u * d);
    }
done:
    ki_csr_clear(&U);
    ki_free(embedding);
    return err;
}

int ki_text_vectors_knows_cold(const ki_model *m, int32_t item)
{
    const ki_vectors *v = m->state;
    return !is_zero(v->Y + item * v->dim, v->dim);
}

int ki_text_vectors_answers(const ki_model *m, const ki_query *q)
{
    const ki_text_vectors *s = m->state;
    ki_text_row row;
    if (q->user >= 0 && !is_zero(s->user_text + q->user * s->v.dim, s->v.dim)) return 1;
    if (q->text == NULL) return 0;
    if (ki_text_space_vector(&s->lsa.space, q->text, &row) != KITH_OK)
        return 1; /* memory ran out: ranking will say so */
    const int known = row.n > 0;
    ki_text_row_clear(&row);
    return known;
}

/* ---- saving, loading ---- */

static int fields(void *state, ki_field *out)
{
    ki_text_vectors *s = state;
    int n = ki_form_vectors.fields(&s->v, out);
    n += ki_lsa_fields(&s->lsa, out + n);
    out[n++] = (ki_field){ "map", KI_F32, 2, { &s->lsa.dim, &s->v.dim }, 0, (void **)&s->map, 1 };
    out[n++] = (ki_field){
        "user_text", KI_F32, 2, { &s->v.n_users, &s->v.dim }, 0, (void **)&s->user_text, 0
    };
    return n;
}

static kith_err check_finite(const float *a, int64_t n, const char *what)
{
    for (int64_t j = 0; a != NULL && j < n; j++)
        if (!isfinite(a[j]))
            return ki_fail(KITH_EFORMAT, "%s: value %lld is not finite", what, (long long)j);
    return KITH_OK;
}

static kith_err check(const ki_model *m)
{
    const ki_text_vectors *s = m->state;
    const ki_vectors *v = &s->v;
    kith_err err = ki_form_vectors.check(m);
    if (err != KITH_OK || (err = ki_lsa_check(&s->lsa)) != KITH_OK) return err;
    if (v->X == NULL) return ki_fail(KITH_EFORMAT, "the factors are missing");
    if (s->map == NULL && s->lsa.dim != v->dim)
        return ki_fail(KITH_EFORMAT, "texts have %lld factors, items %lld", (long long)s->lsa.dim,
                       (long long)v->dim);
    if ((err = check_finite(s->map, s->lsa.dim * v->dim, "map of texts")) != KITH_OK) return err;
    return check_finite(s->user_text, v->n_users * v->dim, "texts of users");
}

/* ---- asking ---- */

static void sizes(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats)
{
    const ki_vectors *v = m->state;
    ki_form_vectors.sizes(m, query_floats, scratch_floats);
    *scratch_floats = KI_MAX(*scratch_floats, KI_TEXT_VECTORS_SCRATCH(v->dim, v->n_items));
}

static kith_err prepare(const ki_model *m, const ki_query *q, float *prepared, float *scratch)
{
    const ki_vectors *v = m->state;
    prepared[v->dim] = *v->mean;
    if (q->user < 0 || q->n == 0 || q->text != NULL)
        return m->desc->fold_in(m, q, prepared, prepared + v->dim, scratch);
    memcpy(prepared, v->X + q->user * v->dim, (size_t)v->dim * sizeof *prepared);
    return KITH_OK;
}

static void score(const ki_model *m, const ki_query *q, const float *prepared, int nq,
                  int32_t begin, int32_t end, float *out, int64_t ld, float *scratch)
{
    ki_form_vectors.score(m, q, prepared, nq, begin, end, out, ld, scratch);
}

static void predict(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    const ki_vectors *v = m->state;
    ki_form_vectors.predict(m, q, prepared, items, n, out, supported, scratch);
    for (int j = 0; j < n; j++) supported[j] = !is_zero(prepared, v->dim) && out[j] != 0;
}

static void similar(const ki_model *m, int32_t item, float *out, float *scratch)
{
    ki_form_vectors.similar(m, item, out, scratch);
}

static kith_err forget(const ki_model *m, int32_t u, int64_t from, int64_t n)
{
    const ki_text_vectors *s = m->state;
    if (s->user_text != NULL)
        memset(s->user_text + u * s->v.dim, 0, (size_t)s->v.dim * sizeof *s->user_text);
    return ki_vectors_forget(m, u, from, n);
}

const ki_form ki_form_text_vectors = {
    .name = "text vectors",
    .size = sizeof(ki_text_vectors),
    .fields = fields,
    .check = check,
    .sizes = sizes,
    .prepare = prepare,
    .score = score,
    .tile = 1024,
    .predict = predict,
    .similar = similar,
    .forget = forget,
};
