/* SPDX-License-Identifier: MIT
 * result.c -- the result: small parts as values, long lists as the texts they already are
 */
#include "tool/events.h"
#include "tool/running.h"

#include "base/mem.h"

#include <stdio.h>
#include <time.h>

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- model_info ---- */

static json_t *model_info(const ki_run *r)
{
    json_t *performance = json_copy(r->appraisal.performance);
    if (!r->was_loaded)
        json_object_set_new(performance, "training_seconds", json_real(r->fit_seconds));
    return json_pack("{s:s, s:s, s:O, s:o, s:O}", "model_id", r->model_id, "algorithm_type",
                     r->method.family, "training_parameters", json_object_get(r->about, "params"),
                     "model_performance", performance, "training_timestamp",
                     json_object_get(r->about, "trained_at"));
}

/* ---- deployment_info ---- */

static void leave_out(ki_run *r, const char *field, const char *why)
{
    char pointer[120];
    snprintf(pointer, sizeof pointer, "/recommendation_results/deployment_info/%s", field);
    ki_left_out(&r->findings, pointer, "%s", why);
}

static json_t *deployment_info(ki_run *r)
{
    json_t *o = json_object();
    const ki_lists *l = &r->lists;
    const int64_t n = r->latency.n;
    if (r->o->endpoint != NULL)
        json_object_set_new(o, "model_endpoint", json_string(r->o->endpoint));
    else
        leave_out(r, "model_endpoint",
                  "the model was made for this request alone, and no service answers with it");
    if (n > 0) {
        json_object_set_new(o, "inference_latency", json_real(r->latency.mean));
        json_object_set_new(o, "inference_latency_p50", json_real(r->latency.p50));
        if (ki_run_flag(r, "deployment_configuration", "real_time_recommendations"))
            json_object_set_new(o, "inference_latency_p99", json_real(r->latency.p99));
        json_object_set_new(o, "throughput",
                            json_real((double)l->n_users / KI_MAX(l->seconds, 1e-9)));
    } else {
        leave_out(r, "inference_latency", "no list was asked for");
        leave_out(r, "throughput", "no list was asked for");
    }
    if (l->n_lookups > l->n_unasked)
        json_object_set_new(o, "cache_hit_rate",
                            json_real((double)l->n_hits / (double)l->n_lookups));
    else if (l->n_lookups > 0)
        leave_out(r, "cache_hit_rate", "the cache could not be asked (warnings)");
    else
        leave_out(r, "cache_hit_rate", "nothing was looked for in a cache (caching_strategy)");
    return o;
}

/* ---- metadata ---- */

static int32_t n_without(const ki_csr *rows)
{
    int32_t n = 0;
    for (int32_t j = 0; j < rows->n_rows; j++) n += ki_csr_len(rows, j) == 0;
    return n;
}

