/* SPDX-License-Identifier: MIT
 * als_rows.c -- solves the rows of one side of a weighted least squares factorisation
 *
 * Design      Rows are sorted by length and dealt to chunks of ROWS like cards, so that chunks weigh
 *             about the same.
 * cholesky    builds and factors each row's matrix: n d^2 + d^3 / 3 flops for n events
 * cg          k steps from the last x: (4 k + 2) n d flops.  G is diagonal (als_basis.h), so that a
 *             step costs what the row's events do; alpha0 G and the share of the row's weights in
 *             G, with the ridge, are its preconditioner.  The factors of a row's events come from
 *             memory once and are in the nearest cache for the steps.  Takacs, Pilaszy, Tikk,
 *             Applications of the Conjugate Gradient Method for Implicit Feedback Collaborative
 *             Filtering, RecSys 2011
 * block       minimises over b coordinates after the other, the products s_t = x.y_t at hand:
 *             n d (b + 8) + 2 d^2 + d b^2 / 3 flops.  Rendle, Krichene, Zhang, Koren, iALS++, arXiv
 *             2110.14044, 2021.  Y is held block by block, so that a block's rows are contiguous.
 */
#include "model/als_rows.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum {
    ROWS = 24,      /* solved side by side */
    PIECE = 256,    /* coefficients that are held at a time */
    ASKED = 64,     /* events of a row that are asked for ahead */
    FETCHED = 4096, /* floats of factors that are */
    LINE = 16,      /* floats of a cache line */
};

struct scratch { /* of one worker */
    float *A;    /* [d, d], or [block, block] */
    float *rows; /* block: [2, ROWS, d] and [block]; cg: of one row */
    float *s;    /* [longest] */
};

/* ---- one row, exactly ---- */

/* A = alpha0 G + l I, lower triangle, of the `width` columns of G from `from` on. */
static void begin_system(const ki_als_given *g, int64_t from, int64_t width, float l, float *A)
{
    for (int64_t i = 0; i < width; i++) {
        const float *row = g->gram + (from + i) * g->d + from;
        for (int64_t j = 0; j <= i; j++) A[i * width + j] = g->alpha0 * row[j];
        A[i * width + i] += l;
    }
}

int ki_als_factor(const ki_als_given *g, const ki_als_row *row, float *A)
{
    float l = row->l;
    for (int tries = 0; tries < 8; tries++) {
        begin_system(g, 0, g->d, l, A);
        g->k->gram_rows(A, g->Y, row->idx, row->w, row->n, g->d);
        const float corner = A[0];
        if (g->k->chol(A, g->d) == 0) return 1;
        l = KI_MAX(10 * l, 1e-6f * corner + 1e-12f);
    }
    return 0;
}

/* b += sum_t (alpha0 + w_t) y_t */
static void add_targets(const ki_als_given *g, const ki_als_row *row, float *b)
{
    float target[PIECE];
    for (int64_t at = 0; at < row->n; at += PIECE) {
        const int64_t n = KI_MIN(PIECE, row->n - at);
        for (int64_t t = 0; t < n; t++) target[t] = g->alpha0 + row->w[at + t];
        g->k->axpy_at(b, target, g->Y, row->idx + at, n, g->d);
    }
}

void ki_als_solve(const ki_als_given *g, const ki_als_row *row, float *A, float *x)
{
    memset(x, 0, (size_t)g->d * sizeof *x);
    if (row->n == 0 || !ki_als_factor(g, row, A)) return;
    add_targets(g, row, x);
    g->k->chol_solve(A, x, g->d);
}

/* ---- rows of a chunk ---- */

static ki_als_row row_of(const ki_als_side *side, int32_t r)
{
    const int64_t from = side->by->ptr[r];
    return (ki_als_row){ side->by->idx + from, side->w + from, side->by->ptr[r + 1] - from,
                         side->l[r] };
}

