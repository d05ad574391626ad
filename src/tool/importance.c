/* SPDX-License-Identifier: MIT
 * importance.c -- permute a feature, train again, compare
 *
 * Paper      Breiman, Random Forests, Machine Learning 2001, section 10 (there the test rows are
 *            permuted; here the training rows, since a recommender reads its features in training)
 * Noise      a permutation is random: the mean over a few is told, with their number
 */
#include "tool/importance.h"

#include "base/mem.h"
#include "base/rng.h"
#include "eval/measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { REPEATS = 3, REPEAT_UP_TO = 5000, STREAM_ORDER = 0x696d7030 };

struct trying {
    const ki_appraisal_options *o;
    ki_job *job;
    ki_plan plan;
    ki_splits splits;
    int32_t *users; /* [n_users] with held-out rows */
    int64_t n_users;
    double base; /* the metric with all features */
    int n_repeats;
    int64_t *order; /* [room] */
};

/* ---- one model ---- */

static kith_err measure(const struct trying *t, const kith_data *d, double *out)
{
    const ki_method *method = t->o->method;
    ki_fold fold;
    ki_model model = { 0 };
    ki_measured result = { 0 };
    const ki_measuring how = { .plan = &t->plan, .users = t->users, .n = t->n_users };
    void *params = NULL;
    kith_err err = ki_fold_make(&fold, d, &t->splits, 0, ki_relevant_from(t->o));
    if (err != KITH_OK) return err;
    t->job->quiet++;
    err = ki_model_params(method->desc, method->params, method->n_params, 0, &params);
    if (err == KITH_OK) err = ki_model_fit(&model, method->desc, params, d, &fold.ratings, t->job);
    if (err == KITH_OK) err = ki_measure(&result, &model, &fold, &how, t->job, "weigh");
    t->job->quiet--;
    if (err == KITH_OK) *out = ki_measured_value(&result, &t->plan, 0);
    ki_measured_clear(&result);
    ki_model_clear(&model);
    ki_fold_clear(&fold);
    return err;
}

static void shuffle(const struct trying *t, int64_t n, int feature, int repeat)
{
    ki_rng rng = ki_rng_make(t->job->seed, STREAM_ORDER + (uint64_t)repeat, (uint64_t)feature);
    for (int64_t j = 0; j < n; j++) t->order[j] = j;
    ki_rng_shuffle(&rng, t->order, n);
}

/* ---- features of interactions ---- */

/* Held-out rows keep what they had, and so do times. */
static void restore(const struct trying *t, kith_data *d)
{
    const kith_data *was = t->o->intake->data;
    for (int64_t row = 0; row < d->log.n; row++)
        if (t->splits.label[row] != KI_PART_TRAIN) d->log.value[row] = was->log.value[row];
}

static kith_err without_signal(const struct trying *t, int signal, double *out)
{
    kith_data *d = NULL;
    kith_err err = ki_intake_shuffled(t->o->intake, signal, t->order, &d);
    if (err != KITH_OK) return err;
    restore(t, d);
    err = measure(t, d, out);
    kith_data_free(d);
    return err;
}

/* The times of the training rows change places. */
static kith_err without_time(const struct trying *t, double *out)
{
    kith_data d = *t->o->intake->data; /* borrows all but the times */
    const ki_log *was = &t->o->intake->data->log;
    int64_t *rows = NULL, n = 0;
    kith_err err = ki_alloc(&rows, (size_t)was->n, sizeof *rows);
    if (err == KITH_OK) err = ki_alloc(&d.log.time, (size_t)was->n, sizeof *d.log.time);
    if (err == KITH_OK) {
        for (int64_t j = 0; j < was->n; j++) {
            const int64_t row = t->order[j];
            d.log.time[j] = was->time[j];
            if (t->splits.label[row] == KI_PART_TRAIN) rows[n++] = row;
        }
        for (int64_t j = 0, at = 0; j < was->n; j++)
            if (t->splits.label[j] == KI_PART_TRAIN) d.log.time[j] = was->time[rows[at++]];
        err = measure(t, &d, out);
        ki_free(d.log.time);
    }
    ki_free(rows);
    return err;
}

/* ---- features of users and items ---- */

static kith_err reorder_lists(const int64_t *ptr, const void *cells, size_t width, int32_t n_rows,
                              const int64_t *order, int64_t **out_ptr, void *out_cells)
{
    char *to = NULL;
    kith_err err = ki_alloc(out_ptr, (size_t)n_rows + 1, sizeof **out_ptr);
    if (err == KITH_OK) err = ki_alloc(&to, (size_t)ptr[n_rows], width);
    if (err != KITH_OK) return err;
    memcpy(out_cells, &to, sizeof to);
    for (int32_t r = 0; r < n_rows; r++) {
        const int64_t from = ptr[order[r]], n = ptr[order[r] + 1] - from;
        if (n > 0)
            memcpy(to + (size_t)(*out_ptr)[r] * width, (const char *)cells + (size_t)from * width,
                   (size_t)n * width);
        (*out_ptr)[r + 1] = (*out_ptr)[r] + n;
    }
    return KITH_OK;
}

