/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "base/outfile.h"
#include "data/dataset.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64]; /* a fresh one for each test; tests run in processes of their own */

static const char *in_folder(const char *name)
{
    static char path[4][400];
    static int turn;
    char *out = path[turn++ % 4];
    if (folder[0] == '\0') {
        snprintf(folder, sizeof folder, "write-test-XXXXXX");
        CHECK(mkdtemp(folder) != NULL);
    }
    snprintf(out, sizeof path[0], "%s/%s", folder, name);
    return out;
}

static int n_files(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; (e = readdir(d)) != NULL;) n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void remove_folder(void)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.') remove(in_folder(e->d_name));
    closedir(d);
    CHECK_INT(rmdir(folder), 0);
}

static const char *content(const char *name)
{
    static char text[8192];
    FILE *f = fopen(in_folder(name), "r");
    ck_assert_msg(f != NULL, "no file %s", name);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static const char *const users[] = { "ann", "bob, the \"quiet\"", " blank", "ann" };
static const char *const items[] = { "x\ty", "line\nbreak", "", "ü" };
static const float values[] = { 4, 0.1f, -2.5f, 16777216 };
static const int64_t times[] = { 1700000000, -5, 0, 9999999999 };

static kith *context(void)
{
    kith *k;
    CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &k));
    return k;
}

static kith_data *make(kith *k, int n, const float *v, const int64_t *t)
{
    kith_data *d;
    CHECK_OK(kith_data_new(k, (size_t)n, users, items, v, t, &d));
    return d;
}

/* ---- what stands in the files */

