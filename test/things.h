/* SPDX-License-Identifier: MIT
 * things.h -- a few routes over nothing, to test the way from a request to a reply
 */
#ifndef KITH_TEST_THINGS_H
#define KITH_TEST_THINGS_H

#include "serve/call.h"
#include "serve/routes.h"
#include "serve/site.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const ki_shape thing_path_[] = { { .name = "thing_id", .kind = KI_IS_ID, .required = 1, .max = 20 } };
static const ki_shape thing_path = { .kind = KI_IS_OBJECT, KI_INSIDE(thing_path_) };
static const ki_shape user_path_[] = { { .name = "user_id", .kind = KI_IS_ID, .required = 1 } };
static const ki_shape user_path = { .kind = KI_IS_OBJECT, KI_INSIDE(user_path_) };
static const ki_shape a_word = { .kind = KI_IS_NAME };
static const ki_shape thing_query_[] = {
    { .name = "n", .kind = KI_IS_WHOLE, .min = 1, .max = 100, .init = "10" },
    { .name = "weight", .kind = KI_IS_NUMBER },
    { .name = "deep", .kind = KI_IS_FLAG, .init = "false" },
    { .name = "words", .kind = KI_IS_LIST, KI_EACH(a_word), .min = 0, .max = 3 },
};
static const ki_shape thing_query = { .kind = KI_IS_OBJECT, KI_INSIDE(thing_query_) };
static const ki_shape thing_body_[] = {
    { .name = "name", .kind = KI_IS_NAME, .required = 1, .max = 10 },
    { .name = "owner", .kind = KI_IS_ID },
    { .name = "price", .kind = KI_IS_NUMBER, .min = 0, .max = 1000, .init = "5" },
    { .name = "tags", .kind = KI_IS_LIST, KI_EACH(a_word), .min = 0, .max = 3 },
    { .name = "more", .kind = KI_IS_OPEN },
};
static const ki_shape thing_body = { .kind = KI_IS_OBJECT, KI_INSIDE(thing_body_), .example = "{\"name\": \"cup\"}" };
static const ki_shape things_reply = { .kind = KI_IS_OPEN };

/* What the handlers were told, told back. */
static kith_err thing_get(ki_call *c)
{
    json_t *o = json_pack("{s:s, s:f, s:b}", "id", ki_call_text(c, "thing_id"), "n", ki_call_number(c, "n"), "deep",
                          ki_call_flag(c, "deep"));
    if (ki_call_value(c, "words") != NULL) json_object_set(o, "words", (json_t *)ki_call_value(c, "words"));
    if (!isnan(ki_call_number(c, "weight"))) json_object_set_new(o, "weight", json_real(ki_call_number(c, "weight")));
    return ki_reply_json(c, o);
}

static kith_err thing_add(ki_call *c)
{
    const char *owner = ki_call_text(c, "owner");
    return ki_reply_json(c, json_pack("{s:s, s:f, s:s, s:s, s:s*}", "name", ki_call_text(c, "name"), "price",
                                      ki_call_number(c, "price"), "owner", owner != NULL ? owner : "", "role",
                                      ki_role_names[ki_call_caller(c)->role], "user", ki_call_caller(c)->user));
}

static kith_err thing_drop(ki_call *c)
{
    if (strcmp(ki_call_text(c, "thing_id"), "gone") == 0) return ki_fail(KITH_ENOTFOUND, "there is no thing \"gone\"");
    if (strcmp(ki_call_text(c, "thing_id"), "busy") == 0)
        return ki_call_refuse(c, 409, KITH_EINVAL, "the thing is in use");
    if (strcmp(ki_call_text(c, "thing_id"), "disk") == 0) return ki_fail(KITH_EIO, "the disk is full");
    return KITH_OK;
}

static kith_err user_get(ki_call *c)
{
    return ki_reply_json(c, json_pack("{s:s}", "user", ki_call_text(c, "user_id")));
}

typedef struct tally {
    long long lines, bytes;
} tally;

static kith_err line_take(ki_call *c, const char *line, size_t n, int64_t number)
{
    tally *t = ki_call_held(c);
    json_t *v = NULL;
    if (t == NULL) {
        t = calloc(1, sizeof *t);
        ki_call_hold(c, t, free);
    }
    const kith_err err = ki_call_read_line(c, line, n, number, &v);
    t->lines += err == KITH_OK;
    t->bytes += (long long)n;
    json_decref(v);
    return err;
}

