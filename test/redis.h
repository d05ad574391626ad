/* SPDX-License-Identifier: MIT
 * redis.h -- a real redis-server for a test: started on a socket of its own, stopped by its process id
 */
#ifndef KITH_TEST_REDIS_H
#define KITH_TEST_REDIS_H

#include "disk.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

struct redis_server {
    pid_t pid; /* 0: not running */
    char path[108], url[128];
};

static inline void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ ms / 1000, (ms % 1000) * 1000000L }, NULL);
}

static inline double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* 1 when there is a redis-server and kith can talk to one; else a line says that the test is skipped. */
static inline int redis_is_there(void)
{
    kith_cache *c = NULL;
    const kith_err built = kith_cache_redis("redis://localhost", 0, &c);
    kith_cache_free(c);
    if (built == KITH_OK && system("command -v redis-server >/dev/null 2>&1") == 0) return 1;
    printf("skipped: %s\n", built == KITH_OK ? "there is no redis-server (package redis-server)" : kith_last_error());
    return 0;
}

static inline int redis_answers(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    snprintf(at.sun_path, sizeof at.sun_path, "%.107s", path);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    const int ok = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return ok;
}

/* Start it; `more` is one option and its value, or NULL.  It ends with this process whatever happens. */
static inline void redis_start(struct redis_server *s, const char *more, const char *value)
{
    if (s->path[0] == '\0') snprintf(s->path, sizeof s->path, "%.107s", scratch_path("redis"));
    snprintf(s->url, sizeof s->url, "unix://%s", s->path);
    unlink(s->path);
    s->pid = fork();
    if (s->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (freopen("/dev/null", "w", stdout) == NULL) _exit(1);
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", s->path, "--save", "", "--appendonly",
               "no", "--dir", "/tmp", more, value, (char *)NULL);
        _exit(1);
    }
    for (int j = 0; j < 500 && !redis_answers(s->path); j++) pause_ms(10);
    CHECK(redis_answers(s->path));
}

/* A TCP port of this machine that nobody listens on. */
static inline int free_port(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && getsockname(fd, (struct sockaddr *)&at, &n) == 0);
    close(fd);
    return ntohs(at.sin_port);
}

static inline void redis_stop(struct redis_server *s)
{
    if (s->pid == 0) return;
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    unlink(s->path);
    s->pid = 0;
}

#endif
