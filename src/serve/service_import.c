/* SPDX-License-Identifier: MIT
 * service_import.c -- a file of interactions into an empty store
 *
 * Users and items come in the order of the file, with their attributes, so that the numbers of the store are those
 * of the data; events follow in log order.  An item came when its first attribute of times says, else, and where that
 * is yet to come, before all others.  Values up to ten are ratings; larger ones are counts or amounts, kept as `weight`;
 * a file without values says that something happened, `count`.
 */
#include "serve/service_parts.h"

#include "base/mem.h"
#include "data/dataset.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    BATCH = 20000,
    MOST_WEIGHT = 1000 /* of later events, where the file has none that is larger */
};

/* When an item without a date came: the first moment that a store takes, 0001-01-01, before all dates there are. */
static const int64_t undated_ms = -62135596800000;

struct import {
    ki_service *s;
    ki_job *job;
    ki_change *changes; /* [BATCH] */
    char **texts;       /* [BATCH] jansson's, of changes */
    int n;
    int64_t done, total;
};

/* ---- attributes as JSON ---- */

static json_t *time_text(int64_t t)
{
    char out[40];
    struct tm utc;
    const time_t seconds = (time_t)t;
    if (gmtime_r(&seconds, &utc) == NULL) return json_integer(t);
    strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(out);
}

static json_t *words_of(const ki_column *c, int32_t row)
{
    json_t *list = json_array();
    for (int64_t j = c->set_ptr[row]; j < c->set_ptr[row + 1]; j++)
        json_array_append_new(list, json_string(ki_idmap_name(&c->words, c->code[j])));
    return list;
}

static json_t *vector_of(const ki_column *c, int32_t row)
{
    json_t *list = json_array();
    for (int32_t d = 0; d < c->dim; d++)
        json_array_append_new(list, json_real((double)c->vector[(int64_t)row * c->dim + d]));
    return list;
}

/* NULL: missing. */
static json_t *cell(const ki_column *c, int32_t row)
{
    switch (c->kind) {
    case KI_COL_NUMBER: return isnan(c->number[row]) ? NULL : json_real(c->number[row]);
    case KI_COL_TIME: return c->time[row] == INT64_MIN ? NULL : time_text(c->time[row]);
    case KI_COL_CATEGORY:
        return c->code[row] < 0 ? NULL : json_string(ki_idmap_name(&c->words, c->code[row]));
    case KI_COL_SET: return c->set_ptr[row] == c->set_ptr[row + 1] ? NULL : words_of(c, row);
    case KI_COL_TEXT: {
        const char *text = c->text + c->text_ptr[row];
        return text[0] == '\0' ? NULL : json_string(text);
    }
    case KI_COL_VECTOR: return vector_of(c, row);
    }
    return NULL;
}

/* NULL when the row has none, or memory ran out. */
static char *attributes(const ki_table *t, int32_t row)
{
    json_t *o = json_object();
    for (int j = 0; j < t->n_columns && row < t->n_rows; j++) {
        json_t *v = cell(&t->columns[j], row);
        if (v != NULL) json_object_set_new(o, t->columns[j].name, v);
    }
    char *text = json_object_size(o) == 0 ? NULL : json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return text;
}

/* ---- batches ---- */

static kith_err flush(struct import *m)
{
    const kith_err err = m->n == 0 ? KITH_OK : ki_store_write(m->s->store, m->changes, m->n);
    for (int j = 0; j < m->n; j++) {
        free(m->texts[j]);
        m->texts[j] = NULL;
    }
    m->done += m->n;
    m->n = 0;
    return err == KITH_OK ? ki_job_step(m->job, "keep", m->done, m->total) : err;
}

static kith_err add(struct import *m, ki_change c, char *text)
{
    c.json = text;
    m->texts[m->n] = text;
    m->changes[m->n++] = c;
    return m->n == BATCH ? flush(m) : KITH_OK;
}

static kith_err add_users(struct import *m, const kith_data *d)
{
    kith_err err = KITH_OK;
    for (int32_t u = 0; err == KITH_OK && u < d->users.n; u++)
        err = add(m, (ki_change){ .change = KI_PUT_USER, .id = kith_data_user_id(d, u) },
                  attributes(&d->user_attrs, u));
    return err;
}

/* The first column of times says when an item came; NULL: there is none. */
static const ki_column *find_dates(const ki_table *t)
{
    for (int j = 0; j < t->n_columns; j++)
        if (t->columns[j].kind == KI_COL_TIME) return &t->columns[j];
    return NULL;
}

