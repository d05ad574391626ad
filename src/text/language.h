/* SPDX-License-Identifier: MIT
 * language.h -- the languages whose words can be stemmed, and how one is recognised
 */
#ifndef KI_LANGUAGE_H
#define KI_LANGUAGE_H

#include "text/tokens.h"

typedef enum ki_language {
    KI_LANGUAGE_AUTO, /* the one whose stop words the texts have most of, or none */
    KI_LANGUAGE_NONE, /* no stop words, no stems */
    KI_ENGLISH,
    KI_GERMAN,
    KI_FRENCH,
    KI_SPANISH,
    KI_ITALIAN,
    KI_DUTCH,
    KI_PORTUGUESE,
    KI_SWEDISH,
    KI_DANISH, /* from here on stems only: there is no list of stop words */
    KI_NORWEGIAN,
    KI_FINNISH,
    KI_RUSSIAN,
    KI_LANGUAGES,
    KI_LANGUAGE_EACH = KI_LANGUAGES /* every text its own, the main one where it does not show */
} ki_language;

/* "auto", "none", then libstemmer's names, "each"; ends with NULL, so that it serves as a parameter's
 * choices. */
extern const char *const ki_language_names[KI_LANGUAGES + 2];

typedef struct ki_stop_list {
    const char *const *words; /* [n] without accents, in byte order */
    int n;
} ki_stop_list;
extern const ki_stop_list ki_stop_lists[KI_LANGUAGES]; /* stop_words.c */

/* Is the word, folded and without accents, one that carries no topic? */
int ki_language_stops(ki_language language, const char *word);

typedef struct ki_language_votes {
    int64_t n; /* tokens seen */
    int64_t stops[KI_LANGUAGES];
    uint64_t met[KI_LANGUAGES]; /* a bit for each stop word that came, or for some of them */
} ki_language_votes;            /* {0} at first */

void ki_language_count(ki_language_votes *v, const ki_tokens *t);

/* The language with most stop words, when they are a tenth of the tokens at least, and `least` different ones;
 * else none.  A whole catalogue wants 3: "AI" on every line is no Italian.  One text alone has few. */
ki_language ki_language_decide(const ki_language_votes *v, int least);

#endif
