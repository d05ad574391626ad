/* SPDX-License-Identifier: MIT
 * console.h -- tables that line up, in any script, and small bars
 */
#ifndef KITH_CLI_CONSOLE_H
#define KITH_CLI_CONSOLE_H

#include <stddef.h>

typedef struct cli_table cli_table;

/* One letter per column: 'l' left, 'r' right; '|' joins nothing, a capital letter lets the column
 * be cut to fit the terminal.  Headers come as the first row.  NULL when memory ran out; every call
 * below accepts it. */
cli_table *cli_table_new(const char *columns);
void cli_table_cell(cli_table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cli_table_print(const cli_table *t); /* to stdout; first row underlined on a terminal */
void cli_table_free(cli_table *t);

/* A bar of `width` cells for a share in [0, 1], in eighths, into out (3 bytes a cell + 1). */
void cli_bar(double share, int width, char *out, size_t size);

/* "1,234,567"; one of a few static buffers, good until the eighth call after. */
const char *cli_count(long long n);

/* Print what the library said as JSON, indented. */
void cli_print_json(const char *text);

#endif
