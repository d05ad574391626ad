/* SPDX-License-Identifier: MIT
 * avx2_gathered.c -- AVX2 kernels over rows of a matrix that a list names
 *
 * Design      Eight rows at a time: eight sums in flight, turned into one vector of eight products.
 *             No hardware foresees a gather, so rows are asked for ahead.
 */
#include "simd/avx2.h"

#include <math.h>
#include <stddef.h>

enum { GATHER = 64 }; /* rows that are held at a time: a quarter of L1 at 64 factors */

/* The products of up to 8 rows with x, in the first lanes; the other lanes repeat row 0. */
INLINE __m256 dot_some(int rows, const float *const *y, const float *x, int64_t dim)
{
    __m256 s[LANES];
    int64_t j = 0;
    for (int r = 0; r < LANES; r++) s[r] = _mm256_setzero_ps();
    for (; j + LANES <= dim; j += LANES) {
        const __m256 xj = _mm256_loadu_ps(x + j);
        for (int r = 0; r < rows; r++) s[r] = _mm256_fmadd_ps(_mm256_loadu_ps(y[r] + j), xj, s[r]);
    }
    if (j < dim) {
        const __m256i on = first_lanes(dim - j);
        const __m256 xj = _mm256_maskload_ps(x + j, on);
        for (int r = 0; r < rows; r++)
            s[r] = _mm256_fmadd_ps(_mm256_maskload_ps(y[r] + j, on), xj, s[r]);
    }
    for (int r = 0; r < LANES;
         r += 2) /* sums of neighbours: eight rows to four, two and one register */
        s[r / 2] =
            _mm256_add_ps(_mm256_unpacklo_ps(s[r], s[r + 1]), _mm256_unpackhi_ps(s[r], s[r + 1]));
    for (int r = 0; r < LANES / 2; r += 2)
        s[r / 2] = _mm256_add_ps(_mm256_shuffle_ps(s[r], s[r + 1], 0x44),
                                 _mm256_shuffle_ps(s[r], s[r + 1], 0xee));
    return _mm256_add_ps(_mm256_permute2f128_ps(s[0], s[1], 0x20),
                         _mm256_permute2f128_ps(s[0], s[1], 0x31));
}

/* Where rows[t..t + 8) begin, the last of n repeated. */
INLINE void find_rows(const float **y, const float *Y, const int32_t *rows, int64_t t, int64_t n,
                      int64_t dim)
{
    for (int64_t r = 0; r < LANES; r++) y[r] = Y + rows[t + r < n ? t + r : n - 1] * dim;
}

static void dot_at(float *out, const float *Y, const int32_t *rows, const float *x, int64_t n,
                   int64_t dim)
{
    const float *y[LANES];
    for (int64_t t = 0; t < n; t += LANES) {
        find_rows(y, Y, rows, t, n, dim);
        const __m256 s = n - t > 4 ? dot_some(8, y, x, dim) : dot_some(4, y, x, dim);
        _mm256_maskstore_ps(out + t, first_lanes(n - t), s);
    }
}

/* y[c, c + 8 v) += sum_t a[t] Y[rows[t], c..): v sums stay in registers over all rows. */
INLINE void axpy_columns(int v, float *y, const float *a, const float *Y, const int32_t *rows,
                         int64_t n, int64_t dim, int64_t c)
{
    __m256 s[8];
    for (int k = 0; k < v; k++) s[k] = _mm256_loadu_ps(y + c + k * LANES);
    for (int64_t t = 0; t < n; t++) {
        const float *row = Y + rows[t] * dim + c;
        const __m256 at = _mm256_broadcast_ss(a + t);
        for (int k = 0; k < v; k++)
            s[k] = _mm256_fmadd_ps(at, _mm256_loadu_ps(row + k * LANES), s[k]);
    }
    for (int k = 0; k < v; k++) _mm256_storeu_ps(y + c + k * LANES, s[k]);
}

