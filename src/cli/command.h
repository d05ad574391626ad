/* SPDX-License-Identifier: MIT
 * command.h -- the commands of the program, their options, and what a command gets to run with
 *
 * Two tables say everything: `cli_options` (options.c) each option once, `cli_commands`
 * (commands.c) each command with the options it takes.  Parsing, help, usage errors and shell
 * completion are made from them.
 */
#ifndef KITH_CLI_COMMAND_H
#define KITH_CLI_COMMAND_H

#include "kith.h"

#include <jansson.h>

#include <stdio.h>

enum cli_limits { CLI_MAX_LIST = 64, CLI_MAX_OPTIONS = 32, CLI_MAX_WORDS = 16 };

typedef enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 } cli_exit;

typedef struct cli_list { /* an option given several times, or several values between commas */
    const char *at[CLI_MAX_LIST];
    int n;
} cli_list;

/* Every value that any option sets. */
typedef struct cli_args {
    /* for every command */
    int64_t seed, threads, memory;
    int help, json, quiet;
    /* data */
    const char *data, *train, *test, *layout, *duplicates, *users_file, *items_file;
    const char *user_column, *item_column, *value_column, *time_column;
    int64_t skip_bad;
    const char *out, *to;
    int force, tables;
    int64_t n_users, n_items, n_interactions, rank;
    double popularity_power, noise;
    int implicit;
    int anonymise;
    const char *key_file;
    cli_list drop, keep, coarsen;
    int hash_items;
    int64_t time_step;
    /* models and evaluation */
    cli_list models, params;
    const char *protocol, *metrics, *per_user;
    const char *ties, *metric_style, *negatives, *group_users, *group_items, *calibrate;
    double relevant_from, confidence, budget;
    int64_t trials;
    /* asking */
    const char *model_file, *user, *item, *users, *on_unknown;
    const char *text;
    cli_list liked, exclude, wishes;
    const char *filter, *context, *pipeline, *language, *block;
    int64_t n, reasons;
    int include_seen, explain;
    /* serving */
    const char *db, *host, *config;
    int64_t port;
    int insecure_local, settings;
    /* words after the options */
    const char *words[CLI_MAX_WORDS];
    int n_words;
} cli_args;

typedef enum cli_kind {
    CLI_FLAG,    /* int */
    CLI_TEXT,    /* const char * */
    CLI_CHOICE,  /* const char *: one of the words of `complete` */
    CLI_WHOLE,   /* int64_t */
    CLI_NUMBER,  /* double */
    CLI_BYTES,   /* int64_t, of "8G" */
    CLI_SECONDS, /* double, of "90s" or "10m" */
    CLI_WORDS,   /* cli_list: cut at commas, and again for more */
    CLI_EACH,    /* cli_list: as it stands, and again for more */
} cli_kind;

typedef struct cli_option {
    const char *name; /* "model-file" */
    char letter;      /* 'n', or 0 */
    cli_kind kind;
    size_t offset;        /* of its field in cli_args */
    const char *argument; /* "FILE"; NULL for flags */
    const char *meaning;
    const char *complete; /* what a shell offers: "file", "model", "layout", or words between
                             blanks; NULL: nothing */
    double min, max;      /* of numbers; both 0: any */
} cli_option;

typedef struct cli_command cli_command;
struct cli_command {
    const char *name;  /* "data stats" */
    const char *words; /* what follows: "PATH", "[NAME]"; NULL: none */
    int min_words, max_words;
    const char *summary; /* one line */
    const char *detail;  /* a paragraph and examples for its own help */
    cli_exit (*run)(const cli_args *a, kith *k);
    const char *options[CLI_MAX_OPTIONS]; /* names; those for every command are not repeated */
    const char *required[4];
};

extern const cli_option cli_options[];
extern const int cli_n_options;
extern const char *const cli_common_options[]; /* ends with NULL */
extern const cli_command cli_commands[];
extern const int cli_n_commands;

const cli_option *cli_find_option(const char *name); /* NULL when unknown */

/* Fill *a from argv (after the command's name).  On failure a sentence has gone to stderr. */
cli_exit cli_parse(const cli_command *command, int argc, char **argv, cli_args *a);

void cli_help_all(FILE *to);
void cli_help_command(const cli_command *command, FILE *to);

/* "kith: sentence" to stderr; returns CLI_USAGE for KITH_EINVAL, else CLI_FAILED. */
cli_exit cli_fail(kith_err err);

