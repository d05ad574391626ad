/* SPDX-License-Identifier: MIT
 * call.c -- the life of a call
 */
#include "serve/call.h"

#include "base/scan.h"
#include "serve/hosts.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* ---- headers ---- */

static const struct known_head {
    const char *name;
    size_t offset;
    int once;
} known_heads[] = {
    { "Authorization", offsetof(ki_heads, authorization), 1 },
    { "X-API-Key", offsetof(ki_heads, api_key), 1 },
    { "Content-Type", offsetof(ki_heads, content_type), 1 },
    { "Content-Length", offsetof(ki_heads, content_length), 1 },
    { "Transfer-Encoding", offsetof(ki_heads, transfer_encoding), 1 },
    { "X-Request-Id", offsetof(ki_heads, request_id), 0 },
    { "Origin", offsetof(ki_heads, origin), 1 },
    { "If-None-Match", offsetof(ki_heads, if_none_match), 0 },
    { "Host", offsetof(ki_heads, host), 1 },
    { "Accept-Language", offsetof(ki_heads, accept_language), 0 },
    { "Access-Control-Request-Method", offsetof(ki_heads, request_method), 0 },
};

void ki_heads_add(ki_heads *h, const char *name, const char *value)
{
    for (size_t j = 0; j < KI_COUNT(known_heads); j++) {
        const struct known_head *k = &known_heads[j];
        if (((name[0] ^ k->name[0]) & ~32) != 0 || strcasecmp(name, k->name) != 0) continue;
        const char **at = (const char **)((char *)h + k->offset);
        if (*at != NULL && k->once) h->twice = k->name;
        *at = value != NULL ? value : "";
        return;
    }
}

/* ---- the id ---- */

