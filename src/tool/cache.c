/* SPDX-License-Identifier: MIT
 * cache.c -- a cache in memory: one place per hash, a limit in bytes
 *
 * A key has one place it may stand in; whoever comes later takes the place over.  That loses a few
 * entries to chance, and needs no lists, no clocks and no walks.  When the limit is reached, places
 * are emptied in turn until the new value fits.
 */
#include "tool/cache.h"

#include "base/mem.h"
#include "data/idmap.h" /* ki_idmap_hash */

#include <pthread.h>
#include <string.h>

enum { N_PLACES = 1 << 16 };

struct place {
    char *key, *value; /* NULL: empty */
    size_t n;
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

static struct place *place_of(struct memory *m, const char *key)
{
    return &m->places[ki_idmap_hash(key, strlen(key)) % N_PLACES];
}

static size_t weight(const struct place *p)
{
    return p->key == NULL ? 0 : strlen(p->key) + 1 + p->n;
}

static void empty(struct memory *m, struct place *p)
{
    m->bytes -= weight(p);
    ki_free(p->key);
    ki_free(p->value);
    *p = (struct place){ 0 };
}

static kith_err get(kith_cache *c, const char *key, char **value, size_t *n)
{
    struct memory *m = behind(c);
    kith_err err = KITH_OK;
    *value = NULL;
    pthread_mutex_lock(&m->lock);
    const struct place *p = place_of(m, key);
    if (p->key != NULL && strcmp(p->key, key) == 0) {
        err = ki_strndup(value, p->value, p->n);
        *n = p->n;
    }
    pthread_mutex_unlock(&m->lock);
    return err;
}

static kith_err put(kith_cache *c, const char *key, const char *value, size_t n)
{
    struct memory *m = behind(c);
    struct place made = { .n = n };
    kith_err err = ki_strdup(&made.key, key);
    if (err == KITH_OK) err = ki_strndup(&made.value, value, n);
    if (err != KITH_OK || weight(&made) > m->limit) {
        ki_free(made.key);
        ki_free(made.value);
        return err;
    }
    pthread_mutex_lock(&m->lock);
    struct place *p = place_of(m, key);
    empty(m, p);
    while (m->bytes + weight(&made) > m->limit) empty(m, &m->places[m->hand++ % N_PLACES]);
    *p = made;
    m->bytes += weight(p);
    pthread_mutex_unlock(&m->lock);
    return KITH_OK;
}

static void free_memory(kith_cache *c)
{
    struct memory *m = behind(c);
    for (int j = 0; j < N_PLACES; j++) empty(m, &m->places[j]);
    ki_free(m->places);
    pthread_mutex_destroy(&m->lock);
    ki_free(m);
}

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
    m->face = (kith_cache){ .strategy = "memory", .get = get, .put = put, .free = free_memory };
    m->limit = bytes == 0 ? (size_t)256 << 20 : bytes;
    pthread_mutex_init(&m->lock, NULL);
    *out = &m->face;
    return KITH_OK;
}

void kith_cache_free(kith_cache *c)
{
    if (c != NULL) c->free(c);
}
