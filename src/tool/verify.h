/* SPDX-License-Identifier: MIT
 * verify.h -- is a JSON value what a schema says?
 *
 * The part of JSON Schema 2020-12 that kith's own schemas use: type (one, or one and null), enum, const, properties,
 * required, additionalProperties, items, minItems, maxItems, minLength, maxLength, minimum, maximum,
 * exclusiveMinimum, anyOf, and format date-time, which is checked and not only noted.  A keyword beyond these would
 * be passed over in silence, so a test holds the published schemas to this list.
 */
#ifndef KI_VERIFY_H
#define KI_VERIFY_H

#include "tool/findings.h"

/* Every violation of `value` at `at` goes into `f`; members that the schema does not name, where it
 * does not say that others are welcome (additionalProperties), become warnings. */
void ki_verify(const json_t *schema, const json_t *value, const ki_place *at, ki_findings *f);

/* RFC 3339, section 5.6: "2024-01-15T10:30:00Z". */
int ki_is_date_time(const char *s, size_t n);

#endif
