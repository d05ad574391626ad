/* SPDX-License-Identifier: MIT
 * ridge.c -- normal equations and one Cholesky factor
 */
#include "math/ridge.h"

#include "base/mem.h"
#include "math/blas.h"

#include <string.h>

kith_err ki_ridge_map(const float *T, const float *Q, int64_t n, int64_t a, int64_t b, float l2,
                      float *W)
{
    float *A = NULL;
    const kith_err err = ki_alloc(&A, (size_t)a, (size_t)a * sizeof *A);
    if (err != KITH_OK) return err;
    const ki_mat t = { (float *)(uintptr_t)T, n, a, a }, q = { (float *)(uintptr_t)Q, n, b, b };
    const ki_mat left = { A, a, a, a }, w = { W, a, b, b };
    ki_blas_single();
    for (int64_t j = 0; j < a; j++) A[j * a + j] = l2;
    memset(W, 0, (size_t)(a * b) * sizeof *W);
    ki_syrk(left, 1, t, KI_TRANSPOSED);
    ki_gemm(w, 1, t, KI_TRANSPOSED, q, KI_PLAIN);
    const int64_t bad = ki_potrf(left);
    if (bad == 0) {
        ki_trsm(w, 1, left, KI_LEFT, KI_PLAIN);
        ki_trsm(w, 1, left, KI_LEFT, KI_TRANSPOSED);
    }
    ki_free(A);
    if (bad == 0) return KITH_OK;
    return ki_fail(KITH_EDATA, "ridge: column %lld of %lld depends on others; raise the penalty",
                   (long long)bad, (long long)a);
}
