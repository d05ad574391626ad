/* SPDX-License-Identifier: MIT
 * test_service.c -- the service without HTTP: what is acknowledged is in force, and survives; models come and go
 */
#include "redis.h"

#include "base/mem.h"
#include "serve/jsonwrite.h"
#include "serve/lists_kept.h"
#include "serve/meaning.h"
#include "serve/service_parts.h"
#include "store/cache.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static kith *context;
static ki_service *s;
static char folder[] = "/tmp/kith-service-XXXXXX";
static char db[64], csv[64];

/* ---- a world: 60 users in two camps, who rate the items of their camp high and others low ---- */

static void write_csv(void)
{
    FILE *f = fopen(csv, "w");
    fprintf(f, "user,item,rating,timestamp\n");
    for (int u = 0; u < 60; u++)
        for (int j = 0; j < 12; j++) {
            const int i = (u * 7 + j * 3) % 40, own = (i % 2) == (u % 2);
            fprintf(f, "u%d,i%d,%d,%d\n", u, i, own ? 5 : 1 + (u + j) % 2, 1600000000 + u * 100 + j);
        }
    fclose(f);
}

static void make_folder(void)
{
    CHECK(mkdtemp(folder) != NULL);
    snprintf(db, sizeof db, "%s/kith.db", folder);
    snprintf(csv, sizeof csv, "%s/ratings.csv", folder);
    write_csv();
}

static const char *redis_url; /* where lists are kept; NULL: in memory */

static void open_service(const char *path, const char *data)
{
    ki_settings settings;
    CHECK_OK(ki_settings_read(NULL, &settings));
    settings.train_every = -1;
    if (redis_url != NULL) {
        settings.caching = KI_CACHING_REDIS;
        snprintf(settings.redis_url, sizeof settings.redis_url, "%s", redis_url);
    }
    snprintf(settings.protocol, sizeof settings.protocol, "holdout:0.8");
    CHECK_OK(kith_new(&(kith_options){ .threads = 1, .seed = 7 }, &context));
    CHECK_OK(ki_service_open(
        &(ki_service_options){ .db = path, .data = data, .model = "item-knn", .settings = &settings, .k = context },
        &s));
}

static void close_service(void)
{
    ki_service_close(s);
    kith_free(context);
    s = NULL;
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK_INT(system(command), 0);
}

static json_t *ask(const char *request)
{
    ki_text t = { 0 };
    json_t *q = json_loads(request, 0, NULL);
    CHECK(q != NULL);
    CHECK_OK(ki_service_recommend(s, q, &t));
    json_t *reply = json_loads(t.at, 0, NULL);
    ck_assert_msg(reply != NULL, "no JSON: %s", t.at);
    ki_text_clear(&t);
    json_decref(q);
    return reply;
}

static int has(const json_t *reply, const char *item)
{
    size_t j;
    const json_t *one;
    json_array_foreach (json_object_get(reply, "items"), j, one)
        if (strcmp(json_string_value(json_object_get(one, "item_id")), item) == 0) return 1;
    return 0;
}

static char *first_of(const char *request)
{
    static char id[64];
    json_t *reply = ask(request);
    const json_t *one = json_array_get(json_object_get(reply, "items"), 0);
    CHECK(one != NULL);
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(one, "item_id")));
    json_decref(reply);
    return id;
}

static kith_err event(const char *user, const char *item, const char *kind, double value)
{
    ki_change c = { .change = KI_ADD_EVENT, .kind = kind, .user = user, .item = item, .value = value };
    return ki_service_write(s, &c, 1);
}

static double value_of(const char *user, const char *item)
{
    json_t *history = NULL;
    double value = NAN;
    size_t j;
    const json_t *one;
    CHECK_OK(ki_live_history(ki_service_live(s), user, 1000, &history));
    json_array_foreach (history, j, one)
        if (strcmp(json_string_value(json_object_get(one, "item_id")), item) == 0)
            value = json_number_value(json_object_get(one, "value"));
    json_decref(history);
    return value;
}

/* ---- from a file to lists, and to the next list ---- */

