/* SPDX-License-Identifier: MIT
 * routes_tool.c -- the tool contract over HTTP, and three short calls
 *
 * The contract's request brings its own data and leaves nothing behind.  The short calls are those that people expect
 * of a demonstration: predict, recommend for somebody known, recommend for somebody who is described.
 */
#include "serve/bodies.h"
#include "serve/routes.h"

#include "base/mem.h"
#include "serve/jsonwrite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the contract ---- */

static kith_err run(ki_call *c)
{
    char *request = json_dumps(ki_call_body(c), JSON_COMPACT), *result = NULL;
    int busy = 0;
    kith_err err = request == NULL ? ki_fail_memory(256)
                                   : ki_service_run(ki_call_service(c), request, &busy, &result);
    free(request);
    if (busy) return ki_call_refuse(c, 503, err, "%s", kith_last_error());
    if (err != KITH_OK) {
        json_t *error = result == NULL ? NULL : json_loads(result, 0, NULL);
        kith_string_free(result);
        if (error == NULL) return err;
        ki_reply_status(c, err == KITH_ENOMEM ? 503 : 422);
        return ki_reply_json(c, error);
    }
    char *copy = NULL;
    const size_t n = strlen(result);
    err = ki_strndup(&copy, result, n);
    kith_string_free(result);
    return err == KITH_OK ? ki_reply_text(c, copy, n, "application/json") : err;
}

static kith_err schema(ki_call *c)
{
    char *text = NULL;
    const kith_err err = kith_schema_json(ki_call_text(c, "which"), &text);
    if (err != KITH_OK) return err;
    json_t *o = json_loads(text, 0, NULL);
    kith_string_free(text);
    return ki_reply_json(c, o);
}

static const char *const which_words[] = { "request", "response", NULL };
static const ki_shape by_which[] = {
    { .name = "which",
      .kind = KI_IS_TEXT,
      .required = 1,
      .about = "of the request or of the response",
      .example = "\"request\"",
      .words = which_words },
};
static const ki_shape which_path = { .kind = KI_IS_OBJECT, KI_INSIDE(by_which) };

/* ---- three short calls ---- */

static const ki_shape a_pair[] = {
    { .name = "user_id", .kind = KI_IS_ID, .required = 1, .about = "the user", .max = 256 },
    { .name = "item_id", .kind = KI_IS_ID, .required = 1, .about = "the item", .max = 256 },
};
static const ki_shape pair = { .kind = KI_IS_OBJECT,
                               KI_INSIDE(a_pair),
                               .type = "Pair",
                               .example = "{\"user_id\": 1, \"item_id\": 50}" };
static const ki_shape a_predicted[] = {
    { .name = "user_id", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "item_id", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "prediction",
      .kind = KI_IS_NUMBER,
      .required = 1,
      .about = "a rating, or a preference where is_rating is false" },
    { .name = "is_rating", .kind = KI_IS_FLAG, .required = 1 },
};
static const ki_shape predicted = { .kind = KI_IS_OBJECT,
                                    KI_INSIDE(a_predicted),
                                    .type = "ShortPrediction" };

static const ki_shape a_request[] = {
    { .name = "user_id",
      .kind = KI_IS_ID,
      .or_null = 1,
      .about = "somebody known; null: see user_text",
      .max = 256 },
    { .name = "user_text",
      .kind = KI_IS_TEXT,
      .or_null = 1,
      .about = "or somebody new, in words: \"Age: 33, engineer, enjoys sci-fi\"",
      .max = 10000 },
    { .name = "num_recommendations",
      .kind = KI_IS_WHOLE,
      .about = "how many",
      .min = 1,
      .max = 1000,
      .init = "10" },
};
static const ki_shape short_wish = {
    .kind = KI_IS_OBJECT,
    KI_INSIDE(a_request),
    .type = "ShortRequest",
    .example = "{\"user_text\": \"enjoys sci-fi and action movies\", \"num_recommendations\": 5}"
};

static kith_err predict(ki_call *c)
{
    kith_prediction p;
    const char *user = ki_call_text(c, "user_id"), *item = ki_call_text(c, "item_id");
    const kith_err err = ki_live_predict(ki_service_live(ki_call_service(c)), user, item, &p);
    if (err != KITH_OK) return err;
    return ki_reply_json(c, json_pack("{s:s, s:s, s:f, s:b}", "user_id", user, "item_id", item,
                                      "prediction", p.value, "is_rating", p.is_rating));
}

/* Somebody known is asked by id and must be there; somebody described by their words. */
static json_t *request_of(ki_call *c)
{
    const json_t *user = ki_call_member(c, "user_id"), *text = ki_call_member(c, "user_text");
    json_t *o =
        json_pack("{s:i, s:i}", "n", (int)ki_call_number(c, "num_recommendations"), "reasons", 3);
    if (user != NULL && !json_is_null(user)) {
        json_object_set(o, "user_id", (json_t *)user);
        json_object_set_new(o, "on_unknown", json_string("error"));
    }
    if (json_is_string(text)) json_object_set(o, "text", (json_t *)text);
    return o;
}

