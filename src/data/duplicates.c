/* SPDX-License-Identifier: MIT
 * duplicates.c -- what becomes of a (user, item) pair that occurs more than once
 *
 * Rows are grouped by user with one counting sort, and a mark per item finds those of a user's items that repeat.  Only
 * their rows are sorted, by item, part (train or test), time and place in the file: an event that is repeated all day
 * long may fill one cell.  Of each cell and part one row survives with the merged value; `gone` marks the others.
 *
 * "last" and "first" mean by time where there is one, else in file order.
 */
#include "base/mem.h"
#include "data/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const policy_names[] = {
    "auto", "last", "first", "sum", "mean", "max", "error"
};

/* Values that are all 1 are what a source without values has; all 5 are ratings that agree. */
static kith_duplicates settle(kith_duplicates policy, const kith_data *d)
{
    if (policy != KITH_DUPLICATES_AUTO) return policy;
    const int are_ratings = d->has_values || (d->log.n > 0 && d->log.value[0] != 1);
    return are_ratings ? KITH_DUPLICATES_LAST : KITH_DUPLICATES_SUM;
}

/* ---- one cell ---- */

struct place { /* of a row among those of one user that repeat */
    int64_t item, part, time, row;
};

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->item != y->item) return x->item < y->item ? -1 : 1;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
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

/* ---- one user ---- */

struct merger {
    kith_data *d;
    kith_duplicates policy;
    int64_t *ptr, *order;  /* [n_users + 2], [n]: rows by user, in file order within a user */
    int32_t *seen, *twice; /* [n_items]: the last user, + 1, who had the item, and had it again */
    uint8_t *gone;         /* [n] */
    struct place *at;      /* [room] */
    size_t room;
};

/* The rows of one user whose item occurs more than once move to the front of order[0..n); returns how many. */
static int64_t keep_repeated(struct merger *m, int64_t *order, int64_t n)
{
    const ki_log *log = &m->d->log;
    int64_t kept = 0;
    int any = 0;
    for (int64_t j = 0; j < n; j++) {
        const int32_t item = log->item[order[j]], mark = log->user[order[j]] + 1;
        if (m->seen[item] == mark) {
            m->twice[item] = mark;
            any = 1;
        }
        m->seen[item] = mark;
    }
    for (int64_t j = 0; any && j < n; j++)
        if (m->twice[log->item[order[j]]] == log->user[order[j]] + 1) order[kept++] = order[j];
    return kept;
}

static kith_err sort_places(struct merger *m, const int64_t *order, int64_t n)
{
    const ki_log *log = &m->d->log;
    if ((size_t)n > m->room) {
        const size_t room = KI_MAX((size_t)n, m->room * 2);
        const kith_err err = ki_grow(&m->at, 0, room, sizeof *m->at);
        if (err != KITH_OK) return err;
        m->room = room;
    }
    for (int64_t j = 0; j < n; j++) {
        const int64_t row = order[j];
        m->at[j] = (struct place){ .item = log->item[row],
                                   .part = log->test != NULL && log->test[row],
                                   .time = log->time == NULL ? 0 : log->time[row],
                                   .row = row };
    }
    qsort(m->at, (size_t)n, sizeof *m->at, by_place);
    return KITH_OK;
}

/* Merge what repeats among order[0..n), the repeated rows of one user. */
static kith_err merge_user(struct merger *m, const int64_t *order, int64_t n)
{
    ki_log *log = &m->d->log;
    const kith_err err = n > 0 ? sort_places(m, order, n) : KITH_OK;
    if (err != KITH_OK) return err;
    for (int64_t begin = 0, end; begin < n; begin = end) {
        const struct place *at = m->at + begin;
        for (end = begin + 1;
             end < n && m->at[end].item == at->item && m->at[end].part == at->part;)
            end++;
        if (end - begin < 2) continue;
        if (m->policy == KITH_DUPLICATES_ERROR)
            return blame(m->d, at->row, "occur together more than once");
        const int64_t stays = merge_rows(log, at, end - begin, m->policy);
        if (!isfinite(log->value[stays]))
            return blame(m->d, stays, "have values whose sum is beyond 3.4e38");
        for (int64_t j = begin; j < end; j++) m->gone[m->at[j].row] = m->at[j].row != stays;
        m->d->report.n_duplicates += end - begin - 1;
    }
    return KITH_OK;
}

/* ---- all ---- */

static kith_err rows_by_user(struct merger *m)
{
    const ki_log *log = &m->d->log;
    const int32_t n_users = m->d->users.n;
    kith_err err;
    if ((err = ki_alloc(&m->ptr, (size_t)n_users + 2, sizeof *m->ptr)) != KITH_OK) return err;
    if ((err = ki_alloc(&m->order, (size_t)log->n, sizeof *m->order)) != KITH_OK) return err;
    int64_t *next = m->ptr + 1; /* next[u] becomes the end of user u, which is ptr[u + 1] */
    for (int64_t j = 0; j < log->n; j++) m->ptr[log->user[j] + 2]++;
    for (int32_t u = 0; u < n_users; u++) next[u + 1] += next[u];
    for (int64_t j = 0; j < log->n; j++) m->order[next[log->user[j]]++] = j;
    return KITH_OK;
}

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

static kith_err merge(struct merger *m)
{
    kith_data *d = m->d;
    kith_err err;
    if ((err = rows_by_user(m)) != KITH_OK) return err;
    if ((err = ki_alloc(&m->seen, (size_t)d->items.n, sizeof *m->seen)) != KITH_OK) return err;
    if ((err = ki_alloc(&m->twice, (size_t)d->items.n, sizeof *m->twice)) != KITH_OK) return err;
    if ((err = ki_alloc(&m->gone, (size_t)d->log.n, 1)) != KITH_OK) return err;
    for (int32_t u = 0; err == KITH_OK && u < d->users.n; u++) {
        int64_t *rows = m->order + m->ptr[u];
        err = merge_user(m, rows, keep_repeated(m, rows, m->ptr[u + 1] - m->ptr[u]));
    }
    if (err == KITH_OK && d->report.n_duplicates > 0) pack_log(&d->log, m->gone);
    return err;
}

static int values_differ(const ki_log *log)
{
    for (int64_t j = 1; j < log->n; j++)
        if (log->value[j] != log->value[0]) return 1;
    return 0;
}

kith_err ki_data_finish(kith_data *d, kith_duplicates policy)
{
    d->has_values = values_differ(&d->log);
    policy = settle(policy, d);
    snprintf(d->report.duplicates, sizeof d->report.duplicates, "%s", policy_names[policy]);
    struct merger m = { .d = d, .policy = policy };
    const kith_err err = merge(&m);
    ki_free(m.ptr);
    ki_free(m.order);
    ki_free(m.seen);
    ki_free(m.twice);
    ki_free(m.gone);
    ki_free(m.at);
    return err;
}