TEST(a_file_becomes_a_service_with_a_model_that_was_evaluated)
{
    char version[64];
    json_t *document = NULL;
    make_folder();
    open_service(NULL, csv);
    ki_service_version(s, version);
    CHECK(version[0] != '\0');
    CHECK_OK(ki_service_model_document(s, version, &document));
    CHECK_STR(json_string_value(json_object_get(document, "state")), "promoted");
    const json_t *figures = json_object_get(document, "figures");
    CHECK(json_number_value(json_object_get(figures, "value")) >
          json_number_value(json_object_get(figures, "popularity")));
    json_decref(document);
    json_t *reply = ask("{\"user_id\": \"u3\", \"n\": 5}");
    CHECK_INT(json_array_size(json_object_get(reply, "items")), 5);
    CHECK_STR(json_string_value(json_object_get(reply, "basis")), "user");
    CHECK(ki_is_rec_id(json_string_value(json_object_get(reply, "rec_id"))));
    json_decref(reply);
    close_service();
    remove_folder();
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(an_event_is_in_force_for_the_very_next_list)
{
    make_folder();
    open_service(NULL, csv);
    for (int round = 0; round < 10; round++) { /* with lists in the cache from the round before */
        const char *best = first_of("{\"user_id\": \"u3\", \"n\": 10}");
        CHECK_OK(event("u3", best, "rating", 5));
        json_t *reply = ask("{\"user_id\": \"u3\", \"n\": 10}");
        CHECK(!has(reply, best));
        json_decref(reply);
    }
    close_service();
    remove_folder();
}

TEST(hidden_items_go_from_the_very_next_list_and_come_back)
{
    make_folder();
    open_service(NULL, csv);
    const char *best = first_of("{\"user_id\": \"u3\", \"n\": 10}");
    ki_change hide = { .change = KI_PUT_ITEM, .id = best, .hidden = 1 };
    CHECK_OK(ki_service_write(s, &hide, 1));
    json_t *reply = ask("{\"user_id\": \"u3\", \"n\": 10}");
    CHECK(!has(reply, best));
    json_decref(reply);
    hide.hidden = 0;
    CHECK_OK(ki_service_write(s, &hide, 1));
    reply = ask("{\"user_id\": \"u3\", \"n\": 10}");
    CHECK(has(reply, best));
    json_decref(reply);
    close_service();
    remove_folder();
}

TEST(lists_are_found_in_the_cache_until_something_changes)
{
    make_folder();
    open_service(NULL, csv);
    for (int j = 0; j < 5; j++) json_decref(ask("{\"user_id\": \"u4\", \"n\": 10}"));
    CHECK_INT(atomic_load(&s->n_cached), 4);
    CHECK_OK(event("u5", "i1", "rating", 1)); /* somebody else: no reason to make it anew */
    json_decref(ask("{\"user_id\": \"u4\", \"n\": 10}"));
    CHECK_INT(atomic_load(&s->n_cached), 5);
    CHECK_OK(event("u4", "i1", "rating", 1));
    json_decref(ask("{\"user_id\": \"u4\", \"n\": 10}"));
    CHECK_INT(atomic_load(&s->n_cached), 5);
    close_service();
    remove_folder();
}

/* ---- what events mean ---- */

TEST(ratings_are_set_and_other_events_lie_in_the_upper_half_where_there_is_none)
{
    make_folder();
    open_service(NULL, csv);
    CHECK_OK(event("new", "i1", "rating", 2));
    CHECK_NEAR(value_of("new", "i1"), 2, 0);
    CHECK_OK(event("new", "i1", "rating", 4));
    CHECK_NEAR(value_of("new", "i1"), 4, 0);
    CHECK_OK(event("new", "i1", "purchase", NAN));
    CHECK_NEAR(value_of("new", "i1"), 4, 0);
    CHECK_OK(event("new", "i2", "purchase", NAN));
    CHECK_NEAR(value_of("new", "i2"), 5, 0); /* the strongest signal, on a scale from 1 to 5 */
    CHECK_OK(event("new", "i3", "dislike", NAN));
    CHECK_NEAR(value_of("new", "i3"), 1, 0);
    CHECK_OK(event("new", "i4", "view", NAN)); /* an impression says nothing */
    CHECK(isnan(value_of("new", "i4")));
    CHECK_FAILS(event("new", "i1", "purchaze", NAN), KITH_EINVAL, "did you mean \"purchases\"");
    CHECK_FAILS(event("new", "i1", "rating", NAN), KITH_EINVAL, "a rating wants a value");
    close_service();
    remove_folder();
}

TEST(strengths_add_up_and_can_be_taken_back_kind_by_kind)
{
    open_service(NULL, NULL);
    CHECK_OK(event("a", "x", "click", NAN));    /* 1 * log2(1 + 1) */
    CHECK_OK(event("a", "x", "purchase", NAN)); /* 5 */
    CHECK_NEAR(value_of("a", "x"), 6, 1e-6);    /* float */
    ki_change back = { .change = KI_DROP_EVENTS, .user = "a", .item = "x", .kind = "purchase" };
    CHECK_OK(ki_service_write(s, &back, 1));
    CHECK_NEAR(value_of("a", "x"), 1, 1e-6);
    back.kind = NULL;
    CHECK_OK(ki_service_write(s, &back, 1));
    CHECK(isnan(value_of("a", "x")));
    close_service();
}

TEST(another_meaning_of_events_reads_all_of_them_anew)
{
    json_t *meaning = json_loads("{\"preference\": \"strengths\", \"signals\": {\"views\": 2}}", 0, NULL);
    open_service(NULL, NULL);
    CHECK_OK(event("a", "x", "click", NAN));
    CHECK_OK(event("a", "y", "view", NAN));
    CHECK(isnan(value_of("a", "y")));
    CHECK_OK(ki_service_set_meanings(s, meaning));
    CHECK_NEAR(value_of("a", "y"), 2, 1e-6); /* float */
    CHECK_NEAR(value_of("a", "x"), 1, 1e-6);
    json_decref(meaning);
    close_service();
}

static kith_err event_at(const char *user, const char *item, int64_t time_ms)
{
    ki_change c = {
        .change = KI_ADD_EVENT, .kind = "rating", .user = user, .item = item, .value = 3, .time_ms = time_ms
    };
    return ki_service_write(s, &c, 1);
}

/* One key may write events: none of them may outweigh what everybody else has said. */
TEST(no_event_is_larger_than_the_scale_that_the_data_have)
{
    make_folder();
    open_service(NULL, csv); /* ratings 1, 2 and 5 */
    CHECK_FAILS(event("u1", "i1", "rating", 1e30), KITH_EINVAL, "from 0 to 5; low and high of the setting");
    CHECK_FAILS(event("u1", "i1", "rating", 5.5), KITH_EINVAL, "from 0 to 5");
    CHECK_FAILS(event("u1", "i1", "rating", -1), KITH_EINVAL, "from 0 to 5");
    CHECK_OK(event("u1", "i1", "rating", 0));
    CHECK_FAILS(event("u1", "i1", "weight", 1e6), KITH_EINVAL, "most of the setting");
    CHECK_FAILS(event("u1", "i1", "purchase", 1e10), KITH_EINVAL, "from 0 to 1e+09");
    CHECK_FAILS(event("u1", "i1", "purchase", -1), KITH_EINVAL, "from 0");
    CHECK_OK(event("u1", "i33", "duration", 7200000)); /* milliseconds: a logarithm takes them */
    CHECK(value_of("u1", "i33") <= 5);
    /* what is ahead of the clock would be trending for ever */
    CHECK_FAILS(event_at("u1", "i1", ki_now_ms() + 2 * 86400000LL), KITH_EINVAL, "more than a day ahead");
    CHECK_OK(event_at("u1", "i1", ki_now_ms() + 3600000));
    CHECK_OK(event_at("u1", "i1", 1));
    close_service();
    remove_folder();
}

TEST(first_ratings_say_the_scale_and_the_setting_has_the_last_word)
{
    open_service(NULL, NULL);
    CHECK_FAILS(event("a", "x", "rating", 1e30), KITH_EINVAL, "from 0 to 5");
    CHECK(!s->meanings.decided); /* what is refused decides nothing */
    CHECK_OK(event("a", "x", "rating", 8));
    CHECK_NEAR(s->meanings.high, 10, 0);
    CHECK_OK(event("a", "y", "rating", 10));
    CHECK_FAILS(event("a", "y", "rating", 11), KITH_EINVAL, "from 0 to 10");
    json_t *wider = json_loads("{\"preference\": \"ratings\", \"low\": 0, \"high\": 20}", 0, NULL);
    CHECK_OK(ki_service_set_meanings(s, wider));
    CHECK_OK(event("a", "z", "rating", 15));
    json_t *signals = json_loads("{\"preference\": \"ratings\", \"signals\": {\"wave\": 1}}", 0, NULL);
    CHECK_OK(ki_service_set_meanings(s, signals)); /* says nothing of the scale */
    CHECK_NEAR(s->meanings.high, 20, 0);
    json_t *narrow = json_loads("{\"preference\": \"ratings\", \"low\": 1, \"high\": 5}", 0, NULL);
    CHECK_OK(ki_service_set_meanings(s, narrow));
    CHECK_NEAR(value_of("a", "z"), 5, 0); /* kept as it came, counted as the nearest */
    json_decref(wider);
    json_decref(signals);
    json_decref(narrow);
    close_service();
}

/* ---- models ---- */

static json_t *train(const char *algorithm, int promote)
{
    kith *k;
    json_t *document = NULL;
    const ki_recipe r = { .algorithm = algorithm, .promote = promote };
    CHECK_OK(kith_new(&(kith_options){ .threads = 1, .seed = 7 }, &k));
    CHECK_OK(ki_service_train(s, k, &r, &document));
    kith_free(k);
    return document;
}

TEST(a_worse_model_is_refused_unless_told_and_a_rollback_undoes_it)
{
    char before[64], after[64];
    json_t *document;
    make_folder();
    open_service(NULL, csv);
    ki_service_version(s, before);
    document = train("random", KI_PROMOTE_BETTER);
    CHECK_STR(json_string_value(json_object_get(document, "state")), "refused");
    CHECK(strstr(json_string_value(json_object_get(document, "reason")), "is worse than") != NULL);
    json_decref(document);
    ki_service_version(s, after);
    CHECK_STR(after, before);
    document = train("random", KI_PROMOTE_ALWAYS);
    CHECK_STR(json_string_value(json_object_get(document, "state")), "promoted");
    json_decref(document);
    ki_service_version(s, after);
    CHECK(strcmp(after, before) != 0);
    CHECK_OK(ki_service_rollback(s, &document));
    CHECK_STR(json_string_value(json_object_get(document, "version")), before);
    json_decref(document);
    ki_service_version(s, after);
    CHECK_STR(after, before);
    close_service();
    remove_folder();
}

static const char *state_of(const char *version)
{
    static char state[32];
    json_t *document = NULL;
    CHECK_OK(ki_service_model_document(s, version, &document));
    snprintf(state, sizeof state, "%s", json_string_value(json_object_get(document, "state")));
    json_decref(document);
    return state;
}

static void copy_version(const json_t *document, char *out)
{
    snprintf(out, 64, "%s", json_string_value(json_object_get(document, "version")));
}

/* What a start would load and what is asked now are the same, whatever fails. */
TEST(a_promotion_happens_whole_or_not_at_all)
{
    char before[64], other[64], now[64], path[KI_PATH_MAX];
    struct rlimit limit;
    make_folder();
    open_service(db, csv);
    ki_service_version(s, before);
    json_t *document = train("popularity", KI_PROMOTE_NEVER);
    copy_version(document, other);
    json_decref(document);
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const rlim_t was = limit.rlim_cur;
    signal(SIGXFSZ, SIG_IGN);
    limit.rlim_cur = 4096; /* a disk that is full */
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
    CHECK_FAILS(ki_service_promote(s, other, "told to"), KITH_EIO, "kith.db");
    limit.rlim_cur = was;
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
    json_t *reply = ask("{\"user_id\": \"u3\", \"n\": 3}");
    CHECK_STR(json_string_value(json_object_get(reply, "model")), before);
    json_decref(reply);
    ki_service_version(s, now);
    CHECK_STR(now, before);
    CHECK_STR(state_of(other), "candidate");
    CHECK_STR(state_of(before), "promoted");
    ki_service_model_path(s, other, path); /* a file that is no model */
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs("nonsense", f) >= 0 && fclose(f) == 0);
    CHECK(ki_service_promote(s, other, "told to") != KITH_OK);
    CHECK_STR(state_of(other), "candidate");
    CHECK_STR(state_of(before), "promoted");
    ki_service_version(s, now);
    CHECK_STR(now, before);
    close_service();
    remove_folder();
}

