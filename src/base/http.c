/* SPDX-License-Identifier: MIT
 * http.c -- one question and one answer over libcurl
 */
#include "base/http.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void ki_http_escape(const char *text, char *out, size_t size)
{
    size_t n = 0;
    for (; *text != '\0' && n + 4 <= size; text++) {
        const unsigned char c = (unsigned char)*text;
        if ((c < 128 && isalnum(c)) || strchr("-._~", c) != NULL)
            out[n++] = (char)c;
        else
            n += (size_t)snprintf(out + n, size - n, "%%%02X", c);
    }
    out[n] = '\0';
}

#ifndef KI_HAVE_CURL

kith_err ki_http_new(const ki_http_options *options, ki_http **out)
{
    (void)options;
    (void)out;
    return ki_fail(KITH_EINVAL, "this kith was built without an HTTP client: install "
                                "libcurl4-openssl-dev and build it again");
}

kith_err ki_http_send(ki_http *h, const char *url, const ki_http_question *q, ki_http_reply *out)
{
    (void)h;
    (void)url;
    (void)q;
    (void)out;
    return KITH_EINVAL;
}

void ki_http_free(ki_http *h)
{
    (void)h;
}

#else

#include <curl/curl.h>
#include <pthread.h>

enum { CONNECT_MS = 2000, WHOLE_MS = 10000, MOST_BYTES = 4 << 20 };

struct ki_http {
    CURL *easy;
    char *authorization; /* a whole line; NULL: none */
    size_t most;
    char said[CURL_ERROR_SIZE];
};

