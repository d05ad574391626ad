/* SPDX-License-Identifier: MIT
 * names.c -- are there models, parameters, metrics, protocols and layouts of these names?
 *
 * The library knows them and refuses others, but only after the data was read.  Here they are asked
 * for first, so that a typing error costs no wait, and the nearest name is offered.
 */
#include "base/closest.h"
#include "cli/command.h"

#include <jansson.h>
#include <string.h>

enum { NAME_SIZE = 64, NAMES_SIZE = 1024 };

/* The names of a JSON array of objects, "a, b, c", and the one that is nearest. */
static void list_names(const json_t *list, char *out, ki_closest *closest)
{
    const json_t *one;
    size_t j, used = strlen(out);
    json_array_foreach (list, j, one) {
        const char *name = json_string_value(json_object_get(one, "name"));
        ki_closest_try(closest, name);
        if (used + strlen(name) + 3 > NAMES_SIZE) continue;
        used += (size_t)snprintf(out + used, NAMES_SIZE - used, "%s%s", used > 0 ? ", " : "", name);
    }
}

static int has_name(const json_t *list, const char *name)
{
    const json_t *one;
    size_t j;
    json_array_foreach (list, j, one)
        if (strcmp(json_string_value(json_object_get(one, "name")), name) == 0) return 1;
    return 0;
}

/* `word` up to `end`, a mark that begins what is no part of the name ("recall@20", "kfold:5"). */
static void head_of(const char *word, char end, char *out)
{
    snprintf(out, NAME_SIZE, "%s", word);
    char *mark = strchr(out, end);
    if (mark != NULL) *mark = '\0';
}

static cli_exit no_such(const char *what, const char *asked, const json_t *list, const char *head)
{
    char names[NAMES_SIZE] = "", hint[KI_HINT_SIZE];
    ki_closest closest = { .asked = head };
    list_names(list, names, &closest);
    return cli_complain(CLI_USAGE, "there is no %s \"%s\"; there are: %s%s", what, asked, names,
                        ki_closest_hint(&closest, hint));
}

/* ---- metrics, protocol ---- */

static cli_exit check_metrics(const char *metrics, const json_t *known)
{
    for (const char *word = metrics; *word != '\0';) {
        char one[NAME_SIZE], head[NAME_SIZE];
        word += strspn(word, ", \t");
        const size_t n = strcspn(word, ", \t");
        snprintf(one, sizeof one, "%.*s", (int)n, word);
        head_of(one, '@', head);
        if (n > 0 && !has_name(known, head)) return no_such("metric", one, known, head);
        word += n;
    }
    return CLI_DONE;
}

cli_exit cli_check_evaluation(const cli_args *a)
{
    char *text = NULL, head[NAME_SIZE];
    cli_exit code = CLI_DONE;
    const kith_err err = kith_metrics_json(&text);
    if (err != KITH_OK) return cli_fail(err);
    json_t *known = json_loads(text, 0, NULL);
    const json_t *protocols = json_object_get(known, "protocols");
    head_of(a->protocol == NULL ? "" : a->protocol, ':', head);
    if (a->protocol != NULL && !has_name(protocols, head))
        code = no_such("protocol", a->protocol, protocols, head);
    if (code == CLI_DONE && a->metrics != NULL)
        code = check_metrics(a->metrics, json_object_get(known, "metrics"));
    json_decref(known);
    kith_string_free(text);
    return code;
}

/* ---- layout ---- */

cli_exit cli_check_layout(const cli_args *a)
{
    const char *const *known = kith_layouts();
    char head[NAME_SIZE], names[NAMES_SIZE] = "", hint[KI_HINT_SIZE];
    ki_closest closest = { .asked = head };
    size_t used = 0;
    if (a->layout == NULL) return CLI_DONE;
    head_of(a->layout, ':', head);
    for (int j = 0; known[j] != NULL; j++) {
        if (strcmp(known[j], head) == 0) return CLI_DONE;
        ki_closest_try(&closest, known[j]);
        if (used + strlen(known[j]) + 3 > sizeof names) continue;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", j > 0 ? ", " : "",
                                 known[j]);
    }
    return cli_complain(CLI_USAGE, "there is no layout \"%s\"; there are: %s%s", a->layout, names,
                        ki_closest_hint(&closest, hint));
}

/* ---- models and their parameters ---- */

/* Adds what the model has and the list lacks. */
static kith_err add_params(const char *model, json_t *list)
{
    char *text = NULL;
    const json_t *one;
    size_t j;
    const kith_err err = kith_models_json(model, &text);
    if (err != KITH_OK) return err;
    json_t *o = json_loads(text, 0, NULL);
    json_array_foreach (json_object_get(o, "params"), j, one)
        if (!has_name(list, json_string_value(json_object_get(one, "name"))))
            json_array_append(list, (json_t *)one);
    json_decref(o);
    kith_string_free(text);
    return KITH_OK;
}

static cli_exit no_such_param(const cli_args *a, const char *name, const json_t *known)
{
    char names[NAMES_SIZE] = "", hint[KI_HINT_SIZE];
    ki_closest closest = { .asked = name };
    list_names(known, names, &closest);
    if (names[0] == '\0') snprintf(names, sizeof names, "none");
    return cli_complain(CLI_USAGE, "%s no parameter \"%s\"; there are: %s%s",
                        a->models.n == 1 ? "the model has" : "the models have", name, names,
                        ki_closest_hint(&closest, hint));
}

cli_exit cli_check_models(const cli_args *a, const kith_param *params, int n_params)
{
    json_t *known = json_array();
    cli_exit code = CLI_DONE;
    for (int j = 0; j < a->models.n && code == CLI_DONE; j++) {
        const kith_err err = add_params(a->models.at[j], known);
        if (err != KITH_OK) code = cli_no_such(err);
    }
    for (int j = 0; j < n_params && code == CLI_DONE; j++)
        if (strchr(params[j].name, '.') == NULL && !has_name(known, params[j].name))
            code = no_such_param(a, params[j].name, known);
    json_decref(known);
    return code;
}
