/* SPDX-License-Identifier: MIT
 * filter_context.h -- the values that a request brings for the $names of a filter
 */
#ifndef KI_FILTER_CONTEXT_H
#define KI_FILTER_CONTEXT_H

#include "base/err.h"

#include <jansson.h> /* a context arrives as a JSON object */
#include <stdint.h>

#define KI_CONTEXT_MAX 64 /* names */

typedef enum ki_value_kind {
    KI_VALUE_BOOL,    /* number: 0 or 1 */
    KI_VALUE_NUMBER,  /* number */
    KI_VALUE_TIME,    /* number: seconds since 1970 */
    KI_VALUE_TEXT,    /* text */
    KI_VALUE_NUMBERS, /* numbers[n] */
    KI_VALUE_TEXTS,   /* texts[n] */
} ki_value_kind;

typedef struct ki_value {
    char *name;
    ki_value_kind kind;
    int given; /* 0: declared only, or null in the request; what is compared with it is unknown */
    double number;
    char *text;
    int32_t n;
    double *numbers;
    char **texts;
} ki_value;

typedef struct ki_context {
    int n;
    ki_value *values; /* [n] */
} ki_context;         /* {0}: no names */

/* From an object of strings, numbers, booleans, lists of strings or of numbers, and nulls.  With `declared` the names
 * and kinds must be among its own (a time may be ISO 8601 text or seconds); NULL: kinds are found, and an empty list is
 * one of texts.  KITH_EINVAL begins with the JSON pointer of what does not fit. */
kith_err ki_context_read(ki_context *out, const json_t *object, const ki_context *declared);

/* From {"name": "kind", ...}, a kind being boolean, number, time, text, numbers or texts: nothing given yet. */
kith_err ki_context_declare(ki_context *out, const json_t *object);

const ki_value *ki_context_find(const ki_context *c,
                                const char *name); /* NULL when there is none; c may be NULL */
const char *ki_value_kind_name(ki_value_kind kind);
void ki_context_clear(ki_context *c);

#endif
