/* SPDX-License-Identifier: MIT
 * jsonscan.c -- members and values of JSON text, found by following brackets and quotes
 */
#include "base/jsonscan.h"

#include <string.h>

void ki_json_blanks(ki_json_scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

int ki_json_take(ki_json_scan *s, char c)
{
    ki_json_blanks(s);
    if (s->at == s->end || *s->at != c) return 0;
    s->at++;
    return 1;
}

/* Past the rest of a string whose quote was taken. */
static int skip_string(ki_json_scan *s)
{
    for (; s->at < s->end; s->at++) {
        if (*s->at == '"') return s->at++, 1;
        if (*s->at == '\\' && s->at + 1 < s->end) s->at++;
    }
    return 0;
}

int ki_json_key(ki_json_scan *s, const char **key, size_t *n)
{
    if (!ki_json_take(s, '"')) return 0;
    *key = s->at;
    if (!skip_string(s)) return 0;
    *n = (size_t)(s->at - 1 - *key);
    return ki_json_take(s, ':');
}

int ki_json_skip(ki_json_scan *s)
{
    int64_t depth = 0;
    ki_json_blanks(s);
    while (s->at < s->end) {
        const char c = *s->at;
        if (depth == 0 && (c == ',' || c == '}' || c == ']')) return 1; /* after a number or word */
        s->at++;
        if (c == '"' && !skip_string(s)) return 0;
        if (c == '{' || c == '[') depth++;
        if (c == '}' || c == ']') depth--;
        if (depth == 0 && (c == '"' || c == '}' || c == ']')) return 1;
    }
    return 0;
}

int ki_json_is(const char *key, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(key, word, n) == 0;
}
