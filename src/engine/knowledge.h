/* SPDX-License-Identifier: MIT
 * knowledge.h -- what somebody wishes of items: filters that are met by degrees, so that a price a little too high is a
 * little worse
 *
 *      ["price <= 1200", "3: ram >= 16", {"want": "tags has all ('light', 'new')", "weight": 0.5}]
 *
 * What must hold is a filter of its own (filter.h): together they recommend by what is known of items, with no history.
 */
#ifndef KI_KNOWLEDGE_H
#define KI_KNOWLEDGE_H

#include "engine/violations.h"

#define KI_WISHES_MAX 64

typedef struct ki_want {
    char *text;      /* as it was said, without its weight; owned */
    ki_filter *want; /* owned */
    double weight;   /* > 0 */
} ki_want;

typedef struct ki_knowledge {
    ki_schema schema; /* borrowed */
    ki_want wishes[KI_WISHES_MAX];
    int n_wishes;
} ki_knowledge;

/* From a list of texts, each a filter behind an optional "WEIGHT:", or objects.  KITH_EINVAL when anything is wrong;
 * `found` (NULL: not wanted) then holds every violation, pointers beginning at the list. */
kith_err ki_knowledge_read(const ki_schema *schema, const json_t *json, ki_knowledge *out,
                           ki_violations *found);
void ki_knowledge_clear(ki_knowledge *k);

typedef struct ki_met { /* of one wish, over all items that were looked at */
    int64_t met;        /* so many meet it in full */
    double best;        /* the highest degree among them */
} ki_met;

/* utility[n_items] = sum weight * match / sum weight, in [0, 1] (1 without wishes); -INFINITY where open[] is 0 (NULL:
 * nowhere).  fits[n_wishes]; NULL: not wanted. */
kith_err ki_knowledge_score(const ki_knowledge *k, const ki_env *env, const uint8_t *open,
                            float *utility, ki_met *fits);

/* match[n_wishes] of one item, each in [0, 1]: the parts of its utility. */
kith_err ki_knowledge_match(const ki_knowledge *k, const ki_env *env, int32_t item, double *match);
double ki_knowledge_utility(const ki_knowledge *k, const double *match);

/* [{"want", "weight", "met", "best"}]; a new reference, NULL when memory ran out. */
json_t *ki_knowledge_json(const ki_knowledge *k, const ki_met *fits);

#endif
