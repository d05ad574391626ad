/* SPDX-License-Identifier: MIT
 * request.c -- reading filter, context and pipeline, and finding what they let through
 *
 * The filter of the request and that of the rules, the rules' lists, and what the user has seen all
 * act before anything is ranked, so that a list is short only when nothing more exists.
 */
#include "engine/request.h"

#include "base/mem.h"
#include "base/scan.h"
#include "engine/filter_counts.h"

#include <string.h>
#include <time.h>

/* ---- reading ---- */

/* "now" in the context is the time of the request: seconds, or a date as people write it. */
static kith_err read_now(const json_t *context, int64_t *now)
{
    const json_t *v = json_object_get(context, "now");
    *now = (int64_t)time(NULL);
    if (v == NULL) return KITH_OK;
    if (json_is_number(v)) return *now = (int64_t)json_number_value(v), KITH_OK;
    if (json_is_string(v) && ki_scan_time(json_string_value(v), json_string_length(v), now))
        return KITH_OK;
    return ki_fail(KITH_EINVAL, "context, /now: want seconds since 1970 or a time as ISO 8601");
}

static kith_err load(const char *text, const char *what, json_t **out)
{
    json_error_t error;
    *out = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (*out != NULL) return KITH_OK;
    if (json_error_code(&error) == json_error_out_of_memory) return ki_fail_memory(strlen(text));
    return ki_fail(KITH_EINVAL, "%s:%d:%d: %.120s", what, error.line, error.column, error.text);
}

static kith_err read_context(const char *text, ki_request *r)
{
    json_t *o = NULL;
    kith_err err;
    r->env.now = (int64_t)time(NULL);
    if (text == NULL) return KITH_OK;
    if ((err = load(text, "context", &o)) != KITH_OK) return err;
    if ((err = read_now(o, &r->env.now)) == KITH_OK) err = ki_context_read(&r->context, o, NULL);
    json_decref(o);
    return err;
}

/* The last failure again, with the place in the text that it is about. */
static kith_err with_picture(const ki_complaint *why)
{
    char sentence[KI_MESSAGE_SIZE];
    if (why->picture[0] == '\0') return KITH_EINVAL;
    ki_message_get(sentence);
    return ki_fail(KITH_EINVAL, "%s\n%s", sentence, why->picture);
}

static kith_err read_filter(const char *text, ki_request *r)
{
    ki_complaint why;
    if (text == NULL) return KITH_OK;
    const kith_err err = ki_filter_parse(&r->schema, text, &r->filter, &why);
    return err == KITH_EINVAL ? with_picture(&why) : err;
}

static kith_err read_pipeline(const char *text, ki_request *r)
{
    json_t *o = NULL;
    kith_err err = text == NULL ? KITH_OK : load(text, "pipeline", &o);
    if (err == KITH_OK) err = ki_pipeline_read(&r->schema, o, &r->pipeline, NULL);
    json_decref(o);
    return err;
}

static kith_err take_wishes(const json_t *list, ki_request *r)
{
    ki_violations *found = NULL;
    kith_err err = ki_alloc(&found, 1, sizeof *found);
    if (err == KITH_OK) err = ki_alloc(&r->wishes, 1, sizeof *r->wishes);
    if (err == KITH_OK) err = ki_knowledge_read(&r->schema, list, r->wishes, found);
    if (err == KITH_EINVAL && found->n > 0) err = with_picture(&found->list[0].why);
    ki_free(found);
    if (err == KITH_OK) return KITH_OK;
    ki_free(r->wishes); /* which is empty */
    r->wishes = NULL;
    return err;
}

static kith_err read_wishes(const char *text, ki_request *r)
{
    json_t *list = NULL;
    kith_err err = text == NULL ? KITH_OK : load(text, "wishes", &list);
    if (err == KITH_OK && list != NULL && !(json_is_array(list) && json_array_size(list) == 0))
        err = take_wishes(list, r);
    json_decref(list);
    return err;
}

static void drop_wishes(ki_request *r)
{
    if (r->wishes != NULL) ki_knowledge_clear(r->wishes);
    ki_free(r->wishes);
    r->wishes = NULL;
}

/* Of a list, and of the pipeline whether it has any weight; what cannot be read is told by ki_request_read. */
int ki_request_wishes(const kith_query *q)
{
    if (q->wishes == NULL) return 0;
    json_t *list = json_loads(q->wishes, 0, NULL),
           *pipeline = q->pipeline == NULL ? NULL : json_loads(q->pipeline, 0, NULL);
    const json_t *weight = json_object_get(json_object_get(pipeline, "rank"), "wishes");
    const int counts = !(json_is_array(list) && json_array_size(list) == 0) &&
                       !(json_is_number(weight) && json_number_value(weight) <= 0);
    json_decref(list);
    json_decref(pipeline);
    return counts;
}

kith_err ki_request_read(const kith_model *m, const kith_query *q, ki_request *out)
{
    kith_err err;
    *out = (ki_request){ .schema = { .items = &m->items, .popularity = m->popularity } };
    if (m->item_attrs.n_columns > 0) out->schema.table = &m->item_attrs;
    out->schema.context = out->env.context = &out->context;
    out->block = q->block;
    if ((err = ki_phrasebook_find(q->language, &out->language)) == KITH_OK &&
        (err = ki_block_check(q->block, m->core.n_items)) == KITH_OK &&
        (err = read_context(q->context, out)) == KITH_OK &&
        (err = read_filter(q->filter, out)) == KITH_OK &&
        (err = read_wishes(q->wishes, out)) == KITH_OK)
        err = read_pipeline(q->pipeline, out);
    if (err == KITH_OK && out->pipeline.wishes <= 0) drop_wishes(out);
    if (err != KITH_OK) ki_request_clear(out);
    return err;
}

