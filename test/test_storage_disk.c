/* SPDX-License-Identifier: MIT
 * Tests of how often a store waits for the disk, and for how much: the calls of SQLite to the system are counted here.
 */
#include "base/mem.h"
#include "storage.h"
#include "store/sqlite.h"

#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

static char path[300];
static const ki_backend *const backend = &ki_sqlite_backend;
static ki_sqlite *s;

/* ---- what the store asks of the disk ---- */

static atomic_int syncs; /* of any file */
static atomic_int pages,
    largest; /* of the store's file: written since its last sync; of which the writer synced most */
static atomic_int stop_sweeper, sweeper_stopped;
static pthread_t writer;

static int is_store(int fd)
{
    struct stat of_fd, of_path;
    return fstat(fd, &of_fd) == 0 && stat(path, &of_path) == 0 && of_fd.st_ino == of_path.st_ino;
}

/* In place of the C library's: libsqlite3 calls these. */
int fdatasync(int fd);
ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at);

int fdatasync(int fd)
{
    atomic_fetch_add(&syncs, 1);
    if (is_store(fd)) {
        const int n = atomic_exchange(&pages, 0);
        if (pthread_equal(pthread_self(), writer) && n > atomic_load(&largest)) atomic_store(&largest, n);
    }
    return (int)syscall(SYS_fdatasync, fd);
}

static void moment(void)
{
    const struct timespec ms = { .tv_nsec = 1000000 };
    nanosleep(&ms, NULL);
}

/* The sweeper waits with its first page until the writer has gone on, so that its sweep leaves a rest. */
ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at)
{
    if (is_store(fd)) {
        atomic_fetch_add(&pages, 1);
        if (!pthread_equal(pthread_self(), writer)) {
            atomic_store(&sweeper_stopped, 1);
            while (atomic_load(&stop_sweeper)) moment();
        }
    }
    return syscall(SYS_pwrite64, fd, bytes, n, at);
}

/* ---- a store without its threads but the sweeper ---- */

static void begin(const char *name)
{
    void *state = NULL;
    storage_path(path, sizeof path, name);
    writer = pthread_self();
    CHECK_OK(backend->open(path, &(ki_store_options){ 0 }, &state));
    s = state;
}

static void finish(void)
{
    char command[400];
    CHECK_OK(backend->check(s));
    backend->close(s);
    CHECK_INT(ki_alloc_live(), 0);
    snprintf(command, sizeof command, "rm -f '%s'*", path);
    CHECK(system(command) == 0);
}

static void commit(ki_change *changes, int n)
{
    CHECK_OK(backend->begin(s, 0));
    CHECK_OK(backend->write(s, changes, n));
    CHECK_OK(backend->commit(s));
}

static void commit_one(const char *user)
{
    ki_change c = an_event(user, "x", "view", NAN);
    commit(&c, 1);
}

static int syncs_of_one(const char *user)
{
    const int before = atomic_load(&syncs);
    commit_one(user);
    return atomic_load(&syncs) - before;
}

TEST(one_event_after_a_pause_waits_for_the_disk_once)
{
    begin("pause");
    for (int turn = 0; turn < 3; turn++) {
        commit_one("ann");
        backend->tidy(s, 0);
        backend->tidy(s, 1);
        CHECK_INT(syncs_of_one("ann"), 1);
        CHECK_INT(syncs_of_one("ben"), 1);
    }
    ki_change drop = { .change = KI_DROP_USER, .id = "ann" }; /* which empties the log */
    commit(&drop, 1);
    backend->scrub(s);
    backend->tidy(s, 1);
    CHECK_INT(syncs_of_one("ben"), 1);
    const int before = atomic_load(&syncs); /* a pause in which nothing was written is left alone */
    backend->tidy(s, 1);
    backend->tidy(s, 1);
    CHECK(atomic_load(&syncs) - before <= 5);
    finish();
}