/* RFC 3339, with the hour of midnight too. */
static void print_time(int64_t time, char *out)
{
    struct tm utc;
    const time_t t = (time_t)time;
    if (gmtime_r(&t, &utc) == NULL || strftime(out, KI_NOW_ROOM, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        out[0] = '\0';
}

static json_t *time_range(const ki_log *log)
{
    char first[KI_NOW_ROOM], last[KI_NOW_ROOM];
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (int64_t j = 0; j < log->n; j++) {
        low = KI_MIN(low, log->time[j]);
        high = KI_MAX(high, log->time[j]);
    }
    print_time(low, first);
    print_time(high, last);
    return json_pack("{s:s, s:s}", "first", first, "last", last);
}

/* How interactions became preferences. */
static json_t *preference_json(const ki_intake *in)
{
    const ki_opinion *p = &in->preference;
    json_t *o = json_pack("{s:o, s:b}", "signals", ki_signals_json(&in->signals), "dislikes",
                          p->has_dislikes);
    if (p->has_ratings)
        json_object_set_new(o, "rating_scale", json_pack("[f, f]", p->low, p->high));
    return o;
}

static json_t *data_statistics(const ki_run *r)
{
    const ki_intake *in = &r->intake;
    const kith_data *d = in->data;
    const double cells = (double)d->users.n * (double)d->items.n;
    const ki_model *core = &r->model->core;
    json_t *o = json_pack(
        "{s:i, s:i, s:I, s:I, s:I, s:i, s:f, s:o}", "user_count", (int)d->users.n, "item_count",
        (int)d->items.n, "interaction_count", (json_int_t)d->log.n, "interactions_sent",
        (json_int_t)in->n_given, "duplicates_merged", (json_int_t)d->report.n_duplicates,
        "users_without_interactions", (int)n_without(&core->history), "density",
        cells > 0 ? (double)d->log.n / cells : 0, "preference", preference_json(in));
    json_object_set_new(o, "items_without_interactions", json_integer(core->n_cold));
    json_object_set_new(o, "preference_mean", json_real(core->mean));
    if (d->log.time != NULL) json_object_set_new(o, "interaction_times", time_range(&d->log));
    if (in->n_late > 0) json_object_set_new(o, "interactions_after_now", json_integer(in->n_late));
    if (in->n_silent > 0)
        json_object_set_new(o, "interactions_without_signal", json_integer(in->n_silent));
    return o;
}

/* What of the context shaped every list. */
static json_t *asked_of_lists(const ki_run *r)
{
    static const char *const shaping[] = { "now",    "filter",   "wishes",
                                           "values", "pipeline", "include_seen" };
    json_t *o = json_object();
    for (size_t j = 0; j < KI_COUNT(shaping); j++) {
        json_t *v = json_object_get(r->intake.context, shaping[j]);
        if (v != NULL) json_object_set(o, shaping[j], v);
    }
    return o;
}

/* Takes `statistics`. */
static json_t *metadata(ki_run *r, json_t *statistics)
{
    char now[KI_NOW_ROOM];
    const ki_findings *f = &r->findings;
    ki_now(now);
    json_t *o =
        json_pack("{s:s, s:f, s:o, s:s, s:O, s:O}", "processing_timestamp", now,
                  "processing_duration", seconds() - r->began, "data_statistics", statistics,
                  "version", KITH_VERSION, "method", r->method.told, "persistence", r->persistence);
    json_t *context = asked_of_lists(r);
    if (json_object_size(context) > 0) json_object_set(o, "context", context);
    json_decref(context);
    if (r->tuning != NULL) json_object_set(o, "tuning", r->tuning);
    if (r->mlflow != NULL) json_object_set_new(o, "tracking", ki_mlflow_json(r->mlflow));
    if (r->anonymised != NULL) json_object_set(o, "anonymised", r->anonymised);
    if (r->blocked != NULL) json_object_set(o, "block", r->blocked);
    if (f->warnings != NULL) json_object_set(o, "warnings", f->warnings);
    if (f->left_out != NULL) json_object_set(o, "left_out", f->left_out);
    return o;
}

/* ---- the whole ---- */

static void add_list(ki_text *t, const char *name, const ki_text *body)
{
    ki_text_say(t, name);
    ki_text_say(t, ":[\n");
    if (body->n > 0) ki_text_add(t, body->at, body->n);
    ki_text_say(t, "]");
}

kith_err ki_run_write(ki_run *r, char **out)
{
    ki_text t = { 0 };
    json_t *info = model_info(r), *deployed = deployment_info(r), *statistics = data_statistics(r);
    ki_run_tracked(r, info, deployed, statistics);
    ki_text_say(&t, "{\"recommendation_results\":{\"model_info\":");
    ki_text_json(&t, info);
    ki_text_say(&t, ",\n\"recommendations\":{");
    add_list(&t, "\"user_recommendations\"", &r->lists.text);
    ki_text_clear(&r->lists.text); /* the longest part: not kept twice */
    if (r->has_similar) add_list(&t, ",\n\"item_recommendations\"", &r->similar);
    ki_text_say(&t, "},\n\"model_evaluation\":");
    ki_text_json(&t, json_incref(r->appraisal.evaluation));
    if (r->importance != NULL) {
        ki_text_say(&t, ",\n\"feature_importance\":");
        ki_text_json(&t, json_incref(r->importance));
    }
    ki_text_say(&t, ",\n\"deployment_info\":");
    ki_text_json(&t, deployed);
    ki_text_say(&t, "},\n\"metadata\":");
    ki_text_json(&t, metadata(r, statistics));
    ki_text_say(&t, "}\n");
    if (t.err != KITH_OK) {
        const kith_err err = t.err;
        ki_text_clear(&t);
        return err;
    }
    *out = t.at;
    return KITH_OK;
}
