/* SPDX-License-Identifier: MIT
 * live.c -- microseconds of processor time per question and per event of a live engine
 *
 *      live MODEL.kith DATA.kithdata [SECONDS]
 *
 * The model must have been trained on the data (any form; ials is searched through its index).  Every item gets a
 * number from 0 to 99 as attribute "bucket", so that `bucket < 10` lets a tenth through.  Figures are for lists of
 * ten without what was seen: by share of items let through, for users whose history is the model's and for users who
 * did something since, and a change beside it.  The same lists through kith_recommend stand below for comparison.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "engine/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
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
    must(ki_live_new(NULL, &l));
    for (int32_t u = 0; u < d->users.n; u++) must(ki_live_user(l, kith_data_user_id(d, u), &at));
    for (int32_t i = 0; i < d->items.n; i++) {
        json_t *bucket = json_pack("{s:i}", "bucket", (int)((uint32_t)i * 2654435761u % 100));
        must(ki_live_item(l, kith_data_item_id(d, i), &at));
        must(ki_live_item_attributes(l, at, bucket));
        json_decref(bucket);
    }
    int64_t *times = d->log.time, *none = NULL;
    if (times == NULL) {
        must(ki_alloc(&none, (size_t)d->log.n, sizeof *none));
        times = none;
    }
    must(ki_live_events(l, d->log.n, d->log.user, d->log.item, d->log.value, times, KI_LIVE_SET));
    ki_free(none);
    return l;
}

static const char *const filters[] = { NULL, "bucket < 50", "bucket < 10", "bucket < 1" };

/* Questions of the first n_users. */
static void bench_questions(ki_live *l, const kith_model *m, int32_t n_users, double seconds,
                            const char *who)
{
    for (size_t f = 0; f < KI_COUNT(filters); f++) {
        ki_rng g = ki_rng_make(3, f, 0);
        int64_t n = 0, folded = 0;
        const double from = processor_seconds();
        double used = 0;
        for (; used < seconds; n++) {
            const char *user = kith_model_user_id(m, (int32_t)ki_rng_below(&g, (uint64_t)n_users));
            const ki_live_query q = { .query = { .user = user, .n = 10, .filter = filters[f] } };
            ki_answer answer;
            kith_list *list;
            must(ki_live_recommend(l, &q, &list, &answer));
            kith_list_free(list);
            folded += answer.folded;
            if (n % 16 == 0) used = processor_seconds() - from;
        }
        printf("%-22s %-14s %8.1f us  (%.0f%% folded in)\n", who,
               filters[f] == NULL ? "no filter" : filters[f], 1e6 * used / (double)n,
               100.0 * (double)folded / (double)n);
    }
}

static void bench_events(ki_live *l, const kith_model *m, int32_t n)
{
    ki_rng g = ki_rng_make(4, 0, 0);
    const double from = processor_seconds();
    for (int32_t j = 0; j < n; j++) {
        const int32_t u = (int32_t)(j % kith_model_n_users(m));
        const int32_t i = (int32_t)ki_rng_below(&g, (uint64_t)kith_model_n_items(m));
        must(ki_live_event(l, u, i, 1, 1700000000 + j, KI_LIVE_SET));
    }
    printf("%-37s %8.2f us\n", "an event", 1e6 * (processor_seconds() - from) / n);
}

static void bench_plain(kith *k, const kith_model *m, double seconds)
{
    ki_rng g = ki_rng_make(3, 0, 0);
    const double from = processor_seconds();
    double used = 0;
    int64_t n = 0;
    for (; used < seconds; n++) {
        const char *user =
            kith_model_user_id(m, (int32_t)ki_rng_below(&g, (uint64_t)kith_model_n_users(m)));
        kith_list *list;
        must(kith_recommend(k, m, &(kith_query){ .user = user, .n = 10 }, &list));
        kith_list_free(list);
        used = processor_seconds() - from;
    }
    printf("%-22s %-14s %8.1f us\n", "kith_recommend", "no filter", 1e6 * used / (double)n);
}

int main(int argc, char **argv)
{
    kith *k;
    kith_model *m;
    kith_data *d;
    if (argc < 3) return fprintf(stderr, "usage: live MODEL.kith DATA.kithdata [SECONDS]\n"), 2;
    const double seconds = argc > 3 ? atof(argv[3]) : 1;
    must(kith_new(NULL, &k));
    must(kith_model_load(k, argv[1], &m));
    must(kith_data_read(k, argv[2], NULL, &d));
    const double from = processor_seconds();
    ki_live *l = fill(d);
    const double filled = processor_seconds();
    must(ki_live_promote(l, m, "bench"));
    const double promoted = processor_seconds();
    ki_live_counts counts;
    ki_live_count(l, &counts);
    printf("%d users, %d items, %lld pairs, %.0f MB; filled in %.2f s, promoted in %.3f s\n",
           counts.users, counts.items, (long long)counts.pairs, 1e-6 * (double)counts.bytes,
           filled - from, promoted - filled);
    kith_data_free(d);
    const int32_t all = kith_model_n_users(m), some = KI_MIN(all, 1000);
    bench_questions(l, m, all, seconds, "the model's own users");
    bench_plain(k, m, seconds);
    bench_events(l, m, kith_model_n_users(m));
    bench_questions(l, m, all, seconds, "users with news");
    bench_questions(l, m, some, seconds, "a thousand of them");
    ki_live_free(l);
    kith_free(k);
    return 0;
}
