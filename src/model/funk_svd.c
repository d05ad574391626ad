/* SPDX-License-Identifier: MIT
 * funk_svd.c -- biased matrix factorisation of ratings by stochastic gradient descent
 *
 * Paper      Funk, Netflix Update: Try This at Home, 2006;  Koren, Bell, Volinsky, Matrix
 *            Factorization Techniques for Recommender Systems, IEEE Computer 42(8), 2009;  blocks:
 *            Gemulla, Nijkamp, Haas, Sismanis, Large-Scale Matrix Factorization with Distributed
 *            Stochastic Gradient Descent, KDD 2011
 * Objective  sum over ratings of e^2 + reg_bu bu_u^2 + reg_bi bi_i^2 + reg_pu |p_u|^2 + reg_qi |q_i|^2
 *            e = r_ui - mean - bu_u - bi_i - p_u.q_i
 * Update     bu += lr_bu (e - reg_bu bu), bi likewise;  p += lr_pu (e q - reg_pu p),
 *            q += lr_qi (e p_old - reg_qi q)
 * Order      Users and items are cut into B groups each of about as many ratings, B a power of two.  An epoch is B
 *            rounds; in the round of mask m the blocks (g, g ^ m) share no user and no item, so they run at the same
 *            time without locks.  Within a block it goes user by user, so that p_u and the block's q stay in the
 *            cache.  B depends on the data alone: any number of threads gives the same bits.
 * Threads    The masks follow a Gray code, so that a thread which keeps its groups of users keeps its part of the items
 *            too for as long as the high bits stay: with two threads half an epoch, and the half that an epoch ends
 *            with begins the next.  Until the high bits change nobody waits for anybody.
 * Rows       During the fit a row is a whole number of cache lines: its factors, zeroes up to the
 *            width of a vector, its bias last.  Rows that shared a line would send it to and fro
 *            between threads, and so would biases side by side.  The rows of a group stand together, for processors
 *            fetch lines beyond the one they were asked for: with the groups mixed two threads took 1.6 times as long.
 *            The users of a block are dealt in twos whose ratings alternate, two by two, so that
 *            what one waits for the other's can run beside it (simd/sgd_body.h).
 * Cost       per epoch and rating 11 d flops and 12 d bytes of cache; memory 8 (m + n) d + 12 nnz bytes
 * Departs    Surprise's SVD, whose parameters these are, goes through the ratings in file order; its
 *            defaults (20 epochs, steps .005, penalties .02, deviation .1) give rmse .937 and mae .738
 *            where these give .903 and .709 (MovieLens 100K, 5 folds)
 * Fold-in    the form's, with reg_pu times the mean number of ratings of a user as its ridge
 * Checked    test_funk_svd.c: steps by hand, the error falls, planted factors found, 1 = 5 threads
 */
#include "model/form_vectors.h"

#include "base/mem.h"
#include "base/rng.h"
#include "simd/kernels.h"

#include <math.h>
#include <string.h>

enum {
    MIN_GROUPS = 4,
    MAX_GROUPS = 32,
    BLOCK_RATINGS = 4096, /* a block has about so many or more */
    LANES = 8,            /* floats of a vector */
    LINE = 16,            /* floats of a cache line */
};

struct funk {
    int32_t n_factors, n_epochs, biased;
    float init_mean, init_std_dev, lr_all, reg_all, lr_bu, lr_bi, lr_pu, lr_qi, reg_bu, reg_bi,
        reg_pu, reg_qi;
};

