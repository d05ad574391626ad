/* SPDX-License-Identifier: MIT
 * test_hostile.c -- files and calls that are legal but unkind: nothing may be lost, mixed up or awaited for ever
 */
#include "disk.h"

#include "base/mem.h"
#include "base/outfile.h"
#include "base/tensors.h"
#include "data/dataset.h"
#include "data/datafile.h"

#include <sys/stat.h>
#include <time.h>

static kith *k;

static void begin(void)
{
    CHECK_OK(kith_new(&(kith_options){ .threads = 2 }, &k));
}

static void end(void)
{
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* The path of a file of that content, good until eight more were asked for. */
static const char *file_of(const char *name, const char *text)
{
    static char paths[8][256];
    static int turn;
    char *path = paths[turn = (turn + 1) % 8];
    snprintf(path, sizeof paths[0], "%s", scratch_path(name));
    if (text != NULL) write_file(path, (const unsigned char *)text, strlen(text));
    return path;
}

static kith_data *read_text(const char *name, const char *text, const kith_read_options *options)
{
    kith_data *d = NULL;
    const char *path = file_of(name, text);
    CHECK_OK(kith_data_read(k, path, options, &d));
    unlink(path);
    return d;
}

static void check_refused(const char *name, const char *text, const kith_read_options *options, kith_err code,
                          const char *words)
{
    kith_data *d = NULL;
    const char *path = file_of(name, text);
    CHECK_FAILS(kith_data_read(k, path, options, &d), code, words);
    CHECK(d == NULL);
    unlink(path);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- one cell, many rows ---- */

TEST(a_pair_that_occurs_very_often_is_merged_in_time)
{
    enum { N = 200000 };
    const char **users, **items;
    int64_t *times;
    float *values;
    kith_data *d;
    begin();
    CHECK_OK(ki_alloc(&users, N, sizeof *users));
    CHECK_OK(ki_alloc(&items, N, sizeof *items));
    CHECK_OK(ki_alloc(&times, N, sizeof *times));
    CHECK_OK(ki_alloc(&values, N, sizeof *values));
    for (int j = 0; j < N; j++) { /* newest first, as exports of logs often are */
        users[j] = "ann";
        items[j] = "play";
        times[j] = N - j;
        values[j] = (float)j;
    }
    const double start = seconds();
    CHECK_OK(kith_data_new(k, N, users, items, values, times, &d));
    CHECK(seconds() - start < 3); /* tens of milliseconds; moving each row past each takes N^2 / 2 steps, 20 s */
    CHECK_INT(kith_data_n_interactions(d), 1);
    CHECK_INT(d->report.n_duplicates, N - 1);
    CHECK_NEAR(d->log.value[0], 0, 0); /* the latest by time came first */
    kith_data_free(d);
    ki_free(users);
    ki_free(items);
    ki_free(times);
    ki_free(values);
    end();
}

TEST(rows_of_one_time_are_merged_in_the_order_of_the_file)
{
    static const char text[] = "user,item,rating,timestamp\n"
                               "a,x,1,50\na,x,2,40\na,x,3,50\na,x,4,40\na,x,5,45\n";
    static const struct {
        kith_duplicates policy;
        float value;
    } cases[] = { { KITH_DUPLICATES_LAST, 3 }, { KITH_DUPLICATES_FIRST, 2 } };
    begin();
    for (size_t j = 0; j < KI_COUNT(cases); j++) {
        kith_data *d = read_text("ties.csv", text, &(kith_read_options){ .duplicates = cases[j].policy });
        CHECK_INT(kith_data_n_interactions(d), 1);
        CHECK_NEAR(d->log.value[0], cases[j].value, 0);
        kith_data_free(d);
    }
    end();
}

TEST(a_sum_of_values_that_is_no_number_is_refused)
{
    begin();
    check_refused("sum.csv", "user,item,rating\na,x,3e38\na,x,3e38\nb,x,1\n",
                  &(kith_read_options){ .duplicates = KITH_DUPLICATES_SUM }, KITH_EDATA, "user \"a\" and item \"x\"");
    end();
}

TEST(equal_ratings_of_a_pair_are_not_added_up)
{
    begin();
    kith_data *d = read_text("five.csv", "user,item,rating\na,x,5\na,x,5\nb,y,5\n", NULL);
    CHECK_STR(d->report.duplicates, "last");
    for (int j = 0; j < 2; j++) CHECK_NEAR(d->log.value[j], 5, 0);
    kith_data_free(d);
    d = read_text("events.csv", "user,item\na,x\na,x\nb,y\n", NULL);
    CHECK_STR(d->report.duplicates, "sum");
    CHECK_NEAR(d->log.value[0], 2, 0);
    kith_data_free(d);
    end();
}

/* ---- what is read, and where from ---- */

TEST(a_pipe_is_read_from_its_first_byte_to_its_last)
{
    char path[64];
    int ends[2];
    kith_data *d = NULL;
    begin();
    CHECK_INT(pipe(ends), 0);
    FILE *f = fdopen(ends[1], "w"); /* 20 KB: a pipe holds 64 */
    fputs("user,item,rating\n", f);
    for (int j = 0; j < 2000; j++) fprintf(f, "u%d,i%d,%d\n", j % 100, j, j % 5 + 1);
    fclose(f);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    CHECK_OK(kith_data_read(k, path, NULL, &d));
    close(ends[0]);
    CHECK_INT(kith_data_n_interactions(d), 2000);
    CHECK_INT(kith_data_n_users(d), 100);
    kith_data_free(d);
    end();
}

TEST(options_that_the_binary_form_cannot_follow_are_refused)
{
    const kith_read_options refused[] = {
        { .items_path = "items.csv" }, { .users_path = "users.csv" }, { .test_path = "test.csv" },
        { .layout = "csv" },           { .user_column = "a" },        { .item_column = "a" },
        { .value_column = "a" },       { .time_column = "a" },
    };
    begin();
    kith_data *d = read_text("plain.csv", "user,item\na,x\n", NULL), *back = NULL;
    const char *path = file_of("binary", NULL);
    CHECK_OK(kith_data_save(k, d, path));
    for (size_t j = 0; j < KI_COUNT(refused); j++)
        CHECK_FAILS(kith_data_read(k, path, &refused[j], &back), KITH_EINVAL, "binary form");
    CHECK_OK(kith_data_read(k, path, &(kith_read_options){ .layout = "binary", .skip_bad = 5 }, &back));
    unlink(path);
    kith_data_free(back);
    kith_data_free(d);
    end();
}

TEST(a_given_column_is_not_taken_for_another_one_too)
{
    begin();
    kith_data *d = read_text("t.csv", "a,x,12\nb,y,13\n", &(kith_read_options){ .time_column = "3" });
    CHECK_INT(d->log.time[1], 13);
    CHECK_NEAR(d->log.value[1], 1, 0); /* the third column is the time now, and no value */
    kith_data_free(d);
    check_refused("same.csv", "a,x,5\nb,y,4\n", &(kith_read_options){ .user_column = "2" }, KITH_EFORMAT,
                  "user and item are the same column 2");
    check_refused(
        "same2.csv", "who,what,n\nb,y,4\n",
        &(kith_read_options){ .user_column = "who", .item_column = "what", .value_column = "n", .time_column = "n" },
        KITH_EFORMAT, "value and time are the same column");
    end();
}

TEST(null_is_no_rating)
{
    begin();
    check_refused("null.ndjson", "{\"user\":\"a\",\"item\":\"x\",\"rating\":null}\n", NULL, KITH_EFORMAT,
                  "null.ndjson:1:1: got no number");
    end();
}

/* ---- bad lines ---- */

TEST(nothing_of_a_bad_sequence_stays)
{
    begin();
    kith_data *d = read_text("bad.txt", "a x y\nb x z \xff w\nc x y z\n",
                             &(kith_read_options){ .layout = "sequences", .skip_bad = 1 });
    CHECK_INT(d->report.n_skipped, 1);
    CHECK_INT(kith_data_n_interactions(d), 5);
    CHECK_INT(kith_data_find_user(d, "b"), -1);
    kith_data_free(d);
    check_refused("bad.txt", "a x y\nb x z \xff w\n", &(kith_read_options){ .layout = "sequences" }, KITH_EFORMAT,
                  ":2:7: got");
    end();
}

TEST(an_open_quote_costs_its_own_line_only)
{
    begin();
    kith_data *d = read_text("open.csv", "user,item,rating\na,x,1\n\"b,x,2\nc,x,3\nd,x,4\n",
                             &(kith_read_options){ .skip_bad = 1 });
    CHECK_INT(d->report.n_skipped, 1);
    CHECK_INT(d->report.n_lines, 5);
    CHECK_INT(kith_data_n_interactions(d), 3);
    kith_data_free(d);
    end();
}

TEST(bad_lines_of_all_files_count_together)
{
    kith_data *d = NULL;
    begin();
    const char *train = file_of("train.csv", "user,item,rating\na,x,1\nb,y,bad\n");
    const char *test = file_of("test.csv", "user,item,rating\na,y,1\nb,x,bad\n");
    CHECK_FAILS(kith_data_read(k, train, &(kith_read_options){ .skip_bad = 1, .test_path = test }, &d), KITH_EFORMAT,
                "more than 1 malformed lines");
    CHECK_OK(kith_data_read(k, train, &(kith_read_options){ .skip_bad = 2, .test_path = test }, &d));
    CHECK_INT(d->report.n_skipped, 2);
    kith_data_free(d);
    unlink(train);
    unlink(test);
    end();
}

TEST(a_record_of_several_lines_is_blamed_where_it_is_wrong)
{
    begin();
    check_refused("long.csv", "user,item,rating\na,\"x\ny\",bad\n", NULL, KITH_EFORMAT, "long.csv:3:4: got \"bad\"");
    check_refused("long.csv", "user,item,rating\na,\"\"\"x\n\n\",bad\n", NULL, KITH_EFORMAT, "long.csv:4:");
    check_refused("short.csv", "user,item,rating\na,\"x\ny\"\n", NULL, KITH_EFORMAT, "short.csv:2:1: got 2 columns");
    end();
}

TEST(a_bad_record_of_an_attribute_file_is_named_by_its_first_line)
{
    begin();
    const char *items = file_of("items.csv", "item_id,title,year\nx,\"A\nB\",1\ny,\"C\nD\"\n");
    check_refused("r.csv", "user,item\na,x\n", &(kith_read_options){ .items_path = items }, KITH_EFORMAT,
                  "items.csv:4:1: got 2 columns, want 3");
    unlink(items);
    end();
}

TEST(a_line_of_two_million_fields_with_a_quote_is_refused_in_time)
{
    enum { FIELDS = 2000000 }; /* several pieces, so that ends of records are looked for */
    char *text;
    kith_data *d = NULL;
    begin();
    CHECK_OK(ki_alloc(&text, FIELDS + 64, 1));
    strcpy(text, "user,item\na,x\n");
    size_t n = strlen(text);
    memset(text + n, ',', FIELDS);
    strcpy(text + n + FIELDS, "\"q\"\nb,y\n");
    const char *path = file_of("wide.csv", text);
    const double start = seconds();
    CHECK_FAILS(kith_data_read(k, path, NULL, &d), KITH_EFORMAT, "wide.csv:3:1: got 2000001 columns, want 2");
    CHECK(seconds() - start < 2); /* some milliseconds; looking for the line's end at each field takes 30 s */
    unlink(path);
    ki_free(text);
    end();
}

/* ---- attributes ---- */

static void check_title(const kith_data *d, const char *item, const char *column, const char *want)
{
    char got[64];
    const ki_column *c = ki_table_find(&d->item_attrs, column);
    const int32_t i = kith_data_find_item(d, item);
    ck_assert_msg(c != NULL && i >= 0, "no column %s or no item %s", column, item);
    ki_column_print(c, i, got, sizeof got);
    CHECK_STR(got, want);
}

TEST(an_id_column_is_not_outdone_by_a_word)
{
    begin();
    const char *items = file_of("songs.csv", "id,artist,title\nx,Nina,One\ny,Nina,Two\n");
    kith_data *d = read_text("r.csv", "user,item\na,x\nb,y\n", &(kith_read_options){ .items_path = items });
    CHECK_INT(kith_data_n_items(d), 2);
    check_title(d, "y", "artist", "Nina");
    kith_data_free(d);
    d = read_text("doc.json",
                  "{\"interaction_data\":[{\"user_id\":\"a\",\"item_id\":\"x\"},{\"user_id\":\"a\",\"item_id\":\"y\"}],"
                  "\"item_data\":[{\"id\":\"x\",\"artist\":\"Nina\"},{\"id\":\"y\",\"artist\":\"Nina\"}]}",
                  NULL);
    CHECK_INT(kith_data_n_items(d), 2);
    check_title(d, "y", "artist", "Nina");
    kith_data_free(d);
    unlink(items);
    end();
}

TEST(two_titles_are_two_columns)
{
    begin();
    const char *items = file_of("films.csv", "item_id,movie_title,original_title\nx,The Third Man,Der dritte Mann\n");
    kith_data *d = read_text("r.csv", "user,item\na,x\n", &(kith_read_options){ .items_path = items });
    check_title(d, "x", "title", "The Third Man");
    check_title(d, "x", "original_title", "Der dritte Mann");
    kith_data_free(d);
    unlink(items);
    end();
}

/* ---- writing ---- */

TEST(attributes_of_an_earlier_file_do_not_stay_beside_a_new_one)
{
    kith_data *back = NULL;
    begin();
    const char *path = file_of("w.csv", NULL), *beside = file_of("w.csv.items.csv", "item_id,title\nx,Old\nold,Gone\n");
    kith_data *d = read_text("r.csv", "user,item\na,x\nb,y\n", NULL);
    CHECK_OK(kith_data_write(k, d, path, NULL));
    CHECK_OK(kith_data_read(k, path, NULL, &back));
    CHECK(ki_data_fingerprint(back) == ki_data_fingerprint(d));
    CHECK_INT(back->item_attrs.n_columns, 0);
    kith_data_free(back);
    kith_data_free(d);
    unlink(path);
    unlink(beside);
    end();
}

TEST(a_negative_zero_is_written_as_one)
{
    kith_data *back = NULL;
    begin();
    const char *path = file_of("zero.csv", NULL);
    kith_data *d = read_text("r.csv", "user,item,rating\na,x,-0\nb,y,2\n", NULL);
    CHECK_OK(kith_data_write(k, d, path, NULL));
    CHECK_OK(kith_data_read(k, path, NULL, &back));
    CHECK(ki_data_fingerprint(back) == ki_data_fingerprint(d));
    kith_data_free(back);
    kith_data_free(d);
    unlink(path);
    end();
}

TEST(two_writers_of_one_path_do_not_mix)
{
    ki_outfile *one, *two;
    size_t n;
    begin();
    const char *path = file_of("both", NULL);
    CHECK_OK(ki_outfile_open(path, &one));
    CHECK_OK(ki_outfile_open(path, &two));
    ki_outfile_put(one, "first", 5);
    ki_outfile_put(two, "second!", 7);
    CHECK_OK(ki_outfile_commit(two));
    CHECK_OK(ki_outfile_commit(one));
    unsigned char *bytes = read_file(path, &n);
    CHECK_INT(n, 5);
    CHECK(memcmp(bytes, "first", 5) == 0);
    free(bytes);
    unlink(path);
    end();
}

TEST(numbers_without_bound_are_refused_by_the_generator)
{
    kith_data *d = NULL;
    begin();
    CHECK_FAILS(kith_data_generate(k, &(kith_generate_options){ .n_users = INT64_MAX }, &d), KITH_EINVAL, "users");
    end();
}

/* ---- crafted containers ---- */

/* A safetensors file with that header and n zero bytes of data. */
static const char *container(const char *header, size_t n)
{
    unsigned char bytes[512] = { 0 };
    const size_t length = strlen(header);
    const char *path = file_of("crafted", NULL);
    CHECK(8 + length + n <= sizeof bytes);
    bytes[0] = (unsigned char)length;
    memcpy(bytes + 8, header, length);
    write_file(path, bytes, 8 + length + n);
    return path;
}

TEST(an_array_shorter_than_its_extra_element_is_refused)
{
    static const char header[] = "{\"t.start\":{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[0,0]}}    ";
    int64_t n = -1;
    void *start = NULL;
    ki_mapping *m;
    const ki_field field = { "start", KI_I64, 1, { &n }, 1, &start, 0 };
    const char *path = container(header, 0);
    CHECK_OK(ki_tensors_open(path, &m));
    CHECK_FAILS(ki_fields_bind(&field, 1, "t", m), KITH_EFORMAT, "t.start does not have the size");
    CHECK(start == NULL);
    ki_tensors_close(m);
    unlink(path);
}

TEST(an_array_that_is_not_aligned_in_memory_is_refused)
{
    ki_mapping *m = NULL;
    const char *path = container("{\"t.a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}} ", 8);
    CHECK_FAILS(ki_tensors_open(path, &m), KITH_EFORMAT, "t.a");
    unlink(path);
}
