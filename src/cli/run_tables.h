/* SPDX-License-Identifier: MIT
 * run_tables.h -- the result of the tool contract as tables for people
 */
#ifndef KITH_CLI_RUN_TABLES_H
#define KITH_CLI_RUN_TABLES_H

#include "cli/command.h"

/* The result of kith_run on standard output: what was asked, the lists of the first few users, and
 * the figures.  Unless quiet, warnings and what it cost on standard error. */
cli_exit cli_print_run(const char *result, int quiet);

#endif
