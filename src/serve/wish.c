/* SPDX-License-Identifier: MIT
 * wish.c -- merging request and scenario, ids as text, the lists of a query
 */
#include "serve/wish.h"

#include "base/closest.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "engine/block.h"
#include "serve/service_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static int number_of(const json_t *o, const char *name)
{
    return (int)json_number_value(json_object_get(o, name));
}

/* ---- ids: a whole number stands for its digits ---- */

static json_t *id_text(json_t *v)
{
    char digits[24];
    if (!json_is_integer(v)) return json_incref(v);
    snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    return json_string(digits);
}

static int has_numbers(const json_t *list)
{
    for (size_t j = 0; j < json_array_size(list); j++)
        if (json_is_integer(json_array_get(list, j))) return 1;
    return 0;
}

static json_t *list_as_text(const json_t *from)
{
    json_t *to = json_array();
    for (size_t j = 0; j < json_array_size(from); j++)
        json_array_append_new(to, id_text(json_array_get(from, j)));
    return to;
}

/* What is changed must be the wish's own, and most requests need no change. */
static kith_err own(ki_wish *w)
{
    if (w->is_own) return KITH_OK;
    json_t *copy = json_copy(w->request);
    if (copy == NULL) return ki_fail_memory(256);
    json_decref(w->request);
    w->request = copy;
    w->is_own = 1;
    return KITH_OK;
}

static kith_err name_ids(ki_wish *w)
{
    static const char *const lists[] = { "liked", "session", "exclude" };
    json_t *user = json_object_get(w->request, "user_id");
    kith_err err = KITH_OK;
    if (json_is_integer(user) && (err = own(w)) == KITH_OK)
        json_object_set_new(w->request, "user_id", id_text(user));
    for (size_t l = 0; l < KI_COUNT(lists) && err == KITH_OK; l++) {
        const json_t *from = json_object_get(w->request, lists[l]);
        if (has_numbers(from) && (err = own(w)) == KITH_OK)
            json_object_set_new(w->request, lists[l], list_as_text(from));
    }
    return err;
}

/* ---- request and scenario ---- */

static const char *const scenario_members[] = { "n",       "filter",       "context", "pipeline",
                                                "exclude", "include_seen", "reasons", "on_unknown",
                                                "log",     "wishes",       "language" };

static kith_err as_text(const json_t *v, char **out)
{
    return v == NULL ? KITH_OK : ki_json_print(json_incref((json_t *)v), out);
}

/* The scenario's values for its $names, and in their place those of the request for the same names. */
static void both_contexts(json_t *o, const json_t *scenario)
{
    const json_t *own = json_object_get(o, "context"),
                 *other = json_object_get(scenario, "context");
    if (own == NULL || other == NULL) return;
    json_t *both = json_copy((json_t *)other);
    json_object_update(both, (json_t *)own);
    json_object_set_new(o, "context", both);
}

/* Each is read by itself first: one that closes the other's brackets would take its say away. */
static kith_err both_filters(ki_service *s, json_t *o, const char *own, const char *other)
{
    char *text = NULL, *context = NULL;
    const size_t size = strlen(own) + strlen(other) + 16;
    kith_err err = as_text(json_object_get(o, "context"), &context);
    if (err == KITH_OK)
        err = ki_live_check(s->live, &(kith_query){ .filter = own, .context = context });
    kith_string_free(context);
    if (err == KITH_OK) err = ki_alloc(&text, size, 1);
    if (err != KITH_OK) return err;
    snprintf(text, size, "(%s) and (%s)", other, own);
    json_object_set_new(o, "filter", json_string(text));
    ki_free(text);
    return KITH_OK;
}

static int says_something(const char *filter)
{
    return filter != NULL && filter[strspn(filter, " \t\n")] != '\0';
}

/* What the scenario blocks is blocked beside what the request does. */
static void both_blocks(json_t *o, const json_t *other)
{
    if (other == NULL) return;
    json_t *both = json_copy((json_t *)other);
    json_array_extend(both, json_object_get(o, "block"));
    json_object_set_new(o, "block", both);
}

