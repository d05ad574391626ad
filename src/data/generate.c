/* SPDX-License-Identifier: MIT
 * generate.c -- simulated data: checks what is asked for, lets every user live, numbers what came
 * out
 *
 * Users are independent given the seed: each has a generator of random numbers of its own and
 * writes its own rows of the log, so the bits do not depend on the number of threads.  Rows are
 * grouped by user with times rising; no pair occurs twice.  Users and items are numbered, as in any
 * file, in order of first appearance; items that nobody chose come last.  Memory beside the data
 * itself is one int32 per item and what the world keeps (generate_tastes.c).
 */
#include "data/generate.h"

#include "base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GRAIN = 64, BLOCKS = 64, MAX_RANK = 256 };

/* ---- what is asked for */

static kith_err check_counts(int64_t n_users, int64_t n_items)
{
    if (n_users >= 1 && n_users < INT32_MAX && n_items >= 1 && n_items < INT32_MAX) return KITH_OK;
    return ki_fail(KITH_EINVAL, "%" PRId64 " users and %" PRId64 " items, want 1 to %d of each",
                   n_users, n_items, INT32_MAX - 1);
}

static kith_err check_sizes(const ki_world *w, int64_t n_users, int64_t n_items)
{
    if (w->n > n_users * n_items)
        return ki_fail(KITH_EINVAL,
                       "%" PRId64 " interactions do not fit: %" PRId64 " users times %" PRId64
                       " items make %" PRId64 " pairs, and no pair occurs twice",
                       w->n, n_users, n_items, n_users * n_items);
    if (w->n < n_users)
        return ki_fail(
            KITH_EINVAL,
            "%" PRId64 " interactions for %" PRId64
            " users: every user has at least one; ask for fewer users or more interactions",
            w->n, n_users);
    return KITH_OK;
}

static kith_err check_shape(const ki_world *w)
{
    if (w->rank < 1 || w->rank > MAX_RANK)
        return ki_fail(KITH_EINVAL, "rank %d, want 1 to %d", w->rank, MAX_RANK);
    if (!(w->power > 0 && w->power <= 3))
        return ki_fail(KITH_EINVAL, "popularity power %g, want above 0 and at most 3", w->power);
    if (!(w->noise > 0 && w->noise <= 10))
        return ki_fail(KITH_EINVAL, "noise %g, want above 0 and at most 10", w->noise);
    return KITH_OK;
}

/* Options with their defaults; n_items is that of the catalogue when there is one. */
static kith_err settle(ki_world *w, const kith_generate_options *o, int32_t n_catalogue,
                       const ki_job *job)
{
    const int64_t n_users = o->n_users == 0 ? 1000 : o->n_users;
    const int64_t n_items = n_catalogue > 0 ? n_catalogue : o->n_items == 0 ? 500 : o->n_items;
    kith_err err = check_counts(n_users, n_items); /* their product is below 2^62 then */
    if (err != KITH_OK) return err;
    *w = (ki_world){
        .n = o->n_interactions == 0 ? KI_MIN(50, KI_MAX(n_items / 4, 1)) * n_users
                                    : o->n_interactions,
        .rank = o->rank != 0      ? o->rank
                : n_catalogue > 0 ? 32
                                  : 8,
        .power = o->popularity_power == 0 ? 0.8 : o->popularity_power,
        .noise = o->noise == 0 ? 0.5 : o->noise,
        .implicit = o->implicit,
        .seed = job->seed,
        .n_workers = ki_pool_size(job->pool),
    };
    if (n_catalogue > 0 && o->n_items != 0 && o->n_items != n_catalogue)
        return ki_fail(KITH_EINVAL,
                       "%s has %d items, not %" PRId64 ": leave the number of items out",
                       o->items_path, n_catalogue, o->n_items);
    err = check_sizes(w, n_users, n_items);
    w->n_users = (int32_t)n_users;
    w->n_items = (int32_t)n_items;
    return err != KITH_OK ? err : check_shape(w);
}

