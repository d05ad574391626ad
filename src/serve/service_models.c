/* SPDX-License-Identifier: MIT
 * service_models.c -- versions: trained, kept as files beside the store, put in force, taken back
 *
 *      train --> candidate --> promoted --> retired      one document of kind "model" each
 *                    \--> refused (worse than the one in force)
 *
 * A version's file is DB-models/VERSION.kith, whole or not there.  Which version is in force is the document that
 * says "promoted"; a start loads its file, and trains anew when that is missing or does not fit.
 */
#include "serve/service_parts.h"

#include "base/file.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "data/dataset.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- files ---- */

void ki_service_model_path(const ki_service *s, const char *version, char *out)
{
    snprintf(out, KI_PATH_MAX, "%s/%s.kith", s->folder, version);
}

/* What a process that died was writing: nobody else writes here while the store is ours. */
static void remove_halves(const char *folder)
{
    char path[KI_PATH_MAX];
    DIR *d = opendir(folder);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        if (strstr(e->d_name, ".kith.tmp-") == NULL) continue;
        if (snprintf(path, sizeof path, "%s/%s", folder, e->d_name) < KI_PATH_MAX) unlink(path);
    }
    if (d != NULL) closedir(d);
}

kith_err ki_service_find_folder(ki_service *s, const char *db)
{
    char path[KI_PATH_MAX];
    const char *temporary = getenv("TMPDIR");
    s->own_folder = db == NULL || strcmp(db, ":memory:") == 0;
    if (!s->own_folder) {
        if (snprintf(path, sizeof path, "%s-models", db) >= (int)sizeof path)
            return ki_fail(KITH_EINVAL, "the path of the store is longer than %d letters",
                           KI_PATH_MAX - 8);
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return ki_fail(KITH_EIO, "%s: %s", path, strerror(errno));
        remove_halves(path);
        return ki_strdup(&s->folder, path);
    }
    /* a TMPDIR that does not fit leaves no XXXXXX at the end, and mkdtemp says so */
    snprintf(path, sizeof path, "%s/kith-models-XXXXXX",
             temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp");
    if (mkdtemp(path) == NULL) {
        s->own_folder = 0;
        return ki_fail(KITH_EIO, "%s: %s", path, strerror(errno));
    }
    return ki_strdup(&s->folder, path);
}

static void remove_file(const ki_service *s, const char *version)
{
    char path[KI_PATH_MAX];
    ki_service_model_path(s, version, path);
    unlink(path);
}

void ki_service_remove_folder(ki_service *s)
{
    char path[KI_PATH_MAX];
    DIR *folder = opendir(s->folder);
    for (struct dirent *e; folder != NULL && (e = readdir(folder)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", s->folder, e->d_name);
        unlink(path);
    }
    if (folder != NULL) closedir(folder);
    rmdir(s->folder);
}

/* ---- documents ---- */

kith_err ki_service_model_document(ki_service *s, const char *version, json_t **out)
{
    const kith_err err = ki_store_get(s->store, KI_DOCUMENTS, "model", version, out);
    return err != KITH_ENOTFOUND
               ? err
               : ki_fail(KITH_ENOTFOUND, "no model has the version \"%.60s\"", version);
}

/* Versions whose state changes together; the documents as they were and as they become. */
struct states {
    int n;
    const char *version[2];
    json_t *before[2], *after[2];
};

static void clear_states(struct states *c)
{
    for (int j = 0; j < c->n; j++) {
        json_decref(c->before[j]);
        json_decref(c->after[j]);
    }
    c->n = 0;
}

/* The member `state` of a version is to become `state`, with a reason. */
static kith_err add_state(ki_service *s, struct states *c, const char *version, const char *state,
                          const char *why)
{
    const int j = c->n;
    kith_err err = ki_service_model_document(s, version, &c->before[j]);
    if (err != KITH_OK) return err;
    c->n++;
    c->version[j] = version;
    c->after[j] = json_copy(c->before[j]);
    if (json_object_set_new(c->after[j], "state", json_string(state)) != 0 ||
        json_object_set_new(c->after[j], "reason", json_string(why)) != 0)
        return ki_fail_memory(256);
    if (strcmp(state, "promoted") == 0)
        json_object_set_new(c->after[j], "promoted_ms", json_integer(ki_now_ms()));
    return KITH_OK;
}

/* All of them or none. */
static kith_err write_states(ki_service *s, const struct states *c, json_t *const *documents)
{
    ki_change changes[2];
    char *texts[2] = { NULL, NULL };
    kith_err err = KITH_OK;
    for (int j = 0; err == KITH_OK && j < c->n; j++) {
        err = ki_json_print(json_incref(documents[j]), &texts[j]);
        changes[j] = (ki_change){
            .change = KI_PUT_DOCUMENT, .kind = "model", .id = c->version[j], .json = texts[j]
        };
    }
    if (err == KITH_OK) err = ki_store_write(s->store, changes, c->n);
    for (int j = 0; j < c->n; j++) kith_string_free(texts[j]);
    return err;
}

static kith_err set_state(ki_service *s, const char *version, const char *state, const char *why)
{
    struct states c = { 0 };
    kith_err err = add_state(s, &c, version, state, why);
    if (err == KITH_OK) err = write_states(s, &c, c.after);
    clear_states(&c);
    return err;
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text == NULL ? "" : text;
}

struct found { /* the versions, as the walk over their documents finds them */
    ki_service *s;
    const char *state; /* of those looked for; NULL: any */
    json_t *best;      /* the one that was promoted last */
    json_int_t when;
    json_t *all; /* versions that have a file, by time of training; NULL: not wanted */
};

static kith_err look(void *udata, const ki_row *row)
{
    struct found *f = udata;
    char path[KI_PATH_MAX];
    json_t *o = json_loads(row->json, 0, NULL);
    const json_int_t when = json_integer_value(json_object_get(o, "promoted_ms"));
    if (o != NULL && f->all != NULL) {
        ki_service_model_path(f->s, row->id, path);
        if (ki_path_look(path) == KI_PATH_FILE) json_array_append_new(f->all, json_string(row->id));
    }
    if (o == NULL || when < f->when || when == 0 ||
        (f->state != NULL && strcmp(text_of(o, "state"), f->state) != 0)) {
        json_decref(o);
        return KITH_OK;
    }
    json_decref(f->best);
    f->best = o;
    f->when = when;
    return KITH_OK;
}

/* *out NULL: none. */
static kith_err last_promoted(ki_service *s, const char *state, json_t **out)
{
    struct found f = { .s = s, .state = state };
    const ki_select models = { .kind = "model" };
    const kith_err err = ki_store_each(s->store, KI_DOCUMENTS, &models, look, &f);
    if (err != KITH_OK) json_decref(f.best);
    *out = err == KITH_OK ? f.best : NULL;
    return err;
}

/* Files beyond the newest keep_models go, never the one in force, the shadow, or the one to roll back to. */
static void drop_old_files(ki_service *s)
{
    struct found f = { .s = s, .state = "retired", .all = json_array() };
    const ki_select models = { .kind = "model" };
    if (ki_store_each(s->store, KI_DOCUMENTS, &models, look, &f) == KITH_OK) {
        const size_t n = json_array_size(f.all), keep = (size_t)s->settings.keep_models;
        for (size_t j = 0; j + keep < n; j++) {
            const char *version = json_string_value(json_array_get(f.all, j));
            if (strcmp(version, s->version) == 0 || strcmp(version, s->shadow) == 0 ||
                strcmp(version, text_of(f.best, "version")) == 0)
                continue;
            remove_file(s, version);
        }
    }
    json_decref(f.all);
    json_decref(f.best);
}

/* ---- in force ---- */

void ki_service_version(ki_service *s, char *out)
{
    pthread_mutex_lock(&s->names);
    memcpy(out, s->version, sizeof s->version);
    pthread_mutex_unlock(&s->names);
}

void ki_service_put_name(ki_service *s, char *which, const char *version)
{
    pthread_mutex_lock(&s->names);
    snprintf(which, sizeof s->version, "%s", version);
    pthread_mutex_unlock(&s->names);
}

kith_err ki_service_load_model(const ki_service *s, kith *k, const char *version, kith_model **out)
{
    char path[KI_PATH_MAX];
    ki_service_model_path(s, version, path);
    if (ki_path_look(path) != KI_PATH_FILE)
        return ki_fail(KITH_ENOTFOUND, "the file of model %s is gone; train it again", version);
    return kith_model_load(k, path, out);
}

/* The file of a version into the engine.  With the lock held. */
static kith_err bring(ki_service *s, kith *k, const char *version)
{
    kith_model *m = NULL;
    kith_err err = ki_service_load_model(s, k, version, &m);
    if (err == KITH_OK) err = ki_live_promote(s->live, m, version);
    if (err != KITH_OK) kith_model_free(m);
    return err;
}

/* What is written decides which one the next start loads, so it is written first; a model that then does not fit
 * takes its words back. */
static kith_err write_and_bring(ki_service *s, kith *k, const char *version, struct states *c)
{
    char message[KI_MESSAGE_SIZE];
    kith_err err = write_states(s, c, c->after);
    if (err != KITH_OK || (err = bring(s, k, version)) == KITH_OK) return err;
    ki_message_get(message);
    if (write_states(s, c, c->before) != KITH_OK)
        ki_service_say(s, "model_state_is_wrong",
                       json_pack("{s:s, s:s}", "version", version, "why", kith_last_error()));
    ki_message_set(message);
    return err;
}

static kith_err promote(ki_service *s, kith *k, const char *version, const char *why)
{
    char before[64];
    struct states c = { 0 };
    memcpy(before, s->version, sizeof before);
    kith_err err = add_state(s, &c, version, "promoted", why);
    if (err == KITH_OK && before[0] != '\0' && strcmp(before, version) != 0 &&
        (err = add_state(s, &c, before, "retired", "another one was promoted")) == KITH_ENOTFOUND)
        err = KITH_OK; /* its document was dropped */
    if (err == KITH_OK) err = write_and_bring(s, k, version, &c);
    clear_states(&c);
    if (err != KITH_OK) return err;
    ki_service_put_name(s, s->version, version);
    atomic_fetch_add(&s->news.model, 1);
    ki_service_say(s, "model_promoted",
                   json_pack("{s:s, s:s, s:s}", "version", version, "before", before, "why", why));
    return KITH_OK;
}

kith_err ki_service_promote(ki_service *s, const char *version, const char *why)
{
    json_t *document = NULL;
    kith *k = NULL;
    kith_err err = ki_service_model_document(s, version, &document);
    json_decref(document);
    if (err == KITH_OK) err = kith_new(&(kith_options){ .threads = 1, .seed = s->seed }, &k);
    if (err != KITH_OK) return err;
    pthread_mutex_lock(&s->models);
    err = promote(s, k, version, why);
    pthread_mutex_unlock(&s->models);
    kith_free(k);
    return err;
}

kith_err ki_service_rollback(ki_service *s, json_t **document)
{
    json_t *before = NULL;
    kith_err err = last_promoted(s, "retired", &before);
    if (err == KITH_OK && before == NULL)
        err = ki_fail(KITH_ENOTFOUND, "no model was in force before this one");
    if (err == KITH_OK) err = ki_service_promote(s, text_of(before, "version"), "rolled back to");
    if (err == KITH_OK) err = ki_service_model_document(s, text_of(before, "version"), document);
    json_decref(before);
    return err;
}

kith_err ki_service_restore_model(ki_service *s, kith *k, int *found)
{
    json_t *document = NULL;
    const kith_err err = last_promoted(s, "promoted", &document);
    *found = 0;
    if (err != KITH_OK || document == NULL) return err;
    const char *version = text_of(document, "version");
    pthread_mutex_lock(&s->models);
    if (bring(s, k, version) == KITH_OK) {
        ki_service_put_name(s, s->version, version);
        *found = 1;
    } else {
        ki_service_say(s, "model_not_restored",
                       json_pack("{s:s, s:s}", "version", version, "why", kith_last_error()));
    }
    pthread_mutex_unlock(&s->models);
    json_decref(document);
    return KITH_OK;
}

/* ---- training ---- */

static void name_version(const char *algorithm, char *out)
{
    const time_t now = time(NULL);
    struct tm utc;
    char when[32];
    strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    snprintf(out, 64, "%s-%.24s-%04x", when, algorithm, (unsigned)randombytes_uniform(0x10000));
}

struct training {
    ki_service *s;
    kith *k;
    ki_recipe recipe;   /* nothing of it NULL */
    json_t *params;     /* what its params may point to */
    json_t *in_force;   /* document of the one in force; NULL: none */
    json_t *considered; /* what the recipe was chosen from; NULL: it was said */
    ki_figure worth;    /* of the recipe, when it was chosen */
    int64_t began_ns;
    kith_data *data;
    kith_model *model;
    json_t *figures;
    char version[64];
};

static kith_err find_in_force(struct training *t)
{
    char version[64];
    ki_service_version(t->s, version);
    if (version[0] == '\0') return KITH_OK;
    const kith_err err = ki_service_model_document(t->s, version, &t->in_force);
    return err == KITH_ENOTFOUND ? KITH_OK : err;
}

static kith_err appraise(struct training *t)
{
    const ki_recipe in_force = { .algorithm = text_of(t->in_force, "algorithm"),
                                 .params = json_object_get(t->in_force, "params") };
    const kith_err err = ki_service_appraise(t->s, t->k, t->data, &t->recipe,
                                             t->considered != NULL ? &t->worth : NULL,
                                             t->in_force != NULL ? &in_force : NULL, &t->figures);
    if (err != KITH_OK) return err;
    json_object_set_new(t->figures, "seconds",
                        json_real((double)(ki_clock_ns() - t->began_ns) / 1e9));
    if (t->considered != NULL) json_object_set(t->figures, "considered", t->considered);
    return KITH_OK;
}

static kith_err fit(struct training *t)
{
    kith_param params[KI_MAX_RECIPE];
    json_t *texts = NULL;
    int n = 0;
    kith_err err = ki_recipe_params(t->recipe.params, params, &n, &texts);
    if (err == KITH_OK) err = kith_train(t->k, t->data, t->recipe.algorithm, params, n, &t->model);
    json_decref(texts);
    return err;
}

static void begin_training(ki_service *s)
{
    pthread_mutex_lock(&s->models);
    s->n_training++;
    pthread_mutex_unlock(&s->models);
}

static void end_training(ki_service *s)
{
    pthread_mutex_lock(&s->models);
    if (--s->n_training == 0) json_array_clear(s->forgotten);
    pthread_mutex_unlock(&s->models);
}

/* Into its file, without those who went while it learnt. */
static kith_err save(struct training *t)
{
    char path[KI_PATH_MAX];
    ki_service *s = t->s;
    kith_err err = KITH_OK;
    ki_service_model_path(s, t->version, path);
    pthread_mutex_lock(&s->models);
    for (size_t j = 0; err == KITH_OK && j < json_array_size(s->forgotten); j++)
        err = ki_service_forget_in_model(t->model,
                                         json_string_value(json_array_get(s->forgotten, j)));
    if (err == KITH_OK) err = kith_model_save(t->k, t->model, path);
    pthread_mutex_unlock(&s->models);
    return err;
}

static kith_err keep(struct training *t)
{
    name_version(t->recipe.algorithm, t->version);
    kith_err err = save(t);
    if (err != KITH_OK) return err;
    json_t *o = json_pack(
        "{s:s, s:s, s:O, s:O, s:s, s:I, s:{s:i, s:i, s:I}, s:s, s:s}", "version", t->version,
        "algorithm", t->recipe.algorithm, "params", t->recipe.params, "figures", t->figures,
        "trained_at", t->model->trained_at, "trained_ms", (json_int_t)ki_now_ms(), "data", "users",
        (int)kith_data_n_users(t->data), "items", (int)kith_data_n_items(t->data), "events",
        (json_int_t)kith_data_n_interactions(t->data), "state", "candidate", "reason", "");
    err = o == NULL ? ki_fail_memory(512) : ki_service_put_document(t->s, "model", t->version, o);
    json_decref(o);
    return err;
}

/* Refused, promoted, or left as it is. */
static kith_err decide(struct training *t)
{
    const int worse = ki_service_is_worse(t->s, t->figures);
    char why[200];
    kith_err err = KITH_OK;
    if (t->recipe.promote == KI_PROMOTE_NEVER) return KITH_OK;
    pthread_mutex_lock(&t->s->models);
    if (worse && t->recipe.promote == KI_PROMOTE_BETTER) {
        snprintf(why, sizeof why, "%s %.4g is worse than %.4g of the model in force",
                 text_of(t->figures, "metric"),
                 json_number_value(json_object_get(t->figures, "value")),
                 json_number_value(json_object_get(t->figures, "in_force")));
        err = set_state(t->s, t->version, "refused", why);
        ki_service_say(t->s, "model_refused",
                       json_pack("{s:s, s:s}", "version", t->version, "why", why));
    } else {
        err = promote(t->s, t->k, t->version,
                      t->in_force == NULL ? "the first"
                      : worse             ? "told to"
                                          : "no worse");
    }
    drop_old_files(t->s);
    pthread_mutex_unlock(&t->s->models);
    return err;
}

/* Nothing of the recipe NULL: parameters of the service's own for its own algorithm, else none. */
static kith_err complete(struct training *t)
{
    const char *usual = ki_service_usual(t->s, t->data);
    if (t->recipe.algorithm == NULL) t->recipe.algorithm = usual;
    if (t->recipe.params != NULL) return KITH_OK;
    t->params = strcmp(t->recipe.algorithm, usual) == 0 ? json_incref(t->s->params) : json_object();
    t->recipe.params = t->params;
    return t->params == NULL ? ki_fail_memory(64) : KITH_OK;
}

static kith_err begin(struct training *t, const ki_recipe *r)
{
    kith_err err = ki_live_data(t->s->live, &t->data);
    if (err != KITH_OK) return err;
    t->recipe = *r;
    t->began_ns = ki_clock_ns();
    if ((err = complete(t)) != KITH_OK) return err;
    return find_in_force(t);
}

/* Nobody said what: the best of those that come into question. */
static kith_err choose(struct training *t, const ki_recipe *r)
{
    ki_recipe best = *r;
    int measured;
    json_t *told;
    if (r->algorithm != NULL || r->params != NULL) return KITH_OK;
    const kith_err err = ki_service_choose(t->s, t->k, t->data, &best, &t->worth, &measured, &told);
    json_decref(t->params);
    t->params = (json_t *)best.params;
    t->recipe = best;
    if (measured)
        t->considered = told;
    else
        json_decref(told);
    return err;
}

static void clear(struct training *t)
{
    kith_model_free(t->model);
    kith_data_free(t->data);
    json_decref(t->figures);
    json_decref(t->in_force);
    json_decref(t->considered);
    json_decref(t->params);
}

kith_err ki_service_train(ki_service *s, kith *k, const ki_recipe *r, json_t **document)
{
    struct training t = { .s = s, .k = k };
    begin_training(s);
    kith_err err = begin(&t, r);
    if (err == KITH_OK) err = choose(&t, r);
    if (err == KITH_OK) err = appraise(&t);
    if (err == KITH_OK) err = fit(&t);
    if (err == KITH_OK) err = keep(&t);
    if (err == KITH_OK) err = decide(&t);
    end_training(s);
    if (err == KITH_OK) err = ki_service_model_document(s, t.version, document);
    clear(&t);
    return err;
}

/* ---- looking before one leaps ---- */

kith_err ki_service_evaluate(ki_service *s, kith *k, const ki_recipe *r, json_t **out)
{
    struct training t = { .s = s, .k = k };
    kith_err err = begin(&t, r);
    if (err == KITH_OK) err = choose(&t, r);
    if (err == KITH_OK) err = appraise(&t);
    if (err == KITH_OK) {
        *out = json_pack("{s:s, s:O, s:O, s:b}", "algorithm", t.recipe.algorithm, "params",
                         t.recipe.params, "figures", t.figures, "worse",
                         ki_service_is_worse(s, t.figures));
        if (*out == NULL) err = ki_fail_memory(256);
    }
    clear(&t);
    return err;
}

static kith_err tune(struct training *t, double seconds, int trials, char **text)
{
    kith_param params[KI_MAX_RECIPE];
    json_t *texts = NULL;
    int n = 0;
    kith_err err = ki_recipe_params(t->recipe.params, params, &n, &texts);
    const kith_tune_options o = { .models = &t->recipe.algorithm,
                                  .n_models = 1,
                                  .params = params,
                                  .n_params = n,
                                  .protocol = ki_service_protocol(t->s, t->data),
                                  .metric = t->s->settings.metric[0] != '\0' ? t->s->settings.metric
                                                                             : NULL,
                                  .max_trials = trials,
                                  .max_seconds = seconds };
    if (err == KITH_OK) err = kith_tune(t->k, t->data, &o, text);
    json_decref(texts);
    return err;
}

kith_err ki_service_tune(ki_service *s, kith *k, const ki_recipe *r, double seconds, int trials,
                         json_t **out)
{
    char *text = NULL;
    struct training t = { .s = s, .k = k };
    kith_err err = begin(&t, r);
    if (err == KITH_OK) err = tune(&t, seconds, trials, &text);
    if (err == KITH_OK && (*out = json_loads(text, 0, NULL)) == NULL) err = ki_fail_memory(256);
    kith_string_free(text);
    clear(&t);
    return err;
}

kith_err ki_service_check_recipe(ki_service *s, const char *algorithm, const json_t *params)
{
    kith_param given[KI_MAX_RECIPE];
    json_t *texts = NULL;
    void *self = NULL;
    int n = 0;
    const char *own = s->model_name != NULL ? s->model_name : "ials-text",
               *name = algorithm != NULL ? algorithm : own;
    const ki_model_desc *desc;
    kith_err err = ki_model_want(name, &desc);
    if (err != KITH_OK) return err;
    err = ki_recipe_params(params, given, &n, &texts);
    if (err == KITH_OK) err = ki_alloc(&self, 1, desc->size);
    if (err == KITH_OK) ki_params_default(desc->params, desc->n_params, self);
    for (int j = 0; err == KITH_OK && j < n; j++)
        err =
            ki_params_set(desc->params, desc->n_params, self, name, given[j].name, given[j].value);
    ki_free(self);
    json_decref(texts);
    return err;
}

/* ---- by the clock ---- */

static kith_err train_again(void *udata, kith *k, const json_t *order, json_t **result)
{
    (void)order;
    return ki_service_train(udata, k, &(ki_recipe){ 0 }, result);
}

void ki_service_train_by_clock(void *udata)
{
    ki_service *s = udata;
    const double every = s->settings.train_every == 0 ? 3600 : (double)s->settings.train_every;
    char id[40], version[64];
    ki_live_counts counts;
    if (every < 0) return;
    ki_live_count(s->live, &counts);
    ki_service_version(s, version);
    if (counts.pairs == 0 || (version[0] != '\0' && counts.since_model == 0)) return;
    const double waited = (double)(ki_clock_ns() - s->trained_ns) / 1e9;
    if (waited < (version[0] == '\0' ? KI_MIN(every, 10) : every)) return;
    s->trained_ns = ki_clock_ns();
    if (ki_tasks_add(s->tasks, "train", train_again, json_pack("{s:s}", "why", "by the clock"),
                     id) != KITH_OK)
        ki_service_say(s, "training_not_queued", json_pack("{s:s}", "why", kith_last_error()));
}
