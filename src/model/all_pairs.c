/* SPDX-License-Identifier: MIT
 * all_pairs.c -- one sweep over the rows, each against all others by way of the columns they share
 *
 * Design     Row a adds the weighed lists of its columns into cells [n_rows] that stay in the
 *            caches.  They are read and emptied by walking the lists once more when these are short
 *            beside the catalogue, by a scan otherwise.  Rows are taken in blocks; a block writes
 *            its own piece, and pieces are joined in order.
 * Guarantees A row's sums run over its columns in rising order whoever computes it.  Computing each
 *            pair from both ends costs twice the additions of a triangle, and saves keeping the
 *            other half of n^2 pairs until its turn comes.
 */
#include "model/all_pairs.h"

#include "base/mem.h"
#include "model/best.h"
#include "simd/kernels.h"

#include <float.h>
#include <string.h>

enum { BLOCK = 64, BLOCKS_PER_STEP = 32 }; /* rows of a piece; pieces between two progress steps */
enum {
    FEW = 32,     /* rows that are sorted by insertion */
    STRIP = 1024, /* cells between two looks at the floor of a selection */
    CELLS = 12,   /* that a scan looks at in the time of meeting one in a list */
};

struct piece { /* the neighbours of a block of rows, row after row */
    int32_t *idx;
    float *sim;
    int64_t n, size;
};

struct scratch {    /* of one worker */
    float *cells;   /* [n_rows, lanes], zero between rows */
    uint64_t *bits; /* [n_rows / 64 + 1] one a row, zero between rows */
    int32_t *at;    /* [n_rows + 1] candidates */
    float *sim;     /* [n_rows + 1] their similarities */
    uint64_t *keys; /* [ki_best_room(n_neighbors)] */
};

struct sweep {
    const ki_all_pairs *task;
    const ki_kernels *kernels;
    ki_job *job;
    int lanes;
    int plain;             /* 1: the sum is the similarity */
    int32_t n_neighbors;   /* of the task, but at most n_rows */
    int64_t first;         /* row that index 0 of the current loop stands for */
    ki_csr by_row, by_col; /* weighed; index arrays of by_row are borrowed */
    struct scratch *scratch;
    struct piece *pieces; /* [n_blocks] */
    int64_t *ptr;         /* [n_rows + 1]: lengths first, then sums */
};

/* ---- one row ---- */

static int64_t additions(const struct sweep *s, int64_t row)
{
    int64_t n = 0;
    for (int64_t j = s->by_row.ptr[row]; j < s->by_row.ptr[row + 1]; j++)
        n += ki_csr_len(&s->by_col, s->by_row.idx[j]);
    return n;
}

/* The cell of row r: its similarity to row a of n_a entries.  Empties the cell, so that a row met
 * again counts for nothing. */
static float take(const struct sweep *s, float *cells, int32_t r, int64_t n_a)
{
    float *cell = cells + (size_t)r * (size_t)s->lanes;
    if (cell[s->lanes > 1] == 0) return 0; /* sum ab of lanes 1, n of the others */
    const float sim = ki_similarity_of(&s->task->how, cell, n_a, ki_csr_len(&s->by_row, r));
    for (int j = 0; j < s->lanes; j++) cell[j] = 0;
    return sim;
}

/* The cells of the rows in list[n] that hold more than 0 go to at and sim; all are emptied. */
static int32_t take_sums(float *restrict cells, const int32_t *restrict list, int64_t n,
                         int32_t *restrict at, float *restrict sim)
{
    int32_t taken = 0;
    for (int64_t j = 0; j < n; j++) {
        at[taken] = list[j];
        sim[taken] = cells[list[j]];
        cells[list[j]] = 0;
        taken += sim[taken] > 0;
    }
    return taken;
}

static int32_t take_list(const struct sweep *s, const struct scratch *w, const int32_t *list,
                         int64_t n, int64_t n_a, int32_t *at, float *sim)
{
    int32_t taken = 0;
    for (int64_t j = 0; j < n; j++) {
        at[taken] = list[j];
        sim[taken] = take(s, w->cells, list[j], n_a);
        taken += sim[taken] > 0;
    }
    return taken;
}

/* Rows with a positive similarity into w->at, in the order in which the lists of row a meet them. */
static int32_t gather_lists(const struct sweep *s, struct scratch *w, int32_t a)
{
    const int64_t n_a = ki_csr_len(&s->by_row, a);
    int32_t n = 0;
    for (int64_t j = s->by_row.ptr[a]; j < s->by_row.ptr[a + 1]; j++) {
        const int32_t c = s->by_row.idx[j];
        const int32_t *list = s->by_col.idx + s->by_col.ptr[c];
        const int64_t len = ki_csr_len(&s->by_col, c);
        n += s->plain ? take_sums(w->cells, list, len, w->at + n, w->sim + n)
                      : take_list(s, w, list, len, n_a, w->at + n, w->sim + n);
    }
    return n;
}

