/* SPDX-License-Identifier: MIT
 * findings.c -- keeping violations, warnings and left-out fields
 */
#include "tool/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE = 600 };

/* ---- places ---- */

/* '~' and '/' are written ~0 and ~1 in a pointer. */
static size_t print_key(const char *key, char *out, size_t size)
{
    size_t n = 0;
    for (; *key != '\0' && n + 3 < size; key++) {
        if (*key == '~' || *key == '/') {
            out[n++] = '~';
            out[n++] = *key == '~' ? '0' : '1';
        } else {
            out[n++] = *key;
        }
    }
    out[n] = '\0';
    return n;
}

void ki_place_print(const ki_place *p, char *out)
{
    if (p == NULL) {
        out[0] = '\0';
        return;
    }
    ki_place_print(p->up, out);
    size_t n = strlen(out);
    if (n + 24 >= KI_POINTER_ROOM) return;
    if (p->key == NULL) {
        snprintf(out + n, KI_POINTER_ROOM - n, "/%zu", p->index);
        return;
    }
    out[n++] = '/';
    print_key(p->key, out + n, KI_POINTER_ROOM - n);
}

/* ---- sentences ---- */

/* A string of JSON out of bytes that were cut, perhaps within a character: the rest of it goes. */
static json_t *sentence(char *text)
{
    json_t *s = json_string(text);
    for (size_t n = strlen(text); s == NULL && n > 0;) {
        text[--n] = '\0';
        s = json_string(text);
    }
    return s;
}

static void keep(json_t **list, json_t *what)
{
    if (*list == NULL) *list = json_array();
    if (json_array_size(*list) < KI_FINDINGS_SHOWN)
        json_array_append_new(*list, what);
    else
        json_decref(what);
}

static void add_violation(ki_findings *f, char *pointer, const char *format, va_list args)
{
    char text[SENTENCE];
    f->n_violations++;
    if (json_array_size(f->violations) >= KI_FINDINGS_SHOWN) return;
    vsnprintf(text, sizeof text, format, args);
    keep(&f->violations,
         json_pack("{s:o, s:o}", "pointer", sentence(pointer), "message", sentence(text)));
}

void ki_object_to(ki_findings *f, const ki_place *at, const char *format, ...)
{
    char pointer[KI_POINTER_ROOM];
    va_list args;
    va_start(args, format);
    ki_place_print(at, pointer);
    add_violation(f, pointer, format, args);
    va_end(args);
}

void ki_object_to_pointer(ki_findings *f, const char *pointer, const char *format, ...)
{
    char copy[KI_POINTER_ROOM];
    va_list args;
    va_start(args, format);
    snprintf(copy, sizeof copy, "%s", pointer);
    add_violation(f, copy, format, args);
    va_end(args);
}

void ki_warning(ki_findings *f, const char *format, ...)
{
    char text[SENTENCE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    f->n_warnings++;
    keep(&f->warnings, sentence(text));
}

void ki_left_out(ki_findings *f, const char *pointer, const char *format, ...)
{
    char text[SENTENCE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (f->left_out == NULL) f->left_out = json_object();
    json_object_set_new(f->left_out, pointer, sentence(text));
}

kith_err ki_findings_judge(const ki_findings *f)
{
    if (f->n_violations == 0) return KITH_OK;
    const json_t *first = json_array_get(f->violations, 0);
    const char *pointer = json_string_value(json_object_get(first, "pointer"));
    const char *message = json_string_value(json_object_get(first, "message"));
    if (pointer == NULL || message == NULL) return ki_fail_memory(SENTENCE);
    return ki_fail(KITH_EINVAL, "the request has %lld violation%s; the first, at \"%s\": %s",
                   (long long)f->n_violations, f->n_violations == 1 ? "" : "s", pointer, message);
}

void ki_findings_clear(ki_findings *f)
{
    json_decref(f->violations);
    json_decref(f->warnings);
    json_decref(f->left_out);
    *f = (ki_findings){ 0 };
}
