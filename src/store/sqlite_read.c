/* SPDX-License-Identifier: MIT
 * sqlite_read.c -- selects into pages, on connections of their own
 *
 * A select is made of the columns of its table and of one condition per field that is set; a reader keeps those that it
 * has prepared.  A page is read in one go and the reader given back before a row is told, so that no snapshot is held
 * while somebody thinks, and the write-ahead log can be emptied.
 *
 * Rows are checked as they are read: types, ranges, UTF-8.  The file may come from anywhere.
 */
#include "store/sqlite.h"

#include "base/mem.h"
#include "base/scan.h"
#include "data/idmap.h" /* KI_IDS_MAX */

#include <stdio.h>
#include <string.h>

/* ---- what a row consists of ---- */

enum shape { NUMBER, INDEX, FLAG, REAL_OR_NULL, TEXT, TEXT_OR_NULL };

struct column {
    const char *sql;
    enum shape shape;
    size_t offset; /* in ki_row */
};

#define AT(field) offsetof(ki_row, field)
enum { MOST_COLUMNS = 12 };

static const struct table {
    const char *name, *from, *key;
    const char *user, *item; /* conditions with one parameter */
    struct column columns[MOST_COLUMNS];
} tables[] = {
    [KI_USERS] = { "users",
                   "users t",
                   "number",
                   NULL,
                   NULL,
                   { { "t.number", INDEX, AT(index) },
                     { "t.id", TEXT_OR_NULL, AT(id) },
                     { "t.json", TEXT_OR_NULL, AT(json) },
                     { "t.time", NUMBER, AT(time_ms) } } },
    [KI_ITEMS] = { "items",
                   "items t",
                   "number",
                   NULL,
                   NULL,
                   { { "t.number", INDEX, AT(index) },
                     { "t.id", TEXT_OR_NULL, AT(id) },
                     { "t.json", TEXT_OR_NULL, AT(json) },
                     { "t.time", NUMBER, AT(time_ms) },
                     { "t.hidden", FLAG, AT(hidden) } } },
    [KI_EVENTS] = { "events",
                    "events t",
                    "seq",
                    "t.user = (SELECT number FROM users WHERE id = ?)",
                    "t.item = (SELECT number FROM items WHERE id = ?)",
                    { { "t.seq", NUMBER, AT(seq) },
                      { "t.user", INDEX, AT(user_index) },
                      { "t.item", INDEX, AT(item_index) },
                      { "t.kind", TEXT, AT(kind) },
                      { "t.value", REAL_OR_NULL, AT(value) },
                      { "t.time", NUMBER, AT(time_ms) },
                      { "t.rec_id", TEXT_OR_NULL, AT(rec_id) },
                      { "t.id", TEXT_OR_NULL, AT(id) },
                      { "t.json", TEXT_OR_NULL, AT(json) },
                      { "(SELECT id FROM users WHERE number = t.user)", TEXT, AT(user) },
                      { "(SELECT id FROM items WHERE number = t.item)", TEXT, AT(item) } } },
    [KI_DOCUMENTS] = { "documents",
                       "documents t",
                       "seq",
                       NULL,
                       NULL,
                       { { "t.seq", NUMBER, AT(seq) },
                         { "t.kind", TEXT, AT(kind) },
                         { "t.id", TEXT, AT(id) },
                         { "t.json", TEXT, AT(json) },
                         { "t.time", NUMBER, AT(time_ms) } } },
    [KI_JOURNALS] = { "journals",
                      "journals t",
                      "seq",
                      "t.user = ?",
                      "t.item = ?",
                      { { "t.seq", NUMBER, AT(seq) },
                        { "t.kind", TEXT, AT(kind) },
                        { "t.id", TEXT_OR_NULL, AT(id) },
                        { "t.user", TEXT_OR_NULL, AT(user) },
                        { "t.item", TEXT_OR_NULL, AT(item) },
                        { "t.json", TEXT, AT(json) },
                        { "t.time", NUMBER, AT(time_ms) } } },
};

/* ---- the text of a select ---- */

enum { MOST_PARAMS = 10, SQL_SIZE = 1200 };

struct draft {
    char sql[SQL_SIZE];
    size_t n;
    int n_params;
    struct {
        const char *text; /* NULL: the number */
        int64_t number;
    } params[MOST_PARAMS];
};

static void say(struct draft *d, const char *a, const char *b)
{
    d->n += (size_t)snprintf(d->sql + d->n, SQL_SIZE - d->n, "%s%s", a, b);
}

static void add_number(struct draft *d, const char *condition, int64_t value)
{
    say(d, " AND ", condition);
    d->params[d->n_params++].number = value;
}

static void add_text(struct draft *d, const char *plus, const char *condition, const char *text)
{
    if (text == NULL) return;
    say(d, " AND ", plus);
    say(d, condition, "");
    d->params[d->n_params++].text = text;
}

