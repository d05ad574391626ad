/* SPDX-License-Identifier: MIT
 * cache_redis.c -- a cache in a Redis server, for several processes that serve the same models
 *
 * Keys      "kith1:" and the caller's key; the 1 is the format of what is kept
 * Time      every value goes after ttl seconds (PX)
 * Wires     a few connections, made when they are wanted, each used by one thread at a time
 * Waiting   1 s for a connection, 0.5 s for each read or write of a command
 * Trouble   no server, no answer, a refused password or database: the cache sleeps, lookups say "not asked" at
 *           once, and after 1 s, then 2, 4, ... 30 s one thread tries again.  A connection that turns out to be
 *           closed is opened anew once before that is trouble.  A single command that is refused (no memory
 *           left, a replica that cannot be written) fails alone.
 *
 * hiredis writes commands and reads replies.  The bytes are sent here and not by it, because it raises
 * SIGPIPE when the server is gone, and a library must not decide what that does to its process.
 *
 * Not done: TLS, clusters, sentinels.  The name of the host is resolved by getaddrinfo, which keeps to the
 * timeouts of the system's resolver and not to ours.
 */
#include "store/cache_kind.h"
#include "store/redis_url.h"

#include "base/mem.h"

#include <stdlib.h>

#ifndef KI_HAVE_HIREDIS

kith_err kith_cache_redis(const char *url, double ttl_seconds, kith_cache **out)
{
    (void)url;
    (void)ttl_seconds;
    (void)out;
    return ki_fail(KITH_EINVAL,
                   "this kith was built without Redis: install libhiredis-dev and build it again");
}

#else

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    N_WIRES = 8,
    CONNECT_MS = 1000,
    COMMAND_MS = 500,
    FIRST_NAP_MS = 1000,
    LAST_NAP_MS = 30000,
    MOST_WORDS = 66
};

static const char prefix[] = "kith1:";

struct wire {
    redisContext *at; /* NULL: not connected */
    int busy;
};

struct redis {
    kith_cache face;  /* first: a kith_cache is one of these */
    ki_redis_url url; /* this and the next never change */
    char place[KI_REDIS_PLACE_ROOM];
    long long ttl_ms;

    pthread_mutex_t lock; /* guards all below; a wire's context belongs to whoever made it busy */
    pthread_cond_t freed;
    struct wire wires[N_WIRES];
    int64_t asleep_until_ms, nap_ms; /* nap 0: awake */
    char why[256];
};

struct words { /* of one command; not text: keys and values are any bytes */
    int n;
    const char *at[MOST_WORDS];
    size_t size[MOST_WORDS];
};

static struct redis *behind(kith_cache *c)
{
    return (struct redis *)(void *)c;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct timeval milliseconds(int ms)
{
    return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };
}

static void add(struct words *w, const char *at, size_t n)
{
    w->at[w->n] = at;
    w->size[w->n++] = n;
}

static void say(struct words *w, const char *word)
{
    add(w, word, strlen(word));
}

/* ---- one connection ---- */

static kith_err broken(const struct redis *r, const redisContext *c)
{
    const int slow =
        c != NULL && c->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (slow)
        return ki_fail(KITH_EIO, "Redis at %s did not answer within %d ms", r->place, COMMAND_MS);
    return ki_fail(KITH_EIO, "Redis at %s: %s", r->place,
                   c == NULL ? "no memory for a connection" : c->errstr);
}

static int send_all(redisContext *c, const char *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t sent = send(c->fd, bytes, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) {
            c->err = REDIS_ERR_IO;
            const int was = errno;
            snprintf(c->errstr, sizeof c->errstr, "%s", strerror(was));
            errno = was;
            return 0;
        }
        bytes += sent;
        n -= (size_t)sent;
    }
    return 1;
}

/* Did the server close the connection while nobody looked? */
static int was_closed(const redisContext *c)
{
    return c->err == REDIS_ERR_EOF ||
           (c->err == REDIS_ERR_IO && (errno == EPIPE || errno == ECONNRESET));
}

/* One command and its reply; an error that the server tells is a reply.  KITH_EIO when the connection is of
 * no use any more; *closed then says that the server had closed it, and may be NULL. */
