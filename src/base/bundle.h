/* SPDX-License-Identifier: MIT
 * bundle.h -- arrays and sentences gathered for one file, and found again in it
 *
 * A bundle borrows the arrays until it is written.  Its texts become the container's metadata,
 * which safetensors wants to be an object of strings; what has structure is kept as JSON inside
 * such a string.
 */
#ifndef KI_BUNDLE_H
#define KI_BUNDLE_H

#include "base/tensors.h"

typedef struct ki_bundle {
    int n, room;
    ki_tensor *list;   /* [room]; their names are set on writing */
    char (*names)[64]; /* [room] */
    json_t *texts;     /* object of strings; NULL: none yet */
} ki_bundle;           /* {0} is empty */

/* Add the arrays of a struct as "prefix.name" (tensors.h). */
kith_err ki_bundle_fields(ki_bundle *b, const ki_field *fields, int n, const char *prefix);

kith_err ki_bundle_text(ki_bundle *b, const char *key, const char *value);
kith_err ki_bundle_json(ki_bundle *b, const char *key,
                        json_t *value); /* takes `value`; NULL: memory ran out */

kith_err ki_bundle_write(ki_bundle *b, const char *path);
void ki_bundle_clear(ki_bundle *b);

/* ---- and back ---- */

/* A file of that format ("kith-model") and version, or KITH_EFORMAT with a sentence. */
kith_err ki_bundle_open(const char *path, const char *format, const char *version,
                        ki_mapping **out);

/* The text under `key`; KITH_EFORMAT when it is absent. */
kith_err ki_bundle_find_text(const ki_mapping *m, const char *key, const char **out);

/* The JSON inside the text under `key`: a new reference, of type JSON_OBJECT or JSON_ARRAY as
 * asked. */
kith_err ki_bundle_find_json(const ki_mapping *m, const char *key, json_type type, json_t **out);

/* Bind fields whose sizes are all to be learnt from the file; sizes that no array told become 0. */
kith_err ki_bundle_learn(const ki_field *fields, int n, const char *prefix, const ki_mapping *m);

/* Pass `err` on; when it is KITH_EFORMAT and its sentence does not name the file yet, it does so
 * afterwards. */
kith_err ki_bundle_blame(const char *path, kith_err err);

#endif
