/* SPDX-License-Identifier: MIT
 * kernels.c -- how fast each kernel of each set is: ns per call, GFLOP/s, times the plain loops
 *
 *      kernels [DIM...]        default 32 64 128 256
 *
 * The limit of AVX2 with two FMA units is 32 FLOP per cycle: 102 GFLOP/s at 3.2 GHz.  Each figure
 * is the best of five runs of at least 20 ms.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "simd/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { QUERIES = 48, ROWS = 1024, TERMS = 200, SCAN = 4096, STEPS = 2 };

struct bench {
    const ki_kernels *k;
    int64_t dim;
    float *X, *Y, *out, *A, *L, *w;
    int32_t *rows, *at;
};

struct row {
    const char *name;
    void (*run)(struct bench *b);
    double (*flop)(double dim); /* of one call; scan_above: values */
};

static void run_dot(struct bench *b)
{
    b->out[0] += b->k->dot(b->X, b->Y, b->dim);
}

static void run_dot_rows(struct bench *b)
{
    b->k->dot_rows(b->out, b->Y, b->X, ROWS, b->dim);
}

static void run_tile(struct bench *b)
{
    b->k->score_tile(b->out, ROWS, b->X, QUERIES, b->Y, ROWS, b->dim);
}

static void run_gram(struct bench *b)
{
    b->k->gram_rows(b->A, b->Y, b->rows, b->w, TERMS, b->dim);
}

static void run_cg(struct bench *b)
{
    memset(b->X, 0, (size_t)b->dim * sizeof *b->X); /* or it would be solved already */
    const ki_cg_row row = { b->Y, b->L, b->rows, b->w, TERMS, b->dim, .5f, 1, .001f, 0, NULL };
    b->k->cg(b->X, &row, STEPS, b->out);
}

static void run_scan(struct bench *b)
{
    b->k->scan_above(b->at, b->X, SCAN, 3.5f);
}

/* The last of a row's floats is the bias, so a row has a few factors less than dim. */
static void run_sgd(struct bench *b)
{
    ki_sgd_rating x[TERMS];
    const ki_sgd s = { .P = b->X,
                       .Q = b->Y,
                       .width = (b->dim - 1) / 8 * 8,
                       .stride = b->dim,
                       .lr_p = 1e-9f,
                       .lr_q = 1e-9f,
                       .reg_p = .1f,
                       .reg_q = .1f };
    for (int t = 0; t < TERMS; t++) x[t] = (ki_sgd_rating){ t / 2 % 2 + t / 20 * 2, t, 3 };
    b->k->sgd_run(&s, x, TERMS);
}

static void run_chol(struct bench *b)
{
    memcpy(b->L, b->A, (size_t)(b->dim * b->dim) * sizeof *b->L);
    b->k->chol(b->L, b->dim);
}

static void run_solve(struct bench *b)
{
    memcpy(b->out, b->X, (size_t)b->dim * sizeof *b->out);
    b->k->chol_solve(b->L, b->out, b->dim);
}

static double flop_dot(double d)
{
    return 2 * d;
}

static double flop_dot_rows(double d)
{
    return 2 * d * ROWS;
}

static double flop_tile(double d)
{
    return 2 * d * ROWS * QUERIES;
}

static double flop_gram(double d)
{
    return TERMS * d * (d + 1); /* the lower triangle alone is counted */
}

static double flop_cg(double d)
{
    return (4 * STEPS + 2) * d * TERMS;
}

static double flop_scan(double d)
{
    return d > 0 ? SCAN : 0;
}

static double flop_sgd(double d)
{
    return 11 * d * TERMS;
}

static double flop_chol(double d)
{
    return d * d * d / 3;
}

static double flop_solve(double d)
{
    return 2 * d * d;
}

static const struct row table[] = {
    { "dot", run_dot, flop_dot },
    { "dot_rows", run_dot_rows, flop_dot_rows },
    { "score_tile", run_tile, flop_tile },
    { "gram_rows", run_gram, flop_gram },
    { "scan_above", run_scan, flop_scan },
    { "sgd_run", run_sgd, flop_sgd },
    { "chol", run_chol, flop_chol },
    { "chol_solve", run_solve, flop_solve },
    { "cg", run_cg, flop_cg },
};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_ns(void (*run)(struct bench *b), struct bench *b)
{
    double best = INFINITY;
    for (int round = 0; round < 5; round++) {
        const double start = now_ns();
        double spent = 0;
        int64_t calls = 0;
        for (; spent < 20e6; calls += 16) {
            for (int c = 0; c < 16; c++) run(b);
            spent = now_ns() - start;
        }
        best = fmin(best, spent / (double)calls);
    }
    return best;
}

