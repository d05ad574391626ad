/* SPDX-License-Identifier: MIT
 * help.c -- the program's help, made from the tables of commands and options
 */
#include "cli/command.h"
#include "cli/console.h"

#include <string.h>

/* "  call    meaning", the meaning beginning at column `indent` and broken under itself. */
static void entry(const char *call, const char *meaning, int indent, FILE *to)
{
    fprintf(to, "  %-*s  ", indent - 4, call);
    cli_print_wrapped(to, meaning, indent, cli_width(to, CLI_WIDTH_OF_FILES));
}

void cli_help_all(FILE *to)
{
    fprintf(to,
            "kith %s -- from a file of ratings or events to recommendations with honest numbers\n\n"
            "usage: kith COMMAND [OPTIONS]\n\ncommands:\n",
            kith_version());
    for (int c = 0; c < cli_n_commands; c++) {
        char call[64];
        const char *words = cli_commands[c].words;
        snprintf(call, sizeof call, "%s%s%s", cli_commands[c].name, words == NULL ? "" : " ",
                 words == NULL ? "" : words);
        entry(call, cli_commands[c].summary, 29, to);
    }
    fputs("\nfirst steps:\n"
          "  kith data stats ratings.csv\n"
          "  kith evaluate --data ratings.csv --protocol holdout:0.8 --model popularity,ials\n"
          "  kith train --data ratings.csv --model ials --out my.kith\n"
          "  kith recommend --model-file my.kith --user ID --explain\n"
          "\n`kith help COMMAND` tells the rest.\n",
          to);
}

static void option_line(const char *name, int required, FILE *to)
{
    const cli_option *o = cli_find_option(name);
    char call[64], letter[8] = "    ", meaning[512];
    if (o == NULL) return;
    if (o->letter != 0) snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(call, sizeof call, "%s--%s%s%s", letter, o->name, o->argument == NULL ? "" : " ",
             o->argument == NULL ? "" : o->argument);
    snprintf(meaning, sizeof meaning, "%s%s", o->meaning, required ? " [required]" : "");
    entry(call, meaning, 34, to);
}

static int is_required(const cli_command *command, const char *name)
{
    for (int j = 0; j < 4 && command->required[j] != NULL; j++)
        if (strcmp(command->required[j], name) == 0) return 1;
    return 0;
}

/* Lines that begin with a blank are examples and stay as they are; the others are wrapped. */
static void print_detail(const char *detail, FILE *to)
{
    char line[1024];
    while (*detail != '\0') {
        const size_t n = strcspn(detail, "\n");
        snprintf(line, sizeof line, "%.*s", (int)n, detail);
        if (line[0] == ' ')
            fprintf(to, "%s\n", line);
        else
            cli_print_wrapped(to, line, 0, cli_width(to, CLI_WIDTH_OF_FILES));
        detail += n + (detail[n] == '\n');
    }
}

void cli_help_command(const cli_command *command, FILE *to)
{
    char title[256];
    snprintf(title, sizeof title, "kith %s -- %s", command->name, command->summary);
    cli_print_wrapped(to, title, 0, cli_width(to, CLI_WIDTH_OF_FILES));
    fprintf(to, "\nusage: kith %s%s%s [OPTIONS]\n\n", command->name,
            command->words == NULL ? "" : " ", command->words == NULL ? "" : command->words);
    print_detail(command->detail, to);
    if (command->options[0] != NULL) fputs("\noptions:\n", to);
    for (int j = 0; j < CLI_MAX_OPTIONS && command->options[j] != NULL; j++)
        option_line(command->options[j], is_required(command, command->options[j]), to);
    fputs("\nfor every command:\n", to);
    for (int j = 0; cli_common_options[j] != NULL; j++) option_line(cli_common_options[j], 0, to);
}
