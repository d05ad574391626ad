/* SPDX-License-Identifier: MIT
 * site.h -- making what all calls share, out of route groups and limits
 */
#ifndef KI_SITE_H
#define KI_SITE_H

#include "serve/call.h"

/* Router, meter and OpenAPI document; `limits` is borrowed.  Whoever calls fills in the rest. */
kith_err ki_site_begin(ki_site *site, const ki_route_group *const *groups, const ki_limits *limits,
                       int with_keys);
void ki_site_end(ki_site *site); /* frees keys too */

#endif
