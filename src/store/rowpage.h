/* SPDX-License-Identifier: MIT
 * rowpage.h -- some rows with their strings, copied out of a database so that it is not held while they are told
 */
#ifndef KI_ROWPAGE_H
#define KI_ROWPAGE_H

#include "store/store.h"

enum {
    KI_ROWPAGE_ROWS = 1024,
    KI_ROWPAGE_BYTES = 1 << 20, /* a page with that much text is full, however few its rows */
};

typedef struct ki_rowtext ki_rowtext; /* a block of text; blocks never move */

typedef struct ki_rowpage {
    ki_row *rows;
    int n, size, more;
    ki_rowtext *text; /* the block that is being filled, and those before it */
    size_t n_text;
} ki_rowpage; /* {0} is an empty page */

/* A row to fill in: nothing in it but -1 for the indexes and NaN for the value. */
kith_err ki_rowpage_add(ki_rowpage *p, ki_row **out);

/* *out = a copy of the n bytes at s that lives as long as the page's rows; s NULL: NULL. */
kith_err ki_rowpage_text(ki_rowpage *p, const char *s, size_t n, const char **out);

int ki_rowpage_full(const ki_rowpage *p);
void ki_rowpage_reset(ki_rowpage *p); /* empty, with its memory kept for the next rows */
void ki_rowpage_clear(ki_rowpage *p); /* empty, and its memory freed */

#endif
