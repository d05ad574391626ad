/* SPDX-License-Identifier: MIT
 * Every kernel of every set that this CPU has, against a double-precision sum or the plain loop, for sizes 0 to 130 and
 * a few beyond a packed panel.  Buffers end where the sizes end, so that AddressSanitizer sees a step beyond.
 */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "simd/kernels.h"

#include <stdlib.h>

#define EPS 5.9604645e-8 /* 2^-24, half a unit in the last place of 1 */

static const char *const names[] = { "ref", "avx2", "avx512" };

/* One exact-sized block of normal numbers. */
static float *floats(int64_t n, uint64_t seed)
{
    float *x = malloc((size_t)KI_MAX(n, (int64_t)1) * sizeof *x);
    ki_rng r = ki_rng_make(seed, 0, 0);
    ck_assert(x != NULL);
    ki_rng_fill_normal(&r, 1, x, n);
    return x;
}

static float *copy(const float *x, int64_t n)
{
    float *y = malloc((size_t)KI_MAX(n, (int64_t)1) * sizeof *y);
    ck_assert(y != NULL);
    memcpy(y, x, (size_t)n * sizeof *y);
    return y;
}

/* The sum in double, and the sum of absolute terms that bounds what floats may lose. */
static double dot64(const float *a, const float *b, int64_t n, double *mass)
{
    double sum = 0;
    *mass = 0;
    for (int64_t j = 0; j < n; j++) {
        sum += (double)a[j] * b[j];
        *mass += fabs((double)a[j] * b[j]);
    }
    return sum;
}

#define EACH_SET(k)                                                                                                    \
    for (size_t s_ = 0; s_ < KI_COUNT(names); s_++)                                                                    \
        for (const ki_kernels *k = ki_kernels_named(names[s_]); k != NULL; k = NULL)

TEST(simd_picks_a_set_that_the_cpu_has_and_knows_no_others)
{
    CHECK(ki_kernels_named("ref") != NULL);
    CHECK(ki_kernels_named("sse9") == NULL);
    CHECK(ki_kernels_named(ki_kernels_get()->name) == ki_kernels_get());
    EACH_SET(k)
    CHECK_STR(k->name, names[s_]);
}

TEST(simd_set_is_forced_by_the_environment)
{
    setenv("KITH_SIMD", "ref", 1);
    CHECK_STR(ki_kernels_get()->name, "ref");
}

TEST(simd_set_that_the_cpu_lacks_is_not_forced)
{
    setenv("KITH_SIMD", "sse9", 1);
    CHECK(ki_kernels_named(ki_kernels_get()->name) != NULL);
}

TEST(dot_is_the_sum_within_its_bound)
{
    EACH_SET(k)
    for (int64_t n = 0; n <= 130; n++) {
        float *a = floats(n, 1), *b = floats(n, 2);
        double mass;
        const double want = dot64(a, b, n, &mass);
        CHECK_NEAR(k->dot(a, b, n), want, (double)n * EPS * mass); /* the bound of kernels.h */
        free(a), free(b);
    }
}

TEST(axpy_adds_a_multiple)
{
    EACH_SET(k)
    for (int64_t n = 0; n <= 130; n++) {
        float *x = floats(n, 3), *y = floats(n, 4), *got = copy(y, n);
        k->axpy(got, 0.75f, x, n);
        for (int64_t j = 0; j < n; j++) { /* at most two roundings */
            const double want = y[j] + 0.75 * x[j];
            CHECK_NEAR(got[j], want, 2 * EPS * (fabs(y[j]) + fabs(want)));
        }
        free(x), free(y), free(got);
    }
}

enum { SGD_USERS = 4, SGD_ITEMS = 6, SGD_RATINGS = 19 };

/* The steps in double, rows as they are held: P and Q with `stride` numbers a row, the bias the last. */
static double sgd64(const ki_sgd *s, double *P, double *Q, const ki_sgd_rating *x, int n)
{
    double sum = 0;
    for (int t = 0; t < n; t++) {
        double *p = P + x[t].u * s->stride, *q = Q + x[t].i * s->stride, *bu = p + s->stride - 1,
               *bi = q + s->stride - 1;
        double e = x[t].r - s->mean - *bu - *bi;
        for (int64_t j = 0; j < s->width; j++) e -= p[j] * q[j];
        *bu += s->lr_bu * (e - s->reg_bu * *bu);
        *bi += s->lr_bi * (e - s->reg_bi * *bi);
        for (int64_t j = 0; j < s->width; j++) {
            const double pj = p[j];
            p[j] += s->lr_p * (e * q[j] - s->reg_p * pj);
            q[j] += s->lr_q * (e * pj - s->reg_q * q[j]);
        }
        sum += e * e;
    }
    return sum;
}

