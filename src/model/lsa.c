/* SPDX-License-Identifier: MIT
 * lsa.c -- items near the history, or near a description, in the latent space of their texts
 *
 * Paper      Deerwester, Dumais, Furnas, Landauer, Harshman, Indexing by Latent Semantic Analysis,
 *            JASIS 1990; the embedding is text/embed_lsa.c's
 * Model      y_i = e(item i), of length 1;  x = h sum_j w_j y_j / |sum_j w_j y_j| + e(user's words) +
 *            e(text), scaled to length 1;  score = x . y_i
 * Explain    a sum over the history: its terms
 * Cost       an SVD of the items' tf-idf: entries times n_factors times a dozen
 * Checked    test_lsa.c: two topics by hand, texts, cold items
 */
#include "model/form_text_vectors.h"
#include "model/text_params.h"

#include "base/mem.h"
#include "simd/kernels.h"

#include <math.h>
#include <string.h>

struct lsa {
    int32_t n_factors, char_min, char_max, remove_common, history_values;
    float alpha, history_weight;
    ki_text_params text;
};

static const ki_param params[] = {
    { .name = "n_factors",
      .kind = KI_INT,
      .offset = offsetof(struct lsa, n_factors),
      .init = 256,
      .min = 1,
      .max = 1024,
      .meaning = "dimensions of a text's vector",
      .scale = KI_LOG,
      .tune_min = 32,
      .tune_max = 512 },
    KI_TEXT_PARAM_ROWS(lsa),
    { .name = "char_min",
      .kind = KI_INT,
      .offset = offsetof(struct lsa, char_min),
      .init = 3,
      .min = 1,
      .max = 8,
      .meaning = "fewest characters of a part of a word (char_max)" },
    { .name = "char_max",
      .kind = KI_INT,
      .offset = offsetof(struct lsa, char_max),
      .init = 0,
      .min = 0,
      .max = 8,
      .meaning = "most characters of a part of a word, so that misspelt words are known; less than "
                 "char_min: no parts" },
    { .name = "alpha",
      .kind = KI_FLOAT,
      .offset = offsetof(struct lsa, alpha),
      .init = 0.5,
      .min = 0,
      .max = 1,
      .meaning = "0: strong directions count as they are; 1: all count the same",
      .scale = KI_LINEAR,
      .tune_min = 0,
      .tune_max = 1 },
    { .name = "remove_common",
      .kind = KI_BOOL,
      .offset = offsetof(struct lsa, remove_common),
      .init = 1,
      .meaning = "take out the direction of the mean item" },
    { .name = "history_values",
      .kind = KI_CHOICE,
      .offset = offsetof(struct lsa, history_values),
      .init = KI_VALUES_PLAIN,
      .choices = ki_history_values_names,
      .meaning =
          "what an item of the history counts: its value less the user's mean, its value, 1" },
    { .name = "history_weight",
      .kind = KI_FLOAT,
      .offset = offsetof(struct lsa, history_weight),
      .init = 1,
      .min = 0,
      .max = 1e3,
      .meaning = "of the history beside the user's own words and the query's, which count 1",
      .scale = KI_LOG,
      .tune_min = 0.1,
      .tune_max = 10 },
};

/* ---- profiles ---- */

static float length_of(const float *x, int64_t n)
{
    return sqrtf(ki_kernels_get()->dot(x, x, n));
}

static void scale(float *x, float a, int64_t n)
{
    for (int64_t j = 0; j < n; j++) x[j] *= a;
}

/* x[d] of length 1 (or 0) from a history and words[2, d]; returns what one unit of w_j counts. */
static float make_profile(const struct lsa *o, const ki_vectors *v, const ki_query *q,
                          const float *words, float *x)
{
    const ki_kernels *k = ki_kernels_get();
    const int64_t d = v->dim;
    const ki_weighing w = ki_weighing_of((ki_history_values)o->history_values, q);
    memset(x, 0, (size_t)d * sizeof *x);
    for (int32_t j = 0; j < q->n; j++) k->axpy(x, ki_weigh(&w, q, j), v->Y + q->items[j] * d, d);
    const float history = length_of(x, d);
    float unit = history > 1e-12f ? o->history_weight / history : 0;
    scale(x, unit, d);
    for (int word = 0; word < 2; word++) k->axpy(x, 1, words + word * d, d);
    const float whole = length_of(x, d), shrink = whole > 1e-12f ? 1 / whole : 0;
    scale(x, shrink, d);
    return unit * shrink;
}

