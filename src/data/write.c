/* SPDX-License-Identifier: MIT
 * write.c -- a dataset as text: CSV, TSV or one JSON object a line
 *
 * Columns   user_id, item_id, rating, timestamp.  rating is left out when every value is 1, timestamp when there are no
 *           times (unix seconds).  Numbers are the shortest that read back as the same float, rows keep the order of
 *           the log, so reading the file gives the same log, and the same fingerprint if ids are numbered in its order.
 * Beside    PATH.test.LAYOUT has the rows of the predefined test part.  PATH.items.csv has the attributes of items, and
 *           those without interactions, which the log cannot hold; PATH.users.csv likewise.  Each is written only when
 *           there is something to write, or an old one to be overwritten.
 * Attributes  Words of a set are joined by '|', times are RFC 3339, a vector column is called NAME:float_seq and holds
 *           numbers between blanks.
 * Safety    Every file appears whole or not at all; the log appears last.
 */
#include "base/file.h" /* ki_path_find */
#include "base/mem.h"
#include "base/outfile.h"
#include "data/dataset.h"

#include <inttypes.h>
#include <jansson.h> /* strings of NDJSON */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEP_ROWS = 65536, NUMBER_SIZE = 40, PATH_SIZE = 4096 };

enum layout { CSV, TSV, NDJSON, N_LAYOUTS };
static const char *const layout_names[N_LAYOUTS] = { "csv", "tsv", "ndjson" };

struct shape { /* of the log's file */
    enum layout layout;
    int with_value, with_time;
};

/* ---- numbers and text */

/* The fewest digits that give the same float back. */
static int print_float(char *out, float x)
{
    int n = 0;
    if (x == floorf(x) && fabsf(x) < 1e7f) return snprintf(out, NUMBER_SIZE, "%.0f", (double)x);
    for (int digits = 1; digits <= 9; digits++) {
        n = snprintf(out, NUMBER_SIZE, "%.*g", digits, (double)x);
        if (strtof(out, NULL) == x) break;
    }
    return n;
}

static int print_double(char *out, double x)
{
    int n = 0;
    if (x == floor(x) && fabs(x) < 1e15) return snprintf(out, NUMBER_SIZE, "%.0f", x);
    for (int digits = 1; digits <= 17; digits++) {
        n = snprintf(out, NUMBER_SIZE, "%.*g", digits, x);
        if (strtod(out, NULL) == x) break;
    }
    return n;
}

static void put_text(ki_outfile *f, const char *s)
{
    ki_outfile_put(f, s, strlen(s));
}

/* Quoted when it holds the separator, a quote or a line break, when it begins or ends with a blank (readers trim those
 * that are not quoted), and when it is empty. */
static int wants_quotes(const char *s, char separator)
{
    const size_t n = strlen(s);
    if (n == 0 || strchr(" \t", s[0]) != NULL || strchr(" \t", s[n - 1]) != NULL) return 1;
    for (size_t j = 0; j < n; j++)
        if (s[j] == separator || s[j] == '"' || s[j] == '\n' || s[j] == '\r') return 1;
    return 0;
}

static void put_field(ki_outfile *f, const char *s, char separator)
{
    if (!wants_quotes(s, separator)) {
        put_text(f, s);
        return;
    }
    ki_outfile_put(f, "\"", 1);
    for (const char *quote; (quote = strchr(s, '"')) != NULL; s = quote + 1) {
        ki_outfile_put(f, s, (size_t)(quote - s) + 1);
        ki_outfile_put(f, "\"", 1);
    }
    put_text(f, s);
    ki_outfile_put(f, "\"", 1);
}

