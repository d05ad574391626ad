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

static int terminal_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO)) return 1 << 20;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 100;
}

/* Natural widths, and capital columns shrunk until the row fits. */
static void measure(const cli_table *t, size_t rows, int *width)
{
    int total = 0;
    for (int c = 0; c < t->n_columns; c++) {
        width[c] = 0;
        for (size_t r = 0; r < rows; r++) {
            const int w = width_of(cell(t, r, c), SIZE_MAX >> 1);
            if (w > width[c]) width[c] = w;
        }
        total += width[c] + 2;
    }
    for (int c = t->n_columns - 1; c >= 0 && total > terminal_width(); c--) {
        if (!isupper((unsigned char)t->columns[c])) continue;
        const int over = total - terminal_width(), least = 12;
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

void cli_table_print(const cli_table *t)
{
    int width[MAX_COLUMNS];
    if (t == NULL || t->n == 0) return;
    const size_t rows = (t->n + (size_t)t->n_columns - 1) / (size_t)t->n_columns;
    const int bold = isatty(STDOUT_FILENO);
    measure(t, rows, width);
    for (size_t r = 0; r < rows; r++) {
        if (bold && r == 0) fputs("\033[1m", stdout);
        for (int c = 0; c < t->n_columns; c++)
            print_cell(cell(t, r, c), width[c], tolower((unsigned char)t->columns[c]) == 'r',
                       c == t->n_columns - 1);
        if (bold && r == 0) fputs("\033[0m", stdout);
        putchar('\n');
    }
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

const char *cli_count(long long n)
{
    static char buffers[8][32];
    static unsigned turn;
    char digits[32], *out = buffers[turn++ % 8];
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
