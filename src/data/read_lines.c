/* SPDX-License-Identifier: MIT
 * read_lines.c -- `user item item ...` on each line, and `user item` pairs
 *
 * lightgcn    a folder with train.txt and test.txt (NGCF, LightGCN and their successors); the second is the test part
 * sequences   one file whose items stand in the order in which they happened (S3-Rec, SASRec and their kin)
 * pairs       exactly one user and one item on each line
 *
 * None of them has values or times: each value is 1, and the log keeps the order of the file, which is what
 * leave-one-out goes by when there are no times.  A user may stand on several lines, or alone on one: then it is added
 * and has nothing.
 */
#include "base/mem.h"
#include "base/scan.h"
#include "data/csv.h" /* ki_split_blanks */
#include "data/read.h"

#include <stdio.h>
#include <string.h>

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t')) at++;
    return at;
}

static ki_span next_word(const char **at, const char *end)
{
    const char *from = skip_blanks(*at, end), *stop = from;
    while (stop < end && *stop != ' ' && *stop != '\t') stop++;
    *at = skip_blanks(stop, end);
    return (ki_span){ from, (size_t)(stop - from) };
}

/* Which word of the line is not fit to be an id? */
static kith_err check_words(ki_chunk *c, const char *end)
{
    const char *at = c->line;
    kith_err err = KITH_OK;
    while (err == KITH_OK && at < end) err = ki_chunk_check_id(c, next_word(&at, end), "an id");
    return err;
}

static kith_err parse_line(const void *self, ki_chunk *c, char *end)
{
    const size_t n = (size_t)(end - c->line);
    const char *at = c->line;
    ki_found_row row = { .user = next_word(&at, end), .value = 1 };
    kith_err err = KITH_OK;
    (void)self;
    if (row.user.n == 0) return KITH_OK; /* only blanks */
    if (!ki_utf8_valid(c->line, n) || memchr(c->line, '\0', n) != NULL) return check_words(c, end);
    if (at == end) return ki_chunk_add_user(c, row.user);
    while (err == KITH_OK && at < end) {
        row.item = next_word(&at, end);
        err = ki_chunk_add(c, &row);
    }
    return err;
}

static kith_err parse_pair(const void *self, ki_chunk *c, char *end)
{
    ki_span word[2];
    (void)self;
    const int n = ki_split_blanks(c->line, end, word, 2);
    if (n != 2)
        return ki_chunk_bad(c, c->line, "got %d word%s, want a user and an item", n,
                            n == 1 ? "" : "s");
    return ki_chunk_add(c, &(ki_found_row){ .user = word[0], .item = word[1], .value = 1 });
}

static kith_err rows_of(ki_reading *r, ki_source *s,
                        kith_err (*record)(const void *, ki_chunk *, char *))
{
    const ki_row_parser parser = { .record = record };
    return ki_rows_read(s, &parser, &r->limits, r->test, r->job, r->data, &r->draft);
}

static kith_err line_rows(ki_reading *r, ki_source *s)
{
    return rows_of(r, s, parse_line);
}

static kith_err pair_rows(ki_reading *r, ki_source *s)
{
    return rows_of(r, s, parse_pair);
}

/* ---- detection ---- */

/* Fewest and most words on a line, over the whole lines of the head; 0 lines when it is not made of plain words. */
static int count_words(const ki_probe *p, int *fewest, int *most)
{
    const char *at = p->head, *end = p->head + p->n_head;
    int n_lines = 0;
    *fewest = INT32_MAX;
    *most = 0;
    if (memchr(at, ',', p->n_head) != NULL || memchr(at, ';', p->n_head) != NULL ||
        memchr(at, '{', p->n_head) != NULL)
        return 0;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL && p->n_head == KI_PEEK && n_lines > 0) break; /* cut off */
        if (stop == NULL) stop = end;
        const int n = ki_split_blanks(at, stop > at && stop[-1] == '\r' ? stop - 1 : stop, NULL, 0);
        *fewest = n > 0 ? KI_MIN(*fewest, n) : *fewest;
        *most = KI_MAX(*most, n);
        n_lines += n > 0;
        at = stop + 1;
    }
    return n_lines;
}

static int detect_pairs(const ki_probe *p)
{
    int fewest, most;
    if (p->is_folder || memchr(p->head, '\t', p->n_head) != NULL) return 0;
    return count_words(p, &fewest, &most) > 0 && fewest == 2 && most == 2;
}

/* Lines of differing length, or longer than user, item, value, time. */
static int detect_sequences(const ki_probe *p)
{
    int fewest, most;
    if (p->is_folder || memchr(p->head, '\t', p->n_head) != NULL) return 0;
    return count_words(p, &fewest, &most) > 0 && most > 2 && (fewest < most || most > 4);
}

static int detect_lightgcn(const ki_probe *p)
{
    char path[KI_PATH_MAX];
    return p->is_folder && ki_path_find(path, p->path, "train.txt");
}

static kith_err find_lightgcn(ki_reading *r, const ki_probe *p, const char *variant)
{
    if (variant != NULL)
        return ki_fail(KITH_EINVAL, "layout lightgcn has no variant \"%.60s\"", variant);
    if (!p->is_folder) {
        snprintf(r->files.rows, KI_PATH_MAX, "%s", p->path);
        return KITH_OK;
    }
    ki_path_find(r->files.test, p->path, "test.txt");
    if (ki_path_find(r->files.rows, p->path, "train.txt")) return KITH_OK;
    return ki_fail(KITH_ENOTFOUND, "%s: no train.txt in it, which layout lightgcn wants", p->path);
}

const ki_layout ki_layout_lightgcn = {
    .name = "lightgcn",
    .summary = "lines of a user and its items; a folder with train.txt and test.txt",
    .detect = detect_lightgcn,
    .find = find_lightgcn,
    .rows = line_rows,
};

const ki_layout ki_layout_sequences = {
    .name = "sequences",
    .summary = "lines of a user and its items in the order of time",
    .detect = detect_sequences,
    .rows = line_rows,
};

const ki_layout ki_layout_pairs = {
    .name = "pairs",
    .summary = "lines of one user and one item, separated by blanks, in the order of time",
    .detect = detect_pairs,
    .rows = pair_rows,
};