static kith_err add_scenario(ki_service *s, json_t *o, const char *name)
{
    kith_err err = KITH_OK;
    char hint[KI_HINT_SIZE];
    pthread_rwlock_rdlock(&s->documents_lock);
    json_t *scenario = json_incref(json_object_get(s->scenarios, name));
    pthread_rwlock_unlock(&s->documents_lock);
    if (scenario == NULL)
        return ki_fail(KITH_ENOTFOUND, "there is no scenario \"%.60s\"%s", name,
                       ki_service_near_scenario(s, name, hint));
    const char *own = text_of(o, "filter"), *other = text_of(scenario, "filter");
    both_contexts(o, scenario);
    if (says_something(own) && says_something(other)) err = both_filters(s, o, own, other);
    both_blocks(o, json_object_get(scenario, "block"));
    for (size_t j = 0; j < KI_COUNT(scenario_members); j++) {
        json_t *v = json_object_get(scenario, scenario_members[j]);
        if (v != NULL && json_object_get(o, scenario_members[j]) == NULL)
            json_object_set(o, scenario_members[j], v);
    }
    json_decref(scenario);
    return err;
}

/* Who names a scenario gets it, and is no part of an experiment. */
static kith_err merge(ki_service *s, ki_wish *w)
{
    const char *name = text_of(w->request, "scenario");
    if (name != NULL && name[0] != '\0') w->variant = (ki_variant){ .share = 1 };
    if (name == NULL && w->variant.scenario[0] != '\0') name = w->variant.scenario;
    if (name == NULL || name[0] == '\0') return KITH_OK;
    const kith_err err = own(w);
    return err == KITH_OK ? add_scenario(s, w->request, name) : err;
}

/* ---- lists ---- */

static kith_err take_list(const json_t *list, const char ***out, int *n)
{
    const size_t size = json_array_size(list);
    if (size == 0) return KITH_OK;
    const kith_err err = ki_alloc(out, size, sizeof **out);
    if (err != KITH_OK) return err;
    for (size_t j = 0; j < size; j++) (*out)[j] = json_string_value(json_array_get(list, j));
    *n = (int)size;
    return KITH_OK;
}

static kith_err take_values(ki_wish *w, const json_t *values)
{
    const size_t n = json_array_size(values);
    if (values == NULL) return KITH_OK;
    if ((int)n != w->q.query.n_liked)
        return ki_fail(KITH_EINVAL, "liked_values has %zu numbers for %d liked items", n,
                       w->q.query.n_liked);
    const kith_err err = ki_alloc(&w->values, n, sizeof *w->values);
    for (size_t j = 0; err == KITH_OK && j < n; j++)
        w->values[j] = (float)json_number_value(json_array_get(values, j));
    w->q.query.liked_values = w->values;
    return err;
}

/* History and session as one list: what was done in the session counts like the best of the history. */
static kith_err take_session(ki_service *s, ki_wish *w, const json_t *session)
{
    const size_t n = json_array_size(session);
    size_t at = 0;
    kith_err err = KITH_OK;
    float top = 1;
    if (w->user != NULL) err = ki_live_history(s->live, w->user, 1000, &w->history);
    if (err == KITH_ENOTFOUND) err = KITH_OK;
    const size_t m = json_array_size(w->history);
    if (err == KITH_OK) err = ki_alloc(&w->liked, n + m, sizeof *w->liked);
    if (err == KITH_OK) err = ki_alloc(&w->values, n + m, sizeof *w->values);
    if (err != KITH_OK) return err;
    for (size_t j = m; j-- > 0; at++) {
        const json_t *event = json_array_get(w->history, j);
        w->liked[at] = text_of(event, "item_id");
        w->values[at] = (float)json_number_value(json_object_get(event, "value"));
        top = KI_MAX(top, w->values[at]);
    }
    const float scale = atomic_load(&s->top_of_scale);
    if (scale > 0) top = scale;
    for (size_t j = 0; j < n; j++, at++) {
        w->liked[at] = json_string_value(json_array_get(session, j));
        w->values[at] = top;
    }
    w->q.query.liked = w->liked;
    w->q.query.liked_values = w->values;
    w->q.query.n_liked = (int)at;
    return KITH_OK;
}

static kith_err take_who(ki_service *s, ki_wish *w)
{
    const json_t *liked = json_object_get(w->request, "liked"),
                 *session = json_object_get(w->request, "session");
    kith_query *q = &w->q.query;
    kith_err err;
    if (json_array_size(session) > 0) {
        if (json_array_size(liked) > 0)
            return ki_fail(KITH_EINVAL, "liked and session are two ways to say one thing");
        return take_session(s, w, session);
    }
    if (json_array_size(liked) == 0) {
        q->user = w->user;
        return KITH_OK;
    }
    if (w->user != NULL)
        return ki_fail(KITH_EINVAL,
                       "liked is for somebody without a user_id; for a user there is session");
    if ((err = take_list(liked, &w->liked, &q->n_liked)) != KITH_OK) return err;
    q->liked = w->liked;
    return take_values(w, json_object_get(w->request, "liked_values"));
}

