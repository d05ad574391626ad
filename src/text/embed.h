/* SPDX-License-Identifier: MIT
 * embed.h -- texts as short dense vectors: the seam for every embedder, and the one that is built in
 *
 * "lsa" learns from the catalogue alone (Deerwester et al., Indexing by Latent Semantic Analysis,
 * JASIS 1990): with X ~ U S V' the tf-idf of words, neighbours and parts of words,
 *      e(x) = x V S^-alpha,  less its share of a common direction if asked,  of length 1
 * for a document of the catalogue and for any new text alike.
 */
#ifndef KI_EMBED_H
#define KI_EMBED_H

#include "text/space.h"

/* What can embed: a model directory or a remote service looks like this too. */
typedef struct ki_embedder {
    const char *name; /* "lsa" */
    int32_t dim;
    const void *self;
    /* out [n, dim], row-major, rows of length 1, or 0 where the embedder knows nothing of a text.
     * Safe from many threads at once. */
    kith_err (*embed)(const void *self, const char *const *texts, int32_t n, float *out);
} ki_embedder;

typedef struct ki_lsa_options {
    ki_text_options text; /* weighting and normalise are not heeded */
    int32_t dim;          /* at most what the data has rank for is kept */
    float alpha;          /* 0: plain LSA, 1: all directions count the same */
    int remove_common;    /* 1: take out the direction of the mean document */
} ki_lsa_options;

typedef struct ki_lsa { /* all arrays from ki_alloc, or all in a mapping */
    ki_text_space space;
    int64_t dim;
    float *V;      /* [n_terms, dim], V S^-alpha */
    float *common; /* [dim] of length 1, or zeros */
} ki_lsa;

/* Learn from the rows of the fields; *docs becomes [n_rows, dim], their vectors.  KITH_EDATA when no
 * term is left to learn from.  The caller clears both, on failure too. */
kith_err ki_lsa_fit(ki_lsa *lsa, const ki_lsa_options *o, const ki_text_field *fields, int n_fields,
                    int32_t n_rows, ki_job *job, const char *what, float **docs);

/* out[dim] of a sparse row of lsa->space; returns 0 (and zeros) when nothing of it is known. */
int ki_lsa_embed_row(const ki_lsa *lsa, const int32_t *idx, const float *val, int64_t n,
                     float *out);

/* The same of a text. */
kith_err ki_lsa_embed_text(const ki_lsa *lsa, const char *text, float *out);

ki_embedder ki_lsa_embedder(const ki_lsa *lsa); /* borrows lsa */

#define KI_LSA_FIELDS (KI_TEXT_SPACE_FIELDS + 2)
int ki_lsa_fields(ki_lsa *lsa, ki_field *out);
kith_err ki_lsa_check(const ki_lsa *lsa);
void ki_lsa_clear(ki_lsa *lsa);

#endif
