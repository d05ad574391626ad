/* SPDX-License-Identifier: MIT
 * print.h -- numbers as text: the bytes that printf would write, in a tenth of its time
 *
 * Replies and log lines are mostly numbers.  Each function writes at `out`, without a NUL, and returns how many bytes.
 */
#ifndef KI_PRINT_H
#define KI_PRINT_H

#include <stddef.h>
#include <stdint.h>

enum { KI_PRINT_ROOM = 32 };

size_t ki_print_whole(char *out /* [KI_PRINT_ROOM] */, int64_t x); /* %lld */

/* %.9g: what a float needs to be read back as it was.  Also of what is not finite. */
size_t ki_print_number(char *out /* [KI_PRINT_ROOM] */, double x);

/* `digits` (1 to 16) of x in base 16, with zeroes before it: %0*llx of its low bits. */
size_t ki_print_hex(char *out /* [digits] */, uint64_t x, int digits);

/* `digits` (1 to 19) of x >= 0 in base 10, with zeroes before it. */
size_t ki_print_padded(char *out /* [digits] */, int64_t x, int digits);

#endif
