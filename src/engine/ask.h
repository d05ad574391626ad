/* SPDX-License-Identifier: MIT
 * ask.h -- one question, once it is known who asks and what was said: the list, or why an item is not in it
 */
#ifndef KI_ASK_H
#define KI_ASK_H

#include "engine/asked.h"
#include "engine/request.h"

/* Through filter, stages and reasons to a list.  Narrows *r and points a->query into it. */
kith_err ki_ask_list(const kith_model *m, const kith_query *query, ki_asked *a, ki_request *r,
                     uint64_t seed, kith_list **out);

/* The verdict as kith_why_not prints it. */
kith_err ki_ask_why_not(const kith_model *m, const kith_query *query, ki_asked *a, ki_request *r,
                        uint64_t seed, const char *item_id, char **json);

/* An estimate for the query of somebody (n == 0: of whom nothing is known) and one item. */
kith_err ki_ask_predict(const ki_model *m, const ki_query *q, int32_t item, kith_prediction *out);

/* What a prediction is where nothing supports one. */
kith_prediction ki_ask_fallback(const ki_model *m);

#endif
