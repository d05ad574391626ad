/* SPDX-License-Identifier: MIT
 * context.c -- the public context: a pool, a seed, a limit, and how progress is told
 */
#include "base/mem.h"
#include "base/pool.h"
#include "data/dataset.h" /* ki_context_job */

#include <unistd.h>

struct kith {
    ki_job job;
};

static size_t machine_memory(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (size_t)pages * (size_t)page : 0;
}

kith_err kith_new(const kith_options *options, kith **out)
{
    const kith_options o = options == NULL ? (kith_options){ 0 } : *options;
    kith *k = NULL;
    kith_err err;
    if (out == NULL) return ki_fail(KITH_EINVAL, "kith_new: out is NULL");
    if ((err = ki_alloc(&k, 1, sizeof *k)) != KITH_OK) return err;
    if ((err = ki_pool_new(o.threads, &k->job.pool)) != KITH_OK) {
        ki_free(k);
        return err;
    }
    k->job.seed = o.seed;
    k->job.memory_bytes = o.memory_bytes > 0 ? o.memory_bytes : machine_memory();
    k->job.progress = o.progress;
    k->job.udata = o.udata;
    if (o.cancel_for_good) ki_job_keep_cancel(&k->job);
    *out = k;
    return KITH_OK;
}

void kith_free(kith *k)
{
    if (k == NULL) return;
    ki_pool_free(k->job.pool);
    ki_free(k);
}

void kith_cancel(kith *k)
{
    atomic_store(&k->job.cancel, 1);
}

ki_job *ki_context_job(kith *k)
{
    return &k->job;
}
