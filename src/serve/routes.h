/* SPDX-License-Identifier: MIT
 * routes.h -- where each group of routes is; routes.c puts them in order
 */
#ifndef KI_ROUTES_H
#define KI_ROUTES_H

#include "serve/route.h"

extern const ki_route_group ki_routes_health; /* routes_health.c */

#endif
