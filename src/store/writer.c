/* SPDX-License-Identifier: MIT
 * writer.c -- the one thread that writes: it gathers the batches of many callers into one transaction
 *
 * While one transaction waits for the disk the next batches queue up; the writer takes all of them (up to a limit, so
 * that no caller waits for a mountain of others) into the next one.  The slower the disk, the larger the groups: the
 * throughput follows the load, and a lone caller waits for nobody.
 *
 *      take the queue -> begin -> write each batch -> commit -> applied, each in turn -> scrub -> wake the callers
 *
 * A batch that the backend refuses for what it says (KITH_EINVAL, KITH_EDATA) fails alone: hardly ever is there one, so the
 * group is written as one whole first, and once more with its batches apart when one was refused.  Any other failure loses
 * the transaction, so all of its batches get that failure, and the writer goes on with the next group.
 *
 * A batch lies on its caller's stack; the writer does not touch it once it is done.
 */
#include "store/writer.h"

#include "base/mem.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

enum {
    GROUP_CHANGES = 8192, /* a group is closed when it has that many */
    IDLE_MS = 500,        /* with no batch for so long the backend may tidy at leisure */
};

struct batch {
    ki_change *changes;
    int n,
        drops; /* drops: a user, item or document goes, to be scrubbed before the caller returns */
    int done;
    kith_err err;
    char message[KI_MESSAGE_SIZE];
    pthread_cond_t finished;
    struct batch *next;
};

struct ki_writer {
    const ki_backend *backend;
    void *state;
    void (*applied)(void *udata, const ki_change *changes, int n);
    void *udata;
    int max_wait_us;
    int untidy; /* commits since the backend last tidied at leisure; the writer's own */
    pthread_t thread;

