/* SPDX-License-Identifier: MIT
 * cmd_evaluate.c -- kith evaluate: the report as JSON or as a table of models by metrics
 */
#include "cli/command.h"
#include "cli/console.h"
#include "cli/groups.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { DECIMALS = 4 }; /* of figures: what intervals of a few thousand users leave sure */

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

static const json_t *metric_of(const json_t *report, size_t m, const char *name)
{
    return json_object_get(json_object_get(model_at(report, m), "metrics"), name);
}

/* ---- which metrics are shown ---- */

/* rmse_raw beside rmse is only worth a line where clipping shows in the digits. */
static int is_shown(const json_t *report, const char *name, const char *asked)
{
    char plain[64];
    const size_t n = strlen(name);
    if (n < 5 || n >= sizeof plain || strcmp(name + n - 4, "_raw") != 0) return 1;
    if (asked != NULL && strstr(asked, name) != NULL) return 1;
    snprintf(plain, sizeof plain, "%.*s", (int)n - 4, name);
    for (size_t m = 0; m < n_models(report); m++) {
        const json_t *raw = metric_of(report, m, name), *clipped = metric_of(report, m, plain);
        if (raw == NULL) continue;
        if (clipped == NULL || strcmp(cli_fixed(number_of(raw, "mean"), DECIMALS),
                                      cli_fixed(number_of(clipped, "mean"), DECIMALS)) != 0)
            return 1;
    }
    return 0;
}

/* Names of the metrics that are shown, in order of first appearance, as keys of a new object. */
static json_t *shown_metrics(const json_t *report, const char *asked)
{
    json_t *names = json_object();
    const char *name;
    json_t *value;
    for (size_t m = 0; m < n_models(report); m++)
        json_object_foreach (json_object_get(model_at(report, m), "metrics"), name, value)
            if (json_object_get(names, name) == NULL && is_shown(report, name, asked))
                json_object_set_new(names, name, json_null());
    return names;
}

/* ---- tables ---- */

/* The mean with the half width of its interval; room is left where others have one, so that points stand below each
 * other. */
static void figure_cell(cli_table *t, const json_t *x)
{
    const double half = (number_of(x, "hi") - number_of(x, "lo")) / 2;
    if (x == NULL)
        cli_table_cell(t, "-");
    else if (!json_is_number(json_object_get(x, "hi")))
        cli_table_cell(t, "%s        ", cli_fixed(number_of(x, "mean"), DECIMALS));
    else
        cli_table_cell(t, "%s ±%s", cli_fixed(number_of(x, "mean"), DECIMALS),
                       cli_fixed(half, DECIMALS));
}

/* Two decimals, their point below those of four. */
static void seconds_row(cli_table *t, const json_t *report, const char *head, const char *key)
{
    cli_table_cell(t, "%s", head);
    for (size_t m = 0; m < n_models(report); m++)
        cli_table_cell(t, "%s          ", cli_fixed(number_of(model_at(report, m), key), 2));
}

/* One row a metric, one column a model. */
static void print_figures(const json_t *report, json_t *names)
{
    char columns[CLI_MAX_LIST + 2] = "l";
    const size_t n = n_models(report);
    const char *name;
    json_t *unused;
    for (size_t m = 0; m < n && m < CLI_MAX_LIST; m++) strcat(columns, "r");
    cli_table *t = cli_table_new(columns);
    cli_table_cell(t, "metric");
    for (size_t m = 0; m < n; m++) cli_table_cell(t, "%s", text_of(model_at(report, m), "model"));
    json_object_foreach (names, name, unused) {
        cli_table_cell(t, "%s", name);
        for (size_t m = 0; m < n; m++) figure_cell(t, metric_of(report, m, name));
    }
    seconds_row(t, report, "fit seconds", "fit_seconds");
    seconds_row(t, report, "eval seconds", "eval_seconds");
    cli_table_print_blocks(t);
    cli_table_free(t);
}

static int is_pair(const json_t *c, const char *a, const char *b)
{
    return strcmp(text_of(c, "a"), a) == 0 && strcmp(text_of(c, "b"), b) == 0;
}

static void print_pair(const json_t *report, const json_t *names, const char *a, const char *b)
{
    char heading[160];
    const json_t *c;
    size_t j;
    cli_table *t = cli_table_new("lrrrl");
    const char *const heads[] = { "metric", "difference", "interval", "p (Holm)", "better" };
    for (j = 0; j < 5; j++) cli_table_cell(t, "%s", heads[j]);
    json_array_foreach (json_object_get(report, "comparisons"), j, c) {
        if (!is_pair(c, a, b) || json_object_get(names, text_of(c, "metric")) == NULL) continue;
        cli_table_cell(t, "%s", text_of(c, "metric"));
        cli_table_cell(t, "%s", cli_signed(number_of(c, "difference"), DECIMALS));
        cli_table_cell(t, "%s to %s", cli_signed(number_of(c, "lo"), DECIMALS),
                       cli_signed(number_of(c, "hi"), DECIMALS));
        cli_table_cell(t, "%s", cli_fixed(number_of(c, "p_adjusted"), DECIMALS));
        cli_table_cell(t, "%s", text_of(c, "better"));
    }
    snprintf(heading, sizeof heading, "\n%s minus %s", a, b);
    cli_heading(heading);
    cli_table_print(t);
    cli_table_free(t);
}

