/* SPDX-License-Identifier: MIT */
#include "catalogue.h"

#include "engine/knowledge.h"

static ki_knowledge read_knowledge(const struct catalogue *c, const char *text)
{
    ki_knowledge k;
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    ck_assert_msg(json != NULL, "%s: %s", text, error.text);
    CHECK_OK(ki_knowledge_read(&c->schema, json, &k, NULL));
    json_decref(json);
    return k;
}

/* The degree to which item (from 1) meets one wish. */
static double degree(const struct catalogue *c, const char *want, int item)
{
    double match;
    json_t *json = json_pack("[s]", want);
    ki_knowledge k;
    CHECK_OK(ki_knowledge_read(&c->schema, json, &k, NULL));
    CHECK_OK(ki_knowledge_match(&k, &c->env, item - 1, &match));
    ki_knowledge_clear(&k);
    json_decref(json);
    return match;
}

TEST(wishes_are_met_by_degrees)
{
    static const struct {
        const char *want;
        int item;
        double match;
    } all[] = {
        { "price <= 1000", 1, 1 },     /* 999 */
        { "price <= 1000", 7, 0.8 },   /* 1200: 200 of 1000 too much */
        { "price <= 400", 2, 0 },      /* 1349: over twice as much */
        { "price < 800", 3, 1 },       /* at the limit */
        { "price <= 1000", 5, 0 },     /* missing */
        { "not price <= 1000", 5, 0 }, /* so is its opposite */
        { "not price <= 1000", 7, 0.2 },
        { "price >= 1000", 3, 0.8 },
        { "ram = 16", 3, 0.5 },
        { "ram = 0", 3, 0 }, /* a limit of 0 reaches as far as 1 */
        { "price between 500 and 700", 4, 1 },
        { "price between 500 and 700", 3, 0.5 },   /* 100 beyond a width of 200 */
        { "price between 400 and 400", 6, 0.875 }, /* 50 of 400 */
        { "published >= now - 10d", 2, 0.6 },      /* 14 days old: 4 of 10 */
        { "published >= now - 10d", 1, 1 },
        { "tags has all (\"new\", \"light\")", 2, 0.5 },
        { "tags has all (\"new\", \"light\")", 1, 1 },
        { "tags has any (\"new\", \"light\")", 2, 1 },
        { "brand = \"HP\"", 2, 1 },
        { "brand = \"HP\"", 5, 0 },
        { "price <= 1000 and ram >= 32", 7, 0.5 }, /* least of 0.8 and 0.5 */
        { "price <= 1000 or ram >= 32", 7, 0.8 },
        { "price <= 1000 or ram >= 32", 5, 0.1875 }, /* what is missing counts 0; 6 of 32: 1 - 26 / 32 */
    };
    struct catalogue c;
    make_catalogue(&c);
    for (size_t j = 0; j < KI_COUNT(all); j++) {
        const double got = degree(&c, all[j].want, all[j].item);
        /* one division and one subtraction in double */
        ck_assert_msg(fabs(got - all[j].match) < 1e-12, "%s of i%d: %g, want %g", all[j].want, all[j].item, got,
                      all[j].match);
    }
    clear_catalogue(&c);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(utility_weighs_wishes_among_what_is_allowed)
{
    static const uint8_t laptops[N_ITEMS] = { 1, 1, 1, 0, 0, 0, 1, 0 };
    struct catalogue c;
    float u[N_ITEMS];
    ki_met fits[2];
    make_catalogue(&c);
    ki_knowledge k = read_knowledge(&c, "[{\"want\": \"price <= 1000\", \"weight\": 3}, \"ram >= 32\"]");
    CHECK_OK(ki_knowledge_score(&k, &c.env, laptops, u, fits));
    CHECK_NEAR(u[0], (3 * 1 + 0.5) / 4, 1e-7);   /* rounding to float */
    CHECK_NEAR(u[1], (3 * 0.651 + 1) / 4, 1e-7); /* 1349 */
    CHECK_NEAR(u[2], (3 * 1 + 0.25) / 4, 1e-7);
    CHECK(isinf(u[3]) && u[3] < 0);
    CHECK_NEAR(u[6], (3 * 0.8 + 0.5) / 4, 1e-7);
    CHECK_INT(fits[0].met, 2); /* i1 and i3 */
    CHECK_INT(fits[1].met, 1);
    CHECK_NEAR(fits[0].best, 1, 0);
    ki_knowledge_clear(&k);
    k = read_knowledge(&c, "[]");
    CHECK_OK(ki_knowledge_score(&k, &c.env, NULL, u, NULL));
    CHECK_NEAR(u[4], 1, 0);
    double match;
    CHECK_FAILS(ki_knowledge_match(&k, &c.env, 8, &match), KITH_EINVAL, "item 8 of 8");
    ki_knowledge_clear(&k);
    clear_catalogue(&c);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_text_may_begin_with_its_weight)
{
    struct catalogue c;
    make_catalogue(&c);
    ki_knowledge k =
        read_knowledge(&c, "[\"3: price <= 1000\", \" 0.5 :ram >= 16\", \"published >= 2024-01-01T10:30\"]");
    CHECK_NEAR(k.wishes[0].weight, 3, 0);
    CHECK_STR(k.wishes[0].text, "price <= 1000");
    CHECK_NEAR(k.wishes[1].weight, 0.5, 0);
    CHECK_STR(k.wishes[1].text, "ram >= 16");
    CHECK_NEAR(k.wishes[2].weight, 1, 0);
    ki_knowledge_clear(&k);
    clear_catalogue(&c);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(wishes_that_make_no_sense_are_refused_with_their_place)
{
    static ki_violations found;
    struct catalogue c;
    ki_knowledge k;
    make_catalogue(&c);
    json_t *json =
        json_loads("[5, {\"want\": \"price >\", \"weight\": 0}, {}, \"0: ram >= 1\", \"colour = 'red'\"]", 0, NULL);
    CHECK_FAILS(ki_knowledge_read(&c.schema, json, &k, &found), KITH_EINVAL, "wishes, /0: ");
    CHECK_INT(found.n, 6);
    CHECK_STR(found.list[1].pointer, "/1/weight");
    CHECK_STR(found.list[2].pointer, "/1/want");
    CHECK_STR(found.list[3].pointer, "/2/want");
    CHECK_STR(found.list[4].pointer, "/3");
    CHECK_STR(found.list[5].pointer, "/4");
    CHECK(found.list[5].why.picture[0] != '\0'); /* where in the text */
    json_decref(json);
    CHECK_FAILS(ki_knowledge_read(&c.schema, NULL, &k, NULL), KITH_EINVAL, "want a list");
    clear_catalogue(&c);
    CHECK_INT(ki_alloc_live(), 0);
}
