/* SPDX-License-Identifier: MIT
 * friends.c -- whom you may know: suggestions on a graph of people
 *
 * Paper      Liben-Nowell, Kleinberg, The Link-Prediction Problem for Social Networks, CIKM 2003; Adamic,
 *            Adar, Friends and Neighbors on the Web, Social Networks 2003; Zhou, Lu, Zhang, Predicting
 *            Missing Links via Local Information, EPJ B 2009 (resource allocation)
 * Scores     G: the friends of whom is asked, N(i): those of i, C = G and N(i), d_z: friends of z
 *                common-neighbors     |C|
 *                adamic-adar          sum over z in C of 1 / ln d_z
 *                resource-allocation  sum over z in C of 1 / d_z
 *                jaccard              |C| / |G or N(i)|
 *                pagerank             ppr(i), starts at G alike (walk.h)
 * People     An interaction (user, item) says that the user has the item as a friend.  A user and an
 *            item are one person when their ids are the same text; persons are the items, then the
 *            users who are no item.  Links go both ways, or from user to item when `directed`: then
 *            G are those whom one names, N(i) those who name i, d_z counts links of both kinds, and
 *            pagerank goes both ways all the same.
 * Never      suggested: oneself, and whom one is linked to.  Only items can be suggested: somebody
 *            whom nobody names needs a row of their own, so list a friendship in both directions.
 * Fold-in    nothing to do: G is the given list
 * Explain    the common friends and what each adds, exact; pagerank: shares as in pagerank.c
 * Cost       a query: the friends of friends; nothing but the links is kept
 * Checked    test_friends.c: six people by hand; networkx (test/golden)
 */
#include "model/form_whole.h"

#include "base/mem.h"
#include "model/walk.h"

#include <math.h>
#include <string.h>

enum method { COMMON, ADAMIC_ADAR, ALLOCATION, JACCARD, PAGERANK };

static const char *const methods[] = { "common-neighbors", "adamic-adar", "resource-allocation",
                                       "jaccard",          "pagerank",    NULL };

struct friends {
    int32_t method, directed;
    float damping, epsilon;
};

static const ki_param params[] = {
    { .name = "method",
      .kind = KI_CHOICE,
      .offset = offsetof(struct friends, method),
      .init = ADAMIC_ADAR,
      .choices = methods,
      .meaning = "how common friends count" },
    { .name = "directed",
      .kind = KI_BOOL,
      .offset = offsetof(struct friends, directed),
      .init = 0,
      .meaning = "a row says whom the user follows, and not that both are friends" },
    { .name = "damping",
      .kind = KI_FLOAT,
      .offset = offsetof(struct friends, damping),
      .init = 0.5,
      .min = 0.01,
      .max = 0.99,
      .meaning = "pagerank: probability of going on",
      .scale = KI_LINEAR,
      .tune_min = 0.1,
      .tune_max = 0.9 },
    { .name = "epsilon",
      .kind = KI_FLOAT,
      .offset = offsetof(struct friends, epsilon),
      .init = 1e-6,
      .min = 1e-10,
      .max = 1,
      .meaning = "pagerank: what a score may lack, per friend of a person" },
};

static int both_ways(const struct friends *o)
{
    return !o->directed || o->method == PAGERANK;
}

static ki_walk_options walk_of(const struct friends *o)
{
    return (
        ki_walk_options){ .method = KI_WALK_PUSH, .damping = o->damping, .epsilon = o->epsilon };
}

/* ---- state ---- */

struct people {
    int64_t n_users, n_people, n_links;
    int32_t *person;        /* [n_users] who each user is; items are the persons 0 .. n_items - 1 */
    int64_t *ptr;           /* [n_people + 1] */
    int32_t *idx;           /* [n_links] whom a person is linked to, rising, never oneself */
    float *weight, *degree; /* [n_people] what a common friend counts; links that lead here */
};

