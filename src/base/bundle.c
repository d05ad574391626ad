/* SPDX-License-Identifier: MIT
 * bundle.c -- gathering what goes into one file, and the questions that every reader of one asks
 * first
 */
#include "base/bundle.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static kith_err make_room(ki_bundle *b, int more)
{
    const size_t old = (size_t)b->n, room = KI_MAX((size_t)b->room * 2, old + (size_t)more);
    kith_err err;
    if (b->n + more <= b->room) return KITH_OK;
    if ((err = ki_grow(&b->list, old, room, sizeof *b->list)) != KITH_OK) return err;
    if ((err = ki_grow(&b->names, old, room, sizeof *b->names)) != KITH_OK) return err;
    b->room = (int)room;
    return KITH_OK;
}

kith_err ki_bundle_fields(ki_bundle *b, const ki_field *fields, int n, const char *prefix)
{
    const kith_err err = make_room(b, n);
    if (err == KITH_OK)
        b->n += ki_fields_to_tensors(fields, n, prefix, b->names + b->n, b->list + b->n);
    return err;
}

kith_err ki_bundle_text(ki_bundle *b, const char *key, const char *value)
{
    if (b->texts == NULL && (b->texts = json_object()) == NULL) return ki_fail_memory(1);
    if (json_object_set_new(b->texts, key, json_string(value)) == 0) return KITH_OK;
    return ki_fail(KITH_EINVAL, "%s is not UTF-8 and cannot be saved", key);
}

kith_err ki_bundle_json(ki_bundle *b, const char *key, json_t *value)
{
    char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(value);
    if (text == NULL) return ki_fail_memory(1);
    const kith_err err = ki_bundle_text(b, key, text);
    free(text); /* jansson's */
    return err;
}

kith_err ki_bundle_write(ki_bundle *b, const char *path)
{
    for (int j = 0; j < b->n; j++) b->list[j].name = b->names[j]; /* growing moved them */
    return ki_tensors_write(path, b->list, b->n, b->texts);
}

void ki_bundle_clear(ki_bundle *b)
{
    ki_free(b->list);
    ki_free(b->names);
    json_decref(b->texts);
    *b = (ki_bundle){ 0 };
}

/* ---- and back ---- */

kith_err ki_bundle_find_text(const ki_mapping *m, const char *key, const char **out)
{
    const char *text = json_string_value(json_object_get(ki_tensors_metadata(m), key));
    if (text == NULL)
        return ki_fail(KITH_EFORMAT, "%s: the header does not say \"%s\"", ki_tensors_path(m), key);
    *out = text;
    return KITH_OK;
}

kith_err ki_bundle_find_json(const ki_mapping *m, const char *key, json_type type, json_t **out)
{
    const char *text = NULL;
    const kith_err err = ki_bundle_find_text(m, key, &text);
    if (err != KITH_OK) return err;
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (value == NULL || json_typeof(value) != type) {
        json_decref(value);
        return ki_fail(KITH_EFORMAT,
                       "%s: \"%s\" in the header is not the JSON %s that it should be",
                       ki_tensors_path(m), key, type == JSON_OBJECT ? "object" : "array");
    }
    *out = value;
    return KITH_OK;
}

static kith_err check_kind(const ki_mapping *m, const char *format, const char *version)
{
    const char *found = NULL;
    if (ki_bundle_find_text(m, "format", &found) != KITH_OK || strcmp(found, format) != 0)
        return ki_fail(KITH_EFORMAT, "%s: not a %s file", ki_tensors_path(m), format);
    const kith_err err = ki_bundle_find_text(m, "version", &found);
    if (err != KITH_OK || strcmp(found, version) == 0) return err;
    return ki_fail(KITH_EFORMAT,
                   "%s: version %.16s of %s files, want %s; write it anew with this kith",
                   ki_tensors_path(m), found, format, version);
}

kith_err ki_bundle_open(const char *path, const char *format, const char *version, ki_mapping **out)
{
    ki_mapping *m = NULL;
    kith_err err = ki_tensors_open(path, &m);
    if (err != KITH_OK) return err;
    if ((err = check_kind(m, format, version)) == KITH_OK)
        *out = m;
    else
        ki_tensors_close(m);
    return err;
}

kith_err ki_bundle_learn(const ki_field *fields, int n, const char *prefix, const ki_mapping *m)
{
    for (int j = 0; j < n; j++)
        for (int r = 0; r < fields[j].rank; r++) *fields[j].shape[r] = -1;
    const kith_err err = ki_fields_bind(fields, n, prefix, m);
    for (int j = 0; j < n; j++)
        for (int r = 0; r < fields[j].rank; r++)
            *fields[j].shape[r] = KI_MAX(*fields[j].shape[r], (int64_t)0);
    return err;
}

kith_err ki_bundle_blame(const char *path, kith_err err)
{
    if (err != KITH_EFORMAT || strncmp(kith_last_error(), path, strlen(path)) == 0) return err;
    return ki_fail(err, "%s: %s", path, kith_last_error());
}
