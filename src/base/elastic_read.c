/* SPDX-License-Identifier: MIT
 * elastic_read.c -- the documents of an index as lines of JSON
 *
 * A scroll gives them in pages of 1,000 as they were at its begin, whatever is written meanwhile.  A page is cut into
 * its documents by brackets and quotes; what is in them is judged by whoever reads the lines, as with any other
 * file.  Held at a time: one page as text, and one line.
 */
#include "base/elastic.h"
#include "base/jsonscan.h"
#include "base/mem.h"
#include "base/scan.h" /* ki_show */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char first_page[] = "_search?scroll=10m", next_page[] = "/_search/scroll";
static const char how[] = "{\"size\": 1000, \"sort\": [\"_doc\"]}";

struct text { /* a value as it stands in the page */
    const char *at;
    size_t n;
};

struct pages {
    ki_elastic *index;
    char *scroll; /* the server's name for it, as JSON; NULL: none yet */
    ki_http_reply page;
    ki_json_scan hits;        /* what is left of the page's documents */
    int at_end, away;         /* away: the last question had no answer */
    int64_t n_total, n_given; /* documents */
    int64_t n_bytes;          /* of the lines given */
    char *line;               /* [line_n] of which line_at are taken */
    size_t line_n, line_at, line_room;
};

/* ---- a page ---- */

/* The value of a member of the object that s stands before; 0 when there is none, or it cannot be followed. */
static int find_member(ki_json_scan s, const char *name, struct text *out)
{
    const char *key;
    size_t n;
    if (!ki_json_take(&s, '{')) return 0;
    do {
        if (!ki_json_key(&s, &key, &n)) return 0;
        ki_json_blanks(&s);
        const char *from = s.at;
        if (!ki_json_skip(&s)) return 0;
        if (!ki_json_is(key, n, name)) continue;
        *out = (struct text){ from, (size_t)(s.at - from) };
        return 1;
    } while (ki_json_take(&s, ','));
    return 0;
}

static ki_json_scan inside(struct text t)
{
    return (ki_json_scan){ t.at, t.at + t.n };
}

static json_t *parsed(ki_json_scan page, const char *member)
{
    struct text t;
    return find_member(page, member, &t) ? json_loadb(t.at, t.n, JSON_DECODE_ANY, NULL) : NULL;
}

/* A page that lacks what some shard holds is no whole answer. */
static kith_err check_shards(const struct pages *p, ki_json_scan page)
{
    char why[400];
    json_t *shards = parsed(page, "_shards"), *late = parsed(page, "timed_out");
    const json_t *failure = json_array_get(json_object_get(shards, "failures"), 0);
    const json_t *reason = json_object_get(json_object_get(failure, "reason"), "reason");
    const int failed = (int)json_integer_value(json_object_get(shards, "failed"));
    const int all = (int)json_integer_value(json_object_get(shards, "total"));
    const char *said =
        json_is_string(reason) ? json_string_value(reason) : "the log of the server says why";
    kith_err err = KITH_OK;
    if (failed > 0 || json_is_true(late)) {
        snprintf(why, sizeof why,
                 "%d of %d shards did not answer, so that documents are missing: %.250s", failed,
                 all, failed > 0 ? said : "the search ran out of time");
        err = ki_elastic_fail(p->index, KITH_EIO, why);
    }
    json_decref(shards);
    json_decref(late);
    return err;
}

static kith_err not_a_page(const struct pages *p)
{
    char why[200], shown[KI_SHOW];
    snprintf(why, sizeof why,
             "the answer begins %s and is no page of documents; does ELASTICSEARCH_URL name an "
             "Elasticsearch server?",
             ki_show(shown, p->page.body, p->page.n));
    return ki_elastic_fail(p->index, KITH_EFORMAT, why);
}

/* How many there are: a number, or since Elasticsearch 7 an object with one. */
static int64_t total_of(ki_json_scan hits)
{
    json_t *total = parsed(hits, "total");
    const json_t *value = json_is_object(total) ? json_object_get(total, "value") : total;
    const int64_t n = json_integer_value(value);
    json_decref(total);
    return n;
}

static kith_err keep_scroll(struct pages *p, struct text id)
{
    char *copy = NULL;
    const kith_err err = ki_strndup(&copy, id.at, id.n);
    if (err != KITH_OK) return err;
    ki_free(p->scroll);
    p->scroll = copy;
    return KITH_OK;
}

static kith_err open_page(struct pages *p)
{
    const ki_json_scan page = { p->page.body, p->page.body + p->page.n };
    struct text scroll, hits, list;
    if (!find_member(page, "_scroll_id", &scroll) || scroll.at[0] != '"' ||
        !find_member(page, "hits", &hits) || !find_member(inside(hits), "hits", &list))
        return not_a_page(p);
    kith_err err = keep_scroll(p, scroll);
    if (err == KITH_OK) err = check_shards(p, page);
    if (err != KITH_OK) return err;
    p->n_total = total_of(inside(hits));
    p->hits = inside(list);
    if (!ki_json_take(&p->hits, '[')) return not_a_page(p);
    p->at_end = ki_json_take(&p->hits, ']');
    return KITH_OK;
}

