/* SPDX-License-Identifier: MIT
 * tokens.c -- one pass over the bytes, with a table for ASCII and utf8proc for all else
 *
 * A run of one kind (word, or script without blanks) is found first and folded at its end: ASCII by
 * adding 32, anything else by decomposing, folding and composing in a buffer on the stack.  Format
 * characters (soft hyphen, joiners) neither end a run nor stay in it.
 *
 * Limits      Thai, Lao, Khmer and Burmese do not part words either and come as long tokens.
 */
#include "text/tokens.h"

#include "base/mem.h"

#include <string.h>
#include <utf8proc.h>

enum { RAW_BYTES = 160, POINTS = 18 * RAW_BYTES / 2 }; /* a code point folds into 18 at most */

enum kind { PART, WORD, PAIRED, THROUGH }; /* of a code point; THROUGH: as if it were not there */

struct run {
    enum kind kind; /* WORD, PAIRED, or PART: none */
    int is_ascii;   /* so far */
    size_t from;    /* offset of its first byte */
    uint8_t parted; /* punctuation stood before it */
};

/* ---- memory ---- */

static kith_err reserve(ki_tokens *t, size_t bytes)
{
    kith_err err;
    if ((size_t)t->n == t->list_room) {
        const size_t room = KI_MAX((size_t)32, 2 * t->list_room);
        if ((err = ki_grow(&t->list, t->list_room, room, sizeof *t->list)) != KITH_OK) return err;
        t->list_room = room;
    }
    if (t->text_used + bytes > t->text_room) {
        const size_t room = KI_MAX(t->text_used + bytes, 2 * t->text_room + 256);
        if ((err = ki_grow(&t->text, t->text_used, room, 1)) != KITH_OK) return err;
        t->text_room = room;
    }
    return KITH_OK;
}

/* Append a token of n bytes; the caller has reserved room. */
static void append(ki_tokens *t, const char *bytes, size_t n, ki_token made)
{
    made.start = t->text_used;
    made.n = (uint8_t)n;
    memcpy(t->text + t->text_used, bytes, n);
    t->text[t->text_used + n] = '\0';
    t->text_used += n + 1;
    t->list[t->n++] = made;
}

/* ---- code points ---- */

static int is_unparted(int32_t c)
{
    return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x4dbf) ||
           (c >= 0x4e00 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
}

static enum kind kind_of(int32_t c)
{
    const utf8proc_category_t category = utf8proc_category(c);
    if (category == UTF8PROC_CATEGORY_CF) return THROUGH;
    if (category < UTF8PROC_CATEGORY_LU || category > UTF8PROC_CATEGORY_NO) return PART;
    return is_unparted(c) ? PAIRED : WORD;
}

static enum kind kind_of_ascii(unsigned char b)
{
    return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') ? WORD : PART;
}

/* The kind of what begins at s, and its bytes; a byte that is no UTF-8 parts. */
static enum kind next(const char *s, size_t n, size_t *bytes, int *is_ascii)
{
    const unsigned char b = (unsigned char)*s;
    utf8proc_int32_t c;
    *is_ascii = b < 0x80;
    *bytes = 1;
    if (b < 0x80) return kind_of_ascii(b);
    const utf8proc_ssize_t got =
        utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)KI_MIN(n, (size_t)4), &c);
    if (got <= 0) return PART;
    *bytes = (size_t)got;
    return kind_of(c);
}

static int joins(char c)
{
    return c == ' ' || c == '-' || c == '\'' || c == '\t';
}

/* ---- folding ---- */

static int is_accent(int32_t c)
{
    return c >= 0x300 && c <= 0x36f;
}

/* points -> UTF-8 in out[KI_TOKEN_BYTES + 1], whole characters only, and only those of words. */
static size_t encode(const int32_t *points, utf8proc_ssize_t n, char *out)
{
    size_t used = 0;
    for (utf8proc_ssize_t j = 0; j < n; j++) {
        utf8proc_uint8_t bytes[4];
        const enum kind kind = kind_of(points[j]);
        if (kind != WORD && kind != PAIRED) continue;
        const size_t len = (size_t)utf8proc_encode_char(points[j], bytes);
        if (used + len > KI_TOKEN_BYTES) break;
        memcpy(out + used, bytes, len);
        used += len;
    }
    out[used] = '\0';
    return used;
}

