/* SPDX-License-Identifier: MIT
 * The svd model: the worked example, exact fold-in and explanations, centring.
 */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/form_vectors.h"
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

static kith_err fit_data(struct fitted *f, int threads, size_t n, const char *const *users, const char *const *items,
                         const float *values, const kith_param *given, int n_given)
{
    void *params;
    CHECK_OK(kith_new(&(kith_options){ .threads = threads, .seed = 4 }, &f->k));
    CHECK_OK(kith_data_new(f->k, n, users, items, values, NULL, &f->d));
    CHECK_OK(ki_ratings_build(&f->r, f->d, NULL));
    CHECK_OK(ki_model_params(ki_model_find("svd"), given, n_given, 0, &params));
    return ki_model_fit(&f->m, ki_model_find("svd"), params, f->d, &f->r, ki_context_job(f->k));
}

/* 4 0 5 0 / 0 3 0 2 / 5 4 0 3; the items come in order of their number */
static const char *const users[] = { "u1", "u1", "u2", "u2", "u3", "u3", "u3" };
static const char *const items[] = { "1", "3", "2", "4", "1", "2", "4" };
static const float values[] = { 4, 5, 3, 2, 5, 4, 3 };

static kith_err example(struct fitted *f, const kith_param *given, int n_given)
{
    *f = (struct fitted){ 0 };
    return fit_data(f, 2, 7, users, items, values, given, n_given);
}

static float score_of(const ki_model *m, const ki_query *q, int32_t item)
{
    ki_ranker *r;
    float out;
    uint8_t supported;
    CHECK_OK(ki_ranker_new(m, 1, 0, &r));
    CHECK_OK(ki_ranker_predict(r, q, &item, 1, &out, &supported));
    ki_ranker_free(r);
    return out;
}

TEST(svd_of_rank_two_gives_the_worked_example)
{
    static const float want[3][4] = { { 4.297f, 0, 4.719f, 0 },
                                      { 1.086f, 2.276f, 0, 1.644f },
                                      { 4.448f, 4.368f, 0.522f, 3.181f } };
    static const char *const names[] = { "1", "2", "3", "4" };
    const kith_param rank[] = { { "n_factors", "2" } };
    struct fitted f;
    CHECK_OK(example(&f, rank, 1));
    for (int32_t u = 0; u < 3; u++)
        for (int i = 0; i < 4; i++) {
            const ki_query q = ki_query_user(&f.m, u);
            const float got = score_of(&f.m, &q, kith_data_find_item(f.d, names[i]));
            CHECK_NEAR(fmaxf(got, 0), want[u][i], 0.0005); /* printed to 3 decimals */
        }
    clear(&f);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(svd_of_full_rank_gives_back_the_ratings_with_any_center)
{
    const char *const centers[] = { "none", "user", "item" };
    for (size_t c = 0; c < KI_COUNT(centers); c++) {
        const kith_param given[] = { { "center", centers[c] } };
        struct fitted f;
        CHECK_OK(example(&f, given, 1));
        for (int t = 0; t < 7; t++) {
            const ki_query q = ki_query_user(&f.m, kith_data_find_user(f.d, users[t]));
            CHECK_NEAR(score_of(&f.m, &q, kith_data_find_item(f.d, items[t])), values[t], 1e-5); /* floats near 5 */
        }
        clear(&f);
    }
}

TEST(svd_center_needs_ratings)
{
    const kith_param given[] = { { "center", "item" } };
    struct fitted f = { 0 };
    CHECK_FAILS(fit_data(&f, 1, 7, users, items, NULL, given, 1), KITH_EDATA, "needs ratings");
    clear(&f);
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- on a larger matrix ---- */

enum { N = 6000, USERS = 300, ITEMS = 120 };

static kith_err larger(struct fitted *f, int threads, const kith_param *given, int n_given)
{
    static char names[N][2][8];
    static const char *u[N], *i[N];
    static float v[N];
    ki_rng r = ki_rng_make(2, 0, 0);
    for (int t = 0; t < N; t++) {
        snprintf(names[t][0], 8, "u%d", (int)ki_rng_below(&r, USERS));
        snprintf(names[t][1], 8, "i%d", (int)(ITEMS * ki_rng_unit(&r) * ki_rng_unit(&r)));
        u[t] = names[t][0];
        i[t] = names[t][1];
        v[t] = (float)(1 + ki_rng_below(&r, 5));
    }
    *f = (struct fitted){ 0 };
    return fit_data(f, threads, N, u, i, v, given, n_given);
}

TEST(svd_folds_in_a_training_row_as_its_user)
{
    const char *const centers[] = { "none", "user", "item" };
    for (size_t c = 0; c < KI_COUNT(centers); c++) {
        const kith_param given[] = { { "n_factors", "7" }, { "center", centers[c] } };
        struct fitted f;
        float x[7], bias;
        CHECK_OK(larger(&f, 2, given, 2));
        const ki_vectors *v = f.m.state;
        for (int32_t u = 0; u < f.m.n_users; u += 17) {
            const ki_query q = ki_query_user(&f.m, u);
            CHECK_OK(f.m.desc->fold_in(&f.m, &q, x, &bias, NULL));
            CHECK(memcmp(x, v->X + u * 7, sizeof x) == 0);
            CHECK(v->bu == NULL || v->bu[u] == bias);
        }
        clear(&f);
    }
}

TEST(svd_explains_a_score_by_parts_that_add_up)
{
    const kith_param given[] = { { "n_factors", "9" }, { "center", "user" } };
    struct fitted f;
    ki_ranker *r;
    ki_term terms[ITEMS];
    CHECK_OK(larger(&f, 1, given, 2));
    CHECK_OK(ki_ranker_new(&f.m, 1, 0, &r));
    const ki_vectors *v = f.m.state;
    for (int32_t u = 0; u < f.m.n_users; u += 29) {
        const ki_query q = ki_query_user(&f.m, u);
        double sum = *v->mean + v->bu[u], mass = 5;
        int n;
        CHECK_OK(ki_ranker_explain(r, &q, 3, terms, &n));
        CHECK_INT(n, q.n);
        for (int t = 0; t < n; t++) {
            sum += terms[t].part;
            mass += fabsf(terms[t].part);
        }
        CHECK_NEAR(score_of(&f.m, &q, 3), sum, 1e-5 * mass); /* float sums of some 20 terms, twice */
    }
    ki_ranker_free(r);
    clear(&f);
}

TEST(svd_has_the_same_bits_for_1_and_5_threads)
{
    const kith_param given[] = { { "n_factors", "12" } };
    struct fitted one, five;
    CHECK_OK(larger(&one, 1, given, 1));
    CHECK_OK(larger(&five, 5, given, 1));
    const ki_vectors *a = one.m.state, *b = five.m.state;
    CHECK(memcmp(a->X, b->X, (size_t)(a->n_users * a->dim) * sizeof *a->X) == 0);
    CHECK(memcmp(a->Y, b->Y, (size_t)(a->n_items * a->dim) * sizeof *a->Y) == 0);
    clear(&one);
    clear(&five);
}

TEST(svd_fit_survives_every_refused_allocation)
{
    struct fitted f;
    const ki_model_desc *desc = ki_model_find("svd");
    const kith_param given[] = { { "center", "item" } };
    CHECK_OK(example(&f, given, 1));
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
