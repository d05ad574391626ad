/* SPDX-License-Identifier: MIT
 * live_ask.c -- recommend, why not and predict over the state of now
 *
 * Who asks        The live history, cut to the items that the model knows.  When that is what the model was trained
 *                 on, the question is the model's own user; else it is somebody with this history, folded in.
 * Two ways        A plain question (no pipeline, no reasons, no context, no wishes; a filter that is kept, or none) takes the
 *                 short one: a kept mask, scratch from the question before, one ranking.  Everything else goes through
 *                 the stages as kith_recommend does.  Both give the same list.
 */
#include "engine/ask.h"
#include "engine/live_inside.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "engine/listing.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MOST_SEARCHED = 500 }; /* longer lists are ranked: an index gains too little */

/* ---- who asks ---- */

static int same_row(const ki_csr *trained, int32_t u, const ki_history *row, int32_t n)
{
    if (u >= trained->n_rows || ki_csr_len(trained, u) != n) return 0;
    const int64_t at = trained->ptr[u];
    return n == 0 || (memcmp(trained->idx + at, row->items, (size_t)n * sizeof *row->items) == 0 &&
                      memcmp(trained->val + at, row->values, (size_t)n * sizeof *row->values) == 0);
}

void ki_live_known(const ki_live *l, int32_t u, ki_known *out, int *folded)
{
    const ki_history *row = &l->histories.rows[u];
    const ki_model *inner = l->grown.inner;
    const int32_t n = inner == NULL ? 0 : ki_history_place(row, inner->n_items);
    const int same = inner != NULL && same_row(&inner->history, u, row, n);
    *out = (ki_known){
        .query = { .user = same ? u : -1, .items = row->items, .values = row->values, .n = n },
        .seen = row->items,
        .n_seen = row->n
    };
    *folded = n > 0 && !same;
}

/* ---- scratch ---- */

kith_err ki_idle_rankers_take(ki_live *l, int k, ki_ranker **out)
{
    ki_idle_rankers *idle = &l->idle;
    ki_ranker *found = NULL, *stale = NULL;
    pthread_mutex_lock(&idle->lock);
    for (int j = idle->n - 1; j >= 0 && found == NULL; j--) {
        if (idle->k[j] != k) continue;
        *(idle->n_items[j] == l->view.core.n_items ? &found : &stale) = idle->ranker[j];
        idle->n--;
        idle->ranker[j] = idle->ranker[idle->n];
        idle->k[j] = idle->k[idle->n];
        idle->n_items[j] = idle->n_items[idle->n];
        if (stale != NULL) break;
    }
    pthread_mutex_unlock(&idle->lock);
    ki_ranker_free(stale);
    if (found == NULL) return ki_ranker_new(&l->view.core, k, 1, out);
    *out = found;
    return KITH_OK;
}

void ki_idle_rankers_give(ki_live *l, int k, ki_ranker *r)
{
    ki_idle_rankers *idle = &l->idle;
    if (r == NULL) return;
    pthread_mutex_lock(&idle->lock);
    const int room = idle->n < KI_IDLE_RANKERS;
    if (room) {
        idle->ranker[idle->n] = r;
        idle->k[idle->n] = k;
        idle->n_items[idle->n++] = l->view.core.n_items;
    }
    pthread_mutex_unlock(&idle->lock);
    if (!room) ki_ranker_free(r);
}

void ki_idle_rankers_empty(ki_idle_rankers *idle)
{
    for (int j = 0; j < idle->n; j++) ki_ranker_free(idle->ranker[j]);
    for (int j = 0; j < idle->n_rooms; j++) ki_top_room_free(idle->room[j]);
    idle->n = idle->n_rooms = 0;
}

static kith_err take_room(ki_live *l, ki_top_room **out)
{
    ki_idle_rankers *idle = &l->idle;
    pthread_mutex_lock(&idle->lock);
    *out = idle->n_rooms > 0 ? idle->room[--idle->n_rooms] : NULL;
    pthread_mutex_unlock(&idle->lock);
    return *out != NULL ? KITH_OK : ki_top_room_new(l->top, out);
}

