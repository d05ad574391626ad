/* SPDX-License-Identifier: MIT
 * run_tables.c -- the result of the tool contract as tables for people
 *
 * Standard output gets what is the same in every run of one request: what was asked, the lists, the
 * figures.  What time and place decide (milliseconds, where the model lies) goes to standard error.
 */
#include "cli/run_tables.h"

#include "cli/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LISTS = 6, MOST_SIMILAR = 3, MOST_FEATURES = 5, NAME_ROOM = 512 };

static const json_t *at(const json_t *o, const char *a, const char *b)
{
    return json_object_get(json_object_get(o, a), b);
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s == NULL ? "" : s;
}

static long long count(const json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
}

/* What people call an item, or its id. */
static const char *name_of(const json_t *o, const char *id)
{
    return text(o, json_object_get(o, "title") != NULL ? "title" : id);
}

/* ---- what was asked ---- */

static void print_method(const json_t *method, const json_t *parameters)
{
    const char *asked = text(method, "asked"), *why = text(method, "why");
    const char *parts = text(parameters, "parts");
    printf("%s by %s", text(method, "algorithm_type"),
           parts[0] == '\0' ? text(method, "resolved_method") : parts);
    if (asked[0] != '\0' && strcmp(asked, text(method, "resolved_method")) != 0)
        printf(", asked for as \"%s\"", asked);
    printf("%s%s\n", why[0] == '\0' ? "" : ": ", why);
}

static void print_data(const json_t *statistics)
{
    const char *name, *between = ": ";
    const json_t *signal;
    const long long cold_users = count(statistics, "users_without_interactions"),
                    cold_items = count(statistics, "items_without_interactions");
    printf("%s users", cli_count(count(statistics, "user_count")));
    if (cold_users > 0) printf(" (%s without interactions)", cli_count(cold_users));
    printf(", %s items", cli_count(count(statistics, "item_count")));
    if (cold_items > 0) printf(" (%s without)", cli_count(cold_items));
    printf(", %s interactions", cli_count(count(statistics, "interaction_count")));
    json_object_foreach (json_object_get(json_object_get(statistics, "preference"), "signals"),
                         name, signal) {
        printf("%s%s %s", between, cli_count(count(signal, "rows")), name);
        between = ", ";
    }
    putchar('\n');
}

static void print_pipeline(const json_t *pipeline)
{
    char *written = pipeline == NULL ? NULL : json_dumps(pipeline, 0);
    if (written == NULL) return;
    fputs("through ", stdout);
    cli_print_wrapped(stdout, written, 8, cli_width(stdout, CLI_WIDTH_OF_FILES));
    free(written);
}

static void print_wishes(const json_t *wishes)
{
    const char *between = "wished for ";
    size_t j;
    const json_t *one;
    json_array_foreach (wishes, j, one) {
        const char *text_alone = json_string_value(one);
        printf("%s%s", between, text_alone != NULL ? text_alone : text(one, "want"));
        between = "; ";
    }
    if (j > 0) putchar('\n');
}

static void print_context(const json_t *context)
{
    const char *filter = text(context, "filter"), *name, *between = "  with ";
    const json_t *value;
    print_pipeline(json_object_get(context, "pipeline"));
    print_wishes(json_object_get(context, "wishes"));
    if (filter[0] == '\0') return;
    printf("only where %s", filter);
    json_object_foreach (json_object_get(context, "values"), name, value) {
        char *written = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        printf("%s$%s = %s", between, name, written == NULL ? "" : written);
        between = ", ";
        free(written);
    }
    putchar('\n');
}

/* ---- lists ---- */

struct shape { /* which columns a list needs */
    int category, propensity, reason;
};

static struct shape shape_of(const json_t *items)
{
    struct shape s = { 0 };
    size_t j;
    const json_t *item;
    json_array_foreach (items, j, item) {
        s.category |= json_object_get(item, "category") != NULL;
        s.propensity |= json_object_get(item, "propensity") != NULL;
        s.reason |= json_object_get(item, "reason") != NULL;
    }
    return s;
}

static void print_chance(cli_table *t, const json_t *item)
{
    const json_t *chance = json_object_get(item, "propensity");
    cli_table_cell(t, "%s", chance == NULL ? "" : cli_fixed(json_number_value(chance), 3));
}

