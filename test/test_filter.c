/* SPDX-License-Identifier: MIT */
#include "catalogue.h"

struct wanted {
    const char *text, *truths; /* of i1 to i8 */
};

static void check_all(const struct wanted *list, size_t n)
{
    struct catalogue c;
    make_catalogue(&c);
    for (size_t j = 0; j < n; j++) {
        const char *got = truths(&c, list[j].text);
        ck_assert_msg(strcmp(got, list[j].truths) == 0, "%s: %s, want %s", list[j].text, got, list[j].truths);
    }
    clear_catalogue(&c);
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- each operator, by hand ---- */

TEST(numbers_are_compared_and_missing_ones_are_unknown)
{
    static const struct wanted all[] = {
        { "price < 800", "0001?101" },
        { "price <= 800", "0011?101" },
        { "price > 800", "1100?010" },
        { "price >= 800", "1110?010" },
        { "price = 800", "0010?000" },
        { "price == 800", "0010?000" },
        { "price != 800", "1101?111" },
        { "800 < price", "1100?010" },
        { "800 >= price", "0011?101" },
        { "price between 450 and 800", "0011?100" },
        { "price not between 450 and 800", "1100?011" },
        { "ram in (8, 32)", "0111"
                            "0?0?" },
        { "ram not in (8, 32)", "1000"
                                "1?1?" },
        { "popularity >= 10", "01010010" },
        { "price = -5", "0000?000" },
        { "price > 1e2", "1111?111" },
        { "true", "11111111" },
        { "false", "00000000" },
        { "", "11111111" },
        { " \n\t", "11111111" },
    };
    check_all(all, KI_COUNT(all));
}

TEST(arithmetic_has_the_usual_precedence)
{
    static const struct wanted all[] = {
        { "price - 100 * 2 = 600", "0010?000" },    /* 800 - 200 */
        { "(price - 100) * 2 = 1400", "0010?000" }, /* 700 * 2 */
        { "price / 100 / 2 = 4", "0010?000" },      /* from the left */
        { "price - 300 - 100 = 400", "0010?000" },  /* from the left */
        { "-price < -1000", "0100?010" },
        { "- -price = 800", "0010?000" },
        { "price / ram < 60", "0100?"
                              "?0?" },   /* 62.4, 42.2, 100, 75, ?, ?, 75, ? */
        { "price / 0 > 1", "????????" }, /* no value */
        { "price + ram = 1015", "1000??0?" },
        { "2 * ram > price / 50 + 12", "1100"
                                       "??0?" }, /* 32 > 31.98; 64 > 38.98; 16 > 28; 16 > 24; 32 > 36 */
    };
    check_all(all, KI_COUNT(all));
}

TEST(times_go_with_durations_and_with_now)
{
    static const struct wanted all[] = {
        { "published >= now - 7d", "1001?010" },
        { "published >= now - 1w", "1001?010" },
        { "published > now - 120h", "0001?010" }, /* i1 is exactly 5 days old */
        { "published >= now - 7200m", "1001?010" },
        { "now - published <= 86400s", "0000?010" },
        { "published < 2020-03-01", "0000?001" },
        { "published < 2024-01-10T00:00:01Z", "1110?101" },
        { "published < 2024-01-10T01:00+01:00", "0110?101" },
        { "published < \"2020-03-01\"", "0000?001" },
        { "\"2020-03-01\" > published", "0000?001" },
        { "published in (2024-01-01, 2022-01-01)", "0100?100" },
        { "published in (\"2024-01-01\", \"2022-01-01\")", "0100?100" },
        { "published between 2024-01-01 and now - 3d", "1101?000" },
        { "published + 24h > now - 3d", "0001?010" },
        { "24h + published > now - 3d", "0001?010" },
        { "(now - published) / 1d < 4", "0001?010" },
        { "(now - published) * 2 < 2d + 12h * 2", "0000?010" },
    };
    check_all(all, KI_COUNT(all));
}

TEST(words_are_compared_exactly_and_parts_of_them_without_case)
{
    static const struct wanted all[] = {
        { "brand = \"HP\"", "0100?010" },
        { "brand = 'HP'", "0100?010" },
        { "\"HP\" = brand", "0100?010" },
        { "brand = \"hp\"", "0000?000" },
        { "brand ~ \"hp\"", "0100?010" },
        { "brand != \"HP\"", "1011?101" },
        { "not brand = \"HP\"", "1011?101" },
        { "brand in (\"Lenovo\", \"HP\", \"Nobody\")", "1110?010" },
        { "brand not in (\"Lenovo\", \"HP\")", "0001?101" },
        { "brand contains \"E\"", "1011?101" },
        { "brand starts with \"le\"", "1010?000" },
        { "brand contains \"\"", "1111?111" },
        { "title contains \"star\"", "1100?100" },
        { "title starts with \"STAR\"", "1000?100" },
        { "title = \"Ultra\"", "0000?010" },
        { "title != \"Ultra\"", "1111?101" },
        { "title in (\"Ultra\", \"Starling\")", "0000?110" },
        { "title ~ 'üMLAUT phone'", "0001?000" },
        { "title = 'Wide \"view\"'", "0000?001" },
        { "title = \"Wide \\\"view\\\"\"", "0000?001" },
        { "title starts with \"\\u00fcml\"", "0001?000" },
        { "item = \"i3\"", "00100000" },
        { "item != \"i3\"", "11011111" },
        { "item in (\"i1\", 'i8', \"i9\")", "10000001" },
        { "item starts with \"I\"", "11111111" },
        { "item contains \"7\"", "00000010" },
    };
    check_all(all, KI_COUNT(all));
}

TEST(sets_are_asked_for_words_and_an_empty_set_has_none)
{
    static const struct wanted all[] = {
        { "tags has \"new\"", "11010001" },
        { "not tags has \"new\"", "00101110" },
        { "tags not has \"new\"", "00101110" },
        { "tags has \"nothing\"", "00000000" },
        { "tags has any (\"refurbished\", \"light\")", "10110100" },
        { "tags has any (\"light\")", "10010100" },
        { "tags has all (\"new\", \"light\")", "10010000" },
        { "tags has all (\"new\", \"nothing\")", "00000000" },
        { "tags is empty", "00001010" },
        { "tags is not empty", "11110101" },
        { "tags is missing", "00001010" },
        { "tags is present", "11110101" },
    };
    check_all(all, KI_COUNT(all));
}

TEST(what_is_missing_can_be_asked_for)
{
    static const struct wanted all[] = {
        { "price is missing", "00001000" },
        { "price is present", "11110111" },
        { "price is not missing", "11110111" },
        { "price is not present", "00001000" },
        { "price * ram is missing", "00001101" },
        { "published is missing", "00001000" },
        { "brand is missing", "00001000" },
        { "title is missing", "00001000" },
        { "title is present", "11110111" },
        { "item is missing", "00000000" },
        { "`screen size\\`` is missing", "00101000" },
        { "`screen size\\`` is present", "11010111" },
        { "$country is missing", "00000000" },
        { "$absent is missing", "11111111" },
    };
    check_all(all, KI_COUNT(all));
}

TEST(the_context_stands_for_values_and_an_absent_one_is_unknown)
{
    static const struct wanted all[] = {
        { "$country = \"AT\"", "11111111" },
        { "\"at\" ~ $country", "11111111" },
        { "$country in (\"DE\", \"AT\")", "11111111" },
        { "price <= $budget", "1011?101" },
        { "price <= $budget * 1.5", "1111?111" },
        { "brand in $brands", "0100?011" },
        { "tags has any $brands", "00000000" },
        { "ram in $rams", "10110"
                          "?1?" },
        { "title contains $word", "1100?100" },
        { "brand contains $word", "0000?000" },
        { "$member", "11111111" },
        { "not $member", "00000000" },
        { "$member = true", "11111111" },
        { "$member != (price > 800)", "0011?101" },
        { "(price > 800) = $member", "1100?010" },
        { "brand = $absent", "????????" },
        { "brand != $absent", "????????" },
        { "brand in (\"HP\", $absent)", "?1????1?" },
        { "tags has $absent", "????????" },
        { "tags has any (\"new\", $absent)", "11?1???1" },
        { "tags has all (\"new\", $absent)", "??0?000?" },
        { "title contains $absent", "????????" },
        { "item = $absent", "????????" },
        { "item in ($absent, \"i1\")", "1???????" },
    };
    check_all(all, KI_COUNT(all));
}

TEST(truths_follow_kleene)
{
    /* t, f and u of every item: price is unknown for i5 only, so `price > 0` is t and u. */
    static const struct wanted all[] = {
        { "price > 0 and true", "1111?111" },
        { "price > 0 and false", "00000000" },
        { "price > 0 or true", "11111111" },
        { "price > 0 or false", "1111?111" },
        { "not price > 0", "0000?000" },
        { "price > 0 and price > 0", "1111?111" },
        { "price > 0 or brand = \"HP\"", "1111?111" },
        { "price > 0 and ram > 8", "11000?1?" }, /* i5: u and f */
        { "price < 0 or ram > 8", "1100??1?" },
    };
    check_all(all, KI_COUNT(all));
}

TEST(not_binds_before_and_and_and_before_or)
{
    static const struct wanted all[] = {
        { "true or true and false", "11111111" },
        { "(true or true) and false", "00000000" },
        { "not true or true", "11111111" },
        { "not (true or true)", "00000000" },
        { "not false and false", "00000000" },
        { "not not true", "11111111" },
        { "NOT False AND True", "11111111" },
        { "category = \"laptop\" and price <= 1200 and ram >= 16 and not tags has \"refurbished\"", "10000010" },
        { "price between 400 and 700 and ram > 7 or item = \"i8\"", "0001"
                                                                    "0?01" },
    };
    check_all(all, KI_COUNT(all));
}

/* ---- refusals ---- */

struct refusal {
    const char *text, *sentence, *picture; /* parts of them; NULL: not looked at */
};

TEST(a_refusal_says_what_and_where_and_draws_it)
{
    static const struct refusal all[] = {
        { "price >= \"cheap\"",
          "filter, character 10: price is a number and \"cheap\" is a text: compare it with a number, such as 1200",
          "price >= \"cheap\"\n         ^^^^^^^" },
        { "prise < 5", "there is no column prise; did you mean price? There are category, price, ram",
          "prise < 5\n^^^^^" },
        { "brand = Lenovo", "there is no column Lenovo; there are category, price", "        ^^^^^^" },
        { "popularty > 5", "did you mean popularity?", NULL },
        { "title < \"a\"", "a text has no order", "title < \"a\"\n^^^^^^^^^^^" },
        { "tags = \"new\"", "tags is a set: ask a set with has \"word\"", NULL },
        { "brand has \"HP\"", "brand is a text, and only a set `has`", NULL },
        { "brand", "brand is a text: compare it", "brand\n^^^^^" },
        { "not price", "price is a number: compare it", "not price\n    ^^^^^" },
        { "price and true", "price is a number", NULL },
        { "\"new\" in tags", "a list, as in (\"a\", \"b\"), should be", NULL },
        { "brand in \"HP\"", "a list, as in (\"a\", \"b\"), should be", NULL },
        { "brand in (\"HP\", 5)", "\"HP\" is a text and 5 is a number", NULL },
        { "price in (\"HP\")", "price is a number and (\"HP\") is a list of texts", NULL },
        { "brand in ()", "\")\" where a column or a value should be", NULL },
        { "brand in (brand)", "a list holds texts", NULL },
        { "brand in $country", "brand is a text and $country is a text: ", NULL },
        { "brand = $brands", "brand is a text and $brands is a list of texts", NULL },
        { "brand = title", "title is a column: on this side a value in quotes or a $name", NULL },
        { "published > 2000", "published is a time and 2000 is a number: compare it with a time",
          "published > 2000\n            ^^^^" },
        { "published > \"soon\"", "compare it with a time, such as 2020-01-31", NULL },
        { "published + published > now", "published is a time and published is a time", NULL },
        { "price + 7d > 5", "numbers go with + - * /", NULL },
        { "-brand = 5", "brand is a text", NULL },
        { "`screen size\\`` = 5", "a vector can only be asked whether it is missing", NULL },
        { "1 < price < 5", "comparisons do not follow each other", "1 < price < 5\n          ^" },
        { "price between 1 or 2", "\"or\" where the `and` of `between ... and ...` should be", NULL },
        { "price <", "the filter ends where a column or a value should be", "price <\n       ^" },
        { "(price < 5", "the filter ends where a closing parenthesis should be", NULL },
        { "price < 5)", "\")\" where `and`, `or`, or the end should be", NULL },
        { "price < 5 ram > 3", "where `and`, `or`, or the end should be", NULL },
        { "price < 5 && ram > 3", "write the words and, or, not", "price < 5 && ram > 3\n          ^" },
        { "brand = \"HP", "the quote is never closed", NULL },
        { "brand = \"a\\q\"", "escapes are", "brand = \"a\\q\"\n          ^^" },
        { "brand = \"\\u0000\"", "escapes are", NULL },
        { "brand = \"\\ud800\"", "escapes are", NULL },
        { "published > 2024-02-30", "a time is written 2020-01-31", NULL },
        { "price > 5x", "a duration is written 30s, 30m, 12h, 7d or 2w", NULL },
        { "price > 1e999", "too long or too large", NULL },
        { "$ = 5", "a name must follow the $", NULL },
        { "$nobody = 5", "there is no $nobody in the context; it begins with $country", NULL },
        { "and = 5", "`backquotes`", "and = 5\n^^^" },
        { "price is big", "\"big\" where missing, present or empty should be", NULL },
        { "price not < 5", "where in, has, contains, starts with or between should be", NULL },
        { "title starts \"a\"", "the `with` of `starts with`", NULL },
        { "price is empty", "price is a number", NULL },
        { "(price > 5) is missing", "can be missing or present", NULL },
        { "brand = \"ä\" and prise > 5", "filter, character 17: there is no column prise",
          "brand = \"ä\" and prise > 5\n                ^^^^^" },
        { "price > 5\nand prise > 5", "character 15", "and prise > 5\n    ^^^^^" },
    };
    struct catalogue c;
    ki_complaint why;
    make_catalogue(&c);
    for (size_t j = 0; j < KI_COUNT(all); j++) {
        ki_filter *f = NULL;
        CHECK_FAILS(ki_filter_parse(&c.schema, all[j].text, &f, &why), KITH_EINVAL, all[j].sentence);
        CHECK(f == NULL);
        const char *want = all[j].picture == NULL ? "^" : all[j].picture;
        ck_assert_msg(strstr(why.picture, want) != NULL, "%s: drawn\n%s\nwant\n%s", all[j].text, why.picture, want);
    }
    clear_catalogue(&c);
    CHECK_INT(ki_alloc_live(), 0);
}

/* `before` n times, `middle`, `after` n times. */
static char *repeat(const char *before, const char *middle, const char *after, int n)
{
    char *text = NULL;
    const size_t b = strlen(before), a = strlen(after), m = strlen(middle);
    CHECK_OK(ki_alloc(&text, (size_t)n * (a + b) + m + 1, 1));
    for (int j = 0; j < n; j++) memcpy(text + (size_t)j * b, before, b);
    memcpy(text + (size_t)n * b, middle, m);
    for (int j = 0; j < n; j++) memcpy(text + (size_t)n * b + m + (size_t)j * a, after, a);
    return text;
}

TEST(hostile_sizes_are_refused_and_long_chains_are_not)
{
    static const struct {
        const char *before, *middle, *after;
        int n;
        const char *sentence; /* NULL: taken */
    } all[] = {
        { "(", "true", ")", 63, NULL },
        { "(", "true", ")", 20000, "nested deeper than 64" },
        { "not ", "true", "", 60, NULL },
        { "not ", "true", "", 16000, "nested deeper than 64" },
        { "- ", "price", " ", 16000, "nested deeper than 64" },
        { "true and ", "true", "", 4000, NULL },
        { "true and ", "true", "", 4200, "more than 4096 names" },
        { "1 + ", "1 > price", "", 200, "nested deeper than 64" },
        { "true  and ", "true", "", 8000, "bytes, want at most 65536" },
    };
    struct catalogue c;
    make_catalogue(&c);
    for (size_t j = 0; j < KI_COUNT(all); j++) {
        ki_filter *f = NULL;
        char *text = repeat(all[j].before, all[j].middle, all[j].after, all[j].n);
        if (all[j].sentence == NULL)
            CHECK_OK(ki_filter_parse(&c.schema, text, &f, NULL));
        else
            CHECK_FAILS(ki_filter_parse(&c.schema, text, &f, NULL), KITH_EINVAL, all[j].sentence);
        ki_filter_free(f);
        ki_free(text);
    }
    ki_filter *f = NULL;
    CHECK_FAILS(ki_filter_parse(&c.schema, "brand = \"\xff\"", &f, NULL), KITH_EINVAL, "not valid UTF-8");
    clear_catalogue(&c);
}

/* ---- notes ---- */

TEST(a_word_that_no_item_has_is_a_note_with_the_nearest_one)
{
    struct catalogue c;
    ki_filter *f;
    make_catalogue(&c);
    CHECK_OK(ki_filter_parse(
        &c.schema, "category = \"laptp\" and brand in (\"HP\", \"lenovo\", \"Zzzzz\") and tags has \"nwe\"", &f, NULL));
    CHECK_INT(ki_filter_n_notes(f), 4);
    CHECK_STR(ki_filter_note(f, 0), "no item has category \"laptp\"; nearest: \"laptop\"");
    CHECK_STR(ki_filter_note(f, 1), "no item has brand \"lenovo\"; nearest: \"Lenovo\"");
    CHECK_STR(ki_filter_note(f, 2), "no item has brand \"Zzzzz\"");
    CHECK_STR(ki_filter_note(f, 3), "no item has tags \"nwe\"");
    ki_filter_free(f);
    CHECK_OK(ki_filter_parse(&c.schema, "item = \"i9\"", &f, NULL));
    CHECK_STR(ki_filter_note(f, 0), "there is no item \"i9\"; nearest: \"i1\"");
    ki_filter_free(f);
    clear_catalogue(&c);
}

/* ---- printing ---- */

TEST(a_filter_prints_in_its_canonical_form)
{
    static const char *const all[][2] = {
        { "800<price", "price > 800" },
        { "(price<5)and((ram>3 and ram<4))", "price < 5 and ram > 3 and ram < 4" },
        { "(price<5 or ram>3)and true", "(price < 5 or ram > 3) and true" },
        { "not (price < 5)", "not price < 5" },
        { "not (price < 5 and true)", "not (price < 5 and true)" },
        { "brand not in ('HP')", "not brand in (\"HP\")" },
        { "tags is not empty", "not tags is empty" },
        { "(price-(ram-3))*2>-5", "(price - (ram - 3)) * 2 > -5" },
        { "published>=now-168h", "published >= now - 1w" },
        { "now-published<90m", "now - published < 90m" },
        { "now-published<0s", "now - published < 0s" },
        { "published < \"2020-03-01T10:30\"", "published < 2020-03-01T10:30:00Z" },
        { "price=.5 or price=0.1", NULL },
        { "price = 0.1 or price = 1e300", "price = 0.1 or price = 1e+300" },
        { "`category` = 'a\"b\\n'", "category = \"a\\\"b\\u000a\"" },
        { "`screen size\\`` is missing", "`screen size\\`` is missing" },
        { "($member)", "$member" },
        { "- -price > 1", "--price > 1" },
        { "", "true" },
    };
    struct catalogue c;
    make_catalogue(&c);
    for (size_t j = 0; j < KI_COUNT(all); j++) {
        ki_filter *f = NULL, *again = NULL;
        char *text;
        if (all[j][1] == NULL) {
            CHECK_FAILS(ki_filter_parse(&c.schema, all[j][0], &f, NULL), KITH_EINVAL, "no expression has this sign");
            continue;
        }
        CHECK_OK(ki_filter_parse(&c.schema, all[j][0], &f, NULL));
        CHECK_OK(ki_filter_print(f, &text));
        CHECK_STR(text, all[j][1]);
        CHECK_OK(ki_filter_parse(&c.schema, text, &again, NULL));
        CHECK(ki_filter_equal(f, again));
        ki_free(text);
        ki_filter_free(f);
        ki_filter_free(again);
    }
    clear_catalogue(&c);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_filter_has_a_json_form)
{
    struct catalogue c;
    ki_filter *f;
    json_t *json;
    make_catalogue(&c);
    CHECK_OK(
        ki_filter_parse(&c.schema, "price <= $budget and tags has any (\"new\") and published > now - 1d", &f, NULL));
    CHECK_OK(ki_filter_json(f, &json));
    char *text = json_dumps(json, JSON_COMPACT);
    CHECK_STR(text, "{\"op\":\"and\",\"of\":[{\"op\":\"<=\",\"of\":[{\"column\":\"price\"},{\"context\":\"budget\"}]},"
                    "{\"op\":\"has any\",\"of\":[{\"column\":\"tags\"},{\"list\":[{\"text\":\"new\"}]}]},"
                    "{\"op\":\">\",\"of\":[{\"column\":\"published\"},"
                    "{\"op\":\"-\",\"of\":[{\"time\":\"now\"},{\"seconds\":86400.0}]}]}]}");
    free(text);
    json_decref(json);
    ki_filter_free(f);
    clear_catalogue(&c);
}

/* ---- names ---- */

TEST(backquotes_reach_columns_that_are_called_like_something_else)
{
    static const char *const cells[] = { "1", "2" };
    static const char *const names[] = { "item", "popularity", "in", "name", "größe" };
    ki_idmap items = { 0 };
    ki_table t = { .n_rows = 2 };
    int32_t at;
    CHECK_OK(ki_idmap_add(&items, "a", 1, &at));
    CHECK_OK(ki_idmap_add(&items, "b", 1, &at));
    for (int j = 0; j < 5; j++) add_column(&t, names[j], j == 3 ? KI_COL_TEXT : KI_COL_NUMBER, cells);
    const double popularity[] = { 7, 8 };
    const ki_schema schema = { &items, &t, popularity, NULL };
    const ki_env env = { 0, NULL };
    const char *const text = "`item` = 2 and item = \"b\" and `popularity` = 2 and popularity = 8 and `in` = 2 and "
                             "title = \"2\" and größe = 2";
    ki_filter *f, *again;
    char *printed;
    uint8_t mask[2];
    CHECK_OK(ki_filter_parse(&schema, text, &f, NULL));
    CHECK_OK(ki_filter_run(f, &env, mask));
    CHECK_INT(mask[0], 0);
    CHECK_INT(mask[1], 1);
    CHECK_OK(ki_filter_print(f, &printed));
    CHECK_STR(printed, "`item` = 2 and item = \"b\" and `popularity` = 2 and popularity = 8 and `in` = 2 and "
                       "name = \"2\" and größe = 2");
    CHECK_OK(ki_filter_parse(&schema, printed, &again, NULL));
    CHECK(ki_filter_equal(f, again));
    ki_free(printed);
    ki_filter_free(f);
    ki_filter_free(again);
    ki_table_clear(&t);
    ki_idmap_clear(&items);
}

/* ---- large sets ---- */

/* Rows of 3, 5000 and 1 words: more than one goes through scratch at a time. */
TEST(a_set_may_be_as_large_as_it_likes)
{
    enum { MANY = 5000 };
    ki_idmap items = { 0 };
    ki_table t = { .n_rows = 3 };
    ki_column c = { .kind = KI_COL_SET };
    char word[16];
    int32_t at;
    for (const char *id = "abc"; *id != '\0'; id++) CHECK_OK(ki_idmap_add(&items, id, 1, &at));
    CHECK_OK(ki_strdup(&c.name, "s"));
    CHECK_OK(ki_alloc(&c.set_ptr, 4, sizeof *c.set_ptr));
    CHECK_OK(ki_alloc(&c.code, MANY + 4, sizeof *c.code));
    for (int j = 0; j < MANY; j++) {
        const int n = snprintf(word, sizeof word, "w%d", j);
        CHECK_OK(ki_idmap_add(&c.words, word, (size_t)n, &at));
        c.code[3 + j] = j;
    }
    memcpy(c.code, (int32_t[]){ 7, 8, 9 }, 3 * sizeof *c.code);
    c.code[MANY + 3] = 4999;
    memcpy(c.set_ptr, (int64_t[]){ 0, 3, MANY + 3, MANY + 4 }, 4 * sizeof *c.set_ptr);
    CHECK_OK(ki_table_append(&t, &c));
    static const struct {
        const char *text;
        uint8_t want[3];
    } all[] = { { "s has \"w8\"", { 1, 1, 0 } },
                { "s has \"w4999\"", { 0, 1, 1 } },
                { "s has any (\"w4998\", \"w9\")", { 1, 1, 0 } },
                { "s has all (\"w4998\", \"w9\")", { 0, 1, 0 } } };
    const ki_schema schema = { .items = &items, .table = &t };
    const ki_env env = { 0, NULL };
    for (size_t j = 0; j < KI_COUNT(all); j++) {
        ki_filter *f;
        uint8_t mask[3];
        CHECK_OK(ki_filter_parse(&schema, all[j].text, &f, NULL));
        CHECK_OK(ki_filter_run(f, &env, mask));
        CHECK(memcmp(mask, all[j].want, 3) == 0);
        ki_filter_free(f);
    }
    ki_table_clear(&t);
    ki_idmap_clear(&items);
}

/* ---- context ---- */

TEST(a_context_is_read_by_kind_and_refused_by_pointer)
{
    static const char *const bad[][2] = {
        { "[]", "/: the context is not" },
        { "{\"a\": {}}", "/a: the context value \"a\" is not a string, a number" },
        { "{\"a\": [1, \"x\"]}", "/a: the context value \"a\" is not a list of numbers only" },
        { "{\"a\": [\"x\", 1]}", "not a list of strings only" },
    };
    ki_context declared, c = { 0 };
    json_t *json = json_loads("{\"since\": \"time\", \"n\": \"number\", \"ids\": \"texts\"}", 0, NULL);
    CHECK_OK(ki_context_declare(&declared, json));
    json_decref(json);
    make_context(&c, "{\"since\": \"2020-01-01\", \"ids\": []}", &declared);
    CHECK_NEAR(ki_context_find(&c, "since")->number, 1577836800, 0);
    CHECK_INT(ki_context_find(&c, "ids")->n, 0);
    ki_context_clear(&c);
    json = json_loads("{\"since\": \"soon\"}", 0, NULL);
    CHECK_FAILS(ki_context_read(&c, json, &declared), KITH_EINVAL, "/since: the context value \"since\" is not a time");
    json_decref(json);
    json = json_loads("{\"other\": 1}", 0, NULL);
    CHECK_FAILS(ki_context_read(&c, json, &declared), KITH_EINVAL,
                "/other: the context value \"other\" is not declared");
    json_decref(json);
    for (size_t j = 0; j < KI_COUNT(bad); j++) {
        json = json_loads(bad[j][0], 0, NULL);
        CHECK_FAILS(ki_context_read(&c, json, NULL), KITH_EINVAL, bad[j][1]);
        json_decref(json);
    }
    ki_context_clear(&declared);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_run_refuses_a_context_value_of_another_kind)
{
    struct catalogue c;
    ki_context other;
    ki_filter *f;
    uint8_t mask[N_ITEMS];
    make_catalogue(&c);
    make_context(&other, "{\"budget\": \"much\"}", NULL);
    CHECK_OK(ki_filter_parse(&c.schema, "price <= $budget", &f, NULL));
    const ki_env env = { c.env.now, &other };
    CHECK_FAILS(ki_filter_run(f, &env, mask), KITH_EINVAL, "$budget is of kind text, declared is number");
    CHECK_INT(ki_filter_one(f, &env, 0), KI_UNKNOWN);
    const ki_env none = { c.env.now, NULL };
    CHECK_OK(ki_filter_run(f, &none, mask));
    CHECK_INT(mask[0], 0);
    ki_filter_free(f);
    ki_context_clear(&other);
    clear_catalogue(&c);
}

/* ---- memory ---- */

TEST(every_allocation_may_fail)
{
    struct catalogue c;
    uint8_t mask[N_ITEMS];
    ki_filter *f;
    char *text;
    make_catalogue(&c);
    const int64_t live = ki_alloc_live();
    int failures = 0;
    for (int n = 1;; n++, failures++) {
        f = NULL;
        text = NULL;
        ki_alloc_fail_at(n, 0);
        kith_err err = ki_filter_parse(
            &c.schema, "brand in $brands and tags has any (\"nwe\", \"new\") and title contains \"star\"", &f, NULL);
        if (err == KITH_OK) err = ki_filter_run(f, &c.env, mask);
        if (err == KITH_OK) err = ki_filter_print(f, &text);
        ki_alloc_fail_at(0, 0);
        ki_free(text);
        ki_filter_free(f);
        CHECK_INT(ki_alloc_live(), live);
        if (err == KITH_OK) break;
        CHECK_INT(err, KITH_ENOMEM);
    }
    CHECK(failures > 10);
    clear_catalogue(&c);
}
