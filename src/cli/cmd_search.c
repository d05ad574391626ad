/* SPDX-License-Identifier: MIT
 * cmd_search.c -- kith search: which items are called so
 */
#include "cli/command.h"
#include "cli/console.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_N = 20, WORDS_SIZE = 1024 };

static const char *const match_names[] = { "id", "title", "words", "begins", "near" };

static cli_exit print_found_json(const char *words, const kith_found *found, int n, int all)
{
    json_t *items = json_array();
    for (int j = 0; j < n; j++)
        json_array_append_new(items, json_pack("{s:o, s:s?, s:i, s:s}", "item_id",
                                               cli_json_text(found[j].item_id), "title",
                                               found[j].title, "n_users", (int)found[j].n_users,
                                               "match", match_names[found[j].match]));
    return cli_print_object(json_pack("{s:o, s:i, s:o}", "query", cli_json_text(words), "n_found",
                                      all, "items", items));
}

static void print_found(const cli_args *a, const char *words, const kith_found *found, int n,
                        int all)
{
    cli_table *t = cli_table_new("lLr");
    const char *const heads[] = { "item", "title", "users" };
    for (int j = 0; j < 3; j++) cli_table_cell(t, "%s", heads[j]);
    for (int j = 0; j < n; j++) {
        cli_table_cell(t, "%s", found[j].item_id);
        cli_table_cell(t, "%s", found[j].title == NULL ? "" : found[j].title);
        cli_table_cell(t, "%s", cli_count(found[j].n_users));
    }
    if (n > 0 && found[0].match == KITH_MATCH_NEAR && !a->quiet)
        fprintf(stderr, "note: nothing is called \"%s\"; these titles look like it\n", words);
    cli_table_print(t);
    cli_table_free(t);
    if (all > n && !a->quiet) printf("(%d of %s; -n shows more)\n", n, cli_count(all));
}

static cli_exit search(const cli_args *a, const kith_model *m, const char *words)
{
    const int most = a->n > 0 ? (int)a->n : DEFAULT_N;
    kith_found *found = calloc((size_t)most, sizeof *found);
    int n = 0, all = 0;
    cli_exit code = CLI_DONE;
    if (found == NULL) return cli_complain(CLI_FAILED, "out of memory");
    const kith_err err = kith_model_search(m, words, most, found, &n, &all);
    if (err != KITH_OK)
        code = cli_fail(err);
    else if (a->json)
        code = print_found_json(words, found, n, all);
    else if (n > 0)
        print_found(a, words, found, n, all);
    else
        printf("no item is called \"%s\", and no title looks like it\n", words);
    free(found);
    return code;
}

cli_exit cmd_search(const cli_args *a, kith *k)
{
    char words[WORDS_SIZE] = "";
    kith_model *m = NULL;
    size_t used = 0;
    for (int j = 0; j < a->n_words && used < sizeof words; j++)
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", j > 0 ? " " : "",
                                 a->words[j]);
    const kith_err err = kith_model_load(k, a->model_file, &m);
    const cli_exit code = err != KITH_OK ? cli_fail(err) : search(a, m, words);
    kith_model_free(m);
    return code;
}
