/* SPDX-License-Identifier: MIT
 * anonymous.c -- a run that knows nobody: its data anonymised as soon as they are read
 *
 * Users have other names from then on, in the model and its file, lists, sentences and whatever is logged; so what the
 * request itself says of users by name is renamed alike.
 */
#include "tool/running.h"

#include "data/anonymise.h"
#include "data/jsonrow.h"

#include <stdlib.h>
#include <string.h>

static json_t *renamed_id(const json_t *id, const kith_anonymise_options *o)
{
    char buffer[24], name[KI_TOKEN_ROOM];
    const ki_span span = ki_json_id(id, buffer);
    ki_anonymise_id(o, span.at, span.n, name);
    return json_string(name);
}

/* The list of ids under `field` of the context, by their new names. */
static kith_err rename_list(json_t *context, const char *field, const kith_anonymise_options *o)
{
    const json_t *list = json_object_get(context, field);
    json_t *renamed = json_array();
    if (list == NULL) return json_decref(renamed), KITH_OK;
    int failed = renamed == NULL;
    for (size_t j = 0; j < json_array_size(list); j++)
        failed |= json_array_append_new(renamed, renamed_id(json_array_get(list, j), o)) != 0;
    failed |= json_object_set_new(context, field, renamed) != 0;
    return failed ? ki_fail_memory(64) : KITH_OK;
}

static kith_err rename_wishes(ki_intake *in, const kith_anonymise_options *o)
{
    const char *user;
    char name[KI_TOKEN_ROOM];
    json_t *wishes, *renamed = json_object();
    int failed = renamed == NULL;
    json_object_foreach (in->wishes, user, wishes) {
        ki_anonymise_id(o, user, strlen(user), name);
        failed |= json_object_set(renamed, name, wishes) != 0;
    }
    json_decref(in->wishes);
    in->wishes = renamed;
    return failed ? ki_fail_memory(64) : KITH_OK;
}

static int is_word(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Has the text the word `item`, by which a filter speaks of ids?  A column's name that begins so is another word. */
static int says_item(const json_t *value)
{
    char *text = value == NULL ? NULL : json_dumps(value, JSON_ENCODE_ANY);
    int found = 0;
    for (const char *at = text; at != NULL && !found && (at = strstr(at, "item")) != NULL; at += 4)
        found = (at == text || !is_word(at[-1])) && !is_word(at[4]);
    free(text);
    return found;
}

static int object_to(ki_run *r, const char *field)
{
    const ki_place data = { .key = "recommendation_data" },
                   context = { .up = &data, .key = "context_data" },
                   at = { .up = &context, .key = field };
    ki_object_to(
        &r->findings, &at,
        "it may name items, which have other names here: leave it out, or keep the names of "
        "items (no --hash-items)");
    return 1;
}

/* Filters and wishes whose ids are not those of this copy. */
static int asks_for_items(ki_run *r)
{
    const json_t *context = r->intake.context;
    if (says_item(json_object_get(context, "filter"))) return object_to(r, "filter");
    return says_item(json_object_get(context, "wishes")) || says_item(r->intake.wishes)
               ? object_to(r, "wishes")
               : 0;
}

/* Pipelines and block lists may name items within, where no name is changed. */
static int names_items(ki_run *r, const char *field)
{
    return json_object_get(r->intake.context, field) == NULL ? 0 : object_to(r, field);
}

kith_err ki_run_anonymise(ki_run *r)
{
    const kith_anonymise_options *o = r->o->anonymise;
    ki_intake *in = &r->intake;
    kith_data *made = NULL;
    kith_err err;
    if (o == NULL || in->data == NULL || r->findings.n_violations > 0) return KITH_OK;
    if (o->hash_items &&
        names_items(r, "pipeline") + names_items(r, "block") + asks_for_items(r) > 0)
        return KITH_OK;
    if ((err = ki_anonymise(in->data, o, &made, &r->anonymised)) != KITH_OK) return err;
    kith_data_free(in->data);
    in->data = made;
    json_t *context = json_copy(in->context); /* the request stays as it was sent */
    json_decref(in->context);
    in->context = context;
    if (context == NULL) return ki_fail_memory(64);
    if ((err = rename_list(context, "users", o)) != KITH_OK) return err;
    if (o->hash_items && (err = rename_list(context, "exclude_items", o)) != KITH_OK) return err;
    if (o->hash_items && (err = rename_list(context, "why_not", o)) != KITH_OK) return err;
    return in->wishes == NULL ? KITH_OK : rename_wishes(in, o);
}
