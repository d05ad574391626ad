/* SPDX-License-Identifier: MIT
 * cmd_store.c -- kith store check, backup, export, import: the file of a service, by itself
 */
#include "cli/command.h"
#include "cli/console.h"

#include <jansson.h>

/* What there is of each, in a line: "3 users, 5 items, ...". */
static void print_counts(const cli_args *a, const char *before, const char *text)
{
    const char *name;
    json_t *value, *counts = json_loads(text, 0, NULL);
    if (a->json) {
        puts(text);
    } else {
        fputs(before, stdout);
        json_object_foreach (counts, name, value) {
            char words[32];
            snprintf(words, sizeof words, "%s", name);
            for (char *c = words; *c != '\0'; c++)
                if (*c == '_') *c = ' ';
            printf("%s %s %s", value == json_object_get(counts, "users") ? "" : ",",
                   cli_count((long long)json_integer_value(value)), words);
        }
        putchar('\n');
    }
    json_decref(counts);
}

cli_exit cmd_store_check(const cli_args *a, kith *k)
{
    char *json = NULL;
    (void)k;
    const kith_err err = kith_store_check(a->words[0], &json);
    if (err != KITH_OK) return cli_fail(err);
    print_counts(a, "sound:", json);
    kith_string_free(json);
    return CLI_DONE;
}

cli_exit cmd_store_backup(const cli_args *a, kith *k)
{
    (void)k;
    const cli_exit code = cli_check_target(a, a->out, "store");
    if (code != CLI_DONE) return code;
    const kith_err err = kith_store_backup(a->words[0], a->out);
    return err == KITH_OK ? CLI_DONE : cli_fail(err);
}

cli_exit cmd_store_export(const cli_args *a, kith *k)
{
    (void)k;
    const cli_exit code = cli_check_target(a, a->out, "store-lines");
    if (code != CLI_DONE) return code;
    const kith_err err = kith_store_export(a->words[0], a->out);
    return err == KITH_OK ? CLI_DONE : cli_fail(err);
}

cli_exit cmd_store_import(const cli_args *a, kith *k)
{
    char *json = NULL;
    (void)k;
    const kith_err err = kith_store_import(a->words[0], a->words[1], &json);
    if (err != KITH_OK) return cli_fail(err);
    print_counts(a, "written:", json);
    kith_string_free(json);
    return CLI_DONE;
}
