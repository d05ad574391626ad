/* SPDX-License-Identifier: MIT
 * tablefile.h -- ids and attribute tables as arrays of a file
 *
 * Ids       NAME.text U8 [bytes] (each ended by NUL) and NAME.start I64 [n + 1]
 * A table   the text NAME is a JSON array of {name, kind}.  Column c has, by its kind,
 *           NAME.c.number F64 [n], .time I64 [n], .code I32, .set_ptr I64 [n + 1], .text U8,
 *           .text_ptr I64 [n + 1] or .vector F32 [n, dim], and its words as the ids NAME.c.words
 *
 * What is read lies in the mapping and ends with it; only names and hashes are allocated.
 */
#ifndef KI_TABLEFILE_H
#define KI_TABLEFILE_H

#include "base/bundle.h"
#include "data/table.h"

kith_err ki_idmap_put(const ki_idmap *m, const char *name, ki_bundle *b);
kith_err ki_idmap_get(ki_idmap *out, const char *name, const ki_mapping *m);

kith_err ki_table_put(const ki_table *t, const char *name, ki_bundle *b);

/* A table without columns has any number of rows; one with columns must have n_rows.  Checked
 * before it is given. */
kith_err ki_table_get(ki_table *out, const char *name, int32_t n_rows, const ki_mapping *m);

#endif
