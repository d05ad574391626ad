/* SPDX-License-Identifier: MIT
 * pagerank.c -- where a random walk from your history often stops
 *
 * Paper      Page, Brin, Motwani, Winograd, The PageRank Citation Ranking, 1999; Andersen, Chung,
 *            Lang, Local Graph Partitioning using PageRank Vectors, FOCS 2006 (push)
 * Scores     s_i = ppr(i) on the graph of users and items (walk.h), starts at the history's items in
 *            proportion to w_j; w_j = 1, or r_uj when not binary
 * Fold-in    nothing to do: a walk starts from items
 * Explain    PageRank is linear in its start: the share of item j is w_j ppr_j(i), exact, by one
 *            reversed walk from i.  push leaves out other crumbs in the two directions, so its shares
 *            are scaled to add up to the score
 * Cost       nothing is fitted but degrees; per query see walk.h
 * Checked    test_pagerank.c: a path by hand, push within its bound of exact, shares; networkx
 *            (test/golden); gowalla predefined with the defaults: recall@20 .1800, ndcg@20 .1501
 */
#include "model/form_whole.h"

#include "base/mem.h"
#include "model/walk.h"

#include <math.h>
#include <string.h>

struct pagerank {
    ki_walk_options walk;
    int32_t binary;
};

static const char *const methods[] = { "exact", "push", NULL };

static const ki_param params[] = {
    { .name = "method",
      .kind = KI_CHOICE,
      .offset = offsetof(struct pagerank, walk.method),
      .init = KI_WALK_PUSH,
      .choices = methods,
      .meaning = "exact: rounds over the whole graph; push: work where the walk is, with a bound" },
    { .name = "damping",
      .kind = KI_FLOAT,
      .offset = offsetof(struct pagerank, walk.damping),
      .init = 0.5,
      .min = 0.01,
      .max = 0.99,
      .meaning = "probability of going on; a short walk stays close to the history",
      .scale = KI_LINEAR,
      .tune_min = 0.1,
      .tune_max = 0.9 },
    { .name = "epsilon",
      .kind = KI_FLOAT,
      .offset = offsetof(struct pagerank, walk.epsilon),
      .init = 1e-6,
      .min = 1e-10,
      .max = 1,
      .meaning = "push: what a score may lack, per user who has the item" },
    { .name = "tolerance",
      .kind = KI_FLOAT,
      .offset = offsetof(struct pagerank, walk.tolerance),
      .init = 1e-6,
      .min = 1e-9,
      .max = 1,
      .meaning = "exact: part of the walks that may be cut off" },
    { .name = "binary",
      .kind = KI_BOOL,
      .offset = offsetof(struct pagerank, binary),
      .init = 1,
      .meaning = "an interaction counts 1 whatever its value" },
};

/* ---- state ---- */

struct walks {
    int64_t n_vertices; /* items, then users */
    float *degree;      /* [n_vertices] */
};

static int fields(void *state, ki_field *out)
{
    struct walks *s = state;
    out[0] = (ki_field){ "degree", KI_F32, 1, { &s->n_vertices }, 0, (void **)&s->degree, 0 };
    return 1;
}

static ki_graph graph(const ki_csr *raters, const ki_csr *history, int binary, const float *degree)
{
    return (ki_graph){ .first = ki_csr_lend(raters),
                       .rest = ki_csr_lend(history),
                       .shift = raters->n_rows,
                       .binary = binary,
                       .degree = degree };
}

static ki_graph graph_of(const ki_model *m)
{
    const struct walks *s = m->state;
    return graph(&m->raters, &m->history, ((const struct pagerank *)m->params)->binary, s->degree);
}

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    const struct pagerank *o = p;
    const ki_ratings *r = in->ratings;
    struct walks *s = state;
    if (r->min < 0 && !o->binary)
        return ki_fail(KITH_EDATA,
                       "pagerank: a walk cannot take a step of negative value (%g); take "
                       "binary=true",
                       (double)r->min);
    s->n_vertices = (int64_t)r->by_item.n_rows + r->by_user.n_rows;
    if (s->n_vertices >= INT32_MAX)
        return ki_fail(KITH_EDATA, "pagerank: %lld users and items, want fewer than 2^31",
                       (long long)s->n_vertices);
    const kith_err err = ki_alloc(&s->degree, (size_t)s->n_vertices, sizeof *s->degree);
    if (err != KITH_OK) return err;
    const ki_graph g = graph(&r->by_item, &r->by_user, o->binary, s->degree);
    ki_graph_degrees(&g, s->degree);
    return KITH_OK;
}

