/* SPDX-License-Identifier: MIT
 * read_csv.c -- interactions in separated columns: CSV, TSV and their kin
 *
 * Columns     With a header by name (roles.h, or the names in the options); without one by place: user, item, value,
 *             time, where the third of three columns is a time if it looks like one.  The other columns are ignored.
 * Records     Each has as many columns as the first one; empty lines are skipped.
 * Values      A number each; no such column: each is 1.  An empty field is an error, and so are nan and inf.
 * Times       unix seconds (or ms, us, ns: scan.h) or ISO 8601.
 */
#include "base/mem.h"
#include "base/scan.h"
#include "data/csv.h"
#include "data/read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shape { /* of one file */
    char separator;
    int n_columns;
    int column[KI_N_ROLES]; /* -1: there is none */
    char name[KI_N_ROLES][40];
    size_t header_bytes; /* 0: no header */
    int64_t header_lines;
};

/* ---- rows ---- */

static const char *record_end(const void *self, const char *at, const char *end)
{
    return ki_csv_record_end(at, end, ((const struct shape *)self)->separator);
}

static int blame_quote(ki_chunk *c, const ki_csv_record *record)
{
    ki_chunk_bad(c, record->wrong, "got %s, want a field that ends as it began", record->why);
    return -1;
}

static int split_record(const struct shape *t, ki_chunk *c, char *end, ki_span *field)
{
    if (t->separator == ' ') return ki_split_blanks(c->line, end, field, t->n_columns);
    const int n = ki_csv_split(c->line, end, t->separator, field, t->n_columns);
    if (n >= 0) return n;
    ki_csv_record record;
    const int found =
        ki_csv_split_quoted(c->line, c->end, t->separator, field, t->n_columns, &record);
    if (record.is_open)
        return blame_quote(c, &record); /* the next line may be good: c->next stays */
    c->next = record.next;
    c->n_lines += record.n_breaks;
    return record.wrong != NULL ? blame_quote(c, &record) : found;
}

static kith_err parse_record(const void *self, ki_chunk *c, char *end)
{
    const struct shape *t = self;
    const int *at = t->column;
    ki_span field[KI_CSV_COLUMNS];
    ki_row row = { .value = 1, .has_time = at[KI_TIME] >= 0 };
    kith_err err;
    const int n = split_record(t, c, end, field);
    if (n < 0) return KITH_EFORMAT;
    if (n != t->n_columns)
        return ki_chunk_bad(c, c->line, "got %d column%s, want %d", n, n == 1 ? "" : "s",
                            t->n_columns);
    if (at[KI_VALUE] >= 0 &&
        (err = ki_chunk_value(c, field[at[KI_VALUE]], t->name[KI_VALUE], &row.value)) != KITH_OK)
        return err;
    if (row.has_time &&
        (err = ki_chunk_time(c, field[at[KI_TIME]], t->name[KI_TIME], &row.time)) != KITH_OK)
        return err;
    row.user = field[at[KI_USER]];
    row.item = field[at[KI_ITEM]];
    return ki_chunk_add(c, &row);
}

/* ---- the first record: which column is which ---- */

struct first {
    const char *source;
    ki_span field[KI_CSV_COLUMNS];
    int n;
};

/* "a, b, c" of the first record, cut. */
static const char *list_columns(const struct first *f, char *out, size_t size)
{
    char shown[KI_SHOW];
    size_t at = 0;
    out[0] = '\0';
    for (int j = 0; j < f->n && at + 60 < size; j++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", j > 0 ? ", " : "",
                               ki_show(shown, f->field[j].at, f->field[j].n));
    return out;
}

static kith_err no_such_column(const struct first *f, ki_role role, const kith_read_options *o)
{
    char list[400];
    const char *wanted = ki_role_option(role, o);
    list_columns(f, list, sizeof list);
    if (wanted != NULL)
        return ki_fail(KITH_EFORMAT,
                       "%s:1:1: got columns %s, want one called \"%.60s\" (%s_column)", f->source,
                       list, wanted, ki_role_words[role]);
    return ki_fail(KITH_EFORMAT,
                   "%s:1:1: got columns %s, want one for the %s (%s, ...); name it with %s_column "
                   "(--%s-column)",
                   f->source, list, ki_role_words[role], ki_role_examples(role),
                   ki_role_words[role], ki_role_words[role]);
}

