/* SPDX-License-Identifier: MIT
 * verify.c -- walking a value and its schema side by side
 */
#include "tool/verify.h"

#include "base/closest.h"
#include "base/scan.h"

#include <stdio.h>
#include <string.h>

/* ---- types ---- */

static const char *type_of(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT: return "object";
    case JSON_ARRAY: return "array";
    case JSON_STRING: return "string";
    case JSON_INTEGER: return "integer";
    case JSON_REAL: return "number";
    case JSON_TRUE:
    case JSON_FALSE: return "boolean";
    case JSON_NULL: break;
    }
    return "null";
}

/* As JSON Schema counts, 5.0 is an integer. */
static int is_whole(const json_t *v)
{
    if (json_is_integer(v)) return 1;
    const double x = json_real_value(v);
    return json_is_real(v) && x > -9e15 && x < 9e15 && x == (double)(int64_t)x;
}

static int has_type(const json_t *v, const char *type)
{
    if (strcmp(type, "number") == 0) return json_is_number(v);
    if (strcmp(type, "integer") == 0) return is_whole(v);
    return strcmp(type, type_of(v)) == 0;
}

/* ---- one keyword each; 1 when there is nothing to say ---- */

static int check_type(const json_t *schema, const json_t *v, const ki_place *at, ki_findings *f)
{
    const json_t *types = json_object_get(schema, "type"); /* one, or one and "null" */
    const char *type = json_string_value(json_is_array(types) ? json_array_get(types, 0) : types);
    if (type == NULL || has_type(v, type) || (json_is_array(types) && json_is_null(v))) return 1;
    ki_object_to(f, at, "got %s, want %s", type_of(v), type);
    return 0;
}

/* "a, b or c" of an enum. */
static void print_words(const json_t *words, char *out, size_t size)
{
    size_t used = 0;
    const size_t n = json_array_size(words);
    out[0] = '\0';
    for (size_t j = 0; j < n && used + 1 < size; j++) {
        const char *word = json_string_value(json_array_get(words, j));
        used += (size_t)snprintf(out + used, size - used, "%s%s",
                                 j == 0 ? "" : (j + 1 == n ? " or " : ", "), word ? word : "?");
    }
}

static void check_enum(const json_t *schema, const json_t *v, const ki_place *at, ki_findings *f)
{
    char list[400], shown[KI_SHOW];
    const json_t *words = json_object_get(schema, "enum"), *only = json_object_get(schema, "const");
    if (only != NULL && !json_equal(only, v)) ki_object_to(f, at, "is not the one value allowed");
    if (words == NULL) return;
    for (size_t j = 0; j < json_array_size(words); j++)
        if (json_equal(json_array_get(words, j), v)) return;
    print_words(words, list, sizeof list);
    if (json_is_string(v))
        ki_object_to(f, at, "got %s, want one of %s",
                     ki_show(shown, json_string_value(v), json_string_length(v)), list);
    else
        ki_object_to(f, at, "got %s, want one of %s", type_of(v), list);
}

static void check_range(const json_t *schema, const json_t *v, const ki_place *at, ki_findings *f)
{
    if (!json_is_number(v)) return;
    const json_t *min = json_object_get(schema, "minimum"),
                 *max = json_object_get(schema, "maximum"),
                 *above = json_object_get(schema, "exclusiveMinimum");
    const double x = json_number_value(v);
    if (min != NULL && x < json_number_value(min))
        ki_object_to(f, at, "got %.12g, want at least %.12g", x, json_number_value(min));
    if (max != NULL && x > json_number_value(max))
        ki_object_to(f, at, "got %.12g, want at most %.12g", x, json_number_value(max));
    if (above != NULL && x <= json_number_value(above))
        ki_object_to(f, at, "got %.12g, want more than %.12g", x, json_number_value(above));
}

/* JSON Schema counts characters, not bytes. */
static size_t letters(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t j = 0; j < n; j++) count += ((unsigned char)s[j] & 0xc0) != 0x80;
    return count;
}

static void check_length(const json_t *schema, const json_t *v, const ki_place *at, ki_findings *f)
{
    const size_t n = letters(json_string_value(v), json_string_length(v));
    const json_t *most = json_object_get(schema, "maxLength");
    const json_int_t least = json_integer_value(json_object_get(schema, "minLength"));
    if (n == 0 && least > 0)
        ki_object_to(f, at, "got an empty string");
    else if ((json_int_t)n < least)
        ki_object_to(f, at, "got %zu letters, want at least %lld", n, (long long)least);
    if (most != NULL && (json_int_t)n > json_integer_value(most))
        ki_object_to(f, at, "got %zu letters, want at most %lld", n,
                     (long long)json_integer_value(most));
}

static void check_text(const json_t *schema, const json_t *v, const ki_place *at, ki_findings *f)
{
    char shown[KI_SHOW];
    if (!json_is_string(v)) return;
    const char *format = json_string_value(json_object_get(schema, "format"));
    const char *text = json_string_value(v);
    const size_t n = json_string_length(v);
    check_length(schema, v, at, f);
    if (format != NULL && strcmp(format, "date-time") == 0 && !ki_is_date_time(text, n))
        ki_object_to(f, at, "got %s, want a time such as 2024-01-15T10:30:00Z",
                     ki_show(shown, text, n));
}