static void solve_exactly(const ki_als_side *side, const int32_t *rows, int n_rows,
                          const struct scratch *s)
{
    for (int j = 0; j < n_rows; j++) {
        const ki_als_row row = row_of(side, rows[j]);
        ki_als_solve(&side->given, &row, s->A, side->X + rows[j] * side->given.d);
    }
}

/* ---- conjugate gradients ---- */

/* The rows of a chunk lie anywhere: ask for the events of all of them at once. */
static void find_events(const ki_als_side *side, const int32_t *rows, int n_rows, ki_als_row *out)
{
    for (int j = 0; j < n_rows; j++) {
        out[j] = row_of(side, rows[j]);
        for (int64_t t = 0; t < KI_MIN(out[j].n, (int64_t)ASKED); t += LINE) {
            __builtin_prefetch(out[j].idx + t);
            __builtin_prefetch(out[j].w + t);
        }
    }
}

/* The next row's factors, and in passing those of its events, as far as the nearest cache has room. */
static void ask_for_next(const ki_als_side *side, int32_t r, const ki_als_row *next, ki_cg_row *row)
{
    const float *x = side->X + r * side->given.d;
    for (int64_t c = 0; c < side->given.d; c += LINE) __builtin_prefetch(x + c, 1);
    row->next = next->idx;
    row->n_next = KI_MIN(next->n, FETCHED / side->given.d + 1);
}

static void solve_row_by_cg(const ki_als_side *side, const int32_t *rows, const ki_als_row *row,
                            int has_next, float *scratch)
{
    const ki_als_given *g = &side->given;
    float *x = side->X + rows[0] * g->d;
    ki_cg_row c = { g->Y,      g->diagonal, row->idx,        row->w, row->n, g->d,
                    g->alpha0, row->l,      1 / (float)g->n, 0,      NULL };
    if (has_next) ask_for_next(side, rows[1], &row[1], &c);
    if (row->n == 0)
        memset(x, 0, (size_t)g->d * sizeof *x);
    else
        g->k->cg(x, &c, side->cg_steps, scratch);
}

static void solve_by_cg(const ki_als_side *side, const int32_t *rows, int n_rows,
                        const struct scratch *s)
{
    ki_als_row events[ROWS];
    find_events(side, rows, n_rows, events);
    for (int j = 0; j < n_rows; j++)
        solve_row_by_cg(side, rows + j, events + j, j + 1 < n_rows, s->rows);
}

/* ---- blocks of coordinates ---- */

struct block {
    int64_t from, width;
    const float *Y; /* [n, width] */
};

/* step = minus half the gradient in the block: sum_t (alpha0 + w_t - w_t s_t) y_t - alpha0 G x - l
 * x
 */
static void descend(const ki_als_side *side, const struct block *b, const ki_als_row *row,
                    const float *x, const float *Gx, const float *s, float *step)
{
    const float alpha0 = side->given.alpha0;
    float piece[PIECE];
    for (int64_t c = 0; c < b->width; c++) step[c] = -alpha0 * Gx[c] - row->l * x[b->from + c];
    for (int64_t at = 0; at < row->n; at += PIECE) {
        const int64_t n = KI_MIN(PIECE, row->n - at);
        for (int64_t t = 0; t < n; t++) piece[t] = alpha0 + row->w[at + t] * (1 - s[at + t]);
        side->given.k->axpy_at(step, piece, b->Y, row->idx + at, n, b->width);
    }
}

/* Minimise over one block of one row; s[t] = x.y_t is kept up to date, Gx is (G x) in the block. */
static void solve_block(const ki_als_side *side, const struct block *b, const ki_als_row *row,
                        float *A, float *step, float *x, const float *Gx, float *s)
{
    const ki_als_given *g = &side->given;
    float piece[PIECE];
    descend(side, b, row, x, Gx, s, step);
    begin_system(g, b->from, b->width, row->l, A);
    g->k->gram_rows(A, b->Y, row->idx, row->w, row->n, b->width);
    if (g->k->chol(A, b->width) != 0) return; /* reg near 0 and a flat block: no step */
    g->k->chol_solve(A, step, b->width);
    g->k->axpy(x + b->from, 1, step, b->width);
    for (int64_t at = 0; at < row->n; at += PIECE) {
        const int64_t n = KI_MIN(PIECE, row->n - at);
        g->k->dot_at(piece, b->Y, row->idx + at, step, n, b->width);
        g->k->axpy(s + at, 1, piece, n);
    }
}

