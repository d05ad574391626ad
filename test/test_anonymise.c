/* SPDX-License-Identifier: MIT
 * test_anonymise.c -- what leaves the house: names, columns, and the risk that is left
 */
#include "test.h"

#include "base/mem.h"
#include "data/anonymise.h"

static const unsigned char key[] = "a secret of more than 16 bytes";
static const unsigned char other[] = "another secret, as long as it is";

static kith *k;
static kith_data *d;

/* Six users; age, zip and a name. */
static void begin(void)
{
    static const char *const users[] = { "ann", "bob", "cem", "dee", "eli", "fay" };
    static const char *const items[] = { "x", "y", "x", "y", "x", "y" };
    static const int64_t times[] = { 86399, 86400, -1, 0, 100000, 172800 };
    static const char *const age[] = { "31", "34", "39", "40", "49", NULL };
    static const char *const zip[] = { "19103", "19103", "19147", "19103", "19147", "19147" };
    static const char *const names[] = { "Ann A.", "Bob B.", "Cem C.", "Dee D.", "Eli E.", "Fay F." };
    ki_column c;
    CHECK_OK(kith_new(NULL, &k));
    CHECK_OK(kith_data_new(k, 6, users, items, NULL, times, &d));
    d->user_attrs.n_rows = 6;
    CHECK_OK(ki_column_from_strings(&c, "age", 6, age, KI_COL_NUMBER, 0));
    CHECK_OK(ki_table_append(&d->user_attrs, &c));
    CHECK_OK(ki_column_from_strings(&c, "zip", 6, zip, KI_COL_CATEGORY, 0));
    CHECK_OK(ki_table_append(&d->user_attrs, &c));
    CHECK_OK(ki_column_from_strings(&c, "name", 6, names, KI_COL_TEXT, 0));
    CHECK_OK(ki_table_append(&d->user_attrs, &c));
}

