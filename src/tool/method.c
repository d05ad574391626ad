/* SPDX-License-Identifier: MIT
 * method.c -- names that people use for algorithms and parameters, and those of kith
 *
 * The same word means different things in different libraries ("svd" is stochastic gradient descent
 * in Surprise, a truncated singular value decomposition elsewhere).  So every translation is in one
 * of the tables below, and the result says which one was used.
 */
#include "tool/method.h"

#include "base/mem.h"
#include "tool/schema.h"
#include "tool/verify.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- names of algorithms ---- */

/* The first row that fits is taken.  `with` names parameters, one of which must be given; NULL: none
 * need be.  `set` is a parameter that goes with the name. */
static const struct alias {
    const char *word; /* without case and separators */
    const char *with;
    const char *model;
    const char *set, *value;
    const char *why;
} aliases[] = {
    { "svd", "n_epochs lr_all reg_all biased lr_bu lr_bi lr_pu lr_qi reg_bu reg_bi reg_pu reg_qi",
      "funk-svd", NULL, NULL,
      "with n_epochs, lr_all or reg_all, \"svd\" is Surprise's SVD: factors and biases learnt by "
      "stochastic gradient descent" },
    { "svd", NULL, "svd", NULL, NULL, "\"svd\" is the truncated singular value decomposition" },
    { "funksvd", NULL, "funk-svd", NULL, NULL, NULL },
    { "surprisesvd", NULL, "funk-svd", NULL, NULL, "Surprise's SVD is funk-svd" },
    { "pmf", NULL, "funk-svd", "biased", "false", "PMF is funk-svd without biases" },
    { "als", NULL, "ials", NULL, NULL, "alternating least squares is ials" },
    { "implicitals", NULL, "ials", NULL, NULL, "alternating least squares is ials" },
    { "alternatingleastsquares", NULL, "ials", NULL, NULL, "alternating least squares is ials" },
    { "itembased", NULL, "item-knn", NULL, NULL, NULL },
    { "itemitem", NULL, "item-knn", NULL, NULL, NULL },
    { "userbased", NULL, "user-knn", NULL, NULL, NULL },
    { "useruser", NULL, "user-knn", NULL, NULL, NULL },
    { "knn", NULL, "item-knn", NULL, NULL, "of both kinds of neighbours, items serve better" },
    { "knnbasic", NULL, "user-knn", "variant", "basic", "Surprise's KNNBasic compares users" },
    { "knnwithmeans", NULL, "user-knn", "variant", "means", "Surprise's KNN compares users" },
    { "knnwithzscore", NULL, "user-knn", "variant", "zscore", "Surprise's KNN compares users" },
    { "knnbaseline", NULL, "user-knn", "variant", "baseline", "Surprise's KNN compares users" },
    { "baseline", NULL, "bias", NULL, NULL, NULL },
    { "baselineonly", NULL, "bias", NULL, NULL, NULL },
    { "mostpopular", NULL, "popularity", NULL, NULL, NULL },
    { "popular", NULL, "popularity", NULL, NULL, NULL },
    { "easer", NULL, "ease", NULL, NULL, NULL },
    { "tfidf", NULL, "content", "vectorization_method", "tfidf", NULL },
    { "bm25", NULL, "content", "vectorization_method", "bm25", NULL },
    { "commonneighbors", NULL, "friends", "method", "common-neighbors", NULL },
    { "commonneighbours", NULL, "friends", "method", "common-neighbors", NULL },
    { "adamicadar", NULL, "friends", "method", "adamic-adar", NULL },
    { "resourceallocation", NULL, "friends", "method", "resource-allocation", NULL },
    { "personalizedpagerank", NULL, "friends", "method", "pagerank",
      "a walk from one's friends; \"pagerank\" walks from users over items" },
    { "personalisedpagerank", NULL, "friends", "method", "pagerank",
      "a walk from one's friends; \"pagerank\" walks from users over items" },
    { "weighted", NULL, "hybrid", "strategy", "weighted", NULL },
    { "switching", NULL, "hybrid", "strategy", "switching", NULL },
    { "mixed", NULL, "hybrid", "strategy", "mixed", NULL },
    { "cascade", NULL, "hybrid", "strategy", "cascade", NULL },
};

