/* SPDX-License-Identifier: MIT
 * live_filters.c -- a filter's text is read and run once, and its mask serves until the catalogue changes
 *
 * Only what depends on nothing but the catalogue is kept: no now, no $names, no popularity.  An entry is made
 * outside the small lock, so two threads may make the same one; the later finds the earlier and takes it.
 */
#include "engine/live_inside.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "base/rng.h" /* ki_hash2 */
#include "engine/filter_tree.h"
#include "engine/request.h"

#include <string.h>

enum { DEFAULT_N = 10, ALWAYS = 4 };
static const size_t most_bytes = (size_t)128 << 20; /* of all together */

kith_err ki_kept_filters_init(ki_kept_filters *f, int room)
{
    const kith_err err = ki_alloc(&f->list, (size_t)room, sizeof(ki_kept_filter *));
    if (err != KITH_OK) return err;
    f->room = room;
    pthread_mutex_init(&f->lock, NULL);
    return KITH_OK;
}

static void free_entry(ki_kept_filter *e)
{
    if (e == NULL) return;
    ki_free(e->text);
    ki_free(e->block_text);
    kith_block_free(e->block);
    ki_free(e->pass);
    ki_free(e->only);
    ki_free(e->set);
    ki_inner_free(e->part);
    kith_string_free(e->report);
    ki_free(e);
}

void ki_kept_filters_clear(ki_kept_filters *f)
{
    for (int j = 0; j < f->n; j++) free_entry(f->list[j]);
    ki_free(f->list);
    pthread_mutex_destroy(&f->lock);
}

/* ---- making one ---- */

/* Does the filter say the same as long as the catalogue is the same? */
static int is_lasting(const ki_filter *f)
{
    if (f == NULL) return 1;
    for (int32_t n = 0; n < f->n_nodes; n++)
        if (f->nodes[n].op == KI_OP_NOW || f->nodes[n].op == KI_OP_CONTEXT ||
            f->nodes[n].op == KI_OP_POPULARITY)
            return 0;
    return 1;
}

static uint64_t hash_of(const char *text, const char *block)
{
    uint64_t h = text == NULL ? 0 : ki_idmap_hash(text, strlen(text));
    return block == NULL ? h : ki_hash2(h, ki_idmap_hash(block, strlen(block)));
}

static int same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static kith_err make_report(const ki_request *r, char **out)
{
    const ki_served served = { .n_candidates = r->n_only };
    json_t *o = NULL;
    kith_err err = ki_request_report(r, &served, &o);
    if (err == KITH_OK) err = ki_json_print(o, out);
    return err;
}

/* `only` lies in room for the whole catalogue: keep what is needed. */
static kith_err take_only(ki_kept_filter *e, const ki_request *r)
{
    const kith_err err = ki_alloc(&e->only, (size_t)r->n_only, sizeof *e->only);
    if (err == KITH_OK && r->n_only > 0)
        memcpy(e->only, r->only, (size_t)r->n_only * sizeof *e->only);
    e->n_only = r->n_only;
    return err;
}

static kith_err make_set(const ki_live *l, ki_kept_filter *e)
{
    if (l->top == NULL) return KITH_OK;
    const ki_inner *index = ki_top_index(l->top);
    const kith_err err = ki_alloc(&e->set, (size_t)ki_inner_words(index), sizeof *e->set);
    for (int32_t j = 0; err == KITH_OK && j < e->n_only; j++)
        ki_inner_put(e->set, ki_inner_place(index, e->only[j]));
    return err;
}