static void axpy_at(float *y, const float *a, const float *Y, const int32_t *rows, int64_t n,
                    int64_t dim)
{
    int64_t c = 0;
    for (; c + 8 * LANES <= dim; c += 8 * LANES) axpy_columns(8, y, a, Y, rows, n, dim, c);
    for (; c + LANES <= dim; c += LANES) axpy_columns(1, y, a, Y, rows, n, dim, c);
    for (int64_t t = 0; c < dim && t < n; t++)
        for (int64_t j = c; j < dim; j++) y[j] = fmaf(a[t], Y[rows[t] * dim + j], y[j]);
}

/* ---- conjugate gradients: a pass over the rows is a product with each and a multiple of each ---- */

/* Rows that are asked for in passing, some with every eight products: all at once would wait for
 * each other.  No hardware foresees a gather. */
struct ahead {
    const float *Y;
    const int32_t *at, *end;
    int64_t dim, some;
};

INLINE void fetch_some(struct ahead *a)
{
    const int32_t *stop = a->end - a->at < a->some ? a->end : a->at + a->some;
    for (; a->at < stop; a->at++)
        for (int64_t j = 0; j < a->dim; j += PANEL)
            _mm_prefetch((const char *)(a->Y + *a->at * a->dim + j), _MM_HINT_T0);
}

/* The products of x with rows [0, n) of those that `row` points at. */
INLINE void products(float *out, const float *const *row, const float *x, int64_t n, int64_t dim,
                     struct ahead *ahead)
{
    for (int64_t t = 0; t < n; t += LANES) {
        fetch_some(ahead);
        _mm256_storeu_ps(out + t,
                         n - t > 4 ? dot_some(8, row + t, x, dim) : dot_some(4, row + t, x, dim));
    }
}

/* The rows of the next one, spread over all passes over this one's. */
static struct ahead plan_ahead(const ki_cg_row *q, int32_t steps)
{
    const int64_t eights = (q->n + LANES - 1) / LANES * (steps + 1);
    return (struct ahead){ q->Y, q->next, q->next + q->n_next, q->dim,
                           q->n_next / (eights + 1) + 1 };
}

/* Where rows[t..t + n) begin; the last is repeated up to a multiple of 8. */
INLINE void find_block(const float **row, const ki_cg_row *q, int64_t t, int64_t n)
{
    int64_t r = 0;
    for (; r < n; r++) row[r] = q->Y + q->rows[t + r] * q->dim;
    for (; r % LANES != 0; r++) row[r] = row[n - 1];
}

/* y[c, c + 8 v) += sum_t a[t] row[t][c..): the sums stay in registers. */
INLINE void add_columns(int v, float *y, const float *a, const float *const *row, int64_t n,
                        int64_t c)
{
    __m256 s[8];
    for (int k = 0; k < v; k++) s[k] = _mm256_loadu_ps(y + c + k * LANES);
    for (int64_t t = 0; t < n; t++) {
        const float *from = row[t] + c;
        const __m256 at = _mm256_broadcast_ss(a + t);
        for (int k = 0; k < v; k++)
            s[k] = _mm256_fmadd_ps(at, _mm256_loadu_ps(from + k * LANES), s[k]);
    }
    for (int k = 0; k < v; k++) _mm256_storeu_ps(y + c + k * LANES, s[k]);
}

INLINE void add_all(float *y, const float *a, const float *const *row, int64_t n, int64_t dim)
{
    int64_t c = 0;
    for (; c + 8 * LANES <= dim; c += 8 * LANES) add_columns(8, y, a, row, n, c);
    for (; c + LANES <= dim; c += LANES) add_columns(1, y, a, row, n, c);
    for (int64_t t = 0; c < dim && t < n; t++)
        for (int64_t j = c; j < dim; j++) y[j] = fmaf(a[t], row[t][j], y[j]);
}

