/* SPDX-License-Identifier: MIT
 * filter_scan.h -- the words of the filter language
 */
#ifndef KI_FILTER_SCAN_H
#define KI_FILTER_SCAN_H

#include "engine/wording.h"

typedef enum ki_token_kind {
    KI_T_END,
    KI_T_NAME,
    KI_T_QUOTED_NAME, /* in backquotes */
    KI_T_TEXT,
    KI_T_NUMBER,
    KI_T_DURATION,
    KI_T_TIME,
    KI_T_CONTEXT, /* $name */
    KI_T_SIGN,    /* ( ) , + - * / = != < <= > >= ~ */
    KI_T_WORD,    /* of the language: and, or, ... */
    KI_T_BAD,
} ki_token_kind;

typedef struct ki_token {
    ki_token_kind kind;
    int32_t at, length;
    double number;       /* number, duration in seconds, time */
    char word[12];       /* sign, or word in small letters */
    const char *trouble; /* BAD: what is wrong with it, as the end of a sentence */
} ki_token;

/* The token at `at` or after blanks.  The content of a name, a text or a $name goes to out (NULL: not wanted). */
ki_token ki_token_next(const char *text, int32_t at, ki_words *out);

int ki_is_bare_name(const char *name); /* needs no backquotes */

#endif
