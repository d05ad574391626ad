/* test_live.c -- a catalogue, histories and a model that change while questions are answered
 *
 * The engine is filled from simulated data; a model is trained on what it hands out and put in force.  Lists are held
 * against those of kith_recommend by a second model of the same training, and after random changes against a naive model
 * of plain arrays.
 */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "engine/folded.h"
#include "engine/live_inside.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { DAY = 86400, NOW = 2000000000 };

struct shop {
    kith *k;
    ki_live *l;
    kith_model *model; /* the same training as the one in force */
};

static void give_attributes(ki_live *l, int32_t i, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_t *o = json_loads(text, 0, NULL);
    CHECK(o != NULL);
    CHECK_OK(ki_live_item_attributes(l, i, o));
    json_decref(o);
}

/* Users u0.., items i0.. with color, price, title, tags. */
static void fill(ki_live *l, kith *k, int n_users, int n_items, int n_events)
{
    kith_data *d;
    int32_t at;
    CHECK_OK(kith_data_generate(
        k, &(kith_generate_options){ .n_users = n_users, .n_items = n_items, .n_interactions = n_events }, &d));
    for (int32_t u = 0; u < d->users.n; u++) CHECK_OK(ki_live_user(l, kith_data_user_id(d, u), &at));
    for (int32_t i = 0; i < d->items.n; i++) {
        CHECK_OK(ki_live_item(l, kith_data_item_id(d, i), &at));
        CHECK_INT(at, i);
        give_attributes(l, i,
                        "{\"color\": \"%s\", \"price\": %d, \"title\": \"Thing %c %d\", \"tags\": [\"t%d\", \"u%d\"]}",
                        i % 2 ? "red" : "blue", i, 'a' + i % 26, i, i % 3, i % 5);
    }
    CHECK_OK(ki_live_events(l, d->log.n, d->log.user, d->log.item, d->log.value, d->log.time, KI_LIVE_SET));
    kith_data_free(d);
}

static kith_model *train(kith *k, ki_live *l, const char *name)
{
    kith_data *d;
    kith_model *m;
    CHECK_OK(ki_live_data(l, &d));
    CHECK_OK(kith_train(k, d, name, NULL, 0, &m));
    kith_data_free(d);
    return m;
}

static void open_shop(struct shop *s, const char *model)
{
    CHECK_OK(kith_new(&(kith_options){ .threads = 1, .seed = 3 }, &s->k));
    CHECK_OK(ki_live_new(&(ki_live_options){ .trend_half_life = 1e9 }, &s->l));
    fill(s->l, s->k, 60, 50, 900);
    s->model = train(s->k, s->l, model);
    CHECK_OK(ki_live_promote(s->l, train(s->k, s->l, model), "v1"));
}

static void close_shop(struct shop *s)
{
    kith_model_free(s->model);
    ki_live_free(s->l);
    kith_free(s->k);
}

static kith_list *ask(ki_live *l, kith_query q)
{
    kith_list *list;
    CHECK_OK(ki_live_recommend(l, &(ki_live_query){ .query = q, .now = NOW, .seed = 1 }, &list, NULL));
    return list;
}

static int place_in(const kith_list *list, const char *id)
{
    for (int j = 0; j < list->n; j++)
        if (strcmp(list->items[j].item_id, id) == 0) return j;
    return -1;
}

static int stands_in(ki_live *l, kith_query q, const char *id)
{
    kith_list *list = ask(l, q);
    const int at = place_in(list, id);
    kith_list_free(list);
    return at >= 0;
}

/* The same items, scores (bit for bit) and basis. */
static void same_lists(const kith_list *a, const kith_list *b)
{
    CHECK_STR(a->basis, b->basis);
    CHECK_INT(a->n, b->n);
    for (int j = 0; j < a->n; j++) {
        CHECK_STR(a->items[j].item_id, b->items[j].item_id);
        CHECK(memcmp(&a->items[j].score, &b->items[j].score, sizeof(double)) == 0);
    }
}

static int32_t user(ki_live *l, const char *id)
{
    int32_t u;
    CHECK_OK(ki_live_user(l, id, &u));
    return u;
}

static int32_t item(ki_live *l, const char *id)
{
    int32_t i;
    CHECK_OK(ki_live_item(l, id, &i));
    return i;
}

static const char *first_of(ki_live *l, const char *user_id, char *out)
{
    kith_list *list = ask(l, (kith_query){ .user = user_id, .n = 1 });
    CHECK_INT(list->n, 1);
    strcpy(out, list->items[0].item_id);
    kith_list_free(list);
    return out;
}

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

