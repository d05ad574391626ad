/* SPDX-License-Identifier: MIT
 * service.c -- opening, closing, and the one way in which anything changes
 *
 * Opening reads the store into the engine, or a file into an empty store, and ends with a model in force if there
 * is anything to learn from.  An import that was cut short leaves a mark; the next start begins it anew.
 */
#include "serve/service_parts.h"

#include "base/file.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "data/dataset.h" /* ki_context_job */
#include "tool/events.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void ki_service_say(const ki_service *s, const char *event, json_t *fields)
{
    ki_event(&s->log, event, fields);
}

ki_live *ki_service_live(ki_service *s)
{
    return s->live;
}

ki_store *ki_service_store(ki_service *s)
{
    return s->store;
}

ki_tasks *ki_service_tasks(ki_service *s)
{
    return s->tasks;
}

/* ---- writing ---- */

static kith_err naming(const ki_change *c, int j, int n)
{
    char sentence[KI_MESSAGE_SIZE];
    ki_message_get(sentence);
    if (n == 1) return KITH_EINVAL;
    return ki_fail(KITH_EINVAL, "number %d (%.60s): %.800s", j + 1,
                   c->change == KI_ADD_EVENT ? c->item : c->id, sentence);
}

static kith_err check_events(const ki_meanings *m, const ki_change *changes, int n)
{
    const int64_t now = ki_now_ms();
    for (int j = 0; j < n; j++)
        if (changes[j].change == KI_ADD_EVENT &&
            ki_meanings_check(m, changes[j].kind, changes[j].value, changes[j].time_ms, now) !=
                KITH_OK)
            return naming(&changes[j], j, n);
    return KITH_OK;
}

static int has_attributes(const ki_change *changes, int n)
{
    for (int j = 0; j < n; j++)
        if ((changes[j].change == KI_PUT_USER || changes[j].change == KI_PUT_ITEM) &&
            changes[j].json != NULL)
            return 1;
    return 0;
}

static kith_err check_attributes(ki_service *s, const ki_change *changes, int n,
                                 ki_change_kind kind)
{
    json_t **parsed = NULL;
    int m = 0;
    kith_err err = ki_alloc(&parsed, (size_t)n, sizeof *parsed);
    for (int j = 0; err == KITH_OK && j < n; j++) {
        if (changes[j].change != kind || changes[j].json == NULL) continue;
        parsed[m] = json_loads(changes[j].json, 0, NULL);
        const int is_object = json_is_object(parsed[m]);
        m++;
        if (!is_object) err = ki_fail(KITH_EINVAL, "attributes want one JSON object");
    }
    if (err == KITH_OK && m > 0)
        err = ki_live_check_attributes(s->live, kind == KI_PUT_ITEM, (const json_t *const *)parsed,
                                       m);
    for (int j = 0; parsed != NULL && j < m; j++) json_decref(parsed[j]);
    ki_free(parsed);
    return err;
}

static kith_err write_attributes(ki_service *s, ki_change *changes, int n)
{
    pthread_mutex_lock(&s->attributes);
    kith_err err = check_attributes(s, changes, n, KI_PUT_USER);
    if (err == KITH_OK) err = check_attributes(s, changes, n, KI_PUT_ITEM);
    if (err == KITH_OK) err = ki_store_write(s->store, changes, n);
    pthread_mutex_unlock(&s->attributes);
    return err;
}

/* The first events of a store say whether there are ratings, and on which scale. */
static void learn_scale(ki_meanings *m, const ki_change *changes, int n)
{
    double low = m->low, high = m->high;
    for (int j = 0; j < n; j++) {
        if (changes[j].change != KI_ADD_EVENT) continue;
        if (!ki_meanings_is_rating(m, changes[j].kind)) continue;
        m->ratings = 1;
        low = fmin(low, changes[j].value);
        high = fmax(high, changes[j].value);
    }
    if (m->ratings && ki_usual_scale(&low, &high)) {
        m->low = low;
        m->high = high;
    }
}

