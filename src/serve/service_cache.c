/* SPDX-License-Identifier: MIT
 * service_cache.c -- where finished lists are kept, and the keys that they are kept under
 *
 * A key holds what the list was made of: the start of the service, the user's counter of changes, those of catalogue,
 * model and settings, and the question itself.
 */
#include "serve/service_parts.h"

#include "base/mem.h"
#include "store/cache.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

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

int ki_service_cache_key(ki_service *s, const ki_wish *w, char *key)
{
    int32_t u = -1;
    const size_t size = KI_LIST_KEY_ROOM;
    if (s->cache == NULL || ki_wish_drifts(w)) return 0;
    if (w->user != NULL && ki_live_find_user(s->live, w->user, &u) != KITH_OK) return 0;
    const unsigned user = u < 0 ? 0 : atomic_load(&s->news.users[(uint32_t)u % KI_NEWS_USERS]);
    const int n = snprintf(key, size, "kith:list:%" PRIx64 ":%d:%u:%u:%u:%u:", s->boot, (int)u,
                           user, atomic_load(&s->news.catalogue), atomic_load(&s->news.model),
                           atomic_load(&s->news.settings));
    const size_t room = size - (size_t)n - 1,
                 used = json_dumpb(w->request, key + n, room, JSON_COMPACT | JSON_SORT_KEYS);
    if (used == 0 || used > room) return 0;
    key[(size_t)n + used] = '\0';
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

/* Nobody asks for the old keys any more, but the bytes would lie there. */
kith_err ki_service_cache_empty(ki_service *s)
{
    char prefix[64];
    if (s->cache == NULL) return KITH_OK;
    const int n = snprintf(prefix, sizeof prefix, "kith:list:%" PRIx64 ":", s->boot);
    return ki_cache_drop_prefix(s->cache, prefix, (size_t)n);
}
