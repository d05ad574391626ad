/* SPDX-License-Identifier: MIT
 * search.c -- scores accumulated over the lists of a text's terms, then the best k
 *
 * Accumulating touches each posting of the asked terms once and a document only if it has one of
 * them, so a query costs the sum of their document frequencies, not the catalogue.
 */
#include "text/search.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { FUSION_RANK = 60 };

struct sums {          /* scores of the documents that were touched */
    float *of;         /* [n_docs] */
    int32_t *touched;  /* [n] in order of first touch */
    uint8_t *is_there; /* [n_docs] */
    int32_t n;
};

static kith_err make_sums(struct sums *s, int32_t n_docs)
{
    kith_err err;
    *s = (struct sums){ 0 };
    if ((err = ki_alloc(&s->of, (size_t)n_docs, sizeof *s->of)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->touched, (size_t)n_docs, sizeof *s->touched)) != KITH_OK) return err;
    return ki_alloc(&s->is_there, (size_t)n_docs, 1);
}

static void clear_sums(struct sums *s)
{
    ki_free(s->of);
    ki_free(s->touched);
    ki_free(s->is_there);
}

static void add(struct sums *s, int32_t doc, float value)
{
    if (!s->is_there[doc]) {
        s->is_there[doc] = 1;
        s->touched[s->n++] = doc;
    }
    s->of[doc] += value;
}

static int is_better(const struct sums *s, int32_t a, int32_t b)
{
    return s->of[a] > s->of[b] || (s->of[a] == s->of[b] && a < b);
}

/* Insert into the best so far, docs[*n] of at most k. */
static void insert(const struct sums *s, int32_t doc, int k, int32_t *docs, int32_t *n)
{
    if (*n == k && !is_better(s, doc, docs[k - 1])) return;
    int32_t low = 0, high = *n; /* the first that doc is better than */
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (is_better(s, doc, docs[middle]))
            high = middle;
        else
            low = middle + 1;
    }
    const int32_t last = *n == k ? k - 1 : (*n)++;
    memmove(docs + low + 1, docs + low, (size_t)(last - low) * sizeof *docs);
    docs[low] = doc;
}

static void best_of(const struct sums *s, int k, int32_t *docs, float *scores, int32_t *n)
{
    *n = 0;
    for (int32_t j = 0; k > 0 && j < s->n; j++) insert(s, s->touched[j], k, docs, n);
    for (int32_t j = 0; j < *n; j++) scores[j] = s->of[docs[j]];
}

/* ---- index ---- */

kith_err ki_text_index_new(ki_text_index *out, const ki_text_options *o,
                           const ki_text_field *fields, int n_fields, int32_t n_rows, ki_job *job)
{
    ki_text_options options = *o;
    ki_text_index made = { .n_docs = n_rows };
    ki_csr X = { 0 };
    *out = (ki_text_index){ 0 };
    options.weighting = KI_BM25;
    options.normalise = 0;
    options.hash_bits = 0;
    kith_err err =
        ki_text_space_fit(&made.space, &options, fields, n_fields, n_rows, job, "index texts", &X);
    if (err == KITH_OK) err = ki_csr_transpose(&made.postings, &X);
    ki_csr_clear(&X);
    if (err != KITH_OK)
        ki_text_index_clear(&made);
    else
        *out = made;
    return err;
}

kith_err ki_text_index_find(const ki_text_index *index, const char *text, int k, int32_t *docs,
                            float *scores, int32_t *n)
{
    struct sums sums = { 0 };
    ki_text_row row = { 0 };
    kith_err err = ki_text_space_vector(&index->space, text, &row);
    if (err == KITH_OK) err = make_sums(&sums, index->n_docs);
    for (int32_t j = 0; err == KITH_OK && j < row.n; j++) {
        const int32_t term = row.idx[j];
        /* the space weighs the text as a document, idf and all: a text counts occurrences */
        const float times = row.val[j] / index->space.idf[term];
        for (int64_t t = index->postings.ptr[term]; t < index->postings.ptr[term + 1]; t++)
            add(&sums, index->postings.idx[t], times * index->postings.val[t]);
    }
    if (err == KITH_OK) best_of(&sums, k, docs, scores, n);
    clear_sums(&sums);
    ki_text_row_clear(&row);
    return err;
}

void ki_text_index_clear(ki_text_index *index)
{
    ki_text_space_clear(&index->space);
    ki_csr_clear(&index->postings);
    *index = (ki_text_index){ 0 };
}

/* ---- fusion ---- */

kith_err ki_rank_fusion(const ki_ranking *rankings, int n_rankings, int32_t n_docs, int k,
                        int32_t *docs, float *scores, int32_t *n)
{
    struct sums sums;
    const kith_err err = make_sums(&sums, n_docs);
    for (int r = 0; err == KITH_OK && r < n_rankings; r++)
        for (int32_t j = 0; j < rankings[r].n; j++)
            add(&sums, rankings[r].docs[j], rankings[r].weight / (float)(FUSION_RANK + 1 + j));
    if (err == KITH_OK) best_of(&sums, k, docs, scores, n);
    clear_sums(&sums);
    return err;
}
