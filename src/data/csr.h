/* SPDX-License-Identifier: MIT
 * csr.h -- compressed sparse rows: who interacted with what, how strongly
 */
#ifndef KI_CSR_H
#define KI_CSR_H

#include "base/pool.h"

typedef struct ki_csr {
    int32_t n_rows, n_cols;
    int64_t *ptr; /* [n_rows + 1], ptr[0] == 0, not falling */
    int32_t *idx; /* [nnz] columns, rising within a row, each once */
    float *val;   /* [nnz] */
    int owned;    /* 1: the arrays are freed by ki_csr_clear; 0: they belong to a file mapping or
                     another matrix */
} ki_csr;

static inline int64_t ki_csr_nnz(const ki_csr *a)
{
    return a->ptr == NULL ? 0 : a->ptr[a->n_rows];
}

static inline int64_t ki_csr_len(const ki_csr *a, int32_t row)
{
    return a->ptr[row + 1] - a->ptr[row];
}

/* Allocate an owned, empty-valued matrix of that shape; *out is overwritten.  On failure *out is
 * {0}. */
kith_err ki_csr_alloc(ki_csr *out, int32_t n_rows, int32_t n_cols, int64_t nnz);

/* From triplets in any order: row[n], col[n], val[n] (NULL: ones).  Columns come out rising;
 * triplets of one cell keep their order.  If `order` is not NULL, *order becomes [n], owned by the
 * caller: which triplet each entry came from. */
kith_err ki_csr_from_triplets(ki_csr *out, int32_t n_rows, int32_t n_cols, int64_t n,
                              const int32_t *row, const int32_t *col, const float *val,
                              int64_t **order);

/* out = a', by one counting sort: time nnz + rows + cols. */
kith_err ki_csr_transpose(ki_csr *out, const ki_csr *a);

/* Where (row, col) stands in idx/val, or -1: binary search. */
int64_t ki_csr_find(const ki_csr *a, int32_t row, int32_t col);

/* Is it well-formed (rising pointers and columns in range, finite values)?  KITH_EFORMAT with a
 * sentence if not. */
kith_err ki_csr_check(const ki_csr *a, const char *name);

/* The same matrix, whose arrays stay a's. */
static inline ki_csr ki_csr_lend(const ki_csr *a)
{
    ki_csr b = *a;
    b.owned = 0;
    return b;
}

void ki_csr_clear(ki_csr *a); /* frees what is owned; {0} afterwards */

#endif