/* Found, checked by, kept, and only then in force: what is refused decides nothing. */
static kith_err settle_meanings(ki_service *s, const ki_change *changes, int n)
{
    ki_meanings settled = s->meanings;
    json_t *document = NULL;
    kith_err err = ki_store_get(s->store, KI_DOCUMENTS, "setting", "events", &document);
    if (err == KITH_ENOTFOUND) document = json_object();
    if (document == NULL) return err == KITH_ENOTFOUND ? ki_fail_memory(64) : err;
    settled.decided = 1;
    learn_scale(&settled, changes, n);
    json_object_set_new(document, "preference",
                        json_string(settled.ratings ? "ratings" : "strengths"));
    json_object_set_new(document, "low", json_real(settled.low));
    json_object_set_new(document, "high", json_real(settled.high));
    json_object_set_new(document, "most", json_real(settled.most));
    err = check_events(&settled, changes, n);
    if (err == KITH_OK) err = ki_service_put_document(s, "setting", "events", document);
    json_decref(document);
    if (err == KITH_OK) ki_service_take_meanings(s, &settled);
    return err;
}

static kith_err fail_gone(const char *user)
{
    return ki_fail(KITH_EINVAL,
                   "user \"%.60s\" was deleted while this was on its way; send it again "
                   "if it is meant for somebody new",
                   user);
}

kith_err ki_service_begin_keeping(ki_service *s, const char *user_id, int64_t began_ns)
{
    ki_erasures_enter(&s->erasures);
    if (!ki_erasures_has(&s->erasures, user_id, began_ns)) return KITH_OK;
    ki_erasures_leave(&s->erasures);
    return fail_gone(user_id);
}

void ki_service_end_keeping(ki_service *s)
{
    ki_erasures_leave(&s->erasures);
}

/* Of nobody who was deleted since it began.  With the gate held, so that no deletion comes between this and the write. */
static kith_err check_users(ki_service *s, const ki_change *changes, int n, int64_t began_ns,
                            int *gone)
{
    kith_err err = KITH_OK;
    ki_erasures_enter(&s->erasures);
    for (int j = 0; err == KITH_OK && j < n; j++) {
        const ki_change *c = &changes[j];
        const char *user = c->change == KI_PUT_USER ? c->id : c->user;
        if (user == NULL || !ki_erasures_has(&s->erasures, user, began_ns)) continue;
        fail_gone(user);
        *gone = 1;
        err = naming(c, j, n);
    }
    ki_erasures_leave(&s->erasures);
    return err;
}

static kith_err write_open(ki_service *s, ki_change *changes, int n, int64_t began_ns, int *gone)
{
    kith_err err = check_events(&s->meanings, changes, n);
    if (err == KITH_OK) err = check_users(s, changes, n, began_ns, gone);
    if (err != KITH_OK) return err;
    return has_attributes(changes, n) ? write_attributes(s, changes, n)
                                      : ki_store_write(s->store, changes, n);
}

static int adds_events(const ki_change *changes, int n)
{
    for (int j = 0; j < n; j++)
        if (changes[j].change == KI_ADD_EVENT) return 1;
    return 0;
}

/* ---- taking back one kind of a pair's events ---- */

struct left { /* what the other kinds say of the pair */
    ki_service *s;
    int32_t u, i;
};

static kith_err take_again(void *udata, const ki_row *row)
{
    struct left *l = udata;
    ki_meant meant;
    if (ki_meanings_event(&l->s->meanings, row->kind, row->value, &meant) != KITH_OK)
        return KITH_OK;
    if (!meant.counts) return KITH_OK;
    return ki_live_event(l->s->live, l->u, l->i, meant.value, row->time_ms / 1000, meant.how);
}

