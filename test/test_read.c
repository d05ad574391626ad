/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "data/literal.h"
#include "data/read.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* ---- a folder for the files of one test ---- */

static char folder[256];

static void make_folder(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/kith-test-XXXXXX", parent == NULL ? "/tmp" : parent);
    CHECK(mkdtemp(folder) != NULL);
}

static void remove_folder(void)
{
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    CHECK_INT(system(command), 0);
}

static const char *path_of(const char *name)
{
    static char path[8][512];
    static int turn;
    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static const char *write_bytes(const char *name, const char *bytes, size_t n)
{
    FILE *f = fopen(path_of(name), "wb");
    CHECK(f != NULL);
    CHECK(fwrite(bytes, 1, n, f) == n);
    fclose(f);
    return path_of(name);
}

static const char *write_text(const char *name, const char *text)
{
    return write_bytes(name, text, strlen(text));
}

static const char *write_gz(const char *name, const char *text)
{
    gzFile f = gzopen(path_of(name), "wb");
    CHECK(f != NULL);
    CHECK_INT(gzwrite(f, text, (unsigned)strlen(text)), (int)strlen(text));
    gzclose(f);
    return path_of(name);
}

/* ---- reading ---- */

static kith *k;

static kith_data *read_with(const char *path, const kith_read_options *options)
{
    kith_data *d = NULL;
    CHECK_OK(kith_data_read(k, path, options, &d));
    CHECK_OK(ki_data_check(d));
    return d;
}

static kith_data *read_text(const char *name, const char *text)
{
    return read_with(write_text(name, text), NULL);
}

static void begin(void)
{
    make_folder();
    CHECK_OK(kith_new(&(kith_options){ .threads = 2 }, &k));
}

static void end(void)
{
    kith_free(k);
    remove_folder();
    CHECK_INT(ki_alloc_live(), 0);
}

/* Row j as "user item value time" against `want`. */
static void check_row(const kith_data *d, int64_t j, const char *want)
{
    char got[128];
    const ki_log *l = &d->log;
    int n = snprintf(got, sizeof got, "%s %s %g", kith_data_user_id(d, l->user[j]), kith_data_item_id(d, l->item[j]),
                     (double)l->value[j]);
    if (l->time != NULL) snprintf(got + n, sizeof got - (size_t)n, " %lld", (long long)l->time[j]);
    CHECK_STR(got, want);
}

static void check_cell(const ki_table *t, const char *column, int32_t row, const char *want)
{
    char got[128];
    const ki_column *c = ki_table_find(t, column);
    ck_assert_msg(c != NULL, "there is no column %s", column);
    ki_column_print(c, row, got, sizeof got);
    CHECK_STR(got, want);
}

static void check_refused(const char *name, const char *text, kith_err code, const char *words)
{
    kith_data *d = NULL;
    CHECK_FAILS(kith_data_read(k, write_text(name, text), NULL, &d), code, words);
    CHECK(d == NULL);
}

/* ---- CSV ---- */

TEST(csv_columns_are_found_by_their_usual_names)
{
    static const char *const texts[] = {
        "userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n2,31,3,1260759145\n",
        "timestamp\trating\titem_id\tuser_id\n1260759144\t2.5\t31\t1\n1260759145\t3\t31\t2\n",
        "\"User-ID\";\"ISBN\";\"Book-Rating\";\"date\"\n\"1\";\"31\";\"2.5\";\"2009-12-14T02:52:24Z\"\n2;31;3;2009-12-"
        "14 02:52:25\n",
        "\xef\xbb\xbfUID|Product ID|Score|ts|more\r\n1|31|2.5|1260759144000|x\r\n\r\n2|31|3|1260759145|", /* BOM, CRLF, no end */
        "uid asin stars unixReviewTime\n1 31 2.5 1260759144\n2 31 3 1260759145\n",
    };
    begin();
    for (size_t j = 0; j < KI_COUNT(texts); j++) {
        kith_data *d = read_text("some", texts[j]);
        CHECK_STR(d->report.layout, "csv");
        CHECK_INT(kith_data_n_interactions(d), 2);
        check_row(d, 0, "1 31 2.5 1260759144");
        check_row(d, 1, "2 31 3 1260759145");
        kith_data_free(d);
    }
    end();
}

TEST(csv_without_a_header_goes_by_place)
{
    static const struct {
        const char *text, *row;
    } cases[] = { { "a,x\nb,x\n", "a x 1" },
                  { "a,x,4\nb,x,5\n", "a x 4" },
                  { "a,x,2024-01-15\nb,x,2024-01-16\n", "a x 1 1705276800" }, /* three columns: a time shows */
                  { "a,x,1705276800\nb,x,1705276801\n", "a x 1 1705276800" },
                  { "a,x,4,1705276800\nb,x,5,1705276801\n", "a x 4 1705276800" },
                  { "a,x,1705276800,4\nb,x,1705276801,5\n", "a x 4 1705276800" },
                  { "196\t242\t3\t881250949\n186\t302\t3\t891717742\n", "196 242 3 881250949" } };
    begin();
    for (size_t j = 0; j < KI_COUNT(cases); j++) {
        kith_data *d = read_with(write_text("f.csv", cases[j].text), &(kith_read_options){ .layout = "csv" });
        CHECK_INT(kith_data_n_interactions(d), 2);
        check_row(d, 0, cases[j].row);
        kith_data_free(d);
    }
    end();
}

TEST(csv_quotes_may_hold_separators_quotes_and_line_breaks)
{
    begin();
    kith_data *d = read_text("q.csv", "user,item,rating\n"
                                      "\"a,b\",\"say \"\"hi\"\"\",1\n"
                                      "\"two\nlines\", \"x\" ,2\n"
                                      "in\"side,\"\"\"\",3\n"
                                      "last,y,4\n");
    check_row(d, 0, "a,b say \"hi\" 1");
    check_row(d, 1, "two\nlines x 2");
    check_row(d, 2, "in\"side \" 3");
    check_row(d, 3, "last y 4");
    CHECK_INT(d->report.n_lines, 6);
    kith_data_free(d);
    end();
}

TEST(csv_columns_can_be_named_or_numbered)
{
    const kith_read_options named = { .user_column = "who", .item_column = "what", .value_column = "b" };
    const kith_read_options numbered = { .user_column = "3", .item_column = "1", .value_column = "2" };
    kith_data *d;
    begin();
    d = read_with(write_text("n.csv", "rating,what,b,who\n9,x,2,a\n9,y,3,a\n"), &named);
    check_row(d, 1, "a y 3");
    kith_data_free(d);
    d = read_with(write_text("n.csv", "x,2,a\ny,3,a\n"), &numbered);
    check_row(d, 1, "a y 3");
    kith_data_free(d);
    d = NULL;
    CHECK_FAILS(
        kith_data_read(k, write_text("n.csv", "user,item\na,x\n"), &(kith_read_options){ .value_column = "stars" }, &d),
        KITH_EFORMAT, "n.csv:1:1: got columns \"user\", \"item\", want one called \"stars\"");
    end();
}

TEST(csv_errors_name_file_line_and_column)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        { "user,item,rating\na,x,4\nb,yy,four\n", "bad.csv:3:6: got \"four\", want a number (rating)" },
        { "user,item,rating\na,x,nan\n", "bad.csv:2:5: got \"nan\", want a number" },
        { "user,item,rating\na,x,inf\n", "bad.csv:2:5: got \"inf\"" },
        { "user,item,rating\na,x,1e39\n", "bad.csv:2:5: got \"1e39\", want a number below 3.4e38" },
        { "user,item,rating\na,x,\n", "bad.csv:2:5: got \"\", want a number" },
        { "user,item,rating\na,x,1\nb,x\n", "bad.csv:3:1: got 2 columns, want 3" },
        { "user,item,rating\na,x,1,7,8\n", "bad.csv:2:1: got 5 columns, want 3" },
        { "user,item,time\na,x,2024-02-30\n",
          "bad.csv:2:5: got \"2024-02-30\", want unix seconds or an ISO 8601 time (time)" },
        { "user,item,time\na,x,99999999999999999999\n", "bad.csv:2:5: got \"99999999999999999999\"" },
        { "user,item\n,x\n", "bad.csv:2:1: got an empty field, want a user id" },
        { "user,item\na,\n", "bad.csv:2:3: got an empty field, want an item id" },
        { "user,item\na,caf\xe9\n", "bad.csv:2:3: got \"caf?\", which is not UTF-8, want an item id" },
        { "user,item\n\"a\"b,x\n", "bad.csv:2:4: got text after a closing quote" },
        { "user,item\na,x\nb,\"y\nc,z\n", "bad.csv:3:3: got a quote that is never closed" },
        { "movie,title\n1,One\n",
          "want one for the user (user_id, userId, uid, customer, ...); name it with user_column" },
        { "a,b,c\n1,2,3\n", "bad.csv:1:1: got columns \"a\", \"b\", \"c\", want one for the user" },
        { "justone\nword\n", "want one for the item" },
        { "\xff\xfeu\0", "got UTF-16, want UTF-8" },
    };
    begin();
    for (size_t j = 0; j < KI_COUNT(cases); j++) {
        kith_data *d = NULL;
        const kith_read_options csv = { .layout = "csv" };
        CHECK_FAILS(kith_data_read(k, write_text("bad.csv", cases[j].text), &csv, &d), KITH_EFORMAT, cases[j].words);
    }
    end();
}

