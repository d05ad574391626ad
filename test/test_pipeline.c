/* SPDX-License-Identifier: MIT
 * test_pipeline.c -- stages of a pipeline over a small shop whose right answers are seen by eye
 */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "engine/pipeline.h"

#include <stdlib.h>

enum { USERS = 30, ITEMS = 24, ROWS = 400 };

static kith *k;
static kith_data *d;
static kith_model *m;

/* Items i0..i23: kind a, b or c in turn; the last two are never bought. */
static void begin(const char *model)
{
    static char names[ROWS][2][8];
    static const char *u[ROWS], *i[ROWS], *cells[ITEMS + 2];
    static const char *const kinds[] = { "a", "b", "c" };
    ki_rng r = ki_rng_make(9, 0, 0);
    ki_column c;
    for (int t = 0; t < ROWS; t++) {
        snprintf(names[t][0], 8, "u%d", t % USERS);
        snprintf(names[t][1], 8, "i%d", t < ITEMS ? t : (int)(ITEMS * ki_rng_unit(&r) * ki_rng_unit(&r)));
        u[t] = names[t][0];
        i[t] = names[t][1];
    }
    CHECK_OK(kith_new(&(kith_options){ .seed = 1 }, &k));
    CHECK_OK(kith_data_new(k, ROWS, u, i, NULL, NULL, &d));
    int32_t at;
    CHECK_OK(ki_idmap_add(&d->items, "new1", 4, &at));
    CHECK_OK(ki_idmap_add(&d->items, "new2", 4, &at));
    for (int j = 0; j < ITEMS + 2; j++) cells[j] = kinds[j % 3];
    CHECK_OK(ki_column_from_strings(&c, "kind", ITEMS + 2, cells, KI_COL_CATEGORY, 0));
    d->item_attrs.n_rows = ITEMS + 2;
    CHECK_OK(ki_table_append(&d->item_attrs, &c));
    CHECK_OK(kith_train(k, d, model, NULL, 0, &m));
}

