/* SPDX-License-Identifier: MIT
 * bodies.c -- JSON to changes, lines to batches; the shapes of both, and of lists
 */
#include "serve/bodies.h"

#include "base/mem.h"
#include "base/scan.h"
#include "serve/clock.h"
#include "serve/jsonwrite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- shapes ---- */

#define USER_ID                                                                                    \
    {                                                                                              \
        .name = "user_id", .kind = KI_IS_ID, .required = 1, .about = "the user", .max = 256,       \
        .example = "\"ann\""                                                                       \
    }
#define ITEM_ID                                                                                    \
    {                                                                                              \
        .name = "item_id", .kind = KI_IS_ID, .required = 1, .about = "the item", .max = 256,       \
        .example = "\"i1\""                                                                        \
    }
static const ki_shape by_user[] = { USER_ID }, by_item[] = { ITEM_ID },
                      by_both[] = { USER_ID, ITEM_ID };
const ki_shape ki_shape_user_path = { .kind = KI_IS_OBJECT, KI_INSIDE(by_user) };
const ki_shape ki_shape_item_path = { .kind = KI_IS_OBJECT, KI_INSIDE(by_item) };
const ki_shape ki_shape_pair_path = { .kind = KI_IS_OBJECT, KI_INSIDE(by_both) };
static const ki_shape a_page[] = {
    KI_PAGE_MEMBERS,
};
const ki_shape ki_shape_page_query = { .kind = KI_IS_OBJECT, KI_INSIDE(a_page) };

static const ki_shape an_event[] = {
    { .name = "user_id", .kind = KI_IS_ID, .required = 1, .about = "who", .max = 256 },
    { .name = "item_id", .kind = KI_IS_ID, .required = 1, .about = "with what", .max = 256 },
    { .name = "event",
      .kind = KI_IS_NAME,
      .required = 1,
      .about =
          "what happened: rating, like, dislike, click, purchase, play, view, ... as the setting "
          "`events` lists them",
      .max = 64,
      .example = "\"purchase\"" },
    { .name = "value",
      .kind = KI_IS_NUMBER,
      .about = "the stars of a rating; how many, how long or how much of others (1)" },
    { .name = "time", .kind = KI_IS_TIME, .about = "when (now)" },
    { .name = "rec_id", .kind = KI_IS_NAME, .about = "of the list that it answers to", .max = 64 },
    { .name = "id",
      .kind = KI_IS_NAME,
      .about = "of the event: what is sent again under the same id is written once",
      .max = 256 },
};
const ki_shape ki_shape_event = {
    .kind = KI_IS_OBJECT,
    KI_INSIDE(an_event),
    .type = "Event",
    .example = "{\"user_id\": \"ann\", \"item_id\": \"i1\", \"event\": \"purchase\"}"
};

#define ATTRIBUTES                                                                                 \
    {                                                                                              \
        .name = "attributes", .kind = KI_IS_MAP, KI_EACH(ki_shape_value), .type = "Attributes",    \
        .about = "numbers, texts, booleans, lists of texts (a set) or of numbers (a vector), in "  \
                 "place of all "                                                                   \
                 "before"                                                                          \
    }

static const ki_shape a_user[] = {
    { .name = "user_id", .kind = KI_IS_ID, .required = 1, .about = "the user", .max = 256 },
    ATTRIBUTES,
};
static const ki_shape an_item[] = {
    { .name = "item_id", .kind = KI_IS_ID, .required = 1, .about = "the item", .max = 256 },
    ATTRIBUTES,
    { .name = "hidden", .kind = KI_IS_FLAG, .about = "true: known, and recommended to nobody" },
    { .name = "created", .kind = KI_IS_TIME, .about = "when it came into the catalogue (now)" },
};
const ki_shape ki_shape_user = {
    .kind = KI_IS_OBJECT,
    KI_INSIDE(a_user),
    .type = "User",
    .example = "{\"user_id\": \"bob\", \"attributes\": {\"age\": 41, \"country\": \"at\"}}"
};
const ki_shape ki_shape_item = {
    .kind = KI_IS_OBJECT,
    KI_INSIDE(an_item),
    .type = "Item",
    .example = "{\"item_id\": \"i2\", \"attributes\": {\"title\": \"Charade\", \"year\": 1963}}"
};

