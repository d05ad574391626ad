/* SPDX-License-Identifier: MIT
 * blas.h -- the few BLAS and LAPACK calls that kith makes, typed, row-major, each on one thread
 *
 * Parallelism is ours: the pool splits work into pieces of fixed size and every piece is one call
 * here, so the bits do not depend on the number of threads.  BLAS's own threads are turned off
 * before the first call.
 */
#ifndef KI_BLAS_H
#define KI_BLAS_H

#include "base/err.h"

#include <stdint.h>

/* A rectangle of a row-major matrix. */
typedef struct ki_mat {
    float *at;
    int64_t rows, cols, ld; /* ld: floats from one row to the next */
} ki_mat;

typedef struct ki_mat64 {
    double *at;
    int64_t rows, cols, ld;
} ki_mat64;

typedef enum ki_op { KI_PLAIN, KI_TRANSPOSED } ki_op;
typedef enum ki_side { KI_LEFT, KI_RIGHT } ki_side;

/* To be called (cheap, any number of times) before a loop whose body calls BLAS. */
void ki_blas_single(void);

/* C += alpha op(A) op(B) */
void ki_gemm(ki_mat C, float alpha, ki_mat A, ki_op op_a, ki_mat B, ki_op op_b);

/* Lower triangle of C += alpha op(A) op(A)' */
void ki_syrk(ki_mat C, float alpha, ki_mat A, ki_op op);

/* B = alpha op(L)^-1 B (left) or alpha B op(L)^-1 (right); L lower triangular */
void ki_trsm(ki_mat B, float alpha, ki_mat L, ki_side side, ki_op op);

/* B = op(L) B (left) or B op(L) (right); L lower triangular */
void ki_trmm(ki_mat B, ki_mat L, ki_side side, ki_op op);

/* In place, lower triangles only.  A = LL': 0, or 1 + the pivot that is not positive. */
int64_t ki_potrf(ki_mat A);
void ki_trtri(ki_mat L); /* L = L^-1 */
void ki_lauum(ki_mat L); /* L = L'L */

/* C = alpha op(A) op(B) + beta C, in double */
void ki_gemm64(ki_mat64 C, double alpha, ki_mat64 A, ki_op op_a, ki_mat64 B, ki_op op_b,
               double beta);

/* Eigenvalues of the symmetric [n, n] A (its lower triangle is read), rising, into w[n]; row j of A
 * becomes the unit eigenvector of w[j].  KITH_ENOMEM for its workspace; KITH_EDATA when it does not
 * converge, as with values that are not finite. */
kith_err ki_eigh64(double *A, int64_t n, double *w);

#endif
