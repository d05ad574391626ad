/* SPDX-License-Identifier: MIT
 * wording.c -- sentences that grow, words that are alike, and letters whose case does not matter
 *
 * Folding     Unicode's simple case folding restricted to Latin-1, Latin Extended-A, Greek and Cyrillic, by ranges.  It
 *             never depends on a locale.
 * Likeness    Levenshtein distance over folded code points, rows of the usual table, given up beyond a limit.
 */
#include "engine/wording.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a string that grows ---- */

static int make_room(ki_words *w, size_t n)
{
    if (w->err != KITH_OK) return 0;
    if (w->n + n + 1 <= w->room) return 1;
    const size_t room = KI_MAX(2 * w->room, w->n + n + 64);
    w->err = ki_grow(&w->text, w->room, room, 1);
    if (w->err == KITH_OK) w->room = room;
    return w->err == KITH_OK;
}

void ki_words_put(ki_words *w, const char *text, size_t n)
{
    if (!make_room(w, n)) return;
    memcpy(w->text + w->n, text, n);
    w->n += n;
    w->text[w->n] = '\0';
}

void ki_words_add(ki_words *w, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    if (n > 0 && make_room(w, (size_t)n)) {
        vsnprintf(w->text + w->n, (size_t)n + 1, format, again);
        w->n += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

kith_err ki_words_take(ki_words *w, char **out)
{
    ki_words_put(w, "", 0);
    const kith_err err = w->err;
    if (err == KITH_OK) {
        *out = w->text;
        w->text = NULL;
    }
    ki_words_clear(w);
    return err;
}

void ki_words_clear(ki_words *w)
{
    ki_free(w->text);
    *w = (ki_words){ 0 };
}

const char *ki_number_print(char *out, double x)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, x);
        if (strtod(out, NULL) == x) break;
    }
    for (char *c = out; *c != '\0'; c++)
        if (*c == ',') *c = '.'; /* a locale's decimal comma */
    return out;
}

/* ---- letters ---- */

static uint32_t fold(uint32_t c)
{
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c >= 0xc0 && c <= 0xde) return c == 0xd7 ? c : c + 32;
    if ((c >= 0x100 && c <= 0x12f) || (c >= 0x132 && c <= 0x137) || (c >= 0x14a && c <= 0x177))
        return c | 1;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) return c + (c & 1);
    if (c == 0x178) return 0xff;
    if (c >= 0x391 && c <= 0x3ab && c != 0x3a2) return c + 32;
    if (c == 0x3c2) return 0x3c3; /* final sigma */
    if (c >= 0x410 && c <= 0x42f) return c + 32;
    if (c >= 0x400 && c <= 0x40f) return c + 80;
    return c;
}

/* The folded code point at *s, which steps past it.  A byte that begins nothing stands for itself. */
static uint32_t next(const char **s)
{
    const unsigned char *p = (const unsigned char *)*s;
    const int n = p[0] < 0xc0 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t c = n == 1 ? p[0] : p[0] & (0xff >> (n + 1));
    int j = 1;
    for (; j < n && (p[j] & 0xc0) == 0x80; j++) c = c << 6 | (p[j] & 0x3f);
    *s += j;
    return fold(c);
}

int ki_fold_starts(const char *text, const char *with)
{
    while (*with != '\0')
        if (*text == '\0' || next(&text) != next(&with)) return 0;
    return 1;
}

int ki_fold_equal(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0')
        if (next(&a) != next(&b)) return 0;
    return *a == *b;
}

/* No letter outside ASCII folds to one inside, so bytes can be looked at instead of letters. */
static int contains_from_ascii(const char *text, unsigned char first, const char *rest)
{
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) == first && ki_fold_starts(text + 1, rest))
            return 1;
    }
    return 0;
}

int ki_fold_contains(const char *text, const char *part)
{
    const char *rest = part;
    if (*part == '\0') return 1;
    const uint32_t first = next(&rest);
    if (first < 0x80) return contains_from_ascii(text, (unsigned char)first, rest);
    while (*text != '\0')
        if (next(&text) == first && ki_fold_starts(text, rest)) return 1;
    return 0;
}

/* ---- words that are alike ---- */

enum { LONGEST = 64, MOST_WORDS = 100000 };

static int code_points(const char *s, uint32_t *out)
{
    int n = 0;
    while (*s != '\0' && n < LONGEST) out[n++] = next(&s);
    return *s == '\0' ? n : LONGEST + 1;
}

/* Letters to change, add or drop between a[n] and b[m]; `limit` + 1 when there are more than `limit`. */
static int distance(const uint32_t *a, int n, const uint32_t *b, int m, int limit)
{
    int row[LONGEST + 1];
    if (abs(n - m) > limit) return limit + 1;
    for (int j = 0; j <= m; j++) row[j] = j;
    for (int i = 1; i <= n; i++) {
        int corner = row[0], least = row[0] = i;
        for (int j = 1; j <= m; j++) {
            const int change = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            row[j] = KI_MIN(change, 1 + KI_MIN(row[j], row[j - 1]));
            least = KI_MIN(least, row[j]);
        }
        if (least > limit) return limit + 1;
    }
    return KI_MIN(row[m], limit + 1);
}

struct search { /* for the nearest word so far */
    uint32_t wanted[LONGEST];
    int n, limit; /* letters; at most so many changes */
    int32_t found;
};

static struct search search_for(const char *name)
{
    struct search s = { .found = -1 };
    s.n = code_points(name, s.wanted);
    s.limit = s.n > LONGEST ? -1 : KI_MAX(1, s.n / 3);
    return s;
}

static void look_at(struct search *s, const char *word, int32_t index)
{
    uint32_t letters[LONGEST];
    const int n = s->limit < 0 ? LONGEST + 1 : code_points(word, letters);
    if (n == 0 || n > LONGEST) return;
    const int d = distance(s->wanted, s->n, letters, n, s->limit);
    if (d > s->limit) return;
    s->found = index;
    s->limit = d - 1; /* ties go to the first; an exact match, case apart, ends the search */
}

int32_t ki_nearest(const char *name, const char *const *names, int32_t n)
{
    struct search s = search_for(name);
    for (int32_t j = 0; j < n && s.limit >= 0; j++) look_at(&s, names[j], j);
    return s.found;
}

int32_t ki_nearest_word(const char *name, const ki_idmap *words)
{
    struct search s = search_for(name);
    for (int32_t j = 0; j < words->n && j < MOST_WORDS && s.limit >= 0; j++)
        look_at(&s, ki_idmap_name(words, j), j);
    return s.found;
}
