/* SPDX-License-Identifier: MIT
 * service_world.h -- a service without HTTP for a test: 60 users in two camps, who rate the items of their camp high and
 * others low
 */
#ifndef KITH_TEST_SERVICE_WORLD_H
#define KITH_TEST_SERVICE_WORLD_H

#include "redis.h"

#include "base/mem.h"
#include "serve/jsonwrite.h"
#include "serve/lists_kept.h"
#include "serve/meaning.h"
#include "serve/service_parts.h"
#include "store/cache.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static kith *context;
static ki_service *s;
static char folder[] = "/tmp/kith-service-XXXXXX";
static char db[64], csv[64];

static inline void write_csv(void)
{
    FILE *f = fopen(csv, "w");
    fprintf(f, "user,item,rating,timestamp\n");
    for (int u = 0; u < 60; u++)
        for (int j = 0; j < 12; j++) {
            const int i = (u * 7 + j * 3) % 40, own = (i % 2) == (u % 2);
            fprintf(f, "u%d,i%d,%d,%d\n", u, i, own ? 5 : 1 + (u + j) % 2, 1600000000 + u * 100 + j);
        }
    fclose(f);
}

static inline void make_folder(void)
{
    CHECK(mkdtemp(folder) != NULL);
    snprintf(db, sizeof db, "%s/kith.db", folder);
    snprintf(csv, sizeof csv, "%s/ratings.csv", folder);
    write_csv();
}

static const char *redis_url; /* where lists are kept; NULL: in memory */

static inline void open_service(const char *path, const char *data)
{
    ki_settings settings;
    CHECK_OK(ki_settings_read(NULL, &settings));
    settings.train_every = -1;
    if (redis_url != NULL) {
        settings.caching = KI_CACHING_REDIS;
        snprintf(settings.redis_url, sizeof settings.redis_url, "%s", redis_url);
    }
    snprintf(settings.protocol, sizeof settings.protocol, "holdout:0.8");
    CHECK_OK(kith_new(&(kith_options){ .threads = 1, .seed = 7 }, &context));
    CHECK_OK(ki_service_open(
        &(ki_service_options){ .db = path, .data = data, .model = "item-knn", .settings = &settings, .k = context },
        &s));
}

static inline void close_service(void)
{
    ki_service_close(s);
    kith_free(context);
    s = NULL;
}

static inline void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK_INT(system(command), 0);
}

static inline json_t *ask(const char *request)
{
    ki_text t = { 0 };
    json_t *q = json_loads(request, 0, NULL);
    CHECK(q != NULL);
    CHECK_OK(ki_service_recommend(s, q, &t));
    json_t *reply = json_loads(t.at, 0, NULL);
    ck_assert_msg(reply != NULL, "no JSON: %s", t.at);
    ki_text_clear(&t);
    json_decref(q);
    return reply;
}

static inline int has(const json_t *reply, const char *item)
{
    size_t j;
    const json_t *one;
    json_array_foreach (json_object_get(reply, "items"), j, one)
        if (strcmp(json_string_value(json_object_get(one, "item_id")), item) == 0) return 1;
    return 0;
}

static inline char *first_of(const char *request)
{
    static char id[64];
    json_t *reply = ask(request);
    const json_t *one = json_array_get(json_object_get(reply, "items"), 0);
    CHECK(one != NULL);
    snprintf(id, sizeof id, "%s", json_string_value(json_object_get(one, "item_id")));
    json_decref(reply);
    return id;
}

static inline kith_err event(const char *user, const char *item, const char *kind, double value)
{
    ki_change c = { .change = KI_ADD_EVENT, .kind = kind, .user = user, .item = item, .value = value };
    return ki_service_write(s, &c, 1);
}

static inline double value_of(const char *user, const char *item)
{
    json_t *history = NULL;
    double value = NAN;
    size_t j;
    const json_t *one;
    CHECK_OK(ki_live_history(ki_service_live(s), user, 1000, &history));
    json_array_foreach (history, j, one)
        if (strcmp(json_string_value(json_object_get(one, "item_id")), item) == 0)
            value = json_number_value(json_object_get(one, "value"));
    json_decref(history);
    return value;
}

static inline json_t *train(const char *algorithm, int promote)
{
    kith *k;
    json_t *document = NULL;
    const ki_recipe r = { .algorithm = algorithm, .promote = promote };
    CHECK_OK(kith_new(&(kith_options){ .threads = 1, .seed = 7 }, &k));
    CHECK_OK(ki_service_train(s, k, &r, &document));
    kith_free(k);
    return document;
}

/* Bytes of the name in any file of the folder. */
static inline int found_anywhere(const char *name)
{
    char command[256];
    snprintf(command, sizeof command, "grep -rqa %s %s --exclude=ratings.csv", name, folder);
    return system(command) == 0;
}

#endif
