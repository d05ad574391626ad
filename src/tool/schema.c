/* SPDX-License-Identifier: MIT
 * schema.c -- the tables of the tool contract
 *
 * Names, types, enumerations and defaults of the contract's own fields are those of the contract.
 * Where it says only "object" or "array of objects" the tables say more: what kith reads there.
 */
#include "tool/schema.h"

#include "model/model.h" /* their parameters are part of it */
#include "tool/shape.h"

#include <stdio.h>
#include <string.h>

/* ---- request ---- */

static const ki_shape a_user[] = {
    { .name = "user_id",
      .kind = KI_IS_ID,
      .required = 1,
      .about = "the user; any other member is an attribute" },
    { .name = "wishes",
      .kind = KI_IS_ANY,
      .about =
          "what this user would like, beside context_data.wishes: a list as there, or one text" },
};
static const ki_shape an_item[] = {
    { .name = "item_id",
      .kind = KI_IS_ID,
      .required = 1,
      .about = "the item; any other member is an attribute" },
};
static const ki_shape an_interaction[] = {
    { .name = "user_id", .kind = KI_IS_ID, .required = 1, .about = "who" },
    { .name = "item_id",
      .kind = KI_IS_ID,
      .required = 1,
      .about = "with what; what happened is in the signals (see model_parameters.signals)" },
};
static const ki_shape one_user = { .kind = KI_IS_OPEN, KI_INSIDE(a_user) };
static const ki_shape one_item = { .kind = KI_IS_OPEN, KI_INSIDE(an_item) };
static const ki_shape one_interaction = { .kind = KI_IS_OPEN, KI_INSIDE(an_interaction) };
static const ki_shape one_id = { .kind = KI_IS_ID };
static const ki_shape one_name = { .kind = KI_IS_NAME };
static const ki_shape one_wish = { .kind = KI_IS_ANY };

static const char *const cold_words[] = { "popular", "error", NULL };
static const ki_shape context[] = {
    { .name = "now",
      .kind = KI_IS_TIME,
      .about = "the time of asking: interactions after it are not used" },
    { .name = "users",
      .kind = KI_IS_LIST,
      .about = "lists for these users alone (all)",
      .inside = &one_id,
      .n_inside = 1 },
    { .name = "exclude_items",
      .kind = KI_IS_LIST,
      .about = "never recommend these",
      .inside = &one_id,
      .n_inside = 1 },
    { .name = "why_not",
      .kind = KI_IS_LIST,
      .about = "told with each list: why these items are not in it",
      .inside = &one_id,
      .n_inside = 1 },
    { .name = "filter",
      .kind = KI_IS_TEXT,
      .about = "recommend only items that fit, such as: category = \"books\" and price <= 20" },
    { .name = "wishes",
      .kind = KI_IS_LIST,
      .about =
          "what a good item is like, met by degrees: filters such as \"price <= 1200\", with a "
          "weight \"3: ram >= 16\" or {want, weight}; lists go by them (doc/filters.md)",
      KI_EACH(one_wish),
      .max = 64 },
    { .name = "values",
      .kind = KI_IS_OPEN,
      .about = "what the $names of filter and wishes stand for" },
    { .name = "pipeline",
      .kind = KI_IS_OPEN,
      .about = "sources, ranker, rules, diversity and exploration of the lists" },
    { .name = "block",
      .kind = KI_IS_LIST,
      .about = "never what an entry of it holds: words, column: words, or id: ITEM (doc/safety.md)",
      KI_EACH(one_name) },
    { .name = "language",
      .kind = KI_IS_NAME,
      .about =
          "of reasons, notes and why_not: de, en, es, fr, it, pt; regions as in de-AT are heard",
      .init = "\"en\"" },
    { .name = "include_seen",
      .kind = KI_IS_FLAG,
      .about = "items of the history may be recommended",
      .init = "false" },
    { .name = "on_cold_start",
      .kind = KI_IS_TEXT,
      .about =
          "a user without interactions gets popular items, or the run fails with ColdStartError",
      .words = cold_words,
      .init = "\"popular\"" },
    { .name = "reasons",
      .kind = KI_IS_WHOLE,
      .about = "most history items named per recommendation; 0: no reasons",
      .min = 0,
      .max = 10,
      .init = "3" },
    { .name = "similar_items",
      .kind = KI_IS_WHOLE,
      .about = "how many similar items per item (recommendation_count)",
      .min = 0,
      .max = 1000 },
    { .name = "similar_for",
      .kind = KI_IS_WHOLE,
      .about = "similar items are listed for the first so many items",
      .min = 0,
      .max = 1e6,
      .init = "1000" },
    { .name = "feature_importance",
      .kind = KI_IS_FLAG,
      .about = "measure it by training again without each feature (yes up to 20000 interactions)" },
};
static const ki_shape recommendation_data[] = {
    { .name = "user_data",
      .kind = KI_IS_ROWS,
      .required = 1,
      .about = "User information and preferences",
      .inside = &one_user,
      .n_inside = 1 },
    { .name = "item_data",
      .kind = KI_IS_ROWS,
      .required = 1,
      .about = "Item information and features",
      .inside = &one_item,
      .n_inside = 1 },
    { .name = "interaction_data",
      .kind = KI_IS_ROWS,
      .required = 1,
      .about = "User-item interactions",
      .inside = &one_interaction,
      .n_inside = 1 },
    { .name = "context_data",
      .kind = KI_IS_DOCUMENT,
      .about = "Contextual information for recommendations",
      KI_INSIDE(context) },
};
static const char *const algorithms[] = { "collaborative_filtering", "content_based", "hybrid",
                                          "deep_learning",           "graph_based",   NULL };
