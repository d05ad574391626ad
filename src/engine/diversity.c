/* SPDX-License-Identifier: MIT
 * diversity.c -- maximal marginal relevance and calibrated lists
 */
#include "engine/diversity.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

static const double smoothing = 0.01; /* Steck's alpha: keeps the divergence finite */

double ki_likeness(const ki_csr *labels, int32_t a, int32_t b)
{
    int64_t i = labels->ptr[a], j = labels->ptr[b], both = 0;
    const int64_t a_end = labels->ptr[a + 1], b_end = labels->ptr[b + 1];
    const double sizes = (double)(a_end - i) * (double)(b_end - j);
    while (i < a_end && j < b_end) {
        const int32_t x = labels->idx[i], y = labels->idx[j];
        both += x == y;
        i += x <= y;
        j += y <= x;
    }
    return sizes > 0 ? (double)both / sqrt(sizes) : 0;
}

/* Score of candidate j in [0, 1]; all alike: 1. */
static double relevance(const ki_candidates *c, int j)
{
    const double best = (double)c->scores[0], worst = (double)c->scores[c->n - 1];
    return best > worst ? ((double)c->scores[j] - worst) / (best - worst) : 1;
}

/* The candidate of greatest gain that was not taken; the first among equals. */
static int best_of(const double *gain, const uint8_t *taken, int n)
{
    int best = -1;
    for (int j = 0; j < n; j++)
        if (!taken[j] && (best < 0 || gain[j] > gain[best])) best = j;
    return best;
}

/* ---- maximal marginal relevance ---- */

kith_err ki_mmr(const ki_candidates *c, double trade_off, int k, int *order, int *n_chosen)
{
    double *gain = NULL, *nearest = NULL;
    uint8_t *taken = NULL;
    kith_err err;
    *n_chosen = 0;
    if ((err = ki_alloc(&gain, (size_t)c->n, sizeof *gain)) != KITH_OK) goto done;
    if ((err = ki_alloc(&nearest, (size_t)c->n, sizeof *nearest)) != KITH_OK) goto done;
    if ((err = ki_alloc(&taken, (size_t)c->n, 1)) != KITH_OK) goto done;
    while (*n_chosen < KI_MIN(k, c->n)) {
        for (int j = 0; j < c->n; j++)
            gain[j] = trade_off * relevance(c, j) - (1 - trade_off) * nearest[j];
        const int chosen = best_of(gain, taken, c->n);
        taken[chosen] = 1;
        order[(*n_chosen)++] = chosen;
        for (int j = 0; j < c->n; j++) {
            if (taken[j]) continue;
            const double like = ki_likeness(c->labels, j, chosen);
            nearest[j] = KI_MAX(nearest[j], like);
        }
    }
done:
    ki_free(gain);
    ki_free(nearest);
    ki_free(taken);
    return err;
}

/* ---- calibration ---- */

struct mix {
    const ki_csr *labels;
    int32_t n_words;
    double *want, *have; /* [n_words]: p, which sums to 1; the list's, not yet divided */
    double total;        /* sum of have */
};

/* Add an item's weight of 1, shared by its words; returns whether it has any. */
static int add(const ki_csr *labels, int32_t row, double *mix)
{
    const int64_t n = ki_csr_len(labels, row);
    for (int64_t j = labels->ptr[row]; j < labels->ptr[row + 1]; j++)
        mix[labels->idx[j]] += 1 / (double)n;
    return n > 0;
}

/* KL(want || smoothed list). */
static double divergence(const struct mix *m)
{
    double sum = 0;
    for (int32_t w = 0; w < m->n_words; w++) {
        const double p = m->want[w], q = m->total > 0 ? m->have[w] / m->total : 0;
        if (p > 0) sum += p * log(p / ((1 - smoothing) * q + smoothing * p));
    }
    return sum;
}

static double divergence_with(struct mix *m, int32_t row)
{
    const ki_csr *l = m->labels;
    const int64_t n = ki_csr_len(l, row);
    if (n == 0) return divergence(m);
    for (int64_t j = l->ptr[row]; j < l->ptr[row + 1]; j++) m->have[l->idx[j]] += 1 / (double)n;
    m->total += 1;
    const double with = divergence(m);
    m->total -= 1;
    for (int64_t j = l->ptr[row]; j < l->ptr[row + 1]; j++) m->have[l->idx[j]] -= 1 / (double)n;
    return with;
}

static void choose(const ki_candidates *c, struct mix *m, double trade_off, int k, double *gain,
                   uint8_t *taken, int *order, int *n_chosen)
{
    while (*n_chosen < KI_MIN(k, c->n)) {
        for (int j = 0; j < c->n; j++)
            if (!taken[j])
                gain[j] = trade_off * relevance(c, j) - (1 - trade_off) * divergence_with(m, j);
        const int chosen = best_of(gain, taken, c->n);
        taken[chosen] = 1;
        order[(*n_chosen)++] = chosen;
        m->total += add(m->labels, chosen, m->have);
    }
}

kith_err ki_calibrate(const ki_candidates *c, const ki_csr *history, double trade_off, int k,
                      int *order, int *n_chosen)
{
    struct mix m = { .labels = c->labels, .n_words = c->labels->n_cols };
    double *gain = NULL, known = 0;
    uint8_t *taken = NULL;
    kith_err err;
    *n_chosen = 0;
    if ((err = ki_alloc(&m.want, (size_t)m.n_words, sizeof *m.want)) != KITH_OK) goto done;
    if ((err = ki_alloc(&m.have, (size_t)m.n_words, sizeof *m.have)) != KITH_OK) goto done;
    if ((err = ki_alloc(&gain, (size_t)c->n, sizeof *gain)) != KITH_OK) goto done;
    if ((err = ki_alloc(&taken, (size_t)c->n, 1)) != KITH_OK) goto done;
    for (int32_t j = 0; j < history->n_rows; j++) known += add(history, j, m.want);
    for (int32_t w = 0; known > 0 && w < m.n_words; w++) m.want[w] /= known;
    choose(c, &m, trade_off, k, gain, taken, order, n_chosen);
done:
    ki_free(m.want);
    ki_free(m.have);
    ki_free(gain);
    ki_free(taken);
    return err;
}
