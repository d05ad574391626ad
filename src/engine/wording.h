/* SPDX-License-Identifier: MIT
 * wording.h -- sentences that grow, words that are alike, and letters whose case does not matter
 */
#ifndef KI_WORDING_H
#define KI_WORDING_H

#include "data/idmap.h"

typedef struct
    ki_words {  /* a string that grows; the first failure is kept and stops all further growth */
    char *text; /* ended by NUL once something was put */
    size_t n, room;
    kith_err err;
} ki_words; /* {0} is empty */

void ki_words_put(ki_words *w, const char *text, size_t n);
void ki_words_add(ki_words *w, const char *format, ...) KI_PRINTF(2, 3);

/* *out = the text ("" when nothing was put), to be freed with ki_free; or the failure that was kept.  Empties *w. */
kith_err ki_words_take(ki_words *w, char **out);
void ki_words_clear(ki_words *w);

/* The shortest text of a finite number that reads back as the same bits: out[32], which is returned. */
const char *ki_number_print(char *out, double x);

/* Simple case folding, one code point to one, for Latin, Greek and Cyrillic; other letters stand for themselves.  Texts
 * are valid UTF-8. */
int ki_fold_equal(const char *a, const char *b);
int ki_fold_starts(const char *text, const char *with);
int ki_fold_contains(const char *text, const char *part);

/* Which of the names is the most like `name` (fewest letters changed, case apart, ties to the first), or -1 when all
 * are too far: more than a third of its letters, at least one. */
int32_t ki_nearest(const char *name, const char *const *names, int32_t n);
int32_t ki_nearest_word(const char *name,
                        const ki_idmap *words); /* among the first 100000 of them */

#endif