static const ki_shape model_parameters[] = {
    { .name = "method",
      .kind = KI_IS_NAME,
      .about = "which algorithm of the family; `kith models` lists them" },
    { .name = "signals",
      .kind = KI_IS_OPEN,
      .about = "what each member of an interaction counts: a weight, or {weight, scale, unit}; 0 "
               "ignores it" },
    { .name = "relevant_from",
      .kind = KI_IS_NUMBER,
      .about = "held-out interactions of at least this preference are what a list should hit (the "
               "middle of "
               "the rating scale; all without ratings)" },
};
static const ki_shape recommendation_configuration[] = {
    { .name = "algorithm_type",
      .kind = KI_IS_TEXT,
      .required = 1,
      .about = "Type of recommendation algorithm",
      .words = algorithms },
    { .name = "model_parameters",
      .kind = KI_IS_OPEN,
      .about = "Model-specific parameters: those of $defs/model_METHOD, and these",
      KI_INSIDE(model_parameters) },
    { .name = "evaluation_metrics",
      .kind = KI_IS_LIST,
      .about = "Evaluation metrics to use",
      .inside = &one_name,
      .n_inside = 1 },
    { .name = "recommendation_count",
      .kind = KI_IS_WHOLE,
      .about = "Number of recommendations to generate",
      .min = 1,
      .max = 10000,
      .init = "10" },
};
static const ki_shape training_configuration[] = {
    { .name = "train_test_split",
      .kind = KI_IS_NUMBER,
      .about = "Train-test split ratio",
      .min = 0,
      .max = 1 },
    { .name = "cross_validation",
      .kind = KI_IS_FLAG,
      .about = "Enable cross-validation",
      .init = "true" },
    { .name = "hyperparameter_tuning",
      .kind = KI_IS_FLAG,
      .about = "Enable hyperparameter optimization",
      .init = "false" },
    { .name = "model_persistence",
      .kind = KI_IS_FLAG,
      .about = "Save trained model",
      .init = "true" },
    { .name = "tuning_seconds",
      .kind = KI_IS_NUMBER,
      .about = "most time for tuning",
      .min = 0.1,
      .max = 86400,
      .init = "60" },
    { .name = "tuning_trials",
      .kind = KI_IS_WHOLE,
      .about = "most settings tried",
      .min = 1,
      .max = 10000,
      .init = "20" },
};
static const char *const strategies[] = { "redis", "memory", "none", NULL };
static const ki_shape deployment_configuration[] = {
    { .name = "real_time_recommendations",
      .kind = KI_IS_FLAG,
      .about = "Enable real-time recommendations",
      .init = "false" },
    { .name = "batch_processing",
      .kind = KI_IS_FLAG,
      .about = "Enable batch processing",
      .init = "true" },
    { .name = "caching_strategy",
      .kind = KI_IS_TEXT,
      .about = "Caching strategy for recommendations",
      .words = strategies },
    { .name = "cache_seconds",
      .kind = KI_IS_NUMBER,
      .about = "how long a list stays in Redis",
      .min = 0.001,
      .max = 1e8,
      .init = "3600" },
};
static const ki_shape request[] = {
    { .name = "recommendation_data",
      .kind = KI_IS_OBJECT,
      .required = 1,
      KI_INSIDE(recommendation_data) },
    { .name = "recommendation_configuration",
      .kind = KI_IS_OBJECT,
      .required = 1,
      KI_INSIDE(recommendation_configuration) },
    { .name = "training_configuration", .kind = KI_IS_OBJECT, KI_INSIDE(training_configuration) },
    { .name = "deployment_configuration",
      .kind = KI_IS_OBJECT,
      KI_INSIDE(deployment_configuration) },
};

