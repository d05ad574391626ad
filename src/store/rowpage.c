/* SPDX-License-Identifier: MIT
 * rowpage.c -- some rows with their strings, copied out of a database so that it is not held while they are told
 *
 * Text lies in a chain of blocks, so that a row may point at its strings while others are added.
 */
#include "store/rowpage.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum { FIRST_ROWS = 16, FIRST_TEXT = 4096, NEXT_TEXT = 1 << 16 };

struct ki_rowtext {
    ki_rowtext *before;
    size_t n, size;
    char bytes[];
};

kith_err ki_rowpage_add(ki_rowpage *p, ki_row **out)
{
    if (p->n == p->size) {
        const int size = p->size == 0 ? FIRST_ROWS : 2 * p->size;
        const kith_err err = ki_grow(&p->rows, (size_t)p->n, (size_t)size, sizeof *p->rows);
        if (err != KITH_OK) return err;
        p->size = size;
    }
    ki_row *row = &p->rows[p->n++];
    *row = (ki_row){ .index = -1, .user_index = -1, .item_index = -1, .value = NAN };
    *out = row;
    return KITH_OK;
}

static kith_err add_block(ki_rowpage *p, size_t n)
{
    ki_rowtext *block = NULL;
    const size_t size = KI_MAX(n, (size_t)(p->text == NULL ? FIRST_TEXT : NEXT_TEXT));
    const kith_err err = ki_alloc(&block, 1, sizeof *block + size);
    if (err != KITH_OK) return err;
    block->size = size;
    block->before = p->text;
    p->text = block;
    return KITH_OK;
}

kith_err ki_rowpage_text(ki_rowpage *p, const char *s, size_t n, const char **out)
{
    *out = NULL;
    if (s == NULL) return KITH_OK;
    if (p->text == NULL || p->text->size - p->text->n < n + 1) {
        const kith_err err = add_block(p, n + 1);
        if (err != KITH_OK) return err;
    }
    char *to = p->text->bytes + p->text->n;
    memcpy(to, s, n);
    to[n] = '\0';
    p->text->n += n + 1;
    p->n_text += n + 1;
    *out = to;
    return KITH_OK;
}

int ki_rowpage_full(const ki_rowpage *p)
{
    return p->n >= KI_ROWPAGE_ROWS || p->n_text >= KI_ROWPAGE_BYTES;
}

void ki_rowpage_reset(ki_rowpage *p)
{
    while (p->text != NULL && p->text->before != NULL) {
        ki_rowtext *block = p->text;
        p->text = block->before;
        ki_free(block);
    }
    if (p->text != NULL) p->text->n = 0;
    p->n = p->more = 0;
    p->n_text = 0;
}

void ki_rowpage_clear(ki_rowpage *p)
{
    ki_rowpage_reset(p);
    ki_free(p->text);
    ki_free(p->rows);
    *p = (ki_rowpage){ 0 };
}
