/* SPDX-License-Identifier: MIT
 * top_product.c -- row by row: a sum of rows of B in dense cells, and a bit for each cell in use
 *
 * Design     The bits are walked in rising order, so that a row comes out sorted and the cost of a
 *            row is its additions and a 64th of the columns.  Rows are taken in blocks; a block
 *            fills its own piece, and the pieces are joined in order.
 */
#include "model/top_product.h"

#include "base/mem.h"
#include "model/best.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 64, BLOCKS_PER_STEP = 32 }; /* rows of a piece; pieces between two progress steps */

struct piece { /* a block of rows, row after row */
    int32_t *idx;
    float *val;
    int64_t n, size;
};

struct scratch {    /* of one worker */
    float *cells;   /* [p] zero between rows */
    uint64_t *bits; /* [p / 64 + 1] a bit a column, zero between rows */
    int32_t *at;    /* [p] columns in use */
    float *val;     /* [p] their values */
    int32_t *place; /* [p] places in `at`, for choosing */
    float *length;  /* [p] sizes of the values, for choosing */
    uint64_t *keys; /* [ki_best_room(n_keep)] */
};

struct work {
    const ki_top_product *task;
    ki_job *job;
    int32_t n_keep; /* of the task, but at most p */
    int64_t first;  /* row that index 0 of the current loop stands for */
    struct scratch *scratch;
    struct piece *pieces; /* [n_blocks] */
    int64_t *ptr;         /* [n + 1]: lengths first, then sums */
};

/* ---- one row ---- */

static void add_rows(const ki_top_product *t, struct scratch *w, int32_t row)
{
    for (int64_t j = t->a->ptr[row]; j < t->a->ptr[row + 1]; j++) {
        const int32_t u = t->a->idx[j];
        const float v = t->a->val[j];
        for (int64_t e = t->b->ptr[u]; e < t->b->ptr[u + 1]; e++) {
            const int32_t c = t->b->idx[e];
            w->cells[c] += v * t->b->val[e];
            w->bits[c >> 6] |= (uint64_t)1 << (c & 63);
        }
    }
}

/* The entries of the row into w->at and w->val, rising; cells and bits are emptied.  Returns how
 * many, or -1 when one is not finite. */
static int32_t take_cells(const ki_top_product *t, struct scratch *w, int32_t row)
{
    int32_t n = 0, finite = 1;
    for (int32_t word = 0; word <= t->b->n_cols / 64; word++) {
        for (uint64_t bits = w->bits[word]; bits != 0; bits &= bits - 1) {
            const int32_t c = word * 64 + __builtin_ctzll(bits);
            const float value = w->cells[c] * (t->column != NULL ? t->column[c] : 1);
            w->cells[c] = 0;
            finite &= isfinite(value) != 0;
            if (value == 0 || (c == row && !t->diagonal)) continue;
            w->at[n] = c;
            w->val[n++] = value;
        }
        w->bits[word] = 0;
    }
    return finite ? n : -1;
}

/* Leave the n_keep largest of n entries. */
static int32_t choose(struct scratch *w, int32_t n_keep, int32_t n)
{
    if (n_keep == 0 || n <= n_keep) return n;
    for (int32_t j = 0; j < n; j++) {
        w->place[j] = j;
        w->length[j] = fabsf(w->val[j]);
    }
    n = ki_best_select(w->keys, n_keep, w->place, w->length, n);
    for (int32_t j = 0; j < n; j++) {
        w->at[j] = w->at[w->place[j]];
        w->val[j] = w->val[w->place[j]];
    }
    return n;
}

static kith_err append(struct piece *p, const struct scratch *w, int32_t n, int32_t k)
{
    if (n == 0) return KITH_OK; /* p may have no arrays yet */
    if (p->n + n > p->size) {
        const int64_t size = KI_MAX(p->n + n, KI_MAX(2 * p->size, (int64_t)BLOCK * k));
        kith_err err = ki_grow(&p->idx, (size_t)p->n, (size_t)size, sizeof *p->idx);
        if (err == KITH_OK) err = ki_grow(&p->val, (size_t)p->n, (size_t)size, sizeof *p->val);
        if (err != KITH_OK) return err;
        p->size = size;
    }
    memcpy(p->idx + p->n, w->at, (size_t)n * sizeof *p->idx);
    memcpy(p->val + p->n, w->val, (size_t)n * sizeof *p->val);
    p->n += n;
    return KITH_OK;
}

static kith_err multiply_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    struct work *s = arg;
    struct scratch *w = &s->scratch[worker];
    struct piece *p = &s->pieces[(s->first + begin) / BLOCK];
    if (ki_job_cancelled(s->job)) return ki_fail(KITH_ECANCELED, "%s was cancelled", s->task->what);
    for (int64_t row = s->first + begin; row < s->first + end; row++) {
        add_rows(s->task, w, (int32_t)row);
        int32_t n = take_cells(s->task, w, (int32_t)row);
        if (n < 0)
            return ki_fail(KITH_EDATA, "%s: a weight in row %lld is not finite", s->task->what,
                           (long long)row);
        n = choose(w, s->n_keep, n);
        const kith_err err = append(p, w, n, s->n_keep);
        if (err != KITH_OK) return err;
        s->ptr[row + 1] = n;
    }
    return KITH_OK;
}

