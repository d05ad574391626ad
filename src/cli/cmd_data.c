/* SPDX-License-Identifier: MIT
 * cmd_data.c -- kith data stats, convert, generate
 */
#include "cli/command.h"
#include "cli/console.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

/* ---- stats
 * ----------------------------------------------------------------------------------------------------
 *
 * The library says all there is to say as JSON; here it is laid out: an object is a section of
 * aligned lines, a list of objects a table, a list of sentences one line each.  A column called
 * "count" or "share" gets a bar. */

enum { MOST_DECIMALS = 4 };

/* How many decimals show x to MOST_DECIMALS, without zeros at the end: 0 for 71.0, 1 for 3.5. */
static int decimals_of(double x)
{
    char digits[400]; /* the largest double has 309 before the point */
    const int length = snprintf(digits, sizeof digits, "%.*f", MOST_DECIMALS, x);
    int n = MOST_DECIMALS;
    while (n > 0 && digits[length - 1 - (MOST_DECIMALS - n)] == '0') n--;
    return n;
}

static void print_real(double x, int decimals, char *out, size_t size)
{
    const double most = 1e15; /* every whole number up to here is a double */
    if (x > -most && x < most && x == (double)(long long)x && decimals == 0)
        snprintf(out, size, "%s", cli_count((long long)x));
    else if (x != 0 && ((x > -1e-3 && x < 1e-3) || x >= 1e6 || x <= -1e6))
        snprintf(out, size, "%.3g", x);
    else
        snprintf(out, size, "%.*f", decimals, x);
}

/* decimals: of a number that is not whole. */
static void print_value(const json_t *v, int decimals, char *out, size_t size)
{
    if (json_is_string(v))
        snprintf(out, size, "%s", json_string_value(v));
    else if (json_is_integer(v))
        snprintf(out, size, "%s", cli_count((long long)json_integer_value(v)));
    else if (json_is_boolean(v))
        snprintf(out, size, "%s", json_is_true(v) ? "yes" : "no");
    else if (json_is_real(v))
        print_real(json_real_value(v), decimals, out, size);
    else
        snprintf(out, size, "-");
}

static int is_bytes(const char *key)
{
    const size_t length = strlen(key);
    return length > 6 && strcmp(key + length - 6, "_bytes") == 0;
}

/* "2.1 MB"; data of a few rows in kB. */
static void print_bytes(double bytes, char *out, size_t size)
{
    if (bytes < 1e5)
        snprintf(out, size, "%.1f kB", bytes / 1e3);
    else
        snprintf(out, size, "%.1f MB", bytes / 1e6);
}

/* Keys are JSON names; people read blanks, and the unit beside the number. */
static const char *spoken(const char *key, char *out, size_t size)
{
    const int top = strcmp(key, "top") == 0;
    snprintf(out, size, "%s", top ? "share held by the most popular items" : key);
    if (is_bytes(key)) out[strlen(out) - strlen("_bytes")] = '\0';
    for (char *c = out; *c != '\0'; c++)
        if (*c == '_') *c = ' ';
    return out;
}

/* What people do not need: the times are there as dates. */
static int is_for_programs(const char *key)
{
    return strcmp(key, "first_unix") == 0 || strcmp(key, "last_unix") == 0;
}

/* Is there a line to print? */
static int has_lines(const json_t *value, int depth)
{
    const char *key;
    json_t *inner;
    if (json_is_array(value)) return json_array_size(value) > 0;
    if (!json_is_object(value) || depth > 4) return 0;
    json_object_foreach ((json_t *)value, key, inner)
        if ((!json_is_object(inner) && !json_is_array(inner)) || has_lines(inner, depth + 1))
            return 1;
    return 0;
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

/* The most decimals that a value of the column needs, so that their points stand below each other. */
static int column_decimals(const json_t *list, const char *key)
{
    const json_t *row;
    size_t j;
    int most = 0;
    json_array_foreach (list, j, row) {
        const json_t *v = json_object_get(row, key);
        const int n = json_is_real(v) ? decimals_of(json_real_value(v)) : 0;
        if (n > most) most = n;
    }
    return most;
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
            print_value(value, column_decimals(list, key), text, sizeof text);
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
        if (json_is_object(value) || json_is_array(value) || is_for_programs(key)) continue;
        if (is_bytes(key))
            print_bytes(json_number_value(value), text, sizeof text);
        else
            print_value(value, decimals_of(json_number_value(value)), text, sizeof text);
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
        if (!has_lines(value, depth)) continue;
        putchar('\n');
        cli_heading(spoken(key, name, sizeof name));
        if (json_is_object(value) && depth < 4)
            print_section(value, depth + 1);
        else if (json_is_object(json_array_get(value, 0)))
            print_table(value);
        else
            json_array_foreach (value, j, row) {
                char text[512];
                print_value(row, decimals_of(json_number_value(row)), text, sizeof text);
                printf("%s%s", text,
                       json_is_string(row) || j + 1 == json_array_size(value) ? "\n" : "  ");
            }
    }
}

