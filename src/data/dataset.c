/* SPDX-License-Identifier: MIT
 * dataset.c -- making, finishing and looking at a dataset
 */
#include "data/dataset.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/tensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- duplicates
 * ---------------------------------------------------------------------------------------------------
 *
 * Rows are grouped by user with one counting sort.  Only rows of items that a user has twice are sorted further, by
 * item and file order.  The row that survives takes the merged value; `gone` marks the others. */

static const char *const policy_names[] = {
    "auto", "last", "first", "sum", "mean", "max", "error"
};

static kith_duplicates settle(kith_duplicates policy, int has_values)
{
    if (policy != KITH_DUPLICATES_AUTO) return policy;
    return has_values ? KITH_DUPLICATES_LAST : KITH_DUPLICATES_SUM;
}

/* Merge rows order[0..n) of one cell; returns the row that stays. */
static int64_t merge_cell(ki_log *log, const int64_t *order, int64_t n, kith_duplicates policy)
{
    int64_t stays = order[n - 1];
    double sum = 0;
    float top = log->value[order[0]];
    for (int64_t j = 0; j < n; j++) {
        sum += log->value[order[j]];
        top = KI_MAX(top, log->value[order[j]]);
    }
    if (policy == KITH_DUPLICATES_FIRST)
        stays = order[0];
    else if (policy == KITH_DUPLICATES_SUM)
        log->value[stays] = (float)sum;
    else if (policy == KITH_DUPLICATES_MEAN)
        log->value[stays] = (float)(sum / (double)n);
    else if (policy == KITH_DUPLICATES_MAX)
        log->value[stays] = top;
    return stays;
}

/* Times need not rise in file order: "last" and "first" mean by time where there is one (ties: file
 * order). */
static void sort_cell_by_time(const ki_log *log, int64_t *order, int64_t n)
{
    if (log->time == NULL) return;
    for (int64_t j = 1; j < n; j++) { /* insertion: stable, and cells are short */
        const int64_t row = order[j];
        int64_t k = j;
        for (; k > 0 && log->time[order[k - 1]] > log->time[row]; k--) order[k] = order[k - 1];
        order[k] = row;
    }
}

static int part_of(const ki_log *log, int64_t row)
{
    return log->test != NULL && log->test[row];
}

/* Within one cell, test rows and train rows are merged apart.  Returns how many rows went. */
static int64_t merge_cell_parts(ki_log *log, int64_t *order, int64_t n, kith_duplicates policy,
                                uint8_t *gone)
{
    int64_t went = 0;
    for (int part = 0; part < 2; part++) {
        int64_t some = 0; /* rows of this part are moved to the front of order[0..n) */
        for (int64_t j = 0; j < n; j++) {
            if (part_of(log, order[j]) != part) continue;
            const int64_t row = order[j];
            memmove(order + some + 1, order + some, (size_t)(j - some) * sizeof *order);
            order[some++] = row;
        }
        if (some < 2) continue;
        sort_cell_by_time(log, order, some);
        const int64_t stays = merge_cell(log, order, some, policy);
        for (int64_t j = 0; j < some; j++) gone[order[j]] = order[j] != stays;
        went += some - 1;
    }
    return went;
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

/* order = rows by user, in file order within a user; ptr[u] is where user u begins. */
static kith_err rows_by_user(const kith_data *d, int64_t **ptr, int64_t **order)
{
    const ki_log *log = &d->log;
    kith_err err;
    if ((err = ki_alloc(ptr, (size_t)d->users.n + 2, sizeof **ptr)) != KITH_OK) return err;
    if ((err = ki_alloc(order, (size_t)log->n, sizeof **order)) != KITH_OK) return err;
    int64_t *next = *ptr + 1; /* next[u] becomes the end of user u, which is (*ptr)[u + 1] */
    for (int64_t j = 0; j < log->n; j++) (*ptr)[log->user[j] + 2]++;
    for (int32_t u = 0; u < d->users.n; u++) next[u + 1] += next[u];
    for (int64_t j = 0; j < log->n; j++) (*order)[next[log->user[j]]++] = j;
    return KITH_OK;
}

static int by_item_then_row(const void *a, const void *b, void *log)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    const int32_t i = ((const ki_log *)log)->item[x], j = ((const ki_log *)log)->item[y];
    return i != j ? (i > j) - (i < j) : (x > y) - (x < y);
}