/* ---- a dropped user ---- */

static int holds(const char *path, const char *text)
{
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    static char bytes[1 << 20];
    const size_t n = fread(bytes, 1, sizeof bytes, f), length = strlen(text);
    fclose(f);
    CHECK(n < sizeof bytes);
    for (size_t j = 0; j + length <= n; j++)
        if (memcmp(bytes + j, text, length) == 0) return 1;
    return 0;
}

static const char *const forgetting[] = { "ials",         "user-knn", "item-knn", "bias",      "pagerank",
                                          "graph-filter", "content",  "lsa",      "ials-text", "hybrid" };

static int n_forgetting(void)
{
    return (int)KI_COUNT(forgetting);
}

TEST_EACH(live_a_dropped_user_is_in_no_file, n_forgetting)
{
    const char *secret = "margarete-8841", *word = "rue-des-secrets";
    char path[] = "/tmp/kith-live-XXXXXX";
    struct shop s;
    kith_model *loaded;
    open_shop(&s, "popularity");
    const int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    const int32_t u = user(s.l, secret);
    json_t *attributes = json_pack("{s:s, s:s}", "street", word, "motto", word);
    CHECK_OK(ki_live_user_attributes(s.l, u, attributes));
    json_decref(attributes);
    for (int32_t i = 0; i < 20; i += 3) CHECK_OK(ki_live_event(s.l, u, i, 3, NOW, KI_LIVE_SET));
    user(s.l, "afterwards");
    CHECK_OK(ki_live_event(s.l, u + 1, 7, 2, NOW, KI_LIVE_SET));
    kith_model *m = train(s.k, s.l, forgetting[loop_index]);
    CHECK_OK(kith_model_save(s.k, m, path));
    CHECK(holds(path, secret));
    CHECK_OK(ki_live_promote(s.l, m, "v2"));
    CHECK_OK(ki_live_drop_user(s.l, u));
    int32_t at;
    CHECK_FAILS(ki_live_find_user(s.l, secret, &at), KITH_ENOTFOUND, "no user");
    /* the file is rewritten without the person */
    CHECK_OK(kith_model_load(s.k, path, &loaded));
    CHECK_OK(ki_package_forget_user(loaded, u));
    char again[] = "/tmp/kith-live-XXXXXX";
    const int fd2 = mkstemp(again);
    close(fd2);
    CHECK_OK(kith_model_save(s.k, loaded, again));
    CHECK(!holds(again, secret));
    CHECK(!holds(again, word));
    CHECK(holds(again, "afterwards"));
    kith_model_free(loaded);
    CHECK_OK(kith_model_load(s.k, again, &loaded)); /* and is sound */
    kith_list *list;
    CHECK_OK(kith_recommend(s.k, loaded, &(kith_query){ .user = "afterwards" }, &list));
    CHECK(list->n > 0);
    kith_list_free(list);
    CHECK_OK(ki_live_promote(s.l, loaded, "v3")); /* nor does the next data hold it */
    kith_data *d;
    CHECK_OK(ki_live_data(s.l, &d));
    CHECK_INT(kith_data_find_user(d, secret), -1);
    CHECK_INT(kith_data_n_users(d), u + 2);
    CHECK_OK(kith_data_save(s.k, d, path));
    CHECK(!holds(path, secret));
    CHECK(!holds(path, word));
    kith_data_free(d);
    unlink(path);
    unlink(again);
    close_shop(&s);
}

