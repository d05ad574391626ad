/* SPDX-License-Identifier: MIT
 * read_csv.c -- interactions in separated columns: CSV, TSV and their kin
 *
 * Columns     With a header by name (roles.h, or the names in the options); without one by place: user, item, value,
 *             time, where the third of three columns is a time if it looks like one.
 * Others      A further column whose name is that of an attribute (title, genres; age, gender) is one if it shows each
 *             item, or user, with one value: that takes a second look at the file, and only then.  The rest is ignored,
 *             and the report names it.
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

/* Field j of a record: of one that rows.c has split, or of those in `own`. */
static inline ki_span field_of(const ki_chunk *c, const ki_span *own, int j)
{
    return own == NULL ? ki_chunk_field(c, j) : own[j];
}

/* The fields of a record as an interaction. */
static inline kith_err take_fields(const struct shape *t, ki_chunk *c, const ki_span *own)
{
    const int *at = t->column;
    ki_found_row *row = ki_chunk_row(c);
    kith_err err;
    row->value = 1;
    row->has_time = at[KI_TIME] >= 0;
    if (at[KI_VALUE] >= 0) {
        const ki_span text = field_of(c, own, at[KI_VALUE]);
        err = ki_chunk_value(c, text, t->name[KI_VALUE], &row->value);
        if (err != KITH_OK) return err;
    }
    if (row->has_time) {
        const ki_span text = field_of(c, own, at[KI_TIME]);
        err = ki_chunk_time(c, text, t->name[KI_TIME], &row->time);
        if (err != KITH_OK) return err;
    }
    row->user = field_of(c, own, at[KI_USER]);
    row->item = field_of(c, own, at[KI_ITEM]);
    return ki_chunk_add(c, row);
}

static kith_err miscounted(const struct shape *t, ki_chunk *c, int n)
{
    return ki_chunk_bad(c, c->line, "got %d column%s, want %d", n, n == 1 ? "" : "s", t->n_columns);
}

/* A record that did not come split. */
static kith_err parse_whole(const struct shape *t, ki_chunk *c, char *end)
{
    ki_span own[KI_CSV_COLUMNS];
    const int n = split_record(t, c, end, own);
    if (n < 0) return KITH_EFORMAT;
    return n != t->n_columns ? miscounted(t, c, n) : take_fields(t, c, own);
}

