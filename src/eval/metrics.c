/* SPDX-License-Identifier: MIT
 * metrics.c -- the metrics: k is the cut-off, L the list, R the relevant test items, r_j = 1 when
 * the item at place j (from 1) is in R
 *
 * Short lists are not padded and not forgiven: precision divides by k, recall by |R|.  A user whose
 * list is empty scores 0 and counts.  What concerns served places (novelty, long tail) is averaged
 * over the places that were served.
 * Checked  test_metrics.c: hand-computed lists
 */
#include "eval/metrics.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ki_half mean_of(double value)
{
    return (ki_half){ value, 1 };
}

/* ---- accuracy of lists
 * -------------------------------------------------------------------------------------------
 */

static int hits(const ki_case *c, int k)
{
    int n = 0;
    while (n < c->n_hits && c->at[n] < k) n++;
    return n;
}

static ki_half precision(const ki_case *c, int k)
{
    return mean_of((double)hits(c, k) / k);
}

static ki_half recall(const ki_case *c, int k)
{
    return mean_of((double)hits(c, k) / c->n_relevant);
}

static ki_half recall_capped(const ki_case *c, int k)
{
    return mean_of((double)hits(c, k) / KI_MIN(k, c->n_relevant));
}

static ki_half hit_rate(const ki_case *c, int k)
{
    return mean_of(hits(c, k) > 0);
}

static ki_half f1(const ki_case *c, int k) /* 2PR/(P + R) with P = h/k, R = h/|R| */
{
    return mean_of(2.0 * hits(c, k) / (k + c->n_relevant));
}

static ki_half average_precision(const ki_case *c, int k)
{
    double sum = 0;
    for (int h = 0; h < c->n_hits && c->at[h] < k; h++) sum += (h + 1.0) / (c->at[h] + 1.0);
    return mean_of(sum / KI_MIN(k, c->n_relevant));
}

static double discount(int place) /* from 0 */
{
    return 1 / log2(place + 2.0);
}

static double gain_at(float value)
{
    return exp2(value) - 1;
}

static ki_half dcg(const ki_case *c, int k)
{
    double sum = 0;
    for (int h = 0; h < c->n_hits && c->at[h] < k; h++) sum += discount(c->at[h]);
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
        sum += gain_at(c->value[h]) * discount(c->at[h]);
    for (int j = 0; j < c->n_relevant && j < k; j++) ideal += gain_at(c->ideal[j]) * discount(j);
    return mean_of(ideal > 0 ? sum / ideal : 0);
}

static ki_half mrr(const ki_case *c, int k)
{
    return mean_of(c->n_hits > 0 && c->at[0] < k ? 1.0 / (c->at[0] + 1) : 0);
}

/* ---- order of the whole catalogue
 * -------------------------------------------------------------------------------------
 */

double ki_auc(float *scores, int32_t n_items, const int32_t *relevant, int n_relevant, float *kept)
{
    int64_t n_others = 0, right = 0; /* right in halves of a pair */
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
        right += 2 * (int64_t)below + equal;
    }
    return n_others == 0 ? NAN : 0.5 * (double)right / ((double)n_others * n_relevant);
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