/* y += sum_t (base + w[t] (one + sign y_t.x)) y_t */
INLINE void add_rows(float *y, const ki_cg_row *q, const float *x, float base, float one,
                     float sign, struct ahead *ahead)
{
    const float *row[GATHER];
    float by[GATHER];
    for (int64_t t = 0; t < q->n; t += GATHER) {
        const int64_t n = q->n - t < GATHER ? q->n - t : GATHER;
        find_block(row, q, t, n);
        products(by, row, x, n, q->dim, ahead);
        for (int64_t r = 0; r < n; r += LANES) {
            const __m256 far =
                _mm256_fmadd_ps(_mm256_set1_ps(sign), _mm256_loadu_ps(by + r), _mm256_set1_ps(one));
            const __m256 w = _mm256_maskload_ps(q->w + t + r, first_lanes(n - r));
            _mm256_storeu_ps(by + r, _mm256_fmadd_ps(w, far, _mm256_set1_ps(base)));
        }
        add_all(y, by, row, n, q->dim);
    }
}

/* sum_t w[t] (y_t.x)^2 */
static float weighed_squares(const ki_cg_row *q, const float *x, struct ahead *ahead)
{
    const float *row[GATHER];
    float by[GATHER];
    __m256 sum = _mm256_setzero_ps();
    for (int64_t t = 0; t < q->n; t += GATHER) {
        const int64_t n = q->n - t < GATHER ? q->n - t : GATHER;
        find_block(row, q, t, n);
        products(by, row, x, n, q->dim, ahead);
        for (int64_t r = 0; r < n; r += LANES) {
            const __m256 s = _mm256_loadu_ps(by + r);
            const __m256 w = _mm256_maskload_ps(q->w + t + r, first_lanes(n - r));
            sum = _mm256_fmadd_ps(_mm256_mul_ps(w, s), s, sum);
        }
    }
    return sum_lanes(sum);
}

struct cg {                              /* [width] each, zeroes past dim */
    float *x, *D, *inverse, *r, *p, *Ap; /* D: A but for the sum; inverse: of the preconditioner */
    int64_t width;
};

static struct cg carve(float *scratch, int64_t dim)
{
    const int64_t w = (dim + LANES - 1) / LANES * LANES;
    return (struct cg){
        scratch, scratch + w, scratch + 2 * w, scratch + 3 * w, scratch + 4 * w, scratch + 5 * w, w
    };
}

static float sum_of(const float *w, int64_t n)
{
    __m256 sum = _mm256_setzero_ps();
    for (int64_t t = 0; t < n; t += LANES)
        sum = _mm256_add_ps(sum, _mm256_maskload_ps(w + t, first_lanes(n - t)));
    return sum_lanes(sum);
}

/* x, D, its inverse, r = -Dx, p = Ap = 0 */
static void cg_begin(const struct cg *v, const ki_cg_row *q, const float *x)
{
    const __m256 a = _mm256_set1_ps(q->a), l = _mm256_set1_ps(q->l), zero = _mm256_setzero_ps();
    const __m256 share = _mm256_set1_ps(q->share * sum_of(q->w, q->n)), one = _mm256_set1_ps(1);
    for (int64_t j = 0; j < v->width; j += LANES) {
        const __m256i on = first_lanes(q->dim - j);
        const __m256 S = _mm256_maskload_ps(q->S + j, on), xj = _mm256_maskload_ps(x + j, on);
        const __m256 D = _mm256_fmadd_ps(a, S, l), M = _mm256_fmadd_ps(share, S, D);
        const __m256 positive = _mm256_cmp_ps(M, zero, _CMP_GT_OQ);
        const __m256 inverse =
            _mm256_and_ps(_mm256_div_ps(one, M), _mm256_and_ps(positive, _mm256_castsi256_ps(on)));
        _mm256_storeu_ps(v->x + j, xj);
        _mm256_storeu_ps(v->D + j, D);
        _mm256_storeu_ps(v->inverse + j, inverse);
        _mm256_storeu_ps(v->r + j, _mm256_fnmadd_ps(D, xj, zero));
        _mm256_storeu_ps(v->p + j, zero);
        _mm256_storeu_ps(v->Ap + j, zero);
    }
}

