/* SPDX-License-Identifier: MIT
 * fairness.c -- who is served how well, and what is shown how often
 *
 * Of users   every metric of users asked for, by group.
 * Of items   exposure@k: share of the served places; lift@k: exposure over the group's share of the
 *            training events; recall@k: hits on the group / relevant test rows of the group.
 * Gap        highest - lowest, and lowest / highest, over groups large enough.
 * Checked    test_evaluate_ways.c: by hand, and against the values of users one by one
 */
#include "eval/fairness.h"

#include "base/mem.h"
#include "data/stats.h" /* ki_json_text */

#include <math.h>
#include <stdio.h>

static json_t *number(double x) /* JSON has no NaN */
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *word(const ki_labels *groups, int32_t group)
{
    return ki_json_text(ki_idmap_name(groups->words, group));
}

struct gap {
    double lowest, highest;
    int low, high; /* groups; -1: none yet */
};

static void widen(struct gap *g, double value, int group)
{
    if (!isfinite(value)) return;
    if (g->low < 0 || value < g->lowest) {
        g->lowest = value;
        g->low = group;
    }
    if (g->high < 0 || value > g->highest) {
        g->highest = value;
        g->high = group;
    }
}

/* Nothing is said of fewer than two groups. */
static void set_gap(json_t *gaps, const char *name, const struct gap *g, const ki_labels *groups)
{
    if (g->low < 0 || g->low == g->high) return;
    json_object_set_new(gaps, name,
                        json_pack("{s:f, s:o, s:o, s:o}", "difference", g->highest - g->lowest,
                                  "ratio", number(g->highest > 0 ? g->lowest / g->highest : NAN),
                                  "highest", word(groups, g->high), "lowest",
                                  word(groups, g->low)));
}

/* ---- users ---- */

static int belongs(const ki_labels *groups, int32_t row, int32_t group)
{
    return ki_csr_find(&groups->rows, row, group) >= 0;
}

/* All folds together; where the value is no fraction of sums, the mean over folds. */
static double pooled(const ki_measured *measured, int n_folds, const ki_metric *metric, int j,
                     const int32_t *in)
{
    double sum = 0, weight = 0;
    for (int f = 0; f < n_folds; f++) {
        const int64_t row = j * measured[f].n_users;
        if (metric->pool != NULL)
            sum += metric->pool(measured[f].sum + row, measured[f].weight + row, in,
                                measured[f].n_users);
        for (int64_t c = 0; metric->pool == NULL && c < measured[f].n_users; c++) {
            if (!in[c]) continue;
            sum += measured[f].sum[j * measured[f].n_users + c];
            weight += measured[f].weight[j * measured[f].n_users + c];
        }
    }
    return metric->pool != NULL ? sum / n_folds : ki_metric_value(metric, sum, weight);
}

static int has_say(const ki_plan *plan, const ki_measured *measured, int n_folds, int64_t c)
{
    for (int f = 0; f < n_folds; f++)
        for (int j = 0; j < plan->n; j++)
            if (measured[f].weight[j * measured[f].n_users + c] > 0) return 1;
    return 0;
}

static int64_t find_members(const ki_labels *groups, const ki_plan *plan,
                            const ki_measured *measured, int n_folds, const int32_t *users,
                            int32_t group, int32_t *in)
{
    int64_t n = 0;
    for (int64_t c = 0; c < measured->n_users; c++) {
        in[c] = belongs(groups, users[c], group) && has_say(plan, measured, n_folds, c);
        n += in[c];
    }
    return n;
}

static int64_t count_unknown(const ki_labels *groups, const ki_measured *measured,
                             const int32_t *users)
{
    int64_t n = 0;
    for (int64_t c = 0; c < measured->n_users; c++) n += ki_csr_len(&groups->rows, users[c]) == 0;
    return n;
}

