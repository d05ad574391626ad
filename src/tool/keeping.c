/* SPDX-License-Identifier: MIT
 * keeping.c -- the model of a run: found where an equal request left it, or trained and kept
 *
 * A file that is there but cannot be loaded is told and replaced; a folder that cannot be written is
 * told, and the run goes on: what was asked for is the lists.
 */
#include "tool/running.h"

#include "base/file.h"
#include "base/mem.h"
#include "tool/tuning.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Where models are kept; NULL: nowhere, and metadata says why. */
static const char *folder_of(ki_run *r)
{
    const char *folder =
        r->o->model_folder != NULL ? r->o->model_folder : getenv("RECOMMENDATION_MODEL_CACHE");
    const char *why = NULL;
    if (!ki_run_flag(r, "training_configuration", "model_persistence"))
        why = "model_persistence is false";
    else if (r->o->model_folder != NULL && folder[0] == '\0')
        why = "whoever runs this keeps no models of requests: it was made for this one alone";
    else if (folder == NULL || folder[0] == '\0')
        why = "the environment variable RECOMMENDATION_MODEL_CACHE names no folder";
    if (why == NULL) return folder;
    json_object_set_new(r->persistence, "saved", json_false());
    json_object_set_new(r->persistence, "reason", json_string(why));
    return NULL;
}

/* What decides the model besides method, parameters and data. */
static json_t *settings_of(const ki_run *r)
{
    if (!ki_run_flag(r, "training_configuration", "hyperparameter_tuning")) return json_object();
    return json_pack("{s:f, s:f}", "tuning_seconds",
                     ki_run_number(r, "training_configuration", "tuning_seconds"), "tuning_trials",
                     ki_run_number(r, "training_configuration", "tuning_trials"));
}

static kith_err describe(ki_run *r)
{
    char *text = NULL;
    const kith_err err = kith_model_json(r->model, &text);
    if (err != KITH_OK) return err;
    json_decref(r->about);
    r->about = json_loads(text, 0, NULL);
    kith_string_free(text);
    return r->about == NULL ? ki_fail_memory(64) : KITH_OK;
}

/* ---- found ---- */

/* Is the model that was loaded of this method and of these interactions?  Its name says so, but a file may have been
 * renamed. */
static int is_the_one(const ki_run *r)
{
    char want[24];
    const char *name = json_string_value(json_object_get(r->about, "model"));
    snprintf(want, sizeof want, "%016" PRIx64, ki_data_fingerprint(r->intake.data));
    return name != NULL && strcmp(name, r->method.desc->name) == 0 &&
           strcmp(r->model->fingerprint, want) == 0;
}

/* 1 when the model at `path` was loaded and is the one that is wanted. */
static int load(ki_run *r, const char *path)
{
    if (ki_path_look(path) != KI_PATH_FILE) return 0;
    if (kith_model_load(r->k, path, &r->model) != KITH_OK) {
        ki_warning(&r->findings, "the model kept before cannot be used and is made anew: %.300s",
                   kith_last_error());
        return 0;
    }
    if (describe(r) == KITH_OK && is_the_one(r)) return 1;
    ki_warning(&r->findings, "the model kept before is another one; it is replaced");
    kith_model_free(r->model);
    r->model = NULL;
    return 0;
}

/* The parameters that the model was trained with, as tuning may have found them. */
static kith_err take_params(ki_run *r)
{
    const char *name;
    json_t *value;
    kith_err err = KITH_OK;
    json_object_foreach (json_object_get(r->about, "params"), name, value) {
        /* An empty text is the default of a list of names, and no value that can be set. */
        if (json_is_string(value) && json_string_length(value) == 0) continue;
        if (err == KITH_OK) err = ki_method_set(&r->method, name, value);
    }
    return err;
}

/* ---- trained and kept ---- */

static void keep(ki_run *r, const char *folder, const char *path)
{
    kith_err err = KITH_OK;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        err = ki_fail(KITH_EIO, "%s: %s", folder, strerror(errno));
    if (err == KITH_OK) err = kith_model_save(r->k, r->model, path);
    json_object_set_new(r->persistence, "saved", json_boolean(err == KITH_OK));
    if (err == KITH_OK) return;
    json_object_set_new(r->persistence, "reason", json_string("the folder could not be written"));
    ki_warning(&r->findings, "the model was not kept: %.400s", kith_last_error());
}

static kith_err train(ki_run *r)
{
    kith_err err = KITH_OK;
    if (ki_run_flag(r, "training_configuration", "hyperparameter_tuning")) err = ki_run_tune(r);
    if (err != KITH_OK) return err;
    const double began = seconds();
    err = kith_train(r->k, r->intake.data, r->method.desc->name, r->method.params,
                     r->method.n_params, &r->model);
    r->fit_seconds = seconds() - began;
    return err != KITH_OK ? err : describe(r);
}

kith_err ki_run_model(ki_run *r)
{
    char path[KI_PATH_MAX] = "";
    kith_err err;
    if ((r->persistence = json_object()) == NULL) return ki_fail_memory(64);
    const char *folder = folder_of(r);
    json_t *settings = settings_of(r);
    err = ki_model_id(&r->method, r->intake.data, settings, r->job->seed, r->model_id);
    json_decref(settings);
    if (err != KITH_OK) return err;
    if (folder != NULL && strlen(folder) + KI_MODEL_ID_ROOM + 8 > sizeof path) {
        json_object_set_new(r->persistence, "saved", json_false());
        json_object_set_new(r->persistence, "reason",
                            json_string("the name of the folder is too long"));
        folder = NULL;
    }
    if (folder != NULL) {
        ki_model_path(folder, r->model_id, path, sizeof path);
        json_t *told = json_string(path);
        if (told != NULL) json_object_set_new(r->persistence, "path", told);
        r->was_loaded = load(r, path);
        json_object_set_new(r->persistence, "loaded", json_boolean(r->was_loaded));
    }
    if (r->was_loaded && ki_run_flag(r, "training_configuration", "hyperparameter_tuning"))
        r->tuning = json_pack("{s:b}", "reused", 1);
    if (r->was_loaded) return take_params(r);
    if ((err = train(r)) == KITH_OK && folder != NULL) keep(r, folder, path);
    return err;
}