/* Names of parameters elsewhere; used where the algorithm has no parameter of the first name. */
static const struct rename {
    const char *from, *to;
} renames[] = {
    { "factors", "n_factors" },
    { "num_factors", "n_factors" },
    { "embedding_dim", "n_factors" },
    { "epochs", "n_epochs" },
    { "iterations", "n_epochs" },
    { "n_iterations", "n_epochs" },
    { "regularization", "reg" },
    { "regularization", "reg_all" },
    { "regularization", "l2" },
    { "reg_all", "reg" },
    { "reg", "reg_all" },
    { "learning_rate", "lr_all" },
    { "lr_all", "learning_rate" },
    { "neighbors", "n_neighbors" },
    { "num_neighbors", "n_neighbors" },
    { "similarity_metric", "similarity" },
};

/* Members of model_parameters that are the tool's own. */
static const char *const own[] = { "method", "signals", "relevant_from" };

static int is_own(const char *name)
{
    for (size_t j = 0; j < KI_COUNT(own); j++)
        if (strcmp(own[j], name) == 0) return 1;
    return 0;
}

static void plain(const char *name, char *out, size_t size)
{
    size_t n = 0;
    for (; *name != '\0' && n + 1 < size; name++)
        if (strchr("_-. ", *name) == NULL) out[n++] = (char)tolower((unsigned char)*name);
    out[n] = '\0';
}

static int any_given(const char *with, const json_t *params)
{
    char names[256];
    snprintf(names, sizeof names, "%s", with);
    for (char *save = NULL, *word = strtok_r(names, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save))
        if (json_object_get(params, word) != NULL) return 1;
    return 0;
}

static const struct alias *find_alias(const char *method, const json_t *params)
{
    char word[64];
    plain(method, word, sizeof word);
    for (size_t j = 0; j < KI_COUNT(aliases); j++)
        if (strcmp(aliases[j].word, word) == 0 &&
            (aliases[j].with == NULL || any_given(aliases[j].with, params)))
            return &aliases[j];
    return NULL;
}

/* "item_knn" and "ItemKNN" are item-knn. */
static const ki_model_desc *find_model(const char *method)
{
    char want[64], have[64];
    plain(method, want, sizeof want);
    for (int j = 0; ki_models[j] != NULL; j++) {
        plain(ki_models[j]->name, have, sizeof have);
        if (strcmp(want, have) == 0) return ki_models[j];
    }
    return NULL;
}

/* ---- choosing ---- */

static int is_of(const ki_model_desc *d, const char *family)
{
    return d != NULL && strcmp(d->family, family) == 0;
}

static const ki_model_desc *first_of(const char *family)
{
    for (int j = 0; ki_models[j] != NULL; j++)
        if (is_of(ki_models[j], family)) return ki_models[j];
    return NULL;
}

static void list_family(const char *family, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int j = 0; ki_models[j] != NULL && used + 1 < size; j++)
        if (is_of(ki_models[j], family))
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     ki_models[j]->name);
}

static int wants_ratings(const json_t *config)
{
    size_t j;
    const json_t *metric;
    json_array_foreach (json_object_get(config, "evaluation_metrics"), j, metric) {
        const char *name = json_string_value(metric);
        if (name != NULL && (strncmp(name, "rmse", 4) == 0 || strncmp(name, "mae", 3) == 0 ||
                             strcmp(name, "fcp") == 0))
            return 1;
    }
    return 0;
}

/* Families whose first model is not the one that suits most data. */
static const struct {
    const char *family, *model;
} usual[] = { { "hybrid", "hybrid" }, { "graph_based", "rp3beta" } };

/* What to take of a family when no method is named.  Lists are what is delivered, so that for
 * enough data it is the strongest ranker, and for little what needs little. */
