/* SPDX-License-Identifier: MIT
 * shape.c -- JSON Schema from tables of shapes
 */
#include "tool/shape.h"

static json_t *typed(const char *type)
{
    return json_pack("{s:s}", "type", type);
}

static json_t *not_empty(void)
{
    return json_pack("{s:s, s:i}", "type", "string", "minLength", 1);
}

static json_t *members(const ki_shape *inside, int n, int open, const ki_shape_how *how)
{
    json_t *o = typed("object"), *properties = json_object(), *required = json_array();
    for (int j = 0; j < n; j++) {
        json_object_set_new(properties, inside[j].name, ki_shape_schema_as(&inside[j], how));
        if (inside[j].required) json_array_append_new(required, json_string(inside[j].name));
    }
    if (json_array_size(required) > 0) json_object_set(o, "required", required);
    if (n > 0) json_object_set(o, "properties", properties);
    if (open || how->closed) json_object_set_new(o, "additionalProperties", json_boolean(open));
    json_decref(properties);
    json_decref(required);
    return o;
}

static json_t *list_of(const ki_shape *one, const ki_shape_how *how)
{
    return json_pack("{s:s, s:o}", "type", "array", "items", ki_shape_schema_as(one, how));
}

static json_t *map_of(const ki_shape *one, const ki_shape_how *how)
{
    return json_pack("{s:s, s:o}", "type", "object", "additionalProperties",
                     ki_shape_schema_as(one, how));
}

static json_t *either(json_t *a, json_t *b)
{
    return json_pack("{s:[o, o]}", "anyOf", a, b);
}

static json_t *path_of(const char *about)
{
    return json_pack("{s:s, s:i, s:s}", "type", "string", "minLength", 1, "description", about);
}

static json_t *id_of(const ki_shape *s, const ki_shape_how *how)
{
    json_t *text = not_empty();
    if (s->max > 0) json_object_set_new(text, "maxLength", json_integer((json_int_t)s->max));
    return how->in_url ? text : either(text, typed("integer"));
}

static json_t *value_of(void)
{
    return json_pack("{s:[o, o, o, o, {s:s, s:o}]}", "anyOf", typed("string"), typed("number"),
                     typed("boolean"), typed("null"), "type", "array", "items",
                     either(typed("string"), typed("number")));
}

static json_t *base_of(const ki_shape *s, const ki_shape_how *how)
{
    switch (s->kind) {
    case KI_IS_OBJECT: return members(s->inside, s->n_inside, 0, how);
    case KI_IS_OPEN: return members(s->inside, s->n_inside, 1, how);
    case KI_IS_MAP: return map_of(s->inside, how);
    case KI_IS_LIST: return list_of(s->inside, how);
    case KI_IS_TEXT: return typed("string");
    case KI_IS_NAME: return not_empty();
    case KI_IS_WHOLE: return typed("integer");
    case KI_IS_NUMBER: return typed("number");
    case KI_IS_FLAG: return typed("boolean");
    case KI_IS_MOMENT: return json_pack("{s:s, s:s}", "type", "string", "format", "date-time");
    case KI_IS_TIME: return either(typed("number"), not_empty());
    case KI_IS_ID: return id_of(s, how);
    case KI_IS_VALUE: return value_of();
    case KI_IS_ROWS:
        return either(list_of(s->inside, how), path_of("path of a CSV or NDJSON file"));
    case KI_IS_DOCUMENT:
        return either(members(s->inside, s->n_inside, 0, how), path_of("path of a JSON file"));
    case KI_IS_ANY: break;
    }
    return json_object();
}

/* What min and max are called depends on what they count. */
static void add_range(const ki_shape *s, json_t *o)
{
    const int text = s->kind == KI_IS_TEXT || s->kind == KI_IS_NAME, list = s->kind == KI_IS_LIST;
    const int whole = text || list || s->kind == KI_IS_WHOLE;
    const char *least = text ? "minLength" : (list ? "minItems" : "minimum");
    const char *most = text ? "maxLength" : (list ? "maxItems" : "maximum");
    if (s->max <= 0 || s->kind == KI_IS_ID) return;
    if (s->min > 0 || !(text || list))
        json_object_set_new(o, least, whole ? json_integer((json_int_t)s->min) : json_real(s->min));
    json_object_set_new(o, most, whole ? json_integer((json_int_t)s->max) : json_real(s->max));
}

static void add_words(const ki_shape *s, json_t *o)
{
    json_t *words = json_array();
    for (int j = 0; s->words[j] != NULL; j++)
        json_array_append_new(words, json_string(s->words[j]));
    json_object_set_new(o, "enum", words);
}

static void allow_null(json_t *o)
{
    const json_t *type = json_object_get(o, "type"), *any = json_object_get(o, "anyOf");
    if (type != NULL) json_object_set_new(o, "type", json_pack("[O, s]", type, "null"));
    if (any != NULL) json_array_append_new((json_t *)any, typed("null"));
}

static json_t *written(const ki_shape *s, const ki_shape_how *how)
{
    json_t *o = base_of(s, how);
    if (s->about != NULL) json_object_set_new(o, "description", json_string(s->about));
    if (s->words != NULL) add_words(s, o);
    add_range(s, o);
    if (s->init != NULL)
        json_object_set_new(o, "default", json_loads(s->init, JSON_DECODE_ANY, NULL));
    if (s->example != NULL)
        json_object_set_new(o, "examples",
                            json_pack("[o]", json_loads(s->example, JSON_DECODE_ANY, NULL)));
    return o;
}

/* What is sent is the stricter of two: where a type is both sent and answered, that one is the component.  What a
 * member is about is said where it stands. */
static json_t *referred(const ki_shape *s, const ki_shape_how *how)
{
    json_t *o = json_sprintf("#/components/schemas/%s", s->type);
    o = json_pack("{s:o}", "$ref", o);
    if (how->closed || json_object_get(how->components, s->type) == NULL) {
        json_t *whole = written(s, how);
        if (s->name != NULL) json_object_del(whole, "description");
        json_object_set_new(how->components, s->type, whole);
    }
    if (s->or_null) o = either(o, typed("null"));
    if (s->name != NULL && s->about != NULL)
        json_object_set_new(o, "description", json_string(s->about));
    return o;
}

json_t *ki_shape_schema_as(const ki_shape *s, const ki_shape_how *how)
{
    if (how->components != NULL && s->type != NULL) return referred(s, how);
    json_t *o = written(s, how);
    if (s->or_null) allow_null(o);
    return o;
}

json_t *ki_shape_schema(const ki_shape *s, int closed)
{
    return ki_shape_schema_as(s, &(ki_shape_how){ .closed = closed });
}

json_t *ki_shape_document(const char *title, const ki_shape *table, int n)
{
    json_t *o = members(table, n, 0, &(ki_shape_how){ .closed = 0 });
    json_object_set_new(o, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(o, "title", json_string(title));
    return o;
}