static kith_err talk(const struct redis *r, redisContext *c, struct words *w, redisReply **out,
                     int *closed)
{
    void *reply = NULL;
    char *command = NULL;
    const long long n = redisFormatCommandArgv(&command, w->n, w->at, w->size);
    kith_err err = KITH_OK;
    if (n < 0) return ki_fail_memory(64);
    errno = 0;
    if (!send_all(c, command, (size_t)n) || redisGetReply(c, &reply) != REDIS_OK) {
        if (closed != NULL) *closed = was_closed(c);
        err = broken(r, c);
    }
    redisFreeCommand(command);
    if (err == KITH_OK) *out = reply;
    return err;
}

static kith_err refused(const struct redis *r, const redisReply *reply)
{
    return ki_fail(KITH_EIO, "Redis at %s refuses: %.150s", r->place, reply->str);
}

/* A command whose reply is only looked at for a refusal. */
static kith_err tell(const struct redis *r, redisContext *c, struct words *w)
{
    redisReply *reply = NULL;
    kith_err err = talk(r, c, w, &reply, NULL);
    if (err == KITH_OK && reply->type == REDIS_REPLY_ERROR) err = refused(r, reply);
    freeReplyObject(reply);
    return err;
}

/* Who we are and which database: what every connection begins with. */
static kith_err greet(const struct redis *r, redisContext *c)
{
    const ki_redis_url *u = &r->url;
    struct words auth = { 0 }, choose = { 0 };
    char database[16];
    kith_err err = KITH_OK;
    say(&auth, "AUTH");
    if (u->user[0] != '\0') say(&auth, u->user);
    say(&auth, u->password);
    snprintf(database, sizeof database, "%d", u->database);
    say(&choose, "SELECT");
    say(&choose, database);
    if (u->user[0] != '\0' || u->password[0] != '\0') err = tell(r, c, &auth);
    if (err == KITH_OK && u->database != 0) err = tell(r, c, &choose);
    return err;
}

static kith_err connect_wire(const struct redis *r, redisContext **out)
{
    const ki_redis_url *u = &r->url;
    const struct timeval patience = milliseconds(CONNECT_MS);
    redisContext *c = u->path[0] != '\0' ? redisConnectUnixWithTimeout(u->path, patience)
                                         : redisConnectWithTimeout(u->host, u->port, patience);
    kith_err err = KITH_OK;
    errno = 0; /* what is told is the context's own */
    if (c == NULL || c->err != 0 || redisSetTimeout(c, milliseconds(COMMAND_MS)) != REDIS_OK)
        err = broken(r, c);
    else
        err = greet(r, c);
    if (err == KITH_OK)
        *out = c;
    else if (c != NULL)
        redisFree(c);
    return err;
}

/* ---- wires and sleep ---- */

static struct wire *idle_wire(struct redis *r)
{
    struct wire *found = NULL;
    for (int j = 0; j < N_WIRES; j++)
        if (!r->wires[j].busy && (found == NULL || r->wires[j].at != NULL)) found = &r->wires[j];
    return found;
}

/* A wire for this thread alone; KITH_EIO while the cache sleeps. */
static kith_err take(struct redis *r, struct wire **out)
{
    kith_err err = KITH_OK;
    struct wire *w = NULL;
    pthread_mutex_lock(&r->lock);
    while (r->asleep_until_ms <= now_ms() && (w = idle_wire(r)) == NULL)
        pthread_cond_wait(&r->freed, &r->lock);
    if (w == NULL || r->asleep_until_ms > now_ms()) {
        err = ki_fail(KITH_EIO, "%s", r->why);
    } else {
        if (r->nap_ms > 0)
            r->asleep_until_ms = now_ms() + r->nap_ms; /* one tries, the others sleep on */
        w->busy = 1;
        *out = w;
    }
    pthread_mutex_unlock(&r->lock);
    return err;
}

