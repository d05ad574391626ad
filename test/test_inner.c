/* test_inner.c -- the index finds what scoring everything finds, to the bit */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "index/inner.h"
#include "simd/kernels.h"

#include <stdlib.h>

struct rows {
    int32_t n;
    int64_t dim;
    float *Y, *bias, *x;
    ki_inner *index;
    ki_inner_room *room;
    uint64_t *set;
};

/* How long rows are: all much the same, falling as popularity does, mostly zero, or equal in pairs (ties). */
enum shape { EVEN, FALLING, SPARSE, PAIRS, N_SHAPES };

static void make(struct rows *r, int32_t n, int64_t dim, enum shape shape, int with_bias, uint64_t seed)
{
    ki_rng g = ki_rng_make(seed, 1, 0);
    *r = (struct rows){ .n = n, .dim = dim };
    CHECK_OK(ki_alloc(&r->Y, (size_t)n, (size_t)dim * sizeof(float)));
    CHECK_OK(ki_alloc(&r->x, (size_t)dim, sizeof(float)));
    CHECK_OK(ki_alloc(&r->bias, (size_t)n, sizeof(float)));
    ki_rng_fill_normal(&g, 1, r->Y, n * dim);
    ki_rng_fill_normal(&g, 1, r->x, dim);
    ki_rng_fill_normal(&g, 1, r->bias, n);
    for (int32_t i = 0; i < n; i++)
        for (int64_t j = 0; j < dim; j++) {
            float *y = &r->Y[i * dim + j];
            if (shape == FALLING) *y /= 1 + (float)(i * 7919 % n);
            if (shape == SPARSE && i % 3 != 0) *y = 0;
            if (shape == PAIRS && i % 2 == 1) *y = r->Y[(i - 1) * dim + j];
        }
    CHECK_OK(ki_inner_new(r->Y, with_bias ? r->bias : NULL, n, dim, &r->index));
    CHECK_OK(ki_inner_room_new(r->index, &r->room));
    CHECK_OK(ki_alloc(&r->set, (size_t)ki_inner_words(r->index) + 1, sizeof *r->set));
    if (!with_bias) {
        ki_free(r->bias);
        r->bias = NULL;
    }
}

static void clear(struct rows *r)
{
    ki_inner_room_free(r->room);
    ki_inner_free(r->index);
    ki_free(r->Y);
    ki_free(r->x);
    ki_free(r->bias);
    ki_free(r->set);
}

/* Everything scored, as form_vectors.c does, and picked one by one. */
static int32_t plain_top(const struct rows *r, const uint8_t *open, float base, int k, int32_t *rows, float *scores)
{
    float *all;
    int32_t n = 0;
    CHECK_OK(ki_alloc(&all, (size_t)r->n, sizeof *all));
    ki_kernels_get()->score_tile(all, r->n, r->x, 1, r->Y, r->n, r->dim);
    for (int32_t i = 0; i < r->n; i++) {
        if (r->bias != NULL)
            all[i] += base + r->bias[i];
        else if (base != 0)
            all[i] += base;
        if (!open[i]) all[i] = NAN;
    }
    for (; n < k; n++) {
        int32_t best = -1;
        for (int32_t i = 0; i < r->n; i++)
            if (!isnan(all[i]) && (best < 0 || all[i] > all[best])) best = i;
        if (best < 0) break;
        rows[n] = best;
        scores[n] = all[best];
        all[best] = NAN;
    }
    ki_free(all);
    return n;
}

/* The part that has the set's rows finds the same, and with some of them struck out what the whole finds without them. */
static void compare_part(struct rows *r, float base, int k, const int32_t *rows, const float *scores, int32_t n)
{
    ki_inner *part;
    int32_t *found;
    float *found_scores;
    uint64_t *all;
    int32_t m;
    CHECK_OK(ki_inner_part(r->index, r->set, &part));
    CHECK_OK(ki_alloc(&found, (size_t)k, sizeof *found));
    CHECK_OK(ki_alloc(&found_scores, (size_t)k, sizeof *found_scores));
    CHECK_OK(ki_alloc(&all, (size_t)ki_inner_words(r->index) + 1, sizeof *all));
    ki_inner_all(part, all);
    CHECK_OK(ki_inner_top(part, r->room, r->x, base, all, k, found, found_scores, &m, NULL));
    CHECK_INT(m, n);
    CHECK(memcmp(found, rows, (size_t)n * sizeof *rows) == 0);
    CHECK(memcmp(found_scores, scores, (size_t)n * sizeof *scores) == 0);
    for (int32_t i = 0; i < r->n; i++) {
        const int32_t there = ki_inner_place(r->index, i), here = ki_inner_place(part, i);
        CHECK_INT(here >= 0, (int)(r->set[there / 64] >> there % 64 & 1));
        if (here < 0 || i % 3 != 0) continue;
        ki_inner_take(r->set, there);
        ki_inner_take(all, here);
    }
    int32_t *without;
    CHECK_OK(ki_alloc(&without, (size_t)k, sizeof *without));
    CHECK_OK(ki_inner_top(part, r->room, r->x, base, all, k, found, found_scores, &m, NULL));
    CHECK_OK(ki_inner_top(r->index, r->room, r->x, base, r->set, k, without, found_scores, &n, NULL));
    CHECK_INT(m, n);
    CHECK(memcmp(found, without, (size_t)n * sizeof *without) == 0);
    ki_free(without);
    ki_free(found);
    ki_free(found_scores);
    ki_free(all);
    ki_inner_free(part);
}

