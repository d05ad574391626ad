/* SPDX-License-Identifier: MIT
 * jsontext.c -- a JSON value as text in kith's own memory
 */
#include "base/jsontext.h"

#include "base/mem.h"

#include <stdlib.h>

kith_err ki_json_print(json_t *value, char **out)
{
    const size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(15);
    char *text = value == NULL ? NULL : json_dumps(value, flags);
    json_decref(value);
    if (text == NULL) return ki_fail_memory(1);
    const kith_err err = ki_strdup(out, text);
    free(text); /* jansson's */
    return err;
}
