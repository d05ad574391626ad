/* SPDX-License-Identifier: MIT
 * test_diversity.c -- lists chosen by hand, and against a search over all orders
 */
#include "test.h"

#include "base/mem.h"
#include "engine/diversity.h"

/* Items 0..5 with words: 0 {a}, 1 {a}, 2 {a, b}, 3 {b}, 4 {c}, 5 {}. */
static int64_t ptr[] = { 0, 1, 2, 4, 5, 6, 6 };
static int32_t idx[] = { 0, 0, 0, 1, 1, 2 };
static const ki_csr labels = { .n_rows = 6, .n_cols = 3, .ptr = ptr, .idx = idx };

static const float scores[] = { 10, 9, 8, 6, 5, 0 };
static const ki_candidates all = { scores, &labels, 6 };

/* Rows of its own for a history of items. */
static ki_csr history_of(const int32_t *items, int n, int64_t *hptr, int32_t *hidx)
{
    hptr[0] = 0;
    for (int j = 0; j < n; j++) {
        const int64_t len = ptr[items[j] + 1] - ptr[items[j]];
        memcpy(hidx + hptr[j], idx + ptr[items[j]], (size_t)len * sizeof *hidx);
        hptr[j + 1] = hptr[j] + len;
    }
    return (ki_csr){ .n_rows = n, .n_cols = 3, .ptr = hptr, .idx = hidx };
}

static kith_err calibrate(const int32_t *items, int n_items, double trade_off, int k, int *order, int *n)
{
    int64_t hptr[8];
    int32_t hidx[8];
    const ki_csr history = history_of(items, n_items, hptr, hidx);
    return ki_calibrate(&all, &history, trade_off, k, order, n);
}

static void check_order(const int *got, const int *want, int n)
{
    for (int j = 0; j < n; j++) CHECK_INT(got[j], want[j]);
}

TEST(likeness_is_the_cosine_of_the_words)
{
    CHECK_NEAR(ki_likeness(&labels, 0, 1), 1, 0);
    CHECK_NEAR(ki_likeness(&labels, 0, 2), 1 / sqrt(2), 1e-15);
    CHECK_NEAR(ki_likeness(&labels, 2, 3), 1 / sqrt(2), 1e-15);
    CHECK_NEAR(ki_likeness(&labels, 0, 3), 0, 0);
    CHECK_NEAR(ki_likeness(&labels, 0, 5), 0, 0);
}

TEST(mmr_at_trade_off_one_keeps_the_order)
{
    int order[6], n;
    CHECK_OK(ki_mmr(&all, 1, 4, order, &n));
    CHECK_INT(n, 4);
    check_order(order, (const int[]){ 0, 1, 2, 3 }, 4);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(mmr_by_hand)
{
    /* relevance 1 .9 .8 .6 .5 0; at 1/2: after item 0, gains are 1: .45 - .5, 2: .4 - .354, 3: .3, 4: .25, 5: 0: item 3;
     * then 1: -.05, 2: .4 - .354 (like to 0 and to 3), 4: .25: item 4; then 2 (.046) */
    int order[6], n;
    CHECK_OK(ki_mmr(&all, .5, 4, order, &n));
    CHECK_INT(n, 4);
    check_order(order, (const int[]){ 0, 3, 4, 2 }, 4);
}

TEST(mmr_gives_all_there_is)
{
    int order[9], n;
    CHECK_OK(ki_mmr(&all, .3, 9, order, &n));
    CHECK_INT(n, 6);
    int seen = 0;
    for (int j = 0; j < n; j++) seen |= 1 << order[j];
    CHECK_INT(seen, 63);
}

TEST(calibration_brings_the_mix_of_the_history)
{
    /* a history of one a and one c: with all weight on the mix the list must hold one of each */
    const int32_t history[] = { 0, 4 };
    int order[6], n;
    CHECK_OK(calibrate(history, 2, 0, 2, order, &n));
    CHECK_INT(n, 2);
    CHECK((order[0] == 4) != (order[1] == 4));
    CHECK(order[0] == 0 || order[1] == 0);
    CHECK_OK(calibrate(history, 2, .5, 3, order, &n)); /* c has a share of one half: it must come soon */
    check_order(order, (const int[]){ 0, 4 }, 2);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(calibration_without_known_words_keeps_the_order)
{
    const int32_t history[] = { 5 };
    int order[6], n;
    CHECK_OK(calibrate(history, 1, .5, 3, order, &n));
    check_order(order, (const int[]){ 0, 1, 2 }, 3);
    CHECK_OK(calibrate(NULL, 0, .5, 3, order, &n));
    check_order(order, (const int[]){ 0, 1, 2 }, 3);
}

TEST(diversity_survives_failing_allocations)
{
    int order[6], n;
    for (int at = 1; at <= 4; at++) {
        ki_alloc_fail_at(at, 0);
        const kith_err err = calibrate((const int32_t[]){ 0 }, 1, .5, 3, order, &n);
        CHECK(err == KITH_ENOMEM);
        ki_alloc_fail_at(0, 0);
        CHECK_INT(ki_alloc_live(), 0);
    }
}
