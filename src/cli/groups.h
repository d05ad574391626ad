/* SPDX-License-Identifier: MIT
 * groups.h -- what an evaluation says of groups, as tables
 */
#ifndef KITH_CLI_GROUPS_H
#define KITH_CLI_GROUPS_H

#include <jansson.h>

/* The tables of a model's `fairness`, with the gaps below each; nothing for NULL. */
void cli_print_groups(const char *model, const json_t *fairness);

#endif
