/* SPDX-License-Identifier: MIT
 * events.c -- structured events, and the clock on the wall
 */
#include "tool/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void ki_now(char *out)
{
    struct timespec t;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &t);
    const size_t n = strftime(out, KI_NOW_ROOM, "%Y-%m-%dT%H:%M:%S", gmtime_r(&t.tv_sec, &utc));
    snprintf(out + n, KI_NOW_ROOM - n, ".%03dZ", (int)(t.tv_nsec / 1000000) % 1000);
}

void ki_event(const kith_run_options *o, const char *name, json_t *fields)
{
    char now[KI_NOW_ROOM];
    if (o->event != NULL && fields != NULL) {
        ki_now(now);
        json_t *line = json_pack("{s:s, s:s}", "event", name, "timestamp", now);
        json_object_update(line, fields);
        char *text = line == NULL ? NULL : json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(12));
        if (text != NULL) o->event(o->udata, text);
        free(text); /* jansson's */
        json_decref(line);
    }
    json_decref(fields);
}
