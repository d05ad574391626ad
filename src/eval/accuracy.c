/* SPDX-License-Identifier: MIT
 * accuracy.c -- metrics of what was found and of how ratings were estimated: k is the cut-off, L the
 * list, R the relevant test items, r_j = 1 when the item at place j (from 1) is in R
 *
 * Short lists are not padded and not forgiven: precision divides by k, recall by |R|.  A user whose
 * list is empty scores 0 and counts.
 * Ties     Hits that share their score with others may stand at any of the tied places.  Every
 *          metric of lists here is its expected value over random orders of tied scores; a hit that
 *          is tied with nothing has one place, and the formula is the plain one.
 * Paper    McSherry, Najork, Computing Information Retrieval Performance Measures Efficiently in the
 *          Presence of Tied Scores, ECIR 2008
 * Checked  test_metrics.c: hand-computed lists, all orders of small ties; test_metrics_golden.c
 */
#include "eval/metrics.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static ki_half mean_of(double value)
{
    return (ki_half){ value, 1 };
}

/* ---- accuracy of lists
 * -------------------------------------------------------------------------------------------
 */

static int places_of(const ki_case *c, int h)
{
    return c->tied == NULL ? 1 : c->tied[h];
}

double ki_case_chance(const ki_case *c, int h, int k)
{
    const int size = places_of(c, h);
    return (double)KI_MIN(k - c->at[h], size) / size;
}

static double hits(const ki_case *c, int k)
{
    double n = 0;
    for (int h = 0; h < c->n_hits && c->at[h] < k; h++) n += ki_case_chance(c, h, k);
    return n;
}

static ki_half precision(const ki_case *c, int k)
{
    return mean_of(hits(c, k) / k);
}

static ki_half recall(const ki_case *c, int k)
{
    return mean_of(hits(c, k) / c->n_relevant);
}

static ki_half recall_capped(const ki_case *c, int k)
{
    return mean_of(hits(c, k) / KI_MIN(k, c->n_relevant));
}

static ki_half f1(const ki_case *c, int k) /* 2PR/(P + R) with P = h/k, R = h/|R| */
{
    return mean_of(2 * hits(c, k) / (k + c->n_relevant));
}

/* Hits that share the places [from, from + size), of which the first `within` are inside k. */
struct tie {
    int from, size, hits, within;
};

static struct tie tie_at(const ki_case *c, int h, int k)
{
    struct tie t = { .from = c->at[h], .size = places_of(c, h) };
    while (h + t.hits < c->n_hits && c->at[h + t.hits] == t.from) t.hits++;
    t.within = KI_MAX(0, KI_MIN(k - t.from, t.size));
    return t;
}

static ki_half hit_rate(const ki_case *c, int k)
{
    double miss = 1;
    for (int h = 0; h < c->n_hits && c->at[h] < k;) {
        const struct tie t = tie_at(c, h, k);
        for (int x = 0; x < t.within && miss > 0; x++)
            miss *= KI_MAX(0.0, 1 - (double)t.hits / (t.size - x));
        h += t.hits;
    }
    return mean_of(1 - miss);
}

/* Sum over places j of E[r_j (r_1 + ... + r_j)] / j: place x of a tie of n places with m hits holds one
 * with chance m/n, and then (m - 1)/(n - 1) of each earlier place of the tie does too. */
double ki_case_precisions(const ki_case *c, int k)
{
    double sum = 0;
    for (int h = 0; h < c->n_hits && c->at[h] < k;) {
        const struct tie t = tie_at(c, h, k);
        const double others = t.size > 1 ? (t.hits - 1.0) / (t.size - 1.0) : 0;
        for (int x = 0; x < t.within; x++)
            sum += (h + 1 + x * others) / (t.from + x + 1.0) * t.hits / t.size;
        h += t.hits;
    }
    return sum;
}

static ki_half average_precision(const ki_case *c, int k)
{
    return mean_of(ki_case_precisions(c, k) / KI_MIN(k, c->n_relevant));
}

static double discount(int place) /* from 0 */
{
    return 1 / log2(place + 2.0);
}

/* Expected discount of hit h within k. */
static double discount_of(const ki_case *c, int h, int k)
{
    const int size = places_of(c, h), end = KI_MIN(c->at[h] + size, k);
    double sum = 0;
    for (int place = c->at[h]; place < end; place++) sum += discount(place);
    return sum / size;
}

static double gain_at(float value)
{
    return exp2(value) - 1;
}

static ki_half dcg(const ki_case *c, int k)
{
    double sum = 0;
    for (int h = 0; h < c->n_hits && c->at[h] < k; h++) sum += discount_of(c, h, k);
    return mean_of(sum);
}

static ki_half ndcg(const ki_case *c, int k)
{
    double ideal = 0;
    for (int j = 0; j < c->n_relevant && j < k; j++) ideal += discount(j);
    return mean_of(dcg(c, k).sum / ideal);
}

