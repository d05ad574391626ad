/* SPDX-License-Identifier: MIT
 * fuzz_http.c -- a request as text, through router, checks and handlers: always a reply, nothing kept
 *
 * The input is "METHOD TARGET", header lines, an empty line, and the body, which is handed over in pieces.
 */
#include "fuzz.h"

#include "../things.h"

#include "tool/verify.h"

#include <stdlib.h>

static ki_limits limits;
static ki_site site;

static void begin(void)
{
    static const ki_route_group *const groups[] = { &things_group, &ki_routes_health, NULL };
    static json_t *config; /* stays: limits point into it */
    if (config != NULL) return;
    config = json_loads("{\"limits\": {\"body_bytes\": 2000, \"line_bytes\": 100}, \"cors\": [\"https://a.example\"]}",
                        0, NULL);
    MUST(ki_limits_read(config, &limits) == KITH_OK);
    MUST(ki_site_begin(&site, groups, &limits, 1) == KITH_OK);
}

/* The line at *s, cut off with a NUL; *s = what follows; NULL: there is none. */
static char *next_line(char **s)
{
    char *line = *s, *end = line != NULL ? strchr(line, '\n') : NULL;
    *s = end != NULL ? end + 1 : NULL;
    if (end != NULL) *end = '\0';
    return line;
}

static void add_head(ki_heads *h, char *line)
{
    char *value = strchr(line, ':');
    if (value == NULL) return;
    *value++ = '\0';
    while (*value == ' ') value++;
    h->bytes += strlen(line) + strlen(value);
    ki_heads_add(h, line, value);
}

/* In pieces whose sizes the body itself decides. */
static void hand_over(ki_call *c, const char *body, size_t n)
{
    for (size_t at = 0; at < n;) {
        const size_t piece = KI_MIN(n - at, (size_t)1 + (unsigned char)body[at] % 64);
        ki_call_take(c, body + at, piece);
        at += piece;
    }
}

/* Values that were taken without asking ki_verify are values that it takes. */
static void check_values(const ki_call *c)
{
    ki_findings f = { 0 };
    if (c->checked == 0) return;
    if (c->path != NULL) ki_verify(c->entry->path, c->path, NULL, &f);
    if (c->query != NULL && c->entry->query != NULL) ki_verify(c->entry->query, c->query, NULL, &f);
    MUST(f.n_violations == 0 && f.n_warnings == 0);
}

static void check_reply(const ki_call *c)
{
    const ki_reply *r = &c->reply;
    MUST(r->status >= 200 && r->status < 600 && r->status != 500);
    if (r->status >= 400) MUST(r->type != NULL && strcmp(r->type, "application/problem+json") == 0);
    if (r->type == NULL || strstr(r->type, "json") == NULL || r->n == 0) return;
    json_t *o = json_loadb(r->bytes, r->n, 0, NULL);
    MUST(o != NULL);
    if (r->status >= 400) MUST(json_integer_value(json_object_get(o, "status")) == r->status);
    json_decref(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    ki_call *c = NULL;
    ki_heads heads = { 0 };
    begin();
    const int64_t live = ki_alloc_live();
    char *text = malloc(n + 1);
    MUST(text != NULL);
    memcpy(text, bytes, n);
    text[n] = '\0';
    char *rest = text, *line = next_line(&rest), *target = strchr(line, ' ');
    if (target != NULL) *target++ = '\0';
    MUST(ki_call_new(&site, line, target != NULL ? target : "/", &c) == KITH_OK);
    for (line = next_line(&rest); line != NULL && *line != '\0'; line = next_line(&rest)) add_head(&heads, line);
    ki_call_open(c, &heads);
    if (rest != NULL) hand_over(c, rest, n - (size_t)(rest - text));
    ki_call_finish(c);
    check_reply(c);
    check_values(c);
    ki_call_free(c);
    free(text);
    MUST(ki_alloc_live() == live);
    return 0;
}
