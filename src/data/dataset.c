/* SPDX-License-Identifier: MIT
 * dataset.c -- making and looking at a dataset
 */
#include "data/dataset.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/scan.h"
#include "base/tensors.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

void ki_read_note(ki_read_report *r, const char *format, ...)
{
    char note[sizeof r->notes];
    const size_t used = strlen(r->notes);
    va_list args;
    va_start(args, format);
    vsnprintf(note, sizeof note, format, args);
    va_end(args);
    ki_utf8_mend(note);
    if (strstr(r->notes, note) == NULL && used + strlen(note) + 2 < sizeof r->notes)
        snprintf(r->notes + used, sizeof r->notes - used, "%s%s", used > 0 ? "\n" : "", note);
}

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
    kith_data *d = NULL;
    kith_err err;
    if (out == NULL || (n > 0 && (users == NULL || items == NULL)))
        return ki_fail(KITH_EINVAL, "kith_data_new: users, items and out must not be NULL");
    if ((err = ki_alloc(&d, 1, sizeof *d)) != KITH_OK) return err;
    if ((err = ki_strdup(&d->source, "memory")) != KITH_OK) goto fail;
    if ((err = fill_log(d, n, users, items, values, times)) != KITH_OK) goto fail;
    if ((err = ki_data_finish(d, KITH_DUPLICATES_AUTO,
                              k == NULL ? NULL : ki_context_job(k)->pool)) != KITH_OK)
        goto fail;
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

kith_err ki_data_check_log(const kith_data *d)
{
    for (int64_t j = 0; j < d->log.n; j++) {
        if (d->log.user[j] < 0 || d->log.user[j] >= d->users.n || d->log.item[j] < 0 ||
            d->log.item[j] >= d->items.n)
            return ki_fail(KITH_EFORMAT, "%s: interaction %lld points outside the ids", d->source,
                           (long long)j);
        if (!isfinite(d->log.value[j]))
            return ki_fail(KITH_EFORMAT, "%s: interaction %lld has a value that is not finite",
                           d->source, (long long)j);
        if (d->log.test != NULL && d->log.test[j] > 1)
            return ki_fail(KITH_EFORMAT, "%s: interaction %lld belongs to part %d, want 0 or 1",
                           d->source, (long long)j, d->log.test[j]);
    }
    return KITH_OK;
}

kith_err ki_data_check(const kith_data *d)
{
    kith_err err = ki_data_check_log(d);
    if (err != KITH_OK) return err;
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
