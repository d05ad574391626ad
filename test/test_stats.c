/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "data/dataset.h"

#include <jansson.h>

/* A log under construction: enough rows for every case below. */
enum { MAX_ROWS = 8000 };
struct rows {
    size_t n;
    char text[2 * MAX_ROWS][24];
    const char *users[MAX_ROWS], *items[MAX_ROWS];
    float values[MAX_ROWS];
    int64_t times[MAX_ROWS];
};
static struct rows rows;

static const int64_t noon = 1700000000; /* 2023-11-14T22:13:20Z */

static void add_row(const char *user, const char *item, float value, int64_t time)
{
    snprintf(rows.text[2 * rows.n], sizeof rows.text[0], "%s", user);
    snprintf(rows.text[2 * rows.n + 1], sizeof rows.text[0], "%s", item);
    rows.users[rows.n] = rows.text[2 * rows.n];
    rows.items[rows.n] = rows.text[2 * rows.n + 1];
    rows.values[rows.n] = value;
    rows.times[rows.n++] = time;
}

static void add_numbered(int u, int i, float value, int64_t time)
{
    char user[24], item[24];
    snprintf(user, sizeof user, "u%d", u);
    snprintf(item, sizeof item, "i%d", i);
    add_row(user, item, value, time);
}

/* 60 users with 6 items each of 120, nothing wrong with any of it: every test of a finding adds to this. */
static void add_sound_rows(void)
{
    for (int u = 0; u < 60; u++)
        for (int j = 0; j < 6; j++)
            add_numbered(u, (u * 7 + j * (j + u % 5 + 1)) % 120, (float)(1 + (u + j) % 5), noon + u * 1000 + j * 61);
}

static kith_data *make(kith *k, int with_values, int with_times)
{
    kith_data *d;
    CHECK_OK(kith_data_new(k, rows.n, rows.users, rows.items, with_values ? rows.values : NULL,
                           with_times ? rows.times : NULL, &d));
    return d;
}

static json_t *stats_of(kith *k, const kith_data *d)
{
    char *text;
    CHECK_OK(kith_data_stats(k, d, &text));
    json_t *stats = json_loads(text, 0, NULL);
    CHECK(stats != NULL);
    kith_string_free(text);
    return stats;
}

static json_t *stats_of_rows(int with_values, int with_times)
{
    kith *k;
    CHECK_OK(kith_new(NULL, &k));
    kith_data *d = make(k, with_values, with_times);
    json_t *stats = stats_of(k, d);
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
    return stats;
}

/* The value at a path such as "counts.users" or "long_tail.top.3.share". */
static const json_t *at(const json_t *j, const char *path)
{
    char copy[128], *save = NULL;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strtok_r(copy, ".", &save); key != NULL; key = strtok_r(NULL, ".", &save))
        j = json_is_array(j) ? json_array_get(j, (size_t)atoi(key)) : json_object_get(j, key);
    ck_assert_msg(j != NULL, "no field %s", path);
    return j;
}

static double number(const json_t *j, const char *path)
{
    CHECK(json_is_number(at(j, path)));
    return json_number_value(at(j, path));
}

static const char *finding(const json_t *stats, const char *code)
{
    size_t index;
    json_t *entry;
    json_array_foreach (json_object_get(stats, "suspicious"), index, entry) {
        if (strcmp(json_string_value(json_object_get(entry, "code")), code) == 0)
            return json_string_value(json_object_get(entry, "text"));
    }
    return NULL;
}

static void expect_only(const json_t *stats, const char *code, const char *words)
{
    const char *text = finding(stats, code);
    ck_assert_msg(text != NULL, "no finding %s", code);
    ck_assert_msg(strstr(text, words) != NULL, "\"%s\" does not say \"%s\"", text, words);
    CHECK_INT((int)json_array_size(json_object_get(stats, "suspicious")), 1);
}

/* ---- figures */

