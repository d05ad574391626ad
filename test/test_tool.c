/* SPDX-License-Identifier: MIT
 * test_tool.c -- the tool contract from the inside: schemas, cutting, signals, runs, errors
 */
#include "disk.h"
#include "test.h"

#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "model/model.h"
#include "tool/cut.h"
#include "tool/importance.h"
#include "tool/schema.h"
#include "tool/signals.h"
#include "tool/verify.h"

#include <stdlib.h>
#include <unistd.h>

/* Two tastes: users 0-7 have items 0-5, users 8-15 items 6-11, each all but two; by arithmetic. */
static const char *two_tastes(void)
{
    static char text[32768];
    size_t n = (size_t)snprintf(text, sizeof text,
                                "{\"recommendation_data\":{\"user_data\":[{\"user_id\":\"new\"}],"
                                "\"item_data\":[{\"item_id\":\"i0\",\"category\":\"red\"}],"
                                "\"interaction_data\":[");
    int first = 1;
    for (int u = 0; u < 16; u++)
        for (int i = 0; i < 6; i++) {
            if (i == u % 6 || i == (u + 2) % 6) continue;
            n += (size_t)snprintf(text + n, sizeof text - n,
                                  "%s{\"user_id\":\"u%d\",\"item_id\":\"i%d\",\"rating\":%d,\"timestamp\":%d}",
                                  first ? "" : ",", u, u < 8 ? i : 6 + i, 3 + (u + i) % 3, 1000000000 + 1000 * i + u);
            first = 0;
        }
    snprintf(text + n, sizeof text - n,
             "]},\"recommendation_configuration\":{\"algorithm_type\":"
             "\"collaborative_filtering\",\"recommendation_count\":3}%%s}");
    return text;
}

static const char *const minimal =
    "{\"recommendation_data\": {\"user_data\": [{\"user_id\": \"test_user\"}], \"item_data\": [{\"item_id\": "
    "\"test_item\"}], \"interaction_data\": [{\"user_id\": \"test_user\", \"item_id\": \"test_item\", \"rating\": "
    "5}]}, "
    "\"recommendation_configuration\": {\"algorithm_type\": \"collaborative_filtering\"}}";

/* The two tastes with more members after recommendation_configuration. */
static char *with(const char *more)
{
    static char text[32768];
    const char *all = two_tastes();
    const size_t n = strlen(all) - 3; /* before "%s}" */
    memcpy(text, all, n);
    snprintf(text + n, sizeof text - n, "%s}", more);
    return text;
}

static json_t *run_with(kith *k, const char *request, const kith_run_options *o, kith_err want)
{
    char *result = NULL;
    const kith_run_options none = { .model_folder = "" };
    const kith_err err = kith_run(k, request, strlen(request), o == NULL ? &none : o, &result);
    ck_assert_msg(err == want, "got %s, want %s: %s", kith_err_name(err), kith_err_name(want), kith_last_error());
    CHECK(result != NULL);
    json_t *r = json_loads(result, 0, NULL);
    CHECK(r != NULL);
    kith_string_free(result);
    return r;
}

static json_t *run(const char *request, kith_err want)
{
    kith *k;
    CHECK_OK(kith_new(&(kith_options){ .threads = 2, .seed = 42 }, &k));
    json_t *r = run_with(k, request, NULL, want);
    kith_free(k);
    return r;
}

/* Follows a JSON pointer without escapes. */
static const json_t *at(const json_t *v, const char *pointer)
{
    char path[256];
    snprintf(path, sizeof path, "%s", pointer);
    for (char *save = NULL, *word = strtok_r(path, "/", &save); word != NULL; word = strtok_r(NULL, "/", &save))
        v = json_is_array(v) ? json_array_get(v, (size_t)atoi(word)) : json_object_get(v, word);
    return v;
}

static const char *text_at(const json_t *v, const char *pointer)
{
    const char *s = json_string_value(at(v, pointer));
    return s == NULL ? "" : s;
}

static void check_response(const json_t *r)
{
    ki_findings f = { 0 };
    json_t *schema = ki_schema_response();
    ki_verify(schema, r, NULL, &f);
    char *told = json_dumps(f.violations != NULL ? f.violations : f.warnings, JSON_ENCODE_ANY);
    ck_assert_msg(f.n_violations == 0 && f.n_warnings == 0, "%s", told);
    free(told);
    json_decref(schema);
    ki_findings_clear(&f);
}

/* ---- schemas ---- */

