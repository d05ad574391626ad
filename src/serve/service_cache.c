/* SPDX-License-Identifier: MIT
 * service_cache.c -- where finished lists are kept, and the keys that they are kept under
 *
 * A key holds what the list was made of: the start of the service, the user's counter of changes, those of catalogue,
 * model and settings, and the question itself.
 */
#include "serve/service_parts.h"

#include "base/mem.h"
#include "base/print.h"
#include "store/cache.h"

#include <sodium.h>
#include <string.h>

static const char prefix[] = "kith:list:";

/* Lists of this start alone: its counters of changes begin at 0 again. */
kith_err ki_service_open_cache(ki_service *s)
{
    randombytes_buf(&s->boot, sizeof s->boot);
    const char *url = s->settings.redis_url[0] != '\0' ? s->settings.redis_url : NULL;
    switch ((ki_caching)s->settings.caching) {
    case KI_CACHING_NONE: break;
    case KI_CACHING_MEMORY: return kith_cache_memory((size_t)s->settings.cache_mb << 20, &s->cache);
    case KI_CACHING_REDIS: return kith_cache_redis(url, 0, &s->cache);
    }
    return KITH_OK;
}

/* Members in another order are another key: a program that asks puts them into one. */
int ki_service_cache_key(ki_service *s, const ki_wish *w, const ki_text *asked, char *key)
{
    int32_t u = -1;
    size_t n = sizeof prefix - 1;
    if (s->cache == NULL || ki_wish_drifts(w)) return 0;
    if (w->user != NULL && ki_live_find_user(s->live, w->user, &u) != KITH_OK) return 0;
    const int64_t counters[] = {
        u,
        u < 0 ? 0 : atomic_load(&s->news.users[(uint32_t)u % KI_NEWS_USERS]),
        atomic_load(&s->news.catalogue),
        atomic_load(&s->news.model),
        w->settings,
    };
    memcpy(key, prefix, n);
    n += ki_print_hex(key + n, s->boot, 16);
    for (size_t j = 0; j < KI_COUNT(counters); j++) {
        key[n++] = ':';
        n += ki_print_whole(key + n, counters[j]);
    }
    key[n++] = ':';
    if (asked->n >= KI_LIST_KEY_ROOM - n) return 0;
    memcpy(key + n, asked->at, asked->n + 1);
    return 1;
}

kith_err ki_service_cache_get(ki_service *s, const char *key, char **value, size_t *n)
{
    ki_cached found = { 0 };
    const kith_err err = ki_cache_get(s->cache, key, strlen(key), &found);
    *value = found.at;
    *n = found.n;
    return err;
}

kith_err ki_service_cache_put(ki_service *s, const char *key, const char *value, size_t n)
{
    return ki_cache_put(s->cache, key, strlen(key), value, n);
}

/* Nobody asks for the old keys any more, but the bytes would lie there.  On a network those of earlier starts do too, and
 * those of other services go with them, which can make them again. */
kith_err ki_service_cache_empty(ki_service *s)
{
    return s->cache == NULL ? KITH_OK : ki_cache_drop_prefix(s->cache, prefix, sizeof prefix - 1);
}