static const ki_shape a_wrong_line[] = {
    { .name = "line", .kind = KI_IS_WHOLE, .required = 1, .about = "its number, from 1" },
    { .name = "message", .kind = KI_IS_TEXT, .required = 1, .about = "what is wrong with it" },
};
static const ki_shape wrong_line = { .kind = KI_IS_OBJECT,
                                     KI_INSIDE(a_wrong_line),
                                     .type = "WrongLine" };
static const ki_shape an_import[] = {
    { .name = "taken", .kind = KI_IS_WHOLE, .required = 1, .about = "lines that are kept" },
    { .name = "refused", .kind = KI_IS_WHOLE, .required = 1, .about = "lines that are not" },
    { .name = "errors",
      .kind = KI_IS_LIST,
      .required = 1,
      .about = "the first hundred of these",
      KI_EACH(wrong_line) },
};
const ki_shape ki_shape_imported = { .kind = KI_IS_OBJECT,
                                     KI_INSIDE(an_import),
                                     .type = "Imported" };

static const ki_shape a_reason[] = {
    { .name = "item_id", .kind = KI_IS_TEXT, .required = 1, .about = "an item of the history" },
    { .name = "title", .kind = KI_IS_TEXT },
    { .name = "contribution",
      .kind = KI_IS_NUMBER,
      .required = 1,
      .about = "its share of the score" },
};
static const ki_shape one_reason = { .kind = KI_IS_OBJECT, KI_INSIDE(a_reason), .type = "Reason" };
const ki_shape ki_shape_block_entry = { .kind = KI_IS_NAME, .max = 1000 };
const ki_shape ki_shape_one_wish = { .kind = KI_IS_ANY };
static const ki_shape a_degree[] = {
    { .name = "want", .kind = KI_IS_TEXT, .required = 1, .about = "the wish" },
    { .name = "weight", .kind = KI_IS_NUMBER, .required = 1 },
    { .name = "degree", .kind = KI_IS_NUMBER, .required = 1, .about = "from 0 to 1" },
};
static const ki_shape one_degree = { .kind = KI_IS_OBJECT, KI_INSIDE(a_degree), .type = "MetWish" };
static const ki_shape a_listed[] = {
    { .name = "item_id", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "title", .kind = KI_IS_TEXT },
    { .name = "score",
      .kind = KI_IS_NUMBER,
      .required = 1,
      .about = "higher is better; not comparable between users" },
    { .name = "wishes",
      .kind = KI_IS_LIST,
      .about = "how far it meets each wish",
      KI_EACH(one_degree) },
    { .name = "reason", .kind = KI_IS_TEXT, .about = "a sentence, where reasons were asked for" },
    { .name = "reasons", .kind = KI_IS_LIST, KI_EACH(one_reason) },
    { .name = "rest", .kind = KI_IS_NUMBER, .about = "score less what the reasons say" },
    { .name = "propensity", .kind = KI_IS_NUMBER, .about = "chance of having been drawn" },
};
static const ki_shape one_listed = { .kind = KI_IS_OBJECT, KI_INSIDE(a_listed), .type = "Listed" };
static const ki_shape a_clause[] = {
    { .name = "text", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "removes", .kind = KI_IS_WHOLE, .required = 1, .about = "items that it takes away" },
    { .name = "remain", .kind = KI_IS_WHOLE, .required = 1, .about = "after it and those before" },
    { .name = "back",
      .kind = KI_IS_WHOLE,
      .required = 1,
      .about = "items that would be there without it" },
    { .name = "suggestion", .kind = KI_IS_TEXT, .or_null = 1, .about = "a milder one" },
};
static const ki_shape clause = { .kind = KI_IS_OBJECT, KI_INSIDE(a_clause), .type = "Clause" };
static const ki_shape one_text = { .kind = KI_IS_TEXT };
static const ki_shape one_whole = { .kind = KI_IS_WHOLE };
static const ki_shape filter_counts[] = {
    { .name = "candidates", .kind = KI_IS_WHOLE, .required = 1, .about = "before the filter" },
    { .name = "passed", .kind = KI_IS_WHOLE, .required = 1, .about = "after it" },
    { .name = "clauses", .kind = KI_IS_LIST, .required = 1, KI_EACH(clause) },
    { .name = "relax",
      .kind = KI_IS_LIST,
      .required = 1,
      .about = "clauses to do without, so that something is left",
      KI_EACH(one_text) },
    { .name = "relaxed", .kind = KI_IS_WHOLE, .required = 1, .about = "items there would be then" },
    { .name = "sentence", .kind = KI_IS_TEXT, .required = 1 },
};
static const ki_shape a_wish_report[] = {
    { .name = "want", .kind = KI_IS_TEXT, .required = 1, .about = "the wish" },
    { .name = "weight", .kind = KI_IS_NUMBER, .required = 1 },
    { .name = "met", .kind = KI_IS_WHOLE, .required = 1, .about = "items that meet it in full" },
    { .name = "best",
      .kind = KI_IS_NUMBER,
      .required = 1,
      .about = "degree that the nearest comes to" },
};
static const ki_shape one_wish_report = { .kind = KI_IS_OBJECT,
                                          KI_INSIDE(a_wish_report),
                                          .type = "WishReport" };
