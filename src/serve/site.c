/* SPDX-License-Identifier: MIT
 * site.c -- what all calls share
 */
#include "serve/site.h"

#include "base/jsontext.h"
#include "serve/openapi.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

kith_err ki_site_begin(ki_site *site, const ki_route_group *const *groups, const ki_limits *limits,
                       int with_keys)
{
    ki_router *router = NULL;
    kith_err err;
    *site = (ki_site){ .limits = limits, .started = (int64_t)time(NULL) };
    randombytes_buf(site->log_key, sizeof site->log_key);
    if ((err = ki_router_new(groups, &router)) != KITH_OK) return err;
    site->router = router;
    if ((err = ki_meter_new(router, &site->meter)) != KITH_OK) goto fail;
    if ((err = ki_json_print(ki_openapi(groups, with_keys), &site->openapi_text)) != KITH_OK)
        goto fail;
    site->n_openapi = strlen(site->openapi_text);
    return KITH_OK;
fail:
    ki_site_end(site);
    return err;
}

void ki_site_end(ki_site *site)
{
    ki_meter_free(site->meter);
    ki_router_free((ki_router *)site->router);
    ki_keys_free(site->keys);
    kith_string_free(site->openapi_text);
    *site = (ki_site){ 0 };
}
