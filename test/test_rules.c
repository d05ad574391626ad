/* SPDX-License-Identifier: MIT */
#include "catalogue.h"

#include "engine/rules.h"

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    ck_assert_msg(json != NULL, "%s: %s", text, error.text);
    return json;
}

static ki_rules read_rules(const struct catalogue *c, const char *text)
{
    ki_rules r;
    json_t *json = parse(text);
    CHECK_OK(ki_rules_read(&c->schema, json, &r, NULL));
    json_decref(json);
    return r;
}

/* All eight items, i1 with score 8 down to i8 with score 1. */
static ki_ruled apply(const struct catalogue *c, const char *text, int32_t k)
{
    static const int32_t items[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    static const float scores[] = { 8, 7, 6, 5, 4, 3, 2, 1 };
    ki_rules r = read_rules(c, text);
    ki_ruled out;
    CHECK_OK(ki_rules_apply(&r, &c->env, items, scores, N_ITEMS, k, &out));
    ki_rules_clear(&r);
    return out;
}

/* The list as "1234": item numbers. */
static void check_list(const struct catalogue *c, const char *rules, int32_t k, const char *want)
{
    char got[N_ITEMS + 1] = "";
    ki_ruled out = apply(c, rules, k);
    CHECK(out.n <= N_ITEMS);
    for (int32_t j = 0; j < KI_MIN(out.n, N_ITEMS); j++) got[j] = (char)('1' + out.items[j]);
    ck_assert_msg(strcmp(got, want) == 0, "%s: %s, want %s", rules, got, want);
    int64_t sum = 0;
    for (int f = 0; f <= KI_CUT; f++) sum += out.n_fate[f];
    CHECK_INT(sum, N_ITEMS);
    ki_ruled_clear(&out);
}

TEST(rules_change_a_list_as_they_say)
{
    static const struct {
        const char *rules;
        int32_t k;
        const char *want;
    } all[] = {
        { "{}", 3, "123" },
        { "{}", 20, "12345678" },
        { "{}", 0, "" },
        { "{\"filter\": \"ram >= 16\"}", 5, "127" },
        { "{\"block\": [\"i1\"], \"exclude\": [\"i3\", \"i3\"]}", 4, "2456" },
        { "{\"prefer\": [{\"when\": \"brand = 'Apple'\", \"add\": 3.5}]}", 4, "4126" },
        { "{\"prefer\": [{\"when\": \"brand = 'Dell'\", \"multiply\": 6.5}]}", 4, "1283" },
        { "{\"prefer\": [{\"when\": \"item = 'i2'\", \"add\": 1}]}", 3, "123" }, /* a tie keeps the order */
        { "{\"pin\": [{\"item\": \"i8\", \"at\": 2}, {\"item\": \"i1\", \"at\": 4}]}", 5, "28314" },
        { "{\"pin\": [{\"item\": \"i8\", \"at\": 8}], \"filter\": \"ram = 16 or item = 'i8'\"}", 8,
          "178" }, /* closes up */
        { "{\"pin\": [{\"item\": \"i8\", \"at\": 1}], \"block\": [\"i8\"]}", 3, "123" },
        { "{\"pin\": [{\"item\": \"i8\", \"at\": 1}], \"filter\": \"ram = 16\"}", 3, "17" },
        { "{\"pin\": [{\"item\": \"i8\", \"at\": 4}]}", 3, "123" }, /* beyond the end */
        { "{\"pin\": [{\"item\": \"i99\", \"at\": 1}]}", 3, "123" },
        { "{\"cap\": [{\"column\": \"brand\", \"at_most\": 1}]}", 8, "12458" }, /* i5 has no brand */
        { "{\"cap\": [{\"column\": \"tags\", \"at_most\": 1}]}", 8, "1357" },   /* light, new by i1; i5, i7 have none */
        { "{\"cap\": [{\"column\": \"category\", \"at_most\": 2}, {\"column\": \"brand\", \"at_most\": 1}]}", 8,
          "12458" },
        { "{\"cap\": [{\"column\": \"brand\", \"at_most\": 1}], \"pin\": [{\"item\": \"i3\", \"at\": 5}]}", 8,
          "24583" },
        { "{\"cap\": [{\"column\": \"brand\", \"at_most\": 0}]}", 8, "5" },
    };
    struct catalogue c;
    make_catalogue(&c);
    for (size_t j = 0; j < KI_COUNT(all); j++) check_list(&c, all[j].rules, all[j].k, all[j].want);
    clear_catalogue(&c);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_factor_above_one_lifts_negative_scores_too)
{
    static const int32_t items[] = { 0, 1, 2 };
    static const float scores[] = { -1, -2, NAN };
    struct catalogue c;
    ki_ruled out;
    make_catalogue(&c);
    ki_rules r = read_rules(&c, "{\"prefer\": [{\"when\": \"item = 'i2'\", \"multiply\": 4}]}");
    CHECK_OK(ki_rules_apply(&r, &c.env, items, scores, 3, 3, &out));
    CHECK_INT(out.items[0], 1);
    CHECK_NEAR(out.scores[0], -0.5, 0); /* halves are exact */
    CHECK_INT(out.items[2], 2);         /* a score that is no number comes last */
    ki_ruled_clear(&out);
    ki_rules_clear(&r);
    clear_catalogue(&c);
}

TEST(what_each_rule_did_is_counted)
{
    static const int32_t items[] = { 7, 6, 5, 4, 3, 2, 1, 0 }; /* worst first: order does not matter */
    static const float scores[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    struct catalogue c;
    ki_ruled out;
    json_t *json;
    make_catalogue(&c);
    /* i8 blocked, i3 excluded, i5 filtered; left 1 2 4 6 7; brands Lenovo HP Apple Apple HP; i6 is pinned first, which
     * leaves no room for another Apple: 6 1 2, and 4 is capped before 2 is not; 7 beyond the end. */
    ki_rules r = read_rules(
        &c, "{\"block\": [\"i8\"], \"exclude\": [\"i3\", \"i77\"], \"filter\": \"price > 0\", "
            "\"prefer\": [{\"when\": \"brand = 'Apple'\", \"add\": 2.5}, {\"when\": \"price > 5000\", \"add\": 1}], "
            "\"cap\": [{\"column\": \"brand\", \"at_most\": 1}], \"pin\": [{\"item\": \"i6\", \"at\": 1}]}");
    CHECK_INT(r.n_unknown, 1);
    CHECK_OK(ki_rules_apply(&r, &c.env, items, scores, 8, 3, &out));
    CHECK_INT(out.n, 3);
    CHECK_INT(out.items[0], 5);
    CHECK_INT(out.pinned[0], 1);
    CHECK_NEAR(out.scores[0], 5.5, 0); /* exact in float */
    CHECK_INT(out.items[1], 0);
    CHECK_INT(out.items[2], 1);
    CHECK_INT(out.n_fate[KI_KEPT], 3);
    CHECK_INT(out.n_fate[KI_BLOCKED], 1);
    CHECK_INT(out.n_fate[KI_EXCLUDED], 1);
    CHECK_INT(out.n_fate[KI_FILTERED], 1);
    CHECK_INT(out.n_fate[KI_CAPPED], 1);
    CHECK_INT(out.n_fate[KI_CUT], 1);
    CHECK_INT(out.fate[4], KI_CAPPED); /* i4 */
    CHECK_INT(out.capped_by[4], 0);
    CHECK_INT(out.capped_by[0], -1);
    CHECK_INT(out.lifted[0], 2);
    CHECK_INT(out.lifted[1], 0);
    CHECK_INT(out.capped[0], 1);
    CHECK_INT(out.placed_at[0], 1);
    CHECK_OK(ki_ruled_json(&r, &out, &json));
    CHECK_INT(json_integer_value(json_object_get(json, "capped")), 1);
    CHECK_STR(json_string_value(json_object_get(json_array_get(json_object_get(json, "prefer"), 0), "when")),
              "brand = \"Apple\"");
    CHECK_INT(json_integer_value(json_object_get(json_array_get(json_object_get(json, "pin"), 0), "placed_at")), 1);
    json_decref(json);
    ki_ruled_clear(&out);
    ki_rules_clear(&r);
    clear_catalogue(&c);
}

TEST(every_violation_is_told_with_its_place)
{
    static const char *const text =
        "{\"filtre\": 1, \"filter\": \"prise < 5\", \"block\": [1], \"exclude\": \"i1\","
        " \"prefer\": [{\"when\": \"true\"}, {\"when\": 5, \"add\": 1}, {\"when\": \"true\", \"multiply\": 0}],"
        " \"pin\": [{\"item\": \"i1\", \"at\": 0}, {\"item\": \"i1\", \"at\": 2}, {\"item\": \"i1\", \"at\": 2}, 7],"
        " \"cap\": [{\"column\": \"price\", \"at_most\": 1}, {\"column\": \"brant\", \"at_most\": 1.5}, {\"column\": "
        "\"brand\"}]}";
    static const char *const want[][2] = {
        { "/filtre", "there is no such key; did you mean filter?" },
        { "/filter", "filter, character 1: there is no column prise; did you mean price?" },
        { "/block/0", "want the id of an item" },
        { "/exclude", "want a list" },
        { "/prefer/0", "want either \"add\" or \"multiply\"" },
        { "/prefer/1/when", "want a string" },
        { "/prefer/2/multiply", "want a number from 1e-06 to 1e+06" },
        { "/pin/0/at", "want a number from 1 to 1e+06" },
        { "/pin/2", "two pins at place 2" },
        { "/pin/2", "item \"i1\" is pinned twice" },
        { "/pin/3", "want an object" },
        { "/cap/0", "column price is neither a category nor a set" },
        { "/cap/1", "there is no column brant" },
        { "/cap/2", "\"at_most\" is missing" },
    };
    static ki_violations found;
    struct catalogue c;
    ki_rules r;
    make_catalogue(&c);
    json_t *json = parse(text);
    const int64_t live = ki_alloc_live();
    CHECK_FAILS(ki_rules_read(&c.schema, json, &r, &found), KITH_EINVAL, "rules, /filtre: there is no such key");
    CHECK(strstr(kith_last_error(), "(and 13 more)") != NULL);
    CHECK_INT(found.n, KI_COUNT(want));
    for (size_t j = 0; j < KI_COUNT(want); j++) {
        CHECK_STR(found.list[j].pointer, want[j][0]);
        ck_assert_msg(strstr(found.list[j].sentence, want[j][1]) != NULL, "%s, want %s", found.list[j].sentence,
                      want[j][1]);
    }
    CHECK_STR(found.list[1].why.picture, "prise < 5\n^^^^^");
    CHECK_INT(ki_alloc_live(), live);
    json_decref(json);
    json = parse("[]");
    CHECK_FAILS(ki_rules_read(&c.schema, json, &r, NULL), KITH_EINVAL, "rules, /: want an object");
    json_decref(json);
    clear_catalogue(&c);
}

TEST(candidates_out_of_range_are_refused)
{
    static const int32_t items[] = { 0, 8 };
    static const float scores[] = { 1, 1 };
    struct catalogue c;
    ki_ruled out;
    make_catalogue(&c);
    ki_rules r = read_rules(&c, "{}");
    CHECK_FAILS(ki_rules_apply(&r, &c.env, items, scores, 2, 3, &out), KITH_EINVAL, "candidate 1 is item 8 of 8");
    CHECK_FAILS(ki_rules_apply(&r, &c.env, items, scores, 2, -1, &out), KITH_EINVAL, "2 candidates for -1 places");
    ki_rules_clear(&r);
    clear_catalogue(&c);
}

TEST(every_allocation_of_rules_may_fail)
{
    static const int32_t items[] = { 0, 1, 2 };
    static const float scores[] = { 3, 2, 1 };
    struct catalogue c;
    make_catalogue(&c);
    json_t *json = parse("{\"filter\": \"brand in $brands or ram > 3\", \"block\": [\"i1\"], \"prefer\": [{\"when\": "
                         "\"price > 1\", \"add\": 1}], "
                         "\"cap\": [{\"column\": \"brand\", \"at_most\": 1}]}");
    const int64_t live = ki_alloc_live();
    for (int at = 1;; at++) {
        ki_rules r = { 0 };
        ki_ruled out = { 0 };
        ki_alloc_fail_at(at, 0);
        kith_err err = ki_rules_read(&c.schema, json, &r, NULL);
        if (err == KITH_OK) err = ki_rules_apply(&r, &c.env, items, scores, 3, 2, &out);
        ki_alloc_fail_at(0, 0);
        ki_ruled_clear(&out);
        ki_rules_clear(&r);
        CHECK_INT(ki_alloc_live(), live);
        if (err == KITH_OK) break;
        CHECK_INT(err, KITH_ENOMEM);
    }
    json_decref(json);
    clear_catalogue(&c);
}
