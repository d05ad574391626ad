/* SPDX-License-Identifier: MIT
 * service.h -- what the service does, without a word of HTTP: store and live engine as one, training, versions,
 * scenarios, experiments
 *
 *      routes --> service --> store   (durable first)
 *                    |          | applied
 *                    |          v
 *                    +------> live    (in force; asked by many threads)
 *                    |
 *                    +------> tasks   (training on a copy, evaluation, promotion)
 */
#ifndef KI_SERVICE_H
#define KI_SERVICE_H

#include "engine/live.h"
#include "serve/settings.h"
#include "store/store.h"

typedef struct ki_service ki_service;

typedef struct ki_service_options {
    const char *db;                /* path; NULL: in memory, gone with the process */
    const char *data;              /* ratings to read into an empty store; NULL: none */
    const kith_read_options *read; /* how to read it; NULL: found */
    const char *
        model; /* algorithm that is trained by itself; NULL: ials, or what the store's settings say */
    const kith_param *params;
    int n_params;
    const ki_settings *settings; /* NULL: the defaults */
    uint64_t seed;
    size_t memory_bytes;
    kith_event_fn event; /* JSON lines for the log; NULL: none */
    void *udata;
    kith_progress_fn progress; /* of opening alone: reading, training; NULL: none */
    void *progress_udata;
} ki_service_options;

/* Open the store, read it into the live engine, load the promoted model or, when there are events and none,
 * train one at once (in this call: a service that answers is ready). */
kith_err ki_service_open(const ki_service_options *o, ki_service **out);
void ki_service_close(ki_service *s);

ki_live *ki_service_live(ki_service *s);
ki_store *ki_service_store(ki_service *s);

/* Changes, durable and in force on return.  Attributes are checked against the catalogue before they are kept. */
kith_err ki_service_write(ki_service *s, ki_change *changes, int n);

#endif
