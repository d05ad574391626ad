/* SPDX-License-Identifier: MIT
 * exposures.c -- a queue, and a thread that empties it into the journal
 */
#include "serve/exposures.h"

#include "base/mem.h"
#include "serve/clock.h"

#include <pthread.h>
#include <string.h>

enum { ROOM = 8192, PAUSE_MS = 100 };

struct row {
    char *rec_id, *user, *json;
    int64_t time_ms;
};

struct ki_exposures {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* rows came, rows were written, or it is over */
    ki_store *store;
    struct row *rows, *writing; /* [ROOM] each */
    int n, closing, has_thread;
    int64_t added, written, lost;
    pthread_t thread;
};

static void clear(struct row *r)
{
    ki_free(r->rec_id);
    ki_free(r->user);
    ki_free(r->json);
    *r = (struct row){ 0 };
}

/* How many were lost: all or none. */
static int write_rows(ki_exposures *e, int n)
{
    ki_change *changes = NULL;
    int lost = n;
    if (n > 0 && ki_alloc(&changes, (size_t)n, sizeof *changes) == KITH_OK) {
        for (int j = 0; j < n; j++)
            changes[j] = (ki_change){ .change = KI_ADD_JOURNAL,
                                      .kind = "exposure",
                                      .id = e->writing[j].rec_id,
                                      .user = e->writing[j].user,
                                      .json = e->writing[j].json,
                                      .time_ms = e->writing[j].time_ms };
        if (ki_store_write(e->store, changes, n) == KITH_OK) lost = 0;
    }
    ki_free(changes);
    for (int j = 0; j < n; j++) clear(&e->writing[j]);
    return lost;
}

static void *empty(void *arg)
{
    ki_exposures *e = arg;
    pthread_mutex_lock(&e->lock);
    while (!e->closing || e->n > 0) {
        if (e->n == 0) {
            pthread_cond_wait(&e->changed, &e->lock);
            continue;
        }
        if (!e->closing && e->n < ROOM / 2) ki_cond_wait(&e->changed, &e->lock, PAUSE_MS);
        struct row *swap = e->rows;
        const int n = e->n;
        e->rows = e->writing;
        e->writing = swap;
        e->n = 0;
        pthread_mutex_unlock(&e->lock);
        const int lost = write_rows(e, n);
        pthread_mutex_lock(&e->lock);
        e->lost += lost;
        e->written += n;
        pthread_cond_broadcast(&e->changed);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

kith_err ki_exposures_new(ki_store *store, ki_exposures **out)
{
    ki_exposures *e = NULL;
    kith_err err = ki_alloc(&e, 1, sizeof *e);
    if (err != KITH_OK) return err;
    e->store = store;
    pthread_mutex_init(&e->lock, NULL);
    ki_cond_init(&e->changed);
    if ((err = ki_alloc(&e->rows, ROOM, sizeof *e->rows)) == KITH_OK &&
        (err = ki_alloc(&e->writing, ROOM, sizeof *e->writing)) == KITH_OK) {
        e->has_thread = pthread_create(&e->thread, NULL, empty, e) == 0;
        if (!e->has_thread) err = ki_fail(KITH_ENOMEM, "the system refuses a thread for exposures");
    }
    if (err == KITH_OK)
        *out = e;
    else
        ki_exposures_free(e);
    return err;
}

void ki_exposures_free(ki_exposures *e)
{
    if (e == NULL) return;
    pthread_mutex_lock(&e->lock);
    e->closing = 1;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
    if (e->has_thread) pthread_join(e->thread, NULL);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->lock);
    ki_free(e->rows);
    ki_free(e->writing);
    ki_free(e);
}

kith_err ki_exposures_add(ki_exposures *e, const char *rec_id, const char *user, const char *json)
{
    struct row made = { .time_ms = ki_now_ms() };
    kith_err err = ki_strdup(&made.rec_id, rec_id);
    if (err == KITH_OK) err = ki_strdup(&made.user, user);
    if (err == KITH_OK) err = ki_strdup(&made.json, json);
    pthread_mutex_lock(&e->lock);
    if (err == KITH_OK && e->n < ROOM) {
        e->rows[e->n++] = made;
        e->added++;
        pthread_cond_broadcast(&e->changed);
    } else {
        e->lost++;
        clear(&made);
    }
    pthread_mutex_unlock(&e->lock);
    return err;
}

void ki_exposures_flush(ki_exposures *e)
{
    pthread_mutex_lock(&e->lock);
    const int64_t until = e->added;
    while (e->written < until) pthread_cond_wait(&e->changed, &e->lock);
    pthread_mutex_unlock(&e->lock);
}

int64_t ki_exposures_lost(ki_exposures *e)
{
    pthread_mutex_lock(&e->lock);
    const int64_t n = e->lost;
    pthread_mutex_unlock(&e->lock);
    return n;
}