static kith_err reorder_cells(const void *cells, size_t width, int32_t n_rows, const int64_t *order,
                              void *out)
{
    char *to = NULL;
    const kith_err err = ki_alloc(&to, (size_t)n_rows, width);
    if (err != KITH_OK) return err;
    memcpy(out, &to, sizeof to);
    for (int32_t r = 0; r < n_rows; r++)
        memcpy(to + (size_t)r * width, (const char *)cells + (size_t)order[r] * width, width);
    return KITH_OK;
}

kith_err ki_column_reorder(ki_column *out, const ki_column *c, int32_t n_rows, const int64_t *order)
{
    ki_column to = { .kind = c->kind, .dim = c->dim };
    kith_err err = ki_strdup(&to.name, c->name);
    if (err == KITH_OK && c->words.n > 0) err = ki_idmap_copy(&to.words, &c->words);
    if (err == KITH_OK) switch (c->kind) {
        case KI_COL_NUMBER:
            err = reorder_cells(c->number, sizeof *c->number, n_rows, order, &to.number);
            break;
        case KI_COL_TIME:
            err = reorder_cells(c->time, sizeof *c->time, n_rows, order, &to.time);
            break;
        case KI_COL_CATEGORY:
            err = reorder_cells(c->code, sizeof *c->code, n_rows, order, &to.code);
            break;
        case KI_COL_SET:
            err = reorder_lists(c->set_ptr, c->code, sizeof *c->code, n_rows, order, &to.set_ptr,
                                &to.code);
            break;
        case KI_COL_TEXT:
            err = reorder_lists(c->text_ptr, c->text, 1, n_rows, order, &to.text_ptr, &to.text);
            break;
        case KI_COL_VECTOR:
            err = reorder_cells(c->vector, (size_t)c->dim * sizeof *c->vector, n_rows, order,
                                &to.vector);
            break;
        }
    if (err != KITH_OK)
        ki_column_clear(&to);
    else
        *out = to;
    return err;
}

static kith_err without_column(const struct trying *t, int of_items, int column, double *out)
{
    kith_data d = *t->o->intake->data; /* borrows all but one column */
    ki_table *table = of_items ? &d.item_attrs : &d.user_attrs;
    const ki_column *was = table->columns;
    ki_column *columns = NULL, made = { 0 };
    kith_err err = ki_alloc(&columns, (size_t)table->n_columns, sizeof *columns);
    if (err == KITH_OK) err = ki_column_reorder(&made, &was[column], table->n_rows, t->order);
    if (err == KITH_OK) {
        memcpy(columns, was, (size_t)table->n_columns * sizeof *columns);
        columns[column] = made;
        table->columns = columns;
        err = measure(t, &d, out);
    }
    ki_column_clear(&made);
    ki_free(columns);
    return err;
}

/* ---- telling ---- */

enum what { SIGNAL, TIME, ITEM_COLUMN, USER_COLUMN };

static kith_err try_once(const struct trying *t, enum what what, int which, double *out)
{
    switch (what) {
    case SIGNAL: return without_signal(t, which, out);
    case TIME: return without_time(t, out);
    case ITEM_COLUMN:
    case USER_COLUMN: break;
    }
    return without_column(t, what == ITEM_COLUMN, which, out);
}

/* Rows that change places for a feature. */
static int64_t rows_of(const struct trying *t, enum what what)
{
    const kith_data *d = t->o->intake->data;
    if (what == SIGNAL) return t->o->intake->n_rows;
    if (what == TIME) return d->log.n;
    return what == ITEM_COLUMN ? d->item_attrs.n_rows : d->user_attrs.n_rows;
}

/* Append {feature, importance, ...} to `list`.  A feature without which no model can be trained (all
 * ratings alike, say) has no number, and is passed over. */
static kith_err weigh(const struct trying *t, enum what what, int which, const char *name,
                      json_t *list)
{
    double sum = 0, value = NAN;
    const int lower = t->plan.asked[0].metric->better == KI_LOWER;
    for (int j = 0; j < t->n_repeats; j++) {
        shuffle(t, rows_of(t, what), (int)what * 1000 + which, j);
        const kith_err err = try_once(t, what, which, &value);
        if (err == KITH_EDATA || err == KITH_EINVAL) return KITH_OK;
        if (err != KITH_OK) return err;
        sum += value;
    }
    const double mean = sum / t->n_repeats, lost = lower ? mean - t->base : t->base - mean;
    if (!isfinite(lost)) return KITH_OK;
    json_array_append_new(list,
                          json_pack("{s:s, s:f, s:s, s:s, s:f, s:i}", "feature", name, "importance",
                                    lost, "method", "permuted in training, trained again", "metric",
                                    t->plan.asked[0].name, "metric_with_it", t->base,
                                    "permutations", t->n_repeats));
    return ki_job_step(t->job, "weigh features", which, 0);
}