static void give_room(ki_live *l, ki_top_room *room)
{
    ki_idle_rankers *idle = &l->idle;
    if (room == NULL) return;
    pthread_mutex_lock(&idle->lock);
    const int fits = idle->n_rooms < KI_IDLE_RANKERS;
    if (fits) idle->room[idle->n_rooms++] = room;
    pthread_mutex_unlock(&idle->lock);
    if (!fits) ki_top_room_free(room);
}

/* ---- the short way ---- */

struct found {
    int n;
    int32_t *items;
    float *scores;
};

/* The user's vector: kept since the last question, or folded in now. */
static kith_err prepare(ki_live *l, const ki_asked *a, int32_t folded, ki_top_room *room)
{
    const uint64_t stamp = folded < 0 ? 0 : l->histories.rows[folded].stamp;
    if (folded >= 0 && ki_folded_get(l->folded, folded, stamp, ki_top_prepared(room)))
        return KITH_OK;
    const kith_err err = ki_top_prepare(l->top, room, &a->query);
    if (err == KITH_OK && folded >= 0)
        ki_folded_put(l->folded, folded, stamp, ki_top_prepared(room));
    return err;
}

static kith_err search(ki_live *l, const ki_asked *a, int32_t folded, ki_top_among among,
                       struct found *f)
{
    ki_top_room *room = NULL;
    int32_t n = 0;
    kith_err err = take_room(l, &room);
    if (err == KITH_OK) err = prepare(l, a, folded, room);
    if (err == KITH_OK)
        err = ki_top_find(l->top, room, a->query.skip, a->query.n_skip, among, a->n, f->items,
                          f->scores, &n);
    give_room(l, room);
    f->n = n;
    return err;
}

static kith_err rank(ki_live *l, const ki_asked *a, struct found *f)
{
    ki_ranker *r = NULL;
    int32_t n = 0;
    kith_err err = ki_idle_rankers_take(l, a->n, &r);
    if (err == KITH_OK) err = ki_ranker_run(r, &a->query, 1, f->items, f->scores, &n);
    ki_idle_rankers_give(l, a->n, r);
    f->n = n;
    return err;
}

static kith_err rank_plain(ki_live *l, ki_asked *a, int32_t folded, const ki_kept_filter *kept,
                           struct found *f)
{
    if (a->basis == KI_BASIS_POPULAR)
        return ki_live_chart_items(l, KI_CHART_POPULAR, 0, kept == NULL ? NULL : kept->pass,
                                   a->query.skip, a->query.n_skip, a->n, f->items, f->scores,
                                   &f->n);
    if (l->top != NULL && a->n <= MOST_SEARCHED) {
        const ki_top_among among = { .set = kept == NULL ? l->open : kept->set,
                                     .part = kept == NULL ? NULL : atomic_load(&kept->part) };
        const kith_err err = search(l, a, folded, among, f);
        if (err != KITH_EINVAL) return err; /* that one: too large for bounds, to be ranked */
    }
    if (kept != NULL) {
        a->query.only = kept->only;
        a->query.n_only = kept->n_only;
    }
    return rank(l, a, f);
}

/* What the filter removes for this user, where it leaves too little: as kith_recommend counts it. */
static kith_err count_for(ki_live *l, const ki_live_query *q, const kith_block *block,
                          const ki_asked *a, int n_found, char **out)
{
    const ki_served served = { .n_candidates = n_found };
    json_t *o = NULL;
    ki_request r;
    kith_query query = q->query;
    query.block = block;
    kith_err err = ki_request_read(&l->view, &query, &r);
    if (err != KITH_OK) return err;
    if ((err = ki_request_narrow(&r, &l->view, &a->query, a->n)) == KITH_OK &&
        (err = ki_request_report(&r, &served, &o)) == KITH_OK)
        err = ki_json_print(o, out);
    ki_request_clear(&r);
    return err;
}

