/* SPDX-License-Identifier: MIT
 * live.h -- a catalogue, histories and a model that change while questions are answered
 *
 * A kith_model never changes; a live engine does.  It holds what is true now: every user's history, every
 * item's attributes, counts and whether it is hidden, and the model in force.  What a change says is in
 * force when its call returns: the next question, from any thread, sees it.
 *
 *      readers  ask under a shared lock: history of now, filter over the catalogue of now, the model's scores
 *      writers  change under the exclusive lock, for microseconds
 *      model    swapped under the exclusive lock; questions that began with the old one have ended by then
 *
 * Numbers are identity.  Users and items are numbered in the order of arrival and never renumbered; a model
 * is trained on data taken from here (ki_live_data), so that its users and items are the first ones here, in
 * the same order.  Items that came later are cold to the model: they are found by filters, search, latest,
 * popular, trending, and the source "new" of a pipeline, until the next training ranks them.  A dropped user
 * or item keeps its number, loses its id and all else, and is never served; its id may come back as another.
 *
 * Who has events that the model has not learnt from is folded in from the history of now, as far as the model
 * knows its items; whose history is the one that the model was trained on keeps the model's own vector.
 *
 * Cost        a change is a search and a move in one row (0.7 us an event); attributes that are sets or texts
 *             move what lies behind them (50 us in the middle of 50,000 items; describe items in the order in
 *             which they come), dropping an item walks all histories in slices.  Dropping a user closes the gap
 *             in the histories of the model in force, with nobody asking meanwhile: 75 ms of 5 million pairs in a
 *             file that is mapped for the first time
 * Memory      16 bytes a pair, 51 an item, and the attributes; kept filters at most 128 MiB; for models of vectors an
 *             index (88 bytes an item at 64 factors) and vectors that were folded in, at most 64 MiB
 */
#ifndef KI_LIVE_H
#define KI_LIVE_H

#include "model/package.h"

typedef struct ki_live ki_live;

typedef struct ki_live_options {
    double trend_half_life; /* seconds; 0: a week */
    int64_t filter_cache;   /* compiled filters with their masks that are kept; 0: 256 */
} ki_live_options;

kith_err ki_live_new(const ki_live_options *options, ki_live **out);
void ki_live_free(ki_live *l);

/* ---- changes: safe from any thread; in force on return ---- */

/* The number of a user or item, added when new. */
kith_err ki_live_user(ki_live *l, const char *id, int32_t *u);
kith_err ki_live_item(ki_live *l, const char *id, int32_t *i);

/* A user or item that was dropped before: takes the next number, has no id. */
kith_err ki_live_skip_user(ki_live *l);
kith_err ki_live_skip_item(ki_live *l);

/* Attributes as a JSON object, in place of all those before: numbers, strings, booleans, lists of strings
 * (a set), lists of numbers (a vector).  A column takes its kind from the first value; what does not fit
 * later is KITH_EINVAL and nothing changes.  Columns that have text longer than a few words are text. */
kith_err ki_live_item_attributes(ki_live *l, int32_t i, const json_t *attributes);
kith_err ki_live_user_attributes(ki_live *l, int32_t u, const json_t *attributes);

/* Would these fit, one after the other, in place of what their items (users) have now?  attributes[n], NULL: none.
 * KITH_EINVAL with the sentence that ki_live_item_attributes would fail with; nothing changes. */
kith_err ki_live_check_attributes(ki_live *l, int of_items, const json_t *const *attributes, int n);

kith_err ki_live_item_state(ki_live *l, int32_t i, int hidden,
                            int64_t created); /* created in seconds; 0: as it was */

typedef enum ki_live_how {
    KI_LIVE_SET,    /* the pair's value becomes `value` */
    KI_LIVE_ADD,    /* is added to it */
    KI_LIVE_IF_NEW, /* becomes `value` when the pair had none */
} ki_live_how;

/* u did something with i.  time in seconds; of a pair's times the latest stays.  KITH_ENOTFOUND when one of
 * them was dropped. */
kith_err ki_live_event(ki_live *l, int32_t u, int32_t i, float value, int64_t time,
                       ki_live_how how);

typedef struct ki_live_happening { /* an event by ids */
    const char *user, *item;
    int32_t u,
        i; /* the numbers that they should have; looked up, and added when new, where it is not so */
    float value;
    int64_t time;
    ki_live_how how;
    int only_known; /* 1: user and item are known from now on, and that is all that it says */
} ki_live_happening;

/* happenings[n] one after the other under one lock, of which each would cost its wait for the questions that run.
 * Ends at the first that fails; *n_done are in force. */
kith_err ki_live_happen(ki_live *l, const ki_live_happening *happenings, int n, int *n_done);

