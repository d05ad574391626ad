/* SPDX-License-Identifier: MIT
 * peruser.c -- a CSV of per-user values, written beside its place and then renamed
 */
#include "eval/peruser.h"

#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void put_text(FILE *f, const char *s)
{
    if (strpbrk(s, ",\"\r\n") == NULL) {
        fputs(s, f);
        return;
    }
    fputc('"', f);
    for (; *s != '\0'; s++) {
        if (*s == '"') fputc('"', f);
        fputc(*s, f);
    }
    fputc('"', f);
}

static int is_by_user(const ki_asked *a)
{
    return a->metric->kind != KI_OF_EXPOSURE;
}

static void put_header(FILE *f, const ki_plan *plan)
{
    fputs("model,fold,user", f);
    for (int j = 0; j < plan->n; j++)
        if (is_by_user(&plan->asked[j])) fprintf(f, ",%s", plan->asked[j].name);
    fputc('\n', f);
}

static int has_any(const ki_measured *r, int n_metrics, int64_t column)
{
    for (int j = 0; j < n_metrics; j++)
        if (r->weight[j * r->n_users + column] > 0) return 1;
    return 0;
}

static void put_row(FILE *f, const ki_plan *plan, const ki_measured *r, int64_t column)
{
    for (int j = 0; j < plan->n; j++) {
        if (!is_by_user(&plan->asked[j])) continue;
        const int64_t at = j * r->n_users + column;
        const double value = ki_metric_value(plan->asked[j].metric, r->sum[at], r->weight[at]);
        fputc(',', f);
        if (!isnan(value)) fprintf(f, "%.10g", value);
    }
    fputc('\n', f);
}

static void put_all(FILE *f, const ki_peruser *t)
{
    put_header(f, t->plan);
    for (int m = 0; m < t->n_models; m++) {
        for (int fold = 0; fold < t->n_folds; fold++) {
            const ki_measured *r = &t->results[m * t->n_folds + fold];
            for (int64_t c = 0; c < r->n_users; c++) {
                if (!has_any(r, t->plan->n, c)) continue;
                fprintf(f, "%s,%d,", t->models[m], fold + 1);
                put_text(f, ki_idmap_name(t->names, t->users[c]));
                put_row(f, t->plan, r, c);
            }
        }
    }
}

kith_err ki_peruser_write(const ki_peruser *t, const char *path)
{
    char temporary[PATH_MAX];
    const int n = snprintf(temporary, sizeof temporary, "%s.%ld.tmp", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof temporary)
        return ki_fail(KITH_EIO, "%.200s: the path is too long", path);
    FILE *f = fopen(temporary, "we");
    if (f == NULL) return ki_fail(KITH_EIO, "%s: %s", temporary, strerror(errno));
    put_all(f, t);
    int failed = fflush(f) != 0 || ferror(f) || fsync(fileno(f)) != 0;
    failed |= fclose(f) != 0;
    if (!failed && rename(temporary, path) == 0) return KITH_OK;
    const kith_err err = ki_fail(KITH_EIO, "%s: %s", path, strerror(errno));
    unlink(temporary);
    return err;
}
