/* SPDX-License-Identifier: MIT
 * read.h -- what one call of kith_data_read carries, and what a layout must say of itself
 */
#ifndef KI_READ_H
#define KI_READ_H

#include "data/attrs.h"
#include "data/rows.h"

/* Which files a layout has found; "" where there is none.  more: a second file of training rows. */
typedef struct ki_files {
    char rows[KI_PATH_MAX], more[KI_PATH_MAX], test[KI_PATH_MAX], users[KI_PATH_MAX],
        items[KI_PATH_MAX];
} ki_files;

typedef struct ki_reading {
    const kith_read_options *options;
    ki_job *job;
    kith_data *data; /* being made */
    ki_row_limits limits;
    ki_log_draft draft;
    ki_attrs users, items; /* attributes, as text until all ids are known */
    ki_files files;
    int test; /* 1: rows now read belong to the test part */
} ki_reading;

/* What detection looks at. */
typedef struct ki_probe {
    const char *path;
    const char *base; /* its last part */
    int is_folder;
    const char *head; /* [n_head] first bytes of a file, unpacked; "" for a folder */
    size_t n_head;
} ki_probe;

typedef struct ki_layout {
    const char *name, *summary;

    /* Is it this layout?  The first of the table that says 1 is taken. */
    int (*detect)(const ki_probe *p);

    /* Fill r->files for a path that is a folder or one file of it; `variant` is what followed a colon in the name of
     * the layout, or NULL.  NULL: the path is the file, and there are no variants. */
    kith_err (*find)(ki_reading *r, const ki_probe *p, const char *variant);

    /* The interactions of one file. */
    kith_err (*rows)(ki_reading *r, ki_source *s);

    /* Attributes out of r->files.users and .items; NULL: both are CSV. */
    kith_err (*attributes)(ki_reading *r);
} ki_layout;

/* Read interactions of `layout` (a name) from n bytes in memory; nothing else is looked for.  For tests and fuzzers,
 * and for data that comes over a wire. */
kith_err ki_read_buffer(ki_job *job, const char *layout, const void *bytes, size_t n,
                        const kith_read_options *options, const ki_row_limits *limits,
                        kith_data **out);

/* ---- layouts, one family per file ---- */

extern const ki_layout ki_layout_csv, ki_layout_tsv;
extern const ki_layout ki_layout_movielens_100k, ki_layout_movielens_1m, ki_layout_movielens_latest;
extern const ki_layout ki_layout_ndjson, ki_layout_contract, ki_layout_recbole;
extern const ki_layout ki_layout_lightgcn, ki_layout_sequences, ki_layout_pairs;

/* read_csv.c: how a table of separated columns is laid out. */
typedef struct ki_csv_form {
    char separator; /* 0: found */
    int header; /* 1: the first record names the columns; 0: user, item, value, time by place; -1: found */
} ki_csv_form;

kith_err ki_read_csv(ki_reading *r, ki_source *s, const ki_csv_form *form);

#endif
