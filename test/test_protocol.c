/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "eval/protocol.h"

#include <stdlib.h>

enum { N_USERS = 20, N_ITEMS = 30 };

/* User u has the first u + 1 items; times, when asked for, fall with the row but for one tie per
 * two rows. */
static kith_data *staircase(kith *k, int with_times)
{
    static char names[N_ITEMS][8];
    const char *users[N_USERS * N_ITEMS], *items[N_USERS * N_ITEMS];
    int64_t times[N_USERS * N_ITEMS];
    size_t n = 0;
    kith_data *d;
    for (int j = 0; j < N_ITEMS; j++) snprintf(names[j], sizeof names[j], "%d", j);
    for (int u = 0; u < N_USERS; u++) {
        for (int i = 0; i <= u; i++, n++) {
            users[n] = names[u];
            items[n] = names[i];
            times[n] = 1000 - (int64_t)n / 2;
        }
    }
    CHECK_OK(kith_data_new(k, n, users, items, NULL, with_times ? times : NULL, &d));
    return d;
}

struct cut {
    kith *k;
    kith_data *d;
    ki_protocol p;
    ki_splits s;
};

static struct cut make(const char *protocol, int with_times, uint64_t seed)
{
    struct cut c = { 0 };
    CHECK_OK(kith_new(NULL, &c.k));
    c.d = staircase(c.k, with_times);
    CHECK_OK(ki_protocol_parse(&c.p, protocol, c.d));
    CHECK_OK(ki_splits_make(&c.s, &c.p, c.d, seed));
    return c;
}

static void clear(struct cut *c)
{
    ki_splits_clear(&c->s);
    kith_data_free(c->d);
    kith_free(c->k);
    CHECK_INT(ki_alloc_live(), 0);
}

static int64_t count(const struct cut *c, int fold, ki_part part)
{
    int64_t n = 0;
    for (int64_t row = 0; row < c->s.n; row++) n += ki_splits_part(&c->s, row, fold) == part;
    return n;
}

TEST(kfold_tests_every_row_once_in_folds_that_differ_by_one)
{
    struct cut c = make("kfold:4", 0, 7);
    CHECK_INT(c.s.n, 210);
    CHECK_INT(c.s.n_folds, 4);
    for (int64_t row = 0; row < c.s.n; row++) {
        int tested = 0;
        for (int f = 0; f < 4; f++) tested += ki_splits_part(&c.s, row, f) == KI_PART_TEST;
        CHECK_INT(tested, 1);
    }
    for (int f = 0; f < 4; f++) {
        const int64_t n = count(&c, f, KI_PART_TEST);
        CHECK(n == 52 || n == 53);
        CHECK_INT(count(&c, f, KI_PART_TRAIN), 210 - n);
    }
    clear(&c);
}

TEST(a_seed_gives_one_split_and_another_seed_another)
{
    struct cut a = make("kfold:5", 0, 1), b = make("kfold:5", 0, 1), c = make("kfold:5", 0, 2);
    CHECK(memcmp(a.s.label, b.s.label, 210) == 0);
    CHECK(memcmp(a.s.label, c.s.label, 210) != 0);
    ki_splits_clear(&a.s);
    ki_splits_clear(&b.s);
    kith_data_free(a.d);
    kith_data_free(b.d);
    kith_free(a.k);
    kith_free(b.k);
    clear(&c);
}

TEST(holdout_draws_an_exact_share_of_rows)
{
    struct cut c = make("holdout:0.8", 0, 3);
    CHECK_INT(count(&c, 0, KI_PART_TRAIN), 168);
    CHECK_INT(count(&c, 0, KI_PART_TEST), 42);
    int64_t in_first_half = 0; /* a draw, not a cut: hypergeometric, mean 21, sd 2.9 */
    for (int64_t row = 0; row < 105; row++) in_first_half += c.s.label[row] == KI_PART_TEST;
    CHECK(in_first_half > 21 - 15 && in_first_half < 21 + 15);
    clear(&c);
}

