/* SPDX-License-Identifier: MIT
 * closest.h -- "did you mean": the known name that is least far from what was written
 *
 *     ki_closest c = { .asked = "als" };
 *     for (...) ki_closest_try(&c, names[j]);
 *     ki_fail(KITH_ENOTFOUND, "no model is called \"%s\"%s", c.asked, ki_closest_hint(&c, hint));
 */
#ifndef KI_CLOSEST_H
#define KI_CLOSEST_H

#include <stddef.h>

enum { KI_CLOSEST_LETTERS = 64, KI_HINT_SIZE = 96 };

/* Letters to insert, drop, replace or swap with the next, to come from a to b; either case counts as
 * the same.  Only the first KI_CLOSEST_LETTERS of each are looked at. */
int ki_edit_distance(const char *a, size_t a_bytes, const char *b, size_t b_bytes);

typedef struct ki_closest {
    const char *asked;
    const char *best; /* NULL: none is near; else one of those tried, borrowed */
    int distance;
} ki_closest;

/* A name is near when a third of its letters may differ at most, or when it begins with what was
 * asked.  Of two equally near ones the first stays. */
void ki_closest_try(ki_closest *c, const char *name);

/* out[KI_HINT_SIZE] = "; did you mean "ials"?", or "" when nothing is near.  Returns out. */
const char *ki_closest_hint(const ki_closest *c, char *out);

#endif
