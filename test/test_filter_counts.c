/* SPDX-License-Identifier: MIT */
#include "catalogue.h"

#include "engine/filter_counts.h"

static const ki_phrasebook *book(const char *tag)
{
    const ki_phrasebook *l = NULL;
    CHECK_OK(ki_phrasebook_find(tag, &l));
    return l;
}

static ki_counts count(const struct catalogue *c, const char *text, const uint8_t *base, int64_t wanted)
{
    ki_filter *f;
    ki_counts out;
    CHECK_OK(ki_filter_parse(&c->schema, text, &f, NULL));
    CHECK_OK(ki_filter_count(f, &c->env, base, wanted, book("en"), &out));
    ki_filter_free(f);
    return out;
}

TEST(what_is_left_is_told_in_the_language_of_who_asks)
{
    struct catalogue c;
    ki_filter *f;
    ki_counts n;
    make_catalogue(&c);
    CHECK_OK(ki_filter_parse(&c.schema, "category = \"laptop\" and price <= 900 and ram >= 16", &f, NULL));
    CHECK_OK(ki_filter_count(f, &c.env, NULL, 2, book("de"), &n));
    CHECK_STR(n.sentence, "0 von 8 Kandidaten kommen durch, gewünscht sind 2; ohne `price <= 900` wären es 3; "
                          "mit price <= 1200 blieben 2");
    ki_counts_clear(&n);
    ki_filter_free(f);
    CHECK_OK(ki_filter_parse(&c.schema, "category = \"phone\" and brand = \"HP\" and price <= 2000", &f, NULL));
    CHECK_OK(ki_filter_count(f, &c.env, NULL, 3, book("pt"), &n));
    CHECK(strstr(n.sentence, "; sem `category = \"phone\"` e `brand = \"HP\"` passariam ") != NULL);
    ki_counts_clear(&n);
    ki_filter_free(f);
    clear_catalogue(&c);
}

/* laptop: i1 i2 i3 i7.  price <= 900: i3 i4 i6 i8.  ram >= 16: i1 i2 i7.  Together: none.
 * Without the first: i3 i4 i6 i8 and i1 i2 i7: none.  Without price: i1 i2 i7.  Without ram: i3. */
TEST(counts_tell_what_each_clause_removes_and_gives_back)
{
    struct catalogue c;
    make_catalogue(&c);
    ki_counts n = count(&c, "category = \"laptop\" and price <= 900 and ram >= 16", NULL, 2);
    CHECK_INT(n.candidates, 8);
    CHECK_INT(n.passed, 0);
    CHECK_INT(n.n_clauses, 3);
    CHECK_INT(n.clauses[0].removes, 4);
    CHECK_INT(n.clauses[1].removes, 4); /* i1 i2 i5 i7: what is missing does not pass */
    CHECK_INT(n.clauses[2].removes, 5);
    CHECK_INT(n.clauses[0].remain, 4);
    CHECK_INT(n.clauses[1].remain, 1);
    CHECK_INT(n.clauses[2].remain, 0);
    CHECK_INT(n.clauses[0].back, 0);
    CHECK_INT(n.clauses[1].back, 3);
    CHECK_INT(n.clauses[2].back, 1);
    CHECK_INT(n.n_relax, 1);
    CHECK_INT(n.relax[0], 1);
    CHECK_INT(n.relaxed, 3);
    CHECK(n.clauses[0].suggestion == NULL);
    CHECK_STR(n.clauses[1].suggestion, "price <= 1200 would leave 2"); /* 999, 1200, then 1349 */
    CHECK_STR(n.clauses[2].suggestion, "ram >= 8 would leave 1");      /* all there is */
    CHECK_STR(n.sentence, "0 of 8 candidates pass, 2 are wanted; without `price <= 900` 3 would; "
                          "price <= 1200 would leave 2");
    json_t *json;
    CHECK_OK(ki_counts_json(&n, &json));
    CHECK_STR(json_string_value(json_array_get(json_object_get(json, "relax"), 0)), "price <= 900");
    CHECK_INT(json_array_size(json_object_get(json, "clauses")), 3);
    json_decref(json);
    ki_counts_clear(&n);
    clear_catalogue(&c);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_pair_is_relaxed_when_no_single_clause_suffices)
{
    struct catalogue c;
    make_catalogue(&c);
    /* phone: i4 i5; HP: i2 i7; title "star": i1 i2 i6.  No item has two of the first two; i2 has the last two.
     * Without phone: i2.  Pairs: phone + HP: i1 i2 i6; phone + star: i2 i7; HP + star: i4 i5. */
    ki_counts n = count(&c, "category = \"phone\" and brand = \"HP\" and title contains \"star\"", NULL, 3);
    CHECK_INT(n.passed, 0);
    CHECK_INT(n.clauses[0].back, 1);
    CHECK_INT(n.n_relax, 2);
    CHECK_INT(n.relax[0], 0);
    CHECK_INT(n.relax[1], 1);
    CHECK_INT(n.relaxed, 3);
    CHECK_STR(n.sentence,
              "0 of 8 candidates pass, 3 are wanted; without `category = \"phone\"` and `brand = \"HP\"` 3 would");
    ki_counts_clear(&n);
    n = count(&c, "category = \"phone\" and brand = \"HP\" and title contains \"star\"", NULL, 1);
    CHECK_INT(n.n_relax, 1); /* one is enough */
    CHECK_INT(n.relax[0], 0);
    ki_counts_clear(&n);
    clear_catalogue(&c);
}

