/* SPDX-License-Identifier: MIT
 * svd.c -- truncated SVD of a sparse matrix, by a dense Gram matrix or a block Krylov space
 *
 * Paper      Halko, Martinsson, Tropp, Finding Structure with Randomness, SIAM Review 2011;
 *            Musco, Musco, Randomized Block Krylov Methods for Stronger and Faster Approximate SVD,
 *            NIPS 2015
 * Method     B is A or A', whichever has fewer columns (N), and C = B'B.  The eigenvectors of C are
 *            found in the space K = span(O, CO, ..., C^q O), O random [N, l], l = k + oversampling:
 *                W = C Q_j;   T_ij = Q_i' W for i <= j;   Q_{j+1} = orth(W - sum_i Q_i T_ij)
 *            The eigenvalues of T are the squares of singular values, Q times its eigenvectors the
 *            vectors.  When N is small or K would fill it, C itself takes the place of T.
 * orth       W (W'W)^-1/2 by eigenvectors, twice; directions that rounding made are dropped (0).
 * Cost       time 2 (q + 1) nnz l + 4 N s^2 + 10 s^3, memory 8 (N s + M l) bytes, s = l (q + 1)
 * Bits       All in double.  Sums over N are kept in 16 slots and added in order.
 * Checked    test_svd.c: against the dense decomposition, planted values, 1 = 5 threads
 */
#include "math/svd.h"

#include "base/mem.h"
#include "base/rng.h"
#include "math/blas.h"

#include <math.h>
#include <string.h>

enum {
    DENSE = 1024, /* shorter sides up to this are decomposed whole: about a second */
    SLOTS = 16,
    ROWS = 256, /* rows multiplied at a time in place */
};

struct krylov {
    const ki_sparse *B, *Bt; /* [M, N] and its transpose */
    ki_pool *pool;
    uint64_t seed;
    int64_t N, M, l, s, ld; /* ld = s + l: W lies beyond the last block of Q */
    int64_t have;           /* columns of Q so far, W after them */
    int64_t chunk;          /* rows of a slot */
    double *Q;              /* [N, ld] */
    double *Z;              /* [M, l] */
    double *T;              /* [s, s] */
    double *w;              /* [max(s, l)] eigenvalues */
    double *part;           /* [SLOTS, s + l, l] */
    double *G;              /* [s + l, l] */
    double *F;              /* [l, l] */
    double *rows;           /* [workers, ROWS, l] */
};

/* ---- products with C = B'B ---- */

/* out[r, 0..l) = sum over row r of A: val * X[col, 0..l) */
static void multiply_row(const ki_sparse *A, int64_t r, const double *X, int64_t ldx, int64_t l,
                         double *out)
{
    for (int64_t c = 0; c < l; c++) out[c] = 0;
    for (int64_t t = A->ptr[r]; t < A->ptr[r + 1]; t++) {
        const double *restrict x = X + A->idx[t] * ldx;
        const double v = A->val[t];
        for (int64_t c = 0; c < l; c++) out[c] += v * x[c];
    }
}

static kith_err forward(void *arg, int64_t begin, int64_t end, int worker) /* Z = B Q_last */
{
    const struct krylov *y = arg;
    (void)worker;
    for (int64_t r = begin; r < end; r++)
        multiply_row(y->B, r, y->Q + y->have - y->l, y->ld, y->l, y->Z + r * y->l);
    return KITH_OK;
}

static kith_err backward(void *arg, int64_t begin, int64_t end, int worker) /* W = B'Z */
{
    const struct krylov *y = arg;
    (void)worker;
    for (int64_t r = begin; r < end; r++)
        multiply_row(y->Bt, r, y->Z, y->l, y->l, y->Q + r * y->ld + y->have);
    return KITH_OK;
}

/* ---- tall matrices ---- */

static ki_mat64 rows_of(const struct krylov *y, int64_t begin, int64_t end, int64_t col, int64_t n)
{
    return (ki_mat64){ y->Q + begin * y->ld + col, end - begin, n, y->ld };
}

static kith_err part_of_gram(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct krylov *y = arg;
    const int64_t n = y->have + y->l;
    double *part = y->part + begin / y->chunk * n * y->l;
    (void)worker;
    ki_gemm64((ki_mat64){ part, n, y->l, y->l }, 1, rows_of(y, begin, end, 0, n), KI_TRANSPOSED,
              rows_of(y, begin, end, y->have, y->l), KI_PLAIN, 0);
    return KITH_OK;
}

/* G = [Q W]'W: the last l rows are W'W. */
static kith_err gram(struct krylov *y)
{
    const int64_t size = (y->have + y->l) * y->l;
    const kith_err err = ki_parallel_for(y->pool, y->N, y->chunk, part_of_gram, y);
    if (err != KITH_OK) return err;
    memset(y->G, 0, (size_t)size * sizeof *y->G);
    for (int64_t c = 0; c * y->chunk < y->N; c++)
        for (int64_t j = 0; j < size; j++) y->G[j] += y->part[c * size + j];
    return KITH_OK;
}

