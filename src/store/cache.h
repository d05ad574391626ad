/* SPDX-License-Identifier: MIT
 * cache.h -- bytes under a key, kept until there is no room or their time is over
 *
 * What is kept can always be made again, so a cache is never the reason of a failure: one whose server is
 * away answers "not asked" at once, and the caller makes what it wanted.  The key holds all that decides
 * the value (the model's id, what was asked, of whom): there is no other way for a value to grow stale.
 *
 * Every function is safe from many threads at once, and one cache serves as many runs as share it.
 */
#ifndef KI_CACHE_H
#define KI_CACHE_H

#include "base/err.h"

#include <stdint.h>

#define KI_CACHE_KEY_MAX 4096 /* bytes of a key; longer ones are never kept */

typedef struct ki_cached {
    char *at; /* a copy with a NUL after it, for ki_free; NULL: nothing is kept under that key */
    size_t n;
    int asked; /* 0: the cache could not be asked, ki_cache_trouble says why */
} ki_cached;

/* Failures are of memory alone. */
kith_err ki_cache_get(kith_cache *c, const char *key, size_t n_key, ki_cached *out);
kith_err ki_cache_put(kith_cache *c, const char *key, size_t n_key, const char *bytes, size_t n);

/* Forget all keys that begin so.  Walks all keys: for what is rare (a model was deleted, a person asked to
 * be forgotten), not for every event.  KITH_EIO when the cache could not be asked: then some may be left. */
kith_err ki_cache_drop_prefix(kith_cache *c, const char *prefix, size_t n_prefix);

typedef struct ki_cache_stats { /* since the cache was made */
    int64_t hits, misses;       /* lookups that were answered */
    int64_t puts;
    int64_t errors; /* lookups and puts that could not be served */
} ki_cache_stats;

void ki_cache_count(const kith_cache *c, ki_cache_stats *out);

/* Why the cache could last not be asked, "" when it always could; out[KI_MESSAGE_SIZE]. */
void ki_cache_trouble(kith_cache *c, char *out);

const char *
ki_cache_strategy(const kith_cache *c); /* "memory" or "redis", as caching_strategy says */

#endif
