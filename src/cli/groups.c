/* SPDX-License-Identifier: MIT
 * groups.c -- what an evaluation says of groups of users and of items, as tables
 */
#include "cli/groups.h"

#include "cli/console.h"

#include <string.h>

static void cell(cli_table *t, const json_t *x)
{
    if (json_is_number(x))
        cli_table_cell(t, "%.4f", json_number_value(x));
    else
        cli_table_cell(t, "-");
}

enum { MOST_COLUMNS = 32 }; /* of figures; all are in the JSON */

/* Names of the figures in an object of them, as many as a table takes; how many. */
static int find_names(const json_t *figures, const char **names)
{
    const char *key;
    json_t *unused;
    int n = 0;
    json_object_foreach ((json_t *)figures, key, unused)
        if (strcmp(key, "group") != 0 && n < MOST_COLUMNS) names[n++] = key;
    return n;
}

/* Highest and lowest of every figure that has a gap. */
static void print_gaps(const json_t *gaps)
{
    const char *name;
    json_t *gap;
    json_object_foreach ((json_t *)gaps, name, gap)
        printf("  %s: %.4f more for %s than for %s; ratio %.3f\n", name,
               json_number_value(json_object_get(gap, "difference")),
               json_string_value(json_object_get(gap, "highest")),
               json_string_value(json_object_get(gap, "lowest")),
               json_number_value(json_object_get(gap, "ratio")));
}

/* One row a group; `inside` names the object in a row that holds the figures, NULL: the row itself. */
static void print_side(const json_t *side, const char *inside)
{
    char columns[MOST_COLUMNS + 3] = "l";
    const char *names[MOST_COLUMNS];
    const json_t *groups = json_object_get(side, "groups"), *row = json_array_get(groups, 0);
    const int n = find_names(inside == NULL ? row : json_object_get(row, inside), names);
    size_t j;
    for (int c = 0; c < n + (inside != NULL); c++) columns[c + 1] = 'r';
    cli_table *t = cli_table_new(columns);
    cli_table_cell(t, "%s", json_string_value(json_object_get(side, "column")));
    if (inside != NULL) cli_table_cell(t, "users");
    for (int c = 0; c < n; c++) cli_table_cell(t, "%s", names[c]);
    json_array_foreach (groups, j, row) {
        cli_table_cell(t, "%s", json_string_value(json_object_get(row, "group")));
        if (inside != NULL)
            cli_table_cell(t, "%s", cli_count(json_integer_value(json_object_get(row, "n_users"))));
        for (int c = 0; c < n; c++)
            cell(t, json_object_get(inside == NULL ? row : json_object_get(row, inside), names[c]));
    }
    cli_table_print(t);
    cli_table_free(t);
    print_gaps(json_object_get(side, "gaps"));
}

void cli_print_groups(const char *model, const json_t *fairness)
{
    const json_t *users = json_object_get(fairness, "users"),
                 *items = json_object_get(fairness, "items");
    if (json_array_size(json_object_get(users, "groups")) > 0) {
        printf("\n%s: quality by group of users\n\n", model);
        print_side(users, "metrics");
    }
    if (json_array_size(json_object_get(items, "groups")) > 0) {
        printf("\n%s: exposure and quality by group of items\n\n", model);
        print_side(items, NULL);
    }
}
