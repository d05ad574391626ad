/* SPDX-License-Identifier: MIT
 * walk.h -- personalised PageRank on an undirected graph: exactly, or by forward push
 *
 * A walker starts at a vertex drawn from the start vector s, goes on along an edge (in proportion to
 * its value) with probability d, and stops otherwise:
 *
 *      ppr = (1 - d) sum over t of (d P')^t s,     P_vw = value_vw / degree_v
 *
 * ppr(v) is the probability that it stops at v.  It is linear in s; and since P is reversible,
 * degree_v ppr_v(w) = degree_w ppr_w(v), ppr_v being that of a start at v alone.
 *
 * exact      rounds until what has not stopped yet, d^t, is at most `tolerance`: that bounds the sum
 *            of all errors (and some 1e-7 of rounding).  Cost: rounds times edges.
 * push       Andersen, Chung, Lang, Local Graph Partitioning using PageRank Vectors, FOCS 2006: work
 *            where mass waits, until at each vertex less than epsilon degree_v waits.  Then
 *            0 <= ppr(v) - out(v) <= epsilon degree_v.  Cost: at most 1 / (epsilon (1 - d)) steps
 *            along edges, however large the graph.
 */
#ifndef KI_WALK_H
#define KI_WALK_H

#include "data/csr.h"

enum ki_walk_method { KI_WALK_EXACT, KI_WALK_PUSH };

typedef struct ki_walk_options {
    int32_t method; /* of enum ki_walk_method */
    float damping;  /* d, below 1 */
    float tolerance, epsilon;
} ki_walk_options;

/* Vertices are the rows of `first` and after them those of `rest`.  The edges of a row of `first` go
 * to its columns + shift, those of `rest` to its columns.  So users and items need no matrix of their
 * own: first = raters of items, rest = histories, shift = n_items.  Each edge is there both ways. */
typedef struct ki_graph {
    ki_csr first, rest; /* borrowed; rest may be {0} */
    int32_t shift;
    int binary;          /* 1: an edge counts 1 whatever its value */
    const float *degree; /* [n_vertices] as ki_graph_degrees makes them */
} ki_graph;

int32_t ki_graph_size(const ki_graph *g);

/* degree[n_vertices] = sums of the values of a vertex' edges. */
void ki_graph_degrees(const ki_graph *g, float *degree);

/* out[n_vertices]: the start vector in, PageRank out.  Start values are not negative.  The bits
 * depend on the arguments alone. */
void ki_walk(const ki_graph *g, const ki_walk_options *o, float *out, float *scratch);
int64_t ki_walk_scratch(int32_t n_vertices); /* floats */

/* part[n] = what start[j] at vertex[j] adds to ppr(target), through the reversed walk from the
 * target. */
void ki_walk_parts(const ki_graph *g, const ki_walk_options *o, int32_t target,
                   const int32_t *vertex, const float *start, int32_t n, float *part,
                   float *scratch); /* [n_vertices + ki_walk_scratch] */

#endif