    pthread_mutex_t lock; /* guards all below, and `done` of batches */
    pthread_cond_t arrived;
    struct batch *first, *last;
    int64_t queued, queued_changes;
    int64_t commits, batches, changes, last_commit_us;
    int stop;
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static struct timespec deadline_in(int64_t us)
{
    const int64_t at = now_us() + us;
    return (struct timespec){ .tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000 };
}

/* ---- the queue ---- */

static void push(ki_writer *w, struct batch *b)
{
    if (w->last != NULL)
        w->last->next = b;
    else
        w->first = b;
    w->last = b;
    w->queued++;
    w->queued_changes += b->n;
}

/* The front of the queue, as one list. */
static struct batch *take_group(ki_writer *w)
{
    struct batch *group = w->first, *end = NULL;
    int64_t n = 0;
    while (w->first != NULL && (end == NULL || n + w->first->n <= GROUP_CHANGES)) {
        end = w->first;
        w->first = end->next;
        n += end->n;
        w->queued--;
    }
    if (end != NULL) end->next = NULL;
    if (w->first == NULL) w->last = NULL;
    w->queued_changes -= n;
    return group;
}

/* Wait for more to come with the first batch; called with the lock. */
static void gather(ki_writer *w)
{
    const struct timespec until = deadline_in(w->max_wait_us);
    while (!w->stop && w->queued_changes < GROUP_CHANGES)
        if (pthread_cond_timedwait(&w->arrived, &w->lock, &until) != 0) return;
}

/* ---- one group ---- */

static void fail_batch(struct batch *b, kith_err err)
{
    b->err = err;
    ki_message_get(b->message);
}

static void fail_group(struct batch *group, kith_err err)
{
    for (struct batch *b = group; b != NULL; b = b->next)
        if (b->err == KITH_OK) fail_batch(b, err);
}

static int is_refusal(kith_err err)
{
    return err == KITH_EINVAL || err == KITH_EDATA;
}

/* Everything up to the commit; on failure the transaction is lost. */
static kith_err write_once(ki_writer *w, struct batch *group, int apart)
{
    kith_err err = w->backend->begin(w->state, apart);
    for (struct batch *b = group; err == KITH_OK && b != NULL; b = b->next) {
        err = w->backend->write(w->state, b->changes, b->n);
        if (!apart || !is_refusal(err)) continue;
        fail_batch(b, err);
        err = KITH_OK;
    }
    return err == KITH_OK ? w->backend->commit(w->state) : err;
}

static kith_err write_group(ki_writer *w, struct batch *group)
{
    const kith_err err = write_once(w, group, 0);
    if (!is_refusal(err)) return err;
    w->backend->rollback(w->state);
    return write_once(w, group, 1);
}

static void apply_group(ki_writer *w, const struct batch *group)
{
    if (w->applied == NULL) return;
    for (const struct batch *b = group; b != NULL; b = b->next)
        if (b->err == KITH_OK) w->applied(w->udata, b->changes, b->n);
}

/* What was dropped is gone from the files when its caller returns. */
static void scrub_group(ki_writer *w, const struct batch *group)
{
    int drops = 0;
    for (const struct batch *b = group; b != NULL; b = b->next)
        drops |= b->err == KITH_OK && b->drops;
    if (drops) w->backend->scrub(w->state);
}

static void tell_callers(ki_writer *w, struct batch *group, int committed, int64_t took_us)
{
    pthread_mutex_lock(&w->lock);
    if (committed) {
        w->commits++;
        w->last_commit_us = took_us;
    }
    for (struct batch *b = group, *next; b != NULL; b = next) {
        next = b->next;
        w->batches += b->err == KITH_OK;
        w->changes += b->err == KITH_OK ? b->n : 0;
        b->done = 1;
        pthread_cond_signal(&b->finished); /* its caller may go as soon as the lock is free */
    }
    pthread_mutex_unlock(&w->lock);
}

static void run_group(ki_writer *w, struct batch *group)
{
    const int64_t began = now_us();
    const kith_err err = write_group(w, group);
    const int64_t took = now_us() - began;
    if (err == KITH_OK) {
        apply_group(w, group);
        scrub_group(w, group);
        w->untidy = 1;
    } else {
        fail_group(group, err);
        w->backend->rollback(w->state);
    }
    tell_callers(w, group, err == KITH_OK, took);
    w->backend->tidy(w->state, 0);
}

/* ---- the thread ---- */

/* Until there is a batch or it is time to stop; tidies once when nothing comes.  With the lock. */
static void await_batch(ki_writer *w)
{
    while (w->first == NULL && !w->stop) {
        const struct timespec until = deadline_in(IDLE_MS * 1000);
        if (!w->untidy) {
            pthread_cond_wait(&w->arrived, &w->lock);
        } else if (pthread_cond_timedwait(&w->arrived, &w->lock, &until) != 0 && w->first == NULL) {
            pthread_mutex_unlock(&w->lock);
            w->backend->tidy(w->state, 1);
            w->untidy = 0;
            pthread_mutex_lock(&w->lock);
        }
    }
}

static void *work(void *p)
{
    ki_writer *w = p;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        await_batch(w);
        if (w->first == NULL) break;
        if (w->max_wait_us > 0) gather(w);
        struct batch *group = take_group(w);
        pthread_mutex_unlock(&w->lock);
        run_group(w, group);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static int drops_somebody(const ki_change *changes, int n)
{
    for (int j = 0; j < n; j++) {
        const ki_change_kind kind = changes[j].change;
        if (kind == KI_DROP_USER || kind == KI_DROP_ITEM || kind == KI_DROP_DOCUMENT) return 1;
    }
    return 0;
}

kith_err ki_writer_write(ki_writer *w, ki_change *changes, int n)
{
    struct batch b = { .changes = changes, .n = n, .drops = drops_somebody(changes, n) };
    pthread_cond_init(&b.finished, NULL);
    pthread_mutex_lock(&w->lock);
    push(w, &b);
    pthread_cond_signal(&w->arrived);
    while (!b.done) pthread_cond_wait(&b.finished, &w->lock);
    pthread_mutex_unlock(&w->lock);
    pthread_cond_destroy(&b.finished);
    if (b.err != KITH_OK) ki_message_set(b.message);
    return b.err;
}

void ki_writer_count(ki_writer *w, ki_store_counts *out)
{
    pthread_mutex_lock(&w->lock);
    out->commits = w->commits;
    out->batches = w->batches;
    out->changes = w->changes;
    out->last_commit_us = w->last_commit_us;
    out->queued = w->queued;
    pthread_mutex_unlock(&w->lock);
}

/* Signals are for the threads of the program. */
static int start_without_signals(ki_writer *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&w->thread, NULL, work, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static void destroy(ki_writer *w)
{
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->arrived);
    ki_free(w);
}

kith_err ki_writer_new(const ki_backend *backend, void *state, const ki_store_options *options,
                       ki_writer **out)
{
    ki_writer *w = NULL;
    const kith_err err = ki_alloc(&w, 1, sizeof *w);
    if (err != KITH_OK) return err;
    w->backend = backend;
    w->state = state;
    w->applied = options->applied;
    w->udata = options->udata;
    w->max_wait_us = options->max_wait_us;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_t monotonic; /* waits must not follow a clock that jumps */
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->arrived, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (start_without_signals(w) != 0) {
        destroy(w);
        return ki_fail(KITH_ENOMEM, "the thread that writes to the store could not be started");
    }
    *out = w;
    return KITH_OK;
}

void ki_writer_free(ki_writer *w)
{
    if (w == NULL) return;
    pthread_mutex_lock(&w->lock);
    w->stop = 1;
    pthread_cond_signal(&w->arrived);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    destroy(w);
}
