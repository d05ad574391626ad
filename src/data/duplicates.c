/* SPDX-License-Identifier: MIT
 * duplicates.c -- what becomes of a (user, item) pair that occurs more than once
 *
 * Rows are dealt into buckets of neighbouring users.  Those of a bucket go into a hash table by user, item and part (train
 * or test); the few that meet one like them there are sorted by user, item, part, time and place in the file: an event that
 * is repeated all day long may fill one cell.  Of each cell and part one row survives with the merged value; `gone` marks
 * the others.  Buckets share nothing, so threads take one each.
 *
 * Cost        8 bytes per row (its hash and its place), and two passes over the rows that do not wait for memory: only
 *             what is sorted is looked up in the log.
 *
 * "last" and "first" mean by time where there is one, else in file order.
 */
#include "base/mem.h"
#include "data/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const policy_names[] = {
    "auto", "last", "first", "sum", "mean", "max", "error"
};

static int values_differ(const ki_log *log)
{
    for (int64_t j = 1; j < log->n; j++)
        if (log->value[j] != log->value[0]) return 1;
    return 0;
}

/* Values that are all 1 are what a source without values has; all 5 are ratings that agree. */
static kith_duplicates settle(kith_duplicates policy, const kith_data *d)
{
    if (policy != KITH_DUPLICATES_AUTO) return policy;
    const int are_ratings = values_differ(&d->log) || (d->log.n > 0 && d->log.value[0] != 1);
    return are_ratings ? KITH_DUPLICATES_LAST : KITH_DUPLICATES_SUM;
}

/* ---- one cell ---- */

enum {
    AT_BITS = 36
}; /* of a row's place; above them stand 27 bits of its cell's hash, and the top bit is free */

/* User, item and part in one number, in that order. */
static uint64_t cell_of(const ki_log *log, int64_t j)
{
    const uint64_t part = log->test != NULL && log->test[j]; /* indexes are below 2^30 */
    return (uint64_t)log->user[j] << 32 | (uint64_t)log->item[j] << 1 | part;
}

static uint64_t row_of(const ki_log *log, int64_t j)
{
    const __uint128_t m = (__uint128_t)cell_of(log, j) * 0x9e3779b97f4a7c15u;
    return ((uint64_t)m ^ (uint64_t)(m >> 64)) >> 37 << AT_BITS | (uint64_t)j;
}

struct place { /* of a row among those that may repeat */
    uint64_t cell;
    int64_t time, row;
};

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->cell != y->cell) return x->cell < y->cell ? -1 : 1;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Merge the rows at[0..n) of one cell and part; returns the row that stays. */
static int64_t merge_rows(ki_log *log, const struct place *at, int64_t n, kith_duplicates policy)
{
    int64_t stays = at[n - 1].row;
    double sum = 0;
    float top = log->value[at[0].row];
    for (int64_t j = 0; j < n; j++) {
        sum += log->value[at[j].row];
        top = KI_MAX(top, log->value[at[j].row]);
    }
    if (policy == KITH_DUPLICATES_FIRST)
        stays = at[0].row;
    else if (policy == KITH_DUPLICATES_SUM)
        log->value[stays] = (float)sum;
    else if (policy == KITH_DUPLICATES_MEAN)
        log->value[stays] = (float)(sum / (double)n);
    else if (policy == KITH_DUPLICATES_MAX)
        log->value[stays] = top;
    return stays;
}

static kith_err blame(const kith_data *d, int64_t row, const char *why)
{
    return ki_fail(KITH_EDATA, "user \"%.64s\" and item \"%.64s\" %s",
                   ki_idmap_name(&d->users, d->log.user[row]),
                   ki_idmap_name(&d->items, d->log.item[row]), why);
}

/* ---- one bucket ---- */