json_t *ki_fairness_users(const ki_labels *groups, const ki_plan *plan, const ki_measured *measured,
                          int n_folds, const int32_t *users)
{
    struct gap gap[KI_MAX_METRICS];
    int32_t *in = NULL;
    if (ki_alloc(&in, (size_t)measured->n_users, sizeof *in) != KITH_OK) return NULL;
    json_t *list = json_array(), *gaps = json_object();
    for (int j = 0; j < plan->n; j++) gap[j] = (struct gap){ .low = -1, .high = -1 };
    for (int32_t g = 0; g < groups->rows.n_cols; g++) {
        const int64_t n = find_members(groups, plan, measured, n_folds, users, g, in);
        json_t *metrics = json_object();
        for (int j = 0; n > 0 && j < plan->n; j++) {
            const ki_metric *metric = plan->asked[j].metric;
            if (metric->kind == KI_OF_EXPOSURE) continue;
            const double value = pooled(measured, n_folds, metric, j, in);
            json_object_set_new(metrics, plan->asked[j].name, number(value));
            if (n >= KI_LEAST_OF_GROUP) widen(&gap[j], value, g);
        }
        json_t *row = json_pack("{s:o, s:I, s:o}", "group", word(groups, g), "n_users",
                                (json_int_t)n, "metrics", metrics);
        if (n > 0)
            json_array_append_new(list, row);
        else
            json_decref(row);
    }
    for (int j = 0; j < plan->n; j++) set_gap(gaps, plan->asked[j].name, &gap[j], groups);
    ki_free(in);
    return json_pack("{s:o, s:I, s:o, s:o}", "column", ki_json_text(groups->name), "n_unknown",
                     (json_int_t)count_unknown(groups, measured, users), "groups", list, "gaps",
                     gaps);
}

/* ---- items ---- */

kith_err ki_item_groups_make(ki_item_groups *out, const ki_labels *groups, const ki_plan *plan)
{
    ki_item_groups g = { .n = groups->rows.n_cols, .n_cutoffs = plan->n_cutoffs };
    const size_t n = (size_t)g.n, bands = (size_t)g.n_cutoffs;
    kith_err err;
    *out = (ki_item_groups){ 0 };
    if ((err = ki_alloc(&g.served, n * bands, sizeof(double))) != KITH_OK ||
        (err = ki_alloc(&g.hits, n * bands, sizeof(double))) != KITH_OK ||
        (err = ki_alloc(&g.items, n, sizeof(double))) != KITH_OK ||
        (err = ki_alloc(&g.events, n, sizeof(double))) != KITH_OK ||
        (err = ki_alloc(&g.relevant, n, sizeof(double))) != KITH_OK)
        ki_item_groups_clear(&g);
    else
        *out = g;
    return err;
}

void ki_item_groups_clear(ki_item_groups *g)
{
    ki_free(g->served);
    ki_free(g->hits);
    ki_free(g->items);
    ki_free(g->events);
    ki_free(g->relevant);
    *g = (ki_item_groups){ 0 };
}

static void add(const ki_labels *groups, int32_t item, double amount, double *out)
{
    const int64_t from = groups->rows.ptr[item], to = groups->rows.ptr[item + 1];
    for (int64_t t = from; t < to; t++) out[groups->rows.idx[t]] += amount / (double)(to - from);
}

static int is_relevant(const ki_fold *f, int32_t u, int32_t item)
{
    const int64_t at = ki_csr_find(&f->test, u, item);
    return at >= 0 && f->test.val[at] >= f->relevant_from;
}

static void add_user(ki_item_groups *g, const ki_labels *groups, const ki_plan *plan,
                     const ki_fold *f, const int32_t *list, int32_t u)
{
    for (int64_t t = f->test.ptr[u]; t < f->test.ptr[u + 1]; t++)
        if (f->test.val[t] >= f->relevant_from) add(groups, f->test.idx[t], 1, g->relevant);
    for (int b = 0, j = 0; b < plan->n_cutoffs; b++) {
        for (; j < plan->cutoffs[b] && list[j] >= 0; j++) {
            add(groups, list[j], 1, g->served + b * g->n);
            if (is_relevant(f, u, list[j])) add(groups, list[j], 1, g->hits + b * g->n);
        }
    }
}

