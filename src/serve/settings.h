/* SPDX-License-Identifier: MIT
 * settings.h -- every setting of the service in one table: config file, environment, help and check come from it
 *
 * A setting is a ki_param.  In a config file it stands in the section "service" ({"service": {"train_every": 600}}), in
 * the environment as KITH_SERVICE_TRAIN_EVERY; `kith serve --settings` lists all sections.
 */
#ifndef KI_SETTINGS_H
#define KI_SETTINGS_H

#include "base/param.h"

typedef enum ki_caching { KI_CACHING_NONE, KI_CACHING_MEMORY, KI_CACHING_REDIS } ki_caching;

typedef struct ki_settings {
    /* training */
    float train_every, keep_old;
    int32_t train_threads, keep_models;
    char protocol[KI_TEXT_ROOM], metric[KI_TEXT_ROOM];
    /* asking */
    int32_t caching, cache_mb, lists_kept, log_lists;
    char redis_url[KI_TEXT_ROOM];
    float trend_half_life, shadow_share;
    /* keeping */
    int32_t commit_wait_us;
} ki_settings;

extern const ki_param ki_setting_table[];
extern const int ki_n_settings;

/* Every setting its default, then those of the section "service" of `config` (NULL: none).  KITH_EINVAL names a
 * setting that there is not, or a value that is out of range. */
kith_err ki_settings_read(const json_t *config, ki_settings *out);

#endif
