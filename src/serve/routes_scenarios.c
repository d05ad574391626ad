/* SPDX-License-Identifier: MIT
 * routes_scenarios.c -- scenarios: lists with a name, and the settings that live in the store
 */
#include "serve/bodies.h"
#include "serve/routes.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static const ki_shape by_name[] = {
    { .name = "name",
      .kind = KI_IS_NAME,
      .required = 1,
      .about = "of the scenario",
      .max = 256,
      .example = "\"home\"" },
};
static const ki_shape path = { .kind = KI_IS_OBJECT, KI_INSIDE(by_name) };
static const ki_shape one_id = { .kind = KI_IS_TEXT, .max = 256 };
static const char *const unknown_words[] = { "popular", "error", NULL };
static const ki_shape a_scenario[] = {
    { .name = "about", .kind = KI_IS_TEXT, .about = "for people", .max = 1000 },
    { .name = "n", .kind = KI_IS_WHOLE, .about = "how many", .min = 1, .max = 1000 },
    { .name = "filter",
      .kind = KI_IS_TEXT,
      .about = "holds beside the filter of a request",
      .max = 65536 },
    { .name = "wishes",
      .kind = KI_IS_LIST,
      .about = "as in recommend, where the request has none",
      KI_EACH(ki_shape_one_wish),
      .max = 64 },
    { .name = "context", .kind = KI_IS_OPEN, .about = "values of the filter's $names" },
    { .name = "pipeline",
      .kind = KI_IS_OPEN,
      .about = "sources, ranker, rules, diversity and exploration" },
    { .name = "exclude",
      .kind = KI_IS_LIST,
      .about = "never these",
      KI_EACH(one_id),
      .max = 10000 },
    { .name = "block",
      .kind = KI_IS_LIST,
      .about = "beside the lists of the service and of the request",
      KI_EACH(ki_shape_block_entry),
      .max = 10000 },
    { .name = "language",
      .kind = KI_IS_NAME,
      .about = "of reasons and notes, where the request names none",
      .max = 32 },
    { .name = "include_seen", .kind = KI_IS_FLAG, .about = "items of the history may be listed" },
    { .name = "reasons", .kind = KI_IS_WHOLE, .about = "named per item", .min = 0, .max = 10 },
    { .name = "on_unknown",
      .kind = KI_IS_TEXT,
      .about = "an unknown user gets popular items, or 404",
      .words = unknown_words },
    { .name = "log", .kind = KI_IS_FLAG, .about = "write its lists into the journal" },
};
static const ki_shape scenario = {
    .kind = KI_IS_OBJECT,
    KI_INSIDE(a_scenario),
    .type = "Scenario",
    .example =
        "{\"filter\": \"year >= 1990\", \"pipeline\": {\"diversity\": {\"method\": \"mmr\"}}}"
};
static const ki_shape a_run[] = {
    { .name = "scenario",
      .kind = KI_IS_OBJECT,
      .required = 1,
      .about = "as it would be saved",
      KI_INSIDE(a_scenario),
      .type = "Scenario" },
    { .name = "user_id", .kind = KI_IS_ID, .about = "for this user", .max = 256 },
};
static const ki_shape dry = {
    .kind = KI_IS_OBJECT,
    KI_INSIDE(a_run),
    .type = "DryRun",
    .example =
        "{\"scenario\": {\"pipeline\": {\"diversity\": {\"method\": \"mmr\"}}}, \"user_id\": "
        "\"ann\"}"
};
static const ki_shape a_kept[] = {
    { .name = "name", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "version", .kind = KI_IS_WHOLE, .required = 1, .about = "grows with each change" },
};
static const ki_shape kept = { .kind = KI_IS_OBJECT, KI_INSIDE(a_kept), .type = "ScenarioReceipt" };
static const ki_shape a_row[] = {
    { .name = "kind", .kind = KI_IS_TEXT, .required = 1, .about = "scenario" },
    { .name = "id", .kind = KI_IS_TEXT, .required = 1, .about = "its name" },
    { .name = "seq", .kind = KI_IS_WHOLE, .required = 1, .about = "version" },
    { .name = "time_ms", .kind = KI_IS_WHOLE, .required = 1, .about = "milliseconds since 1970" },
    { .name = "document",
      .kind = KI_IS_OBJECT,
      .required = 1,
      KI_INSIDE(a_scenario),
      .type = "Scenario" },
};
static const ki_shape kept_row = { .kind = KI_IS_OBJECT, KI_INSIDE(a_row), .type = "ScenarioRow" };
static const ki_shape some_rows[] = { KI_ROWS_OF(kept_row) };
static const ki_shape rows = { .kind = KI_IS_OBJECT, KI_INSIDE(some_rows), .type = "ScenarioRows" };

