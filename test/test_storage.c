/* SPDX-License-Identifier: MIT
 * test_storage.c -- the store of the service: what is written is there, in order, once, or not at all
 */
#include "storage.h"

#include "base/mem.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char path[300];
static ki_store *s;

static void begin(const char *name)
{
    storage_path(path, sizeof path, name);
    CHECK_OK(ki_store_open(path, NULL, &s));
}

static void reopen(void)
{
    ki_store_close(s);
    s = NULL;
    CHECK_OK(ki_store_open(path, NULL, &s));
}

static void finish(void)
{
    CHECK_OK(ki_store_check(s));
    ki_store_close(s);
    CHECK_INT(ki_alloc_live(), 0);
    char name[320];
    CHECK(access(path, F_OK) == 0);
    snprintf(name, sizeof name, "%s-wal", path);
    CHECK(access(name, F_OK) != 0); /* closing leaves one file */
    snprintf(name, sizeof name, "%s-lock", path);
    CHECK(access(name, F_OK) != 0);
    unlink(path);
}

/* ---- each kind of change ---- */

TEST(users_and_items_are_numbered_as_they_come_and_keep_their_numbers)
{
    begin("numbers");
    ki_change c[] = { a_user("ann", "{\"age\": 31}"), an_item("x", NULL), an_event("bob", "x", "view", NAN),
                      an_event("ann", "y", "view", NAN) };
    CHECK_OK(ki_store_write(s, c, 4));
    CHECK(c[0].user_index == 0 && c[0].was_new == 1 && c[0].item_index == -1);
    CHECK(c[1].item_index == 0 && c[1].was_new == 2);
    CHECK(c[2].user_index == 1 && c[2].item_index == 0 && c[2].was_new == 1);
    CHECK(c[3].user_index == 0 && c[3].item_index == 1 && c[3].was_new == 2);
    CHECK(c[3].seq > c[2].seq && c[2].seq > 0 && c[2].time_ms > 1600000000000);
    for (int turn = 0; turn < 2; turn++) {
        CHECK_STR(gather(s, KI_USERS, NULL), "0:ann 1:bob");
        CHECK_STR(gather(s, KI_ITEMS, NULL), "0:x 1:y");
        CHECK_STR(gather(s, KI_EVENTS, NULL), "1:view/bob/x 2:view/ann/y");
        reopen();
    }
    finish();
}

TEST(putting_again_changes_what_is_given_and_keeps_the_rest)
{
    json_t *row = NULL;
    begin("put");
    ki_change item = an_item("x", "{\"genre\": \"noir\"}");
    item.hidden = 1;
    item.time_ms = 5000;
    CHECK_OK(ki_store_write(s, &item, 1));
    CHECK_OK(write_one(s, (ki_change){ .change = KI_PUT_ITEM, .id = "x", .hidden = -1 }));
    CHECK_OK(ki_store_get(s, KI_ITEMS, NULL, "x", &row));
    CHECK(json_is_true(json_object_get(row, "hidden")));
    CHECK_INT(json_integer_value(json_object_get(row, "time_ms")), 5000);
    CHECK_STR(json_string_value(json_object_get(json_object_get(row, "attributes"), "genre")), "noir");
    json_decref(row);
    item = an_item("x", "{}");
    item.time_ms = 7000;
    CHECK_OK(ki_store_write(s, &item, 1));
    CHECK_INT(item.was_new, 0);
    CHECK_OK(ki_store_get(s, KI_ITEMS, NULL, "x", &row));
    CHECK(json_is_false(json_object_get(row, "hidden")));
    CHECK_INT(json_integer_value(json_object_get(row, "time_ms")), 7000);
    CHECK_INT(json_object_size(json_object_get(row, "attributes")), 0);
    json_decref(row);
    CHECK_FAILS(ki_store_get(s, KI_USERS, NULL, "x", &row), KITH_ENOTFOUND, "user \"x\"");
    finish();
}

TEST(an_event_keeps_all_that_was_said_of_it)
{
    json_t *row = NULL;
    begin("event");
    ki_change c = an_event("ann", "x", "rating", 4.5);
    c.time_ms = 1234567890123;
    c.rec_id = "r-1";
    c.id = "e-1";
    c.json = "{\"device\": \"tv\"}";
    CHECK_OK(ki_store_write(s, &c, 1));
    reopen();
    CHECK_OK(ki_store_get(s, KI_EVENTS, NULL, "e-1", &row));
    char *text = json_dumps(row, JSON_SORT_KEYS | JSON_COMPACT);
    CHECK_STR(text, "{\"attributes\":{\"device\":\"tv\"},\"id\":\"e-1\",\"item\":\"x\",\"kind\":\"rating\",\"rec_id\":"
                    "\"r-1\",\"seq\":1,\"time_ms\":1234567890123,\"user\":\"ann\",\"value\":4.5}");
    free(text);
    json_decref(row);
    finish();
}

