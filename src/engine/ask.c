/* SPDX-License-Identifier: MIT
 * ask.c -- kith_recommend, kith_similar, kith_predict: one question, one answer
 */
#include "engine/ask.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "engine/listing.h"
#include "model/rank.h"

#include <math.h>
#include <string.h>

enum {
    SPOKEN = 3
}; /* terms that a sentence is chosen from, however many reasons are wanted beside it */

struct picks { /* what a question found, before it becomes a list */
    int n;
    int32_t *items; /* [n] best first */
    float *scores;
    int n_spoken, n_reasons; /* width of terms and of largest */
    ki_term *terms;   /* [n, n_spoken] from the greatest down; NULL: no reasons wanted, or nobody's
                       history */
    ki_term *largest; /* [n, n_reasons] by size, whatever the sign */
    int *n_terms;     /* [n] that there are: terms and largest have the first of them */
    double *matches;  /* [n, n_wishes]; NULL: there are no wishes */
};

static void clear_reasons(struct picks *p)
{
    ki_free(p->terms);
    ki_free(p->largest);
    ki_free(p->n_terms);
    ki_free(p->matches);
}

static void clear_picks(struct picks *p)
{
    ki_free(p->items);
    ki_free(p->scores);
    clear_reasons(p);
}

static kith_err make_picks(struct picks *p, int n)
{
    const kith_err err = ki_alloc(&p->items, (size_t)n, sizeof *p->items);
    return err != KITH_OK ? err : ki_alloc(&p->scores, (size_t)n, sizeof *p->scores);
}

/* ---- recommend ---- */

/* The n_out of the n terms that are largest by size: they fall, so these stand at both ends. */
static void take_largest(const ki_term *all, int n, int n_out, ki_term *out)
{
    for (int low = 0, high = n - 1, to = 0; to < n_out; to++)
        out[to] = fabsf(all[low].part) >= fabsf(all[high].part) ? all[low++] : all[high--];
}

/* Terms without what the block list holds: their share goes to the rest.  Returns how many stay. */
static int drop_blocked(const kith_block *block, ki_term *terms, int n)
{
    int to = 0;
    for (int t = 0; t < n; t++)
        if (!ki_block_has(block, terms[t].item)) terms[to++] = terms[t];
    return to;
}

/* The greatest and the largest terms of every picked item. */
static kith_err explain_picks(ki_ranker *r, const ki_query *q, const kith_block *block,
                              struct picks *p)
{
    const size_t n_all = (size_t)p->n * (size_t)p->n_reasons,
                 n_spoken = (size_t)p->n * (size_t)p->n_spoken;
    ki_term *all = NULL;
    kith_err err;
    if ((err = ki_alloc(&all, (size_t)q->n, sizeof *all)) != KITH_OK) return err;
    if ((err = ki_alloc(&p->terms, n_spoken, sizeof *all)) != KITH_OK) goto done;
    if ((err = ki_alloc(&p->largest, n_all, sizeof *all)) != KITH_OK) goto done;
    if ((err = ki_alloc(&p->n_terms, (size_t)p->n, sizeof *p->n_terms)) != KITH_OK) goto done;
    for (int j = 0; j < p->n; j++) {
        int n = 0;
        if ((err = ki_ranker_explain(r, q, p->items[j], all, &n)) != KITH_OK) goto done;
        n = drop_blocked(block, all, n);
        const size_t at = (size_t)j * (size_t)p->n_spoken;
        p->n_terms[j] = n;
        for (int t = 0; t < KI_MIN(n, p->n_spoken); t++) p->terms[at + (size_t)t] = all[t];
        take_largest(all, n, KI_MIN(n, p->n_reasons),
                     p->largest + (size_t)j * (size_t)p->n_reasons);
    }
done:
    ki_free(all);
    return err;
}

static kith_err explain(const kith_model *m, const ki_asked *a, const kith_block *block,
                        struct picks *p)
{
    ki_ranker *r = NULL;
    if (p->n_reasons == 0 || p->n == 0) return KITH_OK;
    kith_err err = ki_ranker_new(&m->core, 1, 1, &r);
    if (err == KITH_OK) err = explain_picks(r, &a->query, block, p);
    ki_ranker_free(r);
    return err;
}

/* How far each item meets each wish. */
static kith_err match(const ki_request *r, struct picks *p)
{
    const size_t n = r->wishes == NULL ? 0 : (size_t)r->wishes->n_wishes;
    kith_err err = n == 0 ? KITH_OK : ki_alloc(&p->matches, (size_t)p->n * n, sizeof *p->matches);
    for (int j = 0; n > 0 && err == KITH_OK && j < p->n; j++)
        err = ki_knowledge_match(r->wishes, &r->env, p->items[j], p->matches + (size_t)j * n);
    return err;
}

