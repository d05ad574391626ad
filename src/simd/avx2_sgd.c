/* SPDX-License-Identifier: MIT
 * avx2_sgd.c -- steps of gradient descent over ratings, with AVX2
 *
 * Pairs       A step must wait for the product of the step before, so two ratings a, b of a user are taken together:
 *             with q_a.q_b at hand, p.q_b after the first step follows from p.q_b before it, and so does the second
 *             error from the first, by one multiplication.  The same steps in the same order.
 * Twos        A pair still waits for its products.  Where two pairs in a row are of two users and of four items they
 *             share nothing: their products run side by side, and so do the waits.
 * Limit       11 multiplications or more per factor and rating: 72 cycles for two of 104 factors
 */
#include "simd/avx2.h"

enum {
    AHEAD = 8, /* ratings from one whose factors are asked for to the one at work */
    LINE = 16, /* floats of a cache line */
};

/* What does not change from step to step. */
struct run {
    const ki_sgd *s;
    int64_t width, stride;
    float keep_p, keep_bu; /* what is left of p and bu by the penalty of a step */
};

struct pair { /* two ratings of one user */
    float *p, *a, *b;
    float e[2];
};

INLINE float *user_row(const ki_sgd *s, const ki_sgd_rating *x)
{
    return s->P + x->u * s->stride;
}

INLINE float *item_row(const ki_sgd *s, const ki_sgd_rating *x)
{
    return s->Q + x->i * s->stride;
}

/* Ask for the factors of items that come soon: no hardware foresees them. */
INLINE void fetch(const ki_sgd *s, const ki_sgd_rating *x, const ki_sgd_rating *stop, int n)
{
    for (int ahead = AHEAD; ahead < AHEAD + n && x + ahead < stop; ahead++) {
        const float *q = item_row(s, x + ahead);
        for (int64_t j = 0; j < s->stride; j += LINE)
            _mm_prefetch((const char *)(q + j), _MM_HINT_T0);
    }
}

/* Sums of four vectors' lanes. */
INLINE __m128 four_sums(__m256 a, __m256 b, __m256 c, __m256 d)
{
    const __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    return _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
}

INLINE struct pair pair_at(const ki_sgd *s, const ki_sgd_rating *x)
{
    return (struct pair){ user_row(s, x), item_row(s, x), item_row(s, x + 1), { 0, 0 } };
}

/* The lanes of p.a, p.b and a.b. */
struct products {
    __m256 pa, pb, ab;
};

INLINE void add_products(struct products *s, const struct pair *v, int64_t j)
{
    const __m256 p = _mm256_loadu_ps(v->p + j), a = _mm256_loadu_ps(v->a + j),
                 b = _mm256_loadu_ps(v->b + j);
    s->pa = _mm256_fmadd_ps(p, a, s->pa);
    s->pb = _mm256_fmadd_ps(p, b, s->pb);
    s->ab = _mm256_fmadd_ps(a, b, s->ab);
}

/* Both errors from the products before the first step, and the biases after both. */
INLINE void step_biases(const struct run *t, struct pair *v, const ki_sgd_rating *x,
                        __m128 products)
{
    const ki_sgd *s = t->s;
    const int64_t last = t->stride - 1;
    const float pa = _mm_cvtss_f32(products), pb = _mm_cvtss_f32(_mm_movehdup_ps(products)),
                ab = _mm_cvtss_f32(_mm_movehl_ps(products, products));
    const float bu = v->p[last], ba = v->a[last], bb = v->b[last];
    const float rest = x[1].r - s->mean - bb - t->keep_bu * bu - t->keep_p * pb;
    const float e0 = x[0].r - s->mean - (bu + ba) - pa, e1 = rest - e0 * (s->lr_bu + s->lr_p * ab);
    const float between = t->keep_bu * bu + s->lr_bu * e0;
    v->p[last] = t->keep_bu * between + s->lr_bu * e1;
    v->a[last] = ba + s->lr_bi * (e0 - s->reg_bi * ba);
    v->b[last] = bb + s->lr_bi * (e1 - s->reg_bi * bb);
    v->e[0] = e0;
    v->e[1] = e1;
}

INLINE void step_factors(const struct run *t, const struct pair *v)
{
    const ki_sgd *s = t->s;
    const __m256 kp = _mm256_set1_ps(t->keep_p), kq = _mm256_set1_ps(1 - s->lr_q * s->reg_q);
    const __m256 pa = _mm256_set1_ps(s->lr_p * v->e[0]), qa = _mm256_set1_ps(s->lr_q * v->e[0]);
    const __m256 pb = _mm256_set1_ps(s->lr_p * v->e[1]), qb = _mm256_set1_ps(s->lr_q * v->e[1]);
    for (int64_t j = 0; j < t->width; j += LANES) {
        const __m256 p = _mm256_loadu_ps(v->p + j), a = _mm256_loadu_ps(v->a + j),
                     b = _mm256_loadu_ps(v->b + j);
        const __m256 between = _mm256_fmadd_ps(pa, a, _mm256_mul_ps(kp, p));
        _mm256_storeu_ps(v->a + j, _mm256_fmadd_ps(qa, p, _mm256_mul_ps(kq, a)));
        _mm256_storeu_ps(v->p + j, _mm256_fmadd_ps(pb, b, _mm256_mul_ps(kp, between)));
        _mm256_storeu_ps(v->b + j, _mm256_fmadd_ps(qb, between, _mm256_mul_ps(kq, b)));
    }
}