static size_t length_of(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

/* The texts of a block list are there twice: as they came, and entry by entry. */
static size_t block_bytes(const ki_live *l, const ki_kept_filter *e)
{
    const kith_block *b = e->block;
    return b == NULL ? 0
                     : (size_t)l->view.items.n * sizeof *b->by +
                           (size_t)b->n_entries * sizeof *b->entries + 2 * length_of(e->block_text);
}

static size_t bytes_of(const ki_live *l, const ki_kept_filter *e)
{
    const size_t set = e->set == NULL ? 0 : (size_t)ki_inner_words(ki_top_index(l->top)) * 8;
    return (size_t)l->view.items.n + (size_t)e->n_only * sizeof *e->only + set + block_bytes(l, e) +
           length_of(e->text) + length_of(e->report);
}

static kith_err find_passing(const ki_live *l, const ki_request *r, uint8_t *pass)
{
    const size_t n = (size_t)l->view.items.n;
    if (r->filter == NULL) memset(pass, 1, n);
    const kith_err err = r->filter == NULL ? KITH_OK : ki_filter_run(r->filter, &r->env, pass);
    for (size_t i = 0; err == KITH_OK && r->block != NULL && i < n; i++)
        if (ki_block_has(r->block, (int32_t)i)) pass[i] = 0;
    return err;
}

static kith_err run(ki_live *l, ki_request *r, ki_kept_filter *e)
{
    const ki_query nobody = { .user = -1 };
    kith_err err;
    if ((err = ki_request_narrow(r, &l->view, &nobody, DEFAULT_N)) != KITH_OK) return err;
    if ((err = ki_alloc(&e->pass, (size_t)l->view.items.n, 1)) != KITH_OK) return err;
    if ((err = find_passing(l, r, e->pass)) != KITH_OK) return err;
    if ((err = take_only(e, r)) != KITH_OK) return err;
    if ((err = make_set(l, e)) != KITH_OK) return err;
    return make_report(r, &e->report);
}

/* *out NULL: it does not last. */
static kith_err make(ki_live *l, const char *text, const char *block, ki_kept_filter **out)
{
    ki_kept_filter *e = NULL;
    ki_request r = { .filter = NULL };
    int lasting = 0;
    *out = NULL;
    kith_err err = ki_alloc(&e, 1, sizeof *e);
    if (err == KITH_OK && text != NULL) err = ki_strdup(&e->text, text);
    if (err == KITH_OK && block != NULL) err = ki_strdup(&e->block_text, block);
    if (err == KITH_OK && block != NULL)
        err = ki_block_make_kept(&l->view.items, &l->view.item_attrs, block, &e->block);
    if (err == KITH_OK)
        err = ki_request_read(&l->view, &(kith_query){ .filter = text, .block = e->block }, &r);
    if (err == KITH_OK && (lasting = is_lasting(r.filter))) err = run(l, &r, e);
    ki_request_clear(&r);
    if (err != KITH_OK || !lasting) {
        free_entry(e);
        return err;
    }
    e->hash = hash_of(text, block);
    e->version = l->catalogue;
    e->bytes = bytes_of(l, e);
    *out = e;
    return KITH_OK;
}

/* ---- keeping; the small lock is held ---- */

static ki_kept_filter *look_up(ki_kept_filters *f, const char *text, const char *block,
                               uint64_t hash, uint64_t version)
{
    for (int j = 0; j < f->n; j++) {
        ki_kept_filter *e = f->list[j];
        if (e->hash != hash || e->version != version || !same_text(e->text, text) ||
            !same_text(e->block_text, block))
            continue;
        e->used = ++f->clock;
        e->refs++;
        return e;
    }
    return NULL;
}

static void remove_at(ki_kept_filters *f, int at)
{
    f->bytes -= f->list[at]->bytes;
    free_entry(f->list[at]);
    f->list[at] = f->list[--f->n];
}

/* Let go of what nobody reads: all of earlier catalogues, and the longest unused while there are too many, or so large
 * that they and `bytes` more are too much; a few are kept however large they are. */
static void make_place(ki_kept_filters *f, uint64_t version, size_t bytes)
{
    for (int j = f->n - 1; j >= 0; j--)
        if (f->list[j]->version != version && f->list[j]->refs == 0) remove_at(f, j);
    while (f->n >= f->room || (f->n >= ALWAYS && f->bytes + bytes > most_bytes)) {
        int oldest = -1;
        for (int j = 0; j < f->n; j++)
            if (f->list[j]->refs == 0 && (oldest < 0 || f->list[j]->used < f->list[oldest]->used))
                oldest = j;
        if (oldest < 0) return;
        remove_at(f, oldest);
    }
}

/* The entry in use by the caller: kept, or when there is no place freed with its last use. */
static void keep(ki_live *l, ki_kept_filter *e)
{
    ki_kept_filters *f = &l->filters;
    make_place(f, l->catalogue, e->bytes);
    e->refs = 1;
    e->used = ++f->clock;
    if (f->n == f->room) return;
    f->list[f->n++] = e;
    f->bytes += e->bytes;
}

static int is_kept(const ki_kept_filters *f, const ki_kept_filter *e)
{
    for (int j = 0; j < f->n; j++)
        if (f->list[j] == e) return 1;
    return 0;
}

/* An index of what it lets through costs more than a question saves by it, and many filters come once. */
static kith_err make_part(ki_live *l, ki_kept_filter *e)
{
    ki_kept_filters *f = &l->filters;
    ki_inner *part = NULL;
    if (e->set == NULL || e->n_only == 0 || e->n_only > l->model->core.n_items / 2) return KITH_OK;
    const kith_err err = ki_inner_part(ki_top_index(l->top), e->set, &part);
    if (err != KITH_OK) return err;
    const size_t bytes = ki_inner_bytes(part);
    atomic_store(&e->part, part);
    pthread_mutex_lock(&f->lock);
    e->bytes += bytes;
    if (is_kept(f, e)) f->bytes += bytes;
    pthread_mutex_unlock(&f->lock);
    return KITH_OK;
}

/* Kept, or made; in use by the caller.  *out NULL: it does not last. */
static kith_err find(ki_live *l, const char *text, const char *block, ki_kept_filter **out)
{
    ki_kept_filters *f = &l->filters;
    const uint64_t hash = hash_of(text, block);
    ki_kept_filter *made;
    pthread_mutex_lock(&f->lock);
    *out = look_up(f, text, block, hash, l->catalogue);
    pthread_mutex_unlock(&f->lock);
    if (*out != NULL) return KITH_OK;
    const kith_err err = make(l, text, block, &made);
    if (err != KITH_OK || made == NULL) return err;
    pthread_mutex_lock(&f->lock);
    *out = look_up(f, text, block, hash, l->catalogue);
    if (*out == NULL) keep(l, *out = made), made = NULL;
    pthread_mutex_unlock(&f->lock);
    free_entry(made);
    return KITH_OK;
}

kith_err ki_live_filter(ki_live *l, const char *text, const char *block, ki_kept_filter **out)
{
    kith_err err = find(l, text, block, out);
    if (err != KITH_OK || *out == NULL) return err;
    pthread_mutex_lock(&l->filters.lock);
    const int n_asked = ++(*out)->n_asked;
    pthread_mutex_unlock(&l->filters.lock);
    if (n_asked != 2 || (err = make_part(l, *out)) == KITH_OK) return KITH_OK;
    ki_live_filter_done(l, *out);
    *out = NULL;
    return err;
}

void ki_live_filter_done(ki_live *l, ki_kept_filter *e)
{
    if (e == NULL) return;
    pthread_mutex_lock(&l->filters.lock);
    const int last = --e->refs == 0 && !is_kept(&l->filters, e);
    pthread_mutex_unlock(&l->filters.lock);
    if (last) free_entry(e);
}

/* ---- entries of a block list that match nothing ---- */

static kith_err name_unused(const kith_block *b, int32_t from, json_t **out)
{
    json_t *names = json_array();
    int bad = names == NULL;
    for (int32_t e = from; e < b->n_entries; e++)
        if (b->entries[e].n_items == 0)
            bad |= json_array_append_new(names, json_string(b->entries[e].text)) != 0;
    if (bad) {
        json_decref(names);
        return ki_fail_memory(256);
    }
    *out = names;
    return KITH_OK;
}

/* The question has just searched the catalogue for the list, beside its filter or alone: both are looked at before it
 * is searched once more. */
static kith_err find_block(ki_live *l, const char *filter, const char *block, ki_kept_filter **out)
{
    ki_kept_filters *f = &l->filters;
    pthread_mutex_lock(&f->lock);
    *out = look_up(f, filter, block, hash_of(filter, block), l->catalogue);
    pthread_mutex_unlock(&f->lock);
    return *out != NULL ? KITH_OK : find(l, NULL, block, out);
}

kith_err ki_live_block_unused(ki_live *l, const ki_live_query *q, int32_t n, json_t **out)
{
    ki_kept_filter *e = NULL;
    ki_live_read(l);
    kith_err err = find_block(l, q->query.filter, q->block, &e);
    if (err == KITH_OK) err = name_unused(e->block, KI_MAX(0, e->block->n_entries - n), out);
    ki_live_filter_done(l, e);
    ki_live_release(l);
    return err;
}

/* ---- for what ranks without a model ---- */

static kith_err run_once(ki_live *l, const ki_live_query *q, const kith_block *block, uint8_t **out)
{
    ki_request r;
    uint8_t *pass = NULL;
    const kith_query narrow = { .filter = q->query.filter,
                                .context = q->query.context,
                                .block = block };
    kith_err err = ki_request_read(&l->view, &narrow, &r);
    if (err != KITH_OK) return err;
    if (q->now != 0 && ki_context_find(&r.context, "now") == NULL) r.env.now = q->now;
    if ((err = ki_alloc(&pass, (size_t)l->view.items.n, 1)) == KITH_OK)
        err = find_passing(l, &r, pass);
    ki_request_clear(&r);
    if (err == KITH_OK)
        *out = pass;
    else
        ki_free(pass);
    return err;
}

kith_err ki_live_pass(ki_live *l, const ki_live_query *q, ki_live_passed *out)
{
    *out = (ki_live_passed){ 0 };
    if (q->query.filter == NULL && q->block == NULL) return KITH_OK;
    kith_err err = KITH_OK;
    ki_kept_filter *blocked = NULL;
    if (q->query.context == NULL) err = ki_live_filter(l, q->query.filter, q->block, &out->kept);
    if (err == KITH_OK && out->kept == NULL) {
        if (q->block != NULL) err = ki_live_filter(l, NULL, q->block, &blocked);
        if (err == KITH_OK)
            err = run_once(l, q, blocked == NULL ? NULL : blocked->block, &out->own);
        ki_live_filter_done(l, blocked);
    }
    out->pass = out->kept != NULL ? out->kept->pass : out->own;
    return err;
}

void ki_live_pass_done(ki_live *l, ki_live_passed *p)
{
    ki_live_filter_done(l, p->kept);
    ki_free(p->own);
}