static void write_pages(int n, unsigned *lot)
{
    enum { BATCH = 100 };
    static char users[BATCH][16], items[BATCH][16];
    ki_change c[BATCH];
    for (const int end = s->frames + n; s->frames < end;) {
        for (int j = 0; j < BATCH; j++) {
            *lot = *lot * 1664525u + 1013904223u;
            snprintf(users[j], sizeof users[j], "u%u", *lot >> 12);
            snprintf(items[j], sizeof items[j], "i%u", (*lot >> 8) % 40000);
            c[j] = an_event(users[j], items[j], "view", j);
        }
        commit(c, BATCH);
    }
}

static off_t log_size(void)
{
    char name[320];
    struct stat st;
    snprintf(name, sizeof name, "%s-wal", path);
    return stat(name, &st) == 0 ? st.st_size : 0;
}

/* Its file stays, so that the next writes need not make it longer; not all of a long one, and not what it should forget. */
TEST(the_log_that_is_begun_anew_writes_over_its_file)
{
    unsigned lot = 1;
    begin("over");
    write_pages(100, &lot);
    backend->tidy(s, 1);
    const off_t before = log_size();
    CHECK(before > 100 * 4096);
    CHECK_INT(s->frames, 1);
    commit_one("ann");
    CHECK(log_size() == before);
    write_pages(4000, &lot);
    CHECK(log_size() > 16000000);
    backend->tidy(s, 1);
    CHECK_INT(log_size(), 8 << 20);
    ki_change gone = { .change = KI_DROP_EVENTS, .user = "ann", .item = "x" };
    commit(&gone, 1);
    CHECK_INT(gone.n_dropped, 1);
    backend->tidy(s, 1);
    CHECK(log_size() < 10000);
    finish();
}

/* As many events as a store has that is opened from what is in the files now. */
static int64_t events_after_a_crash(void)
{
    char image[320], command[1600];
    ki_store *t = NULL;
    ki_store_counts counts;
    snprintf(image, sizeof image, "%s.image", path);
    snprintf(command, sizeof command, "rm -f '%s'*; cp '%s' '%s'; cp '%s-wal' '%s-wal'", image, path, image, path,
             image);
    CHECK(system(command) == 0);
    CHECK_OK(ki_store_open(image, NULL, &t));
    CHECK_OK(ki_store_check(t));
    CHECK_OK(ki_store_count(t, &counts));
    ki_store_close(t);
    return counts.events;
}

/* What the file of the log still has from before lies behind the commits of now. */
TEST(a_crash_after_the_log_was_begun_anew_loses_nothing)
{
    unsigned lot = 1;
    begin("anew");
    for (int turn = 0; turn < 3; turn++) {
        write_pages(60, &lot);
        CHECK_INT(events_after_a_crash(), s->kept.events);
        backend->tidy(s, 1);
        CHECK_INT(events_after_a_crash(), s->kept.events);
        for (int n = 0; n < 4; n++) {
            commit_one("ann");
            CHECK_INT(events_after_a_crash(), s->kept.events);
        }
    }
    CHECK(log_size() > 60 * 4096);
    finish();
}

static int is_swept(void)
{
    pthread_mutex_lock(&s->lock);
    const int swept = s->swept;
    pthread_mutex_unlock(&s->lock);
    return swept > 0;
}

/* What the sweeper has written is on the disk when it is done: the writer, behind whom others wait, syncs its own rest. */
TEST(the_writer_never_waits_for_what_the_sweeper_wrote)
{
    unsigned lot = 1;
    begin("sweep");
    write_pages(8000, &lot);
    atomic_store(&stop_sweeper, 1);
    backend->tidy(s, 0); /* the log is long: the sweeper begins */
    while (!atomic_load(&sweeper_stopped)) moment();
    write_pages(1, &lot);
    atomic_store(&stop_sweeper, 0);
    while (!is_swept()) moment();
    atomic_store(&largest, 0);
    for (int n = 0; n < 2000 && s->frames >= 8000; n++) { /* until the log begins anew */
        backend->tidy(s, 0);
        moment();
        commit_one("ann");
    }
    CHECK(s->frames < 8000);
    ck_assert_msg(atomic_load(&largest) <= 200, "the writer synced %d pages", atomic_load(&largest));
    finish();
}
