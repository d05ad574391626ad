/* SPDX-License-Identifier: MIT
 * arguments.c -- from argv to cli_args by the table of options: getopt_long does the walking
 */
#include "base/closest.h"
#include "cli/command.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_LONG = 256 }; /* getopt's value of option j is FIRST_LONG + j, beyond any letter */

struct taken { /* the options of one command as getopt wants them */
    struct option longs[CLI_MAX_OPTIONS + 16];
    char letters[64];
};

cli_exit cli_complain(cli_exit code, const char *format, ...)
{
    va_list args;
    cli_progress_clear();
    fputs("kith: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return code;
}

cli_exit cli_fail(kith_err err)
{
    return cli_complain(err == KITH_EINVAL ? CLI_USAGE : CLI_FAILED, "%s", kith_last_error());
}

cli_exit cli_no_such(kith_err err)
{
    return err == KITH_ENOTFOUND ? cli_complain(CLI_USAGE, "%s", kith_last_error()) : cli_fail(err);
}

static void take(struct taken *t, int *n, const char *name)
{
    const cli_option *o = cli_find_option(name);
    if (o == NULL) return;
    const int has_argument = o->kind == CLI_FLAG ? no_argument : required_argument;
    t->longs[(*n)++] =
        (struct option){ o->name, has_argument, NULL, FIRST_LONG + (int)(o - cli_options) };
    if (o->letter == 0) return;
    const size_t at = strlen(t->letters);
    t->letters[at] = o->letter;
    if (has_argument == required_argument) t->letters[at + 1] = ':';
}

static void take_all(struct taken *t, const cli_command *command)
{
    int n = 0;
    memset(t, 0, sizeof *t);
    t->letters[0] = ':'; /* getopt: tell a missing argument from an unknown option */
    for (int j = 0; cli_common_options[j] != NULL; j++) take(t, &n, cli_common_options[j]);
    for (int j = 0; j < CLI_MAX_OPTIONS && command->options[j] != NULL; j++)
        take(t, &n, command->options[j]);
}

static const cli_option *by_value(int value)
{
    if (value >= FIRST_LONG) return &cli_options[value - FIRST_LONG];
    for (int j = 0; j < cli_n_options; j++)
        if (cli_options[j].letter == value) return &cli_options[j];
    return NULL;
}

static cli_exit out_of_range(const cli_option *o, const char *text)
{
    if (o->max == 0) return cli_complain(CLI_USAGE, "--%s %s: want a number", o->name, text);
    return cli_complain(CLI_USAGE, "--%s %s: want a %snumber from %g to %g", o->name, text,
                        o->kind == CLI_WHOLE ? "whole " : "", o->min, o->max);
}

/* "8G", "512M", "1e9": bytes by powers of 1000, as --memory and disks count them. */
static int parse_bytes(const char *text, double *out)
{
    static const char units[] = "kMGT";
    char *end;
    *out = strtod(text, &end);
    if (end == text || !(*out > 0)) return 0;
    const char *unit = *end == '\0' ? NULL : strchr(units, *end == 'K' ? 'k' : *end);
    if (unit != NULL) {
        *out *= pow(1000, (double)(unit - units + 1));
        end++;
    }
    if (*end == 'B') end++;
    return *end == '\0' && *out < 9e18;
}

/* "90", "90s", "10m", "2h". */
static int parse_seconds(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    if (end == text || !(*out > 0) || *out > 1e8) return 0;
    if (*end == 'm' || *end == 'h') *out *= *end == 'm' ? 60 : 3600;
    if (*end == 's' || *end == 'm' || *end == 'h') end++;
    return *end == '\0';
}

static cli_exit set_number(const cli_option *o, void *field, const char *text)
{
    double value;
    if (o->kind == CLI_BYTES) {
        if (!parse_bytes(text, &value))
            return cli_complain(CLI_USAGE, "--%s %s: want a size such as 800M or 8G", o->name,
                                text);
    } else if (o->kind == CLI_SECONDS) {
        if (!parse_seconds(text, &value))
            return cli_complain(CLI_USAGE, "--%s %s: want a time such as 90s or 10m", o->name,
                                text);
    } else {
        char *end;
        errno = 0;
        value = strtod(text, &end);
        if (end == text || *end != '\0' || !isfinite(value) ||
            (o->kind == CLI_WHOLE && value != floor(value)) ||
            (o->max != 0 && (value < o->min || value > o->max)))
            return out_of_range(o, text);
    }
    if (o->kind == CLI_NUMBER || o->kind == CLI_SECONDS)
        *(double *)field = value;
    else
        *(int64_t *)field = (int64_t)value;
    return CLI_DONE;
}

/* The word without the blanks around it: people write "a, b". */
static char *trim(char *word)
{
    word += strspn(word, " \t");
    for (size_t n = strlen(word); n > 0 && (word[n - 1] == ' ' || word[n - 1] == '\t'); n--)
        word[n - 1] = '\0';
    return word;
}

/* Cuts the text of CLI_WORDS at commas, in place: argv is the program's own. */
static cli_exit add_words(const cli_option *o, cli_list *list, char *text)
{
    const int cut = o->kind == CLI_WORDS;
    for (char *save = NULL, *word = cut ? strtok_r(text, ",", &save) : text; word != NULL;
         word = cut ? strtok_r(NULL, ",", &save) : NULL) {
        if (list->n == CLI_MAX_LIST)
            return cli_complain(CLI_USAGE, "--%s: more than %d", o->name, CLI_MAX_LIST);
        if ((word = trim(word))[0] == '\0') continue;
        list->at[list->n++] = word;
    }
    return CLI_DONE;
}

/* The words of a choice stand between blanks; none holds one. */
static cli_exit choose(const cli_option *o, const char **field, const char *text)
{
    char words[256], hint[KI_HINT_SIZE];
    ki_closest closest = { .asked = text };
    snprintf(words, sizeof words, "%s", o->complete);
    for (char *save = NULL, *word = strtok_r(words, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        if (strcmp(word, text) == 0) return *field = text, CLI_DONE;
        ki_closest_try(&closest, word);
    }
    return cli_complain(CLI_USAGE, "--%s %s: want one of: %s%s", o->name, text, o->complete,
                        ki_closest_hint(&closest, hint));
}

static cli_exit set(const cli_option *o, cli_args *a, char *text)
{
    void *field = (char *)a + o->offset;
    switch (o->kind) {
    case CLI_FLAG: *(int *)field = 1; return CLI_DONE;
    case CLI_CHOICE: return choose(o, field, text);
    case CLI_TEXT: *(const char **)field = text; return CLI_DONE;
    case CLI_WORDS:
    case CLI_EACH: return add_words(o, field, text);
    case CLI_WHOLE:
    case CLI_NUMBER:
    case CLI_SECONDS:
    case CLI_BYTES: break;
    }
    return set_number(o, field, text);
}

static int is_set(const cli_option *o, const cli_args *a)
{
    const char *field = (const char *)a + o->offset;
    if (o->kind == CLI_TEXT || o->kind == CLI_CHOICE)
        return *(const char *const *)(const void *)field != NULL;
    if (o->kind == CLI_WORDS || o->kind == CLI_EACH)
        return ((const cli_list *)(const void *)field)->n > 0;
    return 1;
}

static cli_exit check_complete(const cli_command *command, const cli_args *a)
{
    if (a->n_words < command->min_words)
        return cli_complain(CLI_USAGE, "%s needs %s; try: kith %s --help", command->name,
                            command->words, command->name);
    if (a->n_words > command->max_words)
        return cli_complain(CLI_USAGE, "%s: \"%s\" is one word too many; try: kith %s --help",
                            command->name, a->words[command->max_words], command->name);
    for (int j = 0; j < 4 && command->required[j] != NULL; j++)
        if (!is_set(cli_find_option(command->required[j]), a))
            return cli_complain(CLI_USAGE, "%s needs --%s; try: kith %s --help", command->name,
                                command->required[j], command->name);
    return CLI_DONE;
}

/* `written` is as it stood in argv: "--metrcs=rmse", "-z". */
static cli_exit no_such_option(const cli_command *command, const struct taken *t,
                               const char *written)
{
    char name[64], hint[KI_HINT_SIZE] = "";
    snprintf(name, sizeof name, "%s", written + strspn(written, "-"));
    name[strcspn(name, "=")] = '\0';
    ki_closest closest = { .asked = name };
    for (int j = 0; written[1] == '-' && t->longs[j].name != NULL; j++)
        ki_closest_try(&closest, t->longs[j].name);
    if (closest.best != NULL) snprintf(hint, sizeof hint, "; did you mean --%s?", closest.best);
    return cli_complain(CLI_USAGE, "%s has no option %s; try: kith %s --help%s", command->name,
                        written, command->name, hint);
}

cli_exit cli_parse(const cli_command *command, int argc, char **argv, cli_args *a)
{
    struct taken t;
    int value;
    take_all(&t, command);
    *a = (cli_args){ .seed = 42 };
    optind = 1;
    opterr = 0;
    while ((value = getopt_long(argc, argv, t.letters, t.longs, NULL)) != -1) {
        if (value == ':') return cli_complain(CLI_USAGE, "%s needs a value", argv[optind - 1]);
        const cli_option *o = value == '?' ? NULL : by_value(value);
        if (o == NULL) return no_such_option(command, &t, argv[optind - 1]);
        const cli_exit code = set(o, a, optarg);
        if (code != CLI_DONE) return code;
    }
    for (; optind < argc && a->n_words < CLI_MAX_WORDS; optind++)
        a->words[a->n_words++] = argv[optind];
    return a->help ? CLI_DONE : check_complete(command, a);
}
