/* SPDX-License-Identifier: MIT
 * job.c -- progress, cancel and the memory limit of a long piece of work
 */
#include "base/job.h"

void ki_job_begin(ki_job *job)
{
    if (job->within == 0) atomic_store(&job->cancel, 0);
}

kith_err ki_job_step(ki_job *job, const char *what, int64_t done, int64_t total)
{
    if (ki_job_cancelled(job)) return ki_fail(KITH_ECANCELED, "%s was cancelled", what);
    if (job->progress != NULL && job->quiet == 0) job->progress(job->udata, what, done, total);
    return KITH_OK;
}

int ki_job_cancelled(const ki_job *job)
{
    return atomic_load_explicit(&job->cancel, memory_order_relaxed);
}

kith_err ki_job_memory(const ki_job *job, const char *what, size_t bytes)
{
    if (job->memory_bytes == 0 || bytes <= job->memory_bytes) return KITH_OK;
    return ki_fail(KITH_ENOMEM, "%s needs %.2f GB, which is over the limit of %.2f GB (--memory)",
                   what, (double)bytes / 1e9, (double)job->memory_bytes / 1e9);
}