TEST(a_shadow_is_asked_too_and_seen_by_nobody)
{
    char version[64];
    json_t *document, *report;
    make_folder();
    open_service(NULL, csv);
    s->settings.shadow_share = 1;
    document = train("popularity", KI_PROMOTE_NEVER);
    snprintf(version, sizeof version, "%s", json_string_value(json_object_get(document, "version")));
    json_decref(document);
    CHECK_OK(ki_service_shadow(s, version));
    for (int u = 0; u < 20; u++) {
        char request[64];
        snprintf(request, sizeof request, "{\"user_id\": \"u%d\", \"n\": 5}", u);
        json_decref(ask(request));
    }
    CHECK_OK(ki_service_shadow_report(s, &report));
    CHECK_INT(json_integer_value(json_object_get(report, "lists")), 20);
    const double overlap = json_number_value(json_object_get(report, "overlap"));
    CHECK(overlap >= 0 && overlap < 1);
    json_decref(report);
    CHECK_OK(ki_service_shadow(s, NULL));
    close_service();
    remove_folder();
}

/* ---- a second start ---- */

TEST(a_second_start_knows_all_and_does_not_read_the_file_again)
{
    char version[64], again[64];
    make_folder();
    open_service(db, csv);
    CHECK_INT(s->imported, 1);
    ki_service_version(s, version);
    const ki_change item = { .change = KI_PUT_ITEM, .id = "fresh", .json = "{\"title\": \"A fresh one\"}" };
    ki_change changes[] = { item };
    CHECK_OK(ki_service_write(s, changes, 1));
    CHECK_OK(event("late", "i2", "rating", 5));
    CHECK_OK(event("u3", "i2", "rating", 1));
    json_t *before = ask("{\"user_id\": \"u3\", \"n\": 10}");
    close_service();
    unlink(csv); /* would fail if it were read */
    open_service(db, csv);
    CHECK_INT(s->imported, 0);
    ki_service_version(s, again);
    CHECK_STR(again, version);
    CHECK_NEAR(value_of("late", "i2"), 5, 0);
    CHECK_NEAR(value_of("u3", "i2"), 1, 0);
    json_t *after = ask("{\"user_id\": \"u3\", \"n\": 10}");
    CHECK(json_equal(json_object_get(before, "items"), json_object_get(after, "items")));
    json_decref(before);
    json_decref(after);
    close_service();
    remove_folder();
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_model_file_that_is_gone_is_trained_anew)
{
    char version[64], again[64], path[KI_PATH_MAX];
    make_folder();
    open_service(db, csv);
    ki_service_version(s, version);
    ki_service_model_path(s, version, path);
    close_service();
    CHECK_INT(unlink(path), 0);
    open_service(db, NULL);
    ki_service_version(s, again);
    CHECK(again[0] != '\0' && strcmp(again, version) != 0);
    close_service();
    remove_folder();
}

