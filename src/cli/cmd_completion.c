/* SPDX-License-Identifier: MIT
 * cmd_completion.c -- completion scripts for bash, zsh and fish, made from the tables
 *
 * The script only asks the tables, baked in as words; models and layouts are baked in too, so
 * completing runs nothing.
 */
#include "cli/command.h"

#include <jansson.h>
#include <string.h>

/* What is offered for an option's value, as words between blanks; NULL: nothing, "" : files. */
static const char *offered(const cli_option *o, const char *models, const char *layouts)
{
    if (o->complete == NULL) return NULL;
    if (strcmp(o->complete, "file") == 0) return "";
    if (strcmp(o->complete, "model") == 0) return models;
    return strcmp(o->complete, "layout") == 0 ? layouts : o->complete;
}

static void list_models(char *out, size_t size)
{
    char *text = NULL;
    const json_t *m;
    size_t j;
    out[0] = '\0';
    if (kith_models_json(NULL, &text) != KITH_OK) return;
    json_t *list = json_loads(text, 0, NULL);
    json_array_foreach (list, j, m) {
        strncat(out, json_string_value(json_object_get(m, "name")), size - strlen(out) - 2);
        strcat(out, " ");
    }
    json_decref(list);
    kith_string_free(text);
}

static void list_layouts(char *out, size_t size)
{
    out[0] = '\0';
    for (int j = 0; kith_layouts()[j] != NULL; j++) {
        strncat(out, kith_layouts()[j], size - strlen(out) - 2);
        strcat(out, " ");
    }
}

static void print_option_words(const cli_command *c)
{
    for (int j = 0; j < CLI_MAX_OPTIONS && c->options[j] != NULL; j++)
        printf("--%s ", c->options[j]);
    for (int j = 0; cli_common_options[j] != NULL; j++) printf("--%s ", cli_common_options[j]);
}

/* One case of what follows an option, by its name or its letter. */
static void print_bash_case(const cli_option *o, const char *words)
{
    if (o->kind == CLI_FLAG) return;
    printf("    --%s", o->name);
    if (o->letter != 0) printf("|-%c", o->letter);
    if (words == NULL)
        puts(") return ;;");
    else if (words[0] == '\0')
        puts(") _kith_files \"$word\"; return ;;");
    else
        printf(") COMPREPLY=($(compgen -W \"%s\" -- \"$word\")); return ;;\n", words);
}

static void bash(const char *models, const char *layouts)
{
    puts("# completion of kith for bash: source this file\n"
         "_kith_files() { # names of files may hold blanks\n"
         "    local IFS=$'\\n'\n"
         "    COMPREPLY=($(compgen -f -- \"$1\"))\n"
         "}\n"
         "_kith() {\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} "
         "command=${COMP_WORDS[1]}\n"
         "    [ \"$command\" = data ] && command=\"data ${COMP_WORDS[2]}\"\n"
         "    case $before in");
    for (int j = 0; j < cli_n_options; j++)
        print_bash_case(&cli_options[j], offered(&cli_options[j], models, layouts));
    puts("    esac\n    local words=\n    case $command in");
    for (int c = 0; c < cli_n_commands; c++) {
        printf("    \"%s\") words=\"", cli_commands[c].name);
        print_option_words(&cli_commands[c]);
        puts("\" ;;");
    }
    fputs("    esac\n    case $COMP_CWORD:${COMP_WORDS[1]} in\n    1:*) words=\"", stdout);
    for (int c = 0; c < cli_n_commands; c++)
        if (strchr(cli_commands[c].name, ' ') == NULL) printf("%s ", cli_commands[c].name);
    puts("data\" ;;\n"
         "    2:data) words=\"stats convert generate\" ;;\n"
         "    2:completion) words=\"bash zsh fish\" ;;");
    printf("    2:models) words=\"%s\" ;;\n", models);
    puts("    esac\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "    [ ${#COMPREPLY[@]} -gt 0 ] || _kith_files \"$word\"\n"
         "}\n"
         "complete -o filenames -F _kith kith");
}

static void zsh(const char *models, const char *layouts)
{
    puts("# completion of kith for zsh: source this file\nautoload -Uz bashcompinit && "
         "bashcompinit");
    bash(models, layouts);
}

/* Text between single quotes, as fish reads them. */
static void print_quoted(const char *text)
{
    putchar('\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\') putchar('\\');
        putchar(*text);
    }
    putchar('\'');
}

/* `seen`: the word after which the option is offered; NULL: always. */
static void print_fish_option(const cli_option *o, const char *seen, const char *words)
{
    fputs("complete -c kith", stdout);
    if (seen != NULL) printf(" -n '__fish_seen_subcommand_from %s'", seen);
    printf(" -l %s", o->name);
    if (o->letter != 0) printf(" -s %c", o->letter);
    if (o->kind != CLI_FLAG) fputs(words != NULL && words[0] == '\0' ? " -r -F" : " -x", stdout);
    if (words != NULL && words[0] != '\0') printf(" -a '%s'", words);
    fputs(" -d ", stdout);
    print_quoted(o->meaning);
    putchar('\n');
}

static void fish(const char *models, const char *layouts)
{
    puts("# completion of kith for fish: put this into ~/.config/fish/completions/kith.fish");
    for (int j = 0; cli_common_options[j] != NULL; j++)
        print_fish_option(cli_find_option(cli_common_options[j]), NULL, NULL);
    for (int c = 0; c < cli_n_commands; c++) {
        const char *name = cli_commands[c].name, *second = strchr(name, ' ');
        if (second == NULL)
            printf("complete -c kith -f -n __fish_use_subcommand -a %s -d ", name);
        else
            printf("complete -c kith -f -n '__fish_seen_subcommand_from data' -a %s -d ",
                   second + 1);
        print_quoted(cli_commands[c].summary);
        putchar('\n');
        for (int j = 0; j < CLI_MAX_OPTIONS && cli_commands[c].options[j] != NULL; j++) {
            const cli_option *o = cli_find_option(cli_commands[c].options[j]);
            print_fish_option(o, second == NULL ? name : second + 1, offered(o, models, layouts));
        }
    }
    puts("complete -c kith -f -n __fish_use_subcommand -a data -d 'look at, convert and generate "
         "data'\n"
         "complete -c kith -f -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'");
    printf("complete -c kith -f -n '__fish_seen_subcommand_from models' -a '%s'\n", models);
}

cli_exit cmd_completion(const cli_args *a, kith *k)
{
    char models[2048], layouts[1024];
    (void)k;
    list_models(models, sizeof models);
    list_layouts(layouts, sizeof layouts);
    if (strcmp(a->words[0], "bash") == 0)
        bash(models, layouts);
    else if (strcmp(a->words[0], "zsh") == 0)
        zsh(models, layouts);
    else if (strcmp(a->words[0], "fish") == 0)
        fish(models, layouts);
    else
        return cli_complain(CLI_USAGE, "completion %s: want bash, zsh or fish", a->words[0]);
    return CLI_DONE;
}