static void print_items(const json_t *items)
{
    const struct shape s = shape_of(items);
    char columns[8];
    size_t j;
    const json_t *item;
    snprintf(columns, sizeof columns, "rLr%s%s%s", s.category ? "L" : "", s.propensity ? "r" : "",
             s.reason ? "L" : "");
    cli_table *t = cli_table_new(columns);
    cli_table_cell(t, "#");
    cli_table_cell(t, "item");
    cli_table_cell(t, "score");
    if (s.category) cli_table_cell(t, "category");
    if (s.propensity) cli_table_cell(t, "by lot");
    if (s.reason) cli_table_cell(t, "why");
    json_array_foreach (items, j, item) {
        const json_t *score = json_object_get(item, "score");
        cli_table_cell(t, "%zu", j + 1);
        cli_table_cell(t, "%s", name_of(item, "item_id"));
        cli_table_cell(t, "%s", score == NULL ? "" : cli_fixed(json_number_value(score), 3));
        if (s.category) cli_table_cell(t, "%s", text(item, "category"));
        if (s.propensity) print_chance(t, item);
        if (s.reason) cli_table_cell(t, "%s", text(item, "reason"));
    }
    cli_table_print(t);
    cli_table_free(t);
}

/* Why a list is shorter than was asked for, and what else is to be said of it. */
static void print_notes(const json_t *meta)
{
    const char *sentence = text(at(meta, "report", "filter"), "sentence"),
               *note = text(meta, "note");
    size_t j;
    const json_t *absent;
    if (note[0] != '\0') printf("note: %s\n", note);
    if (sentence[0] != '\0' && strcmp(sentence, note) != 0) printf("note: %s\n", sentence);
    json_array_foreach (json_object_get(meta, "why_not"), j, absent)
        printf("why not %s: %s\n", name_of(absent, "item"), text(absent, "sentence"));
}

static void print_lists(const json_t *lists)
{
    const size_t n = json_array_size(lists);
    size_t j;
    const json_t *list;
    json_array_foreach (lists, j, list) {
        char heading[NAME_ROOM];
        if (j == MOST_LISTS) break;
        snprintf(heading, sizeof heading, "for %s", text(list, "user_id"));
        putchar('\n');
        cli_heading(heading);
        if (json_array_size(json_object_get(list, "recommended_items")) > 0)
            print_items(json_object_get(list, "recommended_items"));
        print_notes(json_object_get(list, "recommendation_metadata"));
    }
    if (n > MOST_LISTS)
        printf("\nand lists for %s more users: --json has them all\n",
               cli_count((long long)(n - MOST_LISTS)));
}

/* ---- figures ---- */

static void print_figure(cli_table *t, const json_t *report, const char *name)
{
    const json_t *m = at(report, "metrics", name), *low = json_object_get(m, "lo"),
                 *high = json_object_get(m, "hi");
    const json_t *mean = json_object_get(m, "mean");
    if (!json_is_number(mean))
        cli_table_cell(t, "%s", "");
    else if (json_is_number(low) && json_is_number(high))
        cli_table_cell(t, "%s ±%s", cli_fixed(json_number_value(mean), 4),
                       cli_fixed((json_number_value(high) - json_number_value(low)) / 2, 4));
    else
        cli_table_cell(t, "%s", cli_fixed(json_number_value(mean), 4));
}

/* A column for the split, one for the folds; either may be missing. */
static void print_figures(const json_t *performance)
{
    const json_t *split = json_object_get(performance, "evaluation"),
                 *folds = json_object_get(performance, "cross_validation");
    const char *name;
    json_t *metric;
    if (split == NULL) return;
    putchar('\n');
    cli_table *t = cli_table_new(folds != NULL ? "lrr" : "lr");
    cli_table_cell(t, "how good");
    cli_table_cell(t, "%s", text(split, "protocol"));
    if (folds != NULL) cli_table_cell(t, "%s", text(folds, "protocol"));
    json_object_foreach (json_object_get(split, "metrics"), name, metric) {
        if (!json_is_number(json_object_get(metric, "mean"))) continue;
        cli_table_cell(t, "%s", name);
        print_figure(t, split, name);
        if (folds != NULL) print_figure(t, folds, name);
    }
    cli_table_print(t);
    cli_table_free(t);
}

