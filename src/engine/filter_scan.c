/* SPDX-License-Identifier: MIT
 * filter_scan.c -- the words of the filter language
 */
#include "engine/filter_scan.h"

#include "base/mem.h"
#include "base/scan.h"

#include <math.h>
#include <string.h>

static const char *const reserved[] = { "and",     "or",       "not",    "in",   "has",     "any",
                                        "all",     "contains", "starts", "with", "between", "is",
                                        "missing", "present",  "empty",  "true", "false",   "now" };

static const char *const signs[] = { "!=", "<=", ">=", "(", ")", ",", "+",
                                     "-",  "*",  "/",  "=", "<", ">", "~" };

static int is_digit(char c)
{
    return (unsigned)(c - '0') < 10;
}

static int begins_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}

static int is_in_name(char c)
{
    return begins_name(c) || is_digit(c) || c == '.';
}

static int32_t name_length(const char *s)
{
    int32_t n = 0;
    if (!begins_name(s[0])) return 0;
    while (is_in_name(s[n])) n++;
    return n;
}

static const char *find_reserved(const char *s, int32_t n)
{
    for (size_t j = 0; j < KI_COUNT(reserved); j++)
        if ((int32_t)strlen(reserved[j]) == n && strncasecmp(s, reserved[j], (size_t)n) == 0)
            return reserved[j];
    return NULL;
}

int ki_is_bare_name(const char *name)
{
    const int32_t n = name_length(name);
    return n > 0 && name[n] == '\0' && find_reserved(name, n) == NULL;
}

static ki_token bad(ki_token t, int32_t length, const char *trouble)
{
    t.kind = KI_T_BAD;
    t.length = length;
    t.trouble = trouble;
    return t;
}

/* ---- names ---- */

static ki_token scan_name(const char *s, ki_token t, ki_words *out)
{
    t.length = name_length(s);
    const char *word = find_reserved(s, t.length);
    t.kind = word != NULL ? KI_T_WORD : KI_T_NAME;
    if (word != NULL)
        strcpy(t.word, word);
    else if (out != NULL)
        ki_words_put(out, s, (size_t)t.length);
    return t;
}

static ki_token scan_context(const char *s, ki_token t, ki_words *out)
{
    const int32_t n = name_length(s + 1);
    if (n == 0) return bad(t, 1, "a name must follow the $, as in $country");
    t.kind = KI_T_CONTEXT;
    t.length = 1 + n;
    if (out != NULL) ki_words_put(out, s + 1, (size_t)n);
    return t;
}

/* ---- texts ---- */

static size_t put_utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 0x3f));
    out[2] = (char)(0x80 | (c & 0x3f));
    return 3;
}

/* uXXXX at s: how many bytes it writes, 0 when it is no character. */
static size_t scan_u(const char *s, char *out)
{
    uint32_t c = 0;
    for (int j = 1; j <= 4; j++) {
        const char d = s[j], low = (char)(d | 32);
        if (is_digit(d))
            c = c * 16 + (uint32_t)(d - '0');
        else if (low >= 'a' && low <= 'f')
            c = c * 16 + (uint32_t)(low - 'a') + 10;
        else
            return 0;
    }
    return c == 0 || (c >= 0xd800 && c <= 0xdfff) ? 0 : put_utf8(c, out);
}

/* The escape after a backslash: bytes read, 0 when there is no such escape. */
static int32_t scan_escape(const char *s, ki_words *out)
{
    static const char letters[] = "nrt\\\"'`", means[] = "\n\r\t\\\"'`";
    char bytes[4];
    size_t n = 1;
    const char *letter = s[0] == '\0' ? NULL : strchr(letters, s[0]);
    if (letter != NULL)
        bytes[0] = means[letter - letters];
    else if (s[0] != 'u' || (n = scan_u(s, bytes)) == 0)
        return 0;
    if (out != NULL) ki_words_put(out, bytes, n);
    return letter != NULL ? 1 : 5;
}

static ki_token scan_quoted(const char *s, ki_token t, ki_words *out)
{
    int32_t j = 1;
    t.kind = s[0] == '`' ? KI_T_QUOTED_NAME : KI_T_TEXT;
    while (s[j] != s[0]) {
        if (s[j] == '\0') return bad(t, 1, "the quote is never closed");
        if (s[j] != '\\') {
            if (out != NULL) ki_words_put(out, s + j, 1);
            j++;
            continue;
        }
        const int32_t n = scan_escape(s + j + 1, out);
        if (n == 0) {
            t.at += j;
            return bad(t, s[j + 1] == '\0' ? 1 : 2,
                       "escapes are \\n \\r \\t \\\\ \\\" \\' \\` and \\uXXXX");
        }
        j += 1 + n;
    }
    t.length = j + 1;
    if (t.kind == KI_T_QUOTED_NAME && j == 1) return bad(t, 2, "a name in backquotes is empty");
    return t;
}

