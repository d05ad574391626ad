/* SPDX-License-Identifier: MIT
 * rows.c -- the interactions of a text file, parsed by all threads
 *
 * Design      A block of the file (256 KiB at first, later 8 MiB) is cut into at most 8 pieces at record ends.  The
 *             pieces are parsed in parallel.  Ids that earlier blocks have brought are found in a table that nobody
 *             writes to meanwhile; new ones get a number within the piece and are entered into the dataset between
 *             the blocks, in file order.  Then, in parallel again, the rows are written to their places in the log.
 * Splitting   Where a block has no quotes, one kernel finds separators and line breaks 32 bytes at a time, for a stretch of
 *             text ahead; a layout that has a separator gets its records split by these marks.  Records that they cannot
 *             show (long ones, the last one) come whole, as all others do.
 * Cost        per row: one look at each byte and two look-ups.  These wait for memory, so the ids of 64 rows are made
 *             ready and fetched ahead of being looked up.  Memory: the log with 2 % for what may come, one block,
 *             and 20 bytes for each of its rows.
 * Guarantees  The same dataset, report and sentence for any number of threads.
 */
#include "data/rows.h"

#include "base/mem.h"
#include "base/scan.h"
#include "simd/kernels.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    MAX_PIECES = 8,
    FIRST_BLOCK = 256 << 10,
    LAST_BLOCK = 8 << 20, /* it stays in the cache while it is parsed and written */
    PIECE_BYTES = 1 << 20,
};

/* ---- what a layout calls for one record ---- */

kith_err ki_chunk_bad(ki_chunk *c, const char *at, const char *format, ...)
{
    const char *line = c->line;
    if (c->n_bad++ > 0) return KITH_EFORMAT;
    va_list args;
    va_start(args, format);
    vsnprintf(c->bad_why, sizeof c->bad_why, format, args);
    va_end(args);
    ki_utf8_mend(c->bad_why);
    c->bad_line = c->record_line;
    for (const char *stop; (stop = memchr(line, '\n', (size_t)(at - line))) != NULL;
         line = stop + 1)
        c->bad_line++;
    c->bad_column = at - line + 1;
    return KITH_EFORMAT;
}

/* How many bytes may be read at `at`, which is often in the piece, at the record or after it. */
static size_t room_at(const ki_chunk *c, const char *at)
{
    const uintptr_t p = (uintptr_t)at;
    return p >= (uintptr_t)c->line && p < (uintptr_t)c->end ? (uintptr_t)c->end - p : 0;
}

/* Where a short text stands among those seen, or would. */
static ki_value_seen *seen_value(ki_chunk *c, uint64_t bytes)
{
    return &c->seen[bytes * 0x9e3779b97f4a7c15u >> 56];
}

kith_err ki_chunk_value(ki_chunk *c, ki_span text, const char *name, float *out)
{
    char shown[KI_SHOW];
    double x;
    const uint64_t bytes = text.n < 8 ? (uint64_t)text.n << 56 |
                                            ki_short_bytes_in(text.at, text.n, room_at(c, text.at))
                                      : 0;
    ki_value_seen *seen = seen_value(c, bytes);
    if (bytes != 0 && seen->bytes == bytes) return *out = seen->value, KITH_OK;
    if (!ki_scan_number(text.at, text.n, &x))
        return ki_chunk_bad(c, text.at, "got %s, want a number (%s)",
                            ki_show(shown, text.at, text.n), name);
    if (!isfinite((float)x))
        return ki_chunk_bad(c, text.at, "got %s, want a number below 3.4e38 (%s)",
                            ki_show(shown, text.at, text.n), name);
    *out = (float)x;
    *seen = (ki_value_seen){ bytes, *out };
    return KITH_OK;
}

/* Seconds as most files have them, in 9 or 10 digits. */
static int plain_seconds(ki_span s, int64_t *out)
{
    uint64_t text;
    if (s.n != 9 && s.n != 10) return 0;
    memcpy(&text, s.at, 8);
    const unsigned ninth = (unsigned)(s.at[8] - '0'), last = (unsigned)(s.at[s.n - 1] - '0');
    if (!ki_are_eight_digits(text) || ninth > 9 || last > 9) return 0;
    const int64_t nine = (int64_t)ki_eight_digits(text) * 10 + ninth;
    *out = s.n == 9 ? nine : nine * 10 + last;
    return 1;
}

