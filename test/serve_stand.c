/* SPDX-License-Identifier: MIT
 * serve_stand.c -- the service by the public header alone, for test_server.py
 *
 *     serve_stand '{"db": PATH, "data": PATH, "host": H, "insecure_local": true, "config": {...}}'
 *
 * prints one line of JSON with url, port and the first key, or with the failure; answers until its input ends.
 */
#include "kith.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void tell(void *udata, const char *event)
{
    (void)udata;
    fprintf(stderr, "%s\n", event);
}

static int say(json_t *taken, int status)
{
    json_dumpf(taken, stdout, JSON_COMPACT);
    printf("\n");
    fflush(stdout);
    json_decref(taken);
    return status;
}

int main(int argc, char **argv)
{
    json_t *o = argc > 1 ? json_loads(argv[1], 0, NULL) : json_object();
    const json_t *config = json_object_get(o, "config");
    char *text = config != NULL ? json_dumps(config, 0) : NULL, nothing[64];
    kith *k = NULL;
    kith_server *s = NULL;
    const kith_serve_options how = {
        .db = json_string_value(json_object_get(o, "db")),
        .data = json_string_value(json_object_get(o, "data")),
        .model = json_string_value(json_object_get(o, "model")),
        .host = json_string_value(json_object_get(o, "host")),
        .port = -1,
        .insecure_local = json_is_true(json_object_get(o, "insecure_local")),
        .config = text,
        .event = tell,
    };
    if (kith_new(&(kith_options){ .threads = 1 }, &k) != KITH_OK || kith_serve_start(k, &how, &s) != KITH_OK)
        return say(json_pack("{s:s}", "failed", kith_last_error()), 1);
    say(json_pack("{s:s, s:i, s:s}", "url", kith_serve_url(s), "port", kith_serve_port(s), "key",
                  kith_serve_first_key(s)),
        0);
    while (read(STDIN_FILENO, nothing, sizeof nothing) > 0) continue;
    kith_serve_stop(s, 5);
    kith_free(k);
    free(text);
    json_decref(o);
    return say(json_pack("{s:b}", "stopped", 1), 0);
}