static void check_sgd(const ki_kernels *k, int64_t width, int n)
{
    /* pairs of two users with four items, with items in common, a user alone, three in a row, one at the end */
    static const ki_sgd_rating x[SGD_RATINGS] = { { 0, 0, 4 }, { 0, 1, 3 }, { 1, 2, 1 }, { 1, 3, 5 }, { 0, 4, 2 },
                                                  { 0, 5, 4 }, { 1, 4, 3 }, { 1, 0, 2 }, { 2, 3, 5 }, { 3, 0, 1 },
                                                  { 3, 1, 2 }, { 3, 2, 3 }, { 2, 0, 4 }, { 2, 1, 4 }, { 3, 4, 1 },
                                                  { 3, 5, 2 }, { 2, 4, 3 }, { 2, 5, 3 }, { 1, 5, 5 } };
    const int64_t stride = (width + 16) / 16 * 16, n_p = SGD_USERS * stride, n_q = SGD_ITEMS * stride;
    float *P = floats(n_p, 5), *Q = floats(n_q, 6);
    double *P64 = malloc((size_t)n_p * sizeof *P64), *Q64 = malloc((size_t)n_q * sizeof *Q64);
    const ki_sgd s = { P, Q, width, stride, 3.5f, .01f, .1f, .02f, .2f, .03f, .05f, .04f, .15f };
    for (int64_t j = 0; j < n_p; j++) P64[j] = P[j] *= .2f;
    for (int64_t j = 0; j < n_q; j++) Q64[j] = Q[j] *= .2f;
    const double got = k->sgd_run(&s, x, n), want = sgd64(&s, P64, Q64, x, n);
    CHECK_NEAR(got, want, 1e-4 * want); /* errors near 1, of sums of 130 products, each from the ones before */
    for (int64_t j = 0; j < n_p; j++)
        CHECK_NEAR(P[j], P64[j], 1e-5); /* numbers below 1, steps a hundredth of the error */
    for (int64_t j = 0; j < n_q; j++) CHECK_NEAR(Q[j], Q64[j], 1e-5);
    free(P), free(Q), free(P64), free(Q64);
}

TEST(sgd_run_takes_its_steps_one_after_the_other)
{
    EACH_SET(k)
    for (int64_t width = 0; width <= 128; width += 8)
        for (int n = 0; n <= SGD_RATINGS; n++) check_sgd(k, width, n);
}

TEST(dot_rows_is_a_dot_per_row_whatever_the_number_of_rows)
{
    EACH_SET(k)
    for (int64_t dim = 0; dim <= 130; dim += dim < 34 ? 1 : 7)
        for (int64_t n = 0; n <= 9; n++) {
            float *Y = floats(n * dim, 7), *x = floats(dim, 8), *out = floats(n, 9), alone;
            k->dot_rows(out, Y, x, n, dim);
            for (int64_t r = 0; r < n; r++) {
                double mass;
                const double want = dot64(Y + r * dim, x, dim, &mass);
                CHECK_NEAR(out[r], want, (double)dim * EPS * mass);
                k->dot_rows(&alone, Y + r * dim, x, 1, dim);
                CHECK(alone == out[r]);
            }
            free(Y), free(x), free(out);
        }
}

/* What dot_at and axpy_at make of n rows of Y, against sums in double. */
static void check_at(const ki_kernels *k, int64_t n, int64_t dim)
{
    static const int32_t some[] = { 4, 0, 0, 6, 2, 5, 1, 1, 3, 6, 4, 2, 0, 5, 1, 3, 2, 6, 0 };
    int32_t rows[66];
    for (int j = 0; j < 66; j++) rows[j] = some[j % 19];
    float *Y = floats(7 * dim, 7), *x = floats(dim, 8), *a = floats(n, 9), *w = floats(n, 10);
    float *out = floats(n, 11), *sum = copy(x, dim);
    k->dot_at(out, Y, rows, x, n, dim);
    k->axpy_at(sum, a, Y, rows, n, dim);
    for (int64_t t = 0; t < n; t++) {
        double mass;
        const double want = dot64(Y + rows[t] * dim, x, dim, &mass);
        CHECK_NEAR(out[t], want, (double)dim * EPS * mass);
    }
    for (int64_t j = 0; j < dim; j++) {
        double linear = x[j], mass = fabs(x[j]);
        for (int64_t t = 0; t < n; t++) {
            const double y = Y[rows[t] * dim + j];
            linear += a[t] * y;
            mass += fabs(a[t] * y);
        }
        CHECK_NEAR(sum[j], linear, (double)(n + 2) * EPS * mass);
    }
    free(Y), free(x), free(a), free(w), free(out), free(sum);
}