#define FIELD(name) offsetof(struct funk, name)
static const ki_param params[] = {
    { "n_factors", KI_INT, FIELD(n_factors), 100, 1, 8192, "factors per user and per item", NULL,
      KI_LOG, 8, 256 },
    { "n_epochs", KI_INT, FIELD(n_epochs), 40, 1, 100000, "passes over the ratings", NULL,
      KI_LINEAR, 10, 80 },
    { "biased", KI_BOOL, FIELD(biased), 1, 0, 1, "with mean and biases; else p.q alone", NULL,
      KI_FIXED, 0, 0 },
    { "init_mean", KI_FLOAT, FIELD(init_mean), 0, -100, 100, "of the first factors", NULL, KI_FIXED,
      0, 0 },
    { "init_std_dev", KI_FLOAT, FIELD(init_std_dev), .02, 0, 100, "of the first factors", NULL,
      KI_FIXED, 0, 0 },
    { "lr_all", KI_FLOAT, FIELD(lr_all), .01, 0, 1, "step of every part", NULL, KI_LOG, .002, .02 },
    { "reg_all", KI_FLOAT, FIELD(reg_all), .07, 0, 100, "penalty of every part", NULL, KI_LOG, .01,
      .2 },
    { "lr_bu", KI_FLOAT, FIELD(lr_bu), -1, -1, 1, "step of user biases; -1: lr_all", NULL, KI_FIXED,
      0, 0 },
    { "lr_bi", KI_FLOAT, FIELD(lr_bi), -1, -1, 1, "step of item biases; -1: lr_all", NULL, KI_FIXED,
      0, 0 },
    { "lr_pu", KI_FLOAT, FIELD(lr_pu), -1, -1, 1, "step of user factors; -1: lr_all", NULL,
      KI_FIXED, 0, 0 },
    { "lr_qi", KI_FLOAT, FIELD(lr_qi), -1, -1, 1, "step of item factors; -1: lr_all", NULL,
      KI_FIXED, 0, 0 },
    { "reg_bu", KI_FLOAT, FIELD(reg_bu), .01, -1, 100, "penalty of user biases; -1: reg_all", NULL,
      KI_FIXED, 0, 0 },
    { "reg_bi", KI_FLOAT, FIELD(reg_bi), .01, -1, 100, "penalty of item biases; -1: reg_all", NULL,
      KI_FIXED, 0, 0 },
    { "reg_pu", KI_FLOAT, FIELD(reg_pu), -1, -1, 100, "penalty of user factors; -1: reg_all", NULL,
      KI_FIXED, 0, 0 },
    { "reg_qi", KI_FLOAT, FIELD(reg_qi), -1, -1, 100, "penalty of item factors; -1: reg_all", NULL,
      KI_FIXED, 0, 0 },
};

/* The parameters with -1 resolved. */
static struct funk settled(const void *p)
{
    struct funk o = *(const struct funk *)p;
    float *const lr[] = { &o.lr_bu, &o.lr_bi, &o.lr_pu, &o.lr_qi };
    float *const reg[] = { &o.reg_bu, &o.reg_bi, &o.reg_pu, &o.reg_qi };
    for (int j = 0; j < 4; j++) {
        if (*lr[j] < 0) *lr[j] = o.lr_all;
        if (*reg[j] < 0) *reg[j] = o.reg_all;
    }
    return o;
}

/* ---- the grid of blocks ---- */

struct grid {
    int32_t n_groups;
    ki_sgd_rating *ratings;     /* [nnz] block by block, within a block two users after the other */
    int64_t *start;             /* [n_groups^2 + 1] block (g, h) is number g * n_groups + h */
    uint8_t *group_u, *group_i; /* [n_users], [n_items] */
    int32_t *place_u,
        *place_i; /* [n_users], [n_items] where the row of each is in P and Q: group after group */
};

/* Row by row to the group that has the fewest ratings so far. */
static void share_out(const ki_csr *by, int32_t n_groups, uint8_t *group)
{
    int64_t load[MAX_GROUPS] = { 0 };
    for (int32_t row = 0; row < by->n_rows; row++) {
        int32_t least = 0;
        for (int32_t g = 1; g < n_groups; g++)
            if (load[g] < load[least]) least = g;
        group[row] = (uint8_t)least;
        load[least] += ki_csr_len(by, row);
    }
}

/* Rows of one group stand together: what the hardware fetches beyond a row is then seldom another thread's. */
static void line_up(const uint8_t *group, int32_t n_rows, int32_t n_groups, int32_t *place)
{
    int32_t next = 0;
    for (int32_t g = 0; g < n_groups; g++)
        for (int32_t row = 0; row < n_rows; row++)
            if (group[row] == g) place[row] = next++;
}

/* Counting sort of the ratings by block; within a block they keep the order of by_user. */
static void place(struct grid *g, const ki_csr *by)
{
    int64_t *next = g->start + 1; /* start[b + 1] walks from the start of block b to its end */
    const int32_t n = g->n_groups;
    for (int32_t u = 0; u < by->n_rows; u++)
        for (int64_t j = by->ptr[u]; j < by->ptr[u + 1]; j++)
            next[g->group_u[u] * n + g->group_i[by->idx[j]]]++;
    int64_t before = 0;
    for (int32_t b = 0; b < n * n; b++) {
        const int64_t size = next[b];
        next[b] = before;
        before += size;
    }
    for (int32_t u = 0; u < by->n_rows; u++)
        for (int64_t j = by->ptr[u]; j < by->ptr[u + 1]; j++) {
            const int32_t i = by->idx[j];
            g->ratings[next[g->group_u[u] * n + g->group_i[i]]++] =
                (ki_sgd_rating){ g->place_u[u], g->place_i[i], by->val[j] };
        }
}

