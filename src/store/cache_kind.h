/* SPDX-License-Identifier: MIT
 * cache_kind.h -- what a kind of cache fills in (cache_memory.c, cache_redis.c); others include cache.h
 */
#ifndef KI_CACHE_KIND_H
#define KI_CACHE_KIND_H

#include "store/cache.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct ki_cache_kind {
    const char *strategy;

    /* KITH_EIO: could not be asked, with a sentence.  get leaves *value NULL when nothing is there. */
    kith_err (*get)(kith_cache *c, const char *key, size_t n_key, char **value, size_t *n);
    kith_err (*put)(kith_cache *c, const char *key, size_t n_key, const char *bytes, size_t n);
    kith_err (*drop_prefix)(kith_cache *c, const char *prefix, size_t n_prefix);
    void (*free)(kith_cache *c);
} ki_cache_kind;

struct kith_cache { /* the first member of each kind's own struct */
    const ki_cache_kind *kind;
    _Atomic int64_t hits, misses, puts, errors;
    pthread_mutex_t lock; /* guards trouble */
    char trouble[KI_MESSAGE_SIZE];
};

void ki_cache_init(kith_cache *c, const ki_cache_kind *kind);
void ki_cache_clear(kith_cache *c);

#endif