TEST(events_are_taken_back_by_user_item_and_kind)
{
    begin("back");
    ki_change c[] = { an_event("a", "x", "view", NAN), an_event("a", "x", "like", NAN), an_event("a", "y", "view", NAN),
                      an_event("b", "x", "view", NAN), an_event("a", "x", "view", NAN) };
    CHECK_OK(ki_store_write(s, c, 5));
    ki_change views = { .change = KI_DROP_EVENTS, .user = "a", .item = "x", .kind = "view" };
    CHECK_OK(ki_store_write(s, &views, 1));
    CHECK(views.n_dropped == 2 && views.user_index == 0 && views.item_index == 0);
    CHECK_STR(gather(s, KI_EVENTS, NULL), "2:like/a/x 3:view/a/y 4:view/b/x");
    ki_change all = { .change = KI_DROP_EVENTS, .user = "a", .item = "x" };
    CHECK_OK(ki_store_write(s, &all, 1));
    CHECK_INT(all.n_dropped, 1);
    CHECK_OK(ki_store_write(s, &all, 1)); /* nothing is there: no failure, and told so */
    CHECK_INT(all.n_dropped, 0);
    all.user = "nobody";
    CHECK_OK(ki_store_write(s, &all, 1));
    CHECK(all.n_dropped == 0 && all.user_index == -1);
    CHECK_STR(gather(s, KI_EVENTS, NULL), "3:view/a/y 4:view/b/x");
    finish();
}

TEST(documents_are_replaced_and_their_version_rises)
{
    json_t *got = NULL;
    begin("documents");
    ki_change c = a_document("scenario", "home", "{\"n\": 1}");
    CHECK_OK(ki_store_write(s, &c, 1));
    CHECK(c.was_new == 1 && c.seq == 1);
    CHECK_OK(write_one(s, a_document("key", "home", "{}")));
    c.json = "{\"n\": 2}";
    CHECK_OK(ki_store_write(s, &c, 1));
    CHECK(c.was_new == 0 && c.seq == 3 && c.n_dropped == 0);
    CHECK_OK(ki_store_get(s, KI_DOCUMENTS, "scenario", "home", &got));
    CHECK_INT(json_integer_value(json_object_get(got, "n")), 2);
    json_decref(got);
    CHECK_STR(gather(s, KI_DOCUMENTS, NULL), "2:key/home 3:scenario/home");
    CHECK_STR(gather(s, KI_DOCUMENTS, &(ki_select){ .kind = "key" }), "2:key/home");
    ki_change drop = { .change = KI_DROP_DOCUMENT, .kind = "scenario", .id = "home" };
    CHECK_OK(ki_store_write(s, &drop, 1));
    CHECK_INT(drop.n_dropped, 1);
    CHECK_OK(ki_store_write(s, &drop, 1));
    CHECK_INT(drop.n_dropped, 0);
    CHECK_FAILS(ki_store_get(s, KI_DOCUMENTS, "scenario", "home", &got), KITH_ENOTFOUND, "scenario \"home\"");
    finish();
}

TEST(numbers_of_rows_are_never_used_twice_even_after_the_last_row_is_gone)
{
    begin("seq");
    ki_change c = an_event("a", "x", "view", NAN);
    CHECK_OK(ki_store_write(s, &c, 1));
    CHECK_OK(write_one(s, (ki_change){ .change = KI_DROP_USER, .id = "a" }));
    reopen();
    CHECK_OK(ki_store_write(s, &c, 1));
    CHECK_INT(c.seq, 2);
    CHECK_INT(c.user_index, 1);
    finish();
}

/* ---- forgetting ---- */

static ki_change a_journal(const char *kind, const char *id, const char *user, const char *item)
{
    return (ki_change){
        .change = KI_ADD_JOURNAL, .kind = kind, .id = id, .user = user, .item = item, .json = "{\"p\": 0.5}"
    };
}