/* ---- result ---- */

static const ki_shape model_info[] = {
    { .name = "model_id",
      .kind = KI_IS_TEXT,
      .about = "method, fingerprint of the data, hash of the settings" },
    { .name = "algorithm_type", .kind = KI_IS_TEXT },
    { .name = "training_parameters",
      .kind = KI_IS_OPEN,
      .about = "every parameter of the model, as trained" },
    { .name = "model_performance",
      .kind = KI_IS_OPEN,
      .about = "seconds and figures of training and evaluation" },
    { .name = "training_timestamp", .kind = KI_IS_MOMENT },
};
static const ki_shape a_degree[] = {
    { .name = "want", .kind = KI_IS_TEXT, .required = 1, .about = "the wish" },
    { .name = "weight", .kind = KI_IS_NUMBER, .required = 1 },
    { .name = "degree", .kind = KI_IS_NUMBER, .required = 1, .min = 0, .max = 1 },
};
static const ki_shape one_degree = { .kind = KI_IS_OBJECT, KI_INSIDE(a_degree) };
static const ki_shape a_recommendation[] = {
    { .name = "item_id", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "title",
      .kind = KI_IS_TEXT,
      .about = "what people call it, where items have a title or name" },
    { .name = "score",
      .kind = KI_IS_NUMBER,
      .about = "higher is better; not comparable between users" },
    { .name = "reason", .kind = KI_IS_TEXT },
    { .name = "category", .kind = KI_IS_TEXT },
    { .name = "wishes",
      .kind = KI_IS_LIST,
      .about = "how far it meets each wish",
      KI_EACH(one_degree) },
    { .name = "propensity",
      .kind = KI_IS_NUMBER,
      .about = "the chance that an item had which was drawn by lot; absent where none was drawn",
      .min = 0,
      .max = 1 },
};
static const ki_shape one_recommendation = { .kind = KI_IS_OBJECT, KI_INSIDE(a_recommendation) };
static const ki_shape a_user_list[] = {
    { .name = "user_id", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "recommended_items",
      .kind = KI_IS_LIST,
      .required = 1,
      .about = "best first",
      .inside = &one_recommendation,
      .n_inside = 1 },
    { .name = "recommendation_metadata",
      .kind = KI_IS_OPEN,
      .about = "what the list was made from" },
};
static const ki_shape one_user_list = { .kind = KI_IS_OBJECT, KI_INSIDE(a_user_list) };
static const ki_shape a_similar_item[] = {
    { .name = "similar_item_id", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "title", .kind = KI_IS_TEXT },
    { .name = "similarity_score", .kind = KI_IS_NUMBER },
    { .name = "similarity_type", .kind = KI_IS_TEXT },
};
static const ki_shape one_similar_item = { .kind = KI_IS_OBJECT, KI_INSIDE(a_similar_item) };
static const ki_shape an_item_list[] = {
    { .name = "item_id", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "title", .kind = KI_IS_TEXT },
    { .name = "similar_items",
      .kind = KI_IS_LIST,
      .required = 1,
      .about = "most similar first",
      .inside = &one_similar_item,
      .n_inside = 1 },
};
static const ki_shape one_item_list = { .kind = KI_IS_OBJECT, KI_INSIDE(an_item_list) };
static const ki_shape recommendations[] = {
    { .name = "user_recommendations",
      .kind = KI_IS_LIST,
      .required = 1,
      .inside = &one_user_list,
      .n_inside = 1 },
    { .name = "item_recommendations", .kind = KI_IS_LIST, .inside = &one_item_list, .n_inside = 1 },
};
static const ki_shape accuracy[] = {
    { .name = "precision", .kind = KI_IS_NUMBER }, { .name = "recall", .kind = KI_IS_NUMBER },
    { .name = "f1_score", .kind = KI_IS_NUMBER },  { .name = "ndcg", .kind = KI_IS_NUMBER },
    { .name = "map", .kind = KI_IS_NUMBER },
};
static const ki_shape diversity[] = {
    { .name = "catalog_coverage", .kind = KI_IS_NUMBER },
    { .name = "intra_list_diversity", .kind = KI_IS_NUMBER },
    { .name = "serendipity", .kind = KI_IS_NUMBER },
};
static const ki_shape novelty[] = {
    { .name = "popularity_bias", .kind = KI_IS_NUMBER },
    { .name = "long_tail_coverage", .kind = KI_IS_NUMBER },
};
static const ki_shape evaluation[] = {
    { .name = "accuracy_metrics", .kind = KI_IS_OPEN, KI_INSIDE(accuracy) },
    { .name = "diversity_metrics", .kind = KI_IS_OPEN, KI_INSIDE(diversity) },
    { .name = "novelty_metrics", .kind = KI_IS_OPEN, KI_INSIDE(novelty) },
};
static const ki_shape a_feature[] = {
    { .name = "feature", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "importance",
      .kind = KI_IS_NUMBER,
      .required = 1,
      .about = "how much of the metric is lost without it" },
    { .name = "method", .kind = KI_IS_TEXT, .about = "how that was measured" },
};
static const ki_shape one_feature = { .kind = KI_IS_OPEN, KI_INSIDE(a_feature) };
static const ki_shape importance[] = {
    { .name = "user_features", .kind = KI_IS_LIST, .inside = &one_feature, .n_inside = 1 },
    { .name = "item_features", .kind = KI_IS_LIST, .inside = &one_feature, .n_inside = 1 },
    { .name = "interaction_features", .kind = KI_IS_LIST, .inside = &one_feature, .n_inside = 1 },
};
static const ki_shape deployment[] = {
    { .name = "model_endpoint", .kind = KI_IS_TEXT },
    { .name = "inference_latency",
      .kind = KI_IS_NUMBER,
      .about = "milliseconds to make one user's list, mean" },
    { .name = "throughput", .kind = KI_IS_NUMBER, .about = "users served per second" },
    { .name = "cache_hit_rate",
      .kind = KI_IS_NUMBER,
      .about = "lists found in the cache, of those looked for",
      .min = 0,
      .max = 1 },
};
static const ki_shape results[] = {
    { .name = "model_info", .kind = KI_IS_OBJECT, KI_INSIDE(model_info) },
    { .name = "recommendations", .kind = KI_IS_OBJECT, KI_INSIDE(recommendations) },
    { .name = "model_evaluation", .kind = KI_IS_OBJECT, KI_INSIDE(evaluation) },
    { .name = "feature_importance", .kind = KI_IS_OBJECT, KI_INSIDE(importance) },
    { .name = "deployment_info", .kind = KI_IS_OPEN, KI_INSIDE(deployment) },
};
static const ki_shape one_text = { .kind = KI_IS_TEXT };
static const ki_shape metadata[] = {
    { .name = "processing_timestamp", .kind = KI_IS_MOMENT },
    { .name = "processing_duration",
      .kind = KI_IS_NUMBER,
      .about = "seconds",
      .min = 0,
      .max = 1e9 },
    { .name = "data_statistics", .kind = KI_IS_OPEN },
    { .name = "version", .kind = KI_IS_TEXT },
    { .name = "anonymised",
      .kind = KI_IS_OPEN,
      .about = "what was done so that nobody is named, and the k-anonymity of what is left" },
    { .name = "warnings",
      .kind = KI_IS_LIST,
      .about = "what of the request was not used, and why",
      .inside = &one_text,
      .n_inside = 1 },
    { .name = "left_out",
      .kind = KI_IS_OPEN,
      .about = "fields that do not apply: JSON pointer -> reason" },
    { .name = "method",
      .kind = KI_IS_OPEN,
      .about = "which algorithm was taken for what was asked, and why" },
    { .name = "context", .kind = KI_IS_OPEN, .about = "what of context_data shaped every list" },
    { .name = "persistence", .kind = KI_IS_OPEN, .about = "where the model was kept or found" },
    { .name = "tracking",
      .kind = KI_IS_OPEN,
      .about = "the run of the MLflow server, or why it was not logged" },
    { .name = "block",
      .kind = KI_IS_OPEN,
      .about = "how many items the block list keeps out, and by which entry" },
    { .name = "tuning", .kind = KI_IS_OPEN, .about = "what hyperparameter tuning tried and found" },
};
static const ki_shape response[] = {
    { .name = "recommendation_results", .kind = KI_IS_OBJECT, .required = 1, KI_INSIDE(results) },
    { .name = "metadata", .kind = KI_IS_OBJECT, .required = 1, KI_INSIDE(metadata) },
};

