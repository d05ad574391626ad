/* SPDX-License-Identifier: MIT
 * request.h -- what a query says beyond who asks: filter, context, pipeline and wishes, read against a model
 */
#ifndef KI_REQUEST_H
#define KI_REQUEST_H

#include "engine/block.h"
#include "engine/phrases.h"
#include "engine/pipeline.h"

typedef struct ki_request {
    const ki_phrasebook *language; /* of sentences */
    ki_schema schema;
    ki_context context;
    ki_env env;
    ki_filter *filter;    /* NULL: none */
    ki_pipeline pipeline; /* the defaults when the query has none */
    ki_knowledge *wishes; /* owned; NULL: none */
    int32_t *only;        /* [n_only] what filter and rules let through, rising; NULL: all */
    int32_t n_only;
    const kith_block *block; /* of the query; NULL: none */
    json_t *counts;          /* what each clause of the filter removed; NULL: there is no filter */
    const char
        *told; /* report of a list that is full, known already; NULL: it is counted for who asks */
} ki_request;

/* Read the texts of `q`.  KITH_EINVAL with a sentence; of a filter it holds the caret too.  The
 * request points into itself: it must stay where it is. */
kith_err ki_request_read(const kith_model *m, const kith_query *q, ki_request *out);

/* Does the query have wishes that count?  Not where the list is empty, or the pipeline gives them no weight. */
int ki_request_wishes(const kith_query *q);

/* Find `only` and `counts` for somebody with these seen and excluded items, who wants n. */
kith_err ki_request_narrow(ki_request *r, const kith_model *m, const ki_query *q, int n);

/* {"block": {"items": n}, "filter": ..., "notes": [...], "candidates": n, "retrieved": [...], "rules": ...}; NULL when there
 * is nothing to tell.  A new reference in *out. */
kith_err ki_request_report(const ki_request *r, const ki_served *served, json_t **out);

void ki_request_clear(ki_request *r);

#endif