/* Bytes of the name in any file of the folder. */
static int found_anywhere(const char *name)
{
    char command[256];
    snprintf(command, sizeof command, "grep -rqa %s %s --exclude=ratings.csv", name, folder);
    return system(command) == 0;
}

TEST(who_is_forgotten_is_in_no_file_any_more)
{
    make_folder();
    open_service(db, csv);
    ki_change user = { .change = KI_PUT_USER, .id = "xanthippe-77", .json = "{\"city\": \"athens-of-old\"}" };
    CHECK_OK(ki_service_write(s, &user, 1));
    CHECK_OK(event("xanthippe-77", "i1", "rating", 5));
    CHECK_OK(event("xanthippe-77", "i3", "rating", 4));
    json_decref(train("item-knn", KI_PROMOTE_ALWAYS));
    json_decref(ask("{\"user_id\": \"xanthippe-77\", \"log\": true}"));
    ki_exposures_flush(s->exposures);
    CHECK(found_anywhere("xanthippe-77"));
    CHECK_OK(ki_service_forget_user(s, "xanthippe-77"));
    CHECK(!found_anywhere("xanthippe-77"));
    CHECK(!found_anywhere("athens-of-old"));
    CHECK_FAILS(ki_service_forget_user(s, "xanthippe-77"), KITH_ENOTFOUND, "xanthippe-77");
    /* asked for although nobody knows them: the journal does, and forgets them too */
    json_decref(ask("{\"user_id\": \"xanthippe-77\", \"log\": true}"));
    ki_exposures_flush(s->exposures);
    CHECK(found_anywhere("xanthippe-77"));
    CHECK_OK(ki_service_forget_user(s, "xanthippe-77"));
    CHECK(!found_anywhere("xanthippe-77"));
    json_t *reply = ask("{\"user_id\": \"xanthippe-77\"}");
    CHECK_STR(json_string_value(json_object_get(reply, "basis")), "popular");
    json_decref(reply);
    close_service();
    open_service(db, NULL); /* numbers still fit: the model is loaded, not trained */
    reply = ask("{\"user_id\": \"u3\", \"n\": 3}");
    CHECK_STR(json_string_value(json_object_get(reply, "basis")), "user");
    json_decref(reply);
    close_service();
    remove_folder();
}

