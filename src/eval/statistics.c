/* SPDX-License-Identifier: MIT
 * statistics.c -- means, intervals and comparisons of a whole evaluation
 */
#include "eval/statistics.h"

#include "base/mem.h"
#include "eval/significance.h"

#include <math.h>
#include <string.h>

enum { N_RESAMPLES = 1000, N_FLIPS = 1999 };

static ki_measured *result_of(const ki_results *r, int m, int fold)
{
    return &r->measured[m * r->report->n_folds + fold];
}

static const char *why_not(const ki_results *r, const ki_model_desc *desc, const ki_asked *asked,
                           double mean)
{
    if (asked->metric->kind == KI_OF_RATINGS && !desc->rates)
        return "the model gives preference scores, not ratings";
    if (asked->metric->kind == KI_OF_RATINGS && !r->has_values)
        return "the data has no ratings: all values are the same";
    return isnan(mean) ? "in some fold there is nothing to take it over" : NULL;
}

/* Metrics of exposure were put into the folds when their lists were at hand. */
static void summarise(const ki_results *r, int m, int j)
{
    const kith_report *report = r->report;
    const int n = report->n_folds;
    ki_outcome *o = &report->models[m].outcomes[j];
    double sum = 0, squares = 0;
    for (int f = 0; f < n; f++) {
        if (report->plan.asked[j].metric->kind != KI_OF_EXPOSURE)
            o->folds[f] = ki_measured_value(result_of(r, m, f), &report->plan, j);
        sum += o->folds[f];
    }
    o->mean = sum / n;
    for (int f = 0; f < n; f++) squares += (o->folds[f] - o->mean) * (o->folds[f] - o->mean);
    o->std = n > 1 ? sqrt(squares / (n - 1)) : 0;
    o->lo = o->hi = NAN;
    o->skipped = why_not(r, report->models[m].desc, &report->plan.asked[j], o->mean);
}

/* What is resampled: the values that are there and belong to users one by one. */
struct statistics {
    ki_values *values;
    const double **pointers; /* sums, then weights, of each value's folds */
    int *model, *metric;     /* [n] whose */
    int n;
    double *drawn;   /* [n, N_RESAMPLES] */
    double *scratch; /* [N_RESAMPLES] */
};

static int is_resampled(const kith_report *report, int m, int j)
{
    return report->plan.asked[j].metric->kind != KI_OF_EXPOSURE &&
           report->models[m].outcomes[j].skipped == NULL;
}

/* Most metrics have the same weights: where they equal those of the value before, the same array is
 * named, and the bootstrap sums it once. */
static void add_values(const ki_results *r, struct statistics *s, int m, int j)
{
    const int n_folds = r->report->n_folds, at = s->n++;
    const double **sum = s->pointers + (int64_t)at * 2 * n_folds, **weight = sum + n_folds;
    for (int f = 0; f < n_folds; f++) {
        const double *before = at > 0 ? s->values[at - 1].weight[f] : NULL;
        sum[f] = result_of(r, m, f)->sum + j * r->n_users;
        weight[f] = result_of(r, m, f)->weight + j * r->n_users;
        if (before != NULL && memcmp(before, weight[f], (size_t)r->n_users * sizeof *before) == 0)
            weight[f] = before;
    }
    s->values[at] =
        (ki_values){ r->report->plan.asked[j].metric, sum, weight, n_folds, r->n_users };
    s->model[at] = m;
    s->metric[at] = j;
}

static kith_err gather(const ki_results *r, struct statistics *s)
{
    const kith_report *report = r->report;
    const size_t most = (size_t)report->n_models * (size_t)report->plan.n;
    const size_t n_folds = (size_t)report->n_folds;
    kith_err err;
    if ((err = ki_alloc(&s->values, most, sizeof *s->values)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->pointers, 2 * n_folds * most, sizeof *s->pointers)) != KITH_OK)
        return err;
    if ((err = ki_alloc(&s->model, most, sizeof *s->model)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->metric, most, sizeof *s->metric)) != KITH_OK) return err;
    for (int j = 0; j < report->plan.n; j++)
        for (int m = 0; m < report->n_models; m++)
            if (is_resampled(report, m, j)) add_values(r, s, m, j);
    if ((err = ki_alloc(&s->drawn, (size_t)s->n * N_RESAMPLES, sizeof *s->drawn)) != KITH_OK)
        return err;
    return ki_alloc(&s->scratch, N_RESAMPLES, sizeof *s->scratch);
}

static void clear_statistics(struct statistics *s)
{
    ki_free(s->values);
    ki_free(s->pointers);
    ki_free(s->model);
    ki_free(s->metric);
    ki_free(s->drawn);
    ki_free(s->scratch);
}

static void set_intervals(const ki_results *r, const struct statistics *s)
{
    for (int v = 0; v < s->n; v++) {
        ki_outcome *o = &r->report->models[s->model[v]].outcomes[s->metric[v]];
        memcpy(s->scratch, s->drawn + (int64_t)v * N_RESAMPLES, N_RESAMPLES * sizeof *s->scratch);
        ki_interval(s->scratch, N_RESAMPLES, r->report->confidence, &o->lo, &o->hi);
    }
}

/* A resample serves fewer distinct users than there are, so it covers less of the catalogue: the
 * interval has the width of the resamples, around the value itself. */
