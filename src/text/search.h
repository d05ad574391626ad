/* SPDX-License-Identifier: MIT
 * search.h -- the documents that answer a text best: inverted lists, BM25, and fusion of rankings
 */
#ifndef KI_SEARCH_H
#define KI_SEARCH_H

#include "text/space.h"

typedef struct ki_text_index {
    ki_text_space space; /* weighting bm25 */
    ki_csr postings;     /* [n_terms, n_docs]: the documents of a term and its weight in each */
    int32_t n_docs;
} ki_text_index;

/* Index the rows of the fields; o->weighting, normalise and hash_bits are not heeded.  On failure
 * *out is {0}. */
kith_err ki_text_index_new(ki_text_index *out, const ki_text_options *o,
                           const ki_text_field *fields, int n_fields, int32_t n_rows, ki_job *job);

/* The best k documents that share a term with the text, best first, ties by lower index; returns
 * how many through *n.  Score: sum over terms of their weight in the document times
 * tf (k1 + 1) / (tf + k1) of the text. Safe
 * from many threads at once. */
kith_err ki_text_index_find(const ki_text_index *index, const char *text, int k, int32_t *docs,
                            float *scores, int32_t *n);
void ki_text_index_clear(ki_text_index *index);

/* A ranking: documents, best first. */
typedef struct ki_ranking {
    const int32_t *docs; /* [n] each once */
    int32_t n;
    float weight; /* of this ranking; 1: as all */
} ki_ranking;

/* Reciprocal rank fusion (Cormack, Clarke, Buettcher, SIGIR 2009): score(d) = sum over rankings of
 * weight / (60 + rank of d), rank from 1.  The best k of n_docs documents into docs and scores. */
kith_err ki_rank_fusion(const ki_ranking *rankings, int n_rankings, int32_t n_docs, int k,
                        int32_t *docs, float *scores, int32_t *n);

#endif
