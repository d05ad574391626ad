/* SPDX-License-Identifier: MIT
 * idmap.c -- an open-addressing hash of strings that lie in one blob
 *
 * The hash is wyhash-like (two multiplications per 8 bytes), the table at most half full, so a find
 * is one or two cache lines.  Indexes are given in order of first appearance.
 */
#include "data/idmap.h"

#include "base/mem.h"
#include "base/rng.h"

#include <stdio.h>
#include <string.h>

static uint64_t fold(uint64_t a, uint64_t b)
{
    const __uint128_t m = (__uint128_t)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* The last n < 8 bytes as one number: loads that overlap instead of a copy of unknown length. */
static uint64_t tail(const char *s, size_t n)
{
    uint32_t low, high;
    if (n < 4)
        return n == 0 ? 0
                      : (uint64_t)(uint8_t)s[0] << 16 | (uint64_t)(uint8_t)s[n / 2] << 8 |
                            (uint8_t)s[n - 1];
    memcpy(&low, s, 4);
    memcpy(&high, s + n - 4, 4);
    return (uint64_t)high << 32 | low;
}

uint64_t ki_idmap_hash(const char *s, size_t n)
{
    uint64_t h = n * 0x9e3779b97f4a7c15u, w;
    for (; n >= 8; n -= 8, s += 8) {
        memcpy(&w, s, 8);
        h = fold(h ^ w, 0xa0761d6478bd642fu);
    }
    return fold(h ^ tail(s, n), 0xe7037ed1a0b428dbu);
}

static int same(const ki_idmap *m, int32_t i, const char *id, size_t n)
{
    return ki_idmap_length(m, i) == n && memcmp(ki_idmap_name(m, i), id, n) == 0;
}

/* The slot of `id`, or the empty one where it would go. */
static uint32_t probe(const ki_idmap *m, const char *id, size_t n, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (m->n_slots - 1);
    while (m->slots[at] != 0 && !same(m, (int32_t)(m->slots[at] - 1), id, n))
        at = (at + 1) & (m->n_slots - 1);
    return at;
}

static kith_err rehash(ki_idmap *m, uint32_t n_slots)
{
    uint32_t *slots = NULL;
    const kith_err err = ki_alloc(&slots, n_slots, sizeof *slots);
    if (err != KITH_OK) return err;
    ki_free(m->slots);
    m->slots = slots;
    m->n_slots = n_slots;
    for (int32_t i = 0; i < m->n; i++) {
        if (ki_idmap_is_blank(m, i)) continue;
        uint32_t at =
            (uint32_t)ki_idmap_hash(ki_idmap_name(m, i), ki_idmap_length(m, i)) & (n_slots - 1);
        while (slots[at] != 0) at = (at + 1) & (n_slots - 1);
        slots[at] = (uint32_t)i + 1;
    }
    return KITH_OK;
}

static kith_err make_room(ki_idmap *m, size_t bytes)
{
    const size_t used = m->n == 0 ? 0 : (size_t)m->start[m->n];
    kith_err err;
    if (m->n >= KI_IDS_MAX) return ki_fail(KITH_EDATA, "more than %d different ids", KI_IDS_MAX);
    if (used + bytes > m->text_size) {
        const size_t size = KI_MAX(used + bytes, KI_MAX(m->text_size * 2, (size_t)1024));
        if ((err = ki_grow(&m->text, used, size, 1)) != KITH_OK) return err;
        m->text_size = size;
    }
    if ((size_t)m->n + 2 > m->start_size) {
        const size_t size = KI_MAX(m->start_size * 2, (size_t)64);
        if ((err = ki_grow(&m->start, m->start_size, size, sizeof *m->start)) != KITH_OK)
            return err;
        m->start_size = size;
    }
    if ((uint64_t)m->n * 2 + 2 > m->n_slots)
        return rehash(m, m->n_slots == 0 ? 128 : m->n_slots * 2);
    return KITH_OK;
}

kith_err ki_idmap_add(ki_idmap *m, const char *id, size_t n, int32_t *out)
{
    const uint64_t hash = ki_idmap_hash(id, n);
    if (m->n_slots > 0) {
        const uint32_t found = m->slots[probe(m, id, n, hash)];
        if (found > 0) return *out = (int32_t)(found - 1), KITH_OK;
    }
    const kith_err err = make_room(m, n + 1);
    if (err != KITH_OK) return err;
    const uint32_t at = probe(m, id, n, hash); /* anew: the table may have grown */
    char *to = m->text + m->start[m->n];
    memcpy(to, id, n);
    to[n] = '\0';
    m->start[m->n + 1] = m->start[m->n] + (int64_t)n + 1;
    m->slots[at] = (uint32_t)m->n + 1;
    *out = m->n++;
    return KITH_OK;
}

int32_t ki_idmap_find_hashed(const ki_idmap *m, const char *id, size_t n, uint64_t hash)
{
    return m->n_slots == 0 ? -1 : (int32_t)m->slots[probe(m, id, n, hash)] - 1;
}

int32_t ki_idmap_find(const ki_idmap *m, const char *id, size_t n)
{
    return ki_idmap_find_hashed(m, id, n, ki_idmap_hash(id, n));
}

static uint32_t slots_for(int32_t n)
{
    uint32_t slots = 128;
    while (slots < (uint64_t)n * 2 + 2) slots *= 2;
    return slots;
}

kith_err ki_idmap_borrow(ki_idmap *out, int32_t n, char *text, int64_t text_bytes, int64_t *start,
                         const char *what)
{
    if (n > KI_IDS_MAX || start[0] != 0 || start[n] != text_bytes)
        return ki_fail(KITH_EFORMAT, "%s: offsets do not span the text", what);
    for (int32_t i = 0; i < n; i++) {
        if (start[i + 1] <= start[i] || start[i + 1] > text_bytes ||
            text[start[i + 1] - 1] != '\0' ||
            memchr(text + start[i], '\0', (size_t)(start[i + 1] - start[i] - 1)) != NULL)
            return ki_fail(KITH_EFORMAT, "%s: entry %d is not a string", what, i);
    }
    ki_idmap m = { .n = n, .text = text, .start = start, .borrowed = 1 };
    const kith_err err = rehash(&m, slots_for(n));
    if (err != KITH_OK) return err;
    for (int32_t i = 0; i < n; i++) {
        if (ki_idmap_find(&m, ki_idmap_name(&m, i), ki_idmap_length(&m, i)) == i) continue;
        ki_free(m.slots);
        return ki_fail(KITH_EFORMAT, "%s: entry %d occurs twice", what, i);
    }
    *out = m;
    return KITH_OK;
}

kith_err ki_idmap_copy(ki_idmap *out, const ki_idmap *from)
{
    const size_t bytes = from->n == 0 ? 0 : (size_t)from->start[from->n];
    ki_idmap m = { .n = from->n, .text_size = bytes, .start_size = (size_t)from->n + 1 };
    kith_err err;
    if ((err = ki_alloc(&m.text, bytes, 1)) != KITH_OK ||
        (err = ki_alloc(&m.start, m.start_size, 8)) != KITH_OK)
        goto fail;
    if (from->n > 0) {
        memcpy(m.text, from->text, bytes);
        memcpy(m.start, from->start, m.start_size * sizeof *m.start);
    }
    if ((err = rehash(&m, slots_for(m.n))) != KITH_OK) goto fail;
    *out = m;
    return KITH_OK;
fail:
    ki_idmap_clear(&m);
    return err;
}

/* ---- blank entries: bytes of NUL, which no id has ---- */

kith_err ki_idmap_add_blank(ki_idmap *m, int32_t *out)
{
    const kith_err err = make_room(m, 2);
    if (err != KITH_OK) return err;
    memset(m->text + m->start[m->n], 0, 2);
    m->start[m->n + 1] = m->start[m->n] + 2;
    *out = m->n++;
    return KITH_OK;
}

void ki_idmap_blank(ki_idmap *m, int32_t i)
{
    memset(m->text + m->start[i], 0, ki_idmap_length(m, i)); /* its slot is passed over from now */
}

void ki_idmap_stand_in(char out[KI_IDMAP_STAND_IN], char kind, int32_t i)
{
    snprintf(out, KI_IDMAP_STAND_IN, "\x1f%c%d", kind, i);
}

kith_err ki_idmap_append(ki_idmap *m, const ki_idmap *from, int32_t n, char kind)
{
    char stand_in[KI_IDMAP_STAND_IN];
    kith_err err = KITH_OK;
    for (int32_t i = m->n, got = i; err == KITH_OK && i < n; i++) {
        if (ki_idmap_is_blank(from, i)) {
            ki_idmap_stand_in(stand_in, kind, i);
            err = ki_idmap_add(m, stand_in, strlen(stand_in), &got);
        } else
            err = ki_idmap_add(m, ki_idmap_name(from, i), ki_idmap_length(from, i), &got);
        if (err == KITH_OK && got != i)
            err = ki_fail(KITH_EINVAL, "the id of entry %d is that of entry %d", i, got);
    }
    return err;
}

kith_err ki_idmap_rename(ki_idmap *m, int32_t i, const char *id, size_t n)
{
    ki_idmap made = { 0 };
    int32_t got;
    kith_err err = ki_idmap_append(&made, m, i, 'x');
    if (err == KITH_OK) err = ki_idmap_add(&made, id, n, &got);
    if (err == KITH_OK) err = ki_idmap_append(&made, m, m->n, 'x');
    ki_idmap_clear(err == KITH_OK ? m : &made);
    if (err == KITH_OK) *m = made;
    return err;
}

void ki_idmap_empty(ki_idmap *m)
{
    if (m->n > 0) memset(m->slots, 0, m->n_slots * sizeof *m->slots);
    m->n = 0;
}

void ki_idmap_clear(ki_idmap *m)
{
    if (!m->borrowed) {
        ki_free(m->text);
        ki_free(m->start);
    }
    ki_free(m->slots);
    *m = (ki_idmap){ 0 };
}
