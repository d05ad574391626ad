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
                                const float *vs, const uint8_t *keep)
{
    struct setting s = { 0 };
    CHECK_OK(kith_new(o, &s.k));
    CHECK_OK(kith_data_new(s.k, n, us, is, vs, NULL, &s.d));
    CHECK_OK(ki_ratings_build(&s.r, s.d, keep));
    return s;
}

enum { N_USERS = 200, N_ITEMS = 150, MAX_ROWS = N_USERS * N_ITEMS };
static uint8_t kept[MAX_ROWS]; /* 1: trained on; 0: left out */

/* Two planted tastes per user and item, biases, noise of .3: r = 3 + bu + bi + p.q + noise. */
static struct setting plant(const kith_options *o)
{
    static char names[N_USERS + N_ITEMS][8];
    static const char *us[MAX_ROWS], *is[MAX_ROWS];
    static float vs[MAX_ROWS], hidden[N_USERS + N_ITEMS][3];
    size_t n = 0;
    ki_rng rng = ki_rng_make(2, 0, 0);
    for (int j = 0; j < N_USERS + N_ITEMS; j++) {
        snprintf(names[j], sizeof names[j], "n%d", j);
        ki_rng_fill_normal(&rng, .7f, hidden[j], 3);
    }
    for (int u = 0; u < N_USERS; u++)
        for (int i = 0; i < N_ITEMS; i++) {
            const float *p = hidden[u], *q = hidden[N_USERS + i];
            if (ki_rng_unit(&rng) > .3) continue;
            us[n] = names[u];
            is[n] = names[N_USERS + i];
            kept[n] = ki_rng_unit(&rng) < .8;
            vs[n++] = 3 + .5f * (p[2] + q[2]) + p[0] * q[0] + p[1] * q[1] + .3f * (float)ki_rng_normal(&rng);
        }
    return read_rows(o, n, us, is, vs, kept);
}