/* KITH_EDATA when it is not UTF-8, which JSON must be. */
static kith_err put_json(ki_outfile *f, const char *s)
{
    json_t *string = json_string(s);
    char *text = json_dumps(string, JSON_ENCODE_ANY | JSON_COMPACT);
    if (text != NULL) put_text(f, text);
    free(text); /* jansson's */
    json_decref(string);
    return text != NULL ? KITH_OK
                        : ki_fail(KITH_EDATA,
                                  "id \"%.64s\" is not UTF-8, so it cannot be written as JSON", s);
}

/* ---- the log */

static kith_err put_separated(ki_outfile *f, const kith_data *d, const struct shape *s, int64_t row)
{
    const char separator = s->layout == CSV ? ',' : '\t';
    char number[NUMBER_SIZE];
    put_field(f, ki_idmap_name(&d->users, d->log.user[row]), separator);
    ki_outfile_put(f, &separator, 1);
    put_field(f, ki_idmap_name(&d->items, d->log.item[row]), separator);
    if (s->with_value) {
        ki_outfile_put(f, &separator, 1);
        ki_outfile_put(f, number, (size_t)print_float(number, d->log.value[row]));
    }
    if (s->with_time) {
        ki_outfile_put(f, &separator, 1);
        ki_outfile_put(f, number,
                       (size_t)snprintf(number, sizeof number, "%" PRId64, d->log.time[row]));
    }
    ki_outfile_put(f, "\n", 1);
    return KITH_OK;
}

static kith_err put_ndjson(ki_outfile *f, const kith_data *d, const struct shape *s, int64_t row)
{
    char number[NUMBER_SIZE];
    kith_err err;
    put_text(f, "{\"user_id\":");
    if ((err = put_json(f, ki_idmap_name(&d->users, d->log.user[row]))) != KITH_OK) return err;
    put_text(f, ",\"item_id\":");
    if ((err = put_json(f, ki_idmap_name(&d->items, d->log.item[row]))) != KITH_OK) return err;
    if (s->with_value) {
        put_text(f, ",\"rating\":");
        ki_outfile_put(f, number, (size_t)print_float(number, d->log.value[row]));
    }
    if (s->with_time) {
        put_text(f, ",\"timestamp\":");
        ki_outfile_put(f, number,
                       (size_t)snprintf(number, sizeof number, "%" PRId64, d->log.time[row]));
    }
    put_text(f, "}\n");
    return KITH_OK;
}

static void put_log_header(ki_outfile *f, const struct shape *s)
{
    const char *separator = s->layout == CSV ? "," : "\t";
    if (s->layout == NDJSON) return;
    put_text(f, "user_id");
    put_text(f, separator);
    put_text(f, "item_id");
    if (s->with_value) {
        put_text(f, separator);
        put_text(f, "rating");
    }
    if (s->with_time) {
        put_text(f, separator);
        put_text(f, "timestamp");
    }
    put_text(f, "\n");
}

/* The rows of the train part (test 0) or of the test part (1). */
static kith_err put_log(ki_outfile *f, const kith_data *d, const struct shape *s, int test,
                        ki_job *job)
{
    put_log_header(f, s);
    for (int64_t row = 0; row < d->log.n; row++) {
        kith_err err = KITH_OK;
        if (row % STEP_ROWS == 0) err = ki_job_step(job, "write", row, d->log.n);
        if (err != KITH_OK || ki_outfile_failed(f)) return err;
        if (d->log.test != NULL && d->log.test[row] != test) continue;
        err = s->layout == NDJSON ? put_ndjson(f, d, s, row) : put_separated(f, d, s, row);
        if (err != KITH_OK) return err;
    }
    return ki_job_step(job, "write", d->log.n, d->log.n);
}

/* ---- attributes */

static void put_time(ki_outfile *f, int64_t seconds)
{
    char text[NUMBER_SIZE];
    struct tm tm;
    const time_t t = (time_t)seconds;
    size_t n =
        gmtime_r(&t, &tm) == NULL ? 0 : strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (n == 0 || tm.tm_year < -900 ||
        tm.tm_year > 9999 - 1900) /* a year that has not four digits */
        n = (size_t)snprintf(text, sizeof text, "%" PRId64, seconds);
    ki_outfile_put(f, text, n);
}

