/* SPDX-License-Identifier: MIT
 * routes_ask.c -- questions: lists for people, what is like what, charts, search, why and why not
 */
#include "serve/bodies.h"
#include "serve/routes.h"

#include "base/mem.h"
#include "serve/jsonwrite.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is asked ---- */

static const ki_shape one_id = { .kind = KI_IS_ID, .max = 256 };
static const ki_shape one_number = { .kind = KI_IS_NUMBER };
static const char *const unknown_words[] = { "popular", "error", NULL };

#define NUMBER_OR_SCENARIO                                                                         \
    {                                                                                              \
        .name = "n", .kind = KI_IS_WHOLE, .about = "how many (10, or what the scenario says)",     \
        .min = 1, .max = 1000                                                                      \
    }
#define NUMBER_WANTED                                                                              \
    {                                                                                              \
        .name = "n", .kind = KI_IS_WHOLE, .about = "how many", .min = 1, .max = 1000, .init = "10" \
    }
#define FILTER_WANTED                                                                              \
    {                                                                                              \
        .name = "filter", .kind = KI_IS_TEXT,                                                      \
        .about = "only items for which this is true: genres has \"Drama\" and year >= 1990",       \
        .max = 65536                                                                               \
    }
#define EXCLUDE_WANTED                                                                             \
    {                                                                                              \
        .name = "exclude", .kind = KI_IS_LIST, .about = "never these", KI_EACH(one_id),            \
        .max = 10000                                                                               \
    }

/* Few entries: they are looked for in the whole catalogue while the request waits. */
#define BLOCK_WANTED                                                                               \
    {                                                                                              \
        .name = "block", .kind = KI_IS_LIST,                                                       \
        .about = "never what an entry of it holds: words, column: words, or id: ITEM; beside the " \
                 "list of the service and of the scenario",                                        \
        KI_EACH(ki_shape_block_entry), .max = 100                                                  \
    }

/* In a query: what a target has room for. */
#define FILTER_IN_QUERY                                                                            \
    {                                                                                              \
        .name = "filter", .kind = KI_IS_TEXT, .about = "as in recommend", .max = 4096              \
    }
#define EXCLUDE_IN_QUERY                                                                           \
    {                                                                                              \
        .name = "exclude", .kind = KI_IS_LIST, .about = "never these", KI_EACH(one_id),            \
        .max = 1000                                                                                \
    }

static const ki_shape a_wish[] = {
    { .name = "user_id", .kind = KI_IS_ID, .about = "for this user", .max = 256 },
    { .name = "liked",
      .kind = KI_IS_LIST,
      .about = "or for somebody who likes these items",
      KI_EACH(one_id),
      .max = 10000 },
    { .name = "liked_values",
      .kind = KI_IS_LIST,
      .about = "what they got, in the same order (the best value)",
      KI_EACH(one_number),
      .max = 10000 },
    { .name = "session",
      .kind = KI_IS_LIST,
      .about = "items of this visit, oldest first: alone, or beside user_id",
      KI_EACH(one_id),
      .max = 1000 },
    { .name = "text",
      .kind = KI_IS_TEXT,
      .about = "what somebody says of themselves or wants: alone, or beside the others",
      .max = 10000 },
    NUMBER_OR_SCENARIO,
    FILTER_WANTED,
    { .name = "wishes",
      .kind = KI_IS_LIST,
      .about = "what a good item is like, met by degrees: \"price <= 1200\", \"3: ram >= 16\", or "
               "{want, weight}; the list goes by them",
      KI_EACH(ki_shape_one_wish),
      .max = 64 },
    { .name = "context",
      .kind = KI_IS_OPEN,
      .about = "values of the $names of filter and wishes, and now" },
    { .name = "pipeline",
      .kind = KI_IS_OPEN,
      .about = "sources, ranker, rules, diversity and exploration" },
    { .name = "scenario",
      .kind = KI_IS_NAME,
      .about = "supplies what is not said here; filters of both hold",
      .max = 256 },
    BLOCK_WANTED,
    { .name = "language",
      .kind = KI_IS_NAME,
      .about = "of reasons and notes: de, en, es, fr, it, pt (what Accept-Language says)",
      .max = 32 },
    EXCLUDE_WANTED,
    { .name = "include_seen", .kind = KI_IS_FLAG, .about = "items of the history may be listed" },
    { .name = "reasons",
      .kind = KI_IS_WHOLE,
      .about = "most items of the history named per item (0: no reasons)",
      .min = 0,
      .max = 10 },
    { .name = "on_unknown",
      .kind = KI_IS_TEXT,
      .about = "an unknown user gets popular items, or 404",
      .words = unknown_words },
    { .name = "log", .kind = KI_IS_FLAG, .about = "write the list into the journal" },
};
static const ki_shape wish = { .kind = KI_IS_OBJECT,
                               KI_INSIDE(a_wish),
                               .type = "RecommendRequest",
                               .example = "{\"user_id\": \"ann\", \"n\": 10, \"reasons\": 3}" };

