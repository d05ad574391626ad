/* SPDX-License-Identifier: MIT
 * sgd_body.h -- steps of gradient descent over ratings, written once for vectors of 8 and of 16 lanes
 *
 * Pairs       A step must wait for the product of the step before, so two ratings a, b of a user are taken together:
 *             with q_a.q_b at hand, p.q_b after the first step follows from p.q_b before it, and so does the second
 *             error from the first, by one multiplication.  The same steps in the same order.
 * Twos        A pair still waits for its products.  Where two pairs in a row are of two users and of four items they
 *             share nothing: their products run side by side, and so do the waits.
 * Limit       11 multiplications or more per factor and rating: 72 cycles for two of 104 factors with 8 lanes
 *
 * Whoever includes it has INLINE, LANES, the type vec and, above the include: v_zero, v_all, v_add, v_mul, v_fma,
 * v_load and v_store of the first n lanes (n is LANES or HALF), v_sum, and four_sums.
 */
enum {
    HALF = 8,  /* a row is a whole number of these: with 16 lanes its last vector may be half one */
    AHEAD = 8, /* ratings from one whose factors are asked for to the one at work */
    LINE = 16, /* floats of a cache line */
};

/* What does not change from step to step. */
struct run {
    const ki_sgd *s;
    int64_t width, whole; /* floats of a row, and those in whole vectors */
    vec keep_p, keep_q;   /* what is left of p and q by the penalty of a step */
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

INLINE struct pair pair_at(const ki_sgd *s, const ki_sgd_rating *x)
{
    return (struct pair){ user_row(s, x), item_row(s, x), item_row(s, x + 1), { 0, 0 } };
}

/* ---- products ---- */

/* The lanes of p.a, p.b and a.b. */
struct products {
    vec pa, pb, ab;
};

INLINE void add_products(struct products *s, const struct pair *v, int64_t j, int n)
{
    const vec p = v_load(v->p + j, n), a = v_load(v->a + j, n), b = v_load(v->b + j, n);
    s->pa = v_fma(p, a, s->pa);
    s->pb = v_fma(p, b, s->pb);
    s->ab = v_fma(a, b, s->ab);
}

/* Of one pair, with two sums of each in flight. */
INLINE __m128 products_of(const struct run *t, const struct pair *v)
{
    struct products even = { v_zero(), v_zero(), v_zero() }, odd = even;
    int64_t j = 0;
    for (; j + 2 * LANES <= t->whole; j += 2 * LANES) {
        add_products(&even, v, j, LANES);
        add_products(&odd, v, j + LANES, LANES);
    }
    if (j < t->whole) add_products(&even, v, j, LANES);
    if (t->whole < t->width) add_products(&odd, v, t->whole, HALF);
    const vec ab = v_add(even.ab, odd.ab);
    return four_sums(v_add(even.pa, odd.pa), v_add(even.pb, odd.pb), ab, ab);
}

/* ---- steps ---- */

/* Both errors from the products before the first step, and the biases after both. */
INLINE void step_biases(const struct run *t, struct pair *v, const ki_sgd_rating *x,
                        __m128 products)
{
    const ki_sgd *s = t->s;
    const int64_t last = s->stride - 1;
    const float keep_bu = 1 - s->lr_bu * s->reg_bu, keep_p = 1 - s->lr_p * s->reg_p;
    const float pa = _mm_cvtss_f32(products), pb = _mm_cvtss_f32(_mm_movehdup_ps(products)),
                ab = _mm_cvtss_f32(_mm_movehl_ps(products, products));
    const float bu = v->p[last], ba = v->a[last], bb = v->b[last];
    const float rest = x[1].r - s->mean - bb - keep_bu * bu - keep_p * pb;
    const float e0 = x[0].r - s->mean - (bu + ba) - pa, e1 = rest - e0 * (s->lr_bu + s->lr_p * ab);
    const float between = keep_bu * bu + s->lr_bu * e0;
    v->p[last] = keep_bu * between + s->lr_bu * e1;
    v->a[last] = ba + s->lr_bi * (e0 - s->reg_bi * ba);
    v->b[last] = bb + s->lr_bi * (e1 - s->reg_bi * bb);
    v->e[0] = e0;
    v->e[1] = e1;
}

struct sizes { /* of the steps of a pair: learning rate by error */
    vec pa, pb, qa, qb;
};

INLINE void move(const struct run *t, const struct pair *v, const struct sizes *z, int64_t j, int n)
{
    const vec p = v_load(v->p + j, n), a = v_load(v->a + j, n), b = v_load(v->b + j, n);
    const vec between = v_fma(z->pa, a, v_mul(t->keep_p, p));
    v_store(v->a + j, v_fma(z->qa, p, v_mul(t->keep_q, a)), n);
    v_store(v->p + j, v_fma(z->pb, b, v_mul(t->keep_p, between)), n);
    v_store(v->b + j, v_fma(z->qb, between, v_mul(t->keep_q, b)), n);
}

INLINE double step_factors(const struct run *t, const struct pair *v)
{
    const ki_sgd *s = t->s;
    const struct sizes z = { v_all(s->lr_p * v->e[0]), v_all(s->lr_p * v->e[1]),
                             v_all(s->lr_q * v->e[0]), v_all(s->lr_q * v->e[1]) };
    for (int64_t j = 0; j < t->whole; j += LANES) move(t, v, &z, j, LANES);
    if (t->whole < t->width) move(t, v, &z, t->whole, HALF);
    return (double)v->e[0] * v->e[0] + (double)v->e[1] * v->e[1];
}

INLINE double step_pair(const struct run *t, const ki_sgd_rating *x)
{
    struct pair v = pair_at(t->s, x);
    step_biases(t, &v, x, products_of(t, &v));
    return step_factors(t, &v);
}

/* Two pairs that share nothing. */
INLINE double step_pairs(const struct run *t, const ki_sgd_rating *x)
{
    struct pair v = pair_at(t->s, x), w = pair_at(t->s, x + 2);
    struct products a = { v_zero(), v_zero(), v_zero() }, b = a;
    for (int64_t j = 0; j < t->whole; j += LANES) {
        add_products(&a, &v, j, LANES);
        add_products(&b, &w, j, LANES);
    }
    if (t->whole < t->width) {
        add_products(&a, &v, t->whole, HALF);
        add_products(&b, &w, t->whole, HALF);
    }
    step_biases(t, &v, x, four_sums(a.pa, a.pb, a.ab, a.ab));
    step_biases(t, &w, x + 2, four_sums(b.pa, b.pb, b.ab, b.ab));
    return step_factors(t, &v) + step_factors(t, &w);
}

INLINE void move_one(const struct run *t, float *p, float *q, vec sp, vec sq, int n)
{
    const vec pj = v_load(p, n), qj = v_load(q, n);
    v_store(p, v_fma(sp, qj, v_mul(t->keep_p, pj)), n);
    v_store(q, v_fma(sq, pj, v_mul(t->keep_q, qj)), n);
}

static double step_one(const struct run *t, const ki_sgd_rating *x)
{
    const ki_sgd *s = t->s;
    float *p = user_row(s, x), *q = item_row(s, x), *bu = p + s->stride - 1,
          *bi = q + s->stride - 1;
    vec sum = v_zero();
    for (int64_t j = 0; j < t->whole; j += LANES)
        sum = v_fma(v_load(p + j, LANES), v_load(q + j, LANES), sum);
    if (t->whole < t->width)
        sum = v_fma(v_load(p + t->whole, HALF), v_load(q + t->whole, HALF), sum);
    const float e = x->r - s->mean - (*bu + *bi) - v_sum(sum);
    *bu += s->lr_bu * (e - s->reg_bu * *bu);
    *bi += s->lr_bi * (e - s->reg_bi * *bi);
    const vec sp = v_all(s->lr_p * e), sq = v_all(s->lr_q * e);
    for (int64_t j = 0; j < t->whole; j += LANES) move_one(t, p + j, q + j, sp, sq, LANES);
    if (t->whole < t->width) move_one(t, p + t->whole, q + t->whole, sp, sq, HALF);
    return (double)e * e;
}

/* ---- a block ---- */

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
    const struct run t = { s, s->width, s->width / LANES * LANES, v_all(1 - s->lr_p * s->reg_p),
                           v_all(1 - s->lr_q * s->reg_q) };
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