static const ki_model_desc *usual_of(const char *family, const json_t *config, const ki_intake *in,
                                     const char **why)
{
    const ki_log *log = &in->data->log;
    const ki_model_desc *chosen = NULL;
    *why = "no method was named; this is the usual one of its family";
    for (size_t j = 0; j < KI_COUNT(usual); j++)
        if (strcmp(usual[j].family, family) == 0) chosen = ki_model_find(usual[j].model);
    if (is_of(chosen, family)) return chosen;
    if (strcmp(family, "collaborative_filtering") != 0) return first_of(family);
    if (log->n < 10) {
        chosen = ki_model_find("popularity");
        *why = "no method was named; with fewer than 10 interactions there is nothing to learn but "
               "what is popular";
    } else if (log->n < 100) {
        chosen = ki_model_find("item-knn");
        *why = "no method was named; with fewer than 100 interactions neighbours need the least";
    } else if (in->data->has_values && wants_ratings(config)) {
        chosen = ki_model_find("funk-svd");
        *why = "no method was named; evaluation_metrics asks how well ratings are estimated";
    } else {
        chosen = ki_model_find("ials");
        *why = "no method was named; for lists out of this much data";
    }
    return chosen != NULL ? chosen : first_of(family);
}

static void tell(ki_method *m, const char *asked, const char *why)
{
    json_object_set_new(m->told, "algorithm_type", json_string(m->family));
    if (asked != NULL) json_object_set_new(m->told, "asked", json_string(asked));
    json_object_set_new(m->told, "resolved_method", json_string(m->desc->name));
    if (why != NULL) json_object_set_new(m->told, "why", json_string(why));
}

static kith_err choose(ki_method *m, const json_t *config, const json_t *params,
                       const ki_intake *in, ki_findings *f)
{
    const ki_place top = { .key = "recommendation_configuration" },
                   type = { .up = &top, .key = "algorithm_type" },
                   at = { .up = &top, .key = "model_parameters" },
                   method = { .up = &at, .key = "method" };
    const char *asked = json_string_value(json_object_get(params, method.key)), *why = NULL;
    char names[400];
    list_family(m->family, names, sizeof names);
    if (names[0] == '\0') {
        ki_object_to(f, &type, "this version of kith has no model of the family %s yet", m->family);
        return KITH_OK;
    }
    if (asked == NULL) {
        m->desc = usual_of(m->family, config, in, &why);
        tell(m, NULL, why);
        return KITH_OK;
    }
    const struct alias *alias = find_alias(asked, params);
    const ki_model_desc *desc = alias != NULL ? ki_model_find(alias->model) : find_model(asked);
    if (!is_of(desc, m->family)) {
        ki_object_to(f, &method, "\"%.60s\" is no method of %s; want one of %s", asked, m->family,
                     names);
        return KITH_OK;
    }
    m->desc = desc;
    tell(m, asked, alias != NULL ? alias->why : NULL);
    if (alias == NULL || alias->set == NULL) return KITH_OK;
    json_t *value = json_string(alias->value);
    const kith_err err = ki_method_set(m, alias->set, value);
    json_decref(value);
    return err;
}

/* ---- parameters ---- */

static json_t *joined(const json_t *list)
{
    json_t *text = json_string("");
    size_t j;
    const json_t *one;
    json_array_foreach (list, j, one) {
        json_t *longer = json_sprintf("%s%s%s", json_string_value(text), j > 0 ? "," : "",
                                      json_is_string(one) ? json_string_value(one) : "");
        json_decref(text);
        text = longer;
    }
    return text;
}

/* A value as kith_param takes it. */
static json_t *as_text(const json_t *v)
{
    if (json_is_string(v)) return json_copy((json_t *)v);
    if (json_is_boolean(v)) return json_string(json_is_true(v) ? "true" : "false");
    if (json_is_integer(v)) return json_sprintf("%lld", (long long)json_integer_value(v));
    if (json_is_real(v)) return json_sprintf("%.17g", json_real_value(v));
    return json_is_array(v) ? joined(v) : NULL;
}

kith_err ki_method_set(ki_method *m, const char *name, const json_t *value)
{
    const char *key;
    json_t *text = as_text(value), *v;
    if (text == NULL || json_object_set_new(m->texts, name, text) != 0) return ki_fail_memory(64);
    m->n_params = 0;
    json_object_foreach (m->texts, key, v)
        if (m->n_params < KI_MAX_PARAMS)
            m->params[m->n_params++] = (kith_param){ key, json_string_value(v) };
    return KITH_OK;
}

/* The model's own name for a parameter; NULL when it has none of the kind. */
static const char *name_of(const ki_model_desc *d, const char *name)
{
    if (ki_params_find(d->params, d->n_params, name) != NULL) return name;
    for (size_t j = 0; j < KI_COUNT(renames); j++)
        if (strcmp(renames[j].from, name) == 0 &&
            ki_params_find(d->params, d->n_params, renames[j].to) != NULL)
            return renames[j].to;
    return NULL;
}

