/* SPDX-License-Identifier: MIT
 * read_movielens.c -- the data sets of GroupLens as they come: 100K, 1M (and 10M) and "latest" (and 20M, 25M, 32M)
 *
 * 100K     u.data (user, item, rating, time by tabs); u.item: title, release_date, year, genres; u.user: age, gender,
 *          occupation, zip; u.genre names the genre flags.  Variants u1 .. u5, ua, ub: u1.base with u1.test as the test
 *          part.
 * 1M       ratings.dat (user::movie::rating::time, or without time); movies.dat: title, year, genres; users.dat: gender,
 *          age and occupation as the words that the data's README gives for their codes, zip.
 * latest   ratings.csv; movies.csv: title, year, genres; links.csv: imdbId, tmdbId.
 *
 * Attribute files of the older two are ISO 8859-1 and come out as UTF-8.  Every file may end in .gz.  Films and users
 * that occur only there are added after the others.
 */
#include "base/mem.h"
#include "base/scan.h"
#include "data/csv.h" /* ki_split_at */
#include "data/read.h"

#include <stdio.h>
#include <string.h>

enum { MAX_GENRES = 64, MAX_FIELDS = MAX_GENRES + 5 };

/* ---- attribute files, a line at a time ---- */

struct lines {
    ki_attrs *a;
    const char *source;
    int64_t line;
    int column[5];              /* of a, as each file's taker uses them */
    char genre[MAX_GENRES][40]; /* 100K: name of each flag */
    int n_genres;
};

typedef kith_err (*line_fn)(struct lines *l, const ki_span *field, int n);

/* The whole of s as UTF-8 text that l->a keeps; ISO 8859-1 if it is not UTF-8 already. */
static kith_err read_text(struct lines *l, ki_source *s, char **out, size_t *n)
{
    const size_t most = (size_t)1 << 30;
    char *raw = NULL, *text = NULL;
    kith_err err = ki_source_rest(s, most, &raw, n);
    if (err != KITH_OK) return err;
    if (memchr(raw, '\0', *n) != NULL)
        err = ki_fail(KITH_EFORMAT, "%s: got a NUL byte, want text", ki_source_name(s));
    else if (ki_utf8_valid(raw, *n))
        return *out = raw, ki_attrs_keep(l->a, raw);
    else if ((err = ki_alloc(&text, 2 * *n + 1, 1)) == KITH_OK &&
             (err = ki_attrs_keep(l->a, text)) == KITH_OK)
        *n = ki_utf8_from_latin1(raw, *n, text);
    ki_free(raw);
    *out = text;
    return err;
}

/* Hand every line of s to `take`, cut at `mark`. */
static kith_err each_line(struct lines *l, ki_source *s, const char *mark, line_fn take)
{
    ki_span field[MAX_FIELDS];
    char *at, *next;
    size_t n;
    kith_err err = read_text(l, s, &at, &n);
    if (err != KITH_OK) return err;
    l->source = ki_source_name(s);
    l->line = 0;
    for (char *end = at + n; err == KITH_OK && at < end; at = next) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        next = stop == NULL ? end : stop + 1;
        if (stop == NULL) stop = end;
        if (stop > at && stop[-1] == '\r') stop--;
        l->line++;
        if (stop > at) err = take(l, field, ki_split_at(at, stop, mark, field, MAX_FIELDS));
    }
    return err;
}

static kith_err wrong_fields(const struct lines *l, int got, int want)
{
    return ki_fail(KITH_EFORMAT, "%s:%lld:1: got %d fields, want %d", l->source, (long long)l->line,
                   got, want);
}

static kith_err row_of(const struct lines *l, ki_span id, int32_t *row)
{
    if (id.n == 0)
        return ki_fail(KITH_EFORMAT, "%s:%lld:1: got an empty id, want one", l->source,
                       (long long)l->line);
    return ki_idmap_add(l->a->ids, id.at, id.n, row);
}

/* The field as a cell: its text is ended where the mark or line break was.  An empty one is missing. */
static kith_err set_field(const struct lines *l, int column, int32_t row, ki_span f)
{
    if (f.n == 0) return KITH_OK;
    ((char *)f.at)[f.n] = '\0';
    return ki_attrs_set(l->a, column, row, f.at);
}