static kith_err put(ki_call *c)
{
    ki_service *s = ki_call_service(c);
    char *text = NULL;
    kith_err err = ki_service_check_scenario(s, ki_call_body(c));
    if (err == KITH_OK && (text = json_dumps(ki_call_body(c), JSON_COMPACT)) == NULL)
        err = ki_fail_memory(256);
    ki_change change = {
        .change = KI_PUT_DOCUMENT, .kind = "scenario", .id = ki_call_text(c, "name"), .json = text
    };
    if (err == KITH_OK) err = ki_service_write(s, &change, 1);
    free(text);
    if (err != KITH_OK) return err;
    if (change.was_new) ki_reply_status(c, 201);
    return ki_reply_json(c, json_pack("{s:s, s:I}", "name", ki_call_text(c, "name"), "version",
                                      (json_int_t)change.seq));
}

static kith_err get(ki_call *c)
{
    json_t *o = NULL;
    const kith_err err = ki_store_get(ki_service_store(ki_call_service(c)), KI_DOCUMENTS,
                                      "scenario", ki_call_text(c, "name"), &o);
    return err == KITH_OK ? ki_reply_json(c, o) : err;
}

static kith_err list(ki_call *c)
{
    const ki_select which = { .kind = "scenario" };
    return ki_reply_rows(c, KI_DOCUMENTS, which, 1000);
}

static kith_err check_and_drop(ki_call *c)
{
    char experiment[KI_VARIANT_NAME];
    ki_change change = { .change = KI_DROP_DOCUMENT,
                         .kind = "scenario",
                         .id = ki_call_text(c, "name") };
    if (ki_service_needs_scenario(ki_call_service(c), change.id, experiment))
        return ki_call_refuse(
            c, 409, KITH_EINVAL,
            "the experiment \"%.60s\" that runs needs this scenario; stop it first", experiment);
    const kith_err err = ki_service_write(ki_call_service(c), &change, 1);
    if (err == KITH_OK && change.n_dropped == 0)
        return ki_call_refuse(c, 404, KITH_ENOTFOUND, "there is no scenario \"%.60s\"", change.id);
    return err;
}

static kith_err drop(ki_call *c)
{
    return ki_call_decide(c, check_and_drop);
}

/* The scenario's members are those of a request, so that it can be run without being saved. */
static kith_err run_dry(ki_call *c)
{
    ki_service *s = ki_call_service(c);
    const json_t *wanted = ki_call_member(c, "scenario");
    const char *user = ki_call_text(c, "user_id");
    ki_text reply = { 0 };
    kith_err err = ki_service_check_scenario(s, wanted);
    json_t *request = json_copy((json_t *)wanted);
    json_object_del(request, "about");
    if (user != NULL) json_object_set_new(request, "user_id", json_string(user));
    if (err == KITH_OK) err = ki_service_recommend(s, request, &reply);
    json_decref(request);
    if (err == KITH_OK) return ki_reply_written(c, &reply);
    ki_text_clear(&reply);
    return err;
}

/* ---- settings ---- */

static const char *const preference_words[] = { "ratings", "strengths", NULL };
static const ki_shape a_meaning[] = {
    { .name = "preference",
      .kind = KI_IS_TEXT,
      .required = 1,
      .about = "values of pairs are ratings, or strengths that add up",
      .words = preference_words },
    { .name = "low", .kind = KI_IS_NUMBER, .about = "of the rating scale", .init = "1" },
    { .name = "high", .kind = KI_IS_NUMBER, .about = "of the rating scale", .init = "5" },
    { .name = "most",
      .kind = KI_IS_NUMBER,
      .about = "the largest weight of one event, and rating where values are strengths",
      .init = "1000" },
    { .name = "signals",
      .kind = KI_IS_OPEN,
      .about = "kinds of events: a weight (0: says nothing), or {weight, scale, unit}" },
};
static const ki_shape meaning = { .kind = KI_IS_OBJECT,
                                  KI_INSIDE(a_meaning),
                                  .type = "EventSettingsChange",
                                  .example = "{\"preference\": \"strengths\", \"signals\": "
                                             "{\"views\": 0.5}}" };

