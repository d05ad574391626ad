/* SPDX-License-Identifier: MIT
 * reaper.h -- letting go of clients that take too long
 *
 * libmicrohttpd closes connections that are idle, but one byte a second keeps one open for ever.  Here every
 * connection has a deadline for what it is doing now (sending headers, sending a body, taking a reply, being idle), set
 * anew with each step; a thread looks a few times a second and shuts the late ones down.  The same thread
 * ticks for streams that wait for news.
 */
#ifndef KI_REAPER_H
#define KI_REAPER_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdint.h>

typedef struct ki_reaper ki_reaper;

typedef struct ki_peer { /* one connection */
    struct ki_peer *prev, *next;
    int fd;
    atomic_llong deadline; /* ki_clock_ns; 0: none */
    void *request;         /* that is being read, the transport's own; NULL: none */
} ki_peer;

/* tick is called a few times a second by the reaper's thread. */
kith_err ki_reaper_new(void (*tick)(void *arg), void *arg, ki_reaper **out);
void ki_reaper_stop(
    ki_reaper *r); /* ends the thread; connections may still be removed; accepts NULL */
void ki_reaper_free(ki_reaper *r); /* stops first; accepts NULL */

ki_peer *ki_reaper_add(ki_reaper *r, int fd, int64_t deadline); /* NULL: no memory */
void ki_reaper_remove(ki_reaper *r, ki_peer *p); /* before fd is closed; frees it; accepts NULL */
void ki_peer_due(ki_peer *p, int64_t deadline);  /* accepts NULL */

typedef struct ki_reaper_counts {
    int64_t open, accepted, late;
} ki_reaper_counts;
void ki_reaper_count(ki_reaper *r, ki_reaper_counts *out);

#endif
