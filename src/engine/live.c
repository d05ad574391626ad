/* SPDX-License-Identifier: MIT
 * live.c -- a live engine's life, and what changes in it: numbers, attributes, events
 *
 * Every change asks for memory first and then writes what cannot fail, so that a refusal leaves nothing half done.
 */
#include "engine/live_inside.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum { WEEK = 7 * 86400, FILTERS = 256, SLICE = 4096 };

/* ---- life ---- */

void ki_live_read(ki_live *l)
{
    pthread_rwlock_rdlock(&l->lock);
}

void ki_live_write(ki_live *l)
{
    pthread_rwlock_wrlock(&l->lock);
}

void ki_live_release(ki_live *l)
{
    pthread_rwlock_unlock(&l->lock);
}

/* Writers first: a stream of questions must not keep an event waiting. */
static void make_lock(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t how;
    pthread_rwlockattr_init(&how);
    pthread_rwlockattr_setkind_np(&how, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &how);
    pthread_rwlockattr_destroy(&how);
}

kith_err ki_live_new(const ki_live_options *options, ki_live **out)
{
    static const ki_live_options usual = { 0 };
    const ki_live_options *o = options != NULL ? options : &usual;
    ki_live *l = NULL;
    kith_err err;
    if (!(o->trend_half_life >= 0) || !isfinite(o->trend_half_life) || o->filter_cache < 0)
        return ki_fail(KITH_EINVAL, "live: a half life of %g seconds and %lld kept filters",
                       o->trend_half_life, (long long)o->filter_cache);
    if ((err = ki_alloc(&l, 1, sizeof *l)) != KITH_OK) return err;
    const int64_t n_filters = o->filter_cache > 0 ? KI_MIN(o->filter_cache, 65536) : FILTERS;
    if ((err = ki_kept_filters_init(&l->filters, (int)n_filters)) != KITH_OK) {
        ki_free(l);
        return err;
    }
    make_lock(&l->lock);
    pthread_mutex_init(&l->popular_lock, NULL);
    pthread_mutex_init(&l->idle.lock, NULL);
    l->half_life = o->trend_half_life > 0 ? o->trend_half_life : WEEK;
    l->item_cells.table = &l->view.item_attrs;
    l->user_cells.table = &l->view.user_attrs;
    ki_grown_over(&l->grown, NULL, &l->view.core);
    *out = l;
    return KITH_OK;
}

void ki_live_free(ki_live *l)
{
    if (l == NULL) return;
    ki_idle_rankers_empty(&l->idle);
    ki_kept_filters_clear(&l->filters);
    ki_histories_clear(&l->histories);
    ki_cells_clear(&l->item_cells);
    ki_cells_clear(&l->user_cells);
    ki_idmap_clear(&l->view.users);
    ki_idmap_clear(&l->view.items);
    ki_table_clear(&l->view.user_attrs);
    ki_table_clear(&l->view.item_attrs);
    ki_free(l->view.reach);
    ki_free(l->view.popularity);
    ki_free(l->view.popular);
    ki_free(l->view.core.cold);
    ki_free(l->barred);
    ki_free(l->hidden);
    ki_free(l->ranked);
    ki_free(l->created);
    ki_free(l->trend);
    ki_free(l->trend_time);
    ki_top_free(l->top);
    ki_free(l->open);
    ki_folded_free(l->folded);
    kith_model_free(l->model);
    pthread_mutex_destroy(&l->popular_lock);
    pthread_mutex_destroy(&l->idle.lock);
    pthread_rwlock_destroy(&l->lock);
    ki_free(l);
}

/* ---- numbers ---- */

static kith_err check_id(const char *what, const char *id)
{
    if (id == NULL || id[0] == '\0') return ki_fail(KITH_EINVAL, "%s: an id is empty", what);
    if (id[0] == '\x1f') /* what stands for ids that were dropped */
        return ki_fail(KITH_EINVAL, "%s: an id begins with a control character", what);
    return KITH_OK;
}

/* id NULL: a number without one. */
static kith_err name_next(ki_idmap *ids, const char *id, int32_t *out)
{
    return id == NULL ? ki_idmap_add_blank(ids, out) : ki_idmap_add(ids, id, strlen(id), out);
}

