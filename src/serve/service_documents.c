/* SPDX-License-Identifier: MIT
 * service_documents.c -- scenarios, experiments and the meaning of events: checked, and in force
 */
#include "serve/service_parts.h"

#include "base/closest.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "tool/text.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text == NULL ? "" : text;
}

/* ---- scenarios ---- */

/* *out NULL: there is no such member. */
static kith_err print_member(const json_t *o, const char *name, char **out)
{
    json_t *v = json_object_get(o, name);
    return v == NULL ? KITH_OK : ki_json_print(json_incref(v), out);
}

static kith_err check_block(ki_service *s, const json_t *list)
{
    char *lines = NULL;
    if (list == NULL) return KITH_OK;
    kith_err err = ki_block_lines(list, NULL, &lines);
    if (err == KITH_OK) err = ki_live_check_block(s->live, lines, NULL);
    ki_free(lines);
    return err;
}

kith_err ki_service_check_scenario(ki_service *s, const json_t *document)
{
    char *pipeline = NULL, *wishes = NULL, *context = NULL;
    kith_err err = print_member(document, "pipeline", &pipeline);
    if (err == KITH_OK) err = print_member(document, "wishes", &wishes);
    if (err == KITH_OK) err = print_member(document, "context", &context);
    const kith_query q = { .filter = json_string_value(json_object_get(document, "filter")),
                           .pipeline = pipeline,
                           .wishes = wishes,
                           .language = json_string_value(json_object_get(document, "language")),
                           .context = context };
    if (err == KITH_OK) err = ki_live_check(s->live, &q);
    if (err == KITH_OK) err = check_block(s, json_object_get(document, "block"));
    kith_string_free(pipeline);
    kith_string_free(wishes);
    kith_string_free(context);
    return err;
}

/* ---- experiments ---- */

/* A number in [0, 1) that follows from experiment, salt and user alone. */
static double lot(const char *experiment, const char *salt, const char *user)
{
    char text[1024];
    uint64_t hash;
    static const unsigned char key[crypto_shorthash_KEYBYTES] = "kith experiment";
    const int n = snprintf(text, sizeof text, "%s\n%s\n%s", experiment, salt, user);
    crypto_shorthash((unsigned char *)&hash, (const unsigned char *)text,
                     (unsigned long long)KI_MIN(n, (int)sizeof text - 1), key);
    return (double)(hash >> 11) / 9007199254740992.0;
}

static void copy_text(char *out, const json_t *o, const char *name)
{
    snprintf(out, KI_VARIANT_NAME, "%s", text_of(o, name));
}

static void draw(const char *name, const json_t *experiment, const char *user, ki_variant *out)
{
    const json_t *variants = json_object_get(experiment, "variants");
    double sum = 0, x = lot(name, text_of(experiment, "salt"), user);
    for (size_t j = 0; j < json_array_size(variants); j++)
        sum += json_number_value(json_object_get(json_array_get(variants, j), "share"));
    for (size_t j = 0; j < json_array_size(variants); j++) {
        const json_t *v = json_array_get(variants, j);
        const double share = json_number_value(json_object_get(v, "share")) / sum;
        if ((x -= share) >= 0 && j + 1 < json_array_size(variants)) continue;
        snprintf(out->experiment, sizeof out->experiment, "%s", name);
        copy_text(out->variant, v, "name");
        copy_text(out->scenario, v, "scenario");
        out->share = share;
        return;
    }
}

void ki_service_variant(ki_service *s, const char *user_id, ki_variant *out)
{
    const char *name;
    json_t *experiment;
    *out = (ki_variant){ .share = 1 };
    pthread_rwlock_rdlock(&s->documents_lock);
    json_object_foreach (s->experiments, name, experiment) {
        if (strcmp(text_of(experiment, "state"), "running") != 0) continue;
        draw(name, experiment, user_id, out);
        break;
    }
    pthread_rwlock_unlock(&s->documents_lock);
}

static int has_scenario(const json_t *experiment, const char *scenario)
{
    const json_t *variants = json_object_get(experiment, "variants");
    for (size_t j = 0; j < json_array_size(variants); j++)
        if (strcmp(text_of(json_array_get(variants, j), "scenario"), scenario) == 0) return 1;
    return 0;
}

int ki_service_needs_scenario(ki_service *s, const char *scenario, char *experiment)
{
    const char *name;
    json_t *e;
    int found = 0;
    pthread_rwlock_rdlock(&s->documents_lock);
    json_object_foreach (s->experiments, name, e) {
        if (strcmp(text_of(e, "state"), "running") != 0 || !has_scenario(e, scenario)) continue;
        snprintf(experiment, KI_VARIANT_NAME, "%s", name);
        found = 1;
    }
    pthread_rwlock_unlock(&s->documents_lock);
    return found;
}

const char *ki_service_near_scenario(ki_service *s, const char *name, char *hint)
{
    ki_closest closest = { .asked = name };
    const char *known;
    json_t *scenario;
    pthread_rwlock_rdlock(&s->documents_lock);
    json_object_foreach (s->scenarios, known, scenario) ki_closest_try(&closest, known);
    ki_closest_hint(&closest, hint);
    pthread_rwlock_unlock(&s->documents_lock);
    return hint;
}

/* ---- what events mean ---- */

kith_err ki_service_meanings(ki_service *s, json_t **out)
{
    pthread_rwlock_rdlock(&s->gate);
    json_t *o = json_pack("{s:s, s:f, s:f, s:f, s:o}", "preference",
                          !s->meanings.decided  ? "undecided"
                          : s->meanings.ratings ? "ratings"
                                                : "strengths",
                          "low", s->meanings.low, "high", s->meanings.high, "most",
                          s->meanings.most, "signals", ki_signals_table(&s->meanings.signals));
    pthread_rwlock_unlock(&s->gate);
    return o == NULL ? ki_fail_memory(256) : (*out = o, KITH_OK);
}

