/* SPDX-License-Identifier: MIT
 * limits.h -- every number that the service holds its clients to, out of the configuration
 *
 * One table says name, default, range and meaning (limits.c); the configuration is held against
 * the schema made from it, and doc/service.md lists it.
 */
#ifndef KI_LIMITS_H
#define KI_LIMITS_H

#include "base/err.h"

#include <jansson.h>
#include <stdint.h>

typedef enum ki_log_requests { KI_LOG_ALL, KI_LOG_ERRORS, KI_LOG_NONE } ki_log_requests;

typedef struct ki_limits {
    int64_t connections, connections_per_ip; /* per_ip 0: any */
    int64_t header_bytes, target_bytes, body_bytes, import_bytes, line_bytes;
    double header_seconds, body_seconds, reply_seconds, idle_seconds, drain_seconds;
    int64_t min_bytes_per_second; /* of a body and of a reply, once their seconds are over */
    int64_t threads, workers, queue, streams;

    double slow_seconds; /* 0: none is told */
    ki_log_requests log;
    int audit;                  /* 0 none, 1 administration, 2 writes too */
    double key_rate, key_burst; /* of keys that say nothing else; 0: any */

    const char *tls_cert, *tls_key; /* paths, borrowed from the document; NULL: plain */
    const json_t *origins;          /* array of strings, borrowed; NULL: no CORS */
    const json_t *hosts; /* likewise: names that the service is called by; NULL: see call.c */
} ki_limits;

/* Fill in *out from the configuration, an object (NULL: defaults), whose sections of others are left alone.
 * KITH_EINVAL that names the first of what is wrong.  Strings live as long as `config`. */
kith_err ki_limits_read(const json_t *config, ki_limits *out);

/* The schema of these sections, a new reference. */
json_t *ki_limits_schema(void);

#endif
