/* SPDX-License-Identifier: MIT
 * schema.c -- the tables of the tool contract, and JSON Schema made from them
 *
 * Names, types, enumerations and defaults of the contract's own fields are those of the contract.
 * Where it says only "object" or "array of objects" the tables say more: what kith reads there.
 */
#include "tool/schema.h"

#include "base/mem.h"
#include "model/model.h"

#include <stdio.h>
#include <string.h>

enum kind {
    OBJECT, /* members of `inside`; others are warned of */
    OPEN,   /* members of `inside`, and any others */
    LIST,   /* elements like inside[0] */
    TEXT,
    NAME, /* text that is not empty */
    WHOLE,
    NUMBER,
    FLAG,
    MOMENT,   /* RFC 3339 */
    TIME,     /* seconds since 1970, or ISO 8601 */
    ID,       /* text, or a whole number that stands for its digits */
    ROWS,     /* elements like inside[0], or the path of a file with them */
    DOCUMENT, /* as OBJECT, or the path of a JSON file */
};

typedef struct node node;
struct node {
    const char *name;
    enum kind kind;
    int required;
    const char *about;
    const node *inside;
    int n_inside;
    const char *const *words; /* ends with NULL: the only ones allowed */
    double min, max;          /* both 0: any; max 0: no upper end */
    const char *init;         /* default, as JSON */
};

#define INSIDE(table) .inside = table, .n_inside = (int)KI_COUNT(table)

/* ---- request ---- */

static const node a_user[] = {
    { .name = "user_id",
      .kind = ID,
      .required = 1,
      .about = "the user; any other member is an attribute" },
};
static const node an_item[] = {
    { .name = "item_id",
      .kind = ID,
      .required = 1,
      .about = "the item; any other member is an attribute" },
};
static const node an_interaction[] = {
    { .name = "user_id", .kind = ID, .required = 1, .about = "who" },
    { .name = "item_id",
      .kind = ID,
      .required = 1,
      .about = "with what; what happened is in the signals (see model_parameters.signals)" },
};
static const node one_user = { .kind = OPEN, INSIDE(a_user) };
static const node one_item = { .kind = OPEN, INSIDE(an_item) };
static const node one_interaction = { .kind = OPEN, INSIDE(an_interaction) };
static const node one_id = { .kind = ID };
static const node one_name = { .kind = NAME };

static const char *const cold_words[] = { "popular", "error", NULL };
static const node context[] = {
    { .name = "now",
      .kind = TIME,
      .about = "the time of asking: interactions after it are not used" },
    { .name = "users",
      .kind = LIST,
      .about = "lists for these users alone (all)",
      .inside = &one_id,
      .n_inside = 1 },
    { .name = "exclude_items",
      .kind = LIST,
      .about = "never recommend these",
      .inside = &one_id,
      .n_inside = 1 },
    { .name = "filter",
      .kind = TEXT,
      .about = "recommend only items that fit, such as: category = \"books\" and price <= 20" },
    { .name = "values", .kind = OPEN, .about = "what the $names of the filter stand for" },
    { .name = "pipeline",
      .kind = OPEN,
      .about = "sources, ranker, rules, diversity and exploration of the lists" },
    { .name = "include_seen",
      .kind = FLAG,
      .about = "items of the history may be recommended",
      .init = "false" },
    { .name = "on_cold_start",
      .kind = TEXT,
      .about =
          "a user without interactions gets popular items, or the run fails with ColdStartError",
      .words = cold_words,
      .init = "\"popular\"" },
    { .name = "reasons",
      .kind = WHOLE,
      .about = "most history items named per recommendation; 0: no reasons",
      .min = 0,
      .max = 10,
      .init = "3" },
    { .name = "similar_items",
      .kind = WHOLE,
      .about = "how many similar items per item (recommendation_count)",
      .min = 0,
      .max = 1000 },
    { .name = "similar_for",
      .kind = WHOLE,
      .about = "similar items are listed for the first so many items",
      .min = 0,
      .max = 1e6,
      .init = "1000" },
    { .name = "feature_importance",
      .kind = FLAG,
      .about = "measure it by training again without each feature (yes up to 20000 interactions)" },
};
static const node recommendation_data[] = {
    { .name = "user_data",
      .kind = ROWS,
      .required = 1,
      .about = "User information and preferences",
      .inside = &one_user,
      .n_inside = 1 },
    { .name = "item_data",
      .kind = ROWS,
      .required = 1,
      .about = "Item information and features",
      .inside = &one_item,
      .n_inside = 1 },
    { .name = "interaction_data",
      .kind = ROWS,
      .required = 1,
      .about = "User-item interactions",
      .inside = &one_interaction,
      .n_inside = 1 },
    { .name = "context_data",
      .kind = DOCUMENT,
      .about = "Contextual information for recommendations",
      INSIDE(context) },
};
static const char *const algorithms[] = { "collaborative_filtering", "content_based", "hybrid",
                                          "deep_learning",           "graph_based",   NULL };
