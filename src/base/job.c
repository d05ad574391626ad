/* SPDX-License-Identifier: MIT
 * job.c -- progress, cancel and the memory limit of a long piece of work
 */
#include "base/job.h"

#include <stdio.h>

void ki_job_begin(ki_job *job)
{
    if (job->within == 0) atomic_store(&job->cancel, 0);
}

void ki_job_keep_cancel(ki_job *job)
{
    job->within++;
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

const char *ki_bytes_say(size_t bytes, char *out)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB" };
    double x = (double)bytes / 1e3;
    int u = 0;
    for (; x >= 999.5 && u < 3; u++) x /= 1e3;
    snprintf(out, KI_BYTES_ROOM,
             x < 9.995   ? "%.2f %s"
             : x < 99.95 ? "%.1f %s"
                         : "%.0f %s",
             x, units[u]);
    return out;
}

kith_err ki_job_memory(const ki_job *job, const char *what, size_t bytes)
{
    char needs[KI_BYTES_ROOM], limit[KI_BYTES_ROOM];
    if (job->memory_bytes == 0 || bytes <= job->memory_bytes) return KITH_OK;
    return ki_fail(KITH_ENOMEM, "%s needs %s, which is over the limit of %s (--memory)", what,
                   ki_bytes_say(bytes, needs), ki_bytes_say(job->memory_bytes, limit));
}
