/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/alias.h"
#include "base/mem.h"
#include "data/csr.h"
#include "data/dataset.h"

#include <stdlib.h>
#include <unistd.h>

/* Tests run in the build folder, or by hand in the one above it. */
static const char *films(void)
{
    return access("sample/films.csv", R_OK) == 0 ? "sample/films.csv" : "../sample/films.csv";
}

static kith_data *generate(int threads, uint64_t seed, const kith_generate_options *o)
{
    const kith_options options = { .threads = threads, .seed = seed };
    kith *k;
    kith_data *d;
    CHECK_OK(kith_new(&options, &k));
    CHECK_OK(kith_data_generate(k, o, &d));
    CHECK_OK(ki_data_check(d));
    kith_free(k);
    return d;
}

/* ---- the alias table */

TEST(alias_draws_follow_the_weights)
{
    const double weights[] = { 5, 0, 1, 2, 2 };
    enum { N = 100000 };
    int64_t count[5] = { 0 };
    ki_alias a;
    ki_rng r = ki_rng_make(1, 2, 3);
    CHECK_OK(ki_alias_make(&a, weights, 5));
    for (int j = 0; j < N; j++) count[ki_alias_draw(&a, &r)]++;
    /* five standard deviations of a binomial share: 5 sqrt(p (1 - p) / N) < 0.008 */
    for (int j = 0; j < 5; j++) CHECK_NEAR((double)count[j] / N, weights[j] / 10, 0.008);
    CHECK_INT(count[1], 0);
    ki_alias_clear(&a);
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- matrices */

TEST(the_defaults_are_a_thousand_users_and_fifty_thousand_ratings)
{
    kith_data *d = generate(0, 0, NULL);
    CHECK_INT(kith_data_n_users(d), 1000);
    CHECK_INT(kith_data_n_items(d), 500);
    CHECK_INT(kith_data_n_interactions(d), 50000);
    CHECK(d->has_values);
    CHECK_STR(kith_data_user_id(d, 0), "u1");
    CHECK_STR(d->source, "generated");
    kith_data_free(d);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(the_bits_are_the_same_for_one_and_five_threads_and_other_for_another_seed)
{
    const kith_generate_options o = { .n_users = 3000, .n_items = 700, .n_interactions = 60000 };
    kith_data *one = generate(1, 42, &o), *five = generate(5, 42, &o), *other = generate(5, 43, &o);
    CHECK(ki_data_fingerprint(one) == ki_data_fingerprint(five));
    CHECK(ki_data_fingerprint(one) != ki_data_fingerprint(other));
    kith_data_free(one);
    kith_data_free(five);
    kith_data_free(other);
}

static void expect_no_duplicates(const kith_data *d)
{
    ki_csr a;
    CHECK_OK(ki_csr_from_triplets(&a, d->users.n, d->items.n, d->log.n, d->log.user, d->log.item, NULL, NULL));
    for (int32_t u = 0; u < a.n_rows; u++) {
        CHECK(ki_csr_len(&a, u) > 0);
        for (int64_t j = a.ptr[u] + 1; j < a.ptr[u + 1]; j++) CHECK(a.idx[j] != a.idx[j - 1]);
    }
    ki_csr_clear(&a);
}

TEST(no_pair_occurs_twice_whether_users_take_few_items_or_all)
{
    const kith_generate_options sparse = { .n_users = 500, .n_items = 5000, .n_interactions = 20000 };
    const kith_generate_options steep = {
        .n_users = 300, .n_items = 400, .n_interactions = 9000, .popularity_power = 3
    };
    const kith_generate_options full = { .n_users = 40, .n_items = 30, .n_interactions = 1200 };
    const kith_generate_options *const all[] = { &sparse, &steep, &full };
    for (int j = 0; j < 3; j++) {
        kith_data *d = generate(2, 7, all[j]);
        CHECK_INT(kith_data_n_interactions(d), all[j]->n_interactions);
        CHECK_INT(kith_data_n_items(d), (int32_t)all[j]->n_items);
        expect_no_duplicates(d);
        kith_data_free(d);
    }
}

static int falling(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

/* Least squares of log count over log rank, ranks 1 to 500 of 5000. */
static double slope_of(const int64_t *falling_counts)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (int rank = 1; rank <= 500; rank++) {
        const double a = log(rank), b = log((double)falling_counts[rank - 1]);
        n++;
        x += a;
        y += b;
        xx += a * a;
        xy += a * b;
    }
    return (n * xy - x * y) / (n * xx - x * x);
}

TEST(popularity_is_a_power_law_of_the_asked_slope)
{
    const double powers[] = { 0.6, 1.0 };
    for (int p = 0; p < 2; p++) {
        const kith_generate_options o = {
            .n_users = 200000, .n_items = 5000, .n_interactions = 210000, .popularity_power = powers[p], .implicit = 1
        };
        int64_t count[5000] = { 0 };
        kith_data *d = generate(0, 3, &o);
        for (int64_t j = 0; j < d->log.n; j++) count[d->log.item[j]]++;
        qsort(count, 5000, sizeof *count, falling);
        /* Nearly everyone takes one item, so nobody runs out of popular ones and the law holds from the first rank on.
         * Counts at rank 500 are 68 and 46, give or take 8 and 7; sorting noisy counts makes the slope a little
         * smaller: 0.03 of room. */
        CHECK_NEAR(slope_of(count), -powers[p], 0.03);
        CHECK(!d->has_values);
        kith_data_free(d);
    }
}

TEST(activity_has_a_long_tail_below_its_cap)
{
    const kith_generate_options o = { .n_users = 2000, .n_items = 2000, .n_interactions = 40000 };
    int64_t count[2000] = { 0 }, top = 0;
    kith_data *d = generate(0, 3, &o);
    for (int64_t j = 0; j < d->log.n; j++) count[d->log.user[j]]++;
    qsort(count, 2000, sizeof *count, falling);
    for (int u = 0; u < 200; u++) top += count[u];
    CHECK(count[0] <= 500);
    /* rank^-0.6 from 1 to N, without the cap: (0.1)^0.4 = 0.398 of the sum is held by the top tenth; its largest
     * terms scatter, as a Pareto tail of exponent 1.67 has no variance */
    CHECK_NEAR((double)top / (double)d->log.n, 0.398, 0.06);
    kith_data_free(d);
}

TEST(times_rise_for_each_user_and_fill_two_years)
{
    kith_data *d = generate(0, 5, NULL);
    const int64_t begin = 1672531200, end = begin + 2 * 365 * 86400;
    int64_t first = INT64_MAX, last = 0, winter = 0, summer = 0;
    for (int64_t j = 0; j < d->log.n; j++) {
        const int64_t t = d->log.time[j], day = (t - begin) / 86400 % 365;
        CHECK(j == 0 || d->log.user[j] != d->log.user[j - 1] || t > d->log.time[j - 1]);
        first = t < first ? t : first;
        last = t > last ? t : last;
        winter += (t - begin) / 86400 >= 320 && (t - begin) / 86400 < 410; /* about the turn of the year */
        summer += day >= 137 && day < 227 && t < begin + 365 * 86400;
    }
    CHECK(first >= begin && first < begin + 30 * 86400);
    CHECK(last < end + 86400 && last > end - 30 * 86400);
    CHECK(winter > 2 * summer); /* densities are about 1 / 0.4 and 1 / 1.6 */
    kith_data_free(d);
}

/* ---- planted tastes: a full matrix, its means taken out, has the energy of `rank` directions */

enum { M = 60, N = 50 };

/* Ratings less user and item means, twice: A[M, N]. */
static void residual(const kith_data *d, double *A)
{
    for (int64_t j = 0; j < d->log.n; j++) A[d->log.user[j] * N + d->log.item[j]] = (double)d->log.value[j];
    for (int u = 0; u < M; u++) {
        double mean = 0;
        for (int i = 0; i < N; i++) mean += A[u * N + i] / N;
        for (int i = 0; i < N; i++) A[u * N + i] -= mean;
    }
    for (int i = 0; i < N; i++) {
        double mean = 0;
        for (int u = 0; u < M; u++) mean += A[u * N + i] / M;
        for (int u = 0; u < M; u++) A[u * N + i] -= mean;
    }
}

/* The largest singular value of A by power iteration; its direction is then taken out of A. */
static double take_direction(double *A)
{
    double u[M], v[N], sigma = 0;
    for (int i = 0; i < N; i++) v[i] = 1.0 / (1 + i);
    for (int step = 0; step < 300; step++) {
        double norm = 0;
        for (int a = 0; a < M; a++) {
            u[a] = 0;
            for (int i = 0; i < N; i++) u[a] += A[a * N + i] * v[i];
            norm += u[a] * u[a];
        }
        for (int a = 0; a < M; a++) u[a] /= sqrt(norm);
        sigma = 0;
        for (int i = 0; i < N; i++) {
            v[i] = 0;
            for (int a = 0; a < M; a++) v[i] += A[a * N + i] * u[a];
            sigma += v[i] * v[i];
        }
        sigma = sqrt(sigma);
        for (int i = 0; i < N; i++) v[i] /= sigma;
    }
    for (int a = 0; a < M; a++)
        for (int i = 0; i < N; i++) A[a * N + i] -= sigma * u[a] * v[i];
    return sigma;
}

TEST(the_planted_rank_shows_in_the_singular_values)
{
    const kith_generate_options o = { .n_users = M, .n_items = N, .n_interactions = M * N, .rank = 3, .noise = 0.05 };
    kith_data *d = generate(1, 11, &o);
    double *A = calloc(M * N, sizeof *A), s[5], total = 0, top = 0;
    residual(d, A);
    for (int j = 0; j < M * N; j++) total += A[j] * A[j];
    for (int k = 0; k < 5; k++) s[k] = take_direction(A);
    for (int k = 0; k < 3; k++) top += s[k] * s[k];
    /* Taste has variance 0.49, rounding 1/12 and the cuts at 1 and 5 some more: about 0.8 of the energy is planted. */
    CHECK(top / total > 0.7);
    CHECK(s[2] > 1.5 * s[3]); /* the third direction stands out, the fourth is one of the noise */
    CHECK(s[3] < 1.3 * s[4]);
    free(A);
    kith_data_free(d);
}

TEST(users_choose_what_they_like)
{
    const kith_generate_options o = { .n_users = 400, .n_items = 400, .n_interactions = 16000 };
    kith_data *d = generate(1, 11, &o);
    double mean = 0;
    for (int64_t j = 0; j < d->log.n; j++) mean += (double)d->log.value[j] / (double)d->log.n;
    /* Chosen at random the mean would be 2.7; the mean taste of what is chosen is about 1.3, which is worth 0.9. */
    CHECK_NEAR(mean, 3.6, 0.15);
    kith_data_free(d);
}

/* ---- viewers over a catalogue */

TEST(simulated_viewers_watch_the_films_of_a_catalogue)
{
    const kith_generate_options o = { .items_path = films() };
    kith_data *d = generate(0, 1, &o), *again = generate(3, 1, &o);
    CHECK(strncmp(d->source, "simulated viewers over ", 23) == 0 && strstr(d->source, films()) != NULL);
    CHECK_INT(kith_data_n_items(d), 440);
    CHECK_INT(kith_data_n_interactions(d), 50000);
    CHECK(ki_data_fingerprint(d) == ki_data_fingerprint(again));
    expect_no_duplicates(d);
    const int32_t i = kith_data_find_item(d, "seven-samurai-1954");
    CHECK(i >= 0);
    CHECK_STR(ki_item_title(&d->item_attrs, i), "Seven Samurai");
    CHECK_INT((int)ki_table_find(&d->item_attrs, "genres")->kind, KI_COL_SET);
    CHECK_INT((int)ki_table_find(&d->item_attrs, "year")->kind, KI_COL_NUMBER);
    CHECK_INT((int)ki_table_find(&d->item_attrs, "language")->kind, KI_COL_CATEGORY);
    CHECK_NEAR(ki_table_find(&d->item_attrs, "year")->number[i], 1954, 0);
    CHECK_INT(d->item_attrs.n_rows, 440);
    kith_data_free(d);
    kith_data_free(again);
    CHECK_INT(ki_alloc_live(), 0);
}

/* How much more often than by chance two films are watched by the same people, for pairs of which one of the columns
 * `name` holds a common word. */
static double lift_of_pairs(const kith_data *d, int common)
{
    const ki_column *genres = ki_table_find(&d->item_attrs, "genres");
    static uint8_t watched[1000][440];
    double count[440] = { 0 }, together = 0, expected = 0;
    memset(watched, 0, sizeof watched);
    for (int64_t j = 0; j < d->log.n; j++) {
        watched[d->log.user[j]][d->log.item[j]] = 1;
        count[d->log.item[j]]++;
    }
    for (int a = 0; a < 440; a++) {
        for (int b = 0; b < a; b++) {
            const int same = genres->code[genres->set_ptr[a]] == genres->code[genres->set_ptr[b]];
            if (same != common) continue;
            for (int u = 0; u < 1000; u++) together += watched[u][a] && watched[u][b];
            expected += count[a] * count[b] / 1000;
        }
    }
    return together / expected;
}

TEST(films_of_one_genre_are_watched_by_the_same_viewers)
{
    const kith_generate_options o = { .items_path = films() };
    kith_data *d = generate(0, 1, &o);
    CHECK(lift_of_pairs(d, 1) > 1.1 * lift_of_pairs(d, 0));
    kith_data_free(d);
}

static void expect_refused(const kith_generate_options *o, kith_err code, const char *words)
{
    kith *k;
    kith_data *d = NULL;
    CHECK_OK(kith_new(NULL, &k));
    CHECK_FAILS(kith_data_generate(k, o, &d), code, words);
    CHECK(d == NULL);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(what_cannot_be_is_refused_with_a_sentence)
{
    expect_refused(&(kith_generate_options){ .n_users = 10, .n_items = 10, .n_interactions = 101 }, KITH_EINVAL,
                   "10 users times 10 items make 100 pairs");
    expect_refused(&(kith_generate_options){ .n_users = 10, .n_interactions = 9 }, KITH_EINVAL,
                   "every user has at least one");
    expect_refused(&(kith_generate_options){ .n_users = -1 }, KITH_EINVAL, "-1 users");
    expect_refused(&(kith_generate_options){ .n_items = 1LL << 31 }, KITH_EINVAL, "want 1 to");
    expect_refused(&(kith_generate_options){ .n_interactions = -5 }, KITH_EINVAL, "-5 interactions");
    expect_refused(&(kith_generate_options){ .rank = 1000 }, KITH_EINVAL, "rank 1000, want 1 to 256");
    expect_refused(&(kith_generate_options){ .popularity_power = -1 }, KITH_EINVAL, "popularity power -1");
    expect_refused(&(kith_generate_options){ .noise = NAN }, KITH_EINVAL, "noise nan");
    expect_refused(&(kith_generate_options){ .items_path = "no/such.csv" }, KITH_EIO, "no/such.csv");
    expect_refused(&(kith_generate_options){ .items_path = films(), .n_items = 100 }, KITH_EINVAL,
                   "has 440 items, not 100");
    expect_refused(&(kith_generate_options){ .n_users = 2000000000, .n_items = 100, .n_interactions = 150000000000 },
                   KITH_ENOMEM, "over the limit");
}

static void cancel_at_once(void *k, const char *what, int64_t done, int64_t total)
{
    CHECK_STR(what, "generate");
    CHECK(done <= total);
    kith_cancel(*(kith **)k);
}

TEST(generating_can_be_cancelled_and_the_next_call_starts_afresh)
{
    kith *k = NULL;
    kith_data *d = NULL;
    kith_options options = { .threads = 1, .progress = cancel_at_once, .udata = &k };
    CHECK_OK(kith_new(&options, &k));
    for (int call = 0; call < 2; call++) { /* the second is cancelled by its own step, not by what the first left */
        CHECK_FAILS(kith_data_generate(k, NULL, &d), KITH_ECANCELED, "generate was cancelled");
        CHECK(d == NULL);
    }
    char *json;
    CHECK_OK(kith_data_new(k, 0, NULL, NULL, NULL, NULL, &d));
    CHECK_OK(kith_data_stats(k, d, &json));
    kith_string_free(json);
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* ctrl-C between two calls of one command. */
TEST(a_cancel_for_good_reaches_calls_that_begin_later)
{
    kith *k = NULL;
    kith_data *d = NULL;
    const kith_options options = { .threads = 1, .cancel_for_good = 1 };
    CHECK_OK(kith_new(&options, &k));
    kith_cancel(k);
    for (int call = 0; call < 2; call++)
        CHECK_FAILS(kith_data_generate(k, NULL, &d), KITH_ECANCELED, "generate was cancelled");
    CHECK(d == NULL);
    kith_free(k);
}

TEST(a_catalogue_without_content_is_refused)
{
    const char path[] = "catalogue-of-titles.csv";
    FILE *f = fopen(path, "w");
    fputs("item_id,title\n1,One Flew Over\n2,Two Women and a Dog\n3,Three Colours and None\n", f);
    fclose(f);
    expect_refused(&(kith_generate_options){ .n_users = 2, .n_interactions = 2, .items_path = path }, KITH_EDATA,
                   "nothing that viewers could have a taste about");
    f = fopen(path, "w");
    fputs("item_id,title\n", f);
    fclose(f);
    expect_refused(&(kith_generate_options){ .items_path = path }, KITH_EDATA, "without rows");
    remove(path);
}

TEST(generating_survives_the_failure_of_every_allocation)
{
    const kith_generate_options kinds[] = { { .n_users = 20, .n_items = 30, .n_interactions = 100 },
                                            { .n_users = 20, .n_interactions = 100, .items_path = films() } };
    kith *k;
    CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &k));
    for (int j = 0; j < 2; j++) {
        kith_data *d = NULL;
        const int64_t live = ki_alloc_live();
        kith_err err = KITH_ENOMEM;
        for (int64_t n = 1; err != KITH_OK; n++) {
            ki_alloc_fail_at(n, 0);
            err = kith_data_generate(k, &kinds[j], &d);
            ki_alloc_fail_at(0, 0);
            CHECK(err == KITH_OK || (err == KITH_ENOMEM && d == NULL && ki_alloc_live() == live));
            CHECK(n < 10000);
        }
        kith_data_free(d);
    }
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}
