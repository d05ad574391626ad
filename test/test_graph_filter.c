/* SPDX-License-Identifier: MIT
 * graph-filter: two items by hand, and every product against dense matrices in double.
 */
#include "fitted.h"

#include "model/form_filter.h"

enum { USERS = 60, ITEMS = 40 };

/* k has a, l has a and b: degrees of items 2 and 1, of users 1 and 2. */
static const char *const users[] = { "k", "l", "l" }, *const items[] = { "a", "a", "b" };
static const struct fitted_rows rows = { 3, users, items, NULL };

TEST(a_smoothed_history_of_two_items_by_hand)
{
    /* R~ = [1/sqrt 2, 0; 1/2, 1/sqrt 2], R~'R~ = [3/4, 1/(2 sqrt 2); 1/(2 sqrt 2), 1/2]: eigenvalues 1 and 1/4.  The
     * first eigenvector is (sqrt 2, 1) / sqrt 3, so D^-1/2 V V' D^1/2 has the row a (2/3, 1/3) */
    const kith_param given[] = {
        { "item_power", "0.5" }, { "user_power", "1" }, { "ideal", "0.3" }, { "sharpen", "0" }, { "n_factors", "1" }
    };
    struct fitted f;
    float score[2];
    CHECK_OK(fit_rows(&f, "graph-filter", 1, &rows, given, 5));
    const int32_t a = item_of(&f, "a"), b = item_of(&f, "b");
    score_query(&f.m, &(ki_query){ .user = -1, .items = &a, .n = 1 }, score);
    CHECK_NEAR((double)score[a], 3.0 / 4 + 0.3 * 2 / 3, 1e-5); /* the eigenvalue is found to 1e-5 */
    CHECK_NEAR((double)score[b], 1 / (2 * sqrt(2)) + 0.3 / 3, 1e-5);
    clear_fitted(&f);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(sharpening_takes_back_what_smoothing_would_add)
{
    /* the row a of R~'R~ (I - R~'R~ / 2): of [3/4, s; s, 1/2] with s = 1/(2 sqrt 2), squared [11/16, 5s/4] */
    const kith_param given[] = {
        { "item_power", "0.5" }, { "user_power", "1" }, { "sharpen", "0.5" }, { "n_factors", "0" }
    };
    const double s = 1 / (2 * sqrt(2));
    struct fitted f;
    float score[2];
    CHECK_OK(fit_rows(&f, "graph-filter", 1, &rows, given, 4));
    const int32_t a = item_of(&f, "a"), b = item_of(&f, "b");
    score_query(&f.m, &(ki_query){ .user = -1, .items = &a, .n = 1 }, score);
    CHECK_NEAR((double)score[a], 3.0 / 4 - 11.0 / 32, 1e-5);
    CHECK_NEAR((double)score[b], s - 5 * s / 8, 1e-5);
    clear_fitted(&f);
}

/* ---- a larger table ---- */

struct dense {
    double R[USERS][ITEMS], du[USERS], di[ITEMS];
    double L[ITEMS][ITEMS], P[ITEMS][ITEMS], K[ITEMS][ITEMS]; /* K: what a history item adds to an item */
};

static void fill(struct dense *d, const struct fitted *f, int binary)
{
    for (int32_t u = 0; u < f->m.n_users; u++)
        for (int64_t t = f->r.by_user.ptr[u]; t < f->r.by_user.ptr[u + 1]; t++) {
            const double v = binary ? 1 : (double)f->r.by_user.val[t];
            d->R[u][f->r.by_user.idx[t]] = v;
            d->du[u] += v;
            d->di[f->r.by_user.idx[t]] += v;
        }
}

/* out = D_i^-a R' D_u^-b R D_i^-a */
static void square(const struct dense *d, int m, int n, double a, double b, double out[ITEMS][ITEMS])
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int u = 0; u < m; u++)
                if (d->du[u] > 0) sum += d->R[u][i] * d->R[u][j] * pow(d->du[u], -b);
            out[i][j] = d->di[i] > 0 && d->di[j] > 0 ? sum * pow(d->di[i], -a) * pow(d->di[j], -a) : 0;
        }
}

static double largest(double A[ITEMS][ITEMS], int n)
{
    double x[ITEMS], y[ITEMS], size = 0;
    for (int i = 0; i < n; i++) x[i] = 1;
    for (int round = 0; round < 500; round++) {
        size = 0;
        for (int i = 0; i < n; i++) {
            y[i] = 0;
            for (int j = 0; j < n; j++) y[i] += A[i][j] * x[j];
            size += y[i] * y[i];
        }
        size = sqrt(size);
        for (int i = 0; i < n; i++) x[i] = y[i] / size;
    }
    return size;
}

/* K = (L / largest + ideal N V V' N^-1) (I - sharpen P), V from the model. */
static void make_filter(struct dense *d, const struct fitted *f, double a, double b, double ideal, double sharpen)
{
    const ki_filter *s = f->m.state;
    const int m = f->m.n_users, n = f->m.n_items;
    static double A[ITEMS][ITEMS];
    square(d, m, n, a, b, d->L);
    square(d, m, n, 0.5, 1, d->P);
    const double top = largest(d->L, n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double along = 0;
            for (int64_t k = 0; k < s->dim; k++) along += (double)s->V[i * s->dim + k] * (double)s->V[j * s->dim + k];
            A[i][j] = d->L[i][j] / top + ideal * along * sqrt(d->di[j] / d->di[i]);
        }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            d->K[i][j] = A[i][j];
            for (int k = 0; k < n; k++) d->K[i][j] -= sharpen * A[i][k] * d->P[k][j];
        }
}