kith_err ki_chunk_time(ki_chunk *c, ki_span text, const char *name, int64_t *out)
{
    char shown[KI_SHOW];
    if (plain_seconds(text, out)) return KITH_OK;
    if (ki_scan_time(text.at, text.n, out)) return KITH_OK;
    return ki_chunk_bad(c, text.at, "got %s, want unix seconds or an ISO 8601 time (%s)",
                        ki_show(shown, text.at, text.n), name);
}

/* 1 when there is neither a NUL nor a byte beyond ASCII. */
static int is_plain(ki_span s)
{
    int plain = 1;
    for (size_t j = 0; j < s.n; j++) plain &= (unsigned char)(s.at[j] - 1) < 0x7f;
    return plain;
}

kith_err ki_chunk_check_id(ki_chunk *c, ki_span id, const char *what)
{
    char shown[KI_SHOW];
    if (id.n == 0) return ki_chunk_bad(c, id.at, "got an empty field, want %s", what);
    if (is_plain(id)) return KITH_OK;
    if (memchr(id.at, '\0', id.n) != NULL)
        return ki_chunk_bad(c, id.at, "got %s with a NUL byte in it, want %s",
                            ki_show(shown, id.at, id.n), what);
    if (!ki_utf8_valid(id.at, id.n))
        return ki_chunk_bad(c, id.at, "got %s, which is not UTF-8, want %s",
                            ki_show(shown, id.at, id.n), what);
    return KITH_OK;
}

/* The same; most ids are short and plain, and that is seen in the key: no byte is beyond ASCII or NUL. */
static kith_err check_key(ki_chunk *c, const ki_id_key *key, ki_span id, const char *what)
{
    const uint64_t ones = 0x0101010101010101u, tops = ones << 7;
    const uint64_t after =
        id.n < 8 ? ~(uint64_t)0 << 8 * id.n : 0; /* the bytes that are not the id's */
    const uint64_t text = key->bytes | after;
    if (key->number != KI_NO_NUMBER) return KITH_OK;
    if (key->bytes != 0 && (key->bytes & tops) == 0 && ((text - ones) & ~text & tops) == 0)
        return KITH_OK;
    return ki_chunk_check_id(c, id, what);
}

static kith_err make_room(ki_chunk *c)
{
    const size_t have = (size_t)c->room, want = have == 0 ? 1024 : have * 2;
    kith_err err;
    if ((err = ki_grow(&c->user, have, want, sizeof *c->user)) != KITH_OK) return err;
    if ((err = ki_grow(&c->item, have, want, sizeof *c->item)) != KITH_OK) return err;
    if ((err = ki_grow(&c->value, have, want, sizeof *c->value)) != KITH_OK) return err;
    if ((err = ki_grow(&c->time, have, want, sizeof *c->time)) != KITH_OK) return err;
    c->room = (int64_t)want;
    return KITH_OK;
}

/* The index of an id in the dataset, or -1 - its number among those that are new in this piece. */
static kith_err look_up(const ki_known *known, ki_idmap *fresh, const ki_id_key *key, ki_span id,
                        int32_t *out)
{
    kith_err err;
    if ((*out = ki_known_find(known, key, id.at, id.n)) >= 0) return KITH_OK;
    if ((err = ki_idmap_add(fresh, id.at, id.n, out)) != KITH_OK) return err;
    *out = -1 - *out;
    return KITH_OK;
}

static kith_err enter_row(ki_chunk *c, const ki_row_ahead *a)
{
    const ki_found_row *row = &a->row;
    const int64_t n = c->n;
    kith_err err;
    if (n == c->room && (err = make_room(c)) != KITH_OK) return err;
    if ((err = look_up(c->known_users, &c->users, &a->user, row->user, &c->user[n])) != KITH_OK)
        return err;
    if ((err = look_up(c->known_items, &c->items, &a->item, row->item, &c->item[n])) != KITH_OK)
        return err;
    c->value[n] = row->value;
    c->time[n] = row->has_time ? row->time : 0;
    c->n_timed += row->has_time;
    c->n++;
    return KITH_OK;
}

