/* SPDX-License-Identifier: MIT
 * keys.c -- a table of hashes that is read without a lock
 */
#include "serve/keys.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

const char *const ki_role_names[] = { "nobody", "public", "read", "write", "admin", NULL };

typedef struct table {
    struct table *older; /* kept: somebody may still read it */
    size_t mask;
    _Atomic(ki_key *) slots[]; /* [mask + 1], open addressing, never more than half full */
} table;

struct ki_keys {
    unsigned char secret[crypto_generichash_KEYBYTES];
    _Atomic(table *) table;
    atomic_int n;
    pthread_mutex_t writing; /* guards what follows */
    _Atomic(ki_key **) all;  /* [room], the first n are there */
    ki_key **older[40];      /* former selves of all: room doubles, so 40 are enough */
    int n_older, room;
};

/* ---- making ---- */

void ki_key_make(char *text)
{
    unsigned char bits[32];
    char encoded[48];
    randombytes_buf(bits, sizeof bits);
    sodium_bin2base64(encoded, sizeof encoded, bits, sizeof bits,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(text, KI_KEY_TEXT, "kith_%s", encoded);
    sodium_memzero(bits, sizeof bits);
    sodium_memzero(encoded, sizeof encoded);
}

void ki_key_make_id(char *id)
{
    unsigned char bits[8];
    char hex[17];
    randombytes_buf(bits, sizeof bits);
    sodium_bin2hex(hex, sizeof hex, bits, sizeof bits);
    snprintf(id, KI_KEY_ID, "key-%s", hex);
}

void ki_keys_hash(const ki_keys *k, const char *text, unsigned char *hash)
{
    crypto_generichash(hash, KI_KEY_HASH, (const unsigned char *)text, strlen(text), k->secret,
                       sizeof k->secret);
}

static kith_err table_new(size_t size, table **out)
{
    table *t = NULL;
    const kith_err err = ki_alloc(&t, 1, sizeof *t + size * sizeof t->slots[0]);
    if (err != KITH_OK) return err;
    t->mask = size - 1;
    *out = t;
    return KITH_OK;
}

kith_err ki_keys_new(const unsigned char *secret, size_t n_secret, ki_keys **out)
{
    ki_keys *k = NULL;
    table *t = NULL;
    kith_err err;
    if (sodium_init() < 0) return ki_fail(KITH_EIO, "libsodium cannot start");
    if ((err = ki_alloc(&k, 1, sizeof *k)) != KITH_OK) return err;
    if ((err = table_new(64, &t)) != KITH_OK) {
        ki_free(k);
        return err;
    }
    crypto_generichash(k->secret, sizeof k->secret, secret, n_secret, NULL, 0);
    atomic_store(&k->table, t);
    pthread_mutex_init(&k->writing, NULL);
    *out = k;
    return KITH_OK;
}

void ki_keys_free(ki_keys *k)
{
    if (k == NULL) return;
    for (int j = 0; j < k->n; j++) ki_free(k->all[j]);
    for (int j = 0; j < k->n_older; j++) ki_free(k->older[j]);
    ki_free(k->all);
    for (table *t = k->table; t != NULL;) {
        table *older = t->older;
        ki_free(t);
        t = older;
    }
    pthread_mutex_destroy(&k->writing);
    sodium_memzero(k, sizeof *k);
    ki_free(k);
}

/* ---- the table ---- */

static size_t start_of(const unsigned char *hash)
{
    uint64_t h;
    memcpy(&h, hash, sizeof h);
    return (size_t)h;
}

static void put(table *t, ki_key *key)
{
    size_t at = start_of(key->hash);
    while (atomic_load_explicit(&t->slots[at & t->mask], memory_order_relaxed) != NULL) at++;
    atomic_store_explicit(&t->slots[at & t->mask], key, memory_order_release);
}

static kith_err make_room(ki_keys *k)
{
    const int n = k->n;
    table *now = k->table, *wider = NULL;
    kith_err err;
    if (n == k->room) {
        const int room = k->room > 0 ? 2 * k->room : 32;
        ki_key **all = NULL;
        if ((err = ki_alloc(&all, (size_t)room, sizeof(ki_key *))) != KITH_OK) return err;
        if (n > 0) {
            memcpy(all, k->all, (size_t)n * sizeof(ki_key *));
            k->older[k->n_older++] = k->all;
        }
        atomic_store(&k->all, all);
        k->room = room;
    }
    if ((size_t)n * 2 < now->mask) return KITH_OK;
    if ((err = table_new((now->mask + 1) * 2, &wider)) != KITH_OK) return err;
    for (int j = 0; j < n; j++) put(wider, k->all[j]);
    wider->older = now;
    atomic_store_explicit(&k->table, wider, memory_order_release);
    return KITH_OK;
}

kith_err ki_keys_add(ki_keys *k, const ki_key *key)
{
    ki_key *copy = NULL;
    kith_err err = ki_alloc(&copy, 1, sizeof *copy);
    if (err != KITH_OK) return err;
    memcpy(copy, key, sizeof *copy);
    pthread_mutex_lock(&k->writing);
    if ((err = make_room(k)) == KITH_OK) {
        k->all[k->n] = copy;
        put(k->table, copy);
        atomic_fetch_add(&k->n, 1);
    }
    pthread_mutex_unlock(&k->writing);
    if (err != KITH_OK) ki_free(copy);
    return err;
}

ki_key *ki_keys_find(const ki_keys *k, const char *text)
{
    unsigned char hash[KI_KEY_HASH];
    const table *t = atomic_load_explicit(&k->table, memory_order_acquire);
    ki_key *found = NULL;
    if (strlen(text) >= KI_KEY_TEXT) return NULL;
    ki_keys_hash(k, text, hash);
    for (size_t at = start_of(hash); found == NULL; at++) {
        ki_key *one = atomic_load_explicit(&t->slots[at & t->mask], memory_order_acquire);
        if (one == NULL) return NULL;
        if (sodium_memcmp(one->hash, hash, sizeof hash) == 0) found = one;
    }
    return atomic_load_explicit(&found->revoked, memory_order_relaxed) ? NULL : found;
}

int ki_keys_count(const ki_keys *k)
{
    return atomic_load(&k->n);
}

ki_key *ki_keys_at(const ki_keys *k, int j)
{
    return k->all[j];
}

ki_key *ki_keys_by_id(const ki_keys *k, const char *id)
{
    for (int j = 0, n = ki_keys_count(k); j < n; j++)
        if (strcmp(k->all[j]->id, id) == 0) return k->all[j];
    return NULL;
}

void ki_keys_revoke_user(ki_keys *k, const char *user)
{
    for (int j = 0, n = ki_keys_count(k); j < n; j++)
        if (k->all[j]->user[0] != '\0' && strcmp(k->all[j]->user, user) == 0)
            atomic_store(&k->all[j]->revoked, 1);
}

/* ---- rates ---- */

/* The generic cell rate algorithm: one number says when the bucket would be full again; a call moves it
 * on by 1/rate, and may not when that lies further ahead than the burst. */
static double take_token(ki_key *key, int64_t now)
{
    if (key->rate <= 0) return 0;
    const double step = 1e9 / key->rate,
                 most = KI_MAX(key->burst > 0 ? key->burst : 2 * key->rate, 1) * step;
    long long before = atomic_load_explicit(&key->next_ns, memory_order_relaxed);
    for (;;) {
        const double after = (double)KI_MAX(before, (long long)now) + step;
        if (after - (double)now > most) return (after - (double)now - most) / 1e9;
        if (atomic_compare_exchange_weak(&key->next_ns, &before, (long long)after)) return 0;
    }
}

static double take_of_quota(ki_key *key, int64_t now)
{
    if (key->quota <= 0) return 0;
    const long long today = now / 86400;
    long long day = atomic_load(&key->day);
    if (day != today && atomic_compare_exchange_strong(&key->day, &day, today))
        atomic_store(&key->used, 0);
    if (atomic_fetch_add(&key->used, 1) < key->quota) return 0;
    return (double)((today + 1) * 86400 - now);
}

double ki_key_admit(ki_key *key, int64_t now_ns, int64_t now_s)
{
    const double wait = take_token(key, now_ns);
    if (atomic_load_explicit(&key->last_used, memory_order_relaxed) != now_s)
        atomic_store_explicit(&key->last_used, now_s, memory_order_relaxed);
    return wait > 0 ? wait : take_of_quota(key, now_s);
}
