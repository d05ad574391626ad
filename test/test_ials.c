/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/form_vectors.h"
#include "model/rank.h"

struct setting {
    kith *k;
    kith_data *d;
    ki_ratings r;
    ki_model m;
    ki_vectors *v;
};

static struct setting read_rows(const kith_options *o, size_t n, const char *const *us, const char *const *is,
                                const float *vs)
{
    struct setting s = { 0 };
    CHECK_OK(kith_new(o, &s.k));
    CHECK_OK(kith_data_new(s.k, n, us, is, vs, NULL, &s.d));
    CHECK_OK(ki_ratings_build(&s.r, s.d, NULL));
    return s;
}

/* Two tastes, some noise, events counted 1 to 3; a few users with one event, one item with most. */
static struct setting make_up(const kith_options *o)
{
    enum { N_USERS = 130, N_ITEMS = 61, N = N_USERS * N_ITEMS };
    static char names[N_USERS + N_ITEMS][8];
    static const char *us[N], *is[N];
    static float vs[N];
    size_t n = 0;
    ki_rng rng = ki_rng_make(11, 0, 0);
    for (int j = 0; j < N_USERS + N_ITEMS; j++) snprintf(names[j], sizeof names[j], "n%d", j);
    for (int u = 0; u < N_USERS; u++)
        for (int i = 0; i < N_ITEMS; i++) {
            const double p = i == 0 ? .9 : u < 5 ? .02 : u % 2 == i % 2 ? .25 : .03;
            if (ki_rng_unit(&rng) > p) continue;
            us[n] = names[u];
            is[n] = names[N_USERS + i];
            vs[n++] = (float)(1 + ki_rng_below(&rng, 3));
        }
    return read_rows(o, n, us, is, vs);
}

static kith_err try_fit(struct setting *s, const kith_param *given, int n)
{
    void *params;
    CHECK_OK(ki_model_params(ki_model_find("ials"), given, n, 0, &params));
    const kith_err err = ki_model_fit(&s->m, ki_model_find("ials"), params, s->d, &s->r, ki_context_job(s->k));
    s->v = s->m.state;
    return err;
}

static void drop(struct setting *s)
{
    ki_model_clear(&s->m);
    ki_ratings_clear(&s->r);
    kith_data_free(s->d);
    kith_free(s->k);
}

static void clear(struct setting *s)
{
    drop(s);
    CHECK_INT(ki_alloc_live(), 0);
}

static const kith_options one_thread = { .threads = 1, .seed = 5 };
static const kith_options five_threads = { .threads = 5, .seed = 5 };

struct loss { /* of the objective in ials.c */
    double alpha0, alpha, reg, nu;
};

static double dot(const float *x, const float *y, int64_t d)
{
    double s = 0;
    for (int64_t c = 0; c < d; c++) s += (double)x[c] * y[c];
    return s;
}

static double ridge(const struct loss *o, const ki_csr *by, int32_t row)
{
    double sum = o->alpha0 * by->n_cols;
    for (int64_t j = by->ptr[row]; j < by->ptr[row + 1]; j++) sum += o->alpha * by->val[j];
    return o->reg * pow(sum, o->nu);
}

static double weight(const struct loss *o, const ki_csr *by, int32_t u, int32_t i, double *target)
{
    const int64_t at = ki_csr_find(by, u, i);
    *target = at >= 0;
    return o->alpha0 + (at >= 0 ? o->alpha * by->val[at] : 0);
}

static double objective(const struct setting *s, const struct loss *o)
{
    const ki_vectors *v = s->v;
    double sum = 0, target;
    for (int32_t u = 0; u < v->n_users; u++)
        for (int32_t i = 0; i < v->n_items; i++) {
            const double w = weight(o, &s->r.by_user, u, i, &target);
            const double e = target - dot(v->X + u * v->dim, v->Y + i * v->dim, v->dim);
            sum += w * e * e;
        }
    for (int32_t u = 0; u < v->n_users; u++)
        sum += ridge(o, &s->r.by_user, u) * dot(v->X + u * v->dim, v->X + u * v->dim, v->dim);
    for (int32_t i = 0; i < v->n_items; i++)
        sum += ridge(o, &s->r.by_item, i) * dot(v->Y + i * v->dim, v->Y + i * v->dim, v->dim);
    return sum;
}