static void check_keywords(const json_t *schema)
{
    static const char *const known[] = {
        "type",      "enum",     "const",    "properties",       "required",    "additionalProperties",
        "items",     "minItems", "maxItems", "minimum",          "maximum",     "minLength",
        "maxLength", "anyOf",    "format",   "exclusiveMinimum", "description", "default",
        "title",     "$schema",  "$defs"
    };
    const char *key, *name;
    json_t *v, *one;
    json_object_foreach ((json_t *)schema, key, v) {
        int found = 0;
        for (size_t j = 0; j < KI_COUNT(known); j++) found |= strcmp(known[j], key) == 0;
        ck_assert_msg(found, "the schema says \"%s\", which is not checked", key);
        if (strcmp(key, "properties") == 0 || strcmp(key, "$defs") == 0)
            json_object_foreach (v, name, one) check_keywords(one);
        if (strcmp(key, "items") == 0 || (strcmp(key, "additionalProperties") == 0 && json_is_object(v)))
            check_keywords(v);
        for (size_t j = 0; strcmp(key, "anyOf") == 0 && j < json_array_size(v); j++)
            check_keywords(json_array_get(v, j));
    }
}

TEST(every_keyword_of_the_published_schemas_is_one_that_is_checked)
{
    json_t *request = ki_schema_request(), *response = ki_schema_response();
    check_keywords(request);
    check_keywords(response);
    CHECK(ki_schema_model(request, "ials") != NULL && ki_schema_model(request, "none") == NULL);
    json_decref(request);
    json_decref(response);
}

TEST(a_time_is_checked_by_rfc_3339)
{
    static const char *const good[] = { "2024-01-15T10:30:00Z", "2024-02-29T23:59:59.125+05:30" };
    static const char *const bad[] = { "2024-01-15",           "2024-01-15 10:30:00Z",  "2023-02-29T00:00:00Z",
                                       "2024-01-15T10:30:00",  "2024-01-15T10:30:00.Z", "2024-01-15T25:30:00Z",
                                       "2024-01-15T10:30:00Z " };
    for (size_t j = 0; j < KI_COUNT(good); j++) CHECK(ki_is_date_time(good[j], strlen(good[j])));
    for (size_t j = 0; j < KI_COUNT(bad); j++) CHECK(!ki_is_date_time(bad[j], strlen(bad[j])));
}

TEST(every_violation_is_told_with_its_place)
{
    json_t *r = run("{\"recommendation_data\":{\"user_data\":[{\"id\":1}],\"item_data\":3,\"interaction_data\":["
                    "{\"user_id\":\"a\",\"item_id\":2.5,\"rating\":\"x\"},4,{\"user_id\":\"a\",\"item_id\":\"b\","
                    "\"timestamp\":\"yesterday\",\"clicks\":-1}]},\"recommendation_configuration\":{\"algorithm_type\":"
                    "\"magic\",\"recommendation_count\":0},\"training_configuration\":{\"train_test_split\":1.5}}",
                    KITH_EINVAL);
    static const char *const places[] = {
        "/recommendation_data/item_data",
        "/recommendation_configuration/algorithm_type",
        "/recommendation_configuration/recommendation_count",
        "/training_configuration/train_test_split",
        "/recommendation_data/interaction_data/0/item_id",
        "/recommendation_data/interaction_data/0/rating",
        "/recommendation_data/interaction_data/1",
        "/recommendation_data/interaction_data/2/timestamp",
        "/recommendation_data/interaction_data/2/clicks",
        "/recommendation_data/user_data/0/user_id",
    };
    const json_t *list = at(r, "/error/violations");
    CHECK_INT(json_array_size(list), KI_COUNT(places));
    for (size_t j = 0; j < KI_COUNT(places); j++)
        CHECK_STR(json_string_value(json_object_get(json_array_get(list, j), "pointer")), places[j]);
    CHECK_STR(text_at(r, "/error/type"), "ValidationError");
    json_decref(r);
}

TEST(parameters_are_held_against_the_table_of_the_model)
{
    json_t *r = run("{\"recommendation_data\":{\"user_data\":[],\"item_data\":[],\"interaction_data\":[{\"user_id\":1,"
                    "\"item_id\":2}]},\"recommendation_configuration\":{\"algorithm_type\":\"collaborative_filtering\","
                    "\"model_parameters\":{\"method\":\"als\",\"n_factors\":0,\"reg\":\"much\",\"solver\":\"magic\"}}}",
                    KITH_EINVAL);
    CHECK_INT(json_array_size(at(r, "/error/violations")), 3);
    CHECK_STR(text_at(r, "/error/violations/1/pointer"), "/recommendation_configuration/model_parameters/reg");
    json_decref(r);
}

/* ---- cutting ---- */

static kith_err count_element(void *arg, size_t index, json_t *element)
{
    int *sum = arg;
    (void)index;
    *sum += (int)json_integer_value(element);
    return KITH_OK;
}

