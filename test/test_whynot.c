/* SPDX-License-Identifier: MIT */
#include "catalogue.h"

#include "engine/whynot.h"

struct asked {
    struct catalogue c;
    ki_filter *filter;
    ki_rules rules;
    ki_item_facts facts; /* i4: ranked at 5 with score 2.5, not in the list of 3, whose last has 4 */
};

static void begin(struct asked *a)
{
    make_catalogue(&a->c);
    CHECK_OK(
        ki_filter_parse(&a->c.schema, "price <= 700 and ram >= 8 and not tags has \"refurbished\"", &a->filter, NULL));
    json_t *json = json_loads("{\"block\": [\"i1\"], \"exclude\": [\"i2\"], \"filter\": \"category != 'monitor'\", "
                              "\"cap\": [{\"column\": \"brand\", \"at_most\": 2}]}",
                              0, NULL);
    CHECK_OK(ki_rules_read(&a->c.schema, json, &a->rules, NULL));
    json_decref(json);
    a->facts = (ki_item_facts){ .item_id = "i4",
                                .filter = a->filter,
                                .env = &a->c.env,
                                .rules = &a->rules,
                                .rank = 5,
                                .score = 2.5,
                                .capped_by = -1,
                                .k = 3,
                                .last_score = 4 };
}

static void end(struct asked *a)
{
    ki_filter_free(a->filter);
    ki_rules_clear(&a->rules);
    clear_catalogue(&a->c);
    CHECK_INT(ki_alloc_live(), 0);
}

static void check(const struct asked *a, ki_why why, const char *sentence)
{
    ki_verdict v;
    CHECK_OK(ki_why_not(&a->c.schema, &a->facts, &v));
    CHECK_STR(v.sentence, sentence);
    CHECK_INT(v.why, why);
    ki_verdict_clear(&v);
}

TEST(each_reason_has_its_verdict_and_sentence)
{
    struct asked a;
    begin(&a);
    check(&a, KI_WHY_BELOW, "it is ranked at 5 with score 2.5; to enter the first 3 it needs 1.5 more");
    a.facts.last_score = 2;
    check(&a, KI_WHY_BELOW,
          "it is ranked at 5 with score 2.5; its score would do for the first 3, but what comes after "
          "ranking left it out");
    a.facts.capped_by = 0;
    check(&a, KI_WHY_CAPPED,
          "the rules allow 2 items of one brand in a list, and better ones with Apple come before it");
    a.facts.rank = 0;
    check(&a, KI_WHY_NO_SOURCE, "nothing that finds candidates brought it");
    a.facts.unlearnt = 1;
    check(&a, KI_WHY_NO_SOURCE,
          "the model does not know it yet; the next training takes it in, when there is something to learn about it");
    a.facts.seen = 1;
    check(&a, KI_WHY_SEEN, "the user has it already, and the request leaves out what was seen");
    a.facts.excluded = 1;
    check(&a, KI_WHY_EXCLUDED, "the request excludes it");
    a.facts.item_id = "i2";
    a.facts.excluded = 0;
    check(&a, KI_WHY_EXCLUDED, "the rules exclude it");
    a.facts.item_id = "i1";
    check(&a, KI_WHY_BLOCKED, "the rules block it");
    a.facts.item_id = "i9";
    check(&a, KI_WHY_UNKNOWN, "the catalogue of 8 items has no \"i9\"; nearest: \"i1\"");
    a.facts.item_id = "i4";
    a.facts.position = 2;
    a.facts.rank = 5;
    check(&a, KI_WHY_SHOWN, "it is in the list, at place 2 with score 2.5 (ranked at 5)");
    end(&a);
}

TEST(a_verdict_speaks_the_language_of_who_asks)
{
    struct asked a;
    begin(&a);
    CHECK_OK(ki_phrasebook_find("de", &a.facts.language));
    check(&a, KI_WHY_BELOW, "er steht auf Rang 5 mit dem Wert 2.5; um unter die ersten 3 zu kommen, fehlen ihm 1.5");
    a.facts.item_id = "i3";
    check(
        &a, KI_WHY_FILTERED,
        "der Filter verlangt `price <= 700`: price ist 800; und `not tags has \"refurbished\"`: tags ist refurbished");
    a.facts.item_id = "i9";
    check(&a, KI_WHY_UNKNOWN, "der Katalog mit 8 Artikeln enthält „i9“ nicht; am ähnlichsten: „i1“");
    CHECK_OK(ki_phrasebook_find("fr", &a.facts.language));
    check(&a, KI_WHY_UNKNOWN,
          "le catalogue de 8 articles ne contient pas «\xc2\xa0i9\xc2\xa0»\xc2\xa0; le plus proche : «\xc2\xa0"
          "i1\xc2\xa0»");
    end(&a);
}

TEST(a_removed_item_hears_its_own_values)
{
    struct asked a;
    ki_verdict v;
    json_t *json;
    begin(&a);
    a.facts.item_id = "i3";
    check(&a, KI_WHY_FILTERED,
          "the filter wants `price <= 700`: price is 800; and `not tags has \"refurbished\"`: tags is "
          "refurbished");
    a.facts.item_id = "i5";
    check(&a, KI_WHY_FILTERED,
          "the filter wants `price <= 700`, which is unknown for this item: price is missing; and "
          "`ram >= 8`: ram is 6");
    a.facts.filter = NULL;
    a.facts.item_id = "i8";
    check(&a, KI_WHY_FILTERED, "the rules want `category != \"monitor\"`: category is monitor");
    CHECK_OK(ki_why_not(&a.c.schema, &a.facts, &v));
    CHECK_INT(v.by_rules, 1);
    CHECK_INT(v.n_clauses, 1);
    CHECK_INT(v.clause, 0);
    CHECK_OK(ki_verdict_json(&v, &a.facts, &json));
    CHECK_STR(json_string_value(json_object_get(json, "why")), "filtered");
    CHECK_INT(json_integer_value(json_object_get(json, "clauses")), 1);
    json_decref(json);
    ki_verdict_clear(&v);
    end(&a);
}
