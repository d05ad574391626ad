/* SPDX-License-Identifier: MIT
 * live_inside.h -- the inside of a live engine, shared by the files live*.c
 *
 *      live.c            life, numbers, events: what changes
 *      live_catalogue.c  per item: counts, trends, what is hidden, what the model cannot rank
 *      live_model.c      data for training, promotion
 *      live_filters.c    filters that were read and run once for many questions
 *      live_ask.c        recommend, why not, predict
 *      live_lists.c      charts, search, similar items and users, histories
 *
 * Everything is under one lock.  Who asks holds it shared for the whole question, so that a change may work in
 * place; who changes holds it alone.  Two small locks lie inside it, for what questions make on their way:
 * filters.lock and popular_lock; nobody takes both.
 */
#ifndef KI_LIVE_INSIDE_H
#define KI_LIVE_INSIDE_H

#include "data/cells.h"
#include "engine/asked.h"
#include "engine/block.h"
#include "engine/folded.h"
#include "engine/histories.h"
#include "engine/live.h"
#include "model/grown.h"
#include "model/rank.h"
#include "model/top.h"

#include <pthread.h>

/* ---- filters that are kept ---- */

typedef struct ki_kept_filter {
    char *text;             /* NULL: no filter */
    char *block_text;       /* NULL: no block list */
    kith_block *block;      /* NULL: none */
    uint64_t hash, version; /* of the texts; of the catalogue that it was run over */
    uint64_t used;          /* when it was asked for last, in questions */
    int refs, n_asked;      /* who reads it now; how often it was asked for */
    uint8_t *pass;          /* [n_items] 1 where the filter is true and nothing is blocked */
    int32_t *only;          /* [n_only] what it lets through of what the model ranks, rising */
    int32_t n_only;
    uint64_t *set; /* the same in the order of the index; NULL: the model has none */
    _Atomic(ki_inner *)
        part; /* that alone, where it is less than half of the index, from the second question on */
    size_t bytes; /* of all this */
    char *report; /* what each clause removes when nobody has seen anything */
} ki_kept_filter;

typedef struct ki_kept_filters {
    pthread_mutex_t lock; /* of all below, and of every entry's refs and used */
    ki_kept_filter **list;
    int n, room;
    size_t bytes; /* of all in the list */
    uint64_t clock;
} ki_kept_filters;

/* ---- what ranks: scratch that questions leave to the next ones ---- */

enum { KI_IDLE_RANKERS = 32 };

typedef struct ki_idle_rankers {
    pthread_mutex_t lock;
    ki_ranker *ranker[KI_IDLE_RANKERS];
    int k[KI_IDLE_RANKERS];
    int32_t n_items[KI_IDLE_RANKERS]; /* when it was made: room for as many */
    int n;
    ki_top_room *room[KI_IDLE_RANKERS]; /* of the index */
    int n_rooms;
} ki_idle_rankers;

/* ---- all of it ---- */

struct ki_live {
    pthread_rwlock_t lock;
    kith_model
        view; /* the catalogue of now with the model seen over it (grown.h); its histories are not filled */
    ki_grown grown;
    ki_cells item_cells, user_cells;
    ki_histories histories;

    /* [room of item_room], beside the view's reach, popularity, popular, cold */
    int32_t item_room;
    uint8_t *barred;  /* hidden or dropped: served to nobody */
    uint8_t *hidden;  /* as told by ki_live_item_state */
    uint8_t *ranked;  /* the model in force ranks it */
    int64_t *created; /* seconds */
    double *trend;    /* sum over its pairs of 2^-((trend_time - time of the pair) / half life) */
    int64_t *trend_time;
    double half_life;

    uint64_t catalogue;    /* raised whenever attributes, items, hidden marks or the model change */
    ki_live_counts counts; /* users, items, hidden */
    int64_t n_events, model_events; /* all events; those in the data of the model in force */

    kith_model *model; /* in force; NULL: none */
    ki_top *top;       /* its index; NULL: none */
    ki_folded *folded; /* vectors that were folded in, when there is an index */
    uint64_t *open;    /* what the model ranks and is not barred, in the order of the index */
    char version[64];
    uint64_t promotions;

    pthread_mutex_t popular_lock; /* while view.popular is put in order by a question */
    int popular_stale;            /* atomic */

    ki_kept_filters filters;
    ki_idle_rankers idle;
};

void ki_live_read(ki_live *l);  /* take the lock shared */
void ki_live_write(ki_live *l); /* alone */
void ki_live_release(ki_live *l);

/* ---- live_catalogue.c: under the lock held alone, but where it is said ---- */

kith_err ki_live_room_for_item(ki_live *l);
void ki_live_item_is_new(ki_live *l, int32_t i);
void ki_live_count_pair(ki_live *l, int32_t i, const ki_history_change *change);
void ki_live_uncount_pair(ki_live *l, int32_t i, int64_t time);
void ki_live_bar(ki_live *l, int32_t i); /* barred and cold after hidden or the id changed */
void ki_live_find_cold(ki_live *l);      /* cold from ranked and barred, all anew */
double ki_live_trend(const ki_live *l, int32_t i, int64_t now); /* shared */
kith_err ki_live_order_popular(ki_live *l); /* shared: view.popular is in order on return */

/* ---- live_filters.c: under the lock held shared ---- */

kith_err ki_kept_filters_init(ki_kept_filters *f, int room);
void ki_kept_filters_clear(ki_kept_filters *f);

/* What filter and block list (either may be NULL) let through, made when need be; *out NULL when the filter depends on
 * more than the catalogue (now, $names, popularity).  KITH_EINVAL as kith_recommend says it. */
kith_err ki_live_filter(ki_live *l, const char *text, const char *block, ki_kept_filter **out);
void ki_live_filter_done(ki_live *l, ki_kept_filter *f); /* accepts NULL */

/* What a query's filter lets through: pass[n_items], in `kept` or owned; NULL: everything. */
typedef struct ki_live_passed {
    const uint8_t *pass;
    ki_kept_filter *kept;
    uint8_t *own;
} ki_live_passed;
kith_err ki_live_pass(ki_live *l, const ki_live_query *q, ki_live_passed *out);
void ki_live_pass_done(ki_live *l, ki_live_passed *p);

/* ---- live_ask.c, live_lists.c: under the lock held shared ---- */

/* The history of now as the model is asked with it; *folded as in ki_answer. */
void ki_live_known(const ki_live *l, int32_t u, ki_known *out, int *folded);

/* The n best of a chart that pass, not barred, not in skip[n_skip] (rising); items and scores are [n]. */
kith_err ki_live_chart_items(const ki_live *l, ki_chart which, int64_t now, const uint8_t *pass,
                             const int32_t *skip, int32_t n_skip, int n, int32_t *items,
                             float *scores, int *n_found);

kith_err ki_idle_rankers_take(ki_live *l, int k, ki_ranker **out);
void ki_idle_rankers_give(ki_live *l, int k, ki_ranker *r);
void ki_idle_rankers_empty(ki_idle_rankers *idle);

#endif
