/* SPDX-License-Identifier: MIT
 * http_stand.c -- the routes of things.h behind a real socket, for test_http.py and for wrk
 *
 *     http_stand [CONFIG]
 *
 * prints one line of JSON with port and keys, answers until its input ends, then says how it ended.  Log lines go
 * to standard error.
 */
#include "things.h"

#include "serve/http.h"

#include <stdio.h>
#include <unistd.h>

/* A sanitizer keeps memory of its own, so that the process cannot be held to its size. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const char sanitized[] = "true";
#else
static const char sanitized[] = "false";
#endif

static ki_http *http;

static void gauges(void *server, ki_text *out)
{
    ki_http_counts n;
    (void)server;
    ki_http_count(http, &n);
    ki_metric(out, "kith_http_connections", "gauge", "Connections that are open.", (double)n.open);
    ki_metric(out, "kith_http_late_total", "counter", "Connections shut because the client was late.", (double)n.late);
    ki_metric(out, "kith_http_streams", "gauge", "Streams that are open.", (double)n.streams);
}

static void tell(void *udata, const char *event)
{
    (void)udata;
    fprintf(stderr, "%s\n", event);
}

static int fail(const char *what)
{
    printf("{\"failed\":\"%s: %s\"}\n", what, kith_last_error());
    return 1;
}

static kith_err add_key(ki_site *site, ki_key_role role, double rate, char *text)
{
    ki_key k = { .role = role, .rate = rate, .burst = rate };
    ki_key_make(text);
    ki_key_make_id(k.id);
    ki_keys_hash(site->keys, text, k.hash);
    return ki_keys_add(site->keys, &k);
}

int main(int argc, char **argv)
{
    json_t *config = argc > 1 ? json_loads(argv[1], 0, NULL) : NULL;
    ki_limits limits;
    ki_site site;
    char admin[KI_KEY_TEXT], limited[KI_KEY_TEXT], nothing[64];
    if (ki_limits_read(config, &limits) != KITH_OK) return fail("limits");
    if (ki_site_begin(&site, things_groups, &limits, 1) != KITH_OK) return fail("site");
    if (ki_keys_new((const unsigned char *)"stand", 5, &site.keys) != KITH_OK) return fail("keys");
    if (add_key(&site, KI_ROLE_ADMIN, 0, admin) != KITH_OK || add_key(&site, KI_ROLE_ADMIN, 2, limited) != KITH_OK)
        return fail("keys");
    site.event = tell;
    site.hooks.gauges = gauges;
    if (ki_http_start(&site, NULL, 0, &http) != KITH_OK) return fail("http");
    printf("{\"port\":%d,\"key\":\"%s\",\"limited\":\"%s\",\"sanitized\":%s}\n", ki_http_port(http), admin, limited,
           sanitized);
    fflush(stdout);
    while (read(STDIN_FILENO, nothing, sizeof nothing) > 0) continue;
    ki_http_stop(http, 3);
    const long long left = (long long)ki_meter_in_flight(site.meter);
    ki_site_end(&site);
    json_decref(config);
    printf("{\"in_flight\":%lld,\"allocated\":%lld}\n", left, (long long)ki_alloc_live());
    return 0;
}