static int is_sound(const char *s)
{
    size_t n = 0;
    for (; s[n] != '\0'; n++) {
        const char c = s[n];
        const int fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                         (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
        if (!fine || n >= KI_CALL_ID - 1) return 0;
    }
    return n > 0;
}

/* Different for every call: a random start per thread, and steps of an odd number. */
static void make_id(char *out)
{
    static _Thread_local uint64_t next;
    if (next == 0) randombytes_buf(&next, sizeof next);
    next += 0x9e3779b97f4a7c15u;
    for (int j = 0; j < 16; j++) out[j] = "0123456789abcdef"[next >> (60 - 4 * j) & 15];
    out[16] = '\0';
}

/* ---- new ---- */

kith_err ki_call_new(ki_site *site, const char *method, const char *target, ki_call **out)
{
    ki_call *c = NULL;
    kith_err err = ki_alloc(&c, 1, sizeof *c);
    if (err != KITH_OK) return err;
    c->site = site;
    c->began = ki_clock_ns();
    c->method = ki_method_of(method);
    strncat(c->method_name, method, sizeof c->method_name - 1);
    c->caller = (ki_caller){ .role = KI_ROLE_NOBODY, .key_id = "" };
    make_id(c->id);
    ki_meter_begin(site->meter);
    if (strlen(target) > (size_t)site->limits->target_bytes) {
        c->uri.path = "";
        ki_call_problem(c, 414,
                        ki_fail(KITH_EINVAL,
                                "the request target has %zu bytes, at most %lld are taken",
                                strlen(target), (long long)site->limits->target_bytes));
    } else if ((err = ki_uri_parse(target, &c->uri)) == KITH_ENOTFOUND)
        ki_call_problem(c, 404, err);
    else if (err != KITH_OK)
        ki_call_problem(c, err == KITH_EINVAL ? 400 : 0, err);
    *out = c;
    return KITH_OK;
}

/* ---- open: all that headers decide ---- */

static int is_alike(const char *type, const char *want)
{
    const size_t n = strlen(want);
    return strncasecmp(type, want, n) == 0 && (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static int is_lines(const ki_call *c)
{
    return c->entry != NULL && (c->entry->route->flags & KI_ROUTE_LINES) != 0;
}

/* Where no body is taken, one that says nothing is no harm: many clients send {} with every POST. */
enum { SAYS_NOTHING = 16 }; /* bytes: {} and blanks */

static int64_t most_bytes(const ki_call *c)
{
    if (is_lines(c)) return c->site->limits->import_bytes;
    return c->entry->route->body != NULL ? c->site->limits->body_bytes : SAYS_NOTHING;
}

static kith_err check_heads(ki_call *c)
{
    const ki_heads *h = &c->heads;
    if (h->twice != NULL)
        return ki_call_refuse(c, 400, KITH_EINVAL, "the header %s came twice", h->twice);
    if (h->content_length != NULL && h->transfer_encoding != NULL)
        return ki_call_refuse(c, 400, KITH_EINVAL,
                              "Content-Length and Transfer-Encoding exclude each other");
    if (h->bytes > (size_t)c->site->limits->header_bytes)
        return ki_call_refuse(c, 431, KITH_EINVAL,
                              "the headers have %zu bytes, at most %lld are taken", h->bytes,
                              (long long)c->site->limits->header_bytes);
    return KITH_OK;
}

static kith_err check_type(ki_call *c)
{
    static const char *const of_lines[] = { "application/x-ndjson", "application/ndjson",
                                            "application/jsonl",    "application/json-lines",
                                            "application/json",     "text/plain" };
    const char *type = c->heads.content_type;
    if (type == NULL || c->entry->route->body == NULL) return KITH_OK;
    if (!is_lines(c)) {
        if (is_alike(type, "application/json")) return KITH_OK;
        return ki_call_refuse(c, 415, KITH_EINVAL,
                              "the body is of another type, want application/json");
    }
    for (size_t j = 0; j < KI_COUNT(of_lines); j++)
        if (is_alike(type, of_lines[j])) return KITH_OK;
    return ki_call_refuse(c, 415, KITH_EINVAL,
                          "the body is of another type, want application/x-ndjson");
}

static kith_err refuse_body(ki_call *c)
{
    return ki_call_refuse(c, 400, KITH_EINVAL, "%s takes no body: send none, or {}",
                          c->entry->route->id);
}

static kith_err too_large(ki_call *c, int64_t most)
{
    if (c->entry->route->body == NULL) return refuse_body(c);
    return ki_call_refuse(c, 413, KITH_EINVAL, "the body has more than %lld bytes",
                          (long long)most);
}

static kith_err check_length(ki_call *c)
{
    int64_t n = 0;
    const char *text = c->heads.content_length;
    const int64_t most = most_bytes(c);
    if (text == NULL) return KITH_OK;
    if (!ki_scan_int(text, strlen(text), &n) || n < 0 || text[0] == '+')
        return ki_call_refuse(c, 400, KITH_EINVAL, "Content-Length is no number of bytes");
    return n > most ? too_large(c, most) : KITH_OK;
}

/* A browser asks before it calls from another origin. */
static const char *origin_allowed(const ki_call *c)
{
    const json_t *origins = c->site->limits->origins;
    for (size_t j = 0; c->heads.origin != NULL && j < json_array_size(origins); j++) {
        const char *one = json_string_value(json_array_get(origins, j));
        if (strcmp(one, "*") == 0 || strcmp(one, c->heads.origin) == 0) return one;
    }
    return NULL;
}

/* Without keys, or when names are given, a request must have been meant for us: a name that somebody else has made to
 * point here (DNS rebinding) is refused.  Health and documentation answer by any name. */
static kith_err check_host(ki_call *c)
{
    const json_t *names = c->site->limits->hosts;
    if ((c->site->keys != NULL && names == NULL) || c->heads.host == NULL) return KITH_OK;
    if (c->entry->route->role == KI_ROLE_NOBODY) return KITH_OK;
    if (ki_host_is_ours(c->heads.host, names)) return KITH_OK;
    return ki_call_refuse(
        c, 403, KITH_EINVAL,
        "the request is for a host that is not this service; list its name in the "
        "setting hosts");
}

/* Without keys whoever reaches the port may do all, and a browser on this machine reaches it for any page that it
 * shows: a plain POST needs no leave of ours.  It says where the page is from. */
static kith_err check_origin(ki_call *c)
{
    const char *origin = c->heads.origin, *host = c->heads.host;
    if (c->site->keys != NULL || origin == NULL || origin_allowed(c) != NULL) return KITH_OK;
    if (c->entry->route->role == KI_ROLE_NOBODY) return KITH_OK;
    const char *from = strstr(origin, "://");
    if (from != NULL && host != NULL && strcasecmp(from + 3, host) == 0) return KITH_OK;
    return ki_call_refuse(c, 403, KITH_EINVAL,
                          "a page of another origin may not call a service without keys; "
                          "list its origin in the setting cors");
}

static void add_cors(ki_call *c)
{
    const char *origin = origin_allowed(c);
    if (json_array_size(c->site->limits->origins) > 0) ki_reply_header(c, "Vary", "Origin");
    if (origin == NULL) return;
    ki_reply_header(c, "Access-Control-Allow-Origin", origin);
    ki_reply_header(c, "Access-Control-Expose-Headers", "X-Request-Id, Retry-After");
    if (c->method != KI_OPTIONS || c->heads.request_method == NULL) return;
    ki_reply_header(c, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
    ki_reply_header(c, "Access-Control-Allow-Headers",
                    "Authorization, Content-Type, X-API-Key, X-Request-Id");
    ki_reply_header(c, "Access-Control-Max-Age", "600");
}

static void allow(ki_call *c, unsigned methods)
{
    char list[KI_ALLOW_ROOM];
    ki_method_print(methods, list);
    ki_reply_header(c, "Allow", list);
}

/* No route of this method here: which are there, and what is near. */
static kith_err no_route(ki_call *c, unsigned allowed)
{
    char shown[KI_SHOW];
    if (allowed != 0) {
        allow(c, allowed);
        if (c->method == KI_OPTIONS) {
            c->reply.status = 204;
            return KITH_OK;
        }
        return ki_call_refuse(c, 405, KITH_EINVAL, "%s is not a method of this path",
                              c->method_name);
    }
    const char *near = ki_router_near(c->site->router, &c->uri);
    return ki_call_refuse(c, 404, KITH_ENOTFOUND, "there is no %s%s%s",
                          ki_show(shown, c->uri.path, strlen(c->uri.path)),
                          near != NULL ? "; did you mean " : "", near != NULL ? near : "");
}

static kith_err find_route(ki_call *c)
{
    unsigned allowed = 0;
    c->entry = ki_router_find(c->site->router, c->method, &c->uri, &allowed);
    return c->entry == NULL ? no_route(c, allowed) : KITH_OK;
}

static kith_err open_call(ki_call *c)
{
    kith_err err;
    if ((err = check_heads(c)) != KITH_OK) return err;
    if ((err = find_route(c)) != KITH_OK || c->entry == NULL) return err;
    if ((err = check_host(c)) != KITH_OK) return err;
    if ((err = check_origin(c)) != KITH_OK) return err;
    if ((err = ki_call_admit(c)) != KITH_OK) return err;
    if ((err = check_type(c)) != KITH_OK) return err;
    return check_length(c);
}

void ki_call_open(ki_call *c, const ki_heads *heads)
{
    c->heads = *heads;
    if (c->heads.request_id != NULL && is_sound(c->heads.request_id))
        snprintf(c->id, sizeof c->id, "%s", c->heads.request_id);
    add_cors(c);
    if (c->reply.status == 0) {
        const kith_err err = open_call(c);
        if (err != KITH_OK) ki_call_problem(c, 0, err);
    }
    c->opened = ki_clock_ns();
}

/* ---- the body ---- */

static void hand_over_line(ki_call *c)
{
    size_t n = c->body.n;
    c->n_lines++;
    if (n > 0 && c->body.at[n - 1] == '\r') n--;
    if (n > 0) {
        c->body.at[n] = '\0';
        const kith_err err = c->entry->route->take_line(c, c->body.at, n, c->n_lines);
        if (err != KITH_OK) ki_call_problem(c, 0, err);
    }
    c->body.n = 0;
}

static void take_lines(ki_call *c, const char *bytes, size_t n)
{
    const char *end = bytes + n;
    while (bytes < end && c->reply.status == 0) {
        const char *stop = memchr(bytes, '\n', (size_t)(end - bytes));
        const size_t part = (size_t)((stop != NULL ? stop : end) - bytes);
        if (c->body.n + part > (size_t)c->site->limits->line_bytes) {
            ki_call_problem(c, 413,
                            ki_fail(KITH_EINVAL, "line %lld has more than %lld bytes",
                                    (long long)c->n_lines + 1,
                                    (long long)c->site->limits->line_bytes));
            return;
        }
        ki_text_add(&c->body, bytes, part);
        if (c->body.err != KITH_OK) {
            ki_call_problem(c, 0, c->body.err);
            return;
        }
        if (stop == NULL) return;
        hand_over_line(c);
        bytes = stop + 1;
    }
}

void ki_call_take(ki_call *c, const char *bytes, size_t n)
{
    if (c->reply.status != 0) return; /* already decided: the rest is passed over */
    c->n_body += (int64_t)n;
    if (c->n_body > most_bytes(c)) {
        ki_call_problem(c, 0, too_large(c, most_bytes(c)));
        return;
    }
    if (is_lines(c)) {
        take_lines(c, bytes, n);
        return;
    }
    ki_text_add(&c->body, bytes, n);
    if (c->body.err != KITH_OK) ki_call_problem(c, 0, c->body.err);
}

/* ---- finish ---- */

/* The body is not read yet: the name in quotes anywhere is enough, and does no harm where it is something else; so is
 * \u, behind which a letter of the name may be (quotes within a filter come as \", and are quick). */
static int has_slow_member(const ki_call *c)
{
    char quoted[64];
    const char *name = c->entry->route->slow_with;
    if (name == NULL) return 0;
    if (json_object_get(c->query, name) != NULL) return 1;
    if (c->body.n == 0) return 0;
    const int n = snprintf(quoted, sizeof quoted, "\"%s\"", name);
    return memmem(c->body.at, c->body.n, "\\u", 2) != NULL ||
           memmem(c->body.at, c->body.n, quoted, (size_t)n) != NULL;
}

int ki_call_waits(const ki_call *c)
{
    if (c->entry == NULL || c->reply.status != 0) return 0;
    const unsigned flags = c->entry->route->flags;
    if (has_slow_member(c)) return 1;
    if (flags & KI_ROUTE_QUICK) return 0;
    return (flags & (KI_ROUTE_SLOW | KI_ROUTE_LINES)) != 0 ||
           strcmp(c->entry->route->method, "GET") != 0;
}

static kith_err check_nothing_said(ki_call *c)
{
    const char *at = c->body.at;
    const size_t n = c->body.n;
    size_t j = 0;
    for (size_t k = 0; k < n; k++) {
        if (strchr(" \t\r\n", at[k]) != NULL && at[k] != '\0') continue;
        if (j > 1 || at[k] != "{}"[j++]) return refuse_body(c);
    }
    return j == 1 ? refuse_body(c) : KITH_OK;
}

/* A key that speaks for one user is of no use for others. */
static kith_err check_user(ki_call *c)
{
    const char *user = c->caller.user;
    if (c->caller.role != KI_ROLE_PUBLIC || user == NULL) return KITH_OK;
    const char *asked = ki_call_text(c, "user_id");
    if (asked == NULL || strcmp(asked, user) == 0) return KITH_OK;
    return ki_call_refuse(c, 403, KITH_EINVAL, "this key speaks for another user");
}

static kith_err run(ki_call *c)
{
    kith_err err = KITH_OK;
    if (is_lines(c)) {
        if (c->body.n > 0) hand_over_line(c);
        if (c->reply.status != 0) return KITH_OK;
        ki_findings_clear(&c->in_body); /* those of the last wrong line were told with it */
    }
    if (c->entry->route->body == NULL && (err = check_nothing_said(c)) != KITH_OK) return err;
    if ((err = ki_call_check_parameters(c)) != KITH_OK) return err;
    if (!is_lines(c) && (err = ki_call_check_body(c)) != KITH_OK) return err;
    if ((err = check_user(c)) != KITH_OK) return err;
    c->checked = ki_clock_ns();
    return c->entry->route->run(c);
}

void ki_call_finish(ki_call *c)
{
    c->came = ki_clock_ns();
    if (c->reply.status == 0) {
        const kith_err err = run(c);
        if (err != KITH_OK)
            ki_call_problem(c, 0, err);
        else if (c->reply.status == 0)
            c->reply.status = c->entry->route->status > 0 ? c->entry->route->status : 204;
    }
    c->ran = ki_clock_ns();
    if (c->entry != NULL && c->site->hooks.audit != NULL)
        c->site->hooks.audit(c->site->hooks.server, c);
}

/* ---- free ---- */

static void measure(const ki_call *c, int64_t now)
{
    ki_meter *m = c->site->meter;
    if (c->opened > 0 && c->came > 0) ki_meter_stage(m, KI_STAGE_READ, c->came - c->opened);
    if (c->checked > 0) {
        ki_meter_stage(m, KI_STAGE_CHECK, c->checked - c->came);
        ki_meter_stage(m, KI_STAGE_RUN, c->ran - c->checked);
        ki_meter_stage(m, KI_STAGE_SEND, now - c->ran);
    }
    ki_meter_end(m, c->entry != NULL ? c->entry->number : -1, c->reply.status, now - c->began,
                 c->n_body, (int64_t)c->reply.n);
}

void ki_call_free(ki_call *c)
{
    if (c == NULL) return;
    const int64_t now = ki_clock_ns();
    measure(c, now);
    ki_call_log(c, now);
    if (c->let_go != NULL) c->let_go(c->held);
    ki_reply_clear(&c->reply);
    ki_text_clear(&c->body);
    ki_findings_clear(&c->in_parameters);
    ki_findings_clear(&c->in_body);
    json_decref(c->path);
    json_decref(c->query);
    json_decref(c->json);
    json_decref(c->spelled);
    ki_uri_clear(&c->uri);
    ki_free(c);
}

/* ---- what handlers see ---- */

ki_service *ki_call_service(const ki_call *c)
{
    return c->site->service;
}

const ki_caller *ki_call_caller(const ki_call *c)
{
    return &c->caller;
}

const char *ki_call_id(const ki_call *c)
{
    return c->id;
}

int64_t ki_call_began(const ki_call *c)
{
    return c->began;
}

void ki_call_hold(ki_call *c, void *held, void (*let_go)(void *held))
{
    if (c->let_go != NULL) c->let_go(c->held);
    c->held = held;
    c->let_go = let_go;
}

void *ki_call_held(const ki_call *c)
{
    return c->held;
}

kith_err ki_call_refuse(ki_call *c, int status, kith_err err, const char *format, ...)
{
    char text[KI_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    c->had_refusal = 1;
    c->refusal = status;
    return ki_fail(err, "%s", text);
}