/* Where the ratings of x[0]'s user end. */
static const ki_sgd_rating *user_end(const ki_sgd_rating *x, const ki_sgd_rating *stop)
{
    const int32_t u = x->u;
    while (x < stop && x->u == u) x++;
    return x;
}

/* The ratings of two users after the other into `to`, by turns as long as both have two. */
static void alternate(const ki_sgd_rating *a, const ki_sgd_rating *a_end, const ki_sgd_rating *b,
                      const ki_sgd_rating *b_end, ki_sgd_rating *to)
{
    for (; a_end - a >= 2 && b_end - b >= 2; a += 2, b += 2, to += 4) {
        memcpy(to, a, 2 * sizeof *to);
        memcpy(to + 2, b, 2 * sizeof *to);
    }
    memcpy(to, a, (size_t)(a_end - a) * sizeof *to);
    memcpy(to + (a_end - a), b, (size_t)(b_end - b) * sizeof *to);
}

/* Deal the users of each block in twos. */
static kith_err deal_users(struct grid *g, int64_t nnz)
{
    const int32_t n_blocks = g->n_groups * g->n_groups;
    ki_sgd_rating *dealt = NULL;
    const kith_err err = ki_alloc(&dealt, (size_t)nnz, sizeof *dealt);
    if (err != KITH_OK) return err;
    for (int32_t block = 0; block < n_blocks; block++) {
        const ki_sgd_rating *a = g->ratings + g->start[block];
        const ki_sgd_rating *stop = g->ratings + g->start[block + 1];
        while (a < stop) {
            const ki_sgd_rating *b = user_end(a, stop), *end = b < stop ? user_end(b, stop) : stop;
            alternate(a, b, b, end, dealt + (a - g->ratings));
            a = end;
        }
    }
    ki_free(g->ratings);
    g->ratings = dealt;
    return KITH_OK;
}

static kith_err grid_make(struct grid *g, const ki_ratings *r)
{
    const int64_t nnz = ki_csr_nnz(&r->by_user);
    const double side = sqrt((double)nnz / BLOCK_RATINGS);
    kith_err err;
    for (g->n_groups = MIN_GROUPS; g->n_groups < MAX_GROUPS && 2 * g->n_groups <= side;)
        g->n_groups *= 2;
    const size_t n_blocks = (size_t)g->n_groups * (size_t)g->n_groups;
    if ((err = ki_alloc(&g->ratings, (size_t)nnz, sizeof *g->ratings)) != KITH_OK) return err;
    if ((err = ki_alloc(&g->start, n_blocks + 1, sizeof *g->start)) != KITH_OK) return err;
    if ((err = ki_alloc(&g->group_u, (size_t)r->by_user.n_rows, 1)) != KITH_OK) return err;
    if ((err = ki_alloc(&g->group_i, (size_t)r->by_item.n_rows, 1)) != KITH_OK) return err;
    share_out(&r->by_user, g->n_groups, g->group_u);
    share_out(&r->by_item, g->n_groups, g->group_i);
    if ((err = ki_alloc(&g->place_u, (size_t)r->by_user.n_rows, sizeof *g->place_u)) != KITH_OK)
        return err;
    if ((err = ki_alloc(&g->place_i, (size_t)r->by_item.n_rows, sizeof *g->place_i)) != KITH_OK)
        return err;
    line_up(g->group_u, r->by_user.n_rows, g->n_groups, g->place_u);
    line_up(g->group_i, r->by_item.n_rows, g->n_groups, g->place_i);
    place(g, &r->by_user);
    return deal_users(g, nnz);
}

static void grid_clear(struct grid *g)
{
    ki_free(g->ratings);
    ki_free(g->start);
    ki_free(g->group_u);
    ki_free(g->group_i);
    ki_free(g->place_u);
    ki_free(g->place_i);
}

/* ---- descent ---- */