static const node model_parameters[] = {
    { .name = "method",
      .kind = NAME,
      .about = "which algorithm of the family; `kith models` lists them" },
    { .name = "signals",
      .kind = OPEN,
      .about = "what each member of an interaction counts: a weight, or {weight, scale, unit}; 0 "
               "ignores it" },
    { .name = "relevant_from",
      .kind = NUMBER,
      .about = "held-out interactions of at least this preference are what a list should hit (the "
               "middle of "
               "the rating scale; all without ratings)" },
};
static const node recommendation_configuration[] = {
    { .name = "algorithm_type",
      .kind = TEXT,
      .required = 1,
      .about = "Type of recommendation algorithm",
      .words = algorithms },
    { .name = "model_parameters",
      .kind = OPEN,
      .about = "Model-specific parameters: those of $defs/model_METHOD, and these",
      INSIDE(model_parameters) },
    { .name = "evaluation_metrics",
      .kind = LIST,
      .about = "Evaluation metrics to use",
      .inside = &one_name,
      .n_inside = 1 },
    { .name = "recommendation_count",
      .kind = WHOLE,
      .about = "Number of recommendations to generate",
      .min = 1,
      .max = 10000,
      .init = "10" },
};
static const node training_configuration[] = {
    { .name = "train_test_split",
      .kind = NUMBER,
      .about = "Train-test split ratio",
      .min = 0,
      .max = 1 },
    { .name = "cross_validation",
      .kind = FLAG,
      .about = "Enable cross-validation",
      .init = "true" },
    { .name = "hyperparameter_tuning",
      .kind = FLAG,
      .about = "Enable hyperparameter optimization",
      .init = "false" },
    { .name = "model_persistence", .kind = FLAG, .about = "Save trained model", .init = "true" },
    { .name = "tuning_seconds",
      .kind = NUMBER,
      .about = "most time for tuning",
      .min = 0.1,
      .max = 86400,
      .init = "60" },
    { .name = "tuning_trials",
      .kind = WHOLE,
      .about = "most settings tried",
      .min = 1,
      .max = 10000,
      .init = "20" },
};
static const char *const strategies[] = { "redis", "memory", "none", NULL };
static const node deployment_configuration[] = {
    { .name = "real_time_recommendations",
      .kind = FLAG,
      .about = "Enable real-time recommendations",
      .init = "false" },
    { .name = "batch_processing",
      .kind = FLAG,
      .about = "Enable batch processing",
      .init = "true" },
    { .name = "caching_strategy",
      .kind = TEXT,
      .about = "Caching strategy for recommendations",
      .words = strategies },
};
static const node request[] = {
    { .name = "recommendation_data", .kind = OBJECT, .required = 1, INSIDE(recommendation_data) },
    { .name = "recommendation_configuration",
      .kind = OBJECT,
      .required = 1,
      INSIDE(recommendation_configuration) },
    { .name = "training_configuration", .kind = OBJECT, INSIDE(training_configuration) },
    { .name = "deployment_configuration", .kind = OBJECT, INSIDE(deployment_configuration) },
};

/* ---- result ---- */

