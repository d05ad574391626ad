/* SPDX-License-Identifier: MIT
 * test_asking.c -- lists page by page, scenarios, variants, and what a cache may hold
 */
#include "service_world.h"

/* ---- pages ---- */

TEST(pages_go_on_without_repeating_or_skipping_whatever_changes)
{
    char seen[40][16];
    int n = 0;
    make_folder();
    open_service(NULL, csv);
    json_t *reply = ask("{\"user_id\": \"u3\", \"n\": 5, \"include_seen\": true}");
    char rec_id[64];
    snprintf(rec_id, sizeof rec_id, "%s", json_string_value(json_object_get(reply, "rec_id")));
    json_decref(reply);
    for (int page = 1; page <= 8; page++) {
        ki_text t = { 0 };
        size_t j;
        const json_t *one;
        CHECK_OK(ki_service_page(s, rec_id, page, NULL, &t));
        reply = json_loads(t.at, 0, NULL);
        ki_text_clear(&t);
        json_array_foreach (json_object_get(reply, "items"), j, one) {
            const char *id = json_string_value(json_object_get(one, "item_id"));
            for (int k = 0; k < n; k++) ck_assert_msg(strcmp(seen[k], id) != 0, "%s again", id);
            snprintf(seen[n++], sizeof seen[0], "%s", id);
        }
        CHECK_INT(json_is_true(json_object_get(reply, "more")), page < 8);
        json_decref(reply);
        CHECK_OK(event("u3", page % 2 ? "i7" : "i9", "rating", 1 + page % 5)); /* the scores move */
    }
    CHECK_INT(n, 40); /* the whole catalogue */
    CHECK_FAILS(ki_service_page(s, rec_id, 2, "u4", &(ki_text){ 0 }), KITH_ENOTFOUND, "no list of this user");
    close_service();
    remove_folder();
}

/* ---- scenarios and experiments ---- */

TEST(a_scenario_supplies_what_a_request_does_not_say)
{
    make_folder();
    open_service(NULL, csv);
    json_t *document = json_loads("{\"n\": 3, \"filter\": \"item in (\\\"i1\\\", \\\"i2\\\", \\\"i3\\\")\", "
                                  "\"include_seen\": true}",
                                  0, NULL);
    json_t *wrong = json_loads("{\"filter\": \"itm = 3\"}", 0, NULL);
    CHECK_OK(ki_service_check_scenario(s, document));
    CHECK_FAILS(ki_service_check_scenario(s, wrong), KITH_EINVAL, "itm");
    CHECK_OK(ki_service_put_document(s, "scenario", "three", document));
    json_t *reply = ask("{\"user_id\": \"u3\", \"scenario\": \"three\", \"filter\": \"not item = \\\"i2\\\"\"}");
    CHECK_INT(json_array_size(json_object_get(reply, "items")), 2);
    CHECK(!has(reply, "i2"));
    json_decref(reply);
    /* brackets of its own do not let a request out of the scenario's filter */
    json_t *out = json_loads("{\"user_id\": \"u3\", \"scenario\": \"three\", "
                             "\"filter\": \"item = \\\"i9\\\") or (item = \\\"i8\\\"\"}",
                             0, NULL);
    ki_text text = { 0 };
    CHECK_FAILS(ki_service_recommend(s, out, &text), KITH_EINVAL, ")");
    ki_text_clear(&text);
    json_decref(out);
    json_decref(document);
    json_decref(wrong);
    close_service();
    remove_folder();
}

TEST(a_scenario_and_a_request_bring_the_values_of_their_own_names)
{
    make_folder();
    open_service(NULL, csv);
    json_t *document = json_loads("{\"n\": 9, \"filter\": \"item in $these\", \"include_seen\": true, "
                                  "\"context\": {\"these\": [\"i1\", \"i2\", \"i3\"], \"not\": \"i1\"}}",
                                  0, NULL);
    CHECK_OK(ki_service_check_scenario(s, document));
    CHECK_OK(ki_service_put_document(s, "scenario", "these", document));
    json_t *reply = ask("{\"user_id\": \"u3\", \"scenario\": \"these\", \"filter\": \"not item = $not\", "
                        "\"context\": {\"not\": \"i2\"}}");
    CHECK_INT(json_array_size(json_object_get(reply, "items")), 2);
    CHECK(has(reply, "i1") && !has(reply, "i2"));
    json_decref(reply);
    json_decref(document);
    close_service();
    remove_folder();
}

