/* SPDX-License-Identifier: MIT
 * fairness.h -- who is served how well, and what is shown how often: by group of users, of items
 *
 * A group is a word of an attribute column.  Who has several words belongs to several groups; an item
 * with n words adds 1/n to each, so that the shares of all groups sum to one.
 */
#ifndef KI_FAIRNESS_H
#define KI_FAIRNESS_H

#include "data/labels.h"
#include "eval/measure.h"

enum { KI_LEAST_OF_GROUP = 10 }; /* smaller groups are listed, and left out of the gaps */

/* Every metric of users, over the users of each group, all folds pooled; and the gap between the
 * highest and the lowest.  measured is [n_folds].  A new reference. */
json_t *ki_fairness_users(const ki_labels *groups, const ki_plan *plan, const ki_measured *measured,
                          int n_folds, const int32_t *users);

/* What one model showed of each group of items, folds added one by one. */
typedef struct ki_item_groups {
    int n, n_cutoffs;
    double *served, *hits;  /* [n_cutoffs, n] places */
    double *items, *events; /* [n] servable items; training events */
    double *relevant;       /* [n] relevant test rows */
    double unknown;         /* servable items without a group */
} ki_item_groups;

kith_err ki_item_groups_make(ki_item_groups *out, const ki_labels *groups, const ki_plan *plan);
void ki_item_groups_add(ki_item_groups *g, const ki_labels *groups, const ki_plan *plan,
                        const ki_fold *f, const ki_measured *r, const int32_t *users);
json_t *ki_fairness_items(const ki_item_groups *g, const ki_labels *groups, const ki_plan *plan);
void ki_item_groups_clear(ki_item_groups *g);

#endif
