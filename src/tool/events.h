/* SPDX-License-Identifier: MIT
 * events.h -- what a run reports of itself while it works: one JSON object a line
 */
#ifndef KI_EVENTS_H
#define KI_EVENTS_H

#include "base/err.h"

#include <jansson.h>

/* Send {"event": name, "timestamp": now, ...fields} to the run's listener; takes `fields`. */
void ki_event(const kith_run_options *o, const char *name, json_t *fields);

#define KI_NOW_ROOM 32
void ki_now(char *out); /* RFC 3339 in UTC with milliseconds; out[KI_NOW_ROOM] */

#endif
