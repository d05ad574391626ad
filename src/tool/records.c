/* SPDX-License-Identifier: MIT
 * records.c -- CSV and NDJSON as JSON objects
 */
#include "tool/records.h"

#include "base/lines.h"
#include "base/mem.h"
#include "data/csv.h"
#include "data/jsonrow.h"
#include "data/roles.h"

#include <string.h>

static const size_t most_bytes = (size_t)4 << 30; /* of one CSV file, which is read whole */

struct walk {
    const char *path;
    char *at, *end; /* what is left of the text */
    int64_t line;   /* of the record at `at` */
    ki_element_fn fn;
    void *arg;
    const ki_place *place;
    ki_findings *f;
};

/* Past empty lines; 0 at the end. */
static int find_record(struct walk *w)
{
    for (; w->at < w->end && (*w->at == '\n' || *w->at == '\r'); w->at++) w->line += *w->at == '\n';
    return w->at < w->end;
}

/* ---- NDJSON ---- */

/* A line is read, used and forgotten: however long the list is, memory holds one of them. */
static kith_err each_line(ki_source *s, struct walk *w)
{
    ki_lines l = { .source = s, .most = KI_LINE_MAX };
    char *line;
    size_t n, j = 0;
    kith_err err = KITH_OK;
    while (err == KITH_OK && (err = ki_lines_next(&l, &line, &n)) == KITH_OK && line != NULL) {
        json_error_t error;
        if (n == 0 || (n == 1 && *line == '\r')) continue;
        json_t *o = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);
        if (o == NULL && json_error_code(&error) == json_error_out_of_memory) {
            err = ki_fail_memory(n);
        } else if (o == NULL) {
            ki_object_to(w->f, w->place, "%.300s:%lld:%d: got %.120s, want a JSON object", w->path,
                         (long long)l.number, error.column, error.text);
            break;
        } else {
            err = w->fn(w->arg, j++, o);
        }
        json_decref(o);
    }
    ki_lines_clear(&l);
    return err;
}

/* ---- CSV ---- */

struct columns {
    char separator;
    int n;
    char *names; /* one after the other, each ended by NUL */
    const char *name[KI_CSV_COLUMNS];
};

/* The next record; 0 when it is malformed, which has been told. */
static int split(struct walk *w, char separator, ki_span *field, int *n)
{
    ki_csv_record record;
    *n = ki_csv_split_quoted(w->at, w->end, separator, field, KI_CSV_COLUMNS, &record);
    const char *wrong = record.wrong != NULL  ? record.why
                        : *n > KI_CSV_COLUMNS ? "more columns than kith reads"
                                              : NULL;
    for (int j = 0; wrong == NULL && j < *n; j++)
        if (memchr(field[j].at, '\0', field[j].n) != NULL) wrong = "a NUL character";
    w->line += record.n_breaks + 1;
    w->at = record.next;
    if (wrong == NULL) return 1;
    ki_object_to(w->f, w->place, "%.300s:%lld: got %s", w->path, (long long)w->line - 1, wrong);
    return 0;
}

/* The column that fits a role best takes the contract's name for it, unless one has it already. */
static void rename_role(struct columns *c, ki_role role, const char *name)
{
    static const kith_read_options usual = { 0 };
    int best = -1, best_fit = 0;
    for (int j = 0; j < c->n; j++) {
        const int fit = ki_role_fit(role, &usual, c->name[j], strlen(c->name[j]));
        if (strcmp(c->name[j], name) == 0) return;
        if (fit < 0 || (best >= 0 && fit >= best_fit)) continue;
        best = j;
        best_fit = fit;
    }
    if (best >= 0) c->name[best] = name;
}

static kith_err take_header(struct columns *c, const ki_span *field, int n)
{
    size_t bytes = 0;
    for (int j = 0; j < n; j++) bytes += field[j].n + 1;
    const kith_err err = ki_alloc(&c->names, bytes, 1);
    if (err != KITH_OK) return err;
    char *to = c->names;
    for (c->n = 0; c->n < n; c->n++) {
        memcpy(to, field[c->n].at, field[c->n].n);
        c->name[c->n] = to;
        to += field[c->n].n + 1;
    }
    rename_role(c, KI_USER, "user_id");
    rename_role(c, KI_ITEM, "item_id");
    rename_role(c, KI_TIME, "timestamp");
    return KITH_OK;
}

/* NULL when a cell is not UTF-8, or memory ran out. */
static json_t *make_object(const struct columns *c, const ki_span *field)
{
    json_t *o = json_object();
    for (int j = 0; o != NULL && j < c->n; j++) {
        if (field[j].n == 0) continue;
        json_t *text = json_stringn(field[j].at, field[j].n);
        if (text != NULL && json_object_set_new(o, c->name[j], text) == 0) continue;
        json_decref(o);
        return NULL;
    }
    return o;
}

static kith_err each_row(struct walk *w, struct columns *c, ki_span *field)
{
    kith_err err = KITH_OK;
    int n;
    c->separator = ki_csv_separator(w->at, KI_MIN((size_t)(w->end - w->at), (size_t)KI_PEEK));
    if (!find_record(w) || !split(w, c->separator, field, &n)) return KITH_OK;
    if ((err = take_header(c, field, n)) != KITH_OK) return err;
    for (size_t j = 0; err == KITH_OK && find_record(w); j++) {
        if (!split(w, c->separator, field, &n)) return KITH_OK;
        json_t *o = n == c->n ? make_object(c, field) : NULL;
        if (o == NULL) {
            ki_object_to(w->f, w->place, "%.300s:%lld: got %d columns, want %d of UTF-8 text",
                         w->path, (long long)w->line - 1, n, c->n);
            return KITH_OK;
        }
        err = w->fn(w->arg, j, o);
        json_decref(o);
    }
    return err;
}

static kith_err each_csv(struct walk *w)
{
    struct columns *c = NULL;
    ki_span *field = NULL;
    kith_err err = ki_alloc(&c, 1, sizeof *c);
    if (err == KITH_OK) err = ki_alloc(&field, KI_CSV_COLUMNS, sizeof *field);
    if (err == KITH_OK) err = each_row(w, c, field);
    if (c != NULL) ki_free(c->names);
    ki_free(c);
    ki_free(field);
    return err;
}

/* ---- public ---- */

kith_err ki_records_each(ki_source *s, ki_element_fn fn, void *arg, const ki_place *at,
                         ki_findings *f)
{
    struct walk w = {
        .path = ki_source_name(s), .line = 1, .fn = fn, .arg = arg, .place = at, .f = f
    };
    char *text = NULL;
    size_t n = 0;
    const char *head = ki_source_peek(s, &n);
    if (ki_json_begins(head, n)) return each_line(s, &w);
    kith_err err = ki_source_rest(s, most_bytes, &text, &n);
    if (err != KITH_OK) return err;
    w.at = text;
    w.end = text + n;
    err = each_csv(&w);
    ki_free(text);
    return err;
}
