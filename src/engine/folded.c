/* SPDX-License-Identifier: MIT
 * folded.c -- a direct-mapped cache; slots share a few locks, held for one copy
 */
#include "engine/folded.h"

#include "base/mem.h"

#include <pthread.h>
#include <string.h>

enum { LOCKS = 64, LEAST_SLOTS = 64 };
static const int64_t most_bytes = (int64_t)64 << 20;

struct slot {
    int32_t user; /* -1: empty */
    uint64_t stamp;
};

struct ki_folded {
    uint32_t mask; /* number of slots - 1 */
    int64_t floats;
    struct slot *slot;
    float *vector;               /* [slots, floats] */
    pthread_mutex_t lock[LOCKS]; /* of slots by the lowest bits of their number */
};

kith_err ki_folded_new(int32_t n_users, int64_t floats, ki_folded **out)
{
    const int64_t each = floats * (int64_t)sizeof(float) + (int64_t)sizeof(struct slot);
    int64_t slots = LEAST_SLOTS;
    ki_folded *f = NULL;
    kith_err err;
    while (slots < n_users && 2 * slots * each <= most_bytes) slots *= 2;
    if ((err = ki_alloc(&f, 1, sizeof *f)) != KITH_OK) return err;
    *f = (ki_folded){ .mask = (uint32_t)slots - 1, .floats = floats };
    for (int j = 0; j < LOCKS; j++) pthread_mutex_init(&f->lock[j], NULL);
    if ((err = ki_alloc(&f->slot, (size_t)slots, sizeof *f->slot)) != KITH_OK ||
        (err = ki_alloc(&f->vector, (size_t)slots, (size_t)floats * sizeof(float))) != KITH_OK) {
        ki_folded_free(f);
        return err;
    }
    for (int64_t s = 0; s < slots; s++) f->slot[s].user = -1;
    *out = f;
    return KITH_OK;
}

void ki_folded_free(ki_folded *f)
{
    if (f == NULL) return;
    for (int j = 0; j < LOCKS; j++) pthread_mutex_destroy(&f->lock[j]);
    ki_free(f->slot);
    ki_free(f->vector);
    ki_free(f);
}

int ki_folded_get(ki_folded *f, int32_t u, uint64_t stamp, float *out)
{
    const uint32_t s = (uint32_t)u & f->mask;
    pthread_mutex_lock(&f->lock[s % LOCKS]);
    const int there = f->slot[s].user == u && f->slot[s].stamp == stamp;
    if (there) memcpy(out, f->vector + s * f->floats, (size_t)f->floats * sizeof *out);
    pthread_mutex_unlock(&f->lock[s % LOCKS]);
    return there;
}

void ki_folded_put(ki_folded *f, int32_t u, uint64_t stamp, const float *x)
{
    const uint32_t s = (uint32_t)u & f->mask;
    pthread_mutex_lock(&f->lock[s % LOCKS]);
    f->slot[s] = (struct slot){ u, stamp };
    memcpy(f->vector + s * f->floats, x, (size_t)f->floats * sizeof *x);
    pthread_mutex_unlock(&f->lock[s % LOCKS]);
}

void ki_folded_forget(ki_folded *f, int32_t u)
{
    const uint32_t s = (uint32_t)u & f->mask;
    pthread_mutex_lock(&f->lock[s % LOCKS]);
    if (f->slot[s].user == u) {
        f->slot[s].user = -1;
        memset(f->vector + s * f->floats, 0, (size_t)f->floats * sizeof *f->vector);
    }
    pthread_mutex_unlock(&f->lock[s % LOCKS]);
}
