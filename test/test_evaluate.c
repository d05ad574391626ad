/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- a case small enough to do by hand
 *
 * Training, in time order:  ann x y   bob x z   cleo x   dan y
 * Test (last third):        ann z     bob y     cleo w   eve x
 * Counts: x 3, y 2, z 1; w is cold, and eve is a cold user.
 * Lists by popularity without the history:  ann z | bob y | cleo y z | eve nothing. */

static const char *const users[] = { "ann", "ann", "bob", "bob", "cleo", "dan", "ann", "bob", "cleo", "eve" };
static const char *const items[] = { "x", "y", "x", "z", "x", "y", "z", "y", "w", "x" };
static const float values[] = { 5, 3, 4, 2, 3, 1, 4, 5, 2, 3 };
static const int64_t times[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

struct given {
    kith *k;
    kith_data *d;
};

static struct given hand_made(int with_values)
{
    struct given g;
    CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &g.k));
    CHECK_OK(kith_data_new(g.k, 10, users, items, with_values ? values : NULL, times, &g.d));
    return g;
}

static void clear(struct given *g)
{
    kith_data_free(g->d);
    kith_free(g->k);
    CHECK_INT(ki_alloc_live(), 0);
}

static const char *const popularity[] = { "popularity" };

static kith_report *evaluate(const struct given *g, const char *protocol, const char *metrics)
{
    kith_report *r;
    CHECK_OK(kith_evaluate(
        g->k, g->d,
        &(kith_evaluate_options){ .models = popularity, .n_models = 1, .protocol = protocol, .metrics = metrics }, &r));
    return r;
}

static double mean(const kith_report *r, const char *metric)
{
    double x;
    CHECK_OK(kith_report_metric(r, 0, metric, &x, NULL, NULL));
    return x;
}

TEST(popularity_scores_what_was_worked_out_by_hand)
{
    struct given g = hand_made(0);
    kith_report *r = evaluate(&g, "temporal:0.6",
                              "recall@2,precision@2,ndcg@2,mrr@1,hit_rate@1,catalog_coverage@2,"
                              "catalog_coverage@1,gini@2,entropy@1,auc,novelty@2,"
                              "long_tail_coverage@2,popularity_bias@1");
    CHECK_NEAR(mean(r, "recall@2"), 2 / 4.0, 1e-12);
    CHECK_NEAR(mean(r, "precision@2"), 2 * 0.5 / 4, 1e-12);
    CHECK_NEAR(mean(r, "ndcg@2"), 2 / 4.0, 1e-12);
    CHECK_NEAR(mean(r, "mrr@1"), 2 / 4.0, 1e-12);
    CHECK_NEAR(mean(r, "hit_rate@1"), 2 / 4.0, 1e-12);
    CHECK_NEAR(mean(r, "catalog_coverage@2"), 2 / 3.0, 1e-12); /* y, z of x, y, z */
    CHECK_NEAR(mean(r, "catalog_coverage@1"), 2 / 3.0, 1e-12);
    CHECK_NEAR(mean(r, "gini@2"), (2.0 * 2) / (3 * 4), 1e-12); /* places 0 2 2: (2*2) / (3*4) */
    CHECK_NEAR(mean(r, "entropy@1"), -(2 / 3.0 * log2(2 / 3.0) + 1 / 3.0 * log2(1 / 3.0)), 1e-12);
    /* ann has no item left but z, bob none but y: nobody to compare; cleo's w is below y and z: 0;
     * eve has no scores: all tie */
    CHECK_NEAR(mean(r, "auc"), (0 + 0.5) / 2, 1e-12);
    CHECK_NEAR(mean(r, "novelty@2"), (2 * log2(6) + 2 * log2(3)) / 4, 1e-12); /* z y y z */
    CHECK_NEAR(mean(r, "long_tail_coverage@2"), 2 / 4.0, 1e-12);              /* z: 1 of 6 events */
    /* lists 1, 2, 2 against histories 2.5, 2, 3 */
    CHECK_NEAR(mean(r, "popularity_bias@1"), 5 / 7.5, 1e-12);
    kith_report_free(r);
    clear(&g);
}

static json_t *json_of(const kith_report *r)
{
    char *text;
    CHECK_OK(kith_report_json(r, &text));
    json_t *o = json_loads(text, 0, NULL);
    CHECK(o != NULL);
    kith_string_free(text);
    return o;
}

