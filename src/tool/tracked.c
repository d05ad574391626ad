/* SPDX-License-Identifier: MIT
 * tracked.c -- what an MLflow server is told of runs, evaluations and tuning
 *
 * Parameters   what was asked and found: method, its parameters, data.* (statistics), protocols
 * Metrics      every figure of model_evaluation; cross_validation.*; seconds, latency, throughput, hit rate
 * Tags         kith.version, kith.command, algorithm_type, model_id, and of a failure its name and sentence
 */
#include "tool/running.h"

#include "base/jsontext.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static json_t *tags_of(const char *command)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "kith.version", KITH_VERSION, "kith.command", command,
                     "mlflow.source.name", "kith", "mlflow.source.type", "LOCAL");
}

/* Every number of an object; of {"mean": ...}, as reports have them, the mean. */
static void log_figures(ki_mlflow *m, const char *prefix, const json_t *figures)
{
    const char *name;
    json_t *value;
    char full[256];
    json_object_foreach ((json_t *)figures, name, value) {
        const json_t *number = json_is_object(value) ? json_object_get(value, "mean") : value;
        snprintf(full, sizeof full, "%s%s", prefix, name);
        if (json_is_number(number)) ki_mlflow_metric(m, full, json_number_value(number), 0);
    }
}

static void log_number(ki_mlflow *m, const char *name, const json_t *o, const char *member)
{
    const json_t *number = json_object_get(o, member);
    if (json_is_number(number)) ki_mlflow_metric(m, name, json_number_value(number), 0);
}

/* ---- a run of the tool ---- */

void ki_run_track(ki_run *r)
{
    json_t *tags = tags_of("run");
    json_object_set_new(tags, "algorithm_type", json_string(r->method.family));
    r->mlflow = ki_mlflow_begin(r->o->tracking_uri, r->method.desc->name, tags);
    json_decref(tags);
}

static void log_params(ki_run *r, const json_t *info, const json_t *statistics)
{
    const json_t *performance = json_object_get(info, "model_performance"),
                 *evaluation = json_object_get(performance, "evaluation"),
                 *cross = json_object_get(performance, "cross_validation");
    ki_mlflow_param(r->mlflow, "algorithm_type", json_object_get(info, "algorithm_type"));
    ki_mlflow_param(r->mlflow, "method", json_object_get(r->method.told, "resolved_method"));
    ki_mlflow_params(r->mlflow, "", json_object_get(info, "training_parameters"));
    ki_mlflow_params(r->mlflow, "data.", statistics);
    ki_mlflow_param(r->mlflow, "caching_strategy",
                    json_object_get(r->deployment, "caching_strategy"));
    ki_mlflow_param(r->mlflow, "evaluation.protocol", json_object_get(evaluation, "protocol"));
    ki_mlflow_param(r->mlflow, "cross_validation.protocol", json_object_get(cross, "protocol"));
    json_t *count = json_integer(r->n);
    ki_mlflow_param(r->mlflow, "recommendation_count", count);
    json_decref(count);
}

static void log_metrics(ki_run *r, const json_t *info, const json_t *deployed)
{
    const json_t *performance = json_object_get(info, "model_performance");
    log_figures(r->mlflow, "", r->appraisal.values);
    log_figures(r->mlflow, "cross_validation.",
                json_object_get(json_object_get(performance, "cross_validation"), "metrics"));
    log_figures(r->mlflow, "", deployed);
    log_number(r->mlflow, "training_seconds", performance, "training_seconds");
}

void ki_run_tracked(ki_run *r, const json_t *info, const json_t *deployed, const json_t *statistics)
{
    if (r->mlflow == NULL) return;
    log_params(r, info, statistics);
    log_metrics(r, info, deployed);
    ki_mlflow_tag(r->mlflow, "model_id", r->model_id);
    ki_mlflow_end(r->mlflow, "FINISHED");
}

