/* SPDX-License-Identifier: MIT
 * run.c -- kith_run: one request of the tool contract, from text to text
 *
 *      request --cut, schema--> shell + lists --intake--> dataset, context
 *                                  |                         |
 *                               method  ------------->    model (found, or tuned and trained)
 *                                                            |
 *                    appraisal, importance, lists, similar items --> result
 *
 * All violations of a request are told at once; after that the first failure ends the run.
 */
#include "tool/events.h"
#include "tool/failure.h"
#include "tool/importance.h"
#include "tool/running.h"
#include "tool/schema.h"
#include "tool/verify.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static const json_t *given(const ki_run *r, const char *section, const char *field)
{
    return json_object_get(json_object_get(r->cut.shell, section), field);
}

int ki_run_flag(const ki_run *r, const char *section, const char *field)
{
    const json_t *v = given(r, section, field);
    return v != NULL ? json_is_true(v) : ki_schema_default(r->schema, section, field) != 0;
}

double ki_run_number(const ki_run *r, const char *section, const char *field)
{
    const json_t *v = given(r, section, field);
    return v != NULL ? json_number_value(v) : ki_schema_default(r->schema, section, field);
}

/* ---- the request ---- */

static kith_err read_request(ki_run *r, const char *text, size_t n)
{
    kith_err err;
    if ((r->schema = ki_schema_request()) == NULL) return ki_fail_memory(64);
    const ki_intake_options how = {
        .schema = r->schema, .no_files = r->o->no_files, .folder = r->o->folder, .job = r->job
    };
    if ((err = ki_cut_make(&r->cut, text, n, &r->findings)) != KITH_OK) return err;
    ki_verify(r->schema, r->cut.shell, NULL, &r->findings);
    const int sound = r->findings.n_violations == 0;
    if ((err = ki_intake_read(&r->intake, &r->cut, &how, &r->findings)) != KITH_OK) return err;
    if ((err = ki_run_anonymise(r)) != KITH_OK) return err;
    r->config = json_object_get(r->cut.shell, "recommendation_configuration");
    r->training = json_object_get(r->cut.shell, "training_configuration");
    r->deployment = json_object_get(r->cut.shell, "deployment_configuration");
    if (sound && (err = ki_method_resolve(&r->method, r->config, r->schema, &r->intake,
                                          &r->findings)) != KITH_OK)
        return err;
    if (r->findings.n_violations == 0 && (err = ki_run_narrow(r)) != KITH_OK) return err;
    if (sound && (err = ki_run_cache(r)) != KITH_OK) return err;
    r->n = (int)ki_run_number(r, "recommendation_configuration", "recommendation_count");
    return ki_findings_judge(&r->findings);
}

static kith_err check_data(const ki_run *r)
{
    const ki_intake *in = &r->intake;
    if (in->data->log.n > 0) return KITH_OK;
    return ki_fail(KITH_EDATA,
                   "there is nothing to learn from: %lld interactions were sent, %lld of them are "
                   "later than context_data.now and %lld say nothing",
                   (long long)in->n_given, (long long)in->n_late, (long long)in->n_silent);
}

/* ---- stages ---- */

static void tell_start(const ki_run *r)
{
    const kith_data *d = r->intake.data;
    ki_event(r->o, "recommendation_training_started",
             json_pack("{s:s, s:s, s:i, s:i, s:I}", "algorithm_type", r->method.family, "method",
                       r->method.desc->name, "user_count", (int)d->users.n, "item_count",
                       (int)d->items.n, "interaction_count", (json_int_t)d->log.n));
}

static ki_appraisal_options how_to_appraise(const ki_run *r)
{
    return (ki_appraisal_options){ .k = r->k,
                                   .method = &r->method,
                                   .intake = &r->intake,
                                   .config = r->config,
                                   .training = r->training,
                                   .n = r->n };
}

