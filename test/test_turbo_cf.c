/* SPDX-License-Identifier: MIT
 * turbo-cf: three items by hand, and both polynomials against plain loops.
 */
#include "fitted.h"

#include "model/form_items.h"

enum { USERS = 60, ITEMS = 40 };

/* k has a and b, l has b and c. */
static const char *const users[] = { "k", "k", "l", "l" }, *const items[] = { "a", "b", "b", "c" };
static const struct fitted_rows rows = { 4, users, items, NULL };

static double at(const struct fitted *f, const char *from, const char *to)
{
    return (double)ki_items_at(f->m.state, item_of(f, from), item_of(f, to));
}

TEST(three_items_by_hand)
{
    /* user_power 1/2: entries of R~ are 1/2 for b, 1/sqrt 2 for a and c: Q_ab = 1/(2 sqrt 2), Q_aa = 1/2,
     * Q_bb = 1/2; second: S_ab = 2 Q_ab - (Q_aa Q_ab + Q_ab Q_bb) = Q_ab, S_ac = -Q_ab Q_bc = -1/8 */
    const kith_param linear[] = { { "user_power", "0.5" }, { "power", "1" } };
    const kith_param second[] = { { "user_power", "0.5" }, { "power", "1" }, { "filter", "second" } };
    struct fitted f;
    CHECK_OK(fit_rows(&f, "turbo-cf", 1, &rows, linear, 2));
    CHECK_NEAR(at(&f, "a", "b"), 1 / (2 * sqrt(2)), 1e-6); /* float roundings */
    CHECK(at(&f, "a", "c") == 0 && at(&f, "a", "a") == 0);
    clear_fitted(&f);
    CHECK_OK(fit_rows(&f, "turbo-cf", 1, &rows, second, 3));
    CHECK_NEAR(at(&f, "a", "b"), 1 / (2 * sqrt(2)), 1e-6);
    CHECK_NEAR(at(&f, "a", "c"), -1.0 / 8, 1e-6);
    clear_fitted(&f);
    CHECK_INT(ki_alloc_live(), 0);
}

static void plain_graph(const struct fitted *f, double a, double power, double Q[ITEMS][ITEMS])
{
    const ki_csr *R = &f->r.by_user, *by_item = &f->r.by_item;
    memset(Q, 0, sizeof(double[ITEMS][ITEMS]));
    for (int32_t u = 0; u < R->n_rows; u++)
        for (int64_t s = R->ptr[u]; s < R->ptr[u + 1]; s++)
            for (int64_t t = R->ptr[u]; t < R->ptr[u + 1]; t++)
                Q[R->idx[s]][R->idx[t]] += pow((double)ki_csr_len(R, u), -2 * a) *
                                           pow((double)ki_csr_len(by_item, R->idx[s]), a - 1) *
                                           pow((double)ki_csr_len(by_item, R->idx[t]), a - 1);
    for (int i = 0; i < ITEMS; i++)
        for (int j = 0; j < ITEMS; j++) Q[i][j] = Q[i][j] > 0 ? pow(Q[i][j], power) : 0;
}

TEST(both_polynomials_are_those_of_the_plain_loops)
{
    static double Q[ITEMS][ITEMS];
    const char *const filters[] = { "linear", "second" };
    for (int second = 0; second < 2; second++) {
        const kith_param given[] = {
            { "user_power", "0.7" }, { "power", "1.2" }, { "n_neighbors", "0" }, { "filter", filters[second] }
        };
        struct fitted f;
        CHECK_OK(fit_made(&f, "turbo-cf", 3, USERS, ITEMS, given, 4));
        plain_graph(&f, 0.7f, 1.2f, Q);
        for (int32_t i = 0; i < f.m.n_items; i++)
            for (int32_t j = 0; j < f.m.n_items; j++) {
                double want = Q[i][j];
                for (int k = 0; k < f.m.n_items && second; k++) want += (k == j ? Q[i][j] : 0) - Q[i][k] * Q[k][j];
                if (i != j) CHECK_NEAR((double)ki_items_at(f.m.state, i, j), want, 1e-5); /* float sums of 40 terms */
            }
        clear_fitted(&f);
    }
}
