/* SPDX-License-Identifier: MIT
 * content.c -- items whose words and attributes are like those of the history, or of a description
 *
 * Paper      Lops, de Gemmis, Semeraro, Content-based Recommender Systems: State of the Art and
 *            Trends, Recommender Systems Handbook, 2011;  bm25: Robertson and Zaragoza, 2009
 * Model      x_i = weighted terms of item i (text/space.h);  p = the history's items, the user's own
 *            words and those of a given text;  score = sim(p, x_i)  (form_features.c)
 * Cold       an item that nobody has is ranked like any other, and so is for a user who has nothing
 *            but words
 * Cost       fit: one pass over the texts and a sort of the vocabulary
 * Checked    test_content.c: hand-computed weights, profiles and shares; the news example
 */
#include "model/form_features.h"
#include "model/text_params.h"

#include "base/mem.h"

static const char *const metrics[] = { "cosine", "dot", "jaccard", NULL };

struct content {
    int32_t vectorization_method, similarity_metric, history_values;
    float history_weight, k1, b;
    ki_text_params text;
};

static const ki_param params[] = {
    { .name = "vectorization_method",
      .kind = KI_CHOICE,
      .offset = offsetof(struct content, vectorization_method),
      .choices = ki_text_weightings,
      .meaning = "how the terms of an item are weighted" },
    { .name = "similarity_metric",
      .kind = KI_CHOICE,
      .offset = offsetof(struct content, similarity_metric),
      .choices = metrics,
      .meaning = "how a profile and an item are compared" },
    KI_TEXT_PARAM_ROWS(content),
    { .name = "history_values",
      .kind = KI_CHOICE,
      .offset = offsetof(struct content, history_values),
      .choices = ki_history_values_names,
      .meaning =
          "what an item of the history counts: its value less the user's mean, its value, 1" },
    { .name = "history_weight",
      .kind = KI_FLOAT,
      .offset = offsetof(struct content, history_weight),
      .init = 1,
      .min = 0,
      .max = 1e3,
      .meaning = "of the history beside the user's own words and the query's, which count 1",
      .scale = KI_LOG,
      .tune_min = 0.1,
      .tune_max = 10 },
    { .name = "k1",
      .kind = KI_FLOAT,
      .offset = offsetof(struct content, k1),
      .init = 1.2,
      .min = 0,
      .max = 100,
      .meaning = "bm25: how much repetition counts",
      .scale = KI_LINEAR,
      .tune_min = 0.5,
      .tune_max = 3 },
    { .name = "b",
      .kind = KI_FLOAT,
      .offset = offsetof(struct content, b),
      .init = 0.75,
      .min = 0,
      .max = 1,
      .meaning = "bm25: how much long texts are held back",
      .scale = KI_LINEAR,
      .tune_min = 0,
      .tune_max = 1 },
};

static kith_err set_scalars(const struct content *o, ki_features *f)
{
    kith_err err;
    f->one = 1;
    if ((err = ki_alloc(&f->metric, 1, sizeof *f->metric)) != KITH_OK) return err;
    if ((err = ki_alloc(&f->values, 1, sizeof *f->values)) != KITH_OK) return err;
    if ((err = ki_alloc(&f->history_weight, 1, sizeof *f->history_weight)) != KITH_OK) return err;
    *f->metric = o->similarity_metric;
    *f->values = o->history_values;
    *f->history_weight = o->history_weight;
    return KITH_OK;
}

static ki_text_options options(const struct content *o)
{
    ki_text_options t = ki_text_params_options(&o->text);
    t.weighting = (ki_text_weighting)o->vectorization_method;
    t.k1 = o->k1;
    t.b = o->b;
    t.normalise = o->similarity_metric == KI_BY_COSINE;
    return t;
}

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    const struct content *o = p;
    const ki_ratings *r = in->ratings;
    ki_features *f = state;
    ki_text_field *items = NULL, *users = NULL;
    int n_items = 0, n_users = 0;
    ki_csr X = { 0 }, U = { 0 };
    const ki_text_options t = options(o);
    kith_err err;
    err = ki_text_params_fields(&o->text, "content", in->data, &items, &n_items, &users, &n_users);
    if (err != KITH_OK) goto done;
    if ((err = set_scalars(o, f)) != KITH_OK) goto done;
    err = ki_text_space_fit(&f->space, &t, items, n_items, r->by_item.n_rows, in->job, "read items",
                            &X);
    if (err != KITH_OK) goto done;
    err =
        ki_text_space_rows(&f->space, users, n_users, r->by_user.n_rows, in->job, "read users", &U);
    if (err == KITH_OK) err = ki_features_take(f, &X, &U);
done:
    ki_free(items);
    ki_free(users);
    ki_csr_clear(&X);
    ki_csr_clear(&U);
    return err;
}

const ki_model_desc ki_content = {
    .name = "content",
    .family = "content_based",
    .summary = "items with the words and attributes of the history, or of a description",
    .paper = "Lops, de Gemmis, Semeraro, Content-based Recommender Systems: State of the Art and "
             "Trends, Recommender Systems Handbook, 2011",
    .needs = KI_NEEDS_WORDS,
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(struct content),
    .form = &ki_form_features,
    .fit = fit,
    .knows_cold = ki_features_knows_cold,
    .answers = ki_features_answers,
};
