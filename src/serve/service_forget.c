/* SPDX-License-Identifier: MIT
 * service_forget.c -- a user is gone: from the store, the engine, lists, caches, every model file, and the keys
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

/* A shadow that cannot forget is asked no more. */
static void forget_in_shadow(ki_service *s, const char *user_id)
{
    if (s->shadow_model == NULL || ki_service_forget_in_model(s->shadow_model, user_id) == KITH_OK)
        return;
    kith_model_free(s->shadow_model);
    s->shadow_model = NULL;
    s->shadow[0] = '\0';
    atomic_store(&s->has_shadow, 0);
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
    forget_in_shadow(s, user_id);
    pthread_mutex_unlock(&s->models);
}

/* ---- keys that speak for the user ---- */

struct own { /* the change that drops the user, then one for each key of theirs */
    const char *user_id;
    ki_change *changes;
    json_t *ids; /* of the keys; what the changes point into */
    size_t n, room;
};

static kith_err take_key(void *udata, const ki_row *row)
{
    struct own *o = udata;
    json_t *key = row->json == NULL ? NULL : json_loads(row->json, 0, NULL), *id = NULL;
    const char *user = json_string_value(json_object_get(key, "user"));
    const int theirs = user != NULL && strcmp(user, o->user_id) == 0;
    kith_err err = KITH_OK;
    json_decref(key);
    if (!theirs) return KITH_OK;
    if (o->n == o->room) {
        err = ki_grow(&o->changes, o->room, 2 * o->room, sizeof *o->changes);
        if (err != KITH_OK) return err;
        o->room *= 2;
    }
    id = json_string(row->id);
    if (json_array_append_new(o->ids, id) != 0) return ki_fail_memory(64);
    o->changes[o->n++] =
        (ki_change){ .change = KI_DROP_DOCUMENT, .kind = "key", .id = json_string_value(id) };
    return KITH_OK;
}

/* The user and their keys in one transaction: none of them outlives the other.  Journals and keys may know a user
 * whom the engine does not: *n_dropped counts them all. */
static kith_err drop(ki_service *s, const char *user_id, int64_t *n_dropped)
{
    struct own o = { .user_id = user_id, .ids = json_array(), .n = 1, .room = 4 };
    const ki_select keys = { .kind = "key" };
    kith_err err =
        o.ids == NULL ? ki_fail_memory(64) : ki_alloc(&o.changes, o.room, sizeof *o.changes);
    if (err == KITH_OK) {
        o.changes[0] = (ki_change){ .change = KI_DROP_USER, .id = user_id };
        err = ki_store_each(s->store, KI_DOCUMENTS, &keys, take_key, &o);
    }
    if (err == KITH_OK) err = ki_service_write(s, o.changes, (int)o.n);
    for (size_t j = 0; err == KITH_OK && j < o.n; j++) *n_dropped += o.changes[j].n_dropped;
    ki_free(o.changes);
    json_decref(o.ids);
    return err;
}

kith_err ki_service_forget_user(ki_service *s, const char *user_id)
{
    kith *k = NULL;
    int64_t n = 0;
    kith_err err = kith_new(&(kith_options){ .threads = 1, .seed = s->seed }, &k);
    if (err != KITH_OK) return err;
    ki_exposures_flush(s->exposures);
    err = drop(s, user_id, &n);
    if (err == KITH_OK && n == 0) err = ki_fail(KITH_ENOTFOUND, "no user \"%.64s\"", user_id);
    if (err == KITH_OK) {
        ki_lists_kept_forget(s->lists, user_id);
        forget_in_files(s, k, user_id);
        err = ki_service_cache_empty(s);
    }
    kith_free(k);
    return err;
}