/* The journal has the variant that a list was made by: a page of it says no other, whatever became of the experiment. */
TEST(a_page_says_the_variant_and_the_scenario_of_its_list)
{
    char rec_id[KI_REC_ID_ROOM];
    ki_text t = { 0 };
    make_folder();
    open_service(NULL, csv);
    json_t *scenario =
        json_loads("{\"n\": 2, \"filter\": \"item in (\\\"i1\\\", \\\"i2\\\", \\\"i3\\\", \\\"i4\\\")\", "
                   "\"include_seen\": true}",
                   0, NULL);
    json_t *experiment = json_loads("{\"state\": \"running\", \"salt\": \"1\", \"variants\": ["
                                    "{\"name\": \"a\", \"share\": 1, \"scenario\": \"four\"}]}",
                                    0, NULL);
    CHECK_OK(ki_service_put_document(s, "scenario", "four", scenario));
    CHECK_OK(ki_service_put_document(s, "experiment", "e", experiment));
    json_t *reply = ask("{\"user_id\": \"u3\"}");
    CHECK_STR(json_string_value(json_object_get(reply, "variant")), "a");
    snprintf(rec_id, sizeof rec_id, "%s", json_string_value(json_object_get(reply, "rec_id")));
    json_decref(reply);
    ki_change gone[] = { { .change = KI_DROP_DOCUMENT, .kind = "experiment", .id = "e" },
                         { .change = KI_DROP_DOCUMENT, .kind = "scenario", .id = "four" } };
    CHECK_OK(ki_service_write(s, gone, 2));
    CHECK_OK(ki_service_page(s, rec_id, 2, NULL, &t));
    reply = json_loads(t.at, 0, NULL);
    CHECK_STR(json_string_value(json_object_get(reply, "experiment")), "e");
    CHECK_STR(json_string_value(json_object_get(reply, "variant")), "a");
    CHECK_STR(json_string_value(json_object_get(reply, "scenario")), "four");
    CHECK_INT(json_array_size(json_object_get(reply, "items")), 2);
    json_decref(reply);
    ki_text_clear(&t);
    json_decref(scenario);
    json_decref(experiment);
    close_service();
    remove_folder();
}

TEST(entries_of_the_request_that_block_nothing_are_named)
{
    make_folder();
    open_service(NULL, csv);
    json_t *block = json_loads("{\"entries\": [\"id: of-the-shop\"]}", 0, NULL);
    CHECK_OK(ki_service_set_block(s, block));
    json_t *scenario = json_loads("{\"block\": [\"id: of-the-scenario\"]}", 0, NULL);
    CHECK_OK(ki_service_put_document(s, "scenario", "safe", scenario));
    for (int time = 0; time < 2; time++) { /* made, and from the cache */
        json_t *reply = ask("{\"user_id\": \"u3\", \"scenario\": \"safe\", \"block\": [\"id: i3\", \"id: nonesuch\"]}");
        const json_t *unused = json_object_get(reply, "block_unused");
        CHECK_INT(json_array_size(unused), 1);
        CHECK_STR(json_string_value(json_array_get(unused, 0)), "id: nonesuch");
        json_decref(reply);
    }
    CHECK_INT(atomic_load(&s->n_cached), 1);
    json_t *reply = ask("{\"user_id\": \"u3\", \"block\": [\"id: i3\"]}");
    CHECK(json_object_get(reply, "block_unused") == NULL);
    json_decref(reply);
    json_decref(block);
    json_decref(scenario);
    close_service();
    remove_folder();
}