TEST(a_dropped_user_is_gone_but_for_the_number)
{
    begin("drop");
    ki_change c[] = { an_event("ann", "x", "view", NAN), an_event("bob", "x", "view", NAN),
                      a_journal("exposure", "r1", "ann", NULL), a_journal("exposure", "r2", "bob", NULL),
                      a_journal("audit", "ann", NULL, NULL) };
    CHECK_OK(ki_store_write(s, c, 5));
    ki_change drop = { .change = KI_DROP_USER, .id = "ann" };
    CHECK_OK(ki_store_write(s, &drop, 1));
    CHECK(drop.user_index == 0 && drop.n_dropped == 3); /* herself, an event, a journal row */
    reopen();
    CHECK_STR(gather(s, KI_USERS, NULL), "0:- 1:bob");
    CHECK_STR(gather(s, KI_USERS, &(ki_select){ .no_dropped = 1 }), "1:bob");
    CHECK_STR(gather(s, KI_EVENTS, NULL), "2:view/bob/x");
    /* Another thing of that name is not the user. */
    CHECK_STR(gather(s, KI_JOURNALS, NULL), "4:exposure/bob/r2 5:audit/ann");
    CHECK_OK(ki_store_write(s, &drop, 1));
    CHECK(drop.user_index == -1 && drop.n_dropped == 0);
    ki_change again = an_event("ann", "x", "view", NAN);
    CHECK_OK(ki_store_write(s, &again, 1));
    CHECK_INT(again.user_index, 2);
    CHECK_STR(gather(s, KI_USERS, NULL), "0:- 1:bob 2:ann");
    ki_store_counts n;
    CHECK_OK(ki_store_count(s, &n));
    CHECK(n.users == 2 && n.items == 1 && n.events == 2 && n.journals == 2);
    finish();
}

TEST(a_dropped_item_is_gone_but_for_the_number)
{
    begin("drop-item");
    ki_change c[] = { an_event("ann", "x", "view", NAN), an_event("ann", "y", "view", NAN),
                      a_journal("stock", NULL, NULL, "x"), an_item("x", "{\"title\": \"The X\"}") };
    CHECK_OK(ki_store_write(s, c, 4));
    ki_change drop = { .change = KI_DROP_ITEM, .id = "x" };
    CHECK_OK(ki_store_write(s, &drop, 1));
    CHECK(drop.item_index == 0 && drop.n_dropped == 3);
    CHECK_STR(gather(s, KI_ITEMS, NULL), "0:- 1:y");
    CHECK_STR(gather(s, KI_EVENTS, NULL), "2:view/ann/y");
    CHECK_STR(gather(s, KI_JOURNALS, NULL), "");
    finish();
}

/* In the file, its log, or anything that lies beside it. */
static int found_on_disk(const char *word)
{
    char command[700];
    snprintf(command, sizeof command, "cat '%s'* | grep -q -a -F -e '%s'", path, word);
    return system(command) == 0;
}

/* Enough rows of mixed lengths for pages to be split, filled and joined many times: a copy that a page keeps where cells
 * were moved from would be found. */
TEST(no_byte_of_a_dropped_user_stays_in_any_file)
{
    enum { USERS = 400, ROUNDS = 12 };
    begin("wipe");
    for (int j = 0; j < USERS * ROUNDS; j++) {
        char user[64], rec[80], json[240];
        const int u = (int)((unsigned)j * 2654435761u >> 8) % USERS;
        snprintf(user, sizeof user, "%s-%d-%.*s", u % 2 == 0 ? "secretive" : "other", u, u % 17, "abcdefghijklmnopq");
        snprintf(rec, sizeof rec, "list-for-%s", user);
        snprintf(json, sizeof json, "{\"mail\": \"%s@x\", \"n\": %d, \"pad\": \"%.*s\"}", user, j, j % 61,
                 "0123456789012345678901234567890123456789012345678901234567890123456789");
        ki_change c[] = { a_user(user, json), an_event(user, "x", "view", j), a_journal("exposure", rec, user, NULL) };
        c[1].rec_id = rec;
        c[1].id = j % 3 == 0 ? json : NULL;
        CHECK_OK(ki_store_write(s, c, 3));
        if (j % 7 == 0) CHECK_OK(write_one(s, (ki_change){ .change = KI_DROP_USER, .id = user }));
    }
    CHECK(found_on_disk("secretive"));
    for (int u = 0; u < USERS; u += 2) {
        char user[64];
        snprintf(user, sizeof user, "secretive-%d-%.*s", u, u % 17, "abcdefghijklmnopq");
        CHECK_OK(write_one(s, (ki_change){ .change = KI_DROP_USER, .id = user }));
    }
    CHECK(!found_on_disk("secretive"));
    CHECK(found_on_disk("other"));
    finish();
}

/* ---- once ---- */

