/* SPDX-License-Identifier: MIT
 * accesslog.c -- one JSON line about each call that is over; no header, query or body is ever in it
 */
#include "serve/call.h"

#include "tool/events.h"

#include <stdio.h>
#include <string.h>

static double ms(int64_t ns)
{
    return (double)ns / 1e6;
}

/* The path as a JSON string: ASCII by ki_uri_parse or UTF-8, never a control; quotes and backslashes escaped. */
static void quote(const char *s, char *out, size_t size)
{
    size_t n = 0;
    for (; *s != '\0' && n + 3 < size; s++) {
        if (*s == '"' || *s == '\\') out[n++] = '\\';
        out[n++] = (unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f ? '?' : *s;
    }
    out[n] = '\0';
}

static int is_slow(const ki_call *c, int64_t now)
{
    const double limit = c->site->limits->slow_seconds;
    return limit > 0 && c->reply.next == NULL && (double)(now - c->began) / 1e9 > limit;
}

static int is_wanted(const ki_call *c)
{
    if (c->site->limits->log == KI_LOG_ALL) return 1;
    return c->site->limits->log == KI_LOG_ERRORS &&
           (c->reply.status >= 500 || c->reply.status == 0);
}

void ki_call_log(const ki_call *c, int64_t now)
{
    char line[1600], path[512], when[KI_NOW_ROOM];
    const int slow = is_slow(c, now);
    if (c->site->event == NULL || !(slow || is_wanted(c))) return;
    ki_now(when);
    quote(c->uri.path != NULL ? c->uri.path : "", path, sizeof path);
    int n = snprintf(line, sizeof line,
                     "{\"event\":\"%s\",\"timestamp\":\"%s\",\"request_id\":\"%s\",\"method\":\"%"
                     "s\",\"path\":\"%s\",\"route\":\"%s\","
                     "\"status\":%d,\"ms\":%.3f,\"bytes_in\":%lld,\"bytes_out\":%lld,\"key\":\"%"
                     "s\",\"peer\":\"%s\"",
                     slow ? "slow_request" : "request", when, c->id,
                     c->method != 0 ? c->method_name : "?", path,
                     c->entry != NULL ? c->entry->route->path : "", c->reply.status,
                     ms(now - c->began), (long long)c->n_body, (long long)c->reply.n,
                     c->caller.key_id, c->heads.peer != NULL ? c->heads.peer : "");
    if (slow && c->checked > 0)
        n += snprintf(line + n, sizeof line - (size_t)n,
                      ",\"read_ms\":%.3f,\"check_ms\":%.3f,\"run_ms\":%.3f,\"send_ms\":%.3f",
                      ms(c->came - c->opened), ms(c->checked - c->came), ms(c->ran - c->checked),
                      ms(now - c->ran));
    snprintf(line + n, sizeof line - (size_t)n, "}");
    c->site->event(c->site->udata, line);
}
