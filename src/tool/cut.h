/* SPDX-License-Identifier: MIT
 * cut.h -- a request without its long lists: those are cut out as text and read element by element
 *
 * A million interactions as one tree of values would take ten times their text.  So the lists
 * user_data, item_data and interaction_data are found by a scan that only follows brackets and
 * quotes; what is left (the shell, with [] in their place) is parsed whole, each element alone.
 */
#ifndef KI_CUT_H
#define KI_CUT_H

#include "tool/findings.h"

typedef enum ki_list_name {
    KI_USER_DATA,
    KI_ITEM_DATA,
    KI_INTERACTION_DATA,
    KI_N_LISTS
} ki_list_name;
extern const char *const ki_list_names[KI_N_LISTS]; /* "user_data", ... */

typedef struct ki_cut_list {
    const char *at; /* the '[' in the request; NULL: not cut */
    size_t n;       /* bytes to the ']' and with it */
} ki_cut_list;

typedef struct ki_cut {
    const char *text; /* the request, borrowed */
    size_t n;
    ki_cut_list lists[KI_N_LISTS];
    json_t *shell; /* owned */
} ki_cut;

/* Read the request; what is no JSON is a violation at "" with line and column.  KITH_EINVAL then. */
kith_err ki_cut_make(ki_cut *out, const char *text, size_t n, ki_findings *f);
void ki_cut_clear(ki_cut *c);

/* Called for each element; it stops at the first failure. */
typedef kith_err (*ki_element_fn)(void *arg, size_t index, json_t *element);

/* All elements of a list that was cut.  An element that is no JSON is a violation and ends the walk. */
kith_err ki_cut_each(const ki_cut *c, ki_list_name which, ki_element_fn fn, void *arg,
                     ki_findings *f);

#endif
