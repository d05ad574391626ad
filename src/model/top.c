/* SPDX-License-Identifier: MIT
 * top.c -- a model, its index, and one question: prepare, strike out, search
 */
#include "model/top.h"

#include "base/mem.h"
#include "model/form_vectors.h"

#include <string.h>

enum { LEAST_ITEMS = 1024 };

struct ki_top {
    const ki_model *m;
    ki_inner *index;
};

struct ki_top_room {
    float *prepared, *scratch;
    uint64_t *open; /* the set without what is skipped */
    ki_inner_room *inner;
};

kith_err ki_top_new(const ki_model *m, ki_top **out)
{
    const ki_vectors *v = m->state;
    ki_top *t = NULL;
    kith_err err;
    *out = NULL;
    if (m->desc->form != &ki_form_vectors || v->dim == 0 || m->n_items < LEAST_ITEMS)
        return KITH_OK;
    if ((err = ki_alloc(&t, 1, sizeof *t)) != KITH_OK) return err;
    t->m = m;
    if ((err = ki_inner_new(v->Y, v->bi, m->n_items, v->dim, &t->index)) != KITH_OK)
        ki_free(t);
    else
        *out = t;
    return err;
}

void ki_top_free(ki_top *t)
{
    if (t == NULL) return;
    ki_inner_free(t->index);
    ki_free(t);
}

const ki_inner *ki_top_index(const ki_top *t)
{
    return t->index;
}

kith_err ki_top_room_new(const ki_top *t, ki_top_room **out)
{
    int64_t query, scratch;
    ki_top_room *r = NULL;
    kith_err err = ki_alloc(&r, 1, sizeof *r);
    if (err != KITH_OK) return err;
    t->m->desc->form->sizes(t->m, &query, &scratch);
    if ((err = ki_alloc(&r->prepared, (size_t)query, sizeof *r->prepared)) != KITH_OK ||
        (err = ki_alloc(&r->scratch, (size_t)scratch, sizeof *r->scratch)) != KITH_OK ||
        (err = ki_alloc(&r->open, (size_t)ki_inner_words(t->index), sizeof *r->open)) != KITH_OK ||
        (err = ki_inner_room_new(t->index, &r->inner)) != KITH_OK)
        ki_top_room_free(r);
    else
        *out = r;
    return err;
}

void ki_top_room_free(ki_top_room *r)
{
    if (r == NULL) return;
    ki_free(r->prepared);
    ki_free(r->scratch);
    ki_free(r->open);
    ki_inner_room_free(r->inner);
    ki_free(r);
}

kith_err ki_top_prepare(const ki_top *t, ki_top_room *r, const ki_query *q)
{
    return t->m->desc->form->prepare(t->m, q, r->prepared, r->scratch);
}

int64_t ki_top_floats(const ki_top *t)
{
    return ((const ki_vectors *)t->m->state)->dim + 1;
}

float *ki_top_prepared(ki_top_room *r)
{
    return r->prepared;
}

kith_err ki_top_find(const ki_top *t, ki_top_room *r, const int32_t *skip, int32_t n_skip,
                     ki_top_among among, int k, int32_t *items, float *scores, int32_t *n)
{
    const ki_vectors *v = t->m->state;
    const ki_inner *index = among.part != NULL ? among.part : t->index;
    if (among.part != NULL)
        ki_inner_all(index, r->open);
    else
        memcpy(r->open, among.set, (size_t)ki_inner_words(index) * sizeof *r->open);
    for (int32_t j = 0; j < n_skip && skip[j] < t->m->n_items; j++) {
        const int32_t place = ki_inner_place(index, skip[j]);
        if (place >= 0) ki_inner_take(r->open, place);
    }
    return ki_inner_top(index, r->inner, r->prepared, r->prepared[v->dim], r->open, k, items,
                        scores, n, NULL);
}