static kith_err subtract(void *arg, int64_t begin, int64_t end, int worker) /* W -= Q G */
{
    const struct krylov *y = arg;
    (void)worker;
    ki_gemm64(rows_of(y, begin, end, y->have, y->l), -1, rows_of(y, begin, end, 0, y->have),
              KI_PLAIN, (ki_mat64){ y->G, y->have, y->l, y->l }, KI_PLAIN, 1);
    return KITH_OK;
}

static kith_err transform(void *arg, int64_t begin, int64_t end, int worker) /* W = W F' */
{
    const struct krylov *y = arg;
    double *rows = y->rows + worker * ROWS * y->l;
    for (int64_t r = begin; r < end; r += ROWS) {
        const int64_t n = KI_MIN((int64_t)ROWS, end - r);
        for (int64_t j = 0; j < n; j++)
            memcpy(rows + j * y->l, y->Q + (r + j) * y->ld + y->have, (size_t)y->l * sizeof *rows);
        ki_gemm64(rows_of(y, r, r + n, y->have, y->l), 1, (ki_mat64){ rows, n, y->l, y->l },
                  KI_PLAIN, (ki_mat64){ y->F, y->l, y->l, y->l }, KI_TRANSPOSED, 0);
    }
    return KITH_OK;
}

/* W = W (W'W)^-1/2, but columns of 0 for directions shorter than `least` or than 1e-6.5 of the
 * longest. */
static kith_err orthonormalise(struct krylov *y, double least)
{
    const int64_t l = y->l;
    kith_err err;
    for (int pass = 0; pass < 2; pass++) {
        if ((err = gram(y)) != KITH_OK) return err;
        memcpy(y->F, y->G + y->have * l, (size_t)(l * l) * sizeof *y->F);
        if ((err = ki_eigh64(y->F, l, y->w)) != KITH_OK) return err;
        for (int64_t c = 0; c < l; c++) {
            const int keep = y->w[c] > 1e-13 * y->w[l - 1] && y->w[c] > least * least;
            const double scale = keep ? 1 / sqrt(y->w[c]) : 0;
            for (int64_t j = 0; j < l; j++) y->F[c * l + j] *= scale;
        }
        if ((err = ki_parallel_for(y->pool, y->N, y->chunk, transform, y)) != KITH_OK) return err;
        least = 0.5; /* what was kept has length 1 now */
    }
    return KITH_OK;
}

/* ---- the Krylov space ---- */

static kith_err random_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct krylov *y = arg;
    (void)worker;
    for (int64_t r = begin; r < end; r++) {
        ki_rng rng = ki_rng_make(y->seed, 0x5d, (uint64_t)r);
        for (int64_t c = 0; c < y->l; c++) y->Q[r * y->ld + c] = ki_rng_normal(&rng);
    }
    return KITH_OK;
}

static kith_err start(struct krylov *y)
{
    const kith_err err = ki_parallel_for(y->pool, y->N, y->chunk, random_rows, y);
    return err != KITH_OK ? err : orthonormalise(y, 0);
}

/* W = C Q_last, its column of T, and (if there is room) the next block of Q. */
static kith_err extend(struct krylov *y, int last)
{
    const int64_t l = y->l, old = y->have - l;
    double length = 0;
    kith_err err;
    if ((err = ki_parallel_for(y->pool, y->M, 256, forward, y)) != KITH_OK) return err;
    if ((err = ki_parallel_for(y->pool, y->N, 256, backward, y)) != KITH_OK) return err;
    if ((err = gram(y)) != KITH_OK) return err;
    for (int64_t i = 0; i < y->have; i++)
        for (int64_t c = 0; c < l; c++)
            y->T[i * y->s + old + c] = y->T[(old + c) * y->s + i] = y->G[i * l + c];
    if (last) return KITH_OK;
    for (int64_t c = 0; c < l; c++) length += y->G[(y->have + c) * l + c];
    if ((err = ki_parallel_for(y->pool, y->N, y->chunk, subtract, y)) != KITH_OK) return err;
    if ((err = gram(y)) != KITH_OK) return err; /* twice is enough */
    if ((err = ki_parallel_for(y->pool, y->N, y->chunk, subtract, y)) != KITH_OK) return err;
    return orthonormalise(y, 1e-10 * sqrt(length));
}

