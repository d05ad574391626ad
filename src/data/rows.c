/* SPDX-License-Identifier: MIT
 * rows.c -- the interactions of a text file, parsed by all threads
 *
 * Design      A block of the file (256 KiB at first, later 32 MiB) is cut into at most 8 pieces at record ends.  The
 *             pieces are parsed in parallel, each in a place with id maps of its own that are kept from block to
 *             block; then, in file order, ids new to a place are entered into the maps of the dataset, and in
 *             parallel again the rows are written with those indexes into segments of exact size.  At the end the
 *             segments are joined column by column.
 * Cost        per row: one look at each byte and two look-ups.  These wait for memory, so rows are looked up 32 at a
 *             time, each step for all of them; entering costs one more per different id and place.  Memory: 20 bytes per row, 28 while joining, one block, and at most
 *             2^18 users and items per place.
 * Guarantees  The same dataset, report and sentence for any number of threads.
 */
#include "data/rows.h"

#include "base/mem.h"
#include "base/scan.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    MAX_PIECES = 8,
    FIRST_BLOCK = 256 << 10,
    LAST_BLOCK = 32 << 20,
    PIECE_BYTES = 1 << 20,
    KEPT_IDS = 1 << 18, /* that a place for pieces remembers from block to block */
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
    c->bad_line = c->record_line;
    for (const char *stop; (stop = memchr(line, '\n', (size_t)(at - line))) != NULL;
         line = stop + 1)
        c->bad_line++;
    c->bad_column = at - line + 1;
    return KITH_EFORMAT;
}

kith_err ki_chunk_value(ki_chunk *c, ki_span text, const char *name, float *out)
{
    char shown[KI_SHOW];
    double x;
    if (!ki_scan_number(text.at, text.n, &x))
        return ki_chunk_bad(c, text.at, "got %s, want a number (%s)",
                            ki_show(shown, text.at, text.n), name);
    if (!isfinite((float)x))
        return ki_chunk_bad(c, text.at, "got %s, want a number below 3.4e38 (%s)",
                            ki_show(shown, text.at, text.n), name);
    *out = (float)x;
    return KITH_OK;
}

