/* SPDX-License-Identifier: MIT
 * service_forget.c -- a user is gone: from the store, the engine, lists, caches, and every model file
 *
 * What was learnt from many stays (factors of items); whatever is about this one person goes: id, attributes,
 * history, row of factors.  Files are written anew without them, or removed when that fails; a model that learns at
 * this moment forgets them before it is kept.
 */
#include "serve/service_parts.h"

#include "base/mem.h"
#include "serve/exposures.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int is_model(const char *name)
{
    const size_t n = strlen(name);
    return n > 5 && strcmp(name + n - 5, ".kith") == 0;
}

kith_err ki_service_forget_in_model(kith_model *m, const char *user_id)
{
    const int32_t u = kith_model_find_user(m, user_id);
    return u < 0 ? KITH_OK : ki_package_forget_user(m, u);
}

/* With the lock on models held, so that no file comes or goes meanwhile. */
static kith_err rewrite(kith *k, const char *path, const char *user_id)
{
    kith_model *m = NULL;
    kith_err err = kith_model_load(k, path, &m);
    if (err == KITH_OK && kith_model_find_user(m, user_id) >= 0) {
        err = ki_service_forget_in_model(m, user_id);
        if (err == KITH_OK) err = kith_model_save(k, m, path);
    }
    kith_model_free(m);
    return err;
}

static void forget_in_files(ki_service *s, kith *k, const char *user_id)
{
    char path[KI_PATH_MAX];
    pthread_mutex_lock(&s->models);
    if (s->n_training > 0) json_array_append_new(s->forgotten, json_string(user_id));
    DIR *folder = opendir(s->folder);
    for (struct dirent *e; folder != NULL && (e = readdir(folder)) != NULL;) {
        if (!is_model(e->d_name)) continue;
        snprintf(path, sizeof path, "%s/%s", s->folder, e->d_name);
        if (rewrite(k, path, user_id) == KITH_OK) continue;
        unlink(path);
        ki_service_say(s, "model_file_removed",
                       json_pack("{s:s, s:s}", "file", e->d_name, "why", kith_last_error()));
    }
    if (folder != NULL) closedir(folder);
    pthread_mutex_unlock(&s->models);
}

kith_err ki_service_forget_user(ki_service *s, const char *user_id)
{
    ki_change drop = { .change = KI_DROP_USER, .id = user_id };
    kith *k = NULL;
    int32_t u;
    kith_err err = ki_live_find_user(s->live, user_id, &u);
    if (err == KITH_OK) err = kith_new(&(kith_options){ .threads = 1, .seed = s->seed }, &k);
    if (err != KITH_OK) return err;
    ki_exposures_flush(s->exposures);
    err = ki_service_write(s, &drop, 1);
    if (err == KITH_OK) {
        ki_lists_kept_forget(s->lists, user_id);
        forget_in_files(s, k, user_id);
        err = ki_service_cache_empty(s);
    }
    kith_free(k);
    return err;
}
