/* SPDX-License-Identifier: MIT
 * live_model.c -- what training reads from a live engine, and the model that comes back
 *
 * Numbers never change, so a copy may be made in slices while events go on: it holds the users and items that there
 * were when it began, each history as it was when its slice was taken.  How many events there were when it began is
 * told in the data's source, which the model carries, so that promotion knows what is news.
 */
#include "engine/live_inside.h"

#include "base/mem.h"
#include "base/pool.h"

#include <stdio.h>
#include <string.h>

enum { NAMES = 8192, PAIRS = 65536 }; /* of one slice: some 0.2 ms */

static const char source_format[] = "live engine after %lld events";

/* ---- data ---- */

struct copying {
    ki_live *l;
    kith_data *d;
    int32_t n_users, n_items;
    int64_t room; /* of the log */
};

static kith_err copy_names(struct copying *c, ki_idmap *to, const ki_idmap *from, int32_t n,
                           char kind)
{
    kith_err err = KITH_OK;
    while (err == KITH_OK && to->n < n) {
        ki_live_read(c->l);
        err = ki_idmap_append(to, from, KI_MIN(to->n + NAMES, n), kind);
        ki_live_release(c->l);
    }
    return err;
}

/* A column at a time; columns that come meanwhile are left for the next data. */
static kith_err copy_table(struct copying *c, ki_table *to, const ki_table *from, int32_t n_rows)
{
    kith_err err = KITH_OK;
    to->n_rows = n_rows;
    for (int j = 0; err == KITH_OK; j++) {
        ki_column made = { 0 };
        ki_live_read(c->l);
        const int more = j < from->n_columns;
        if (more) err = ki_column_copy(&made, &from->columns[j], n_rows);
        ki_live_release(c->l);
        if (!more) break;
        if (err == KITH_OK) err = ki_table_append(to, &made);
    }
    return err;
}

static kith_err room_for_row(struct copying *c, int32_t n)
{
    ki_log *log = &c->d->log;
    const size_t had = (size_t)c->room, want = (size_t)(log->n + n);
    if (want <= had) return KITH_OK;
    const size_t room = KI_MAX(want, had + had / 2 + 1024);
    kith_err err;
    if ((err = ki_grow(&log->user, had, room, sizeof *log->user)) != KITH_OK) return err;
    if ((err = ki_grow(&log->item, had, room, sizeof *log->item)) != KITH_OK) return err;
    if ((err = ki_grow(&log->value, had, room, sizeof *log->value)) != KITH_OK) return err;
    if ((err = ki_grow(&log->time, had, room, sizeof *log->time)) != KITH_OK) return err;
    c->room = (int64_t)room;
    return KITH_OK;
}

static kith_err copy_row(struct copying *c, int32_t u)
{
    const ki_history *row = &c->l->histories.rows[u];
    ki_log *log = &c->d->log;
    const kith_err err = room_for_row(c, row->n);
    for (int32_t j = 0; err == KITH_OK && j < row->n && row->items[j] < c->n_items; j++) {
        log->user[log->n] = u;
        log->item[log->n] = row->items[j];
        log->value[log->n] = row->values[j];
        log->time[log->n++] = row->times[j];
    }
    return err;
}

static kith_err copy_histories(struct copying *c)
{
    kith_err err = room_for_row(c, 1); /* the arrays are there even when nobody did anything */
    for (int32_t u = 0; err == KITH_OK && u < c->n_users;) {
        const int64_t end = c->d->log.n + PAIRS;
        ki_live_read(c->l);
        for (int32_t n = 0; err == KITH_OK && u < c->n_users && n < NAMES && c->d->log.n < end; n++)
            err = copy_row(c, u++);
        ki_live_release(c->l);
    }
    return err;
}

static kith_err copy_all(struct copying *c)
{
    const kith_model *v = &c->l->view;
    kith_data *d = c->d;
    kith_err err;
    char source[64];
    ki_live_read(c->l);
    c->n_users = v->users.n;
    c->n_items = v->items.n;
    snprintf(source, sizeof source, source_format, (long long)c->l->n_events);
    ki_live_release(c->l);
    if ((err = ki_strdup(&d->source, source)) != KITH_OK ||
        (err = copy_names(c, &d->users, &v->users, c->n_users, 'u')) != KITH_OK ||
        (err = copy_names(c, &d->items, &v->items, c->n_items, 'i')) != KITH_OK ||
        (err = copy_table(c, &d->user_attrs, &v->user_attrs, c->n_users)) != KITH_OK ||
        (err = copy_table(c, &d->item_attrs, &v->item_attrs, c->n_items)) != KITH_OK ||
        (err = copy_histories(c)) != KITH_OK)
        return err;
    for (int64_t j = 1; j < d->log.n && !d->has_values; j++)
        d->has_values = d->log.value[j] != d->log.value[0];
    return KITH_OK;
}

