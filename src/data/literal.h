/* SPDX-License-Identifier: MIT
 * literal.h -- cells that hold a list as Python or JSON writes it
 */
#ifndef KI_LITERAL_H
#define KI_LITERAL_H

/* The names in a cell such as [{'id': 28, 'name': 'Action'}, {'id': 12, 'name': "Children's"}] or ["a", "b"], joined
 * by `joint` into out[strlen(cell) + 1]; what `out` holds after a refusal means nothing.  1: it is such a list, or one
 * object with a name, or an empty list; 0: it is anything else (numbers, objects without a name, text). */
int ki_literal_names(const char *cell, char joint, char *out);

#endif
