/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/all_pairs.h"
#include "model/best.h"

enum { ROWS = 150, COLS = 40, MEASURES = KI_MSD + 1 };

/* Random rows: skewed lengths, values 1..5, an empty row and an empty column. */
struct world {
    ki_csr by_row, by_col;
    double value[ROWS][COLS]; /* 0: none */
    double mean;
    float row_base[ROWS], col_base[COLS];
};

static void make_world(struct world *w, uint64_t seed)
{
    static int32_t row[ROWS * COLS], col[ROWS * COLS];
    static float val[ROWS * COLS];
    ki_rng rng = ki_rng_make(seed, 0, 0);
    int64_t n = 0;
    double sum = 0;
    memset(w, 0, sizeof *w);
    for (int32_t r = 0; r < ROWS - 1; r++) {
        for (int32_t c = 0; c < COLS - 1; c++) {
            if (ki_rng_below(&rng, ROWS) > (uint32_t)r / 2 + 10) continue;
            const float v = 1 + (float)ki_rng_below(&rng, 5);
            row[n] = r;
            col[n] = c;
            val[n++] = v;
            w->value[r][c] = v;
            sum += v;
        }
    }
    w->mean = sum / (double)n;
    for (int32_t r = 0; r < ROWS; r++) w->row_base[r] = (float)ki_rng_normal(&rng) / 2;
    for (int32_t c = 0; c < COLS; c++) w->col_base[c] = (float)ki_rng_normal(&rng) / 2;
    CHECK_OK(ki_csr_from_triplets(&w->by_row, ROWS, COLS, n, row, col, val, NULL));
    CHECK_OK(ki_csr_transpose(&w->by_col, &w->by_row));
}

static void clear_world(struct world *w)
{
    ki_csr_clear(&w->by_row);
    ki_csr_clear(&w->by_col);
}

/* ---- the plain reference: dense rows, double sums, one formula after the other ---- */

static double length_of(const struct world *w, int r)
{
    double n = 0;
    for (int c = 0; c < COLS; c++) n += w->value[r][c] > 0;
    return n;
}

static double idf(const struct world *w, int c)
{
    double n = 0;
    for (int r = 0; r < ROWS; r++) n += w->value[r][c] > 0;
    return log(ROWS) - log(1 + n);
}

static double column_mean(const struct world *w, int c)
{
    double n = 0, sum = 0;
    for (int r = 0; r < ROWS; r++) {
        n += w->value[r][c] > 0;
        sum += w->value[r][c];
    }
    return sum / n;
}

static double bm25(const struct world *w, const ki_similarity *how, int r, int c)
{
    double sum = 0, all = 0;
    for (int j = 0; j < COLS; j++) sum += w->value[r][j];
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLS; j++) all += w->value[i][j];
    const double norm = 1 - how->b + how->b * sum / (all / ROWS), v = w->value[r][c];
    return v * (how->k1 + 1) / (how->k1 * norm + v) * idf(w, c);
}

static double degree(const struct world *w, int r, int c)
{
    double row = 0, col = 0;
    for (int j = 0; j < COLS; j++) row += w->value[r][j];
    for (int i = 0; i < ROWS; i++) col += w->value[i][c];
    return w->value[r][c] / sqrt(row * col);
}

/* The weighed value; only asked for where there is a value. */
static double weighed(const struct world *w, const ki_similarity *how, int r, int c)
{
    const double v = w->value[r][c];
    switch ((enum ki_measure)how->measure) {
    case KI_TFIDF: return sqrt(v) * idf(w, c);
    case KI_BM25: return bm25(w, how, r, c);
    case KI_DEGREE: return degree(w, r, c);
    case KI_JACCARD: return 1;
    case KI_ADJUSTED_COSINE: return v - column_mean(w, c);
    case KI_PEARSON_BASELINE: return v - w->mean - w->row_base[r] - w->col_base[c];
    default: return v;
    }
}

