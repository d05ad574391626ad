/* SPDX-License-Identifier: MIT
 * appraisal.c -- from the contract's metrics to those of kith, and back
 *
 * Protocol    train_test_split s: the first share s of interactions by time trains (at random where
 *             there are no times), the rest tests; without one 0.8.  Cross-validation is by folds of
 *             interactions.  With both, model_evaluation holds the figures of the split, and those of
 *             the folds stand in model_performance.  Without a split and with cross-validation,
 *             model_evaluation holds the means over folds.
 */
#include "tool/appraisal.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum { LEAST = 4, FEW = 10, MOST_METRICS = 48 };

static const char *const sections[] = { "accuracy_metrics", "diversity_metrics",
                                        "novelty_metrics" };
enum { ACCURACY, DIVERSITY, NOVELTY };

/* The contract's metrics and, after another name that kith may have for them, where each belongs. */
static const struct metric {
    const char *name, *other;
    int section, usual; /* usual: computed when no metrics are named */
} metrics[] = {
    { "precision", NULL, ACCURACY, 1 },
    { "recall", NULL, ACCURACY, 1 },
    { "f1_score", "f1", ACCURACY, 1 },
    { "ndcg", NULL, ACCURACY, 1 },
    { "map", NULL, ACCURACY, 1 },
    { "catalog_coverage", NULL, DIVERSITY, 1 },
    { "intra_list_diversity", NULL, DIVERSITY, 1 },
    { "serendipity", NULL, DIVERSITY, 1 },
    { "gini", NULL, DIVERSITY, 0 },
    { "entropy", NULL, DIVERSITY, 0 },
    { "popularity_bias", NULL, NOVELTY, 1 },
    { "long_tail_coverage", NULL, NOVELTY, 1 },
    { "novelty", NULL, NOVELTY, 0 },
};

struct wanted {     /* one metric of the request */
    char name[64];  /* as it is told */
    char asked[64]; /* as kith_evaluate takes it; "" when there is none */
    int section;
};

struct plan {
    int n;
    struct wanted list[MOST_METRICS];
};

/* ---- which metrics ---- */

/* Does this kith have a metric of that name, and does it need a cut-off? */
static int kith_has(const json_t *table, const char *name, int *cutoff)
{
    size_t j;
    const json_t *one;
    json_array_foreach (json_object_get(table, "metrics"), j, one) {
        const char *have = json_string_value(json_object_get(one, "name"));
        if (have == NULL || strcmp(have, name) != 0) continue;
        *cutoff = json_is_true(json_object_get(one, "cutoff"));
        return 1;
    }
    return 0;
}

static const struct metric *find_metric(const char *name)
{
    for (size_t j = 0; j < KI_COUNT(metrics); j++)
        if (strcmp(metrics[j].name, name) == 0) return &metrics[j];
    return NULL;
}

static void leave_out(const struct wanted *w, const char *why, ki_findings *f)
{
    char pointer[160];
    snprintf(pointer, sizeof pointer, "/recommendation_results/model_evaluation/%s/%s",
             sections[w->section], w->name);
    ki_left_out(f, pointer, "%s", why);
}

/* Add "name" or "name@k"; what no kith knows is warned of. */
static void want(struct plan *p, const char *given, const json_t *table, int n, ki_findings *f)
{
    char name[64];
    const char *at = strchr(given, '@');
    const int length = at == NULL ? (int)strlen(given) : (int)(at - given);
    int cutoff = 0;
    if (p->n == MOST_METRICS || length >= 40 || strlen(given) >= 60) return;
    snprintf(name, sizeof name, "%.*s", length, given);
    for (int j = 0; j < p->n; j++)
        if (strcmp(p->list[j].name, given) == 0) return;
    const struct metric *m = find_metric(name);
    struct wanted w = { .section = m == NULL ? ACCURACY : m->section };
    snprintf(w.name, sizeof w.name, "%s", given);
    const char *ours = kith_has(table, name, &cutoff) ? name : m != NULL ? m->other : NULL;
    if (m == NULL && ours == NULL) {
        ki_warning(f, "evaluation_metrics: there is no metric \"%s\"; `kith metrics` lists them",
                   given);
        return;
    }
    if (ours != NULL && !kith_has(table, ours, &cutoff)) ours = NULL;
    if (ours == NULL)
        leave_out(&w, "this version of kith does not have it yet", f);
    else if (at != NULL)
        snprintf(w.asked, sizeof w.asked, "%.20s%.40s", ours, at);
    else if (cutoff)
        snprintf(w.asked, sizeof w.asked, "%.40s@%d", ours, n);
    else
        snprintf(w.asked, sizeof w.asked, "%.40s", ours);
    if (w.asked[0] != '\0') p->list[p->n++] = w;
}

