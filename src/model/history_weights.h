/* SPDX-License-Identifier: MIT
 * history_weights.h -- how much each item of a history says in a profile made of items
 */
#ifndef KI_HISTORY_WEIGHTS_H
#define KI_HISTORY_WEIGHTS_H

#include "model/model.h"

typedef enum ki_history_values {
    KI_VALUES_CENTRED, /* the value less the user's mean; 1 where all are the same */
    KI_VALUES_PLAIN,   /* the value */
    KI_VALUES_ONES     /* 1 */
} ki_history_values;
extern const char *const ki_history_values_names[]; /* "centred", "plain", "ones", NULL */

typedef struct ki_weighing {
    ki_history_values values;
    float mean;  /* of the history, when centred */
    float total; /* sum of the sizes of all weights */
} ki_weighing;

ki_weighing ki_weighing_of(ki_history_values values, const ki_query *q);

/* The weight of item j of the history. */
float ki_weigh(const ki_weighing *w, const ki_query *q, int32_t j);

#endif