TEST(sums_over_a_list_of_rows_follow_the_list)
{
    EACH_SET(k)
    for (int64_t dim = 0; dim <= 130; dim += dim < 34 ? 1 : 7)
        for (int64_t n = 0; n <= 19; n++) check_at(k, n, dim);
}

/* Conjugate gradients in double, as plain as can be: A is made whole. */
static void cg64(double *x, const ki_cg_row *q, int32_t steps)
{
    const int64_t d = q->dim;
    double A[40 * 40], r[40], p[40], Ap[40], inverse[40], rz = 0, share = 0;
    for (int64_t t = 0; t < q->n; t++) share += (double)q->share * q->w[t];
    for (int64_t i = 0; i < d; i++) {
        r[i] = 0;
        for (int64_t j = 0; j < d; j++) {
            A[i * d + j] = i == j ? (double)q->a * q->S[i] + q->l : 0;
            for (int64_t t = 0; t < q->n; t++)
                A[i * d + j] += (double)q->w[t] * q->Y[q->rows[t] * d + i] * q->Y[q->rows[t] * d + j];
            r[i] -= A[i * d + j] * x[j];
        }
        for (int64_t t = 0; t < q->n; t++) r[i] += ((double)q->a + q->w[t]) * q->Y[q->rows[t] * d + i];
        inverse[i] = 1 / ((q->a + share) * q->S[i] + q->l);
        p[i] = inverse[i] * r[i];
        rz += p[i] * r[i];
    }
    for (int32_t step = 0; step < steps; step++) {
        double pAp = 0, after = 0;
        for (int64_t i = 0; i < d; i++) {
            Ap[i] = 0;
            for (int64_t j = 0; j < d; j++) Ap[i] += A[i * d + j] * p[j];
            pAp += p[i] * Ap[i];
        }
        if (!(pAp > 0)) return;
        for (int64_t i = 0; i < d; i++) {
            x[i] += rz / pAp * p[i];
            r[i] -= rz / pAp * Ap[i];
            after += inverse[i] * r[i] * r[i];
        }
        for (int64_t i = 0; i < d; i++) p[i] = inverse[i] * r[i] + after / rz * p[i];
        rz = after;
    }
}

static void check_cg(const ki_kernels *k, int64_t n, int64_t dim, int32_t steps)
{
    static const int32_t some[] = { 4, 0, 0, 6, 2, 5, 1, 1, 3, 6, 4, 2, 0, 5, 1, 3, 2, 6, 0 };
    int32_t rows[66];
    for (int j = 0; j < 66; j++) rows[j] = some[j % 19];
    float *Y = floats(7 * dim, 7), *x = floats(dim, 8), *S = floats(dim, 9), *w = floats(n, 10), *first = copy(x, dim);
    float *scratch = floats(KI_CG_ROOM(dim), 11);
    double want[40];
    for (int64_t j = 0; j < dim; j++) want[j] = x[j], S[j] = 1 + S[j] * S[j];
    for (int64_t t = 0; t < n; t++) w[t] = w[t] * w[t];
    const ki_cg_row q = { Y, S, rows, w, n, dim, .75f, .5f, .25f, KI_MIN(n, 3), rows };
    k->cg(x, &q, steps, scratch);
    cg64(want, &q, steps);
    for (int64_t j = 0; j < dim; j++)
        CHECK_NEAR(x[j], want[j], 2e-4); /* of numbers near 1: rounding grows by the condition, below 50, each step */
    if (steps == 0) CHECK(memcmp(x, first, (size_t)dim * sizeof *x) == 0);
    free(Y), free(x), free(S), free(w), free(first), free(scratch);
}