static int64_t whole(const json_t *o, const char *key)
{
    ck_assert_msg(json_is_integer(json_object_get(o, key)), "no %s", key);
    return json_integer_value(json_object_get(o, key));
}

TEST(nothing_is_dropped_in_silence)
{
    struct given g = hand_made(0);
    kith_report *r = evaluate(&g, "temporal:0.6", "recall@2");
    json_t *o = json_of(r);
    CHECK_INT(whole(o, "n_users"), 4);
    CHECK_INT(whole(o, "n_test"), 4);
    CHECK_INT(whole(o, "n_train"), 6);
    CHECK_INT(whole(o, "n_items"), 4);
    CHECK_INT(whole(o, "n_cold_users"), 1);
    CHECK_INT(whole(o, "n_cold_items"), 1);
    CHECK_INT(whole(o, "n_empty"), 1);
    CHECK_INT(whole(o, "n_repeats"), 0);
    CHECK(whole(o, "peak_rss_bytes") > 100000);
    CHECK_STR(json_string_value(json_object_get(o, "model")), "popularity");
    CHECK_STR(json_string_value(json_object_get(o, "protocol")), "temporal:0.6");
    CHECK(json_is_number(json_object_get(o, "fit_seconds")));
    CHECK(json_is_number(json_object_get(o, "eval_seconds")));
    CHECK(json_is_object(json_object_get(o, "params")));
    const json_t *recall = json_object_get(json_object_get(o, "metrics"), "recall@2");
    CHECK_NEAR(json_number_value(json_object_get(recall, "mean")), 0.5, 1e-12);
    CHECK_INT(json_array_size(json_object_get(recall, "folds")), 1);
    CHECK(json_is_number(json_object_get(recall, "lo")));
    CHECK(json_is_string(json_object_get(json_object_get(o, "definitions"), "recall@2")));
    json_decref(o);
    kith_report_free(r);
    clear(&g);
}

TEST(errors_are_over_all_test_ratings)
{
    struct given g = hand_made(1);
    kith_report *r = evaluate(&g, "temporal:0.6", NULL);
    /* mean of training 3, damping 5: x (12 + 15) / 8, y (4 + 15) / 7, z (2 + 15) / 6, w 3 */
    const double e[] = { 17 / 6.0 - 4, 19 / 7.0 - 5, 3 - 2, 27 / 8.0 - 3 };
    CHECK_NEAR(mean(r, "rmse"), sqrt((e[0] * e[0] + e[1] * e[1] + e[2] * e[2] + e[3] * e[3]) / 4), 1e-6);
    CHECK_NEAR(mean(r, "mae"), (fabs(e[0]) + fabs(e[1]) + e[2] + e[3]) / 4, 1e-6);
    kith_report_free(r);
    clear(&g);
}

TEST(a_threshold_narrows_what_is_relevant)
{
    struct given g = hand_made(1);
    kith_report *r;
    kith_evaluate_options o = {
        .models = popularity, .n_models = 1, .protocol = "temporal:0.6", .metrics = "recall@1", .relevant_from = 4
    };
    CHECK_OK(kith_evaluate(g.k, g.d, &o, &r)); /* ann z and bob y */
    CHECK_NEAR(mean(r, "recall@1"), 1, 1e-12);
    json_t *json = json_of(r);
    CHECK_INT(whole(json, "n_users"), 2);
    CHECK_INT(whole(json, "n_relevant"), 2);
    json_decref(json);
    kith_report_free(r);
    o.relevant_from = 6;
    CHECK_FAILS(kith_evaluate(g.k, g.d, &o, &r), KITH_EDATA, "no test item");
    clear(&g);
}

TEST(a_metric_that_cannot_be_given_is_skipped_with_a_reason)
{
    struct given g = hand_made(0);
    kith_report *r = evaluate(&g, "temporal:0.6", "rmse,recall@1");
    double x;
    CHECK_FAILS(kith_report_metric(r, 0, "rmse", &x, NULL, NULL), KITH_ENOTFOUND, "no ratings");
    CHECK_FAILS(kith_report_metric(r, 0, "ndcg@5", &x, NULL, NULL), KITH_ENOTFOUND, "ndcg@5");
    CHECK_FAILS(kith_report_metric(r, 1, "rmse", &x, NULL, NULL), KITH_ENOTFOUND, "1 models");
    json_t *o = json_of(r);
    CHECK(json_is_string(json_object_get(json_object_get(o, "skipped"), "rmse")));
    CHECK(json_object_get(json_object_get(o, "metrics"), "rmse") == NULL);
    json_decref(o);
    kith_report_free(r);
    clear(&g);
}

