/* SPDX-License-Identifier: MIT
 * dataset.h -- users, items, the log of what they did, and their attributes
 *
 * The log keeps file order and is what protocols split; models read a ki_ratings (ratings.h) that
 * is built from a part of it.  One id space serves all parts, so a fold costs no strings.
 */
#ifndef KI_DATASET_H
#define KI_DATASET_H

#include "base/job.h"
#include "data/idmap.h"
#include "data/table.h"

typedef struct ki_log {
    int64_t n;
    int32_t *user, *item; /* [n] dense indexes */
    float *value;         /* [n]; all 1 when the source had none */
    int64_t *time;        /* [n] seconds since 1970; NULL when the source had none */
    uint8_t *test; /* [n] 1: row of the test file (protocol predefined); NULL when there was none */
} ki_log;

typedef struct ki_read_report {
    char layout[32];         /* which layout was found */
    int64_t n_lines;         /* read */
    int64_t n_skipped;       /* malformed and skipped under skip_bad */
    char first_skipped[256]; /* why the first one was */
    int64_t n_duplicates;    /* rows merged into an earlier or later one */
    char duplicates[16];     /* policy: "last", "sum", ... */
    char notes[1024];        /* what else is to be known, a sentence a line */
} ki_read_report;

/* Add a sentence to the notes; what has no room is dropped. */
void ki_read_note(ki_read_report *r, const char *format, ...) KI_PRINTF(2, 3);

struct kith_data {
    ki_idmap users, items;
    ki_log log; /* no (user, item) twice within train or test: duplicates are merged on reading */
    int has_values; /* the values of the log are not all the same */
    int strengths;  /* they tell how strong an interest was: nobody rated anything */
    ki_table user_attrs, item_attrs;
    ki_read_report report;
    char *source;  /* path, or "generated", for messages */
    void *mapping; /* ki_mapping of the binary form that arrays are borrowed from, or NULL */
};

/* Merge duplicates by policy, drop nothing else, fix has_values.  Log rows keep the order of the
 * surviving row. */
kith_err ki_data_finish(kith_data *d, kith_duplicates policy, ki_pool *pool);

/* For data that says it is finished: KITH_EFORMAT when a (user, item) occurs twice within train or test, in the time of
 * one sort; has_values is fixed anew. */
kith_err ki_data_check_unique(kith_data *d, ki_pool *pool);

/* Title of an item for people: the column "title", else "name"; NULL when there is none or it is
 * empty. */
const char *ki_item_title(const ki_table *items, int32_t i);

/* 64-bit fingerprint of ids, log and values; the same for the same data read from another layout in
 * the same order. */
uint64_t ki_data_fingerprint(const kith_data *d);

/* Are indexes in range, values finite, parts 0 or 1, columns as long as their table?  KITH_EFORMAT otherwise.  The
 * second looks at the log only. */
kith_err ki_data_check(const kith_data *d);
kith_err ki_data_check_log(const kith_data *d);

/* The job inside a public context (context.c): every internal function that works long takes it. */
ki_job *ki_context_job(kith *k);

#endif
