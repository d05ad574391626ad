/* SPDX-License-Identifier: MIT
 * all_pairs.h -- the most similar rows of every row of a matrix, without an n x n matrix
 *
 * Cost       multiply-adds: sum over columns of n_c^2, n_c the rows that have column c.  That is
 * the limit of exact all-pairs comparison of sparse rows; a column that nearly all rows have makes
 * it quadratic.  Memory: the result, a copy of the values both ways, and per worker one cell per
 * row.
 */
#ifndef KI_ALL_PAIRS_H
#define KI_ALL_PAIRS_H

#include "model/similarity.h"

/* out[n_rows, n_rows] = for each row the n_neighbors other rows with the largest positive
 * similarity (0: all with a positive one), columns rising; ties go to the lower row.
 * by_row is [n_rows, n_cols], by_col its transpose, mean that of all values; row_base and col_base
 * are read for pearson_baseline alone.  The same bits for any number of threads.  KITH_ECANCELED,
 * KITH_ENOMEM, KITH_EDATA as ki_weights_make; then *out is {0}. */
typedef struct ki_all_pairs {
    ki_similarity how;
    int32_t n_neighbors;
    const ki_csr *by_row, *by_col;
    double mean;
    const float *row_base, *col_base; /* [n_rows], [n_cols]; NULL: not needed */
} ki_all_pairs;

kith_err ki_all_pairs_run(const ki_all_pairs *task, ki_job *job, ki_csr *out);

/* An upper bound of the bytes that it takes at its peak, the result included, the cells of workers
 * not. */
size_t ki_all_pairs_memory(int32_t n_neighbors, const ki_csr *by_row, const ki_csr *by_col);

#endif
