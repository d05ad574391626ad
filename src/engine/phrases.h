/* SPDX-License-Identifier: MIT
 * phrases.h -- the sentences that end users read, in several languages, as tables of templates
 *
 * A template has slots where names or numbers stand: {}, or {1}, {2}, ... where there are several, whose order is the
 * language's own.  What a phrase says of one thing and of
 * several differs in most languages, so each has both; what counts as one is the language's own
 * business.  Sentences for whoever runs the service (errors, warnings) are in English alone.
 */
#ifndef KI_PHRASES_H
#define KI_PHRASES_H

#include "engine/wording.h"

#include <stddef.h>
#include <stdint.h>

typedef enum ki_phrase {
    KI_PHRASE_LIKED,      /* because you liked {} */
    KI_PHRASE_RATED,      /* because of how you rated {} */
    KI_PHRASE_KNOWN,      /* because you know {} */
    KI_PHRASE_WORDS,      /* because of {}: words alone */
    KI_PHRASE_SHARED,     /* , which share {} with it: words, after items; counted by the items */
    KI_PHRASE_N_RATED,    /* rated by {} people */
    KI_PHRASE_N_LIKED,    /* liked by {} people */
    KI_PHRASE_DESCRIBED,  /* fits what somebody said; no slot */
    KI_PHRASE_NEW,        /* nobody has it yet; no slot */
    KI_PHRASE_MORE,       /* and {} more: after names in quotes */
    KI_PHRASE_LEFT_OUT,   /* liked items that are unknown, others are not */
    KI_PHRASE_NONE_KNOWN, /* all liked items are unknown */
    KI_PHRASE_STRANGER,   /* the user is unknown, the list is popular */
    KI_PHRASE_BY_TEXT,    /* the user is unknown, the list goes by the text */
    KI_PHRASE_BY_WISHES,  /* nothing is known of the user, the list goes by the wishes */
    KI_PHRASE_NO_HISTORY, /* the user has nothing in the training data */
    KI_PHRASE_NOBODY,     /* neither user nor liked items; no slot */
    KI_PHRASE_NO_WORDS,   /* a text of which the model knows no word; no slot */
    KI_PHRASE_NOTHING,    /* nothing is left to recommend; no slot */
    KI_PHRASE_ALL_WISHES, /* meets all wishes; no slot */
    KI_PHRASE_WISHES,     /* meets the wishes to {}: a percentage */
    /* why an item is not in a list (whynot.h) */
    KI_PHRASE_WHY_UNKNOWN,       /* the catalogue of {1} items has no {2} */
    KI_PHRASE_WHY_NEAREST,       /* ; nearest: {}: after the one before */
    KI_PHRASE_WHY_HIDDEN,        /* served to nobody for now; no slot */
    KI_PHRASE_WHY_BLOCKED,       /* by the block list's entry {} */
    KI_PHRASE_WHY_RULED_OUT,     /* blocked by the rules; no slot */
    KI_PHRASE_WHY_EXCLUDED,      /* excluded by the request; no slot */
    KI_PHRASE_WHY_RULES_EXCLUDE, /* no slot */
    KI_PHRASE_WHY_SEEN,          /* the user has it already; no slot */
    KI_PHRASE_WHY_FILTER,        /* the filter wants {} */
    KI_PHRASE_WHY_RULES_FILTER,  /* the rules want {} */
    KI_PHRASE_WHY_AND,           /* and {}: after either */
    KI_PHRASE_WHY_UNCLEAR,       /* , which is unknown for the item: after a clause; no slot */
    KI_PHRASE_WHY_VALUE,         /* {1}, a column, is {2} */
    KI_PHRASE_WHY_MISSING,       /* {}, a column, is missing */
    KI_PHRASE_WHY_NO_SOURCE,     /* no source of candidates brought it; no slot */
    KI_PHRASE_WHY_UNLEARNT,      /* the model does not know it yet, the next may; no slot */
    KI_PHRASE_WHY_CAPPED,        /* at most {1} items of one {2}, and better ones with {3} */
    KI_PHRASE_WHY_RANKED,        /* ranked at {1} with score {2} */
    KI_PHRASE_WHY_NEEDS,         /* ; to enter the first {1} it needs {2} more */
    KI_PHRASE_WHY_LEFT_OUT,      /* ; its score would do for the first {} */
    KI_PHRASE_WHY_SHOWN,         /* in the list, at place {} */
    KI_PHRASE_WHY_SHOWN_SCORE,   /* with score {1} (ranked at {2}): after the one before */
    /* what a filter let through (filter_counts.h) */
    KI_PHRASE_FILTER_PASS, /* {1} of {2} candidates pass a filter, {3} are wanted; counted by the first */
    KI_PHRASE_FILTER_WITHOUT,     /* ; without {1} {2} would: after the one before */
    KI_PHRASE_FILTER_WITHOUT_TWO, /* ; without {1} and {2} {3} would */
    KI_PHRASE_FILTER_LEAVES,      /* {1}, a clause, would leave {2} */
    KI_N_PHRASES
} ki_phrase;

typedef struct ki_phrasebook ki_phrasebook;

/* By a tag such as "de", "de-AT" or "DE_ch", of which the first part counts; NULL or "": English.
 * KITH_EINVAL names those that there are. */
kith_err ki_phrasebook_find(const char *tag, const ki_phrasebook **out);

/* The template for n things. */
const char *ki_phrasebook_say(const ki_phrasebook *l, ki_phrase phrase, int64_t n);

/* What stands before the last of several names, which is `last`, with its blanks: " and ". */
const char *ki_phrasebook_and(const ki_phrasebook *l, const char *last);

/* "1,234,567"; out[size] with size >= 40. */
const char *ki_phrasebook_count(const ki_phrasebook *l, int64_t n, char *out, size_t size);

/* "87%" of a share from 0 to 1, rounded, but never to all or nothing; out[size] with size >= 16. */
const char *ki_phrasebook_percent(const ki_phrasebook *l, double share, char *out, size_t size);

/* The marks of a quotation. */
const char *ki_phrasebook_open(const ki_phrasebook *l);
const char *ki_phrasebook_close(const ki_phrasebook *l);

/* The first `n` bytes of a name in quotes, appended to out, which holds `used` bytes of `size`;
 * returns how many it holds then. */
size_t ki_phrasebook_quote(const ki_phrasebook *l, const char *name, size_t n, char *out,
                           size_t used, size_t size);

/* out[size] = the template with its slot filled; cut, between characters, when it is too long. */
void ki_phrase_fill(const char *pattern, const char *filling, char *out, size_t size);

/* The template appended to `out`, its slots filled; fillings [n]. */
void ki_phrase_say(ki_words *out, const char *pattern, const char *const *fillings, int n);

#endif
