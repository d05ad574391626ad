/* SPDX-License-Identifier: MIT
 * read_movielens.c -- the data sets of GroupLens as they come: 100K, 1M (and 10M) and "latest" (and 20M, 25M, 32M)
 *
 * 100K     u.data (user, item, rating, time by tabs); u.item: title, release_date, year, genres; u.user: age, gender,
 *          occupation, zip; u.genre names the genre flags.  Variants u1 .. u5, ua, ub: u1.base with u1.test as the test
 *          part.
 * 1M       ratings.dat (user::movie::rating::time, or without time); movies.dat: title, year, genres; users.dat:
 *          gender, age and occupation as the words that the data's README gives for their codes, zip.
 * latest   ratings.csv; movies.csv: title, year, genres; links.csv: imdbId, tmdbId.
 *
 * Attribute files (movielens.c) of the older two are ISO 8859-1 and come out as UTF-8.  Every file may end in .gz.
 * Films and users that occur only there are added after the others.
 */
#include "data/csv.h" /* ki_split_at */
#include "data/movielens.h"
#include "data/read.h"

#include <stdio.h>
#include <string.h>

static kith_err parse_rating(const void *self, ki_chunk *c, char *end)
{
    ki_span field[4];
    ki_found_row row = { .value = 1 };
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
    return ki_movielens_refine(&r->items);
}

/* The attribute file at `path`, if there is one. */
static kith_err read_at(ki_attrs *a, const char *path, const char *file, ki_genres *genres)
{
    ki_source *s = NULL;
    if (path[0] == '\0') return KITH_OK;
    kith_err err = ki_source_open(path, &s);
    if (err != KITH_OK) return err;
    err = ki_movielens_attributes(a, s, file, genres);
    ki_source_close(s);
    return err;
}

static kith_err attributes_100k(ki_reading *r)
{
    char folder[KI_PATH_MAX], path[KI_PATH_MAX];
    ki_genres genres = { 0 };
    kith_err err;
    ki_path_folder(folder, r->files.rows);
    ki_path_find(path, folder, "u.genre");
    if ((err = read_at(&r->items, path, "u.genre", &genres)) != KITH_OK) return err;
    if ((err = read_at(&r->items, r->files.items, "u.item", &genres)) != KITH_OK) return err;
    return read_at(&r->users, r->files.users, "u.user", &genres);
}

static kith_err attributes_1m(ki_reading *r)
{
    const kith_err err = read_at(&r->items, r->files.items, "movies.dat", NULL);
    return err != KITH_OK ? err : read_at(&r->users, r->files.users, "users.dat", NULL);
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
    return ki_rows_read(s, &parser, &r->limits, r->test, r->job, r->data, &r->draft);
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
