/* SPDX-License-Identifier: MIT
 * elastic.c -- who is asked, by whom, and what a refusal says
 */
#include "base/elastic.h"

#include "base/mem.h"
#include "base/scan.h" /* ki_utf8_mend */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_ROOM = 1024, INDEX_ROOM = 256, ANSWER_MS = 120000 };
static const char scheme[] = "elasticsearch:";
static const size_t most_bytes = (size_t)256
                                 << 20; /* of a page: 256 KiB for each of its documents */

struct ki_elastic {
    ki_http *http;
    int status; /* of the last answer */
    char name[INDEX_ROOM + sizeof scheme];
    char index[3 * INDEX_ROOM]; /* as it stands in a URL */
    char server[URL_ROOM];      /* without user, password, and a slash at its end */
    char asked[URL_ROOM];       /* the same with user and password, where the URL has them */
};

int ki_elastic_is_name(const char *name)
{
    return strncmp(name, scheme, sizeof scheme - 1) == 0;
}

const char *ki_elastic_name(const ki_elastic *e)
{
    return e->name;
}

const char *ki_elastic_server(const ki_elastic *e)
{
    return e->server;
}

int ki_elastic_status(const ki_elastic *e)
{
    return e->status;
}

void ki_elastic_make_plain(char *text)
{
    ki_utf8_mend(text);
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f) *text = ' ';
}

kith_err ki_elastic_fail(const ki_elastic *e, kith_err err, const char *why)
{
    char plain[601];
    snprintf(plain, sizeof plain, "%s", why);
    ki_elastic_make_plain(plain);
    return ki_fail(err, "%s at %.300s: %s", e->name, e->server, plain);
}

/* ---- the environment ---- */

