/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/baseline.h"
#include "model/form_vectors.h"
#include "model/rank.h"

#include <stdlib.h>

/* ann: x 5, y 1;  bob: x 3.  mean 3. */
static const char *const users[] = { "ann", "ann", "bob" };
static const char *const items[] = { "x", "y", "x" };
static const float values[] = { 5, 1, 3 };

struct setting {
    kith *k;
    kith_data *d;
    ki_ratings r;
};

static struct setting set(int threads, size_t n, const char *const *us, const char *const *is, const float *vs)
{
    struct setting s = { 0 };
    CHECK_OK(kith_new(&(kith_options){ .threads = threads }, &s.k));
    CHECK_OK(kith_data_new(s.k, n, us, is, vs, NULL, &s.d));
    CHECK_OK(ki_ratings_build(&s.r, s.d, NULL));
    return s;
}

static void clear(struct setting *s)
{
    ki_ratings_clear(&s->r);
    kith_data_free(s->d);
    kith_free(s->k);
}

TEST(als_baselines_after_one_epoch_are_damped_means)
{
    struct setting s = set(1, 3, users, items, values);
    const ki_baseline_als o = { 1, 15, 10 };
    float bu[2], bi[2];
    CHECK_OK(ki_baseline_by_als(&s.r, &o, ki_context_job(s.k), bu, bi));
    CHECK_NEAR(bi[0], 2. / 12, 1e-7); /* (2 + 0) / (10 + 2); one rounding to float */
    CHECK_NEAR(bi[1], -2. / 11, 1e-7);
    CHECK_NEAR(bu[0], (2 - 2. / 12 - 2 + 2. / 11) / 17, 1e-7);
    CHECK_NEAR(bu[1], (0 - 2. / 12) / 16, 1e-7);
    clear(&s);
}

TEST(sgd_baselines_follow_the_steps_in_order)
{
    struct setting s = set(1, 3, users, items, values);
    const ki_baseline_sgd o = { 1, .5f, .1f };
    float bu[2], bi[2];
    CHECK_OK(ki_baseline_by_sgd(&s.r, &o, ki_context_job(s.k), bu, bi));
    /* (ann, x): e = 2, both .2.  (ann, y): e = -2 - .2 = -2.2, bu = .2 + .1 (-2.2 - .1) = -.03,
     * bi = -.22.  (bob, x): e = -.2, bu = -.02, bi = .2 + .1 (-.2 - .1) = .17 */
    CHECK_NEAR(bu[0], -.03, 1e-6); /* a few float roundings */
    CHECK_NEAR(bi[1], -.22, 1e-6);
    CHECK_NEAR(bu[1], -.02, 1e-6);
    CHECK_NEAR(bi[0], .17, 1e-6);
    clear(&s);
}

TEST(baselines_are_those_of_surprise)
{
    /* BaselineOnly of scikit-surprise 1.1.5 with its defaults, on these rows in this order. */
    const char *const us[] = { "a", "a", "a", "a", "b", "b", "b", "b", "c", "c", "d", "d" };
    const char *const is[] = { "p", "q", "r", "s", "p", "q", "r", "s", "p", "r", "q", "s" };
    const float vs[] = { 5, 3, 4, 4, 3, 1, 2, 3, 4, 4, 1, 5 };
    const double als_u[] = { .1575025, -.2109186, .0771378, -.0187527 };
    const double als_i[] = { .1712522, -.3598332, .017406, .1786284 };
    const double sgd_u[] = { .2461568, -.3301935, .1256388, -.0339502 };
    const double sgd_i[] = { .1919483, -.4059562, .0197713, .2016772 };
    const ki_baseline_als als = { 10, 15, 10 };
    const ki_baseline_sgd sgd = { 20, .02f, .005f };
    struct setting s = set(1, 12, us, is, vs);
    float bu[4], bi[4];
    CHECK_OK(ki_baseline_by_als(&s.r, &als, ki_context_job(s.k), bu, bi));
    for (int j = 0; j < 4; j++) { /* float against double, rounded to seven places */
        CHECK_NEAR(bu[j], als_u[j], 2e-7);
        CHECK_NEAR(bi[j], als_i[j], 2e-7);
    }
    CHECK_OK(ki_baseline_by_sgd(&s.r, &sgd, ki_context_job(s.k), bu, bi));
    for (int j = 0; j < 4; j++) { /* likewise, after 20 steps or more each */
        CHECK_NEAR(bu[j], sgd_u[j], 2e-6);
        CHECK_NEAR(bi[j], sgd_i[j], 2e-6);
    }
    clear(&s);
}