static void compare(struct rows *r, double share, float base, int k, uint64_t seed)
{
    ki_rng g = ki_rng_make(seed, 2, 0);
    uint8_t *open;
    int32_t *rows, *want;
    float *scores, *want_scores;
    int32_t n;
    int64_t scanned;
    CHECK_OK(ki_alloc(&open, (size_t)r->n, 1));
    CHECK_OK(ki_alloc(&rows, (size_t)k, sizeof *rows));
    CHECK_OK(ki_alloc(&want, (size_t)k, sizeof *want));
    CHECK_OK(ki_alloc(&scores, (size_t)k, sizeof *scores));
    CHECK_OK(ki_alloc(&want_scores, (size_t)k, sizeof *scores));
    memset(r->set, 0, (size_t)ki_inner_words(r->index) * sizeof *r->set);
    for (int32_t i = 0; i < r->n; i++) {
        open[i] = ki_rng_unit(&g) < share;
        if (open[i]) ki_inner_put(r->set, ki_inner_place(r->index, i));
    }
    CHECK_OK(ki_inner_top(r->index, r->room, r->x, base, r->set, k, rows, scores, &n, &scanned));
    CHECK_INT(n, plain_top(r, open, base, k, want, want_scores));
    for (int32_t j = 0; j < n; j++) CHECK_INT(rows[j], want[j]);
    CHECK(memcmp(scores, want_scores, (size_t)n * sizeof *scores) == 0);
    CHECK(scanned <= r->n);
    compare_part(r, base, k, rows, scores, n);
    ki_free(open);
    ki_free(rows);
    ki_free(want);
    ki_free(scores);
    ki_free(want_scores);
}

TEST(inner_finds_what_scoring_everything_finds)
{
    static const int64_t dims[] = { 1, 3, 8, 17, 64, 100 };
    static const int32_t sizes[] = { 0, 1, 63, 64, 65, 700 };
    static const double shares[] = { 1, 0.5, 0.1, 0.01, 0 };
    uint64_t seed = 0;
    for (size_t d = 0; d < KI_COUNT(dims); d++)
        for (size_t s = 0; s < KI_COUNT(sizes); s++)
            for (int shape = 0; shape < N_SHAPES; shape++)
                for (int with_bias = 0; with_bias < 2; with_bias++) {
                    struct rows r;
                    make(&r, sizes[s], dims[d], (enum shape)shape, with_bias, ++seed);
                    for (size_t f = 0; f < KI_COUNT(shares); f++)
                        for (int k = 1; k <= 100; k *= 10) compare(&r, shares[f], f % 2 ? 3.5f : 0, k, seed + f);
                    clear(&r);
                }
}

TEST(inner_bounds_hold_for_queries_of_any_size)
{
    static const float factors[] = { 0, 1e-38f, 1e-30f, 1e-10f, 1, 1e10f, 1e18f };
    struct rows r;
    make(&r, 500, 24, FALLING, 0, 77);
    for (size_t f = 0; f < KI_COUNT(factors); f++) {
        ki_rng g = ki_rng_make(5, f, 0);
        ki_rng_fill_normal(&g, 1, r.x, r.dim);
        for (int64_t j = 0; j < r.dim; j++) r.x[j] *= factors[f];
        int32_t rows[10], n;
        float scores[10];
        memset(r.set, 0xff, 7 * sizeof *r.set); /* the first 448 places */
        const kith_err err = ki_inner_top(r.index, r.room, r.x, 0, r.set, 10, rows, scores, &n, NULL);
        CHECK(err == KITH_OK || err == KITH_EINVAL); /* EINVAL: score all */
        if (err == KITH_OK) compare(&r, 0.7, 0, 10, f);
    }
    r.x[3] = INFINITY;
    int32_t n;
    CHECK_FAILS(ki_inner_top(r.index, r.room, r.x, 0, r.set, 1, &n, r.x, &n, NULL), KITH_EINVAL, "too large");
    clear(&r);
}

/* Long rows first: most of a long tail is never looked at. */
TEST(inner_ends_before_the_tail)
{
    struct rows r;
    int32_t rows[10], n;
    float scores[10];
    int64_t scanned;
    make(&r, 20000, 32, FALLING, 0, 9);
    memset(r.set, 0xff, 20000 / 64 * sizeof *r.set);
    CHECK_OK(ki_inner_top(r.index, r.room, r.x, 0, r.set, 10, rows, scores, &n, &scanned));
    CHECK(scanned < 1000); /* norms fall as 1 / rank: the k-th best is passed within the first hundreds */
    clear(&r);
}

TEST(inner_survives_want_of_memory)
{
    struct rows r;
    ki_inner *index;
    make(&r, 100, 8, EVEN, 1, 4);
    for (int64_t n = 1;; n++) {
        const int64_t live = ki_alloc_live();
        ki_alloc_fail_at(n, 0);
        const kith_err err = ki_inner_new(r.Y, r.bias, r.n, r.dim, &index);
        ki_alloc_fail_at(0, 0);
        if (err == KITH_OK) {
            ki_inner_free(index);
            break;
        }
        CHECK(err == KITH_ENOMEM && ki_alloc_live() == live);
    }
    memset(r.set, 0x5a, (size_t)ki_inner_words(r.index) * sizeof *r.set);
    r.set[1] &= ((uint64_t)1 << 36) - 1; /* of 100 rows */
    for (int64_t n = 1;; n++) {
        const int64_t live = ki_alloc_live();
        ki_alloc_fail_at(n, 0);
        const kith_err err = ki_inner_part(r.index, r.set, &index);
        ki_alloc_fail_at(0, 0);
        if (err == KITH_OK) {
            ki_inner_free(index);
            break;
        }
        CHECK(err == KITH_ENOMEM && ki_alloc_live() == live);
    }
    clear(&r);
}
