/* SPDX-License-Identifier: MIT
 * narrow.c -- what context_data says of every list: a filter, its values, wishes, a pipeline, a block
 * list, a language; and what users wish for themselves
 *
 * The languages are those of doc/filters.md and doc/pipeline.md; $names stand for the members of
 * context_data.values, `now` for context_data.now or the present.  They are checked once, here, so
 * that a mistake is a violation of the request; the lists are then asked for with them.
 */
#include "tool/running.h"

#include "base/mem.h"
#include "engine/block.h"
#include "engine/filter.h"
#include "engine/knowledge.h"
#include "engine/phrases.h"
#include "engine/pipeline.h"

#include <stdlib.h>
#include <time.h>

static const ki_place data_place = { .key = "recommendation_data" },
                      context_place = { .up = &data_place, .key = "context_data" };

static void tell_notes(ki_run *r, const char *what, const ki_filter *f)
{
    for (int j = 0; j < ki_filter_n_notes(f); j++)
        ki_warning(&r->findings, "%s: %.400s", what, ki_filter_note(f, j));
}

/* A filter or a value that does not fit is a violation; other failures go up. */
static kith_err judge(ki_run *r, const char *field, kith_err err)
{
    const ki_place at = { .up = &context_place, .key = field };
    if (err != KITH_EINVAL) return err;
    ki_object_to(&r->findings, &at, "%s", kith_last_error());
    return KITH_OK;
}

static kith_err check_filter(ki_run *r, const ki_schema *schema)
{
    ki_filter *f = NULL;
    const kith_err err = ki_filter_parse(schema, r->filter, &f, NULL);
    if (err == KITH_OK) tell_notes(r, "context_data.filter", f);
    ki_filter_free(f);
    return judge(r, "filter", err);
}

/* What is wrong inside of a value, each at its own place. */
static void tell_inside(ki_run *r, const ki_place *at, const ki_violations *found)
{
    char pointer[KI_POINTER_ROOM], place[2 * KI_POINTER_ROOM];
    ki_place_print(at, pointer);
    for (int j = 0; j < KI_MIN(found->n, KI_VIOLATIONS_MAX); j++) {
        snprintf(place, sizeof place, "%s%s", pointer, found->list[j].pointer);
        ki_object_to_pointer(&r->findings, place, "%s", found->list[j].sentence);
    }
}

static kith_err check_pipeline(ki_run *r, const ki_schema *schema, const json_t *config)
{
    const ki_place at = { .up = &context_place, .key = "pipeline" };
    ki_violations *found = NULL;
    ki_pipeline p;
    kith_err err = ki_alloc(&found, 1, sizeof *found);
    if (err != KITH_OK) return err;
    err = ki_pipeline_read(schema, config, &p, found);
    if (err == KITH_OK) ki_pipeline_clear(&p);
    tell_inside(r, &at, found);
    if (err == KITH_EINVAL && found->n > 0) err = KITH_OK; /* told */
    ki_free(found);
    return judge(r, at.key, err);
}

static kith_err check_wishes(ki_run *r, const ki_schema *schema, const json_t *list,
                             const ki_place *at)
{
    ki_violations *found = NULL;
    ki_knowledge k;
    kith_err err = ki_alloc(&found, 1, sizeof *found);
    if (err != KITH_OK) return err;
    if ((err = ki_knowledge_read(schema, list, &k, found)) == KITH_OK) {
        for (int w = 0; w < k.n_wishes; w++) tell_notes(r, "wishes", k.wishes[w].want);
        ki_knowledge_clear(&k);
    }
    tell_inside(r, at, found);
    if (err == KITH_EINVAL && found->n > 0) err = KITH_OK; /* told */
    ki_free(found);
    return err;
}

static kith_err check_own_wishes(ki_run *r, const ki_schema *schema)
{
    const ki_place list_at = { .up = &data_place, .key = "user_data" };
    const char *user;
    const json_t *one;
    kith_err err = KITH_OK;
    json_object_foreach (r->intake.wishes, user, one) {
        const ki_place row = { .up = &list_at,
                               .index = (size_t)json_integer_value(json_object_get(one, "at")) },
                       at = { .up = &row, .key = "wishes" };
        err = check_wishes(r, schema, json_object_get(one, "list"), &at);
        if (err != KITH_OK) break;
    }
    return err;
}

/* The entries as the lines of one text. */
static kith_err join_block(const json_t *list, char **out)
{
    ki_text t = { 0 };
    const json_t *one;
    size_t j;
    json_array_foreach (list, j, one) {
        ki_text_say(&t, json_string_value(one));
        ki_text_say(&t, "\n");
    }
    const kith_err err = t.err != KITH_OK ? t.err : ki_strdup(out, t.at == NULL ? "" : t.at);
    ki_text_clear(&t);
    return err;
}

