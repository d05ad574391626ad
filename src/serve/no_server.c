/* SPDX-License-Identifier: MIT
 * no_server.c -- the service of a kith that was built without libmicrohttpd
 */
#include "base/err.h"

#include <stddef.h>

kith_err kith_serve_start(kith *k, const kith_serve_options *options, kith_server **out)
{
    (void)k, (void)options, (void)out;
    return ki_fail(KITH_EINVAL, "this kith was built without libmicrohttpd; install "
                                "libmicrohttpd-dev and build kith again");
}

int kith_serve_port(const kith_server *server)
{
    (void)server;
    return 0;
}

const char *kith_serve_url(const kith_server *server)
{
    (void)server;
    return "";
}

const char *kith_serve_first_key(const kith_server *server)
{
    (void)server;
    return "";
}

kith_err kith_serve_json(const kith_server *server, char **json)
{
    (void)server, (void)json;
    return ki_fail(KITH_EINVAL, "this kith was built without a service");
}

void kith_serve_stop(kith_server *server, double seconds)
{
    (void)server, (void)seconds;
}
