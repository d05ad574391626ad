/* SPDX-License-Identifier: MIT
 * metrics.h -- one table of metrics: name, definition, and the function that computes it
 *
 * A metric of one user is a fraction's two halves, {sum, weight}.  Over users the halves are added
 * and then divided, so the same table serves a plain mean over users (weight 1), a mean over
 * ratings (weight: how many), a mean over served places and a ratio of means; and the bootstrap
 * needs to know nothing else.
 */
#ifndef KI_METRICS_H
#define KI_METRICS_H

#include "base/err.h"

#include <jansson.h>
#include <stdint.h>

/* What is known of all items, from the training part. */
typedef struct ki_catalogue {
    int32_t n_items;
    int32_t n_servable;   /* items with a training event: only these can be in a list */
    int64_t n_events;     /* of the training part */
    const int32_t *count; /* [n_items] training events */
    const uint8_t
        *tail; /* [n_items] 1: one of the least popular, which make up a fifth of events */
} ki_catalogue;

/* One test user: what was served, what was held out, what was estimated. */
typedef struct ki_case {
    const ki_catalogue *catalogue;
    const int32_t *history; /* [n_history] items of the query */
    int32_t n_history;

    const int32_t *list; /* [n_list] served, best first, to the largest cut-off at most */
    const int32_t *at;   /* [n_hits] places of relevant items in the list, from 0, rising */
    const float *value;  /* [n_hits] their test values */
    const float *ideal;  /* [n_relevant] test values of the relevant items, falling */
    int n_list, n_hits, n_relevant;
    double auc; /* share of (relevant, other) pairs in the right order; NaN when there are none */

    const float *truth, *estimate; /* [n_rated] test values and the model's estimates, unclipped */
    int n_rated;
    float min, max; /* training scale */
} ki_case;

/* How often each item was served within a cut-off, over all lists. */
typedef struct ki_exposure {
    const ki_catalogue *catalogue;
    const int32_t *served; /* [n_items] */
    int32_t *sorted;       /* [n_servable] scratch */
} ki_exposure;

typedef struct ki_half {
    double sum, weight;
} ki_half; /* {0, 0}: the user has no say in this metric */

typedef enum ki_metric_kind {
    KI_OF_LISTS,    /* from each user's list; needs a cut-off */
    KI_OF_EXPOSURE, /* from all lists together; needs a cut-off */
    KI_OF_SCORES,   /* from the scores of the whole catalogue */
    KI_OF_RATINGS,  /* from estimates of the test values */
} ki_metric_kind;

typedef enum ki_better { KI_HIGHER, KI_LOWER, KI_NEITHER } ki_better;

typedef struct ki_metric {
    const char *name;
    ki_metric_kind kind;
    ki_better better;
    int root; /* 1: the square root of the fraction is reported */
    const char *definition;
    ki_half (*user)(const ki_case *c, int k);          /* all kinds but exposure */
    double (*exposure)(const ki_exposure *e, int64_t); /* of the exposure and the places served */
} ki_metric;

/* ---- what was asked for ---- */

enum { KI_MAX_METRICS = 64, KI_MAX_CUTOFF = 10000 };

typedef struct ki_asked {
    const ki_metric *metric;
    int k;         /* cut-off; 0: none */
    int band;      /* index of k in cutoffs */
    char name[48]; /* "ndcg@10" */
} ki_asked;

typedef struct ki_plan {
    int n;
    ki_asked asked[KI_MAX_METRICS];
    int n_cutoffs;
    int cutoffs[KI_MAX_METRICS]; /* rising, distinct */
    int kinds;                   /* bit 1 << kind is set for each kind asked for */
} ki_plan;

/* Read "recall@10,ndcg@10,rmse"; a metric named twice counts once.  KITH_ENOTFOUND for an unknown
 * name, KITH_EINVAL for a cut-off that is missing, unwanted or not in 1..KI_MAX_CUTOFF. */
kith_err ki_plan_parse(ki_plan *out, const char *text);

static inline int ki_plan_wants(const ki_plan *p, ki_metric_kind kind)
{
    return (p->kinds >> kind) & 1;
}

/* The longest list that is needed; 0 when no metric looks at lists. */
static inline int ki_plan_depth(const ki_plan *p)
{
    return p->n_cutoffs == 0 ? 0 : p->cutoffs[p->n_cutoffs - 1];
}

/* Share of the pairs (relevant item, other item) that the scores of the catalogue put in the right
 * order, ties 1/2; NaN when there are no other items.  NaN in scores[n_items] marks what is not
 * ranked: nobody's other item, and a relevant one among these is below all others.  Overwrites the
 * scores of relevant items; kept is [n_relevant] scratch. */
double ki_auc(float *scores, int32_t n_items, const int32_t *relevant, int n_relevant, float *kept);

int ki_plan_find(const ki_plan *p, const char *name); /* -1 when it was not asked for */

/* The value of a fraction as the metric reports it; NaN when weight is 0. */
double ki_metric_value(const ki_metric *m, double sum, double weight);

/* The table as a JSON array of {name, cutoff, better, definition} (new reference; NULL when memory
 * ran out). */
json_t *ki_metrics_table_json(void);

#endif
