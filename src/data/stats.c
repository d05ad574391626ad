/* SPDX-License-Identifier: MIT
 * stats.c -- the figures of a dataset as one JSON object
 *
 * Fields, which stay as they are from version to version (new ones may be added):
 *
 *   source, layout, fingerprint   where it came from, which layout was found, 16 hex digits of the content
 *   counts        users, items, interactions, test_interactions (rows of a predefined test part),
 *                 users_without_interactions, items_without_interactions (cold: only in the catalogue)
 *   density       interactions / (users * items)
 *   per_user, per_item   min, median, mean, max, under_5: of those with at least one interaction
 *   values        kind ("ratings" when they differ, else "events"), min, max, mean, distinct,
 *                 step (the grid they lie on, or null), histogram: [{value, count}] for at most 20
 *                 distinct values, else ten bins [{from, to, count}], the last one closed
 *   times         null without times, else first and last (RFC 3339), first_unix, last_unix, span_days
 *   long_tail     top: [{percent, items, share}] for the 1, 5, 10, 20, 50% most popular items,
 *                 items_for_80_percent, gini; items without interactions are not part of it
 *   duplicates    merged (rows that went), policy
 *   lines         read, skipped, first_skipped (why, or null)
 *   attributes    users and items: [{column, kind, missing, distinct}]; distinct is null for a vector
 *   suspicious    [{code, text}], suspicious.c
 *   memory        data_bytes (as loaded), train_bytes (about what fitting 64 factors peaks at)
 */
#include "data/stats.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_DISTINCT = 20, N_BINS = 10, N_FACTORS = 64 };

/* ---- census */

kith_err ki_census_make(ki_census *out, const kith_data *d)
{
    ki_census c = { .d = d };
    const ki_log *log = &d->log;
    kith_err err;
    if ((err = ki_csr_from_triplets(&c.by_user, d->users.n, d->items.n, log->n, log->user,
                                    log->item, log->value, &c.row)) != KITH_OK)
        goto fail;
    if ((err = ki_alloc(&c.per_user, (size_t)d->users.n, sizeof *c.per_user)) != KITH_OK) goto fail;
    if ((err = ki_alloc(&c.per_item, (size_t)d->items.n, sizeof *c.per_item)) != KITH_OK) goto fail;
    for (int64_t j = 0; j < log->n; j++) c.per_item[log->item[j]]++;
    for (int32_t u = 0; u < d->users.n; u++) {
        c.per_user[u] = ki_csr_len(&c.by_user, u);
        c.n_active_users += c.per_user[u] > 0;
    }
    for (int32_t i = 0; i < d->items.n; i++) c.n_active_items += c.per_item[i] > 0;
    *out = c;
    return KITH_OK;
fail:
    ki_census_clear(&c);
    return err;
}

void ki_census_clear(ki_census *c)
{
    ki_csr_clear(&c->by_user);
    ki_free(c->row);
    ki_free(c->per_user);
    ki_free(c->per_item);
    *c = (ki_census){ 0 };
}

json_t *ki_json_text(const char *text)
{
    json_t *whole = json_string(text);
    char plain[512];
    if (whole != NULL) return whole;
    snprintf(plain, sizeof plain, "%s", text);
    for (char *p = plain; *p != '\0'; p++)
        if ((unsigned char)*p > 127) *p = '?';
    return json_string(plain);
}

/* ---- counts */

static json_t *counts_json(const ki_census *c)
{
    const kith_data *d = c->d;
    int64_t n_test = 0;
    for (int64_t j = 0; d->log.test != NULL && j < d->log.n; j++) n_test += d->log.test[j];
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "users", (json_int_t)d->users.n, "items",
                     (json_int_t)d->items.n, "interactions", (json_int_t)d->log.n,
                     "test_interactions", (json_int_t)n_test, "users_without_interactions",
                     (json_int_t)(d->users.n - c->n_active_users), "items_without_interactions",
                     (json_int_t)(d->items.n - c->n_active_items));
}

