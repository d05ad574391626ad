/* SPDX-License-Identifier: MIT
 * attrs.c -- attributes as text by id, then as typed columns
 *
 * Lines of JSON go to read_contract.c.  A CSV file is read whole and cut in place, so that its cells cost no copies; texts that are made on the way (a set
 * of genres out of flags) lie in blocks of 64 KiB.
 */
#include "data/attrs.h"

#include "base/mem.h"
#include "base/scan.h"
#include "data/contract.h"
#include "data/csv.h"
#include "data/jsonrow.h"
#include "data/literal.h"

#include <string.h>

enum { TEXT_BLOCK = 64 << 10 };
static const size_t most_bytes = (size_t)4 << 30; /* of one attribute file */

/* ---- cells ---- */

static int find_column(const ki_attrs *a, const char *name, size_t n)
{
    for (int c = 0; c < a->n_columns; c++)
        if (strlen(a->columns[c].name) == n && memcmp(a->columns[c].name, name, n) == 0) return c;
    return -1;
}

kith_err ki_attrs_column(ki_attrs *a, const char *name, size_t n, int kind, char break_at, int *out)
{
    kith_err err;
    const int found = find_column(a, name, n);
    if (found >= 0) return *out = found, KITH_OK;
    err = ki_grow(&a->columns, (size_t)a->n_columns, (size_t)a->n_columns + 1, sizeof *a->columns);
    if (err != KITH_OK) return err;
    ki_attr_column *c = &a->columns[a->n_columns];
    *c = (ki_attr_column){ .kind = kind, .break_at = break_at };
    if ((err = ki_strndup(&c->name, name, n)) != KITH_OK) return err;
    *out = a->n_columns++;
    return KITH_OK;
}

static kith_err widen_column(ki_attr_column *c, int32_t rows)
{
    if (rows <= c->room) return KITH_OK;
    const kith_err err = ki_grow(&c->cell, (size_t)c->room, (size_t)rows, sizeof *c->cell);
    if (err == KITH_OK) c->room = rows;
    return err;
}

kith_err ki_attrs_set(ki_attrs *a, int column, int32_t row, const char *text)
{
    ki_attr_column *c = &a->columns[column];
    if (row >= c->room) {
        const int64_t twice = KI_MAX((int64_t)c->room * 2, (int64_t)row + 1);
        const kith_err err = widen_column(c, (int32_t)KI_MIN(KI_MAX(twice, 64), INT32_MAX - 1));
        if (err != KITH_OK) return err;
    }
    c->cell[row] = text;
    return KITH_OK;
}

void ki_attrs_begin(ki_attrs *a)
{
    a->n_files++;
}

kith_err ki_attrs_row(ki_attrs *a, const char *id, size_t n, int32_t *row)
{
    kith_err err = ki_idmap_add(a->ids, id, n, row);
    if (err == KITH_OK && *row >= a->met_room) {
        const int32_t room = (int32_t)KI_MIN((int64_t)*row * 2 + 64, (int64_t)INT32_MAX - 1);
        err = ki_grow(&a->met, (size_t)a->met_room, (size_t)room, sizeof *a->met);
        if (err == KITH_OK) a->met_room = room;
    }
    if (err != KITH_OK) return err;
    a->n_repeated += a->met[*row] == a->n_files;
    a->met[*row] = a->n_files;
    return KITH_OK;
}

kith_err ki_attrs_keep(ki_attrs *a, char *text)
{
    const kith_err err =
        ki_grow(&a->texts, (size_t)a->n_texts, (size_t)a->n_texts + 1, sizeof *a->texts);
    if (err != KITH_OK) {
        ki_free(text);
        return err;
    }
    a->texts[a->n_texts++] = text;
    a->text_used = a->text_size = 0; /* it is full */
    return KITH_OK;
}

