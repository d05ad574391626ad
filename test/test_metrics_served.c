/* SPDX-License-Identifier: MIT
 * Diversity, serendipity and calibration by hand, and against golden/served.json (golden/make_served.py).
 */
#include "test.h"

#include "base/mem.h"
#include "eval/metrics.h"

#include <jansson.h>

enum { MOST = 64 };
static const double tiny = 1e-12; /* doubles of a handful of terms */

static ki_half half_of(const char *name, const ki_case *c)
{
    ki_plan plan;
    CHECK_OK(ki_plan_parse(&plan, name, NULL));
    return plan.asked[0].metric->user(c, plan.asked[0].k);
}

/* Items 0: drama; 1: drama, crime; 2: comedy; 3: nothing is known. */
static int64_t ptr[] = { 0, 1, 3, 4, 4 };
static int32_t idx[] = { 0, 0, 1, 2 };
static const ki_csr words = { .n_rows = 4, .n_cols = 3, .ptr = ptr, .idx = idx };
static const int32_t count[] = { 5, 4, 2, 1 }, place[] = { 0, 1, 2, 3 };
static const ki_catalogue catalogue = {
    .n_items = 4, .n_servable = 4, .n_events = 12, .count = count, .place = place, .space = &words, .mix = &words
};

TEST(diversity_is_the_mean_distance_of_pairs)
{
    const int32_t list[] = { 0, 1, 2 };
    double room[3] = { 0 };
    const ki_case c = { .catalogue = &catalogue, .list = list, .n_list = 3, .room = room };
    CHECK_NEAR(half_of("intra_list_diversity@2", &c).sum, 1 - 1 / sqrt(2), tiny);
    CHECK_NEAR(half_of("diversity@3", &c).sum, (1 - 1 / sqrt(2) + 1 + 1) / 3, tiny);
    CHECK_NEAR(half_of("diversity@1", &c).weight, 0, 0); /* no pair, no say */
    for (int j = 0; j < 3; j++) CHECK_NEAR(room[j], 0, 0);
}

TEST(items_of_which_nothing_is_known_are_in_no_pair)
{
    const int32_t list[] = { 0, 3, 2 };
    double room[3] = { 0 };
    const ki_case c = { .catalogue = &catalogue, .list = list, .n_list = 3, .room = room };
    CHECK_NEAR(half_of("diversity@3", &c).sum, 1, tiny);
    CHECK_NEAR(half_of("diversity@2", &c).weight, 0, 0);
}

TEST(a_hit_that_popularity_would_have_served_is_no_serendipity)
{
    const int32_t list[] = { 1, 2 }, at[] = { 0, 1 }, history[] = { 0 };
    ki_case c = { .catalogue = &catalogue, .list = list, .n_list = 2, .at = at, .hit = list, .n_hits = 2 };
    c.n_relevant = 2;
    CHECK_NEAR(half_of("serendipity@2", &c).sum, 1 / 2.0, tiny); /* popular: 0 1; item 2 is unexpected */
    c.history = history;
    c.n_history = 1; /* now 1 2 are the popular ones that are new */
    CHECK_NEAR(half_of("serendipity@2", &c).sum, 0, 0);
    CHECK_NEAR(half_of("serendipity@2", &c).weight, 1, 0);
}

TEST(calibration_is_the_divergence_of_the_lists_mix_from_the_historys)
{
    const int32_t list[] = { 2, 0 }, history[] = { 0, 1 };
    double room[6] = { 0 };
    const ki_case c = {
        .catalogue = &catalogue, .list = list, .n_list = 2, .history = history, .n_history = 2, .room = room
    };
    /* history: drama 3/4, crime 1/4; the first place: comedy; both: comedy 1/2, drama 1/2 */
    CHECK_NEAR(half_of("calibration@1", &c).sum, 0.75 * log(100) + 0.25 * log(100), tiny);
    CHECK_NEAR(half_of("calibration@2", &c).sum, 0.75 * log(0.75 / (0.99 * 0.5 + 0.01 * 0.75)) + 0.25 * log(100), tiny);
    for (int j = 0; j < 6; j++) CHECK_NEAR(room[j], 0, 0);
    ki_case same = c;
    same.list = history;
    CHECK_NEAR(half_of("calibration@2", &same).sum, 0, tiny);
    same.n_history = 0;
    CHECK_NEAR(half_of("calibration@2", &same).weight, 0, 0);
}