/* Merge the cells of one user that have several rows: order[0..n).  The first one is an error by policy. */
static kith_err merge_user(kith_data *d, int64_t *order, int64_t n, kith_duplicates policy,
                           uint8_t *gone)
{
    ki_log *log = &d->log;
    if (n > 0) qsort_r(order, (size_t)n, sizeof *order, by_item_then_row, log);
    for (int64_t j = 0, end; j < n; j = end) {
        const int32_t item = log->item[order[j]], user = log->user[order[j]];
        for (end = j + 1; end < n && log->item[order[end]] == item;) end++;
        if (end - j < 2) continue;
        const int64_t went = merge_cell_parts(log, order + j, end - j, policy, gone);
        d->report.n_duplicates += went;
        if (went > 0 && policy == KITH_DUPLICATES_ERROR)
            return ki_fail(KITH_EDATA,
                           "user \"%.64s\" and item \"%.64s\" occur together more than once",
                           ki_idmap_name(&d->users, user), ki_idmap_name(&d->items, item));
    }
    return KITH_OK;
}

/* Move the rows whose item occurs more than once among order[0..n), one user's, to its front; returns how many there
 * are.  seen[item] and twice[item] hold the last user, + 1, who had the item once and more than once. */
static int64_t keep_repeated(const ki_log *log, int64_t *order, int64_t n, int32_t *seen,
                             int32_t *twice)
{
    int64_t kept = 0;
    int any = 0;
    for (int64_t j = 0; j < n; j++) {
        const int32_t item = log->item[order[j]], mark = log->user[order[j]] + 1;
        if (seen[item] == mark) {
            twice[item] = mark;
            any = 1;
        }
        seen[item] = mark;
    }
    for (int64_t j = 0; any && j < n; j++)
        if (twice[log->item[order[j]]] == log->user[order[j]] + 1) order[kept++] = order[j];
    return kept;
}

static kith_err merge_duplicates(kith_data *d, kith_duplicates policy)
{
    int64_t *ptr = NULL, *order = NULL;
    int32_t *seen = NULL, *twice = NULL;
    uint8_t *gone = NULL;
    kith_err err;
    if ((err = rows_by_user(d, &ptr, &order)) != KITH_OK) goto done;
    if ((err = ki_alloc(&seen, (size_t)d->items.n, sizeof *seen)) != KITH_OK) goto done;
    if ((err = ki_alloc(&twice, (size_t)d->items.n, sizeof *twice)) != KITH_OK) goto done;
    if ((err = ki_alloc(&gone, (size_t)d->log.n, 1)) != KITH_OK) goto done;
    for (int32_t u = 0; err == KITH_OK && u < d->users.n; u++) {
        int64_t *rows = order + ptr[u];
        err = merge_user(d, rows, keep_repeated(&d->log, rows, ptr[u + 1] - ptr[u], seen, twice),
                         policy, gone);
    }
    if (err == KITH_OK && d->report.n_duplicates > 0) pack_log(&d->log, gone);
done:
    ki_free(ptr);
    ki_free(order);
    ki_free(seen);
    ki_free(twice);
    ki_free(gone);
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
    policy = settle(policy, d->has_values);
    snprintf(d->report.duplicates, sizeof d->report.duplicates, "%s", policy_names[policy]);
    return merge_duplicates(d, policy);
}

/* ---- making
 * ---------------------------------------------------------------------------------------------------
 */

static kith_err fill_log(kith_data *d, size_t n, const char *const *users, const char *const *items,
                         const float *values, const int64_t *times)
{
    ki_log *log = &d->log;
    kith_err err;
    if ((err = ki_alloc(&log->user, n, sizeof *log->user)) != KITH_OK) return err;
    if ((err = ki_alloc(&log->item, n, sizeof *log->item)) != KITH_OK) return err;
    if ((err = ki_alloc(&log->value, n, sizeof *log->value)) != KITH_OK) return err;
    if (times != NULL && (err = ki_alloc(&log->time, n, sizeof *log->time)) != KITH_OK) return err;
    for (size_t j = 0; j < n; j++) {
        if (users[j] == NULL || items[j] == NULL)
            return ki_fail(KITH_EINVAL, "row %zu: an id is NULL", j);
        if ((err = ki_idmap_add(&d->users, users[j], strlen(users[j]), &log->user[j])) != KITH_OK)
            return err;
        if ((err = ki_idmap_add(&d->items, items[j], strlen(items[j]), &log->item[j])) != KITH_OK)
            return err;
        log->value[j] = values == NULL ? 1.0f : values[j];
        if (!isfinite(log->value[j]))
            return ki_fail(KITH_EINVAL, "row %zu: the value is not finite", j);
        if (times != NULL) log->time[j] = times[j];
    }
    log->n = (int64_t)n;
    return KITH_OK;
}

