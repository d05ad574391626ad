/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/closest.h"
#include "base/letters.h"
#include "base/mem.h"

static int distance(const char *a, const char *b)
{
    return ki_edit_distance(a, strlen(a), b, strlen(b));
}

TEST(letters_inserted_dropped_replaced_and_swapped_count_one_each)
{
    CHECK_INT(distance("ials", "ials"), 0);
    CHECK_INT(distance("als", "ials"), 1);
    CHECK_INT(distance("iials", "ials"), 1);
    CHECK_INT(distance("iols", "ials"), 1);
    CHECK_INT(distance("ilas", "ials"), 1);
    CHECK_INT(distance("", "ials"), 4);
    CHECK_INT(distance("kitten", "sitting"), 3);
    CHECK_INT(distance("\xc3\x84rger", "\xc3\xa4rgre"), 1); /* letters, not bytes; either case */
    CHECK_INT(distance("svd", "ials"), distance("ials", "svd"));
}

TEST(only_the_first_letters_of_long_texts_are_looked_at)
{
    char a[300], b[300];
    memset(a, 'x', sizeof a);
    memset(b, 'x', sizeof b);
    b[KI_CLOSEST_LETTERS] = 'y';
    CHECK_INT(ki_edit_distance(a, sizeof a, b, sizeof b), 0);
    b[KI_CLOSEST_LETTERS - 1] = 'y';
    CHECK_INT(ki_edit_distance(a, sizeof a, b, sizeof b), 1);
}

static const char *nearest(const char *asked)
{
    static const char *const names[] = { "evaluate", "train", "recommend", "funk-svd", "svd", "n_factors" };
    ki_closest c = { .asked = asked };
    for (size_t j = 0; j < KI_COUNT(names); j++) ki_closest_try(&c, names[j]);
    return c.best == NULL ? "" : c.best;
}

TEST(the_nearest_name_is_offered_and_a_far_one_is_not)
{
    char hint[KI_HINT_SIZE];
    CHECK_STR(nearest("trian"), "train");
    CHECK_STR(nearest("eval"), "evaluate"); /* it begins so */
    CHECK_STR(nearest("Recomend"), "recommend");
    CHECK_STR(nearest("funk_svd"), "funk-svd");
    CHECK_STR(nearest("factors"), "n_factors");
    CHECK_STR(nearest("frobnicate"), "");
    CHECK_STR(nearest("dims"), "");
    CHECK_STR(nearest(""), "");
    CHECK_STR(ki_closest_hint(&(ki_closest){ .asked = "x" }, hint), "");
    CHECK_STR(ki_closest_hint(&(ki_closest){ .asked = "x", .best = "svd" }, hint), "; did you mean \"svd\"?");
}

TEST(capitals_of_three_alphabets_are_known_and_bad_bytes_are_letters)
{
    const struct {
        const char *text;
        uint32_t want;
    } cases[] = { { "Z", 'z' },          { "\xc3\x96", 0xF6 },  { "\xc3\x97", 0xD7 },       { "\xc5\x81", 0x142 },
                  { "\xc5\xbd", 0x17E }, { "\xce\xa9", 0x3C9 }, { "\xd0\x96", 0x436 },      { "\xd0\x81", 0x451 },
                  { "\xff", 0xDCFF },    { "\xc3", 0xDCC3 },    { "\xe6\x97\xa5", 0x65E5 }, { "\xc5\xb8", 0xFF } };
    for (size_t j = 0; j < KI_COUNT(cases); j++) {
        const char *at = cases[j].text, *end = at + strlen(at);
        CHECK_INT(ki_letter_next(&at, end), cases[j].want);
        CHECK(at == end);
    }
}

TEST(words_are_cut_at_blanks_and_punctuation)
{
    const char text[] = "  L\xc3\xa9on: The Pro-fessional\xe2\x80\xa6(1994)", *at = text;
    const char *const want[] = { "L\xc3\xa9on", "The", "Pro", "fessional", "1994" };
    size_t n;
    for (size_t j = 0; j < KI_COUNT(want); j++) {
        const char *word = ki_word_next(&at, text + sizeof text - 1, &n);
        CHECK(word != NULL && n == strlen(want[j]) && memcmp(word, want[j], n) == 0);
    }
    CHECK(ki_word_next(&at, text + sizeof text - 1, &n) == NULL && n == 0);
}
