/* SPDX-License-Identifier: MIT
 * form_blend.h -- the form of models that are made of other fitted models
 *
 * The parts are whole ki_models over the same training part.  A query is put to every part over the
 * whole catalogue, and one of four rules makes a single score of what they say (Burke, Hybrid
 * Recommender Systems: Survey and Experiments, UMUAI 2002):
 *
 *      weighted    sum over parts of weight_p * normal_p(score of part p)
 *      switching   the first part for a history of at least `switch_at` items, else the next one
 *      mixed       the parts' lists shuffled into each other like cards, each item once
 *      cascade     the first part's best `depth` items, in the order of the last part
 *
 * An item that a part cannot rank (most cannot rank one without a training event) is left to the parts that can.
 */
#ifndef KI_FORM_BLEND_H
#define KI_FORM_BLEND_H

#include "model/model.h"

enum { KI_MAX_PARTS = 4 };

typedef enum ki_blend_rule { KI_WEIGHTED, KI_SWITCHING, KI_MIXED, KI_CASCADE } ki_blend_rule;

typedef enum ki_blend_normal {
    KI_NORMAL_Z,    /* (s - mean) / standard deviation over the items that the part ranks */
    KI_NORMAL_RANK, /* 1 / (60 + rank): reciprocal rank fusion, Cormack et al., SIGIR 2009 */
    KI_NORMAL_NONE, /* s */
} ki_blend_normal;

typedef struct ki_blend {
    int n_parts;                 /* 2 to KI_MAX_PARTS */
    ki_model part[KI_MAX_PARTS]; /* their parameters, states and cold lists are owned */
    float weight[KI_MAX_PARTS];
    ki_blend_rule rule;
    ki_blend_normal normal;
    int32_t switch_at, depth;
    char names[KI_MAX_FIELDS][48]; /* of the parts' arrays: "0.user_factors" */
} ki_blend;

/* Fit every part, whose descriptor, parameters and empty state are set. */
kith_err ki_blend_fit(ki_blend *s, const ki_fit *in);

/* Does some part rank this item without a training event? */
int ki_blend_knows_cold(const ki_model *m, int32_t item);

/* Does the model, or some part of a blend, answer queries without a history at all? */
int ki_blend_reads(const ki_model *m);

/* Can some part answer this one? */
int ki_blend_answers(const ki_model *m, const ki_query *q);

/* The part of that name, or the model itself when it is called so; NULL: neither. */
const ki_model *ki_blend_part(const ki_model *m, const char *name);

extern const ki_form ki_form_blend;

#endif
