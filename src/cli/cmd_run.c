/* SPDX-License-Identifier: MIT
 * cmd_run.c -- kith run and kith schema: the tool contract from the command line
 *
 * The result, or the error, is one JSON object on standard output (or in --out); events are JSON
 * lines on standard error, and so is the sentence of a failure.
 */
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

cli_exit cmd_run(const cli_args *a, kith *k)
{
    size_t n = 0;
    cli_exit code = cli_check_target(a, a->out, "result");
    if (code != CLI_DONE) return code;
    char *request = read_request(a->words[0], &n), *result = NULL;
    const kith_run_options options = { .event = a->quiet ? NULL : print_event };
    if (request == NULL) return CLI_FAILED;
    const kith_err err = kith_run(k, request, n, &options, &result);
    free(request);
    code = result == NULL ? CLI_FAILED : write_result(err == KITH_OK ? a->out : NULL, result);
    if (err != KITH_OK) code = cli_complain(CLI_FAILED, "%s", kith_last_error());
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
