/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/scan.h"
#include "data/table.h"

#include <stdlib.h>

#define ROWS(cells) ((int32_t)KI_COUNT(cells))

static ki_column made(const char *name, int32_t n, const char *const *cells, int kind, char separator)
{
    ki_column c = { 0 };
    CHECK_OK(ki_column_from_strings(&c, name, n, cells, kind, separator));
    return c;
}

static const char *shown(const ki_column *c, int32_t row)
{
    static char text[64];
    ki_column_print(c, row, text, sizeof text);
    return text;
}

/* ---- scanning ---- */

TEST(numbers_are_rounded_as_strtod_rounds_them)
{
    ki_rng r = ki_rng_make(7, 0, 0);
    char text[64];
    double got;
    for (int j = 0; j < 50000; j++) {
        const int digits = 1 + (int)ki_rng_below(&r, 19), point = (int)ki_rng_below(&r, 20);
        size_t n = 0;
        if (ki_rng_below(&r, 2)) text[n++] = '-';
        for (int d = 0; d < digits; d++) {
            if (d == point) text[n++] = '.';
            text[n++] = (char)('0' + ki_rng_below(&r, 10));
        }
        if (ki_rng_below(&r, 3) == 0)
            n += (size_t)snprintf(text + n, sizeof text - n, "e%d", (int)ki_rng_below(&r, 660) - 330);
        text[n] = '\0';
        CHECK(ki_scan_number(text, n, &got));
        const double want = strtod(text, NULL);
        ck_assert_msg(memcmp(&got, &want, sizeof got) == 0, "%s is %.17g, want %.17g", text, got, want);
    }
}

TEST(only_decimal_numbers_are_numbers)
{
    static const char *const bad[] = { "",    "-",  "+",  ".",     "e5",  "1e", "1e+",      "nan", "inf", "0x10",
                                       "1,5", "1 ", " 1", "1.2.3", "--1", "1-", "infinity", "1f",  "NaN" };
    static const char *const good[] = { "0", "-0", "5.", ".5", "+1", "1e5", "1E-5", "00012" };
    double x;
    for (size_t j = 0; j < KI_COUNT(bad); j++)
        ck_assert_msg(!ki_scan_number(bad[j], strlen(bad[j]), &x), "\"%s\" was taken for a number", bad[j]);
    for (size_t j = 0; j < KI_COUNT(good); j++) CHECK(ki_scan_number(good[j], strlen(good[j]), &x));
    CHECK(ki_scan_number("1e999", 5, &x) && isinf(x));
}

TEST(whole_numbers_stop_at_64_bits)
{
    int64_t x;
    CHECK(ki_scan_int("9223372036854775807", 19, &x) && x == INT64_MAX);
    CHECK(ki_scan_int("-9223372036854775808", 20, &x) && x == INT64_MIN);
    CHECK(!ki_scan_int("9223372036854775808", 19, &x));
    CHECK(!ki_scan_int("99999999999999999999999", 23, &x));
    CHECK(!ki_scan_int("1.0", 3, &x) && !ki_scan_int("", 0, &x) && !ki_scan_int("-", 1, &x));
}

TEST(times_are_read_in_every_documented_form)
{
    static const struct {
        const char *text;
        int64_t want; /* by `date -u -d TEXT +%s` */
    } cases[] = { { "2024-01-15", 1705276800 },
                  { "2024-01-15T10:30:00Z", 1705314600 },
                  { "2024-01-15 10:30", 1705314600 },
                  { "2024-01-15T10:30:00.75Z", 1705314600 },
                  { "2024-01-15T10:30:00+01:00", 1705311000 },
                  { "2024-01-15T10:30:00-0530", 1705334400 },
                  { "2024-02-29", 1709164800 },
                  { "1969-12-31T23:59:59Z", -1 },
                  { "1922-03-04", -1509408000 },
                  { "1705314600", 1705314600 },
                  { "1705314600.9", 1705314600 },
                  { "1.7053146e9", 1705314600 },
                  { "1705314600123", 1705314600 },       /* ms */
                  { "1705314600123456", 1705314600 },    /* us */
                  { "1705314600123456789", 1705314600 }, /* ns */
                  { "-5", -5 } };
    static const char *const bad[] = { "",
                                       "x",
                                       "2024-13-01",
                                       "2023-02-29",
                                       "2024-1-5",
                                       "2024-01-15T",
                                       "2024-01-15T25:00",
                                       "2024-01-15T10:30:00X",
                                       "99999999999999999999",
                                       "2024-01-15T10:30:00+99:00" };
    int64_t t;
    for (size_t j = 0; j < KI_COUNT(cases); j++) {
        ck_assert_msg(ki_scan_time(cases[j].text, strlen(cases[j].text), &t), "%s is no time", cases[j].text);
        ck_assert_msg(t == cases[j].want, "%s is %lld, want %lld", cases[j].text, (long long)t,
                      (long long)cases[j].want);
    }
    for (size_t j = 0; j < KI_COUNT(bad); j++) CHECK(!ki_scan_time(bad[j], strlen(bad[j]), &t));
}