static kith_err try_fit(struct setting *s, const char *name, const kith_param *given, int n)
{
    void *params;
    CHECK_OK(ki_model_params(ki_model_find(name), given, n, 0, &params));
    const kith_err err = ki_model_fit(&s->m, ki_model_find(name), params, s->d, &s->r, ki_context_job(s->k));
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

static const kith_options one_thread = { .threads = 1, .seed = 5 };
static const kith_options five_threads = { .threads = 5, .seed = 5 };

/* Root of the mean squared error over the rows with kept == part; as a stranger when folded. */
static double rmse(const struct setting *s, uint8_t part, int folded)
{
    ki_ranker *r;
    double sum = 0;
    int n = 0;
    CHECK_OK(ki_ranker_new(&s->m, 1, 0, &r));
    for (int64_t j = 0; j < s->d->log.n; j++) {
        if (kept[j] != part) continue;
        ki_query q = ki_query_user(&s->m, s->d->log.user[j]);
        float got;
        uint8_t supported;
        if (folded) q.user = -1;
        CHECK_OK(ki_ranker_predict(r, &q, &s->d->log.item[j], 1, &got, &supported));
        sum += pow(got - s->d->log.value[j], 2);
        n++;
    }
    ki_ranker_free(r);
    return sqrt(sum / n);
}

/* ---- by hand: users a (5) and b (1) rate the one item; d = 1, all factors begin at .5 ---- */

struct two {
    double bu[2], bi, p[2], q;
};

static void step(struct two *t, int u)
{
    const double e = (u == 0 ? 5 : 1) - 3 - t->bu[u] - t->bi - t->p[u] * t->q, p = t->p[u];
    t->bu[u] += .1 * (e - .01 * t->bu[u]);
    t->bi += .2 * (e - .02 * t->bi);
    t->p[u] += .3 * (e * t->q - .03 * p);
    t->q += .4 * (e * p - .04 * t->q);
}

static double distance(const ki_vectors *v, const struct two *t)
{
    double far = fabs(v->bi[0] - t->bi) + fabs(v->Y[0] - t->q);
    for (int u = 0; u < 2; u++) far += fabs(v->bu[u] - t->bu[u]) + fabs(v->X[u] - t->p[u]);
    return far;
}

TEST(funk_svd_takes_the_steps_that_the_paper_gives)
{
    const char *const us[] = { "a", "b" }, *const is[] = { "x", "x" };
    const float vs[] = { 5, 1 };
    const kith_param given[] = { { "n_factors", "1" },    { "n_epochs", "1" }, { "init_mean", ".5" },
                                 { "init_std_dev", "0" }, { "lr_bu", ".1" },   { "lr_bi", ".2" },
                                 { "lr_pu", ".3" },       { "lr_qi", ".4" },   { "reg_bu", ".01" },
                                 { "reg_bi", ".02" },     { "reg_pu", ".03" }, { "reg_qi", ".04" } };
    struct setting s = read_rows(&one_thread, 2, us, is, vs, NULL);
    CHECK_OK(try_fit(&s, "funk-svd", given, KI_COUNT(given)));
    struct two ab = { .p = { .5, .5 }, .q = .5 }, ba = ab;
    step(&ab, 0), step(&ab, 1);
    step(&ba, 1), step(&ba, 0);
    /* the seed decides which of the two blocks comes first; a dozen float roundings */
    CHECK_NEAR(fmin(distance(s.v, &ab), distance(s.v, &ba)), 0, 1e-5);
    drop(&s);
    CHECK_INT(ki_alloc_live(), 0);
}

/* One user rates eight items, two in each block: item j and item j + 4, one after the other. */
struct eight {
    double bu, p, bi[8], q[8];
};

static void step_eight(struct eight *t, int i, double r)
{
    const double e = r - 4.5 - t->bu - t->bi[i] - t->p * t->q[i], p = t->p;
    t->bu += .1 * (e - .01 * t->bu);
    t->bi[i] += .2 * (e - .02 * t->bi[i]);
    t->p += .3 * (e * t->q[i] - .03 * p);
    t->q[i] += .4 * (e * p - .04 * t->q[i]);
}

/* How far the model is from what the blocks in this order leave. */
static double distance_in_order(const ki_vectors *v, const int order[4])
{
    struct eight t = { .p = .5 };
    for (int i = 0; i < 8; i++) t.q[i] = .5;
    for (int b = 0; b < 4; b++)
        for (int i = order[b]; i < 8; i += 4) step_eight(&t, i, i + 1);
    double far = fabs(v->bu[0] - t.bu) + fabs(v->X[0] - t.p);
    for (int i = 0; i < 8; i++) far += fabs(v->bi[i] - t.bi[i]) + fabs(v->Y[i] - t.q[i]);
    return far;
}

TEST(funk_svd_takes_two_ratings_of_a_user_one_after_the_other)
{
    const char *const us[] = { "a", "a", "a", "a", "a", "a", "a", "a" };
    const char *const is[] = { "0", "1", "2", "3", "4", "5", "6", "7" };
    const float vs[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    const kith_param given[] = { { "n_factors", "1" },    { "n_epochs", "1" }, { "init_mean", ".5" },
                                 { "init_std_dev", "0" }, { "lr_bu", ".1" },   { "lr_bi", ".2" },
                                 { "lr_pu", ".3" },       { "lr_qi", ".4" },   { "reg_bu", ".01" },
                                 { "reg_bi", ".02" },     { "reg_pu", ".03" }, { "reg_qi", ".04" } };
    struct setting s = read_rows(&one_thread, 8, us, is, vs, NULL);
    CHECK_OK(try_fit(&s, "funk-svd", given, KI_COUNT(given)));
    double nearest = INFINITY;
    for (int code = 0; code < 256; code++) { /* the seed decides the order of the blocks */
        const int order[4] = { code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 };
        if ((1 << order[0] | 1 << order[1] | 1 << order[2] | 1 << order[3]) != 15) continue;
        nearest = fmin(nearest, distance_in_order(s.v, order));
    }
    CHECK_NEAR(nearest, 0, 1e-4); /* a hundred roundings of numbers up to 10 */
    drop(&s);
}

TEST(funk_svd_steps_of_minus_one_are_those_of_all)
{
    const kith_param each[] = { { "lr_all", ".9" }, { "reg_all", ".9" }, { "lr_bu", ".01" }, { "lr_bi", ".01" },
                                { "lr_pu", ".01" }, { "lr_qi", ".01" },  { "reg_bu", ".1" }, { "reg_bi", ".1" },
                                { "reg_pu", ".1" }, { "reg_qi", ".1" } };
    const kith_param all[] = { { "lr_all", ".01" }, { "reg_all", ".1" }, { "reg_bu", "-1" }, { "reg_bi", "-1" } };
    struct setting a = plant(&one_thread), b = plant(&one_thread);
    CHECK_OK(try_fit(&a, "funk-svd", each, KI_COUNT(each)));
    CHECK_OK(try_fit(&b, "funk-svd", all, KI_COUNT(all)));
    CHECK(memcmp(a.v->X, b.v->X, (size_t)(a.v->n_users * a.v->dim) * sizeof(float)) == 0);
    drop(&a), drop(&b);
}

TEST(funk_svd_training_error_falls_from_epoch_to_epoch)
{
    double before = INFINITY;
    const char *const epochs[] = { "1", "2", "4", "8", "16", "32" };
    for (int t = 0; t < 6; t++) {
        const kith_param given[] = { { "n_epochs", epochs[t] }, { "n_factors", "10" } };
        struct setting s = plant(&one_thread);
        CHECK_OK(try_fit(&s, "funk-svd", given, 2));
        const double now = rmse(&s, 1, 0);
        CHECK(now < before);
        before = now;
        drop(&s);
    }
}

TEST(funk_svd_finds_planted_tastes_that_biases_cannot)
{
    const kith_param given[] = { { "n_epochs", "150" }, { "n_factors", "10" }, { "reg_all", ".1" } };
    struct setting s = plant(&one_thread), b = plant(&one_thread);
    CHECK_OK(try_fit(&s, "funk-svd", given, 3));
    CHECK_OK(try_fit(&b, "bias", NULL, 0));
    /* The noise, .3, is the floor.  Seen: .369, folded in .392, biases alone .818. */
    CHECK(rmse(&s, 0, 0) < .40);
    CHECK(rmse(&s, 0, 1) < .43);
    CHECK(rmse(&b, 0, 0) > .70);
    drop(&s), drop(&b);
}

TEST(funk_svd_has_the_same_bits_on_one_and_five_threads)
{
    const kith_param given[] = { { "n_epochs", "5" }, { "n_factors", "13" } };
    struct setting a = plant(&one_thread), b = plant(&five_threads);
    CHECK_OK(try_fit(&a, "funk-svd", given, 2));
    CHECK_OK(try_fit(&b, "funk-svd", given, 2));
    CHECK(memcmp(a.v->X, b.v->X, (size_t)(a.v->n_users * 13) * sizeof(float)) == 0);
    CHECK(memcmp(a.v->Y, b.v->Y, (size_t)(a.v->n_items * 13) * sizeof(float)) == 0);
    CHECK(memcmp(a.v->bu, b.v->bu, (size_t)a.v->n_users * sizeof(float)) == 0);
    CHECK(memcmp(a.v->bi, b.v->bi, (size_t)a.v->n_items * sizeof(float)) == 0);
    drop(&a), drop(&b);
}

TEST(funk_svd_without_biases_is_the_inner_product_alone)
{
    const kith_param given[] = { { "biased", "false" }, { "init_mean", ".3" }, { "n_factors", "5" } };
    struct setting s = plant(&one_thread);
    CHECK_OK(try_fit(&s, "funk-svd", given, 3));
    CHECK(s.v->bu == NULL && s.v->bi == NULL);
    CHECK_NEAR(*s.v->mean, 0, 0);
    CHECK(rmse(&s, 1, 0) < 1.5); /* ratings are 3 and more: zeroes would give over 3 */
    drop(&s);
}

TEST(funk_svd_that_diverges_says_so)
{
    const kith_param given[] = { { "lr_all", "1" } };
    struct setting s = plant(&one_thread);
    CHECK_FAILS(try_fit(&s, "funk-svd", given, 1), KITH_EINVAL, "take a smaller step");
    drop(&s);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(funk_svd_refused_any_allocation_leaves_nothing_behind)
{
    const char *const us[] = { "a", "b" }, *const is[] = { "x", "x" };
    const float vs[] = { 5, 1 };
    for (int64_t n = 1;; n++) {
        struct setting s = read_rows(&one_thread, 2, us, is, vs, NULL);
        void *params;
        CHECK_OK(ki_model_params(ki_model_find("funk-svd"), NULL, 0, 0, &params));
        ki_alloc_fail_at(n, 0);
        const kith_err err = ki_model_fit(&s.m, ki_model_find("funk-svd"), params, s.d, &s.r, ki_context_job(s.k));
        ki_alloc_fail_at(0, 0);
        CHECK(err == KITH_OK || err == KITH_ENOMEM);
        drop(&s);
        CHECK_INT(ki_alloc_live(), 0);
        if (err == KITH_OK) return;
    }
}