TEST(every_figure_of_a_tiny_log_is_as_counted_by_hand)
{
    add_row("ann", "x", 5, noon);
    add_row("ann", "y", 3, noon + 86400);
    add_row("bob", "x", 4, noon + 100);
    add_row("bob", "x", 1, noon + 50); /* the earlier of the two goes */
    add_row("cleo", "x", 1, noon + 10);
    add_row("cleo", "z", 2, noon + 20);
    json_t *s = stats_of_rows(1, 1);
    CHECK_STR(json_string_value(at(s, "source")), "memory");
    CHECK_INT((int)strlen(json_string_value(at(s, "fingerprint"))), 16);
    CHECK_NEAR(number(s, "counts.users"), 3, 0);
    CHECK_NEAR(number(s, "counts.items"), 3, 0);
    CHECK_NEAR(number(s, "counts.interactions"), 5, 0);
    CHECK_NEAR(number(s, "counts.items_without_interactions"), 0, 0);
    CHECK_NEAR(number(s, "density"), 5.0 / 9, 1e-8); /* printed with nine digits, here and below */
    CHECK_NEAR(number(s, "per_user.min"), 1, 0);
    CHECK_NEAR(number(s, "per_user.median"), 2, 0);
    CHECK_NEAR(number(s, "per_user.mean"), 5.0 / 3, 1e-8);
    CHECK_NEAR(number(s, "per_user.max"), 2, 0);
    CHECK_NEAR(number(s, "per_user.under_5"), 3, 0);
    CHECK_NEAR(number(s, "per_item.median"), 1, 0);
    CHECK_NEAR(number(s, "per_item.max"), 3, 0);
    CHECK_STR(json_string_value(at(s, "values.kind")), "ratings");
    CHECK_NEAR(number(s, "values.mean"), 3, 0);
    CHECK_NEAR(number(s, "values.distinct"), 5, 0);
    CHECK_NEAR(number(s, "values.step"), 1, 0);
    CHECK_NEAR(number(s, "values.histogram.4.value"), 5, 0);
    CHECK_NEAR(number(s, "values.histogram.4.count"), 1, 0);
    CHECK_STR(json_string_value(at(s, "times.first")), "2023-11-14T22:13:20Z");
    CHECK_STR(json_string_value(at(s, "times.last")), "2023-11-15T22:13:20Z");
    CHECK_NEAR(number(s, "times.span_days"), 1, 0);
    CHECK_NEAR(number(s, "duplicates.merged"), 1, 0);
    CHECK_STR(json_string_value(at(s, "duplicates.policy")), "last");
    CHECK(json_is_null(at(s, "lines.first_skipped")));
    CHECK_INT((int)json_array_size(at(s, "suspicious")), 0);
    json_decref(s);
}

/* Ten items with counts 1, 1, 1, 1, 1, 1, 1, 1, 2, 10: N = 20. */
TEST(the_long_tail_is_as_computed_by_hand)
{
    for (int u = 0; u < 10; u++) add_numbered(u, 0, 1, 0);
    for (int u = 0; u < 2; u++) add_numbered(u, 1, 1, 0);
    for (int i = 2; i < 10; i++) add_numbered(i, i, 1, 0);
    json_t *s = stats_of_rows(0, 0);
    CHECK_NEAR(number(s, "long_tail.top.0.items"), 1, 0); /* 1% of ten, rounded up */
    CHECK_NEAR(number(s, "long_tail.top.0.share"), 0.5, 0);
    CHECK_NEAR(number(s, "long_tail.top.3.items"), 2, 0);
    CHECK_NEAR(number(s, "long_tail.top.3.share"), 0.6, 1e-8);
    CHECK_NEAR(number(s, "long_tail.top.4.share"), 0.75, 0);
    CHECK_NEAR(number(s, "long_tail.items_for_80_percent"), 6, 0); /* 10 + 2 + 4 x 1 = 16 of 20 */
    /* sum (2i - 11) x_i = -9 -7 -5 -3 -1 +1 +3 +5 + 2 x 7 + 10 x 9 = 88; 88 / (10 x 20) */
    CHECK_NEAR(number(s, "long_tail.gini"), 0.44, 1e-8);
    CHECK_STR(json_string_value(at(s, "values.kind")), "events");
    CHECK(json_is_null(at(s, "times")));
    json_decref(s);
}

TEST(more_than_twenty_values_are_shown_in_ten_bins)
{
    for (int j = 0; j < 101; j++) add_numbered(j, j % 7, (float)j, 0);
    json_t *s = stats_of_rows(1, 0);
    CHECK(json_is_null(at(s, "values.distinct")) && json_is_null(at(s, "values.step")));
    CHECK_INT((int)json_array_size(at(s, "values.histogram")), 10);
    CHECK_NEAR(number(s, "values.histogram.0.count"), 10, 0);
    CHECK_NEAR(number(s, "values.histogram.9.from"), 90, 0);
    CHECK_NEAR(number(s, "values.histogram.9.to"), 100, 0);
    CHECK_NEAR(number(s, "values.histogram.9.count"), 11, 0); /* 90 to 100, the end included */
    json_decref(s);
}

TEST(half_stars_have_a_step_of_one_half_and_uneven_values_none)
{
    const float halves[] = { 0.5f, 1, 2.5f, 5 }, uneven[] = { 1, 2, 4.7f };
    for (int j = 0; j < 4; j++) add_numbered(j, j, halves[j], 0);
    json_t *s = stats_of_rows(1, 0);
    CHECK_NEAR(number(s, "values.step"), 0.5, 0);
    json_decref(s);
    rows.n = 0;
    for (int j = 0; j < 3; j++) add_numbered(j, j, uneven[j], 0);
    s = stats_of_rows(1, 0);
    CHECK(json_is_null(at(s, "values.step")));
    json_decref(s);
}

