/* SPDX-License-Identifier: MIT
 * cmd_data.c -- kith data stats, convert, generate
 */
#include "cli/command.h"
#include "cli/console.h"

#include <jansson.h>
#include <string.h>

/* ---- stats
 * ----------------------------------------------------------------------------------------------------
 *
 * The library says all there is to say as JSON; here it is laid out: an object is a section of
 * aligned lines, a list of objects a table, a list of sentences one line each.  A column called
 * "count" or "share" gets a bar. */

static void print_value(const json_t *v, char *out, size_t size)
{
    const double x = json_number_value(v);
    if (json_is_string(v))
        snprintf(out, size, "%s", json_string_value(v));
    else if (json_is_integer(v))
        snprintf(out, size, "%s", cli_count((long long)json_integer_value(v)));
    else if (json_is_boolean(v))
        snprintf(out, size, "%s", json_is_true(v) ? "yes" : "no");
    else if (json_is_real(v))
        snprintf(out, size, x != 0 && (x < 1e-3 || x >= 1e6) ? "%.3g" : "%.4f", x);
    else
        snprintf(out, size, "-");
}

/* Keys are JSON names; people read blanks. */
static const char *spoken(const char *key, char *out, size_t size)
{
    snprintf(out, size, "%s", key);
    for (char *c = out; *c != '\0'; c++)
        if (*c == '_') *c = ' ';
    return out;
}

static int is_measure(const char *key)
{
    return strcmp(key, "count") == 0 || strcmp(key, "share") == 0;
}

static double largest(const json_t *list, const char *key)
{
    const json_t *row;
    size_t j;
    double most = 0;
    json_array_foreach (list, j, row) {
        const double x = json_number_value(json_object_get(row, key));
        if (x > most) most = x;
    }
    return most;
}

static const char *measure_of(const json_t *row)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)row, key, value)
        if (is_measure(key)) return key;
    return NULL;
}

static void print_table(const json_t *list)
{
    const json_t *first = json_array_get(list, 0), *row;
    const char *key, *measure = measure_of(first);
    const double most = measure == NULL ? 0 : largest(list, measure);
    char columns[24] = "", text[256], bar[160];
    json_t *value;
    size_t j;
    json_object_foreach ((json_t *)first, key, value)
        if (strlen(columns) < 20) strcat(columns, json_is_string(value) ? "L" : "r");
    const size_t n = strlen(columns);
    if (measure != NULL) strcat(columns, "l");
    cli_table *t = cli_table_new(columns);
    json_object_foreach ((json_t *)first, key, value)
        cli_table_cell(t, "%s", spoken(key, text, sizeof text));
    if (measure != NULL) cli_table_cell(t, " ");
    json_array_foreach (list, j, row) {
        if (json_object_size(row) != n) continue;
        json_object_foreach ((json_t *)row, key, value) {
            print_value(value, text, sizeof text);
            cli_table_cell(t, "%s", text);
        }
        if (measure == NULL) continue;
        cli_bar(most > 0 ? json_number_value(json_object_get(row, measure)) / most : 0, 32, bar,
                sizeof bar);
        cli_table_cell(t, "%s", bar);
    }
    cli_table_print(t);
    cli_table_free(t);
}

static void print_scalars(const json_t *o)
{
    const char *key;
    char text[512], name[64];
    json_t *value;
    cli_table *t = cli_table_new("lL");
    json_object_foreach ((json_t *)o, key, value) {
        if (json_is_object(value) || json_is_array(value)) continue;
        print_value(value, text, sizeof text);
        cli_table_cell(t, "%s", spoken(key, name, sizeof name));
        cli_table_cell(t, "%s", text);
    }
    cli_table_print_plain(t);
    cli_table_free(t);
}

