/* SPDX-License-Identifier: MIT
 * report.c -- a report as JSON, and the public questions to it
 *
 * One model: one flat object.  Several: what they share, then `models` and `comparisons`.
 */
#include "eval/report.h"

#include "base/mem.h"
#include "data/stats.h" /* ki_json_text */
#include "model/package.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

kith_err ki_report_alloc(kith_report *r)
{
    kith_err err;
    const size_t n_models = (size_t)r->n_models, n_folds = (size_t)r->n_folds;
    if ((err = ki_alloc(&r->folds, n_folds, sizeof *r->folds)) != KITH_OK) return err;
    if ((err = ki_alloc(&r->models, n_models, sizeof *r->models)) != KITH_OK) return err;
    for (int m = 0; m < r->n_models; m++) {
        ki_outcome **outcomes = &r->models[m].outcomes;
        if ((err = ki_alloc(outcomes, (size_t)r->plan.n, sizeof **outcomes)) != KITH_OK) return err;
        for (int j = 0; j < r->plan.n; j++)
            if ((err = ki_alloc(&(*outcomes)[j].folds, n_folds, sizeof(double))) != KITH_OK)
                return err;
    }
    return KITH_OK;
}

static void free_model(ki_model_report *m, int n)
{
    for (int j = 0; m->outcomes != NULL && j < n; j++) ki_free(m->outcomes[j].folds);
    ki_free(m->outcomes);
    json_decref(m->params);
    json_decref(m->fairness);
}

void kith_report_free(kith_report *r)
{
    if (r == NULL) return;
    for (int m = 0; r->models != NULL && m < r->n_models; m++) free_model(&r->models[m], r->plan.n);
    ki_free(r->models);
    ki_free(r->folds);
    ki_free(r->comparisons);
    ki_free(r);
}

kith_err kith_report_metric(const kith_report *r, int m, const char *metric, double *mean,
                            double *lo, double *hi)
{
    if (r == NULL || metric == NULL || mean == NULL)
        return ki_fail(KITH_EINVAL, "kith_report_metric: report, metric and mean must not be NULL");
    if (m < 0 || m >= r->n_models)
        return ki_fail(KITH_ENOTFOUND, "the report has %d models, and no number %d", r->n_models,
                       m);
    const int j = ki_plan_find(&r->plan, metric);
    if (j < 0) return ki_fail(KITH_ENOTFOUND, "the report has no metric \"%.64s\"", metric);
    const ki_outcome *o = &r->models[m].outcomes[j];
    if (o->skipped != NULL)
        return ki_fail(KITH_ENOTFOUND, "%s has no %s: %s", r->models[m].desc->name, metric,
                       o->skipped);
    *mean = o->mean;
    if (lo != NULL) *lo = o->lo;
    if (hi != NULL) *hi = o->hi;
    return KITH_OK;
}

/* ---- JSON
 * --------------------------------------------------------------------------------------------------------
 */

static json_t *number(double x) /* JSON has no NaN */
{
    return isfinite(x) ? json_real(x) : json_null();
}

static void set_int(json_t *o, const char *key, int64_t value)
{
    json_object_set_new(o, key, json_integer((json_int_t)value));
}

static json_t *fold_json(const ki_fold_counts *f)
{
    json_t *o = json_object();
    set_int(o, "n_train", f->n_train);
    if (f->n_history > 0) set_int(o, "n_history", f->n_history);
    set_int(o, "n_test", f->n_test);
    set_int(o, "n_relevant", f->n_relevant);
    set_int(o, "n_repeats", f->n_repeats);
    set_int(o, "n_users", f->n_users);
    set_int(o, "n_cold_users", f->n_cold_users);
    set_int(o, "n_cold_items", f->n_cold_items);
    return o;
}

/* Counts of what is tested are sums over folds; n_train is of the first fold (folds differ by one
 * row at most). */
static void set_counts(json_t *o, const kith_report *r)
{
    ki_fold_counts sum = { 0 };
    json_t *folds = json_array();
    for (int f = 0; f < r->n_folds; f++) {
        sum.n_test += r->folds[f].n_test;
        sum.n_relevant += r->folds[f].n_relevant;
        sum.n_repeats += r->folds[f].n_repeats;
        sum.n_cold_users += r->folds[f].n_cold_users;
        sum.n_cold_items += r->folds[f].n_cold_items;
        json_array_append_new(folds, fold_json(&r->folds[f]));
    }
    set_int(o, "n_users", r->n_users);
    set_int(o, "n_items", r->n_items);
    set_int(o, "n_train", r->folds[0].n_train);
    set_int(o, "n_test", sum.n_test);
    set_int(o, "n_relevant", sum.n_relevant);
    set_int(o, "n_repeats", sum.n_repeats);
    set_int(o, "n_cold_users", sum.n_cold_users);
    set_int(o, "n_cold_items", sum.n_cold_items);
    json_object_set_new(o, "splits", folds);
}

