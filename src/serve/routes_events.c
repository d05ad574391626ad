/* SPDX-License-Identifier: MIT
 * routes_events.c -- what people did: one, many, a stream of lines; looked at, and taken back
 */
#include "serve/bodies.h"
#include "serve/routes.h"

#include "base/mem.h"

static const ki_shape in_query[] = {
    { .name = "event", .kind = KI_IS_NAME, .about = "only of this kind", .max = 64 },
    KI_PAGE_MEMBERS,
};
static const ki_shape query = { .kind = KI_IS_OBJECT, KI_INSIDE(in_query) };
static const ki_shape a_kind[] = {
    { .name = "event", .kind = KI_IS_NAME, .about = "only of this kind (all)", .max = 64 },
};
static const ki_shape kind_query = { .kind = KI_IS_OBJECT, KI_INSIDE(a_kind) };
static const ki_shape some_events[] = {
    { .name = "events",
      .kind = KI_IS_LIST,
      .required = 1,
      .about = "all of them are kept, or none",
      KI_EACH(ki_shape_event),
      .min = 1,
      .max = 10000 },
};
static const ki_shape many = { .kind = KI_IS_OBJECT,
                               KI_INSIDE(some_events),
                               .type = "Events",
                               .example = "{\"events\": [{\"user_id\": \"ann\", \"item_id\": "
                                          "\"i1\", \"event\": \"click\"}]}" };

static const ki_shape a_receipt[] = {
    { .name = "seq", .kind = KI_IS_WHOLE, .required = 1, .about = "number of the event" },
    { .name = "repeated",
      .kind = KI_IS_FLAG,
      .required = 1,
      .about = "it was there already under its id" },
};
static const ki_shape receipt = { .kind = KI_IS_OBJECT,
                                  KI_INSIDE(a_receipt),
                                  .type = "EventReceipt" };
static const ki_shape some_receipts[] = {
    { .name = "taken", .kind = KI_IS_WHOLE, .required = 1 },
    { .name = "last_seq", .kind = KI_IS_WHOLE, .required = 1 },
};
static const ki_shape receipts = { .kind = KI_IS_OBJECT,
                                   KI_INSIDE(some_receipts),
                                   .type = "EventReceipts" };
static const ki_shape a_number_dropped[] = {
    { .name = "dropped", .kind = KI_IS_WHOLE, .required = 1, .about = "events that are gone" },
};
static const ki_shape dropped = { .kind = KI_IS_OBJECT,
                                  KI_INSIDE(a_number_dropped),
                                  .type = "Dropped" };

static kith_err add(ki_call *c)
{
    ki_change change;
    json_t *keep = json_array();
    kith_err err = ki_change_of_event(ki_call_body(c), keep, &change);
    if (err == KITH_OK) err = ki_call_speaks_for(c, change.user);
    if (err == KITH_OK) err = ki_call_write(c, &change, 1);
    json_decref(keep);
    if (err != KITH_OK) return err;
    if (change.repeated) ki_reply_status(c, 200);
    return ki_reply_json(
        c, json_pack("{s:I, s:b}", "seq", (json_int_t)change.seq, "repeated", change.repeated));
}

static kith_err add_many(ki_call *c)
{
    const json_t *list = ki_call_member(c, "events");
    const int n = (int)json_array_size(list);
    ki_change *changes = NULL;
    json_t *keep = json_array();
    kith_err err = ki_alloc(&changes, (size_t)n, sizeof *changes);
    for (int j = 0; err == KITH_OK && j < n; j++)
        err = ki_change_of_event(json_array_get(list, (size_t)j), keep, &changes[j]);
    if (err == KITH_OK) err = ki_call_write(c, changes, n);
    if (err == KITH_OK)
        err = ki_reply_json(
            c, json_pack("{s:i, s:I}", "taken", n, "last_seq", (json_int_t)changes[n - 1].seq));
    ki_free(changes);
    json_decref(keep);
    return err;
}

static kith_err take_line(ki_call *c, const char *line, size_t n, int64_t number)
{
    return ki_lines_take(c, line, n, number, ki_change_of_event);
}

static kith_err list(ki_call *c)
{
    const ki_select which = { .user = ki_call_text(c, "user_id"),
                              .item = ki_call_text(c, "item_id"),
                              .kind = ki_call_text(c, "event"),
                              .after = (int64_t)ki_call_number(c, "after"),
                              .newest_first = 1 };
    return ki_reply_rows(c, KI_EVENTS, which, (int)ki_call_number(c, "limit"));
}

static kith_err take_back(ki_call *c)
{
    ki_change change = { .change = KI_DROP_EVENTS,
                         .user = ki_call_text(c, "user_id"),
                         .item = ki_call_text(c, "item_id"),
                         .kind = ki_call_text(c, "event") };
    const kith_err err = ki_service_write(ki_call_service(c), &change, 1);
    if (err != KITH_OK) return err;
    return ki_reply_json(c, json_pack("{s:I}", "dropped", (json_int_t)change.n_dropped));
}

static const ki_route routes[] = {
    { "POST", "/v1/events", "add_event", "Somebody did something",
      "When the reply is there the event is on the disk and in force: the next list leaves the "
      "item "
      "out and is made from it.  Users and items that are new are made.",
      KI_ROLE_PUBLIC, KI_ROUTE_CONFLICTS, .body = &ki_shape_event, .reply = &receipt, .status = 201,
      .also = 200, .run = add },
    { "POST", "/v1/events/bulk", "add_events", "Many events, all or none", NULL, KI_ROLE_WRITE,
      KI_ROUTE_CONFLICTS, .body = &many, .reply = &receipts, .status = 201, .run = add_many },
    { "POST", "/v1/events/import", "import_events", "Many events, a JSON object a line",
      "Lines are kept in batches; a line that is wrong is told with its number and left out.",
      KI_ROLE_WRITE, KI_ROUTE_LINES, .body = &ki_shape_event, .reply = &ki_shape_imported,
      .run = ki_lines_end, .take_line = take_line },
    { "GET", "/v1/users/{user_id}/events", "list_user_events", "Events of a user, newest first",
      NULL, KI_ROLE_READ, .path_shape = &ki_shape_user_path, .query_shape = &query,
      .reply = &ki_shape_event_rows, .run = list },
    { "GET", "/v1/items/{item_id}/events", "list_item_events", "Events of an item, newest first",
      NULL, KI_ROLE_READ, .path_shape = &ki_shape_item_path, .query_shape = &query,
      .reply = &ki_shape_event_rows, .run = list },
    { "DELETE", "/v1/users/{user_id}/events/{item_id}", "take_back_events",
      "Take back what a user did with an item", NULL, KI_ROLE_WRITE,
      .path_shape = &ki_shape_pair_path, .query_shape = &kind_query, .reply = &dropped,
      .run = take_back },
};

const ki_route_group ki_routes_events = { "events", "What people did", routes, KI_COUNT(routes) };