static kith_err list_plain(ki_live *l, const ki_live_query *q, const ki_asked *a,
                           const ki_kept_filter *kept, const struct found *f, kith_list **out)
{
    char *counted = NULL;
    kith_err err = KITH_OK;
    if (kept != NULL && f->n < a->n) err = count_for(l, q, kept->block, a, f->n, &counted);
    if (err != KITH_OK) return err;
    const ki_listing listing = { .m = &l->view,
                                 .query = &a->query,
                                 .basis = a->basis,
                                 .note = a->note,
                                 .report = counted != NULL ? counted
                                           : kept != NULL  ? kept->report
                                                           : "",
                                 .n = f->n,
                                 .items = f->items,
                                 .scores = f->scores };
    err = ki_listing_make(&listing, out);
    kith_string_free(counted);
    return err;
}

static kith_err answer_plain(ki_live *l, const ki_live_query *q, ki_asked *a, int32_t folded,
                             const ki_kept_filter *kept, kith_list **out)
{
    struct found f = { 0 };
    kith_err err;
    if ((err = ki_alloc(&f.items, (size_t)a->n, sizeof *f.items)) == KITH_OK &&
        (err = ki_alloc(&f.scores, (size_t)a->n, sizeof *f.scores)) == KITH_OK &&
        (err = rank_plain(l, a, folded, kept, &f)) == KITH_OK)
        err = list_plain(l, q, a, kept, &f, out);
    ki_free(f.items);
    ki_free(f.scores);
    return err;
}

static int has_no_stages(const kith_query *q)
{
    return q->pipeline == NULL && q->context == NULL && q->wishes == NULL;
}

/* Can the question take the short way?  *kept: its filter and block list. */
static kith_err is_plain(ki_live *l, const kith_query *q, const char *block, ki_kept_filter **kept,
                         int *out)
{
    *kept = NULL;
    *out = has_no_stages(q) && q->n_reasons == 0;
    if (!*out || (q->filter == NULL && block == NULL)) return KITH_OK;
    const kith_err err = ki_live_filter(l, q->filter, block, kept);
    *out = *kept != NULL;
    return err;
}

/* ---- the way through the stages ---- */

/* *blocked: what the request's block list lies in, to be given back after it; NULL: there is none. */
static kith_err read_request(ki_live *l, const ki_live_query *q, ki_kept_filter **blocked,
                             ki_request *r)
{
    kith_query query = q->query;
    kith_err err;
    *blocked = NULL;
    if ((err = ki_live_order_popular(l)) != KITH_OK) return err;
    if (q->block != NULL && (err = ki_live_filter(l, NULL, q->block, blocked)) != KITH_OK)
        return err;
    query.block = *blocked == NULL ? NULL : (*blocked)->block;
    if ((err = ki_request_read(&l->view, &query, r)) != KITH_OK) {
        ki_live_filter_done(l, *blocked);
        return err;
    }
    if (q->now != 0 && ki_context_find(&r->context, "now") == NULL) r->env.now = q->now;
    return KITH_OK;
}

/* What is asked for reasons alone tells the same counts as without. */
static kith_err answer_staged(ki_live *l, const ki_live_query *q, ki_asked *a, kith_list **out)
{
    ki_kept_filter *blocked, *kept = NULL;
    ki_request r;
    kith_err err = read_request(l, q, &blocked, &r);
    if (err != KITH_OK) return err;
    if (has_no_stages(&q->query) && (q->query.filter != NULL || q->block != NULL))
        err = ki_live_filter(l, q->query.filter, q->block, &kept);
    if (kept != NULL) r.told = kept->report;
    if (err == KITH_OK) err = ki_ask_list(&l->view, &q->query, a, &r, q->seed, out);
    ki_live_filter_done(l, kept);
    ki_request_clear(&r);
    ki_live_filter_done(l, blocked);
    return err;
}

/* ---- questions ---- */

static kith_err ask_who(ki_live *l, const kith_query *q, ki_asked *a, ki_answer *answer)
{
    ki_known known;
    *answer = (ki_answer){ .user = -1 };
    memcpy(answer->version, l->version, sizeof answer->version);
    if (q->user != NULL) answer->user = ki_idmap_find(&l->view.users, q->user, strlen(q->user));
    if (answer->user >= 0) {
        ki_live_known(l, answer->user, &known, &answer->folded);
        answer->n_history = known.n_seen;
    }
    const kith_err err = ki_asked_make(&l->view, q, answer->user >= 0 ? &known : NULL, a);
    if (err == KITH_OK && l->model == NULL)
        snprintf(a->note, sizeof a->note, "no model is in force yet; %s",
                 a->by_wishes ? "the list goes by the wishes alone" : "these are popular items");
    return err;
}

