/* SPDX-License-Identifier: MIT
 * scan.c -- numbers, times and UTF-8 out of bytes
 *
 * Numbers     at most 15 digits and a power of ten up to 22 are exact in a double, so one multiplication or division
 *             rounds correctly (Clinger 1990); all else goes to strtod in the C locale.
 * Calendar    days from years counted from March (Hinnant, "chrono-compatible low-level date algorithms").
 */
#include "base/scan.h"

#include "base/mem.h" /* KI_MAX */

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ---- */

static int is_digit(char c)
{
    return (unsigned)(c - '0') < 10;
}

/* 8 to 18 digits without a sign, which cannot overflow: what a time looks like. */
static int scan_long_int(const char *s, size_t n, int64_t *out)
{
    uint64_t text, m;
    memcpy(&text, s, 8);
    if (!ki_are_eight_digits(text)) return 0;
    m = ki_eight_digits(text);
    for (size_t j = 8; j < n; j++) {
        if (!is_digit(s[j])) return 0;
        m = m * 10 + (uint64_t)(s[j] - '0');
    }
    *out = (int64_t)m;
    return 1;
}

int ki_scan_int(const char *s, size_t n, int64_t *out)
{
    if (n >= 8 && n <= 18 && is_digit(s[0])) return scan_long_int(s, n, out);
    const int negative = n > 0 && s[0] == '-';
    size_t j = negative || (n > 0 && s[0] == '+');
    uint64_t m = 0;
    if (j == n) return 0;
    for (; j < n; j++) {
        if (!is_digit(s[j])) return 0;
        if (__builtin_mul_overflow(m, (uint64_t)10, &m) ||
            __builtin_add_overflow(m, (uint64_t)(s[j] - '0'), &m))
            return 0;
    }
    if (m > (uint64_t)INT64_MAX + (uint64_t)negative) return 0;
    *out = negative ? (int64_t)(0 - m) : (int64_t)m;
    return 1;
}

struct decimal { /* +- m * 10^scale; `exact` unless digits were lost */
    uint64_t m;
    int scale, exact, negative;
};

/* Digits from s[at] on go into d; returns where they end. */
static size_t take_digits(struct decimal *d, const char *s, size_t n, size_t at, int after_point)
{
    for (; at < n && is_digit(s[at]); at++) {
        if (d->m < UINT64_C(100000000000000)) { /* 10^14: one more digit makes at most 15 */
            d->m = d->m * 10 + (uint64_t)(s[at] - '0');
            d->scale -= after_point;
        } else {
            d->exact = 0;
        }
    }
    return at;
}

/* [e [+-] digits] from s[at] on; returns where it ends, or n + 1 for an "e" without digits. */
static size_t take_exponent(struct decimal *d, const char *s, size_t n, size_t at)
{
    if (at == n || (s[at] | 32) != 'e') return at;
    const int negative = ++at < n && s[at] == '-';
    if (at < n && (s[at] == '-' || s[at] == '+')) at++;
    if (at == n || !is_digit(s[at])) return n + 1;
    int e = 0;
    for (; at < n && is_digit(s[at]); at++)
        if (e < 100000) e = e * 10 + (s[at] - '0');
    d->scale += negative ? -e : e;
    return at;
}

static int parse_decimal(struct decimal *d, const char *s, size_t n)
{
    size_t at = n > 0 && (s[0] == '-' || s[0] == '+'), begin = at;
    *d = (struct decimal){ .exact = 1, .negative = n > 0 && s[0] == '-' };
    at = take_digits(d, s, n, at, 0);
    size_t n_digits = at - begin;
    if (at < n && s[at] == '.') {
        begin = ++at;
        at = take_digits(d, s, n, at, 1);
        n_digits += at - begin;
    }
    return n_digits > 0 && take_exponent(d, s, n, at) == n;
}

static double by_strtod(const char *s, size_t n)
{
    char text[512];
    const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* a constant of the C library */
    memcpy(text, s, n);
    text[n] = '\0';
    const double x = strtod_l(text, NULL, c);
    freelocale(c);
    return x;
}

int ki_scan_number(const char *s, size_t n, double *out)
{
    static const double power[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    struct decimal d;
    if (n > 511 || !parse_decimal(&d, s, n)) return 0;
    if (!d.exact || d.scale < -22 || d.scale > 22) {
        *out = by_strtod(s, n);
        return 1;
    }
    const double x = d.scale < 0 ? (double)d.m / power[-d.scale] : (double)d.m * power[d.scale];
    *out = d.negative ? -x : x;
    return 1;
}

/* ---- times ---- */

int64_t ki_days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t of_era = year - era * 400; /* [0, 399] */
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const int64_t of_era = days - era * 146097; /* [0, 146096] */
    const int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * y + y / 4 - y / 100); /* [0, 365] from March */
    const int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = y + era * 400 + (*month <= 2);
}

