/* SPDX-License-Identifier: MIT
 * counts.h -- how often each term is in each document, terms numbered as they appear
 */
#ifndef KI_TERM_COUNTS_H
#define KI_TERM_COUNTS_H

#include "data/idmap.h"
#include "text/grams.h"

typedef struct ki_term_counts {
    int hash_bits;  /* 0: terms are named; else column and sign of a term are bits of its hash */
    ki_idmap terms; /* by column; empty when hashed */
    char *label;    /* a label for each column, ended by NUL: as its first occurrence reads */
    int64_t *label_start; /* [n_cols] */
    size_t label_used, label_room;
    int32_t n_cols, cols_room;
    int32_t *df;   /* [n_cols] documents that have the term */
    float *tf;     /* [n_cols] of the document at hand, zero between documents */
    int32_t *open; /* [n_open] columns of the document at hand, in order of appearance */
    int32_t n_open, open_room;
    int32_t n_docs;
    int64_t nnz;
    size_t room;
    int32_t *row, *col; /* [nnz] */
    float *val;         /* [nnz] */
} ki_term_counts;

/* hash_bits: 0, or 8 to 24. */
kith_err ki_term_counts_new(int hash_bits, ki_term_counts *out);

/* A ki_gram_fn over a ki_term_counts: one more occurrence in the document at hand. */
kith_err ki_term_counts_add(void *counts, const ki_gram *gram, float weight);

/* The document at hand is whole; the next one begins. */
kith_err ki_term_counts_end(ki_term_counts *c);
void ki_term_counts_clear(ki_term_counts *c);

/* Column and sign of a hashed term. */
int32_t ki_term_counts_hash(const char *term, size_t n, int hash_bits, float *sign);

#endif
