/* SPDX-License-Identifier: MIT
 * routes.h -- where each group of routes is; routes.c puts them in order
 */
#ifndef KI_ROUTES_H
#define KI_ROUTES_H

#include "serve/route.h"

extern const ki_route_group ki_routes_health;      /* routes_health.c */
extern const ki_route_group ki_routes_keys;        /* routes_keys.c */
extern const ki_route_group ki_routes_ask;         /* routes_ask.c */
extern const ki_route_group ki_routes_events;      /* routes_events.c */
extern const ki_route_group ki_routes_items;       /* routes_items.c */
extern const ki_route_group ki_routes_people;      /* routes_people.c */
extern const ki_route_group ki_routes_scenarios;   /* routes_scenarios.c */
extern const ki_route_group ki_routes_models;      /* routes_models.c */
extern const ki_route_group ki_routes_data;        /* routes_data.c */
extern const ki_route_group ki_routes_tool;        /* routes_tool.c */
extern const ki_route_group ki_routes_experiments; /* routes_experiments.c */

#endif