TEST(a_nul_byte_in_an_id_is_refused)
{
    begin();
    kith_data *d = NULL;
    CHECK_FAILS(kith_data_read(k, write_bytes("nul.csv", "user,item\na,x\0y\n", 16), NULL, &d), KITH_EFORMAT,
                "nul.csv:2:3: got \"x?y\" with a NUL byte in it");
    end();
}

TEST(nothing_to_read_is_said)
{
    begin();
    check_refused("empty.csv", "", KITH_EDATA, "empty.csv: the file is empty");
    check_refused("head.csv", "user,item,rating\n", KITH_EDATA, "head.csv: no interactions in it");
    check_refused("blank.csv", "user,item\n\n\r\n\n", KITH_EDATA, "no interactions");
    kith_data *d = NULL;
    CHECK_FAILS(kith_data_read(k, path_of("absent.csv"), NULL, &d), KITH_EIO, "absent.csv: No such file");
    CHECK_FAILS(kith_data_read(k, folder, NULL, &d), KITH_EFORMAT, "no data set known to kith in this folder");
    CHECK_FAILS(kith_data_read(k, folder, &(kith_read_options){ .layout = "ndjson" }, &d), KITH_EINVAL,
                "a folder, but layout ndjson");
    CHECK_FAILS(kith_data_read(k, write_text("a.csv", "u,i\n"), &(kith_read_options){ .layout = "cvs" }, &d),
                KITH_EINVAL, "there is no layout \"cvs\"; there are ");
    CHECK_FAILS(kith_data_read(k, path_of("a.csv"), &(kith_read_options){ .layout = "csv:u1" }, &d), KITH_EINVAL,
                "no variant \"u1\"");
    CHECK_FAILS(kith_data_read(NULL, "x", NULL, &d), KITH_EINVAL, "must not be NULL");
    end();
}

TEST(malformed_lines_can_be_skipped_and_are_counted)
{
    const char *text = "user,item,rating\na,x,1\nbroken\nb,y,zzz\nc,z,3\n";
    kith_data *d = NULL;
    begin();
    d = read_with(write_text("s.csv", text), &(kith_read_options){ .skip_bad = 2 });
    CHECK_INT(kith_data_n_interactions(d), 2);
    CHECK_INT(kith_data_n_users(d), 2); /* nothing of a bad line stays */
    CHECK_INT(d->report.n_skipped, 2);
    CHECK_INT(d->report.n_lines, 5);
    CHECK_STR(d->report.first_skipped, "s.csv:3:1: got 1 column, want 3");
    kith_data_free(d);
    d = NULL;
    CHECK_FAILS(kith_data_read(k, path_of("s.csv"), &(kith_read_options){ .skip_bad = 1 }, &d), KITH_EFORMAT,
                "s.csv: more than 1 malformed lines; the first: s.csv:3:1: got 1 column, want 3");
    end();
}

TEST(duplicates_follow_the_policy)
{
    static const struct {
        kith_duplicates policy;
        const char *row;
    } cases[] = { { KITH_DUPLICATES_AUTO, "a x 5" },
                  { KITH_DUPLICATES_FIRST, "a x 2" },
                  { KITH_DUPLICATES_SUM, "a x 7" },
                  { KITH_DUPLICATES_MEAN, "a x 3.5" },
                  { KITH_DUPLICATES_MAX, "a x 5" } };
    begin();
    write_text("d.csv", "user,item,rating\na,x,2\nb,x,4\na,x,5\n");
    for (size_t j = 0; j < KI_COUNT(cases); j++) {
        kith_data *d = read_with(path_of("d.csv"), &(kith_read_options){ .duplicates = cases[j].policy });
        CHECK_INT(kith_data_n_interactions(d), 2);
        CHECK_INT(d->report.n_duplicates, 1);
        check_row(d, d->log.user[0] == 0 ? 0 : 1, cases[j].row);
        kith_data_free(d);
    }
    kith_data *d = NULL;
    CHECK_FAILS(kith_data_read(k, path_of("d.csv"), &(kith_read_options){ .duplicates = KITH_DUPLICATES_ERROR }, &d),
                KITH_EDATA, "user \"a\" and item \"x\"");
    end();
}

