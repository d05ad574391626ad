/* SPDX-License-Identifier: MIT
 * http.h -- calls over sockets, by libmicrohttpd
 *
 *      door      accepts clients and hands them round
 *      threads   one per processor talk to clients by epoll; they run handlers that never wait
 *      crew      runs what may wait for the disk; the connection is suspended meanwhile
 *      reaper    lets go of clients that are late, and wakes streams
 */
#ifndef KI_HTTP_H
#define KI_HTTP_H

#include "serve/call.h"

typedef struct ki_http ki_http;

/* Whether one could listen there, asked before long work: what ki_http_start would say. */
kith_err ki_http_probe(const char *host, int port);

/* Listen on host (NULL: 127.0.0.1) and port (0: a free one).  `site` is borrowed until the end. */
kith_err ki_http_start(ki_site *site, const char *host, int port, ki_http **out);
int ki_http_port(const ki_http *h);

/* No new connections; what runs may end within `seconds`; then all is closed. */
void ki_http_stop(ki_http *h, double seconds);

typedef struct ki_http_counts {
    int64_t open, accepted, late, waiting, streams;
} ki_http_counts;
void ki_http_count(ki_http *h, ki_http_counts *out);

#endif
