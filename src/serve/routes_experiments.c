/* SPDX-License-Identifier: MIT
 * routes_experiments.c -- A/B experiments: drafted, started, reported, stopped
 *
 * What runs is not changed: another split would give users another variant half-way, and no figure would mean
 * anything.  A change is a new experiment.
 */
#include "serve/bodies.h"
#include "serve/clock.h"
#include "serve/experiments.h"
#include "serve/routes.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- shapes ---- */

static const ki_shape by_name[] = {
    { .name = "name",
      .kind = KI_IS_NAME,
      .required = 1,
      .about = "of the experiment",
      .max = 63,
      .example = "\"home-varied\"" },
};
static const ki_shape path = { .kind = KI_IS_OBJECT, KI_INSIDE(by_name) };
static const ki_shape a_variant[] = {
    { .name = "name", .kind = KI_IS_NAME, .required = 1, .about = "of the variant", .max = 63 },
    { .name = "share",
      .kind = KI_IS_NUMBER,
      .required = 1,
      .about = "of the users, beside those of the others",
      .min = 0,
      .max = 1e6 },
    { .name = "scenario",
      .kind = KI_IS_TEXT,
      .about = "lists of this scenario; absent: as without one",
      .max = 63 },
};
static const ki_shape one_variant = { .kind = KI_IS_OBJECT,
                                      KI_INSIDE(a_variant),
                                      .type = "Variant" };
static const ki_shape one_kind = { .kind = KI_IS_NAME, .max = 64 };
static const char *const of_words[] = { "conversion", "count", "value", NULL };
static const ki_shape an_outcome[] = {
    { .name = "events",
      .kind = KI_IS_LIST,
      .required = 1,
      .about = "kinds that count",
      KI_EACH(one_kind),
      .min = 1,
      .max = 16 },
    { .name = "of",
      .kind = KI_IS_TEXT,
      .about = "conversion: did the user do any of it; count: how often; value: the sum of values",
      .words = of_words,
      .init = "\"conversion\"" },
    { .name = "window_days",
      .kind = KI_IS_NUMBER,
      .about = "days from the first list on",
      .min = .001,
      .max = 365,
      .init = "7" },
    { .name = "attributed",
      .kind = KI_IS_FLAG,
      .about = "only events that carry the rec_id of a list of the experiment",
      .init = "false" },
};
#define AN_EXPERIMENT                                                                              \
    { .name = "about", .kind = KI_IS_TEXT, .about = "for people", .max = 1000 },                   \
        { .name = "variants",                                                                      \
          .kind = KI_IS_LIST,                                                                      \
          .required = 1,                                                                           \
          .about = "the first is the control",                                                     \
          KI_EACH(one_variant),                                                                    \
          .min = 2,                                                                                \
          .max = KI_MAX_VARIANTS },                                                                \
        { .name = "outcome",                                                                       \
          .kind = KI_IS_OBJECT,                                                                    \
          .required = 1,                                                                           \
          .about = "what decides",                                                                 \
          KI_INSIDE(an_outcome),                                                                   \
          .type = "Outcome" },                                                                     \
        { .name = "salt",                                                                          \
          .kind = KI_IS_TEXT,                                                                      \
          .about = "another salt is another lot for every user (the name alone)",                  \
          .max = 64 },                                                                             \
    {                                                                                              \
        .name = "confidence", .kind = KI_IS_NUMBER,                                                \
        .about = "of the intervals, for all comparisons together", .min = .5, .max = .9999,        \
        .init = "0.95"                                                                             \
    }
static const ki_shape a_draft[] = { AN_EXPERIMENT };
static const ki_shape experiment = {
    .kind = KI_IS_OBJECT,
    KI_INSIDE(a_draft),
    .type = "ExperimentDraft",
    .example = "{\"variants\": [{\"name\": \"as before\", \"share\": 1}, {\"name\": \"varied\", "
               "\"share\": 1, \"scenario\": \"home\"}], "
               "\"outcome\": {\"events\": [\"purchase\"], \"window_days\": 7}}"
};
static const ki_shape of_user[] = {
    { .name = "user_id",
      .kind = KI_IS_ID,
      .required = 1,
      .about = "whose variant",
      .max = 256,
      .example = "\"ann\"" },
};
static const ki_shape user_query = { .kind = KI_IS_OBJECT, KI_INSIDE(of_user) };

/* ---- what is told ---- */

static const char *const experiment_states[] = { "draft", "running", "stopped", NULL };
#define A_STATE                                                                                    \
    {                                                                                              \
        .name = "state", .kind = KI_IS_TEXT, .required = 1, .words = experiment_states             \
    }
