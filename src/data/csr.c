/* SPDX-License-Identifier: MIT
 * csr.c -- building, turning and checking compressed sparse rows; all by counting sort, so linear
 * in the entries
 */
#include "data/csr.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

kith_err ki_csr_alloc(ki_csr *out, int32_t n_rows, int32_t n_cols, int64_t nnz)
{
    ki_csr a = { .n_rows = n_rows, .n_cols = n_cols, .owned = 1 };
    kith_err err;
    *out = (ki_csr){ 0 };
    if ((err = ki_alloc(&a.ptr, (size_t)n_rows + 1, sizeof *a.ptr)) != KITH_OK ||
        (err = ki_alloc(&a.idx, (size_t)nnz, sizeof *a.idx)) != KITH_OK ||
        (err = ki_alloc(&a.val, (size_t)nnz, sizeof *a.val)) != KITH_OK) {
        ki_csr_clear(&a);
        return err;
    }
    *out = a;
    return KITH_OK;
}

void ki_csr_clear(ki_csr *a)
{
    if (a->owned) {
        ki_free(a->ptr);
        ki_free(a->idx);
        ki_free(a->val);
    }
    *a = (ki_csr){ 0 };
}

/* ptr[r] = first place of key r, ptr[n_keys] = n; to be called with ptr all zero. */
static void count_keys(int64_t *ptr, int32_t n_keys, int64_t n, const int32_t *key)
{
    for (int64_t j = 0; j < n; j++) ptr[key[j] + 1]++;
    for (int32_t r = 0; r < n_keys; r++) ptr[r + 1] += ptr[r];
}

/* order = stable permutation of `from` (NULL: 0..n-1) by key. */
static kith_err sort_by_key(int64_t *order, const int64_t *from, int32_t n_keys, int64_t n,
                            const int32_t *key)
{
    int64_t *place = NULL;
    const kith_err err = ki_alloc(&place, (size_t)n_keys + 1, sizeof *place);
    if (err != KITH_OK) return err;
    count_keys(place, n_keys, n, key);
    for (int64_t j = 0; j < n; j++) {
        const int64_t t = from == NULL ? j : from[j];
        order[place[key[t]]++] = t;
    }
    ki_free(place);
    return KITH_OK;
}

kith_err ki_csr_from_triplets(ki_csr *out, int32_t n_rows, int32_t n_cols, int64_t n,
                              const int32_t *row, const int32_t *col, const float *val,
                              int64_t **order)
{
    int64_t *by_col = NULL, *by_row = NULL;
    ki_csr a = { 0 };
    kith_err err;
    if ((err = ki_csr_alloc(&a, n_rows, n_cols, n)) != KITH_OK) goto done;
    if ((err = ki_alloc(&by_col, (size_t)n, sizeof *by_col)) != KITH_OK) goto done;
    if ((err = ki_alloc(&by_row, (size_t)n, sizeof *by_row)) != KITH_OK) goto done;
    if ((err = sort_by_key(by_col, NULL, n_cols, n, col)) != KITH_OK) goto done;
    if ((err = sort_by_key(by_row, by_col, n_rows, n, row)) != KITH_OK) goto done;
    count_keys(a.ptr, n_rows, n, row);
    for (int64_t j = 0; j < n; j++) {
        a.idx[j] = col[by_row[j]];
        a.val[j] = val == NULL ? 1.0f : val[by_row[j]];
    }
    *out = a;
    a = (ki_csr){ 0 };
    if (order != NULL) {
        *order = by_row;
        by_row = NULL;
    }
done:
    ki_csr_clear(&a);
    ki_free(by_col);
    ki_free(by_row);
    return err;
}

kith_err ki_csr_transpose(ki_csr *out, const ki_csr *a)
{
    ki_csr t;
    int64_t *place = NULL;
    kith_err err = ki_csr_alloc(&t, a->n_cols, a->n_rows, ki_csr_nnz(a));
    if (err != KITH_OK) return err;
    if ((err = ki_alloc(&place, (size_t)a->n_cols + 1, sizeof *place)) != KITH_OK) {
        ki_csr_clear(&t);
        return err;
    }
    count_keys(t.ptr, a->n_cols, ki_csr_nnz(a), a->idx);
    memcpy(place, t.ptr, ((size_t)a->n_cols + 1) * sizeof *place);
    for (int32_t r = 0; r < a->n_rows; r++) {
        for (int64_t j = a->ptr[r]; j < a->ptr[r + 1]; j++) {
            const int64_t to = place[a->idx[j]]++;
            t.idx[to] = r;
            t.val[to] = a->val[j];
        }
    }
    ki_free(place);
    *out = t;
    return KITH_OK;
}

int64_t ki_csr_find(const ki_csr *a, int32_t row, int32_t col)
{
    int64_t low = a->ptr[row], high = a->ptr[row + 1];
    while (low < high) {
        const int64_t mid = low + (high - low) / 2;
        if (a->idx[mid] < col)
            low = mid + 1;
        else
            high = mid;
    }
    return low < a->ptr[row + 1] && a->idx[low] == col ? low : -1;
}

static kith_err check_row(const ki_csr *a, const char *name, int32_t r)
{
    for (int64_t j = a->ptr[r]; j < a->ptr[r + 1]; j++) {
        if (a->idx[j] < 0 || a->idx[j] >= a->n_cols)
            return ki_fail(KITH_EFORMAT, "%s: row %d has column %d of %d", name, r, a->idx[j],
                           a->n_cols);
        if (j > a->ptr[r] && a->idx[j] <= a->idx[j - 1])
            return ki_fail(KITH_EFORMAT, "%s: columns of row %d are not rising", name, r);
        if (!isfinite(a->val[j]))
            return ki_fail(KITH_EFORMAT, "%s: row %d holds a value that is not finite", name, r);
    }
    return KITH_OK;
}

kith_err ki_csr_check(const ki_csr *a, const char *name)
{
    if (a->ptr[0] != 0) return ki_fail(KITH_EFORMAT, "%s: row pointers do not start at 0", name);
    for (int32_t r = 0; r < a->n_rows; r++)
        if (a->ptr[r + 1] < a->ptr[r])
            return ki_fail(KITH_EFORMAT, "%s: row pointers fall at row %d", name, r);
    for (int32_t r = 0; r < a->n_rows; r++) {
        const kith_err err = check_row(a, name, r);
        if (err != KITH_OK) return err;
    }
    return KITH_OK;
}