/* What a selection holds, into w->at and w->sim in no order; returns how many. */
static int32_t put_best(ki_best *best, struct scratch *w)
{
    ki_best_finish(best);
    for (int32_t j = 0; j < best->n; j++) {
        w->at[j] = ki_best_index(best->key[j]);
        w->sim[j] = ki_best_score(best->key[j]);
    }
    return best->n;
}

/* As gather_lists and selection in one, for plain sums: most of them fall at one comparison. */
static int32_t gather_nearest(const struct sweep *s, struct scratch *w, int32_t a)
{
    ki_best best = ki_best_into(w->keys, s->n_neighbors);
    float *cells = w->cells, least = FLT_TRUE_MIN;
    for (int64_t j = s->by_row.ptr[a]; j < s->by_row.ptr[a + 1]; j++) {
        const int32_t c = s->by_row.idx[j];
        const int32_t *r = s->by_col.idx + s->by_col.ptr[c];
        const int32_t *end = s->by_col.idx + s->by_col.ptr[c + 1];
        for (; r < end; r++) {
            const float sum = cells[*r];
            cells[*r] = 0;
            if (sum < least) continue;
            ki_best_push(&best, ki_best_key(sum, *r));
            const float floor = ki_best_score(best.floor);
            least = KI_MAX(least, floor);
        }
    }
    return put_best(&best, w);
}

/* The same by looking at all cells, rising, so that ties with the floor have lost. */
static int32_t scan_nearest(const struct sweep *s, struct scratch *w)
{
    const int32_t n_rows = s->by_row.n_rows;
    ki_best best = ki_best_into(w->keys, s->n_neighbors);
    for (int32_t begin = 0; begin < n_rows; begin += STRIP) { /* the floor rises strip by strip */
        const int32_t len = KI_MIN(STRIP, n_rows - begin);
        const float floor = ki_best_score(best.floor);
        float *cells = w->cells + begin;
        const int64_t hits = s->kernels->scan_above(w->at, cells, len, KI_MAX(floor, 0));
        for (int64_t j = 0; j < hits; j++)
            ki_best_push(&best, ki_best_key(cells[w->at[j]], begin + w->at[j]));
        memset(cells, 0, (size_t)len * sizeof *cells);
    }
    return put_best(&best, w);
}

/* As gather_lists, by looking at all cells, rising. */
static int32_t gather_cells(const struct sweep *s, struct scratch *w, int32_t a)
{
    const int32_t n_rows = s->by_row.n_rows;
    const int64_t n_a = ki_csr_len(&s->by_row, a);
    int32_t n = 0;
    if (s->plain) {
        n = (int32_t)s->kernels->scan_above(w->at, w->cells, n_rows, 0);
        for (int32_t j = 0; j < n; j++) w->sim[j] = w->cells[w->at[j]];
        memset(w->cells, 0, (size_t)n_rows * sizeof *w->cells);
        return n;
    }
    for (int32_t r = 0; r < n_rows; r++) {
        const float sim = take(s, w->cells, r, n_a);
        w->at[n] = r;
        w->sim[n] = sim;
        n += sim > 0;
    }
    return n;
}

static void sort_few(struct scratch *w, int32_t n)
{
    for (int32_t j = 1; j < n; j++) {
        const int32_t r = w->at[j];
        const float sim = w->sim[j];
        int32_t k = j;
        for (; k > 0 && w->at[k - 1] > r; k--) {
            w->at[k] = w->at[k - 1];
            w->sim[k] = w->sim[k - 1];
        }
        w->at[k] = r;
        w->sim[k] = sim;
    }
}

/* Put the n kept rows in rising order: each sets its bit and leaves its similarity in the (empty)
 * cells. */
static void put_in_order(struct scratch *w, int32_t n)
{
    int32_t to = 0;
    if (n <= FEW) {
        sort_few(w, n);
        return;
    }
    for (int32_t j = 0; j < n; j++) {
        w->cells[w->at[j]] = w->sim[j];
        w->bits[w->at[j] >> 6] |= (uint64_t)1 << (w->at[j] & 63);
    }
    for (int32_t word = 0; to < n; word++) {
        for (uint64_t bits = w->bits[word]; bits != 0; bits &= bits - 1) {
            const int32_t r = word * 64 + __builtin_ctzll(bits);
            w->at[to] = r;
            w->sim[to++] = w->cells[r];
            w->cells[r] = 0;
        }
        w->bits[word] = 0;
    }
}

