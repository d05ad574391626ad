/* SPDX-License-Identifier: MIT
 * labels.h -- attribute columns as a pattern: which words belong to which user or item
 *
 * One shape serves three uses: likeness of items (diversity), the mix of categories (calibration),
 * and groups of users or items (fairness).  A row without a word is unknown.
 */
#ifndef KI_LABELS_H
#define KI_LABELS_H

#include "data/csr.h"
#include "data/table.h"

typedef struct ki_labels {
    ki_csr rows;           /* [rows of the table, words]; values are not looked at */
    const ki_idmap *words; /* of the one column; NULL when there are several */
    char name[256];        /* "genres", or "genres, country" */
} ki_labels;

/* One column by name.  KITH_ENOTFOUND when the table has none of that name, KITH_EINVAL when it is
 * neither a category nor a set; `whose` ("item") stands in the sentence. */
kith_err ki_labels_column(ki_labels *out, const ki_table *t, const char *name, const char *whose);

/* The same for n rows of the table in any order: row r of the pattern is rows[r] of the table. */
kith_err ki_labels_some(ki_labels *out, const ki_table *t, const char *name, const char *whose,
                        const int32_t *rows, int32_t n);

/* The column that says best what an item is: genres, genre, categories, category, else the first set,
 * else the first category.  NULL when there is none. */
const char *ki_labels_usual(const ki_table *t);

/* All columns of categories and sets side by side; *found is 0 when there are none. */
kith_err ki_labels_all(ki_labels *out, const ki_table *t, int *found);

void ki_labels_clear(ki_labels *l);

#endif