TEST(gzip_is_read_whatever_its_name_and_a_broken_one_is_refused)
{
    begin();
    kith_data *d = read_with(write_gz("r.csv", "user,item\na,x\nb,y\n"), NULL);
    CHECK_INT(kith_data_n_interactions(d), 2);
    kith_data_free(d);
    CHECK_INT(truncate(path_of("r.csv"), 25), 0);
    d = NULL;
    CHECK_FAILS(kith_data_read(k, path_of("r.csv"), NULL, &d), KITH_EFORMAT, "r.csv: broken gzip file");
    end();
}

/* Two gzip files, one after the other, and n more bytes. */
static const char *write_two_gz(const char *after, size_t n)
{
    unsigned char all[512];
    size_t used = 0;
    static const char *const parts[] = { "user,item\na,x\n", "b,y\n" };
    for (int j = 0; j < 2; j++) {
        FILE *f = fopen(write_gz("part.gz", parts[j]), "rb");
        CHECK(f != NULL);
        used += fread(all + used, 1, sizeof all - used, f);
        fclose(f);
    }
    memcpy(all + used, after, n);
    return write_bytes("two.csv.gz", (char *)all, used + n);
}

TEST(gzip_may_have_several_members_but_nothing_else_after_them)
{
    begin();
    kith_data *d = read_with(write_two_gz("", 0), NULL);
    CHECK_INT(kith_data_n_interactions(d), 2);
    kith_data_free(d);
    d = read_with(write_two_gz("\0\0\0", 3), NULL); /* padding */
    CHECK_INT(kith_data_n_interactions(d), 2);
    kith_data_free(d);
    d = NULL;
    CHECK_FAILS(kith_data_read(k, write_two_gz("c,z\n", 4), NULL, &d), KITH_EFORMAT,
                "two.csv.gz: broken gzip file: bytes after its end that are not gzip");
    CHECK_FAILS(kith_data_read(k, write_two_gz("\0\0x", 3), NULL, &d), KITH_EFORMAT, "that are not gzip");
    CHECK_FAILS(kith_data_read(k, write_two_gz("\x1f\x8b\x08", 3), NULL, &d), KITH_EFORMAT, "it ends too early");
    end();
}

TEST(titles_and_genres_beside_the_ratings_become_attributes)
{
    begin();
    kith_data *d = read_text("r.csv", "user,item,rating,title,genres,age,mood,body\n"
                                      "u1,i1,5,\"Toy, Story\",Fun|Kids,30,x,a\n"
                                      "u2,i1,4,\"Toy, Story\",Fun|Kids,40,y,b\n"
                                      "u1,i2,3,\"Two\nLines\",Drama,30,z,c\n"
                                      "u2,i3,2,,Drama,40,z,d\n");
    CHECK_INT(d->item_attrs.n_columns, 2);
    CHECK_STR(ki_item_title(&d->item_attrs, 0), "Toy, Story");
    CHECK_STR(ki_item_title(&d->item_attrs, 1), "Two\nLines");
    CHECK(ki_item_title(&d->item_attrs, 2) == NULL);
    check_cell(&d->item_attrs, "genres", 0, "Fun|Kids");
    check_cell(&d->user_attrs, "age", 1, "40");
    CHECK(strstr(d->report.notes, "columns that were ignored: mood") != NULL);
    CHECK(strstr(d->report.notes, "column title was taken as an attribute of the items") != NULL);
    CHECK(strstr(d->report.notes, "column body was ignored: 1 rows differ from an earlier one of the same item") !=
          NULL);
    kith_data_free(d);
    d = read_text("plain.csv", "user,item,rating\nu1,i1,5\n");
    CHECK_STR(d->report.notes, "");
    kith_data_free(d);
    kith_data *bad = read_with(write_text("bad.csv", "user,item,rating,movie_title\nu1,i1,x,A\nu2,i1,4,B\n"),
                               &(kith_read_options){ .skip_bad = 1 });
    CHECK_INT(bad->report.n_skipped, 1);
    kith_data_free(bad);
    end();
}

TEST(recbole_splits_are_the_predefined_split)
{
    begin();
    write_text("toy.train.inter", "user_id:token\titem_id:token\nu1\ti1\nu2\ti2\n");
    write_text("toy.valid.inter", "user_id:token\titem_id:token\nu1\ti2\n");
    write_gz("toy.test.inter.gz", "user_id:token\titem_id:token\nu2\ti1\n");
    write_text("toy.item", "item_id:token\tname:token_seq\ni1\tOne\n");
    const char *const paths[] = { folder, path_of("toy.train.inter") };
    for (int j = 0; j < 2; j++) {
        kith_data *d = read_with(paths[j], NULL);
        CHECK_INT(kith_data_n_interactions(d), 4);
        CHECK_INT(d->log.test[2], 0);
        CHECK_INT(d->log.test[3], 1);
        check_row(d, 2, "u1 i2 1");
        CHECK_STR(ki_item_title(&d->item_attrs, 0), "One");
        CHECK_STR(d->report.notes,
                  "toy.train.inter was read with the valid part for training, and the test part as the "
                  "predefined split");
        kith_data_free(d);
    }
    end();
}

TEST(what_attributes_leave_out_is_counted)
{
    char text[900], name[300];
    begin();
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(text, sizeof text,
             "{\"interaction_data\": [{\"user_id\": \"u\", \"item_id\": \"i\"}], \"item_data\": ["
             "{\"item_id\": \"i\", \"%s\": 1, \"list\": [{\"x\": 1}, \"y\", [2]]}, {\"item_id\": \"i\", \"a\": "
             "{\"b\": {\"c\": {\"d\": {\"e\": {\"f\": {\"g\": {\"h\": {\"i\": {\"j\": 1}}}}}}}}}}]}",
             name);
    kith_data *d = read_text("doc.json", text);
    CHECK(strstr(d->report.notes, "4 item attributes were left out") != NULL);
    CHECK(strstr(d->report.notes, "1 rows of item attributes have an id that came before") != NULL);
    kith_data_free(d);
    write_text("interactions.csv", "user,item\nu,i\n");
    write_text("items.csv", "id,c\ni,1\nj,2\ni,3\n");
    d = read_with(folder, &(kith_read_options){ .layout = "csv" });
    CHECK(strstr(d->report.notes, "1 rows of item attributes have an id that came before") != NULL);
    check_cell(&d->item_attrs, "c", 0, "3");
    kith_data_free(d);
    end();
}