static int best_column(const struct first *f, ki_role role, const kith_read_options *o)
{
    int best = -1, best_fit = 0;
    for (int j = 0; j < f->n; j++) {
        const int fit = ki_role_fit(role, o, f->field[j].at, f->field[j].n);
        if (fit < 0 || (best >= 0 && fit >= best_fit)) continue;
        best = j;
        best_fit = fit;
    }
    return best;
}

static int is_header(const struct first *f, const kith_read_options *o)
{
    return best_column(f, KI_USER, o) >= 0 || best_column(f, KI_ITEM, o) >= 0;
}

static kith_err columns_differ(const struct shape *t, const struct first *f)
{
    for (int a = 0; a < KI_N_ROLES; a++)
        for (int b = a + 1; b < KI_N_ROLES; b++)
            if (t->column[a] >= 0 && t->column[a] == t->column[b])
                return ki_fail(KITH_EFORMAT,
                               "%s:1:1: %s and %s are the same column %d; name them apart with "
                               "%s_column and %s_column",
                               f->source, ki_role_words[a], ki_role_words[b], t->column[a] + 1,
                               ki_role_words[a], ki_role_words[b]);
    return KITH_OK;
}

static kith_err columns_by_name(struct shape *t, const struct first *f, const kith_read_options *o)
{
    for (int role = 0; role < KI_N_ROLES; role++) {
        const int j = best_column(f, role, o);
        const int must = role == KI_USER || role == KI_ITEM || ki_role_option(role, o) != NULL;
        if (j < 0 && must) return no_such_column(f, role, o);
        t->column[role] = j;
        if (j >= 0)
            snprintf(t->name[role], sizeof t->name[role], "%.*s",
                     (int)KI_MIN(f->field[j].n, (size_t)39), f->field[j].at);
    }
    return columns_differ(t, f);
}

static int looks_like_time(ki_span s)
{
    int64_t t;
    double x;
    if (!ki_scan_time(s.at, s.n, &t)) return 0;
    return !ki_scan_number(s.at, s.n, &x) || x >= 1e8; /* a rating is not; 1e8 s is 1973 */
}

static int looks_like_number(ki_span s)
{
    double x;
    return ki_scan_number(s.at, s.n, &x);
}

/* A column number given in the options ("1" is the first); `otherwise` when none is. */
static int column_number(const struct first *f, ki_role role, const kith_read_options *o,
                         int otherwise)
{
    const char *given = ki_role_option(role, o);
    int64_t number;
    if (given == NULL) return otherwise;
    return ki_scan_int(given, strlen(given), &number) && number >= 1 && number <= f->n
               ? (int)number - 1
               : -1;
}

/* Is column j spoken for by the options? */
static int is_given(const struct first *f, const kith_read_options *o, int j)
{
    for (int role = 0; role < KI_N_ROLES; role++)
        if (column_number(f, role, o, -1) == j) return 1;
    return 0;
}

/* Places of value and time among the columns from the third on. */
static void guess_places(const struct first *f, const kith_read_options *o, int *value, int *time)
{
    *value = *time = -1;
    for (int j = 2; j < KI_MIN(f->n, 4); j++) {
        if (is_given(f, o, j)) continue;
        if (*time < 0 && looks_like_time(f->field[j]))
            *time = j;
        else if (*value < 0 && looks_like_number(f->field[j]))
            *value = j;
    }
}

static kith_err columns_by_place(struct shape *t, const struct first *f, const kith_read_options *o)
{
    int value, time;
    if (f->n < 2) return no_such_column(f, KI_ITEM, o);
    guess_places(f, o, &value, &time);
    const int places[KI_N_ROLES] = { 0, 1, value, time };
    int n_given = 0;
    for (int role = 0; role < KI_N_ROLES; role++) {
        t->column[role] = column_number(f, role, o, places[role]);
        n_given += ki_role_option(role, o) != NULL;
        if (t->column[role] < 0 && ki_role_option(role, o) != NULL)
            return no_such_column(f, role, o);
        snprintf(t->name[role], sizeof t->name[role], "%s", ki_role_words[role]);
    }
    if (n_given == 0 && f->n > 2 && value < 0 && time < 0) return no_such_column(f, KI_USER, o);
    return columns_differ(t, f);
}

static int64_t count_lines(const char *at, const char *end)
{
    int64_t n = 0;
    for (; at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++) n++;
    return n;
}

