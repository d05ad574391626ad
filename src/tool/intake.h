/* SPDX-License-Identifier: MIT
 * intake.h -- from a request to a dataset: users, items, interactions and context
 */
#ifndef KI_INTAKE_H
#define KI_INTAKE_H

#include "data/dataset.h"
#include "tool/cut.h"
#include "tool/signals.h"

typedef struct ki_intake {
    kith_data *data; /* finished: duplicates are merged */
    int has_now;     /* context_data.now was given */
    int64_t now;
    json_t *context;    /* object, never NULL; from the request or from a file */
    json_t *wishes;     /* user -> {"at": place in user_data, "list": [...]}; NULL: none have any */
    ki_signals signals; /* row by row as the interactions came */
    ki_opinion preference;

    int64_t n_given;   /* interactions of the request */
    int64_t n_late;    /* of these later than context_data.now: not used */
    int64_t n_silent;  /* all of whose signals are zero: not used */
    int64_t n_untimed; /* without a time where others have one: then no time is used */

    /* The rows before duplicates were merged, kept up to KI_KEEP_ROWS of them so that the importance
     * of a signal can be measured; NULL beyond. */
    int32_t *user, *item;
    int64_t *time; /* NULL: none */
    float *value;
    int64_t n_rows;
} ki_intake;

enum { KI_KEEP_ROWS = 20000 };

typedef struct ki_intake_options {
    const json_t *schema; /* of requests */
    int no_files;         /* 1: paths are violations */
    const char *folder;   /* where relative paths begin; NULL: the working directory */
    ki_job *job;
} ki_intake_options;

/* Violations go to `f`, and then *out may lack its data: ask ki_findings_judge.  A failure is of
 * memory, of a file, or of too little data. */
kith_err ki_intake_read(ki_intake *out, const ki_cut *c, const ki_intake_options *o,
                        ki_findings *f);

/* The same dataset with signal `j` read from other rows: row r takes it from order[r].  Its rows are
 * those of in->data, one by one. */
kith_err ki_intake_shuffled(const ki_intake *in, int j, const int64_t *order, kith_data **out);

void ki_intake_clear(ki_intake *in);

#endif