struct descent {
    struct funk o;
    const ki_kernels *k;
    ki_sgd steps; /* P [n_users, stride], Q [n_items, stride]; width: n_factors and zeroes */
    struct grid grid;
    int32_t turn;        /* of this epoch: what the masks are turned by */
    int32_t first, last; /* rounds [first, last) of the stretch that runs */
    int32_t n_slots;     /* that a round is cut into; a power of two, as n_groups */
    double *squares;     /* [n_groups^2] squared error of each block, of this epoch */
};

/* The mask of an epoch's round: a Gray code, so the higher a bit the more seldom it changes. */
static int32_t mask_of(const struct descent *s, int32_t round)
{
    return (round ^ (round >> 1)) ^ s->turn;
}

static void run_block(const struct descent *s, int32_t g, int32_t h)
{
    const int64_t block = (int64_t)g * s->grid.n_groups + h, from = s->grid.start[block];
    s->squares[block] =
        s->k->sgd_run(&s->steps, s->grid.ratings + from, s->grid.start[block + 1] - from);
}

/* A slot: the same few groups of users in each round of the stretch. */
static kith_err run_slots(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct descent *s = arg;
    const int32_t wide = s->grid.n_groups / s->n_slots;
    (void)worker;
    for (int64_t slot = begin; slot < end; slot++)
        for (int32_t round = s->first; round < s->last; round++)
            for (int32_t g = (int32_t)slot * wide; g < ((int32_t)slot + 1) * wide; g++)
                run_block(s, g, g ^ mask_of(s, round));
    return KITH_OK;
}

/* Each epoch has its own order of rounds, and begins with the half of items that each slot has at hand. */
static void turn_for(struct descent *s, int32_t epoch, uint64_t seed)
{
    const int32_t half = s->grid.n_groups / 2;
    ki_rng rng = ki_rng_make(seed, 2, (uint64_t)epoch);
    s->turn = mask_of(s, s->grid.n_groups - 1) ^ (int32_t)ki_rng_below(&rng, (uint64_t)half);
}

static kith_err run_epoch(struct descent *s, int32_t epoch, const ki_job *job)
{
    const int32_t n = s->grid.n_groups, stretch = n / s->n_slots;
    double sum = 0;
    turn_for(s, epoch, job->seed);
    for (s->first = 0; s->first < n; s->first = s->last) {
        s->last = s->first + stretch;
        const kith_err err = ki_parallel_for(job->pool, s->n_slots, 1, run_slots, s);
        if (err != KITH_OK) return err;
    }
    for (int32_t b = 0; b < n * n; b++) sum += s->squares[b];
    if (isfinite(sum)) return KITH_OK;
    return ki_fail(KITH_EINVAL, "funk-svd diverged in epoch %d with lr_all %g; take a smaller step",
                   epoch + 1, (double)s->o.lr_all);
}

/* ---- fit ---- */

struct start { /* of the rows of one side */
    const struct descent *s;
    const ki_csr *by;
    const int32_t *place;
    uint64_t seed, stream;
    float *rows;
};

static kith_err start_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct start *t = arg;
    const struct funk *o = &t->s->o;
    (void)worker;
    for (int64_t row = begin; row < end; row++) {
        if (ki_csr_len(t->by, (int32_t)row) == 0) continue; /* stays zero: nothing would move it */
        float *x = t->rows + t->place[row] * t->s->steps.stride;
        ki_rng rng = ki_rng_make(t->seed, t->stream, (uint64_t)row);
        ki_rng_fill_normal(&rng, o->init_std_dev, x, o->n_factors);
        for (int64_t c = 0; c < o->n_factors; c++) x[c] += o->init_mean;
    }
    return KITH_OK;
}

static kith_err init_rows(const struct descent *s, const ki_csr *by, const int32_t *place,
                          const ki_job *job, uint64_t stream, float **rows)
{
    const kith_err err =
        ki_alloc(rows, (size_t)by->n_rows, (size_t)s->steps.stride * sizeof **rows);
    if (err != KITH_OK) return err;
    struct start t = {
        .s = s, .by = by, .place = place, .seed = job->seed, .stream = stream, .rows = *rows
    };
    return ki_parallel_for(job->pool, by->n_rows, 64, start_rows, &t);
}

