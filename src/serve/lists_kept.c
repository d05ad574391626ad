/* SPDX-License-Identifier: MIT
 * lists_kept.c -- a ring of lists, each one block of memory, under locks that share the ring
 */
#include "serve/lists_kept.h"

#include "base/mem.h"
#include "base/print.h"
#include "serve/clock.h"

#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

enum { LOCKS = 64 };

typedef struct place {
    uint64_t high, low; /* the rec_id; 0, 0: empty */
    ki_kept_list *list;
} place;

struct ki_lists_kept {
    pthread_mutex_t lock[LOCKS]; /* lock[s % LOCKS] guards place s */
    place *places;
    uint32_t room;
    atomic_uint_fast32_t counter;
    atomic_int_fast64_t last_ms; /* time never goes back here */
};

/* ---- ids ---- */

static uint64_t now_ms(ki_lists_kept *l)
{
    const int_fast64_t now = ki_now_ms();
    int_fast64_t last = atomic_load(&l->last_ms);
    while (last < now && !atomic_compare_exchange_weak(&l->last_ms, &last, now)) {
    }
    return (uint64_t)(last > now ? last : now);
}

/* 64 bits from the system, which gives many as fast as one. */
static uint64_t draw(void)
{
    static _Thread_local uint64_t drawn[64];
    static _Thread_local size_t left;
    if (left == 0) {
        randombytes_buf(drawn, sizeof drawn);
        left = KI_COUNT(drawn);
    }
    return drawn[--left];
}

/* 48 bits of time, version 7, 12 + 20 bits of counter around the variant, 42 bits of chance. */
static void make_id(ki_lists_kept *l, uint32_t counter, place *p)
{
    const uint64_t chance = draw();
    p->high = now_ms(l) << 16 | 0x7000u | counter >> 20;
    p->low = (uint64_t)2 << 62 | (uint64_t)(counter & 0xfffff) << 42 |
             (chance & (((uint64_t)1 << 42) - 1));
}