static kith_err set_copy(ki_attrs *a, int column, int32_t row, const char *text)
{
    char *copy;
    const kith_err err = ki_attrs_text(a, strlen(text), &copy);
    if (err != KITH_OK) return err;
    memcpy(copy, text, strlen(text) + 1);
    return ki_attrs_set(a, column, row, copy);
}

static kith_err name_column(struct lines *l, int at, const char *name, int kind)
{
    return ki_attrs_column(l->a, name, strlen(name), kind, kind == KI_COL_SET ? '|' : 0,
                           &l->column[at]);
}

/* "1995" of "Toy Story (1995)": the year of the last brackets that hold one; 0 bytes when there is none. */
static ki_span year_of(const char *title, size_t n)
{
    for (size_t end = n; end >= 6; end--) {
        int64_t year;
        const char *at = title + end - 6;
        if (at[0] == '(' && at[5] == ')' && ki_scan_int(at + 1, 4, &year) && year > 1800)
            return (ki_span){ at + 1, 4 };
    }
    return (ki_span){ title, 0 };
}

static kith_err set_year(ki_attrs *a, int column, int32_t row, ki_span year)
{
    char text[8];
    if (year.n != 4) return KITH_OK;
    snprintf(text, sizeof text, "%.4s", year.at);
    return set_copy(a, column, row, text);
}

/* ---- 100K ---- */

static kith_err take_genre(struct lines *l, const ki_span *field, int n)
{
    if (n != 2) return wrong_fields(l, n, 2);
    if (l->n_genres == MAX_GENRES)
        return ki_fail(KITH_EFORMAT, "%s: got more than %d genres", l->source, MAX_GENRES);
    snprintf(l->genre[l->n_genres++], sizeof l->genre[0], "%.*s",
             (int)KI_MIN(field[0].n, (size_t)39), field[0].at);
    return KITH_OK;
}

/* "01-Jan-1995" to "1995-01-01" in out[11]; 0 if it is no date. */
static int iso_date(ki_span s, char *out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t day, year;
    if (s.n != 11 || !ki_scan_int(s.at, 2, &day) || !ki_scan_int(s.at + 7, 4, &year)) return 0;
    for (int m = 0; m < 12; m++) {
        if (memcmp(s.at + 3, months + 3 * m, 3) != 0) continue;
        snprintf(out, 11, "%04u-%02u-%02u", (unsigned)year % 10000u, (unsigned)m + 1u,
                 (unsigned)day % 100u);
        int64_t t;
        return ki_scan_time(out, 10, &t);
    }
    return 0;
}

/* "Action|Comedy" out of the flags. */
static kith_err set_genres(struct lines *l, int32_t row, const ki_span *flag)
{
    char text[MAX_GENRES * 41] = "";
    size_t n = 0;
    for (int g = 0; g < l->n_genres; g++) {
        if (flag[g].n != 1 || (flag[g].at[0] != '0' && flag[g].at[0] != '1'))
            return ki_fail(KITH_EFORMAT, "%s:%lld:1: genre %d: got %zu bytes, want 0 or 1",
                           l->source, (long long)l->line, g, flag[g].n);
        if (flag[g].at[0] == '1')
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n > 0 ? "|" : "", l->genre[g]);
    }
    return n == 0 ? KITH_OK : set_copy(l->a, l->column[3], row, text);
}

static kith_err take_item_100k(struct lines *l, const ki_span *field, int n)
{
    char date[16];
    int32_t row;
    kith_err err;
    if (n != 5 + l->n_genres) return wrong_fields(l, n, 5 + l->n_genres);
    if ((err = row_of(l, field[0], &row)) != KITH_OK) return err;
    if ((err = set_genres(l, row, field + 5)) != KITH_OK) return err;
    if (iso_date(field[2], date)) {
        if ((err = set_copy(l->a, l->column[1], row, date)) != KITH_OK) return err;
        err = set_year(l->a, l->column[2], row, (ki_span){ date, 4 });
    } else {
        err = set_year(l->a, l->column[2], row, year_of(field[1].at, field[1].n));
    }
    return err != KITH_OK ? err : set_field(l, l->column[0], row, field[1]);
}