static const ki_shape a_block[] = {
    { .name = "entries",
      .kind = KI_IS_LIST,
      .required = 1,
      .about = "words, column: words, or id: ITEM; none: nothing is blocked",
      KI_EACH(ki_shape_block_entry),
      .max = 10000 },
};
static const ki_shape block = { .kind = KI_IS_OBJECT,
                                KI_INSIDE(a_block),
                                .type = "BlockListChange",
                                .example = "{\"entries\": [\"genres: horror\", \"casino\"]}" };
static const ki_shape an_entry[] = {
    { .name = "entry", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "items", .kind = KI_IS_WHOLE, .required = 1, .about = "that it keeps out" },
};
static const ki_shape one_entry = { .kind = KI_IS_OBJECT,
                                    KI_INSIDE(an_entry),
                                    .type = "BlockEntry" };
static const ki_shape one_text = { .kind = KI_IS_TEXT };
static const ki_shape a_blocked[] = {
    { .name = "items",
      .kind = KI_IS_WHOLE,
      .required = 1,
      .about = "kept out by all entries together" },
    { .name = "entries", .kind = KI_IS_LIST, .required = 1, KI_EACH(one_entry) },
    { .name = "unused",
      .kind = KI_IS_LIST,
      .required = 1,
      .about = "entries that no item has",
      KI_EACH(one_text) },
};
static const ki_shape blocked = { .kind = KI_IS_OBJECT, KI_INSIDE(a_blocked), .type = "BlockList" };

static const char *const decided_words[] = { "ratings", "strengths", "undecided", NULL };
static const ki_shape a_weight[] = {
    { .name = "weight", .kind = KI_IS_NUMBER, .required = 1, .about = "0: says nothing" },
    { .name = "scale", .kind = KI_IS_TEXT, .required = 1, .about = "how its value counts" },
    { .name = "unit", .kind = KI_IS_NUMBER, .required = 1, .about = "value of usual size" },
};
static const ki_shape weight = { .kind = KI_IS_OBJECT, KI_INSIDE(a_weight), .type = "EventWeight" };
static const ki_shape all_meanings[] = {
    { .name = "preference", .kind = KI_IS_TEXT, .required = 1, .words = decided_words },
    { .name = "low", .kind = KI_IS_NUMBER, .required = 1, .about = "of the rating scale" },
    { .name = "high", .kind = KI_IS_NUMBER, .required = 1, .about = "of the rating scale" },
    { .name = "signals",
      .kind = KI_IS_MAP,
      .required = 1,
      .about = "kinds of events",
      KI_EACH(weight) },
};
static const ki_shape meanings = { .kind = KI_IS_OBJECT,
                                   KI_INSIDE(all_meanings),
                                   .type = "EventSettings" };
static const ki_shape a_status[] = {
    { .name = "users", .kind = KI_IS_WHOLE, .required = 1 },
    { .name = "items", .kind = KI_IS_WHOLE, .required = 1 },
    { .name = "events", .kind = KI_IS_WHOLE, .required = 1 },
    { .name = "hidden", .kind = KI_IS_WHOLE, .required = 1, .about = "items" },
    { .name = "pairs", .kind = KI_IS_WHOLE, .required = 1, .about = "of a user and an item" },
    { .name = "model",
      .kind = KI_IS_TEXT,
      .required = 1,
      .about = "version in force; empty: none is" },
    { .name = "since_model",
      .kind = KI_IS_WHOLE,
      .required = 1,
      .about = "events that it has not learnt from" },
    { .name = "store_bytes", .kind = KI_IS_WHOLE, .required = 1 },
    { .name = "lists", .kind = KI_IS_WHOLE, .required = 1, .about = "since the start" },
    { .name = "lists_from_cache", .kind = KI_IS_WHOLE, .required = 1 },
    { .name = "exposures_lost",
      .kind = KI_IS_WHOLE,
      .required = 1,
      .about = "lists that the journal lacks" },
    { .name = "imported",
      .kind = KI_IS_FLAG,
      .required = 1,
      .about = "the data of the start are in the store" },
    { .name = "algorithm", .kind = KI_IS_TEXT, .about = "of the model in force" },
    { .name = "trained_at", .kind = KI_IS_TEXT },
    { .name = "figures", .kind = KI_IS_OBJECT, KI_INSIDE(ki_figures), .type = "Figures" },
};
static const ki_shape the_status = { .kind = KI_IS_OBJECT, KI_INSIDE(a_status), .type = "Status" };