static int fields(void *state, ki_field *out)
{
    struct people *s = state;
    int n = 0;
    out[n++] = (ki_field){ "person", KI_I32, 1, { &s->n_users }, 0, (void **)&s->person, 0 };
    out[n++] = (ki_field){ "link_start", KI_I64, 1, { &s->n_people }, 1, (void **)&s->ptr, 0 };
    out[n++] = (ki_field){ "link", KI_I32, 1, { &s->n_links }, 0, (void **)&s->idx, 0 };
    out[n++] = (ki_field){ "weight", KI_F32, 1, { &s->n_people }, 0, (void **)&s->weight, 0 };
    out[n++] = (ki_field){ "degree", KI_F32, 1, { &s->n_people }, 0, (void **)&s->degree, 0 };
    return n;
}

static ki_csr links_of(const struct people *s)
{
    const int32_t n = (int32_t)s->n_people;
    return (ki_csr){ .n_rows = n, .n_cols = n, .ptr = s->ptr, .idx = s->idx };
}

static void count_degrees(const struct people *s, float *degree)
{
    for (int64_t t = 0; t < s->ptr[s->n_people]; t++) degree[s->idx[t]] += 1;
}

/* ---- fit ---- */

/* s->person and s->n_people; *same = how many users are items too. */
static kith_err match_people(struct people *s, const kith_data *d, int32_t n_users, int32_t n_items,
                             int32_t *same)
{
    kith_err err;
    s->n_users = n_users;
    s->n_people = n_items;
    *same = 0;
    if ((err = ki_alloc(&s->person, (size_t)n_users, sizeof *s->person)) != KITH_OK) return err;
    for (int32_t u = 0; u < n_users; u++) {
        const int32_t i =
            ki_idmap_find(&d->items, ki_idmap_name(&d->users, u), ki_idmap_length(&d->users, u));
        *same += i >= 0;
        s->person[u] = i >= 0 ? i : (int32_t)s->n_people++;
    }
    return KITH_OK;
}

/* Rows of links in any order into from and to; returns how many.  Both arrays have room for two a
 * rating. */
static int64_t list_links(const struct people *s, const ki_csr *by_user, int both, int32_t *from,
                          int32_t *to)
{
    int64_t n = 0;
    for (int32_t u = 0; u < by_user->n_rows; u++)
        for (int64_t t = by_user->ptr[u]; t < by_user->ptr[u + 1]; t++) {
            const int32_t a = s->person[u], b = by_user->idx[t];
            if (a == b) continue;
            from[n] = a;
            to[n++] = b;
            if (!both) continue;
            from[n] = b;
            to[n++] = a;
        }
    return n;
}

/* A friendship that is listed in both directions stands twice: once is enough. */
static void merge_links(ki_csr *a)
{
    int64_t to = 0, begin = 0;
    for (int32_t r = 0; r < a->n_rows; r++) {
        const int64_t end = a->ptr[r + 1], first = to;
        for (int64_t t = begin; t < end; t++)
            if (to == first || a->idx[to - 1] != a->idx[t]) a->idx[to++] = a->idx[t];
        a->ptr[r + 1] = to;
        begin = end;
    }
}

static kith_err make_links(struct people *s, const ki_csr *by_user, int both)
{
    const size_t room = (size_t)ki_csr_nnz(by_user) * 2;
    const int32_t n = (int32_t)s->n_people;
    int32_t *from = NULL, *to = NULL;
    ki_csr a = { 0 };
    kith_err err;
    if ((err = ki_alloc(&from, room, sizeof *from)) != KITH_OK) goto done;
    if ((err = ki_alloc(&to, room, sizeof *to)) != KITH_OK) goto done;
    const int64_t listed = list_links(s, by_user, both, from, to);
    if ((err = ki_csr_from_triplets(&a, n, n, listed, from, to, NULL, NULL)) != KITH_OK) goto done;
    merge_links(&a);
    s->n_links = ki_csr_nnz(&a);
    s->ptr = a.ptr;
    s->idx = a.idx;
    ki_free(a.val);
done:
    ki_free(from);
    ki_free(to);
    return err;
}