static const ki_shape an_experiment[] = {
    AN_EXPERIMENT,
    A_STATE,
    { .name = "started_ms", .kind = KI_IS_WHOLE, .about = "milliseconds since 1970" },
    { .name = "stopped_ms", .kind = KI_IS_WHOLE },
};
static const ki_shape told_experiment = { .kind = KI_IS_OBJECT,
                                          KI_INSIDE(an_experiment),
                                          .type = "Experiment" };
static const ki_shape a_row[] = {
    { .name = "kind", .kind = KI_IS_TEXT, .required = 1, .about = "experiment" },
    { .name = "id", .kind = KI_IS_TEXT, .required = 1, .about = "its name" },
    { .name = "seq", .kind = KI_IS_WHOLE, .required = 1, .about = "grows with each change" },
    { .name = "time_ms", .kind = KI_IS_WHOLE, .required = 1, .about = "milliseconds since 1970" },
    { .name = "document",
      .kind = KI_IS_OBJECT,
      .required = 1,
      KI_INSIDE(an_experiment),
      .type = "Experiment" },
};
static const ki_shape kept_row = { .kind = KI_IS_OBJECT,
                                   KI_INSIDE(a_row),
                                   .type = "ExperimentRow" };
static const ki_shape some_rows[] = { KI_ROWS_OF(kept_row) };
static const ki_shape rows = { .kind = KI_IS_OBJECT,
                               KI_INSIDE(some_rows),
                               .type = "ExperimentRows" };

static const ki_shape an_end = { .kind = KI_IS_NUMBER, .or_null = 1 };
static const ki_shape a_comparison[] = {
    { .name = "difference",
      .kind = KI_IS_NUMBER,
      .required = 1,
      .or_null = 1,
      .about = "of the means; null where nothing is known yet" },
    { .name = "difference_interval",
      .kind = KI_IS_LIST,
      .required = 1,
      .about = "its ends",
      KI_EACH(an_end),
      .min = 2,
      .max = 2 },
    { .name = "lift",
      .kind = KI_IS_NUMBER,
      .required = 1,
      .or_null = 1,
      .about = "the difference as a share of the control's mean" },
    { .name = "lift_interval",
      .kind = KI_IS_LIST,
      .required = 1,
      KI_EACH(an_end),
      .min = 2,
      .max = 2 },
    { .name = "p", .kind = KI_IS_NUMBER, .required = 1, .or_null = 1 },
    { .name = "confidence", .kind = KI_IS_NUMBER, .required = 1, .about = "of the intervals" },
};
static const char *const verdicts[] = { "better", "worse", "undecided", NULL };
static const ki_shape an_arm[] = {
    { .name = "name", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "share", .kind = KI_IS_NUMBER, .required = 1 },
    { .name = "lists", .kind = KI_IS_WHOLE, .required = 1, .about = "shown" },
    { .name = "users", .kind = KI_IS_WHOLE, .required = 1, .about = "who saw one" },
    { .name = "matured", .kind = KI_IS_WHOLE, .required = 1, .about = "users that count" },
    { .name = "maturing",
      .kind = KI_IS_WHOLE,
      .required = 1,
      .about = "users whose window is not over" },
    { .name = "outcome", .kind = KI_IS_NUMBER, .required = 1, .about = "mean of those that count" },
    { .name = "deviation", .kind = KI_IS_NUMBER, .required = 1 },
    { .name = "against_control",
      .kind = KI_IS_OBJECT,
      .about = "all but the first",
      KI_INSIDE(a_comparison),
      .type = "Comparison" },
    { .name = "verdict", .kind = KI_IS_TEXT, .words = verdicts },
};
static const ki_shape arm = { .kind = KI_IS_OBJECT, KI_INSIDE(an_arm), .type = "VariantReport" };
static const ki_shape a_ratio[] = {
    { .name = "p", .kind = KI_IS_NUMBER, .required = 1 },
    { .name = "broken", .kind = KI_IS_FLAG, .required = 1 },
    { .name = "note", .kind = KI_IS_TEXT, .required = 1 },
};
static const ki_shape a_told_report[] = {
    { .name = "experiment", .kind = KI_IS_TEXT, .required = 1 },
    A_STATE,
    { .name = "outcome", .kind = KI_IS_TEXT, .required = 1, .words = of_words },
    { .name = "window_days", .kind = KI_IS_NUMBER, .required = 1 },
    { .name = "attributed", .kind = KI_IS_FLAG, .required = 1 },
    { .name = "variants", .kind = KI_IS_LIST, .required = 1, KI_EACH(arm) },
    { .name = "sample_ratio",
      .kind = KI_IS_OBJECT,
      .required = 1,
      .about = "are users split as designed?",
      KI_INSIDE(a_ratio),
      .type = "SampleRatio" },
    { .name = "crossed",
      .kind = KI_IS_WHOLE,
      .required = 1,
      .about = "users who saw lists of several variants, and do not count" },
    { .name = "note", .kind = KI_IS_TEXT, .required = 1 },
};
static const ki_shape told_report = { .kind = KI_IS_OBJECT,
                                      KI_INSIDE(a_told_report),
                                      .type = "ExperimentReport" };
