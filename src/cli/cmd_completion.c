/* SPDX-License-Identifier: MIT
 * cmd_completion.c -- completion scripts for bash, zsh and fish, made from the tables
 *
 * The script only asks the tables, baked in as words; models, metrics and layouts are baked in too, so
 * completing runs nothing.
 */
#include "cli/command.h"

#include <jansson.h>
#include <string.h>

/* Names that the library has, as words between blanks. */
struct known {
    char models[2048], layouts[1024], metrics[1024];
};

/* What is offered for an option's value, as words between blanks; NULL: nothing, "" : files. */
static const char *offered(const cli_option *o, const struct known *known)
{
    if (o->complete == NULL) return NULL;
    if (strcmp(o->complete, "file") == 0) return "";
    if (strcmp(o->complete, "model") == 0) return known->models;
    if (strcmp(o->complete, "metric") == 0) return known->metrics;
    return strcmp(o->complete, "layout") == 0 ? known->layouts : o->complete;
}

/* Does its value go on after a comma? */
static int is_list(const cli_option *o)
{
    return o->kind == CLI_WORDS || (o->complete != NULL && strcmp(o->complete, "metric") == 0);
}

static void add_word(char *out, size_t size, const char *word, const char *end)
{
    const size_t used = strlen(out);
    if (used + strlen(word) + strlen(end) + 2 > size) return;
    snprintf(out + used, size - used, "%s%s ", word, end);
}

/* Takes the text; those with a cut-off get a usual one. */
static void list_names(char *text, const char *key, char *out, size_t size)
{
    const json_t *one;
    size_t j;
    json_t *whole = json_loads(text, 0, NULL);
    json_array_foreach (key == NULL ? whole : json_object_get(whole, key), j, one)
        add_word(out, size, json_string_value(json_object_get(one, "name")),
                 json_is_true(json_object_get(one, "cutoff")) ? "@10" : "");
    json_decref(whole);
    kith_string_free(text);
}

static void find_known(struct known *out)
{
    char *text = NULL;
    *out = (struct known){ .models = "" };
    if (kith_models_json(NULL, &text) == KITH_OK)
        list_names(text, NULL, out->models, sizeof out->models);
    if (kith_metrics_json(&text) == KITH_OK)
        list_names(text, "metrics", out->metrics, sizeof out->metrics);
    for (int j = 0; kith_layouts()[j] != NULL; j++)
        add_word(out->layouts, sizeof out->layouts, kith_layouts()[j], "");
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
    else if (is_list(o))
        printf(") _kith_list \"$word\" \"%s\"; return ;;\n", words);
    else
        printf(") COMPREPLY=($(compgen -W \"%s\" -- \"$word\")); return ;;\n", words);
}

/* The second words of the commands that begin with this one. */
static void print_bash_second(const char *first)
{
    const size_t n = strlen(first);
    printf("    2:%s) words=\"", first);
    for (int c = 0; c < cli_n_commands; c++)
        if (strncmp(cli_commands[c].name, first, n) == 0 && cli_commands[c].name[n] == ' ')
            printf("%s ", cli_commands[c].name + n + 1);
    puts("\" ;;");
}

