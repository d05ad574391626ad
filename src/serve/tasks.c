/* SPDX-License-Identifier: MIT
 * tasks.c -- a queue, one worker, and what is told of each task
 */
#include "serve/tasks.h"

#include "base/mem.h"
#include "serve/clock.h"
#include "tool/events.h" /* ki_now */

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum {
    KEPT = 100,
    MOST_WAITING = 32,
    ROOM = KEPT + MOST_WAITING + 1,
    TICK_MS = 1000,
    NICE =
        5, /* a third of the weight of who answers: at 10, a tenth, a training hardly moves while all is busy */
};

typedef enum state { QUEUED, RUNNING, DONE, FAILED, CANCELED } state;
static const char *const state_names[] = { "queued", "running", "done", "failed", "canceled" };

typedef struct task {
    char id[40], kind[24], step[64];
    state state;
    ki_task_fn run;
    json_t *order, *result;
    int64_t done, total, change;
    char queued_at[KI_NOW_ROOM], started_at[KI_NOW_ROOM], finished_at[KI_NOW_ROOM];
    kith_err err;
    char message[KI_MESSAGE_SIZE];
    int stop; /* cancel was asked for */
} task;

struct ki_tasks {
    pthread_mutex_t lock;
    pthread_cond_t news;
    ki_tasks_options o;
    task *all; /* [ROOM] oldest first */
    int n;
    kith *running; /* context of the task that runs; NULL: none */
    char running_id[40];
    int64_t counter;
    int closing, has_worker;
    pthread_t worker;
};

static task *find(ki_tasks *t, const char *id)
{
    for (int j = 0; j < t->n; j++)
        if (strcmp(t->all[j].id, id) == 0) return &t->all[j];
    return NULL;
}

static int is_over(const task *k)
{
    return k->state >= DONE;
}

static void touch(ki_tasks *t, task *k)
{
    k->change = ++t->counter;
    pthread_cond_broadcast(&t->news);
}

static void clear(task *k)
{
    json_decref(k->order);
    json_decref(k->result);
}

/* Room for one more: the oldest that has ended goes when too many are kept. */
static void forget_old(ki_tasks *t)
{
    int over = 0, oldest = -1;
    for (int j = t->n - 1; j >= 0; j--)
        if (is_over(&t->all[j])) over++, oldest = j;
    if (over < KEPT) return;
    clear(&t->all[oldest]);
    memmove(&t->all[oldest], &t->all[oldest + 1], (size_t)(t->n - oldest - 1) * sizeof t->all[0]);
    t->n--;
}

/* ---- the worker ---- */

static void step(void *udata, const char *what, int64_t done, int64_t total)
{
    ki_tasks *t = udata;
    pthread_mutex_lock(&t->lock);
    task *k = find(t, t->running_id);
    snprintf(k->step, sizeof k->step, "%s", what);
    k->done = done;
    k->total = total;
    touch(t, k);
    pthread_mutex_unlock(&t->lock);
}

static task *next(ki_tasks *t)
{
    for (int j = 0; j < t->n; j++)
        if (t->all[j].state == QUEUED) return &t->all[j];
    return NULL;
}

static void finish(ki_tasks *t, kith_err err, json_t *result)
{
    task *k = find(t, t->running_id);
    k->err = err;
    k->state = err == KITH_OK ? DONE : err == KITH_ECANCELED ? CANCELED : FAILED;
    snprintf(k->message, sizeof k->message, "%s", err == KITH_OK ? "" : kith_last_error());
    k->result = result;
    ki_now(k->finished_at);
    t->running_id[0] = '\0';
    touch(t, k);
}

/* Called and left with the lock held.  A training takes many times what stays of it, in blocks of all sizes among
 * those of requests, so that malloc by itself gives little of it back. */
