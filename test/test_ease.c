/* SPDX-License-Identifier: MIT
 * EASE against a hand-solved case and against ridge regression column by column.
 */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/form_items.h"
#include "model/rank.h"

#include <stdlib.h>

struct fitted {
    kith *k;
    kith_data *d;
    ki_ratings r;
    ki_model m;
};

static void clear(struct fitted *f)
{
    ki_model_clear(&f->m);
    ki_ratings_clear(&f->r);
    kith_data_free(f->d);
    kith_free(f->k);
}

static kith_err fit(struct fitted *f, kith_options *o, size_t n, const char *const *users, const char *const *items,
                    const float *values, const kith_param *given, int n_given)
{
    void *params;
    *f = (struct fitted){ 0 };
    CHECK_OK(kith_new(o, &f->k));
    CHECK_OK(kith_data_new(f->k, n, users, items, values, NULL, &f->d));
    CHECK_OK(ki_ratings_build(&f->r, f->d, NULL));
    CHECK_OK(ki_model_params(ki_model_find("ease"), given, n_given, 0, &params));
    return ki_model_fit(&f->m, ki_model_find("ease"), params, f->d, &f->r, ki_context_job(f->k));
}

/* Three users have x, two have y, one both: X'X = [3 1; 1 2]. */
static const char *const users[] = { "a", "b", "c", "c", "d" };
static const char *const items[] = { "x", "x", "x", "y", "y" };