static void finish(void)
{
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

static kith_anonymise_options usual(void)
{
    return (kith_anonymise_options){ .key = key, .key_bytes = sizeof key };
}

static kith_data *run(const kith_anonymise_options *o, json_t **report)
{
    char *text = NULL;
    kith_data *made;
    CHECK_OK(kith_data_anonymise(k, d, o, &made, &text));
    *report = json_loads(text, 0, NULL);
    kith_string_free(text);
    return made;
}

static int number(const json_t *report, const char *name)
{
    return (int)json_integer_value(json_object_get(json_object_get(report, "k_anonymity"), name));
}

static const char *cell(const kith_data *made, const char *column, int32_t row)
{
    static char text[64];
    ki_column_print(ki_table_find(&made->user_attrs, column), row, text, sizeof text);
    return text;
}

TEST(names_are_keyed_and_the_same_under_the_same_key)
{
    begin();
    json_t *report;
    kith_anonymise_options o = usual();
    kith_data *a = run(&o, &report), *b;
    json_decref(report);
    b = run(&o, &report);
    json_decref(report);
    for (int u = 0; u < 6; u++) {
        CHECK_INT((int)strlen(kith_data_user_id(a, u)), 24);
        CHECK_STR(kith_data_user_id(a, u), kith_data_user_id(b, u));
        CHECK(strstr(kith_data_user_id(a, u), kith_data_user_id(d, u)) == NULL);
    }
    CHECK_STR(kith_data_item_id(a, 0), "x");
    kith_data_free(b);
    o.key = other;
    o.key_bytes = sizeof other;
    o.hash_items = 1;
    b = run(&o, &report);
    json_decref(report);
    CHECK(strcmp(kith_data_user_id(a, 0), kith_data_user_id(b, 0)) != 0);
    CHECK_INT((int)strlen(kith_data_item_id(b, 0)), 24);
    CHECK_INT(kith_data_n_interactions(b), 6);
    kith_data_free(a);
    kith_data_free(b);
    finish();
}

TEST(free_text_goes_unless_it_is_kept)
{
    begin();
    json_t *report;
    kith_anonymise_options o = usual();
    kith_data *a = run(&o, &report);
    CHECK(ki_table_find(&a->user_attrs, "name") == NULL);
    CHECK_STR(json_string_value(json_array_get(json_object_get(report, "dropped"), 0)), "name");
    json_decref(report);
    kith_data_free(a);
    o.keep = (const char *const[]){ "name" };
    o.n_keep = 1;
    a = run(&o, &report);
    CHECK_STR(cell(a, "name", 1), "Bob B.");
    json_decref(report);
    kith_data_free(a);
    finish();
}

TEST(coarser_columns_and_what_risk_they_leave)
{
    begin();
    json_t *report;
    kith_anonymise_options o = usual();
    kith_data *a = run(&o, &report);
    CHECK_INT(number(report, "k"), 1); /* every age and zip is one person's */
    CHECK_INT(number(report, "unique"), 6);
    json_decref(report);
    kith_data_free(a);
    o.coarsen = (const char *const[]){ "age=10", "zip=3" };
    o.n_coarsen = 2;
    a = run(&o, &report);
    CHECK_STR(cell(a, "age", 0), "30-39");
    CHECK_STR(cell(a, "age", 3), "40-49");
    CHECK_STR(cell(a, "age", 5), "");
    CHECK_STR(cell(a, "zip", 0), "191*");
    /* three in their thirties, two in their forties, one of no age */
    CHECK_INT(number(report, "groups"), 3);
    CHECK_INT(number(report, "k"), 1);
    CHECK_INT(number(report, "unique"), 1);
    const json_t *relief = json_array_get(json_object_get(json_object_get(report, "k_anonymity"), "relief"), 0);
    CHECK_STR(json_string_value(json_object_get(relief, "drop")), "age");
    CHECK_INT((int)json_integer_value(json_object_get(relief, "k")), 6);
    json_decref(report);
    kith_data_free(a);
    finish();
}

TEST(times_of_events_come_in_steps)
{
    begin();
    json_t *report;
    kith_anonymise_options o = usual();
    o.time_step = 86400;
    kith_data *a = run(&o, &report);
    static const int64_t want[] = { 0, 86400, -86400, 0, 86400, 172800 };
    for (int j = 0; j < 6; j++) CHECK(a->log.time[j] == want[j]);
    json_decref(report);
    kith_data_free(a);
    finish();
}

TEST(wrong_options_are_refused)
{
    begin();
    kith_data *a = NULL;
    kith_anonymise_options o = usual();
    o.key_bytes = 15;
    CHECK_FAILS(kith_data_anonymise(k, d, &o, &a, NULL), KITH_EINVAL, "want 16 to 64");
    static const char *const steps[] = { "age", "age=", "age=-1", "age=ten", "age=year", "height=3", "name=2", "=3" };
    for (size_t j = 0; j < sizeof steps / sizeof steps[0]; j++) {
        o = usual();
        o.keep = (const char *const[]){ "name" };
        o.n_keep = 1;
        o.coarsen = &steps[j];
        o.n_coarsen = 1;
        CHECK_FAILS(kith_data_anonymise(k, d, &o, &a, NULL), KITH_EINVAL, "coarsen");
    }
    o = usual();
    o.drop = (const char *const[]){ "height" };
    o.n_drop = 1;
    CHECK_FAILS(kith_data_anonymise(k, d, &o, &a, NULL), KITH_EINVAL, "drop: users have no column");
    CHECK(a == NULL);
    finish();
}

TEST(data_without_attributes_is_one_group)
{
    begin();
    json_t *report;
    kith_anonymise_options o = usual();
    o.drop = (const char *const[]){ "age", "zip" };
    o.n_drop = 2;
    kith_data *a = run(&o, &report);
    CHECK_INT(number(report, "k"), 6);
    json_decref(report);
    kith_data_free(a);
    finish();
}