/* The pair was taken out of the history whole; what is left of it comes back.  With the gate held exclusively. */
static kith_err take_rest(ki_service *s, const ki_change *c)
{
    struct left l = { .s = s, .u = c->user_index, .i = c->item_index };
    const ki_select which = { .user = c->user, .item = c->item };
    if (c->kind == NULL || c->user_index < 0 || c->item_index < 0) return KITH_OK;
    const kith_err err = ki_store_each(s->store, KI_EVENTS, &which, take_again, &l);
    atomic_fetch_add(&s->news.users[(uint32_t)c->user_index % KI_NEWS_USERS], 1);
    return err;
}

static int takes_back(const ki_change *changes, int n)
{
    for (int j = 0; j < n; j++)
        if (changes[j].change == KI_DROP_EVENTS) return 1;
    return 0;
}

static kith_err write_closed(ki_service *s, ki_change *changes, int n, int64_t began_ns, int *gone)
{
    kith_err err = KITH_OK;
    if (!s->meanings.decided && adds_events(changes, n)) err = settle_meanings(s, changes, n);
    if (err == KITH_OK) err = write_open(s, changes, n, began_ns, gone);
    for (int j = 0; err == KITH_OK && j < n; j++)
        if (changes[j].change == KI_DROP_EVENTS) err = take_rest(s, &changes[j]);
    return err;
}

kith_err ki_service_write_begun(ki_service *s, ki_change *changes, int n, int64_t began_ns,
                                int *gone)
{
    kith_err err;
    int not_wanted;
    if (gone == NULL) gone = &not_wanted;
    *gone = 0;
    pthread_rwlock_rdlock(&s->gate);
    const int closed = takes_back(changes, n) || (!s->meanings.decided && adds_events(changes, n));
    if (!closed) err = write_open(s, changes, n, began_ns, gone);
    pthread_rwlock_unlock(&s->gate);
    if (!closed) return err;
    pthread_rwlock_wrlock(&s->gate);
    err = write_closed(s, changes, n, began_ns, gone);
    pthread_rwlock_unlock(&s->gate);
    return err;
}

kith_err ki_service_write(ki_service *s, ki_change *changes, int n)
{
    return ki_service_write_begun(s, changes, n, ki_clock_ns(), NULL);
}

kith_err ki_service_put_document(ki_service *s, const char *kind, const char *id,
                                 const json_t *json)
{
    char *text = NULL;
    kith_err err = ki_json_print(json_incref((json_t *)json), &text);
    ki_change c = { .change = KI_PUT_DOCUMENT, .kind = kind, .id = id, .json = text };
    if (err == KITH_OK) err = ki_store_write(s->store, &c, 1);
    kith_string_free(text);
    return err;
}

void ki_service_begin_decision(ki_service *s)
{
    pthread_mutex_lock(&s->deciding);
}

void ki_service_end_decision(ki_service *s)
{
    pthread_mutex_unlock(&s->deciding);
}

/* ---- closing ---- */

static void free_parts(ki_service *s)
{
    pthread_rwlock_destroy(&s->gate);
    pthread_rwlock_destroy(&s->documents_lock);
    pthread_rwlock_destroy(&s->shadow_lock);
    pthread_mutex_destroy(&s->attributes);
    pthread_mutex_destroy(&s->runs.lock);
    pthread_mutex_destroy(&s->forgetting);
    pthread_mutex_destroy(&s->deciding);
    ki_erasures_clear(&s->erasures);
    pthread_mutex_destroy(&s->models);
    pthread_mutex_destroy(&s->names);
    pthread_mutex_destroy(&s->shadowed.lock);
    json_decref(s->params);
    json_decref(s->scenarios);
    json_decref(s->block);
    json_decref(s->experiments);
    json_decref(s->forgotten);
    ki_free(s->model_name);
    ki_free(s->folder);
    ki_free(s);
}

void ki_service_close(ki_service *s)
{
    if (s == NULL) return;
    ki_tasks_free(s->tasks);
    ki_exposures_free(s->exposures);
    ki_store_close(s->store);
    ki_lists_kept_free(s->lists);
    kith_cache_free(s->cache);
    ki_service_put_shadow(s, "", NULL);
    ki_live_free(s->live);
    if (s->own_folder) ki_service_remove_folder(s);
    free_parts(s);
}

