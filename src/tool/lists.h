/* SPDX-License-Identifier: MIT
 * lists.h -- the recommendations of a result: a list for each user, similar items for each item
 */
#ifndef KI_LISTS_H
#define KI_LISTS_H

#include "data/dataset.h"
#include "tool/text.h"

typedef struct ki_lists_options {
    kith *k;
    ki_job *job;
    const kith_model *model;
    const kith_data *data; /* titles and categories of items */
    const char *model_id;  /* what a cached list belongs to */
    const char *const *users;
    int32_t n_users; /* for whom */
    int n, n_reasons, include_seen;
    kith_on_unknown on_unknown;
    const char *const *exclude;
    int n_exclude;
    const char *const *why_not; /* told with each list: why not these */
    int n_why_not;
    const kith_block *block; /* NULL: none */
    const char *block_text;  /* what it was made from, for the cache */
    const char *filter, *values, *wishes, *pipeline,
        *language;               /* as in kith_query, values as its context; NULL: none */
    const json_t *own_wishes;    /* user -> text in place of `wishes`; NULL: none */
    int one_by_one;              /* 1: one thread, as a service answers; 0: all of them */
    kith_cache *cache;           /* NULL: none */
    const kith_run_options *run; /* for events */
} ki_lists_options;

typedef struct ki_lists {
    ki_text text; /* the elements of user_recommendations, commas between */
    int32_t n_users;
    int64_t n_listed; /* items on all lists */
    int64_t n_cold;   /* users who got popular items */
    int64_t n_lookups, n_hits;
    int64_t n_unasked; /* of the lookups: the cache could not be asked */
    double seconds;
} ki_lists;

kith_err ki_lists_make(const ki_lists_options *o, ki_lists *out);

/* Milliseconds that one list takes, asked one after the other for some of the users and without a
 * cache; all 0 without users. */
typedef struct ki_latency {
    int n;
    double mean, p50, p99;
} ki_latency;
kith_err ki_lists_latency(const ki_lists_options *o, ki_latency *out);

/* Elements of item_recommendations for the first n_items items, `n` similar ones each.  KITH_EDATA
 * when the model has no notion of similar items. */
kith_err ki_similar_make(const ki_lists_options *o, int32_t n_items, int n, ki_text *out);

/* The attribute of items that is told as their category; NULL when there is none. */
const ki_column *ki_category_column(const ki_table *items);

#endif
