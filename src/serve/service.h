/* SPDX-License-Identifier: MIT
 * service.h -- what the service does, without a word of HTTP: store and live engine as one, training, versions,
 * scenarios, experiments
 *
 *      routes --> service --> store   (durable first)
 *                    |          | applied
 *                    |          v
 *                    +------> live    (in force; asked by many threads)
 *                    |
 *                    +------> tasks   (training on a copy, evaluation, promotion)
 *
 * Every function is safe from any thread.
 */
#ifndef KI_SERVICE_H
#define KI_SERVICE_H

#include "engine/live.h"
#include "serve/settings.h"
#include "store/store.h"
#include "tool/text.h" /* replies that are written as they are made */

typedef struct ki_service ki_service;

typedef struct ki_service_options {
    const char *db;                /* path; NULL: in memory, gone with the process */
    const char *data;              /* ratings to read into an empty store; NULL: none */
    const kith_read_options *read; /* how to read it; NULL: found */
    const char *
        model; /* algorithm that is trained by itself; NULL: ials, or ials-text where items have words */
    const kith_param *params;
    int n_params;
    const ki_settings *settings; /* NULL: the defaults */
    kith *
        k; /* what opening works with: its threads, seed, memory limit and progress, and it can be canceled */
    kith_event_fn event; /* JSON lines for the log; NULL: none */
    void *udata;
} ki_service_options;

/* Open the store, read it into the live engine, load the promoted model or, when there are events and none,
 * train one at once (in this call: a service that answers is ready). */
kith_err ki_service_open(const ki_service_options *o, ki_service **out);
void ki_service_close(ki_service *s);

ki_live *ki_service_live(ki_service *s);
ki_store *ki_service_store(ki_service *s);
struct ki_tasks *ki_service_tasks(ki_service *s);

/* ---- changes ---- */

/* Changes, durable and in force on return.  Events are checked for what they mean, attributes against the catalogue,
 * before anything is kept: KITH_EINVAL names the change. */
kith_err ki_service_write(ki_service *s, ki_change *changes, int n);

/* The same for what was begun earlier (ki_clock_ns): KITH_EINVAL, and *gone 1 (NULL: not wanted), when it is of a user who
 * was deleted since. */
kith_err ki_service_write_begun(ki_service *s, ki_change *changes, int n, int64_t began_ns,
                                int *gone);

/* Between these two no deletion of the user comes to an end, so that what is kept in memory is known to whoever cleans up
 * after it; nothing is written meanwhile.  KITH_EINVAL, and there is nothing to end, when the user was deleted since then
 * (ki_clock_ns). */
kith_err ki_service_begin_keeping(ki_service *s, const char *user_id, int64_t began_ns);
void ki_service_end_keeping(ki_service *s);

/* A user is gone everywhere: store, engine, lists, journals, caches, model files, and the documents of keys that speak
 * for them (whoever holds a table of keys: ki_keys_revoke_user).  KITH_ENOTFOUND.  After any other failure, or when the
 * process dies meanwhile, the next call, or start, finishes it. */
kith_err ki_service_forget_user(ki_service *s, const char *user_id);

/* What events mean (serve/meaning.h): the document in force, and another one, which reads all events anew. */
kith_err ki_service_meanings(ki_service *s, json_t **out);
kith_err ki_service_set_meanings(ki_service *s, const json_t *document);

/* Between these two nobody else checks and changes keys or experiments: what was found true is true when it is written. */
void ki_service_begin_decision(ki_service *s);
void ki_service_end_decision(ki_service *s);

/* ---- asking ---- */

/* `request`: user_id | liked | session | text, n, filter, context, pipeline, scenario, exclude, include_seen, reasons,
 * on_unknown, log (routes_ask.c has the shape).  The reply is one JSON object with a rec_id. */
kith_err ki_service_recommend(ki_service *s, const json_t *request, ki_text *reply);

/* Page 1 is what was shown; the first further page freezes the rest.  KITH_ENOTFOUND, also for a list that is not
 * `only_user`'s (NULL: of anybody). */
kith_err ki_service_page(ki_service *s, const char *rec_id, int page, const char *only_user,
                         ki_text *reply);

/* Why one item would suit a user: a list of it alone, shown to nobody; empty with a note where it cannot be listed.
 * language: of its sentences, NULL: English.  KITH_ENOTFOUND. */
kith_err ki_service_explain(ki_service *s, const char *user_id, const char *item_id, int n_reasons,
                            const char *language, ki_text *reply);

