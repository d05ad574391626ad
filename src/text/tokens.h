/* SPDX-License-Identifier: MIT
 * tokens.h -- words out of any text: folded, bounded, and always valid UTF-8
 *
 * A token is a run of letters, marks and numbers of any script (utf8proc categories), case-folded
 * and in the compatibility normal form, so that "Ｆｉlm", "FILM" and "film" are one.  Accents stay,
 * because stemmers want them; ki_token_strip takes them off afterwards.  Scripts that do not part
 * words (Han, kana, Hangul) come as overlapping pairs of characters.  Bytes that are not UTF-8 part
 * words like a blank does; no text is refused.
 */
#ifndef KI_TOKENS_H
#define KI_TOKENS_H

#include "base/err.h"

#include <stdint.h>

#define KI_TOKEN_BYTES 64 /* longest token; what a longer run has beyond it is dropped */

typedef struct ki_token {
    size_t start;      /* in ki_tokens.text */
    uint8_t n;         /* bytes, 1 to KI_TOKEN_BYTES */
    uint8_t is_ascii;  /* 1: nothing to strip */
    uint8_t is_pair;   /* 1: of a script that does not part words: no stems, no parts */
    uint8_t new_start; /* 1: punctuation stands before it: no pair of words crosses it */
} ki_token;

typedef struct ki_tokens {
    int32_t n;
    ki_token *list; /* [n] */
    char *text;     /* each token is ended by NUL */
    size_t list_room, text_used, text_room;
} ki_tokens; /* {0} is empty; keeps its memory from text to text */

/* Replace what is there by the tokens of text[n].  KITH_ENOMEM; KITH_EINVAL beyond 1 GB. */
kith_err ki_tokens_split(ki_tokens *t, const char *text, size_t n);
void ki_tokens_clear(ki_tokens *t);

static inline const char *ki_token_text(const ki_tokens *t, int32_t j)
{
    return t->text + t->list[j].start;
}

/* The token without its accents (U+0300 to U+036F alone: vowel signs of Indic scripts are letters
 * to their readers): out[KI_TOKEN_BYTES + 1], ended by NUL; returns its bytes, 0 when nothing stays. */
size_t ki_token_strip(const char *token, size_t n, char *out);

#endif