/* ---- more data: 300 users, 80 items, popular ones early in the alphabet */

enum { MANY = 9000 };

static struct given made_up(int threads, uint64_t seed)
{
    static char names[300][8];
    static const char *u[MANY], *i[MANY];
    static float v[MANY];
    static int64_t t[MANY];
    uint64_t state = 12345;
    struct given g;
    for (int j = 0; j < 300; j++) snprintf(names[j], sizeof names[j], "n%d", j);
    for (int j = 0; j < MANY; j++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const double x = (double)(state >> 40) / 0x1p24;
        u[j] = names[(state >> 20) % 300];
        i[j] = names[(int)(80 * x * x)];
        v[j] = (float)(1 + (state >> 33) % 5);
        t[j] = j;
    }
    CHECK_OK(kith_new(&(kith_options){ .threads = threads, .seed = seed }, &g.k));
    CHECK_OK(kith_data_new(g.k, MANY, u, i, v, t, &g.d));
    return g;
}

static const char *const pair[] = { "popularity", "bias" };

static const char *const everything =
    "precision@5,recall@5,recall@20,recall_capped@5,f1@5,map@5,ndcg@5,ndcg_graded@5,mrr@5,auc,gauc,"
    "rmse,mae,rmse_raw,mae_raw,fcp,catalog_coverage@5,gini@5,entropy@5,novelty@5,"
    "popularity_bias@5,long_tail_coverage@5,intra_list_diversity@5,serendipity@5";

static char *report_text(int threads, const char *protocol)
{
    struct given g = made_up(threads, 1);
    kith_report *r = evaluate(&g, protocol, everything);
    json_t *o = json_of(r);
    json_object_del(o, "fit_seconds");
    json_object_del(o, "eval_seconds");
    json_object_del(o, "peak_rss_bytes");
    char *text = json_dumps(o, JSON_SORT_KEYS);
    json_decref(o);
    kith_report_free(r);
    clear(&g);
    return text;
}

TEST(one_thread_and_five_report_the_same)
{
    static const char *const all[] = { "kfold:3", "strong:0.7", "leave-one-out" };
    for (size_t j = 0; j < KI_COUNT(all); j++) {
        char *one = report_text(1, all[j]), *five = report_text(5, all[j]);
        CHECK_STR(one, five);
        free(one);
        free(five);
    }
}

TEST(a_report_tells_seeds_of_64_bits)
{
    struct given g = made_up(1, UINT64_MAX);
    const kith_evaluate_options o = { .models = pair, .n_models = 1, .metrics = "recall@5" };
    kith_report *r;
    CHECK_OK(kith_evaluate(g.k, g.d, &o, &r));
    json_t *json = json_of(r);
    CHECK_STR(json_string_value(json_object_get(json, "seed")), "18446744073709551615");
    json_decref(json);
    kith_report_free(r);
    clear(&g);
}

TEST(several_models_are_compared_on_the_same_users)
{
    static const char *const twice[] = { "popularity", "popularity" };
    struct given g = made_up(2, 1);
    kith_report *r;
    CHECK_OK(
        kith_evaluate(g.k, g.d,
                      &(kith_evaluate_options){
                          .models = twice, .n_models = 2, .protocol = "kfold:3", .metrics = "recall@5,gini@5,rmse" },
                      &r));
    json_t *o = json_of(r);
    CHECK_INT(json_array_size(json_object_get(o, "models")), 2);
    const json_t *comparisons = json_object_get(o, "comparisons");
    CHECK_INT(json_array_size(comparisons), 2); /* gini is of all lists together */
    const json_t *c = json_array_get(comparisons, 0);
    CHECK_STR(json_string_value(json_object_get(c, "metric")), "recall@5");
    CHECK_NEAR(json_number_value(json_object_get(c, "difference")), 0, 0);
    CHECK_NEAR(json_number_value(json_object_get(c, "p")), 1, 0);
    CHECK_INT(whole(c, "n"), 300);
    CHECK(json_is_null(json_object_get(c, "better")));
    json_decref(o);
    kith_report_free(r);
    clear(&g);
}

