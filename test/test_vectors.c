/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/form_vectors.h"
#include "model/rank.h"

/* Four users, five items; item "e" has only the last row, which is kept out: it is cold. */
static const char *const users[] = { "u", "u", "u", "v", "v", "w", "x", "x", "x", "x" };
static const char *const items[] = { "a", "b", "c", "a", "d", "b", "a", "b", "d", "e" };
static const float values[] = { 5, 3, 1, 4, 2, 5, 1, 2, 4, 5 };
static const uint8_t keep[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 };
enum { N_ROWS = 10, N_USERS = 4, N_ITEMS = 5, COLD = 4, MAX_DIM = 40 };

/* A model of the form whose numbers are made up, so that what is tested is the form alone. */
struct made_up {
    int32_t dim, with_biases;
    float l2;
};

static kith_err make_up(const void *p, const ki_fit *in, void *state)
{
    const struct made_up *o = p;
    ki_vectors *v = state;
    ki_rng rng = ki_rng_make(7, 0, 0);
    const kith_err err = ki_vectors_alloc(v, in->ratings, o->dim, o->with_biases, 0);
    if (err != KITH_OK) return err;
    *v->mean = (float)in->ratings->mean;
    *v->l2 = o->l2;
    ki_rng_fill_normal(&rng, 1, v->X, v->n_users * v->dim);
    ki_rng_fill_normal(&rng, 1, v->Y, v->n_items * v->dim);
    if (o->with_biases) {
        ki_rng_fill_normal(&rng, .3f, v->bu, v->n_users);
        ki_rng_fill_normal(&rng, .3f, v->bi, v->n_items);
    }
    return KITH_OK;
}

static const ki_model_desc made_up_desc = {
    .name = "made-up", .rates = 1, .size = sizeof(struct made_up), .form = &ki_form_vectors, .fit = make_up
};

struct fitted {
    kith *k;
    kith_data *d;
    ki_ratings r;
    ki_model m;
    ki_vectors *v;
    float *prepared, *scratch; /* room for 64 queries */
    int64_t query_floats;
};

static struct fitted fit(int32_t dim, int with_biases, float l2)
{
    struct fitted f = { 0 };
    struct made_up *o;
    int64_t scratch_floats;
    CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &f.k));
    CHECK_OK(kith_data_new(f.k, N_ROWS, users, items, values, NULL, &f.d));
    CHECK_OK(ki_ratings_build(&f.r, f.d, keep));
    CHECK_OK(ki_alloc(&o, 1, sizeof *o));
    *o = (struct made_up){ dim, with_biases, l2 };
    CHECK_OK(ki_model_fit(&f.m, &made_up_desc, o, f.d, &f.r, ki_context_job(f.k)));
    f.v = f.m.state;
    ki_form_vectors.sizes(&f.m, &f.query_floats, &scratch_floats);
    CHECK_OK(ki_alloc(&f.prepared, 64 * (size_t)f.query_floats, sizeof(float)));
    CHECK_OK(ki_alloc(&f.scratch, (size_t)scratch_floats, sizeof(float)));
    return f;
}

static void clear(struct fitted *f)
{
    ki_free(f->prepared);
    ki_free(f->scratch);
    ki_model_clear(&f->m);
    ki_ratings_clear(&f->r);
    kith_data_free(f->d);
    kith_free(f->k);
    CHECK_INT(ki_alloc_live(), 0);
}

static double score_by_hand(const ki_vectors *v, int32_t u, int32_t i)
{
    double s = *v->mean + (v->bu == NULL ? 0 : (double)v->bu[u] + v->bi[i]);
    for (int64_t c = 0; c < v->dim; c++) s += (double)v->X[u * v->dim + c] * v->Y[i * v->dim + c];
    return s;
}

TEST(vectors_score_is_mean_biases_and_the_inner_product)
{
    const int32_t dims[] = { 0, 1, 8, 37 };
    for (int t = 0; t < 4; t++) {
        struct fitted f = fit(dims[t], 1, 1);
        float got[N_ITEMS];
        for (int32_t u = 0; u < N_USERS; u++) {
            const ki_query q = ki_query_user(&f.m, u);
            CHECK_OK(ki_form_vectors.prepare(&f.m, &q, f.prepared, f.scratch));
            ki_form_vectors.score(&f.m, &q, f.prepared, 1, 0, N_ITEMS, got, N_ITEMS, f.scratch);
            for (int32_t i = 0; i < N_ITEMS; i++) /* 40 float products of order 1 */
                CHECK_NEAR(got[i], score_by_hand(f.v, u, i), 1e-4);
        }
        clear(&f);
    }
}

