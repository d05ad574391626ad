/* SPDX-License-Identifier: MIT
 * applied.c -- what has become durable comes into force: one change after the other, in the order of the store
 *
 * Events that follow each other come into force together: questions hold the engine's lock shared for most of the time,
 * so each time that it is wanted alone is a wait.
 *
 * Runs in the thread of the store's writer, before the write returns.  Everything was checked before it was
 * written, so a failure here (memory) is no failure of the write: it is logged, and the next start reads it.
 */
#include "serve/service_parts.h"

#include "base/mem.h"

#include <string.h>

static void user_changed(ki_service *s, int32_t u)
{
    if (u >= 0) atomic_fetch_add(&s->news.users[(uint32_t)u % KI_NEWS_USERS], 1);
}

static kith_err parse(const char *text, json_t **out)
{
    *out = text == NULL ? NULL : json_loads(text, 0, NULL);
    return text == NULL || *out != NULL ? KITH_OK : ki_fail_memory(strlen(text));
}

static kith_err put_user(ki_service *s, const ki_change *c)
{
    json_t *a = NULL;
    int32_t u;
    kith_err err = ki_live_user(s->live, c->id, &u);
    if (err == KITH_OK) err = parse(c->json, &a);
    if (err == KITH_OK && a != NULL) err = ki_live_user_attributes(s->live, u, a);
    json_decref(a);
    return err;
}

static kith_err put_item(ki_service *s, const ki_change *c)
{
    json_t *a = NULL;
    int32_t i;
    kith_err err = ki_live_item(s->live, c->id, &i);
    if (err == KITH_OK) err = parse(c->json, &a);
    if (err == KITH_OK && a != NULL) err = ki_live_item_attributes(s->live, i, a);
    if (err == KITH_OK && (c->hidden >= 0 || c->was_new))
        err = ki_live_item_state(s->live, i, c->hidden > 0, c->time_ms / 1000);
    json_decref(a);
    return err;
}

/* The pair goes whole; of one kind alone: what is left comes back, service.c. */
static kith_err take_back(ki_service *s, const ki_change *c)
{
    if (c->user_index < 0 || c->item_index < 0) return KITH_OK;
    const kith_err err = ki_live_take_back(s->live, c->user_index, c->item_index);
    return err == KITH_ENOTFOUND ? KITH_OK : err; /* these events said nothing */
}

static void keep_setting(ki_service *s, const ki_change *c)
{
    json_t *document = c->change == KI_PUT_DOCUMENT ? json_loads(c->json, 0, NULL) : NULL;
    ki_service_take_setting(s, c->id, document);
    json_decref(document);
    atomic_fetch_add(&s->news.settings, 1);
}

static void keep_document(ki_service *s, const ki_change *c)
{
    const int is_scenario = strcmp(c->kind, "scenario") == 0,
              is_setting = strcmp(c->kind, "setting") == 0;
    if (is_setting) keep_setting(s, c);
    if (!is_scenario && strcmp(c->kind, "experiment") != 0) return;
    json_t *document = c->change == KI_PUT_DOCUMENT ? json_loads(c->json, 0, NULL) : NULL;
    pthread_rwlock_wrlock(&s->documents_lock);
    json_t *all = is_scenario ? s->scenarios : s->experiments;
    if (document != NULL)
        json_object_set_new(all, c->id, document);
    else
        json_object_del(all, c->id);
    pthread_rwlock_unlock(&s->documents_lock);
    atomic_fetch_add(&s->news.settings, 1);
}

static kith_err apply(ki_service *s, const ki_change *c)
{
    switch (c->change) {
    case KI_PUT_USER: return put_user(s, c);
    case KI_PUT_ITEM: return put_item(s, c);
    case KI_DROP_USER:
        return c->user_index < 0 ? KITH_OK : ki_live_drop_user(s->live, c->user_index);
    case KI_DROP_ITEM:
        return c->item_index < 0 ? KITH_OK : ki_live_drop_item(s->live, c->item_index);
    case KI_ADD_EVENT: /* in runs, below */
    case KI_DROP_EVENTS: return take_back(s, c);
    case KI_PUT_DOCUMENT:
    case KI_DROP_DOCUMENT: keep_document(s, c); return KITH_OK;
    case KI_ADD_JOURNAL: return KITH_OK;
    }
    return KITH_OK;
}

/* After the change is in force: whoever reads the counter from now on sees it. */
static void tell(ki_service *s, const ki_change *c)
{
    switch (c->change) {
    case KI_PUT_ITEM:
    case KI_DROP_ITEM: atomic_fetch_add(&s->news.catalogue, 1); break;
    case KI_ADD_EVENT:
    case KI_DROP_EVENTS: atomic_fetch_add(&s->news.events, 1); break;
    default: break;
    }
    user_changed(s, c->user_index);
}

/* The name of the failure alone: its sentence may name a user, and a log is not written anew when the user goes. */
static void say_failure(ki_service *s, const ki_change *c, kith_err err)
{
    ki_service_say(s, "change_not_in_force",
                   json_pack("{s:I, s:i, s:s}", "seq", (json_int_t)c->seq, "change", (int)c->change,
                             "error", kith_err_name(err)));
}

/* ---- events, a run of them at a time ---- */

enum { RUN = 256 }; /* and no question waits longer than for these */

struct run {
    ki_live_happening what[RUN];
    const ki_change *of[RUN];
    int n;
};

static void take_event(ki_service *s, const ki_change *c, struct run *r)
{
    ki_meant meant;
    if (c->repeated) return;
    const kith_err err = ki_meanings_event(&s->meanings, c->kind, c->value, &meant);
    if (err != KITH_OK) {
        say_failure(s, c, err);
        return;
    }
    r->of[r->n] = c;
    r->what[r->n++] = (ki_live_happening){ .user = c->user,
                                           .item = c->item,
                                           .u = c->user_index,
                                           .i = c->item_index,
                                           .value = meant.value,
                                           .time = c->time_ms / 1000,
                                           .how = meant.how,
                                           .only_known = !meant.counts };
}

/* One that fails is told, and those after it come into force all the same. */
static void put_run(ki_service *s, const struct run *r)
{
    for (int at = 0, done; at < r->n; at += done + 1) {
        const kith_err err = ki_live_happen(s->live, &r->what[at], r->n - at, &done);
        if (err != KITH_OK) say_failure(s, r->of[at + done], err);
    }
}

/* The events from changes[0] on; how many changes that were. */
static int apply_events(ki_service *s, const ki_change *changes, int n)
{
    struct run r; /* 20 KB, of which only what is used is touched */
    int used = 0;
    r.n = 0;
    while (used < KI_MIN(n, RUN) && changes[used].change == KI_ADD_EVENT)
        take_event(s, &changes[used++], &r);
    put_run(s, &r);
    return used;
}

void ki_service_applied(void *udata, const ki_change *changes, int n)
{
    ki_service *s = udata;
    for (int j = 0, used; j < n; j += used) {
        used = apply_events(s, changes + j, n - j);
        if (used == 0) {
            used = 1;
            const kith_err err = apply(s, &changes[j]);
            if (err != KITH_OK) say_failure(s, &changes[j], err);
        }
        for (int t = j; t < j + used; t++) tell(s, &changes[t]);
    }
}
