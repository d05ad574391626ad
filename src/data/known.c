/* SPDX-License-Identifier: MIT
 * known.c -- short ids as numbers: small ones in an array, others in an open-addressing table
 *
 * The array is let grow to 16 numbers per id, 64 bytes, so ids that are spread out do not fill the memory: those that
 * come when it would have to be larger go into slots and stay there.
 */
#include "data/known.h"

#include "base/mem.h"

static void put(ki_known *k, uint64_t bytes, uint32_t entry)
{
    uint32_t at = (uint32_t)ki_short_hash(bytes) & (k->n_slots - 1);
    while (k->slots[at].entry != 0) at = (at + 1) & (k->n_slots - 1);
    k->slots[at] = (ki_short_slot){ bytes, entry };
}

static kith_err widen(ki_known *k)
{
    const ki_known old = *k;
    const uint32_t n_slots = old.n_slots == 0 ? 256 : old.n_slots * 2;
    ki_short_slot *slots = NULL;
    const kith_err err = ki_alloc(&slots, n_slots, sizeof *slots);
    if (err != KITH_OK) return err;
    k->slots = slots;
    k->n_slots = n_slots;
    for (uint32_t j = 0; j < old.n_slots; j++)
        if (old.slots[j].entry != 0) put(k, old.slots[j].bytes, old.slots[j].entry);
    ki_free(old.slots);
    return KITH_OK;
}

/* Room for `number` in the array, if it may have so much; else number is not below n_direct. */
static kith_err make_direct(ki_known *k, uint32_t number)
{
    const uint64_t most = KI_MAX((uint64_t)k->n_entered * 16, (uint64_t)4096);
    if (number < k->n_direct || number >= most) return KITH_OK;
    const uint32_t want = (uint32_t)KI_MIN(KI_MAX((uint64_t)number * 2, (uint64_t)1024), most);
    const kith_err err = ki_grow(&k->direct, k->n_direct, want, sizeof *k->direct);
    if (err == KITH_OK) k->n_direct = want;
    return err;
}

static kith_err enter(ki_known *k, int32_t i, size_t n)
{
    const uint64_t bytes = ki_short_bytes(ki_idmap_name(k->map, i), n);
    const uint32_t number = ki_short_number(bytes, n);
    kith_err err = number == KI_NO_NUMBER ? KITH_OK : make_direct(k, number);
    if (err == KITH_OK && number < k->n_direct) return k->direct[number] = (uint32_t)i + 1, KITH_OK;
    if (err == KITH_OK && (uint64_t)k->n_in_slots * 2 + 2 > k->n_slots) err = widen(k);
    if (err != KITH_OK) return err;
    put(k, bytes, (uint32_t)i + 1);
    k->n_in_slots++;
    return KITH_OK;
}

kith_err ki_known_catch_up(ki_known *k)
{
    for (; k->n_entered < k->map->n; k->n_entered++) {
        const size_t n = ki_idmap_length(k->map, k->n_entered);
        const kith_err err = n > KI_SHORT_ID ? KITH_OK : enter(k, k->n_entered, n);
        if (err != KITH_OK) return err;
    }
    return KITH_OK;
}

int32_t ki_known_find_slot(const ki_known *k, const ki_id_key *key, const char *id, size_t n)
{
    if (key->bytes == 0) return ki_idmap_find_hashed(k->map, id, n, key->hash);
    if (k->n_slots == 0) return -1;
    const uint64_t hash = key->number == KI_NO_NUMBER ? key->hash : ki_short_hash(key->bytes);
    uint32_t at = (uint32_t)hash & (k->n_slots - 1);
    while (k->slots[at].entry != 0 && k->slots[at].bytes != key->bytes)
        at = (at + 1) & (k->n_slots - 1);
    return (int32_t)k->slots[at].entry - 1;
}

void ki_known_clear(ki_known *k)
{
    ki_free(k->direct);
    ki_free(k->slots);
    *k = (ki_known){ 0 };
}
