/* SPDX-License-Identifier: MIT
 * dataset.c -- making, finishing and looking at a dataset
 */
#include "data/dataset.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/tensors.h"
#include "data/csr.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- duplicates
 * ---------------------------------------------------------------------------------------------------
 *
 * Rows are grouped by (user, item) with two counting sorts, and a cell that has several is sorted by
 * (part, time, place in the file): an event that is repeated all day long may fill one cell.  The row
 * that survives takes the merged value; `gone` marks the others. */

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

struct place { /* of a row within its cell */
    int64_t part, time, row;
};

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* The rows order[0..n) of a cell, train before test, by time where there is one, else as in the file. */
static void sort_cell(const ki_log *log, const int64_t *order, int64_t n, struct place *out)
{
    for (int64_t j = 0; j < n; j++) {
        const int64_t row = order[j];
        out[j] = (struct place){ .part = log->test != NULL && log->test[row],
                                 .time = log->time == NULL ? 0 : log->time[row],
                                 .row = row };
    }
    qsort(out, (size_t)n, sizeof *out, by_place);
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

/* Test rows and train rows of a cell are merged apart; at[n] is sorted.  Returns how many rows went. */
static int64_t merge_cell(ki_log *log, const struct place *at, int64_t n, kith_duplicates policy,
                          uint8_t *gone)
{
    int64_t went = 0;
    for (int64_t begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && at[end].part == at[begin].part;) end++;
        const int64_t stays = merge_rows(log, at + begin, end - begin, policy);
        for (int64_t j = begin; j < end; j++) gone[at[j].row] = at[j].row != stays;
        went += end - begin - 1;
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

static kith_err blame_cell(const kith_data *d, int64_t row, const char *why)
{
    return ki_fail(KITH_EDATA, "user \"%.64s\" and item \"%.64s\" %s",
                   ki_idmap_name(&d->users, d->log.user[row]),
                   ki_idmap_name(&d->items, d->log.item[row]), why);
}

/* One past the last entry of the cell that begins at entry j. */
static int64_t cell_end(const ki_csr *cells, int32_t u, int64_t j)
{
    int64_t end = j + 1;
    while (end < cells->ptr[u + 1] && cells->idx[end] == cells->idx[j]) end++;
    return end;
}

static int64_t longest_cell(const ki_csr *cells)
{
    int64_t longest = 0;
    for (int32_t u = 0; u < cells->n_rows; u++)
        for (int64_t j = cells->ptr[u], end; j < cells->ptr[u + 1]; j = end) {
            end = cell_end(cells, u, j);
            longest = KI_MAX(longest, end - j);
        }
    return longest;
}

/* Merge all cells; order[n] says which row each entry of `cells` is, `at` is scratch for the longest. */
static kith_err merge_cells(kith_data *d, const ki_csr *cells, const int64_t *order,
                            kith_duplicates policy, struct place *at, uint8_t *gone)
{
    for (int32_t u = 0; u < d->users.n; u++) {
        for (int64_t j = cells->ptr[u], end; j < cells->ptr[u + 1]; j = end) {
            end = cell_end(cells, u, j);
            if (end - j < 2) continue;
            sort_cell(&d->log, order + j, end - j, at);
            const int64_t went = merge_cell(&d->log, at, end - j, policy, gone);
            d->report.n_duplicates += went;
            if (went > 0 && policy == KITH_DUPLICATES_ERROR)
                return blame_cell(d, order[j], "occur together more than once");
            for (int64_t e = j; e < end; e++)
                if (!isfinite(d->log.value[order[e]]))
                    return blame_cell(d, order[e], "have values whose sum is beyond 3.4e38");
        }
    }
    return KITH_OK;
}

static kith_err merge_duplicates(kith_data *d, kith_duplicates policy)
{
    ki_log *log = &d->log;
    ki_csr cells = { 0 };
    int64_t *order = NULL;
    struct place *at = NULL;
    uint8_t *gone = NULL;
    kith_err err = ki_csr_from_triplets(&cells, d->users.n, d->items.n, log->n, log->user,
                                        log->item, NULL, &order);
    if (err != KITH_OK) return err;
    if ((err = ki_alloc(&at, (size_t)longest_cell(&cells), sizeof *at)) != KITH_OK) goto done;
    if ((err = ki_alloc(&gone, (size_t)log->n, 1)) != KITH_OK) goto done;
    err = merge_cells(d, &cells, order, policy, at, gone);
    if (err == KITH_OK && d->report.n_duplicates > 0) pack_log(log, gone);
done:
    ki_csr_clear(&cells);
    ki_free(order);
    ki_free(at);
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
    policy = settle(policy, d);
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