/* Long ids wait for memory three times: what they wait for after the slot. */
static void fetch_long(ki_chunk *c, void (*fetch)(const ki_idmap *m, uint64_t hash))
{
    for (int j = 0; j < c->n_ahead; j++) {
        const ki_row_ahead *a = &c->ahead[j];
        if (a->user.bytes == 0) fetch(c->known_users->map, a->user.hash);
        if (a->item.bytes == 0) fetch(c->known_items->map, a->item.hash);
    }
}

kith_err ki_chunk_settle(ki_chunk *c)
{
    kith_err err = KITH_OK;
    if (c->n_long > 0) fetch_long(c, ki_idmap_near_offset);
    if (c->n_long > 0) fetch_long(c, ki_idmap_near_text);
    for (int j = 0; err == KITH_OK && j < c->n_ahead; j++) err = enter_row(c, &c->ahead[j]);
    c->n_ahead = c->n_long = 0;
    return err;
}

static ki_id_key key_of(const ki_chunk *c, const ki_known *known, ki_span id)
{
    return ki_known_key(known, id.at, id.n, room_at(c, id.at));
}

kith_err ki_chunk_add(ki_chunk *c, const ki_found_row *row)
{
    kith_err err;
    ki_row_ahead *a = &c->ahead[c->n_ahead];
    a->user = key_of(c, c->known_users, row->user);
    a->item = key_of(c, c->known_items, row->item);
    if ((err = check_key(c, &a->user, row->user, "a user id")) != KITH_OK) return err;
    if ((err = check_key(c, &a->item, row->item, "an item id")) != KITH_OK) return err;
    if (row != &a->row) a->row = *row;
    c->n_long += (a->user.bytes == 0) + (a->item.bytes == 0);
    return ++c->n_ahead == KI_ROWS_AHEAD ? ki_chunk_settle(c) : KITH_OK;
}

kith_err ki_chunk_add_user(ki_chunk *c, ki_span user)
{
    int32_t u;
    kith_err err;
    if ((err = ki_chunk_check_id(c, user, "a user id")) != KITH_OK ||
        (err = ki_chunk_settle(c)) != KITH_OK)
        return err;
    const ki_id_key key = key_of(c, c->known_users, user);
    return look_up(c->known_users, &c->users, &key, user, &u);
}

/* ---- one piece ---- */

struct block {
    char *text;
    size_t n, room;
    int at_end; /* nothing follows text[n] */
    int quoted; /* there is a quote in it, and the layout cares */
};

struct work { /* what the threads share while one file is read */
    const ki_row_parser *parser;
    const ki_row_limits *limits;
    ki_source *source;
    kith_data *data;
    ki_known users, items; /* of the data */
    ki_log_draft *draft;
    ki_chunk *chunks; /* [MAX_PIECES] */
    int n_chunks;
    int splits;     /* the records of this block come split */
    int64_t line;   /* lines before this block */
    int64_t n_rows; /* of this file */
    int test;
};

static void empty_chunk(ki_chunk *c, char *begin, char *end)
{
    ki_idmap_empty(&c->users);
    ki_idmap_empty(&c->items);
    c->next = begin;
    c->end = end;
    c->n = c->n_timed = c->n_lines = c->n_bad = 0;
    c->n_ahead = c->n_long = 0;
    c->marks.n = c->marks.used = 0;
}

/* Marks of the text from the record on, as far as they are held. */
static void mark_text(ki_chunk *c, char separator)
{
    ki_marks *m = &c->marks;
    m->from = c->line;
    m->end = m->from + KI_MIN((int64_t)KI_MARKED, c->end - m->from);
    m->n = ki_kernels_get()->scan_bytes(m->at, m->from, m->end - m->from, separator, '\n');
    m->used = 0;
}

/* The number of marks that the record at c->line has, its line break the last; 0: it does not end where marks are. */
static int count_marks(const ki_marks *m)
{
    for (int64_t j = m->used; j < m->n; j++)
        if (m->from[m->at[j]] == '\n') return (int)(j + 1 - m->used);
    return 0;
}