/* The service's list, and behind it what scenario and request name, which must fit the catalogue. */
static kith_err take_block(ki_service *s, ki_wish *w)
{
    const json_t *own = json_object_get(w->request, "block");
    w->service_block = ki_service_block_text(s);
    w->q.block = json_string_value(w->service_block);
    if (json_array_size(own) == 0) return KITH_OK;
    kith_err err = ki_block_lines(own, NULL, &w->block);
    if (err == KITH_OK) err = ki_live_check_block(s->live, w->block, NULL);
    if (err == KITH_OK && w->q.block != NULL) {
        ki_free(w->block);
        w->block = NULL;
        err = ki_block_lines(own, w->q.block, &w->block);
    }
    w->q.block = w->block;
    return err;
}

static kith_err take_rest(ki_wish *w)
{
    const char *unknown = text_of(w->request, "on_unknown");
    const json_t *wishes = json_object_get(w->request, "wishes");
    kith_query *q = &w->q.query;
    kith_err err = as_text(json_object_get(w->request, "context"), &w->context);
    if (err == KITH_OK) err = as_text(json_object_get(w->request, "pipeline"), &w->pipeline);
    if (err == KITH_OK && json_array_size(wishes) > 0) err = as_text(wishes, &w->wishes);
    if (err == KITH_OK)
        err = take_list(json_object_get(w->request, "exclude"), &w->exclude, &q->n_exclude);
    q->exclude = w->exclude;
    q->text = text_of(w->request, "text");
    q->language = text_of(w->request, "language");
    q->n = number_of(w->request, "n");
    q->n_reasons = number_of(w->request, "reasons");
    q->include_seen = json_is_true(json_object_get(w->request, "include_seen"));
    q->filter = text_of(w->request, "filter");
    q->context = w->context;
    q->pipeline = w->pipeline;
    q->wishes = w->wishes;
    if (unknown != NULL && strcmp(unknown, "error") == 0) q->on_unknown = KITH_UNKNOWN_ERROR;
    w->log = json_is_true(json_object_get(w->request, "log"));
    return err;
}

static kith_err begin(ki_service *s, const json_t *request, ki_wish *out)
{
    *out = (ki_wish){ .request = json_incref((json_t *)request), .began = ki_clock_ns() };
    if (request == NULL) return ki_fail_memory(256);
    out->settings = atomic_load(&s->news.settings);
    const kith_err err = name_ids(out);
    out->user = text_of(out->request, "user_id");
    return err;
}

static kith_err take_all(ki_service *s, ki_wish *out)
{
    kith_err err = take_rest(out);
    if (err == KITH_OK) err = take_block(s, out);
    if (err == KITH_OK) err = take_who(s, out);
    return err;
}

static int32_t count_block(const json_t *request)
{
    const json_t *list = json_object_get(request, "block");
    int32_t n = 0;
    for (size_t j = 0; j < json_array_size(list); j++)
        n += ki_block_count(json_string_value(json_array_get(list, j)));
    return n;
}

kith_err ki_wish_read(ki_service *s, const json_t *request, ki_wish *out)
{
    kith_err err = begin(s, request, out);
    if (err == KITH_OK) out->n_block = count_block(request);
    if (err == KITH_OK && out->user != NULL) ki_service_variant(s, out->user, &out->variant);
    if (err == KITH_OK) err = merge(s, out);
    if (err == KITH_OK) err = take_all(s, out);
    if (err != KITH_OK) ki_wish_clear(out);
    return err;
}

kith_err ki_wish_read_again(ki_service *s, const json_t *request, ki_wish *out)
{
    kith_err err = begin(s, request, out);
    if (err == KITH_OK) err = take_all(s, out);
    if (err != KITH_OK) ki_wish_clear(out);
    return err;
}

void ki_wish_clear(ki_wish *w)
{
    json_decref(w->request);
    json_decref(w->history);
    json_decref(w->service_block);
    ki_free(w->block);
    kith_string_free(w->context);
    kith_string_free(w->pipeline);
    kith_string_free(w->wishes);
    ki_free(w->liked);
    ki_free(w->exclude);
    ki_free(w->values);
    *w = (ki_wish){ 0 };
}

static int names_drifting(const char *filter)
{
    return filter != NULL && (strcasestr(filter, "now") != NULL || strstr(filter, "popularity"));
}

int ki_wish_drifts(const ki_wish *w)
{
    /* how far a wish about a time is met changes with the clock, whether it names now or not */
    return w->pipeline != NULL || w->history != NULL || w->wishes != NULL ||
           names_drifting(w->q.query.filter);
}
