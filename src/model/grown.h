/* SPDX-License-Identifier: MIT
 * grown.h -- a fitted model seen over a catalogue that has grown since it was fitted
 *
 * The items of the model are the first ones of the catalogue, in the same order; its form answers for them,
 * and says of every later one that it cannot rank it.  So whatever works with a ki_model works over the
 * catalogue of now: filters, stages, rules, reasons.
 */
#ifndef KI_GROWN_H
#define KI_GROWN_H

#include "model/model.h"

typedef struct ki_grown {
    const ki_model *inner; /* borrowed; NULL: no model, nothing is ranked */
    ki_form form;          /* the inner form's notions, through this view */
    ki_model_desc desc;
} ki_grown;

/* Describe `inner` in *g and make *out speak through it: descriptor, state, parameters, scale.  Sizes, histories and the
 * cold list of *out are the caller's to keep.  Both must stay where they are. */
void ki_grown_over(ki_grown *g, const ki_model *inner, ki_model *out);

/* The model itself behind a view, m where it is none, NULL where there is no model. */
const ki_model *ki_grown_inner(const ki_model *m);

#endif