static double density(const kith_data *d)
{
    const double cells = (double)d->users.n * (double)d->items.n;
    return cells > 0 ? (double)d->log.n / cells : 0;
}

static int by_count(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The counts above zero, rising; *n of them. */
static kith_err active_counts(int64_t **out, int64_t *n, const int64_t *counts, int32_t n_all)
{
    const kith_err err = ki_alloc(out, (size_t)n_all, sizeof **out);
    if (err != KITH_OK) return err;
    *n = 0;
    for (int32_t j = 0; j < n_all; j++)
        if (counts[j] > 0) (*out)[(*n)++] = counts[j];
    qsort(*out, (size_t)*n, sizeof **out, by_count);
    return KITH_OK;
}

static json_t *spread_json(const int64_t *rising, int64_t n, int64_t total)
{
    int64_t under_5 = 0;
    while (under_5 < n && rising[under_5] < 5) under_5++;
    const double median = n == 0 ? 0 : 0.5 * (double)(rising[(n - 1) / 2] + rising[n / 2]);
    return json_pack("{s:I, s:f, s:f, s:I, s:I}", "min", (json_int_t)(n > 0 ? rising[0] : 0),
                     "median", median, "mean", n > 0 ? (double)total / (double)n : 0.0, "max",
                     (json_int_t)(n > 0 ? rising[n - 1] : 0), "under_5", (json_int_t)under_5);
}

/* ---- long tail */

/* With x rising, n of them, sum N: Gini = sum_i (2 i - n - 1) x_i / (n N), i from 1. */
static double gini(const int64_t *rising, int64_t n, int64_t total)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (2.0 * (double)(i + 1) - (double)n - 1.0) * (double)rising[i];
    return total > 0 ? sum / ((double)n * (double)total) : 0;
}

static json_t *top_json(const int64_t *rising, int64_t n, int64_t total)
{
    static const int percents[] = { 1, 5, 10, 20, 50 };
    json_t *top = json_array();
    int64_t taken = 0, sum = 0;
    for (size_t p = 0; p < KI_COUNT(percents); p++) {
        const int64_t items =
            (n * percents[p] + 99) / 100; /* rounded up, so that 1% of 50 items is one item */
        for (; taken < items; taken++) sum += rising[n - 1 - taken];
        json_array_append_new(top, json_pack("{s:i, s:I, s:f}", "percent", percents[p], "items",
                                             (json_int_t)items, "share",
                                             total > 0 ? (double)sum / (double)total : 0.0));
    }
    return top;
}

static json_t *long_tail_json(const int64_t *rising, int64_t n, int64_t total)
{
    int64_t for_80 = 0, sum = 0;
    while (for_80 < n && (double)sum < 0.8 * (double)total) sum += rising[n - 1 - for_80++];
    return json_pack("{s:o, s:I, s:f}", "top", top_json(rising, n, total), "items_for_80_percent",
                     (json_int_t)for_80, "gini", gini(rising, n, total));
}

/* ---- values */

/* The distinct values, rising, with their counts; n is MAX_DISTINCT + 1 when there are more than
 * that. */
struct distinct {
    int n;
    float value[MAX_DISTINCT + 1];
    int64_t count[MAX_DISTINCT + 1];
};

static struct distinct find_distinct(const ki_log *log)
{
    struct distinct s = { 0 };
    for (int64_t j = 0; j < log->n && s.n <= MAX_DISTINCT; j++) {
        int at = 0;
        while (at < s.n && s.value[at] < log->value[j]) at++;
        if (at == s.n || s.value[at] != log->value[j]) {
            memmove(s.value + at + 1, s.value + at, (size_t)(s.n - at) * sizeof *s.value);
            memmove(s.count + at + 1, s.count + at, (size_t)(s.n - at) * sizeof *s.count);
            s.value[at] = log->value[j];
            s.count[at] = 0;
            s.n++;
        }
        s.count[at]++;
    }
    return s;
}