/* Has a model from `from` on the name of model `b` too?  Then their pairs have been printed with it. */
static int is_named_between(const json_t *report, size_t from, size_t b)
{
    const char *name = text_of(model_at(report, b), "model");
    for (size_t m = from; m < b; m++)
        if (strcmp(text_of(model_at(report, m), "model"), name) == 0) return 1;
    return 0;
}

/* Up to three models every pair, beyond that each against the first; all pairs are in the JSON. */
static void print_comparisons(const json_t *report, const json_t *names)
{
    const size_t n = n_models(report), rows = n <= 3 ? n : 1;
    if (json_array_size(json_object_get(report, "comparisons")) == 0) return;
    for (size_t a = 0; a < rows; a++)
        for (size_t b = a + 1; b < n; b++)
            if (!is_named_between(report, a + 1, b))
                print_pair(report, names, text_of(model_at(report, a), "model"),
                           text_of(model_at(report, b), "model"));
    if (n > 3) puts("(each against the first; all pairs with --json)");
}

/* ---- sentences ---- */

static void print_wrapped(int indent, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void print_wrapped(int indent, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cli_print_wrapped(stdout, text, indent, cli_width(stdout, CLI_WIDTH_OF_FILES));
}

/* A temporal split of a growing service holds mostly people whom training never saw. */
static void warn_of_strangers(const json_t *report)
{
    const double users = number_of(report, "n_users"), cold = number_of(report, "n_cold_users");
    if (cold * 2 <= users) return;
    print_wrapped(6,
                  "note: %s of %s test users have no training data and count 0; --protocol "
                  "leave-one-out or holdout:0.8 asks how well known users are served",
                  cli_count((long long)cold), cli_count((long long)users));
    putchar('\n');
}

/* What a model lacks for one reason stands in one sentence; a blank line before the first of them. */
static void print_skipped_of(const json_t *model, const char *asked, int *n_lines)
{
    const json_t *skipped = json_object_get(model, "skipped");
    const char *name, *other;
    json_t *why, *same;
    json_t *told = json_object();
    json_object_foreach ((json_t *)skipped, name, why) {
        char names[512] = "";
        if (json_object_get(told, json_string_value(why)) != NULL) continue;
        json_object_set_new(told, json_string_value(why), json_null());
        json_object_foreach ((json_t *)skipped, other, same) {
            const size_t used = strlen(names);
            if (!json_equal(why, same) || (asked == NULL && strstr(other, "_raw") != NULL))
                continue;
            snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "", other);
        }
        if (names[0] == '\0') continue;
        if ((*n_lines)++ == 0) putchar('\n');
        print_wrapped(0, "%s has no %s: %s", text_of(model, "model"), names,
                      json_string_value(why));
    }
    json_decref(told);
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

static void print_report(const json_t *report, const char *asked)
{
    const double cold_users = number_of(report, "n_cold_users");
    const double cold_items = number_of(report, "n_cold_items");
    char cold[128] = "";
    int n_lines = 0;
    if (cold_users + cold_items > 0)
        snprintf(cold, sizeof cold, " (%s users and %s items without training data)",
                 cli_count((long long)cold_users), cli_count((long long)cold_items));
    print_wrapped(0, "protocol %s, seed %.0f: %s test users, %s test interactions%s",
                  text_of(report, "protocol"), number_of(report, "seed"),
                  cli_count((long long)number_of(report, "n_users")),
                  cli_count((long long)number_of(report, "n_test")), cold);
    putchar('\n');
    warn_of_strangers(report);
    print_ways(report);
    json_t *names = shown_metrics(report, asked);
    print_figures(report, names);
    print_comparisons(report, names);
    json_decref(names);
    for (size_t m = 0; m < n_models(report); m++)
        print_skipped_of(model_at(report, m), asked, &n_lines);
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
        print_report(value, a->metrics);
    json_decref(value);
    cli_track(a, text);
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
    if (code == CLI_DONE) code = cli_check_models(a, params, n);
    if (code == CLI_DONE) code = cli_check_evaluation(a);
    if (code == CLI_DONE) code = cli_check_target(a, a->per_user, "per-user");
    if (code == CLI_DONE) code = cli_read_data(a, k, &data);
    if (code == CLI_DONE) code = evaluate(a, k, data, params, n);
    kith_data_free(data);
    free(text);
    return code;
}
