/* SPDX-License-Identifier: MIT
 * best.c -- selection of the largest keys
 *
 * Candidates gather behind a floor; a full buffer is cut to its k largest by quickselect, which
 * raises the floor, so that most later candidates fall at one comparison.  Amortised, a candidate
 * costs O(1) whatever k is.
 */
#include "model/best.h"

#include <stdlib.h>

static void swap(uint64_t *a, uint64_t *b)
{
    const uint64_t t = *a;
    *a = *b;
    *b = t;
}

/* Place of the middle of the first, the middle and the last key: a pivot that sorted input does not
 * spoil. */
static int32_t pivot(const uint64_t *key, int32_t low, int32_t high)
{
    const int32_t middle = low + (high - low) / 2;
    const uint64_t a = key[low], b = key[middle], c = key[high];
    if (a < b) return b < c ? middle : (a < c ? high : low);
    return a < c ? low : (b < c ? high : middle);
}

/* Put the keys of [low, high] above that at `high` first and it behind them; returns its place.
 * Without a branch on the keys, which no predictor guesses. */
static int32_t split(uint64_t *key, int32_t low, int32_t high)
{
    const uint64_t p = key[high];
    int32_t to = low;
    for (int32_t j = low; j < high; j++) {
        const uint64_t x = key[j];
        key[j] = key[to];
        key[to] = x;
        to += x > p;
    }
    swap(&key[to], &key[high]);
    return to;
}

void ki_best_cut(ki_best *b)
{
    uint64_t *key = b->key;
    int32_t low = 0, high = b->n - 1;
    const int32_t last = b->k - 1; /* place of the least kept, when keys fall */
    while (low < high) {
        swap(&key[pivot(key, low, high)], &key[high]);
        const int32_t at = split(key, low, high);
        if (at == last) break;
        if (last < at)
            high = at - 1;
        else
            low = at + 1;
    }
    b->floor = key[last];
    b->n = b->k;
}

void ki_best_finish(ki_best *b)
{
    if (b->n >= b->k) ki_best_cut(b);
}

int32_t ki_best_select(uint64_t *keys, int32_t k, int32_t *at, float *score, int32_t n)
{
    ki_best best = ki_best_into(keys, k);
    float least = ki_best_score(best.floor);
    int32_t kept = 0;
    if (k == 0 || n <= k) return n;
    for (int32_t j = 0; j < n; j++) {
        if (score[j] < least) continue;
        ki_best_push(&best, ki_best_key(score[j], at[j]));
        least = ki_best_score(best.floor);
    }
    ki_best_finish(&best);
    least = ki_best_score(best.floor);
    for (int32_t j = 0; j < n; j++) {
        if (score[j] < least || ki_best_key(score[j], at[j]) < best.floor) continue;
        at[kept] = at[j];
        score[kept++] = score[j];
    }
    return kept;
}

static int by_falling(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

void ki_best_sort(uint64_t *key, int32_t n)
{
    qsort(key, (size_t)n, sizeof *key, by_falling);
}
