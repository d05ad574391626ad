/* SPDX-License-Identifier: MIT
 * test_storage_harm.c -- a store whose files are cut, flipped, copied in the middle of their life, or on a full disk
 */
#include "storage.h"

#include "base/mem.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char path[300], image[320], image_log[330];
static ki_store *s;

static void begin(const char *name)
{
    storage_path(path, sizeof path, name);
    snprintf(image, sizeof image, "%s.image", path);
    snprintf(image_log, sizeof image_log, "%s-wal", image);
    CHECK_OK(ki_store_open(path, NULL, &s));
}

static void finish(void)
{
    char command[400];
    ki_store_close(s);
    snprintf(command, sizeof command, "rm -f '%s'*", path);
    CHECK(system(command) == 0);
    CHECK_INT(ki_alloc_live(), 0);
}

static void write_numbered(int from, int to)
{
    for (int j = from; j < to; j++) {
        char user[16], json[64];
        snprintf(user, sizeof user, "u%d", j % 50);
        snprintf(json, sizeof json, "{\"n\": %d}", j);
        ki_change c[] = { an_event(user, "x", "view", j), a_document("last", "event", json) };
        c[0].rec_id = j % 3 ? NULL : user;
        CHECK_OK(ki_store_write(s, c, 2));
    }
}

static unsigned char *copy_of(const char *from, const char *suffix, size_t *n)
{
    char name[400];
    snprintf(name, sizeof name, "%s%s", from, suffix);
    return read_file(name, n);
}

struct crash { /* the file and its log, as a crash would leave them */
    unsigned char *file, *log;
    size_t file_n, log_n;
};

static struct crash crash_now(void)
{
    struct crash c;
    c.log = copy_of(path, "-wal", &c.log_n);
    c.file = copy_of(path, "", &c.file_n);
    return c;
}

static void free_crash(struct crash *c)
{
    free(c->file);
    free(c->log);
}

/* Lay them down as the image, with so much of the log. */
static void lay_down(const struct crash *c, size_t log_n)
{
    char command[400];
    snprintf(command, sizeof command, "rm -f '%s'*", image);
    CHECK(system(command) == 0);
    write_file(image, c->file, c->file_n);
    write_file(image_log, c->log, log_n);
}

static kith_err count_up(void *udata, const ki_row *row)
{
    int *n = udata;
    return (int)row->value == (*n)++ ? KITH_OK : ki_fail(KITH_EFORMAT, "event %d is missing", *n - 1);
}

/* The events of the image, from the first without a gap, and the document of the last. */
static int events_of_image(int read_only)
{
    ki_store *t = NULL;
    json_t *doc = NULL;
    int n = 0;
    CHECK_OK(ki_store_open(image, &(ki_store_options){ .read_only = read_only }, &t));
    CHECK_OK(ki_store_check(t));
    CHECK_OK(ki_store_each(t, KI_EVENTS, NULL, count_up, &n));
    if (n > 0) {
        CHECK_OK(ki_store_get(t, KI_DOCUMENTS, "last", "event", &doc));
        CHECK_INT(json_integer_value(json_object_get(doc, "n")), n - 1);
        json_decref(doc);
    }
    ki_store_close(t);
    return n;
}

/* ---- the log ---- */

TEST(what_was_acknowledged_is_in_the_files_at_once)
{
    begin("at-once");
    for (int j = 0; j < 20; j++) {
        write_numbered(j, j + 1);
        struct crash c = crash_now();
        lay_down(&c, c.log_n);
        CHECK_INT(events_of_image(1), j + 1); /* reading alone leaves all as it is */
        CHECK_INT(events_of_image(0), j + 1);
        free_crash(&c);
    }
    finish();
}

/* Forty batches that are in the log alone; when the machine was so slow that the log was emptied in between, again. */
static struct crash forty_in_the_log(const char *name)
{
    for (;;) {
        begin(name);
        write_numbered(0, 40);
        struct crash c = crash_now();
        if (c.log_n > 40 * 4096) return c;
        free_crash(&c);
        finish();
    }
}

TEST(a_cut_log_gives_what_was_whole_before_the_cut)
{
    int before = 0;
    struct crash c = forty_in_the_log("cut");
    for (size_t cut = 0; cut < c.log_n; cut += 5003) {
        lay_down(&c, cut);
        const int found = events_of_image(0);
        CHECK(found >= before); /* never less for more bytes */
        before = found;
    }
    lay_down(&c, c.log_n);
    CHECK_INT(events_of_image(0), 40);
    free_crash(&c);
    finish();
}

TEST(a_log_with_a_flipped_byte_gives_what_was_whole_before_it)
{
    struct crash c = forty_in_the_log("flip-log");
    for (size_t at = 40; at < c.log_n; at += 7001) {
        c.log[at] ^= 0x5a;
        lay_down(&c, c.log_n);
        c.log[at] ^= 0x5a;
        CHECK(events_of_image(0) < 40);
    }
    free_crash(&c);
    finish();
}