/* ---- parameters of the models ---- */

static json_t *typed(const char *type)
{
    return json_pack("{s:s}", "type", type);
}

static json_t *param_schema(const ki_param *p)
{
    json_t *o = NULL;
    switch (p->kind) {
    case KI_INT:
        o = json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)p->min,
                      "maximum", (json_int_t)p->max);
        break;
    case KI_FLOAT:
        o = json_pack("{s:s, s:f, s:f}", "type", "number", "minimum", p->min, "maximum", p->max);
        break;
    case KI_BOOL: o = typed("boolean"); break;
    case KI_CHOICE:
        o = json_pack("{s:s, s:[]}", "type", "string", "enum");
        for (int c = 0; p->choices[c] != NULL; c++)
            json_array_append_new(json_object_get(o, "enum"), json_string(p->choices[c]));
        break;
    case KI_TEXT:
        o = json_pack("{s:[o, {s:s, s:o}]}", "anyOf", typed("string"), "type", "array", "items",
                      typed("string"));
        break;
    }
    json_object_set_new(o, "description", json_string(p->meaning));
    return o;
}

static json_t *model_schema(const ki_model_desc *d)
{
    json_t *properties = json_object(), *defaults = ki_params_describe(d->params, d->n_params);
    for (int j = 0; j < d->n_params; j++) {
        json_t *one = param_schema(&d->params[j]);
        json_object_set(one, "default",
                        json_object_get(json_array_get(defaults, (size_t)j), "default"));
        json_object_set_new(properties, d->params[j].name, one);
    }
    json_decref(defaults);
    return json_pack("{s:s, s:s, s:o, s:b}", "type", "object", "description", d->summary,
                     "properties", properties, "additionalProperties", 1);
}

