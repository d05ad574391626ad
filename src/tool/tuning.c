/* SPDX-License-Identifier: MIT
 * tuning.c -- a validation part out of the training part, and kith_tune on it
 */
#include "tool/tuning.h"

#include "base/mem.h"
#include "eval/protocol.h"

#include <stdio.h>
#include <string.h>

/* The first metric asked for that this can be about; else the quality of lists. */
static void choose_metric(const ki_run *r, char *out, size_t size)
{
    const json_t *first = json_array_get(json_object_get(r->config, "evaluation_metrics"), 0);
    const char *name = json_string_value(first);
    const int rates = r->method.desc->rates && r->intake.data->has_values;
    if (name != NULL && rates && (strcmp(name, "rmse") == 0 || strcmp(name, "mae") == 0))
        snprintf(out, size, "%s", name);
    else
        snprintf(out, size, "ndcg@%d", r->n);
}

/* Mark the rows that the split tests on; nothing when no split is asked for. */
static kith_err mark_test(const ki_run *r, const ki_appraisal_options *how, uint8_t **out)
{
    char text[40];
    ki_protocol protocol;
    ki_splits splits;
    kith_data *d = r->intake.data;
    ki_split_protocol(how, text);
    if (json_object_get(r->training, "train_test_split") == NULL || text[0] == '\0') return KITH_OK;
    kith_err err = ki_protocol_parse(&protocol, text, d);
    if (err == KITH_OK) err = ki_splits_make(&splits, &protocol, d, r->job->seed);
    if (err != KITH_OK) return err;
    for (int64_t row = 0; row < splits.n; row++)
        splits.label[row] = splits.label[row] == KI_PART_TEST;
    *out = splits.label;
    return KITH_OK;
}

static kith_err search(ki_run *r, const ki_appraisal_options *how, char **json)
{
    char metric[32];
    uint8_t *test = NULL;
    kith_data *d = r->intake.data;
    kith_err err = mark_test(r, how, &test);
    if (err != KITH_OK) return err;
    choose_metric(r, metric, sizeof metric);
    const kith_tune_options options = {
        .models = &r->method.desc->name,
        .n_models = 1,
        .params = r->method.params,
        .n_params = r->method.n_params,
        .metric = metric,
        .relevant_from = ki_relevant_from(how),
        .params_start = 1,
        .max_trials = (int)ki_run_number(r, "training_configuration", "tuning_trials"),
        .max_seconds = ki_run_number(r, "training_configuration", "tuning_seconds"),
    };
    d->log.test = test;
    err = kith_tune(r->k, d, &options, json);
    d->log.test = NULL;
    ki_free(test);
    return err;
}

static kith_err take(ki_run *r)
{
    const json_t *best = json_object_get(r->tuning, "best");
    const char *name;
    json_t *value;
    kith_err err = KITH_OK;
    json_object_foreach (json_object_get(best, "params"), name, value) {
        if (json_is_string(value) && json_string_length(value) == 0) continue;
        if (err == KITH_OK) err = ki_method_set(&r->method, name, value);
    }
    return err;
}

static kith_err skip(ki_run *r)
{
    r->tuning = json_pack("{s:b, s:s}", "skipped", 1, "reason", kith_last_error());
    ki_warning(&r->findings,
               "training_configuration.hyperparameter_tuning: nothing was tuned: %.400s",
               kith_last_error());
    return r->tuning == NULL ? ki_fail_memory(64) : KITH_OK;
}

kith_err ki_run_tune(ki_run *r)
{
    const ki_appraisal_options how = { .k = r->k,
                                       .method = &r->method,
                                       .intake = &r->intake,
                                       .config = r->config,
                                       .training = r->training,
                                       .n = r->n };
    char *text = NULL;
    const kith_err err = search(r, &how, &text);
    if (err == KITH_EDATA) return skip(r);
    if (err != KITH_OK) return err;
    r->tuning = json_loads(text, 0, NULL);
    kith_string_free(text);
    if (r->tuning == NULL) return ki_fail_memory(64);
    if (json_object_get(r->training, "train_test_split") == NULL)
        json_object_set_new(r->tuning, "note",
                            json_string("without train_test_split, model_evaluation is measured on "
                                        "rows that tuning has seen"));
    return take(r);
}