static const node model_info[] = {
    { .name = "model_id",
      .kind = TEXT,
      .about = "method, fingerprint of the data, hash of the settings" },
    { .name = "algorithm_type", .kind = TEXT },
    { .name = "training_parameters",
      .kind = OPEN,
      .about = "every parameter of the model, as trained" },
    { .name = "model_performance",
      .kind = OPEN,
      .about = "seconds and figures of training and evaluation" },
    { .name = "training_timestamp", .kind = MOMENT },
};
static const node a_recommendation[] = {
    { .name = "item_id", .kind = TEXT, .required = 1 },
    { .name = "score", .kind = NUMBER, .about = "higher is better; not comparable between users" },
    { .name = "reason", .kind = TEXT },
    { .name = "category", .kind = TEXT },
};
static const node one_recommendation = { .kind = OBJECT, INSIDE(a_recommendation) };
static const node a_user_list[] = {
    { .name = "user_id", .kind = TEXT, .required = 1 },
    { .name = "recommended_items",
      .kind = LIST,
      .required = 1,
      .about = "best first",
      .inside = &one_recommendation,
      .n_inside = 1 },
    { .name = "recommendation_metadata", .kind = OPEN, .about = "what the list was made from" },
};
static const node one_user_list = { .kind = OBJECT, INSIDE(a_user_list) };
static const node a_similar_item[] = {
    { .name = "similar_item_id", .kind = TEXT, .required = 1 },
    { .name = "similarity_score", .kind = NUMBER },
    { .name = "similarity_type", .kind = TEXT },
};
static const node one_similar_item = { .kind = OBJECT, INSIDE(a_similar_item) };
static const node an_item_list[] = {
    { .name = "item_id", .kind = TEXT, .required = 1 },
    { .name = "similar_items",
      .kind = LIST,
      .required = 1,
      .about = "most similar first",
      .inside = &one_similar_item,
      .n_inside = 1 },
};
static const node one_item_list = { .kind = OBJECT, INSIDE(an_item_list) };
static const node recommendations[] = {
    { .name = "user_recommendations",
      .kind = LIST,
      .required = 1,
      .inside = &one_user_list,
      .n_inside = 1 },
    { .name = "item_recommendations", .kind = LIST, .inside = &one_item_list, .n_inside = 1 },
};
static const node accuracy[] = {
    { .name = "precision", .kind = NUMBER }, { .name = "recall", .kind = NUMBER },
    { .name = "f1_score", .kind = NUMBER },  { .name = "ndcg", .kind = NUMBER },
    { .name = "map", .kind = NUMBER },
};
static const node diversity[] = {
    { .name = "catalog_coverage", .kind = NUMBER },
    { .name = "intra_list_diversity", .kind = NUMBER },
    { .name = "serendipity", .kind = NUMBER },
};
static const node novelty[] = {
    { .name = "popularity_bias", .kind = NUMBER },
    { .name = "long_tail_coverage", .kind = NUMBER },
};
static const node evaluation[] = {
    { .name = "accuracy_metrics", .kind = OPEN, INSIDE(accuracy) },
    { .name = "diversity_metrics", .kind = OPEN, INSIDE(diversity) },
    { .name = "novelty_metrics", .kind = OPEN, INSIDE(novelty) },
};
static const node a_feature[] = {
    { .name = "feature", .kind = TEXT, .required = 1 },
    { .name = "importance",
      .kind = NUMBER,
      .required = 1,
      .about = "how much of the metric is lost without it" },
    { .name = "method", .kind = TEXT, .about = "how that was measured" },
};
static const node one_feature = { .kind = OPEN, INSIDE(a_feature) };
static const node importance[] = {
    { .name = "user_features", .kind = LIST, .inside = &one_feature, .n_inside = 1 },
    { .name = "item_features", .kind = LIST, .inside = &one_feature, .n_inside = 1 },
    { .name = "interaction_features", .kind = LIST, .inside = &one_feature, .n_inside = 1 },
};
static const node deployment[] = {
    { .name = "model_endpoint", .kind = TEXT },
    { .name = "inference_latency",
      .kind = NUMBER,
      .about = "milliseconds to make one user's list, mean" },
    { .name = "throughput", .kind = NUMBER, .about = "users served per second" },
    { .name = "cache_hit_rate",
      .kind = NUMBER,
      .about = "lists found in the cache, of those looked for",
      .min = 0,
      .max = 1 },
};
static const node results[] = {
    { .name = "model_info", .kind = OBJECT, INSIDE(model_info) },
    { .name = "recommendations", .kind = OBJECT, INSIDE(recommendations) },
    { .name = "model_evaluation", .kind = OBJECT, INSIDE(evaluation) },
    { .name = "feature_importance", .kind = OBJECT, INSIDE(importance) },
    { .name = "deployment_info", .kind = OPEN, INSIDE(deployment) },
};
static const node one_text = { .kind = TEXT };
static const node metadata[] = {
    { .name = "processing_timestamp", .kind = MOMENT },
    { .name = "processing_duration", .kind = NUMBER, .about = "seconds", .min = 0, .max = 1e9 },
    { .name = "data_statistics", .kind = OPEN },
    { .name = "version", .kind = TEXT },
    { .name = "warnings",
      .kind = LIST,
      .about = "what of the request was not used, and why",
      .inside = &one_text,
      .n_inside = 1 },
    { .name = "left_out",
      .kind = OPEN,
      .about = "fields that do not apply: JSON pointer -> reason" },
    { .name = "method",
      .kind = OPEN,
      .about = "which algorithm was taken for what was asked, and why" },
    { .name = "persistence", .kind = OPEN, .about = "where the model was kept or found" },
    { .name = "tuning", .kind = OPEN, .about = "what hyperparameter tuning tried and found" },
};
static const node response[] = {
    { .name = "recommendation_results", .kind = OBJECT, .required = 1, INSIDE(results) },
    { .name = "metadata", .kind = OBJECT, .required = 1, INSIDE(metadata) },
};

