/* SPDX-License-Identifier: MIT
 * picks.h -- items as people name them on the command line: by id or by title, with a value or none
 *
 *   --liked 50,181            ids
 *   --liked 50=5,172=4.5      with values
 *   --liked "Godfather, The"  a title; it may hold commas when it is the whole of one --liked,
 *   --liked '"Good, the Bad and the Ugly, The"=5,50'      or when it stands in quotes
 */
#ifndef KITH_CLI_PICKS_H
#define KITH_CLI_PICKS_H

#include "cli/command.h"

#include <jansson.h>

enum { CLI_MAX_PICKS = 256 };

typedef struct cli_pick {
    const char *asked;                /* as written, without its value */
    const char *item_id;              /* of the model; NULL: no item has that id or title */
    const char *title;                /* NULL when it has none */
    const char *near_id, *near_title; /* of the item whose title looks most like it; NULL: none */
    double value;
    int has_value;
} cli_pick;

typedef struct cli_picks {
    int n, n_values;
    cli_pick at[CLI_MAX_PICKS];
    char *text; /* holds the `asked` of them all */
} cli_picks;

/* The item that `asked`, which has to stay, names.  A title that was found is told on stderr.  What is unknown is a
 * failure only if it `must` be known, else *out has no item_id; where a title looks like it, that is told.  Several
 * items are always a failure: nobody can guess. */
cli_exit cli_pick_item(const cli_args *a, const kith_model *m, const char *asked, int must,
                       cli_pick *out);

/* All that the option's arguments name; `out` is cleared with cli_picks_clear, after a failure too. */
cli_exit cli_pick_list(const cli_args *a, const kith_model *m, const char *option,
                       const cli_list *list, cli_picks *out);
void cli_picks_clear(cli_picks *p);

/* The id of the model, or what was asked where it has none: unknown ids are for the library to tell. */
const char *cli_pick_id(const cli_pick *p);

json_t *cli_picks_json(const cli_picks *p);

/* Where the item is unknown and a title is near, `did_you_mean` in the object says which. */
void cli_pick_hint(const cli_pick *p, json_t *o);

#endif