static kith_err items_100k(struct lines *l, ki_source *s)
{
    kith_err err;
    if ((err = name_column(l, 0, "title", KI_COL_TEXT)) != KITH_OK) return err;
    if ((err = name_column(l, 1, "release_date", KI_COL_TIME)) != KITH_OK) return err;
    if ((err = name_column(l, 2, "year", KI_COL_NUMBER)) != KITH_OK) return err;
    if ((err = name_column(l, 3, "genres", KI_COL_SET)) != KITH_OK) return err;
    return each_line(l, s, "|", take_item_100k);
}

static kith_err take_user_100k(struct lines *l, const ki_span *field, int n)
{
    int32_t row;
    kith_err err;
    if (n != 5) return wrong_fields(l, n, 5);
    if ((err = row_of(l, field[0], &row)) != KITH_OK) return err;
    for (int j = 0; err == KITH_OK && j < 4; j++)
        err = set_field(l, l->column[j], row, field[j + 1]);
    return err;
}

static kith_err users_100k(struct lines *l, ki_source *s)
{
    kith_err err;
    if ((err = name_column(l, 0, "age", KI_COL_NUMBER)) != KITH_OK) return err;
    if ((err = name_column(l, 1, "gender", KI_COL_CATEGORY)) != KITH_OK) return err;
    if ((err = name_column(l, 2, "occupation", KI_COL_CATEGORY)) != KITH_OK) return err;
    if ((err = name_column(l, 3, "zip", KI_COL_CATEGORY)) != KITH_OK) return err;
    return each_line(l, s, "|", take_user_100k);
}

static void usual_genres(struct lines *l)
{
    static const char *const names[] = { "unknown",    "Action",  "Adventure", "Animation",
                                         "Children's", "Comedy",  "Crime",     "Documentary",
                                         "Drama",      "Fantasy", "Film-Noir", "Horror",
                                         "Musical",    "Mystery", "Romance",   "Sci-Fi",
                                         "Thriller",   "War",     "Western" };
    for (size_t j = 0; j < KI_COUNT(names); j++)
        snprintf(l->genre[j], sizeof l->genre[j], "%s", names[j]);
    l->n_genres = (int)KI_COUNT(names);
}

/* ---- 1M ---- */

static kith_err take_item_1m(struct lines *l, const ki_span *field, int n)
{
    int32_t row;
    kith_err err;
    if (n != 3) return wrong_fields(l, n, 3);
    if ((err = row_of(l, field[0], &row)) != KITH_OK) return err;
    if ((err = set_year(l->a, l->column[1], row, year_of(field[1].at, field[1].n))) != KITH_OK)
        return err;
    if ((err = set_field(l, l->column[0], row, field[1])) != KITH_OK) return err;
    return set_field(l, l->column[2], row, field[2]);
}

static kith_err items_1m(struct lines *l, ki_source *s)
{
    kith_err err;
    if ((err = name_column(l, 0, "title", KI_COL_TEXT)) != KITH_OK) return err;
    if ((err = name_column(l, 1, "year", KI_COL_NUMBER)) != KITH_OK) return err;
    if ((err = name_column(l, 2, "genres", KI_COL_SET)) != KITH_OK) return err;
    return each_line(l, s, "::", take_item_1m);
}

/* The word for a code, or NULL when there is none. */
static const char *age_word(int64_t code)
{
    static const struct {
        int code;
        const char *word;
    } ages[] = { { 1, "Under 18" }, { 18, "18-24" }, { 25, "25-34" }, { 35, "35-44" },
                 { 45, "45-49" },   { 50, "50-55" }, { 56, "56+" } };
    for (size_t j = 0; j < KI_COUNT(ages); j++)
        if (ages[j].code == code) return ages[j].word;
    return NULL;
}

static const char *occupation_word(int64_t code)
{
    static const char *const words[] = { "other",
                                         "academic/educator",
                                         "artist",
                                         "clerical/admin",
                                         "college/grad student",
                                         "customer service",
                                         "doctor/health care",
                                         "executive/managerial",
                                         "farmer",
                                         "homemaker",
                                         "K-12 student",
                                         "lawyer",
                                         "programmer",
                                         "retired",
                                         "sales/marketing",
                                         "scientist",
                                         "self-employed",
                                         "technician/engineer",
                                         "tradesman/craftsman",
                                         "unemployed",
                                         "writer" };
    return code >= 0 && code < (int64_t)KI_COUNT(words) ? words[code] : NULL;
}

