/* SPDX-License-Identifier: MIT
 * fuzz_redisurl.c -- a Redis URL: refused with a sentence that holds no password, or a sound place
 */
#include "fuzz.h"

#include "store/redis_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    ki_redis_url u;
    char place[KI_REDIS_PLACE_ROOM], *url = NULL;
    MUST(ki_strndup(&url, (const char *)bytes, n) == KITH_OK);
    if (ki_redis_url_read(url, &u) == KITH_OK) {
        ki_redis_url_print(&u, place);
        MUST((u.host[0] != '\0') != (u.path[0] != '\0'));
        MUST(u.path[0] == '/' || (u.port > 0 && u.port < 65536));
        MUST(u.database >= 0 && place[0] != '\0' && strlen(place) < sizeof place);
    } else {
        MUST(kith_last_error()[0] != '\0');
    }
    ki_free(url);
    MUST(ki_alloc_live() == 0);
    return 0;
}