static void print_section(const json_t *o, int depth)
{
    const char *key;
    char name[64];
    const json_t *row;
    json_t *value;
    size_t j;
    print_scalars(o);
    json_object_foreach ((json_t *)o, key, value) {
        if ((!json_is_object(value) || json_object_size(value) == 0) &&
            (!json_is_array(value) || json_array_size(value) == 0))
            continue;
        putchar('\n');
        cli_heading(spoken(key, name, sizeof name));
        if (json_is_object(value) && depth < 4)
            print_section(value, depth + 1);
        else if (json_is_object(json_array_get(value, 0)))
            print_table(value);
        else
            json_array_foreach (value, j, row) {
                char text[512];
                print_value(row, text, sizeof text);
                printf("%s%s", text,
                       json_is_string(row) || j + 1 == json_array_size(value) ? "\n" : "  ");
            }
    }
}

cli_exit cmd_data_stats(const cli_args *a, kith *k)
{
    kith_data *data = NULL;
    char *text = NULL;
    const cli_exit code = cli_read_data(a, k, &data);
    if (code != CLI_DONE) return code;
    const kith_err err = kith_data_stats(k, data, &text);
    kith_data_free(data);
    if (err != KITH_OK) return cli_fail(err);
    cli_progress_clear();
    json_t *value = a->json ? NULL : json_loads(text, 0, NULL);
    if (a->json)
        cli_print_json(text);
    else
        print_section(value, 0);
    json_decref(value);
    kith_string_free(text);
    return CLI_DONE;
}

/* ---- convert, generate
 * ---------------------------------------------------------------------------------------- */

/* The layout to write: --to, or by the ending of --out; NULL: binary. */
static const char *target(const cli_args *a)
{
    static const char *const text[] = { "csv", "tsv", "ndjson" };
    const char *dot = strrchr(a->out, '.');
    const char *name = a->to != NULL ? a->to : dot == NULL ? "" : dot + 1;
    for (int j = 0; j < 3; j++)
        if (strcmp(name, text[j]) == 0) return text[j];
    return a->to != NULL && strcmp(a->to, "binary") != 0 ? a->to : NULL;
}

/* made_seconds: what reading or generating took. */
static cli_exit write_data(const cli_args *a, kith *k, const kith_data *data, double made_seconds)
{
    const char *layout = target(a), *name = layout == NULL ? "binary" : layout;
    const kith_err err =
        layout == NULL ? kith_data_save(k, data, a->out) : kith_data_write(k, data, a->out, layout);
    if (err != KITH_OK) return cli_fail(err);
    cli_progress_clear();
    if (a->json)
        return cli_print_object(
            json_pack("{s:o, s:s, s:i, s:i, s:I, s:f}", "path", cli_json_text(a->out), "layout",
                      name, "n_users", kith_data_n_users(data), "n_items", kith_data_n_items(data),
                      "n_interactions", (json_int_t)kith_data_n_interactions(data), "read_seconds",
                      made_seconds));
    if (!a->quiet)
        printf("%s interactions of %s users with %s items written to %s (%s)\n",
               cli_count(kith_data_n_interactions(data)), cli_count(kith_data_n_users(data)),
               cli_count(kith_data_n_items(data)), a->out, name);
    return CLI_DONE;
}

cli_exit cmd_data_convert(const cli_args *a, kith *k)
{
    const double began = cli_seconds();
    kith_data *data = NULL;
    cli_exit code = cli_read_data(a, k, &data);
    if (code == CLI_DONE) code = write_data(a, k, data, cli_seconds() - began);
    kith_data_free(data);
    return code;
}

cli_exit cmd_data_generate(const cli_args *a, kith *k)
{
    const kith_generate_options options = {
        .n_users = a->n_users,
        .n_items = a->n_items,
        .n_interactions = a->n_interactions,
        .rank = (int32_t)a->rank,
        .popularity_power = a->popularity_power,
        .noise = a->noise,
        .implicit = a->implicit,
        .items_path = a->items_file,
    };
    const double began = cli_seconds();
    kith_data *data = NULL;
    const kith_err err = kith_data_generate(k, &options, &data);
    if (err != KITH_OK) return cli_fail(err);
    const cli_exit code = write_data(a, k, data, cli_seconds() - began);
    kith_data_free(data);
    return code;
}
