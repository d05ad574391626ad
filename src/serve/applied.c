/* SPDX-License-Identifier: MIT
 * applied.c -- what has become durable comes into force: one change after the other, in the order of the store
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

static kith_err add_event(ki_service *s, const ki_change *c)
{
    ki_meant meant;
    int32_t u, i;
    if (c->repeated) return KITH_OK;
    kith_err err = ki_live_user(s->live, c->user, &u);
    if (err == KITH_OK) err = ki_live_item(s->live, c->item, &i);
    if (err == KITH_OK) err = ki_meanings_event(&s->meanings, c->kind, c->value, &meant);
    if (err != KITH_OK || !meant.counts) return err;
    return ki_live_event(s->live, u, i, meant.value, c->time_ms / 1000, meant.how);
}

/* The pair goes whole; of one kind alone: what is left comes back, service.c. */
static kith_err take_back(ki_service *s, const ki_change *c)
{
    if (c->user_index < 0 || c->item_index < 0) return KITH_OK;
    const kith_err err = ki_live_take_back(s->live, c->user_index, c->item_index);
    return err == KITH_ENOTFOUND ? KITH_OK : err; /* these events said nothing */
}

static void keep_document(ki_service *s, const ki_change *c)
{
    const int is_scenario = strcmp(c->kind, "scenario") == 0;
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
    case KI_ADD_EVENT: return add_event(s, c);
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

void ki_service_applied(void *udata, const ki_change *changes, int n)
{
    ki_service *s = udata;
    for (int j = 0; j < n; j++) {
        if (apply(s, &changes[j]) != KITH_OK)
            ki_service_say(s, "change_not_in_force",
                           json_pack("{s:I, s:s}", "seq", (json_int_t)changes[j].seq, "error",
                                     kith_last_error()));
        tell(s, &changes[j]);
    }
}
