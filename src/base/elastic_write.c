/* SPDX-License-Identifier: MIT
 * elastic_write.c -- documents into an index, many with each request
 *
 * A batch is sent when it has 1,000 documents or 4 MiB.  What a busy server puts off (status 429, for the whole request
 * or for single documents) is sent again after a while, five times at most; what it refuses is counted.
 */
#include "base/elastic.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/scan.h" /* ki_show */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    MOST_DOCUMENTS = 1000,
    MOST_BYTES = 4 << 20,
    MOST_ROUNDS = 5,
    TOO_BUSY = 429,
    FIRST_WAIT_MS = 200
};

struct ki_elastic_bulk {
    ki_elastic *index;
    int has_types; /* up to Elasticsearch 6 a document has one, and may not go without */
    char *text;    /* [n] two lines for each document */
    size_t n, room;
    int n_documents;
    size_t start[MOST_DOCUMENTS + 1]; /* of each, and of the next */
    ki_elastic_report report;
};

/* ---- the server ---- */

/* Who may not ask for the version has a server that is new enough to know of such rights. */
static kith_err learn_version(ki_elastic_bulk *b)
{
    ki_http_reply reply = { 0 };
    const kith_err err = ki_elastic_ask(b->index, "/", &(ki_http_question){ 0 }, &reply);
    if (err != KITH_OK)
        return ki_elastic_status(b->index) == 0 || err == KITH_ENOMEM ? err : KITH_OK;
    json_t *answer = json_loadb(reply.body, reply.n, 0, NULL);
    const json_t *version = json_object_get(answer, "version");
    const char *number = json_string_value(json_object_get(version, "number"));
    const int is_other =
        json_object_get(version, "distribution") != NULL; /* OpenSearch, which began at 1 */
    b->has_types = number != NULL && !is_other && atoi(number) < 7;
    json_decref(answer);
    ki_free(reply.body);
    return KITH_OK;
}

kith_err ki_elastic_bulk_new(ki_elastic *e, ki_elastic_bulk **out)
{
    ki_elastic_bulk *b = NULL;
    kith_err err = ki_alloc(&b, 1, sizeof *b);
    if (err != KITH_OK) return err;
    b->index = e;
    if ((err = learn_version(b)) == KITH_OK)
        *out = b;
    else
        ki_elastic_bulk_free(b);
    return err;
}

void ki_elastic_bulk_free(ki_elastic_bulk *b)
{
    if (b == NULL) return;
    ki_free(b->text);
    ki_free(b);
}

/* ---- a batch ---- */

static void note_refused(ki_elastic_bulk *b, const json_t *item)
{
    const json_t *error = json_object_get(item, "error");
    const char *id = json_string_value(json_object_get(item, "_id"));
    const char *type =
        json_string_value(json_is_string(error) ? error : json_object_get(error, "type"));
    const char *reason = json_string_value(json_object_get(error, "reason"));
    if (b->report.refused++ > 0) return;
    snprintf(b->report.first, sizeof b->report.first, "\"%.80s\": status %d %.60s %.200s",
             id == NULL ? "" : id, (int)json_integer_value(json_object_get(item, "status")),
             type == NULL ? "" : type, reason == NULL ? "" : reason);
    ki_elastic_make_plain(b->report.first);
}

/* Document j stays, as number `to` of the next round. */
static void keep_for_later(ki_elastic_bulk *b, int j, int to, size_t *n)
{
    const size_t bytes = b->start[j + 1] - b->start[j];
    memmove(b->text + *n, b->text + b->start[j], bytes);
    b->start[to] = *n;
    *n += bytes;
}

/* What became of each document; those that were put off are all that is left in the batch, unless it is the last
 * round. */
static void read_items(ki_elastic_bulk *b, const json_t *items, int is_last)
{
    size_t n = 0;
    int left = 0;
    for (int j = 0; j < b->n_documents; j++) {
        const json_t *item = json_object_get(json_array_get(items, (size_t)j), "index");
        const int status = (int)json_integer_value(json_object_get(item, "status"));
        if (status == TOO_BUSY && !is_last)
            keep_for_later(b, j, left++, &n);
        else if (status / 100 == 2)
            b->report.sent++;
        else
            note_refused(b, item);
    }
    b->n_documents = left;
    b->n = b->start[left] = n;
}

static kith_err take_answer(ki_elastic_bulk *b, const ki_http_reply *reply, int is_last)
{
    char shown[KI_SHOW], why[200];
    json_t *answer = json_loadb(reply->body, reply->n, 0, NULL);
    const json_t *items = json_object_get(answer, "items");
    kith_err err = KITH_OK;
    if (json_array_size(items) == (size_t)b->n_documents) {
        read_items(b, items, is_last);
    } else {
        snprintf(why, sizeof why,
                 "the answer to _bulk begins %s and does not speak of all documents",
                 ki_show(shown, reply->body, reply->n));
        err = ki_elastic_fail(b->index, KITH_EFORMAT, why);
    }
    json_decref(answer);
    return err;
}

static void wait_ms(long ms)
{
    const struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&t, NULL);
}

static kith_err send_batch(ki_elastic_bulk *b)
{
    for (int round = 0; b->n_documents > 0; round++) {
        const ki_http_question q = { .type = "application/x-ndjson", .body = b->text, .n = b->n };
        const int is_last = round == MOST_ROUNDS;
        ki_http_reply reply = { 0 };
        if (round > 0) wait_ms(FIRST_WAIT_MS << (round - 1));
        kith_err err = ki_elastic_ask(b->index, "_bulk", &q, &reply);
        if (err != KITH_OK && ki_elastic_status(b->index) == TOO_BUSY && !is_last) continue;
        if (err == KITH_OK) err = take_answer(b, &reply, is_last);
        ki_free(reply.body);
        if (err != KITH_OK) return err;
    }
    return KITH_OK;
}

/* ---- one document ---- */

static kith_err put(ki_elastic_bulk *b, const char *text)
{
    const size_t n = strlen(text);
    if (b->n + n + 2 > b->room) {
        const size_t room = KI_MAX(2 * b->room, b->n + n + 4096);
        const kith_err err = ki_grow(&b->text, b->room, room, 1);
        if (err != KITH_OK) return err;
        b->room = room;
    }
    memcpy(b->text + b->n, text, n);
    b->text[b->n += n] = '\n';
    b->text[++b->n] = '\0';
    return KITH_OK;
}

kith_err ki_elastic_bulk_add(ki_elastic_bulk *b, const char *id, const char *document)
{
    char *action = NULL;
    kith_err err = KITH_OK;
    if (b->n_documents == MOST_DOCUMENTS || b->n >= MOST_BYTES) err = send_batch(b);
    if (err != KITH_OK) return err;
    json_t *target = json_pack("{s:s}", "_id", id);
    if (b->has_types) json_object_set_new(target, "_type", json_string("doc"));
    err = target == NULL ? ki_elastic_fail(b->index, KITH_EINVAL, "an id that is not UTF-8")
                         : ki_json_print(json_pack("{s:o}", "index", target), &action);
    b->start[b->n_documents] = b->n;
    if (err == KITH_OK) err = put(b, action);
    if (err == KITH_OK) err = put(b, document);
    if (err == KITH_OK)
        b->start[++b->n_documents] = b->n;
    else
        b->n = b->start[b->n_documents];
    ki_free(action);
    return err;
}

kith_err ki_elastic_bulk_end(ki_elastic_bulk *b, ki_elastic_report *out)
{
    const kith_err err = send_batch(b);
    if (err == KITH_OK) *out = b->report;
    return err;
}
