/* SPDX-License-Identifier: MIT
 * letters.h -- the letters of UTF-8 text, the same in either case
 *
 * Capitals are known of the Latin (basic, supplement and Extended-A), Greek and Cyrillic alphabets,
 * whatever the locale; other scripts with two cases (Armenian, Georgian, ...) are compared as they
 * stand.
 */
#ifndef KI_LETTERS_H
#define KI_LETTERS_H

#include <stddef.h>
#include <stdint.h>

/* The letter at *at, in its small form, and *at moved behind it; *at < end.  A byte that is not
 * UTF-8 counts as a letter of its own (0xDC00 + byte, which no text holds). */
uint32_t ki_letter_next(const char **at, const char *end);

/* Is it part of a word?  ASCII digits and letters are, and all beyond ASCII but the punctuation of
 * Latin-1 and of U+2000 to U+206F. */
int ki_letter_is_word(uint32_t letter);

/* The next word of text from *at on: its bytes, *at moved behind it.  NULL when there is none. */
const char *ki_word_next(const char **at, const char *end, size_t *n);

#endif