/* Scores and shares of some users are those of K. */
static void compare(const struct fitted *f, const struct dense *d, int binary)
{
    float score[ITEMS];
    ki_term terms[ITEMS];
    ki_ranker *r;
    CHECK_OK(ki_ranker_new(&f->m, 1, 1, &r));
    for (int32_t u = 0; u < f->m.n_users; u += 7) {
        const ki_query q = ki_query_user(&f->m, u);
        score_query(&f->m, &q, score);
        for (int32_t i = 0; i < f->m.n_items; i++) {
            double want = 0;
            int n;
            for (int32_t t = 0; t < q.n; t++) want += (binary ? 1 : (double)q.values[t]) * d->K[q.items[t]][i];
            CHECK_NEAR((double)score[i], want, 1e-4 * (1 + fabs(want))); /* the eigenvalue is found to 1e-4 */
            CHECK_OK(ki_ranker_explain(r, &q, i, terms, &n));
            double sum = 0;
            for (int t = 0; t < n; t++) {
                const double w = binary ? 1 : d->R[u][terms[t].item];
                CHECK_NEAR((double)terms[t].part, w * d->K[terms[t].item][i], 1e-4 * w);
                sum += (double)terms[t].part;
            }
            CHECK_NEAR(sum, (double)score[i], 2e-5 * (1 + fabs(want))); /* float sums */
        }
    }
    ki_ranker_free(r);
}

static void check_table(const kith_param *given, int n, double a, double b, double ideal, double sharpen, int binary)
{
    static struct dense d;
    struct fitted f;
    memset(&d, 0, sizeof d);
    CHECK_OK(fit_made(&f, "graph-filter", 2, USERS, ITEMS, given, n));
    fill(&d, &f, binary);
    make_filter(&d, &f, a, b, ideal, sharpen);
    compare(&f, &d, binary);
    clear_fitted(&f);
}

TEST(scores_and_shares_are_those_of_the_dense_filter)
{
    const kith_param gfcf[] = {
        { "item_power", "0.5" }, { "user_power", "1" }, { "ideal", "0.3" }, { "sharpen", "0" }, { "n_factors", "8" }
    };
    const kith_param sharp[] = {
        { "item_power", "0.4" }, { "user_power", "0.7" }, { "ideal", "0.2" }, { "sharpen", "0.9" }, { "n_factors", "8" }
    };
    const kith_param valued[] = { { "item_power", "0.4" }, { "user_power", "0.7" }, { "ideal", "0.2" },
                                  { "sharpen", "0.9" },    { "n_factors", "8" },    { "binary", "0" } };
    check_table(gfcf, 5, 0.5, 1, 0.3, 0, 1);
    check_table(sharp, 5, 0.4, 0.7, 0.2, 0.9, 1);
    check_table(valued, 6, 0.4, 0.7, 0.2, 0.9, 0);
}

TEST(the_vectors_are_the_first_eigenvectors_of_the_normalised_square)
{
    const kith_param given[] = { { "n_factors", "5" } };
    static struct dense d;
    struct fitted f;
    memset(&d, 0, sizeof d);
    CHECK_OK(fit_made(&f, "graph-filter", 1, USERS, ITEMS, given, 1));
    const ki_filter *s = f.m.state;
    fill(&d, &f, 1);
    square(&d, f.m.n_users, f.m.n_items, 0.5, 1, d.P);
    CHECK_INT(s->dim, 5);
    for (int64_t k = 0; k < s->dim; k++) {
        double value = 0, norm = 0;
        for (int i = 0; i < f.m.n_items; i++) {
            double y = 0;
            for (int j = 0; j < f.m.n_items; j++) y += d.P[i][j] * (double)s->V[j * s->dim + k];
            value += y * (double)s->V[i * s->dim + k];
            norm += (double)(s->V[i * s->dim + k] * s->V[i * s->dim + k]);
        }
        CHECK_NEAR(norm, 1, 1e-5);              /* floats */
        if (k == 0) CHECK_NEAR(value, 1, 1e-5); /* of a connected graph the largest is 1 */
        if (k > 0) CHECK(value > 0 && value < 1);
    }
    clear_fitted(&f);
}

TEST(a_list_does_not_depend_on_the_queries_beside_it)
{
    struct fitted f;
    ki_ranker *one, *many;
    enum { K = 5, N = 21 };
    ki_query q[N];
    int32_t got[N * K], want[K], counts[N], count;
    float scores[N * K], score[K];
    CHECK_OK(fit_made(&f, "graph-filter", 1, USERS, ITEMS, NULL, 0));
    CHECK_OK(ki_ranker_new(&f.m, K, 1, &one));
    CHECK_OK(ki_ranker_new(&f.m, K, N, &many));
    for (int j = 0; j < N; j++) q[j] = ki_query_user(&f.m, j);
    CHECK_OK(ki_ranker_run(many, q, N, got, scores, counts));
    for (int j = 0; j < N; j++) {
        CHECK_OK(ki_ranker_run(one, &q[j], 1, want, score, &count));
        CHECK_INT(counts[j], count);
        CHECK(memcmp(got + j * K, want, (size_t)count * sizeof *want) == 0);
        CHECK(memcmp(scores + j * K, score, (size_t)count * sizeof *score) == 0);
    }
    ki_ranker_free(one);
    ki_ranker_free(many);
    clear_fitted(&f);
}
