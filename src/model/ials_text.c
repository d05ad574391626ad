/* SPDX-License-Identifier: MIT
 * ials_text.c -- ials, with points in its space for items that nobody has and for descriptions
 *
 * Paper      Gantner, Drumond, Freudenthaler, Rendle, Schmidt-Thieme, Learning Attribute-to-Feature
 *            Mappings for Cold-Start Recommendations, ICDM 2010
 * Model      X, Y as ials (ials.c) fits them.  T holds the items' text embeddings (embed_lsa.c):
 *                W = argmin sum_i n_i |t_i W - y_i|^2 + l |W|^2,   n_i events of item i,
 *                l = map_reg sum_i n_i / text_factors
 *            A cold item has y_i = t_i W; an item with events keeps its own.
 * Fold-in    a described user is somebody who took one item, which is just as described: the words
 *            are one more event at y = t W in the row that ials solves,
 *                x = (alpha0 Y'Y + sum alpha y y' + l I)^-1 sum (alpha0 + alpha) y
 *            A training user with events and no new text keeps X[u].
 * Explain    the terms of the sum that are the history's
 * Cost       ials, then lsa, then n_items text_factors^2
 * Checked    test_lsa.c: the map by hand, cold items take the side of their words
 */
#include "model/form_text_vectors.h"
#include "model/text_params.h"

#include "base/mem.h"
#include "math/ridge.h"
#include "simd/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct ials_text {
    int32_t n_factors, n_epochs, text_factors;
    float alpha, reg, map_reg;
    ki_text_params text;
};

#define FIELD(name) offsetof(struct ials_text, name)
static const ki_param params[] = {
    { "n_factors", KI_INT, FIELD(n_factors), 64, 1, 1024, "factors per user and per item", NULL,
      KI_LOG, 16, 256 },
    { "n_epochs", KI_INT, FIELD(n_epochs), 15, 1, 10000, "sweeps over items and users", NULL,
      KI_LINEAR, 5, 30 },
    { "alpha", KI_FLOAT, FIELD(alpha), 1, 0, 1e6, "weight of what was seen", NULL, KI_FIXED, 0, 0 },
    { "reg", KI_FLOAT, FIELD(reg), .007, 1e-6, 1e6, "ridge penalty of the factors", NULL, KI_LOG,
      1e-4, .1 },
    { "text_factors", KI_INT, FIELD(text_factors), 256, 1, 1024, "dimensions of a text's vector",
      NULL, KI_LOG, 32, 512 },
    { "map_reg", KI_FLOAT, FIELD(map_reg), 1, 1e-4, 1e6, "ridge penalty of the map from texts",
      NULL, KI_LOG, .01, 100 },
    KI_TEXT_PARAM_ROWS(ials_text),
};

/* ---- fold-in ---- */

struct row { /* a history and words[2, d] as events */
    const ki_vectors *v;
    const struct ials_text *o;
    const ki_query *q;
    float *A;        /* [d, d] scratch: the factor */
    float *words;    /* [2, d] */
    float *w;        /* [n] alpha for each event */
    int32_t said[2]; /* which words there are */
    int32_t n_said;
};

static struct row make_row(const struct ials_text *o, const ki_vectors *v, const ki_query *q,
                           float *scratch)
{
    const int64_t d = v->dim;
    return (struct row){
        .v = v, .o = o, .q = q, .A = scratch, .words = scratch + d * d, .w = scratch + d * d + 4 * d
    };
}

static void find_said(struct row *r)
{
    const int64_t d = r->v->dim;
    for (int32_t j = 0; j < 2; j++)
        if (ki_kernels_get()->dot(r->words + j * d, r->words + j * d, d) > 0)
            r->said[r->n_said++] = j;
}

