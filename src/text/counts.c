/* SPDX-License-Identifier: MIT
 * counts.c -- counting terms, one document after the other
 *
 * Hashing   Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML 2009: the
 *           sign of a term is a bit of its hash too, so that terms that meet in a column cancel on
 *           average and dot products stay unbiased.
 */
#include "text/counts.h"

#include "base/mem.h"

#include <string.h>

int32_t ki_term_counts_hash(const char *term, size_t n, int hash_bits, float *sign)
{
    const uint64_t hash = ki_idmap_hash(term, n);
    *sign = hash >> 63 ? -1 : 1;
    return (int32_t)(hash & (((uint64_t)1 << hash_bits) - 1));
}

static kith_err grow_columns(ki_term_counts *c, int32_t n)
{
    if (n <= c->cols_room) return KITH_OK;
    const size_t old = (size_t)c->cols_room, room = KI_MAX((size_t)n, 2 * old + 256);
    kith_err err;
    if ((err = ki_grow(&c->df, old, room, sizeof *c->df)) != KITH_OK ||
        (err = ki_grow(&c->tf, old, room, sizeof *c->tf)) != KITH_OK ||
        (err = ki_grow(&c->label_start, old, room, sizeof *c->label_start)) != KITH_OK)
        return err;
    c->cols_room = (int32_t)room;
    return KITH_OK;
}

kith_err ki_term_counts_new(int hash_bits, ki_term_counts *out)
{
    ki_term_counts c = { .hash_bits = hash_bits };
    const kith_err err = hash_bits > 0 ? grow_columns(&c, 1 << hash_bits) : KITH_OK;
    if (err != KITH_OK) {
        ki_term_counts_clear(&c);
        return err;
    }
    c.n_cols = hash_bits > 0 ? 1 << hash_bits : 0;
    *out = c;
    return KITH_OK;
}

static kith_err add_label(ki_term_counts *c, const ki_gram *gram)
{
    if (c->label_used + gram->label_n + 1 > c->label_room) {
        const size_t room = 2 * c->label_room + gram->label_n + 4096;
        const kith_err err = ki_grow(&c->label, c->label_used, room, 1);
        if (err != KITH_OK) return err;
        c->label_room = room;
    }
    if (gram->label != NULL) memcpy(c->label + c->label_used, gram->label, gram->label_n);
    c->label_start[c->n_cols] = (int64_t)c->label_used;
    c->label_used += gram->label_n + 1;
    c->label[c->label_used - 1] = '\0';
    return KITH_OK;
}

static kith_err name_column(ki_term_counts *c, const ki_gram *gram, int32_t *col)
{
    kith_err err = ki_idmap_add(&c->terms, gram->text, gram->n, col);
    if (err != KITH_OK || *col < c->n_cols) return err;
    if ((err = grow_columns(c, *col + 1)) != KITH_OK) return err;
    if ((err = add_label(c, gram)) != KITH_OK) return err;
    c->n_cols = *col + 1;
    return KITH_OK;
}

kith_err ki_term_counts_add(void *counts, const ki_gram *gram, float weight)
{
    ki_term_counts *c = counts;
    int32_t col;
    float sign = 1;
    if (c->hash_bits > 0) {
        col = ki_term_counts_hash(gram->text, gram->n, c->hash_bits, &sign);
    } else {
        const kith_err err = name_column(c, gram, &col);
        if (err != KITH_OK) return err;
    }
    if (c->tf[col] == 0) { /* hashed terms may cancel and come again: then a column is open twice */
        if (c->n_open == c->open_room) {
            const size_t room = 2 * (size_t)c->open_room + 256;
            const kith_err err = ki_grow(&c->open, (size_t)c->open_room, room, sizeof *c->open);
            if (err != KITH_OK) return err;
            c->open_room = (int32_t)room;
        }
        c->open[c->n_open++] = col;
    }
    c->tf[col] += sign * weight;
    return KITH_OK;
}

static kith_err reserve(ki_term_counts *c)
{
    const size_t need = (size_t)c->nnz + (size_t)c->n_open;
    if (need <= c->room) return KITH_OK;
    const size_t old = (size_t)c->nnz, room = KI_MAX(need, 2 * c->room + 1024);
    kith_err err;
    if ((err = ki_grow(&c->row, old, room, sizeof *c->row)) != KITH_OK ||
        (err = ki_grow(&c->col, old, room, sizeof *c->col)) != KITH_OK ||
        (err = ki_grow(&c->val, old, room, sizeof *c->val)) != KITH_OK)
        return err;
    c->room = room;
    return KITH_OK;
}

kith_err ki_term_counts_end(ki_term_counts *c)
{
    const kith_err err = reserve(c);
    if (err != KITH_OK) return err;
    for (int32_t j = 0; j < c->n_open; j++) {
        const int32_t col = c->open[j];
        if (c->tf[col] == 0) continue; /* cancelled, or told already */
        c->row[c->nnz] = c->n_docs;
        c->col[c->nnz] = col;
        c->val[c->nnz++] = c->tf[col];
        c->df[col]++;
        c->tf[col] = 0;
    }
    c->n_open = 0;
    c->n_docs++;
    return KITH_OK;
}

void ki_term_counts_clear(ki_term_counts *c)
{
    ki_idmap_clear(&c->terms);
    ki_free(c->label);
    ki_free(c->label_start);
    ki_free(c->df);
    ki_free(c->tf);
    ki_free(c->open);
    ki_free(c->row);
    ki_free(c->col);
    ki_free(c->val);
    *c = (ki_term_counts){ 0 };
}