static double reference(const struct world *w, const ki_similarity *how, double (*xs)[COLS], int a, int b)
{
    double n = 0, ab = 0, aa = 0, bb = 0, sa = 0, sb = 0, all_a = 0, all_b = 0, distance = 0, sim;
    for (int c = 0; c < COLS; c++) {
        const int in_a = w->value[a][c] > 0, in_b = w->value[b][c] > 0;
        const double x = xs[a][c], y = xs[b][c];
        all_a += x * x;
        all_b += y * y;
        if (!in_a || !in_b) continue;
        n++;
        ab += x * y;
        aa += x * x;
        bb += y * y;
        sa += x;
        sb += y;
        distance += (x - y) * (x - y);
    }
    if (n < 1 || n < how->min_support) return 0;
    switch ((enum ki_measure)how->measure) {
    case KI_COSINE:
    case KI_TFIDF: sim = ab / sqrt(all_a * all_b); break;
    case KI_BM25:
    case KI_DEGREE: sim = ab; break;
    case KI_JACCARD: sim = n / (length_of(w, a) + length_of(w, b) - n); break;
    case KI_MSD: sim = 1 / (1 + distance / n); break;
    case KI_PEARSON: {
        const double down = sqrt(n * aa - sa * sa) * sqrt(n * bb - sb * sb);
        sim = down > 0 ? (n * ab - sa * sb) / down : 0;
        break;
    }
    default: sim = ab / sqrt(aa * bb);
    }
    if (how->measure == KI_PEARSON_BASELINE) n--;
    return n == 0 ? 0 : sim * n / (n + how->shrinkage);
}

/* ---- tests ---- */

static kith_err all_pairs(const struct world *w, const ki_similarity *how, int32_t k, int threads, ki_csr *out)
{
    ki_job job = { 0 };
    const ki_all_pairs task = { .how = *how,
                                .n_neighbors = k,
                                .by_row = &w->by_row,
                                .by_col = &w->by_col,
                                .mean = w->mean,
                                .row_base = w->row_base,
                                .col_base = w->col_base };
    kith_err err = ki_pool_new(threads, &job.pool);
    if (err != KITH_OK) return err;
    err = ki_all_pairs_run(&task, &job, out);
    ki_pool_free(job.pool);
    return err;
}

static void compare_with_reference(const ki_similarity *how)
{
    struct world w;
    double x[ROWS][COLS] = { 0 };
    ki_csr got;
    make_world(&w, 7);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++)
            if (w.value[r][c] > 0) x[r][c] = weighed(&w, how, r, c);
    CHECK_OK(all_pairs(&w, how, 0, 3, &got));
    CHECK_OK(ki_csr_check(&got, "similarities"));
    for (int a = 0; a < ROWS; a++) {
        for (int b = 0; b < ROWS; b++) {
            const int64_t at = ki_csr_find(&got, a, b);
            const double want = a == b ? 0 : fmax(0, reference(&w, how, x, a, b));
            /* float32 sums of at most 39 terms, each below 25: relative error under 39 * 2^-24 */
            CHECK_NEAR(at < 0 ? 0 : got.val[at], want, 1e-5 * fmax(1, want));
        }
    }
    ki_csr_clear(&got);
    clear_world(&w);
}

TEST(every_measure_equals_the_plain_double_sums)
{
    for (int m = 0; m < MEASURES; m++) compare_with_reference(&(ki_similarity){ .measure = m, .k1 = 1.2f, .b = .75f });
}

TEST(shrinkage_and_support_act_on_every_measure)
{
    for (int m = 0; m < MEASURES; m++)
        compare_with_reference(
            &(ki_similarity){ .measure = m, .k1 = 1.2f, .b = .75f, .shrinkage = 10, .min_support = 4 });
}

/* few is all, cut to the k best of a row by plain counting; every step-th row is looked at. */
static void check_nearest(const ki_csr *all, const ki_csr *few, int32_t k, int32_t step)
{
    CHECK_OK(ki_csr_check(few, "nearest"));
    for (int32_t r = 0; r < all->n_rows; r += step) {
        CHECK_INT(ki_csr_len(few, r), KI_MIN(k, ki_csr_len(all, r)));
        for (int64_t j = all->ptr[r]; j < all->ptr[r + 1]; j++) {
            int better = 0;
            for (int64_t t = all->ptr[r]; t < all->ptr[r + 1]; t++)
                better += all->val[t] > all->val[j] || (all->val[t] == all->val[j] && t < j);
            CHECK_INT(ki_csr_find(few, r, all->idx[j]) >= 0, better < k);
        }
    }
}

