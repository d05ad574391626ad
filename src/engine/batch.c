/* SPDX-License-Identifier: MIT
 * batch.c -- lists for many users at once: blocks of users share each pass over the catalogue
 *
 * Blocks are cut by the number of users alone and ranking does not depend on the block, so the
 * lists have the same bits for any number of threads.  Every worker ranks with scratch of its own, and writes the
 * rows of its block only.
 */
#include "base/mem.h"
#include "engine/block.h"
#include "model/package.h"
#include "model/rank.h"

#include <math.h>

enum {
    MAX_BLOCK = 192,  /* users that share a pass over the catalogue: as many as the ranker takes */
    LEAST_BLOCK = 24, /* fewer share too little */
    BLOCKS = 64,      /* of users between two looks at progress and cancel */
    MAX_N = 1000000
};

struct batch {
    const ki_model *m;
    const int32_t *users; /* NULL: all, in order */
    int n, block;
    int32_t begin; /* first user of the slice */
    int32_t *items, *counts;
    float *scores;
    ki_ranker **rankers; /* one per worker */
    int32_t *only;       /* [n_only] what may be served; NULL: all */
    int32_t n_only;
};

/* What the ranker left of a row. */
static void blank(const struct batch *b, int64_t row)
{
    for (int j = b->counts[row]; j < b->n; j++) {
        b->items[row * b->n + j] = -1;
        b->scores[row * b->n + j] = -INFINITY;
    }
}

static kith_err rank_block(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct batch *b = arg;
    ki_query queries[MAX_BLOCK];
    const int64_t first = b->begin + begin;
    const int n = (int)(end - begin), step = ki_ranker_block(b->rankers[worker]);
    for (int j = 0; j < n; j++) {
        queries[j] =
            ki_query_user(b->m, b->users == NULL ? (int32_t)(first + j) : b->users[first + j]);
        queries[j].only = b->only;
        queries[j].n_only = b->n_only;
    }
    for (int j = 0; j < n; j += step) {
        const int64_t row = first + j;
        const kith_err err =
            ki_ranker_run(b->rankers[worker], queries + j, KI_MIN(step, n - j),
                          b->items + row * b->n, b->scores + row * b->n, b->counts + row);
        if (err != KITH_OK) return err;
    }
    for (int j = 0; j < n; j++) {
        if (queries[j].n == 0) b->counts[first + j] = 0; /* nothing speaks for any order */
        blank(b, first + j);
    }
    return KITH_OK;
}

/* Wide blocks are quick, but few users are to make some blocks for the threads to share. */
static int fitting_block(int32_t n_users)
{
    const int32_t even = n_users / BLOCKS / LEAST_BLOCK * LEAST_BLOCK;
    return KI_MAX(LEAST_BLOCK, KI_MIN(even, MAX_BLOCK));
}

static kith_err rank_all(struct batch *b, int32_t n_users, ki_job *job)
{
    const int32_t slice = BLOCKS * b->block;
    kith_err err;
    for (b->begin = 0; b->begin < n_users; b->begin += slice) {
        if ((err = ki_job_step(job, "recommend", b->begin, n_users)) != KITH_OK) return err;
        const int32_t n = KI_MIN(slice, n_users - b->begin);
        if ((err = ki_parallel_for(job->pool, n, b->block, rank_block, b)) != KITH_OK) return err;
    }
    return ki_job_step(job, "recommend", n_users, n_users);
}

static kith_err check(const kith_model *m, const int32_t *users, int32_t *n_users, int n)
{
    if (users == NULL && *n_users == 0) *n_users = m->core.n_users;
    if (*n_users < 0 || (users == NULL && *n_users > m->core.n_users))
        return ki_fail(KITH_EINVAL, "kith_recommend_batch: %d users, and the model has %d",
                       *n_users, m->core.n_users);
    if (n < 1 || n > MAX_N)
        return ki_fail(KITH_EINVAL, "kith_recommend_batch: n is %d, want 1 to %d", n, MAX_N);
    for (int32_t j = 0; users != NULL && j < *n_users; j++)
        if (users[j] < 0 || users[j] >= m->core.n_users)
            return ki_fail(KITH_ENOTFOUND,
                           "kith_recommend_batch: users[%d] is %d, and the model has users 0 to %d",
                           j, users[j], m->core.n_users - 1);
    return KITH_OK;
}

static kith_err allow(const kith_block *block, struct batch *b)
{
    kith_err err = ki_block_check(block, b->m->n_items);
    if (err != KITH_OK || block == NULL) return err;
    if ((err = ki_alloc(&b->only, (size_t)block->n_items, sizeof *b->only)) != KITH_OK) return err;
    for (int32_t i = 0; i < block->n_items; i++)
        if (!ki_block_has(block, i)) b->only[b->n_only++] = i;
    return KITH_OK;
}

kith_err kith_recommend_batch_without(kith *k, const kith_model *model, const int32_t *users,
                                      int32_t n_users, int n, const kith_block *block,
                                      int32_t *items, float *scores, int32_t *counts)
{
    kith_err err;
    if (k == NULL || model == NULL || items == NULL || scores == NULL || counts == NULL)
        return ki_fail(KITH_EINVAL,
                       "kith_recommend_batch: context, model and outputs must not be NULL");
    if ((err = check(model, users, &n_users, n)) != KITH_OK) return err;
    ki_job *job = ki_context_job(k);
    ki_job_begin(job);
    const int n_workers = ki_pool_size(job->pool);
    struct batch b = { .m = &model->core,
                       .users = users,
                       .n = n,
                       .block = fitting_block(n_users),
                       .items = items,
                       .scores = scores,
                       .counts = counts };
    if ((err = allow(block, &b)) != KITH_OK) return err;
    if ((err = ki_alloc(&b.rankers, (size_t)n_workers, sizeof(ki_ranker *))) != KITH_OK) goto done;
    for (int w = 0; err == KITH_OK && w < n_workers; w++)
        err = ki_ranker_new(b.m, n, 0, &b.rankers[w]);
    if (err == KITH_OK) err = rank_all(&b, n_users, job);
    for (int w = 0; w < n_workers; w++) ki_ranker_free(b.rankers[w]);
done:
    ki_free(b.rankers);
    ki_free(b.only);
    return err;
}

kith_err kith_recommend_batch(kith *k, const kith_model *model, const int32_t *users,
                              int32_t n_users, int n, int32_t *items, float *scores,
                              int32_t *counts)
{
    return kith_recommend_batch_without(k, model, users, n_users, n, NULL, items, scores, counts);
}