static void run_one(ki_tasks *t, task *k)
{
    const ki_task_fn run = k->run;
    json_t *order = json_deep_copy(k->order), *result = NULL;
    kith_options o = t->o.context;
    kith *context = NULL;
    snprintf(t->running_id, sizeof t->running_id, "%s", k->id);
    k->state = RUNNING;
    ki_now(k->started_at);
    touch(t, k);
    pthread_mutex_unlock(&t->lock);
    o.progress = step;
    o.udata = t;
    o.cancel_for_good = 1;
    kith_err err = kith_new(&o, &context);
    pthread_mutex_lock(&t->lock);
    t->running = context;
    const int stop = find(t, t->running_id)->stop;
    pthread_mutex_unlock(&t->lock);
    if (stop) err = ki_fail(KITH_ECANCELED, "canceled before it began");
    if (err == KITH_OK) err = run(t->o.udata, context, order, &result);
    json_decref(order);
    pthread_mutex_lock(&t->lock);
    t->running = NULL;
    finish(t, err, result);
    pthread_mutex_unlock(&t->lock);
    kith_free(context);
    ki_give_back_free();
    pthread_mutex_lock(&t->lock);
}

static void *work(void *arg)
{
    ki_tasks *t = arg;
    setpriority(PRIO_PROCESS, 0, NICE); /* of this thread, and of those that it starts */
    pthread_mutex_lock(&t->lock);
    while (!t->closing) {
        task *k = next(t);
        if (k != NULL) {
            run_one(t, k);
            continue;
        }
        ki_cond_wait(&t->news, &t->lock, TICK_MS);
        if (t->closing || t->o.tick == NULL || next(t) != NULL) continue;
        pthread_mutex_unlock(&t->lock);
        t->o.tick(t->o.udata);
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* ---- life ---- */

kith_err ki_tasks_new(const ki_tasks_options *o, ki_tasks **out)
{
    ki_tasks *t = NULL;
    kith_err err = ki_alloc(&t, 1, sizeof *t);
    if (err != KITH_OK) return err;
    t->o = *o;
    pthread_mutex_init(&t->lock, NULL);
    ki_cond_init(&t->news);
    if ((err = ki_alloc(&t->all, ROOM, sizeof t->all[0])) == KITH_OK) {
        t->has_worker = pthread_create(&t->worker, NULL, work, t) == 0;
        if (!t->has_worker) err = ki_fail(KITH_ENOMEM, "the system refuses a thread for tasks");
    }
    if (err == KITH_OK)
        *out = t;
    else
        ki_tasks_free(t);
    return err;
}

void ki_tasks_free(ki_tasks *t)
{
    if (t == NULL) return;
    pthread_mutex_lock(&t->lock);
    t->closing = 1;
    if (t->running != NULL) kith_cancel(t->running);
    for (int j = 0; j < t->n; j++) t->all[j].stop = 1;
    pthread_cond_broadcast(&t->news);
    pthread_mutex_unlock(&t->lock);
    if (t->has_worker) pthread_join(t->worker, NULL);
    for (int j = 0; j < t->n; j++) clear(&t->all[j]);
    ki_free(t->all);
    pthread_cond_destroy(&t->news);
    pthread_mutex_destroy(&t->lock);
    ki_free(t);
}

/* ---- from outside ---- */

static int waiting(const ki_tasks *t)
{
    int n = 0;
    for (int j = 0; j < t->n; j++) n += !is_over(&t->all[j]);
    return n;
}

kith_err ki_tasks_add(ki_tasks *t, const char *kind, ki_task_fn run, json_t *order, char *id)
{
    if (order == NULL) return ki_fail_memory(64);
    pthread_mutex_lock(&t->lock);
    if (waiting(t) >= MOST_WAITING) {
        pthread_mutex_unlock(&t->lock);
        json_decref(order);
        return ki_fail(KITH_EINVAL, "%d tasks are waiting already; let them end or cancel some",
                       MOST_WAITING);
    }
    forget_old(t);
    task *k = &t->all[t->n++];
    *k = (task){ .run = run, .order = order };
    snprintf(k->kind, sizeof k->kind, "%s", kind);
    snprintf(k->id, sizeof k->id, "%s-%" PRId64 "-%" PRId64, kind, ki_now_ms() / 1000,
             ++t->counter);
    ki_now(k->queued_at);
    snprintf(id, sizeof k->id, "%s", k->id);
    touch(t, k);
    pthread_mutex_unlock(&t->lock);
    return KITH_OK;
}

static void add_text(json_t *o, const char *name, const char *text)
{
    if (text[0] != '\0') json_object_set_new(o, name, json_string(text));
}

static json_t *tell(const task *k)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:O}", "id", k->id, "kind", k->kind, "state",
                          state_names[k->state], "order", k->order);
    add_text(o, "queued_at", k->queued_at);
    add_text(o, "started_at", k->started_at);
    add_text(o, "finished_at", k->finished_at);
    add_text(o, "step", k->step);
    if (k->step[0] != '\0') {
        json_object_set_new(o, "done", json_integer(k->done));
        json_object_set_new(o, "total", json_integer(k->total));
    }
    if (k->result != NULL) json_object_set(o, "result", k->result);
    add_text(o, "error", k->message);
    return o;
}

