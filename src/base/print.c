/* SPDX-License-Identifier: MIT
 * print.c -- numbers as text without printf
 *
 * Nine digits of a double: with its decimal exponent e, x 10^(8 - e) is a number of nine digits before the point.  For
 * 1e-4 <= x < 1e9 the power is one that a double holds exactly, and the product is exactly a sum of two doubles, itself
 * rounded and what a fused multiplication says was lost; so the digit to be rounded is known without doubt.  All other
 * numbers are rare, and printf's.
 */
#include "base/print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS = 9 };
static const int64_t least = 100000000, beyond = 1000000000; /* of nine digits */

size_t ki_print_padded(char *out, int64_t x, int digits)
{
    for (int j = digits - 1; j >= 0; j--, x /= 10) out[j] = (char)('0' + x % 10);
    return (size_t)digits;
}

size_t ki_print_whole(char *out, int64_t x)
{
    char reversed[20];
    size_t n = 0, at = 0;
    uint64_t left = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    if (x < 0) out[at++] = '-';
    do {
        reversed[n++] = (char)('0' + left % 10);
        left /= 10;
    } while (left != 0);
    while (n > 0) out[at++] = reversed[--n];
    return at;
}

size_t ki_print_hex(char *out, uint64_t x, int digits)
{
    for (int j = digits - 1; j >= 0; j--, x >>= 4) out[j] = "0123456789abcdef"[x & 15];
    return (size_t)digits;
}

/* The whole number nearest to x 10^power, of two that are as near the even one.  What is lost is less than half a unit
 * in the last place of `near`: it tells only where `near` lies just in the middle. */
static int64_t scaled(double x, int power)
{
    static const double powers[] = { 1e0, 1e1, 1e2, 1e3,  1e4,  1e5,  1e6,
                                     1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13 };
    const double near = x * powers[power], lost = fma(x, powers[power], -near);
    const int64_t whole = (int64_t)near;
    const double rest = near - (double)whole;
    return whole + (rest > 0.5 || (rest == 0.5 && (lost > 0 || (lost == 0 && (whole & 1)))));
}

/* e with 10^e <= x < 10^(e + 1) once x is rounded to nine digits, which are in *m. */
static int exponent_of(double x, int64_t *m)
{
    int e = -4;
    for (double next = 1e-3; e < DIGITS - 1 && x >= next; next *= 10) e++;
    while ((*m = scaled(x, DIGITS - 1 - e)) >= beyond) e++;
    if (*m >= least) return e;
    *m = scaled(x, DIGITS - e);
    return e - 1;
}

/* Nine digits with a point after the first e + 1, or zeroes before them; no zeroes at the end. */
static size_t place(char *out, int64_t m, int e)
{
    char digit[DIGITS];
    int n = DIGITS;
    size_t at = 0;
    ki_print_padded(digit, m, DIGITS);
    while (n > 1 && digit[n - 1] == '0') n--;
    if (e < 0) {
        memcpy(out, "0.000", 5);
        at = (size_t)(1 - e);
        memcpy(out + at, digit, (size_t)n);
        return at + (size_t)n;
    }
    for (int j = 0; j < n || j <= e; j++) {
        if (j == e + 1) out[at++] = '.';
        out[at++] = j < n ? digit[j] : '0';
    }
    return at;
}

size_t ki_print_number(char *out, double x)
{
    const double size = fabs(x);
    int64_t m;
    if (x == 0 && !signbit(x)) return out[0] = '0', 1;
    if (!(size >= 1e-4 && size < 999999999)) return (size_t)snprintf(out, KI_PRINT_ROOM, "%.9g", x);
    out[0] = '-';
    const int e = exponent_of(size, &m);
    return place(out + (x < 0), m, e) + (x < 0);
}
