/* SPDX-License-Identifier: MIT
 * als_basis.c -- factors turned so that Y'Y is diagonal
 *
 * Cost        2 (n_x + n_y) d^2 flops on all threads and about 10 d^3 on one, in double: the axes must
 *             stay at right angles through hundreds of turns.
 */
#include "model/als_basis.h"

#include "base/mem.h"
#include "math/blas.h"
#include "simd/kernels.h"

#include <string.h>

enum { ROWS = 96 }; /* turned at a time */

kith_err ki_als_basis_alloc(ki_als_basis *b, int64_t d, const ki_job *job)
{
    const size_t n = (size_t)d, n_workers = (size_t)ki_pool_size(job->pool);
    kith_err err;
    b->d = d;
    if ((err = ki_alloc(&b->A, n, n * sizeof *b->A)) != KITH_OK) return err;
    if ((err = ki_alloc(&b->values, n, sizeof *b->values)) != KITH_OK) return err;
    if ((err = ki_alloc(&b->V, n, n * sizeof *b->V)) != KITH_OK) return err;
    if ((err = ki_alloc(&b->diagonal, n, sizeof *b->diagonal)) != KITH_OK) return err;
    return ki_alloc(&b->arena, n_workers, ROWS * n * sizeof *b->arena);
}

void ki_als_basis_clear(ki_als_basis *b)
{
    ki_free(b->A);
    ki_free(b->values);
    ki_free(b->V);
    ki_free(b->diagonal);
    ki_free(b->arena);
    *b = (ki_als_basis){ 0 };
}

size_t ki_als_basis_memory(int64_t d)
{
    const size_t n = (size_t)d;
    return n * n * (3 * sizeof(double) + sizeof(float)); /* LAPACK works in two more */
}

struct turn { /* of one side */
    const ki_als_basis *b;
    float *rows;
};

static kith_err turn_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct turn *t = arg;
    const int64_t d = t->b->d;
    float *turned = t->b->arena + worker * ROWS * d, *rows = t->rows + begin * d;
    ki_kernels_get()->score_tile(turned, d, rows, end - begin, t->b->V, d, d);
    memcpy(rows, turned, (size_t)((end - begin) * d) * sizeof *rows);
    return KITH_OK;
}

static kith_err find_axes(ki_als_basis *b, float *gram)
{
    const int64_t d = b->d;
    for (int64_t j = 0; j < d * d; j++) b->A[j] = gram[j];
    const kith_err err = ki_eigh64(b->A, d, b->values);
    if (err != KITH_OK) return err;
    for (int64_t j = 0; j < d * d; j++) b->V[j] = (float)b->A[j];
    const double least = 1e-6 * KI_MAX(b->values[d - 1], 0); /* they rise */
    memset(gram, 0, (size_t)(d * d) * sizeof *gram);
    for (int64_t j = 0; j < d; j++)
        gram[j * d + j] = b->diagonal[j] = (float)KI_MAX(b->values[j], least);
    return KITH_OK;
}

kith_err ki_als_basis_turn(ki_als_basis *b, float *X, int64_t n_x, float *Y, int64_t n_y,
                           float *gram, const ki_job *job)
{
    struct turn x = { b, X }, y = { b, Y };
    kith_err err = find_axes(b, gram);
    if (err == KITH_OK) err = ki_parallel_for(job->pool, n_x, ROWS, turn_rows, &x);
    if (err == KITH_OK) err = ki_parallel_for(job->pool, n_y, ROWS, turn_rows, &y);
    return err;
}
