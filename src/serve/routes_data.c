/* SPDX-License-Identifier: MIT
 * routes_data.c -- everything out, everything in: one JSON object a line
 *
 *      {"user": {"user_id": ..., "attributes": ...}}      all users, then
 *      {"item": {"item_id": ..., ...}}                    all items, then
 *      {"event": {"user_id": ..., "item_id": ..., "event": ..., ...}}
 *
 * What is read back in this order into an empty store gives the same numbers, and so the same models.
 */
#include "serve/bodies.h"
#include "serve/routes.h"

#include "base/mem.h"
#include "serve/jsonwrite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const ki_shape a_line[] = {
    { .name = "user", .kind = KI_IS_OPEN, .about = "a user, as import_users takes it" },
    { .name = "item", .kind = KI_IS_OPEN, .about = "an item, as import_items takes it" },
    { .name = "event", .kind = KI_IS_OPEN, .about = "an event, as import_events takes it" },
};
static const ki_shape line_shape = {
    .kind = KI_IS_OBJECT,
    KI_INSIDE(a_line),
    .type = "ImportLine",
    .example = "{\"user\": {\"user_id\": \"cleo\", \"attributes\": {\"age\": 29}}}"
};

/* ---- out ---- */

enum { ROWS_AT_ONCE = 500 };

struct out { /* where an export is */
    ki_store *store;
    ki_table_name table;
    int64_t after;
    ki_text text;
    int n;
};

static void set_text(json_t *o, const char *name, const char *text)
{
    if (text != NULL) json_object_set_new(o, name, json_string(text));
}

static void set_json(json_t *o, const char *name, const char *text)
{
    json_t *v = text == NULL ? NULL : json_loads(text, 0, NULL);
    if (v != NULL) json_object_set_new(o, name, v);
}

/* As the import takes it: time in seconds, with what milliseconds it has. */
static void set_time(json_t *o, const char *name, int64_t ms)
{
    json_object_set_new(o, name,
                        ms % 1000 == 0 ? json_integer(ms / 1000) : json_real((double)ms / 1000));
}

static json_t *as_sent(ki_table_name table, const ki_row *row)
{
    json_t *o = json_object();
    if (table == KI_EVENTS) {
        set_text(o, "user_id", row->user);
        set_text(o, "item_id", row->item);
        set_text(o, "event", row->kind);
        if (!isnan(row->value)) json_object_set_new(o, "value", json_real(row->value));
        set_time(o, "time", row->time_ms);
        set_text(o, "rec_id", row->rec_id);
        set_text(o, "id", row->id);
        return json_pack("{s:o}", "event", o);
    }
    set_text(o, table == KI_USERS ? "user_id" : "item_id", row->id);
    set_json(o, "attributes", row->json);
    if (table == KI_USERS) return json_pack("{s:o}", "user", o);
    if (row->hidden) json_object_set_new(o, "hidden", json_true());
    set_time(o, "created", row->time_ms);
    return json_pack("{s:o}", "item", o);
}

static kith_err write_row(void *udata, const ki_row *row)
{
    struct out *e = udata;
    ki_write_json(&e->text, as_sent(e->table, row));
    ki_text_add(&e->text, "\n", 1);
    e->n++;
    e->after = e->table == KI_EVENTS ? row->seq : (int64_t)row->index + 1;
    return e->text.err;
}

static kith_err next_rows(void *udata, char **text)
{
    struct out *e = udata;
    *text = NULL;
    while (e->table <= KI_EVENTS) {
        const ki_select which = { .after = e->after, .limit = ROWS_AT_ONCE, .no_dropped = 1 };
        e->n = 0;
        const kith_err err = ki_store_each(e->store, e->table, &which, write_row, e);
        if (err != KITH_OK) return err;
        if (e->n > 0) break;
        e->table++;
        e->after = 0;
    }
    if (e->text.at == NULL) return KITH_ECANCELED;
    *text = e->text.at;
    e->text = (ki_text){ 0 };
    return KITH_OK;
}

static void end_export(void *udata)
{
    struct out *e = udata;
    ki_text_clear(&e->text);
    ki_free(e);
}

static kith_err export(ki_call *c)
{
    struct out *e = NULL;
    const kith_err err = ki_alloc(&e, 1, sizeof *e);
    if (err != KITH_OK) return err;
    e->store = ki_service_store(ki_call_service(c));
    e->table = KI_USERS;
    return ki_reply_stream(c, next_rows, end_export, e);
}

/* ---- in ---- */

static kith_err wants(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    if (json_is_string(v) || json_is_integer(v)) return KITH_OK;
    return ki_fail(KITH_EINVAL, "%s is missing, or no text", name);
}

static kith_err change_of(const json_t *line, json_t *keep, ki_change *out)
{
    const json_t *user = json_object_get(line, "user"), *item = json_object_get(line, "item"),
                 *event = json_object_get(line, "event");
    kith_err err = KITH_OK;
    if (json_object_size(line) != 1)
        return ki_fail(KITH_EINVAL, "want one of user, item and event in a line");
    if (user != NULL)
        return (err = wants(user, "user_id")) != KITH_OK ? err
                                                         : ki_change_of_user(NULL, user, keep, out);
    if (item != NULL)
        return (err = wants(item, "item_id")) != KITH_OK ? err
                                                         : ki_change_of_item(NULL, item, keep, out);
    if ((err = wants(event, "user_id")) != KITH_OK) return err;
    if ((err = wants(event, "item_id")) != KITH_OK) return err;
    if ((err = wants(event, "event")) != KITH_OK) return err;
    return ki_change_of_event(event, keep, out);
}

static kith_err take_line(ki_call *c, const char *line, size_t n, int64_t number)
{
    return ki_lines_take(c, line, n, number, change_of);
}

static const ki_route routes[] = {
    { "GET", "/v1/export", "export", "Everything, a JSON object a line",
      "Users, items and events in the order of their numbers, as import takes them.  What is "
      "written meanwhile may be in it or not.",
      KI_ROLE_ADMIN, KI_ROUTE_STREAM | KI_ROUTE_RAW, .run = export },
    { "POST", "/v1/import", "import", "Users, items and events, a JSON object a line",
      "As export writes them.  Lines are kept in batches; a line that is wrong is told with its "
      "number and left out.",
      KI_ROLE_ADMIN, KI_ROUTE_LINES, .body = &line_shape, .reply = &ki_shape_imported,
      .run = ki_lines_end, .take_line = take_line },
};

const ki_route_group ki_routes_data = { "data", "Everything out and in", routes, KI_COUNT(routes) };
