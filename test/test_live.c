/* test_live.c -- a catalogue, histories and a model that change while questions are answered
 *
 * The engine is filled from simulated data; a model is trained on what it hands out and put in force.  Lists are held
 * against those of kith_recommend by a second model of the same training.
 */
#include "live_shop.h"

/* ---- a model in force ---- */

static const char *const models[] = {
    "ials", "item-knn", "user-knn", "popularity", "ease", "pagerank", "svd", "hybrid"
};

static int n_models(void)
{
    return (int)KI_COUNT(models);
}

TEST_EACH(live_answers_as_the_model_does_while_nothing_changes, n_models)
{
    struct shop s;
    open_shop(&s, models[loop_index]);
    for (int32_t u = 0; u < kith_model_n_users(s.model); u += 7) {
        const kith_query queries[] = { { .n = 12 },
                                       { .n = 5, .filter = "color = \"red\" and price < 40" },
                                       { .n = 60, .filter = "tags has \"t1\"" },
                                       { .n = 4, .n_reasons = 2 },
                                       { .n = 6, .include_seen = 1 } };
        for (size_t j = 0; j < KI_COUNT(queries); j++) {
            kith_query q = queries[j];
            kith_list *want;
            q.user = kith_model_user_id(s.model, u);
            CHECK_OK(kith_recommend(s.k, s.model, &q, &want));
            kith_list *got = ask(s.l, q);
            same_lists(got, want);
            if (want->n < q.n) CHECK_STR(got->report, want->report); /* too few: counted for this user */
            kith_list_free(got);
            kith_list_free(want);
        }
    }
    close_shop(&s);
}

TEST_EACH(live_folds_in_what_the_model_has_not_learnt, n_models)
{
    struct shop s;
    const char *liked[64];
    float values[64];
    ki_answer answer;
    kith_list *got, *want;
    json_t *history;
    open_shop(&s, models[loop_index]);
    const char *id = kith_model_user_id(s.model, 5);
    char best[64], next[64];
    first_of(s.l, id, best);
    CHECK_OK(ki_live_event(s.l, 5, item(s.l, best), 2, NOW, KI_LIVE_SET));
    CHECK(strcmp(first_of(s.l, id, next), best) != 0); /* seen: gone with the next question */
    CHECK_OK(ki_live_history(s.l, id, 0, &history));
    const int n = (int)json_array_size(history);
    for (int j = 0; j < n; j++) {
        liked[j] = json_string_value(json_object_get(json_array_get(history, (size_t)j), "item_id"));
        values[j] = (float)json_number_value(json_object_get(json_array_get(history, (size_t)j), "value"));
    }
    CHECK_STR(liked[0], best); /* the newest first */
    CHECK_OK(ki_live_recommend(s.l, &(ki_live_query){ .query = { .user = id, .n = 9 } }, &got, &answer));
    CHECK_OK(kith_recommend(s.k, s.model, &(kith_query){ .liked = liked, .liked_values = values, .n_liked = n, .n = 9 },
                            &want));
    CHECK(answer.folded && answer.n_history == n && answer.user == 5);
    CHECK_STR(answer.version, "v1");
    CHECK_INT(got->n, want->n);
    for (int j = 0; j < got->n; j++) {
        CHECK_STR(got->items[j].item_id, want->items[j].item_id);
        CHECK(memcmp(&got->items[j].score, &want->items[j].score, sizeof(double)) == 0);
    }
    kith_list_free(got);
    kith_list_free(want);
    json_decref(history);
    CHECK_OK(ki_live_take_back(s.l, 5, item(s.l, best))); /* and back: the model's own user again */
    CHECK_OK(ki_live_recommend(s.l, &(ki_live_query){ .query = { .user = id, .n = 9 } }, &got, &answer));
    CHECK(!answer.folded);
    CHECK_STR(got->items[0].item_id, best);
    kith_list_free(got);
    close_shop(&s);
}

