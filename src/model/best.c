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

/* The middle of the first, the middle and the last key: a pivot that sorted input does not spoil.
 */
static uint64_t pivot(const uint64_t *key, int32_t low, int32_t high)
{
    const uint64_t a = key[low], b = key[low + (high - low) / 2], c = key[high];
    if (a < b) return b < c ? b : (a < c ? c : a);
    return a < c ? a : (b < c ? c : b);
}

void ki_best_cut(ki_best *b)
{
    uint64_t *key = b->key;
    int32_t low = 0, high = b->n - 1;
    const int32_t last = b->k - 1; /* place of the least kept, when keys fall */
    while (low < high) {
        const uint64_t p = pivot(key, low, high);
        int32_t i = low, j = high;
        while (i <= j) { /* larger keys to the left */
            while (key[i] > p) i++;
            while (key[j] < p) j--;
            if (i <= j) swap(&key[i++], &key[j--]);
        }
        if (last <= j)
            high = j;
        else if (last >= i)
            low = i;
        else
            break;
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