static void make_weights(struct people *s, const struct friends *o)
{
    const ki_csr links = links_of(s);
    for (int32_t z = 0; z < s->n_people; z++) {
        const double named = o->directed && !both_ways(o) ? (double)s->degree[z] : 0;
        const double d = (double)ki_csr_len(&links, z) + named;
        s->weight[z] = o->method == ADAMIC_ADAR  ? (float)(1 / log(fmax(d, 2)))
                       : o->method == ALLOCATION ? (float)(1 / fmax(d, 1))
                                                 : 1;
    }
}

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    const struct friends *o = p;
    const ki_csr *by_user = &in->ratings->by_user;
    struct people *s = state;
    int32_t same;
    kith_err err;
    if ((int64_t)by_user->n_rows + by_user->n_cols >= INT32_MAX)
        return ki_fail(KITH_EDATA, "friends: %d users and %d items, want fewer than 2^31 in all",
                       by_user->n_rows, by_user->n_cols);
    err = match_people(s, in->data, by_user->n_rows, by_user->n_cols, &same);
    if (err != KITH_OK) return err;
    if (same == 0)
        return ki_fail(KITH_EDATA,
                       "friends needs rows of two people each, but no user id is the id of an item "
                       "too");
    if ((err = make_links(s, by_user, both_ways(o))) != KITH_OK) return err;
    const size_t n = (size_t)s->n_people;
    if ((err = ki_alloc(&s->degree, n, sizeof *s->degree)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->weight, n, sizeof *s->weight)) != KITH_OK) return err;
    count_degrees(s, s->degree);
    make_weights(s, o);
    return KITH_OK;
}

static size_t memory(const void *p, const ki_ratings *r)
{
    const size_t nnz = (size_t)ki_csr_nnz(&r->by_user);
    const size_t people = (size_t)r->by_user.n_rows + (size_t)r->by_user.n_cols;
    (void)p;
    return nnz * 2 * (4 * sizeof(int32_t) + 2 * sizeof(int64_t)) + people * 5 * sizeof(int64_t);
}

/* ---- loading ---- */

static kith_err check_links(const struct people *s)
{
    if (s->ptr[0] != 0 || s->ptr[s->n_people] != s->n_links)
        return ki_fail(KITH_EFORMAT, "links end at %lld of %lld", (long long)s->ptr[s->n_people],
                       (long long)s->n_links);
    for (int64_t p = 0; p < s->n_people; p++)
        if (s->ptr[p + 1] < s->ptr[p])
            return ki_fail(KITH_EFORMAT, "the links of person %lld end before they begin",
                           (long long)p);
    for (int64_t p = 0; p < s->n_people; p++)
        for (int64_t t = s->ptr[p]; t < s->ptr[p + 1]; t++)
            if (s->idx[t] < 0 || s->idx[t] >= s->n_people || s->idx[t] == p ||
                (t > s->ptr[p] && s->idx[t] <= s->idx[t - 1]))
                return ki_fail(KITH_EFORMAT, "link %lld of person %lld is not sound",
                               (long long)(t - s->ptr[p]), (long long)p);
    return KITH_OK;
}

static kith_err check_figures(const struct people *s)
{
    float *degree = NULL;
    kith_err err = ki_alloc(&degree, (size_t)s->n_people, sizeof *degree);
    if (err != KITH_OK) return err;
    count_degrees(s, degree);
    for (int64_t p = 0; p < s->n_people && err == KITH_OK; p++)
        if (s->degree[p] != degree[p] || !isfinite(s->weight[p]))
            err = ki_fail(KITH_EFORMAT, "the figures of person %lld are not sound", (long long)p);
    ki_free(degree);
    return err;
}

static kith_err check(const ki_model *m)
{
    const struct people *s = m->state;
    if (s->n_users != m->n_users || s->n_people < m->n_items || s->n_people >= INT32_MAX)
        return ki_fail(KITH_EFORMAT, "%lld users and %lld people, but there are %d and %d items",
                       (long long)s->n_users, (long long)s->n_people, m->n_users, m->n_items);
    for (int64_t u = 0; u < s->n_users; u++)
        if (s->person[u] < -1 || s->person[u] >= s->n_people)
            return ki_fail(KITH_EFORMAT, "user %lld is person %d of %lld", (long long)u,
                           s->person[u], (long long)s->n_people);
    const kith_err err = check_links(s);
    return err == KITH_OK ? check_figures(s) : err;
}