/* The factor of the row's system into A; 0 when rounding spoils it. */
static int factor(struct row *r)
{
    const ki_kernels *k = ki_kernels_get();
    const ki_vectors *v = r->v;
    const int64_t d = v->dim;
    const float alpha0 = *v->l2, alpha = r->o->alpha;
    const float words_w[2] = { alpha, alpha };
    const double events = (double)r->q->n + r->n_said;
    const float l =
        (float)((double)r->o->reg * ((double)alpha0 * (double)v->n_items + (double)alpha * events));
    for (int64_t j = 0; j < d * d; j++) r->A[j] = alpha0 * v->gram[j];
    for (int64_t j = 0; j < d; j++) r->A[j * d + j] += l;
    for (int32_t j = 0; j < r->q->n; j++) r->w[j] = alpha;
    k->gram_rows(r->A, v->Y, r->q->items, r->w, r->q->n, d);
    k->gram_rows(r->A, r->words, r->said, words_w, r->n_said, d);
    return k->chol(r->A, d) == 0;
}

static void solve(struct row *r, float *x)
{
    const ki_kernels *k = ki_kernels_get();
    const int64_t d = r->v->dim;
    const float each = *r->v->l2 + r->o->alpha;
    memset(x, 0, (size_t)d * sizeof *x);
    if (r->q->n + r->n_said == 0 || !factor(r)) return;
    for (int32_t j = 0; j < r->q->n; j++) k->axpy(x, each, r->v->Y + r->q->items[j] * d, d);
    for (int32_t j = 0; j < r->n_said; j++) k->axpy(x, each, r->words + r->said[j] * d, d);
    k->chol_solve(r->A, x, d);
}

static kith_err fold_in(const ki_model *m, const ki_query *q, float *x, float *bias, float *scratch)
{
    struct row r = make_row(m->params, m->state, q, scratch);
    const kith_err err = ki_text_vectors_words(m, q, r.words);
    *bias = 0;
    if (err != KITH_OK) return err;
    find_said(&r);
    solve(&r, x);
    return KITH_OK;
}

/* x.y_i = sum_t (alpha0 + alpha) y_t' A^-1 y_i */
static int explain(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                   ki_term *out, float *scratch)
{
    const ki_kernels *k = ki_kernels_get();
    struct row r = make_row(m->params, m->state, q, scratch);
    const int64_t d = r.v->dim;
    float *z = r.words + 2 * d;
    (void)prepared;
    if (q->n == 0 || ki_text_vectors_words(m, q, r.words) != KITH_OK) return 0;
    find_said(&r);
    if (!factor(&r)) return 0;
    memcpy(z, r.v->Y + item * d, (size_t)d * sizeof *z);
    k->chol_solve(r.A, z, d);
    for (int32_t j = 0; j < q->n; j++) {
        const float along = k->dot(z, r.v->Y + q->items[j] * d, d);
        out[j] = (ki_term){ q->items[j], (*r.v->l2 + r.o->alpha) * along };
    }
    return q->n;
}

/* ---- fit ---- */

/* ials through its descriptor; its arrays become v's. */
static kith_err fit_ials(const struct ials_text *o, const ki_fit *in, ki_vectors *v)
{
    char factors[16], epochs[16], alpha[24], reg[24];
    const kith_param given[] = {
        { "n_factors", factors }, { "n_epochs", epochs }, { "alpha", alpha }, { "reg", reg }
    };
    const ki_model_desc *desc = ki_model_find("ials");
    ki_model m;
    void *settings;
    snprintf(factors, sizeof factors, "%d", o->n_factors);
    snprintf(epochs, sizeof epochs, "%d", o->n_epochs);
    snprintf(alpha, sizeof alpha, "%.9g", (double)o->alpha);
    snprintf(reg, sizeof reg, "%.9g", (double)o->reg);
    kith_err err = ki_model_params(desc, given, KI_COUNT(given), 0, &settings);
    if (err == KITH_OK) err = ki_model_fit(&m, desc, settings, in->data, in->ratings, in->job);
    if (err != KITH_OK) return err;
    *v = *(ki_vectors *)m.state;
    memset(m.state, 0, desc->form->size); /* v owns the arrays now */
    ki_model_clear(&m);
    return KITH_OK;
}