TEST(a_line_may_not_be_endless)
{
    const size_t n = 900 << 10;
    char *text = malloc(n);
    kith_data *d = NULL;
    const kith_read_options none = { 0 };
    const ki_row_limits limits = { .line_bytes = 300 << 10 };
    begin();
    memset(text, 'x', n);
    memcpy(text, "a b\n", 4);
    CHECK_FAILS(ki_read_buffer(ki_context_job(k), "lightgcn", text, n, &none, &limits, &d), KITH_EFORMAT,
                "buffer:2:1: a line of more than 307200 bytes");
    memcpy(text, "user,item\na,\"", 13);
    CHECK_FAILS(ki_read_buffer(ki_context_job(k), "csv", text, n, &none, &limits, &d), KITH_EFORMAT,
                "is a quote left open?");
    free(text);
    end();
}

TEST(test_rows_share_the_ids_of_the_training_rows)
{
    begin();
    write_text("test.csv", "user,item,rating\na,z,1\na,x,2\n");
    kith_data *d = read_with(write_text("train.csv", "user,item,rating\na,x,4\nb,y,5\n"),
                             &(kith_read_options){ .test_path = path_of("test.csv") });
    CHECK_INT(kith_data_n_interactions(d), 4); /* (a, x) occurs once in each part: no duplicate */
    CHECK_INT(kith_data_n_items(d), 3);
    CHECK_STR(kith_data_item_id(d, 2), "z");
    CHECK(memcmp(d->log.test, "\0\0\1\1", 4) == 0);
    kith_data_free(d);
    d = NULL;
    write_text("test.csv", "user,item,rating,time\na,z,1,5\n");
    CHECK_FAILS(kith_data_read(k, path_of("train.csv"), &(kith_read_options){ .test_path = path_of("test.csv") }, &d),
                KITH_EDATA, "1 of 3 interactions have a time");
    end();
}

TEST(attributes_of_users_and_items_are_read_and_the_cold_ones_kept)
{
    begin();
    write_text("interactions.csv", "user_id,item_id,rating\nu1,i1,5\nu2,i2,4\n");
    write_text("users.csv", "user_id,age,gender\nu2,30,M\nu1,25,F\n");
    write_text("items.csv", "title,item_id,price,tags\n\"Lamp, red\",i2,20,home|light\nBook,i1,,read\nNew,i9,7,\n");
    kith_data *d = read_with(folder, NULL);
    CHECK_STR(d->report.layout, "csv");
    CHECK_INT(kith_data_n_items(d), 3); /* i9 has no interactions and comes last */
    CHECK_STR(kith_data_item_id(d, 2), "i9");
    check_cell(&d->user_attrs, "age", 0, "25");
    check_cell(&d->user_attrs, "gender", 1, "M");
    check_cell(&d->item_attrs, "price", 0, "");
    check_cell(&d->item_attrs, "price", 2, "7");
    check_cell(&d->item_attrs, "tags", 1, "home|light");
    CHECK_STR(ki_item_title(&d->item_attrs, 1), "Lamp, red");
    kith_data_free(d);
    write_text("other.csv", "id,colour\ni1,red\n");
    d = read_with(folder, &(kith_read_options){ .items_path = path_of("other.csv") });
    CHECK_INT(d->item_attrs.n_columns, 1); /* in place of items.csv */
    check_cell(&d->item_attrs, "colour", 0, "red");
    kith_data_free(d);
    d = NULL;
    write_text("other.csv", "id,colour\ni1,red\n\ni2\n");
    CHECK_FAILS(kith_data_read(k, folder, &(kith_read_options){ .items_path = path_of("other.csv") }, &d), KITH_EFORMAT,
                "other.csv:4:1: got 1 columns, want 2");
    end();
}

/* ---- JSON ---- */

/* ---- list literals ---- */

static void check_names(const char *cell, const char *want)
{
    char out[256];
    ck_assert_msg(ki_literal_names(cell, '|', out), "refused: %s", cell);
    CHECK_STR(out, want);
}

TEST(the_names_of_python_and_json_lists_are_found)
{
    check_names("[{'id': 28, 'name': 'Action'}, {'id': 12, 'name': 'Adventure'}]", "Action|Adventure");
    check_names("[{\"name\": \"A\", \"id\": 289}, {\"name\": \"B\", \"id\": -1.5e3}]", "A|B");
    check_names("['a', \"b\", 'c',]", "a|b|c");
    check_names("[{'name': \"Children's\"}, {'name': 'Schindler\\'s \\\\ List'}]", "Children's|Schindler's \\ List");
    check_names("[\"Espa\\u00f1ol\", '\\xe9t\\xe9', \"\\ud83d\\ude00\", '\\U0001f600', 'a\\nb']",
                "Espa\xc3\xb1ol|\xc3\xa9t\xc3\xa9|\xf0\x9f\x98\x80|\xf0\x9f\x98\x80|a\nb");
    check_names("['\\ud83d', '\\q', 'x|y', '\\x00']",
                "\xef\xbf\xbd|\\q|x y| "); /* half a pair; no escape; the joint; NUL */
    check_names("[]", "");
    check_names(" [ ] ", "");
    check_names("{'id': 1, 'name': 'One', 'of': [None, {'x': \"\"}]}", "One");
}

TEST(what_is_no_list_of_names_is_refused)
{
    static const char *const cells[] = { "",
                                         "[",
                                         "]",
                                         "[REC]",
                                         "[1, 2]",
                                         "['a' 'b']",
                                         "['a'",
                                         "['a]",
                                         "['\\",
                                         "['\\u12'",
                                         "['\\xz1']",
                                         "[{'id': 1}]",
                                         "[{'name': 3}]",
                                         "[{'name': 'a', 'name': 'b'}]",
                                         "['a'] x",
                                         "[{'name': 'a'}, 7]",
                                         "[['a']]",
                                         "text",
                                         "{'name': 'a'",
                                         "[,]" };
    char out[64], deep[64] = "[{'name': 'a', 'x': ";
    for (size_t j = 0; j < KI_COUNT(cells); j++)
        ck_assert_msg(!ki_literal_names(cells[j], '|', out), "taken: %s", cells[j]);
    memset(deep + strlen(deep), '[', 30);
    CHECK(!ki_literal_names(deep, '|', out));
}