kith_err ki_attrs_text(ki_attrs *a, size_t n, char **out)
{
    if (n + 1 > a->text_size - a->text_used) {
        const size_t size = KI_MAX(n + 1, (size_t)TEXT_BLOCK);
        char *block = NULL;
        kith_err err = ki_alloc(&block, size, 1);
        if (err == KITH_OK) err = ki_attrs_keep(a, block);
        if (err != KITH_OK) return err;
        a->text_size = size;
    }
    *out = a->texts[a->n_texts - 1] + a->text_used;
    a->text_used += n + 1;
    return KITH_OK;
}

/* ---- CSV ---- */

struct table_file {
    ki_attrs *a;
    const char *source;
    char separator;
    int64_t line, next_line; /* of the record; after it */
    int n_columns, id_column;
    int column[KI_CSV_COLUMNS]; /* of the attributes; of no use for id_column */
};

/* The next record that is not empty; 0 fields at the end. */
static kith_err next_record(struct table_file *f, char **at, char *end, ki_span *field, int *n)
{
    ki_csv_record record = { 0 };
    *n = 0;
    while (*at < end && (**at == '\n' || **at == '\r')) f->next_line += *(*at)++ == '\n';
    f->line = f->next_line;
    if (*at == end) return KITH_OK;
    *n = ki_csv_split_quoted(*at, end, f->separator, field, KI_CSV_COLUMNS, &record);
    if (record.wrong != NULL)
        return ki_fail(KITH_EFORMAT, "%s:%lld:%lld: got %s, want a field that ends as it began",
                       f->source, (long long)f->line, (long long)(record.wrong - *at) + 1,
                       record.why);
    if (*n > KI_CSV_COLUMNS)
        return ki_fail(KITH_EFORMAT, "%s:%lld:1: got %d columns, want at most %d", f->source,
                       (long long)f->line, *n, KI_CSV_COLUMNS);
    for (int j = 0; j < *n; j++) {
        char *text = *at + (field[j].at - *at);
        if (memchr(text, '\0', field[j].n) != NULL || !ki_utf8_valid(text, field[j].n))
            return ki_fail(KITH_EFORMAT,
                           "%s:%lld:%lld: got bytes that are not UTF-8 text, want UTF-8", f->source,
                           (long long)f->line, (long long)(text - *at) + 1);
    }
    f->next_line += record.n_breaks + 1;
    *at = record.next;
    return KITH_OK;
}

static int find_id_column(const ki_span *field, int n, ki_role role)
{
    static const kith_read_options usual = { 0 };
    int best = -1, best_fit = 0, plain = -1, sure = 0;
    for (int j = 0; j < n; j++) {
        const int fit = ki_role_fit(role, &usual, field[j].at, field[j].n);
        if (fit >= 0 && (best < 0 || fit < best_fit)) {
            best = j;
            best_fit = fit;
        }
        if (field[j].n == 2 && strncasecmp(field[j].at, "id", 2) == 0) plain = j;
    }
    if (best >= 0) sure = ki_role_is_id(role, field[best].at, field[best].n);
    return best >= 0 && (sure || plain < 0) ? best : plain >= 0 ? plain : 0;
}

/* RecBole's ":token" and the like decide the kind of a column; otherwise it is found from the cells. */
static void kind_of(ki_span *name, int *kind, char *break_at)
{
    static const struct {
        const char *type;
        int kind;
        char break_at;
    } types[] = { { ":token_seq", KI_COL_SET, ' ' },
                  { ":float_seq", KI_COL_VECTOR, ' ' },
                  { ":token", -1, 0 },
                  { ":float", KI_COL_NUMBER, 0 } };
    *kind = -1;
    *break_at = '|';
    for (size_t j = 0; j < KI_COUNT(types); j++) {
        const size_t n = strlen(types[j].type);
        if (name->n <= n || memcmp(name->at + name->n - n, types[j].type, n) != 0) continue;
        name->n -= n;
        *kind = types[j].kind;
        *break_at = types[j].break_at;
        return;
    }
}

static int ends_in_title(ki_span name)
{
    return name.n > 6 && memcmp(name.at + name.n - 6, "_title", 6) == 0;
}

/* "movie_title" is called "title", as people are shown the title, unless a column has that very name or one before it
 * has taken it ("original_title" stays what it is then). */