static const struct loss loss = { .2, .7, .05, .8 };
#define LOSS                                                                                                           \
    { "alpha0", "0.2" }, { "alpha", "0.7" }, { "reg", "0.05" }, { "nu", "0.8" },                                       \
    {                                                                                                                  \
        "weights", "value"                                                                                             \
    }

TEST(ials_of_one_event_is_known_in_closed_form)
{
    /* (1 + 4) (1 - xy)^2 + .5 (x^2 + y^2) is least at x = y, x^2 = 1 - .5 / 5 */
    const char *const user[] = { "u" }, *const item[] = { "i" };
    const float value[] = { 4 };
    const kith_param given[] = { { "n_factors", "1" }, { "alpha0", "1" },    { "weights", "value" }, { "reg", ".5" },
                                 { "nu", "0" },        { "n_epochs", "50" }, { "init_std_dev", "1" } };
    struct setting s = read_rows(&one_thread, 1, user, item, value);
    CHECK_OK(try_fit(&s, given, KI_COUNT(given)));
    CHECK_NEAR(s.v->X[0] * s.v->Y[0], .9, 1e-5); /* float rounding */
    CHECK_NEAR(s.v->X[0] * s.v->X[0], .9, 1e-4); /* 50 epochs from a start with |x| != |y| */
    clear(&s);
}

TEST(ials_user_rows_meet_the_normal_equations)
{
    const kith_param given[] = { LOSS, { "n_factors", "7" }, { "n_epochs", "2" } };
    struct setting s = make_up(&one_thread);
    CHECK_OK(try_fit(&s, given, KI_COUNT(given)));
    for (int32_t u = 0; u < s.v->n_users; u++)
        for (int64_t c = 0; c < 7; c++) { /* half the gradient by x_uc, over seen and not seen */
            const float *x = s.v->X + u * 7;
            double g = ridge(&loss, &s.r.by_user, u) * x[c], target;
            for (int32_t i = 0; i < s.v->n_items; i++) {
                const float *y = s.v->Y + i * 7;
                const double w = weight(&loss, &s.r.by_user, u, i, &target);
                g -= w * (target - dot(x, y, 7)) * y[c];
            }
            CHECK_NEAR(g, 0, 2e-4); /* float sums of some 60 terms up to 2 */
        }
    clear(&s);
}

static void check_falls(const char *solver)
{
    double before = INFINITY;
    for (int epochs = 1; epochs <= 6; epochs++) {
        char n[8];
        snprintf(n, sizeof n, "%d", epochs);
        const kith_param given[] = {
            LOSS, { "n_factors", "9" }, { "n_epochs", n }, { "solver", solver }, { "block_size", "4" }
        };
        struct setting s = make_up(&one_thread);
        CHECK_OK(try_fit(&s, given, KI_COUNT(given)));
        const double now = objective(&s, &loss);
        CHECK(now <= before * (1 + 1e-6)); /* float rounding of rows */
        before = now;
        clear(&s);
    }
}

TEST(ials_objective_never_rises)
{
    check_falls("cholesky");
    check_falls("block");
    check_falls("cg"); /* each step of conjugate gradients lowers its row's part */
}

static struct setting fit_by(const char *solver, const char *steps, const char *block)
{
    const kith_param given[] = { LOSS,
                                 { "n_factors", "9" },
                                 { "n_epochs", "3" },
                                 { "solver", solver },
                                 { "cg_steps", steps },
                                 { "block_size", block } };
    struct setting s = make_up(&one_thread);
    CHECK_OK(try_fit(&s, given, KI_COUNT(given)));
    return s;
}

TEST(ials_solvers_agree_where_all_are_exact)
{
    struct setting a = fit_by("cholesky", "3", "4"), b = fit_by("cg", "40", "4"), c = fit_by("block", "3", "9");
    for (int32_t u = 0; u < a.v->n_users; u++)
        for (int32_t i = 0; i < a.v->n_items; i++) { /* products: cg turns the factors into a basis of its own */
            const double want = dot(a.v->X + u * 9, a.v->Y + i * 9, 9);
            CHECK_NEAR(dot(b.v->X + u * 9, b.v->Y + i * 9, 9), want, 2e-3); /* two float solvers, three epochs apart */
            CHECK_NEAR(dot(c.v->X + u * 9, c.v->Y + i * 9, 9), want, 2e-3);
        }
    drop(&a), drop(&b), clear(&c);
}

