/* SPDX-License-Identifier: MIT
 * Published figures on public data, found at $KITH_DATA or beside the project; skipped when it is
 * not there.
 */
#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>

/* The path of a data set, or NULL after a word that it is absent. */
static const char *find_data(const char *name)
{
    static char path[4096];
    const char *const folders[] = { getenv("KITH_DATA"), "../shared/data", "../../shared/data" };
    struct stat there;
    for (int j = 0; j < 3; j++) {
        if (folders[j] == NULL) continue;
        snprintf(path, sizeof path, "%s/%s", folders[j], name);
        if (stat(path, &there) == 0) return path;
    }
    printf("skipped: no data set %s at $KITH_DATA or ../shared/data\n", name);
    return NULL;
}

static double mean(const kith_report *r, const char *metric)
{
    double x, lo, hi;
    CHECK_OK(kith_report_metric(r, 0, metric, &x, &lo, &hi));
    CHECK(lo < x && x < hi);
    return x;
}

/* The evaluator check of the LightGCN splits: popularity by training count. */
TEST(popularity_on_gowalla_gives_the_published_figures)
{
    const char *path = find_data("gowalla");
    static const char *const model[] = { "popularity" };
    kith *k;
    kith_data *d;
    kith_report *r;
    if (path == NULL) return;
    CHECK_OK(kith_new(NULL, &k));
    CHECK_OK(kith_data_read(k, path, NULL, &d));
    CHECK_OK(
        kith_evaluate(k, d,
                      &(kith_evaluate_options){
                          .models = model, .n_models = 1, .protocol = "predefined", .metrics = "recall@20,ndcg@20" },
                      &r));
    CHECK_NEAR(mean(r, "recall@20"), 0.0416, 0.00005); /* half of the last published digit */
    CHECK_NEAR(mean(r, "ndcg@20"), 0.0317, 0.00005);
    kith_report_free(r);
    kith_data_free(d);
    kith_free(k);
}
