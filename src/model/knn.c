/* SPDX-License-Identifier: MIT
 * knn.c -- the vote of neighbours, and the figures that it needs
 */
#include "model/knn.h"

#include "base/mem.h"

#include <math.h>

static const char *const similarities[] = {
    "auto",
    "cosine",
    "tfidf",
    "bm25",
    "degree",
    "jaccard",
    "cosine_corated",
    "adjusted_cosine",
    "pearson_baseline",
    "pearson",
    "msd",
    NULL,
};
static const char *const variants[] = { "basic", "means", "zscore", "baseline", NULL };

const ki_param ki_knn_params[KI_KNN_PARAMS] = {
    { .name = "similarity",
      .kind = KI_CHOICE,
      .offset = offsetof(ki_knn, similarity),
      .init = 0,
      .choices = similarities,
      .meaning = "how two rows are compared; auto: degree for lists, pearson_baseline for rating "
                 "estimates",
      .scale = KI_LINEAR },
    { .name = "variant",
      .kind = KI_CHOICE,
      .offset = offsetof(ki_knn, variant),
      .init = KI_KNN_BASELINE,
      .choices = variants,
      .meaning = "what a neighbour's rating is compared with before it votes on a rating",
      .scale = KI_LINEAR },
    { .name = "k",
      .kind = KI_INT,
      .offset = offsetof(ki_knn, k),
      .init = 40,
      .min = 1,
      .max = 100000,
      .meaning = "neighbours that vote on a rating: the most similar that can",
      .scale = KI_LOG,
      .tune_min = 10,
      .tune_max = 200 },
    { .name = "min_k",
      .kind = KI_INT,
      .offset = offsetof(ki_knn, min_k),
      .init = 1,
      .min = 1,
      .max = 100000,
      .meaning = "fewer voters than this leave the mean or baseline alone" },
    { .name = "n_neighbors",
      .kind = KI_INT,
      .offset = offsetof(ki_knn, n_neighbors),
      .init = -1,
      .min = -1,
      .max = 1000000,
      .meaning =
          "nearest kept of an item (item-knn; -1: 500), or that make a user's list (user-knn; "
          "-1: 100); 0: all",
      .scale = KI_LOG,
      .tune_min = 20,
      .tune_max = 1000 },
    { .name = "shrinkage",
      .kind = KI_FLOAT,
      .offset = offsetof(ki_knn, shrinkage),
      .init = -1,
      .min = -1,
      .max = 1e6,
      .meaning = "similarity *= n / (n + shrinkage), n in common; -1: 100 for pearson_baseline, 3 "
                 "for degree, "
                 "else 0",
      .scale = KI_LINEAR,
      .tune_min = 0,
      .tune_max = 200 },
    { .name = "min_support",
      .kind = KI_INT,
      .offset = offsetof(ki_knn, min_support),
      .init = 1,
      .min = 1,
      .max = 1000000,
      .meaning = "rows with fewer in common are not similar" },
    { .name = "bm25_k1",
      .kind = KI_FLOAT,
      .offset = offsetof(ki_knn, k1),
      .init = 1.2,
      .min = 0,
      .max = 1e6,
      .meaning = "bm25: how soon a value saturates",
      .scale = KI_LOG,
      .tune_min = 0.2,
      .tune_max = 200 },
    { .name = "bm25_b",
      .kind = KI_FLOAT,
      .offset = offsetof(ki_knn, b),
      .init = 0.75,
      .min = 0,
      .max = 1,
      .meaning = "bm25: how much long rows are held back",
      .scale = KI_LINEAR,
      .tune_min = 0,
      .tune_max = 1 },
};

static ki_similarity with_options(const ki_knn *o, int32_t measure)
{
    const float usual = measure == KI_PEARSON_BASELINE ? 100 : measure == KI_DEGREE ? 3 : 0;
    return (ki_similarity){ .measure = measure,
                            .min_support = o->min_support,
                            .shrinkage = o->shrinkage < 0 ? usual : o->shrinkage,
                            .k1 = o->k1,
                            .b = o->b };
}

ki_similarity ki_knn_for_lists(const ki_knn *o, float min)
{
    if (o->similarity > 0) return with_options(o, o->similarity - 1);
    return with_options(o, min < 0 ? KI_COSINE : KI_DEGREE);
}