void ki_run_track_failure(ki_run *r, kith_err err, kith_stage stage)
{
    char sentence[KI_MESSAGE_SIZE];
    if (r->mlflow == NULL) return;
    ki_message_get(sentence);
    if (r->model_id[0] != '\0') ki_mlflow_tag(r->mlflow, "model_id", r->model_id);
    ki_mlflow_tag(r->mlflow, "kith.error", kith_error_type(err, stage));
    ki_mlflow_tag(r->mlflow, "kith.error_message", sentence);
    ki_mlflow_end(r->mlflow, err == KITH_ECANCELED ? "KILLED" : "FAILED");
    ki_message_set(sentence);
}

/* ---- evaluations and tuning ---- */

static int is_tuning(const json_t *report)
{
    return json_object_get(report, "trials") != NULL;
}

/* The value of each trial in its turn, so that the server draws how tuning went; those on a part of the rows
 * are no measure of the others and are left out. */
static void log_trials(ki_mlflow *m, const json_t *report)
{
    const char *metric = json_string_value(json_object_get(report, "metric"));
    const json_t *trial;
    char name[128];
    size_t j;
    if (metric == NULL) return;
    log_number(m, metric, json_object_get(report, "best"), "value");
    snprintf(name, sizeof name, "default.%.100s", metric);
    log_number(m, name, json_object_get(report, "default"), "value");
    log_number(m, "seconds", report, "seconds");
    snprintf(name, sizeof name, "trial.%.100s", metric);
    json_array_foreach (json_object_get(report, "trials"), j, trial) {
        const json_t *value = json_object_get(trial, "value");
        const double share = json_number_value(json_object_get(trial, "share_of_rows"));
        if (json_is_number(value) && share >= 1)
            ki_mlflow_metric(m, name, json_number_value(value), (int)j);
    }
}

/* One run of the server, of one model of a report (or of what tuning found), with what all of them share. */
static json_t *log_model(const char *uri, const json_t *report, const json_t *model)
{
    static const char *const shared[] = { "protocol",     "seed",         "metric",
                                          "metric_style", "ties",         "relevant_from",
                                          "n_users",      "n_items",      "n_train",
                                          "n_test",       "n_cold_users", "n_cold_items",
                                          "n_trials",     "max_seconds" };
    const char *name = json_string_value(json_object_get(model, "model"));
    json_t *tags = tags_of(is_tuning(report) ? "tune" : "evaluate");
    ki_mlflow *m = ki_mlflow_begin(uri, name == NULL ? "kith" : name, tags);
    json_decref(tags);
    if (m == NULL) return NULL;
    ki_mlflow_param(m, "method", json_object_get(model, "model"));
    ki_mlflow_params(m, "", json_object_get(model, "params"));
    for (size_t j = 0; j < KI_COUNT(shared); j++)
        ki_mlflow_param(m, shared[j], json_object_get(report, shared[j]));
    log_figures(m, "", json_object_get(model, "metrics"));
    log_number(m, "fit_seconds", model, "fit_seconds");
    log_number(m, "eval_seconds", model, "eval_seconds");
    if (is_tuning(report)) log_trials(m, report);
    ki_mlflow_end(m, "FINISHED");
    json_t *told = ki_mlflow_json(m);
    ki_mlflow_free(m);
    return told;
}

kith_err kith_track(const char *uri, const char *report, char **told)
{
    if (report == NULL || told == NULL)
        return ki_fail(KITH_EINVAL, "kith_track: report and told must not be NULL");
    *told = NULL;
    json_t *o = json_loads(report, 0, NULL), *list = json_array(), *one;
    const json_t *models = json_object_get(o, "models"), *best = json_object_get(o, "best");
    kith_err err = KITH_OK;
    size_t j;
    if (!json_is_object(o)) err = ki_fail(KITH_EFORMAT, "kith_track: the report is no JSON object");
    if (err == KITH_OK && models == NULL)
        json_array_append_new(list, log_model(uri, o, best != NULL ? best : o));
    json_array_foreach (models, j, one) json_array_append_new(list, log_model(uri, o, one));
    json_decref(o);
    if (err == KITH_OK && json_array_size(list) > 0) return ki_json_print(list, told);
    json_decref(list);
    return err;
}