static kith_err no_such(const char *id)
{
    return ki_fail(KITH_ENOTFOUND, "no task is called \"%.60s\"; the last %d are kept", id, KEPT);
}

kith_err ki_tasks_get(ki_tasks *t, const char *id, json_t **out)
{
    pthread_mutex_lock(&t->lock);
    const task *k = find(t, id);
    json_t *told = k == NULL ? NULL : tell(k);
    pthread_mutex_unlock(&t->lock);
    if (k == NULL) return no_such(id);
    return told == NULL ? ki_fail_memory(256) : (*out = told, KITH_OK);
}

kith_err ki_tasks_list(ki_tasks *t, json_t **out)
{
    json_t *list = json_array();
    pthread_mutex_lock(&t->lock);
    for (int j = t->n - 1; j >= 0; j--) json_array_append_new(list, tell(&t->all[j]));
    pthread_mutex_unlock(&t->lock);
    return list == NULL ? ki_fail_memory(256) : (*out = list, KITH_OK);
}

kith_err ki_tasks_cancel(ki_tasks *t, const char *id)
{
    pthread_mutex_lock(&t->lock);
    task *k = find(t, id);
    const int over = k != NULL && is_over(k);
    if (k != NULL && k->state == QUEUED) {
        k->state = CANCELED;
        k->err = KITH_ECANCELED;
        snprintf(k->message, sizeof k->message, "canceled before it began");
        ki_now(k->finished_at);
        touch(t, k);
    } else if (k != NULL && k->state == RUNNING) {
        k->stop = 1;
        if (t->running != NULL) kith_cancel(t->running);
    }
    pthread_mutex_unlock(&t->lock);
    if (k == NULL) return no_such(id);
    return over ? ki_fail(KITH_EINVAL, "task %s has ended already", id) : KITH_OK;
}

int64_t ki_tasks_change(ki_tasks *t, const char *id, int *over)
{
    pthread_mutex_lock(&t->lock);
    const task *k = find(t, id);
    const int64_t change = k == NULL ? 0 : k->change;
    *over = k == NULL || is_over(k);
    pthread_mutex_unlock(&t->lock);
    return change;
}

int ki_tasks_busy(ki_tasks *t, const char *kind)
{
    int busy = 0;
    pthread_mutex_lock(&t->lock);
    for (int j = 0; j < t->n; j++)
        busy |= !is_over(&t->all[j]) && strcmp(t->all[j].kind, kind) == 0;
    pthread_mutex_unlock(&t->lock);
    return busy;
}

kith_err ki_tasks_wait(ki_tasks *t, const char *id)
{
    kith_err err = KITH_OK;
    pthread_mutex_lock(&t->lock);
    const task *k = find(t, id);
    while (k != NULL && !is_over(k) && !t->closing) {
        pthread_cond_wait(&t->news, &t->lock);
        k = find(t, id);
    }
    if (k != NULL && is_over(k) && k->err != KITH_OK) err = ki_fail(k->err, "%s", k->message);
    pthread_mutex_unlock(&t->lock);
    return k == NULL ? no_such(id) : err;
}
