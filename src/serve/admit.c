/* SPDX-License-Identifier: MIT
 * admit.c -- the key of a call, and whether it may
 */
#include "serve/call.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* "Bearer kith_..."; the scheme in either case. */
static const char *key_text(const ki_call *c)
{
    const char *s = c->heads.authorization;
    if (s == NULL) return c->heads.api_key;
    if (strncasecmp(s, "Bearer ", 7) != 0) return "";
    for (s += 7; *s == ' ';) s++;
    return s;
}

static kith_err no_key(ki_call *c, const char *what)
{
    ki_reply_header(c, "WWW-Authenticate", "Bearer realm=\"kith\"");
    return ki_call_refuse(c, 401, KITH_EINVAL, "%s", what);
}

static kith_err check_rate(ki_call *c)
{
    char seconds[24];
    const double wait = ki_key_admit(c->key, c->began, (int64_t)time(NULL));
    if (wait <= 0) return KITH_OK;
    snprintf(seconds, sizeof seconds, "%.0f", ceil(wait));
    ki_reply_header(c, "Retry-After", seconds);
    return ki_call_refuse(c, 429, KITH_EINVAL,
                          "this key has made as many requests as it may for now; again in %s s",
                          seconds);
}

kith_err ki_call_admit(ki_call *c)
{
    const ki_key_role wanted = c->entry->route->role;
    const char *text = key_text(c);
    if (c->site->keys == NULL) {
        c->caller = (ki_caller){ .role = KI_ROLE_ADMIN, .key_id = "" };
        return KITH_OK;
    }
    if (wanted == KI_ROLE_NOBODY) return KITH_OK;
    if (text == NULL)
        return no_key(c, "a key is wanted: Authorization: Bearer KEY, or X-API-Key: KEY");
    c->key = ki_keys_find(c->site->keys, text);
    if (c->key == NULL || (c->key->expires > 0 && c->key->expires <= (int64_t)time(NULL))) {
        c->key = NULL;
        return no_key(c, "the key is not known, has been revoked, or is over");
    }
    c->caller = (ki_caller){ .role = c->key->role,
                             .key_id = c->key->id,
                             .user = c->key->user[0] != '\0' ? c->key->user : NULL };
    if (c->key->role < wanted)
        return ki_call_refuse(c, 403, KITH_EINVAL, "%s wants a key of role %s, this one has %s",
                              c->entry->route->id, ki_role_names[wanted],
                              ki_role_names[c->key->role]);
    return check_rate(c);
}