static const ki_shape an_assignment[] = {
    { .name = "experiment", .kind = KI_IS_TEXT, .required = 1, .about = "empty: none is running" },
    { .name = "variant", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "scenario", .kind = KI_IS_TEXT, .required = 1, .about = "empty: lists without one" },
    { .name = "share", .kind = KI_IS_NUMBER, .required = 1, .about = "of the users that have it" },
};
static const ki_shape told_assignment = { .kind = KI_IS_OBJECT,
                                          KI_INSIDE(an_assignment),
                                          .type = "Assignment" };

/* ---- documents ---- */

static kith_err load(ki_call *c, json_t **out)
{
    const char *name = ki_call_text(c, "name");
    const kith_err err =
        ki_store_get(ki_service_store(ki_call_service(c)), KI_DOCUMENTS, "experiment", name, out);
    if (err == KITH_ENOTFOUND)
        return ki_call_refuse(c, 404, err, "there is no experiment \"%.60s\"", name);
    return err;
}

static int is_state(const json_t *document, const char *state)
{
    const char *is = json_string_value(json_object_get(document, "state"));
    return is != NULL && strcmp(is, state) == 0;
}

static kith_err save(ki_call *c, const json_t *document)
{
    char *text = json_dumps(document, JSON_COMPACT);
    ki_change change = {
        .change = KI_PUT_DOCUMENT, .kind = "experiment", .id = ki_call_text(c, "name"), .json = text
    };
    const kith_err err =
        text == NULL ? ki_fail_memory(256) : ki_service_write(ki_call_service(c), &change, 1);
    free(text);
    if (err == KITH_OK && change.was_new) ki_reply_status(c, 201);
    return err;
}

/* Save and answer; takes `document`. */
static kith_err keep(ki_call *c, json_t *document)
{
    const kith_err err = save(c, document);
    if (err == KITH_OK) return ki_reply_json(c, document);
    json_decref(document);
    return err;
}

static kith_err check_and_put(ki_call *c)
{
    json_t *old = NULL;
    kith_err err = ki_store_get(ki_service_store(ki_call_service(c)), KI_DOCUMENTS, "experiment",
                                ki_call_text(c, "name"), &old);
    const int started = err == KITH_OK && !is_state(old, "draft");
    json_decref(old);
    if (err != KITH_OK && err != KITH_ENOTFOUND) return err;
    if (started)
        return ki_call_refuse(
            c, 409, KITH_EINVAL,
            "\"%.60s\" was started, and what runs is not changed: stop it, and make another one",
            ki_call_text(c, "name"));
    if ((err = ki_experiment_check(ki_call_service(c), ki_call_body(c))) != KITH_OK) return err;
    json_t *document = json_deep_copy(ki_call_body(c));
    json_object_set_new(document, "state", json_string("draft"));
    return keep(c, document);
}

static kith_err get(ki_call *c)
{
    json_t *document = NULL;
    const kith_err err = load(c, &document);
    return err == KITH_OK ? ki_reply_json(c, document) : err;
}

static kith_err list(ki_call *c)
{
    return ki_reply_rows(c, KI_DOCUMENTS, (ki_select){ .kind = "experiment" }, 1000);
}

static kith_err check_and_drop(ki_call *c)
{
    json_t *document = NULL;
    const kith_err err = load(c, &document);
    const int runs = err == KITH_OK && is_state(document, "running");
    json_decref(document);
    if (err != KITH_OK) return err;
    if (runs)
        return ki_call_refuse(c, 409, KITH_EINVAL, "\"%.60s\" is running: stop it first",
                              ki_call_text(c, "name"));
    ki_change change = { .change = KI_DROP_DOCUMENT,
                         .kind = "experiment",
                         .id = ki_call_text(c, "name") };
    return ki_service_write(ki_call_service(c), &change, 1);
}

/* Two at once would each move the other's figures. */
static kith_err another_runs(void *udata, const ki_row *row)
{
    ki_call *c = udata;
    json_t *document = row->json == NULL ? NULL : json_loads(row->json, 0, NULL);
    const int runs = is_state(document, "running") && strcmp(row->id, ki_call_text(c, "name")) != 0;
    json_decref(document);
    if (!runs) return KITH_OK;
    return ki_call_refuse(c, 409, KITH_EINVAL, "\"%.60s\" is running: one experiment at a time",
                          row->id);
}

