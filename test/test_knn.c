/* SPDX-License-Identifier: MIT
 * Neighbours by hand.  Means, spreads and baselines of all similarities are held against Surprise in test_golden.c.
 */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/baseline.h"
#include "model/form_items.h"
#include "model/rank.h"

/*          w  x  y  z
 *    ann   5  3  4  .     mean 4
 *    bob   4  2  5  1          3
 *    cleo  1  5  2  4          3
 *    dan   4  .  .  2          3      all: 42 / 13 */
enum { ANN, BOB, CLEO, DAN };
enum { W, X, Y, Z };
static const char *const users[] = { "ann",  "ann",  "ann",  "bob",  "bob", "bob", "bob",
                                     "cleo", "cleo", "cleo", "cleo", "dan", "dan" };
static const char *const items[] = { "w", "x", "y", "w", "x", "y", "z", "w", "x", "y", "z", "w", "z" };
static const float values[] = { 5, 3, 4, 4, 2, 5, 1, 1, 5, 2, 4, 4, 2 };
static const double mean = 42.0 / 13;

/* Similarities of users to ann (msd), and of items to z: 1 / (1 + mean squared difference). */
static const double like_ann[] = { 0, 1.0 / 2, 1.0 / 9, 1.0 / 2 };
static const double like_z[] = { 3.0 / 25, 1.0 / 2, 1.0 / 11 };

struct fitted {
    kith *k;
    kith_data *d;
    ki_ratings r;
    ki_model m;
    ki_ranker *ranker;
};

static kith_err try_fit(struct fitted *f, const char *name, const kith_param *given, int n)
{
    void *params;
    kith_err err;
    if ((err = ki_model_params(ki_model_find(name), given, n, 0, &params)) != KITH_OK) return err;
    err = ki_model_fit(&f->m, ki_model_find(name), params, f->d, &f->r, ki_context_job(f->k));
    if (err != KITH_OK) return err;
    if ((err = ki_ranker_new(&f->m, 3, 0, &f->ranker)) != KITH_OK) ki_model_clear(&f->m);
    return err;
}

static struct fitted open_data(const float *v, int threads)
{
    struct fitted f = { 0 };
    CHECK_OK(kith_new(&(kith_options){ .threads = threads }, &f.k));
    CHECK_OK(kith_data_new(f.k, KI_COUNT(values), users, items, v, NULL, &f.d));
    CHECK_OK(ki_ratings_build(&f.r, f.d, NULL));
    return f;
}

/* Into place: the ranker points at the model. */
static void fit(struct fitted *f, const char *name, const kith_param *given, int n)
{
    *f = open_data(values, 1);
    CHECK_OK(try_fit(f, name, given, n));
}