/* ---- opening ---- */

static json_t *params_of(const ki_service_options *o)
{
    json_t *params = json_object();
    for (int j = 0; j < o->n_params; j++)
        json_object_set_new(params, o->params[j].name, json_string(o->params[j].value));
    return params;
}

static kith_err take_options(ki_service *s, const ki_service_options *o)
{
    kith_err err = KITH_OK;
    s->log = (kith_run_options){ .event = o->event, .udata = o->udata };
    s->seed = ki_context_job(o->k)->seed;
    s->memory_bytes = ki_context_job(o->k)->memory_bytes;
    s->params = params_of(o);
    s->scenarios = json_object();
    s->experiments = json_object();
    s->forgotten = json_array();
    if (s->forgotten == NULL || s->params == NULL || s->scenarios == NULL || s->experiments == NULL)
        return ki_fail_memory(256);
    if (o->settings != NULL)
        s->settings = *o->settings;
    else
        err = ki_settings_read(NULL, &s->settings);
    const ki_model_desc *desc;
    if (err == KITH_OK && o->model != NULL) err = ki_model_want(o->model, &desc);
    return err == KITH_OK && o->model != NULL ? ki_strdup(&s->model_name, o->model) : err;
}

static kith_err open_store(ki_service *s, const char *db)
{
    const ki_store_options options = { .applied = ki_service_applied,
                                       .udata = s,
                                       .max_wait_us = s->settings.commit_wait_us };
    return ki_store_open(db, &options, &s->store);
}

static void remove_beside(const char *db, const char *ending)
{
    char path[KI_PATH_MAX];
    snprintf(path, sizeof path, "%s%s", db, ending);
    unlink(path);
}

/* An import that began and did not end: nothing else has been written, so the store is begun anew. */
static kith_err clear_half_import(ki_service *s, const ki_service_options *o)
{
    json_t *mark = NULL;
    const kith_err err = ki_store_get(s->store, KI_DOCUMENTS, "setting", "import", &mark);
    if (err == KITH_ENOTFOUND) return KITH_OK;
    if (err != KITH_OK) return err;
    const char *state = json_string_value(json_object_get(mark, "state"));
    const int whole = state == NULL || strcmp(state, "done") == 0;
    json_decref(mark);
    if (whole) return KITH_OK;
    if (o->data == NULL)
        return ki_fail(KITH_EDATA,
                       "%s: reading data into it was cut short; start again with the data, or "
                       "with another file",
                       o->db);
    ki_store_close(s->store);
    s->store = NULL;
    remove_beside(o->db, "");
    remove_beside(o->db, "-wal");
    remove_beside(o->db, "-shm");
    ki_service_say(s, "import_begun_anew", json_pack("{s:s}", "db", o->db));
    return open_store(s, o->db);
}

static kith_err mark_import(ki_service *s, const char *path, const char *state)
{
    json_t *mark = json_pack("{s:s, s:s}", "path", path, "state", state);
    if (mark == NULL) return ki_fail(KITH_EINVAL, "the path of the data is not UTF-8");
    const kith_err err = ki_service_put_document(s, "setting", "import", mark);
    json_decref(mark);
    return err;
}

static kith_err import(ki_service *s, kith *k, const ki_service_options *o)
{
    kith_err err = mark_import(s, o->data, "begun");
    if (err == KITH_OK) err = ki_service_import(s, k, o->data, o->read);
    if (err == KITH_OK) err = mark_import(s, o->data, "done");
    s->imported = err == KITH_OK;
    return err;
}

static kith_err fill(ki_service *s, kith *k, const ki_service_options *o)
{
    ki_store_counts counts;
    kith_err err = clear_half_import(s, o);
    if (err == KITH_OK) err = ki_store_count(s->store, &counts);
    if (err != KITH_OK) return err;
    const int is_empty = counts.users == 0 && counts.items == 0 && counts.events == 0;
    if (is_empty && o->data != NULL) return import(s, k, o);
    if (o->data != NULL)
        ki_service_say(s, "data_not_read",
                       json_pack("{s:s, s:s}", "path", o->data, "why",
                                 "the store has users, items or events already"));
    return ki_service_load(s);
}

