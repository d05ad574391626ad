/* SPDX-License-Identifier: MIT
 * letters.c -- decoding UTF-8, small letters, words
 */
#include "base/letters.h"

/* The bytes of a character by its first one, and its shape; 0 for a byte that begins none. */
static int length_of(unsigned char first)
{
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first < 0xE0) return 2;
    if (first >= 0xE0 && first < 0xF0) return 3;
    return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

static uint32_t decode(const char **at, const char *end)
{
    static const unsigned char mask[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    const unsigned char *s = (const unsigned char *)*at;
    const int n = length_of(s[0]);
    uint32_t c = n > 0 ? s[0] & mask[n] : 0;
    int good = n > 0 && end - *at >= n;
    for (int j = 1; good && j < n; j++) {
        good = (s[j] & 0xC0) == 0x80;
        c = c << 6 | (s[j] & 0x3F);
    }
    *at += good ? n : 1;
    return good ? c : 0xDC00u + s[0];
}

/* In Latin Extended-A capitals are the even ones of a pair, but the odd ones in two stretches. */
static uint32_t small_extended(uint32_t c)
{
    const int odd_first = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
    if (c == 0x130 || c == 0x131 || c == 0x138 || c == 0x149 || c == 0x17F) return c;
    if (c == 0x178) return 0xFF;
    return (c & 1) == (uint32_t)odd_first ? c + 1 : c;
}

static uint32_t small(uint32_t c)
{
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c >= 0xC0 && c <= 0xDE) return c == 0xD7 ? c : c + 32;
    if (c >= 0x100 && c <= 0x17F) return small_extended(c);
    if (c >= 0x391 && c <= 0x3A9) return c + 32;
    if (c >= 0x410 && c <= 0x42F) return c + 32;
    return c >= 0x400 && c <= 0x40F ? c + 80 : c;
}

uint32_t ki_letter_next(const char **at, const char *end)
{
    return small(decode(at, end));
}

int ki_letter_is_word(uint32_t c)
{
    if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c < 0xC0) return c == 0xAA || c == 0xB2 || c == 0xB3 || c == 0xB5 || c >= 0xB9;
    return c != 0xD7 && c != 0xF7 && !(c >= 0x2000 && c <= 0x206F) && !(c >= 0x3000 && c <= 0x3003);
}

const char *ki_word_next(const char **at, const char *end, size_t *n)
{
    const char *word = NULL, *before = *at;
    while (before < end) {
        const char *next = before;
        const int inside = ki_letter_is_word(ki_letter_next(&next, end));
        if (inside && word == NULL) word = before;
        if (!inside && word != NULL) break;
        before = next;
    }
    *at = before;
    *n = word == NULL ? 0 : (size_t)(before - word);
    return word;
}