static void want_section(struct plan *p, int section, const json_t *table, int n, ki_findings *f)
{
    for (size_t j = 0; j < KI_COUNT(metrics); j++)
        if (metrics[j].usual && (section < 0 || metrics[j].section == section))
            want(p, metrics[j].name, table, n, f);
}

static kith_err make_plan(const ki_appraisal_options *o, struct plan *p, ki_findings *f)
{
    static const char *const groups[] = { "accuracy", "diversity", "novelty" };
    const json_t *asked = json_object_get(o->config, "evaluation_metrics"), *one;
    char *text = NULL;
    size_t j;
    const kith_err err = kith_metrics_json(&text);
    if (err != KITH_OK) return err;
    json_t *table = json_loads(text, 0, NULL);
    kith_string_free(text);
    *p = (struct plan){ 0 };
    json_array_foreach (asked, j, one) {
        const char *name = json_string_value(one);
        int group = -1, cutoff;
        for (int g = 0; g < 3; g++)
            if (strcmp(name, groups[g]) == 0 && !kith_has(table, name, &cutoff)) group = g;
        if (group >= 0)
            want_section(p, group, table, o->n, f);
        else
            want(p, name, table, o->n, f);
    }
    if (json_array_size(asked) == 0) {
        want_section(p, -1, table, o->n, f);
        if (o->intake->data->has_values && o->method->desc->rates) {
            want(p, "rmse", table, o->n, f);
            want(p, "mae", table, o->n, f);
        }
    }
    json_decref(table);
    return KITH_OK;
}

/* ---- how to hold out ---- */

double ki_relevant_from(const ki_appraisal_options *o)
{
    const json_t *given =
        json_object_get(json_object_get(o->config, "model_parameters"), "relevant_from");
    const ki_opinion *p = &o->intake->preference;
    if (given != NULL) return json_number_value(given);
    if (p->has_ratings && p->low < p->high) return (p->low + p->high) / 2;
    return p->has_dislikes && !p->has_ratings ? 1e-6 : 0; /* of likes and dislikes: the likes */
}

void ki_split_protocol(const ki_appraisal_options *o, char *out)
{
    const json_t *given = json_object_get(o->training, "train_test_split");
    const double share = given == NULL ? 0.8 : json_number_value(given);
    out[0] = '\0';
    if (share >= 0.01 && share <= 0.99)
        snprintf(out, 40, "%s:%.6g", o->intake->data->log.time != NULL ? "temporal" : "holdout",
                 share);
}

static int n_folds(const ki_appraisal_options *o)
{
    return o->intake->data->log.n < FEW ? 2 : 5;
}

/* ---- one evaluation ---- */

static void join_asked(const struct plan *p, char *out, size_t size)
{
    size_t used = 0;
    for (int j = 0; j < p->n && used + 1 < size; j++)
        used +=
            (size_t)snprintf(out + used, size - used, "%s%s", j > 0 ? "," : "", p->list[j].asked);
}

/* NULL when the report is sound; else why its figures would mean nothing. */
static const char *why_void(const json_t *report)
{
    const json_int_t users = json_integer_value(json_object_get(report, "n_users")),
                     cold = json_integer_value(json_object_get(report, "n_cold_users"));
    if (users > 0 && cold >= users)
        return "every held-out interaction is the only one of its user, so that nothing is left to "
               "recommend from";
    return NULL;
}

/* *out = the report, or NULL after leaving the reason in why[300].  Only data that is too little is
 * handled. */
static kith_err evaluate(const ki_appraisal_options *o, const struct plan *p, const char *protocol,
                         json_t **out, char *why)
{
    char asked[MOST_METRICS * 64] = "";
    kith_report *report = NULL;
    char *text = NULL;
    join_asked(p, asked, sizeof asked);
    const kith_evaluate_options options = { .models = &o->method->desc->name,
                                            .n_models = 1,
                                            .params = o->method->params,
                                            .n_params = o->method->n_params,
                                            .protocol = protocol,
                                            .metrics = asked,
                                            .relevant_from = ki_relevant_from(o) };
    *out = NULL;
    kith_err err = kith_evaluate(o->k, o->intake->data, &options, &report);
    if (err == KITH_EDATA) return snprintf(why, 300, "%.299s", kith_last_error()), KITH_OK;
    if (err != KITH_OK) return err;
    err = kith_report_json(report, &text);
    kith_report_free(report);
    if (err != KITH_OK) return err;
    *out = json_loads(text, 0, NULL);
    kith_string_free(text);
    if (*out == NULL) return ki_fail_memory(64);
    if (why_void(*out) == NULL) return KITH_OK;
    snprintf(why, 300, "%s", why_void(*out));
    json_decref(*out);
    *out = NULL;
    return KITH_OK;
}

