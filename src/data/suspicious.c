/* SPDX-License-Identifier: MIT
 * suspicious.c -- what a careful person would ask about before training on a dataset
 *
 * Each check looks for one thing and adds one finding: a stable code, and a sentence with the
 * figures and an example. Thresholds are chosen so that MovieLens 100K and 1M give none.  Codes:
 *
 *   heavy_user          one user holds over 5% of all interactions (of 40 users or more)
 *   heavy_item          one item holds over 10% of all interactions (of 100 items or more)
 *   whole_catalogue     users who interacted with every item (of 20 or more)
 *   identical_histories users with 5 or more items and exactly the same ones as another user
 *   burst               a user with 50 or more interactions within one second: a robot or an import
 *   equal_values        all values are the same, and not 1
 *   outside_scale       nearly all values lie on a common scale, a few far outside it (99 for
 * "none") equal_times, day_times, old_times, future_times, millisecond_times lookalike_users,
 * lookalike_items   ids that differ only in case or blanks unmatched_users, unmatched_items   most
 * of those with interactions have no attributes at all
 */
#include "data/stats.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BURST = 50, MIN_HISTORY = 5, DAY = 86400 };

static const int64_t year_1990 = 631152000;
static const int64_t year_5138 =
    100000000000; /* a time in seconds above this is one in milliseconds */

static kith_err KI_PRINTF(3, 4) add(json_t *list, const char *code, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_t *finding = json_pack("{s:s, s:o}", "code", code, "text", ki_json_text(text));
    return json_array_append_new(list, finding) == 0 ? KITH_OK : ki_fail_memory(sizeof text);
}

/* ---- users and items */

static int32_t largest(const int64_t *counts, int32_t n)
{
    int32_t at = 0;
    for (int32_t j = 1; j < n; j++)
        if (counts[j] > counts[at]) at = j;
    return at;
}

static kith_err check_heavy_user(const ki_census *c, json_t *list)
{
    const ki_idmap *users = &c->d->users;
    if (users->n < 40) return KITH_OK;
    const int32_t u = largest(c->per_user, users->n);
    const double share = (double)c->per_user[u] / (double)KI_MAX(c->d->log.n, 1);
    if (share <= 0.05) return KITH_OK;
    return add(list, "heavy_user",
               "user \"%.64s\" holds %.1f%% of all interactions: is it a person, or a test account "
               "or a placeholder?",
               ki_idmap_name(users, u), 100 * share);
}

static kith_err check_heavy_item(const ki_census *c, json_t *list)
{
    const ki_idmap *items = &c->d->items;
    if (items->n < 100) return KITH_OK;
    const int32_t i = largest(c->per_item, items->n);
    const double share = (double)c->per_item[i] / (double)KI_MAX(c->d->log.n, 1);
    if (share <= 0.1) return KITH_OK;
    return add(list, "heavy_item",
               "item \"%.64s\" holds %.1f%% of all interactions: is it an item, or a placeholder "
               "such as \"unknown\"?",
               ki_idmap_name(items, i), 100 * share);
}

/* A pair in both the train and the test part stands twice in a row, and counts once here. */
static int64_t n_distinct_items(const ki_csr *by_user, int32_t u)
{
    int64_t n = 0;
    for (int64_t j = by_user->ptr[u]; j < by_user->ptr[u + 1]; j++)
        n += j == by_user->ptr[u] || by_user->idx[j] != by_user->idx[j - 1];
    return n;
}

static kith_err check_whole_catalogue(const ki_census *c, json_t *list)
{
    int32_t n = 0, first = -1;
    if (c->n_active_items < 20) return KITH_OK;
    for (int32_t u = 0; u < c->d->users.n; u++) {
        if (c->per_user[u] < c->n_active_items ||
            n_distinct_items(&c->by_user, u) < c->n_active_items)
            continue;
        if (n++ == 0) first = u;
    }
    if (n == 0) return KITH_OK;
    return add(list, "whole_catalogue",
               "%d of %d users interacted with every item (first: \"%.64s\"): nothing is left to "
               "recommend to them",
               n, c->n_active_users, ki_idmap_name(&c->d->users, first));
}

struct history {
    uint64_t hash;
    int32_t u;
};

static int by_hash(const void *a, const void *b)
{
    const struct history *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->u > y->u) - (x->u < y->u);
}

static int same_history(const ki_csr *by_user, int32_t u, int32_t v)
{
    const int64_t n = ki_csr_len(by_user, u);
    return n == ki_csr_len(by_user, v) &&
           memcmp(by_user->idx + by_user->ptr[u], by_user->idx + by_user->ptr[v],
                  (size_t)n * sizeof *by_user->idx) == 0;
}

