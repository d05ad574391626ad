/* SPDX-License-Identifier: MIT
 * fitted.h -- for tests of one model: fit it on a few rows and look inside
 */
#ifndef KITH_TEST_FITTED_H
#define KITH_TEST_FITTED_H

#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/rank.h"

struct fitted {
    kith *k;
    kith_data *d;
    ki_ratings r;
    ki_model m;
};

struct fitted_rows {
    size_t n;
    const char *const *users, *const *items;
    const float *values; /* NULL: events */
};

static inline kith_err fit_rows(struct fitted *f, const char *model, int threads, const struct fitted_rows *rows,
                                const kith_param *given, int n_given)
{
    void *params;
    *f = (struct fitted){ 0 };
    CHECK_OK(kith_new(&(kith_options){ .threads = threads }, &f->k));
    CHECK_OK(kith_data_new(f->k, rows->n, rows->users, rows->items, rows->values, NULL, &f->d));
    CHECK_OK(ki_ratings_build(&f->r, f->d, NULL));
    CHECK_OK(ki_model_params(ki_model_find(model), given, n_given, 0, &params));
    return ki_model_fit(&f->m, ki_model_find(model), params, f->d, &f->r, ki_context_job(f->k));
}

static inline void clear_fitted(struct fitted *f)
{
    ki_model_clear(&f->m);
    ki_ratings_clear(&f->r);
    kith_data_free(f->d);
    kith_free(f->k);
}

static inline int32_t user_of(const struct fitted *f, const char *id)
{
    return ki_idmap_find(&f->d->users, id, strlen(id));
}

static inline int32_t item_of(const struct fitted *f, const char *id)
{
    return ki_idmap_find(&f->d->items, id, strlen(id));
}

/* out[n_items] = scores of all items for a query, as the form gives them. */
static inline void score_query(const ki_model *m, const ki_query *q, float *out)
{
    int64_t query_floats, scratch_floats;
    float *prepared, *scratch;
    m->desc->form->sizes(m, &query_floats, &scratch_floats);
    CHECK_OK(ki_alloc(&prepared, (size_t)query_floats, sizeof(float)));
    CHECK_OK(ki_alloc(&scratch, (size_t)scratch_floats, sizeof(float)));
    CHECK_OK(m->desc->form->prepare(m, q, prepared, scratch));
    m->desc->form->score(m, q, prepared, 1, 0, m->n_items, out, m->n_items, scratch);
    ki_free(prepared);
    ki_free(scratch);
}

/* A made table: `n` rows, popular items oftener. */
enum { FITTED_ROWS = 3000 };

static inline kith_err fit_made(struct fitted *f, const char *model, int threads, int n_users, int n_items,
                                const kith_param *given, int n_given)
{
    static char names[FITTED_ROWS][2][8];
    static const char *u[FITTED_ROWS], *i[FITTED_ROWS];
    static float v[FITTED_ROWS];
    ki_rng r = ki_rng_make(8, 0, 0);
    for (int t = 0; t < FITTED_ROWS; t++) {
        const int row = (int)ki_rng_below(&r, (uint32_t)n_users);
        snprintf(names[t][0], 8, "u%d", row);
        snprintf(names[t][1], 8, "i%d", (int)(n_items * ki_rng_unit(&r) * ki_rng_unit(&r)));
        u[t] = names[t][0];
        i[t] = names[t][1];
        v[t] = (float)(1 + ki_rng_below(&r, 5));
    }
    return fit_rows(f, model, threads, &(struct fitted_rows){ FITTED_ROWS, u, i, v }, given, n_given);
}

#endif