static ki_span plain_name(const struct table_file *f, const ki_span *field, int n, int at,
                          ki_span name)
{
    if (!ends_in_title(name)) return name;
    for (int j = 0; j < n; j++) {
        ki_span other = field[j];
        int kind;
        char break_at;
        kind_of(&other, &kind, &break_at);
        if (other.n == 5 && memcmp(other.at, "title", 5) == 0) return name;
        if (j < at && j != f->id_column && ends_in_title(other)) return name;
    }
    return (ki_span){ name.at + name.n - 5, 5 };
}

kith_err ki_attrs_named(ki_attrs *a, const char *header, int *out)
{
    ki_span name = { header, strlen(header) };
    int kind;
    char break_at;
    kind_of(&name, &kind, &break_at);
    if (kind == KI_COL_SET && ki_column_is_prose(name.at, name.n)) kind = KI_COL_TEXT;
    if (ends_in_title(name) && find_column(a, "title", 5) < 0) name = (ki_span){ "title", 5 };
    return ki_attrs_column(a, name.at, name.n, kind, break_at, out);
}

static kith_err take_header(struct table_file *f, const ki_span *field, int n, ki_role role)
{
    kith_err err = KITH_OK;
    f->n_columns = n;
    f->id_column = find_id_column(field, n, role);
    for (int j = 0; err == KITH_OK && j < n; j++) {
        ki_span name = field[j];
        int kind;
        char break_at;
        if (j == f->id_column) continue;
        kind_of(&name, &kind, &break_at);
        name = plain_name(f, field, n, j, name);
        if (kind == KI_COL_SET && ki_column_is_prose(name.at, name.n)) kind = KI_COL_TEXT;
        err = ki_attrs_column(f->a, name.at, name.n, kind, break_at, &f->column[j]);
    }
    return err;
}

static kith_err take_record(struct table_file *f, const ki_span *field, int n)
{
    const ki_span id = field[f->id_column];
    int32_t row;
    kith_err err;
    if (n != f->n_columns)
        return ki_fail(KITH_EFORMAT, "%s:%lld:1: got %d columns, want %d", f->source,
                       (long long)f->line, n, f->n_columns);
    if (id.n == 0)
        return ki_fail(KITH_EFORMAT, "%s:%lld:1: got an empty id, want one", f->source,
                       (long long)f->line);
    if ((err = ki_attrs_row(f->a, id.at, id.n, &row)) != KITH_OK) return err;
    for (int j = 0; err == KITH_OK && j < n; j++) {
        if (j == f->id_column || field[j].n == 0) continue;
        ((char *)field[j].at)[field[j].n] =
            '\0'; /* a separator, a quote or a line break until now */
        err = ki_attrs_set(f->a, f->column[j], row, field[j].at);
    }
    return err;
}

static kith_err read_table(struct table_file *f, char *text, size_t n, ki_role role)
{
    char *at = text, *end = text + n;
    ki_span field[KI_CSV_COLUMNS];
    int found;
    f->next_line = 1;
    f->separator = ki_csv_separator(text, KI_MIN(n, (size_t)KI_PEEK));
    kith_err err = next_record(f, &at, end, field, &found);
    if (err != KITH_OK) return err;
    static const kith_read_options usual = { 0 };
    if (found < 2 && (found == 0 || ki_role_fit(role, &usual, field[0].at, field[0].n) < 0))
        return ki_fail(KITH_EFORMAT, "%s:1:1: got %d columns, want an id and an attribute",
                       f->source, found);
    if ((err = take_header(f, field, found, role)) != KITH_OK) return err;
    while (err == KITH_OK) {
        err = next_record(f, &at, end, field, &found);
        if (found == 0) break;
        if (err == KITH_OK) err = take_record(f, field, found);
    }
    return err;
}

