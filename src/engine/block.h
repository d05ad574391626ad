/* SPDX-License-Identifier: MIT
 * block.h -- content that no list may hold: words, topics and items, found once for a whole catalogue
 *
 * One entry a line:
 *      # a comment
 *      gambling             these words, one behind the other, in any attribute that has words
 *      "Alien: Romulus"     the same, where there is a colon
 *      genres: horror       the same in one column; numbers and times as they are printed
 *      id: 1234             the item itself
 * Words are whole and their case does not count, as text/tokens.h cuts them.  What is blocked is told
 * of every item beforehand, so that a query costs no reading of texts.
 */
#ifndef KI_BLOCK_H
#define KI_BLOCK_H

#include "data/table.h"

#include <jansson.h>

typedef struct ki_block_entry {
    char *text;       /* as written, without blanks at its ends */
    int column;       /* of the attributes; or KI_BLOCK_ANY, _ID, _NOWHERE */
    int32_t first, n; /* its words in ki_words of the block */
    int32_t n_items;  /* that it matches */
} ki_block_entry;

enum { KI_BLOCK_ANY = -1, KI_BLOCK_ID = -2, KI_BLOCK_NOWHERE = -3 };

struct kith_block {
    int32_t n_entries;
    ki_block_entry *entries;
    int32_t n_items;   /* of the catalogue */
    int32_t *by;       /* [n_items] the first entry that matches, or -1 */
    int32_t n_blocked; /* items with an entry */
};

/* KITH_EINVAL for an entry without words or of a column that is not there, with its line. */
kith_err ki_block_make(const ki_idmap *items, const ki_table *attrs, const char *text,
                       kith_block **out);

/* The same for a list that was taken before: a column that is gone since then is matched by nothing. */
kith_err ki_block_make_kept(const ki_idmap *items, const ki_table *attrs, const char *text,
                            kith_block **out);

/* Would ki_block_make take it?  Reads the entries alone. */
kith_err ki_block_check_text(const ki_table *attrs, const char *text);

/* How many entries the text has. */
int32_t ki_block_count(const char *text);

static inline int ki_block_has(const kith_block *b, int32_t item)
{
    return b != NULL && b->by[item] >= 0;
}

/* Is it made for a catalogue of so many items?  KITH_EINVAL otherwise; NULL is. */
kith_err ki_block_check(const kith_block *b, int32_t n_items);

/* {"items": n, "entries": [{"entry", "items"}], "unused": [entries that match nothing]}; a new
 * reference, NULL when memory ran out. */
json_t *ki_block_json(const kith_block *b);

#endif
