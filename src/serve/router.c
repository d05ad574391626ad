/* SPDX-License-Identifier: MIT
 * router.c -- templates cut once, compared segment by segment
 */
#include "serve/router.h"

#include "base/closest.h"

#include <string.h>

/* ---- methods ---- */

static const struct {
    const char *name;
    unsigned bit;
} methods[] = {
    { "GET", KI_GET },     { "HEAD", KI_HEAD },     { "POST", KI_POST },       { "PUT", KI_PUT },
    { "PATCH", KI_PATCH }, { "DELETE", KI_DELETE }, { "OPTIONS", KI_OPTIONS },
};

unsigned ki_method_of(const char *name)
{
    for (size_t j = 0; j < KI_COUNT(methods); j++)
        if (strcmp(methods[j].name, name) == 0) return methods[j].bit;
    return 0;
}

void ki_method_print(unsigned bits, char *out)
{
    out[0] = '\0';
    for (size_t j = 0; j < KI_COUNT(methods); j++)
        if (bits & methods[j].bit) {
            if (out[0] != '\0') strcat(out, ", ");
            strcat(out, methods[j].name);
        }
}

/* ---- making ready ---- */

static int is_name(const char *segment)
{
    return segment[0] == '{';
}

static int has_member(const ki_shape *s, const char *name, size_t n)
{
    for (int j = 0; s != NULL && j < s->n_inside; j++)
        if (strlen(s->inside[j].name) == n && memcmp(s->inside[j].name, name, n) == 0) return 1;
    return 0;
}

static kith_err cut_template(ki_entry *e)
{
    kith_err err = ki_strdup(&e->block, e->route->path + 1);
    for (char *s = e->block; s != NULL && err == KITH_OK;) {
        char *next = strchr(s, '/');
        if (next != NULL) *next++ = '\0';
        if (e->n_segments == KI_URI_SEGMENTS)
            return ki_fail(KITH_EINVAL, "route %s has too many segments", e->route->id);
        if (is_name(s) && !has_member(e->route->path_shape, s + 1, strlen(s) - 2))
            return ki_fail(KITH_EINVAL, "route %s: %s has no shape", e->route->id, s);
        e->segments[e->n_segments++] = s;
        s = next;
    }
    return err;
}

static void gather_defaults(json_t *defaults, const json_t *schema)
{
    const char *name;
    json_t *member;
    json_object_foreach (json_object_get(schema, "properties"), name, member) {
        json_t *init = json_object_get(member, "default");
        if (init != NULL && json_object_get(defaults, name) == NULL)
            json_object_set(defaults, name, init);
    }
}

static kith_err ready(ki_entry *e)
{
    const ki_route *r = e->route;
    if (ki_method_of(r->method) == 0 || r->path[0] != '/' || r->run == NULL)
        return ki_fail(KITH_EINVAL, "route %s: no method, path or handler", r->id);
    e->path = r->path_shape != NULL ? ki_shape_schema(r->path_shape, 1) : NULL;
    e->query = r->query_shape != NULL ? ki_shape_schema(r->query_shape, 1) : NULL;
    e->body = r->body != NULL ? ki_shape_schema(r->body, 1) : NULL;
    e->defaults = json_object();
    if (e->defaults == NULL) return ki_fail_memory(sizeof *e);
    gather_defaults(e->defaults, e->path);
    gather_defaults(e->defaults, e->query);
    gather_defaults(e->defaults, e->body);
    return cut_template(e);
}

/* < 0: a goes before b.  At the first segment where one is literal and the other a name, the literal does. */
static int compare(const ki_entry *a, const ki_entry *b)
{
    if (a->n_segments != b->n_segments) return a->n_segments - b->n_segments;
    for (int j = 0; j < a->n_segments; j++)
        if (is_name(a->segments[j]) != is_name(b->segments[j]))
            return is_name(a->segments[j]) - is_name(b->segments[j]);
    return 0;
}

static int alike(const ki_entry *a, const ki_entry *b)
{
    if (a->n_segments != b->n_segments || strcmp(a->route->method, b->route->method) != 0) return 0;
    for (int j = 0; j < a->n_segments; j++)
        if (is_name(a->segments[j]) != is_name(b->segments[j]) ||
            (!is_name(a->segments[j]) && strcmp(a->segments[j], b->segments[j]) != 0))
            return 0;
    return 1;
}

