/* SPDX-License-Identifier: MIT
 * metrics.h -- one table of metrics: name, definition, and the function that computes it
 *
 * A metric of one user is a fraction's two halves, {sum, weight}.  Over users the halves are added
 * and then divided, so the same table serves a plain mean over users (weight 1), a mean over
 * ratings (weight: how many), a mean over served places and a ratio of means; and the bootstrap
 * needs to know nothing else.
 *
 * Rows live where they are computed: accuracy.c (what was found), served.c (what was served),
 * styles.c (the definitions of other libraries).  plan.c finds them by name.
 */
#ifndef KI_METRICS_H
#define KI_METRICS_H

#include "data/csr.h"

#include <jansson.h>

/* What is known of all items, from the training part. */
typedef struct ki_catalogue {
    int32_t n_items;
    int32_t n_servable;   /* items with a training event: only these can be in a list */
    int64_t n_events;     /* of the training part */
    const int32_t *count; /* [n_items] training events */
    const uint8_t
        *tail; /* [n_items] 1: one of the least popular, which make up a fifth of events */
    const int32_t *place; /* [n_items] place by popularity, from 0; ties by index */
    const ki_csr *space;  /* [n_items, features] what likeness is of; NULL unless KI_NEEDS_SPACE */
    const ki_csr *mix;    /* [n_items, categories] for calibration; NULL unless KI_NEEDS_MIX */
} ki_catalogue;

typedef struct ki_rated {
    float truth, estimate;
} ki_rated;

/* One test user: what was served, what was held out, what was estimated. */
typedef struct ki_case {
    const ki_catalogue *catalogue;
    const int32_t *history; /* [n_history] items of the query */
    int32_t n_history;

    const int32_t *list; /* [n_list] served, best first, to the largest cut-off at most */
    const int32_t *at;   /* [n_hits] first places of relevant items, from 0, rising */
    const int32_t *tied; /* [n_hits] how many places, at[h] and those after it, the hit may stand at
                            when ties are broken at random; hits of one tie have the same `at`.
                            NULL: one each */
    const int32_t *hit;  /* [n_hits] which items */
    const float *value;  /* [n_hits] their test values */
    const float *ideal;  /* [n_relevant] test values of the relevant items, falling */
    int n_list, n_hits, n_relevant;
    double auc; /* share of (relevant, other) pairs in the right order; NaN when there are none */
    double auc_strict; /* the same with ties counted as wrong */

    const float *truth, *estimate; /* [n_rated] test values and the model's estimates, unclipped */
    int n_rated;
    float min, max; /* training scale */

    ki_rated *rated; /* [2 n_rated] scratch */
    double *room;    /* [features, or twice the categories] zeroes, and to be left as zeroes */
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
    unsigned needs;                                    /* of enum ki_needed */

    /* The value over n users where that is no fraction of sums, the user u counting times[u] times
     * (NULL: once); NULL: the fraction.  Such a metric has an interval and no test. */
    double (*pool)(const double *sum, const double *weight, const int32_t *times, int64_t n);
} ki_metric;

enum ki_needed { KI_NEEDS_SPACE = 1, KI_NEEDS_MIX = 2 }; /* of the catalogue */

typedef struct ki_metric_table {
    const ki_metric *rows;
    int n;
} ki_metric_table;

extern const ki_metric_table ki_accuracy_metrics, ki_served_metrics;

/* ---- parts that definitions share ---- */

/* Chance that hit h is among the first k. */
double ki_case_chance(const ki_case *c, int h, int k);

/* Expected sum over places j <= k of r_j (r_1 + ... + r_j) / j. */
double ki_case_precisions(const ki_case *c, int k);

/* Pairs of one user's test ratings that differ: estimated in the right order, alike, in the wrong order. */
typedef struct ki_pairs {
    int64_t right, tied, wrong;
} ki_pairs;

ki_pairs ki_case_pairs(const ki_case *c, int clipped);

/* Gini index over n items, which hold all that were served; entropy in nats.  NaN when places is 0. */
double ki_exposure_gini(const ki_exposure *e, int64_t places, int32_t n);
double ki_exposure_entropy(const ki_exposure *e, int64_t places);

/* ---- definitions of another library ---- */

typedef struct ki_style {
    const char *name;          /* "implicit" */
    const char *source;        /* what the definitions were read from */
    const char *usual;         /* metrics when none are named */
    const char *usual_ratings; /* the same for data with ratings; NULL: usual */
    int known_only;            /* 1: users and items without training rows are left out */
    ki_metric_table own;       /* where it differs from kith */
    const char *const *shared; /* names of kith's metrics that are the same there; ends with NULL */
} ki_style;

/* KITH_ENOTFOUND with the names that there are; NULL and "kith" give NULL, which is kith's own. */
kith_err ki_style_find(const char *name, const ki_style **out);

/* The styles as a JSON array of {name, source, metrics} (new reference). */
json_t *ki_styles_json(void);

/* ---- what was asked for ---- */

enum { KI_MAX_METRICS = 64, KI_MAX_CUTOFF = 10000 };

typedef struct ki_asked {
    const ki_metric *metric;
    int k;         /* cut-off; 0: none */
    int band;      /* index of k in cutoffs */
    char name[48]; /* as it was asked for: "ndcg@10" */
} ki_asked;

typedef struct ki_plan {
    int n;
    ki_asked asked[KI_MAX_METRICS];
    int n_cutoffs;
    int cutoffs[KI_MAX_METRICS]; /* rising, distinct */
    int kinds;                   /* bit 1 << kind is set for each kind asked for */
    unsigned needs;              /* of all metrics asked for */
} ki_plan;

/* Read "recall@10,ndcg@10,rmse"; a metric named twice counts once.  style NULL: kith's definitions.
 * KITH_ENOTFOUND for an unknown name, KITH_EINVAL for a cut-off that is missing, unwanted or not in
 * 1..KI_MAX_CUTOFF. */
kith_err ki_plan_parse(ki_plan *out, const char *text, const ki_style *style);

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
 * order, ties 1/2; *strict is the same with ties 0; NaN when there are no other items.  NaN in
 * scores[n_items] marks what is not ranked: nobody's other item, and a relevant one among these is
 * below all others.  Overwrites the scores of relevant items; kept is [n_relevant] scratch. */
double ki_auc(float *scores, int32_t n_items, const int32_t *relevant, int n_relevant, float *kept,
              double *strict);

int ki_plan_find(const ki_plan *p, const char *name); /* -1 when it was not asked for */

/* The value of a fraction as the metric reports it; NaN when weight is 0. */
double ki_metric_value(const ki_metric *m, double sum, double weight);

/* Kith's tables, and those of a style, as a JSON array of {name, cutoff, better, definition, aliases}
 * (new reference). */
json_t *ki_metrics_table_json(void);
json_t *ki_style_metrics_json(const ki_style *style);

#endif
