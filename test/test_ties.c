/* SPDX-License-Identifier: MIT
 * Metrics with tied scores against the mean over every order of the tied items, made by brute force.
 */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "eval/metrics.h"

/* Doubles of a few dozen terms, over at most 5040 orders. */
static const double tiny = 1e-10;

enum { MOST = 7 };

static double value_of(const char *name, const ki_case *c)
{
    ki_plan plan;
    CHECK_OK(ki_plan_parse(&plan, name, NULL));
    const ki_half h = plan.asked[0].metric->user(c, plan.asked[0].k);
    return h.sum / h.weight;
}

/* A ranking of n items; those of the same score may stand in any order. */
struct ranking {
    int n, score[MOST], grade[MOST]; /* falling scores; grade 0: not relevant */
};

static ki_case plain_case(const struct ranking *r, const int *order, int32_t *at, int32_t *hit, float *value,
                          float *ideal)
{
    ki_case c = { .at = at, .hit = hit, .value = value, .ideal = ideal, .n_list = r->n };
    for (int place = 0; place < r->n; place++) {
        const int i = order[place];
        if (r->grade[i] == 0) continue;
        at[c.n_hits] = place;
        hit[c.n_hits] = i;
        value[c.n_hits++] = (float)r->grade[i];
    }
    for (int grade = 5; grade > 0; grade--)
        for (int i = 0; i < r->n; i++)
            if (r->grade[i] == grade) ideal[c.n_relevant++] = (float)grade;
    return c;
}

struct mean {
    double sum;
    int n;
};

static void add_orders(const struct ranking *r, int *order, int from, const char *metric, struct mean *m)
{
    if (from == r->n) {
        int32_t at[MOST], hit[MOST];
        float value[MOST], ideal[MOST];
        const ki_case c = plain_case(r, order, at, hit, value, ideal);
        m->sum += value_of(metric, &c);
        m->n++;
        return;
    }
    for (int other = from; other < r->n; other++) {
        const int a = order[from], b = order[other];
        if (r->score[b] != r->score[a]) break;
        order[from] = b;
        order[other] = a;
        add_orders(r, order, from + 1, metric, m);
        order[from] = a;
        order[other] = b;
    }
}

static double over_all_orders(const struct ranking *r, const char *metric)
{
    int order[MOST];
    struct mean m = { 0 };
    for (int i = 0; i < r->n; i++) order[i] = i;
    add_orders(r, order, 0, metric, &m);
    return m.sum / m.n;
}

static double by_formula(const struct ranking *r, const char *metric)
{
    int order[MOST];
    int32_t at[MOST], hit[MOST], tied[MOST];
    float value[MOST], ideal[MOST];
    for (int i = 0; i < r->n; i++) order[i] = i;
    ki_case c = plain_case(r, order, at, hit, value, ideal);
    for (int h = 0; h < c.n_hits; h++) {
        int from = at[h], end = at[h] + 1;
        while (from > 0 && r->score[from - 1] == r->score[from]) from--;
        while (end < r->n && r->score[end] == r->score[end - 1]) end++;
        tied[h] = end - from;
        at[h] = from;
    }
    c.tied = tied;
    return value_of(metric, &c);
}

static const char *const metrics[] = { "precision@", "recall@", "recall_capped@", "f1@",  "hit_rate@",
                                       "map@",       "dcg@",    "ndcg@",          "mrr@", "ndcg_graded@" };

TEST(metrics_of_ties_are_means_over_all_orders)
{
    ki_rng rng = ki_rng_make(8, 0, 0);
    for (int round = 0; round < 60; round++) {
        struct ranking r = { .n = 1 + (int)ki_rng_below(&rng, MOST) };
        int any = 0;
        for (int i = 0; i < r.n; i++) {
            r.score[i] = i == 0 ? 9 : r.score[i - 1] - (int)(ki_rng_below(&rng, 3) == 0);
            r.grade[i] = ki_rng_below(&rng, 2) == 0 ? 0 : 1 + (int)ki_rng_below(&rng, 4);
            any |= r.grade[i];
        }
        if (!any) continue;
        for (size_t j = 0; j < KI_COUNT(metrics); j++) {
            for (int k = 1; k <= r.n; k += 2) {
                char name[32];
                snprintf(name, sizeof name, "%s%d", metrics[j], k);
                CHECK_NEAR(by_formula(&r, name), over_all_orders(&r, name), tiny);
            }
        }
    }
}

TEST(one_relevant_item_among_three_tied_ones)
{
    const struct ranking r = { .n = 3, .score = { 1, 1, 1 }, .grade = { 1, 0, 0 } };
    CHECK_NEAR(by_formula(&r, "precision@1"), 1 / 3.0, tiny);
    CHECK_NEAR(by_formula(&r, "mrr@3"), (1 + 1 / 2.0 + 1 / 3.0) / 3, tiny);
    CHECK_NEAR(by_formula(&r, "hit_rate@2"), 2 / 3.0, tiny);
    CHECK_NEAR(by_formula(&r, "ndcg@2"), (1 + 1 / log2(3)) / 3, tiny);
}