kith_err ki_live_data(ki_live *l, kith_data **out)
{
    struct copying c = { .l = l };
    kith_err err = ki_alloc(&c.d, 1, sizeof *c.d);
    if (err != KITH_OK) return err;
    if ((err = copy_all(&c)) != KITH_OK)
        kith_data_free(c.d);
    else
        *out = c.d;
    return err;
}

/* ---- promotion ---- */

static kith_err check_names(const ki_idmap *now, const ki_idmap *model, const char *what)
{
    if (model->n > now->n)
        return ki_fail(KITH_EINVAL, "the model has %d %ss, and there are %d", model->n, what,
                       now->n);
    for (int32_t i = 0; i < model->n; i++)
        if (!ki_idmap_is_blank(now, i) &&
            strcmp(ki_idmap_name(now, i), ki_idmap_name(model, i)) != 0)
            return ki_fail(KITH_EINVAL, "%s number %d has another id in the model than here", what,
                           i); /* without the ids: this goes into a log, and a user may go */
    return KITH_OK;
}

/* The first user from `from` on who was dropped since the model's data was taken; -1: none. */
static int32_t next_forgotten(const ki_live *l, const kith_model *m, int32_t from)
{
    for (int32_t u = from; u < m->users.n; u++)
        if (ki_idmap_is_blank(&l->view.users, u) && ki_idmap_name(&m->users, u)[0] != '\x1f')
            return u;
    return -1;
}

static kith_err forget_dropped(const ki_live *l, kith_model *m)
{
    kith_err err = KITH_OK;
    for (int32_t u = next_forgotten(l, m, 0); err == KITH_OK && u >= 0;
         u = next_forgotten(l, m, u + 1))
        err = ki_package_forget_user(m, u);
    return err;
}

static int64_t events_of(const ki_live *l, const kith_model *m)
{
    long long n = 0;
    if (m->source == NULL || sscanf(m->source, source_format, &n) != 1) return 0;
    return KI_MAX(0, KI_MIN((int64_t)n, l->n_events));
}

/* What is made of a model before anybody asks it. */
struct arrival {
    kith_model *model;
    ki_top *top;
    ki_folded *folded;
    uint64_t *open;
};

static void free_arrival(struct arrival *a)
{
    ki_top_free(a->top);
    ki_folded_free(a->folded);
    ki_free(a->open);
    kith_model_free(a->model);
}

static kith_err prepare(struct arrival *a)
{
    kith_err err = ki_top_new(&a->model->core, &a->top);
    if (err != KITH_OK || a->top == NULL) return err;
    err = ki_folded_new(a->model->core.n_users, ki_top_floats(a->top), &a->folded);
    if (err != KITH_OK) return err;
    return ki_alloc(&a->open, (size_t)ki_inner_words(ki_top_index(a->top)), sizeof *a->open);
}

/* Leaves in *a what was in force before. */
static void put_in_force(ki_live *l, struct arrival *a, const char *version)
{
    const struct arrival before = { l->model, l->top, l->folded, l->open };
    const kith_model *m = a->model;
    l->model = a->model;
    l->top = a->top;
    l->folded = a->folded;
    l->open = a->open;
    *a = before;
    l->model_events = events_of(l, m);
    snprintf(l->version, sizeof l->version, "%s", version);
    ki_grown_over(&l->grown, &m->core, &l->view.core);
    memset(l->ranked, 0, (size_t)l->view.items.n);
    memset(l->ranked, 1, (size_t)m->core.n_items);
    for (int32_t j = 0; j < m->core.n_cold; j++) l->ranked[m->core.cold[j]] = 0;
    ki_live_find_cold(l);
    ki_idle_rankers_empty(&l->idle);
    l->catalogue++;
}

kith_err ki_live_promote(ki_live *l, kith_model *m, const char *version)
{
    if (strlen(version) >= sizeof l->version)
        return ki_fail(KITH_EINVAL, "a version has at most %zu bytes", sizeof l->version - 1);
    ki_live_read(l); /* the long part, which keeps nobody from asking */
    kith_err err = check_names(&l->view.users, &m->users, "user");
    if (err == KITH_OK) err = check_names(&l->view.items, &m->items, "item");
    if (err == KITH_OK) err = forget_dropped(l, m);
    ki_live_release(l);
    if (err != KITH_OK) return err;
    struct arrival a = { .model = m };
    if ((err = prepare(&a)) == KITH_OK) {
        ki_live_write(l);
        err = forget_dropped(l, m); /* who was dropped in between */
        if (err == KITH_OK) put_in_force(l, &a, version);
        ki_live_release(l);
    }
    if (err != KITH_OK) a.model = NULL; /* stays the caller's */
    free_arrival(&a);
    return err;
}
