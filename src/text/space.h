/* SPDX-License-Identifier: MIT
 * space.h -- documents as sparse weighted vectors, and any new text in the same coordinates
 *
 * Weights, with tf the (field-weighted) occurrences of term t in document d, df of n documents
 * having t, len the occurrences in d:
 *      count     tf
 *      binary    1
 *      tfidf     (1 + ln tf) (1 + ln((1 + n) / (1 + df)));  tf below 1 counts as it is
 *      bm25      tf (k1 + 1) / (tf + k1 (1 - b + b len / mean len)) * ln(1 + (n - df + .5)/(df + .5))
 *                Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009
 * A new text has mean length.  Hashed counts keep their sign.
 */
#ifndef KI_SPACE_H
#define KI_SPACE_H

#include "base/job.h"
#include "base/tensors.h"
#include "data/csr.h"
#include "text/fields.h"

typedef enum ki_text_weighting { KI_TFIDF, KI_BM25, KI_COUNT_TERMS, KI_BINARY } ki_text_weighting;
extern const char *const ki_text_weightings[]; /* "tfidf", "bm25", "count", "binary", NULL */

typedef struct ki_text_options {
    ki_gram_options grams; /* language may be auto or each */
    int32_t min_df;        /* documents that a term must be in; 0: 2, or 1 below 200 documents */
    float max_df;      /* share of the documents that it may be in, from 20 documents on; 0: all */
    int32_t hash_bits; /* 0: terms keep their names; else 8 to 24: hashed to so many bits */
    ki_text_weighting weighting;
    float k1, b;   /* bm25 */
    int normalise; /* 1: vectors of length 1 */
} ki_text_options;

typedef struct ki_text_settings { /* saved as an array of int32: nothing else may be in here */
    int32_t language; /* plus KI_LANGUAGES where every text has its own: then it is the main one */
    int32_t words, char_min, char_max, hash_bits, weighting, normalise, n_docs;
} ki_text_settings;

typedef struct ki_text_numbers { /* saved as an array of float */
    float k1, b, mean_length;
} ki_text_numbers;

typedef struct ki_text_space { /* all arrays from ki_alloc, or all in a mapping */
    int64_t n_settings, n_numbers, n_terms, text_bytes, label_bytes;
    ki_text_settings *settings;
    ki_text_numbers *numbers;
    char *text;           /* terms in byte order, each ended by NUL; NULL when hashed */
    int64_t *text_start;  /* [n_terms + 1]; NULL when hashed */
    char *label;          /* as people read them, "" for parts of words; NULL when hashed */
    int64_t *label_start; /* [n_terms + 1]; NULL when hashed */
    float *idf;           /* [n_terms] of the weighting, 1 where it has none */
} ki_text_space;

typedef struct ki_text_row { /* one sparse vector */
    int32_t n;
    int32_t *idx; /* [n] rising */
    float *val;
} ki_text_row;

/* Learn terms and weights from the rows of the fields; X becomes their vectors [n_rows, n_terms].
 * Steps are told as `what`.  Both are to be cleared by the caller, on failure too. */
kith_err ki_text_space_fit(ki_text_space *s, const ki_text_options *o, const ki_text_field *fields,
                           int n_fields, int32_t n_rows, ki_job *job, const char *what, ki_csr *X);

/* The vectors of other rows (attributes of users) in the same coordinates: terms that the space
 * lacks are left out, and so are rows from n_fields == 0. */
kith_err ki_text_space_rows(const ki_text_space *s, const ki_text_field *fields, int n_fields,
                            int32_t n_rows, ki_job *job, const char *what, ki_csr *X);

/* The vector of a text.  Safe from many threads at once. */
kith_err ki_text_space_vector(const ki_text_space *s, const char *text, ki_text_row *out);
void ki_text_row_clear(ki_text_row *r);

/* The column of a term, or -1. */
int32_t ki_text_space_find(const ki_text_space *s, const char *term, size_t n);

/* A term as people read it; "" when it is not for people. */
const char *ki_text_space_label(const ki_text_space *s, int32_t term);

#define KI_TEXT_SPACE_FIELDS 7
int ki_text_space_fields(ki_text_space *s, ki_field *out);
kith_err ki_text_space_check(const ki_text_space *s);
void ki_text_space_clear(ki_text_space *s);

#endif