static void say_columns(struct draft *d, const struct table *t, int no_ids)
{
    for (int c = 0; c < MOST_COLUMNS && t->columns[c].sql != NULL; c++) {
        const int left_out = no_ids && t->columns[c].sql[0] == '(';
        say(d, c == 0 ? "SELECT " : ", ", left_out ? "''" : t->columns[c].sql);
    }
    say(d, " FROM ", t->from);
}

/* Where the telling goes on: numbers of users and items are told as number + 1 beyond which it goes. */
static void say_place(struct draft *d, ki_table_name table, const ki_select *w)
{
    const int numbered = table <= KI_ITEMS;
    const int64_t last = w->after == 0 ? INT64_MAX : w->after - numbered;
    say(d, " WHERE t.", tables[table].key);
    say(d, w->newest_first ? " < ?" : numbered ? " >= ?" : " > ?", "");
    d->params[d->n_params++].number = w->newest_first ? last : w->after;
}

/* One index serves a select: that of the most telling field.  A plus keeps SQLite from taking another. */
static void draft_select(struct draft *d, ki_table_name table, const ki_select *w)
{
    const struct table *t = &tables[table];
    say_columns(d, t, w->no_ids && table == KI_EVENTS);
    say_place(d, table, w);
    add_text(d, "", "t.id = ?", w->id);
    const char *plus = w->id != NULL ? "+" : "";
    add_text(d, plus, t->user, w->user);
    if (w->user != NULL) plus = "+";
    add_text(d, plus, t->item, w->item);
    if (w->item != NULL) plus = "+";
    add_text(d, table == KI_DOCUMENTS ? "" : plus, "t.kind = ?", w->kind);
    if (w->from_ms != 0) add_number(d, "t.time >= ?", w->from_ms);
    if (w->to_ms != 0) add_number(d, "t.time < ?", w->to_ms);
    if (w->no_dropped && table <= KI_ITEMS) say(d, " AND t.id IS NOT NULL", "");
    say(d, " ORDER BY t.", t->key);
    say(d, w->newest_first ? " DESC LIMIT ?" : " LIMIT ?", "");
    d->params[d->n_params++].number = w->limit;
}

/* ---- readers ---- */

static ki_reader *free_reader(ki_sqlite *s)
{
    for (int r = 0; r < s->n_readers; r++)
        if (!s->readers[r].busy) return &s->readers[r];
    return NULL;
}

ki_reader *ki_sqlite_take_reader(ki_sqlite *s)
{
    ki_reader *r;
    pthread_mutex_lock(&s->lock);
    while ((r = free_reader(s)) == NULL) pthread_cond_wait(&s->idle, &s->lock);
    r->busy = 1;
    pthread_mutex_unlock(&s->lock);
    if (s->memory) pthread_mutex_lock(&s->turn); /* the connection is the writer's too */
    return r;
}

void ki_sqlite_give_reader(ki_sqlite *s, ki_reader *r)
{
    if (s->memory) pthread_mutex_unlock(&s->turn);
    pthread_mutex_lock(&s->lock);
    r->busy = 0;
    pthread_cond_signal(&s->idle);
    pthread_mutex_unlock(&s->lock);
}

void ki_sqlite_close_reader(ki_reader *r)
{
    for (int j = 0; j < KI_SQLITE_SELECTS; j++) {
        sqlite3_finalize(r->selects[j].stmt);
        ki_free(r->selects[j].sql);
    }
}

/* The prepared select of that text; else the place of the one that was used longest ago. */
static int find_place(const ki_reader *r, const char *sql, int *found)
{
    int oldest = 0;
    for (int j = 0; j < KI_SQLITE_SELECTS; j++) {
        *found = r->selects[j].sql != NULL && strcmp(r->selects[j].sql, sql) == 0;
        if (*found) return j;
        if (r->selects[j].used < r->selects[oldest].used) oldest = j;
    }
    return oldest;
}

