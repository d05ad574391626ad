/* SPDX-License-Identifier: MIT
 * store.c -- how many durable events a second a store takes, and how long one waits
 *
 *      bench/store FOLDER [SECONDS]
 *
 * First 8 threads write batches of 1 to 100 events as fast as they can; then 8 threads write single events at a rate of
 * 1,000 a second in all, each at its appointed time, and the wait is measured from that time, so that a stall counts for
 * all who should have come meanwhile.  Last comes a reading of the whole log as a service does when it starts.  Users
 * and items are drawn at random from 100,000 and 50,000.
 */
#include "base/mem.h"
#include "store/store.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, USERS = 100000, ITEMS = 50000, MOST = 100, RATE = 1000 };

static ki_store *s;
static double seconds = 10;

struct writer {
    pthread_t thread;
    uint64_t lot;
    int64_t events;
    double *waits; /* seconds, of single events */
    int n_waits, number;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double processor(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(kith_err err)
{
    if (err == KITH_OK) return;
    fprintf(stderr, "bench/store: %s\n", kith_last_error());
    exit(1);
}

static uint32_t draw(struct writer *w, uint32_t below)
{
    w->lot = w->lot * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((w->lot >> 33) % below);
}

static void write_batch(struct writer *w, int n)
{
    char users[MOST][16], items[MOST][16];
    ki_change c[MOST];
    for (int j = 0; j < n; j++) {
        snprintf(users[j], sizeof users[j], "u%u", draw(w, USERS));
        snprintf(items[j], sizeof items[j], "i%u", draw(w, ITEMS));
        c[j] = (ki_change){
            .change = KI_ADD_EVENT, .user = users[j], .item = items[j], .kind = "view", .value = NAN
        };
    }
    must(ki_store_write(s, c, n));
    w->events += n;
}

static void *write_batches(void *p)
{
    struct writer *w = p;
    for (const double end = now() + seconds; now() < end;) write_batch(w, 1 + (int)draw(w, MOST));
    return NULL;
}

static void *write_singles(void *p)
{
    struct writer *w = p;
    const double every = (double)THREADS / RATE, begun = now() + every * w->number / THREADS;
    for (int j = 0; j < w->n_waits; j++) {
        const double due = begun + every * j, early = due - now();
        if (early > 0) usleep((useconds_t)(early * 1e6));
        write_batch(w, 1);
        w->waits[j] = now() - due;
    }
    return NULL;
}

static void run(struct writer *w, void *(*work)(void *))
{
    for (int t = 0; t < THREADS; t++) {
        w[t].lot = (uint64_t)t + 1;
        w[t].number = t;
        w[t].events = 0;
        if (pthread_create(&w[t].thread, NULL, work, &w[t]) != 0) exit(1);
    }
    for (int t = 0; t < THREADS; t++) pthread_join(w[t].thread, NULL);
}

/* What the disk itself needs for 8 KiB and a sync, in the same run: no commit can take less. */
static void bench_disk(const char *folder)
{
    enum { TIMES = 100 };
    static const char block[8192] = { 1 };
    char path[4096];
    snprintf(path, sizeof path, "%s/kith-probe-%ld", folder, (long)getpid());
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    const double begun = now();
    for (int j = 0; j < TIMES; j++)
        if (pwrite(fd, block, sizeof block, (off_t)j * (off_t)sizeof block) < 0 ||
            fdatasync(fd) != 0)
            exit(1);
    printf("the disk: %.2f ms for an append and a sync\n", 1e3 * (now() - begun) / TIMES);
    close(fd);
    unlink(path);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void bench_batches(struct writer *w)
{
    ki_store_counts before, after;
    int64_t events = 0;
    must(ki_store_count(s, &before));
    const double begun = now(), processor_begun = processor();
    run(w, write_batches);
    const double took = now() - begun, processor_took = processor() - processor_begun;
    must(ki_store_count(s, &after));
    for (int t = 0; t < THREADS; t++) events += w[t].events;
    printf("batches of 1..%d from %d threads: %.0f durable events/s, %.0f commits/s, %.1f us of "
           "processor an event, %.0f MB\n",
           MOST, THREADS, (double)events / took, (double)(after.commits - before.commits) / took,
           1e6 * processor_took / (double)events, 1e-6 * (double)after.bytes);
}

static void bench_singles(struct writer *w)
{
    const int each = (int)(seconds * RATE / THREADS), n = each * THREADS;
    double *waits = calloc((size_t)n, sizeof *waits);
    if (waits == NULL) exit(1);
    for (int t = 0; t < THREADS; t++) {
        w[t].waits = waits + (ptrdiff_t)t * each;
        w[t].n_waits = each;
    }
    run(w, write_singles);
    qsort(waits, (size_t)n, sizeof *waits, by_size);
    printf("single events at %d/s: wait p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, longest %.2f ms\n",
           RATE, 1e3 * waits[n / 2], 1e3 * waits[n - n / 100], 1e3 * waits[n - n / 1000 - 1],
           1e3 * waits[n - 1]);
    free(waits);
}

static kith_err count_row(void *udata, const ki_row *row)
{
    *(int64_t *)udata += row->user_index >= 0;
    return KITH_OK;
}

static void bench_reading(void)
{
    int64_t n[2] = { 0, 0 };
    double took[2];
    for (int no_ids = 0; no_ids < 2; no_ids++) {
        const double begun = now();
        must(ki_store_each(s, KI_EVENTS, &(ki_select){ .no_ids = no_ids }, count_row, &n[no_ids]));
        took[no_ids] = now() - begun;
    }
    printf("reading %lld events: %.2f M/s with ids, %.2f M/s by number\n", (long long)n[0],
           1e-6 * (double)n[0] / took[0], 1e-6 * (double)n[1] / took[1]);
}

int main(int argc, char **argv)
{
    struct writer w[THREADS] = { { 0 } };
    char path[4096], command[4200];
    if (argc < 2) {
        fprintf(stderr, "usage: bench/store FOLDER [SECONDS]\n");
        return 2;
    }
    if (argc > 2) seconds = atof(argv[2]);
    snprintf(path, sizeof path, "%s/kith-bench-%ld.db", argv[1], (long)getpid());
    must(ki_store_open(path, NULL, &s));
    bench_disk(argv[1]);
    bench_batches(w);
    bench_singles(w);
    bench_reading();
    bench_disk(argv[1]);
    ki_store_close(s);
    snprintf(command, sizeof command, "rm -f '%s'", path);
    return system(command) == 0 ? 0 : 1;
}
