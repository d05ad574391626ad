/* SPDX-License-Identifier: MIT
 * Truncated SVD: values that are known, the dense way against the randomised one, and bits.
 */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "data/csr.h"
#include "math/svd.h"

#include <stdlib.h>

struct matrix {
    ki_csr a, at;
    ki_sparse rows, cols;
};

static ki_sparse lend(const ki_csr *a)
{
    return (ki_sparse){ a->n_rows, a->n_cols, a->ptr, a->idx, a->val };
}

static struct matrix from_triplets(int32_t m, int32_t n, int64_t nnz, const int32_t *row, const int32_t *col,
                                   const float *val)
{
    struct matrix x = { 0 };
    CHECK_OK(ki_csr_from_triplets(&x.a, m, n, nnz, row, col, val, NULL));
    CHECK_OK(ki_csr_transpose(&x.at, &x.a));
    x.rows = lend(&x.a);
    x.cols = lend(&x.at);
    return x;
}

/* A sparse matrix of taste and noise: item popularity falls as a power, values 1 to 5. */
static struct matrix random_matrix(int32_t m, int32_t n, int per_row, uint64_t seed)
{
    int32_t *row = calloc((size_t)(m * per_row), sizeof *row), *col = calloc((size_t)(m * per_row), sizeof *col);
    float *val = calloc((size_t)(m * per_row), sizeof *val);
    int64_t nnz = 0;
    ck_assert(row != NULL && col != NULL && val != NULL);
    ki_rng r = ki_rng_make(seed, 0, 0);
    for (int32_t u = 0; u < m; u++)
        for (int t = 0; t < per_row; t++) {
            const double x = ki_rng_unit(&r);
            row[nnz] = u;
            col[nnz] = (int32_t)((double)n * x * x * x); /* cells may repeat: their values add up */
            val[nnz++] = (float)(1 + ki_rng_below(&r, 5));
        }
    const struct matrix out = from_triplets(m, n, nnz, row, col, val);
    free(row), free(col), free(val);
    return out;
}

static void end(struct matrix *x)
{
    ki_csr_clear(&x->a);
    ki_csr_clear(&x->at);
    CHECK_INT(ki_alloc_live(), 0);
}

/* 4 0 5 0 / 0 3 0 2 / 5 4 0 3 */
static struct matrix example(void)
{
    static const int32_t row[] = { 0, 0, 1, 1, 2, 2, 2 }, col[] = { 0, 2, 1, 3, 0, 1, 3 };
    static const float val[] = { 4, 5, 3, 2, 5, 4, 3 };
    return from_triplets(3, 4, 7, row, col, val);
}

/* Sum over (i, j) of (A'A - V S^2 V')[i, j] V[j, c] is 0 for an eigenvector: returns the worst |A'A v - s^2 v|. */
static double worst_residual(const struct matrix *x, const double *sigma, const double *V, int k)
{
    double worst = 0, *z = calloc((size_t)x->a.n_rows, sizeof *z);
    ck_assert(z != NULL);
    for (int c = 0; c < k; c++) {
        double sum = 0;
        for (int32_t u = 0; u < x->a.n_rows; u++) {
            z[u] = 0;
            for (int64_t t = x->a.ptr[u]; t < x->a.ptr[u + 1]; t++)
                z[u] += x->a.val[t] * V[(int64_t)x->a.idx[t] * k + c];
        }
        for (int32_t i = 0; i < x->a.n_cols; i++) {
            double w = 0;
            for (int64_t t = x->at.ptr[i]; t < x->at.ptr[i + 1]; t++) w += x->at.val[t] * z[x->at.idx[t]];
            w -= sigma[c] * sigma[c] * V[(int64_t)i * k + c];
            sum += w * w;
        }
        worst = fmax(worst, sqrt(sum));
    }
    free(z);
    return worst;
}

static void check_orthonormal(const double *V, int32_t n, int k, double tol)
{
    for (int a = 0; a < k; a++)
        for (int b = 0; b <= a; b++) {
            double sum = 0;
            for (int32_t i = 0; i < n; i++) sum += V[(int64_t)i * k + a] * V[(int64_t)i * k + b];
            CHECK_NEAR(sum, a == b, tol);
        }
}

TEST(svd_of_the_three_by_four_example_has_its_trace_and_determinant)
{
    struct matrix x = example();
    ki_job job = { 0 };
    double sigma[3], V[12];
    CHECK_OK(ki_svd_truncated(&x.rows, &x.cols, &(ki_svd_options){ .k = 3, .what = "svd" }, &job, sigma, V));
    /* trace and determinant of AA' = [41 0 20; 0 13 18; 20 18 50], by hand */
    CHECK_NEAR(sigma[0] * sigma[0] + sigma[1] * sigma[1] + sigma[2] * sigma[2], 104, 1e-10);
    CHECK_NEAR(sigma[0] * sigma[1] * sigma[2], sqrt(8166), 1e-10); /* det(AA') = 41 * 326 - 20 * 260 */
    check_orthonormal(V, 4, 3, 1e-12);
    CHECK_NEAR(worst_residual(&x, sigma, V, 3), 0, 1e-10);
    for (int c = 0; c < 3; c++) {
        double top = 0;
        for (int i = 0; i < 4; i++)
            if (fabs(V[i * 3 + c]) > fabs(top)) top = V[i * 3 + c];
        CHECK(top > 0);
    }
    end(&x);
}

