/* SPDX-License-Identifier: MIT
 * form_static.h -- the form of models that score items the same for everybody
 */
#ifndef KI_FORM_STATIC_H
#define KI_FORM_STATIC_H

#include "model/model.h"

typedef struct ki_static {
    int64_t n_items;
    float *score;    /* [n_items] what lists are ordered by */
    float *estimate; /* [n_items] estimated rating; NULL for a model that does not estimate */
} ki_static;

extern const ki_form ki_form_static;

#endif