TEST(the_log_does_not_grow_for_ever_under_a_steady_load)
{
    enum { BATCH = 100, BATCHES = 250 };
    char name[320];
    struct stat st;
    off_t longest = 0;
    unsigned lot = 1;
    begin("grow");
    snprintf(name, sizeof name, "%s-wal", path);
    for (int b = 0; b < BATCHES; b++) {
        static char users[BATCH][16], items[BATCH][16];
        ki_change c[BATCH];
        for (int j = 0; j < BATCH; j++) {
            lot = lot * 1664525u + 1013904223u;
            snprintf(users[j], sizeof users[j], "u%u", lot >> 12);
            snprintf(items[j], sizeof items[j], "i%u", (lot >> 8) % 40000);
            c[j] = an_event(users[j], items[j], "view", j);
        }
        CHECK_OK(ki_store_write(s, c, BATCH));
        if (stat(name, &st) == 0 && st.st_size > longest) longest = st.st_size;
    }
    /* 8,000 frames make the log long, 32 MB; more may come while it is swept.  Without sweeping it is 102 MB. */
    ck_assert_msg(longest < 80 << 20, "the log grew to %lld MB", (long long)longest >> 20);
    CHECK_OK(ki_store_check(s));
    finish();
}

/* ---- pages ---- */

static kith_err look_at_row(void *udata, const ki_row *row)
{
    volatile size_t *sum = udata; /* every byte that is told is there to be read */
    const char *const texts[] = { row->kind, row->id, row->user, row->item, row->json, row->rec_id };
    for (size_t t = 0; t < KI_COUNT(texts); t++) *sum += texts[t] == NULL ? 0 : strlen(texts[t]);
    CHECK(row->index >= -1 && row->user_index >= -1 && row->item_index >= -1);
    return KITH_OK;
}

static int is_told(kith_err err)
{
    return err == KITH_OK ||
           ((err == KITH_EFORMAT || err == KITH_EIO || err == KITH_EINVAL) && strlen(kith_last_error()) > 10);
}

/* Open, read and write what may be in the image: each call succeeds or says what is wrong. */
static kith_err use_image(void)
{
    ki_store *t = NULL;
    size_t sum = 0;
    kith_err err = ki_store_open(image, NULL, &t), first = err;
    CHECK(is_told(err));
    if (err != KITH_OK) return err;
    for (int table = KI_USERS; table <= KI_JOURNALS; table++) {
        for (int way = 0; way < 2; way++) {
            err = ki_store_each(t, (ki_table_name)table, &(ki_select){ .newest_first = way }, look_at_row, &sum);
            CHECK(is_told(err));
            if (first == KITH_OK) first = err;
        }
    }
    ki_change c[] = { an_event("u1", "x", "view", 1),
                      an_event("new", "new", "view", 1),
                      a_user("u2", "{}"),
                      a_document("last", "event", "{}"),
                      { .change = KI_DROP_USER, .id = "u3" } };
    CHECK(is_told(ki_store_write(t, c, 5)));
    CHECK(is_told(ki_store_check(t)));
    ki_store_close(t);
    return first;
}

static void write_image(const unsigned char *bytes, size_t n)
{
    char name[400];
    static const char *const beside[] = { "-wal", "-shm", "-lock" };
    for (size_t j = 0; j < KI_COUNT(beside); j++) {
        snprintf(name, sizeof name, "%s%s", image, beside[j]);
        unlink(name);
    }
    write_file(image, bytes, n);
}

TEST(no_flipped_byte_of_the_file_is_dangerous)
{
    int refused = 0;
    size_t n;
    begin("flip");
    write_numbered(0, 60);
    CHECK_OK(write_one(s, (ki_change){ .change = KI_ADD_JOURNAL, .kind = "audit", .id = "k", .json = "{}" }));
    ki_store_close(s);
    unsigned char *bytes = read_file(path, &n);
    const char *turns = getenv("KITH_FLIPS"); /* more of them, for a long run */
    const int most = turns != NULL ? atoi(turns) : 200;
    uint64_t lot = turns != NULL ? (uint64_t)getpid() : 1;
    for (int j = 0; j < most; j++) {
        size_t at[4];
        unsigned char was[4];
        for (int f = 0; f < 4; f++) {
            lot = lot * 6364136223846793005u + 1442695040888963407u;
            at[f] = j < 100 && f == 0 ? (size_t)j : (lot >> 33) % n; /* each byte of the header, too */
            was[f] = bytes[at[f]];
            if (f == 0 || j % 2) bytes[at[f]] = (unsigned char)(lot >> 24);
        }
        write_image(bytes, n);
        refused += use_image() != KITH_OK;
        for (int f = 3; f >= 0; f--) bytes[at[f]] = was[f];
    }
    CHECK(refused > 10); /* flips in rows and pages are found, not only survived */
    write_image(bytes, n);
    CHECK_OK(use_image());
    free(bytes);
    CHECK_OK(ki_store_open(path, NULL, &s));
    finish();
}

