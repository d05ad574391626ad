/* SPDX-License-Identifier: MIT
 * fold.c -- from labelled rows to the matrices of a fold, and its counts
 */
#include "eval/fold.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* The rows of one part as a matrix by user. */
static kith_err build_part(ki_csr *out, const kith_data *d, const uint8_t *part, ki_part wanted)
{
    const ki_log *log = &d->log;
    int32_t *user = NULL, *item = NULL;
    float *value = NULL;
    int64_t n = 0, to = 0;
    kith_err err;
    for (int64_t row = 0; row < log->n; row++) n += part[row] == wanted;
    if ((err = ki_alloc(&user, (size_t)n, sizeof *user)) != KITH_OK) goto done;
    if ((err = ki_alloc(&item, (size_t)n, sizeof *item)) != KITH_OK) goto done;
    if ((err = ki_alloc(&value, (size_t)n, sizeof *value)) != KITH_OK) goto done;
    for (int64_t row = 0; row < log->n; row++) {
        if (part[row] != wanted) continue;
        user[to] = log->user[row];
        item[to] = log->item[row];
        value[to++] = log->value[row];
    }
    err = ki_csr_from_triplets(out, d->users.n, d->items.n, n, user, item, value, NULL);
done:
    ki_free(user);
    ki_free(item);
    ki_free(value);
    return err;
}

/* ---- the catalogue
 * -----------------------------------------------------------------------------------------------
 */

struct sold {
    int32_t count, item;
};

static int less_popular(const void *a, const void *b)
{
    const struct sold *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* The tail: items by rising count (ties by index) as long as they make up a fifth at most. */
static void mark_tail(ki_fold *f, struct sold *order, int32_t n)
{
    int64_t events = 0;
    qsort(order, (size_t)n, sizeof *order, less_popular);
    for (int32_t j = 0; j < n; j++) {
        events += order[j].count;
        if (5 * events > f->catalogue.n_events) return;
        f->tail[order[j].item] = 1;
    }
}

static int more_popular(const void *a, const void *b)
{
    const struct sold *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* Servable items by popularity, as the model `popularity` has them; the others are behind them all. */
static void find_places(ki_fold *f, struct sold *order, int32_t n)
{
    qsort(order, (size_t)n, sizeof *order, more_popular);
    for (int32_t i = 0; i < f->catalogue.n_items; i++) f->place[i] = n;
    for (int32_t j = 0; j < n; j++) f->place[order[j].item] = j;
}

static kith_err describe_items(ki_fold *f)
{
    const ki_csr *by_item = &f->ratings.by_item;
    const int32_t n = by_item->n_rows;
    struct sold *order = NULL;
    kith_err err;
    if ((err = ki_alloc(&f->count, (size_t)n, sizeof *f->count)) != KITH_OK) goto done;
    if ((err = ki_alloc(&f->tail, (size_t)n, sizeof *f->tail)) != KITH_OK) goto done;
    if ((err = ki_alloc(&f->place, (size_t)n, sizeof *f->place)) != KITH_OK) goto done;
    if ((err = ki_alloc(&order, (size_t)n, sizeof *order)) != KITH_OK) goto done;
    f->catalogue = (ki_catalogue){ .n_items = n,
                                   .n_events = ki_csr_nnz(by_item),
                                   .count = f->count,
                                   .tail = f->tail,
                                   .place = f->place };
    for (int32_t i = 0; i < n; i++) {
        f->count[i] = (int32_t)ki_csr_len(by_item, i);
        if (f->count[i] > 0) order[f->catalogue.n_servable++] = (struct sold){ f->count[i], i };
    }
    mark_tail(f, order, f->catalogue.n_servable);
    find_places(f, order, f->catalogue.n_servable);
done:
    ki_free(order);
    return err;
}

/* ---- counts
 * ------------------------------------------------------------------------------------------------------
 */

static void count_users(ki_fold *f)
{
    for (int32_t u = 0; u < f->test.n_rows; u++) {
        const ki_csr *history = ki_fold_history(f, u);
        int64_t relevant = 0;
        for (int64_t j = f->test.ptr[u]; j < f->test.ptr[u + 1]; j++) {
            relevant += f->test.val[j] >= f->relevant_from;
            f->n.n_repeats += ki_csr_find(history, u, f->test.idx[j]) >= 0;
        }
        f->n.n_relevant += relevant;
        f->n.n_users += relevant > 0;
        f->n.n_cold_users += relevant > 0 && ki_csr_len(history, u) == 0;
    }
}

static kith_err count_cold_items(ki_fold *f)
{
    uint8_t *seen = NULL;
    const kith_err err = ki_alloc(&seen, (size_t)f->test.n_cols, 1);
    if (err != KITH_OK) return err;
    for (int64_t j = 0; j < ki_csr_nnz(&f->test); j++) {
        const int32_t i = f->test.idx[j];
        f->n.n_cold_items += !seen[i] && f->count[i] == 0;
        seen[i] = 1;
    }
    ki_free(seen);
    return KITH_OK;
}

static int has_part(const uint8_t *part, int64_t n, ki_part wanted)
{
    for (int64_t row = 0; row < n; row++)
        if (part[row] == wanted) return 1;
    return 0;
}

kith_err ki_fold_make(ki_fold *out, const kith_data *d, const ki_splits *s, int fold,
                      double relevant_from)
{
    ki_fold f = { .relevant_from = relevant_from == 0 ? -INFINITY : (float)relevant_from };
    uint8_t *part = NULL;
    kith_err err;
    *out = (ki_fold){ 0 };
    if ((err = ki_alloc(&part, (size_t)s->n, 1)) != KITH_OK) goto fail;
    ki_splits_fold(s, fold, part);
    if ((err = ki_ratings_build(&f.ratings, d, part)) != KITH_OK) goto fail;
    if ((err = build_part(&f.test, d, part, KI_PART_TEST)) != KITH_OK) goto fail;
    if (has_part(part, s->n, KI_PART_HISTORY) &&
        (err = build_part(&f.history, d, part, KI_PART_HISTORY)) != KITH_OK)
        goto fail;
    if ((err = describe_items(&f)) != KITH_OK) goto fail;
    f.n.n_train = ki_csr_nnz(&f.ratings.by_user);
    f.n.n_history = ki_csr_nnz(&f.history);
    f.n.n_test = ki_csr_nnz(&f.test);
    count_users(&f);
    if ((err = count_cold_items(&f)) != KITH_OK) goto fail;
    ki_free(part);
    if (f.n.n_users > 0) return *out = f, KITH_OK;
    part = NULL;
    err = ki_fail(KITH_EDATA, "fold %d: no test item has a value of at least %g (relevant-from)",
                  fold + 1, relevant_from);
fail:
    ki_free(part);
    ki_fold_clear(&f);
    return err;
}

void ki_fold_clear(ki_fold *f)
{
    ki_ratings_clear(&f->ratings);
    ki_csr_clear(&f->history);
    ki_csr_clear(&f->test);
    ki_free(f->count);
    ki_free(f->tail);
    ki_free(f->place);
    *f = (ki_fold){ 0 };
}
