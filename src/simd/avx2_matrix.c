/* SPDX-License-Identifier: MIT
 * avx2_matrix.c -- AVX2 kernels of matrices: products, sums of outer products, Cholesky
 *
 * Design      Two FMA units with a latency of 4 want 8 sums in flight.  The kernels keep 12: a block
 *             of 6 rows by a panel of 16 columns, fed by 6 broadcasts and 2 loads per step, so the
 *             FMA units and not the loads are the limit.  Panels are packed on the stack.
 * Order       One accumulator per value that runs through its terms in order (score_tile,
 *             gram_rows), so that neither the position in a block nor the block's size shows.
 * Limit       16 FLOP * 2 per cycle: 32 times the clock.
 */
#include "simd/avx2.h"

#include <math.h>
#include <stddef.h>

enum {
    BLOCK = 6,   /* rows of a register block */
    DEPTH = 256, /* terms of a packed panel: 16 KB, half of L1 */
    GATHER = 64, /* rows of Y that gram_rows adds at a time */
};

/* ---- many dots: out = X Y' ---- */

/* panel[j, r] = Y[r, j] for 16 rows; rows past the last repeat it, columns past `depth` are 0. */
static void pack_rows(float *panel, const float *Y, int64_t dim, int64_t n_rows, int64_t depth)
{
    for (int64_t half = 0; half < PANEL; half += LANES)
        for (int64_t j = 0; j < depth; j += LANES) {
            const __m256i on = first_lanes(depth - j);
            __m256 v[LANES];
            for (int r = 0; r < LANES; r++) {
                const int64_t row = half + r < n_rows ? half + r : n_rows - 1;
                v[r] = j + LANES <= depth ? _mm256_loadu_ps(Y + row * dim + j)
                                          : _mm256_maskload_ps(Y + row * dim + j, on);
            }
            for (int r = 0; r < LANES; r++) /* the next panel, while this one is multiplied */
                _mm_prefetch(ki_ahead(Y, (half + r + PANEL) * dim + j), _MM_HINT_T0);
            transpose(v);
            for (int r = 0; r < LANES; r++) _mm256_store_ps(panel + (j + r) * PANEL + half, v[r]);
        }
}

/* out[nq, 16] (+)= X[nq, depth] panel[depth, 16]; `more`: what stands in out are the terms before.
 */
INLINE void score_block(int nq, float *out, int64_t ld, const float *X, int64_t dim,
                        const float *panel, int64_t depth, int more)
{
    __m256 s[BLOCK], t[BLOCK]; /* left and right half of the panel */
#pragma GCC unroll 8
    for (int q = 0; q < nq; q++) {
        s[q] = more ? _mm256_loadu_ps(out + q * ld) : _mm256_setzero_ps();
        t[q] = more ? _mm256_loadu_ps(out + q * ld + LANES) : _mm256_setzero_ps();
    }
    for (int64_t j = 0; j < depth; j++) {
        const __m256 y0 = _mm256_load_ps(panel + j * PANEL);
        const __m256 y1 = _mm256_load_ps(panel + j * PANEL + LANES);
#pragma GCC unroll 8
        for (int q = 0; q < nq; q++) {
            const __m256 x = _mm256_broadcast_ss(X + q * dim + j);
            s[q] = _mm256_fmadd_ps(x, y0, s[q]);
            t[q] = _mm256_fmadd_ps(x, y1, t[q]);
        }
    }
#pragma GCC unroll 8
    for (int q = 0; q < nq; q++) {
        _mm256_storeu_ps(out + q * ld, s[q]);
        _mm256_storeu_ps(out + q * ld + LANES, t[q]);
    }
}

static void score_some(int64_t nq, float *out, int64_t ld, const float *X, int64_t dim,
                       const float *panel, int64_t depth, int more)
{
    switch (nq) {
    case 1: score_block(1, out, ld, X, dim, panel, depth, more); break;
    case 2: score_block(2, out, ld, X, dim, panel, depth, more); break;
    case 3: score_block(3, out, ld, X, dim, panel, depth, more); break;
    case 4: score_block(4, out, ld, X, dim, panel, depth, more); break;
    case 5: score_block(5, out, ld, X, dim, panel, depth, more); break;
    default: score_block(BLOCK, out, ld, X, dim, panel, depth, more); break;
    }
}

/* The last panel of rows: through a full-width block on the stack. */
static void score_edge(int64_t nq, int64_t n_rows, float *out, int64_t ld, const float *X,
                       int64_t dim, const float *panel, int64_t depth, int more)
{
    float block[BLOCK * PANEL] = { 0 };
    for (int64_t q = 0; more && q < nq; q++)
        for (int64_t r = 0; r < n_rows; r++) block[q * PANEL + r] = out[q * ld + r];
    score_some(nq, block, PANEL, X, dim, panel, depth, more);
    for (int64_t q = 0; q < nq; q++)
        for (int64_t r = 0; r < n_rows; r++) out[q * ld + r] = block[q * PANEL + r];
}

