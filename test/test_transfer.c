/* SPDX-License-Identifier: MIT
 * test_transfer.c -- a whole store as lines of JSON, and back
 */
#include "storage.h"

#include "base/mem.h"
#include "store/transfer.h"

struct lines {
    char text[1 << 14];
    size_t n;
};

static kith_err keep_line(void *udata, const char *line, size_t n)
{
    struct lines *l = udata;
    CHECK(strlen(line) == n && strchr(line, '\n') == NULL && l->n + n + 2 < sizeof l->text);
    memcpy(l->text + l->n, line, n);
    l->text[l->n + n] = '\n';
    l->n += n + 1;
    l->text[l->n] = '\0';
    return KITH_OK;
}

static const char *export(ki_store *s, const ki_export_options *o)
{
    static struct lines l;
    l.n = 0;
    l.text[0] = '\0';
    CHECK_OK(ki_store_export(s, o, keep_line, &l));
    return l.text;
}

static kith_err write_to(void *udata, ki_change *changes, int n)
{
    return ki_store_write(udata, changes, n);
}

static kith_err import_line(ki_store *s, const char *line, ki_import_counts *counts)
{
    ki_import *im;
    CHECK_OK(ki_import_new(write_to, s, &im));
    kith_err err = ki_import_line(im, line, strlen(line), 7);
    if (err == KITH_OK) err = ki_import_flush(im, counts);
    ki_import_free(im);
    return err;
}

static void import_all(ki_store *s, const char *text, ki_import_counts *counts)
{
    ki_import *im;
    int64_t number = 0;
    CHECK_OK(ki_import_new(write_to, s, &im));
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
        CHECK_OK(ki_import_line(im, line, strcspn(line, "\n"), ++number));
    CHECK_OK(ki_import_flush(im, counts));
    ki_import_free(im);
}

static ki_store *some_store(void)
{
    ki_store *s;
    CHECK_OK(ki_store_open(NULL, NULL, &s));
    ki_change c[] = {
        a_user("gone", NULL),
        a_user("ann", "{\"age\":31,\"tags\":[\"a\",\"b\"]}"),
        an_item("x", "{\"title\":\"Caf\u00e9 \\\"X\\\"\"}"),
        an_event("ann", "x", "rating", 0.1),
        an_event("bob", "y", "view", NAN),
        a_document("scenario", "home", "{\"n\":3}"),
        a_document("key", "k1", "{\"hash\":\"00\"}"),
        { .change = KI_ADD_JOURNAL, .kind = "exposure", .id = "r1", .user = "ann", .json = "{\"p\":0.25}" }
    };
    for (size_t j = 0; j < KI_COUNT(c); j++) c[j].time_ms = 1000 + (int64_t)j;
    c[2].hidden = 1;
    c[3].rec_id = "r1";
    c[3].id = "e1";
    c[3].json = "{\"device\":\"tv\"}";
    CHECK_OK(ki_store_write(s, c, (int)KI_COUNT(c)));
    CHECK_OK(write_one(s, (ki_change){ .change = KI_DROP_USER, .id = "gone" }));
    return s;
}

