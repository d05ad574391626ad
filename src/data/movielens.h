/* SPDX-License-Identifier: MIT
 * movielens.h -- the attribute files of MovieLens
 */
#ifndef KI_MOVIELENS_H
#define KI_MOVIELENS_H

#include "data/attrs.h"

enum { KI_MAX_GENRES = 64 };

typedef struct ki_genres { /* names of the genre flags of u.item, in order */
    int n;
    char name[KI_MAX_GENRES][40];
} ki_genres;

/* Read one attribute file; `file` is its name in the data set: "u.genre" (into *genres), "u.item" (by *genres, or the
 * published 19 when it is empty), "u.user", "movies.dat" or "users.dat".  ISO 8859-1 becomes UTF-8. */
kith_err ki_movielens_attributes(ki_attrs *a, ki_source *s, const char *file, ki_genres *genres);

/* Columns `year` out of `title` ("Toy Story (1995)") and `genres` without "(no genres listed)". */
kith_err ki_movielens_refine(ki_attrs *a);

#endif
