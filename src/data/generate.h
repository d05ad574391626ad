/* SPDX-License-Identifier: MIT
 * generate.h -- a simulated world: who acts how often (shared), and what they choose and think of
 * it (two kinds)
 */
#ifndef KI_GENERATE_H
#define KI_GENERATE_H

#include "base/rng.h"
#include "data/dataset.h"

/* Streams of random numbers below one seed. */
enum ki_generate_stream {
    KI_STREAM_ACTIVITY = 1,
    KI_STREAM_USER,
    KI_STREAM_ITEM,
    KI_STREAM_CATALOGUE
};

typedef struct ki_world {
    int32_t n_users, n_items;
    int64_t n;    /* interactions */
    int32_t rank; /* of the planted tastes */
    double power; /* popularity ~ rank^-power */
    double noise; /* standard deviation of a rating around what is planted */
    int implicit; /* events instead of ratings */
    uint64_t seed;
    int n_workers; /* of the loop over users, for scratch */
} ki_world;

/* Who likes what (generate_tastes.c): factors of all items, and one user at a time. */
typedef struct ki_tastes ki_tastes;

/* Items get random factors, or those of their attributes when there is a catalogue [n_items] (NULL: none).  Both
 * inputs are borrowed until _free. */
kith_err ki_tastes_new(ki_tastes **out, const ki_world *w, const ki_table *catalogue, ki_job *job);

/* Write the n items that a user chooses, all different, in the order of choosing, and the values given to them (1 for
 * events).  All randomness comes from `r`, so the order of users does not matter; `worker` picks the scratch. */
void ki_tastes_choose(ki_tastes *t, int32_t u, ki_rng *r, int64_t n, int32_t *items, float *values,
                      int worker);
void ki_tastes_free(ki_tastes *t); /* accepts NULL */

/* Read a catalogue: ids are added in the order of the file, *table has a row for each of `ids`.  KITH_EDATA when it
 * has no rows; else as the readers. */
kith_err ki_catalogue_read(const char *path, ki_idmap *ids, ki_table *table);

/* Factors Y[n_items, rank] from the attributes of a catalogue (generate_viewers.c): items that share words or lie near
 * each other in numbers get similar ones.  KITH_EDATA when no column has words or numbers. */
kith_err ki_catalogue_factors(const ki_table *catalogue, const ki_world *w, float *Y);

/* ---- how often, when, and without picking twice (generate_sample.c) */

/* A rating: x rounded to 1, 2, 3, 4 or 5. */
float ki_rating(double x);

typedef struct ki_key { /* an item and when it would come if all items raced */
    float key;
    int32_t item;
} ki_key;

/* n different items of 0..n_items-1, in order, each drawn with probability ~ weight[i] > 0 among
 * those that are left; keys is scratch [n_items].  Time n_items log n_items. */
void ki_sample_without_replacement(ki_rng *r, const float *weight, int32_t n_items, int64_t n,
                                   ki_key *keys, int32_t *out);

/* begin[n_users + 1]: the rows of each user, begin[n_users] == w->n.  Activity is a power law
 * between 1 and a cap. */
kith_err ki_plan_activity(const ki_world *w, int64_t **begin);

/* n rising times in the two simulated years, busier around each turn of the year. */
void ki_spread_times(ki_rng *r, int64_t n, int64_t *out);

#endif
