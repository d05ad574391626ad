/* SPDX-License-Identifier: MIT
 * cmd_train.c -- kith train, and what train and evaluate share: reading data, parameters
 */
#include "cli/command.h"
#include "cli/console.h"

#include <stdlib.h>
#include <string.h>

static const char *const duplicate_names[] = { "auto", "last", "first", "sum",
                                               "mean", "max",  "error" };

static kith_duplicates duplicates_of(const char *name)
{
    for (int j = 0; name != NULL && j <= KITH_DUPLICATES_ERROR; j++)
        if (strcmp(duplicate_names[j], name) == 0) return (kith_duplicates)j;
    return KITH_DUPLICATES_AUTO;
}

kith_read_options cli_read_options(const cli_args *a)
{
    return (kith_read_options){
        .layout = a->layout,
        .users_path = a->users_file,
        .items_path = a->items_file,
        .user_column = a->user_column,
        .item_column = a->item_column,
        .value_column = a->value_column,
        .time_column = a->time_column,
        .skip_bad = a->skip_bad,
        .duplicates = duplicates_of(a->duplicates),
        .test_path = a->test,
    };
}

/* Which path holds the interactions: --data, the word of the command, or --train. */
static const char *path_of(const cli_args *a)
{
    if (a->data != NULL) return a->data;
    return a->n_words > 0 ? a->words[0] : a->train;
}

cli_exit cli_read_data_told(const cli_args *a, kith *k, kith_data **out, json_t **report)
{
    unsigned char key[64];
    int n_key;
    const char *path = path_of(a);
    if (path == NULL)
        return cli_complain(CLI_USAGE,
                            "no data: give --data PATH, or --train FILE and --test FILE");
    if (a->data != NULL && a->train != NULL)
        return cli_complain(CLI_USAGE, "--data and --train are two ways to say one thing");
    cli_exit code = cli_check_layout(a);
    if (code == CLI_DONE) code = cli_check_key(a, key, &n_key);
    if (code != CLI_DONE) return code;
    const kith_read_options options = cli_read_options(a);
    const kith_err err = kith_data_read(k, path, &options, out);
    if (err != KITH_OK) return cli_fail(err);
    cli_progress_clear();
    if (!a->quiet && !a->json)
        fprintf(stderr, "%s: %s users, %s items, %s interactions\n", path,
                cli_count(kith_data_n_users(*out)), cli_count(kith_data_n_items(*out)),
                cli_count(kith_data_n_interactions(*out)));
    return a->anonymise ? cli_anonymise(a, k, key, n_key, out, report) : CLI_DONE;
}

cli_exit cli_read_data(const cli_args *a, kith *k, kith_data **out)
{
    json_t *report = NULL;
    const cli_exit code = cli_read_data_told(a, k, out, &report);
    if (report != NULL && !a->quiet) cli_tell_risk(stderr, report);
    json_decref(report);
    return code;
}

int cli_params(const cli_args *a, kith_param *params, char **text)
{
    size_t size = 1;
    for (int j = 0; j < a->params.n; j++) size += strlen(a->params.at[j]) + 1;
    char *to = *text = malloc(size);
    if (to == NULL) return cli_complain(CLI_FAILED, "out of memory"), -1;
    for (int j = 0; j < a->params.n; j++) {
        char *equals = strchr(strcpy(to, a->params.at[j]), '=');
        if (equals == NULL || equals == to)
            return cli_complain(CLI_USAGE, "-p %s: want key=value, such as -p n_factors=64",
                                a->params.at[j]),
                   -1;
        *equals = '\0';
        params[j] = (kith_param){ .name = to, .value = equals + 1 };
        to = equals + 1 + strlen(equals + 1) + 1;
    }
    return a->params.n;
}

static cli_exit tell(const cli_args *a, const kith_model *m, double spent)
{
    if (a->json) {
        char *text = NULL;
        const kith_err err = kith_model_json(m, &text);
        if (err != KITH_OK) return cli_fail(err);
        cli_print_json(text);
        kith_string_free(text);
    } else if (!a->quiet) {
        printf("trained %s on %s users and %s items in %.2f s; written to %s\n", a->models.at[0],
               cli_count(kith_model_n_users(m)), cli_count(kith_model_n_items(m)), spent, a->out);
    }
    return CLI_DONE;
}

cli_exit cmd_train(const cli_args *a, kith *k)
{
    kith_param params[CLI_MAX_LIST];
    kith_data *data = NULL;
    kith_model *model = NULL;
    char *text = NULL;
    kith_err err;
    if (a->models.n != 1)
        return cli_complain(CLI_USAGE, "train makes one model; --model names %d", a->models.n);
    const int n = cli_params(a, params, &text);
    cli_exit code = n < 0 ? CLI_USAGE : cli_check_models(a, params, n);
    if (code == CLI_DONE) code = cli_check_target(a, a->out, "model");
    if (code == CLI_DONE) code = cli_read_data(a, k, &data);
    if (code == CLI_DONE) {
        const double began = cli_seconds();
        if ((err = kith_train(k, data, a->models.at[0], params, n, &model)) != KITH_OK)
            code = cli_fail(err);
        else if ((err = kith_model_save(k, model, a->out)) != KITH_OK)
            code = cli_fail(err);
        else
            code = tell(a, model, cli_seconds() - began);
    }
    kith_model_free(model);
    kith_data_free(data);
    free(text);
    return code;
}
