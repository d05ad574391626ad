/* SPDX-License-Identifier: MIT
 * evaluate.c -- kith_evaluate: folds outside, models inside, statistics at the end
 *
 * A fold's matrices are built once and serve all models, so all models see the same splits and,
 * with their own generators from the seed, the order in which they are named does not matter.
 */
#include "eval/measure.h"
#include "eval/peruser.h"
#include "eval/report.h"
#include "eval/significance.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { N_RESAMPLES = 1000, N_FLIPS = 1999 };

struct run {
    ki_job *job;
    const kith_data *d;
    const kith_evaluate_options *o;
    ki_protocol protocol;
    ki_splits splits;
    int32_t *users; /* [n_users] who has a test row in some fold, rising */
    int64_t n_users;
    uint8_t *relevant;    /* [users of the data] 1: has a relevant row in some fold */
    ki_measured *results; /* [n_models, n_folds] */
    kith_report *report;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- reading the options
 * -----------------------------------------------------------------------------------------
 */

static const char *usual_metrics(const kith_data *d)
{
    return d->has_values ? "rmse,mae,rmse_raw,mae_raw,precision@10,recall@10,ndcg@10,"
                           "catalog_coverage@10"
                         : "precision@10,recall@10,ndcg@10,catalog_coverage@10";
}

static kith_err check_options(const kith_data *d, const kith_evaluate_options *o)
{
    if (o->n_models < 1 || o->models == NULL)
        return ki_fail(KITH_EINVAL, "kith_evaluate: no model is named");
    if (o->n_params < 0 || (o->n_params > 0 && o->params == NULL))
        return ki_fail(KITH_EINVAL, "kith_evaluate: params is NULL");
    if (!(o->confidence == 0 || (o->confidence >= 0.5 && o->confidence < 1)))
        return ki_fail(KITH_EINVAL, "a confidence of %g, want 0.5 to below 1", o->confidence);
    if (!isfinite(o->relevant_from))
        return ki_fail(KITH_EINVAL, "relevant_from is not a finite number");
    if (d->log.n == 0) return ki_fail(KITH_EDATA, "%s has no interactions", d->source);
    for (int j = 0; j < o->n_params; j++)
        if (o->params[j].name == NULL || o->params[j].value == NULL)
            return ki_fail(KITH_EINVAL, "kith_evaluate: parameter %d has no name or value", j);
    return KITH_OK;
}

static int speaks_to(const char *param, const ki_model_desc *desc)
{
    const size_t n = strlen(desc->name);
    if (strncmp(param, desc->name, n) == 0 && param[n] == '.') return 1;
    return ki_params_find(desc->params, desc->n_params, param) != NULL;
}

/* With several models a bare name may be unknown to some of them, not to all. */
static kith_err check_param(const struct run *r, const char *name)
{
    for (int m = 0; m < r->report->n_models; m++)
        if (speaks_to(name, r->report->models[m].desc)) return KITH_OK;
    return ki_fail(KITH_EINVAL, "no model named here has a parameter \"%.64s\"", name);
}

static kith_err make_params(const struct run *r, int m, void **out)
{
    return ki_model_params(r->report->models[m].desc, r->o->params, r->o->n_params,
                           r->report->n_models > 1, out);
}

static kith_err read_model(struct run *r, int m)
{
    ki_model_report *model = &r->report->models[m];
    void *params = NULL;
    if (r->o->models[m] == NULL) return ki_fail(KITH_EINVAL, "the name of model %d is NULL", m);
    model->desc = ki_model_find(r->o->models[m]);
    if (model->desc == NULL)
        return ki_fail(KITH_ENOTFOUND, "there is no model \"%.64s\"; `kith models` lists them",
                       r->o->models[m]);
    const kith_err err = make_params(r, m, &params);
    if (err != KITH_OK) return err;
    model->params = ki_params_values(model->desc->params, model->desc->n_params, params);
    ki_free(params);
    return model->params == NULL ? ki_fail_memory(0) : KITH_OK;
}

static kith_err read_options(struct run *r)
{
    const kith_evaluate_options *o = r->o;
    kith_report *report = r->report;
    kith_err err;
    if ((err = check_options(r->d, o)) != KITH_OK) return err;
    const char *metrics = o->metrics == NULL ? usual_metrics(r->d) : o->metrics;
    if ((err = ki_plan_parse(&report->plan, metrics)) != KITH_OK) return err;
    if ((err = ki_protocol_parse(&r->protocol, o->protocol, r->d)) != KITH_OK) return err;
    if ((err = ki_splits_make(&r->splits, &r->protocol, r->d, r->job->seed)) != KITH_OK) return err;
    snprintf(report->protocol, sizeof report->protocol, "%s", r->protocol.text);
    report->seed = r->job->seed;
    report->relevant_from = o->relevant_from;
    report->confidence = o->confidence == 0 ? 0.95 : o->confidence;
    report->n_items = r->d->items.n;
    report->n_folds = r->splits.n_folds;
    report->n_models = o->n_models;
    if ((err = ki_report_alloc(report)) != KITH_OK) return err;
    for (int m = 0; m < o->n_models; m++)
        if ((err = read_model(r, m)) != KITH_OK) return err;
    for (int j = 0; j < o->n_params; j++)
        if ((err = check_param(r, o->params[j].name)) != KITH_OK) return err;
    return KITH_OK;
}

static kith_err find_test_users(struct run *r)
{
    const ki_log *log = &r->d->log;
    uint8_t *tested = NULL;
    kith_err err = ki_alloc(&tested, (size_t)r->d->users.n, 1);
    if (err != KITH_OK) return err;
    for (int64_t row = 0; row < log->n; row++)
        if (r->splits.label[row] >= KI_PART_FOLD || r->splits.label[row] == KI_PART_TEST)
            tested[log->user[row]] = 1;
    for (int32_t u = 0; u < r->d->users.n; u++) r->n_users += tested[u];
    err = ki_alloc(&r->users, (size_t)r->n_users, sizeof *r->users);
    for (int32_t u = 0, to = 0; err == KITH_OK && u < r->d->users.n; u++)
        if (tested[u]) r->users[to++] = u;
    ki_free(tested);
    return err;
}

/* ---- running
 * -----------------------------------------------------------------------------------------------------
 */

static ki_measured *result_of(const struct run *r, int m, int fold)
{
    return &r->results[m * r->report->n_folds + fold];
}

static kith_err run_model(struct run *r, const ki_fold *f, int fold, int m)
{
    ki_model_report *report = &r->report->models[m];
    ki_measured *result = result_of(r, m, fold);
    ki_model model = { 0 };
    void *params = NULL;
    char what[96];
    snprintf(what, sizeof what, "fold %d/%d %s", fold + 1, r->report->n_folds, report->desc->name);
    kith_err err = make_params(r, m, &params);
    if (err != KITH_OK) return err;
    const double start = seconds();
    err = ki_model_fit(&model, report->desc, params, r->d, &f->ratings, r->job);
    const double fitted = seconds();
    if (err == KITH_OK)
        err = ki_measure(result, &model, f, &r->report->plan, r->users, r->n_users, r->job, what);
    report->fit_seconds += fitted - start;
    report->eval_seconds += seconds() - fitted;
    report->n_empty += result->n_empty;
    report->n_fallbacks += result->n_fallbacks;
    ki_model_clear(&model);
    return err;
}

static void note_relevant_users(struct run *r, const ki_fold *f)
{
    for (int64_t j = 0; j < r->n_users; j++) {
        const int32_t u = r->users[j];
        for (int64_t t = f->test.ptr[u]; t < f->test.ptr[u + 1]; t++)
            r->relevant[u] |= f->test.val[t] >= f->relevant_from;
    }
}

static kith_err run_fold(struct run *r, int fold)
{
    ki_fold f;
    kith_err err = ki_fold_make(&f, r->d, &r->splits, fold, r->o->relevant_from);
    if (err != KITH_OK) return err;
    r->report->folds[fold] = f.n;
    note_relevant_users(r, &f);
    for (int m = 0; err == KITH_OK && m < r->report->n_models; m++) err = run_model(r, &f, fold, m);
    ki_fold_clear(&f);
    return err;
}

static kith_err run_all(struct run *r)
{
    const size_t n = (size_t)r->report->n_models * (size_t)r->report->n_folds;
    kith_err err = ki_alloc(&r->results, n, sizeof *r->results);
    if (err == KITH_OK) err = ki_alloc(&r->relevant, (size_t)r->d->users.n, 1);
    for (int f = 0; err == KITH_OK && f < r->report->n_folds; f++) err = run_fold(r, f);
    for (int32_t u = 0; err == KITH_OK && u < r->d->users.n; u++)
        r->report->n_users += r->relevant[u];
    return err;
}

/* ---- statistics
 * --------------------------------------------------------------------------------------------------
 */

static const char *why_not(const struct run *r, const ki_model_desc *desc, const ki_asked *asked,
                           double mean)
{
    if (asked->metric->kind == KI_OF_RATINGS && !desc->rates)
        return "the model gives preference scores, not ratings";
    if (asked->metric->kind == KI_OF_RATINGS && !r->d->has_values)
        return "the data has no ratings: all values are the same";
    return isnan(mean) ? "in some fold there is nothing to take it over" : NULL;
}

static void summarise(const struct run *r, int m, int j)
{
    const kith_report *report = r->report;
    const int n = report->n_folds;
    ki_outcome *o = &report->models[m].outcomes[j];
    double sum = 0, squares = 0;
    for (int f = 0; f < n; f++)
        sum += o->folds[f] = ki_measured_value(result_of(r, m, f), &report->plan, j);
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
static void add_values(const struct run *r, struct statistics *s, int m, int j)
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

static kith_err gather(const struct run *r, struct statistics *s)
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

static void set_intervals(const struct run *r, const struct statistics *s)
{
    for (int v = 0; v < s->n; v++) {
        ki_outcome *o = &r->report->models[s->model[v]].outcomes[s->metric[v]];
        memcpy(s->scratch, s->drawn + (int64_t)v * N_RESAMPLES, N_RESAMPLES * sizeof *s->scratch);
        ki_interval(s->scratch, N_RESAMPLES, r->report->confidence, &o->lo, &o->hi);
    }
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

static kith_err compare(const struct run *r, const struct statistics *s, int a, int b)
{
    kith_report *report = r->report;
    ki_comparison *c = &report->comparisons[report->n_comparisons++];
    const double *drawn_a = s->drawn + (int64_t)a * N_RESAMPLES;
    const double *drawn_b = s->drawn + (int64_t)b * N_RESAMPLES;
    const ki_chance how = { r->job->pool, r->job->seed, N_FLIPS };
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
static kith_err compare_all(const struct run *r, const struct statistics *s)
{
    kith_report *report = r->report;
    const size_t pairs = (size_t)report->n_models * (size_t)(report->n_models - 1) / 2;
    kith_err err =
        ki_alloc(&report->comparisons, pairs * (size_t)report->plan.n, sizeof *report->comparisons);
    for (int a = 0, end; err == KITH_OK && a < s->n; a = end) {
        const int from = report->n_comparisons;
        for (end = a + 1; end < s->n && s->metric[end] == s->metric[a];) end++;
        for (int x = a; err == KITH_OK && x < end; x++)
            for (int y = x + 1; err == KITH_OK && y < end; y++) err = compare(r, s, x, y);
        if (err == KITH_OK) err = adjust(report, from, report->n_comparisons);
        if (err == KITH_OK) err = ki_job_step(r->job, "compare", end, s->n);
    }
    return err;
}

static kith_err find_statistics(struct run *r)
{
    struct statistics s = { 0 };
    const ki_chance how = { r->job->pool, r->job->seed, N_RESAMPLES };
    for (int m = 0; m < r->report->n_models; m++)
        for (int j = 0; j < r->report->plan.n; j++) summarise(r, m, j);
    kith_err err = gather(r, &s);
    if (err == KITH_OK) err = ki_bootstrap(s.values, s.n, &how, s.drawn);
    if (err == KITH_OK) set_intervals(r, &s);
    if (err == KITH_OK && r->report->n_models > 1) err = compare_all(r, &s);
    r->report->n_resamples = N_RESAMPLES;
    r->report->n_flips = N_FLIPS;
    clear_statistics(&s);
    return err;
}

/* ---- public
 * ------------------------------------------------------------------------------------------------------
 */

static kith_err write_users(const struct run *r)
{
    const kith_report *report = r->report;
    const ki_peruser table = { .plan = &report->plan,
                               .names = &r->d->users,
                               .users = r->users,
                               .models = r->o->models,
                               .results = r->results,
                               .n_models = report->n_models,
                               .n_folds = report->n_folds };
    return r->o->per_user_path == NULL ? KITH_OK : ki_peruser_write(&table, r->o->per_user_path);
}

static void clear_run(struct run *r)
{
    const int n = r->results == NULL ? 0 : r->report->n_models * r->report->n_folds;
    for (int j = 0; j < n; j++) ki_measured_clear(&r->results[j]);
    ki_free(r->results);
    ki_free(r->relevant);
    ki_free(r->users);
    ki_splits_clear(&r->splits);
}

static int64_t peak_rss_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

kith_err kith_evaluate(kith *k, const kith_data *data, const kith_evaluate_options *options,
                       kith_report **out)
{
    if (k == NULL || data == NULL || options == NULL || out == NULL)
        return ki_fail(KITH_EINVAL, "kith_evaluate: no argument may be NULL");
    struct run r = { .job = ki_context_job(k), .d = data, .o = options };
    ki_job_begin(r.job);
    kith_err err = ki_alloc(&r.report, 1, sizeof *r.report);
    if (err != KITH_OK) return err;
    err = read_options(&r);
    if (err == KITH_OK) err = find_test_users(&r);
    if (err == KITH_OK) err = run_all(&r);
    if (err == KITH_OK) err = find_statistics(&r);
    if (err == KITH_OK) err = write_users(&r);
    clear_run(&r);
    if (err != KITH_OK) {
        kith_report_free(r.report);
        return err;
    }
    r.report->peak_rss_bytes = peak_rss_bytes();
    *out = r.report;
    return KITH_OK;
}
