/* SPDX-License-Identifier: MIT
 * cmd_tune.c -- kith tune: the best parameters that a budget finds
 */
#include "cli/command.h"
#include "cli/console.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s == NULL ? "" : s;
}

static double number_of(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

/* "-p n_factors=64 -p reg=0.02": as train and evaluate take it. */
static void print_params(const json_t *params)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)params, name, value) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
        if (json_is_string(value)) {
            if (json_string_length(value) > 0) printf(" -p %s=%s", name, json_string_value(value));
        } else {
            printf(" -p %s=%s", name, text);
        }
        free(text);
    }
    putchar('\n');
}

static void print_report(const json_t *report)
{
    const json_t *best = json_object_get(report, "best"),
                 *usual = json_object_get(report, "default");
    cli_table *t = cli_table_new("lrr");
    cli_table_cell(t, "%s", text_of(report, "metric"));
    cli_table_cell(t, "value");
    cli_table_cell(t, "seconds");
    cli_table_cell(t, "best of %s, %s", cli_count((long long)number_of(report, "n_trials")),
                   text_of(best, "model"));
    cli_table_cell(t, "%.4f", number_of(best, "value"));
    cli_table_cell(t, "%.2f", number_of(best, "seconds"));
    if (usual != NULL) {
        cli_table_cell(t, "default, %s", text_of(usual, "model"));
        cli_table_cell(t, "%.4f", number_of(usual, "value"));
        cli_table_cell(t, "%.2f", number_of(usual, "seconds"));
    }
    cli_table_print(t);
    cli_table_free(t);
    printf("\n--model %s", text_of(best, "model"));
    print_params(json_object_get(best, "params"));
}

cli_exit cmd_tune(const cli_args *a, kith *k)
{
    kith_param params[CLI_MAX_LIST];
    kith_data *data = NULL;
    char *text = NULL, *report = NULL;
    const int n = cli_params(a, params, &text);
    cli_exit code = n < 0 ? CLI_USAGE : cli_check_models(a, params, n);
    if (code == CLI_DONE) code = cli_read_data(a, k, &data);
    if (code == CLI_DONE) {
        const kith_tune_options options = { .models = a->models.at,
                                            .n_models = a->models.n,
                                            .params = params,
                                            .n_params = n,
                                            .protocol = a->protocol,
                                            .metric = a->metrics,
                                            .relevant_from = a->relevant_from,
                                            .max_trials = (int)a->trials,
                                            .max_seconds = a->budget };
        const kith_err err = kith_tune(k, data, &options, &report);
        if (err != KITH_OK) {
            code = cli_no_such(err);
        } else if (a->json) {
            cli_print_json(report);
        } else {
            json_t *o = json_loads(report, 0, NULL);
            cli_progress_clear();
            print_report(o);
            json_decref(o);
        }
    }
    if (report != NULL) cli_track(a, report);
    kith_string_free(report);
    kith_data_free(data);
    free(text);
    return code;
}