static ki_half ndcg_graded(const ki_case *c, int k)
{
    double sum = 0, ideal = 0;
    for (int h = 0; h < c->n_hits && c->at[h] < k; h++)
        sum += gain_at(c->value[h]) * discount_of(c, h, k);
    for (int j = 0; j < c->n_relevant && j < k; j++) ideal += gain_at(c->ideal[j]) * discount(j);
    return mean_of(ideal > 0 ? sum / ideal : 0);
}

static ki_half mrr(const ki_case *c, int k)
{
    double sum = 0, miss = 1;
    if (c->n_hits == 0) return mean_of(0);
    const struct tie t = tie_at(c, 0, k);
    for (int x = 0; x < t.within && miss > 0; x++) {
        const double hit = KI_MIN(1.0, (double)t.hits / (t.size - x));
        sum += miss * hit / (t.from + x + 1);
        miss *= 1 - hit;
    }
    return mean_of(sum);
}

/* ---- order of the whole catalogue
 * -------------------------------------------------------------------------------------
 */

double ki_auc(float *scores, int32_t n_items, const int32_t *relevant, int n_relevant, float *kept,
              double *strict)
{
    int64_t n_others = 0, right = 0, tied = 0;
    for (int r = 0; r < n_relevant; r++) {
        kept[r] = scores[relevant[r]];
        scores[relevant[r]] = NAN;
    }
    for (int32_t i = 0; i < n_items; i++) n_others += scores[i] == scores[i];
    for (int r = 0; r < n_relevant; r++) { /* NaN compares false with everything */
        const float s = kept[r];
        int32_t below = 0, equal = 0;
        for (int32_t i = 0; i < n_items; i++) {
            below += scores[i] < s;
            equal += scores[i] == s;
        }
        right += below;
        tied += equal;
    }
    const double pairs = (double)n_others * n_relevant;
    *strict = n_others == 0 ? NAN : (double)right / pairs;
    return n_others == 0 ? NAN : ((double)right + 0.5 * (double)tied) / pairs;
}

static ki_half auc(const ki_case *c, int k)
{
    (void)k;
    return isnan(c->auc) ? (ki_half){ 0, 0 } : mean_of(c->auc);
}

static ki_half gauc(const ki_case *c, int k)
{
    (void)k;
    return isnan(c->auc) ? (ki_half){ 0, 0 } : (ki_half){ c->auc * c->n_relevant, c->n_relevant };
}

/* ---- ratings
 * -----------------------------------------------------------------------------------------------------
 */

static float estimate_of(const ki_case *c, int j, int clipped)
{
    const float e = c->estimate[j];
    return clipped ? KI_MIN(KI_MAX(e, c->min), c->max) : e;
}

static double error_of(const ki_case *c, int j, int clipped)
{
    return (double)estimate_of(c, j, clipped) - c->truth[j];
}

static ki_half squares(const ki_case *c, int clipped)
{
    ki_half h = { 0, c->n_rated };
    for (int j = 0; j < c->n_rated; j++) h.sum += error_of(c, j, clipped) * error_of(c, j, clipped);
    return h;
}

static ki_half absolutes(const ki_case *c, int clipped)
{
    ki_half h = { 0, c->n_rated };
    for (int j = 0; j < c->n_rated; j++) h.sum += fabs(error_of(c, j, clipped));
    return h;
}

static ki_half rmse(const ki_case *c, int k)
{
    (void)k;
    return squares(c, 1);
}

static ki_half rmse_raw(const ki_case *c, int k)
{
    (void)k;
    return squares(c, 0);
}

static ki_half mae(const ki_case *c, int k)
{
    (void)k;
    return absolutes(c, 1);
}

static ki_half mae_raw(const ki_case *c, int k)
{
    (void)k;
    return absolutes(c, 0);
}

/* Pairs whose estimates stand the wrong way round in x[n]; sorts x by rising estimate. */
static int64_t inversions(ki_rated *x, ki_rated *room, int n)
{
    if (n < 2) return 0;
    const int half = n / 2;
    int64_t wrong = inversions(x, room, half) + inversions(x + half, room, n - half);
    int left = 0, right = half, to = 0;
    while (left < half && right < n) {
        const int take_right = x[right].estimate < x[left].estimate;
        if (take_right) wrong += half - left;
        room[to++] = x[take_right ? right++ : left++];
    }
    while (left < half) room[to++] = x[left++];
    memcpy(x, room, (size_t)to * sizeof *x); /* what is left on the right stands where it belongs */
    return wrong;
}

static int by_truth(const void *a, const void *b)
{
    const ki_rated *x = a, *y = b;
    if (x->truth != y->truth) return x->truth < y->truth ? -1 : 1;
    return (x->estimate > y->estimate) - (x->estimate < y->estimate);
}

