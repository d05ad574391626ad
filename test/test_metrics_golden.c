/* SPDX-License-Identifier: MIT
 * Against golden/metrics.json, made by pytrec_eval, implicit, scikit-learn, Surprise and scipy (golden/make_golden.py).
 */
#include "test.h"

#include "base/mem.h"
#include "eval/metrics.h"

#include <jansson.h>
#include <stdlib.h>

enum { MOST = 128 };
static const double close = 2e-9; /* the file has nine digits */

static json_t *golden(void) /* tests run in the build folder, or by hand beside it */
{
    json_t *o = json_load_file("../test/golden/metrics.json", 0, NULL);
    if (o == NULL) o = json_load_file("test/golden/metrics.json", 0, NULL);
    ck_assert_msg(o != NULL, "test/golden/metrics.json cannot be read");
    return o;
}

static double number(const json_t *o, const char *key)
{
    ck_assert_msg(json_is_number(json_object_get(o, key)), "no %s", key);
    return json_number_value(json_object_get(o, key));
}

static int numbers(const json_t *o, const char *key, double *out)
{
    const json_t *list = json_object_get(o, key);
    const int n = (int)json_array_size(list);
    CHECK(n <= MOST);
    for (int j = 0; j < n; j++) out[j] = json_number_value(json_array_get(list, (size_t)j));
    return n;
}

static ki_half half_of(const char *name, int k, const ki_case *c)
{
    char asked[48];
    ki_plan plan;
    snprintf(asked, sizeof asked, k > 0 ? "%s@%d" : "%s", name, k);
    CHECK_OK(ki_plan_parse(&plan, asked, NULL));
    return plan.asked[0].metric->user(c, k);
}

static double value_of(const char *name, int k, const ki_case *c)
{
    const ki_half h = half_of(name, k, c);
    return h.sum / h.weight;
}

/* ---- lists ---- */

struct list {
    int32_t ranked[MOST], at[MOST];
    float value[MOST], ideal[MOST];
    ki_case c;
};

