/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "model/form_function.h"
#include "model/rank.h"

enum { N_USERS = 40, N_ITEMS = 500 };

struct fitted {
    kith *k;
    kith_data *d;
    ki_ratings r;
    ki_model m;
    ki_ranker *ranker;
};

/* Every item is rated once, 2 and 4 by turns: mean 3, standard deviation 1. */
static void fit(struct fitted *f, uint64_t seed, int rated)
{
    static char names[N_ITEMS][8];
    static const char *u[N_ITEMS], *i[N_ITEMS];
    static float v[N_ITEMS];
    void *params;
    size_t n = 0;
    memset(f, 0, sizeof *f);
    for (int j = 0; j < N_ITEMS; j++) snprintf(names[j], sizeof names[j], "%d", j);
    for (int j = 0; j < N_ITEMS; j++) {
        u[n] = names[j % N_USERS];
        i[n] = names[j];
        v[n] = rated && n % 2 ? 4 : 2;
        n++;
    }
    CHECK_OK(kith_new(&(kith_options){ .threads = 1, .seed = seed }, &f->k));
    CHECK_OK(kith_data_new(f->k, n, u, i, v, NULL, &f->d));
    CHECK_OK(ki_ratings_build(&f->r, f->d, NULL));
    CHECK_OK(ki_model_params(ki_model_find("random"), NULL, 0, 0, &params));
    CHECK_OK(ki_model_fit(&f->m, ki_model_find("random"), params, f->d, &f->r, ki_context_job(f->k)));
    CHECK_OK(ki_ranker_new(&f->m, N_ITEMS, 0, &f->ranker));
}

static void clear(struct fitted *f)
{
    ki_ranker_free(f->ranker);
    ki_model_clear(&f->m);
    ki_ratings_clear(&f->r);
    kith_data_free(f->d);
    kith_free(f->k);
}

static int32_t rank(struct fitted *f, const ki_query *q, int32_t *items, float *scores)
{
    int32_t n;
    CHECK_OK(ki_ranker_run(f->ranker, q, 1, items, scores, &n));
    return n;
}

static int positions_shared(const int32_t *a, const int32_t *b, int n)
{
    int same = 0;
    for (int j = 0; j < n; j++) same += a[j] == b[j];
    return same;
}

TEST(lists_differ_by_user_and_by_seed_and_are_the_same_when_asked_again)
{
    struct fitted f, g;
    int32_t a[N_ITEMS], b[N_ITEMS];
    float scores[N_ITEMS];
    fit(&f, 1, 1);
    fit(&g, 2, 1);
    ki_query ann = ki_query_user(&f.m, 0), bob = ki_query_user(&f.m, 1);
    ann.n_skip = bob.n_skip = 0;
    CHECK_INT(rank(&f, &ann, a, scores), N_ITEMS);
    CHECK_INT(rank(&f, &ann, b, scores), N_ITEMS);
    CHECK_INT(positions_shared(a, b, N_ITEMS), N_ITEMS);
    /* two orders of 500 by lot share one position on average, more than 9 once in 10^6 */
    CHECK_INT(rank(&f, &bob, b, scores), N_ITEMS);
    CHECK(positions_shared(a, b, N_ITEMS) < 10);
    CHECK_INT(rank(&g, &ann, b, scores), N_ITEMS);
    CHECK(positions_shared(a, b, N_ITEMS) < 10);
    clear(&f);
    clear(&g);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(every_item_has_the_same_chance)
{
    struct fitted f;
    int32_t items[N_ITEMS], first_half = 0;
    float scores[N_ITEMS];
    double sum = 0;
    fit(&f, 3, 1);
    for (int32_t u = 0; u < N_USERS; u++) {
        ki_query q = ki_query_user(&f.m, u);
        q.n_skip = 0;
        rank(&f, &q, items, scores);
        for (int j = 0; j < 100; j++) first_half += items[j] < N_ITEMS / 2;
        for (int j = 0; j < N_ITEMS; j++) sum += scores[j];
    }
    /* 4000 slots: half, standard deviation 32; 20000 scores: mean 1/2, standard error .002 */
    CHECK_NEAR(first_half, 2000, 5 * 32);
    CHECK_NEAR(sum / (N_USERS * N_ITEMS), .5, 5 * .00204);
    clear(&f);
}

TEST(a_history_has_a_list_of_its_own)
{
    struct fitted f;
    const int32_t one[] = { 3, 7 }, two[] = { 3, 8 };
    const float values[] = { 1, 1 };
    int32_t a[N_ITEMS], b[N_ITEMS];
    float scores[N_ITEMS];
    fit(&f, 1, 1);
    ki_query q = { .user = -1, .items = one, .values = values, .n = 2 };
    rank(&f, &q, a, scores);
    q.items = two;
    rank(&f, &q, b, scores);
    CHECK(positions_shared(a, b, N_ITEMS) < 10);
    clear(&f);
}

TEST(estimates_are_drawn_with_the_mean_and_spread_of_the_ratings)
{
    struct fitted f;
    int32_t items[N_ITEMS];
    float out[N_ITEMS], again[N_ITEMS];
    uint8_t supported[N_ITEMS];
    double sum = 0, squares = 0;
    const double n = (double)N_USERS * N_ITEMS;
    fit(&f, 5, 1);
    for (int j = 0; j < N_ITEMS; j++) items[j] = j;
    for (int32_t u = 0; u < N_USERS; u++) {
        const ki_query q = ki_query_user(&f.m, u);
        CHECK_OK(ki_ranker_predict(f.ranker, &q, items, N_ITEMS, out, supported));
        CHECK_OK(ki_ranker_predict(f.ranker, &q, items, N_ITEMS, again, supported));
        CHECK(memcmp(out, again, sizeof out) == 0);
        for (int j = 0; j < N_ITEMS; j++) {
            sum += out[j];
            squares += ((double)out[j] - 3) * ((double)out[j] - 3);
        }
    }
    CHECK_NEAR(sum / n, 3, 5 / sqrt(n));           /* five standard errors */
    CHECK_NEAR(squares / n, 1, 5 * sqrt(2.0 / n)); /* of a variance of normal draws */
    clear(&f);
}

TEST(events_get_a_preference_instead_of_a_rating)
{
    struct fitted f;
    const int32_t item = 9;
    float got;
    uint8_t supported;
    fit(&f, 5, 0);
    const ki_query q = ki_query_user(&f.m, 4);
    CHECK_OK(ki_ranker_predict(f.ranker, &q, &item, 1, &got, &supported));
    CHECK(got >= 0 && got < 1);
    CHECK_INT(ki_model_rates(&f.m), 0);
    clear(&f);
}

TEST(a_file_with_a_spread_that_is_no_number_is_refused)
{
    struct fitted f;
    fit(&f, 5, 1);
    ki_function *s = f.m.state;
    CHECK_OK(ki_form_function.check(&f.m));
    s->floats[0] = NAN;
    CHECK_FAILS(ki_form_function.check(&f.m), KITH_EFORMAT, "not finite");
    clear(&f);
}
