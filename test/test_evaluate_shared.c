/* SPDX-License-Identifier: MIT
 * Published figures on public data, found at $KITH_DATASETS or beside the project; skipped when it is
 * not there.
 */
#include "shared.h"
#include "test.h"

static double mean(const kith_report *r, const char *metric)
{
    double x, lo, hi;
    CHECK_OK(kith_report_metric(r, 0, metric, &x, &lo, &hi));
    CHECK(lo < x && x < hi);
    return x;
}

static kith_report *evaluate(const char *path, const char *model, const char *protocol, const char *metrics)
{
    kith *k;
    kith_data *d;
    kith_report *r;
    CHECK_OK(kith_new(NULL, &k));
    CHECK_OK(kith_data_read(k, path, NULL, &d));
    CHECK_OK(kith_evaluate(
        k, d, &(kith_evaluate_options){ .models = &model, .n_models = 1, .protocol = protocol, .metrics = metrics },
        &r));
    kith_data_free(d);
    kith_free(k);
    return r;
}

/* The evaluator check of the LightGCN splits: popularity by training count. */
TEST(popularity_on_gowalla_gives_the_published_figures)
{
    const char *path = find_data("gowalla");
    if (path == NULL) return;
    kith_report *r = evaluate(path, "popularity", "predefined", "recall@20,ndcg@20");
    CHECK_NEAR(mean(r, "recall@20"), 0.0416, 0.00005); /* half of the last published digit */
    CHECK_NEAR(mean(r, "ndcg@20"), 0.0317, 0.00005);
    kith_report_free(r);
}

/* Surprise's README: biases alone, five random folds, RMSE 0.944 and MAE 0.748.  Its folds are not
 * ours: the mean of five has a standard error of 0.0016, and half a digit was rounded away. */
TEST(biases_on_movielens_100k_err_as_surprise_reports)
{
    const char *path = find_data("ml-100k");
    if (path == NULL) return;
    kith_report *r = evaluate(path, "bias", "kfold:5", "rmse,mae");
    CHECK_NEAR(mean(r, "rmse"), 0.944, 0.0005 + 2 * 0.0016);
    CHECK_NEAR(mean(r, "mae"), 0.748, 0.0005 + 2 * 0.0014);
    kith_report_free(r);
}
