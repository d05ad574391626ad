/* SPDX-License-Identifier: MIT
 * routes_items.c -- the catalogue: put, hidden, dropped, listed, imported
 */
#include "serve/bodies.h"
#include "serve/routes.h"

#include "base/mem.h"

static const ki_shape a_body[] = {
    { .name = "attributes",
      .kind = KI_IS_MAP,
      KI_EACH(ki_shape_value),
      .type = "Attributes",
      .about = "numbers, texts, booleans, lists of texts or of numbers, in place of all before" },
    { .name = "hidden", .kind = KI_IS_FLAG, .about = "true: known, and recommended to nobody" },
    { .name = "created", .kind = KI_IS_TIME, .about = "when it came into the catalogue (now)" },
};
static const ki_shape body = {
    .kind = KI_IS_OBJECT,
    KI_INSIDE(a_body),
    .type = "ItemChange",
    .example =
        "{\"attributes\": {\"title\": \"Vertigo\", \"year\": 1958, \"genres\": [\"Thriller\"]}}"
};
static const ki_shape a_mark[] = {
    { .name = "hidden", .kind = KI_IS_FLAG, .required = 1, .about = "true: recommended to nobody" },
};
static const ki_shape mark = {
    .kind = KI_IS_OBJECT, KI_INSIDE(a_mark), .type = "Hiding", .example = "{\"hidden\": false}"
};
static const ki_shape a_kept_item[] = {
    { .name = "item_id", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "index", .kind = KI_IS_WHOLE, .required = 1, .about = "its number" },
    { .name = "is_new", .kind = KI_IS_FLAG, .required = 1, .about = "it was not there before" },
};
static const ki_shape kept_item = { .kind = KI_IS_OBJECT,
                                    KI_INSIDE(a_kept_item),
                                    .type = "ItemReceipt" };

static kith_err put(ki_call *c)
{
    ki_change change;
    json_t *keep = json_array();
    kith_err err = ki_change_of_item(ki_call_text(c, "item_id"), ki_call_body(c), keep, &change);
    if (err == KITH_OK) err = ki_service_write(ki_call_service(c), &change, 1);
    json_decref(keep);
    if (err != KITH_OK) return err;
    if (change.was_new) ki_reply_status(c, 201);
    return ki_reply_json(c,
                         json_pack("{s:s, s:i, s:b}", "item_id", ki_call_text(c, "item_id"),
                                   "index", (int)change.item_index, "is_new", change.was_new != 0));
}

static kith_err get(ki_call *c)
{
    json_t *row = NULL;
    const kith_err err = ki_store_get(ki_service_store(ki_call_service(c)), KI_ITEMS, NULL,
                                      ki_call_text(c, "item_id"), &row);
    return err == KITH_OK ? ki_reply_json(c, row) : err;
}

static kith_err list(ki_call *c)
{
    const ki_select which = { .after = (int64_t)ki_call_number(c, "after") };
    return ki_reply_rows(c, KI_ITEMS, which, (int)ki_call_number(c, "limit"));
}

static kith_err drop(ki_call *c)
{
    ki_service *s = ki_call_service(c);
    const char *id = ki_call_text(c, "item_id");
    ki_change change = { .change = KI_DROP_ITEM, .id = id };
    int32_t i;
    const kith_err err = ki_live_find_item(ki_service_live(s), id, &i);
    return err == KITH_OK ? ki_service_write(s, &change, 1) : err;
}

static kith_err hide(ki_call *c)
{
    ki_service *s = ki_call_service(c);
    const char *id = ki_call_text(c, "item_id");
    ki_change change = { .change = KI_PUT_ITEM, .id = id, .hidden = ki_call_flag(c, "hidden") };
    int32_t i;
    const kith_err err = ki_live_find_item(ki_service_live(s), id, &i);
    return err == KITH_OK ? ki_service_write(s, &change, 1) : err;
}

static kith_err item_of(const json_t *line, json_t *keep, ki_change *out)
{
    return ki_change_of_item(NULL, line, keep, out);
}

static kith_err take_line(ki_call *c, const char *line, size_t n, int64_t number)
{
    return ki_lines_take(c, line, n, number, item_of);
}

static const ki_route routes[] = {
    { "PUT", "/v1/items/{item_id}", "put_item", "Make or change an item",
      "What the body does not say stays as it was.  In force for the next request: filters, search "
      "and charts "
      "know a new item at once, models rank it by its words or after the next training.",
      KI_ROLE_WRITE, .path_shape = &ki_shape_item_path, .body = &body, .reply = &kept_item,
      .also = 201, .run = put },
    { "GET", "/v1/items/{item_id}", "get_item", "An item", NULL, KI_ROLE_READ,
      .path_shape = &ki_shape_item_path, .reply = &ki_shape_item_row, .run = get },
    { "GET", "/v1/items", "list_items", "Items, in the order in which they came", NULL,
      KI_ROLE_READ, .query_shape = &ki_shape_page_query, .reply = &ki_shape_item_rows,
      .run = list },
    { "DELETE", "/v1/items/{item_id}", "delete_item", "Drop an item, with its events", NULL,
      KI_ROLE_WRITE, .path_shape = &ki_shape_item_path, .run = drop },
    { "POST", "/v1/items/{item_id}/hide", "hide_item", "Hide an item, or show it again",
      "A hidden item is kept and recommended to nobody.", KI_ROLE_WRITE,
      .path_shape = &ki_shape_item_path, .body = &mark, .run = hide },
    { "POST", "/v1/items/import", "import_items", "Many items, a JSON object a line",
      "Lines are kept in batches; a line that is wrong is told with its number and left out.",
      KI_ROLE_WRITE, KI_ROUTE_LINES, .body = &ki_shape_item, .reply = &ki_shape_imported,
      .run = ki_lines_end, .take_line = take_line },
};

const ki_route_group ki_routes_items = { "items", "What there is", routes, KI_COUNT(routes) };
