/* SPDX-License-Identifier: MIT
 * why.c -- kith_why_not: the facts about one item, from the same stages that make the list
 */
#include "engine/ask.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "engine/whynot.h"

#include <math.h>
#include <string.h>

struct asking {
    const kith_model *m;
    const kith_query *query;
    ki_asked *a;
    ki_request *r;
    uint64_t seed;
    ki_task task;
};

static int64_t place_of(const int32_t *items, int n, int32_t item)
{
    for (int j = 0; j < n; j++)
        if (items[j] == item) return j + 1;
    return 0;
}

/* Where the item stands before rules, diversity and lots: the stages without them, to the end. */
static kith_err find_rank(const struct asking *w, int32_t item, ki_item_facts *f)
{
    ki_pipeline plain = w->r->pipeline;
    ki_task all = w->task;
    ki_served served;
    ki_ruled ruled;
    plain.rules = NULL;
    plain.spread = KI_SPREAD_NONE;
    plain.explore = 0;
    all.n = w->m->core.n_items;
    kith_err err = ki_pipeline_run(&plain, w->m, &all, &served);
    if (err != KITH_OK) return err;
    f->rank = place_of(served.items, served.n, item);
    if (f->rank > 0) f->score = (double)served.scores[f->rank - 1];
    if (f->rank > 0 && f->rules != NULL &&
        (err = ki_rules_apply(f->rules, f->env, served.items, served.scores, served.n, w->a->n,
                              &ruled)) == KITH_OK) {
        f->capped_by = ruled.capped_by[f->rank - 1];
        ki_ruled_clear(&ruled);
    }
    ki_served_clear(&served);
    return err;
}

static kith_err find_place(const struct asking *w, int32_t item, ki_item_facts *f)
{
    ki_served served;
    const kith_err err = ki_pipeline_run(&w->r->pipeline, w->m, &w->task, &served);
    if (err != KITH_OK) return err;
    f->position = place_of(served.items, served.n, item);
    f->last_score = served.n == w->a->n ? (double)served.scores[served.n - 1] : NAN;
    ki_served_clear(&served);
    return KITH_OK;
}

static int is_listed(const char *const *ids, int n, const char *id)
{
    for (int j = 0; j < n; j++)
        if (strcmp(ids[j], id) == 0) return 1;
    return 0;
}

static kith_err find_facts(const struct asking *w, const char *item_id, ki_item_facts *f)
{
    const int32_t item = ki_idmap_find(&w->m->items, item_id, strlen(item_id));
    kith_err err;
    *f = (ki_item_facts){ .item_id = item_id,
                          .language = w->a->language,
                          .filter = w->r->filter,
                          .env = &w->r->env,
                          .rules = w->r->pipeline.rules,
                          .capped_by = -1,
                          .k = w->a->n,
                          .last_score = NAN };
    if (item < 0) return KITH_OK;
    f->excluded = is_listed(w->query->exclude, w->query->n_exclude, item_id);
    if (ki_block_has(w->r->block, item))
        f->blocked_by = w->r->block->entries[w->r->block->by[item]].text;
    f->seen = !w->query->include_seen && place_of(w->a->seen, w->a->n_seen, item) > 0;
    f->unlearnt = place_of(w->m->core.cold, w->m->core.n_cold, item) > 0;
    f->hidden = w->m->barred != NULL && w->m->barred[item];
    if ((err = find_rank(w, item, f)) != KITH_OK) return err;
    return find_place(w, item, f);
}

static kith_err judge(struct asking *w, const char *item_id, char **json)
{
    ki_item_facts facts;
    ki_verdict verdict;
    json_t *o = NULL;
    kith_err err;
    w->task = (ki_task){ .query = &w->a->query,
                         .by_popularity = ki_asked_is_unknown(w->a),
                         .n = w->a->n,
                         .seed = w->seed,
                         .env = &w->r->env,
                         .wishes = w->r->wishes };
    if ((err = ki_request_narrow(w->r, w->m, &w->a->query, w->a->n)) != KITH_OK) return err;
    w->a->query.only = w->r->only;
    w->a->query.n_only = w->r->n_only;
    if ((err = find_facts(w, item_id, &facts)) != KITH_OK) return err;
    if ((err = ki_why_not(&w->r->schema, &facts, &verdict)) != KITH_OK) return err;
    if ((err = ki_verdict_json(&verdict, &facts, &o)) == KITH_OK) err = ki_json_print(o, json);
    ki_verdict_clear(&verdict);
    return err;
}

kith_err ki_ask_why_not(const kith_model *m, const kith_query *query, ki_asked *a, ki_request *r,
                        uint64_t seed, const char *item_id, char **json)
{
    struct asking w = { .m = m, .query = query, .a = a, .r = r, .seed = seed };
    return judge(&w, item_id, json);
}

kith_err kith_why_not(kith *k, const kith_model *model, const kith_query *query,
                      const char *item_id, char **json)
{
    ki_asked a;
    ki_request r;
    kith_err err;
    if (k == NULL || model == NULL || query == NULL || item_id == NULL || json == NULL)
        return ki_fail(KITH_EINVAL,
                       "kith_why_not: context, model, query, item_id and json must not be NULL");
    if ((err = ki_asked_make(model, query, NULL, &a)) != KITH_OK) return err;
    if ((err = ki_request_read(model, query, &r)) == KITH_OK) {
        err = ki_ask_why_not(model, query, &a, &r, model->core.seed, item_id, json);
        ki_request_clear(&r);
    }
    ki_asked_clear(&a);
    return err;
}