TEST(an_event_that_is_sent_again_is_not_counted_twice)
{
    begin("repeat");
    ki_change first = an_event("ann", "x", "buy", 1);
    first.id = "e1";
    CHECK_OK(ki_store_write(s, &first, 1));
    CHECK_INT(first.repeated, 0);
    reopen();
    ki_change again[] = { an_event("ann", "x", "buy", 1), an_event("ann", "y", "buy", 1),
                          an_event("ann", "y", "buy", 1) };
    again[0].id = "e1";
    again[1].id = again[2].id = "e2"; /* within one batch too */
    CHECK_OK(ki_store_write(s, again, 3));
    CHECK(again[0].repeated == 1 && again[0].seq == first.seq && again[0].user_index == 0 && again[0].item_index == 0);
    CHECK(again[1].repeated == 0 && again[2].repeated == 1 && again[2].seq == again[1].seq);
    CHECK_STR(gather(s, KI_EVENTS, NULL), "1:buy/ann/x/e1 2:buy/ann/y/e2");
    finish();
}

TEST(an_id_is_for_one_event_and_a_batch_is_kept_whole_or_not_at_all)
{
    begin("conflict");
    ki_change first = an_event("ann", "x", "buy", 1);
    first.id = "e1";
    CHECK_OK(ki_store_write(s, &first, 1));
    ki_change batch[] = { an_event("new", "new", "view", 1), a_document("kind", "id", "{}"),
                          an_event("bob", "x", "buy", 1) };
    batch[2].id = "e1";
    CHECK_FAILS(ki_store_write(s, batch, 3), KITH_EINVAL, "event id \"e1\" was used before");
    CHECK_STR(gather(s, KI_USERS, NULL), "0:ann");
    CHECK_STR(gather(s, KI_EVENTS, NULL), "1:buy/ann/x/e1");
    CHECK_STR(gather(s, KI_DOCUMENTS, NULL), "");
    ki_change next = an_event("bob", "x", "buy", 1);
    CHECK_OK(ki_store_write(s, &next, 1));
    CHECK(next.seq == 2 && next.user_index == 1); /* nothing was used up */
    finish();
}

TEST(a_change_that_makes_no_sense_is_refused_before_it_waits)
{
    char long_id[KI_STORE_ID_MAX + 2];
    memset(long_id, 'a', sizeof long_id);
    long_id[sizeof long_id - 1] = '\0';
    begin("sense");
    CHECK_FAILS(write_one(s, a_user(NULL, NULL)), KITH_EINVAL, "change 1 (a user): it has no id");
    CHECK_FAILS(write_one(s, a_user("", NULL)), KITH_EINVAL, "its id is empty");
    CHECK_FAILS(write_one(s, a_user(long_id, NULL)), KITH_EINVAL, "513 bytes, want at most 512");
    CHECK_FAILS(write_one(s, a_user("\xff", NULL)), KITH_EINVAL, "not UTF-8");
    CHECK_FAILS(write_one(s, a_user("a", "[1]")), KITH_EINVAL, "not an object");
    CHECK_FAILS(write_one(s, a_user("a", "{")), KITH_EINVAL, "JSON is not sound");
    CHECK_FAILS(write_one(s, an_event("a", NULL, "view", 1)), KITH_EINVAL, "an event): it has no item");
    CHECK_FAILS(write_one(s, an_event("a", "x", NULL, 1)), KITH_EINVAL, "no kind");
    CHECK_FAILS(write_one(s, an_event("a", "x", "view", INFINITY)), KITH_EINVAL, "infinite");
    CHECK_FAILS(write_one(s, a_document("kind", "id", NULL)), KITH_EINVAL, "no json");
    CHECK_FAILS(write_one(s, (ki_change){ .change = 77 }), KITH_EINVAL, "no kind of change 77");
    CHECK_FAILS(write_one(s, (ki_change){ .change = KI_PUT_ITEM, .id = "a", .hidden = 2 }), KITH_EINVAL, "hidden");
    CHECK_FAILS(write_one(s, (ki_change){ .change = KI_DROP_USER, .id = "a", .kind = "k" }), KITH_EINVAL,
                "takes no kind");
    ki_change late = an_event("a", "x", "view", 1);
    late.time_ms = INT64_MAX;
    CHECK_FAILS(ki_store_write(s, &late, 1), KITH_EINVAL, "years 1 to 9999");
    ki_change two[] = { a_user("a", NULL), a_user(NULL, NULL) };
    CHECK_FAILS(ki_store_write(s, two, 2), KITH_EINVAL, "change 2");
    CHECK_FAILS(ki_store_write(s, NULL, 1), KITH_EINVAL, "");
    CHECK_OK(ki_store_write(s, NULL, 0));
    CHECK_STR(gather(s, KI_USERS, NULL), "");
    finish();
}

/* ---- selects ---- */

