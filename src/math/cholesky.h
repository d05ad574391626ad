/* SPDX-License-Identifier: MIT
 * cholesky.h -- symmetric positive definite systems: one small one per worker, and the inverse of a
 * large one over the pool
 */
#ifndef KI_CHOLESKY_H
#define KI_CHOLESKY_H

#include "base/job.h"

#include <stdint.h>

/* A = L'L in place; A is [d, d], only its lower triangle is read and written.  Not the textbook's
 * LL': it runs from the last row up, and the diagonal holds 1 / L[k, k].  0, or 1 + the pivot that
 * is not positive (A is then spoilt).  Never allocates; one system per thread. */
int64_t ki_chol_factor(float *A, int64_t d);

/* b = A^-1 b with the L of ki_chol_factor. */
void ki_chol_solve(const float *L, float *b, int64_t d);

/* A = A^-1 in place; A is [n, n] row-major, its lower triangle is read and the whole is written.
 * n^3 FLOP over the job's pool, the same bits for any number of threads; no memory beyond A.
 * Steps are told as `what`.  KITH_EDATA when A is not positive definite, KITH_ECANCELED; A is then
 * spoilt. */
kith_err ki_spd_inverse(float *A, int64_t n, const char *what, ki_job *job);

#endif
