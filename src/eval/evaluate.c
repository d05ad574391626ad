/* SPDX-License-Identifier: MIT
 * evaluate.c -- kith_evaluate: folds outside, models inside, statistics at the end
 *
 * A fold's matrices are built once and serve all models, so all models see the same splits and,
 * with their own generators from the seed, the order in which they are named does not matter.
 */
#include "eval/exposure.h"
#include "eval/fairness.h"
#include "eval/peruser.h"
#include "eval/statistics.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { MOST_GROUPS = 1000 };

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
    double *exposure;     /* [n_models, plan.n, KI_EXPOSURE_RESAMPLES]; NULL: not asked for */
    const ki_style *style;
    ki_measuring how;
    ki_labels likeness, mix; /* of items, from their attributes; {0}: not asked for, or none */
    ki_labels group_users, group_items;
    ki_item_groups *shown; /* [n_models]; NULL: not asked for */
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

/* ---- attributes that metrics and groups are made of ---- */

static kith_err read_group(ki_labels *out, const ki_table *t, const char *name, const char *whose)
{
    if (name == NULL) return KITH_OK;
    const kith_err err = ki_labels_column(out, t, name, whose);
    if (err == KITH_OK && out->rows.n_cols > MOST_GROUPS)
        return ki_fail(KITH_EINVAL, "%s column %.64s has %d values; groups are for at most %d",
                       whose, name, out->rows.n_cols, MOST_GROUPS);
    return err;
}

static kith_err read_mix(struct run *r)
{
    const ki_table *items = &r->d->item_attrs;
    const char *name = r->o->calibrate == NULL ? ki_labels_usual(items) : r->o->calibrate;
    if (name == NULL)
        return ki_fail(KITH_EDATA, "calibration needs a column of categories or sets of the items; "
                                   "give them with an items file");
    return ki_labels_column(&r->mix, items, name, "item");
}

static kith_err read_attributes(struct run *r)
{
    const unsigned needs = r->report->plan.needs;
    kith_report *report = r->report;
    int found = 0;
    kith_err err;
    if (needs & KI_NEEDS_SPACE) {
        if ((err = ki_labels_all(&r->likeness, &r->d->item_attrs, &found)) != KITH_OK) return err;
        snprintf(report->similarity, sizeof report->similarity,
                 found ? "cosine of attributes: %s" : "cosine of training users%s",
                 r->likeness.name);
    }
    if ((needs & KI_NEEDS_MIX) && (err = read_mix(r)) != KITH_OK) return err;
    snprintf(report->calibration, sizeof report->calibration, "%s", r->mix.name);
    if ((err = read_group(&r->group_users, &r->d->user_attrs, r->o->group_users, "user")) !=
        KITH_OK)
        return err;
    return read_group(&r->group_items, &r->d->item_attrs, r->o->group_items, "item");
}

/* ---- how it is measured ---- */

static kith_err read_measuring(struct run *r)
{
    const kith_evaluate_options *o = r->o;
    kith_report *report = r->report;
    kith_err err;
    if (o->ties != NULL && strcmp(o->ties, "index") != 0 && strcmp(o->ties, "average") != 0)
        return ki_fail(KITH_EINVAL, "ties \"%.64s\": want index or average", o->ties);
    r->how.average_ties = o->ties != NULL && strcmp(o->ties, "average") == 0;
    if ((err = ki_style_find(o->metric_style, &r->style)) != KITH_OK) return err;
    if (r->style != NULL && r->how.average_ties)
        return ki_fail(KITH_EINVAL,
                       "%s does not average over ties: --ties average is for kith's own "
                       "metrics",
                       r->style->name);
    if ((err = ki_sampling_parse(&r->how.sampling, o->negatives)) != KITH_OK) return err;
    r->how.known_only = r->style != NULL && r->style->known_only;
    r->how.keep_lists = o->group_items != NULL;
    report->average_ties = r->how.average_ties;
    report->sampling = r->how.sampling;
    report->style = r->style;
    return KITH_OK;
}

static const char *metrics_of(const struct run *r)
{
    if (r->o->metrics != NULL) return r->o->metrics;
    if (r->style == NULL) return usual_metrics(r->d);
    return r->d->has_values && r->style->usual_ratings != NULL ? r->style->usual_ratings
                                                               : r->style->usual;
}

