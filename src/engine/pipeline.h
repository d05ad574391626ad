/* SPDX-License-Identifier: MIT
 * pipeline.h -- from a query to a list in stages: retrieve, rank, diversify, explore
 *
 *      sources with quotas --> candidates --> ranker --> the best `depth` --> n items that differ
 *
 * A pipeline is data: one JSON object that a request, a file or the service's store may hold.
 *
 *      { "retrieve":  [ {"from": "model", "part": "ials", "quota": 300}, {"from": "popular", "quota": 50},
 *                       {"from": "new", "quota": 20}, {"from": "similar", "item": "i7", "quota": 30} ],
 *        "rank":      {"by": "content"},
 *        "depth":     200,
 *        "diversity": {"method": "mmr", "trade_off": 0.7, "column": "genres"},
 *        "explore":   {"slots": 1} }
 *
 * Every member may be absent.  Without "retrieve" the whole catalogue is ranked; what a filter or a
 * list strikes out is struck out before any stage, so quotas and depth count what may be served.
 */
#ifndef KI_PIPELINE_H
#define KI_PIPELINE_H

#include "model/package.h"

#include <jansson.h>

enum { KI_MAX_SOURCES = 8, KI_PIPE_NAME = 64 };

typedef enum ki_pipe_from {
    KI_FROM_MODEL,   /* the best of the model, or of one of a hybrid's parts */
    KI_FROM_POPULAR, /* by how many training users have it */
    KI_FROM_NEW,     /* without a training event; the last in the catalogue first */
    KI_FROM_SIMILAR, /* most like one item, or like those of the history */
} ki_pipe_from;

typedef struct ki_pipe_source {
    ki_pipe_from kind;
    char part[KI_PIPE_NAME]; /* of a hybrid; "": the model itself */
    char item[KI_PIPE_NAME]; /* similar to; "": to the latest places of the history */
    int quota;
} ki_pipe_source;

typedef enum ki_spread { KI_SPREAD_NONE, KI_SPREAD_MMR, KI_SPREAD_CALIBRATED } ki_spread;

typedef struct ki_pipeline {
    int n_sources;
    ki_pipe_source sources[KI_MAX_SOURCES];
    char ranker[KI_PIPE_NAME]; /* part; "": the model itself */
    int depth;                 /* candidates that diversity chooses from; 0: 10 n, at least 100 */
    ki_spread spread;
    double trade_off;          /* 1: relevance alone; 0: diversity alone */
    char column[KI_PIPE_NAME]; /* whose words tell items apart; "": the usual one */
    int explore;               /* places at the end of the list that are drawn by lot */
} ki_pipeline;

/* From JSON; NULL: the defaults.  KITH_EINVAL begins with the JSON pointer of the first violation,
 * and all of them go to `violations` (an array of {pointer, message}; NULL: not wanted). */
kith_err ki_pipeline_read(ki_pipeline *out, const json_t *config, json_t *violations);

/* What a pipeline found. */
typedef struct ki_served {
    int n;
    int32_t *items; /* [n] in the order of the list */
    float *scores;
    uint8_t *sources; /* [n] bit s: source s brought it; all 0 when the catalogue was ranked */
    double
        *propensity; /* [n] chance of having been drawn into this place; 1 where none was drawn */
    int n_retrieved[KI_MAX_SOURCES];
    int n_candidates; /* what reached the choice, at most depth */
} ki_served;

/* Put `q` through the stages for n items.  `seed` decides what is drawn.  KITH_ENOTFOUND for a part,
 * an item or a column that is not there. */
kith_err ki_pipeline_run(const ki_pipeline *p, const kith_model *m, const ki_query *q, int n,
                         uint64_t seed, ki_served *out);
void ki_served_clear(ki_served *s);

#endif