/* The process died between the store's commit and the writing of the files. */
TEST(an_erasure_that_was_cut_short_is_finished_by_the_next_start)
{
    static const char record[] = "{\"user_id\": \"xanthippe-77\"}";
    char id[33];
    make_folder();
    open_service(db, csv);
    CHECK_OK(event("xanthippe-77", "i1", "rating", 5));
    CHECK_OK(event("xanthippe-77", "i3", "rating", 4));
    json_decref(train("item-knn", KI_PROMOTE_ALWAYS));
    CHECK_OK(ki_service_erasure_id(s, "xanthippe-77", id));
    ki_change cut[] = { { .change = KI_PUT_DOCUMENT, .kind = "erasure", .id = id, .json = record },
                        { .change = KI_DROP_USER, .id = "xanthippe-77" } };
    CHECK_OK(ki_service_write(s, cut, 2));
    close_service();
    char command[160]; /* as kill -9 leaves a model that was being written */
    snprintf(command, sizeof command, "cd %s/kith.db-models && for f in *.kith; do cp $f half.kith.tmp-1-0; done",
             folder);
    CHECK(system(command) == 0 && found_anywhere("xanthippe-77"));
    open_service(db, NULL);
    CHECK(!found_anywhere("xanthippe-77"));
    CHECK_OK(ki_service_forget_user(s, "xanthippe-77")); /* asked again: it is done */
    CHECK_FAILS(ki_service_forget_user(s, "xanthippe-77"), KITH_ENOTFOUND, "xanthippe-77");
    close_service();
    remove_folder();
}