enum {
    BUCKET_ROWS = 8192, /* so many on average, so that their table stays in L2 */
    MAX_BUCKETS = 2048, /* as many places are written to in turn while dealing */
    STRIPE_ROWS = 1 << 20,
    MAX_STRIPES = 64,
};

struct scratch { /* of one worker */
    uint64_t *
        table; /* [n_slots of room]: the first row of each hash, its place from 1; TAKEN: it is among `places` */
    size_t n_slots, room;
    struct place *places; /* [n_places of places_room] rows that are not alone with their hash */
    size_t n_places, places_room;
};

#define TAKEN ((uint64_t)1 << 63)

struct merger {
    kith_data *d;
    kith_duplicates policy;
    int shift; /* bucket of user u: u >> shift */
    int64_t n_buckets;
    int64_t stripe_rows; /* stripe of row j: j / stripe_rows */
    int64_t n_stripes;
    int64_t *
        next; /* [n_stripes, n_buckets] counts, then where the stripe's next row of the bucket goes */
    int64_t *begin;          /* [n_buckets + 1] into rows */
    int64_t *n_merged;       /* [n_buckets] rows that went away */
    uint64_t *rows;          /* [n] hash and place, by bucket, in file order within */
    uint8_t *gone;           /* [n] */
    struct scratch *scratch; /* [workers] */
};

/* An empty table, at most half full when n rows are in it. */
static kith_err clear_table(struct scratch *w, size_t n)
{
    for (w->n_slots = 64; w->n_slots < 2 * n;) w->n_slots *= 2;
    if (w->n_slots <= w->room) {
        memset(w->table, 0, w->n_slots * sizeof *w->table);
        return KITH_OK;
    }
    w->room = 0;
    const kith_err err = ki_grow(&w->table, 0, w->n_slots, sizeof *w->table);
    if (err == KITH_OK) w->room = w->n_slots;
    return err;
}

static kith_err add_place(struct scratch *w, uint64_t row)
{
    if (w->n_places == w->places_room) {
        const size_t room = KI_MAX((size_t)256, w->places_room * 2);
        const kith_err err = ki_grow(&w->places, w->n_places, room, sizeof *w->places);
        if (err != KITH_OK) return err;
        w->places_room = room;
    }
    const int64_t at = (int64_t)(row & (((uint64_t)1 << AT_BITS) - 1));
    w->places[w->n_places++] = (struct place){ .row = at };
    return KITH_OK;
}

/* The slot of a row like this one, or the empty one where it would go. */
static uint64_t *find_slot(const struct scratch *w, uint64_t row)
{
    const uint64_t hash = row >> AT_BITS;
    size_t at = hash & (w->n_slots - 1);
    while (w->table[at] != 0 && (w->table[at] & ~TAKEN) >> AT_BITS != hash)
        at = (at + 1) & (w->n_slots - 1);
    return &w->table[at];
}

/* The rows whose cell may occur more than once go into w->places. */
static kith_err find_repeated(struct scratch *w, const uint64_t *rows, size_t n)
{
    kith_err err = clear_table(w, n);
    w->n_places = 0;
    for (size_t j = 0; err == KITH_OK && j < n; j++) {
        uint64_t *slot = find_slot(w, rows[j]);
        if (*slot == 0) {
            *slot = rows[j] + 1;
            continue;
        }
        if ((*slot & TAKEN) == 0) err = add_place(w, (*slot & ~TAKEN) - 1);
        *slot |= TAKEN;
        if (err == KITH_OK) err = add_place(w, rows[j]);
    }
    return err;
}

/* Merge the rows at[0..n) of one cell and part, n > 1. */
static kith_err merge_cell(const struct merger *m, const struct place *at, int64_t n)
{
    ki_log *log = &m->d->log;
    if (m->policy == KITH_DUPLICATES_ERROR)
        return blame(m->d, at->row, "occur together more than once");
    const int64_t stays = merge_rows(log, at, n, m->policy);
    if (!isfinite(log->value[stays]))
        return blame(m->d, stays, "have values whose sum is beyond 3.4e38");
    for (int64_t j = 0; j < n; j++) m->gone[at[j].row] = at[j].row != stays;
    return KITH_OK;
}