static void fall_asleep(struct redis *r)
{
    char why[KI_MESSAGE_SIZE];
    ki_message_get(why);
    snprintf(r->why, sizeof r->why, "%.255s", why);
    r->nap_ms = r->nap_ms == 0 ? FIRST_NAP_MS : KI_MIN(2 * r->nap_ms, (int64_t)LAST_NAP_MS);
    r->asleep_until_ms = now_ms() + r->nap_ms;
}

static void give_back(struct redis *r, struct wire *w, kith_err err)
{
    if (err != KITH_OK && w->at != NULL) {
        redisFree(w->at);
        w->at = NULL;
    }
    pthread_mutex_lock(&r->lock);
    w->busy = 0;
    if (err == KITH_EIO)
        fall_asleep(r);
    else if (err == KITH_OK)
        r->nap_ms = r->asleep_until_ms = 0;
    pthread_cond_broadcast(&r->freed);
    pthread_mutex_unlock(&r->lock);
}

/* Talk over a wire, which is connected first if it must be. */
static kith_err talk_over(const struct redis *r, struct wire *w, struct words *words,
                          redisReply **reply)
{
    int closed = 0;
    kith_err err;
    if (w->at != NULL) {
        err = talk(r, w->at, words, reply, &closed);
        if (err == KITH_OK || !closed) return err;
        redisFree(w->at);
        w->at = NULL;
    }
    if ((err = connect_wire(r, &w->at)) != KITH_OK) return err;
    return talk(r, w->at, words, reply, NULL);
}

/* One command and its reply, for freeReplyObject.  KITH_EIO: not asked, or no answer. */
static kith_err ask(struct redis *r, struct words *words, redisReply **out)
{
    struct wire *w = NULL;
    kith_err err = take(r, &w);
    if (err != KITH_OK) return err;
    err = talk_over(r, w, words, out);
    give_back(r, w, err);
    return err;
}

/* The same where a refusal is a failure too. */
static kith_err ask_well(struct redis *r, struct words *words, redisReply **out)
{
    redisReply *reply = NULL;
    kith_err err = ask(r, words, &reply);
    if (err == KITH_OK && reply->type == REDIS_REPLY_ERROR) err = refused(r, reply);
    if (err == KITH_OK)
        *out = reply;
    else
        freeReplyObject(reply);
    return err;
}

/* ---- the cache ---- */

/* The key as it stands in Redis: room[sizeof prefix + KI_CACHE_KEY_MAX]. */
static void add_key(struct words *w, const char *key, size_t n_key, char *room)
{
    const size_t n = sizeof prefix - 1;
    memcpy(room, prefix, n);
    memcpy(room + n, key, n_key);
    add(w, room, n + n_key);
}

static kith_err get(kith_cache *c, const char *key, size_t n_key, char **value, size_t *n)
{
    char room[sizeof prefix + KI_CACHE_KEY_MAX];
    struct words w = { 0 };
    redisReply *reply = NULL;
    say(&w, "GET");
    add_key(&w, key, n_key, room);
    kith_err err = ask_well(behind(c), &w, &reply);
    if (err != KITH_OK) return err;
    if (reply->type == REDIS_REPLY_STRING &&
        (err = ki_strndup(value, reply->str, (size_t)reply->len)) == KITH_OK)
        *n = (size_t)reply->len;
    freeReplyObject(reply);
    return err;
}

static kith_err put(kith_cache *c, const char *key, size_t n_key, const char *bytes, size_t n)
{
    char room[sizeof prefix + KI_CACHE_KEY_MAX], ttl[24];
    struct words w = { 0 };
    redisReply *reply = NULL;
    snprintf(ttl, sizeof ttl, "%lld", behind(c)->ttl_ms);
    say(&w, "SET");
    add_key(&w, key, n_key, room);
    add(&w, bytes, n);
    say(&w, "PX");
    say(&w, ttl);
    const kith_err err = ask_well(behind(c), &w, &reply);
    if (err == KITH_OK) freeReplyObject(reply);
    return err;
}

/* ---- dropping: SCAN finds the keys, UNLINK forgets them ---- */