static kith_err add_user(ki_live *l, const char *id, int32_t *u)
{
    kith_err err;
    if ((err = ki_cells_room_for_row(&l->user_cells)) != KITH_OK) return err;
    if ((err = ki_histories_room_for_user(&l->histories)) != KITH_OK) return err;
    if ((err = name_next(&l->view.users, id, u)) != KITH_OK) return err;
    ki_cells_add_row(&l->user_cells);
    ki_histories_add_user(&l->histories);
    l->view.core.n_users = l->view.users.n;
    l->counts.users += id != NULL;
    return KITH_OK;
}

static kith_err add_item(ki_live *l, const char *id, int32_t *i)
{
    kith_err err;
    if ((err = ki_cells_room_for_row(&l->item_cells)) != KITH_OK) return err;
    if ((err = ki_live_room_for_item(l)) != KITH_OK) return err;
    if ((err = name_next(&l->view.items, id, i)) != KITH_OK) return err;
    ki_cells_add_row(&l->item_cells);
    ki_live_item_is_new(l, *i);
    l->counts.items += id != NULL;
    if (id == NULL) ki_live_bar(l, *i);
    return KITH_OK;
}

kith_err ki_live_user(ki_live *l, const char *id, int32_t *u)
{
    kith_err err = check_id("user", id);
    if (err != KITH_OK || ki_live_find_user(l, id, u) == KITH_OK) return err;
    ki_live_write(l);
    const int32_t found = ki_idmap_find(&l->view.users, id, strlen(id));
    if (found >= 0) /* another thread was quicker */
        *u = found;
    else
        err = add_user(l, id, u);
    ki_live_release(l);
    return err;
}

kith_err ki_live_item(ki_live *l, const char *id, int32_t *i)
{
    kith_err err = check_id("item", id);
    if (err != KITH_OK || ki_live_find_item(l, id, i) == KITH_OK) return err;
    ki_live_write(l);
    const int32_t found = ki_idmap_find(&l->view.items, id, strlen(id));
    if (found >= 0)
        *i = found;
    else
        err = add_item(l, id, i);
    ki_live_release(l);
    return err;
}

kith_err ki_live_skip_user(ki_live *l)
{
    int32_t u;
    ki_live_write(l);
    const kith_err err = add_user(l, NULL, &u);
    ki_live_release(l);
    return err;
}

kith_err ki_live_skip_item(ki_live *l)
{
    int32_t i;
    ki_live_write(l);
    const kith_err err = add_item(l, NULL, &i);
    ki_live_release(l);
    return err;
}

static kith_err find(ki_live *l, const ki_idmap *ids, const char *what, const char *id,
                     int32_t *out)
{
    ki_live_read(l);
    const int32_t found = ki_idmap_find(ids, id, strlen(id));
    ki_live_release(l);
    if (found < 0) return ki_fail(KITH_ENOTFOUND, "no %s \"%.64s\"", what, id);
    *out = found;
    return KITH_OK;
}

kith_err ki_live_find_user(ki_live *l, const char *id, int32_t *u)
{
    return find(l, &l->view.users, "user", id, u);
}

kith_err ki_live_find_item(ki_live *l, const char *id, int32_t *i)
{
    return find(l, &l->view.items, "item", id, i);
}

static kith_err check_number(const ki_idmap *ids, const char *what, int32_t at)
{
    if (at < 0 || at >= ids->n)
        return ki_fail(KITH_EINVAL, "live: %s number %d of %d", what, at, ids->n);
    if (ki_idmap_is_blank(ids, at))
        return ki_fail(KITH_ENOTFOUND, "live: %s number %d was dropped", what, at);
    return KITH_OK;
}

/* ---- attributes, state ---- */

kith_err ki_live_item_attributes(ki_live *l, int32_t i, const json_t *attributes)
{
    ki_live_write(l);
    kith_err err = check_number(&l->view.items, "item", i);
    if (err == KITH_OK) {
        l->catalogue++; /* a failure for want of memory may leave new columns */
        err = ki_cells_set_row(&l->item_cells, i, attributes);
    }
    ki_live_release(l);
    return err;
}

