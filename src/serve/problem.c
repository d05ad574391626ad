/* SPDX-License-Identifier: MIT
 * problem.c -- failures as problem details (RFC 9457), with the named errors of the tool contract
 *
 * type is a name that never changes and that a program may decide by; title and hint are said once per type, detail
 * is the sentence of this failure, instance names the call, violations have each place and what is wrong there.
 */
#include "serve/call.h"

#include "base/scan.h"

#include <stdio.h>
#include <string.h>

static const struct problem {
    int status;
    kith_err err; /* KITH_OK: any */
    const char *type, *title, *hint;
} problems[] = {
    { 400, KITH_OK, "BadRequestError", "The request cannot be read",
      "see detail; /v1/docs shows how each call is made" },
    { 401, KITH_OK, "UnauthorizedError", "A key is wanted", "send Authorization: Bearer KEY" },
    { 403, KITH_OK, "ForbiddenError", "This may not be done from here",
      "see detail; where it is the key's role, ask an administrator for another key" },
    { 404, KITH_OK, "NotFoundError", "There is no such thing",
      "look at the identifiers and at /v1/openapi.json" },
    { 405, KITH_OK, "MethodNotAllowedError", "This path has other methods",
      "the header Allow names them" },
    { 408, KITH_OK, "TimeoutError", "The request took too long to arrive",
      "send it again, faster" },
    { 409, KITH_OK, "ConflictError", "This does not go with what is there", "see detail" },
    { 413, KITH_OK, "TooLargeError", "The body is too large",
      "send less at a time; users, items and events can come as lines to their import routes; "
      "larger bodies are taken by the setting limits.body_bytes (KITH_LIMITS_BODY_BYTES), lines by "
      "limits.import_bytes and limits.line_bytes" },
    { 414, KITH_OK, "TooLargeError", "The target is too long", "send what is long as a body" },
    { 415, KITH_OK, "UnsupportedMediaTypeError", "The body is of another type",
      "set Content-Type to what detail says" },
    { 422, KITH_EDATA, "DataInsufficientError", "There is not enough data for this",
      "send more events, or ask for a method that needs less; popularity needs the least" },
    { 422, KITH_OK, "ValidationError", "The request is not what the route takes",
      "correct what the violations name; /v1/openapi.json says what is allowed" },
    { 429, KITH_OK, "RateLimitedError", "Too many requests", "wait as long as Retry-After says" },
    { 431, KITH_OK, "TooLargeError", "The headers are too large", "send fewer or shorter headers" },
    { 503, KITH_ENOMEM, "BudgetExceededError", "There is no memory left for this",
      "send less at a time, or try again later" },
    { 503, KITH_EIO, "StorageError", "The store does not take this now",
      "look at the disk of the service, then send it again" },
    { 503, KITH_ECANCELED, "CanceledError", "This was stopped", "send it again" },
    { 503, KITH_OK, "OverloadedError", "The service has too much to do",
      "wait as long as Retry-After says" },
    { 500, KITH_OK, "InternalError", "The service failed",
      "this is a fault of kith: please report the request id" },
};

static const struct problem *find(int status, kith_err err)
{
    for (size_t j = 0; j < KI_COUNT(problems); j++)
        if (problems[j].status == status && (problems[j].err == KITH_OK || problems[j].err == err))
            return &problems[j];
    return &problems[KI_COUNT(problems) - 1];
}

static int status_of(kith_err err)
{
    switch (err) {
    case KITH_EINVAL:
    case KITH_EFORMAT:
    case KITH_EDATA: return 422;
    case KITH_ENOTFOUND: return 404;
    case KITH_ENOMEM:
    case KITH_EIO:
    case KITH_ECANCELED: return 503;
    default: return 500;
    }
}

/* ---- violations ---- */

/* "/query/n" is a parameter, and so told by its name. */
static json_t *of_parameter(const json_t *violation)
{
    const char *pointer = json_string_value(json_object_get(violation, "pointer"));
    const int in_path = strncmp(pointer, "/path/", 6) == 0;
    return json_pack("{s:s, s:s, s:O}", "in", in_path ? "path" : "query", "parameter",
                     pointer + (in_path ? 6 : 7), "message", json_object_get(violation, "message"));
}

static void add_violations(const ki_call *c, json_t *problem)
{
    const int64_t n = c->in_parameters.n_violations + c->in_body.n_violations;
    if (n == 0) return;
    json_t *list = json_array();
    for (size_t j = 0; j < json_array_size(c->in_parameters.violations); j++)
        json_array_append_new(list, of_parameter(json_array_get(c->in_parameters.violations, j)));
    if (c->in_body.violations != NULL) json_array_extend(list, c->in_body.violations);
    if ((int64_t)json_array_size(list) < n)
        json_object_set_new(problem, "n_violations", json_integer((json_int_t)n));
    json_object_set_new(problem, "violations", list);
}

/* ---- the whole ---- */

/* The sentence may hold bytes of the request. */
static json_t *sentence(void)
{
    char text[KI_MESSAGE_SIZE];
    snprintf(text, sizeof text, "%s", kith_last_error());
    ki_utf8_mend(text);
    return json_string(text);
}

static json_t *problem_json(const ki_call *c, const struct problem *p, int status, kith_err err)
{
    char type[80], instance[32 + KI_CALL_ID];
    snprintf(type, sizeof type, "urn:kith:error:%s", p->type);
    snprintf(instance, sizeof instance, "urn:kith:request:%s", c->id);
    json_t *o = json_pack("{s:s, s:s, s:i, s:o, s:s, s:s, s:s, s:s}", "type", type, "title",
                          p->title, "status", status, "detail", sentence(), "instance", instance,
                          "error", p->type, "code", kith_err_name(err), "hint", p->hint);
    if (o != NULL) add_violations(c, o);
    return o;
}

static void forget_reply(ki_reply *r)
{
    if (r->end != NULL) r->end(r->udata);
    ki_free(r->owned);
    r->end = NULL;
    r->next = NULL;
    r->owned = NULL;
    r->bytes = NULL;
    r->type = NULL;
    r->n = 0;
}

void ki_call_problem(ki_call *c, int status, kith_err err)
{
    static const char last[] =
        "{\"type\":\"urn:kith:error:BudgetExceededError\",\"title\":\"There is no memory left\","
        "\"status\":503,\"error\":\"BudgetExceededError\"}";
    if (status == 0) status = c->had_refusal ? c->refusal : status_of(err);
    forget_reply(&c->reply); /* a handler may have failed after it had answered */
    json_t *o = problem_json(c, find(status, err), status, err);
    c->reply.status = status;
    if (ki_reply_json(c, o) != KITH_OK) {
        c->reply.bytes = last;
        c->reply.n = sizeof last - 1;
        c->reply.status = 503;
    }
    c->reply.type = "application/problem+json";
    if (status == 503) ki_reply_header(c, "Retry-After", "1");
}