TEST(csv_quotes_what_needs_it_and_prints_the_shortest_numbers)
{
    kith *k = context();
    kith_data *d = make(k, 4, values, times);
    CHECK_OK(kith_data_write(k, d, in_folder("a.csv"), "csv"));
    CHECK_STR(content("a.csv"), "user_id,item_id,rating,timestamp\n"
                                "ann,x\ty,4,1700000000\n"
                                "\"bob, the \"\"quiet\"\"\",\"line\nbreak\",0.1,-5\n"
                                "\" blank\",\"\",-2.5,0\n"
                                "ann,ü,16777216,9999999999\n");
    CHECK_INT(n_files(), 1);
    kith_data_free(d);
    kith_free(k);
    remove_folder();
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(tsv_leaves_out_what_says_nothing)
{
    kith *k = context();
    kith_data *d = make(k, 2, NULL, NULL);
    CHECK_OK(kith_data_write(k, d, in_folder("a.tsv"), "tsv"));
    CHECK_STR(content("a.tsv"), "user_id\titem_id\n"
                                "ann\t\"x\ty\"\n"
                                "\"bob, the \"\"quiet\"\"\"\t\"line\nbreak\"\n");
    kith_data_free(d);
    kith_free(k);
    remove_folder();
}

TEST(ndjson_is_one_object_a_line)
{
    kith *k = context();
    kith_data *d = make(k, 2, values, times);
    CHECK_OK(kith_data_write(k, d, in_folder("a.ndjson"), "ndjson"));
    CHECK_STR(
        content("a.ndjson"),
        "{\"user_id\":\"ann\",\"item_id\":\"x\\ty\",\"rating\":4,\"timestamp\":1700000000}\n"
        "{\"user_id\":\"bob, the \\\"quiet\\\"\",\"item_id\":\"line\\nbreak\",\"rating\":0.1,\"timestamp\":-5}\n");
    kith_data_free(d);
    kith_free(k);
    remove_folder();
}

TEST(an_id_that_is_not_utf8_cannot_be_json)
{
    const char *const bad[] = { "caf\xe9" };
    kith *k = context();
    kith_data *d;
    CHECK_OK(kith_data_new(k, 1, bad, items, NULL, NULL, &d));
    CHECK_FAILS(kith_data_write(k, d, in_folder("a.ndjson"), "ndjson"), KITH_EDATA, "not UTF-8");
    CHECK_INT(n_files(), 0);
    kith_data_free(d);
    kith_free(k);
    remove_folder();
}

/* ---- and back */

static void expect_back(kith *k, const kith_data *d, const char *name, const char *layout, const char *test_name)
{
    kith_data *back;
    const kith_read_options o = { .test_path = test_name == NULL ? NULL : in_folder(test_name) };
    CHECK_OK(kith_data_write(k, d, in_folder(name), layout));
    CHECK_OK(kith_data_read(k, in_folder(name), &o, &back));
    CHECK(ki_data_fingerprint(back) == ki_data_fingerprint(d));
    CHECK_INT(back->item_attrs.n_columns, d->item_attrs.n_columns);
    for (int c = 0; c < d->item_attrs.n_columns; c++) {
        CHECK_STR(back->item_attrs.columns[c].name, d->item_attrs.columns[c].name);
        CHECK_INT((int)back->item_attrs.columns[c].kind, (int)d->item_attrs.columns[c].kind);
    }
    kith_data_free(back);
}

static void expect_generated_back(kith_generate_options o)
{
    static const char *const layouts[] = { "csv", "tsv", "ndjson" };
    kith *k = context();
    kith_data *d;
    CHECK_OK(kith_data_generate(k, &o, &d));
    for (int l = 0; l < 3; l++) expect_back(k, d, layouts[l], layouts[l], NULL);
    kith_data_free(d);
    kith_free(k);
    remove_folder();
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(ratings_come_back_with_the_same_fingerprint)
{
    expect_generated_back((kith_generate_options){ .n_users = 300, .n_items = 200, .n_interactions = 5000 });
}

/* 2000 items for 400 events: most are cold, and only the table of items can hold them. */
TEST(events_and_cold_items_come_back_with_the_same_fingerprint)
{
    expect_generated_back(
        (kith_generate_options){ .n_users = 100, .n_items = 2000, .n_interactions = 400, .implicit = 1 });
}

TEST(a_catalogue_comes_back_with_its_columns)
{
    const char *films = access("sample/films.csv", R_OK) == 0 ? "sample/films.csv" : "../sample/films.csv";
    expect_generated_back((kith_generate_options){ .n_users = 200, .n_interactions = 4000, .items_path = films });
}

TEST(odd_values_come_back_to_the_bit)
{
    enum { N = 2000 };
    static char names[N][8];
    static const char *ids[N];
    static float odd[N];
    for (int j = 0; j < N; j++) {
        snprintf(names[j], sizeof names[j], "n%d", j);
        ids[j] = names[j];
        odd[j] = (float)(sin(j) * pow(10, j % 60 - 30)); /* all sizes that a float has, signs and digits mixed */
    }
    kith *k = context();
    kith_data *d;
    CHECK_OK(kith_data_new(k, N, ids, ids, odd, NULL, &d));
    expect_back(k, d, "odd.csv", "csv", NULL);
    kith_data_free(d);
    kith_free(k);
    remove_folder();
}

TEST(the_test_part_is_written_beside)
{
    kith *k = context();
    kith_data *d;
    CHECK_OK(
        kith_data_generate(k, &(kith_generate_options){ .n_users = 50, .n_items = 40, .n_interactions = 500 }, &d));
    CHECK_OK(ki_alloc(&d->log.test, 500, 1));
    for (int j = 450; j < 500; j++) d->log.test[j] = 1;
    expect_back(k, d, "a.csv", "csv", "a.csv.test.csv");
    kith_data_free(d);
    kith_free(k);
    remove_folder();
}

static kith_err add_column(ki_table *t, ki_column c, const char *name)
{
    CHECK_OK(ki_strdup(&c.name, name));
    return ki_table_append(t, &c);
}

TEST(times_numbers_and_vectors_of_a_table_are_written_exactly)
{
    kith *k = context();
    kith_data *d = make(k, 2, NULL, NULL);
    ki_column number = { .kind = KI_COL_NUMBER }, time = { .kind = KI_COL_TIME },
              vector = { .kind = KI_COL_VECTOR, .dim = 2 };
    CHECK_OK(ki_alloc(&number.number, 2, sizeof *number.number));
    CHECK_OK(ki_alloc(&time.time, 2, sizeof *time.time));
    CHECK_OK(ki_alloc(&vector.vector, 4, sizeof *vector.vector));
    number.number[0] = 0.1;
    number.number[1] = NAN;
    time.time[0] = 1700000000;
    time.time[1] = INT64_MIN;
    vector.vector[0] = 0.5f;
    vector.vector[3] = -3;
    d->user_attrs.n_rows = 2;
    CHECK_OK(add_column(&d->user_attrs, number, "age, in years"));
    CHECK_OK(add_column(&d->user_attrs, time, "since"));
    CHECK_OK(add_column(&d->user_attrs, vector, "face"));
    CHECK_OK(kith_data_write(k, d, in_folder("a.csv"), NULL));
    CHECK_STR(content("a.csv.users.csv"), "user_id,\"age, in years\",since,face:float_seq\n"
                                          "ann,0.1,2023-11-14T22:13:20Z,0.5 0\n"
                                          "\"bob, the \"\"quiet\"\"\",,,0 -3\n");
    CHECK_INT(n_files(), 2);
    kith_data_free(d);
    kith_free(k);
    remove_folder();
}

/* ---- what goes wrong */

TEST(what_cannot_be_written_is_refused_and_leaves_nothing)
{
    kith *k = context();
    kith_data *d = make(k, 2, values, NULL);
    CHECK_FAILS(kith_data_write(k, d, in_folder("a"), "xml"), KITH_EINVAL, "want csv, tsv or ndjson");
    CHECK_FAILS(kith_data_write(k, d, in_folder("no/such/a.csv"), "csv"), KITH_EIO, "cannot be created");
    CHECK_FAILS(kith_data_write(k, d, NULL, "csv"), KITH_EINVAL, "must not be NULL");
    CHECK_FAILS(kith_data_write(k, d, "/dev/full/a.csv", "csv"), KITH_EIO, "/dev/full");
    CHECK_INT(n_files(), 0);
    kith_data_free(d);
    kith_free(k);
    remove_folder();
}

TEST(a_file_in_place_stays_until_the_new_one_is_whole)
{
    ki_outfile *f;
    static char big[1 << 20];
    memset(big, 'b', sizeof big);
    CHECK_OK(ki_outfile_open(in_folder("a"), &f));
    ki_outfile_put(f, "old", 3);
    CHECK_OK(ki_outfile_commit(f));
    CHECK_OK(ki_outfile_open(in_folder("a"), &f));
    ki_outfile_put(f, big, sizeof big);
    CHECK_STR(content("a"), "old");
    ki_outfile_discard(f);
    CHECK_STR(content("a"), "old");
    CHECK_INT(n_files(), 1);
    remove_folder();
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(writing_survives_the_failure_of_every_allocation)
{
    kith *k = context();
    kith_data *d;
    kith_err err = KITH_ENOMEM;
    CHECK_OK(
        kith_data_generate(k, &(kith_generate_options){ .n_users = 20, .n_items = 300, .n_interactions = 60 }, &d));
    in_folder("");
    const int64_t live = ki_alloc_live();
    for (int64_t n = 1; err != KITH_OK; n++) {
        ki_alloc_fail_at(n, 0);
        err = kith_data_write(k, d, in_folder("a.csv"), "csv");
        ki_alloc_fail_at(0, 0);
        CHECK(ki_alloc_live() == live);
        CHECK(err == KITH_OK || (err == KITH_ENOMEM && n_files() == 0));
    }
    CHECK_INT(n_files(), 2); /* the log and the cold items */
    kith_data_free(d);
    kith_free(k);
    remove_folder();
}