static const ki_shape a_simple_wish[] = {
    NUMBER_OR_SCENARIO,
    FILTER_IN_QUERY,
    { .name = "scenario", .kind = KI_IS_NAME, .about = "supplies what is not said", .max = 256 },
    BLOCK_WANTED,
    { .name = "language",
      .kind = KI_IS_NAME,
      .about = "of reasons and notes: de, en, es, fr, it, pt (what Accept-Language says)",
      .max = 32 },
    EXCLUDE_IN_QUERY,
    { .name = "include_seen", .kind = KI_IS_FLAG, .about = "items of the history may be listed" },
    { .name = "reasons", .kind = KI_IS_WHOLE, .about = "as in recommend", .min = 0, .max = 10 },
};
static const ki_shape simple_wish = { .kind = KI_IS_OBJECT, KI_INSIDE(a_simple_wish) };

static const ki_shape by_rec_id[] = {
    { .name = "rec_id", .kind = KI_IS_TEXT, .required = 1, .about = "of a list", .max = 64 },
};
static const ki_shape rec_path = { .kind = KI_IS_OBJECT, KI_INSIDE(by_rec_id) };
static const ki_shape a_page[] = {
    { .name = "page",
      .kind = KI_IS_WHOLE,
      .about = "1 is what was shown",
      .min = 1,
      .max = 1000,
      .init = "2" },
};
static const ki_shape page_query = { .kind = KI_IS_OBJECT, KI_INSIDE(a_page) };

/* ---- recommend ---- */

/* A new reference: the request in the caller's language, unless it names one; sentences are in English without. */
static json_t *in_language(ki_call *c, const json_t *request)
{
    const char *language =
        json_object_get(request, "language") == NULL ? ki_call_language(c) : NULL;
    const int is_usual = language == NULL || (strcmp(language, "en") == 0 &&
                                              json_object_get(request, "scenario") == NULL);
    if (is_usual) return json_incref((json_t *)request);
    json_t *own = json_copy((json_t *)request);
    json_object_set_new(own, "language", json_string(language));
    return own;
}

static kith_err answer(ki_call *c, const json_t *asked)
{
    ki_text reply = { 0 };
    json_t *request = in_language(c, asked);
    const kith_err err = ki_service_recommend(ki_call_service(c), request, &reply);
    json_decref(request);
    if (err == KITH_OK) return ki_reply_written(c, &reply);
    ki_text_clear(&reply);
    return err;
}

static kith_err recommend(ki_call *c)
{
    const char *user = ki_call_text(c, "user_id");
    const kith_err err = ki_call_speaks_for(c, user);
    return err == KITH_OK ? answer(c, ki_call_body(c)) : err;
}

/* The parameters as a body of the other call. */
static kith_err recommend_simply(ki_call *c)
{
    static const char *const names[] = { "n",        "filter",  "scenario",     "block",
                                         "language", "exclude", "include_seen", "reasons" };
    json_t *request = json_object();
    json_object_set_new(request, "user_id", json_string(ki_call_text(c, "user_id")));
    for (size_t j = 0; j < KI_COUNT(names); j++) {
        const json_t *v = ki_call_value(c, names[j]);
        if (v != NULL) json_object_set(request, names[j], (json_t *)v);
    }
    const kith_err err = request == NULL ? ki_fail_memory(64) : answer(c, request);
    json_decref(request);
    return err;
}

