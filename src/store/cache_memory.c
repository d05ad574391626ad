/* SPDX-License-Identifier: MIT
 * cache_memory.c -- a cache in memory: one place per hash, a limit in bytes
 *
 * A key has one place it may stand in; whoever comes later takes the place over.  That loses a few
 * entries to chance, and needs no lists, no clocks and no walks.  When the limit is reached, places
 * are emptied in turn until the new value fits.
 */
#include "store/cache_kind.h"

#include "base/mem.h"
#include "data/idmap.h" /* ki_idmap_hash */

#include <string.h>

enum { N_PLACES = 1 << 16 };

struct place {
    char *key, *value; /* NULL: empty */
    size_t n_key, n;
};

struct memory {
    kith_cache face;      /* first: a kith_cache is one of these */
    pthread_mutex_t lock; /* guards all below */
    struct place *places; /* [N_PLACES] */
    size_t bytes, limit;
    uint32_t hand; /* the next place to be emptied */
};

static struct memory *behind(kith_cache *c)
{
    return (struct memory *)(void *)c;
}

static struct place *place_of(struct memory *m, const char *key, size_t n_key)
{
    return &m->places[ki_idmap_hash(key, n_key) % N_PLACES];
}

static size_t weight(const struct place *p)
{
    return p->key == NULL ? 0 : p->n_key + 1 + p->n;
}

static void empty(struct memory *m, struct place *p)
{
    m->bytes -= weight(p);
    ki_free(p->key);
    ki_free(p->value);
    *p = (struct place){ 0 };
}

static kith_err get(kith_cache *c, const char *key, size_t n_key, char **value, size_t *n)
{
    struct memory *m = behind(c);
    kith_err err = KITH_OK;
    pthread_mutex_lock(&m->lock);
    const struct place *p = place_of(m, key, n_key);
    if (p->key != NULL && p->n_key == n_key && memcmp(p->key, key, n_key) == 0) {
        err = ki_strndup(value, p->value, p->n);
        *n = p->n;
    }
    pthread_mutex_unlock(&m->lock);
    return err;
}

static kith_err put(kith_cache *c, const char *key, size_t n_key, const char *bytes, size_t n)
{
    struct memory *m = behind(c);
    struct place made = { .n_key = n_key, .n = n };
    kith_err err = ki_strndup(&made.key, key, n_key);
    if (err == KITH_OK) err = ki_strndup(&made.value, bytes, n);
    if (err != KITH_OK || weight(&made) > m->limit) {
        ki_free(made.key);
        ki_free(made.value);
        return err;
    }
    pthread_mutex_lock(&m->lock);
    struct place *p = place_of(m, key, n_key);
    empty(m, p);
    while (m->bytes + weight(&made) > m->limit) empty(m, &m->places[m->hand++ % N_PLACES]);
    *p = made;
    m->bytes += weight(p);
    pthread_mutex_unlock(&m->lock);
    return KITH_OK;
}

static kith_err drop_prefix(kith_cache *c, const char *prefix, size_t n_prefix)
{
    struct memory *m = behind(c);
    pthread_mutex_lock(&m->lock);
    for (int j = 0; j < N_PLACES; j++) {
        struct place *p = &m->places[j];
        if (p->key != NULL && p->n_key >= n_prefix && memcmp(p->key, prefix, n_prefix) == 0)
            empty(m, p);
    }
    pthread_mutex_unlock(&m->lock);
    return KITH_OK;
}

static void free_memory(kith_cache *c)
{
    struct memory *m = behind(c);
    for (int j = 0; j < N_PLACES; j++) empty(m, &m->places[j]);
    ki_free(m->places);
    pthread_mutex_destroy(&m->lock);
    ki_cache_clear(c);
    ki_free(m);
}

static const ki_cache_kind memory_kind = {
    .strategy = "memory", .get = get, .put = put, .drop_prefix = drop_prefix, .free = free_memory
};

kith_err kith_cache_memory(size_t bytes, kith_cache **out)
{
    struct memory *m = NULL;
    if (out == NULL) return ki_fail(KITH_EINVAL, "kith_cache_memory: out is NULL");
    kith_err err = ki_alloc(&m, 1, sizeof *m);
    if (err != KITH_OK) return err;
    if ((err = ki_alloc(&m->places, N_PLACES, sizeof *m->places)) != KITH_OK) {
        ki_free(m);
        return err;
    }
    ki_cache_init(&m->face, &memory_kind);
    m->limit = bytes == 0 ? (size_t)256 << 20 : bytes;
    pthread_mutex_init(&m->lock, NULL);
    *out = &m->face;
    return KITH_OK;
}