static kith_err read_separated(ki_attrs *a, ki_source *s, ki_role role)
{
    struct table_file *f = NULL;
    char *text = NULL;
    size_t n;
    kith_err err;
    if ((err = ki_source_rest(s, most_bytes, &text, &n)) != KITH_OK) return err;
    if ((err = ki_attrs_keep(a, text)) != KITH_OK) return err;
    if ((err = ki_alloc(&f, 1, sizeof *f)) != KITH_OK) return err;
    f->a = a;
    f->source = ki_source_name(s);
    err = read_table(f, text, n, role);
    ki_free(f);
    return err;
}

kith_err ki_attrs_read(ki_attrs *a, ki_source *s, ki_role role)
{
    size_t n;
    const char *head = ki_source_peek(s, &n);
    ki_attrs_begin(a);
    return ki_json_begins(head, n) ? ki_contract_lines(a, s, role) : read_separated(a, s, role);
}

kith_err ki_attrs_read_file(ki_attrs *a, const char *path, ki_role role)
{
    ki_source *s;
    kith_err err = ki_source_open(path, &s);
    if (err != KITH_OK) return err;
    err = ki_attrs_read(a, s, role);
    ki_source_close(s);
    return err;
}

/* ---- typed columns ---- */

static int begins_a_literal(const char *cell)
{
    return cell[0] == '[' || cell[0] == '{';
}

/* The cells of a column whose kind is to be found, if all of them are list literals: the names in them.  Else *out
 * stays NULL. */
static kith_err open_literals(ki_attrs *a, const ki_attr_column *c, int32_t n_rows,
                              const char ***out)
{
    const char **opened = NULL;
    char *text;
    int32_t n = 0;
    kith_err err = KITH_OK;
    for (int32_t r = 0; r < n_rows; r++) {
        if (c->cell[r] == NULL) continue;
        if (!begins_a_literal(c->cell[r])) return KITH_OK; /* of most columns, the first cell */
        n++;
    }
    if (n == 0) return KITH_OK;
    if ((err = ki_alloc(&opened, (size_t)n_rows, sizeof *opened)) != KITH_OK) return err;
    for (int32_t r = 0; err == KITH_OK && r < n_rows; r++) {
        if (c->cell[r] == NULL) continue;
        if ((err = ki_attrs_text(a, strlen(c->cell[r]), &text)) != KITH_OK) break;
        if (!ki_literal_names(c->cell[r], KI_SET_BREAK, text)) goto done;
        opened[r] = text;
    }
    if (err == KITH_OK) return *out = opened, KITH_OK;
done:
    ki_free(opened);
    return err;
}

static kith_err settle_literals(ki_attrs *a, ki_attr_column *c)
{
    const char **opened = NULL;
    if (c->kind >= 0 || ki_column_is_prose(c->name, strlen(c->name))) return KITH_OK;
    const kith_err err = open_literals(a, c, a->ids->n, &opened);
    if (opened == NULL) return err;
    ki_free(c->cell);
    c->cell = opened;
    c->room = a->ids->n;
    c->kind = KI_COL_SET;
    c->break_at = KI_SET_BREAK;
    return KITH_OK;
}

kith_err ki_attrs_finish(ki_attrs *a, ki_table *out)
{
    kith_err err = KITH_OK;
    out->n_rows = a->ids->n;
    for (int j = 0; err == KITH_OK && j < a->n_columns; j++) {
        ki_attr_column *c = &a->columns[j];
        ki_column made = { 0 };
        if ((err = widen_column(c, a->ids->n)) != KITH_OK) break;
        if ((err = settle_literals(a, c)) != KITH_OK) break;
        err = ki_column_from_strings(&made, c->name, a->ids->n, c->cell, c->kind, c->break_at);
        if (err == KITH_OK) err = ki_table_append(out, &made);
    }
    return err;
}

void ki_attrs_clear(ki_attrs *a)
{
    for (int j = 0; j < a->n_columns; j++) {
        ki_free(a->columns[j].name);
        ki_free(a->columns[j].cell);
    }
    for (int j = 0; j < a->n_texts; j++) ki_free(a->texts[j]);
    ki_free(a->columns);
    ki_free(a->texts);
    ki_free(a->met);
    *a = (ki_attrs){ 0 };
}
