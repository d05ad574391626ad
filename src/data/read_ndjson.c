/* SPDX-License-Identifier: MIT
 * read_ndjson.c -- interactions as JSON objects, one on each line
 *
 * The members are found by the same names as the columns of a CSV file, in each object anew; others are ignored.  A
 * name that occurs twice in an object is an error.
 */
#include "data/jsonrow.h"
#include "data/read.h"

/* The name that a document store has for the object finds it again, where lines have no numbers. */
static kith_err bad_object(ki_chunk *c, const json_t *o, const char *why)
{
    const json_t *id = json_object_get(o, "_id");
    if (!json_is_string(id)) return ki_chunk_bad(c, c->line, "%s", why);
    return ki_chunk_bad(c, c->line, "document \"%.80s\": %s", json_string_value(id), why);
}

static kith_err parse_object(const void *self, ki_chunk *c, char *end)
{
    const kith_read_options *options = self;
    json_error_t error;
    ki_json_row found;
    kith_err err;
    json_t *o = json_loadb(c->line, (size_t)(end - c->line), JSON_REJECT_DUPLICATES, &error);
    if (o == NULL && json_error_code(&error) == json_error_out_of_memory)
        return ki_fail_memory((size_t)(end - c->line));
    if (o == NULL)
        return ki_chunk_bad(c, c->line + error.position, "got %.120s, want a JSON object",
                            error.text);
    if (!ki_json_interaction(o, options, &found))
        err = bad_object(c, o, found.why);
    else if ((err = ki_chunk_add(c, &found.row)) == KITH_OK)
        err = ki_chunk_settle(c); /* the ids end with the object */
    json_decref(o);
    return err;
}

static kith_err ndjson_rows(ki_reading *r, ki_source *s)
{
    const ki_row_parser parser = { .self = r->options, .record = parse_object };
    return ki_rows_read(s, &parser, &r->limits, r->test, r->job, r->data, &r->draft);
}

static int detect_ndjson(const ki_probe *p)
{
    return ki_json_begins(p->head, p->n_head);
}

const ki_layout ki_layout_ndjson = {
    .name = "ndjson",
    .summary = "a JSON object with user_id, item_id and perhaps rating and timestamp on each line",
    .detect = detect_ndjson,
    .rows = ndjson_rows,
};
