/* SPDX-License-Identifier: MIT
 * similarity.h -- how alike two rows of a matrix are: measures, and one row against all others
 *
 * The raw value r of row a in column c is first weighed (a row at a time), then two rows are
 * compared by sums over the columns that both have, n of them:
 *
 *      measure            weighed value x_ac                         similarity of a and b
 *      cosine             r / |row|                                  sum xx
 *      tfidf              sqrt(r) idf_c / |row|                      sum xx
 *      bm25               r (k1+1) idf_c / (k1 (1-b+b len_a/len)+r)  sum xx
 *      degree             r / sqrt(len_a len_c)                      sum xx
 *      jaccard            1                                          n / (n_a + n_b - n)
 *      cosine_corated     r                                          sum xx / sqrt(sum_a sum_b)
 *      adjusted_cosine    r - mean_c                                 likewise
 *      pearson_baseline   r - mean - b_a - b_c                       likewise
 *      pearson            r - a constant                             the correlation over both
 *      msd                r                                          1 / (1 + sum (x_a - x_b)^2 /
 * n)
 *
 * with idf_c = ln(rows) - ln(1 + rows that have c), sum_a = the sum of x_ac^2 over the columns that
 * both have, len_a and len_c = the sums of a row and of a column, len = their mean over rows.  The
 * first five see whole rows (a column that one of them
 * lacks counts as zero); the others see only what both have.  Then, with the row's options,
 *
 *      similarity *= n / (n + shrinkage)        for pearson_baseline (n - 1) / (n - 1 + shrinkage)
 *      similarity  = 0  where n < min_support
 *
 * Papers     Sarwar, Karypis, Konstan, Riedl, Item-Based Collaborative Filtering, WWW 2001
 *            (adjusted cosine); Koren, Factor in the Neighbors, TKDD 2010 (pearson_baseline with
 *            shrinkage); Shen et al., How Powerful is Graph Convolution for Recommendation, CIKM 2021
 *            (degree: the symmetrically normalised adjacency, their linear filter); Robertson, Zaragoza, The Probabilistic Relevance Framework, 2009 (bm25).
 *            Details as in Surprise (co-rated measures) and implicit (cosine, tfidf, bm25)
 * Numerics   sums are float32: exact for whole and half stars up to 2^24, else to about n 2^-24.
 *            A spread that rounding alone could have made counts as none (pearson: 0).
 */
#ifndef KI_SIMILARITY_H
#define KI_SIMILARITY_H

#include "base/job.h"
#include "data/csr.h"

enum ki_measure {
    KI_COSINE,
    KI_TFIDF,
    KI_BM25,
    KI_DEGREE,
    KI_JACCARD,
    KI_COSINE_CORATED,
    KI_ADJUSTED_COSINE,
    KI_PEARSON_BASELINE,
    KI_PEARSON,
    KI_MSD,
};

typedef struct ki_similarity {
    int32_t measure;     /* of enum ki_measure */
    int32_t min_support; /* common columns that two rows must have; 0 and 1 mean the same */
    float shrinkage;     /* 0: none */
    float k1, b;         /* bm25 */
} ki_similarity;

/* Floats of the sums that comparing two rows needs; between 1 and this. */
enum { KI_MAX_LANES = 6 };
int ki_similarity_lanes(const ki_similarity *how);

/* What weighing a row needs to know beside the row. */
typedef struct ki_weights {
    float shift;  /* pearson: a whole number near the mean; pearson_baseline: the mean */
    float length; /* bm25: mean sum of a row */
    float
        *column; /* [n_cols] idf, mean or baseline of a column, owned; NULL: the measure has none */
} ki_weights;

/* Learn from the rows (and their transpose).  `mean` is that of all values; column_base [n_cols] is
 * read for pearson_baseline alone.  KITH_EDATA for negative values where the measure has none. */
kith_err ki_weights_make(ki_weights *out, const ki_similarity *how, const ki_csr *by_row,
                         const ki_csr *by_col, double mean, const float *column_base);
void ki_weights_clear(ki_weights *w);

/* x[n] = weighed values of a row whose columns are idx[n] and values val[n]; row_base is b_a. */
void ki_similarity_weigh(const ki_similarity *how, const ki_weights *w, float row_base,
                         const int32_t *idx, const float *val, int64_t n, float *x);

/* All rows: x is [nnz] in the order of by_row; row_base [n_rows] may be NULL (zeroes). */
kith_err ki_similarity_weigh_all(const ki_similarity *how, const ki_weights *w,
                                 const float *row_base, const ki_csr *by_row, ki_pool *pool,
                                 float *x);

/* cells[n_rows, lanes] += the sums of one weighed row (idx, x, n) with every row; by_col row c
 * lists the rows that have column c and their weighed values.  Time: the lists of the n columns. */
void ki_similarity_add(int lanes, const int32_t *idx, const float *x, int64_t n,
                       const ki_csr *by_col, float *cells);

/* The similarity that a cell amounts to; n_a and n_b are the entries of the two rows. */
float ki_similarity_of(const ki_similarity *how, const float *cell, int64_t n_a, int64_t n_b);

#endif
