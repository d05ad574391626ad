/* SPDX-License-Identifier: MIT
 * styles.c -- metrics as other libraries define them, so that their numbers can be compared with
 *
 * Only definitions are here: denominators, ideals, who is averaged over.  What is served stays
 * kith's: the whole catalogue, the training items of the user left out, and ties by index only, as
 * none of these libraries averages over them.
 * Read from   implicit 0.7.3 evaluation.ranking_metrics_at_k; RecBole 1.2.1 evaluator/metrics.py;
 *             Surprise 1.1.5 accuracy.py; LensKit 2025.8.1 metrics/; Cornac 3.0.1 metrics/ and
 *             eval_methods/base_method.py
 * Checked     test_styles.c against golden/styles.json, made by those libraries' own evaluators
 */
#include "eval/metrics.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

static ki_half mean_of(double value)
{
    return (ki_half){ value, 1 };
}

static double hits(const ki_case *c, int k)
{
    int n = 0;
    while (n < c->n_hits && c->at[n] < k) n++;
    return n;
}

/* ---- implicit ---- */

static ki_half pooled_precision(const ki_case *c, int k)
{
    return (ki_half){ hits(c, k), KI_MIN(k, c->n_relevant) };
}

/* Each miss within k beats none of the hits before it; what is beyond k is taken to be in the middle.
 * Over all items of the catalogue, the history's among them. */
static ki_half auc_at_k(const ki_case *c, int k)
{
    const double positive = c->n_relevant, negative = c->catalogue->n_items - positive;
    const double found = hits(c, k), missed = k - found;
    double right = 0, before = 0;
    if (negative <= 0) return (ki_half){ 0, 0 };
    for (int place = 0, h = 0; place < k; place++) {
        if (h < c->n_hits && c->at[h] == place) {
            before++;
            h++;
        } else {
            right += before;
        }
    }
    right += (found + positive) / 2 * (negative - missed);
    return mean_of(right / (positive * negative));
}

static const ki_metric implicit_rows[] = {
    { "precision", KI_OF_LISTS, KI_HIGHER, 0,
      "hits in the first k of all users / sum over users of min(k, |R|)", pooled_precision, NULL, 0,
      NULL },
    { "auc_at", KI_OF_LISTS, KI_HIGHER, 0,
      "share of pairs (relevant, other) of the whole catalogue in the right order, what is beyond "
      "k "
      "taken to be in the middle, mean over users; implicit calls it auc",
      auc_at_k, NULL, 0, NULL },
};
static const char *const implicit_shared[] = { "map", "ndcg", NULL };

/* ---- RecBole ---- */

static ki_half average_popularity(const ki_case *c, int k)
{
    double sum = 0;
    for (int j = 0; j < c->n_list && j < k; j++) sum += c->catalogue->count[c->list[j]];
    return mean_of(sum / k);
}

static double item_coverage(const ki_exposure *e, int64_t places)
{
    int64_t n = 0;
    (void)places;
    for (int32_t i = 0; i < e->catalogue->n_items; i++) n += e->served[i] > 0;
    return (double)n / e->catalogue->n_items;
}

static double gini_of_all(const ki_exposure *e, int64_t places)
{
    return ki_exposure_gini(e, places, e->catalogue->n_items);
}

static double entropy_per_item(const ki_exposure *e, int64_t places)
{
    int64_t n = 0;
    for (int32_t i = 0; i < e->catalogue->n_items; i++) n += e->served[i] > 0;
    return ki_exposure_entropy(e, places) / (double)n;
}

