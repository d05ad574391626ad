/* SPDX-License-Identifier: MIT
 * The ranker against sorting, with a form made here whose scores the test knows: the same lists for any block, tile and
 * kernel set's cut, ties to the lower index, and nothing that was skipped, cold or not a number.
 */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/rank.h"
#include "simd/kernels.h"

#include <stdlib.h>

/* ---- a form whose score of item i for user u is S[u, i] = X[u] . Y[i] ---- */

enum { N_USERS = 23, N_ITEMS = 1500, DIM = 12 };

struct dots {
    float X[N_USERS * DIM], Y[N_ITEMS * DIM];
};

static void sizes(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats)
{
    (void)m;
    *query_floats = DIM;
    *scratch_floats = 0;
}

static kith_err prepare(const ki_model *m, const ki_query *q, float *prepared, float *scratch)
{
    const struct dots *d = m->state;
    (void)scratch;
    if (q->user < 0) return ki_fail(KITH_ENOTFOUND, "the test form knows its users only");
    memcpy(prepared, d->X + q->user * DIM, DIM * sizeof *prepared);
    return KITH_OK;
}

static void score(const ki_model *m, const ki_query *q, const float *prepared, int nq, int32_t begin, int32_t end,
                  float *out, int64_t ld, float *scratch)
{
    const struct dots *d = m->state;
    (void)q, (void)scratch;
    ki_kernels_get()->score_tile(out, ld, prepared, nq, d->Y + (int64_t)begin * DIM, end - begin, DIM);
}

/* Sums of a dozen multiples of 1/16 are exact, so the bound needs no room for roundings but that of the norms. */
static int reach(const ki_model *m, float *out)
{
    const struct dots *d = m->state;
    for (int i = 0; i < N_ITEMS; i++) {
        const float *y = d->Y + i * DIM;
        out[i] = nextafterf(sqrtf(ki_kernels_get()->dot(y, y, DIM)), INFINITY);
    }
    return 1;
}

static void limit(const ki_model *m, const float *prepared, double *base, double *size)
{
    (void)m;
    *base = 0;
    *size = sqrt(ki_kernels_get()->dot(prepared, prepared, DIM)) * (1 + 1e-7);
}

static int64_t n_scored; /* by score_at, since it was set to 0 */

static void score_at(const ki_model *m, const float *prepared, int nq, const int32_t *items, int32_t n, float *out,
                     int64_t ld, float *scratch)
{
    for (int32_t t = 0; t < n; t++) score(m, NULL, prepared, nq, items[t], items[t] + 1, out + t, ld, scratch);
    n_scored += (int64_t)nq * n;
}

struct world {
    ki_form form;
    ki_model_desc desc;
    ki_model m;
    struct dots *dots;
};

/* Values are small multiples of 1/4, so that dots are exact and ties are many. */
static struct world *world(void)
{
    struct world *w = calloc(1, sizeof *w);
    ki_rng r = ki_rng_make(5, 0, 0);
    ck_assert(w != NULL);
    w->dots = calloc(1, sizeof *w->dots);
    ck_assert(w->dots != NULL);
    for (int j = 0; j < N_USERS * DIM; j++) w->dots->X[j] = (float)ki_rng_below(&r, 9) / 4 - 1;
    for (int j = 0; j < N_ITEMS * DIM; j++) w->dots->Y[j] = (float)ki_rng_below(&r, 9) / 4 - 1;
    w->form = (ki_form){ .name = "dots", .sizes = sizes, .prepare = prepare, .score = score, .tile = 64 };
    w->desc = (ki_model_desc){ .name = "dots", .form = &w->form };
    w->m = (ki_model){ .desc = &w->desc, .state = w->dots, .n_users = N_USERS, .n_items = N_ITEMS };
    return w;
}

static void end(struct world *w)
{
    ki_reach_clear(&w->m.reach);
    free(w->dots);
    free(w);
    CHECK_INT(ki_alloc_live(), 0);
}

static float exact(const struct world *w, int32_t u, int32_t i)
{
    float sum = 0;
    for (int j = 0; j < DIM; j++) sum += w->dots->X[u * DIM + j] * w->dots->Y[i * DIM + j];
    return sum;
}

static int has(const int32_t *list, int32_t n, int32_t item)
{
    for (int32_t j = 0; j < n; j++)
        if (list[j] == item) return 1;
    return 0;
}

/* ---- the oracle: take the best that is left, k times ---- */

static int want_list(const struct world *w, const ki_query *q, int k, int32_t *items, float *scores)
{
    static float s[N_ITEMS];
    int n = 0;
    for (int32_t i = 0; i < N_ITEMS; i++) {
        s[i] = exact(w, q->user, i);
        if (has(q->skip, q->n_skip, i) || has(w->m.cold, w->m.n_cold, i) || isnan(s[i])) s[i] = -INFINITY;
        if (q->only != NULL && !has(q->only, q->n_only, i)) s[i] = -INFINITY;
    }
    for (; n < k; n++) {
        int32_t best = 0;
        for (int32_t i = 1; i < N_ITEMS; i++)
            if (s[i] > s[best]) best = i;
        if (s[best] == -INFINITY) break;
        items[n] = best;
        scores[n] = s[best];
        s[best] = -INFINITY;
    }
    return n;
}