TEST(ease_of_two_items_by_hand)
{
    /* A = [3 + 1, 1; 1, 2 + 1]; the regression of x on y is 1 / 3, of y on x 1 / 4 */
    const kith_param given[] = { { "l2", "1" } };
    struct fitted f;
    CHECK_OK(fit(&f, NULL, 5, users, items, NULL, given, 1));
    const ki_items *s = f.m.state;
    CHECK_NEAR(s->dense[1 * 2 + 0], 1.0 / 3, 1e-6); /* a few float roundings */
    CHECK_NEAR(s->dense[0 * 2 + 1], 1.0 / 4, 1e-6);
    CHECK(s->dense[0] == 0 && s->dense[3] == 0);
    clear(&f);
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- a larger matrix ---- */

enum { N = 5000, USERS = 250, ITEMS = 60 };

static kith_err larger(struct fitted *f, int threads, const kith_param *given, int n_given)
{
    static char names[N][2][8];
    static const char *u[N], *i[N];
    static float v[N];
    ki_rng r = ki_rng_make(8, 0, 0);
    for (int t = 0; t < N; t++) {
        snprintf(names[t][0], 8, "u%d", (int)ki_rng_below(&r, USERS));
        snprintf(names[t][1], 8, "i%d", (int)(ITEMS * ki_rng_unit(&r) * ki_rng_unit(&r)));
        u[t] = names[t][0];
        i[t] = names[t][1];
        v[t] = (float)(1 + ki_rng_below(&r, 5));
    }
    return fit(f, &(kith_options){ .threads = threads }, N, u, i, v, given, n_given);
}

static double value(const struct fitted *f, int32_t u, int32_t i, int binary)
{
    const int64_t at = ki_csr_find(&f->r.by_user, u, i);
    return at < 0 ? 0 : binary ? 1 : f->r.by_user.val[at];
}

/* Solve M x = b, M [n, n] symmetric positive definite, by elimination in double. */
static void eliminate(double *M, double *b, int n)
{
    for (int k = 0; k < n; k++)
        for (int i = k + 1; i < n; i++) {
            const double q = M[i * n + k] / M[k * n + k];
            for (int j = k; j < n; j++) M[i * n + j] -= q * M[k * n + j];
            b[i] -= q * b[k];
        }
    for (int k = n - 1; k >= 0; k--) {
        for (int j = k + 1; j < n; j++) b[k] -= M[k * n + j] * b[j];
        b[k] /= M[k * n + k];
    }
}

/* Column i of B is the ridge regression of column i of X on the others. */
static void check_column(const struct fitted *f, int32_t i, double l2, int binary)
{
    const ki_items *s = f->m.state;
    const int n = f->m.n_items, rest = n - 1;
    double *M = calloc((size_t)(rest * rest), sizeof *M), *b = calloc((size_t)rest, sizeof *b);
    ck_assert(M != NULL && b != NULL);
    for (int a = 0; a < rest; a++) {
        const int32_t ja = a + (a >= i);
        for (int32_t u = 0; u < f->m.n_users; u++) {
            const double va = value(f, u, ja, binary);
            if (va == 0) continue;
            b[a] += va * value(f, u, i, binary);
            for (int c = 0; c < rest; c++) M[a * rest + c] += va * value(f, u, c + (c >= i), binary);
        }
        M[a * rest + a] += l2;
    }
    eliminate(M, b, rest);
    for (int a = 0; a < rest; a++) /* condition of a few hundred in float */
        CHECK_NEAR(s->dense[(a + (a >= i)) * n + i], b[a], 2e-5);
    CHECK(s->dense[i * n + i] == 0);
    free(M), free(b);
}

TEST(ease_columns_are_ridge_regressions_on_the_other_items)
{
    const char *const binaries[] = { "1", "0" };
    for (int b = 0; b < 2; b++) {
        const kith_param given[] = { { "l2", "20" }, { "binary", binaries[b] } };
        struct fitted f;
        CHECK_OK(larger(&f, 2, given, 2));
        for (int32_t i = 0; i < f.m.n_items; i += 7) check_column(&f, i, 20, b == 0);
        clear(&f);
    }
}

TEST(ease_scores_are_sums_of_weights_of_the_history)
{
    const kith_param given[] = { { "l2", "5" } };
    struct fitted f;
    ki_ranker *r;
    int32_t got[3], n;
    float scores[3];
    CHECK_OK(larger(&f, 1, given, 1));
    CHECK_OK(ki_ranker_new(&f.m, 3, 0, &r));
    const ki_items *s = f.m.state;
    for (int32_t u = 0; u < f.m.n_users; u += 31) {
        const ki_query q = ki_query_user(&f.m, u);
        CHECK_OK(ki_ranker_run(r, &q, 1, got, scores, &n));
        for (int t = 0; t < n; t++) {
            double sum = 0;
            for (int32_t j = 0; j < q.n; j++) sum += s->dense[(int64_t)q.items[j] * s->n_items + got[t]];
            CHECK_NEAR(scores[t], sum, 1e-5); /* float sum of some 20 weights below 1 */
        }
    }
    ki_ranker_free(r);
    clear(&f);
}

TEST(ease_with_n_neighbors_keeps_the_largest_weights_of_each_row)
{
    const kith_param dense[] = { { "l2", "20" } }, thin[] = { { "l2", "20" }, { "n_neighbors", "6" } };
    struct fitted f, g;
    CHECK_OK(larger(&f, 2, dense, 1));
    CHECK_OK(larger(&g, 2, thin, 2));
    const ki_items *all = f.m.state, *few = g.m.state;
    CHECK(few->dense == NULL);
    CHECK_OK(g.m.desc->form->check(&g.m));
    for (int32_t j = 0; j < all->n_items; j++) {
        int kept = 0;
        float least = INFINITY;
        for (int64_t t = few->ptr[j]; t < few->ptr[j + 1]; t++) {
            CHECK(few->sim[t] == all->dense[j * all->n_items + few->idx[t]]);
            least = fminf(least, fabsf(few->sim[t]));
            kept++;
        }
        CHECK_INT(kept, 6);
        int larger_ones = 0;
        for (int64_t i = 0; i < all->n_items; i++) larger_ones += fabsf(all->dense[j * all->n_items + i]) > least;
        CHECK(larger_ones < 6);
    }
    clear(&f);
    clear(&g);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(ease_has_the_same_bits_for_1_and_5_threads)
{
    struct fitted one, five;
    CHECK_OK(larger(&one, 1, NULL, 0));
    CHECK_OK(larger(&five, 5, NULL, 0));
    const ki_items *a = one.m.state, *b = five.m.state;
    CHECK(memcmp(a->dense, b->dense, (size_t)(a->n_items * a->n_items) * sizeof *a->dense) == 0);
    clear(&one);
    clear(&five);
}

TEST(ease_beyond_the_memory_limit_is_refused_before_it_starts)
{
    struct fitted f;
    CHECK_FAILS(fit(&f, &(kith_options){ .memory_bytes = 15 }, 5, users, items, NULL, NULL, 0), KITH_ENOMEM,
                "ease needs");
    clear(&f);
}

TEST(ease_fit_survives_every_refused_allocation)
{
    const kith_param given[] = { { "n_neighbors", "1" } };
    const ki_model_desc *desc = ki_model_find("ease");
    struct fitted f;
    CHECK_OK(fit(&f, NULL, 5, users, items, NULL, given, 1));
    const int64_t before = ki_alloc_live();
    for (int64_t n = 1;; n++) {
        ki_model m;
        void *params;
        CHECK_OK(ki_model_params(desc, given, 1, 0, &params));
        ki_alloc_fail_at(n, 0);
        const kith_err err = ki_model_fit(&m, desc, params, f.d, &f.r, ki_context_job(f.k));
        ki_alloc_fail_at(0, 0);
        ki_model_clear(&m);
        CHECK_INT(ki_alloc_live(), before);
        if (err == KITH_OK) break;
        CHECK_INT(err, KITH_ENOMEM);
    }
    clear(&f);
}
