/* SPDX-License-Identifier: MIT
 * cmd_evaluate.c -- kith evaluate: the report as JSON or as a table of models by metrics
 */
#include "cli/command.h"
#include "cli/console.h"
#include "cli/groups.h"

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

/* The models of a report: its `models`, or the report itself when there is one. */
static size_t n_models(const json_t *report)
{
    const json_t *list = json_object_get(report, "models");
    return list == NULL ? 1 : json_array_size(list);
}

static const json_t *model_at(const json_t *report, size_t m)
{
    const json_t *list = json_object_get(report, "models");
    return list == NULL ? report : json_array_get(list, m);
}

/* Metric names of all models, in order of first appearance, as keys of a new object. */
static json_t *all_metrics(const json_t *report)
{
    json_t *names = json_object();
    const char *name;
    json_t *value;
    for (size_t m = 0; m < n_models(report); m++)
        json_object_foreach (json_object_get(model_at(report, m), "metrics"), name, value)
            if (json_object_get(names, name) == NULL) json_object_set_new(names, name, json_null());
    return names;
}

/* One row a metric, one column a model: means with the half width of their interval. */
static void print_figures(const json_t *report)
{
    char columns[CLI_MAX_LIST + 2] = "l";
    const size_t n = n_models(report);
    json_t *names = all_metrics(report), *unused;
    const char *name;
    for (size_t m = 0; m < n && m < CLI_MAX_LIST; m++) strcat(columns, "r");
    cli_table *t = cli_table_new(columns);
    cli_table_cell(t, "metric");
    for (size_t m = 0; m < n; m++) cli_table_cell(t, "%s", text_of(model_at(report, m), "model"));
    json_object_foreach (names, name, unused) {
        cli_table_cell(t, "%s", name);
        for (size_t m = 0; m < n; m++) {
            const json_t *x =
                json_object_get(json_object_get(model_at(report, m), "metrics"), name);
            const double half = (number_of(x, "hi") - number_of(x, "lo")) / 2;
            if (x == NULL)
                cli_table_cell(t, "-");
            else if (!json_is_number(json_object_get(x, "hi")))
                cli_table_cell(t, "%.4f        ", number_of(x, "mean"));
            else
                cli_table_cell(t, "%.4f ±%.4f", number_of(x, "mean"), half);
        }
    }
    cli_table_cell(t, "fit seconds");
    for (size_t m = 0; m < n; m++)
        cli_table_cell(t, "%.2f        ", number_of(model_at(report, m), "fit_seconds"));
    cli_table_cell(t, "eval seconds");
    for (size_t m = 0; m < n; m++)
        cli_table_cell(t, "%.2f        ", number_of(model_at(report, m), "eval_seconds"));
    cli_table_print(t);
    cli_table_free(t);
    json_decref(names);
}

/* Up to three models every pair, beyond that each against the first; all pairs are in the JSON. */
static void print_comparisons(const json_t *report)
{
    const char *first = text_of(model_at(report, 0), "model");
    const int all = n_models(report) <= 3;
    const json_t *c;
    size_t j;
    const json_t *list = json_object_get(report, "comparisons");
    if (json_array_size(list) == 0) return;
    puts("");
    cli_table *t = cli_table_new("lllrrrl");
    const char *const heads[] = { "a", "b", "metric", "a - b", "interval", "p (Holm)", "better" };
    for (j = 0; j < 7; j++) cli_table_cell(t, "%s", heads[j]);
    json_array_foreach (list, j, c) {
        if (!all && strcmp(text_of(c, "a"), first) != 0) continue;
        cli_table_cell(t, "%s", text_of(c, "a"));
        cli_table_cell(t, "%s", text_of(c, "b"));
        cli_table_cell(t, "%s", text_of(c, "metric"));
        cli_table_cell(t, "%+.4f", number_of(c, "difference"));
        cli_table_cell(t, "%+.4f to %+.4f", number_of(c, "lo"), number_of(c, "hi"));
        cli_table_cell(t, "%.4f", number_of(c, "p_adjusted"));
        cli_table_cell(t, "%s", text_of(c, "better"));
    }
    cli_table_print(t);
    cli_table_free(t);
    if (!all) puts("(each against the first; all pairs with --json)");
}

/* A temporal split of a growing service holds mostly people whom training never saw. */
static void warn_of_strangers(const json_t *report)
{
    const double users = number_of(report, "n_users"), cold = number_of(report, "n_cold_users");
    if (cold * 2 <= users) return;
    printf("note: %s of %s test users have no training data and count 0; --protocol leave-one-out "
           "or holdout:0.8\n"
           "      asks how well known users are served\n\n",
           cli_count((long long)cold), cli_count((long long)users));
}