TEST(an_erasure_that_failed_half_way_goes_on_when_asked_again)
{
    char command[160];
    make_folder();
    open_service(db, csv);
    snprintf(command, sizeof command, "mv %s/kith.db-models %s/away", folder, folder);
    CHECK_INT(system(command), 0);
    CHECK_FAILS(ki_service_forget_user(s, "u3"), KITH_EIO, "kith.db-models");
    CHECK_FAILS(ki_live_find_user(s->live, "u3", &(int32_t){ 0 }), KITH_ENOTFOUND, "u3");
    snprintf(command, sizeof command, "mv %s/away %s/kith.db-models", folder, folder);
    CHECK_INT(system(command), 0);
    CHECK_OK(ki_service_forget_user(s, "u3"));
    CHECK_FAILS(ki_service_forget_user(s, "u3"), KITH_ENOTFOUND, "u3");
    close_service();
    remove_folder();
}

/* ---- what is on its way while somebody is deleted ---- */

enum { ROUNDS = 5, ASKERS = 3, MOST_LISTS = 2000 };

struct asker {
    pthread_t thread;
    const char *user;
    atomic_int stop;
    int n;
    char rec_ids[MOST_LISTS][KI_REC_ID_ROOM];
};

/* Lists for the user as long as the user is known; each of them goes into the journal. */
static void *keep_asking(void *arg)
{
    struct asker *a = arg;
    json_t *q = json_pack("{s:s, s:b, s:s, s:i}", "user_id", a->user, "log", 1, "on_unknown", "error", "n", 3);
    while (!atomic_load(&a->stop) && a->n < MOST_LISTS) {
        ki_text t = { 0 };
        if (ki_service_recommend(s, q, &t) == KITH_OK) {
            json_t *reply = json_loads(t.at, 0, NULL);
            snprintf(a->rec_ids[a->n++], KI_REC_ID_ROOM, "%s", json_string_value(json_object_get(reply, "rec_id")));
            json_decref(reply);
        }
        ki_text_clear(&t);
    }
    json_decref(q);
    return NULL;
}

struct sender {
    pthread_t thread;
    const char *user;
    atomic_int stop, n_refused;
    int64_t began;
};

/* Events of a batch that came before the deletion, written whenever its turn comes. */
static void *keep_sending(void *arg)
{
    struct sender *w = arg;
    while (!atomic_load(&w->stop)) {
        ki_change c = { .change = KI_ADD_EVENT, .kind = "rating", .user = w->user, .item = "i5", .value = 3 };
        const kith_err err = ki_service_write_begun(s, &c, 1, w->began);
        if (err == KITH_EINVAL) atomic_fetch_add(&w->n_refused, 1);
        CHECK(err == KITH_OK || err == KITH_EINVAL);
    }
    return NULL;
}

static struct asker askers[ASKERS];

static void delete_in_a_crowd(const char *user)
{
    ki_kept_list *list = NULL;
    CHECK_OK(event(user, "i1", "rating", 5));
    CHECK_OK(event(user, "i3", "rating", 4));
    struct sender w = { .user = user, .began = ki_clock_ns() };
    for (int j = 0; j < ASKERS; j++) {
        askers[j].user = user;
        askers[j].n = askers[j].stop = 0;
        CHECK_INT(pthread_create(&askers[j].thread, NULL, keep_asking, &askers[j]), 0);
    }
    CHECK_INT(pthread_create(&w.thread, NULL, keep_sending, &w), 0);
    usleep(20000);
    CHECK_OK(ki_service_forget_user(s, user));
    usleep(5000);
    atomic_store(&w.stop, 1);
    pthread_join(w.thread, NULL);
    for (int j = 0; j < ASKERS; j++) {
        atomic_store(&askers[j].stop, 1);
        pthread_join(askers[j].thread, NULL);
        for (int l = 0; l < askers[j].n; l++)
            CHECK_FAILS(ki_lists_kept_get(s->lists, askers[j].rec_ids[l], &list), KITH_ENOTFOUND, "no list");
    }
    ki_exposures_flush(s->exposures);
    CHECK(atomic_load(&w.n_refused) > 0);
    CHECK_FAILS(ki_live_find_user(s->live, user, &(int32_t){ 0 }), KITH_ENOTFOUND, user);
    CHECK(!found_anywhere(user));
}