TEST(cg_takes_the_steps_that_it_is_told_to)
{
    EACH_SET(k)
    for (int64_t dim = 0; dim <= 40; dim++)
        for (int64_t n = 0; n <= 19; n++)
            for (int32_t steps = 0; steps <= 3; steps++) check_cg(k, n, dim, steps);
    EACH_SET(k) for (int64_t n = 63; n <= 66; n++) check_cg(k, n, 9, 3); /* more than are gathered at a time */
}

TEST(cg_leaves_alone_what_nothing_pulls_at)
{
    EACH_SET(k)
    {
        const float Y[] = { 1, 0, 0, 2, 0, 0 }, S[] = { 1, 0, 0 }, w[] = { 1, 1 };
        const int32_t rows[] = { 0, 1 };
        float x[] = { 1, 7, -7 }, scratch[KI_CG_ROOM(3)];
        const ki_cg_row q = { Y, S, rows, w, 2, 3, 1, 0, 1, 0, NULL }; /* no ridge: coordinates 1 and 2 are free */
        k->cg(x, &q, 5, scratch);
        CHECK_NEAR(x[0], 1, 1e-6); /* (1 + 1 + 4) x = 2 + 4: solved already */
        CHECK(x[1] == 7 && x[2] == -7);
    }
}

/* (a + l + w yy') x = (a + w) y, so that x = y (a + w) / (a + l + w y.y). */
static void check_one_event(const ki_kernels *k, float w, float a, float l)
{
    enum { DIM = 9 }; /* not whole vectors */
    const int32_t row[] = { 0 };
    float Y[DIM], S[DIM], x[DIM] = { 0 }, scratch[KI_CG_ROOM(DIM)];
    double yy = 0;
    for (int j = 0; j < DIM; j++) Y[j] = .1f * (float)(j + 1), S[j] = 1, yy += (double)Y[j] * Y[j];
    const ki_cg_row q = { Y, S, row, &w, 1, DIM, a, l, .5f, 0, NULL };
    k->cg(x, &q, 3, scratch);
    for (int j = 0; j < DIM; j++) CHECK_NEAR(x[j], Y[j] * ((double)a + w) / ((double)a + l + w * yy), 1e-5);
}

TEST(cg_takes_weights_of_any_size)
{
    EACH_SET(k)
    {
        check_one_event(k, 1e20f, 0, .5e20f);  /* whose squares are beyond float */
        check_one_event(k, 1e-24f, 0, 1e-24f); /* whose squares are 0 */
        check_one_event(k, 1, 1, 1e-40f);      /* a ridge whose inverse is beyond float */
    }
}

/* One tile against sums in double, then every value again in a tile of its own: the same bits. */
static void check_tile(const ki_kernels *k, int64_t nq, int64_t n_rows, int64_t dim)
{
    const int64_t ld = n_rows + 3;
    float *X = floats(nq * dim, 10), *Y = floats(n_rows * dim, 11), alone;
    float *out = floats(KI_MAX(nq * ld - 3, (int64_t)0), 12), *before = copy(out, KI_MAX(nq * ld - 3, (int64_t)0));
    k->score_tile(out, ld, X, nq, Y, n_rows, dim);
    for (int64_t q = 0; q < nq; q++) {
        for (int64_t r = 0; r < n_rows; r++) {
            double mass;
            const double want = dot64(X + q * dim, Y + r * dim, dim, &mass);
            CHECK_NEAR(out[q * ld + r], want, (double)dim * EPS * mass);
            k->score_tile(&alone, 1, X + q * dim, 1, Y + r * dim, 1, dim);
            CHECK(alone == out[q * ld + r]);
        }
        for (int64_t gap = n_rows; q + 1 < nq && gap < ld; gap++) CHECK(out[q * ld + gap] == before[q * ld + gap]);
    }
    free(X), free(Y), free(out), free(before);
}

TEST(score_tile_gives_the_same_bits_for_any_cut)
{
    EACH_SET(k)
    {
        for (int64_t dim = 0; dim <= 130; dim += dim < 18 ? 1 : 16) check_tile(k, 7, 19, dim);
        for (int64_t nq = 0; nq <= 13; nq++) check_tile(k, nq, 33, 9);
        for (int64_t n_rows = 0; n_rows <= 70; n_rows++) check_tile(k, 7, n_rows, 8);
        check_tile(k, 8, 40, 256);
        check_tile(k, 5, 35, 600); /* three packed panels deep */
    }
}