/* The degrees must be those of the graph, bit for bit: with others a walk would lose its way. */
static kith_err check(const ki_model *m)
{
    const struct walks *s = m->state;
    float *degree = NULL;
    if (s->n_vertices != (int64_t)m->n_items + m->n_users)
        return ki_fail(KITH_EFORMAT, "degrees of %lld vertices, but there are %lld",
                       (long long)s->n_vertices, (long long)m->n_items + m->n_users);
    kith_err err = ki_alloc(&degree, (size_t)s->n_vertices, sizeof *degree);
    if (err != KITH_OK) return err;
    const ki_graph g = graph_of(m);
    ki_graph_degrees(&g, degree);
    if (memcmp(degree, s->degree, (size_t)s->n_vertices * sizeof *degree) != 0)
        err = ki_fail(KITH_EFORMAT, "the degrees are not those of the graph");
    ki_free(degree);
    return err;
}

/* ---- asking ---- */

static void sizes(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats)
{
    const int64_t n = (int64_t)m->n_items + m->n_users;
    *query_floats = m->n_items;
    *scratch_floats = 2 * n + 2 * (int64_t)m->n_items + ki_walk_scratch((int32_t)n);
}

/* start[q->n] sums to 1. */
static void make_start(const ki_model *m, const ki_query *q, float *start)
{
    const int binary = ((const struct pagerank *)m->params)->binary;
    double sum = 0;
    for (int32_t t = 0; t < q->n; t++) {
        start[t] = binary || q->values == NULL ? 1 : fmaxf(q->values[t], 0);
        sum += (double)start[t];
    }
    for (int32_t t = 0; t < q->n && sum > 0; t++) start[t] = (float)(start[t] / sum);
}

static kith_err prepare(const ki_model *m, const ki_query *q, float *prepared, float *scratch)
{
    const struct pagerank *o = m->params;
    const ki_graph g = graph_of(m);
    const size_t n = (size_t)ki_graph_size(&g);
    float *start = scratch + n;
    make_start(m, q, start);
    memset(scratch, 0, n * sizeof *scratch);
    for (int32_t t = 0; t < q->n; t++) scratch[q->items[t]] = start[t];
    ki_walk(&g, &o->walk, scratch, start);
    memcpy(prepared, scratch, (size_t)m->n_items * sizeof *prepared);
    return KITH_OK;
}

static int explain(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                   ki_term *out, float *scratch)
{
    const struct pagerank *o = m->params;
    const ki_graph g = graph_of(m);
    float *start = scratch, *part = scratch + q->n;
    double sum = 0;
    int n = 0;
    make_start(m, q, start);
    ki_walk_parts(&g, &o->walk, item, q->items, start, q->n, part, part + q->n);
    for (int32_t t = 0; t < q->n; t++) sum += (double)part[t];
    if (!(sum > 0)) return 0;
    for (int32_t t = 0; t < q->n; t++)
        if (part[t] > 0)
            out[n++] =
                (ki_term){ .item = q->items[t], .part = (float)(prepared[item] * (part[t] / sum)) };
    return n;
}

/* The walk that starts at the item. */
static void similar(const ki_model *m, int32_t item, float *out, float *scratch)
{
    const ki_query q = { .user = -1, .items = &item, .n = 1 };
    prepare(m, &q, out, scratch);
}

static kith_err forget(const ki_model *m, int32_t u, int64_t from, int64_t n)
{
    const struct walks *s = m->state;
    const ki_graph g = graph_of(m); /* without the user's edges by now */
    (void)u, (void)from, (void)n;
    ki_graph_degrees(&g, s->degree);
    return KITH_OK;
}

static const ki_form form_walk = {
    .name = "walk",
    .size = sizeof(struct walks),
    .needs_raters = 1,
    .fields = fields,
    .check = check,
    .sizes = sizes,
    .prepare = prepare,
    .score = ki_whole_score,
    .predict = ki_whole_predict,
    .explain = explain,
    .similar = similar,
    .forget = forget,
};

const ki_model_desc ki_pagerank = {
    .name = "pagerank",
    .family = "graph_based",
    .summary = "where a random walk from your history often stops",
    .paper = "Page et al., The PageRank Citation Ranking, 1999; Andersen, Chung, Lang, Local Graph "
             "Partitioning using PageRank Vectors, FOCS 2006",
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(struct pagerank),
    .form = &form_walk,
    .fit = fit,
};
