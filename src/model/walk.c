/* SPDX-License-Identifier: MIT
 * walk.c -- rounds over the whole graph, or a queue of the vertices where mass waits
 */
#include "model/walk.h"

#include <math.h>
#include <string.h>

int32_t ki_graph_size(const ki_graph *g)
{
    return g->first.n_rows + g->rest.n_rows;
}

/* The edges of a vertex. */
struct edges {
    const int32_t *to;  /* [n] less `shift` */
    const float *value; /* NULL when the graph is binary and has none */
    int64_t n;
    int32_t shift;
};

static struct edges edges_of(const ki_graph *g, int32_t v)
{
    const int in_first = v < g->first.n_rows;
    const ki_csr *a = in_first ? &g->first : &g->rest;
    const int32_t row = in_first ? v : v - g->first.n_rows;
    return (struct edges){ .to = a->idx + a->ptr[row],
                           .value = a->val == NULL ? NULL : a->val + a->ptr[row],
                           .n = ki_csr_len(a, row),
                           .shift = in_first ? g->shift : 0 };
}

void ki_graph_degrees(const ki_graph *g, float *degree)
{
    for (int32_t v = 0; v < ki_graph_size(g); v++) {
        const struct edges e = edges_of(g, v);
        double sum = 0;
        for (int64_t j = 0; j < e.n && !g->binary; j++) sum += (double)e.value[j];
        degree[v] = g->binary ? (float)e.n : (float)sum;
    }
}

int64_t ki_walk_scratch(int32_t n_vertices)
{
    return 2 * ((int64_t)n_vertices + 1); /* two vectors, or one and a queue */
}

/* ---- exact ---- */

/* to += d P' from */
static void step(const ki_graph *g, float d, const float *from, float *to)
{
    for (int32_t v = 0; v < ki_graph_size(g); v++) {
        if (from[v] == 0 || !(g->degree[v] > 0)) continue;
        const struct edges e = edges_of(g, v);
        const float each = d * from[v] / g->degree[v];
        for (int64_t j = 0; j < e.n; j++)
            to[e.to[j] + e.shift] += g->binary ? each : each * e.value[j];
    }
}

static void walk_exactly(const ki_graph *g, const ki_walk_options *o, float *out, float *scratch)
{
    const size_t n = (size_t)ki_graph_size(g);
    const float stop = 1 - o->damping;
    float *x = scratch, *next = scratch + n;
    memcpy(x, out, n * sizeof *x);
    for (size_t v = 0; v < n; v++) out[v] = stop * x[v];
    for (double left = o->damping; left > (double)o->tolerance; left *= (double)o->damping) {
        memset(next, 0, n * sizeof *next);
        step(g, o->damping, x, next);
        for (size_t v = 0; v < n; v++) out[v] += stop * next[v];
        float *swap = x;
        x = next;
        next = swap;
    }
}

/* ---- push ---- */

struct queue { /* of vertices with too much mass waiting: each once */
    int32_t *ring;
    int32_t size, head, n;
};

static void put(struct queue *q, int32_t v)
{
    const int32_t at = q->head + q->n++;
    q->ring[at < q->size ? at : at - q->size] = v;
}

static int32_t take(struct queue *q)
{
    const int32_t v = q->ring[q->head];
    q->head = q->head + 1 < q->size ? q->head + 1 : 0;
    q->n--;
    return v;
}

static void push(const ki_graph *g, const ki_walk_options *o, int32_t v, float mass, float *waiting,
                 struct queue *q)
{
    const struct edges e = edges_of(g, v);
    const float each = o->damping * mass / g->degree[v];
    for (int64_t j = 0; j < e.n; j++) {
        const int32_t w = e.to[j] + e.shift;
        const float much = o->epsilon * g->degree[w], was = waiting[w];
        waiting[w] += g->binary ? each : each * e.value[j];
        if (was < much && waiting[w] >= much) put(q, w);
    }
}

/* A vertex is in the queue exactly while epsilon times its degree or more waits there. */
static void walk_by_push(const ki_graph *g, const ki_walk_options *o, float *out, float *scratch)
{
    const int32_t n = ki_graph_size(g);
    const float stop = 1 - o->damping;
    float *waiting = scratch;
    struct queue q = { .ring = (int32_t *)(scratch + n), .size = n + 1 };
    memcpy(waiting, out, (size_t)n * sizeof *waiting);
    memset(out, 0, (size_t)n * sizeof *out);
    for (int32_t v = 0; v < n; v++)
        if (waiting[v] > 0 && waiting[v] >= o->epsilon * g->degree[v]) put(&q, v);
    while (q.n > 0) {
        const int32_t v = take(&q);
        const float mass = waiting[v];
        waiting[v] = 0;
        out[v] += stop * mass;
        if (g->degree[v] > 0) push(g, o, v, mass, waiting, &q);
    }
}

/* ---- */

void ki_walk(const ki_graph *g, const ki_walk_options *o, float *out, float *scratch)
{
    (o->method == KI_WALK_EXACT ? walk_exactly : walk_by_push)(g, o, out, scratch);
}

void ki_walk_parts(const ki_graph *g, const ki_walk_options *o, int32_t target,
                   const int32_t *vertex, const float *start, int32_t n, float *part,
                   float *scratch)
{
    const int32_t size = ki_graph_size(g);
    float *from_target = scratch;
    memset(from_target, 0, (size_t)size * sizeof *from_target);
    from_target[target] = 1;
    ki_walk(g, o, from_target, scratch + size);
    for (int32_t j = 0; j < n; j++) {
        const float degree = g->degree[vertex[j]];
        const float back = from_target[vertex[j]] * g->degree[target];
        part[j] = vertex[j] == target ? start[j] * from_target[target]
                                      : (degree > 0 ? start[j] * back / degree : 0);
    }
}
