/* SPDX-License-Identifier: MIT
 * send.c -- lists of many users into an index that a shop asks anyway
 */
#include "base/elastic.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "data/dataset.h" /* ki_context_job */
#include "model/package.h"

#include <stdio.h>
#include <string.h>

struct sending {
    const kith_model *m;
    const kith_batch *lists;
    ki_job *job;
    ki_elastic *index;
    ki_elastic_bulk *bulk;
};

/* How many documents there are that are no lists. */
static const char others[] =
    "{\"query\": {\"bool\": {\"must_not\": {\"bool\": {\"must\": ["
    "{\"exists\": {\"field\": \"user_id\"}}, {\"exists\": {\"field\": \"model\"}}]}}}}}";

/* A typing error must not cost somebody their catalogue. */
static kith_err check_index(const struct sending *s)
{
    char why[200];
    ki_http_reply reply = { 0 };
    kith_err err =
        ki_elastic_ask(s->index, "_count", &(ki_http_question){ .body = others }, &reply);
    if (err != KITH_OK) return ki_elastic_status(s->index) == 404 ? KITH_OK : err;
    json_t *answer = json_loadb(reply.body, reply.n, 0, NULL);
    const json_t *count = json_object_get(answer, "count");
    if (!json_is_integer(count)) {
        err = ki_elastic_fail(
            s->index, KITH_EFORMAT,
            "what answers there counts no documents; does ELASTICSEARCH_URL name an "
            "Elasticsearch server?");
    } else if (json_integer_value(count) > 0) {
        snprintf(why, sizeof why,
                 "%lld documents in it are no lists of recommendations; want another index, or the "
                 "permission to "
                 "write beside and over them (--force)",
                 (long long)json_integer_value(count));
        err = ki_elastic_fail(s->index, KITH_EINVAL, why);
    }
    json_decref(answer);
    ki_free(reply.body);
    return err;
}

/* Row r of the batch as a document. */
static json_t *document_of(const struct sending *s, int32_t r, const char *user_id)
{
    const kith_batch *l = s->lists;
    json_t *list = json_array();
    for (int j = 0; j < l->counts[r]; j++) {
        const size_t at = (size_t)r * (size_t)l->n + (size_t)j;
        json_array_append_new(list, json_pack("{s:s, s:f, s:i}", "item_id",
                                              kith_model_item_id(s->m, l->items[at]), "score",
                                              (double)l->scores[at], "rank", j + 1));
    }
    return json_pack("{s:s, s:s, s:o}", "user_id", user_id, "model", s->m->core.desc->name,
                     "recommendations", list);
}

static kith_err send_rows(const struct sending *s)
{
    kith_err err = KITH_OK;
    for (int32_t r = 0; err == KITH_OK && r < s->lists->n_users; r++) {
        const int32_t u = s->lists->users == NULL ? r : s->lists->users[r];
        const char *id = kith_model_user_id(s->m, u);
        char *document = NULL;
        if (id == NULL)
            return ki_fail(KITH_ENOTFOUND, "kith_batch_send: the model has no user %d", u);
        err = ki_json_print(document_of(s, r, id), &document);
        if (err == KITH_OK) err = ki_elastic_bulk_add(s->bulk, id, document);
        ki_free(document);
        if (err == KITH_OK && r % 1000 == 0)
            err = ki_job_step(s->job, "send lists", r, s->lists->n_users);
    }
    return err;
}

static kith_err tell(const struct sending *s, const ki_elastic_report *r, char **json)
{
    return ki_json_print(json_pack("{s:s, s:s, s:I, s:I, s:s*}", "index", ki_elastic_name(s->index),
                                   "server", ki_elastic_server(s->index), "documents",
                                   (json_int_t)r->sent, "refused", (json_int_t)r->refused,
                                   "first_refused", r->refused > 0 ? r->first : NULL),
                         json);
}

static kith_err send(struct sending *s, const char *to, int replace, char **json)
{
    ki_elastic_report report;
    kith_err err = ki_elastic_new(to, &s->index);
    if (err == KITH_OK && !replace) err = check_index(s);
    if (err == KITH_OK) err = ki_elastic_bulk_new(s->index, &s->bulk);
    if (err == KITH_OK) err = send_rows(s);
    if (err == KITH_OK) err = ki_elastic_bulk_end(s->bulk, &report);
    if (err == KITH_OK)
        err = ki_job_step(s->job, "send lists", s->lists->n_users, s->lists->n_users);
    return err == KITH_OK ? tell(s, &report, json) : err;
}

kith_err kith_batch_send(kith *k, const kith_model *model, const kith_batch *lists, const char *to,
                         int replace, char **json)
{
    struct sending s = { .m = model, .lists = lists };
    if (k == NULL || model == NULL || lists == NULL || to == NULL || json == NULL)
        return ki_fail(KITH_EINVAL, "kith_batch_send: no argument may be NULL");
    if (!ki_elastic_is_name(to))
        return ki_fail(KITH_EINVAL, "kith_batch_send: got \"%.60s\", want elasticsearch:INDEX", to);
    s.job = ki_context_job(k);
    ki_job_begin(s.job);
    const kith_err err = send(&s, to, replace, json);
    ki_elastic_bulk_free(s.bulk);
    ki_elastic_free(s.index);
    return err;
}
