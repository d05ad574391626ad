/* SPDX-License-Identifier: MIT
 * literal.c -- the names in a list literal, by recursive descent
 *
 * Grammar     value = string | word | [ value, ... ] | { string : value, ... }, strings in either quote with the escapes
 *             of both languages, words such as 28, -1.5, None, true.  A comma may stand before a closing bracket.
 * Names       of a list: its strings, and of its objects the string under "name".
 * Guarantees  No allocation; nesting is bounded; an escape is never shorter than what it stands for, so the output
 *             never outgrows the cell; UTF-8 in, UTF-8 out.
 */
#include "data/literal.h"

#include <stdint.h>
#include <string.h>

enum { DEEPEST = 16 };

struct cursor {
    const char *at;
    char joint;
    char *out; /* where the next byte goes; NULL: only read past it */
    int n_names;
};

static void skip_blanks(struct cursor *c)
{
    while (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r') c->at++;
}

static int take(struct cursor *c, char what)
{
    skip_blanks(c);
    if (*c->at != what) return 0;
    c->at++;
    return 1;
}

/* ---- strings ---- */

static void put(struct cursor *c, char byte)
{
    if (c->out == NULL) return;
    *c->out++ = byte == c->joint || byte == '\0' ? ' ' : byte;
}

static void put_rune(struct cursor *c, uint32_t rune)
{
    if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) rune = 0xfffd;
    if (rune < 0x80) {
        put(c, (char)rune);
        return;
    }
    if (rune >= 0x10000) put(c, (char)(0xf0 | rune >> 18));
    if (rune >= 0x10000) put(c, (char)(0x80 | (rune >> 12 & 0x3f)));
    if (rune >= 0x800 && rune < 0x10000) put(c, (char)(0xe0 | rune >> 12));
    if (rune >= 0x800) put(c, (char)(0x80 | (rune >> 6 & 0x3f)));
    if (rune < 0x800) put(c, (char)(0xc0 | rune >> 6));
    put(c, (char)(0x80 | (rune & 0x3f)));
}

static int hex_value(char digit)
{
    const char low = (char)(digit | 32);
    if (digit >= '0' && digit <= '9') return digit - '0';
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* n hexadecimal digits at c->at, which moves past them; 0 if they are none. */
static int take_hex(struct cursor *c, int n, uint32_t *out)
{
    *out = 0;
    for (int j = 0; j < n; j++) {
        const int digit = hex_value(c->at[j]);
        if (digit < 0) return 0;
        *out = *out << 4 | (uint32_t)digit;
    }
    c->at += n;
    return 1;
}

/* The number of an escape \xHH, \uHHHH or \UHHHHHHHH; JSON writes a rune beyond 16 bits as two halves. */
static int take_rune(struct cursor *c, int n_digits)
{
    uint32_t rune, low;
    if (!take_hex(c, n_digits, &rune)) return 0;
    if (n_digits == 4 && rune >= 0xd800 && rune < 0xdc00 && c->at[0] == '\\' && c->at[1] == 'u') {
        struct cursor ahead = { .at = c->at + 2 };
        if (take_hex(&ahead, 4, &low) && low >= 0xdc00 && low < 0xe000) {
            rune = 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00);
            c->at = ahead.at;
        }
    }
    put_rune(c, rune);
    return 1;
}

/* After a backslash. */
static int take_escape(struct cursor *c)
{
    static const char plain[] = "\\'\"/nrtbf", means[] = "\\'\"/\n\r\t\b\f";
    const char kind = *c->at;
    if (kind == '\0') return 0;
    c->at++;
    if (kind == 'x') return take_rune(c, 2);
    if (kind == 'u') return take_rune(c, 4);
    if (kind == 'U') return take_rune(c, 8);
    const char *found = strchr(plain, kind);
    if (found == NULL) put(c, '\\'); /* as Python has it */
    put(c, found == NULL ? kind : means[found - plain]);
    return 1;
}

static int take_string(struct cursor *c)
{
    skip_blanks(c);
    const char quote = *c->at;
    if (quote != '\'' && quote != '"') return 0;
    for (c->at++; *c->at != quote;) {
        if (*c->at == '\0') return 0;
        if (*c->at != '\\')
            put(c, *c->at++);
        else if (c->at++, !take_escape(c))
            return 0;
    }
    c->at++;
    return 1;
}

static int take_name(struct cursor *c)
{
    if (c->n_names++ > 0 && c->out != NULL) *c->out++ = c->joint;
    return take_string(c);
}

/* ---- values ---- */

static int is_word(char byte)
{
    return (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'z') ||
           byte == '-' || byte == '+' || byte == '.' || byte == '_';
}

static int skip_value(struct cursor *c, int depth);

static int skip_members(struct cursor *c, char close, int depth)
{
    while (!take(c, close)) {
        if (close == '}' && (!take_string(c) || !take(c, ':'))) return 0;
        if (!skip_value(c, depth)) return 0;
        if (!take(c, ',')) return take(c, close);
    }
    return 1;
}

/* Read past a value and write nothing. */
static int skip_value(struct cursor *c, int depth)
{
    char *const out = c->out;
    int good;
    if (depth == DEEPEST) return 0;
    c->out = NULL;
    skip_blanks(c);
    if (take(c, '['))
        good = skip_members(c, ']', depth + 1);
    else if (take(c, '{'))
        good = skip_members(c, '}', depth + 1);
    else if (*c->at == '\'' || *c->at == '"')
        good = take_string(c);
    else
        for (good = 0; is_word(*c->at); c->at++) good = 1;
    c->out = out;
    return good;
}

/* Is the next string "name"?  Read past it either way. */
static int take_key(struct cursor *c, int *is_name)
{
    skip_blanks(c);
    const char *from = c->at;
    char *const out = c->out;
    c->out = NULL;
    const int good = take_string(c);
    c->out = out;
    *is_name = good && c->at - from == 6 && memcmp(from + 1, "name", 4) == 0;
    return good;
}

/* After '{': an object that has exactly one name, which is a string. */
static int take_object(struct cursor *c)
{
    const int before = c->n_names;
    int is_name;
    while (!take(c, '}')) {
        if (!take_key(c, &is_name) || !take(c, ':')) return 0;
        if (is_name ? !take_name(c) : !skip_value(c, 1)) return 0;
        if (!take(c, ',')) {
            if (!take(c, '}')) return 0;
            break;
        }
    }
    return c->n_names == before + 1;
}

/* After '['. */
static int take_list(struct cursor *c)
{
    while (!take(c, ']')) {
        if (take(c, '{') ? !take_object(c) : !take_name(c)) return 0;
        if (!take(c, ',')) return take(c, ']');
    }
    return 1;
}

int ki_literal_names(const char *cell, char joint, char *out)
{
    struct cursor c = { .at = cell, .joint = joint, .out = out };
    const int good = take(&c, '[') ? take_list(&c) : take(&c, '{') && take_object(&c);
    skip_blanks(&c);
    *c.out = '\0';
    return good && *c.at == '\0';
}