kith_err ki_live_user_attributes(ki_live *l, int32_t u, const json_t *attributes)
{
    ki_live_write(l);
    kith_err err = check_number(&l->view.users, "user", u);
    if (err == KITH_OK) err = ki_cells_set_row(&l->user_cells, u, attributes);
    ki_live_release(l);
    return err;
}

kith_err ki_live_check_attributes(ki_live *l, int of_items, const json_t *const *attributes, int n)
{
    ki_live_read(l);
    const kith_err err =
        ki_cells_check_rows(of_items ? &l->item_cells : &l->user_cells, attributes, n);
    ki_live_release(l);
    return err;
}

kith_err ki_live_item_state(ki_live *l, int32_t i, int hidden, int64_t created)
{
    ki_live_write(l);
    const kith_err err = check_number(&l->view.items, "item", i);
    if (err == KITH_OK) {
        if (created != 0) l->created[i] = created;
        if (l->hidden[i] != (hidden != 0)) {
            l->hidden[i] = hidden != 0;
            l->counts.hidden += hidden != 0 ? 1 : -1;
            ki_live_bar(l, i);
            l->catalogue++;
        }
    }
    ki_live_release(l);
    return err;
}

/* ---- events ---- */

static kith_err check_event(const ki_live *l, int32_t u, int32_t i, float value)
{
    kith_err err = check_number(&l->view.users, "user", u);
    if (err == KITH_OK) err = check_number(&l->view.items, "item", i);
    if (err == KITH_OK && !isfinite(value))
        err = ki_fail(KITH_EINVAL, "live: the value of an event is not a finite number");
    return err;
}

static int has_pair(const ki_live *l, int32_t u, int32_t i)
{
    const ki_history *row = &l->histories.rows[u];
    const int32_t at = ki_history_place(row, i);
    return at < row->n && row->items[at] == i;
}

static kith_err put(ki_live *l, int32_t u, int32_t i, float value, int64_t time, ki_live_how how)
{
    ki_history_change change;
    if (how == KI_LIVE_IF_NEW && has_pair(l, u, i)) return KITH_OK;
    const kith_err err =
        ki_histories_put(&l->histories, u, i, value, time, how == KI_LIVE_ADD, &change);
    if (err != KITH_OK) return err;
    ki_live_count_pair(l, i, &change);
    l->n_events++;
    return KITH_OK;
}

kith_err ki_live_event(ki_live *l, int32_t u, int32_t i, float value, int64_t time, ki_live_how how)
{
    ki_live_write(l);
    kith_err err = check_event(l, u, i, value);
    if (err == KITH_OK) err = put(l, u, i, value, time, how);
    ki_live_release(l);
    return err;
}

/* The number of an id that should be `at`, under the lock held alone. */
static kith_err number_of(ki_live *l, const ki_idmap *ids, const char *id, int32_t at,
                          kith_err (*add)(ki_live *l, const char *id, int32_t *out), int32_t *out)
{
    const kith_err err = check_id(ids == &l->view.users ? "user" : "item", id);
    if (err != KITH_OK) return err;
    *out = at >= 0 && at < ids->n && strcmp(ki_idmap_name(ids, at), id) == 0
               ? at
               : ki_idmap_find(ids, id, strlen(id));
    return *out >= 0 ? KITH_OK : add(l, id, out);
}

static kith_err happen(ki_live *l, const ki_live_happening *h)
{
    int32_t u, i;
    kith_err err = number_of(l, &l->view.users, h->user, h->u, add_user, &u);
    if (err == KITH_OK) err = number_of(l, &l->view.items, h->item, h->i, add_item, &i);
    if (err != KITH_OK || h->only_known) return err;
    err = check_event(l, u, i, h->value);
    return err == KITH_OK ? put(l, u, i, h->value, h->time, h->how) : err;
}

kith_err ki_live_happen(ki_live *l, const ki_live_happening *happenings, int n, int *n_done)
{
    kith_err err = KITH_OK;
    *n_done = 0;
    ki_live_write(l);
    while (err == KITH_OK && *n_done < n)
        if ((err = happen(l, &happenings[*n_done])) == KITH_OK) ++*n_done;
    ki_live_release(l);
    return err;
}

