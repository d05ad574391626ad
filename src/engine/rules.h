/* SPDX-License-Identifier: MIT
 * rules.h -- what the owner of a shop wants beyond scores: constraints, preferences, pins, caps
 *
 * As JSON (doc/filters.md explains each):
 *      { "filter": "price <= $budget",
 *        "block": ["i9"], "exclude": ["i3"],
 *        "prefer": [{"when": "brand = \"HP\"", "add": 0.5}, {"when": "stock > 0", "multiply": 1.2}],
 *        "pin": [{"item": "i4", "at": 1}],
 *        "cap": [{"column": "brand", "at_most": 2}] }
 */
#ifndef KI_RULES_H
#define KI_RULES_H

#include "engine/violations.h"

#define KI_RULES_MAX 64 /* preferences, pins, caps: of each */

typedef struct ki_preference {
    ki_filter *when; /* owned */
    int multiplies;
    double
        by; /* added, or a factor > 0; a negative score is divided by it, so that a factor above 1 always lifts */
} ki_preference;

typedef struct ki_pin {
    int32_t item; /* -1: the catalogue has no such item */
    int32_t at;   /* place in the list, from 1 */
} ki_pin;

typedef struct ki_cap {
    int column; /* a category or a set of the table */
    int32_t at_most;
} ki_cap;

typedef struct ki_rules {
    ki_schema schema;  /* borrowed */
    ki_filter *filter; /* NULL: none */
    int32_t *block, *exclude;
    int32_t n_block, n_exclude; /* rising */
    ki_preference prefer[KI_RULES_MAX];
    ki_pin pin[KI_RULES_MAX];
    ki_cap cap[KI_RULES_MAX];
    int n_prefer, n_pin, n_cap;
    int32_t
        n_unknown; /* ids in block, exclude and pin that the catalogue does not have: counted, no violation */
} ki_rules;

/* KITH_EINVAL when anything is wrong; `found` (NULL: not wanted) then holds every violation. */
kith_err ki_rules_read(const ki_schema *schema, const json_t *json, ki_rules *out,
                       ki_violations *found);
void ki_rules_clear(ki_rules *r);

typedef enum ki_fate { /* of a candidate; the first that applies */
                       KI_KEPT,
                       KI_BLOCKED,
                       KI_EXCLUDED,
                       KI_FILTERED,
                       KI_CAPPED,
                       KI_CUT, /* good enough for the rules, but beyond the end of the list */
} ki_fate;

typedef struct ki_ruled {
    int32_t n;       /* at most k */
    int32_t *items;  /* [n] */
    float *scores;   /* [n] after preferences; of a pin that was no candidate -INFINITY */
    uint8_t *pinned; /* [n] */
    int32_t n_candidates;
    uint8_t *fate;     /* [n_candidates] ki_fate, by the order of the candidates as given */
    int8_t *capped_by; /* [n_candidates] the cap, or -1 */
    int64_t n_fate[KI_CUT + 1];
    int64_t lifted[KI_RULES_MAX];    /* candidates whose score each preference changed */
    int64_t capped[KI_RULES_MAX];    /* candidates that each cap kept out */
    int32_t placed_at[KI_RULES_MAX]; /* where each pin came to stand, from 1; 0: nowhere */
} ki_ruled;

/* From candidates items[n] (each once, any order) with scores[n] to a list of at most k.
 *   1. block, exclude and filter take out; pins too.
 *   2. Preferences change scores, in their order; then the best score first, ties by the order given.
 *   3. Pins stand at their places, whether or not they were candidates; a list too short closes up.
 *   4. Going down the list, an item is passed over when a value of it has its cap already; pins count first, and stand.
 * Allocates what it returns and little else; the same input gives the same output. */
kith_err ki_rules_apply(const ki_rules *r, const ki_env *env, const int32_t *items,
                        const float *scores, int32_t n, int32_t k, ki_ruled *out);

/* What the rules did: {"kept", "blocked", ..., "prefer": [{"when", "changed"}], "cap": [...], "pin": [...]}. */
kith_err ki_ruled_json(const ki_rules *r, const ki_ruled *ruled, json_t **out);
void ki_ruled_clear(ki_ruled *r);

#endif