/* The verdict on one item for the same kind of request, as kith_why_not. */
kith_err ki_service_why_not(ki_service *s, const json_t *request, const char *item_id, char **json);

/* A kith_list as members basis, note, items of an object that has begun. */
void ki_write_list(ki_text *t, const kith_list *list);

/* ---- models ---- */

typedef struct ki_recipe { /* what is to be trained */
    const char *algorithm; /* NULL: the service's own */
    const json_t *
        params; /* object of numbers, texts, booleans; NULL: the service's own, or none for another algorithm */
    enum { KI_PROMOTE_BETTER, KI_PROMOTE_ALWAYS, KI_PROMOTE_NEVER } promote;
} ki_recipe;

/* Train on what is known now, evaluate beside the recipe in force, keep, and promote or refuse; document: what is kept
 * of it under (model, version), a new reference.  Runs in the caller's thread with the caller's context. */
kith_err ki_service_train(ki_service *s, kith *k, const ki_recipe *r, json_t **document);

/* What it would be worth, nothing kept: {algorithm, params, figures, worse}. */
kith_err ki_service_evaluate(ki_service *s, kith *k, const ki_recipe *r, json_t **out);

/* Better parameters, as kith_tune says them. */
kith_err ki_service_tune(ki_service *s, kith *k, const ki_recipe *r, double seconds, int trials,
                         json_t **out);

/* Is there such an algorithm (NULL: the service's), with such parameters?  KITH_EINVAL. */
kith_err ki_service_check_recipe(ki_service *s, const char *algorithm, const json_t *params);

/* Put a kept version in force.  KITH_ENOTFOUND when there is none, or its file is gone. */
kith_err ki_service_promote(ki_service *s, const char *version, const char *why);

/* The one that was in force before. */
kith_err ki_service_rollback(ki_service *s, json_t **document);

/* A version that is asked too, for a share of the lists, in place of the one before; NULL: none any more.  KITH_ENOTFOUND
 * when there is no such version or its file is gone.  After a failure the one before is asked still. */
kith_err ki_service_shadow(ki_service *s, const char *version);
kith_err ki_service_shadow_report(ki_service *s, json_t **out);

/* "" when none is in force. */
void ki_service_version(ki_service *s, char *out /* [64] */);

/* ---- what no list may hold ---- */

/* {entries, items, unused, ...} of the service's own block list; a new reference. */
kith_err ki_service_block(ki_service *s, json_t **out);

/* Put {"entries": [...]} in its place, for the next request on; KITH_EINVAL names the line. */
kith_err ki_service_set_block(ki_service *s, const json_t *document);

/* Its text, a new reference; NULL: there is none. */
json_t *ki_service_block_text(ki_service *s);

/* ---- scenarios: documents of kind "scenario" ---- */

/* Is it one, for the catalogue of now?  KITH_EINVAL. */
kith_err ki_service_check_scenario(ki_service *s, const json_t *document);

/* Another scenario with nearly this name as "; did you mean ...?", or "": hint[KI_HINT_SIZE], returned. */
/* A request of the tool contract, with one thread.  Two run at a time, and a stop cancels them: *busy 1: there is no room
 * (KITH_EINVAL).  *result as of kith_run. */
kith_err ki_service_run(ki_service *s, const char *request, int *busy, char **result);
void ki_service_cancel_runs(ki_service *s); /* those that run, and those that come */

const char *ki_service_near_scenario(ki_service *s, const char *name, char *hint);

/* ---- experiments: documents of kind "experiment" ---- */

enum { KI_VARIANT_NAME = 4 * 63 + 1 }; /* 63 letters of any script */

typedef struct ki_variant { /* what an experiment decides for a user; experiment "": none runs */
    char experiment[KI_VARIANT_NAME], variant[KI_VARIANT_NAME], scenario[KI_VARIANT_NAME];
    double share; /* of the users that this variant has: the propensity of seeing it */
} ki_variant;

void ki_service_variant(ki_service *s, const char *user_id, ki_variant *out);

/* Does the experiment that runs serve lists of this scenario?  `experiment` (KI_VARIANT_NAME) gets its name. */
int ki_service_needs_scenario(ki_service *s, const char *scenario, char *experiment);

/* ---- figures ---- */

/* {users, items, hidden, events, model, cache, lists, ...}; a new reference. */
kith_err ki_service_status(ki_service *s, json_t **out);

#endif