/* Put the question through filter and stages; what they found becomes picks. */
static kith_err pick(const kith_model *m, ki_asked *a, ki_request *r, uint64_t seed,
                     ki_served *served)
{
    const ki_task task = { .query = &a->query,
                           .by_popularity = ki_asked_is_unknown(a),
                           .n = a->n,
                           .seed = seed,
                           .env = &r->env,
                           .wishes = r->wishes };
    const kith_err err = ki_request_narrow(r, m, &a->query, a->n);
    if (err != KITH_OK) return err;
    a->query.only = r->only;
    a->query.n_only = r->n_only;
    return ki_pipeline_run(&r->pipeline, m, &task, served);
}

static kith_err list(const kith_model *m, const kith_query *query, const ki_asked *a,
                     const ki_request *r, const ki_served *served, kith_list **out)
{
    struct picks p = { .n = served->n, .items = served->items, .scores = served->scores };
    json_t *report = NULL;
    char *text = NULL;
    p.n_reasons = ki_asked_is_unknown(a) ? 0 : KI_MIN(query->n_reasons, a->query.n);
    p.n_spoken = p.n_reasons == 0 ? 0 : KI_MIN((int)SPOKEN, a->query.n);
    kith_err err = explain(m, a, r->block, &p);
    const char *told = served->n >= a->n ? r->told : NULL;
    if (err == KITH_OK) err = match(r, &p);
    if (err == KITH_OK && told == NULL) err = ki_request_report(r, served, &report);
    if (err == KITH_OK && json_object_size(report) > 0)
        err = ki_json_print(json_incref(report), &text);
    if (err == KITH_OK) {
        const ki_listing l = { .m = m,
                               .query = &a->query,
                               .basis = a->basis,
                               .note = a->note,
                               .language = a->language,
                               .report = told != NULL   ? told
                                         : text != NULL ? text
                                                        : "",
                               .n = p.n,
                               .items = p.items,
                               .scores = p.scores,
                               .propensity = served->propensity,
                               .n_reasons =
                                   p.terms != NULL ? p.n_reasons : KI_MIN(query->n_reasons, 1),
                               .terms = p.terms,
                               .n_spoken = p.n_spoken,
                               .largest = p.largest,
                               .n_terms = p.n_terms,
                               .wishes = r->wishes,
                               .matches = p.matches };
        err = ki_listing_make(&l, out);
    }
    json_decref(report);
    kith_string_free(text);
    clear_reasons(&p);
    return err;
}

kith_err ki_ask_list(const kith_model *m, const kith_query *query, ki_asked *a, ki_request *r,
                     uint64_t seed, kith_list **out)
{
    ki_served served = { 0 };
    kith_err err = pick(m, a, r, seed, &served);
    if (err == KITH_OK) err = list(m, query, a, r, &served, out);
    ki_served_clear(&served);
    return err;
}

kith_err kith_recommend(kith *k, const kith_model *model, const kith_query *query, kith_list **out)
{
    ki_request r;
    ki_asked a;
    kith_err err;
    if (k == NULL || model == NULL || query == NULL || out == NULL)
        return ki_fail(KITH_EINVAL,
                       "kith_recommend: context, model, query and out must not be NULL");
    if ((err = ki_asked_make(model, query, NULL, &a)) != KITH_OK) return err;
    if ((err = ki_request_read(model, query, &r)) == KITH_OK) {
        err = ki_ask_list(model, query, &a, &r, ki_context_job(k)->seed, out);
        ki_request_clear(&r);
    }
    ki_asked_clear(&a);
    return err;
}

/* ---- similar ---- */

/* Strike out what is blocked; returns how many of the n found stay, at most `most`. */
static int allow(const kith_block *block, struct picks *p, int n, int most)
{
    int to = 0;
    for (int j = 0; j < n && to < most; j++) {
        if (ki_block_has(block, p->items[j])) continue;
        p->items[to] = p->items[j];
        p->scores[to++] = p->scores[j];
    }
    return to;
}

