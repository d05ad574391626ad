/* SPDX-License-Identifier: MIT
 * console.c -- tables, bars and numbers for people
 */
#include "cli/console.h"

#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { MAX_COLUMNS = 80 }; /* a column for each of the models that one call may name, and some */

struct cli_table {
    char columns[MAX_COLUMNS + 1];
    int n_columns;
    char **cells;
    size_t n, room;
};

cli_table *cli_table_new(const char *columns)
{
    cli_table *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    snprintf(t->columns, sizeof t->columns, "%s", columns);
    t->n_columns = (int)strlen(t->columns);
    return t;
}

void cli_table_cell(cli_table *t, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    if (t == NULL) return;
    if (t->n == t->room) {
        const size_t room = t->room == 0 ? 64 : t->room * 2;
        char **cells = realloc(t->cells, room * sizeof *cells);
        if (cells == NULL) return;
        t->cells = cells;
        t->room = room;
    }
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0) text = NULL;
    va_end(args);
    t->cells[t->n++] = text;
}

/* Columns on a terminal that the first n bytes of s take. */
static int width_of(const char *s, size_t n)
{
    mbstate_t state = { 0 };
    int width = 0;
    for (size_t at = 0; at < n && s[at] != '\0';) {
        wchar_t c;
        const size_t step = mbrtowc(&c, s + at, n - at, &state);
        if (step == (size_t)-1 || step == (size_t)-2) return width + (int)(n - at);
        const int w = wcwidth(c);
        width += w > 0 ? w : 0;
        at += step;
    }
    return width;
}

/* How many bytes of s fit into `width` columns. */
static size_t bytes_that_fit(const char *s, int width)
{
    size_t at = 0, next = 0;
    while (s[next] != '\0') {
        do next++;
        while (((unsigned char)s[next] & 0xC0) == 0x80);
        if (width_of(s, next) > width) return at;
        at = next;
    }
    return at;
}

static const char *cell(const cli_table *t, size_t row, int column)
{
    const size_t at = row * (size_t)t->n_columns + (size_t)column;
    return at < t->n && t->cells[at] != NULL ? t->cells[at] : "";
}

int cli_width(FILE *to, int otherwise)
{
    struct winsize size;
    if (!isatty(fileno(to))) return otherwise;
    const char *said = getenv("COLUMNS");
    const int columns = said == NULL ? 0 : atoi(said);
    if (columns > 20 && columns < 10000) return columns;
    return ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 100;
}

/* How many bytes of text go on a line of `width` columns: up to a blank, or cut where no blank is. */
static size_t line_of(const char *text, int width)
{
    const size_t n = bytes_that_fit(text, width);
    if (text[n] == '\0') return n;
    for (size_t at = n; at > 0; at--)
        if (text[at] == ' ') return at;
    return n > 0 ? n : strlen(text); /* one letter wider than the line */
}

/* What is left of text after a line of n bytes. */
static const char *after_line(const char *text, size_t n)
{
    return text + n + strspn(text + n, " ");
}

void cli_print_wrapped(FILE *to, const char *text, int indent, int width)
{
    const int room = width - indent > 20 ? width - indent : 20;
    size_t n = line_of(text, room);
    fprintf(to, "%.*s\n", (int)n, text);
    for (text = after_line(text, n); *text != '\0'; text = after_line(text, n)) {
        n = line_of(text, room);
        fprintf(to, "%*s%.*s\n", indent, "", (int)n, text);
    }
}

/* The column that is wrapped where a row is too wide: the last capital one; -1: none. */
static int wrapped_column(const cli_table *t)
{
    int c = t->n_columns - 1;
    while (c >= 0 && !isupper((unsigned char)t->columns[c])) c--;
    return c;
}

static size_t rows_of(const cli_table *t)
{
    return (t->n + (size_t)t->n_columns - 1) / (size_t)t->n_columns;
}

/* Natural widths; returns that of a row. */
static int measure(const cli_table *t, int *width)
{
    const size_t rows = rows_of(t);
    int total = 0;
    for (int c = 0; c < t->n_columns; c++) {
        width[c] = 0;
        for (size_t r = 0; r < rows; r++) {
            const int w = width_of(cell(t, r, c), SIZE_MAX >> 1);
            if (w > width[c]) width[c] = w;
        }
        total += width[c] + (c + 1 < t->n_columns ? 2 : 0);
    }
    return total;
}

/* Capital columns shrunk, the wrapped one first, until a row of `total` columns fits. */
static void shrink(const cli_table *t, int total, int *width)
{
    const int room = cli_width(stdout, 1 << 20), wrapped = wrapped_column(t);
    for (int c = wrapped; c >= 0 && total > room; c--) {
        if (!isupper((unsigned char)t->columns[c])) continue;
        const int over = total - room, least = c == wrapped ? 24 : 12;
        const int cut = width[c] - over > least ? over : width[c] - least;
        if (cut <= 0) continue;
        width[c] -= cut;
        total -= cut;
    }
}

static void print_cell(const char *text, int width, int right, int last)
{
    const int natural = width_of(text, SIZE_MAX >> 1);
    if (natural > width) {
        const size_t n = bytes_that_fit(text, width - 1);
        printf("%.*s…%*s", (int)n, text, width - 1 - width_of(text, n), "");
    } else if (right) {
        printf("%*s%s", width - natural, "", text);
    } else {
        printf("%s%*s", text, last ? 0 : width - natural, "");
    }
    if (!last) fputs("  ", stdout);
}

