/* SPDX-License-Identifier: MIT
 * form_text_vectors.h -- the form of models that give users, items and texts a point each
 *
 * The vectors of form_vectors.h (which this form scores with: they come first in the state), an
 * embedder, and what leads from its space to theirs.  Whoever has words has a point: an item that
 * nobody has, a user without events, a text.
 */
#ifndef KI_FORM_TEXT_VECTORS_H
#define KI_FORM_TEXT_VECTORS_H

#include "model/form_vectors.h"
#include "model/history_weights.h"
#include "text/embed.h"

typedef struct ki_text_vectors {
    ki_vectors v; /* first: ki_form_vectors reads the state as this */
    ki_lsa lsa;
    float *map;       /* [lsa.dim, v.dim] from texts to vectors; NULL: texts are vectors */
    float *user_text; /* [n_users, v.dim] points of users' own words, 0 where there are none */
} ki_text_vectors;

/* Does anything of the query, beside its history, have words? */
int ki_text_vectors_answers(const ki_model *m, const ki_query *q);
/* Does the item have a point, though nobody has it? */
int ki_text_vectors_knows_cold(const ki_model *m, int32_t item);

/* The points of users' own words from the columns; sets s->user_text. */
kith_err ki_text_vectors_read_users(ki_text_vectors *s, const ki_text_field *fields, int n_fields,
                                    ki_job *job);

/* out[v.dim] = the point of a text embedding [lsa.dim]. */
void ki_text_vectors_map(const ki_text_vectors *s, const float *embedding, float *out);

/* For a descriptor's fold_in and explain, which have scratch of
 * KI_TEXT_VECTORS_SCRATCH floats: words[2, v.dim] become the points of the user's own words and of
 * the query's text, 0 where there are none. */
kith_err ki_text_vectors_words(const ki_model *m, const ki_query *q, float *words);
#define KI_TEXT_VECTORS_SCRATCH(dim, n_items) ((dim) * (dim) + 4 * (dim) + (n_items))

extern const ki_form ki_form_text_vectors;

#endif
