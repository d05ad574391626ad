/* SPDX-License-Identifier: MIT
 * forget.c -- how long questions wait while users are dropped from a live engine
 *
 *      forget MODEL.kith DATA.kithdata [DROPS]
 *
 * One thread asks for lists of ten, one after the other; the main thread drops a user every 20 ms, none of whom is
 * asked for.  Told are the drop itself (the first, which finds the file not yet read, and the median of the rest) and the
 * questions: median, 99th of a hundred, and the longest.  The model must have been trained on the data.
 */
#include "base/mem.h"
#include "data/dataset.h"
#include "engine/live.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 1 << 20, PAUSE_NS = 20000000 };

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static void must(kith_err err)
{
    if (err == KITH_OK) return;
    fprintf(stderr, "%s\n", kith_last_error());
    exit(1);
}

static ki_live *fill(const kith_data *d)
{
    ki_live *l;
    int32_t at;
    int64_t *times = d->log.time, *none = NULL;
    must(ki_live_new(NULL, &l));
    for (int32_t u = 0; u < d->users.n; u++) must(ki_live_user(l, kith_data_user_id(d, u), &at));
    for (int32_t i = 0; i < d->items.n; i++) must(ki_live_item(l, kith_data_item_id(d, i), &at));
    if (times == NULL) {
        must(ki_alloc(&none, (size_t)d->log.n, sizeof *none));
        times = none;
    }
    must(ki_live_events(l, d->log.n, d->log.user, d->log.item, d->log.value, times, KI_LIVE_SET));
    ki_free(none);
    return l;
}

struct asking {
    ki_live *l;
    const kith_data *d;
    atomic_int stop;
    int n;
    double us[MOST];
};

static void *ask(void *arg)
{
    struct asking *a = arg;
    for (int32_t u = 0; !atomic_load(&a->stop) && a->n < MOST; u = (u + 1) % (a->d->users.n / 2)) {
        const ki_live_query q = { .query = { .user = kith_data_user_id(a->d, u), .n = 10 } };
        kith_list *list;
        ki_answer answer;
        const double began = now_us();
        must(ki_live_recommend(a->l, &q, &list, &answer));
        a->us[a->n++] = now_us() - began;
        kith_list_free(list);
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static struct asking asking;
    static double drops[MOST];
    const int n = argc > 3 ? atoi(argv[3]) : 100;
    kith *k;
    kith_data *d;
    kith_model *m;
    pthread_t thread;
    if (argc < 3 || n < 2)
        return fprintf(stderr, "usage: forget MODEL.kith DATA.kithdata [DROPS]\n"), 2;
    must(kith_new(&(kith_options){ .threads = 1 }, &k));
    must(kith_data_read(k, argv[2], NULL, &d));
    must(kith_model_load(k, argv[1], &m));
    asking.l = fill(d);
    asking.d = d;
    must(ki_live_promote(asking.l, m, "v1"));
    if (d->users.n / 2 < n || pthread_create(&thread, NULL, ask, &asking) != 0) return 1;
    for (int j = 0; j < n; j++) {
        nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
        const double began = now_us();
        must(ki_live_drop_user(asking.l, d->users.n / 2 + j));
        drops[j] = now_us() - began;
    }
    atomic_store(&asking.stop, 1);
    pthread_join(thread, NULL);
    const double first = drops[0];
    qsort(drops + 1, (size_t)n - 1, sizeof *drops, by_size);
    qsort(asking.us, (size_t)asking.n, sizeof *asking.us, by_size);
    printf("drops      first %.2f ms, then %.2f ms (median of %d)\n", first / 1e3,
           drops[1 + (n - 1) / 2] / 1e3, n - 1);
    printf("questions  median %.3f ms, p99 %.3f ms, longest %.2f ms (of %d)\n",
           asking.us[asking.n / 2] / 1e3, asking.us[asking.n * 99LL / 100] / 1e3,
           asking.us[asking.n - 1] / 1e3, asking.n);
    ki_live_free(asking.l);
    kith_data_free(d);
    kith_free(k);
    return 0;
}
