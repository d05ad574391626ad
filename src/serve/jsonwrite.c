/* SPDX-License-Identifier: MIT
 * jsonwrite.c -- strings, numbers and keys at the end of a text
 */
#include "serve/jsonwrite.h"

#include "base/print.h"
#include "base/scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of s that go out as they are. */
static size_t plain(const char *s)
{
    size_t n = 0;
    while ((unsigned char)s[n] >= 0x20 && (unsigned char)s[n] < 0x80 && s[n] != '"' && s[n] != '\\')
        n++;
    return n;
}

static void escape(ki_text *t, unsigned char c)
{
    char out[8];
    const int n = c == '"' || c == '\\' ? snprintf(out, sizeof out, "\\%c", c)
                                        : snprintf(out, sizeof out, "\\u%04x", c);
    ki_text_add(t, out, (size_t)n);
}

/* Bytes of the letter beyond ASCII that begins at s; 0 when it is none. */
static size_t letter(const char *s)
{
    const unsigned char c = (unsigned char)s[0];
    const size_t want = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    for (size_t j = 1; j < want; j++)
        if (((unsigned char)s[j] & 0xc0) != 0x80) return 0;
    return c >= 0xc2 && ki_utf8_valid(s, want) ? want : 0;
}

void ki_write_string(ki_text *t, const char *s)
{
    if (s == NULL) {
        ki_text_say(t, "null");
        return;
    }
    ki_text_add(t, "\"", 1);
    while (*s != '\0') {
        size_t n = plain(s);
        if (n > 0) {
            ki_text_add(t, s, n);
        } else if ((unsigned char)*s < 0x80) {
            escape(t, (unsigned char)*s);
            n = 1;
        } else if ((n = letter(s)) > 0) {
            ki_text_add(t, s, n);
        } else {
            ki_text_say(t, "\xef\xbf\xbd");
            n = 1;
        }
        s += n;
    }
    ki_text_add(t, "\"", 1);
}

void ki_write_number(ki_text *t, double x)
{
    char out[KI_PRINT_ROOM];
    if (isfinite(x))
        ki_text_add(t, out, ki_print_number(out, x));
    else
        ki_text_add(t, "null", 4);
}

void ki_write_whole(ki_text *t, int64_t x)
{
    char out[KI_PRINT_ROOM];
    ki_text_add(t, out, ki_print_whole(out, x));
}

void ki_write_json(ki_text *t, json_t *value)
{
    char *text = value == NULL
                     ? NULL
                     : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    json_decref(value);
    if (text != NULL)
        ki_text_say(t, text);
    else if (t->err == KITH_OK)
        t->err = ki_fail_memory(256);
    free(text);
}

void ki_write_next(ki_text *t)
{
    if (t->n > 0 && t->at[t->n - 1] != '{' && t->at[t->n - 1] != '[') ki_text_add(t, ",", 1);
}

void ki_write_key(ki_text *t, const char *name)
{
    const size_t n = strlen(name);
    const int is_next = t->n > 0 && t->at[t->n - 1] != '{' && t->at[t->n - 1] != '[';
    ki_text_reserve(t, n + 4);
    if (t->err != KITH_OK) return;
    char *to = t->at + t->n;
    if (is_next) *to++ = ',';
    *to++ = '"';
    memcpy(to, name, n);
    memcpy(to + n, "\":", 3);
    t->n = (size_t)(to + n + 2 - t->at);
}

static void write_members(ki_text *t, const json_t *object)
{
    const char *name;
    json_t *value;
    ki_text_add(t, "{", 1);
    json_object_foreach ((json_t *)object, name, value) {
        ki_write_next(t);
        ki_write_string(t, name);
        ki_text_add(t, ":", 1);
        ki_write_value(t, value);
    }
    ki_text_add(t, "}", 1);
}

static void write_elements(ki_text *t, const json_t *array)
{
    ki_text_add(t, "[", 1);
    for (size_t j = 0; j < json_array_size(array); j++) {
        if (j > 0) ki_text_add(t, ",", 1);
        ki_write_value(t, json_array_get(array, j));
    }
    ki_text_add(t, "]", 1);
}

static void write_real(ki_text *t, double x)
{
    char out[40];
    int n = snprintf(out, sizeof out, "%.17g", x);
    if (strpbrk(out, ".e") == NULL) n += snprintf(out + n, sizeof out - (size_t)n, ".0");
    ki_text_add(t, out, (size_t)n);
}

void ki_write_value(ki_text *t, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: write_members(t, value); return;
    case JSON_ARRAY: write_elements(t, value); return;
    case JSON_STRING: ki_write_string(t, json_string_value(value)); return;
    case JSON_INTEGER: ki_write_whole(t, json_integer_value(value)); return;
    case JSON_REAL: write_real(t, json_real_value(value)); return;
    case JSON_TRUE: ki_text_add(t, "true", 4); return;
    case JSON_FALSE: ki_text_add(t, "false", 5); return;
    case JSON_NULL: ki_text_add(t, "null", 4); return;
    }
}
