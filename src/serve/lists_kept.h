/* SPDX-License-Identifier: MIT
 * lists_kept.h -- the last lists that were given out, by rec_id: to be continued, and to be answered to by events
 *
 * A rec_id is a UUID of version 7: milliseconds, a counter, and chance, so that it sorts by time and cannot be
 * guessed.  The counter says where the list is kept; the ring forgets the oldest.  A list is kept as what was
 * asked, and the items that were shown; whoever continues it freezes the rest of it here, so that further pages
 * neither repeat nor skip an item, whatever changes meanwhile.
 */
#ifndef KI_LISTS_KEPT_H
#define KI_LISTS_KEPT_H

#include "base/err.h"

#include <stdint.h>

#define KI_REC_ID_ROOM 40 /* 36 letters and a NUL */

typedef struct ki_lists_kept ki_lists_kept;

typedef struct ki_kept_list {
    const char *user; /* who asked; NULL: nobody by id */
    const char
        *request; /* JSON of what was asked, with what a scenario brought: enough to ask it again */
    const char *who; /* members of the reply that say for whom and by which variant it was made */
    int page;        /* items of a page */
    int n;           /* items known so far */
    const char *const *items; /* [n] ids in their order */
    int frozen;               /* 1: there are no more than these */
} ki_kept_list;

kith_err ki_lists_kept_new(int room, ki_lists_kept **out);
void ki_lists_kept_free(ki_lists_kept *l); /* accepts NULL */

/* A new rec_id in out[KI_REC_ID_ROOM]; *list is copied.  KITH_ENOMEM. */
kith_err ki_lists_kept_add(ki_lists_kept *l, const ki_kept_list *list, char *rec_id);

/* In place of what is kept under that id; nothing happens when it is gone, or frozen already. */
kith_err ki_lists_kept_freeze(ki_lists_kept *l, const char *rec_id, const ki_kept_list *list);

/* A copy, for ki_free as one block; KITH_ENOTFOUND when it is no rec_id, or is too old. */
kith_err ki_lists_kept_get(ki_lists_kept *l, const char *rec_id, ki_kept_list **out);

/* Everything of this user is gone. */
void ki_lists_kept_forget(ki_lists_kept *l, const char *user);

/* Does it look like one? */
int ki_is_rec_id(const char *text);

#endif
