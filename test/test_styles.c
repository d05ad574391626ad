/* SPDX-License-Identifier: MIT
 * Definitions of other libraries against golden/styles.json, which their own evaluators made (golden/make_styles.py).
 */
#include "test.h"

#include "base/mem.h"
#include "eval/metrics.h"

#include <jansson.h>

enum { MOST = 64 };
static const double close = 2e-9; /* the file has nine digits */

static json_t *golden(void)
{
    json_t *o = json_load_file("../test/golden/styles.json", 0, NULL);
    if (o == NULL) o = json_load_file("test/golden/styles.json", 0, NULL);
    ck_assert_msg(o != NULL, "test/golden/styles.json cannot be read");
    return o;
}

static int whole_numbers(const json_t *list, int32_t *out)
{
    const json_t *x;
    size_t j;
    CHECK(json_array_size(list) <= MOST);
    json_array_foreach (list, j, x) out[j] = (int32_t)json_integer_value(x);
    return (int)json_array_size(list);
}

struct user {
    int32_t list[MOST], relevant[MOST], at[MOST], hit[MOST];
    ki_case c;
};

static void read_user(struct user *u, const json_t *o, const ki_catalogue *catalogue)
{
    float scores[MOST], kept[MOST];
    const json_t *x;
    size_t i;
    *u = (struct user){ .c = { .catalogue = catalogue, .list = u->list, .at = u->at, .hit = u->hit } };
    u->c.n_list = whole_numbers(json_object_get(o, "list"), u->list);
    u->c.n_relevant = whole_numbers(json_object_get(o, "relevant"), u->relevant);
    for (int j = 0; j < u->c.n_list; j++) {
        for (int r = 0; r < u->c.n_relevant; r++) {
            if (u->relevant[r] != u->list[j]) continue;
            u->at[u->c.n_hits] = j;
            u->hit[u->c.n_hits++] = u->list[j];
        }
    }
    json_array_foreach (json_object_get(o, "scores"), i, x) scores[i] = (float)json_number_value(x);
    u->c.auc = ki_auc(scores, catalogue->n_items, u->relevant, u->c.n_relevant, kept, &u->c.auc_strict);
}

struct all {
    json_t *file;
    struct user users[MOST];
    int n;
    int32_t count[MOST];
    ki_catalogue catalogue;
};

static void read_all(struct all *a)
{
    const json_t *o;
    size_t u;
    a->file = golden();
    a->catalogue.n_items = whole_numbers(json_object_get(a->file, "counts"), a->count);
    a->catalogue.n_servable = a->catalogue.n_items;
    a->catalogue.count = a->count;
    json_array_foreach (json_object_get(a->file, "users"), u, o) read_user(&a->users[u], o, &a->catalogue);
    a->n = (int)u;
}

static double exposure_of(const struct all *a, const ki_asked *asked, int n)
{
    int32_t served[MOST] = { 0 }, sorted[MOST];
    int64_t places = 0;
    const ki_exposure e = { &a->catalogue, served, sorted };
    for (int u = 0; u < n; u++)
        for (int j = 0; j < asked->k && j < a->users[u].c.n_list; j++, places++) served[a->users[u].list[j]]++;
    return asked->metric->exposure(&e, places);
}

static double value_of(const struct all *a, const ki_asked *asked, int n)
{
    double sum = 0, weight = 0;
    if (asked->metric->kind == KI_OF_EXPOSURE) return exposure_of(a, asked, n);
    for (int u = 0; u < n; u++) {
        const ki_half h = asked->metric->user(&a->users[u].c, asked->k);
        sum += h.sum;
        weight += h.weight;
    }
    return ki_metric_value(asked->metric, sum, weight);
}

