/* SPDX-License-Identifier: MIT
 * jsonwrite.h -- JSON written as it is made, where a tree of values first would cost more than the answer
 */
#ifndef KI_JSONWRITE_H
#define KI_JSONWRITE_H

#include "tool/text.h"

/* A string in quotes; what is not UTF-8 becomes U+FFFD.  NULL is null. */
void ki_write_string(ki_text *t, const char *s);

/* To nine digits; what is not finite is null. */
void ki_write_number(ki_text *t, double x);
void ki_write_whole(ki_text *t, int64_t x);

/* A value whole, its numbers to fifteen digits; takes it, NULL is memory that ran out. */
void ki_write_json(ki_text *t, json_t *value);

/* A value whole, as it is: what reads it back gets the same. */
void ki_write_value(ki_text *t, const json_t *value);

/* "name": with a comma before it, unless an object or list has just begun.  The name needs no escapes. */
void ki_write_key(ki_text *t, const char *name);

/* A comma, unless an object or list has just begun. */
void ki_write_next(ki_text *t);

#endif