/* Pairs of neighbours in x[n] that agree in the truth (1), in the estimate (2) or in both (3). */
static int64_t equal_pairs(const ki_rated *x, int n, int what)
{
    int64_t pairs = 0, run = 0;
    for (int j = 1; j < n; j++) {
        const int same = (!(what & 1) || x[j].truth == x[j - 1].truth) &&
                         (!(what & 2) || x[j].estimate == x[j - 1].estimate);
        run = same ? run + 1 : 0;
        pairs += run;
    }
    return pairs;
}

/* With rows sorted by truth, then by estimate, the pairs in the wrong order are the inversions of the
 * estimates: n log n, where asking every pair would cost n^2. */
ki_pairs ki_case_pairs(const ki_case *c, int clipped)
{
    const int n = c->n_rated;
    ki_rated *x = c->rated;
    for (int j = 0; j < n; j++) x[j] = (ki_rated){ c->truth[j], estimate_of(c, j, clipped) };
    qsort(x, (size_t)n, sizeof *x, by_truth);
    const int64_t differ = (int64_t)n * (n - 1) / 2 - equal_pairs(x, n, 1);
    const int64_t equal = equal_pairs(x, n, 3);
    const int64_t wrong = inversions(x, x + n, n);
    const int64_t tied = equal_pairs(x, n, 2) - equal;
    return (ki_pairs){ differ - wrong - tied, tied, wrong };
}

static ki_half fcp(const ki_case *c, int k)
{
    const ki_pairs p = ki_case_pairs(c, 0);
    (void)k;
    return (ki_half){ (double)p.right + 0.5 * (double)p.tied,
                      (double)(p.right + p.tied + p.wrong) };
}

/* ---- the table
 * ---------------------------------------------------------------------------------------------------
 */

static const ki_metric rows[] = {
    { "precision", KI_OF_LISTS, KI_HIGHER, 0,
      "hits in the first k / k, mean over users; a short list is not rewarded", precision, NULL, 0,
      NULL },
    { "recall", KI_OF_LISTS, KI_HIGHER, 0, "hits in the first k / |R|, mean over users", recall,
      NULL, 0, NULL },
    { "recall_capped", KI_OF_LISTS, KI_HIGHER, 0,
      "hits in the first k / min(k, |R|), mean over users", recall_capped, NULL, 0, NULL },
    { "hit_rate", KI_OF_LISTS, KI_HIGHER, 0, "share of users with a hit in the first k", hit_rate,
      NULL, 0, NULL },
    { "f1", KI_OF_LISTS, KI_HIGHER, 0,
      "2PR/(P + R) of a user's precision and recall at k, mean over users", f1, NULL, 0, NULL },
    { "map", KI_OF_LISTS, KI_HIGHER, 0,
      "sum over j <= k of r_j * precision@j, / min(k, |R|), mean over users", average_precision,
      NULL, 0, NULL },
    { "dcg", KI_OF_LISTS, KI_HIGHER, 0, "sum over j <= k of r_j / log2(j + 1), mean over users",
      dcg, NULL, 0, NULL },
    { "ndcg", KI_OF_LISTS, KI_HIGHER, 0,
      "dcg@k / the dcg of min(k, |R|) hits in the first places, mean over users", ndcg, NULL, 0,
      NULL },
    { "ndcg_graded", KI_OF_LISTS, KI_HIGHER, 0,
      "as ndcg with gain 2^value - 1 for a hit; ideal: the relevant items by falling value",
      ndcg_graded, NULL, 0, NULL },
    { "mrr", KI_OF_LISTS, KI_HIGHER, 0,
      "1 / place of the first hit, 0 when it is beyond k, mean over users", mrr, NULL, 0, NULL },
    { "auc", KI_OF_SCORES, KI_HIGHER, 0,
      "share of pairs (relevant item, servable item neither relevant nor in the history) that the "
      "scores put in the right order, ties 1/2, mean over users",
      auc, NULL, 0, NULL },
    { "gauc", KI_OF_SCORES, KI_HIGHER, 0, "auc with users weighted by |R|", gauc, NULL, 0, NULL },
    { "rmse", KI_OF_RATINGS, KI_LOWER, 1,
      "root of the mean squared error over test ratings, estimates clipped to the training scale",
      rmse, NULL, 0, NULL },
    { "mae", KI_OF_RATINGS, KI_LOWER, 0,
      "mean absolute error over test ratings, estimates clipped to the training scale", mae, NULL,
      0, NULL },
    { "rmse_raw", KI_OF_RATINGS, KI_LOWER, 1, "rmse of the estimates as the model made them",
      rmse_raw, NULL, 0, NULL },
    { "mae_raw", KI_OF_RATINGS, KI_LOWER, 0, "mae of the estimates as the model made them", mae_raw,
      NULL, 0, NULL },
    { "fcp", KI_OF_RATINGS, KI_HIGHER, 0,
      "of all pairs of test ratings of one user that differ, the share that the unclipped "
      "estimates order alike, ties 1/2",
      fcp, NULL, 0, NULL },
};

const ki_metric_table ki_accuracy_metrics = { rows, KI_COUNT(rows) };
