/* SPDX-License-Identifier: MIT
 * rows.h -- the interactions of a text file: cut into pieces at line ends, parsed by all threads, joined in file order
 *
 * A layout only says how one record is parsed (ki_row_parser); reading in blocks, threads, line numbers, bad lines and
 * the numbering of ids are done here.  The result does not depend on blocks, pieces or threads: indexes are given in
 * order of first appearance in the file.
 */
#ifndef KI_ROWS_H
#define KI_ROWS_H

#include "base/file.h"
#include "data/known.h"
#include "data/logdraft.h"

typedef struct ki_span { /* some bytes of the text; no NUL after them */
    const char *at;
    size_t n;
} ki_span;

typedef struct ki_found_row { /* one interaction as found; time counts only with has_time */
    ki_span user, item;
    float value;
    int has_time;
    int64_t time;
} ki_found_row;

/* [from, end) without the blanks around it. */
static inline ki_span ki_trimmed(const char *from, const char *end)
{
    while (from < end && *from == ' ') from++;
    while (end > from && end[-1] == ' ') end--;
    return (ki_span){ from, (size_t)(end - from) };
}

#define KI_CSV_COLUMNS 1024 /* at most */

enum { KI_ROWS_AHEAD = 64, KI_VALUES_SEEN = 256, KI_MARKED = 1024 };

typedef struct ki_marks {      /* separators and line breaks of a stretch of text */
    int32_t at[KI_MARKED + 8]; /* [n] where they are in it; the first `used` are behind us */
    int64_t n, used;
    char *from, *end; /* the stretch */
} ki_marks;

typedef struct ki_row_ahead { /* parsed, its ids not yet looked up */
    ki_found_row row;
    ki_id_key user, item;
} ki_row_ahead;

typedef struct ki_value_seen { /* ratings repeat: what these bytes mean as a number */
    uint64_t bytes;            /* at most 7, and their number; 0: nothing seen here */
    float value;
} ki_value_seen;

/* What one thread finds in one piece of a block. */
typedef struct ki_chunk {
    char *line, *next, *end; /* the record, where the following one begins, where the piece ends */
    int64_t n_lines;         /* lines begun, those within a record of several included */
    int64_t record_line;     /* the one where the record begins */
    const int32_t *mark;     /* [n_fields] where the fields of the record end, if it came split */
    int n_fields;            /* -1: it did not */
    ki_marks marks;

    const ki_known *known_users, *known_items; /* the dataset's before this block */
    ki_idmap users, items;                     /* those of this piece that are not among them */
    int64_t n, room;
    int32_t *user, *item; /* [n] indexes of the dataset; -1 - j for number j of the maps above */
    float *value;         /* [n] */
    int64_t *time;        /* [n], 0 where there is none */
    int64_t n_timed;

    ki_row_ahead ahead[KI_ROWS_AHEAD];
    int n_ahead, n_long; /* n_long: ids among them that are not short */
    ki_value_seen seen[KI_VALUES_SEEN];

    int64_t n_bad;
    int64_t bad_line, bad_column; /* of the first bad one; within the piece, from 1 */
    char bad_why[200];

    int32_t *user_map, *item_map; /* [users.n], [items.n] to indexes of the dataset */
    int64_t first_row;            /* of the dataset's log */
} ki_chunk;

typedef struct ki_row_parser {
    const void *self; /* the layout's own, shared by the threads */

    /* Parse the record at c->line, whose line ends at `end` (no line break, and a CR there is gone): add what is in
     * it, or return ki_chunk_bad(...).  A record of several lines moves c->next on and counts them in c->n_lines.
     * Nothing must be added from a bad record.  The text may be written to. */
    kith_err (*record)(const void *self, ki_chunk *c, char *end);

    /* Where the record at `at` ends, past its line break, or NULL when that is not before `end`.  Asked only where the
     * text has a '"'.  NULL: a record is a line. */
    const char *(*record_end)(const void *self, const char *at, const char *end);

    /* 0, or what fields are separated by: where the text has no '"', most records come split, for ki_chunk_field. */
    char separator;

    size_t skip_bytes; /* a header that the layout has read by peeking */
    int64_t skip_lines;
} ki_row_parser;

/* Field j of the n_fields of a record that came split, without the blanks around it. */
static inline ki_span ki_chunk_field(const ki_chunk *c, int j)
{
    const char *from = j == 0 ? c->line : c->marks.from + c->mark[j - 1] + 1;
    const char *end = c->marks.from + c->mark[j];
    return ki_trimmed(from, end > from && j == c->n_fields - 1 && end[-1] == '\r' ? end - 1 : end);
}

/* Where the next interaction may be written to before it is added: it need not be copied then. */
static inline ki_found_row *ki_chunk_row(ki_chunk *c)
{
    return &c->ahead[c->n_ahead].row;
}

/* Add an interaction; its ids are checked (not empty, valid UTF-8, no NUL).  They must stay where they are until the
 * piece ends, or until the next ki_chunk_settle. */
kith_err ki_chunk_add(ki_chunk *c, const ki_found_row *row);

/* Is it not empty, without NUL and UTF-8?  `what` ("an item id") stands in the sentence. */
kith_err ki_chunk_check_id(ki_chunk *c, ki_span id, const char *what);

/* Look up what was added: before ids that do not lie in the text go away. */
kith_err ki_chunk_settle(ki_chunk *c);

/* Add a user that has nothing. */
kith_err ki_chunk_add_user(ki_chunk *c, ki_span user);

/* The record is malformed at `at`: "got X, want Y".  Returns KITH_EFORMAT. */
kith_err ki_chunk_bad(ki_chunk *c, const char *at, const char *format, ...) KI_PRINTF(3, 4);

/* Value and time from text, with the sentence if it is none; `name` of the column stands in it. */
kith_err ki_chunk_value(ki_chunk *c, ki_span text, const char *name, float *out);
kith_err ki_chunk_time(ki_chunk *c, ki_span text, const char *name, int64_t *out);

typedef struct ki_row_limits {
    int64_t skip_bad;   /* malformed records that may be skipped */
    size_t piece_bytes; /* 0: 1 MiB */
    size_t line_bytes;  /* longest record; 0: 64 MiB */
} ki_row_limits;

#define KI_LINE_MAX ((size_t)64 << 20)

/* Read all of `s` into d->users, d->items, d->report and `draft`.  KITH_EFORMAT with file, line and column when more
 * than limits->skip_bad records are malformed. */
kith_err ki_rows_read(ki_source *s, const ki_row_parser *p, const ki_row_limits *limits, int test,
                      ki_job *job, kith_data *d, ki_log_draft *draft);

#endif
