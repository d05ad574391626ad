/* SPDX-License-Identifier: MIT
 * pool.h -- fixed worker threads that split loops
 */
#ifndef KI_POOL_H
#define KI_POOL_H

#include "base/err.h"

#include <stdint.h>

#define KI_MAX_THREADS 256

typedef struct ki_pool ki_pool;

/* The body of a loop over [begin, end).  `worker` is in [0, ki_pool_size): it indexes scratch and
 * nothing else. */
typedef kith_err (*ki_loop_fn)(void *arg, int64_t begin, int64_t end, int worker);

/* n_threads 0: one per processor of this process.  KITH_EINVAL beyond KI_MAX_THREADS. */
kith_err ki_pool_new(int n_threads, ki_pool **out);
int ki_pool_size(const ki_pool *pool); /* 1 for NULL */

/* Run fn over [0, n) in chunks of `grain` (the last may be short), chunk c being [c * grain, (c +
 * 1) * grain): the cut never depends on the number of threads, so a sum kept per chunk and added in
 * order gives the same bits for any. Returns the failure of the lowest chunk that failed, with its
 * sentence; later chunks may then not have run. A loop inside a loop, or while another thread's
 * loop holds the pool, runs in place, in order.  pool == NULL likewise. */
kith_err ki_parallel_for(ki_pool *pool, int64_t n, int64_t grain, ki_loop_fn fn, void *arg);

void ki_pool_free(ki_pool *pool); /* accepts NULL */

#endif
