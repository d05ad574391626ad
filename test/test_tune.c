/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "data/dataset.h"

#include <jansson.h>
#include <stdlib.h>

static kith *k;
static kith_data *d;

static void open_world(int threads)
{
    const kith_generate_options o = { .n_users = 120, .n_items = 60, .n_interactions = 3000, .rank = 3, .noise = 0.3 };
    CHECK_OK(kith_new(&(kith_options){ .threads = threads, .seed = 3 }, &k));
    CHECK_OK(kith_data_generate(k, &o, &d));
}

static void close_world(void)
{
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

static json_t *tune(const kith_tune_options *o)
{
    char *text = NULL;
    CHECK_OK(kith_tune(k, d, o, &text));
    json_t *report = json_loads(text, 0, NULL);
    kith_string_free(text);
    CHECK(report != NULL);
    return report;
}

static double value_of(const json_t *report, const char *which)
{
    return json_number_value(json_object_get(json_object_get(report, which), "value"));
}

static const char *const funk[] = { "funk-svd" };

TEST(tuning_is_never_worse_than_the_default_on_its_own_validation_part)
{
    open_world(2);
    json_t *r = tune(&(kith_tune_options){ .models = funk, .n_models = 1, .metric = "rmse", .max_trials = 8 });
    CHECK(value_of(r, "best") <= value_of(r, "default"));
    CHECK_INT(json_integer_value(json_object_get(r, "n_trials")), 8);
    json_decref(r);
    close_world();
}

TEST(what_is_given_is_held_or_the_first_to_be_tried)
{
    const kith_param given[] = { { "n_factors", "3" } };
    open_world(1);
    kith_tune_options o = {
        .models = funk, .n_models = 1, .metric = "rmse", .max_trials = 4, .params = given, .n_params = 1
    };
    for (int start = 0; start < 2; start++) {
        o.params_start = start;
        json_t *r = tune(&o), *trials = json_object_get(r, "trials");
        int same = 0;
        for (size_t j = 0; j < 4; j++)
            same += json_integer_value(
                        json_object_get(json_object_get(json_array_get(trials, j), "params"), "n_factors")) == 3;
        CHECK(json_integer_value(json_object_get(json_object_get(json_array_get(trials, 0), "params"), "n_factors")) ==
              3);
        CHECK(start ? same < 4 : same == 4);
        json_decref(r);
    }
    close_world();
}

/* Values of test rows are set to what would wreck any fit: nothing changes. */
TEST(test_rows_are_not_looked_at)
{
    double value[2];
    open_world(1);
    CHECK_OK(ki_alloc(&d->log.test, (size_t)d->log.n, 1));
    for (int64_t j = 0; j < d->log.n; j += 5) d->log.test[j] = 1;
    for (int pass = 0; pass < 2; pass++) {
        json_t *r = tune(&(kith_tune_options){ .models = funk, .n_models = 1, .metric = "rmse", .max_trials = 3 });
        value[pass] = value_of(r, "best");
        json_decref(r);
        for (int64_t j = 0; j < d->log.n; j += 5) d->log.value[j] = (float)(j % 7) * 1000;
    }
    CHECK_NEAR(value[0], value[1], 0);
    close_world();
}

TEST(one_thread_and_five_find_the_same)
{
    char *text[2];
    for (int t = 0; t < 2; t++) {
        open_world(t == 0 ? 1 : 5);
        static const char *const two[] = { "ials", "item-knn" };
        json_t *r = tune(&(kith_tune_options){ .models = two, .n_models = 2, .max_trials = 6 });
        json_t *best = json_object_get(r, "best");
        json_object_del(best, "seconds");
        text[t] = json_dumps(best, JSON_SORT_KEYS);
        json_decref(r);
        close_world();
    }
    CHECK_STR(text[0], text[1]);
    free(text[0]);
    free(text[1]);
}

TEST(a_spent_budget_leaves_what_was_measured)
{
    open_world(1);
    json_t *r = tune(&(kith_tune_options){ .models = funk, .n_models = 1, .max_trials = 500, .max_seconds = 0.05 });
    const json_int_t n = json_integer_value(json_object_get(r, "n_trials"));
    CHECK(n >= 1 && n < 500);
    json_decref(r);
    close_world();
}

TEST(what_cannot_be_tuned_is_said)
{
    char *text = NULL;
    static const char *const none[] = { "none" };
    open_world(1);
    kith_tune_options o = { .models = none, .n_models = 1 };
    CHECK_FAILS(kith_tune(k, d, &o, &text), KITH_ENOTFOUND, "none");
    o.models = funk;
    o.metric = "popularity_bias@5";
    CHECK_FAILS(kith_tune(k, d, &o, &text), KITH_EINVAL, "better or worse");
    o.metric = "ndcg@5,rmse";
    CHECK_FAILS(kith_tune(k, d, &o, &text), KITH_EINVAL, "one metric");
    o.metric = NULL;
    o.protocol = "kfold:3";
    CHECK_FAILS(kith_tune(k, d, &o, &text), KITH_EINVAL, "folds");
    CHECK(text == NULL);
    close_world();
}

TEST(every_failed_allocation_ends_the_search_without_a_leak)
{
    open_world(1);
    const int64_t live = ki_alloc_live();
    const kith_tune_options o = { .models = funk, .n_models = 1, .metric = "rmse", .max_trials = 2 };
    kith_err err = KITH_ENOMEM;
    for (int64_t n = 1; err != KITH_OK; n++) {
        char *text = NULL;
        ki_alloc_fail_at(n, 0);
        err = kith_tune(k, d, &o, &text);
        ki_alloc_fail_at(0, 0);
        CHECK(err == KITH_OK || err == KITH_ENOMEM);
        kith_string_free(text);
        CHECK_INT(ki_alloc_live(), live);
    }
    close_world();
}
