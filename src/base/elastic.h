/* SPDX-License-Identifier: MIT
 * elastic.h -- an index of an Elasticsearch or OpenSearch server, under a name that may stand where a file's may
 *
 *      elasticsearch:INDEX                                         the name
 *      ELASTICSEARCH_URL        http(s)://[user:password@]host[:port][/prefix]
 *      ELASTICSEARCH_API_KEY    or ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD: who asks
 *      ELASTICSEARCH_CA_CERT    PEM file, of who vouches for an https server
 *
 * Reading goes by the scroll API, writing by _bulk: both are the same from Elasticsearch 2 to 8 and in OpenSearch by their documents (tested: 2.4, OpenSearch 2.19), but
 * for the types that documents had up to Elasticsearch 6.  Each failure's sentence names the index, the server (never
 * a password) and what to do.
 */
#ifndef KI_ELASTIC_H
#define KI_ELASTIC_H

#include "base/file.h"
#include "base/http.h"

/* Does it name an index, and no file? */
int ki_elastic_is_name(const char *name);

typedef struct ki_elastic ki_elastic; /* one index of one server; for one thread */

/* Nothing is asked yet.  KITH_EINVAL when the name or what the environment says is malformed. */
kith_err ki_elastic_new(const char *name, ki_elastic **out);
void ki_elastic_free(ki_elastic *e); /* accepts NULL */

const char *ki_elastic_name(const ki_elastic *e);
const char *ki_elastic_server(const ki_elastic *e); /* without user and password */

/* Ask for `path` below the server ("/_search/scroll"), or below the index when it begins otherwise ("_count").  An
 * answer that is not 2xx is KITH_EIO; *out is what was answered with 2xx, its body for ki_free. */
kith_err ki_elastic_ask(ki_elastic *e, const char *path, const ki_http_question *q,
                        ki_http_reply *out);
int ki_elastic_status(const ki_elastic *e); /* of the last answer; 0: there was none */

/* Nothing that a server says moves the cursor of a terminal or begins a line of a log: whole UTF-8, without control characters. */
void ki_elastic_make_plain(char *text);

/* The failure of an answer that is not what it should be: "INDEX at SERVER: why". */
kith_err ki_elastic_fail(const ki_elastic *e, kith_err err, const char *why);

/* elastic_read.c: all documents as lines of JSON, {"_id": ..., members of _source}, in the order of the index, page by
 * page.  KITH_EDATA when there are none. */
kith_err ki_elastic_source(const char *name, ki_source **out);

/* elastic_write.c: documents into the index, which is made when it is not there, in the place of those of the same id.
 * They go out by the bulk; what the server refuses is counted, and the first of it kept. */
typedef struct ki_elastic_report {
    int64_t sent, refused;
    char first[400]; /* id and reason of the first that was refused; "" */
} ki_elastic_report;

typedef struct ki_elastic_bulk ki_elastic_bulk;
kith_err ki_elastic_bulk_new(ki_elastic *e, ki_elastic_bulk **out); /* e is borrowed */
kith_err ki_elastic_bulk_add(ki_elastic_bulk *b, const char *id, const char *document);
kith_err ki_elastic_bulk_end(ki_elastic_bulk *b,
                             ki_elastic_report *out); /* what is left goes out */
void ki_elastic_bulk_free(ki_elastic_bulk *b);

#endif
