/* SPDX-License-Identifier: MIT
 * call.h -- one call from its first byte to its reply, without a word of sockets
 *
 *      new (method, target)  ->  open (headers: route, key, rate, role, sizes)  ->  take (pieces of the body) ...
 *          ->  finish (shapes, handler)  ->  reply, told by c->reply  ->  free (metrics, log)
 *
 * As soon as something is wrong the reply is there and what is left of the call is passed over.  The
 * transport (http.c) and the fuzzer drive calls by these five functions.  One thread at a time.
 */
#ifndef KI_CALL_H
#define KI_CALL_H

#include "serve/clock.h"
#include "serve/keys.h"
#include "serve/limits.h"
#include "serve/meter.h"
#include "serve/router.h"
#include "tool/findings.h"
#include "tool/text.h"

/* What the transport and the service know and calls tell; any may be NULL. */
typedef struct ki_hooks {
    void *server;
    kith_err (*ready)(void *server);               /* the sentence says why not */
    void (*gauges)(void *server, ki_text *out);    /* metrics that others count, as exposition */
    void (*debug)(void *server, json_t *into);     /* connections, queues, memory, ... */
    void (*audit)(void *server, const ki_call *c); /* a call that changed something is over */
} ki_hooks;

typedef struct ki_site { /* what all calls share; owned by the server */
    ki_service *service;
    const ki_router *router;
    const ki_limits *limits;
    ki_keys *keys; /* NULL: no key is asked for, everybody is an administrator */
    ki_meter *meter;
    char *openapi_text;
    size_t n_openapi;
    int64_t started;           /* seconds since 1970 */
    unsigned char log_key[16]; /* of this process: hashes of paths in the log */
    kith_event_fn event;
    void *udata;
    ki_hooks hooks;
} ki_site;

/* The headers that mean something here; NULL: not sent. */
typedef struct ki_heads {
    const char *authorization, *api_key, *content_type, *content_length, *transfer_encoding,
        *request_id, *origin, *if_none_match, *host, *accept_language,
        *request_method; /* the last: Access-Control-Request-Method */
    const char *twice;   /* name of one that came twice and must not; NULL: none */
    size_t bytes;        /* of all, with the request line */
    const char *peer;    /* address of the client */
} ki_heads;

/* Remember one header.  The value must live until the call ends. */
void ki_heads_add(ki_heads *h, const char *name, const char *value);

enum { KI_REPLY_HEADERS = 10, KI_CALL_ID = 65 };

typedef struct ki_reply {
    int status; /* 0: there is none yet */
    const char *type;
    const char *bytes;
    char *owned; /* by ki_free; bytes when they are the reply's own */
    size_t n;
    int n_headers;
    struct {
        const char *name; /* literal */
        char *value;
    } headers[KI_REPLY_HEADERS];
    ki_stream_fn next; /* of a stream */
    void (*end)(void *udata);
    void *udata;
} ki_reply;

struct ki_call {
    ki_site *site;
    unsigned method;
    char method_name[12];
    ki_uri uri;
    const ki_entry *entry; /* NULL: no route */
    ki_heads heads;
    char id[KI_CALL_ID];
    ki_key *key; /* NULL: none */
    ki_caller caller;

    ki_text body; /* what has come of it; of lines: the one not yet ended */
    int64_t n_body, n_lines;
    int line_too_long;

    json_t *path, *query, *json; /* values */
    json_t *spelled;             /* ids that were numbers, as text, kept for ki_call_text */
    ki_findings in_parameters, in_body;
    int had_refusal; /* ki_call_refuse was called: */
    int refusal;     /* with this status */

    void *held; /* the handler's own */
    void (*let_go)(void *held);

    ki_reply reply;
    int64_t began, opened, came, checked,
        ran; /* nanoseconds of the clock that never goes back; 0: not reached */
};

kith_err ki_call_new(ki_site *site, const char *method, const char *target, ki_call **out);
void ki_call_open(ki_call *c, const ki_heads *heads);
void ki_call_take(ki_call *c, const char *bytes, size_t n);
void ki_call_finish(ki_call *c);
void ki_call_free(ki_call *c); /* accepts NULL */

/* Must the rest run beside the threads that talk to clients, because it may wait? */
int ki_call_waits(const ki_call *c);

/* params.c: the values of path and query, and the body, held against the schemas of the route. */
kith_err ki_call_check_parameters(ki_call *c);
kith_err ki_call_check_body(ki_call *c);

/* problem.c: make the reply of a failure.  `status` 0: what `err` says.  The sentence is kith_last_error. */
void ki_call_problem(ki_call *c, int status, kith_err err);

/* reply.c */
void ki_reply_clear(ki_reply *r);

/* accesslog.c: one line about a call that is over. */
void ki_call_log(const ki_call *c, int64_t now);

#endif
