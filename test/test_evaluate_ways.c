/* SPDX-License-Identifier: MIT
 * Ways to evaluate beside the usual one: ties, samples, other libraries' definitions, groups.
 */
#include "test.h"

#include "base/mem.h"
#include "data/dataset.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- by hand: everybody has rated p; in training x and y have two events each, z one
 *
 * Training, in time order:  ann p  bob p  cleo p  dan p  eve x  eve y  fay x  fay y  gus z
 * Test:                     ann y  bob z  cleo w
 * Scores of popularity: p 4, x 2, y 2, z 1; w is cold.  Lists:  x y z for all three. */

static const char *const users[] = { "ann", "bob", "cleo", "dan", "eve", "eve",
                                     "fay", "fay", "gus",  "ann", "bob", "cleo" };
static const char *const items[] = { "p", "p", "p", "p", "x", "y", "x", "y", "z", "y", "z", "w" };
static const int64_t times[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

struct given {
    kith *k;
    kith_data *d;
};

static struct given hand_made(void)
{
    struct given g;
    CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &g.k));
    CHECK_OK(kith_data_new(g.k, 12, users, items, NULL, times, &g.d));
    return g;
}

static void clear(struct given *g)
{
    kith_data_free(g->d);
    kith_free(g->k);
    CHECK_INT(ki_alloc_live(), 0);
}

static const char *const popularity[] = { "popularity" };

static kith_evaluate_options usual(const char *metrics)
{
    return (
        kith_evaluate_options){ .models = popularity, .n_models = 1, .protocol = "temporal:0.75", .metrics = metrics };
}

static double mean(const kith_report *r, const char *metric)
{
    double x;
    CHECK_OK(kith_report_metric(r, 0, metric, &x, NULL, NULL));
    return x;
}

static json_t *json_of(const kith_report *r)
{
    char *text;
    CHECK_OK(kith_report_json(r, &text));
    json_t *o = json_loads(text, 0, NULL);
    CHECK(o != NULL);
    kith_string_free(text);
    return o;
}

static const char *text_of(const json_t *o, const char *key)
{
    ck_assert_msg(json_is_string(json_object_get(o, key)), "no %s", key);
    return json_string_value(json_object_get(o, key));
}

TEST(ties_are_broken_by_index_or_averaged_over)
{
    struct given g = hand_made();
    kith_report *r;
    kith_evaluate_options o = usual("recall@1,mrr@2,ndcg@2,catalog_coverage@1");
    CHECK_OK(kith_evaluate(g.k, g.d, &o, &r));
    CHECK_NEAR(mean(r, "recall@1"), 0, 0); /* x stands before y */
    CHECK_NEAR(mean(r, "mrr@2"), 0.5 / 3, 1e-12);
    kith_report_free(r);
    o.ties = "average";
    CHECK_OK(kith_evaluate(g.k, g.d, &o, &r));
    CHECK_NEAR(mean(r, "recall@1"), 0.5 / 3, 1e-12); /* ann's y is first in half of the orders */
    CHECK_NEAR(mean(r, "mrr@2"), 0.75 / 3, 1e-12);
    CHECK_NEAR(mean(r, "ndcg@2"), (1 + 1 / log2(3)) / 2 / 3, 1e-12);
    CHECK_NEAR(mean(r, "catalog_coverage@1"), 1 / 4.0, 1e-12); /* of the lists as they are served */
    json_t *json = json_of(r);
    CHECK_STR(text_of(json, "ties"), "average");
    json_decref(json);
    kith_report_free(r);
    o.ties = "often";
    CHECK_FAILS(kith_evaluate(g.k, g.d, &o, &r), KITH_EINVAL, "average");
    clear(&g);
}

/* A list of one place whose score runs on over the next items, hits behind the end included. */
TEST(a_tie_may_run_on_beyond_the_list)
{
    struct given g = hand_made();
    kith_report *r;
    kith_evaluate_options o = usual("recall@1");
    o.ties = "average";
    CHECK_OK(kith_evaluate(g.k, g.d, &o, &r));
    CHECK_NEAR(mean(r, "recall@1"), 0.5 / 3, 1e-12);
    kith_report_free(r);
    clear(&g);
}

