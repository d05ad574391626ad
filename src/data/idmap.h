/* SPDX-License-Identifier: MIT
 * idmap.h -- external string ids and dense int32 indexes, both ways
 *
 * All strings lie in one blob, so a map of a million ids is three allocations and is saved as two
 * tensors.
 */
#ifndef KI_IDMAP_H
#define KI_IDMAP_H

#include "base/err.h"

#include <stdint.h>

typedef struct ki_idmap {
    int32_t n;
    char *text;     /* [text_bytes]: the ids one after the other, each ended by NUL */
    int64_t *start; /* [n + 1]: where id i begins in text; start[n] == text_bytes */
    int borrowed;   /* 1: text and start belong to a file mapping */
    uint32_t
        *slots; /* [n_slots], a power of two: index + 1, 0 empty; open addressing, linear probing */
    uint32_t n_slots;
    size_t text_size, start_size; /* allocated elements */
} ki_idmap;                       /* {0} is an empty map */

#define KI_IDS_MAX ((1 << 30) - 1) /* more would want 2^32 slots, and their number has 32 bits */

/* The index of `id` (of n bytes, without NUL inside), added if new.  KITH_EDATA beyond KI_IDS_MAX
 * ids. */
kith_err ki_idmap_add(ki_idmap *m, const char *id, size_t n, int32_t *out);
int32_t ki_idmap_find(const ki_idmap *m, const char *id, size_t n); /* -1 when unknown */

/* The same with the hash at hand. */
uint64_t ki_idmap_hash(const char *id, size_t n);
int32_t ki_idmap_find_hashed(const ki_idmap *m, const char *id, size_t n, uint64_t hash);

/* Bring what a find will read closer, one step of it per call: the slot, the offset, the text.  A find waits for
 * memory three times; over a batch of ids these waits overlap. */
static inline void ki_idmap_near_slot(const ki_idmap *m, uint64_t hash)
{
    if (m->n_slots > 0) __builtin_prefetch(&m->slots[(uint32_t)hash & (m->n_slots - 1)]);
}

static inline void ki_idmap_near_offset(const ki_idmap *m, uint64_t hash)
{
    const uint32_t slot = m->n_slots == 0 ? 0 : m->slots[(uint32_t)hash & (m->n_slots - 1)];
    if (slot > 0) __builtin_prefetch(&m->start[slot - 1]);
}

static inline void ki_idmap_near_text(const ki_idmap *m, uint64_t hash)
{
    const uint32_t slot = m->n_slots == 0 ? 0 : m->slots[(uint32_t)hash & (m->n_slots - 1)];
    if (slot > 0) __builtin_prefetch(m->text + m->start[slot - 1]);
}

static inline const char *ki_idmap_name(const ki_idmap *m, int32_t i)
{
    return m->text + m->start[i];
}

static inline size_t ki_idmap_length(const ki_idmap *m, int32_t i)
{
    return (size_t)(m->start[i + 1] - m->start[i]) - 1;
}

/* A map over arrays that someone else keeps (a file mapping): checks them, KITH_EFORMAT if they are
 * not sound, and builds the hash.  `what` ("user ids") stands in the sentence. */
kith_err ki_idmap_borrow(ki_idmap *out, int32_t n, char *text, int64_t text_bytes, int64_t *start,
                         const char *what);
/* ---- ids that are told no more ----
 * A blank entry keeps its index; its name is "" and no find meets it. */

kith_err ki_idmap_add_blank(ki_idmap *m, int32_t *out); /* the next index, blank from the start */
void ki_idmap_blank(ki_idmap *m, int32_t i); /* i's text is overwritten; not for borrowed maps */

static inline int ki_idmap_is_blank(const ki_idmap *m, int32_t i)
{
    return ki_idmap_name(m, i)[0] == '\0' && ki_idmap_length(m, i) > 0;
}

#define KI_IDMAP_STAND_IN 32 /* bytes of a name that stands in for a blank one */

/* "\x1fu12": what stands for blank entry 12 of users ('u') where every entry needs a name of its own. */
void ki_idmap_stand_in(char out[KI_IDMAP_STAND_IN], char kind, int32_t i);

/* A copy of the entries [m->n, n) of `from` behind those of `m`, stand-ins for the blank ones. */
kith_err ki_idmap_append(ki_idmap *m, const ki_idmap *from, int32_t n, char kind);

/* Another name for entry i; the map owns its memory afterwards.  Time of all ids. */
kith_err ki_idmap_rename(ki_idmap *m, int32_t i, const char *id, size_t n);

void ki_idmap_empty(ki_idmap *m); /* no ids, but the memory is kept for new ones */
kith_err ki_idmap_copy(ki_idmap *out, const ki_idmap *from);
void ki_idmap_clear(ki_idmap *m);

#endif
