/* SPDX-License-Identifier: MIT
 * param.c -- parameters by name: text and JSON in, plain struct fields out
 */
#include "base/param.h"

#include "base/closest.h"
#include "base/mem.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void store(const ki_param *p, void *self, double value)
{
    char *field = (char *)self + p->offset;
    if (p->kind == KI_FLOAT) {
        const float v = (float)value;
        memcpy(field, &v, sizeof v);
    } else {
        const int32_t v = (int32_t)value;
        memcpy(field, &v, sizeof v);
    }
}

static double fetch(const ki_param *p, const void *self)
{
    const char *field = (const char *)self + p->offset;
    if (p->kind == KI_FLOAT) {
        float v;
        memcpy(&v, field, sizeof v);
        return v;
    }
    int32_t v;
    memcpy(&v, field, sizeof v);
    return v;
}

static char *text_field(const ki_param *p, void *self)
{
    return (char *)self + p->offset;
}

static kith_err store_text(const ki_param *p, void *self, const char *owner, const char *text)
{
    const size_t n = strlen(text);
    if (n >= KI_TEXT_ROOM)
        return ki_fail(KITH_EINVAL, "%s: %s has %zu bytes, want at most %d", owner, p->name, n,
                       KI_TEXT_ROOM - 1);
    memset(text_field(p, self), 0, KI_TEXT_ROOM); /* all of it: saved and compared as bytes */
    memcpy(text_field(p, self), text, n);
    return KITH_OK;
}

void ki_params_default(const ki_param *table, int n, void *self)
{
    for (int j = 0; j < n; j++) {
        if (table[j].kind == KI_TEXT)
            memset(text_field(&table[j], self), 0, KI_TEXT_ROOM);
        else
            store(&table[j], self, table[j].init);
    }
}

const ki_param *ki_params_find(const ki_param *table, int n, const char *name)
{
    for (int j = 0; j < n; j++)
        if (strcmp(table[j].name, name) == 0) return &table[j];
    return NULL;
}

static void list_choices(const ki_param *p, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int c = 0; p->choices[c] != NULL && used < size; c++) {
        const int wrote =
            snprintf(out + used, size - used, "%s%s", c > 0 ? ", " : "", p->choices[c]);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
}

static kith_err parse_choice(const ki_param *p, const char *owner, const char *text, double *out)
{
    for (int c = 0; p->choices[c] != NULL; c++)
        if (strcmp(p->choices[c], text) == 0) return *out = c, KITH_OK;
    char names[512], hint[KI_HINT_SIZE];
    ki_closest closest = { .asked = text };
    list_choices(p, names, sizeof names);
    for (int c = 0; p->choices[c] != NULL; c++) ki_closest_try(&closest, p->choices[c]);
    return ki_fail(KITH_EINVAL, "%s: %s is \"%.64s\", want one of: %s%s", owner, p->name, text,
                   names, ki_closest_hint(&closest, hint));
}

static kith_err parse_bool(const ki_param *p, const char *owner, const char *text, double *out)
{
    if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0 || strcmp(text, "yes") == 0)
        return *out = 1, KITH_OK;
    if (strcmp(text, "false") == 0 || strcmp(text, "0") == 0 || strcmp(text, "no") == 0)
        return *out = 0, KITH_OK;
    return ki_fail(KITH_EINVAL, "%s: %s is \"%.64s\", want true or false", owner, p->name, text);
}

static kith_err check_range(const ki_param *p, const char *owner, double value)
{
    if (value >= p->min && value <= p->max) return KITH_OK;
    return ki_fail(KITH_EINVAL, "%s: %s is %g, want %g to %g", owner, p->name, value, p->min,
                   p->max);
}

static kith_err parse_number(const ki_param *p, const char *owner, const char *text, double *out)
{
    char *end;
    errno = 0;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value) || errno == ERANGE)
        return ki_fail(KITH_EINVAL, "%s: %s is \"%.64s\", want a number", owner, p->name, text);
    if (p->kind == KI_INT && value != floor(value))
        return ki_fail(KITH_EINVAL, "%s: %s is %.64s, want a whole number", owner, p->name, text);
    *out = value;
    return check_range(p, owner, value);
}

static kith_err parse(const ki_param *p, const char *owner, const char *text, double *out)
{
    switch (p->kind) {
    case KI_CHOICE: return parse_choice(p, owner, text, out);
    case KI_BOOL: return parse_bool(p, owner, text, out);
    case KI_INT:
    case KI_FLOAT:
    case KI_TEXT: break;
    }
    return parse_number(p, owner, text, out);
}

static kith_err no_such(const ki_param *table, int n, const char *owner, const char *name)
{
    char names[768] = "none", hint[KI_HINT_SIZE];
    ki_closest closest = { .asked = name };
    size_t used = 0;
    for (int j = 0; j < n; j++) ki_closest_try(&closest, table[j].name);
    for (int j = 0; j < n && used < sizeof names; j++) {
        const int wrote =
            snprintf(names + used, sizeof names - used, "%s%s", j > 0 ? ", " : "", table[j].name);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
    return ki_fail(KITH_EINVAL, "%s has no parameter \"%.64s\"; it has: %s%s", owner, name, names,
                   ki_closest_hint(&closest, hint));
}

kith_err ki_params_set(const ki_param *table, int n, void *self, const char *owner,
                       const char *name, const char *value)
{
    const ki_param *p = ki_params_find(table, n, name);
    if (p == NULL) return no_such(table, n, owner, name);
    if (p->kind == KI_TEXT) return store_text(p, self, owner, value);
    double number = 0;
    const kith_err err = parse(p, owner, value, &number);
    if (err == KITH_OK) store(p, self, number);
    return err;
}

/* A float such as 0.02f written with the fewest digits that read back as the same float. */
static double shortest(float v)
{
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)v);
        if (strtof(text, NULL) == v) break;
    }
    return strtod(text, NULL);
}

