/* SPDX-License-Identifier: MIT
 * crew.c -- one queue, first come first served
 */
#include "serve/crew.h"

#include "base/mem.h"

#include <pthread.h>

struct ki_crew {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t news;
    ki_errand *first, *last;
    int64_t waiting, most;
    int closing;
    int n_threads;
    pthread_t threads[256];
};

static ki_errand *take(ki_crew *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->first == NULL && !c->closing) pthread_cond_wait(&c->news, &c->lock);
    ki_errand *e = c->first;
    if (e != NULL) {
        c->first = e->next;
        if (c->first == NULL) c->last = NULL;
        c->waiting--;
    }
    pthread_mutex_unlock(&c->lock);
    return e;
}

static void *work(void *arg)
{
    ki_crew *c = arg;
    for (ki_errand *e = take(c); e != NULL; e = take(c)) e->run(e->arg);
    return NULL;
}

kith_err ki_crew_new(int n_threads, int64_t most_queued, ki_crew **out)
{
    ki_crew *c = NULL;
    const kith_err err = ki_alloc(&c, 1, sizeof *c);
    if (err != KITH_OK) return err;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->news, NULL);
    c->most = most_queued;
    while (c->n_threads < KI_MIN(n_threads, 256) &&
           pthread_create(&c->threads[c->n_threads], NULL, work, c) == 0)
        c->n_threads++;
    if (c->n_threads == 0) {
        ki_crew_free(c);
        return ki_fail(KITH_ENOMEM, "no thread can be started");
    }
    *out = c;
    return KITH_OK;
}

int ki_crew_send(ki_crew *c, ki_errand *e)
{
    pthread_mutex_lock(&c->lock);
    const int taken = c->waiting < c->most && !c->closing;
    if (taken) {
        e->next = NULL;
        if (c->last != NULL)
            c->last->next = e;
        else
            c->first = e;
        c->last = e;
        c->waiting++;
        pthread_cond_signal(&c->news);
    }
    pthread_mutex_unlock(&c->lock);
    return taken;
}

int64_t ki_crew_waiting(ki_crew *c)
{
    pthread_mutex_lock(&c->lock);
    const int64_t n = c->waiting;
    pthread_mutex_unlock(&c->lock);
    return n;
}

void ki_crew_stop(ki_crew *c)
{
    if (c == NULL) return;
    pthread_mutex_lock(&c->lock);
    c->closing = 1;
    pthread_cond_broadcast(&c->news);
    pthread_mutex_unlock(&c->lock);
    for (; c->n_threads > 0; c->n_threads--) pthread_join(c->threads[c->n_threads - 1], NULL);
}

void ki_crew_free(ki_crew *c)
{
    if (c == NULL) return;
    ki_crew_stop(c);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->news);
    ki_free(c);
}
