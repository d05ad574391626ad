/* SPDX-License-Identifier: MIT
 * test_param.c -- parameters by name: text and JSON in, the same values out, wrong ones refused
 */
#include "test.h"

#include "base/param.h"

#include <stddef.h>

struct knobs {
    int32_t n, on, way;
    float rate;
    char fields[KI_TEXT_ROOM];
};

static const char *const ways[] = { "left", "right", NULL };

static const ki_param table[] = {
    { "n", KI_INT, offsetof(struct knobs, n), 3, 1, 9, "count", NULL, KI_FIXED, 0, 0 },
    { "on", KI_BOOL, offsetof(struct knobs, on), 1, 0, 0, "switch", NULL, KI_FIXED, 0, 0 },
    { "way", KI_CHOICE, offsetof(struct knobs, way), 0, 0, 0, "side", ways, KI_FIXED, 0, 0 },
    { "rate", KI_FLOAT, offsetof(struct knobs, rate), .5, 0, 1, "rate", NULL, KI_LOG, .1, 1 },
    { "fields", KI_TEXT, offsetof(struct knobs, fields), 0, 0, 0, "names", NULL, KI_FIXED, 0, 0 },
};
enum { N = sizeof table / sizeof table[0] };

static kith_err set(struct knobs *k, const char *name, const char *value)
{
    return ki_params_set(table, N, k, "knobs", name, value);
}

TEST(values_travel_through_json_and_back)
{
    struct knobs a, b;
    ki_params_default(table, N, &a);
    CHECK_OK(set(&a, "n", "7"));
    CHECK_OK(set(&a, "on", "no"));
    CHECK_OK(set(&a, "way", "right"));
    CHECK_OK(set(&a, "rate", "0.02"));
    CHECK_OK(set(&a, "fields", "title,tags"));
    json_t *values = ki_params_values(table, N, &a);
    ki_params_default(table, N, &b);
    CHECK_OK(ki_params_read(table, N, &b, "knobs", values));
    json_decref(values);
    CHECK_INT(b.n, 7);
    CHECK_INT(b.on, 0);
    CHECK_INT(b.way, 1);
    CHECK(b.rate == a.rate);
    CHECK_STR(b.fields, "title,tags");
}

TEST(a_text_may_be_an_array_of_names)
{
    struct knobs k;
    ki_params_default(table, N, &k);
    CHECK_STR(k.fields, "");
    json_t *values = json_pack("{s:[s,s]}", "fields", "title", "tags");
    CHECK_OK(ki_params_read(table, N, &k, "knobs", values));
    json_decref(values);
    CHECK_STR(k.fields, "title,tags");
    values = json_pack("{s:[s,i]}", "fields", "title", 3);
    CHECK_FAILS(ki_params_read(table, N, &k, "knobs", values), KITH_EINVAL, "fields[1]");
    json_decref(values);
}

TEST(wrong_values_are_refused_and_change_nothing)
{
    struct knobs k;
    char longest[KI_TEXT_ROOM + 1];
    memset(longest, 'a', sizeof longest);
    longest[KI_TEXT_ROOM] = '\0';
    ki_params_default(table, N, &k);
    CHECK_FAILS(set(&k, "n", "10"), KITH_EINVAL, "want 1 to 9");
    CHECK_FAILS(set(&k, "n", "2.5"), KITH_EINVAL, "whole number");
    CHECK_FAILS(set(&k, "way", "up"), KITH_EINVAL, "want one of: left, right");
    CHECK_FAILS(set(&k, "on", "maybe"), KITH_EINVAL, "true or false");
    CHECK_FAILS(set(&k, "rate", "nan"), KITH_EINVAL, "want a number");
    CHECK_FAILS(set(&k, "fields", longest), KITH_EINVAL, "at most 255");
    CHECK_FAILS(set(&k, "speed", "1"), KITH_EINVAL, "it has: n, on, way, rate, fields");
    CHECK_FAILS(set(&k, "field", "1"), KITH_EINVAL, "did you mean \"fields\"?");
    CHECK_FAILS(set(&k, "way", "rihgt"), KITH_EINVAL, "did you mean \"right\"?");
    CHECK_INT(k.n, 3);
    CHECK_STR(k.fields, "");
    longest[KI_TEXT_ROOM - 1] = '\0';
    CHECK_OK(set(&k, "fields", longest));
}