TEST(live_a_dropped_person_is_no_friend_any_more)
{
    struct shop s;
    char path[] = "/tmp/kith-live-XXXXXX";
    int32_t at;
    char id[64];
    kith_data *d;
    open_shop(&s, "popularity");
    int32_t person[7];
    for (int p = 0; p < 7; p++) { /* in a ring: each is somebody's friend too */
        snprintf(id, sizeof id, "person-%d", p);
        person[p] = user(s.l, id);
        if (p < 6) item(s.l, id); /* the last is named by nobody */
    }
    for (int p = 0; p < 7; p++)
        for (int next = 1; next < 3; next++) {
            snprintf(id, sizeof id, "person-%d", (p + next) % 6);
            CHECK_OK(ki_live_event(s.l, person[p], item(s.l, id), 1, NOW, KI_LIVE_SET));
        }
    kith_model *m = train(s.k, s.l, "friends");
    CHECK_OK(ki_live_promote(s.l, m, "v2"));
    strcpy(id, "person-3");
    CHECK_OK(ki_live_drop_user(s.l, person[3]));
    CHECK_OK(ki_live_drop_user(s.l, person[6]));
    CHECK_INT(kith_model_find_user(m, id), -1);
    const int fd = mkstemp(path);
    close(fd);
    CHECK_OK(kith_model_save(s.k, m, path));
    CHECK(!holds(path, "person-6"));
    kith_model *again;
    CHECK_OK(kith_model_load(s.k, path, &again)); /* and is sound */
    CHECK_OK(ki_live_promote(s.l, again, "v3"));
    unlink(path);
    CHECK_FAILS(ki_live_find_user(s.l, id, &at), KITH_ENOTFOUND, "no user");
    CHECK_OK(ki_live_data(s.l, &d));
    CHECK_INT(kith_data_find_user(d, id), -1);
    for (int64_t j = 0; j < d->log.n; j++) CHECK(d->log.user[j] != person[3]);
    kith_data_free(d);
    close_shop(&s);
}

TEST(live_who_was_dropped_during_a_training_is_forgotten_by_it)
{
    struct shop s;
    char id[64];
    open_shop(&s, "ials");
    strcpy(id, kith_model_user_id(s.model, 11));
    kith_model *m = train(s.k, s.l, "ials");
    CHECK_OK(ki_live_drop_user(s.l, 11));
    CHECK_OK(ki_live_promote(s.l, m, "v2"));
    CHECK_INT(kith_model_find_user(m, id), -1);
    kith_list *list = ask(s.l, (kith_query){ .user = id });
    CHECK_STR(list->basis, "popular");
    kith_list_free(list);
    close_shop(&s);
}

/* ---- random changes against plain arrays ---- */

enum { MANY_USERS = 80, MANY_ITEMS = 1300, ROOM = 64 }; /* enough items for an index */

struct naive {
    int n_users, n_items, n_known; /* n_known: items of the model in force */
    float value[MANY_USERS + ROOM][MANY_ITEMS + ROOM];
    uint8_t has[MANY_USERS + ROOM][MANY_ITEMS + ROOM], trained[MANY_USERS + ROOM][MANY_ITEMS + ROOM];
    float learnt[MANY_USERS + ROOM][MANY_ITEMS + ROOM];
    uint8_t hidden[MANY_ITEMS + ROOM], dropped[MANY_ITEMS + ROOM], red[MANY_ITEMS + ROOM];
    char id[MANY_ITEMS + ROOM][16];
};

static struct naive naive;

static void naive_train(void)
{
    memcpy(naive.trained, naive.has, sizeof naive.has);
    memcpy(naive.learnt, naive.value, sizeof naive.value);
    naive.n_known = naive.n_items;
}

static int naive_changed(int u)
{
    for (int i = 0; i < naive.n_known; i++)
        if (naive.has[u][i] != naive.trained[u][i] || (naive.has[u][i] && naive.value[u][i] != naive.learnt[u][i]))
            return 1;
    return 0;
}

/* All items for u by the model beside the engine, then what may not be served is left out by hand. */
static void naive_compare(struct shop *s, int u, int only_red)
{
    const char *liked[MANY_ITEMS];
    float values[MANY_ITEMS];
    char user_id[16];
    int n = 0, to = 0;
    kith_list *all;
    kith_query q = { .n = naive.n_known, .include_seen = 1 };
    snprintf(user_id, sizeof user_id, "n%d", u);
    for (int i = 0; i < naive.n_known; i++) {
        if (!naive.has[u][i]) continue;
        liked[n] = kith_model_item_id(s->model, i);
        values[n++] = naive.value[u][i];
    }
    if (naive_changed(u)) {
        q.liked = liked;
        q.liked_values = values;
        q.n_liked = n;
    } else
        q.user = user_id;
    kith_list *got = ask(s->l, (kith_query){ .user = user_id, .n = 10, .filter = only_red ? "color = \"red\"" : NULL });
    if (n == 0) {
        CHECK_STR(got->basis, "popular");
        kith_list_free(got);
        return;
    }
    CHECK_OK(kith_recommend(s->k, s->model, &q, &all));
    CHECK_STR(got->basis, "user");
    for (int j = 0; j < all->n && to < 10; j++) {
        const int i = kith_model_find_item(s->model, all->items[j].item_id);
        if (naive.hidden[i] || naive.dropped[i] || naive.has[u][i] || (only_red && !naive.red[i])) continue;
        CHECK(to < got->n);
        CHECK_STR(got->items[to].item_id, naive.id[i]);
        CHECK(memcmp(&got->items[to].score, &all->items[j].score, sizeof(double)) == 0);
        to++;
    }
    CHECK_INT(got->n, to);
    kith_list_free(got);
    kith_list_free(all);
}