/* Split the record at c->line if its marks can be held; returns where its line ends, or NULL. */
static char *split_record(ki_chunk *c, char separator)
{
    ki_marks *m = &c->marks;
    int n = count_marks(m);
    if (n == 0) {
        mark_text(c, separator);
        if ((n = count_marks(m)) == 0) {
            m->n = 0;
            return NULL; /* too long, or the last one */
        }
    }
    c->n_fields = n;
    c->mark = m->at + m->used;
    m->used += n;
    char *stop = m->from + c->mark[n - 1];
    c->next = stop + 1;
    return stop > c->line && stop[-1] == '\r' ? stop - 1 : stop;
}

static char *find_line_end(ki_chunk *c)
{
    char *stop = memchr(c->line, '\n', (size_t)(c->end - c->line));
    c->next = stop == NULL ? c->end : stop + 1;
    if (stop == NULL) stop = c->end;
    return stop > c->line && stop[-1] == '\r' ? stop - 1 : stop;
}

static kith_err parse_piece(const struct work *w, ki_chunk *c)
{
    while (c->next < c->end && c->n_bad <= w->limits->skip_bad) {
        c->line = c->next;
        c->n_fields = -1;
        char *stop = w->splits ? split_record(c, w->parser->separator) : NULL;
        if (stop == NULL) stop = find_line_end(c);
        c->record_line = ++c->n_lines;
        if (stop == c->line) continue; /* an empty line means nothing */
        const kith_err err = w->parser->record(w->parser->self, c, stop);
        if (err != KITH_OK && err != KITH_EFORMAT) return err;
    }
    return ki_chunk_settle(c);
}

static kith_err parse_pieces(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct work *w = arg;
    kith_err err = KITH_OK;
    (void)worker;
    for (int64_t j = begin; err == KITH_OK && j < end; j++) err = parse_piece(w, &w->chunks[j]);
    return err;
}

/* ---- joining pieces, in file order ---- */

static kith_err note_bad(struct work *w, const ki_chunk *c)
{
    ki_read_report *report = &w->data->report;
    const long long line = (long long)(w->line + c->bad_line), column = (long long)c->bad_column;
    if (report->n_skipped == 0)
        snprintf(report->first_skipped, sizeof report->first_skipped, "%.40s:%lld:%lld: %.180s",
                 ki_path_base(ki_source_name(w->source)), line, column, c->bad_why);
    ki_utf8_mend(report->first_skipped);
    report->n_skipped += c->n_bad; /* of all files */
    if (report->n_skipped <= w->limits->skip_bad) return KITH_OK;
    if (w->limits->skip_bad == 0)
        return ki_fail(KITH_EFORMAT, "%s:%lld:%lld: %s", ki_source_name(w->source), line, column,
                       c->bad_why);
    return ki_fail(KITH_EFORMAT, "%s: more than %lld malformed lines; the first: %s",
                   ki_source_name(w->source), (long long)w->limits->skip_bad,
                   report->first_skipped);
}

/* Enter the ids that are new in a piece into the dataset and note what they are called there. */
static kith_err enter_ids(ki_idmap *to, const ki_idmap *from, int32_t **map)
{
    kith_err err = KITH_OK;
    ki_free(*map);
    *map = NULL;
    if (from->n > 0) err = ki_alloc(map, (size_t)from->n, sizeof **map);
    for (int32_t j = 0; err == KITH_OK && j < from->n; j++)
        err = ki_idmap_add(to, ki_idmap_name(from, j), ki_idmap_length(from, j), &(*map)[j]);
    return err;
}

/* Enter what piece c found into the dataset; its rows follow in write_rows. */
static kith_err enter_piece(struct work *w, ki_chunk *c)
{
    kith_err err;
    if (c->n_bad > 0 && (err = note_bad(w, c)) != KITH_OK) return err;
    if ((err = enter_ids(&w->data->users, &c->users, &c->user_map)) != KITH_OK) return err;
    if ((err = enter_ids(&w->data->items, &c->items, &c->item_map)) != KITH_OK) return err;
    err = ki_log_draft_add(w->draft, c->n, c->n_timed > 0, w->test, &c->first_row);
    if (err != KITH_OK) return err;
    w->draft->n_timed += c->n_timed;
    w->n_rows += c->n;
    w->line += c->n_lines;
    w->data->report.n_lines += c->n_lines;
    return KITH_OK;
}

static void write_indexes(int32_t *to, const int32_t *from, const int32_t *map, int64_t n)
{
    for (int64_t j = 0; j < n; j++) to[j] = from[j] >= 0 ? from[j] : map[-1 - from[j]];
}

