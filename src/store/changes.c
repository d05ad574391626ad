/* SPDX-License-Identifier: MIT
 * changes.c -- does a change make sense, before anybody waits for it?
 *
 * A table says which fields each kind of change must and may have; the rest is looked at field by field.  This runs in
 * the thread of the caller, so that the one writer has only sound changes to write.
 */
#include "store/changes.h"

#include "base/mem.h"
#include "base/scan.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum field { F_KIND = 1, F_ID = 2, F_USER = 4, F_ITEM = 8, F_JSON = 16, F_REC = 32 };

static const struct { /* in the order of ki_change_kind */
    const char *name;
    unsigned must, may;
} wants[] = {
    [KI_PUT_USER] = { "a user", F_ID, F_JSON },
    [KI_PUT_ITEM] = { "an item", F_ID, F_JSON },
    [KI_DROP_USER] = { "dropping a user", F_ID, 0 },
    [KI_DROP_ITEM] = { "dropping an item", F_ID, 0 },
    [KI_ADD_EVENT] = { "an event", F_KIND | F_USER | F_ITEM, F_ID | F_JSON | F_REC },
    [KI_DROP_EVENTS] = { "taking events back", F_USER | F_ITEM, F_KIND },
    [KI_PUT_DOCUMENT] = { "a document", F_KIND | F_ID | F_JSON, F_USER },
    [KI_DROP_DOCUMENT] = { "dropping a document", F_KIND | F_ID, 0 },
    [KI_ADD_JOURNAL] = { "a journal row", F_KIND | F_JSON, F_ID | F_USER | F_ITEM },
};

static const struct {
    enum field field;
    const char *name;
    size_t offset, most; /* in ki_change; bytes */
} fields[] = {
    { F_KIND, "kind", offsetof(ki_change, kind), KI_STORE_KIND_MAX },
    { F_ID, "id", offsetof(ki_change, id), KI_STORE_ID_MAX },
    { F_USER, "user", offsetof(ki_change, user), KI_STORE_ID_MAX },
    { F_ITEM, "item", offsetof(ki_change, item), KI_STORE_ID_MAX },
    { F_REC, "rec_id", offsetof(ki_change, rec_id), KI_STORE_ID_MAX },
    { F_JSON, "json", offsetof(ki_change, json), KI_STORE_JSON_MAX },
};

/* Years 1 to 9999: what can be written as a date. */
static const int64_t first_ms = -62135596800000, last_ms = 253402300799999;

static kith_err check_json(const char *where, const char *text, size_t n)
{
    json_error_t error;
    json_t *value = json_loadb(text, n, 0, &error);
    if (value == NULL)
        return ki_fail(KITH_EINVAL, "%s: its JSON is not sound: %s", where, error.text);
    const int object = json_is_object(value);
    json_decref(value);
    return object ? KITH_OK : ki_fail(KITH_EINVAL, "%s: its JSON is not an object", where);
}

static kith_err check_text(const char *where, const char *name, const char *text, size_t most)
{
    char show[KI_SHOW];
    const size_t n = strlen(text);
    if (n == 0) return ki_fail(KITH_EINVAL, "%s: its %s is empty", where, name);
    if (n > most)
        return ki_fail(KITH_EINVAL, "%s: its %s has %zu bytes, want at most %zu", where, name, n,
                       most);
    if (!ki_utf8_valid(text, n))
        return ki_fail(KITH_EINVAL, "%s: its %s %s is not UTF-8", where, name,
                       ki_show(show, text, n));
    return strcmp(name, "json") == 0 ? check_json(where, text, n) : KITH_OK;
}

static kith_err check_fields(const char *where, const ki_change *c)
{
    const unsigned must = wants[c->change].must, may = wants[c->change].may | must;
    for (size_t f = 0; f < KI_COUNT(fields); f++) {
        const char *text;
        memcpy(&text, (const char *)c + fields[f].offset, sizeof text);
        if (text == NULL && !(must & fields[f].field)) continue;
        if (text == NULL) return ki_fail(KITH_EINVAL, "%s: it has no %s", where, fields[f].name);
        if (!(may & fields[f].field))
            return ki_fail(KITH_EINVAL, "%s: it takes no %s", where, fields[f].name);
        const kith_err err = check_text(where, fields[f].name, text, fields[f].most);
        if (err != KITH_OK) return err;
    }
    return KITH_OK;
}

static kith_err check_one(int j, const ki_change *c)
{
    char where[64];
    if ((int)c->change < 0 || (size_t)c->change >= KI_COUNT(wants))
        return ki_fail(KITH_EINVAL, "change %d: there is no kind of change %d", j + 1,
                       (int)c->change);
    snprintf(where, sizeof where, "change %d (%s)", j + 1, wants[c->change].name);
    if (c->change == KI_ADD_EVENT && isinf(c->value))
        return ki_fail(KITH_EINVAL, "%s: its value is infinite", where);
    if (c->time_ms < first_ms || c->time_ms > last_ms)
        return ki_fail(KITH_EINVAL, "%s: its time %lld is not in the years 1 to 9999", where,
                       (long long)c->time_ms);
    if (c->hidden < -1 || c->hidden > 1)
        return ki_fail(KITH_EINVAL, "%s: hidden is %d, want 1, 0 or -1", where, c->hidden);
    return check_fields(where, c);
}

kith_err ki_changes_check(ki_change *changes, int n)
{
    if (n < 0 || (n > 0 && changes == NULL))
        return ki_fail(KITH_EINVAL, "%d changes in a batch, want none or more", n);
    for (int j = 0; j < n; j++) {
        ki_change *c = &changes[j];
        const kith_err err = check_one(j, c);
        if (err != KITH_OK) return err;
        c->seq = c->n_dropped = 0;
        c->user_index = c->item_index = -1;
        c->was_new = c->repeated = 0;
    }
    return KITH_OK;
}
