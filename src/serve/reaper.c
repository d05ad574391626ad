/* SPDX-License-Identifier: MIT
 * reaper.c -- a list of connections and a thread that looks at their deadlines
 */
#include "serve/reaper.h"

#include "base/mem.h"
#include "serve/clock.h"

#include <pthread.h>
#include <sys/socket.h>

enum { PAUSE_MS = 200 };

struct ki_reaper {
    void (*tick)(void *arg);
    void *arg;
    pthread_t thread;
    pthread_mutex_t
        lock; /* guards what follows; held while fds are shut down, so that none is another's by then */
    pthread_cond_t stop;
    int stopping;
    ki_peer *first;
    ki_reaper_counts counts;
};

static void shut_late(ki_reaper *r)
{
    const int64_t now = ki_clock_ns();
    for (ki_peer *p = r->first; p != NULL; p = p->next) {
        const int64_t due = atomic_load_explicit(&p->deadline, memory_order_relaxed);
        if (due == 0 || due > now) continue;
        shutdown(p->fd, SHUT_RDWR);
        atomic_store_explicit(&p->deadline, 0, memory_order_relaxed);
        r->counts.late++;
    }
}

static void *look(void *arg)
{
    ki_reaper *r = arg;
    pthread_mutex_lock(&r->lock);
    while (!r->stopping) {
        shut_late(r);
        pthread_mutex_unlock(&r->lock);
        r->tick(r->arg);
        pthread_mutex_lock(&r->lock);
        if (!r->stopping) ki_cond_wait(&r->stop, &r->lock, PAUSE_MS);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

kith_err ki_reaper_new(void (*tick)(void *arg), void *arg, ki_reaper **out)
{
    ki_reaper *r = NULL;
    const kith_err err = ki_alloc(&r, 1, sizeof *r);
    if (err != KITH_OK) return err;
    r->tick = tick;
    r->arg = arg;
    pthread_mutex_init(&r->lock, NULL);
    ki_cond_init(&r->stop);
    if (pthread_create(&r->thread, NULL, look, r) != 0) {
        ki_free(r);
        return ki_fail(KITH_ENOMEM, "no thread can be started");
    }
    *out = r;
    return KITH_OK;
}

void ki_reaper_stop(ki_reaper *r)
{
    if (r == NULL) return;
    pthread_mutex_lock(&r->lock);
    const int running = !r->stopping;
    r->stopping = 1;
    pthread_cond_signal(&r->stop);
    pthread_mutex_unlock(&r->lock);
    if (running) pthread_join(r->thread, NULL);
}

void ki_reaper_free(ki_reaper *r)
{
    if (r == NULL) return;
    ki_reaper_stop(r);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->stop);
    ki_free(r);
}

ki_peer *ki_reaper_add(ki_reaper *r, int fd, int64_t deadline)
{
    ki_peer *p = NULL;
    if (ki_alloc(&p, 1, sizeof *p) != KITH_OK) return NULL;
    p->fd = fd;
    p->deadline = deadline;
    pthread_mutex_lock(&r->lock);
    p->next = r->first;
    if (p->next != NULL) p->next->prev = p;
    r->first = p;
    r->counts.open++;
    r->counts.accepted++;
    pthread_mutex_unlock(&r->lock);
    return p;
}

void ki_reaper_remove(ki_reaper *r, ki_peer *p)
{
    if (p == NULL) return;
    pthread_mutex_lock(&r->lock);
    if (p->prev != NULL)
        p->prev->next = p->next;
    else
        r->first = p->next;
    if (p->next != NULL) p->next->prev = p->prev;
    r->counts.open--;
    pthread_mutex_unlock(&r->lock);
    ki_free(p);
}

void ki_peer_due(ki_peer *p, int64_t deadline)
{
    if (p != NULL) atomic_store_explicit(&p->deadline, deadline, memory_order_relaxed);
}

void ki_reaper_count(ki_reaper *r, ki_reaper_counts *out)
{
    pthread_mutex_lock(&r->lock);
    *out = r->counts;
    pthread_mutex_unlock(&r->lock);
}
