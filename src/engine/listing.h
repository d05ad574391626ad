/* SPDX-License-Identifier: MIT
 * listing.h -- from ranked indexes to a kith_list: ids, titles, reasons and sentences in one block
 * of memory
 */
#ifndef KI_LISTING_H
#define KI_LISTING_H

#include "engine/asked.h"
#include "engine/knowledge.h"

typedef struct ki_listing {
    const kith_model *m;
    const ki_query *query; /* whose history the terms speak of; NULL: nobody's */
    ki_basis basis;
    const char *note, *report;
    const ki_phrasebook *language; /* of the sentences */
    int n;
    const int32_t *items;
    const float *scores;
    const double *propensity; /* [n]; NULL: nothing was drawn */
    int n_reasons;            /* most per item; 0: no reasons and no sentences */
    int n_spoken;             /* width of terms */
    const ki_term *terms;     /* [n, n_spoken], from the greatest down: what sentences are made of;
                             NULL: none */
    const ki_term *largest; /* [n, n_reasons], by size whatever the sign: the reasons; NULL: none */
    const int *n_terms;     /* [n] that there are: terms and largest have the first of them */
    const ki_knowledge *wishes; /* NULL: none */
    const double *matches;      /* [n, n_wishes] */
    const struct ki_said *said; /* set by ki_listing_make: the words that speak for each item */
} ki_listing;

/* The list holds copies, so it may outlive the model. */
kith_err ki_listing_make(const ki_listing *l, kith_list **out);

#endif
