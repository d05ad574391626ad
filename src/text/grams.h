/* SPDX-License-Identifier: MIT
 * grams.h -- from a text to the terms that vectors count: stems, neighbours, parts of words
 *
 * Kinds of terms cannot meet, because no token holds a blank, '~' or '=':
 *      "run"              a stem
 *      "run shoe"         stems that follow each other, stop words left out
 *      "~_ru"             a part of a word of some characters; '_' is the word's edge
 *      "genres=drama"     the value of an attribute (fields.h)
 */
#ifndef KI_GRAMS_H
#define KI_GRAMS_H

#include "text/language.h"

#define KI_GRAM_BYTES 208 /* longest term: three tokens and the blanks between */
#define KI_GRAM_WORDS 3   /* most words in one term */

typedef struct ki_gram {
    const char *text; /* [n] no NUL at its end */
    size_t n;
    const char *label; /* [label_n] as people would read it; NULL: not for people */
    size_t label_n;
} ki_gram;

/* Called for each term, in order of the text; what the gram points to lives during the call. */
typedef kith_err (*ki_gram_fn)(void *arg, const ki_gram *gram, float weight);

typedef struct ki_gram_options {
    ki_language language; /* not auto, not each */
    int each;             /* 1: texts speak as ki_grams_speak says, `language` is the main one */
    int32_t words;        /* 1 to KI_GRAM_WORDS: most words of a term */
    int32_t char_min, char_max; /* characters of parts of words; 0 and 0: none */
} ki_gram_options;

struct sb_stemmer;

typedef struct ki_grams { /* one per thread: tokens and stemmer are its scratch */
    ki_gram_options options;
    ki_language speaks;                       /* the language of what comes next */
    struct sb_stemmer *stemmer[KI_LANGUAGES]; /* made when first needed; NULL: none */
    ki_tokens tokens;
} ki_grams;

kith_err ki_grams_new(const ki_gram_options *options, ki_grams *out);
kith_err ki_grams_of(ki_grams *g, const char *text, size_t n, float weight, ki_gram_fn fn,
                     void *arg);
void ki_grams_clear(ki_grams *g);

/* From here on texts are in the language that the votes are for, or in the main one when they are
 * for none. */
kith_err ki_grams_speak(ki_grams *g, const ki_language_votes *votes);

#endif