TEST(an_empty_log_has_figures_of_zero)
{
    json_t *s = stats_of_rows(0, 0);
    CHECK_NEAR(number(s, "density"), 0, 0);
    CHECK_NEAR(number(s, "per_item.mean"), 0, 0);
    CHECK_NEAR(number(s, "long_tail.gini"), 0, 0);
    CHECK_INT((int)json_array_size(at(s, "values.histogram")), 0);
    json_decref(s);
}

/* ---- attributes */

static kith_err number_column(ki_table *t, const char *name, int32_t n, const double *cells)
{
    ki_column c = { .kind = KI_COL_NUMBER };
    CHECK_OK(ki_strdup(&c.name, name));
    CHECK_OK(ki_alloc(&c.number, (size_t)n, sizeof *c.number));
    memcpy(c.number, cells, (size_t)n * sizeof *cells);
    t->n_rows = n;
    return ki_table_append(t, &c);
}

TEST(attributes_tell_kind_missing_and_distinct)
{
    const double years[] = { 1994, NAN, 1994, 2001 };
    kith *k;
    CHECK_OK(kith_new(NULL, &k));
    for (int i = 0; i < 4; i++) add_numbered(i % 2, i, 1, 0);
    kith_data *d = make(k, 0, 0);
    CHECK_OK(number_column(&d->item_attrs, "year", 4, years));
    json_t *s = stats_of(k, d);
    CHECK_INT((int)json_array_size(at(s, "attributes.users")), 0);
    CHECK_STR(json_string_value(at(s, "attributes.items.0.column")), "year");
    CHECK_STR(json_string_value(at(s, "attributes.items.0.kind")), "number");
    CHECK_NEAR(number(s, "attributes.items.0.missing"), 1, 0);
    CHECK_NEAR(number(s, "attributes.items.0.distinct"), 2, 0);
    json_decref(s);
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_catalogue_that_does_not_match_is_suspicious)
{
    double years[120];
    kith *k;
    CHECK_OK(kith_new(NULL, &k));
    add_sound_rows();
    kith_data *d = make(k, 1, 1);
    for (int j = 0; j < 120; j++) years[j] = j < 50 ? 1990 : NAN;
    CHECK_OK(number_column(&d->item_attrs, "year", d->items.n, years));
    json_t *s = stats_of(k, d);
    expect_only(s, "unmatched_items", "have no attributes");
    json_decref(s);
    kith_data_free(d);
    kith_free(k);
}

/* ---- suspicious things */

TEST(sound_data_raises_no_suspicion)
{
    add_sound_rows();
    json_t *s = stats_of_rows(1, 1);
    CHECK_INT((int)json_array_size(at(s, "suspicious")), 0);
    json_decref(s);
}

TEST(a_user_with_over_five_percent_is_suspicious)
{
    add_sound_rows();
    for (int i = 0; i < 30; i++) add_numbered(999, i * 4, 3, noon + i * 100);
    json_t *s = stats_of_rows(1, 1);
    expect_only(s, "heavy_user", "user \"u999\" holds 7.7%"); /* 30 of 390 */
    json_decref(s);
}

TEST(an_item_with_over_ten_percent_is_suspicious)
{
    add_sound_rows();
    for (int u = 0; u < 60; u++) add_numbered(u, 999, 3, noon + u);
    json_t *s = stats_of_rows(1, 1);
    expect_only(s, "heavy_item", "item \"i999\" holds 14.3%"); /* 60 of 420 */
    json_decref(s);
}

TEST(a_user_of_the_whole_catalogue_is_suspicious)
{
    for (int u = 0; u < 25; u++)
        for (int j = 0; j < 6; j++) add_numbered(u, (u + j * j) % 25, (float)(1 + j % 5), noon + u * 1000 + j);
    for (int i = 0; i < 25; i++) add_numbered(77, i, 1, noon + i);
    json_t *s = stats_of_rows(1, 1);
    expect_only(s, "whole_catalogue", "(first: \"u77\")");
    json_decref(s);
}

TEST(users_with_the_same_history_are_suspicious)
{
    add_sound_rows();
    for (int j = 5; j >= 0; j--) add_numbered(500, j * 11, 3, noon + j);
    for (int j = 0; j < 6; j++) add_numbered(501, j * 11, 4, noon + 7 * j);
    json_t *s = stats_of_rows(1, 1);
    CHECK(strstr(finding(s, "identical_histories"), "1 user has exactly") != NULL);
    expect_only(s, "identical_histories", "(such as \"u500\" and \"u501\")");
    json_decref(s);
}

TEST(values_that_are_all_the_same_but_not_one_are_suspicious)
{
    add_sound_rows();
    for (size_t j = 0; j < rows.n; j++) rows.values[j] = 7;
    json_t *s = stats_of_rows(1, 1);
    expect_only(s, "equal_values", "all values are 7");
    json_decref(s);
}

