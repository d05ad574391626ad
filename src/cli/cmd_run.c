/* SPDX-License-Identifier: MIT
 * cmd_run.c -- kith run and kith schema: the tool contract from the command line
 *
 * The result, or the error, is one JSON object on standard output (or in --out); events are JSON
 * lines on standard error, and so is the sentence of a failure.  A terminal, or --tables, gets
 * tables in their place.
 */
#include "base/file.h" /* ki_path_folder */
#include "cli/command.h"
#include "cli/run_tables.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All of a stream; NULL when memory ran out or it cannot be read. */
static char *read_all(FILE *f, size_t *n)
{
    size_t room = 1 << 16;
    char *text = malloc(room);
    *n = 0;
    while (text != NULL) {
        *n += fread(text + *n, 1, room - *n, f);
        if (*n < room) break;
        char *more = realloc(text, room *= 2);
        if (more == NULL) free(text);
        text = more;
    }
    if (text == NULL || !ferror(f)) return text;
    free(text);
    return NULL;
}

static char *read_request(const char *path, size_t *n)
{
    const int is_stdin = strcmp(path, "-") == 0;
    errno = 0;
    FILE *f = is_stdin ? stdin : fopen(path, "rb");

    char *text = f == NULL ? NULL : read_all(f, n);
    if (text == NULL) cli_complain(CLI_FAILED, "%s: %s", path, strerror(errno));
    if (f != NULL && !is_stdin) fclose(f);
    return text;
}

static void print_event(void *udata, const char *event)
{
    (void)udata;
    cli_progress_clear();
    fprintf(stderr, "%s\n", event);
}

/* People look at tables, programs at JSON. */
static int wants_tables(const cli_args *a)
{
    return a->tables || (!a->json && a->out == NULL && isatty(fileno(stdout)));
}

static cli_exit write_result(const char *path, const char *result)
{
    FILE *f = path == NULL ? stdout : fopen(path, "wb");
    if (f == NULL) return cli_complain(CLI_FAILED, "%s: %s", path, strerror(errno));
    int ok = fputs(result, f) >= 0 && fflush(f) == 0;
    if (result[0] != '\0' && result[strlen(result) - 1] != '\n') ok = fputc('\n', f) != EOF && ok;
    if (f != stdout) ok = fclose(f) == 0 && ok;
    return ok ? CLI_DONE
              : cli_complain(CLI_FAILED, "%s could not be written",
                             path ? path : "standard output");
}

/* The JSON, the tables, or both; an error is JSON wherever the result would have been on standard output. */
static cli_exit hand_out(const cli_args *a, kith_err err, const char *result)
{
    if (err != KITH_OK) return wants_tables(a) ? CLI_DONE : write_result(NULL, result);
    cli_exit code = CLI_DONE;
    if (a->out != NULL || !wants_tables(a)) code = write_result(a->out, result);
    if (code == CLI_DONE && wants_tables(a)) code = cli_print_run(result, a->quiet);
    return code;
}

/* "error: {sentence}" with every violation on a line of its own. */
static void tell_violations(const char *result)
{
    json_t *o = json_loads(result, 0, NULL);
    const json_t *error = json_object_get(o, "error"), *one;
    size_t j;
    json_array_foreach (json_object_get(error, "violations"), j, one)
        fprintf(stderr, "  %s: %s\n", json_string_value(json_object_get(one, "pointer")),
                json_string_value(json_object_get(one, "message")));
    if (json_is_string(json_object_get(error, "hint")))
        fprintf(stderr, "hint: %s\n", json_string_value(json_object_get(error, "hint")));
    json_decref(o);
}

cli_exit cmd_run(const cli_args *a, kith *k)
{
    size_t n = 0;
    char folder[KI_PATH_MAX];
    unsigned char key[64];
    int n_key = 0;
    cli_exit code = cli_check_target(a, a->out, "result");
    if (code == CLI_DONE && a->json && a->tables)
        code = cli_complain(CLI_USAGE, "--json and --tables are two ways to print one result");
    if (code == CLI_DONE) code = cli_check_key(a, key, &n_key);
    if (code != CLI_DONE) return code;
    const kith_anonymise_options anonymise = cli_anonymise_options(a, key, n_key);
    char *request = read_request(a->words[0], &n), *result = NULL;
    const int tables = wants_tables(a);
    ki_path_folder(folder, a->words[0]);
    const kith_run_options options = { .event = a->quiet || tables ? NULL : print_event,
                                       .folder = strcmp(folder, ".") == 0 ? NULL : folder,
                                       .anonymise = a->anonymise ? &anonymise : NULL };
    if (request == NULL) return CLI_FAILED;
    const kith_err err = kith_run(k, request, n, &options, &result);
    free(request);
    code = result == NULL ? CLI_FAILED : hand_out(a, err, result);
    if (err != KITH_OK) code = cli_complain(CLI_FAILED, "%s", kith_last_error());
    if (err != KITH_OK && tables && result != NULL) tell_violations(result);
    kith_string_free(result);
    return code;
}

cli_exit cmd_schema(const cli_args *a, kith *k)
{
    char *text = NULL;
    const kith_err err = kith_schema_json(a->words[0], &text);
    (void)k;
    if (err != KITH_OK) return cli_no_such(err);
    puts(text);
    kith_string_free(text);
    return CLI_DONE;
}