static void score_tile(float *out, int64_t ld, const float *X, int64_t nq, const float *Y,
                       int64_t n_rows, int64_t dim)
{
    _Alignas(32) float panel[DEPTH * PANEL];
    for (int64_t r = 0; r < n_rows; r += PANEL) {
        const int64_t rows = r + PANEL <= n_rows ? PANEL : n_rows - r;
        int64_t j = 0;
        do { /* once for dim == 0 too: it stores zeroes */
            const int64_t depth = j + DEPTH <= dim ? DEPTH : dim - j;
            pack_rows(panel, Y + r * dim + j, dim, rows, depth);
            for (int64_t q = 0; q < nq; q += BLOCK) {
                const int64_t some = q + BLOCK <= nq ? BLOCK : nq - q;
                float *to = out + q * ld + r;
                if (rows == PANEL)
                    score_some(some, to, ld, X + q * dim + j, dim, panel, depth, j > 0);
                else
                    score_edge(some, rows, to, ld, X + q * dim + j, dim, panel, depth, j > 0);
            }
            j += DEPTH;
        } while (j < dim);
    }
}

/* ---- sums of outer products: A += Y'WY ---- */

/* panel[t, c] = w[t] y_t[c] for up to 16 columns, 0 beyond. */
INLINE void pack_columns(float *panel, const float *const *y, const float *w, int64_t n,
                         int64_t col, int64_t n_cols)
{
    const __m256i on0 = first_lanes(n_cols), on1 = first_lanes(n_cols - LANES);
    for (int64_t t = 0; t < n; t++) {
        const __m256 wt = _mm256_broadcast_ss(w + t);
        const __m256 y0 =
            n_cols >= PANEL ? _mm256_loadu_ps(y[t] + col) : _mm256_maskload_ps(y[t] + col, on0);
        const __m256 y1 = n_cols >= PANEL ? _mm256_loadu_ps(y[t] + col + LANES)
                                          : _mm256_maskload_ps(y[t] + col + LANES, on1);
        _mm256_store_ps(panel + t * PANEL, _mm256_mul_ps(wt, y0));
        _mm256_store_ps(panel + t * PANEL + LANES, _mm256_mul_ps(wt, y1));
    }
}

/* to[c] += (s, t)[c] for the first `keep` of n_cols columns; the others keep their bits. */
INLINE void add_row(float *to, __m256 s, __m256 t, int64_t keep, int64_t n_cols)
{
    if (n_cols >= PANEL) { /* the whole panel lies in A: add zeroes above the diagonal */
        const __m256 on0 = _mm256_castsi256_ps(first_lanes(keep));
        const __m256 on1 = _mm256_castsi256_ps(first_lanes(keep - LANES));
        const __m256 a0 = _mm256_loadu_ps(to), a1 = _mm256_loadu_ps(to + LANES);
        _mm256_storeu_ps(to, _mm256_blendv_ps(a0, _mm256_add_ps(a0, s), on0));
        _mm256_storeu_ps(to + LANES, _mm256_blendv_ps(a1, _mm256_add_ps(a1, t), on1));
    } else {
        float edge[PANEL];
        _mm256_storeu_ps(edge, s);
        _mm256_storeu_ps(edge + LANES, t);
        for (int64_t c = 0; c < (keep < n_cols ? keep : n_cols); c++) to[c] += edge[c];
    }
}