static void check_items(const json_t *schema, const json_t *v, const ki_place *at, ki_findings *f)
{
    if (!json_is_array(v)) return;
    const json_t *items = json_object_get(schema, "items");
    const json_int_t least = json_integer_value(json_object_get(schema, "minItems"));
    const json_t *most = json_object_get(schema, "maxItems");
    if (most != NULL && (json_int_t)json_array_size(v) > json_integer_value(most))
        ki_object_to(f, at, "got %zu elements, want at most %lld", json_array_size(v),
                     (long long)json_integer_value(most));
    if ((json_int_t)json_array_size(v) < least)
        ki_object_to(f, at, "got %zu elements, want at least %lld", json_array_size(v),
                     (long long)least);
    for (size_t j = 0; items != NULL && j < json_array_size(v); j++) {
        const ki_place inside = { .up = at, .index = j };
        ki_verify(items, json_array_get(v, j), &inside, f);
    }
}

static void check_required(const json_t *schema, const json_t *v, const ki_place *at,
                           ki_findings *f)
{
    const json_t *required = json_object_get(schema, "required");
    for (size_t j = 0; j < json_array_size(required); j++) {
        const char *name = json_string_value(json_array_get(required, j));
        const ki_place inside = { .up = at, .key = name };
        if (name != NULL && json_object_get(v, name) == NULL)
            ki_object_to(f, &inside, "is missing");
    }
}

/* The field that was meant; looked for while somebody will read it. */
static const char *hint_of(const json_t *schema, const char *name, const ki_findings *f, char *out)
{
    ki_closest closest = { .asked = name };
    const char *known;
    json_t *member;
    out[0] = '\0';
    if (f->n_violations + f->n_warnings >= KI_FINDINGS_SHOWN) return out;
    json_object_foreach (json_object_get(schema, "properties"), known, member)
        ki_closest_try(&closest, known);
    return ki_closest_hint(&closest, out);
}

static void check_unknown(const json_t *schema, const json_t *v, const ki_place *at, ki_findings *f)
{
    char pointer[KI_POINTER_ROOM], hint[KI_HINT_SIZE];
    const json_t *others = json_object_get(schema, "additionalProperties");
    if (json_is_true(others)) return;
    if (json_is_object(others)) {
        ki_verify(others, v, at, f);
        return;
    }
    ki_place_print(at, pointer);
    if (json_is_false(others))
        ki_object_to(f, at, "there is no such field%s", hint_of(schema, at->key, f, hint));
    else
        ki_warning(f, "%s: there is no such field, it was not used%s", pointer,
                   hint_of(schema, at->key, f, hint));
}

static void check_members(const json_t *schema, const json_t *v, const ki_place *at, ki_findings *f)
{
    const json_t *properties = json_object_get(schema, "properties"),
                 *others = json_object_get(schema, "additionalProperties");
    const char *key;
    json_t *member;
    if (!json_is_object(v)) return;
    check_required(schema, v, at, f);
    if (properties == NULL && others == NULL) return;
    json_object_foreach ((json_t *)v, key, member) {
        const ki_place inside = { .up = at, .key = key };
        const json_t *known = json_object_get(properties, key);
        if (known != NULL)
            ki_verify(known, member, &inside, f);
        else
            check_unknown(schema, member, &inside, f);
    }
}

/* ---- alternatives ---- */

/* The alternative that speaks of values of this type is the one meant, and its own complaints are
 * the useful ones; `anyOf` is used for nothing else here. */
static void check_any(const json_t *schema, const json_t *v, const ki_place *at, ki_findings *f)
{
    const json_t *any = json_object_get(schema, "anyOf");
    char list[200] = "";
    size_t used = 0;
    if (any == NULL) return;
    for (size_t j = 0; j < json_array_size(any); j++) {
        const json_t *one = json_array_get(any, j);
        const char *type = json_string_value(json_object_get(one, "type"));
        if (type == NULL || has_type(v, type)) {
            ki_verify(one, v, at, f);
            return;
        }
        if (used + 1 < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                     used == 0 ? "" : " or ", type);
    }
    ki_object_to(f, at, "got %s, want %s", type_of(v), list);
}

void ki_verify(const json_t *schema, const json_t *value, const ki_place *at, ki_findings *f)
{
    if (json_is_false(schema)) ki_object_to(f, at, "nothing is allowed here");
    if (!check_type(schema, value, at, f)) return;
    check_any(schema, value, at, f);
    check_enum(schema, value, at, f);
    check_range(schema, value, at, f);
    check_text(schema, value, at, f);
    check_items(schema, value, at, f);
    check_members(schema, value, at, f);
}

/* ---- date-time ---- */

/* 'd' stands for a digit; other characters for themselves. */
static int fits(const char *pattern, const char *s, size_t n)
{
    for (size_t j = 0; pattern[j] != '\0'; j++) {
        if (j >= n) return 0;
        const int digit = s[j] >= '0' && s[j] <= '9';
        if (pattern[j] == 'd' ? !digit : s[j] != pattern[j]) return 0;
    }
    return 1;
}

int ki_is_date_time(const char *s, size_t n)
{
    size_t at = 19;
    int64_t ignored;
    if (n < 20 || !fits("dddd-dd-dd", s, n) || !fits("Tdd:dd:dd", s + 10, n - 10)) return 0;
    if (s[at] == '.') {
        for (at++; at < n && s[at] >= '0' && s[at] <= '9';) at++;
        if (at == 20) return 0;
    }
    const int utc = n == at + 1 && s[at] == 'Z';
    if (!utc &&
        !(n == at + 6 && (fits("+dd:dd", s + at, n - at) || fits("-dd:dd", s + at, n - at))))
        return 0;
    return ki_scan_time(s, 19, &ignored); /* are there such a month, day and hour? */
}