TEST(nothing_served_has_no_gini_and_no_entropy)
{
    const int32_t served[4] = { 0 };
    int32_t sorted[4];
    const ki_exposure e = { &catalogue, served, sorted };
    ki_plan p;
    CHECK_OK(ki_plan_parse(&p, "gini@5,entropy@5,catalog_coverage@5", NULL));
    CHECK(isnan(p.asked[0].metric->exposure(&e, 0)));
    CHECK(isnan(p.asked[1].metric->exposure(&e, 0)));
    CHECK_NEAR(p.asked[2].metric->exposure(&e, 0), 0, 0);
}

TEST(the_names_of_the_tool_contract_are_understood)
{
    static const char *const contract =
        "precision@5,recall@5,f1_score@5,ndcg@5,map@5,catalog_coverage@5,intra_list_diversity@5,serendipity@5,"
        "popularity_bias@5,long_tail_coverage@5,diversity@5";
    ki_plan p;
    CHECK_OK(ki_plan_parse(&p, contract, NULL));
    CHECK_INT(p.n, 11);
    CHECK_STR(p.asked[2].name, "f1_score@5"); /* a report keeps the word that was used */
    CHECK_STR(p.asked[2].metric->name, "f1");
    CHECK(p.asked[6].metric == p.asked[10].metric);
    CHECK_INT(p.needs, KI_NEEDS_SPACE);
}

/* ---- golden ---- */

static json_t *golden(void)
{
    json_t *o = json_load_file("../test/golden/served.json", 0, NULL);
    if (o == NULL) o = json_load_file("test/golden/served.json", 0, NULL);
    ck_assert_msg(o != NULL, "test/golden/served.json cannot be read");
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

struct made {
    int64_t ptr[MOST];
    int32_t idx[MOST * 8], count[MOST], place[MOST];
    ki_csr words;
    ki_catalogue catalogue;
};

static void make(struct made *m, const json_t *all)
{
    const json_t *rows = json_object_get(all, "words");
    const int n = whole_numbers(json_object_get(all, "counts"), m->count);
    for (int i = 0; i < n; i++) {
        m->ptr[i + 1] = m->ptr[i] + whole_numbers(json_array_get(rows, (size_t)i), m->idx + m->ptr[i]);
        for (int j = 0; j < n; j++) m->place[i] += m->count[j] > m->count[i] || (m->count[j] == m->count[i] && j < i);
    }
    const int32_t n_words = (int32_t)json_integer_value(json_object_get(all, "n_words"));
    m->words = (ki_csr){ .n_rows = n, .n_cols = n_words, .ptr = m->ptr, .idx = m->idx };
    m->catalogue =
        (ki_catalogue){ .n_items = n, .count = m->count, .place = m->place, .space = &m->words, .mix = &m->words };
}

static void check(const json_t *user, const char *name, const char *metric, const ki_case *c)
{
    const json_t *want = json_object_get(user, name);
    const ki_half h = half_of(metric, c);
    CHECK_NEAR(h.weight, json_is_null(want) ? 0 : 1, 0);
    if (json_is_number(want)) CHECK_NEAR(h.sum, json_number_value(want), 1e-12); /* a dozen doubles */
}

TEST(lists_are_as_varied_and_as_surprising_as_numpy_says)
{
    json_t *all = golden();
    const json_t *user;
    size_t u;
    static struct made m;
    make(&m, all);
    json_array_foreach (json_object_get(all, "users"), u, user) {
        int32_t history[MOST], list[MOST], relevant[MOST], at[MOST], hit[MOST];
        double room[16] = { 0 };
        ki_case c = { .catalogue = &m.catalogue, .history = history, .list = list, .at = at, .hit = hit, .room = room };
        c.n_history = whole_numbers(json_object_get(user, "history"), history);
        c.n_list = whole_numbers(json_object_get(user, "list"), list);
        c.n_relevant = whole_numbers(json_object_get(user, "relevant"), relevant);
        for (int j = 0; j < c.n_list; j++) {
            for (int r = 0; r < c.n_relevant; r++) {
                if (relevant[r] != list[j]) continue;
                at[c.n_hits] = j;
                hit[c.n_hits++] = list[j];
            }
        }
        check(user, "diversity", "diversity@6", &c);
        check(user, "serendipity", "serendipity@6", &c);
        check(user, "calibration", "calibration@6", &c);
    }
    CHECK_INT(u, 12);
    json_decref(all);
}