static kith_err page(ki_call *c)
{
    ki_text reply = { 0 };
    const kith_err err =
        ki_service_page(ki_call_service(c), ki_call_text(c, "rec_id"),
                        (int)ki_call_number(c, "page"), ki_call_caller(c)->user, &reply);
    if (err == KITH_OK) return ki_reply_written(c, &reply);
    ki_text_clear(&reply);
    if (err == KITH_EINVAL) /* of the question, which was a good one when the list was made */
        return ki_call_refuse(c, 409, err, "the list cannot be gone on with, ask anew: %s",
                              kith_last_error());
    return err;
}

/* ---- lists of the engine ---- */

struct left_out {    /* what a list is asked without */
    const char **at; /* [n] items */
    int n;
    json_t *block; /* text; NULL: none */
};

static kith_err take_left_out(ki_call *c, struct left_out *out)
{
    const json_t *list = ki_call_value(c, "exclude");
    const size_t n = json_array_size(list);
    *out = (struct left_out){ .block = ki_service_block_text(ki_call_service(c)) };
    if (n == 0) return KITH_OK;
    const kith_err err = ki_alloc(&out->at, n, sizeof *out->at);
    for (size_t j = 0; err == KITH_OK && j < n; j++) {
        const char *id = json_string_value(json_array_get(list, j));
        if (id != NULL) out->at[out->n++] = id;
    }
    return err;
}

static void clear_left_out(struct left_out *o)
{
    ki_free(o->at);
    json_decref(o->block);
}

static kith_err reply_list(ki_call *c, kith_list *list)
{
    ki_text t = { 0 };
    ki_text_say(&t, "{");
    ki_write_list(&t, list);
    ki_text_say(&t, "}");
    kith_list_free(list);
    return ki_reply_written(c, &t);
}

static ki_live_query query_of(ki_call *c, const struct left_out *o)
{
    return (ki_live_query){ .query = { .n = (int)ki_call_number(c, "n"),
                                       .filter = ki_call_text(c, "filter"),
                                       .exclude = o->at,
                                       .n_exclude = o->n },
                            .block = json_string_value(o->block) };
}

static kith_err similar(ki_call *c)
{
    kith_list *list = NULL;
    struct left_out out;
    kith_err err = take_left_out(c, &out);
    const ki_live_query q = query_of(c, &out);
    if (err == KITH_OK)
        err = ki_live_similar(ki_service_live(ki_call_service(c)), ki_call_text(c, "item_id"), &q,
                              &list);
    clear_left_out(&out);
    return err == KITH_OK ? reply_list(c, list) : err;
}

static kith_err reply_users(ki_call *c, kith_list *list)
{
    ki_text t = { 0 };
    ki_text_say(&t, "{\"users\":[");
    for (int j = 0; j < list->n; j++) {
        ki_write_next(&t);
        ki_text_say(&t, "{");
        ki_write_key(&t, "user_id");
        ki_write_string(&t, list->items[j].item_id);
        ki_write_key(&t, "score");
        ki_write_number(&t, list->items[j].score);
        ki_text_say(&t, "}");
    }
    ki_text_say(&t, "]}");
    kith_list_free(list);
    return ki_reply_written(c, &t);
}

static kith_err similar_users(ki_call *c)
{
    kith_list *list = NULL;
    const kith_err err =
        ki_live_similar_users(ki_service_live(ki_call_service(c)), ki_call_text(c, "user_id"),
                              (int)ki_call_number(c, "n"), &list);
    return err == KITH_OK ? reply_users(c, list) : err;
}

static kith_err chart(ki_call *c, ki_chart which)
{
    kith_list *list = NULL;
    struct left_out out;
    kith_err err = take_left_out(c, &out);
    ki_live_query q = query_of(c, &out);
    q.query.user = ki_call_text(c, "user_id");
    if (err == KITH_OK) err = ki_live_chart(ki_service_live(ki_call_service(c)), which, &q, &list);
    clear_left_out(&out);
    return err == KITH_OK ? reply_list(c, list) : err;
}