static const ki_metric recbole_rows[] = {
    { "average_popularity", KI_OF_LISTS, KI_LOWER, 0,
      "training events of the items in the first k, summed, / k, mean over users; "
      "averagepopularity there",
      average_popularity, NULL, 0, NULL },
    { "catalog_coverage", KI_OF_EXPOSURE, KI_HIGHER, 0,
      "distinct items served / all items; itemcoverage there, which counts its padding item among "
      "all",
      NULL, item_coverage, 0, NULL },
    { "gini", KI_OF_EXPOSURE, KI_LOWER, 0,
      "Gini index of how often each item of the data is served; giniindex there", NULL, gini_of_all,
      0, NULL },
    { "entropy", KI_OF_EXPOSURE, KI_HIGHER, 0,
      "Shannon entropy in nats of the served places / number of items served; shannonentropy there",
      NULL, entropy_per_item, 0, NULL },
};
static const char *const recbole_shared[] = { "precision", "recall", "hit_rate", "map",
                                              "ndcg",      "mrr",    "gauc",     NULL };

/* ---- Surprise ---- */

static ki_half squared_error(const ki_case *c, int k)
{
    ki_half h = { 0, c->n_rated };
    (void)k;
    for (int j = 0; j < c->n_rated; j++) {
        const float e = KI_MIN(KI_MAX(c->estimate[j], c->min), c->max);
        h.sum += ((double)e - c->truth[j]) * ((double)e - c->truth[j]);
    }
    return h;
}

static ki_half concordance(const ki_case *c, int k)
{
    const ki_pairs p = ki_case_pairs(c, 1);
    (void)k;
    return (ki_half){ (double)p.right, (double)(p.right + p.tied + p.wrong) };
}

/* The mean count of right pairs over users who have any, and that of wrong ones over users who have any
 * of those: two means over two sets of users. */
static double pool_concordance(const double *sum, const double *weight, const int32_t *times,
                               int64_t n)
{
    double right = 0, wrong = 0, n_right = 0, n_wrong = 0;
    for (int64_t u = 0; u < n; u++) {
        const double often = times == NULL ? 1 : times[u];
        right += often * sum[u];
        wrong += often * (weight[u] - sum[u]);
        n_right += often * (sum[u] > 0);
        n_wrong += often * (weight[u] > sum[u]);
    }
    right = n_right > 0 ? right / n_right : 0;
    wrong = n_wrong > 0 ? wrong / n_wrong : 0;
    return right + wrong > 0 ? right / (right + wrong) : NAN;
}

static const ki_metric surprise_rows[] = {
    { "fcp", KI_OF_RATINGS, KI_HIGHER, 0,
      "mean over users of pairs in the right order / (that + mean over users of the other pairs), "
      "each mean over users "
      "who have any such pair; pairs of clipped estimates, ties are wrong",
      concordance, NULL, 0, pool_concordance },
    { "mse", KI_OF_RATINGS, KI_LOWER, 0,
      "mean squared error over test ratings, estimates clipped to the training scale",
      squared_error, NULL, 0, NULL },
};
static const char *const surprise_shared[] = { "rmse", "mae", NULL };

/* ---- LensKit ---- */

static ki_half precision_of_list(const ki_case *c, int k)
{
    const int n = KI_MIN(k, c->n_list);
    return mean_of(n > 0 ? hits(c, k) / n : 0);
}

static ki_half capped_recall(const ki_case *c, int k)
{
    return mean_of(hits(c, k) / KI_MIN(k, c->n_relevant));
}

static ki_half precision_of_short_lists(const ki_case *c, int k)
{
    const int most = KI_MIN(KI_MIN(k, c->n_list), c->n_relevant);
    return mean_of(most > 0 ? ki_case_precisions(c, k) / most : 0);
}

static double late_discount(int place) /* from 0: the first two places count alike */
{
    return 1 / log2(KI_MAX(place + 1, 2));
}

static ki_half late_dcg(const ki_case *c, int k)
{
    double sum = 0;
    for (int h = 0; h < c->n_hits && c->at[h] < k; h++) sum += late_discount(c->at[h]);
    return mean_of(sum);
}

static ki_half late_ndcg(const ki_case *c, int k)
{
    double ideal = 0;
    for (int j = 0; j < c->n_relevant && j < k; j++) ideal += late_discount(j);
    return mean_of(late_dcg(c, k).sum / ideal);
}

