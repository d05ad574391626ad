/* SPDX-License-Identifier: MIT
 * openapi.h -- the OpenAPI 3.1 document, out of the tables that dispatch
 */
#ifndef KI_OPENAPI_H
#define KI_OPENAPI_H

#include "serve/router.h"

/* A new reference; NULL when memory ran out.  `with_keys`: whether calls want keys. */
json_t *ki_openapi(const ki_route_group *const *groups, int with_keys);

#endif
