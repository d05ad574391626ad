/* SPDX-License-Identifier: MIT
 * openapi.c -- groups to tags, routes to operations, shapes to schemas
 */
#include "serve/openapi.h"

#include "serve/keys.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- failures ---- */

static const ki_shape a_violation[] = {
    { .name = "pointer", .kind = KI_IS_TEXT, .about = "JSON pointer into the body" },
    { .name = "in", .kind = KI_IS_TEXT, .about = "path or query, of a parameter" },
    { .name = "parameter", .kind = KI_IS_TEXT, .about = "its name" },
    { .name = "message", .kind = KI_IS_TEXT, .required = 1, .about = "what is wrong there" },
};
static const ki_shape one_violation = { .kind = KI_IS_OBJECT,
                                        KI_INSIDE(a_violation),
                                        .type = "Violation" };
static const ki_shape a_problem[] = {
    { .name = "type",
      .kind = KI_IS_TEXT,
      .required = 1,
      .about = "urn:kith:error: and the name of the error" },
    { .name = "title", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "status", .kind = KI_IS_WHOLE, .required = 1 },
    { .name = "detail", .kind = KI_IS_TEXT, .about = "what, where, and what to do" },
    { .name = "instance", .kind = KI_IS_TEXT, .about = "urn:kith:request: and the request id" },
    { .name = "error",
      .kind = KI_IS_TEXT,
      .required = 1,
      .about = "the name of the error alone, for programs" },
    { .name = "code", .kind = KI_IS_TEXT, .about = "the code of the library" },
    { .name = "hint", .kind = KI_IS_TEXT, .about = "what usually helps" },
    { .name = "violations",
      .kind = KI_IS_LIST,
      KI_EACH(one_violation),
      .about = "all that is wrong with the request" },
    { .name = "n_violations", .kind = KI_IS_WHOLE, .about = "when there are more than are shown" },
};
static const ki_shape problem = { .kind = KI_IS_OPEN,
                                  KI_INSIDE(a_problem),
                                  .about = "Problem details (RFC 9457)",
                                  .type = "Problem" };

static const struct failure {
    int status;
    const char *name, *text;
} failures[] = {
    { 400, "BadRequest",
      "The request cannot be read: no JSON, or a text with a NUL (\\u0000) in it" },
    { 401, "Unauthorized", "A key is wanted" },
    { 403, "Forbidden", "The key may not do this" },
    { 404, "NotFound", "There is no such thing" },
    { 409, "Conflict", "This does not go with what is there" },
    { 413, "TooLarge", "The body is too large" },
    { 414, "TargetTooLong", "The target is too long" },
    { 415, "UnsupportedMediaType", "The body is of another type" },
    { 422, "Invalid", "The request is not what the route takes; violations name each place" },
    { 429, "TooManyRequests", "Too many requests; Retry-After says when again" },
    { 431, "HeadersTooLarge", "The headers are too large" },
    { 503, "Unavailable", "The service cannot do this now; Retry-After says when again" },
};

/* Which of them a route may answer. */
static int may_fail(const ki_route *r, int status)
{
    switch (status) {
    case 401:
    case 403:
    case 429: return r->role != KI_ROLE_NOBODY;
    case 404: return r->path_shape != NULL || (r->flags & KI_ROUTE_LOOKS_UP) != 0;
    case 409: return (r->flags & KI_ROUTE_CONFLICTS) != 0;
    case 413:
    case 415: return r->body != NULL;
    default: return 1;
    }
}

static json_t *failure_response(const struct failure *f)
{
    json_t *o =
        json_pack("{s:s, s:{s:{s:s}}, s:{s:{s:{s:s}}}}", "description", f->text, "headers",
                  "X-Request-Id", "$ref", "#/components/headers/X-Request-Id", "content",
                  "application/problem+json", "schema", "$ref", "#/components/schemas/Problem");
    if (f->status == 429 || f->status == 503)
        json_object_set_new(json_object_get(o, "headers"), "Retry-After",
                            json_pack("{s:s}", "$ref", "#/components/headers/Retry-After"));
    return o;
}

static json_t *failure_of(const ki_route *r, const struct failure *f, json_t *schemas)
{
    if (f->status != 422 || r->refusal == NULL)
        return json_pack("{s:o}", "$ref", json_sprintf("#/components/responses/%s", f->name));
    json_t *o = failure_response(f);
    json_object_set_new(
        json_object_get(o, "content"), "application/json",
        json_pack("{s:o}", "schema",
                  ki_shape_schema_as(r->refusal, &(ki_shape_how){ .components = schemas })));
    return o;
}