TEST(live_values_are_set_or_added)
{
    struct shop s;
    json_t *history;
    open_shop(&s, "ials");
    const int32_t u = user(s.l, "someone");
    CHECK_OK(ki_live_event(s.l, u, 3, 2, NOW, KI_LIVE_SET));
    CHECK_OK(ki_live_event(s.l, u, 3, 5, NOW + 1, KI_LIVE_ADD));
    CHECK_OK(ki_live_event(s.l, u, 4, 5, NOW, KI_LIVE_ADD));
    CHECK_OK(ki_live_event(s.l, u, 4, 1, NOW - 9, KI_LIVE_SET));
    CHECK_OK(ki_live_history(s.l, "someone", 0, &history));
    CHECK_INT((int)json_array_size(history), 2);
    const json_t *first = json_array_get(history, 0), *second = json_array_get(history, 1);
    CHECK_NEAR(json_number_value(json_object_get(first, "value")), 7, 0);
    CHECK_NEAR(json_number_value(json_object_get(second, "value")), 1, 0);
    CHECK(json_integer_value(json_object_get(second, "time")) == NOW); /* of the two times the later */
    CHECK(stands_in(s.l, (kith_query){ .user = "someone", .n = 50 }, kith_model_item_id(s.model, 9)));
    CHECK(!stands_in(s.l, (kith_query){ .user = "someone", .n = 50 }, kith_model_item_id(s.model, 3)));
    json_decref(history);
    close_shop(&s);
}

/* ---- items come, hide and go ---- */

TEST(live_hidden_items_are_served_by_nothing)
{
    struct shop s;
    char best[64], pipeline[256];
    kith_list *list;
    char *why;
    open_shop(&s, "item-knn");
    const char *id = kith_model_user_id(s.model, 2);
    first_of(s.l, id, best);
    const int32_t i = item(s.l, best);
    snprintf(pipeline, sizeof pipeline, "{\"rules\": {\"pin\": [{\"item\": \"%s\", \"at\": 1}]}}", best);
    const kith_query queries[] = { { .user = id, .n = 50 },
                                   { .user = id, .n = 50, .filter = "price >= 0" },
                                   { .user = id, .n = 50, .pipeline = pipeline },
                                   { .user = id, .n = 50, .pipeline = "{\"retrieve\": [{\"from\": \"popular\"}]}" },
                                   { .user = id, .n = 50, .pipeline = "{\"rank\": {\"by\": \"popularity\"}}" },
                                   { .user = "nobody", .n = 50 } };
    for (int round = 0; round < 3; round++) {
        const int hidden = round == 1;
        CHECK_OK(ki_live_item_state(s.l, i, hidden, 0));
        for (size_t j = 0; j < KI_COUNT(queries); j++) CHECK_INT(stands_in(s.l, queries[j], best), !hidden);
        for (int c = KI_CHART_POPULAR; c <= KI_CHART_LATEST; c++) {
            CHECK_OK(ki_live_chart(s.l, (ki_chart)c, &(ki_live_query){ .query.n = 50, .now = NOW }, &list));
            CHECK_INT(place_in(list, best) >= 0, !hidden);
            kith_list_free(list);
        }
        CHECK_OK(ki_live_search(s.l, best, &(ki_live_query){ 0 }, &list));
        CHECK_INT(place_in(list, best) >= 0, !hidden);
        kith_list_free(list);
        CHECK_OK(ki_live_why_not(s.l, &(ki_live_query){ .query = { .user = id } }, best, &why));
        CHECK_INT(strstr(why, "\"hidden\"") != NULL, hidden);
        kith_string_free(why);
    }
    close_shop(&s);
}

