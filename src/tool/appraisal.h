/* SPDX-License-Identifier: MIT
 * appraisal.h -- how good the model of a request is, in the contract's names
 */
#ifndef KI_APPRAISAL_H
#define KI_APPRAISAL_H

#include "tool/method.h"

typedef struct ki_appraisal_options {
    kith *k;
    const ki_method *method;
    const ki_intake *intake;
    const json_t *config;   /* recommendation_configuration */
    const json_t *training; /* training_configuration; NULL: none given */
    int n;                  /* recommendation_count: the cut-off of metrics that need one */
} ki_appraisal_options;

typedef struct ki_appraisal {
    json_t *evaluation;  /* model_evaluation, never NULL */
    json_t *performance; /* for model_info.model_performance */
    json_t *values;      /* contract name -> value, for events */
} ki_appraisal;

/* The protocol of the train-test split, as kith_evaluate takes it; "" when nothing is held out.
 * out[40]. */
void ki_split_protocol(const ki_appraisal_options *o, char *out);

/* Held-out interactions of at least this preference are relevant; 0: all of them. */
double ki_relevant_from(const ki_appraisal_options *o);

/* Evaluate by the split and by cross-validation, as asked.  Data that is too little is no failure:
 * the fields are left out, with the reason. */
kith_err ki_appraise(const ki_appraisal_options *o, ki_appraisal *out, ki_findings *f);
void ki_appraisal_clear(ki_appraisal *a);

#endif