static void print_skipped(const json_t *report)
{
    const char *name;
    json_t *why;
    for (size_t m = 0; m < n_models(report); m++)
        json_object_foreach (json_object_get(model_at(report, m), "skipped"), name, why)
            printf("%s has no %s: %s\n", text_of(model_at(report, m), "model"), name,
                   json_string_value(why));
}

/* Figures that are not to be compared with the usual ones say so. */
static void print_ways(const json_t *report)
{
    const json_t *sampled = json_object_get(report, "sampled_negatives");
    if (sampled != NULL)
        printf("SAMPLED: ranked among %.0f negatives per user (%s), not the whole catalogue; not "
               "to be compared with\n"
               "         figures over the catalogue\n",
               number_of(sampled, "n"), text_of(sampled, "by"));
    if (json_object_get(report, "metric_source") != NULL)
        printf("metrics as %s defines them\n", text_of(report, "metric_source"));
    if (strcmp(text_of(report, "ties"), "average") == 0)
        puts("metrics of what was found: means over all orders of ties");
}

static void print_report(const json_t *report)
{
    const double cold_users = number_of(report, "n_cold_users");
    const double cold_items = number_of(report, "n_cold_items");
    printf("protocol %s, seed %.0f: %s test users, %s test interactions",
           text_of(report, "protocol"), number_of(report, "seed"),
           cli_count((long long)number_of(report, "n_users")),
           cli_count((long long)number_of(report, "n_test")));
    if (cold_users + cold_items > 0)
        printf(" (%s users and %s items without training data)", cli_count((long long)cold_users),
               cli_count((long long)cold_items));
    puts("\n");
    warn_of_strangers(report);
    print_ways(report);
    print_figures(report);
    print_comparisons(report);
    print_skipped(report);
    for (size_t m = 0; m < n_models(report); m++)
        cli_print_groups(text_of(model_at(report, m), "model"),
                         json_object_get(model_at(report, m), "fairness"));
}

static cli_exit evaluate(const cli_args *a, kith *k, const kith_data *data,
                         const kith_param *params, int n_params)
{
    const int two_files = a->train != NULL || a->test != NULL;
    const kith_evaluate_options options = {
        .models = a->models.at,
        .n_models = a->models.n,
        .params = params,
        .n_params = n_params,
        .protocol = a->protocol == NULL && two_files ? "predefined" : a->protocol,
        .metrics = a->metrics,
        .relevant_from = a->relevant_from,
        .confidence = a->confidence,
        .per_user_path = a->per_user,
        .ties = a->ties,
        .metric_style = a->metric_style,
        .negatives = a->negatives,
        .group_users = a->group_users,
        .group_items = a->group_items,
        .calibrate = a->calibrate,
    };
    kith_report *report = NULL;
    char *text = NULL;
    kith_err err = kith_evaluate(k, data, &options, &report);
    if (err == KITH_OK) err = kith_report_json(report, &text);
    kith_report_free(report);
    if (err != KITH_OK) return cli_no_such(err);
    cli_progress_clear();
    json_t *value = a->json ? NULL : json_loads(text, 0, NULL);
    if (a->json)
        cli_print_json(text);
    else
        print_report(value);
    json_decref(value);
    kith_string_free(text);
    return CLI_DONE;
}

/* `--protocol predefined:u1` of --data names the split that is published with MovieLens 100K: it is
 * a variant of that layout, and has to be known when the data is read. */
static const char *layout_of(const cli_args *a, char *out, size_t size)
{
    static const char name[] = "predefined:";
    const size_t n = sizeof name - 1;
    if (a->layout != NULL || a->data == NULL || a->protocol == NULL ||
        strncmp(a->protocol, name, n) != 0)
        return a->layout;
    snprintf(out, size, "movielens-100k:%s", a->protocol + n);
    return out;
}

cli_exit cmd_evaluate(const cli_args *given, kith *k)
{
    char layout[64];
    cli_args own = *given;
    const cli_args *a = &own;
    own.layout = layout_of(given, layout, sizeof layout);
    kith_param params[CLI_MAX_LIST];
    kith_data *data = NULL;
    char *text = NULL;
    const int n = cli_params(a, params, &text);
    cli_exit code = n < 0 ? CLI_USAGE : CLI_DONE;
    if (code == CLI_DONE && (a->train != NULL) != (a->test != NULL))
        code = cli_complain(CLI_USAGE, "--train and --test go together");
    if (code == CLI_DONE) code = cli_check_models(a);
    if (code == CLI_DONE) code = cli_read_data(a, k, &data);
    if (code == CLI_DONE) code = evaluate(a, k, data, params, n);
    kith_data_free(data);
    free(text);
    return code;
}