static void print_id(const place *p, char *out)
{
    static const int digits[] = { 8, 4, 4, 4, 12 };
    const uint64_t parts[] = { p->high >> 32, p->high >> 16, p->high, p->low >> 48, p->low };
    for (size_t j = 0; j < KI_COUNT(parts); j++) {
        out += ki_print_hex(out, parts[j], digits[j]);
        *out++ = '-';
    }
    out[-1] = '\0';
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int scan_id(const char *text, uint64_t *high, uint64_t *low)
{
    uint64_t half[2] = { 0, 0 };
    int n = 0;
    for (int j = 0; j < 36; j++) {
        if (j == 8 || j == 13 || j == 18 || j == 23) {
            if (text[j] != '-') return 0;
            continue;
        }
        const int d = digit(text[j]);
        if (d < 0) return 0; /* the NUL of a short text too */
        half[n / 16] = half[n / 16] << 4 | (uint64_t)d;
        n++;
    }
    *high = half[0];
    *low = half[1];
    return text[36] == '\0' && (half[0] >> 12 & 15) == 7 && half[1] >> 62 == 2;
}

int ki_is_rec_id(const char *text)
{
    uint64_t high, low;
    return scan_id(text, &high, &low);
}

static uint32_t counter_of(uint64_t high, uint64_t low)
{
    return (uint32_t)(high & 0xfff) << 20 | (uint32_t)(low >> 42 & 0xfffff);
}

/* ---- lists as one block ---- */

static size_t text_size(const char *s)
{
    return s == NULL ? 0 : strlen(s) + 1;
}

static const char *put(char **to, const char *s)
{
    const size_t n = text_size(s);
    char *at = *to;
    if (n == 0) return NULL;
    memcpy(at, s, n);
    *to += n;
    return at;
}

static kith_err copy(const ki_kept_list *from, ki_kept_list **out)
{
    size_t size = sizeof *from + (size_t)from->n * sizeof from->items[0] + text_size(from->user) +
                  text_size(from->request) + text_size(from->who);
    for (int j = 0; j < from->n; j++) size += text_size(from->items[j]);
    char *block = NULL;
    const kith_err err = ki_alloc(&block, size, 1);
    if (err != KITH_OK) return err;
    ki_kept_list *made = (ki_kept_list *)(void *)block;
    const char **items = (const char **)(void *)(block + sizeof *from);
    char *text = (char *)(items + from->n);
    *made = *from;
    made->items = items;
    made->user = put(&text, from->user);
    made->request = put(&text, from->request);
    made->who = put(&text, from->who);
    for (int j = 0; j < from->n; j++) items[j] = put(&text, from->items[j]);
    *out = made;
    return KITH_OK;
}

/* ---- life ---- */

kith_err ki_lists_kept_new(int room, ki_lists_kept **out)
{
    ki_lists_kept *l = NULL;
    kith_err err = ki_alloc(&l, 1, sizeof *l);
    if (err != KITH_OK) return err;
    l->room = (uint32_t)room;
    for (int j = 0; j < LOCKS; j++) pthread_mutex_init(&l->lock[j], NULL);
    if ((err = ki_alloc(&l->places, l->room, sizeof l->places[0])) != KITH_OK) {
        ki_lists_kept_free(l);
        return err;
    }
    *out = l;
    return KITH_OK;
}

void ki_lists_kept_free(ki_lists_kept *l)
{
    if (l == NULL) return;
    for (uint32_t s = 0; l->places != NULL && s < l->room; s++) ki_free(l->places[s].list);
    for (int j = 0; j < LOCKS; j++) pthread_mutex_destroy(&l->lock[j]);
    ki_free(l->places);
    ki_free(l);
}

/* ---- use ---- */

kith_err ki_lists_kept_add(ki_lists_kept *l, const ki_kept_list *list, char *rec_id)
{
    place made = { 0 };
    const kith_err err = copy(list, &made.list);
    if (err != KITH_OK) return err;
    const uint32_t counter = (uint32_t)atomic_fetch_add(&l->counter, 1), s = counter % l->room;
    make_id(l, counter, &made);
    print_id(&made, rec_id);
    pthread_mutex_lock(&l->lock[s % LOCKS]);
    ki_kept_list *old = l->places[s].list;
    l->places[s] = made;
    pthread_mutex_unlock(&l->lock[s % LOCKS]);
    ki_free(old);
    return KITH_OK;
}

/* The place of an id, locked, or NULL. */
static place *lock_place(ki_lists_kept *l, const char *rec_id, uint32_t *s)
{
    uint64_t high, low;
    if (!scan_id(rec_id, &high, &low)) return NULL;
    *s = counter_of(high, low) % l->room;
    pthread_mutex_lock(&l->lock[*s % LOCKS]);
    place *p = &l->places[*s];
    if (p->list != NULL && p->high == high && p->low == low) return p;
    pthread_mutex_unlock(&l->lock[*s % LOCKS]);
    return NULL;
}

kith_err ki_lists_kept_freeze(ki_lists_kept *l, const char *rec_id, const ki_kept_list *list)
{
    uint32_t s;
    ki_kept_list *made = NULL;
    const kith_err err = copy(list, &made);
    if (err != KITH_OK) return err;
    place *p = lock_place(l, rec_id, &s);
    if (p != NULL) {
        ki_kept_list *old = p->list;
        made->frozen = 1;
        if (!old->frozen) {
            p->list = made;
            made = old;
        }
        pthread_mutex_unlock(&l->lock[s % LOCKS]);
    }
    ki_free(made);
    return KITH_OK;
}

kith_err ki_lists_kept_get(ki_lists_kept *l, const char *rec_id, ki_kept_list **out)
{
    uint32_t s;
    place *p = lock_place(l, rec_id, &s);
    if (p == NULL)
        return ki_fail(KITH_ENOTFOUND,
                       "no list is kept under the rec_id \"%.40s\": the last %" PRIu32
                       " are (setting lists_kept)",
                       rec_id, l->room);
    const kith_err err = copy(p->list, out);
    pthread_mutex_unlock(&l->lock[s % LOCKS]);
    return err;
}

void ki_lists_kept_forget(ki_lists_kept *l, const char *user)
{
    for (uint32_t s = 0; s < l->room; s++) {
        pthread_mutex_lock(&l->lock[s % LOCKS]);
        place *p = &l->places[s];
        if (p->list != NULL && p->list->user != NULL && strcmp(p->list->user, user) == 0) {
            ki_free(p->list);
            *p = (place){ 0 };
        }
        pthread_mutex_unlock(&l->lock[s % LOCKS]);
    }
}
