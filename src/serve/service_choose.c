/* SPDX-License-Identifier: MIT
 * service_choose.c -- which model is trained when nobody says which
 *
 * No model is the best everywhere: on some logs factors lead, on others neighbours or plain counts.  So the few that
 * come into question are measured on the part that every candidate is measured on (service_evaluate.c), and the best is
 * taken.  The first is the simplest and the quickest to ask: another must be better by more than `keep_old`.
 * A model that reads words serves who is only described and what is new, too: where items have words, all that come
 * into question read them.
 */
#include "serve/service_parts.h"

#include "data/dataset.h"

#include <math.h>

enum { /* beyond, a second training takes long or much memory, neighbours most of all: the first is taken */
       MOST_EVENTS = 2000000,
       MOST_ITEMS = 20000
};

struct contender {
    const char *algorithm, *parts; /* parts: of a hybrid */
};

enum { CONTENDERS = 2 };
static const struct contender plain[CONTENDERS] = { { "ials", NULL },
                                                    { "hybrid", "item-knn,ials,popularity" } };
static const struct contender reading[CONTENDERS] = {
    { "ials-text", NULL }, { "hybrid", "item-knn,ials-text,popularity" }
};

static int has_words(const kith_data *d)
{
    for (int j = 0; j < d->item_attrs.n_columns; j++) {
        const ki_column_kind kind = d->item_attrs.columns[j].kind;
        if (kind == KI_COL_TEXT || kind == KI_COL_SET || kind == KI_COL_CATEGORY) return 1;
    }
    return 0;
}

static const struct contender *contenders(const kith_data *d)
{
    return has_words(d) ? reading : plain;
}

const char *ki_service_usual(const ki_service *s, const kith_data *d)
{
    return s->model_name != NULL ? s->model_name : contenders(d)[0].algorithm;
}

static json_t *params_of(const struct contender *c)
{
    return c->parts == NULL ? json_object() : json_pack("{s:s}", "parts", c->parts);
}

static void tell(json_t *told, const ki_recipe *r, const ki_figure *f)
{
    json_array_append_new(told, json_pack("{s:s, s:O, s:o}", "algorithm", r->algorithm, "params",
                                          r->params, "value",
                                          isfinite(f->value) ? json_real(f->value) : json_null()));
}

/* Measured, and in *best's place if it is better by more than keep_old.  What cannot be trained here (it needs more
 * memory than there may be) does not come into question. */
static kith_err compete(ki_service *s, kith *k, const kith_data *d, const struct contender *c,
                        ki_recipe *best, ki_figure *figure, json_t *told)
{
    ki_figure f;
    json_t *params = params_of(c);
    const ki_recipe r = { .algorithm = c->algorithm, .params = params };
    if (params == NULL) return ki_fail_memory(64);
    const kith_err err = ki_service_measure(s, k, d, &r, &f);
    if (err == KITH_OK) tell(told, &r, &f);
    if (err == KITH_OK && ki_service_is_worse_than(s, figure->value, f.value)) {
        json_decref((json_t *)best->params);
        best->algorithm = c->algorithm;
        best->params = json_incref(params);
        *figure = f;
    }
    json_decref(params);
    return err == KITH_ECANCELED ? err : KITH_OK;
}

/* Whoever starts the service with an algorithm or parameters has said which. */
static int is_open(const ki_service *s, const kith_data *d)
{
    return s->model_name == NULL && json_object_size(s->params) == 0 && d->log.n <= MOST_EVENTS &&
           d->items.n <= MOST_ITEMS;
}

kith_err ki_service_choose(ki_service *s, kith *k, const kith_data *d, ki_recipe *r,
                           ki_figure *figure, int *measured, json_t **told)
{
    const struct contender *all = contenders(d);
    *measured = 0;
    *told = NULL;
    r->algorithm = ki_service_usual(s, d);
    r->params = json_incref(s->params);
    if (!is_open(s, d)) return KITH_OK;
    kith_err err = ki_service_measure(s, k, d, r, figure);
    if (err == KITH_EDATA) return KITH_OK;
    if (err == KITH_OK && (*told = json_array()) == NULL) err = ki_fail_memory(64);
    if (err == KITH_OK) tell(*told, r, figure);
    for (int c = 1; err == KITH_OK && c < CONTENDERS; c++)
        err = compete(s, k, d, &all[c], r, figure, *told);
    *measured = err == KITH_OK;
    return err;
}
