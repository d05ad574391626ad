/* test_live_filters.c -- filters over a catalogue that changes, and the parts of an index that are made for them
 */
#include "live_shop.h"

/* ---- filters ---- */

TEST(live_filters_follow_the_catalogue)
{
    struct shop s;
    open_shop(&s, "ials");
    const char *id = kith_model_user_id(s.model, 4);
    char best[64];
    first_of(s.l, id, best);
    const kith_query rare = { .user = id, .n = 50, .filter = "color = \"violet\"" };
    for (int round = 0; round < 2; round++) CHECK(!stands_in(s.l, rare, best));
    give_attributes(s.l, item(s.l, best), "{\"color\": \"violet\"}");
    for (int round = 0; round < 2; round++) CHECK(stands_in(s.l, rare, best));
    give_attributes(s.l, item(s.l, best), "{\"color\": \"red\"}");
    CHECK(!stands_in(s.l, rare, best));
    kith_list *list;
    const ki_live_query bad = { .query = { .user = id, .filter = "color = " } };
    CHECK_FAILS(ki_live_recommend(s.l, &bad, &list, NULL), KITH_EINVAL, "filter");
    CHECK_FAILS(ki_live_check(s.l, &(kith_query){ .filter = "size > 3" }), KITH_EINVAL, "size");
    CHECK_FAILS(ki_live_check(s.l, &(kith_query){ .pipeline = "{\"depth\": -1}" }), KITH_EINVAL, "depth");
    CHECK_OK(ki_live_check(s.l, &(kith_query){ .filter = "price > 3", .pipeline = "{\"depth\": 10}" }));
    close_shop(&s);
}

/* ---- a catalogue that is searched by an index, filters by parts of it ---- */

enum { WIDE = 3000 };

/* The list as a ranker makes it of everything: with more wanted than an index is asked for, and the same filter in
 * words that are not kept, because they name a time. */
static void check_part(ki_live *l, const char *user, const char *filter)
{
    char plain[200];
    kith_list *fast = NULL, *slow = NULL;
    snprintf(plain, sizeof plain, "(%s) and now > 2000-01-01", filter);
    CHECK_OK(ki_live_recommend(l, &(ki_live_query){ .query = { .user = user, .n = 10, .filter = filter }, .now = NOW },
                               &fast, NULL));
    CHECK_OK(ki_live_recommend(l, &(ki_live_query){ .query = { .user = user, .n = 10, .filter = plain }, .now = NOW },
                               &slow, NULL));
    CHECK_INT(fast->n, slow->n);
    for (int j = 0; j < fast->n; j++) {
        CHECK_STR(fast->items[j].item_id, slow->items[j].item_id);
        CHECK(memcmp(&fast->items[j].score, &slow->items[j].score, sizeof fast->items[j].score) == 0);
    }
    kith_list_free(fast);
    kith_list_free(slow);
}

/* A filter that comes once must not pay for an index of its own. */
TEST(live_part_of_the_index_is_made_at_the_second_question)
{
    struct shop s;
    ki_kept_filter *e;
    memset(&s, 0, sizeof s);
    CHECK_OK(kith_new(&(kith_options){ .threads = 2 }, &s.k));
    CHECK_OK(ki_live_new(NULL, &s.l));
    fill(s.l, s.k, 200, WIDE, 20000);
    CHECK_OK(ki_live_promote(s.l, train(s.k, s.l, "ials"), "one"));
    for (int j = 1; j <= 3; j++) {
        CHECK_OK(ki_live_filter(s.l, "price < 40", NULL, &e));
        CHECK_INT(atomic_load(&e->part) != NULL, j > 1);
        ki_live_filter_done(s.l, e);
    }
    CHECK(e->bytes > ki_inner_bytes(atomic_load(&e->part)) && s.l->filters.bytes == e->bytes);
    ki_live_free(s.l);
    kith_free(s.k);
}

/* Random questions between random changes of what the filter reads, of who may be served, and of histories. */
TEST(live_parts_of_the_index_follow_the_catalogue)
{
    static const char *const filters[] = { "color = \"red\" and price < 800", "tags has \"t1\"", "price < 40",
                                           "color = \"violet\"" };
    struct shop s;
    ki_rng r = ki_rng_make(11, 0, 0);
    memset(&s, 0, sizeof s);
    CHECK_OK(kith_new(&(kith_options){ .threads = 2 }, &s.k));
    CHECK_OK(ki_live_new(NULL, &s.l));
    fill(s.l, s.k, 200, WIDE, 20000);
    CHECK_OK(ki_live_promote(s.l, train(s.k, s.l, "ials"), "one"));
    for (int round = 0; round < 300; round++) {
        char user[16];
        const int32_t i = (int32_t)ki_rng_below(&r, WIDE);
        const uint32_t what = ki_rng_below(&r, 8), u = ki_rng_below(&r, 200);
        snprintf(user, sizeof user, "u%u", 1 + u);
        if (what == 0)
            give_attributes(s.l, i, "{\"color\": \"%s\", \"price\": %d, \"tags\": [\"t1\"]}",
                            round % 3 ? "red" : "violet", round);
        if (what == 1) CHECK_OK(ki_live_item_state(s.l, i, round % 2, 0));
        if (what == 2) CHECK_OK(ki_live_event(s.l, (int32_t)u, i, 1, NOW, KI_LIVE_ADD));
        if (round == 150) CHECK_OK(ki_live_promote(s.l, train(s.k, s.l, "ials"), "two"));
        check_part(s.l, user, filters[ki_rng_below(&r, KI_COUNT(filters))]);
    }
    ki_live_free(s.l);
    kith_free(s.k);
}