/* ---- from tables to JSON Schema ---- */

static json_t *schema_of(const node *n);

static json_t *typed(const char *type)
{
    return json_pack("{s:s}", "type", type);
}

static json_t *members(const node *inside, int n, int open)
{
    json_t *o = typed("object"), *properties = json_object(), *required = json_array();
    for (int j = 0; j < n; j++) {
        json_object_set_new(properties, inside[j].name, schema_of(&inside[j]));
        if (inside[j].required) json_array_append_new(required, json_string(inside[j].name));
    }
    if (json_array_size(required) > 0) json_object_set(o, "required", required);
    if (n > 0) json_object_set(o, "properties", properties);
    if (open) json_object_set_new(o, "additionalProperties", json_true());
    json_decref(properties);
    json_decref(required);
    return o;
}

static json_t *list_of(const node *one)
{
    return json_pack("{s:s, s:o}", "type", "array", "items", schema_of(one));
}

static json_t *either(json_t *a, json_t *b)
{
    return json_pack("{s:[o, o]}", "anyOf", a, b);
}

static json_t *path_of(const char *about)
{
    return json_pack("{s:s, s:i, s:s}", "type", "string", "minLength", 1, "description", about);
}

static json_t *base_of(const node *n)
{
    switch (n->kind) {
    case OBJECT: return members(n->inside, n->n_inside, 0);
    case OPEN: return members(n->inside, n->n_inside, 1);
    case LIST: return list_of(n->inside);
    case TEXT: return typed("string");
    case NAME: return json_pack("{s:s, s:i}", "type", "string", "minLength", 1);
    case WHOLE: return typed("integer");
    case NUMBER: return typed("number");
    case FLAG: return typed("boolean");
    case MOMENT: return json_pack("{s:s, s:s}", "type", "string", "format", "date-time");
    case TIME:
        return either(typed("number"), json_pack("{s:s, s:i}", "type", "string", "minLength", 1));
    case ID:
        return either(json_pack("{s:s, s:i}", "type", "string", "minLength", 1), typed("integer"));
    case ROWS: return either(list_of(n->inside), path_of("path of a CSV or NDJSON file"));
    case DOCUMENT: break;
    }
    return either(members(n->inside, n->n_inside, 0), path_of("path of a JSON file"));
}

static json_t *schema_of(const node *n)
{
    json_t *o = base_of(n);
    if (n->about != NULL) json_object_set_new(o, "description", json_string(n->about));
    if (n->words != NULL) {
        json_t *words = json_array();
        for (int j = 0; n->words[j] != NULL; j++)
            json_array_append_new(words, json_string(n->words[j]));
        json_object_set_new(o, "enum", words);
    }
    if (n->max > 0) {
        const int whole = n->kind == WHOLE;
        json_object_set_new(o, "minimum",
                            whole ? json_integer((json_int_t)n->min) : json_real(n->min));
        json_object_set_new(o, "maximum",
                            whole ? json_integer((json_int_t)n->max) : json_real(n->max));
    }
    if (n->init != NULL)
        json_object_set_new(o, "default", json_loads(n->init, JSON_DECODE_ANY, NULL));
    return o;
}

static json_t *document(const char *title, const node *table, int n)
{
    json_t *o = members(table, n, 0);
    json_object_set_new(o, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(o, "title", json_string(title));
    return o;
}

/* ---- parameters of the models ---- */

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
        o = either(typed("string"),
                   json_pack("{s:s, s:o}", "type", "array", "items", typed("string")));
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
    json_t *o = document("kith: request of the recommendation tool", request,
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
    return document("kith: result of the recommendation tool", response, (int)KI_COUNT(response));
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
