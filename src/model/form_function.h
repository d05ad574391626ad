/* SPDX-License-Identifier: MIT
 * form_function.h -- the form of models that score a query and an item by a function of their own
 *
 *      score(query, i) = g(query, i), g being the descriptor's score_items
 *
 * Nothing is shared between items, so ranking the whole catalogue costs one g per item.
 */
#ifndef KI_FORM_FUNCTION_H
#define KI_FORM_FUNCTION_H

#include "model/model.h"

typedef struct ki_function {
    int64_t n_floats;
    float *floats; /* [n_floats] what g was fitted to, laid out as the model says; NULL: nothing */
} ki_function;

extern const ki_form ki_form_function;

#endif
