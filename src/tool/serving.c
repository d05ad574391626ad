/* SPDX-License-Identifier: MIT
 * serving.c -- the lists of a run: for whom, without which items, through which cache
 */
#include "tool/running.h"

#include "base/mem.h"
#include "data/jsonrow.h" /* ki_json_id */
#include "store/cache.h"

#include <stdlib.h>
#include <string.h>

struct ids { /* a list of ids of the context, as text */
    char **at;
    int n;
};

static kith_err take_ids(const json_t *list, struct ids *out)
{
    char buffer[24];
    const size_t n = json_array_size(list);
    kith_err err = ki_alloc(&out->at, n, sizeof *out->at);
    for (size_t j = 0; err == KITH_OK && j < n; j++) {
        const ki_span id = ki_json_id(json_array_get(list, j), buffer);
        err = ki_strndup(&out->at[out->n], id.at, id.n);
        if (err == KITH_OK) out->n++;
    }
    return err;
}

static void clear_ids(struct ids *l)
{
    for (int j = 0; j < l->n; j++) ki_free(l->at[j]);
    ki_free(l->at);
}

/* All users of the dataset; the names are its own. */
static kith_err all_users(const kith_data *d, const char ***out)
{
    const kith_err err = ki_alloc(out, (size_t)d->users.n, sizeof **out);
    for (int32_t u = 0; err == KITH_OK && u < d->users.n; u++) (*out)[u] = kith_data_user_id(d, u);
    return err;
}

/* ---- the cache ---- */

static const char strategy_at[] = "/deployment_configuration/caching_strategy";

/* A server is named by the environment; a name that is no good is the operator's mistake and said before any
 * work is done, as nobody would see it afterwards. */
static kith_err find_redis(ki_run *r)
{
    const char *url = getenv("REDIS_URL");
    if (url == NULL || url[0] == '\0') {
        ki_warning(&r->findings,
                   "%s: the environment variable REDIS_URL names no server, so that nothing "
                   "is cached",
                   strategy_at);
        return KITH_OK;
    }
    const double ttl = ki_run_number(r, "deployment_configuration", "cache_seconds");
    const kith_err err = kith_cache_redis(url, ttl, &r->own_cache);
    if (err != KITH_EINVAL) return err;
    ki_object_to_pointer(&r->findings, strategy_at, "%s", kith_last_error());
    return KITH_OK;
}

kith_err ki_run_cache(ki_run *r)
{
    const char *strategy = json_string_value(json_object_get(r->deployment, "caching_strategy"));
    kith_err err;
    if (strategy == NULL || strcmp(strategy, "none") == 0) return KITH_OK;
    if (r->o->cache != NULL && strcmp(ki_cache_strategy(r->o->cache), strategy) == 0) {
        r->cache = r->o->cache;
        return KITH_OK;
    }
    err = strcmp(strategy, "redis") == 0 ? find_redis(r) : kith_cache_memory(0, &r->own_cache);
    r->cache = r->own_cache;
    return err;
}

/* What the lists had to be made without. */
static void warn_of_cache(ki_run *r)
{
    char why[KI_MESSAGE_SIZE];
    if (r->lists.n_unasked == 0) return;
    ki_cache_trouble(r->cache, why);
    ki_warning(&r->findings,
               "the cache could not be asked for %lld of %lld lists, which were made anew: %.300s",
               (long long)r->lists.n_unasked, (long long)r->lists.n_lookups, why);
}

/* ---- the lists ---- */

/* A number of context_data, or its default. */
static int context_number(const ki_run *r, const char *field, int otherwise)
{
    const json_t *v = json_object_get(r->intake.context, field);
    return v == NULL ? otherwise : (int)json_number_value(v);
}

static kith_err find_similar(ki_run *r, const ki_lists_options *o)
{
    static const char pointer[] = "/recommendation_results/recommendations/item_recommendations";
    const int32_t n_items = r->intake.data->items.n;
    const int most = context_number(r, "similar_for", 1000),
              n = context_number(r, "similar_items", r->n);
    if (most == 0 || n == 0) {
        ki_left_out(&r->findings, pointer, "context_data asks for none");
        return KITH_OK;
    }
    const kith_err err = ki_similar_make(o, KI_MIN(n_items, most), n, &r->similar);
    r->has_similar = err == KITH_OK;
    if (err == KITH_EDATA) {
        ki_left_out(&r->findings, pointer, "%s", kith_last_error());
        return KITH_OK;
    }
    if (n_items > most)
        ki_warning(&r->findings,
                   "item_recommendations holds the first %d of %d items (context_data.similar_for)",
                   most, n_items);
    return err;
}

static kith_err make_all(ki_run *r, ki_lists_options *o)
{
    kith_err err = ki_lists_make(o, &r->lists);
    if (err == KITH_OK) warn_of_cache(r);
    if (err == KITH_OK) err = ki_lists_latency(o, &r->latency);
    return err == KITH_OK ? find_similar(r, o) : err;
}

kith_err ki_run_lists(ki_run *r)
{
    const json_t *context = r->intake.context, *named = json_object_get(context, "users");
    const char *cold = json_string_value(json_object_get(context, "on_cold_start"));
    struct ids users = { 0 }, exclude = { 0 }, why_not = { 0 };
    const char **everybody = NULL;
    kith_block *block = NULL;
    kith_err err;
    if ((err = take_ids(json_object_get(context, "exclude_items"), &exclude)) != KITH_OK) goto done;
    if ((err = take_ids(json_object_get(context, "why_not"), &why_not)) != KITH_OK) goto done;
    if ((err = take_ids(named, &users)) != KITH_OK) goto done;
    if ((err = all_users(r->intake.data, &everybody)) != KITH_OK) goto done;
    if (r->block != NULL && (err = kith_block_new(r->model, r->block, &block)) != KITH_OK)
        goto done;
    ki_lists_options o = {
        .k = r->k,
        .job = r->job,
        .model = r->model,
        .data = r->intake.data,
        .model_id = r->model_id,
        .users = named != NULL ? (const char *const *)users.at : everybody,
        .n_users = named != NULL ? users.n : r->intake.data->users.n,
        .n = r->n,
        .n_reasons = context_number(r, "reasons", 3),
        .include_seen = json_is_true(json_object_get(context, "include_seen")),
        .on_unknown =
            cold != NULL && strcmp(cold, "error") == 0 ? KITH_UNKNOWN_ERROR : KITH_UNKNOWN_POPULAR,
        .exclude = (const char *const *)exclude.at,
        .n_exclude = exclude.n,
        .why_not = (const char *const *)why_not.at,
        .n_why_not = why_not.n,
        .block = block,
        .block_text = r->block,
        .filter = r->filter,
        .values = r->values,
        .wishes = r->wishes,
        .own_wishes = r->own_wishes,
        .pipeline = r->pipeline,
        .language = json_string_value(json_object_get(context, "language")),
        .one_by_one = !ki_run_flag(r, "deployment_configuration", "batch_processing"),
        .cache = r->cache,
        .run = r->o,
    };
    err = make_all(r, &o);
done:
    kith_block_free(block);
    clear_ids(&users);
    clear_ids(&exclude);
    clear_ids(&why_not);
    ki_free(everybody);
    return err;
}