/* By insertion: a few dozen, once. */
static kith_err put_in_order(ki_router *r)
{
    for (int j = 0; j < r->n; j++) {
        int at = j;
        for (; at > 0 && compare(&r->entries[j], &r->entries[r->order[at - 1]]) < 0; at--)
            r->order[at] = r->order[at - 1];
        r->order[at] = j;
        for (int i = 0; i < j; i++)
            if (alike(&r->entries[i], &r->entries[j]) ||
                strcmp(r->entries[i].route->id, r->entries[j].route->id) == 0)
                return ki_fail(KITH_EINVAL, "routes %s and %s are alike", r->entries[i].route->id,
                               r->entries[j].route->id);
    }
    return KITH_OK;
}

kith_err ki_router_new(const ki_route_group *const *groups, ki_router **out)
{
    ki_router *r = NULL;
    int n = 0;
    kith_err err;
    for (int g = 0; groups[g] != NULL; g++) n += groups[g]->n;
    if ((err = ki_alloc(&r, 1, sizeof *r)) != KITH_OK) return err;
    if ((err = ki_alloc(&r->entries, (size_t)n, sizeof *r->entries)) != KITH_OK) goto fail;
    if ((err = ki_alloc(&r->order, (size_t)n, sizeof *r->order)) != KITH_OK) goto fail;
    for (int g = 0; groups[g] != NULL; g++)
        for (int j = 0; j < groups[g]->n; j++) {
            ki_entry *e = &r->entries[r->n];
            *e = (ki_entry){ .route = &groups[g]->routes[j], .group = groups[g], .number = r->n };
            r->n++;
            if ((err = ready(e)) != KITH_OK) goto fail;
        }
    if ((err = put_in_order(r)) != KITH_OK) goto fail;
    *out = r;
    return KITH_OK;
fail:
    ki_router_free(r);
    return err;
}

void ki_router_free(ki_router *r)
{
    if (r == NULL) return;
    for (int j = 0; j < r->n; j++) {
        json_decref(r->entries[j].path);
        json_decref(r->entries[j].query);
        json_decref(r->entries[j].body);
        json_decref(r->entries[j].defaults);
        ki_free(r->entries[j].block);
    }
    ki_free(r->entries);
    ki_free(r->order);
    ki_free(r);
}

/* ---- finding ---- */

static int fits(const ki_entry *e, const ki_uri *uri)
{
    if (e->n_segments != uri->n_segments) return 0;
    for (int j = 0; j < e->n_segments; j++)
        if (is_name(e->segments[j]) ? uri->segments[j][0] == '\0'
                                    : strcmp(e->segments[j], uri->segments[j]) != 0)
            return 0;
    return 1;
}

const ki_entry *ki_router_find(const ki_router *r, unsigned method, const ki_uri *uri,
                               unsigned *allowed)
{
    const unsigned asked = method == KI_HEAD ? KI_GET : method;
    *allowed = 0;
    for (int j = 0; j < r->n; j++) {
        const ki_entry *e = &r->entries[r->order[j]];
        if (!fits(e, uri)) continue;
        const unsigned has = ki_method_of(e->route->method);
        if (has == asked) return e;
        *allowed |= has | KI_OPTIONS | (has == KI_GET ? KI_HEAD : 0);
    }
    return NULL;
}

/* Letters that differ in the literal segments; large when the shapes differ. */
static int distance(const ki_entry *e, const ki_uri *uri)
{
    int sum = 0;
    if (e->n_segments != uri->n_segments) return 1000;
    for (int j = 0; j < e->n_segments; j++)
        if (!is_name(e->segments[j]))
            sum += ki_edit_distance(e->segments[j], strlen(e->segments[j]), uri->segments[j],
                                    strlen(uri->segments[j]));
    return sum;
}

const char *ki_router_near(const ki_router *r, const ki_uri *uri)
{
    const char *best = NULL;
    int least = 4; /* a slip of the fingers, not another word */
    for (int j = 0; j < r->n; j++) {
        const ki_entry *e = &r->entries[r->order[j]];
        const int d = distance(e, uri);
        if (d < least && !(e->route->flags & KI_ROUTE_HIDDEN)) {
            least = d;
            best = e->route->path;
        }
    }
    return best;
}
