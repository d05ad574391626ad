/* SPDX-License-Identifier: MIT
 * crew.h -- threads for what may wait, so that those that talk to clients never do
 */
#ifndef KI_CREW_H
#define KI_CREW_H

#include "base/err.h"

#include <stdint.h>

typedef struct ki_crew ki_crew;

typedef struct ki_errand { /* part of what is to be done; the crew never allocates */
    struct ki_errand *next;
    void (*run)(void *arg);
    void *arg;
} ki_errand;

kith_err ki_crew_new(int n_threads, int64_t most_queued, ki_crew **out);
int ki_crew_send(ki_crew *c, ki_errand *e); /* 0: too much is waiting, `e` was not taken */
int64_t ki_crew_waiting(ki_crew *c);
void ki_crew_stop(
    ki_crew *c); /* takes nothing more, and returns when what was taken is done; accepts NULL */
void ki_crew_free(ki_crew *c); /* stops first; accepts NULL */

#endif