static void check_gram(const ki_kernels *k, int64_t n, int64_t dim)
{
    enum { HELD = 11 };
    float *Y = floats(HELD * dim, 13), *w = floats(n, 14), *A = floats(dim * dim, 15), *got = copy(A, dim * dim);
    int32_t *rows = malloc((size_t)KI_MAX(n, (int64_t)1) * sizeof *rows);
    for (int64_t t = 0; t < n; t++) rows[t] = (int32_t)((t * 7 + 3) % HELD);
    k->gram_rows(got, Y, rows, w, n, dim);
    for (int64_t a = 0; a < dim; a++)
        for (int64_t b = 0; b < dim; b++) {
            double want = A[a * dim + b], mass = fabs(want);
            for (int64_t t = 0; b <= a && t < n; t++) {
                const double term = (double)w[t] * Y[rows[t] * dim + a] * Y[rows[t] * dim + b];
                want += term;
                mass += fabs(term);
            }
            /* n + 1 sums and one rounding of w y; above the diagonal: untouched */
            CHECK_NEAR(got[a * dim + b], want, b <= a ? (double)(n + 2) * EPS * mass : 0);
        }
    free(Y), free(w), free(A), free(got), free(rows);
}

TEST(gram_rows_adds_weighted_outer_products_below_the_diagonal_only)
{
    EACH_SET(k)
    {
        for (int64_t dim = 0; dim <= 130; dim += dim < 50 ? 1 : 10) check_gram(k, 5, dim);
        for (int64_t n = 0; n <= 130; n += n < 4 ? 1 : 21) check_gram(k, n, 21);
        check_gram(k, 64, 32);
        check_gram(k, 65, 32);
    }
}

TEST(scan_above_finds_what_is_greater_and_never_a_nan)
{
    EACH_SET(k)
    for (int64_t n = 0; n <= 130; n++) {
        float *x = floats(n, 16);
        int32_t *at = malloc((size_t)KI_MAX(n, (int64_t)1) * sizeof *at);
        for (int64_t j = 0; j < n; j += 5) x[j] = j % 10 == 0 ? NAN : 0.25f;
        for (int round = 0; round < 3; round++) {
            const float threshold = round == 0 ? 0.25f : round == 1 ? -INFINITY : INFINITY;
            int64_t want = 0;
            const int64_t found = k->scan_above(at, x, n, threshold);
            for (int64_t j = 0; j < n; j++)
                if (x[j] > threshold) {
                    CHECK(want < found);
                    CHECK_INT(at[want++], j);
                }
            CHECK_INT(found, want);
        }
        free(x), free(at);
    }
}

TEST(scan_bytes_finds_both_bytes_and_no_other)
{
    EACH_SET(k)
    for (int64_t n = 0; n <= 200; n++)
        for (int dense = 0; dense < 3; dense++) { /* none, some, all */
            char *text = malloc((size_t)n + 1);
            int32_t *at = malloc(((size_t)n + 8) * sizeof *at);
            ki_rng r = ki_rng_make(17, (uint64_t)n, (uint64_t)dense);
            for (int64_t j = 0; j < n; j++) {
                const uint32_t x = ki_rng_below(&r, 4);
                text[j] =
                    (char)(dense == 2 || (dense == 1 && x == 0) ? (x % 2 ? 10u : 44u) : ki_rng_below(&r, 256) | 0x80);
            }
            const int64_t found = k->scan_bytes(at, text, n, ',', '\n');
            int64_t want = 0;
            for (int64_t j = 0; j < n; j++)
                if (text[j] == ',' || text[j] == '\n') {
                    CHECK(want < found);
                    CHECK_INT(at[want++], j);
                }
            CHECK_INT(found, want);
            free(text), free(at);
        }
}

/* A = G'G + d I for a random G: symmetric, positive definite, condition below about 5. */
static float *definite(int64_t d, uint64_t seed)
{
    float *G = floats(d * d, seed), *A = malloc((size_t)KI_MAX(d * d, (int64_t)1) * sizeof *A);
    for (int64_t a = 0; a < d; a++)
        for (int64_t b = 0; b < d; b++) {
            double sum = a == b ? (double)d : 0;
            for (int64_t t = 0; t < d; t++) sum += (double)G[t * d + a] * G[t * d + b];
            A[a * d + b] = (float)sum;
        }
    free(G);
    return A;
}

