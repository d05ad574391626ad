/* SPDX-License-Identifier: MIT
 * Factor, solve, and the tiled inverse: P A = I, bits, refusals.  The kernels themselves: test_simd.c.
 */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "math/cholesky.h"

#include <stdlib.h>

/* A = n I + a random symmetric matrix of entries in (-1, 1): eigenvalues between n/2 and 3n/2. */
static float *definite(int64_t n)
{
    float *A = calloc((size_t)(n * n), sizeof *A);
    ki_rng r = ki_rng_make(3, 0, 0);
    ck_assert(A != NULL);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < i; j++) A[i * n + j] = A[j * n + i] = (float)(ki_rng_unit(&r) - 0.5);
        A[i * n + i] = (float)n;
    }
    return A;
}

/* The worst |(P A - I)[i, j]| over some rows. */
static double worst_of_product(const float *P, const float *A, int64_t n)
{
    double worst = 0;
    for (int64_t i = 0; i<n; i += n> 300 ? 37 : 1)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t t = 0; t < n; t++) sum += (double)P[i * n + t] * A[t * n + j];
            worst = fmax(worst, fabs(sum - (i == j)));
        }
    return worst;
}

TEST(chol_of_two_by_two_by_hand)
{
    /* [5 2; 2 4] = L'L with L = [2 0; 1 2]: 4 + 1, 1 * 2, 2 * 2 */
    float A[4] = { 5, 9, 2, 4 }, b[2] = { 9, 10 }; /* the 9 above the diagonal is not read */
    CHECK_INT(ki_chol_factor(A, 2), 0);
    CHECK_NEAR(A[0], 0.5, 1e-7); /* one rounding */
    CHECK_NEAR(A[2], 1, 1e-7);
    CHECK_NEAR(A[3], 0.5, 1e-7);
    ki_chol_solve(A, b, 2); /* 5 x + 2 y = 9, 2 x + 4 y = 10: x = 1, y = 2 */
    CHECK_NEAR(b[0], 1, 1e-6);
    CHECK_NEAR(b[1], 2, 1e-6);
}

TEST(inverse_times_the_matrix_is_one)
{
    const int64_t sizes[] = { 0, 1, 2, 40, 511, 512, 513, 1100 };
    ki_job job = { 0 };
    CHECK_OK(ki_pool_new(2, &job.pool));
    for (size_t s = 0; s < KI_COUNT(sizes); s++) {
        const int64_t n = sizes[s];
        float *A = definite(n), *P = definite(n);
        CHECK_OK(ki_spd_inverse(P, n, "invert", &job));
        /* condition below 3: floats lose about condition * 2^-24 * sqrt(n) */
        CHECK_NEAR(worst_of_product(P, A, n), 0, 3e-6);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < i; j++) CHECK(P[i * n + j] == P[j * n + i]);
        free(A), free(P);
    }
    ki_pool_free(job.pool);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(inverse_reads_the_lower_triangle_only_and_has_the_same_bits_for_1_and_5_threads)
{
    const int64_t n = 1300;
    float *one = definite(n), *five = definite(n);
    ki_job job = { 0 };
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++) five[i * n + j] = NAN;
    CHECK_OK(ki_spd_inverse(one, n, "invert", &job));
    CHECK_OK(ki_pool_new(5, &job.pool));
    CHECK_OK(ki_spd_inverse(five, n, "invert", &job));
    CHECK(memcmp(one, five, (size_t)(n * n) * sizeof *one) == 0);
    ki_pool_free(job.pool);
    free(one), free(five);
}

TEST(inverse_of_what_is_not_definite_is_refused_with_its_row)
{
    const int64_t n = 700;
    float *A = definite(n);
    ki_job job = { 0 };
    A[600 * n + 600] = -1;
    CHECK_FAILS(ki_spd_inverse(A, n, "invert", &job), KITH_EDATA, "not positive definite at row 600");
    free(A);
}

TEST(inverse_tells_its_steps_and_stops_when_cancelled)
{
    float *A = definite(600);
    ki_job job = { 0 };
    job.cancel = 1;
    CHECK_FAILS(ki_spd_inverse(A, 600, "fit ease", &job), KITH_ECANCELED, "fit ease was cancelled");
    free(A);
}
