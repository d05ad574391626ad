/* SPDX-License-Identifier: MIT
 * top_product.h -- the product of two sparse matrices, the largest entries of each row
 *
 * Cost       multiply-adds: sum over entries (i, u) of A of the length of row u of B.  Memory: the
 *            result, twice while its pieces are joined, and per worker some words a column.
 */
#ifndef KI_TOP_PRODUCT_H
#define KI_TOP_PRODUCT_H

#include "base/job.h"
#include "data/csr.h"

typedef struct ki_top_product {
    const ki_csr *a, *b; /* [n, m] and [m, p] */
    const float *column; /* [p] what each column is multiplied by at the end; NULL: 1 */
    int32_t n_keep;      /* entries kept in a row, the largest by size; 0: all that are not 0 */
    int diagonal;        /* 1: entries (i, i) stay; 0: they are left out */
    const char *what;    /* name of the work for progress: "fit rp3beta" */
} ki_top_product;

/* out[n, p], columns rising; of entries of one size the lower column stays.  A sum runs over the
 * columns of A in rising order, so the bits are those of any number of threads.  KITH_ECANCELED,
 * KITH_ENOMEM; KITH_EDATA when an entry is not finite; then *out is {0}. */
kith_err ki_top_product_run(const ki_top_product *task, ki_job *job, ki_csr *out);

/* An upper bound of the bytes that it takes at its peak, the result included, the words of workers
 * not. */
size_t ki_top_product_memory(int32_t n_keep, const ki_csr *a, const ki_csr *b);

#endif