TEST(lists_are_cut_out_and_walked_whatever_their_layout)
{
    static const char text[] =
        " { \"x\": \"]}\\\"\", \"recommendation_data\" :\n{ \"user_data\":[1, 2 ,3],\"item_data\" "
        ": [ ] , \"interaction_data\":[10,20], \"z\":[7] } , \"y\": [ {\"user_data\": [5]} ] } ";
    ki_cut c = { 0 };
    ki_findings f = { 0 };
    int users = 0, rows = 0, items = 0;
    CHECK_OK(ki_cut_make(&c, text, strlen(text), &f));
    CHECK_OK(ki_cut_each(&c, KI_USER_DATA, count_element, &users, &f));
    CHECK_OK(ki_cut_each(&c, KI_ITEM_DATA, count_element, &items, &f));
    CHECK_OK(ki_cut_each(&c, KI_INTERACTION_DATA, count_element, &rows, &f));
    CHECK(users == 6 && rows == 30 && items == 0 && f.n_violations == 0);
    CHECK_INT(json_array_size(at(c.shell, "/recommendation_data/z")), 1);
    CHECK_INT(json_array_size(at(c.shell, "/y/0/user_data")), 1);
    ki_cut_clear(&c);
    CHECK_INT(ki_alloc_live(), 0);
}