struct body { /* of an answer, as it comes */
    char *at;
    size_t n, room, most;
    kith_err err;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode ready;

static void begin_curl(void)
{
    ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take(char *bytes, size_t size, size_t count, void *udata)
{
    struct body *b = udata;
    const size_t n = size * count;
    if (n > b->most - b->n) {
        b->err = ki_fail(KITH_EIO, "the answer is longer than %zu bytes", b->most);
        return 0;
    }
    if (b->n + n + 1 > b->room) {
        const size_t room = KI_MAX(2 * b->room, b->n + n + 1);
        if ((b->err = ki_grow(&b->at, b->room, room, 1)) != KITH_OK) return 0;
        b->room = room;
    }
    memcpy(b->at + b->n, bytes, n);
    b->n += n;
    return n;
}

static void set_limits(ki_http *h, const ki_http_options *o)
{
    h->most = o->most_bytes > 0 ? o->most_bytes : MOST_BYTES;
    curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(o->connect_ms > 0 ? o->connect_ms : CONNECT_MS));
    curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, (long)(o->whole_ms > 0 ? o->whole_ms : WHOLE_MS));
    curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->said);
    curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(h->easy, CURLOPT_USERAGENT, "kith/" KITH_VERSION);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static kith_err set_who(ki_http *h, const ki_http_options *o)
{
    if (o->token != NULL) {
        curl_easy_setopt(h->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        if (curl_easy_setopt(h->easy, CURLOPT_XOAUTH2_BEARER, o->token) != CURLE_OK)
            return ki_fail_memory(64);
    } else if (o->user != NULL) {
        curl_easy_setopt(h->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        if (curl_easy_setopt(h->easy, CURLOPT_USERNAME, o->user) != CURLE_OK ||
            curl_easy_setopt(h->easy, CURLOPT_PASSWORD, o->password == NULL ? "" : o->password) !=
                CURLE_OK)
            return ki_fail_memory(64);
    }
    if (o->ca_file != NULL && curl_easy_setopt(h->easy, CURLOPT_CAINFO, o->ca_file) != CURLE_OK)
        return ki_fail(KITH_EINVAL, "%.200s: this libcurl takes no file of certificates",
                       o->ca_file);
    return KITH_OK;
}

/* What could break out of a header's line is refused. */
static kith_err set_authorization(ki_http *h, const char *value)
{
    if (value == NULL) return KITH_OK;
    for (const char *c = value; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            return ki_fail(KITH_EINVAL, "what authorises has a line break or another control "
                                        "character in it");
    const size_t room = strlen(value) + sizeof "Authorization: ";
    const kith_err err = ki_alloc(&h->authorization, room, 1);
    if (err == KITH_OK) snprintf(h->authorization, room, "Authorization: %s", value);
    return err;
}

kith_err ki_http_new(const ki_http_options *options, ki_http **out)
{
    ki_http *h = NULL;
    pthread_once(&once, begin_curl);
    if (ready != CURLE_OK) return ki_fail(KITH_EIO, "libcurl: %s", curl_easy_strerror(ready));
    kith_err err = ki_alloc(&h, 1, sizeof *h);
    if (err != KITH_OK) return err;
    if ((h->easy = curl_easy_init()) == NULL) {
        ki_free(h);
        return ki_fail_memory(64);
    }
    set_limits(h, options);
    if ((err = set_who(h, options)) == KITH_OK) err = set_authorization(h, options->authorization);
    if (err == KITH_OK)
        *out = h;
    else
        ki_http_free(h);
    return err;
}

/* The headers of one question.  No `Expect: 100-continue`, which costs a second where nobody answers it. */
static kith_err make_headers(const ki_http *h, const ki_http_question *q, struct curl_slist **out)
{
    char type[128];
    snprintf(type, sizeof type, "Content-Type: %s", q->type != NULL ? q->type : "application/json");
    const char *const lines[] = { h->authorization, q->body != NULL ? type : NULL, "Expect:" };
    for (size_t j = 0; j < KI_COUNT(lines); j++) {
        if (lines[j] == NULL) continue;
        struct curl_slist *more = curl_slist_append(*out, lines[j]);
        if (more == NULL) return ki_fail_memory(64);
        *out = more;
    }
    return KITH_OK;
}

static void set_question(ki_http *h, const char *url, const ki_http_question *q)
{
    const curl_off_t n = q->body == NULL ? 0 : (curl_off_t)(q->n > 0 ? q->n : strlen(q->body));
    curl_easy_setopt(h->easy, CURLOPT_URL, url);
    if (q->body != NULL) {
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, n);
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, q->body);
    } else {
        curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, q->method);
}

static kith_err perform(ki_http *h, struct body *b, int *status)
{
    long code = 0;
    h->said[0] = '\0';
    curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, b);
    const CURLcode result = curl_easy_perform(h->easy);
    curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &code);
    *status = (int)code;
    if (b->err != KITH_OK || result == CURLE_OK) return b->err;
    return ki_fail(KITH_EIO, "%s", h->said[0] != '\0' ? h->said : curl_easy_strerror(result));
}

kith_err ki_http_send(ki_http *h, const char *url, const ki_http_question *q, ki_http_reply *out)
{
    struct body b = { .most = h->most };
    struct curl_slist *headers = NULL;
    int status = 0;
    kith_err err = ki_alloc(&b.at, b.room = 256, 1);
    if (err == KITH_OK) err = make_headers(h, q, &headers);
    if (err == KITH_OK) {
        set_question(h, url, q);
        curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, headers);
        err = perform(h, &b, &status);
        curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
    }
    curl_slist_free_all(headers);
    if (err != KITH_OK) {
        ki_free(b.at);
        return err;
    }
    b.at[b.n] = '\0';
    *out = (ki_http_reply){ .status = status, .body = b.at, .n = b.n };
    return KITH_OK;
}

void ki_http_free(ki_http *h)
{
    if (h == NULL) return;
    curl_easy_cleanup(h->easy);
    ki_free(h->authorization);
    ki_free(h);
}

#endif

kith_err ki_http_ask(ki_http *h, const char *url, const char *body, ki_http_reply *out)
{
    return ki_http_send(h, url, &(ki_http_question){ .body = body }, out);
}
