/* SPDX-License-Identifier: MIT
 * csv.c -- records of separated fields, with the quotes of RFC 4180
 *
 * Lines without quotes are by far the most, so they have a loop of their own.  All that ends a quoted field goes
 * through field_end, so that cutting a block into records and parsing them can never disagree.
 */
#include "data/csv.h"

#include "base/mem.h"

#include <string.h>

/* Where the separator is, or `end`: eight bytes at a time.  A byte of `same` is 0 where the text has the separator, and
 * the lowest top bit that its subtraction of ones leaves is exact. */
static const char *find_separator(const char *at, const char *end, char separator)
{
    const uint64_t ones = 0x0101010101010101u;
    for (; end - at >= 8; at += 8) {
        uint64_t same;
        memcpy(&same, at, 8);
        same ^= ones * (unsigned char)separator;
        const uint64_t found = (same - ones) & ~same & ones << 7;
        if (found != 0) return at + (__builtin_ctzll(found) >> 3);
    }
    while (at < end && *at != separator) at++;
    return at;
}

int ki_csv_split(const char *at, const char *end, char separator, ki_span *out, int max)
{
    for (int n = 0;; at++) {
        while (at < end && *at == ' ' && separator != ' ') at++;
        if (at < end && *at == '"') return -1;
        const char *from = at;
        at = find_separator(at, end, separator);
        if (n < max) out[n] = ki_trimmed(from, at);
        n++;
        if (at == end) return n;
    }
}

/* Where the field at `at` ends: at a separator, a line break or `end`.  NULL: its quote is never closed. */
static const char *field_end(const char *at, const char *end, char separator)
{
    while (at < end && *at == ' ' && separator != ' ') at++;
    if (at < end && *at == '"') {
        for (at++;; at += 2) {
            at = memchr(at, '"', (size_t)(end - at));
            if (at == NULL) return NULL;
            if (at + 1 == end || at[1] != '"') break;
        }
        at++;
    }
    while (at < end && *at != separator && *at != '\n') at++;
    return at;
}

const char *ki_csv_record_end(const char *at, const char *end, char separator)
{
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    if (stop == NULL) return NULL;
    if (memchr(at, '"', (size_t)(stop - at)) == NULL) return stop + 1;
    for (;; at++) {
        at = field_end(at, end, separator);
        if (at == NULL || at == end) return NULL;
        if (*at == '\n') return at + 1;
    }
}

/* The text of a quoted field [at, end), at being its quote; sets record->wrong if something follows the closing one. */
static ki_span unquote(char *at, char *end, ki_csv_record *record)
{
    char *from = at + 1, *to = from;
    for (at = from; at < end && !(*at == '"' && (at + 1 == end || at[1] != '"')); at++) {
        if (*at == '"') at++;
        if (*at == '\n') record->n_breaks++;
        *to++ = *at;
    }
    for (char *rest = to; rest < at; rest++) *rest = '"'; /* no line break stands there twice */
    const ki_span after = ki_trimmed(at + 1, end);
    if (after.n > 0) {
        record->wrong = after.at;
        record->why = "text after a closing quote";
    }
    return (ki_span){ from, (size_t)(to - from) };
}

static ki_span field_text(char *from, char *stop, char separator, ki_csv_record *record)
{
    while (from < stop && *from == ' ' && separator != ' ') from++;
    return from < stop && *from == '"' ? unquote(from, stop, record) : ki_trimmed(from, stop);
}

int ki_csv_split_quoted(char *at, char *end, char separator, ki_span *out, int max,
                        ki_csv_record *record)
{
    *record = (ki_csv_record){ .next = end };
    for (int n = 0;; at++) {
        const char *found = field_end(at, end, separator);
        if (found == NULL) {
            record->wrong = at;
            record->is_open = 1;
            record->why = "a quote that is never closed";
            return n;
        }
        char *stop = at + (found - at);
        const int is_last = stop == end || *stop == '\n';
        if (is_last) record->next = stop == end ? end : stop + 1;
        const ki_span text = field_text(
            at, is_last && stop > at && stop[-1] == '\r' ? stop - 1 : stop, separator, record);
        if (n < max) out[n] = text;
        n++;
        if (is_last) return n;
        at = stop;
    }
}

/* ---- which separator ---- */

enum { LOOK_AT = 16 }; /* lines */

static int count_fields(const char *at, const char *end, char separator)
{
    int n = 1;
    while (at < end) {
        const char *stop = field_end(at, end, separator);
        if (stop == NULL || stop == end || *stop == '\n') break;
        at = stop + 1;
        n++;
    }
    return n;
}

/* Columns of the first records under that separator, if all of those have as many; else 0. */
static int even_columns(const char *at, const char *end, char separator)
{
    const int want = count_fields(at, end, separator);
    for (int line = 1; line < LOOK_AT; line++) {
        at = ki_csv_record_end(at, end, separator);
        if (at == NULL || ki_csv_record_end(at, end, separator) == NULL)
            break; /* the last may be cut off */
        if (*at != '\n' && *at != '\r' && count_fields(at, end, separator) != want) return 0;
    }
    return want;
}

char ki_csv_separator(const char *head, size_t n)
{
    static const char separators[] = { '\t', ',', ';', '|', ' ' };
    char best = 0;
    int most = 1;
    for (size_t j = 0; j < KI_COUNT(separators); j++) {
        const int columns = even_columns(head, head + n, separators[j]);
        if (columns <= most) continue;
        most = columns;
        best = separators[j];
    }
    for (size_t j = 0; best == 0 && j < KI_COUNT(separators); j++)
        if (count_fields(head, head + n, separators[j]) > 1) best = separators[j];
    return best;
}

/* ---- without quotes ---- */

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

int ki_split_blanks(const char *at, const char *end, ki_span *out, int max)
{
    for (int n = 0;; n++) {
        while (at < end && is_blank(*at)) at++;
        if (at == end) return n;
        const char *from = at;
        while (at < end && !is_blank(*at)) at++;
        if (n < max) out[n] = (ki_span){ from, (size_t)(at - from) };
    }
}

int ki_split_at(const char *at, const char *end, const char *mark, ki_span *out, int max)
{
    const size_t width = strlen(mark);
    for (int n = 0;; n++) {
        const char *stop = memmem(at, (size_t)(end - at), mark, width);
        if (n < max) out[n] = (ki_span){ at, (size_t)((stop == NULL ? end : stop) - at) };
        if (stop == NULL) return n + 1;
        at = stop + width;
    }
}
