/* SPDX-License-Identifier: MIT
 * wish.h -- a request for a list, from JSON to what the live engine is asked
 *
 * A scenario, named by the request or by an experiment, supplies what the request does not say; where both have a
 * filter, both hold.  Somebody known who also sends what this session looked at is asked for by history and session
 * together, as somebody who likes these items.
 */
#ifndef KI_WISH_H
#define KI_WISH_H

#include "serve/service.h"

typedef struct ki_wish {
    ki_live_query q;  /* points into what follows */
    const char *user; /* who asks, also where the engine is asked by items; NULL: nobody by id */
    json_t *request;  /* the whole: scenario and request as one */
    int is_own;       /* 1: a copy of what was asked, changed */
    ki_variant variant;
    int log;
    unsigned settings; /* how often they had changed before any was read */
    int64_t began;     /* ki_clock_ns: what it finds of a user who goes later is not kept */
    char *context, *pipeline, *wishes; /* as texts; NULL: none */
    const char **liked, **exclude;
    float *values;
    json_t *service_block; /* what q.block points into, unless it is the wish's own: */
    char *block;
    int32_t n_block; /* entries at its end that the request itself has */
    json_t *history; /* what `liked` points into when it was looked up */
} ki_wish;

/* KITH_EINVAL for a request that makes no sense, KITH_ENOTFOUND for a scenario that there is not. */
kith_err ki_wish_read(ki_service *s, const json_t *request, ki_wish *out);

/* The request of such a wish once more: what its scenario brought is in it, and no variant is drawn. */
kith_err ki_wish_read_again(ki_service *s, const json_t *request, ki_wish *out);
void ki_wish_clear(ki_wish *w);

/* Could the same question, asked again before anything about it changes, get another answer?  (By the time, by the
 * events of others, by lot.) */
int ki_wish_drifts(const ki_wish *w);

#endif