/* Many at once, as when a store is read: rows in any order, one lock.  All numbers are checked before any row
 * is taken; when memory runs out those before are in. */
kith_err ki_live_events(ki_live *l, int64_t n, const int32_t *users, const int32_t *items,
                        const float *values, const int64_t *times, ki_live_how how);

kith_err ki_live_take_back(ki_live *l, int32_t u,
                           int32_t i); /* the pair is gone from the history */
kith_err
ki_live_drop_user(ki_live *l,
                  int32_t u); /* id, attributes, history; the model in force forgets its row too */
kith_err ki_live_drop_item(ki_live *l, int32_t i);

/* ---- model ---- */

/* What training reads: a copy of what is known now, made in slices so that writers hardly wait. */
kith_err ki_live_data(ki_live *l, kith_data **out);

/* Who was dropped since its data was taken is forgotten by the model (ki_package_forget_user).
 * Put a model in force (takes it, on success; `version` is copied); the one before is freed when its last
 * question ends.  KITH_EINVAL when its users or items are not the first ones here, in order. */
kith_err ki_live_promote(ki_live *l, kith_model *m, const char *version);

/* ---- asking: safe from any thread ---- */

typedef struct ki_live_query {
    kith_query query; /* as in kith.h; its block is not looked at */
    const char *
        block; /* content that must not be listed, one entry a line; found in the catalogue once for
                          many questions, and anew after it changed; NULL: none */
    int64_t now;   /* seconds; 0: the clock */
    uint64_t seed; /* of lots that are drawn */
} ki_live_query;

typedef struct ki_answer { /* beside the list */
    char version[64];      /* of the model that spoke; "" when none is in force */
    int32_t user;          /* number of who asked; -1 */
    int n_history;         /* events of who asked */
    int folded;            /* 1: the history is newer than the model and was folded in */
} ki_answer;

/* Without a model in force lists are of popular items, and say so.  The report of a filter that is kept counts
 * what it removes from the whole catalogue; of a list that it made too short, what it removes for this user. */
kith_err ki_live_recommend(ki_live *l, const ki_live_query *q, kith_list **out, ki_answer *answer);
kith_err ki_live_why_not(ki_live *l, const ki_live_query *q, const char *item_id, char **json);
kith_err ki_live_similar(
    ki_live *l, const char *item_id, const ki_live_query *q,
    kith_list **
        out); /* n, filter, exclude of q count; empty with a note for an item newer than the model */
kith_err ki_live_similar_users(ki_live *l, const char *user_id, int n,
                               kith_list **out); /* item_id holds users' ids */
kith_err ki_live_predict(ki_live *l, const char *user_id, const char *item_id,
                         kith_prediction *out);

typedef enum ki_chart { KI_CHART_POPULAR, KI_CHART_TRENDING, KI_CHART_LATEST } ki_chart;
kith_err ki_live_chart(
    ki_live *l, ki_chart which, const ki_live_query *q,
    kith_list **out); /* n, filter, exclude, user's seen; score: users, decayed users, seconds */

/* Items whose id or title answers to `text`, best first (as kith_model_search). */
kith_err ki_live_search(ki_live *l, const char *text, const ki_live_query *q, kith_list **out);

/* Do filter, wishes and pipeline of `q`, with its context for their $names, fit this catalogue?  KITH_EINVAL with sentence and caret. */
kith_err ki_live_check(ki_live *l, const kith_query *q);

/* Those of the last n entries of the block list of `q` that match nothing, a list of texts; a new reference.  After `q`
 * was asked the catalogue is not searched again. */
kith_err ki_live_block_unused(ki_live *l, const ki_live_query *q, int32_t n, json_t **out);

/* Is `text` a block list for it?  KITH_EINVAL with the line.  report: how many items each entry keeps out, as
 * kith_block_json has it; NULL: not wanted, and then it costs no search. */
kith_err ki_live_check_block(ki_live *l, const char *text, json_t **report);

/* ---- looking ---- */

typedef struct ki_live_counts {
    int32_t users, items, hidden;
    int64_t pairs;       /* (user, item) with events */
    int64_t since_model; /* events since the data of the model in force was taken */
    int64_t bytes;
} ki_live_counts;
void ki_live_count(ki_live *l, ki_live_counts *out);
kith_err ki_live_find_user(ki_live *l, const char *id, int32_t *u); /* KITH_ENOTFOUND */
kith_err ki_live_find_item(ki_live *l, const char *id, int32_t *i);

/* The user's history, newest first, as [{"item_id", "title", "value", "time"}]; a new reference. */
kith_err ki_live_history(ki_live *l, const char *user_id, int limit, json_t **out);

#endif
