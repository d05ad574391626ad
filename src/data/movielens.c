/* SPDX-License-Identifier: MIT
 * movielens.c -- the attribute files of MovieLens 100K and 1M, and what titles tell
 *
 * They are small, so each is read whole, turned into UTF-8 and cut in place.  A line with the wrong number of fields is
 * an error: there are none in the data as published.
 */
#include "data/movielens.h"

#include "base/mem.h"
#include "base/scan.h"
#include "data/csv.h" /* ki_split_at */

#include <stdio.h>
#include <string.h>

enum { MAX_FIELDS = KI_MAX_GENRES + 5 };

/* ---- attribute files, a line at a time ---- */

struct lines {
    ki_attrs *a;
    const char *source;
    int64_t line;
    int column[5];     /* of a, as each file's taker uses them */
    ki_genres *genres; /* 100K */
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
    ki_genres *g = l->genres;
    if (n != 2) return wrong_fields(l, n, 2);
    if (g->n == KI_MAX_GENRES)
        return ki_fail(KITH_EFORMAT, "%s: got more than %d genres", l->source, KI_MAX_GENRES);
    snprintf(g->name[g->n++], sizeof g->name[0], "%.*s", (int)KI_MIN(field[0].n, (size_t)39),
             field[0].at);
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
    char text[KI_MAX_GENRES * 41] = "";
    size_t n = 0;
    for (int g = 0; g < l->genres->n; g++) {
        if (flag[g].n != 1 || (flag[g].at[0] != '0' && flag[g].at[0] != '1'))
            return ki_fail(KITH_EFORMAT, "%s:%lld:1: genre %d: got %zu bytes, want 0 or 1",
                           l->source, (long long)l->line, g, flag[g].n);
        if (flag[g].at[0] == '1')
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n > 0 ? "|" : "",
                                  l->genres->name[g]);
    }
    return n == 0 ? KITH_OK : set_copy(l->a, l->column[3], row, text);
}

static kith_err take_item_100k(struct lines *l, const ki_span *field, int n)
{
    char date[16];
    int32_t row;
    kith_err err;
    if (n != 5 + l->genres->n) return wrong_fields(l, n, 5 + l->genres->n);
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

static void usual_genres(ki_genres *g)
{
    static const char *const names[] = { "unknown",    "Action",  "Adventure", "Animation",
                                         "Children's", "Comedy",  "Crime",     "Documentary",
                                         "Drama",      "Fantasy", "Film-Noir", "Horror",
                                         "Musical",    "Mystery", "Romance",   "Sci-Fi",
                                         "Thriller",   "War",     "Western" };
    for (size_t j = 0; j < KI_COUNT(names); j++)
        snprintf(g->name[j], sizeof g->name[j], "%s", names[j]);
    g->n = (int)KI_COUNT(names);
}

static kith_err items_100k(struct lines *l, ki_source *s)
{
    kith_err err;
    if (l->genres->n == 0) usual_genres(l->genres);
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

/* ---- latest ---- */

kith_err ki_movielens_refine(ki_attrs *a)
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

/* ---- files ---- */

static kith_err genres_100k(struct lines *l, ki_source *s)
{
    l->genres->n = 0;
    return each_line(l, s, "|", take_genre);
}

kith_err ki_movielens_attributes(ki_attrs *a, ki_source *s, const char *file, ki_genres *genres)
{
    static const struct {
        const char *name;
        kith_err (*read)(struct lines *l, ki_source *s);
    } files[] = { { "u.genre", genres_100k },
                  { "u.item", items_100k },
                  { "u.user", users_100k },
                  { "movies.dat", items_1m },
                  { "users.dat", users_1m } };
    struct lines l = { .a = a, .genres = genres };
    for (size_t j = 0; j < KI_COUNT(files); j++)
        if (strcmp(files[j].name, file) == 0) return files[j].read(&l, s);
    return ki_fail(KITH_EINVAL, "%s: not an attribute file of MovieLens", file);
}