static int falling(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

static void read_list(struct list *l, const json_t *o)
{
    double ranked[MOST], relevant[MOST], grades[MOST];
    *l = (struct list){ .c = { .list = l->ranked, .at = l->at, .value = l->value, .ideal = l->ideal } };
    l->c.n_list = numbers(o, "ranked", ranked);
    l->c.n_relevant = numbers(o, "relevant", relevant);
    numbers(o, "grades", grades);
    for (int j = 0; j < l->c.n_relevant; j++) l->ideal[j] = (float)grades[j];
    qsort(l->ideal, (size_t)l->c.n_relevant, sizeof(float), falling);
    for (int j = 0; j < l->c.n_list; j++) {
        l->ranked[j] = (int32_t)ranked[j];
        for (int r = 0; r < l->c.n_relevant; r++) {
            if (relevant[r] != ranked[j]) continue;
            l->at[l->c.n_hits] = j;
            l->value[l->c.n_hits++] = (float)grades[r];
        }
    }
}

static const struct {
    const char *ours, *theirs;
} names[] = { { "precision", "precision" },
              { "recall", "recall" },
              { "ndcg", "ndcg" },
              { "map", "ap" },
              { "mrr", "mrr" },
              { "hit_rate", "hit" },
              { "ndcg_graded", "ndcg_graded" } };

TEST(lists_score_as_trec_eval_implicit_and_scikit_learn_say)
{
    json_t *all = golden();
    size_t index;
    json_t *o;
    const char *k;
    json_t *want;
    int checked = 0;
    json_array_foreach (json_object_get(all, "lists"), index, o) {
        struct list l;
        read_list(&l, o);
        json_object_foreach (json_object_get(o, "at"), k, want) {
            for (size_t j = 0; j < KI_COUNT(names); j++, checked++)
                CHECK_NEAR(value_of(names[j].ours, atoi(k), &l.c), number(want, names[j].theirs), close);
        }
    }
    CHECK_INT(checked, 20 * 5 * 7);
    json_decref(all);
}

TEST(auc_is_that_of_scikit_learn_with_ties)
{
    json_t *all = golden();
    size_t index;
    json_t *o;
    json_array_foreach (json_object_get(all, "auc"), index, o) {
        double scores[MOST], positive[MOST];
        double strict;
        float whole[MOST], kept[MOST];
        int32_t relevant[MOST];
        int n_relevant = 0;
        const int n = numbers(o, "scores", scores);
        numbers(o, "positive", positive);
        for (int i = 0; i < n; i++) {
            whole[i] = (float)scores[i];
            if (positive[i] == 1) relevant[n_relevant++] = i;
        }
        CHECK_NEAR(ki_auc(whole, n, relevant, n_relevant, kept, &strict), number(o, "auc"), close);
    }
    json_decref(all);
}

/* ---- ratings ---- */

struct ratings {
    float truth[MOST], estimate[MOST];
    const char *users[MOST];
    int n;
};

static void read_ratings(struct ratings *r, const json_t *o)
{
    double truth[MOST], estimate[MOST];
    r->n = numbers(o, "truth", truth);
    numbers(o, "estimate", estimate);
    for (int j = 0; j < r->n; j++) {
        r->truth[j] = (float)truth[j];
        r->estimate[j] = (float)estimate[j];
        r->users[j] = json_string_value(json_array_get(json_object_get(o, "users"), (size_t)j));
    }
}

TEST(errors_of_ratings_are_those_of_scikit_learn)
{
    json_t *all = golden();
    const json_t *o = json_object_get(all, "ratings");
    struct ratings r;
    read_ratings(&r, o);
    const ki_case c = { .truth = r.truth, .estimate = r.estimate, .n_rated = r.n, .min = 1, .max = 5 };
    /* estimates of three decimals as floats: off by 2^-24 of 5 at most, each */
    CHECK_NEAR(sqrt(value_of("rmse_raw", 0, &c)), number(o, "rmse"), 3e-7);
    CHECK_NEAR(sqrt(value_of("rmse", 0, &c)), number(o, "rmse_clipped"), 3e-7);
    CHECK_NEAR(value_of("mae_raw", 0, &c), number(o, "mae"), 3e-7);
    CHECK_NEAR(value_of("mae", 0, &c), number(o, "mae_clipped"), 3e-7);
    json_decref(all);
}

/* Surprise divides the mean count of concordant pairs, over users who have one, by that plus the
 * mean count of discordant pairs, over users who have one of those: other means than ours, from the
 * same counts.  The estimates have no ties within a user. */
TEST(concordant_pairs_are_counted_as_surprise_does)
{
    json_t *all = golden();
    const json_t *o = json_object_get(all, "ratings");
    struct ratings r;
    double right = 0, wrong = 0;
    int n_right = 0, n_wrong = 0;
    read_ratings(&r, o);
    for (int first = 0; first < r.n; first++) {
        float truth[MOST], estimate[MOST];
        ki_rated rated[2 * MOST];
        ki_case c = { .truth = truth, .estimate = estimate, .rated = rated };
        int earlier = 0;
        for (int j = 0; j < r.n; j++) {
            if (strcmp(r.users[j], r.users[first]) != 0) continue;
            earlier |= j < first;
            truth[c.n_rated] = r.truth[j];
            estimate[c.n_rated++] = r.estimate[j];
        }
        if (earlier) continue;
        const ki_half h = half_of("fcp", 0, &c);
        right += h.sum;
        wrong += h.weight - h.sum;
        n_right += h.sum > 0;
        n_wrong += h.weight > h.sum;
    }
    right /= n_right;
    wrong /= n_wrong;
    CHECK_NEAR(right / (right + wrong), number(o, "surprise_fcp"), close);
    json_decref(all);
}

/* ---- exposure ---- */

TEST(exposure_is_weighed_as_scipy_does)
{
    json_t *all = golden();
    const json_t *o = json_object_get(all, "exposure");
    double counts[MOST];
    int32_t served[MOST], events[MOST], sorted[MOST];
    int64_t places = 0;
    const int n = numbers(o, "counts", counts);
    for (int i = 0; i < n; i++) {
        places += served[i] = (int32_t)counts[i];
        events[i] = 1;
    }
    const ki_catalogue catalogue = { .n_items = n, .n_servable = n, .n_events = n, .count = events };
    const ki_exposure e = { &catalogue, served, sorted };
    ki_plan p;
    CHECK_OK(ki_plan_parse(&p, "gini@5,entropy@5,catalog_coverage@5", NULL));
    CHECK_NEAR(p.asked[0].metric->exposure(&e, places), number(o, "gini"), close);
    CHECK_NEAR(p.asked[1].metric->exposure(&e, places), number(o, "entropy_bits"), 1e-8);
    CHECK_NEAR(p.asked[2].metric->exposure(&e, places), number(o, "coverage"), close);
    json_decref(all);
}
