/* SPDX-License-Identifier: MIT
 * tune.c -- kith_tune: random search with successive halving, within a budget of trials and seconds
 *
 * Paper       Jamieson, Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter
 *             Optimization, AISTATS 2016; Bergstra, Bengio, Random Search for Hyper-Parameter
 *             Optimization, JMLR 2012
 * Rungs       With enough rows all settings are first measured on a ninth of the training rows, the
 *             best third of them on a third, the best third of those on all.  The validation part is
 *             the same on all rungs.  The default setting goes up with the best, to be compared.
 * Validation  carved out of the rows that are not marked as test; test rows play no part.
 * Time        each rung has its share of the seconds; what was not measured by then drops out, except
 *             for one setting per rung.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "eval/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { USUAL_TRIALS = 20, MOST_TRIALS = 10000, KEEP = 3, MANY_ROWS = 20000, FEW_TRIALS = 6 };
enum { STREAM_SETTINGS = 0x74756e65, STREAM_ROWS }; /* of the seed */

struct trial {
    int number;
    const ki_model_desc *desc;
    void *params;
    int is_default; /* of its model */
    double value;   /* on the last rung it was measured on; NaN: not, or it failed */
    double share;   /* of the training rows that rung had */
    double seconds;
    char why[200]; /* it failed */
};

struct search {
    ki_job *job;
    const kith_data *d;
    const kith_tune_options *o;
    ki_plan plan; /* of one metric */
    ki_protocol protocol;
    ki_splits splits;
    int32_t *users; /* [n_users] who has validation rows */
    int64_t n_users;
    struct trial *trials;
    int n_trials;
    struct trial **active; /* [n_active] still in the race */
    int n_active;
    double began;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double budget(const kith_tune_options *o)
{
    return o->max_seconds > 0 ? o->max_seconds : 60;
}

/* ---- settings ---- */

static int is_fixed(const struct search *s, const ki_model_desc *desc, const char *name)
{
    const size_t n = strlen(desc->name);
    for (int j = 0; !s->o->params_start && j < s->o->n_params; j++) {
        const char *given = s->o->params[j].name;
        if (strncmp(given, desc->name, n) == 0 && given[n] == '.') given += n + 1;
        if (strcmp(given, name) == 0) return 1;
    }
    return 0;
}

static int n_choices(const ki_param *p)
{
    int n = 0;
    while (p->choices[n] != NULL) n++;
    return n;
}

/* A point of the tuning range at u in [0, 1), as text; of a choice, any. */
static void draw(const ki_param *p, double u, char *out, size_t size)
{
    const double x = p->scale == KI_LOG ? p->tune_min * pow(p->tune_max / p->tune_min, u)
                                        : p->tune_min + u * (p->tune_max - p->tune_min);
    switch (p->kind) {
    case KI_INT: snprintf(out, size, "%.0f", round(x)); break;
    case KI_BOOL: snprintf(out, size, "%s", u < 0.5 ? "false" : "true"); break;
    case KI_CHOICE: snprintf(out, size, "%s", p->choices[(int)(u * n_choices(p))]); break;
    case KI_FLOAT:
    case KI_TEXT: snprintf(out, size, "%.4g", x); break;
    }
}

static kith_err draw_params(const struct search *s, struct trial *t)
{
    const ki_model_desc *desc = t->desc;
    kith_err err =
        ki_model_params(desc, s->o->params, s->o->n_params, s->o->n_models > 1, &t->params);
    if (err != KITH_OK || t->is_default) return err;
    ki_rng rng = ki_rng_make(s->job->seed, STREAM_SETTINGS, (uint64_t)t->number);
    for (int j = 0; err == KITH_OK && j < desc->n_params; j++) {
        const ki_param *p = &desc->params[j];
        char text[40];
        const double u = ki_rng_unit(&rng); /* drawn for all, so that fixing one changes no other */
        if (p->scale == KI_FIXED || p->kind == KI_TEXT || is_fixed(s, desc, p->name)) continue;
        draw(p, u, text, sizeof text);
        err = ki_params_set(desc->params, desc->n_params, t->params, desc->name, p->name, text);
    }
    return err;
}

/* The defaults of each model come first, then settings in turn. */
static kith_err make_trials(struct search *s)
{
    const int wanted = s->o->max_trials > 0 ? s->o->max_trials : USUAL_TRIALS;
    kith_err err;
    s->n_trials = KI_MAX(wanted, s->o->n_models);
    if ((err = ki_alloc(&s->trials, (size_t)s->n_trials, sizeof *s->trials)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->active, (size_t)s->n_trials, sizeof(struct trial *))) != KITH_OK)
        return err;
    for (int j = 0; err == KITH_OK && j < s->n_trials; j++) {
        struct trial *t = s->active[j] = &s->trials[j];
        *t = (struct trial){ .number = j, .value = NAN, .is_default = j < s->o->n_models };
        err = ki_model_want(s->o->models[j % s->o->n_models], &t->desc);
        if (err == KITH_OK) err = draw_params(s, t);
    }
    s->n_active = s->n_trials;
    return err;
}

