/* SPDX-License-Identifier: MIT
 * service_forget.c -- a user is gone: from the store, the engine, lists, caches, every model file, and the keys
 *
 * What was learnt from many stays (factors of items); whatever is about this one person goes: id, attributes,
 * history, row of factors.  Files are written anew without them, or removed when that fails; a model that learns at
 * this moment forgets them before it is kept.
 *
 *      rows of the store and a record of the erasure, in one transaction --> files --> the record goes
 *
 * The record (a document of kind "erasure") has the id while there is something to do.  A start that finds one
 * finishes it, and leaves a record without the id: whoever was not answered asks again, and is told that it is done.
 */
#include "serve/service_parts.h"

#include "base/mem.h"
#include "serve/exposures.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ID_BYTES = 16, SECRET = 32, KEPT_DAYS = 30 };

/* ---- model files ---- */

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
    kith_err err = KITH_OK;
    pthread_rwlock_wrlock(&s->shadow_lock);
    if (s->shadow_model != NULL) err = ki_service_forget_in_model(s->shadow_model, user_id);
    pthread_rwlock_unlock(&s->shadow_lock);
    if (err != KITH_OK) ki_service_put_shadow(s, "", NULL);
}

/* Without the user, or no more. */
static kith_err clean(ki_service *s, kith *k, const char *name, const char *user_id)
{
    char path[KI_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", s->folder, name);
    const kith_err err = rewrite(k, path, user_id);
    if (err == KITH_OK || err == KITH_ENOMEM) return err;
    ki_service_say(s, "model_file_removed",
                   json_pack("{s:s, s:s}", "file", name, "why", kith_last_error()));
    if (unlink(path) == 0 || errno == ENOENT) return KITH_OK;
    return ki_fail(KITH_EIO, "%s: cannot be removed: %s", path, strerror(errno));
}

static kith_err forget_in_folder(ki_service *s, kith *k, const char *user_id)
{
    kith_err err = KITH_OK;
    DIR *folder = opendir(s->folder);
    if (folder == NULL) return ki_fail(KITH_EIO, "%s: %s", s->folder, strerror(errno));
    for (struct dirent *e; (e = readdir(folder)) != NULL;) {
        const kith_err one = is_model(e->d_name) ? clean(s, k, e->d_name, user_id) : KITH_OK;
        if (one != KITH_OK) err = one;
    }
    fsync(dirfd(folder)); /* what was removed must not come back when the power goes */
    closedir(folder);
    return err;
}

static kith_err forget_in_files(ki_service *s, const char *user_id)
{
    kith *k = NULL;
    kith_err err = kith_new(&(kith_options){ .threads = 1, .seed = s->seed }, &k);
    if (err != KITH_OK) return err;
    pthread_mutex_lock(&s->models);
    if (s->n_training > 0 && json_array_append_new(s->forgotten, json_string(user_id)) != 0)
        err = ki_fail_memory(64);
    const kith_err files = forget_in_folder(s, k, user_id);
    forget_in_shadow(s, user_id);
    pthread_mutex_unlock(&s->models);
    kith_free(k);
    return err == KITH_OK ? files : err;
}

/* ---- the record ---- */

kith_err ki_service_erasure_id(ki_service *s, const char *user_id, char *out)
{
    unsigned char secret[SECRET], hash[ID_BYTES];
    char hex[2 * SECRET + 1];
    size_t n = 0;
    json_t *o = NULL;
    kith_err err = ki_store_get(s->store, KI_DOCUMENTS, "secret", "erasures", &o);
    if (err == KITH_ENOTFOUND) {
        randombytes_buf(secret, sizeof secret);
        o = json_pack("{s:s}", "secret", sodium_bin2hex(hex, sizeof hex, secret, sizeof secret));
        err = o == NULL ? ki_fail_memory(256) : ki_service_put_document(s, "secret", "erasures", o);
    } else if (err == KITH_OK) {
        const char *text = json_string_value(json_object_get(o, "secret"));
        if (text == NULL ||
            sodium_hex2bin(secret, SECRET, text, strlen(text), NULL, &n, NULL) != 0 || n != SECRET)
            err = ki_fail(KITH_EFORMAT, "the store's secret for erasures cannot be read");
    }
    json_decref(o);
    if (err != KITH_OK) return err;
    crypto_generichash(hash, sizeof hash, (const unsigned char *)user_id, strlen(user_id), secret,
                       sizeof secret);
    sodium_bin2hex(out, KI_ERASURE_ID, hash, sizeof hash);
    return KITH_OK;
}

static kith_err has_record(ki_service *s, const char *id, int *has)
{
    json_t *o = NULL;
    const kith_err err = ki_store_get(s->store, KI_DOCUMENTS, "erasure", id, &o);
    *has = err == KITH_OK;
    json_decref(o);
    return err == KITH_ENOTFOUND ? KITH_OK : err;
}

static kith_err drop_record(ki_service *s, const char *id)
{
    ki_change c = { .change = KI_DROP_DOCUMENT, .kind = "erasure", .id = id };
    return ki_store_write(s->store, &c, 1);
}

/* Nothing is left to do, and somebody may ask. */
static kith_err close_record(ki_service *s, const char *id)
{
    char done[64];
    snprintf(done, sizeof done, "{\"done_ms\":%lld}", (long long)ki_now_ms());
    ki_change c[] = { { .change = KI_DROP_DOCUMENT, .kind = "erasure", .id = id },
                      { .change = KI_PUT_DOCUMENT, .kind = "erasure", .id = id, .json = done } };
    return ki_store_write(s->store, c, (int)KI_COUNT(c));
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

/* The user, their keys and the record in one transaction: none of them outlives the others.  Journals and keys may
 * know a user whom the engine does not: *n_dropped counts them all.  With the gate held alone, so that what was
 * written before goes and what comes later is judged by the erasure. */
static kith_err drop(ki_service *s, const char *user_id, const char *id, const char *record,
                     int64_t *n_dropped)
{
    struct own o = { .user_id = user_id, .ids = json_array(), .n = 2, .room = 4 };
    const ki_select keys = { .kind = "key" };
    kith_err err =
        o.ids == NULL ? ki_fail_memory(64) : ki_alloc(&o.changes, o.room, sizeof *o.changes);
    if (err == KITH_OK) {
        o.changes[0] =
            (ki_change){ .change = KI_PUT_DOCUMENT, .kind = "erasure", .id = id, .json = record };
        o.changes[1] = (ki_change){ .change = KI_DROP_USER, .id = user_id };
    }
    pthread_rwlock_wrlock(&s->gate);
    if (err == KITH_OK) err = ki_store_each(s->store, KI_DOCUMENTS, &keys, take_key, &o);
    if (err == KITH_OK) err = ki_store_write(s->store, o.changes, (int)o.n);
    pthread_rwlock_unlock(&s->gate);
    for (size_t j = 1; err == KITH_OK && j < o.n; j++) *n_dropped += o.changes[j].n_dropped;
    ki_free(o.changes);
    json_decref(o.ids);
    return err;
}

static kith_err erase_rows(ki_service *s, const char *user_id, const char *id, int64_t *n)
{
    json_t *record = json_pack("{s:s}", "user_id", user_id);
    char *text = record == NULL ? NULL : json_dumps(record, JSON_COMPACT);
    kith_err err = text == NULL ? ki_fail_memory(64) : KITH_OK;
    ki_erasures_begin(&s->erasures, user_id);
    ki_exposures_flush(s->exposures);
    if (err == KITH_OK) err = drop(s, user_id, id, text, n);
    ki_erasures_end(&s->erasures);
    free(text);
    json_decref(record);
    return err;
}

/* With the lock on forgetting held. */
static kith_err forget(ki_service *s, const char *user_id)
{
    char id[KI_ERASURE_ID];
    int64_t n = 0;
    int recorded = 0;
    kith_err err = ki_service_erasure_id(s, user_id, id);
    if (err == KITH_OK) err = has_record(s, id, &recorded);
    if (err == KITH_OK) err = erase_rows(s, user_id, id, &n);
    if (err != KITH_OK) return err;
    ki_lists_kept_forget(s->lists,
                         user_id); /* a list may be kept of somebody who is not in the store */
    if (n == 0 && !recorded) {
        err = drop_record(s, id);
        return err != KITH_OK ? err : ki_fail(KITH_ENOTFOUND, "no user \"%.64s\"", user_id);
    }
    err = forget_in_files(s, user_id);
    if (err == KITH_OK) err = ki_service_cache_empty(s);
    return err == KITH_OK ? drop_record(s, id) : err;
}

kith_err ki_service_forget_user(ki_service *s, const char *user_id)
{
    pthread_mutex_lock(&s->forgetting);
    const kith_err err = forget(s, user_id);
    pthread_mutex_unlock(&s->forgetting);
    return err;
}

/* ---- at a start ---- */

static kith_err take_record(void *udata, const ki_row *row)
{
    json_t *o = json_loads(row->json, 0, NULL);
    if (o == NULL || json_object_set_new(o, "id", json_string(row->id)) != 0 ||
        json_array_append(udata, o) != 0) {
        json_decref(o);
        return ki_fail_memory(256);
    }
    json_decref(o);
    return KITH_OK;
}

static kith_err finish(ki_service *s, const json_t *record)
{
    const char *id = json_string_value(json_object_get(record, "id")),
               *user = json_string_value(json_object_get(record, "user_id"));
    const json_int_t done = json_integer_value(json_object_get(record, "done_ms"));
    if (user == NULL)
        return ki_now_ms() - done > (json_int_t)KEPT_DAYS * 86400000 ? drop_record(s, id) : KITH_OK;
    kith_err err = forget_in_files(s, user);
    if (err != KITH_OK) return err;
    if (ki_service_cache_empty(s) != KITH_OK) { /* the record stays: the next start tries again */
        ki_service_say(s, "erasure_waits_for_cache", json_pack("{s:s}", "record", id));
        return KITH_OK;
    }
    if ((err = close_record(s, id)) == KITH_OK)
        ki_service_say(s, "erasure_finished", json_pack("{s:s}", "record", id));
    return err;
}

kith_err ki_service_finish_erasures(ki_service *s)
{
    const ki_select records = { .kind = "erasure" };
    json_t *all = json_array();
    kith_err err = all == NULL ? ki_fail_memory(64)
                               : ki_store_each(s->store, KI_DOCUMENTS, &records, take_record, all);
    for (size_t j = 0; err == KITH_OK && j < json_array_size(all); j++)
        err = finish(s, json_array_get(all, j));
    json_decref(all);
    return err;
}