/* The best setting, where it differs from the one that was given. */
static void print_tuning(const json_t *tuning)
{
    const json_t *best = json_object_get(tuning, "best"),
                 *given = json_object_get(json_array_get(json_object_get(tuning, "trials"), 0),
                                          "params");
    const char *name, *between = ":";
    json_t *value;
    if (best == NULL) return;
    printf("\nbest of %s settings by %s, %s (%s)", cli_count(count(tuning, "n_trials")),
           text(tuning, "metric"), cli_fixed(json_number_value(json_object_get(best, "value")), 4),
           text(tuning, "protocol"));
    json_object_foreach (json_object_get(best, "params"), name, value) {
        if (json_equal(value, json_object_get(given, name))) continue;
        char *written = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(4));
        printf("%s %s=%s", between, name, written == NULL ? "" : written);
        between = ",";
        free(written);
    }
    puts(between[0] == ':' ? ": the one that was given" : "");
}

static void print_similar(const json_t *lists)
{
    size_t j, i;
    const json_t *list, *one;
    if (json_array_size(lists) == 0) return;
    putchar('\n');
    cli_heading("similar items");
    json_array_foreach (lists, j, list) {
        if (j == MOST_SIMILAR) break;
        printf("%s:", name_of(list, "item_id"));
        json_array_foreach (json_object_get(list, "similar_items"), i, one)
            if (i < MOST_FEATURES)
                printf("%s %s %s", i > 0 ? "," : "", name_of(one, "similar_item_id"),
                       cli_fixed(json_number_value(json_object_get(one, "similarity_score")), 3));
        putchar('\n');
    }
    if (json_array_size(lists) > MOST_SIMILAR)
        printf("and for %s more: --json has them all\n",
               cli_count((long long)(json_array_size(lists) - MOST_SIMILAR)));
}

static void print_importance(const json_t *importance)
{
    const char *kind;
    json_t *list;
    size_t j;
    const json_t *one;
    if (json_object_size(importance) == 0) return;
    putchar('\n');
    cli_table *t = cli_table_new("lr");
    cli_table_cell(t, "what matters");
    cli_table_cell(t, "lost without it");
    json_object_foreach ((json_t *)importance, kind, list)
        json_array_foreach (list, j, one) {
            if (j == MOST_FEATURES) break;
            cli_table_cell(t, "%s", text(one, "feature"));
            cli_table_cell(t, "%s",
                           cli_fixed(json_number_value(json_object_get(one, "importance")), 4));
        }
    cli_table_print(t);
    cli_table_free(t);
}

/* ---- what differs from run to run ---- */

static void tell_cost(const json_t *results, const json_t *metadata)
{
    const json_t *deployment = json_object_get(results, "deployment_info"),
                 *persistence = json_object_get(metadata, "persistence");
    const json_t *latency = json_object_get(deployment, "inference_latency");
    fprintf(stderr, "note: %s s in all",
            cli_fixed(json_number_value(json_object_get(metadata, "processing_duration")), 2));
    if (latency != NULL)
        fprintf(stderr, ", %s ms a list", cli_fixed(json_number_value(latency), 3));
    if (text(persistence, "path")[0] != '\0')
        fprintf(stderr, "; the model %s %s",
                json_is_true(json_object_get(persistence, "loaded")) ? "was found in" : "lies in",
                text(persistence, "path"));
    fputc('\n', stderr);
}

cli_exit cli_print_run(const char *result, int quiet)
{
    size_t j;
    const json_t *warning;
    json_t *o = json_loads(result, 0, NULL);
    if (o == NULL) return cli_complain(CLI_FAILED, "out of memory for the tables");
    const json_t *results = json_object_get(o, "recommendation_results"),
                 *metadata = json_object_get(o, "metadata"),
                 *lists = json_object_get(results, "recommendations");
    print_method(json_object_get(metadata, "method"),
                 at(results, "model_info", "training_parameters"));
    print_data(json_object_get(metadata, "data_statistics"));
    print_context(json_object_get(metadata, "context"));
    print_lists(json_object_get(lists, "user_recommendations"));
    print_similar(json_object_get(lists, "item_recommendations"));
    print_figures(at(results, "model_info", "model_performance"));
    print_tuning(json_object_get(metadata, "tuning"));
    print_importance(json_object_get(results, "feature_importance"));
    fflush(stdout);
    if (!quiet) {
        json_array_foreach (json_object_get(metadata, "warnings"), j, warning)
            fprintf(stderr, "note: %s\n", json_string_value(warning));
        if (json_object_get(metadata, "anonymised") != NULL)
            cli_tell_risk(stderr, json_object_get(metadata, "anonymised"));
        tell_cost(results, metadata);
    }
    json_decref(o);
    return CLI_DONE;
}
