/* SPDX-License-Identifier: MIT
 * bodies.h -- what handlers of several groups do alike: events and records out of JSON, rows into replies, lines in
 * batches
 */
#ifndef KI_BODIES_H
#define KI_BODIES_H

#include "serve/route.h"
#include "serve/service.h"

/* ---- shapes that many routes name ---- */

extern const ki_shape ki_shape_event;       /* one event, as it is sent */
extern const ki_shape ki_shape_user;        /* one user with an id, as lines are sent */
extern const ki_shape ki_shape_item;        /* likewise */
extern const ki_shape ki_shape_imported;    /* what a body of lines is answered */
extern const ki_shape ki_shape_block_entry; /* a text of it */
extern const ki_shape ki_shape_one_wish;    /* a filter as text, or {want, weight} */
extern const ki_shape ki_shape_list;        /* a list of recommendations as it is answered */
extern const ki_shape ki_shape_user_path, ki_shape_item_path, ki_shape_pair_path; /* parameters */
extern const ki_shape ki_shape_page_query;                                        /* after, limit */
#define KI_PAGE_MEMBERS                                                                            \
    { .name = "after",                                                                             \
      .kind = KI_IS_WHOLE,                                                                         \
      .about = "`next` of the rows before",                                                        \
      .max = 9e15,                                                                                 \
      .init = "0" },                                                                               \
    {                                                                                              \
        .name = "limit", .kind = KI_IS_WHOLE, .about = "most rows", .min = 1, .max = 1000,         \
        .init = "100"                                                                              \
    }
enum { KI_N_FIGURES = 10 };
extern const ki_shape ki_figures[KI_N_FIGURES]; /* members: how good a model was found to be */

/* rows.c: rows of the store, and pages of them */
extern const ki_shape ki_shape_value; /* of an attribute */
extern const ki_shape ki_shape_user_row, ki_shape_item_row, ki_shape_event_row;
extern const ki_shape ki_shape_user_rows, ki_shape_item_rows, ki_shape_event_rows;

/* The members of a page of rows. */
#define KI_ROWS_OF(row)                                                                            \
    { .name = "rows", .kind = KI_IS_LIST, .required = 1, KI_EACH(row) },                           \
    {                                                                                              \
        .name = "next", .kind = KI_IS_WHOLE, .required = 1, .or_null = 1,                          \
        .about = "what `after` wants for the rows that follow; null: there are none"               \
    }

/* ---- who may ---- */

/* A key that speaks for one user, asked for another: 403. */
kith_err ki_call_speaks_for(ki_call *c, const char *user_id);

/* ---- writing ---- */

/* ki_service_write, of what the call began with; 409 when it is of a user who was deleted while it was on its way. */
kith_err ki_call_write(ki_call *c, ki_change *changes, int n);

/* ---- from JSON to changes; texts of a change live as long as `keep` (an array that takes what was made) ---- */

kith_err ki_change_of_event(const json_t *event, json_t *keep, ki_change *out);
kith_err ki_change_of_user(const char *user_id, const json_t *user, json_t *keep, ki_change *out);
kith_err ki_change_of_item(const char *item_id, const json_t *item, json_t *keep, ki_change *out);

/* Seconds since 1970 or ISO 8601, in milliseconds. */
kith_err ki_time_of(const json_t *time, int64_t *ms);

/* ---- a body of lines: written in batches, a line that is wrong is told with its number and left out ---- */

/* Make the change of one line, as ki_change_of_event. */
typedef kith_err (*ki_line_fn)(const json_t *line, json_t *keep, ki_change *out);

kith_err ki_lines_take(ki_call *c, const char *line, size_t n, int64_t number, ki_line_fn fn);

/* The rest is written; the reply is {taken, refused, errors: [{line, message}]}. */
kith_err ki_lines_end(ki_call *c);

/* ---- what is looked at and then changed ---- */

/* `change` while nobody else decides about keys, experiments and what they need: what it found true is true when it writes. */
kith_err ki_call_decide(ki_call *c, kith_err (*change)(ki_call *c));

/* ---- replies ---- */

kith_err ki_reply_written(ki_call *c, ki_text *t); /* JSON; takes the text, on failure too */

/* Rows of a table as {rows: [...], next}: `next` is what `after` wants for those that follow; null: no more. */
kith_err ki_reply_rows(ki_call *c, ki_table_name table, ki_select which, int limit);

#endif