static json_t *outcome_json(const ki_outcome *o, int n_folds)
{
    json_t *folds = json_array();
    for (int f = 0; f < n_folds; f++) json_array_append_new(folds, number(o->folds[f]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "mean", number(o->mean), "std", number(o->std),
                     "folds", folds, "lo", number(o->lo), "hi", number(o->hi));
}

static void set_model(json_t *o, const kith_report *r, const ki_model_report *m)
{
    json_t *metrics = json_object(), *skipped = json_object();
    for (int j = 0; j < r->plan.n; j++) {
        const ki_outcome *outcome = &m->outcomes[j];
        const char *name = r->plan.asked[j].name;
        if (outcome->skipped != NULL)
            json_object_set_new(skipped, name, json_string(outcome->skipped));
        else
            json_object_set_new(metrics, name, outcome_json(outcome, r->n_folds));
    }
    json_object_set_new(o, "model", json_string(m->desc->name));
    json_object_set(o, "params", m->params);
    json_object_set_new(o, "metrics", metrics);
    json_object_set_new(o, "skipped", skipped);
    if (m->fairness != NULL) json_object_set(o, "fairness", m->fairness);
    set_int(o, "n_empty", m->n_empty);
    set_int(o, "n_fallbacks", m->n_fallbacks);
    json_object_set_new(o, "fit_seconds", json_real(m->fit_seconds));
    json_object_set_new(o, "eval_seconds", json_real(m->eval_seconds));
}

/* The name of the model that is better beyond chance, or null. */
static json_t *winner(const kith_report *r, const ki_comparison *c)
{
    const ki_better better = r->plan.asked[c->metric].metric->better;
    if (better == KI_NEITHER || c->p_adjusted > 1 - r->confidence) return json_null();
    const int a_wins = (c->difference > 0) == (better == KI_HIGHER);
    return json_string(r->models[a_wins ? c->a : c->b].desc->name);
}

static json_t *comparison_json(const kith_report *r, const ki_comparison *c)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:f, s:f, s:I, s:o}", "a",
                     r->models[c->a].desc->name, "b", r->models[c->b].desc->name, "metric",
                     r->plan.asked[c->metric].name, "difference", number(c->difference), "lo",
                     number(c->lo), "hi", number(c->hi), "p", c->p, "p_adjusted", c->p_adjusted,
                     "n", (json_int_t)c->n, "better", winner(r, c));
}

static json_t *definitions(const ki_plan *p)
{
    json_t *o = json_object();
    for (int j = 0; j < p->n; j++)
        json_object_set_new(o, p->asked[j].name, json_string(p->asked[j].metric->definition));
    return o;
}

/* How the figures came about, where that is not the usual way. */
static void set_ways(json_t *o, const kith_report *r)
{
    json_object_set_new(o, "ties", json_string(r->average_ties ? "average" : "index"));
    json_object_set_new(o, "metric_style", json_string(r->style == NULL ? "kith" : r->style->name));
    if (r->style != NULL) json_object_set_new(o, "metric_source", json_string(r->style->source));
    if (r->sampling.n > 0)
        json_object_set_new(o, "sampled_negatives",
                            json_pack("{s:i, s:s}", "n", (int)r->sampling.n, "by",
                                      r->sampling.popular ? "popular" : "uniform"));
    if (r->similarity[0] != '\0') json_object_set_new(o, "similarity", ki_json_text(r->similarity));
    if (r->calibration[0] != '\0')
        json_object_set_new(o, "calibration", ki_json_text(r->calibration));
}

static json_t *report_json(const kith_report *r)
{
    json_t *o = json_object();
    if (r->n_models == 1) set_model(o, r, &r->models[0]);
    json_object_set_new(o, "protocol", json_string(r->protocol));
    json_object_set_new(o, "seed", ki_seed_json(r->seed));
    json_object_set_new(o, "relevant_from", json_real(r->relevant_from));
    json_object_set_new(o, "confidence", json_real(r->confidence));
    set_ways(o, r);
    set_counts(o, r);
    if (r->n_models > 1) {
        json_t *models = json_array(), *comparisons = json_array();
        for (int m = 0; m < r->n_models; m++) {
            json_t *model = json_object();
            set_model(model, r, &r->models[m]);
            json_array_append_new(models, model);
        }
        for (int c = 0; c < r->n_comparisons; c++)
            json_array_append_new(comparisons, comparison_json(r, &r->comparisons[c]));
        json_object_set_new(o, "models", models);
        json_object_set_new(o, "comparisons", comparisons);
    }
    set_int(o, "n_resamples", r->n_resamples);
    if (r->n_models > 1) set_int(o, "n_flips", r->n_flips);
    set_int(o, "peak_rss_bytes", r->peak_rss_bytes);
    json_object_set_new(o, "definitions", definitions(&r->plan));
    return o;
}

/* Takes `o`. */
static kith_err print(json_t *o, char **out)
{
    char *text = o == NULL ? NULL : json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    const kith_err err = text == NULL ? ki_fail_memory(0) : ki_strdup(out, text);
    free(text); /* jansson's own */
    json_decref(o);
    return err;
}

kith_err kith_report_json(const kith_report *r, char **json)
{
    if (r == NULL || json == NULL)
        return ki_fail(KITH_EINVAL, "kith_report_json: report and json must not be NULL");
    return print(report_json(r), json);
}

kith_err kith_metrics_json(char **json)
{
    if (json == NULL) return ki_fail(KITH_EINVAL, "kith_metrics_json: json must not be NULL");
    return print(json_pack("{s:o, s:o, s:o}", "metrics", ki_metrics_table_json(), "protocols",
                           ki_protocols_json(), "styles", ki_styles_json()),
                 json);
}
