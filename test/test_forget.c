/* SPDX-License-Identifier: MIT
 * test_forget.c -- a user who was deleted is nowhere any more, whatever was on its way
 */
#include "service_world.h"

#include "serve/keystore.h"

static ki_keys *keys;

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

static json_t *record_of(const char *user)
{
    char id[KI_ERASURE_ID];
    json_t *record = NULL;
    CHECK_OK(ki_service_erasure_id(s, user, id));
    CHECK_OK(ki_store_get(s->store, KI_DOCUMENTS, "erasure", id, &record));
    return record;
}

/* A list of the user may lie in a cache that cannot be reached now: the erasure stays open until it is emptied. */
TEST(an_erasure_is_not_closed_before_the_cache_is_emptied)
{
    static const char text[] = "{\"user_id\": \"u3\"}";
    struct redis_server redis = { 0 };
    char id[KI_ERASURE_ID];
    if (!redis_is_there()) return;
    make_folder();
    open_service(db, csv);
    CHECK_OK(ki_service_erasure_id(s, "u3", id));
    ki_change cut[] = { { .change = KI_PUT_DOCUMENT, .kind = "erasure", .id = id, .json = text },
                        { .change = KI_DROP_USER, .id = "u3" } };
    CHECK_OK(ki_service_write(s, cut, 2));
    close_service();
    redis_url = "redis://127.0.0.1:1"; /* nobody is there */
    open_service(db, NULL);
    json_t *record = record_of("u3");
    CHECK(json_object_get(record, "done_ms") == NULL);
    json_decref(record);
    close_service();
    redis_start(&redis, NULL, NULL);
    redis_url = redis.url;
    open_service(db, NULL);
    record = record_of("u3");
    CHECK(json_object_get(record, "done_ms") != NULL && json_object_get(record, "user_id") == NULL);
    json_decref(record);
    close_service();
    redis_url = NULL;
    redis_stop(&redis);
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
        int gone = 0;
        ki_change c = { .change = KI_ADD_EVENT, .kind = "rating", .user = w->user, .item = "i5", .value = 3 };
        const kith_err err = ki_service_write_begun(s, &c, 1, w->began, &gone);
        if (err == KITH_EINVAL) atomic_fetch_add(&w->n_refused, 1);
        CHECK_INT(gone, err == KITH_EINVAL);
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

/* ---- keys ---- */

static int count_keys(const char *user)
{
    int n = 0;
    json_t *key = NULL;
    for (int j = 0; j < ki_keys_count(keys); j++) {
        const ki_key *k = ki_keys_at(keys, j);
        n += strcmp(k->user, user) == 0 && !atomic_load(&((ki_key *)k)->revoked);
        if (ki_store_get(s->store, KI_DOCUMENTS, "key", k->id, &key) == KITH_OK)
            n += strcmp(json_string_value(json_object_get(key, "user")), user) == 0;
        json_decref(key);
        key = NULL;
    }
    return n;
}

struct maker {
    pthread_t thread;
    const char *user;
    int64_t began;
    atomic_int n_made;
};

static kith_err make_key(const struct maker *m)
{
    char text[KI_KEY_TEXT];
    ki_key key = { .role = KI_ROLE_PUBLIC };
    snprintf(key.user, sizeof key.user, "%s", m->user);
    return ki_keystore_make(s, keys, m->began, &key, text, &(int){ 0 });
}

/* Keys that were asked for before the deletion, made whenever their turn comes, until the first is refused. */
static void *keep_making(void *arg)
{
    struct maker *m = arg;
    for (kith_err err = KITH_OK; err == KITH_OK; err = make_key(m)) atomic_fetch_add(&m->n_made, 1);
    return NULL;
}

TEST(a_key_made_while_its_user_is_deleted_goes_too)
{
    struct maker m = { .user = "u3" };
    make_folder();
    open_service(db, csv);
    CHECK_OK(ki_keystore_load(s, &keys));
    m.began = ki_clock_ns();
    CHECK_OK(make_key(&m));
    CHECK_INT(count_keys("u3"), 2); /* in the table and in the store */
    CHECK_INT(pthread_create(&m.thread, NULL, keep_making, &m), 0);
    while (atomic_load(&m.n_made) < 3) usleep(100);
    CHECK_OK(ki_service_forget_user(s, "u3"));
    ki_keys_revoke_user(keys, "u3"); /* as the route does */
    pthread_join(m.thread, NULL);
    CHECK_INT(count_keys("u3"), 0);
    CHECK_FAILS(make_key(&m), KITH_EINVAL, "was deleted while");
    CHECK_INT(count_keys("u3"), 0);
    m.began = ki_clock_ns(); /* of somebody new */
    CHECK_OK(make_key(&m));
    CHECK_INT(count_keys("u3"), 2);
    ki_keys_free(keys);
    close_service();
    remove_folder();
}
