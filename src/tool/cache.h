/* SPDX-License-Identifier: MIT
 * cache.h -- lists that were made once and need not be made again
 *
 * The three functions are all that a run knows of a cache, so that another store (a server, say) is
 * another constructor.  All of them are safe from many threads at once.
 */
#ifndef KI_CACHE_H
#define KI_CACHE_H

#include "base/err.h"

#include <stdint.h>

struct kith_cache {
    const char *strategy; /* "memory", ... as caching_strategy names it */

    /* *value = a copy of what is kept under `key` (ki_free it), NULL when there is nothing. */
    kith_err (*get)(kith_cache *c, const char *key, char **value, size_t *n);
    kith_err (*put)(kith_cache *c, const char *key, const char *value, size_t n);
    void (*free)(kith_cache *c);
};

#endif