/* ---- asking ---- */

struct circle { /* G */
    const int32_t *who;
    int32_t n;
};

static struct circle links_from(const struct people *s, int32_t person)
{
    return (struct circle){ s->idx + s->ptr[person],
                            (int32_t)(s->ptr[person + 1] - s->ptr[person]) };
}

static struct circle circle_of(const ki_model *m, const ki_query *q)
{
    const struct people *s = m->state;
    if (q->user < 0) return (struct circle){ q->items, q->n };
    if (s->person[q->user] < 0) return (struct circle){ 0 }; /* who was forgotten */
    return links_from(s, s->person[q->user]);
}

static ki_graph graph_of(const struct people *s)
{
    return (ki_graph){ .first = links_of(s), .binary = 1, .degree = s->degree };
}

static void sizes(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats)
{
    const struct people *s = m->state;
    *query_floats = m->n_items;
    *scratch_floats = 4 * s->n_people + ki_walk_scratch((int32_t)s->n_people);
}

/* out[n_items] = scores of all for a circle; scratch begins with a cell a person. */
static void reach(const ki_model *m, struct circle G, float *out, float *scratch)
{
    const struct people *s = m->state;
    const struct friends *o = m->params;
    const size_t n_people = (size_t)s->n_people;
    float *cells = scratch;
    memset(cells, 0, n_people * sizeof *cells);
    if (o->method == PAGERANK) {
        const ki_graph g = graph_of(s);
        const ki_walk_options walk = walk_of(o);
        for (int32_t j = 0; j < G.n; j++) cells[G.who[j]] = 1 / (float)G.n;
        ki_walk(&g, &walk, cells, scratch + n_people);
    }
    for (int32_t j = 0; j < G.n && o->method != PAGERANK; j++)
        for (int64_t t = s->ptr[G.who[j]]; t < s->ptr[G.who[j] + 1]; t++)
            cells[s->idx[t]] += s->weight[G.who[j]];
    for (int32_t i = 0; i < m->n_items; i++)
        out[i] = o->method == JACCARD && cells[i] > 0
                     ? cells[i] / ((float)G.n + s->degree[i] - cells[i])
                     : cells[i];
}

static kith_err prepare(const ki_model *m, const ki_query *q, float *prepared, float *scratch)
{
    const struct people *s = m->state;
    const struct circle G = circle_of(m, q);
    reach(m, G, prepared, scratch);
    if (q->user < 0) return KITH_OK;
    const int32_t self = s->person[q->user];
    if (self >= 0 && self < m->n_items) prepared[self] = -INFINITY;
    for (int32_t j = 0; j < G.n && G.who[j] < m->n_items; j++) prepared[G.who[j]] = -INFINITY;
    return KITH_OK;
}

/* ---- explaining ---- */

/* part[G.n] = what each of the circle adds to the score of `item`. */
static void share_walk(const ki_model *m, struct circle G, int32_t item, float score, float *part,
                       float *scratch)
{
    const struct people *s = m->state;
    const ki_graph g = graph_of(s);
    const ki_walk_options walk = walk_of(m->params);
    float *start = scratch;
    double sum = 0;
    for (int32_t j = 0; j < G.n; j++) start[j] = 1 / (float)G.n;
    ki_walk_parts(&g, &walk, item, G.who, start, G.n, part, scratch + G.n);
    for (int32_t j = 0; j < G.n; j++) sum += (double)part[j];
    for (int32_t j = 0; j < G.n && sum > 0 && isfinite(score); j++)
        part[j] = (float)((double)score * ((double)part[j] / sum));
}