/* The same where what was not found is a name of kith's own (a model, a metric) and not of the data: wrong usage. */
cli_exit cli_no_such(kith_err err);

/* The library's sentence is replaced by one of the program's own. */
cli_exit cli_complain(cli_exit code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Progress bar on stderr, for kith_options.progress; cli_progress_clear wipes an unfinished one. */
void cli_progress(void *udata, const char *what, int64_t done, int64_t total);
void cli_progress_clear(void);
double cli_seconds(void); /* of a clock that never goes back */

/* Read the data that --data, or --train and --test, name; says on stderr what was found unless
 * quiet. */
cli_exit cli_read_data(const cli_args *a, kith *k, kith_data **out);

/* The same; of --anonymise *report is what was done and the risk that is left, a new reference, else NULL and untold. */
cli_exit cli_read_data_told(const cli_args *a, kith *k, kith_data **out, json_t **report);

/* anonymise.c: the secret of --key-file, where --anonymise asks for it; then the data without its people. */
cli_exit cli_check_key(const cli_args *a, unsigned char key[64], int *n);
cli_exit cli_anonymise(const cli_args *a, kith *k, const unsigned char *key, int n,
                       kith_data **data, json_t **report);
kith_anonymise_options cli_anonymise_options(const cli_args *a, const unsigned char *key, int n);
void cli_tell_risk(FILE *to, const json_t *report);
void cli_print_risk(const json_t *report);
kith_read_options cli_read_options(const cli_args *a);

/* The block list that --block names, for this model; NULL without.  Entries that match nothing are told on
 * stderr. */
cli_exit cli_read_block(const cli_args *a, const kith_model *m, kith_block **out);

/* Is there what --model, -p, --metrics, --protocol and --layout name?  Asked before the data is read. */
cli_exit cli_check_models(const cli_args *a, const kith_param *params, int n_params);
cli_exit cli_check_evaluation(const cli_args *a);
cli_exit cli_check_layout(const cli_args *a);

/* CLI_USAGE when `path` is a file that the command reads, or holds something of another kind than "model", "binary",
 * "csv", "tsv", "ndjson", "lists", "per-user", "store", "store-lines" or "result" and --force is not given.  NULL is no file. */
cli_exit cli_check_target(const cli_args *a, const char *path, const char *kind);

/* The parameters of -p key=value as the library takes them; params is [CLI_MAX_LIST], text their
 * storage (freed by the caller).  -1 after a sentence when one is not key=value. */
int cli_params(const cli_args *a, kith_param *params, char **text);

/* The lists of all users into the file, or the index, that --all-users names. */
cli_exit cli_recommend_all(const cli_args *a, kith *k, const kith_model *m);

/* Log a report of kith_evaluate or kith_tune where $MLFLOW_TRACKING_URI says, and tell it on stderr. */
void cli_track(const cli_args *a, const char *report);

/* The commands. */
cli_exit cmd_models(const cli_args *a, kith *k);
cli_exit cmd_metrics(const cli_args *a, kith *k);
cli_exit cmd_data_stats(const cli_args *a, kith *k);
cli_exit cmd_data_convert(const cli_args *a, kith *k);
cli_exit cmd_data_generate(const cli_args *a, kith *k);
cli_exit cmd_data_anonymise(const cli_args *a, kith *k);
cli_exit cmd_train(const cli_args *a, kith *k);
cli_exit cmd_evaluate(const cli_args *a, kith *k);
cli_exit cmd_tune(const cli_args *a, kith *k);
cli_exit cmd_run(const cli_args *a, kith *k);
cli_exit cmd_schema(const cli_args *a, kith *k);
cli_exit cmd_store_check(const cli_args *a, kith *k);
cli_exit cmd_store_backup(const cli_args *a, kith *k);
cli_exit cmd_store_export(const cli_args *a, kith *k);
cli_exit cmd_store_import(const cli_args *a, kith *k);
cli_exit cmd_recommend(const cli_args *a, kith *k);
cli_exit cmd_search(const cli_args *a, kith *k);
cli_exit cmd_why_not(const cli_args *a, kith *k);
cli_exit cmd_similar(const cli_args *a, kith *k);
cli_exit cmd_predict(const cli_args *a, kith *k);
cli_exit cmd_serve(const cli_args *a, kith *k);
cli_exit cmd_completion(const cli_args *a, kith *k);
cli_exit cmd_version(const cli_args *a, kith *k);

#endif