/* A row is its first line, and below it what is left of the wrapped column, under that column. */
static void print_row(const cli_table *t, size_t row, const int *width, int wrapped)
{
    const char *left = "";
    int indent = 0;
    for (int c = 0; c < t->n_columns; c++) {
        const char *text = cell(t, row, c);
        const int right = tolower((unsigned char)t->columns[c]) == 'r',
                  last = c == t->n_columns - 1;
        if (c < wrapped) indent += width[c] + 2;
        if (c != wrapped || width_of(text, SIZE_MAX >> 1) <= width[c]) {
            print_cell(text, width[c], right, last);
            continue;
        }
        const size_t n = line_of(text, width[c]);
        printf("%.*s", (int)n, text);
        if (!last) printf("%*s", width[c] - width_of(text, n) + 2, "");
        left = after_line(text, n);
    }
    putchar('\n');
    if (*left == '\0') return;
    printf("%*s", indent, "");
    cli_print_wrapped(stdout, left, indent, indent + width[wrapped]);
}

#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

/* On a terminal, unless the user wants none: no-color.org. */
static int has_colours(void)
{
    const char *none = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && (none == NULL || none[0] == '\0');
}

static size_t blanks_at_end(const char *text)
{
    size_t n = strlen(text), blanks = 0;
    while (blanks < n && text[n - 1 - blanks] == ' ') blanks++;
    return blanks;
}

static void print_rows(const cli_table *t, int header)
{
    int width[MAX_COLUMNS];
    if (t == NULL || t->n == 0) return;
    const size_t rows = rows_of(t);
    const int bold = header && has_colours(), wrapped = wrapped_column(t);
    shrink(t, measure(t, width), width);
    for (size_t r = 0; r < rows; r++) {
        if (bold && r == 0) fputs(BOLD, stdout);
        print_row(t, r, width, wrapped);
        if (bold && r == 0) fputs(PLAIN, stdout);
    }
}

/* The first column, and those from `from` up to `to`; blanks at the end of a line are left out. */
static void print_block(const cli_table *t, const int *width, int from, int to)
{
    const size_t rows = rows_of(t);
    for (size_t r = 0; r < rows; r++) {
        const int bold = r == 0 && has_colours();
        int owed = 0;
        if (bold) fputs(BOLD, stdout);
        for (int c = 0; c < to; c = c == 0 ? from : c + 1) {
            const char *text = cell(t, r, c);
            const size_t n = strlen(text), seen = n - blanks_at_end(text);
            const int natural = width_of(text, n), shown = width_of(text, seen);
            const int before = t->columns[c] == 'r' ? width[c] - natural : 0;
            printf("%*s%.*s", owed + before, "", (int)seen, text);
            owed = width[c] - before - shown + 2;
        }
        puts(bold ? PLAIN : "");
    }
}

void cli_table_print_blocks(const cli_table *t)
{
    int width[MAX_COLUMNS];
    if (t == NULL || t->n == 0) return;
    const int room = cli_width(stdout, CLI_WIDTH_OF_FILES);
    measure(t, width);
    for (int from = 1, to; from < t->n_columns; from = to) {
        int used = width[0];
        for (to = from; to < t->n_columns && (to == from || used + width[to] + 2 <= room); to++)
            used += width[to] + 2;
        if (from > 1) putchar('\n');
        print_block(t, width, from, to);
    }
}

void cli_table_print(const cli_table *t)
{
    print_rows(t, 1);
}

void cli_table_print_plain(const cli_table *t)
{
    print_rows(t, 0);
}

void cli_heading(const char *text)
{
    printf(has_colours() ? BOLD "%s" PLAIN "\n" : "%s\n", text);
}

void cli_table_free(cli_table *t)
{
    if (t == NULL) return;
    for (size_t j = 0; j < t->n; j++) free(t->cells[j]);
    free(t->cells);
    free(t);
}

void cli_bar(double share, int width, char *out, size_t size)
{
    static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
    int left = (int)(share * width * 8 + 0.5);
    out[0] = '\0';
    for (; left >= 8 && strlen(out) + 4 < size; left -= 8) strcat(out, "█");
    if (left > 0 && left < 8 && strlen(out) + 4 < size) strcat(out, eighths[left]);
}

enum { BUFFER = 400 }; /* the largest double has 309 digits before the point */

static char *next_buffer(void)
{
    static char buffers[8][BUFFER];
    static unsigned turn;
    return buffers[turn++ % 8];
}

const char *cli_count(long long n)
{
    char digits[32], *out = next_buffer();
    const int length = snprintf(digits, sizeof digits, "%lld", n < 0 ? -n : n);
    int to = 0;
    if (n < 0) out[to++] = '-';
    for (int j = 0; j < length; j++) {
        if (j > 0 && (length - j) % 3 == 0) out[to++] = ',';
        out[to++] = digits[j];
    }
    out[to] = '\0';
    return out;
}

static const char *print_number(const char *format, double x, int decimals)
{
    char *out = next_buffer();
    snprintf(out, BUFFER, format, decimals, x);
    return strpbrk(out, "123456789in") != NULL || (out[0] != '-' && out[0] != '+') ? out : out + 1;
}

const char *cli_fixed(double x, int decimals)
{
    return print_number("%.*f", x, decimals);
}

const char *cli_signed(double x, int decimals)
{
    return print_number("%+.*f", x, decimals);
}

cli_exit cli_print_object(json_t *o)
{
    if (o == NULL) return cli_complain(CLI_FAILED, "out of memory");
    json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(o);
    return CLI_DONE;
}

cli_exit cli_print_json(const char *text)
{
    return cli_print_object(json_loads(text, 0, NULL));
}

json_t *cli_json_text(const char *text)
{
    json_t *string = text == NULL ? json_null() : json_string(text);
    char *ascii = string != NULL ? NULL : strdup(text);
    if (ascii == NULL) return string;
    for (char *c = ascii; *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80) *c = '?';
    string = json_string(ascii);
    free(ascii);
    return string;
}
