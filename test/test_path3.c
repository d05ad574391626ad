/* SPDX-License-Identifier: MIT
 * p3alpha and rp3beta against three users and four items worked by hand, and against the plain double loop.
 */
#include "fitted.h"

#include "model/form_items.h"

/* k has a and b, l has b and c, m has a, b and d. */
static const char *const users[] = { "k", "k", "l", "l", "m", "m", "m" };
static const char *const items[] = { "a", "b", "b", "c", "a", "b", "d" };
static const float values[] = { 1, 3, 2, 2, 1, 1, 2 };
static const struct fitted_rows events = { 7, users, items, NULL }, ratings = { 7, users, items, values };

static double at(const struct fitted *f, const char *from, const char *to)
{
    return (double)ki_items_at(f->m.state, item_of(f, from), item_of(f, to));
}

static const double close = 1e-6; /* a few float roundings of numbers below 1 */

TEST(p3alpha_of_three_users_and_four_items_by_hand)
{
    /* from a: to k or m, half each; k goes to b by 1/2, m to b and to d by 1/3 */
    struct fitted f;
    CHECK_OK(fit_rows(&f, "p3alpha", 1, &events, NULL, 0));
    CHECK_NEAR(at(&f, "a", "b"), 5.0 / 12, close);
    CHECK_NEAR(at(&f, "a", "d"), 1.0 / 6, close);
    CHECK_NEAR(at(&f, "b", "a"), 5.0 / 18, close);
    CHECK_NEAR(at(&f, "b", "c"), 1.0 / 6, close);
    CHECK_NEAR(at(&f, "b", "d"), 1.0 / 9, close);
    CHECK_NEAR(at(&f, "c", "b"), 1.0 / 2, close);
    CHECK_NEAR(at(&f, "d", "a"), 1.0 / 3, close);
    CHECK(at(&f, "a", "c") == 0 && at(&f, "a", "a") == 0);
    clear_fitted(&f);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(alpha_bends_each_step)
{
    const kith_param given[] = { { "alpha", "2" } };
    struct fitted f;
    CHECK_OK(fit_rows(&f, "p3alpha", 1, &events, given, 1));
    CHECK_NEAR(at(&f, "a", "b"), 1.0 / 16 + 1.0 / 36, close);
    clear_fitted(&f);
}

TEST(values_weigh_the_steps_when_not_binary)
{
    /* a's values 1 and 1: half each; k goes to b by 3/4, m by 1/4 */
    const kith_param given[] = { { "binary", "0" } };
    struct fitted f;
    CHECK_OK(fit_rows(&f, "p3alpha", 1, &ratings, given, 1));
    CHECK_NEAR(at(&f, "a", "b"), 0.5, close);
    clear_fitted(&f);
}

TEST(rp3beta_divides_by_popularity)
{
    /* n_a = 2, n_b = 3 */
    const kith_param given[] = { { "alpha", "1" }, { "beta", "1" }, { "normalize", "0" } };
    struct fitted f;
    CHECK_OK(fit_rows(&f, "rp3beta", 1, &events, given, 3));
    CHECK_NEAR(at(&f, "a", "b"), 5.0 / 36, close);
    CHECK_NEAR(at(&f, "b", "a"), 5.0 / 36, close);
    CHECK_NEAR(at(&f, "b", "c"), 1.0 / 6, close);
    clear_fitted(&f);
}

TEST(the_likeliest_neighbours_are_kept_and_sum_to_one_when_asked)
{
    const kith_param one[] = { { "n_neighbors", "1" } }, share[] = { { "normalize", "1" } };
    struct fitted f;
    CHECK_OK(fit_rows(&f, "p3alpha", 1, &events, one, 1));
    CHECK_NEAR(at(&f, "b", "a"), 5.0 / 18, close);
    CHECK(at(&f, "b", "c") == 0 && at(&f, "b", "d") == 0);
    CHECK(at(&f, "d", "a") > 0 && at(&f, "d", "b") == 0); /* equal ones: the lower index stays */
    clear_fitted(&f);
    CHECK_OK(fit_rows(&f, "p3alpha", 1, &events, share, 1));
    CHECK_NEAR(at(&f, "a", "b"), 5.0 / 7, close);
    CHECK_NEAR(at(&f, "a", "d"), 2.0 / 7, close);
    clear_fitted(&f);
}

/* S_ji by two loops over the dense matrix. */
static double plain(const struct fitted *f, int32_t j, int32_t i, double alpha, double beta)
{
    double sum = 0;
    for (int32_t u = 0; u < f->m.n_users; u++) {
        if (ki_csr_find(&f->r.by_user, u, j) < 0 || ki_csr_find(&f->r.by_user, u, i) < 0) continue;
        sum += pow(1.0 / (double)ki_csr_len(&f->r.by_item, j), alpha) *
               pow(1.0 / (double)ki_csr_len(&f->r.by_user, u), alpha);
    }
    return sum / pow((double)ki_csr_len(&f->r.by_item, i), beta);
}

TEST(rp3beta_of_a_larger_table_is_that_of_the_plain_loops_for_1_and_5_threads)
{
    const kith_param given[] = { { "alpha", "0.7" }, { "beta", "0.3" }, { "n_neighbors", "0" }, { "normalize", "0" } };
    struct fitted f, g;
    CHECK_OK(fit_made(&f, "rp3beta", 1, 150, 190, given, 4));
    CHECK_OK(fit_made(&g, "rp3beta", 5, 150, 190, given, 4));
    const ki_items *s = f.m.state, *t = g.m.state;
    CHECK_INT(s->nnz, t->nnz);
    CHECK(memcmp(s->sim, t->sim, (size_t)s->nnz * sizeof *s->sim) == 0);
    CHECK(memcmp(s->idx, t->idx, (size_t)s->nnz * sizeof *s->idx) == 0);
    for (int32_t j = 0; j < f.m.n_items; j += 3)
        for (int32_t i = 0; i < f.m.n_items; i++)
            if (i != j) CHECK_NEAR((double)ki_items_at(s, j, i), plain(&f, j, i, 0.7f, 0.3f), close);
    clear_fitted(&f);
    clear_fitted(&g);
}

TEST(a_step_of_negative_value_is_refused)
{
    const float negative[] = { 1, -3, 2, 2, 1, 1, 2 };
    const kith_param given[] = { { "binary", "0" } };
    struct fitted f;
    CHECK_FAILS(fit_rows(&f, "p3alpha", 1, &(struct fitted_rows){ 7, users, items, negative }, given, 1), KITH_EDATA,
                "p3alpha");
    clear_fitted(&f);
    CHECK_INT(ki_alloc_live(), 0);
}