static kith_err popular(ki_call *c)
{
    return chart(c, KI_CHART_POPULAR);
}

static kith_err trending(ki_call *c)
{
    return chart(c, KI_CHART_TRENDING);
}

static kith_err latest(ki_call *c)
{
    return chart(c, KI_CHART_LATEST);
}

static kith_err search(ki_call *c)
{
    kith_list *list = NULL;
    struct left_out out;
    kith_err err = take_left_out(c, &out);
    const ki_live_query q = query_of(c, &out);
    if (err == KITH_OK)
        err = ki_live_search(ki_service_live(ki_call_service(c)), ki_call_text(c, "q"), &q, &list);
    clear_left_out(&out);
    return err == KITH_OK ? reply_list(c, list) : err;
}

static kith_err predict(ki_call *c)
{
    kith_prediction p;
    const kith_err err =
        ki_live_predict(ki_service_live(ki_call_service(c)), ki_call_text(c, "user_id"),
                        ki_call_text(c, "item_id"), &p);
    if (err != KITH_OK) return err;
    return ki_reply_json(
        c, json_pack("{s:s, s:s, s:f, s:f, s:b, s:b, s:b, s:b}", "user_id",
                     ki_call_text(c, "user_id"), "item_id", ki_call_text(c, "item_id"), "value",
                     p.value, "raw", p.raw, "is_rating", p.is_rating, "is_fallback", p.is_fallback,
                     "unknown_user", p.unknown_user, "unknown_item", p.unknown_item));
}

/* ---- why ---- */

static kith_err explain(ki_call *c)
{
    ki_text reply = { 0 };
    const kith_err err = ki_service_explain(
        ki_call_service(c), ki_call_text(c, "user_id"), ki_call_text(c, "item_id"),
        (int)ki_call_number(c, "reasons"), ki_call_language(c), &reply);
    if (err == KITH_OK) return ki_reply_written(c, &reply);
    ki_text_clear(&reply);
    return err;
}

static kith_err why_not(ki_call *c)
{
    char *verdict = NULL;
    const char *item = ki_call_text(c, "item_id");
    json_t *own = in_language(c, ki_call_body(c)), *request = json_copy(own);
    json_decref(own);
    json_object_del(request, "item_id");
    kith_err err = ki_service_why_not(ki_call_service(c), request, item, &verdict);
    json_decref(request);
    if (err != KITH_OK) return err;
    json_t *o = json_loads(verdict, 0, NULL);
    kith_string_free(verdict);
    return ki_reply_json(c, o);
}

static const ki_shape a_question[] = {
    { .name = "item_id", .kind = KI_IS_ID, .required = 1, .about = "this item", .max = 256 },
    { .name = "user_id", .kind = KI_IS_ID, .about = "for this user", .max = 256 },
    { .name = "liked",
      .kind = KI_IS_LIST,
      .about = "or for somebody who likes these items",
      KI_EACH(one_id),
      .max = 10000 },
    NUMBER_OR_SCENARIO,
    FILTER_WANTED,
    BLOCK_WANTED,
    EXCLUDE_WANTED,
    { .name = "wishes",
      .kind = KI_IS_LIST,
      .about = "as in recommend",
      KI_EACH(ki_shape_one_wish),
      .max = 64 },
    { .name = "context", .kind = KI_IS_OPEN, .about = "values of the filter's $names, and now" },
    { .name = "pipeline", .kind = KI_IS_OPEN, .about = "as in recommend" },
    { .name = "scenario", .kind = KI_IS_NAME, .about = "as in recommend", .max = 256 },
    { .name = "language",
      .kind = KI_IS_NAME,
      .about = "of the sentence: de, en, es, fr, it, pt (what Accept-Language says)",
      .max = 32 },
    { .name = "include_seen", .kind = KI_IS_FLAG, .about = "as in recommend" },
};
static const ki_shape question = { .kind = KI_IS_OBJECT,
                                   KI_INSIDE(a_question),
                                   .type = "WhyNotRequest",
                                   .example = "{\"user_id\": \"ann\", \"item_id\": \"i1\"}" };