/* ---- narrowing ---- */

static void take_out(uint8_t *mask, const int32_t *items, int32_t n)
{
    for (int32_t j = 0; j < n; j++) mask[items[j]] = 0;
}

static int brings_new(const ki_pipeline *p)
{
    for (int s = 0; s < p->n_sources; s++)
        if (p->sources[s].kind == KI_FROM_NEW) return 1;
    return 0;
}

/* mask = what may be served whatever the filter says. */
static void find_base(const ki_request *r, const kith_model *m, const ki_query *q, uint8_t *mask)
{
    const ki_rules *rules = r->pipeline.rules;
    for (int32_t i = 0; i < m->core.n_items; i++) mask[i] = m->barred == NULL || !m->barred[i];
    take_out(mask, q->skip, q->n_skip);
    if (!brings_new(&r->pipeline) && r->wishes == NULL)
        take_out(mask, m->core.cold, m->core.n_cold);
    for (int32_t i = 0; r->block != NULL && i < m->core.n_items; i++)
        if (ki_block_has(r->block, i)) mask[i] = 0;
    if (rules == NULL) return;
    take_out(mask, rules->block, rules->n_block);
    take_out(mask, rules->exclude, rules->n_exclude);
}

static kith_err count(ki_request *r, const uint8_t *base, int n)
{
    ki_counts counts;
    const kith_err err = ki_filter_count(r->filter, &r->env, base, n, r->language, &counts);
    if (err != KITH_OK) return err;
    const kith_err told = ki_counts_json(&counts, &r->counts);
    ki_counts_clear(&counts);
    return told;
}

static kith_err narrow_by(const ki_filter *f, const ki_env *env, uint8_t *mask, uint8_t *scratch,
                          int32_t n)
{
    const kith_err err = f == NULL ? KITH_OK : ki_filter_run(f, env, scratch);
    for (int32_t i = 0; f != NULL && err == KITH_OK && i < n; i++) mask[i] &= scratch[i];
    return err;
}

kith_err ki_request_narrow(ki_request *r, const kith_model *m, const ki_query *q, int n)
{
    const ki_rules *rules = r->pipeline.rules;
    const int32_t n_items = m->core.n_items;
    uint8_t *mask = NULL, *scratch = NULL;
    kith_err err;
    if (r->filter == NULL && rules == NULL && r->block == NULL && m->barred == NULL) return KITH_OK;
    if ((err = ki_alloc(&mask, (size_t)n_items, 1)) != KITH_OK) goto done;
    if ((err = ki_alloc(&scratch, (size_t)n_items, 1)) != KITH_OK) goto done;
    find_base(r, m, q, mask);
    if (rules != NULL &&
        (err = narrow_by(rules->filter, &r->env, mask, scratch, n_items)) != KITH_OK)
        goto done;
    if (r->filter != NULL && (err = count(r, mask, n)) != KITH_OK) goto done;
    if ((err = narrow_by(r->filter, &r->env, mask, scratch, n_items)) != KITH_OK) goto done;
    if ((err = ki_alloc(&r->only, (size_t)n_items, sizeof *r->only)) != KITH_OK) goto done;
    for (int32_t i = 0; i < n_items; i++) {
        r->only[r->n_only] = i;
        r->n_only += mask[i];
    }
done:
    ki_free(mask);
    ki_free(scratch);
    return err;
}

/* ---- telling ---- */

static void add_notes(json_t *list, const ki_filter *f)
{
    for (int j = 0; f != NULL && j < ki_filter_n_notes(f); j++)
        json_array_append_new(list, json_string(ki_filter_note(f, j)));
}

static json_t *notes(const ki_request *r)
{
    json_t *list = json_array();
    add_notes(list, r->filter);
    for (int w = 0; r->wishes != NULL && w < r->wishes->n_wishes; w++)
        add_notes(list, r->wishes->wishes[w].want);
    return list;
}

static json_t *retrieved(const ki_request *r, const ki_served *served)
{
    json_t *list = json_array();
    for (int s = 0; s < r->pipeline.n_sources; s++)
        json_array_append_new(list, json_integer(served->n_retrieved[s]));
    return list;
}

kith_err ki_request_report(const ki_request *r, const ki_served *served, json_t **out)
{
    json_t *o = json_object();
    int failed = o == NULL;
    if (r->block != NULL)
        failed |=
            json_object_set_new(o, "block", json_pack("{s:i}", "items", r->block->n_blocked)) != 0;
    if (r->counts != NULL) failed |= json_object_set(o, "filter", r->counts) != 0;
    if (served->wished != NULL) failed |= json_object_set(o, "wishes", served->wished) != 0;
    if (r->counts != NULL || served->wished != NULL)
        failed |= json_object_set_new(o, "notes", notes(r)) != 0;
    if (r->pipeline.n_sources > 0)
        failed |= json_object_set_new(o, "retrieved", retrieved(r, served)) != 0;
    if (served->ruled != NULL) failed |= json_object_set(o, "rules", served->ruled) != 0;
    if (json_object_size(o) > 0)
        failed |= json_object_set_new(o, "candidates", json_integer(served->n_candidates)) != 0;
    if (failed) return json_decref(o), ki_fail_memory(0);
    *out = o;
    return KITH_OK;
}

void ki_request_clear(ki_request *r)
{
    ki_filter_free(r->filter);
    ki_pipeline_clear(&r->pipeline);
    drop_wishes(r);
    ki_context_clear(&r->context);
    ki_free(r->only);
    json_decref(r->counts);
    *r = (ki_request){ 0 };
}