TEST(only_the_nearest_are_kept_and_ties_go_to_the_lower_row)
{
    const int measures[] = { KI_COSINE_CORATED, KI_COSINE, KI_JACCARD }; /* the first: full of ties at 1 */
    for (size_t m = 0; m < KI_COUNT(measures); m++) {
        const ki_similarity how = { .measure = measures[m] };
        struct world w;
        ki_csr all, few;
        make_world(&w, 3);
        CHECK_OK(all_pairs(&w, &how, 0, 1, &all));
        CHECK_OK(all_pairs(&w, &how, 7, 1, &few));
        check_nearest(&all, &few, 7, 1);
        ki_csr_clear(&all);
        ki_csr_clear(&few);
        clear_world(&w);
    }
}

TEST(the_nearest_of_short_lists_and_of_long_lists_are_the_k_best)
{
    /* Column c has every (c + 2)-th row, so a row has the columns that divide it: it meets from none to thousands of
     * others, and many of them equally. */
    enum { N = 3000, DIVISORS = 120, ROOM = 5 * N };
    static int32_t row[ROOM], col[ROOM];
    static float ones[ROOM];
    int64_t n = 0;
    for (int32_t c = 0; c < DIVISORS; c++)
        for (int32_t r = 0; r < N; r += c + 2, n++) {
            row[n] = r;
            col[n] = c;
            ones[n] = 1;
        }
    ki_all_pairs task = { .how = { .measure = KI_COSINE } };
    ki_csr by_row, by_col, all, few;
    CHECK_OK(ki_csr_from_triplets(&by_row, N, DIVISORS, n, row, col, ones, NULL));
    CHECK_OK(ki_csr_transpose(&by_col, &by_row));
    task.by_row = &by_row;
    task.by_col = &by_col;
    CHECK_OK(ki_all_pairs_run(&task, &(ki_job){ 0 }, &all));
    for (task.n_neighbors = 1; task.n_neighbors <= 31; task.n_neighbors += 30) {
        CHECK_OK(ki_all_pairs_run(&task, &(ki_job){ 0 }, &few));
        check_nearest(&all, &few, task.n_neighbors, 37);
        ki_csr_clear(&few);
    }
    ki_csr_clear(&all);
    ki_csr_clear(&by_row);
    ki_csr_clear(&by_col);
}

TEST(short_lists_and_long_lists_give_the_same_similarities)
{
    /* Two columns of two rows each make the walk over lists; in `w` most rows take the scan. */
    const int32_t row[] = { 500, 3, 3, 900 }, col[] = { 0, 0, 1, 1 };
    const float val[] = { 2, 1, 1, 4 };
    for (int m = 0; m < MEASURES; m++) {
        struct world w = { .mean = 0 };
        ki_csr got;
        const ki_similarity how = { .measure = m, .k1 = 1.2f, .b = .75f };
        CHECK_OK(ki_csr_from_triplets(&w.by_row, 1000, 2, 4, row, col, val, NULL));
        CHECK_OK(ki_csr_transpose(&w.by_col, &w.by_row));
        ki_all_pairs task = { .how = how, .by_row = &w.by_row, .by_col = &w.by_col };
        float base[1000] = { 0 };
        task.row_base = task.col_base = base;
        CHECK_OK(ki_all_pairs_run(&task, &(ki_job){ 0 }, &got));
        CHECK_INT(ki_csr_len(&got, 500), ki_csr_len(&got, 900));
        if (m == KI_COSINE) {
            CHECK_INT(ki_csr_nnz(&got), 4);
            CHECK_INT(got.idx[got.ptr[3]], 500);
            CHECK_INT(got.idx[got.ptr[3] + 1], 900);
            CHECK_NEAR(got.val[got.ptr[500]], sqrt(.5), 1e-7); /* one float rounding */
        }
        if (m == KI_MSD) CHECK_NEAR(got.val[got.ptr[900]], .1, 1e-7);
        ki_csr_clear(&got);
        clear_world(&w);
    }
}

TEST(one_thread_and_five_give_the_same_similarities)
{
    struct world w;
    make_world(&w, 11);
    for (int m = 0; m < MEASURES; m++) {
        const ki_similarity how = { .measure = m, .k1 = 1.2f, .b = .75f };
        ki_csr one, five;
        CHECK_OK(all_pairs(&w, &how, 9, 1, &one));
        CHECK_OK(all_pairs(&w, &how, 9, 5, &five));
        CHECK_INT(ki_csr_nnz(&one), ki_csr_nnz(&five));
        CHECK(memcmp(one.ptr, five.ptr, (ROWS + 1) * sizeof *one.ptr) == 0);
        CHECK(memcmp(one.idx, five.idx, (size_t)ki_csr_nnz(&one) * sizeof *one.idx) == 0);
        CHECK(memcmp(one.val, five.val, (size_t)ki_csr_nnz(&one) * sizeof *one.val) == 0);
        ki_csr_clear(&one);
        ki_csr_clear(&five);
    }
    clear_world(&w);
}

