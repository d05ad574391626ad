/* SPDX-License-Identifier: MIT
 * anonymise.c -- --anonymise of every command that reads data: ids hashed with a key, fewer and coarser columns
 *
 * What is read goes through kith_data_anonymise before anything else sees it.
 */
#include "cli/command.h"
#include "cli/console.h"

#include <jansson.h>
#include <string.h>

/* The secret bytes of --key-file into key[64]; how many, or -1 after a sentence. */
static int read_key(const char *path, unsigned char key[64])
{
    FILE *f = fopen(path, "rb");
    const size_t n = f == NULL ? 0 : fread(key, 1, 64, f);
    const int more = f != NULL && fgetc(f) != EOF;
    if (f != NULL) fclose(f);
    if (f != NULL && n >= 16 && !more) return (int)n;
    cli_complain(CLI_FAILED,
                 "%s: got %s, want a file of 16 to 64 secret bytes; `head -c 32 /dev/urandom > "
                 "%.200s` makes one: keep it, and keep it to yourself",
                 path,
                 f == NULL ? "no file to read"
                 : more    ? "more than 64 bytes"
                           : "fewer bytes",
                 path);
    return -1;
}

kith_anonymise_options cli_anonymise_options(const cli_args *a, const unsigned char *key, int n)
{
    return (kith_anonymise_options){ .key = key,
                                     .key_bytes = (size_t)n,
                                     .hash_items = a->hash_items,
                                     .drop = a->drop.at,
                                     .n_drop = a->drop.n,
                                     .keep = a->keep.at,
                                     .n_keep = a->keep.n,
                                     .coarsen = a->coarsen.at,
                                     .n_coarsen = a->coarsen.n,
                                     .time_step = a->time_step };
}

/* The secret is asked for before the data is read. */
cli_exit cli_check_key(const cli_args *a, unsigned char key[64], int *n)
{
    *n = 0;
    if (!a->anonymise) return CLI_DONE;
    if (a->key_file == NULL)
        return cli_complain(CLI_USAGE,
                            "--anonymise wants a --key-file: the same key gives the same names");
    *n = read_key(a->key_file, key);
    return *n < 0 ? CLI_FAILED : CLI_DONE;
}

cli_exit cli_anonymise(const cli_args *a, kith *k, const unsigned char *key, int n,
                       kith_data **data, json_t **report)
{
    const kith_anonymise_options options = cli_anonymise_options(a, key, n);
    kith_data *made = NULL;
    char *text = NULL;
    const kith_err err = kith_data_anonymise(k, *data, &options, &made, &text);
    kith_data_free(*data);
    *data = made;
    if (err != KITH_OK) return cli_fail(err);
    *report = json_loads(text, 0, NULL);
    kith_string_free(text);
    return CLI_DONE;
}

/* How many stand alone, as one line. */
void cli_tell_risk(FILE *to, const json_t *report)
{
    const json_t *risk = json_object_get(report, "k_anonymity");
    fprintf(to, "k-anonymity %d: %d of %d users are alone with their attributes\n",
            (int)json_integer_value(json_object_get(risk, "k")),
            (int)json_integer_value(json_object_get(risk, "unique")),
            (int)json_integer_value(json_object_get(report, "n_users")));
}

void cli_print_risk(const json_t *report)
{
    const json_t *risk = json_object_get(report, "k_anonymity"), *row;
    size_t j;
    cli_tell_risk(stdout, report);
    cli_table *t = cli_table_new("lrr");
    cli_table_cell(t, "without column");
    cli_table_cell(t, "k");
    cli_table_cell(t, "alone");
    json_array_foreach (json_object_get(risk, "relief"), j, row) {
        cli_table_cell(t, "%s", json_string_value(json_object_get(row, "drop")));
        cli_table_cell(t, "%d", (int)json_integer_value(json_object_get(row, "k")));
        cli_table_cell(t, "%d", (int)json_integer_value(json_object_get(row, "unique")));
    }
    cli_table_print(t);
    cli_table_free(t);
    puts(json_string_value(json_object_get(report, "note")));
}
