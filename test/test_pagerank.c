/* SPDX-License-Identifier: MIT
 * pagerank: a path worked by hand, push within its bound, shares that add up.
 */
#include "fitted.h"

enum { USERS = 120, ITEMS = 90 };

/* a - k - b: one user with two items. */
static const char *const users[] = { "k", "k" }, *const items[] = { "a", "b" };
static const struct fitted_rows path = { 2, users, items, NULL };

TEST(a_walk_on_a_path_of_three_vertices_by_hand)
{
    /* d = 1/2: x_a = 1/2 + x_k / 4, x_k = (x_a + x_b) / 2, x_b = x_k / 4, so (7, 4, 1) / 12 */
    const kith_param given[] = { { "method", "exact" }, { "damping", "0.5" }, { "tolerance", "1e-8" } };
    struct fitted f;
    float score[2];
    CHECK_OK(fit_rows(&f, "pagerank", 1, &path, given, 3));
    const int32_t a = item_of(&f, "a"), b = item_of(&f, "b");
    score_query(&f.m, &(ki_query){ .user = -1, .items = &a, .n = 1 }, score);
    CHECK_NEAR((double)score[a], 7.0 / 12, 1e-6); /* float sums of some 30 rounds */
    CHECK_NEAR((double)score[b], 1.0 / 12, 1e-6);
    clear_fitted(&f);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(push_is_below_exact_by_no_more_than_epsilon_times_the_degree)
{
    const kith_param exact[] = { { "method", "exact" }, { "damping", "0.85" }, { "tolerance", "1e-7" } };
    const char *const epsilons[] = { "1e-3", "1e-4", "1e-6" };
    struct fitted f, g;
    float want[ITEMS], got[ITEMS];
    CHECK_OK(fit_made(&f, "pagerank", 1, USERS, ITEMS, exact, 3));
    for (int e = 0; e < 3; e++) {
        const kith_param push[] = { { "method", "push" }, { "damping", "0.85" }, { "epsilon", epsilons[e] } };
        int below = 0;
        CHECK_OK(fit_made(&g, "pagerank", 1, USERS, ITEMS, push, 3));
        for (int32_t u = 0; u < f.m.n_users; u += 11) {
            const ki_query q = ki_query_user(&f.m, u), p = ki_query_user(&g.m, u);
            score_query(&f.m, &q, want);
            score_query(&g.m, &p, got);
            for (int32_t i = 0; i < f.m.n_items; i++) {
                const double lacks = (double)want[i] - (double)got[i];
                /* 1e-6: float sums, and the tolerance of exact */
                CHECK(lacks >= -1e-6);
                CHECK(lacks <= strtod(epsilons[e], NULL) * (double)ki_csr_len(&f.r.by_item, i) + 1e-6);
                below += lacks > 1e-6;
            }
        }
        CHECK(e == 2 || below > 0); /* push did leave something out */
        clear_fitted(&g);
    }
    clear_fitted(&f);
}

TEST(values_weigh_the_edges_when_not_binary)
{
    /* k has a (1) and b (3): from k a walk goes to b by 3/4.  d = 1/2: x_a = 1/2 + x_k / 8,
     * x_k = (x_a + x_b) / 2, x_b = 3 x_k / 8, so x_k = 1/3, x_b = 1/8 */
    const float values[] = { 1, 3 };
    const kith_param given[] = { { "method", "push" }, { "damping", "0.5" }, { "binary", "0" } };
    struct fitted f;
    float score[2];
    CHECK_OK(fit_rows(&f, "pagerank", 1, &(struct fitted_rows){ 2, users, items, values }, given, 3));
    const int32_t a = item_of(&f, "a"), b = item_of(&f, "b");
    score_query(&f.m, &(ki_query){ .user = -1, .items = &a, .n = 1 }, score);
    CHECK_NEAR((double)score[b], 1.0 / 8, 4e-6); /* what push may leave out: 1e-6 times 3 */
    clear_fitted(&f);
}

/* The share of a history item is what the walk from it alone gives, by linearity. */
static void check_shares(const char *method, double tolerance)
{
    const kith_param given[] = { { "method", method }, { "epsilon", "1e-8" }, { "tolerance", "1e-8" } };
    struct fitted f;
    float all[ITEMS], one[ITEMS];
    ki_term terms[ITEMS];
    ki_ranker *r;
    CHECK_OK(fit_made(&f, "pagerank", 1, USERS, ITEMS, given, 3));
    CHECK_OK(ki_ranker_new(&f.m, 1, 1, &r));
    const ki_query q = ki_query_user(&f.m, 3);
    CHECK(q.n > 3);
    score_query(&f.m, &q, all);
    for (int32_t i = 0; i < f.m.n_items; i += 5) {
        int n;
        double sum = 0;
        CHECK_OK(ki_ranker_explain(r, &q, i, terms, &n));
        CHECK_INT(n, q.n);
        for (int t = 0; t < n; t++) {
            score_query(&f.m, &(ki_query){ .user = -1, .items = &terms[t].item, .n = 1 }, one);
            CHECK_NEAR((double)terms[t].part, (double)one[i] / q.n, tolerance);
            sum += (double)terms[t].part;
        }
        CHECK_NEAR(sum, (double)all[i], 1e-6); /* float sums */
    }
    ki_ranker_free(r);
    clear_fitted(&f);
}

TEST(shares_are_those_of_walks_from_single_items)
{
    check_shares("exact", 1e-6); /* float sums of some 30 rounds */
    check_shares("push", 3e-6);  /* and what both directions leave out: 1e-8 times a degree of some 100, twice */
}

TEST(degrees_of_another_graph_are_refused)
{
    struct fitted f;
    CHECK_OK(fit_made(&f, "pagerank", 1, USERS, ITEMS, NULL, 0));
    CHECK_OK(f.m.desc->form->check(&f.m));
    float **degree = (float **)((char *)f.m.state + sizeof(int64_t)); /* after n_vertices */
    (*degree)[7] += 1;
    CHECK_FAILS(f.m.desc->form->check(&f.m), KITH_EFORMAT, "degrees");
    clear_fitted(&f);
}