/* x += step p, r -= step Ap; returns r.(r inverse) */
static float cg_walk(const struct cg *v, float step)
{
    const __m256 a = _mm256_set1_ps(step);
    __m256 sum = _mm256_setzero_ps();
    for (int64_t j = 0; j < v->width; j += LANES) {
        const __m256 r = _mm256_fnmadd_ps(a, _mm256_loadu_ps(v->Ap + j), _mm256_loadu_ps(v->r + j));
        const __m256 x = _mm256_fmadd_ps(a, _mm256_loadu_ps(v->p + j), _mm256_loadu_ps(v->x + j));
        _mm256_storeu_ps(v->r + j, r);
        _mm256_storeu_ps(v->x + j, x);
        /* not r r first: that is beyond float where the weights are large, and 0 where they are small */
        sum = _mm256_fmadd_ps(_mm256_mul_ps(r, _mm256_loadu_ps(v->inverse + j)), r, sum);
    }
    return sum_lanes(sum);
}

/* p = r inverse + beta p, Ap = Dp; returns p.Dp */
static float cg_turn(const struct cg *v, float beta)
{
    const __m256 b = _mm256_set1_ps(beta);
    __m256 sum = _mm256_setzero_ps();
    for (int64_t j = 0; j < v->width; j += LANES) {
        const __m256 z = _mm256_mul_ps(_mm256_loadu_ps(v->r + j), _mm256_loadu_ps(v->inverse + j));
        const __m256 p = _mm256_fmadd_ps(b, _mm256_loadu_ps(v->p + j), z);
        const __m256 Dp = _mm256_mul_ps(_mm256_loadu_ps(v->D + j), p);
        _mm256_storeu_ps(v->p + j, p);
        _mm256_storeu_ps(v->Ap + j, Dp);
        sum = _mm256_fmadd_ps(p, Dp, sum);
    }
    return sum_lanes(sum);
}

static float dot_padded(const float *a, const float *b, int64_t width)
{
    __m256 sum = _mm256_setzero_ps();
    for (int64_t j = 0; j < width; j += LANES)
        sum = _mm256_fmadd_ps(_mm256_loadu_ps(a + j), _mm256_loadu_ps(b + j), sum);
    return sum_lanes(sum);
}

/* The last step needs the length of p in A, but not Ap: half a pass over the rows is spared. */
static void cg(float *x, const ki_cg_row *q, int32_t steps, float *scratch)
{
    const struct cg v = carve(scratch, q->dim);
    struct ahead next = plan_ahead(q, steps);
    float beta = 0;
    cg_begin(&v, q, x);
    add_rows(v.r, q, v.x, q->a, 1, -1, &next); /* b - Ax */
    float rz = cg_walk(&v, 0);
    for (int32_t step = 1; step <= steps && rz > 0; step++) {
        float pAp = cg_turn(&v, beta);
        if (step < steps) {
            add_rows(v.Ap, q, v.p, 0, 0, 1, &next);
            pAp = dot_padded(v.p, v.Ap, v.width);
        } else {
            pAp += weighed_squares(q, v.p, &next);
        }
        if (!(pAp > 0)) break; /* solved already */
        const float after = cg_walk(&v, rz / pAp);
        beta = after / rz;
        rz = after;
    }
    for (int64_t j = 0; j < q->dim; j += LANES) {
        const __m256i on = first_lanes(q->dim - j);
        _mm256_maskstore_ps(x + j, on, _mm256_loadu_ps(v.x + j));
    }
}

void ki_avx2_gathered(ki_kernels *k)
{
    k->dot_at = dot_at;
    k->axpy_at = axpy_at;
    k->cg = cg;
}
