/* SPDX-License-Identifier: MIT
 * keys.h -- who may call: keys, their roles, rates and quotas
 *
 * A key is 256 random bits, shown once when it is made; what is kept is its BLAKE2b hash, keyed with a secret of
 * the store, so that a stolen store tells no key and two stores with one key do not show it.  A slow hash
 * (Argon2) would defend passwords that can be guessed; nobody guesses 256 random bits, and this one is asked for with
 * every request.  The table is found by the hash, and what is found is compared in constant time.
 *
 * Reading takes no lock: entries are never moved or freed while the table lives, a key that is revoked is marked,
 * and a table that grows leaves its old self until the end (together less than the present one).
 */
#ifndef KI_KEYS_H
#define KI_KEYS_H

#include "serve/route.h"

#include <stdatomic.h>
#include <stdint.h>

enum { KI_KEY_HASH = 32, KI_KEY_TEXT = 64, KI_KEY_ID = 24, KI_KEY_LABEL = 404, KI_KEY_USER = 264 };

typedef struct ki_key {
    unsigned char hash[KI_KEY_HASH];
    char id[KI_KEY_ID], label[KI_KEY_LABEL], user[KI_KEY_USER]; /* user "": any */
    ki_key_role role;
    int64_t created, expires; /* seconds since 1970; expires 0: never */
    double rate, burst;       /* requests a second, and at once; 0: any */
    int64_t quota;            /* requests a day (UTC); 0: any */
    atomic_int revoked;
    atomic_llong
        next_ns; /* when the bucket is full again (GCRA), on the clock that never goes back */
    atomic_llong day, used; /* the day that `used` counts, requests in it */
    atomic_llong last_used; /* seconds since 1970; 0: not since the start */
} ki_key;

typedef struct ki_keys ki_keys;

/* secret[n_secret] keys the hash. */
kith_err ki_keys_new(const unsigned char *secret, size_t n_secret, ki_keys **out);
void ki_keys_free(ki_keys *k);

void ki_key_make(char *text); /* text[KI_KEY_TEXT]: a new key; its id is made with ki_key_make_id */
void ki_key_make_id(char *id);
void ki_keys_hash(const ki_keys *k, const char *text, unsigned char *hash);

kith_err ki_keys_add(ki_keys *k, const ki_key *key);      /* copies */
ki_key *ki_keys_find(const ki_keys *k, const char *text); /* NULL: unknown, revoked or over */
ki_key *ki_keys_by_id(const ki_keys *k, const char *id);
void ki_keys_revoke_user(ki_keys *k, const char *user); /* those that speak for this one user */
int ki_keys_count(const ki_keys *k);
ki_key *ki_keys_at(const ki_keys *k, int j); /* in the order of adding, revoked ones too */

/* May the key call now?  0, or the seconds after which it may. */
double ki_key_admit(ki_key *key, int64_t now_ns, int64_t now_s);

extern const char *const ki_role_names[]; /* by ki_key_role; ends with NULL */

/* keycheck: finds the key of a call, and refuses with 401, 403 or 429. */
kith_err ki_call_admit(ki_call *c);

#endif