TEST(rows_are_selected_by_what_they_are_of_and_told_from_either_end)
{
    begin("select");
    for (int j = 0; j < 10; j++) {
        ki_change c = an_event(j % 2 ? "a" : "b", j % 3 ? "x" : "y", j % 5 ? "view" : "buy", NAN);
        c.time_ms = 1000 + j;
        CHECK_OK(ki_store_write(s, &c, 1));
    }
    CHECK_STR(gather(s, KI_EVENTS, &(ki_select){ .user = "a" }),
              "2:view/a/x 4:view/a/y 6:buy/a/x 8:view/a/x 10:view/a/y");
    CHECK_STR(gather(s, KI_EVENTS, &(ki_select){ .user = "a", .item = "y" }), "4:view/a/y 10:view/a/y");
    CHECK_STR(gather(s, KI_EVENTS, &(ki_select){ .kind = "buy" }), "1:buy/b/y 6:buy/a/x");
    CHECK_STR(gather(s, KI_EVENTS, &(ki_select){ .item = "y", .newest_first = 1, .limit = 2 }),
              "10:view/a/y 7:view/b/y");
    CHECK_STR(gather(s, KI_EVENTS, &(ki_select){ .newest_first = 1, .after = 3 }), "2:view/a/x 1:buy/b/y");
    CHECK_STR(gather(s, KI_EVENTS, &(ki_select){ .after = 8 }), "9:view/b/x 10:view/a/y");
    CHECK_STR(gather(s, KI_EVENTS, &(ki_select){ .from_ms = 1003, .to_ms = 1005 }), "4:view/a/y 5:view/b/x");
    CHECK_STR(gather(s, KI_EVENTS, &(ki_select){ .user = "nobody" }), "");
    CHECK_STR(gather(s, KI_EVENTS, &(ki_select){ .limit = 1, .no_ids = 1 }), "1:buy");
    CHECK_STR(gather(s, KI_USERS, &(ki_select){ .after = 1 }), "1:a");
    CHECK_STR(gather(s, KI_USERS, &(ki_select){ .newest_first = 1 }), "1:a 0:b");
    CHECK_STR(gather(s, KI_USERS, &(ki_select){ .newest_first = 1, .after = 2 }), "0:b");
    CHECK_STR(gather(s, KI_ITEMS, &(ki_select){ .id = "y" }), "0:y");
    CHECK_FAILS(ki_store_each(s, KI_USERS, &(ki_select){ .kind = "k" }, gather_row, NULL), KITH_EINVAL, "by id");
    CHECK_FAILS(ki_store_each(s, KI_DOCUMENTS, &(ki_select){ .user = "k" }, gather_row, NULL), KITH_EINVAL,
                "documents");
    CHECK_FAILS(ki_store_each(s, KI_USERS, &(ki_select){ .limit = -1 }, gather_row, NULL), KITH_EINVAL, "limit");
    finish();
}

TEST(journals_are_selected_by_kind_and_whom_they_tell_of)
{
    begin("journals");
    ki_change c[] = { a_journal("exposure", "r1", "a", NULL), a_journal("audit", "k1", NULL, NULL),
                      a_journal("exposure", "r2", "b", "x"), a_journal("audit", "r1", NULL, NULL) };
    CHECK_OK(ki_store_write(s, c, 4));
    CHECK_STR(gather(s, KI_JOURNALS, &(ki_select){ .kind = "audit" }), "2:audit/k1 4:audit/r1");
    CHECK_STR(gather(s, KI_JOURNALS, &(ki_select){ .id = "r1" }), "1:exposure/a/r1 4:audit/r1");
    CHECK_STR(gather(s, KI_JOURNALS, &(ki_select){ .id = "r1", .kind = "audit" }), "4:audit/r1");
    CHECK_STR(gather(s, KI_JOURNALS, &(ki_select){ .user = "b" }), "3:exposure/b/x/r2");
    CHECK_STR(gather(s, KI_JOURNALS, &(ki_select){ .item = "x", .newest_first = 1 }), "3:exposure/b/x/r2");
    finish();
}

static kith_err stop_at_three(void *udata, const ki_row *row)
{
    (void)row;
    return ++*(int *)udata == 3 ? ki_fail(KITH_ECANCELED, "enough") : KITH_OK;
}

/* Writing while a telling is under way: what a reader holds must not keep the writer, nor itself. */
static kith_err write_meanwhile(void *udata, const ki_row *row)
{
    ++*(int64_t *)udata;
    return row->seq % 500 == 1 ? write_one(s, a_user("meanwhile", "{}")) : KITH_OK;
}

