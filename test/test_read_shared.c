/* SPDX-License-Identifier: MIT
 * test_read_shared.c -- published data sets as they are distributed; skipped where they are absent
 */
#include "disk.h"
#include "shared.h"
#include "test.h"

#include "base/mem.h"
#include "data/attrs.h"
#include "data/dataset.h"

#include <unistd.h>

struct counts { /* as the publishers give them */
    const char *path, *layout;
    int64_t rows, test;
    int32_t users, items; /* with those that only occur in the catalogue */
    int has_values, has_times;
};

static kith *k;

static kith_data *read_and_count(const struct counts *c, const char *layout)
{
    kith_data *d = NULL;
    const char *path = find_data(c->path);
    int64_t test = 0;
    if (path == NULL) return NULL;
    CHECK_OK(kith_data_read(k, path, &(kith_read_options){ .layout = layout }, &d));
    CHECK_OK(ki_data_check(d));
    CHECK_STR(d->report.layout, c->layout);
    for (int64_t j = 0; d->log.test != NULL && j < d->log.n; j++) test += d->log.test[j];
    ck_assert_msg(d->log.n == c->rows && test == c->test && d->users.n == c->users && d->items.n == c->items,
                  "%s: %lld rows, %lld of test, %d users, %d items", c->path, (long long)d->log.n, (long long)test,
                  d->users.n, d->items.n);
    CHECK_INT(d->has_values, c->has_values);
    CHECK_INT(d->log.time != NULL, c->has_times);
    CHECK_INT(d->report.n_skipped, 0);
    CHECK_INT(d->report.n_duplicates, 0);
    return d;
}

static const char *cell(const ki_table *t, const char *column, int32_t row)
{
    static char text[128];
    const ki_column *c = ki_table_find(t, column);
    ck_assert_msg(c != NULL, "there is no column %s", column);
    ki_column_print(c, row, text, sizeof text);
    return text;
}

TEST(published_counts_are_found)
{
    static const struct counts sets[] = {
        { "ml-100k", "movielens-100k", 100000, 0, 943, 1682, 1, 1 },
        { "ml-100k/u.data.gz", "movielens-100k", 100000, 0, 943, 1682, 1, 1 },
        { "ml-1m", "movielens-1m", 1000209, 0, 6040, 3883, 1, 0 },
        { "ml-1m/ratings-users1-2999.dat.gz", "movielens-1m", 487650, 0, 6040, 3883, 1, 1 },
        { "ml-latest-small", "movielens-latest", 100004, 0, 671, 9125, 1, 1 },
        { "gowalla", "lightgcn", 810128 + 217242, 217242, 29858, 40981, 0, 0 },
        { "beauty/Beauty.txt.gz", "sequences", 198502, 0, 22363, 12101, 0, 0 },
        { "video/Video.txt.gz", "pairs", 287107, 0, 31013, 23715, 0, 0 },
    };
    CHECK_OK(kith_new(NULL, &k));
    for (size_t j = 0; j < KI_COUNT(sets); j++) kith_data_free(read_and_count(&sets[j], NULL));
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(the_five_published_folds_are_found)
{
    char layout[32];
    CHECK_OK(kith_new(NULL, &k));
    for (int fold = 1; fold <= 5; fold++) {
        snprintf(layout, sizeof layout, "movielens-100k:u%d", fold);
        const struct counts c = { "ml-100k", layout, 100000, 20000, 943, 1682, 1, 1 };
        kith_data_free(read_and_count(&c, layout));
    }
    kith_free(k);
}

TEST(movielens_attributes_are_as_published)
{
    const struct counts c100k = { "ml-100k", "movielens-100k", 100000, 0, 943, 1682, 1, 1 };
    const struct counts c1m = { "ml-1m", "movielens-1m", 1000209, 0, 6040, 3883, 1, 0 };
    CHECK_OK(kith_new(NULL, &k));
    kith_data *d = read_and_count(&c100k, NULL);
    if (d != NULL) {
        const int32_t toy = kith_data_find_item(d, "1"), city = kith_data_find_item(d, "1633");
        CHECK_STR(ki_item_title(&d->item_attrs, toy), "Toy Story (1995)");
        CHECK_STR(cell(&d->item_attrs, "genres", toy), "Animation|Children's|Comedy");
        CHECK_STR(cell(&d->item_attrs, "release_date", toy), "1995-01-01");
        CHECK_STR(ki_item_title(&d->item_attrs, city), "\xc3\x81 k\xc3\xb6ldum klaka (Cold Fever) (1994)");
        CHECK_STR(cell(&d->user_attrs, "occupation", kith_data_find_user(d, "1")), "technician");
        CHECK_INT(ki_table_find(&d->item_attrs, "genres")->words.n, 19);
        CHECK_INT(ki_table_find(&d->user_attrs, "occupation")->words.n, 21);
    }
    kith_data_free(d);
    if ((d = read_and_count(&c1m, NULL)) != NULL) {
        CHECK_INT(ki_table_find(&d->user_attrs, "age")->words.n, 7);
        CHECK_STR(cell(&d->user_attrs, "age", kith_data_find_user(d, "1")), "Under 18");
        CHECK_STR(cell(&d->item_attrs, "year", kith_data_find_item(d, "1")), "1995");
    }
    kith_data_free(d);
    kith_free(k);
}

TEST(films_of_tmdb_are_attributes)
{
    static const char ratings[] = "user,item\na,19995\n";
    kith_data *d = NULL;
    const char *films = find_data("tmdb/tmdb_5000_movies.csv.gz"), *path = scratch_path("films.csv");
    if (films == NULL) return;
    write_file(path, (const unsigned char *)ratings, sizeof ratings - 1);
    CHECK_OK(kith_new(NULL, &k));
    CHECK_OK(kith_data_read(k, path, &(kith_read_options){ .items_path = films }, &d));
    CHECK_INT(kith_data_n_items(d), 4803); /* fields hold commas, quotes and line breaks */
    CHECK_STR(ki_item_title(&d->item_attrs, 0), "Avatar");
    CHECK_STR(cell(&d->item_attrs, "release_date", 0), "2009-12-10");
    CHECK_INT(ki_table_find(&d->item_attrs, "overview")->kind, KI_COL_TEXT);
    kith_data_free(d);
    kith_free(k);
    unlink(path);
}

/* Cells are Python literals in one of the files and JSON in the other. */
TEST(lists_in_the_cells_of_tmdb_are_sets)
{
    static const char *const files[] = { "tmdb/tmdb_5000_movies.csv.gz", "tmdb/movies_metadata_sample.csv" };
    static const char *const first[] = { "Action|Adventure|Fantasy|Science Fiction", "Animation|Comedy|Family" };
    for (int j = 0; j < 2; j++) {
        const char *path = find_data(files[j]);
        ki_idmap ids = { 0 };
        ki_attrs a = { .ids = &ids };
        ki_table t = { 0 };
        if (path == NULL) continue;
        CHECK_OK(ki_attrs_read_file(&a, path, KI_ITEM));
        CHECK_OK(ki_attrs_finish(&a, &t));
        CHECK_STR(cell(&t, "genres", 0), first[j]);
        CHECK_INT(ki_table_find(&t, "production_companies")->kind, KI_COL_SET);
        CHECK_INT(ki_table_find(&t, "overview")->kind, KI_COL_TEXT);
        ki_attrs_clear(&a);
        ki_table_clear(&t);
        ki_idmap_clear(&ids);
        CHECK_INT(ki_alloc_live(), 0);
    }
}
