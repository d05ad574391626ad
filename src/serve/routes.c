/* SPDX-License-Identifier: MIT
 * routes.c -- the groups of routes, in the order of the documentation
 */
#include "serve/routes.h"

const ki_route_group *const ki_route_groups[] = {
    &ki_routes_health,
    NULL,
};