TEST(live_block_lists_are_not_searched_again_for_what_they_lack)
{
    struct shop s;
    ki_answer answer;
    kith_list *list;
    open_shop(&s, "ials");
    const char *const filters[] = { NULL, "price >= 0" };
    for (size_t f = 0; f < KI_COUNT(filters); f++) {
        json_t *unused = NULL;
        const ki_live_query q = { .query = { .user = kith_model_user_id(s.model, 1), .filter = filters[f] },
                                  .block = f == 0 ? "id: none" : "id: nothing" };
        CHECK_OK(ki_live_recommend(s.l, &q, &list, &answer));
        kith_list_free(list);
        const int kept = s.l->filters.n;
        CHECK_OK(ki_live_block_unused(s.l, &q, 1, &unused));
        CHECK_INT(json_array_size(unused), 1);
        CHECK_INT(s.l->filters.n, kept);
        json_decref(unused);
    }
    close_shop(&s);
}

TEST(live_latest_goes_by_any_date_that_a_store_takes)
{
    static const int64_t second[] = { -62135596800, -1219190400, 0, 1000000000, 4294967296, 4294967297, 253402300799 };
    struct shop s;
    char id[16];
    kith_list *list;
    open_shop(&s, "ials");
    const int n = (int)KI_COUNT(second);
    for (int j = 0; j < n; j++) {
        snprintf(id, sizeof id, "dated-%d", j);
        CHECK_OK(ki_live_item_state(s.l, item(s.l, id), 0, second[j]));
    }
    CHECK_OK(ki_live_chart(s.l, KI_CHART_LATEST, &(ki_live_query){ .query.n = 1000 }, &list));
    int last = -1;
    for (int j = n - 1; j >= 0; j--) {
        snprintf(id, sizeof id, "dated-%d", j);
        const int place = place_in(list, id);
        CHECK(place > last);
        last = place;
    }
    CHECK_INT(last, list->n - 1);
    kith_list_free(list);
    close_shop(&s);
}

TEST(live_new_items_are_found_before_they_are_learnt)
{
    struct shop s;
    kith_list *list;
    char *why;
    open_shop(&s, "ials");
    const char *id = kith_model_user_id(s.model, 1);
    const int32_t i = item(s.l, "novelty");
    give_attributes(s.l, i, "{\"color\": \"green\", \"title\": \"A Brand New Thing\"}");
    CHECK_OK(ki_live_item_state(s.l, i, 0, NOW));
    CHECK(!stands_in(s.l, (kith_query){ .user = id, .n = 60 }, "novelty"));
    CHECK_OK(ki_live_why_not(s.l, &(ki_live_query){ .query = { .user = id } }, "novelty", &why));
    CHECK(strstr(why, "the model does not know it yet") != NULL);
    kith_string_free(why);
    CHECK_OK(ki_live_chart(s.l, KI_CHART_LATEST, &(ki_live_query){ .query.n = 1 }, &list));
    CHECK_INT(place_in(list, "novelty"), 0);
    kith_list_free(list);
    CHECK_OK(
        ki_live_chart(s.l, KI_CHART_LATEST, &(ki_live_query){ .query = { .filter = "color = \"green\"" } }, &list));
    CHECK_INT(list->n, 1);
    kith_list_free(list);
    CHECK_OK(ki_live_search(s.l, "brand new", &(ki_live_query){ 0 }, &list));
    CHECK_INT(list->n, 1);
    CHECK_STR(list->items[0].title, "A Brand New Thing");
    kith_list_free(list);
    const char *retrieve = "{\"retrieve\": [{\"from\": \"model\", \"quota\": 5}, {\"from\": \"new\", \"quota\": 2}]}";
    CHECK(stands_in(s.l, (kith_query){ .user = id, .n = 10, .pipeline = retrieve }, "novelty"));
    CHECK(stands_in(s.l, (kith_query){ .user = id, .filter = "color = \"green\"", .pipeline = retrieve }, "novelty"));
    CHECK_OK(ki_live_event(s.l, 9, i, 5, NOW, KI_LIVE_SET)); /* a history with an item that the model lacks */
    CHECK(!stands_in(s.l, (kith_query){ .user = kith_model_user_id(s.model, 9), .n = 60, .pipeline = retrieve },
                     "novelty"));
    CHECK_OK(ki_live_similar(s.l, "novelty", &(ki_live_query){ 0 }, &list));
    CHECK_INT(list->n, 0);
    CHECK(strstr(list->note, "next training") != NULL);
    kith_list_free(list);
    kith_model *next = train(s.k, s.l, "ials");
    CHECK_OK(ki_live_promote(s.l, next, "v2"));
    CHECK(stands_in(s.l, (kith_query){ .user = id, .n = 60 }, "novelty"));
    close_shop(&s);
}

