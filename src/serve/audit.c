/* SPDX-License-Identifier: MIT
 * audit.c -- rows that are gathered for a moment
 */
#include "serve/audit.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 256, PAUSE_MS = 1000 };

typedef struct row {
    char key[KI_KEY_ID];
    const ki_route *route;
    int status;
    int64_t n, first_ms, last_ms;
} row;

struct ki_audit {
    ki_service *service;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t news;
    row rows[ROWS];
    int n, stopping;
};

/* One batch: what fails is lost, and the store says so by its own failures. */
static void write_rows(ki_service *service, const row *rows, int n)
{
    char text[ROWS][256];
    ki_change changes[ROWS];
    memset(changes, 0, sizeof changes);
    for (int j = 0; j < n; j++) {
        const row *r = &rows[j];
        snprintf(text[j], sizeof text[j],
                 "{\"route\":\"%s\",\"method\":\"%s\",\"status\":%d,\"n\":%lld,\"last_ms\":%lld}",
                 r->route->id, r->route->method, r->status, (long long)r->n, (long long)r->last_ms);
        changes[j] = (ki_change){ .change = KI_ADD_JOURNAL,
                                  .kind = "audit",
                                  .id = r->key,
                                  .json = text[j],
                                  .time_ms = r->first_ms };
    }
    if (n > 0) ki_service_write(service, changes, n);
}

static void *keep(void *arg)
{
    ki_audit *a = arg;
    static_assert(sizeof(row) * ROWS < 65536, "a copy of the rows lies on the stack");
    pthread_mutex_lock(&a->lock);
    for (int stopping = 0; !stopping;) {
        row rows[ROWS];
        while (!a->stopping && a->n < ROWS / 2 && ki_cond_wait(&a->news, &a->lock, PAUSE_MS))
            continue;
        const int n = a->n;
        memcpy(rows, a->rows, (size_t)n * sizeof rows[0]);
        a->n = 0;
        stopping = a->stopping;
        pthread_mutex_unlock(&a->lock);
        write_rows(a->service, rows, n);
        pthread_mutex_lock(&a->lock);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

kith_err ki_audit_new(ki_service *service, ki_audit **out)
{
    ki_audit *a = NULL;
    const kith_err err = ki_alloc(&a, 1, sizeof *a);
    if (err != KITH_OK) return err;
    a->service = service;
    pthread_mutex_init(&a->lock, NULL);
    ki_cond_init(&a->news);
    if (pthread_create(&a->thread, NULL, keep, a) != 0) {
        ki_free(a);
        return ki_fail(KITH_ENOMEM, "no thread can be started");
    }
    *out = a;
    return KITH_OK;
}

void ki_audit_free(ki_audit *a)
{
    if (a == NULL) return;
    pthread_mutex_lock(&a->lock);
    a->stopping = 1;
    pthread_cond_signal(&a->news);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->news);
    ki_free(a);
}

static row row_of(const ki_call *c)
{
    row r = {
        .route = c->entry->route, .status = c->reply.status, .n = 1, .first_ms = ki_now_ms()
    };
    snprintf(r.key, sizeof r.key, "%s", c->caller.key_id[0] != '\0' ? c->caller.key_id : "local");
    r.last_ms = r.first_ms;
    return r;
}

static int is_same(const row *a, const row *b)
{
    return a->route == b->route && a->status == b->status && strcmp(a->key, b->key) == 0;
}

/* When a hundred keys write at once and the thread is behind, rows beyond the room are not kept one by one. */
static void gather(ki_audit *a, const row *r)
{
    int at = 0;
    pthread_mutex_lock(&a->lock);
    while (at < a->n && !is_same(&a->rows[at], r)) at++;
    if (at < a->n) {
        a->rows[at].n++;
        a->rows[at].last_ms = r->last_ms;
    } else if (a->n < ROWS) {
        a->rows[a->n++] = *r;
    }
    if (a->n >= ROWS / 2) pthread_cond_signal(&a->news);
    pthread_mutex_unlock(&a->lock);
}

void ki_audit_call(ki_audit *a, const ki_call *c)
{
    const ki_route *route = c->entry->route;
    const int level = c->site->limits->audit, admin = route->role == KI_ROLE_ADMIN;
    const int changes = strcmp(route->method, "GET") != 0 && (route->flags & KI_ROUTE_QUICK) == 0;
    if (level == 0) return;
    if (!admin && !(level == 2 && changes && c->caller.role >= KI_ROLE_WRITE)) return;
    const row r = row_of(c);
    if (admin && changes && c->checked > 0) /* it ran, in a thread that may wait */
        write_rows(a->service, &r, 1);
    else
        gather(a, &r);
}
