/* SPDX-License-Identifier: MIT
 * live_shop.h -- an engine filled from simulated data for a test, with a model of what it hands out in force
 */
#ifndef KITH_TEST_LIVE_SHOP_H
#define KITH_TEST_LIVE_SHOP_H

#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "engine/folded.h"
#include "engine/live_inside.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { DAY = 86400, NOW = 2000000000 };

struct shop {
    kith *k;
    ki_live *l;
    kith_model *model; /* the same training as the one in force */
};

static inline void give_attributes(ki_live *l, int32_t i, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_t *o = json_loads(text, 0, NULL);
    CHECK(o != NULL);
    CHECK_OK(ki_live_item_attributes(l, i, o));
    json_decref(o);
}

/* Users u0.., items i0.. with color, price, title, tags. */
static inline void fill(ki_live *l, kith *k, int n_users, int n_items, int n_events)
{
    kith_data *d;
    int32_t at;
    CHECK_OK(kith_data_generate(
        k, &(kith_generate_options){ .n_users = n_users, .n_items = n_items, .n_interactions = n_events }, &d));
    for (int32_t u = 0; u < d->users.n; u++) CHECK_OK(ki_live_user(l, kith_data_user_id(d, u), &at));
    for (int32_t i = 0; i < d->items.n; i++) {
        CHECK_OK(ki_live_item(l, kith_data_item_id(d, i), &at));
        CHECK_INT(at, i);
        give_attributes(l, i,
                        "{\"color\": \"%s\", \"price\": %d, \"title\": \"Thing %c %d\", \"tags\": [\"t%d\", \"u%d\"]}",
                        i % 2 ? "red" : "blue", i, 'a' + i % 26, i, i % 3, i % 5);
    }
    CHECK_OK(ki_live_events(l, d->log.n, d->log.user, d->log.item, d->log.value, d->log.time, KI_LIVE_SET));
    kith_data_free(d);
}

static inline kith_model *train(kith *k, ki_live *l, const char *name)
{
    kith_data *d;
    kith_model *m;
    CHECK_OK(ki_live_data(l, &d));
    CHECK_OK(kith_train(k, d, name, NULL, 0, &m));
    kith_data_free(d);
    return m;
}

static inline void open_shop(struct shop *s, const char *model)
{
    CHECK_OK(kith_new(&(kith_options){ .threads = 1, .seed = 3 }, &s->k));
    CHECK_OK(ki_live_new(&(ki_live_options){ .trend_half_life = 1e9 }, &s->l));
    fill(s->l, s->k, 60, 50, 900);
    s->model = train(s->k, s->l, model);
    CHECK_OK(ki_live_promote(s->l, train(s->k, s->l, model), "v1"));
}

static inline void close_shop(struct shop *s)
{
    kith_model_free(s->model);
    ki_live_free(s->l);
    kith_free(s->k);
}

static inline kith_list *ask(ki_live *l, kith_query q)
{
    kith_list *list;
    CHECK_OK(ki_live_recommend(l, &(ki_live_query){ .query = q, .now = NOW, .seed = 1 }, &list, NULL));
    return list;
}

static inline int place_in(const kith_list *list, const char *id)
{
    for (int j = 0; j < list->n; j++)
        if (strcmp(list->items[j].item_id, id) == 0) return j;
    return -1;
}

static inline int stands_in(ki_live *l, kith_query q, const char *id)
{
    kith_list *list = ask(l, q);
    const int at = place_in(list, id);
    kith_list_free(list);
    return at >= 0;
}

/* The same items, scores (bit for bit) and basis. */
static inline void same_lists(const kith_list *a, const kith_list *b)
{
    CHECK_STR(a->basis, b->basis);
    CHECK_INT(a->n, b->n);
    for (int j = 0; j < a->n; j++) {
        CHECK_STR(a->items[j].item_id, b->items[j].item_id);
        CHECK(memcmp(&a->items[j].score, &b->items[j].score, sizeof(double)) == 0);
    }
}

static inline int32_t user(ki_live *l, const char *id)
{
    int32_t u;
    CHECK_OK(ki_live_user(l, id, &u));
    return u;
}

static inline int32_t item(ki_live *l, const char *id)
{
    int32_t i;
    CHECK_OK(ki_live_item(l, id, &i));
    return i;
}

static inline const char *first_of(ki_live *l, const char *user_id, char *out)
{
    kith_list *list = ask(l, (kith_query){ .user = user_id, .n = 1 });
    CHECK_INT(list->n, 1);
    strcpy(out, list->items[0].item_id);
    kith_list_free(list);
    return out;
}

#endif