static void finish(void)
{
    kith_model_free(m);
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

static const ki_env env = { .now = 0 };

static ki_schema schema(void)
{
    return (ki_schema){ .items = &m->items, .table = &m->item_attrs, .popularity = m->popularity };
}

static ki_pipeline pipeline(const char *text)
{
    ki_pipeline p;
    const ki_schema s = schema();
    json_t *config = json_loads(text, 0, NULL);
    CHECK(config != NULL);
    CHECK_OK(ki_pipeline_read(&s, config, &p, NULL));
    json_decref(config);
    return p;
}

static kith_err run_seeded(const ki_pipeline *p, const ki_query *q, int n, uint64_t seed, ki_served *s)
{
    const ki_task task = { .query = q, .n = n, .seed = seed, .env = &env };
    return ki_pipeline_run(p, m, &task, s);
}

static ki_served run(const char *text, const ki_query *q, int n)
{
    ki_served s;
    ki_pipeline p = pipeline(text);
    CHECK_OK(run_seeded(&p, q, n, 1, &s));
    ki_pipeline_clear(&p);
    return s;
}

TEST(no_stages_are_the_models_own_list)
{
    begin("item-knn");
    for (int32_t u = 0; u < 5; u++) {
        int32_t items[6], count;
        float scores[6];
        const ki_query q = ki_query_user(&m->core, u);
        ki_served s = run("{}", &q, 6);
        CHECK_OK(kith_recommend_batch(k, m, &u, 1, 6, items, scores, &count));
        CHECK_INT(s.n, count);
        for (int j = 0; j < s.n; j++) {
            CHECK_INT(s.items[j], items[j]);
            CHECK(s.scores[j] == scores[j] && s.sources[j] == 0 && s.propensity[j] == 1);
        }
        ki_served_clear(&s);
    }
    finish();
}

TEST(sources_fill_their_quotas_and_are_named)
{
    begin("popularity");
    const ki_query q = { .user = -1 };
    ki_served s =
        run("{\"retrieve\": [{\"from\": \"popular\", \"quota\": 3}, {\"from\": \"model\", \"quota\": 5}]}", &q, 10);
    CHECK_INT(s.n_retrieved[0], 3);
    CHECK_INT(s.n_retrieved[1], 5);
    CHECK_INT(s.n, 5); /* the same items: popularity is the model */
    for (int j = 0; j < s.n; j++) CHECK_INT(s.sources[j], j < 3 ? 3 : 2);
    ki_served_clear(&s);
    finish();
}

TEST(what_is_struck_out_takes_no_place_in_a_quota)
{
    begin("popularity");
    int32_t only[ITEMS], n = 0;
    for (int32_t i = 0; i < ITEMS; i += 3) only[n++] = i;
    const ki_query q = { .user = -1, .only = only, .n_only = n, .skip = only, .n_skip = 1 };
    ki_served s = run("{\"retrieve\": [{\"from\": \"popular\", \"quota\": 4}]}", &q, 10);
    CHECK_INT(s.n, 4);
    for (int j = 0; j < s.n; j++) CHECK(s.items[j] % 3 == 0 && s.items[j] != 0);
    ki_served_clear(&s);
    finish();
}

TEST(similar_items_are_a_source)
{
    begin("item-knn");
    const ki_query q = ki_query_user(&m->core, 2);
    ki_served s = run("{\"retrieve\": [{\"from\": \"similar\", \"item\": \"i3\", \"quota\": 4}]}", &q, 10);
    CHECK(s.n > 0 && s.n <= 4);
    ki_served_clear(&s);
    s = run("{\"retrieve\": [{\"from\": \"similar\", \"quota\": 6}]}", &q, 10);
    CHECK(s.n > 0 && s.n <= 6);
    ki_served_clear(&s);
    const ki_pipeline p = pipeline("{\"retrieve\": [{\"from\": \"similar\", \"item\": \"nothing\"}]}");
    CHECK_FAILS(run_seeded(&p, &q, 3, 1, &s), KITH_ENOTFOUND, "nothing");
    finish();
}

TEST(mmr_over_the_usual_column_mixes_kinds)
{
    begin("popularity");
    const ki_query q = { .user = -1 };
    ki_served s = run("{\"diversity\": {\"method\": \"mmr\", \"trade_off\": 0}}", &q, 3);
    CHECK_INT(s.n, 3);
    CHECK(s.items[0] % 3 != s.items[1] % 3 && s.items[1] % 3 != s.items[2] % 3 && s.items[0] % 3 != s.items[2] % 3);
    ki_served_clear(&s);
    finish();
}

TEST(calibrated_lists_follow_the_history)
{
    begin("popularity");
    const int32_t history[] = { 1, 4, 7 }; /* kind b alone */
    const float values[] = { 1, 1, 1 };
    const ki_query q = { .user = -1, .items = history, .values = values, .n = 3, .skip = history, .n_skip = 3 };
    ki_served s = run("{\"diversity\": {\"method\": \"calibrated\", \"trade_off\": 0, \"column\": \"kind\"}}", &q, 4);
    CHECK_INT(s.n, 4);
    for (int j = 0; j < 4; j++) CHECK_INT(s.items[j] % 3, 1);
    ki_served_clear(&s);
    finish();
}

TEST(drawn_places_have_their_chance_beside_them)
{
    begin("popularity");
    enum { DRAWS = 4000, N = 4 };
    int seen[ITEMS] = { 0 };
    const ki_query q = { .user = -1 };
    const ki_pipeline p = pipeline("{\"depth\": 12, \"explore\": {\"slots\": 2}}");
    ki_served plain = run("{\"depth\": 12}", &q, 12);
    for (int t = 0; t < DRAWS; t++) {
        ki_served s;
        CHECK_OK(run_seeded(&p, &q, N, (uint64_t)t, &s));
        CHECK_INT(s.n, N);
        for (int j = 0; j < N; j++) {
            CHECK(s.propensity[j] == (j < 2 ? 1 : .2)); /* two of the ten that are left */
            if (j < 2) CHECK_INT(s.items[j], plain.items[j]);
            if (j >= 2) seen[s.items[j]]++;
        }
        CHECK(s.items[2] != s.items[3]);
        ki_served_clear(&s);
    }
    for (int j = 2; j < 12; j++) /* 800 each; four standard deviations are 101 */
        CHECK_NEAR(seen[plain.items[j]], DRAWS * .2, 101);
    ki_served_clear(&plain);
    finish();
}

TEST(every_violation_is_listed_with_its_pointer)
{
    begin("popularity");
    ki_pipeline p;
    static ki_violations found;
    const ki_schema all = schema();
    json_t *config =
        json_loads("{\"retrieve\": [{\"from\": \"moon\"}, {\"quota\": 0}], \"depth\": \"deep\","
                   " \"diversity\": {\"trade_off\": 2}, \"colour\": 1, \"rules\": {\"filter\": \"kind = \"}}",
                   0, NULL);
    CHECK_FAILS(ki_pipeline_read(&all, config, &p, &found), KITH_EINVAL, "/colour");
    static const char *const want[] = { "/colour", "/retrieve/0/from",     "/retrieve/1/from", "/retrieve/1/quota",
                                        "/depth",  "/diversity/trade_off", "/rules/filter" };
    CHECK_INT(found.n, (int)KI_COUNT(want));
    for (size_t j = 0; j < KI_COUNT(want); j++) CHECK_STR(found.list[j].pointer, want[j]);
    json_decref(config);
    finish();
}

TEST(rules_lift_pin_and_cap)
{
    begin("popularity");
    const ki_query q = { .user = -1 };
    ki_served plain = run("{}", &q, 6);
    ki_served s = run("{\"rules\": {\"prefer\": [{\"when\": \"kind = 'c'\", \"add\": 1000}],"
                      " \"pin\": [{\"item\": \"i23\", \"at\": 2}], \"cap\": [{\"column\": \"kind\", \"at_most\": 3}]}}",
                      &q, 6);
    int n[3] = { 0 };
    CHECK_INT(s.n, 6);
    CHECK_INT(s.items[0] % 3, 2);
    CHECK_INT(s.items[1], 23);
    for (int j = 0; j < s.n; j++) n[s.items[j] % 3]++;
    CHECK(n[0] <= 3 && n[1] <= 3 && n[2] == 3); /* c is lifted, and stops at its cap */
    CHECK(isfinite(s.scores[1]));
    ki_served_clear(&s);
    /* the same with diversity between: the pin stands, the cap holds */
    s = run("{\"diversity\": {\"method\": \"mmr\", \"trade_off\": 0.5}, \"rules\": {\"pin\": [{\"item\": \"i23\", "
            "\"at\": 2}],"
            " \"cap\": [{\"column\": \"kind\", \"at_most\": 2}]}}",
            &q, 6);
    CHECK_INT(s.items[0], plain.items[0]);
    CHECK_INT(s.items[1], 23);
    CHECK_INT(s.n, 6);
    n[0] = n[1] = n[2] = 0;
    for (int j = 0; j < s.n; j++) n[s.items[j] % 3]++;
    CHECK(n[0] == 2 && n[1] == 2 && n[2] == 2);
    for (int j = 2; j < s.n; j++) CHECK(s.scores[j] == (float)m->reach[s.items[j]]);
    ki_served_clear(&s);
    ki_served_clear(&plain);
    finish();
}

TEST(a_pin_that_must_not_be_served_is_not_served)
{
    begin("popularity");
    const int32_t skip[] = { 23 };
    const ki_query q = { .user = -1, .skip = skip, .n_skip = 1 };
    ki_served s = run("{\"rules\": {\"pin\": [{\"item\": \"i23\", \"at\": 1}]}}", &q, 30);
    CHECK(s.n > 0);
    for (int j = 0; j < s.n; j++) CHECK(s.items[j] != 23);
    ki_served_clear(&s);
    finish();
}

TEST(parts_and_columns_that_are_not_there_are_refused)
{
    begin("popularity");
    const ki_query q = { .user = -1 };
    ki_served s;
    ki_pipeline p = pipeline("{\"rank\": {\"by\": \"ials\"}}");
    CHECK_FAILS(run_seeded(&p, &q, 3, 1, &s), KITH_ENOTFOUND, "no part \"ials\"");
    p = pipeline("{\"diversity\": {\"method\": \"mmr\", \"column\": \"colour\"}}");
    CHECK_FAILS(run_seeded(&p, &q, 3, 1, &s), KITH_ENOTFOUND, "colour");
    finish();
}

TEST(a_pipeline_survives_failing_allocations)
{
    begin("item-knn");
    const ki_query q = ki_query_user(&m->core, 1);
    const ki_pipeline p = pipeline("{\"retrieve\": [{\"from\": \"model\"}, {\"from\": \"similar\"}],"
                                   " \"diversity\": {\"method\": \"calibrated\"}, \"explore\": {\"slots\": 1}}");
    const int64_t live = ki_alloc_live();
    ki_served s = { 0 };
    int at = 1;
    for (kith_err err = KITH_ENOMEM; err != KITH_OK && at < 200; at++) {
        ki_alloc_fail_at(at, 0);
        err = run_seeded(&p, &q, 4, 1, &s);
        ki_alloc_fail_at(0, 0);
        CHECK(err == KITH_OK || err == KITH_ENOMEM);
        if (err != KITH_OK) CHECK_INT(ki_alloc_live(), live);
    }
    CHECK(at < 200 && s.n == 4);
    ki_served_clear(&s);
    finish();
}