static void set_exposure_interval(const ki_results *r, int m, int j, double *scratch)
{
    const int n = KI_EXPOSURE_RESAMPLES;
    const double *drawn = r->exposure + ((int64_t)m * r->report->plan.n + j) * n;
    ki_outcome *o = &r->report->models[m].outcomes[j];
    double mean = 0;
    int kept = 0;
    for (int b = 0; b < n; b++) {
        if (isnan(drawn[b])) continue;
        scratch[kept++] = drawn[b];
        mean += drawn[b];
    }
    ki_interval(scratch, kept, r->report->confidence, &o->lo, &o->hi);
    o->lo += o->mean - mean / kept;
    o->hi += o->mean - mean / kept;
}

static void set_exposure_intervals(const ki_results *r, double *scratch)
{
    const kith_report *report = r->report;
    for (int m = 0; m < report->n_models; m++)
        for (int j = 0; j < report->plan.n; j++)
            if (report->plan.asked[j].metric->kind == KI_OF_EXPOSURE &&
                report->models[m].outcomes[j].skipped == NULL)
                set_exposure_interval(r, m, j, scratch);
}

/* Users who have a say in a's value or in b's. */
static int64_t count_users(const ki_values *a, const ki_values *b)
{
    int64_t n = 0;
    for (int64_t u = 0; u < a->n_users; u++) {
        int any = 0;
        for (int f = 0; f < a->n_folds; f++) any |= a->weight[f][u] > 0 || b->weight[f][u] > 0;
        n += any;
    }
    return n;
}

static kith_err compare(const ki_results *r, const struct statistics *s, int a, int b)
{
    kith_report *report = r->report;
    ki_comparison *c = &report->comparisons[report->n_comparisons++];
    const double *drawn_a = s->drawn + (int64_t)a * N_RESAMPLES;
    const double *drawn_b = s->drawn + (int64_t)b * N_RESAMPLES;
    const ki_chance how = { r->job->pool, r->job->seed, N_FLIPS, r->job };
    const int j = s->metric[a];
    *c = (ki_comparison){ .a = s->model[a],
                          .b = s->model[b],
                          .metric = j,
                          .n = count_users(&s->values[a], &s->values[b]) };
    c->difference = report->models[c->a].outcomes[j].mean - report->models[c->b].outcomes[j].mean;
    for (int t = 0; t < N_RESAMPLES; t++) s->scratch[t] = drawn_a[t] - drawn_b[t];
    ki_interval(s->scratch, N_RESAMPLES, report->confidence, &c->lo, &c->hi);
    return ki_flip_test(&s->values[a], &s->values[b], &how, &c->p);
}

/* Holm's correction over the pairs of models within one metric: comparisons [from, to). */
static kith_err adjust(kith_report *report, int from, int to)
{
    double *p = NULL;
    kith_err err = ki_alloc(&p, (size_t)(to - from), sizeof *p);
    if (err != KITH_OK) return err;
    for (int c = from; c < to; c++) p[c - from] = report->comparisons[c].p;
    err = ki_holm(p, to - from);
    for (int c = from; err == KITH_OK && c < to; c++)
        report->comparisons[c].p_adjusted = p[c - from];
    ki_free(p);
    return err;
}

/* Values lie metric by metric, so the pairs of one metric are neighbours. */
static kith_err compare_all(const ki_results *r, const struct statistics *s)
{
    kith_report *report = r->report;
    const size_t pairs = (size_t)report->n_models * (size_t)(report->n_models - 1) / 2;
    kith_err err =
        ki_alloc(&report->comparisons, pairs * (size_t)report->plan.n, sizeof *report->comparisons);
    for (int a = 0, end; err == KITH_OK && a < s->n; a = end) {
        const int from = report->n_comparisons;
        for (end = a + 1; end < s->n && s->metric[end] == s->metric[a];) end++;
        if (report->plan.asked[s->metric[a]].metric->pool != NULL)
            continue; /* no test is made for these */
        for (int x = a; err == KITH_OK && x < end; x++)
            for (int y = x + 1; err == KITH_OK && y < end; y++) err = compare(r, s, x, y);
        if (err == KITH_OK) err = adjust(report, from, report->n_comparisons);
        if (err == KITH_OK) err = ki_job_step(r->job, "compare", end, s->n);
    }
    return err;
}

kith_err ki_statistics_find(const ki_results *r)
{
    struct statistics s = { 0 };
    const ki_chance how = { r->job->pool, r->job->seed, N_RESAMPLES, r->job };
    for (int m = 0; m < r->report->n_models; m++)
        for (int j = 0; j < r->report->plan.n; j++) summarise(r, m, j);
    kith_err err = gather(r, &s);
    if (err == KITH_OK) err = ki_bootstrap(s.values, s.n, &how, s.drawn);
    if (err == KITH_OK) set_intervals(r, &s);
    if (err == KITH_OK && r->exposure != NULL) set_exposure_intervals(r, s.scratch);
    if (err == KITH_OK && r->report->n_models > 1) err = compare_all(r, &s);
    r->report->n_resamples = N_RESAMPLES;
    r->report->n_flips = N_FLIPS;
    clear_statistics(&s);
    return err;
}

size_t ki_statistics_bytes(const kith_report *report, int64_t n_users)
{
    const size_t values = (size_t)report->n_models * (size_t)report->plan.n;
    const size_t n_folds = (size_t)report->n_folds, users = (size_t)n_users;
    return values * (16 * n_folds * users + 8 * (N_RESAMPLES + KI_EXPOSURE_RESAMPLES)) +
           16 * n_folds * users; /* of one sign-flip test */
}