/* Rows of items with events, times the root of how many; returns their number. */
static int64_t gather(const ki_csr *by_item, const float *docs, int64_t a, const ki_vectors *v,
                      float *T, float *Q)
{
    int64_t n = 0;
    for (int32_t i = 0; i < by_item->n_rows; i++) {
        const float root = sqrtf((float)ki_csr_len(by_item, i));
        if (root == 0) continue;
        for (int64_t j = 0; j < a; j++) T[n * a + j] = root * docs[i * a + j];
        for (int64_t j = 0; j < v->dim; j++) Q[n * v->dim + j] = root * v->Y[i * v->dim + j];
        n++;
    }
    return n;
}

static kith_err fit_map(const struct ials_text *o, const ki_csr *by_item, const float *docs,
                        ki_text_vectors *s)
{
    const int64_t a = s->lsa.dim, d = s->v.dim;
    const float l2 = o->map_reg * (float)ki_csr_nnz(by_item) / (float)a;
    float *T = NULL, *Q = NULL;
    kith_err err;
    if ((err = ki_alloc(&s->map, (size_t)a, (size_t)d * sizeof *s->map)) != KITH_OK) return err;
    if ((err = ki_alloc(&T, (size_t)by_item->n_rows, (size_t)a * sizeof *T)) != KITH_OK) goto done;
    if ((err = ki_alloc(&Q, (size_t)by_item->n_rows, (size_t)d * sizeof *Q)) != KITH_OK) goto done;
    err = ki_ridge_map(T, Q, gather(by_item, docs, a, &s->v, T, Q), a, d, l2, s->map);
done:
    ki_free(T);
    ki_free(Q);
    return err;
}

static void place_cold_items(const ki_csr *by_item, const float *docs, ki_text_vectors *s)
{
    for (int32_t i = 0; i < by_item->n_rows; i++)
        if (ki_csr_len(by_item, i) == 0)
            ki_text_vectors_map(s, docs + i * s->lsa.dim, s->v.Y + i * s->v.dim);
}

static ki_lsa_options options(const struct ials_text *o)
{
    return (ki_lsa_options){ .text = ki_text_params_options(&o->text),
                             .dim = o->text_factors,
                             .alpha = 0.5f,
                             .remove_common = 1 };
}

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    const struct ials_text *o = p;
    const ki_csr *by_item = &in->ratings->by_item;
    ki_text_vectors *s = state;
    ki_text_field *items = NULL, *users = NULL;
    int n_items = 0, n_users = 0;
    float *docs = NULL;
    const ki_lsa_options l = options(o);
    kith_err err =
        ki_text_params_fields(&o->text, "ials-text", in->data, &items, &n_items, &users, &n_users);
    if (err != KITH_OK) goto done;
    if ((err = fit_ials(o, in, &s->v)) != KITH_OK) goto done;
    err = ki_lsa_fit(&s->lsa, &l, items, n_items, by_item->n_rows, in->job, "fit lsa", &docs);
    if (err != KITH_OK) goto done;
    if ((err = fit_map(o, by_item, docs, s)) != KITH_OK) goto done;
    place_cold_items(by_item, docs, s);
    err = ki_text_vectors_read_users(s, users, n_users, in->job);
done:
    ki_free(docs);
    ki_free(items);
    ki_free(users);
    return err;
}

const ki_model_desc ki_ials_text = {
    .name = "ials-text",
    .family = "hybrid",
    .summary = "ials, and a map from texts into its space for new items and described users",
    .paper = "Gantner, Drumond, Freudenthaler, Rendle, Schmidt-Thieme, Learning "
             "Attribute-to-Feature Mappings for Cold-Start Recommendations, ICDM 2010",
    .needs = KI_NEEDS_WORDS,
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(struct ials_text),
    .form = &ki_form_text_vectors,
    .check = ki_vectors_check_gram,
    .fit = fit,
    .fold_in = fold_in,
    .explain = explain,
    .knows_cold = ki_text_vectors_knows_cold,
    .answers = ki_text_vectors_answers,
};
