/* SPDX-License-Identifier: MIT
 * known.h -- the ids of a dataset while a file is read: found with one look into memory where they are short
 *
 * Small whole numbers index an array.  Any other id of up to 8 bytes is itself a number that a slot holds whole, so a
 * find compares no text.  Longer ones are found in the map itself.  Threads find while nobody enters.
 */
#ifndef KI_KNOWN_H
#define KI_KNOWN_H

#include "base/scan.h"
#include "data/idmap.h"

#include <string.h>

enum { KI_SHORT_ID = 8 };

typedef struct ki_short_slot {
    uint64_t bytes; /* the id, zeroes after it */
    uint32_t entry; /* index + 1; 0: empty */
} ki_short_slot;

typedef struct ki_known {
    ki_idmap *map; /* of the dataset */
    uint32_t *
        direct; /* [n_direct]: index + 1 of the id that is this number; 0: none, or it is in a slot */
    ki_short_slot *slots; /* [n_slots], a power of two; linear probing, at most half full */
    uint32_t n_direct, n_slots;
    int32_t n_entered, n_in_slots; /* ids of the map that were taken over, and those in the slots */
} ki_known;

typedef struct ki_id_key { /* an id made ready for finding */
    uint64_t bytes;        /* as in a slot; 0: the id is longer, as no short one is empty */
    uint64_t hash;         /* not set when it is direct */
    uint32_t number;       /* below n_direct, or KI_NO_NUMBER */
} ki_id_key;

#define KI_NO_NUMBER UINT32_MAX

/* At most 8 bytes as a number, zeroes after them: loads that overlap instead of a copy of unknown length. */
static inline uint64_t ki_short_bytes(const char *s, size_t n)
{
    uint64_t all;
    uint32_t low, high;
    if (n == 8) return memcpy(&all, s, 8), all;
    if (n >= 4) {
        memcpy(&low, s, 4);
        memcpy(&high, s + n - 4, 4);
        return (uint64_t)high << 8 * (n - 4) | low;
    }
    if (n == 0) return 0;
    return (uint64_t)(uint8_t)s[n - 1] << 8 * (n - 1) | (uint64_t)(uint8_t)s[n / 2] << 8 * (n / 2) |
           (uint8_t)s[0];
}

/* The same where `room` bytes may be read: one load where that is enough. */
static inline uint64_t ki_short_bytes_in(const char *s, size_t n, size_t room)
{
    uint64_t all;
    if (room < 8 || n == 0) return ki_short_bytes(s, n);
    memcpy(&all, s, 8);
    return all << 8 * (8 - n) >> 8 * (8 - n);
}

static inline uint64_t ki_short_hash(uint64_t bytes)
{
    const __uint128_t m = (__uint128_t)(bytes ^ 0xe7037ed1a0b428dbu) * 0xa0761d6478bd642fu;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* The number that a short id is, written without zeroes before it, or KI_NO_NUMBER. */
static inline uint32_t ki_short_number(uint64_t bytes, size_t n)
{
    if (n == 0 || n > 8 || ((bytes & 0xff) == '0' && n > 1)) return KI_NO_NUMBER;
    const uint64_t text = n == 8 ? bytes : bytes << 8 * (8 - n) | 0x3030303030303030u >> 8 * n;
    return ki_are_eight_digits(text) ? ki_eight_digits(text) : KI_NO_NUMBER;
}

/* Make an id without NUL ready, and bring closer what a find reads first; `room` bytes may be read at it. */
static inline ki_id_key ki_known_key(const ki_known *k, const char *id, size_t n, size_t room)
{
    ki_id_key key = { .number = KI_NO_NUMBER };
    if (n > KI_SHORT_ID) {
        key.hash = ki_idmap_hash(id, n);
        ki_idmap_near_slot(k->map, key.hash);
        return key;
    }
    key.bytes = ki_short_bytes_in(id, n, room);
    const uint32_t number = ki_short_number(key.bytes, n);
    if (number < k->n_direct) {
        key.number = number;
        __builtin_prefetch(&k->direct[number]);
        return key;
    }
    key.hash = ki_short_hash(key.bytes);
    if (k->n_slots > 0) __builtin_prefetch(&k->slots[(uint32_t)key.hash & (k->n_slots - 1)]);
    return key;
}

/* The index of an id that has no place in `direct`; -1 when it is not known. */
int32_t ki_known_find_slot(const ki_known *k, const ki_id_key *key, const char *id, size_t n);

/* The index of an id; -1 when it is not known. */
static inline int32_t ki_known_find(const ki_known *k, const ki_id_key *key, const char *id,
                                    size_t n)
{
    const uint32_t entry = key->number == KI_NO_NUMBER ? 0 : k->direct[key->number];
    return entry > 0 ? (int32_t)entry - 1 : ki_known_find_slot(k, key, id, n);
}

/* Take over what the map has got since the last time: from now on it is found. */
kith_err ki_known_catch_up(ki_known *k);
void ki_known_clear(ki_known *k);

#endif