static void naive_compare_popular(ki_live *l)
{
    kith_list *list;
    int best = 0, count = 0;
    for (int i = 0; i < naive.n_items; i++) {
        int n = 0;
        for (int u = 0; u < naive.n_users; u++) n += naive.has[u][i];
        if (naive.hidden[i] || naive.dropped[i] || n <= count) continue;
        best = i;
        count = n;
    }
    CHECK_OK(ki_live_chart(l, KI_CHART_POPULAR, &(ki_live_query){ .query.n = 1 }, &list));
    CHECK_STR(list->items[0].item_id, naive.id[best]);
    CHECK_NEAR(list->items[0].score, count, 0);
    kith_list_free(list);
}

static void naive_new_item(ki_live *l)
{
    const int i = naive.n_items++;
    snprintf(naive.id[i], sizeof naive.id[i], "m%d", i);
    naive.red[i] = i % 3 == 0;
    CHECK_INT(item(l, naive.id[i]), i);
    give_attributes(l, i, "{\"color\": \"%s\"}", naive.red[i] ? "red" : "blue");
}

static void naive_event(ki_live *l, ki_rng *g)
{
    const int u = (int)ki_rng_below(g, (uint64_t)naive.n_users), i = (int)ki_rng_below(g, (uint64_t)naive.n_items);
    const int add = (int)ki_rng_below(g, 2);
    const float value = (float)(1 + ki_rng_below(g, 3));
    if (naive.dropped[i]) return;
    CHECK_OK(ki_live_event(l, u, i, value, NOW, add ? KI_LIVE_ADD : KI_LIVE_SET));
    naive.value[u][i] = add && naive.has[u][i] ? naive.value[u][i] + value : value;
    naive.has[u][i] = 1;
}

static void naive_change(ki_live *l, ki_rng *g)
{
    const int i = (int)ki_rng_below(g, (uint64_t)naive.n_items), u = (int)ki_rng_below(g, (uint64_t)naive.n_users);
    switch (ki_rng_below(g, 8)) {
    case 0:
        if (naive.dropped[i]) return;
        naive.hidden[i] ^= 1;
        CHECK_OK(ki_live_item_state(l, i, naive.hidden[i], 0));
        return;
    case 1:
        if (naive.dropped[i]) return;
        naive.red[i] ^= 1;
        give_attributes(l, i, "{\"color\": \"%s\"}", naive.red[i] ? "red" : "blue");
        return;
    case 2:
        if (naive.dropped[i]) return;
        CHECK_OK(ki_live_drop_item(l, i));
        naive.dropped[i] = 1;
        for (int v = 0; v < naive.n_users; v++) naive.has[v][i] = 0;
        return;
    case 3:
        if (!naive.has[u][i]) return;
        CHECK_OK(ki_live_take_back(l, u, i));
        naive.has[u][i] = 0;
        return;
    case 4:
        if (naive.n_items < MANY_ITEMS + ROOM) naive_new_item(l);
        return;
    default: naive_event(l, g);
    }
}

TEST(live_agrees_with_plain_arrays_through_random_changes)
{
    struct shop s;
    char id[16];
    ki_rng g = ki_rng_make(11, 0, 0);
    const kith_param few = { "n_epochs", "2" };
    memset(&naive, 0, sizeof naive);
    CHECK_OK(kith_new(&(kith_options){ .threads = 1, .seed = 3 }, &s.k));
    CHECK_OK(ki_live_new(NULL, &s.l));
    for (naive.n_users = 0; naive.n_users < MANY_USERS; naive.n_users++) {
        snprintf(id, sizeof id, "n%d", naive.n_users);
        user(s.l, id);
    }
    while (naive.n_items < MANY_ITEMS) naive_new_item(s.l);
    for (int j = 0; j < 4000; j++) naive_event(s.l, &g);
    for (int round = 0; round < 3; round++) {
        kith_data *d;
        kith_model *m;
        CHECK_OK(ki_live_data(s.l, &d));
        CHECK_OK(kith_train(s.k, d, "ials", &few, 1, &s.model));
        CHECK_OK(kith_train(s.k, d, "ials", &few, 1, &m));
        kith_data_free(d);
        CHECK_OK(ki_live_promote(s.l, m, "v"));
        naive_train();
        for (int j = 0; j < 250; j++) {
            naive_change(s.l, &g);
            naive_compare(&s, (int)ki_rng_below(&g, MANY_USERS), j % 2);
            if (j % 25 == 0) naive_compare_popular(s.l);
        }
        if (round < 2) kith_model_free(s.model);
    }
    close_shop(&s);
}