TEST(cells_with_list_literals_become_sets)
{
    begin();
    write_text("items.csv", "id,genres,cast,overview,title,codes,mixed\n"
                            "i1,\"[{'id': 1, 'name': 'Action'}, {'id': 2, 'name': "
                            "'O\\'Hara'}]\",\"[\"\"Ann\"\"]\",[],[REC],\"[1, 2]\",['a']\n"
                            "i2,[],,\"['x']\",[T],\"[3, 4]\",b\n"
                            "i3,\"[{'id': 1, 'name': 'Action'}]\",\"[\"\"Bob\"\", \"\"Ann\"\"]\",z,[U],\"[5, 6]\",c\n");
    write_text("interactions.csv", "user,item\nu1,i1\nu1,i2\nu1,i3\n");
    kith_data *d = read_with(folder, NULL);
    CHECK_INT(ki_table_find(&d->item_attrs, "genres")->kind, KI_COL_SET);
    check_cell(&d->item_attrs, "genres", 0, "Action|O'Hara");
    check_cell(&d->item_attrs, "genres", 1, "");
    check_cell(&d->item_attrs, "genres", 2, "Action");
    check_cell(&d->item_attrs, "cast", 2, "Bob|Ann");
    CHECK_INT(ki_table_find(&d->item_attrs, "overview")->kind, KI_COL_TEXT);
    check_cell(&d->item_attrs, "overview", 1, "['x']");
    check_cell(&d->item_attrs, "title", 0, "[REC]");
    check_cell(&d->item_attrs, "codes", 0, "[1, 2]");
    check_cell(&d->item_attrs, "mixed", 0, "['a']");
    kith_data_free(d);
    end();
}

TEST(ndjson_objects_are_read_line_by_line)
{
    begin();
    kith_data *d =
        read_text("e.ndjson", "{\"user_id\":1,\"item_id\":\"a\",\"rating\":4,\"timestamp\":\"2024-01-15T10:30:00Z\"}\n"
                              "\n {\"time\":1705314601,\"product\":\"b\\u00e9\",\"user\":\"u\",\"more\":[1,{}]}\r\n");
    CHECK_STR(d->report.layout, "ndjson");
    check_row(d, 0, "1 a 4 1705314600");
    check_row(d, 1, "u b\xc3\xa9 1 1705314601");
    kith_data_free(d);
    check_refused("e.ndjson", "{\"user\":1,\"item\":2}\n{\"user\":1,\n", KITH_EFORMAT, "e.ndjson:2:");
    check_refused("e.ndjson", "{\"user\":1,\"item\":2}\n{\"user\":1}\n", KITH_EFORMAT,
                  "e.ndjson:2:1: got no item, want a member item_id");
    check_refused("e.ndjson", "{\"user\":1.5,\"item\":2}\n", KITH_EFORMAT,
                  "got an id that is not a string or a whole number");
    check_refused("e.ndjson", "{\"user\":1,\"item\":2,\"rating\":[]}\n", KITH_EFORMAT, "got no number");
    check_refused("e.ndjson", "{\"user\":1,\"item\":2,\"time\":\"soon\"}\n", KITH_EFORMAT, "got no time");
    check_refused("e.ndjson", "{\"user\":1,\"item\":2}\n[1]\n", KITH_EFORMAT, "e.ndjson:2:1: got no JSON object");
    check_refused("e.ndjson", "{\"user\":1,\"user\":1,\"item\":2}\n", KITH_EFORMAT, "duplicate object key");
    end();
}

TEST(the_contract_document_gives_interactions_and_attributes)
{
    static const char text[] =
        "{ \"recommendation_data\": {\n"
        " \"user_data\": [ {\"user_id\": \"user1\", \"age\": 25, \"gender\": \"F\", \"interests\": [\"technology\", "
        "\"AI\"], \"home\": {\"city\": \"NYC\"}},\n"
        "               {\"user_id\": \"user2\", \"age\": 30, \"gender\": null}, {\"user_id\": \"user3\"} ],\n"
        " \"item_data\": [ {\"item_id\": \"item1\", \"title\": \"One\", \"category\": \"electronics\", \"price\": "
        "100.5, \"v\": [1, 0.5], \"new\": true},\n"
        "               {\"item_id\": 2, \"title\": \"Two\", \"category\": \"books\", \"v\": [0, 2]} ],\n"
        " \"interaction_data\": [ {\"user_id\": \"user1\", \"item_id\": \"item1\", \"rating\": 5, \"timestamp\": "
        "\"2024-01-15T10:30:00Z\"},\n"
        "               {\"user_id\": \"user2\", \"item_id\": 2, \"liked\": true, \"read_time\": 180, \"timestamp\": "
        "1705314600} ] },\n"
        " \"recommendation_configuration\": {\"algorithm_type\": \"hybrid\"} }";
    begin();
    kith_data *d = read_text("request.json", text);
    CHECK_STR(d->report.layout, "contract");
    CHECK_INT(kith_data_n_users(d), 3);
    check_row(d, 0, "user1 item1 5 1705314600");
    check_row(d, 1, "user2 2 1 1705314600"); /* liked comes before read_time */
    check_cell(&d->user_attrs, "age", 1, "30");
    check_cell(&d->user_attrs, "gender", 1, "");
    check_cell(&d->user_attrs, "interests", 0, "technology|AI");
    check_cell(&d->user_attrs, "home.city", 0, "NYC");
    check_cell(&d->item_attrs, "price", 0, "100.5");
    check_cell(&d->item_attrs, "v", 1, "0 2");
    check_cell(&d->item_attrs, "new", 0, "true");
    kith_data_free(d);
    check_refused("r.json", "{\"interaction_data\": [{\"user\":1,\"item\":2},{\"user\":1}]}", KITH_EFORMAT,
                  "r.json: interaction_data[1]: got no item");
    check_refused("r.json", "{\"interaction_data\": 3}", KITH_EFORMAT, "interaction_data is not an array");
    check_refused("r.json", "{\"user_data\": []}", KITH_EFORMAT, "got no interaction_data");
    check_refused("r.json", "{\"interaction_data\": [],}", KITH_EFORMAT, "r.json:1:25: got ");
    check_refused("r.json", "{\"interaction_data\": []}", KITH_EDATA, "no interactions");
    check_refused("r.json", "{\"interaction_data\":[{\"user\":1,\"item\":2}],\"item_data\":[{}]}", KITH_EFORMAT,
                  "item_data[0]: got no id, want item_id");
    end();
}

/* ---- lines ---- */

TEST(lightgcn_folders_give_a_training_and_a_test_part)
{
    begin();
    write_text("train.txt", "0 10 11 12 \n1 10\n2\n");
    write_gz("test.txt.gz", "0 13\n1 11 12");
    kith_data *d = read_with(folder, NULL);
    CHECK_STR(d->report.layout, "lightgcn");
    CHECK_INT(kith_data_n_interactions(d), 7);
    CHECK_INT(kith_data_n_users(d), 3); /* user 2 is there and has nothing */
    CHECK_INT(kith_data_n_items(d), 4);
    CHECK(memcmp(d->log.test, "\0\0\0\0\1\1\1", 7) == 0);
    check_row(d, 4, "0 13 1");
    kith_data_free(d);
    end();
}