static int days_in_month(int year, int month)
{
    static const signed char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    const int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

struct cursor {
    const char *at, *end;
};

/* `width` digits, after `before` if that is not 0; -1 if it is not so. */
static int number_of(struct cursor *c, char before, int width)
{
    int x = 0;
    if (before != '\0' && (c->at == c->end || *c->at++ != before)) return -1;
    if (c->end - c->at < width) return -1;
    for (int j = 0; j < width; j++, c->at++) {
        if (!is_digit(*c->at)) return -1;
        x = x * 10 + (*c->at - '0');
    }
    return x;
}

/* hh:mm[:ss[.fraction]], in seconds; -1 if it is none. */
static int time_of_day(struct cursor *c)
{
    const int hour = number_of(c, '\0', 2), minute = number_of(c, ':', 2);
    int second = 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return -1;
    if (c->at < c->end && *c->at == ':' && ((second = number_of(c, ':', 2)) < 0 || second > 60))
        return -1;
    if (c->at < c->end && *c->at == '.') {
        const char *begin = ++c->at;
        while (c->at < c->end && is_digit(*c->at)) c->at++;
        if (c->at == begin) return -1;
    }
    return hour * 3600 + minute * 60 + second;
}

/* "", Z, +hh, +hhmm or +hh:mm in seconds east of Greenwich; INT32_MIN if it is none of them. */
static int zone(struct cursor *c)
{
    if (c->at == c->end) return 0;
    const char sign = *c->at++;
    if (sign == 'Z' || sign == 'z') return 0;
    if (sign != '+' && sign != '-') return INT32_MIN;
    const int hour = number_of(c, '\0', 2);
    int minute = 0;
    if (c->at < c->end) minute = number_of(c, *c->at == ':' ? ':' : '\0', 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return INT32_MIN;
    return (sign == '-' ? -1 : 1) * (hour * 3600 + minute * 60);
}

static int scan_iso(const char *s, size_t n, int64_t *out)
{
    struct cursor c = { s, s + n };
    const int year = number_of(&c, '\0', 4), month = number_of(&c, '-', 2),
              day = number_of(&c, '-', 2);
    int of_day = 0, east = 0;
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return 0;
    if (c.at < c.end) {
        const char t = *c.at++;
        if (t != 'T' && t != 't' && t != ' ') return 0;
        if ((of_day = time_of_day(&c)) < 0 || (east = zone(&c)) == INT32_MIN || c.at != c.end)
            return 0;
    }
    *out = ki_days_of(year, month, day) * 86400 + of_day - east;
    return 1;
}

static int64_t to_seconds(int64_t t)
{
    const int64_t size = t < 0 ? -(t + 1) : t;
    if (size < INT64_C(100000000000)) return t;
    const int64_t unit = size < INT64_C(100000000000000)      ? 1000
                         : size < INT64_C(100000000000000000) ? 1000000
                                                              : 1000000000;
    return t / unit - (t % unit < 0); /* rounded down, as ISO times with a fraction are */
}

int ki_scan_time(const char *s, size_t n, int64_t *out)
{
    int64_t t;
    double x;
    if (ki_scan_int(s, n, &t)) return *out = to_seconds(t), 1;
    if (n >= 10 && s[4] == '-') return scan_iso(s, n, out);
    if (!ki_scan_number(s, n, &x) || !(fabs(x) < 9e18)) return 0;
    return *out = to_seconds((int64_t)floor(x)), 1;
}

void ki_time_print(int64_t time, char *out)
{
    const int64_t days = time / 86400 - (time % 86400 < 0); /* rounded down */
    const int rest = (int)((time % 86400 + 86400) % 86400);
    int64_t year;
    int month, day;
    date_of(days, &year, &month, &day);
    const int n = snprintf(out, KI_TIME_TEXT, "%04lld-%02d-%02d", (long long)year, month, day);
    if (rest != 0 && n < KI_TIME_TEXT)
        snprintf(out + n, (size_t)(KI_TIME_TEXT - n), "T%02d:%02d:%02dZ", rest / 3600,
                 rest / 60 % 60, rest % 60);
}

/* ---- UTF-8 ---- */

/* Length of the sequence at s[0..n), 0 if there is no well-formed one (RFC 3629). */
static size_t sequence(const unsigned char *s, size_t n)
{
    static const unsigned smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (s[0] < 0x80) return 1;
    const size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || length > n) return 0;
    unsigned code = s[0] & (0x7fu >> length);
    for (size_t j = 1; j < length; j++) {
        if ((s[j] & 0xc0) != 0x80) return 0;
        code = code << 6 | (s[j] & 0x3fu);
    }
    const int surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < smallest[length] || surrogate || code > 0x10ffff ? 0 : length;
}

int ki_utf8_valid(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    for (size_t at = 0, step; at < n; at += step)
        if ((step = sequence(p + at, n - at)) == 0) return 0;
    return 1;
}

void ki_utf8_mend(char *s)
{
    const size_t n = strlen(s);
    char *to = s;
    int in_run = 0;
    for (size_t at = 0, step; at < n; at += KI_MAX(step, (size_t)1)) {
        step = sequence((const unsigned char *)s + at, n - at);
        if (step == 0 && !in_run) *to++ = '?';
        in_run = step == 0;
        memmove(to, s + at, step);
        to += step;
    }
    *to = '\0';
}

size_t ki_utf8_from_latin1(const char *s, size_t n, char *out)
{
    size_t to = 0;
    for (size_t j = 0; j < n; j++) {
        const unsigned char c = (unsigned char)s[j];
        if (c >= 0x80) out[to++] = (char)(0xc0 | c >> 6);
        out[to++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
    }
    return to;
}

const char *ki_show(char *out, const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    const size_t room = KI_SHOW - 6; /* quotes, dots, NUL */
    size_t to = 0, at = 0, step;
    out[to++] = '"';
    for (; at < n; at += step) {
        const size_t found = sequence(p + at, n - at);
        step = found == 0 ? 1 : found;
        if (to + step > room) break;
        if (found == 0 || p[at] < 32 || p[at] == 127)
            out[to++] = '?';
        else
            for (size_t j = 0; j < step; j++) out[to++] = s[at + j];
    }
    snprintf(out + to, KI_SHOW - to, at < n ? "...\"" : "\"");
    return out;
}
