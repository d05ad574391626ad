/* SPDX-License-Identifier: MIT
 * accesslog.c -- one JSON line about each call that is over; no header, query or body is ever in it, and no path
 *
 * A path may name a user, and a log is not written anew when the user is deleted: the line has the route's pattern, and
 * of the path a hash with a key of this process, by which lines about one thing are found.
 */
#include "serve/call.h"

#include "base/print.h"
#include "tool/events.h"

#include <sodium.h>
#include <string.h>

/* A line that grows; what has no room is cut off. */
struct line {
    char text[1600];
    size_t n;
};

static void say(struct line *l, const char *s)
{
    const size_t n = KI_MIN(strlen(s), sizeof l->text - 1 - l->n);
    memcpy(l->text + l->n, s, n);
    l->n += n;
}

static void say_whole(struct line *l, const char *name, int64_t x)
{
    char out[KI_PRINT_ROOM + 1];
    say(l, name);
    out[ki_print_whole(out, x)] = '\0';
    say(l, out);
}

/* Milliseconds with three decimals. */
static void say_ms(struct line *l, const char *name, int64_t ns)
{
    const int64_t us = (KI_MAX(ns, (int64_t)0) + 500) / 1000;
    char out[5] = ".";
    say_whole(l, name, us / 1000);
    out[1 + ki_print_padded(out + 1, us % 1000, 3)] = '\0';
    say(l, out);
}

/* As a JSON string of ASCII, of at most half a KB. */
static void say_quoted(struct line *l, const char *name, const char *s)
{
    char out[512];
    size_t n = 0;
    for (; *s != '\0' && n + 3 < sizeof out; s++) {
        if (*s == '"' || *s == '\\') out[n++] = '\\';
        out[n++] = (unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f ? '?' : *s;
    }
    out[n] = '\0';
    say(l, name);
    say(l, "\"");
    say(l, out);
    say(l, "\"");
}

static void say_hash(struct line *l, const char *name, const ki_call *c)
{
    unsigned char hash[crypto_shorthash_BYTES];
    char hex[2 * sizeof hash + 1];
    const char *path = c->uri.path != NULL ? c->uri.path : "";
    crypto_shorthash(hash, (const unsigned char *)path, strlen(path), c->site->log_key);
    say_quoted(l, name, sodium_bin2hex(hex, sizeof hex, hash, sizeof hash));
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

/* Where the time of a slow one went. */
static void say_stages(struct line *l, const ki_call *c, int64_t now)
{
    say_ms(l, ",\"read_ms\":", c->came - c->opened);
    say_ms(l, ",\"check_ms\":", c->checked - c->came);
    say_ms(l, ",\"run_ms\":", c->ran - c->checked);
    say_ms(l, ",\"send_ms\":", now - c->ran);
}

void ki_call_log(const ki_call *c, int64_t now)
{
    struct line l;
    char when[KI_NOW_ROOM];
    const int slow = is_slow(c, now);
    if (c->site->event == NULL || !(slow || is_wanted(c))) return;
    l.n = 0;
    ki_now(when);
    say_quoted(&l, "{\"event\":", slow ? "slow_request" : "request");
    say_quoted(&l, ",\"timestamp\":", when);
    say_quoted(&l, ",\"request_id\":", c->id);
    say_quoted(&l, ",\"method\":", c->method != 0 ? c->method_name : "?");
    say_quoted(&l, ",\"route\":", c->entry != NULL ? c->entry->route->path : "");
    say_hash(&l, ",\"path_hash\":", c);
    say_whole(&l, ",\"status\":", c->reply.status);
    say_ms(&l, ",\"ms\":", now - c->began);
    say_whole(&l, ",\"bytes_in\":", c->n_body);
    say_whole(&l, ",\"bytes_out\":", (int64_t)c->reply.n);
    say_quoted(&l, ",\"key\":", c->caller.key_id);
    say_quoted(&l, ",\"peer\":", c->heads.peer != NULL ? c->heads.peer : "");
    if (slow && c->checked > 0) say_stages(&l, c, now);
    say(&l, "}");
    l.text[l.n] = '\0';
    c->site->event(c->site->udata, l.text);
}