TEST(an_export_is_one_line_for_each_row)
{
    ki_store *s = some_store();
    const char *all = export(s, NULL);
    CHECK(strncmp(all, "{\"type\":\"user\",\"id\":\"ann\",\"index\":1,\"time_ms\":1001,\"attributes\":{\"age\":31,",
                  70) == 0);
    CHECK(strstr(all, "gone") == NULL && strstr(all, "\"hash\"") != NULL);
    CHECK(strstr(export(s, &(ki_export_options){ .without_kind = "key" }), "hash") == NULL);
    const char *events = export(s, &(ki_export_options){ .tables = 1u << KI_EVENTS });
    CHECK(strncmp(events, "{\"type\":\"event\"", 15) == 0 && strstr(events, "\"user\":\"bob\"") != NULL);
    const char *bob = export(s, &(ki_export_options){ .user = "bob" });
    CHECK(strstr(bob, "ann") == NULL && strstr(bob, "\"item\":\"y\"") != NULL && strstr(bob, "document") == NULL);
    CHECK_STR(export(s, &(ki_export_options){ .user = "nobody" }), "");
    ki_store_close(s);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(what_is_read_back_is_the_same_with_the_gaps_closed)
{
    ki_store *s = some_store(), *t, *u;
    ki_import_counts counts;
    static char text[1 << 14];
    CHECK_OK(ki_store_open(NULL, NULL, &t));
    CHECK_OK(ki_store_open(NULL, NULL, &u));
    import_all(t, export(s, NULL), &counts);
    CHECK(counts.rows[KI_USERS] == 2 && counts.rows[KI_ITEMS] == 2 && counts.rows[KI_EVENTS] == 2 &&
          counts.rows[KI_DOCUMENTS] == 2 && counts.rows[KI_JOURNALS] == 1 && counts.repeated == 0);
    CHECK_STR(gather(t, KI_USERS, NULL), "0:ann 1:bob");
    CHECK_OK(ki_store_check(t));
    snprintf(text, sizeof text, "%s", export(t, NULL));
    import_all(u, text, NULL);
    CHECK_STR(export(u, NULL), text); /* no byte of a value, time or text is lost on the way */
    CHECK(strstr(text, "\"value\":0.10000000000000001") != NULL && strstr(text, "\"hidden\":true") != NULL);
    import_all(u, text, &counts); /* once more: events with an id are counted once */
    CHECK(counts.repeated == 1 && counts.rows[KI_EVENTS] == 1);
    ki_store_close(s);
    ki_store_close(t);
    ki_store_close(u);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_line_that_is_wrong_is_named_and_left_out)
{
    static const struct {
        const char *line, *words;
    } wrong[] = {
        { "{\"type\": \"user\"", "line 7: column" },
        { "[1]", "line 7: it is not an object" },
        { "{\"type\": \"film\", \"id\": \"x\"}", "its \"type\" is not user" },
        { "{\"id\": \"x\"}", "its \"type\" is not user" },
        { "{\"type\": \"user\", \"id\": \"x\", \"nmae\": 1}", "type \"user\" has no member \"nmae\"" },
        { "{\"type\": \"user\"}", "line 7: change 1 (a user): it has no id" },
        { "{\"type\": \"user\", \"id\": 3}", "\"id\" is not a string" },
        { "{\"type\": \"user\", \"id\": \"a\\u0000b\"}", "line 7: column" },
        { "{\"type\": \"user\", \"id\": \"a\", \"id\": \"b\"}", "duplicate" },
        { "{\"type\": \"item\", \"id\": \"x\", \"hidden\": 1}", "\"hidden\" is not true or false" },
        { "{\"type\": \"item\", \"id\": \"x\", \"attributes\": []}", "\"attributes\" is not an object" },
        { "{\"type\": \"event\", \"user\": \"a\", \"item\": \"x\"}", "it has no kind" },
        { "{\"type\": \"event\", \"user\": \"a\", \"item\": \"x\", \"kind\": \"v\", \"time_ms\": 1.5}",
          "whole number" },
        { "{\"type\": \"event\", \"user\": \"a\", \"item\": \"x\", \"kind\": \"v\", \"time_ms\": 1000000000000000}",
          "years 1 to 9999" },
    };
    ki_store *s;
    CHECK_OK(ki_store_open(NULL, NULL, &s));
    for (size_t j = 0; j < KI_COUNT(wrong); j++)
        CHECK_FAILS(import_line(s, wrong[j].line, NULL), KITH_EINVAL, wrong[j].words);
    CHECK_STR(export(s, NULL), "");
    CHECK_OK(import_line(s, " \r", NULL));
    ki_store_close(s);
    CHECK_INT(ki_alloc_live(), 0);
}

static kith_err refuse(void *udata, ki_change *changes, int n)
{
    (void)udata, (void)changes, (void)n;
    return ki_fail(KITH_EIO, "the disk is full");
}

TEST(a_batch_that_cannot_be_written_is_told_by_its_lines)
{
    ki_import *im;
    ki_import_counts counts;
    CHECK_OK(ki_import_new(refuse, NULL, &im));
    static const char line[] = "{\"type\":\"user\",\"id\":\"a\",\"attributes\":{\"b\":1}}";
    for (int j = 1; j < 500; j++) CHECK_OK(ki_import_line(im, line, strlen(line), j));
    CHECK_FAILS(ki_import_line(im, line, strlen(line), 500), KITH_EIO, "lines 1 to 500: the disk is full");
    CHECK_OK(ki_import_line(im, line, strlen(line), 501));
    CHECK_FAILS(ki_import_flush(im, &counts), KITH_EIO, "line 501");
    CHECK_INT(counts.rows[KI_USERS], 0);
    ki_import_free(im);
    CHECK_INT(ki_alloc_live(), 0);
}
