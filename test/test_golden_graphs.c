/* SPDX-License-Identifier: MIT
 * Models on graphs against networkx and numpy (test/golden/README.md).
 */
#include "test.h"

#include <jansson.h>

static json_t *all;
static kith *k;

static const char *golden_path(const char *name) /* tests run in the build folder, or by hand beside it */
{
    static char path[96];
    snprintf(path, sizeof path, "../test/golden/%s", name);
    FILE *f = fopen(path, "r");
    if (f == NULL) return path + 3;
    fclose(f);
    return path;
}

static kith_model *train(const char *csv, const char *model, const kith_param *params, int n)
{
    kith_data *d = NULL;
    kith_model *m = NULL;
    CHECK_OK(kith_new(NULL, &k));
    CHECK_OK(kith_data_read(k, golden_path(csv), NULL, &d));
    CHECK_OK(kith_train(k, d, model, params, n, &m));
    kith_data_free(d);
    return m;
}

/* Every score of the table `name` is that of the model, within tol of the table's largest. */
static void check_table(kith_model *m, const char *name, double tol)
{
    const char *user, *item;
    json_t *scores, *want;
    double largest = 0;
    int n = 0;
    all = json_load_file(golden_path("graphs.json"), 0, NULL);
    CHECK(all != NULL);
    json_t *table = json_object_get(all, name);
    json_object_foreach (table, user, scores)
        json_object_foreach (scores, item, want) largest = fmax(largest, fabs(json_number_value(want)));
    json_object_foreach (table, user, scores) {
        json_object_foreach (scores, item, want) {
            kith_prediction p;
            CHECK_OK(kith_predict(k, m, user, item, &p));
            ck_assert_msg(fabs(p.raw - json_number_value(want)) <= tol * largest, "%s: %s on %s is %.9g, want %.9g",
                          name, user, item, p.raw, json_number_value(want));
            n++;
        }
    }
    CHECK(n > 100 && largest > 0);
    kith_model_free(m);
    json_decref(all);
    kith_free(k);
}

static const double sums = 1e-5; /* float sums of up to 60 terms */

TEST(walks_of_three_steps_are_numpys)
{
    const kith_param whole = { "n_neighbors", "0" }, plain = { "normalize", "0" };
    check_table(train("implicit.csv", "p3alpha", &whole, 1), "p3alpha", sums);
    check_table(train("implicit.csv", "rp3beta", (kith_param[]){ whole, plain }, 2), "rp3beta", sums);
    check_table(train("implicit.csv", "rp3beta", (kith_param[]){ whole, plain, { "binary", "0" } }, 3),
                "rp3beta counts", sums);
}

TEST(personalised_pagerank_is_that_of_networkx)
{
    const kith_param damping = { "damping", "0.85" }, exact = { "method", "exact" }, push = { "method", "push" };
    const kith_param tight = { "tolerance", "1e-8" }, fine = { "epsilon", "1e-9" }, counts = { "binary", "0" };
    check_table(train("implicit.csv", "pagerank", (kith_param[]){ damping, exact, tight }, 3), "pagerank", sums);
    check_table(train("implicit.csv", "pagerank", (kith_param[]){ damping, push, fine }, 3), "pagerank", sums);
    check_table(train("implicit.csv", "pagerank", (kith_param[]){ damping, exact, tight, counts }, 4),
                "pagerank counts", sums);
}

TEST(graph_filters_are_those_of_dense_matrices)
{
    const kith_param gfcf[] = {
        { "item_power", "0.5" }, { "user_power", "1" }, { "ideal", "0.3" }, { "sharpen", "0" }, { "n_factors", "12" }
    };
    const kith_param sharp[] = {
        { "item_power", "0.4" }, { "user_power", "0.7" }, { "ideal", "0.1" }, { "sharpen", "1" }, { "n_factors", "12" }
    };
    check_table(train("implicit.csv", "graph-filter", gfcf, 5), "graph-filter gf-cf", sums);
    check_table(train("implicit.csv", "graph-filter", sharp, 5), "graph-filter", 1e-4); /* eigenvalue to 1e-5, and
                                                                                           differences of scores */
}

TEST(polynomial_filters_are_those_of_dense_matrices)
{
    const kith_param whole = { "n_neighbors", "0" }, second = { "filter", "second" }, a = { "user_power", "0.6" };
    const kith_param one = { "power", "1" };
    check_table(train("implicit.csv", "turbo-cf", (kith_param[]){ whole, a, one }, 3), "turbo-cf", sums);
    check_table(train("implicit.csv", "turbo-cf", (kith_param[]){ whole, a, one, second }, 4), "turbo-cf second", sums);
}

TEST(friends_are_those_of_networkx)
{
    const char *const methods[] = { "common-neighbors", "adamic-adar", "resource-allocation", "jaccard", "pagerank" };
    for (int j = 0; j < 5; j++) {
        const kith_param given[] = { { "method", methods[j] }, { "epsilon", "1e-9" } };
        char name[64];
        snprintf(name, sizeof name, "friends %s", methods[j]);
        check_table(train("friends.csv", "friends", given, 2), name, sums);
    }
}