static kith_err prepare(struct bench *b, int64_t dim)
{
    const int64_t n = KI_MAX((int64_t)ROWS * dim, (int64_t)SCAN);
    ki_rng r = ki_rng_make(1, 0, 0);
    kith_err err;
    b->dim = dim;
    if ((err = ki_alloc(&b->X, (size_t)n, sizeof(float))) != KITH_OK ||
        (err = ki_alloc(&b->Y, (size_t)n, sizeof(float))) != KITH_OK ||
        (err = ki_alloc(&b->out, (size_t)QUERIES * ROWS, sizeof(float))) != KITH_OK ||
        (err = ki_alloc(&b->A, (size_t)(dim * dim), sizeof(float))) != KITH_OK ||
        (err = ki_alloc(&b->L, (size_t)(dim * dim), sizeof(float))) != KITH_OK ||
        (err = ki_alloc(&b->w, TERMS, sizeof(float))) != KITH_OK ||
        (err = ki_alloc(&b->rows, TERMS, sizeof(int32_t))) != KITH_OK ||
        (err = ki_alloc(&b->at, SCAN, sizeof(int32_t))) != KITH_OK)
        return err;
    ki_rng_fill_normal(&r, 1, b->X, n);
    ki_rng_fill_normal(&r, 1, b->Y, n);
    for (int t = 0; t < TERMS; t++) {
        b->w[t] = 1;
        b->rows[t] = (int32_t)ki_rng_below(&r, ROWS);
    }
    return KITH_OK;
}

static void clear(struct bench *b)
{
    ki_free(b->X);
    ki_free(b->Y);
    ki_free(b->out);
    ki_free(b->A);
    ki_free(b->L);
    ki_free(b->w);
    ki_free(b->rows);
    ki_free(b->at);
    *b = (struct bench){ 0 };
}

/* Every kernel of one set; ref_ns is filled by the first set and compared with by the others. */
static void measure(struct bench *b, double *ref_ns, int is_ref)
{
    for (size_t t = 0; t < KI_COUNT(table); t++) {
        if (table[t].run ==
            run_chol) { /* what stands in A after gram_rows is definite but for this */
            memset(b->A, 0, (size_t)(b->dim * b->dim) * sizeof *b->A);
            b->k->gram_rows(b->A, b->Y, b->rows, b->w, TERMS, b->dim);
            for (int64_t j = 0; j < b->dim; j++) b->A[j * b->dim + j] += (float)b->dim;
        }
        const double ns = time_ns(table[t].run, b);
        if (is_ref) ref_ns[t] = ns;
        printf("%-7s %-11s %5lld %12.0f ns %8.2f GFLOP/s %7.1f x ref\n", b->k->name, table[t].name,
               (long long)b->dim, ns, table[t].flop((double)b->dim) / ns, ref_ns[t] / ns);
    }
}

int main(int argc, char **argv)
{
    static const char *const usual[] = { "32", "64", "128", "256" };
    static const char *const sets[] = { "ref", "avx2", "avx512" };
    const int n = argc > 1 ? argc - 1 : (int)KI_COUNT(usual);
    for (int a = 0; a < n; a++) {
        double ref_ns[KI_COUNT(table)];
        struct bench b = { 0 };
        const int64_t dim = atoll(argc > 1 ? argv[1 + a] : usual[a]);
        if (dim < 1 || dim > 4096 || prepare(&b, dim) != KITH_OK) {
            fprintf(stderr, "kernels: DIM from 1 to 4096\n");
            clear(&b);
            return 2;
        }
        for (size_t s = 0; s < KI_COUNT(sets); s++)
            if ((b.k = ki_kernels_named(sets[s])) != NULL) measure(&b, ref_ns, s == 0);
        clear(&b);
    }
    return 0;
}
