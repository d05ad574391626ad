/* SPDX-License-Identifier: MIT
 * cache.c -- what all kinds of caches share: counting, and failures that are none
 */
#include "store/cache_kind.h"

#include "base/mem.h"

#include <string.h>

void ki_cache_init(kith_cache *c, const ki_cache_kind *kind)
{
    c->kind = kind;
    pthread_mutex_init(&c->lock, NULL);
}

void ki_cache_clear(kith_cache *c)
{
    pthread_mutex_destroy(&c->lock);
}

/* A cache that could not be asked is counted and remembered; anything else goes up. */
static kith_err swallow(kith_cache *c, kith_err err)
{
    if (err != KITH_EIO) return err;
    atomic_fetch_add(&c->errors, 1);
    pthread_mutex_lock(&c->lock);
    ki_message_get(c->trouble);
    pthread_mutex_unlock(&c->lock);
    return KITH_OK;
}

kith_err ki_cache_get(kith_cache *c, const char *key, size_t n_key, ki_cached *out)
{
    *out = (ki_cached){ .asked = 1 };
    if (n_key > KI_CACHE_KEY_MAX) return KITH_OK;
    const kith_err err = c->kind->get(c, key, n_key, &out->at, &out->n);
    out->asked = err == KITH_OK;
    if (err == KITH_OK) atomic_fetch_add(out->at != NULL ? &c->hits : &c->misses, 1);
    return swallow(c, err);
}

kith_err ki_cache_put(kith_cache *c, const char *key, size_t n_key, const char *bytes, size_t n)
{
    if (n_key > KI_CACHE_KEY_MAX) return KITH_OK;
    const kith_err err = c->kind->put(c, key, n_key, bytes, n);
    if (err == KITH_OK) atomic_fetch_add(&c->puts, 1);
    return swallow(c, err);
}

kith_err ki_cache_drop_prefix(kith_cache *c, const char *prefix, size_t n_prefix)
{
    const kith_err err = c->kind->drop_prefix(c, prefix, n_prefix);
    swallow(c, err);
    return err;
}

void ki_cache_count(const kith_cache *c, ki_cache_stats *out)
{
    *out = (ki_cache_stats){ .hits = atomic_load(&c->hits),
                             .misses = atomic_load(&c->misses),
                             .puts = atomic_load(&c->puts),
                             .errors = atomic_load(&c->errors) };
}

void ki_cache_trouble(kith_cache *c, char *out)
{
    pthread_mutex_lock(&c->lock);
    memcpy(out, c->trouble, sizeof c->trouble);
    pthread_mutex_unlock(&c->lock);
}

const char *ki_cache_strategy(const kith_cache *c)
{
    return c->kind->strategy;
}

void kith_cache_free(kith_cache *c)
{
    if (c != NULL) c->kind->free(c);
}