static void check_style(const char *name, int full_only, int want_checked)
{
    static struct all a;
    const ki_style *style;
    const char *k, *metric;
    json_t *values, *want;
    int checked = 0;
    read_all(&a);
    CHECK_OK(ki_style_find(name, &style));
    const int n = full_only ? (int)json_integer_value(json_object_get(a.file, "n_full")) : a.n;
    json_object_foreach (json_object_get(a.file, name), k, values) {
        json_object_foreach (values, metric, want) {
            char text[48];
            ki_plan plan;
            snprintf(text, sizeof text, strcmp(metric, "auc") == 0 ? "%s" : "%s@%s", metric, k);
            CHECK_OK(ki_plan_parse(&plan, text, style));
            const double got = value_of(&a, &plan.asked[0], n);
            ck_assert_msg(fabs(got - json_number_value(want)) <= close * (1 + fabs(got)), "%s %s: %.10g, want %.10g",
                          name, text, got, json_number_value(want));
            checked++;
        }
    }
    CHECK_INT(checked, want_checked);
    json_decref(a.file);
}

TEST(implicits_metrics_are_implicits)
{
    check_style("implicit", 0, 2 * 4);
}

TEST(recboles_metrics_are_recboles)
{
    check_style("recbole", 1, 2 * 10);
}

TEST(lenskits_metrics_are_lenskits)
{
    check_style("lenskit", 0, 2 * 7);
}

TEST(cornacs_metrics_are_cornacs)
{
    check_style("cornac", 1, 2 * 6);
}

/* Halves of each of the eight users, and the value over them. */
static double over_users(const ki_metric *m, const int32_t *who, const float *truth, const float *estimate, int n)
{
    double sums[8] = { 0 }, weights[8] = { 0 }, sum = 0, weight = 0;
    for (int u = 0; u < 8; u++) {
        float t[MOST], e[MOST];
        ki_rated rated[2 * MOST];
        ki_case c = { .truth = t, .estimate = e, .min = 1, .max = 5, .rated = rated };
        for (int j = 0; j < n; j++) {
            if (who[j] != u) continue;
            t[c.n_rated] = truth[j];
            e[c.n_rated++] = estimate[j];
        }
        const ki_half h = m->user(&c, 0);
        sum += sums[u] = h.sum;
        weight += weights[u] = h.weight;
    }
    return m->pool != NULL ? m->pool(sums, weights, NULL, 8) : ki_metric_value(m, sum, weight);
}

TEST(surprises_errors_and_pairs_are_surprises)
{
    json_t *all = golden();
    const json_t *o = json_object_get(all, "surprise"), *x;
    float truth[MOST], estimate[MOST];
    int32_t who[MOST];
    const ki_style *style;
    ki_plan plan;
    size_t j;
    json_array_foreach (json_object_get(o, "truth"), j, x) truth[j] = (float)json_number_value(x);
    json_array_foreach (json_object_get(o, "estimate"), j, x) estimate[j] = (float)json_number_value(x);
    const int n = whole_numbers(json_object_get(o, "users"), who);
    CHECK_OK(ki_style_find("surprise", &style));
    CHECK_OK(ki_plan_parse(&plan, "rmse,mae,mse,fcp", style));
    for (int m = 0; m < plan.n; m++) {
        const double want = json_number_value(json_object_get(o, plan.asked[m].name));
        /* estimates as floats: off by 2^-24 of 5 at most, each */
        CHECK_NEAR(over_users(plan.asked[m].metric, who, truth, estimate, n), want, 1e-6);
    }
    json_decref(all);
}

TEST(a_style_has_no_metrics_that_its_library_lacks)
{
    const ki_style *style;
    ki_plan plan;
    CHECK_OK(ki_style_find(NULL, &style));
    CHECK(style == NULL);
    CHECK_OK(ki_style_find("implicit", &style));
    CHECK_FAILS(ki_plan_parse(&plan, "mrr@10", style), KITH_ENOTFOUND, "auc_at@k, map@k, ndcg@k");
    CHECK_FAILS(ki_style_find("implizit", &style), KITH_ENOTFOUND, "lenskit");
}