static const char *const verdict_words[] = { "unknown", "hidden",   "blocked",   "excluded",
                                             "seen",    "filtered", "no_source", "capped",
                                             "below",   "shown",    NULL };
static const ki_shape a_verdict[] = {
    { .name = "item", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "why", .kind = KI_IS_TEXT, .required = 1, .words = verdict_words },
    { .name = "sentence", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "entry", .kind = KI_IS_TEXT, .about = "of the block list, where that holds it" },
    { .name = "clauses", .kind = KI_IS_WHOLE, .about = "of the filter that are not true for it" },
    { .name = "rank", .kind = KI_IS_WHOLE, .about = "among all candidates, from 1" },
    { .name = "score", .kind = KI_IS_NUMBER },
    { .name = "position", .kind = KI_IS_WHOLE, .about = "in the list, where it is shown" },
    { .name = "needs", .kind = KI_IS_NUMBER, .about = "score that it lacks to the last one shown" },
};
static const ki_shape verdict = { .kind = KI_IS_OBJECT, KI_INSIDE(a_verdict), .type = "Verdict" };
static const ki_shape a_count_of_reasons[] = {
    { .name = "reasons",
      .kind = KI_IS_WHOLE,
      .about = "most items of the history that are named",
      .min = 1,
      .max = 10,
      .init = "5" },
};
static const ki_shape reasons_query = { .kind = KI_IS_OBJECT, KI_INSIDE(a_count_of_reasons) };
static const ki_shape a_narrow_wish[] = { NUMBER_WANTED, FILTER_IN_QUERY, EXCLUDE_IN_QUERY };
static const ki_shape narrow_query = { .kind = KI_IS_OBJECT, KI_INSIDE(a_narrow_wish) };
static const ki_shape a_chart[] = { NUMBER_WANTED,
                                    FILTER_IN_QUERY,
                                    EXCLUDE_IN_QUERY,
                                    { .name = "user_id",
                                      .kind = KI_IS_ID,
                                      .about = "leaves out what this user has already",
                                      .max = 256 } };
static const ki_shape chart_query = { .kind = KI_IS_OBJECT, KI_INSIDE(a_chart) };
static const ki_shape a_search[] = {
    { .name = "q",
      .kind = KI_IS_NAME,
      .required = 1,
      .about = "words of a title, or an id",
      .example = "\"vertigo\"",
      .max = 1000 },
    NUMBER_WANTED,
    FILTER_IN_QUERY,
};
static const ki_shape search_query = { .kind = KI_IS_OBJECT, KI_INSIDE(a_search) };
static const ki_shape a_number[] = { NUMBER_WANTED };
static const ki_shape number_query = { .kind = KI_IS_OBJECT, KI_INSIDE(a_number) };

static const ki_shape a_prediction[] = {
    { .name = "user_id", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "item_id", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "value",
      .kind = KI_IS_NUMBER,
      .required = 1,
      .about = "a rating on the scale of the data when is_rating, else a preference" },
    { .name = "raw", .kind = KI_IS_NUMBER, .required = 1, .about = "before it was clipped" },
    { .name = "is_rating", .kind = KI_IS_FLAG, .required = 1 },
    { .name = "is_fallback",
      .kind = KI_IS_FLAG,
      .required = 1,
      .about = "user or item is unknown: a mean" },
    { .name = "unknown_user", .kind = KI_IS_FLAG, .required = 1 },
    { .name = "unknown_item", .kind = KI_IS_FLAG, .required = 1 },
};
static const ki_shape prediction = { .kind = KI_IS_OBJECT,
                                     KI_INSIDE(a_prediction),
                                     .type = "Prediction" };
static const ki_shape a_neighbour[] = {
    { .name = "user_id", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "score", .kind = KI_IS_NUMBER, .required = 1, .about = "cosine of the histories" },
};
static const ki_shape neighbour = { .kind = KI_IS_OBJECT,
                                    KI_INSIDE(a_neighbour),
                                    .type = "SimilarUser" };