/* Decompose with `options`, drop accents when asked, compose again. */
static size_t normalise(const char *s, size_t n, utf8proc_option_t options, int strip, char *out)
{
    int32_t points[POINTS];
    utf8proc_ssize_t len = utf8proc_decompose((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n,
                                              points, POINTS, options);
    if (len < 0 || len > POINTS) len = 0;
    if (strip) {
        utf8proc_ssize_t to = 0;
        for (utf8proc_ssize_t j = 0; j < len; j++)
            if (!is_accent(points[j])) points[to++] = points[j];
        len = to;
    }
    if (len > 0) len = utf8proc_normalize_utf32(points, len, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    return len > 0 ? encode(points, len, out) : (*out = '\0', (size_t)0);
}

static size_t fold_ascii(const char *s, size_t n, char *out)
{
    n = KI_MIN(n, (size_t)KI_TOKEN_BYTES);
    for (size_t j = 0; j < n; j++) out[j] = (char)(s[j] >= 'A' && s[j] <= 'Z' ? s[j] + 32 : s[j]);
    out[n] = '\0';
    return n;
}

/* At most RAW_BYTES of a run, whole characters. */
static size_t bounded(const char *s, size_t n)
{
    if (n <= RAW_BYTES) return n;
    for (n = RAW_BYTES; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80;) n--;
    return n;
}

size_t ki_token_strip(const char *token, size_t n, char *out)
{
    return normalise(token, bounded(token, n), UTF8PROC_DECOMPOSE, 1, out);
}

/* ---- runs ---- */

static kith_err end_word(ki_tokens *t, const char *s, size_t n, const struct run *r)
{
    char folded[KI_TOKEN_BYTES + 1];
    const utf8proc_option_t how =
        UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    const size_t len =
        r->is_ascii ? fold_ascii(s, n, folded) : normalise(s, bounded(s, n), how, 0, folded);
    if (len == 0) return KITH_OK;
    const kith_err err = reserve(t, len + 1);
    if (err == KITH_OK)
        append(t, folded, len,
               (ki_token){ .is_ascii = (uint8_t)r->is_ascii, .new_start = r->parted });
    return err;
}

static size_t character(const char *s, size_t n)
{
    size_t len = 1;
    while (len < n && ((unsigned char)s[len] & 0xc0) == 0x80) len++;
    return len;
}

/* Overlapping pairs; a character that stands alone is a token of its own. */
static kith_err end_paired(ki_tokens *t, const char *s, size_t n, const struct run *r)
{
    ki_token made = { .is_pair = 1, .new_start = r->parted };
    size_t at = 0, first = character(s, n);
    do {
        const size_t second = at + first < n ? character(s + at + first, n - at - first) : 0;
        const kith_err err = reserve(t, first + second + 1);
        if (err != KITH_OK) return err;
        append(t, s + at, first + second, made);
        made.new_start = 0;
        at += first;
        first = second;
    } while (at + first < n);
    return KITH_OK;
}

static kith_err end_run(ki_tokens *t, const char *text, size_t to, struct run *r)
{
    const enum kind kind = r->kind;
    r->kind = PART;
    if (kind == PART) return KITH_OK;
    const kith_err err = kind == WORD ? end_word(t, text + r->from, to - r->from, r)
                                      : end_paired(t, text + r->from, to - r->from, r);
    r->parted = 0;
    return err;
}

kith_err ki_tokens_split(ki_tokens *t, const char *text, size_t n)
{
    struct run r = { .kind = PART };
    kith_err err;
    t->n = 0;
    t->text_used = 0;
    if (n > (size_t)1 << 30)
        return ki_fail(KITH_EINVAL, "a text has %zu bytes, want 1 GB at most", n);
    for (size_t at = 0, bytes; at < n; at += bytes) {
        int is_ascii;
        const enum kind kind = next(text + at, n - at, &bytes, &is_ascii);
        if (kind == THROUGH && r.kind == WORD) {
            r.is_ascii = 0; /* folding takes it out */
            continue;
        }
        if (kind == r.kind && kind != PART) {
            r.is_ascii &= is_ascii;
            continue;
        }
        if ((err = end_run(t, text, at, &r)) != KITH_OK) return err;
        if (kind == PART && !joins(text[at])) r.parted = 1;
        if (kind == WORD || kind == PAIRED)
            r = (struct run){ .kind = kind, .is_ascii = is_ascii, .from = at, .parted = r.parted };
    }
    return end_run(t, text, n, &r);
}

void ki_tokens_clear(ki_tokens *t)
{
    ki_free(t->list);
    ki_free(t->text);
    *t = (ki_tokens){ 0 };
}
