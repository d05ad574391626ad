/* SPDX-License-Identifier: MIT
 * peruser.c -- a CSV of per-user values
 */
#include "eval/peruser.h"

#include "base/outfile.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void put(ki_outfile *f, const char *text)
{
    ki_outfile_put(f, text, strlen(text));
}

static void put_text(ki_outfile *f, const char *s)
{
    if (strpbrk(s, ",\"\r\n") == NULL) {
        put(f, s);
        return;
    }
    put(f, "\"");
    for (; *s != '\0'; s++) {
        if (*s == '"') put(f, "\"");
        ki_outfile_put(f, s, 1);
    }
    put(f, "\"");
}

static int is_by_user(const ki_asked *a)
{
    return a->metric->kind != KI_OF_EXPOSURE;
}

static void put_header(ki_outfile *f, const ki_plan *plan)
{
    put(f, "model,fold,user");
    for (int j = 0; j < plan->n; j++) {
        if (!is_by_user(&plan->asked[j])) continue;
        put(f, ",");
        put(f, plan->asked[j].name);
    }
    put(f, "\n");
}

static int has_any(const ki_measured *r, int n_metrics, int64_t column)
{
    for (int j = 0; j < n_metrics; j++)
        if (r->weight[j * r->n_users + column] > 0) return 1;
    return 0;
}

static void put_row(ki_outfile *f, const ki_plan *plan, const ki_measured *r, int64_t column)
{
    for (int j = 0; j < plan->n; j++) {
        char text[32];
        if (!is_by_user(&plan->asked[j])) continue;
        const int64_t at = j * r->n_users + column;
        const double value = ki_metric_value(plan->asked[j].metric, r->sum[at], r->weight[at]);
        snprintf(text, sizeof text, ",%.10g", value);
        put(f, isnan(value) ? "," : text);
    }
    put(f, "\n");
}

static void put_fold(ki_outfile *f, const ki_peruser *t, int m, int fold)
{
    const ki_measured *r = &t->results[m * t->n_folds + fold];
    for (int64_t c = 0; c < r->n_users && !ki_outfile_failed(f); c++) {
        char number[16];
        if (!has_any(r, t->plan->n, c)) continue;
        snprintf(number, sizeof number, ",%d,", fold + 1);
        put(f, t->models[m]);
        put(f, number);
        put_text(f, ki_idmap_name(t->names, t->users[c]));
        put_row(f, t->plan, r, c);
    }
}

kith_err ki_peruser_write(const ki_peruser *t, const char *path)
{
    ki_outfile *f = NULL;
    const kith_err err = ki_outfile_open(path, &f);
    if (err != KITH_OK) return err;
    put_header(f, t->plan);
    for (int m = 0; m < t->n_models; m++)
        for (int fold = 0; fold < t->n_folds; fold++) put_fold(f, t, m, fold);
    return ki_outfile_commit(f);
}