TEST(live_dropped_items_are_nowhere)
{
    struct shop s;
    char best[64];
    ki_live_counts before, after;
    json_t *history;
    open_shop(&s, "ials");
    const char *id = kith_model_user_id(s.model, 2);
    first_of(s.l, id, best);
    const int32_t i = item(s.l, best);
    CHECK_OK(ki_live_event(s.l, 2, i, 4, NOW, KI_LIVE_SET));
    ki_live_count(s.l, &before);
    CHECK_OK(ki_live_drop_item(s.l, i));
    ki_live_count(s.l, &after);
    CHECK_INT(after.items, before.items - 1);
    CHECK(after.pairs < before.pairs);
    CHECK(!stands_in(s.l, (kith_query){ .user = id, .n = 60 }, best));
    CHECK(!stands_in(s.l, (kith_query){ .user = id, .n = 60, .filter = "price >= 0" }, best));
    CHECK_OK(ki_live_history(s.l, id, 0, &history));
    for (size_t j = 0; j < json_array_size(history); j++)
        CHECK(strcmp(json_string_value(json_object_get(json_array_get(history, j), "item_id")), best) != 0);
    json_decref(history);
    CHECK_FAILS(ki_live_event(s.l, 2, i, 1, NOW, KI_LIVE_SET), KITH_ENOTFOUND, "was dropped");
    int32_t again;
    CHECK_OK(ki_live_item(s.l, best, &again)); /* the id may come back: as another item */
    CHECK(again != i);
    close_shop(&s);
}

/* ---- events by ids, a run at a time ---- */

static void check_history(ki_live *l, const char *user, const char *item, double value)
{
    json_t *rows = NULL;
    CHECK_OK(ki_live_history(l, user, 1, &rows));
    CHECK_STR(json_string_value(json_object_get(json_array_get(rows, 0), "item_id")), item);
    CHECK_NEAR(json_number_value(json_object_get(json_array_get(rows, 0), "value")), value, 0);
    json_decref(rows);
}

/* A number that is another's, or nobody's, is not believed; who is new is added; what says nothing makes them known. */
TEST(live_takes_a_run_of_events_by_ids)
{
    ki_live *l;
    ki_live_counts counts;
    int32_t at;
    int done = -1;
    CHECK_OK(ki_live_new(NULL, &l));
    CHECK_OK(ki_live_user(l, "ann", &at));
    CHECK_OK(ki_live_user(l, "bob", &at));
    CHECK_OK(ki_live_item(l, "x", &at));
    const ki_live_happening run[] = {
        { .user = "ann", .item = "x", .u = 0, .i = 0, .value = 1, .time = 10, .how = KI_LIVE_ADD },
        { .user = "bob", .item = "x", .u = 0, .i = 7, .value = 2, .time = 20, .how = KI_LIVE_ADD },
        { .user = "cid", .item = "y", .u = 2, .i = 1, .value = 3, .time = 30, .how = KI_LIVE_SET },
        { .user = "ann", .item = "y", .u = -1, .i = 1, .value = 4, .time = 40, .how = KI_LIVE_ADD },
        { .user = "dan", .item = "z", .u = 9, .i = 9, .value = 5, .time = 50, .only_known = 1 },
    };
    CHECK_OK(ki_live_happen(l, run, (int)KI_COUNT(run), &done));
    CHECK_INT(done, KI_COUNT(run));
    check_history(l, "bob", "x", 2);
    check_history(l, "cid", "y", 3);
    check_history(l, "ann", "y", 4);
    ki_live_count(l, &counts);
    CHECK_INT(counts.users, 4);
    CHECK_INT(counts.items, 3);
    CHECK_INT(counts.pairs, 4);
    const ki_live_happening bad[] = { run[0], { .user = "ann", .item = "x", .value = NAN }, run[1] };
    CHECK_FAILS(ki_live_happen(l, bad, 3, &done), KITH_EINVAL, "finite");
    CHECK_INT(done, 1);
    check_history(l, "bob", "x", 2); /* what came after did not happen */
    ki_live_free(l);
}

