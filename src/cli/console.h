/* SPDX-License-Identifier: MIT
 * console.h -- tables that line up, in any script, and small bars
 */
#ifndef KITH_CLI_CONSOLE_H
#define KITH_CLI_CONSOLE_H

#include "cli/command.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

typedef struct cli_table cli_table;

/* One letter per column: 'l' left, 'r' right.  On a terminal too narrow for a row the last column of
 * a capital letter is wrapped under itself, other capital ones are cut; what is no terminal gets a
 * line for each row.  Headers come as the first row.  NULL when memory ran out; every call below
 * accepts it. */
cli_table *cli_table_new(const char *columns);
void cli_table_cell(cli_table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cli_table_print(const cli_table *t);       /* to stdout; first row bold on a terminal */
void cli_table_print_plain(const cli_table *t); /* the same without a header */

/* For many columns: those that do not fit into the width of the terminal (100 where there is none) go into further
 * blocks, each with the header and the first column.  Nothing is cut or wrapped. */
void cli_table_print_blocks(const cli_table *t);
void cli_table_free(cli_table *t);

/* A line of its own above what follows, bold on a terminal. */
void cli_heading(const char *text);

enum { CLI_WIDTH_OF_FILES = 100 }; /* where text is wrapped that goes to no terminal */

/* Columns of the terminal that `to` is ($COLUMNS where it is set), 100 when it does not say; `otherwise` when `to` is
 * none. */
int cli_width(FILE *to, int otherwise);

/* Text that begins at column `indent`, broken at blanks so that it ends before column `width`; every
 * further line begins at `indent` as well. */
void cli_print_wrapped(FILE *to, const char *text, int indent, int width);

/* A bar of `width` cells for a share in [0, 1], in eighths, into out (3 bytes a cell + 1). */
void cli_bar(double share, int width, char *out, size_t size);

/* "1,234,567"; one of a few static buffers, good until the eighth call after. */
const char *cli_count(long long n);

/* A number with so many decimals, never "-0.00"; cli_signed has a sign unless it is zero.  Buffers as of cli_count. */
const char *cli_fixed(double x, int decimals);
const char *cli_signed(double x, int decimals);

/* Print an object, indented, and let go of it.  NULL: memory ran out while it was made. */
cli_exit cli_print_object(json_t *o);

/* The same for what the library said as JSON. */
cli_exit cli_print_json(const char *text);

/* A JSON string of what came from the command line, which need not be UTF-8: where it is not, bytes
 * beyond ASCII become '?'.  NULL becomes null. */
json_t *cli_json_text(const char *text);

#endif