/* prefix and n bytes that stand for themselves, then a star; pattern[2 * (n + sizeof prefix)]. */
static size_t make_pattern(const char *bytes, size_t n, char *pattern)
{
    size_t used = (size_t)(stpcpy(pattern, prefix) - pattern);
    for (size_t j = 0; j < n; j++) {
        if (strchr("*?[]\\", bytes[j]) != NULL && bytes[j] != '\0') pattern[used++] = '\\';
        pattern[used++] = bytes[j];
    }
    pattern[used++] = '*';
    return used;
}

static kith_err unlink_keys(struct redis *r, const redisReply *keys)
{
    kith_err err = KITH_OK;
    for (size_t j = 0; err == KITH_OK && j < keys->elements;) {
        struct words w = { 0 };
        redisReply *reply = NULL;
        say(&w, "UNLINK");
        for (; j < keys->elements && w.n < MOST_WORDS; j++)
            add(&w, keys->element[j]->str, (size_t)keys->element[j]->len);
        if ((err = ask_well(r, &w, &reply)) == KITH_OK) freeReplyObject(reply);
    }
    return err;
}

/* One step of the walk; cursor[32] goes on, and is "0" at the end. */
static kith_err drop_some(struct redis *r, const char *pattern, size_t n, char *cursor)
{
    struct words w = { 0 };
    redisReply *reply = NULL;
    say(&w, "SCAN");
    say(&w, cursor);
    say(&w, "MATCH");
    add(&w, pattern, n);
    say(&w, "COUNT");
    say(&w, "1000");
    kith_err err = ask_well(r, &w, &reply);
    if (err != KITH_OK) return err;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_ARRAY)
        err = ki_fail(KITH_EIO, "Redis at %s: SCAN did not give a cursor and keys", r->place);
    if (err == KITH_OK) err = unlink_keys(r, reply->element[1]);
    if (err == KITH_OK) snprintf(cursor, 32, "%.31s", reply->element[0]->str);
    freeReplyObject(reply);
    return err;
}

static kith_err drop_prefix(kith_cache *c, const char *bytes, size_t n)
{
    char pattern[2 * (sizeof prefix + KI_CACHE_KEY_MAX)], cursor[32] = "0";
    kith_err err;
    if (n > KI_CACHE_KEY_MAX) return KITH_OK; /* no key is so long */
    const size_t n_pattern = make_pattern(bytes, n, pattern);
    do {
        err = drop_some(behind(c), pattern, n_pattern, cursor);
    } while (err == KITH_OK && strcmp(cursor, "0") != 0);
    return err;
}

static void free_redis(kith_cache *c)
{
    struct redis *r = behind(c);
    for (int j = 0; j < N_WIRES; j++)
        if (r->wires[j].at != NULL) redisFree(r->wires[j].at);
    pthread_cond_destroy(&r->freed);
    pthread_mutex_destroy(&r->lock);
    ki_cache_clear(c);
    ki_free(r);
}

static const ki_cache_kind redis_kind = {
    .strategy = "redis", .get = get, .put = put, .drop_prefix = drop_prefix, .free = free_redis
};

kith_err kith_cache_redis(const char *url, double ttl_seconds, kith_cache **out)
{
    struct redis *r = NULL;
    ki_redis_url u;
    kith_err err;
    if (url == NULL) url = getenv("REDIS_URL");
    if (url == NULL || url[0] == '\0')
        return ki_fail(
            KITH_EINVAL,
            "the environment variable REDIS_URL names no server: redis://host[:port][/database]");
    if (out == NULL || !(ttl_seconds >= 0 && ttl_seconds <= 1e9))
        return ki_fail(KITH_EINVAL,
                       "kith_cache_redis: out is NULL, or the time is not from 0 to 1e9 seconds");
    if ((err = ki_redis_url_read(url, &u)) != KITH_OK) return err;
    if ((err = ki_alloc(&r, 1, sizeof *r)) != KITH_OK) return err;
    ki_cache_init(&r->face, &redis_kind);
    r->url = u;
    ki_redis_url_print(&u, r->place);
    r->ttl_ms = ttl_seconds == 0 ? 3600 * 1000LL : KI_MAX((long long)(1000 * ttl_seconds), 1LL);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->freed, NULL);
    *out = &r->face;
    return KITH_OK;
}

#endif
