/* SPDX-License-Identifier: MIT
 * attrs.h -- attributes on their way from a file to typed columns
 *
 * Cells are kept as text, by id, until all files are read: only then is it known how many rows a table has and what
 * kind a column is.  An id that nobody interacted with is added: it is a cold user or item of the catalogue.
 */
#ifndef KI_ATTRS_H
#define KI_ATTRS_H

#include "base/file.h"
#include "base/job.h"
#include "data/roles.h"
#include "data/table.h"

#define KI_SET_BREAK '\x1f' /* between the words of a set that did not come as text */

typedef struct ki_attr_column {
    char *name;
    int kind;          /* ki_column_kind, or -1: to be found */
    char break_at;     /* between the words of a set, or 0 */
    const char **cell; /* [room], NULL where missing */
    int32_t room;
} ki_attr_column;

typedef struct ki_attrs {
    ki_idmap *ids; /* of the dataset; ids are added */
    ki_job *job;   /* told how far lines of JSON are read, and asked whether to go on; NULL: none */
    int n_columns;
    ki_attr_column *columns;
    char **texts; /* what the cells point into */
    int n_texts;
    size_t text_used, text_size; /* of the last of them */

    int32_t *met; /* [met_room] the last file, from 1, that had the id */
    int32_t met_room, n_files;
    int64_t n_repeated; /* ids that a file had before */
    int64_t n_left_out; /* members and words that have no place in a column */
} ki_attrs;

/* The column of that name, added if new; its number. */
kith_err ki_attrs_column(ki_attrs *a, const char *name, size_t n, int kind, char break_at,
                         int *out);

/* The same for a name as it stands in a header, which may carry RecBole's type or say "movie_title". */
kith_err ki_attrs_named(ki_attrs *a, const char *header, int *out);

/* A file begins; the row of an id in it, added if new, and counted if the file has had it. */
void ki_attrs_begin(ki_attrs *a);
kith_err ki_attrs_row(ki_attrs *a, const char *id, size_t n, int32_t *row);

/* Cell (row of `ids`, column) = text, which is borrowed until the end.  A later one wins. */
kith_err ki_attrs_set(ki_attrs *a, int column, int32_t row, const char *text);

/* Room for n + 1 bytes that live as long as `a`. */
kith_err ki_attrs_text(ki_attrs *a, size_t n, char **out);

/* A text of ki_alloc that `a` frees at its end; on failure it is freed at once. */
kith_err ki_attrs_keep(ki_attrs *a, char *text);

/* Read a CSV or TSV file with a header: the column that names the role (item_id, ...), "id", or else the first one
 * holds the ids.  The header may carry RecBole's types.  Or a JSON object on each line, as the tool contract has them.
 * KITH_EFORMAT with file, line and column. */
kith_err ki_attrs_read(ki_attrs *a, ki_source *s, ki_role role);
kith_err ki_attrs_read_file(ki_attrs *a, const char *path, ki_role role);

/* Typed columns for all ids, appended to *out. */
kith_err ki_attrs_finish(ki_attrs *a, ki_table *out);
void ki_attrs_clear(ki_attrs *a);

#endif
