/* SPDX-License-Identifier: MIT
 * params.c -- values out of path, query and body, held against the shapes of the route
 *
 * What comes as text becomes the JSON value that the schema asks for, when it is spelled like one; when
 * it is not it stays text, and the check says what was wanted.
 */
#include "serve/call.h"

#include "base/scan.h"
#include "tool/verify.h"

#include <math.h>

#include <stdio.h>
#include <string.h>

/* ---- text to values ---- */

static json_t *value_of(const json_t *schema, const char *text);

static json_t *flag_of(const char *text)
{
    if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0) return json_true();
    return strcmp(text, "false") == 0 || strcmp(text, "0") == 0 ? json_false() : NULL;
}

static json_t *number_of(const char *text, int whole)
{
    int64_t i;
    double x;
    const size_t n = strlen(text);
    if (ki_scan_int(text, n, &i)) return json_integer((json_int_t)i);
    return !whole && ki_scan_number(text, n, &x) ? json_real(x) : NULL;
}

/* "a,b,c": a comma within an element comes as one of several parameters of the name instead. */
static json_t *list_of(const json_t *schema, const char *text)
{
    json_t *list = json_array();
    const json_t *items = json_object_get(schema, "items");
    char part[1024];
    for (const char *s = text; *text != '\0' && s != NULL;) {
        const size_t n = strcspn(s, ",");
        snprintf(part, sizeof part, "%.*s", (int)KI_MIN(n, sizeof part - 1), s);
        json_array_append_new(list, value_of(items, part));
        s = s[n] == ',' ? s + n + 1 : NULL;
    }
    return list;
}

static json_t *value_of(const json_t *schema, const char *text)
{
    const char *type = json_string_value(json_object_get(schema, "type"));
    json_t *v = NULL;
    if (type == NULL) return json_string(text); /* ids and times may be text */
    if (strcmp(type, "integer") == 0) v = number_of(text, 1);
    if (strcmp(type, "number") == 0) v = number_of(text, 0);
    if (strcmp(type, "boolean") == 0) v = flag_of(text);
    if (strcmp(type, "array") == 0) v = list_of(schema, text);
    if (strcmp(type, "object") == 0) v = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    return v != NULL ? v : json_string(text);
}

/* ---- the common case: one plain value that fits ---- */

static json_t *plain_number(const ki_shape *s, const char *text, int whole)
{
    int64_t i = 0;
    double x = 0;
    const size_t n = strlen(text);
    const int is_whole = ki_scan_int(text, n, &i);
    if (is_whole) x = (double)i;
    if (!is_whole && (whole || !ki_scan_number(text, n, &x))) return NULL;
    if (s->max > 0 && !(x >= s->min && x <= s->max)) return NULL;
    return is_whole ? json_integer((json_int_t)i) : json_real(x);
}

static json_t *plain_text(const ki_shape *s, const char *text)
{
    const size_t n = strlen(text); /* bytes, which are never fewer than letters */
    if (s->words != NULL || n == 0 || (s->max > 0 && ((double)n > s->max || s->min > 1)))
        return NULL;
    return json_stringn_nocheck(text, n); /* ki_uri_parse has seen that it is UTF-8 */
}

/* The value when the shape surely takes it; NULL leaves the question to ki_verify, which takes whatever this takes. */
static json_t *plain_value(const ki_shape *s, const char *text)
{
    switch (s->kind) {
    case KI_IS_TEXT:
    case KI_IS_NAME:
    case KI_IS_ID: return plain_text(s, text);
    case KI_IS_WHOLE: return plain_number(s, text, 1);
    case KI_IS_NUMBER: return plain_number(s, text, 0);
    case KI_IS_FLAG: return flag_of(text);
    default: return NULL;
    }
}

/* ---- path and query ---- */

static const json_t *member_schema(const json_t *schema, const char *name)
{
    return json_object_get(json_object_get(schema, "properties"), name);
}

static const ki_shape *member_shape(const ki_shape *s, const char *name, size_t n)
{
    for (int j = 0; s != NULL && j < s->n_inside; j++)
        if (strncmp(s->inside[j].name, name, n) == 0 && s->inside[j].name[n] == '\0')
            return &s->inside[j];
    return NULL;
}

/* 1: all of it fits for sure. */
static int gather_path(ki_call *c)
{
    const ki_entry *e = c->entry;
    int fits = 1;
    c->path = json_object();
    for (int j = 0; j < e->n_segments; j++) {
        if (e->segments[j][0] != '{') continue;
        const ki_shape *s =
            member_shape(e->route->path_shape, e->segments[j] + 1, strlen(e->segments[j]) - 2);
        json_t *v = plain_value(s, c->uri.segments[j]);
        fits &= v != NULL;
        if (v == NULL) v = value_of(member_schema(e->path, s->name), c->uri.segments[j]);
        json_object_set_new_nocheck(c->path, s->name, v);
    }
    return fits && c->path != NULL;
}

/* One that comes again: lists grow, others are told. */
static void gather_again(ki_call *c, const ki_uri_pair *p, json_t *before)
{
    const ki_place query = { .key = "query" }, at = { .up = &query, .key = p->name };
    json_t *v = value_of(member_schema(c->entry->query, p->name), p->value);
    if (json_is_array(before) && json_is_array(v))
        json_array_extend(before, v);
    else
        ki_object_to(&c->in_parameters, &at, "came more than once");
    json_decref(v);
}

static int gather_pair(ki_call *c, const ki_uri_pair *p)
{
    const ki_shape *s = member_shape(c->entry->route->query_shape, p->name, strlen(p->name));
    json_t *before = json_object_get(c->query, p->name), *v = NULL;
    if (before != NULL) {
        gather_again(c, p, before);
        return 0;
    }
    if (s != NULL) v = plain_value(s, p->value);
    const int fits = v != NULL;
    if (v == NULL) v = value_of(member_schema(c->entry->query, p->name), p->value);
    json_object_set_new_nocheck(c->query, p->name, v);
    return fits;
}

