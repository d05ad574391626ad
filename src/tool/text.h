/* SPDX-License-Identifier: MIT
 * text.h -- a text that grows: long results are written as they are made, not kept as values first
 */
#ifndef KI_TEXT_H
#define KI_TEXT_H

#include "base/err.h"

#include <jansson.h>

typedef struct ki_text {
    char *at; /* [n], a NUL after it; NULL while empty */
    size_t n, room;
    kith_err err; /* of the first append that failed: asked once, at the end */
} ki_text;        /* {0} is empty */

void ki_text_reserve(ki_text *t, size_t n); /* room for n bytes more at once */
void ki_text_add(ki_text *t, const char *bytes, size_t n);
void ki_text_say(ki_text *t, const char *text);
void ki_text_json(ki_text *t, json_t *value); /* takes it; NULL is memory that ran out */
void ki_text_clear(ki_text *t);

#endif
