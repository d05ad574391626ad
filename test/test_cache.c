/* SPDX-License-Identifier: MIT
 * test_cache.c -- caches of both kinds: what is kept comes back, and a Redis that fails hurts nobody
 */
#include "redis.h"
#include "test.h"

#include "base/mem.h"
#include "base/pool.h"
#include "store/cache.h"
#include "store/redis_url.h"

#include <jansson.h>
#include <stdlib.h>

/* ---- both kinds ---- */

static void put(kith_cache *c, const char *key, const char *value)
{
    CHECK_OK(ki_cache_put(c, key, strlen(key), value, strlen(value)));
}

/* 1: kept, and what is wanted; 0: nothing there; -1: could not be asked. */
static int look(kith_cache *c, const char *key, const char *want)
{
    ki_cached found;
    CHECK_OK(ki_cache_get(c, key, strlen(key), &found));
    if (!found.asked) return -1;
    if (found.at == NULL) return 0;
    CHECK_STR(found.at, want);
    ki_free(found.at);
    return 1;
}

static void check_any_bytes(kith_cache *c)
{
    const char key[] = "a\0b \r\n*", other[] = "a\0c \r\n*", value[] = "\0\r\n\xff$5\r\n";
    ki_cached found;
    CHECK_OK(ki_cache_put(c, key, sizeof key, value, sizeof value));
    CHECK_OK(ki_cache_get(c, key, sizeof key, &found));
    CHECK(found.at != NULL && found.n == sizeof value && memcmp(found.at, value, sizeof value) == 0);
    ki_free(found.at);
    CHECK_OK(ki_cache_get(c, other, sizeof other, &found));
    CHECK(found.at == NULL && found.asked);
    CHECK_OK(ki_cache_put(c, "empty", 5, "", 0));
    CHECK_INT(look(c, "empty", ""), 1);
}

/* Of 3000 keys, 1500 begin with what is dropped; its special characters stand for themselves. */
static void check_dropping(kith_cache *c)
{
    char key[64];
    for (int j = 0; j < 3000; j++) {
        snprintf(key, sizeof key, "%s%d", j % 2 == 0 ? "m[1]*\\?/" : "m1xx\\?/", j);
        put(c, key, "x");
    }
    CHECK_OK(ki_cache_drop_prefix(c, "m[1]*\\?/", 8));
    for (int j = 1; j < 3000; j += 2) { /* a memory cache may have lost a few to chance: hence >= 0 */
        snprintf(key, sizeof key, "m[1]*\\?/%d", j - 1);
        CHECK_INT(look(c, key, "x"), 0);
        snprintf(key, sizeof key, "m1xx\\?/%d", j);
        CHECK(look(c, key, "x") >= 0);
    }
    ki_cache_stats s;
    ki_cache_count(c, &s);
    CHECK(s.hits > 1400 && s.misses >= 1500 && s.puts >= 3000 && s.errors == 0);
}

static void check_kind(kith_cache *c)
{
    char key[KI_CACHE_KEY_MAX + 2], why[KI_MESSAGE_SIZE];
    check_any_bytes(c);
    check_dropping(c);
    put(c, "k", "one");
    put(c, "k", "two");
    CHECK_INT(look(c, "k", "two"), 1);
    memset(key, 'k', sizeof key);
    key[sizeof key - 1] = '\0'; /* one byte too long: never kept, and no failure */
    put(c, key, "x");
    CHECK_INT(look(c, key, "x"), 0);
    key[sizeof key - 2] = '\0';
    put(c, key, "x");
    CHECK_INT(look(c, key, "x"), 1);
    ki_cache_trouble(c, why);
    CHECK_STR(why, "");
}

/* ---- in memory ---- */