TEST(a_printed_time_is_read_back)
{
    char text[KI_TIME_TEXT];
    ki_rng r = ki_rng_make(3, 0, 0);
    for (int j = 0; j < 20000; j++) {
        const int64_t want = (int64_t)(ki_rng_unit(&r) * 2e11) - 60000000000; /* years 68 to 6407 */
        int64_t got;
        ki_time_print(want, text);
        CHECK(ki_scan_time(text, strlen(text), &got));
        CHECK_INT(got, want);
    }
    ki_time_print(INT64_MIN, text); /* must not overflow */
    ki_time_print(INT64_MAX, text);
}

TEST(utf8_is_checked_and_latin1_is_turned_into_it)
{
    static const char *const bad[] = { "\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80",
                                       "a\xff" };
    char out[16];
    for (size_t j = 0; j < KI_COUNT(bad); j++) CHECK(!ki_utf8_valid(bad[j], strlen(bad[j])));
    CHECK(ki_utf8_valid("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8e\xac", 14));
    const size_t n = ki_utf8_from_latin1("caf\xe9", 4, out);
    CHECK_INT(n, 5);
    CHECK(memcmp(out, "caf\xc3\xa9", 5) == 0);
}

/* ---- kinds ---- */

TEST(the_kind_of_a_column_is_found_from_its_cells)
{
    static const struct {
        const char *name;
        const char *cells[4];
        ki_column_kind want;
    } cases[] = {
        { "price", { "1", "2.5", NULL, "-3" }, KI_COL_NUMBER },
        { "zip", { "02139", "94043", "10001", NULL }, KI_COL_CATEGORY }, /* a leading zero: a code */
        { "parent_id", { "12", "13", "12", "12" }, KI_COL_CATEGORY },
        { "released", { "1995-01-01", "2001-05-06T10:00:00Z", NULL, NULL }, KI_COL_TIME },
        { "genres", { "Drama|Crime", "Comedy", NULL, "Drama" }, KI_COL_SET },
        { "gender", { "M", "F", "M", "M" }, KI_COL_CATEGORY },
        { "title", { "1984", "300", "2012", "1917" }, KI_COL_TEXT }, /* titles are text, whatever they look like */
        { "movie_title", { "a", "b", "c", "d" }, KI_COL_TEXT },
        { "notes",
          { "a text that goes on for much longer than any word or category could be expected to", "x", NULL, NULL },
          KI_COL_TEXT },
        { "nothing", { NULL, NULL, NULL, NULL }, KI_COL_CATEGORY },
    };
    for (size_t j = 0; j < KI_COUNT(cases); j++) {
        ki_column c = made(cases[j].name, 4, cases[j].cells, -1, '|');
        ck_assert_msg(c.kind == cases[j].want, "%s has kind %d, want %d", cases[j].name, c.kind, cases[j].want);
        ki_column_clear(&c);
    }
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(many_different_words_are_text_and_few_are_a_category)
{
    char words[100][8];
    const char *cells[100];
    for (int j = 0; j < 100; j++) {
        snprintf(words[j], sizeof words[j], "w%d", j);
        cells[j] = words[j];
    }
    ki_column c = made("code", 100, cells, -1, '|');
    CHECK_INT(c.kind, KI_COL_TEXT);
    ki_column_clear(&c);
    for (int j = 0; j < 100; j++) cells[j] = words[j % 30];
    c = made("code", 100, cells, -1, '|');
    CHECK_INT(c.kind, KI_COL_CATEGORY);
    CHECK_INT(c.words.n, 30);
    ki_column_clear(&c);
}

TEST(cells_print_as_people_write_them)
{
    static const char *const numbers[] = { "1994", "2.5", NULL },
                             *const times[] = { "1995-01-01", "2024-01-15T10:30:00Z", NULL },
                             *const sets[] = { " Drama |Crime|Drama|", "", NULL },
                             *const vectors[] = { "1 0.5", NULL, "0 0" };
    ki_column c = made("year", 3, numbers, -1, '|');
    CHECK_STR(shown(&c, 0), "1994");
    CHECK_STR(shown(&c, 1), "2.5");
    CHECK_STR(shown(&c, 2), "");
    ki_column_clear(&c);
    c = made("date", 3, times, -1, '|');
    CHECK_STR(shown(&c, 0), "1995-01-01");
    CHECK_STR(shown(&c, 1), "2024-01-15T10:30:00Z");
    CHECK_STR(shown(&c, 2), "");
    ki_column_clear(&c);
    c = made("genres", 3, sets, -1, '|');
    CHECK_STR(shown(&c, 0), "Drama|Crime"); /* trimmed, each once */
    CHECK_INT(c.set_ptr[3], 2);
    ki_column_clear(&c);
    c = made("emb", 3, vectors, KI_COL_VECTOR, ' ');
    CHECK_INT(c.dim, 2);
    CHECK_STR(shown(&c, 0), "1 0.5");
    CHECK_STR(shown(&c, 1), "0 0"); /* missing */
    ki_column_clear(&c);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_long_text_is_cut_between_characters)
{
    static const char *const cells[] = { "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac" };
    char out[6];
    ki_column c = made("title", 1, cells, -1, 0);
    ki_column_print(&c, 0, out, sizeof out); /* room for 5 bytes: one whole character */
    CHECK_STR(out, "\xe2\x82\xac");
    ki_column_clear(&c);
}

TEST(a_cell_that_does_not_fit_a_forced_kind_is_refused)
{
    static const char *const cells[] = { "1 2", "1 2 3" };
    ki_column c;
    CHECK_FAILS(ki_column_from_strings(&c, "x", 2, cells, KI_COL_NUMBER, 0), KITH_EFORMAT,
                "row 0: got \"1 2\", want a number");
    CHECK_FAILS(ki_column_from_strings(&c, "x", 2, cells, KI_COL_TIME, 0), KITH_EFORMAT, "ISO 8601");
    CHECK_FAILS(ki_column_from_strings(&c, "x", 2, cells, KI_COL_VECTOR, ' '), KITH_EFORMAT,
                "row 1: got \"1 2 3\", want 2 numbers");
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- tables ---- */

static ki_table sample_table(void)
{
    static const char *const year[] = { "1994", NULL }, *const gender[] = { "M", "F" },
                             *const genres[] = { "a|b", "b" }, *const title[] = { "One", "Two" },
                             *const vector[] = { "1 2", "3 4" }, *const date[] = { "2024-01-15", NULL };
    const struct {
        const char *name;
        const char *const *cells;
        int kind;
    } columns[] = { { "year", year, -1 },   { "gender", gender, -1 }, { "genres", genres, -1 },
                    { "title", title, -1 }, { "date", date, -1 },     { "vector", vector, KI_COL_VECTOR } };
    ki_table t = { .n_rows = 2 };
    for (size_t j = 0; j < KI_COUNT(columns); j++) {
        ki_column c = made(columns[j].name, 2, columns[j].cells, columns[j].kind, columns[j].kind < 0 ? '|' : ' ');
        CHECK_OK(ki_table_append(&t, &c));
    }
    return t;
}

TEST(a_copy_prints_the_same_and_owns_its_arrays)
{
    char a[64], b[64];
    ki_table t = sample_table(), copy = { 0 };
    CHECK_OK(ki_table_copy(&copy, &t));
    CHECK_OK(ki_table_check(&copy));
    for (int c = 0; c < t.n_columns; c++)
        for (int32_t r = 0; r < 2; r++) {
            ki_column_print(&t.columns[c], r, a, sizeof a);
            ki_column_print(&copy.columns[c], r, b, sizeof b);
            CHECK_STR(a, b);
        }
    ki_table_clear(&t);
    CHECK_STR(shown(ki_table_find(&copy, "genres"), 0), "a|b");
    ki_table_clear(&copy);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_broken_column_is_found)
{
    ki_table t = sample_table();
    ki_column *c = t.columns;
    CHECK_OK(ki_table_check(&t));
    c[0].number[0] = INFINITY;
    CHECK_FAILS(ki_table_check(&t), KITH_EFORMAT, "column \"year\", row 0: an infinite number");
    c[0].number[0] = 0;
    c[1].code[1] = 2;
    CHECK_FAILS(ki_table_check(&t), KITH_EFORMAT, "stands for no word");
    c[1].code[1] = -1; /* missing is allowed in a category ... */
    CHECK_OK(ki_table_check(&t));
    c[2].code[0] = -1; /* ... not in a set */
    CHECK_FAILS(ki_table_check(&t), KITH_EFORMAT, "genres");
    c[2].code[0] = 0;
    c[3].text[c[3].text_ptr[1] - 1] = 'x';
    CHECK_FAILS(ki_table_check(&t), KITH_EFORMAT, "a text has no end");
    c[3].text[c[3].text_ptr[1] - 1] = '\0';
    c[2].set_ptr[1] = 9;
    CHECK_FAILS(ki_table_check(&t), KITH_EFORMAT, "pointers fall");
    c[2].set_ptr[1] = 2;
    c[5].vector[3] = NAN;
    CHECK_FAILS(ki_table_check(&t), KITH_EFORMAT, "a vector that is not finite");
    ki_table_clear(&t);
}

TEST(every_refused_allocation_leaves_nothing_behind)
{
    static const char *const cells[] = { "a|b", "c", NULL };
    for (int kind = -1; kind <= KI_COL_VECTOR; kind++) {
        const char *const *some = kind == KI_COL_NUMBER || kind == KI_COL_VECTOR || kind == KI_COL_TIME
                                      ? (const char *const[]){ "1", "2", NULL }
                                      : cells;
        for (int64_t n = 1;; n++) {
            ki_column c = { 0 };
            ki_alloc_fail_at(n, 0);
            const kith_err err = ki_column_from_strings(&c, "x", ROWS(cells), some, kind, '|');
            ki_alloc_fail_at(0, 0);
            if (err == KITH_OK) ki_column_clear(&c);
            CHECK_INT(ki_alloc_live(), 0);
            if (err == KITH_OK) break;
            CHECK_INT(err, KITH_ENOMEM);
        }
    }
}