/* Items without a date came before all others, among themselves in the order of the file: none is "now".  What is
 * dated after now has not come, and would lead the latest until that day. */
static int64_t created_ms(const ki_column *dates, int32_t i, int32_t n, int64_t now_ms)
{
    const int64_t time = dates == NULL || i >= n ? INT64_MIN : dates->time[i];
    if (time < undated_ms / 1000 || time > now_ms / 1000) return undated_ms;
    return time == 0 ? 1 : time * 1000; /* 0 would be now */
}

static kith_err add_items(struct import *m, const kith_data *d)
{
    const ki_column *dates = find_dates(&d->item_attrs);
    const int64_t now_ms = ki_now_ms();
    kith_err err = KITH_OK;
    for (int32_t i = 0; err == KITH_OK && i < d->items.n; i++)
        err = add(m,
                  (ki_change){ .change = KI_PUT_ITEM,
                               .id = kith_data_item_id(d, i),
                               .time_ms = created_ms(dates, i, d->item_attrs.n_rows, now_ms) },
                  attributes(&d->item_attrs, i));
    return err;
}

static kith_err add_events(struct import *m, const kith_data *d, const char *kind)
{
    const ki_log *log = &d->log;
    kith_err err = KITH_OK;
    for (int64_t r = 0; err == KITH_OK && r < log->n; r++)
        err = add(m,
                  (ki_change){ .change = KI_ADD_EVENT,
                               .kind = kind,
                               .user = kith_data_user_id(d, log->user[r]),
                               .item = kith_data_item_id(d, log->item[r]),
                               .value = d->has_values ? (double)log->value[r] : NAN,
                               .time_ms = log->time != NULL ? log->time[r] * 1000 : 1 },
                  NULL);
    return err;
}

/* ---- what the values are ---- */

static json_t *meaning(const kith_data *d, const char **kind)
{
    double low = INFINITY, high = -INFINITY;
    for (int64_t r = 0; r < d->log.n; r++) {
        low = fmin(low, (double)d->log.value[r]);
        high = fmax(high, (double)d->log.value[r]);
    }
    *kind = !d->has_values ? "count" : high <= 10 && low >= -10 ? "rating" : "weight";
    if (strcmp(*kind, "rating") != 0)
        return json_pack("{s:s, s:f}", "preference", "strengths", "most", fmax(MOST_WEIGHT, high));
    if (low < high && low >= -1 &&
        high <= 1) { /* shares and thumbs, which say so by many rows alone */
        low = low < 0 ? -1 : 0;
        high = 1;
    } else {
        (void)ki_usual_scale(&low, &high);
    }
    return json_pack("{s:s, s:f, s:f, s:i}", "preference", "ratings", "low", low, "high", high,
                     "most", MOST_WEIGHT);
}

static kith_err write_all(struct import *m, const kith_data *d)
{
    const char *kind;
    ki_meanings meanings;
    json_t *document = meaning(d, &kind);
    kith_err err = ki_service_put_document(m->s, "setting", "events", document);
    if (err == KITH_OK) err = ki_meanings_read(document, &meanings);
    if (err == KITH_OK) ki_service_take_meanings(m->s, &meanings);
    json_decref(document);
    m->total = (int64_t)d->users.n + d->items.n + d->log.n;
    if (err == KITH_OK) err = add_users(m, d);
    if (err == KITH_OK) err = add_items(m, d);
    if (err == KITH_OK) err = add_events(m, d, kind);
    if (err == KITH_OK) err = flush(m);
    return err;
}

kith_err ki_service_import(ki_service *s, kith *k, const char *path, const kith_read_options *how)
{
    struct import m = { .s = s, .job = ki_context_job(k) };
    kith_data *d = NULL;
    kith_err err = kith_data_read(k, path, how, &d);
    if (err != KITH_OK) return err;
    if ((err = ki_alloc(&m.changes, BATCH, sizeof *m.changes)) != KITH_OK) goto done;
    if ((err = ki_alloc(&m.texts, BATCH, sizeof *m.texts)) != KITH_OK) goto done;
    err = write_all(&m, d);
    ki_service_say(s, "imported",
                   json_pack("{s:s, s:i, s:i, s:I}", "path", path, "users", (int)d->users.n,
                             "items", (int)d->items.n, "events", (json_int_t)d->log.n));
done:
    for (int j = 0; m.texts != NULL && j < m.n; j++) free(m.texts[j]);
    ki_free(m.changes);
    ki_free(m.texts);
    kith_data_free(d);
    return err;
}
