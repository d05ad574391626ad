/* SPDX-License-Identifier: MIT
 * blas.c -- row-major calls on top of CBLAS and of LAPACK's Fortran symbols
 *
 * LAPACK reads columns first, so that our lower triangle is its upper one: A = LL' by rows is
 * A = U'U by columns, and L'L by rows is UU' by columns.
 */
#include "math/blas.h"

#include "base/mem.h"

#include <cblas.h>
#include <pthread.h>

/* OpenBLAS has them; with another BLAS they are NULL. */
extern int openblas_get_num_threads(void) __attribute__((weak));
extern void openblas_set_num_threads(int n) __attribute__((weak));

extern void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info);
extern void strtri_(const char *uplo, const char *diag, const int *n, float *a, const int *lda,
                    int *info);
extern void slauum_(const char *uplo, const int *n, float *a, const int *lda, int *info);
extern void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda,
                    double *w, double *work, const int *lwork, int *iwork, const int *liwork,
                    int *info);

static void use_one_thread(void)
{
    if (openblas_get_num_threads == NULL || openblas_set_num_threads == NULL) return;
    if (openblas_get_num_threads() != 1)
        openblas_set_num_threads(1); /* it would start threads that a program has ended */
}

void ki_blas_single(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, use_one_thread);
}

static CBLAS_TRANSPOSE trans(ki_op op)
{
    return op == KI_TRANSPOSED ? CblasTrans : CblasNoTrans;
}

static CBLAS_SIDE which(ki_side side)
{
    return side == KI_LEFT ? CblasLeft : CblasRight;
}

void ki_gemm(ki_mat C, float alpha, ki_mat A, ki_op op_a, ki_mat B, ki_op op_b)
{
    const int64_t depth = op_a == KI_PLAIN ? A.cols : A.rows;
    cblas_sgemm(CblasRowMajor, trans(op_a), trans(op_b), (int)C.rows, (int)C.cols, (int)depth,
                alpha, A.at, (int)A.ld, B.at, (int)B.ld, 1, C.at, (int)C.ld);
}

void ki_syrk(ki_mat C, float alpha, ki_mat A, ki_op op)
{
    const int64_t depth = op == KI_PLAIN ? A.cols : A.rows;
    cblas_ssyrk(CblasRowMajor, CblasLower, trans(op), (int)C.rows, (int)depth, alpha, A.at,
                (int)A.ld, 1, C.at, (int)C.ld);
}

void ki_trsm(ki_mat B, float alpha, ki_mat L, ki_side side, ki_op op)
{
    cblas_strsm(CblasRowMajor, which(side), CblasLower, trans(op), CblasNonUnit, (int)B.rows,
                (int)B.cols, alpha, L.at, (int)L.ld, B.at, (int)B.ld);
}

void ki_trmm(ki_mat B, ki_mat L, ki_side side, ki_op op)
{
    cblas_strmm(CblasRowMajor, which(side), CblasLower, trans(op), CblasNonUnit, (int)B.rows,
                (int)B.cols, 1, L.at, (int)L.ld, B.at, (int)B.ld);
}

int64_t ki_potrf(ki_mat A)
{
    const int n = (int)A.rows, ld = (int)A.ld;
    int info = 0;
    spotrf_("U", &n, A.at, &ld, &info);
    return info;
}

void ki_trtri(ki_mat L)
{
    const int n = (int)L.rows, ld = (int)L.ld;
    int info = 0;
    strtri_("U", "N", &n, L.at, &ld, &info);
}

void ki_lauum(ki_mat L)
{
    const int n = (int)L.rows, ld = (int)L.ld;
    int info = 0;
    slauum_("U", &n, L.at, &ld, &info);
}

void ki_gemm64(ki_mat64 C, double alpha, ki_mat64 A, ki_op op_a, ki_mat64 B, ki_op op_b,
               double beta)
{
    const int64_t depth = op_a == KI_PLAIN ? A.cols : A.rows;
    cblas_dgemm(CblasRowMajor, trans(op_a), trans(op_b), (int)C.rows, (int)C.cols, (int)depth,
                alpha, A.at, (int)A.ld, B.at, (int)B.ld, beta, C.at, (int)C.ld);
}

kith_err ki_eigh64(double *A, int64_t n, double *w)
{
    const int order = (int)n, lwork = (int)(1 + 6 * n + 2 * n * n), liwork = (int)(3 + 5 * n);
    double *work = NULL;
    int *iwork = NULL, info = 0;
    kith_err err;
    if (n == 0) return KITH_OK;
    if (n > 16384)
        return ki_fail(KITH_EINVAL, "%lld eigenvectors, want 16384 at most", (long long)n);
    ki_blas_single();
    if ((err = ki_alloc(&work, (size_t)lwork, sizeof *work)) != KITH_OK) goto done;
    if ((err = ki_alloc(&iwork, (size_t)liwork, sizeof *iwork)) != KITH_OK) goto done;
    dsyevd_("V", "U", &order, A, &order, w, work, &lwork, iwork, &liwork, &info);
    if (info != 0)
        err = ki_fail(KITH_EDATA, "the eigenvalues of a matrix of order %lld were not found",
                      (long long)n);
done:
    ki_free(work);
    ki_free(iwork);
    return err;
}
