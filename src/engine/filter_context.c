/* SPDX-License-Identifier: MIT
 * filter_context.c -- a JSON object becomes named, typed values
 */
#include "engine/filter_context.h"

#include "base/mem.h"
#include "base/scan.h"

#include <math.h>
#include <string.h>

static const char *const kind_names[] = { "boolean", "number", "time", "text", "numbers", "texts" };

const char *ki_value_kind_name(ki_value_kind kind)
{
    return kind_names[kind];
}

const ki_value *ki_context_find(const ki_context *c, const char *name)
{
    for (int j = 0; c != NULL && j < c->n; j++)
        if (strcmp(c->values[j].name, name) == 0) return &c->values[j];
    return NULL;
}

static kith_err refuse(const char *name, const char *want)
{
    char shown[KI_SHOW];
    return ki_fail(KITH_EINVAL, "/%.64s: the context value %s is not %s", name,
                   ki_show(shown, name, strlen(name)), want);
}

/* ---- kinds ---- */

static ki_value_kind kind_of_list(const json_t *list)
{
    return json_is_number(json_array_get(list, 0)) ? KI_VALUE_NUMBERS : KI_VALUE_TEXTS;
}

static kith_err find_kind(const char *name, const json_t *json, ki_value_kind *out)
{
    if (json_is_boolean(json))
        *out = KI_VALUE_BOOL;
    else if (json_is_number(json))
        *out = KI_VALUE_NUMBER;
    else if (json_is_string(json) || json_is_null(json))
        *out = KI_VALUE_TEXT;
    else if (json_is_array(json))
        *out = kind_of_list(json);
    else
        return refuse(name, "a string, a number, a boolean, or a list of strings or of numbers");
    return KITH_OK;
}

/* ---- values ---- */

static int read_time(const json_t *json, double *out)
{
    int64_t t;
    if (json_is_number(json)) {
        *out = json_number_value(json);
        return 1;
    }
    if (!json_is_string(json) ||
        !ki_scan_time(json_string_value(json), json_string_length(json), &t))
        return 0;
    *out = (double)t;
    return 1;
}

/* A string without NUL inside, which a C string could not hold. */
static int is_plain_string(const json_t *json)
{
    return json_is_string(json) && strlen(json_string_value(json)) == json_string_length(json);
}

static kith_err read_numbers(ki_value *v, const json_t *json)
{
    const size_t n = json_array_size(json);
    const kith_err err = ki_alloc(&v->numbers, n, sizeof *v->numbers);
    if (err != KITH_OK) return err;
    for (size_t j = 0; j < n; j++) {
        if (!json_is_number(json_array_get(json, j)))
            return refuse(v->name, "a list of numbers only");
        v->numbers[j] = json_number_value(json_array_get(json, j));
    }
    v->n = (int32_t)n;
    return KITH_OK;
}

static kith_err read_texts(ki_value *v, const json_t *json)
{
    const size_t n = json_array_size(json);
    kith_err err = ki_alloc(&v->texts, n, sizeof *v->texts);
    for (size_t j = 0; err == KITH_OK && j < n; j++) {
        if (!is_plain_string(json_array_get(json, j)))
            return refuse(v->name, "a list of strings only");
        err = ki_strdup(&v->texts[j], json_string_value(json_array_get(json, j)));
        if (err == KITH_OK) v->n = (int32_t)j + 1;
    }
    return err;
}

static kith_err read_list(ki_value *v, const json_t *json)
{
    if (!json_is_array(json)) return refuse(v->name, "a list");
    if (json_array_size(json) > INT32_MAX)
        return refuse(v->name, "a list of less than 2^31 values");
    return v->kind == KI_VALUE_NUMBERS ? read_numbers(v, json) : read_texts(v, json);
}

