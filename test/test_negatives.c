/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "eval/negatives.h"

enum { ITEMS = 50 };

/* Item i has i training events, so item 0 cannot be served. */
static ki_catalogue make(int32_t *count)
{
    ki_catalogue c = { .n_items = ITEMS, .n_servable = ITEMS - 1, .count = count };
    for (int32_t i = 0; i < ITEMS; i++) c.n_events += count[i] = i;
    return c;
}

struct setting {
    int32_t count[ITEMS];
    ki_catalogue catalogue;
    ki_negatives negatives;
    ki_negatives_room room;
};

static void begin(struct setting *s, const char *text)
{
    ki_sampling how;
    *s = (struct setting){ 0 };
    s->catalogue = make(s->count);
    CHECK_OK(ki_sampling_parse(&how, text));
    CHECK_OK(ki_negatives_make(&s->negatives, how, &s->catalogue));
    CHECK_OK(ki_negatives_room_make(&s->room, ITEMS));
}

static void end(struct setting *s)
{
    ki_negatives_clear(&s->negatives);
    ki_negatives_room_clear(&s->room);
    CHECK_INT(ki_alloc_live(), 0);
}

static const int32_t history[] = { 3, 40 }, relevant[] = { 0, 7, 40 };

static int32_t draw(struct setting *s, uint64_t user, int32_t *out)
{
    const int32_t n = ki_negatives_draw(&s->negatives, &s->room, ki_rng_make(1, 0, user), history, 2, relevant, 3, out);
    int left = 0;
    for (int32_t i = 0; i < ITEMS; i++) left += s->room.taken[i];
    CHECK_INT(left, 0);
    return n;
}

static void check_sound(const char *text, int want)
{
    struct setting s;
    begin(&s, text);
    for (uint64_t user = 0; user < 200; user++) {
        int32_t out[ITEMS];
        uint8_t seen[ITEMS] = { 0 };
        int wrong = 0;
        CHECK_INT(draw(&s, user, out), want);
        for (int j = 0; j < want; j++) {
            wrong += out[j] == 3 || out[j] == 40 || out[j] == 7 || out[j] == 0 || seen[out[j]];
            seen[out[j]] = 1;
        }
        CHECK_INT(wrong, 0);
    }
    end(&s);
}

TEST(negatives_are_servable_distinct_and_nobodys)
{
    check_sound("8", 8);   /* drawn again until new */
    check_sound("30", 30); /* by keys */
    check_sound("8:popular", 8);
    check_sound("30:popular", 30);
    check_sound("100", ITEMS - 4); /* all there are */
}

/* How often item `item` is among the drawn of 4000 users. */
static double share(const char *text, int32_t item)
{
    struct setting s;
    int n = 0;
    begin(&s, text);
    for (uint64_t user = 0; user < 4000; user++) {
        int32_t out[ITEMS];
        const int32_t drawn = draw(&s, user, out);
        for (int32_t j = 0; j < drawn; j++) n += out[j] == item;
    }
    end(&s);
    return n / 4000.0;
}

TEST(one_negative_is_drawn_in_proportion)
{
    const double left = 49 * 50 / 2 - 3 - 40 - 7; /* events of what may be drawn */
    /* three standard errors of a share of 4000: 3 sqrt(p / 4000) */
    CHECK_NEAR(share("1", 49), 1 / 46.0, 0.007);
    CHECK_NEAR(share("1:popular", 49), 49 / left, 0.0097);
    CHECK_NEAR(share("1:popular", 10), 10 / left, 0.0044);
}

TEST(keys_and_drawing_again_agree)
{
    /* 11 of 46 are drawn again until new, 12 by keys: chances rise by about a tenth, and the errors of
     * both shares by three are 0.03 */
    const double few = share("11:popular", 20), many = share("12:popular", 20);
    CHECK(few < many + 0.03 && many < few * 12 / 11 + 0.03);
}

TEST(a_sampling_that_is_not_understood_is_refused)
{
    ki_sampling how;
    static const char *const bad[] = { "", "x", "0", "-3", "10:", "10:often", "10 ", "99999999" };
    for (size_t j = 0; j < KI_COUNT(bad); j++) CHECK_FAILS(ki_sampling_parse(&how, bad[j]), KITH_EINVAL, "negatives");
    CHECK_OK(ki_sampling_parse(&how, NULL));
    CHECK_INT(how.n, 0);
    CHECK_OK(ki_sampling_parse(&how, "100:uniform"));
    CHECK(how.n == 100 && !how.popular);
}