TEST(a_sample_is_ranked_in_place_of_the_catalogue_and_labelled)
{
    struct given g = hand_made();
    kith_report *r;
    kith_evaluate_options o = usual("recall@1,hit_rate@2,catalog_coverage@1,auc");
    o.negatives = "10"; /* more than there are: the whole catalogue */
    CHECK_OK(kith_evaluate(g.k, g.d, &o, &r));
    CHECK_NEAR(mean(r, "recall@1"), 0, 0);
    CHECK_NEAR(mean(r, "hit_rate@2"), 1 / 3.0, 1e-12);
    CHECK_NEAR(mean(r, "auc"), (0.75 + 0 + 0) / 3, 1e-12); /* y ties with x, beats z; z and w beat none */
    json_t *json = json_of(r);
    const json_t *label = json_object_get(json, "sampled_negatives");
    CHECK_INT(json_integer_value(json_object_get(label, "n")), 10);
    CHECK_STR(text_of(label, "by"), "uniform");
    json_decref(json);
    kith_report_free(r);
    o.negatives = "1:popular"; /* one other item: recall@2 finds everything that can be served */
    o.metrics = "recall@2";
    CHECK_OK(kith_evaluate(g.k, g.d, &o, &r));
    CHECK_NEAR(mean(r, "recall@2"), 2 / 3.0, 1e-12);
    kith_report_free(r);
    clear(&g);
}

TEST(a_style_changes_definitions_and_says_whose_they_are)
{
    struct given g = hand_made();
    kith_report *r;
    kith_evaluate_options o = usual("precision@2,map@2");
    o.metric_style = "implicit";
    CHECK_OK(kith_evaluate(g.k, g.d, &o, &r));
    CHECK_NEAR(mean(r, "precision@2"), 1 / 3.0, 1e-12); /* one hit of min(2, 1) each */
    json_t *json = json_of(r);
    CHECK_STR(text_of(json, "metric_style"), "implicit");
    CHECK(strstr(text_of(json, "metric_source"), "ranking_metrics_at_k") != NULL);
    json_decref(json);
    kith_report_free(r);
    o = usual("recall@2");
    o.metric_style = "cornac"; /* leaves the cold item out, and cleo with it */
    CHECK_OK(kith_evaluate(g.k, g.d, &o, &r));
    CHECK_NEAR(mean(r, "recall@2"), 1 / 2.0, 1e-12);
    kith_report_free(r);
    o.ties = "average";
    CHECK_FAILS(kith_evaluate(g.k, g.d, &o, &r), KITH_EINVAL, "cornac");
    o = usual("recall@2");
    o.metric_style = "sklearn";
    CHECK_FAILS(kith_evaluate(g.k, g.d, &o, &r), KITH_ENOTFOUND, "recbole");
    clear(&g);
}

/* ---- groups: 20 women like items a, 20 men items b; a is the popular half ---- */

enum { PEOPLE = 40, THINGS = 24, ROWS = PEOPLE * 8 };

static struct given grouped(int threads)
{
    static char who[PEOPLE][8], what[THINGS][8];
    static const char *u[ROWS], *i[ROWS], *gender[PEOPLE], *kind[THINGS];
    static int64_t t[ROWS];
    struct given g;
    ki_column column;
    for (int j = 0; j < PEOPLE; j++) snprintf(who[j], sizeof who[j], "u%d", j);
    for (int j = 0; j < THINGS; j++) snprintf(what[j], sizeof what[j], "i%d", j);
    for (int j = 0; j < ROWS; j++) {
        const int person = j % PEOPLE, nth = j / PEOPLE;
        const int woman = person < PEOPLE / 2;
        u[j] = who[person];
        i[j] = what[(woman ? 0 : THINGS / 2) + (nth * nth + nth * (woman ? 0 : person)) % (THINGS / 2)];
        t[j] = j;
    }
    CHECK_OK(kith_new(&(kith_options){ .threads = threads, .seed = 3 }, &g.k));
    CHECK_OK(kith_data_new(g.k, ROWS, u, i, NULL, t, &g.d));
    for (int j = 0; j < g.d->users.n; j++) gender[j] = atoi(kith_data_user_id(g.d, j) + 1) < PEOPLE / 2 ? "F" : "M";
    for (int j = 0; j < g.d->items.n; j++) kind[j] = atoi(kith_data_item_id(g.d, j) + 1) < THINGS / 2 ? "a" : "a|b";
    g.d->user_attrs.n_rows = g.d->users.n;
    g.d->item_attrs.n_rows = g.d->items.n;
    CHECK_OK(ki_column_from_strings(&column, "gender", g.d->users.n, gender, KI_COL_CATEGORY, 0));
    CHECK_OK(ki_table_append(&g.d->user_attrs, &column));
    CHECK_OK(ki_column_from_strings(&column, "genres", g.d->items.n, kind, KI_COL_SET, '|'));
    CHECK_OK(ki_table_append(&g.d->item_attrs, &column));
    return g;
}