static kith_err prepare(const ki_sqlite *s, ki_reader *r, const char *sql, sqlite3_stmt **out)
{
    int found;
    const int at = find_place(r, sql, &found);
    if (!found) {
        char *text = NULL;
        sqlite3_stmt *stmt = NULL;
        const kith_err err = ki_strdup(&text, sql);
        if (err != KITH_OK) return err;
        const int rc = sqlite3_prepare_v3(r->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
        if (rc != SQLITE_OK) {
            ki_free(text);
            return ki_sqlite_fail(s, r->db, rc, "its tables are looked up");
        }
        sqlite3_finalize(r->selects[at].stmt);
        ki_free(r->selects[at].sql);
        r->selects[at].sql = text;
        r->selects[at].stmt = stmt;
    }
    r->selects[at].used = ++r->clock;
    *out = r->selects[at].stmt;
    return KITH_OK;
}

/* ---- rows ---- */

static kith_err unsound(const ki_sqlite *s, const struct table *t, sqlite3_stmt *stmt, int c)
{
    const char *sql = t->columns[c].sql;
    return ki_fail(
        KITH_EFORMAT,
        "%s: the store is damaged: row %lld of its table %s has no sound value in column %s",
        s->path, (long long)sqlite3_column_int64(stmt, 0), t->name,
        sql[0] == '(' ? "user or item" : sql + 2);
}

/* Text without NUL inside; 0: it is none. */
static int read_text(sqlite3_stmt *stmt, int c, const char **text, size_t *n)
{
    if (sqlite3_column_type(stmt, c) != SQLITE_TEXT) return 0;
    *text = (const char *)sqlite3_column_text(stmt, c);
    *n = (size_t)sqlite3_column_bytes(stmt, c);
    return *text != NULL && strlen(*text) == *n && ki_utf8_valid(*text, *n);
}

static int read_number(sqlite3_stmt *stmt, int c, enum shape shape, void *to)
{
    const int type = sqlite3_column_type(stmt, c);
    const int64_t value = sqlite3_column_int64(stmt, c);
    switch (shape) {
    case NUMBER: memcpy(to, &value, sizeof value); return type == SQLITE_INTEGER;
    case INDEX:
        *(int32_t *)to = (int32_t)value;
        return type == SQLITE_INTEGER && value >= 0 && value <= KI_IDS_MAX;
    case FLAG: *(int *)to = value == 1; return type == SQLITE_INTEGER && (value == 0 || value == 1);
    default:
        if (type == SQLITE_FLOAT) *(double *)to = sqlite3_column_double(stmt, c);
        return type == SQLITE_FLOAT || type == SQLITE_NULL;
    }
}

static kith_err read_cell(const ki_sqlite *s, const struct table *t, sqlite3_stmt *stmt, int c,
                          ki_rowpage *page, ki_row *row)
{
    const struct column *column = &t->columns[c];
    void *to = (char *)row + column->offset;
    const char *text = NULL;
    size_t n = 0;
    int sound;
    if (column->shape < TEXT)
        return read_number(stmt, c, column->shape, to) ? KITH_OK : unsound(s, t, stmt, c);
    if (sqlite3_column_type(stmt, c) == SQLITE_NULL)
        sound = column->shape == TEXT_OR_NULL;
    else
        sound = read_text(stmt, c, &text, &n);
    return sound ? ki_rowpage_text(page, text, n, to) : unsound(s, t, stmt, c);
}

static kith_err read_row(const ki_sqlite *s, const struct table *t, sqlite3_stmt *stmt, int no_ids,
                         ki_rowpage *page)
{
    ki_row *row;
    kith_err err = ki_rowpage_add(page, &row);
    for (int c = 0; err == KITH_OK && c < MOST_COLUMNS && t->columns[c].sql != NULL; c++)
        if (!no_ids || t->columns[c].sql[0] != '(') err = read_cell(s, t, stmt, c, page, row);
    return err;
}

static kith_err fill_page(const ki_sqlite *s, const ki_reader *r, ki_table_name table,
                          const ki_select *w, sqlite3_stmt *stmt, ki_rowpage *page)
{
    const int no_ids = w->no_ids && table == KI_EVENTS;
    while (page->n < w->limit && !ki_rowpage_full(page)) {
        const int rc = sqlite3_step(stmt);
        if (rc == SQLITE_DONE) return KITH_OK;
        if (rc != SQLITE_ROW) return ki_sqlite_fail(s, r->db, rc, "it is read");
        const kith_err err = read_row(s, &tables[table], stmt, no_ids, page);
        if (err != KITH_OK) return err;
    }
    page->more = 1;
    return KITH_OK;
}

kith_err ki_sqlite_read(void *state, ki_table_name table, const ki_select *which, ki_rowpage *page)
{
    ki_sqlite *s = state;
    struct draft d = { .n = 0 };
    sqlite3_stmt *stmt = NULL;
    draft_select(&d, table, which);
    ki_reader *r = ki_sqlite_take_reader(s);
    kith_err err = prepare(s, r, d.sql, &stmt);
    if (err == KITH_OK) {
        for (int p = 0; p < d.n_params; p++)
            if (d.params[p].text != NULL)
                sqlite3_bind_text(stmt, p + 1, d.params[p].text, -1, SQLITE_STATIC);
            else
                sqlite3_bind_int64(stmt, p + 1, d.params[p].number);
        err = fill_page(s, r, table, which, stmt, page);
        sqlite3_reset(stmt);
        sqlite3_clear_bindings(stmt);
    }
    ki_sqlite_give_reader(s, r);
    return err;
}