/* The rows as they stand, side by side; those without events are zero. */
static void load_rows(const ki_als_side *side, const int32_t *rows, int n_rows, float *x)
{
    const int64_t d = side->given.d;
    for (int j = 0; j < n_rows; j++) {
        if (ki_csr_len(side->by, rows[j]) == 0)
            memset(x + j * d, 0, (size_t)d * sizeof *x);
        else
            memcpy(x + j * d, side->X + rows[j] * d, (size_t)d * sizeof *x);
    }
}

static void store_rows(const ki_als_side *side, const int32_t *rows, int n_rows, const float *x)
{
    const int64_t d = side->given.d;
    for (int j = 0; j < n_rows; j++)
        memcpy(side->X + rows[j] * d, x + j * d, (size_t)d * sizeof *x);
}

static void solve_by_blocks(const ki_als_side *side, const int32_t *rows, int n_rows,
                            const struct scratch *s)
{
    const ki_als_given *g = &side->given;
    const int64_t d = g->d, width = side->block_size;
    float *x = s->rows, *Gx = x + ROWS * d, *step = Gx + ROWS * d, *at = s->s;
    load_rows(side, rows, n_rows, x);
    for (int j = 0; j < n_rows; j++) {
        const ki_als_row row = row_of(side, rows[j]);
        g->k->dot_at(at, g->Y, row.idx, x + j * d, row.n, d);
        at += row.n;
    }
    for (int64_t from = 0; from < d; from += width) {
        const struct block b = { from, KI_MIN(width, d - from), side->blocks + from * g->n };
        g->k->score_tile(Gx, b.width, x, n_rows, g->gram + from * d, b.width, d);
        at = s->s;
        for (int j = 0; j < n_rows; j++) {
            const ki_als_row row = row_of(side, rows[j]);
            if (row.n > 0) solve_block(side, &b, &row, s->A, step, x + j * d, Gx + j * b.width, at);
            at += row.n;
        }
    }
    store_rows(side, rows, n_rows, x);
}

/* ---- half an epoch ---- */

struct half {
    ki_als_side *side;
    const ki_job *job;
};

static kith_err solve_chunk(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct half *h = arg;
    const ki_als_side *side = h->side;
    float *at = side->arena + worker * side->arena_floats;
    const int64_t area = side->side * side->side;
    const struct scratch s = { at, at + area, at + area + side->rows_floats };
    const int32_t *rows = side->order + begin;
    const int n = (int)(end - begin);
    if (ki_job_cancelled(h->job)) return ki_fail(KITH_ECANCELED, "the fit was cancelled");
    switch (side->solver) {
    case KI_ALS_CHOLESKY: solve_exactly(side, rows, n, &s); break;
    case KI_ALS_CG: solve_by_cg(side, rows, n, &s); break;
    case KI_ALS_BLOCK: solve_by_blocks(side, rows, n, &s); break;
    }
    return KITH_OK;
}

/* Rows [begin, end) of Y into block-major order. */
static kith_err split_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct half *h = arg;
    const ki_als_given *g = &h->side->given;
    const int64_t width = h->side->block_size;
    (void)worker;
    for (int64_t from = 0; from < g->d; from += width) {
        const int64_t b = KI_MIN(width, g->d - from);
        float *to = h->side->blocks + from * g->n;
        for (int64_t i = begin; i < end; i++)
            memcpy(to + i * b, g->Y + i * g->d + from, (size_t)b * sizeof *to);
    }
    return KITH_OK;
}