static kith_err lines_done(ki_call *c)
{
    const tally *t = ki_call_held(c);
    return ki_reply_json(c, json_pack("{s:I, s:I}", "lines", (json_int_t)(t != NULL ? t->lines : 0), "bytes",
                                      (json_int_t)(t != NULL ? t->bytes : 0)));
}

static kith_err wait_some(ki_call *c)
{
    const double s = ki_call_number(c, "n") / 10;
    const struct timespec t = { (time_t)s, (long)((s - (double)(time_t)s) * 1e9) };
    nanosleep(&t, NULL);
    return ki_reply_json(c, json_pack("{s:f}", "waited", s));
}

static kith_err count_next(void *udata, char **text)
{
    int *left = udata;
    if (*left == 0) return KITH_ECANCELED;
    (*left)--;
    if (*left % 2 == 1) return KITH_OK; /* nothing new */
    return ki_strdup(text, "{\"left\":1,\n\"more\":0}");
}

static kith_err count_down(ki_call *c)
{
    int *left = malloc(sizeof *left);
    *left = 2 * (int)ki_call_number(c, "n");
    return ki_reply_stream(c, count_next, free, left);
}

/* A stream that has always more: as an export of a large store. */
static kith_err pour_next(void *udata, char **text)
{
    (void)udata;
    char *made = NULL;
    const kith_err err = ki_alloc(&made, 65536, 1);
    if (err != KITH_OK) return err;
    memset(made, 'x', 65534);
    made[65534] = '\n';
    *text = made;
    return KITH_OK;
}

static kith_err pour(ki_call *c)
{
    return ki_reply_stream(c, pour_next, NULL, NULL);
}

static const ki_route thing_routes[] = {
    { "POST", "/v1/things/look", "thing_look", "Quick without tags", NULL, KI_ROLE_READ, KI_ROUTE_QUICK,
      .body = &thing_body, .reply = &things_reply, .run = thing_add, .slow_with = "tags" },
    { "GET", "/v1/things/{thing_id}", "thing_get", "One thing", NULL, KI_ROLE_READ, 0, .path_shape = &thing_path,
      .query_shape = &thing_query, .reply = &things_reply, .run = thing_get },
    { "POST", "/v1/things", "thing_add", "Add a thing", NULL, KI_ROLE_PUBLIC, 0, .body = &thing_body,
      .reply = &things_reply, .status = 201, .run = thing_add },
    { "DELETE", "/v1/things/{thing_id}", "thing_drop", "Drop a thing", NULL, KI_ROLE_WRITE, 0,
      .path_shape = &thing_path, .run = thing_drop },
    { "POST", "/v1/things/import", "things_import", "Many things", NULL, KI_ROLE_WRITE, KI_ROUTE_LINES,
      .body = &thing_body, .reply = &things_reply, .run = lines_done, .take_line = line_take },
    { "GET", "/v1/users/{user_id}/things", "user_get", "Of a user", NULL, KI_ROLE_PUBLIC, 0, .path_shape = &user_path,
      .reply = &things_reply, .run = user_get },
    { "GET", "/v1/count", "count_down", "A stream", NULL, KI_ROLE_READ, KI_ROUTE_STREAM, .query_shape = &thing_query,
      .run = count_down },
    { "GET", "/v1/pour", "pour", "A stream without end", NULL, KI_ROLE_READ, KI_ROUTE_STREAM | KI_ROUTE_RAW,
      .run = pour },
};
static const ki_route_group things_group = { "things", "For the test", thing_routes, KI_COUNT(thing_routes) };
static const ki_route waiting_routes[] = {
    { "GET", "/v1/things/slow", "wait_some", "Wait", NULL, KI_ROLE_READ, KI_ROUTE_SLOW, .query_shape = &thing_query,
      .reply = &things_reply, .run = wait_some },
};
static const ki_route_group waiting_group = { "waiting", "For the test", waiting_routes, KI_COUNT(waiting_routes) };
static const ki_route_group *const things_groups[] = { &things_group, &waiting_group, &ki_routes_health, NULL };

#endif
