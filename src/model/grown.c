/* SPDX-License-Identifier: MIT
 * grown.c -- the form of a view: what the inner form says of its items, nothing of the rest
 */
#include "model/grown.h"

#include "base/mem.h"

#include <math.h>

static const ki_model *inner_of(const ki_model *m)
{
    return ((const ki_grown *)m->state)->inner;
}

static int32_t n_known(const ki_model *m)
{
    return inner_of(m) == NULL ? 0 : inner_of(m)->n_items;
}

static void sizes(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats)
{
    *query_floats = *scratch_floats = 0;
    if (inner_of(m) != NULL)
        inner_of(m)->desc->form->sizes(inner_of(m), query_floats, scratch_floats);
}

static kith_err prepare(const ki_model *m, const ki_query *q, float *prepared, float *scratch)
{
    const ki_model *inner = inner_of(m);
    return inner == NULL ? KITH_OK : inner->desc->form->prepare(inner, q, prepared, scratch);
}

static void score(const ki_model *m, const ki_query *q, const float *prepared, int nq,
                  int32_t begin, int32_t end, float *out, int64_t ld, float *scratch)
{
    const int32_t known = KI_MIN(n_known(m), end);
    if (begin < known)
        inner_of(m)->desc->form->score(inner_of(m), q, prepared, nq, begin, known, out, ld,
                                       scratch);
    for (int j = 0; j < nq; j++)
        for (int32_t i = KI_MAX(begin, known); i < end; i++) out[j * ld + i - begin] = -INFINITY;
}

typedef void predict_fn(const ki_model *, const ki_query *, const float *, const int32_t *, int,
                        float *, uint8_t *, float *);

/* Later items have no estimate: NaN, which nothing supports. */
static void predict_by(predict_fn *fn, const ki_model *m, const ki_query *q, const float *prepared,
                       const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    for (int j = 0; j < n; j++) {
        out[j] = NAN;
        supported[j] = 0;
        if (items[j] < n_known(m))
            fn(inner_of(m), q, prepared, items + j, 1, out + j, supported + j, scratch);
    }
}

static void form_predict(const ki_model *m, const ki_query *q, const float *prepared,
                         const int32_t *items, int n, float *out, uint8_t *supported,
                         float *scratch)
{
    predict_fn *fn = inner_of(m) == NULL ? NULL : inner_of(m)->desc->form->predict;
    predict_by(fn, m, q, prepared, items, n, out, supported, scratch);
}

static void desc_predict(const ki_model *m, const ki_query *q, const float *prepared,
                         const int32_t *items, int n, float *out, uint8_t *supported,
                         float *scratch)
{
    predict_by(inner_of(m)->desc->predict, m, q, prepared, items, n, out, supported, scratch);
}

static int form_explain(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                        ki_term *out, float *scratch)
{
    if (item >= n_known(m)) return 0;
    return inner_of(m)->desc->form->explain(inner_of(m), q, prepared, item, out, scratch);
}

static int desc_explain(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                        ki_term *out, float *scratch)
{
    if (item >= n_known(m)) return 0;
    return inner_of(m)->desc->explain(inner_of(m), q, prepared, item, out, scratch);
}

static int words(const ki_model *m, const ki_query *q, int32_t item, ki_word *out, int room)
{
    if (item >= n_known(m)) return 0;
    return inner_of(m)->desc->form->words(inner_of(m), q, item, out, room);
}

static void similar(const ki_model *m, int32_t item, float *out, float *scratch)
{
    const int32_t known = item < n_known(m) ? n_known(m) : 0;
    if (known > 0) inner_of(m)->desc->form->similar(inner_of(m), item, out, scratch);
    for (int32_t i = known; i < m->n_items; i++) out[i] = -INFINITY;
}

static const ki_model *speaker(const ki_model *m, const float *prepared, int32_t item)
{
    if (item >= n_known(m)) return inner_of(m);
    return inner_of(m)->desc->form->speaker(inner_of(m), prepared, item);
}

static int knows_cold(const ki_model *m, int32_t item)
{
    return item < n_known(m) && inner_of(m)->desc->knows_cold(inner_of(m), item);
}

static int answers(const ki_model *m, const ki_query *q)
{
    return inner_of(m)->desc->answers(inner_of(m), q);
}

static int no_fields(void *state, ki_field *out)
{
    (void)state, (void)out;
    return 0;
}

static void describe(ki_grown *g)
{
    static const ki_model_desc nothing = { .name = "none", .family = "", .summary = "no model" };
    static const ki_form empty = { .name = "none" };
    const ki_model_desc *desc = g->inner == NULL ? &nothing : g->inner->desc;
    const ki_form *form = g->inner == NULL ? &empty : desc->form;
    g->form = (ki_form){ .name = form->name,
                         .size = sizeof *g,
                         .needs_raters = form->needs_raters,
                         .is_function = form->is_function,
                         .fields = no_fields,
                         .sizes = sizes,
                         .prepare = prepare,
                         .score = score,
                         .tile = form->tile,
                         .predict = form_predict,
                         .explain = form->explain != NULL ? form_explain : NULL,
                         .words = form->words != NULL ? words : NULL,
                         .similar = form->similar != NULL ? similar : NULL,
                         .speaker = form->speaker != NULL ? speaker : NULL };
    g->desc = *desc;
    g->desc.form = &g->form;
    g->desc.knows_cold = desc->knows_cold != NULL ? knows_cold : NULL;
    g->desc.answers = desc->answers != NULL ? answers : NULL;
    g->desc.predict = desc->predict != NULL ? desc_predict : NULL;
    g->desc.explain = desc->explain != NULL ? desc_explain : NULL;
}

void ki_grown_over(ki_grown *g, const ki_model *inner, ki_model *out)
{
    g->inner = inner;
    describe(g);
    out->desc = &g->desc;
    out->state = g;
    out->params = inner == NULL ? NULL : inner->params;
    out->mean = inner == NULL ? 0 : inner->mean;
    out->min = inner == NULL ? 0 : inner->min;
    out->max = inner == NULL ? 0 : inner->max;
    out->has_values = inner == NULL ? 0 : inner->has_values;
    out->seed = inner == NULL ? 0 : inner->seed;
}

const ki_model *ki_grown_inner(const ki_model *m)
{
    return m->desc->form->score == score ? inner_of(m) : m;
}