static const json_t *group_of(const json_t *side, const char *name)
{
    const json_t *row;
    size_t j;
    json_array_foreach (json_object_get(side, "groups"), j, row)
        if (strcmp(text_of(row, "group"), name) == 0) return row;
    ck_abort_msg("no group %s", name);
    return NULL;
}

static double number(const json_t *o, const char *key)
{
    ck_assert_msg(json_is_number(json_object_get(o, key)), "no %s", key);
    return json_number_value(json_object_get(o, key));
}

static const kith_evaluate_options in_groups = { .models = popularity,
                                                 .n_models = 1,
                                                 .protocol = "kfold:3",
                                                 .metrics = "recall@5,diversity@5,calibration@5",
                                                 .group_users = "gender",
                                                 .group_items = "genres" };

TEST(groups_of_users_and_items_add_up_to_the_whole)
{
    struct given g = grouped(1);
    kith_report *r;
    CHECK_OK(kith_evaluate(g.k, g.d, &in_groups, &r));
    json_t *o = json_of(r);
    const json_t *side = json_object_get(json_object_get(o, "fairness"), "users");
    const json_t *f = group_of(side, "F"), *m = group_of(side, "M");
    const double women = number(json_object_get(f, "metrics"), "recall@5");
    const double men = number(json_object_get(m, "metrics"), "recall@5");
    CHECK(number(f, "n_users") == 20 && number(m, "n_users") == 20);
    CHECK(women > men); /* what is popular is what women like */
    const json_t *gap = json_object_get(json_object_get(side, "gaps"), "recall@5");
    CHECK_NEAR(number(gap, "difference"), women - men, 1e-11); /* twelve digits are printed */
    CHECK_NEAR(number(gap, "ratio"), men / women, 1e-11);
    CHECK_STR(text_of(gap, "highest"), "F");
    side = json_object_get(json_object_get(o, "fairness"), "items");
    const json_t *a = group_of(side, "a"), *b = group_of(side, "b");
    CHECK_NEAR(number(a, "exposure@5") + number(b, "exposure@5"), 1, 1e-11);
    CHECK_NEAR(number(a, "items") + number(b, "items"), 1, 1e-11);
    CHECK_NEAR(number(a, "relevant") + number(b, "relevant"), 1, 1e-11);
    CHECK_NEAR(number(a, "lift@5"), number(a, "exposure@5") / number(a, "events"), 1e-11);
    /* half of each row of an item of both counts for b: exactly the rows of men, halved */
    CHECK_NEAR(number(b, "relevant"), 0.25, 0.06); /* three folds dealt at random */
    CHECK_STR(text_of(o, "similarity"), "cosine of attributes: genres");
    CHECK_STR(text_of(o, "calibration"), "genres");
    json_decref(o);
    kith_report_free(r);
    clear(&g);
}

/* p is a, x is a and b, y and z are b, of w nothing is known; everybody is served x y. */
TEST(groups_of_items_are_what_was_worked_out_by_hand)
{
    static const char *const genres[] = { "a", "a|b", "b", "b", NULL };
    struct given g = hand_made();
    ki_column column;
    kith_report *r;
    kith_evaluate_options o = usual("recall@2");
    g.d->item_attrs.n_rows = g.d->items.n;
    CHECK_OK(ki_column_from_strings(&column, "genres", g.d->items.n, genres, KI_COL_SET, '|'));
    CHECK_OK(ki_table_append(&g.d->item_attrs, &column));
    o.group_items = "genres";
    CHECK_OK(kith_evaluate(g.k, g.d, &o, &r));
    json_t *json = json_of(r);
    const json_t *side = json_object_get(json_object_get(json, "fairness"), "items");
    const json_t *a = group_of(side, "a"), *b = group_of(side, "b");
    CHECK_NEAR(number(a, "items"), 1.5 / 4, 1e-11);
    CHECK_NEAR(number(a, "events"), 5 / 9.0, 1e-11); /* p four, x two halves */
    CHECK_NEAR(number(a, "relevant"), 0, 0);         /* ann's y and bob's z are b */
    CHECK_NEAR(number(a, "exposure@2"), 1.5 / 6, 1e-11);
    CHECK_NEAR(number(a, "lift@2"), 0.25 / (5 / 9.0), 1e-11);
    CHECK_NEAR(number(b, "exposure@2"), 4.5 / 6, 1e-11);
    CHECK_NEAR(number(b, "recall@2"), 1 / 2.0, 1e-11);
    CHECK(json_is_null(json_object_get(a, "recall@2")));
    CHECK_INT(json_object_size(json_object_get(side, "gaps")), 0); /* groups too small to speak of */
    json_decref(json);
    kith_report_free(r);
    clear(&g);
}

