/* SPDX-License-Identifier: MIT
 * kernels.h -- the table of hot loops, one set per instruction set
 *
 * ref.c holds the plain loops: fallback and oracle.  avx2.c and avx512.c override what they
 * improve.  pick.c copies ref, applies the best set that the CPU has, once;
 * KITH_SIMD=ref|avx2|avx512 forces one; a set that the CPU lacks is not forced, and `name` shows
 * it.
 *
 * Numerics    float32 in, float32 accumulators unless said; a sum over n terms differs from the
 * exact one by at most n * 2^-24 * sum |terms|, between sets by twice that.  No kernel reads or
 * writes beyond its sizes; pointers need the alignment of float only.  Kernels cannot fail and
 * never allocate.
 */
#ifndef KI_KERNELS_H
#define KI_KERNELS_H

#include <stdint.h>

/* A vector in bytes, and what bound_bytes makes of sums of its products with 8 rows in bytes (index/inner.c). */
typedef struct ki_bytes_query {
    const int8_t *x; /* [4 * quads], each -63 to 63 */
    int64_t quads;
    int32_t shift;
    float scale;      /* a row's middle is scale * its own scale * (sum - shift) + its bias */
    float lost, norm; /* its width is lost * its size + norm * what it lost itself + loose */
    float loose;
} ki_bytes_query;

typedef struct ki_sgd_rating {
    int32_t u, i;
    float r;
} ki_sgd_rating;

/* Rows of P are users', of Q items': `width` factors, a multiple of 8 (zeroes where there are fewer), and what has the
 * rest of `stride`, the last float of which is the bias.  Steps of 0 leave biases as they are. */
typedef struct ki_sgd {
    float *P, *Q;
    int64_t width, stride; /* width < stride */
    float mean, lr_p, reg_p, lr_q, reg_q, lr_bu, reg_bu, lr_bi, reg_bi;
} ki_sgd;

/* One row of a least squares problem, in a basis where what all rows share is diagonal:
 *     A = a S + l I + sum_t w[t] y_t y_t',   b = sum_t (a + w[t]) y_t,   y_t = Y[rows[t], :].
 * The sum is taken to be about share sum_t w[t] S, and that, with a S + l I, is the preconditioner. */
typedef struct ki_cg_row {
    const float *Y;      /* [, dim] */
    const float *S;      /* [dim], none negative */
    const int32_t *rows; /* [n] */
    const float *w;      /* [n] */
    int64_t n, dim;
    float a, l, share;
    int64_t n_next;      /* 0: no hint */
    const int32_t *next; /* [n_next] rows of Y that the next call will want */
} ki_cg_row;

#define KI_CG_ROOM(dim) (6 * (((dim) + 15) / 16 * 16))

/* Where value `at` of Y would be, for a prefetch that may lie beyond its end: no pointer is made that may not be. */
static inline const char *ki_ahead(const float *Y, int64_t at)
{
    return (const char *)((uintptr_t)Y + (uintptr_t)at * sizeof *Y);
}

typedef struct ki_kernels {
    const char *name; /* "ref", "avx2", "avx512" */

    /* sum a[j] b[j] */
    float (*dot)(const float *a, const float *b, int64_t n);

    /* y[j] += a x[j] */
    void (*axpy)(float *y, float a, const float *x, int64_t n);

    /* out[r] = Y[r, :] . x for r in [0, n_rows); Y is [n_rows, dim], row-major.  Rows are read in
     * order.  For one query against memory; score_tile is for many against a cache. */
    void (*dot_rows)(float *out, const float *Y, const float *x, int64_t n_rows, int64_t dim);

    /* out[q, r] = X[q, :] . Y[r, :]; X is [nq, dim], Y [n_rows, dim], out rows are ld apart.  A
     * tile: everything is meant to fit in L2.  Its bits do not depend on nq or n_rows: each value
     * is one sum over j = 0, 1, ..., dim - 1 in that order. */
    void (*score_tile)(float *out, int64_t ld, const float *X, int64_t nq, const float *Y,
                       int64_t n_rows, int64_t dim);

    /* A += sum_t w[t] Y[rows[t], :]' Y[rows[t], :], lower triangle and diagonal; A is [dim, dim],
     * and what lies above its diagonal stays.  t rises. */
    void (*gram_rows)(float *A, const float *Y, const int32_t *rows, const float *w, int64_t n,
                      int64_t dim);

    /* out[t] = Y[rows[t], :] . x for t in [0, n); Y is row-major, its rows dim long. */
    void (*dot_at)(float *out, const float *Y, const int32_t *rows, const float *x, int64_t n,
                   int64_t dim);

    /* y += sum_t a[t] Y[rows[t], :].  t rises. */
    void (*axpy_at)(float *y, const float *a, const float *Y, const int32_t *rows, int64_t n,
                    int64_t dim);

    /* x[dim] nearer to A^-1 b by `steps` conjugate gradients from x on; scratch is
     * [KI_CG_ROOM(dim)].  Each step lowers x'Ax / 2 - b.x or leaves it. */
    void (*cg)(float *x, const ki_cg_row *row, int32_t steps, float *scratch);

    /* Positions j with x[j] > threshold, rising, into at[]; returns how many (at has room for n).
     */
    int64_t (*scan_above)(int32_t *at, const float *x, int64_t n, float threshold);

    /* Positions of the bytes of text[0, n) that are a or b, rising, into at[]; returns how many (at has room for n + 8,
     * and what it has past them may be overwritten). */
    int64_t (*scan_bytes)(int32_t *at, const char *text, int64_t n, char a, char b);

    /* Bounds of 8 rows: sum[r] = sum_j x[j] b[r, j] exactly, lower[r], upper[r] = middle -+ width, each within 8 * 2^-24
     * (|middle| + width + |bias|).  `rows` is [quads, 8, 4] bytes, then 8 floats each of scale, size, lost, bias.  Bit r
     * of the result: upper[r] >= least. */
    int (*bound_bytes)(float *lower, float *upper, const ki_bytes_query *q, const uint8_t *rows,
                       float least);

    /* A step of gradient descent for each rating, one after the other:
     *     e = r - mean - bu - bi - p.q;  bu += lr_bu (e - reg_bu bu), bi likewise with lr_bi, reg_bi;
     *     p += lr_p (e q - reg_p p) and q += lr_q (e p - reg_q q), both from the old p and q.
     * Returns the sum of e^2.  A user has an item once: no two neighbours with one user have one item. */
    double (*sgd_run)(const ki_sgd *s, const ki_sgd_rating *x, int64_t n);

    /* A = L'L in place, L lower triangular, from the last row up, so that each step adds outer
     * products of contiguous rows.  A is [d, d]; only its lower triangle is read and written, and
     * the diagonal becomes 1 / L[k, k].  Returns 0, or 1 + k when pivot k is not above 0 (A is then
     * spoilt).  |L'L - A| <= 4 d * 2^-24 * max |A|. */
    int64_t (*chol)(float *A, int64_t d);

    /* b = (L'L)^-1 b, L as chol leaves it. */
    void (*chol_solve)(const float *L, float *b, int64_t d);
} ki_kernels;

/* The set in use; chosen at the first call, thread-safe, never changes after. */
const ki_kernels *ki_kernels_get(void);

/* A set by name for tests and benches, or NULL when unknown or beyond this CPU. */
const ki_kernels *ki_kernels_named(const char *name);

void ki_kernels_ref(ki_kernels *k);  /* fills all */
void ki_kernels_avx2(ki_kernels *k); /* overrides; only to be called on a CPU that has it */
void ki_kernels_avx512(ki_kernels *k);

#endif
