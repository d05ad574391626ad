/* SPDX-License-Identifier: MIT
 * rows.c -- rows of the store in replies: what they look like, and pages of them
 */
#include "serve/bodies.h"
#include "serve/jsonwrite.h"

/* ---- shapes: what ki_row_json makes ---- */

const ki_shape ki_shape_value = { .kind = KI_IS_VALUE, .type = "AttributeValue" };

#define INDEX                                                                                      \
    {                                                                                              \
        .name = "index", .kind = KI_IS_WHOLE, .required = 1,                                       \
        .about = "its number, in the order in which they came"                                     \
    }
#define TIME_MS                                                                                    \
    {                                                                                              \
        .name = "time_ms", .kind = KI_IS_WHOLE, .required = 1, .about = "milliseconds since 1970"  \
    }
#define SEQ                                                                                        \
    {                                                                                              \
        .name = "seq", .kind = KI_IS_WHOLE, .required = 1, .about = "number of the write"          \
    }
#define ATTRIBUTES                                                                                 \
    {                                                                                              \
        .name = "attributes", .kind = KI_IS_MAP, KI_EACH(ki_shape_value), .type = "Attributes"     \
    }

static const ki_shape a_user[] = {
    { .name = "id", .kind = KI_IS_TEXT, .required = 1, .about = "the user" },
    INDEX,
    TIME_MS,
    ATTRIBUTES,
};
const ki_shape ki_shape_user_row = { .kind = KI_IS_OBJECT, KI_INSIDE(a_user), .type = "UserRow" };
static const ki_shape an_item[] = {
    { .name = "id", .kind = KI_IS_TEXT, .required = 1, .about = "the item" },
    INDEX,
    { .name = "hidden",
      .kind = KI_IS_FLAG,
      .required = 1,
      .about = "known, and recommended to nobody" },
    TIME_MS,
    ATTRIBUTES,
};
const ki_shape ki_shape_item_row = { .kind = KI_IS_OBJECT, KI_INSIDE(an_item), .type = "ItemRow" };
static const ki_shape an_event[] = {
    SEQ,
    { .name = "kind", .kind = KI_IS_TEXT, .required = 1, .about = "what happened" },
    { .name = "user", .kind = KI_IS_TEXT, .required = 1, .about = "who" },
    { .name = "item", .kind = KI_IS_TEXT, .required = 1, .about = "with what" },
    { .name = "value", .kind = KI_IS_NUMBER, .about = "where the event has one" },
    { .name = "rec_id", .kind = KI_IS_TEXT, .about = "of the list that it answered to" },
    { .name = "id", .kind = KI_IS_TEXT, .about = "its own, where it was sent with one" },
    TIME_MS,
};
const ki_shape ki_shape_event_row = { .kind = KI_IS_OBJECT,
                                      KI_INSIDE(an_event),
                                      .type = "EventRow" };

static const ki_shape user_rows[] = { KI_ROWS_OF(ki_shape_user_row) };
static const ki_shape item_rows[] = { KI_ROWS_OF(ki_shape_item_row) };
static const ki_shape event_rows[] = { KI_ROWS_OF(ki_shape_event_row) };
const ki_shape ki_shape_user_rows = { .kind = KI_IS_OBJECT,
                                      KI_INSIDE(user_rows),
                                      .type = "UserRows" };
const ki_shape ki_shape_item_rows = { .kind = KI_IS_OBJECT,
                                      KI_INSIDE(item_rows),
                                      .type = "ItemRows" };
const ki_shape ki_shape_event_rows = { .kind = KI_IS_OBJECT,
                                       KI_INSIDE(event_rows),
                                       .type = "EventRows" };

/* ---- a page ---- */

struct rows {
    ki_text text;
    ki_table_name table;
    int n, limit;
    int64_t last;
};

static kith_err write_row(void *udata, const ki_row *row)
{
    struct rows *r = udata;
    json_t *o = NULL;
    const kith_err err = ki_row_json(r->table, row, &o);
    if (err != KITH_OK) return err;
    ki_write_next(&r->text);
    ki_write_json(&r->text, o);
    r->n++;
    r->last = r->table == KI_USERS || r->table == KI_ITEMS ? (int64_t)row->index + 1 : row->seq;
    return r->text.err;
}

kith_err ki_reply_rows(ki_call *c, ki_table_name table, ki_select which, int limit)
{
    struct rows r = { .table = table, .limit = limit };
    which.limit = limit;
    which.no_dropped = 1;
    ki_text_say(&r.text, "{\"rows\":[");
    const kith_err err =
        ki_store_each(ki_service_store(ki_call_service(c)), table, &which, write_row, &r);
    if (err != KITH_OK) {
        ki_text_clear(&r.text);
        return err;
    }
    ki_text_say(&r.text, "],\"next\":");
    if (r.n == limit)
        ki_write_whole(&r.text, r.last);
    else
        ki_text_say(&r.text, "null");
    ki_text_say(&r.text, "}");
    return ki_reply_written(c, &r.text);
}
