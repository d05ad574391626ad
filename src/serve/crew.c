/* SPDX-License-Identifier: MIT
 * crew.c -- one queue, first come first served, and a pile of idle hands of whom the last to lie down is the first to rise
 *
 * A thread keeps the most that it ever held: pages of its stack, and blocks that malloc lays by for it, in glibc up to
 * some 200 KB.  Were whoever has rested longest woken, as one condition for all of them does, work would go round, and
 * every thread would grow to that size though there is seldom work for more than a few.
 */
#include "serve/crew.h"

#include "base/mem.h"

#include <pthread.h>

enum { MOST_HANDS = 256 };

typedef struct hand {
    ki_crew *crew;
    pthread_t thread;
    pthread_cond_t call;
    struct hand *below; /* in the pile */
    int is_idle;        /* in the pile; who calls takes it out */
} hand;

struct ki_crew {
    pthread_mutex_t lock; /* guards what follows */
    ki_errand *first, *last;
    int64_t waiting, most;
    int closing;
    hand *idle; /* top of the pile; NULL: everybody works or has been called */
    int n_hands;
    hand hands[MOST_HANDS];
};

/* ---- the pile, with the lock held ---- */

static void rest(ki_crew *c, hand *h)
{
    h->below = c->idle;
    h->is_idle = 1;
    c->idle = h;
    while (h->is_idle) pthread_cond_wait(&h->call, &c->lock);
}

/* Somebody, if there is anybody: what is in the queue may yet be taken by one who was at work. */
static void call(ki_crew *c)
{
    hand *h = c->idle;
    if (h == NULL) return;
    c->idle = h->below;
    h->is_idle = 0;
    pthread_cond_signal(&h->call);
}

/* ---- a hand ---- */

static ki_errand *take(hand *h)
{
    ki_crew *c = h->crew;
    pthread_mutex_lock(&c->lock);
    while (c->first == NULL && !c->closing) rest(c, h);
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
    for (ki_errand *e = take(arg); e != NULL; e = take(arg)) e->run(e->arg);
    return NULL;
}

static int start(ki_crew *c)
{
    hand *h = &c->hands[c->n_hands];
    h->crew = c;
    pthread_cond_init(&h->call, NULL);
    if (pthread_create(&h->thread, NULL, work, h) == 0) return 1;
    pthread_cond_destroy(&h->call);
    return 0;
}

/* ---- the crew ---- */

kith_err ki_crew_new(int n_threads, int64_t most_queued, ki_crew **out)
{
    ki_crew *c = NULL;
    const kith_err err = ki_alloc(&c, 1, sizeof *c);
    if (err != KITH_OK) return err;
    pthread_mutex_init(&c->lock, NULL);
    c->most = most_queued;
    while (c->n_hands < KI_MIN(n_threads, MOST_HANDS) && start(c)) c->n_hands++;
    if (c->n_hands == 0) {
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
        call(c);
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
    while (c->idle != NULL) call(c);
    pthread_mutex_unlock(&c->lock);
    for (; c->n_hands > 0; c->n_hands--) {
        hand *h = &c->hands[c->n_hands - 1];
        pthread_join(h->thread, NULL);
        pthread_cond_destroy(&h->call);
    }
}

void ki_crew_free(ki_crew *c)
{
    if (c == NULL) return;
    ki_crew_stop(c);
    pthread_mutex_destroy(&c->lock);
    ki_free(c);
}