static kith_err ask_page(struct pages *p)
{
    char *body = NULL;
    ki_http_question q = { .body = how };
    kith_err err = KITH_OK;
    if (p->scroll != NULL) {
        const size_t room = strlen(p->scroll) + 64;
        if ((err = ki_alloc(&body, room, 1)) != KITH_OK) return err;
        snprintf(body, room, "{\"scroll\": \"10m\", \"scroll_id\": %s}", p->scroll);
        q.body = body;
    }
    ki_free(p->page.body);
    p->page = (ki_http_reply){ 0 };
    err = ki_elastic_ask(p->index, p->scroll == NULL ? first_page : next_page, &q, &p->page);
    ki_free(body);
    p->away = err != KITH_OK && ki_elastic_status(p->index) == 0;
    return err == KITH_OK ? open_page(p) : err;
}

/* ---- a document ---- */

/* A line break between members would end the line; within text there is none. */
static char *put_flat(char *to, const char *from, size_t n)
{
    for (size_t j = 0; j < n; j++) *to++ = from[j] == '\n' || from[j] == '\r' ? ' ' : from[j];
    return to;
}

/* {"_id": ..., and then what _source has. */
static kith_err write_line(struct pages *p, struct text id, struct text source)
{
    const size_t most = id.n + source.n + 16;
    if (most > p->line_room) {
        const kith_err err = ki_grow(&p->line, p->line_room, 2 * most, 1);
        if (err != KITH_OK) return err;
        p->line_room = 2 * most;
    }
    ki_json_scan rest = { source.at + 1, source.at + source.n };
    ki_json_blanks(&rest);
    char *to = p->line + sprintf(p->line, "{\"_id\":");
    to = put_flat(to, id.at, id.n);
    if (rest.at < rest.end && *rest.at != '}') *to++ = ',';
    to = put_flat(to, rest.at, (size_t)(rest.end - rest.at));
    *to++ = '\n';
    p->line_n = (size_t)(to - p->line);
    p->line_at = 0;
    p->n_given++;
    p->n_bytes += (int64_t)p->line_n;
    return KITH_OK;
}

/* The next document of the page. */
static kith_err take_hit(struct pages *p)
{
    struct text id, source;
    ki_json_blanks(&p->hits);
    ki_json_scan hit = p->hits;
    if (!ki_json_skip(&p->hits) || !find_member(hit, "_id", &id)) return not_a_page(p);
    if (!find_member(hit, "_source", &source) || source.at[0] != '{') {
        char why[300];
        snprintf(why, sizeof why,
                 "document %.*s comes without its _source, which the index does not keep; make the "
                 "index with it",
                 (int)KI_MIN(id.n, (size_t)100), id.at);
        return ki_elastic_fail(p->index, KITH_EFORMAT, why);
    }
    const kith_err err = write_line(p, id, source);
    if (err == KITH_OK && !ki_json_take(&p->hits, ',')) p->hits.at = p->hits.end;
    return err;
}

static kith_err next_line(struct pages *p)
{
    if (p->hits.at >= p->hits.end) {
        const kith_err err = ask_page(p);
        if (err != KITH_OK || p->at_end) return err;
    }
    return take_hit(p);
}

/* ---- a source ---- */

static kith_err read_bytes(void *self, char *to, size_t n, size_t *got)
{
    struct pages *p = self;
    kith_err err;
    for (*got = 0; *got < n && !p->at_end;) {
        if (p->line_at == p->line_n && ((err = next_line(p)) != KITH_OK || p->at_end)) return err;
        const size_t some = KI_MIN(n - *got, p->line_n - p->line_at);
        memcpy(to + *got, p->line + p->line_at, some);
        p->line_at += some;
        *got += some;
    }
    return KITH_OK;
}

/* Bytes of all lines, judged by those that came. */
static int64_t guess_size(const void *self)
{
    const struct pages *p = self;
    if (p->n_given == 0) return 0;
    const double most = 1e15,
                 each = (double)p->n_bytes / (double)p->n_given; /* the server may say anything */
    return p->at_end ? p->n_bytes
                     : (int64_t)KI_MIN(most, each * (double)KI_MAX(p->n_total, p->n_given));
}

/* The server frees what the scroll holds; if it does not, it will after ten minutes. */
static void let_go(struct pages *p)
{
    char *body = NULL, said[KI_MESSAGE_SIZE];
    ki_http_reply reply = { 0 };
    if (p->scroll == NULL || p->away) return;
    const size_t room = strlen(p->scroll) + 64;
    ki_message_get(said);
    if (ki_alloc(&body, room, 1) == KITH_OK) {
        snprintf(body, room, "{\"scroll_id\": [%s]}", p->scroll);
        if (ki_elastic_ask(p->index, next_page,
                           &(ki_http_question){ .method = "DELETE", .body = body },
                           &reply) == KITH_OK)
            ki_free(reply.body);
    }
    ki_free(body);
    ki_message_set(said);
}

static void close_pages(void *self)
{
    struct pages *p = self;
    let_go(p);
    ki_elastic_free(p->index);
    ki_free(p->scroll);
    ki_free(p->page.body);
    ki_free(p->line);
    ki_free(p);
}

kith_err ki_elastic_source(const char *name, ki_source **out)
{
    struct pages *p = NULL;
    kith_err err = ki_alloc(&p, 1, sizeof *p);
    if (err != KITH_OK) return err;
    if ((err = ki_elastic_new(name, &p->index)) == KITH_OK) err = ask_page(p);
    if (err == KITH_OK && p->at_end)
        err = ki_elastic_fail(p->index, KITH_EDATA, "there is no document in the index");
    if (err != KITH_OK) {
        close_pages(p);
        return err;
    }
    return ki_source_stream(name, &(ki_stream){ p, read_bytes, guess_size, close_pages }, out);
}
