/* SPDX-License-Identifier: MIT
 * served.c -- metrics of what is served: how new, how varied, how unexpected, how like the history,
 * and how the places are spread over the catalogue
 *
 * What concerns served places (novelty, long tail) is averaged over the places that were served.
 * Of a metric of exposure there is no value (NaN) when nothing was served.
 * Paper    diversity: Smyth, McClave, Similarity vs. Diversity, ICCBR 2001; serendipity: Ge,
 *          Delgado-Battenfeld, Jannach, Beyond Accuracy, RecSys 2010; calibration: Steck, Calibrated
 *          Recommendations, RecSys 2018
 * Checked  test_metrics_served.c: by hand; test_metrics_golden.c: numpy and scipy
 */
#include "eval/metrics.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* ---- how popular
 * ----
 */

static ki_half novelty(const ki_case *c, int k)
{
    const int n = KI_MIN(k, c->n_list);
    ki_half h = { 0, n };
    for (int j = 0; j < n; j++)
        h.sum -= log2((double)c->catalogue->count[c->list[j]] / (double)c->catalogue->n_events);
    return h;
}

static ki_half long_tail_coverage(const ki_case *c, int k)
{
    const int n = KI_MIN(k, c->n_list);
    ki_half h = { 0, n };
    for (int j = 0; j < n; j++) h.sum += c->catalogue->tail[c->list[j]];
    return h;
}

static double mean_count(const ki_catalogue *catalogue, const int32_t *items, int n)
{
    double sum = 0;
    for (int j = 0; j < n; j++) sum += catalogue->count[items[j]];
    return sum / n;
}

static ki_half popularity_bias(const ki_case *c, int k)
{
    const int n = KI_MIN(k, c->n_list);
    if (n == 0 || c->n_history == 0) return (ki_half){ 0, 0 };
    return (ki_half){ mean_count(c->catalogue, c->list, n),
                      mean_count(c->catalogue, c->history, c->n_history) };
}

/* ---- how varied, how unexpected, how like the history
 * ----
 */

/* Items are unit vectors of equal entries, v_i = pattern / sqrt(n_i), so the cosines of all pairs sum
 * to (|sum v|^2 - n) / 2: no pair is looked at. */
static ki_half intra_list_diversity(const ki_case *c, int k)
{
    const ki_csr *space = c->catalogue->space;
    const int n = KI_MIN(k, c->n_list);
    int known = 0; /* items of which the space says anything */
    double square = 0;
    for (int j = 0; j < n; j++) {
        const int64_t from = space->ptr[c->list[j]], to = space->ptr[c->list[j] + 1];
        known += to > from;
        for (int64_t t = from; t < to; t++) c->room[space->idx[t]] += 1 / sqrt((double)(to - from));
    }
    for (int j = 0; j < n; j++) {
        for (int64_t t = space->ptr[c->list[j]]; t < space->ptr[c->list[j] + 1]; t++) {
            square += c->room[space->idx[t]] * c->room[space->idx[t]];
            c->room[space->idx[t]] = 0;
        }
    }
    if (known < 2) return (ki_half){ 0, 0 };
    return (ki_half){ 1 - (square - known) / (known * (known - 1.0)), 1 };
}

/* Is the item among the k most popular ones that this user does not have yet? */
static int is_expected(const ki_case *c, int32_t item, int k)
{
    const int32_t *place = c->catalogue->place;
    int32_t ahead = place[item];
    if (ahead < k) return 1;
    for (int32_t j = 0; j < c->n_history; j++) ahead -= place[c->history[j]] < place[item];
    return ahead < k;
}

static ki_half serendipity(const ki_case *c, int k)
{
    double sum = 0;
    for (int h = 0; h < c->n_hits && c->at[h] < k; h++)
        if (!is_expected(c, c->hit[h], k)) sum += ki_case_chance(c, h, k);
    return (ki_half){ sum / k, 1 };
}

/* out[g] += 1/|categories of i| for every item i; how many items have a category. */
static int add_mix(const ki_csr *mix, const int32_t *items, int n, double *out)
{
    int known = 0;
    for (int j = 0; j < n; j++) {
        const int64_t from = mix->ptr[items[j]], to = mix->ptr[items[j] + 1];
        known += to > from;
        for (int64_t t = from; t < to; t++) out[mix->idx[t]] += 1 / (double)(to - from);
    }
    return known;
}

static void clear_mix(const ki_csr *mix, const int32_t *items, int n, double *out)
{
    for (int j = 0; j < n; j++)
        for (int64_t t = mix->ptr[items[j]]; t < mix->ptr[items[j] + 1]; t++) out[mix->idx[t]] = 0;
}