static kith_err check_identical_histories(const ki_census *c, json_t *list)
{
    struct history *all = NULL;
    int32_t n = 0, copies = 0, example = -1;
    kith_err err = ki_alloc(&all, (size_t)c->d->users.n, sizeof *all);
    if (err != KITH_OK) return err;
    for (int32_t u = 0; u < c->d->users.n; u++) {
        if (c->per_user[u] < MIN_HISTORY) continue;
        all[n] = (struct history){ .u = u };
        for (int64_t j = c->by_user.ptr[u]; j < c->by_user.ptr[u + 1]; j++)
            all[n].hash = ki_hash2(all[n].hash, (uint64_t)c->by_user.idx[j]);
        n++;
    }
    qsort(all, (size_t)n, sizeof *all, by_hash);
    for (int32_t j = 1; j < n; j++) {
        if (all[j].hash != all[j - 1].hash || !same_history(&c->by_user, all[j].u, all[j - 1].u))
            continue;
        if (copies++ == 0) example = j;
    }
    if (copies > 0)
        err = add(list, "identical_histories",
                  "%d %s exactly the items of another user (such as \"%.64s\" and \"%.64s\"): "
                  "copied or shared accounts, or a robot?",
                  copies, copies == 1 ? "user has" : "users have",
                  ki_idmap_name(&c->d->users, all[example - 1].u),
                  ki_idmap_name(&c->d->users, all[example].u));
    ki_free(all);
    return err;
}

/* ---- values */

static kith_err check_equal_values(const ki_census *c, json_t *list)
{
    const ki_log *log = &c->d->log;
    if (log->n < 2 || c->d->has_values || log->value[0] == 1) return KITH_OK;
    return add(list, "equal_values",
               "all values are %g: they carry no information and are taken as events; is it the "
               "right column?",
               (double)log->value[0]);
}

/* The first common scale that holds at least 99% of the values; the rest must lie beyond a gap as
 * wide as the scale, or they are just the tail of counts. */
static kith_err check_scale(const ki_census *c, json_t *list)
{
    static const float scales[][2] = { { 1, 5 },  { 0.5f, 5 }, { 0, 5 },   { 1, 10 },  { 0, 10 },
                                       { -1, 1 }, { 0, 1 },    { 0, 100 }, { -10, 10 } };
    const ki_log *log = &c->d->log;
    for (size_t s = 0; s < KI_COUNT(scales) && c->d->has_values; s++) {
        const float low = scales[s][0], high = scales[s][1], width = high - low;
        int64_t outside = 0, near = 0;
        float example = 0;
        for (int64_t j = 0; j < log->n; j++) {
            const float v = log->value[j];
            if (v >= low && v <= high) continue;
            near += v > low - width && v < high + width;
            if (outside++ == 0) example = v;
        }
        if (outside == 0) return KITH_OK;
        if (near > 0 || outside * 100 > log->n) continue;
        return add(list, "outside_scale",
                   "%lld of %lld values lie far outside the scale %g to %g (first: %g): do they "
                   "stand for \"none\"?",
                   (long long)outside, (long long)log->n, (double)low, (double)high,
                   (double)example);
    }
    return KITH_OK;
}

/* ---- times */

struct times {
    int64_t n, first, last;
    int64_t old, future, huge, whole_days;
};

static struct times look_at_times(const ki_log *log)
{
    const int64_t tomorrow = (int64_t)time(NULL) + DAY; /* clocks differ a little */
    struct times t = { .n = log->n, .first = log->time[0], .last = log->time[0] };
    for (int64_t j = 0; j < log->n; j++) {
        const int64_t at = log->time[j];
        t.first = KI_MIN(t.first, at);
        t.last = KI_MAX(t.last, at);
        t.old += at < year_1990;
        t.huge += at > year_5138;
        t.future += at > tomorrow && at <= year_5138;
        t.whole_days += at % DAY == 0;
    }
    return t;
}

static kith_err check_times(const ki_census *c, json_t *list)
{
    if (c->d->log.time == NULL || c->d->log.n < 2) return KITH_OK;
    const struct times t = look_at_times(&c->d->log);
    const long long n = t.n;
    if (t.first == t.last)
        return add(list, "equal_times", "all times are %lld: a split by time means nothing here",
                   (long long)t.first);
    kith_err err = KITH_OK;
    if (t.huge > 0)
        err = add(list, "millisecond_times",
                  "%lld of %lld times are past the year 5138: milliseconds or finer; divide them "
                  "so that they are "
                  "seconds since 1970",
                  (long long)t.huge, n);
    if (err == KITH_OK && t.future > 0)
        err = add(list, "future_times", "%lld of %lld times lie in the future", (long long)t.future,
                  n);
    if (err == KITH_OK && t.old > 0)
        err =
            add(list, "old_times",
                "%lld of %lld times lie before 1990: missing ones written as 0, or not in seconds?",
                (long long)t.old, n);
    if (err == KITH_OK && t.whole_days == t.n)
        err = add(list, "day_times",
                  "all times are midnights: within a day only the order of the file is known");
    return err;
}

