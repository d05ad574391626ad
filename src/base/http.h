/* SPDX-License-Identifier: MIT
 * http.h -- asking an HTTP server that belongs to somebody else: one question, one answer, in limited time
 *
 * libcurl does the work.  Redirects are not followed, an answer has a limit in bytes, and proxies are those
 * of the environment (http_proxy, no_proxy), as everywhere.
 */
#ifndef KI_HTTP_H
#define KI_HTTP_H

#include "base/err.h"

#include <stdint.h>

typedef struct ki_http
    ki_http; /* keeps its connection from one question to the next; for one thread */

typedef struct ki_http_options {
    int connect_ms, whole_ms;    /* 0: 2000, 10000 */
    size_t most_bytes;           /* of an answer; 0: 4 MiB */
    const char *user, *password; /* Basic; NULL: none */
    const char *token;           /* Bearer; NULL: none */
    const char
        *authorization;  /* the whole header's value in their place, "ApiKey ..."; NULL: none */
    const char *ca_file; /* PEM, of who vouches for an https server; NULL: the system's */
} ki_http_options;       /* strings are copied */

typedef struct ki_http_question {
    const char *method; /* NULL: GET without a body, else POST */
    const char *type;   /* of the body; NULL: application/json */
    const char *body;   /* borrowed; NULL: none */
    size_t n;           /* bytes of it; 0: up to its NUL */
} ki_http_question;

typedef struct ki_http_reply {
    int status;
    char *body; /* a NUL after it; for ki_free */
    size_t n;
} ki_http_reply;

/* KITH_EINVAL when kith was built without libcurl. */
kith_err ki_http_new(const ki_http_options *options, ki_http **out);

/* KITH_EIO with a sentence when there is no whole answer in time; an answer with any status is KITH_OK. */
kith_err ki_http_send(ki_http *h, const char *url, const ki_http_question *q, ki_http_reply *out);

/* The same: GET without a body (NULL), else POST of JSON. */
kith_err ki_http_ask(ki_http *h, const char *url, const char *body, ki_http_reply *out);
void ki_http_free(ki_http *h); /* accepts NULL */

/* The text with all but letters, digits and -._~ as %XX; out[size], cut if it is too long. */
void ki_http_escape(const char *text, char *out, size_t size);

#endif