static kith_err merge_bucket(const struct merger *m, struct scratch *w, int64_t bucket)
{
    const int64_t from = m->begin[bucket], to = m->begin[bucket + 1];
    const ki_log *log = &m->d->log;
    kith_err err = find_repeated(w, m->rows + from, (size_t)(to - from));
    for (size_t j = 0; j < w->n_places; j++) { /* these waits for memory overlap */
        struct place *p = &w->places[j];
        p->cell = cell_of(log, p->row);
        p->time = log->time != NULL ? log->time[p->row] : 0;
    }
    if (err == KITH_OK && w->n_places > 1)
        qsort(w->places, w->n_places, sizeof *w->places, by_place);
    for (size_t begin = 0, end; err == KITH_OK && begin < w->n_places; begin = end) {
        const struct place *at = w->places + begin;
        for (end = begin + 1; end < w->n_places && w->places[end].cell == at->cell;) end++;
        if (end - begin < 2) continue; /* by chance of one hash with another */
        err = merge_cell(m, at, (int64_t)(end - begin));
        m->n_merged[bucket] += (int64_t)(end - begin) - 1;
    }
    return err;
}

static kith_err merge_buckets(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct merger *m = arg;
    kith_err err = KITH_OK;
    for (int64_t b = begin; err == KITH_OK && b < end; b++)
        err = merge_bucket(m, &m->scratch[worker], b);
    return err;
}

/* ---- dealing rows into buckets ---- */

static kith_err count_stripes(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct merger *m = arg;
    const ki_log *log = &m->d->log;
    (void)worker;
    for (int64_t s = begin; s < end; s++) {
        int64_t *count = m->next + s * m->n_buckets;
        const int64_t stop = KI_MIN((s + 1) * m->stripe_rows, log->n);
        for (int64_t j = s * m->stripe_rows; j < stop; j++) count[log->user[j] >> m->shift]++;
    }
    return KITH_OK;
}

static kith_err deal_stripes(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct merger *m = arg;
    const ki_log *log = &m->d->log;
    (void)worker;
    for (int64_t s = begin; s < end; s++) {
        int64_t *next = m->next + s * m->n_buckets;
        const int64_t stop = KI_MIN((s + 1) * m->stripe_rows, log->n);
        for (int64_t j = s * m->stripe_rows; j < stop; j++)
            m->rows[next[log->user[j] >> m->shift]++] = row_of(log, j);
    }
    return KITH_OK;
}

/* Counts into places: bucket by bucket, and within one, stripe by stripe. */
static void place_stripes(struct merger *m)
{
    int64_t sum = 0;
    for (int64_t b = 0; b < m->n_buckets; b++) {
        m->begin[b] = sum;
        for (int64_t s = 0; s < m->n_stripes; s++) {
            int64_t *at = &m->next[s * m->n_buckets + b];
            const int64_t count = *at;
            *at = sum;
            sum += count;
        }
    }
    m->begin[m->n_buckets] = sum;
}

static void plan_buckets(struct merger *m)
{
    const int64_t n = m->d->log.n, n_users = m->d->users.n;
    const int64_t most = KI_MIN(n / BUCKET_ROWS + 1, (int64_t)MAX_BUCKETS);
    while (((n_users - 1) >> m->shift) + 1 > most) m->shift++;
    m->n_buckets = n_users == 0 ? 0 : ((n_users - 1) >> m->shift) + 1;
    m->stripe_rows = KI_MAX(n / MAX_STRIPES + 1, (int64_t)STRIPE_ROWS);
    m->n_stripes = (n + m->stripe_rows - 1) / m->stripe_rows;
}