/* `text` is the head of the file, a copy to be written to. */
static kith_err learn_shape(struct shape *t, struct first *f, char *text, size_t n,
                            const ki_csv_form *form, const kith_read_options *o)
{
    ki_csv_record record;
    t->separator = form->separator != 0 ? form->separator : ki_csv_separator(text, n);
    const char *stop = ki_csv_record_end(text, text + n, t->separator);
    size_t first_bytes = stop == NULL ? n : (size_t)(stop - text);
    if (stop == NULL && n == KI_PEEK)
        return ki_fail(KITH_EFORMAT,
                       "%s:1:1: got no end of the first line in %d bytes, want columns", f->source,
                       KI_PEEK);
    const int64_t lines = count_lines(text, text + first_bytes);
    if (t->separator == ' ') {
        const char *end = text + first_bytes;
        while (end > text && (end[-1] == '\n' || end[-1] == '\r')) end--;
        f->n = ki_split_blanks(text, end, f->field, KI_CSV_COLUMNS);
    } else {
        f->n = ki_csv_split_quoted(text, text + first_bytes, t->separator, f->field, KI_CSV_COLUMNS,
                                   &record);
    }
    if (f->n > KI_CSV_COLUMNS)
        return ki_fail(KITH_EFORMAT, "%s:1:1: got %d columns, want at most %d", f->source, f->n,
                       KI_CSV_COLUMNS);
    t->n_columns = f->n;
    const int header = form->header >= 0 ? form->header : is_header(f, o);
    if (!header) return columns_by_place(t, f, o);
    t->header_bytes = first_bytes;
    t->header_lines = KI_MAX(lines, 1);
    return columns_by_name(t, f, o);
}

kith_err ki_read_csv(ki_reading *r, ki_source *s, const ki_csv_form *form)
{
    struct shape *t = NULL;
    struct first *f = NULL;
    char *text = NULL;
    size_t n;
    const char *head = ki_source_peek(s, &n);
    kith_err err;
    if ((err = ki_alloc(&t, 1, sizeof *t)) != KITH_OK) goto done;
    if ((err = ki_alloc(&f, 1, sizeof *f)) != KITH_OK) goto done;
    if ((err = ki_strndup(&text, head, n)) != KITH_OK) goto done;
    f->source = ki_source_name(s);
    if ((err = learn_shape(t, f, text, n, form, r->options)) != KITH_OK) goto done;
    const ki_row_parser parser = { .self = t,
                                   .record = parse_record,
                                   .record_end = t->separator == ' ' ? NULL : record_end,
                                   .skip_bytes = t->header_bytes,
                                   .skip_lines = t->header_lines };
    err = ki_rows_read(s, &parser, &r->limits, r->test, r->job, r->data, &r->draft);
done:
    ki_free(text);
    ki_free(f);
    ki_free(t);
    return err;
}

/* ---- the layouts ---- */

static int detect_csv(const ki_probe *p)
{
    char path[KI_PATH_MAX];
    if (p->is_folder) return ki_path_find(path, p->path, "interactions.csv");
    return ki_csv_separator(p->head, p->n_head) != 0;
}

static kith_err find_csv(ki_reading *r, const ki_probe *p, const char *variant)
{
    if (variant != NULL)
        return ki_fail(KITH_EINVAL, "layout csv has no variant \"%.60s\"", variant);
    if (!p->is_folder) {
        snprintf(r->files.rows, KI_PATH_MAX, "%s", p->path);
        return KITH_OK;
    }
    ki_path_find(r->files.users, p->path, "users.csv");
    ki_path_find(r->files.items, p->path, "items.csv");
    if (ki_path_find(r->files.rows, p->path, "interactions.csv")) return KITH_OK;
    return ki_fail(KITH_ENOTFOUND, "%s: no interactions.csv in it, which layout csv wants",
                   p->path);
}

static kith_err csv_rows(ki_reading *r, ki_source *s)
{
    return ki_read_csv(r, s, &(ki_csv_form){ .header = -1 });
}

static kith_err tsv_rows(ki_reading *r, ki_source *s)
{
    return ki_read_csv(r, s, &(ki_csv_form){ .separator = '\t', .header = -1 });
}

static int never(const ki_probe *p)
{
    (void)p;
    return 0;
}

const ki_layout ki_layout_csv = {
    .name = "csv",
    .summary = "columns separated by commas, semicolons, tabs, bars or blanks; or a folder with "
               "interactions.csv and, "
               "if they exist, users.csv and items.csv",
    .detect = detect_csv,
    .find = find_csv,
    .rows = csv_rows,
};

const ki_layout ki_layout_tsv = {
    .name = "tsv",
    .summary = "columns separated by tabs and nothing else",
    .detect = never,
    .rows = tsv_rows,
};
