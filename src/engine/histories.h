/* SPDX-License-Identifier: MIT
 * histories.h -- what every user did, as it is now: rows of (item, value, time), rising by item, that change in place
 *
 * One block a user, with room behind it; an event of a user who is known costs a search and a move within the row.
 * Not safe from many threads: the owner's lock says who may write.
 */
#ifndef KI_HISTORIES_H
#define KI_HISTORIES_H

#include "base/err.h"

#include <stdint.h>

typedef struct ki_history {
    int32_t n, room;
    uint64_t stamp; /* another one whenever the row changes; never the same twice */
    int64_t *times; /* [room] one block with items and values behind it; NULL when room is 0 */
    int32_t *items; /* [room] the first n rising */
    float *values;  /* [room] */
} ki_history;

typedef struct ki_histories {
    ki_history *rows; /* [n_users] */
    int32_t n_users, room;
    int64_t n_pairs, bytes;
    uint64_t stamp; /* the latest */
} ki_histories;

typedef struct ki_history_change { /* what a pair was before */
    int is_new;
    int64_t time; /* of the pair before; of no use when it is new */
    int64_t now;  /* of the pair from now: the later of both */
} ki_history_change;

kith_err ki_histories_room_for_user(ki_histories *h);
kith_err
ki_histories_add_user(ki_histories *h); /* without events; cannot fail when there is room */

/* The pair's value becomes `value`, or grows by it when `add`. */
kith_err ki_histories_put(ki_histories *h, int32_t u, int32_t item, float value, int64_t time,
                          int add, ki_history_change *out);

/* The pair is gone; 0 when there was none.  *time: when it was. */
int ki_histories_take(ki_histories *h, int32_t u, int32_t item, int64_t *time);

void ki_histories_empty(ki_histories *h, int32_t u);

/* The first place of the row whose item is not below `item`. */
int32_t ki_history_place(const ki_history *row, int32_t item);

void ki_histories_clear(ki_histories *h);

#endif