static void check_lists_in_this_order(struct world *w, const ki_query *queries, int n, int k, int block)
{
    int32_t *got = calloc((size_t)n * (size_t)k, sizeof *got), *want = calloc((size_t)k, sizeof *want);
    float *scores = calloc((size_t)n * (size_t)k, sizeof *scores), *want_scores = calloc((size_t)k, sizeof *scores);
    int32_t counts[N_USERS];
    ki_ranker *r;
    ck_assert(got != NULL && want != NULL && scores != NULL && want_scores != NULL);
    CHECK_OK(ki_ranker_new(&w->m, k, block, &r));
    for (int at = 0; at < n; at += ki_ranker_block(r)) {
        const int some = KI_MIN(ki_ranker_block(r), n - at);
        CHECK_OK(ki_ranker_run(r, queries + at, some, got + at * k, scores + at * k, counts + at));
    }
    for (int j = 0; j < n; j++) {
        CHECK_INT(counts[j], want_list(w, &queries[j], k, want, want_scores));
        for (int t = 0; t < counts[j]; t++) {
            CHECK_INT(got[j * k + t], want[t]);
            CHECK(scores[j * k + t] == want_scores[t]);
        }
    }
    ki_ranker_free(r);
    free(got), free(want), free(scores), free(want_scores);
}

/* By index, and by falling reach. */
static void check_lists(struct world *w, const ki_query *queries, int n, int k, int block)
{
    check_lists_in_this_order(w, queries, n, k, block);
    w->form.reach = reach, w->form.limit = limit, w->form.score_at = score_at;
    CHECK_OK(ki_model_find_reach(&w->m));
    check_lists_in_this_order(w, queries, n, k, block);
    w->form.reach = NULL;
    CHECK_OK(ki_model_find_reach(&w->m));
}

static int all_users(ki_query *queries)
{
    for (int32_t u = 0; u < N_USERS; u++) queries[u] = (ki_query){ .user = u };
    return N_USERS;
}

/* ---- */

TEST(rank_lists_do_not_depend_on_block_or_tile)
{
    struct world *w = world();
    ki_query q[N_USERS];
    const int n = all_users(q), tiles[] = { 0, 1, 7, 64, 1499, 1500, 4096 }, blocks[] = { 0, 1, 5, 23 };
    for (size_t t = 0; t < KI_COUNT(tiles); t++)
        for (size_t b = 0; b < KI_COUNT(blocks); b++) {
            w->form.tile = tiles[t];
            check_lists(w, q, tiles[t] == 1 ? 3 : n, 10, blocks[b]);
        }
    end(w);
}

TEST(rank_gives_all_there_is_when_k_is_beyond_the_catalogue)
{
    struct world *w = world();
    ki_query q[N_USERS];
    all_users(q);
    check_lists(w, q, 3, N_ITEMS, 0);
    check_lists(w, q, 3, N_ITEMS + 40, 2);
    check_lists(w, q, 3, 1, 0);
    end(w);
}

TEST(rank_leaves_out_what_is_skipped_or_cold)
{
    struct world *w = world();
    ki_query q[N_USERS];
    int32_t skip[N_USERS][40], cold[] = { 0, 63, 64, 700, 1499 };
    const int n = all_users(q);
    w->m.cold = cold;
    w->m.n_cold = KI_COUNT(cold);
    for (int u = 0; u < n; u++) { /* around the ends of tiles, and more for later users */
        for (int j = 0; j < 40; j++) skip[u][j] = j * 32 - (j > 0) + (u % 2);
        q[u].skip = skip[u];
        q[u].n_skip = u;
    }
    check_lists(w, q, n, 20, 0);
    end(w);
}

TEST(rank_keeps_to_the_items_that_are_allowed)
{
    struct world *w = world();
    ki_query q[N_USERS];
    static int32_t only[N_USERS][N_ITEMS];
    int32_t skip[] = { 3, 63, 64, 65, 900 };
    const int n = all_users(q), tiles[] = { 0, 1, 64, 1500 };
    ki_rng r = ki_rng_make(11, 0, 0);
    for (int u = 0; u < n; u++) { /* none, few, half, all; less than k, and also what is skipped */
        const double share[] = { 0, .002, .01, .5, 1 };
        q[u].only = only[u];
        for (int32_t i = 0; i < N_ITEMS; i++)
            if (ki_rng_unit(&r) < share[u % 5]) only[u][q[u].n_only++] = i;
        q[u].skip = skip;
        q[u].n_skip = KI_COUNT(skip);
    }
    q[n - 1].only = NULL; /* the same as all */
    for (size_t t = 0; t < KI_COUNT(tiles); t++) {
        w->form.tile = tiles[t];
        check_lists(w, q, tiles[t] == 1 ? 5 : n, 12, 0);
        check_lists(w, q, tiles[t] == 1 ? 5 : n, 12, 1); /* one by one: only what is allowed is scored */
    }
    for (int of = 1; of < 5; of++) { /* all of a block allow the same */
        for (int u = 0; u < n; u++) {
            q[u].only = only[of];
            q[u].n_only = q[of].n_only;
        }
        check_lists(w, q, n, 12, 0);
    }
    end(w);
}