/* The smallest distance between values when all lie on its grid: 1 for 1..5, 0.5 for half stars;
 * else null. */
static json_t *step_json(const struct distinct *s)
{
    if (s->n < 2 || s->n > MAX_DISTINCT) return json_null();
    double step = (double)s->value[1] - (double)s->value[0];
    for (int j = 2; j < s->n; j++)
        step = KI_MIN(step, (double)s->value[j] - (double)s->value[j - 1]);
    for (int j = 1; j < s->n; j++) {
        const double steps = ((double)s->value[j] - (double)s->value[0]) / step;
        if (fabs(steps - round(steps)) > 1e-4 * round(steps))
            return json_null(); /* values are floats */
    }
    return json_real(step);
}

static json_t *distinct_json(const struct distinct *s)
{
    json_t *list = json_array();
    for (int j = 0; j < s->n; j++)
        json_array_append_new(list, json_pack("{s:f, s:I}", "value", (double)s->value[j], "count",
                                              (json_int_t)s->count[j]));
    return list;
}

static json_t *bins_json(const ki_log *log, double min, double max)
{
    int64_t count[N_BINS] = { 0 };
    json_t *list = json_array();
    const double width = (max - min) / N_BINS;
    for (int64_t j = 0; j < log->n; j++) {
        const int bin = (int)(((double)log->value[j] - min) / width);
        count[KI_MAX(0, KI_MIN(bin, N_BINS - 1))]++;
    }
    for (int b = 0; b < N_BINS; b++)
        json_array_append_new(list, json_pack("{s:f, s:f, s:I}", "from", min + b * width, "to",
                                              b == N_BINS - 1 ? max : min + (b + 1) * width,
                                              "count", (json_int_t)count[b]));
    return list;
}

static json_t *values_json(const kith_data *d)
{
    const ki_log *log = &d->log;
    const struct distinct s = find_distinct(log);
    const int many = s.n > MAX_DISTINCT;
    double min = log->n > 0 ? (double)log->value[0] : 0, max = min, sum = 0;
    for (int64_t j = 0; j < log->n; j++) {
        min = KI_MIN(min, (double)log->value[j]);
        max = KI_MAX(max, (double)log->value[j]);
        sum += (double)log->value[j];
    }
    return json_pack("{s:s, s:f, s:f, s:f, s:o, s:o, s:o}", "kind",
                     d->has_values ? "ratings" : "events", "min", min, "max", max, "mean",
                     log->n > 0 ? sum / (double)log->n : 0.0, "distinct",
                     many ? json_null() : json_integer(s.n), "step", step_json(&s), "histogram",
                     many ? bins_json(log, min, max) : distinct_json(&s));
}

/* ---- times */