static kith_err set_word(struct lines *l, int column, int32_t row, ki_span code,
                         const char *(*word)(int64_t))
{
    char shown[KI_SHOW];
    int64_t number;
    const char *found = ki_scan_int(code.at, code.n, &number) ? word(number) : NULL;
    if (found != NULL) return ki_attrs_set(l->a, column, row, found);
    return ki_fail(KITH_EFORMAT, "%s:%lld:1: got %s, want a code of the %s", l->source,
                   (long long)l->line, ki_show(shown, code.at, code.n), l->a->columns[column].name);
}

static kith_err take_user_1m(struct lines *l, const ki_span *field, int n)
{
    int32_t row;
    kith_err err;
    if (n != 5) return wrong_fields(l, n, 5);
    if ((err = row_of(l, field[0], &row)) != KITH_OK) return err;
    if ((err = set_word(l, l->column[1], row, field[2], age_word)) != KITH_OK) return err;
    if ((err = set_word(l, l->column[2], row, field[3], occupation_word)) != KITH_OK) return err;
    if ((err = set_field(l, l->column[0], row, field[1])) != KITH_OK) return err;
    return set_field(l, l->column[3], row, field[4]);
}

static kith_err users_1m(struct lines *l, ki_source *s)
{
    kith_err err;
    if ((err = name_column(l, 0, "gender", KI_COL_CATEGORY)) != KITH_OK) return err;
    if ((err = name_column(l, 1, "age", KI_COL_CATEGORY)) != KITH_OK) return err;
    if ((err = name_column(l, 2, "occupation", KI_COL_CATEGORY)) != KITH_OK) return err;
    if ((err = name_column(l, 3, "zip", KI_COL_CATEGORY)) != KITH_OK) return err;
    return each_line(l, s, "::", take_user_1m);
}

static kith_err parse_rating(const void *self, ki_chunk *c, char *end)
{
    ki_span field[4];
    ki_row row = { .value = 1 };
    kith_err err;
    (void)self;
    const int n = ki_split_at(c->line, end, "::", field, 4);
    if (n != 3 && n != 4)
        return ki_chunk_bad(c, c->line, "got %d fields, want user::movie::rating[::time]", n);
    if ((err = ki_chunk_value(c, field[2], "rating", &row.value)) != KITH_OK) return err;
    row.has_time = n == 4;
    if (n == 4 && (err = ki_chunk_time(c, field[3], "time", &row.time)) != KITH_OK) return err;
    row.user = field[0];
    row.item = field[1];
    return ki_chunk_add(c, &row);
}

/* ---- latest ---- */

static kith_err derive_years(ki_attrs *a)
{
    int title, genres, year;
    kith_err err;
    if ((err = ki_attrs_column(a, "title", 5, KI_COL_TEXT, 0, &title)) != KITH_OK) return err;
    if ((err = ki_attrs_column(a, "genres", 6, KI_COL_SET, '|', &genres)) != KITH_OK) return err;
    if ((err = ki_attrs_column(a, "year", 4, KI_COL_NUMBER, 0, &year)) != KITH_OK) return err;
    a->columns[genres].kind = KI_COL_SET;
    for (int32_t row = 0; err == KITH_OK && row < KI_MIN(a->columns[title].room, a->ids->n);
         row++) {
        const char *text = a->columns[title].cell[row];
        if (text != NULL) err = set_year(a, year, row, year_of(text, strlen(text)));
    }
    for (int32_t row = 0; row < a->columns[genres].room; row++) {
        const char **cell = &a->columns[genres].cell[row];
        if (*cell != NULL && strcmp(*cell, "(no genres listed)") == 0) *cell = NULL;
    }
    return err;
}

static kith_err attributes_latest(ki_reading *r)
{
    char folder[KI_PATH_MAX], links[KI_PATH_MAX];
    kith_err err;
    if (r->files.items[0] == '\0') return KITH_OK;
    if ((err = ki_attrs_read_file(&r->items, r->files.items, KI_ITEM)) != KITH_OK) return err;
    ki_path_folder(folder, r->files.items);
    if (ki_path_find(links, folder, "links.csv") &&
        (err = ki_attrs_read_file(&r->items, links, KI_ITEM)) != KITH_OK)
        return err;
    return derive_years(&r->items);
}

/* ---- files ---- */

static kith_err genres_100k(struct lines *l, ki_source *s)
{
    l->n_genres = 0;
    return each_line(l, s, "|", take_genre);
}