static int by_time(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The most interactions that one user has in one second; `times` is scratch [per_user[u]]. */
static int64_t longest_burst(const ki_census *c, int32_t u, int64_t *times)
{
    const int64_t n = c->per_user[u];
    int64_t longest = 0, run = 0;
    for (int64_t j = 0; j < n; j++) times[j] = c->d->log.time[c->row[c->by_user.ptr[u] + j]];
    qsort(times, (size_t)n, sizeof *times, by_time);
    for (int64_t j = 0; j < n; j++) {
        run = j > 0 && times[j] == times[j - 1] ? run + 1 : 1;
        longest = KI_MAX(longest, run);
    }
    return longest;
}

static kith_err check_bursts(const ki_census *c, json_t *list)
{
    const ki_log *log = &c->d->log;
    int64_t *times = NULL, most = 0;
    int32_t n = 0, who = -1, whole_days = 1;
    if (log->time == NULL) return KITH_OK;
    for (int64_t j = 0; j < log->n && whole_days; j++) whole_days = log->time[j] % DAY == 0;
    if (whole_days) return KITH_OK; /* a day of activity is no burst */
    const int64_t room = c->d->users.n > 0 ? c->per_user[largest(c->per_user, c->d->users.n)] : 0;
    kith_err err = ki_alloc(&times, (size_t)room, sizeof *times);
    if (err != KITH_OK) return err;
    for (int32_t u = 0; u < c->d->users.n; u++) {
        const int64_t burst = c->per_user[u] < BURST ? 0 : longest_burst(c, u, times);
        n += burst >= BURST;
        if (burst > most) {
            most = burst;
            who = u;
        }
    }
    ki_free(times);
    if (n == 0) return KITH_OK;
    return add(list, "burst",
               "%d %s %d or more interactions within one second (user \"%.64s\": %lld): "
               "robots or imports?",
               n, n == 1 ? "user has" : "users have", BURST, ki_idmap_name(&c->d->users, who),
               (long long)most);
}

/* ---- ids */

/* Without blanks, ASCII letters small; 0 when it does not fit into out[size]. */
static size_t plain_id(const char *id, char *out, size_t size)
{
    size_t n = 0;
    for (; *id != '\0'; id++) {
        const char ch = *id;
        if (ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n') continue;
        if (n == size) return 0;
        out[n++] = ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
    }
    return n;
}

static kith_err check_lookalikes(const ki_idmap *ids, const char *code, const char *what,
                                 json_t *list)
{
    ki_idmap plain = { 0 };
    int32_t *first = NULL, n = 0, a = -1, b = -1,
            at; /* first[p]: the first id whose plain form is p */
    char text[256];
    kith_err err = ki_alloc(&first, (size_t)ids->n, sizeof *first);
    for (int32_t j = 0; j < ids->n && err == KITH_OK; j++) {
        const size_t length = plain_id(ki_idmap_name(ids, j), text, sizeof text);
        const int32_t known = plain.n;
        if (length == 0) continue;
        if ((err = ki_idmap_add(&plain, text, length, &at)) != KITH_OK) break;
        if (plain.n > known)
            first[at] = j;
        else if (n++ == 0) {
            a = first[at];
            b = j;
        }
    }
    if (err == KITH_OK && n > 0)
        err = add(
            list, code,
            "%s that differ from another one only in case or blanks: %d (\"%.64s\" and \"%.64s\")",
            what, n, ki_idmap_name(ids, a), ki_idmap_name(ids, b));
    ki_idmap_clear(&plain);
    ki_free(first);
    return err;
}

static int row_is_empty(const ki_table *t, int32_t row)
{
    for (int c = 0; c < t->n_columns; c++)
        if (!ki_cell_missing(&t->columns[c], row)) return 0;
    return 1;
}

static kith_err check_unmatched(const ki_table *t, const int64_t *counts, const char *code,
                                const char *what, json_t *list)
{
    int32_t empty = 0, active = 0;
    if (t->n_columns == 0) return KITH_OK;
    for (int32_t r = 0; r < t->n_rows; r++) {
        if (counts[r] == 0) continue;
        active++;
        empty += row_is_empty(t, r);
    }
    if (2 * (int64_t)empty <= active) return KITH_OK;
    return add(list, code,
               "%d of %d %s with interactions have no attributes: are the ids of both files "
               "written the same way?",
               empty, active, what);
}

kith_err ki_suspicious(const ki_census *c, json_t *list)
{
    static kith_err (*const checks[])(const ki_census *, json_t *) = {
        check_heavy_user,   check_heavy_item, check_whole_catalogue, check_identical_histories,
        check_equal_values, check_scale,      check_times,           check_bursts,
    };
    const kith_data *d = c->d;
    kith_err err = KITH_OK;
    for (size_t j = 0; j < KI_COUNT(checks) && err == KITH_OK; j++) err = checks[j](c, list);
    if (err == KITH_OK) err = check_lookalikes(&d->users, "lookalike_users", "user ids", list);
    if (err == KITH_OK) err = check_lookalikes(&d->items, "lookalike_items", "item ids", list);
    if (err == KITH_OK)
        err = check_unmatched(&d->user_attrs, c->per_user, "unmatched_users", "users", list);
    if (err == KITH_OK)
        err = check_unmatched(&d->item_attrs, c->per_item, "unmatched_items", "items", list);
    return err;
}