TEST(live_filters_by_time_popularity_and_names_are_asked_anew)
{
    struct shop s;
    open_shop(&s, "ials");
    const char *id = kith_model_user_id(s.model, 4);
    char best[64];
    first_of(s.l, id, best);
    give_attributes(s.l, item(s.l, best), "{\"color\": \"red\", \"out\": \"2024-01-10\"}");
    const kith_query fresh = { .user = id, .n = 50, .filter = "out >= now - 7d" };
    kith_list *list;
    const int64_t then = 1704844800; /* 2024-01-10 */
    for (int round = 0; round < 2; round++) {
        const ki_live_query q = { .query = fresh, .now = then + (round == 0 ? DAY : 30 * DAY) };
        CHECK_OK(ki_live_recommend(s.l, &q, &list, NULL));
        CHECK_INT(list->n, round == 0);
        kith_list_free(list);
    }
    const int32_t i = item(s.l, best), u = user(s.l, "another");
    char filter[64];
    ki_live_counts counts;
    ki_live_count(s.l, &counts);
    CHECK_OK(ki_live_chart(s.l, KI_CHART_POPULAR, &(ki_live_query){ .query.n = 50 }, &list));
    snprintf(filter, sizeof filter, "popularity > %g and color = \"red\"", list->items[place_in(list, best)].score);
    kith_list_free(list);
    CHECK(!stands_in(s.l, (kith_query){ .user = id, .n = 50, .filter = filter }, best));
    CHECK_OK(ki_live_event(s.l, u, i, 1, NOW, KI_LIVE_SET));
    CHECK(stands_in(s.l, (kith_query){ .user = id, .n = 50, .filter = filter }, best));
    close_shop(&s);
}

TEST(live_attributes_that_do_not_fit_change_nothing)
{
    struct shop s;
    open_shop(&s, "popularity");
    json_t *bad = json_loads("{\"color\": \"white\", \"price\": \"cheap\"}", 0, NULL);
    json_t *worse = json_loads("{\"color\": \"white\", \"novel\": {\"a\": 1}}", 0, NULL);
    const kith_query white = { .user = kith_model_user_id(s.model, 4), .n = 50, .filter = "color = \"white\"" };
    CHECK_FAILS(ki_live_item_attributes(s.l, 1, bad), KITH_EINVAL, "price");
    CHECK_FAILS(ki_live_item_attributes(s.l, 1, worse), KITH_EINVAL, "novel");
    CHECK_FAILS(ki_live_item_attributes(s.l, 1, json_true()), KITH_EINVAL, "JSON object");
    kith_list *list = ask(s.l, white);
    CHECK_INT(list->n, 0);
    kith_list_free(list);
    json_decref(bad);
    json_decref(worse);
    close_shop(&s);
}

/* ---- charts ---- */