TEST(vectors_score_has_the_same_bits_in_any_tile_and_block)
{
    enum { NQ = 64 };
    struct fitted f = fit(MAX_DIM - 3, 1, 1);
    ki_query q[NQ];
    float whole[NQ][N_ITEMS], part[NQ], one[N_ITEMS];
    uint8_t supported[N_ITEMS];
    const int32_t all[N_ITEMS] = { 0, 1, 2, 3, 4 };
    for (int j = 0; j < NQ; j++) {
        q[j] = ki_query_user(&f.m, j % N_USERS);
        CHECK_OK(ki_form_vectors.prepare(&f.m, &q[j], f.prepared + j * f.query_floats, f.scratch));
    }
    ki_form_vectors.score(&f.m, q, f.prepared, NQ, 0, N_ITEMS, whole[0], N_ITEMS, f.scratch);
    for (int32_t i = 0; i < N_ITEMS; i++) {
        ki_form_vectors.score(&f.m, q, f.prepared, NQ, i, i + 1, part, 1, f.scratch);
        for (int j = 0; j < NQ; j++) CHECK(memcmp(&part[j], &whole[j][i], sizeof(float)) == 0);
    }
    for (int j = 0; j < NQ; j++) {
        const float *p = f.prepared + j * f.query_floats;
        ki_form_vectors.predict(&f.m, &q[j], p, all, N_ITEMS, one, supported, f.scratch);
        CHECK(memcmp(one, whole[j], sizeof one) == 0);
    }
    clear(&f);
}

TEST(vectors_never_score_beyond_their_reach)
{
    const int32_t dims[] = { 1, 8, 37 }, listed[N_ITEMS] = { 4, 2, 0, 3, 1 };
    for (int t = 0; t < 30; t++) {
        struct fitted f = fit(dims[t % 3], 0, 1);
        float most[N_ITEMS], got[N_ITEMS], at[N_ITEMS];
        double base, size;
        const int64_t d = f.v->dim;
        for (int64_t c = 0; c < d; c++) /* the same direction, where the bound has no room to spare */
            for (int32_t i = 0; i < 3; i++) f.v->Y[i * d + c] = f.v->X[c] * (float)(i + 1 + t) / 3;
        const ki_query q = ki_query_user(&f.m, 0);
        CHECK(ki_form_vectors.reach(&f.m, most));
        CHECK_OK(ki_form_vectors.prepare(&f.m, &q, f.prepared, f.scratch));
        ki_form_vectors.limit(&f.m, f.prepared, &base, &size);
        ki_form_vectors.score(&f.m, &q, f.prepared, 1, 0, N_ITEMS, got, N_ITEMS, f.scratch);
        for (int32_t i = 0; i < N_ITEMS; i++) CHECK(got[i] <= base + size * most[i]);
        CHECK_NEAR(got[2], base + size * most[2], 1e-4 * got[2]); /* and it is no idle bound */
        ki_form_vectors.score_at(&f.m, f.prepared, 1, listed, N_ITEMS, at, N_ITEMS, f.scratch);
        for (int32_t j = 0; j < N_ITEMS; j++) CHECK(at[j] == got[listed[j]]);
        clear(&f);
    }
    struct fitted with_biases = fit(8, 1, 1);
    CHECK_INT(with_biases.m.reach.n, 0);
    clear(&with_biases);
    struct fitted f = fit(8, 0, 1); /* all but the cold item, longest first */
    CHECK_INT(f.m.reach.n, N_ITEMS - 1);
    for (int32_t j = 1; j < f.m.reach.n; j++) CHECK(f.m.reach.most[j] <= f.m.reach.most[j - 1]);
    clear(&f);
}

static const int32_t liked[] = { 0, 1, 3 };
static const float liked_values[] = { 5, 2, 4 };
static const ki_query stranger = { .user = -1, .items = liked, .values = liked_values, .n = 3 };

TEST(vectors_fold_in_solves_the_ridge_equations)
{
    const int32_t dims[] = { 1, 2, 3, 9, 37 }; /* fewer, as many and more than the history */
    for (int t = 0; t < 5; t++) {
        struct fitted f = fit(dims[t], 1, .5f);
        const ki_vectors *v = f.v;
        double e[3], bias = 0;
        CHECK_OK(ki_form_vectors.prepare(&f.m, &stranger, f.prepared, f.scratch));
        for (int j = 0; j < 3; j++) bias += e[j] = liked_values[j] - *v->mean - v->bi[liked[j]];
        bias /= 3 + .5;
        CHECK_NEAR(f.prepared[v->dim], *v->mean + bias, 1e-6); /* float rounding of numbers <= 5 */
        for (int64_t c = 0; c < v->dim; c++) {                 /* gradient: l2 x_c - sum_j y_jc (e_j - bu - x.y_j) */
            double gradient = .5 * f.prepared[c];
            for (int j = 0; j < 3; j++) {
                const float *y = v->Y + liked[j] * v->dim;
                double left = e[j] - bias;
                for (int64_t a = 0; a < v->dim; a++) left -= (double)y[a] * f.prepared[a];
                gradient -= y[c] * left;
            }
            CHECK_NEAR(gradient, 0, 2e-4); /* float solve, condition number up to 1e2 */
        }
        clear(&f);
    }
}

