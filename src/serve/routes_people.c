/* SPDX-License-Identifier: MIT
 * routes_people.c -- users: put, looked at, exported, and forgotten
 */
#include "serve/bodies.h"
#include "serve/call.h"
#include "serve/routes.h"

#include "base/mem.h"

static const ki_shape in_path[] = {
    { .name = "user_id", .kind = KI_IS_ID, .required = 1, .about = "the user", .max = 256 },
};
static const ki_shape path = { .kind = KI_IS_OBJECT, KI_INSIDE(in_path) };
static const ki_shape in_query[] = {
    { .name = "after", .kind = KI_IS_WHOLE, .about = "`next` of the rows before", .init = "0" },
    { .name = "limit",
      .kind = KI_IS_WHOLE,
      .about = "most rows",
      .min = 1,
      .max = 1000,
      .init = "100" },
};
static const ki_shape query = { .kind = KI_IS_OBJECT, KI_INSIDE(in_query) };
static const ki_shape a_body[] = {
    { .name = "attributes",
      .kind = KI_IS_OPEN,
      .about = "numbers, texts, booleans, lists of texts or of numbers, in place of all before" },
};
static const ki_shape body = { .kind = KI_IS_OBJECT,
                               KI_INSIDE(a_body),
                               .example = "{\"attributes\": {\"age\": 34, \"country\": \"de\"}}" };

static kith_err put(ki_call *c)
{
    ki_change change;
    json_t *keep = json_array();
    kith_err err = ki_change_of_user(ki_call_text(c, "user_id"), ki_call_body(c), keep, &change);
    if (err == KITH_OK) err = ki_service_write(ki_call_service(c), &change, 1);
    json_decref(keep);
    if (err != KITH_OK) return err;
    if (change.was_new) ki_reply_status(c, 201);
    return ki_reply_json(c, json_pack("{s:s, s:i, s:b}", "user_id", ki_call_text(c, "user_id"),
                                      "index", (int)change.user_index, "is_new", change.was_new));
}

static kith_err get(ki_call *c)
{
    json_t *row = NULL, *history = NULL;
    ki_service *s = ki_call_service(c);
    const char *id = ki_call_text(c, "user_id");
    kith_err err = ki_store_get(ki_service_store(s), KI_USERS, NULL, id, &row);
    if (err == KITH_OK) err = ki_live_history(ki_service_live(s), id, 100, &history);
    if (err == KITH_OK) json_object_set(row, "history", history);
    json_decref(history);
    if (err == KITH_OK) return ki_reply_json(c, row);
    json_decref(row);
    return err;
}

static kith_err list(ki_call *c)
{
    const ki_select which = { .after = (int64_t)ki_call_number(c, "after") };
    return ki_reply_rows(c, KI_USERS, which, (int)ki_call_number(c, "limit"));
}

static kith_err forget(ki_call *c)
{
    const char *user = ki_call_text(c, "user_id");
    const kith_err err = ki_service_forget_user(ki_call_service(c), user);
    if (err != KITH_ENOTFOUND &&
        c->site->keys != NULL) /* a cache that fails comes after the keys went */
        ki_keys_revoke_user(c->site->keys, user);
    return err;
}

/* ---- everything about one user ---- */

static kith_err take_event(void *udata, const ki_row *row)
{
    json_t *o = NULL;
    const kith_err err = ki_row_json(KI_EVENTS, row, &o);
    if (err == KITH_OK) json_array_append_new(udata, o);
    return err;
}

static kith_err take_journal(void *udata, const ki_row *row)
{
    json_t *o = NULL;
    const kith_err err = ki_row_json(KI_JOURNALS, row, &o);
    if (err == KITH_OK) json_array_append_new(udata, o);
    return err;
}

static kith_err export(ki_call *c)
{
    ki_store *store = ki_service_store(ki_call_service(c));
    const char *id = ki_call_text(c, "user_id");
    const ki_select about = { .user = id };
    json_t *o = NULL, *events = json_array(), *journals = json_array();
    kith_err err = ki_store_get(store, KI_USERS, NULL, id, &o);
    if (err == KITH_OK) err = ki_store_each(store, KI_EVENTS, &about, take_event, events);
    if (err == KITH_OK) err = ki_store_each(store, KI_JOURNALS, &about, take_journal, journals);
    if (err == KITH_OK) {
        json_object_set(o, "events", events);
        json_object_set(o, "journal", journals);
    }
    json_decref(events);
    json_decref(journals);
    if (err == KITH_OK) return ki_reply_json(c, o);
    json_decref(o);
    return err;
}

/* ---- lines ---- */

static kith_err user_of(const json_t *line, json_t *keep, ki_change *out)
{
    return ki_change_of_user(NULL, line, keep, out);
}

static kith_err take_line(ki_call *c, const char *line, size_t n, int64_t number)
{
    return ki_lines_take(c, line, n, number, user_of);
}

static const ki_route routes[] = {
    { "PUT", "/v1/users/{user_id}", "put_user", "Make or change a user",
      "Without attributes in the body those that were there stay.", KI_ROLE_WRITE,
      .path_shape = &path, .body = &body, .reply = &ki_shape_anything, .run = put },
    { "GET", "/v1/users/{user_id}", "get_user", "A user, with the newest of the history", NULL,
      KI_ROLE_READ, .path_shape = &path, .reply = &ki_shape_anything, .run = get },
    { "GET", "/v1/users", "list_users", "Users, in the order in which they came", NULL,
      KI_ROLE_READ, .query_shape = &query, .reply = &ki_shape_rows, .run = list },
    { "DELETE", "/v1/users/{user_id}", "delete_user", "Forget a user everywhere",
      "Store, histories, lists, journals, caches, model files, and the keys that speak for the "
      "user: "
      "when the reply is there nothing of the user is.",
      KI_ROLE_WRITE, .path_shape = &path, .run = forget },
    { "GET", "/v1/users/{user_id}/export", "export_user", "All that is kept about a user",
      "Attributes, events, and the journal of lists shown.", KI_ROLE_READ, KI_ROUTE_SLOW,
      .path_shape = &path, .reply = &ki_shape_anything, .run = export },
    { "POST", "/v1/users/import", "import_users", "Many users, a JSON object a line",
      "Lines are kept in batches; a line that is wrong is told with its number and left out.",
      KI_ROLE_WRITE, KI_ROUTE_LINES, .body = &ki_shape_user, .reply = &ki_shape_imported,
      .run = ki_lines_end, .take_line = take_line },
};

const ki_route_group ki_routes_people = { "users", "Who there is", routes, KI_COUNT(routes) };