TEST(ials_by_cg_keeps_the_gram_of_its_items)
{
    struct setting s = fit_by("cg", "2", "4");
    const ki_vectors *v = s.v;
    for (int64_t a = 0; a < 9; a++)
        for (int64_t b = 0; b < 9; b++) {
            double sum = 0;
            for (int32_t i = 0; i < v->n_items; i++) sum += (double)v->Y[i * 9 + a] * v->Y[i * 9 + b];
            CHECK_NEAR(v->gram[a * 9 + b], sum, 1e-5 * v->gram[8 * 9 + 8]); /* float, of the largest on its diagonal */
            CHECK(a == b || v->gram[a * 9 + b] == 0);
        }
    clear(&s);
}

TEST(ials_fold_in_of_a_training_user_is_the_trained_row)
{
    struct setting s = fit_by("cholesky", "3", "4");
    float x[10], scratch[9 * 9 + 9 + 61];
    for (int32_t u = 0; u < s.v->n_users; u++) {
        ki_query q = ki_query_user(&s.m, u);
        q.user = -1;
        CHECK_OK(ki_form_vectors.prepare(&s.m, &q, x, scratch));
        for (int c = 0; c < 9; c++) /* the same sums; only the ridge is summed again */
            CHECK_NEAR(x[c], s.v->X[u * 9 + c], 1e-6);
    }
    clear(&s);
}

/* item_power is a way to write the values: events of an item with n of them, mean n on average, as (n / mean)^-power. */
TEST(ials_item_power_weighs_events_by_their_item)
{
    const kith_param power[] = {
        { "n_factors", "4" }, { "alpha0", ".1" }, { "n_epochs", "3" }, { "solver", "cholesky" }, { "item_power", ".5" }
    };
    const kith_param values[] = {
        { "n_factors", "4" }, { "alpha0", ".1" }, { "n_epochs", "3" }, { "solver", "cholesky" }, { "weights", "value" }
    };
    struct setting a = make_up(&one_thread), b = make_up(&one_thread);
    float x[5], scratch[4 * 4 + 4 + 61];
    const double mean = (double)ki_csr_nnz(&b.r.by_item) / b.r.by_item.n_rows;
    for (int64_t j = 0; j < ki_csr_nnz(&b.r.by_user); j++)
        b.r.by_user.val[j] = (float)pow((double)ki_csr_len(&b.r.by_item, b.r.by_user.idx[j]) / mean, -.5);
    for (int32_t i = 0; i < b.r.by_item.n_rows; i++)
        for (int64_t j = b.r.by_item.ptr[i]; j < b.r.by_item.ptr[i + 1]; j++)
            b.r.by_item.val[j] = (float)pow((double)ki_csr_len(&b.r.by_item, i) / mean, -.5);
    CHECK_OK(try_fit(&a, power, KI_COUNT(power)));
    CHECK_OK(try_fit(&b, values, KI_COUNT(values)));
    for (int64_t j = 0; j < a.v->n_users * 4; j++) CHECK(a.v->X[j] == b.v->X[j]);
    for (int32_t u = 0; u < a.v->n_users; u++) { /* a history is weighed as its user was */
        ki_query q = ki_query_user(&a.m, u);
        q.user = -1;
        CHECK_OK(ki_form_vectors.prepare(&a.m, &q, x, scratch));
        for (int c = 0; c < 4; c++) CHECK_NEAR(x[c], a.v->X[u * 4 + c], 1e-6); /* only the ridge is summed again */
    }
    drop(&a), clear(&b);
}

TEST(ials_explanation_sums_to_the_score)
{
    struct setting s = fit_by("cholesky", "3", "4");
    ki_ranker *r;
    ki_term terms[61];
    CHECK_OK(ki_ranker_new(&s.m, 1, 0, &r));
    for (int32_t u = 0; u < 20; u++) {
        const ki_query q = ki_query_user(&s.m, u);
        const int32_t item = (u * 7) % 61;
        float score;
        uint8_t supported;
        double sum = 0;
        int n;
        CHECK_OK(ki_ranker_predict(r, &q, &item, 1, &score, &supported));
        CHECK_OK(ki_ranker_explain(r, &q, item, terms, &n));
        CHECK_INT(n, q.n);
        for (int j = 0; j < n; j++) sum += terms[j].part;
        CHECK_NEAR(sum, score, 1e-5); /* two float solves of the same system */
    }
    ki_ranker_free(r);
    clear(&s);
}

