/* SPDX-License-Identifier: MIT
 * whynot.h -- why an item is not in a list, as a verdict and a sentence
 *
 * The pipeline hands in what it knows of the item; nothing is ranked here.
 */
#ifndef KI_WHYNOT_H
#define KI_WHYNOT_H

#include "engine/phrases.h"
#include "engine/rules.h"

typedef enum ki_why {
    KI_WHY_UNKNOWN,   /* the catalogue has no such item */
    KI_WHY_HIDDEN,    /* nobody is served it for now (live.h) */
    KI_WHY_BLOCKED,   /* by the block list, or the rules */
    KI_WHY_EXCLUDED,  /* by the rules, or by the request */
    KI_WHY_SEEN,      /* the user has it already */
    KI_WHY_FILTERED,  /* clauses remove it */
    KI_WHY_NO_SOURCE, /* nothing that finds candidates brought it */
    KI_WHY_CAPPED,    /* too many items of one of its values stand before it */
    KI_WHY_BELOW,     /* ranked, but not in the first k */
    KI_WHY_SHOWN,     /* it is in the list */
} ki_why;

typedef struct ki_item_facts {
    const char *item_id;
    const ki_phrasebook *language; /* of the sentence; NULL: English */
    int seen;                      /* 1: in the user's history, which the request leaves out */
    int hidden;                    /* 1: it is served to nobody */
    int unlearnt;            /* 1: the model cannot rank it: it came later, or nobody has it */
    int excluded;            /* 1: the request itself excludes it */
    const ki_filter *filter; /* of the request; NULL: none */
    const ki_env *env;
    const ki_rules *rules;  /* NULL: none */
    const char *blocked_by; /* the entry of the block list that has it; NULL: none */
    int64_t rank;           /* place before rules and diversity, from 1; 0: it was no candidate */
    double score;
    int64_t position;  /* place in the list, from 1; 0: it is not in it */
    int capped_by;     /* a cap of the rules, or -1 */
    int64_t k;         /* length of the list */
    double last_score; /* of the last item in it; NaN: the list is not full */
} ki_item_facts;

typedef struct ki_verdict {
    ki_why why;
    const char *name; /* "filtered" */
    int n_clauses;    /* filtered: how many clauses are not true for it */
    int clause;       /* filtered: the first of them, else -1 */
    int by_rules;     /* filtered: 1 when the clause is of the rules' filter */
    double needs;     /* below: so much more score enters the list; else 0 */
    char *sentence;
} ki_verdict;

kith_err ki_why_not(const ki_schema *schema, const ki_item_facts *facts, ki_verdict *out);

/* {"why", "sentence"} and, where they apply, "entry" of the block list, "clauses", "rank", "position", "score", "needs"; a new reference. */
kith_err ki_verdict_json(const ki_verdict *v, const ki_item_facts *facts, json_t **out);
void ki_verdict_clear(ki_verdict *v);

#endif