/* ---- one trial ---- */

/* What one setting cannot do (a matrix that is not definite, say) is its own failure; memory, cancel
 * and the like end the search. */
static kith_err measure(struct search *s, struct trial *t, const ki_fold *f, double share)
{
    ki_model model = { 0 };
    ki_measured result = { 0 };
    const ki_measuring how = { .plan = &s->plan, .users = s->users, .n = s->n_users };
    void *params = NULL;
    const double began = seconds();
    kith_err err = ki_alloc(&params, 1, t->desc->size);
    if (err != KITH_OK) return err;
    memcpy(params, t->params, t->desc->size);
    s->job->quiet++;
    err = ki_model_fit(&model, t->desc, params, s->d, &f->ratings, s->job);
    if (err == KITH_OK) err = ki_measure(&result, &model, f, &how, s->job, "validate");
    s->job->quiet--;
    t->share = share;
    t->value = err == KITH_OK ? ki_measured_value(&result, &s->plan, 0) : NAN;
    t->seconds += seconds() - began;
    ki_measured_clear(&result);
    ki_model_clear(&model);
    if (err != KITH_EINVAL && err != KITH_EDATA) return err;
    snprintf(t->why, sizeof t->why, "%.199s", kith_last_error());
    return KITH_OK;
}

/* ---- rungs ---- */

static kith_err make_fold(const struct search *s, double share, ki_fold *out)
{
    ki_splits part = s->splits;
    kith_err err = ki_alloc(&part.label, (size_t)part.n, 1);
    if (err != KITH_OK) return err;
    memcpy(part.label, s->splits.label, (size_t)part.n);
    for (int64_t row = 0; row < part.n; row++) {
        const uint64_t hash = ki_hash2(s->job->seed + STREAM_ROWS, (uint64_t)row);
        if (part.label[row] == KI_PART_TRAIN && (double)(hash >> 11) * 0x1p-53 >= share)
            part.label[row] = KI_PART_NONE;
    }
    err = ki_fold_make(out, s->d, &part, 0, s->o->relevant_from);
    ki_free(part.label);
    return err;
}

/* Is a better than b?  A value beats none; ties go to the earlier one, so that the default stays. */
static int better(const struct search *s, const struct trial *a, const struct trial *b)
{
    const int lower = s->plan.asked[0].metric->better == KI_LOWER;
    if (isnan(a->value) || isnan(b->value)) return isnan(b->value) && !isnan(a->value);
    if (a->value != b->value) return lower ? a->value < b->value : a->value > b->value;
    return a->number < b->number;
}

static void sort_active(struct search *s)
{
    for (int j = 1; j < s->n_active; j++) {
        struct trial *t = s->active[j];
        int at = j;
        for (; at > 0 && better(s, t, s->active[at - 1]); at--) s->active[at] = s->active[at - 1];
        s->active[at] = t;
    }
}