static kith_err parse_record(const void *self, ki_chunk *c, char *end)
{
    const struct shape *t = self;
    if (c->n_fields < 0) return parse_whole(t, c, end);
    return c->n_fields != t->n_columns ? miscounted(t, c, c->n_fields) : take_fields(t, c, NULL);
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

/* ---- further columns: attributes in the file of interactions ---- */

struct side {            /* one such column */
    int column;          /* in the file */
    ki_role role;        /* whose it is */
    int64_t n_conflicts; /* rows that say something else than an earlier one */
    const char **cell;   /* [n_ids] what each user or item has; NULL: nothing yet */
    char name[64];
};

enum { MAX_SIDES = 16 };

struct sides {
    const struct shape *shape;
    ki_reading *r;
    int n;
    struct side list[MAX_SIDES];
};

/* Does the name say whose attribute it is?  "movie_title:token_seq" is an item's. */
static int is_attribute_name(ki_span name, ki_role *role)
{
    static const char *const of_items[] = { "genre",    "genres",    "category", "categories",
                                            "tags",     "brand",     "year",     "artist",
                                            "director", "publisher", "price" };
    static const char *const of_users[] = { "age",     "gender",  "sex", "occupation",
                                            "zipcode", "country", "city" };
    const char *colon = memchr(name.at, ':', name.n);
    if (colon != NULL) name.n = (size_t)(colon - name.at);
    *role = KI_USER;
    for (size_t j = 0; j < KI_COUNT(of_users); j++)
        if (strlen(of_users[j]) == name.n && strncasecmp(of_users[j], name.at, name.n) == 0)
            return 1;
    *role = KI_ITEM;
    for (size_t j = 0; j < KI_COUNT(of_items); j++)
        if (strlen(of_items[j]) == name.n && strncasecmp(of_items[j], name.at, name.n) == 0)
            return 1;
    return ki_column_is_prose(name.at, name.n);
}

static int has_role(const struct shape *t, int column)
{
    for (int role = 0; role < KI_N_ROLES; role++)
        if (t->column[role] == column) return 1;
    return 0;
}

static int has_further(const struct shape *t)
{
    for (int j = 0; j < t->n_columns; j++)
        if (!has_role(t, j)) return 1;
    return 0;
}

/* Which columns may be attributes; the others are named in the report. */
static void find_sides(struct sides *s, const struct first *f)
{
    char ignored[400] = "";
    size_t used = 0;
    for (int j = 0; j < f->n; j++) {
        const ki_span name = f->field[j];
        ki_role role;
        if (has_role(s->shape, j)) continue;
        if (is_attribute_name(name, &role) && s->n < MAX_SIDES && name.n < sizeof s->list->name) {
            s->list[s->n] = (struct side){ .column = j, .role = role };
            memcpy(s->list[s->n++].name, name.at, name.n);
        } else if (used + name.n + 3 < sizeof ignored) {
            used += (size_t)snprintf(ignored + used, sizeof ignored - used, "%s%.*s",
                                     used > 0 ? ", " : "", (int)name.n, name.at);
        }
    }
    if (used > 0) ki_read_note(&s->r->data->report, "columns that were ignored: %s", ignored);
}

/* The cell of one row: the first one stands, the others must agree. */
static kith_err take_side(struct sides *s, struct side *side, ki_span id, ki_span text)
{
    ki_attrs *attrs = side->role == KI_USER ? &s->r->users : &s->r->items;
    const int32_t row = ki_idmap_find(attrs->ids, id.at, id.n);
    char *copy;
    if (row < 0 || text.n == 0) return KITH_OK;
    const char *before = side->cell[row];
    if (before != NULL) {
        side->n_conflicts += strlen(before) != text.n || memcmp(before, text.at, text.n) != 0;
        return KITH_OK;
    }
    if (memchr(text.at, '\0', text.n) != NULL || !ki_utf8_valid(text.at, text.n)) {
        side->n_conflicts++;
        return KITH_OK;
    }
    const kith_err err = ki_attrs_text(attrs, text.n, &copy);
    if (err != KITH_OK) return err;
    memcpy(copy, text.at, text.n);
    side->cell[row] = copy;
    return KITH_OK;
}

static const char *side_record_end(const void *self, const char *at, const char *end)
{
    return ki_csv_record_end(at, end, (*(struct sides *const *)self)->shape->separator);
}

/* A record again, for its further columns; the first look has told what is malformed. */
static kith_err parse_sides(const void *self, ki_chunk *c, char *end)
{
    struct sides *s = *(struct sides *const *)self;
    ki_span field[KI_CSV_COLUMNS];
    kith_err err = KITH_OK;
    const int n = split_record(s->shape, c, end, field);
    if (n != s->shape->n_columns) return KITH_OK;
    for (int j = 0; err == KITH_OK && j < s->n; j++) {
        const int whose = s->shape->column[s->list[j].role];
        err = take_side(s, &s->list[j], field[whose], field[s->list[j].column]);
    }
    return err;
}

/* The column becomes an attribute, or the report says why not. */
static kith_err settle_side(struct sides *s, const struct side *side)
{
    ki_attrs *attrs = side->role == KI_USER ? &s->r->users : &s->r->items;
    const char *word = ki_role_words[side->role];
    int column;
    kith_err err = KITH_OK;
    if (side->n_conflicts > 0) {
        ki_read_note(&s->r->data->report,
                     "column %s was ignored: %lld rows differ from an earlier one of the same %s",
                     side->name, (long long)side->n_conflicts, word);
        return KITH_OK;
    }
    ki_read_note(&s->r->data->report, "column %s was taken as an attribute of the %ss", side->name,
                 word);
    err = ki_attrs_named(attrs, side->name, &column);
    for (int32_t row = 0; err == KITH_OK && row < attrs->ids->n; row++)
        if (side->cell[row] != NULL) err = ki_attrs_set(attrs, column, row, side->cell[row]);
    return err;
}

/* Go through the file once more, in order, on this thread. */
static kith_err look_again(struct sides *s, const char *path)
{
    kith_data unused = { 0 };
    ki_log_draft none = { 0 };
    ki_job alone = { .quiet = 1 };
    const ki_row_limits limits = { .skip_bad = INT64_MAX - 1, .piece_bytes = (size_t)1 << 40 };
    const int blanks = s->shape->separator == ' ';
    struct sides *self = s;
    const ki_row_parser parser = { .self = &self,
                                   .record = parse_sides,
                                   .record_end = blanks ? NULL : side_record_end,
                                   .skip_bytes = s->shape->header_bytes,
                                   .skip_lines = s->shape->header_lines };
    ki_source *source = NULL;
    kith_err err = ki_source_open(path, &source);
    if (err == KITH_OK) err = ki_rows_read(source, &parser, &limits, 0, &alone, &unused, &none);
    ki_source_close(source);
    ki_log_draft_clear(&none);
    return err;
}

static kith_err read_sides(ki_reading *r, const struct shape *t, const struct first *f,
                           const char *path)
{
    struct sides *s = NULL;
    kith_err err = ki_alloc(&s, 1, sizeof *s);
    if (err != KITH_OK) return err;
    s->shape = t;
    s->r = r;
    find_sides(s, f);
    for (int j = 0; err == KITH_OK && j < s->n; j++) {
        const ki_idmap *ids = s->list[j].role == KI_USER ? &r->data->users : &r->data->items;
        err = ki_alloc(&s->list[j].cell, (size_t)ids->n, sizeof *s->list[j].cell);
    }
    if (err == KITH_OK && s->n > 0) err = look_again(s, path);
    for (int j = 0; err == KITH_OK && j < s->n; j++) err = settle_side(s, &s->list[j]);
    for (int j = 0; j < s->n; j++) ki_free(s->list[j].cell);
    ki_free(s);
    return err;
}

/* ---- all of a file ---- */

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
                                   .separator = t->separator == ' ' ? 0 : t->separator,
                                   .skip_bytes = t->header_bytes,
                                   .skip_lines = t->header_lines };
    err = ki_rows_read(s, &parser, &r->limits, r->test, r->job, r->data, &r->draft);
    if (err == KITH_OK && t->header_bytes > 0 && has_further(t) &&
        ki_path_look(f->source) == KI_PATH_FILE)
        err = read_sides(r, t, f, f->source);
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
