/* SPDX-License-Identifier: MIT
 * tensors.h -- named arrays in one file: the safetensors container, written atomically, read by
 * mmap
 *
 * Byte 0: u64 little-endian length H of the header; then H bytes of JSON, padded with blanks so
 * that the data begins at a multiple of 64; then the arrays without gaps, those with wider elements
 * first, so each is aligned to its element. The header maps each name to {dtype, shape,
 * data_offsets}, and "__metadata__" to an object of strings.
 */
#ifndef KI_TENSORS_H
#define KI_TENSORS_H

#include "base/err.h"

#include <jansson.h>
#include <stdint.h>

typedef enum ki_dtype { KI_F32, KI_F64, KI_I32, KI_I64, KI_U8 } ki_dtype;
size_t ki_dtype_bytes(ki_dtype t);

/* One array to be written, or that was found. */
typedef struct ki_tensor {
    const char *name;
    ki_dtype dtype;
    int rank; /* 1 or 2 */
    int64_t shape[2];
    const void *data;
} ki_tensor;

/* Write to `path` by way of a temporary file beside it, fsync, rename: it is the whole new file or
 * as it was. `metadata` is a JSON object of strings.  KITH_EIO names the path and the system's
 * reason. */
kith_err ki_tensors_write(const char *path, const ki_tensor *list, int n, const json_t *metadata);

typedef struct ki_mapping ki_mapping; /* an open, checked file */

/* Map and check: header length, JSON, dtypes, shapes against offsets, no gap or overlap, within the
 * file.  KITH_EFORMAT with a sentence naming `path` otherwise.  The content of the arrays is the
 * caller's to check. */
kith_err ki_tensors_open(const char *path, ki_mapping **out);
int ki_tensors_is_file(const char *path); /* 1 when the first bytes look like such a file */

const json_t *ki_tensors_metadata(const ki_mapping *m); /* object of strings; lives as long as m */
const ki_tensor *ki_tensors_find(const ki_mapping *m, const char *name); /* NULL when absent */
int ki_tensors_count(const ki_mapping *m);
const ki_tensor *ki_tensors_at(const ki_mapping *m, int index);
const char *ki_tensors_path(const ki_mapping *m);
/* Let the arrays be changed in memory; the file stays as it is. */
kith_err ki_tensors_unlock(ki_mapping *m);
void ki_tensors_close(ki_mapping *m); /* all arrays found in it end with it; accepts NULL */

/* ---- structs whose pointers are saved and found again
 * ------------------------------------------------------------
 *
 * A field says where a struct keeps an array and where it keeps the sizes, so that saving, loading
 * and freeing are each one loop over a table.  A size of -1 before loading is learnt from the file;
 * any other must agree with it. */
typedef struct ki_field {
    const char *name; /* "item_factors" */
    ki_dtype dtype;
    int rank;
    int64_t *shape[2]; /* where the sizes are kept; shape[1] unused for rank 1 */
    int64_t extra;     /* added to *shape[0]: 1 for row pointers */
    void **data;       /* where the pointer is kept */
    int optional;      /* 1: data may be NULL, and then the array is absent from the file */
} ki_field;

#define KI_MAX_FIELDS 64

/* fields -> list of tensors named "prefix.name"; names are written into `names` (n of 64 bytes).
 * Returns how many. */
int ki_fields_to_tensors(const ki_field *fields, int n, const char *prefix, char (*names)[64],
                         ki_tensor *out);

/* Point every field's data into the mapping, learning sizes.  KITH_EFORMAT for absence, other type
 * or other shape. */
kith_err ki_fields_bind(const ki_field *fields, int n, const char *prefix, const ki_mapping *m);

void ki_fields_free(const ki_field *fields,
                    int n); /* ki_free each array and set its pointer to NULL */

#endif