/* The neighbours of row a into w->at and w->sim, rising; returns how many. */
static int32_t find_neighbors(const struct sweep *s, struct scratch *w, int32_t a)
{
    const int64_t at = s->by_row.ptr[a], n_a = ki_csr_len(&s->by_row, a);
    const int nearest = s->plain && s->n_neighbors > 0;
    const int64_t worth = s->plain ? s->by_row.n_rows / CELLS : s->by_row.n_rows;
    const int look_at_cells = additions(s, a) >= worth;
    ki_similarity_add(s->lanes, s->by_row.idx + at, s->by_row.val + at, n_a, &s->by_col, w->cells);
    memset(w->cells + (size_t)a * (size_t)s->lanes, 0, (size_t)s->lanes * sizeof *w->cells);
    int32_t n;
    if (nearest) {
        n = look_at_cells ? scan_nearest(s, w) : gather_nearest(s, w, a);
    } else {
        n = look_at_cells ? gather_cells(s, w, a) : gather_lists(s, w, a);
        n = ki_best_select(w->keys, s->n_neighbors, w->at, w->sim, n);
    }
    if (nearest || !look_at_cells) put_in_order(w, n);
    return n;
}

static kith_err append(struct piece *p, const struct scratch *w, int32_t n, int32_t k)
{
    if (n == 0) return KITH_OK;
    if (p->n + n > p->size) {
        const int64_t size = KI_MAX(p->n + n, KI_MAX(2 * p->size, (int64_t)BLOCK * k));
        kith_err err = ki_grow(&p->idx, (size_t)p->n, (size_t)size, sizeof *p->idx);
        if (err == KITH_OK) err = ki_grow(&p->sim, (size_t)p->n, (size_t)size, sizeof *p->sim);
        if (err != KITH_OK) return err;
        p->size = size;
    }
    if (n == 0) return KITH_OK; /* p may have no arrays yet */
    memcpy(p->idx + p->n, w->at, (size_t)n * sizeof *p->idx);
    memcpy(p->sim + p->n, w->sim, (size_t)n * sizeof *p->sim);
    p->n += n;
    return KITH_OK;
}

static kith_err sweep_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    struct sweep *s = arg;
    struct scratch *w = &s->scratch[worker];
    struct piece *p = &s->pieces[(s->first + begin) / BLOCK];
    if (ki_job_cancelled(s->job)) return ki_fail(KITH_ECANCELED, "comparing rows was cancelled");
    for (int64_t row = s->first + begin; row < s->first + end; row++) {
        const int32_t n = find_neighbors(s, w, (int32_t)row);
        const kith_err err = append(p, w, n, s->n_neighbors);
        if (err != KITH_OK) return err;
        s->ptr[row + 1] = n;
    }
    return KITH_OK;
}

/* ---- the whole ---- */

static kith_err weigh(struct sweep *s)
{
    const ki_all_pairs *t = s->task;
    ki_weights weights = { 0 };
    kith_err err;
    s->by_row = *t->by_row;
    s->by_row.owned = 0;
    s->by_row.val = NULL;
    if ((err = ki_weights_make(&weights, &t->how, t->by_row, t->by_col, t->mean, t->col_base)) !=
        KITH_OK)
        return err;
    err = ki_alloc(&s->by_row.val, (size_t)ki_csr_nnz(t->by_row), sizeof *s->by_row.val);
    if (err == KITH_OK)
        err = ki_similarity_weigh_all(&t->how, &weights, t->row_base, t->by_row, s->job->pool,
                                      s->by_row.val);
    if (err == KITH_OK) err = ki_csr_transpose(&s->by_col, &s->by_row);
    ki_weights_clear(&weights);
    return err;
}

static kith_err make_scratch(struct sweep *s, int n_workers)
{
    const size_t n = (size_t)s->by_row.n_rows;
    kith_err err = ki_alloc(&s->scratch, (size_t)n_workers, sizeof *s->scratch);
    for (int j = 0; err == KITH_OK && j < n_workers; j++) {
        struct scratch *w = &s->scratch[j];
        if ((err = ki_alloc(&w->cells, n * (size_t)s->lanes, sizeof *w->cells)) == KITH_OK &&
            (err = ki_alloc(&w->bits, n / 64 + 1, sizeof *w->bits)) == KITH_OK &&
            (err = ki_alloc(&w->at, n + 1, sizeof *w->at)) == KITH_OK &&
            (err = ki_alloc(&w->sim, n + 1, sizeof *w->sim)) == KITH_OK)
            err = ki_alloc(&w->keys, ki_best_room(s->n_neighbors), sizeof *w->keys);
    }
    return err;
}