static kith_err write_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct work *w = arg;
    const ki_log *to = &w->draft->log;
    (void)worker;
    for (int64_t p = begin; p < end; p++) {
        const ki_chunk *c = &w->chunks[p];
        if (c->n == 0) continue;
        write_indexes(to->user + c->first_row, c->user, c->user_map, c->n);
        write_indexes(to->item + c->first_row, c->item, c->item_map, c->n);
        memcpy(to->value + c->first_row, c->value, (size_t)c->n * sizeof *c->value);
        if (c->n_timed > 0)
            memcpy(to->time + c->first_row, c->time, (size_t)c->n * sizeof *c->time);
    }
    return KITH_OK;
}

/* ---- blocks ---- */

/* Where the last whole record of text[0..n) ends; NULL when there is none. */
static char *whole_records(const ki_row_parser *p, const struct block *b)
{
    if (!b->quoted) {
        char *last = memrchr(b->text, '\n', b->n);
        return last == NULL ? NULL : last + 1;
    }
    const char *at = b->text, *end = b->text + b->n, *next;
    while (at < end && (next = p->record_end(p->self, at, end)) != NULL) at = next;
    return at == b->text ? NULL : b->text + (at - b->text);
}

/* Where the first record that begins at or after `want` begins; `from` is where one before it begins. */
static char *cut_after(const ki_row_parser *p, const struct block *b, char *from, char *want,
                       char *end)
{
    if (want >= end) return end;
    if (!b->quoted) {
        char *stop = memchr(KI_MAX(from, want), '\n', (size_t)(end - KI_MAX(from, want)));
        return stop == NULL ? end : stop + 1;
    }
    const char *at = from;
    while (at != NULL && at < want) at = p->record_end(p->self, at, end);
    return at == NULL ? end : from + (at - from);
}

/* Cut the n bytes at b->text, whole records, into w->chunks. */
static void cut_pieces(struct work *w, const struct block *b, size_t n)
{
    const size_t least = w->limits->piece_bytes > 0 ? w->limits->piece_bytes : PIECE_BYTES;
    const size_t piece = KI_MAX(least, n / MAX_PIECES + 1);
    char *begin = b->text, *end = b->text + n;
    w->n_chunks = 0;
    while (begin < end) {
        const size_t step = KI_MIN(piece, (size_t)(end - begin));
        char *stop = end;
        if (w->n_chunks < MAX_PIECES - 1) stop = cut_after(w->parser, b, begin, begin + step, end);
        empty_chunk(&w->chunks[w->n_chunks++], begin, stop);
        begin = stop;
    }
}

static kith_err parse_block(struct work *w, const struct block *b, size_t n, ki_job *job)
{
    kith_err err;
    cut_pieces(w, b, n);
    w->splits = w->parser->separator != 0 && !b->quoted;
    if ((err = ki_known_catch_up(&w->users)) != KITH_OK) return err;
    if ((err = ki_known_catch_up(&w->items)) != KITH_OK) return err;
    if ((err = ki_parallel_for(job->pool, w->n_chunks, 1, parse_pieces, w)) != KITH_OK) return err;
    for (int j = 0; j < w->n_chunks; j++)
        if ((err = enter_piece(w, &w->chunks[j])) != KITH_OK) return err;
    return ki_parallel_for(job->pool, w->n_chunks, 1, write_rows, w);
}

static kith_err fill(struct work *w, struct block *b)
{
    size_t got;
    const kith_err err = ki_source_read(w->source, b->text + b->n, b->room - b->n, &got);
    if (err != KITH_OK) return err;
    b->at_end = got < b->room - b->n;
    b->n += got;
    b->quoted = w->parser->record_end != NULL && memchr(b->text, '"', b->n) != NULL;
    return KITH_OK;
}

static kith_err widen(const struct work *w, struct block *b, size_t room)
{
    const size_t most = w->limits->line_bytes > 0 ? w->limits->line_bytes : KI_LINE_MAX;
    if (b->n == b->room && b->n >= most)
        return ki_fail(KITH_EFORMAT, "%s:%lld:1: a line of more than %zu bytes%s",
                       ki_source_name(w->source), (long long)w->line + 1, most,
                       b->quoted ? "; is a quote left open?" : "");
    const kith_err err = ki_grow(&b->text, b->n, room, 1);
    if (err == KITH_OK) b->room = room;
    return err;
}

