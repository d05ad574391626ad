/* SPDX-License-Identifier: MIT
 * folded.h -- vectors of users whose history is newer than the model, kept until it changes again
 *
 * Folding in costs as much as searching.  One slot for some users each: the later comer takes it.  An entry is good for
 * one stamp of the user's history (histories.h), so that nobody has to tell the cache of an event.  Safe from many
 * threads at once.
 */
#ifndef KI_FOLDED_H
#define KI_FOLDED_H

#include "base/err.h"

#include <stdint.h>

typedef struct ki_folded ki_folded;

/* Slots for n_users or for as many as 64 MiB hold, of `floats` each. */
kith_err ki_folded_new(int32_t n_users, int64_t floats, ki_folded **out);
void ki_folded_free(ki_folded *f);

int ki_folded_get(ki_folded *f, int32_t u, uint64_t stamp, float *out); /* 0: not there */
void ki_folded_put(ki_folded *f, int32_t u, uint64_t stamp, const float *x);
void ki_folded_forget(ki_folded *f, int32_t u); /* the numbers are overwritten */

#endif