TEST(memory_keeps_what_it_is_given)
{
    kith_cache *c;
    CHECK_OK(kith_cache_memory(0, &c));
    CHECK_STR(ki_cache_strategy(c), "memory");
    check_kind(c);
    kith_cache_free(c);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(memory_keeps_to_its_limit)
{
    kith_cache *c;
    char key[32];
    int found = 0;
    CHECK_OK(kith_cache_memory(1000, &c));
    for (int j = 0; j < 100; j++) {
        snprintf(key, sizeof key, "key%03d", j);
        put(c, key, "0123456789");
    }
    for (int j = 0; j < 100; j++) {
        snprintf(key, sizeof key, "key%03d", j);
        found += look(c, key, "0123456789");
    }
    CHECK(found > 0 && found <= 1000 / 17); /* a key of 6, its end, and 10 bytes */
    kith_cache_free(c);
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- where a Redis is ---- */

static void check_url(const char *url, const char *place, const char *user, const char *password)
{
    ki_redis_url u;
    char told[KI_REDIS_PLACE_ROOM];
    CHECK_OK(ki_redis_url_read(url, &u));
    ki_redis_url_print(&u, told);
    CHECK_STR(told, place);
    CHECK_STR(u.user, user);
    CHECK_STR(u.password, password);
}

TEST(a_redis_url_says_where_and_who)
{
    check_url("redis://", "localhost:6379", "", "");
    check_url("redis://h", "h:6379", "", "");
    check_url("redis://h:7000/", "h:7000", "", "");
    check_url("redis://h/3", "h:6379, database 3", "", "");
    check_url("redis://:6380/12", "localhost:6380, database 12", "", "");
    check_url("redis://:se%2fcr%40et@h", "h:6379", "", "se/cr@et");
    check_url("redis://ann:pa:ss@h:1", "h:1", "ann", "pa:ss");
    check_url("redis://ann:a@b@h:1", "h:1", "ann", "a@b");
    check_url("redis://[::1]:7/1", "[::1]:7, database 1", "", "");
    check_url("redis://[::1]", "[::1]:6379", "", "");
    check_url("unix:///run/r.sock", "/run/r.sock", "", "");
    check_url("unix://u:p@/run/r%20.sock?db=2", "/run/r .sock, database 2", "u", "p");
}

TEST(a_wrong_redis_url_is_refused_without_telling_its_password)
{
    static const char *const wrong[][2] = {
        { "", "begins with" },
        { "http://h", "begins with" },
        { "rediss://:secret@h", "TLS" },
        { "redis://secret@h", "user:password" },
        { "redis://:secret@h:x", "port" },
        { "redis://:secret@h:0", "port" },
        { "redis://:secret@h:65536", "port" },
        { "redis://:secret@h:", "port" },
        { "redis://:secret@h/x", "database" },
        { "redis://:secret@h/99999999999999999999", "database" },
        { "redis://:secret@h/1/2", "database" },
        { "redis://:secret@h?db=1", "database" },
        { "redis://:secret%zz@h", "%XX" },
        { "redis://:secret%00@h", "%XX" },
        { "redis://:secret%4@h", "%XX" },
        { "redis://:secret@[::1", "[ without ]" },
        { "redis://:secret@[::1]7", ":port" },
        { "unix://run", "whole path" },
        { "unix:///run?database=1", "?db=" },
        { "unix:///run?db=", "database" },
    };
    for (size_t j = 0; j < KI_COUNT(wrong); j++) {
        ki_redis_url u;
        CHECK_FAILS(ki_redis_url_read(wrong[j][0], &u), KITH_EINVAL, wrong[j][1]);
        CHECK(strstr(kith_last_error(), "secret") == NULL);
    }
}

/* ---- in Redis ---- */

static kith_cache *open_redis(const char *url, double ttl)
{
    kith_cache *c = NULL;
    CHECK_OK(kith_cache_redis(url, ttl, &c));
    return c;
}

static void check_trouble(kith_cache *c, const char *words)
{
    char why[KI_MESSAGE_SIZE];
    ki_cache_trouble(c, why);
    ck_assert_msg(strstr(why, words) != NULL, "\"%s\" does not say \"%s\"", why, words);
}

TEST(redis_keeps_what_it_is_given_and_others_find_it)
{
    struct redis_server s = { 0 };
    if (!redis_is_there()) return;
    redis_start(&s, NULL, NULL);
    kith_cache *a = open_redis(s.url, 0), *b = open_redis(s.url, 0);
    CHECK_STR(ki_cache_strategy(a), "redis");
    check_kind(a);
    CHECK_INT(look(b, "k", "two"), 1);
    kith_cache_free(a);
    kith_cache_free(b);
    redis_stop(&s);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(redis_forgets_after_the_time)
{
    struct redis_server s = { 0 };
    if (!redis_is_there()) return;
    redis_start(&s, NULL, NULL);
    kith_cache *brief = open_redis(s.url, 0.2), *lasting = open_redis(s.url, 0);
    put(brief, "brief", "x");
    put(lasting, "lasting", "x");
    CHECK_INT(look(brief, "brief", "x"), 1);
    pause_ms(400);
    CHECK_INT(look(brief, "brief", "x"), 0);
    CHECK_INT(look(brief, "lasting", "x"), 1);
    kith_cache_free(brief);
    kith_cache_free(lasting);
    redis_stop(&s);
}

/* A connection that is closed must not raise SIGPIPE either: this process would die of it. */
TEST(redis_may_die_and_come_back)
{
    struct redis_server s = { 0 };
    if (!redis_is_there()) return;
    redis_start(&s, NULL, NULL);
    kith_cache *c = open_redis(s.url, 0);
    put(c, "k", "x");
    redis_stop(&s);
    const double began = clock_seconds();
    for (int j = 0; j < 1000; j++) CHECK_INT(look(c, "k", "x"), -1);
    put(c, "k", "x");                     /* lost, and no failure */
    CHECK(clock_seconds() - began < 0.9); /* one refused connection; the rest is not asked, for the first second */
    check_trouble(c, s.path);
    CHECK_FAILS(ki_cache_drop_prefix(c, "k", 1), KITH_EIO, s.path);
    ki_cache_stats counts;
    ki_cache_count(c, &counts);
    CHECK(counts.errors == 1002 && counts.puts == 1 && counts.hits == 0 && counts.misses == 0);
    redis_start(&s, NULL, NULL);
    for (int j = 0; j < 100 && look(c, "k", "x") < 0; j++) pause_ms(50); /* the first sleep is of a second */
    CHECK_INT(look(c, "k", "x"), 0);
    put(c, "k", "y");
    CHECK_INT(look(c, "k", "y"), 1);
    kith_cache_free(c);
    redis_stop(&s);
}

TEST(redis_that_was_restarted_is_asked_again_at_once)
{
    struct redis_server s = { 0 };
    if (!redis_is_there()) return;
    redis_start(&s, NULL, NULL);
    kith_cache *c = open_redis(s.url, 0);
    put(c, "k", "x");
    redis_stop(&s);
    redis_start(&s, NULL, NULL);
    CHECK_INT(look(c, "k", "x"), 0); /* by a new connection, unnoticed */
    check_trouble(c, "");
    kith_cache_free(c);
    redis_stop(&s);
}

TEST(redis_that_does_not_answer_is_not_waited_for)
{
    struct redis_server s = { 0 };
    if (!redis_is_there()) return;
    redis_start(&s, NULL, NULL);
    kith_cache *c = open_redis(s.url, 0);
    put(c, "k", "x");
    kill(s.pid, SIGSTOP);
    const double began = clock_seconds();
    CHECK_INT(look(c, "k", "x"), -1);
    const double waited = clock_seconds() - began;
    CHECK(waited > 0.4 && waited < 1.5); /* half a second, and room for a busy machine */
    CHECK_INT(look(c, "k", "x"), -1);
    CHECK(clock_seconds() - began - waited < 0.3);
    check_trouble(c, "did not answer within 500 ms");
    kill(s.pid, SIGCONT);
    kith_cache_free(c);
    redis_stop(&s);
}

TEST(redis_refuses_wrong_passwords_and_databases_and_the_cache_says_so)
{
    struct redis_server s = { 0 };
    char url[256];
    if (!redis_is_there()) return;
    redis_start(&s, "--requirepass", "right one");
    static const struct {
        const char *format;
        int found;
        const char *words;
    } cases[] = {
        { "unix://:right%%20one@%s", 0, "" },
        { "unix://default:right%%20one@%s?db=15", 0, "" },
        { "unix://:wrong@%s", -1, "WRONGPASS" },
        { "unix://ann:right%%20one@%s", -1, "WRONGPASS" },
        { "unix://%s", -1, "NOAUTH" },
        { "unix://:right%%20one@%s?db=16", -1, "out of range" },
        { "unix://:right%%20one@%s.not", -1, "No such file" },
    };
    for (size_t j = 0; j < KI_COUNT(cases); j++) {
        snprintf(url, sizeof url, cases[j].format, s.path);
        kith_cache *c = open_redis(url, 0);
        CHECK_INT(look(c, "k", "x"), cases[j].found);
        check_trouble(c, cases[j].words);
        kith_cache_free(c);
    }
    redis_stop(&s);
}

struct crowd {
    kith_cache *c;
    int found[64];
};

static kith_err one_of_many(void *arg, int64_t begin, int64_t end, int worker)
{
    struct crowd *crowd = arg;
    char key[32], value[32];
    (void)worker;
    for (int64_t j = begin; j < end; j++)
        for (int k = 0; k < 100; k++) {
            snprintf(key, sizeof key, "%d/%d", (int)j, k);
            snprintf(value, sizeof value, "value %d", (int)j * 1000 + k);
            put(crowd->c, key, value);
            crowd->found[j] += look(crowd->c, key, value) == 1;
        }
    return KITH_OK;
}

TEST(redis_serves_many_threads_each_with_its_own_answers)
{
    struct redis_server s = { 0 };
    ki_pool *pool = NULL;
    char port[8], url[64];
    if (!redis_is_there()) return;
    snprintf(port, sizeof port, "%d", free_port());
    snprintf(url, sizeof url, "redis://127.0.0.1:%s/7", port);
    redis_start(&s, "--port", port); /* by TCP for once */
    struct crowd crowd = { .c = open_redis(url, 0) };
    CHECK_OK(ki_pool_new(16, &pool)); /* more threads than connections */
    CHECK_OK(ki_parallel_for(pool, 64, 1, one_of_many, &crowd));
    for (int j = 0; j < 64; j++) CHECK_INT(crowd.found[j], 100);
    ki_pool_free(pool);
    kith_cache_free(crowd.c);
    redis_stop(&s);
}

/* ---- runs ---- */

enum { N_USERS = 5000 }; /* more than are made between two steps of progress (4096) */

/* Users of whom the first 16 have tastes and the others nothing, so that they get popular items. */
static char *request(int n_users)
{
    const size_t size = (size_t)n_users * 24 + 16384;
    char *text = malloc(size);
    size_t n = (size_t)snprintf(text, size, "{\"recommendation_data\":{\"user_data\":[{\"user_id\":\"u0\"}");
    for (int u = 1; u < n_users; u++) n += (size_t)snprintf(text + n, size - n, ",{\"user_id\":\"u%d\"}", u);
    n += (size_t)snprintf(text + n, size - n, "],\"item_data\":[],\"interaction_data\":[");
    for (int u = 0; u < 16; u++)
        for (int i = 0; i < 6; i++)
            n += (size_t)snprintf(text + n, size - n, "%s{\"user_id\":\"u%d\",\"item_id\":\"i%d\",\"rating\":%d}",
                                  u + i > 0 ? "," : "", u, u % 2 * 3 + i, 1 + (u + i) % 5);
    snprintf(text + n, size - n,
             "]},\"recommendation_configuration\":{\"algorithm_type\":\"collaborative_filtering\","
             "\"recommendation_count\":3},\"training_configuration\":{\"cross_validation\":false},"
             "\"deployment_configuration\":{\"caching_strategy\":\"redis\"}}");
    return text;
}

static json_t *serve(kith *k, const char *text, kith_cache *cache)
{
    char *result = NULL;
    const kith_run_options o = { .cache = cache, .model_folder = "" };
    CHECK_OK(kith_run(k, text, strlen(text), &o, &result));
    json_t *r = json_loads(result, 0, NULL);
    kith_string_free(result);
    return r;
}

static const json_t *part(const json_t *result, const char *name)
{
    return json_object_get(json_object_get(result, "recommendation_results"), name);
}

static double hit_rate(const json_t *result)
{
    const json_t *rate = json_object_get(part(result, "deployment_info"), "cache_hit_rate");
    return rate == NULL ? -1 : json_number_value(rate);
}

static const char *first_warning(const json_t *result)
{
    const char *s =
        json_string_value(json_array_get(json_object_get(json_object_get(result, "metadata"), "warnings"), 0));
    return s == NULL ? "" : s;
}

static void kill_redis_at_the_first_slice(void *udata, const char *what, int64_t done, int64_t total)
{
    (void)done;
    (void)total;
    if (strcmp(what, "make lists") == 0) redis_stop(udata);
}

TEST(a_run_whose_redis_dies_half_way_says_how_many_lists_it_made_anew)
{
    struct redis_server s = { 0 };
    kith *quiet, *deadly;
    if (!redis_is_there()) return;
    redis_start(&s, NULL, NULL);
    CHECK_OK(kith_new(&(kith_options){ .threads = 2, .seed = 1 }, &quiet));
    CHECK_OK(kith_new(
        &(kith_options){ .threads = 2, .seed = 1, .progress = kill_redis_at_the_first_slice, .udata = &s }, &deadly));
    char *text = request(N_USERS);
    kith_cache *a = open_redis(s.url, 0), *b = open_redis(s.url, 0);
    json_t *first = serve(quiet, text, a), *second = serve(quiet, text, b), *third = serve(deadly, text, b);
    json_t *fourth = serve(quiet, text, a); /* no server at all */
    CHECK_NEAR(hit_rate(first), 0, 0);
    CHECK_NEAR(hit_rate(second), 1, 0);
    CHECK_NEAR(hit_rate(third), 4096.0 / N_USERS, 1e-12); /* a quotient of whole numbers, printed to 15 digits */
    ck_assert_msg(strstr(first_warning(third), "904 of 5000 lists") != NULL, "%s", first_warning(third));
    CHECK_NEAR(hit_rate(fourth), -1, 0);
    ck_assert_msg(strstr(first_warning(fourth), "5000 of 5000 lists") != NULL, "%s", first_warning(fourth));
    const json_t *lists = part(first, "recommendations");
    CHECK(json_equal(lists, part(second, "recommendations")) && json_equal(lists, part(third, "recommendations")) &&
          json_equal(lists, part(fourth, "recommendations")));
    json_decref(first);
    json_decref(second);
    json_decref(third);
    json_decref(fourth);
    kith_cache_free(a);
    kith_cache_free(b);
    kith_free(quiet);
    kith_free(deadly);
    free(text);
    redis_stop(&s);
    CHECK_INT(ki_alloc_live(), 0);
}

/* What was cached for one who may be cold is not told to one for whom that is an error. */
TEST(a_popular_list_in_the_cache_is_no_answer_where_cold_starts_are_errors)
{
    kith *k;
    kith_cache *c;
    char *text = request(17), *strict = malloc(32768), *result = NULL;
    const char *at = strstr(text, "\"redis\"");
    CHECK_OK(kith_cache_memory(0, &c));
    CHECK_OK(kith_new(NULL, &k));
    memcpy(strstr(text, "\"redis\"}}"), "\"memory\"}", 9);
    CHECK(at != NULL);
    snprintf(text + strlen(text), 2, "}");
    const char *cut = strstr(text, "]},\"recommendation_configuration\"");
    snprintf(strict, 32768, "%.*s],\"context_data\":{\"on_cold_start\":\"error\"}%s", (int)(cut - text), text, cut + 1);
    json_decref(serve(k, text, c));
    const kith_run_options o = { .cache = c, .model_folder = "" };
    CHECK_FAILS(kith_run(k, strict, strlen(strict), &o, &result), KITH_ENOTFOUND, "u16");
    CHECK(strstr(result, "ColdStartError") != NULL);
    kith_string_free(result);
    kith_cache_free(c);
    kith_free(k);
    free(text);
    free(strict);
    CHECK_INT(ki_alloc_live(), 0);
}

/* The name of the server is checked before anything is trained; without one nothing is cached, and that is said. */
TEST(a_run_reads_redis_url)
{
    kith *k;
    char *text = request(17), *result = NULL;
    const kith_run_options o = { .model_folder = "" };
    if (!redis_is_there()) return;
    CHECK_OK(kith_new(NULL, &k));
    setenv("REDIS_URL", "rediss://:secret@h", 1);
    CHECK_FAILS(kith_run(k, text, strlen(text), &o, &result), KITH_EINVAL,
                "caching_strategy\": the Redis URL: rediss://");
    CHECK(strstr(result, "ValidationError") != NULL && strstr(result, "secret") == NULL);
    kith_string_free(result);
    unsetenv("REDIS_URL");
    json_t *r = serve(k, text, NULL);
    CHECK(strstr(first_warning(r), "REDIS_URL") != NULL && hit_rate(r) < 0);
    json_decref(r);
    struct redis_server s = { 0 };
    redis_start(&s, NULL, NULL);
    setenv("REDIS_URL", s.url, 1);
    for (int again = 0; again < 2; again++) { /* each with a connection of its own */
        r = serve(k, text, NULL);
        CHECK_NEAR(hit_rate(r), again, 0);
        json_decref(r);
    }
    redis_stop(&s);
    kith_free(k);
    free(text);
    CHECK_INT(ki_alloc_live(), 0);
}
