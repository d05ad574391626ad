/* SPDX-License-Identifier: MIT
 * reply.c -- what a handler answers
 */
#include "serve/call.h"

#include <string.h>

static int default_status(const ki_call *c)
{
    if (c->entry != NULL && c->entry->route->status > 0) return c->entry->route->status;
    return 200;
}

static kith_err begin(ki_call *c, const char *type)
{
    if (c->reply.type != NULL) return ki_fail(KITH_EINVAL, "a call is answered once");
    if (c->reply.status == 0) c->reply.status = default_status(c);
    c->reply.type = type;
    return KITH_OK;
}

kith_err ki_reply_text(ki_call *c, char *taken, size_t n, const char *content_type)
{
    const kith_err err = begin(c, content_type);
    if (err != KITH_OK) {
        ki_free(taken);
        return err;
    }
    c->reply.owned = taken;
    c->reply.bytes = taken;
    c->reply.n = n;
    return KITH_OK;
}

static int append(const char *bytes, size_t n, void *arg)
{
    ki_text *t = arg;
    ki_text_add(t, bytes, n);
    return t->err == KITH_OK ? 0 : -1;
}

kith_err ki_reply_json(ki_call *c, json_t *taken)
{
    ki_text t = { 0 };
    const int failed = taken == NULL || json_dump_callback(taken, append, &t,
                                                           JSON_COMPACT | JSON_ENCODE_ANY |
                                                               JSON_REAL_PRECISION(15)) != 0;
    json_decref(taken);
    if (failed) {
        ki_text_clear(&t);
        return ki_fail_memory(t.n);
    }
    return ki_reply_text(c, t.at, t.n, "application/json");
}

/* Does If-None-Match name this tag?  Tags are quoted, and none is part of another. */
static int has_tag(const char *list, const char *etag)
{
    return list != NULL && (strcmp(list, "*") == 0 || strstr(list, etag) != NULL);
}

kith_err ki_reply_static(ki_call *c, const char *bytes, size_t n, const char *content_type,
                         const char *etag)
{
    kith_err err = begin(c, content_type);
    if (err != KITH_OK) return err;
    if (etag != NULL) {
        if ((err = ki_reply_header(c, "ETag", etag)) != KITH_OK) return err;
        if (has_tag(c->heads.if_none_match, etag)) {
            c->reply.status = 304;
            return KITH_OK;
        }
    }
    c->reply.bytes = bytes;
    c->reply.n = n;
    return KITH_OK;
}

void ki_reply_status(ki_call *c, int status)
{
    c->reply.status = status;
}

kith_err ki_reply_header(ki_call *c, const char *name, const char *value)
{
    ki_reply *r = &c->reply;
    if (strpbrk(value, "\r\n") != NULL)
        return ki_fail(KITH_EINVAL, "a value of %s has a line break", name);
    if (r->n_headers == KI_REPLY_HEADERS)
        return ki_fail(KITH_EINVAL, "more than %d headers", KI_REPLY_HEADERS);
    const kith_err err = ki_strdup(&r->headers[r->n_headers].value, value);
    if (err == KITH_OK) r->headers[r->n_headers++].name = name;
    return err;
}

kith_err ki_reply_stream(ki_call *c, ki_stream_fn next, void (*end)(void *udata), void *udata)
{
    const int raw = (c->entry->route->flags & KI_ROUTE_RAW) != 0;
    const kith_err err = begin(c, raw ? "application/x-ndjson" : "text/event-stream");
    if (err != KITH_OK) {
        if (end != NULL) end(udata);
        return err;
    }
    c->reply.next = next;
    c->reply.end = end;
    c->reply.udata = udata;
    return KITH_OK;
}

void ki_reply_clear(ki_reply *r)
{
    if (r->end != NULL) r->end(r->udata);
    for (int j = 0; j < r->n_headers; j++) ki_free(r->headers[j].value);
    ki_free(r->owned);
    *r = (ki_reply){ 0 };
}