TEST(the_better_model_is_named_when_it_is_better_beyond_chance)
{
    struct given g = made_up(2, 1);
    kith_report *r;
    double a, b;
    CHECK_OK(kith_evaluate(
        g.k, g.d,
        &(kith_evaluate_options){ .models = pair, .n_models = 2, .protocol = "kfold:3", .metrics = "recall@5,rmse" },
        &r));
    CHECK_OK(kith_report_metric(r, 0, "recall@5", &a, NULL, NULL));
    CHECK_OK(kith_report_metric(r, 1, "recall@5", &b, NULL, NULL));
    json_t *o = json_of(r);
    const json_t *c = json_array_get(json_object_get(o, "comparisons"), 0);
    CHECK_STR(json_string_value(json_object_get(c, "a")), "popularity");
    CHECK_NEAR(json_number_value(json_object_get(c, "difference")), a - b, 1e-11);
    /* ratings are noise in this data, so biases rank at random, and popular items are planted */
    CHECK(json_number_value(json_object_get(c, "lo")) > 0);
    CHECK(json_number_value(json_object_get(c, "p")) < 0.01);
    CHECK_STR(json_string_value(json_object_get(c, "better")), "popularity");
    json_decref(o);
    kith_report_free(r);
    clear(&g);
}

TEST(intervals_hold_the_mean_and_widen_with_confidence)
{
    struct given g = made_up(2, 1);
    kith_report *r;
    double m, lo, hi, wide_lo, wide_hi;
    kith_evaluate_options o = { .models = popularity, .n_models = 1, .metrics = "recall@5,gini@5" };
    CHECK_OK(kith_evaluate(g.k, g.d, &o, &r));
    CHECK_OK(kith_report_metric(r, 0, "recall@5", &m, &lo, &hi));
    CHECK(lo < m && m < hi);
    kith_report_free(r);
    o.confidence = 0.99;
    CHECK_OK(kith_evaluate(g.k, g.d, &o, &r));
    CHECK_OK(kith_report_metric(r, 0, "recall@5", &m, &wide_lo, &wide_hi));
    CHECK(wide_lo < lo && hi < wide_hi);
    CHECK_OK(kith_report_metric(r, 0, "gini@5", &m, &lo, &hi));
    CHECK(lo < m && m < hi); /* of lists: resampled too */
    kith_report_free(r);
    clear(&g);
}

TEST(per_user_values_can_be_written_out)
{
    struct given g = hand_made(0);
    char path[] = "per_user_XXXXXX", line[256];
    close(mkstemp(path));
    kith_report *r;
    kith_evaluate_options o = { .models = popularity,
                                .n_models = 1,
                                .protocol = "temporal:0.6",
                                .metrics = "recall@2,gini@2,novelty@1",
                                .per_user_path = path };
    CHECK_OK(kith_evaluate(g.k, g.d, &o, &r));
    kith_report_free(r);
    FILE *f = fopen(path, "r");
    CHECK(f != NULL);
    CHECK_STR(fgets(line, sizeof line, f), "model,fold,user,recall@2,novelty@1\n");
    CHECK_STR(fgets(line, sizeof line, f), "popularity,1,ann,1,2.584962501\n");
    CHECK_STR(fgets(line, sizeof line, f), "popularity,1,bob,1,1.584962501\n");
    CHECK_STR(fgets(line, sizeof line, f), "popularity,1,cleo,0,1.584962501\n");
    CHECK_STR(fgets(line, sizeof line, f), "popularity,1,eve,0,\n");
    CHECK(fgets(line, sizeof line, f) == NULL);
    fclose(f);
    unlink(path);
    o.per_user_path = "no/such/folder/out.csv";
    CHECK_FAILS(kith_evaluate(g.k, g.d, &o, &r), KITH_EIO, "no/such/folder");
    clear(&g);
}

TEST(wrong_options_are_refused_with_a_sentence)
{
    struct given g = hand_made(0);
    static const char *const unknown[] = { "popularty" };
    const kith_param stray = { "n_factors", "8" }, other = { "ials.l2", "1" };
    kith_evaluate_options o = { .models = popularity, .n_models = 1 };
    kith_report *r;
    CHECK_FAILS(kith_evaluate(g.k, g.d, NULL, &r), KITH_EINVAL, "NULL");
    CHECK_FAILS(kith_evaluate(g.k, g.d, &(kith_evaluate_options){ 0 }, &r), KITH_EINVAL, "no model");
    o.models = unknown;
    CHECK_FAILS(kith_evaluate(g.k, g.d, &o, &r), KITH_ENOTFOUND, "popularty");
    o.models = popularity;
    o.confidence = 95;
    CHECK_FAILS(kith_evaluate(g.k, g.d, &o, &r), KITH_EINVAL, "confidence");
    o.confidence = 0;
    o.n_params = 1;
    o.params = &stray;
    CHECK_FAILS(kith_evaluate(g.k, g.d, &o, &r), KITH_EINVAL, "n_factors");
    o.params = &other;
    CHECK_FAILS(kith_evaluate(g.k, g.d, &o, &r), KITH_EINVAL, "ials.l2");
    clear(&g);
}

