/* SPDX-License-Identifier: MIT
 * list.c -- the algorithms that kith has, one line each
 */
#include "model/model.h"

#include <string.h>

extern const ki_model_desc ki_popularity;
extern const ki_model_desc ki_bias;
extern const ki_model_desc ki_ials;
extern const ki_model_desc ki_funk_svd;

const ki_model_desc *const ki_models[] = {
    &ki_popularity, &ki_bias, &ki_ials, &ki_funk_svd, NULL,
};

const ki_model_desc *ki_model_find(const char *name)
{
    for (int j = 0; ki_models[j] != NULL; j++)
        if (strcmp(ki_models[j]->name, name) == 0) return ki_models[j];
    return NULL;
}
