/* SPDX-License-Identifier: MIT
 * param.h -- a table of named, typed, ranged values that fill a plain struct
 *
 * The table is what help, schemas, range checks, saved headers and tuners are made from; the struct
 * is what code reads.
 */
#ifndef KI_PARAM_H
#define KI_PARAM_H

#include "base/err.h"

#include <jansson.h> /* parameters as a JSON object in saved headers and help */

#define KI_TEXT_ROOM 256 /* bytes of a text field, its ending NUL included */

typedef enum ki_param_kind {
    KI_INT,    /* field int32_t */
    KI_FLOAT,  /* field float */
    KI_BOOL,   /* field int32_t, 0 or 1 */
    KI_CHOICE, /* field int32_t, the index into `choices` */
    KI_TEXT,   /* field char[KI_TEXT_ROOM]: a name, or names with commas between them */
} ki_param_kind;

typedef enum ki_scale {
    KI_FIXED,
    KI_LINEAR,
    KI_LOG
} ki_scale; /* how a tuner walks a parameter; FIXED: it does not */

typedef struct ki_param {
    const char *name;
    ki_param_kind kind;
    size_t offset;              /* of the field in its struct */
    double init;                /* default; for a choice its index; a text starts as "" */
    double min, max;            /* allowed, both inclusive; ignored for bool, choice and text */
    const char *meaning;        /* one line */
    const char *const *choices; /* ends with NULL; choice only */
    ki_scale scale;             /* of the tuning range */
    double tune_min, tune_max;
} ki_param;

/* Every field of `self` its default. */
void ki_params_default(const ki_param *table, int n, void *self);

/* Set one by name from text.  KITH_EINVAL for a name that the table lacks, and for a value that
 * does not parse or is out of range; `owner` ("ials") stands in the sentence. */
kith_err ki_params_set(const ki_param *table, int n, void *self, const char *owner,
                       const char *name, const char *value);

/* The values of `self` as a JSON object (new reference), and back; NULL/KITH_ENOMEM when memory ran
 * out.  A text may come as an array of strings too: the names of a list. */
json_t *ki_params_values(const ki_param *table, int n, const void *self);
kith_err ki_params_read(const ki_param *table, int n, void *self, const char *owner,
                        const json_t *values);

/* The table itself as a JSON array of {name, type, default, min, max, choices, meaning, tune} (new
 * reference). */
json_t *ki_params_describe(const ki_param *table, int n);

const ki_param *ki_params_find(const ki_param *table, int n,
                               const char *name); /* NULL when unknown */

#endif
