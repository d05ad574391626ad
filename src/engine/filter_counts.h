/* SPDX-License-Identifier: MIT
 * filter_counts.h -- what each clause of a filter removes, and which one to relax first
 */
#ifndef KI_FILTER_COUNTS_H
#define KI_FILTER_COUNTS_H

#include "engine/filter.h"
#include "engine/phrases.h"

typedef struct ki_clause_count {
    int64_t removes; /* candidates for which this clause is not true, whatever the others say */
    int64_t remain;  /* candidates left after this clause and all before it */
    int64_t back;    /* more would pass if only this clause were dropped */
    char *text;      /* canonical */
    char *
        suggestion; /* "price <= 1349 would leave 10"; NULL: none.  For clauses that compare one varying number with a
                         constant, when too few pass */
    int64_t leaves; /* what the suggestion would leave; 0: none */
} ki_clause_count;

typedef struct ki_counts {
    int64_t candidates, passed;
    int n_clauses;
    ki_clause_count *clauses; /* [n_clauses] */
    int n_relax;     /* 0: enough pass, or nothing would help; else 1 or 2 clauses to drop */
    int relax[2];    /* rising */
    int64_t relaxed; /* so many would pass then */
    char *sentence;  /* all that in words; "" when enough pass */
} ki_counts;

/* base[n_items] (NULL: all items) marks the candidates that the filter chooses from; `wanted` is how many results are
 * asked for.  The clause to relax is the one whose dropping lets the most through, the first of those; if that is less
 * than `wanted`, the pair that lets the most through, if it lets through more (up to 64 clauses). */
kith_err ki_filter_count(const ki_filter *f, const ki_env *env, const uint8_t *base, int64_t wanted,
                         const ki_phrasebook *language, ki_counts *out);

/* {"candidates", "passed", "clauses": [{"text", "removes", "remain", "back", "suggestion"}], "relax": [...], "relaxed",
 * "sentence"}; a new reference. */
kith_err ki_counts_json(const ki_counts *c, json_t **out);

void ki_counts_clear(ki_counts *c);

#endif