/* So many more are looked for as are blocked, so that a list is short only when there is no more. */
static kith_err similar(const kith_model *m, int32_t item, int n, const kith_block *block,
                        kith_list **out)
{
    const int most = KI_MIN(n + (block == NULL ? 0 : block->n_blocked), m->core.n_items);
    struct picks p = { 0 };
    ki_ranker *r = NULL;
    json_t *report = NULL;
    char *text = NULL;
    int32_t found = 0;
    kith_err err;
    if ((err = make_picks(&p, most)) != KITH_OK) goto done;
    if ((err = ki_ranker_new(&m->core, most, 1, &r)) != KITH_OK) goto done;
    if ((err = ki_ranker_similar(r, item, p.items, p.scores, &found)) != KITH_OK) goto done;
    if (block != NULL) {
        report = json_pack("{s:{s:i}}", "block", "items", block->n_blocked);
        if ((err = ki_json_print(report, &text)) != KITH_OK) goto done;
    }
    const ki_listing l = { .m = m,
                           .basis = KI_BASIS_ITEM,
                           .note = "",
                           .report = text == NULL ? "" : text,
                           .n = allow(block, &p, found, n),
                           .items = p.items,
                           .scores = p.scores };
    err = ki_listing_make(&l, out);
done:
    ki_ranker_free(r);
    kith_string_free(text);
    clear_picks(&p);
    return err;
}

kith_err kith_similar_with(kith *k, const kith_model *model, const char *item_id,
                           const kith_query *query, kith_list **out)
{
    int32_t item;
    int n;
    kith_err err;
    if (k == NULL || model == NULL || item_id == NULL || query == NULL || out == NULL)
        return ki_fail(KITH_EINVAL,
                       "kith_similar: context, model, item_id, query and out must not be NULL");
    if ((err = ki_asked_count(model, query->n, &n)) != KITH_OK) return err;
    if ((err = ki_asked_id(&model->items, "item", item_id, &item)) != KITH_OK) return err;
    if ((err = ki_block_check(query->block, model->core.n_items)) != KITH_OK) return err;
    return similar(model, item, n, query->block, out);
}

kith_err kith_similar(kith *k, const kith_model *model, const char *item_id, int n, kith_list **out)
{
    return kith_similar_with(k, model, item_id, &(kith_query){ .n = n }, out);
}

/* ---- predict ---- */

kith_prediction ki_ask_fallback(const ki_model *m)
{
    const double mean = ki_model_rates(m) ? m->mean : 0;
    return (kith_prediction){
        .value = mean, .raw = mean, .is_rating = ki_model_rates(m), .is_fallback = 1
    };
}

kith_err ki_ask_predict(const ki_model *m, const ki_query *q, int32_t item, kith_prediction *out)
{
    ki_ranker *r = NULL;
    float raw = 0;
    uint8_t supported = 0;
    kith_err err = ki_ranker_new(m, 1, 1, &r);
    if (err != KITH_OK) return err;
    if ((err = ki_ranker_predict(r, q, &item, 1, &raw, &supported)) == KITH_OK) {
        const float clipped = ki_model_rates(m) ? KI_MAX(m->min, KI_MIN(m->max, raw)) : raw;
        *out = (kith_prediction){ .value = (double)clipped,
                                  .raw = (double)raw,
                                  .is_rating = ki_model_rates(m),
                                  .is_fallback = !supported };
        if (!isfinite(raw)) *out = ki_ask_fallback(m);
    }
    ki_ranker_free(r);
    return err;
}

/* u == -1: somebody of whom nothing is known; what the model has without a history, as evaluation
 * takes it. */
static kith_err predict_item(const ki_model *m, int32_t u, int32_t item, kith_prediction *out)
{
    const ki_query q = u >= 0 ? ki_query_user(m, u) : (ki_query){ .user = -1 };
    const kith_err err = ki_ask_predict(m, &q, item, out);
    if (err == KITH_OK && u < 0) out->is_fallback = 1;
    return err;
}

kith_err kith_predict(kith *k, const kith_model *model, const char *user_id, const char *item_id,
                      kith_prediction *out)
{
    if (k == NULL || model == NULL || user_id == NULL || item_id == NULL || out == NULL)
        return ki_fail(KITH_EINVAL,
                       "kith_predict: context, model, user_id, item_id and out must not be NULL");
    const int32_t u = ki_idmap_find(&model->users, user_id, strlen(user_id));
    const int32_t i = ki_idmap_find(&model->items, item_id, strlen(item_id));
    kith_prediction made = ki_ask_fallback(&model->core);
    const kith_err err = i < 0 ? KITH_OK : predict_item(&model->core, u, i, &made);
    if (err != KITH_OK) return err;
    made.unknown_user = u < 0;
    made.unknown_item = i < 0;
    *out = made;
    return KITH_OK;
}