static double error_of(const ki_case *c, int j, int clipped)
{
    float e = c->estimate[j];
    if (clipped) e = KI_MIN(KI_MAX(e, c->min), c->max);
    return (double)e - c->truth[j];
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

static ki_half fcp(const ki_case *c, int k)
{
    ki_half h = { 0, 0 };
    (void)k;
    for (int a = 0; a < c->n_rated; a++) {
        for (int b = 0; b < c->n_rated; b++) {
            if (!(c->truth[a] > c->truth[b])) continue;
            h.weight += 1;
            h.sum += c->estimate[a] > c->estimate[b]    ? 1
                     : c->estimate[a] == c->estimate[b] ? 0.5
                                                        : 0;
        }
    }
    return h;
}

/* ---- what is served
 * ----------------------------------------------------------------------------------------------
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

static double catalog_coverage(const ki_exposure *e, int64_t places)
{
    int64_t n = 0;
    (void)places;
    for (int32_t i = 0; i < e->catalogue->n_items; i++) n += e->served[i] > 0;
    return (double)n / e->catalogue->n_servable;
}

static int rising(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static double gini(const ki_exposure *e, int64_t places)
{
    const int32_t n = e->catalogue->n_servable;
    double sum = 0;
    int32_t to = 0;
    for (int32_t i = 0; i < e->catalogue->n_items; i++)
        if (e->catalogue->count[i] > 0) e->sorted[to++] = e->served[i];
    qsort(e->sorted, (size_t)n, sizeof *e->sorted, rising);
    for (int32_t j = 0; j < n; j++) sum += (2.0 * j + 1 - n) * e->sorted[j];
    return sum / ((double)n * (double)places);
}

static double entropy(const ki_exposure *e, int64_t places)
{
    double sum = 0;
    for (int32_t i = 0; i < e->catalogue->n_items; i++) {
        const double share = (double)e->served[i] / (double)places;
        if (share > 0) sum -= share * log2(share);
    }
    return sum;
}

/* ---- the table
 * ---------------------------------------------------------------------------------------------------
 */

static const ki_metric metrics[] = {
    { "precision", KI_OF_LISTS, KI_HIGHER, 0,
      "hits in the first k / k, mean over users; a short list is not rewarded", precision, NULL },
    { "recall", KI_OF_LISTS, KI_HIGHER, 0, "hits in the first k / |R|, mean over users", recall,
      NULL },
    { "recall_capped", KI_OF_LISTS, KI_HIGHER, 0,
      "hits in the first k / min(k, |R|), mean over users", recall_capped, NULL },
    { "hit_rate", KI_OF_LISTS, KI_HIGHER, 0, "share of users with a hit in the first k", hit_rate,
      NULL },
    { "f1", KI_OF_LISTS, KI_HIGHER, 0,
      "2PR/(P + R) of a user's precision and recall at k, mean over users", f1, NULL },
    { "ap", KI_OF_LISTS, KI_HIGHER, 0,
      "sum over j <= k of r_j * precision@j, / min(k, |R|), mean over users: another name of map",
      average_precision, NULL },
    { "map", KI_OF_LISTS, KI_HIGHER, 0,
      "sum over j <= k of r_j * precision@j, / min(k, |R|), mean over users", average_precision,
      NULL },
    { "dcg", KI_OF_LISTS, KI_HIGHER, 0, "sum over j <= k of r_j / log2(j + 1), mean over users",
      dcg, NULL },
    { "ndcg", KI_OF_LISTS, KI_HIGHER, 0,
      "dcg@k / the dcg of min(k, |R|) hits in the first places, mean over users", ndcg, NULL },
    { "ndcg_graded", KI_OF_LISTS, KI_HIGHER, 0,
      "as ndcg with gain 2^value - 1 for a hit; ideal: the relevant items by falling value",
      ndcg_graded, NULL },
    { "mrr", KI_OF_LISTS, KI_HIGHER, 0,
      "1 / place of the first hit, 0 when it is beyond k, mean over users", mrr, NULL },
    { "auc", KI_OF_SCORES, KI_HIGHER, 0,
      "share of pairs (relevant item, servable item neither relevant nor in the history) that the "
      "scores put in the right order, ties 1/2, mean over users",
      auc, NULL },
    { "gauc", KI_OF_SCORES, KI_HIGHER, 0, "auc with users weighted by |R|", gauc, NULL },
    { "rmse", KI_OF_RATINGS, KI_LOWER, 1,
      "root of the mean squared error over test ratings, estimates clipped to the training scale",
      rmse, NULL },
    { "mae", KI_OF_RATINGS, KI_LOWER, 0,
      "mean absolute error over test ratings, estimates clipped to the training scale", mae, NULL },
    { "rmse_raw", KI_OF_RATINGS, KI_LOWER, 1, "rmse of the estimates as the model made them",
      rmse_raw, NULL },
    { "mae_raw", KI_OF_RATINGS, KI_LOWER, 0, "mae of the estimates as the model made them", mae_raw,
      NULL },
    { "fcp", KI_OF_RATINGS, KI_HIGHER, 0,
      "of all pairs of test ratings of one user that differ, the share that the unclipped "
      "estimates order alike, ties 1/2",
      fcp, NULL },
    { "catalog_coverage", KI_OF_EXPOSURE, KI_HIGHER, 0,
      "distinct items in the first k of any list / items with a training event", NULL,
      catalog_coverage },
    { "gini", KI_OF_EXPOSURE, KI_LOWER, 0,
      "Gini index of how often each servable item is in the first k: 0 all alike, 1 one item only",
      NULL, gini },
    { "entropy", KI_OF_EXPOSURE, KI_HIGHER, 0,
      "Shannon entropy in bits of the served places over items", NULL, entropy },
    { "novelty", KI_OF_LISTS, KI_NEITHER, 0,
      "mean over served places of -log2(training events of the item / all training events)",
      novelty, NULL },
    { "popularity_bias", KI_OF_LISTS, KI_NEITHER, 0,
      "mean over users of the mean training events of the items served, / the same of the items "
      "in the users' histories; 1: as popular as what they had",
      popularity_bias, NULL },
    { "long_tail_coverage", KI_OF_LISTS, KI_NEITHER, 0,
      "share of served places that hold one of the least popular items, which together make up a "
      "fifth of the training events",
      long_tail_coverage, NULL },
};

static int needs_cutoff(const ki_metric *m)
{
    return m->kind == KI_OF_LISTS || m->kind == KI_OF_EXPOSURE;
}

double ki_metric_value(const ki_metric *m, double sum, double weight)
{
    if (!(weight > 0)) return NAN;
    return m->root ? sqrt(sum / weight) : sum / weight;
}

/* ---- a plan
 * ------------------------------------------------------------------------------------------------------
 */

static kith_err no_such(const char *word, int n)
{
    char names[768] = "";
    size_t used = 0;
    for (size_t j = 0; j < KI_COUNT(metrics); j++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s%s", j > 0 ? ", " : "",
                                 metrics[j].name, needs_cutoff(&metrics[j]) ? "@k" : "");
    return ki_fail(KITH_ENOTFOUND, "there is no metric \"%.*s\"; there are: %s", KI_MIN(n, 64),
                   word, names);
}

static const ki_metric *find(const char *word, size_t n)
{
    for (size_t j = 0; j < KI_COUNT(metrics); j++)
        if (strlen(metrics[j].name) == n && strncmp(metrics[j].name, word, n) == 0)
            return &metrics[j];
    return NULL;
}

static kith_err parse_cutoff(const ki_metric *m, const char *digits, int n, int *out)
{
    char *end;
    const long k = strtol(digits, &end, 10);
    if (end != digits + n || n == 0 || k < 1 || k > KI_MAX_CUTOFF)
        return ki_fail(KITH_EINVAL, "%s@%.*s: the cut-off must be a whole number from 1 to %d",
                       m->name, KI_MIN(n, 32), digits, KI_MAX_CUTOFF);
    *out = (int)k;
    return KITH_OK;
}

static kith_err parse_word(ki_asked *out, const char *word, int n)
{
    const char *at = memchr(word, '@', (size_t)n);
    const int name = at == NULL ? n : (int)(at - word);
    const ki_metric *m = find(word, (size_t)name);
    *out = (ki_asked){ .metric = m };
    if (m == NULL) return no_such(word, n);
    if (at == NULL && needs_cutoff(m))
        return ki_fail(KITH_EINVAL, "%s needs a cut-off, as in %s@10", m->name, m->name);
    if (at != NULL && !needs_cutoff(m))
        return ki_fail(KITH_EINVAL, "%s takes no cut-off: it is over all of the %s", m->name,
                       m->kind == KI_OF_RATINGS ? "ratings" : "catalogue");
    snprintf(out->name, sizeof out->name, "%s", m->name);
    if (at == NULL) return KITH_OK;
    const kith_err err = parse_cutoff(m, at + 1, n - name - 1, &out->k);
    if (err == KITH_OK) snprintf(out->name, sizeof out->name, "%s@%d", m->name, out->k);
    return err;
}

static void add_cutoff(ki_plan *p, int k)
{
    int at = p->n_cutoffs;
    for (int j = 0; j < p->n_cutoffs; j++)
        if (p->cutoffs[j] == k) return;
    for (; at > 0 && p->cutoffs[at - 1] > k; at--) p->cutoffs[at] = p->cutoffs[at - 1];
    p->cutoffs[at] = k;
    p->n_cutoffs++;
}

static void find_bands(ki_plan *p)
{
    for (int j = 0; j < p->n; j++) {
        if (p->asked[j].k > 0) add_cutoff(p, p->asked[j].k);
        p->kinds |= 1 << p->asked[j].metric->kind;
    }
    for (int j = 0; j < p->n; j++)
        while (p->asked[j].k > 0 && p->cutoffs[p->asked[j].band] != p->asked[j].k)
            p->asked[j].band++;
}

kith_err ki_plan_parse(ki_plan *out, const char *text)
{
    static const char *const between = ", \t";
    ki_plan p = { 0 };
    for (const char *word = text + strspn(text, between); *word != '\0';) {
        const int n = (int)strcspn(word, between);
        ki_asked asked;
        const kith_err err = parse_word(&asked, word, n);
        if (err != KITH_OK) return err;
        if (ki_plan_find(&p, asked.name) < 0) {
            if (p.n == KI_MAX_METRICS)
                return ki_fail(KITH_EINVAL, "more than %d metrics", KI_MAX_METRICS);
            p.asked[p.n++] = asked;
        }
        word += n;
        word += strspn(word, between);
    }
    if (p.n == 0) return ki_fail(KITH_EINVAL, "no metric is named");
    find_bands(&p);
    *out = p;
    return KITH_OK;
}

int ki_plan_find(const ki_plan *p, const char *name)
{
    for (int j = 0; j < p->n; j++)
        if (strcmp(p->asked[j].name, name) == 0) return j;
    return -1;
}

json_t *ki_metrics_table_json(void)
{
    static const char *const better[] = { "higher", "lower", "neither" };
    json_t *list = json_array();
    for (size_t j = 0; list != NULL && j < KI_COUNT(metrics); j++) {
        const ki_metric *m = &metrics[j];
        json_array_append_new(list, json_pack("{s:s, s:b, s:s, s:s}", "name", m->name, "cutoff",
                                              needs_cutoff(m), "better", better[m->better],
                                              "definition", m->definition));
    }
    return list;
}