TEST(users_are_dealt_to_variants_by_their_shares_and_stay_there)
{
    int n = 0;
    json_t *document = json_loads("{\"state\": \"running\", \"salt\": \"1\", \"variants\": ["
                                  "{\"name\": \"a\", \"share\": 3}, {\"name\": \"b\", \"share\": 1}]}",
                                  0, NULL);
    open_service(NULL, NULL);
    CHECK_OK(ki_service_put_document(s, "experiment", "e", document));
    for (int u = 0; u < 4000; u++) {
        char id[16];
        ki_variant first, second;
        snprintf(id, sizeof id, "u%d", u);
        ki_service_variant(s, id, &first);
        ki_service_variant(s, id, &second);
        CHECK_STR(first.variant, second.variant);
        n += first.variant[0] == 'b';
    }
    /* 1000 are expected, with a standard deviation of 27: five of them */
    CHECK_NEAR(n, 1000, 137);
    json_decref(document);
    close_service();
}

TEST(names_of_experiments_are_whole_in_any_script)
{
    char name[4 * 63 + 1] = "";
    ki_variant v;
    for (int j = 0; j < 63; j++) strcat(name, "\xf0\x9f\x8e\xac");
    json_t *document = json_pack("{s:s, s:[{s:s, s:i, s:s}]}", "state", "running", "variants", "name", name, "share", 1,
                                 "scenario", name);
    open_service(NULL, NULL);
    CHECK_OK(ki_service_put_document(s, "experiment", name, document));
    ki_service_variant(s, "ann", &v);
    CHECK_STR(v.experiment, name);
    CHECK_STR(v.variant, name);
    CHECK_STR(v.scenario, name);
    json_decref(document);
    close_service();
}

/* What is kept of a question for its further pages is read back as it was asked. */
TEST(values_are_written_as_they_are)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "null",
        "-12",
        "9007199254740993",
        "0.1",
        "3.0",
        "1e300",
        "-0.0",
        "\"a\\u0001\\\"\\\\\\u00e9\\n/\"",
        "{\"a\":[1,2,{\"b\":null}],\"c d\":true,\"e\\\"\":false,\"f\":{}}",
    };
    for (size_t j = 0; j < KI_COUNT(texts); j++) {
        json_t *value = json_loads(texts[j], JSON_DECODE_ANY, NULL);
        ki_text t = { 0 };
        CHECK(value != NULL);
        ki_write_value(&t, value);
        json_t *again = json_loads(t.at, JSON_DECODE_ANY, NULL);
        CHECK(json_equal(value, again) && json_typeof(value) == json_typeof(again));
        json_decref(value);
        json_decref(again);
        ki_text_clear(&t);
    }
}

/* A cache on the network may hold anything under a key. */
TEST(what_a_cache_holds_is_not_trusted)
{
    static const char bad[][12] = { "\x7f", "\xff\xff\xff\x7fi1", "\xff\xff\xff\xff", "\x02\0\0\0i1\0i2" };
    static const size_t sizes[] = { 1, 6, 4, 9 };
    make_folder();
    open_service(NULL, csv);
    json_t *q = json_loads("{\"user_id\": \"u3\", \"n\": 3}", 0, NULL);
    char key[KI_LIST_KEY_ROOM];
    ki_wish w;
    CHECK_OK(ki_wish_read(s, q, &w));
    ki_text asked = { 0 };
    ki_write_value(&asked, w.request);
    CHECK(ki_service_cache_key(s, &w, &asked, key));
    ki_text_clear(&asked);
    for (size_t j = 0; j < KI_COUNT(sizes); j++) {
        CHECK_OK(ki_service_cache_put(s, key, bad[j], sizes[j]));
        json_t *reply = ask("{\"user_id\": \"u3\", \"n\": 3}");
        CHECK_INT(json_array_size(json_object_get(reply, "items")), 3);
        json_decref(reply);
    }
    ki_wish_clear(&w);
    json_decref(q);
    close_service();
    remove_folder();
}
