/* SPDX-License-Identifier: MIT
 * ratings.c -- from a part of the log to the matrix that models are fitted on
 */
#include "data/ratings.h"

#include "base/mem.h"

#include <string.h>

struct part { /* the kept rows of a log, packed */
    int64_t n;
    int32_t *user, *item;
    float *value;
    int64_t *row; /* where each came from */
};

static void clear_part(struct part *p)
{
    ki_free(p->user);
    ki_free(p->item);
    ki_free(p->value);
    ki_free(p->row);
}

static kith_err pack(struct part *p, const ki_log *log, const uint8_t *keep)
{
    kith_err err;
    int64_t n = 0;
    for (int64_t j = 0; j < log->n; j++) n += keep == NULL || keep[j] == 1;
    if ((err = ki_alloc(&p->user, (size_t)n, sizeof *p->user)) != KITH_OK) return err;
    if ((err = ki_alloc(&p->item, (size_t)n, sizeof *p->item)) != KITH_OK) return err;
    if ((err = ki_alloc(&p->value, (size_t)n, sizeof *p->value)) != KITH_OK) return err;
    if ((err = ki_alloc(&p->row, (size_t)n, sizeof *p->row)) != KITH_OK) return err;
    for (int64_t j = 0; j < log->n; j++) {
        if (keep != NULL && keep[j] != 1) continue;
        p->user[p->n] = log->user[j];
        p->item[p->n] = log->item[j];
        p->value[p->n] = log->value[j];
        p->row[p->n++] = j;
    }
    return KITH_OK;
}

static kith_err take_times(ki_ratings *r, const struct part *p, const int64_t *time,
                           const int64_t *order)
{
    const kith_err err = ki_alloc(&r->time, (size_t)p->n, sizeof *r->time);
    if (err != KITH_OK) return err;
    r->time_last = p->n > 0 ? INT64_MIN : 0;
    for (int64_t j = 0; j < p->n; j++) {
        r->time[j] = time[p->row[order[j]]];
        r->time_last = KI_MAX(r->time_last, r->time[j]);
    }
    return KITH_OK;
}

static void measure(ki_ratings *r)
{
    const int64_t nnz = ki_csr_nnz(&r->by_user);
    const float *v = r->by_user.val;
    double sum = 0;
    if (nnz == 0) return;
    r->min = r->max = v[0];
    for (int64_t j = 0; j < nnz; j++) {
        sum += v[j];
        r->min = KI_MIN(r->min, v[j]);
        r->max = KI_MAX(r->max, v[j]);
    }
    r->mean = sum / (double)nnz;
    r->has_values = r->min != r->max;
}

kith_err ki_ratings_build(ki_ratings *out, const kith_data *d, const uint8_t *keep)
{
    struct part p = { 0 };
    ki_ratings r = { 0 };
    int64_t *order = NULL;
    kith_err err;
    if ((err = pack(&p, &d->log, keep)) != KITH_OK) goto done;
    err = ki_csr_from_triplets(&r.by_user, d->users.n, d->items.n, p.n, p.user, p.item, p.value,
                               &order);
    if (err != KITH_OK) goto done;
    if ((err = ki_csr_transpose(&r.by_item, &r.by_user)) != KITH_OK) goto done;
    if (d->log.time != NULL && (err = take_times(&r, &p, d->log.time, order)) != KITH_OK) goto done;
    measure(&r);
    *out = r;
    r = (ki_ratings){ 0 };
done:
    ki_ratings_clear(&r);
    clear_part(&p);
    ki_free(order);
    return err;
}

void ki_ratings_clear(ki_ratings *r)
{
    ki_csr_clear(&r->by_user);
    ki_csr_clear(&r->by_item);
    ki_free(r->time);
    *r = (ki_ratings){ 0 };
}
