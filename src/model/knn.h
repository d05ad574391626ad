/* SPDX-License-Identifier: MIT
 * knn.h -- what item-knn and user-knn share: parameters, means and baselines, the vote of neighbours
 *
 * A rating estimate is the vote of the k most similar neighbours x that have a say in the pair:
 *
 *      basic      sum sim r_x / sum sim
 *      means      mean_own + sum sim (r_x - mean_x) / sum sim
 *      zscore     mean_own + sd_own * sum sim (r_x - mean_x) / sd_x / sum sim
 *      baseline   base_own + sum sim (r_x - base_x) / sum sim
 *
 * where neighbours whose similarity is not positive are left out after the k were chosen (so |sim|
 * = sim), and `own` is the user (user-knn) or the item (item-knn) asked about.  With fewer than
 * min_k voters the estimate is what stands before the sum, for basic the mean of all ratings, and
 * counts as unsupported.  These are KNNBasic, KNNWithMeans, KNNWithZScore and KNNBaseline of
 * Surprise (Hug, JOSS 2020).
 */
#ifndef KI_KNN_H
#define KI_KNN_H

#include "model/best.h"
#include "model/model.h"
#include "model/similarity.h"

enum ki_knn_variant { KI_KNN_BASIC, KI_KNN_MEANS, KI_KNN_ZSCORE, KI_KNN_BASELINE };

typedef struct ki_knn { /* parameters of both models */
    int32_t similarity; /* 0: auto; else 1 + enum ki_measure */
    int32_t variant;    /* of enum ki_knn_variant */
    int32_t k, min_k, n_neighbors, min_support;
    float shrinkage; /* < 0: auto, as n_neighbors */
    float k1, b;
} ki_knn;

enum { KI_KNN_PARAMS = 9 };
extern const ki_param ki_knn_params[KI_KNN_PARAMS];

/* The measure of lists and that of rating estimates, with their options.  They differ for `auto`
 * alone: degree (cosine where values are negative; `min` is the least) and pearson_baseline, since
 * what ranks well and what estimates well are not the same. */
ki_similarity ki_knn_for_lists(const ki_knn *o, float min);
ki_similarity ki_knn_for_votes(const ki_knn *o);

static inline int ki_knn_votes_apart(const ki_knn *o, int has_values)
{
    return has_values && o->similarity == 0;
}

/* Are baselines needed: by the variant, or by the measure? */
int ki_knn_needs_base(const ki_knn *o, int has_values);

enum { KI_KNN_REG_USER = 15, KI_KNN_REG_ITEM = 10, KI_KNN_EPOCHS = 10 }; /* of the baselines */

/* KITH_EFORMAT when a loaded model lacks the figures that its estimates read. */
kith_err ki_knn_check(const ki_model *m, const float *mean, const float *sd, const float *base);

/* Means and spreads of the rows of a matrix: mean[n_rows] (0 entries: `all_mean`), sd[n_rows] (no
 * spread: all_sd, that of all values). */
void ki_knn_describe(const ki_csr *by_row, double all_mean, float *mean, float *sd);

/* Mean and spread of some values, by the same rules but without a substitute for no spread. */
void ki_knn_describe_row(const float *val, int64_t n, double all_mean, float *mean, float *sd);
double ki_knn_spread(const ki_csr *by_row, double all_mean); /* sd of all values */

/* bu of a history, given the items' baselines: the user's step of alternating least squares. */
float ki_knn_user_base(const ki_query *q, double all_mean, const float *item_base);

/* Who votes: candidates in the selection carry positions in who and value. */
typedef struct ki_knn_voters {
    const int32_t *who;            /* neighbour of each position */
    const float *value;            /* its rating */
    const float *mean, *sd, *base; /* by neighbour; NULL where the variant needs none */
    float rest; /* baseline: what base_x lacks: all_mean + the other side's base */
} ki_knn_voters;

/* What stands before the sum. */
typedef struct ki_knn_own {
    float mean, sd, base; /* base: all_mean + bu + bi */
    double all_mean;
} ki_knn_own;

/* The estimate from a finished selection; *supported as above. */
float ki_knn_vote(const ki_knn *o, const ki_best *chosen, const ki_knn_voters *voters,
                  const ki_knn_own *own, uint8_t *supported);

#endif