static const char *named(const char *variable)
{
    const char *value = getenv(variable);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static kith_err take_url(ki_elastic *e, const char *url)
{
    const size_t start = strncmp(url, "https://", 8) == 0  ? 8
                         : strncmp(url, "http://", 7) == 0 ? 7
                                                           : 0;
    size_t n = strlen(url);
    while (n > start && url[n - 1] == '/') n--;
    if (start == 0 || n <= start || n >= URL_ROOM || strcspn(url, "?#") < n)
        return ki_fail(
            KITH_EINVAL,
            "%s: ELASTICSEARCH_URL is no http(s)://[user:password@]host[:port] of at most %d bytes",
            e->name, URL_ROOM - 1);
    const char *host = url + start, *at = memrchr(host, '@', strcspn(host, "/"));
    if (strchr(host + strcspn(host, "/"), '@') !=
        NULL) /* of a password with a slash in it: not to be told */
        return ki_fail(KITH_EINVAL,
                       "%s: ELASTICSEARCH_URL has an @ behind a slash: in a password / is written "
                       "%%2F, and @ %%40",
                       e->name);
    if (at != NULL) host = at + 1;
    snprintf(e->asked, URL_ROOM, "%.*s", (int)n, url);
    snprintf(e->server, URL_ROOM, "%.*s%.*s", (int)start, url, (int)(n - (size_t)(host - url)),
             host);
    return KITH_OK;
}

/* A key, or a name and password, are taken before what the URL says. */
static kith_err begin_asking(ki_elastic *e)
{
    char authorization[4096];
    const char *key = named("ELASTICSEARCH_API_KEY"), *user = named("ELASTICSEARCH_USERNAME");
    ki_http_options o = { .whole_ms = ANSWER_MS,
                          .most_bytes = most_bytes,
                          .ca_file = named("ELASTICSEARCH_CA_CERT") };
    if (key != NULL) {
        if (snprintf(authorization, sizeof authorization, "ApiKey %s", key) >=
            (int)sizeof authorization)
            return ki_fail(KITH_EINVAL, "%s: ELASTICSEARCH_API_KEY is too long", e->name);
        o.authorization = authorization;
    } else if (user != NULL) {
        o.user = user;
        o.password = named("ELASTICSEARCH_PASSWORD");
    }
    if (key != NULL || user != NULL) memcpy(e->asked, e->server, URL_ROOM);
    return ki_http_new(&o, &e->http);
}

static kith_err begin(ki_elastic *e, const char *name)
{
    const char *index = name + sizeof scheme - 1, *url = named("ELASTICSEARCH_URL");
    const size_t n = strlen(index);
    if (n == 0 || n >= INDEX_ROOM || strcmp(index, ".") == 0 || strcmp(index, "..") == 0)
        return ki_fail(KITH_EINVAL, "%.300s: after elasticsearch: stands the name of an index",
                       name);
    memcpy(e->name, name, strlen(name) + 1);
    ki_http_escape(index, e->index, sizeof e->index);
    if (url == NULL)
        return ki_fail(KITH_EINVAL,
                       "%s: the environment variable ELASTICSEARCH_URL names no server: set it to "
                       "http(s)://[user:password@]host[:port]",
                       name);
    const kith_err err = take_url(e, url);
    return err != KITH_OK ? err : begin_asking(e);
}

kith_err ki_elastic_new(const char *name, ki_elastic **out)
{
    ki_elastic *e = NULL;
    kith_err err = ki_alloc(&e, 1, sizeof *e);
    if (err == KITH_OK) err = begin(e, name);
    if (err == KITH_OK)
        *out = e;
    else
        ki_elastic_free(e);
    return err;
}

void ki_elastic_free(ki_elastic *e)
{
    if (e == NULL) return;
    ki_http_free(e->http);
    ki_free(e);
}

/* ---- one question ---- */

/* What a refusal says of itself: {"error": {"type": ..., "reason": ...}}, {"error": "..."}, or something else. */
static void read_refusal(const ki_http_reply *reply, char *type, char *reason, size_t size)
{
    json_t *answer = json_loadb(reply->body, reply->n, 0, NULL);
    const json_t *error = json_object_get(answer, "error");
    const char *t = json_string_value(json_object_get(error, "type"));
    const char *r =
        json_string_value(json_is_string(error) ? error : json_object_get(error, "reason"));
    snprintf(type, size, "%s", t == NULL ? "" : t);
    snprintf(reason, size, "%s", r != NULL ? r : answer == NULL ? reply->body : "");
    json_decref(answer);
}

static kith_err refused(const ki_elastic *e, const ki_http_reply *reply)
{
    char type[200], reason[200], why[600];
    read_refusal(reply, type, reason, sizeof type);
    if (reply->status == 401 || reply->status == 403) {
        snprintf(why, sizeof why,
                 "the server refuses these credentials (status %d %s: %s): give it "
                 "ELASTICSEARCH_API_KEY, or "
                 "ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD, that may use this index",
                 reply->status, type, reason);
        return ki_elastic_fail(e, KITH_EIO, why);
    }
    if (reply->status == 404 && strstr(type, "index") != NULL) {
        snprintf(why, sizeof why,
                 "there is no such index (%s); GET /_cat/indices lists those that are there",
                 reason);
        return ki_elastic_fail(e, KITH_EIO, why);
    }
    const int is_known = type[0] != '\0';
    snprintf(why, sizeof why, "status %d %s: %s%s", reply->status, type, reason,
             is_known ? "" : "; does ELASTICSEARCH_URL name an Elasticsearch server?");
    return ki_elastic_fail(e, KITH_EIO, why);
}

static kith_err unanswered(const ki_elastic *e, kith_err err)
{
    char said[KI_MESSAGE_SIZE], why[600];
    if (err == KITH_ENOMEM) return err;
    ki_message_get(said);
    snprintf(why, sizeof why, "no answer: %.400s; does a server run where ELASTICSEARCH_URL says?",
             said);
    return ki_elastic_fail(e, err, why);
}

kith_err ki_elastic_ask(ki_elastic *e, const char *path, const ki_http_question *q,
                        ki_http_reply *out)
{
    char url[URL_ROOM + 3 * INDEX_ROOM + 256];
    ki_http_reply reply = { 0 };
    if (path[0] == '/')
        snprintf(url, sizeof url, "%s%s", e->asked, path);
    else
        snprintf(url, sizeof url, "%s/%s/%s", e->asked, e->index, path);
    kith_err err = ki_http_send(e->http, url, q, &reply);
    e->status = reply.status;
    if (err != KITH_OK) return unanswered(e, err);
    if (reply.status / 100 == 2) return *out = reply, KITH_OK;
    err = refused(e, &reply);
    ki_free(reply.body);
    return err;
}
