/* SPDX-License-Identifier: MIT
 * test_service.c -- the service without HTTP: what is acknowledged is in force, and survives
 */
#include "service_world.h"

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

/* A list of the service's own is in no question: the counter of settings makes the key another one. */
TEST(a_list_made_before_a_setting_changed_is_not_found_in_the_cache)
{
    char first[64];
    make_folder();
    open_service(NULL, csv);
    snprintf(first, sizeof first, "%s", first_of("{\"user_id\": \"u3\", \"n\": 3}"));
    json_decref(ask("{\"user_id\": \"u3\", \"n\": 3}"));
    CHECK_INT(atomic_load(&s->n_cached), 1);
    json_t *block = json_pack("{s:[o]}", "entries", json_sprintf("id: %s", first));
    CHECK_OK(ki_service_set_block(s, block));
    json_t *reply = ask("{\"user_id\": \"u3\", \"n\": 3}");
    CHECK_INT(atomic_load(&s->n_cached), 1);
    CHECK(!has(reply, first));
    json_decref(reply);
    json_decref(block);
    close_service();
    remove_folder();
}

TEST(requests_of_the_contract_run_a_few_at_a_time_and_not_after_a_stop)
{
    char *result = NULL;
    int busy = 0;
    open_service(NULL, NULL);
    for (int j = 0; j < KI_RUNS; j++) s->runs.of[j] = context; /* that many run */
    CHECK_FAILS(ki_service_run(s, "{}", &busy, &result), KITH_EINVAL, "run already");
    CHECK(busy && result == NULL);
    s->runs.of[0] = NULL;
    CHECK(ki_service_run(s, "{}", &busy, &result) != KITH_OK); /* and says what is wrong with it */
    CHECK(!busy && result != NULL && strstr(result, "recommendation_data") != NULL);
    CHECK(s->runs.of[0] == NULL);
    kith_string_free(result);
    for (int j = 0; j < KI_RUNS; j++) s->runs.of[j] = NULL;
    ki_service_cancel_runs(s);
    result = NULL;
    CHECK_FAILS(ki_service_run(s, "{}", &busy, &result), KITH_EINVAL, "run already");
    CHECK(busy && result == NULL);
    close_service();
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
    /* of two that freeze it the first decides */
    const ki_kept_list rest = { .user = "u", .request = "{}", .page = 2, .n = 1, .items = items };
    CHECK_OK(ki_lists_kept_freeze(l, first, &list));
    CHECK_OK(ki_lists_kept_freeze(l, first, &rest));
    CHECK_OK(ki_lists_kept_get(l, first, &got));
    CHECK(got->frozen && got->n == 2);
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

/* ---- memory ---- */

#if defined __GLIBC__ && !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__

enum { MANY = 20000, PIECE = 2000 }; /* 40 MB in blocks too small to have pages of their own */

static char *kept; /* the last of them: as long as it is there malloc by itself gives nothing back */

static kith_err take_much(void *udata, kith *k, const json_t *order, json_t **result)
{
    static char *piece[MANY];
    (void)udata, (void)k, (void)order, (void)result;
    for (int j = 0; j < MANY; j++)
        if (ki_alloc(&piece[j], PIECE, 1) != KITH_OK) return ki_fail_memory(PIECE);
    for (int j = 0; j < MANY - 1; j++) ki_free(piece[j]);
    kept = piece[MANY - 1];
    return KITH_OK;
}

static kith_err take_nothing(void *udata, kith *k, const json_t *order, json_t **result)
{
    (void)udata, (void)k, (void)order, (void)result;
    return KITH_OK;
}

static void do_task(ki_tasks *t, ki_task_fn run)
{
    char id[40];
    CHECK_OK(ki_tasks_add(t, "train", run, json_object(), id));
    CHECK_OK(ki_tasks_wait(t, id));
}

static long resident_bytes(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    CHECK(f != NULL && fscanf(f, "%*d %ld", &pages) == 1);
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

/* The task after it begins when the memory of the one before has gone. */
TEST(what_a_task_took_goes_back_to_the_system)
{
    ki_tasks *t = NULL;
    CHECK_OK(ki_tasks_new(&(ki_tasks_options){ .context = { .threads = 1 } }, &t));
    do_task(t, take_nothing);
    const long before = resident_bytes();
    do_task(t, take_much);
    do_task(t, take_nothing);
    CHECK(resident_bytes() - before < 8 << 20);
    ki_tasks_free(t);
    ki_free(kept);
}

#endif