TEST(a_long_telling_can_be_ended_and_does_not_hold_the_writer)
{
    enum { N = 3500 }; /* several pages */
    static ki_change c[N];
    int told = 0;
    int64_t all = 0;
    begin("each");
    for (int j = 0; j < N; j++) c[j] = an_event("a", j % 2 ? "x" : "y", "view", j);
    CHECK_OK(ki_store_write(s, c, N));
    CHECK_FAILS(ki_store_each(s, KI_EVENTS, NULL, stop_at_three, &told), KITH_ECANCELED, "enough");
    CHECK_INT(told, 3);
    CHECK_OK(ki_store_each(s, KI_EVENTS, NULL, write_meanwhile, &all));
    CHECK_INT(all, N);
    all = 0;
    CHECK_OK(ki_store_each(s, KI_EVENTS, &(ki_select){ .limit = 2000, .newest_first = 1, .user = "a" }, write_meanwhile,
                           &all));
    CHECK_INT(all, 2000);
    finish();
}

/* ---- many at once ---- */

enum { THREADS = 8, BATCHES = 120 };

struct seen { /* what the listener was told; only the writer touches it */
    int64_t last_seq, events, batches;
    int32_t next_user;
    int per_thread[THREADS];
    atomic_int inside;
    int wrong;
};

static void listen_to(void *udata, const ki_change *changes, int n)
{
    struct seen *seen = udata;
    if (atomic_fetch_add(&seen->inside, 1) != 0) seen->wrong = 1; /* one at a time */
    for (int j = 0; j < n; j++) {
        if (changes[j].seq <= seen->last_seq) seen->wrong = 2; /* in order */
        seen->last_seq = changes[j].seq;
        if (changes[j].was_new & 1 && changes[j].user_index != seen->next_user++) seen->wrong = 3;
        /* A thread's batches come in the order in which it wrote them. */
        const int t = changes[j].user[0] - 'a', number = (int)changes[j].value;
        if (number != seen->per_thread[t]++) seen->wrong = 4;
    }
    seen->events += n;
    seen->batches++;
    atomic_fetch_sub(&seen->inside, 1);
}

static void *write_many(void *p)
{
    const int t = (int)(intptr_t)p;
    int number = 0;
    for (int b = 0; b < BATCHES; b++) {
        char users[10][16];
        ki_change c[10];
        const int n = 1 + (b + t) % 10;
        for (int j = 0; j < n; j++) {
            snprintf(users[j], sizeof users[j], "%c%d", 'a' + t, (number + j) % 50);
            c[j] = an_event(users[j], "x", "view", number + j);
        }
        if (ki_store_write(s, c, n) != KITH_OK) return p;
        number += n;
    }
    return NULL;
}

TEST(many_threads_write_and_the_listener_follows_the_log_exactly)
{
    pthread_t threads[THREADS];
    static struct seen seen;
    storage_path(path, sizeof path, "threads");
    CHECK_OK(ki_store_open(path, &(ki_store_options){ .applied = listen_to, .udata = &seen, .max_wait_us = 200 }, &s));
    for (intptr_t t = 0; t < THREADS; t++) CHECK(pthread_create(&threads[t], NULL, write_many, (void *)t) == 0);
    for (int t = 0; t < 50; t++) (void)gather(s, KI_USERS, &(ki_select){ .limit = 20 }); /* readers meanwhile */
    for (int t = 0; t < THREADS; t++) {
        void *failed = NULL;
        CHECK(pthread_join(threads[t], &failed) == 0);
        CHECK(failed == NULL);
    }
    ki_store_counts n;
    CHECK_OK(ki_store_count(s, &n));
    CHECK_INT(seen.wrong, 0);
    CHECK(seen.batches == THREADS * BATCHES && n.batches == seen.batches);
    CHECK(n.events == seen.events && n.changes == seen.events && n.users == THREADS * 50 && n.queued == 0);
    CHECK(n.commits <= n.batches);
    CHECK_INT(count_rows(s, KI_EVENTS), seen.events);
    reopen();
    CHECK_INT(count_rows(s, KI_EVENTS), seen.events);
    finish();
}

static atomic_int refused, accepted;

static void *write_conflicts(void *p)
{
    const int t = (int)(intptr_t)p;
    for (int b = 0; b < 60; b++) {
        char user[16];
        snprintf(user, sizeof user, "u%d-%d", t, b);
        ki_change c[] = { an_event(user, "x", "view", 1), an_event(user, "x", "view", 1) };
        if (b % 2 == 0) c[1].id = "taken";
        atomic_fetch_add(ki_store_write(s, c, 2) == KITH_OK ? &accepted : &refused, 1);
    }
    return NULL;
}

TEST(a_batch_that_is_refused_does_not_harm_those_that_share_its_transaction)
{
    pthread_t threads[THREADS];
    begin("share");
    ki_change first = an_event("first", "x", "view", 1);
    first.id = "taken";
    CHECK_OK(ki_store_write(s, &first, 1));
    for (intptr_t t = 0; t < THREADS; t++) CHECK(pthread_create(&threads[t], NULL, write_conflicts, (void *)t) == 0);
    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
    CHECK(refused == THREADS * 30 && accepted == THREADS * 30);
    CHECK_INT(count_rows(s, KI_EVENTS), 1 + 2 * THREADS * 30);
    CHECK_INT(count_rows(s, KI_USERS), 1 + THREADS * 30);
    finish();
}