/* RFC 3339 in UTC; null for a time that has no year of four digits. */
static json_t *time_json(int64_t seconds)
{
    char text[32];
    struct tm tm;
    const time_t t = (time_t)seconds;
    if (gmtime_r(&t, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
        return json_null();
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return json_string(text);
}

static json_t *times_json(const ki_log *log)
{
    if (log->time == NULL || log->n == 0) return json_null();
    int64_t first = log->time[0], last = first;
    for (int64_t j = 1; j < log->n; j++) {
        first = KI_MIN(first, log->time[j]);
        last = KI_MAX(last, log->time[j]);
    }
    return json_pack("{s:o, s:o, s:I, s:I, s:f}", "first", time_json(first), "last",
                     time_json(last), "first_unix", (json_int_t)first, "last_unix",
                     (json_int_t)last, "span_days", ((double)last - (double)first) / 86400.0);
}

/* ---- attributes */

struct column_count {
    int64_t missing, distinct; /* distinct -1: not counted */
};

int ki_cell_missing(const ki_column *c, int32_t row)
{
    switch (c->kind) {
    case KI_COL_NUMBER: return isnan(c->number[row]);
    case KI_COL_TIME: return c->time[row] == INT64_MIN;
    case KI_COL_CATEGORY: return c->code[row] < 0;
    case KI_COL_SET: return c->set_ptr[row + 1] == c->set_ptr[row];
    case KI_COL_TEXT: return c->text[c->text_ptr[row]] == '\0';
    case KI_COL_VECTOR: break;
    }
    for (int32_t k = 0; k < c->dim; k++)
        if (c->vector[(size_t)row * (size_t)c->dim + (size_t)k] != 0) return 0;
    return 1;
}

/* Words of a category or set are distinct already; cells of the other kinds are told apart by their
 * bytes. */
static kith_err count_cells(const ki_column *c, int32_t n_rows, struct column_count *out)
{
    ki_idmap seen = { 0 };
    int32_t at;
    kith_err err = KITH_OK;
    *out = (struct column_count){ .distinct = c->kind == KI_COL_VECTOR ? -1 : c->words.n };
    for (int32_t r = 0; r < n_rows && err == KITH_OK; r++) {
        char cell[40];
        const char *key = cell;
        if (ki_cell_missing(c, r)) {
            out->missing++;
            continue;
        }
        if (c->kind == KI_COL_NUMBER)
            snprintf(cell, sizeof cell, "%.17g", c->number[r]);
        else if (c->kind == KI_COL_TIME)
            snprintf(cell, sizeof cell, "%lld", (long long)c->time[r]);
        else if (c->kind == KI_COL_TEXT)
            key = c->text + c->text_ptr[r];
        else
            continue;
        err = ki_idmap_add(&seen, key, strlen(key), &at);
        out->distinct = seen.n;
    }
    ki_idmap_clear(&seen);
    return err;
}

static kith_err table_json(const ki_table *t, json_t *list)
{
    static const char *const kinds[] = { "number", "time", "category", "set", "text", "vector" };
    for (int c = 0; c < t->n_columns; c++) {
        const ki_column *column = &t->columns[c];
        struct column_count n;
        const kith_err err = count_cells(column, t->n_rows, &n);
        if (err != KITH_OK) return err;
        json_array_append_new(
            list, json_pack("{s:o, s:s, s:I, s:o}", "column", ki_json_text(column->name), "kind",
                            kinds[column->kind], "missing", (json_int_t)n.missing, "distinct",
                            n.distinct < 0 ? json_null() : json_integer(n.distinct)));
    }
    return KITH_OK;
}

/* ---- memory */

static size_t ids_bytes(const ki_idmap *m)
{
    return m->n == 0 ? 0
                     : (size_t)m->start[m->n] + (size_t)m->n * sizeof *m->start +
                           m->n_slots * sizeof *m->slots;
}

/* Loaded: ids and log.  Fitting peaks either while the matrix is sorted (a copy of the rows, two
 * orders, the matrix: 44 bytes a row) or with the matrix both ways and two sets of factors. */
static json_t *memory_json(const kith_data *d)
{
    const size_t n = (size_t)d->log.n, entities = (size_t)d->users.n + (size_t)d->items.n;
    const size_t row = 12 + (d->log.time != NULL ? 8 : 0) + (d->log.test != NULL ? 1 : 0);
    const size_t data = ids_bytes(&d->users) + ids_bytes(&d->items) + n * row;
    const size_t pointers = entities * sizeof(int64_t),
                 factors = 2 * entities * N_FACTORS * sizeof(float);
    const size_t fit =
        KI_MAX(44 * n, 16 * n + factors) + (d->log.time != NULL ? 8 * n : 0) + pointers;
    return json_pack("{s:I, s:I}", "data_bytes", (json_int_t)data, "train_bytes",
                     (json_int_t)(data + fit));
}

/* ---- all of it */

static json_t *notes_json(const char *at)
{
    json_t *list = json_array();
    for (size_t n; *at != '\0'; at += n + (at[n] == '\n')) {
        n = strcspn(at, "\n");
        json_array_append_new(list, json_stringn(at, n));
    }
    return list;
}

static json_t *lines_json(const ki_read_report *r)
{
    return json_pack("{s:I, s:I, s:o, s:o}", "read", (json_int_t)r->n_lines, "skipped",
                     (json_int_t)r->n_skipped, "first_skipped",
                     r->n_skipped > 0 ? ki_json_text(r->first_skipped) : json_null(), "notes",
                     notes_json(r->notes));
}

static json_t *plain_json(const ki_census *c, const int64_t *users, const int64_t *items)
{
    const kith_data *d = c->d;
    char fingerprint[17];
    snprintf(fingerprint, sizeof fingerprint, "%016llx",
             (unsigned long long)ki_data_fingerprint(d));
    return json_pack("{s:o, s:s, s:s, s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:{s:I, s:s}, s:o, s:o}",
                     "source", ki_json_text(d->source), "layout", d->report.layout, "fingerprint",
                     fingerprint, "counts", counts_json(c), "density", density(d), "per_user",
                     spread_json(users, c->n_active_users, d->log.n), "per_item",
                     spread_json(items, c->n_active_items, d->log.n), "values", values_json(d),
                     "times", times_json(&d->log), "long_tail",
                     long_tail_json(items, c->n_active_items, d->log.n), "duplicates", "merged",
                     (json_int_t)d->report.n_duplicates, "policy", d->report.duplicates, "lines",
                     lines_json(&d->report), "memory", memory_json(d));
}

static kith_err add_lists(json_t *stats, const ki_census *c)
{
    json_t *users = json_array(), *items = json_array(), *suspicious = json_array();
    kith_err err = table_json(&c->d->user_attrs, users);
    if (err == KITH_OK) err = table_json(&c->d->item_attrs, items);
    if (err == KITH_OK) err = ki_suspicious(c, suspicious);
    json_t *attributes = json_pack("{s:o, s:o}", "users", users, "items", items);
    const int refused = json_object_set_new(stats, "attributes", attributes) != 0;
    if ((json_object_set_new(stats, "suspicious", suspicious) != 0 || refused) && err == KITH_OK)
        err = ki_fail_memory(1);
    return err;
}

static kith_err stats_text(const ki_census *c, const int64_t *users, const int64_t *items,
                           char **out)
{
    json_t *stats = plain_json(c, users, items);
    if (stats == NULL) return ki_fail_memory(1);
    char *text = NULL;
    kith_err err = add_lists(stats, c);
    if (err == KITH_OK &&
        (text = json_dumps(stats, JSON_INDENT(2) | JSON_REAL_PRECISION(9))) == NULL)
        err = ki_fail_memory(1);
    if (err == KITH_OK) err = ki_strdup(out, text);
    free(text); /* jansson's */
    json_decref(stats);
    return err;
}

kith_err kith_data_stats(kith *k, const kith_data *data, char **json)
{
    ki_census c = { 0 };
    int64_t *users = NULL, *items = NULL, n;
    kith_err err;
    if (k == NULL || data == NULL || json == NULL)
        return ki_fail(KITH_EINVAL, "kith_data_stats: k, data and json must not be NULL");
    ki_job_begin(ki_context_job(k));
    if ((err = ki_census_make(&c, data)) != KITH_OK) return err;
    if ((err = active_counts(&users, &n, c.per_user, data->users.n)) != KITH_OK) goto done;
    if ((err = active_counts(&items, &n, c.per_item, data->items.n)) != KITH_OK) goto done;
    err = stats_text(&c, users, items, json);
done:
    ki_free(users);
    ki_free(items);
    ki_census_clear(&c);
    return err;
}