TEST(a_row_whose_common_values_are_all_the_same_has_no_correlation)
{
    const int32_t row[] = { 0, 0, 0, 1, 1, 1 }, col[] = { 0, 1, 2, 0, 1, 2 };
    const float val[] = { 3.7f, 3.7f, 3.7f, 1.1f, 2.3f, 4.9f }; /* 3.7 is no float: sums round */
    struct world w = { .mean = 3 };
    ki_csr got;
    CHECK_OK(ki_csr_from_triplets(&w.by_row, 2, 3, 6, row, col, val, NULL));
    CHECK_OK(ki_csr_transpose(&w.by_col, &w.by_row));
    CHECK_OK(all_pairs(&w, &(ki_similarity){ .measure = KI_PEARSON }, 0, 1, &got));
    CHECK_INT(ki_csr_nnz(&got), 0);
    ki_csr_clear(&got);
    clear_world(&w);
}

TEST(negative_values_are_refused_where_the_measure_has_none)
{
    const int32_t row[] = { 0, 1 }, col[] = { 0, 0 };
    const float val[] = { -1, 2 };
    struct world w = { .mean = 0.5 };
    ki_csr got;
    CHECK_OK(ki_csr_from_triplets(&w.by_row, 2, 1, 2, row, col, val, NULL));
    CHECK_OK(ki_csr_transpose(&w.by_col, &w.by_row));
    CHECK_FAILS(all_pairs(&w, &(ki_similarity){ .measure = KI_TFIDF }, 0, 1, &got), KITH_EDATA, "at least 0");
    CHECK_FAILS(all_pairs(&w, &(ki_similarity){ .measure = KI_BM25 }, 0, 1, &got), KITH_EDATA, "has -1");
    clear_world(&w);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(all_pairs_survives_every_failed_allocation)
{
    struct world w;
    make_world(&w, 5);
    const int64_t live = ki_alloc_live();
    const ki_similarity how = { .measure = KI_TFIDF };
    for (int n = 1;; n++) {
        ki_csr got;
        ki_alloc_fail_at(n, 0);
        const kith_err err = all_pairs(&w, &how, 5, 2, &got);
        ki_alloc_fail_at(0, 0);
        if (err == KITH_OK) {
            CHECK(n > 10);
            ki_csr_clear(&got);
            break;
        }
        CHECK_INT(err, KITH_ENOMEM);
        CHECK_INT(ki_alloc_live(), live);
    }
    clear_world(&w);
}

TEST(the_best_of_a_stream_are_the_same_in_any_order)
{
    enum { N = 1000, K = 13 };
    uint64_t buffer[2][2 * K + 128];
    ki_rng rng = ki_rng_make(1, 2, 3);
    float score[N];
    ki_best forth = ki_best_into(buffer[0], K), back = ki_best_into(buffer[1], K);
    for (int j = 0; j < N; j++) score[j] = (float)(int)ki_rng_below(&rng, 60) - 50; /* ties, signs */
    for (int j = 0; j < N; j++) ki_best_push(&forth, ki_best_key(score[j], j));
    for (int j = N - 1; j >= 0; j--) ki_best_push(&back, ki_best_key(score[j], j));
    ki_best_finish(&forth);
    ki_best_finish(&back);
    CHECK_INT(forth.n, K);
    ki_best_sort(forth.key, K);
    ki_best_sort(back.key, K);
    CHECK(memcmp(forth.key, back.key, K * sizeof *forth.key) == 0);
    for (int j = 0; j < K; j++) {
        const int32_t i = ki_best_index(forth.key[j]);
        CHECK_NEAR(ki_best_score(forth.key[j]), score[i], 0); /* a key is the score's own bits */
        int better = 0;
        for (int t = 0; t < N; t++) better += score[t] > score[i] || (score[t] == score[i] && t < i);
        CHECK_INT(better, j);
    }
}