TEST(chol_multiplied_out_is_the_matrix)
{
    EACH_SET(k)
    for (int64_t d = 0; d <= 130; d += d < 34 ? 1 : 8) {
        float *A = definite(d, 17), *L = copy(A, d * d);
        double top = 0;
        CHECK_INT(k->chol(L, d), 0);
        for (int64_t a = 0; a < d * d; a++) top = fmax(top, fabs(A[a]));
        for (int64_t a = 0; a < d; a++)
            for (int64_t b = 0; b < d; b++) {
                if (b > a) { /* above the diagonal: untouched */
                    CHECK(L[a * d + b] == A[a * d + b]);
                    continue;
                }
                double sum = 0; /* row k of L reaches columns up to k; its diagonal is inverted */
                for (int64_t t = a; t < d; t++)
                    sum += (t == a ? 1.0 / L[t * d + t] : L[t * d + a]) * (t == b ? 1.0 / L[t * d + t] : L[t * d + b]);
                CHECK_NEAR(sum, A[a * d + b], 4 * (double)d * EPS * top); /* the bound of kernels.h */
            }
        free(A), free(L);
    }
}

TEST(chol_solve_gives_back_the_vector_that_was_multiplied)
{
    EACH_SET(k)
    for (int64_t d = 0; d <= 130; d++) {
        float *A = definite(d, 18), *x = floats(d, 19), *b = floats(d, 20);
        for (int64_t a = 0; a < d; a++) {
            double mass;
            b[a] = (float)dot64(A + a * d, x, d, &mass);
        }
        CHECK_INT(k->chol(A, d), 0);
        k->chol_solve(A, b, d);
        /* condition below 5, forward error below condition * d * eps * |x|, |x| below 4 sqrt(d) */
        for (int64_t a = 0; a < d; a++) CHECK_NEAR(b[a], x[a], 1e-6 + 5 * (double)d * EPS * 4 * sqrt((double)d));
        free(A), free(x), free(b);
    }
}

TEST(chol_names_the_pivot_that_is_not_positive)
{
    EACH_SET(k)
    for (int64_t d = 1; d <= 30; d++)
        for (int64_t bad = 0; bad < d; bad += 3) {
            float *A = definite(d, 21);
            A[bad * d + bad] = bad % 2 == 0 ? -1 : NAN;
            CHECK_INT(k->chol(A, d), 1 + bad);
            free(A);
        }
}

/* Sums of bytes are exact; what is made of them in floats is within eight roundings. */
TEST(simd_bound_bytes_bounds)
{
    EACH_SET(k)
    for (int64_t quads = 0; quads < 35; quads++) {
        ki_rng g = ki_rng_make(21, (uint64_t)quads, 0);
        const size_t size = (size_t)quads * 32 + 128;
        uint8_t *rows = malloc(size);
        int8_t *x = malloc((size_t)quads * 4 + 1);
        float lower[8], upper[8], figures[32];
        ck_assert(rows != NULL && x != NULL);
        for (int64_t j = 0; j < quads * 32; j++) rows[j] = (uint8_t)(j % 5 == 0 ? 255 : ki_rng_below(&g, 256));
        for (int64_t j = 0; j < quads * 4; j++) x[j] = (int8_t)(j % 3 == 0 ? 63 : (int)ki_rng_below(&g, 127) - 63);
        for (int j = 0; j < 32; j++) figures[j] = (float)ki_rng_unit(&g) - (j >= 24 ? 0.5f : 0);
        memcpy(rows + quads * 32, figures, sizeof figures);
        const ki_bytes_query q = { x, quads, 777, 0.25f, 0.125f, 0.75f, 0.01f };
        const int hits = k->bound_bytes(lower, upper, &q, rows, 0.5f);
        for (int r = 0; r < 8; r++) {
            int64_t sum = 0;
            for (int64_t j = 0; j < quads * 4; j++) sum += x[j] * rows[(j / 4 * 8 + r) * 4 + j % 4];
            const double part = 0.25 * figures[r] * (double)(sum - 777);
            const double width = 0.125 * figures[8 + r] + 0.75 * figures[16 + r] + (double)0.01f;
            const double middle = part + figures[24 + r];
            const double tol = 8 * EPS * (fabs(part) + fabs((double)figures[24 + r]) + width);
            CHECK_NEAR(lower[r], middle - width, tol);
            CHECK_NEAR(upper[r], middle + width, tol);
            CHECK_INT(hits >> r & 1, upper[r] >= 0.5f);
        }
        free(rows);
        free(x);
    }
}