INLINE double squares(const struct pair *v)
{
    return (double)v->e[0] * v->e[0] + (double)v->e[1] * v->e[1];
}

INLINE double step_pair(const struct run *t, const ki_sgd_rating *x)
{
    struct pair v = pair_at(t->s, x);
    const __m256 zero = _mm256_setzero_ps();
    struct products even = { zero, zero, zero }, odd = even;
    int64_t j = 0;
    for (; j + 2 * LANES <= t->width; j += 2 * LANES) {
        add_products(&even, &v, j);
        add_products(&odd, &v, j + LANES);
    }
    if (j < t->width) add_products(&even, &v, j);
    const __m256 ab = _mm256_add_ps(even.ab, odd.ab);
    step_biases(t, &v, x,
                four_sums(_mm256_add_ps(even.pa, odd.pa), _mm256_add_ps(even.pb, odd.pb), ab, ab));
    step_factors(t, &v);
    return squares(&v);
}

/* Two pairs that share nothing. */
INLINE double step_pairs(const struct run *t, const ki_sgd_rating *x)
{
    struct pair v = pair_at(t->s, x), w = pair_at(t->s, x + 2);
    const __m256 zero = _mm256_setzero_ps();
    struct products a = { zero, zero, zero }, b = a;
    for (int64_t j = 0; j < t->width; j += LANES) {
        add_products(&a, &v, j);
        add_products(&b, &w, j);
    }
    step_biases(t, &v, x, four_sums(a.pa, a.pb, a.ab, a.ab));
    step_biases(t, &w, x + 2, four_sums(b.pa, b.pb, b.ab, b.ab));
    step_factors(t, &v);
    step_factors(t, &w);
    return squares(&v) + squares(&w);
}

static double step_one(const struct run *t, const ki_sgd_rating *x)
{
    const ki_sgd *s = t->s;
    float *p = user_row(s, x), *q = item_row(s, x), *bu = p + t->stride - 1,
          *bi = q + t->stride - 1;
    __m256 sum = _mm256_setzero_ps();
    for (int64_t j = 0; j < t->width; j += LANES)
        sum = _mm256_fmadd_ps(_mm256_loadu_ps(p + j), _mm256_loadu_ps(q + j), sum);
    const float e = x->r - s->mean - (*bu + *bi) - sum_lanes(sum);
    *bu += s->lr_bu * (e - s->reg_bu * *bu);
    *bi += s->lr_bi * (e - s->reg_bi * *bi);
    const __m256 kp = _mm256_set1_ps(t->keep_p), kq = _mm256_set1_ps(1 - s->lr_q * s->reg_q);
    const __m256 sp = _mm256_set1_ps(s->lr_p * e), sq = _mm256_set1_ps(s->lr_q * e);
    for (int64_t j = 0; j < t->width; j += LANES) {
        const __m256 pj = _mm256_loadu_ps(p + j), qj = _mm256_loadu_ps(q + j);
        _mm256_storeu_ps(p + j, _mm256_fmadd_ps(sp, qj, _mm256_mul_ps(kp, pj)));
        _mm256_storeu_ps(q + j, _mm256_fmadd_ps(sq, pj, _mm256_mul_ps(kq, qj)));
    }
    return (double)e * e;
}

/* How many of the ratings from x on go together: 4, 2 or 1. */
INLINE int taken_together(const ki_sgd_rating *x, const ki_sgd_rating *stop)
{
    if (stop - x < 2 || x[1].u != x[0].u) return 1;
    if (stop - x < 4 || x[3].u != x[2].u || x[2].u == x[0].u) return 2;
    const int shared =
        (x[2].i == x[0].i) | (x[2].i == x[1].i) | (x[3].i == x[0].i) | (x[3].i == x[1].i);
    return shared ? 2 : 4;
}

static double sgd_run(const ki_sgd *s, const ki_sgd_rating *x, int64_t n)
{
    const struct run t = { s, s->width, s->stride, 1 - s->lr_p * s->reg_p,
                           1 - s->lr_bu * s->reg_bu };
    double sum = 0;
    for (const ki_sgd_rating *stop = x + n; x < stop;) {
        const int together = taken_together(x, stop);
        fetch(s, x, stop, together);
        sum += together == 4   ? step_pairs(&t, x)
               : together == 2 ? step_pair(&t, x)
                               : step_one(&t, x);
        x += together;
    }
    return sum;
}

void ki_avx2_sgd(ki_kernels *k)
{
    k->sgd_run = sgd_run;
}
