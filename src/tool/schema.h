/* SPDX-License-Identifier: MIT
 * schema.h -- the tool contract as data: what a request may hold, what a result holds
 *
 * One set of C tables; from it comes the JSON Schema that is published and that requests (and, in
 * tests, results) are held against.
 */
#ifndef KI_SCHEMA_H
#define KI_SCHEMA_H

#include "base/err.h"

#include <jansson.h>

/* A JSON Schema 2020-12 document, a new reference; NULL when memory ran out.  The schema of requests
 * has the parameters of every model under $defs, as "model_ials". */
json_t *ki_schema_request(void);
json_t *ki_schema_response(void);

/* Of a schema of requests: that of one element of user_data, item_data or interaction_data, and that
 * of the parameters of a model; borrowed, NULL when there is none. */
const json_t *ki_schema_element(const json_t *request, const char *list);
const json_t *ki_schema_model(const json_t *request, const char *model);

/* "recommendation_count" of the table "recommendation_configuration" and the like: the default that
 * the schema states, as a number; 0 when it states none. */
double ki_schema_default(const json_t *request, const char *section, const char *field);

#endif
