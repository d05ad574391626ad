/* SPDX-License-Identifier: MIT
 * shape.h -- what a JSON value may be, as a table of C; JSON Schema 2020-12 is made from it
 *
 * The fields of the tool contract and the parameters, bodies and replies of the service are tables of shapes.
 * The schemas made from them are published, and values are held against them (verify.h): what a
 * field is called, may be and means is said once.
 */
#ifndef KI_SHAPE_H
#define KI_SHAPE_H

#include "base/mem.h" /* KI_COUNT */

#include <jansson.h>

typedef enum ki_kind {
    KI_IS_OBJECT, /* members of `inside`; others are warned of, or refused in a closed schema */
    KI_IS_OPEN,   /* members of `inside`, and any others */
    KI_IS_MAP,    /* members of any name, each like inside[0] */
    KI_IS_LIST,   /* elements like inside[0]; min and max count them */
    KI_IS_TEXT,   /* min and max count letters, here and in NAME */
    KI_IS_NAME,   /* text that is not empty */
    KI_IS_WHOLE,
    KI_IS_NUMBER,
    KI_IS_FLAG,
    KI_IS_MOMENT,   /* RFC 3339 */
    KI_IS_TIME,     /* seconds since 1970, or ISO 8601 */
    KI_IS_ID,       /* text, or a whole number that stands for its digits; max counts letters */
    KI_IS_ROWS,     /* elements like inside[0], or the path of a file with them */
    KI_IS_DOCUMENT, /* as OBJECT, or the path of a JSON file */
    KI_IS_ANY,      /* anything */
    KI_IS_VALUE, /* of an attribute: number, text, flag, list of texts or of numbers; null: none */
} ki_kind;

typedef struct ki_shape ki_shape;
struct ki_shape {
    const char *name; /* of a member; NULL for elements and whole values */
    ki_kind kind;
    int required;
    const char *about;
    const ki_shape *inside;
    int n_inside;
    const char *const *words; /* ends with NULL: the only ones allowed */
    double min, max;          /* both 0: any; max 0: no upper end, and min is not looked at */
    const char *init;         /* default, as JSON */
    const char *example;      /* as JSON */
    const char *type;         /* what programs call it: a component of the OpenAPI document */
    int or_null;              /* of what is answered: null says that there is none */
};

/* Members of a table; elements of one shape. */
#define KI_INSIDE(table) .inside = table, .n_inside = (int)KI_COUNT(table)
#define KI_EACH(shape)   .inside = &(shape), .n_inside = 1

/* The schema of one shape, a new reference, NULL when memory ran out.  `closed`: objects have no members
 * beyond those named (what is sent); else others are no error (what is answered, and the tool contract). */
json_t *ki_shape_schema(const ki_shape *s, int closed);

/* The same, put another way. */
typedef struct ki_shape_how {
    int closed;
    int in_url; /* of a parameter, which is text whatever it means: an id is a string */
    json_t *
        components; /* shapes that have a type go in here under it, once, and are referred to; NULL: they do not */
} ki_shape_how;
json_t *ki_shape_schema_as(const ki_shape *s, const ki_shape_how *how);

/* A document of its own: an object with the members table[n], $schema and title. */
json_t *ki_shape_document(const char *title, const ki_shape *table, int n);

#endif