/* Room for the words of one set, joined. */
static kith_err put_set(ki_outfile *f, const ki_column *c, int32_t row)
{
    size_t size = 1, at = 0;
    char *joined = NULL;
    for (int64_t j = c->set_ptr[row]; j < c->set_ptr[row + 1]; j++)
        size += ki_idmap_length(&c->words, c->code[j]) + 1;
    const kith_err err = ki_alloc(&joined, size, 1);
    if (err != KITH_OK) return err;
    for (int64_t j = c->set_ptr[row]; j < c->set_ptr[row + 1]; j++) {
        const size_t n = ki_idmap_length(&c->words, c->code[j]);
        if (at > 0) joined[at++] = '|';
        memcpy(joined + at, ki_idmap_name(&c->words, c->code[j]), n);
        at += n;
    }
    if (at > 0) put_field(f, joined, ',');
    ki_free(joined);
    return KITH_OK;
}

static void put_vector(ki_outfile *f, const ki_column *c, int32_t row)
{
    char number[NUMBER_SIZE];
    for (int32_t k = 0; k < c->dim; k++) {
        if (k > 0) ki_outfile_put(f, " ", 1);
        ki_outfile_put(
            f, number,
            (size_t)print_float(number, c->vector[(size_t)row * (size_t)c->dim + (size_t)k]));
    }
}

static kith_err put_cell(ki_outfile *f, const ki_column *c, int32_t row)
{
    char number[NUMBER_SIZE];
    switch (c->kind) {
    case KI_COL_NUMBER:
        if (!isnan(c->number[row]))
            ki_outfile_put(f, number, (size_t)print_double(number, c->number[row]));
        break;
    case KI_COL_TIME:
        if (c->time[row] != INT64_MIN) put_time(f, c->time[row]);
        break;
    case KI_COL_CATEGORY:
        if (c->code[row] >= 0) put_field(f, ki_idmap_name(&c->words, c->code[row]), ',');
        break;
    case KI_COL_SET: return put_set(f, c, row);
    case KI_COL_TEXT:
        if (c->text[c->text_ptr[row]] != '\0') put_field(f, c->text + c->text_ptr[row], ',');
        break;
    case KI_COL_VECTOR: put_vector(f, c, row); break;
    }
    return KITH_OK;
}

static kith_err put_table(ki_outfile *f, const ki_table *t, const ki_idmap *ids,
                          const char *id_name)
{
    kith_err err;
    put_text(f, id_name);
    for (int c = 0; c < t->n_columns; c++) {
        put_text(f, ",");
        put_field(f, t->columns[c].name, ',');
        if (t->columns[c].kind == KI_COL_VECTOR) put_text(f, ":float_seq");
    }
    put_text(f, "\n");
    for (int32_t row = 0; row < ids->n; row++) {
        put_field(f, ki_idmap_name(ids, row), ',');
        for (int c = 0; c < t->n_columns; c++) {
            put_text(f, ",");
            if ((err = put_cell(f, &t->columns[c], row)) != KITH_OK) return err;
        }
        put_text(f, "\n");
    }
    return KITH_OK;
}

/* ---- all files */

/* Does every id occur in the log?  If not, only a table can hold the rest. */
static kith_err all_active(const int32_t *index, int64_t n, int32_t n_ids, int *out)
{
    uint8_t *seen = NULL;
    int32_t n_seen = 0;
    const kith_err err = ki_alloc(&seen, (size_t)n_ids, 1);
    if (err != KITH_OK) return err;
    for (int64_t j = 0; j < n; j++) {
        n_seen += !seen[index[j]];
        seen[index[j]] = 1;
    }
    ki_free(seen);
    *out = n_seen == n_ids;
    return KITH_OK;
}