static int64_t n_scored; /* by the form of the next test */

static void score_and_count(const ki_model *m, const ki_query *q, const float *prepared, int nq, int32_t begin,
                            int32_t end_item, float *out, int64_t ld, float *scratch)
{
    n_scored += end_item - begin;
    score(m, q, prepared, nq, begin, end_item, out, ld, scratch);
}

TEST(rank_scores_few_items_where_few_are_allowed)
{
    struct world *w = world();
    const int32_t only[] = { 0, 1, 3, 700, 1499 };
    const ki_query q = { .user = 2, .only = only, .n_only = KI_COUNT(only) };
    int32_t items[3], count = 0;
    float scores[3];
    ki_ranker *r;
    w->form.score = score_and_count;
    CHECK_OK(ki_ranker_new(&w->m, 3, 1, &r));
    CHECK_OK(ki_ranker_run(r, &q, 1, items, scores, &count));
    CHECK_INT(count, 3);
    CHECK_INT(n_scored, 4 + 1 + 1); /* 0 to 3 in one stretch */
    ki_ranker_free(r);
    end(w);
}

TEST(rank_returns_nothing_when_everything_is_skipped)
{
    struct world *w = world();
    static int32_t every[N_ITEMS];
    int32_t items[4], count;
    float scores[4];
    ki_ranker *r;
    for (int32_t i = 0; i < N_ITEMS; i++) every[i] = i;
    const ki_query q = { .user = 1, .skip = every, .n_skip = N_ITEMS };
    CHECK_OK(ki_ranker_new(&w->m, 4, 0, &r));
    CHECK_OK(ki_ranker_run(r, &q, 1, items, scores, &count));
    CHECK_INT(count, 0);
    ki_ranker_free(r);
    end(w);
}

TEST(rank_never_returns_a_nan)
{
    struct world *w = world();
    ki_query q[N_USERS];
    all_users(q);
    for (int32_t i = 0; i < N_ITEMS; i += 3) w->dots->Y[i * DIM + i % DIM] = NAN;
    check_lists(w, q, 5, N_ITEMS, 0);
    end(w);
}

TEST(rank_gives_ties_to_the_lower_index)
{
    struct world *w = world();
    ki_query q[N_USERS];
    all_users(q);
    memset(w->dots->Y, 0, sizeof w->dots->Y);
    w->dots->Y[1234 * DIM] = w->dots->X[0] > 0 ? 1 : -1; /* one item above the rest for user 0, unless X is 0 */
    check_lists(w, q, N_USERS, 9, 0);
    end(w);
}

TEST(rank_by_reach_looks_no_further_than_a_list_can_change)
{
    struct world *w = world();
    ki_query q[N_USERS];
    const int n = all_users(q);
    for (int i = 0; i < N_ITEMS; i++) /* one item in ten is long, and none of them is first in its tile of 64 */
        for (int j = 0; j < DIM; j++) w->dots->Y[i * DIM + j] *= i % 10 == 3 ? 1 : 1.f / 64;
    n_scored = 0;
    check_lists(w, q, n, 10, 0);
    /* The long ones are 150, three tiles of 64; a short one scores at most 1/64 of a long one's best. */
    CHECK_INT(n_scored, (int64_t)n * 3 * 64);
    end(w);
}

TEST(rank_hands_on_the_failure_of_a_query)
{
    struct world *w = world();
    const ki_query q = { .user = -1 };
    int32_t item, count;
    float score_of;
    ki_ranker *r;
    CHECK_OK(ki_ranker_new(&w->m, 1, 0, &r));
    CHECK_FAILS(ki_ranker_run(r, &q, 1, &item, &score_of, &count), KITH_ENOTFOUND, "knows its users only");
    CHECK_FAILS(ki_ranker_similar(r, 0, &item, &score_of, &count), KITH_EDATA, "no notion of similar");
    ki_ranker_free(r);
    end(w);
}

TEST(rank_survives_every_refused_allocation)
{
    struct world *w = world();
    for (int64_t n = 1;; n++) {
        ki_ranker *r = NULL;
        ki_alloc_fail_at(n, 0);
        const kith_err err = ki_ranker_new(&w->m, 5, 0, &r);
        ki_alloc_fail_at(0, 0);
        if (err == KITH_OK) {
            ki_ranker_free(r);
            CHECK(n > 1);
            break;
        }
        CHECK_INT(err, KITH_ENOMEM);
        CHECK_INT(ki_alloc_live(), 0);
    }
    end(w);
}
