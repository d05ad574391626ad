/* SPDX-License-Identifier: MIT
 * cholesky.c -- factor, solve, invert
 *
 * The small solver is a pair of kernels.  The inverse works on tiles T(i, j), i >= j, in three
 * sweeps over the diagonal k (n^3 / 3 FLOP each):
 *
 *      A = LL'      T(k,k) = chol;         T(i,k) = T(i,k) L(k,k)^-T;   T(i,j) -= T(i,k) T(j,k)'
 *      M = L^-1     T(i,k) = -T(i,k) L(k,k)^-1;  T(i,j) += T(i,k) T(k,j);  T(k,j) = L(k,k)^-1 T(k,j)
 *      A^-1 = M'M   T(i,j) += T(k,i)' T(k,j);    T(k,j) = M(k,k)' T(k,j);  T(k,k) = M(k,k)' M(k,k)
 *
 * Each line of tiles is one parallel loop and each tile one BLAS call, so nothing depends on who
 * runs it.
 */
#include "math/cholesky.h"

#include "base/mem.h"
#include "math/blas.h"
#include "simd/kernels.h"

enum { TILE = 512 }; /* 3 MB of operands: BLAS packs them; smaller ones waste its start-up */

int64_t ki_chol_factor(float *A, int64_t d)
{
    return ki_kernels_get()->chol(A, d);
}

void ki_chol_solve(const float *L, float *b, int64_t d)
{
    ki_kernels_get()->chol_solve(L, b, d);
}

/* ---- tiles ---- */

struct tiles {
    float *A;
    int64_t n, count; /* order; tiles per side */
    int64_t k;        /* step of the sweep */
};

static ki_mat tile(const struct tiles *t, int64_t i, int64_t j)
{
    return (ki_mat){ .at = t->A + i * TILE * t->n + j * TILE,
                     .rows = KI_MIN((int64_t)TILE, t->n - i * TILE),
                     .cols = KI_MIN((int64_t)TILE, t->n - j * TILE),
                     .ld = t->n };
}

/* Number p of the pairs (0,0) (1,0) (1,1) (2,0) ... */
static void pair(int64_t p, int64_t *i, int64_t *j)
{
    for (*i = 0; p > *i; ++*i) p -= *i + 1;
    *j = p;
}

static int64_t n_pairs(int64_t n)
{
    return n * (n + 1) / 2;
}

/* ---- A = LL' ---- */

static kith_err factor_column(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct tiles *t = arg;
    (void)worker;
    for (int64_t i = t->k + 1 + begin; i < t->k + 1 + end; i++)
        ki_trsm(tile(t, i, t->k), 1, tile(t, t->k, t->k), KI_RIGHT, KI_TRANSPOSED);
    return KITH_OK;
}

static kith_err factor_rest(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct tiles *t = arg;
    (void)worker;
    for (int64_t p = begin; p < end; p++) {
        int64_t i, j;
        pair(p, &i, &j);
        i += t->k + 1;
        j += t->k + 1;
        if (i == j)
            ki_syrk(tile(t, i, i), -1, tile(t, i, t->k), KI_PLAIN);
        else
            ki_gemm(tile(t, i, j), -1, tile(t, i, t->k), KI_PLAIN, tile(t, j, t->k), KI_TRANSPOSED);
    }
    return KITH_OK;
}

static kith_err factor_step(struct tiles *t, ki_pool *pool)
{
    const int64_t below = t->count - t->k - 1, bad = ki_potrf(tile(t, t->k, t->k));
    if (bad != 0)
        return ki_fail(KITH_EDATA, "the matrix of order %lld is not positive definite at row %lld",
                       (long long)t->n, (long long)(t->k * TILE + bad - 1));
    const kith_err err = ki_parallel_for(pool, below, 1, factor_column, t);
    return err != KITH_OK ? err : ki_parallel_for(pool, n_pairs(below), 1, factor_rest, t);
}

/* ---- M = L^-1 ---- */

static kith_err invert_column(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct tiles *t = arg;
    (void)worker;
    for (int64_t i = t->k + 1 + begin; i < t->k + 1 + end; i++)
        ki_trsm(tile(t, i, t->k), -1, tile(t, t->k, t->k), KI_RIGHT, KI_PLAIN);
    return KITH_OK;
}