/* A mistake before, in and after a list is told at its own line and column. */
TEST(a_syntax_error_is_told_where_it_stands)
{
    static const struct {
        const char *text, *where;
    } cases[] = {
        { "{\"a\": 1,\n  oops}", "line 2, column " },
        { "{\"recommendation_data\":{\"user_data\":[1,2,3,4,5,6,7,8,9,10],\n\n \"b\" 3}}", "line 3, column " },
        { "", "line 1, column 1" },
    };
    for (size_t j = 0; j < KI_COUNT(cases); j++) {
        ki_cut c = { 0 };
        ki_findings f = { 0 };
        CHECK_FAILS(ki_cut_make(&c, cases[j].text, strlen(cases[j].text), &f), KITH_EINVAL, cases[j].where);
        ki_findings_clear(&f);
    }
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- signals ---- */

static void take_rows(ki_signals *s, const char *rows, ki_findings *f)
{
    json_t *list = json_loads(rows, 0, NULL);
    CHECK(list != NULL);
    for (size_t j = 0; j < json_array_size(list); j++) CHECK_OK(ki_signals_take(s, json_array_get(list, j), NULL, f));
    json_decref(list);
}

TEST(without_ratings_a_preference_is_a_weighted_sum)
{
    ki_signals s;
    ki_findings f = { 0 };
    float value[6];
    ki_signals_begin(&s, NULL, NULL, &f);
    take_rows(&s,
              "[{\"clicks\":3,\"purchases\":1},{\"read_time\":300,\"liked\":true},{\"liked\":false,\"clicks\":9},"
              "{\"event\":\"purchase\"},{},{\"clicks\":0}]",
              &f);
    const ki_opinion p = ki_signals_combine(&s, -1, NULL, value);
    CHECK(!p.has_ratings && p.has_dislikes);
    CHECK_NEAR(value[0], 2 + 5, 1e-6);             /* log2(1 + 3) + 5 log2(1 + 1) */
    CHECK_NEAR(value[1], 3 + 2.5849625, 1e-6);     /* 3 + log2(1 + 300 / 60) */
    CHECK_NEAR(value[2], 0, 0);                    /* a dislike outdoes its clicks */
    CHECK_NEAR(value[3], 5, 1e-6);                 /* the word counts one purchase */
    CHECK_NEAR(value[4], 1, 0);                    /* an event that says nothing else */
    CHECK(isnan(value[5]) && f.n_violations == 0); /* no click: no event */
    ki_signals_clear(&s);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(with_ratings_other_signals_go_onto_their_scale)
{
    ki_signals s;
    ki_findings f = { 0 };
    float value[5];
    ki_signals_begin(&s, NULL, NULL, &f);
    take_rows(&s, "[{\"rating\":1,\"clicks\":50},{\"stars\":\"5\"},{\"liked\":true},{\"liked\":\"no\"},{\"clicks\":1}]",
              &f);
    const ki_opinion p = ki_signals_combine(&s, -1, NULL, value);
    CHECK(p.low == 1 && p.high == 5);
    CHECK_NEAR(value[0], 1, 0);
    CHECK_NEAR(value[1], 5, 0);
    CHECK_NEAR(value[2], 5, 0);
    CHECK_NEAR(value[3], 1, 0);
    CHECK_NEAR(value[4], 5, 0); /* the strongest of those without a rating: 3 + 2 * 1 */
    ki_signals_clear(&s);
}

TEST(the_mapping_can_be_changed)
{
    json_t *config = json_loads("{\"clicks\":0,\"hugs\":{\"weight\":2,\"scale\":\"linear\",\"unit\":4}}", 0, NULL);
    ki_signals s;
    ki_findings f = { 0 };
    float value[2];
    ki_signals_begin(&s, config, NULL, &f);
    take_rows(&s, "[{\"clicks\":7,\"hugs\":6},{\"clicks\":7}]", &f);
    ki_signals_combine(&s, -1, NULL, value);
    CHECK_NEAR(value[0], 3, 1e-6); /* 2 * 6 / 4 */
    CHECK_NEAR(value[1], 1, 0);    /* an ignored signal is none */
    ki_signals_clear(&s);
    json_decref(config);
}

/* ---- runs ---- */

TEST(one_interaction_is_served)
{
    json_t *r = run(minimal, KITH_OK);
    check_response(r);
    CHECK(at(r, "/recommendation_results/recommendations") != NULL);
    CHECK(at(r, "/recommendation_results/model_evaluation") != NULL);
    CHECK_STR(text_at(r, "/recommendation_results/recommendations/user_recommendations/0/user_id"), "test_user");
    json_decref(r);
}

TEST(a_run_gives_every_field_that_applies)
{
    json_t *r = run(with(",\"training_configuration\":{\"train_test_split\":0.8},\"deployment_configuration\":{"
                         "\"caching_strategy\":\"memory\",\"real_time_recommendations\":true}"),
                    KITH_OK);
    static const char *const fields[] = {
        "/recommendation_results/model_info/model_id",
        "/recommendation_results/model_info/training_parameters/similarity",
        "/recommendation_results/model_info/model_performance/evaluation/metrics",
        "/recommendation_results/model_info/model_performance/cross_validation/metrics",
        "/recommendation_results/recommendations/user_recommendations/0/recommended_items/0/reason",
        "/recommendation_results/recommendations/item_recommendations/0/similar_items/0/similarity_type",
        "/recommendation_results/model_evaluation/accuracy_metrics/f1_score",
        "/recommendation_results/model_evaluation/diversity_metrics/catalog_coverage",
        "/recommendation_results/model_evaluation/novelty_metrics/popularity_bias",
        "/recommendation_results/feature_importance/interaction_features/0/importance",
        "/recommendation_results/deployment_info/inference_latency",
        "/recommendation_results/deployment_info/throughput",
        "/recommendation_results/deployment_info/cache_hit_rate",
        "/metadata/data_statistics/preference/signals/rating",
        "/metadata/method/resolved_method",
        "/metadata/left_out",
    };
    check_response(r);
    for (size_t j = 0; j < KI_COUNT(fields); j++) ck_assert_msg(at(r, fields[j]) != NULL, "no %s", fields[j]);
    json_decref(r);
}

/* The id of the first item for each user, "-" for none. */
static void first_items(const json_t *r, char *out, size_t size)
{
    const json_t *list = at(r, "/recommendation_results/recommendations/user_recommendations");
    size_t used = 0;
    out[0] = '\0';
    for (size_t j = 0; j < json_array_size(list); j++)
        used += (size_t)snprintf(out + used, size - used, "%s ",
                                 text_at(json_array_get(list, j), "/recommended_items/0/item_id"));
}

TEST(one_thread_and_five_give_the_same_result)
{
    char *lists[2];
    for (int t = 0; t < 2; t++) {
        kith *k;
        CHECK_OK(kith_new(&(kith_options){ .threads = t == 0 ? 1 : 5, .seed = 7 }, &k));
        json_t *r =
            run_with(k,
                     with(",\"training_configuration\":{\"train_test_split\":0.8,\"hyperparameter_tuning\":true,"
                          "\"tuning_trials\":4}"),
                     NULL, KITH_OK);
        json_t *both = json_pack("[O, O]", at(r, "/recommendation_results/recommendations"),
                                 at(r, "/recommendation_results/model_evaluation"));
        lists[t] = json_dumps(both, JSON_SORT_KEYS);
        json_decref(both);
        json_decref(r);
        kith_free(k);
    }
    CHECK_STR(lists[0], lists[1]);
    free(lists[0]);
    free(lists[1]);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_taste_is_followed_and_context_is_heeded)
{
    char got[256];
    json_t *r = run(with(",\"training_configuration\":{\"cross_validation\":false}"), KITH_OK);
    first_items(r, got, sizeof got);
    CHECK(strncmp(got, "i0 ", 3) == 0 || strncmp(got, "i2 ", 3) == 0); /* what u0 of the first taste lacks */
    json_decref(r);
    char *text = with("");
    char context[32768];
    const char *rest = strstr(text, "\"interaction_data\"");
    snprintf(context, sizeof context,
             "%.*s\"context_data\":{\"exclude_items\":[\"i0\",\"i2\"],\"users\":[\"u0\",\"new\"],"
             "\"reasons\":0},%s",
             (int)(rest - text), text, rest);
    r = run(context, KITH_OK);
    const json_t *lists = at(r, "/recommendation_results/recommendations/user_recommendations");
    CHECK_INT(json_array_size(lists), 2);
    CHECK(at(lists, "/0/recommended_items/0/reason") == NULL);
    first_items(r, got, sizeof got);
    CHECK(strstr(got, "i0 ") == NULL && strstr(got, "i2 ") == NULL);
    CHECK_STR(text_at(lists, "/1/recommendation_metadata/basis"), "popular");
    json_decref(r);
}

TEST(a_filter_of_the_context_strikes_items_out)
{
    static const char *const filters[] = { "item != \\\"i0\\\" and popularity > 4", "category = \\\"red\\\"",
                                           "price <" };
    for (size_t j = 0; j < KI_COUNT(filters); j++) {
        char context[33000];
        const char *text = with(",\"training_configuration\":{\"cross_validation\":false}");
        const char *rest = strstr(text, "\"interaction_data\"");
        snprintf(context, sizeof context, "%.*s\"context_data\":{\"filter\":\"%s\"},%s", (int)(rest - text), text,
                 filters[j], rest);
        json_t *r = run(context, j < 2 ? KITH_OK : KITH_EINVAL);
        const json_t *lists = at(r, "/recommendation_results/recommendations/user_recommendations"), *items;
        CHECK(j < 2 ||
              strcmp(text_at(r, "/error/violations/0/pointer"), "/recommendation_data/context_data/filter") == 0);
        for (size_t u = 0; u < json_array_size(lists); u++) {
            items = json_object_get(json_array_get(lists, u), "recommended_items");
            for (size_t i = 0; i < json_array_size(items); i++)
                CHECK((strcmp(text_at(json_array_get(items, i), "/item_id"), "i0") == 0) == (j == 1));
        }
        json_decref(r);
    }
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(every_family_serves_with_and_without_words)
{
    static const char *const families[] = { "collaborative_filtering", "hybrid", "graph_based" };
    for (size_t j = 0; j < 2 * KI_COUNT(families); j++) {
        char text[33000];
        snprintf(text, sizeof text, "%s", with(",\"training_configuration\":{\"cross_validation\":false}"));
        char *family = strstr(text, "collaborative_filtering\""), *word = strstr(text, ",\"category\":\"red\"");
        memmove(family + strlen(families[j / 2]), family + 23, strlen(family + 23) + 1);
        memcpy(family, families[j / 2], strlen(families[j / 2]));
        if (j % 2) memset(word, ' ', strlen(",\"category\":\"red\""));
        json_t *r = run(text, KITH_OK);
        check_response(r);
        CHECK_STR(text_at(r, "/recommendation_results/model_info/algorithm_type"), families[j / 2]);
        json_decref(r);
    }
}

/* ---- errors ---- */

TEST(failures_have_the_names_of_the_contract)
{
    CHECK_STR(kith_error_type(KITH_OK, KITH_STAGE_ASK), "");
    CHECK_STR(kith_error_type(KITH_EINVAL, KITH_STAGE_REQUEST), "ValidationError");
    CHECK_STR(kith_error_type(KITH_EDATA, KITH_STAGE_REQUEST), "DataInsufficientError");
    CHECK_STR(kith_error_type(KITH_EDATA, KITH_STAGE_TRAIN), "DataInsufficientError");
    CHECK_STR(kith_error_type(KITH_EINVAL, KITH_STAGE_TRAIN), "ModelTrainingError");
    CHECK_STR(kith_error_type(KITH_ENOTFOUND, KITH_STAGE_ASK), "ColdStartError");
    CHECK_STR(kith_error_type(KITH_ENOMEM, KITH_STAGE_TRAIN), "BudgetExceededError");
    CHECK_STR(kith_error_type(KITH_EIO, KITH_STAGE_REQUEST), "StorageError");
    CHECK_STR(kith_error_type(KITH_ECANCELED, KITH_STAGE_EVALUATE), "CanceledError");
    for (int err = KITH_EDATA; err < 0; err++)
        for (int stage = 0; stage <= KITH_STAGE_STORE; stage++)
            CHECK(kith_error_type((kith_err)err, (kith_stage)stage)[0] != '\0' &&
                  kith_error_hint((kith_err)err, (kith_stage)stage)[0] != '\0');
}

TEST(what_fails_says_which_way)
{
    static const struct {
        const char *data, *config;
        kith_err err;
        const char *type;
    } cases[] = {
        { "\"interaction_data\":[]", "\"collaborative_filtering\"", KITH_EDATA, "DataInsufficientError" },
        { "\"interaction_data\":[{\"user_id\":1,\"item_id\":2}]",
          "\"collaborative_filtering\",\"model_parameters\":{\"method\":\"funk-svd\"}", KITH_EDATA,
          "DataInsufficientError" },
        { "\"interaction_data\":[{\"user_id\":1,\"item_id\":2}],\"context_data\":{\"on_cold_start\":\"error\","
          "\"users\":"
          "[\"nobody\"]}",
          "\"collaborative_filtering\"", KITH_ENOTFOUND, "ColdStartError" },
        { "\"interaction_data\":\"no/such/file.csv\"", "\"collaborative_filtering\"", KITH_EIO, "StorageError" },
        { "\"interaction_data\":[{\"user_id\":1,\"item_id\":2}]", "\"deep_learning\"", KITH_EINVAL, "ValidationError" },
    };
    for (size_t j = 0; j < KI_COUNT(cases); j++) {
        char text[1024];
        if (strcmp(cases[j].config, "\"deep_learning\"") == 0 && ki_model_find("ncf") != NULL) continue;
        snprintf(text, sizeof text,
                 "{\"recommendation_data\":{\"user_data\":[],\"item_data\":[],%s},"
                 "\"recommendation_configuration\":{\"algorithm_type\":%s}}",
                 cases[j].data, cases[j].config);
        json_t *r = run(text, cases[j].err);
        CHECK_STR(text_at(r, "/error/type"), cases[j].type);
        CHECK(text_at(r, "/error/hint")[0] != '\0');
        json_decref(r);
    }
    CHECK_INT(ki_alloc_live(), 0);
}

static void cancel_at_training(void *udata, const char *event)
{
    if (strstr(event, "recommendation_training_started") != NULL) kith_cancel(udata);
}

TEST(a_cancel_between_two_steps_is_not_forgotten)
{
    kith *k;
    CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &k));
    json_t *r =
        run_with(k, with(""), &(kith_run_options){ .event = cancel_at_training, .udata = k, .model_folder = "" },
                 KITH_ECANCELED);
    CHECK_STR(text_at(r, "/error/type"), "CanceledError");
    json_decref(r);
    r = run_with(k, minimal, NULL, KITH_OK); /* and the next call starts afresh */
    json_decref(r);
    kith_free(k);
}

TEST(a_service_refuses_paths)
{
    kith *k;
    CHECK_OK(kith_new(NULL, &k));
    json_t *r =
        run_with(k,
                 "{\"recommendation_data\":{\"user_data\":\"/etc/passwd\",\"item_data\":\"b\",\"interaction_data\":"
                 "\"c\",\"context_data\":\"d\"},\"recommendation_configuration\":{\"algorithm_type\":\"hybrid\"}}",
                 &(kith_run_options){ .no_files = 1, .model_folder = "" }, KITH_EINVAL);
    CHECK_INT(json_array_size(at(r, "/error/violations")), 4);
    json_decref(r);
    kith_free(k);
}

TEST(every_failed_allocation_is_a_named_failure_without_a_leak)
{
    kith *k;
    CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &k));
    const int64_t live = ki_alloc_live();
    const kith_run_options o = { .model_folder = "" };
    kith_err err = KITH_ENOMEM;
    for (int64_t n = 1; err != KITH_OK; n++) {
        char *result = NULL;
        ki_alloc_fail_at(n, 0);
        err = kith_run(k, minimal, strlen(minimal), &o, &result);
        ki_alloc_fail_at(0, 0);
        CHECK(err == KITH_OK || err == KITH_ENOMEM);
        CHECK(err == KITH_OK || (result != NULL && strstr(result, "BudgetExceededError") != NULL));
        kith_string_free(result);
        CHECK_INT(ki_alloc_live(), live);
    }
    kith_free(k);
}

