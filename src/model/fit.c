/* SPDX-License-Identifier: MIT
 * fit.c -- from a descriptor, parameters and ratings to a fitted model
 */
#include "model/model.h"

#include "base/mem.h"

#include <string.h>

/* "ials.n_factors" speaks to ials alone, "n_factors" to every model.  NULL: not for this one. */
static const char *addressed(const ki_model_desc *desc, const char *name)
{
    const size_t n = strlen(desc->name);
    if (strncmp(name, desc->name, n) == 0 && name[n] == '.') return name + n + 1;
    return strchr(name, '.') == NULL ? name : NULL;
}

kith_err ki_model_params(const ki_model_desc *desc, const kith_param *given, int n, int lenient,
                         void **out)
{
    void *params = NULL;
    kith_err err = ki_alloc(&params, 1, desc->size);
    if (err != KITH_OK) return err;
    ki_params_default(desc->params, desc->n_params, params);
    for (int j = 0; j < n; j++) {
        const char *name = addressed(desc, given[j].name);
        if (name == NULL && lenient) continue;
        if (name == NULL) {
            ki_free(params);
            return ki_fail(KITH_EINVAL, "%s: the parameter \"%.64s\" speaks to another model",
                           desc->name, given[j].name);
        }
        if (lenient && name == given[j].name &&
            ki_params_find(desc->params, desc->n_params, name) == NULL)
            continue;
        err = ki_params_set(desc->params, desc->n_params, params, desc->name, name, given[j].value);
        if (err != KITH_OK) {
            ki_free(params);
            return err;
        }
    }
    *out = params;
    return KITH_OK;
}

kith_err ki_model_find_cold(ki_model *m)
{
    uint8_t *warm = NULL;
    kith_err err = ki_alloc(&warm, (size_t)m->n_items, 1);
    if (err != KITH_OK) return err;
    for (int64_t j = 0; j < ki_csr_nnz(&m->history); j++) warm[m->history.idx[j]] = 1;
    for (int32_t i = 0; m->desc->knows_cold != NULL && i < m->n_items; i++)
        warm[i] |= (uint8_t)m->desc->knows_cold(m, i);
    m->n_cold = 0;
    for (int32_t i = 0; i < m->n_items; i++) m->n_cold += !warm[i];
    if ((err = ki_alloc(&m->cold, (size_t)m->n_cold, sizeof *m->cold)) == KITH_OK)
        for (int32_t i = 0, n = 0; i < m->n_items; i++)
            if (!warm[i]) m->cold[n++] = i;
    ki_free(warm);
    return err != KITH_OK ? err : ki_model_find_reach(m);
}

static kith_err check_needs(const ki_model_desc *desc, const void *params, const ki_ratings *r,
                            const ki_job *job)
{
    if (ki_csr_nnz(&r->by_user) == 0)
        return ki_fail(KITH_EDATA, "%s: there is nothing to train on", desc->name);
    if ((desc->needs & KI_NEEDS_VALUES) && !r->has_values)
        return ki_fail(KITH_EDATA,
                       "%s needs ratings, but all values of the training data are the same",
                       desc->name);
    if ((desc->needs & KI_NEEDS_TIMES) && r->time == NULL)
        return ki_fail(KITH_EDATA, "%s needs times, and the data has none", desc->name);
    return desc->memory == NULL ? KITH_OK : ki_job_memory(job, desc->name, desc->memory(params, r));
}

kith_err ki_model_fit(ki_model *out, const ki_model_desc *desc, void *params, const kith_data *data,
                      const ki_ratings *ratings, ki_job *job)
{
    ki_model m = { .desc = desc, .params = params, .seed = job->seed };
    const ki_fit in = { .ratings = ratings, .data = data, .job = job };
    kith_err err;
    *out = (ki_model){ 0 };
    if ((err = check_needs(desc, params, ratings, job)) != KITH_OK) goto fail;
    m.history = ki_csr_lend(&ratings->by_user);
    m.raters = ki_csr_lend(&ratings->by_item);
    m.n_users = m.history.n_rows;
    m.n_items = m.history.n_cols;
    m.mean = ratings->mean;
    m.min = ratings->min;
    m.max = ratings->max;
    m.has_values = ratings->has_values;
    m.strengths = data != NULL && data->strengths;
    if ((err = ki_alloc(&m.state, 1, desc->form->size)) != KITH_OK) goto fail;
    if (desc->begin != NULL && (err = desc->begin(params, m.state)) != KITH_OK) goto fail;
    if ((err = desc->fit(params, &in, m.state)) != KITH_OK) goto fail;
    if ((err = ki_model_find_cold(&m)) != KITH_OK) goto fail;
    *out = m;
    return KITH_OK;
fail:
    ki_model_clear(&m);
    return err;
}

void ki_model_clear(ki_model *m)
{
    ki_field fields[KI_MAX_FIELDS];
    if (m->state != NULL && !m->state_borrowed)
        ki_fields_free(fields, m->desc->form->fields(m->state, fields));
    if (m->state != NULL && m->desc->form->end != NULL)
        m->desc->form->end(m->state, m->state_borrowed);
    ki_free(m->state);
    ki_free(m->params);
    ki_free(m->cold);
    ki_reach_clear(&m->reach);
    *m = (ki_model){ 0 };
}

ki_query ki_query_user(const ki_model *m, int32_t u)
{
    const int64_t at = m->history.ptr[u];
    const int32_t n = (int32_t)ki_csr_len(&m->history, u);
    return (ki_query){ .user = u,
                       .items = m->history.idx + at,
                       .values = m->history.val + at,
                       .n = n,
                       .skip = m->history.idx + at,
                       .n_skip = n };
}
