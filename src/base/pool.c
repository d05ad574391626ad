/* SPDX-License-Identifier: MIT
 * pool.c -- fixed worker threads that split loops
 *
 * Design      One loop at a time.  The caller posts it, works on it as worker 0, and waits until the others have left
 *             it.  Chunks are handed out by one atomic counter; who runs a chunk is chance, what the chunk is is not.
 * Waiting     Being woken takes longer than a small loop, so whoever waits looks a while first, at most some tens of
 *             microseconds: hardly at all for some time after it was in vain again and again, and not at all when
 *             there are more threads than processors.
 * Guarantees  After ki_parallel_for returns no worker touches `fn` or `arg`, and all their writes are visible.  The
 *             reported failure is that of the lowest failing chunk that ran.
 * Does not    nest (an inner loop runs in place), steal work, or pin threads.
 */
#include "base/pool.h"

#include "base/mem.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum {
    MOST_LOOKS = 2048, /* each takes some 20 ns */
    LEAST_LOOKS = 16,
    TRIES = 4, /* in vain, before it is given up ... */
    PAUSE = 32 /* ... for so many waits, these included */
};

struct loop {
    ki_loop_fn fn;
    void *arg;
    int64_t n, grain;
    atomic_llong next; /* chunk to be handed out */
    atomic_int failed; /* a hint to stop early */

    pthread_mutex_t fail_lock; /* guards the three below */
    int64_t fail_chunk;
    kith_err fail_code;
    char fail_message[KI_MESSAGE_SIZE];
};

struct start { /* what a new thread is told */
    ki_pool *pool;
    int worker;
};

struct ki_pool {
    int n_threads; /* the caller included */
    int n_started; /* entries of `threads` that run */
    pthread_t *threads;
    struct start *starts; /* [n_threads - 1] */
    int may_look;         /* before sleeping: there is a processor for each thread */
    pthread_mutex_t busy; /* held by the thread whose loop runs; taken before `lock` */
    int vain;             /* times in a row that the caller looked in vain; guarded by `busy` */

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t posted, left;
    struct loop *loop; /* NULL: nothing to do */
    /* written under `lock`, looked at without it */
    atomic_ullong round; /* counts loops, so that a worker joins each one once */
    atomic_int inside;   /* workers that have not left the loop yet */
    atomic_int stop;
};

static _Thread_local int inside_loop;