static kith_err read_value(ki_value *v, const json_t *json)
{
    v->given = !json_is_null(json);
    if (!v->given) return KITH_OK;
    switch (v->kind) {
    case KI_VALUE_BOOL:
        v->number = json_is_true(json);
        return json_is_boolean(json) ? KITH_OK : refuse(v->name, "a boolean");
    case KI_VALUE_NUMBER:
        v->number = json_number_value(json);
        return json_is_number(json) ? KITH_OK : refuse(v->name, "a number");
    case KI_VALUE_TIME: return read_time(json, &v->number) ? KITH_OK : refuse(v->name, "a time");
    case KI_VALUE_TEXT:
        return is_plain_string(json) ? ki_strdup(&v->text, json_string_value(json))
                                     : refuse(v->name, "a string");
    case KI_VALUE_NUMBERS:
    case KI_VALUE_TEXTS: return read_list(v, json);
    }
    return refuse(v->name, "of a known kind");
}

/* The kind of a name, from what is declared or else from its value. */
static kith_err choose_kind(ki_value *v, const json_t *json, const ki_context *declared)
{
    const ki_value *known = ki_context_find(declared, v->name);
    if (declared == NULL) return find_kind(v->name, json, &v->kind);
    if (known == NULL) return refuse(v->name, "declared");
    v->kind = known->kind;
    return KITH_OK;
}

static kith_err check_object(const json_t *object)
{
    if (!json_is_object(object)) return ki_fail(KITH_EINVAL, "/: the context is not a JSON object");
    if (json_object_size(object) > KI_CONTEXT_MAX)
        return ki_fail(KITH_EINVAL, "/: the context has %zu names, want at most %d",
                       json_object_size(object), KI_CONTEXT_MAX);
    return KITH_OK;
}

kith_err ki_context_read(ki_context *out, const json_t *object, const ki_context *declared)
{
    ki_context c = { 0 };
    const char *name;
    json_t *json;
    kith_err err = check_object(object);
    if (err == KITH_OK) err = ki_alloc(&c.values, json_object_size(object), sizeof *c.values);
    if (err != KITH_OK) return err;
    json_object_foreach ((json_t *)object, name, json) {
        ki_value *v = &c.values[c.n];
        if ((err = ki_strdup(&v->name, name)) != KITH_OK) break;
        c.n++;
        if ((err = choose_kind(v, json, declared)) != KITH_OK) break;
        if ((err = read_value(v, json)) != KITH_OK) break;
    }
    if (err != KITH_OK)
        ki_context_clear(&c);
    else
        *out = c;
    return err;
}

static kith_err declare_one(ki_value *v, const json_t *json)
{
    const char *kind = json_is_string(json) ? json_string_value(json) : "";
    for (int j = 0; j < (int)KI_COUNT(kind_names); j++) {
        if (strcmp(kind, kind_names[j]) != 0) continue;
        v->kind = (ki_value_kind)j;
        return KITH_OK;
    }
    return refuse(v->name,
                  "one of \"boolean\", \"number\", \"time\", \"text\", \"numbers\", \"texts\"");
}

kith_err ki_context_declare(ki_context *out, const json_t *object)
{
    ki_context c = { 0 };
    const char *name;
    json_t *json;
    kith_err err = check_object(object);
    if (err == KITH_OK) err = ki_alloc(&c.values, json_object_size(object), sizeof *c.values);
    if (err != KITH_OK) return err;
    json_object_foreach ((json_t *)object, name, json) {
        ki_value *v = &c.values[c.n];
        if ((err = ki_strdup(&v->name, name)) != KITH_OK) break;
        c.n++;
        if ((err = declare_one(v, json)) != KITH_OK) break;
    }
    if (err != KITH_OK)
        ki_context_clear(&c);
    else
        *out = c;
    return err;
}

void ki_context_clear(ki_context *c)
{
    for (int j = 0; j < c->n; j++) {
        ki_value *v = &c->values[j];
        for (int32_t t = 0; v->texts != NULL && t < v->n; t++) ki_free(v->texts[t]);
        ki_free(v->texts);
        ki_free(v->numbers);
        ki_free(v->text);
        ki_free(v->name);
    }
    ki_free(c->values);
    *c = (ki_context){ 0 };
}