TEST(ials_with_nu_1_does_not_care_for_the_unit_of_weights)
{
    const kith_param small[] = { { "n_factors", "5" }, { "alpha0", ".1" }, { "alpha", "1" } };
    const kith_param large[] = { { "n_factors", "5" }, { "alpha0", "1" }, { "alpha", "10" } };
    struct setting a = make_up(&one_thread), b = make_up(&one_thread);
    CHECK_OK(try_fit(&a, small, KI_COUNT(small)));
    CHECK_OK(try_fit(&b, large, KI_COUNT(large)));
    for (int64_t j = 0; j < a.v->n_users * 5; j++) /* the same equations, ten times as large */
        CHECK_NEAR(b.v->X[j], a.v->X[j], 2e-3);
    drop(&a), clear(&b);
}

TEST(ials_has_the_same_bits_on_one_and_five_threads)
{
    const char *const solvers[] = { "cholesky", "cg", "block" };
    for (int t = 0; t < 3; t++) {
        const kith_param given[] = {
            { "n_factors", "13" }, { "n_epochs", "3" }, { "solver", solvers[t] }, { "block_size", "5" }
        };
        struct setting a = make_up(&one_thread), b = make_up(&five_threads);
        CHECK_OK(try_fit(&a, given, KI_COUNT(given)));
        CHECK_OK(try_fit(&b, given, KI_COUNT(given)));
        CHECK(memcmp(a.v->X, b.v->X, (size_t)(a.v->n_users * 13) * sizeof(float)) == 0);
        CHECK(memcmp(a.v->Y, b.v->Y, (size_t)(a.v->n_items * 13) * sizeof(float)) == 0);
        drop(&a), clear(&b);
    }
}

TEST(ials_without_a_ridge_stays_finite)
{
    const kith_param given[] = { { "n_factors", "70" }, { "reg", "0" }, { "alpha0", "0" } };
    struct setting s = make_up(&one_thread); /* more factors than items: every system is singular */
    CHECK_OK(try_fit(&s, given, KI_COUNT(given)));
    CHECK_OK(ki_form_vectors.check(&s.m));
    clear(&s);
}

TEST(ials_refuses_negative_weights)
{
    const char *const us[] = { "u", "u" }, *const is[] = { "i", "j" };
    const float vs[] = { 1, -2 };
    const kith_param value[] = { { "weights", "value" } };
    struct setting s = read_rows(&one_thread, 2, us, is, vs);
    CHECK_FAILS(try_fit(&s, value, 1), KITH_EDATA, "the value -2 is negative");
    CHECK_OK(try_fit(&s, NULL, 0)); /* binary: how much does not matter */
    clear(&s);
}

static void cancel(void *udata, const char *what, int64_t done, int64_t total)
{
    kith **k = udata;
    CHECK_STR(what, "fit ials");
    CHECK(total == 15);
    if (done == 2) kith_cancel(*k);
}

TEST(ials_stops_when_cancelled)
{
    kith *k = NULL;
    struct setting s = make_up(&(kith_options){ .threads = 2, .progress = cancel, .udata = &k });
    k = s.k;
    CHECK_FAILS(try_fit(&s, NULL, 0), KITH_ECANCELED, "cancelled");
    clear(&s);
}

TEST(ials_refused_any_allocation_leaves_nothing_behind)
{
    const char *const solvers[] = { "cholesky", "cg", "block" };
    for (int t = 0; t < 3; t++)
        for (int64_t n = 1;; n++) {
            const kith_param given[] = { { "n_factors", "4" }, { "n_epochs", "1" }, { "solver", solvers[t] } };
            struct setting s = make_up(&one_thread);
            void *params;
            CHECK_OK(ki_model_params(ki_model_find("ials"), given, 3, 0, &params));
            ki_alloc_fail_at(n, 0);
            const kith_err err = ki_model_fit(&s.m, ki_model_find("ials"), params, s.d, &s.r, ki_context_job(s.k));
            ki_alloc_fail_at(0, 0);
            CHECK(err == KITH_OK || err == KITH_ENOMEM);
            clear(&s);
            if (err == KITH_OK) break;
        }
}
