/* SPDX-License-Identifier: MIT
 * settings.c -- the table of settings, and reading a config
 */
#include "serve/settings.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "serve/limits.h"

#include <stddef.h>
#include <string.h>

#define AT(field) offsetof(ki_settings, field)

static const char *const caching_words[] = { "none", "memory", "redis", NULL };

const ki_param ki_setting_table[] = {
    /* training */
    { .name = "train_every",
      .kind = KI_FLOAT,
      .offset = AT(train_every),
      .init = 3600,
      .min = -1,
      .max = 1e7,
      .meaning =
          "seconds between trainings when there was news; below 0: only when asked; 0: an hour" },
    { .name = "keep_old",
      .kind = KI_FLOAT,
      .offset = AT(keep_old),
      .init = 0.05,
      .max = 1,
      .meaning = "a new model may be worse than the one in force by this share of its metric, and "
                 "still be promoted" },
    { .name = "train_threads",
      .kind = KI_INT,
      .offset = AT(train_threads),
      .max = 256,
      .meaning = "threads of training; 0: half of the processors" },
    { .name = "keep_models",
      .kind = KI_INT,
      .offset = AT(keep_models),
      .init = 5,
      .min = 1,
      .max = 1000,
      .meaning = "model files that are kept for a rollback" },
    { .name = "protocol",
      .kind = KI_TEXT,
      .offset = AT(protocol),
      .meaning = "how models are evaluated: temporal:0.8, holdout:0.8, ...; empty: by time where "
                 "there are times" },
    { .name = "metric",
      .kind = KI_TEXT,
      .offset = AT(metric),
      .meaning = "what a model must be good at to be promoted; empty: ndcg@10" },
    /* asking */
    { .name = "caching",
      .kind = KI_CHOICE,
      .offset = AT(caching),
      .init = KI_CACHING_MEMORY,
      .choices = caching_words,
      .meaning = "where finished lists are kept" },
    { .name = "cache_mb",
      .kind = KI_INT,
      .offset = AT(cache_mb),
      .init = 64,
      .min = 1,
      .max = 1 << 20,
      .meaning = "megabytes of lists that are kept in memory" },
    { .name = "redis_url",
      .kind = KI_TEXT,
      .offset = AT(redis_url),
      .meaning = "of the Redis that keeps them; empty: what REDIS_URL says" },
    { .name = "lists_kept",
      .kind = KI_INT,
      .offset = AT(lists_kept),
      .init = 65536,
      .min = 16,
      .max = 1 << 24,
      .meaning = "lists that can be continued and answered to by their rec_id" },
    { .name = "log_lists",
      .kind = KI_BOOL,
      .offset = AT(log_lists),
      .meaning = "write every list that was shown into the journal, and not only those of "
                 "experiments" },
    { .name = "trend_half_life",
      .kind = KI_FLOAT,
      .offset = AT(trend_half_life),
      .init = 604800,
      .min = 1,
      .max = 1e9,
      .meaning = "seconds after which an event counts half in what is trending" },
    { .name = "shadow_share",
      .kind = KI_FLOAT,
      .offset = AT(shadow_share),
      .init = 0.1,
      .max = 1,
      .meaning = "share of lists for which a shadow model is asked too" },
    /* keeping */
    { .name = "commit_wait_us",
      .kind = KI_INT,
      .offset = AT(commit_wait_us),
      .max = 1000000,
      .meaning =
          "microseconds that writes are gathered before they are committed to the disk together" },
};
const int ki_n_settings = (int)KI_COUNT(ki_setting_table);

kith_err ki_settings_read(const json_t *config, ki_settings *out)
{
    const json_t *own = json_object_get(config, "service");
    ki_settings made;
    kith_err err = KITH_OK;
    memset(&made, 0, sizeof made);
    ki_params_default(ki_setting_table, ki_n_settings, &made);
    if (own != NULL && !json_is_object(own))
        return ki_fail(KITH_EINVAL, "config, /service: want an object");
    if (own != NULL)
        err = ki_params_read(ki_setting_table, ki_n_settings, &made, "config, /service", own);
    if (err == KITH_OK) *out = made;
    return err;
}

/* ---- all sections, for help and the environment ---- */

static void name_section(json_t *list, const char *section)
{
    size_t j;
    json_t *one;
    json_array_foreach (list, j, one) json_object_set_new(one, "section", json_string(section));
}

/* From a member of a schema to what ki_params_describe says of a parameter. */
static json_t *from_schema(const char *section, const char *name, const json_t *schema)
{
    static const char *const pairs[][2] = { { "type", "type" },    { "default", "default" },
                                            { "minimum", "min" },  { "maximum", "max" },
                                            { "enum", "choices" }, { "description", "meaning" } };
    json_t *one = json_pack("{s:s, s:s}", "section", section, "name", name);
    for (size_t j = 0; j < KI_COUNT(pairs); j++) {
        json_t *v = json_object_get(schema, pairs[j][0]);
        if (v != NULL) json_object_set(one, pairs[j][1], v);
    }
    return one;
}

static void add_limits(json_t *list)
{
    const char *section, *name;
    json_t *inside, *member, *schema = ki_limits_schema();
    json_object_foreach (json_object_get(schema, "properties"), section, inside) {
        const json_t *members = json_object_get(inside, "properties");
        if (members == NULL) json_array_append_new(list, from_schema("", section, inside));
        json_object_foreach ((json_t *)members, name, member)
            json_array_append_new(list, from_schema(section, name, member));
    }
    json_decref(schema);
}

kith_err kith_serve_settings(char **json)
{
    if (json == NULL) return ki_fail(KITH_EINVAL, "kith_serve_settings: json must not be NULL");
    json_t *list = ki_params_describe(ki_setting_table, ki_n_settings);
    if (list != NULL) {
        name_section(list, "service");
        add_limits(list);
    }
    return ki_json_print(list, json);
}