/* The same sections, with what calls for a look right after the counts.  NULL: out of memory. */
static json_t *in_reading_order(const json_t *stats)
{
    json_t *ordered = json_object(), *suspicious = json_object_get(stats, "suspicious"), *value;
    const char *key;
    int failed = ordered == NULL;
    json_object_foreach ((json_t *)stats, key, value) {
        if (value != suspicious) failed |= json_object_set(ordered, key, value) != 0;
        if (strcmp(key, "counts") == 0 && suspicious != NULL)
            failed |= json_object_set(ordered, "suspicious", suspicious) != 0;
    }
    if (!failed) return ordered;
    json_decref(ordered);
    return NULL;
}

static cli_exit print_stats(const char *text)
{
    json_t *stats = json_loads(text, 0, NULL), *ordered = in_reading_order(stats);
    json_decref(stats);
    if (ordered == NULL) return cli_complain(CLI_FAILED, "out of memory");
    print_section(ordered, 0);
    json_decref(ordered);
    return CLI_DONE;
}

cli_exit cmd_data_stats(const cli_args *a, kith *k)
{
    kith_data *data = NULL;
    char *text = NULL;
    cli_exit code = cli_read_data(a, k, &data);
    if (code != CLI_DONE) return code;
    const kith_err err = kith_data_stats(k, data, &text);
    kith_data_free(data);
    if (err != KITH_OK) return cli_fail(err);
    cli_progress_clear();
    code = a->json ? cli_print_json(text) : print_stats(text);
    kith_string_free(text);
    return code;
}

/* ---- convert, generate
 * ---------------------------------------------------------------------------------------- */

/* The layout to write: --to, or by the ending of --out; "binary" otherwise. */
static const char *target(const cli_args *a)
{
    static const char *const text[] = { "csv", "tsv", "ndjson" };
    const char *dot = strrchr(a->out, '.');
    const char *name = a->to != NULL ? a->to : dot == NULL ? "" : dot + 1;
    for (int j = 0; j < 3; j++)
        if (strcmp(name, text[j]) == 0) return text[j];
    return "binary";
}

/* What a text layout has no place for lies beside it: names of those files, a new reference. */
static json_t *files_beside(const char *out, const char *layout)
{
    json_t *list = json_array();
    char path[4096], test[32];
    snprintf(test, sizeof test, "test.%s", layout);
    const char *const endings[] = { "items.csv", "users.csv", test };
    for (int j = 0; strcmp(layout, "binary") != 0 && j < 3; j++) {
        snprintf(path, sizeof path, "%s.%s", out, endings[j]);
        if (access(path, F_OK) == 0) json_array_append_new(list, cli_json_text(path));
    }
    return list;
}

static void say_written(const cli_args *a, const kith_data *data, const char *layout,
                        const json_t *beside)
{
    size_t j;
    const json_t *one;
    printf("%s interactions of %s users with %s items written to %s (%s)",
           cli_count(kith_data_n_interactions(data)), cli_count(kith_data_n_users(data)),
           cli_count(kith_data_n_items(data)), a->out, layout);
    json_array_foreach (beside, j, one)
        printf("%s %s", j == 0 ? ", and" : ",", json_string_value(one));
    printf("\n");
}

/* made_seconds: what reading or generating took. */
static cli_exit write_data(const cli_args *a, kith *k, const kith_data *data, double made_seconds)
{
    const char *layout = target(a);
    const int binary = strcmp(layout, "binary") == 0;
    const kith_err err =
        binary ? kith_data_save(k, data, a->out) : kith_data_write(k, data, a->out, layout);
    if (err != KITH_OK) return cli_fail(err);
    cli_progress_clear();
    json_t *beside = files_beside(a->out, layout);
    if (a->json)
        return cli_print_object(
            json_pack("{s:o, s:o, s:s, s:i, s:i, s:I, s:f}", "path", cli_json_text(a->out),
                      "beside", beside, "layout", layout, "n_users", kith_data_n_users(data),
                      "n_items", kith_data_n_items(data), "n_interactions",
                      (json_int_t)kith_data_n_interactions(data), "read_seconds", made_seconds));
    if (!a->quiet) say_written(a, data, layout, beside);
    json_decref(beside);
    return CLI_DONE;
}

cli_exit cmd_data_convert(const cli_args *a, kith *k)
{
    const double began = cli_seconds();
    kith_data *data = NULL;
    cli_exit code = cli_check_target(a, a->out, target(a));
    if (code == CLI_DONE) code = cli_read_data(a, k, &data);
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
    cli_exit code = cli_check_target(a, a->out, target(a));
    if (code != CLI_DONE) return code;
    const kith_err err = kith_data_generate(k, &options, &data);
    if (err != KITH_OK) return cli_fail(err);
    code = write_data(a, k, data, cli_seconds() - began);
    kith_data_free(data);
    return code;
}

/* ---- anonymise ---- */

cli_exit cmd_data_anonymise(const cli_args *a, kith *k)
{
    kith_data *data = NULL;
    json_t *report = NULL;
    cli_args named = *a; /* the command's name asks for it */
    named.anonymise = 1;
    cli_exit code = cli_check_target(a, a->out, target(a));
    if (code == CLI_DONE) code = cli_read_data_told(&named, k, &data, &report);
    named.quiet |= a->json; /* one object on stdout: the report */
    named.json = 0;
    if (code == CLI_DONE) code = write_data(&named, k, data, 0);
    kith_data_free(data);
    if (code == CLI_DONE && a->json) return cli_print_object(report);
    if (code == CLI_DONE && !a->quiet) cli_print_risk(report);
    json_decref(report);
    return code;
}