static kith_err fold_in(const ki_model *m, const ki_query *q, float *x, float *bias, float *scratch)
{
    const kith_err err = ki_text_vectors_words(m, q, scratch);
    *bias = 0;
    if (err == KITH_OK) make_profile(m->params, m->state, q, scratch, x);
    return err;
}

static int explain(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                   ki_term *out, float *scratch)
{
    const ki_kernels *k = ki_kernels_get();
    const struct lsa *o = m->params;
    const ki_vectors *v = m->state;
    const int64_t d = v->dim;
    const ki_weighing w = ki_weighing_of((ki_history_values)o->history_values, q);
    (void)prepared;
    if (ki_text_vectors_words(m, q, scratch) != KITH_OK) return 0;
    const float unit = make_profile(o, v, q, scratch, scratch + 2 * d);
    for (int32_t j = 0; j < q->n; j++) {
        const float along = k->dot(v->Y + q->items[j] * d, v->Y + item * d, d);
        out[j] = (ki_term){ q->items[j], unit * ki_weigh(&w, q, j) * along };
    }
    return q->n;
}

/* ---- fit ---- */

struct users {
    const struct lsa *o;
    ki_text_vectors *s;
    const ki_csr *by_user;
    float *words; /* [n_chunks of workers, 2, dim]: the second half stays 0 */
};

static kith_err fit_users(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct users *f = arg;
    const int64_t d = f->s->v.dim;
    float *words = f->words + worker * 2 * d;
    for (int64_t u = begin; u < end; u++) {
        const int64_t at = f->by_user->ptr[u];
        const ki_query q = { .user = (int32_t)u,
                             .items = f->by_user->idx + at,
                             .values = f->by_user->val + at,
                             .n = (int32_t)ki_csr_len(f->by_user, (int32_t)u) };
        memcpy(words, f->s->user_text + u * d, (size_t)d * sizeof *words);
        make_profile(f->o, &f->s->v, &q, words, f->s->v.X + u * d);
    }
    return KITH_OK;
}

static ki_lsa_options options(const struct lsa *o)
{
    ki_lsa_options l = { .text = ki_text_params_options(&o->text),
                         .dim = o->n_factors,
                         .alpha = o->alpha,
                         .remove_common = o->remove_common };
    if (o->char_max >= o->char_min) {
        l.text.grams.char_min = o->char_min;
        l.text.grams.char_max = o->char_max;
    }
    return l;
}

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    const struct lsa *o = p;
    const ki_csr *by_user = &in->ratings->by_user;
    ki_text_vectors *s = state;
    struct users users = { .o = o, .s = s, .by_user = by_user };
    ki_text_field *item_fields = NULL, *user_fields = NULL;
    int n_items = 0, n_users = 0;
    float *docs = NULL;
    const ki_lsa_options l = options(o);
    kith_err err = ki_text_params_fields(&o->text, "lsa", in->data, &item_fields, &n_items,
                                         &user_fields, &n_users);
    if (err != KITH_OK) goto done;
    err = ki_lsa_fit(&s->lsa, &l, item_fields, n_items, by_user->n_cols, in->job, "fit lsa", &docs);
    if (err != KITH_OK) goto done;
    const int64_t d = s->lsa.dim;
    if ((err = ki_vectors_alloc(&s->v, in->ratings, (int32_t)d, 0, 0)) != KITH_OK) goto done;
    memcpy(s->v.Y, docs, (size_t)(s->v.n_items * d) * sizeof *docs);
    err = ki_text_vectors_read_users(s, user_fields, n_users, in->job);
    if (err != KITH_OK) goto done;
    const size_t workers = (size_t)ki_pool_size(in->job->pool);
    err = ki_alloc(&users.words, workers, 2 * (size_t)d * sizeof(float));
    if (err == KITH_OK) err = ki_parallel_for(in->job->pool, s->v.n_users, 256, fit_users, &users);
done:
    ki_free(users.words);
    ki_free(docs);
    ki_free(item_fields);
    ki_free(user_fields);
    return err;
}

const ki_model_desc ki_lsa_model = {
    .name = "lsa",
    .family = "content_based",
    .summary = "items near the history, or near a description, in the latent space of their texts",
    .paper =
        "Deerwester, Dumais, Furnas, Landauer, Harshman, Indexing by Latent Semantic Analysis, "
        "JASIS 1990",
    .needs = KI_NEEDS_WORDS,
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(struct lsa),
    .form = &ki_form_text_vectors,
    .fit = fit,
    .fold_in = fold_in,
    .explain = explain,
    .knows_cold = ki_text_vectors_knows_cold,
    .answers = ki_text_vectors_answers,
};