/* ---- keeping ---- */

TEST(a_cache_that_is_handed_in_serves_the_second_run)
{
    kith *k;
    kith_cache *cache;
    const char *request = with(",\"deployment_configuration\":{\"caching_strategy\":\"memory\"}");
    CHECK_OK(kith_new(NULL, &k));
    CHECK_OK(kith_cache_memory(0, &cache));
    const kith_run_options o = { .cache = cache, .model_folder = "" };
    json_t *a = run_with(k, request, &o, KITH_OK), *b = run_with(k, request, &o, KITH_OK);
    CHECK_NEAR(json_number_value(at(a, "/recommendation_results/deployment_info/cache_hit_rate")), 0, 0);
    CHECK_NEAR(json_number_value(at(b, "/recommendation_results/deployment_info/cache_hit_rate")), 1, 0);
    CHECK(
        json_equal(at(a, "/recommendation_results/recommendations"), at(b, "/recommendation_results/recommendations")));
    json_decref(a);
    json_decref(b);
    kith_cache_free(cache);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(an_equal_request_finds_its_model)
{
    char folder[256], path[512];
    kith *k;
    snprintf(folder, sizeof folder, "%s", scratch_path("models"));
    CHECK_OK(kith_new(NULL, &k));
    const kith_run_options o = { .model_folder = folder };
    json_t *a = run_with(k, with(""), &o, KITH_OK), *b = run_with(k, with(""), &o, KITH_OK);
    CHECK(json_is_false(at(a, "/metadata/persistence/loaded")) && json_is_true(at(b, "/metadata/persistence/loaded")));
    CHECK(
        json_equal(at(a, "/recommendation_results/recommendations"), at(b, "/recommendation_results/recommendations")));
    snprintf(path, sizeof path, "%s", text_at(a, "/metadata/persistence/path"));
    CHECK(truncate(path, 100) == 0); /* what was kept is broken: said, and made anew */
    json_t *c = run_with(k, with(""), &o, KITH_OK);
    CHECK(json_is_false(at(c, "/metadata/persistence/loaded")) && json_array_size(at(c, "/metadata/warnings")) == 1);
    unlink(path);
    rmdir(folder);
    json_decref(a);
    json_decref(b);
    json_decref(c);
    kith_free(k);
}

/* What is at `path` is told to be of no use, and is replaced by what the next run loads. */
static void check_replaced(kith *k, const kith_run_options *o, const char *words)
{
    json_t *r = run_with(k, with(""), o, KITH_OK), *again = run_with(k, with(""), o, KITH_OK);
    const char *told = text_at(r, "/metadata/warnings/0");
    ck_assert_msg(strstr(told, words) != NULL, "\"%s\" does not say \"%s\"", told, words);
    CHECK(json_is_false(at(r, "/metadata/persistence/loaded")) && json_is_true(at(r, "/metadata/persistence/saved")));
    CHECK(json_is_true(at(again, "/metadata/persistence/loaded")));
    json_decref(r);
    json_decref(again);
}

TEST(a_kept_model_that_is_not_the_one_is_replaced)
{
    char folder[256], path[512], other[512];
    kith *k;
    size_t n;
    snprintf(folder, sizeof folder, "%s", scratch_path("models"));
    CHECK_OK(kith_new(NULL, &k));
    const kith_run_options o = { .model_folder = folder };
    json_t *a = run_with(k, with(""), &o, KITH_OK), *b = run_with(k, minimal, &o, KITH_OK);
    snprintf(path, sizeof path, "%s", text_at(a, "/metadata/persistence/path"));
    snprintf(other, sizeof other, "%s", text_at(b, "/metadata/persistence/path"));
    CHECK(strcmp(path, other) != 0);
    unsigned char *bytes = read_file(path, &n), *version = memmem(bytes, n, "\"version\":\"", 11);
    CHECK(rename(other, path) == 0); /* of another method */
    check_replaced(k, &o, "another one");
    CHECK(version != NULL);
    version[11] = '9'; /* of a kith to come */
    write_file(path, bytes, n);
    check_replaced(k, &o, "cannot be used");
    write_file(path, (const unsigned char *)"", 0);
    check_replaced(k, &o, "cannot be used");
    write_file(path, (const unsigned char *)"user,item\na,b\n", 14);
    check_replaced(k, &o, "cannot be used");
    unlink(path);
    rmdir(folder);
    free(bytes);
    json_decref(a);
    json_decref(b);
    kith_free(k);
}

/* The same method, of other interactions: found by its fingerprint. */
TEST(a_kept_model_of_other_interactions_is_replaced)
{
    char folder[256], path[512], other[512];
    kith *k;
    char *text = strdup(with("")), *changed = strdup(text);
    memcpy(strstr(changed, "\"rating\":3"), "\"rating\":5", 10);
    snprintf(folder, sizeof folder, "%s", scratch_path("models"));
    CHECK_OK(kith_new(NULL, &k));
    const kith_run_options o = { .model_folder = folder };
    json_t *a = run_with(k, text, &o, KITH_OK), *b = run_with(k, changed, &o, KITH_OK);
    snprintf(path, sizeof path, "%s", text_at(a, "/metadata/persistence/path"));
    snprintf(other, sizeof other, "%s", text_at(b, "/metadata/persistence/path"));
    CHECK(strcmp(path, other) != 0 && rename(other, path) == 0);
    check_replaced(k, &o, "another one");
    unlink(path);
    rmdir(folder);
    free(text);
    free(changed);
    json_decref(a);
    json_decref(b);
    kith_free(k);
}

TEST(a_folder_that_cannot_be_written_costs_a_warning)
{
    char folder[256], deep[300], endless[5000];
    kith *k;
    CHECK_OK(kith_new(NULL, &k));
    snprintf(folder, sizeof folder, "%s", scratch_path("file"));
    write_file(folder, (const unsigned char *)"x", 1); /* a file where the folder should be */
    snprintf(deep, sizeof deep, "%s.not/there", folder);
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    const char *const folders[] = { folder, deep, endless };
    for (size_t j = 0; j < KI_COUNT(folders); j++) {
        const kith_run_options o = { .model_folder = folders[j] };
        json_t *r = run_with(k, with(""), &o, KITH_OK);
        CHECK(json_is_false(at(r, "/metadata/persistence/saved")));
        CHECK(text_at(r, "/metadata/persistence/reason")[0] != '\0');
        json_decref(r);
    }
    unlink(folder);
    kith_free(k);
}

struct several {
    const char *folder, *request;
};

/* Each with a context of its own, as processes that share a folder have. */
static kith_err run_one_of_several(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct several *s = arg;
    (void)worker;
    for (int64_t j = begin; j < end; j++) {
        kith *k;
        char *result = NULL;
        const kith_run_options o = { .model_folder = s->folder };
        CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &k));
        CHECK_OK(kith_run(k, s->request, strlen(s->request), &o, &result));
        CHECK(strstr(result, "\"warnings\"") == NULL);
        kith_string_free(result);
        kith_free(k);
    }
    return KITH_OK;
}

