/* SPDX-License-Identifier: MIT
 * redis_url.c -- reading REDIS_URL, from left to right
 */
#include "store/redis_url.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USUAL_PORT = 6379, MOST_DATABASES = 1 << 20 };

struct span {
    const char *at;
    size_t n;
};

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    const int low = tolower((unsigned char)c);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* The span with %XX as bytes into out[size]; what is too long, a bad %, or a NUL is refused. */
static kith_err decode(struct span s, const char *what, char *out, size_t size)
{
    size_t n = 0;
    for (size_t j = 0; j < s.n; j++) {
        int c = (unsigned char)s.at[j];
        if (c == '%') {
            const int high = j + 2 < s.n ? hex(s.at[j + 1]) : -1;
            const int low = j + 2 < s.n ? hex(s.at[j + 2]) : -1;
            c = high < 0 || low < 0 ? 0 : 16 * high + low;
            j += 2;
        }
        if (c == 0) return ki_fail(KITH_EINVAL, "the Redis URL: %s has a %% that is no %%XX", what);
        if (n + 1 >= size)
            return ki_fail(KITH_EINVAL, "the Redis URL: %s is longer than %zu bytes", what,
                           size - 1);
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return KITH_OK;
}

/* Digits alone, at least one, up to `most`. */
static kith_err number(struct span s, const char *what, int most, int *out)
{
    long long v = 0;
    size_t j = 0;
    for (; j < s.n && isdigit((unsigned char)s.at[j]) && v <= most; j++)
        v = 10 * v + (s.at[j] - '0');
    if (s.n == 0 || j < s.n || v > most)
        return ki_fail(KITH_EINVAL, "the Redis URL: %s is no whole number up to %d", what, most);
    *out = (int)v;
    return KITH_OK;
}

/* Cuts "user:password@" off the front; `end` of the part where an @ may stand. */
static kith_err take_credentials(struct span *s, size_t end, ki_redis_url *u)
{
    const char *at = memrchr(s->at, '@', end);
    if (at == NULL) return KITH_OK;
    const struct span all = { s->at, (size_t)(at - s->at) };
    const char *colon = memchr(all.at, ':', all.n);
    if (colon == NULL)
        return ki_fail(KITH_EINVAL,
                       "the Redis URL: before the @ stands user:password, or :password");
    const struct span user = { all.at, (size_t)(colon - all.at) },
                      password = { colon + 1, all.n - user.n - 1 };
    kith_err err = decode(user, "the user", u->user, sizeof u->user);
    if (err == KITH_OK) err = decode(password, "the password", u->password, sizeof u->password);
    *s = (struct span){ at + 1, s->n - all.n - 1 };
    return err;
}

static kith_err read_host(struct span s, ki_redis_url *u)
{
    const int bracketed = s.n > 0 && s.at[0] == '[';
    const char *close = bracketed ? memchr(s.at, ']', s.n) : NULL;
    if (bracketed && close == NULL) return ki_fail(KITH_EINVAL, "the Redis URL: [ without ]");
    struct span host = bracketed ? (struct span){ s.at + 1, (size_t)(close - s.at) - 1 } : s,
                port = { 0 };
    const char *colon = bracketed ? close + 1 : memchr(s.at, ':', s.n);
    if (bracketed && close + 1 == s.at + s.n) colon = NULL;
    if (colon != NULL) {
        if (*colon != ':') return ki_fail(KITH_EINVAL, "the Redis URL: after ] comes :port");
        if (!bracketed) host.n = (size_t)(colon - s.at);
        port = (struct span){ colon + 1, s.n - (size_t)(colon + 1 - s.at) };
    }
    u->port = USUAL_PORT;
    if (host.n == 0) host = (struct span){ "localhost", 9 };
    kith_err err = decode(host, "the host", u->host, sizeof u->host);
    if (err == KITH_OK && colon != NULL) err = number(port, "the port", 65535, &u->port);
    if (err == KITH_OK && u->port == 0) err = ki_fail(KITH_EINVAL, "the Redis URL: port 0");
    return err;
}

static kith_err read_tcp(const char *rest, ki_redis_url *u)
{
    struct span s = { rest, strlen(rest) };
    kith_err err = take_credentials(&s, strcspn(s.at, "/?#"), u);
    if (err != KITH_OK) return err;
    const size_t n_host = strcspn(s.at, "/?#");
    if ((err = read_host((struct span){ s.at, n_host }, u)) != KITH_OK) return err;
    s = (struct span){ s.at + n_host, s.n - n_host };
    if (s.n == 0 || strcmp(s.at, "/") == 0) return KITH_OK;
    if (s.at[0] != '/')
        return ki_fail(KITH_EINVAL, "the Redis URL: after the host comes /database, not \"%c\"",
                       s.at[0]);
    return number((struct span){ s.at + 1, s.n - 1 }, "the database", MOST_DATABASES, &u->database);
}

static kith_err read_socket(const char *rest, ki_redis_url *u)
{
    static const char option[] = "?db=";
    struct span s = { rest, strlen(rest) };
    kith_err err = take_credentials(&s, strcspn(s.at, "/?#"), u);
    if (err != KITH_OK) return err;
    const size_t n_path = strcspn(s.at, "?");
    if (s.at[0] != '/')
        return ki_fail(KITH_EINVAL, "the Redis URL: unix:// wants the whole path of a socket");
    err = decode((struct span){ s.at, n_path }, "the path", u->path, sizeof u->path);
    if (err != KITH_OK || n_path == s.n) return err;
    if (strncmp(s.at + n_path, option, 4) != 0)
        return ki_fail(KITH_EINVAL, "the Redis URL: after the path of a socket comes ?db=database");
    return number((struct span){ s.at + n_path + 4, s.n - n_path - 4 }, "the database",
                  MOST_DATABASES, &u->database);
}

kith_err ki_redis_url_read(const char *url, ki_redis_url *out)
{
    static const char tcp[] = "redis://", local[] = "unix://", secure[] = "rediss://";
    ki_redis_url u = { 0 };
    kith_err err;
    if (strncmp(url, tcp, strlen(tcp)) == 0)
        err = read_tcp(url + strlen(tcp), &u);
    else if (strncmp(url, local, strlen(local)) == 0)
        err = read_socket(url + strlen(local), &u);
    else if (strncmp(url, secure, strlen(secure)) == 0)
        err = ki_fail(KITH_EINVAL, "the Redis URL: rediss:// (TLS) is not supported; use redis:// "
                                   "within a network that is "
                                   "trusted, unix:// on this machine, or a tunnel such as stunnel");
    else
        err = ki_fail(KITH_EINVAL,
                      "the Redis URL begins with redis://host or unix:///path of a socket");
    if (err == KITH_OK) *out = u;
    return err;
}

void ki_redis_url_print(const ki_redis_url *u, char *out)
{
    char database[32] = "";
    if (u->database != 0) snprintf(database, sizeof database, ", database %d", u->database);
    if (u->path[0] != '\0')
        snprintf(out, KI_REDIS_PLACE_ROOM, "%s%s", u->path, database);
    else if (strchr(u->host, ':') != NULL)
        snprintf(out, KI_REDIS_PLACE_ROOM, "[%s]:%d%s", u->host, u->port, database);
    else
        snprintf(out, KI_REDIS_PLACE_ROOM, "%s:%d%s", u->host, u->port, database);
}
