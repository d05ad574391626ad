/* SPDX-License-Identifier: MIT
 * jsonrow.h -- one interaction out of a JSON object
 */
#ifndef KI_JSONROW_H
#define KI_JSONROW_H

#include "data/roles.h"
#include "data/rows.h" /* ki_found_row */

#include <jansson.h>

typedef struct ki_json_row {
    ki_found_row row; /* its ids lie in the object, or below when they were numbers */
    char user[24], item[24];
    char why[160]; /* what was got and wanted, when it is none */
} ki_json_row;

/* 1 when `o` is an interaction: user and item (strings, or whole numbers), perhaps a value (number, boolean, number as
 * text; null or absent: 1) and a time (number or ISO 8601 text). */
int ki_json_interaction(const json_t *o, const kith_read_options *options, ki_json_row *out);

/* Does the text begin with an object, so that it is lines of JSON and no table? */
int ki_json_begins(const char *head, size_t n);

/* The member of `o` whose name fits the role best; if none does and `plain` is not 0, "id", or "_id", which is what
 * document stores call it; NULL when there is none.  *name becomes its name. */
const json_t *ki_json_role(const json_t *o, ki_role role, const kith_read_options *options,
                           int plain, const char **name);

/* An id as text: the string itself, or a whole number printed to buffer[24]; n == 0 if it is neither. */
ki_span ki_json_id(const json_t *v, char *buffer);

#endif
