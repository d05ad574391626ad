/* SPDX-License-Identifier: MIT
 * err.h -- the one way a failure is told: a code that travels up, a sentence that stays with the
 * thread
 */
#ifndef KI_ERR_H
#define KI_ERR_H

#include "kith.h" /* kith_err */

#if defined(__GNUC__)
#define KI_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define KI_PRINTF(fmt, args)
#endif

#define KI_MESSAGE_SIZE 1024

/* Record the sentence of a failure and return `err`, so that whoever knows the fact writes
 * `return ki_fail(KITH_EFORMAT, "%s:%zu: 2 columns, want 3", path, line);`.  Never allocates; long
 * ones are cut. */
kith_err ki_fail(kith_err err, const char *format, ...) KI_PRINTF(2, 3);

/* ENOMEM with a sentence about `bytes`; its own function because it is said in so many places. */
kith_err ki_fail_memory(size_t bytes);

/* Copy the sentence of this thread into out[KI_MESSAGE_SIZE], and back: how a pool hands a worker's
 * failure on. */
void ki_message_get(char *out);
void ki_message_set(const char *message);

#endif
