/* SPDX-License-Identifier: MIT */
#include "catalogue.h"

#include "engine/wished.h"

/* A ranker that knows a score for some items. */
struct known {
    float score[N_ITEMS]; /* NAN: not ranked */
    int n_asked;
};

static kith_err rank_known(void *arg, const int32_t *only, int32_t n_only, int k, int32_t *items, float *scores,
                           int32_t *n)
{
    struct known *r = arg;
    uint8_t taken[N_ITEMS] = { 0 };
    r->n_asked++;
    for (*n = 0; *n < k; ++*n) {
        int32_t best = -1;
        for (int32_t j = 0; j < n_only; j++) {
            const int32_t i = only[j];
            CHECK(j == 0 || only[j - 1] < i); /* rising, as it was promised */
            if (!taken[i] && !isnan(r->score[i]) && (best < 0 || r->score[i] > r->score[best])) best = i;
        }
        if (best < 0) break;
        taken[best] = 1;
        items[*n] = best;
        scores[*n] = r->score[best];
    }
    return KITH_OK;
}

struct asked {
    struct catalogue c;
    ki_knowledge k;
    ki_wished w;
    struct known known;
    uint8_t open[N_ITEMS];
};

static void begin(struct asked *a, const char *wishes, double share)
{
    make_catalogue(&a->c);
    json_t *json = json_loads(wishes, 0, NULL);
    CHECK_OK(ki_knowledge_read(&a->c.schema, json, &a->k, NULL));
    json_decref(json);
    memset(a->open, 1, sizeof a->open);
    a->known = (struct known){ .score = { 1, 2, 3, 4, NAN, 6, 7, 8 } }; /* nobody has i5 */
    a->w = (ki_wished){
        .wishes = &a->k, .env = &a->c.env, .share = share, .open = a->open, .rank = rank_known, .arg = &a->known
    };
}

static void end(struct asked *a)
{
    ki_knowledge_clear(&a->k);
    clear_catalogue(&a->c);
    CHECK_INT(ki_alloc_live(), 0);
}

/* The list as "412": item numbers. */
static void check(struct asked *a, int k, const char *want)
{
    char got[N_ITEMS + 1] = "";
    int32_t items[N_ITEMS], n;
    float scores[N_ITEMS];
    ki_met met[KI_WISHES_MAX];
    CHECK_OK(ki_wished_rank(&a->w, k, items, scores, &n, met));
    CHECK(n >= 0 && n <= N_ITEMS);
    for (int32_t j = 0; j < n; j++) {
        got[j] = (char)('1' + items[j]);
        CHECK(j == 0 || scores[j - 1] >= scores[j]);
    }
    ck_assert_msg(strcmp(got, want) == 0, "%d of them: %s, want %s", k, got, want);
}

TEST(wishes_decide_and_the_ranker_breaks_ties)
{
    struct asked a;
    begin(&a, "[\"category = 'laptop'\"]", 1); /* i1 i2 i3 i7 meet it, the others do not */
    check(&a, 4, "7321");
    check(&a, 2, "73");       /* of four that tie across the end the ranker has these first */
    check(&a, 5, "73218");    /* and of the others i8 */
    check(&a, 8, "73218645"); /* what the ranker does not know stands last, but it is there */
    end(&a);
}

TEST(what_nobody_has_is_found_by_its_attributes)
{
    struct asked a;
    begin(&a, "[\"category = 'phone'\", \"ram <= 6\"]", 1);
    check(&a, 1, "5"); /* i5: the only phone of 6 GB; i4 has 8 */
    end(&a);
}

TEST(what_is_not_open_is_not_listed)
{
    struct asked a;
    begin(&a, "[\"category = 'laptop'\"]", 1);
    a.open[6] = a.open[2] = 0;
    check(&a, 3, "218");
    memset(a.open, 0, sizeof a.open);
    check(&a, 3, "");
    end(&a);
}

TEST(a_share_below_one_weighs_both)
{
    struct asked a;
    int32_t items[N_ITEMS], n;
    float scores[N_ITEMS];
    ki_met met[1];
    begin(&a, "[\"category = 'laptop'\"]", 0.5);
    CHECK_OK(ki_wished_rank(&a.w, 8, items, scores, &n, met));
    CHECK_INT(met[0].met, 4);
    CHECK_NEAR(met[0].best, 1, 0);
    /* the ranker's 1..8 become 0..1: i7 0.5 + 0.5 * 6/7, i3 0.5 + 0.5 * 2/7, i8 and i1 0.5, ... */
    check(&a, 8, "73281645");
    CHECK_NEAR(scores[0], 0.5 + 0.5 * 6 / 7, 1e-6); /* rounding to float */
    CHECK_NEAR(scores[1], 0.5 + 0.5 * 2 / 7, 1e-6);
    CHECK_NEAR(scores[7], 0, 0); /* i5: neither */
    a.w.share = 0.1;
    check(&a, 3, "876");
    end(&a);
}

/* Utilities that are all different: the list is a sort of the catalogue, whatever k. */
TEST(it_is_a_sort_of_the_catalogue)
{
    struct asked a;
    float u[N_ITEMS];
    begin(&a, "[\"3: price <= 300\", \"popularity <= 1\", \"ram >= 64\"]", 1);
    CHECK_OK(ki_knowledge_score(&a.k, &a.c.env, NULL, u, NULL));
    for (int k = 1; k <= N_ITEMS; k++) {
        int32_t items[N_ITEMS], n;
        float scores[N_ITEMS];
        ki_met met[3];
        CHECK_OK(ki_wished_rank(&a.w, k, items, scores, &n, met));
        CHECK_INT(n, k);
        for (int32_t j = 0; j < n; j++) {
            int32_t better = 0;
            for (int32_t i = 0; i < N_ITEMS; i++) better += u[i] > u[items[j]];
            CHECK(better <= j);
            CHECK_NEAR(scores[j], u[items[j]], 0);
        }
    }
    end(&a);
}

TEST(a_refused_allocation_is_told)
{
    struct asked a;
    int32_t items[N_ITEMS], n;
    float scores[N_ITEMS];
    ki_met met[1];
    int failed = 0;
    begin(&a, "[\"category = 'laptop'\"]", 0.5);
    for (int64_t at = 1; at < 100; at++) {
        ki_alloc_fail_at(at, 0);
        const kith_err err = ki_wished_rank(&a.w, 3, items, scores, &n, met);
        ki_alloc_fail_at(0, 0);
        if (err == KITH_OK) break;
        CHECK_INT(err, KITH_ENOMEM);
        failed++;
    }
    CHECK(failed >= 6); /* so many arrays at least */
    end(&a);
}
