/* SPDX-License-Identifier: MIT
 * als_basis.h -- factors turned so that Y'Y is diagonal
 *
 * Turning X and Y alike changes neither their products nor their lengths, so the objective of ials.c
 * stays, and what all rows of X share, alpha0 Y'Y, costs a row d multiplications instead of d^2.
 */
#ifndef KI_ALS_BASIS_H
#define KI_ALS_BASIS_H

#include "base/job.h"

#include <stdint.h>

typedef struct ki_als_basis {
    int64_t d;
    double *A, *values; /* [d, d] eigenvectors in rows, [d] eigenvalues */
    float *V;           /* [d, d] the same eigenvectors */
    float *diagonal;    /* [d] of Y'Y: what the caller is after */
    float *arena;       /* of all workers */
} ki_als_basis;

/* On failure *b is still to be cleared. */
kith_err ki_als_basis_alloc(ki_als_basis *b, int64_t d, const ki_job *job);
void ki_als_basis_clear(ki_als_basis *b);

/* Bytes that one takes, what finding eigenvectors takes included. */
size_t ki_als_basis_memory(int64_t d);

/* X is [n_x, d], Y is [n_y, d], gram is Y'Y: all three are turned, and b->diagonal is set.  What it has below a
 * millionth of its largest is raised to that: float has no better idea of it.  The same bits for any number of threads. */
kith_err ki_als_basis_turn(ki_als_basis *b, float *X, int64_t n_x, float *Y, int64_t n_y,
                           float *gram, const ki_job *job);

#endif