TEST(what_was_on_its_way_does_not_bring_back_who_was_deleted)
{
    char user[32];
    make_folder();
    open_service(db, csv);
    for (int round = 0; round < ROUNDS; round++) {
        snprintf(user, sizeof user, "revenant-%d", round);
        delete_in_a_crowd(user);
    }
    CHECK_OK(event("revenant-0", "i1", "rating", 5)); /* what begins afterwards is of somebody new */
    close_service();
    remove_folder();
}

TEST(deletions_are_known_as_long_as_a_request_may_be_on_its_way)
{
    static ki_erasures e;
    char user[16];
    ki_erasures_init(&e);
    const int64_t before = ki_clock_ns();
    for (int j = 0; j < 10; j++) {
        snprintf(user, sizeof user, "u%d", j);
        ki_erasures_begin(&e, user);
        CHECK(ki_erasures_has(&e, user, INT64_MAX));
        ki_erasures_end(&e);
    }
    const int64_t between = ki_clock_ns();
    CHECK(ki_erasures_has(&e, "u0", before) && ki_erasures_has(&e, "u9", before));
    CHECK(!ki_erasures_has(&e, "v", before));
    for (int j = 0; j < KI_ERASURES_KNOWN; j++) {
        ki_erasures_begin(&e, "w");
        ki_erasures_end(&e);
    }
    CHECK(ki_erasures_has(&e, "v", before)); /* older than all that are known: nothing is kept */
    CHECK(!ki_erasures_has(&e, "w", ki_clock_ns()));
    CHECK(ki_erasures_has(&e, "w", between));
    ki_erasures_clear(&e);
}

/* A cache on the network outlives the process. */
TEST(lists_of_an_earlier_start_are_forgotten_too)
{
    struct redis_server redis = { 0 };
    char key[KI_LIST_KEY_ROOM];
    kith_cache *look;
    ki_cached found;
    ki_wish w;
    if (!redis_is_there()) return;
    redis_start(&redis, NULL, NULL);
    redis_url = redis.url;
    make_folder();
    open_service(db, csv);
    json_t *q = json_loads("{\"user_id\": \"u3\", \"n\": 3}", 0, NULL);
    CHECK_OK(ki_wish_read(s, q, &w));
    ki_text asked = { 0 };
    ki_write_value(&asked, w.request);
    CHECK(ki_service_cache_key(s, &w, &asked, key));
    ki_text_clear(&asked);
    json_decref(ask("{\"user_id\": \"u3\", \"n\": 3}"));
    ki_wish_clear(&w);
    json_decref(q);
    close_service();
    CHECK_OK(kith_cache_redis(redis.url, 0, &look));
    CHECK_OK(ki_cache_get(look, key, strlen(key), &found));
    CHECK(found.at != NULL);
    ki_free(found.at);
    open_service(db, NULL);
    CHECK_OK(ki_service_forget_user(s, "u3"));
    CHECK_OK(ki_cache_get(look, key, strlen(key), &found));
    CHECK(found.asked && found.at == NULL);
    close_service();
    kith_cache_free(look);
    redis_url = NULL;
    redis_stop(&redis);
    remove_folder();
}

TEST(a_shadow_forgets_too)
{
    char version[64];
    make_folder();
    open_service(db, csv);
    ki_service_version(s, version);
    CHECK_OK(ki_service_shadow(s, version));
    CHECK(kith_model_find_user(s->shadow_model, "u3") >= 0);
    CHECK_OK(ki_service_forget_user(s, "u3"));
    CHECK(s->shadow_model != NULL);
    CHECK_INT(kith_model_find_user(s->shadow_model, "u3"), -1);
    json_decref(ask("{\"user_id\": \"u4\"}"));
    close_service();
    remove_folder();
}

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

/* ---- parts ---- */