/* ---- the whole ---- */

static kith_err make_scratch(struct work *s, int n_workers)
{
    const size_t p = (size_t)s->task->b->n_cols;
    kith_err err = ki_alloc(&s->scratch, (size_t)n_workers, sizeof *s->scratch);
    for (int j = 0; err == KITH_OK && j < n_workers; j++) {
        struct scratch *w = &s->scratch[j];
        if ((err = ki_alloc(&w->cells, p, sizeof *w->cells)) == KITH_OK &&
            (err = ki_alloc(&w->bits, p / 64 + 1, sizeof *w->bits)) == KITH_OK &&
            (err = ki_alloc(&w->at, p, sizeof *w->at)) == KITH_OK &&
            (err = ki_alloc(&w->val, p, sizeof *w->val)) == KITH_OK &&
            (err = ki_alloc(&w->place, p, sizeof *w->place)) == KITH_OK &&
            (err = ki_alloc(&w->length, p, sizeof *w->length)) == KITH_OK)
            err = ki_alloc(&w->keys, ki_best_room(s->n_keep), sizeof *w->keys);
    }
    return err;
}

static kith_err join(struct work *s, int64_t n_blocks, ki_csr *out)
{
    const int32_t n = s->task->a->n_rows;
    for (int32_t r = 0; r < n; r++) s->ptr[r + 1] += s->ptr[r];
    const kith_err err = ki_csr_alloc(out, n, s->task->b->n_cols, s->ptr[n]);
    if (err != KITH_OK) return err;
    memcpy(out->ptr, s->ptr, ((size_t)n + 1) * sizeof *out->ptr);
    for (int64_t b = 0; b < n_blocks; b++) {
        struct piece *p = &s->pieces[b];
        if (p->n == 0) continue;
        memcpy(out->idx + out->ptr[b * BLOCK], p->idx, (size_t)p->n * sizeof *p->idx);
        memcpy(out->val + out->ptr[b * BLOCK], p->val, (size_t)p->n * sizeof *p->val);
    }
    return KITH_OK;
}

static kith_err run(struct work *s)
{
    const int64_t n = s->task->a->n_rows, stride = BLOCK * BLOCKS_PER_STEP;
    kith_err err;
    for (s->first = 0; s->first < n; s->first += stride) {
        if ((err = ki_job_step(s->job, s->task->what, s->first, n)) != KITH_OK) return err;
        err = ki_parallel_for(s->job->pool, KI_MIN(stride, n - s->first), BLOCK, multiply_rows, s);
        if (err != KITH_OK) return err;
    }
    return ki_job_step(s->job, s->task->what, n, n);
}

static void clear(struct work *s, int n_workers, int64_t n_blocks)
{
    for (int j = 0; s->scratch != NULL && j < n_workers; j++) {
        ki_free(s->scratch[j].cells);
        ki_free(s->scratch[j].bits);
        ki_free(s->scratch[j].at);
        ki_free(s->scratch[j].val);
        ki_free(s->scratch[j].place);
        ki_free(s->scratch[j].length);
        ki_free(s->scratch[j].keys);
    }
    for (int64_t b = 0; s->pieces != NULL && b < n_blocks; b++) {
        ki_free(s->pieces[b].idx);
        ki_free(s->pieces[b].val);
    }
    ki_free(s->scratch);
    ki_free(s->pieces);
    ki_free(s->ptr);
}

kith_err ki_top_product_run(const ki_top_product *task, ki_job *job, ki_csr *out)
{
    const int n_workers = ki_pool_size(job->pool);
    const int64_t n = task->a->n_rows, n_blocks = (n + BLOCK - 1) / BLOCK;
    struct work s = { .task = task, .job = job, .n_keep = KI_MIN(task->n_keep, task->b->n_cols) };
    kith_err err;
    *out = (ki_csr){ 0 };
    if ((err = make_scratch(&s, n_workers)) != KITH_OK) goto done;
    if ((err = ki_alloc(&s.pieces, (size_t)n_blocks, sizeof *s.pieces)) != KITH_OK) goto done;
    if ((err = ki_alloc(&s.ptr, (size_t)n + 1, sizeof *s.ptr)) != KITH_OK) goto done;
    if ((err = run(&s)) != KITH_OK) goto done;
    err = join(&s, n_blocks, out);
done:
    clear(&s, n_workers, n_blocks);
    return err;
}

size_t ki_top_product_memory(int32_t n_keep, const ki_csr *a, const ki_csr *b)
{
    const double most = n_keep > 0 ? KI_MIN(n_keep, b->n_cols) : b->n_cols;
    double kept = 0;
    for (int32_t r = 0; r < a->n_rows; r++) {
        double meets = 0;
        for (int64_t j = a->ptr[r]; j < a->ptr[r + 1]; j++)
            meets += (double)ki_csr_len(b, a->idx[j]);
        kept += KI_MIN(meets, most);
    }
    /* pieces that may have doubled, and their copy */
    return (size_t)(3 * kept) * (sizeof(int32_t) + sizeof(float));
}