static kith_err read_options(struct run *r)
{
    const kith_evaluate_options *o = r->o;
    kith_report *report = r->report;
    kith_err err;
    if ((err = check_options(r->d, o)) != KITH_OK) return err;
    if ((err = read_measuring(r)) != KITH_OK) return err;
    if ((err = ki_plan_parse(&report->plan, metrics_of(r), r->style)) != KITH_OK) return err;
    if ((err = read_attributes(r)) != KITH_OK) return err;
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

/* What is found from the lists of one model in one fold, which are then dropped. */
static kith_err use_lists(struct run *r, const ki_fold *f, int fold, int m)
{
    kith_report *report = r->report;
    ki_measured *result = result_of(r, m, fold);
    const ki_chance how = { r->job->pool, r->job->seed, KI_EXPOSURE_RESAMPLES, r->job };
    double whole[KI_MAX_METRICS];
    kith_err err = KITH_OK;
    if (r->exposure != NULL) {
        double *drawn = r->exposure + (int64_t)m * report->plan.n * KI_EXPOSURE_RESAMPLES;
        err = ki_exposure_weigh(result, &f->catalogue, &report->plan, whole);
        if (err == KITH_OK)
            err = ki_exposure_resample(result, &f->catalogue, &report->plan, &how,
                                       1.0 / report->n_folds, drawn);
        for (int j = 0; err == KITH_OK && j < report->plan.n; j++)
            if (report->plan.asked[j].metric->kind == KI_OF_EXPOSURE)
                report->models[m].outcomes[j].folds[fold] = whole[j];
    }
    if (err == KITH_OK && r->shown != NULL)
        ki_item_groups_add(&r->shown[m], &r->group_items, &report->plan, f, result, r->users);
    ki_measured_drop_lists(result);
    return err;
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
    if (err == KITH_OK) err = ki_measure(result, &model, f, &r->how, r->job, what);
    report->fit_seconds += fitted - start;
    report->eval_seconds += seconds() - fitted;
    report->n_empty += result->n_empty;
    report->n_fallbacks += result->n_fallbacks;
    ki_model_clear(&model);
    return err == KITH_OK ? use_lists(r, f, fold, m) : err;
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
    if (r->report->plan.needs & KI_NEEDS_SPACE)
        f.catalogue.space = r->likeness.rows.ptr != NULL ? &r->likeness.rows : &f.ratings.by_item;
    if (r->report->plan.needs & KI_NEEDS_MIX) f.catalogue.mix = &r->mix.rows;
    note_relevant_users(r, &f);
    for (int m = 0; err == KITH_OK && m < r->report->n_models; m++) err = run_model(r, &f, fold, m);
    ki_fold_clear(&f);
    return err;
}

static kith_err make_room(struct run *r)
{
    const kith_report *report = r->report;
    const size_t n_models = (size_t)report->n_models, n_metrics = (size_t)report->plan.n;
    const size_t lists = 4 * (size_t)ki_plan_depth(&report->plan) * (size_t)r->n_users;
    kith_err err = ki_job_memory(r->job, "keeping every user's values",
                                 ki_statistics_bytes(report, r->n_users) + lists);
    if (err != KITH_OK) return err;
    err = ki_alloc(&r->results, n_models * (size_t)report->n_folds, sizeof *r->results);
    if (err == KITH_OK) err = ki_alloc(&r->relevant, (size_t)r->d->users.n, 1);
    if (err == KITH_OK && ki_plan_wants(&report->plan, KI_OF_EXPOSURE))
        err = ki_alloc(&r->exposure, n_models * n_metrics * KI_EXPOSURE_RESAMPLES, sizeof(double));
    if (err == KITH_OK && r->o->group_items != NULL)
        err = ki_alloc(&r->shown, n_models, sizeof *r->shown);
    for (int m = 0; err == KITH_OK && r->shown != NULL && m < report->n_models; m++)
        err = ki_item_groups_make(&r->shown[m], &r->group_items, &report->plan);
    return err;
}

static kith_err run_all(struct run *r)
{
    kith_err err = make_room(r);
    r->how.plan = &r->report->plan;
    r->how.users = r->users;
    r->how.n = r->n_users;
    for (int f = 0; err == KITH_OK && f < r->report->n_folds; f++) err = run_fold(r, f);
    for (int32_t u = 0; err == KITH_OK && u < r->d->users.n; u++)
        r->report->n_users += r->relevant[u];
    return err;
}

/* ---- ending
 * ----
 */

static kith_err find_statistics(const struct run *r)
{
    const ki_results results = { .report = r->report,
                                 .measured = r->results,
                                 .exposure = r->exposure,
                                 .n_users = r->n_users,
                                 .has_values = r->d->has_values,
                                 .job = r->job };
    return ki_statistics_find(&results);
}

static kith_err set_fairness(const struct run *r)
{
    const ki_plan *plan = &r->report->plan;
    if (r->o->group_users == NULL && r->shown == NULL) return KITH_OK;
    for (int m = 0; m < r->report->n_models; m++) {
        json_t *o = r->report->models[m].fairness = json_object();
        int bad = o == NULL;
        if (r->o->group_users != NULL)
            bad |= json_object_set_new(o, "users",
                                       ki_fairness_users(&r->group_users, plan, result_of(r, m, 0),
                                                         r->report->n_folds, r->users));
        if (r->shown != NULL)
            bad |= json_object_set_new(o, "items",
                                       ki_fairness_items(&r->shown[m], &r->group_items, plan));
        if (bad) return ki_fail_memory(0);
    }
    return KITH_OK;
}

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
    for (int m = 0; r->shown != NULL && m < r->report->n_models; m++)
        ki_item_groups_clear(&r->shown[m]);
    ki_free(r->shown);
    ki_free(r->exposure);
    ki_labels_clear(&r->likeness);
    ki_labels_clear(&r->mix);
    ki_labels_clear(&r->group_users);
    ki_labels_clear(&r->group_items);
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
    if (err == KITH_OK) err = set_fairness(&r);
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