/* ---- living */

struct life {
    const ki_world *w;
    ki_tastes *tastes;
    const int64_t *begin; /* [n_users + 1] rows of the log */
    int64_t first_user;   /* of the block at hand */
    ki_log *log;
};

static kith_err live(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct life *l = arg;
    for (int64_t j = begin; j < end; j++) {
        const int32_t u = (int32_t)(l->first_user + j);
        const int64_t row = l->begin[u], n = l->begin[u + 1] - row;
        ki_rng r = ki_rng_make(l->w->seed, KI_STREAM_USER, (uint64_t)u);
        ki_spread_times(&r, n, l->log->time + row);
        ki_tastes_choose(l->tastes, u, &r, n, l->log->item + row, l->log->value + row, worker);
        for (int64_t t = 0; t < n; t++) l->log->user[row + t] = u;
    }
    return KITH_OK;
}

static kith_err live_all(struct life *l, ki_job *job)
{
    const int64_t n = l->w->n_users, block = (n / BLOCKS / GRAIN + 1) * GRAIN;
    for (l->first_user = 0; l->first_user < n; l->first_user += block) {
        kith_err err = ki_job_step(job, "generate", l->first_user, n);
        if (err != KITH_OK) return err;
        err = ki_parallel_for(job->pool, KI_MIN(block, n - l->first_user), GRAIN, live, l);
        if (err != KITH_OK) return err;
    }
    return ki_job_step(job, "generate", n, n);
}

static kith_err make_log(ki_log *log, int64_t n)
{
    kith_err err;
    if ((err = ki_alloc(&log->user, (size_t)n, sizeof *log->user)) != KITH_OK) return err;
    if ((err = ki_alloc(&log->item, (size_t)n, sizeof *log->item)) != KITH_OK) return err;
    if ((err = ki_alloc(&log->value, (size_t)n, sizeof *log->value)) != KITH_OK) return err;
    if ((err = ki_alloc(&log->time, (size_t)n, sizeof *log->time)) != KITH_OK) return err;
    log->n = n;
    return KITH_OK;
}

static kith_err fill_log(ki_log *log, const ki_world *w, const ki_table *catalogue, ki_job *job)
{
    struct life l = { .w = w, .log = log };
    int64_t *begin = NULL;
    kith_err err;
    if ((err = ki_plan_activity(w, &begin)) != KITH_OK) goto done;
    l.begin = begin;
    if ((err = ki_tastes_new(&l.tastes, w, catalogue, job)) != KITH_OK) goto done;
    if ((err = make_log(log, w->n)) != KITH_OK) goto done;
    err = live_all(&l, job);
done:
    ki_tastes_free(l.tastes);
    ki_free(begin);
    return err;
}

/* ---- numbering */

/* Items of the log by order of first appearance; old[0..*n) tells which item of the world each new
 * one was. */
static kith_err renumber(ki_log *log, int32_t n_items, int32_t **old, int32_t *n)
{
    int32_t *fresh = NULL; /* [n_items] new number + 1 */
    kith_err err;
    if ((err = ki_alloc(old, (size_t)n_items, sizeof **old)) != KITH_OK) return err;
    if ((err = ki_alloc(&fresh, (size_t)n_items, sizeof *fresh)) != KITH_OK) return err;
    *n = 0;
    for (int64_t j = 0; j < log->n; j++) {
        const int32_t i = log->item[j];
        if (fresh[i] == 0) {
            (*old)[*n] = i;
            fresh[i] = ++*n;
        }
        log->item[j] = fresh[i] - 1;
    }
    ki_free(fresh);
    return KITH_OK;
}

/* "u1", "u2", ... */
static kith_err number_ids(ki_idmap *m, char letter, int32_t n)
{
    char id[16];
    int32_t at;
    kith_err err = KITH_OK;
    for (int32_t j = 0; j < n && err == KITH_OK; j++) {
        const int length = snprintf(id, sizeof id, "%c%d", letter, j + 1);
        err = ki_idmap_add(m, id, (size_t)length, &at);
    }
    return err;
}