static kith_err read_attributes(struct lines *l, ki_attrs *a, ki_source *s, const char *file)
{
    static const struct {
        const char *name;
        kith_err (*read)(struct lines *l, ki_source *s);
    } files[] = { { "u.genre", genres_100k },
                  { "u.item", items_100k },
                  { "u.user", users_100k },
                  { "movies.dat", items_1m },
                  { "users.dat", users_1m } };
    l->a = a;
    for (size_t j = 0; j < KI_COUNT(files); j++)
        if (strcmp(files[j].name, file) == 0) return files[j].read(l, s);
    return ki_fail(KITH_EINVAL, "%s: not an attribute file of MovieLens", file);
}

kith_err ki_movielens_attributes(ki_attrs *a, ki_source *s, const char *file)
{
    struct lines *l = NULL;
    kith_err err = ki_alloc(&l, 1, sizeof *l);
    if (err != KITH_OK) return err;
    usual_genres(l);
    err = read_attributes(l, a, s, file);
    ki_free(l);
    return err;
}

/* The same for the file at `path`, if there is one. */
static kith_err read_at(struct lines *l, ki_attrs *a, const char *path, const char *file)
{
    ki_source *s = NULL;
    if (path[0] == '\0') return KITH_OK;
    kith_err err = ki_source_open(path, &s);
    if (err != KITH_OK) return err;
    err = read_attributes(l, a, s, file);
    ki_source_close(s);
    return err;
}

static kith_err attributes_100k(ki_reading *r)
{
    char folder[KI_PATH_MAX], genres[KI_PATH_MAX];
    struct lines *l = NULL;
    kith_err err = ki_alloc(&l, 1, sizeof *l);
    if (err != KITH_OK) return err;
    usual_genres(l);
    ki_path_folder(folder, r->files.rows);
    ki_path_find(genres, folder, "u.genre");
    err = read_at(l, &r->items, genres, "u.genre");
    if (err == KITH_OK) err = read_at(l, &r->items, r->files.items, "u.item");
    if (err == KITH_OK) err = read_at(l, &r->users, r->files.users, "u.user");
    ki_free(l);
    return err;
}

static kith_err attributes_1m(ki_reading *r)
{
    struct lines l = { 0 };
    const kith_err err = read_at(&l, &r->items, r->files.items, "movies.dat");
    return err != KITH_OK ? err : read_at(&l, &r->users, r->files.users, "users.dat");
}

/* ---- which files ---- */

static int is_named(const char *base, const char *name)
{
    const size_t n = strlen(name);
    return strncmp(base, name, n) == 0 && (base[n] == '\0' || strcmp(base + n, ".gz") == 0);
}

/* The folder, the files of attributes in it, and the rows when the path is a file. */
static void find_beside(ki_reading *r, const ki_probe *p, const char *items, const char *users,
                        char *folder)
{
    if (p->is_folder)
        snprintf(folder, KI_PATH_MAX, "%s", p->path);
    else
        ki_path_folder(folder, p->path);
    if (!p->is_folder) snprintf(r->files.rows, KI_PATH_MAX, "%s", p->path);
    ki_path_find(r->files.items, folder, items);
    if (users != NULL) ki_path_find(r->files.users, folder, users);
}

static kith_err no_variant(const char *layout, const char *variant)
{
    return ki_fail(KITH_EINVAL, "layout %s has no variant \"%.60s\"", layout, variant);
}

static kith_err absent(const ki_probe *p, const char *file)
{
    return ki_fail(KITH_ENOTFOUND, "%s: no %s (or %s.gz) in it", p->path, file, file);
}

static const char *const splits[] = { "u1", "u2", "u3", "u4", "u5", "ua", "ub", NULL };

static int detect_100k(const ki_probe *p)
{
    char path[KI_PATH_MAX], name[16];
    if (p->is_folder) return ki_path_find(path, p->path, "u.data");
    for (int j = 0; splits[j] != NULL; j++) {
        snprintf(name, sizeof name, "%s.base", splits[j]);
        if (is_named(p->base, name)) return 1;
        snprintf(name, sizeof name, "%s.test", splits[j]);
        if (is_named(p->base, name)) return 1;
    }
    return is_named(p->base, "u.data");
}