static struct setting set_random(int threads)
{
    enum { N = 20000, N_USERS = 900, N_ITEMS = 700 };
    static char names[N_USERS + N_ITEMS][8];
    const char **us, **is;
    float *vs;
    size_t n = 0;
    ki_rng rng = ki_rng_make(3, 0, 0);
    CHECK_OK(ki_alloc(&us, N, sizeof *us));
    CHECK_OK(ki_alloc(&is, N, sizeof *is));
    CHECK_OK(ki_alloc(&vs, N, sizeof *vs));
    for (int j = 0; j < N_USERS + N_ITEMS; j++) snprintf(names[j], sizeof names[j], "n%d", j);
    for (int u = 0; u < N_USERS; u++)
        for (int i = u % 3; i < N_ITEMS && n < N; i += 1 + (int)ki_rng_below(&rng, 60)) {
            us[n] = names[u];
            is[n] = names[N_USERS + i];
            vs[n++] = (float)(1 + ki_rng_below(&rng, 5));
        }
    struct setting s = set(threads, n, us, is, vs);
    ki_free(us);
    ki_free(is);
    ki_free(vs);
    return s;
}

TEST(als_baselines_meet_the_normal_equations)
{
    struct setting s = set_random(1);
    const ki_baseline_als o = { 200, 15, 10 };
    float *bu, *bi;
    CHECK_OK(ki_alloc(&bu, (size_t)s.r.by_user.n_rows, sizeof *bu));
    CHECK_OK(ki_alloc(&bi, (size_t)s.r.by_item.n_rows, sizeof *bi));
    CHECK_OK(ki_baseline_by_als(&s.r, &o, ki_context_job(s.k), bu, bi));
    for (int32_t i = 0; i < s.r.by_item.n_rows; i++) { /* half of the gradient by bi */
        double g = 10. * bi[i];
        for (int64_t j = s.r.by_item.ptr[i]; j < s.r.by_item.ptr[i + 1]; j++)
            g -= s.r.by_item.val[j] - s.r.mean - bu[s.r.by_item.idx[j]] - bi[i];
        CHECK_NEAR(g, 0, 1e-4); /* some 30 terms of float biases */
    }
    ki_free(bu);
    ki_free(bi);
    clear(&s);
}

static void fit(const struct setting *s, const char *method, ki_model *m)
{
    const kith_param given[] = { { "method", method } };
    void *params;
    CHECK_OK(ki_model_params(ki_model_find("bias"), given, 1, 0, &params));
    CHECK_OK(ki_model_fit(m, ki_model_find("bias"), params, s->d, &s->r, ki_context_job(s->k)));
}

TEST(bias_has_the_same_bits_on_one_and_five_threads)
{
    const char *const methods[] = { "als", "sgd" };
    for (int t = 0; t < 2; t++) {
        struct setting one = set_random(1), five = set_random(5);
        ki_model a, b;
        fit(&one, methods[t], &a);
        fit(&five, methods[t], &b);
        const ki_vectors *v = a.state, *w = b.state;
        CHECK(memcmp(v->bu, w->bu, (size_t)v->n_users * sizeof(float)) == 0);
        CHECK(memcmp(v->bi, w->bi, (size_t)v->n_items * sizeof(float)) == 0);
        ki_model_clear(&a);
        ki_model_clear(&b);
        clear(&one);
        clear(&five);
    }
}

TEST(bias_folds_a_training_history_into_the_trained_bias)
{
    struct setting s = set_random(1);
    ki_model m;
    ki_ranker *r;
    fit(&s, "als", &m);
    CHECK_OK(ki_ranker_new(&m, 1, 0, &r));
    for (int32_t u = 0; u < 50; u++) {
        ki_query known = ki_query_user(&m, u), unknown = known;
        const int32_t item = 5;
        float want, got;
        uint8_t supported;
        unknown.user = -1;
        CHECK_OK(ki_ranker_predict(r, &known, &item, 1, &want, &supported));
        CHECK_OK(ki_ranker_predict(r, &unknown, &item, 1, &got, &supported));
        CHECK_NEAR(got, want, 1e-5); /* users are solved last, by the same formula in float */
    }
    ki_ranker_free(r);
    ki_model_clear(&m);
    clear(&s);
}

TEST(bias_needs_ratings)
{
    const float ones[] = { 1, 1, 1 };
    struct setting s = set(1, 3, users, items, ones);
    ki_model m;
    void *params;
    CHECK_OK(ki_model_params(ki_model_find("bias"), NULL, 0, 0, &params));
    CHECK_FAILS(ki_model_fit(&m, ki_model_find("bias"), params, s.d, &s.r, ki_context_job(s.k)), KITH_EDATA,
                "needs ratings");
    clear(&s);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(bias_refused_any_allocation_leaves_nothing_behind)
{
    for (int64_t n = 1;; n++) {
        struct setting s = set(1, 3, users, items, values);
        ki_model m = { 0 };
        void *params;
        CHECK_OK(ki_model_params(ki_model_find("bias"), NULL, 0, 0, &params));
        ki_alloc_fail_at(n, 0);
        const kith_err err = ki_model_fit(&m, ki_model_find("bias"), params, s.d, &s.r, ki_context_job(s.k));
        ki_alloc_fail_at(0, 0);
        CHECK(err == KITH_OK || err == KITH_ENOMEM);
        ki_model_clear(&m);
        clear(&s);
        CHECK_INT(ki_alloc_live(), 0);
        if (err == KITH_OK) return;
    }
}