static void share_links(const ki_model *m, struct circle G, int32_t item, float *part)
{
    const struct people *s = m->state;
    const ki_csr links = links_of(s);
    int32_t common = 0;
    for (int32_t j = 0; j < G.n; j++) {
        const int knows = ki_csr_find(&links, G.who[j], item) >= 0;
        part[j] = knows ? s->weight[G.who[j]] : 0;
        common += knows;
    }
    if (((const struct friends *)m->params)->method != JACCARD) return;
    for (int32_t j = 0; j < G.n; j++) part[j] /= (float)G.n + s->degree[item] - (float)common;
}

/* Of the circle, only those whom the history names have a term. */
static int explain(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                   ki_term *out, float *scratch)
{
    const struct circle G = circle_of(m, q);
    float *part = scratch;
    int n = 0;
    if (((const struct friends *)m->params)->method == PAGERANK)
        share_walk(m, G, item, prepared[item], part, scratch + G.n);
    else
        share_links(m, G, item, part);
    for (int32_t j = 0, t = 0; j < G.n && t < q->n; j++) {
        while (t < q->n && q->items[t] < G.who[j]) t++;
        if (t < q->n && q->items[t] == G.who[j] && part[j] > 0)
            out[n++] = (ki_term){ .item = G.who[j], .part = part[j] };
    }
    return n;
}

/* Who would be suggested to somebody with the friends of this one. */
static void similar(const ki_model *m, int32_t item, float *out, float *scratch)
{
    reach(m, links_from(m->state, item), out, scratch);
}

/* ---- forgetting ---- */

/* Does the history of person a say that b is a friend?  user[p]: who p is among the users, -1: nobody. */
static int says(const ki_model *m, const int32_t *user, int32_t a, int32_t b)
{
    return user[a] >= 0 && b < m->n_items && ki_csr_find(&m->history, user[a], b) >= 0;
}

/* Links of p stay as far as somebody else says them. */
static void drop_links(const ki_model *m, const int32_t *user, int32_t p)
{
    struct people *s = m->state;
    const int both = both_ways(m->params);
    int64_t to = 0, begin = 0;
    for (int32_t a = 0; a < s->n_people; a++) {
        const int64_t end = s->ptr[a + 1];
        for (int64_t t = begin; t < end; t++) {
            const int32_t b = s->idx[t];
            if ((a == p || b == p) && !says(m, user, a, b) && !(both && says(m, user, b, a)))
                continue;
            s->idx[to++] = b;
        }
        s->ptr[a + 1] = to;
        begin = end;
    }
    s->n_links = to;
}

/* Whom others name is an item of theirs: the person is gone as a user, and so is what that user said. */
static kith_err forget(const ki_model *m, int32_t u, int64_t from, int64_t n)
{
    struct people *s = m->state;
    const int32_t p = s->person[u];
    int32_t *user = NULL;
    (void)from, (void)n;
    if (p < 0) return KITH_OK;
    const kith_err err = ki_alloc(&user, (size_t)s->n_people, sizeof *user);
    if (err != KITH_OK) return err;
    s->person[u] = -1;
    for (int64_t q = 0; q < s->n_people; q++) user[q] = -1;
    for (int64_t v = 0; v < s->n_users; v++)
        if (s->person[v] >= 0) user[s->person[v]] = (int32_t)v;
    drop_links(m, user, p);
    ki_free(user);
    memset(s->degree, 0, (size_t)s->n_people * sizeof *s->degree);
    count_degrees(s, s->degree);
    make_weights(s, m->params);
    return KITH_OK;
}

static const ki_form form_people = {
    .name = "people",
    .size = sizeof(struct people),
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

const ki_model_desc ki_friends = {
    .name = "friends",
    .family = "graph_based",
    .summary = "whom you may know, by the friends whom you share",
    .paper = "Liben-Nowell, Kleinberg, CIKM 2003; Adamic, Adar, Friends and Neighbors on the Web, "
             "Social Networks 2003; Zhou, Lu, Zhang, EPJ B 2009",
    .needs = KI_NEEDS_PEOPLE,
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(struct friends),
    .form = &form_people,
    .memory = memory,
    .fit = fit,
};