ki_similarity ki_knn_for_votes(const ki_knn *o)
{
    return with_options(o, o->similarity > 0 ? o->similarity - 1 : KI_PEARSON_BASELINE);
}

int ki_knn_needs_base(const ki_knn *o, int has_values)
{
    return o->similarity == 1 + KI_PEARSON_BASELINE || ki_knn_votes_apart(o, has_values) ||
           (has_values && o->variant == KI_KNN_BASELINE);
}

kith_err ki_knn_check(const ki_model *m, const float *mean, const float *sd, const float *base)
{
    const ki_knn *o = m->params;
    const int with_means = o->variant == KI_KNN_MEANS || o->variant == KI_KNN_ZSCORE;
    if (m->has_values && with_means && (mean == NULL || sd == NULL))
        return ki_fail(KITH_EFORMAT, "%s: the means are missing that its estimates need",
                       m->desc->name);
    if (ki_knn_needs_base(o, m->has_values) && base == NULL)
        return ki_fail(KITH_EFORMAT, "%s: the baselines are missing that its estimates need",
                       m->desc->name);
    return KITH_OK;
}

/* ---- figures ---- */

void ki_knn_describe_row(const float *val, int64_t n, double all_mean, float *mean, float *sd)
{
    double sum = 0, squares = 0;
    for (int64_t j = 0; j < n; j++) sum += val[j];
    const double m = n > 0 ? sum / (double)n : all_mean;
    for (int64_t j = 0; j < n; j++) squares += (val[j] - m) * (val[j] - m);
    *mean = (float)m;
    *sd = n > 0 ? (float)sqrt(squares / (double)n) : 0;
}

double ki_knn_spread(const ki_csr *by_row, double all_mean)
{
    const int64_t n = ki_csr_nnz(by_row);
    double squares = 0;
    for (int64_t j = 0; j < n; j++)
        squares += (by_row->val[j] - all_mean) * (by_row->val[j] - all_mean);
    return n > 0 ? sqrt(squares / (double)n) : 0;
}

void ki_knn_describe(const ki_csr *by_row, double all_mean, float *mean, float *sd)
{
    const float all_sd = (float)ki_knn_spread(by_row, all_mean);
    for (int32_t r = 0; r < by_row->n_rows; r++) {
        ki_knn_describe_row(by_row->val + by_row->ptr[r], ki_csr_len(by_row, r), all_mean, &mean[r],
                            &sd[r]);
        if (sd[r] == 0) sd[r] = all_sd;
    }
}

float ki_knn_user_base(const ki_query *q, double all_mean, const float *item_base)
{
    double sum = 0;
    for (int32_t j = 0; j < q->n; j++) sum += q->values[j] - all_mean - item_base[q->items[j]];
    return q->n > 0 ? (float)(sum / (KI_KNN_REG_USER + (double)q->n)) : 0;
}

/* ---- the vote ---- */

/* What neighbour x says, as a difference to what stands before the sum. */
static double say(const ki_knn *o, const ki_knn_voters *v, int32_t at)
{
    const int32_t x = v->who[at];
    const double r = v->value[at];
    switch ((enum ki_knn_variant)o->variant) {
    case KI_KNN_MEANS: return r - v->mean[x];
    case KI_KNN_ZSCORE: return (r - v->mean[x]) / v->sd[x];
    case KI_KNN_BASELINE: return r - ((double)v->rest + v->base[x]);
    case KI_KNN_BASIC: break;
    }
    return r;
}

float ki_knn_vote(const ki_knn *o, const ki_best *chosen, const ki_knn_voters *voters,
                  const ki_knn_own *own, uint8_t *supported)
{
    double said = 0, weight = 0;
    int32_t n = 0;
    for (int32_t j = 0; j < chosen->n; j++) {
        const double sim = ki_best_score(chosen->key[j]);
        if (!(sim > 0)) continue;
        said += sim * say(o, voters, ki_best_index(chosen->key[j]));
        weight += sim;
        n++;
    }
    *supported = n > 0 && n >= o->min_k;
    const double vote = *supported ? said / weight : 0;
    switch ((enum ki_knn_variant)o->variant) {
    case KI_KNN_MEANS: return (float)(own->mean + vote);
    case KI_KNN_ZSCORE: return (float)(own->mean + own->sd * vote);
    case KI_KNN_BASELINE: return (float)(own->base + vote);
    case KI_KNN_BASIC: break;
    }
    return (float)(*supported ? vote : own->all_mean);
}