static kith_err open_beside(const char *path, const char *suffix, ki_outfile **out)
{
    char beside[PATH_SIZE];
    if (snprintf(beside, sizeof beside, "%s.%s", path, suffix) >= (int)sizeof beside)
        return ki_fail(KITH_EINVAL, "the path is too long: %.64s...", path);
    return ki_outfile_open(beside, out);
}

/* Has an earlier write, or somebody else, left such a file? */
static int is_beside(const char *path, const char *suffix)
{
    char folder[KI_PATH_MAX], name[KI_PATH_MAX], found[KI_PATH_MAX];
    if (strlen(path) >= KI_PATH_MAX) return 0;
    ki_path_folder(folder, path);
    return snprintf(name, sizeof name, "%s.%s", ki_path_base(path), suffix) < KI_PATH_MAX &&
           ki_path_find(found, folder, name);
}

/* A table with nothing to say is written only over one that would be taken for its own on reading. */
static kith_err prepare_table(const char *path, const char *suffix, const ki_table *t,
                              const ki_idmap *ids, const int32_t *index, int64_t n,
                              const char *id_name, ki_outfile **out)
{
    int complete = 1;
    kith_err err = all_active(index, n, ids->n, &complete);
    if (err != KITH_OK || (complete && t->n_columns == 0 && !is_beside(path, suffix))) return err;
    err = open_beside(path, suffix, out);
    return err == KITH_OK ? put_table(*out, t, ids, id_name) : err;
}

static struct shape shape_of(const kith_data *d, enum layout layout)
{
    struct shape s = { .layout = layout, .with_time = d->log.time != NULL };
    for (int64_t j = 0; j < d->log.n && !s.with_value; j++) s.with_value = d->log.value[j] != 1;
    return s;
}

enum { USERS, ITEMS, TEST, LOG, N_FILES };

static kith_err prepare(ki_outfile **files, const kith_data *d, const char *path,
                        enum layout layout, ki_job *job)
{
    const struct shape s = shape_of(d, layout);
    const ki_log *log = &d->log;
    char suffix[32];
    kith_err err;
    if ((err = prepare_table(path, "users.csv", &d->user_attrs, &d->users, log->user, log->n,
                             "user_id", &files[USERS])) != KITH_OK)
        return err;
    if ((err = prepare_table(path, "items.csv", &d->item_attrs, &d->items, log->item, log->n,
                             "item_id", &files[ITEMS])) != KITH_OK)
        return err;
    if (log->test != NULL) {
        snprintf(suffix, sizeof suffix, "test.%s", layout_names[layout]);
        if ((err = open_beside(path, suffix, &files[TEST])) != KITH_OK) return err;
        if ((err = put_log(files[TEST], d, &s, 1, job)) != KITH_OK) return err;
    }
    if ((err = ki_outfile_open(path, &files[LOG])) != KITH_OK) return err;
    return put_log(files[LOG], d, &s, 0, job);
}

kith_err kith_data_write(kith *k, const kith_data *data, const char *path, const char *layout)
{
    ki_outfile *files[N_FILES] = { 0 };
    int found = CSV;
    if (k == NULL || data == NULL || path == NULL)
        return ki_fail(KITH_EINVAL, "kith_data_write: k, data and path must not be NULL");
    ki_job_begin(ki_context_job(k));
    while (layout != NULL && found < N_LAYOUTS && strcmp(layout, layout_names[found]) != 0) found++;
    if (found == N_LAYOUTS)
        return ki_fail(KITH_EINVAL, "layout \"%.40s\" cannot be written; want csv, tsv or ndjson",
                       layout);
    kith_err err = prepare(files, data, path, (enum layout)found, ki_context_job(k));
    for (int f = 0; f < N_FILES; f++) {
        if (err != KITH_OK)
            ki_outfile_discard(files[f]);
        else if (files[f] != NULL)
            err = ki_outfile_commit(files[f]);
    }
    return err;
}
