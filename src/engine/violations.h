/* SPDX-License-Identifier: MIT
 * violations.h -- all that is wrong with a JSON document, each with a JSON pointer (RFC 6901)
 */
#ifndef KI_VIOLATIONS_H
#define KI_VIOLATIONS_H

#include "engine/filter.h"

#define KI_VIOLATIONS_MAX 16

typedef struct ki_violation {
    char pointer[96];
    char sentence[KI_MESSAGE_SIZE / 2];
    ki_complaint why; /* when it is about a filter: where in it; else an empty picture */
} ki_violation;

typedef struct ki_violations {
    int n; /* how many there are; the first KI_VIOLATIONS_MAX are kept */
    ki_violation list[KI_VIOLATIONS_MAX];
} ki_violations; /* {0}: none */

void ki_violate(ki_violations *v, const char *pointer, const char *format, ...) KI_PRINTF(3, 4);

/* KITH_OK when there are none; else KITH_EINVAL, the sentence of the first, and how many more there are. */
kith_err ki_violations_result(const ki_violations *v, const char *what);

/* ---- reading: what does not fit becomes a violation, and the result is as if it were absent ---- */

/* Keys of the object that are not among names[n]; 0 when json is no object (a violation too). */
int ki_check_keys(ki_violations *v, const char *pointer, const json_t *json,
                  const char *const *names, int n);

/* A number in [min, max]; `init` when the key is absent. */
double ki_read_number(ki_violations *v, const char *pointer, const json_t *object, const char *key,
                      double min, double max, double init);

/* A string without NUL, or NULL; borrowed. */
const char *ki_read_string(ki_violations *v, const char *pointer, const json_t *object,
                           const char *key, int required);

/* The list under key, or NULL when it is absent or no list. */
const json_t *ki_read_list(ki_violations *v, const char *pointer, const json_t *object,
                           const char *key);

/* The filter under key; *out is NULL when it is absent or wrong.  Only KITH_ENOMEM is returned. */
kith_err ki_read_filter(ki_violations *v, const char *pointer, const json_t *object,
                        const char *key, int required, const ki_schema *schema, ki_filter **out);

#endif
