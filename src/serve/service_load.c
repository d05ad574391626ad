/* SPDX-License-Identifier: MIT
 * service_load.c -- what a store holds, into the live engine, in the order of its numbers
 */
#include "serve/service_parts.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum { RUN = 1 << 16 }; /* events that are handed over at once */

struct events {
    ki_service *s;
    int64_t n, n_unknown;
    ki_live_how how; /* of those gathered */
    int32_t *user, *item;
    float *value;
    int64_t *time;
};

static kith_err attributes(const ki_row *row, json_t **out)
{
    json_error_t where;
    *out = NULL;
    if (row->json == NULL) return KITH_OK;
    *out = json_loads(row->json, 0, &where);
    return *out != NULL
               ? KITH_OK
               : ki_fail(KITH_EFORMAT, "store: attributes of \"%.60s\": %s", row->id, where.text);
}

static kith_err take_user(void *udata, const ki_row *row)
{
    ki_service *s = udata;
    json_t *a = NULL;
    int32_t u;
    if (row->id == NULL) return ki_live_skip_user(s->live);
    kith_err err = ki_live_user(s->live, row->id, &u);
    if (err == KITH_OK) err = attributes(row, &a);
    if (err == KITH_OK && json_object_size(a) > 0) err = ki_live_user_attributes(s->live, u, a);
    json_decref(a);
    return err;
}

static kith_err take_item(void *udata, const ki_row *row)
{
    ki_service *s = udata;
    json_t *a = NULL;
    int32_t i;
    if (row->id == NULL) return ki_live_skip_item(s->live);
    kith_err err = ki_live_item(s->live, row->id, &i);
    if (err == KITH_OK) err = attributes(row, &a);
    if (err == KITH_OK && json_object_size(a) > 0) err = ki_live_item_attributes(s->live, i, a);
    if (err == KITH_OK) err = ki_live_item_state(s->live, i, row->hidden, row->time_ms / 1000);
    json_decref(a);
    return err;
}

static kith_err flush(struct events *e)
{
    const int64_t n = e->n;
    e->n = 0;
    return n == 0 ? KITH_OK
                  : ki_live_events(e->s->live, n, e->user, e->item, e->value, e->time, e->how);
}

/* A kind that the settings no longer know is kept and says nothing. */
static kith_err take_event(void *udata, const ki_row *row)
{
    struct events *e = udata;
    ki_meant meant;
    if (row->user_index < 0 || row->item_index < 0) return KITH_OK;
    if (ki_meanings_event(&e->s->meanings, row->kind, row->value, &meant) != KITH_OK) {
        e->n_unknown++;
        return KITH_OK;
    }
    if (!meant.counts) return KITH_OK;
    if (e->n == RUN || (e->n > 0 && meant.how != e->how)) {
        const kith_err err = flush(e);
        if (err != KITH_OK) return err;
    }
    e->how = meant.how;
    e->user[e->n] = row->user_index;
    e->item[e->n] = row->item_index;
    e->value[e->n] = meant.value;
    e->time[e->n++] = row->time_ms / 1000;
    return KITH_OK;
}

static kith_err take_scenario(void *udata, const ki_row *row)
{
    ki_service *s = udata;
    json_t *document = json_loads(row->json, 0, NULL);
    if (document != NULL) json_object_set_new(s->scenarios, row->id, document);
    return KITH_OK;
}

static kith_err take_setting(void *udata, const ki_row *row)
{
    json_t *document = json_loads(row->json, 0, NULL);
    ki_service_take_setting(udata, row->id, document);
    json_decref(document);
    return KITH_OK;
}

static kith_err take_experiment(void *udata, const ki_row *row)
{
    ki_service *s = udata;
    json_t *document = json_loads(row->json, 0, NULL);
    if (document != NULL) json_object_set_new(s->experiments, row->id, document);
    return KITH_OK;
}

static kith_err load_meanings(ki_service *s)
{
    json_t *document = NULL;
    ki_meanings m;
    kith_err err = ki_store_get(s->store, KI_DOCUMENTS, "setting", "events", &document);
    if (err == KITH_ENOTFOUND) err = KITH_OK;
    if (err == KITH_OK) err = ki_meanings_read(document, &m);
    if (err == KITH_OK) ki_service_take_meanings(s, &m);
    json_decref(document);
    return err;
}

static kith_err load_events(ki_service *s)
{
    struct events e = { .s = s };
    kith_err err;
    if ((err = ki_alloc(&e.user, RUN, sizeof *e.user)) != KITH_OK) goto done;
    if ((err = ki_alloc(&e.item, RUN, sizeof *e.item)) != KITH_OK) goto done;
    if ((err = ki_alloc(&e.value, RUN, sizeof *e.value)) != KITH_OK) goto done;
    if ((err = ki_alloc(&e.time, RUN, sizeof *e.time)) != KITH_OK) goto done;
    err = ki_store_each(s->store, KI_EVENTS, &(ki_select){ .no_ids = 1 }, take_event, &e);
    if (err == KITH_OK) err = flush(&e);
    if (e.n_unknown > 0)
        ki_service_say(s, "events_of_unknown_kind", json_pack("{s:I}", "events", e.n_unknown));
done:
    ki_free(e.user);
    ki_free(e.item);
    ki_free(e.value);
    ki_free(e.time);
    return err;
}

static kith_err take_back(void *udata, const ki_row *row)
{
    ki_service *s = udata;
    if (row->user_index < 0 || row->item_index < 0) return KITH_OK;
    const kith_err err = ki_live_take_back(s->live, row->user_index, row->item_index);
    return err == KITH_ENOTFOUND
               ? KITH_OK
               : err; /* it said nothing before, or another event of the pair did */
}

kith_err ki_service_reload_events(ki_service *s)
{
    const kith_err err =
        ki_store_each(s->store, KI_EVENTS, &(ki_select){ .no_ids = 1 }, take_back, s);
    for (int j = 0; j < KI_NEWS_USERS; j++) atomic_fetch_add(&s->news.users[j], 1);
    return err == KITH_OK ? load_events(s) : err;
}

kith_err ki_service_load(ki_service *s)
{
    const ki_select all = { 0 }, scenarios = { .kind = "scenario" },
                    experiments = { .kind = "experiment" }, settings = { .kind = "setting" };
    kith_err err = load_meanings(s);
    if (err == KITH_OK) err = ki_store_each(s->store, KI_USERS, &all, take_user, s);
    if (err == KITH_OK) err = ki_store_each(s->store, KI_ITEMS, &all, take_item, s);
    if (err == KITH_OK) err = load_events(s);
    if (err == KITH_OK) err = ki_store_each(s->store, KI_DOCUMENTS, &settings, take_setting, s);
    if (err == KITH_OK) err = ki_store_each(s->store, KI_DOCUMENTS, &scenarios, take_scenario, s);
    if (err == KITH_OK)
        err = ki_store_each(s->store, KI_DOCUMENTS, &experiments, take_experiment, s);
    return err;
}
