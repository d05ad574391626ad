/* SPDX-License-Identifier: MIT
 * routes.c -- the groups of routes, in the order of the documentation
 */
#include "serve/routes.h"

const ki_route_group *const ki_route_groups[] = {
    &ki_routes_ask,       &ki_routes_events,      &ki_routes_items,  &ki_routes_people,
    &ki_routes_scenarios, &ki_routes_models,      &ki_routes_data,   &ki_routes_tool,
    &ki_routes_keys,      &ki_routes_experiments, &ki_routes_health, NULL,
};
