/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "model/rank.h"

static const char *const users[] = { "ann", "bob", "cleo", "ann", "bob", "ann" };
static const char *const items[] = { "x", "x", "x", "y", "z", "z" };
static const float values[] = { 5, 3, 4, 1, 2, 5 };

struct fitted {
    kith *k;
    kith_data *d;
    ki_ratings r;
    ki_model m;
};

static struct fitted fit(const kith_param *given, int n)
{
    struct fitted f = { 0 };
    void *params;
    CHECK_OK(kith_new(NULL, &f.k));
    CHECK_OK(kith_data_new(f.k, 6, users, items, values, NULL, &f.d));
    CHECK_OK(ki_ratings_build(&f.r, f.d, NULL));
    CHECK_OK(ki_model_params(ki_model_find("popularity"), given, n, 0, &params));
    CHECK_OK(ki_model_fit(&f.m, ki_model_find("popularity"), params, f.d, &f.r, ki_context_job(f.k)));
    return f;
}

static void clear(struct fitted *f)
{
    ki_model_clear(&f->m);
    ki_ratings_clear(&f->r);
    kith_data_free(f->d);
    kith_free(f->k);
}

TEST(popularity_ranks_by_count_and_skips_what_was_seen)
{
    struct fitted f = fit(NULL, 0);
    ki_ranker *r;
    int32_t got[3], n;
    float scores[3];
    CHECK_OK(ki_ranker_new(&f.m, 3, 0, &r));
    const ki_query cleo = ki_query_user(&f.m, 2);
    CHECK_OK(ki_ranker_run(r, &cleo, 1, got, scores, &n));
    CHECK_INT(n, 2);
    CHECK_INT(got[0], 2); /* z: two users; x is cleo's own */
    CHECK_INT(got[1], 1);
    CHECK_NEAR(scores[0], 2, 0); /* a count is exact */
    ki_ranker_free(r);
    clear(&f);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(popularity_estimates_the_damped_mean)
{
    const kith_param damping[] = { { "damping", "2" } };
    struct fitted f = fit(damping, 1);
    ki_ranker *r;
    const int32_t item = 0;
    float got;
    uint8_t supported;
    CHECK_OK(ki_ranker_new(&f.m, 1, 0, &r));
    const ki_query ann = ki_query_user(&f.m, 0);
    CHECK_OK(ki_ranker_predict(r, &ann, &item, 1, &got, &supported));
    CHECK_NEAR(got, (12 + 2 * 20.0 / 6) / 5, 1e-6); /* float of a double sum */
    ki_ranker_free(r);
    clear(&f);
}