static kith_err appraise(ki_run *r)
{
    const ki_appraisal_options how = how_to_appraise(r);
    kith_err err = ki_appraise(&how, &r->appraisal, &r->findings);
    if (err != KITH_OK) return err;
    json_t *event = json_deep_copy(r->appraisal.values);
    json_object_set_new(event, "model_id", json_string(r->model_id));
    ki_event(r->o, "model_evaluated", event);
    return ki_importance_measure(&how, r->job, &r->importance, &r->findings);
}

static kith_err run(ki_run *r, const char *request, size_t n, kith_stage *stage, char **result)
{
    kith_err err;
    *stage = KITH_STAGE_REQUEST;
    if ((err = read_request(r, request, n)) != KITH_OK) return err;
    if ((err = check_data(r)) != KITH_OK) return err;
    tell_start(r);
    ki_run_track(r);
    *stage = KITH_STAGE_TRAIN;
    if ((err = ki_run_model(r)) != KITH_OK) return err;
    *stage = KITH_STAGE_EVALUATE;
    if ((err = appraise(r)) != KITH_OK) return err;
    *stage = KITH_STAGE_ASK;
    if ((err = ki_run_lists(r)) != KITH_OK) return err;
    return ki_run_write(r, result);
}

static void clear(ki_run *r)
{
    ki_findings_clear(&r->findings);
    json_decref(r->schema);
    ki_cut_clear(&r->cut);
    ki_intake_clear(&r->intake);
    ki_method_clear(&r->method);
    kith_cache_free(r->own_cache);
    ki_free(r->values);
    ki_free(r->pipeline);
    ki_free(r->wishes);
    json_decref(r->own_wishes);
    ki_free(r->block);
    json_decref(r->blocked);
    json_decref(r->anonymised);
    kith_model_free(r->model);
    json_decref(r->about);
    json_decref(r->persistence);
    json_decref(r->tuning);
    ki_mlflow_free(r->mlflow);
    ki_appraisal_clear(&r->appraisal);
    json_decref(r->importance);
    ki_text_clear(&r->lists.text);
    ki_text_clear(&r->similar);
}

/* ---- public ---- */

/* Takes `o`. */
static kith_err hand_out(json_t *o, int flags, char **out)
{
    char *text = o == NULL ? NULL : json_dumps(o, flags | JSON_REAL_PRECISION(15));
    const kith_err err = text == NULL ? ki_fail_memory(64) : ki_strdup(out, text);
    json_decref(o);
    free(text); /* jansson's */
    return err;
}

/* The failure as a result, its sentence kept for kith_last_error. */
static void tell_failure(kith_err err, kith_stage stage, const ki_findings *f, char **result)
{
    char sentence[KI_MESSAGE_SIZE];
    ki_message_get(sentence);
    hand_out(ki_failure_json(err, stage, f), JSON_INDENT(2), result);
    ki_message_set(sentence);
}

kith_err kith_run(kith *k, const char *request, size_t n, const kith_run_options *options,
                  char **result)
{
    static const kith_run_options usual = { 0 };
    kith_stage stage;
    if (k == NULL || request == NULL || result == NULL)
        return ki_fail(KITH_EINVAL, "kith_run: context, request and result must not be NULL");
    ki_run r = { .k = k,
                 .job = ki_context_job(k),
                 .o = options == NULL ? &usual : options,
                 .began = seconds() };
    *result = NULL;
    ki_job_begin(r.job);
    r.job->within++;
    const kith_err err = run(&r, request, n, &stage, result);
    r.job->within--;
    if (err != KITH_OK) ki_run_track_failure(&r, err, stage);
    if (err != KITH_OK) tell_failure(err, stage, &r.findings, result);
    clear(&r);
    return err;
}

kith_err kith_schema_json(const char *which, char **json)
{
    if (which == NULL || json == NULL)
        return ki_fail(KITH_EINVAL, "kith_schema_json: which and json must not be NULL");
    if (strcmp(which, "request") == 0) return hand_out(ki_schema_request(), JSON_INDENT(2), json);
    if (strcmp(which, "response") == 0) return hand_out(ki_schema_response(), JSON_INDENT(2), json);
    return ki_fail(KITH_ENOTFOUND, "there is no schema \"%.40s\"; want request or response", which);
}