/* KL(p | q~) in nats, p the mix of the history, q~ = 0.99 q + 0.01 p with q the mix of the list. */
static ki_half calibration(const ki_case *c, int k)
{
    static const double alpha = 0.01;
    const ki_csr *mix = c->catalogue->mix;
    double *p = c->room, *q = c->room + mix->n_cols, sum = 0;
    const int n = KI_MIN(k, c->n_list);
    const int n_p = add_mix(mix, c->history, c->n_history, p), n_q = add_mix(mix, c->list, n, q);
    for (int32_t g = 0; n_p > 0 && n_q > 0 && g < mix->n_cols; g++) {
        const double had = p[g] / n_p, gets = q[g] / n_q;
        if (had > 0) sum += had * log(had / ((1 - alpha) * gets + alpha * had));
    }
    clear_mix(mix, c->history, c->n_history, p);
    clear_mix(mix, c->list, n, q);
    return (ki_half){ n_p > 0 && n_q > 0 ? sum : 0, n_p > 0 && n_q > 0 };
}

/* ---- how the places are spread
 * ----
 */

/* Items without a training event may be served by a model of words; they are none of the whole. */
static double catalog_coverage(const ki_exposure *e, int64_t places)
{
    int64_t n = 0;
    (void)places;
    for (int32_t i = 0; i < e->catalogue->n_items; i++)
        n += e->served[i] > 0 && e->catalogue->count[i] > 0;
    return (double)n / e->catalogue->n_servable;
}

static int rising(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Items that were never served add nothing: only the others are sorted, behind them. */
double ki_exposure_gini(const ki_exposure *e, int64_t places, int32_t n)
{
    double sum = 0;
    int32_t used = 0;
    for (int32_t i = 0; i < e->catalogue->n_items; i++)
        if (e->served[i] > 0) e->sorted[used++] = e->served[i];
    if (places == 0) return NAN;
    n = KI_MAX(n, used); /* cold items may have been served */
    qsort(e->sorted, (size_t)used, sizeof *e->sorted, rising);
    for (int32_t j = 0; j < used; j++) sum += (2.0 * (n - used + j) + 1 - n) * e->sorted[j];
    return sum / ((double)n * (double)places);
}

static double gini(const ki_exposure *e, int64_t places)
{
    return ki_exposure_gini(e, places, e->catalogue->n_servable);
}

double ki_exposure_entropy(const ki_exposure *e, int64_t places)
{
    double sum = 0;
    if (places == 0) return NAN;
    for (int32_t i = 0; i < e->catalogue->n_items; i++) {
        const double share = (double)e->served[i] / (double)places;
        if (share > 0) sum -= share * log(share);
    }
    return sum;
}

static double entropy(const ki_exposure *e, int64_t places)
{
    return ki_exposure_entropy(e, places) / log(2);
}

/* ---- the table
 * ----
 */

static const ki_metric rows[] = {
    { "catalog_coverage", KI_OF_EXPOSURE, KI_HIGHER, 0,
      "distinct items with a training event in the first k of any list / all items with one", NULL,
      catalog_coverage, 0, NULL },
    { "gini", KI_OF_EXPOSURE, KI_LOWER, 0,
      "Gini index of how often each servable item is in the first k: 0 all alike, 1 one item only",
      NULL, gini, 0, NULL },
    { "entropy", KI_OF_EXPOSURE, KI_HIGHER, 0,
      "Shannon entropy in bits of the served places over items", NULL, entropy, 0, NULL },
    { "novelty", KI_OF_LISTS, KI_NEITHER, 0,
      "mean over served places of -log2(training events of the item / all training events)",
      novelty, NULL, 0, NULL },
    { "popularity_bias", KI_OF_LISTS, KI_NEITHER, 0,
      "mean over users of the mean training events of the items served, / the same of the items "
      "in the users' histories; 1: as popular as what they had",
      popularity_bias, NULL, 0, NULL },
    { "long_tail_coverage", KI_OF_LISTS, KI_NEITHER, 0,
      "share of served places that hold one of the least popular items, which together make up a "
      "fifth of the training events",
      long_tail_coverage, NULL, 0, NULL },
    { "intra_list_diversity", KI_OF_LISTS, KI_HIGHER, 0,
      "mean over pairs of items in the first k of 1 - cosine, mean over users with two items or "
      "more; "
      "`similarity` of the report names what the cosine is of",
      intra_list_diversity, NULL, KI_NEEDS_SPACE, NULL },
    { "serendipity", KI_OF_LISTS, KI_HIGHER, 0,
      "hits in the first k that are not among the k most popular items new to the user, / k, mean "
      "over "
      "users",
      serendipity, NULL, 0, NULL },
    { "calibration", KI_OF_LISTS, KI_LOWER, 0,
      "Kullback-Leibler divergence in nats of the categories of the first k (0.99 of them, 0.01 of "
      "the "
      "history's) from those of the history, mean over users who have both; 0: the same mix",
      calibration, NULL, KI_NEEDS_MIX, NULL },
};

const ki_metric_table ki_served_metrics = { rows, KI_COUNT(rows) };
