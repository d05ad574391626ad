/* SPDX-License-Identifier: MIT
 * door.c -- accept, one after the other; while all is full clients wait in the system's queue
 */
#include "serve/door.h"

#include "base/mem.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct ki_door {
    int listening, stop; /* stop: an eventfd */
    ki_guests guests;
    pthread_t thread;
};

/* Until the listening socket or the stop has something, at most `ms` (-1: for ever).  0: it is over. */
static int wait(const ki_door *d, int for_clients, int ms)
{
    struct pollfd fds[] = { { .fd = d->stop, .events = POLLIN },
                            { .fd = d->listening, .events = POLLIN } };
    while (poll(fds, for_clients ? 2 : 1, ms) < 0 && errno == EINTR) continue;
    return (fds[0].revents & POLLIN) == 0;
}

/* One client.  0: there is none now; -1: the system has no room for one. */
static int take(ki_door *d)
{
    struct sockaddr_storage from;
    socklen_t n = sizeof from;
    struct sockaddr *address = (struct sockaddr *)&from;
    const int fd = accept4(d->listening, address, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        d->guests.let_in(d->guests.arg, fd, address, n);
        return 1;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    return errno == ECONNABORTED || errno == EINTR ? 1 : -1;
}

/* All that wait.  0: some still do, though nobody can take them now, and poll would say so at once. */
static int take_all(ki_door *d)
{
    int took = 1;
    while (took > 0) {
        if (d->guests.is_full(d->guests.arg)) return 0;
        took = take(d);
    }
    return took == 0;
}

static void *work(void *arg)
{
    ki_door *d = arg;
    while (wait(d, 1, -1))
        if (!take_all(d)) (void)wait(d, 0, 10);
    return NULL;
}

/* Signals are for the threads of the program. */
static int start(ki_door *d)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&d->thread, NULL, work, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

kith_err ki_door_open(int fd, const ki_guests *guests, ki_door **out)
{
    ki_door *d = NULL;
    const kith_err err = ki_alloc(&d, 1, sizeof *d);
    if (err != KITH_OK) return err;
    *d = (ki_door){ .listening = fd, .guests = *guests };
    d->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (d->stop < 0 || start(d) != 0) {
        if (d->stop >= 0) close(d->stop);
        ki_free(d);
        return ki_fail(KITH_ENOMEM, "the thread that accepts clients could not be started");
    }
    *out = d;
    return KITH_OK;
}

void ki_door_shut(ki_door *d)
{
    const uint64_t one = 1;
    if (d == NULL) return;
    (void)!write(d->stop, &one, sizeof one);
    pthread_join(d->thread, NULL);
    close(d->stop);
    ki_free(d);
}