void ki_item_groups_add(ki_item_groups *g, const ki_labels *groups, const ki_plan *plan,
                        const ki_fold *f, const ki_measured *r, const int32_t *users)
{
    for (int32_t i = 0; i < f->catalogue.n_items; i++) {
        if (f->count[i] == 0) continue;
        g->unknown += ki_csr_len(&groups->rows, i) == 0;
        add(groups, i, 1, g->items);
        add(groups, i, f->count[i], g->events);
    }
    for (int64_t c = 0; r->lists != NULL && c < r->n_users; c++)
        add_user(g, groups, plan, f, r->lists + c * r->depth, users[c]);
}

static double sum_of(const double *x, int n)
{
    double sum = 0;
    for (int j = 0; j < n; j++) sum += x[j];
    return sum;
}

/* Counts of bands become counts up to each cut-off. */
static double up_to(const double *bands, int n, int band, int group)
{
    double sum = 0;
    for (int b = 0; b <= band; b++) sum += bands[b * n + group];
    return sum;
}

static void set_at(json_t *o, const char *name, int k, double value)
{
    char key[32];
    snprintf(key, sizeof key, "%s@%d", name, k);
    json_object_set_new(o, key, number(value));
}

static void set_gap_at(json_t *o, const char *name, int k, const struct gap *g,
                       const ki_labels *groups)
{
    char key[32];
    snprintf(key, sizeof key, "%s@%d", name, k);
    set_gap(o, key, g, groups);
}

/* exposure, lift and recall of every group at one cut-off, into the rows of `list`. */
static void set_band(const ki_item_groups *g, const ki_labels *groups, int b, int k, json_t *list,
                     json_t *gaps)
{
    const double events = sum_of(g->events, g->n);
    struct gap lift = { .low = -1, .high = -1 }, recall = lift;
    double places = 0;
    for (int i = 0; i < g->n; i++) places += up_to(g->served, g->n, b, i);
    for (int i = 0; i < g->n; i++) {
        json_t *row = json_array_get(list, (size_t)i);
        const double exposure = up_to(g->served, g->n, b, i) / places;
        const double lifted = exposure / (g->events[i] / events);
        const double found = up_to(g->hits, g->n, b, i) / g->relevant[i];
        set_at(row, "exposure", k, exposure);
        set_at(row, "lift", k, lifted);
        set_at(row, "recall", k, found);
        if (g->items[i] >= KI_LEAST_OF_GROUP) widen(&lift, lifted, i);
        if (g->relevant[i] >= KI_LEAST_OF_GROUP) widen(&recall, found, i);
    }
    set_gap_at(gaps, "lift", k, &lift, groups);
    set_gap_at(gaps, "recall", k, &recall, groups);
}

json_t *ki_fairness_items(const ki_item_groups *g, const ki_labels *groups, const ki_plan *plan)
{
    json_t *list = json_array(), *gaps = json_object();
    const double items = sum_of(g->items, g->n), events = sum_of(g->events, g->n);
    const double relevant = sum_of(g->relevant, g->n);
    for (int i = 0; i < g->n; i++) {
        json_t *row = json_object();
        json_object_set_new(row, "group", word(groups, i));
        json_object_set_new(row, "items", number(g->items[i] / items));
        json_object_set_new(row, "events", number(g->events[i] / events));
        json_object_set_new(row, "relevant", number(g->relevant[i] / relevant));
        json_array_append_new(list, row);
    }
    for (int b = 0; b < plan->n_cutoffs; b++) set_band(g, groups, b, plan->cutoffs[b], list, gaps);
    return json_pack("{s:o, s:o, s:o, s:o}", "column", ki_json_text(groups->name), "unknown",
                     number(g->unknown / (g->unknown + items)), "groups", list, "gaps", gaps);
}