static kith_err weigh_signals(const struct trying *t, json_t *out)
{
    json_t *list = json_array();
    const ki_signals *s = &t->o->intake->signals;
    kith_err err = KITH_OK;
    for (int j = 0; err == KITH_OK && j < s->n; j++)
        if (s->list[j].n_seen > 0) err = weigh(t, SIGNAL, j, s->list[j].name, list);
    if (err == KITH_OK && t->o->intake->data->log.time != NULL)
        err = weigh(t, TIME, 0, "timestamp", list);
    json_object_set_new(out, "interaction_features", list);
    return err;
}

static kith_err weigh_table(const struct trying *t, enum what what, const ki_table *table,
                            const char *field, json_t *out, ki_findings *f)
{
    char pointer[120];
    kith_err err = KITH_OK;
    snprintf(pointer, sizeof pointer, "/recommendation_results/feature_importance/%s", field);
    if (table->n_columns == 0) {
        ki_left_out(f, pointer, "the request has no such attributes");
        return KITH_OK;
    }
    const char *family = t->o->method->desc->family;
    if (strcmp(family, "collaborative_filtering") == 0 || strcmp(family, "graph_based") == 0) {
        ki_left_out(f, pointer, "%s reads interactions alone", t->o->method->desc->name);
        return KITH_OK;
    }
    json_t *list = json_array();
    for (int c = 0; err == KITH_OK && c < table->n_columns; c++)
        err = weigh(t, what, c, table->columns[c].name, list);
    json_object_set_new(out, field, list);
    return err;
}

/* ---- preparing ---- */

static kith_err find_users(struct trying *t)
{
    const kith_data *d = t->o->intake->data;
    uint8_t *tested = NULL;
    kith_err err = ki_alloc(&tested, (size_t)d->users.n, 1);
    if (err == KITH_OK) err = ki_alloc(&t->users, (size_t)d->users.n, sizeof *t->users);
    for (int64_t row = 0; err == KITH_OK && row < d->log.n; row++)
        tested[d->log.user[row]] |= t->splits.label[row] == KI_PART_TEST;
    for (int32_t u = 0; err == KITH_OK && u < d->users.n; u++)
        if (tested[u]) t->users[t->n_users++] = u;
    ki_free(tested);
    return err;
}

static kith_err prepare(struct trying *t)
{
    const ki_intake *in = t->o->intake;
    const int64_t rows = KI_MAX(in->n_rows, KI_MAX(in->data->users.n, in->data->items.n));
    char protocol[40], metric[32] = "rmse";
    ki_protocol p;
    kith_err err;
    if (!t->o->method->desc->rates || !in->data->has_values)
        snprintf(metric, sizeof metric, "ndcg@%d", t->o->n);
    ki_split_protocol(t->o, protocol);
    if (protocol[0] == '\0') return ki_fail(KITH_EDATA, "train_test_split holds nothing out");
    if ((err = ki_plan_parse(&t->plan, metric, NULL)) != KITH_OK) return err;
    if ((err = ki_protocol_parse(&p, protocol, in->data)) != KITH_OK) return err;
    if ((err = ki_splits_make(&t->splits, &p, in->data, t->job->seed)) != KITH_OK) return err;
    if ((err = ki_alloc(&t->order, (size_t)rows, sizeof *t->order)) != KITH_OK) return err;
    if ((err = find_users(t)) != KITH_OK) return err;
    t->n_repeats = in->n_rows <= REPEAT_UP_TO ? REPEATS : 1;
    if ((err = measure(t, in->data, &t->base)) != KITH_OK) return err;
    return isfinite(t->base) ? KITH_OK
                             : ki_fail(KITH_EDATA, "there is nothing to take %s over", metric);
}

/* Why it is not measured at all; NULL: it is. */
static const char *why_not(const ki_appraisal_options *o)
{
    const json_t *wish = json_object_get(o->intake->context, "feature_importance");
    if (json_is_false(wish)) return "context_data.feature_importance is false";
    if (o->intake->user == NULL)
        return "it takes a training per feature, and is measured up to 20000 interactions";
    if (o->intake->data->log.n < 10) return "fewer than 10 interactions say nothing about it";
    return NULL;
}

kith_err ki_importance_measure(const ki_appraisal_options *o, ki_job *job, json_t **out,
                               ki_findings *f)
{
    static const char pointer[] = "/recommendation_results/feature_importance";
    struct trying t = { .o = o, .job = job };
    json_t *made = NULL;
    if (why_not(o) != NULL) {
        ki_left_out(f, pointer, "%s", why_not(o));
        return KITH_OK;
    }
    kith_err err = prepare(&t);
    if (err == KITH_EDATA || err == KITH_EINVAL) {
        ki_left_out(f, pointer, "%s", kith_last_error());
        err = KITH_OK;
    } else if (err == KITH_OK) {
        made = json_object();
        err = weigh_signals(&t, made);
        if (err == KITH_OK)
            err = weigh_table(&t, ITEM_COLUMN, &o->intake->data->item_attrs, "item_features", made,
                              f);
        if (err == KITH_OK)
            err = weigh_table(&t, USER_COLUMN, &o->intake->data->user_attrs, "user_features", made,
                              f);
    }
    ki_splits_clear(&t.splits);
    ki_free(t.users);
    ki_free(t.order);
    if (err != KITH_OK)
        json_decref(made);
    else
        *out = made;
    return err;
}
