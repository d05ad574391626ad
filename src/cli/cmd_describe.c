/* SPDX-License-Identifier: MIT
 * cmd_describe.c -- kith models, metrics, version: what there is
 */
#include "cli/command.h"
#include "cli/console.h"

#include <jansson.h>
#include <string.h>

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s == NULL ? "" : s;
}

/* "0 to 1000" or "a, b, c" or "true, false" or "text". */
static void range_of(const json_t *p, char *out, size_t size)
{
    const json_t *choices = json_object_get(p, "choices"), *choice;
    size_t j, used = 0;
    out[0] = '\0';
    if (choices == NULL && json_object_get(p, "min") == NULL) {
        snprintf(out, size, strcmp(text_of(p, "type"), "text") == 0 ? "text" : "true, false");
        return;
    }
    if (choices == NULL) {
        snprintf(out, size, "%g to %g", json_number_value(json_object_get(p, "min")),
                 json_number_value(json_object_get(p, "max")));
        return;
    }
    json_array_foreach (choices, j, choice) {
        const int wrote =
            snprintf(out + used, size - used, "%s%s", j > 0 ? ", " : "", json_string_value(choice));
        if (wrote < 0 || used + (size_t)wrote >= size) return;
        used += (size_t)wrote;
    }
}

static void default_of(const json_t *p, char *out, size_t size)
{
    const json_t *value = json_object_get(p, "default");
    if (json_is_string(value))
        snprintf(out, size, "%s", json_string_value(value));
    else if (json_is_boolean(value))
        snprintf(out, size, "%s", json_is_true(value) ? "true" : "false");
    else
        snprintf(out, size, "%g", json_number_value(value));
}

static void print_params(const json_t *params)
{
    const json_t *p;
    size_t j;
    cli_table *t = cli_table_new("lrLL");
    const char *const heads[] = { "parameter", "default", "allowed", "meaning" };
    for (j = 0; j < 4; j++) cli_table_cell(t, "%s", heads[j]);
    json_array_foreach (params, j, p) {
        char init[64], range[256];
        default_of(p, init, sizeof init);
        range_of(p, range, sizeof range);
        cli_table_cell(t, "%s", text_of(p, "name"));
        cli_table_cell(t, "%s", init);
        cli_table_cell(t, "%s", range);
        cli_table_cell(t, "%s", text_of(p, "meaning"));
    }
    cli_table_print(t);
    cli_table_free(t);
}

static void print_model(const json_t *m)
{
    const char *const keys[] = { "family", "form", "paper" };
    const int width = cli_width(stdout, CLI_WIDTH_OF_FILES);
    char title[512];
    snprintf(title, sizeof title, "%s -- %s", text_of(m, "name"), text_of(m, "summary"));
    cli_print_wrapped(stdout, title, 0, width);
    putchar('\n');
    for (size_t j = 0; j < 3; j++) {
        printf("%-6s  ", keys[j]);
        cli_print_wrapped(stdout, text_of(m, keys[j]), 8, width);
    }
    putchar('\n');
    if (json_array_size(json_object_get(m, "params")) > 0)
        print_params(json_object_get(m, "params"));
    else
        puts("no parameters");
}

static void print_models(const json_t *list)
{
    const json_t *m;
    size_t j;
    cli_table *t = cli_table_new("llL");
    cli_table_cell(t, "model");
    cli_table_cell(t, "form");
    cli_table_cell(t, "what it is");
    json_array_foreach (list, j, m) {
        cli_table_cell(t, "%s", text_of(m, "name"));
        cli_table_cell(t, "%s", text_of(m, "form"));
        cli_table_cell(t, "%s", text_of(m, "summary"));
    }
    cli_table_print(t);
    cli_table_free(t);
    puts("\n`kith models NAME` shows the parameters of one.");
}

cli_exit cmd_models(const cli_args *a, kith *k)
{
    char *text = NULL;
    const char *name = a->n_words > 0 ? a->words[0] : NULL;
    const kith_err err = kith_models_json(name, &text);
    (void)k;
    if (err != KITH_OK) return cli_no_such(err);
    json_t *value = json_loads(text, 0, NULL);
    if (a->json) /* one object, as everywhere: the list of all stands in one */
        cli_print_object(name != NULL ? json_incref(value) : json_pack("{s:O}", "models", value));
    else if (name != NULL)
        print_model(value);
    else
        print_models(value);
    json_decref(value);
    kith_string_free(text);
    return CLI_DONE;
}

static void print_definitions(const json_t *list, const char *head, const char *key)
{
    const json_t *m;
    size_t j;
    cli_table *t = cli_table_new("lL");
    cli_table_cell(t, "%s", head);
    cli_table_cell(t, "%s", key);
    json_array_foreach (list, j, m) {
        cli_table_cell(t, "%s%s", text_of(m, "name"),
                       json_is_true(json_object_get(m, "cutoff")) ? "@k" : "");
        cli_table_cell(t, "%s", text_of(m, key));
    }
    cli_table_print(t);
    cli_table_free(t);
}

cli_exit cmd_metrics(const cli_args *a, kith *k)
{
    char *text = NULL;
    const kith_err err = kith_metrics_json(&text);
    (void)k;
    if (err != KITH_OK) return cli_fail(err);
    if (a->json) {
        cli_print_json(text);
    } else {
        json_t *value = json_loads(text, 0, NULL);
        print_definitions(json_object_get(value, "metrics"), "metric", "definition");
        puts("");
        print_definitions(json_object_get(value, "protocols"), "protocol", "summary");
        json_decref(value);
    }
    kith_string_free(text);
    return CLI_DONE;
}

cli_exit cmd_version(const cli_args *a, kith *k)
{
    char *text = NULL;
    const char *key;
    json_t *value;
    const kith_err err = kith_build_info(&text);
    (void)k;
    if (err != KITH_OK) return cli_fail(err);
    if (a->json) {
        cli_print_json(text);
    } else {
        json_t *info = json_loads(text, 0, NULL);
        json_object_foreach (info, key, value) {
            char *one = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
            printf("%-12s %s\n", key, one == NULL ? json_string_value(value) : one);
            free(one);
        }
        json_decref(info);
    }
    kith_string_free(text);
    return CLI_DONE;
}