TEST(temporal_cuts_by_time_and_ties_keep_file_order)
{
    /* Times fall, two rows to a time: the last rows of the file are the earliest.  Training on 105
     * of 210 takes the 52 earliest pairs and, of the pair in the middle, the row that comes first. */
    struct cut c = make("temporal:0.5", 1, 0);
    CHECK_INT(count(&c, 0, KI_PART_TRAIN), 105);
    for (int64_t row = 0; row < 210; row++) {
        const int late = row < 104 || row == 105;
        CHECK_INT(c.s.label[row], late ? KI_PART_TEST : KI_PART_TRAIN);
    }
    clear(&c);
}

TEST(leave_one_out_takes_the_last_by_time_else_by_place)
{
    struct cut c = make("leave-one-out", 0, 0);
    CHECK_INT(count(&c, 0, KI_PART_TEST), N_USERS - 1); /* user 0 has one row, which trains */
    CHECK_INT(c.s.label[0], KI_PART_TRAIN);
    for (int u = 1; u < N_USERS; u++) CHECK_INT(c.s.label[u * (u + 1) / 2 + u], KI_PART_TEST);
    clear(&c);
    c = make("leave-one-out", 1, 0); /* times fall: the first row is the latest, or its tied second */
    CHECK_INT(c.s.label[1], KI_PART_TEST);
    CHECK_INT(c.s.label[2], KI_PART_TRAIN);
    CHECK_INT(c.s.label[3], KI_PART_TEST); /* user 2 has rows 3, 4, 5 at times 999, 998, 998 */
    CHECK_INT(c.s.label[7], KI_PART_TEST); /* user 3 has rows 6, 7, 8, 9: 6 and 7 tie, 7 is later */
    clear(&c);
}

TEST(strong_keeps_users_apart_and_folds_four_fifths_in)
{
    struct cut c = make("strong:0.5", 0, 5);
    int n_held = 0;
    for (int32_t u = 0; u < N_USERS; u++) {
        int64_t n[KI_PART_FOLD] = { 0 };
        for (int64_t row = 0; row < c.s.n; row++)
            if (c.d->log.user[row] == u) n[c.s.label[row]]++;
        CHECK(n[KI_PART_TRAIN] == 0 || n[KI_PART_TRAIN] == u + 1);
        if (n[KI_PART_TRAIN] > 0) continue;
        n_held++;
        const int64_t tested = u == 0 ? 0 : u + 1 < 10 ? 1 : (u + 1) / 5;
        CHECK_INT(n[KI_PART_TEST], tested);
        CHECK_INT(n[KI_PART_HISTORY], u + 1 - tested);
    }
    CHECK_INT(n_held, N_USERS / 2);
    clear(&c);
}

TEST(test_rows_belong_to_predefined_alone)
{
    struct cut c = make("holdout:0.5", 0, 0);
    ki_splits_clear(&c.s);
    CHECK_OK(ki_alloc(&c.d->log.test, (size_t)c.d->log.n, 1));
    for (int64_t row = 0; row < 10; row++) c.d->log.test[row] = 1;
    CHECK_OK(ki_splits_make(&c.s, &c.p, c.d, 0));
    CHECK_INT(count(&c, 0, KI_PART_NONE), 10);
    CHECK_INT(count(&c, 0, KI_PART_TRAIN), 100);
    ki_splits_clear(&c.s);
    snprintf(c.d->report.layout, sizeof c.d->report.layout, "movielens-100k:u1");
    CHECK_FAILS(ki_protocol_parse(&c.p, "predefined:u2", c.d), KITH_EDATA, "was read as movielens-100k:u1");
    CHECK_OK(ki_protocol_parse(&c.p, "predefined:u1", c.d));
    CHECK_STR(c.p.text, "predefined:u1");
    CHECK_OK(ki_splits_make(&c.s, &c.p, c.d, 0));
    CHECK_INT(count(&c, 0, KI_PART_TEST), 10);
    CHECK_INT(count(&c, 0, KI_PART_TRAIN), 200);
    CHECK_OK(ki_protocol_parse(&c.p, NULL, c.d));
    CHECK_STR(c.p.text, "predefined");
    clear(&c);
}