/* The best third stay, and the best default with them. */
static void halve(struct search *s)
{
    int keep = (s->n_active + KEEP - 1) / KEEP;
    for (int j = 0; j < s->n_active; j++) {
        if (!s->active[j]->is_default) continue;
        if (j >= keep) s->active[keep++] = s->active[j];
        break;
    }
    while (keep > 1 && isnan(s->active[keep - 1]->value)) keep--;
    s->n_active = keep;
}

static kith_err climb(struct search *s, int rung, int n_rungs)
{
    const double share = pow(KEEP, rung + 1 - n_rungs),
                 until = s->began + budget(s->o) * (rung + 1) / n_rungs;
    ki_fold fold;
    int n = 0;
    kith_err err = make_fold(s, share, &fold);
    if (err != KITH_OK) return err;
    while (err == KITH_OK && n < s->n_active && (n == 0 || seconds() < until)) {
        err = ki_job_step(s->job, "tune", n, s->n_active);
        if (err == KITH_OK) err = measure(s, s->active[n++], &fold, share);
    }
    ki_fold_clear(&fold);
    if (err != KITH_OK) return err;
    s->n_active = n;
    sort_active(s);
    if (rung + 1 < n_rungs) halve(s);
    return ki_job_step(s->job, "tune", n, n);
}

/* ---- preparing ---- */

static kith_err check(const kith_data *d, const kith_tune_options *o)
{
    if (o->n_models < 1 || o->models == NULL)
        return ki_fail(KITH_EINVAL, "kith_tune: no model is named");
    if (o->n_params < 0 || (o->n_params > 0 && o->params == NULL))
        return ki_fail(KITH_EINVAL, "kith_tune: params is NULL");
    for (int j = 0; j < o->n_params; j++)
        if (o->params[j].name == NULL || o->params[j].value == NULL)
            return ki_fail(KITH_EINVAL, "kith_tune: parameter %d has no name or value", j);
    for (int j = 0; j < o->n_models; j++)
        if (o->models[j] == NULL) return ki_fail(KITH_EINVAL, "kith_tune: a model is NULL");
    if (o->max_trials < 0 || o->max_trials > MOST_TRIALS || !(o->max_seconds >= 0))
        return ki_fail(KITH_EINVAL,
                       "a budget of %d trials and %g seconds; want 1 to %d, and above 0",
                       o->max_trials, o->max_seconds, MOST_TRIALS);
    if (d->log.n == 0) return ki_fail(KITH_EDATA, "%s has no interactions", d->source);
    return KITH_OK;
}

static kith_err prepare(struct search *s)
{
    const char *metric = s->o->metric != NULL ? s->o->metric : "ndcg@10",
               *usual = s->d->log.time != NULL ? "temporal:0.8" : "holdout:0.8";
    kith_err err;
    if ((err = check(s->d, s->o)) != KITH_OK) return err;
    if ((err = ki_plan_parse(&s->plan, metric, NULL)) != KITH_OK) return err;
    const ki_metric *m = s->plan.asked[0].metric;
    if (s->plan.n != 1 || m->better == KI_NEITHER || m->kind == KI_OF_EXPOSURE || m->needs != 0)
        return ki_fail(
            KITH_EINVAL,
            "\"%.60s\": want one metric that can be better or worse for one user, such as "
            "ndcg@10 or rmse",
            metric);
    err = ki_protocol_parse(&s->protocol, s->o->protocol != NULL ? s->o->protocol : usual, s->d);
    if (err != KITH_OK) return err;
    if ((err = ki_splits_make(&s->splits, &s->protocol, s->d, s->job->seed)) != KITH_OK) return err;
    if (s->splits.n_folds > 1)
        return ki_fail(KITH_EINVAL, "%s has %d folds; tuning wants one validation part, as of %s",
                       s->protocol.text, s->splits.n_folds, usual);
    return make_trials(s);
}