static kith_err get_meanings(ki_call *c)
{
    json_t *o = NULL;
    const kith_err err = ki_service_meanings(ki_call_service(c), &o);
    return err == KITH_OK ? ki_reply_json(c, o) : err;
}

static kith_err put_meanings(ki_call *c)
{
    const kith_err err = ki_service_set_meanings(ki_call_service(c), ki_call_body(c));
    return err == KITH_OK ? get_meanings(c) : err;
}

/* The list as it was sent, and what it does in the catalogue of now. */
static kith_err get_block(ki_call *c)
{
    json_t *o = NULL;
    const kith_err err = ki_service_block(ki_call_service(c), &o);
    return err == KITH_OK ? ki_reply_json(c, o) : err;
}

static kith_err put_block(ki_call *c)
{
    const kith_err err = ki_service_set_block(ki_call_service(c), ki_call_body(c));
    return err == KITH_OK ? get_block(c) : err;
}

static kith_err status(ki_call *c)
{
    json_t *o = NULL;
    const kith_err err = ki_service_status(ki_call_service(c), &o);
    return err == KITH_OK ? ki_reply_json(c, o) : err;
}

static const ki_route routes[] = {
    { "PUT", "/v1/scenarios/{name}", "put_scenario", "Save a scenario",
      "Its filter and pipeline are held against the catalogue first.  In force for the next "
      "request: recommend "
      "with scenario=NAME.",
      KI_ROLE_ADMIN, .path_shape = &path, .body = &scenario, .reply = &kept, .also = 201,
      .run = put },
    { "GET", "/v1/scenarios/{name}", "get_scenario", "A scenario", NULL, KI_ROLE_READ,
      .path_shape = &path, .reply = &scenario, .run = get },
    { "GET", "/v1/scenarios", "list_scenarios", "All scenarios, with their versions", NULL,
      KI_ROLE_READ, .reply = &rows, .run = list },
    { "DELETE", "/v1/scenarios/{name}", "delete_scenario", "Drop a scenario", NULL, KI_ROLE_ADMIN,
      KI_ROUTE_CONFLICTS, .path_shape = &path, .run = drop },
    { "POST", "/v1/scenarios/dry-run", "dry_run_scenario", "What would a scenario list?",
      "Nothing is saved.", KI_ROLE_READ, KI_ROUTE_QUICK | KI_ROUTE_LOOKS_UP, .body = &dry,
      .reply = &ki_shape_list, .run = run_dry, .slow_with = "block" },
    { "GET", "/v1/settings/events", "get_event_settings", "What events mean", NULL, KI_ROLE_READ,
      .reply = &meanings, .run = get_meanings },
    { "PUT", "/v1/settings/events", "put_event_settings", "Change what events mean",
      "All events are read anew, which takes a while where there are many.", KI_ROLE_ADMIN,
      .body = &meaning, .reply = &meanings, .run = put_meanings },
    { "GET", "/v1/settings/block", "get_block_list", "What no list may hold",
      "The block list of the service, and how many items each entry keeps out.", KI_ROLE_READ,
      .reply = &blocked, .run = get_block },
    { "PUT", "/v1/settings/block", "put_block_list", "Change what no list may hold",
      "In force for the next request: recommendations, charts, search, similar items, and the "
      "items that reasons name.",
      KI_ROLE_ADMIN, .body = &block, .reply = &blocked, .run = put_block },
    { "GET", "/v1/status", "status", "What is there, and which model is in force", NULL,
      KI_ROLE_READ, .reply = &the_status, .run = status },
};

const ki_route_group ki_routes_scenarios = { "scenarios", "Scenarios and settings", routes,
                                             KI_COUNT(routes) };
