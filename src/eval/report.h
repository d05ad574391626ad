/* SPDX-License-Identifier: MIT
 * report.h -- what an evaluation found, as numbers; and as JSON
 */
#ifndef KI_REPORT_H
#define KI_REPORT_H

#include "eval/fold.h"
#include "eval/negatives.h" /* ki_sampling */
#include "model/model.h"

/* One metric of one model. */
typedef struct ki_outcome {
    double mean;         /* over folds; NaN when it was skipped */
    double std;          /* between folds (n - 1); 0 for one fold */
    double lo, hi;       /* bootstrap interval over users */
    double *folds;       /* [n_folds] */
    const char *skipped; /* why there is no value; NULL: there is one */
} ki_outcome;

typedef struct ki_model_report {
    const ki_model_desc *desc;
    json_t *params;
    double fit_seconds, eval_seconds; /* wall clock, all folds together */
    int64_t n_empty, n_fallbacks;     /* all folds together */
    ki_outcome *outcomes;             /* [plan.n] */
    json_t *fairness;                 /* NULL: not asked for */
} ki_model_report;

typedef struct ki_comparison { /* of models a and b in metric plan.asked[metric] */
    int a, b, metric;
    double difference, lo, hi; /* a - b */
    double p, p_adjusted;      /* sign-flip test; after Holm over the pairs of models */
    int64_t n;                 /* users who have a say */
} ki_comparison;

struct kith_report {
    char protocol[64];
    uint64_t seed;
    double relevant_from, confidence;
    int average_ties;
    ki_sampling sampling;
    const ki_style *style; /* NULL: kith's own */
    char similarity[320];  /* what intra_list_diversity is of; "": not asked for */
    char calibration[256]; /* column of calibration; "": not asked for */
    ki_plan plan;
    int32_t n_items;
    int64_t n_users; /* distinct users that means are over */
    int n_folds, n_models, n_comparisons;
    ki_fold_counts *folds; /* [n_folds] */
    ki_model_report *models;
    ki_comparison *comparisons;
    int64_t n_resamples, n_flips;
    int64_t peak_rss_bytes; /* of the process so far */
};

/* Allocate for these sizes (n_folds, n_models, plan.n set).  On failure the report can be freed. */
kith_err ki_report_alloc(kith_report *r);

#endif
