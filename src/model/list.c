/* SPDX-License-Identifier: MIT
 * list.c -- the algorithms that kith has, one line each
 */
#include "base/closest.h"
#include "model/model.h"

#include <stdio.h>
#include <string.h>

extern const ki_model_desc ki_popularity;
extern const ki_model_desc ki_random;
extern const ki_model_desc ki_bias;
extern const ki_model_desc ki_user_knn;
extern const ki_model_desc ki_item_knn;
extern const ki_model_desc ki_svd;
extern const ki_model_desc ki_funk_svd;
extern const ki_model_desc ki_ials;
extern const ki_model_desc ki_ease;
extern const ki_model_desc ki_content;
extern const ki_model_desc ki_lsa_model;
extern const ki_model_desc ki_ials_text;
extern const ki_model_desc ki_hybrid;
extern const ki_model_desc ki_p3alpha;
extern const ki_model_desc ki_rp3beta;
extern const ki_model_desc ki_pagerank;
extern const ki_model_desc ki_graph_filter;
extern const ki_model_desc ki_turbo_cf;
extern const ki_model_desc ki_friends;

/* One line each, so that two new algorithms do not meet in one. */
/* clang-format off */
const ki_model_desc *const ki_models[] = {
    &ki_popularity,
    &ki_random,
    &ki_bias,
    &ki_user_knn,
    &ki_item_knn,
    &ki_svd,
    &ki_funk_svd,
    &ki_ials,
    &ki_ease,
    &ki_content,
    &ki_lsa_model,
    &ki_ials_text,
    &ki_hybrid,
    &ki_p3alpha,
    &ki_rp3beta,
    &ki_pagerank,
    &ki_graph_filter,
    &ki_turbo_cf,
    &ki_friends,
    NULL,
};
/* clang-format on */

const ki_model_desc *ki_model_find(const char *name)
{
    for (int j = 0; ki_models[j] != NULL; j++)
        if (strcmp(ki_models[j]->name, name) == 0) return ki_models[j];
    return NULL;
}

kith_err ki_model_want(const char *name, const ki_model_desc **out)
{
    char names[768] = "", hint[KI_HINT_SIZE];
    ki_closest closest = { .asked = name };
    size_t used = 0;
    if ((*out = ki_model_find(name)) != NULL) return KITH_OK;
    for (int j = 0; ki_models[j] != NULL && used < sizeof names; j++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", j > 0 ? ", " : "",
                                 ki_models[j]->name);
    for (int j = 0; ki_models[j] != NULL; j++) ki_closest_try(&closest, ki_models[j]->name);
    return ki_fail(KITH_ENOTFOUND, "no model is called \"%.64s\"; there are: %s%s", name, names,
                   ki_closest_hint(&closest, hint));
}
