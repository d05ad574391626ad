/* SPDX-License-Identifier: MIT
 * jsontext.h -- from a JSON value to the string that a caller of the library gets
 */
#ifndef KI_JSONTEXT_H
#define KI_JSONTEXT_H

#include "base/err.h"

#include <jansson.h> /* what is printed */

/* *out = the value without blanks, numbers to 15 digits, for kith_string_free.  Takes `value`; NULL stands for memory
 * that ran out while it was made: KITH_ENOMEM. */
kith_err ki_json_print(json_t *value, char **out);

#endif
