/* SPDX-License-Identifier: MIT
 * job.h -- what a long piece of work carries with it: threads, seed, memory limit, progress, cancel
 */
#ifndef KI_JOB_H
#define KI_JOB_H

#include "base/pool.h"

#include <stdatomic.h>

typedef struct ki_job {
    ki_pool *pool; /* NULL: one thread */
    uint64_t seed;
    size_t memory_bytes;       /* limit; 0: none */
    kith_progress_fn progress; /* NULL: none */
    void *udata;
    atomic_int cancel; /* set from any thread */
    int within;        /* > 0: a public call made by another one, which the cancel is meant for */
    int quiet;         /* > 0: steps are not told (an inner job whose parent tells its own) */
} ki_job;

/* A public call begins: a cancel that was meant for an earlier one is forgotten. */
void ki_job_begin(ki_job *job);

/* One piece of work of several public calls, and a cancel is meant for all of them: one that comes before the first of
 * them, or between two, is not forgotten.  For the life of the job; to be called before anybody else knows of it. */
void ki_job_keep_cancel(ki_job *job);

/* Tell progress and ask whether to go on: KITH_ECANCELED after a cancel, else KITH_OK.  To be
 * called by the thread that owns the job, a few hundred times a second at most; cheap otherwise. */
kith_err ki_job_step(ki_job *job, const char *what, int64_t done, int64_t total);

/* Only the question: safe from workers. */
int ki_job_cancelled(const ki_job *job);

/* "812 MB", "3.41 GB": powers of ten, three digits; out[KI_BYTES_ROOM], which is returned. */
enum { KI_BYTES_ROOM = 16 };
const char *ki_bytes_say(size_t bytes, char *out);

/* KITH_ENOMEM with a sentence naming `what` and both sizes when `bytes` passes the limit. */
kith_err ki_job_memory(const ki_job *job, const char *what, size_t bytes);

#endif