static void cancel_at_once(void *k, const char *what, int64_t done, int64_t total)
{
    (void)what, (void)done, (void)total;
    kith_cancel(*(kith **)k);
}

TEST(a_cancelled_evaluation_stops_and_the_next_one_runs)
{
    kith *k = NULL;
    kith_data *d;
    kith_report *r;
    const kith_evaluate_options o = { .models = popularity, .n_models = 1 };
    CHECK_OK(kith_new(&(kith_options){ .progress = cancel_at_once, .udata = &k }, &k));
    CHECK_OK(kith_data_new(k, 10, users, items, NULL, times, &d));
    CHECK_FAILS(kith_evaluate(k, d, &o, &r), KITH_ECANCELED, "cancelled");
    kith *other;
    CHECK_OK(kith_new(NULL, &other));
    kith_cancel(other);
    CHECK_OK(kith_evaluate(other, d, &o, &r));
    kith_report_free(r);
    kith_data_free(d);
    kith_free(k);
    kith_free(other);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_memory_limit_is_kept)
{
    struct given g = made_up(1, 0);
    kith *small;
    kith_report *r;
    CHECK_OK(kith_new(&(kith_options){ .memory_bytes = 1000 }, &small));
    CHECK_FAILS(kith_evaluate(small, g.d, &(kith_evaluate_options){ .models = popularity, .n_models = 1 }, &r),
                KITH_ENOMEM, "limit");
    kith_free(small);
    clear(&g);
}

TEST(a_memory_limit_is_held_against_all_folds_together)
{
    struct given g = made_up(1, 0);
    kith *small;
    kith_report *r;
    kith_evaluate_options o = {
        .models = popularity, .n_models = 1, .protocol = "kfold:2", .metrics = "recall@5,ndcg@5,map@5,mrr@5"
    };
    CHECK_OK(kith_new(&(kith_options){ .memory_bytes = 1000000 }, &small));
    CHECK_OK(kith_evaluate(small, g.d, &o, &r));
    kith_report_free(r);
    o.protocol = "kfold:100"; /* 300 users * 4 metrics * 100 folds * 16 bytes */
    CHECK_FAILS(kith_evaluate(small, g.d, &o, &r), KITH_ENOMEM, "keeping every user's values");
    kith_free(small);
    clear(&g);
}

TEST(every_refused_allocation_is_told_and_leaks_nothing)
{
    static const char *const twice[] = { "popularity", "popularity" };
    struct given g = hand_made(1);
    const int64_t live = ki_alloc_live();
    kith_report *r;
    for (int n = 1;; n++) {
        ki_alloc_fail_at(n, 0);
        const kith_err err = kith_evaluate(
            g.k, g.d,
            &(kith_evaluate_options){ .models = twice, .n_models = 2, .protocol = "strong:0.5", .metrics = everything },
            &r);
        ki_alloc_fail_at(0, 0);
        if (err == KITH_OK) break;
        CHECK_INT(err, KITH_ENOMEM);
        CHECK_INT(ki_alloc_live(), live);
    }
    kith_report_free(r);
    clear(&g);
}

TEST(metrics_and_protocols_describe_themselves)
{
    char *text;
    CHECK_OK(kith_metrics_json(&text));
    json_t *o = json_loads(text, 0, NULL);
    CHECK(o != NULL);
    CHECK(json_array_size(json_object_get(o, "metrics")) >= 20);
    CHECK_INT(json_array_size(json_object_get(o, "protocols")), 6);
    const json_t *first = json_array_get(json_object_get(o, "protocols"), 0);
    CHECK_STR(json_string_value(json_object_get(first, "name")), "kfold");
    CHECK(json_is_string(json_object_get(first, "summary")));
    json_decref(o);
    kith_string_free(text);
}
