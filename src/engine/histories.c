/* SPDX-License-Identifier: MIT
 * histories.c -- rows that are searched by halves and grow by half
 */
#include "engine/histories.h"

#include "base/mem.h"

#include <string.h>

enum { LEAST_ROOM = 4, CELL = sizeof(int64_t) + sizeof(int32_t) + sizeof(float) };

kith_err ki_histories_room_for_user(ki_histories *h)
{
    if (h->n_users < h->room) return KITH_OK;
    const int32_t room = h->room < 64 ? 64 : h->room + h->room / 2;
    const kith_err err = ki_grow(&h->rows, (size_t)h->room, (size_t)room, sizeof *h->rows);
    if (err != KITH_OK) return err;
    h->bytes += (int64_t)(room - h->room) * (int64_t)sizeof *h->rows;
    h->room = room;
    return KITH_OK;
}

kith_err ki_histories_add_user(ki_histories *h)
{
    const kith_err err = ki_histories_room_for_user(h);
    if (err == KITH_OK) h->rows[h->n_users++] = (ki_history){ 0 };
    return err;
}

int32_t ki_history_place(const ki_history *row, int32_t item)
{
    int32_t low = 0, high = row->n;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (row->items[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A block of that much room; the row's own content goes into it. */
static kith_err move_to(ki_histories *h, ki_history *row, int32_t room)
{
    ki_history made = { .n = row->n, .room = room, .stamp = row->stamp };
    const kith_err err = ki_alloc(&made.times, (size_t)room, CELL);
    if (err != KITH_OK) return err;
    made.items = (int32_t *)(made.times + room);
    made.values = (float *)(made.items + room);
    if (row->n > 0) {
        memcpy(made.times, row->times, (size_t)row->n * sizeof *row->times);
        memcpy(made.items, row->items, (size_t)row->n * sizeof *row->items);
        memcpy(made.values, row->values, (size_t)row->n * sizeof *row->values);
    }
    ki_free(row->times);
    h->bytes += ((int64_t)room - row->room) * CELL;
    *row = made;
    return KITH_OK;
}

/* Make a gap of `by` (1), or close one (-1), at `at`. */
static void shift(ki_history *row, int32_t at, int32_t by)
{
    const int32_t from = by > 0 ? at : at + 1, n = row->n - from;
    memmove(row->times + from + by, row->times + from, (size_t)n * sizeof *row->times);
    memmove(row->items + from + by, row->items + from, (size_t)n * sizeof *row->items);
    memmove(row->values + from + by, row->values + from, (size_t)n * sizeof *row->values);
    row->n += by;
}

kith_err ki_histories_put(ki_histories *h, int32_t u, int32_t item, float value, int64_t time,
                          int add, ki_history_change *out)
{
    ki_history *row = &h->rows[u];
    const int32_t at = ki_history_place(row, item);
    row->stamp = ++h->stamp;
    if (at < row->n && row->items[at] == item) {
        *out = (ki_history_change){ .time = row->times[at], .now = KI_MAX(row->times[at], time) };
        row->times[at] = out->now;
        row->values[at] = add ? row->values[at] + value : value;
        return KITH_OK;
    }
    if (row->n == row->room) {
        const int32_t more = row->room < LEAST_ROOM ? LEAST_ROOM : row->room + row->room / 2;
        const kith_err err = move_to(h, row, more);
        if (err != KITH_OK) return err;
    }
    shift(row, at, 1);
    row->times[at] = time;
    row->items[at] = item;
    row->values[at] = value;
    h->n_pairs++;
    *out = (ki_history_change){ .is_new = 1, .now = time };
    return KITH_OK;
}

int ki_histories_take(ki_histories *h, int32_t u, int32_t item, int64_t *time)
{
    ki_history *row = &h->rows[u];
    const int32_t at = ki_history_place(row, item);
    if (at == row->n || row->items[at] != item) return 0;
    *time = row->times[at];
    row->stamp = ++h->stamp;
    shift(row, at, -1);
    h->n_pairs--;
    return 1;
}

void ki_histories_empty(ki_histories *h, int32_t u)
{
    ki_history *row = &h->rows[u];
    h->n_pairs -= row->n;
    h->bytes -= (int64_t)row->room * CELL;
    ki_free(row->times);
    *row = (ki_history){ .stamp = ++h->stamp };
}

void ki_histories_clear(ki_histories *h)
{
    for (int32_t u = 0; u < h->n_users; u++) ki_free(h->rows[u].times);
    ki_free(h->rows);
    *h = (ki_histories){ 0 };
}
