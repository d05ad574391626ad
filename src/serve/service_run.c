/* SPDX-License-Identifier: MIT
 * service_run.c -- requests of the tool contract, few at a time, so that they leave room for what a service is there for
 */
#include "serve/service_parts.h"

#include <string.h>

enum {
    SEED =
        42 /* as `kith run` has it: the same request, the same answer, whatever the service's own seed is */
};

/* Its place, or -1. */
static int take_place(ki_runs *r, kith *k)
{
    int place = -1;
    pthread_mutex_lock(&r->lock);
    for (int j = 0; j < KI_RUNS && place < 0 && !r->stopped; j++)
        if (r->of[j] == NULL) place = j;
    if (place >= 0) r->of[place] = k;
    pthread_mutex_unlock(&r->lock);
    return place;
}

static void give_place(ki_runs *r, int place)
{
    pthread_mutex_lock(&r->lock);
    r->of[place] = NULL;
    pthread_mutex_unlock(&r->lock);
}

kith_err ki_service_run(ki_service *s, const char *request, int *busy, char **result)
{
    const kith_options one = {
        .threads = 1, .seed = SEED, .memory_bytes = s->memory_bytes, .cancel_for_good = 1
    };
    const kith_run_options o = { .no_files = 1, .model_folder = "" };
    kith *k = NULL;
    kith_err err = kith_new(&one, &k);
    if (err != KITH_OK) return err;
    const int place = take_place(&s->runs, k);
    *busy = place < 0;
    if (*busy)
        err = ki_fail(KITH_EINVAL, "%d requests of the contract run already; try again in a while",
                      KI_RUNS);
    else
        err = kith_run(k, request, strlen(request), &o, result);
    if (!*busy) give_place(&s->runs, place);
    kith_free(k);
    return err;
}

void ki_service_cancel_runs(ki_service *s)
{
    pthread_mutex_lock(&s->runs.lock);
    s->runs.stopped = 1;
    for (int j = 0; j < KI_RUNS; j++)
        if (s->runs.of[j] != NULL) kith_cancel(s->runs.of[j]);
    pthread_mutex_unlock(&s->runs.lock);
}
