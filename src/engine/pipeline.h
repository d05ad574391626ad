/* SPDX-License-Identifier: MIT
 * pipeline.h -- from a query to a list in stages: retrieve, rank, rules, diversify, explore
 *
 *      sources with quotas --> ranker --> the best `depth` --> boosts --> n items that differ
 *                                                                  --> caps and pins --> lots
 *
 * A pipeline is data: one JSON object that a request, a file or the service's store may hold.
 *
 *      { "retrieve":  [ {"from": "model", "part": "ials", "quota": 300}, {"from": "popular", "quota": 50},
 *                       {"from": "new", "quota": 20}, {"from": "similar", "item": "i7", "quota": 30} ],
 *        "rank":      {"by": "content", "wishes": 0.7},
 *        "depth":     200,
 *        "rules":     { ... as in rules.h ... },
 *        "diversity": {"method": "mmr", "trade_off": 0.7, "column": "genres"},
 *        "explore":   {"slots": 1} }
 *
 * Every member may be absent.  Without "retrieve" the whole catalogue is ranked; what a filter or a
 * list strikes out is struck out before any stage, so quotas and depth count what may be served.
 */
#ifndef KI_PIPELINE_H
#define KI_PIPELINE_H

#include "engine/knowledge.h"
#include "engine/rules.h"
#include "model/package.h"

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
    char ranker[KI_PIPE_NAME]; /* part, or "popularity"; "": the model itself */
    double wishes;             /* their share in a score, where there are any: 1 unless told */
    int depth;       /* candidates that rules and diversity choose from; 0: 10 n, at least 100 */
    ki_rules *rules; /* owned; NULL: none */
    ki_spread spread;
    double trade_off;          /* 1: relevance alone; 0: diversity alone */
    char column[KI_PIPE_NAME]; /* whose words tell items apart; "": the usual one */
    int explore;               /* places at the end of the list that are drawn by lot */
} ki_pipeline;

/* From JSON; NULL: the defaults.  KITH_EINVAL when anything is wrong; `found` (NULL: not wanted) then
 * holds every violation.  The rules borrow the schema. */
kith_err ki_pipeline_read(const ki_schema *schema, const json_t *config, ki_pipeline *out,
                          ki_violations *found);
void ki_pipeline_clear(ki_pipeline *p);

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
    json_t *ruled;    /* what the rules did; NULL: there are none */
    json_t *wished;   /* how far each wish is met at all; NULL: there are none */
} ki_served;

typedef struct ki_task {
    const ki_query *query;
    int by_popularity; /* 1: nothing is known of who asks; popular items in place of the ranker's */
    int n;             /* items wanted */
    uint64_t seed;     /* decides what is drawn */
    const ki_env *env; /* of rules and wishes */
    const ki_knowledge *wishes; /* NULL: none */
} ki_task;

/* Put a query through the stages.  KITH_ENOTFOUND for a part, an item or a column that is not there. */
kith_err ki_pipeline_run(const ki_pipeline *p, const kith_model *m, const ki_task *task,
                         ki_served *out);
void ki_served_clear(ki_served *s);

#endif