TEST(a_value_far_off_the_scale_is_suspicious_and_counts_are_not)
{
    add_sound_rows();
    rows.values[17] = 99;
    json_t *s = stats_of_rows(1, 1);
    expect_only(s, "outside_scale", "1 of 360 values lie far outside the scale 1 to 5 (first: 99)");
    json_decref(s);
    for (size_t j = 0; j < rows.n; j++) rows.values[j] = (float)(1 + 720 / (j + 2)); /* play counts: 361, 241, ... */
    s = stats_of_rows(1, 1);
    CHECK_INT((int)json_array_size(at(s, "suspicious")), 0);
    json_decref(s);
}

TEST(equal_times_are_suspicious)
{
    add_sound_rows();
    for (size_t j = 0; j < rows.n; j++) rows.times[j] = noon;
    json_t *s = stats_of_rows(1, 1);
    expect_only(s, "equal_times", "1700000000");
    json_decref(s);
}

TEST(times_in_milliseconds_before_1990_or_in_the_future_are_suspicious)
{
    add_sound_rows();
    rows.times[0] = 4102444800; /* 2100-01-01 */
    json_t *s = stats_of_rows(1, 1);
    expect_only(s, "future_times", "1 of 360");
    json_decref(s);
    rows.times[0] = 0;
    s = stats_of_rows(1, 1);
    expect_only(s, "old_times", "1 of 360");
    json_decref(s);
    for (size_t j = 0; j < rows.n; j++) rows.times[j] = (noon + (int64_t)j) * 1000;
    s = stats_of_rows(1, 1);
    expect_only(s, "millisecond_times", "360 of 360");
    CHECK(json_is_null(at(s, "times.first")));
    json_decref(s);
}

TEST(times_that_are_all_midnights_are_suspicious)
{
    add_sound_rows();
    for (size_t j = 0; j < rows.n; j++) rows.times[j] = 1699920000 + 86400 * (int64_t)(j % 9);
    json_t *s = stats_of_rows(1, 1);
    expect_only(s, "day_times", "midnights");
    json_decref(s);
}

TEST(fifty_interactions_within_a_second_are_suspicious)
{
    for (int u = 0; u < 400; u++)
        for (int j = 0; j < 6; j++) add_numbered(u, (u * 7 + j * (j + u % 11 + 1)) % 601, 1, noon + u * 1000 + j * 61);
    for (int i = 0; i < 49; i++) add_numbered(998, i * 4, 1, noon + 5);
    json_t *s = stats_of_rows(0, 1);
    CHECK(finding(s, "burst") == NULL);
    json_decref(s);
    for (int i = 0; i < 50; i++) add_numbered(999, i * 5, 1, noon + 5);
    s = stats_of_rows(0, 1);
    expect_only(s, "burst", "1 user has 50 or more interactions within one second (user \"u999\": 50)");
    json_decref(s);
}

TEST(ids_that_look_alike_are_suspicious)
{
    add_sound_rows();
    add_row("U3", "i4", 3, noon);
    add_row("u4", "i 5", 3, noon);
    json_t *s = stats_of_rows(1, 1);
    CHECK_INT((int)json_array_size(at(s, "suspicious")), 2);
    CHECK(strstr(finding(s, "lookalike_users"), "(\"u3\" and \"U3\")") != NULL);
    CHECK(strstr(finding(s, "lookalike_items"), "(\"i5\" and \"i 5\")") != NULL);
    json_decref(s);
}

TEST(ids_that_are_not_utf8_still_give_json)
{
    add_row("caf\xe9", "x", 1, noon);
    add_row("CAF\xe9", "x", 2, noon + 1);
    json_t *s = stats_of_rows(1, 1);
    CHECK(strstr(finding(s, "lookalike_users"), "\"caf?\" and \"CAF?\"") != NULL);
    json_decref(s);
}

TEST(stats_survive_the_failure_of_every_allocation)
{
    kith *k;
    char *text = NULL;
    kith_err err = KITH_ENOMEM;
    CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &k)); /* threads that start allocate when they like */
    add_sound_rows();
    kith_data *d = make(k, 1, 1);
    const int64_t live = ki_alloc_live();
    for (int64_t n = 1; err != KITH_OK; n++) {
        ki_alloc_fail_at(n, 0);
        err = kith_data_stats(k, d, &text);
        ki_alloc_fail_at(0, 0);
        CHECK(err == KITH_OK || (err == KITH_ENOMEM && ki_alloc_live() == live));
        CHECK(n < 1000);
    }
    kith_string_free(text);
    CHECK_FAILS(kith_data_stats(k, NULL, &text), KITH_EINVAL, "must not be NULL");
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}
