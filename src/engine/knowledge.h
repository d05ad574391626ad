/* SPDX-License-Identifier: MIT
 * knowledge.h -- recommending by what is known of items and wanted by a person, with no history at all
 *
 * Requirements are filters; wishes are filters too, but are met by degrees: a price a little too high is a little worse.
 *      { "require": "category = \"laptop\"", "wish": [{"want": "price <= 1200", "weight": 3}, {"want": "ram >= 16"}] }
 */
#ifndef KI_KNOWLEDGE_H
#define KI_KNOWLEDGE_H

#include "engine/violations.h"

#define KI_WISHES_MAX 64

typedef struct ki_wish {
    ki_filter *want; /* owned */
    double weight;   /* > 0 */
} ki_wish;

typedef struct ki_knowledge {
    ki_schema schema;   /* borrowed */
    ki_filter *require; /* owned; NULL: nothing */
    ki_wish wishes[KI_WISHES_MAX];
    int n_wishes;
} ki_knowledge;

/* KITH_EINVAL when anything is wrong; `found` (NULL: not wanted) then holds every violation. */
kith_err ki_knowledge_read(const ki_schema *schema, const json_t *json, ki_knowledge *out,
                           ki_violations *found);
void ki_knowledge_clear(ki_knowledge *k);

/* utility[n_items] = sum weight * match / sum weight, in [0, 1] (1 without wishes); -INFINITY where a requirement is not
 * true. */
kith_err ki_knowledge_score(const ki_knowledge *k, const ki_env *env, float *utility);

/* match[n_wishes] of one item, each in [0, 1]: the parts of its utility. */
kith_err ki_knowledge_match(const ki_knowledge *k, const ki_env *env, int32_t item, double *match);

#endif