static const ki_metric lenskit_rows[] = {
    { "precision", KI_OF_LISTS, KI_HIGHER, 0,
      "hits in the first k / items in the first k, mean over users; 0 for an empty list",
      precision_of_list, NULL, 0, NULL },
    { "recall", KI_OF_LISTS, KI_HIGHER, 0, "hits in the first k / min(k, |R|), mean over users",
      capped_recall, NULL, 0, NULL },
    { "map", KI_OF_LISTS, KI_HIGHER, 0,
      "sum over j <= k of r_j * precision@j, / min(|R|, items in the first k), mean over users; "
      "AveragePrecision there",
      precision_of_short_lists, NULL, 0, NULL },
    { "dcg", KI_OF_LISTS, KI_HIGHER, 0, "sum over j <= k of r_j / log2(max(j, 2)), mean over users",
      late_dcg, NULL, 0, NULL },
    { "ndcg", KI_OF_LISTS, KI_HIGHER, 0,
      "that dcg@k / the dcg of min(k, |R|) hits in the first places, mean over users", late_ndcg,
      NULL, 0, NULL },
};
static const char *const lenskit_shared[] = { "hit_rate", "mrr", "rmse_raw", "mae_raw", NULL };

/* ---- Cornac ---- */

static ki_half auc_strict(const ki_case *c, int k)
{
    (void)k;
    return isnan(c->auc_strict) ? (ki_half){ 0, 0 } : mean_of(c->auc_strict);
}

static const ki_metric cornac_rows[] = {
    { "auc", KI_OF_SCORES, KI_HIGHER, 0,
      "share of pairs (relevant, other) with a strictly higher score, mean over users", auc_strict,
      NULL, 0, NULL },
};
static const char *const cornac_shared[] = { "precision", "recall", "f1",  "hit_rate",
                                             "ndcg",      "rmse",   "mae", NULL };

/* ---- the table ---- */

#define OWN(rows)                                                                                  \
    {                                                                                              \
        rows, KI_COUNT(rows)                                                                       \
    }

static const ki_style styles[] = {
    { "implicit", "implicit 0.7.3, ranking_metrics_at_k", "precision@10,map@10,ndcg@10,auc_at@10",
      NULL, 0, OWN(implicit_rows), implicit_shared },
    { "recbole", "RecBole 1.2.1, recbole.evaluator.metrics",
      "recall@10,mrr@10,ndcg@10,hit_rate@10,precision@10", NULL, 0, OWN(recbole_rows),
      recbole_shared },
    { "surprise", "Surprise 1.1.5, surprise.accuracy", "rmse,mae,fcp", NULL, 0, OWN(surprise_rows),
      surprise_shared },
    { "lenskit", "LensKit 2025.8.1, lenskit.metrics", "ndcg@10,map@10,recall@10,mrr@10", NULL, 0,
      OWN(lenskit_rows), lenskit_shared },
    { "cornac", "Cornac 3.0.1, cornac.metrics", "precision@10,recall@10,ndcg@10,auc",
      "rmse,mae,precision@10,recall@10,ndcg@10,auc", 1, OWN(cornac_rows), cornac_shared },
};

kith_err ki_style_find(const char *name, const ki_style **out)
{
    *out = NULL;
    if (name == NULL || strcmp(name, "kith") == 0) return KITH_OK;
    for (size_t j = 0; j < KI_COUNT(styles); j++)
        if (strcmp(styles[j].name, name) == 0) return *out = &styles[j], KITH_OK;
    return ki_fail(KITH_ENOTFOUND,
                   "there is no metric style \"%.64s\"; there are: kith, implicit, recbole, "
                   "surprise, lenskit, cornac",
                   name);
}

json_t *ki_styles_json(void)
{
    json_t *list = json_array();
    for (size_t j = 0; j < KI_COUNT(styles); j++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", styles[j].name, "source",
                                              styles[j].source, "metrics",
                                              ki_style_metrics_json(&styles[j])));
    return list;
}