TEST(runs_that_keep_the_same_model_at_once_do_not_disturb_each_other)
{
    char folder[256];
    ki_pool *pool = NULL;
    kith *k;
    snprintf(folder, sizeof folder, "%s", scratch_path("models"));
    struct several several = { folder, with("") };
    CHECK_OK(ki_pool_new(4, &pool));
    CHECK_OK(ki_parallel_for(pool, 16, 1, run_one_of_several, &several));
    ki_pool_free(pool);
    CHECK_OK(kith_new(NULL, &k));
    const kith_run_options o = { .model_folder = folder };
    json_t *r = run_with(k, with(""), &o, KITH_OK);
    CHECK(json_is_true(at(r, "/metadata/persistence/loaded")));
    unlink(text_at(r, "/metadata/persistence/path"));
    CHECK(rmdir(folder) == 0); /* empty: no temporary file was left */
    json_decref(r);
    kith_free(k);
}

TEST(a_reordered_column_has_the_same_cells_elsewhere)
{
    static const char *const cells[] = { "a|b", "", "c", "b|c|d" };
    static const int64_t order[] = { 3, 0, 1, 2 };
    static const int kinds[] = { KI_COL_SET, KI_COL_TEXT, KI_COL_CATEGORY };
    for (size_t kind = 0; kind < KI_COUNT(kinds); kind++) {
        ki_column c = { 0 }, moved = { 0 };
        char was[64], is[64];
        CHECK_OK(ki_column_from_strings(&c, "x", 4, cells, kinds[kind], '|'));
        CHECK_OK(ki_column_reorder(&moved, &c, 4, order));
        for (int32_t r = 0; r < 4; r++) {
            ki_column_print(&c, (int32_t)order[r], was, sizeof was);
            ki_column_print(&moved, r, is, sizeof is);
            CHECK_STR(is, was);
        }
        ki_column_clear(&c);
        ki_column_clear(&moved);
    }
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- a thousand requests that went wrong ---- */

static void mutate(ki_rng *rng, char *text, size_t *n)
{
    static const char *const pieces[] = { "null",  "-1",
                                          "1e400", "[]",
                                          "{}",    "\"\"",
                                          "true",  "\"x\"",
                                          ",",     "}",
                                          "]",     ":",
                                          "0",     "\\u0000",
                                          "\xff",  "99999999999999999999",
                                          "[[[[",  "\"recommendation_data\"" };
    const int times = 1 + (int)ki_rng_below(rng, 2);
    for (int j = 0; j < times; j++) {
        if (ki_rng_below(rng, 2)) {
            text[ki_rng_below(rng, (uint32_t)*n)] ^= (char)(1 << ki_rng_below(rng, 7));
            continue;
        }
        const char *piece = pieces[ki_rng_below(rng, KI_COUNT(pieces))];
        const size_t m = strlen(piece), from = ki_rng_below(rng, (uint32_t)*n), cut = ki_rng_below(rng, 12);
        const size_t gone = KI_MIN(cut, *n - from);
        memmove(text + from + m, text + from + gone, *n - from - gone);
        memcpy(text + from, piece, m);
        *n = *n - gone + m;
    }
}

TEST(a_thousand_mutated_requests_give_a_result_or_a_named_error)
{
    static char text[40000];
    kith *k;
    json_t *schema = ki_schema_response();
    int served = 0;
    CHECK_OK(kith_new(&(kith_options){ .threads = 1, .memory_bytes = (size_t)256 << 20 }, &k));
    const int64_t live = ki_alloc_live();
    const kith_run_options o = { .no_files = 1, .model_folder = "" };
    for (uint64_t j = 0; j < 1000; j++) {
        ki_rng rng = ki_rng_make(42, 0x746f6f6c, j);
        const char *seed = j % 4 == 0 ? with(",\"training_configuration\":{\"cross_validation\":false}") : minimal;
        size_t n = strlen(seed);
        char *result = NULL;
        memcpy(text, seed, n);
        mutate(&rng, text, &n);
        const kith_err err = kith_run(k, text, n, &o, &result);
        ck_assert_msg(result != NULL, "request %d", (int)j);
        json_t *r = json_loads(result, 0, NULL);
        ck_assert_msg(r != NULL, "request %d: %.200s", (int)j, result);
        ki_findings f = { 0 };
        if (err == KITH_OK) ki_verify(schema, r, NULL, &f);
        ck_assert_msg(f.n_violations == 0, "request %d: %.400s", (int)j, result);
        ck_assert_msg(err == KITH_OK || text_at(r, "/error/type")[0] != '\0', "request %d", (int)j);
        served += err == KITH_OK;
        ki_findings_clear(&f);
        json_decref(r);
        kith_string_free(result);
        CHECK_INT(ki_alloc_live(), live);
    }
    ck_assert_msg(served > 50 && served < 950, "%d served", served); /* both ways were walked */
    json_decref(schema);
    kith_free(k);
}