/* A model in force, if there is anything to learn from. */
static kith_err have_model(ki_service *s, kith *k)
{
    int found = 0;
    ki_live_counts counts;
    json_t *document = NULL;
    kith_err err = ki_service_restore_model(s, k, &found);
    ki_live_count(s->live, &counts);
    if (err != KITH_OK || found || counts.pairs == 0) return err;
    err = ki_service_train(s, k, &(ki_recipe){ .promote = KI_PROMOTE_ALWAYS }, &document);
    json_decref(document);
    if (err != KITH_EDATA) return err;
    ki_service_say(s, "no_model_yet", json_pack("{s:s}", "why", kith_last_error()));
    return KITH_OK;
}

static kith_err start_parts(ki_service *s)
{
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    const ki_tasks_options tasks = {
        .context = { .threads = s->settings.train_threads > 0 ? s->settings.train_threads
                                                              : (int)KI_MAX(1, cpus / 2),
                     .seed = s->seed,
                     .memory_bytes = s->memory_bytes },
        .tick = ki_service_train_by_clock,
        .udata = s,
    };
    kith_err err = ki_lists_kept_new(s->settings.lists_kept, &s->lists);
    if (err == KITH_OK) err = ki_exposures_new(s->store, &s->exposures);
    return err == KITH_OK ? ki_tasks_new(&tasks, &s->tasks) : err;
}

static kith_err open_all(ki_service *s, const ki_service_options *o)
{
    const ki_live_options live = { .trend_half_life = (double)s->settings.trend_half_life };
    ki_job *job = ki_context_job(o->k);
    ki_job_begin(job);
    job->within++;
    kith_err err = ki_live_new(&live, &s->live);
    if (err == KITH_OK) err = open_store(s, o->db);
    if (err == KITH_OK) err = ki_service_find_folder(s, o->db);
    if (err == KITH_OK) err = fill(s, o->k, o);
    if (err == KITH_OK) err = ki_service_open_cache(s);
    if (err == KITH_OK) err = ki_service_finish_erasures(s);
    if (err == KITH_OK) err = have_model(s, o->k);
    if (err == KITH_OK) err = start_parts(s);
    job->within--;
    return err;
}

/* Whoever wants it alone comes first: a stream of events or questions must not keep a deletion waiting. */
static void make_lock(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t how;
    pthread_rwlockattr_init(&how);
    pthread_rwlockattr_setkind_np(&how, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &how);
    pthread_rwlockattr_destroy(&how);
}

kith_err ki_service_open(const ki_service_options *o, ki_service **out)
{
    ki_service *s = NULL;
    if (sodium_init() < 0) return ki_fail(KITH_EIO, "libsodium finds no source of chance");
    kith_err err = ki_alloc(&s, 1, sizeof *s);
    if (err != KITH_OK) return err;
    make_lock(&s->gate);
    make_lock(&s->shadow_lock);
    ki_erasures_init(&s->erasures);
    pthread_mutex_init(&s->runs.lock, NULL);
    pthread_mutex_init(&s->forgetting, NULL);
    pthread_mutex_init(&s->deciding, NULL);
    pthread_rwlock_init(&s->documents_lock, NULL);
    pthread_mutex_init(&s->attributes, NULL);
    pthread_mutex_init(&s->models, NULL);
    pthread_mutex_init(&s->names, NULL);
    pthread_mutex_init(&s->shadowed.lock, NULL);
    s->trained_ns = ki_clock_ns();
    err = take_options(s, o);
    if (err == KITH_OK) err = open_all(s, o);
    if (err == KITH_OK)
        *out = s;
    else
        ki_service_close(s);
    return err;
}