/* ---- opening ---- */

TEST(a_store_in_memory_is_a_store)
{
    CHECK_OK(ki_store_open(NULL, NULL, &s));
    ki_change c[] = { an_event("a", "x", "view", 1), a_document("k", "i", "{}"), a_journal("audit", "k", "a", NULL) };
    CHECK_OK(ki_store_write(s, c, 3));
    CHECK_OK(write_one(s, (ki_change){ .change = KI_DROP_USER, .id = "a" }));
    CHECK_STR(gather(s, KI_USERS, NULL), "0:-");
    CHECK_STR(gather(s, KI_DOCUMENTS, NULL), "2:k/i");
    ki_store_counts n;
    CHECK_OK(ki_store_count(s, &n));
    CHECK(n.bytes > 0 && n.items == 1 && n.users == 0);
    CHECK_OK(ki_store_check(s));
    ki_store_close(s);
    CHECK_OK(ki_store_open(":memory:", NULL, &s));
    CHECK_STR(gather(s, KI_USERS, NULL), "");
    ki_store_close(s);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(what_is_no_store_is_refused_and_left_as_it_was)
{
    size_t n;
    ki_store *other = NULL;
    sqlite3 *db;
    storage_path(path, sizeof path, "foreign");
    write_file(path,
               (const unsigned char *)"user,item,rating\nann,x,5\nthis is no database, and longer than 100 bytes "
                                      "so that its header is all there ..................",
               120);
    CHECK_FAILS(ki_store_open(path, NULL, &other), KITH_EFORMAT, "not an SQLite database");
    unsigned char *bytes = read_file(path, &n);
    CHECK(n == 120 && memcmp(bytes, "user,item", 9) == 0);
    free(bytes);
    unlink(path);
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, "CREATE TABLE mine (a)", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    CHECK_FAILS(ki_store_open(path, NULL, &other), KITH_EFORMAT, "no store of kith");
    CHECK_FAILS(ki_store_open("/nonexistent/x.db", NULL, &other), KITH_EIO, "/nonexistent/x.db");
    CHECK_FAILS(ki_store_open("/tmp", NULL, &other), KITH_EIO, "/tmp");
    CHECK_FAILS(ki_store_open("", NULL, &other), KITH_EINVAL, "empty");
    CHECK(other == NULL);
    CHECK_INT(ki_alloc_live(), 0);
    unlink(path);
}

static void run_sql(const char *sql)
{
    sqlite3 *db;
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

TEST(a_store_of_a_later_version_is_refused_by_name)
{
    ki_store *other = NULL;
    begin("later");
    ki_store_close(s);
    run_sql("PRAGMA user_version = 99");
    CHECK_FAILS(ki_store_open(path, NULL, &other), KITH_EFORMAT, "format 99");
    run_sql("PRAGMA user_version = 0");
    CHECK_FAILS(ki_store_open(path, NULL, &other), KITH_EFORMAT, "damaged");
    run_sql("PRAGMA user_version = 1; CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM users; END");
    CHECK_FAILS(ki_store_open(path, NULL, &other), KITH_EFORMAT, "triggers");
    CHECK_INT(ki_alloc_live(), 0);
    unlink(path);
}

TEST(one_process_at_a_time_may_write)
{
    ki_store *other = NULL;
    char words[64];
    begin("lock");
    CHECK_FAILS(ki_store_open(path, NULL, &other), KITH_EIO, "open already"); /* not even twice in one process */
    const pid_t parent = getpid(), child = fork();
    if (child == 0) {
        snprintf(words, sizeof words, "process %ld", (long)parent);
        const kith_err err = ki_store_open(path, NULL, &other);
        _exit(err == KITH_EIO && strstr(kith_last_error(), words) != NULL ? 0 : 1);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK_OK(write_one(s, a_user("ann", NULL))); /* the attempts took nothing away */
    finish();
}

TEST(reading_beside_a_writer_and_from_a_disk_that_cannot_be_written)
{
    ki_store *reader = NULL;
    begin("readonly");
    const ki_store_options read_only = { .read_only = 1 };
    CHECK_OK(write_one(s, a_user("ann", NULL)));
    CHECK_OK(ki_store_open(path, &read_only, &reader));
    CHECK_OK(write_one(s, a_user("bob", NULL)));
    CHECK_STR(gather(reader, KI_USERS, NULL), "0:ann 1:bob");
    CHECK_FAILS(write_one(reader, a_user("cem", NULL)), KITH_EINVAL, "reading only");
    ki_store_close(reader);
    ki_store_close(s);
    CHECK(chmod(path, 0444) == 0);
    CHECK_OK(ki_store_open(path, &read_only, &s));
    CHECK_STR(gather(s, KI_USERS, NULL), "0:ann 1:bob");
    ki_store_close(s);
    CHECK_FAILS(ki_store_open("/nonexistent.db", &read_only, &reader), KITH_EIO, "cannot be read");
    CHECK(chmod(path, 0644) == 0);
    unlink(path);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(every_refused_allocation_is_an_error_and_nothing_is_lost)
{
    storage_path(path, sizeof path, "refused");
    kith_err err = KITH_ENOMEM;
    for (int n = 1; err != KITH_OK; n++) {
        static struct gathered g;
        g = (struct gathered){ .table = KI_EVENTS };
        ki_store *made = NULL;
        ki_alloc_fail_at(n, 0);
        err = ki_store_open(path, NULL, &made);
        if (err == KITH_OK) err = write_one(made, an_event("a", "x", "view", n));
        if (err == KITH_OK) err = ki_store_each(made, KI_EVENTS, NULL, gather_row, &g);
        ki_alloc_fail_at(0, 0);
        CHECK(err == KITH_OK || (err == KITH_ENOMEM && strstr(kith_last_error(), "memory") != NULL));
        ki_store_close(made);
        CHECK_INT(ki_alloc_live(), 0);
    }
    unlink(path);
}

/* ---- time ---- */

TEST(a_time_that_is_given_is_kept_and_rows_stay_in_order_whatever_the_clock_says)
{
    begin("clock");
    ki_change c[] = { an_event("a", "x", "view", 1), an_event("a", "y", "view", 1), an_event("a", "z", "view", 1) };
    c[0].time_ms = 4102444800000; /* 2100 */
    c[1].time_ms = -86400000;     /* 1969 */
    CHECK_OK(ki_store_write(s, c, 3));
    CHECK(c[0].seq < c[1].seq && c[1].seq < c[2].seq);
    CHECK(c[0].time_ms == 4102444800000 && c[1].time_ms == -86400000);
    CHECK(c[2].time_ms > 1600000000000 && c[2].time_ms < 4102444800000);
    CHECK_STR(gather(s, KI_EVENTS, NULL), "1:view/a/x 2:view/a/y 3:view/a/z");
    CHECK_STR(gather(s, KI_EVENTS, &(ki_select){ .to_ms = -1 }), "2:view/a/y");
    finish();
}

/* ---- backup ---- */

TEST(a_backup_is_the_whole_store_of_one_moment)
{
    char copy[320];
    ki_store *back = NULL;
    begin("backup");
    CHECK_OK(write_one(s, an_event("a", "x", "view", 1)));
    snprintf(copy, sizeof copy, "%s.copy", path);
    CHECK_OK(ki_store_backup(s, copy));
    CHECK_OK(write_one(s, an_event("b", "x", "view", 1)));
    CHECK_OK(ki_store_open(copy, NULL, &back));
    CHECK_OK(ki_store_check(back));
    CHECK_STR(gather(back, KI_EVENTS, NULL), "1:view/a/x");
    CHECK_FAILS(ki_store_backup(s, copy), KITH_EIO, copy); /* in use */
    ki_store_close(back);
    CHECK_OK(ki_store_backup(s, copy));
    CHECK_OK(ki_store_open(copy, NULL, &back));
    CHECK_STR(gather(back, KI_EVENTS, NULL), "1:view/a/x 2:view/b/x");
    ki_store_close(back);
    CHECK_FAILS(ki_store_backup(s, path), KITH_EIO, "name another file");
    CHECK_FAILS(ki_store_backup(s, "/nonexistent/copy"), KITH_EIO, "/nonexistent/copy");
    CHECK_FAILS(ki_store_backup(s, ""), KITH_EINVAL, "path");
    unlink(copy);
    finish();
}

TEST(a_store_in_memory_can_be_put_on_disk)
{
    ki_store *back = NULL;
    storage_path(path, sizeof path, "from-memory");
    CHECK_OK(ki_store_open(NULL, NULL, &s));
    CHECK_OK(write_one(s, an_event("a", "x", "view", 1)));
    CHECK_OK(ki_store_backup(s, path));
    ki_store_close(s);
    CHECK_OK(ki_store_open(path, NULL, &back));
    CHECK_STR(gather(back, KI_EVENTS, NULL), "1:view/a/x");
    ki_store_close(back);
    unlink(path);
}
