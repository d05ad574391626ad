/* SPDX-License-Identifier: MIT
 * hosts.h -- the names that a service may be called by
 *
 * A browser lets a page of evil.example call evil.example, and whoever owns that name may have it point to 127.0.0.1
 * (DNS rebinding): only the Host header tells such a call from one that was meant.
 */
#ifndef KI_HOSTS_H
#define KI_HOSTS_H

#include <jansson.h>

/* An address of this machine alone: localhost, 127.x.y.z, ::1.  NULL is. */
int ki_host_is_loopback(const char *host);

/* Is the Host header (NAME, NAME:PORT, [ADDRESS]:PORT) a loopback address, or in the list of names (NULL: none)? */
int ki_host_is_ours(const char *header, const json_t *names);

#endif
