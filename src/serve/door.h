/* SPDX-License-Identifier: MIT
 * door.h -- a thread that accepts clients and hands them round
 *
 * Left to themselves the threads that talk to clients accept them too, and the first that wakes takes most of a burst:
 * of 16 clients that came at once one thread had 15, and the other processor nothing to do.
 */
#ifndef KI_DOOR_H
#define KI_DOOR_H

#include "base/err.h"

#include <sys/socket.h>

typedef struct ki_door ki_door;

typedef struct ki_guests { /* who takes them */
    int (*is_full)(void *arg);
    void (*let_in)(void *arg, int fd, const struct sockaddr *from, socklen_t n); /* takes fd */
    void *arg;
} ki_guests;

/* `fd` listens, without blocking; it stays the caller's. */
kith_err ki_door_open(int fd, const ki_guests *guests, ki_door **out);

/* Nobody is let in after this.  Accepts NULL. */
void ki_door_shut(ki_door *d);

#endif