static kith_err recommend(ki_call *c)
{
    const json_t *user = ki_call_member(c, "user_id");
    const int has_user = user != NULL && !json_is_null(user);
    ki_text reply = { 0 };
    if (!has_user && ki_call_text(c, "user_text") == NULL)
        return ki_fail(KITH_EINVAL, "want a user_id, or a user_text that describes somebody");
    if (has_user && !json_is_string(user) && !json_is_integer(user))
        return ki_fail(KITH_EINVAL, "user_id: want a text or a whole number");
    json_t *request = request_of(c);
    const kith_err err = request == NULL
                             ? ki_fail_memory(128)
                             : ki_service_recommend(ki_call_service(c), request, &reply);
    json_decref(request);
    if (err == KITH_OK) return ki_reply_written(c, &reply);
    ki_text_clear(&reply);
    return err;
}

/* What the contract itself says of it: /v1/schema/request and response. */
static const ki_shape contract_request = {
    .kind = KI_IS_OPEN,
    .type = "ContractRequest",
    .about = "as /v1/schema/request says",
    .example =
        "{\"recommendation_data\": {\"user_data\": [], \"item_data\": [], \"interaction_data\": "
        "[{\"user_id\": \"a\", \"item_id\": \"x\", \"rating\": 5}, {\"user_id\": \"a\", "
        "\"item_id\": \"y\", \"rating\": 4}, {\"user_id\": \"b\", \"item_id\": \"x\", "
        "\"rating\": 4}, {\"user_id\": \"b\", \"item_id\": \"z\", \"rating\": 5}]}, "
        "\"recommendation_configuration\": {\"algorithm_type\": \"collaborative_filtering\", "
        "\"recommendation_count\": 2}}"
};
static const ki_shape contract_result = { .kind = KI_IS_OPEN,
                                          .type = "ContractResult",
                                          .about = "as /v1/schema/response says" };
static const ki_shape a_wrong_place[] = {
    { .name = "pointer", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "message", .kind = KI_IS_TEXT, .required = 1 },
};
static const ki_shape wrong_place = { .kind = KI_IS_OBJECT,
                                      KI_INSIDE(a_wrong_place),
                                      .type = "ContractViolation" };
static const ki_shape an_error[] = {
    { .name = "type", .kind = KI_IS_TEXT, .required = 1, .about = "name, for programs" },
    { .name = "code", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "message", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "hint", .kind = KI_IS_TEXT },
    { .name = "violations", .kind = KI_IS_LIST, KI_EACH(wrong_place) },
};
static const ki_shape failure_members[] = {
    { .name = "error",
      .kind = KI_IS_OPEN,
      .required = 1,
      KI_INSIDE(an_error),
      .type = "ContractError" },
};
static const ki_shape contract_failure = { .kind = KI_IS_OPEN,
                                           KI_INSIDE(failure_members),
                                           .type = "ContractFailure",
                                           .about = "as the tool contract tells it" };
static const ki_shape a_schema = { .kind = KI_IS_OPEN, .type = "JsonSchema" };

static const ki_route routes[] = {
    { "POST", "/v1/run", "run", "One request of the tool contract",
      "Data and configuration in, lists and figures out; files are not read, and neither data nor "
      "model are kept.  Where caching_strategy asks for it lists are kept in the server at "
      "REDIS_URL, "
      "and where MLFLOW_TRACKING_URI names a server the run is logged there.  "
      "/v1/schema/request says what the body may hold; failures are told as the contract does.",
      KI_ROLE_WRITE, .body = &contract_request, .reply = &contract_result, .run = run,
      .refusal = &contract_failure },
    { "GET", "/v1/schema/{which}", "schema", "The JSON Schema of the tool contract", NULL,
      KI_ROLE_READ, .path_shape = &which_path, .reply = &a_schema, .run = schema },
    { "POST", "/predict", "short_predict", "What would this user think of this item?", NULL,
      KI_ROLE_READ, KI_ROUTE_QUICK, .body = &pair, .reply = &predicted, .run = predict },
    { "POST", "/recommend", "short_recommend", "Items for somebody known, or described in words",
      "With user_id for somebody known (404 when unknown), with user_text for somebody new; each "
      "item has its reason.",
      KI_ROLE_READ, KI_ROUTE_QUICK | KI_ROUTE_LOOKS_UP, .body = &short_wish,
      .reply = &ki_shape_list, .run = recommend },
};

const ki_route_group ki_routes_tool = { "tool", "The tool contract, and three short calls", routes,
                                        KI_COUNT(routes) };