void ki_service_take_meanings(ki_service *s, const ki_meanings *m)
{
    s->meanings = *m;
    atomic_store(&s->top_of_scale, m->ratings ? (float)m->high : 0);
}

static int keep_bound(json_t *document, const char *name, double value)
{
    return json_object_get(document, name) != NULL ||
           json_object_set_new(document, name, json_real(value)) == 0;
}

/* With the gate held alone.  Bounds that the document does not say stay as they were learnt. */
static kith_err change_meanings(ki_service *s, json_t *document)
{
    const ki_meanings *now = &s->meanings;
    ki_meanings wanted;
    if (document == NULL || !keep_bound(document, "low", now->low) ||
        !keep_bound(document, "high", now->high) || !keep_bound(document, "most", now->most))
        return ki_fail_memory(256);
    kith_err err = ki_meanings_read(document, &wanted);
    if (err == KITH_OK) err = ki_service_put_document(s, "setting", "events", document);
    if (err != KITH_OK) return err;
    ki_service_take_meanings(s, &wanted);
    err = ki_service_reload_events(s);
    atomic_fetch_add(&s->news.settings, 1);
    return err;
}

kith_err ki_service_set_meanings(ki_service *s, const json_t *document)
{
    json_t *copy = json_copy((json_t *)document);
    pthread_rwlock_wrlock(&s->gate);
    const kith_err err = change_meanings(s, copy);
    pthread_rwlock_unlock(&s->gate);
    json_decref(copy);
    return err;
}

/* ---- what no list may hold ---- */

kith_err ki_block_lines(const json_t *list, const char *before, char **out)
{
    ki_text t = { 0 };
    const json_t *one;
    size_t j;
    if (before != NULL) ki_text_say(&t, before);
    json_array_foreach (list, j, one) {
        ki_text_say(&t, json_string_value(one));
        ki_text_say(&t, "\n");
    }
    const kith_err err = t.err != KITH_OK ? t.err : ki_strdup(out, t.at == NULL ? "" : t.at);
    ki_text_clear(&t);
    return err;
}

void ki_service_take_setting(ki_service *s, const char *id, const json_t *document)
{
    char *lines = NULL;
    const json_t *entries = json_object_get(document, "entries");
    if (strcmp(id, "block") != 0) return;
    json_t *text = NULL;
    if (json_array_size(entries) > 0 && ki_block_lines(entries, NULL, &lines) == KITH_OK)
        text = json_string(lines);
    ki_free(lines);
    pthread_rwlock_wrlock(&s->documents_lock);
    json_decref(s->block);
    s->block = text;
    atomic_store(&s->has_block, text != NULL);
    pthread_rwlock_unlock(&s->documents_lock);
}

json_t *ki_service_block_text(ki_service *s)
{
    if (!atomic_load_explicit(&s->has_block, memory_order_acquire)) return NULL;
    pthread_rwlock_rdlock(&s->documents_lock);
    json_t *text = json_incref(s->block);
    pthread_rwlock_unlock(&s->documents_lock);
    return text;
}

kith_err ki_service_block(ki_service *s, json_t **out)
{
    json_t *text = ki_service_block_text(s);
    const kith_err err =
        ki_live_check_block(s->live, text == NULL ? "" : json_string_value(text), out);
    json_decref(text);
    return err;
}

kith_err ki_service_set_block(ki_service *s, const json_t *document)
{
    char *lines = NULL;
    kith_err err = ki_block_lines(json_object_get(document, "entries"), NULL, &lines);
    if (err == KITH_OK) err = ki_live_check_block(s->live, lines, NULL);
    ki_free(lines);
    return err == KITH_OK ? ki_service_put_document(s, "setting", "block", document) : err;
}

/* ---- figures ---- */

/* What is known of the model in force. */
static void add_model(ki_service *s, json_t *o, const char *version)
{
    json_t *document = NULL;
    if (version[0] == '\0' || ki_service_model_document(s, version, &document) != KITH_OK) return;
    json_object_set(o, "algorithm", json_object_get(document, "algorithm"));
    json_object_set(o, "trained_at", json_object_get(document, "trained_at"));
    json_object_set(o, "figures", json_object_get(document, "figures"));
    json_decref(document);
}

kith_err ki_service_status(ki_service *s, json_t **out)
{
    ki_live_counts live;
    ki_store_counts kept;
    char version[64];
    kith_err err = ki_store_count(s->store, &kept);
    if (err != KITH_OK) return err;
    ki_live_count(s->live, &live);
    ki_service_version(s, version);
    json_t *o = json_pack("{s:I, s:I, s:I, s:i, s:I, s:s, s:I, s:I}", "users", kept.users, "items",
                          kept.items, "events", kept.events, "hidden", (int)live.hidden, "pairs",
                          live.pairs, "model", version, "since_model", live.since_model,
                          "store_bytes", kept.bytes);
    json_object_set_new(o, "lists", json_integer(atomic_load(&s->n_asked)));
    json_object_set_new(o, "lists_from_cache", json_integer(atomic_load(&s->n_cached)));
    json_object_set_new(o, "exposures_lost", json_integer(ki_exposures_lost(s->exposures)));
    json_object_set_new(o, "imported", json_boolean(s->imported));
    add_model(s, o, version);
    return o == NULL ? ki_fail_memory(256) : (*out = o, KITH_OK);
}