/* Parse the whole records of the block and keep the rest at its begin. */
static kith_err use_block(struct work *w, struct block *b, ki_job *job)
{
    char *cut = b->at_end ? b->text + b->n : whole_records(w->parser, b);
    kith_err err;
    if (cut == NULL) return widen(w, b, b->room * 2);
    const size_t used = (size_t)(cut - b->text);
    if ((err = parse_block(w, b, used, job)) != KITH_OK) return err;
    memmove(b->text, cut, b->n - used);
    b->n -= used;
    return b->room < LAST_BLOCK ? widen(w, b, b->room * 2) : KITH_OK;
}

static kith_err skip_header(struct work *w)
{
    char *text = NULL;
    size_t got;
    kith_err err = ki_alloc(&text, w->parser->skip_bytes, 1);
    if (err == KITH_OK) err = ki_source_read(w->source, text, w->parser->skip_bytes, &got);
    ki_free(text);
    w->line = w->parser->skip_lines;
    w->data->report.n_lines += w->line;
    return err;
}

static void clear_chunk(ki_chunk *c)
{
    ki_idmap_clear(&c->users);
    ki_idmap_clear(&c->items);
    ki_free(c->user);
    ki_free(c->item);
    ki_free(c->value);
    ki_free(c->time);
    ki_free(c->user_map);
    ki_free(c->item_map);
}

/* Judge from the part that is read how many rows this file will have. */
static void look_ahead(struct work *w, int64_t before)
{
    const int64_t size = ki_source_size(w->source), at = ki_source_at(w->source);
    w->draft->n_in_view = size <= 0 || at <= 0
                              ? 0
                              : before + (int64_t)((double)w->n_rows * ((double)size / (double)at));
}

static kith_err read_blocks(struct work *w, struct block *b, ki_job *job)
{
    const int64_t before = w->draft->log.n;
    char what[80];
    kith_err err;
    snprintf(what, sizeof what, "read %.60s", ki_path_base(ki_source_name(w->source)));
    while (!b->at_end) {
        if ((err = fill(w, b)) != KITH_OK) return err;
        if ((err = use_block(w, b, job)) != KITH_OK) return err;
        const int64_t size = ki_source_size(w->source), at = ki_source_at(w->source);
        look_ahead(w, before);
        if ((err = ki_job_step(job, what, b->at_end ? size : KI_MIN(at, size), size)) != KITH_OK)
            return err;
        err = ki_job_memory(job, what,
                            (size_t)w->draft->log.n * 44); /* and its sorting by duplicates */
        if (err != KITH_OK) return err;
    }
    return KITH_OK;
}

static void begin_chunks(struct work *w)
{
    for (int j = 0; j < MAX_PIECES; j++) {
        w->chunks[j].known_users = &w->users;
        w->chunks[j].known_items = &w->items;
    }
}

kith_err ki_rows_read(ki_source *s, const ki_row_parser *p, const ki_row_limits *limits, int test,
                      ki_job *job, kith_data *d, ki_log_draft *draft)
{
    struct work w = { .parser = p,
                      .limits = limits,
                      .source = s,
                      .data = d,
                      .users = { .map = &d->users },
                      .items = { .map = &d->items },
                      .draft = draft,
                      .test = test };
    const int64_t size = ki_source_size(s); /* of a small file a small block holds all */
    struct block b = { .room = size > 0 && size < FIRST_BLOCK ? (size_t)size + 1 : FIRST_BLOCK };
    kith_err err;
    if ((err = ki_alloc(&w.chunks, MAX_PIECES, sizeof *w.chunks)) != KITH_OK) return err;
    begin_chunks(&w);
    if ((err = ki_alloc(&b.text, b.room, 1)) != KITH_OK) goto done;
    if ((err = skip_header(&w)) != KITH_OK) goto done;
    err = read_blocks(&w, &b, job);
done:
    for (int j = 0; j < MAX_PIECES; j++) clear_chunk(&w.chunks[j]);
    ki_known_clear(&w.users);
    ki_known_clear(&w.items);
    ki_free(w.chunks);
    ki_free(b.text);
    return err;
}