static kith_err alloc(struct krylov *y)
{
    const size_t N = (size_t)y->N, l = (size_t)y->l, s = (size_t)y->s, ld = (size_t)y->ld;
    const size_t workers = (size_t)ki_pool_size(y->pool);
    kith_err err;
    if ((err = ki_alloc(&y->Q, N, ld * sizeof *y->Q)) != KITH_OK) return err;
    if ((err = ki_alloc(&y->Z, (size_t)y->M, l * sizeof *y->Z)) != KITH_OK) return err;
    if ((err = ki_alloc(&y->T, s, s * sizeof *y->T)) != KITH_OK) return err;
    if ((err = ki_alloc(&y->w, s, sizeof *y->w)) != KITH_OK) return err;
    if ((err = ki_alloc(&y->part, SLOTS * ld, l * sizeof *y->part)) != KITH_OK) return err;
    if ((err = ki_alloc(&y->G, ld, l * sizeof *y->G)) != KITH_OK) return err;
    if ((err = ki_alloc(&y->F, l, l * sizeof *y->F)) != KITH_OK) return err;
    return ki_alloc(&y->rows, workers * ROWS, l * sizeof *y->rows);
}

static void clear(struct krylov *y)
{
    ki_free(y->Q);
    ki_free(y->Z);
    ki_free(y->T);
    ki_free(y->w);
    ki_free(y->part);
    ki_free(y->G);
    ki_free(y->F);
    ki_free(y->rows);
}

/* V[N, k] = Q E', E the eigenvectors of the k largest eigenvalues, largest first. */
struct lift {
    const struct krylov *y;
    const double *E; /* [k, s] */
    double *V;
    int64_t k;
};

static kith_err lift(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct lift *f = arg;
    (void)worker;
    ki_gemm64((ki_mat64){ f->V + begin * f->k, end - begin, f->k, f->k }, 1,
              rows_of(f->y, begin, end, 0, f->y->s), KI_PLAIN,
              (ki_mat64){ (double *)f->E, f->k, f->y->s, f->y->s }, KI_TRANSPOSED, 0);
    return KITH_OK;
}

/* lambda[k] falling; rows of E[n, n], whose eigenvalues w[n] rise, are put in that order. */
static void largest_first(double *E, const double *w, int64_t n, int64_t k, double *lambda)
{
    for (int64_t j = 0; j < n / 2; j++)
        for (int64_t c = 0; c < n; c++) {
            const double x = E[j * n + c];
            E[j * n + c] = E[(n - 1 - j) * n + c];
            E[(n - 1 - j) * n + c] = x;
        }
    for (int64_t j = 0; j < k; j++) lambda[j] = w[n - 1 - j];
}

static kith_err by_krylov(const ki_sparse *B, const ki_sparse *Bt, const ki_svd_options *o,
                          ki_job *job, double *lambda, double *V)
{
    const int64_t l = o->k + o->n_oversample, s = l * (o->n_iter + 1);
    struct krylov y = { .B = B, .Bt = Bt, .pool = job->pool, .seed = job->seed, .N = B->n_cols };
    kith_err err;
    y.M = B->n_rows;
    y.l = l;
    y.s = s;
    y.ld = s + l;
    y.chunk = KI_MAX((int64_t)ROWS, (y.N + SLOTS - 1) / SLOTS);
    if ((err = alloc(&y)) != KITH_OK) goto done;
    if ((err = start(&y)) != KITH_OK) goto done;
    for (int32_t j = 0; j <= o->n_iter; j++) {
        y.have += l;
        if ((err = extend(&y, j == o->n_iter)) != KITH_OK) goto done;
        if ((err = ki_job_step(job, o->what, j + 1, o->n_iter + 1)) != KITH_OK) goto done;
    }
    if ((err = ki_eigh64(y.T, s, y.w)) != KITH_OK) goto done;
    largest_first(y.T, y.w, s, o->k, lambda);
    struct lift f = { .y = &y, .E = y.T, .V = V, .k = o->k };
    err = ki_parallel_for(y.pool, y.N, y.chunk, lift, &f);
done:
    clear(&y);
    return err;
}

/* ---- the dense way ---- */

struct dense {
    const ki_sparse *B, *Bt;
    double *C; /* [N, N] */
};

static kith_err dense_rows(void *arg, int64_t begin, int64_t end, int worker) /* C = B'B */
{
    const struct dense *d = arg;
    const int64_t N = d->B->n_cols;
    (void)worker;
    for (int64_t i = begin; i < end; i++)
        for (int64_t t = d->Bt->ptr[i]; t < d->Bt->ptr[i + 1]; t++) {
            const int32_t r = d->Bt->idx[t];
            const double v = d->Bt->val[t];
            for (int64_t e = d->B->ptr[r]; e < d->B->ptr[r + 1]; e++)
                d->C[i * N + d->B->idx[e]] += v * d->B->val[e];
        }
    return KITH_OK;
}