TEST(sequences_and_pairs_keep_the_order_of_the_file)
{
    begin();
    kith_data *d = read_text("Beauty.txt", "1 5 4 3\n2 4 5\n");
    CHECK_STR(d->report.layout, "sequences");
    CHECK(d->log.time == NULL);
    check_row(d, 0, "1 5 1");
    check_row(d, 4, "2 5 1");
    kith_data_free(d);
    d = read_text("Video.txt", "1 5\n1 4\n2 5\n");
    CHECK_STR(d->report.layout, "pairs");
    check_row(d, 1, "1 4 1");
    kith_data_free(d);
    d = NULL;
    CHECK_FAILS(kith_data_read(k, write_text("p.txt", "1 5\n1 4 3\n"), &(kith_read_options){ .layout = "pairs" }, &d),
                KITH_EFORMAT, "p.txt:2:1: got 3 words, want a user and an item");
    end();
}

/* ---- RecBole ---- */

TEST(recbole_headers_decide_roles_and_kinds)
{
    begin();
    write_text(
        "toy.inter",
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\nu1\ti1\t4\t881250949.0\nu2\ti2\t3\t881250950\n");
    write_text("toy.item", "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\temb:float_seq\n"
                           "i2\tThe Heat\t1995\tCrime Drama\t1 0.5\ni1\tToy\t1996\tComedy\t0 1\n");
    write_text("toy.user", "user_id:token\tage:token\tcode:float\nu1\t24\t0.5\n");
    kith_data *d = read_with(folder, NULL);
    CHECK_STR(d->report.layout, "recbole");
    check_row(d, 0, "u1 i1 4 881250949");
    CHECK_STR(ki_item_title(&d->item_attrs, 1), "The Heat");
    check_cell(&d->item_attrs, "class", 1, "Crime|Drama");
    check_cell(&d->item_attrs, "emb", 1, "1 0.5");
    check_cell(&d->user_attrs, "code", 0, "0.5");
    check_cell(&d->user_attrs, "code", 1, "");
    kith_data_free(d);
    d = read_with(path_of("toy.inter"), NULL);
    CHECK_INT(d->item_attrs.n_columns, 4);
    kith_data_free(d);
    write_text("second.inter", "x");
    d = NULL;
    CHECK_FAILS(kith_data_read(k, folder, NULL, &d), KITH_ENOTFOUND, "2 files NAME.inter in it, want one");
    end();
}

/* ---- MovieLens ---- */

static void write_100k(void)
{
    write_gz("u.data.gz", "196\t242\t3\t881250949\n186\t302\t4\t891717742\n196\t302\t1\t881250950\n");
    write_text("u.genre", "unknown|0\nAction|1\nDrama|2\n\n");
    write_text("u.item",
               "242|Caf\xe9 (1997)|24-Jan-1997||http://x|0|1|1\n302|No Date (1950)|||u|1|0|0\n7|Unrated||||0|0|0\n");
    write_text("u.user", "186|39|F|executive|00000\n196|49|M|writer|55105\n");
    write_text("u1.base", "196\t242\t3\t881250949\n186\t302\t4\t891717742\n");
    write_text("u1.test", "196\t302\t1\t881250950\n");
}

TEST(movielens_100k_comes_with_its_attributes_in_utf8)
{
    begin();
    write_100k();
    kith_data *d = read_with(folder, NULL);
    CHECK_STR(d->report.layout, "movielens-100k");
    CHECK_INT(kith_data_n_items(d), 3);
    check_row(d, 1, "186 302 4 891717742");
    CHECK_STR(ki_item_title(&d->item_attrs, 0), "Caf\xc3\xa9 (1997)");
    check_cell(&d->item_attrs, "release_date", 0, "1997-01-24");
    check_cell(&d->item_attrs, "year", 0, "1997");
    check_cell(&d->item_attrs, "genres", 0, "Action|Drama");
    check_cell(&d->item_attrs, "release_date", 1, "");
    check_cell(&d->item_attrs, "year", 1, "1950"); /* from the title */
    check_cell(&d->item_attrs, "year", 2, "");
    check_cell(&d->user_attrs, "age", 0, "49");
    check_cell(&d->user_attrs, "occupation", 1, "executive");
    check_cell(&d->user_attrs, "zip", 1, "00000");
    kith_data_free(d);
    end();
}

TEST(movielens_100k_has_its_published_splits)
{
    begin();
    write_100k();
    kith_data *d = read_with(folder, &(kith_read_options){ .layout = "movielens-100k:u1" });
    CHECK_STR(d->report.layout, "movielens-100k:u1");
    CHECK_INT(kith_data_n_interactions(d), 3);
    CHECK(memcmp(d->log.test, "\0\0\1", 3) == 0);
    kith_data_free(d);
    d = read_with(path_of("u1.base"), &(kith_read_options){ .test_path = path_of("u1.test") });
    CHECK_STR(d->report.layout, "movielens-100k");
    CHECK(memcmp(d->log.test, "\0\0\1", 3) == 0);
    kith_data_free(d);
    d = NULL;
    CHECK_FAILS(kith_data_read(k, folder, &(kith_read_options){ .layout = "movielens-100k:u2" }, &d), KITH_ENOTFOUND,
                "no u2.base");
    CHECK_FAILS(kith_data_read(k, folder, &(kith_read_options){ .layout = "movielens-100k:u9" }, &d), KITH_EINVAL,
                "want u1 to u5");
    write_text("u.item", "242|Short|24-Jan-1997\n");
    CHECK_FAILS(kith_data_read(k, folder, NULL, &d), KITH_EFORMAT, "u.item:1:1: got 3 fields, want 8");
    end();
}

TEST(movielens_1m_codes_become_words)
{
    begin();
    write_text("ratings.dat", "1::1193::5::978300760\n2::661::3::978302109\n");
    write_text("movies.dat",
               "661::James and the Giant Peach (1996)::Animation|Children's\n1193::Am\xe9lie: a test (2000)::Drama\n");
    write_text("users.dat", "1::F::1::10::48067\n2::M::56::16::70072\n");
    kith_data *d = read_with(folder, NULL);
    CHECK_STR(d->report.layout, "movielens-1m");
    check_row(d, 0, "1 1193 5 978300760");
    CHECK_STR(ki_item_title(&d->item_attrs, 0), "Am\xc3\xa9lie: a test (2000)");
    check_cell(&d->item_attrs, "genres", 1, "Animation|Children's");
    check_cell(&d->item_attrs, "year", 1, "1996");
    check_cell(&d->user_attrs, "age", 0, "Under 18");
    check_cell(&d->user_attrs, "occupation", 1, "self-employed");
    kith_data_free(d);
    d = NULL;
    write_text("users.dat", "1::F::1::10::48067\n2::M::57::16::70072\n");
    CHECK_FAILS(kith_data_read(k, folder, NULL, &d), KITH_EFORMAT, "users.dat:2:1: got \"57\", want a code of the age");
    CHECK_FAILS(kith_data_read(k, write_text("r.dat", "1::2::3\n1::2\n"), NULL, &d), KITH_EFORMAT,
                "r.dat:2:1: got 2 fields, want user::movie::rating[::time]");
    end();
}

TEST(movielens_latest_is_joined_with_movies_and_links)
{
    begin();
    write_text("ratings.csv", "userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n");
    write_text(
        "movies.csv",
        "movieId,title,genres\n1,\"American President, The (1995)\",Comedy|Drama\n31,Untitled,(no genres listed)\n");
    write_text("links.csv", "movieId,imdbId,tmdbId\n1,0114709,862\n31,0112792,\n");
    kith_data *d = read_with(folder, NULL);
    CHECK_STR(d->report.layout, "movielens-latest");
    CHECK_STR(ki_item_title(&d->item_attrs, 1), "American President, The (1995)");
    check_cell(&d->item_attrs, "year", 1, "1995");
    check_cell(&d->item_attrs, "year", 0, "");
    check_cell(&d->item_attrs, "genres", 0, "");
    check_cell(&d->item_attrs, "imdbId", 0, "0112792");
    check_cell(&d->item_attrs, "tmdbId", 0, "");
    kith_data_free(d);
    d = read_with(path_of("ratings.csv"), NULL);
    CHECK_INT(kith_data_n_items(d), 2);
    kith_data_free(d);
    end();
}

/* ---- the engine ---- */

/* n rows with ids in no order, some quoted over two lines, some malformed. */
static char *messy_csv(int64_t n, size_t *bytes)
{
    char *text = malloc((size_t)n * 64 + 64);
    if (text == NULL) exit(1);
    ki_rng r = ki_rng_make(11, 0, 0);
    size_t at = (size_t)sprintf(text, "user,item,rating,timestamp\n");
    for (int64_t j = 0; j < n; j++) {
        const uint32_t u = ki_rng_below(&r, 3000), i = ki_rng_below(&r, 500), kind = ki_rng_below(&r, 50);
        const char *form = kind == 0   ? "\"u\n%u\",i%u,%u,%u\n"
                           : kind == 1 ? "u%u,\"i%u\",x%u,%u\n"
                           : kind == 2 ? "u%u,i%u,%u,%u\r\n"
                                       : "u%u,i%u,%u,%u\n";
        at += (size_t)sprintf(text + at, form, u, i, ki_rng_below(&r, 5), 1000000000 + (unsigned)j);
    }
    *bytes = at;
    return text;
}

/* Ids that are found in different ways: in an array, in a slot, in the map. */
TEST(ids_that_look_alike_stay_apart)
{
    static const char *const ids[] = {
        "7",        "07",        "007",       "0",        "00",  "4095",    "4096",  "12345678",
        "1234567",  "99999999",  "123456789", "+7",       "7.0", "-7",      "seven", "\xc3\xa9t\xc3\xa9",
        "a2345678", "a23456789", "7a",        "70000000", "1e3", "00000007"
    };
    enum { N_IDS = (int)KI_COUNT(ids), N_ROWS = 3000 };
    char *text = malloc(N_ROWS * 40);
    size_t at = (size_t)sprintf(text, "user,item\n");
    const kith_read_options keep = { .duplicates = KITH_DUPLICATES_LAST };
    begin();
    for (int j = 0; j < N_ROWS; j++)
        at += (size_t)sprintf(text + at, "%s,%s\n", ids[j % N_IDS], ids[j / N_IDS % N_IDS]);
    for (int piece = 0; piece < 2; piece++) {
        const ki_row_limits limits = { .piece_bytes = piece == 0 ? 0 : 64 };
        kith_data *d = NULL;
        CHECK_OK(ki_read_buffer(ki_context_job(k), "csv", text, at, &keep, &limits, &d));
        CHECK_INT(d->users.n, N_IDS);
        CHECK_INT(d->items.n, N_IDS);
        CHECK_INT(d->log.n, N_IDS * N_IDS);
        for (int j = 0; j < N_IDS; j++) {
            CHECK_STR(kith_data_user_id(d, j), ids[j]);
            CHECK_STR(kith_data_item_id(d, j), ids[j]);
        }
        kith_data_free(d);
    }
    free(text);
    end();
}

/* Short values are remembered; a NUL after one must not make it look the same. */
TEST(a_value_that_was_seen_does_not_let_a_nul_pass)
{
    static const char text[] = "user,item,rating\na,x,4\nb,x,4\0\n";
    kith_data *d = NULL;
    begin();
    CHECK_FAILS(kith_data_read(k, write_bytes("nul.csv", text, sizeof text - 1), NULL, &d), KITH_EFORMAT,
                "nul.csv:3:5: got \"4");
    end();
}

TEST(the_data_is_the_same_for_any_threads_and_pieces)
{
    static const struct {
        int threads;
        size_t piece;
    } cases[] = { { 1, 0 }, { 5, 0 }, { 1, 1000 }, { 2, 37 }, { 5, 100000 } };
    size_t n;
    char *text = messy_csv(60000, &n);
    const kith_read_options none = { 0 };
    uint64_t first = 0;
    ki_read_report report = { 0 };
    for (size_t j = 0; j < KI_COUNT(cases); j++) {
        kith_data *d = NULL;
        const ki_row_limits limits = { .skip_bad = 60000, .piece_bytes = cases[j].piece };
        CHECK_OK(kith_new(&(kith_options){ .threads = cases[j].threads }, &k));
        CHECK_OK(ki_read_buffer(ki_context_job(k), "csv", text, n, &none, &limits, &d));
        CHECK_OK(ki_data_check(d));
        if (j == 0) {
            first = ki_data_fingerprint(d);
            report = d->report;
            CHECK(report.n_skipped > 500 && report.n_duplicates > 0);
        }
        CHECK(ki_data_fingerprint(d) == first);
        CHECK(memcmp(&d->report, &report, sizeof report) == 0);
        kith_data_free(d);
        kith_free(k);
    }
    free(text);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(the_same_malformed_line_is_named_for_any_threads)
{
    char want[KI_MESSAGE_SIZE] = "";
    size_t n;
    char *text = messy_csv(20000, &n);
    const kith_read_options none = { 0 };
    for (int threads = 1; threads <= 5; threads += 4) {
        kith_data *d = NULL;
        const ki_row_limits limits = { .piece_bytes = 5000 };
        CHECK_OK(kith_new(&(kith_options){ .threads = threads }, &k));
        CHECK_FAILS(ki_read_buffer(ki_context_job(k), "csv", text, n, &none, &limits, &d), KITH_EFORMAT,
                    "want a number (rating)");
        if (threads == 1) snprintf(want, sizeof want, "%s", kith_last_error());
        CHECK_STR(kith_last_error(), want);
        kith_free(k);
    }
    free(text);
}

/* n records without quotes, of every kind that a separator or a line break can make hard. */
static size_t hard_csv(char *text, uint64_t seed, int n, const char *first)
{
    static const char *const fields[] = { "7",
                                          " 7",
                                          "12345678",
                                          "4.5",
                                          "",
                                          "   ",
                                          "abcdefgh",
                                          "x\ty",
                                          "00012",
                                          "1e3",
                                          "-3",
                                          "1234567890",
                                          "99999999999",
                                          "2024-01-15",
                                          "\xc3\xa9t",
                                          "\xff",
                                          "0x1p3",
                                          "a\r",
                                          "12345678901234567890123456789" };
    ki_rng r = ki_rng_make(seed, 0, 0);
    size_t at = (size_t)sprintf(text, "user,item,rating,timestamp\n%s\n", first);
    for (int j = 0; j < n; j++) {
        const uint32_t kind = ki_rng_below(&r, 40);
        const int n_fields = kind == 0 ? 0 : kind == 1 ? 3 : kind == 2 ? 5 : 4;
        for (int f = 0; f < n_fields; f++) {
            const int odd = ki_rng_below(&r, 12) == 0;
            if (f > 0) text[at++] = ',';
            if (odd)
                at += (size_t)sprintf(text + at, "%s", fields[ki_rng_below(&r, (uint32_t)KI_COUNT(fields))]);
            else
                at += (size_t)sprintf(text + at, f == 3 ? "10000000%02u" : "%u", ki_rng_below(&r, f == 2 ? 6 : 90));
        }
        if (kind == 3) /* longer than what marks are held for */
            for (int c = 0; c < 3000; c++) text[at++] = c % 7 == 0 && ki_rng_below(&r, 4) == 0 ? ',' : 'l';
        if (kind == 4) text[at++] = '\0';
        if (kind == 5) text[at++] = '\r';
        if (j + 1 < n || seed % 2 == 0) text[at++] = '\n'; /* the last line may lack its end */
    }
    return at;
}

/* A quote anywhere in a block keeps its records from being split by marks: the same records then come the long way. */
TEST(records_that_come_split_say_what_whole_ones_say)
{
    enum { N = 300 };
    char *text = malloc(N * 3200);
    const kith_read_options none = { 0 };
    begin();
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t print[2] = { 0 };
        ki_read_report report[2];
        char blamed[KI_MESSAGE_SIZE];
        for (int quoted = 0; quoted < 2; quoted++) {
            const size_t n = hard_csv(text, seed, N, quoted ? "\"u\",i,1,1" : "u,i,1,1");
            const ki_row_limits strict = { .piece_bytes = seed % 3 == 0 ? 64 : 0 };
            const ki_row_limits lenient = { .skip_bad = N, .piece_bytes = strict.piece_bytes };
            kith_data *d = NULL;
            CHECK(ki_read_buffer(ki_context_job(k), "csv", text, n, &none, &strict, &d) == KITH_EFORMAT);
            if (quoted) CHECK_STR(kith_last_error(), blamed);
            snprintf(blamed, sizeof blamed, "%s", kith_last_error());
            CHECK_OK(ki_read_buffer(ki_context_job(k), "csv", text, n, &none, &lenient, &d));
            CHECK_OK(ki_data_check(d));
            CHECK(d->log.n > 50);
            print[quoted] = ki_data_fingerprint(d);
            report[quoted] = d->report;
            kith_data_free(d);
        }
        CHECK(print[0] == print[1]);
        CHECK(memcmp(&report[0], &report[1], sizeof report[0]) == 0);
    }
    free(text);
    end();
}

static void cancel_at_once(void *udata, const char *what, int64_t done, int64_t total)
{
    (void)what;
    (void)done;
    (void)total;
    kith_cancel(*(kith **)udata);
}

TEST(reading_can_be_cancelled)
{
    kith *mine;
    kith_data *d = NULL;
    size_t n;
    char *text = messy_csv(30000, &n); /* several blocks */
    make_folder();
    CHECK_OK(kith_new(&(kith_options){ .threads = 1, .progress = cancel_at_once, .udata = &mine }, &mine));
    CHECK_FAILS(kith_data_read(mine, write_bytes("c.csv", text, n), &(kith_read_options){ .skip_bad = 30000 }, &d),
                KITH_ECANCELED, "read c.csv was cancelled");
    kith_free(mine);
    free(text);
    remove_folder();
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(every_refused_allocation_is_an_error_and_leaks_nothing)
{
    kith *one;
    make_folder();
    write_100k();
    write_text("c.json", "{\"interaction_data\":[{\"user\":\"a\",\"item\":\"x\"}],\"item_data\":[{\"item_id\":\"y\","
                         "\"tags\":[\"p\",\"q\"]}]}");
    write_text("e.ndjson", "{\"user\":\"a\",\"item\":\"x\"}\n");
    write_text("q.csv", "user,item\n\"a\",x\nb,y\n");
    static const char *const names[] = { ".", "c.json", "e.ndjson", "q.csv" };
    CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &one));
    const int64_t before = ki_alloc_live();
    for (size_t j = 0; j < KI_COUNT(names); j++) {
        for (int64_t n = 1;; n++) {
            kith_data *d = NULL;
            ki_alloc_fail_at(n, 0);
            const kith_err err = kith_data_read(one, path_of(names[j]), NULL, &d);
            ki_alloc_fail_at(0, 0);
            if (err == KITH_OK) kith_data_free(d);
            CHECK_INT(ki_alloc_live(), before);
            if (err == KITH_OK) break;
            CHECK_INT(err, KITH_ENOMEM);
        }
    }
    kith_free(one);
    remove_folder();
}

TEST(all_layouts_have_a_name)
{
    const char *const *names = kith_layouts();
    int n = 0;
    while (names[n] != NULL) n++;
    CHECK_INT(n, 12);
    CHECK_STR(names[0], "binary");
}
