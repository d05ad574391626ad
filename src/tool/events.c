/* SPDX-License-Identifier: MIT
 * events.c -- structured events, and the clock on the wall
 */
#include "tool/events.h"

#include "base/print.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Day and second are put into words once a second and thread: every line of a log asks. */
void ki_now(char *out)
{
    static _Thread_local char text[sizeof "2026-01-01T00:00:00"];
    static _Thread_local time_t second = -1;
    struct timespec t;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &t);
    if (t.tv_sec != second) {
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&t.tv_sec, &utc));
        second = t.tv_sec;
    }
    size_t n = strlen(text);
    memcpy(out, text, n);
    out[n++] = '.';
    n += ki_print_padded(out + n, t.tv_nsec / 1000000, 3);
    memcpy(out + n, "Z", 2);
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
