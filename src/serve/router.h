/* SPDX-License-Identifier: MIT
 * router.h -- from a method and a path to a route
 *
 * Routes are made ready once: templates cut into segments, shapes turned into schemas and defaults.  A
 * literal segment goes before a {name}, so /v1/items/search is not the item "search".
 */
#ifndef KI_ROUTER_H
#define KI_ROUTER_H

#include "serve/route.h"
#include "serve/uri.h"

typedef struct ki_entry { /* a route, ready */
    const ki_route *route;
    const ki_route_group *group;
    int number;                  /* of the route, from 0, in the order of the tables */
    json_t *path, *query, *body; /* closed schemas; NULL: none */
    json_t *defaults;            /* name -> value, of path, query and body */
    int n_segments;
    char *block;                           /* of the segments */
    const char *segments[KI_URI_SEGMENTS]; /* literal, or "{name}" */
} ki_entry;

typedef struct ki_router {
    ki_entry *entries; /* [n], in the order of the tables */
    int n;
    int *order; /* [n]: literal segments before names */
} ki_router;

/* groups ends with NULL.  KITH_EINVAL for a table that contradicts itself: two routes alike, a {name}
 * without a shape. */
kith_err ki_router_new(const ki_route_group *const *groups, ki_router **out);
void ki_router_free(ki_router *r);

typedef enum ki_method {
    KI_GET = 1,
    KI_HEAD = 2,
    KI_POST = 4,
    KI_PUT = 8,
    KI_PATCH = 16,
    KI_DELETE = 32,
    KI_OPTIONS = 64
} ki_method;
unsigned ki_method_of(const char *name); /* 0: none of these */

/* The route of this method at this path, or NULL; *allowed = methods that the path has, as bits. */
const ki_entry *ki_router_find(const ki_router *r, unsigned method, const ki_uri *uri,
                               unsigned *allowed);

/* "GET, HEAD, OPTIONS" of bits. */
enum { KI_ALLOW_ROOM = 64 };
void ki_method_print(unsigned methods, char *out);

/* The template that is least far from a path that is not there; NULL: none is near. */
const char *ki_router_near(const ki_router *r, const ki_uri *uri);

#endif
