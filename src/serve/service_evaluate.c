/* SPDX-License-Identifier: MIT
 * service_evaluate.c -- is a recipe better than the one in force?  Both are trained on the same part and asked for the rest
 *
 * What is compared is algorithm and parameters, not two files: the model in force may have learnt from rows that
 * are held out today, which would flatter it.  The split follows from data and seed alone, so that evaluations made
 * one after the other are of the same rows.
 */
#include "serve/service_parts.h"

#include "data/dataset.h"

#include <math.h>
#include <string.h>

kith_err ki_recipe_params(const json_t *object, kith_param *params, int *n, json_t **texts)
{
    const char *name;
    json_t *value;
    char number[40];
    *n = 0;
    *texts = json_object();
    json_object_foreach ((json_t *)object, name, value) {
        json_t *text = NULL;
        if (*n == KI_MAX_RECIPE)
            return ki_fail(KITH_EINVAL, "more than %d parameters", KI_MAX_RECIPE);
        if (json_is_string(value)) text = json_incref(value);
        if (json_is_boolean(value)) text = json_string(json_is_true(value) ? "true" : "false");
        if (json_is_number(value)) {
            snprintf(number, sizeof number, "%.15g", json_number_value(value));
            text = json_string(number);
        }
        if (text == NULL)
            return ki_fail(KITH_EINVAL, "parameter %.60s: want a number, a text or a boolean",
                           name);
        json_object_set_new(*texts, name, text);
        params[(*n)++] = (kith_param){ .name = name, .value = json_string_value(text) };
    }
    return KITH_OK;
}

/* Times that say nothing (a store filled from a file without) cannot split. */
static int has_times(const kith_data *d)
{
    int64_t n = 0;
    for (int64_t r = 0; d->log.time != NULL && r < d->log.n; r++) n += d->log.time[r] > 1;
    return d->log.n > 0 && n * 10 > d->log.n * 9;
}

const char *ki_service_protocol(const ki_service *s, const kith_data *d)
{
    if (s->settings.protocol[0] != '\0') return s->settings.protocol;
    return has_times(d) ? "temporal:0.8" : "holdout:0.8";
}

static const char *metric_of(const ki_service *s)
{
    return s->settings.metric[0] != '\0' ? s->settings.metric : "ndcg@10";
}

kith_err ki_service_measure(ki_service *s, kith *k, const kith_data *d, const ki_recipe *r,
                            ki_figure *out)
{
    kith_param params[KI_MAX_RECIPE];
    json_t *texts = NULL;
    kith_report *report = NULL;
    int n = 0;
    kith_err err = ki_recipe_params(r->params, params, &n, &texts);
    const kith_evaluate_options o = { .models = (const char *[]){ r->algorithm },
                                      .n_models = 1,
                                      .params = params,
                                      .n_params = n,
                                      .protocol = ki_service_protocol(s, d),
                                      .metrics = metric_of(s) };
    if (err == KITH_OK) err = kith_evaluate(k, d, &o, &report);
    if (err == KITH_OK)
        err = kith_report_metric(report, 0, metric_of(s), &out->value, &out->low, &out->high);
    kith_report_free(report);
    json_decref(texts);
    return err;
}

static int same(const ki_recipe *a, const ki_recipe *b)
{
    return strcmp(a->algorithm, b->algorithm) == 0 && json_equal(a->params, b->params);
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

/* One that can be trained no more (what is known has outgrown the memory that it may take) must not stand in the way of
 * another: it is worth nothing that could be told. */
static kith_err measure_in_force(ki_service *s, kith *k, const kith_data *d, const ki_recipe *r,
                                 ki_figure *out)
{
    const kith_err err = ki_service_measure(s, k, d, r, out);
    if (err == KITH_OK || err == KITH_ECANCELED) return err;
    *out = (ki_figure){ NAN, NAN, NAN };
    return KITH_OK;
}

kith_err ki_service_appraise(ki_service *s, kith *k, const kith_data *d, const ki_recipe *r,
                             const ki_figure *known, const ki_recipe *in_force, json_t **out)
{
    const ki_recipe popular = { .algorithm = "popularity" };
    ki_figure own, other, plain;
    kith_err err = KITH_OK;
    if (known != NULL)
        own = *known;
    else
        err = ki_service_measure(s, k, d, r, &own);
    if (err == KITH_EDATA) {
        *out = json_pack("{s:s}", "reason", kith_last_error());
        return *out == NULL ? ki_fail_memory(64) : KITH_OK;
    }
    other = own;
    if (err == KITH_OK && in_force != NULL && !same(r, in_force))
        err = measure_in_force(s, k, d, in_force, &other);
    if (err == KITH_OK) err = ki_service_measure(s, k, d, &popular, &plain);
    if (err != KITH_OK) return err;
    json_t *o =
        json_pack("{s:s, s:s}", "metric", metric_of(s), "protocol", ki_service_protocol(s, d));
    json_object_set_new(o, "value", number(own.value));
    json_object_set_new(o, "low", number(own.low));
    json_object_set_new(o, "high", number(own.high));
    json_object_set_new(o, "popularity", number(plain.value));
    if (in_force != NULL) json_object_set_new(o, "in_force", number(other.value));
    *out = o;
    return o == NULL ? ki_fail_memory(256) : KITH_OK;
}

/* Errors are better when they are small. */
static int is_error(const char *metric)
{
    static const char *const errors[] = { "rmse", "mae", "mse" };
    for (size_t j = 0; j < sizeof errors / sizeof errors[0]; j++)
        if (strncmp(metric, errors[j], strlen(errors[j])) == 0) return 1;
    return 0;
}

int ki_service_is_worse_than(const ki_service *s, double value, double other)
{
    const double margin = (double)s->settings.keep_old;
    return is_error(metric_of(s)) ? value > other * (1 + margin) : value < other * (1 - margin);
}

int ki_service_is_worse(const ki_service *s, const json_t *figures)
{
    const json_t *own = json_object_get(figures, "value"),
                 *other = json_object_get(figures, "in_force");
    if (!json_is_number(own) || !json_is_number(other)) return 0;
    return ki_service_is_worse_than(s, json_number_value(own), json_number_value(other));
}
