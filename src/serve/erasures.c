/* SPDX-License-Identifier: MIT
 * erasures.c -- a ring of deletions under a lock that deletions take alone
 */
#include "serve/erasures.h"

#include "base/mem.h"
#include "serve/clock.h"

#include <sodium.h>
#include <string.h>

/* Deletions first: a stream of requests must not keep one waiting. */
void ki_erasures_init(ki_erasures *e)
{
    pthread_rwlockattr_t how;
    *e = (ki_erasures){ 0 };
    randombytes_buf(e->key, sizeof e->key);
    pthread_rwlockattr_init(&how);
    pthread_rwlockattr_setkind_np(&how, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&e->lock, &how);
    pthread_rwlockattr_destroy(&how);
}

void ki_erasures_clear(ki_erasures *e)
{
    pthread_rwlock_destroy(&e->lock);
}

static uint64_t hash_of(const ki_erasures *e, const char *user)
{
    uint64_t hash;
    _Static_assert(sizeof hash == crypto_shorthash_BYTES, "SipHash has 64 bits");
    _Static_assert(sizeof e->key == crypto_shorthash_KEYBYTES, "and a key of 128");
    crypto_shorthash((unsigned char *)&hash, (const unsigned char *)user, strlen(user), e->key);
    return hash;
}

void ki_erasures_begin(ki_erasures *e, const char *user)
{
    pthread_rwlock_wrlock(&e->lock);
    e->who = hash_of(e, user);
    e->pending = 1;
    pthread_rwlock_unlock(&e->lock);
}

void ki_erasures_end(ki_erasures *e)
{
    pthread_rwlock_wrlock(&e->lock);
    const int64_t at = e->n++ % KI_ERASURES_KNOWN;
    e->last[at].who = e->who;
    e->last[at].at = ki_clock_ns();
    e->pending = 0;
    pthread_rwlock_unlock(&e->lock);
}

void ki_erasures_enter(ki_erasures *e)
{
    pthread_rwlock_rdlock(&e->lock);
}

void ki_erasures_leave(ki_erasures *e)
{
    pthread_rwlock_unlock(&e->lock);
}

/* Newest first: hardly ever is there one since a request began. */
int ki_erasures_has(const ki_erasures *e, const char *user, int64_t began_ns)
{
    const int64_t known = KI_MIN(e->n, (int64_t)KI_ERASURES_KNOWN);
    uint64_t who = 0;
    int hashed = 0;
    if (e->pending) {
        who = hash_of(e, user);
        hashed = 1;
        if (who == e->who) return 1;
    }
    for (int64_t j = 1; j <= known; j++) {
        const int64_t at = (e->n - j) % KI_ERASURES_KNOWN;
        if (e->last[at].at < began_ns) return 0;
        if (!hashed) who = hash_of(e, user);
        hashed = 1;
        if (e->last[at].who == who) return 1;
    }
    return known == KI_ERASURES_KNOWN;
}
