/* SPDX-License-Identifier: MIT
 * history_weights.c -- values of a history as weights
 */
#include "model/history_weights.h"

#include <math.h>

const char *const ki_history_values_names[] = { "centred", "plain", "ones", NULL };

float ki_weigh(const ki_weighing *w, const ki_query *q, int32_t j)
{
    if (w->values == KI_VALUES_ONES || q->values == NULL) return 1;
    return q->values[j] - w->mean;
}

static int differ(const ki_query *q)
{
    for (int32_t j = 1; j < q->n; j++)
        if (q->values[j] != q->values[0]) return 1;
    return 0;
}

static float mean_of(const ki_query *q)
{
    double sum = 0;
    for (int32_t j = 0; j < q->n; j++) sum += (double)q->values[j];
    return q->n > 0 ? (float)(sum / q->n) : 0;
}

ki_weighing ki_weighing_of(ki_history_values values, const ki_query *q)
{
    ki_weighing w = { .values = values };
    double total = 0;
    if (values == KI_VALUES_CENTRED && q->values != NULL) {
        w.mean = mean_of(q);
        if (!differ(q)) w.values = KI_VALUES_ONES; /* no more than that the items were taken */
    }
    for (int32_t j = 0; j < q->n; j++) total += (double)fabsf(ki_weigh(&w, q, j));
    w.total = (float)total;
    return w;
}