TEST(live_trends_halve_with_time)
{
    ki_live *l;
    kith_list *list;
    CHECK_OK(ki_live_new(&(ki_live_options){ .trend_half_life = DAY }, &l));
    const int32_t a = item(l, "a"), b = item(l, "b");
    char id[8];
    for (int j = 0; j < 4; j++) {
        snprintf(id, sizeof id, "u%d", j);
        CHECK_OK(ki_live_event(l, user(l, id), a, 1, NOW - 3 * DAY, KI_LIVE_SET));
    }
    CHECK_OK(ki_live_event(l, user(l, "u1"), b, 1, NOW - DAY, KI_LIVE_SET));
    CHECK_OK(ki_live_chart(l, KI_CHART_TRENDING, &(ki_live_query){ .now = NOW }, &list));
    CHECK_STR(list->items[0].item_id, "a");      /* both 1/2: the lower number first */
    CHECK_NEAR(list->items[0].score, 0.5, 1e-6); /* float */
    CHECK_NEAR(list->items[1].score, 0.5, 1e-6);
    kith_list_free(list);
    CHECK_OK(ki_live_event(l, user(l, "u1"), b, 1, NOW, KI_LIVE_SET)); /* again: counts as of now, once */
    CHECK_OK(ki_live_chart(l, KI_CHART_TRENDING, &(ki_live_query){ .now = NOW }, &list));
    CHECK_STR(list->items[0].item_id, "b");
    CHECK_NEAR(list->items[0].score, 1, 1e-6);
    kith_list_free(list);
    CHECK_OK(ki_live_chart(l, KI_CHART_POPULAR, &(ki_live_query){ .query.user = "u1" }, &list));
    CHECK_INT(list->n, 0); /* u1 has both */
    kith_list_free(list);
    list = ask(l, (kith_query){ .user = "u2" });
    CHECK_STR(list->basis, "popular");
    CHECK(strstr(list->note, "no model") != NULL);
    CHECK_INT(list->n, 1);
    kith_list_free(list);
    ki_live_free(l);
}

TEST(live_similar_users_share_items)
{
    ki_live *l;
    kith_list *list;
    CHECK_OK(ki_live_new(NULL, &l));
    const char *rows[][2] = { { "ann", "a" }, { "ann", "b" }, { "bob", "a" },
                              { "bob", "b" }, { "cid", "b" }, { "dee", "c" } };
    for (size_t j = 0; j < KI_COUNT(rows); j++)
        CHECK_OK(ki_live_event(l, user(l, rows[j][0]), item(l, rows[j][1]), 1, NOW, KI_LIVE_SET));
    CHECK_OK(ki_live_similar_users(l, "ann", 0, &list));
    CHECK_INT(list->n, 2);
    CHECK_STR(list->items[0].item_id, "bob");
    CHECK_NEAR(list->items[0].score, 1, 1e-6);
    CHECK_STR(list->items[1].item_id, "cid");
    CHECK_NEAR(list->items[1].score, 1 / sqrt(2), 1e-6); /* float */
    kith_list_free(list);
    ki_live_free(l);
}

/* ---- numbers, models ---- */

TEST(live_refuses_a_model_of_other_people)
{
    struct shop s;
    ki_live *other;
    int32_t at;
    open_shop(&s, "popularity");
    CHECK_OK(ki_live_new(NULL, &other));
    CHECK_OK(ki_live_user(other, "zoe", &at));
    CHECK_FAILS(ki_live_promote(other, s.model, "v1"), KITH_EINVAL, "users");
    fill(other, s.k, 60, 50, 900); /* the same ids one number later */
    CHECK_FAILS(ki_live_promote(other, s.model, "v1"), KITH_EINVAL, "user number 0");
    ki_live_free(other);
    close_shop(&s);
}

TEST(live_counts_what_the_model_has_not_seen)
{
    struct shop s;
    ki_live_counts counts;
    open_shop(&s, "popularity");
    ki_live_count(s.l, &counts);
    CHECK_INT(counts.since_model, 0);
    CHECK_INT(counts.users, 60);
    CHECK_INT(counts.items, 50);
    kith_model *next = train(s.k, s.l, "popularity");
    CHECK_OK(ki_live_event(s.l, 1, 1, 1, NOW, KI_LIVE_SET));
    ki_live_count(s.l, &counts);
    CHECK_INT(counts.since_model, 1);
    CHECK_OK(ki_live_promote(s.l, next, "v2"));
    ki_live_count(s.l, &counts);
    CHECK_INT(counts.since_model, 1); /* it came after the data was taken */
    CHECK_OK(ki_live_promote(s.l, train(s.k, s.l, "popularity"), "v3"));
    ki_live_count(s.l, &counts);
    CHECK_INT(counts.since_model, 0);
    close_shop(&s);
}

/* ---- memory ---- */

