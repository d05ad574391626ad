/* SPDX-License-Identifier: MIT
 * path3.h -- where three steps of a walk lead: what p3alpha and rp3beta share
 *
 * A walker goes from a user to an item, from there to a user, from there to an item.  With
 *
 *      P_ui = r_ui / sum_i r_ui        P_iu = r_ui / sum_u r_ui        (r = 1 when binary)
 *
 *      S_ji = sum_u P_ju^alpha P_ui^alpha / n_i^beta        j != i, n_i users have i
 *
 * a score is the sum of the rows S_j of the history.  alpha bends the step probabilities, beta takes
 * back what popular items win by being popular.
 */
#ifndef KI_PATH3_H
#define KI_PATH3_H

#include "model/form_items.h"

typedef struct ki_path3 { /* the parameters of both models */
    float alpha, beta;
    int32_t n_neighbors; /* largest entries kept of a row of S; 0: all */
    int32_t normalize;   /* 1: what is kept of a row sums to 1 */
    int32_t binary;
} ki_path3;

/* Fill a state of the form items; `what` ("fit rp3beta") stands in progress and sentences. */
kith_err ki_path3_fit(const ki_path3 *o, const char *what, const ki_fit *in, ki_items *s);

size_t ki_path3_memory(const ki_path3 *o, const ki_ratings *r);

#endif