/* To where the model keeps them: X [n, n_factors], and b [n] unless it is NULL. */
static void keep_rows(const struct descent *s, const float *rows, const int32_t *place, int64_t n,
                      float *X, float *b)
{
    const int64_t d = s->o.n_factors;
    for (int64_t row = 0; row < n; row++) {
        const float *x = rows + place[row] * s->steps.stride;
        memcpy(X + row * d, x, (size_t)d * sizeof *X);
        if (b != NULL) b[row] = x[s->steps.stride - 1];
    }
}

static kith_err descend(struct descent *s, ki_job *job)
{
    const int32_t n = s->o.n_epochs;
    for (int32_t e = 0; e < n; e++) {
        kith_err err = ki_job_step(job, "fit funk-svd", e, n);
        if (err != KITH_OK || (err = run_epoch(s, e, job)) != KITH_OK) return err;
    }
    return ki_job_step(job, "fit funk-svd", n, n);
}

static ki_sgd steps_of(const struct funk *o, const ki_ratings *r)
{
    const int64_t width = ((int64_t)o->n_factors + LANES - 1) / LANES * LANES;
    return (ki_sgd){ .width = width,
                     .stride = (width + LINE) / LINE * LINE,
                     .mean = o->biased ? (float)r->mean : 0,
                     .lr_p = o->lr_pu,
                     .reg_p = o->reg_pu,
                     .lr_q = o->lr_qi,
                     .reg_q = o->reg_qi,
                     .lr_bu = o->biased ? o->lr_bu : 0,
                     .reg_bu = o->reg_bu,
                     .lr_bi = o->biased ? o->lr_bi : 0,
                     .reg_bi = o->reg_bi };
}

static kith_err prepare(struct descent *s, const ki_ratings *r, const ki_job *job)
{
    kith_err err;
    s->steps = steps_of(&s->o, r);
    if ((err = grid_make(&s->grid, r)) != KITH_OK) return err;
    const size_t n = (size_t)s->grid.n_groups;
    for (s->n_slots = 1; s->n_slots < s->grid.n_groups && s->n_slots < ki_pool_size(job->pool);)
        s->n_slots *= 2;
    if ((err = ki_alloc(&s->squares, n * n, sizeof *s->squares)) != KITH_OK) return err;
    if ((err = init_rows(s, &r->by_user, s->grid.place_u, job, 0, &s->steps.P)) != KITH_OK)
        return err;
    return init_rows(s, &r->by_item, s->grid.place_i, job, 1, &s->steps.Q);
}

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    const ki_ratings *r = in->ratings;
    ki_vectors *v = state;
    struct descent s = { .o = settled(p), .k = ki_kernels_get() };
    kith_err err = ki_vectors_alloc(v, r, s.o.n_factors, s.o.biased, 0);
    if (err != KITH_OK || (err = prepare(&s, r, in->job)) != KITH_OK) goto done;
    *v->mean = s.steps.mean;
    *v->l2 = s.o.reg_pu * (float)ki_csr_nnz(&r->by_user) / (float)v->n_users;
    if ((err = descend(&s, in->job)) != KITH_OK) goto done;
    keep_rows(&s, s.steps.P, s.grid.place_u, v->n_users, v->X, v->bu);
    keep_rows(&s, s.steps.Q, s.grid.place_i, v->n_items, v->Y, v->bi);
done:
    grid_clear(&s.grid);
    ki_free(s.squares);
    ki_free(s.steps.P);
    ki_free(s.steps.Q);
    return err;
}

static size_t memory(const void *p, const ki_ratings *r)
{
    const struct funk *o = p;
    const size_t rows = (size_t)r->by_user.n_rows + (size_t)r->by_user.n_cols;
    const size_t floats = 2 * ((size_t)o->n_factors + 1) + LANES + LINE; /* kept, and in the fit */
    const size_t n = (size_t)ki_csr_nnz(&r->by_user);
    return rows * (sizeof(float) * floats + sizeof(int32_t)) +
           2 * sizeof(ki_sgd_rating) * n; /* while they are dealt */
}

const ki_model_desc ki_funk_svd = {
    .name = "funk-svd",
    .family = "collaborative_filtering",
    .summary = "matrix factorisation of ratings, with biases, by stochastic gradient descent",
    .paper = "Koren, Bell, Volinsky, Matrix Factorization Techniques for Recommender Systems, IEEE "
             "Computer 42(8), 2009",
    .needs = KI_NEEDS_VALUES,
    .rates = 1,
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(struct funk),
    .form = &ki_form_vectors,
    .memory = memory,
    .fit = fit,
};