/* ---- public ---- */

json_t *ki_schema_request(void)
{
    json_t *o = ki_shape_document("kith: request of the recommendation tool", request,
                                  (int)KI_COUNT(request)),
           *defs = json_object();
    char name[80];
    for (int j = 0; ki_models[j] != NULL; j++) {
        snprintf(name, sizeof name, "model_%.60s", ki_models[j]->name);
        json_object_set_new(defs, name, model_schema(ki_models[j]));
    }
    json_object_set_new(o, "$defs", defs);
    return o;
}

json_t *ki_schema_response(void)
{
    return ki_shape_document("kith: result of the recommendation tool", response,
                             (int)KI_COUNT(response));
}

static const json_t *property(const json_t *schema, const char *name)
{
    return json_object_get(json_object_get(schema, "properties"), name);
}

const json_t *ki_schema_element(const json_t *schema, const char *list)
{
    const json_t *both = property(property(schema, "recommendation_data"), list);
    return json_object_get(json_array_get(json_object_get(both, "anyOf"), 0), "items");
}

const json_t *ki_schema_model(const json_t *schema, const char *model)
{
    char name[80];
    snprintf(name, sizeof name, "model_%.60s", model);
    return json_object_get(json_object_get(schema, "$defs"), name);
}

double ki_schema_default(const json_t *schema, const char *section, const char *field)
{
    const json_t *init = json_object_get(property(property(schema, section), field), "default");
    return json_is_true(init) ? 1 : json_number_value(init);
}