static kith_err check_and_start(ki_call *c)
{
    const ki_select which = { .kind = "experiment" };
    json_t *document = NULL;
    kith_err err = load(c, &document);
    if (err != KITH_OK) return err;
    if (!is_state(document, "draft"))
        err = ki_call_refuse(c, 409, KITH_EINVAL, "\"%.60s\" was started before: make another one",
                             ki_call_text(c, "name"));
    if (err == KITH_OK) err = ki_experiment_check(ki_call_service(c), document);
    if (err == KITH_OK)
        err = ki_store_each(ki_service_store(ki_call_service(c)), KI_DOCUMENTS, &which,
                            another_runs, c);
    if (err != KITH_OK) return json_decref(document), err;
    json_object_set_new(document, "state", json_string("running"));
    json_object_set_new(document, "started_ms", json_integer(ki_now_ms()));
    return keep(c, document);
}

static kith_err check_and_stop(ki_call *c)
{
    json_t *document = NULL;
    const kith_err err = load(c, &document);
    if (err != KITH_OK) return err;
    if (!is_state(document, "running")) {
        json_decref(document);
        return ki_call_refuse(c, 409, KITH_EINVAL, "\"%.60s\" is not running",
                              ki_call_text(c, "name"));
    }
    json_object_set_new(document, "state", json_string("stopped"));
    json_object_set_new(document, "stopped_ms", json_integer(ki_now_ms()));
    return keep(c, document);
}

static kith_err put(ki_call *c)
{
    return ki_call_decide(c, check_and_put);
}

static kith_err drop(ki_call *c)
{
    return ki_call_decide(c, check_and_drop);
}

static kith_err start(ki_call *c)
{
    return ki_call_decide(c, check_and_start);
}

static kith_err stop(ki_call *c)
{
    return ki_call_decide(c, check_and_stop);
}

/* ---- looking ---- */

static kith_err report(ki_call *c)
{
    json_t *document = NULL, *told = NULL;
    kith_err err = load(c, &document);
    if (err != KITH_OK) return err;
    err = ki_experiment_report(ki_service_store(ki_call_service(c)), ki_call_text(c, "name"),
                               document, ki_now_ms(), &told);
    json_decref(document);
    return err == KITH_OK ? ki_reply_json(c, told) : err;
}

static kith_err assignment(ki_call *c)
{
    ki_variant v;
    ki_service_variant(ki_call_service(c), ki_call_text(c, "user_id"), &v);
    return ki_reply_json(c, json_pack("{s:s, s:s, s:s, s:f}", "experiment", v.experiment, "variant",
                                      v.variant, "scenario", v.scenario, "share", v.share));
}

static const ki_route routes[] = {
    { "PUT", "/v1/experiments/{name}", "put_experiment", "Draft an experiment",
      "Variants, their shares, and what decides.  Nothing happens before it is started; what was "
      "started is not changed.",
      KI_ROLE_ADMIN, KI_ROUTE_CONFLICTS, .path_shape = &path, .body = &experiment,
      .reply = &told_experiment, .also = 201, .run = put },
    { "GET", "/v1/experiments/{name}", "get_experiment", "An experiment", NULL, KI_ROLE_READ,
      .path_shape = &path, .reply = &told_experiment, .run = get },
    { "GET", "/v1/experiments", "list_experiments", "All experiments", NULL, KI_ROLE_READ,
      .reply = &rows, .run = list },
    { "DELETE", "/v1/experiments/{name}", "delete_experiment", "Drop an experiment",
      "Its journal stays.", KI_ROLE_ADMIN, KI_ROUTE_CONFLICTS, .path_shape = &path, .run = drop },
    { "POST", "/v1/experiments/{name}/start", "start_experiment", "Split the users from now on",
      "A user's variant follows from the experiment and the user's id alone, and never changes.",
      KI_ROLE_ADMIN, KI_ROUTE_CONFLICTS, .path_shape = &path, .reply = &told_experiment,
      .run = start },
    { "POST", "/v1/experiments/{name}/stop", "stop_experiment", "End the split",
      "Outcomes still count until their windows end.", KI_ROLE_ADMIN, KI_ROUTE_CONFLICTS,
      .path_shape = &path, .reply = &told_experiment, .run = stop },
    { "GET", "/v1/experiments/{name}/report", "report_experiment", "What has been shown so far",
      "Difference and lift of each variant against the first, with intervals that hold however "
      "often one looks, and "
      "whether the users are split as designed.",
      KI_ROLE_READ, KI_ROUTE_SLOW, .path_shape = &path, .reply = &told_report, .run = report },
    { "GET", "/v1/assignment", "get_assignment", "Which variant does a user have?", NULL,
      KI_ROLE_READ, .query_shape = &user_query, .reply = &told_assignment, .run = assignment },
};

const ki_route_group ki_routes_experiments = { "experiments",
                                               "Which of two is better, by what people do", routes,
                                               KI_COUNT(routes) };