static const ki_shape a_report[] = {
    { .name = "wishes",
      .kind = KI_IS_LIST,
      .about = "how far each wish can be met at all",
      KI_EACH(one_wish_report) },
    { .name = "filter",
      .kind = KI_IS_OBJECT,
      .about = "what each clause took away",
      KI_INSIDE(filter_counts),
      .type = "FilterCounts" },
    { .name = "block", .kind = KI_IS_OPEN, .about = "how many items the block lists keep out" },
    { .name = "notes",
      .kind = KI_IS_LIST,
      .about = "what is odd about filter and wishes",
      KI_EACH(one_text) },
    { .name = "retrieved",
      .kind = KI_IS_LIST,
      .about = "items that each source of the pipeline brought",
      KI_EACH(one_whole) },
    { .name = "rules", .kind = KI_IS_ANY, .about = "what each rule did" },
    { .name = "candidates", .kind = KI_IS_WHOLE, .about = "items among which the list was chosen" },
};
static const ki_shape a_list[] = {
    { .name = "rec_id",
      .kind = KI_IS_TEXT,
      .about = "of this list: for further pages, and for the events that answer to it" },
    { .name = "user_id", .kind = KI_IS_TEXT },
    { .name = "scenario", .kind = KI_IS_TEXT },
    { .name = "experiment", .kind = KI_IS_TEXT },
    { .name = "variant", .kind = KI_IS_TEXT },
    { .name = "share", .kind = KI_IS_NUMBER, .about = "of the users that the variant has" },
    { .name = "model", .kind = KI_IS_TEXT, .about = "version that spoke; empty: none is in force" },
    { .name = "history", .kind = KI_IS_WHOLE, .about = "items that the user has to do with" },
    { .name = "folded", .kind = KI_IS_FLAG, .about = "the history is newer than the model" },
    { .name = "basis",
      .kind = KI_IS_TEXT,
      .about = "user, liked, text, wishes, popular, item, trending or latest" },
    { .name = "note", .kind = KI_IS_TEXT, .about = "why the basis is not what was asked for" },
    { .name = "block_unused",
      .kind = KI_IS_LIST,
      .about = "entries of the request's block list that match nothing in the catalogue",
      KI_EACH(one_text) },
    { .name = "page", .kind = KI_IS_WHOLE },
    { .name = "more", .kind = KI_IS_FLAG, .about = "there are further pages" },
    { .name = "items",
      .kind = KI_IS_LIST,
      .required = 1,
      .about = "best first",
      KI_EACH(one_listed) },
    { .name = "report",
      .kind = KI_IS_OPEN,
      .about = "what filter, wishes, sources and rules did",
      KI_INSIDE(a_report),
      .type = "ListReport" },
};
const ki_shape ki_shape_list = { .kind = KI_IS_OBJECT,
                                 KI_INSIDE(a_list),
                                 .type = "RecommendedList" };

/* ---- who may ---- */

kith_err ki_call_speaks_for(ki_call *c, const char *user_id)
{
    const ki_caller *caller = ki_call_caller(c);
    if (caller->role != KI_ROLE_PUBLIC || caller->user == NULL) return KITH_OK;
    if (user_id != NULL && strcmp(caller->user, user_id) == 0) return KITH_OK;
    return ki_call_refuse(c, 403, KITH_EINVAL, "this key speaks for another user");
}

/* ---- from JSON to changes ---- */

/* An id that came as a whole number stands for its digits. */
static kith_err text_of(const json_t *v, json_t *keep, const char **out)
{
    char digits[24];
    if (json_is_string(v)) return *out = json_string_value(v), KITH_OK;
    snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    json_t *text = json_string(digits);
    if (json_array_append_new(keep, text) != 0) return ki_fail_memory(64);
    *out = json_string_value(text);
    return KITH_OK;
}