/* Liked items make no history for a model that is not there. */
static void without_model(const ki_live *l, ki_asked *a)
{
    if (l->model != NULL) return;
    a->basis = a->by_wishes ? KI_BASIS_WISHES : KI_BASIS_POPULAR;
    a->query.items = NULL;
    a->query.values = NULL;
    a->query.n = 0;
}

/* folded: whose history is asked with that the model has not learnt; -1: nobody's. */
static kith_err recommend(ki_live *l, const ki_live_query *q, ki_asked *a, int32_t folded,
                          kith_list **out)
{
    ki_kept_filter *kept;
    int plain;
    const kith_err err = is_plain(l, &q->query, q->block, &kept, &plain);
    if (err != KITH_OK) return err;
    if (!plain) return answer_staged(l, q, a, out);
    const kith_err told = answer_plain(l, q, a, folded, kept, out);
    ki_live_filter_done(l, kept);
    return told;
}

kith_err ki_live_recommend(ki_live *l, const ki_live_query *q, kith_list **out, ki_answer *answer)
{
    ki_answer told;
    ki_asked a;
    ki_live_read(l);
    kith_err err = ask_who(l, &q->query, &a, &told);
    if (err == KITH_OK) {
        without_model(l, &a);
        err = recommend(l, q, &a, told.folded ? told.user : -1, out);
        ki_asked_clear(&a);
    }
    ki_live_release(l);
    if (err == KITH_OK && answer != NULL) *answer = told;
    return err;
}

kith_err ki_live_why_not(ki_live *l, const ki_live_query *q, const char *item_id, char **json)
{
    ki_kept_filter *blocked;
    ki_answer told;
    ki_request r;
    ki_asked a;
    ki_live_read(l);
    kith_err err = ask_who(l, &q->query, &a, &told);
    if (err == KITH_OK) {
        without_model(l, &a);
        if ((err = read_request(l, q, &blocked, &r)) == KITH_OK) {
            err = ki_ask_why_not(&l->view, &q->query, &a, &r, q->seed, item_id, json);
            ki_request_clear(&r);
            ki_live_filter_done(l, blocked);
        }
        ki_asked_clear(&a);
    }
    ki_live_release(l);
    return err;
}

kith_err ki_live_predict(ki_live *l, const char *user_id, const char *item_id, kith_prediction *out)
{
    ki_known known = { .query.user = -1 };
    kith_err err = KITH_OK;
    int folded;
    ki_live_read(l);
    const ki_model *core = &l->view.core;
    const int32_t u = ki_idmap_find(&l->view.users, user_id, strlen(user_id));
    const int32_t i = ki_idmap_find(&l->view.items, item_id, strlen(item_id));
    kith_prediction made = ki_ask_fallback(core);
    if (u >= 0) ki_live_known(l, u, &known, &folded);
    if (i >= 0 && l->model != NULL) err = ki_ask_predict(core, &known.query, i, &made);
    if (known.query.n == 0) made.is_fallback = 1;
    made.unknown_user = u < 0;
    made.unknown_item = i < 0;
    ki_live_release(l);
    if (err == KITH_OK) *out = made;
    return err;
}

kith_err ki_live_check(ki_live *l, const kith_query *q)
{
    ki_request r;
    ki_live_read(l);
    const kith_err err = ki_request_read(&l->view, q, &r);
    if (err == KITH_OK) ki_request_clear(&r);
    ki_live_release(l);
    return err;
}

kith_err ki_live_check_block(ki_live *l, const char *text, json_t **report)
{
    kith_block *block = NULL;
    ki_live_read(l);
    kith_err err = report == NULL
                       ? ki_block_check_text(&l->view.item_attrs, text)
                       : ki_block_make(&l->view.items, &l->view.item_attrs, text, &block);
    ki_live_release(l);
    if (err == KITH_OK && report != NULL && (*report = ki_block_json(block)) == NULL)
        err = ki_fail_memory(256);
    kith_block_free(block);
    return err;
}