static void bash(const struct known *known)
{
    puts("# completion of kith for bash: source this file\n"
         "_kith_files() { # names of files may hold blanks\n"
         "    local IFS=$'\\n'\n"
         "    COMPREPLY=($(compgen -f -- \"$1\"))\n"
         "}\n"
         "_kith_list() { # what follows the last comma\n"
         "    local head=\n"
         "    case $1 in *,*) head=${1%,*}, ;; esac\n"
         "    COMPREPLY=($(compgen -P \"$head\" -W \"$2\" -- \"${1##*,}\"))\n"
         "    compopt -o nospace 2>/dev/null # a comma may follow\n"
         "}\n"
         "_kith() {\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} "
         "command=${COMP_WORDS[1]}\n"
         "    [ \"$word\" = = ] && word=\n"
         "    [ \"$before\" = = ] && before=${COMP_WORDS[COMP_CWORD-2]} # --model=ials\n"
         "    case $command in data|store) command+=\" ${COMP_WORDS[2]}\" ;; esac\n"
         "    case $before in");
    for (int j = 0; j < cli_n_options; j++)
        print_bash_case(&cli_options[j], offered(&cli_options[j], known));
    puts("    esac\n    local words=\n    case $command in");
    for (int c = 0; c < cli_n_commands; c++) {
        printf("    \"%s\") words=\"", cli_commands[c].name);
        print_option_words(&cli_commands[c]);
        puts("\" ;;");
    }
    fputs("    esac\n    case $COMP_CWORD:${COMP_WORDS[1]} in\n    1:*) words=\"", stdout);
    for (int c = 0; c < cli_n_commands; c++)
        if (strchr(cli_commands[c].name, ' ') == NULL) printf("%s ", cli_commands[c].name);
    puts("data store\" ;;");
    print_bash_second("data");
    print_bash_second("store");
    puts("    2:completion) words=\"bash zsh fish\" ;;");
    printf("    2:models) words=\"%s\" ;;\n", known->models);
    puts("    esac\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "    [ ${#COMPREPLY[@]} -gt 0 ] || _kith_files \"$word\"\n"
         "}\n"
         "complete -o filenames -F _kith kith");
}

static void zsh(const struct known *known)
{
    puts("# completion of kith for zsh: source this file\nautoload -Uz bashcompinit && "
         "bashcompinit");
    bash(known);
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
    if (words != NULL && words[0] != '\0')
        printf(is_list(o) ? " -a '(__kith_list %s)'" : " -a '%s'", words);
    fputs(" -d ", stdout);
    print_quoted(o->meaning);
    putchar('\n');
}

static void fish(const struct known *known)
{
    puts("# completion of kith for fish: put this into ~/.config/fish/completions/kith.fish\n"
         "function __kith_list # what follows the last comma\n"
         "    set -l word (commandline -ct | string replace -r -- '^--[^=]*=' '')\n"
         "    set -l head (string match -r -- '.*,' $word)\n"
         "    printf '%s\\n' \"$head\"$argv\n"
         "end");
    for (int j = 0; cli_common_options[j] != NULL; j++)
        print_fish_option(cli_find_option(cli_common_options[j]), NULL, NULL);
    for (int c = 0; c < cli_n_commands; c++) {
        const char *name = cli_commands[c].name, *second = strchr(name, ' ');
        if (second == NULL)
            printf("complete -c kith -f -n __fish_use_subcommand -a %s -d ", name);
        else
            printf("complete -c kith -f -n '__fish_seen_subcommand_from %.*s' -a %s -d ",
                   (int)(second - name), name, second + 1);
        print_quoted(cli_commands[c].summary);
        putchar('\n');
        for (int j = 0; j < CLI_MAX_OPTIONS && cli_commands[c].options[j] != NULL; j++) {
            const cli_option *o = cli_find_option(cli_commands[c].options[j]);
            print_fish_option(o, second == NULL ? name : second + 1, offered(o, known));
        }
    }
    puts("complete -c kith -f -n __fish_use_subcommand -a data -d 'look at, convert and generate "
         "data'\n"
         "complete -c kith -f -n __fish_use_subcommand -a store -d 'check, copy and move the file "
         "of a service'\n"
         "complete -c kith -f -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'");
    printf("complete -c kith -f -n '__fish_seen_subcommand_from models' -a '%s'\n", known->models);
}

cli_exit cmd_completion(const cli_args *a, kith *k)
{
    static const struct {
        const char *shell;
        void (*print)(const struct known *known);
    } shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
    struct known known;
    (void)k;
    find_known(&known);
    for (size_t j = 0; j < sizeof shells / sizeof shells[0]; j++)
        if (strcmp(a->words[0], shells[j].shell) == 0) return shells[j].print(&known), CLI_DONE;
    return cli_complain(CLI_USAGE, "completion %s: want bash, zsh or fish", a->words[0]);
}
