/* SPDX-License-Identifier: MIT
 * live_catalogue.c -- what is kept per item while a live engine runs
 *
 * Counts follow every event.  The order by popularity is made when a question needs it, by one counting sort, and
 * kept until the next event; trends decay lazily: an item's sum is brought to the time of its latest event only.
 */
#include "engine/live_inside.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

/* ---- room ---- */

static kith_err widen(ki_live *l, int32_t room)
{
    const size_t n = (size_t)l->item_room, to = (size_t)room;
    kith_model *v = &l->view;
    kith_err err;
    if ((err = ki_grow(&v->reach, n, to, sizeof *v->reach)) != KITH_OK ||
        (err = ki_grow(&v->popularity, n, to, sizeof *v->popularity)) != KITH_OK ||
        (err = ki_grow(&v->popular, n, to, sizeof *v->popular)) != KITH_OK ||
        (err = ki_grow(&v->core.cold, n, to, sizeof *v->core.cold)) != KITH_OK ||
        (err = ki_grow(&l->barred, n, to, 1)) != KITH_OK ||
        (err = ki_grow(&l->hidden, n, to, 1)) != KITH_OK ||
        (err = ki_grow(&l->ranked, n, to, 1)) != KITH_OK ||
        (err = ki_grow(&l->created, n, to, sizeof *l->created)) != KITH_OK ||
        (err = ki_grow(&l->trend, n, to, sizeof *l->trend)) != KITH_OK ||
        (err = ki_grow(&l->trend_time, n, to, sizeof *l->trend_time)) != KITH_OK)
        return err; /* those that grew are larger than item_room says: no harm */
    v->barred = l->barred;
    l->item_room = room;
    return KITH_OK;
}

kith_err ki_live_room_for_item(ki_live *l)
{
    const int32_t n = l->view.items.n;
    if (n < l->item_room) return KITH_OK;
    const kith_err err = widen(l, n < 64 ? 64 : n + n / 2);
    l->view.barred = l->barred; /* it may have moved on the way to a failure */
    return err;
}

/* ---- what the model cannot rank, rising ---- */

static int is_cold(const ki_live *l, int32_t i)
{
    return l->barred[i] || !l->ranked[i];
}

void ki_live_item_is_new(ki_live *l, int32_t i)
{
    ki_model *core = &l->view.core;
    l->view.reach[i] = 0;
    l->view.popularity[i] = 0;
    l->barred[i] = l->hidden[i] = l->ranked[i] = 0;
    l->created[i] = l->trend_time[i] = 0;
    l->trend[i] = 0;
    core->n_items = l->view.items.n;
    core->cold[core->n_cold++] = i;
    l->catalogue++;
    __atomic_store_n(&l->popular_stale, 1, __ATOMIC_RELEASE);
}

static int32_t cold_place(const ki_model *core, int32_t i)
{
    int32_t low = 0, high = core->n_cold;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (core->cold[middle] < i)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The same in the order of the index. */
static void open_or_close(ki_live *l, int32_t i)
{
    if (l->top == NULL || i >= l->model->core.n_items) return;
    const int32_t place = ki_inner_place(ki_top_index(l->top), i);
    if (is_cold(l, i))
        ki_inner_take(l->open, place);
    else
        ki_inner_put(l->open, place);
}

void ki_live_find_cold(ki_live *l)
{
    ki_model *core = &l->view.core;
    core->n_cold = 0;
    for (int32_t i = 0; i < core->n_items; i++) {
        if (is_cold(l, i)) core->cold[core->n_cold++] = i;
        open_or_close(l, i);
    }
}

void ki_live_bar(ki_live *l, int32_t i)
{
    ki_model *core = &l->view.core;
    l->barred[i] = l->hidden[i] || ki_idmap_is_blank(&l->view.items, i);
    open_or_close(l, i);
    const int32_t at = cold_place(core, i);
    const int was = at < core->n_cold && core->cold[at] == i;
    if (is_cold(l, i) == was) return;
    int32_t *place = core->cold + at;
    const size_t n = (size_t)(core->n_cold - at);
    if (was)
        memmove(place, place + 1, (n - 1) * sizeof *place);
    else {
        memmove(place + 1, place, n * sizeof *place);
        *place = i;
    }
    core->n_cold += was ? -1 : 1;
}

/* ---- counts and trends ---- */

static double decayed(const ki_live *l, int64_t from, int64_t to)
{
    return exp2(-((double)to - (double)from) / l->half_life);
}

/* One pair of that time more (1) or less (-1). */
static void move_trend(ki_live *l, int32_t i, int64_t time, double by)
{
    if (l->trend[i] == 0) l->trend_time[i] = time;
    if (time > l->trend_time[i]) {
        l->trend[i] *= decayed(l, l->trend_time[i], time);
        l->trend_time[i] = time;
    }
    l->trend[i] = fmax(0, l->trend[i] + by * decayed(l, time, l->trend_time[i]));
    if (l->view.reach[i] == 0) l->trend[i] = 0; /* what rounding left */
}

static void move_reach(ki_live *l, int32_t i, int by)
{
    l->view.reach[i] += by;
    l->view.popularity[i] = l->view.reach[i];
    __atomic_store_n(&l->popular_stale, 1, __ATOMIC_RELEASE);
}

void ki_live_count_pair(ki_live *l, int32_t i, const ki_history_change *change)
{
    if (change->is_new)
        move_reach(l, i, 1);
    else if (change->now == change->time)
        return;
    else
        move_trend(l, i, change->time, -1);
    move_trend(l, i, change->now, 1);
}

void ki_live_uncount_pair(ki_live *l, int32_t i, int64_t time)
{
    move_reach(l, i, -1);
    move_trend(l, i, time, -1);
}

double ki_live_trend(const ki_live *l, int32_t i, int64_t now)
{
    /* an event that is ahead of the clock counts as one of now, not as more */
    return l->trend[i] == 0 ? 0 : l->trend[i] * fmin(1, decayed(l, l->trend_time[i], now));
}

/* ---- the order by popularity ---- */

static kith_err sort_by_reach(kith_model *v)
{
    const int32_t n = v->core.n_items;
    int32_t *place = NULL, most = 0, before = 0;
    for (int32_t i = 0; i < n; i++) most = KI_MAX(most, v->reach[i]);
    const kith_err err = ki_alloc(&place, (size_t)most + 1, sizeof *place);
    if (err != KITH_OK) return err;
    for (int32_t i = 0; i < n; i++) place[v->reach[i]]++;
    for (int32_t r = most; r >= 0; r--) {
        const int32_t here = place[r];
        place[r] = before;
        before += here;
    }
    for (int32_t i = 0; i < n; i++) v->popular[place[v->reach[i]]++] = i;
    ki_free(place);
    return KITH_OK;
}

kith_err ki_live_order_popular(ki_live *l)
{
    kith_err err = KITH_OK;
    if (!__atomic_load_n(&l->popular_stale, __ATOMIC_ACQUIRE)) return KITH_OK;
    pthread_mutex_lock(&l->popular_lock);
    if (__atomic_load_n(&l->popular_stale, __ATOMIC_ACQUIRE) &&
        (err = sort_by_reach(&l->view)) == KITH_OK)
        __atomic_store_n(&l->popular_stale, 0, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&l->popular_lock);
    return err;
}