static kith_err by_dense(const ki_sparse *B, const ki_sparse *Bt, const ki_svd_options *o,
                         ki_job *job, double *lambda, double *V)
{
    const int64_t N = B->n_cols;
    struct dense d = { .B = B, .Bt = Bt };
    double *w = NULL;
    kith_err err;
    if ((err = ki_alloc(&d.C, (size_t)N, (size_t)N * sizeof *d.C)) != KITH_OK) goto done;
    if ((err = ki_alloc(&w, (size_t)N, sizeof *w)) != KITH_OK) goto done;
    if ((err = ki_parallel_for(job->pool, N, 16, dense_rows, &d)) != KITH_OK) goto done;
    if ((err = ki_job_step(job, o->what, 0, 1)) != KITH_OK) goto done;
    if ((err = ki_eigh64(d.C, N, w)) != KITH_OK) goto done;
    largest_first(d.C, w, N, o->k, lambda);
    for (int64_t i = 0; i < N; i++)
        for (int64_t j = 0; j < o->k; j++) V[i * o->k + j] = d.C[j * N + i];
    err = ki_job_step(job, o->what, 1, 1);
done:
    ki_free(d.C);
    ki_free(w);
    return err;
}

/* ---- the other side, rank and signs ---- */

struct across {
    const ki_sparse *At;
    const double *U, *sigma;
    double *V;
    int64_t k;
};

static kith_err across_rows(void *arg, int64_t begin, int64_t end, int worker) /* V = A'U S^-1 */
{
    const struct across *x = arg;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        double *v = x->V + i * x->k;
        multiply_row(x->At, i, x->U, x->k, x->k, v);
        for (int64_t j = 0; j < x->k; j++) v[j] = x->sigma[j] > 0 ? v[j] / x->sigma[j] : 0;
    }
    return KITH_OK;
}

/* From eigenvalues of C to singular values.  An eigenvalue carries an error of about N eps times
 * the largest, so singular values below 1e-7 of the first say nothing: they are 0. */
static void take_roots(double *sigma, int64_t k)
{
    for (int64_t j = k - 1; j >= 0; j--)
        sigma[j] = sigma[j] > 1e-14 * sigma[0] && sigma[0] > 0 ? sqrt(sigma[j]) : 0;
}

static void fix_columns(const double *sigma, double *V, int64_t n, int64_t k)
{
    for (int64_t j = 0; j < k; j++) {
        double top = 0;
        for (int64_t i = 0; i < n; i++)
            if (fabs(V[i * k + j]) > fabs(top)) top = V[i * k + j];
        const double sign = sigma[j] <= 0 ? 0 : top < 0 ? -1 : 1;
        for (int64_t i = 0; i < n; i++) V[i * k + j] *= sign;
    }
}

static int is_dense(int64_t N, const ki_svd_options *o)
{
    return N <= DENSE || (int64_t)(o->k + o->n_oversample) * (o->n_iter + 2) >= N;
}

kith_err ki_svd_truncated(const ki_sparse *a, const ki_sparse *at, const ki_svd_options *options,
                          ki_job *job, double *sigma, double *V)
{
    const ki_svd_options *o = options;
    const int wide = a->n_cols > a->n_rows;
    const ki_sparse *B = wide ? at : a, *Bt = wide ? a : at;
    double *U = NULL;
    kith_err err;
    if (o->k < 1 || o->k > B->n_cols || o->n_iter < 0 || o->n_oversample < 0)
        return ki_fail(KITH_EINVAL, "%d singular values of a matrix of %d by %d, want 1 to %d",
                       o->k, a->n_rows, a->n_cols, B->n_cols);
    ki_blas_single();
    if (wide && (err = ki_alloc(&U, (size_t)B->n_cols, (size_t)o->k * sizeof *U)) != KITH_OK)
        return err;
    err = (is_dense(B->n_cols, o) ? by_dense : by_krylov)(B, Bt, o, job, sigma, wide ? U : V);
    if (err == KITH_OK) take_roots(sigma, o->k);
    if (err == KITH_OK && wide) {
        struct across x = { .At = at, .U = U, .sigma = sigma, .V = V, .k = o->k };
        err = ki_parallel_for(job->pool, a->n_cols, 256, across_rows, &x);
    }
    if (err == KITH_OK) fix_columns(sigma, V, a->n_cols, o->k);
    ki_free(U);
    return err;
}

size_t ki_svd_memory(int32_t n_rows, int32_t n_cols, const ki_svd_options *o)
{
    const double N = KI_MIN(n_rows, n_cols), M = KI_MAX(n_rows, n_cols);
    const double l = o->k + o->n_oversample, s = l * (o->n_iter + 1);
    const double dense = 3 * N * N, krylov = N * (s + l) + M * l + 3 * s * s + SLOTS * (s + l) * l;
    return (size_t)(8 * ((is_dense((int64_t)N, o) ? dense : krylov) + N * o->k));
}