static void add_failures(const ki_route *r, json_t *schemas, json_t *responses)
{
    char status[12];
    for (size_t j = 0; j < KI_COUNT(failures); j++) {
        if (!may_fail(r, failures[j].status)) continue;
        snprintf(status, sizeof status, "%d", failures[j].status);
        json_object_set_new(responses, status, failure_of(r, &failures[j], schemas));
    }
}

/* ---- one operation ---- */

static json_t *example_of(const ki_shape *s)
{
    return json_loads(s->example, JSON_DECODE_ANY, NULL);
}

static json_t *parameter(const ki_shape *s, const char *in)
{
    json_t *schema = ki_shape_schema_as(s, &(ki_shape_how){ .closed = 1, .in_url = 1 });
    json_t *o = json_pack("{s:s, s:s, s:b}", "name", s->name, "in", in, "required",
                          strcmp(in, "path") == 0 || s->required);
    if (s->about != NULL) json_object_set_new(o, "description", json_string(s->about));
    json_object_del(schema, "description");
    if (s->example != NULL) json_object_set_new(o, "example", example_of(s));
    if (s->kind == KI_IS_LIST) {
        json_object_set_new(o, "style", json_string("form"));
        json_object_set_new(o, "explode", json_false());
    }
    if (s->kind == KI_IS_OPEN || s->kind == KI_IS_OBJECT || s->kind == KI_IS_MAP)
        json_object_set_new(o, "content",
                            json_pack("{s:{s:o}}", "application/json", "schema", schema));
    else
        json_object_set_new(o, "schema", schema);
    return o;
}

static json_t *parameters(const ki_route *r)
{
    json_t *list = json_array();
    for (int j = 0; r->path_shape != NULL && j < r->path_shape->n_inside; j++)
        json_array_append_new(list, parameter(&r->path_shape->inside[j], "path"));
    for (int j = 0; r->query_shape != NULL && j < r->query_shape->n_inside; j++)
        json_array_append_new(list, parameter(&r->query_shape->inside[j], "query"));
    return list;
}

static int is_demanding(const ki_shape *s)
{
    for (int j = 0; j < s->n_inside; j++)
        if (s->inside[j].required) return 1;
    return s->kind == KI_IS_LIST;
}

/* One line of lines: how JSON Schema would say more of them is not said by OpenAPI 3.1. */
static json_t *request_body(const ki_route *r, json_t *schemas)
{
    const int lines = (r->flags & KI_ROUTE_LINES) != 0;
    const ki_shape_how how = { .closed = 1, .components = schemas };
    json_t *schema = ki_shape_schema_as(r->body, &how);
    if (lines) {
        json_decref(schema);
        schema =
            json_pack("{s:s, s:s}", "type", "string", "contentMediaType", "application/x-ndjson");
    }
    json_t *media = json_pack("{s:o}", "schema", schema);
    if (r->body->example != NULL && !lines)
        json_object_set_new(media, "example", example_of(r->body));
    if (r->body->example != NULL && lines)
        json_object_set_new(media, "example", json_sprintf("%s\n", r->body->example));
    json_t *o = json_pack("{s:b, s:{s:o}}", "required", !lines && is_demanding(r->body), "content",
                          lines ? "application/x-ndjson" : "application/json", media);
    if (lines)
        json_object_set_new(o, "description",
                            json_sprintf("JSON objects, one a line, each like the schema %s",
                                         r->body->type != NULL ? r->body->type : "of one"));
    return o;
}

static const char *reply_type(const ki_route *r)
{
    const int raw = (r->flags & KI_ROUTE_RAW) != 0, stream = (r->flags & KI_ROUTE_STREAM) != 0;
    if (stream) return raw ? "application/x-ndjson" : "text/event-stream";
    return raw ? "text/plain" : "application/json";
}

static json_t *links(const ki_link *l)
{
    json_t *o = json_object();
    for (; l->id != NULL; l++)
        json_object_set_new(o, l->id,
                            json_pack("{s:s, s:{s:o}}", "operationId", l->id, "parameters",
                                      l->parameter, json_sprintf("$response.body#%s", l->pointer)));
    return o;
}

static const char *description_of(int status)
{
    return status == 201 ? "Made" : (status == 202 ? "Begun" : "Done");
}

static json_t *success(const ki_route *r, int status, json_t *schemas)
{
    json_t *o = json_pack("{s:s, s:{s:{s:s}}}", "description", description_of(status), "headers",
                          "X-Request-Id", "$ref", "#/components/headers/X-Request-Id");
    if (r->links != NULL) json_object_set_new(o, "links", links(r->links));
    if (status == 204) return o;
    json_t *media = json_object();
    if (r->reply != NULL)
        json_object_set_new(media, "schema",
                            ki_shape_schema_as(r->reply, &(ki_shape_how){ .components = schemas }));
    else
        json_object_set_new(media, "schema", json_pack("{s:s}", "type", "string"));
    if (r->reply != NULL && r->reply->example != NULL)
        json_object_set_new(media, "example", example_of(r->reply));
    json_object_set_new(o, "content", json_pack("{s:o}", reply_type(r), media));
    return o;
}

