/* SPDX-License-Identifier: MIT
 * svd.h -- the k largest singular values of a sparse matrix, and the right singular vectors
 */
#ifndef KI_SVD_H
#define KI_SVD_H

#include "base/job.h" /* pool, seed, cancel */

#include <stdint.h>

/* Rows of a sparse matrix, borrowed: what a ki_csr of the floor above holds. */
typedef struct ki_sparse {
    int32_t n_rows, n_cols;
    const int64_t *ptr; /* [n_rows + 1] */
    const int32_t *idx; /* [nnz] */
    const float *val;   /* [nnz] */
} ki_sparse;

typedef struct ki_svd_options {
    int32_t k;            /* how many; at most the shorter side */
    int32_t n_iter;       /* products with A'A after the first */
    int32_t n_oversample; /* columns of a block beyond k */
    const char *what;     /* name of the work for progress: "fit svd" */
} ki_svd_options;

/* A ~ U S V'.  `a` and its transpose `at` are both read.  sigma[k] falls; V is [n_cols, k],
 * row-major.  U is not made: A V = U S.  Each column of V has its largest entry (by size, the first
 * of equals) positive.  Beyond the rank of A both sigma and V are 0.  Exact when the shorter side
 * is small, else randomised, and the job's seed decides the start; the same bits for any number of
 * threads.  KITH_EINVAL for k out of range. */
kith_err ki_svd_truncated(const ki_sparse *a, const ki_sparse *at, const ki_svd_options *options,
                          ki_job *job, double *sigma, double *V);

/* Bytes that ki_svd_truncated takes at its peak beyond its arguments. */
size_t ki_svd_memory(int32_t n_rows, int32_t n_cols, const ki_svd_options *options);

#endif