TEST(ties_go_to_the_first_clause_and_enough_needs_no_relaxing)
{
    struct catalogue c;
    make_catalogue(&c);
    ki_counts n = count(&c, "ram = 32 and price = 800", NULL, 1); /* i2; i3 */
    CHECK_INT(n.clauses[0].back, 1);
    CHECK_INT(n.clauses[1].back, 1);
    CHECK_INT(n.relax[0], 0);
    CHECK_STR(n.clauses[0].suggestion, "ram between 8 and 32 would leave 1");
    CHECK_STR(n.clauses[1].suggestion, "price between 800 and 1349 would leave 1");
    ki_counts_clear(&n);
    n = count(&c, "price > 0", NULL, 7);
    CHECK_INT(n.n_relax, 0);
    CHECK_STR(n.sentence, "");
    CHECK(n.clauses[0].suggestion == NULL);
    ki_counts_clear(&n);
    n = count(&c, "price > 0", NULL, 8); /* i5 has no price: no number would let it in, dropping the clause does */
    CHECK_INT(n.n_relax, 1);
    CHECK(n.clauses[0].suggestion == NULL);
    ki_counts_clear(&n);
    clear_catalogue(&c);
}

TEST(suggestions_know_both_ends_times_and_the_candidates)
{
    struct catalogue c;
    const uint8_t base[N_ITEMS] = { 1, 1, 0, 1, 1, 1, 1, 1 };
    make_catalogue(&c);
    /* prices 999 1349 600 450 1200 300; inside: 600.  Nearest outside 500..900: 450 (50), 999 (99), 300 (200). */
    ki_counts n = count(&c, "price between 500 and 900", base, 3);
    CHECK_INT(n.candidates, 7);
    CHECK_INT(n.passed, 1);
    CHECK_STR(n.clauses[0].suggestion, "price between 450 and 999 would leave 3");
    ki_counts_clear(&n);
    /* i7 is a day old, i4 three, i1 five */
    n = count(&c, "published > now - 2d", NULL, 3);
    CHECK_STR(n.clauses[0].suggestion, "published >= 2024-01-10 would leave 3");
    ki_counts_clear(&n);
    n = count(&c, "price * 2 < $budget", NULL, 3); /* 900 600 pass; 1200 is next */
    CHECK_STR(n.clauses[0].suggestion, "price * 2 <= 1200 would leave 3");
    ki_counts_clear(&n);
    n = count(&c, "price < ram * 40", NULL, 7); /* both sides vary */
    CHECK(n.clauses[0].suggestion == NULL);
    ki_counts_clear(&n);
    clear_catalogue(&c);
}

TEST(every_allocation_of_a_count_may_fail)
{
    struct catalogue c;
    ki_filter *f;
    ki_counts n;
    make_catalogue(&c);
    CHECK_OK(ki_filter_parse(&c.schema, "brand in $brands and price <= 200 and ram > 40", &f, NULL));
    const int64_t live = ki_alloc_live();
    for (int at = 1;; at++) {
        ki_alloc_fail_at(at, 0);
        const kith_err err = ki_filter_count(f, &c.env, NULL, 5, book("en"), &n);
        ki_alloc_fail_at(0, 0);
        if (err == KITH_OK) break;
        CHECK_INT(err, KITH_ENOMEM);
        CHECK_INT(ki_alloc_live(), live);
    }
    ki_counts_clear(&n);
    CHECK_INT(ki_alloc_live(), live);
    ki_filter_free(f);
    clear_catalogue(&c);
}