/* ---- telling ---- */

static void set_section(ki_appraisal *a, const struct wanted *w, double value)
{
    json_t *section = json_object_get(a->evaluation, sections[w->section]);
    if (section == NULL) {
        section = json_object();
        json_object_set_new(a->evaluation, sections[w->section], section);
    }
    json_object_set_new(section, w->name, json_real(value));
    json_object_set_new(a->values, w->name, json_real(value));
}

static void tell_figures(const struct plan *p, const json_t *report, ki_appraisal *a,
                         ki_findings *f)
{
    const json_t *found = json_object_get(report, "metrics"),
                 *skipped = json_object_get(report, "skipped");
    for (int j = 0; j < p->n; j++) {
        const struct wanted *w = &p->list[j];
        const json_t *mean = json_object_get(json_object_get(found, w->asked), "mean");
        const char *why = json_string_value(json_object_get(skipped, w->asked));
        if (json_is_number(mean))
            set_section(a, w, json_number_value(mean));
        else
            leave_out(w, why != NULL ? why : "there is nothing to take it over", f);
    }
}

/* What model_performance holds of a report: all figures with their intervals. */
static json_t *digest(const json_t *report)
{
    static const char *const kept[] = { "protocol", "n_users",       "n_test",       "n_cold_users",
                                        "metrics",  "relevant_from", "fit_seconds",  "eval_seconds",
                                        "seed",     "confidence",    "n_cold_items", "n_train" };
    json_t *o = json_object();
    for (size_t j = 0; j < KI_COUNT(kept); j++) {
        json_t *v = json_object_get(report, kept[j]);
        if (v != NULL) json_object_set(o, kept[j], v);
    }
    return o;
}

static void leave_out_all(const char *why, ki_findings *f)
{
    ki_left_out(f, "/recommendation_results/model_evaluation", "%s", why);
}

/* The split and the folds, each perhaps NULL: the first that is there is model_evaluation. */
static void tell(const struct plan *p, const json_t *split, const json_t *folds, ki_appraisal *a,
                 ki_findings *f)
{
    const json_t *main = split != NULL ? split : folds;
    if (main != NULL) {
        tell_figures(p, main, a, f);
        json_object_set_new(a->performance, "evaluation", digest(main));
    }
    if (split != NULL && folds != NULL)
        json_object_set_new(a->performance, "cross_validation", digest(folds));
}

static kith_err run(const ki_appraisal_options *o, const struct plan *p, ki_appraisal *a,
                    ki_findings *f)
{
    const json_t *cross = json_object_get(o->training, "cross_validation");
    const int crosses = cross == NULL || json_is_true(cross);
    const int splits = !crosses || json_object_get(o->training, "train_test_split") != NULL;
    char protocol[40], folds[40], why[300] = "";
    json_t *by_split = NULL, *by_folds = NULL;
    kith_err err = KITH_OK;
    ki_split_protocol(o, protocol);
    snprintf(folds, sizeof folds, "kfold:%d", n_folds(o));
    if (splits && protocol[0] == '\0')
        snprintf(why, sizeof why, "train_test_split leaves nothing to train on, or to test on");
    else if (splits)
        err = evaluate(o, p, protocol, &by_split, why);
    if (err == KITH_OK && crosses) err = evaluate(o, p, folds, &by_folds, why);
    if (err == KITH_OK) tell(p, by_split, by_folds, a, f);
    if (err == KITH_OK && by_split == NULL && by_folds == NULL) leave_out_all(why, f);
    if (err == KITH_OK && splits && by_split == NULL && by_folds != NULL)
        ki_warning(f,
                   "training_configuration.train_test_split: not used, model_evaluation is by "
                   "cross-validation: %s",
                   why);
    json_decref(by_split);
    json_decref(by_folds);
    return err;
}

kith_err ki_appraise(const ki_appraisal_options *o, ki_appraisal *out, ki_findings *f)
{
    struct plan p;
    ki_appraisal a = { json_object(), json_object(), json_object() };
    char why[200];
    kith_err err = KITH_OK;
    snprintf(why, sizeof why, "there are %lld interactions, and %d are the least to hold some out",
             (long long)o->intake->data->log.n, LEAST);
    if (o->intake->data->log.n < LEAST)
        leave_out_all(why, f);
    else if ((err = make_plan(o, &p, f)) == KITH_OK && p.n > 0)
        err = run(o, &p, &a, f);
    if (err != KITH_OK)
        ki_appraisal_clear(&a);
    else
        *out = a;
    return err;
}

void ki_appraisal_clear(ki_appraisal *a)
{
    json_decref(a->evaluation);
    json_decref(a->performance);
    json_decref(a->values);
    *a = (ki_appraisal){ 0 };
}
