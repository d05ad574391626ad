/* SPDX-License-Identifier: MIT
 * list.c -- the algorithms that kith has, one line each
 */
#include "model/model.h"

#include <string.h>

extern const ki_model_desc ki_popularity;
extern const ki_model_desc ki_bias;
extern const ki_model_desc ki_item_knn;
extern const ki_model_desc ki_user_knn;
extern const ki_model_desc ki_random;

const ki_model_desc *const ki_models[] = {
    &ki_popularity, &ki_random, &ki_bias, &ki_item_knn, &ki_user_knn, NULL,
};

const ki_model_desc *ki_model_find(const char *name)
{
    for (int j = 0; ki_models[j] != NULL; j++)
        if (strcmp(ki_models[j]->name, name) == 0) return ki_models[j];
    return NULL;
}