static void add_success(const ki_route *r, int status, json_t *schemas, json_t *responses)
{
    char text[12];
    snprintf(text, sizeof text, "%d", status);
    json_object_set_new(responses, text, success(r, status, schemas));
}

static json_t *responses(const ki_route *r, json_t *schemas)
{
    const int has_reply = r->reply != NULL || (r->flags & (KI_ROUTE_RAW | KI_ROUTE_STREAM)) != 0;
    const int ok = r->status > 0 ? r->status : (has_reply ? 200 : 204);
    json_t *o = json_object();
    add_success(r, ok, schemas, o);
    if (r->also > 0) add_success(r, r->also, schemas, o);
    add_failures(r, schemas, o);
    return o;
}

static json_t *operation(const ki_route_group *g, const ki_route *r, int with_keys, json_t *schemas)
{
    json_t *o = json_pack("{s:s, s:[s], s:s}", "operationId", r->id, "tags", g->tag, "summary",
                          r->summary),
           *list = parameters(r);
    if (r->detail != NULL) json_object_set_new(o, "description", json_string(r->detail));
    if (json_array_size(list) > 0) json_object_set(o, "parameters", list);
    if (r->body != NULL) json_object_set_new(o, "requestBody", request_body(r, schemas));
    json_object_set_new(o, "responses", responses(r, schemas));
    json_object_set_new(o, "x-role", json_string(ki_role_names[r->role]));
    if (!with_keys || r->role == KI_ROLE_NOBODY) json_object_set_new(o, "security", json_array());
    json_decref(list);
    return o;
}

/* ---- the whole ---- */

static void add_operation(json_t *paths, const ki_route_group *g, const ki_route *r, int with_keys,
                          json_t *schemas)
{
    char method[12];
    size_t n = 0;
    for (; r->method[n] != '\0' && n + 1 < sizeof method; n++)
        method[n] = (char)tolower(r->method[n]);
    method[n] = '\0';
    json_t *path = json_object_get(paths, r->path);
    if (path == NULL) {
        path = json_object();
        json_object_set_new(paths, r->path, path);
    }
    json_object_set_new(path, method, operation(g, r, with_keys, schemas));
}

static json_t *components(json_t *schemas)
{
    json_t *all = json_object();
    for (size_t j = 0; j < KI_COUNT(failures); j++)
        json_object_set_new(all, failures[j].name, failure_response(&failures[j]));
    return json_pack(
        "{s:o, s:o, s:{s:{s:s, s:{s:s, s:s}}, s:{s:s, s:{s:s, s:i}}}, s:{s:{s:s, s:s, s:s}, "
        "s:{s:s, s:s, s:s}}}",
        "schemas", schemas, "responses", all, "headers", "X-Request-Id", "description",
        "of the request: its own where it is sound, else a new one", "schema", "type", "string",
        "pattern", "^[0-9A-Za-z._-]{1,64}$", "Retry-After", "description",
        "seconds until it is worth another try", "schema", "type", "integer", "minimum", 0,
        "securitySchemes", "bearer", "type", "http", "scheme", "bearer", "description",
        "Authorization: Bearer KEY", "header", "type", "apiKey", "in", "header", "name",
        "X-API-Key");
}

json_t *ki_openapi(const ki_route_group *const *groups, int with_keys)
{
    json_t *tags = json_array(), *paths = json_object(), *schemas = json_object();
    json_decref(ki_shape_schema_as(&problem, &(ki_shape_how){ .components = schemas }));
    for (int g = 0; groups[g] != NULL; g++) {
        int shown = 0;
        for (int j = 0; j < groups[g]->n; j++) {
            if (groups[g]->routes[j].flags & KI_ROUTE_HIDDEN) continue;
            add_operation(paths, groups[g], &groups[g]->routes[j], with_keys, schemas);
            shown = 1;
        }
        if (shown)
            json_array_append_new(tags, json_pack("{s:s, s:s}", "name", groups[g]->tag,
                                                  "description", groups[g]->about));
    }
    json_t *o =
        json_pack("{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:o, s:o, s:o}", "openapi", "3.1.0",
                  "info", "title", "kith", "version", KITH_VERSION, "description",
                  "A recommender service: what is written is in force for the next request.",
                  "license", "name", "MIT", "identifier", "MIT", "tags", tags, "paths", paths,
                  "components", components(schemas));
    if (with_keys)
        json_object_set_new(o, "security", json_pack("[{s:[]}, {s:[]}]", "bearer", "header"));
    return o;
}
