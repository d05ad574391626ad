/* SPDX-License-Identifier: MIT
 * narrow.c -- context_data.filter: which items may be recommended at all
 *
 * The language is that of doc/filters.md; $names stand for the members of context_data.values, `now`
 * for context_data.now or the present.
 */
#include "tool/running.h"

#include "base/mem.h"
#include "engine/filter.h"

#include <time.h>

static const ki_place data_place = { .key = "recommendation_data" },
                      context_place = { .up = &data_place, .key = "context_data" };

/* popularity[n_items]: interactions of each item. */
static kith_err count(const kith_data *d, double **out)
{
    const kith_err err = ki_alloc(out, (size_t)d->items.n, sizeof **out);
    for (int64_t row = 0; err == KITH_OK && row < d->log.n; row++) (*out)[d->log.item[row]]++;
    return err;
}

static kith_err run_filter(ki_run *r, const ki_filter *f, const ki_context *values)
{
    const ki_intake *in = &r->intake;
    const ki_env env = { .now = in->has_now ? in->now : (int64_t)time(NULL), .context = values };
    const int32_t n = in->data->items.n;
    kith_err err = ki_alloc(&r->barred, (size_t)n, 1);
    if (err == KITH_OK) err = ki_filter_run(f, &env, r->barred);
    if (err != KITH_OK) return err;
    for (int32_t i = 0; i < n; i++) r->n_barred += r->barred[i] = !r->barred[i];
    for (int j = 0; j < ki_filter_n_notes(f); j++)
        ki_warning(&r->findings, "context_data.filter: %.400s", ki_filter_note(f, j));
    if (r->n_barred == n) ki_warning(&r->findings, "context_data.filter: no item fits it");
    return KITH_OK;
}

/* A filter or a value that does not fit is a violation; other failures go up. */
static kith_err judge(ki_run *r, const char *field, kith_err err)
{
    const ki_place at = { .up = &context_place, .key = field };
    if (err != KITH_EINVAL) return err;
    ki_violation(&r->findings, &at, "%s", kith_last_error());
    return KITH_OK;
}

kith_err ki_run_narrow(ki_run *r)
{
    const kith_data *d = r->intake.data;
    const char *text = json_string_value(json_object_get(r->intake.context, "filter"));
    const json_t *given = json_object_get(r->intake.context, "values");
    ki_context values = { 0 };
    ki_filter *f = NULL;
    double *popularity = NULL;
    if (text == NULL) return KITH_OK;
    kith_err err = given == NULL ? KITH_OK : ki_context_read(&values, given, NULL);
    if (err != KITH_OK) return judge(r, "values", err);
    if ((err = count(d, &popularity)) == KITH_OK) {
        const ki_schema schema = { .items = &d->items,
                                   .table = &d->item_attrs,
                                   .popularity = popularity,
                                   .context = &values };
        err = ki_filter_parse(&schema, text, &f, NULL);
        if (err == KITH_OK) err = run_filter(r, f, &values);
        err = judge(r, "filter", err);
    }
    ki_filter_free(f);
    ki_free(popularity);
    ki_context_clear(&values);
    return err;
}