static const ki_shape some_neighbours[] = {
    { .name = "users",
      .kind = KI_IS_LIST,
      .required = 1,
      .about = "most alike first",
      KI_EACH(neighbour) },
};
static const ki_shape neighbours = { .kind = KI_IS_OBJECT,
                                     KI_INSIDE(some_neighbours),
                                     .type = "SimilarUsers" };
static const ki_link to_pages[] = { { "page_of_list", "rec_id", "/rec_id" }, { NULL, NULL, NULL } };

static const ki_route routes[] = {
    { "POST", "/v1/recommend", "recommend", "The best items for somebody",
      "For a user, for somebody who likes some items or says what they want, for a visit.  The "
      "list "
      "is made from what is true now: whatever was acknowledged before is in it.",
      KI_ROLE_PUBLIC, KI_ROUTE_QUICK | KI_ROUTE_LOOKS_UP, .body = &wish, .reply = &ki_shape_list,
      .run = recommend, .links = to_pages, .slow_with = "block" },
    { "GET", "/v1/recommend/{user_id}", "recommend_for_user", "The best items for a user", NULL,
      KI_ROLE_PUBLIC, .path_shape = &ki_shape_user_path, .query_shape = &simple_wish,
      .reply = &ki_shape_list, .run = recommend_simply, .links = to_pages, .slow_with = "block" },
    { "GET", "/v1/lists/{rec_id}", "page_of_list", "A further page of a list",
      "The rest of a list is frozen when its second page is asked for: pages neither repeat nor "
      "skip an item; what may no longer be shown is left out.  409 when its question can no longer "
      "be answered: the model in force now reads no texts.  A scenario counts as it was when the "
      "list was made.",
      KI_ROLE_PUBLIC, KI_ROUTE_CONFLICTS, .path_shape = &rec_path, .query_shape = &page_query,
      .reply = &ki_shape_list, .run = page },
    { "GET", "/v1/items/{item_id}/similar", "similar_items", "The items most like one", NULL,
      KI_ROLE_READ, .path_shape = &ki_shape_item_path, .query_shape = &narrow_query,
      .reply = &ki_shape_list, .run = similar },
    { "GET", "/v1/users/{user_id}/similar", "similar_users", "The users most like one", NULL,
      KI_ROLE_READ, .path_shape = &ki_shape_user_path, .query_shape = &number_query,
      .reply = &neighbours, .run = similar_users },
    { "GET", "/v1/predict/{user_id}/{item_id}", "predict", "What a user would think of an item",
      "An unknown user or item is no failure: the reply says so.", KI_ROLE_READ,
      .path_shape = &ki_shape_pair_path, .reply = &prediction, .run = predict },
    { "GET", "/v1/popular", "popular", "Items that most people have to do with", NULL, KI_ROLE_READ,
      .query_shape = &chart_query, .reply = &ki_shape_list, .run = popular },
    { "GET", "/v1/trending", "trending", "Items of which much is heard lately", NULL, KI_ROLE_READ,
      .query_shape = &chart_query, .reply = &ki_shape_list, .run = trending },
    { "GET", "/v1/latest", "latest", "Items that came last", NULL, KI_ROLE_READ,
      .query_shape = &chart_query, .reply = &ki_shape_list, .run = latest },
    { "GET", "/v1/search", "search", "Items by title or id", NULL, KI_ROLE_READ,
      .query_shape = &search_query, .reply = &ki_shape_list, .run = search },
    { "GET", "/v1/explain/{user_id}/{item_id}", "explain", "Why would this item suit this user?",
      "The score of the item, and the items of the history with the largest shares of it; where it "
      "cannot be listed for this user the list is empty and its note says why.",
      KI_ROLE_READ, .path_shape = &ki_shape_pair_path, .query_shape = &reasons_query,
      .reply = &ki_shape_list, .run = explain },
    { "POST", "/v1/why-not", "why_not", "Why is this item not in the list?",
      "Seen, filtered by which clause, capped, or ranked how far below.", KI_ROLE_READ,
      KI_ROUTE_QUICK | KI_ROUTE_LOOKS_UP, .body = &question, .reply = &verdict, .run = why_not,
      .slow_with = "block" },
};

const ki_route_group ki_routes_ask = { "asking", "Lists and reasons", routes, KI_COUNT(routes) };