static kith_err join(struct sweep *s, int64_t n_blocks, ki_csr *out)
{
    const int32_t n = s->by_row.n_rows;
    for (int32_t r = 0; r < n; r++) s->ptr[r + 1] += s->ptr[r];
    kith_err err = ki_csr_alloc(out, n, n, s->ptr[n]);
    if (err != KITH_OK) return err;
    memcpy(out->ptr, s->ptr, ((size_t)n + 1) * sizeof *out->ptr);
    for (int64_t b = 0; b < n_blocks; b++) {
        const struct piece *p = &s->pieces[b];
        if (p->n == 0) continue;
        memcpy(out->idx + out->ptr[b * BLOCK], p->idx, (size_t)p->n * sizeof *p->idx);
        memcpy(out->val + out->ptr[b * BLOCK], p->sim, (size_t)p->n * sizeof *p->sim);
    }
    return KITH_OK;
}

static kith_err run(struct sweep *s)
{
    const int64_t n = s->by_row.n_rows, stride = BLOCK * BLOCKS_PER_STEP;
    kith_err err;
    for (s->first = 0; s->first < n; s->first += stride) {
        if ((err = ki_job_step(s->job, "compare rows", s->first, n)) != KITH_OK) return err;
        err = ki_parallel_for(s->job->pool, KI_MIN(stride, n - s->first), BLOCK, sweep_rows, s);
        if (err != KITH_OK) return err;
    }
    return ki_job_step(s->job, "compare rows", n, n);
}

static void clear(struct sweep *s, int n_workers, int64_t n_blocks)
{
    for (int j = 0; s->scratch != NULL && j < n_workers; j++) {
        ki_free(s->scratch[j].cells);
        ki_free(s->scratch[j].bits);
        ki_free(s->scratch[j].at);
        ki_free(s->scratch[j].sim);
        ki_free(s->scratch[j].keys);
    }
    for (int64_t b = 0; s->pieces != NULL && b < n_blocks; b++) {
        ki_free(s->pieces[b].idx);
        ki_free(s->pieces[b].sim);
    }
    ki_free(s->scratch);
    ki_free(s->pieces);
    ki_free(s->ptr);
    ki_free(s->by_row.val);
    ki_csr_clear(&s->by_col);
}

kith_err ki_all_pairs_run(const ki_all_pairs *task, ki_job *job, ki_csr *out)
{
    const int n_workers = ki_pool_size(job->pool);
    const int64_t n_rows = task->by_row->n_rows, n_blocks = (n_rows + BLOCK - 1) / BLOCK;
    const int lanes = ki_similarity_lanes(&task->how);
    struct sweep s = { .task = task,
                       .kernels = ki_kernels_get(),
                       .job = job,
                       .n_neighbors = KI_MIN(task->n_neighbors, task->by_row->n_rows),
                       .lanes = lanes,
                       .plain = lanes == 1 && task->how.measure != KI_JACCARD };
    kith_err err;
    *out = (ki_csr){ 0 };
    if ((err = weigh(&s)) != KITH_OK) goto done;
    if ((err = make_scratch(&s, n_workers)) != KITH_OK) goto done;
    if ((err = ki_alloc(&s.pieces, (size_t)n_blocks, sizeof *s.pieces)) != KITH_OK) goto done;
    if ((err = ki_alloc(&s.ptr, (size_t)n_rows + 1, sizeof *s.ptr)) != KITH_OK) goto done;
    if ((err = run(&s)) != KITH_OK) goto done;
    err = join(&s, n_blocks, out);
done:
    clear(&s, n_workers, n_blocks);
    return err;
}

size_t ki_all_pairs_memory(int32_t n_neighbors, const ki_csr *by_row, const ki_csr *by_col)
{
    const double n = by_row->n_rows;
    double pairs = 0; /* that share a column, counted once per column */
    for (int32_t c = 0; c < by_col->n_rows; c++)
        pairs += (double)ki_csr_len(by_col, c) * (double)ki_csr_len(by_col, c);
    const double kept = KI_MIN(pairs, n * (n_neighbors > 0 ? KI_MIN(n, n_neighbors) : n));
    /* pieces that may have doubled, and their copy; the values both ways */
    return (size_t)(3 * kept) * (sizeof(int32_t) + sizeof(float)) +
           (size_t)ki_csr_nnz(by_row) * (sizeof(int32_t) + 3 * sizeof(float));
}
