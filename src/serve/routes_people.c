/* SPDX-License-Identifier: MIT
 * routes_people.c -- users: put, looked at, exported, and forgotten
 */
#include "serve/bodies.h"
#include "serve/call.h"
#include "serve/routes.h"

#include "base/mem.h"

static const ki_shape a_body[] = {
    { .name = "attributes",
      .kind = KI_IS_MAP,
      KI_EACH(ki_shape_value),
      .type = "Attributes",
      .about = "numbers, texts, booleans, lists of texts or of numbers, in place of all before" },
};
static const ki_shape body = { .kind = KI_IS_OBJECT,
                               KI_INSIDE(a_body),
                               .type = "UserChange",
                               .example = "{\"attributes\": {\"age\": 34, \"country\": \"de\"}}" };

static const ki_shape a_kept_user[] = {
    { .name = "user_id", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "index", .kind = KI_IS_WHOLE, .required = 1, .about = "its number" },
    { .name = "is_new", .kind = KI_IS_FLAG, .required = 1, .about = "it was not there before" },
};
static const ki_shape kept_user = { .kind = KI_IS_OBJECT,
                                    KI_INSIDE(a_kept_user),
                                    .type = "UserReceipt" };

/* ---- what is told of one user ---- */

#define A_USER                                                                                     \
    { .name = "id", .kind = KI_IS_TEXT, .required = 1, .about = "the user" },                      \
        { .name = "index", .kind = KI_IS_WHOLE, .required = 1, .about = "its number" },            \
        { .name = "time_ms",                                                                       \
          .kind = KI_IS_WHOLE,                                                                     \
          .required = 1,                                                                           \
          .about = "milliseconds since 1970" },                                                    \
    {                                                                                              \
        .name = "attributes", .kind = KI_IS_MAP, KI_EACH(ki_shape_value), .type = "Attributes"     \
    }

static const ki_shape a_pair[] = {
    { .name = "item_id", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "title", .kind = KI_IS_TEXT },
    { .name = "value", .kind = KI_IS_NUMBER, .required = 1, .about = "what it says of preference" },
    { .name = "time", .kind = KI_IS_WHOLE, .required = 1, .about = "seconds since 1970" },
};
static const ki_shape pair = { .kind = KI_IS_OBJECT, KI_INSIDE(a_pair), .type = "HistoryEntry" };
static const ki_shape a_profile[] = {
    A_USER,
    { .name = "history",
      .kind = KI_IS_LIST,
      .required = 1,
      .about = "newest first, at most 100",
      KI_EACH(pair) },
};
static const ki_shape profile = { .kind = KI_IS_OBJECT,
                                  KI_INSIDE(a_profile),
                                  .type = "UserProfile" };
static const ki_shape an_exposure[] = {
    { .name = "seq", .kind = KI_IS_WHOLE, .required = 1 },
    { .name = "kind", .kind = KI_IS_TEXT, .required = 1, .about = "exposure: a list was shown" },
    { .name = "user", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "id", .kind = KI_IS_TEXT, .about = "rec_id of the list" },
    { .name = "time_ms", .kind = KI_IS_WHOLE, .required = 1 },
    { .name = "entry", .kind = KI_IS_OPEN, .about = "what was shown, and by what" },
};
static const ki_shape exposure = { .kind = KI_IS_OBJECT,
                                   KI_INSIDE(an_exposure),
                                   .type = "JournalRow" };
static const ki_shape an_export[] = {
    A_USER,
    { .name = "events", .kind = KI_IS_LIST, .required = 1, KI_EACH(ki_shape_event_row) },
    { .name = "journal", .kind = KI_IS_LIST, .required = 1, KI_EACH(exposure) },
};
static const ki_shape whole = { .kind = KI_IS_OBJECT, KI_INSIDE(an_export), .type = "UserExport" };

static kith_err put(ki_call *c)
{
    ki_change change;
    json_t *keep = json_array();
    kith_err err = ki_change_of_user(ki_call_text(c, "user_id"), ki_call_body(c), keep, &change);
    if (err == KITH_OK) err = ki_call_write(c, &change, 1);
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
    ki_keys *keys = c->site->keys;
    /* first: nobody comes back with the key of who goes; and last: nor with one that was being made */
    if (keys != NULL) ki_keys_revoke_user(keys, user);
    const kith_err err = ki_service_forget_user(ki_call_service(c), user);
    if (keys != NULL) ki_keys_revoke_user(keys, user);
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
      KI_ROUTE_CONFLICTS, .path_shape = &ki_shape_user_path, .body = &body, .reply = &kept_user,
      .also = 201, .run = put },
    { "GET", "/v1/users/{user_id}", "get_user", "A user, with the newest of the history", NULL,
      KI_ROLE_READ, .path_shape = &ki_shape_user_path, .reply = &profile, .run = get },
    { "GET", "/v1/users", "list_users", "Users, in the order in which they came", NULL,
      KI_ROLE_READ, .query_shape = &ki_shape_page_query, .reply = &ki_shape_user_rows,
      .run = list },
    { "DELETE", "/v1/users/{user_id}", "delete_user", "Forget a user everywhere",
      "Store, histories, lists, journals, caches, model files, and the keys that speak for the "
      "user: "
      "when the reply is there nothing of the user is.",
      KI_ROLE_WRITE, .path_shape = &ki_shape_user_path, .run = forget },
    { "GET", "/v1/users/{user_id}/export", "export_user", "All that is kept about a user",
      "Attributes, events, and the journal of lists shown.", KI_ROLE_READ, KI_ROUTE_SLOW,
      .path_shape = &ki_shape_user_path, .reply = &whole, .run = export },
    { "POST", "/v1/users/import", "import_users", "Many users, a JSON object a line",
      "Lines are kept in batches; a line that is wrong is told with its number and left out.",
      KI_ROLE_WRITE, KI_ROUTE_LINES, .body = &ki_shape_user, .reply = &ki_shape_imported,
      .run = ki_lines_end, .take_line = take_line },
};

const ki_route_group ki_routes_people = { "users", "Who there is", routes, KI_COUNT(routes) };
