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

static void bash(const char *models, const char *layouts)
{
    puts("# completion of kith for bash: source this file\n"
         "_kith() {\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} "
         "command=${COMP_WORDS[1]}\n"
         "    [ \"$command\" = data ] && command=\"data ${COMP_WORDS[2]}\"\n"
         "    case $before in");
    for (int j = 0; j < cli_n_options; j++) {
        const cli_option *o = &cli_options[j];
        const char *words = offered(o, models, layouts);
        if (o->kind == CLI_FLAG) continue;
        if (words == NULL)
            printf("    --%s) return ;;\n", o->name);
        else if (words[0] == '\0')
            printf("    --%s) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n", o->name);
        else
            printf("    --%s) COMPREPLY=($(compgen -W \"%s\" -- \"$word\")); return ;;\n", o->name,
                   words);
    }
    puts("    esac\n    local words=\n    case $command in");
    for (int c = 0; c < cli_n_commands; c++) {
        printf("    \"%s\") words=\"", cli_commands[c].name);
        print_option_words(&cli_commands[c]);
        puts("\" ;;");
    }
    fputs("    esac\n    if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"", stdout);
    for (int c = 0; c < cli_n_commands; c++)
        if (strchr(cli_commands[c].name, ' ') == NULL) printf("%s ", cli_commands[c].name);
    puts("data\"; fi\n"
         "    if [ \"$COMP_CWORD\" -eq 2 ] && [ \"${COMP_WORDS[1]}\" = data ]; then words=\"stats "
         "convert generate\"; fi\n"
         "    if [ \"$COMP_CWORD\" -eq 2 ] && [ \"${COMP_WORDS[1]}\" = models ]; then");
    printf("        words=\"%s\"\n", models);
    puts("    fi\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "    [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n"
         "}\n"
         "complete -o filenames -F _kith kith");
}

static void zsh(const char *models, const char *layouts)
{
    puts("# completion of kith for zsh: source this file\nautoload -Uz bashcompinit && "
         "bashcompinit");
    bash(models, layouts);
}

static void fish(const char *models, const char *layouts)
{
    puts("# completion of kith for fish: put this into ~/.config/fish/completions/kith.fish");
    for (int c = 0; c < cli_n_commands; c++) {
        const char *name = cli_commands[c].name, *second = strchr(name, ' ');
        if (second == NULL)
            printf("complete -c kith -f -n __fish_use_subcommand -a %s", name);
        else
            printf("complete -c kith -f -n '__fish_seen_subcommand_from data' -a %s", second + 1);
        printf(" -d '%s'\n", cli_commands[c].summary);
        for (int j = 0; j < CLI_MAX_OPTIONS && cli_commands[c].options[j] != NULL; j++) {
            const cli_option *o = cli_find_option(cli_commands[c].options[j]);
            const char *words = offered(o, models, layouts);
            printf("complete -c kith -n '__fish_seen_subcommand_from %s' -l %s",
                   second == NULL ? name : second + 1, o->name);
            if (o->kind != CLI_FLAG)
                fputs(words != NULL && words[0] == '\0' ? " -r -F" : " -x", stdout);
            if (words != NULL && words[0] != '\0') printf(" -a '%s'", words);
            printf(" -d '%s'\n", o->meaning);
        }
    }
    puts("complete -c kith -f -n __fish_use_subcommand -a data -d 'look at, convert and generate "
         "data'");
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