TEST(a_damaged_page_is_told_with_what_to_do)
{
    size_t n;
    ki_store *t = NULL;
    begin("page");
    write_numbered(0, 2000);
    ki_store_close(s);
    unsigned char *bytes = read_file(path, &n);
    for (size_t page = 8; page < n / 4096; page++) memset(bytes + page * 4096, 0xff, 16);
    write_image(bytes, n);
    CHECK_FAILS(ki_store_open(image, NULL, &t), KITH_EFORMAT, "restore a backup");
    for (size_t cut = 0; cut < n; cut += 4096 * 7 + 100) {
        write_image(bytes, cut);
        const kith_err err = ki_store_open(image, NULL, &t);
        if (cut == 0) /* an empty file is a new store */
            ki_store_close(t);
        else
            CHECK(err == KITH_EFORMAT && strstr(kith_last_error(), image) != NULL);
        t = NULL;
    }
    free(bytes);
    CHECK_OK(ki_store_open(path, NULL, &s));
    finish();
}

/* ---- a full disk ---- */

static int64_t events_now(void)
{
    ki_store_counts n;
    CHECK_OK(ki_store_count(s, &n));
    CHECK_INT(count_rows(s, KI_EVENTS), n.events);
    return n.events;
}

/* Batches of 50 until one is refused; its events are not there, those before it are. */
static void fill_disk(const char *words)
{
    static char json[2000];
    const int64_t before = events_now();
    kith_err err = KITH_OK;
    int64_t kept = 0;
    memset(json, ' ', sizeof json - 1);
    memcpy(json, "{}", 2);
    for (int b = 0; err == KITH_OK && b < 2000; b++) {
        ki_change c[50];
        for (int j = 0; j < 50; j++) {
            c[j] = an_event("ann", "x", "view", j);
            c[j].json = json;
        }
        err = ki_store_write(s, c, 50);
        if (err == KITH_OK) kept += 50;
    }
    ck_assert_msg(err == KITH_EIO && strstr(kith_last_error(), words) != NULL, "%d: %s", (int)err, kith_last_error());
    CHECK_INT(events_now(), before + kept);
    CHECK(kept > 0);
}

TEST(a_file_that_may_not_grow_keeps_what_it_had_and_goes_on_when_it_may)
{
    struct rlimit limit;
    begin("limit");
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    const rlim_t usual = limit.rlim_cur;
    signal(SIGXFSZ, SIG_IGN); /* the write fails instead */
    limit.rlim_cur = 3 << 20;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    fill_disk(path);
    CHECK(write_one(s, a_user("bob", NULL)) != KITH_ENOMEM); /* small ones may fit or not; none harms */
    limit.rlim_cur = usual;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    const int64_t kept = events_now();
    CHECK_OK(write_one(s, an_event("cem", "x", "view", 1)));
    ki_store_close(s);
    CHECK_OK(ki_store_open(path, NULL, &s));
    CHECK_INT(events_now(), kept + 1);
    CHECK_OK(ki_store_check(s));
    finish();
}

TEST(a_full_disk_keeps_what_it_had_and_goes_on_when_there_is_room)
{
    char folder[] = "/tmp/kith-full-XXXXXX", filler[64];
    CHECK(mkdtemp(folder) != NULL);
    /* A mount of this process alone: it goes with the process. */
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", folder, "tmpfs", 0, "size=6m") != 0) {
        printf("skipped: a small disk can only be mounted by root\n");
        rmdir(folder);
        return;
    }
    snprintf(filler, sizeof filler, "%s/filler", folder);
    snprintf(path, sizeof path, "%s/store.db", folder);
    unsigned char *zeroes = calloc(1, 2 << 20);
    write_file(filler, zeroes, 2 << 20);
    free(zeroes);
    CHECK_OK(ki_store_open(path, NULL, &s));
    fill_disk("disk is full");
    CHECK(unlink(filler) == 0 && mount("tmpfs", folder, "tmpfs", MS_REMOUNT, "size=64m") == 0); /* there is room */
    const int64_t kept = events_now();
    CHECK_OK(write_one(s, an_event("cem", "x", "view", 1)));
    CHECK_OK(write_one(s, (ki_change){ .change = KI_DROP_USER, .id = "ann" }));
    CHECK_INT(events_now(), 1);
    CHECK(kept > 0);
    CHECK_OK(ki_store_check(s));
    ki_store_close(s);
    CHECK_INT(ki_alloc_live(), 0);
    umount2(folder, MNT_DETACH);
    rmdir(folder);
}
