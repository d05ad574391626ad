/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "data/csr.h"
#include "data/dataset.h"
#include "data/ratings.h"

TEST(ids_are_numbered_in_order_of_appearance)
{
    ki_idmap m = { 0 };
    char id[16];
    int32_t got;
    for (int j = 0; j < 5000; j++) {
        snprintf(id, sizeof id, "user-%d", j * 7 % 5000);
        CHECK_OK(ki_idmap_add(&m, id, strlen(id), &got));
        CHECK_INT(got, j);
    }
    CHECK_OK(ki_idmap_add(&m, "user-7", 6, &got));
    CHECK_INT(got, 1);
    CHECK_INT(ki_idmap_find(&m, "user-4999", 9), (int32_t)(4999LL * 2143 % 5000)); /* 7 * 2143 = 1 mod 5000 */
    CHECK_INT(ki_idmap_find(&m, "user-5000", 9), -1);
    ki_idmap_clear(&m);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(transposing_twice_gives_the_matrix_back)
{
    const int32_t row[] = { 2, 0, 2, 1 }, col[] = { 3, 1, 0, 3 };
    const float val[] = { 1, 2, 3, 4 };
    ki_csr a, t, back;
    CHECK_OK(ki_csr_from_triplets(&a, 3, 4, 4, row, col, val, NULL));
    CHECK_OK(ki_csr_check(&a, "a"));
    CHECK_INT(ki_csr_find(&a, 2, 3), 3);
    CHECK_INT(ki_csr_find(&a, 0, 0), -1);
    CHECK_OK(ki_csr_transpose(&t, &a));
    CHECK_INT(ki_csr_len(&t, 3), 2);
    CHECK_OK(ki_csr_transpose(&back, &t));
    CHECK(memcmp(back.idx, a.idx, sizeof col) == 0 && memcmp(back.val, a.val, sizeof val) == 0);
    ki_csr_clear(&a);
    ki_csr_clear(&t);
    ki_csr_clear(&back);
}

TEST(duplicates_keep_the_last_rating_and_sum_counts)
{
    const char *const u[] = { "a", "a", "a", "b" }, *const i[] = { "x", "y", "x", "x" };
    const float v[] = { 1, 2, 5, 3 };
    const int64_t t[] = { 100, 50, 10, 10 }; /* the first row of (a, x) is the later one */
    kith *k;
    kith_data *d;
    CHECK_OK(kith_new(NULL, &k));
    CHECK_OK(kith_data_new(k, 4, u, i, v, t, &d));
    CHECK_INT(kith_data_n_interactions(d), 3);
    CHECK_INT(d->report.n_duplicates, 1);
    CHECK_NEAR(d->log.value[0], 1, 0);
    kith_data_free(d);
    CHECK_OK(kith_data_new(k, 4, u, i, NULL, NULL, &d));
    CHECK_INT(kith_data_n_interactions(d), 3);
    CHECK_STR(d->report.duplicates, "sum");
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(ratings_hold_only_the_kept_rows)
{
    const char *const u[] = { "a", "a", "b" }, *const i[] = { "x", "y", "x" };
    const float v[] = { 1, 2, 5 };
    const int64_t t[] = { 9, 8, 7 };
    const uint8_t keep[] = { 1, 0, 1 };
    kith *k;
    kith_data *d;
    ki_ratings r;
    CHECK_OK(kith_new(NULL, &k));
    CHECK_OK(kith_data_new(k, 3, u, i, v, t, &d));
    CHECK_OK(ki_ratings_build(&r, d, keep));
    CHECK_INT(ki_csr_nnz(&r.by_user), 2);
    CHECK_INT(r.by_item.n_rows, 2);
    CHECK_NEAR(r.mean, 3, 0);
    CHECK_INT(r.time[1], 7);
    CHECK_INT(r.time_last, 9);
    ki_ratings_clear(&r);
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* 4 users, 5 items, 300 rows of which a third are test rows: every cell has several rows. */
TEST(merged_rows_hold_what_a_slow_search_adds_up)
{
    enum { N = 300, USERS = 4, ITEMS = 5 };
    double sum[2][USERS][ITEMS] = { 0 };
    int n_cells = 0;
    kith_data d = { .log = { .n = N } };
    ki_rng r = ki_rng_make(5, 0, 0);
    CHECK_OK(ki_alloc(&d.log.user, N, sizeof *d.log.user));
    CHECK_OK(ki_alloc(&d.log.item, N, sizeof *d.log.item));
    CHECK_OK(ki_alloc(&d.log.value, N, sizeof *d.log.value));
    CHECK_OK(ki_alloc(&d.log.test, N, 1));
    for (int j = 0; j < USERS + ITEMS; j++) {
        char id[8];
        int32_t at;
        snprintf(id, sizeof id, "%d", j);
        CHECK_OK(ki_idmap_add(j < USERS ? &d.users : &d.items, id, strlen(id), &at));
    }
    for (int j = 0; j < N; j++) {
        const int32_t u = (int32_t)ki_rng_below(&r, USERS), i = (int32_t)ki_rng_below(&r, ITEMS);
        const uint8_t test = ki_rng_below(&r, 3) == 0;
        const float value = (float)(1 + ki_rng_below(&r, 9)); /* whole numbers: sums are exact */
        d.log.user[j] = u;
        d.log.item[j] = i;
        d.log.test[j] = test;
        d.log.value[j] = value;
        n_cells += sum[test][u][i] == 0;
        sum[test][u][i] += value;
    }
    CHECK_OK(ki_data_finish(&d, KITH_DUPLICATES_SUM, NULL));
    CHECK_INT(d.log.n, n_cells);
    CHECK_INT(d.report.n_duplicates, N - n_cells);
    for (int64_t j = 0; j < d.log.n; j++)
        CHECK_NEAR(d.log.value[j], sum[d.log.test[j]][d.log.user[j]][d.log.item[j]], 0);
    ki_free(d.log.user);
    ki_free(d.log.item);
    ki_free(d.log.value);
    ki_free(d.log.test);
    ki_idmap_clear(&d.users);
    ki_idmap_clear(&d.items);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(values_are_what_is_left_after_merging)
{
    static const char *const users[] = { "a", "a", "b" }, *const items[] = { "x", "x", "y" };
    static const float agree[] = { 3, 4, 4 };
    kith *k;
    kith_data *d;
    CHECK_OK(kith_new(NULL, &k));
    CHECK_OK(kith_data_new(k, 3, users, items, NULL, NULL, &d)); /* events: counts 2 and 1 */
    CHECK_INT(d->has_values, 1);
    kith_data_free(d);
    CHECK_OK(kith_data_new(k, 3, users, items, agree, NULL, &d)); /* the last rating stands: 4 and 4 */
    CHECK_INT(d->has_values, 0);
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(many_duplicates_are_the_same_for_any_threads)
{
    enum { N = 60000 };
    static char names[400][8];
    static const char *users[N], *items[N];
    ki_rng r = ki_rng_make(9, 0, 0);
    uint64_t print[2];
    int64_t merged[2];
    for (int j = 0; j < 400; j++) snprintf(names[j], sizeof names[j], "n%d", j);
    for (int j = 0; j < N; j++) {
        users[j] = names[ki_rng_below(&r, 400)];
        items[j] = names[ki_rng_below(&r, 100)];
    }
    for (int t = 0; t < 2; t++) {
        kith *k;
        kith_data *d;
        CHECK_OK(kith_new(&(kith_options){ .threads = 1 + 4 * t }, &k));
        CHECK_OK(kith_data_new(k, N, users, items, NULL, NULL, &d));
        print[t] = ki_data_fingerprint(d);
        merged[t] = d->report.n_duplicates;
        CHECK_INT(d->log.n + merged[t], N);
        kith_data_free(d);
        kith_free(k);
    }
    CHECK(print[0] == print[1]);
    CHECK_INT(merged[0], merged[1]);
}

TEST(notes_are_sentences_that_are_said_once)
{
    ki_read_report r = { 0 };
    char text[700];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ki_read_note(&r, "%s", "first");
    ki_read_note(&r, "%s", "first");
    ki_read_note(&r, "\xe9t\xe9");
    CHECK_STR(r.notes, "first\n?t?");
    ki_read_note(&r, "%s", text);
    text[0] = 'y';
    ki_read_note(&r, "%s", text); /* no room */
    CHECK_INT((int)strlen(r.notes), 9 + 1 + 699);
}