static int lacks_none(const ki_call *c)
{
    const ki_shape *s = c->entry->route->query_shape;
    for (int j = 0; s != NULL && j < s->n_inside; j++)
        if (s->inside[j].required && json_object_get(c->query, s->inside[j].name) == NULL) return 0;
    return 1;
}

static void check_query(ki_call *c)
{
    const ki_place query = { .key = "query" };
    int fits = 1;
    for (int j = 0; j < c->uri.n_pairs; j++) fits &= gather_pair(c, &c->uri.pairs[j]);
    if (fits && lacks_none(c)) return;
    if (c->entry->query != NULL) {
        ki_verify(c->entry->query, c->query, &query, &c->in_parameters);
        return;
    }
    for (int j = 0; j < c->uri.n_pairs; j++) {
        const ki_place at = { .up = &query, .key = c->uri.pairs[j].name };
        ki_object_to(&c->in_parameters, &at, "there is no such field");
    }
}

kith_err ki_call_check_parameters(ki_call *c)
{
    const ki_place path = { .key = "path" };
    if (c->entry->path != NULL && !gather_path(c))
        ki_verify(c->entry->path, c->path, &path, &c->in_parameters);
    if (c->uri.n_pairs == 0 && lacks_none(c)) return KITH_OK;
    if ((c->query = json_object()) == NULL) return ki_fail_memory(64);
    check_query(c);
    return KITH_OK;
}

/* ---- the body ---- */

static kith_err judge(ki_call *c)
{
    const int64_t n = c->in_parameters.n_violations + c->in_body.n_violations;
    kith_err err = ki_findings_judge(&c->in_parameters);
    if (err == KITH_OK) err = ki_findings_judge(&c->in_body);
    if (n == 0 || err == KITH_ENOMEM) return err;
    const json_t *list =
        c->in_parameters.n_violations > 0 ? c->in_parameters.violations : c->in_body.violations;
    const json_t *first = json_array_get(list, 0);
    return ki_call_refuse(c, 422, KITH_EINVAL, "%lld violation%s; the first, at \"%s\": %s",
                          (long long)n, n == 1 ? "" : "s",
                          json_string_value(json_object_get(first, "pointer")),
                          json_string_value(json_object_get(first, "message")));
}

static kith_err parse(ki_call *c, const char *text, size_t n, int64_t line, json_t **out)
{
    json_error_t e;
    *out = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);
    if (*out != NULL) return KITH_OK;
    if (json_error_code(&e) == json_error_out_of_memory) return ki_fail_memory(n);
    const enum json_error_code code = json_error_code(&e);
    const int nul = code == json_error_null_character || code == json_error_null_byte_in_key;
    return ki_call_refuse(c, 400, KITH_EINVAL, "%s%s (line %lld, column %d)",
                          nul ? "no text may hold a NUL (\\u0000)" : "the body is no JSON: ",
                          nul ? "" : e.text, (long long)(line > 0 ? line : e.line), e.column);
}

kith_err ki_call_check_body(ki_call *c)
{
    const ki_entry *e = c->entry;
    kith_err err;
    if (e->body == NULL) return judge(c);
    if (c->body.n == 0)
        c->json = json_object(); /* what is missing in it is told by name */
    else if ((err = parse(c, c->body.at, c->body.n, 0, &c->json)) != KITH_OK)
        return err;
    ki_verify(e->body, c->json, NULL, &c->in_body);
    return judge(c);
}

kith_err ki_call_read_line(ki_call *c, const char *line, size_t n, int64_t number, json_t **out)
{
    json_t *v = NULL;
    const ki_place at = { .index = (size_t)number };
    ki_findings_clear(&c->in_body); /* those of earlier lines were told with them */
    kith_err err = parse(c, line, n, number, &v);
    if (err == KITH_OK) ki_verify(c->entry->body, v, &at, &c->in_body);
    if (err == KITH_OK) err = judge(c);
    if (err == KITH_OK) *out = v;
    if (err != KITH_OK) json_decref(v);
    return err;
}

/* ---- asking ---- */

const json_t *ki_call_value(const ki_call *c, const char *name)
{
    const json_t *v = json_object_get(c->path, name);
    if (v == NULL) v = json_object_get(c->query, name);
    if (v == NULL) v = json_object_get(c->json, name);
    return v != NULL ? v : json_object_get(c->entry->defaults, name);
}

/* An id may come as a whole number: the text of its digits is kept with the call. */
static const char *spell(ki_call *c, const json_t *v)
{
    char digits[32];
    if (json_is_integer(v))
        snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(v));
    else
        snprintf(digits, sizeof digits, "%.0f", json_real_value(v));
    if (c->spelled == NULL) c->spelled = json_array();
    json_t *text = json_string(digits);
    json_array_append_new(c->spelled, text);
    return json_string_value(text);
}

const char *ki_call_text(const ki_call *c, const char *name)
{
    const json_t *v = ki_call_value(c, name);
    return json_is_number(v) ? spell((ki_call *)c, v) : json_string_value(v);
}

double ki_call_number(const ki_call *c, const char *name)
{
    const json_t *v = ki_call_value(c, name);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

int ki_call_flag(const ki_call *c, const char *name)
{
    return json_is_true(ki_call_value(c, name));
}

const json_t *ki_call_body(const ki_call *c)
{
    return c->json;
}

const json_t *ki_call_member(const ki_call *c, const char *name)
{
    return json_object_get(c->json, name);
}
