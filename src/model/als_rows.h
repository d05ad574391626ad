/* SPDX-License-Identifier: MIT
 * als_rows.h -- half an epoch of weighted alternating least squares: all rows of X, given Y
 *
 *      row x minimises  alpha0 x'Gx + sum_t w_t (x.y_t)^2 - 2 sum_t (alpha0 + w_t) x.y_t + l |x|^2
 *      so that          x = (alpha0 G + sum_t w_t y_t y_t' + l I)^-1 sum_t (alpha0 + w_t) y_t
 *
 * with G = Y'Y, t over the row's events.  Three solvers: Cholesky, conjugate gradients in a basis
 * where G is diagonal (als_basis.h), and blocks of coordinates.
 */
#ifndef KI_ALS_ROWS_H
#define KI_ALS_ROWS_H

#include "base/job.h"
#include "data/csr.h"
#include "simd/kernels.h"

typedef enum ki_als_solver { KI_ALS_CHOLESKY, KI_ALS_CG, KI_ALS_BLOCK } ki_als_solver;

/* What rows are solved against. */
typedef struct ki_als_given {
    const ki_kernels *k;
    const float *Y;    /* [n, d] */
    const float *gram; /* [d, d] Y'Y, both triangles */
    int64_t n, d;
    float alpha0;          /* weight of what was not seen */
    const float *diagonal; /* [d] of gram where nothing else is in it (solver = cg); else NULL */
} ki_als_given;

typedef struct ki_als_row {
    const int32_t *idx; /* [n] rows of Y */
    const float *w;     /* [n] weights on top of alpha0; none is negative */
    int64_t n;
    float l; /* ridge */
} ki_als_row;

/* A = L'L of the row's whole system, [d, d].  Where rounding spoils it (l near 0) the ridge grows
 * until it does not; returns 0 when that did not help, which takes numbers that are not finite. */
int ki_als_factor(const ki_als_given *g, const ki_als_row *row, float *A);

/* x[d] exactly; A is [d, d] of scratch.  A row without events is 0. */
void ki_als_solve(const ki_als_given *g, const ki_als_row *row, float *A, float *x);

/* One side of the matrix.  The caller fills what stands above the line. */
typedef struct ki_als_side {
    ki_als_given given;
    ki_als_solver solver;
    int32_t cg_steps, block_size; /* block_size <= d */
    const ki_csr *by;             /* rows of X; columns are rows of Y */
    float *X;                     /* [n_rows, d]; cg and block start from it */
    const float *w;               /* [nnz] of by */
    const float *l;               /* [n_rows] */
    /* ---- */
    int32_t *order; /* [n_rows] */
    float *blocks;  /* solver = block: Y as [n, width] for each block in turn; else NULL */
    float *arena;   /* of all workers */
    int64_t side, rows_floats, longest, arena_floats; /* of one worker; A is [side, side] */
} ki_als_side;

/* Sort the rows and allocate scratch for every worker of the job; ki_als_side_clear frees it, after
 * failure too. */
kith_err ki_als_side_prepare(ki_als_side *s, const ki_job *job);
void ki_als_side_clear(ki_als_side *s);

/* Overwrite X.  given.gram must be that of given.Y as it stands.  Same bits for any number of
 * threads. */
kith_err ki_als_side_solve(ki_als_side *s, const ki_job *job);

#endif
