/* SPDX-License-Identifier: MIT
 * route.h -- one table says what the service answers: dispatch, checks, OpenAPI, help and metrics come from it
 *
 * A route is a method, a path with {names}, the role that it wants, the shapes of its parameters, body and
 * replies (tool/shape.h, the same tables that the tool contract is made of), and a handler.  By the time that
 * the handler is called everything that the table says has been checked: role, rate, sizes, types, ranges; all
 * violations at once, each with its JSON pointer, as 422.  A handler reads values, calls the service, fills in
 * a reply or returns a failure, which becomes problem details (RFC 9457) with the named errors of the contract.
 *
 *      socket --http.c--> call --router--> key, rate --> shapes --> handler --> reply --http.c--> socket
 *
 * A GET is run by the thread that talks to the client, and must not wait; other methods are run by threads that may (QUICK
 * and SLOW say otherwise, and a quick one is run by those when it is asked with what takes long: slow_with).
 *
 * Tables lie beside their handlers (routes_events.c, routes_ask.c, ...), each file ending in one
 * `const ki_route_group`; routes.c lists the groups.  Nothing else learns of a route.
 */
#ifndef KI_ROUTE_H
#define KI_ROUTE_H

#include "tool/shape.h"

typedef struct ki_service ki_service; /* service.h: what handlers call */
typedef struct ki_call ki_call;

typedef enum ki_key_role {                 /* each may do what those before it may */
                           KI_ROLE_NOBODY, /* no key: health, documentation */
                           KI_ROLE_PUBLIC, /* recommend for, and events of, the one user that the key names (or the request, see keys) */
                           KI_ROLE_READ,
                           KI_ROLE_WRITE,
                           KI_ROLE_ADMIN,
} ki_key_role;

enum ki_route_flags {
    KI_ROUTE_LINES =
        1, /* the body is NDJSON, handed over line by line (take_line), never held as a whole */
    KI_ROUTE_STREAM = 2, /* the reply is a stream of server-sent events; with RAW, of NDJSON */
    KI_ROUTE_RAW = 4,    /* the reply is no JSON (a page, metrics text) */
    KI_ROUTE_HIDDEN = 8, /* not in the OpenAPI document (pages) */
    KI_ROUTE_QUICK = 16, /* never waits for the disk or for long work, though it is no GET */
    KI_ROUTE_SLOW = 32,  /* may wait, though it is a GET */
    /* what it may answer, for the document: */
    KI_ROUTE_CONFLICTS = 64, /* 409: it does not go with what is there */
    KI_ROUTE_LOOKS_UP = 128, /* 404 also for what query or body name */
};

/* A reply leads to another call: its parameter is to be found at this JSON pointer of the reply. */
typedef struct ki_link {
    const char *id, *parameter, *pointer; /* "page_of_list", "rec_id", "/rec_id" */
} ki_link;

typedef struct ki_route {
    const char *method, *path; /* "POST", "/v1/users/{user_id}/events" */
    const char *id;            /* operationId: "add_event" */
    const char *summary, *detail;
    ki_key_role role;
    unsigned flags;
    const ki_shape *path_shape,
        *query_shape;      /* OBJECTs whose members are the parameters; NULL: none */
    const ki_shape *body;  /* NULL: no body */
    const ki_shape *reply; /* of 200/201/202; NULL: 204, or what flags say */
    int status;            /* of success; 0: 200 with a reply, 204 without */
    int also;              /* another one with the same reply: 201 for what is made anew; 0: none */
    const ki_link *links;  /* ends with one without id; NULL: none */
    const char *
        slow_with; /* member of body or query with which a GET or QUICK route is quick no more; NULL: none */
    const ki_shape
        *refusal; /* 422 may come like this too, as JSON; NULL: as problem details alone */
    kith_err (*run)(ki_call *c);
    kith_err (*take_line)(ki_call *c, const char *line, size_t n,
                          int64_t number); /* KI_ROUTE_LINES */
} ki_route;

typedef struct ki_route_group {
    const char *tag, *about; /* "events", "what people did" */
    const ki_route *routes;
    int n;
} ki_route_group;

extern const ki_route_group *const ki_route_groups[]; /* routes.c; ends with NULL */

/* ---- the call, as a handler sees it ---- */

/* Who asks: filled in from the key. */
typedef struct ki_caller {
    ki_key_role role;
    const char *key_id; /* "" without a key */
    const char *
        user; /* of a PUBLIC key: the one user that it speaks for; NULL: any that the request names */
} ki_caller;

ki_service *ki_call_service(const ki_call *c);
const ki_caller *ki_call_caller(const ki_call *c);
const char *
ki_call_id(const ki_call *c); /* request id: from X-Request-Id when it is sound, else made */

int64_t ki_call_began(const ki_call *c); /* ki_clock_ns of its first byte */

/* Values that have been checked; a parameter or member that is absent has the default of its shape.  Path
 * before query; strings live as long as the call; NULL, NaN, NULL where there is neither value nor default. */
const char *ki_call_text(const ki_call *c, const char *name);
double ki_call_number(const ki_call *c, const char *name);
int ki_call_flag(const ki_call *c, const char *name);
const json_t *ki_call_value(const ki_call *c,
                            const char *name); /* as JSON: lists, objects; NULL: none */
/* Of those in which sentences are written the one that Accept-Language likes best; NULL: it names none of them.  The
 * reply says that it depends on that (Vary). */
const char *ki_call_language(ki_call *c);
const json_t *ki_call_body(const ki_call *c); /* the whole, borrowed; NULL: none */
const json_t *ki_call_member(const ki_call *c,
                             const char *name); /* of the body, NULL when absent */

/* Of a body of lines: one line parsed and held against the body's shape.  The value is the caller's; what is wrong is
 * told as /LINE/member. */
kith_err ki_call_read_line(ki_call *c, const char *line, size_t n, int64_t number, json_t **out);

/* What a handler keeps from line to line: let_go is called when the call ends (or holds another). */
void ki_call_hold(ki_call *c, void *held, void (*let_go)(void *held));
void *ki_call_held(const ki_call *c); /* NULL: nothing */

/* Replies.  One of them, once.  Taking functions take their reference or memory, on failure too. */
kith_err ki_reply_json(ki_call *c, json_t *taken);
kith_err ki_reply_text(ki_call *c, char *taken_by_ki_free, size_t n, const char *content_type);
kith_err ki_reply_static(ki_call *c, const char *bytes, size_t n, const char *content_type,
                         const char *etag);
void ki_reply_status(ki_call *c, int status); /* another status of success: 201 in place of 200 */
kith_err ki_reply_header(ki_call *c, const char *name, const char *value);

/* A failure that HTTP knows by another number than its kith_err says (404 KITH_ENOTFOUND, 422 KITH_EINVAL, 409,
 * 503 ...); returns err, for `return ki_call_refuse(c, 409, KITH_EINVAL, "...")`. */
kith_err ki_call_refuse(ki_call *c, int status, kith_err err, const char *format, ...)
    KI_PRINTF(4, 5);

/* Streams (KI_ROUTE_STREAM): next() is asked again and again.  *text, for ki_free, is the data of one event (framed
 * here; as it is in a RAW stream); NULL: nothing new, asked again within a quarter of a second.  KITH_ECANCELED
 * ends the stream, as any failure does.  Called by a thread that talks to clients: it must not wait. */
typedef kith_err (*ki_stream_fn)(void *udata, char **text);
kith_err ki_reply_stream(ki_call *c, ki_stream_fn next, void (*end)(void *udata), void *udata);

#endif