/* A block list that does not fit is a violation; entries that match nothing are warned of. */
static kith_err check_block(ki_run *r, const json_t *list)
{
    const kith_data *d = r->intake.data;
    kith_block *block = NULL;
    const json_t *one;
    size_t j;
    kith_err err;
    if (list == NULL) return KITH_OK;
    if ((err = join_block(list, &r->block)) != KITH_OK) return err;
    err = ki_block_make(&d->items, &d->item_attrs, r->block, &block);
    if (err != KITH_OK) return judge(r, "block", err);
    r->blocked = ki_block_json(block);
    kith_block_free(block);
    if (r->blocked == NULL) return ki_fail_memory(64);
    json_array_foreach (json_object_get(r->blocked, "unused"), j, one)
        ki_warning(&r->findings, "context_data.block: no item has what `%.100s` says",
                   json_string_value(one));
    return KITH_OK;
}

static kith_err check_language(ki_run *r, const json_t *context)
{
    const ki_phrasebook *found;
    return judge(
        r, "language",
        ki_phrasebook_find(json_string_value(json_object_get(context, "language")), &found));
}

/* NULL when there are none. */
static const json_t *wishes_of(const json_t *context)
{
    const json_t *wishes = json_object_get(context, "wishes");
    return json_is_array(wishes) && json_array_size(wishes) == 0 ? NULL : wishes;
}

static kith_err check(ki_run *r, const ki_context *values, const json_t *context)
{
    const json_t *pipeline = json_object_get(context, "pipeline"), *wishes = wishes_of(context);
    const ki_place wishes_place = { .up = &context_place, .key = "wishes" };
    const kith_data *d = r->intake.data;
    double *popularity = NULL; /* only that there is such a column counts here */
    kith_err err = ki_alloc(&popularity, (size_t)d->items.n, sizeof *popularity);
    if (err != KITH_OK) return err;
    const ki_schema schema = {
        .items = &d->items, .table = &d->item_attrs, .popularity = popularity, .context = values
    };
    if (r->filter != NULL) err = check_filter(r, &schema);
    if (err == KITH_OK && wishes != NULL) err = check_wishes(r, &schema, wishes, &wishes_place);
    if (err == KITH_OK) err = check_own_wishes(r, &schema);
    if (err == KITH_OK && pipeline != NULL) err = check_pipeline(r, &schema, pipeline);
    ki_free(popularity);
    return err;
}

/* The text of a JSON value, the caller's. */
static kith_err print(const json_t *v, char **out)
{
    char *text = json_dumps(v, JSON_COMPACT);
    const kith_err err = text == NULL ? ki_fail_memory(64) : ki_strdup(out, text);
    free(text); /* jansson's */
    return err;
}

/* Values of the $names, and the time of asking: one for all lists. */
static kith_err print_values(ki_run *r, const json_t *given)
{
    const ki_intake *in = &r->intake;
    json_t *all = given == NULL ? json_object() : json_copy((json_t *)given);
    const int64_t now = in->has_now ? in->now : (int64_t)time(NULL);
    json_object_set_new(all, "now", json_integer((json_int_t)now));
    const kith_err err = print(all, &r->values);
    json_decref(all);
    return err;
}

/* Wishes for every list, and for users with their own those beside them. */
static kith_err print_wishes(ki_run *r, const json_t *common)
{
    const char *user;
    const json_t *one;
    kith_err err = common == NULL ? KITH_OK : print(common, &r->wishes);
    if (err != KITH_OK || r->intake.wishes == NULL) return err;
    if ((r->own_wishes = json_object()) == NULL) return ki_fail_memory(64);
    json_object_foreach (r->intake.wishes, user, one) {
        json_t *both = common == NULL ? json_array() : json_copy((json_t *)common);
        json_array_extend(both, json_object_get(one, "list"));
        char *text = json_dumps(both, JSON_COMPACT);
        json_decref(both);
        const int bad = text == NULL || json_object_set_new(r->own_wishes, user, json_string(text));
        free(text); /* jansson's */
        if (bad) return ki_fail_memory(64);
    }
    return KITH_OK;
}

kith_err ki_run_narrow(ki_run *r)
{
    const json_t *context = r->intake.context, *given = json_object_get(context, "values"),
                 *pipeline = json_object_get(context, "pipeline"), *wishes = wishes_of(context);
    ki_context values = { 0 };
    kith_err err = KITH_OK;
    r->filter = json_string_value(json_object_get(context, "filter"));
    if ((err = check_language(r, context)) != KITH_OK) return err;
    if ((err = check_block(r, json_object_get(context, "block"))) != KITH_OK) return err;
    if (r->filter == NULL && pipeline == NULL && wishes == NULL && r->intake.wishes == NULL)
        return KITH_OK;
    if (given != NULL) err = ki_context_read(&values, given, NULL);
    if (err != KITH_OK) return judge(r, "values", err);
    err = check(r, &values, context);
    ki_context_clear(&values);
    if (err == KITH_OK) err = print_values(r, given);
    if (err == KITH_OK) err = print_wishes(r, wishes);
    if (err == KITH_OK && pipeline != NULL) err = print(pipeline, &r->pipeline);
    return err;
}
