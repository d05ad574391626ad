/* SPDX-License-Identifier: MIT
 * meter.h -- counting requests, without threads in each other's way
 *
 * Each thread counts in a slot of its own (threads beyond KI_METER_SLOTS share), with relaxed additions; who asks
 * adds the slots up.  Printed in the text format of Prometheus.
 */
#ifndef KI_METER_H
#define KI_METER_H

#include "serve/router.h"
#include "tool/text.h"

typedef struct ki_meter ki_meter;

typedef enum ki_stage {                 /* of one request */
                        KI_STAGE_QUEUE, /* waiting for a worker */
                        KI_STAGE_READ,  /* the body arrives */
                        KI_STAGE_CHECK, /* JSON and shapes */
                        KI_STAGE_RUN,   /* the handler */
                        KI_STAGE_SEND,  /* the client takes the reply */
                        KI_STAGES,
} ki_stage;
extern const char *const ki_stage_names[];

enum { KI_METER_SLOTS = 64 };

kith_err ki_meter_new(const ki_router *router, ki_meter **out);
void ki_meter_free(ki_meter *m);

void ki_meter_begin(ki_meter *m);
void ki_meter_stage(ki_meter *m, ki_stage stage, int64_t ns);
/* route -1: none was found; status 0: the client went away. */
void ki_meter_end(ki_meter *m, int route, int status, int64_t ns, int64_t bytes_in,
                  int64_t bytes_out);

int64_t ki_meter_in_flight(const ki_meter *m);
int64_t ki_meter_requests(const ki_meter *m);
void ki_meter_print(const ki_meter *m, ki_text *out);

/* One metric with one value, "# HELP" and "# TYPE" with it; kind "gauge" or "counter". */
void ki_metric(ki_text *out, const char *name, const char *kind, const char *help, double value);

#endif