TEST(quality_of_a_group_is_that_of_its_users_one_by_one)
{
    struct given g = grouped(1);
    char path[] = "groups_XXXXXX", line[256];
    double sum = 0, n = 0;
    kith_evaluate_options o = in_groups;
    kith_report *r;
    close(mkstemp(path));
    o.per_user_path = path;
    CHECK_OK(kith_evaluate(g.k, g.d, &o, &r));
    FILE *f = fopen(path, "r");
    CHECK(f != NULL && fgets(line, sizeof line, f) != NULL);
    while (fgets(line, sizeof line, f) != NULL) { /* model,fold,user,recall@5,... */
        int user;
        double recall;
        CHECK_INT(sscanf(line, "popularity,%*d,u%d,%lf", &user, &recall), 2);
        if (user >= PEOPLE / 2) continue;
        sum += recall;
        n++;
    }
    fclose(f);
    unlink(path);
    json_t *json = json_of(r);
    const json_t *side = json_object_get(json_object_get(json, "fairness"), "users");
    CHECK_NEAR(number(json_object_get(group_of(side, "F"), "metrics"), "recall@5"), sum / n, 1e-9); /* ten digits */
    json_decref(json);
    kith_report_free(r);
    clear(&g);
}

TEST(a_group_is_a_column_of_words_that_is_there)
{
    struct given g = grouped(1), bare = hand_made();
    kith_report *r;
    kith_evaluate_options o = in_groups;
    o.group_users = "age";
    CHECK_FAILS(kith_evaluate(g.k, g.d, &o, &r), KITH_ENOTFOUND, "no user column \"age\"");
    o = usual("calibration@5");
    CHECK_FAILS(kith_evaluate(bare.k, bare.d, &o, &r), KITH_EDATA, "calibration");
    o = usual("intra_list_diversity@2"); /* without attributes: likeness is of training users */
    CHECK_OK(kith_evaluate(bare.k, bare.d, &o, &r));
    /* all are served x y (and z): eve and fay have both, so they are alike */
    CHECK_NEAR(mean(r, "intra_list_diversity@2"), 0, 1e-12);
    json_t *json = json_of(r);
    CHECK_STR(text_of(json, "similarity"), "cosine of training users");
    json_decref(json);
    kith_report_free(r);
    kith_data_free(g.d);
    kith_free(g.k);
    clear(&bare);
}

static char *report_text(int threads, const kith_evaluate_options *o)
{
    struct given g = grouped(threads);
    kith_report *r;
    CHECK_OK(kith_evaluate(g.k, g.d, o, &r));
    json_t *json = json_of(r);
    json_object_del(json, "fit_seconds");
    json_object_del(json, "eval_seconds");
    json_object_del(json, "peak_rss_bytes");
    char *text = json_dumps(json, JSON_SORT_KEYS);
    json_decref(json);
    kith_report_free(r);
    clear(&g);
    return text;
}

TEST(one_thread_and_five_report_the_same_in_every_way)
{
    kith_evaluate_options ways[] = { in_groups, in_groups, in_groups };
    ways[0].negatives = "5:popular";
    ways[1].ties = "average";
    ways[2].metrics = "precision@3,gini@3,catalog_coverage@5,entropy@3";
    ways[2].metric_style = "recbole";
    for (size_t j = 0; j < KI_COUNT(ways); j++) {
        char *one = report_text(1, &ways[j]), *five = report_text(5, &ways[j]);
        CHECK_STR(one, five);
        free(one);
        free(five);
    }
}

TEST(every_refused_allocation_is_told_and_leaks_nothing)
{
    struct given g = grouped(1);
    const int64_t live = ki_alloc_live();
    kith_evaluate_options o = in_groups;
    kith_report *r;
    o.negatives = "5:popular";
    o.ties = "average";
    o.metrics = "recall@5,diversity@5,calibration@5,gini@5,auc";
    for (int n = 1;; n++) {
        ki_alloc_fail_at(n, 0);
        const kith_err err = kith_evaluate(g.k, g.d, &o, &r);
        ki_alloc_fail_at(0, 0);
        if (err == KITH_OK) break;
        CHECK_INT(err, KITH_ENOMEM);
        CHECK_INT(ki_alloc_live(), live);
    }
    kith_report_free(r);
    clear(&g);
}
