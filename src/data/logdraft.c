/* SPDX-License-Identifier: MIT
 * logdraft.c -- columns of a log that grow as its rows are read
 *
 * How many rows there will be is judged from the part of the file that is read.  The room grows towards that number,
 * but at most sixteenfold at a time, so that a wrong guess from the first lines costs little.
 */
#include "data/logdraft.h"

#include "base/mem.h"

#include <string.h>

static int64_t next_room(const ki_log_draft *draft, int64_t n)
{
    const int64_t in_view =
        draft->n_in_view + draft->n_in_view / 64; /* a guess, so a little more */
    const int64_t most = KI_MAX(draft->room * 16, (int64_t)1024);
    const int64_t want = draft->n_in_view > 0 ? KI_MIN(in_view, most) : draft->room * 3 / 2;
    return KI_MAX(KI_MAX(want, draft->room + draft->room / 32), n);
}

/* ki_grow for a column that will be filled. */
static kith_err widen(void *column, size_t have, size_t want, size_t size)
{
    void *old, *wide;
    const kith_err err = ki_alloc(&wide, want, size);
    if (err != KITH_OK) return err;
    ki_fill_soon(wide, want, size);
    memcpy(&old, column, sizeof old);
    if (old != NULL) memcpy(wide, old, have * size);
    ki_free(old);
    memcpy(column, &wide, sizeof wide);
    return KITH_OK;
}

static kith_err set_room(ki_log_draft *draft, int64_t room)
{
    ki_log *log = &draft->log;
    const size_t have = (size_t)KI_MIN(log->n, room), want = (size_t)room;
    kith_err err;
    if ((err = widen(&log->user, have, want, sizeof *log->user)) != KITH_OK) return err;
    if ((err = widen(&log->item, have, want, sizeof *log->item)) != KITH_OK) return err;
    if ((err = widen(&log->value, have, want, sizeof *log->value)) != KITH_OK) return err;
    if (log->time != NULL && (err = widen(&log->time, have, want, sizeof *log->time)) != KITH_OK)
        return err;
    if (log->test != NULL && (err = widen(&log->test, have, want, 1)) != KITH_OK) return err;
    draft->room = room;
    return KITH_OK;
}

kith_err ki_log_draft_add(ki_log_draft *draft, int64_t n, int timed, int test, int64_t *first)
{
    ki_log *log = &draft->log;
    const int64_t end = log->n + n;
    kith_err err;
    if (end > draft->room && (err = set_room(draft, next_room(draft, end))) != KITH_OK) return err;
    const size_t room = (size_t)draft->room;
    if (timed && log->time == NULL &&
        (err = widen(&log->time, 0, room, sizeof *log->time)) != KITH_OK)
        return err;
    if (test && log->test == NULL && (err = widen(&log->test, 0, room, 1)) != KITH_OK) return err;
    if (log->test != NULL && n > 0) memset(log->test + log->n, test, (size_t)n);
    *first = log->n;
    log->n = end;
    return KITH_OK;
}

kith_err ki_log_draft_finish(ki_log_draft *draft, kith_data *d)
{
    const int64_t n = draft->log.n;
    kith_err err;
    if (draft->n_timed > 0 && draft->n_timed < n)
        return ki_fail(
            KITH_EDATA,
            "%s: %lld of %lld interactions have a time; give one to all of them, or to none",
            d->source, (long long)draft->n_timed, (long long)n);
    if (draft->n_timed == 0) {
        ki_free(draft->log.time);
        draft->log.time = NULL;
    }
    if (draft->room - n > n / 8 && (err = set_room(draft, n)) != KITH_OK) return err;
    d->log = draft->log;
    *draft = (ki_log_draft){ 0 };
    return KITH_OK;
}

void ki_log_draft_clear(ki_log_draft *draft)
{
    ki_free(draft->log.user);
    ki_free(draft->log.item);
    ki_free(draft->log.value);
    ki_free(draft->log.time);
    ki_free(draft->log.test);
    *draft = (ki_log_draft){ 0 };
}