static void relax(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

/* How often to look, after so many times in vain. */
static int looks_after(int vain)
{
    return vain < TRIES ? MOST_LOOKS : LEAST_LOOKS;
}

static void note_failure(struct loop *loop, int64_t chunk, kith_err code)
{
    pthread_mutex_lock(&loop->fail_lock);
    if (loop->fail_code == KITH_OK || chunk < loop->fail_chunk) {
        loop->fail_chunk = chunk;
        loop->fail_code = code;
        ki_message_get(loop->fail_message);
    }
    pthread_mutex_unlock(&loop->fail_lock);
    atomic_store(&loop->failed, 1);
}

static void run_chunks(struct loop *loop, int worker)
{
    while (!atomic_load_explicit(&loop->failed, memory_order_relaxed)) {
        const int64_t chunk = atomic_fetch_add(&loop->next, 1);
        const int64_t begin = chunk * loop->grain;
        if (begin >= loop->n) return;
        const int64_t end = KI_MIN(begin + loop->grain, loop->n);
        const kith_err err = loop->fn(loop->arg, begin, end, worker);
        if (err != KITH_OK) note_failure(loop, chunk, err);
    }
}

/* Is there a loop that this worker has not seen?  Looks a while. */
static int look_for_loop(const ki_pool *pool, uint64_t seen, int looks)
{
    while (looks-- > 0) {
        if (atomic_load_explicit(&pool->round, memory_order_relaxed) != seen) return 1;
        relax();
    }
    return 0;
}

static void *work(void *p)
{
    const struct start *start = p;
    ki_pool *pool = start->pool;
    inside_loop = 1; /* for good: a worker never posts loops */
    uint64_t seen = 0;
    int vain = 0;
    for (;;) {
        if (pool->may_look)
            vain = look_for_loop(pool, seen, looks_after(vain)) ? 0 : (vain + 1) % PAUSE;
        pthread_mutex_lock(&pool->lock);
        while (!pool->stop && pool->round == seen) pthread_cond_wait(&pool->posted, &pool->lock);
        const int stop = pool->stop;
        seen = pool->round;
        struct loop *loop = pool->loop;
        pthread_mutex_unlock(&pool->lock);
        if (stop) return NULL;
        run_chunks(loop, start->worker);
        pthread_mutex_lock(&pool->lock);
        if (--pool->inside == 0) pthread_cond_signal(&pool->left);
        pthread_mutex_unlock(&pool->lock);
    }
}

static void post(ki_pool *pool, struct loop *loop)
{
    pthread_mutex_lock(&pool->lock);
    pool->loop = loop;
    pool->round++;
    pool->inside = pool->n_started;
    pthread_cond_broadcast(&pool->posted);
    pthread_mutex_unlock(&pool->lock);
}

static int look_for_end(const ki_pool *pool, int looks)
{
    while (looks-- > 0) {
        if (atomic_load_explicit(&pool->inside, memory_order_relaxed) == 0) return 1;
        relax();
    }
    return 0;
}

static void await(ki_pool *pool)
{
    if (pool->may_look)
        pool->vain = look_for_end(pool, looks_after(pool->vain)) ? 0 : (pool->vain + 1) % PAUSE;
    pthread_mutex_lock(&pool->lock);
    while (pool->inside > 0) pthread_cond_wait(&pool->left, &pool->lock);
    pool->loop = NULL;
    pthread_mutex_unlock(&pool->lock);
}

static kith_err run_in_place(int64_t n, int64_t grain, ki_loop_fn fn, void *arg)
{
    for (int64_t begin = 0; begin < n; begin += grain) {
        const kith_err err = fn(arg, begin, KI_MIN(begin + grain, n), 0);
        if (err != KITH_OK) return err;
    }
    return KITH_OK;
}

kith_err ki_parallel_for(ki_pool *pool, int64_t n, int64_t grain, ki_loop_fn fn, void *arg)
{
    if (grain < 1) grain = 1;
    if (pool == NULL || pool->n_started == 0 || inside_loop || n <= grain)
        return run_in_place(n, grain, fn, arg);
    if (pthread_mutex_trylock(&pool->busy) != 0) return run_in_place(n, grain, fn, arg);

    struct loop loop = { .fn = fn, .arg = arg, .n = n, .grain = grain };
    pthread_mutex_init(&loop.fail_lock, NULL);
    inside_loop = 1;
    post(pool, &loop);
    run_chunks(&loop, 0);
    await(pool);
    inside_loop = 0;
    pthread_mutex_unlock(&pool->busy);
    pthread_mutex_destroy(&loop.fail_lock);
    if (loop.fail_code != KITH_OK) ki_message_set(loop.fail_message);
    return loop.fail_code;
}

static int processors(void)
{
    cpu_set_t set;
    const int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return KI_MAX(1, KI_MIN(n, KI_MAX_THREADS));
}

static kith_err start_worker(ki_pool *pool, int worker)
{
    struct start *start = &pool->starts[worker - 1];
    *start = (struct start){ .pool = pool, .worker = worker };
    if (pthread_create(&pool->threads[worker - 1], NULL, work, start) != 0)
        return ki_fail(KITH_ENOMEM, "thread %d of %d could not be started", worker + 1,
                       pool->n_threads);
    pool->n_started++;
    return KITH_OK;
}

kith_err ki_pool_new(int n_threads, ki_pool **out)
{
    if (n_threads < 0 || n_threads > KI_MAX_THREADS)
        return ki_fail(KITH_EINVAL, "%d threads, want 0 (all processors) to %d", n_threads,
                       KI_MAX_THREADS);
    ki_pool *pool = NULL;
    kith_err err = ki_alloc(&pool, 1, sizeof *pool);
    if (err != KITH_OK) return err;
    pool->n_threads = n_threads > 0 ? n_threads : processors();
    pool->may_look = pool->n_threads <= processors();
    pthread_mutex_init(&pool->busy, NULL);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->posted, NULL);
    pthread_cond_init(&pool->left, NULL);
    err = ki_alloc(&pool->threads, (size_t)pool->n_threads, sizeof *pool->threads);
    if (err == KITH_OK)
        err = ki_alloc(&pool->starts, (size_t)pool->n_threads, sizeof *pool->starts);
    for (int w = 1; err == KITH_OK && w < pool->n_threads; w++) err = start_worker(pool, w);
    if (err != KITH_OK) {
        ki_pool_free(pool);
        return err;
    }
    *out = pool;
    return KITH_OK;
}

int ki_pool_size(const ki_pool *pool)
{
    return pool == NULL ? 1 : pool->n_threads;
}

void ki_pool_free(ki_pool *pool)
{
    if (pool == NULL) return;
    pthread_mutex_lock(&pool->lock);
    pool->stop = 1;
    pthread_cond_broadcast(&pool->posted);
    pthread_mutex_unlock(&pool->lock);
    for (int w = 0; w < pool->n_started; w++) pthread_join(pool->threads[w], NULL);
    pthread_mutex_destroy(&pool->busy);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->posted);
    pthread_cond_destroy(&pool->left);
    ki_free(pool->threads);
    ki_free(pool->starts);
    ki_free(pool);
}