kith_err ki_als_side_solve(ki_als_side *side, const ki_job *job)
{
    struct half h = { side, job };
    if (side->blocks != NULL) {
        const kith_err err = ki_parallel_for(job->pool, side->given.n, 1024, split_rows, &h);
        if (err != KITH_OK) return err;
    }
    return ki_parallel_for(job->pool, side->by->n_rows, ROWS, solve_chunk, &h);
}

/* ---- before the first epoch ---- */

/* Rows by falling length: a counting sort. */
static kith_err sort_rows(const ki_csr *by, int32_t *sorted)
{
    int64_t *start = NULL, longest = 0;
    for (int32_t r = 0; r < by->n_rows; r++) longest = KI_MAX(longest, ki_csr_len(by, r));
    const kith_err err = ki_alloc(&start, (size_t)longest + 2, sizeof *start);
    if (err != KITH_OK) return err;
    for (int32_t r = 0; r < by->n_rows; r++) start[longest - ki_csr_len(by, r) + 1]++;
    for (int64_t j = 0; j <= longest; j++) start[j + 1] += start[j];
    for (int32_t r = 0; r < by->n_rows; r++) sorted[start[longest - ki_csr_len(by, r)]++] = r;
    ki_free(start);
    return KITH_OK;
}

/* Deal the sorted rows to the chunks, and find the heaviest chunk. */
static kith_err deal_rows(ki_als_side *side)
{
    const int64_t n = side->by->n_rows;
    int32_t *sorted = NULL;
    int64_t next = 0;
    kith_err err = ki_alloc(&sorted, (size_t)n, sizeof *sorted);
    if (err != KITH_OK) return err;
    if ((err = sort_rows(side->by, sorted)) != KITH_OK) goto done;
    for (int64_t card = 0; card < ROWS; card++)
        for (int64_t at = card; at < n; at += ROWS) side->order[at] = sorted[next++];
    for (int64_t begin = 0; begin < n; begin += ROWS) {
        int64_t nnz = 0;
        for (int64_t at = begin; at < KI_MIN(begin + ROWS, n); at++)
            nnz += ki_csr_len(side->by, side->order[at]);
        side->longest = KI_MAX(side->longest, nnz);
    }
done:
    ki_free(sorted);
    return err;
}

kith_err ki_als_side_prepare(ki_als_side *side, const ki_job *job)
{
    const int64_t d = side->given.d;
    kith_err err;
    err = ki_alloc(&side->order, (size_t)side->by->n_rows, sizeof *side->order);
    if (err != KITH_OK || (err = deal_rows(side)) != KITH_OK) return err;
    if (side->solver == KI_ALS_BLOCK) {
        err = ki_alloc(&side->blocks, (size_t)side->given.n, (size_t)d * sizeof *side->blocks);
        if (err != KITH_OK) return err;
    }
    side->side = side->solver == KI_ALS_BLOCK      ? side->block_size
                 : side->solver == KI_ALS_CHOLESKY ? d
                                                   : 0;
    side->rows_floats = side->solver == KI_ALS_BLOCK ? 2 * ROWS * d + side->block_size
                        : side->solver == KI_ALS_CG  ? KI_CG_ROOM(d)
                                                     : 0;
    if (side->solver != KI_ALS_BLOCK) side->longest = 0; /* of products held for a chunk */
    side->arena_floats = side->side * side->side + side->rows_floats + side->longest;
    side->arena_floats = (side->arena_floats + 15) / 16 * 16; /* no cache line has two owners */
    return ki_alloc(&side->arena, (size_t)ki_pool_size(job->pool),
                    (size_t)side->arena_floats * sizeof *side->arena);
}

void ki_als_side_clear(ki_als_side *side)
{
    ki_free(side->order);
    ki_free(side->blocks);
    ki_free(side->arena);
    *side = (ki_als_side){ 0 };
}
