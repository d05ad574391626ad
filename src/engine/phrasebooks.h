/* SPDX-License-Identifier: MIT
 * phrasebooks.h -- how a language's sentences are kept; for phrases.c, which says them, alone
 */
#ifndef KI_PHRASEBOOKS_H
#define KI_PHRASEBOOKS_H

#include "engine/phrases.h"

struct ki_phrasebook {
    const char *open, *close; /* quotes */
    const char *percent;      /* behind a number */
    const char *and;
    const char *and_before_i; /* Spanish has another before the sound of i; NULL: the same */
    const char *group;        /* between groups of three digits */
    int group_from;           /* digits that a number must have to be grouped */
    int zero_is_one;          /* 1: "0 personne" */
    const char *phrases[KI_N_PHRASES][2]; /* of one, of several; [1] NULL: the same */
};

enum { KI_N_LANGUAGES = 6 };
extern const ki_phrasebook ki_phrasebooks[KI_N_LANGUAGES];        /* English first */
extern const char *const ki_phrasebook_codes[KI_N_LANGUAGES + 1]; /* "en", ...; NULL at the end */

#endif