kith_err ki_chunk_time(ki_chunk *c, ki_span text, const char *name, int64_t *out)
{
    char shown[KI_SHOW];
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

/* Rows of one user often stand together, so the last one is compared before it is looked up. */
static kith_err enter_user(ki_chunk *c, const ki_row_ahead *a, int32_t *out)
{
    const ki_span id = a->row.user;
    if (c->n > 0) {
        const int32_t last = c->user[c->n - 1];
        if (ki_idmap_length(&c->users, last) == id.n &&
            memcmp(ki_idmap_name(&c->users, last), id.at, id.n) == 0)
            return *out = last, KITH_OK;
    }
    return ki_idmap_add_hashed(&c->users, id.at, id.n, a->user_hash, out);
}

static kith_err enter_row(ki_chunk *c, const ki_row_ahead *a)
{
    const ki_row *row = &a->row;
    int32_t u, i;
    kith_err err;
    if (c->n == c->room && (err = make_room(c)) != KITH_OK) return err;
    if ((err = enter_user(c, a, &u)) != KITH_OK) return err;
    if ((err = ki_idmap_add_hashed(&c->items, row->item.at, row->item.n, a->item_hash, &i)) !=
        KITH_OK)
        return err;
    c->user[c->n] = u;
    c->item[c->n] = i;
    c->value[c->n] = row->value;
    c->time[c->n] = row->has_time ? row->time : 0;
    c->n_timed += row->has_time;
    c->n++;
    return KITH_OK;
}

kith_err ki_chunk_settle(ki_chunk *c)
{
    const int n = c->n_ahead;
    kith_err err = KITH_OK;
    for (int j = 0; j < n; j++) {
        ki_idmap_near_offset(&c->users, c->ahead[j].user_hash);
        ki_idmap_near_offset(&c->items, c->ahead[j].item_hash);
    }
    for (int j = 0; j < n; j++) {
        ki_idmap_near_text(&c->users, c->ahead[j].user_hash);
        ki_idmap_near_text(&c->items, c->ahead[j].item_hash);
    }
    for (int j = 0; err == KITH_OK && j < n; j++) err = enter_row(c, &c->ahead[j]);
    c->n_ahead = 0;
    return err;
}

kith_err ki_chunk_add(ki_chunk *c, const ki_row *row)
{
    kith_err err;
    if ((err = ki_chunk_check_id(c, row->user, "a user id")) != KITH_OK) return err;
    if ((err = ki_chunk_check_id(c, row->item, "an item id")) != KITH_OK) return err;
    ki_row_ahead *a = &c->ahead[c->n_ahead++];
    *a = (ki_row_ahead){ .row = *row,
                         .user_hash = ki_idmap_hash(row->user.at, row->user.n),
                         .item_hash = ki_idmap_hash(row->item.at, row->item.n) };
    ki_idmap_near_slot(&c->users, a->user_hash);
    ki_idmap_near_slot(&c->items, a->item_hash);
    return c->n_ahead == KI_ROWS_AHEAD ? ki_chunk_settle(c) : KITH_OK;
}

kith_err ki_chunk_add_user(ki_chunk *c, ki_span user)
{
    int32_t u;
    kith_err err;
    if ((err = ki_chunk_check_id(c, user, "a user id")) != KITH_OK ||
        (err = ki_chunk_settle(c)) != KITH_OK)
        return err;
    return ki_idmap_add(&c->users, user.at, user.n, &u);
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
    ki_log_parts *parts;
    ki_chunk *chunks; /* [MAX_PIECES] */
    int n_chunks;
    int64_t first_segment; /* of this block */
    int64_t line;          /* lines before this block */
    int test;
};

/* Forget ids only when there are too many: entering those that are remembered costs nothing. */
static void forget(ki_idmap *m, int32_t *n_entered)
{
    if (m->n <= KEPT_IDS) return;
    ki_idmap_empty(m);
    *n_entered = 0;
}

static void empty_chunk(ki_chunk *c, char *begin, char *end)
{
    forget(&c->users, &c->users_entered);
    forget(&c->items, &c->items_entered);
    c->next = begin;
    c->end = end;
    c->n = c->n_timed = c->n_lines = c->n_bad = c->n_ahead = 0;
}

static kith_err parse_piece(const struct work *w, ki_chunk *c)
{
    while (c->next < c->end && c->n_bad <= w->limits->skip_bad) {
        char *stop = memchr(c->next, '\n', (size_t)(c->end - c->next));
        c->line = c->next;
        c->next = stop == NULL ? c->end : stop + 1;
        if (stop == NULL) stop = c->end;
        if (stop > c->line && stop[-1] == '\r') stop--;
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
    report->n_skipped += c->n_bad; /* of all files */
    if (report->n_skipped <= w->limits->skip_bad) return KITH_OK;
    if (w->limits->skip_bad == 0)
        return ki_fail(KITH_EFORMAT, "%s:%lld:%lld: %s", ki_source_name(w->source), line, column,
                       c->bad_why);
    return ki_fail(KITH_EFORMAT, "%s: more than %lld malformed lines; the first: %s",
                   ki_source_name(w->source), (long long)w->limits->skip_bad,
                   report->first_skipped);
}

/* Enter ids [*n_entered, n) of the piece into the dataset and note what they are called there. */
static kith_err enter_ids(ki_idmap *to, const ki_idmap *from, int32_t *n_entered, int32_t **map,
                          int32_t *room)
{
    kith_err err = KITH_OK;
    if (from->n > *room) {
        const size_t want = (size_t)from->n + (size_t)from->n / 2;
        if ((err = ki_grow(map, (size_t)*n_entered, want, sizeof **map)) != KITH_OK) return err;
        *room = (int32_t)KI_MIN(want, (size_t)INT32_MAX);
    }
    for (int32_t j = *n_entered; err == KITH_OK && j < from->n; j++)
        err = ki_idmap_add(to, ki_idmap_name(from, j), ki_idmap_length(from, j), &(*map)[j]);
    *n_entered = from->n;
    return err;
}

/* Enter what piece c found into the dataset; its rows follow in write_rows. */
static kith_err enter_piece(struct work *w, ki_chunk *c)
{
    ki_segment *segment;
    kith_err err;
    if (c->n_bad > 0 && (err = note_bad(w, c)) != KITH_OK) return err;
    if ((err = enter_ids(&w->data->users, &c->users, &c->users_entered, &c->user_map,
                         &c->user_room)) != KITH_OK)
        return err;
    if ((err = enter_ids(&w->data->items, &c->items, &c->items_entered, &c->item_map,
                         &c->item_room)) != KITH_OK)
        return err;
    if ((err = ki_log_parts_add(w->parts, c->n, c->n_timed > 0, w->test, &segment)) != KITH_OK)
        return err;
    w->parts->n_timed += c->n_timed;
    w->line += c->n_lines;
    w->data->report.n_lines += c->n_lines;
    return KITH_OK;
}

static kith_err write_rows(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct work *w = arg;
    (void)worker;
    for (int64_t p = begin; p < end; p++) {
        const ki_chunk *c = &w->chunks[p];
        ki_segment *to = &w->parts->list[w->first_segment + p];
        for (int64_t j = 0; j < c->n; j++) {
            to->user[j] = c->user_map[c->user[j]];
            to->item[j] = c->item_map[c->item[j]];
        }
        if (c->n == 0) continue;
        memcpy(to->value, c->value, (size_t)c->n * sizeof *c->value);
        if (to->time != NULL) memcpy(to->time, c->time, (size_t)c->n * sizeof *c->time);
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
    w->first_segment = w->parts->n;
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

static kith_err read_blocks(struct work *w, struct block *b, ki_job *job)
{
    char what[80];
    kith_err err;
    snprintf(what, sizeof what, "read %.60s", ki_path_base(ki_source_name(w->source)));
    while (!b->at_end) {
        if ((err = fill(w, b)) != KITH_OK) return err;
        if ((err = use_block(w, b, job)) != KITH_OK) return err;
        const int64_t size = ki_source_size(w->source), at = ki_source_at(w->source);
        if ((err = ki_job_step(job, what, b->at_end ? size : KI_MIN(at, size), size)) != KITH_OK)
            return err;
        err = ki_job_memory(
            job, what, (size_t)w->parts->n_rows * 44); /* the log and its sorting by duplicates */
        if (err != KITH_OK) return err;
    }
    return KITH_OK;
}

kith_err ki_rows_read(ki_source *s, const ki_row_parser *p, const ki_row_limits *limits, int test,
                      ki_job *job, kith_data *d, ki_log_parts *parts)
{
    struct work w = {
        .parser = p, .limits = limits, .source = s, .data = d, .parts = parts, .test = test
    };
    const int64_t size = ki_source_size(s); /* of a small file a small block holds all */
    struct block b = { .room = size > 0 && size < FIRST_BLOCK ? (size_t)size + 1 : FIRST_BLOCK };
    kith_err err;
    if ((err = ki_alloc(&w.chunks, MAX_PIECES, sizeof *w.chunks)) != KITH_OK) return err;
    if ((err = ki_alloc(&b.text, b.room, 1)) != KITH_OK) goto done;
    if ((err = skip_header(&w)) != KITH_OK) goto done;
    err = read_blocks(&w, &b, job);
done:
    for (int j = 0; j < MAX_PIECES; j++) clear_chunk(&w.chunks[j]);
    ki_free(w.chunks);
    ki_free(b.text);
    return err;
}

/* ---- the log, segment by segment ---- */

kith_err ki_log_parts_add(ki_log_parts *parts, int64_t n, int timed, int test, ki_segment **out)
{
    kith_err err;
    if (parts->n == parts->room) {
        const int64_t room = parts->room == 0 ? 16 : parts->room * 2;
        if ((err = ki_grow(&parts->list, (size_t)parts->n, (size_t)room, sizeof *parts->list)) !=
            KITH_OK)
            return err;
        parts->room = room;
    }
    ki_segment *s = &parts->list[parts->n++]; /* from here on it is freed by clear */
    *s = (ki_segment){ .n = n, .test = (uint8_t)test };
    parts->n_rows += n;
    parts->has_test |= test;
    if ((err = ki_alloc(&s->user, (size_t)n, sizeof *s->user)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->item, (size_t)n, sizeof *s->item)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->value, (size_t)n, sizeof *s->value)) != KITH_OK) return err;
    if (timed && (err = ki_alloc(&s->time, (size_t)n, sizeof *s->time)) != KITH_OK) return err;
    *out = s;
    return KITH_OK;
}

/* One column of all segments, one after the other: the arrays whose pointers lie at `offset` of ki_segment.  Each is
 * freed as soon as it is copied. */
static kith_err join_column(ki_log_parts *parts, size_t offset, size_t width, void *out)
{
    char *to = NULL;
    const kith_err err = ki_alloc(&to, (size_t)parts->n_rows, width);
    if (err != KITH_OK) return err;
    memcpy(out, &to, sizeof to);
    for (int64_t j = 0; j < parts->n; j++) {
        char *field = (char *)&parts->list[j] + offset;
        const size_t bytes = (size_t)parts->list[j].n * width;
        void *from;
        memcpy(&from, field, sizeof from);
        if (bytes > 0) memcpy(to, from, bytes);
        to += bytes;
        ki_free(from);
        memset(field, 0, sizeof from);
    }
    return KITH_OK;
}

static kith_err join_test(const ki_log_parts *parts, uint8_t **out)
{
    uint8_t *to = NULL;
    const kith_err err = ki_alloc(&to, (size_t)parts->n_rows, 1);
    if (err != KITH_OK) return err;
    *out = to;
    for (int64_t j = 0; j < parts->n; to += parts->list[j].n, j++)
        memset(to, parts->list[j].test, (size_t)parts->list[j].n);
    return KITH_OK;
}

kith_err ki_log_parts_join(ki_log_parts *parts, kith_data *d)
{
    ki_log *log = &d->log;
    kith_err err;
    if (parts->n_timed > 0 && parts->n_timed < parts->n_rows)
        return ki_fail(
            KITH_EDATA,
            "%s: %lld of %lld interactions have a time; give one to all of them, or to none",
            d->source, (long long)parts->n_timed, (long long)parts->n_rows);
    if ((err = join_column(parts, offsetof(ki_segment, user), 4, &log->user)) != KITH_OK)
        return err;
    if ((err = join_column(parts, offsetof(ki_segment, item), 4, &log->item)) != KITH_OK)
        return err;
    if ((err = join_column(parts, offsetof(ki_segment, value), 4, &log->value)) != KITH_OK)
        return err;
    if (parts->n_timed > 0 &&
        (err = join_column(parts, offsetof(ki_segment, time), 8, &log->time)) != KITH_OK)
        return err;
    if (parts->has_test && (err = join_test(parts, &log->test)) != KITH_OK) return err;
    log->n = parts->n_rows;
    return KITH_OK;
}

void ki_log_parts_clear(ki_log_parts *parts)
{
    for (int64_t j = 0; j < parts->n; j++) {
        ki_segment *s = &parts->list[j];
        ki_free(s->user);
        ki_free(s->item);
        ki_free(s->value);
        ki_free(s->time);
    }
    ki_free(parts->list);
    *parts = (ki_log_parts){ 0 };
}