static void tell_rename(ki_method *m, const char *from, const char *to)
{
    json_t *list = json_object_get(m->told, "renamed_parameters");
    if (list == NULL) {
        list = json_object();
        json_object_set_new(m->told, "renamed_parameters", list);
    }
    json_object_set_new(list, from, json_string(to));
}

static kith_err take_params(ki_method *m, const json_t *params, const json_t *schema,
                            ki_findings *f)
{
    const ki_place top = { .key = "recommendation_configuration" },
                   up = { .up = &top, .key = "model_parameters" };
    const json_t *known = json_object_get(ki_schema_model(schema, m->desc->name), "properties");
    const char *given;
    json_t *v;
    kith_err err = KITH_OK;
    json_object_foreach ((json_t *)params, given, v) {
        const ki_place at = { .up = &up, .key = given };
        const int64_t before = f->n_violations;
        const char *name = name_of(m->desc, given);
        /* The tool's own `method` hides a parameter of that name. */
        if (is_own(given)) continue;
        if (name == NULL) {
            ki_warning(f, "model_parameters.%.60s: %s has no such parameter, it was not used",
                       given, m->desc->name);
            continue;
        }
        ki_verify(json_object_get(known, name), v, &at, f);
        if (f->n_violations > before) continue;
        if (name != given) tell_rename(m, given, name);
        if ((err = ki_method_set(m, name, v)) != KITH_OK) return err;
    }
    return err;
}

/* Has any item attribute words in it? */
static int has_words(const ki_table *items)
{
    for (int j = 0; j < items->n_columns; j++) {
        const ki_column_kind kind = items->columns[j].kind;
        if (kind == KI_COL_TEXT || kind == KI_COL_SET || kind == KI_COL_CATEGORY) return 1;
    }
    return 0;
}

/* A hybrid is for what interactions alone cannot tell: where items have attributes, and kith a model
 * that reads them, that model is the second part unless parts are named. */
static kith_err mix_content(ki_method *m, const ki_intake *in)
{
    const ki_model_desc *content = first_of("content_based");
    if (strcmp(m->desc->name, "hybrid") != 0 || content == NULL ||
        !has_words(&in->data->item_attrs) || json_object_get(m->texts, "parts") != NULL)
        return KITH_OK;
    json_t *parts = json_sprintf("ials,%s", content->name);
    const kith_err err = ki_method_set(m, "parts", parts);
    json_object_set_new(m->told, "parts", parts);
    return err;
}

/* A dislike is no event: where a model weighs events, it is to weigh by the preference. */
static kith_err heed_dislikes(ki_method *m, const ki_intake *in)
{
    if (!in->preference.has_dislikes || in->preference.has_ratings) return KITH_OK;
    if (ki_params_find(m->desc->params, m->desc->n_params, "weights") == NULL ||
        json_object_get(m->texts, "weights") != NULL)
        return KITH_OK;
    json_t *value = json_string("value");
    const kith_err err = ki_method_set(m, "weights", value);
    json_decref(value);
    json_object_set_new(m->told, "weights", json_string("value, since there are dislikes"));
    return err;
}

kith_err ki_method_resolve(ki_method *out, const json_t *config, const json_t *schema,
                           const ki_intake *in, ki_findings *f)
{
    const json_t *params = json_object_get(config, "model_parameters");
    ki_method m = { .family = json_string_value(json_object_get(config, "algorithm_type")),
                    .texts = json_object(),
                    .told = json_object() };
    kith_err err = choose(&m, config, params, in, f);
    if (err == KITH_OK && m.desc != NULL) err = take_params(&m, params, schema, f);
    if (err == KITH_OK && m.desc != NULL) err = mix_content(&m, in);
    if (err == KITH_OK && m.desc != NULL) err = heed_dislikes(&m, in);
    if (err != KITH_OK)
        ki_method_clear(&m);
    else
        *out = m;
    return err;
}

void ki_method_clear(ki_method *m)
{
    json_decref(m->texts);
    json_decref(m->told);
    *m = (ki_method){ 0 };
}