/* The ids of a catalogue in their new order: what was chosen first, then the rest as in the file. */
static kith_err adopt_catalogue(kith_data *d, const char *path, const ki_idmap *ids,
                                const int32_t *old, int32_t n)
{
    int32_t at;
    kith_err err = KITH_OK;
    for (int32_t j = 0; j < n && err == KITH_OK; j++)
        err =
            ki_idmap_add(&d->items, ki_idmap_name(ids, old[j]), ki_idmap_length(ids, old[j]), &at);
    return err == KITH_OK ? ki_catalogue_read(path, &d->items, &d->item_attrs) : err;
}

static kith_err number_items(kith_data *d, const char *path, const ki_idmap *ids, int32_t n_items)
{
    int32_t *old = NULL, n = 0;
    kith_err err = renumber(&d->log, n_items, &old, &n);
    if (err == KITH_OK)
        err = path == NULL ? number_ids(&d->items, 'i', n_items)
                           : adopt_catalogue(d, path, ids, old, n);
    ki_free(old);
    return err;
}

/* ---- all of it */

static kith_err name_source(kith_data *d, const char *path)
{
    char text[KI_MESSAGE_SIZE];
    if (path == NULL) return ki_strdup(&d->source, "generated");
    snprintf(text, sizeof text, "simulated viewers over %s", path);
    return ki_strdup(&d->source, text);
}

static void finish(kith_data *d)
{
    const ki_log *log = &d->log;
    for (int64_t j = 1; j < log->n && !d->has_values; j++)
        d->has_values = log->value[j] != log->value[0];
    d->report.n_lines = log->n;
    snprintf(d->report.layout, sizeof d->report.layout, "generated");
    snprintf(d->report.duplicates, sizeof d->report.duplicates, d->has_values ? "last" : "sum");
}

static kith_err generate(kith_data *d, const kith_generate_options *o, const ki_idmap *ids,
                         const ki_table *catalogue, ki_job *job)
{
    ki_world w;
    kith_err err = settle(&w, o, ids->n, job);
    if (err != KITH_OK) return err;
    const size_t scratch = (size_t)w.n_items * 4 * ((size_t)w.rank + 4 * (size_t)w.n_workers);
    const size_t bytes = (size_t)w.n * 20 + ((size_t)w.n_users + (size_t)w.n_items) * 40 + scratch;
    if ((err = ki_job_memory(job, "generating that much data", bytes)) != KITH_OK) return err;
    if ((err = fill_log(&d->log, &w, catalogue, job)) != KITH_OK) return err;
    if ((err = number_ids(&d->users, 'u', w.n_users)) != KITH_OK) return err;
    if ((err = number_items(d, o->items_path, ids, w.n_items)) != KITH_OK) return err;
    finish(d);
    return name_source(d, o->items_path);
}

kith_err kith_data_generate(kith *k, const kith_generate_options *options, kith_data **out)
{
    const kith_generate_options o = options == NULL ? (kith_generate_options){ 0 } : *options;
    kith_data *d = NULL;
    ki_idmap ids = { 0 };
    ki_table catalogue = { 0 };
    if (k == NULL || out == NULL)
        return ki_fail(KITH_EINVAL, "kith_data_generate: k and out must not be NULL");
    ki_job_begin(ki_context_job(k));
    kith_err err = ki_alloc(&d, 1, sizeof *d);
    if (err == KITH_OK && o.items_path != NULL)
        err = ki_catalogue_read(o.items_path, &ids, &catalogue);
    if (err == KITH_OK)
        err = generate(d, &o, &ids, o.items_path == NULL ? NULL : &catalogue, ki_context_job(k));
    if (err == KITH_OK)
        *out = d;
    else
        kith_data_free(d);
    ki_idmap_clear(&ids);
    ki_table_clear(&catalogue);
    return err;
}
