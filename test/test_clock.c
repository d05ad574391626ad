/* SPDX-License-Identifier: MIT
 * test_clock.c -- a clock that people set: what waits goes on, and nothing is lost
 *
 * This program has a clock_gettime of its own, which the static library uses: the time of day is ahead or behind by as
 * much as a test says.  What the C library waits by is not changed, as when somebody sets the clock meanwhile.
 */
#include "test.h"

#include "serve/clock.h"
#include "serve/service_parts.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { HOUR = 3600 };

static atomic_int ahead; /* seconds */

int clock_gettime(clockid_t which, struct timespec *t)
{
    const int failed = (int)syscall(SYS_clock_gettime, which, t);
    if (which == CLOCK_REALTIME) t->tv_sec += atomic_load(&ahead);
    return failed;
}

static ki_service *s;
static kith *context;

static void open_service(void)
{
    ki_settings settings;
    CHECK_OK(ki_settings_read(NULL, &settings));
    settings.train_every = -1;
    CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &context));
    CHECK_OK(ki_service_open(&(ki_service_options){ .settings = &settings, .k = context }, &s));
}

static void close_service(void)
{
    atomic_store(&ahead, 0);
    ki_service_close(s);
    kith_free(context);
}

static kith_err event(const char *user, const char *item)
{
    ki_change c = { .change = KI_ADD_EVENT, .kind = "rating", .user = user, .item = item, .value = 4 };
    return ki_service_write(s, &c, 1);
}

static int64_t journals(void)
{
    ki_store_counts n;
    CHECK_OK(ki_store_count(s->store, &n));
    return n.journals;
}

/* Five seconds are many for a pause of a tenth, on a machine with much to do, and few beside an hour. */
static void within_seconds(int64_t want)
{
    for (int j = 0; j < 500 && journals() < want; j++) usleep(10000);
    CHECK_INT(journals(), want);
}

TEST(a_condition_is_waited_for_as_long_as_it_says)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never;
    ki_cond_init(&never);
    atomic_store(&ahead, HOUR);
    pthread_mutex_lock(&lock);
    const int64_t began = ki_clock_ns();
    CHECK(!ki_cond_wait(&never, &lock, 50));
    const int64_t took = ki_clock_ns() - began;
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&never);
    CHECK(took >= 50000000 && took < 5000000000);
}

TEST(the_journal_is_written_although_the_clock_is_set)
{
    open_service();
    for (int j = -1; j <= 1; j++) {
        atomic_store(&ahead, j * HOUR);
        CHECK_OK(ki_exposures_add(s->exposures, "rec", "ann", "{}"));
        within_seconds(j + 2);
    }
    close_service();
}

TEST(events_of_a_clock_that_goes_back_are_all_there)
{
    json_t *history = NULL;
    char item[16];
    open_service();
    for (int j = 0; j < 10; j++) {
        atomic_store(&ahead, -j * 24 * HOUR);
        snprintf(item, sizeof item, "i%d", j);
        CHECK_OK(event("ann", item));
    }
    CHECK_OK(ki_live_history(s->live, "ann", 100, &history));
    CHECK_INT(json_array_size(history), 10);
    CHECK_STR(json_string_value(json_object_get(json_array_get(history, 0), "item_id")),
              "i0"); /* the latest by its time */
    json_decref(history);
    close_service();
}