static kith_err find_users(struct search *s)
{
    const ki_log *log = &s->d->log;
    uint8_t *tested = NULL;
    kith_err err = ki_alloc(&tested, (size_t)s->d->users.n, 1);
    if (err == KITH_OK) err = ki_alloc(&s->users, (size_t)s->d->users.n, sizeof *s->users);
    for (int64_t row = 0; err == KITH_OK && row < log->n; row++)
        tested[log->user[row]] |= s->splits.label[row] == KI_PART_TEST;
    for (int32_t u = 0; err == KITH_OK && u < s->d->users.n; u++)
        if (tested[u]) s->users[s->n_users++] = u;
    ki_free(tested);
    return err;
}

static int64_t n_training(const ki_splits *splits)
{
    int64_t n = 0;
    for (int64_t row = 0; row < splits->n; row++) n += splits->label[row] == KI_PART_TRAIN;
    return n;
}

/* ---- telling ---- */

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *trial_json(const struct trial *t)
{
    json_t *o = json_pack("{s:s, s:o, s:o, s:f, s:f, s:b}", "model", t->desc->name, "params",
                          ki_params_values(t->desc->params, t->desc->n_params, t->params), "value",
                          number(t->value), "share_of_rows", t->share, "seconds", t->seconds,
                          "is_default", t->is_default);
    if (t->why[0] != '\0') json_object_set_new(o, "failed", json_string(t->why));
    return o;
}

/* The best default that was measured on all rows. */
static const struct trial *best_default(const struct search *s)
{
    for (int j = 0; j < s->n_active; j++)
        if (s->active[j]->is_default) return s->active[j];
    return NULL;
}

static json_t *report(const struct search *s)
{
    const struct trial *best = s->active[0], *usual = best_default(s);
    json_t *trials = json_array();
    int n = 0;
    for (int j = 0; j < s->n_trials; j++) {
        if (s->trials[j].share == 0) continue; /* the time was up */
        json_array_append_new(trials, trial_json(&s->trials[j]));
        n++;
    }
    json_t *o = json_pack("{s:s, s:s, s:s, s:o, s:i, s:f, s:f, s:o}", "model", best->desc->name,
                          "metric", s->plan.asked[0].name, "protocol", s->protocol.text, "best",
                          trial_json(best), "n_trials", n, "seconds", seconds() - s->began,
                          "max_seconds", budget(s->o), "trials", trials);
    if (usual != NULL) json_object_set_new(o, "default", trial_json(usual));
    return o;
}

/* Takes `o`. */
static kith_err hand_out(json_t *o, char **out)
{
    char *text = o == NULL ? NULL : json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    const kith_err err = text == NULL ? ki_fail_memory(64) : ki_strdup(out, text);
    json_decref(o);
    free(text); /* jansson's */
    return err;
}

static kith_err finish(const struct search *s, char **json)
{
    const struct trial *best = s->active[0];
    if (!isnan(best->value)) return hand_out(report(s), json);
    return ki_fail(KITH_EDATA, "no setting of %s could be measured: %s", best->desc->name,
                   best->why[0] != '\0' ? best->why : "there is nothing to take the metric over");
}

static void clear(struct search *s)
{
    for (int j = 0; s->trials != NULL && j < s->n_trials; j++) ki_free(s->trials[j].params);
    ki_free(s->trials);
    ki_free(s->active);
    ki_free(s->users);
    ki_splits_clear(&s->splits);
}

kith_err kith_tune(kith *k, const kith_data *data, const kith_tune_options *options, char **json)
{
    if (k == NULL || data == NULL || options == NULL || json == NULL)
        return ki_fail(KITH_EINVAL, "kith_tune: no argument may be NULL");
    struct search s = { .job = ki_context_job(k), .d = data, .o = options, .began = seconds() };
    ki_job_begin(s.job);
    kith_err err = prepare(&s);
    if (err == KITH_OK) err = find_users(&s);
    const int n_rungs = n_training(&s.splits) >= MANY_ROWS && s.n_trials >= FEW_TRIALS ? 3 : 1;
    for (int rung = 0; err == KITH_OK && rung < n_rungs; rung++) err = climb(&s, rung, n_rungs);
    if (err == KITH_OK) err = finish(&s, json);
    clear(&s);
    return err;
}
