/* SPDX-License-Identifier: MIT
 * scan.h -- numbers, times and UTF-8 out of bytes
 *
 * All take (s, n), need no NUL at the end, depend on no locale, and accept only if all n bytes fit.
 */
#ifndef KI_SCAN_H
#define KI_SCAN_H

#include <stddef.h>
#include <stdint.h>

/* Decimal digits with an optional sign, in the range of int64_t. */
int ki_scan_int(const char *s, size_t n, int64_t *out);

/* Eight decimal digits, the first in the lowest byte of `text`, as a number below 10^8, and whether all of them are
 * digits.  Neighbours are joined in three steps: 8 x 1, 4 x 2, 2 x 4 digits. */
static inline uint32_t ki_eight_digits(uint64_t text)
{
    text -= 0x3030303030303030u;
    text = (text * 10 + (text >> 8)) & 0x00ff00ff00ff00ffu;
    text = (text * 100 + (text >> 16)) & 0x0000ffff0000ffffu;
    return (uint32_t)(text * 10000 + (text >> 32));
}

static inline int ki_are_eight_digits(uint64_t text)
{
    return (((text + 0x4646464646464646u) | (text - 0x3030303030303030u)) & 0x8080808080808080u) ==
           0;
}

/* [+-] digits [. digits] [e [+-] digits], at most 511 bytes, rounded as strtod does.  "nan", "inf",
 * and hexadecimal are refused; what is too large comes out as infinity, for the caller to judge. */
int ki_scan_number(const char *s, size_t n, double *out);

/* Seconds since 1970 from a number or from ISO 8601: "2024-01-15", "2024-01-15T10:30[:00[.5]]" or
 * with a blank for the T, then nothing or Z (both UTC) or an offset such as +01:00.  A number counts
 * seconds; from 1e11 on it can only be milliseconds (1e11 s is the year 5138, 1e11 ms is 1973), and
 * likewise from 1e14 microseconds, from 1e17 nanoseconds.  Fractions of a second are rounded down. */
int ki_scan_time(const char *s, size_t n, int64_t *out);

#define KI_TIME_TEXT 32
/* "2024-01-15T10:30:00Z", or only the date at midnight. */
void ki_time_print(int64_t time, char *out); /* out[KI_TIME_TEXT] */

/* Days since 1970 of a date of the Gregorian calendar. */
int64_t ki_days_of(int64_t year, int month, int day);

int ki_utf8_valid(const char *s, size_t n);

/* Each run of bytes that are not UTF-8 (a character that was cut, Latin-1) becomes one '?'. */
void ki_utf8_mend(char *s);

/* ISO 8859-1 to UTF-8: out has room for 2 n bytes; returns how many were written. */
size_t ki_utf8_from_latin1(const char *s, size_t n, char *out);

#define KI_SHOW 48
/* s in printable form for a message, in double quotes and cut: out[KI_SHOW], which is returned. */
const char *ki_show(char *out, const char *s, size_t n);

#endif