static kith_err print(const json_t *o, json_t *keep, const char **out)
{
    *out = NULL;
    if (o == NULL) return KITH_OK;
    char *text = json_dumps(o, JSON_COMPACT);
    json_t *kept = text == NULL ? NULL : json_string(text);
    free(text);
    if (json_array_append_new(keep, kept) != 0) return ki_fail_memory(256);
    *out = json_string_value(kept);
    return KITH_OK;
}

static const int64_t year_1 = -62135596800; /* the first second that a store takes */

/* 0 would be now. */
static int64_t some(int64_t ms)
{
    return ms == 0 ? 1 : ms;
}

/* From the second `first` on, to the year 9999. */
static kith_err time_from(const json_t *time, int64_t first, int64_t *ms)
{
    int64_t seconds;
    *ms = 0;
    if (time == NULL || json_is_null(time)) return KITH_OK;
    if (json_is_number(time)) {
        const double s = json_number_value(time);
        if (!(s >= (double)first && s < 253402300800.0))
            return ki_fail(KITH_EINVAL, "time %g: want seconds since 1970", s);
        *ms = some((int64_t)(s * 1000));
        return KITH_OK;
    }
    const char *text = json_string_value(time);
    if (text == NULL || !ki_scan_time(text, strlen(text), &seconds) || seconds < first)
        return ki_fail(KITH_EINVAL, "time \"%.40s\": want ISO 8601 or seconds since 1970",
                       text == NULL ? "" : text);
    *ms = some(seconds * 1000);
    return KITH_OK;
}

kith_err ki_time_of(const json_t *time, int64_t *ms)
{
    return time_from(time, 0, ms);
}

kith_err ki_change_of_event(const json_t *event, json_t *keep, ki_change *out)
{
    const json_t *value = json_object_get(event, "value");
    ki_change c = { .change = KI_ADD_EVENT,
                    .kind = json_string_value(json_object_get(event, "event")),
                    .id = json_string_value(json_object_get(event, "id")),
                    .rec_id = json_string_value(json_object_get(event, "rec_id")),
                    .value = json_is_number(value) ? json_number_value(value) : (double)NAN };
    kith_err err = text_of(json_object_get(event, "user_id"), keep, &c.user);
    if (err == KITH_OK) err = text_of(json_object_get(event, "item_id"), keep, &c.item);
    if (err == KITH_OK) err = ki_time_of(json_object_get(event, "time"), &c.time_ms);
    if (err == KITH_OK) *out = c;
    return err;
}

kith_err ki_change_of_user(const char *user_id, const json_t *user, json_t *keep, ki_change *out)
{
    ki_change c = { .change = KI_PUT_USER, .id = user_id };
    kith_err err = KITH_OK;
    if (user_id == NULL) err = text_of(json_object_get(user, "user_id"), keep, &c.id);
    if (err == KITH_OK) err = print(json_object_get(user, "attributes"), keep, &c.json);
    if (err == KITH_OK) *out = c;
    return err;
}

kith_err ki_change_of_item(const char *item_id, const json_t *item, json_t *keep, ki_change *out)
{
    const json_t *hidden = json_object_get(item, "hidden");
    ki_change c = { .change = KI_PUT_ITEM,
                    .id = item_id,
                    .hidden = hidden == NULL ? -1 : json_is_true(hidden) };
    kith_err err = KITH_OK;
    if (item_id == NULL) err = text_of(json_object_get(item, "item_id"), keep, &c.id);
    if (err == KITH_OK) err = print(json_object_get(item, "attributes"), keep, &c.json);
    if (err == KITH_OK)
        err = time_from(json_object_get(item, "created"), year_1, &c.time_ms); /* a film of 1931 */
    if (err == KITH_OK) *out = c;
    return err;
}

/* ---- lines ---- */

enum { BATCH = 1000, ERRORS_TOLD = 100 };

struct lines {
    ki_change changes[BATCH];
    int64_t number[BATCH]; /* of the line that each change came from */
    int n;
    int64_t began; /* ki_clock_ns of the first of them */
    json_t *keep, *errors;
    int64_t taken, refused;
};

static void let_go(void *held)
{
    struct lines *l = held;
    json_decref(l->keep);
    json_decref(l->errors);
    ki_free(l);
}