TEST(a_ring_forgets_the_oldest_list)
{
    ki_lists_kept *l;
    ki_kept_list *got = NULL;
    char first[KI_REC_ID_ROOM], id[KI_REC_ID_ROOM], before[KI_REC_ID_ROOM] = "";
    const char *items[] = { "x", "y" };
    const ki_kept_list list = { .user = "u", .request = "{}", .page = 2, .n = 2, .items = items };
    CHECK_OK(ki_lists_kept_new(16, &l));
    CHECK_OK(ki_lists_kept_add(l, &list, first));
    CHECK_OK(ki_lists_kept_get(l, first, &got));
    CHECK_STR(got->items[1], "y");
    CHECK_STR(got->user, "u");
    ki_free(got);
    for (int j = 0; j < 16; j++) {
        CHECK_OK(ki_lists_kept_add(l, &list, id));
        CHECK(ki_is_rec_id(id));
        CHECK(strncmp(before, id, 13) <= 0); /* by time */
        memcpy(before, id, sizeof before);
    }
    CHECK_FAILS(ki_lists_kept_get(l, first, &got), KITH_ENOTFOUND, "the last 16");
    CHECK_FAILS(ki_lists_kept_get(l, "nonsense", &got), KITH_ENOTFOUND, "nonsense");
    ki_lists_kept_forget(l, "u");
    CHECK_FAILS(ki_lists_kept_get(l, id, &got), KITH_ENOTFOUND, "no list");
    ki_lists_kept_free(l);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(strings_are_written_as_json_whatever_they_hold)
{
    ki_text t = { 0 };
    ki_write_string(&t, "a\"\\\n\x01z \xc3\xa9 \xf0\x9f\x98\x80 \xff\xc3");
    CHECK_STR(t.at, "\"a\\\"\\\\\\u000a\\u0001z \xc3\xa9 \xf0\x9f\x98\x80 \xef\xbf\xbd\xef\xbf\xbd\"");
    ki_text_clear(&t);
}

static kith_err long_work(void *udata, kith *k, const json_t *order, json_t **result)
{
    kith_data *d = NULL;
    kith_report *r = NULL;
    const char *models[] = { "ials" };
    (void)udata, (void)order, (void)result;
    kith_err err = kith_data_generate(k, &(kith_generate_options){ .n_users = 20000, .n_items = 5000 }, &d);
    if (err == KITH_OK) err = kith_evaluate(k, d, &(kith_evaluate_options){ .models = models, .n_models = 1 }, &r);
    kith_report_free(r);
    kith_data_free(d);
    return err;
}

static atomic_int between; /* 1: the first call is over; 2: the task was canceled meanwhile */

static kith_err two_calls(void *udata, kith *k, const json_t *order, json_t **result)
{
    kith_data *d = NULL;
    const kith_generate_options small = { .n_users = 20, .n_items = 10 };
    (void)udata, (void)order, (void)result;
    kith_err err = kith_data_generate(k, &small, &d);
    kith_data_free(d);
    d = NULL;
    atomic_store(&between, 1);
    while (atomic_load(&between) == 1) usleep(100);
    if (err == KITH_OK) err = kith_data_generate(k, &small, &d);
    kith_data_free(d);
    return err;
}

TEST(a_task_stopped_between_two_of_its_calls_stops)
{
    ki_tasks *t;
    char id[40];
    CHECK_OK(ki_tasks_new(&(ki_tasks_options){ .context = { .threads = 1 } }, &t));
    CHECK_OK(ki_tasks_add(t, "two", two_calls, json_object(), id));
    while (atomic_load(&between) == 0) usleep(100);
    CHECK_OK(ki_tasks_cancel(t, id));
    atomic_store(&between, 2);
    CHECK_FAILS(ki_tasks_wait(t, id), KITH_ECANCELED, "");
    ki_tasks_free(t);
}

TEST(a_task_that_runs_or_waits_can_be_stopped)
{
    ki_tasks *t;
    char running[40], waiting[40];
    int over = 0;
    CHECK_OK(ki_tasks_new(&(ki_tasks_options){ .context = { .threads = 1 } }, &t));
    CHECK_OK(ki_tasks_add(t, "long", long_work, json_object(), running));
    CHECK_OK(ki_tasks_add(t, "long", long_work, json_object(), waiting));
    CHECK(ki_tasks_busy(t, "long"));
    CHECK_OK(ki_tasks_cancel(t, waiting));
    while (ki_tasks_change(t, running, &over) < 4 && !over) usleep(1000); /* it has told of a step */
    CHECK_OK(ki_tasks_cancel(t, running));
    CHECK_FAILS(ki_tasks_wait(t, running), KITH_ECANCELED, "");
    CHECK_FAILS(ki_tasks_wait(t, waiting), KITH_ECANCELED, "before it began");
    CHECK_FAILS(ki_tasks_cancel(t, running), KITH_EINVAL, "ended already");
    CHECK_FAILS(ki_tasks_cancel(t, "none"), KITH_ENOTFOUND, "none");
    ki_tasks_free(t);
    CHECK_INT(ki_alloc_live(), 0);
}