static kith_err find_100k(ki_reading *r, const ki_probe *p, const char *variant)
{
    char folder[KI_PATH_MAX], name[16];
    find_beside(r, p, "u.item", "u.user", folder);
    if (variant == NULL)
        return !p->is_folder || ki_path_find(r->files.rows, folder, "u.data") ? KITH_OK
                                                                              : absent(p, "u.data");
    for (int j = 0; splits[j] != NULL; j++) {
        if (strcmp(splits[j], variant) != 0) continue;
        snprintf(name, sizeof name, "%s.base", variant);
        if (!ki_path_find(r->files.rows, folder, name)) return absent(p, name);
        snprintf(name, sizeof name, "%s.test", variant);
        return ki_path_find(r->files.test, folder, name) ? KITH_OK : absent(p, name);
    }
    return ki_fail(KITH_EINVAL,
                   "layout movielens-100k has no variant \"%.60s\", want u1 to u5, ua or ub",
                   variant);
}

static int detect_1m(const ki_probe *p)
{
    char path[KI_PATH_MAX];
    if (p->is_folder)
        return ki_path_find(path, p->path, "ratings.dat") ||
               ki_path_find(path, p->path, "ratings-notime.dat");
    const char *stop = memchr(p->head, '\n', p->n_head);
    const int n = ki_split_at(p->head, stop == NULL ? p->head + p->n_head : stop, "::", NULL, 0);
    return n == 3 || n == 4;
}

static kith_err find_1m(ki_reading *r, const ki_probe *p, const char *variant)
{
    char folder[KI_PATH_MAX];
    if (variant != NULL) return no_variant("movielens-1m", variant);
    find_beside(r, p, "movies.dat", "users.dat", folder);
    if (!p->is_folder || ki_path_find(r->files.rows, folder, "ratings.dat")) return KITH_OK;
    return ki_path_find(r->files.rows, folder, "ratings-notime.dat") ? KITH_OK
                                                                     : absent(p, "ratings.dat");
}

static int detect_latest(const ki_probe *p)
{
    char folder[KI_PATH_MAX], path[KI_PATH_MAX];
    if (p->is_folder)
        return ki_path_find(path, p->path, "ratings.csv") &&
               ki_path_find(path, p->path, "movies.csv");
    ki_path_folder(folder, p->path);
    return is_named(p->base, "ratings.csv") && ki_path_find(path, folder, "movies.csv");
}

static kith_err find_latest(ki_reading *r, const ki_probe *p, const char *variant)
{
    char folder[KI_PATH_MAX];
    if (variant != NULL) return no_variant("movielens-latest", variant);
    find_beside(r, p, "movies.csv", NULL, folder);
    return !p->is_folder || ki_path_find(r->files.rows, folder, "ratings.csv")
               ? KITH_OK
               : absent(p, "ratings.csv");
}

/* ---- rows and layouts ---- */

static kith_err rows_100k(ki_reading *r, ki_source *s)
{
    return ki_read_csv(r, s, &(ki_csv_form){ .separator = '\t', .header = 0 });
}

static kith_err rows_1m(ki_reading *r, ki_source *s)
{
    const ki_row_parser parser = { .record = parse_rating };
    return ki_rows_read(s, &parser, &r->limits, r->test, r->job, r->data, &r->parts);
}

static kith_err rows_latest(ki_reading *r, ki_source *s)
{
    return ki_read_csv(r, s, &(ki_csv_form){ .separator = ',', .header = 1 });
}

const ki_layout ki_layout_movielens_100k = {
    .name = "movielens-100k",
    .summary = "MovieLens 100K: u.data, u.item, u.user; movielens-100k:u1 for the published split "
               "u1.base, u1.test",
    .detect = detect_100k,
    .find = find_100k,
    .rows = rows_100k,
    .attributes = attributes_100k,
};

const ki_layout ki_layout_movielens_1m = {
    .name = "movielens-1m",
    .summary = "MovieLens 1M and 10M: ratings.dat, movies.dat, users.dat",
    .detect = detect_1m,
    .find = find_1m,
    .rows = rows_1m,
    .attributes = attributes_1m,
};

const ki_layout ki_layout_movielens_latest = {
    .name = "movielens-latest",
    .summary = "MovieLens latest, 20M, 25M, 32M: ratings.csv, movies.csv, links.csv",
    .detect = detect_latest,
    .find = find_latest,
    .rows = rows_latest,
    .attributes = attributes_latest,
};