static void clear(struct fitted *f)
{
    ki_ranker_free(f->ranker);
    ki_model_clear(&f->m);
    ki_ratings_clear(&f->r);
    kith_data_free(f->d);
    kith_free(f->k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* The estimate of (ann, z); -1 for one without support. */
static double ann_z(const char *name, const char *similarity, const char *variant, const char *k, const char *min_k)
{
    const kith_param given[] = { { "similarity", similarity }, { "variant", variant }, { "k", k }, { "min_k", min_k } };
    struct fitted f;
    fit(&f, name, given, 4);
    const ki_query q = ki_query_user(&f.m, ANN);
    const int32_t item = Z;
    uint8_t supported;
    float got;
    CHECK_OK(ki_ranker_predict(f.ranker, &q, &item, 1, &got, &supported));
    clear(&f);
    return supported ? got : -got;
}

/* float32 arithmetic on numbers below 10 */
#define TOLERANCE 2e-6

TEST(user_knn_estimates_the_weighted_mean_of_those_who_rated)
{
    const double up = like_ann[BOB] * 1 + like_ann[CLEO] * 4 + like_ann[DAN] * 2;
    const double down = like_ann[BOB] + like_ann[CLEO] + like_ann[DAN];
    CHECK_NEAR(up / down, 1.75, 1e-12);
    CHECK_NEAR(ann_z("user-knn", "msd", "basic", "40", "1"), 1.75, TOLERANCE);
}

TEST(user_knn_takes_the_k_most_similar_and_the_lower_user_of_equals)
{
    CHECK_NEAR(ann_z("user-knn", "msd", "basic", "2", "1"), 1.5, TOLERANCE); /* bob, dan */
    CHECK_NEAR(ann_z("user-knn", "msd", "basic", "1", "1"), 1, TOLERANCE);   /* bob */
}

TEST(neighbours_that_are_not_positively_similar_do_not_vote)
{
    /* Pearson with ann: bob 2 / sqrt(2 * 14/3), cleo negative, dan has one item in common: 0. */
    CHECK_NEAR(ann_z("user-knn", "pearson", "basic", "40", "1"), 1, TOLERANCE);
    CHECK_NEAR(ann_z("user-knn", "pearson", "means", "40", "1"), 4 + (1 - 3), TOLERANCE);
}

TEST(too_few_voters_leave_the_mean_and_say_so)
{
    CHECK_NEAR(ann_z("user-knn", "msd", "basic", "40", "4"), -mean, TOLERANCE);
    CHECK_NEAR(ann_z("user-knn", "msd", "means", "40", "4"), -4, TOLERANCE);
    CHECK_NEAR(ann_z("item-knn", "msd", "basic", "40", "4"), -mean, TOLERANCE);
    CHECK_NEAR(ann_z("item-knn", "msd", "means", "40", "4"), -7.0 / 3, TOLERANCE);
}

TEST(item_knn_estimates_from_the_rated_items_like_it)
{
    const double down = like_z[W] + like_z[X] + like_z[Y];
    const double basic = like_z[W] * 5 + like_z[X] * 3 + like_z[Y] * 4;
    CHECK_NEAR(ann_z("item-knn", "msd", "basic", "40", "1"), basic / down, TOLERANCE);
    CHECK_NEAR(ann_z("item-knn", "msd", "basic", "1", "1"), 3, TOLERANCE);
}

TEST(too_few_voters_leave_the_baseline_where_there_is_one)
{
    struct fitted f = open_data(values, 1);
    const ki_baseline_als als = { 10, 15, 10 };
    float bu[4], bi[4];
    CHECK_OK(ki_baseline_by_als(&f.r, &als, ki_context_job(f.k), bu, bi));
    clear(&f);
    CHECK_NEAR(ann_z("user-knn", "msd", "baseline", "40", "4"), -(mean + bu[ANN] + bi[Z]), TOLERANCE);
}

TEST(a_history_is_served_like_the_user_who_has_it)
{
    const char *const names[] = { "item-knn", "user-knn" };
    for (int j = 0; j < 2; j++) {
        struct fitted f;
        fit(&f, names[j], NULL, 0);
        ki_query q = ki_query_user(&f.m, ANN);
        const int32_t item = Z;
        float known, stranger;
        uint8_t supported;
        CHECK_OK(ki_ranker_predict(f.ranker, &q, &item, 1, &known, &supported));
        /* a user-knn stranger meets ann, who has not rated z and so has no say */
        q.user = -1;
        CHECK_OK(ki_ranker_predict(f.ranker, &q, &item, 1, &stranger, &supported));
        CHECK_NEAR(stranger, known, 0); /* the same sums in the same order */
        clear(&f);
    }
}

/* ---- lists ---- */

static const kith_param cosine[] = { { "similarity", "cosine" }, { "shrinkage", "0" } };

TEST(item_knn_lists_by_the_sum_of_similarities)
{
    struct fitted f;
    fit(&f, "item-knn", cosine, 2);
    /* lengths: w sqrt(58), x sqrt(38), y sqrt(45), z sqrt(21) */
    const double wz = (4 * 1 + 1 * 4 + 4 * 2) / sqrt(58.0 * 21), xz = (2 * 1 + 5 * 4) / sqrt(38.0 * 21),
                 yz = (5 * 1 + 2 * 4) / sqrt(45.0 * 21);
    const ki_query ann = ki_query_user(&f.m, ANN);
    int32_t got[3], n;
    float scores[3];
    CHECK_OK(ki_ranker_run(f.ranker, &ann, 1, got, scores, &n));
    CHECK_INT(n, 1);
    CHECK_INT(got[0], Z);
    CHECK_NEAR(scores[0], 5 * wz + 3 * xz + 4 * yz, 1e-5); /* float sums of numbers below 10 */
    CHECK_OK(ki_ranker_similar(f.ranker, Z, got, scores, &n));
    CHECK_INT(n, 3);
    CHECK_INT(got[0], X);
    CHECK_NEAR(scores[0], xz, 1e-6);
    clear(&f);
}

TEST(user_knn_lists_by_the_sum_over_the_nearest)
{
    const kith_param given[] = { { "similarity", "cosine" }, { "shrinkage", "0" }, { "n_neighbors", "1" } };
    const double bob = (5 * 4 + 3 * 2 + 4 * 5) / sqrt(50.0 * 46), cleo = (5 + 15 + 8) / sqrt(50.0 * 46),
                 dan = 20 / sqrt(50.0 * 20);
    struct fitted f;
    fit(&f, "user-knn", given, 3);
    ki_query ann = ki_query_user(&f.m, ANN);
    int32_t got[3], n;
    float scores[3];
    CHECK_OK(ki_ranker_run(f.ranker, &ann, 1, got, scores, &n));
    CHECK_INT(got[0], Z);
    CHECK_NEAR(scores[0], bob * 1, 1e-6); /* bob alone is nearest */
    clear(&f);
    fit(&f, "user-knn", given, 2);
    ann = ki_query_user(&f.m, ANN);
    CHECK_OK(ki_ranker_run(f.ranker, &ann, 1, got, scores, &n));
    CHECK_NEAR(scores[0], bob * 1 + cleo * 4 + dan * 2, 1e-5);
    clear(&f);
}

static double score_of(struct fitted *f, const ki_query *q, int32_t item)
{
    int32_t got[3], n;
    float scores[3];
    CHECK_OK(ki_ranker_run(f->ranker, q, 1, got, scores, &n));
    for (int j = 0; j < n; j++)
        if (got[j] == item) return scores[j];
    return NAN;
}

TEST(reasons_add_up_to_the_score)
{
    const char *const names[] = { "item-knn", "user-knn" };
    const char *const measures[] = { "cosine", "tfidf",           "bm25",    "degree", "jaccard", "cosine_corated",
                                     "msd",    "adjusted_cosine", "pearson", "auto" };
    for (int a = 0; a < 2; a++) {
        for (size_t b = 0; b < KI_COUNT(measures); b++) {
            const kith_param given[] = { { "similarity", measures[b] } };
            struct fitted f;
            fit(&f, names[a], given, 1);
            const ki_query q = ki_query_user(&f.m, ANN);
            ki_term terms[3];
            double sum = 0;
            int n;
            CHECK_OK(ki_ranker_explain(f.ranker, &q, Z, terms, &n));
            for (int j = 0; j < n; j++) sum += terms[j].part;
            CHECK_NEAR(sum, score_of(&f, &q, Z), 1e-5); /* float sums of numbers below 10 */
            clear(&f);
        }
    }
}

TEST(a_reason_of_user_knn_is_the_part_that_an_item_has_in_the_similarity)
{
    struct fitted f;
    fit(&f, "user-knn", cosine, 2);
    const ki_query q = ki_query_user(&f.m, ANN);
    ki_term terms[3];
    int n;
    CHECK_OK(ki_ranker_explain(f.ranker, &q, Z, terms, &n));
    CHECK_INT(n, 3);
    CHECK_INT(terms[0].item, W);
    CHECK_NEAR(terms[0].part, 5 * 4 / sqrt(50.0 * 46) * 1 + 5 * 1 / sqrt(50.0 * 46) * 4 + 5 * 4 / sqrt(50.0 * 20) * 2,
               1e-5);
    clear(&f);
}

TEST(events_without_values_are_counted_and_not_rated)
{
    static const float ones[KI_COUNT(values)] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    const char *const names[] = { "item-knn", "user-knn" };
    /* cosine of sets: item-knn z with w 3/sqrt(12), x 2/3, y 2/3; user-knn ann with bob, cleo
     * 3/sqrt(12), dan 1/sqrt(6) */
    const double want[] = { 3 / sqrt(12) + 2.0 / 3 + 2.0 / 3, 6 / sqrt(12) + 1 / sqrt(6) };
    const kith_param given[] = { { "similarity", "cosine" }, { "shrinkage", "0" }, { "n_neighbors", "0" } };
    for (int j = 0; j < 2; j++) {
        struct fitted f = open_data(ones, 1);
        CHECK_OK(try_fit(&f, names[j], given, 3));
        const ki_query q = ki_query_user(&f.m, ANN);
        const int32_t item = Z;
        float got;
        uint8_t supported;
        CHECK_INT(ki_model_rates(&f.m), 0);
        CHECK_NEAR(score_of(&f, &q, Z), want[j], 1e-6);
        CHECK_OK(ki_ranker_predict(f.ranker, &q, &item, 1, &got, &supported));
        CHECK_NEAR(got, want[j], 1e-6); /* a preference: the score itself */
        CHECK_INT(supported, 1);
        clear(&f);
    }
}

/* ---- data of some size ---- */

enum { N_USERS = 90, N_ITEMS = 60 };

static struct fitted open_random(int threads)
{
    static char names[N_USERS + N_ITEMS][8];
    static const char *u[N_USERS * N_ITEMS], *i[N_USERS * N_ITEMS];
    static float v[N_USERS * N_ITEMS];
    ki_rng rng = ki_rng_make(4, 0, 0);
    struct fitted f = { 0 };
    size_t n = 0;
    for (int a = 0; a < N_USERS + N_ITEMS; a++) snprintf(names[a], sizeof names[a], "%d", a);
    for (int a = 0; a < N_USERS; a++) {
        for (int b = 0; b < N_ITEMS; b++) {
            if (ki_rng_below(&rng, 4) > 0) continue;
            u[n] = names[a];
            i[n] = names[N_USERS + b];
            v[n++] = 1 + (float)ki_rng_below(&rng, 5);
        }
    }
    CHECK_OK(kith_new(&(kith_options){ .threads = threads }, &f.k));
    CHECK_OK(kith_data_new(f.k, n, u, i, v, NULL, &f.d));
    CHECK_OK(ki_ratings_build(&f.r, f.d, NULL));
    return f;
}

TEST(one_thread_and_five_answer_the_same)
{
    const char *const names[] = { "item-knn", "user-knn" };
    for (int j = 0; j < 2; j++) {
        struct fitted f[2];
        int32_t got[2][3], n[2];
        float scores[2][3];
        for (int t = 0; t < 2; t++) {
            f[t] = open_random(t == 0 ? 1 : 5);
            CHECK_OK(try_fit(&f[t], names[j], NULL, 0));
        }
        for (int32_t u = 0; u < N_USERS; u++) {
            for (int t = 0; t < 2; t++) {
                const ki_query q = ki_query_user(&f[t].m, u);
                CHECK_OK(ki_ranker_run(f[t].ranker, &q, 1, got[t], scores[t], &n[t]));
            }
            CHECK_INT(n[0], n[1]);
            CHECK(memcmp(got[0], got[1], sizeof got[0]) == 0);
            CHECK(memcmp(scores[0], scores[1], sizeof scores[0]) == 0);
        }
        ki_ranker_free(f[0].ranker);
        ki_model_clear(&f[0].m);
        ki_ratings_clear(&f[0].r);
        kith_data_free(f[0].d);
        kith_free(f[0].k);
        clear(&f[1]);
    }
}

TEST(fitting_survives_every_failed_allocation)
{
    const char *const names[] = { "item-knn", "user-knn" };
    for (int j = 0; j < 2; j++) {
        struct fitted f = open_random(1);
        const int64_t live = ki_alloc_live();
        for (int n = 1;; n++) {
            ki_alloc_fail_at(n, 0);
            const kith_err err = try_fit(&f, names[j], NULL, 0);
            ki_alloc_fail_at(0, 0);
            if (err == KITH_OK) break;
            CHECK_INT(err, KITH_ENOMEM);
            CHECK_INT(ki_alloc_live(), live);
        }
        clear(&f);
    }
}

TEST(bad_parameters_are_refused)
{
    struct fitted f = open_data(values, 1);
    CHECK_FAILS(try_fit(&f, "item-knn", &(kith_param){ "similarity", "hamming" }, 1), KITH_EINVAL, "hamming");
    CHECK_FAILS(try_fit(&f, "user-knn", &(kith_param){ "k", "0" }, 1), KITH_EINVAL, "k");
    clear(&f);
}

TEST(a_file_with_wrong_similarities_is_refused)
{
    struct fitted f;
    fit(&f, "item-knn", NULL, 0);
    ki_items *s = f.m.state;
    CHECK_OK(ki_form_items.check(&f.m));
    const int32_t was = s->idx[0];
    s->idx[0] = 4;
    CHECK_FAILS(ki_form_items.check(&f.m), KITH_EFORMAT, "column 4 of 4");
    s->idx[0] = was;
    s->sim[1] = NAN;
    CHECK_FAILS(ki_form_items.check(&f.m), KITH_EFORMAT, "not finite");
    s->sim[1] = 1;
    s->ptr[4]++;
    CHECK_FAILS(ki_form_items.check(&f.m), KITH_EFORMAT, "entries");
    s->ptr[4]--;
    clear(&f);
}

/* ---- the dense form ---- */

TEST(a_dense_matrix_scores_explains_and_finds_similar_items)
{
    struct fitted f;
    fit(&f, "item-knn", cosine, 2);
    ki_items *s = f.m.state;
    const ki_query ann = ki_query_user(&f.m, ANN);
    ki_term sparse[3], dense[3];
    int n_sparse, n_dense;
    float row[2][4], scratch[1];
    const double score = score_of(&f, &ann, Z);
    CHECK_OK(ki_ranker_explain(f.ranker, &ann, Z, sparse, &n_sparse));
    ki_form_items.similar(&f.m, Z, row[0], scratch);

    float *S;
    CHECK_OK(ki_alloc(&S, 16, sizeof *S));
    for (int32_t j = 0; j < 4; j++)
        for (int32_t i = 0; i < 4; i++) S[j * 4 + i] = ki_items_at(s, j, i);
    ki_free(s->ptr);
    ki_free(s->idx);
    ki_free(s->sim);
    s->ptr = NULL;
    s->idx = NULL;
    s->sim = NULL;
    s->dense = S;
    CHECK_OK(ki_form_items.check(&f.m));
    CHECK_NEAR(score_of(&f, &ann, Z), score, 0); /* the same sums in the same order */
    CHECK_OK(ki_ranker_explain(f.ranker, &ann, Z, dense, &n_dense));
    CHECK_INT(n_dense, n_sparse);
    for (int j = 0; j < n_dense; j++) CHECK_NEAR(dense[j].part, sparse[j].part, 0);
    ki_form_items.similar(&f.m, Z, row[1], scratch);
    for (int i = 0; i < 4; i++) CHECK_NEAR(row[1][i], row[0][i], 0);
    S[3] = INFINITY;
    CHECK_FAILS(ki_form_items.check(&f.m), KITH_EFORMAT, "not finite");
    clear(&f);
}