static json_t *value_json(const ki_param *p, double value)
{
    switch (p->kind) {
    case KI_INT: return json_integer((json_int_t)value);
    case KI_FLOAT: return json_real(shortest((float)value));
    case KI_BOOL: return json_boolean(value != 0);
    case KI_CHOICE: return json_string(p->choices[(int)value]);
    case KI_TEXT: break;
    }
    return NULL;
}

static json_t *field_json(const ki_param *p, const void *self)
{
    if (p->kind == KI_TEXT) return json_string((const char *)self + p->offset);
    return value_json(p, fetch(p, self));
}

json_t *ki_params_values(const ki_param *table, int n, const void *self)
{
    json_t *object = json_object();
    for (int j = 0; object != NULL && j < n; j++) {
        if (json_object_set_new(object, table[j].name, field_json(&table[j], self)) == 0) continue;
        json_decref(object);
        return NULL;
    }
    return object;
}

/* "title,tags" or ["title", "tags"]. */
static kith_err read_text(const ki_param *p, void *self, const char *owner, const json_t *value)
{
    if (json_is_string(value)) return store_text(p, self, owner, json_string_value(value));
    char joined[KI_TEXT_ROOM] = "";
    size_t used = 0, j;
    const json_t *one;
    json_array_foreach (value, j, one) {
        if (!json_is_string(one))
            return ki_fail(KITH_EINVAL, "%s: %s[%zu] is not a text", owner, p->name, j);
        const int wrote = snprintf(joined + used, sizeof joined - used, "%s%s", j > 0 ? "," : "",
                                   json_string_value(one));
        used += wrote > 0 ? (size_t)wrote : 0;
        if (used >= sizeof joined)
            return ki_fail(KITH_EINVAL, "%s: the names of %s take more than %d bytes", owner,
                           p->name, KI_TEXT_ROOM - 1);
    }
    return store_text(p, self, owner, joined);
}

static kith_err read_one(const ki_param *p, void *self, const char *owner, const json_t *value)
{
    if (p->kind == KI_TEXT && (json_is_string(value) || json_is_array(value)))
        return read_text(p, self, owner, value);
    double number = 0;
    kith_err err = KITH_OK;
    if (p->kind == KI_CHOICE && json_is_string(value))
        err = parse_choice(p, owner, json_string_value(value), &number);
    else if (p->kind == KI_BOOL && json_is_boolean(value))
        number = json_is_true(value);
    else if (p->kind == KI_INT && json_is_integer(value))
        number = (double)json_integer_value(value);
    else if (p->kind == KI_FLOAT && json_is_number(value))
        number = json_number_value(value);
    else
        return ki_fail(KITH_EINVAL, "%s: %s has a value of the wrong type", owner, p->name);
    if (err == KITH_OK && (p->kind == KI_INT || p->kind == KI_FLOAT))
        err = check_range(p, owner, number);
    if (err == KITH_OK) store(p, self, number);
    return err;
}

kith_err ki_params_read(const ki_param *table, int n, void *self, const char *owner,
                        const json_t *values)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)values, name, value) {
        const ki_param *p = ki_params_find(table, n, name);
        if (p == NULL) return no_such(table, n, owner, name);
        const kith_err err = read_one(p, self, owner, value);
        if (err != KITH_OK) return err;
    }
    return KITH_OK;
}

static const char *const kind_names[] = { "integer", "number", "boolean", "choice", "text" };
static const char *const scale_names[] = { "fixed", "linear", "log" };

static json_t *default_json(const ki_param *p)
{
    return p->kind == KI_TEXT ? json_string("") : value_json(p, p->init);
}

static json_t *describe_one(const ki_param *p)
{
    json_t *o = json_pack("{s:s, s:s, s:o, s:s}", "name", p->name, "type", kind_names[p->kind],
                          "default", default_json(p), "meaning", p->meaning);
    if (o == NULL) return NULL;
    if (p->kind == KI_CHOICE) {
        json_t *names = json_array();
        for (int c = 0; p->choices[c] != NULL; c++)
            json_array_append_new(names, json_string(p->choices[c]));
        json_object_set_new(o, "choices", names);
    } else if (p->kind == KI_INT || p->kind == KI_FLOAT) {
        json_object_set_new(
            o, "min", p->kind == KI_INT ? json_integer((json_int_t)p->min) : json_real(p->min));
        json_object_set_new(
            o, "max", p->kind == KI_INT ? json_integer((json_int_t)p->max) : json_real(p->max));
    }
    if (p->scale != KI_FIXED)
        json_object_set_new(o, "tune",
                            json_pack("{s:s, s:f, s:f}", "scale", scale_names[p->scale], "min",
                                      p->tune_min, "max", p->tune_max));
    return o;
}

json_t *ki_params_describe(const ki_param *table, int n)
{
    json_t *list = json_array();
    for (int j = 0; list != NULL && j < n; j++)
        json_array_append_new(list, describe_one(&table[j]));
    return list;
}