kith_err kith_data_new(kith *k, size_t n, const char *const *users, const char *const *items,
                       const float *values, const int64_t *times, kith_data **out)
{
    (void)k;
    kith_data *d = NULL;
    kith_err err;
    if (out == NULL || (n > 0 && (users == NULL || items == NULL)))
        return ki_fail(KITH_EINVAL, "kith_data_new: users, items and out must not be NULL");
    if ((err = ki_alloc(&d, 1, sizeof *d)) != KITH_OK) return err;
    if ((err = ki_strdup(&d->source, "memory")) != KITH_OK) goto fail;
    if ((err = fill_log(d, n, users, items, values, times)) != KITH_OK) goto fail;
    if ((err = ki_data_finish(d, KITH_DUPLICATES_AUTO)) != KITH_OK) goto fail;
    *out = d;
    return KITH_OK;
fail:
    kith_data_free(d);
    return err;
}

/* ---- looking
 * --------------------------------------------------------------------------------------------------
 */

const char *ki_item_title(const ki_table *items, int32_t i)
{
    const ki_column *c = ki_table_find(items, "title");
    if (c == NULL) c = ki_table_find(items, "name");
    if (c == NULL || c->kind != KI_COL_TEXT || i < 0 || i >= items->n_rows) return NULL;
    const char *title = c->text + c->text_ptr[i];
    return title[0] == '\0' ? NULL : title;
}

static uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
    const unsigned char *b = p;
    uint64_t w;
    for (; n >= 8; n -= 8, b += 8) {
        memcpy(&w, b, 8);
        h = ki_hash2(h, w);
    }
    w = n;
    memcpy(&w, b, n);
    return ki_hash2(h, w + n);
}

uint64_t ki_data_fingerprint(const kith_data *d)
{
    const size_t n = (size_t)d->log.n;
    uint64_t h = 1;
    if (d->users.n > 0) h = hash_bytes(h, d->users.text, (size_t)d->users.start[d->users.n]);
    if (d->items.n > 0) h = hash_bytes(h, d->items.text, (size_t)d->items.start[d->items.n]);
    if (n == 0) return h;
    h = hash_bytes(h, d->log.user, n * sizeof *d->log.user);
    h = hash_bytes(h, d->log.item, n * sizeof *d->log.item);
    h = hash_bytes(h, d->log.value, n * sizeof *d->log.value);
    if (d->log.time != NULL) h = hash_bytes(h, d->log.time, n * sizeof *d->log.time);
    if (d->log.test != NULL) h = hash_bytes(h, d->log.test, n);
    return h;
}

kith_err ki_data_check(const kith_data *d)
{
    kith_err err;
    for (int64_t j = 0; j < d->log.n; j++) {
        if (d->log.user[j] < 0 || d->log.user[j] >= d->users.n || d->log.item[j] < 0 ||
            d->log.item[j] >= d->items.n)
            return ki_fail(KITH_EFORMAT, "%s: interaction %lld points outside the ids", d->source,
                           (long long)j);
        if (!isfinite(d->log.value[j]))
            return ki_fail(KITH_EFORMAT, "%s: interaction %lld has a value that is not finite",
                           d->source, (long long)j);
    }
    if ((err = ki_table_check(&d->user_attrs)) != KITH_OK) return err;
    return ki_table_check(&d->item_attrs);
}

int32_t kith_data_n_users(const kith_data *d)
{
    return d->users.n;
}

int32_t kith_data_n_items(const kith_data *d)
{
    return d->items.n;
}

int64_t kith_data_n_interactions(const kith_data *d)
{
    return d->log.n;
}

const char *kith_data_user_id(const kith_data *d, int32_t u)
{
    return u >= 0 && u < d->users.n ? ki_idmap_name(&d->users, u) : NULL;
}

const char *kith_data_item_id(const kith_data *d, int32_t i)
{
    return i >= 0 && i < d->items.n ? ki_idmap_name(&d->items, i) : NULL;
}

int32_t kith_data_find_user(const kith_data *d, const char *user_id)
{
    return ki_idmap_find(&d->users, user_id, strlen(user_id));
}

int32_t kith_data_find_item(const kith_data *d, const char *item_id)
{
    return ki_idmap_find(&d->items, item_id, strlen(item_id));
}

void kith_data_free(kith_data *d)
{
    if (d == NULL) return;
    if (d->mapping == NULL) {
        ki_free(d->log.user);
        ki_free(d->log.item);
        ki_free(d->log.value);
        ki_free(d->log.time);
        ki_free(d->log.test);
    }
    ki_idmap_clear(&d->users);
    ki_idmap_clear(&d->items);
    ki_table_clear(&d->user_attrs);
    ki_table_clear(&d->item_attrs);
    ki_free(d->source);
    ki_tensors_close(d->mapping);
    ki_free(d);
}