static void check_randomised(int32_t m, int32_t n)
{
    enum { K = 20 };
    struct matrix x = random_matrix(m, n, 30, 7);
    ki_job job = { .seed = 3 };
    const int32_t shorter = KI_MIN(m, n);
    double *sigma = calloc((size_t)shorter, sizeof *sigma), got[K], *V = calloc((size_t)n * K, sizeof *V);
    double *all = calloc((size_t)n * (size_t)shorter, sizeof *all);
    ck_assert(sigma != NULL && V != NULL && all != NULL);
    const ki_svd_options whole = { .k = shorter, .what = "svd" }; /* fills the space: dense */
    CHECK_OK(ki_svd_truncated(&x.rows, &x.cols, &whole, &job, sigma, all));
    const ki_svd_options some = { .k = K, .n_iter = 8, .n_oversample = 10, .what = "svd" };
    CHECK_OK(ki_svd_truncated(&x.rows, &x.cols, &some, &job, got, V));
    for (int c = 0; c < K; c++) CHECK_NEAR(got[c] / sigma[c], 1, 1e-5); /* what svd.h is asked for */
    check_orthonormal(V, n, K, 1e-9);
    free(sigma), free(V), free(all);
    end(&x);
}

TEST(svd_randomised_finds_the_values_of_the_dense_one_when_tall)
{
    check_randomised(1900, 1300);
}

TEST(svd_randomised_finds_the_values_of_the_dense_one_when_wide)
{
    check_randomised(1200, 1700);
}

TEST(svd_gives_the_same_bits_for_1_and_5_threads)
{
    enum { K = 8, M = 3000, N = 2000 };
    struct matrix x = random_matrix(M, N, 10, 11);
    static double V1[N * K], V5[N * K], s1[K], s5[K];
    const ki_svd_options o = { .k = K, .n_iter = 4, .n_oversample = 8, .what = "svd" };
    ki_job job = { .seed = 9 };
    CHECK_OK(ki_svd_truncated(&x.rows, &x.cols, &o, &job, s1, V1));
    CHECK_OK(ki_pool_new(5, &job.pool));
    CHECK_OK(ki_svd_truncated(&x.rows, &x.cols, &o, &job, s5, V5));
    ki_pool_free(job.pool);
    CHECK(memcmp(s1, s5, sizeof s1) == 0);
    CHECK(memcmp(V1, V5, sizeof V1) == 0);
    end(&x);
}

/* Rank 2 in a matrix that is too large for the dense way: a Krylov space that is soon exhausted. */
TEST(svd_beyond_the_rank_is_zero)
{
    enum { M = 1500, N = 1400, K = 5 };
    static int32_t row[2 * M], col[2 * M];
    static float val[2 * M];
    static double V[N * K];
    double sigma[K];
    int64_t nnz = 0;
    for (int32_t u = 0; u < M; u++) { /* even rows are 3 e_0, odd ones 4 e_1 */
        row[nnz] = u;
        col[nnz] = u % 2;
        val[nnz++] = u % 2 == 0 ? 3 : 4;
    }
    struct matrix x = from_triplets(M, N, nnz, row, col, val);
    ki_job job = { 0 };
    const ki_svd_options o = { .k = K, .n_iter = 6, .n_oversample = 5, .what = "svd" };
    CHECK_OK(ki_svd_truncated(&x.rows, &x.cols, &o, &job, sigma, V));
    CHECK_NEAR(sigma[0], 4 * sqrt(M / 2), 1e-8);
    CHECK_NEAR(sigma[1], 3 * sqrt(M / 2), 1e-8);
    CHECK_NEAR(V[1 * K + 0], 1, 1e-9);
    CHECK_NEAR(V[0 * K + 1], 1, 1e-9);
    for (int c = 2; c < K; c++) {
        CHECK(sigma[c] == 0);
        for (int i = 0; i < N; i++) CHECK(V[i * K + c] == 0);
    }
    end(&x);
}

TEST(svd_refuses_more_values_than_the_shorter_side)
{
    struct matrix x = example();
    ki_job job = { 0 };
    double sigma[4], V[16];
    CHECK_FAILS(ki_svd_truncated(&x.rows, &x.cols, &(ki_svd_options){ .k = 4, .what = "svd" }, &job, sigma, V),
                KITH_EINVAL, "want 1 to 3");
    CHECK_FAILS(ki_svd_truncated(&x.rows, &x.cols, &(ki_svd_options){ .k = 0, .what = "svd" }, &job, sigma, V),
                KITH_EINVAL, "want 1 to 3");
    end(&x);
}

TEST(svd_survives_every_refused_allocation)
{
    enum { K = 2, M = 1100, N = 1200 };
    struct matrix x = random_matrix(M, N, 3, 13);
    static double V[N * K], sigma[K];
    const ki_svd_options o = { .k = K, .n_iter = 1, .n_oversample = 2, .what = "svd" };
    const int64_t before = ki_alloc_live();
    ki_job job = { 0 };
    for (int64_t n = 1;; n++) {
        ki_alloc_fail_at(n, 0);
        const kith_err err = ki_svd_truncated(&x.rows, &x.cols, &o, &job, sigma, V);
        ki_alloc_fail_at(0, 0);
        CHECK_INT(ki_alloc_live(), before);
        if (err == KITH_OK) break;
        CHECK_INT(err, KITH_ENOMEM);
    }
    end(&x);
}

TEST(svd_stops_when_cancelled)
{
    struct matrix x = example();
    ki_job job = { 0 };
    double sigma[1], V[4];
    job.cancel = 1;
    CHECK_FAILS(ki_svd_truncated(&x.rows, &x.cols, &(ki_svd_options){ .k = 1, .what = "fit svd" }, &job, sigma, V),
                KITH_ECANCELED, "fit svd");
    end(&x);
}