static kith_err put_all(ki_live *l, int64_t n, const int32_t *users, const int32_t *items,
                        const float *values, const int64_t *times, ki_live_how how)
{
    kith_err err = KITH_OK;
    for (int64_t j = 0; err == KITH_OK && j < n; j++)
        err = check_event(l, users[j], items[j], values[j]);
    for (int64_t j = 0; err == KITH_OK && j < n; j++)
        err = put(l, users[j], items[j], values[j], times[j], how);
    return err;
}

kith_err ki_live_events(ki_live *l, int64_t n, const int32_t *users, const int32_t *items,
                        const float *values, const int64_t *times, ki_live_how how)
{
    ki_live_write(l);
    const kith_err err = put_all(l, n, users, items, values, times, how);
    ki_live_release(l);
    return err;
}

kith_err ki_live_take_back(ki_live *l, int32_t u, int32_t i)
{
    int64_t time;
    ki_live_write(l);
    kith_err err = check_event(l, u, i, 0);
    if (err == KITH_OK && !ki_histories_take(&l->histories, u, i, &time))
        err = ki_fail(KITH_ENOTFOUND, "user \"%.64s\" has no event with item \"%.64s\"",
                      ki_idmap_name(&l->view.users, u), ki_idmap_name(&l->view.items, i));
    if (err == KITH_OK) {
        ki_live_uncount_pair(l, i, time);
        l->n_events++;
    }
    ki_live_release(l);
    return err;
}

/* ---- dropping ---- */

/* Id and history go first, and whatever fails after them: nobody can be asked for or listed for who has neither, and
 * whoever comes under that id is somebody new. */
static kith_err drop_user(ki_live *l, int32_t u)
{
    const ki_history *row = &l->histories.rows[u];
    for (int32_t j = 0; j < row->n; j++) ki_live_uncount_pair(l, row->items[j], row->times[j]);
    ki_histories_empty(&l->histories, u);
    if (l->folded != NULL) ki_folded_forget(l->folded, u);
    ki_idmap_blank(&l->view.users, u);
    l->counts.users--;
    const kith_err err = l->model != NULL && u < l->model->core.n_users
                             ? ki_package_forget_user(l->model, u)
                             : KITH_OK;
    const kith_err attributes = ki_table_forget_row(&l->view.user_attrs, u);
    return err != KITH_OK ? err : attributes;
}

kith_err ki_live_drop_user(ki_live *l, int32_t u)
{
    ki_live_write(l);
    kith_err err = check_number(&l->view.users, "user", u);
    if (err == KITH_OK) err = drop_user(l, u);
    ki_live_release(l);
    return err;
}

/* Take item i out of the histories of users [begin, end). */
static void drop_pairs(ki_live *l, int32_t i, int32_t begin, int32_t end)
{
    int64_t time;
    for (int32_t u = begin; u < end; u++)
        if (ki_histories_take(&l->histories, u, i, &time)) ki_live_uncount_pair(l, i, time);
}

kith_err ki_live_drop_item(ki_live *l, int32_t i)
{
    ki_live_write(l);
    kith_err err = check_number(&l->view.items, "item", i), attributes = KITH_OK;
    if (err == KITH_OK) {
        ki_idmap_blank(&l->view.items, i);
        l->counts.items--;
        l->counts.hidden -= l->hidden[i];
        ki_live_bar(l, i);
        l->catalogue++;
        attributes =
            ki_table_forget_row(&l->view.item_attrs, i); /* the item goes whatever it says */
    }
    const int32_t n_users = l->view.users.n; /* later ones cannot have it */
    ki_live_release(l);
    for (int32_t u = 0; err == KITH_OK && u < n_users; u += SLICE) {
        ki_live_write(l);
        drop_pairs(l, i, u, KI_MIN(u + SLICE, n_users));
        ki_live_release(l);
    }
    return err != KITH_OK ? err : attributes;
}

/* ---- looking ---- */

void ki_live_count(ki_live *l, ki_live_counts *out)
{
    ki_live_read(l);
    const kith_model *v = &l->view;
    *out = l->counts;
    out->pairs = l->histories.n_pairs;
    out->since_model = l->n_events - l->model_events;
    out->bytes = l->histories.bytes + (int64_t)(v->users.text_size + v->items.text_size) +
                 8 * (int64_t)(v->users.start_size + v->items.start_size) +
                 (int64_t)l->item_room * 51; /* of live_catalogue.c */
    ki_live_release(l);
}
