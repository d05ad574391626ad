/* SPDX-License-Identifier: MIT
 * jsonscan.h -- long JSON text cut into the values that it is made of, without a tree of them
 *
 * It does not judge: what is wrong within a value is for the parser that the value is handed to.  Where the text
 * cannot be followed a function returns 0.
 */
#ifndef KI_JSONSCAN_H
#define KI_JSONSCAN_H

#include <stddef.h>
#include <stdint.h>

typedef struct ki_json_scan {
    const char *at, *end; /* what is left */
} ki_json_scan;

void ki_json_blanks(ki_json_scan *s);

/* Past the character c, if it is the next after blanks. */
int ki_json_take(ki_json_scan *s, char c);

/* Past a member's name (key[n], escapes as they stand) and its colon. */
int ki_json_key(ki_json_scan *s, const char **key, size_t *n);

/* Past one value, whatever it is, by counting brackets. */
int ki_json_skip(ki_json_scan *s);

int ki_json_is(const char *key, size_t n, const char *word);

#endif