static kith_err invert_rest(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct tiles *t = arg;
    (void)worker;
    for (int64_t p = begin; p < end; p++) {
        const int64_t i = t->k + 1 + p / t->k, j = p % t->k;
        ki_gemm(tile(t, i, j), 1, tile(t, i, t->k), KI_PLAIN, tile(t, t->k, j), KI_PLAIN);
    }
    return KITH_OK;
}

static kith_err invert_row(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct tiles *t = arg;
    (void)worker;
    for (int64_t j = begin; j < end; j++)
        ki_trsm(tile(t, t->k, j), 1, tile(t, t->k, t->k), KI_LEFT, KI_PLAIN);
    return KITH_OK;
}

static kith_err invert_step(struct tiles *t, ki_pool *pool)
{
    const int64_t below = t->count - t->k - 1;
    kith_err err;
    if ((err = ki_parallel_for(pool, below, 1, invert_column, t)) != KITH_OK) return err;
    if ((err = ki_parallel_for(pool, below * t->k, 1, invert_rest, t)) != KITH_OK) return err;
    if ((err = ki_parallel_for(pool, t->k, 1, invert_row, t)) != KITH_OK) return err;
    ki_trtri(tile(t, t->k, t->k));
    return KITH_OK;
}

/* ---- A^-1 = M'M ---- */

static kith_err square_before(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct tiles *t = arg;
    (void)worker;
    for (int64_t p = begin; p < end; p++) {
        int64_t i, j;
        pair(p, &i, &j);
        if (i == j)
            ki_syrk(tile(t, i, i), 1, tile(t, t->k, i), KI_TRANSPOSED);
        else
            ki_gemm(tile(t, i, j), 1, tile(t, t->k, i), KI_TRANSPOSED, tile(t, t->k, j), KI_PLAIN);
    }
    return KITH_OK;
}

static kith_err square_row(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct tiles *t = arg;
    (void)worker;
    for (int64_t j = begin; j < end; j++)
        ki_trmm(tile(t, t->k, j), tile(t, t->k, t->k), KI_LEFT, KI_TRANSPOSED);
    return KITH_OK;
}

static kith_err square_step(struct tiles *t, ki_pool *pool)
{
    kith_err err;
    if ((err = ki_parallel_for(pool, n_pairs(t->k), 1, square_before, t)) != KITH_OK) return err;
    if ((err = ki_parallel_for(pool, t->k, 1, square_row, t)) != KITH_OK) return err;
    ki_lauum(tile(t, t->k, t->k));
    return KITH_OK;
}

/* ---- the whole ---- */

/* Write the upper triangle from the lower, small squares at a time for the sake of the caches. */
static void mirror(ki_mat upper, ki_mat lower, int diagonal)
{
    enum { SQUARE = 32 };
    for (int64_t a = 0; a < lower.rows; a += SQUARE)
        for (int64_t b = 0; b < lower.cols; b += SQUARE)
            for (int64_t i = a; i < KI_MIN(a + SQUARE, lower.rows); i++)
                for (int64_t j = b; j < KI_MIN(b + SQUARE, diagonal ? i : lower.cols); j++)
                    upper.at[j * upper.ld + i] = lower.at[i * lower.ld + j];
}

static kith_err mirror_tiles(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct tiles *t = arg;
    (void)worker;
    for (int64_t p = begin; p < end; p++) {
        int64_t i, j;
        pair(p, &i, &j);
        mirror(tile(t, j, i), tile(t, i, j), i == j);
    }
    return KITH_OK;
}

kith_err ki_spd_inverse(float *A, int64_t n, const char *what, ki_job *job)
{
    kith_err (*const sweeps[])(struct tiles *, ki_pool *) = { factor_step, invert_step,
                                                              square_step };
    struct tiles t = { .A = A, .n = n, .count = (n + TILE - 1) / TILE };
    const int64_t total = (int64_t)KI_COUNT(sweeps) * t.count;
    kith_err err;
    ki_blas_single();
    for (size_t s = 0; s < KI_COUNT(sweeps); s++)
        for (t.k = 0; t.k < t.count; t.k++) {
            if ((err = sweeps[s](&t, job->pool)) != KITH_OK) return err;
            err = ki_job_step(job, what, (int64_t)s * t.count + t.k + 1, total);
            if (err != KITH_OK) return err;
        }
    return ki_parallel_for(job->pool, n_pairs(t.count), 1, mirror_tiles, &t);
}