static kith_err lines_of(ki_call *c, struct lines **out)
{
    struct lines *l = ki_call_held(c);
    if (l == NULL) {
        const kith_err err = ki_alloc(&l, 1, sizeof *l);
        if (err != KITH_OK) return err;
        l->keep = json_array();
        l->errors = json_array();
        ki_call_hold(c, l, let_go);
    }
    *out = l;
    return KITH_OK;
}

static json_int_t line_of(const json_t *errors, size_t j)
{
    return json_integer_value(json_object_get(json_array_get(errors, j), "line"));
}

/* In the order of lines, though a batch is judged after some of its lines. */
static void refuse(struct lines *l, int64_t number)
{
    l->refused++;
    size_t at = json_array_size(l->errors);
    while (at > 0 && line_of(l->errors, at - 1) > number) at--;
    json_t *message = json_string(kith_last_error());
    if (message == NULL) message = json_string("the line is not UTF-8");
    json_array_insert_new(l->errors, at,
                          json_pack("{s:I, s:o}", "line", (json_int_t)number, "message", message));
    if (json_array_size(l->errors) > ERRORS_TOLD) json_array_remove(l->errors, ERRORS_TOLD);
}

kith_err ki_call_write(ki_call *c, ki_change *changes, int n)
{
    int gone;
    const kith_err err =
        ki_service_write_begun(ki_call_service(c), changes, n, ki_call_began(c), &gone);
    return gone ? ki_call_refuse(c, 409, err, "%s", kith_last_error()) : err;
}

/* A part that is refused as a whole is written in halves, so that only the wrong lines are left out: one of a thousand
 * costs twenty commits. */
static kith_err write_part(ki_call *c, struct lines *l, int from, int n)
{
    const kith_err err =
        n == 0 ? KITH_OK
               : ki_service_write_begun(ki_call_service(c), l->changes + from, n, l->began, NULL);
    if (err == KITH_OK) l->taken += n;
    if (err != KITH_EINVAL) return err;
    if (n == 1) {
        refuse(l, l->number[from]);
        return KITH_OK;
    }
    const kith_err first = write_part(c, l, from, n / 2);
    return first != KITH_OK ? first : write_part(c, l, from + n / 2, n - n / 2);
}

static kith_err flush(ki_call *c, struct lines *l)
{
    const kith_err err = write_part(c, l, 0, l->n);
    l->n = 0;
    json_array_clear(l->keep);
    return err;
}

static int is_ours(kith_err err)
{
    return err == KITH_EINVAL || err == KITH_EFORMAT;
}

kith_err ki_lines_take(ki_call *c, const char *line, size_t n, int64_t number, ki_line_fn fn)
{
    struct lines *l = NULL;
    json_t *o = NULL;
    kith_err err = lines_of(c, &l);
    if (err != KITH_OK) return err;
    err = ki_call_read_line(c, line, n, number, &o);
    if (err == KITH_OK && json_array_append_new(l->keep, o) != 0) err = ki_fail_memory(64);
    if (err == KITH_OK) err = fn(o, l->keep, &l->changes[l->n]);
    if (err != KITH_OK) {
        if (!is_ours(err)) return err;
        refuse(l, number);
        return KITH_OK;
    }
    if (l->n == 0) l->began = ki_clock_ns();
    l->number[l->n++] = number;
    return l->n == BATCH ? flush(c, l) : KITH_OK;
}

kith_err ki_lines_end(ki_call *c)
{
    struct lines *l = NULL;
    kith_err err = lines_of(c, &l);
    if (err == KITH_OK) err = flush(c, l);
    if (err != KITH_OK) return err;
    return ki_reply_json(c, json_pack("{s:I, s:I, s:O}", "taken", (json_int_t)l->taken, "refused",
                                      (json_int_t)l->refused, "errors", l->errors));
}

kith_err ki_call_decide(ki_call *c, kith_err (*change)(ki_call *c))
{
    ki_service_begin_decision(ki_call_service(c));
    const kith_err err = change(c);
    ki_service_end_decision(ki_call_service(c));
    return err;
}

/* ---- replies ---- */

kith_err ki_reply_written(ki_call *c, ki_text *t)
{
    if (t->err == KITH_OK) return ki_reply_text(c, t->at, t->n, "application/json");
    const kith_err err = t->err;
    ki_text_clear(t);
    return err;
}