/* ---- numbers, durations, dates ---- */

/* Does s begin as the pattern says: d is a digit, all else itself? */
static int looks_like(const char *s, const char *pattern)
{
    for (; *pattern != '\0'; s++, pattern++)
        if (*pattern == 'd' ? !is_digit(*s) : *s != *pattern) return 0;
    return 1;
}

static int32_t time_length(const char *s)
{
    int32_t n = 10;
    if (!looks_like(s + n, "Tdd:dd")) return n;
    n += 6;
    if (looks_like(s + n, ":dd")) n += 3;
    if (looks_like(s + n, ".d"))
        for (n++; is_digit(s[n]);) n++;
    if (s[n] == 'Z') return n + 1;
    return looks_like(s + n, "+dd:dd") || looks_like(s + n, "-dd:dd") ? n + 6 : n;
}

static ki_token scan_date(const char *s, ki_token t)
{
    int64_t seconds;
    t.kind = KI_T_TIME;
    t.length = time_length(s);
    if (is_in_name(s[t.length]) || !ki_scan_time(s, (size_t)t.length, &seconds) ||
        seconds < ki_days_of(1, 1, 1) * 86400 || seconds >= ki_days_of(10000, 1, 1) * 86400)
        return bad(t, t.length,
                   "a time is written 2020-01-31 or 2020-01-31T10:30:00Z, in the years 1 to 9999");
    t.number = (double)seconds;
    return t;
}

static int32_t number_length(const char *s)
{
    int32_t n = 0;
    while (is_digit(s[n])) n++;
    if (s[n] == '.' && is_digit(s[n + 1]))
        for (n++; is_digit(s[n]);) n++;
    if ((s[n] | 32) != 'e') return n;
    const int32_t e = n + 1 + (s[n + 1] == '-' || s[n + 1] == '+');
    if (!is_digit(s[e])) return n;
    for (n = e; is_digit(s[n]);) n++;
    return n;
}

static double unit_seconds(char unit)
{
    switch (unit) {
    case 's': return 1;
    case 'm': return 60;
    case 'h': return 3600;
    case 'd': return 86400;
    case 'w': return 604800;
    default: return 0;
    }
}

static ki_token scan_number(const char *s, ki_token t)
{
    if (looks_like(s, "dddd-dd-dd")) return scan_date(s, t);
    t.kind = KI_T_NUMBER;
    t.length = number_length(s);
    if (!ki_scan_number(s, (size_t)t.length, &t.number) || !isfinite(t.number))
        return bad(t, t.length, "the number is too long or too large");
    if (!is_in_name(s[t.length])) return t;
    t.number *= unit_seconds(s[t.length++]);
    t.kind = KI_T_DURATION;
    if (unit_seconds(s[t.length - 1]) > 0 && !is_in_name(s[t.length]) && isfinite(t.number))
        return t;
    return bad(
        t, t.length,
        "a number ends before its letters, and a duration is written 30s, 30m, 12h, 7d or 2w");
}

/* ---- the next one ---- */

static ki_token scan_sign(const char *s, ki_token t)
{
    for (size_t j = 0; j < KI_COUNT(signs); j++) {
        const size_t n = strlen(signs[j]);
        if (strncmp(s, signs[j], n) != 0) continue;
        t.kind = KI_T_SIGN;
        strcpy(t.word, signs[j]);
        t.length = s[0] == '=' && s[1] == '=' ? 2 : (int32_t)n; /* == is = */
        return t;
    }
    if (s[0] == '&' || s[0] == '|' || s[0] == '!') return bad(t, 1, "write the words and, or, not");
    return bad(t, 1, "no expression has this sign");
}

ki_token ki_token_next(const char *text, int32_t at, ki_words *out)
{
    while (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r') at++;
    const char *s = text + at;
    const ki_token t = { .at = at };
    if (*s == '\0') return t;
    if (*s == '$') return scan_context(s, t, out);
    if (*s == '"' || *s == '\'' || *s == '`') return scan_quoted(s, t, out);
    if (is_digit(*s)) return scan_number(s, t);
    if (begins_name(*s)) return scan_name(s, t, out);
    return scan_sign(s, t);
}
