/* SPDX-License-Identifier: MIT
 * redis_url.h -- where a Redis is, out of REDIS_URL
 *
 *      redis://[[user]:password@]host[:port][/database]
 *      unix://[[user]:password@]/path/of/socket[?db=database]
 *
 * User and password may hold %XX.  An IPv6 address stands in brackets.
 */
#ifndef KI_REDIS_URL_H
#define KI_REDIS_URL_H

#include "base/err.h"

typedef struct ki_redis_url {
    char host[256]; /* "" with a path */
    char path[108]; /* of a socket of this machine (as long as one may be); "": host and port */
    int port, database;
    char user[128], password[512]; /* "": none */
} ki_redis_url;

/* KITH_EINVAL with what is wrong; the sentence never holds the password.  *out is set on success alone. */
kith_err ki_redis_url_read(const char *url, ki_redis_url *out);

/* "localhost:6379, database 3": for sentences, without user and password. */
#define KI_REDIS_PLACE_ROOM 320
void ki_redis_url_print(const ki_redis_url *u, char *out); /* out[KI_REDIS_PLACE_ROOM] */

#endif