TEST(the_usual_protocol_depends_on_times)
{
    struct cut c = make(NULL, 0, 0);
    CHECK_STR(c.p.text, "holdout:0.8");
    clear(&c);
    c = make(NULL, 1, 0);
    CHECK_STR(c.p.text, "temporal:0.8");
    clear(&c);
}

TEST(a_protocol_that_cannot_be_followed_is_refused)
{
    struct cut c = make("kfold", 0, 0);
    ki_protocol p;
    CHECK_STR(c.p.text, "kfold:5");
    CHECK_FAILS(ki_protocol_parse(&p, "fold:5", c.d), KITH_EINVAL, "kfold:N, holdout:N");
    CHECK_FAILS(ki_protocol_parse(&p, "kfold:1", c.d), KITH_EINVAL, "from 2 to 100");
    CHECK_FAILS(ki_protocol_parse(&p, "kfold:2.5", c.d), KITH_EINVAL, "whole number");
    CHECK_FAILS(ki_protocol_parse(&p, "holdout:80%", c.d), KITH_EINVAL, "share of rows");
    CHECK_FAILS(ki_protocol_parse(&p, "holdout:nan", c.d), KITH_EINVAL, "share of rows");
    CHECK_FAILS(ki_protocol_parse(&p, "leave-one-out:2", c.d), KITH_EINVAL, "nothing after");
    CHECK_FAILS(ki_protocol_parse(&p, "temporal:0.8", c.d), KITH_EDATA, "needs times");
    CHECK_FAILS(ki_protocol_parse(&p, "predefined", c.d), KITH_EDATA, "test rows");
    clear(&c);
}

TEST(too_little_data_for_a_protocol_is_said)
{
    const char *const users[] = { "a", "b" }, *const items[] = { "x", "y" };
    kith *k;
    kith_data *d;
    ki_protocol p;
    ki_splits s;
    CHECK_OK(kith_new(NULL, &k));
    CHECK_OK(kith_data_new(k, 2, users, items, NULL, NULL, &d));
    CHECK_OK(ki_protocol_parse(&p, "kfold:5", d));
    CHECK_FAILS(ki_splits_make(&s, &p, d, 0), KITH_EDATA, "at least 5");
    CHECK_OK(ki_protocol_parse(&p, "holdout:0.1", d));
    CHECK_FAILS(ki_splits_make(&s, &p, d, 0), KITH_EDATA, "nothing to train on");
    CHECK_OK(ki_protocol_parse(&p, "leave-one-out", d));
    CHECK_FAILS(ki_splits_make(&s, &p, d, 0), KITH_EDATA, "nothing to test on");
    kith_data_free(d);
    kith_free(k);
}

TEST(every_refused_allocation_of_a_split_is_told_and_leaks_nothing)
{
    static const char *const all[] = { "kfold:5", "temporal:0.8", "leave-one-out", "strong:0.8" };
    for (size_t j = 0; j < KI_COUNT(all); j++) {
        struct cut c = make(all[j], 1, 0);
        ki_splits_clear(&c.s);
        const int64_t live = ki_alloc_live();
        for (int n = 1;; n++) {
            ki_alloc_fail_at(n, 0);
            const kith_err err = ki_splits_make(&c.s, &c.p, c.d, 0);
            ki_alloc_fail_at(0, 0);
            if (err == KITH_OK) break;
            CHECK_INT(err, KITH_ENOMEM);
            CHECK_INT(ki_alloc_live(), live);
        }
        clear(&c);
    }
}