TEST(vectors_explanation_sums_to_the_score)
{
    struct fitted f = fit(6, 1, .5f);
    for (int32_t item = 0; item < N_ITEMS; item++) {
        ki_term terms[3];
        float score;
        uint8_t supported;
        double sum = f.v->bi[item];
        CHECK_OK(ki_form_vectors.prepare(&f.m, &stranger, f.prepared, f.scratch));
        ki_form_vectors.predict(&f.m, &stranger, f.prepared, &item, 1, &score, &supported, f.scratch);
        const int n = ki_form_vectors.explain(&f.m, &stranger, f.prepared, item, terms, f.scratch);
        CHECK_INT(n, 3);
        for (int j = 0; j < n; j++) sum += terms[j].part;
        CHECK_NEAR(sum + f.prepared[6], score, 1e-5); /* two float solves of the same system */
    }
    clear(&f);
}

TEST(vectors_of_a_singular_system_stay_finite)
{
    struct fitted f = fit(9, 0, 0); /* three equations, nine unknowns, no ridge */
    CHECK_OK(ki_form_vectors.prepare(&f.m, &stranger, f.prepared, f.scratch));
    for (int64_t c = 0; c < 9; c++) CHECK(isfinite(f.prepared[c]));
    clear(&f);
}

TEST(vectors_without_history_give_mean_and_item_bias_unsupported)
{
    struct fitted f = fit(3, 1, 1);
    const ki_query nobody = { .user = -1 };
    const int32_t all[] = { 0, COLD };
    float got[2];
    uint8_t supported[2];
    CHECK_OK(ki_form_vectors.prepare(&f.m, &nobody, f.prepared, f.scratch));
    ki_form_vectors.predict(&f.m, &nobody, f.prepared, all, 2, got, supported, f.scratch);
    CHECK_NEAR(got[0], *f.v->mean + f.v->bi[0], 1e-6); /* one float addition */
    CHECK_INT(supported[0], 0);
    const ki_query u = ki_query_user(&f.m, 0);
    CHECK_OK(ki_form_vectors.prepare(&f.m, &u, f.prepared, f.scratch));
    ki_form_vectors.predict(&f.m, &u, f.prepared, all, 2, got, supported, f.scratch);
    CHECK_INT(supported[0], 1);
    CHECK_INT(supported[1], 0);
    clear(&f);
}

TEST(vectors_are_similar_by_cosine)
{
    struct fitted f = fit(2, 0, 1);
    const float Y[] = { 1, 0, 2, 2, 0, 3, -4, 0, 0, 0 };
    const float want[] = { 1, 0.70710678f, 0, -1, 0 };
    float got[N_ITEMS];
    memcpy(f.v->Y, Y, sizeof Y);
    ki_form_vectors.similar(&f.m, 0, got, f.scratch);
    for (int i = 0; i < N_ITEMS; i++) CHECK_NEAR(got[i], want[i], 1e-6); /* float rounding */
    clear(&f);
}

TEST(biases_alone_find_no_item_similar)
{
    struct fitted f = fit(0, 1, 1);
    ki_ranker *r;
    int32_t found[3], n;
    float scores[3];
    CHECK_OK(ki_ranker_new(&f.m, 3, 0, &r));
    CHECK_FAILS(ki_ranker_similar(r, 0, found, scores, &n), KITH_EDATA, "no notion of similar");
    ki_ranker_free(r);
    clear(&f);
}

TEST(vectors_that_are_not_sound_are_refused)
{
    struct fitted f = fit(2, 1, 1);
    const ki_vectors good = *f.v;
    CHECK_OK(ki_form_vectors.check(&f.m));
    f.v->Y[3] = NAN;
    CHECK_FAILS(ki_form_vectors.check(&f.m), KITH_EFORMAT, "item factors: value 3");
    f.v->Y[3] = 0;
    f.v->bi = NULL;
    CHECK_FAILS(ki_form_vectors.check(&f.m), KITH_EFORMAT, "not for items");
    *f.v = good;
    f.v->n_users = 3;
    CHECK_FAILS(ki_form_vectors.check(&f.m), KITH_EFORMAT, "want 4 and 5");
    *f.v = good;
    clear(&f);
}

TEST(vectors_refused_any_allocation_leave_nothing_behind)
{
    for (int64_t n = 1;; n++) {
        struct fitted f = { 0 };
        struct made_up *o;
        CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &f.k));
        CHECK_OK(kith_data_new(f.k, N_ROWS, users, items, values, NULL, &f.d));
        CHECK_OK(ki_ratings_build(&f.r, f.d, keep));
        CHECK_OK(ki_alloc(&o, 1, sizeof *o));
        *o = (struct made_up){ 3, 1, 1 };
        ki_alloc_fail_at(n, 0);
        const kith_err err = ki_model_fit(&f.m, &made_up_desc, o, f.d, &f.r, ki_context_job(f.k));
        ki_alloc_fail_at(0, 0);
        CHECK(err == KITH_OK || err == KITH_ENOMEM);
        clear(&f);
        if (err == KITH_OK) return;
    }
}