/* What the store has dropped is not to be asked for, also when there is no memory to take all of it away. */
TEST(live_users_and_items_go_without_memory_too)
{
    struct shop s;
    int32_t found;
    open_shop(&s, "ials");
    for (int32_t j = 0; j < 8; j++) {
        char user[64], item[64];
        snprintf(user, sizeof user, "%s", kith_model_user_id(s.model, j));
        snprintf(item, sizeof item, "%s", kith_model_item_id(s.model, j));
        ki_alloc_fail_at(1 + j, 1);
        (void)ki_live_drop_user(s.l, j);
        (void)ki_live_drop_item(s.l, j);
        ki_alloc_fail_at(0, 0);
        CHECK_FAILS(ki_live_find_user(s.l, user, &found), KITH_ENOTFOUND, user);
        CHECK_FAILS(ki_live_find_item(s.l, item, &found), KITH_ENOTFOUND, item);
    }
    close_shop(&s);
}

TEST(live_training_and_promotion_survive_want_of_memory)
{
    struct shop s;
    kith_data *d = NULL;
    open_shop(&s, "ials");
    for (int64_t n = 1; d == NULL; n++) {
        const int64_t blocks = ki_alloc_live();
        ki_alloc_fail_at(n, 1);
        const kith_err err = ki_live_data(s.l, &d);
        ki_alloc_fail_at(0, 0);
        CHECK(err == KITH_OK || (err == KITH_ENOMEM && ki_alloc_live() == blocks));
    }
    kith_data_free(d);
    CHECK_OK(ki_live_drop_user(s.l, 3)); /* so that promotion has to forget somebody */
    kith_err err = KITH_ENOMEM;
    for (int64_t n = 1; err != KITH_OK; n++) {
        ki_alloc_fail_at(n, 1);
        err = ki_live_promote(s.l, s.model, "v2");
        ki_alloc_fail_at(0, 0);
        CHECK(err == KITH_OK || err == KITH_ENOMEM);
        kith_list *list = ask(s.l, (kith_query){ .user = kith_model_user_id(s.model, 5) });
        CHECK(list->n > 0);
        kith_list_free(list);
    }
    s.model = NULL; /* the engine's now */
    close_shop(&s);
    CHECK(ki_alloc_live() == 0);
}

/* Every allocation of a change or a question refused in turn: a failure is told, nothing leaks, and all goes on. */
TEST(live_survives_want_of_memory)
{
    struct shop s;
    kith_list *list;
    int32_t at;
    open_shop(&s, "ials");
    json_t *attributes = json_pack("{s:s, s:[s,s], s:s, s:i}", "color", "teal", "tags", "new1", "new2", "title",
                                   "A longer title than any before", "weight", 3);
    const ki_live_query q = {
        .query = { .user = kith_model_user_id(s.model, 3), .n = 7, .filter = "color = \"teal\" or price < 30" }
    };
    for (int64_t n = 1, done = 0; !done; n++) {
        CHECK(n < 2000);
        char id[16];
        snprintf(id, sizeof id, "m%d", (int)n);
        ki_alloc_fail_at(n, 1);
        kith_err err = ki_live_item(s.l, id, &at);
        if (err == KITH_OK) err = ki_live_item_attributes(s.l, at, attributes);
        if (err == KITH_OK) err = ki_live_user(s.l, id, &at);
        if (err == KITH_OK) err = ki_live_event(s.l, at, 5, 1, NOW, KI_LIVE_SET);
        if (err == KITH_OK && (err = ki_live_recommend(s.l, &q, &list, NULL)) == KITH_OK) kith_list_free(list);
        ki_alloc_fail_at(0, 0);
        CHECK(err == KITH_OK || err == KITH_ENOMEM);
        done = err == KITH_OK;
        CHECK_OK(ki_live_recommend(s.l, &q, &list, NULL));
        CHECK_INT(list->n, 7);
        kith_list_free(list);
    }
    json_decref(attributes);
    close_shop(&s);
    CHECK(ki_alloc_live() == 0);
}