TEST(live_folded_vectors_are_good_for_one_stamp)
{
    ki_folded *f;
    float x[3] = { 1, 2, 3 }, got[3] = { 0 };
    CHECK_OK(ki_folded_new(100, 3, &f));
    ki_folded_put(f, 7, 40, x);
    CHECK(ki_folded_get(f, 7, 40, got) && got[2] == 3);
    CHECK(!ki_folded_get(f, 7, 41, got) && !ki_folded_get(f, 8, 40, got));
    ki_folded_put(f, 7 + 128, 41, x); /* the same slot of 128 */
    CHECK(!ki_folded_get(f, 7, 40, got));
    ki_folded_forget(f, 7); /* not there any more: the other one stays */
    CHECK(ki_folded_get(f, 7 + 128, 41, got));
    ki_folded_forget(f, 7 + 128);
    CHECK(!ki_folded_get(f, 7 + 128, 41, got));
    ki_folded_free(f);
}

/* ---- many threads ---- */

struct asker {
    ki_live *l;
    kith_model *names;
    int seed, *stop;
    int64_t n;
};

static void *keep_asking(void *arg)
{
    struct asker *a = arg;
    ki_rng r = ki_rng_make(5, (uint64_t)a->seed, 0);
    while (!__atomic_load_n(a->stop, __ATOMIC_RELAXED)) {
        const char *id = kith_model_user_id(a->names, (int32_t)ki_rng_below(&r, 60));
        const kith_query q = { .user = id, .n = 5, .filter = a->n % 2 ? "color = \"red\"" : NULL };
        ki_answer answer;
        kith_list *list;
        CHECK_OK(ki_live_recommend(a->l, &(ki_live_query){ .query = q }, &list, &answer));
        CHECK(answer.version[0] == 'v');
        kith_list_free(list);
        a->n++;
    }
    return NULL;
}

static void *keep_changing(void *arg)
{
    struct asker *a = arg;
    ki_rng r = ki_rng_make(6, 0, 0);
    for (; !__atomic_load_n(a->stop, __ATOMIC_RELAXED); a->n++) {
        const int32_t u = (int32_t)ki_rng_below(&r, 60), i = (int32_t)ki_rng_below(&r, 50);
        CHECK_OK(ki_live_event(a->l, u, i, 1, NOW, KI_LIVE_SET));
    }
    return NULL;
}

/* Training reads while events come, questions go on all the time. */
TEST(live_models_are_swapped_while_threads_ask)
{
    struct shop s;
    pthread_t threads[4], changing;
    struct asker askers[4];
    int stop = 0;
    open_shop(&s, "ials");
    struct asker changer = { s.l, s.model, 0, &stop, 0 };
    CHECK(pthread_create(&changing, NULL, keep_changing, &changer) == 0);
    for (int t = 0; t < 4; t++) {
        askers[t] = (struct asker){ s.l, s.model, t, &stop, 0 };
        CHECK(pthread_create(&threads[t], NULL, keep_asking, &askers[t]) == 0);
    }
    char id[16];
    for (int round = 0; round < 30; round++) {
        snprintf(id, sizeof id, "x%d", round);
        const int32_t i = item(s.l, id);
        give_attributes(s.l, i, "{\"color\": \"red\", \"title\": \"late %d\"}", round);
        for (int j = 0; j < 20; j++)
            CHECK_OK(ki_live_event(s.l, (round + j) % 60, (round * j) % 50, 1, NOW + round, KI_LIVE_ADD));
        CHECK_OK(ki_live_item_state(s.l, round, round % 2, 0));
        if (round % 5 == 0) CHECK_OK(ki_live_promote(s.l, train(s.k, s.l, round % 2 ? "item-knn" : "ials"), "v2"));
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int t = 0; t < 4; t++) pthread_join(threads[t], NULL);
    pthread_join(changing, NULL);
    for (int t = 0; t < 4; t++) CHECK(askers[t].n > 0);
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