/* A[row + i, col + c] += sum_t y_t[row + i] panel[t, c] for i < nr and col + c <= row + i. */
INLINE void outer_block(int nr, float *A, int64_t ld, int64_t row, int64_t col, int64_t n_cols,
                        const float *const *y, const float *panel, int64_t n)
{
    __m256 s[BLOCK], t[BLOCK];
#pragma GCC unroll 8
    for (int i = 0; i < nr; i++) s[i] = t[i] = _mm256_setzero_ps();
    for (int64_t j = 0; j < n; j++) {
        const __m256 y0 = _mm256_load_ps(panel + j * PANEL);
        const __m256 y1 = _mm256_load_ps(panel + j * PANEL + LANES);
        const float *yj = y[j] + row;
#pragma GCC unroll 8
        for (int i = 0; i < nr; i++) {
            const __m256 x = _mm256_broadcast_ss(yj + i);
            s[i] = _mm256_fmadd_ps(x, y0, s[i]);
            t[i] = _mm256_fmadd_ps(x, y1, t[i]);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < nr; i++)
        add_row(A + (row + i) * ld + col, s[i], t[i], row + i - col + 1, n_cols);
}

static void outer_some(int64_t nr, float *A, int64_t ld, int64_t row, int64_t col, int64_t n_cols,
                       const float *const *y, const float *panel, int64_t n)
{
    switch (nr) {
    case 1: outer_block(1, A, ld, row, col, n_cols, y, panel, n); break;
    case 2: outer_block(2, A, ld, row, col, n_cols, y, panel, n); break;
    case 3: outer_block(3, A, ld, row, col, n_cols, y, panel, n); break;
    case 4: outer_block(4, A, ld, row, col, n_cols, y, panel, n); break;
    case 5: outer_block(5, A, ld, row, col, n_cols, y, panel, n); break;
    default: outer_block(BLOCK, A, ld, row, col, n_cols, y, panel, n); break;
    }
}

/* Rows [first, dim) of A += sum_t w[t] y_t' y_t, lower triangle; n <= GATHER, ld between rows. */
static void add_outer(float *A, int64_t ld, const float *const *y, const float *w, int64_t n,
                      int64_t first, int64_t dim)
{
    _Alignas(32) float panel[GATHER * PANEL];
    for (int64_t col = 0; col < dim; col += PANEL) {
        const int64_t n_cols = dim - col;
        pack_columns(panel, y, w, n, col, n_cols);
        for (int64_t row = col > first ? col : first; row < dim;) {
            const int64_t left = dim - row;
            const int64_t even = left == BLOCK + 1 || left == BLOCK + 2 ? 4 : BLOCK; /* not 6 + 1 */
            const int64_t nr = left < even ? left : even;
            outer_some(nr, A, ld, row, col, n_cols, y, panel, n);
            row += nr;
        }
    }
}

static void gram_rows(float *A, const float *Y, const int32_t *rows, const float *w, int64_t n,
                      int64_t dim)
{
    const float *y[GATHER];
    for (int64_t t = 0; t < n; t += GATHER) {
        const int64_t some = t + GATHER <= n ? GATHER : n - t;
        for (int64_t s = 0; s < some; s++) y[s] = Y + rows[t + s] * dim;
        add_outer(A, dim, y, w + t, some, 0, dim);
    }
}

/* ---- Cholesky: A = L'L, eight rows at a time from the last, sixty-four at a time far from it ----
 */

/* Factor the lower triangle of nb rows at A[p, p] in T; its diagonal becomes 1 / L[k, k].  The
 * division by the pivot comes before the root, which keeps the root off the path between steps. */
static int64_t factor_corner(float T[LANES][LANES], int nb)
{
#pragma GCC unroll 8
    for (int k = nb - 1; k >= 0; k--) {
        const float pivot = T[k][k], inverse = 1 / pivot, root = 1 / sqrtf(pivot);
        if (!(pivot > 0)) return 1 + k;
#pragma GCC unroll 8
        for (int i = 0; i < k; i++) {
            const float x = -T[k][i] * inverse;
#pragma GCC unroll 8
            for (int j = 0; j <= i; j++) T[i][j] = fmaf(x, T[k][j], T[i][j]);
        }
#pragma GCC unroll 8
        for (int j = 0; j < k; j++) T[k][j] *= root;
        T[k][k] = root;
    }
    return 0;
}

/* Rows [0, nb) of `left` (columns before the corner) become (T')^-1 left. */
INLINE void solve_left(int nb, float *left, int64_t ld, const float T[LANES][LANES], int64_t n_cols)
{
    for (int64_t c = 0; c < n_cols; c += LANES) { /* n_cols is a multiple of 8 */
        __m256 v[LANES];
#pragma GCC unroll 8
        for (int k = 0; k < nb; k++) v[k] = _mm256_loadu_ps(left + k * ld + c);
#pragma GCC unroll 8
        for (int k = nb - 1; k >= 0; k--) {
            v[k] = _mm256_mul_ps(v[k], _mm256_broadcast_ss(&T[k][k]));
#pragma GCC unroll 8
            for (int i = 0; i < k; i++)
                v[i] = _mm256_fnmadd_ps(v[k], _mm256_broadcast_ss(&T[k][i]), v[i]);
        }
#pragma GCC unroll 8
        for (int k = 0; k < nb; k++) _mm256_storeu_ps(left + k * ld + c, v[k]);
    }
}

static void copy_corner(float *to, int64_t ld_to, const float *from, int64_t ld_from, int nb)
{
    for (int i = 0; i < nb; i++)
        for (int j = 0; j <= i; j++) to[i * ld_to + j] = from[i * ld_from + j];
}

/* Factor rows [p, p + nb), whose columns from p + nb on are done with. */
static int64_t factor_rows(float *A, int64_t d, int64_t p, int nb)
{
    float T[LANES][LANES] = { { 0 } };
    copy_corner(&T[0][0], LANES, A + p * d + p, d, nb);
    const int64_t bad = factor_corner(T, nb);
    if (bad != 0) return p + bad;
    copy_corner(A + p * d + p, d, &T[0][0], LANES, nb);
    if (nb == LANES)
        solve_left(LANES, A + p * d, d, (const float(*)[LANES])T, p);
    else
        solve_left(nb, A + p * d, d, (const float(*)[LANES])T, p);
    return 0;
}

/* Rows [first, last) of A -= the outer products of rows [last, end) of L. */
static void strike_outer(float *A, int64_t d, int64_t first, int64_t last, int64_t end)
{
    const float *y[GATHER];
    float minus[GATHER];
    for (int64_t k = last; k < end; k++) {
        y[k - last] = A + k * d;
        minus[k - last] = -1;
    }
    add_outer(A, d, y, minus, end - last, first, last);
}

static int64_t chol(float *A, int64_t d)
{
    for (int64_t end = d, top; end > 0;
         end = top) { /* deep panels: A passes the caches once each */
        top = (end - 1) / GATHER * GATHER;
        for (int64_t low = end, p; low > top; low = p) {
            p = (low - 1) / LANES * LANES; /* the ragged panel comes first: the rest is aligned */
            const int64_t bad = factor_rows(A, d, p, (int)(low - p));
            if (bad != 0) return bad;
            strike_outer(A, d, top, p, low);
        }
        strike_outer(A, d, 0, top, end);
    }
    return 0;
}

/* b[0, p) -= sum_k z[k] L[p + k, 0..p); p is a multiple of 8. */
INLINE void strike_rows(int nb, float *b, const float *rows, int64_t ld, const float *z, int64_t p)
{
    __m256 minus[LANES]; /* rows that there are not: 0 times the first */
#pragma GCC unroll 8
    for (int k = 0; k < LANES; k++) minus[k] = _mm256_set1_ps(k < nb ? -z[k] : 0);
    for (int64_t c = 0; c < p; c += LANES) {
        __m256 v = _mm256_loadu_ps(b + c);
#pragma GCC unroll 8
        for (int k = 0; k < LANES; k++)
            v = _mm256_fmadd_ps(minus[k], _mm256_loadu_ps(rows + (k < nb ? k : 0) * ld + c), v);
        _mm256_storeu_ps(b + c, v);
    }
}

static void solve_up(const float *L, float *b, int64_t d) /* L'z = b, from the last row */
{
    for (int64_t end = d, p; end > 0; end = p) {
        p = (end - 1) / LANES * LANES;
        const int nb = (int)(end - p);
        const float *rows = L + p * d;
        for (int k = nb - 1; k >= 0; k--) {
            b[p + k] *= rows[k * d + p + k];
            for (int i = 0; i < k; i++) b[p + i] = fmaf(-b[p + k], rows[k * d + p + i], b[p + i]);
        }
        strike_rows(nb, b, rows, d, b + p, p);
    }
}

static void solve_down(const float *L, float *b, int64_t d) /* L x = z, from the first row */
{
    for (int64_t p = 0; p < d; p += LANES) {
        const int nb = (int)(p + LANES <= d ? LANES : d - p);
        const float *rows = L + p * d;
        __m256 s[LANES];
        float sum[LANES];
#pragma GCC unroll 8
        for (int k = 0; k < LANES; k++) s[k] = _mm256_setzero_ps();
        for (int64_t c = 0; c < p; c += LANES) {
            const __m256 x = _mm256_loadu_ps(b + c);
#pragma GCC unroll 8
            for (int k = 0; k < LANES; k++)
                s[k] = _mm256_fmadd_ps(_mm256_loadu_ps(rows + (k < nb ? k : 0) * d + c), x, s[k]);
        }
        transpose(s);
        s[0] = _mm256_add_ps(_mm256_add_ps(_mm256_add_ps(s[0], s[1]), _mm256_add_ps(s[2], s[3])),
                             _mm256_add_ps(_mm256_add_ps(s[4], s[5]), _mm256_add_ps(s[6], s[7])));
        _mm256_storeu_ps(sum, s[0]);
#pragma GCC unroll 8
        for (int k = 0; k < nb; k++) {
            float x = b[p + k] - sum[k];
#pragma GCC unroll 8
            for (int i = 0; i < k; i++) x = fmaf(-b[p + i], rows[k * d + p + i], x);
            b[p + k] = x * rows[k * d + p + k];
        }
    }
}

static void chol_solve(const float *L, float *b, int64_t d)
{
    solve_up(L, b, d);
    solve_down(L, b, d);
}

void ki_avx2_matrix(ki_kernels *k)
{
    k->score_tile = score_tile;
    k->gram_rows = gram_rows;
    k->chol = chol;
    k->chol_solve = chol_solve;
}
