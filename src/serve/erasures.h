/* SPDX-License-Identifier: MIT
 * erasures.h -- who was deleted lately, so that what was on its way does not bring them back
 *
 * A request that began before a user was deleted may still have something of that user in its hands: a list made from
 * the history, events of a batch.  Whatever keeps such a thing (the journal, the lists to be continued, the cache, the
 * store) does so between enter and leave, and asks in between whether the user went since the request began.
 *
 *      delete   begin -> wait for those inside -> drop -> end
 *      keep     enter -> has(user, began)? leave it : keep it -> leave
 *
 * Ids are held as keyed hashes of 64 bits.  The last 1024 deletions are known; of a request that is older than all of
 * these nothing is kept.
 */
#ifndef KI_ERASURES_H
#define KI_ERASURES_H

#include "base/err.h"

#include <pthread.h>
#include <stdint.h>

enum { KI_ERASURES_KNOWN = 1024 };

typedef struct ki_erasures {
    pthread_rwlock_t lock;
    unsigned char key[16];
    int pending; /* 1: `who` is being deleted */
    uint64_t who;
    struct {
        uint64_t who;
        int64_t at; /* ki_clock_ns */
    } last[KI_ERASURES_KNOWN];
    int64_t n; /* deletions so far */
} ki_erasures;

void ki_erasures_init(ki_erasures *e);
void ki_erasures_clear(ki_erasures *e);

/* One deletion at a time: the caller sees to that.  On return from begin nobody is inside who has not heard of it. */
void ki_erasures_begin(ki_erasures *e, const char *user);
void ki_erasures_end(ki_erasures *e); /* requests that begin from now on find nothing of the user */

void ki_erasures_enter(ki_erasures *e);
void ki_erasures_leave(ki_erasures *e);

/* Did the user go since then (ki_clock_ns)?  Inside only. */
int ki_erasures_has(const ki_erasures *e, const char *user, int64_t began_ns);

#endif