static kith_err deal(struct merger *m, ki_pool *pool)
{
    kith_err err;
    if ((m->d->log.n + 1) >> AT_BITS > 0)
        return ki_fail(KITH_EDATA, "%lld interactions, want at most %lld", (long long)m->d->log.n,
                       (1LL << AT_BITS) - 2);
    plan_buckets(m);
    const size_t n_buckets = (size_t)m->n_buckets;
    if ((err = ki_alloc(&m->next, (size_t)m->n_stripes * n_buckets, sizeof *m->next)) != KITH_OK)
        return err;
    if ((err = ki_alloc(&m->begin, n_buckets + 1, sizeof *m->begin)) != KITH_OK) return err;
    if ((err = ki_alloc(&m->rows, (size_t)m->d->log.n, sizeof *m->rows)) != KITH_OK) return err;
    ki_fill_soon(m->rows, (size_t)m->d->log.n, sizeof *m->rows);
    if ((err = ki_parallel_for(pool, m->n_stripes, 1, count_stripes, m)) != KITH_OK) return err;
    place_stripes(m);
    return ki_parallel_for(pool, m->n_stripes, 1, deal_stripes, m);
}

/* ---- all ---- */

static void pack_log(ki_log *log, const uint8_t *gone)
{
    int64_t to = 0;
    for (int64_t j = 0; j < log->n; j++) {
        if (gone[j]) continue;
        log->user[to] = log->user[j];
        log->item[to] = log->item[j];
        log->value[to] = log->value[j];
        if (log->time != NULL) log->time[to] = log->time[j];
        if (log->test != NULL) log->test[to] = log->test[j];
        to++;
    }
    log->n = to;
}

static kith_err merge(struct merger *m, ki_pool *pool)
{
    kith_data *d = m->d;
    const size_t n_workers = (size_t)ki_pool_size(pool);
    int64_t n_merged = 0;
    kith_err err;
    if ((err = deal(m, pool)) != KITH_OK) return err;
    if ((err = ki_alloc(&m->n_merged, (size_t)m->n_buckets, sizeof *m->n_merged)) != KITH_OK)
        return err;
    if ((err = ki_alloc(&m->gone, (size_t)d->log.n, 1)) != KITH_OK) return err;
    if ((err = ki_alloc(&m->scratch, n_workers, sizeof *m->scratch)) != KITH_OK) return err;
    err = ki_parallel_for(pool, m->n_buckets, 1, merge_buckets, m);
    for (size_t w = 0; w < n_workers; w++) {
        ki_free(m->scratch[w].table);
        ki_free(m->scratch[w].places);
    }
    for (int64_t b = 0; b < m->n_buckets; b++) n_merged += m->n_merged[b];
    if (err == KITH_OK && n_merged > 0) pack_log(&d->log, m->gone);
    d->report.n_duplicates += n_merged;
    return err;
}

static kith_err run(struct merger *m, ki_pool *pool)
{
    const kith_err err = merge(m, pool);
    ki_free(m->next);
    ki_free(m->begin);
    ki_free(m->rows);
    ki_free(m->n_merged);
    ki_free(m->gone);
    ki_free(m->scratch);
    return err;
}

kith_err ki_data_finish(kith_data *d, kith_duplicates policy, ki_pool *pool)
{
    policy = settle(policy, d);
    snprintf(d->report.duplicates, sizeof d->report.duplicates, "%s", policy_names[policy]);
    struct merger m = { .d = d, .policy = policy };
    const kith_err err = run(&m, pool);
    d->has_values = values_differ(&d->log); /* of what is left: that is what models see */
    return err;
}

kith_err ki_data_check_unique(kith_data *d, ki_pool *pool)
{
    struct merger m = { .d = d, .policy = KITH_DUPLICATES_ERROR };
    const kith_err err = run(&m, pool); /* which merges nothing: at the first cell it stops */
    d->has_values = values_differ(&d->log);
    return err == KITH_EDATA ? KITH_EFORMAT : err;
}
