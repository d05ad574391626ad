/* SPDX-License-Identifier: MIT
 * mem.h -- all allocation: overflow-checked, 64-byte aligned, and able to fail on purpose
 */
#ifndef KI_MEM_H
#define KI_MEM_H

#include "base/err.h"

#include <stdint.h>

#define KI_ALIGN     64
#define KI_COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define KI_MIN(a, b) ((a) < (b) ? (a) : (b))
#define KI_MAX(a, b) ((a) > (b) ? (a) : (b))

/* *out = n * size bytes of zeroes, aligned for any kernel.  n == 0 gives a valid pointer too, so
 * NULL always means "none yet".  KITH_ENOMEM on refusal or overflow, *out untouched. */
kith_err ki_alloc(void *out, size_t n, size_t size);

/* Resize *p (or make it, from NULL) keeping the first old_n elements; what is new is zero.  On
 * failure *p is as it was. */
kith_err ki_grow(void *p, size_t old_n, size_t new_n, size_t size);

void ki_free(void *p); /* accepts NULL */

/* A hint: all of the n * size bytes at p will soon be written.  The system may then give memory in large pages, at a
 * tenth of the cost; what is never written costs memory too, up to such a page at each end. */
void ki_fill_soon(void *p, size_t n, size_t size);

/* What was freed goes back to the system, as far as whole pages are free, where the C library can do that.  After
 * something that took much memory for a while; it takes locks of malloc's for as long as it looks, some ms a GB. */
void ki_give_back_free(void);

/* A copy of the n bytes at s, with a NUL after them. */
kith_err ki_strdup(char **out, const char *s);
kith_err ki_strndup(char **out, const char *s, size_t n);

/* Tests only: the n-th allocation from now (1 = next) on any thread is refused, and all after it if
 * `forever`; 0 turns it off.  ki_alloc_live() is the number of blocks not yet freed. */
void ki_alloc_fail_at(int64_t n, int forever);
int64_t ki_alloc_live(void);

#endif
